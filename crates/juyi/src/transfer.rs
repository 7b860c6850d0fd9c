//! The main job in four steps: tables in; data, select, initialise, transfer; predictions, a model and a record out.

use std::time::Instant;

use serde_json::{Map as JsonMap, Value};

use crate::context::Context;
use crate::data::{Cells, Domain, Encoding, Goal, Labels, Missing, Table, Task, listed};
use crate::error::{Error, Result};
use crate::learners::learner;
use crate::measures::{Scores, classification_scores, regression_scores};
use crate::methods::{Built, build, fit};
use crate::models::{Answers, Map, Model, Predictor, Preprocess, preprocess};
use crate::report::{DomainFacts, FitFacts, Predictions, Run};

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
    // What can be said of the settings alone is said before the work starts.
    let built = build(&settings.method, &settings.params)?;
    let learner = learner(settings.learner.as_deref().unwrap_or(built.row.learner))?;
    if settings.learner.is_some() && !built.row.adapter {
        context.warn(built.row.name, "trains no learner; `--learner` serves the baseline only");
    }

    // 1 data
    let Prepared { task, encoding, truth, rows, id, facts } = prepare(sources, target, settings, context)?;
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
        let (_, facts, _) = run_one(&none, &task, learner.as_ref(), &maps, &plain, &truth, context)?;
        (task, maps, Some(facts))
    } else {
        context.require("a second copy of the features", task.bytes())?;
        let (alone, maps) = preprocess(task.clone(), &plain, context);
        let (_, facts, _) = run_one(&none, &alone, learner.as_ref(), &maps, &plain, &truth, context)?;
        drop(alone);
        let (task, maps) = preprocess(task, &settings.preprocess, context);
        (task, maps, Some(facts))
    };
    let (mut model, chosen, answers) =
        run_one(&built, &method_task, learner.as_ref(), &maps, &settings.preprocess, &truth, context)?;
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

/// One method on one preprocessed task: model, facts, answers for the target.
fn run_one(
    built: &Built,
    task: &Task,
    learner: &dyn crate::learners::Learner,
    maps: &[Map],
    steps: &[Preprocess],
    truth: &Truth,
    context: &mut Context,
) -> Result<(Model, FitFacts, Answers)> {
    let start = Instant::now();
    let model = fit(built, task, learner, maps.to_vec(), context)?;
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
    Ok((model, facts, answers))
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

/// Everything that the tables come down to.
struct Prepared {
    task: Task,
    encoding: Encoding,
    truth: Truth,
    rows: Vec<usize>,
    id: Vec<(String, Vec<String>)>,
    facts: (Vec<DomainFacts>, DomainFacts),
}

/// Labels kept for scoring: they are handed to the evaluation after the fit, never to a method.
struct Truth {
    /// Positions among the predicted rows.
    rows: Vec<usize>,
    labels: TruthLabels,
}

enum TruthLabels {
    Classes(Vec<String>),
    Values(Vec<f64>),
}

impl Truth {
    /// The filled labels of the rows that are predicted.
    fn new(cells: &Cells, kept: &[usize], kind: TaskKind, table: &str) -> Result<Self> {
        let rows: Vec<usize> = (0..kept.len()).filter(|&i| !cells.is_missing(kept[i])).collect();
        let text = |i: &usize| cells.text(kept[*i]).unwrap_or_default();
        let labels = match kind {
            TaskKind::Classification => TruthLabels::Classes(rows.iter().map(text).collect()),
            TaskKind::Regression => {
                let value = |i: &usize| label_value(&text(i), table, kept[*i]);
                TruthLabels::Values(rows.iter().map(value).collect::<Result<_>>()?)
            }
        };
        Ok(Self { rows, labels })
    }

    fn score(&self, goal: &Goal, answers: &Answers, context: &mut Context) -> Option<Scores> {
        if self.rows.is_empty() {
            return None;
        }
        let said: Vec<f64> = self.rows.iter().map(|&i| answers.answer[i]).collect();
        match (&self.labels, goal) {
            (TruthLabels::Classes(truth), Goal::Classes(names)) => {
                let mut unknown: Vec<&String> = truth.iter().filter(|class| !names.contains(class)).collect();
                unknown.sort();
                unknown.dedup();
                if !unknown.is_empty() {
                    context.warn(
                        "scores",
                        format!(
                            "class {} of the target is not among the model's classes and counts as wrong",
                            listed(&unknown)
                        ),
                    );
                }
                let absent: Vec<&String> = names.iter().filter(|name| !truth.contains(name)).collect();
                if !absent.is_empty() {
                    context.note("scores", format!("class {} does not occur in the target", listed(&absent)));
                }
                let truth: Vec<&str> = truth.iter().map(String::as_str).collect();
                let said: Vec<&str> = said.iter().map(|c| names[*c as usize].as_str()).collect();
                Some(classification_scores(&truth, &said))
            }
            (TruthLabels::Values(truth), Goal::Value) => Some(regression_scores(truth, &said)),
            _ => None,
        }
    }
}

/// Step 1: from tables to a task, with the labels that only score set aside.
fn prepare(
    mut sources: Vec<Table>,
    mut target: Table,
    settings: &Settings,
    context: &mut Context,
) -> Result<Prepared> {
    let label = settings.label.clone().or_else(|| sources.first().and_then(|table| table.label.clone()));
    let Some(label) = label else {
        return Err(Error::input("`--label`", "is not given", "name the column that is to be predicted"));
    };
    if settings.id.contains(&label) || settings.drop.contains(&label) {
        let hint = "the label is never a feature; name other columns";
        return Err(Error::input("`--id`, `--drop`", format!("name the label's column `{label}`"), hint));
    }
    for table in &mut sources {
        if table.rows == 0 {
            return Err(Error::input(
                format!("`{}`", table.name),
                "has no rows",
                "give a table with rows below its header",
            ));
        }
        drop_unlabelled(table, &label, context)?;
    }
    if target.rows == 0 {
        return Err(Error::input(
            format!("`{}`", target.name),
            "has no rows",
            "give a table with rows below its header",
        ));
    }
    let labels: Vec<Cells> = sources.iter().map(|table| label_cells(table, &label)).collect::<Result<_>>()?;
    let target_cells = target.column(&label).map(|column| column.cells.clone());
    let kind = settings.task.map_or_else(|| infer_task(&labels, &sources[0].name, &label, context), Ok)?;
    let used = target_cells.as_ref().filter(|_| settings.target_labels == TargetLabels::Use);
    if settings.target_labels == TargetLabels::Use && used.is_none() {
        let hint = "leave `--target-labels` out, or add the column; empty cells are unlabelled rows";
        return Err(Error::input(format!("`{}`", target.name), format!("has no column `{label}`"), hint));
    }
    let goal = match kind {
        TaskKind::Regression => Goal::Value,
        TaskKind::Classification => Goal::Classes(class_names(labels.iter().chain(used))),
    };
    let encoding =
        Encoding::decide(&sources, &target, &label, &settings.id, &settings.drop, settings.missing, context)?;
    let id = identifiers(&target, &settings.id);
    let mut domains = Vec::new();
    let mut source_facts = Vec::new();
    for (table, cells) in sources.iter_mut().zip(&labels) {
        let (features, kept) = encoding.apply(table, context)?;
        let domain =
            Domain::labelled(table.name.clone(), features, known_labels(cells, &kept, &goal, &table.name)?);
        source_facts.push(describe(&domain, &goal, &table.remark));
        domains.push(domain);
    }
    let (features, rows) = encoding.apply(&mut target, context)?;
    let none = Cells::Numbers(vec![f64::NAN; target.rows]);
    let truth_cells =
        target_cells.as_ref().filter(|_| settings.target_labels == TargetLabels::Score).unwrap_or(&none);
    let truth = Truth::new(truth_cells, &rows, kind, &target.name)?;
    let target_domain = match used {
        None => Domain::unlabelled(target.name.clone(), features, &goal),
        Some(cells) => {
            let labelled: Vec<usize> = (0..rows.len()).filter(|&i| !cells.is_missing(rows[i])).collect();
            let filled: Vec<usize> = labelled.iter().map(|&i| rows[i]).collect();
            let labels = known_labels(cells, &filled, &goal, &target.name)?;
            Domain { name: target.name.clone(), features, labelled, labels }
        }
    };
    let target_facts = describe(&target_domain, &goal, &target.remark);
    let task = Task::new(domains, target_domain, goal)?;
    let id = id
        .into_iter()
        .map(|(name, cells)| (name, rows.iter().map(|&row| cells[row].clone()).collect()))
        .collect();
    Ok(Prepared { task, encoding, truth, rows, id, facts: (source_facts, target_facts) })
}

fn describe(domain: &Domain, goal: &Goal, remark: &str) -> DomainFacts {
    let classes = match (&domain.labels, goal) {
        (Labels::Classes(of), Goal::Classes(names)) => {
            let count = |c: usize| of.iter().filter(|&&o| o == c).count();
            let counted = names.iter().enumerate().map(|(c, name)| (name.clone(), count(c)));
            counted.filter(|(_, count)| *count > 0).collect()
        }
        _ => Vec::new(),
    };
    let (name, remark) = (domain.name.clone(), remark.to_string());
    DomainFacts { name, rows: domain.rows(), labelled: domain.labelled.len(), classes, remark }
}

/// The label's column of a table.
fn label_cells(table: &Table, label: &str) -> Result<Cells> {
    let found = table.column(label).map(|column| column.cells.clone());
    found.ok_or_else(|| Error::Unknown {
        kind: format!("label column of `{}`", table.name),
        name: label.into(),
        known: table.columns.iter().take(40).map(|column| column.name.clone()).collect(),
    })
}

/// Leaves out source rows without a label.
fn drop_unlabelled(table: &mut Table, label: &str, context: &mut Context) -> Result<()> {
    let cells = label_cells(table, label)?;
    let keep: Vec<usize> = (0..table.rows).filter(|&row| !cells.is_missing(row)).collect();
    if keep.is_empty() {
        let hint = "a source needs labels; is this the target?";
        return Err(Error::input(format!("`{}`", table.name), format!("column `{label}` is empty"), hint));
    }
    if keep.len() < table.rows {
        let text =
            format!("`{}`: {} rows have no label and are left out", table.name, table.rows - keep.len());
        context.warn("data", text);
        for column in &mut table.columns {
            column.cells = match &column.cells {
                Cells::Numbers(numbers) => Cells::Numbers(keep.iter().map(|&row| numbers[row]).collect()),
                Cells::Text { codes, values } => Cells::Text {
                    codes: keep.iter().map(|&row| codes[row]).collect(),
                    values: values.clone(),
                },
            };
        }
        table.rows = keep.len();
    }
    Ok(())
}

/// Most classes that are taken for granted when the labels are whole numbers.
const MANY_CLASSES: usize = 100;

/// Text labels are classes; numbers with a fraction are values; whole numbers are classes while they are few.
fn infer_task(labels: &[Cells], table: &str, label: &str, context: &mut Context) -> Result<TaskKind> {
    let names = class_names(labels);
    let values: Vec<Option<f64>> = names.iter().map(|name| name.parse().ok()).collect();
    if values.iter().any(Option::is_none) {
        return Ok(TaskKind::Classification);
    }
    if values.iter().flatten().any(|v: &f64| v.fract() != 0.0) {
        context.note(
            "data",
            format!("`{label}` holds numbers with a fraction: they are predicted as numbers (regression)"),
        );
        return Ok(TaskKind::Regression);
    }
    if names.len() > MANY_CLASSES {
        let problem = format!("column `{label}` has {} different whole numbers", names.len());
        let hint = "say `--task classification` or `--task regression`";
        return Err(Error::input(format!("`{table}`"), problem, hint));
    }
    Ok(TaskKind::Classification)
}

/// The different labels: in order of value if all are numbers, else of the alphabet.
fn class_names<'a>(labels: impl IntoIterator<Item = &'a Cells>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for cells in labels {
        match cells {
            Cells::Text { codes, values } => {
                let mut seen = vec![false; values.len()];
                codes.iter().for_each(|code| {
                    if let Some(seen) = seen.get_mut(*code as usize) {
                        *seen = true;
                    }
                });
                names.extend(
                    values.iter().zip(seen).filter(|(_, seen)| *seen).map(|(value, _)| value.clone()),
                );
            }
            Cells::Numbers(numbers) => {
                names.extend(numbers.iter().filter(|v| !v.is_nan()).map(f64::to_string))
            }
        }
    }
    names.sort();
    names.dedup();
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        names.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse().unwrap_or(0.0)));
    }
    names
}

/// The labels of these rows, all filled.
fn known_labels(cells: &Cells, rows: &[usize], goal: &Goal, table: &str) -> Result<Labels> {
    let text = |row: usize| cells.text(row).unwrap_or_default();
    Ok(match goal {
        Goal::Classes(names) => {
            let position: std::collections::HashMap<&str, usize> =
                names.iter().enumerate().map(|(c, name)| (name.as_str(), c)).collect();
            Labels::Classes(rows.iter().map(|&row| position[text(row).as_str()]).collect())
        }
        Goal::Value => Labels::Values(
            rows.iter().map(|&row| label_value(&text(row), table, row)).collect::<Result<_>>()?,
        ),
    })
}

/// A label as a finite number.
fn label_value(text: &str, table: &str, row: usize) -> Result<f64> {
    text.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| {
        let hint = "a regression needs finite numbers; `--task classification` predicts classes";
        Error::input(format!("`{table}`, row {}", row + 1), format!("label `{text}` is not a number"), hint)
    })
}

/// The identifying columns as text.
fn identifiers(table: &Table, names: &[String]) -> Vec<(String, Vec<String>)> {
    let cells = |name: &String| {
        let column = table.column(name)?;
        Some((name.clone(), (0..table.rows).map(|row| column.cells.text(row).unwrap_or_default()).collect()))
    };
    names.iter().filter_map(cells).collect()
}
