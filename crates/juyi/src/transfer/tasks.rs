//! Rows as sources, and matrices as a way in.

use std::ops::Range;
use std::time::Instant;

use super::distances::moved_features;
use super::fits::{Fits, fit_each};
use super::prepare::{describe, measured};
use super::steps::{self, Data, Sources};
use super::truth::Truth;
use super::{Outcome, Settings, beyond, degenerate};
use crate::choice::{Budget, Choice, Chosen, Configuration, Proposal, Wishes, by_source, choose};
use crate::context::Context;
use crate::data::{Domain, Goal, Labels, Missing, Table, Task};
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::methods::NO_TRANSFER;
use crate::report::SourceRows;
use crate::validators::validator;

/// Carries the sources of a task over to its target, as [`transfer`](super::transfer) does with tables. `truth` are labels
/// of all target rows that only score. The model takes rows of as many columns as the task has. Of the settings, those
/// that are about columns of tables must be left alone.
///
/// # Errors
/// As [`transfer`](super::transfer); [`Error::Input`] for labels that are not those of the task's goal and rows, and for
/// settings that are about columns.
pub fn transfer_task(
    task: Task,
    truth: Option<&Labels>,
    settings: &Settings,
    context: &mut Context,
) -> Result<Outcome> {
    let started = Instant::now();
    for (name, given) in [
        ("label", settings.label.is_some()),
        ("task", settings.task.is_some()),
        ("missing", settings.missing.is_some()),
        ("drop", !settings.drop.is_empty()),
        ("id", !settings.id.is_empty()),
    ] {
        if given {
            let hint = "leave it out, or give tables";
            return Err(Error::input(format!("the setting `{name}`"), "is about columns of tables", hint));
        }
    }
    let named = steps::named(settings, &settings.preprocess, context)?;
    let rows = task.target.rows();
    if let Some(labels) = truth {
        let blank = Matrix::zeros(rows, 1);
        Domain::labelled(task.target.name.as_str(), blank, labels.clone()).check(&task.goal, 1)?;
        if labels.len() < rows {
            let problem = format!("{} labels to score with, and {rows} rows", labels.len());
            return Err(Error::input(format!("`{}`", task.target.name), problem, "give one for each row"));
        }
    }
    let moved = if settings.distances { moved_features(&task) } else { Vec::new() };
    degenerate::tables(&task, &moved, &settings.preprocess, context)?;
    let none = task.target.labels.select(&[]);
    let part = |(name, range): &(String, Range<usize>)| {
        let labels = task.source.labels.select(&range.clone().collect::<Vec<_>>());
        describe(&Domain::labelled(name.as_str(), Matrix::zeros(range.len(), 0), labels), &task.goal, "")
    };
    let data = Data {
        goal: task.goal.clone(),
        label: String::new(),
        encoding: None,
        missing: Missing::Error,
        target: Table { name: task.target.name.clone(), rows, ..Table::default() },
        rows: (0..rows).collect(),
        id: Vec::new(),
        source_rows: settings.source_weights.then(|| rows_of(&task)),
        truth: Truth::of(truth.unwrap_or(&none), &task.goal),
        pixels: None,
        facts: (task.parts.iter().map(part).collect(), describe(&task.target, &task.goal, "")),
        moved,
        distances: measured(&task, settings, context)?,
        ranges: beyond::ranges(&[&task.source.features, &task.target.features]),
    };
    steps::run(task, data, named, settings, started, context)
}

/// The source rows of a task, each source counted by itself.
fn rows_of(task: &Task) -> SourceRows {
    let mut rows = SourceRows::default();
    task.parts.iter().for_each(|(name, range)| rows.add(name, (0..range.len()).collect(), Vec::new()));
    rows
}

impl Sources for Task {
    fn check(&self, named: &Configuration, _goal: &Goal, context: &mut Context) -> Result<()> {
        named.built.row.needs.check(named.built.row, self, context)
    }

    fn not_transferring(&self, asked: &Configuration) -> Result<Configuration> {
        Configuration::new(NO_TRANSFER.name, "{}", &asked.with, &by_source(&asked.steps))
    }

    fn choose(
        &self,
        named: Option<Configuration>,
        _goal: &Goal,
        settings: &Settings,
        context: &mut Context,
    ) -> Result<Chosen> {
        let wishes = Wishes {
            steps: &settings.preprocess,
            learner: settings.learner.as_deref(),
            only: named,
            assume: settings.assume,
            figure: settings.figure,
            budget: settings.budget.map(Budget::begin),
            single: settings.single.as_deref().map(validator).transpose()?,
            given: None,
            weighing: settings.weighing,
        };
        choose(self, wishes, context)
    }

    fn fit_each(
        self,
        all: &[Proposal],
        choice: Option<&Choice>,
        data: &Data,
        context: &mut Context,
    ) -> Result<Fits> {
        let parts = self.parts.clone();
        let task = match choice {
            Some(choice) => choice.kept_of(self),
            None => self,
        };
        let written = if steps::refused(choice) { 0 } else { all.len() - 1 };
        let mut fits = fit_each(task, (all, written), &data.truth, &data.asked(), context)?;
        if let Some(choice) = choice.filter(|choice| !choice.sources.is_empty()) {
            for weights in fits.all.iter_mut().filter_map(|ran| ran.weights.as_mut()) {
                *weights = choice.weights_of_all(&parts, weights);
            }
        }
        Ok(fits)
    }
}
