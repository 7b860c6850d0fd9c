//! How tables become features: which columns count, how text is turned into numbers, what happens to missing cells.
//!
//! Decided once from the sources and the target, kept in the model, and done the same way to every later table.

use std::collections::HashMap;

use faer::Mat;
use serde::{Deserialize, Serialize};

use super::table::{Cells, MISSING, Table};
use crate::context::Context;
use crate::error::{Error, Result};
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
}

/// Most columns that a message lists by name.
const NAMED: usize = 5;

/// Rows from which on a column without repeats is suspicious.
const SUSPICIOUS_ROWS: usize = 20;

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
        let out = |name: &String| name == label || id.contains(name) || drop.contains(name);
        let names: Vec<&String> =
            tables[0].columns.iter().map(|column| &column.name).filter(|name| !out(name)).collect();
        let mut indexes: Vec<HashMap<&str, usize>> = Vec::new();
        for table in &tables {
            let index: HashMap<&str, usize> =
                table.columns.iter().enumerate().map(|(j, column)| (column.name.as_str(), j)).collect();
            let absent: Vec<&String> =
                names.iter().copied().filter(|name| !index.contains_key(name.as_str())).collect();
            if !absent.is_empty() {
                let problem = format!("has no column {}, which `{}` has", listed(&absent), tables[0].name);
                let hint = "columns are matched by name; `--drop` leaves a column out on both sides";
                return Err(Error::input(format!("`{}`", table.name), problem, hint));
            }
            let known: std::collections::HashSet<&str> = names.iter().map(|name| name.as_str()).collect();
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
        let mut columns = Vec::new();
        let (mut constant, mut sequences, mut names_of_rows) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            let cells: Vec<(&Table, &Cells)> = tables
                .iter()
                .zip(&indexes)
                .map(|(table, index)| (*table, &table.columns[index[name.as_str()]].cells))
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
        Ok(Self { columns, missing, label: label.into(), id: id.to_vec() })
    }

    /// Number of features.
    pub fn width(&self) -> usize {
        let width = |column: &ColumnEncoding| match &column.kind {
            Kind::Number { .. } => 1,
            Kind::Text { values } => values.len(),
        };
        self.columns.iter().map(width).sum()
    }

    /// The columns that must be read as they are written: text, label and identifiers.
    pub fn text_columns(&self) -> Vec<String> {
        let text = self.columns.iter().filter(|column| matches!(column.kind, Kind::Text { .. }));
        text.map(|column| column.name.clone())
            .chain(self.id.iter().cloned())
            .chain([self.label.clone()])
            .collect()
    }

    /// Features `(rows kept, width)` and the numbers of the rows that are kept. The table's cells are given up column
    /// by column, so that they and the matrix are never held whole at once.
    ///
    /// # Errors
    /// [`Error::Input`] for a missing column, a missing cell under [`Missing::Error`], text where numbers stand;
    /// [`Error::Memory`].
    pub fn apply(&self, table: &mut Table, context: &mut Context) -> Result<(Matrix, Vec<usize>)> {
        let index: HashMap<String, usize> =
            table.columns.iter().enumerate().map(|(j, column)| (column.name.clone(), j)).collect();
        let absent: Vec<&String> =
            self.columns.iter().map(|c| &c.name).filter(|name| !index.contains_key(*name)).collect();
        if !absent.is_empty() {
            let problem = format!("has no column {}, which the model needs", listed(&absent));
            return Err(Error::input(format!("`{}`", table.name), problem, "columns are matched by name"));
        }
        let mut keep = vec![true; table.rows];
        let mut filled = 0;
        for column in &self.columns {
            let cells = &table.columns[index[&column.name]].cells;
            if let (Kind::Number { .. }, Cells::Text { .. }) = (&column.kind, cells) {
                return Err(text_among_numbers(&table.name, &column.name, cells));
            }
            for row in 0..table.rows {
                if cells.is_missing(row) {
                    match self.missing {
                        Missing::Error => {
                            let thing =
                                format!("`{}`, row {}, column `{}`", table.name, row + 1, column.name);
                            let hint = "`--missing mean` fills it with the source's mean, `--missing drop` leaves the row out";
                            return Err(Error::input(thing, "is missing", hint));
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
        let kept: Vec<usize> = (0..table.rows).filter(|&row| keep[row]).collect();
        if kept.len() < table.rows {
            let dropped = table.rows - kept.len();
            context.note(
                "data",
                format!(
                    "`{}`: {dropped} of {} rows have missing cells and are left out",
                    table.name, table.rows
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
            let cells =
                std::mem::replace(&mut table.columns[index[&column.name]].cells, Cells::Numbers(Vec::new()));
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

enum Decision {
    Use(Kind),
    /// Text with hardly a value twice.
    Identifier,
}

/// What a column holds in all tables together; the first `sources` are sources.
fn kind(name: &str, cells: &[(&Table, &Cells)], sources: usize, context: &mut Context) -> Result<Decision> {
    let empty =
        |cells: &Cells| matches!(cells, Cells::Numbers(numbers) if numbers.iter().all(|v| v.is_nan()));
    let text = cells.iter().filter(|(_, cells)| matches!(cells, Cells::Text { .. })).count();
    if text == 0 {
        let known = cells[..sources].iter().flat_map(|(_, cells)| match cells {
            Cells::Numbers(numbers) => numbers.as_slice(),
            Cells::Text { .. } => &[],
        });
        let known = known.filter(|v| !v.is_nan());
        let (sum, count) = known.fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
        return Ok(Decision::Use(Kind::Number {
            mean: if count > 0 { sum / f64::from(count) } else { 0.0 },
        }));
    }
    // Text in one table and numbers in another: the text is the odd one out. So is a stray word among numbers.
    let numbers_elsewhere =
        cells.iter().any(|(_, cells)| matches!(cells, Cells::Numbers(_)) && !empty(cells));
    for (table, cells) in cells {
        let Cells::Text { codes, values } = cells else { continue };
        let numeric: Vec<bool> = values.iter().map(|value| value.parse::<f64>().is_ok()).collect();
        let filled = codes.iter().filter(|code| **code != MISSING).count();
        let numbers = codes.iter().filter(|code| numeric.get(**code as usize) == Some(&true)).count();
        if numbers_elsewhere || (numbers < filled && numbers * 10 >= filled * 9) {
            return Err(text_among_numbers(&table.name, name, cells));
        }
        if numbers * 2 >= filled && numbers < filled {
            context
                .warn("data", format!("`{}`, column `{name}`: mostly numbers, treated as text", table.name));
        }
    }
    let (Cells::Text { codes, values }, table) = (cells[0].1, cells[0].0) else {
        let (table, cells) = cells.iter().find(|(_, cells)| !empty(cells)).unwrap_or(&cells[0]);
        return Err(text_among_numbers(&table.name, name, cells));
    };
    let filled = codes.iter().filter(|code| **code != MISSING).count();
    if table.rows >= SUSPICIOUS_ROWS && values.len() * 10 > filled * 9 {
        return Ok(Decision::Identifier);
    }
    let values_of = |range: &[(&Table, &Cells)]| -> Vec<String> {
        let text = range.iter().flat_map(|(_, cells)| match cells {
            Cells::Text { values, .. } => values.clone(),
            Cells::Numbers(_) => Vec::new(),
        });
        let mut values: Vec<String> = text.collect();
        values.sort();
        values.dedup();
        values
    };
    let in_source = values_of(&cells[..sources]);
    let values = values_of(cells);
    let unseen: Vec<&String> =
        values.iter().filter(|value| in_source.binary_search(value).is_err()).collect();
    if !unseen.is_empty() {
        context.warn("data", format!("column `{name}`: value {} occurs in the target only", listed(&unseen)));
    }
    Ok(Decision::Use(Kind::Text { values }))
}

/// The error for the first cell that is not a number.
fn text_among_numbers(table: &str, column: &str, cells: &Cells) -> Error {
    let (mut row, mut value) = (0, String::new());
    if let Cells::Text { codes, values } = cells {
        let stray =
            |code: &u32| values.get(*code as usize).is_some_and(|value| value.parse::<f64>().is_err());
        row = codes.iter().position(stray).unwrap_or(0);
        value = cells.text(row).unwrap_or_default();
    }
    let hint = if value.replacen(',', ".", 1).parse::<f64>().is_ok() {
        "write decimals with a point, not a comma"
    } else {
        "mend the cell, leave it empty and use `--missing`, or `--drop` the column"
    };
    let thing = format!("`{table}`, row {}, column `{column}`", row + 1);
    Error::input(thing, format!("`{value}` stands where the other cells are numbers"), hint)
}

/// Whether a column counts its rows: consecutive whole numbers.
fn is_sequence(cells: &Cells) -> bool {
    let Cells::Numbers(numbers) = cells else { return false };
    numbers.len() >= SUSPICIOUS_ROWS && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
}

/// Whether a numeric column has one value in all tables.
fn is_constant(cells: &[(&Table, &Cells)]) -> bool {
    let mut known = cells.iter().flat_map(|(_, cells)| match cells {
        Cells::Numbers(numbers) => numbers.as_slice(),
        Cells::Text { .. } => &[],
    });
    let first = known.find(|v| !v.is_nan());
    first.is_some_and(|first| known.all(|v| v.is_nan() || v == first))
}

/// Up to [`NAMED`] names in backquotes.
pub(crate) fn listed(names: &[&String]) -> String {
    let first: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMED);
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::csv::read_from;
    use crate::linalg::from_rows;

    fn table(name: &str, text: &str) -> Table {
        read_from(name, || Ok(text.as_bytes()), &["y".to_string()], 1 << 30).unwrap()
    }

    fn decide(source: &str, target: &str, missing: Missing) -> Result<(Encoding, Context)> {
        let mut context = Context::default();
        let tables = (table("old", source), table("new", target));
        let encoding = Encoding::decide(&[tables.0], &tables.1, "y", &[], &[], missing, &mut context)?;
        Ok((encoding, context))
    }

    fn problem(source: &str, target: &str) -> String {
        decide(source, target, Missing::Error).unwrap_err().to_string()
    }

    #[test]
    fn columns_are_matched_by_name_and_text_becomes_one_hot_over_the_union() {
        let (encoding, mut context) =
            decide("y,a,c\nu,1,red\nv,2,blue\n", "c,a\ngreen,5\nred,6\n", Missing::Error).unwrap();
        let (x, kept) = encoding.apply(&mut table("new", "c,a\ngreen,5\nred,6\n"), &mut context).unwrap();
        assert_eq!(x, from_rows(&[vec![5.0, 0.0, 1.0, 0.0], vec![6.0, 0.0, 0.0, 1.0]]));
        assert_eq!(kept, [0, 1]);
        assert_eq!(context.notices()[0].text, "column `c`: value `green` occurs in the target only");
        encoding.apply(&mut table("later", "c,a\npink,5\n"), &mut context).unwrap();
        assert!(context.notices()[1].text.contains("`pink` was not there at the fit"));
    }

    #[test]
    fn columns_that_do_not_fit_are_named() {
        assert_eq!(problem("y,a,b\nu,1,2\n", "a\n1\n"), "`new`: has no column `b`, which `old` has");
        assert_eq!(
            problem("y,a\nu,1\n", "a\nhigh\n"),
            "`new`, row 1, column `a`: `high` stands where the other cells are numbers"
        );
        let mostly = format!("y,a\n{}u,x7\n", "u,1\n".repeat(19));
        assert!(problem(&mostly, "a\n1\n").starts_with("`old`, row 20, column `a`: `x7` stands"));
        let (_, context) = decide("y,a\nu,1\n", "a,z\n1,2\n", Missing::Error).unwrap();
        assert!(context.notices()[0].text.contains("column `z` is ignored"));
    }

    #[test]
    fn missing_cells_follow_the_rule_that_was_asked_for() {
        let (source, target) = ("y,a,b\nu,1,2\nv,,4\nu,3,5\n", "a,b\n7,\n1,1\n");
        let (encoding, mut context) = decide(source, target, Missing::Error).unwrap();
        let error = encoding.apply(&mut table("old", source), &mut context).unwrap_err();
        assert_eq!(error.to_string(), "`old`, row 2, column `a`: is missing");
        let (encoding, mut context) = decide(source, target, Missing::Mean).unwrap();
        let (x, _) = encoding.apply(&mut table("new", target), &mut context).unwrap();
        assert_eq!(x[(0, 1)], 11.0 / 3.0);
        let (encoding, mut context) = decide(source, target, Missing::Drop).unwrap();
        let (x, kept) = encoding.apply(&mut table("new", target), &mut context).unwrap();
        assert_eq!((x.nrows(), kept), (1, vec![1]));
    }

    #[test]
    fn constants_and_identifiers_are_noticed() {
        let rows: String = (0..30).map(|i| format!("u,{i},k{i},5,{}\n", i % 3)).collect();
        let source = format!("y,number,name,same,a\n{rows}");
        let (encoding, context) = decide(&source, &source, Missing::Error).unwrap();
        let names: Vec<&str> = encoding.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["number", "same", "a"]);
        let said: Vec<&str> = context.notices().iter().map(|n| n.text.as_str()).collect();
        assert!(said[0].starts_with("constant everywhere: column `same`"), "{said:?}");
        assert!(said[1].starts_with("column `number` counts the rows"), "{said:?}");
        assert!(said[2].starts_with("text column `name` has hardly a value twice"), "{said:?}");
    }

    #[test]
    fn ten_thousand_columns_are_no_trouble() {
        let names: Vec<String> = (0..10_000).map(|j| format!("c{j}")).collect();
        let cells = vec!["1"; 10_000].join(",");
        let text = format!("y,{}\nu,{cells}\nv,{cells}\n", names.join(","));
        let (encoding, mut context) = decide(&text, &text, Missing::Error).unwrap();
        let (x, _) = encoding.apply(&mut table("wide", &text), &mut context).unwrap();
        assert_eq!(x.shape(), (2, 10_000));
        assert!(context.notices()[0].text.ends_with("and 9995 more"));
    }
}
