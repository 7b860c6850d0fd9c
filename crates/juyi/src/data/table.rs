//! A table as it was read: named columns of numbers or text, before anything is decided about them.

use std::collections::{HashMap, HashSet};

use super::dates::{DateOrder, TimeUnit};
use super::lines::Lines;
use super::points::Points;
use crate::context::Context;
use crate::error::{Error, Result};

/// What a column and its name take beside their cells, in bytes.
pub(super) const COLUMN: u64 = 128;

/// The code of a missing text cell.
pub(super) const MISSING: u32 = u32::MAX;

/// The cells of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Finite numbers; NaN is a missing cell.
    Numbers(Vec<f64>),
    /// Positions in a list of values, `u32::MAX` for a missing cell.
    Text {
        /// One position a row.
        codes: Vec<u32>,
        /// The values, in order of first appearance.
        values: Vec<String>,
    },
}

impl Cells {
    /// Text cells from one value a row; nothing and the empty text are missing.
    pub fn from_text(written: impl IntoIterator<Item = Option<String>>) -> Self {
        let mut cells = TextCells::default();
        written.into_iter().for_each(|cell| cells.push(cell.as_deref()));
        cells.finish()
    }

    /// Whether the cell in this row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(numbers) => numbers[row].is_nan(),
            Self::Text { codes, .. } => codes[row] == MISSING,
        }
    }

    /// Whether every row has a value of its own, and these are whole numbers or text.
    pub(super) fn differ(&self) -> bool {
        match self {
            Self::Numbers(numbers) => {
                let mut seen = HashSet::with_capacity(numbers.len());
                numbers.iter().all(|v| v.fract() == 0.0 && seen.insert(v.to_bits()))
            }
            Self::Text { codes, values } => values.len() == codes.len(),
        }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Text { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of cells that are not missing.
    pub fn filled(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.iter().filter(|v| !v.is_nan()).count(),
            Self::Text { codes, .. } => codes.iter().filter(|code| **code != MISSING).count(),
        }
    }

    /// About what the cells take in memory.
    fn bytes(&self) -> u64 {
        match self {
            Self::Numbers(numbers) => size_of_val(&numbers[..]) as u64,
            Self::Text { codes, values } => {
                let text: usize = values.iter().map(|value| value.len() + size_of::<String>()).sum();
                (size_of_val(&codes[..]) + text) as u64
            }
        }
    }

    /// About what the cells take as one text each: a value that many rows share is there many times.
    pub(crate) fn unfolded_bytes(&self) -> u64 {
        let own = size_of::<String>() as u64;
        match self {
            Self::Numbers(numbers) => 2 * own * numbers.len() as u64,
            Self::Text { codes, values } => {
                let text = |code: &u32| values.get(*code as usize).map_or(0, String::len) as u64;
                codes.iter().map(|code| own + text(code)).sum()
            }
        }
    }

    /// The cell as text; `None` if it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Numbers(numbers) => (!numbers[row].is_nan()).then(|| numbers[row].to_string()),
            Self::Text { codes, values } => values.get(codes[row] as usize).cloned(),
        }
    }
}

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
    /// What a reader wants known of how the file was read; may be empty.
    pub remark: String,
    /// The lines of its rows, where it was read from lines.
    pub lines: Lines,
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
            None => format!("`{}`, row {}", self.name, row + 1),
        }
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
            remark: self.remark.clone(),
            lines: self.lines.select(rows),
            seen: self.seen.clone(),
            missing_values: self.missing_values.clone(),
            keep_values: self.keep_values.clone(),
            decimal: self.decimal,
            date_order: self.date_order,
            row_names: self.row_names.clone(),
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
            let cells = self.columns.iter().map(|column| column.cells.text(row).unwrap_or_default());
            writer.write_record(cells).map_err(failed)?;
        }
        writer.into_inner().map_err(|error| failed(error.into_error().into()))
    }

    /// The table as `NumPy`'s `.npz`: the columns of numbers as `X`, the label as `y`, other columns of text under their
    /// names. [`super::read_table`] and `numpy.load` read it back.
    ///
    /// # Errors
    /// None that memory can give.
    pub fn to_npz(&self) -> Result<Vec<u8>> {
        super::npz::write(self)
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
        self.columns.iter().find(|column| column.name == name)
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
        return Err(Error::input(format!("`{table}`"), problem, "give `--label` another name"));
    }
    Ok(name.into())
}

/// Text cells while they are gathered.
pub(super) struct TextCells {
    codes: Vec<u32>,
    values: Vec<String>,
    positions: HashMap<String, u32>,
    /// About what the different values take in memory, with what else counts beside them.
    pub(super) bytes: u64,
    limit: u64,
}

impl Default for TextCells {
    fn default() -> Self {
        Self::within(u64::MAX, 0)
    }
}

impl TextCells {
    /// Cells that may take `limit` bytes, of which `taken` are by what they come from.
    pub(super) fn within(limit: u64, taken: u64) -> Self {
        let (codes, values, positions) = (Vec::new(), Vec::new(), HashMap::new());
        Self { codes, values, positions, bytes: taken, limit }
    }

    /// Adds a cell of what messages call `thing`.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn push_within(&mut self, thing: &str, cell: Option<&str>) -> Result<()> {
        self.push(cell);
        let need = self.bytes + 4 * self.codes.len() as u64;
        if need > self.limit {
            return Err(Error::Memory { what: format!("reading {thing}"), need, budget: self.limit });
        }
        Ok(())
    }

    /// Adds a cell; `None` and the empty text are missing.
    pub(super) fn push(&mut self, cell: Option<&str>) {
        let Some(cell) = cell.filter(|cell| !cell.is_empty()) else { return self.codes.push(MISSING) };
        let code = self.positions.get(cell).copied().unwrap_or_else(|| {
            let code = self.values.len() as u32;
            self.values.push(cell.into());
            self.positions.insert(cell.into(), code);
            self.bytes += 2 * cell.len() as u64 + 112; // each twice, and its place in the map
            code
        });
        self.codes.push(code);
    }

    /// Leaves the first cells.
    pub(super) fn truncate(&mut self, cells: usize) {
        self.codes.truncate(cells);
    }

    /// The cells.
    pub(super) fn finish(self) -> Cells {
        Cells::Text { codes: self.codes, values: self.values }
    }
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

    #[test]
    fn text_is_coded_in_order_of_appearance() {
        let cells = Cells::from_text(vec![Some("b".into()), None, Some("a".into()), Some("b".into())]);
        assert_eq!(
            cells,
            Cells::Text { codes: vec![0, MISSING, 1, 0], values: vec!["b".into(), "a".into()] }
        );
        assert_eq!((cells.text(2), cells.text(1)), (Some("a".into()), None));
    }
}
