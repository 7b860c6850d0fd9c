//! Tensors beside those of a network, and values, that tell that something else is meant: heads under other names, parts
//! that are not merged, weights that were never trained.

use std::collections::{BTreeMap, BTreeSet};

use juyi::error::{Error, Result, few, shown};

use crate::architecture::Architecture;
use crate::checkpoint::Stored;
use crate::layers::Layer;

/// Parts of names that stand for something that changes the weights beside it, what it is, and how it is merged.
const UNMERGED: [(&str, &str, &str); 12] = [
    ("lora_A", LORA, MERGE),
    ("lora_B", LORA, MERGE),
    ("lora_down", LORA, MERGE),
    ("lora_up", LORA, MERGE),
    ("base_layer", LORA, MERGE),
    ("modules_to_save", LORA, MERGE),
    (
        "weight_orig",
        "weights beside a mask or a norm",
        "`torch.nn.utils.prune.remove` or `remove_spectral_norm`",
    ),
    ("weight_g", NORM, REMOVE_NORM),
    ("weight_v", NORM, REMOVE_NORM),
    ("parametrizations", "weights that are computed", "`torch.nn.utils.parametrize.remove_parametrizations`"),
    ("_packed_params", QUANTIZED, "save the network before it is quantized"),
    ("scale_inv", QUANTIZED, "save the network before it is quantized"),
];
const LORA: &str = "adapters of low rank that are not merged into the weights";
const MERGE: &str = "`merge_and_unload()` of `peft`";
const NORM: &str = "weights in two parts, length and direction";
const REMOVE_NORM: &str = "`torch.nn.utils.remove_weight_norm`";
const QUANTIZED: &str = "weights that are quantized";

/// Last parts of names under which people put a head.
const HEADS: [&str; 11] = [
    "fc",
    "_fc",
    "head",
    "classifier",
    "linear",
    "logits",
    "last_linear",
    "cls",
    "cls_head",
    "output",
    "out",
];

/// Refuses tensors that change others and were not merged into them.
///
/// # Errors
/// [`Error::Input`] naming the first of them.
pub(super) fn refuse_unmerged(source: &str, tensors: &BTreeMap<String, Stored>) -> Result<()> {
    for name in tensors.keys() {
        let found = UNMERGED.iter().find(|(part, ..)| name.split('.').any(|own| own == *part));
        if let Some((_, what, merge)) = found {
            let thing = format!("`{source}`, tensor `{}`", shown(name));
            let hint = format!("merge them before the network is saved: {merge}");
            return Err(Error::input(thing, format!("is one of {what}"), hint));
        }
    }
    Ok(())
}

/// The weight and the bias of the last layer that a head has.
fn last_of_head(architecture: &Architecture) -> Option<[crate::layers::Parameter; 2]> {
    let mut all: Vec<_> = architecture.head.iter().flat_map(Layer::parameters).collect();
    let (bias, weight) = (all.pop()?, all.pop()?);
    Some([weight, bias])
}

/// Tensors that may be the weights of a head of this shape but for the number of classes: the begins of their names.
fn heads<'t>(shape: &[usize], own: &str, tensors: &'t BTreeMap<String, Stored>) -> Vec<&'t str> {
    let is_head = |name: &&str| {
        let parts: Vec<&str> = name.split('.').collect();
        let last = parts.iter().rposition(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
        last.is_some_and(|last| HEADS.contains(&parts[last]))
    };
    let likely = |(name, stored): (&'t String, &Stored)| {
        let begin = name.strip_suffix(".weight")?;
        // A head of several layers is another.
        let place = begin.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let layers = tensors.iter().filter(|(other, stored)| {
            stored.shape.len() > 1 && other.strip_prefix(place).is_some_and(|rest| rest.starts_with('.'))
        });
        let fits = name != own && stored.shape.len() > 1 && stored.shape[1..] == shape[1..];
        (fits && is_head(&begin) && layers.count() == 1).then_some(begin)
    };
    tensors.iter().filter_map(likely).collect()
}

/// Gives the network's own names to a head that stands there under another, where there is one alone, and a bias of 0 to
/// a head without one; says so.
pub(super) fn take_head(
    architecture: &Architecture,
    tensors: &mut BTreeMap<String, Stored>,
) -> Option<String> {
    let [weight, bias] = last_of_head(architecture)?;
    let trunk = architecture.stages.iter().flat_map(|stage| &stage.layers).flat_map(Layer::parameters);
    if !trunk.into_iter().all(|own| tensors.get(&own.name).is_some_and(|stored| stored.shape == own.shape)) {
        return None;
    }
    let mut taken = None;
    if !tensors.contains_key(&weight.name) && !tensors.contains_key(&bias.name) {
        let found = heads(&weight.shape, &weight.name, tensors);
        let [only] = found[..] else { return None };
        let only = only.to_string();
        for (own, part) in [(&weight.name, "weight"), (&bias.name, "bias")] {
            if let Some(stored) = tensors.remove(&format!("{only}.{part}")) {
                tensors.insert(own.clone(), stored);
            }
        }
        taken = Some(format!("the head is taken from `{}`", shown(&only)));
    }
    let classes = tensors.get(&weight.name)?.shape.first().copied()?;
    if tensors.contains_key(&bias.name) || bias.shape.len() != 1 {
        return taken;
    }
    tensors.insert(bias.name, Stored { shape: vec![classes], values: vec![0.0; classes] });
    let without = "the head has no bias".to_string();
    Some(taken.map_or(without.clone(), |taken| format!("{taken}; {without}")))
}

/// Refuses weights that are all 0, and those of a layer that are all whole numbers.
///
/// # Errors
/// [`Error::Input`].
pub(super) fn refuse_numbers(
    source: &str,
    architecture: &Architecture,
    tensors: &BTreeMap<String, Stored>,
) -> Result<()> {
    let trunk = architecture.stages.iter().flat_map(|stage| &stage.layers).flat_map(Layer::parameters);
    let weights = trunk.filter(|own| own.shape.len() > 1).filter_map(|own| tensors.get(&own.name));
    let weights: Vec<&Stored> = weights.filter(|stored| !stored.values.is_empty()).collect();
    let zero = |stored: &&Stored| stored.values.iter().all(|value| *value == 0.0);
    let whole = |stored: &&Stored| {
        let large = stored.values.len() > 16 && stored.values.iter().any(|value| value.abs() > 1.0);
        large && stored.values.iter().all(|value| value.fract() == 0.0)
    };
    let (problem, hint) = if !weights.is_empty() && weights.iter().all(zero) {
        (
            "has weights that are all 0",
            "save the network's own weights: these stand in for weights kept elsewhere",
        )
    } else if weights.iter().any(whole) {
        (
            "has weights that are all whole numbers, as quantized ones are without their scales",
            "save the network before it is quantized",
        )
    } else {
        return Ok(());
    };
    Err(Error::input(format!("`{source}`"), problem, hint))
}

/// What makes it doubtful that the tensors of a network are all that is meant, a sentence each.
pub(super) fn doubtful(
    architecture: &Architecture,
    with_head: bool,
    tensors: &BTreeMap<String, Stored>,
) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some([weight, _]) = last_of_head(architecture) {
        let classes = |begin: &&str| {
            let count = tensors.get(&format!("{begin}.weight")).map_or(0, |stored| stored.shape[0]);
            format!("`{}` ({count} classes)", shown(begin))
        };
        let found: Vec<String> = heads(&weight.shape, &weight.name, tensors).iter().map(classes).collect();
        if with_head && !found.is_empty() {
            let own = architecture.classes();
            let begin = weight.name.trim_end_matches(".weight");
            doubts.push(format!(
                "the head is `{begin}` ({own} classes), and there is {}, which is not used; if that is the head, give the \
                 file without the other",
                few(&found)
            ));
        } else if found.len() > 1 {
            doubts.push(format!("there is no head `{}`; of {} one may be it", weight.name, few(&found)));
        }
        let zero = |name: &String| {
            tensors
                .get(name)
                .is_some_and(|own| !own.values.is_empty() && own.values.iter().all(|v| *v == 0.0))
        };
        if with_head && zero(&weight.name) {
            doubts.push(format!(
                "the weights of the head `{}` are all 0: it was never trained",
                shown(&weight.name)
            ));
        }
    }
    let named = |end: &str, value: f32| {
        let mut found =
            tensors.iter().filter(|(name, own)| name.ends_with(end) && !own.values.is_empty()).peekable();
        found.peek().is_some() && found.all(|(_, own)| own.values.iter().all(|own| *own == value))
    };
    if named("running_mean", 0.0) && named("running_var", 1.0) {
        doubts.push(
            "no statistics of batch normalization were gathered: the network was not trained as it is used"
                .into(),
        );
    }
    doubts
}

/// Refuses tensors within the modules of a network that the network does not have: they are of another.
///
/// # Errors
/// [`Error::Input`] naming some of them.
pub(super) fn refuse_others(source: &str, architecture: &Architecture, extra: &[String]) -> Result<()> {
    let module = |name: &str| name.split('.').next().unwrap_or_default().to_string();
    let trunk = architecture.stages.iter().flat_map(|stage| &stage.layers).flat_map(Layer::parameters);
    let modules: BTreeSet<String> =
        trunk.filter(|own| own.name.contains('.')).map(|own| module(&own.name)).collect();
    let others = extra.iter().filter(|name| name.contains('.') && modules.contains(&module(name)));
    let others: Vec<String> = others.map(|name| format!("`{}`", shown(name))).collect();
    if others.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "is a network like `{}` ({}), but has tensors within its modules that this one lacks: {}",
        architecture.name,
        architecture.layout,
        few(&others)
    );
    let hint =
        "its answers would be others without them; `juyi networks` lists the networks that are understood";
    Err(Error::input(format!("`{source}`"), problem, hint))
}
