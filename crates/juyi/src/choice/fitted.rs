//! Candidates fitted once, with what they say of the target rows that were drawn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use faer::MatRef;
use rayon::prelude::*;

use super::budget::{Budget, cheap_first};
use super::candidates::Configuration;
use crate::context::Context;
use crate::data::{Goal, Task};
use crate::error::Result;
use crate::methods::fit;
use crate::models::{Map, Model, Preprocess, predict, preprocess};

/// A candidate that was fitted.
pub(super) struct Fitted {
    pub(super) configuration: Configuration,
    /// Its answers for the target rows, as the goal's classes or numbers.
    pub(super) answers: Result<Vec<f64>>,
    /// Its model, where it is kept.
    pub(super) model: Option<Model>,
    /// Whether the model was fitted on all rows.
    pub(super) whole: bool,
    /// Time of the fit.
    pub(super) seconds: f64,
}

/// The models of fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// None is kept.
    None,
    /// They are kept, and the task is a part of what there is.
    Part,
    /// They are kept, and the task is all there is.
    Whole,
}

/// The model of a voter before all rows were seen.
#[derive(Debug, Clone)]
pub enum Standby {
    /// There is none: it is fitted.
    None,
    /// It is fitted again on all rows, unless memory does not allow that.
    Spare(Model),
    /// It need not be fitted again: it saw all rows, or it would hold them or take minutes.
    Kept(Model),
}

/// Fits each configuration on the task; `keep` says what becomes of their models. `progress` says how many were fitted before, and how
/// many there are in all.
pub(super) fn fit_each(
    configurations: Vec<Configuration>,
    task: &Task,
    keep: Keep,
    progress: (usize, usize),
    context: &Context,
) -> Vec<Fitted> {
    fit_in_time(configurations, task, keep, None, progress, context)
}

/// The same, but for those that are not begun within the budget: the ones that take least time are begun first.
pub(super) fn fit_in_time(
    configurations: Vec<Configuration>,
    task: &Task,
    keep: Keep,
    budget: Option<Budget>,
    (before, count): (usize, usize),
    context: &Context,
) -> Vec<Fitted> {
    let done = AtomicUsize::new(before);
    let mut spaces: Vec<(Vec<Preprocess>, Task, Vec<Map>)> = Vec::new();
    for configuration in &configurations {
        if !spaces.iter().any(|(steps, ..)| *steps == configuration.steps) {
            let (task, maps) = preprocess(task.clone(), &configuration.steps, &mut context.aside());
            spaces.push((configuration.steps.clone(), task, maps));
        }
    }
    let one = |configuration: &Configuration| {
        let start = Instant::now();
        let (_, task, maps) =
            spaces.iter().find(|(steps, ..)| *steps == configuration.steps).expect("made above");
        let in_time = budget.map_or(Ok(()), |budget| budget.check());
        let (answers, model) = match in_time.and_then(|()| answered(configuration, task, maps, context)) {
            Ok((answers, model)) => (Ok(answers), (keep != Keep::None).then_some(model)),
            Err(error) => (Err(error), None),
        };
        context.progress("comparing methods", done.fetch_add(1, Ordering::Relaxed) + 1, count);
        (answers, model, start.elapsed().as_secs_f64())
    };
    let fits: Vec<_> = if budget.is_none() {
        configurations.par_iter().map(one).collect()
    } else {
        let (order, next) = (cheap_first(&configurations), AtomicUsize::new(0));
        let begun = |_| {
            let k = order[next.fetch_add(1, Ordering::Relaxed)];
            (k, one(&configurations[k]))
        };
        let mut fits: Vec<_> = (0..order.len()).into_par_iter().map(begun).collect();
        fits.sort_by_key(|(k, _)| *k);
        fits.into_iter().map(|(_, fit)| fit).collect()
    };
    let fitted = |(configuration, (answers, model, seconds))| Fitted {
        configuration,
        answers,
        model,
        whole: keep == Keep::Whole,
        seconds,
    };
    configurations.into_iter().zip(fits).map(fitted).collect()
}

/// The fitted model, and its answers for the target rows of a task that went through `maps`.
fn answered(
    candidate: &Configuration,
    task: &Task,
    maps: &[Map],
    context: &Context,
) -> Result<(Vec<f64>, Model)> {
    let context = &mut context.aside(); // the notices of these fits are not those of the run
    let model = fit(&candidate.built, task, candidate.learner.as_ref(), maps.to_vec(), context)?;
    let answers = said(&model, maps.len(), task.target.features.as_ref(), &task.goal);
    Ok((answers, model))
}

/// What a model says of target rows that went through the first `before` of its maps: classes of `goal`, or numbers.
pub(super) fn said(model: &Model, before: usize, rows: MatRef<'_, f64>, goal: &Goal) -> Vec<f64> {
    let mut answers = predict(&model.maps[before..], &model.predictor, rows).answer;
    if let (Goal::Classes(own), Goal::Classes(all)) = (&model.goal, goal) {
        let positions: Vec<f64> =
            own.iter().map(|class| all.iter().position(|name| name == class).unwrap_or(0) as f64).collect();
        for answer in answers.iter_mut().filter(|answer| answer.is_finite()) {
            *answer = positions[*answer as usize];
        }
    }
    answers
}

impl Fitted {
    /// Its model as one that votes with it has it.
    pub(super) fn standing(&mut self) -> Standby {
        let again = !self.whole && self.configuration.built.row.most_rows == usize::MAX;
        match self.model.take() {
            Some(model) if again && !model.about.stores_rows => Standby::Spare(model),
            Some(model) => Standby::Kept(model),
            None => Standby::None,
        }
    }

    /// Its answers, where it was fitted and every row has one.
    pub(super) fn heard(&self) -> Option<&[f64]> {
        let answers = self.answers.as_deref().ok()?;
        answers.iter().all(|answer| answer.is_finite()).then_some(answers)
    }

    /// Whether it can vote for transfer: it answers, and does not say the same of all rows.
    pub(super) fn speaks(&self) -> bool {
        self.heard().is_some_and(|answers| answers.iter().any(|answer| *answer != answers[0]))
    }
}
