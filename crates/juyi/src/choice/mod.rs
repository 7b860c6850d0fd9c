//! Which candidate to trust, and whether to transfer at all, without a label of the target.
//!
//! Read in this order: `candidates` for what is tried, `budget` for how long, `fitted` and `ballot` for the vote of it, `units`
//! for how the target's columns lie to the source's, `learnable` for the source, `estimate` for what the vote is worth, `voters`
//! for what they are asked beside, `aggregation` for other weights, `single` for one model instead of a vote, `given` for models
//! that were made elsewhere, `record` for what is told of it; `labelled` where labelled target rows judge, with `held`, `bench`,
//! `figure`, `paired`, `validation`, `resamples`, `judge` and `tried`; `from_models` where
//! sources are models without rows.

mod aggregation;
mod ballot;
mod bench;
mod budget;
mod calibration;
mod candidates;
mod election;
mod estimate;
mod figure;
mod fitted;
mod from_models;
mod given;
mod held;
mod judge;
mod labelled;
mod learnable;
mod paired;
mod proposal;
mod record;
mod resamples;
mod signs;
mod single;
mod sources;
mod tried;
mod units;
mod validation;
mod voters;

pub use aggregation::Weighing;
pub use budget::Budget;
pub use calibration::{Calibration, Seen};
pub use candidates::{Configuration, by_source, title};
pub use fitted::Standby;
pub use from_models::choose_from_models;
pub use judge::{Gain, Judgement, Least, WORTHWHILE, judge};
pub use paired::{exact_gain, exact_share};
pub use proposal::{PLAIN_VOTE, Proposal, VOTE, Voter};
pub use record::{Assumption, Candidate, Choice, Chosen, Heard, Verdict};
pub use resamples::{Resamples, Score};
pub use signs::Signs;
pub use sources::SourceWorth;
pub use units::{Reading, Units};
pub use validation::most_frequent;

use std::ops::Range;
use std::time::Instant;

use crate::context::Context;
use crate::data::{Labels, Task};
use crate::error::Result;
use crate::measures::Figure;
use crate::models::Preprocess;
use crate::splits::{copies_of_parts, note_copies};
use crate::validators::Validator;
use budget::note_left_out;
use election::Election;
use fitted::{Fitted, Keep, fit_each, fit_in_time};
use learnable::Learnable;
use record::undecided;
use sources::Sources;

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
    /// What labelled target rows judge by; `None` for accuracy, balanced accuracy where a class is rare, and R² of numbers.
    pub figure: Option<Figure>,
    /// The time within which candidates are begun; the plain learners always are.
    pub budget: Option<Budget>,
    /// Single models instead of votes, ordered by this validator unless labelled target rows judge.
    pub single: Option<Box<dyn Validator>>,
    /// What a model that is not ours says of each target row, classes by position: it is judged instead of the vote, and no
    /// labelled target row judges.
    pub given: Option<Vec<f64>>,
    /// How those that vote are weighed.
    pub weighing: Weighing,
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

/// The choice where all rows of the source count as one.
fn choose_of_one(task: &Task, mut wishes: Wishes<'_>, context: &mut Context) -> Result<Chosen> {
    let start = Instant::now();
    match task.target.labelled.len() {
        _ if wishes.given.is_some() => {}
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
    note_figure(wishes.figure, context);
    let all = task.source.rows().max(task.target.rows()) <= MOST;
    let drawn;
    let mut target_rows: Vec<usize> = (0..task.target.rows()).collect();
    let task = if all {
        task
    } else {
        let [source, target] = task.draw_rows(MOST, &mut context.rng("validation"));
        wishes.given = wishes.given.map(|said| target.iter().map(|&row| said[row]).collect());
        drawn = task.select(&source, &target);
        target_rows = target;
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
    note_left_out(
        election.others.iter().map(|one| (&one.configuration, one.answers.as_ref().err())),
        context,
    );
    let counted = election.count(context)?;
    let chosen = election.chosen(counted);
    let heard = Heard { rows: target_rows, ..chosen.choice.heard };
    let choice = Choice { rows, heard, seconds: start.elapsed().as_secs_f64(), ..chosen.choice };
    Ok(Chosen { choice, ..chosen })
}

/// Reads the columns, learns the source and fits all that votes; `keep` says whether the task is all there is.
fn election<'a>(
    task: &'a Task,
    wishes: Wishes<'_>,
    keep: Keep,
    context: &mut Context,
) -> Result<Election<'a>> {
    let Wishes { steps, learner, only, assume, figure, budget, single, given, weighing } = wishes;
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
        && overlook_a_rare_class(&plain, task, figure);
    if overlooked {
        reading = Reading::Rescaled;
        others = candidates::voters(task, reading, steps, learner, &best, context)?;
    }
    let asked = only.is_some().then_some(others.len());
    let (own, all) = (first + others.len(), first + others.len() + usize::from(only.is_some()));
    let mut others = fit_in_time(others, task, keep, budget, (first, all), context);
    others.extend(fit_each(only.into_iter().collect(), task, keep, (own, all), context));
    Ok(Election {
        task,
        units,
        learnable,
        leaders,
        plain,
        others,
        asked,
        given,
        single,
        weighing,
        overlooked,
    })
}

/// Says what becomes of a figure that is asked for where no labels judge.
fn note_figure(figure: Option<Figure>, context: &mut Context) {
    let text = match figure {
        None | Some(Figure::Accuracy | Figure::R2) => return,
        Some(Figure::Balanced) => {
            "without labelled target rows estimates are of accuracy: `balanced` decides only where the learners that do not \
             transfer overlook a class"
                .to_string()
        }
        Some(figure) => format!(
            "without labelled target rows estimates are of {}, and the verdict rests on them: {} decides nothing",
            if figure.is_of_classes() { "accuracy" } else { "R²" },
            figure.title()
        ),
    };
    context.note("validation", text);
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
/// accuracy that is hardly better than chance. Where that is asked for no class need be rare; where accuracy is, none is.
fn overlook_a_rare_class(plain: &[Fitted], task: &Task, figure: Option<Figure>) -> bool {
    let rare = match figure {
        Some(Figure::Accuracy) => return false,
        Some(Figure::Balanced) => 1.0,
        _ => RARE,
    };
    let Labels::Classes(of) = &task.source.labels else { return false };
    let mut counts = vec![0usize; task.goal.classes()];
    for &class in of {
        counts[class] += 1;
    }
    let shares = counts.iter().map(|count| *count as f64 / of.len() as f64);
    let Some(rarest) = shares.filter(|share| *share > 0.0 && *share < rare).reduce(f64::min) else {
        return false;
    };
    plain.iter().filter_map(Fitted::heard).all(|answers| {
        let said = answers.iter().map(|answer| *answer as usize);
        most_frequent(said, counts.len()) >= 1.0 - OVERLOOKED * rarest
    })
}

/// The part of a rare class below which it is overlooked.
const OVERLOOKED: f64 = 0.2;

/// The share of the labels below which a class is rare.
const RARE: f64 = 0.1;
