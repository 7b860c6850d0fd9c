//! Which network of the zoo a checkpoint holds, by the names and shapes of its tensors.

use std::collections::BTreeMap;

use juyi::error::{Error, Result};

use super::doubtful::{doubtful, refuse_numbers, refuse_others, refuse_unmerged, take_head};
use super::preparation::of_tensors;
use super::{IMAGENET, Known, ZOO, squeezenet};
use crate::architecture::Architecture;
use crate::checkpoint::Stored;
use crate::checkpoint::class_names::Found;
use crate::checkpoint::preparation::Preparation;

/// Ends of the names of tensors that count something and change no answer: passes of a training, and what profilers put in.
const COUNTERS: [&str; 3] = [".num_batches_tracked", ".total_ops", ".total_params"];

/// Words in the names of single numbers that count or steer a training.
const OF_TRAINING: [&str; 11] = [
    "averaged",
    "num",
    "count",
    "counter",
    "step",
    "steps",
    "epoch",
    "iter",
    "iteration",
    "updates",
    "decay",
];

/// Whether the name of a single number is that of a count or a step of a training, which is no part of a network.
pub fn counts(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.split('_').any(|word| OF_TRAINING.contains(&word))
}

/// A checkpoint beside a network of the zoo.
#[derive(Debug)]
pub struct Recognized {
    /// The network, with as many classes as the checkpoint's head has.
    pub architecture: Architecture,
    /// The tensors under the names of `architecture`.
    pub tensors: BTreeMap<String, Stored>,
    /// Tensors of the checkpoint that the network does not take.
    pub extra: Vec<String>,
    /// Whether the checkpoint has the tensors of the head.
    pub with_head: bool,
    /// What may be the names of the classes, those that are certain first.
    pub classes: Vec<Found>,
    /// What is said of the preparation of pictures, which is not what the network's recipe holds.
    pub preparations: Vec<Preparation>,
    /// What makes it doubtful that these are the weights which somebody means, a sentence each.
    pub doubts: Vec<String>,
}

/// The network whose trunk takes all its tensors from these, by name and shape. A head may be missing or tell other
/// classes apart. `source` is what messages call the checkpoint.
///
/// # Errors
/// [`Error::Input`] naming the network that comes closest and what is missing or misshapen for it; for parts that are not
/// merged into the weights, and weights that no training leaves.
pub fn recognize(source: &str, tensors: BTreeMap<String, Stored>) -> Result<Recognized> {
    let mut tensors = squeezenet::from_arrays(tensors);
    refuse_unmerged(source, &tensors)?;
    let mut doubts = Vec::new();
    let networks: Vec<Architecture> = ZOO.iter().map(Known::architecture).collect();
    for network in &networks {
        doubts.extend(take_head(network, &mut tensors));
    }
    let shapes: BTreeMap<&str, &[usize]> =
        tensors.iter().map(|(name, stored)| (name.as_str(), &stored.shape[..])).collect();
    let mut closest: Option<(f64, Vec<String>, Architecture)> = None;
    let mut best: Option<(Architecture, Vec<String>, bool)> = None;
    for plain in networks {
        let head = plain.head.iter().flat_map(crate::layers::Layer::parameters);
        let head: Vec<String> = head.map(|own| own.name).collect();
        let classes = head.iter().rev().find_map(|name| shapes.get(name.as_str())?.first().copied());
        let architecture = plain.with_classes(classes.unwrap_or(IMAGENET));
        let taken: BTreeMap<String, Vec<usize>> =
            architecture.parameters().into_iter().map(|own| (own.name, own.shape)).collect();
        let lacks = |(name, shape): (&String, &Vec<usize>)| match shapes.get(name.as_str()) {
            None if head.contains(name) => None,
            None => Some(format!("`{name}` is missing")),
            Some(own) if *own != &shape[..] => Some(format!("`{name}` has the shape {own:?}, not {shape:?}")),
            Some(_) => None,
        };
        let problems: Vec<String> = taken.iter().filter_map(lacks).collect();
        if problems.is_empty() {
            let is_counter = |name: &str| COUNTERS.iter().any(|end| name.ends_with(end));
            let ignored = |name: &&&str| !taken.contains_key(**name) && !is_counter(name);
            let extra: Vec<String> = shapes.keys().filter(ignored).map(ToString::to_string).collect();
            let with_head = head.iter().all(|name| shapes.contains_key(name.as_str()));
            if best.as_ref().is_none_or(|(_, most, _)| extra.len() < most.len()) {
                best = Some((architecture, extra, with_head));
            }
        } else {
            let share = problems.len() as f64 / taken.len() as f64;
            if closest.as_ref().is_none_or(|(least, ..)| share < *least) {
                closest = Some((share, problems, architecture));
            }
        }
    }
    drop(shapes);
    let (architecture, extra, with_head) = best.ok_or_else(|| {
        let hint = "`juyi networks` lists the networks and whose checkpoints are understood";
        let Some((_, problems, architecture)) = closest else {
            return Error::input(format!("`{source}`"), "has no tensors", hint);
        };
        let Architecture { name, layout, .. } = architecture;
        let few = problems[..problems.len().min(3)].join("; ");
        let count = problems.len();
        let more = if count > 3 { format!("; and {} more", count - 3) } else { String::new() };
        let problem =
            format!("is no network of the zoo; the closest is `{name}` ({layout}), for which {few}{more}");
        Error::input(format!("`{source}`"), problem, hint)
    })?;
    refuse_others(source, &architecture, &extra)?;
    refuse_numbers(source, &architecture, &tensors)?;
    doubts.extend(doubtful(&architecture, with_head, &tensors));
    let preparations = of_tensors(&tensors, &extra).into_iter().collect();
    Ok(Recognized { architecture, tensors, extra, with_head, classes: Vec::new(), preparations, doubts })
}

#[cfg(test)]
mod tests {
    use super::super::network;
    use super::*;

    #[test]
    fn checkpoints_are_recognised_by_names_and_shapes() {
        // Names and shapes decide, so there are no values.
        let empty = |shape: &[usize]| Stored { shape: shape.to_vec(), values: Vec::new() };
        let shapes = |architecture: &Architecture| -> BTreeMap<String, Stored> {
            architecture.parameters().into_iter().map(|own| (own.name, empty(&own.shape))).collect()
        };
        for known in ZOO {
            let own = known.architecture().with_classes(7);
            let found = recognize("a file", shapes(&own)).unwrap();
            assert!(found.architecture == own && found.extra.is_empty() && found.with_head, "{}", own.name);
        }
        let mut trunk = shapes(&network("resnet18").unwrap());
        trunk.remove("fc.weight");
        trunk.remove("fc.bias");
        trunk.insert("more".into(), empty(&[3]));
        let found = recognize("a file", trunk.clone()).unwrap();
        assert_eq!((found.architecture.name.as_str(), found.with_head), ("resnet18", false));
        assert_eq!(found.extra, ["more"]);
        trunk.remove("layer1.0.conv1.weight");
        trunk.insert("bn1.bias".into(), empty(&[65]));
        let said = recognize("a file", trunk).unwrap_err().to_string();
        let expected = "`a file`: is no network of the zoo; the closest is `resnet18` (torchvision, timm), for which \
                        `bn1.bias` has the shape [65], not [64]; `layer1.0.conv1.weight` is missing";
        assert_eq!(said, expected);
    }

    #[test]
    fn heads_are_found_under_other_names_and_what_else_lies_there_is_named() {
        let whole = || -> BTreeMap<String, Stored> {
            let all = network("resnet18").unwrap().with_classes(3).parameters().into_iter();
            all.map(|own| (own.name.clone(), Stored { values: vec![0.5; own.count()], shape: own.shape }))
                .collect()
        };
        let of = |change: &dyn Fn(&mut BTreeMap<String, Stored>)| {
            let mut tensors = whole();
            change(&mut tensors);
            recognize("f", tensors).map(|found| (found.with_head, found.architecture.classes(), found.doubts))
        };
        let stored = |shape: &[usize], value: f32| Stored {
            shape: shape.to_vec(),
            values: vec![value; shape.iter().product()],
        };
        let renamed = |tensors: &mut BTreeMap<String, Stored>, to: &str| {
            for part in ["weight", "bias"] {
                let own = tensors.remove(&format!("fc.{part}")).unwrap();
                tensors.insert(format!("{to}.{part}"), own);
            }
        };
        assert_eq!(of(&|_| ()).unwrap(), (true, 3, vec![]));
        for to in ["head.fc", "classifier.1", "fc.1", "head"] {
            let taken = vec![format!("the head is taken from `{to}`")];
            assert_eq!(of(&|all| renamed(all, to)).unwrap(), (true, 3, taken), "{to}");
        }
        // A projection is no head, and neither is the first of several layers.
        assert!(!of(&|all| renamed(all, "head.mlp.0")).unwrap().0);
        let layers = |all: &mut BTreeMap<String, Stored>| {
            renamed(all, "fc.0");
            all.insert("fc.2.weight".into(), stored(&[2, 3], 0.5));
        };
        assert!(!of(&layers).unwrap().0);
        let bare = of(&|all| drop(all.remove("fc.bias"))).unwrap();
        assert_eq!(bare, (true, 3, vec!["the head has no bias".into()]));
        let (_, classes, doubts) =
            of(&|all| drop(all.insert("head.weight".into(), stored(&[5, 512], 0.5)))).unwrap();
        assert_eq!(classes, 3);
        assert!(
            doubts[0].starts_with("the head is `fc` (3 classes), and there is `head` (5 classes), which"),
            "{doubts:?}"
        );
        let (.., doubts) = of(&|all| all.get_mut("fc.weight").unwrap().values.fill(0.0)).unwrap();
        assert_eq!(doubts, ["the weights of the head `fc.weight` are all 0: it was never trained"]);
        let untrained = |all: &mut BTreeMap<String, Stored>| {
            for (name, own) in all {
                match name.rsplit('.').next() {
                    Some("running_mean") => own.values.fill(0.0),
                    Some("running_var") => own.values.fill(1.0),
                    _ => {}
                }
            }
        };
        assert!(
            of(&untrained).unwrap().2[0].starts_with("no statistics of batch normalization were gathered")
        );
        let pictures = |all: &mut BTreeMap<String, Stored>| {
            all.insert("normalize.mean".into(), stored(&[3], 0.5));
            all.insert("normalize.std".into(), stored(&[3], 0.25));
        };
        let mut normalized = whole();
        pictures(&mut normalized);
        let stated = recognize("f", normalized).unwrap().preparations;
        assert_eq!(stated[0].normalization, Some([[0.5; 3], [0.25; 3]]));
        assert_eq!(stated[0].place, "normalize.mean");

        let said = |change: &dyn Fn(&mut BTreeMap<String, Stored>)| of(change).unwrap_err().to_string();
        let part = |name: &'static str| {
            move |all: &mut BTreeMap<String, Stored>| drop(all.insert(name.into(), stored(&[1], 1.0)))
        };
        assert!(
            said(&part("layer1.0.conv1.lora_A.default.weight"))
                .contains("adapters of low rank that are not merged")
        );
        assert!(said(&part("conv1.weight_g")).contains("weights in two parts"));
        for other in ["conv1.bias", "layer1.0.se.fc1.weight", "layer4.2.conv1.weight"] {
            let problem = said(&part(other));
            assert!(
                problem.ends_with(&format!("within its modules that this one lacks: `{other}`")),
                "{problem}"
            );
        }
        let numbers = |value: f32| {
            move |all: &mut BTreeMap<String, Stored>| all.values_mut().for_each(|own| own.values.fill(value))
        };
        assert_eq!(said(&numbers(0.0)), "`f`: has weights that are all 0");
        assert!(said(&numbers(7.0)).contains("all whole numbers"));
        for counter in ["bn1.num_batches_tracked", "conv1.total_ops", "layer1.0.total_params"] {
            assert_eq!(of(&part(counter)).unwrap(), (true, 3, vec![]), "{counter}");
        }
        let without = |all: &mut BTreeMap<String, Stored>| all.retain(|name, _| !name.contains("running_"));
        assert!(said(&without).contains("the closest is `resnet18`"));
    }
}
