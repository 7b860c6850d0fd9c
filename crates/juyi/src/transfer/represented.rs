//! A table of features as a representation of its labelled rows.

use std::collections::HashSet;

use super::Settings;
use super::labels::{classes, known_labels, label_cells, labelled_rows};
use super::prepare::{Held, encoding};
use crate::context::Context;
use crate::data::{Goal, Notations, Table};
use crate::error::Result;
use crate::linalg::Matrix;

/// The labelled rows of a table.
pub struct Represented {
    /// `(n, d)`.
    pub features: Matrix,
    /// The class of each row, by its position.
    pub labels: Vec<usize>,
    /// The classes that have rows.
    pub classes: Vec<String>,
}

/// Turns the labelled rows of a table into features and classes; of the settings, the label, the columns that are left out and
/// the treatment of missing cells are used.
///
/// # Errors
/// [`Error::Unknown`](crate::error::Error::Unknown) for a label column that there is not; [`Error::Input`](crate::error::Error::Input)
/// for cells that cannot be used.
pub fn represented(mut table: Table, settings: &Settings, context: &mut Context) -> Result<Represented> {
    let label = settings.label.clone().or_else(|| table.label.clone()).unwrap_or_else(|| "label".into());
    let cells = label_cells(&table, &label)?;
    let rows = labelled_rows(&table, &label, context)?;
    let names = classes(&label, &[(table.name.as_str(), &cells)], context).names().to_vec();
    let mut other = table.clone();
    let encoding =
        encoding(std::slice::from_mut(&mut other), &mut table, &label, Notations::new(), settings, context)?;
    drop(other);
    let (features, rows) = Held::of(std::iter::once(&table)).turn(&mut table, &rows, &encoding, context)?;
    let labels = known_labels(&cells, &rows, &Goal::Classes(names.clone()), &table)?.classes().to_vec();
    let present: HashSet<usize> = labels.iter().copied().collect();
    let classes = names.iter().enumerate().filter(|(class, _)| present.contains(class));
    Ok(Represented { features, classes: classes.map(|(_, name)| name.clone()).collect(), labels })
}
