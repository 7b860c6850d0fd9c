//! Classes and the ways in which their names are written: the same value written twice is one class.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;

use crate::error::{is_blank, is_unseen, nearest_name};

/// Classes by name, each in one spelling: the first that occurred.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Classes {
    names: Vec<String>,
    /// The class of each value, whichever way it is written.
    position: HashMap<String, usize>,
    /// Other spellings that occurred, each with the class that it belongs to.
    merged: Vec<(String, usize)>,
}

impl Classes {
    /// The classes among these names, in order of value if all are numbers, else of the alphabet. `1`, `1.0` and `1e0`
    /// are one class, so are `True` and `true`, and blanks around a name do not count; a code with leading zeros such as
    /// `01` is no number.
    pub fn of<'a>(written: impl IntoIterator<Item = &'a str>) -> Self {
        let mut first: HashMap<String, String> = HashMap::new();
        let (mut seen, mut others) = (HashSet::new(), Vec::new());
        for written in written {
            if !seen.insert(written.to_string()) {
                continue;
            }
            let value = value(written);
            let name = written.trim_matches(is_blank);
            match first.get(&value) {
                None => drop(first.insert(value, name.into())),
                Some(known) if known == name => {}
                Some(_) => others.push((name.to_string(), value)),
            }
        }
        let mut names: Vec<String> = first.into_values().collect();
        names.sort();
        if names.iter().all(|name| name.parse::<f64>().is_ok()) {
            names.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse().unwrap_or(0.0)));
        }
        let mut classes = Self::named(names);
        classes.merged = others.into_iter().map(|(name, value)| (name, classes.position[&value])).collect();
        classes
    }

    /// The classes of a model, in its order.
    pub fn named(names: Vec<String>) -> Self {
        let mut position = HashMap::with_capacity(names.len());
        for (class, name) in names.iter().enumerate() {
            position.entry(value(name)).or_insert(class);
        }
        Self { names, position, merged: Vec::new() }
    }

    /// Their names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The class that is written like this.
    pub fn position(&self, written: &str) -> Option<usize> {
        self.position.get(&value(written)).copied()
    }

    /// Other spellings that occurred, each with the name of its class.
    pub fn merged(&self) -> impl Iterator<Item = (&String, &String)> {
        self.merged.iter().map(|(written, class)| (written, &self.names[*class]))
    }

    /// The class that is likely to be meant by a name that is none: one that differs in case, blanks or leading zeros
    /// only, that says the same of truth, or that is spelt nearly so.
    pub fn meant(&self, written: &str) -> Option<&String> {
        let alike = self.names.iter().find(|name| twins(name, written));
        let word = |name: &str| name.chars().any(char::is_alphabetic);
        alike.or_else(|| nearest_name(written, &self.names).filter(|name| word(name) && word(written)))
    }
}

/// Whether two different names are likely to mean one class, though it is not sure: `Yes` and `yes`, `True` and `1`,
/// `07` and `7`.
pub fn twins(a: &str, b: &str) -> bool {
    loosely(a) == loosely(b) || says_the_same(a, b)
}

/// Pairs of names, by position, that differ only in what people write differently: `Yes` and `yes`, `07` and `7`.
pub fn spelt_alike(names: &[String]) -> Vec<(usize, usize)> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let pair = |(at, name): (usize, &String)| {
        let before = *first.entry(loosely(name)).or_insert(at);
        (before != at).then_some((before, at))
    };
    names.iter().enumerate().filter_map(pair).collect()
}

/// Words for a label that is not known, as [`loosely`] has them.
const UNKNOWN: [&str; 37] = [
    "unlabelled",
    "unlabeled",
    "notlabelled",
    "notlabeled",
    "nolabel",
    "none",
    "unknown",
    "undefined",
    "unassigned",
    "missing",
    "nodata",
    "blank",
    "tbd",
    "??",
    "pending",
    "todo",
    "notavailable",
    "n.a",
    "n/d",
    "refused",
    "noanswer",
    "don'tknow",
    "dontknow",
    "don\u{2019}tknow",
    "unbekannt",
    "keineangabe",
    "k.a",
    "leer",
    "#nv",
    "inconnu",
    "nonrenseigne",
    "desconocido",
    "\u{672a}\u{77e5}",
    "\u{672a}\u{6807}\u{6ce8}",
    "\u{672a}\u{586b}\u{5199}",
    "\u{4e0d}\u{8be6}",
    "\u{4e0d}\u{77e5}\u{9053}",
];

/// Whether a word says that there is no label.
pub fn means_no_label(name: &str) -> bool {
    UNKNOWN.contains(&loosely(name).as_str())
}

/// Whether both names say yes, or both no.
pub(crate) fn says_the_same(a: &str, b: &str) -> bool {
    let truth = |name: &str| truth_value(&loosely(name));
    truth(a).is_some() && truth(a) == truth(b)
}

/// Whether both of these names of truth are likely to mean one class in a table that has both, among these classes: it
/// says little else than true and false, and no letter stands alone that may be short for something else.
pub(crate) fn mixes_truths(a: &str, b: &str, classes: &[&str]) -> bool {
    let words: Vec<String> = classes.iter().map(|name| loosely(name)).collect();
    let has = |word: &str| words.iter().any(|known| known == word);
    let sure = |name: &str| {
        let word = loosely(name);
        let both = TRUTHS.iter().any(|(yes, no)| (word == *yes || word == *no) && has(yes) && has(no));
        both || word.chars().count() > 1 || word.starts_with(|c: char| c.is_ascii_digit())
    };
    let others = words.iter().filter(|word| truth_value(word).is_none()).count();
    others <= 1 && sure(a) && sure(b)
}

/// The value that is written, in one spelling.
fn value(written: &str) -> String {
    let word = word(written);
    let number = plain_number(&word).filter(|_| digits(&word) <= DIGITS);
    number.map_or(word, |number| number.to_string())
}

/// A text without what does not count: blanks around it, the code points of its letters, the case of `true` and `false`.
pub(crate) fn word(written: &str) -> String {
    let written: String = written.trim_matches(is_blank).nfc().filter(|c| !is_unseen(*c)).collect();
    let truth = ["true", "false"].into_iter().find(|truth| written.eq_ignore_ascii_case(truth));
    truth.map_or(written, Into::into)
}

/// Most digits of which a double keeps every one.
const DIGITS: usize = 15;

/// The digits of a number before its exponent.
fn digits(number: &str) -> usize {
    number.split(['e', 'E']).next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).count()
}

/// The number, if it is one and no code: finite, without leading zeros.
pub(crate) fn plain_number(written: &str) -> Option<f64> {
    let unsigned = written.strip_prefix(['-', '+']).unwrap_or(written);
    let whole = unsigned.split(['.', 'e', 'E']).next().unwrap_or_default();
    let code = whole.len() > 1 && whole.starts_with('0');
    if code || !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let number: f64 = written.parse().ok().filter(|v: &f64| v.is_finite())?;
    Some(if number == 0.0 { 0.0 } else { number }) // -0 is 0
}

/// Small letters of other scripts that look like Latin ones.
const LOOKALIKES: [(char, char); 12] = [
    ('\u{430}', 'a'),
    ('\u{432}', 'b'),
    ('\u{435}', 'e'),
    ('\u{43a}', 'k'),
    ('\u{43c}', 'm'),
    ('\u{43d}', 'h'),
    ('\u{43e}', 'o'),
    ('\u{440}', 'p'),
    ('\u{441}', 'c'),
    ('\u{442}', 't'),
    ('\u{443}', 'y'),
    ('\u{445}', 'x'),
];

/// A name without marks at its end or a quote before it, and without quotes or brackets around it. `A*` is a grade.
fn without_marks(name: &str) -> &str {
    let marked = name.strip_suffix(['.', ',', ';', ':', '!']).filter(|rest| !rest.is_empty());
    let starred = name.strip_suffix(['*', '\u{2020}']).filter(|rest| rest.chars().count() > 2);
    let name = marked.or(starred).unwrap_or(name);
    let pairs = [("'", "'"), ("\"", "\""), ("[", "]"), ("(", ")"), ("b'", "'")];
    let inside = |(begin, end): &(&str, &str)| name.strip_prefix(begin)?.strip_suffix(end);
    let quoted = || name.strip_prefix('\'');
    pairs.iter().find_map(inside).or_else(quoted).filter(|inside| !inside.is_empty()).unwrap_or(name)
}

/// Pairs of classes, by position, of two vocabularies for the same: each name of one is the begin or the end of one of the
/// other, as `F` and `M` are of `Female` and `Male`, `0` and `1` of `class 0` and `class 1`.
pub(crate) fn two_vocabularies(names: &[String]) -> Vec<(usize, usize)> {
    let words: Vec<String> = names.iter().map(|name| loosely(name)).collect();
    if names.len() < 4 || names.len() > MOST_IN_TWO || names.len() % 2 == 1 {
        return Vec::new();
    }
    let part = |short: &str, long: &str| {
        let numbers = [short, long].map(|name| name.parse::<f64>().is_ok());
        let word = |rest: &str| rest.ends_with(char::is_alphabetic);
        let ends = numbers[0] && long.strip_suffix(short).is_some_and(word);
        numbers != [true; 2] && short.len() < long.len() && (long.starts_with(short) || ends)
    };
    let longer =
        |a: usize| -> Vec<usize> { (0..words.len()).filter(|&b| part(&words[a], &words[b])).collect() };
    let pairs: Vec<(usize, usize)> = (0..words.len())
        .filter_map(|a| match longer(a)[..] {
            [only] => Some((a, only)),
            _ => None,
        })
        .collect();
    let mut all: Vec<usize> = pairs.iter().flat_map(|&(a, b)| [a, b]).collect();
    all.sort_unstable();
    if all.into_iter().eq(0..names.len()) { pairs } else { Vec::new() }
}

/// Most classes of two vocabularies together.
const MOST_IN_TWO: usize = 40;

/// Words for numbers, from 0 on.
const NUMBERS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

/// A name without what people write differently: words for numbers, case, accents, the width of characters, letters of other scripts that
/// look alike, signs of minus and dashes, blanks, underscores and hyphens between words, leading zeros, marks at the
/// end, quotes and brackets around it.
pub(crate) fn loosely(name: &str) -> String {
    let plain = |c: char| match c {
        '\u{2010}'..='\u{2014}' | '\u{2212}' => '-',
        c => LOOKALIKES.iter().find(|(other, _)| *other == c).map_or(c, |(_, latin)| *latin),
    };
    let accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let name = name.trim_matches(is_blank).nfkd().filter(|c| !accent(c)).flat_map(char::to_lowercase);
    let name: String = name.map(plain).nfc().collect();
    let name = without_marks(&name);
    if let Ok(number) = name.parse::<f64>() {
        return number.to_string();
    }
    if let Some(number) = NUMBERS.iter().position(|word| *word == name) {
        return number.to_string();
    }
    let (mut kept, mut joints) = (String::new(), String::new());
    for c in name.chars() {
        if is_blank(c) || matches!(c, '_' | '-') {
            joints.push(c);
            continue;
        }
        let between = c.is_alphanumeric() && kept.ends_with(char::is_alphanumeric);
        if !between {
            kept.push_str(&joints);
        }
        joints.clear();
        kept.push(c);
    }
    kept + &joints
}

/// Words for true and for false.
const TRUTHS: [(&str, &str); 9] = [
    ("true", "false"),
    ("t", "f"),
    ("yes", "no"),
    ("y", "n"),
    ("1", "0"),
    ("on", "off"),
    ("ja", "nein"),
    ("oui", "non"),
    ("\u{662f}", "\u{5426}"),
];

/// What a word says of truth.
fn truth_value(word: &str) -> Option<bool> {
    let pair = TRUTHS.iter().find(|(yes, no)| word == *yes || word == *no)?;
    Some(word == pair.0)
}

#[cfg(test)]
mod tests;
