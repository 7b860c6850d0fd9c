//! DELTA: the maps that stages give stay near those that the checkpoint's network gives for the same pictures, channels
//! that matter for the new classes most of all.
//!
//! Paper: X. Li, H. Xiong, H. Wang, Y. Rao, L. Liu and J. Huan, "DELTA: deep learning transfer using feature map with
//! attention for convolutional networks", ICLR 2019, equations (5) to (7):
//! ```text
//! α/2 Σ_i Σ_j W_ij |FM_ij(w, x) - FM_ij(w⁰, x)|²,   W_i = softmax of L(w⁰ without channel j) - L(w⁰)
//! ```
//! `i` runs over stages, `j` over their channels. `L(w⁰ without j)` is the loss of a linear head on the features of the
//! network as it was, the channel set to 0. Where we differ: the paper takes out each channel of each chosen layer, a
//! pass a channel; that is done here for the last stage, whose channels are the head's features, in closed form, and
//! channels of earlier stages count alike. The squared distance is divided by the places of a map, so that `α` does not
//! depend on the size of the pictures. The new head is pulled to 0 as in L2-SP.
//!
//! Cost: the passes forwards of a second network over the stages that are trained.

use std::collections::BTreeSet;

use burn::tensor::Tensor;
use juyi::linalg::Matrix;

use super::{Pass, Regularizer, pull_to_zero};
use crate::forward::{Activation, Mode};
use crate::network::Network;

pub(in crate::tuning) struct Delta {
    /// α.
    pub(in crate::tuning) strength: f64,
    /// The network as it was.
    pub(in crate::tuning) before: Network,
    /// The tensors that the checkpoint has.
    pub(in crate::tuning) known: BTreeSet<String>,
    /// `W` of the last stage, a number a channel; they add up to 1.
    pub(in crate::tuning) channels: Vec<f32>,
}

impl Regularizer for Delta {
    fn loss(&self, pass: &Pass<'_>) -> Option<Tensor<1>> {
        let device = self.before.device();
        let last = self.before.architecture.stages.len() - 1;
        let mut x = Activation::new(pass.inputs.to_vec(), pass.extent, device);
        let mut sum: Option<Tensor<1>> = None;
        for (stage, now) in (pass.first..).zip(pass.levels) {
            x = self.before.run(stage..stage + 1, x, &mut Mode::Inference);
            let weights = (stage == last).then(|| {
                let channels: Tensor<1> = Tensor::from_floats(&self.channels[..], device);
                channels
            });
            let Some(apart) = apart(now.clone(), x.clone(), weights) else { continue };
            sum = Some(sum.map_or(apart.clone(), |sum| sum + apart));
        }
        sum.map(|sum| sum.mul_scalar(0.5 * self.strength))
    }

    fn pull(&self, name: &str, values: &[f32], gradient: &mut [f32]) {
        if !self.known.contains(name) {
            pull_to_zero(values, gradient);
        }
    }
}

/// `Σ_j W_j |a_j - b_j|² / places`, over all pictures; channels count alike without `weights`.
fn apart(a: Activation, b: Activation, weights: Option<Tensor<1>>) -> Option<Tensor<1>> {
    let by_channel: Tensor<1> = match (a, b) {
        (Activation::Map(a), Activation::Map(b)) => {
            let [_, channels, rows, columns] = a.dims();
            let squares = (a - b).powf_scalar(2.0);
            squares.sum_dim(0).sum_dim(2).sum_dim(3).reshape([channels]).div_scalar((rows * columns) as f64)
        }
        (Activation::Tokens(a), Activation::Tokens(b)) => {
            let [_, tokens, width] = a.dims();
            let squares = (a - b).powf_scalar(2.0);
            squares.sum_dim(0).sum_dim(1).reshape([width]).div_scalar(tokens as f64)
        }
        (Activation::Vector(a), Activation::Vector(b)) => {
            let width = a.dims()[1];
            (a - b).powf_scalar(2.0).sum_dim(0).reshape([width])
        }
        _ => return None,
    };
    Some(match weights {
        Some(weights) => (by_channel * weights).sum(),
        None => by_channel.mean(),
    })
}

/// `W` of the last stage: how much the loss of linear scores grows when a feature is 0, through a softmax. `features
/// (pictures, width)`, `weights (classes, width)` row by row, a bias a class.
pub(in crate::tuning) fn attention(
    features: &Matrix,
    classes: &[usize],
    weights: &[f32],
    biases: &[f32],
) -> Vec<f32> {
    let loss = |scores: &[f64], class: usize| {
        let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        scores.iter().map(|s| (s - top).exp()).sum::<f64>().ln() + top - scores[class]
    };
    let width = features.ncols();
    let mut grows = vec![0.0; width];
    for (row, &class) in features.row_iter().zip(classes) {
        let score = |(weights, bias): (&[f32], &f32)| {
            f64::from(*bias) + weights.iter().zip(row.iter()).map(|(w, x)| f64::from(*w) * x).sum::<f64>()
        };
        let scores: Vec<f64> = weights.chunks_exact(width).zip(biases).map(score).collect();
        let whole = loss(&scores, class);
        for (j, grows) in grows.iter_mut().enumerate() {
            let without: Vec<f64> = scores
                .iter()
                .zip(weights.chunks_exact(width))
                .map(|(s, weights)| s - f64::from(weights[j]) * row[j])
                .collect();
            *grows += (loss(&without, class) - whole) / classes.len() as f64;
        }
    }
    let top = grows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = grows.iter().map(|v| (v - top).exp()).sum();
    grows.iter().map(|v| ((v - top).exp() / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn maps_apart_by_hand() {
        let device = Device::flex();
        // One picture, two channels of two places: |a - b|² is 2 and 8, by places 1 and 4.
        let a = Tensor::<4>::from_floats([[[[1.0, 1.0]], [[2.0, 2.0]]]], &device);
        let b = a.zeros_like();
        let weights = Tensor::<1>::from_floats([0.75, 0.25], &device);
        let found = |weights| {
            apart(Activation::Map(a.clone()), Activation::Map(b.clone()), weights)
                .map(Tensor::into_scalar::<f32>)
        };
        assert_eq!((found(Some(weights)), found(None)), (Some(1.75), Some(2.5)));
    }

    #[test]
    fn a_channel_that_the_head_needs_counts_more() {
        // Two classes that the first feature tells apart, the second not at all.
        let features = Matrix::from_fn(2, 2, |i, j| if (i, j) == (1, 0) { -1.0 } else { 1.0 });
        let found = attention(&features, &[0, 1], &[1.0, 0.0, -1.0, 0.0], &[0.0, 0.0]);
        let grows = 2f64.ln() - (1.0 + (-2f64).exp()).ln();
        assert!((f64::from(found[0]) - grows.exp() / (grows.exp() + 1.0)).abs() < 1e-6, "{found:?}");
    }
}
