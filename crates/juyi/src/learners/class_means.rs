//! The nearest class mean: one weighted mean a class, Euclidean distance.
//!
//! Cost: `O(n d)`.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::models::Predictor;
use crate::params::params_of;

/// Predicts the class whose weighted mean is nearest.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClassMeans;

impl ClassMeans {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "class-means",
        summary: "the nearest class mean (Euclidean)",
        regresses: false,
        weighs: true,
        leaves_trees: false,
        by_column: false,
        baseline: Baseline { classes: Some(3), values: None },
        most_rows: usize::MAX,
        source: include_str!("class_means.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for ClassMeans {
    fn row(&self) -> &'static LearnerRow {
        &Self::ROW
    }

    fn fit(
        &self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        _context: &mut Context,
    ) -> Result<Predictor> {
        let means = weighted_class_means(rows, labels.classes(), weights, classes);
        Ok(Predictor::ClassMeans { means, offsets: Mat::zeros(1, classes) })
    }
}

/// `Σ_{i in c} w_i x_i / Σ_{i in c} w_i` for each class `c`, `(classes, d)`.
pub fn weighted_class_means(rows: MatRef<'_, f64>, of: &[usize], weights: &[f64], classes: usize) -> Matrix {
    let mut total = vec![0.0; classes];
    of.iter().zip(weights).for_each(|(&c, w)| total[c] += w);
    let mut means = Mat::zeros(classes, rows.ncols());
    for (j, column) in rows.col_iter().enumerate() {
        for ((&c, w), v) in of.iter().zip(weights).zip(column.iter()) {
            means[(c, j)] += w * v / total[c];
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn means_by_hand() {
        let rows = from_rows(&[vec![0.0], vec![3.0], vec![10.0]]);
        let means = weighted_class_means(rows.as_ref(), &[0, 0, 1], &[2.0, 1.0, 0.5], 2);
        assert_eq!(means, from_rows(&[vec![1.0], vec![10.0]]));
    }
}
