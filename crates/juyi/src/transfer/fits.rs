//! Steps 3 and 4: each configuration fitted on the whole task, with what is to be said of it.

use std::time::Instant;

use super::asked::Asked;
use super::figures;
use super::truth::Truth;
use crate::choice::{Configuration, Proposal};
use crate::context::Context;
use crate::data::{Goal, Task};
use crate::error::Result;
use crate::linalg::Matrix;
use crate::methods::{Shown, fit_and_show};
use crate::models::{Answers, Map, Model, Predictor, Preprocess, preprocess};
use crate::report::{FitFacts, Point};

/// What is to be written, fitted.
pub(super) struct Fits {
    pub(super) all: Vec<Ran>,
    /// Some rows in the plane, as the preprocessing of the first that is no vote has them; standardised where all are
    /// votes.
    pub(super) before: Vec<Point>,
    /// The same as the last configuration's learner sees them; empty if nothing moved.
    pub(super) after: Vec<Point>,
}

/// Fits what is to be written, each on the whole task.
pub(super) fn fit_each(
    task: Task,
    all: &[Proposal],
    truth: &Truth,
    asked: &Asked<'_>,
    context: &mut Context,
) -> Result<Fits> {
    let mut space = Space { raw: Some(task), ready: None };
    let mut fits = Fits { all: Vec::new(), before: Vec::new(), after: Vec::new() };
    // A vote needs the rows as they are; after the last of them they may become what one configuration asks.
    let last_vote = all.iter().rposition(|written| written.only().is_none());
    for (k, written) in all.iter().enumerate() {
        let votes_later = last_vote.is_some_and(|last| last >= k);
        let Some(configuration) = written.only() else {
            fits.all.push(run_vote(written, &mut space, truth, asked, context)?);
            continue;
        };
        let steps = &configuration.steps[..];
        let others = all[k + 1..].iter().filter_map(Proposal::only);
        let again = votes_later || others.into_iter().any(|later| later.steps != steps);
        let (task, maps) = space.preprocessed(steps, again, context)?;
        if fits.before.is_empty() {
            fits.before = figures::scatter(task, &[], None, context);
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
    if fits.before.is_empty() {
        let (task, _) = space.preprocessed(&[Preprocess::Standardize], true, context)?;
        fits.before = figures::scatter(task, &[], None, context);
    }
    Ok(fits)
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

/// The vote of several configurations: each fitted on the whole task, unless it has its model already.
fn run_vote(
    written: &Proposal,
    space: &mut Space,
    truth: &Truth,
    asked: &Asked<'_>,
    context: &mut Context,
) -> Result<Ran> {
    let start = Instant::now();
    space.ready.take();
    let raw = space.raw.as_ref().expect("it is kept for votes");
    let model = written.fit(raw, context)?;
    let target = raw.target.features.as_ref();
    let answers = model.predict_within(target, context)?;
    asked.check(&answers, target, &[])?;
    let carries = format!("{}, learnt from {} source rows", carries(&model, 0), raw.source.rows());
    let facts = FitFacts {
        method: written.name.into(),
        params: model.about.params.clone(),
        learner: None,
        preprocess: Vec::new(),
        carries,
        stores_rows: model.about.stores_rows,
        effective_rows: None,
        scores: truth.score(&model.goal, &answers, context),
        seconds: start.elapsed().as_secs_f64(),
    };
    let confusion = figures::confusion(truth, &raw.goal, &model.goal, &answers);
    Ok(Ran { model, facts, answers, confusion, weights: None })
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
    let mut ran = Ran::new(configuration, model, answers, carries, start, truth, &task.goal, context);
    ran.facts.effective_rows = effective_rows;
    ran.weights = weights;
    Ok((ran, moved))
}

impl Ran {
    /// What is to be said of a model that began to be fitted at `start`.
    #[expect(clippy::too_many_arguments, reason = "the parts of a record")]
    pub(super) fn new(
        configuration: &Configuration,
        model: Model,
        answers: Answers,
        carries: String,
        start: Instant,
        truth: &Truth,
        goal: &Goal,
        context: &mut Context,
    ) -> Self {
        let Configuration { built, steps, .. } = configuration;
        let scores = truth.score(&model.goal, &answers, context);
        let facts = FitFacts {
            method: built.row.name.into(),
            params: built.params.clone(),
            learner: model.about.learner.as_ref().map(|_| configuration.with.clone()),
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
