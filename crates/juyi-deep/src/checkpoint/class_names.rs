//! Names of classes: those that stand in a checkpoint, those in a file of their own, and those of `ImageNet`.
//!
//! A list of names is in order of the classes; a dictionary leads from names to numbers, or from numbers to names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use juyi::error::{Error, Result, bytes, shown};
use serde_json::{Map, Value};

use super::pickle::{Node, Pickle};

/// Keys under which training scripts and hubs keep the names of classes.
const KEYS: [&str; 11] = [
    "class_names",
    "classes",
    "CLASSES",
    "class_to_idx",
    "idx_to_class",
    "id2label",
    "label2id",
    "label_names",
    "labels",
    "categories",
    "names",
];

/// Keys of dictionaries in which these may stand, too.
const INSIDE: [&str; 8] = [
    "hyper_parameters",
    "hparams",
    "args",
    "config",
    "meta",
    "metadata",
    "datamodule_hyper_parameters",
    "data",
];

/// Most classes that are read.
const MOST: usize = 100_000;

/// Longest file of names, in bytes.
const LONGEST_FILE: u64 = 64 << 20;

/// The names of the 1,000 classes of `ImageNet`, a line each, in the order of its heads.
const IMAGENET: &str = include_str!("class_names/imagenet.txt");

/// Where these names come from, and their licence.
pub const NOTICE: &str = include_str!("class_names/NOTICE");

const HINT: &str =
    "write a name a line, or a JSON list of names, or a JSON object from names to numbers from 0";

/// The names of `ImageNet`'s classes for a head of this many: 1,000, or 1,001 with one for the background in front.
pub fn imagenet(classes: usize) -> Option<Vec<String>> {
    let names = IMAGENET.lines().map(String::from);
    match classes {
        1000 => Some(names.collect()),
        1001 => Some(std::iter::once("background".into()).chain(names).collect()),
        _ => None,
    }
}

/// The names in a file: one a line, or JSON.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] for a file that is too long or holds no names, or one of them twice.
pub fn read_class_names(path: &Path) -> Result<Vec<String>> {
    let refused =
        |problem: String, hint: &str| Err(Error::input(format!("`{}`", path.display()), problem, hint));
    let unread = |error| Error::io(path, error);
    let facts = std::fs::metadata(path).map_err(unread)?;
    if !facts.is_file() {
        return refused("is not a file".into(), HINT);
    }
    if facts.len() > LONGEST_FILE {
        return refused(
            format!("has {}, and names may have {}", bytes(facts.len()), bytes(LONGEST_FILE)),
            HINT,
        );
    }
    let mut content = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST_FILE).read_to_end(&mut content)).map_err(unread)?;
    let Ok(text) = String::from_utf8(content) else { return refused("is not UTF-8 text".into(), HINT) };
    let text = text.trim_start_matches('\u{feff}');
    let names = match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Array(_) | Value::Object(_))) => {
            let Some(names) = of_value(&value).or_else(|| of_keys(value.as_object()?)) else {
                return refused("is JSON, but has no list of names".into(), HINT);
            };
            names
        }
        _ if text.trim_start().starts_with(['[', '{']) => return refused("is damaged JSON".into(), HINT),
        _ => text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect(),
    };
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(twice) => {
            refused(format!("names the class `{}` twice", shown(twice)), "give each class its own name")
        }
        None if names.is_empty() => refused("is empty".into(), HINT),
        None => Ok(names),
    }
}

/// The names in the metadata of a safetensors file; none where there are none.
pub(super) fn of_metadata(metadata: &BTreeMap<String, String>) -> Vec<String> {
    let parsed = KEYS.iter().find_map(|key| {
        let value: Value = serde_json::from_str(metadata.get(*key)?).ok()?;
        of_value(&value)
    });
    // A configuration as hubs keep it.
    let inside = || {
        INSIDE.iter().find_map(|key| {
            let value: Value = serde_json::from_str(metadata.get(*key)?).ok()?;
            of_keys(value.as_object()?)
        })
    };
    sound(parsed.or_else(inside))
}

/// The names in a pickle beside its tensors; none where there are none.
pub(super) fn of_pickle(pickle: &Pickle<'_>) -> Vec<String> {
    let inside = |key: &&str| {
        let own = field(pickle, pickle.root, key)?;
        names_in(pickle, own)
    };
    sound(names_in(pickle, pickle.root).or_else(|| INSIDE.iter().find_map(inside)))
}

/// Names that are all different; none otherwise.
fn sound(names: Option<Vec<String>>) -> Vec<String> {
    let names = names.unwrap_or_default();
    let different: BTreeSet<&String> = names.iter().filter(|name| !name.is_empty()).collect();
    if different.len() == names.len() { names } else { Vec::new() }
}

/// The names under one of the keys of a dictionary.
fn of_keys(object: &Map<String, Value>) -> Option<Vec<String>> {
    KEYS.iter().find_map(|key| of_value(object.get(*key)?))
}

/// The names that a list or dictionary stands for.
fn of_value(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) if (1..=MOST).contains(&items.len()) => {
            items.iter().map(|item| item.as_str().map(String::from)).collect()
        }
        Value::Object(entries) if (1..=MOST).contains(&entries.len()) => {
            let number = |text: &str| text.parse::<usize>().ok();
            let pair = |(key, value): (&String, &Value)| match value {
                Value::Number(class) => Some((usize::try_from(class.as_u64()?).ok()?, key.clone())),
                Value::String(name) => Some((number(key)?, name.clone())),
                // The number, the synset and the name.
                Value::Array(both) => Some((number(key)?, both.last()?.as_str()?.to_string())),
                _ => None,
            };
            let named: BTreeMap<usize, String> = entries.iter().map(pair).collect::<Option<_>>()?;
            let whole = named.len() == entries.len() && named.keys().copied().eq(0..named.len());
            whole.then(|| named.into_values().collect())
        }
        _ => None,
    }
}

/// The entries of a dictionary, or of an object with what its class would be given.
fn entries<'p>(pickle: &'p Pickle<'_>, id: usize) -> Option<&'p [(usize, usize)]> {
    match pickle.node(id) {
        Node::Dict(entries) => Some(entries),
        Node::Call { state: Some(state), .. } => match pickle.node(*state) {
            Node::Dict(entries) => Some(entries),
            _ => None,
        },
        _ => None,
    }
}

/// What stands under a key.
fn field(pickle: &Pickle<'_>, id: usize, key: &str) -> Option<usize> {
    entries(pickle, id)?.iter().find(|(name, _)| pickle.text(*name) == Some(key)).map(|(_, value)| *value)
}

/// The names under one of the keys of a dictionary in a pickle.
fn names_in(pickle: &Pickle<'_>, id: usize) -> Option<Vec<String>> {
    KEYS.iter().find_map(|key| of_value(&plain(pickle, field(pickle, id, key)?)?))
}

/// A list or dictionary of texts and numbers; others are none.
fn plain(pickle: &Pickle<'_>, id: usize) -> Option<Value> {
    let text = |id: usize| pickle.text(id).map(String::from);
    match pickle.node(id) {
        Node::List(items) | Node::Tuple(items) if items.len() <= MOST => Some(Value::Array(
            items.iter().map(|item| Some(Value::String(text(*item)?))).collect::<Option<_>>()?,
        )),
        Node::Dict(entries) if entries.len() <= MOST => {
            let number = |id: usize| pickle.size(id);
            let pair = |(key, value): &(usize, usize)| {
                let key = text(*key).or_else(|| Some(number(*key)?.to_string()))?;
                let value = text(*value).map(Value::String).or_else(|| Some(Value::from(number(*value)?)))?;
                Some((key, value))
            };
            Some(Value::Object(entries.iter().map(pair).collect::<Option<_>>()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Checkpoint;
    use super::super::written::{array, call, dict, list, number, pickle, text, tuple};
    use super::*;

    #[test]
    fn names_are_found_beside_the_tensors() {
        let of = |more: &[(&str, Vec<u8>)]| {
            let state = dict(&[("a.w", array(&[1], &[1]))]);
            let all = [&[("state_dict", state)], more].concat();
            Checkpoint::from_bytes("f", &pickle(&dict(&all)), 1 << 20).unwrap().classes
        };
        let names = || list(&[text("cup"), text("mug")]);
        let by_name = || dict(&[("mug", number(1)), ("cup", number(0))]);
        let numbers = |first: i64| {
            [b"}".to_vec(), number(first), text("cup"), b"s".to_vec(), number(1), text("mug"), b"s".to_vec()]
                .concat()
        };
        for more in [
            ("classes", names()),
            ("class_names", tuple(&[text("cup"), text("mug")])),
            ("class_to_idx", by_name()),
            ("id2label", numbers(0)),
            ("hyper_parameters", dict(&[("lr", number(1)), ("class_to_idx", by_name())])),
            ("meta", dict(&[("CLASSES", names())])),
            (
                "args",
                [call("argparse", "Namespace", &[]), dict(&[("classes", names())]), b"b".to_vec()].concat(),
            ),
        ] {
            assert_eq!(of(std::slice::from_ref(&more)), ["cup", "mug"], "{}", more.0);
        }
        for more in [
            ("classes", number(2)),
            ("classes", list(&[text("cup"), text("cup")])),
            ("classes", list(&[text("cup"), number(1)])),
            ("class_to_idx", dict(&[("mug", number(2)), ("cup", number(0))])),
            ("id2label", numbers(5)),
            ("epoch", names()),
        ] {
            assert!(of(std::slice::from_ref(&more)).is_empty(), "{}", more.0);
        }
        let metadata = |key: &str, value: &str| of_metadata(&[(key.to_string(), value.to_string())].into());
        assert_eq!(metadata("classes", r#"["cup", "mug"]"#), ["cup", "mug"]);
        assert_eq!(metadata("config", r#"{"id2label": {"0": "cup", "1": "mug"}}"#), ["cup", "mug"]);
        assert!(metadata("classes", "cup, mug").is_empty() && metadata("format", "pt").is_empty());
    }

    #[test]
    fn files_of_names_are_lines_or_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names");
        let of = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            read_class_names(&path)
        };
        for content in [
            &b"cup\nmug\n"[..],
            b"\xef\xbb\xbfcup\r\n\r\n mug ",
            br#"["cup", "mug"]"#,
            br#"{"mug": 1, "cup": 0}"#,
            br#"{"1": "mug", "0": "cup"}"#,
            br#"{"0": ["n1", "cup"], "1": ["n2", "mug"]}"#,
            br#"{"class_to_idx": {"mug": 1, "cup": 0}}"#,
        ] {
            assert_eq!(of(content).unwrap(), ["cup", "mug"], "{}", content.escape_ascii());
        }
        for (content, words) in [
            (&b""[..], "is empty"),
            (b"cup\ncup", "names the class `cup` twice"),
            (b"[1, 2]", "has no list of names"),
            (b"{\"cup\": 1", "is damaged JSON"),
            (b"\xff\xfe", "is not UTF-8"),
        ] {
            let error = of(content).unwrap_err();
            assert!(error.to_string().contains(words) && error.hint().is_some(), "{error}");
        }
        assert!(read_class_names(folder.path()).unwrap_err().to_string().contains("is not a file"));
    }

    #[test]
    fn imagenet_s_names_are_a_thousand() {
        let names = imagenet(1000).unwrap();
        let different: BTreeSet<&String> = names.iter().collect();
        assert_eq!(different.len(), 1000);
        assert_eq!(
            (names[0].as_str(), names[281].as_str(), names[504].as_str()),
            ("tench", "tabby", "coffee mug")
        );
        let more = imagenet(1001).unwrap();
        assert_eq!((more[0].as_str(), more[505].as_str()), ("background", "coffee mug"));
        assert_eq!(imagenet(10), None);
    }
}
