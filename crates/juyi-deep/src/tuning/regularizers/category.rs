//! Co-tuning: the checkpoint's own classes are learnt along, in the shares that go with each new class.
//!
//! Paper: K. You, Z. Kou, M. Long and J. Wang, "Co-tuning for transfer learning", `NeurIPS` 2020, equations (1) to (4):
//! ```text
//! λ Σ_s - p(s | y) ln ŷ_s,   p(s | y) ∝ p(y | s) p(s)
//! ```
//! over the checkpoint's classes `s`, given the new class `y`. As in the paper's "reverse" way, `p(y | s)` is what a
//! logistic regression, learnt from the checkpoint's answers to the new classes, says of an answer that is all `s`;
//! `p(s)` is the mean of the answers.
//!
//! Cost: the logistic regression on `(pictures, own classes)` once; the head that came with the checkpoint in each step.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use juyi::context::Context;
use juyi::data::Labels;
use juyi::error::Result;
use juyi::learners::{Learner, Logistic};
use juyi::linalg::Matrix;
use juyi::models::predict;

use super::{Pass, Regularizer};
use crate::forward::Mode;

pub(in crate::tuning) struct CoTuning {
    /// λ.
    pub(in crate::tuning) strength: f64,
    /// `p(s | y)`, a row a new class.
    pub(in crate::tuning) shares: Matrix,
    /// The number of the head that came with the checkpoint, among the second heads.
    pub(in crate::tuning) head: usize,
}

impl Regularizer for CoTuning {
    fn loss(&self, pass: &Pass<'_>) -> Option<Tensor<1>> {
        let own = pass.levels.last()?.clone();
        let scores = pass.network.auxiliary_scores(self.head, own, &mut Mode::Inference);
        let width = self.shares.ncols();
        let share = |&y: &usize| (0..width).map(move |s| self.shares[(y, s)] as f32);
        let target: Vec<f32> = pass.classes.iter().flat_map(share).collect();
        let target = TensorData::new(target, [pass.classes.len(), width]);
        let target: Tensor<2> = Tensor::from_data(target, &scores.device().inner());
        Some((log_softmax(scores, 1) * target).sum().neg().mul_scalar(self.strength))
    }
}

/// `p(s | y)`, `(new classes, own classes)`, from the checkpoint's answers `(pictures, own classes)`.
pub(in crate::tuning) fn shares(
    answers: &Matrix,
    of: &[usize],
    classes: usize,
    context: &mut Context,
) -> Result<Matrix> {
    let labels = Labels::Classes(of.to_vec());
    let weights = vec![1.0; of.len()];
    let learner = Logistic { inverse_penalty: 100.0 };
    let fit = learner.fit(answers.as_ref(), &labels, &weights, classes, context)?;
    let own = answers.ncols();
    let each = Matrix::identity(own, own);
    // p(y | s), a row an own class.
    let given = predict(&[], &fit, each.as_ref()).scores.unwrap_or_else(|| Matrix::full(own, classes, 1.0));
    let mean = |s: usize| answers.col(s).iter().sum::<f64>() / answers.nrows() as f64;
    let joint = Matrix::from_fn(classes, own, |y, s| given[(s, y)] * mean(s));
    let sums: Vec<f64> =
        (0..classes).map(|y| joint.row(y).iter().sum::<f64>().max(f64::MIN_POSITIVE)).collect();
    Ok(Matrix::from_fn(classes, own, |y, s| joint[(y, s)] / sums[y]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Own classes 0 and 1 go with the first new class, 2 with the second.
    #[test]
    fn shares_follow_the_answers() {
        let answers = Matrix::from_fn(30, 3, |i, s| if i % 3 == s { 0.9 } else { 0.05 });
        let of: Vec<usize> = (0..30).map(|i| usize::from(i % 3 == 2)).collect();
        let found = shares(&answers, &of, 2, &mut Context::default()).unwrap();
        for y in 0..2 {
            assert!((found.row(y).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert!((found[(0, 0)] - found[(0, 1)]).abs() < 1e-6 && found[(0, 0)] > 0.4, "{found:?}");
        assert!(found[(1, 2)] > 0.8, "{found:?}");
    }
}
