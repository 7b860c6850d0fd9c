//! Which candidate to trust, and whether to transfer at all, without a label of the target.
//!
//! Read in this order: `candidates` for what is tried, `fitted` and `ballot` for the vote of it, `units` for how the target's
//! columns lie to the source's, `learnable` for the source, `estimate` for what the vote is worth; `labelled` where labelled
//! target rows judge, with `held`, `bench`, `figure`, `paired`, `copies`, `validation`, `resamples`, `judge` and `tried`; `from_models` where
//! sources are models without rows.

mod ballot;
mod bench;
mod calibration;
mod candidates;
mod copies;
mod election;
mod estimate;
mod figure;
mod fitted;
mod from_models;
mod held;
mod judge;
mod labelled;
mod learnable;
mod paired;
mod proposal;
mod resamples;
mod signs;
mod sources;
mod tried;
mod units;
mod validation;

pub use calibration::{Calibration, Seen};
pub use candidates::{Configuration, by_source};
pub use fitted::Standby;
pub use from_models::choose_from_models;
pub use judge::{Gain, Judgement, Least, WORTHWHILE, judge};
pub use paired::{exact_gain, exact_share};
pub use proposal::{PLAIN_VOTE, Proposal, VOTE, Voter};
pub use resamples::{Resamples, Score};
pub use signs::Signs;
pub use sources::SourceWorth;
pub use units::{Reading, Units};
pub use validation::{folds, most_frequent, note_copies};

use std::ops::Range;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Context;
use crate::data::{Labels, Task};
use crate::error::Result;
use crate::measures::Estimate;
use crate::methods::NO_TRANSFER;
use crate::models::Preprocess;
use crate::validators::Validator;
use copies::copies_of_parts;
use election::Election;
use fitted::{Fitted, Keep, fit_each};
use learnable::Learnable;
use sources::Sources;

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

/// What a method is called in words: `none` on domains that are each standardised by themselves does adapt, and is
/// called after that step.
pub fn title<'a>(method: &'a str, preprocess: &'a [String]) -> &'a str {
    let each = preprocess.iter().find(|step| *step == Preprocess::StandardizeEach.name());
    each.filter(|_| method == NO_TRANSFER.name).map_or(method, |step| step)
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
    /// Expected score of what is written: accuracy, or R².
    #[serde(default)]
    pub expected: Option<Estimate>,
    /// The accuracy that is reached at least in 19 of 20 tasks.
    #[serde(default)]
    pub floor: Option<f64>,
    /// What the guard says.
    pub verdict: Verdict,
    /// Why, in a sentence or two.
    pub reason: String,
    /// Whether classes count alike, as one is rare: gains are of balanced accuracy.
    #[serde(default)]
    pub balanced: bool,
    /// The estimated gain of the best candidate over the best baseline: accuracy, or R².
    pub gain: Estimate,
    /// The gain as it turned out, where the target has labels to score with.
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

/// What [`choose`] found.
pub struct Chosen {
    /// The verdict and what it rests on.
    pub choice: Choice,
    /// What takes nothing from the target.
    pub baseline: Proposal,
    /// The best of the others; absent if none could be tried.
    pub candidate: Option<Proposal>,
}

/// What the choice is asked to keep to.
pub struct Wishes<'a> {
    /// Preprocessing steps.
    pub steps: &'a [Preprocess],
    /// The learner, where one is asked for.
    pub learner: Option<&'a str>,
    /// The one that is judged instead of the vote.
    pub only: Option<Configuration>,
    /// How the target's columns lie to the source's, where the user knows it.
    pub assume: Option<Reading>,
    /// Single models instead of votes, ordered by this validator unless labelled target rows judge.
    pub single: Option<Box<dyn Validator>>,
}

/// The fewest rows of each side that a verdict is reached on.
const FEWEST: usize = 10;

/// The most rows of each side that candidates are fitted on.
const MOST: usize = 1000;

/// Looks at the sources, where there are several, leaves out those that others contradict, and chooses with the rest.
///
/// Fits the candidates on a part of the task, all of it where it is small, and counts their votes against that of the
/// learners that take nothing from the target. Where at least ten target rows are labelled, these judge instead.
///
/// # Errors
/// [`Error::Unknown`](crate::error::Error::Unknown) for a learner that there is not; [`Error::Numeric`](crate::error::Error::Numeric) if a covariance
/// breaks down.
pub fn choose(task: &Task, wishes: Wishes<'_>, context: &mut Context) -> Result<Chosen> {
    if task.parts.len() < 2 {
        return choose_of_one(task, wishes, context);
    }
    context.progress("looking at each source", 0, 0);
    let sources = Sources::of(task, wishes.steps, context)?;
    let mut chosen = if sources.kept.iter().all(|kept| *kept) {
        choose_of_one(task, wishes, context)?
    } else {
        choose_of_one(&sources::kept_of(task, &sources.kept), wishes, context)?
    };
    let choice = &mut chosen.choice;
    choice.sources = sources.worth;
    let judged = choice.rows.0 == 0;
    if let (Some((one, other)), false) = (sources.open, judged) {
        choice.verdict = Verdict::CannotTell;
        choice.reason = format!(
            "`{one}` and `{other}` contradict each other, and nothing tells which of them holds; the former is learnt from."
        );
    }
    Ok(chosen)
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

    /// The task without the sources that were left out.
    pub(crate) fn kept_of(&self, task: Task) -> Task {
        let kept: Vec<bool> = self.sources.iter().map(|source| source.left_out.is_none()).collect();
        if kept.iter().all(|kept| *kept) { task } else { sources::kept_of(&task, &kept) }
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

/// The choice where all rows of the source count as one.
fn choose_of_one(task: &Task, wishes: Wishes<'_>, context: &mut Context) -> Result<Chosen> {
    let start = Instant::now();
    match task.target.labelled.len() {
        0 => {}
        count if count < FEWEST => {
            let text = format!("{count} labelled target rows cannot judge, {FEWEST} can: the votes decide");
            context.note("validation", text);
        }
        count if !differ(&task.target.labels) => {
            let text = format!(
                "the {count} labelled target rows bear the same label and cannot judge: the votes decide"
            );
            context.warn("validation", text);
        }
        _ => return labelled::choose_by_labels(task, wishes, context),
    }
    let all = task.source.rows().max(task.target.rows()) <= MOST;
    let drawn;
    let task = if all {
        task
    } else {
        drawn = task.draw(MOST, &mut context.rng("validation"));
        &drawn
    };
    let rows = (task.source.rows(), task.target.rows());
    if rows.0.min(rows.1) < FEWEST {
        let reason = format!("A verdict needs at least {FEWEST} rows on each side.");
        leaders_of(task, context);
        let plain = candidates::plain(task, wishes.steps, wishes.learner)?.swap_remove(0);
        return Ok(undecided(reason, rows, Proposal::one(plain)));
    }
    let election = election(task, wishes, if all { Keep::Whole } else { Keep::Part }, context)?;
    let counted = election.count()?;
    let chosen = election.chosen(counted);
    let choice = Choice { rows, seconds: start.elapsed().as_secs_f64(), ..chosen.choice };
    Ok(Chosen { choice, ..chosen })
}

/// Reads the columns, learns the source and fits all that votes; `keep` says whether the task is all there is.
fn election<'a>(
    task: &'a Task,
    wishes: Wishes<'_>,
    keep: Keep,
    context: &mut Context,
) -> Result<Election<'a>> {
    let Wishes { steps, learner, only, assume, single } = wishes;
    let leaders = leaders_of(task, context);
    let plain = candidates::plain(task, steps, learner)?;
    context.progress("looking how the rows lie to each other", 0, 0);
    let units = match assume {
        Some(reading) => Units::assumed(reading),
        None => units::read(task, &mut context.rng("units"))?,
    };
    let learnable = Learnable::of(&plain, task, &leaders, context)?;
    let best = plain[learnable.best()].with.clone();
    let (first, mut reading) = (plain.len(), units.reading);
    let mut others = candidates::voters(task, reading, steps, learner, &best, context)?;
    let plain = fit_each(plain, task, keep, (0, first + others.len()), context);
    let overlooked = matches!(reading, Reading::SameUnits | Reading::NotIdentifiable)
        && assume.is_none()
        && overlook_a_rare_class(&plain, task);
    if overlooked {
        reading = Reading::Rescaled;
        others = candidates::voters(task, reading, steps, learner, &best, context)?;
    }
    let asked = only.is_some().then_some(others.len());
    others.extend(only);
    let count = first + others.len();
    let others = fit_each(others, task, keep, (first, count), context);
    Ok(Election { task, units, learnable, plain, others, asked, single, overlooked })
}

/// Whether there are two labels at least.
fn differ(labels: &Labels) -> bool {
    match labels {
        Labels::Classes(of) => of.iter().any(|class| *class != of[0]),
        Labels::Values(of) => of.iter().any(|value| *value != of[0]),
    }
}

/// The copies among the source rows, which are named.
fn leaders_of(task: &Task, context: &mut Context) -> Vec<usize> {
    let parts: Vec<Range<usize>> = task.parts.iter().map(|(_, range)| range.clone()).collect();
    let leaders = copies_of_parts(task.source.features.as_ref(), &parts);
    note_copies(&leaders, &task.source.labels, "source rows are copies of others, or nearly", context);
    leaders
}

/// Whether all plain learners say the same of nearly all target rows though the source has a class that is rare: by balanced
/// accuracy that is hardly better than chance.
fn overlook_a_rare_class(plain: &[Fitted], task: &Task) -> bool {
    let Labels::Classes(of) = &task.source.labels else { return false };
    let mut counts = vec![0usize; task.goal.classes()];
    for &class in of {
        counts[class] += 1;
    }
    let shares = counts.iter().map(|count| *count as f64 / of.len() as f64);
    let Some(rare) = shares.filter(|share| *share > 0.0 && *share < RARE).reduce(f64::min) else {
        return false;
    };
    plain.iter().filter_map(Fitted::heard).all(|answers| {
        let said = answers.iter().map(|answer| *answer as usize);
        most_frequent(said, counts.len()) >= 1.0 - OVERLOOKED * rare
    })
}

/// The part of a rare class below which it is overlooked.
const OVERLOOKED: f64 = 0.2;

/// The share of the labels below which a class is rare.
const RARE: f64 = 0.1;

/// Nothing could be compared.
fn undecided(reason: String, rows: (usize, usize), baseline: Proposal) -> Chosen {
    Chosen { choice: unknown(reason, rows), baseline, candidate: None }
}

/// The choice where nothing is known.
fn unknown(reason: String, rows: (usize, usize)) -> Choice {
    Choice {
        units: None,
        signs: None,
        expected: None,
        floor: None,
        verdict: Verdict::CannotTell,
        reason,
        balanced: false,
        gain: Estimate { value: 0.0, low: -1.0, high: 1.0 },
        true_gain: None,
        rows,
        sources: Vec::new(),
        assumptions: Vec::new(),
        candidates: Vec::new(),
        seconds: 0.0,
    }
}
