//! The nearest class mean: one weighted mean a class, Euclidean distance.
//!
//! Cost: `O(n d)`.

use faer::{Mat, MatRef};

use super::Learner;
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::models::Predictor;

/// Predicts the class whose weighted mean is nearest.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClassMeans;

impl Learner for ClassMeans {
    fn name(&self) -> &'static str {
        "class-means"
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
