//! How tables become features: which columns count, how text is turned into numbers, what happens to missing cells.
//!
//! Decided once from the sources and the target, kept in the model, and done the same way to every later table.

mod kind;

use std::collections::{HashMap, HashSet};

use faer::Mat;
use serde::{Deserialize, Serialize};

use kind::{Decision, is_constant, is_sequence, kind, row_names, text_among_numbers};

use super::numerals::{Notations, read_later};
use super::table::{Cells, Table};
use crate::context::Context;
use crate::error::{Error, Result, shown};
use crate::linalg::Matrix;

/// What is done about missing cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// They are an error.
    Error,
    /// Numbers become the mean of the source column; text becomes no category at all (all zeros).
    Mean,
    /// Rows that have one are left out.
    Drop,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Numbers.
    Number {
        /// What stands for a missing cell: the source's mean.
        mean: f64,
    },
    /// Text: one feature, 0 or 1, for each of these values.
    Text {
        /// The values of the sources and the target at the time of the fit, sorted.
        values: Vec<String>,
    },
}

/// One column that counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnEncoding {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

impl ColumnEncoding {
    /// Number of features that it becomes.
    fn width(&self) -> usize {
        match &self.kind {
            Kind::Number { .. } => 1,
            Kind::Text { values } => values.len(),
        }
    }
}

/// How tables become features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// The columns, in the order of the first source.
    pub columns: Vec<ColumnEncoding>,
    /// What is done about missing cells.
    pub missing: Missing,
    /// The label's column.
    pub label: String,
    /// Columns that identify a row and are no features.
    pub id: Vec<String>,
    /// Cells that count as missing, beside those that always do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_values: Vec<String>,
    /// How numbers were written in columns that were text, the label among them.
    #[serde(default, skip_serializing_if = "Notations::is_empty")]
    pub notations: Notations,
}

/// Most columns that a message lists by name.
const NAMED: usize = 5;

/// Numbers beyond it are refused: their squares, and sums of these, would not be finite.
pub(crate) const LARGEST: f64 = 1e100;

impl Encoding {
    /// Decides from the sources and the target. Columns in `drop` and `id` and the label are left out.
    ///
    /// # Errors
    /// [`Error::Input`] for a missing column, text where numbers stand, a column to drop that no table has.
    pub fn decide(
        sources: &[Table],
        target: &Table,
        label: &str,
        id: &[String],
        drop: &[String],
        missing: Missing,
        context: &mut Context,
    ) -> Result<Self> {
        let tables: Vec<&Table> = sources.iter().chain([target]).collect();
        for name in id.iter().chain(drop) {
            if tables.iter().all(|table| table.column(name).is_none()) {
                return Err(Error::Unknown {
                    kind: "column".into(),
                    name: name.clone(),
                    known: tables[0].columns.iter().map(|column| column.name.clone()).collect(),
                });
            }
        }
        tables.iter().for_each(|table| table.tell(label, context));
        let unnamed = row_names(&tables, id, context);
        let out = |name: &String| {
            name == label || id.contains(name) || drop.contains(name) || unnamed == Some(name)
        };
        // What a sparse table leaves out are zeros: it has the columns of the others too.
        let first = tables[0];
        let elsewhere = tables[1..].iter().flat_map(|table| &table.columns);
        let elsewhere = elsewhere.filter(|column| first.leaves_out(&column.name));
        let columns = first.columns.iter().chain(elsewhere).map(|column| &column.name);
        let mut known = HashSet::new();
        let names: Vec<&String> = columns.filter(|name| !out(name) && known.insert(name.as_str())).collect();
        let mut indexes: Vec<HashMap<&str, usize>> = Vec::new();
        for table in &tables {
            let index: HashMap<&str, usize> =
                table.columns.iter().enumerate().map(|(j, column)| (column.name.as_str(), j)).collect();
            let absent = |name: &&String| !index.contains_key(name.as_str()) && !table.leaves_out(name);
            let absent: Vec<&String> = names.iter().copied().filter(absent).collect();
            if !absent.is_empty() {
                let problem = format!("has no column {}, which `{}` has", listed(&absent), tables[0].name);
                let hint = "columns are matched by name; `--drop` leaves a column out on both sides";
                return Err(Error::input(format!("`{}`", table.name), problem, hint));
            }
            let extra: Vec<&String> = table.columns.iter().map(|column| &column.name).collect();
            let extra: Vec<&String> =
                extra.into_iter().filter(|name| !out(name) && !known.contains(name.as_str())).collect();
            if !extra.is_empty() {
                let text = format!(
                    "`{}`: column {} is ignored, the first source does not have it",
                    table.name,
                    listed(&extra)
                );
                context.note("data", text);
            }
            indexes.push(index);
        }
        let zeros: Vec<Cells> = tables.iter().map(|table| table.zeros()).collect();
        let mut columns = Vec::new();
        let (mut constant, mut sequences, mut names_of_rows) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            let cells: Vec<(&Table, &Cells)> = tables
                .iter()
                .zip(indexes.iter().zip(&zeros))
                .map(|(table, (index, zeros))| {
                    (*table, index.get(name.as_str()).map_or(zeros, |&j| &table.columns[j].cells))
                })
                .collect();
            match kind(name, &cells, sources.len(), context)? {
                Decision::Use(kind) => {
                    if let Kind::Number { .. } = &kind {
                        if is_sequence(cells[0].1) {
                            sequences.push(name);
                        }
                        if is_constant(&cells) {
                            constant.push(name);
                        }
                    }
                    columns.push(ColumnEncoding { name: name.clone(), kind });
                }
                Decision::Identifier => names_of_rows.push(name),
            }
        }
        if !constant.is_empty() {
            context.note("data", format!("constant everywhere: column {}", listed(&constant)));
        }
        if !sequences.is_empty() {
            let text = format!(
                "column {} counts the rows and looks like an identifier: `--id` or `--drop` keeps it out",
                listed(&sequences)
            );
            context.warn("data", text);
        }
        if !names_of_rows.is_empty() {
            let text = format!(
                "text column {} has hardly a value twice: taken for an identifier and left out",
                listed(&names_of_rows)
            );
            context.warn("data", text);
        }
        if columns.is_empty() {
            let hint = "keep at least one column that is neither label, id nor dropped";
            return Err(Error::input(format!("`{}`", tables[0].name), "has no feature columns", hint));
        }
        let mut missing_values: Vec<String> =
            tables.iter().flat_map(|table| &table.missing_values).cloned().collect();
        missing_values.sort();
        missing_values.dedup();
        Ok(Self {
            columns,
            missing,
            label: label.into(),
            id: id.to_vec(),
            missing_values,
            notations: Notations::new(),
        })
    }

    /// Checks what a model file says.
    ///
    /// # Errors
    /// What cannot be, in words.
    pub(crate) fn check(&self) -> std::result::Result<(), String> {
        let too_large = |column: &&ColumnEncoding| matches!(column.kind, Kind::Number { mean } if !(-LARGEST..=LARGEST).contains(&mean));
        match self.columns.iter().find(too_large) {
            Some(column) => {
                Err(format!("the mean of column `{}` is no number to compute with", shown(&column.name)))
            }
            None => Ok(()),
        }
    }

    /// The name of the column that the `j`-th feature is made of.
    pub(crate) fn column_of(&self, j: usize) -> &str {
        let mut left = j;
        let column = self.columns.iter().find(|column| {
            let own = column.width();
            let here = left < own;
            left = left.saturating_sub(own);
            here
        });
        column.map_or("", |column| &column.name)
    }

    /// Number of features.
    pub fn width(&self) -> usize {
        self.columns.iter().map(ColumnEncoding::width).sum()
    }

    /// The columns that must be read as they are written: text, label and identifiers.
    pub fn text_columns(&self) -> Vec<String> {
        let text = self.columns.iter().filter(|column| matches!(column.kind, Kind::Text { .. }));
        text.map(|column| column.name.clone())
            .chain(self.id.iter().cloned())
            .chain([self.label.clone()])
            .collect()
    }

    /// Whether a table without missing cells becomes the same features under both.
    pub fn makes_the_same_of(&self, other: &Self) -> bool {
        let alike = |(own, other): (&ColumnEncoding, &ColumnEncoding)| {
            let numbers = matches!((&own.kind, &other.kind), (Kind::Number { .. }, Kind::Number { .. }));
            own.name == other.name && (numbers || own.kind == other.kind)
        };
        self.columns.len() == other.columns.len() && self.columns.iter().zip(&other.columns).all(alike)
    }

    /// Features `(rows kept, width)` and the numbers of the rows that are kept. The table's cells are given up column
    /// by column, so that they and the matrix are never held whole at once.
    ///
    /// # Errors
    /// [`Error::Input`] for a missing column, a missing cell under [`Missing::Error`], text where numbers stand;
    /// [`Error::Memory`].
    pub fn apply(&self, table: &mut Table, context: &mut Context) -> Result<(Matrix, Vec<usize>)> {
        let all: Vec<usize> = (0..table.rows).collect();
        self.apply_to(table, &all, context)
    }

    /// Turns text into numbers where the model has numbers.
    fn read_numbers(&self, table: &mut Table, context: &mut Context) -> Result<()> {
        let numbers = self.columns.iter().filter(|column| matches!(column.kind, Kind::Number { .. }));
        let names: Vec<&str> = numbers.map(|column| column.name.as_str()).collect();
        read_later(table, &names, &self.notations, context)
    }

    /// The same for some of the rows, rising; the others count for nothing.
    ///
    /// # Errors
    /// As [`Encoding::apply`].
    pub fn apply_to(
        &self,
        table: &mut Table,
        rows: &[usize],
        context: &mut Context,
    ) -> Result<(Matrix, Vec<usize>)> {
        let index: HashMap<String, usize> =
            table.columns.iter().enumerate().map(|(j, column)| (column.name.clone(), j)).collect();
        let absent = |name: &&String| !index.contains_key(*name) && !table.leaves_out(name);
        let absent: Vec<&String> = self.columns.iter().map(|c| &c.name).filter(absent).collect();
        if !absent.is_empty() {
            let problem = format!("has no column {}, which the model needs", listed(&absent));
            return Err(Error::input(format!("`{}`", table.name), problem, "columns are matched by name"));
        }
        self.read_numbers(table, context)?;
        let place = |row: usize, column: &str| format!("{}, column `{column}`", table.place(row));
        table.tell(&self.label, context);
        let mut keep = vec![true; table.rows];
        let mut filled = 0;
        let zeros = table.zeros();
        for column in &self.columns {
            let cells = index.get(&column.name).map_or(&zeros, |&j| &table.columns[j].cells);
            if let (Kind::Number { .. }, Cells::Text { .. }) = (&column.kind, cells) {
                return Err(text_among_numbers(table, &column.name, cells));
            }
            if let Cells::Numbers(numbers) = cells
                && let Some(row) = numbers.iter().position(|v| v.abs() > LARGEST)
            {
                let problem = format!("{:e} is too large to compute with", numbers[row]);
                let hint = "give the column in another unit, or `--drop` it";
                return Err(Error::input(place(row, &column.name), problem, hint));
            }
            for &row in rows {
                if cells.is_missing(row) {
                    match self.missing {
                        Missing::Error => {
                            let hint = "`--missing mean` fills it with the source's mean, `--missing drop` leaves the row out";
                            return Err(Error::input(place(row, &column.name), "is missing", hint));
                        }
                        Missing::Mean => filled += 1,
                        Missing::Drop => keep[row] = false,
                    }
                }
            }
        }
        if filled > 0 {
            context.note("data", format!("`{}`: {filled} missing cells are filled", table.name));
        }
        let kept: Vec<usize> = rows.iter().copied().filter(|&row| keep[row]).collect();
        if kept.is_empty() && !rows.is_empty() {
            let hint = "`--missing mean` fills them; `--drop` leaves out a column that is mostly empty";
            return Err(Error::input(format!("`{}`", table.name), "every row has a missing cell", hint));
        }
        if kept.len() < rows.len() {
            let dropped = rows.len() - kept.len();
            context.note(
                "data",
                format!(
                    "`{}`: {dropped} of {} rows have missing cells and are left out",
                    table.name,
                    rows.len()
                ),
            );
        }
        context.require(
            &format!("`{}` as {} x {} features", table.name, kept.len(), self.width()),
            8 * (kept.len() * self.width()) as u64,
        )?;
        let mut features = Mat::zeros(kept.len(), self.width());
        let mut at = 0;
        for column in &self.columns {
            let cells = match index.get(&column.name) {
                Some(&j) => std::mem::replace(&mut table.columns[j].cells, Cells::Numbers(Vec::new())),
                None => zeros.clone(),
            };
            match (&column.kind, cells) {
                (Kind::Number { mean }, Cells::Numbers(numbers)) => {
                    let filled = |row: &usize| if numbers[*row].is_nan() { *mean } else { numbers[*row] };
                    features.col_mut(at).iter_mut().zip(&kept).for_each(|(v, row)| *v = filled(row));
                    at += 1;
                }
                (Kind::Text { values }, cells) => {
                    let position: HashMap<&str, usize> =
                        values.iter().enumerate().map(|(k, v)| (v.as_str(), k)).collect();
                    let mut unseen: Vec<String> = Vec::new();
                    for (i, &row) in kept.iter().enumerate() {
                        let Some(value) = cells.text(row) else { continue };
                        match position.get(value.as_str()) {
                            Some(k) => features[(i, at + k)] = 1.0,
                            None if !unseen.contains(&value) => unseen.push(value),
                            None => {}
                        }
                    }
                    if !unseen.is_empty() {
                        let unseen: Vec<&String> = unseen.iter().collect();
                        let text = format!(
                            "`{}`, column `{}`: value {} was not there at the fit and counts as none",
                            table.name,
                            column.name,
                            listed(&unseen)
                        );
                        context.warn("data", text);
                    }
                    at += values.len();
                }
                (Kind::Number { .. }, Cells::Text { .. }) => unreachable!("checked above"),
            }
        }
        Ok((features, kept))
    }
}

/// Up to [`NAMED`] names in backquotes.
pub(crate) fn listed(names: &[&String]) -> String {
    let first: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMED);
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

#[cfg(test)]
mod tests;
