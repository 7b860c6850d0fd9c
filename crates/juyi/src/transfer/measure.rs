//! How far apart tables are, without a transfer.

use std::borrow::Cow;

use super::distances::{MOST_CELLS, distances, moved};
use super::labels::{
    Written, classes, infer_task, known_labels, label_cells, labelled_rows, look_at_labels, two_classes,
};
use super::prepare::{Held, encoding, target_domain};
use super::{Settings, TaskKind};
use crate::context::Context;
use crate::data::{Cells, Domain, Goal, Labels, Notations, Table, Task, read_labels, read_labels_later};
use crate::error::{Error, Result};
use crate::measures::{Distance, DomainMeasure, LabelsNeeded, MeasureRow, MovedColumn};
use crate::report::thousands;

/// How far apart two tables are.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Measured {
    /// Distances of the rows as a whole.
    pub distances: Vec<Distance>,
    /// The columns, the one that moved most first.
    pub moved: Vec<MovedColumn>,
    /// Source and target rows that the distances are taken of.
    pub rows: (usize, usize),
}

/// Measures source tables against a target table. The label's column and the columns that are dropped or identify a row
/// do not count, but what is odd about the labels is said; of the settings, nothing else but the treatment of missing cells
/// is used, and the kind of task for measures that make use of labels. No column of labels need be named for the others.
/// `measures` are the measures to take, or those of each run.
///
/// # Errors
/// [`Error::Input`] for tables that cannot be used; what a measure reports.
pub fn measure(
    mut sources: Vec<Table>,
    mut target: Table,
    settings: &Settings,
    measures: Option<&[Box<dyn DomainMeasure>]>,
    context: &mut Context,
) -> Result<Measured> {
    let label = settings.label.clone().or_else(|| sources.first().and_then(|table| table.label.clone()));
    if let (Some(label), Some(first)) = (&settings.label, sources.first()) {
        label_cells(first, label)?;
    }
    let use_labels = |row: &MeasureRow| match row.labels {
        LabelsNeeded::None => false,
        LabelsNeeded::IfGiven => label.is_some(),
        LabelsNeeded::Source | LabelsNeeded::Both => true,
    };
    let labelling = measures.unwrap_or_default().iter().find(|measure| use_labels(measure.row()));
    if let (Some(measure), None) = (labelling, &label) {
        let problem = format!("is not given, and `{}` needs the labels of the source", measure.row().name);
        return Err(Error::input("`‹label›`", problem, "name the column that is to be predicted"));
    }
    let label = label.unwrap_or_default();
    look_at_labels(&label, &sources, &target, context);
    let read =
        labelling.map(|_| Read::of(&mut sources, &mut target, &label, settings, context)).transpose()?;
    let encoding = encoding(&mut sources, &mut target, &label, Notations::new(), settings, context)?;
    let moved = moved(&encoding, &sources, &target, context);
    if sources.iter().chain([&target]).any(|table| table.rows > MOST_CELLS) {
        let text = format!("columns are compared on {} rows of a table, evenly drawn", thousands(MOST_CELLS));
        context.note("columns", text);
    }
    let goal = read.as_ref().map_or(Goal::Value, |read| read.goal.clone());
    let mut domains = Vec::new();
    let mut held = Held::of(sources.iter().chain([&target]));
    for (k, table) in sources.iter_mut().enumerate() {
        let every = || (0..table.rows).collect();
        let rows = read.as_ref().map_or_else(every, |read| read.rows[k].clone());
        let (features, rows) = held.turn(table, &rows, &encoding, context)?;
        let labels = match &read {
            Some(read) => known_labels(&read.sources[k], &rows, &goal, table)?,
            None => Labels::Values(vec![0.0; rows.len()]),
        };
        domains.push(Domain::labelled(table.name.clone(), features, labels));
    }
    let every: Vec<usize> = (0..target.rows).collect();
    let (features, rows) = held.turn(&mut target, &every, &encoding, context)?;
    let used = read.as_ref().and_then(|read| read.target.as_ref());
    let target = target_domain(&target, features, &rows, used, &goal)?;
    let task = Task::new(domains, target, goal)?;
    context.hold(task.bytes());
    let (distances, rows) = distances(Cow::Owned(task), measures, context)?;
    Ok(Measured { distances, moved, rows })
}

/// The labels of tables, for measures that make use of them.
struct Read {
    goal: Goal,
    /// The labelled rows of each source.
    rows: Vec<Vec<usize>>,
    sources: Vec<Cells>,
    target: Option<Cells>,
}

impl Read {
    fn of(
        sources: &mut [Table],
        target: &mut Table,
        label: &str,
        settings: &Settings,
        context: &mut Context,
    ) -> Result<Self> {
        let (mut notations, mut amounts) = (Notations::new(), false);
        if settings.task != Some(TaskKind::Classification) {
            let asked = settings.task.is_some();
            let mut tables: Vec<&mut Table> = sources.iter_mut().collect();
            (notations, amounts) = read_labels(&mut tables, label, asked, context)?;
        }
        let rows: Vec<Vec<usize>> =
            sources.iter().map(|table| labelled_rows(table, label, context)).collect::<Result<_>>()?;
        let cells: Vec<Cells> =
            sources.iter().map(|table| label_cells(table, label)).collect::<Result<_>>()?;
        let written: Vec<Written> =
            sources.iter().zip(&cells).map(|(table, cells)| (table.name.as_str(), cells)).collect();
        let known = classes(label, &written, &mut context.aside());
        let kind = match settings.task {
            Some(kind) => kind,
            None if amounts => TaskKind::Regression,
            None => infer_task(&known, sources, &written, label, context)?,
        };
        if kind == TaskKind::Regression {
            read_labels_later(target, label, &notations, context)?;
        }
        let of_target = target.column(label).map(|column| column.cells.clone());
        let goal = match kind {
            TaskKind::Regression => Goal::Value,
            TaskKind::Classification => {
                two_classes(&known, label, sources)?;
                let own = of_target.as_ref().map(|cells| (target.name.as_str(), cells));
                let all: Vec<Written> = written.iter().copied().chain(own).collect();
                Goal::Classes(classes(label, &all, &mut context.aside()).names().to_vec())
            }
        };
        Ok(Self { goal, rows, sources: cells, target: of_target })
    }
}
