//! The main job in four steps: tables in; data, select, initialise, transfer; predictions, a model and a record out.

mod asked;
mod beyond;
mod degenerate;
mod distances;
mod figures;
mod fits;
mod from_models;
mod labels;
mod prepare;
mod truth;
mod units;

use std::time::Instant;

use serde_json::{Map as JsonMap, Value};

use crate::choice::{Choice, Chosen, Configuration, Verdict, choose, plain};
use crate::context::Context;
use crate::data::{
    Cells, Classes, Encoding, Goal, Missing, Table, Task, read_labels_later, thousands_among_labels,
};
use crate::error::{Error, Result};
use crate::learners::learner;
use crate::measures::{Distance, MovedColumn, Scores};
use crate::methods::{NO_TRANSFER, build};
use crate::models::{Answers, Map, Model, Preprocess, answers_bytes};
use crate::report::{Confusion, DomainFacts, Figures, Predictions, Run};
use asked::Asked;
pub use distances::{Measured, measure};
use figures::Pixels;
use fits::{Fits, Ran, fit_each};
pub use from_models::transfer_models;
use labels::{compare_with_target, label_cells, tell_absent, tell_sentinels};
use prepare::{Prepared, identifiers, of_rows, prepare};
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
    /// Registry name of the method, or `auto`: the candidates are compared, and the guard says whether to transfer.
    pub method: String,
    /// Whether the guard also stands over a method that is asked for by name.
    pub guard: bool,
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
    /// What is done about missing cells; `None` refuses them, or is what the source's model does.
    pub missing: Option<Missing>,
    /// Whether the distances between the domains, and their columns, are measured for the record.
    pub distances: bool,
    /// Columns that are left out.
    pub drop: Vec<String>,
    /// Columns that identify a row: no features, carried to the predictions.
    pub id: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: "auto".into(),
            guard: false,
            params: JsonMap::new(),
            learner: None,
            preprocess: vec![Preprocess::Standardize],
            label: None,
            task: None,
            target_labels: TargetLabels::Score,
            missing: None,
            distances: true,
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
    let named = named(settings, &settings.preprocess, context)?;

    // 1 data
    let Prepared { task, target, encoding, truth, rows, id, pixels, facts, moved } =
        prepare(sources, target, settings, context)?;
    let named = named.map(|named| named.for_goal(&task.goal, settings.learner.as_deref())).transpose()?;
    if let Some(named) = &named {
        named.built.row.needs.check(named.built.row, &task, context)?; // before the baseline is at work
    }
    let ranges = beyond::ranges(&[&task.source.features, &task.target.features]);
    degenerate::tables(&task, &moved, &settings.preprocess, context)?;
    units::units(&task.source.features, &task.target.features, &encoding, &moved, context);
    let learnt = Map::standardize(task.source.features.as_ref()).0;
    units::scales(Some(&learnt), &task.target.features, &encoding, &target.name, context);
    context.hold(task.bytes());
    let mut distances = Vec::new();
    if settings.distances {
        context.progress("measuring distances", 0, 0);
        (distances, _) = distances::distances(&task, context)?;
    }

    // 2 select
    let (mut configurations, choice) = select(named, &task, settings, context)?;
    if refused(choice.as_ref()) && truth.rows.is_empty() {
        configurations.truncate(1); // no label says what the other would have done
    }
    // 3 initialise, 4 transfer: beside it, not transferring.
    let goal = task.goal.clone();
    let asked = Asked { table: &target, rows: &rows, encoding: &encoding };
    let fits = fit_each(&configurations, task, &truth, &asked, context)?;
    let known = Known { goal, encoding, truth, rows, id, pixels, facts, moved, distances, ranges, choice };
    Ok(known.record(fits, settings, started, context))
}

/// The method that is asked for, `None` for `auto`. What can be said of the settings alone is said before the work starts.
fn named(settings: &Settings, steps: &[Preprocess], context: &mut Context) -> Result<Option<Configuration>> {
    match settings.method.as_str() {
        "auto" if !settings.params.is_empty() => {
            let hint = "name the method whose parameters they are with `--method`";
            Err(Error::input("`--set`", "sets parameters, but `auto` tries methods with their own", hint))
        }
        "auto" => {
            settings.learner.as_deref().map(learner).transpose()?;
            Ok(None)
        }
        name => {
            let built = build(name, &settings.params)?;
            let learner = learner(settings.learner.as_deref().unwrap_or(built.row.learner))?;
            if settings.learner.is_some() && !built.row.trains_learner {
                let text = "trains no learner; `--learner` serves the baseline only";
                context.warn(built.row.name, text);
            }
            let (baseline, trains_learner) = (name == NO_TRANSFER.name, built.row.trains_learner);
            Ok(Some(Configuration { baseline, built, learner, steps: steps.to_vec(), trains_learner }))
        }
    }
}

/// Whether the guard said anything but `transfer`.
fn refused(choice: Option<&Choice>) -> bool {
    choice.is_some_and(|choice| choice.verdict != Verdict::Transfer)
}

/// All that is known of a run beside its fits.
struct Known {
    goal: Goal,
    encoding: Encoding,
    truth: Truth,
    rows: Vec<usize>,
    id: Vec<(String, Vec<String>)>,
    pixels: Option<Pixels>,
    facts: (Vec<DomainFacts>, DomainFacts),
    moved: Vec<MovedColumn>,
    distances: Vec<Distance>,
    ranges: Vec<(f64, f64)>,
    choice: Option<Choice>,
}

impl Known {
    /// The record, the model that is written and its predictions. The first fit is that of the baseline, or the only
    /// one.
    fn record(self, fits: Fits, settings: &Settings, started: Instant, context: &mut Context) -> Outcome {
        let Self { goal, encoding, truth, rows, id, pixels, facts, moved, distances, ranges, choice } = self;
        let refused = refused(choice.as_ref());
        let Fits { mut all, before, after } = fits;
        let written = if refused { 0 } else { all.len() - 1 };
        let Ran { mut model, facts: chosen, answers, confusion } = all.remove(written);
        degenerate::answers(chosen.title(), &model.goal, &answers, &facts.0, context);
        let (other, other_confusion) = all.pop().map(|ran| (ran.facts, ran.confusion)).unzip();
        let true_gain = match (&chosen.scores, other.as_ref().and_then(|facts| facts.scores)) {
            (Some(base), Some(scores)) if written == 0 => Some(scores.gain_over(base)),
            (Some(scores), Some(base)) => Some(scores.gain_over(&base)),
            _ => None,
        };
        let choice = choice.map(|choice| Choice { true_gain, ..choice });
        let (baseline, refused) = if written == 0 { (None, other) } else { (other, None) };
        let confusion = confusion.map(|chosen| Confusion {
            classes: figures::classes(&truth, &goal),
            chosen,
            baseline: other_confusion.flatten().filter(|_| baseline.is_some()),
        });
        let pictures =
            pixels.map_or_else(Vec::new, |pixels| pixels.pictures(&rows, &truth, &model.goal, &answers));
        let figures = Figures { before, after, confusion, pictures, ..Figures::default() };
        let features = model.columns;
        let label = encoding.label.clone();
        let missing = format!("{:?}", encoding.missing).to_lowercase();
        model.encoding = Some(encoding);
        model.ranges = ranges;
        let (sources, target) = facts;
        let run = Run {
            format: Run::FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            task: goal.name().into(),
            label,
            features,
            sources,
            target,
            scored_rows: truth.rows.len(),
            scored_by: None,
            missing,
            target_labels: format!("{:?}", settings.target_labels).to_lowercase(),
            seed: context.seed(),
            threads: rayon::current_num_threads(),
            memory: context.memory(),
            chosen,
            baseline,
            refused,
            distances,
            moved,
            choice,
            figures,
            command: Vec::new(),
            seconds: started.elapsed().as_secs_f64(),
            peak_memory: None,
            notices: context.notices().to_vec(),
        };
        Outcome { run, model, predictions: Predictions { rows, id, answers } }
    }
}

/// What is to be fitted: the baseline, then the method that is asked for or trusted. The latter is left out where the
/// guard refuses it and no label could say what it would have done; the former where it was asked for itself.
fn select(
    named: Option<Configuration>,
    task: &Task,
    settings: &Settings,
    context: &mut Context,
) -> Result<(Vec<Configuration>, Option<Choice>)> {
    let with = settings.learner.as_deref();
    match named {
        Some(none) if none.built.row.name == NO_TRANSFER.name && !settings.guard => Ok((vec![none], None)),
        Some(named) if !settings.guard => {
            let baseline =
                Configuration::new(NO_TRANSFER.name, "{}", named.learner.name(), &plain(&named.steps))?;
            Ok((vec![baseline, named], None))
        }
        named => {
            let Chosen { choice, baseline, candidate } =
                choose(task, &settings.preprocess, with, named, context)?;
            Ok((std::iter::once(baseline).chain(candidate).collect(), Some(choice)))
        }
    }
}

/// Leaves the notices that the true classes of a table's rows get beside those of a model, before its rows are predicted.
///
/// # Errors
/// [`Error::Input`] if none of the true ones is a class of the model.
pub fn compare_classes(
    classes: &[String],
    table: &str,
    truth: Vec<Option<String>>,
    context: &mut Context,
) -> Result<()> {
    let rows: Vec<usize> = (0..truth.len()).collect();
    let known = Classes::named(classes.to_vec());
    compare_with_target(&known, (table, &Cells::from_text(truth)), &rows, false, context)
}

/// Scores of the classes that were predicted for the rows of `table` against the true ones, where a row has one, with the
/// notices that labels of a table get.
///
/// # Errors
/// [`Error::Input`] if none of the true ones is a class of the model; [`Error::Memory`].
pub fn score_classes(
    classes: &[String],
    table: &str,
    truth: Vec<Option<String>>,
    answers: &Answers,
    context: &mut Context,
) -> Result<Option<Scores>> {
    let (cells, rows) = (Cells::from_text(truth), (0..answers.answer.len()).collect::<Vec<_>>());
    let table = Table { name: table.into(), ..Table::default() };
    scores(&Goal::Classes(classes.to_vec()), &table, &cells, &rows, answers, context)
}

/// Scores of what was said of these rows of a table, where a cell is filled with the truth.
fn scores(
    goal: &Goal,
    table: &Table,
    truth: &Cells,
    rows: &[usize],
    answers: &Answers,
    context: &mut Context,
) -> Result<Option<Scores>> {
    if let Goal::Classes(names) = goal {
        let known = Classes::named(names.clone());
        compare_with_target(&known, (&table.name, truth), rows, false, context)?;
    }
    let truth = Truth::new(truth, rows, goal, table, context)?;
    let labelled = truth.rows.len();
    if labelled > 0 && labelled < rows.len() {
        let text = format!("`{}`: {labelled} of {} rows have a label and are scored", table.name, rows.len());
        context.note("scores", text);
    }
    Ok(truth.score(goal, answers, context))
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
    if let (Some(label), Goal::Value) = (score, &model.goal) {
        thousands_among_labels(label, &[&table], &encoding.notations, context);
        read_labels_later(&mut table, label, &encoding.notations, context)?;
    }
    let truth = score.map(|label| label_cells(&table, label)).transpose()?;
    if let (Some(label), Some(cells)) = (score, &truth) {
        tell_absent(&table, label, context);
        if model.goal == Goal::Value {
            tell_sentinels(label, cells, context);
        }
    }
    let id = identifiers(&table, &encoding.id, context)?;
    let (features, rows) = encoding.apply(&mut table, context)?;
    if rows.is_empty() {
        return Err(Error::input(
            format!("`{}`", table.name),
            "has no rows to predict",
            "give at least one row",
        ));
    }
    context.take(size_of::<f64>() as u64 * (rows.len() * model.columns) as u64);
    beyond::beyond(model, encoding, &features, &table.name, context);
    units::scales(model.maps.first(), &features, encoding, &table.name, context);
    let answers = model.predict_within(features.as_ref(), context)?;
    Asked { table: &table, rows: &rows, encoding }.check(&answers, features.as_ref(), &model.maps)?;
    if let Some(text) = degenerate::constant(&model.goal, &answers) {
        context.note(&model.about.method, text);
    }
    context.take(answers_bytes(rows.len(), model.goal.classes()));
    let score = |labels: Cells| scores(&model.goal, &table, &labels, &rows, &answers, context);
    let scores = truth.map(score).transpose()?.flatten();
    let id = of_rows(id, &rows);
    Ok((Predictions { rows, id, answers }, scores))
}
