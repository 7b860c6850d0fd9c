//! What can go wrong, in words that name the thing, the rule and the value.

use std::path::Path;

use unicode_normalization::UnicodeNormalization;

use crate::setting;

/// The result of anything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Every failure of this crate. [`Error::hint`] says what to do next. Both name settings as
/// [`Setting`](setting::Setting) does, and a front end words them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("`{path}`: {source}")]
    Io {
        /// The file, as the user named it.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Data that cannot be used as they are.
    #[error("{thing}: {problem}")]
    Input {
        /// The file, table, row or column that is at fault.
        thing: String,
        /// The rule and the value that breaks it.
        problem: String,
        /// What the user can do about it; may be empty.
        hint: String,
    },
    /// A parameter out of its range, of the wrong type or unknown.
    #[error("`{owner}`: `{name}` must be {must}, got {got}")]
    Param {
        /// The method, learner or setting that the parameter belongs to.
        owner: String,
        /// The parameter.
        name: String,
        /// Its range in words.
        must: String,
        /// The value given.
        got: String,
    },
    /// A name that is not in a registry.
    #[error("unknown {kind} `{name}`")]
    Unknown {
        /// What was looked up: `method`, `learner`, `parameter of …`.
        kind: String,
        /// The name given.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A method was asked to do what it cannot do with this task.
    #[error("`{method}` {problem}")]
    Unsuited {
        /// The method or learner.
        method: String,
        /// What it needs and what the task has.
        problem: String,
        /// What to do instead.
        hint: String,
    },
    /// Work that does not fit into the memory budget and has no cheaper route.
    #[error("{what} needs {}, the memory budget is {}", bytes(*.need), bytes(*.budget))]
    Memory {
        /// What would have been allocated.
        what: String,
        /// Bytes needed.
        need: u64,
        /// Bytes allowed.
        budget: u64,
    },
    /// A decomposition or iteration that broke down on finite input.
    #[error("{what} failed: {why}")]
    Numeric {
        /// The computation.
        what: String,
        /// What the solver reported.
        why: String,
    },
    /// Work that was not begun, as the time for it was over.
    #[error("the budget of {seconds} s was spent before it was begun")]
    Budget {
        /// The time that was given.
        seconds: f64,
    },
    /// A model file that is not ours, damaged, or from a newer version.
    #[error("`{path}` is not a model that this version can use: {reason}")]
    ModelFile {
        /// The file.
        path: String,
        /// What was found.
        reason: String,
    },
}

impl Error {
    /// Input at fault, with a hint.
    pub fn input(thing: impl Into<String>, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input { thing: thing.into(), problem: problem.into(), hint: hint.into() }
    }

    /// A failed read or write of `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }

    /// What the user can do next, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Input { hint, .. } | Self::Unsuited { hint, .. } => hint.clone(),
            Self::Unknown { name, known, .. } => {
                let more = known.len().saturating_sub(LISTED);
                let first = known[..known.len() - more].join(", ");
                let all = if more == 0 { first } else { format!("{first} and {more} more") };
                match nearest_name(name, known).map(|close| (close, difference(name, close))) {
                    Some((close, "")) => format!("did you mean `{close}`? known: {all}"),
                    Some((close, how)) => format!("did you mean `{close}`? it {how}; known: {all}"),
                    None => format!("known: {all}"),
                }
            }
            Self::Memory { .. } => {
                "raise `‹memory›`, or give fewer rows and columns, or smaller pictures".into()
            }
            Self::Budget { .. } => "give more time with `‹budget›`".into(),
            Self::ModelFile { .. } => {
                "give the folder or the `model.safetensors` that `juyi transfer` wrote".into()
            }
            Self::Io { .. } | Self::Param { .. } | Self::Numeric { .. } => String::new(),
        };
        (!text.is_empty()).then_some(text)
    }
}

/// `n` bytes in the largest binary unit that keeps it at 1 or above.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["TiB", "GiB", "MiB", "KiB"];
    for (power, unit) in (1..=4).rev().zip(UNITS) {
        let size = 1024f64.powi(power);
        if n as f64 >= size {
            return format!("{:.1} {unit}", n as f64 / size);
        }
    }
    format!("{n} bytes")
}

/// Text from files for a line that people read: line breaks, other control characters and those that turn the direction
/// of writing act on a terminal, and what looks like a setting of ours would be worded as one. They are replaced.
pub fn harmless(text: &str) -> String {
    let acts = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept =
        |(at, c): (usize, char)| if acts(c) || setting::is_like_one(&text[at..]) { '\u{fffd}' } else { c };
    text.char_indices().map(kept).collect()
}

/// A cell as messages show it: short and harmless.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    harmless(&text.chars().take(LONGEST).collect::<String>()) + more
}

/// Most known names that a hint lists.
const LISTED: usize = 150;

/// Blanks, and marks that nobody sees.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_unseen(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

/// Marks that nobody sees and no word is spelt with: soft hyphens, marks of direction, of variants and of no width.
pub(crate) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{fe0f}' | '\u{feff}')
}

/// How two names differ that look alike, in words; empty where their letters differ.
pub(crate) fn difference(a: &str, b: &str) -> &'static str {
    let solid = |name: &str| name.nfc().filter(|c| !is_blank(*c)).collect::<String>();
    let lower = |name: String| name.to_lowercase();
    if a.nfc().eq(b.nfc()) {
        "has the same letters in other code points"
    } else if solid(a) == solid(b) {
        "differs in blanks only"
    } else if lower(a.nfc().collect()) == lower(b.nfc().collect()) {
        "differs in case only"
    } else if lower(solid(a)) == lower(solid(b)) {
        "differs in case and blanks only"
    } else {
        ""
    }
}

/// Most things that a message lists.
const FEW: usize = 5;

/// The first few things of a list, and how many more there are.
pub fn few(things: &[String]) -> String {
    let first = things[..things.len().min(FEW)].join(", ");
    match things.len().saturating_sub(FEW) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The known name that is closest to `name`, if it is close enough to be a slip of the hand.
pub(crate) fn nearest_name<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let plain =
        |name: &str| name.trim_matches(is_blank).nfkc().flat_map(char::to_lowercase).collect::<String>();
    let wanted = plain(name);
    let distance = |candidate: &&String| edit_distance(&wanted, &plain(candidate));
    let close = known.iter().min_by_key(distance)?;
    // A short name is not far from anything: some letter must be shared.
    let bound = 2.max(name.len() / 3).min(close.chars().count().saturating_sub(1));
    (distance(&close) <= bound).then_some(close)
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_the_close_one_as_a_hint() {
        let known = vec!["kmm".to_string(), "coral".to_string()];
        let error = Error::Unknown { kind: "method".into(), name: "corral".into(), known };
        assert_eq!(error.to_string(), "unknown method `corral`");
        assert_eq!(error.hint().unwrap(), "did you mean `coral`? known: kmm, coral");
    }

    #[test]
    fn how_a_name_differs_that_looks_alike_is_said() {
        for (a, b, said) in [
            ("Gr\u{f6}\u{df}e", "Gro\u{308}\u{df}e", "has the same letters in other code points"),
            ("light", " light\u{a0}", "differs in blanks only"),
            ("light", "li\u{200b}ght", "differs in blanks only"),
            ("temperature", "Temperature", "differs in case only"),
            ("dew point", "DewPoint ", "differs in case and blanks only"),
            ("light", "lights", ""),
        ] {
            assert_eq!(difference(a, b), said, "{a} {b}");
            assert_eq!(nearest_name(a, &["x".into(), b.to_string()]).map(String::as_str), Some(b));
        }
    }

    #[test]
    fn nothing_in_a_line_acts_on_a_terminal() {
        assert_eq!(
            harmless("a\u{1b}[2J\u{9b}1m\r\nb\u{202e}é 举"),
            "a\u{fffd}[2J\u{fffd}1m\u{fffd}\u{fffd}b\u{fffd}é 举"
        );
    }

    #[test]
    fn bytes_are_written_in_the_unit_a_reader_expects() {
        assert_eq!(bytes(12), "12 bytes");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
    }

    #[test]
    fn no_cell_is_taken_for_a_setting() {
        let flags = |text: &str| setting::worded(text, |setting, _| format!("--{}", setting.name()));
        for cell in ["‹drop›", "‹drop", "‹drop x", "‹missing-values 1›", "‹‹id››"] {
            for text in [harmless(cell), shown(cell)] {
                let message = format!("`{text}` stands in 3 cells; {}", setting::Setting::Id);
                assert_eq!(flags(&message), format!("`{text}` stands in 3 cells; --id"));
            }
        }
        for kept in ["‹Zitat› «Zitat»", "‹", "›", "a ‹ b"] {
            assert_eq!(harmless(kept), kept);
        }
    }
}
