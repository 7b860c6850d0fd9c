//! The nearest training row, or the `k` nearest: nothing is fitted, the rows are kept.
//!
//! Paper: T. Cover and P. Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information Theory 13,
//! 1967. With `N(x)` the `k` training rows nearest to `x`, of equal distances those of the lower row number:
//! ```text
//! class of x  = the class that most rows in N(x) have; among equals that of the nearest of these rows
//! number of x = mean of the numbers of N(x)
//! ```
//! The confidence in a class is the share of `N(x)` that has it. One row would always be sure: with `k = 1` it is
//! `b / (a + b)`, `a` being the distance to the nearest row and `b` to the nearest row of another class.
//!
//! Rows of weight 0 are left out. All others count alike: weights that differ are refused, and a weight that all rows
//! share changes nothing, so with `k` above 1 it is not the same as repeating each row.
//!
//! Cost: `O(n m d)` for `m` predictions, `O(n d)` memory and model file.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::models::Predictor;
use crate::params::params_of;

/// The answer of the nearest training rows by Euclidean distance; the lowest row number wins a tie.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NearestNeighbor {
    /// How many of the nearest rows decide. From 1 to the number of training rows.
    pub k: usize,
}

impl Default for NearestNeighbor {
    fn default() -> Self {
        Self { k: 1 }
    }
}

impl NearestNeighbor {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "1-nn",
        summary: "the answer of the nearest training row, or of several together (Euclidean)",
        regresses: true,
        weighs: false,
        leaves_trees: false,
        baseline: Baseline { classes: Some(2), values: Some(2) },
        most_rows: usize::MAX,
        source: include_str!("nearest.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for NearestNeighbor {
    fn row(&self) -> &'static LearnerRow {
        &Self::ROW
    }

    fn fit(
        &self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        _weights: &[f64],
        classes: usize,
        _context: &mut Context,
    ) -> Result<Predictor> {
        let (k, n) = (self.k, rows.nrows());
        if !(1..=n).contains(&k) {
            let must = if k == 0 {
                "1 or above".into()
            } else {
                format!("at most {n}, as there are {n} training rows")
            };
            return Err(Error::Param {
                owner: self.name().into(),
                name: "k".into(),
                must,
                got: k.to_string(),
            });
        }
        let answers = Mat::from_fn(labels.len(), 1, |i, _| match labels {
            Labels::Classes(of) => of[i] as f64,
            Labels::Values(values) => values[i],
        });
        Ok(Predictor::Neighbors { classes, k, rows: rows.to_owned(), answers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Goal;
    use crate::learners::{learner, train};
    use crate::linalg::from_rows;

    #[test]
    fn k_is_one_to_the_number_of_rows_that_count() {
        let x = from_rows(&[vec![0.0], vec![1.0], vec![4.0], vec![6.0]]);
        let labels = Labels::Values(vec![1.0, 2.0, 6.0, 0.0]);
        let fit = |asked: &str, weights: Option<&[f64]>| {
            let own = learner(asked).unwrap();
            train(own.as_ref(), &x, &labels, weights, &Goal::Value, &mut Context::default())
                .map(|trained| trained.predictor.answer(from_rows(&[vec![1.5]]).as_ref()).answer[0])
                .map_err(|error| error.to_string())
        };
        assert_eq!(fit("1-nn", None), Ok(2.0));
        assert_eq!(fit("1-nn(k=3)", None), Ok(3.0));
        assert_eq!(fit("1-nn(k=3)", Some(&[2.0, 0.0, 2.0, 2.0])), Ok(7.0 / 3.0));
        assert_eq!(fit("1-nn(k=0)", None), Err("`1-nn`: `k` must be 1 or above, got 0".into()));
        let most = "`1-nn`: `k` must be at most 3, as there are 3 training rows, got 4".to_string();
        assert_eq!(fit("1-nn(k=4)", Some(&[1.0, 0.0, 1.0, 1.0])), Err(most));
        assert!(fit("1-nn(k=2)", Some(&[1.0, 2.0, 1.0, 1.0])).is_err_and(|why| why.contains("row weights")));
    }
}
