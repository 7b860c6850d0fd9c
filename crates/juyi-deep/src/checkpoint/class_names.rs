//! Names of classes: those that stand in a checkpoint, those in a file of their own, and those of `ImageNet`.
//!
//! A list of names is in order of the classes; a dictionary leads from names to numbers, or from numbers to names.

mod lines;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use juyi::error::{Error, Result, bytes, shown};
use serde_json::{Map, Value};

use self::lines::lines;
use super::pickle::{Node, Pickle};

/// Keys under which training scripts and hubs keep the names of classes; from [`LOOSE`] on they may be other names.
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

/// The first of [`KEYS`] that may stand for something else.
const LOOSE: usize = 8;

/// Keys of dictionaries in which these may stand, too.
const INSIDE: [&str; 10] = [
    "hyper_parameters",
    "hparams",
    "args",
    "config",
    "pretrained_cfg",
    "meta",
    "meta.dataset_meta",
    "metadata",
    "datamodule_hyper_parameters",
    "data",
];

/// Most classes that are read.
const MOST: usize = 100_000;

/// Names of classes in order, and a note on how they were found.
pub type Names = (Vec<String>, Option<String>);

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

/// The names in a file: one a line, or JSON; and a note where numbers say which class each is.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] for a file that is too long or holds no names, or one of them twice.
pub fn read_class_names(path: &Path) -> Result<Names> {
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
            let inside = || value.as_object().map_or(Ok(None), of_keys);
            let names = of_value(&value).or_else(|what| match inside() {
                Ok(Some(names)) => Ok(names),
                Ok(None) => Err(format!("is JSON, but has no list of names: {what}")),
                Err(what) => Err(what),
            });
            match names {
                Ok(names) => (names, None),
                Err(problem) => return refused(problem, HINT),
            }
        }
        _ if text.trim_start().starts_with(['[', '{']) => return refused("is damaged JSON".into(), HINT),
        _ => match lines(text) {
            Ok(names) => names,
            Err(problem) => return refused(problem, HINT),
        },
    };
    let mut seen = BTreeSet::new();
    match names.0.iter().find(|name| !seen.insert(*name)) {
        Some(twice) => {
            refused(format!("names the class `{}` twice", shown(twice)), "give each class its own name")
        }
        None if names.0.is_empty() => refused("is empty".into(), HINT),
        None => Ok(names),
    }
}

/// Names that stand in a checkpoint, which may be those of its classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The keys that lead to them, joined by dots.
    pub key: String,
    /// Whether the key can mean nothing else.
    pub certain: bool,
    /// The names in the order of the head, or why they are none.
    pub names: std::result::Result<Vec<String>, &'static str>,
}

/// Where names stand, those that are certain first, for a way to look up a key at the top and in a dictionary there.
fn found(value: impl Fn(Option<&str>, &str) -> Option<Value>) -> Vec<Found> {
    let places = || std::iter::once(None).chain(INSIDE.map(Some));
    let at = |(number, place): (usize, Option<&str>)| {
        let value = value(place, KEYS[number])?;
        if matches!(value, Value::Number(_) | Value::Bool(_)) {
            return None; // how many there are, say
        }
        let key = place.map_or_else(|| KEYS[number].into(), |place| format!("{place}.{}", KEYS[number]));
        Some(Found { key, certain: number < LOOSE, names: of_value(&value) })
    };
    let kinds = [0..LOOSE, LOOSE..KEYS.len()];
    let all = kinds
        .into_iter()
        .flat_map(|keys| places().flat_map(move |place| keys.clone().map(move |key| (key, place))));
    all.filter_map(at).filter(|own| own.certain || own.names.is_ok()).collect()
}

/// The names in the metadata of a safetensors file.
pub(super) fn of_metadata(metadata: &BTreeMap<String, String>) -> Vec<Found> {
    let parsed = |key: &str| {
        let text = metadata.get(key)?;
        Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())))
    };
    found(|place, key| match place {
        None => parsed(key),
        // A configuration as hubs keep it.
        Some(place) => parsed(place)?.as_object()?.get(key).cloned(),
    })
}

/// The names in a configuration that lies beside a checkpoint; those that a program makes up are none.
pub(super) fn of_configuration(all: &Map<String, Value>) -> Vec<Found> {
    let mut found = found(|place, key| match place {
        None => all.get(key).cloned(),
        Some(place) => all.get(place)?.as_object()?.get(key).cloned(),
    });
    let made_up = |name: &String| name.starts_with("LABEL_");
    found.retain(|own| !own.names.as_ref().is_ok_and(|names| names.iter().all(made_up)));
    found
}

/// The names in a pickle beside its tensors: those in the innermost of the dictionaries around these that has any.
pub(super) fn of_pickle(pickle: &Pickle<'_>, around: &[usize]) -> Vec<Found> {
    let beside = |id: &usize| {
        let found = found(|place, key| {
            let inside = place.map(|place| place.split('.'));
            let at = inside.into_iter().flatten().try_fold(*id, |at, part| field(pickle, at, part))?;
            Some(plain(pickle, field(pickle, at, key)?))
        });
        (!found.is_empty()).then_some(found)
    };
    around.iter().find_map(beside).unwrap_or_default()
}

/// Of the names that stand in a checkpoint, those for a head of this many classes, with the key; none where nothing
/// stands there.
///
/// # Errors
/// Why what stands there cannot be the names of this head.
pub fn fitting(
    found: Vec<Found>,
    classes: usize,
) -> std::result::Result<Option<(String, Vec<String>)>, String> {
    let (mut taken, mut problem): (Option<(Found, Vec<String>)>, _) = (None, None);
    for mut own in found {
        let key = &own.key;
        let what = match std::mem::replace(&mut own.names, Ok(Vec::new())) {
            Ok(names) if names.len() == classes => match &taken {
                Some((first, other)) if own.certain && first.certain && *other != names => {
                    return Err(format!(
                        "names its classes twice, and otherwise under `{key}` than under `{}`",
                        first.key
                    ));
                }
                Some(_) => continue,
                None => {
                    taken = Some((own, names));
                    continue;
                }
            },
            Ok(names) => format!("names {} classes under `{key}`, and its head has {classes}", names.len()),
            Err(what) => format!("names its classes under `{key}`, but {what}"),
        };
        problem = problem.or(own.certain.then_some(what));
    }
    match (taken, problem) {
        (Some((own, names)), _) => Ok(Some((own.key, names))),
        (None, Some(problem)) => Err(problem),
        (None, None) => Ok(None),
    }
}

/// The names under one of the keys of a dictionary, or that two of them name otherwise.
fn of_keys(object: &Map<String, Value>) -> std::result::Result<Option<Vec<String>>, String> {
    let named = |(at, key): (usize, &&'static str)| Some((at, *key, of_value(object.get(*key)?).ok()?));
    let all: Vec<(usize, &str, Vec<String>)> = KEYS.iter().enumerate().filter_map(named).collect();
    let Some((first, key, names)) = all.first() else { return Ok(None) };
    match all.iter().find(|(at, _, other)| *first < LOOSE && *at < LOOSE && other != names) {
        Some((_, other, _)) => Err(format!("names classes otherwise under `{other}` than under `{key}`")),
        None => Ok(Some(names.clone())),
    }
}

/// The names that a list or dictionary stands for, or why it stands for none.
fn of_value(value: &Value) -> std::result::Result<Vec<String>, &'static str> {
    let names: Vec<String> = match value {
        Value::Array(items) if (1..=MOST).contains(&items.len()) => {
            let texts = items.iter().map(|item| item.as_str().map(String::from)).collect::<Option<_>>();
            texts.ok_or("not all in that list are texts")?
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
            let named: Option<BTreeMap<usize, String>> = entries.iter().map(pair).collect();
            let named = named.ok_or("not all there lead from names to numbers, or from numbers to names")?;
            if named.len() < entries.len() {
                return Err("two names have one number");
            }
            if !named.keys().copied().eq(0..named.len()) {
                return Err("its numbers do not run from 0");
            }
            named.into_values().collect()
        }
        _ => return Err("that is no list of names, and no dictionary"),
    };
    let different: BTreeSet<&String> = names.iter().filter(|name| !name.is_empty()).collect();
    if different.len() == names.len() { Ok(names) } else { Err("a name stands there twice, or is empty") }
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

/// A list or dictionary of texts and numbers, and what is neither as nothing.
fn plain(pickle: &Pickle<'_>, id: usize) -> Value {
    let text = |id: usize| pickle.text(id).map(String::from);
    let own = |id: usize| match (text(id), pickle.size(id)) {
        (Some(text), _) => Value::String(text),
        (None, Some(number)) => Value::from(number),
        (None, None) if matches!(pickle.node(id), Node::None | Node::Bool(_) | Node::Number(_)) => {
            Value::from(false)
        }
        (None, None) => Value::Null,
    };
    match pickle.node(id) {
        Node::List(items) | Node::Tuple(items) if items.len() <= MOST => {
            Value::Array(items.iter().map(|item| own(*item)).collect())
        }
        Node::Dict(entries) if entries.len() <= MOST => {
            let key = |key: usize| text(key).or_else(|| Some(pickle.size(key)?.to_string()));
            let pairs = entries.iter().filter_map(|(name, value)| Some((key(*name)?, own(*value))));
            Value::Object(pairs.collect())
        }
        _ => own(id),
    }
}

#[cfg(test)]
mod tests;
