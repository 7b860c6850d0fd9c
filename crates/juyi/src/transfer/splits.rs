//! Splits of tables: which rows of each are learnt from, and which target rows are scored; and a run of each.

use std::collections::HashMap;
use std::ops::Range;

use super::predict::predict_and_score;
use super::prepare::prepare;
use super::steps::Data;
use super::{Outcome, Settings, TargetLabels, transfer};
use crate::context::Context;
use crate::data::{Goal, Labels, Table, Task};
use crate::error::{Error, Result};
use crate::linalg::stack;
use crate::measures::{Figure, Scores};
use crate::splits::{Rows, Splitter, Whole, copies_of_parts, note_copies};

/// What one split makes of tables; all rows are positions, rising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSplit {
    /// The rows of each source that are learnt from.
    pub sources: Vec<Vec<usize>>,
    /// The target rows that a run is given.
    pub target: Vec<usize>,
    /// The target rows that are scored.
    pub scored: Vec<usize>,
}

/// Rows up to which copies are looked for: all of them may have to be held against each other.
const MOST_FOR_COPIES: usize = 20_000;

/// The splits of labelled source and target rows; the labels of the target decide which rows are scored, nothing else. A
/// run is given the target rows that a split trains on and those that have no label. Where a split trains on no target
/// row, as if a domain is left out, it is given those that are scored. Splits that score no target row are left out.
/// `groups` is the column of the groups.
///
/// # Errors
/// As [`transfer`](super::transfer) for tables, and [`Splitter::split`]; [`Error::Input`] where no target row has a label, and
/// for rows without a group.
pub fn table_splits(
    sources: &[Table],
    target: &Table,
    by: &dyn Splitter,
    groups: Option<&str>,
    settings: &Settings,
    context: &mut Context,
) -> Result<Vec<TableSplit>> {
    let bytes = sources.iter().chain([target]).map(Table::bytes).sum();
    context.require("a copy of the tables", bytes)?;
    let drop = settings.drop.iter().chain(&settings.id).cloned().collect();
    let settings =
        Settings { distances: false, source_weights: true, drop, id: Vec::new(), ..settings.clone() };
    let (task, data) = prepare(sources.to_vec(), target.clone(), &settings, &mut context.aside())?;
    let all = Labelled::of(&task, &data, sources);
    if all.target.is_empty() {
        let hint = "fill the column of the labels in some of its rows";
        return Err(Error::input(format!("`{}`", target.name), "has no label to score with", hint));
    }
    let groups = groups.map(|column| all.groups(column, sources, target)).transpose()?;
    if groups.is_some() && by.row().whole != Whole::Groups {
        let text = "does not look at groups, which are given";
        context.warn(by.row().name, text);
    }
    let leaders = all.leaders(&task, context);
    let names: Vec<String> = sources.iter().chain([target]).map(|table| table.name.clone()).collect();
    let splits = by.split(
        &Rows {
            goal: &all.goal,
            labels: &all.labels,
            names: &names,
            domains: &all.domains,
            target: Some(sources.len()),
            groups: groups.as_deref(),
            leaders: &leaders,
        },
        context,
    )?;
    let unlabelled: Vec<usize> =
        (0..target.rows).filter(|row| all.target.binary_search(row).is_err()).collect();
    let one = |split: crate::splits::Split| {
        let of = |part: &[usize], domain: usize| -> Vec<usize> {
            part.iter().filter(|&&i| all.domains[i] == domain).map(|&i| all.rows[i]).collect()
        };
        let own = sources.len();
        let (trained, scored) = (of(&split.train, own), of(&split.test, own));
        let mut given = if trained.is_empty() { scored.clone() } else { trained };
        given.extend(&unlabelled);
        given.sort_unstable();
        TableSplit { sources: (0..own).map(|k| of(&split.train, k)).collect(), target: given, scored }
    };
    Ok(splits.into_iter().map(one).filter(|split| !split.scored.is_empty()).collect())
}

/// The labelled rows of all tables, those of the target last.
struct Labelled {
    goal: Goal,
    labels: Labels,
    /// The table of each row: sources in order, then the target.
    domains: Vec<usize>,
    /// Its position in its table.
    rows: Vec<usize>,
    /// Positions of the labelled target rows in their table, and among the rows of the task.
    target: Vec<usize>,
    in_task: Vec<usize>,
}

impl Labelled {
    fn of(task: &Task, data: &Data, sources: &[Table]) -> Self {
        let (mut domains, mut rows) = (Vec::new(), Vec::new());
        for (k, (_, range)) in data.source_rows.iter().flat_map(|rows| &rows.parts).enumerate() {
            let table = &sources[k];
            let at: HashMap<usize, usize> = (0..table.rows).map(|row| (table.number(row), row)).collect();
            let numbers = data.source_rows.iter().flat_map(|rows| &rows.rows[range.clone()]);
            rows.extend(numbers.map(|number| at[number]));
            domains.extend(range.clone().map(|_| k));
        }
        let (mut goal, mut labels) = (task.goal.clone(), task.source.labels.clone());
        let in_task = if task.target.labelled.is_empty() {
            let own = data.truth.labels(&mut goal);
            labels = labels.chain(&own);
            data.truth.rows.clone()
        } else {
            labels = labels.chain(&task.target.labels);
            task.target.labelled.clone()
        };
        let target: Vec<usize> = in_task.iter().map(|&i| data.rows[i]).collect();
        rows.extend(&target);
        domains.extend(target.iter().map(|_| sources.len()));
        Self { goal, labels, domains, rows, target, in_task }
    }

    /// The group of each row by its text in a column.
    fn groups(&self, column: &str, sources: &[Table], target: &Table) -> Result<Vec<usize>> {
        let tables: Vec<&Table> = sources.iter().chain([target]).collect();
        let mut known = HashMap::new();
        let group = |(&domain, &row): (&usize, &usize)| {
            let table = tables[domain];
            let Some(cells) = table.column(column).map(|column| &column.cells) else {
                return Err(Error::Unknown {
                    kind: format!("column of groups in `{}`", table.name),
                    name: column.into(),
                    known: table.names().cloned().collect(),
                });
            };
            let Some(text) = cells.text(row) else {
                let problem = format!("has no group: `{column}` is empty");
                return Err(Error::input(table.place(row), problem, "fill it, or leave the row out"));
            };
            let next = known.len();
            Ok(*known.entry(text).or_insert(next))
        };
        self.domains.iter().zip(&self.rows).map(group).collect()
    }

    /// For each row the first that it is a copy of.
    fn leaders(&self, task: &Task, context: &mut Context) -> Vec<usize> {
        let n = self.rows.len();
        if n > MOST_FOR_COPIES {
            let text = format!("copies are looked for among up to {MOST_FOR_COPIES} rows, and there are {n}");
            context.warn("splits", text);
            return (0..n).collect();
        }
        let target = crate::linalg::select_rows(task.target.features.as_ref(), &self.in_task);
        let rows = stack(task.source.features.as_ref(), target.as_ref());
        let parts = task.parts.iter().map(|(_, range)| range.clone());
        let parts: Vec<Range<usize>> = parts.chain(std::iter::once(task.source.rows()..n)).collect();
        let leaders = copies_of_parts(rows.as_ref(), &parts);
        note_copies(&leaders, &self.labels, "rows are copies of others, or nearly", context);
        leaders
    }
}

/// A run on the rows of one split, and the scores of those that it scores.
///
/// # Errors
/// As [`transfer`](super::transfer); [`Error::Input`] where the labels that are to score would be learnt from.
pub fn transfer_split(
    sources: &[Table],
    target: &Table,
    split: &TableSplit,
    settings: &Settings,
    context: &mut Context,
) -> Result<(Outcome, Option<Scores>)> {
    let seen = split.scored.iter().any(|row| split.target.binary_search(row).is_ok());
    if seen && settings.target_labels == TargetLabels::Use {
        let problem = "would be learnt from where they are to score: the split trains on no target row";
        let hint = "leave `‹target-labels›` out, or take a splitter that trains on target rows";
        return Err(Error::input(format!("the labels of `{}`", target.name), problem, hint));
    }
    let own = sources.iter().zip(&split.sources).map(|(table, rows)| table.select(rows)).collect();
    let held_out = (!seen).then(|| target.select(&split.scored));
    transfer_and_score(own, target.select(&split.target), held_out, settings, context)
}

/// A run whose model is scored on rows that it was not given; without such rows on those of the target whose labels score.
///
/// # Errors
/// As [`transfer`](super::transfer) and [`predict_table`](super::predict_table).
pub fn transfer_and_score(
    sources: Vec<Table>,
    target: Table,
    held_out: Option<Table>,
    settings: &Settings,
    context: &mut Context,
) -> Result<(Outcome, Option<Scores>)> {
    let outcome = transfer(sources, target, settings, context)?;
    let Some(table) = held_out else {
        let scores = outcome.run.transfer.chosen.scores;
        return Ok((outcome, scores));
    };
    let label = outcome.run.data.label.clone();
    let areas = settings.figure == Some(Figure::Auc);
    let (_, scores) = predict_and_score(&outcome.model, table, Some(&label), areas, context)?;
    Ok((outcome, scores))
}
