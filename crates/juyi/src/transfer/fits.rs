//! Steps 3 and 4: each configuration fitted on the whole task, with what is to be said of it.

use std::time::Instant;

use super::asked::Asked;
use super::figures;
use super::truth::Truth;
use crate::choice::{Configuration, Proposal};
use crate::context::Context;
use crate::data::{Goal, Task};
use crate::error::Result;
use crate::linalg::{Matrix, select_rows};
use crate::methods::{Shown, drawn, fit_and_show};
use crate::models::{Answers, Map, Model, Predictor, Preprocess, preprocess};
use crate::report::{FitFacts, Point, thousands};

/// What is to be written, fitted.
pub(super) struct Fits {
    pub(super) all: Vec<Ran>,
    /// Some rows in the plane, as the preprocessing of the first that is no vote has them; standardised where all are
    /// votes.
    pub(super) before: Vec<Point>,
    /// The same as the last configuration's learner sees them; empty if nothing moved.
    pub(super) after: Vec<Point>,
}

/// The most rows on which a vote that is not written is scored.
const MOST_SCORED: usize = 20_000;

/// Fits what is tried, each on the whole task; `written` says which of them is written.
pub(super) fn fit_each(
    task: Task,
    (all, written): (&[Proposal], usize),
    truth: &Truth,
    asked: &Asked<'_>,
    context: &mut Context,
) -> Result<Fits> {
    let mut space = Space { raw: Some(task), ready: None };
    let (mut before, mut fits) = (None, Fits { all: Vec::new(), before: Vec::new(), after: Vec::new() });
    for (k, one) in all.iter().enumerate() {
        let Some(configuration) = one.only() else {
            fits.all.push(run_vote((one, k == written), &mut space, truth, asked, context)?);
            continue;
        };
        let steps = &configuration.steps[..];
        // A vote needs the rows as they are, another configuration other steps.
        let again = all[k + 1..].iter().any(|later| later.only().is_none_or(|own| own.steps != steps));
        let (task, maps) = space.preprocessed(steps, again, context)?;
        if before.is_none() {
            before = Some(figures::scatter(task, &[], None, context));
        }
        let (ran, moved) = run_one(configuration, task, maps, truth, asked, context)?;
        let own = &ran.model.maps[maps.len()..];
        // Of a method that maps target rows alone, nobody knows where source rows would go.
        let first = all.iter().find_map(Proposal::only);
        if moved.is_some() || (own.is_empty() && first.is_some_and(|first| first.steps != steps)) {
            fits.after = figures::scatter(task, own, moved, context);
        }
        fits.all.push(ran);
    }
    // Where all are votes the rows are as they were.
    fits.before =
        before.or_else(|| space.raw.as_ref().map(|raw| standardized(raw, context))).unwrap_or_default();
    Ok(fits)
}

/// Some rows of a task in the plane, its columns standardised: only those rows are copied.
fn standardized(task: &Task, context: &mut Context) -> Vec<Point> {
    let map = Map::standardize_noting(&task.source.features, context);
    let mut some = task.select(&drawn(task.source.rows()), &drawn(task.target.rows()));
    some.source.features = map.apply_in_place(some.source.features);
    some.target.features = map.apply_in_place(some.target.features);
    figures::scatter(&some, &[], None, context)
}

/// The task, as it is and as the last preprocessing has it.
struct Space {
    raw: Option<Task>,
    ready: Option<(Vec<Preprocess>, Task, Vec<Map>)>,
}

impl Space {
    /// The task after these steps, and their maps. Where the rows are not needed `again` they are not copied.
    fn preprocessed(
        &mut self,
        steps: &[Preprocess],
        again: bool,
        context: &mut Context,
    ) -> Result<(&Task, &[Map])> {
        if self.ready.as_ref().is_none_or(|(done, ..)| done != steps) {
            self.ready.take(); // one copy of the features at a time
            let task = match &self.raw {
                Some(task) if again => {
                    context.require("a second copy of the features", task.bytes())?;
                    task.clone()
                }
                _ => self.raw.take().expect("it is given up for the last steps only"),
            };
            let (task, maps) = preprocess(task, steps, context);
            self.ready = Some((steps.to_vec(), task, maps));
        }
        let (_, task, maps) = self.ready.as_ref().expect("made above");
        Ok((task, maps))
    }
}

/// The vote of several configurations: each fitted on the whole task, unless it has its model already. One that is not written
/// is scored on some rows where these are many.
fn run_vote(
    (vote, written): (&Proposal, bool),
    space: &mut Space,
    truth: &Truth,
    asked: &Asked<'_>,
    context: &mut Context,
) -> Result<Ran> {
    let start = Instant::now();
    space.ready.take();
    let raw = space.raw.as_ref().expect("it is kept for votes");
    let model = vote.fit(raw, context)?;
    let target = raw.target.features.as_ref();
    let carries = format!("{}, learnt from {} source rows", carries(&model, 0), raw.source.rows());
    if !written && truth.rows.len() > MOST_SCORED {
        let (rows, some) = truth.some(MOST_SCORED);
        let text = format!(
            "`{}`, which is not written, is scored on {} of {} labelled target rows",
            vote.name,
            thousands(rows.len()),
            thousands(truth.rows.len())
        );
        context.note("scores", text);
        let answers = model.predict_within(select_rows(target, &rows).as_ref(), context)?;
        let ran = Ran::new(None, model, answers, carries, start, &some, &raw.goal, context);
        return Ok(Ran { confusion: None, ..ran }); // counts of other rows would stand beside it
    }
    let answers = model.predict_within(target, context)?;
    asked.check(&answers, target, &[])?;
    Ok(Ran::new(None, model, answers, carries, start, truth, &raw.goal, context))
}

/// What one method leaves.
pub(super) struct Ran {
    pub(super) model: Model,
    pub(super) facts: FitFacts,
    /// For the target rows.
    pub(super) answers: Answers,
    /// How often each class was predicted for each true class.
    pub(super) confusion: Option<Vec<Vec<usize>>>,
    /// One for each source row, as the learner saw it, where the method weighs them.
    pub(super) weights: Option<Vec<f64>>,
}

/// One method on one preprocessed task; beside it some source rows as the learner saw them, where it moves rows.
fn run_one(
    configuration: &Configuration,
    task: &Task,
    maps: &[Map],
    truth: &Truth,
    asked: &Asked<'_>,
    context: &mut Context,
) -> Result<(Ran, Option<Matrix>)> {
    let Configuration { built, learner, .. } = configuration;
    context.progress(&format!("fitting {}", built.row.name), 0, 0);
    let start = Instant::now();
    let Shown { model, moved, weights, effective_rows } =
        fit_and_show(built, task, learner.as_ref(), maps.to_vec(), context)?;
    // The task's rows have been through the preprocessing already.
    let target = task.target.features.as_ref();
    let answers = crate::models::predict(&model.maps[maps.len()..], &model.predictor, target);
    asked.check(&answers, target, &[])?;
    let carries = format!("{}, learnt from {} source rows", carries(&model, maps.len()), task.source.rows());
    let mut ran = Ran::new(Some(configuration), model, answers, carries, start, truth, &task.goal, context);
    ran.facts.effective_rows = effective_rows;
    ran.weights = weights;
    Ok((ran, moved))
}

impl Ran {
    /// What is to be said of a model that began to be fitted at `start`, of a configuration or of a vote.
    #[expect(clippy::too_many_arguments, reason = "the parts of a record")]
    pub(super) fn new(
        configuration: Option<&Configuration>,
        model: Model,
        answers: Answers,
        carries: String,
        start: Instant,
        truth: &Truth,
        goal: &Goal,
        context: &mut Context,
    ) -> Self {
        let scores = truth.score(&model.goal, &answers, context);
        let steps = configuration.map_or(&[][..], |own| &own.steps);
        let facts = FitFacts {
            method: model.about.method.clone(),
            params: model.about.params.clone(),
            learner: model.about.learner.as_ref().and(configuration).map(|own| own.with.clone()),
            preprocess: steps.iter().map(|step| step.name().to_string()).collect(),
            carries,
            stores_rows: model.about.stores_rows,
            effective_rows: None,
            scores,
            seconds: start.elapsed().as_secs_f64(),
        };
        let confusion = figures::confusion(truth, goal, &model.goal, &answers);
        Self { model, facts, answers, confusion, weights: None }
    }
}

/// What a model carries over, in words.
pub(super) fn carries(model: &Model, before: usize) -> String {
    let added = |map: &Map| if let Map::Append { matrix, .. } = map { matrix.ncols() } else { 0 };
    let place = |map: &Map| match map {
        Map::Project { matrix } => Some(format!(", in {} shared dimensions", matrix.ncols())),
        Map::KernelProject { coefficients, .. } => {
            Some(format!(", in {} shared dimensions", coefficients.ncols()))
        }
        Map::Append { .. } => {
            let added: usize = model.maps[before..].iter().map(added).sum();
            Some(format!(", with {added} columns more"))
        }
        Map::Augment { blocks } => Some(format!(", in {} copies of the columns", blocks.len())),
        _ => None,
    };
    let through: String = model.maps[before..].iter().find_map(place).unwrap_or_default();
    format!("{}{through}", named(&model.predictor))
}

/// A predictor, in words.
fn named(predictor: &Predictor) -> String {
    match predictor {
        Predictor::Linear { .. } => "a linear predictor".to_string(),
        Predictor::Neighbors { rows, k: 1, .. } => format!("{} labelled rows as neighbours", rows.nrows()),
        Predictor::Neighbors { rows, k, .. } => {
            format!("{} labelled rows as neighbours, the nearest {k} of which decide", rows.nrows())
        }
        Predictor::ClassMeans { means, .. } => format!("{} class means", means.nrows()),
        Predictor::Propagation { rows, .. } => format!("labels spread over {} rows", rows.nrows()),
        Predictor::Kernel(votes) => format!("a kernel on {} support rows", votes.rows.nrows()),
        Predictor::Trees(trees) if !trees.rule.is_mean() => {
            // A tree that does not part rows is where the others start.
            format!("{} boosted trees", trees.counts.iter().filter(|&&count| count > 1).count())
        }
        Predictor::Trees(trees) if trees.counts.len() == 1 => {
            format!("a tree of {} leaves", trees.nodes.nrows().div_ceil(2))
        }
        Predictor::Trees(trees) => format!("a forest of {} trees", trees.counts.len()),
        Predictor::Vote(votes) => {
            let most = votes.members.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
            let most = most.map(|member| named(&member.predictor)).unwrap_or_default();
            format!("a vote of {}, the weightiest {most}", votes.members.len())
        }
        Predictor::Stacked(stacked) => {
            format!("{} that sees the answers of {}", named(&stacked.second), named(&stacked.first))
        }
    }
}
