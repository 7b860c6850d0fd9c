//! How files say that pictures are prepared for their network: mean and deviation, sizes, the order of the channels.
//!
//! It stands in dictionaries around the tensors, at any depth: in the arguments of a training script, in the
//! configuration of a hub, in an object that prepares pictures. What an optimizer keeps is passed over. Dictionaries are
//! looked at once and lists if they are short, so that work is linear in the pickle and memory is bounded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::begins::is_kept;
use super::pickle::{Node, Pickle};

/// Most values that are looked at.
const MOST: usize = 20_000;

/// Longest list that is looked through.
const LONGEST: usize = 64;

/// Most dictionaries and lists within each other.
const DEEPEST: usize = 8;

/// Words that stand in place of `mean` in the key of the deviation.
const DEVIATIONS: [&str; 4] = ["std", "stds", "stdev", "deviation"];

/// Keys for the order of the channels.
const ORDERS: [&str; 4] = ["input_space", "channel_order", "color_space", "color_mode"];

/// Means of blue, green and red with which Caffe's networks were trained.
const CAFFE: [f64; 3] = [103.5, 116.3, 123.7];

/// What a file says of the preparation of pictures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preparation {
    /// Where it stands: keys that are joined by dots.
    pub place: String,
    /// Mean and deviation of red, green and blue, from 0 to 1.
    pub normalization: Option<[[f64; 3]; 2]>,
    /// The size before the crop.
    pub resize: Option<usize>,
    /// Side of the square that is kept.
    pub crop: Option<usize>,
    /// The share of the resized side that the crop keeps.
    pub share: Option<f64>,
    /// The filter of the resize.
    pub filter: Option<String>,
    /// Whether blue is the first channel and red the last; mean and deviation are in the order of the file then.
    pub blue_first: bool,
}

/// Mean and deviation on a scale from 0 to 1, `None` for numbers that are neither of it nor of bytes.
pub fn of_channels(mean: [f64; 3], deviation: [f64; 3]) -> Option<[[f64; 3]; 2]> {
    let largest = mean.into_iter().chain(deviation).fold(0.0, f64::max);
    let sound = largest <= 255.0 && mean.iter().all(|m| *m >= 0.0) && deviation.iter().all(|d| *d > 0.0);
    let of_bytes = largest > 1.0 && !(mean.iter().all(|m| *m <= 1.0) && deviation == [1.0; 3]);
    let scale = if of_bytes { 255.0 } else { 1.0 };
    sound.then(|| [mean, deviation].map(|three| three.map(|value| value / scale)))
}

/// Whether a key can stand for a mean.
fn is_mean(key: &str) -> bool {
    key.split(|sign: char| !sign.is_alphanumeric()).any(|word| word == "mean" || word == "means")
}

/// Whether a tensor under this key may be a mean or a deviation of pictures.
pub(super) fn is_asked(key: &str) -> bool {
    let key = key.to_lowercase();
    is_mean(&key) || DEVIATIONS.iter().any(|word| key.ends_with(word))
}

/// Three numbers, whatever is around them.
fn three(value: &Value) -> Option<[f64; 3]> {
    fn flat(value: &Value, all: &mut Vec<f64>) -> Option<()> {
        match value {
            Value::Number(number) => all.push(number.as_f64()?),
            Value::Array(items) if items.len() <= 3 => items.iter().try_for_each(|item| flat(item, all))?,
            Value::String(text) => {
                let signs = |sign: char| sign.is_whitespace() || "[](),".contains(sign);
                for part in text.split(signs).filter(|part| !part.is_empty()) {
                    all.push(part.parse().ok().filter(|number: &f64| number.is_finite())?);
                }
            }
            _ => return None,
        }
        (all.len() <= 3).then_some(())
    }
    let mut all = Vec::new();
    flat(value, &mut all)?;
    all.try_into().ok()
}

/// What one dictionary says.
fn of_dictionary(all: &Map<String, Value>, place: &str) -> Option<Preparation> {
    let lower: BTreeMap<String, (&str, &Value)> =
        all.iter().map(|(key, value)| (key.to_lowercase(), (key.as_str(), value))).collect();
    let under = |key: &str| lower.get(key).map(|(_, value)| *value);
    let size = |value: &Value| {
        let number = |value: &Value| usize::try_from(value.as_f64()?.round() as u64).ok();
        let found = match value {
            Value::Object(sides) => {
                ["shortest_edge", "height"].iter().find_map(|key| number(sides.get(*key)?))
            }
            // Channels, height and width, or the last two.
            Value::Array(sides) => {
                sides.last().filter(|last| sides.iter().rev().nth(1) == Some(last)).and_then(number)
            }
            other => number(other),
        };
        found.filter(|size| (1..=4096).contains(size))
    };
    let raw = lower.iter().filter(|(key, _)| is_mean(key)).find_map(|(key, (name, value))| {
        let (mean, word) = (three(value)?, if key.contains("means") { "means" } else { "mean" });
        let deviation = DEVIATIONS.iter().find_map(|other| three(under(&key.replacen(word, other, 1))?))?;
        Some((*name, mean, deviation))
    });
    let normalization = raw.and_then(|(_, mean, deviation)| of_channels(mean, deviation));
    let is_caffe = |mean: &[f64; 3]| mean.iter().zip(CAFFE).all(|(mean, own)| (mean - own).abs() < 1.5);
    let says_blue = ORDERS
        .iter()
        .any(|key| under(key).and_then(Value::as_str).is_some_and(|order| order.eq_ignore_ascii_case("bgr")));
    let turned_off = |key: &&str| under(key).and_then(Value::as_bool) == Some(false);
    let blue_first = says_blue
        || normalization.is_some() && ["bgr_to_rgb", "to_rgb"].iter().any(turned_off)
        || raw.is_some_and(|(_, mean, _)| is_caffe(&mean));
    let share = under("crop_pct").and_then(Value::as_f64).filter(|share| (0.1..=1.0).contains(share));
    if normalization.is_none() && share.is_none() && !says_blue {
        return None;
    }
    let crop = ["input_size", "crop_size"].iter().find_map(|key| size(under(key)?));
    let crop = crop.or_else(|| size(under("img_size").filter(|_| share.is_some())?));
    // Hugging Face's sizes, where a crop follows them.
    let resize = under("size").filter(|_| under("crop_size").is_some()).and_then(size);
    let filter = under("interpolation").and_then(Value::as_str).map(str::to_lowercase);
    let filter = filter.or_else(|| match under("resample")?.as_u64()? {
        2 => Some("bilinear".into()),
        3 => Some("bicubic".into()),
        _ => None,
    });
    let key = raw.map(|(name, ..)| name).filter(|_| place.is_empty());
    let place = key.map_or_else(|| place.to_string(), String::from);
    let filter = filter.filter(|filter| ["bilinear", "bicubic"].contains(&filter.as_str()));
    Some(Preparation { place, normalization, resize, crop, share, filter, blue_first })
}

/// All that a value and what is in it say; `place` leads to it.
pub(super) fn of_value(value: &Value, place: &str, found: &mut Vec<Preparation>) {
    let below = |key: &str| if place.is_empty() { key.to_string() } else { format!("{place}.{key}") };
    match value {
        Value::Object(all) => {
            found.extend(of_dictionary(all, place));
            all.iter().for_each(|(key, value)| of_value(value, &below(key), found));
        }
        Value::Array(items) if items.len() <= LONGEST => {
            items.iter().enumerate().for_each(|(at, item)| of_value(item, &below(&at.to_string()), found));
        }
        _ => {}
    }
}

/// What the metadata of a safetensors file say.
pub(super) fn of_metadata(metadata: &BTreeMap<String, String>) -> Vec<Preparation> {
    let parsed = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
    let all = metadata.iter().map(|(key, text)| (key.clone(), parsed(text))).collect();
    let mut found = Vec::new();
    of_value(&Value::Object(all), "", &mut found);
    found
}

/// What a pickle says in the dictionaries around its tensors, the innermost first; `small` are the values of tensors
/// under keys that are [asked](is_asked) for.
pub(super) fn of_pickle(
    pickle: &Pickle<'_>,
    around: &[usize],
    small: &BTreeMap<usize, Vec<f32>>,
) -> Vec<Preparation> {
    let mut reading = Reading { pickle, small, seen: BTreeSet::new(), left: MOST };
    let mut found = Vec::new();
    for id in around {
        of_value(&reading.value(*id, 0), "", &mut found);
    }
    found
}

/// A way through the plain values of a pickle.
struct Reading<'p, 'a> {
    pickle: &'p Pickle<'a>,
    small: &'p BTreeMap<usize, Vec<f32>>,
    /// Dictionaries that were looked at.
    seen: BTreeSet<usize>,
    /// How many more values are looked at.
    left: usize,
}

impl Reading<'_, '_> {
    /// A value without what says nothing here.
    fn value(&mut self, id: usize, depth: usize) -> Value {
        let pickle = self.pickle;
        if let Some(values) = self.small.get(&id) {
            return values.iter().map(|value| f64::from(*value)).collect();
        }
        let (entries, items) = match pickle.node(id) {
            Node::Dict(entries) => (Some(entries), None),
            Node::List(items) | Node::Tuple(items) => (None, Some(items)),
            Node::Call { state: Some(state), .. } => match pickle.node(*state) {
                Node::Dict(entries) => (Some(entries), None),
                _ => return Value::Null,
            },
            Node::Bool(value) => return Value::Bool(*value),
            _ => {
                let text = || pickle.text(id).map_or(Value::Null, Value::from);
                return pickle.number(id).map_or_else(text, Value::from);
            }
        };
        if depth > DEEPEST || self.left == 0 {
            return Value::Null;
        }
        if let Some(items) = items.filter(|items| items.len() <= LONGEST) {
            self.left = self.left.saturating_sub(items.len());
            return items.iter().map(|item| self.value(*item, depth + 1)).collect();
        }
        let mut all = Map::new();
        for (key, value) in entries.filter(|_| self.seen.insert(id)).into_iter().flatten() {
            let Some(key) = pickle.text(*key).filter(|key| !is_kept(key)) else { continue };
            let value = self.value(*value, depth + 1);
            if !value.is_null() && self.left > 0 {
                self.left -= 1;
                all.insert(key.into(), value);
            }
        }
        // Values as OmegaConf keeps them.
        ["_val", "_content"].iter().find_map(|key| all.remove(*key)).unwrap_or(Value::Object(all))
    }
}

#[cfg(test)]
mod tests;
