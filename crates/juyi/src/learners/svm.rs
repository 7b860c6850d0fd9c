//! The linear support vector machine with squared hinge loss, one class against the rest.
//!
//! Paper: R.-E. Fan, K.-W. Chang, C.-J. Hsieh, X.-R. Wang and C.-J. Lin, "LIBLINEAR: a library for large linear
//! classification", JMLR 9, 2008 (its L2-regularised L2-loss classifier). For each class, with `y_i = 1` for its rows
//! and `-1` for the others, minimises over `w (d)` and `b`, `C` being the cost,
//! ```text
//! |w|² / 2 + b² / 2 + C Σ_i w_i max(0, 1 - y_i f_i)²,   f_i = x_i w + b
//! ```
//! The bias is penalised like a weight on a column of ones, as in LIBLINEAR. Of two classes one is fitted and the
//! other has its scores with the sign turned. Scores are margins, not probabilities.
//!
//! Differs from the paper in the solver, which reaches the exact minimum; its cost is told in
//! [`SquaredHinge`].

use faer::{Mat, MatRef};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::logistic::{above_zero, only_class};
use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::models::{Link, Predictor};
use crate::params::params_of;
use crate::solvers::SquaredHinge;

/// Classes that are fitted at a time.
const CLASSES: usize = 4;

/// The linear support vector machine.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Svm {
    /// `C`: how much the rows count against the penalty on the weights. Above 0, finite.
    pub cost: f64,
}

impl Default for Svm {
    fn default() -> Self {
        Self { cost: 1.0 }
    }
}

impl Svm {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "svm",
        summary: "linear support vector machine, ½|w|² + Σ w_i hinge_i², one against the rest",
        regresses: false,
        weighs: true,
        leaves_trees: false,
        by_column: false,
        baseline: Baseline { classes: None, values: None },
        most_rows: usize::MAX,
        source: include_str!("svm.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for Svm {
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
        above_zero(self.name(), "cost", self.cost)?;
        if classes == 1 {
            return Ok(only_class(rows.ncols()));
        }
        let (weights, bias) = self.minimize(rows, labels.classes(), weights, classes, None, context)?;
        Ok(Predictor::Linear { link: Link::Identity, weights, bias })
    }
}

impl Svm {
    /// The weights `(d, c)` and biases `(1, c)`; `start`, where given, are scores `(n, c)` that they are added to, of
    /// two classes with opposite signs.
    pub(super) fn minimize(
        self,
        rows: MatRef<'_, f64>,
        of: &[usize],
        weights: &[f64],
        classes: usize,
        start: Option<MatRef<'_, f64>>,
        context: &mut Context,
    ) -> Result<(Matrix, Matrix)> {
        let (n, d) = rows.shape();
        let fitted: Vec<usize> = (usize::from(classes == 2)..classes).collect(); // of two, the second
        let side = n.min(d + 1);
        let need = 8 * CLASSES.min(fitted.len()) * (3 * side * side + 16 * n);
        context.require("the systems of `svm`", need as u64)?;
        let problem = SquaredHinge::new(rows, weights, self.cost);
        let (mut w, mut b) = (Mat::zeros(d, classes), Mat::zeros(1, classes));
        for together in fitted.chunks(CLASSES) {
            let fit = |&k: &usize| {
                let sign: Vec<f64> = of.iter().map(|&c| if c == k { 1.0 } else { -1.0 }).collect();
                let margin = |(i, y): (usize, &f64)| 1.0 - start.map_or(0.0, |start| y * start[(i, k)]);
                problem.minimize(&sign, &sign.iter().enumerate().map(margin).collect::<Vec<f64>>())
            };
            let models: Vec<Result<(Vec<f64>, bool)>> = together.par_iter().map(fit).collect();
            for (&k, model) in together.iter().zip(models) {
                let (model, found) = model?;
                if !found {
                    context.warn("svm", format!("class {}: did not converge", k + 1));
                }
                w.col_as_slice_mut(k).copy_from_slice(&model[..d]);
                b[(0, k)] = model[d];
            }
        }
        if classes == 2 {
            for j in 0..d {
                w[(j, 0)] = -w[(j, 1)];
            }
            b[(0, 0)] = -b[(0, 1)];
        }
        Ok((w, b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, select_rows};

    /// Scores of the rows themselves.
    fn fit(cost: f64, x: &Matrix, of: &[usize], weights: &[f64], classes: usize) -> Matrix {
        let mut context = Context::default();
        let labels = Labels::Classes(of.to_vec());
        let predictor = Svm { cost }.fit(x.as_ref(), &labels, weights, classes, &mut context).unwrap();
        assert!(context.notices().is_empty(), "{:?}", context.notices());
        predictor.answer(x.as_ref()).scores.unwrap()
    }

    fn close(a: &Matrix, b: &Matrix) {
        assert!((a - b).norm_max() < 1e-8, "{a:?} {b:?}");
    }

    fn table() -> (Matrix, Vec<usize>) {
        let x = Mat::from_fn(40, 3, |i, j| ((i * 7 + j * 13 + i * i * (j + 1)) % 23) as f64 / 5.0);
        (x, (0..40).map(|i| (i * i + i / 7) % 3).collect())
    }

    #[test]
    fn two_points_by_hand() {
        // w²/2 + 2 C (1 - w)² is least at w = 4 C / (1 + 4 C).
        let scores = fit(1.0, &from_rows(&[vec![-1.0], vec![1.0]]), &[0, 1], &[1.0, 1.0], 2);
        close(&scores, &from_rows(&[vec![0.8, -0.8], vec![-0.8, 0.8]]));
        // One point with x = 0 in each class: both biases pull, b²/2 + C ((1 - b)² + (1 + b)²) is least at b = 0; with
        // weights 3 and 1, b + 2 (1 + b) - 6 (1 - b) = 0.
        let weighted = fit(1.0, &Mat::zeros(2, 1), &[0, 1], &[1.0, 3.0], 2);
        assert!((weighted[(0, 1)] - 4.0 / 9.0).abs() < 1e-8, "{weighted:?}");
    }

    #[test]
    fn weights_count_rows_and_scale_the_cost() {
        let (x, of) = table();
        let weights: Vec<f64> = (0..40).map(|i| f64::from(1 + i % 3)).collect();
        let scores = fit(1.0, &x, &of, &weights, 3);
        let again: Vec<usize> = (0..40).flat_map(|i| vec![i; 1 + i % 3]).collect();
        let labels: Vec<usize> = again.iter().map(|&i| of[i]).collect();
        let repeated = fit(1.0, &select_rows(x.as_ref(), &again), &labels, &vec![1.0; again.len()], 3);
        close(&select_rows(scores.as_ref(), &again), &repeated);
        let fivefold: Vec<f64> = weights.iter().map(|w| 5.0 * w).collect();
        close(&scores, &fit(0.2, &x, &of, &fivefold, 3));
    }

    #[test]
    fn a_class_is_fitted_against_the_rest() {
        let (x, of) = table();
        let all = fit(1.0, &x, &of, &[1.0; 40], 3);
        for class in 0..3 {
            let own: Vec<usize> = of.iter().map(|&c| usize::from(c == class)).collect();
            let two = fit(1.0, &x, &own, &[1.0; 40], 2);
            assert!((0..40).all(|i| (two[(i, 1)] - all[(i, class)]).abs() < 1e-7));
        }
        let one = fit(1.0, &x, &[0; 40], &[1.0; 40], 1);
        assert!(one.col(0).iter().all(|p| *p == 1.0));
    }

    #[test]
    fn columns_of_any_unit_and_offset_are_fitted() {
        let (x, of) = table();
        let odd = Mat::from_fn(40, 4, |i, j| match j {
            0 => 1e6 * x[(i, 0)],
            1 => 1e5 + x[(i, 1)],
            _ => x[(i, 2)],
        });
        let scores = fit(1.0, &odd, &of, &[1.0; 40], 3);
        assert!(scores.col_iter().flat_map(faer::ColRef::iter).all(|s| s.abs() < 10.0));
    }
}
