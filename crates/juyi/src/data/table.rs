//! A table as it was read: named columns of numbers or text, before anything is decided about them.

use std::collections::HashMap;

use crate::error::{Error, Result};

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

    /// The cell as text; `None` if it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Numbers(numbers) => (!numbers[row].is_nan()).then(|| numbers[row].to_string()),
            Self::Text { codes, values } => values.get(codes[row] as usize).cloned(),
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Its cells.
    pub cells: Cells,
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
    /// What a reader wants known of how the file was read; may be empty.
    pub remark: String,
}

impl Table {
    /// Whether the column of this name is one of zeros that are not written down.
    pub(super) fn leaves_out(&self, name: &str) -> bool {
        let index = name.strip_prefix('x').filter(|index| !index.is_empty());
        self.sparse && index.is_some_and(|index| index.bytes().all(|b| b.is_ascii_digit()))
    }

    /// A column that [`Table::leaves_out`].
    pub(super) fn zeros(&self) -> Cells {
        Cells::Numbers(vec![0.0; if self.sparse { self.rows } else { 0 }])
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
            remark: self.remark.clone(),
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
#[derive(Default)]
pub(super) struct TextCells {
    codes: Vec<u32>,
    values: Vec<String>,
    positions: HashMap<String, u32>,
    /// About what the different values take in memory.
    pub(super) bytes: u64,
}

impl TextCells {
    /// Adds a cell; `None` and the empty text are missing.
    pub(super) fn push(&mut self, cell: Option<&str>) {
        let Some(cell) = cell.filter(|cell| !cell.is_empty()) else { return self.codes.push(MISSING) };
        let code = self.positions.get(cell).copied().unwrap_or_else(|| {
            let code = self.values.len() as u32;
            self.values.push(cell.into());
            self.positions.insert(cell.into(), code);
            self.bytes += 2 * cell.len() as u64 + 64;
            code
        });
        self.codes.push(code);
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
