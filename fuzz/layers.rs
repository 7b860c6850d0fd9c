//! Altered layer lists, for the fuzz target `layers` and for `crates/juyi-deep/tests/layers.rs`: a few bytes say how the
//! description of a small network is altered; the file that it makes, with tensors of the shapes that it says, is read and
//! run on one picture. Nothing may panic, hang or take more memory than it is allowed; either outcome is fine otherwise.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use juyi::context::Context;
use juyi_deep::architecture::Architecture;
use juyi_deep::checkpoint::{Checkpoint, Stored, safetensors};
use juyi_deep::features::{Extractor, Kept};
use juyi_deep::images::Reading;
use juyi_deep::tuning::classifier::{Classifier, network_in};
use serde_json::{Value, json};

/// Bytes that a file and a pass through its network may take.
pub(crate) const LIMIT: u64 = 64 << 20;
/// Most numbers of all tensors that are made for a description.
const MOST_NUMBERS: usize = 50_000;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is not what a file must be.
    Refused,
    /// It was taken, and what it made of the picture was refused: too large, or not finite.
    Stopped,
    /// It was run.
    Ran,
}

/// A network file, before it is written.
pub(crate) struct Altered {
    pub(crate) about: Value,
    pub(crate) tensors: BTreeMap<String, Stored>,
}

/// Makes a file of the bytes, reads it, and runs it on one picture.
pub(crate) fn layers(recipe: &[u8], picture: &Path) -> Outcome {
    let Altered { about, tensors } = altered(recipe);
    let metadata = BTreeMap::from([("juyi-network".to_string(), about.to_string())]);
    let Ok(bytes) = safetensors(Path::new("f"), &tensors, &metadata) else { return Outcome::Refused };
    let Ok(checkpoint) = Checkpoint::from_bytes("f", &bytes, LIMIT) else { return Outcome::Refused };
    let (context, reading) = (Context::new(0, LIMIT), Reading::default());
    // As a source of features too.
    if let Ok(found) = network_in("f", checkpoint.clone())
        && let Ok(own) = Extractor::new(found.architecture, found.tensors, Kept::Features)
    {
        let _ = own.features(&[picture], &reading, None, &context);
    }
    match Classifier::in_checkpoint("f", checkpoint) {
        Ok(Some(own)) => match own.classify(&[picture], &reading, None, &context) {
            Ok(found) => {
                let scores = found.answers.scores.expect("scores of classes");
                assert!(scores.col_iter().all(|column| column.iter().all(|share| share.is_finite())));
                Outcome::Ran
            }
            Err(_) => Outcome::Stopped,
        },
        _ => Outcome::Refused,
    }
}

/// The file that the bytes stand for.
pub(crate) fn altered(recipe: &[u8]) -> Altered {
    let (base, steps) = recipe.split_first().map_or((0, recipe), |(base, steps)| (*base, steps));
    let mut about = bases()[usize::from(base) % bases().len()].clone();
    for step in steps.chunks_exact(4).take(8) {
        alter(&mut about, [step[0], step[1], step[2], step[3]]);
    }
    let tensors = tensors(&about).unwrap_or_default();
    Altered { about, tensors }
}

/// One alteration: what is done, two bytes for where, and with what.
fn alter(about: &mut Value, [what, high, low, with]: [u8; 4]) {
    let place = usize::from(u16::from_be_bytes([high, low]));
    let nth = |about: &Value, place: usize, wanted: fn(&Value) -> bool| {
        let mut all = Vec::new();
        places(about, &mut String::new(), wanted, &mut all);
        let count = all.len();
        (count > 0).then(|| all.swap_remove(place % count))
    };
    let other = place / 7 + usize::from(with);
    let (wanted, second): (fn(&Value) -> bool, usize) = match what % 12 {
        0..=4 => (Value::is_number, other),
        5 => (Value::is_string, other),
        _ => (is_list, place),
    };
    let (Some(at), Some(from)) = (nth(about, place, wanted), nth(about, second, wanted)) else { return };
    let copied = about.pointer(&from).cloned().unwrap_or_default();
    let Some(own) = about.pointer_mut(&at) else { return };
    if what % 12 < 6 {
        *own = match (what % 12, own.as_u64()) {
            (0 | 1, _) => value(with),
            (2, Some(number)) => number.wrapping_add(1).into(),
            (3, Some(number)) => number.wrapping_sub(1).into(),
            _ => copied,
        };
        return;
    }
    let Some(list) = own.as_array_mut().filter(|list| !list.is_empty()) else { return };
    let (place, count) = (usize::from(with) % list.len(), list.len());
    match what % 12 {
        6 => drop(list.remove(place)),
        7 => list.swap(place, count - 1 - place),
        8 => list.insert(place, list[place].clone()),
        9 => list.insert(place, leaf(high)),
        10 => list[place] = leaf(high),
        _ => {
            for _ in 0..=usize::from(low % 10) {
                list[place] = around(&list[place], high);
            }
        }
    }
}

/// Pointers to all values that are wanted.
fn places(value: &Value, path: &mut String, wanted: fn(&Value) -> bool, all: &mut Vec<String>) {
    if wanted(value) {
        all.push(path.clone());
    }
    let parts: Vec<(String, &Value)> = match value {
        Value::Array(list) => list.iter().enumerate().map(|(k, own)| (k.to_string(), own)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, own)| (name.clone(), own)).collect(),
        _ => return,
    };
    for (name, own) in parts {
        let length = path.len();
        path.push('/');
        path.push_str(&name);
        places(own, path, wanted, all);
        path.truncate(length);
    }
}

/// Lists of layers, of stages, of branches.
fn is_list(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(|own| !own.is_number()))
}

/// Numbers at and beyond the limits of what a layer may say.
fn value(which: u8) -> Value {
    const WHOLE: [u64; 24] = [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        16,
        64,
        255,
        1024,
        4096,
        65_536,
        1 << 24,
        (1 << 24) + 1,
        1 << 31,
        (1 << 32) + 3,
        1 << 62,
        (1 << 63) - 1,
        u64::MAX / 3 + 1,
        u64::MAX,
    ];
    let other = [json!(-1), json!(0.5), json!(1e-300), json!(1e300), json!(0.999), Value::Null];
    let which = usize::from(which) % (WHOLE.len() + other.len());
    WHOLE.get(which).map_or_else(|| other[which - WHOLE.len()].clone(), |whole| (*whole).into())
}

/// A layer without others inside it.
fn leaf(which: u8) -> Value {
    let all = [
        json!("Relu"),
        json!("Relu6"),
        json!("Gelu"),
        json!("Flatten"),
        json!("ClassToken"),
        json!("MeanAndLargestChannel"),
        json!({"Dropout": {"share": 0.5}}),
        json!({"AverageTo": {"side": 1}}),
        json!({"AverageTo": {"side": 2}}),
        json!({"MaxPool": {"kernel": 2, "stride": 1, "padding": 1, "ceil": true}}),
        json!({"BatchNorm": {"name": "more", "channels": 4, "epsilon": 1e-5}}),
        json!({"Linear": {"name": "more", "inputs": 4, "outputs": 2}}),
        json!({"AcrossChannels": {"name": "more", "kernel": 3}}),
        convolution("more", (4, 4), (3, 1), &json!("Same"), 1),
    ];
    all[usize::from(which) % all.len()].clone()
}

/// A layer inside another.
fn around(layer: &Value, which: u8) -> Value {
    match which % 5 {
        0 => json!({"Residual": {"main": [layer], "shortcut": []}}),
        1 => json!({"Gate": [layer]}),
        2 => json!({"OfMeanAndLargest": [layer]}),
        3 => json!({"Branches": [[layer]]}),
        _ => json!({"Branches": [[layer], []]}),
    }
}

fn convolution(name: &str, channels: (u64, u64), kernel: (u64, u64), padding: &Value, groups: u64) -> Value {
    json!({"Convolution": {
        "name": name, "inputs": channels.0, "outputs": channels.1, "kernel": kernel.0, "stride": kernel.1,
        "padding": padding, "groups": groups, "bias": false,
    }})
}

fn biased(mut convolution: Value) -> Value {
    convolution["Convolution"]["bias"] = true.into();
    convolution
}

fn norm(name: &str, channels: u64) -> Value {
    json!({"BatchNorm": {"name": name, "channels": channels, "epsilon": 1e-5}})
}

fn linear(name: &str, inputs: u64, outputs: u64) -> Value {
    json!({"Linear": {"name": name, "inputs": inputs, "outputs": outputs}})
}

/// Descriptions of small networks with every kind of layer.
fn bases() -> &'static [Value] {
    static BASES: OnceLock<Vec<Value>> = OnceLock::new();
    BASES.get_or_init(|| {
        let each = |zeros: u64| json!({"Each": zeros});
        let pool = |kernel: u64, stride: u64, padding: u64, ceil: bool| {
            json!({"MaxPool": {"kernel": kernel, "stride": stride, "padding": padding, "ceil": ceil}})
        };
        let head = |inputs: u64| {
            json!([{"AverageTo": {"side": 1}}, "Flatten", {"Dropout": {"share": 0.2}}, linear("fc", inputs, 2)])
        };
        let residual = [
            stage("a", &json!([convolution("a", (3, 4), (3, 2), &each(1), 1), norm("an", 4), "Relu", pool(3, 2, 1, false)])),
            stage("b", &json!([{"Residual": {
                "main": [convolution("b", (4, 6), (3, 1), &each(1), 1), norm("bn", 6), "Relu",
                    {"Gate": [{"AverageTo": {"side": 1}}, biased(convolution("g", (6, 6), (1, 1), &each(0), 1))]}],
                "shortcut": [convolution("c", (4, 6), (1, 1), &each(0), 1), norm("cn", 6)],
            }}, "Relu"])),
        ];
        let mobile = [
            stage("a", &json!([convolution("a", (3, 4), (3, 2), &json!("Same"), 1), norm("an", 4), "Relu6"])),
            stage("b", &json!([
                convolution("b", (4, 4), (3, 1), &json!("Same"), 4), norm("bn", 4), "Relu6",
                convolution("d", (4, 8), (3, 2), &each(1), 2), norm("dn", 8),
                {"Gate": [{"OfMeanAndLargest": [biased(convolution("s", (8, 8), (1, 1), &each(0), 1)), "Relu"]}]},
                {"Gate": ["MeanAndLargestChannel", convolution("p", (2, 1), (7, 1), &each(3), 1)]},
                {"Gate": [{"AverageTo": {"side": 1}}, {"AcrossChannels": {"name": "x", "kernel": 3}}]},
            ])),
        ];
        let attention = json!({"Attention": {
            "queries": ["qw", "qb"], "output": "o", "width": 6, "heads": 2, "prefix": ["prefix", 2],
        }});
        let tokens = json!({"Tokens": {"class_token": "class", "positions": "positions", "count": 4, "width": 6}});
        let layer_norm = |name: &str| json!({"LayerNorm": {"name": name, "width": 6, "epsilon": 1e-6}});
        let transformer = [
            stage("a", &json!([biased(convolution("a", (3, 6), (4, 4), &each(0), 1)), tokens])),
            stage("b", &json!([
                {"Residual": {"main": [layer_norm("n1"), attention], "shortcut": []}},
                {"Residual": {"main": [layer_norm("n2"), linear("l1", 6, 8), "Gelu", linear("l2", 8, 6)], "shortcut": []}},
            ])),
            stage("c", &json!([layer_norm("n3"), "ClassToken"])),
        ];
        let branches = [
            stage("a", &json!([biased(convolution("a", (3, 4), (3, 1), &each(0), 1)), "Relu", pool(3, 2, 0, true)])),
            stage("b", &json!([{"Branches": [
                [biased(convolution("b1", (4, 3), (1, 1), &each(0), 1)), "Relu"],
                [biased(convolution("b3", (4, 2), (3, 1), &each(1), 1)), "Relu"],
                [pool(3, 1, 1, true), biased(convolution("bp", (4, 1), (1, 1), &each(0), 1))],
            ]}])),
        ];
        let scores = json!([
            {"Dropout": {"share": 0.5}}, biased(convolution("last", (6, 2), (1, 1), &each(0), 1)), "Relu",
            {"AverageTo": {"side": 1}}, "Flatten",
        ]);
        let second = json!([{"after": 0, "share": 0.3, "layers": [{"AverageTo": {"side": 2}}, "Flatten", linear("aux", 16, 2)]}]);
        let none = json!([]);
        vec![
            network(&residual, &head(6), &none, &Value::Null),
            network(&mobile, &head(8), &none, &Value::Null),
            network(&transformer, &json!([linear("fc", 6, 2)]), &none, &Value::Null),
            network(&branches, &scores, &second, &Value::Null),
            network(&residual, &none, &none, &json!(2)),
        ]
    })
}

fn stage(name: &str, layers: &Value) -> Value {
    json!({"name": name, "layers": layers})
}

fn network(stages: &[Value], head: &Value, auxiliary: &Value, stages_side: &Value) -> Value {
    let recipe = json!({
        "resize": {"both_sides": 8}, "crop": 8, "filter": "bilinear", "mean": [0.5, 0.5, 0.5],
        "deviation": [0.25, 0.25, 0.25], "scale": 0.004, "blue_first": false,
    });
    let architecture = json!({
        "name": "small", "layout": "none", "recipe": recipe, "stages": stages, "head": head, "auxiliary": auxiliary,
    });
    json!({"format": 1, "architecture": architecture, "classes": ["a", "b"], "stages_side": stages_side})
}

/// Tensors of the shapes that a description asks for, if they are few enough.
fn tensors(about: &Value) -> Option<BTreeMap<String, Stored>> {
    let own: Architecture = serde_json::from_value(about["architecture"].clone()).ok()?;
    let mut wanted: Vec<(String, Vec<usize>)> =
        own.parameters().into_iter().map(|own| (own.name, own.shape)).collect();
    if let Some(side) = about["stages_side"].as_u64() {
        let width = Kept::Levels { side: side as usize }.width(&own).ok()?;
        let classes = about["classes"].as_array().map_or(0, Vec::len);
        wanted.push(("stages_head.weight".into(), vec![classes, width]));
        wanted.push(("stages_head.bias".into(), vec![classes]));
    }
    let mut left = MOST_NUMBERS;
    let mut all = BTreeMap::new();
    for (name, shape) in wanted {
        let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))?;
        left = left.checked_sub(count)?;
        let value = |k: usize| if name.ends_with("running_var") { 1.0 } else { (k % 7) as f32 / 4.0 - 0.6 };
        all.insert(name.clone(), Stored { shape, values: (0..count).map(value).collect() });
    }
    Some(all)
}
