//! The rows of the target that a model is asked about, and the door through which its answers leave.

use faer::MatRef;

use crate::data::{Encoding, Table};
use crate::error::{Error, Result, shown};
use crate::models::{Answers, Map};

/// What errors call the rows that a model is asked about.
pub(super) struct Asked<'a> {
    /// Their table.
    pub(super) table: &'a Table,
    /// Their numbers in it.
    pub(super) rows: &'a [usize],
    /// How the table became features; none where it was a matrix.
    pub(super) encoding: Option<&'a Encoding>,
}

impl Asked<'_> {
    /// Lets answers pass that are finite. `features` are those of the rows, and `maps` what is done to them.
    ///
    /// # Errors
    /// [`Error::Input`] naming the row, and the column that is likely to be at fault.
    pub(super) fn check(&self, answers: &Answers, features: MatRef<'_, f64>, maps: &[Map]) -> Result<()> {
        let Some(i) = answers.not_finite() else { return Ok(()) };
        let j = farthest(features, i, maps.first());
        let named = self.encoding.map_or_else(|| format!("{}", j + 1), |own| own.column_of(j).into());
        let (column, value) = (shown(&named), features[(i, j)]);
        let problem = format!(
            "its prediction is not finite; farthest from the rows learnt from is column `{column}` ({value:e})"
        );
        let hint = "look whether the column is in another unit, and whether the model is sound";
        Err(Error::input(self.table.place(self.rows[i]), problem, hint))
    }
}

/// Where a row is farthest from the rows learnt from: in the units of the standardisation, where there is one.
fn farthest(features: MatRef<'_, f64>, row: usize, first: Option<&Map>) -> usize {
    let distance = |j: usize| match first {
        Some(Map::Affine { shift, scale }) => ((features[(row, j)] - shift[(0, j)]) * scale[(0, j)]).abs(),
        _ => features[(row, j)].abs(),
    };
    (1..features.ncols()).fold(0, |best, j| if distance(j) > distance(best) { j } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ColumnEncoding, Kind, Missing, Notations};
    use crate::linalg::from_rows;

    #[test]
    fn row_and_column_of_an_answer_that_is_not_finite_are_named() {
        let number = |name: &str| ColumnEncoding { name: name.into(), kind: Kind::Number { mean: 0.0 } };
        let text = ColumnEncoding {
            name: "colour".into(),
            kind: Kind::Text { values: vec!["blue".into(), "red".into()] },
        };
        let columns = vec![number("height"), text, number("weight")];
        let encoding = Encoding {
            columns,
            missing: Missing::Error,
            label: "y".into(),
            id: Vec::new(),
            missing_values: Vec::new(),
            keep_values: Vec::new(),
            notations: Notations::new(),
        };
        let table = Table { name: "t.csv".into(), ..Table::default() };
        let asked = Asked { table: &table, rows: &[3, 8], encoding: Some(&encoding) };
        let features = from_rows(&[vec![1.0, 0.0, 1.0, 2.0], vec![1e9, 1.0, 0.0, 1e8]]);
        let affine =
            Map::Affine { shift: from_rows(&[vec![0.0; 4]]), scale: from_rows(&[vec![1e-9, 1.0, 1.0, 1.0]]) };
        let check = |answers: &Answers, maps: &[Map]| {
            asked.check(answers, features.as_ref(), maps).map_err(|error| error.to_string())
        };
        let sound = || Answers {
            answer: vec![0.0; 2],
            confidence: vec![1.0; 2],
            scores: Some(from_rows(&[vec![1.0], vec![1.0]])),
        };
        assert_eq!(check(&sound(), &[]), Ok(()));
        let spoilt: [fn(&mut Answers); 3] = [
            |a| a.answer[1] = f64::NAN,
            |a| a.confidence[1] = f64::NEG_INFINITY,
            |a| a.scores = Some(from_rows(&[vec![1.0], vec![f64::INFINITY]])),
        ];
        for spoil in spoilt {
            let mut answers = sound();
            spoil(&mut answers);
            let said = |column: &str| {
                Err(format!(
                    "`t.csv`, row 9: its prediction is not finite; farthest from the rows learnt from is column {column}"
                ))
            };
            assert_eq!(check(&answers, &[]), said("`height` (1e9)"));
            assert_eq!(check(&answers, std::slice::from_ref(&affine)), said("`weight` (1e8)"));
        }
    }
}
