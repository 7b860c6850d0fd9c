//! A table as it was read: named columns of numbers or text, before anything is decided about them.

use std::path::Path;

use super::{csv::read_csv, mat};
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
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What messages call it.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Its columns, all of the same length and with different names.
    pub columns: Vec<Column>,
    /// The label's column where the format says which it is (`.mat`, built-in data).
    pub label: Option<String>,
    /// What a reader wants known of how the file was read; may be empty.
    pub remark: String,
    /// Height and width in pixels where each row is a picture: grey values, row by row, in the feature columns.
    pub image: Option<(usize, usize)>,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Reads `.csv`, `.csv.gz`, `.tsv`, `.txt` or `.mat` (with `file.mat:X,y` to name the variables).
///
/// `label` is what the label's column is called; columns in `as_text` are kept as they are written. `limit` is the most
/// bytes that the table may take.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] naming file, row and column, [`Error::Memory`].
pub fn read_table(spec: &str, label: Option<&str>, as_text: &[String], limit: u64) -> Result<Table> {
    let (path, variables) = match spec.rfind(".mat:") {
        Some(at) => (&spec[..at + 4], Some(&spec[at + 5..])),
        None => (spec, None),
    };
    let lower = path.to_lowercase();
    let path = Path::new(path);
    if path.is_dir() {
        let hint = "give a .csv, .csv.gz or .mat file";
        return Err(Error::input(format!("`{spec}`"), "is a folder, not a table", hint));
    }
    if Path::new(&lower).extension().is_some_and(|ending| ending == "mat") {
        return read_mat(path, variables, label, limit);
    }
    if [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt"].iter().any(|ending| lower.ends_with(ending)) {
        return read_csv(path, as_text, limit);
    }
    if !path.exists() {
        return Err(Error::io(path, std::io::Error::from(std::io::ErrorKind::NotFound)));
    }
    let hint = "tables are read from .csv, .csv.gz, .tsv, .txt and .mat files";
    Err(Error::input(format!("`{spec}`"), "has an ending that is not known", hint))
}

/// `X,y` of a `.mat` file as a table with columns `x1 …` and the label. Samples are the rows of `X` unless only its
/// columns are as many as the labels, or it is written `X'`.
fn read_mat(path: &Path, variables: Option<&str>, label: Option<&str>, limit: u64) -> Result<Table> {
    let file = format!("`{}`", path.display());
    let given = variables.is_some();
    let (features, labels) = match variables.unwrap_or("fts,labels").split_once(',') {
        Some((features, labels)) => (features.trim(), Some(labels.trim())),
        None => (variables.unwrap_or_default().trim(), None),
    };
    let (features, turned) = features.strip_suffix('\'').map_or((features, false), |name| (name, true));
    if features.is_empty() || labels == Some("") {
        let hint = "write `file.mat:X,y` with the features' and the labels' variable, or `file.mat:X` without labels";
        return Err(Error::input(file, "the variables after `:` are empty", hint));
    }
    if labels == Some(features) {
        let problem = format!("`{features}` is named as the features and as the labels");
        return Err(Error::input(file, problem, "write `file.mat:X,y`, or `file.mat:X` without labels"));
    }
    // Unlabelled targets need not have the default labels variable.
    let has_labels = |name: &str| mat::list(path).map(|all| all.iter().any(|(known, _)| known == name));
    let labels = match labels {
        Some(name) if given || has_labels(name)? => Some(name),
        _ => None,
    };
    let wanted: Vec<&str> = std::iter::once(features).chain(labels).collect();
    let mut found = mat::read(path, &wanted, limit)?;
    let take = |found: &mut Vec<mat::Variable>, name: &str| {
        let at = found.iter().position(|variable| variable.name == name);
        at.map(|at| found.swap_remove(at)).ok_or_else(|| {
            Error::input(file.clone(), format!("has no variable `{name}`"), "name it: `file.mat:X,y`")
        })
    };
    let x = take(&mut found, features)?;
    let y = labels.map(|name| take(&mut found, name)).transpose()?;
    let mat::Values::Numbers(numbers) = x.values else {
        return Err(Error::input(
            file,
            format!("variable `{features}` holds text"),
            "features must be numbers",
        ));
    };
    let label_count = y.as_ref().map(|y| match &y.values {
        mat::Values::Numbers(_) => y.rows * y.columns,
        mat::Values::Text(rows) => rows.len(),
    });
    let turned = turned || label_count.is_some_and(|count| x.columns == count && x.rows != count);
    let (rows, width) = if turned { (x.columns, x.rows) } else { (x.rows, x.columns) };
    if let Some(count) = label_count
        && count != rows
    {
        let problem = format!("`{features}` is {} x {}, but there are {count} labels", x.rows, x.columns);
        return Err(Error::input(file, problem, "one side of the features must be as long as the labels"));
    }
    if let Some(bad) = numbers.iter().find(|v| v.is_infinite()) {
        return Err(Error::input(file, format!("variable `{features}` holds {bad}"), "mend infinite values"));
    }
    let mut columns: Vec<Column> = (0..width)
        .map(|j| {
            let cell = |i: usize| if turned { numbers[i * width + j] } else { numbers[j * rows + i] };
            Column { name: format!("x{}", j + 1), cells: Cells::Numbers((0..rows).map(cell).collect()) }
        })
        .collect();
    let name = label.unwrap_or("label").to_string();
    if let Some(y) = y {
        let written = match y.values {
            mat::Values::Numbers(values) => {
                values.iter().map(|v| (!v.is_nan()).then(|| v.to_string())).collect()
            }
            mat::Values::Text(rows) => rows.into_iter().map(|v| Some(v).filter(|v| !v.is_empty())).collect(),
        };
        columns.push(Column { name: name.clone(), cells: text_cells(written) });
    }
    let side = if turned { "columns" } else { "rows" };
    let remark = format!("{side} of `{features}` ({} x {}) are samples", x.rows, x.columns);
    let (name, label) = (path.display().to_string(), label_count.map(|_| name));
    Ok(Table { name, rows, columns, label, remark, image: None })
}

/// Text cells from one optional value a row.
pub(super) fn text_cells(written: Vec<Option<String>>) -> Cells {
    let mut positions = std::collections::HashMap::new();
    let mut values = Vec::new();
    let mut code = |value: Option<String>| {
        let Some(value) = value else { return MISSING };
        *positions.entry(value).or_insert_with_key(|value| {
            values.push(value.clone());
            values.len() as u32 - 1
        })
    };
    let codes = written.into_iter().map(&mut code).collect();
    Cells::Text { codes, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_coded_in_order_of_appearance() {
        let cells = text_cells(vec![Some("b".into()), None, Some("a".into()), Some("b".into())]);
        assert_eq!(
            cells,
            Cells::Text { codes: vec![0, MISSING, 1, 0], values: vec!["b".into(), "a".into()] }
        );
        assert_eq!((cells.text(2), cells.text(1)), (Some("a".into()), None));
    }

    #[test]
    fn a_wrong_ending_and_a_missing_file_are_named() {
        let error = read_table("no/such.csv", None, &[], 1 << 30).unwrap_err();
        assert!(error.to_string().starts_with("`no/such.csv`: "), "{error}");
        assert!(read_table("no/such.xlsx", None, &[], 1 << 30).is_err());
    }
}
