//! The main job in four steps: tables in; data, select, initialise, transfer; predictions, a model and a record out.

mod figures;
mod prepare;
mod truth;

use std::time::Instant;

use serde_json::{Map as JsonMap, Value};

use crate::context::Context;
use crate::data::{Goal, Missing, Table, Task};
use crate::error::{Error, Result};
use crate::learners::learner;
use crate::linalg::Matrix;
use crate::measures::Scores;
use crate::methods::{Built, build, fit_and_show};
use crate::models::{Answers, Map, Model, Predictor, Preprocess, preprocess};
use crate::report::{Confusion, Figures, FitFacts, Predictions, Run};
use prepare::{Prepared, identifiers, label_cells, prepare};
use truth::Truth;

/// What labels found in the target are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetLabels {
    /// Scoring after the fit, nothing else.
    Score,
    /// Those that are filled are learnt from.
    Use,
}

/// The kind of label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Classes.
    Classification,
    /// Numbers.
    Regression,
}

/// What the user asks for; [`Settings::default`] is what the command line does unasked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Registry name of the method.
    pub method: String,
    /// The method's parameters that differ from their defaults.
    pub params: JsonMap<String, Value>,
    /// The learner; `None` is the method's own choice.
    pub learner: Option<String>,
    /// Preprocessing steps, in order.
    pub preprocess: Vec<Preprocess>,
    /// The label's column; `None` where the tables know it themselves.
    pub label: Option<String>,
    /// The kind of label; `None` reads it off the labels.
    pub task: Option<TaskKind>,
    /// What target labels are for.
    pub target_labels: TargetLabels,
    /// What is done about missing cells.
    pub missing: Missing,
    /// Columns that are left out.
    pub drop: Vec<String>,
    /// Columns that identify a row: no features, carried to the predictions.
    pub id: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: "jda".into(),
            params: JsonMap::new(),
            learner: None,
            preprocess: vec![Preprocess::Standardize],
            label: None,
            task: None,
            target_labels: TargetLabels::Score,
            missing: Missing::Error,
            drop: Vec::new(),
            id: Vec::new(),
        }
    }
}

/// What [`transfer`] leaves.
pub struct Outcome {
    /// The record.
    pub run: Run,
    /// The fitted model of the method that was asked for.
    pub model: Model,
    /// Its predictions for the target rows.
    pub predictions: Predictions,
}

/// Runs the four steps.
///
/// # Errors
/// [`Error::Input`] for data that cannot be used, [`Error::Unknown`] and [`Error::Param`] for settings,
/// [`Error::Unsuited`] for a method that cannot serve the task, [`Error::Memory`], [`Error::Numeric`].
pub fn transfer(
    sources: Vec<Table>,
    target: Table,
    settings: &Settings,
    context: &mut Context,
) -> Result<Outcome> {
    let started = Instant::now();
    // What can be said of the settings alone is said before the work starts.
    let built = build(&settings.method, &settings.params)?;
    let learner = learner(settings.learner.as_deref().unwrap_or(built.row.learner))?;
    if settings.learner.is_some() && !built.row.adapter {
        context.warn(built.row.name, "trains no learner; `--learner` serves the baseline only");
    }

    // 1 data
    let Prepared { task, encoding, truth, rows, id, pixels, facts } =
        prepare(sources, target, settings, context)?;
    built.row.needs.check(built.row, &task, context)?; // before the baseline is at work
    context.hold(task.bytes());

    // 2 select: the method is the one that was asked for. 3 initialise, 4 transfer: beside it, not transferring.
    // Standardising each domain by itself takes something from the target, so the baseline does not.
    let plain: Vec<Preprocess> = settings
        .preprocess
        .iter()
        .map(|step| if *step == Preprocess::StandardizeEach { Preprocess::Standardize } else { *step })
        .collect();
    let none = build("none", &JsonMap::new())?;
    let (method_task, maps, baseline) = if built.row.name == "none" {
        let (task, maps) = preprocess(task, &settings.preprocess, context);
        (task, maps, None)
    } else if plain == settings.preprocess {
        let (task, maps) = preprocess(task, &plain, context);
        let ran = run_one(&none, &task, learner.as_ref(), &maps, &plain, &truth, context)?;
        (task, maps, Some((ran.facts, ran.confusion)))
    } else {
        context.require("a second copy of the features", task.bytes())?;
        let (alone, maps) = preprocess(task.clone(), &plain, context);
        let ran = run_one(&none, &alone, learner.as_ref(), &maps, &plain, &truth, context)?;
        drop(alone);
        let (task, maps) = preprocess(task, &settings.preprocess, context);
        (task, maps, Some((ran.facts, ran.confusion)))
    };
    let Ran { mut model, facts: chosen, answers, confusion, moved } =
        run_one(&built, &method_task, learner.as_ref(), &maps, &settings.preprocess, &truth, context)?;
    check_answers(&answers, &rows, &facts.1.name)?;
    let (baseline, baseline_confusion) = baseline.unzip();
    let (before, after) = figures::scatter(&method_task, &model.maps[maps.len()..], moved, context);
    let confusion = confusion.map(|chosen| Confusion {
        classes: figures::classes(&truth, &method_task.goal),
        chosen,
        baseline: baseline_confusion.flatten(),
    });
    let pictures =
        pixels.map_or_else(Vec::new, |pixels| pixels.pictures(&rows, &truth, &model.goal, &answers));
    let figures = Figures { before, after, confusion, pictures };
    let features = model.columns;
    let label = encoding.label.clone();
    model.encoding = Some(encoding);
    let (sources, target) = facts;
    let run = Run {
        version: env!("CARGO_PKG_VERSION").into(),
        task: method_task.goal.name().into(),
        label,
        features,
        sources,
        target,
        scored_rows: truth.rows.len(),
        missing: format!("{:?}", settings.missing).to_lowercase(),
        target_labels: format!("{:?}", settings.target_labels).to_lowercase(),
        seed: context.seed(),
        threads: rayon::current_num_threads(),
        memory: context.memory(),
        chosen,
        baseline,
        distances: Vec::new(),
        moved: Vec::new(),
        choice: None,
        figures,
        command: Vec::new(),
        seconds: started.elapsed().as_secs_f64(),
        peak_memory: None,
        notices: context.notices().to_vec(),
    };
    Ok(Outcome { run, model, predictions: Predictions { rows, id, answers } })
}

/// Predicts the rows of a table with a model that was fitted on tables, and scores them where `score` is set and the
/// table has the label's column.
///
/// # Errors
/// [`Error::Input`] if the table does not have what the model needs.
pub fn predict_table(
    model: &Model,
    mut table: Table,
    score: Option<&str>,
    context: &mut Context,
) -> Result<(Predictions, Option<Scores>)> {
    let encoding = model.encoding.as_ref().ok_or_else(|| Error::Unsuited {
        method: model.about.method.clone(),
        problem: "was fitted on bare matrices and does not know tables".into(),
        hint: "fit it with `juyi transfer`".into(),
    })?;
    let truth = score.map(|label| label_cells(&table, label)).transpose()?;
    let id = identifiers(&table, &encoding.id);
    let (features, rows) = encoding.apply(&mut table, context)?;
    if rows.is_empty() {
        return Err(Error::input(
            format!("`{}`", table.name),
            "has no rows to predict",
            "give at least one row",
        ));
    }
    context.require("the predictions", 8 * (rows.len() * model.goal.classes().max(1)) as u64)?;
    let answers = model.predict(features.as_ref());
    check_answers(&answers, &rows, &table.name)?;
    let scores = match truth {
        None => None,
        Some(labels) => {
            let kind =
                if model.goal == Goal::Value { TaskKind::Regression } else { TaskKind::Classification };
            Truth::new(&labels, &rows, kind, &table.name)?.score(&model.goal, &answers, context)
        }
    };
    let id = id
        .into_iter()
        .map(|(name, cells)| (name, rows.iter().map(|&row| cells[row].clone()).collect()))
        .collect();
    Ok((Predictions { rows, id, answers }, scores))
}

/// Refuses answers that overflowed on the way.
fn check_answers(answers: &Answers, rows: &[usize], table: &str) -> Result<()> {
    let finite = |values: &[f64], i: usize| values.get(i).is_none_or(|value| value.is_finite());
    match (0..rows.len()).find(|&i| !finite(&answers.answer, i) || !finite(&answers.confidence, i)) {
        None => Ok(()),
        Some(i) => {
            let hint =
                "it lies beyond all measure of the rows learnt from; look for a column in another unit";
            let thing = format!("`{table}`, row {}", rows[i] + 1);
            Err(Error::input(thing, "its prediction is not finite", hint))
        }
    }
}

/// What one method leaves.
struct Ran {
    model: Model,
    facts: FitFacts,
    /// For the target rows.
    answers: Answers,
    /// How often each class was predicted for each true class.
    confusion: Option<Vec<Vec<usize>>>,
    /// Some source rows as the learner saw them.
    moved: Option<Matrix>,
}

/// One method on one preprocessed task.
fn run_one(
    built: &Built,
    task: &Task,
    learner: &dyn crate::learners::Learner,
    maps: &[Map],
    steps: &[Preprocess],
    truth: &Truth,
    context: &mut Context,
) -> Result<Ran> {
    let start = Instant::now();
    let (model, moved) = fit_and_show(built, task, learner, maps.to_vec(), context)?;
    // The task's rows have been through the preprocessing already.
    let answers =
        crate::models::predict(&model.maps[maps.len()..], &model.predictor, task.target.features.as_ref());
    let scores = truth.score(&model.goal, &answers, context);
    let facts = FitFacts {
        method: built.row.name.into(),
        params: built.params.clone(),
        learner: model.about.learner.clone(),
        preprocess: steps.iter().map(|step| step.name().to_string()).collect(),
        carries: carries(&model, maps.len(), task),
        stores_rows: model.about.stores_rows,
        scores,
        seconds: start.elapsed().as_secs_f64(),
    };
    let confusion = figures::confusion(truth, &task.goal, &model.goal, &answers);
    Ok(Ran { model, facts, answers, confusion, moved })
}

/// What a model carries over, in words.
fn carries(model: &Model, before: usize, task: &Task) -> String {
    let what = match &model.predictor {
        Predictor::Linear { .. } => "a linear predictor".to_string(),
        Predictor::Neighbors { rows, .. } => format!("{} labelled rows as neighbours", rows.nrows()),
        Predictor::ClassMeans { means, .. } => format!("{} class means", means.nrows()),
        Predictor::Propagation { rows, .. } => format!("labels spread over {} rows", rows.nrows()),
    };
    let width = |map: &Map| match map {
        Map::Project { matrix } => Some(matrix.ncols()),
        Map::KernelProject { coefficients, .. } => Some(coefficients.ncols()),
        _ => None,
    };
    let through = match model.maps[before..].iter().find_map(width) {
        Some(k) => format!(", in {k} shared dimensions"),
        None => String::new(),
    };
    format!("{what}{through}, learnt from {} source rows", task.source.rows())
}
