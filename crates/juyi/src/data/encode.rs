//! How tables become features: which columns count, how text is turned into numbers, what happens to missing cells.
//!
//! Decided once from the sources and the target, kept in the model, and done the same way to every later table.

mod absent;
mod apply;
mod dates;
mod identifiers;
mod indices;
mod kind;
mod negative;
mod outlying;
mod scales;
mod sentinels;
mod words;

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use absent::absent_columns;
use identifiers::identifies;
use kind::{Decision, is_constant, is_empty, is_sequence, kind, row_names, tell_nameless};
use sentinels::Sentinels;
pub(crate) use sentinels::sentinels_in;
pub(crate) use words::{Spellings, truths_as_numbers};

use super::cells::Cells;
use super::dates::{DAY, DateOrder, TimeUnit, calendar};
use super::missing::tell_unmet;
use super::numerals::{Notations, read_later};
use super::reading::Reading;
use super::table::Table;
use crate::context::Context;
use crate::error::{Error, Result, few, shown};

/// A table and its cells of a column.
type Seen<'a> = (&'a Table, &'a Cells);

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

impl Missing {
    /// `error`, `mean` or `drop`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Mean => "mean",
            Self::Drop => "drop",
        }
    }
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
    /// Dates or times, as numbers.
    Date {
        /// The order of three numbers whose order does not tell itself; `None` where there were none.
        order: Option<DateOrder>,
        /// What the numbers count.
        unit: TimeUnit,
        /// What stands for a missing cell: the source's mean.
        mean: f64,
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
            Kind::Number { .. } | Kind::Date { .. } => 1,
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
    /// Words that are values in columns of text, though they mark missing cells otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_values: Vec<String>,
    /// How numbers were written in columns that were text, the label among them.
    #[serde(default, skip_serializing_if = "Notations::is_empty")]
    pub notations: Notations,
}

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
            if tables.iter().all(|table| table.names().all(|known| known != name)) {
                return Err(Error::Unknown {
                    kind: "column".into(),
                    name: name.clone(),
                    known: tables[0].names().cloned().collect(),
                });
            }
        }
        for table in &tables {
            table.tell(context);
        }
        tell_unmet(&tables, context);
        indices::compare_first(&tables, context)?;
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
                let who = format!("`{}` has", tables[0].name);
                let hint = "columns are matched by name; `‹drop›` leaves a column out on both sides";
                let needed = |name: &str| known.contains(name);
                return Err(absent_columns(table, &absent, &who, hint, needed));
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
        let mut numbered = Vec::new();
        let mut sentinels = Sentinels::default();
        let mut empty = vec![Vec::new(); tables.len()];
        for name in names {
            let cells: Vec<Seen> = tables
                .iter()
                .zip(indexes.iter().zip(&zeros))
                .map(|(table, (index, zeros))| {
                    (*table, index.get(name.as_str()).map_or(zeros, |&j| &table.columns[j].cells))
                })
                .collect();
            for ((_, cells), empty) in cells.iter().zip(&mut empty) {
                if is_empty(cells) {
                    empty.push(name);
                }
            }
            match kind(name, &cells, sources.len(), context)? {
                Decision::Use(kind) => {
                    if let Kind::Number { .. } = &kind {
                        if is_sequence(cells[0].1) {
                            sequences.push(name);
                        } else if identifies(name, &cells) {
                            numbered.push(name);
                        }
                        sentinels.look(name, cells.iter().map(|(_, cells)| *cells));
                        if is_constant(&cells) {
                            constant.push(name);
                        }
                    }
                    columns.push(ColumnEncoding { name: name.clone(), kind });
                }
                Decision::Identifier => names_of_rows.push(name),
                Decision::LeaveOut(why) => {
                    context.warn("data", format!("column `{}` is left out: {why}", shown(name)));
                }
            }
        }
        sentinels.tell(context);
        tell_nameless(&tables, columns.iter().map(|c| &c.name).filter(|c| !sequences.contains(c)), context);
        for (table, names) in tables.iter().zip(&empty).filter(|(_, names)| !names.is_empty()) {
            context.warn("data", format!("`{}`: column {} is empty", table.name, listed(names)));
        }
        if !constant.is_empty() {
            context.note("data", format!("constant everywhere: column {}", listed(&constant)));
        }
        if !sequences.is_empty() {
            let text = format!(
                "column {} counts the rows and looks like an identifier: `‹id›` or `‹drop›` keeps it out",
                listed(&sequences)
            );
            context.warn("data", text);
        }
        if !numbered.is_empty() {
            let text = format!(
                "column {} has another whole number in every row and looks like an identifier: `‹id›` or `‹drop›` keeps it \
                 out",
                listed(&numbered)
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
        let of_all = |words: fn(&Table) -> &Vec<String>| {
            let all: BTreeSet<&String> = tables.iter().flat_map(|table| words(table)).collect();
            all.into_iter().cloned().collect()
        };
        Ok(Self {
            columns,
            missing,
            label: label.into(),
            id: id.to_vec(),
            missing_values: of_all(|table| &table.missing_values),
            keep_values: of_all(|table| &table.keep_values),
            notations: Notations::new(),
        })
    }

    /// Checks what a model file says.
    ///
    /// # Errors
    /// What cannot be, in words.
    pub(crate) fn check(&self) -> std::result::Result<(), String> {
        let too_large = |column: &&ColumnEncoding| matches!(column.kind, Kind::Number { mean } | Kind::Date { mean, .. } if !(-LARGEST..=LARGEST).contains(&mean));
        match self.columns.iter().find(too_large) {
            Some(column) => {
                Err(format!("the mean of column `{}` is no number to compute with", shown(&column.name)))
            }
            None => Ok(()),
        }
    }

    /// The column that the `j`-th feature is made of.
    fn of_feature(&self, j: usize) -> Option<&ColumnEncoding> {
        let mut left = j;
        self.columns.iter().find(|column| {
            let own = column.width();
            let here = left < own;
            left = left.saturating_sub(own);
            here
        })
    }

    /// The names of the columns that the features are made of, one after another.
    pub(crate) fn columns_of_features(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().flat_map(|column| std::iter::repeat_n(column.name.as_str(), column.width()))
    }

    /// The name of the column that the `j`-th feature is made of.
    pub(crate) fn column_of(&self, j: usize) -> &str {
        self.of_feature(j).map_or("", |column| &column.name)
    }

    /// A value of the `j`-th feature in words: dates and times as such.
    pub(crate) fn written(&self, j: usize, value: f64) -> String {
        const TEN_THOUSAND_YEARS: f64 = 3.2e11;
        let Some(Kind::Date { unit, .. }) = self.of_feature(j).map(|column| &column.kind) else {
            return value.to_string();
        };
        let seconds = if *unit == TimeUnit::Days { value * DAY } else { value };
        if seconds.abs() > TEN_THOUSAND_YEARS {
            return value.to_string();
        }
        calendar(seconds, *unit == TimeUnit::SecondsOfDay)
    }

    /// Number of features.
    pub fn width(&self) -> usize {
        self.columns.iter().map(ColumnEncoding::width).sum()
    }

    /// The columns that a table must have, and those that are carried to the predictions.
    pub fn needed(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).chain(self.id.iter().cloned()).collect()
    }

    /// The columns that must be read as they are written: text, label and identifiers.
    pub fn text_columns(&self) -> Vec<String> {
        let text = self.columns.iter().filter(|column| matches!(column.kind, Kind::Text { .. }));
        text.map(|column| column.name.clone())
            .chain(self.id.iter().cloned())
            .chain([self.label.clone()])
            .collect()
    }

    /// Has a table read with the words that mark missing cells, and those that do not, as the model learnt them.
    pub fn add_words_to(&self, reading: &mut Reading) {
        reading.missing_values.extend(self.missing_values.iter().cloned());
        reading.keep_values.extend(self.keep_values.iter().cloned());
    }

    /// Whether a table without missing cells becomes the same features under both.
    pub fn makes_the_same_of(&self, other: &Self) -> bool {
        let alike = |(own, other): (&ColumnEncoding, &ColumnEncoding)| {
            let same = match (&own.kind, &other.kind) {
                (Kind::Number { .. }, Kind::Number { .. }) => true,
                (Kind::Date { order, unit, .. }, Kind::Date { order: o, unit: u, .. }) => {
                    order == o && unit == u
                }
                (own, other) => own == other,
            };
            own.name == other.name && same
        };
        self.columns.len() == other.columns.len() && self.columns.iter().zip(&other.columns).all(alike)
    }

    /// Turns text into numbers where the model has numbers.
    fn read_numbers(&self, table: &mut Table, context: &mut Context) -> Result<()> {
        let numbers = self.columns.iter().filter(|column| matches!(column.kind, Kind::Number { .. }));
        let names: Vec<&str> = numbers.map(|column| column.name.as_str()).collect();
        read_later(table, &names, &self.notations, context)
    }
}

/// Up to five names in backquotes.
pub fn listed(names: &[&String]) -> String {
    few(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
