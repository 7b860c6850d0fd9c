//! Which candidate to trust, and whether to transfer at all.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::measures::Estimate;

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
    /// Estimated accuracy on the target, or estimated R² of a regression; absent if the fit failed.
    pub score: Option<Estimate>,
    /// Estimated gain over the best baseline, in the same unit.
    pub gain: Option<Estimate>,
    /// Why the fit failed.
    pub failed: Option<String>,
    /// Time of all its fits.
    pub seconds: f64,
}

/// How the method of a run was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// What the guard says.
    pub verdict: Verdict,
    /// Why, in a sentence or two.
    pub reason: String,
    /// The estimated gain of the best candidate over the best baseline: accuracy, or R².
    pub gain: Estimate,
    /// The gain as it turned out, where the target has labels to score with.
    pub true_gain: Option<f64>,
    /// Source and target rows that were drawn for the validation.
    pub rows: (usize, usize),
    /// What was assumed, and how well it fits.
    pub assumptions: Vec<Assumption>,
    /// Candidates, the best first, baselines among them.
    pub candidates: Vec<Candidate>,
    /// Time of the validation.
    pub seconds: f64,
}
