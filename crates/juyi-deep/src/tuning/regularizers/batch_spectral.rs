//! Batch spectral shrinkage: the smallest singular values of a batch's features, which carry what does not transfer, are
//! made smaller.
//!
//! Paper: X. Chen, S. Wang, B. Fu, M. Long and J. Wang, "Catastrophic forgetting meets negative transfer: batch spectral
//! shrinkage for safe transfer learning", `NeurIPS` 2019, equation (4), with one value:
//! ```text
//! η Σ_{i ≤ k} σ_{-i}²,   F = U Σ Vᵀ the features (pictures, width) of a batch
//! ```
//! `σ²` is `|uᵀ F|²` with `u` held: the derivative of both by `F` is `2 σ u vᵀ`, so that no derivative of a decomposition is
//! taken. Where the batch is smaller than the features, the singular values are those of the batch.
//!
//! Cost: a decomposition of `(pictures, pictures)` a batch. The pictures of a batch pass together.

use burn::tensor::{Tensor, TensorData};
use juyi::linalg::{Matrix, multiply, symmetric_eigen};

use super::{Pass, Regularizer};
use crate::network::numbers;

pub(in crate::tuning) struct BatchSpectralShrinkage {
    /// η.
    pub(in crate::tuning) strength: f64,
}

impl Regularizer for BatchSpectralShrinkage {
    fn loss(&self, pass: &Pass<'_>) -> Option<Tensor<1>> {
        let device = pass.features.device().inner();
        let [rows, width] = pass.features.dims();
        let left = smallest(&numbers(pass.features.clone().inner().into_data()), rows, width)?;
        let left: Tensor<2> = Tensor::from_data(TensorData::new(left, [1, rows]), &device);
        let along = left.matmul(pass.features.clone());
        // The loss is a sum over the pictures, of which the batch takes the mean.
        Some(along.clone().mul(along).sum().mul_scalar(self.strength * rows as f64))
    }

    fn takes_whole_batch(&self) -> bool {
        true
    }
}

/// The left singular vector of the smallest singular value that is not zero for want of columns; none if the
/// decomposition fails.
fn smallest(features: &[f32], rows: usize, width: usize) -> Option<Vec<f32>> {
    let features = Matrix::from_fn(rows, width, |i, j| f64::from(features[i * width + j]));
    if rows <= width {
        let (_, vectors) =
            symmetric_eigen(multiply(features.as_ref(), features.transpose()).as_ref()).ok()?;
        return Some(vectors.col(rows - 1).iter().map(|&v| v as f32).collect());
    }
    let (_, vectors) = symmetric_eigen(multiply(features.transpose(), features.as_ref()).as_ref()).ok()?;
    let right = vectors.get(.., width - 1..width);
    let along = multiply(features.as_ref(), right);
    let length = along.norm_l2();
    (length > 0.0).then(|| (0..rows).map(|i| (along[(i, 0)] / length) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `diag(3, 2, 1)` with a column of zeros: the smallest singular value is 1, in the last row.
    #[test]
    fn the_smallest_singular_vector_by_hand() {
        let mut wide = vec![0.0; 12];
        (wide[0], wide[5], wide[10]) = (3.0, 2.0, 1.0);
        let left = smallest(&wide, 3, 4).unwrap();
        assert!(left[2].abs() > 0.999_999 && left[0].abs() < 1e-6, "{left:?}");
        let mut tall = vec![0.0; 12];
        (tall[0], tall[4], tall[8]) = (3.0, 2.0, 1.0);
        let left = smallest(&tall, 4, 3).unwrap();
        assert!(left[2].abs() > 0.999_999 && left[3].abs() < 1e-6, "{left:?}");
    }
}
