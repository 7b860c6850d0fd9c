//! What surrounds a fit: the seed, the memory budget, and the notices that the fit leaves behind.

use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, bytes};

/// Default memory budget in bytes: 4 GiB.
pub const DEFAULT_MEMORY: u64 = 4 << 30;

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something that was done and that a careful reader wants to know.
    Note,
    /// Something that may make the result worse than it looks.
    Warning,
}

/// One thing that a step wants to be known: a dropped column, a cheaper route, a missing class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// The step or method that says it.
    pub from: String,
    /// One sentence.
    pub text: String,
}

/// Is told how far a step has come; a terminal's progress bar, say.
pub trait Watcher: std::fmt::Debug + Send + Sync {
    /// `done` of `all` parts of `step` are done; 0 of 0 where their number is not known. What follows a colon in `step`
    /// is news of it, not its name.
    fn watch(&self, step: &str, done: usize, all: usize);

    /// Is told of a notice at once, where what follows may take long.
    fn hear(&self, notice: &Notice) {
        let _ = notice;
    }
}

/// Handed to every step of a run; it sits below everything else and knows nothing of it.
#[derive(Debug, Clone)]
pub struct Context {
    seed: u64,
    memory: u64,
    held: u64,
    notices: Vec<Notice>,
    watcher: Option<Arc<dyn Watcher>>,
    wording: fn(&str) -> String,
}

impl Default for Context {
    fn default() -> Self {
        Self::new(0, DEFAULT_MEMORY)
    }
}

impl Context {
    /// A context with the seed of all randomness and a memory budget in bytes.
    pub fn new(seed: u64, memory: u64) -> Self {
        Self { seed, memory, held: 0, notices: Vec::new(), watcher: None, wording: str::to_string }
    }

    /// The same context with somebody who is told how far each step has come.
    #[must_use]
    pub fn watched_by(self, watcher: Arc<dyn Watcher>) -> Self {
        Self { watcher: Some(watcher), ..self }
    }

    /// The same context with the words of a front end, in which it keeps notices: the libraries name
    /// [settings](crate::setting), not how they are set.
    #[must_use]
    pub fn worded_by(self, wording: fn(&str) -> String) -> Self {
        Self { wording, ..self }
    }

    /// A text of the libraries in the words of the front end.
    pub fn worded(&self, text: &str) -> String {
        (self.wording)(text)
    }

    /// A copy with another seed.
    #[must_use]
    pub fn reseeded(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }

    /// A copy for trials: what they notice and how far they come is not that of the run.
    #[must_use]
    pub fn aside(&self) -> Self {
        Self { watcher: None, ..self.clone() }
    }

    /// A copy in which `bytes` more of the budget are taken, for a step that is done beside them.
    #[must_use]
    pub fn beside(&self, bytes: u64) -> Self {
        Self { held: self.held.saturating_add(bytes), ..self.clone() }
    }

    /// Says that `done` of `all` parts of `step` are done; 0 of 0 where their number is not known.
    pub fn progress(&self, step: &str, done: usize, all: usize) {
        if let Some(watcher) = &self.watcher {
            watcher.watch(step, done, all);
        }
    }

    /// The memory budget in bytes.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// The seed of all randomness.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Says that `bytes` of the budget are taken by data that stay for the whole run.
    pub fn hold(&mut self, bytes: u64) {
        self.held = bytes;
    }

    /// Says that `bytes` more of the budget are taken.
    pub fn take(&mut self, bytes: u64) {
        self.held = self.held.saturating_add(bytes);
    }

    /// Says that `bytes` of the budget are free again.
    pub fn give_back(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// The error of a step that was given what is [left](Self::left), in terms of the whole budget.
    pub(crate) fn of_the_whole(&self, error: Error) -> Error {
        match error {
            Error::Memory { what, need, .. } => {
                Error::Memory { what, need: self.held.saturating_add(need), budget: self.memory }
            }
            other => other,
        }
    }

    /// Bytes of the budget that nothing takes yet.
    pub fn left(&self) -> u64 {
        self.memory.saturating_sub(self.held)
    }

    /// Whether `need` more bytes fit beside the data.
    pub fn fits(&self, need: u64) -> bool {
        self.held.saturating_add(need) <= self.memory
    }

    /// Fails unless `need` more bytes fit beside the data.
    ///
    /// # Errors
    /// [`Error::Memory`] naming `what`.
    pub fn require(&self, what: &str, need: u64) -> Result<()> {
        if self.fits(need) {
            return Ok(());
        }
        Err(Error::Memory { what: what.into(), need: self.held.saturating_add(need), budget: self.memory })
    }

    /// Chooses between a method's exact route, which needs `need` bytes, and its cheaper one.
    /// `true` is the exact route; otherwise a notice says what the exact route would have needed and what `instead` does.
    pub fn exact_route(&mut self, from: &str, what: &str, need: u64, instead: &str) -> bool {
        let exact = self.fits(need);
        if !exact {
            let (need, budget) = (bytes(self.held.saturating_add(need)), bytes(self.memory));
            self.note(from, format!("{what} would need {need} of the {budget} allowed; {instead}"));
        }
        exact
    }

    /// A generator for one `purpose`; the same seed and purpose give the same numbers.
    pub fn rng(&self, purpose: &str) -> ChaCha8Rng {
        // FNV-1a: keeps the streams of different purposes apart whatever order they are asked for in.
        let salt = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        ChaCha8Rng::seed_from_u64(self.seed ^ salt)
    }

    /// Leaves a note.
    pub fn note(&mut self, from: &str, text: impl Into<String>) {
        self.push(Level::Note, from, &text.into());
    }

    /// Leaves a warning.
    pub fn warn(&mut self, from: &str, text: impl Into<String>) {
        self.push(Level::Warning, from, &text.into());
    }

    /// Leaves a warning that whoever watches hears at once: what follows may take memory and time for nothing.
    pub fn warn_at_once(&mut self, from: &str, text: impl Into<String>) {
        self.warn(from, text);
        if let (Some(watcher), Some(notice)) = (&self.watcher, self.notices.last()) {
            watcher.hear(notice);
        }
    }

    fn push(&mut self, level: Level, from: &str, text: &str) {
        let notice = Notice { level, from: from.into(), text: (self.wording)(text) };
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// The notices left so far, in order, without repeats.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::{Setting, worded};
    use rand::Rng;

    #[test]
    fn streams_depend_on_seed_and_purpose_only() {
        let context = Context::new(7, DEFAULT_MEMORY);
        let draw = |purpose| context.rng(purpose).random::<u64>();
        assert_eq!(draw("landmarks"), draw("landmarks"));
        assert_ne!(draw("landmarks"), draw("folds"));
        assert_ne!(draw("landmarks"), Context::new(8, DEFAULT_MEMORY).rng("landmarks").random::<u64>());
    }

    #[test]
    fn the_cheaper_route_is_taken_and_said_when_the_budget_is_small() {
        let mut context = Context::new(0, 1 << 30);
        assert!(context.exact_route("kmm", "the kernel", 1 << 29, "features are used"));
        context.hold(3 << 28);
        assert!(!context.exact_route("kmm", "the kernel", 1 << 29, "features are used"));
        let said = &context.notices()[0].text;
        assert_eq!(said, "the kernel would need 1.2 GiB of the 1.0 GiB allowed; features are used");
        context.take(1 << 27);
        assert_eq!(context.left(), 1 << 27);
        context.take(u64::MAX);
        assert_eq!(context.left(), 0);
    }

    #[test]
    fn notices_are_kept_in_the_words_of_the_front_end() {
        let wording = |text: &str| worded(text, |setting, _| setting.name().to_uppercase());
        let mut context = Context::default().worded_by(wording);
        context.note("data", format!("`{}` leaves it out", Setting::Drop));
        context.aside().warn_at_once("data", "lost");
        context.note("data", "`DROP` leaves it out");
        assert_eq!(context.notices().len(), 1);
        assert_eq!(context.notices()[0].text, "`DROP` leaves it out");
        let mut plain = Context::default();
        plain.warn("data", "`‹drop›` leaves it out");
        assert_eq!(plain.notices()[0].text, "`‹drop›` leaves it out");
    }
}
