//! Linear corrections of scores that are there already:
//! ```text
//! min penalty |V|² + Σ_i loss(y_i, g_i + x_i V + b)        (squares)
//! min penalty |V|² / 2 + Σ_i loss(y_i, g_i + x_i V + b)    (logistic, hinge)
//! ```
//! Where `g_i = x_i W + c` is linear too, this is the fit of `W + V` that is penalised for leaving `W`.

use faer::MatRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Logistic, Ridge, Svm};
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::linalg::Matrix;

/// How wrong scores are counted, as the learner of that kind counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Squared residuals, classes as 1 and -1: `ridge`.
    Squares,
    /// The negative logarithm of the softmax: `logistic`.
    Logistic,
    /// The squared hinge, one class against the rest: `svm`.
    Hinge,
}

/// The weights `(d, c)` and biases `(1, c)` of the correction for rows `(n, d)` with scores `start` `(n, c)`, which for
/// the hinge and for squares have opposite signs where there are two classes. `classes` is 2 or above, or 0 for a
/// regression, which takes squares only.
///
/// # Errors
/// [`Error::Param`](crate::error::Error::Param) unless `penalty` is above 0,
/// [`Error::Memory`](crate::error::Error::Memory), [`Error::Numeric`](crate::error::Error::Numeric).
pub fn correct(
    loss: Loss,
    rows: MatRef<'_, f64>,
    labels: &Labels,
    classes: usize,
    start: MatRef<'_, f64>,
    penalty: f64,
    context: &mut Context,
) -> Result<(Matrix, Matrix)> {
    super::logistic::above_zero("the correction", "penalty", penalty)?;
    let (weights, start) = (vec![1.0; rows.nrows()], Some(start));
    match loss {
        Loss::Squares => Ridge { penalty }.minimize(rows, labels, &weights, classes, start, context),
        Loss::Logistic => Logistic { inverse_penalty: 1.0 / penalty }.minimize(
            rows,
            labels.classes(),
            &weights,
            classes,
            start,
            context,
        ),
        Loss::Hinge => {
            Svm { cost: 1.0 / penalty }.minimize(rows, labels.classes(), &weights, classes, start, context)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learners::Learner;
    use crate::linalg::multiply;
    use crate::models::Predictor;

    /// A correction of nothing is the learner itself, and a correction of the learner's own fit is small: its penalty
    /// is counted from there.
    #[test]
    fn corrections_of_nothing_and_of_the_answer() {
        let n = 60;
        let x = Matrix::from_fn(n, 3, |i, j| ((i * 7 + j * 13 + i * i * (j + 1)) % 23) as f64 / 5.0 - 2.0);
        let of: Vec<usize> = (0..n).map(|i| (i * i + i / 7) % 3).collect();
        let labels = Labels::Classes(of.clone());
        let learners: [(Loss, &dyn Learner); 3] = [
            (Loss::Squares, &Ridge::default()),
            (Loss::Logistic, &Logistic::default()),
            (Loss::Hinge, &Svm::default()),
        ];
        for (loss, learner) in learners {
            let context = &mut Context::default();
            let fit = learner.fit(x.as_ref(), &labels, &vec![1.0; n], 3, context).unwrap();
            let Predictor::Linear { weights, bias, .. } = fit else { unreachable!("all are linear") };
            let nothing = Matrix::zeros(n, 3);
            let (v, b) = correct(loss, x.as_ref(), &labels, 3, nothing.as_ref(), 1.0, context).unwrap();
            let centred = |b: &Matrix, k: usize| b[(0, k)] - b[(0, 0)];
            assert!((&v - &weights).norm_max() < 1e-6, "{loss:?}");
            assert!((0..3).all(|k| (centred(&b, k) - centred(&bias, k)).abs() < 1e-6), "{loss:?}");
            let mut scores = multiply(x.as_ref(), weights.as_ref());
            (0..3).for_each(|k| scores.col_mut(k).iter_mut().for_each(|f| *f += bias[(0, k)]));
            let (v, _) = correct(loss, x.as_ref(), &labels, 3, scores.as_ref(), 1e6, context).unwrap();
            assert!(v.norm_max() < 1e-4 && v.norm_max() > 0.0, "{loss:?}: {v:?}");
        }
    }

    /// Squares by hand: residuals -1 and 1 at -1 and 1, so `v = 2 / (2 + penalty)`.
    #[test]
    fn squares_by_hand() {
        let x = Matrix::from_fn(2, 1, |i, _| 2.0 * i as f64 - 1.0);
        let start = Matrix::from_fn(2, 1, |i, _| 10.0 * i as f64);
        let labels = Labels::Values(vec![3.0, 15.0]);
        let context = &mut Context::default();
        let (v, b) = correct(Loss::Squares, x.as_ref(), &labels, 0, start.as_ref(), 2.0, context).unwrap();
        assert!((v[(0, 0)] - 0.5).abs() < 1e-12 && (b[(0, 0)] - 4.0).abs() < 1e-12, "{v:?} {b:?}");
    }
}
