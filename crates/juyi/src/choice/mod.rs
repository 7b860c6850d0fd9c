//! Which candidate to trust, and whether to transfer at all, without a label of the target.
//!
//! Read in this order: `candidates` for what is tried, `assumptions` for the ways in which the source's labels may hold
//! in the target, `copies`, `validation` and `resamples` for the scores, `judge` for the verdict, `tried` for
//! what follows from it; `from_models` where sources are models without rows.

mod assumptions;
mod candidates;
mod copies;
mod from_models;
mod judge;
mod resamples;
mod tried;
mod validation;

pub use candidates::{Configuration, plain};
pub use from_models::choose_from_models;
pub use judge::{Gain, Judgement, Least, WORTHWHILE, judge};
pub use resamples::{Resamples, Score};
pub use validation::{folds, most_frequent, note_copies};

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::measures::Estimate;
use crate::methods::NO_TRANSFER;
use crate::models::Preprocess;
use assumptions::{SPACES, Space, Votes};
use tried::{Assumed, Tried};
use validation::Validation;

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

impl Candidate {
    /// What it is called: see [`title`].
    pub fn title(&self) -> &str {
        title(&self.method, &self.preprocess)
    }
}

/// What a method is called in words: `none` on domains that are each standardised by themselves does adapt, and is
/// called after that step.
pub fn title<'a>(method: &'a str, preprocess: &'a [String]) -> &'a str {
    let each = preprocess.iter().find(|step| *step == Preprocess::StandardizeEach.name());
    each.filter(|_| method == NO_TRANSFER.name).map_or(method, |step| step)
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

/// What [`choose`] found.
pub struct Chosen {
    /// The verdict and what it rests on.
    pub choice: Choice,
    /// The best of those that take nothing from the target.
    pub baseline: Configuration,
    /// The best of the others; absent if none could be tried.
    pub candidate: Option<Configuration>,
}

/// The fewest rows of each side that a verdict is reached on.
const FEWEST: usize = 10;

/// Tries the candidates on a part of the task and compares the best one with the best baseline. `only` tries that one
/// candidate instead of all.
///
/// # Errors
/// [`Error::Unknown`](crate::error::Error::Unknown) for a learner that there is not; [`Error::Numeric`](crate::error::Error::Numeric) if a covariance
/// breaks down.
pub fn choose(
    task: &Task,
    steps: &[Preprocess],
    learner: Option<&str>,
    only: Option<Configuration>,
    context: &mut Context,
) -> Result<Chosen> {
    let start = Instant::now();
    let validation = Validation::new(task, context);
    let rows = (validation.task.source.rows(), validation.task.target.rows());
    let mut baselines = candidates::baselines(task, steps, learner, context)?;
    if rows.0.min(rows.1) < FEWEST {
        let reason = format!("A verdict needs at least {FEWEST} rows on each side.");
        return Ok(undecided(reason, rows, baselines.swap_remove(0)));
    }
    context.progress("looking how the rows lie to each other", 0, 0);
    let votes: Vec<Votes> = SPACES
        .iter()
        .map(|space| space.votes(&validation.task, &validation.folds, context))
        .collect::<Result<_>>()?;
    let holds = assumptions::hold(&votes);
    let attempt = |configuration: Configuration, context: &Context| {
        let start = Instant::now();
        let predictions = validation.predictions(&configuration, context);
        let scores = predictions.map(|p| votes.iter().map(|votes| validation.score(votes, &p)).collect());
        Tried { configuration, scores, seconds: start.elapsed().as_secs_f64() }
    };
    context.progress("comparing methods", 0, 0);
    let mut tried: Vec<Tried> =
        baselines.into_iter().map(|configuration| attempt(configuration, context)).collect();
    let Some(base) = tried::best_baseline(&tried, &holds) else {
        let Tried { configuration, scores, .. } = tried.swap_remove(0);
        let why = scores.err().map_or_else(String::new, |error| format!(": {error}"));
        return Ok(undecided(format!("Not even a baseline could be validated{why}."), rows, configuration));
    };
    let with = tried[base].configuration.with.clone();
    let others = match only {
        Some(only) => vec![only],
        None => candidates::transfers(task, steps, learner, &with, context)?,
    };
    let (first, all) = (tried.len(), tried.len() + others.len());
    for (k, configuration) in others.into_iter().enumerate() {
        context.progress("comparing methods", first + k, all);
        tried.push(attempt(configuration, context));
    }
    let chance: Vec<f64> = votes.iter().map(|votes| validation.chance(votes)).collect();
    let assumption = |((space, votes), holds): ((&Space, &Votes), &bool)| Assumption {
        name: space.name.into(),
        about: space.about.into(),
        remains: votes.remains,
        holds: *holds,
    };
    let assumptions: Vec<Assumption> = SPACES.iter().zip(&votes).zip(&holds).map(assumption).collect();
    let chosen = tried::choice(tried, base, rows.0.min(rows.1), Assumed { assumptions, chance });
    let choice = Choice { rows, seconds: start.elapsed().as_secs_f64(), ..chosen.choice };
    Ok(Chosen { choice, ..chosen })
}

/// Nothing could be compared.
fn undecided(reason: String, rows: (usize, usize), baseline: Configuration) -> Chosen {
    let choice = Choice {
        verdict: Verdict::CannotTell,
        reason,
        gain: Estimate { value: 0.0, low: -1.0, high: 1.0 },
        true_gain: None,
        rows,
        assumptions: Vec::new(),
        candidates: Vec::new(),
        seconds: 0.0,
    };
    Chosen { choice, baseline, candidate: None }
}
