//! Candidates fitted once, with what they say of the target rows that were drawn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;

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
    /// Its model, where that is of use: where it was fitted on all rows.
    pub(super) model: Option<Model>,
    /// Time of the fit.
    pub(super) seconds: f64,
}

/// Fits each configuration on the task; their models are kept if `keep`. `progress` says how many were fitted before, and how
/// many there are in all.
pub(super) fn fit_each(
    configurations: Vec<Configuration>,
    task: &Task,
    keep: bool,
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
    let one = |configuration: Configuration| {
        let start = Instant::now();
        let (_, task, maps) =
            spaces.iter().find(|(steps, ..)| *steps == configuration.steps).expect("made above");
        let (answers, model) = match answered(&configuration, task, maps, context) {
            Ok((answers, model)) => (Ok(answers), keep.then_some(model)),
            Err(error) => (Err(error), None),
        };
        context.progress("comparing methods", done.fetch_add(1, Ordering::Relaxed) + 1, count);
        Fitted { configuration, answers, model, seconds: start.elapsed().as_secs_f64() }
    };
    configurations.into_par_iter().map(one).collect()
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
    let own = &model.maps[maps.len()..];
    let mut answers = predict(own, &model.predictor, task.target.features.as_ref()).answer;
    if let (Goal::Classes(own), Goal::Classes(all)) = (&model.goal, &task.goal) {
        let positions: Vec<f64> =
            own.iter().map(|class| all.iter().position(|name| name == class).unwrap_or(0) as f64).collect();
        for answer in answers.iter_mut().filter(|answer| answer.is_finite()) {
            *answer = positions[*answer as usize];
        }
    }
    Ok((answers, model))
}

impl Fitted {
    /// Whether it can vote: it was fitted, every row has an answer, and it does not say the same of all rows.
    pub(super) fn speaks(&self) -> bool {
        self.answers.as_ref().is_ok_and(|answers| {
            answers.iter().all(|answer| answer.is_finite())
                && answers.first().is_some_and(|first| answers.iter().any(|answer| answer != first))
        })
    }
}
