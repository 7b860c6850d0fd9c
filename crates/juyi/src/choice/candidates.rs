//! What is tried: baselines that take nothing from the target, and every method that can serve the task, with the
//! parameters of its grid.

use serde_json::Map as JsonMap;

use super::units::Reading;
use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::Result;
use crate::learners::{LEARNERS, Learner, LearnerRow, learner, row_of_asked};
use crate::methods::{
    Built, Family, Goals, LearnerNeed, METHODS, MethodRow, NO_TRANSFER, SourceNeed, TARGET_ONLY, build,
};
use crate::models::Preprocess;

/// A method with all that its fit needs.
pub struct Configuration {
    /// The method.
    pub built: Built,
    /// The learner that it trains.
    pub learner: Box<dyn Learner>,
    /// How that learner is [asked for](learner): its name, and its parameters where they are not the defaults.
    pub with: String,
    /// The preprocessing.
    pub steps: Vec<Preprocess>,
    /// Whether it takes nothing from the target's features.
    pub baseline: bool,
    /// Whether the learner is trained at all.
    pub trains_learner: bool,
}

impl Configuration {
    /// The method of this name with some parameters.
    ///
    /// # Errors
    /// As [`build`] and [`learner`].
    pub fn new(method: &str, params: &str, with: &str, steps: &[Preprocess]) -> Result<Self> {
        let params = serde_json::from_str(params).unwrap_or_else(|_| JsonMap::new());
        let built = build(method, &params)?;
        let baseline = built.row.family == Family::Baseline && !steps.contains(&Preprocess::StandardizeEach);
        let trains_learner = built.row.trains_learner;
        let (learner, with) = (learner(with)?, with.to_string());
        Ok(Self { built, learner, with, steps: steps.to_vec(), baseline, trains_learner })
    }

    /// The same once more.
    ///
    /// # Errors
    /// As [`Configuration::new`].
    pub fn again(&self) -> Result<Self> {
        let one = Self::new(self.built.row.name, &self.built.params.to_string(), &self.with, &self.steps)?;
        Ok(Self { baseline: self.baseline, trains_learner: self.trains_learner, ..one })
    }

    /// Whether it takes nothing from the target and passes over the source a few times only, however many rows it has: a
    /// learner that is no forest, without transfer.
    pub(super) fn is_quick(&self) -> bool {
        let by_column = row_of_asked(&self.with).is_ok_and(|row| row.by_column);
        self.baseline && self.built.row.name == NO_TRANSFER.name && !by_column
    }

    /// The same with the method's own learner for this goal, where none is asked for.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::error::Error::Unknown) for a learner that there is not.
    pub fn for_goal(self, goal: &Goal, asked: Option<&str>) -> Result<Self> {
        let with = asked.unwrap_or(self.built.row.learner_for(goal)).to_string();
        Ok(Self { learner: learner(&with)?, with, ..self })
    }

    /// The method of this name where the sources are models, which bring their own preprocessing.
    ///
    /// # Errors
    /// As [`Configuration::new`].
    pub fn on_models(method: &str, params: &str, with: &str) -> Result<Self> {
        let one = Self::new(method, params, with, &[])?;
        Ok(Self { trains_learner: one.built.row.trains_learner_on_models(), ..one })
    }
}

/// What a method is called in words: `none` on domains that are each standardised by themselves does adapt, and is
/// called after that step.
pub fn title<'a>(method: &'a str, preprocess: &'a [String]) -> &'a str {
    let each = preprocess.iter().find(|step| *step == Preprocess::StandardizeEach.name());
    each.filter(|_| method == NO_TRANSFER.name).map_or(method, |step| step)
}

/// The learners that stand for not transferring, in order.
pub(super) fn plain_learners(goal: &Goal) -> Vec<&'static str> {
    let place =
        |row: &LearnerRow| if *goal == Goal::Value { row.baseline.values } else { row.baseline.classes };
    let mut found: Vec<(u8, &str)> =
        LEARNERS.iter().filter_map(|row| Some((place(row)?, row.name))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).collect()
}

/// Not transferring, with each learner that so many rows allow, or with the one that is asked for.
pub(super) fn plain(task: &Task, steps: &[Preprocess], with: Option<&str>) -> Result<Vec<Configuration>> {
    let learners = fitting(task, with);
    let plain = |with: &&str| Configuration::new(NO_TRANSFER.name, "{}", with, &by_source(steps));
    let mut found: Vec<Configuration> = learners.iter().map(plain).collect::<Result<_>>()?;
    if share_a_unit(task) {
        // On rows of unit length too, where that says something.
        let by_rows = |with: &&&str| row_of_asked(with).is_ok_and(|row| !row.by_column);
        for with in learners.iter().filter(by_rows) {
            found.push(Configuration::new(NO_TRANSFER.name, "{}", with, &[Preprocess::L2])?);
        }
    }
    Ok(found)
}

/// The plain learners that so many rows allow, or the one that is asked for.
fn fitting<'a>(task: &Task, with: Option<&'a str>) -> Vec<&'a str> {
    let fits = |name: &&str| row_of_asked(name).is_ok_and(|row| task.source.rows() <= row.most_rows);
    match with {
        Some(with) => vec![with],
        None => plain_learners(&task.goal).into_iter().filter(fits).collect(),
    }
}

/// The learners trained on the labelled target rows alone, on columns standardised by the target's own rows, and on rows of
/// unit length where all columns share a unit.
pub(super) fn target_only(
    task: &Task,
    steps: &[Preprocess],
    with: Option<&str>,
) -> Result<Vec<Configuration>> {
    let learners = fitting(task, with);
    let mut spaces = vec![by_domain(steps)];
    if share_a_unit(task) {
        spaces.push(vec![Preprocess::L2]);
    }
    let one = |(with, steps): (&str, &Vec<Preprocess>)| {
        let one = Configuration::new(TARGET_ONLY.name, "{}", with, steps)?;
        Ok(Configuration { baseline: true, ..one }) // the source plays no part in its standardisation
    };
    spaces.iter().flat_map(|steps| learners.iter().map(move |with| (*with, steps))).map(one).collect()
}

/// Every other configuration that votes under a reading of the columns: learners on domains that are each standardised, and the
/// methods that have a grid. Adapters are tried with their own learner and with the `best` plain one; those that ask it for
/// pseudo-labels, round by round, with their own.
pub(super) fn voters(
    task: &Task,
    reading: Reading,
    steps: &[Preprocess],
    with: Option<&str>,
    best: &str,
    context: &mut Context,
) -> Result<Vec<Configuration>> {
    let each = by_domain(steps);
    let mut spaces = match reading {
        Reading::SameUnits => vec![by_source(steps)],
        Reading::Rescaled | Reading::NotIdentifiable => vec![each.clone()],
        Reading::Mixed => vec![steps.to_vec(), each.clone()],
    };
    spaces.dedup();
    if reading == Reading::Mixed && share_a_unit(task) {
        spaces.push(vec![Preprocess::L2]);
    }
    let mut found = Vec::new();
    if matches!(reading, Reading::Rescaled | Reading::NotIdentifiable) && each != by_source(steps) {
        for with in fitting(task, with) {
            found.push(Configuration::new(NO_TRANSFER.name, "{}", with, &each)?);
        }
    }
    let others = |row: &&MethodRow| {
        row.family != Family::Baseline
            && row.needs.source != SourceNeed::Model
            && !row.needs.requires_target_labels()
            // Where the units stand only shares of classes are left to be corrected, elsewhere they are not all that moved.
            && row.needs.shares == (reading == Reading::SameUnits)
    };
    found.extend(on_spaces(METHODS.iter().filter(others), &spaces, task, with, best, context)?);
    Ok(found)
}

/// The methods that cannot do without labels of the target, on columns standardised as asked and each domain by itself.
pub(super) fn taught_by_target(
    task: &Task,
    steps: &[Preprocess],
    with: Option<&str>,
    best: &str,
    context: &mut Context,
) -> Result<Vec<Configuration>> {
    let mut spaces = vec![steps.to_vec(), by_domain(steps)];
    spaces.dedup();
    let taught = |row: &&MethodRow| {
        let needs = &row.needs;
        row.family != Family::Baseline && needs.source != SourceNeed::Model && needs.requires_target_labels()
    };
    on_spaces(METHODS.iter().filter(taught), &spaces, task, with, best, context)
}

/// Those of the methods that serve the task, with the parameters of their grids, in each space.
fn on_spaces(
    rows: impl Iterator<Item = &'static MethodRow>,
    spaces: &[Vec<Preprocess>],
    task: &Task,
    with: Option<&str>,
    best: &str,
    context: &mut Context,
) -> Result<Vec<Configuration>> {
    let mut found = Vec::new();
    for row in rows {
        let too_large = task.source.rows().max(task.target.rows()) > row.most_rows;
        if too_large || !serves(row, task, context) {
            if too_large && !row.grid.tried(&task.goal).is_empty() {
                let text = format!("left out: beyond {} rows it takes too long", row.most_rows);
                context.note(row.name, text);
            }
            continue;
        }
        let own = row.learner_for(&task.goal);
        let mut learners = match with {
            Some(name) if row.trains_learner => vec![name],
            None if row.trains_learner && row.needs.goals == Goals::Any => vec![own, best],
            _ => vec![own],
        };
        learners.dedup();
        learners.retain(|name| suits(row, name, task));
        for params in row.grid.tried(&task.goal) {
            for with in &learners {
                for steps in spaces {
                    found.push(Configuration::new(row.name, params, with, steps)?);
                }
            }
        }
    }
    Ok(found)
}

/// Whether all columns can be taken to share a unit: counts, shares, activations and pixels, none below 0.
fn share_a_unit(task: &Task) -> bool {
    let none_below =
        |domain: &Domain| domain.features.col_iter().all(|column| column.iter().all(|v| *v >= 0.0));
    task.columns() >= FEWEST_OF_A_UNIT && none_below(&task.source) && none_below(&task.target)
}

/// Fewer columns are rarely of one kind.
const FEWEST_OF_A_UNIT: usize = 20;

/// The steps with each domain standardised by itself.
fn by_domain(steps: &[Preprocess]) -> Vec<Preprocess> {
    let each = |step: &Preprocess| match step {
        Preprocess::Standardize => Preprocess::StandardizeEach,
        step => *step,
    };
    steps.iter().map(each).collect()
}

/// The steps without what is taken from the target.
pub fn by_source(steps: &[Preprocess]) -> Vec<Preprocess> {
    let alone = |step: &Preprocess| match step {
        Preprocess::StandardizeEach => Preprocess::Standardize,
        step => *step,
    };
    steps.iter().map(alone).collect()
}

/// Whether the method can serve the task; its notes are not wanted here.
fn serves(row: &MethodRow, task: &Task, context: &Context) -> bool {
    row.needs.check(row, task, &mut context.aside()).is_ok()
}

/// Whether a learner can be trained by the method on this task.
fn suits(row: &MethodRow, name: &str, task: &Task) -> bool {
    row_of_asked(name).is_ok_and(|learner| {
        let serves = match row.needs.learner {
            LearnerNeed::Any => true,
            LearnerNeed::Weighs => learner.weighs,
            LearnerNeed::Trees => learner.leaves_trees,
        };
        serves && (task.goal != Goal::Value || learner.regresses)
    })
}
