//! Ridge regression: linear least squares with a penalty on the weights; classes are fitted as numbers.
//!
//! Paper: A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
//! Technometrics 12, 1970. Minimises, over weights `v (d)` and a free bias `b`,
//! ```text
//! Σ_i w_i (y_i - x_i v - b)² + penalty |v|²
//! ```
//! A class has `y_i = 1` for its rows and `-1` for the others, as in scikit-learn's `RidgeClassifier`; of two classes
//! one is fitted and the other has its scores with the sign turned.
//!
//! Solved through the smaller of two systems, with `B` the rows less their weighted mean, times `√w_i`:
//! ```text
//! d <= n:  v = (Bᵀ B + penalty I)⁻¹ Bᵀ t          d > n:  v = Bᵀ (B Bᵀ + penalty I)⁻¹ t
//! ```
//!
//! Cost: `O(n d min(n, d))` time, `O(min(n, d)²)` memory; a second copy of the rows is never held.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::logistic::{above_zero, only_class};
use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::linalg::{Matrix, PAR, multiply};
use crate::models::{Link, Predictor};
use crate::params::params_of;
use crate::solvers::{add_gram, solve_shifted, weighted_means};

/// Ridge regression and the classifier made of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ridge {
    /// How much the squared weights count against the squared residuals. Above 0, finite.
    pub penalty: f64,
}

impl Default for Ridge {
    fn default() -> Self {
        Self { penalty: 1.0 }
    }
}

impl Ridge {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "ridge",
        summary: "linear least squares, |w|² + Σ w_i residual_i²; classes as ±1",
        regresses: true,
        weighs: true,
        leaves_trees: false,
        by_column: false,
        baseline: Baseline { classes: None, values: Some(1) },
        most_rows: usize::MAX,
        source: include_str!("ridge.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for Ridge {
    fn row(&self) -> &'static LearnerRow {
        &Self::ROW
    }

    fn fit(
        &self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        context: &mut Context,
    ) -> Result<Predictor> {
        above_zero(self.name(), "penalty", self.penalty)?;
        if classes == 1 {
            return Ok(only_class(rows.ncols()));
        }
        let (weights, bias) = self.minimize(rows, labels, weights, classes, None, context)?;
        Ok(Predictor::Linear { link: Link::Identity, weights, bias })
    }
}

impl Ridge {
    /// The weights `(d, c)` and biases `(1, c)`; `start`, where given, are scores `(n, c)` that they are added to, of
    /// two classes with opposite signs.
    pub(super) fn minimize(
        self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        start: Option<MatRef<'_, f64>>,
        context: &mut Context,
    ) -> Result<(Matrix, Matrix)> {
        let first = usize::from(classes == 2); // of two classes, the second is fitted
        let wanted = |i: usize, k: usize| match labels {
            Labels::Values(values) => values[i],
            Labels::Classes(of) if of[i] == first + k => 1.0,
            Labels::Classes(_) => -1.0,
        };
        let targets = Mat::from_fn(rows.nrows(), classes.max(1) - first, |i, k| {
            wanted(i, k) - start.map_or(0.0, |start| start[(i, first + k)])
        });
        let side = rows.nrows().min(rows.ncols());
        context.require("the normal equations of `ridge`", 3 * 8 * (side * side) as u64)?;
        let (mut v, mut bias) = ridge_weights(rows, targets.as_ref(), weights, self.penalty)?;
        if classes == 2 {
            v = Mat::from_fn(v.nrows(), 2, |j, k| if k == 0 { -v[(j, 0)] } else { v[(j, 0)] });
            bias = Mat::from_fn(1, 2, |_, k| if k == 0 { -bias[(0, 0)] } else { bias[(0, 0)] });
        }
        Ok((v, bias))
    }
}

/// The weights `(d, k)` and biases `(1, k)` for targets `(n, k)`, each row counted by its weight.
///
/// # Errors
/// [`Error::Numeric`](crate::error::Error::Numeric) if the input is not finite.
pub fn ridge_weights(
    x: MatRef<'_, f64>,
    targets: MatRef<'_, f64>,
    weights: &[f64],
    penalty: f64,
) -> Result<(Matrix, Matrix)> {
    let (n, d) = x.shape();
    let (x_means, t_means) = (weighted_means(x, weights), weighted_means(targets, weights));
    // Rows and columns of `B`, or of the targets likewise.
    let part = |x: MatRef<'_, f64>, means: &[f64], rows: Range<usize>, columns: Range<usize>| {
        let roots: Vec<f64> = weights[rows.clone()].iter().map(|w| w.sqrt()).collect();
        let mut part = Mat::zeros(rows.len(), columns.len());
        for (to, j) in columns.enumerate() {
            let from = x.col(j).subrows(rows.start, rows.len());
            let to = part.col_as_slice_mut(to).iter_mut();
            to.zip(from.iter()).zip(&roots).for_each(|((to, v), root)| *to = root * (v - means[j]));
        }
        part
    };
    let t = part(targets, &t_means, 0..n, 0..targets.ncols());
    let v = if d <= n {
        const ROWS: usize = 8192;
        let (mut gram, mut moment) = (Mat::zeros(d, d), Mat::zeros(d, t.ncols()));
        for first in (0..n).step_by(ROWS) {
            let end = n.min(first + ROWS);
            let block = part(x, &x_means, first..end, 0..d);
            add_gram(&mut gram, block.as_ref());
            matmul(moment.as_mut(), Accum::Add, block.transpose(), t.get(first..end, ..), 1.0, PAR);
        }
        solve_shifted(gram, penalty, moment)?
    } else {
        const COLUMNS: usize = 1024;
        let part = |first: usize| part(x, &x_means, 0..n, first..d.min(first + COLUMNS));
        let mut gram = Mat::zeros(n, n);
        for first in (0..d).step_by(COLUMNS) {
            let block = part(first);
            add_gram(&mut gram, block.transpose());
        }
        let dual = solve_shifted(gram, penalty, t)?;
        let mut v = Mat::zeros(d, targets.ncols());
        for first in (0..d).step_by(COLUMNS) {
            let block = multiply(part(first).transpose(), dual.as_ref());
            v.get_mut(first..first + block.nrows(), ..).copy_from(block);
        }
        v
    };
    let shift = |k: usize| (0..d).map(|j| x_means[j] * v[(j, k)]).sum::<f64>();
    let bias = Mat::from_fn(1, targets.ncols(), |_, k| t_means[k] - shift(k));
    Ok((v, bias))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, select_rows};

    fn fit(penalty: f64, x: &Matrix, labels: &Labels, weights: &[f64], classes: usize) -> (Matrix, Matrix) {
        match (Ridge { penalty }).fit(x.as_ref(), labels, weights, classes, &mut Context::default()).unwrap()
        {
            Predictor::Linear { weights, bias, .. } => (weights, bias),
            _ => unreachable!("ridge is linear"),
        }
    }

    fn close(a: &Matrix, b: &Matrix) {
        assert!((a - b).norm_max() < 1e-10, "{a:?} {b:?}");
    }

    fn table(columns: usize) -> (Matrix, Labels) {
        let x = Mat::from_fn(12, columns, |i, j| ((i * 7 + j * 13 + i * i * (j + 1)) % 23) as f64 / 5.0);
        (x, Labels::Values((0..12).map(|i| f64::from(i * i % 11)).collect()))
    }

    #[test]
    fn a_line_by_hand() {
        // Means 0 and 1: v = (1 + 1) / (1 + 1 + penalty).
        let x = from_rows(&[vec![-1.0], vec![1.0]]);
        let (v, b) = fit(1.0, &x, &Labels::Values(vec![0.0, 2.0]), &[1.0, 1.0], 0);
        assert!((v[(0, 0)] - 2.0 / 3.0).abs() < 1e-15 && (b[(0, 0)] - 1.0).abs() < 1e-15);
        let (v, b) = fit(1.0, &x, &Labels::Classes(vec![0, 1]), &[1.0, 1.0], 2);
        close(&v, &from_rows(&[vec![-2.0 / 3.0, 2.0 / 3.0]]));
        close(&b, &from_rows(&[vec![0.0, 0.0]]));
        let one = Ridge::default().fit(
            x.as_ref(),
            &Labels::Classes(vec![0, 0]),
            &[1.0; 2],
            1,
            &mut Context::default(),
        );
        assert_eq!(one.unwrap().answer(x.as_ref()).scores.unwrap(), from_rows(&[vec![1.0], vec![1.0]]));
    }

    #[test]
    fn weights_count_rows_and_scale_the_penalty() {
        let (x, y) = table(3);
        let weights: Vec<f64> = (0..12).map(|i| f64::from(1 + i % 3)).collect();
        let (v, b) = fit(1.0, &x, &y, &weights, 0);
        let again: Vec<usize> = (0..12).flat_map(|i| vec![i; 1 + i % 3]).collect();
        let repeated = select_rows(x.as_ref(), &again);
        let (w, c) = fit(1.0, &repeated, &y.select(&again), &vec![1.0; again.len()], 0);
        close(&v, &w);
        close(&b, &c);
        let fivefold: Vec<f64> = weights.iter().map(|w| 5.0 * w).collect();
        close(&v, &fit(5.0, &x, &y, &fivefold, 0).0);
    }

    #[test]
    fn the_derivatives_vanish_with_more_rows_and_with_more_columns() {
        for columns in [3, 12, 13, 2000] {
            let ((x, y), weights) = (table(columns), [0.5, 1.0, 2.0].repeat(4));
            let (v, b) = fit(0.7, &x, &y, &weights, 0);
            let Labels::Values(y) = y else { unreachable!("numbers") };
            let score = multiply(x.as_ref(), v.as_ref());
            let left: Vec<f64> = (0..12).map(|i| weights[i] * (y[i] - score[(i, 0)] - b[(0, 0)])).collect();
            assert!(left.iter().sum::<f64>().abs() < 1e-10);
            for j in 0..columns {
                let slope: f64 = (0..12).map(|i| x[(i, j)] * left[i]).sum();
                assert!((slope - 0.7 * v[(j, 0)]).abs() < 1e-9, "{columns} columns, {j}");
            }
        }
    }

    #[test]
    fn columns_that_drown_the_penalty_share_the_weight() {
        let (x, y) = table(1);
        let twice = Mat::from_fn(12, 2, |i, _| 1e9 * x[(i, 0)]);
        let (v, _) = fit(1e-3, &twice, &y, &[1.0; 12], 0);
        let (single, _) = fit(1e-21, &x, &y, &[1.0; 12], 0);
        let sum = 1e9 * (v[(0, 0)] + v[(1, 0)]);
        assert!((sum - single[(0, 0)]).abs() < 1e-6, "{v:?} {single:?}");
    }
}
