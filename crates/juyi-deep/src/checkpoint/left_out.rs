//! What is left out of a pickle, in words.

use juyi::error::shown;

use super::pickle::Pickle;

/// Most values that a message lists by name.
const NAMED: usize = 10;

/// Values that are no tensors: the first ones in words, and how many more.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    named: Vec<String>,
    more: usize,
}

impl LeftOut {
    /// Notes a value; its words are only made if they are kept.
    pub(super) fn push(&mut self, what: impl FnOnce() -> String) {
        if self.named.len() < NAMED {
            self.named.push(what());
        } else {
            self.more += 1;
        }
    }

    /// All in one line, if there are any.
    pub(super) fn listed(&self) -> Option<String> {
        let more = if self.more > 0 { format!(" and {} more", self.more) } else { String::new() };
        (!self.named.is_empty()).then(|| self.named.join(", ") + &more)
    }
}

/// A key of a dictionary as messages show it.
pub(super) fn key_shown(pickle: &Pickle<'_>, key: usize) -> String {
    match (pickle.text(key), pickle.size(key)) {
        (Some(text), _) => format!("`{}`", shown(text)),
        (None, Some(number)) => format!("`{number}`"),
        (None, None) => format!("a value whose key is {}", pickle.described(key)),
    }
}
