//! One task with each method, learner and seed that a part of a plan asks for. A run that fails says why and stops nothing.

use std::time::Instant;

use serde_json::Value;

use super::plan::{Column, Part, Plan, Record};
use crate::context::{Context, Level};
use crate::data::Table;
use crate::error::{Error, Result};
use crate::measures::Figure;
use crate::params::asked;
use crate::report::Run;
use crate::splits::splitter;
use crate::transfer::{Settings, TableSplit, table_splits, transfer_and_score, transfer_split};

/// A task, read.
pub struct SweepTask {
    /// The sources.
    pub sources: Vec<Table>,
    /// The target; labels in it are for what the settings say.
    pub target: Table,
    /// Rows with their labels that score instead of the target's.
    pub held_out: Option<Table>,
    /// The splitter that decides what is learnt from and scored, as [`splitter`] reads it.
    pub splits: Option<String>,
    /// The column of the groups.
    pub groups: Option<String>,
    /// All that does not differ between the runs.
    pub settings: Settings,
}

/// Runs what a part asks for of the task at this position of the plan; `task` is `Err` where it could not be read, which is
/// then what each run says. `begin` is told the run's number before it begins, `each` what it came to.
pub fn run_task(
    plan: &Plan,
    position: usize,
    task: &Result<SweepTask>,
    part: Part,
    context: &Context,
    mut begin: impl FnMut(usize),
    mut each: impl FnMut(Record),
) {
    for (s, &seed) in plan.seeds.iter().enumerate() {
        let mut splits: Option<std::result::Result<Made, String>> = None;
        for (c, column) in plan.columns.iter().enumerate() {
            let number = plan.number(position, s, c);
            if !part.holds(number) {
                continue;
            }
            begin(number);
            let started = Instant::now();
            let mut record = Record {
                task: plan.tasks[position].name.clone(),
                method: column.method.clone(),
                learner: column.learner.clone(),
                seed,
                params: Value::Null,
                figure: None,
                of: None,
                splits: Vec::new(),
                verdicts: Vec::new(),
                rows: (0, 0, 0),
                failed: None,
                warnings: Vec::new(),
                seconds: 0.0,
            };
            let own = context.aside().reseeded(seed);
            let done = task.as_ref().map_err(|error| in_words(error, context)).and_then(|task| {
                let splits = splits.get_or_insert_with(|| {
                    splits_of(task, plan.figure, own.clone()).map_err(|error| in_words(&error, context))
                });
                let (splits, noticed) = splits.as_ref().map_err(String::clone)?;
                record.warnings = warnings(noticed);
                let splits = splits.as_deref();
                run(task, column, plan.figure, splits, own, &mut record)
                    .map_err(|error| in_words(&error, context))
            });
            if let Err(reason) = done {
                (record.figure, record.failed) = (None, Some(reason));
            }
            record.seconds = started.elapsed().as_secs_f64();
            each(record);
        }
    }
}

/// The splits of a task, and what was noticed when they were made; `None` where it has none.
type Made = (Option<Vec<TableSplit>>, Context);

fn splits_of(task: &SweepTask, figure: Option<Figure>, mut context: Context) -> Result<Made> {
    let settings = Settings { figure, ..task.settings.clone() };
    let made = |by: &String| {
        let (by, groups) = (splitter(by)?, task.groups.as_deref());
        table_splits(&task.sources, &task.target, by.as_ref(), groups, &settings, &mut context)
    };
    let splits = task.splits.as_ref().map(made).transpose()?;
    Ok((splits, context))
}

/// A failure with its hint, in the words of the front end.
fn in_words(error: &Error, context: &Context) -> String {
    let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
    context.worded(&format!("{error}{hint}"))
}

/// The texts of the warnings.
fn warnings(context: &Context) -> Vec<String> {
    let warned = context.notices().iter().filter(|notice| notice.level == Level::Warning);
    warned.map(|notice| notice.text.clone()).collect()
}

fn run(
    task: &SweepTask,
    column: &Column,
    figure: Option<Figure>,
    splits: Option<&[TableSplit]>,
    mut context: Context,
    record: &mut Record,
) -> Result<()> {
    let rows = task.sources.iter().map(|source| source.rows).sum();
    record.rows = (rows, task.target.rows, 0);
    let (method, params) = asked("method", &column.method)?;
    let settings = Settings {
        method: method.into(),
        params,
        learner: column.learner.clone(),
        figure,
        distances: false, // what is compared are figures
        ..task.settings.clone()
    };
    match splits {
        None => {
            let (sources, target) = (task.sources.clone(), task.target.clone());
            let held_out = task.held_out.clone();
            let scored = held_out.as_ref().map(|table| table.rows);
            let done = transfer_and_score(sources, target, held_out, &settings, &mut context);
            record.warnings.extend(warnings(&context));
            let (outcome, scores) = done?;
            take(&outcome.run, scores, figure, scored, record)?;
        }
        Some(splits) => {
            for split in splits {
                let mut own = context.clone();
                let done = transfer_split(&task.sources, &task.target, split, &settings, &mut own);
                record.warnings.extend(warnings(&own));
                let (outcome, scores) = done?;
                take(&outcome.run, scores, figure, Some(split.scored.len()), record)?;
            }
            record.figure = Some(record.splits.iter().sum::<f64>() / record.splits.len() as f64);
        }
    }
    let mut known = std::collections::HashSet::new();
    record.warnings.retain(|text| known.insert(text.clone()));
    if splits.is_none() {
        record.figure = record.splits.pop();
    }
    Ok(())
}

/// Takes down what one fit came to.
fn take(
    run: &Run,
    scores: Option<crate::measures::Scores>,
    figure: Option<Figure>,
    scored: Option<usize>,
    record: &mut Record,
) -> Result<()> {
    let target = format!("`{}`", run.data.target.name);
    let Some(scores) = scores else {
        let problem = "has no label that scores and is not learnt from";
        let hint = "give them with `truth`, or hold some out with `splits`";
        return Err(Error::input(target, problem, hint));
    };
    let of = figure.unwrap_or(if run.data.task == "regression" { Figure::R2 } else { Figure::Accuracy });
    let Some(value) = of.of(&scores) else {
        let problem = format!("{} cannot be told of its scored rows", of.title());
        return Err(Error::input(target, problem, "score more rows, or take another figure"));
    };
    record.of = Some(of);
    record.params.clone_from(&run.transfer.chosen.params);
    record.splits.push(value);
    record.rows.2 += scored.unwrap_or(run.data.scored_rows);
    record.verdicts.extend(run.select.as_ref().map(|choice| choice.verdict.name().to_string()));
    Ok(())
}
