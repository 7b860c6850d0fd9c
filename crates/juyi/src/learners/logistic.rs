//! Multinomial logistic regression: the probability of a class is the softmax of linear scores.
//!
//! Minimises, over weights `W (d, c)` and biases `b (c)`, `C` being the inverse penalty,
//! ```text
//! Σ_i w_i (ln Σ_k exp f_ik - f_{i, y_i}) + |W|² / (2 C),   f_i = x_i W + b
//! ```
//! Each class has a column, also of two, and the biases are free, as in scikit-learn's `LogisticRegression` (which has
//! one column for two classes: the same minimum at twice its `C`).
//!
//! Cost: one pass over the rows a step, `O(n d c)`, after `O(n d²)` for the coordinates (see [`LinearLoss`]); the
//! rows are not copied. 10 to 60 steps are usual.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, exponentials, logarithms, vectorized};
use crate::models::{Link, Predictor};
use crate::params::params_of;
use crate::solvers::LinearLoss;

/// Multinomial logistic regression.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Logistic {
    /// `C`: how much the rows count against the penalty on the weights. Above 0, finite.
    pub inverse_penalty: f64,
}

impl Default for Logistic {
    fn default() -> Self {
        Self { inverse_penalty: 1.0 }
    }
}

impl Logistic {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "logistic",
        summary: "multinomial logistic regression, ½|W|² + Σ w_i loss_i",
        regresses: false,
        weighs: true,
        leaves_trees: false,
        by_column: false,
        baseline: Baseline { classes: Some(1), values: None },
        most_rows: usize::MAX,
        source: include_str!("logistic.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for Logistic {
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
        above_zero(self.name(), "inverse_penalty", self.inverse_penalty)?;
        if classes == 1 {
            return Ok(only_class(rows.ncols()));
        }
        let (weights, bias) = self.minimize(rows, labels.classes(), weights, classes, None, context)?;
        Ok(Predictor::Linear { link: Link::Softmax, weights, bias })
    }
}

impl Logistic {
    /// The weights `(d, c)` and biases `(1, c)`; `start`, where given, are scores `(n, c)` that they are added to.
    pub(super) fn minimize(
        self,
        rows: MatRef<'_, f64>,
        of: &[usize],
        weights: &[f64],
        classes: usize,
        start: Option<MatRef<'_, f64>>,
        context: &mut Context,
    ) -> Result<(Matrix, Matrix)> {
        let mut share = vec![0.0; classes];
        of.iter().zip(weights).for_each(|(&c, w)| share[c] += w);
        let total: f64 = weights.iter().sum();
        let share: Vec<f64> = share.iter().map(|s| s / total).collect();
        let fit = LinearLoss {
            name: "logistic",
            loss: |first: usize, scores: &mut Matrix| {
                let range = first..first + scores.nrows();
                if let Some(start) = start {
                    *scores += start.get(range.clone(), ..);
                }
                cross_entropy(scores, &of[range.clone()], &weights[range])
            },
            second: |i: usize, k: usize, slope: f64| {
                let p = slope / weights[i] + f64::from(of[i] == k);
                weights[i] * (p * (1.0 - p)).max(0.0)
            },
            // Scores that are corrected may come with one class only.
            curvature: (share.iter().map(|s| s * (1.0 - s)).sum::<f64>() / (classes - 1) as f64).max(1e-3),
            start: share.iter().map(|s| if start.is_some() { 0.0 } else { s.ln() }).collect(),
            penalty: 1.0 / self.inverse_penalty,
            tolerance: 1e-8,
        };
        fit.minimize(rows, weights, context)
    }
}

/// `Σ_i w_i (ln Σ_k exp f_ik - f_{i, y_i})`; its derivatives take the place of the scores.
fn cross_entropy(scores: &mut Matrix, of: &[usize], weights: &[f64]) -> f64 {
    vectorized(|| cross_entropy_in_lanes(scores, of, weights))
}

#[inline(always)]
fn cross_entropy_in_lanes(scores: &mut Matrix, of: &[usize], weights: &[f64]) -> f64 {
    let classes = scores.ncols();
    let mut top = scores.col_as_slice(0).to_vec();
    for k in 1..classes {
        top.iter_mut().zip(scores.col_as_slice(k)).for_each(|(top, f)| *top = f.max(*top));
    }
    let own: Vec<f64> = of.iter().enumerate().map(|(i, &c)| scores[(i, c)]).collect();
    let mut sum = vec![0f64; of.len()];
    for k in 0..classes {
        let column = scores.col_as_slice_mut(k);
        column.iter_mut().zip(&top).for_each(|(f, top)| *f -= top);
        exponentials(column, 1.0);
        column.iter().zip(&mut sum).for_each(|(f, sum)| *sum += f);
    }
    for k in 0..classes {
        for ((f, sum), w) in scores.col_as_slice_mut(k).iter_mut().zip(&sum).zip(weights) {
            *f *= w / sum;
        }
    }
    logarithms(&mut sum); // of sums between 1 and the number of classes
    let mut loss = 0.0;
    for i in 0..of.len() {
        scores[(i, of[i])] -= weights[i];
        loss += weights[i] * (sum[i] + top[i] - own[i]);
    }
    loss
}

/// The predictor of the one class that there is.
pub(super) fn only_class(columns: usize) -> Predictor {
    Predictor::Linear { link: Link::Softmax, weights: Mat::zeros(columns, 1), bias: Mat::zeros(1, 1) }
}

/// Refuses a parameter that is not a number above 0.
pub(super) fn above_zero(owner: &str, name: &str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    let (must, got) = ("a finite number above 0".into(), value.to_string());
    Err(Error::Param { owner: owner.into(), name: name.into(), must, got })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Probabilities of the rows themselves.
    fn fit(c: f64, x: &Matrix, of: &[usize], weights: &[f64], classes: usize) -> Matrix {
        let mut context = Context::default();
        let learner = Logistic { inverse_penalty: c };
        let labels = Labels::Classes(of.to_vec());
        let predictor = learner.fit(x.as_ref(), &labels, weights, classes, &mut context).unwrap();
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
        // Columns -v and v: 2 ln(1 + e^-2v) + v² is least where v = 2 / (1 + e^2v).
        let p = fit(1.0, &from_rows(&[vec![-1.0], vec![1.0]]), &[0, 1], &[1.0, 1.0], 2);
        let v = 0.5 * (p[(1, 1)] / p[(1, 0)]).ln();
        assert!((v - 2.0 / (1.0 + (2.0 * v).exp())).abs() < 1e-8);
        assert!((p[(0, 0)] - p[(1, 1)]).abs() < 1e-8);
    }

    #[test]
    fn features_that_say_nothing_leave_the_shares() {
        let x = from_rows(&vec![vec![7.0]; 4]);
        let p = fit(1.0, &x, &[0, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0], 3);
        close(&p, &from_rows(&vec![vec![0.1, 0.2, 0.7]; 4]));
        close(&fit(1.0, &x, &[0; 4], &[1.0; 4], 1), &from_rows(&vec![vec![1.0]; 4]));
    }

    #[test]
    fn weights_count_rows_and_scale_the_penalty() {
        let (x, of) = table();
        let weights: Vec<f64> = (0..40).map(|i| f64::from(1 + i % 3)).collect();
        let p = fit(1.0, &x, &of, &weights, 3);
        let again: Vec<usize> = (0..40).flat_map(|i| vec![i; 1 + i % 3]).collect();
        let repeated = crate::linalg::select_rows(x.as_ref(), &again);
        let labels: Vec<usize> = again.iter().map(|&i| of[i]).collect();
        let q = fit(1.0, &repeated, &labels, &vec![1.0; again.len()], 3);
        close(&crate::linalg::select_rows(p.as_ref(), &again), &q);
        let fivefold: Vec<f64> = weights.iter().map(|w| 5.0 * w).collect();
        close(&p, &fit(0.2, &x, &of, &fivefold, 3));
    }

    #[test]
    fn columns_of_any_unit_offset_and_kinship_are_fitted() {
        let (x, of) = table();
        let odd = Mat::from_fn(40, 6, |i, j| match j {
            0 => 1e6 * x[(i, 0)],
            1 => 1e5 + x[(i, 1)],
            2 | 3 => x[(i, 2)],
            4 => 3.0,
            _ => 1e-6 * x[(i, 0)],
        });
        let p = fit(1.0, &odd, &of, &[1.0; 40], 3);
        assert!(p.col_iter().flat_map(faer::ColRef::iter).all(|p| (0.0..=1.0).contains(p)));
    }

    #[test]
    fn a_parameter_out_of_range_is_named() {
        let learner = Logistic { inverse_penalty: f64::NAN };
        let labels = Labels::Classes(vec![0, 1]);
        let fitted = learner.fit(Mat::zeros(2, 1).as_ref(), &labels, &[1.0; 2], 2, &mut Context::default());
        let said = fitted.unwrap_err().to_string();
        assert_eq!(said, "`logistic`: `inverse_penalty` must be a finite number above 0, got NaN");
    }
}
