//! Weights of source rows, and the table that shows them, as CSV or Parquet.

use std::ops::Range;

use faer::ColRef;

use super::columns::{self, Cells};
use crate::context::Context;
use crate::error::Result;

/// The source rows that are learnt from, in the order in which a learner gets them.
#[derive(Debug, Clone, Default)]
pub struct SourceRows {
    /// Each source with its name.
    pub parts: Vec<(String, Range<usize>)>,
    /// The number of each row in its table, from 0.
    pub rows: Vec<usize>,
    /// Identifying columns: name and one text a row.
    pub id: Vec<(String, Vec<String>)>,
}

/// The weight that a learner saw of each source row.
#[derive(Debug, Clone)]
pub struct SourceWeights {
    /// The rows.
    pub source: SourceRows,
    /// One weight a row.
    pub weights: Vec<f64>,
}

impl SourceRows {
    /// Rows of one more source. A source that lacks an identifying column of another has empty cells there.
    pub fn add(&mut self, name: &str, rows: Vec<usize>, id: Vec<(String, Vec<String>)>) {
        let first = self.rows.len();
        self.rows.extend(rows);
        self.parts.push((name.into(), first..self.rows.len()));
        for (name, cells) in id {
            match self.id.iter_mut().find(|(own, _)| *own == name) {
                Some((_, own)) => own.extend(cells),
                None => self.id.push((name, [vec![String::new(); first], cells].concat())),
            }
        }
        for (_, cells) in &mut self.id {
            cells.resize(self.rows.len(), String::new());
        }
    }
}

impl SourceWeights {
    /// Checks that identifying columns have names of their own.
    ///
    /// # Errors
    /// [`Error::Input`](crate::error::Error::Input) naming the column, and the option.
    pub fn check_names(id: &[String], sources: usize) -> Result<()> {
        let taken = |name: &str| ["row", "weight"].contains(&name) || sources > 1 && name == "source";
        columns::check_names(id, "the weights", taken)
    }

    /// Columns `source` where there are several, `row` (from 1, the line below the header being row 1), the identifying
    /// columns, `weight`.
    fn columns(&self) -> Vec<(String, Cells<'_>)> {
        let SourceRows { parts, rows, id } = &self.source;
        let mut columns = Vec::new();
        if parts.len() > 1 {
            let names = parts.iter().flat_map(|(name, range)| range.clone().map(|_| name.as_str()));
            columns.push(("source".to_string(), Cells::Text(names.collect())));
        }
        columns.push(("row".into(), Cells::Rows(rows)));
        for (name, cells) in id {
            columns.push((name.clone(), Cells::Text(cells.iter().map(String::as_str).collect())));
        }
        columns.push(("weight".into(), Cells::Numbers(ColRef::from_slice(&self.weights))));
        columns
    }
}

/// The weights as CSV. Numbers are written so that they read back to the same bits.
///
/// # Errors
/// [`Error::Memory`](crate::error::Error::Memory); [`Error::Numeric`](crate::error::Error::Numeric) if the table cannot be
/// written down.
pub fn weights_csv(weights: &SourceWeights, context: &Context) -> Result<Vec<u8>> {
    columns::csv("weights", &weights.columns(), weights.weights.len(), context)
}

/// The weights as Parquet, in the same columns: rows are 64-bit integers, weights doubles, the rest text.
///
/// # Errors
/// As [`weights_csv`].
pub fn weights_parquet(weights: &SourceWeights, context: &Context) -> Result<Vec<u8>> {
    columns::parquet("weights", &weights.columns(), context)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(source: SourceRows, weights: Vec<f64>) -> String {
        let csv = weights_csv(&SourceWeights { source, weights }, &Context::default()).unwrap();
        String::from_utf8(csv).unwrap()
    }

    #[test]
    fn sources_are_named_where_there_are_several() {
        let id = |name: &str, cells: &[&str]| (name.to_string(), cells.iter().map(|&c| c.into()).collect());
        let mut rows = SourceRows::default();
        rows.add("a.csv", vec![0, 3], vec![id("name", &["x, y", ""])]);
        let text = "row,name,weight\n1,\"x, y\",0.1\n4,,1.9\n";
        assert_eq!(csv(rows.clone(), vec![0.1, 1.9]), text);
        rows.add("b.csv", vec![1], vec![id("code", &["7"])]);
        let text = "source,row,name,code,weight\na.csv,1,\"x, y\",,0.1\na.csv,4,,,1.9\nb.csv,2,,7,1\n";
        assert_eq!(csv(rows, vec![0.1, 1.9, 1.0]), text);
    }

    #[test]
    fn identifying_columns_have_names_of_their_own() {
        let said = |name: &str, sources: usize| {
            SourceWeights::check_names(&[name.to_string()], sources).map_err(|error| error.to_string())
        };
        let problem = |name: &str| Err(format!("`‹id {name}›`: is what the weights call a column of theirs"));
        assert_eq!(said("weight", 1), problem("weight"));
        assert_eq!((said("source", 2), said("source", 1)), (problem("source"), Ok(())));
    }
}
