//! How far apart tables are, without a transfer.

use super::Settings;
use super::distances::{distances, moved};
use super::labels::{label_cells, look_at_labels};
use super::prepare::{Held, encoding};
use crate::context::Context;
use crate::data::{Domain, Goal, Labels, Notations, Table, Task};
use crate::error::Result;
use crate::measures::{Distance, DomainMeasure, MovedColumn};

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
/// is used. `measures` are the measures to take, or those of each run.
///
/// # Errors
/// [`Error::Input`](crate::error::Error::Input) for tables that cannot be used; what a measure reports.
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
    let label = label.unwrap_or_default();
    look_at_labels(&label, &sources, &target, context);
    let encoding = encoding(&mut sources, &mut target, &label, Notations::new(), settings, context)?;
    let moved = moved(&encoding, &sources, &target, context);
    let goal = Goal::Value;
    let mut domains = Vec::new();
    let mut held = Held::of(sources.iter().chain([&target]));
    let mut turn = |table: &mut Table, context: &mut Context| {
        let all: Vec<usize> = (0..table.rows).collect();
        held.turn(table, &all, &encoding, context)
    };
    for table in &mut sources {
        let (features, rows) = turn(table, context)?;
        domains.push(Domain::labelled(table.name.clone(), features, Labels::Values(vec![0.0; rows.len()])));
    }
    let (features, _) = turn(&mut target, context)?;
    let task = Task::new(domains, Domain::unlabelled(target.name, features, &goal), goal)?;
    let (distances, rows) = distances(&task, measures, context)?;
    Ok(Measured { distances, moved, rows })
}
