//! What a choice comes to, as it is recorded.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::candidates::title;
use super::proposal::Proposal;
use super::signs::Signs;
use super::sources::{SourceWorth, kept_of};
use super::units::Units;
use crate::data::Task;
use crate::measures::{Estimate, Figure};

/// What the guard says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The best candidate is better than every baseline.
    Transfer,
    /// No candidate is better than the best baseline.
    DoNotTransfer,
    /// The rows do not say.
    CannotTell,
}

impl Verdict {
    /// `transfer`, `do not transfer` or `cannot tell`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::DoNotTransfer => "do not transfer",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// One way in which the source's labels may hold in the target, and how well the rows bear it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assumption {
    /// Its name.
    pub name: String,
    /// What it says, in a sentence.
    pub about: String,
    /// The discrepancy between source and target that is left when it is taken as true; 0 when they agree.
    pub remains: f64,
    /// Whether it counts for the verdict.
    pub holds: bool,
}

/// One candidate, as validated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The method.
    pub method: String,
    /// All its parameters.
    pub params: Value,
    /// The learner, for methods that train one.
    pub learner: Option<String>,
    /// The preprocessing steps.
    pub preprocess: Vec<String>,
    /// Whether it takes nothing from the target.
    pub baseline: bool,
    /// Estimated accuracy on the target, or R², or another [figure](Choice::figure) that judged; absent if the fit failed.
    pub score: Option<Estimate>,
    /// Estimated gain over the best baseline, in the same unit; of an error what is taken off.
    pub gain: Option<Estimate>,
    /// Why the fit failed.
    pub failed: Option<String>,
    /// Time of all its fits.
    pub seconds: f64,
    /// Its share of the vote that it takes part in; 0 where it has none.
    #[serde(default)]
    pub weight: f64,
}

impl Candidate {
    /// What it is called: see [`title`].
    pub fn title(&self) -> &str {
        title(&self.method, &self.preprocess)
    }
}

/// What each of those that were tried says of the classes of some target rows, and how the others stand to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// The rows, by their positions.
    pub rows: Vec<usize>,
    /// The classes.
    pub classes: Vec<String>,
    /// Signs, and the class of each row by its position.
    pub each: Vec<(Signs, Vec<f64>)>,
}

/// How the method of a run was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// How the target's columns lie to the source's, where rows were compared.
    #[serde(default)]
    pub units: Option<Units>,
    /// What the estimates are made of, where votes of classes were counted.
    #[serde(default)]
    pub signs: Option<Signs>,
    /// What was said, one by one, for those who know the truth; not recorded.
    #[serde(skip)]
    pub heard: Heard,
    /// Expected score of what is written.
    #[serde(default)]
    pub expected: Option<Estimate>,
    /// The accuracy that is reached at least in 19 of 20 tasks.
    #[serde(default)]
    pub floor: Option<f64>,
    /// What the guard says.
    pub verdict: Verdict,
    /// Why, in a sentence or two.
    pub reason: String,
    /// What gains and scores are of, where that is neither accuracy nor R².
    #[serde(default)]
    pub figure: Option<Figure>,
    /// The estimated gain of the best candidate over the best baseline; of an error what is taken off.
    pub gain: Estimate,
    /// The gain as it turned out, where the target has labels to score with: of the figure that is asked for, or else of that
    /// of the estimate.
    pub true_gain: Option<f64>,
    /// Source and target rows that were drawn for the validation.
    pub rows: (usize, usize),
    /// What each of several sources is worth; empty where there is one.
    #[serde(default)]
    pub sources: Vec<SourceWorth>,
    /// What was assumed, and how well it fits.
    pub assumptions: Vec<Assumption>,
    /// Candidates, the best first, baselines among them.
    pub candidates: Vec<Candidate>,
    /// Time of the validation.
    pub seconds: f64,
}

/// What [`choose`](super::choose) found.
pub struct Chosen {
    /// The verdict and what it rests on.
    pub choice: Choice,
    /// What takes nothing from the target.
    pub baseline: Proposal,
    /// The best of the others; absent if none could be tried.
    pub candidate: Option<Proposal>,
}

impl Choice {
    /// The same with its texts in other words.
    #[must_use]
    pub(crate) fn worded(mut self, word: impl Fn(&str) -> String) -> Self {
        self.reason = word(&self.reason);
        let failed = self.candidates.iter_mut().filter_map(|one| one.failed.as_mut());
        failed.for_each(|text| *text = word(text));
        self
    }

    /// Whether transfer is refused though the interval of the gain lies above 0.
    pub(crate) fn refuses_a_gain(&self) -> bool {
        self.verdict != Verdict::Transfer && self.gain.low > 0.0
    }

    /// The task without the sources that were left out.
    pub(crate) fn kept_of(&self, task: Task) -> Task {
        let kept: Vec<bool> = self.sources.iter().map(|source| source.left_out.is_none()).collect();
        if kept.iter().all(|kept| *kept) { task } else { kept_of(&task, &kept) }
    }

    /// The weights of all source rows, those of the sources that were left out 0; `weights` are those of the others.
    pub(crate) fn weights_of_all(&self, parts: &[(String, Range<usize>)], weights: &[f64]) -> Vec<f64> {
        let mut own = weights.iter().copied();
        let of = |(source, (_, range)): (&SourceWorth, &(String, Range<usize>))| -> Vec<f64> {
            let left_out = source.left_out.is_some();
            range.clone().map(|_| if left_out { 0.0 } else { own.next().unwrap_or(0.0) }).collect()
        };
        self.sources.iter().zip(parts).flat_map(of).collect()
    }
}

/// Nothing could be compared.
pub(super) fn undecided(reason: String, rows: (usize, usize), baseline: Proposal) -> Chosen {
    Chosen { choice: unknown(reason, rows), baseline, candidate: None }
}

/// The choice where nothing is known.
pub(super) fn unknown(reason: String, rows: (usize, usize)) -> Choice {
    Choice {
        units: None,
        signs: None,
        heard: Heard::default(),
        expected: None,
        floor: None,
        verdict: Verdict::CannotTell,
        reason,
        figure: None,
        gain: Estimate { value: 0.0, low: -1.0, high: 1.0 },
        true_gain: None,
        rows,
        sources: Vec::new(),
        assumptions: Vec::new(),
        candidates: Vec::new(),
        seconds: 0.0,
    }
}
