//! A table as it was read: named columns of numbers or text, before anything is decided about them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cells::Cells;
use super::dates::{DateOrder, TimeUnit, written_time};
use super::lines::Lines;
use super::points::Points;
use crate::context::Context;
use crate::error::{Error, Result};

/// What a column and its name take beside their cells, in bytes.
pub(super) const COLUMN: u64 = 128;

/// The index of a column of a sparse table: 7 of `x7`.
pub(super) fn index(name: &str) -> Option<u64> {
    let index = name.strip_prefix('x').filter(|index| index.bytes().all(|b| b.is_ascii_digit()));
    index?.parse().ok()
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Its cells.
    pub cells: Cells,
}

/// What a reader saw of a column beside its cells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// What points in its numbers may be.
    pub points: Points,
    /// A whole number with leading zeros, if there is one.
    pub code: Option<String>,
    /// A whole number that is rounded, if there is one.
    pub rounded: Option<String>,
    /// Words of missing cells, each with its number of cells.
    pub absent: Vec<(String, usize)>,
    /// Whether the file gives it no name.
    pub unnamed: bool,
}

/// Whether this is a whole number with leading zeros, as codes are.
pub(super) fn is_code(cell: &[u8]) -> bool {
    cell.len() > 1 && cell[0] == b'0' && cell.iter().all(u8::is_ascii_digit)
}

/// A place among columns, which is no part of what a table says.
#[derive(Debug, Default)]
pub struct LastColumn(AtomicUsize);

impl Clone for LastColumn {
    fn clone(&self) -> Self {
        Self(AtomicUsize::new(self.0.load(Ordering::Relaxed)))
    }
}

impl PartialEq for LastColumn {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What messages call it.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Its columns, all of the same length and with different names.
    pub columns: Vec<Column>,
    /// The label's column where the format says which it is (all but text tables and Parquet).
    pub label: Option<String>,
    /// Whether columns `x<number>` that it does not have are zeros: svmlight files leave zeros out.
    pub sparse: bool,
    /// Height and width where rows are pictures: the feature columns are their grey values, row by row.
    pub image: Option<(usize, usize)>,
    /// Columns of numbers that stand for dates or times, as formats with a type for them have.
    pub times: HashMap<String, TimeUnit>,
    /// Columns of truth values that are the numbers 0 and 1, as formats with a type for them have.
    pub truths: Vec<String>,
    /// Where labels that were given beside it stand, by the row that they are of.
    pub given_labels: HashMap<usize, String>,
    /// What a reader wants known of how the file was read; may be empty.
    pub remark: String,
    /// The lines of its rows, where it was read from lines.
    pub lines: Lines,
    /// Numbers of its rows, from 0, where it lacks some of those that were given.
    pub numbers: Vec<usize>,
    /// What was seen of some columns, by name.
    pub seen: HashMap<String, Seen>,
    /// Cells that count as missing, beside those that always do.
    pub missing_values: Vec<String>,
    /// Words that are values in columns of text, though they mark missing cells otherwise.
    pub keep_values: Vec<String>,
    /// What was said to stand before decimals.
    pub decimal: Option<char>,
    /// What was said of the order of dates such as `01/02/2024`.
    pub date_order: Option<DateOrder>,
    /// The first column, where it has no name in the header and a value of its own in every row.
    pub row_names: Option<String>,
    /// Where the column that was last asked for stands.
    pub last: LastColumn,
    /// What a reader did that a note must tell.
    pub notes: Vec<String>,
    /// What a reader saw that a warning must tell.
    pub warnings: Vec<String>,
    /// Words that were to mark missing cells, or to be values, and are no cell's.
    pub unmet: Vec<String>,
    /// Columns of the file that were not read.
    pub unread: Vec<String>,
    /// Columns that got another name when they were read: old and new.
    pub renamed: Vec<(String, String)>,
}

impl Table {
    /// Whether the column of this name is one of zeros that are not written down.
    pub(super) fn leaves_out(&self, name: &str) -> bool {
        self.sparse && index(name).is_some()
    }

    /// A column that [`Table::leaves_out`].
    pub(super) fn zeros(&self) -> Cells {
        Cells::Numbers(vec![0.0; if self.sparse { self.rows } else { 0 }])
    }

    /// What messages call a row, by its position: its line where there are lines.
    pub fn place(&self, row: usize) -> String {
        match self.lines.of(row) {
            Some(line) => format!("`{}`, {} {line}", self.name, self.lines.word()),
            None => format!("`{}`, row {}", self.name, self.number(row) + 1),
        }
    }

    /// What messages call the label of a row: the place where it was filled in, or that of the row.
    pub fn label_place(&self, row: usize) -> String {
        self.given_labels.get(&row).cloned().unwrap_or_else(|| self.place(row))
    }

    /// A cell as its file has it: dates, times and truth values as such; `None` if it is missing.
    pub fn written(&self, column: &Column, row: usize) -> Option<String> {
        let Cells::Numbers(numbers) = &column.cells else { return column.cells.text(row) };
        let number = numbers[row];
        match self.times.get(&column.name) {
            _ if number.is_nan() => None,
            Some(unit) => written_time(number, *unit).or_else(|| column.cells.text(row)),
            None if self.truths.contains(&column.name) => Some((number != 0.0).to_string()),
            None => column.cells.text(row),
        }
    }

    /// The number of a row among those that were given, from 0.
    pub fn number(&self, row: usize) -> usize {
        self.numbers.get(row).copied().unwrap_or(row)
    }

    /// Says what was done when it was read.
    pub(super) fn tell(&self, context: &mut Context) {
        for note in &self.notes {
            context.note("data", format!("`{}`: {note}", self.name));
        }
        self.warnings.iter().for_each(|warning| context.warn("data", warning));
    }

    /// Words of a column that were read as missing cells, each with its number of cells.
    pub(crate) fn absent(&self, column: &str) -> &[(String, usize)] {
        self.seen.get(column).map_or(&[], |seen| &seen.absent)
    }

    /// The table of these rows, in this order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let cells = |cells: &Cells| match cells {
            Cells::Numbers(numbers) => Cells::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
            Cells::Text { codes, values } => {
                Cells::Text { codes: rows.iter().map(|&row| codes[row]).collect(), values: values.clone() }
            }
        };
        let column = |column: &Column| Column { name: column.name.clone(), cells: cells(&column.cells) };
        Self {
            name: self.name.clone(),
            rows: rows.len(),
            columns: self.columns.iter().map(column).collect(),
            label: self.label.clone(),
            sparse: self.sparse,
            image: self.image,
            times: self.times.clone(),
            truths: self.truths.clone(),
            given_labels: (0..rows.len())
                .filter_map(|row| Some((row, self.given_labels.get(&rows[row])?.clone())))
                .collect(),
            remark: self.remark.clone(),
            lines: self.lines.select(rows),
            numbers: if self.numbers.is_empty() {
                Vec::new()
            } else {
                rows.iter().map(|&row| self.number(row)).collect()
            },
            seen: self.seen.clone(),
            missing_values: self.missing_values.clone(),
            keep_values: self.keep_values.clone(),
            decimal: self.decimal,
            date_order: self.date_order,
            row_names: self.row_names.clone(),
            last: self.last.clone(),
            notes: self.notes.clone(),
            warnings: self.warnings.clone(),
            unmet: self.unmet.clone(),
            unread: self.unread.clone(),
            renamed: self.renamed.clone(),
        }
    }

    /// The table as CSV with a header; missing cells are empty.
    ///
    /// # Errors
    /// None that memory can give.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let failed =
            |error: csv::Error| Error::Numeric { what: "writing CSV".into(), why: error.to_string() };
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|column| &column.name)).map_err(failed)?;
        for row in 0..self.rows {
            let cells = self.columns.iter().map(|column| self.written(column, row).unwrap_or_default());
            writer.write_record(cells).map_err(failed)?;
        }
        writer.into_inner().map_err(|error| failed(error.into_error().into()))
    }

    /// About what the table takes in memory.
    pub fn bytes(&self) -> u64 {
        self.columns.iter().map(|column| COLUMN + column.cells.bytes()).sum::<u64>() + self.lines.bytes()
    }

    /// The names of its columns, and of those that were not read.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().map(|column| &column.name).chain(&self.unread)
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.position(name).map(|j| &self.columns[j])
    }

    /// Where the column of this name stands. Columns are mostly asked for in order: the last one that was and the one after it
    /// are looked at first.
    pub fn position(&self, name: &str) -> Option<usize> {
        let is = |j: &usize| self.columns.get(*j).is_some_and(|column| column.name == name);
        let last = self.last.0.load(Ordering::Relaxed);
        let near = [last, last + 1].into_iter().find(is);
        let found = near.or_else(|| (0..self.columns.len()).find(is))?;
        self.last.0.store(found, Ordering::Relaxed);
        Some(found)
    }
}

/// The name for the column of the labels: `label`, or `label` where nothing is asked for.
///
/// # Errors
/// [`Error::Input`] if a feature has this name.
pub(super) fn label_name(table: &str, label: Option<&str>, features: &[Column]) -> Result<String> {
    let name = label.unwrap_or("label");
    if features.iter().any(|column| column.name == name) {
        let problem = format!("`{name}` is the name of a feature, and the labels are apart from them");
        return Err(Error::input(format!("`{table}`"), problem, "give `‹label›` another name"));
    }
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_with_quotes_and_gaps() {
        let numbers = Column { name: "a".into(), cells: Cells::Numbers(vec![0.1, f64::NAN]) };
        let text = Column { name: "b, c".into(), cells: Cells::from_text(vec![None, Some("x\"y".into())]) };
        let table = Table { rows: 2, columns: vec![numbers, text], ..Table::default() };
        let written = String::from_utf8(table.to_csv().unwrap()).unwrap();
        assert_eq!(written, "a,\"b, c\"\n0.1,\n,\"x\"\"y\"\n");
    }
}
