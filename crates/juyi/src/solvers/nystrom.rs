//! A Gaussian kernel by the Nyström method: `K ≈ F Fᵀ` with features taken from a few of the rows.
//!
//! C. Williams, M. Seeger, "Using the Nyström method to speed up kernel machines", NIPS 2000:
//! ```text
//! F = k(x, landmarks) k(landmarks, landmarks)^(-1/2)
//! ```
//! Cost for `m` landmarks: `O(n m (d + m) + m³)` time, `16 n m` bytes.

use faer::MatRef;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, gaussian_kernel, multiply, select_rows, symmetric_power};

/// The most landmarks that are drawn: more add time and, on real data, next to nothing else.
const MOST: usize = 1000;

/// The fewest that are worth it.
const FEWEST: usize = 20;

/// How many landmarks of `n` rows fit into the budget with what is made of them: up to 1,000, and at least 20 (or `n`)
/// even where they do not fit, for [`Context::require`] to refuse.
pub fn landmarks_that_fit(n: usize, context: &Context) -> usize {
    let fewest = FEWEST.min(n);
    (fewest..=MOST.min(n)).rev().find(|&m| context.fits(landmark_bytes(n, m))).unwrap_or(fewest)
}

/// The bytes that `m` landmarks of `n` rows take, with what a solver makes of their features.
pub fn landmark_bytes(n: usize, m: usize) -> u64 {
    8 * (5 * n * m + 4 * m * m) as u64
}

/// Nyström features of some rows.
pub struct Nystrom {
    /// The landmarks `(m, d)`.
    pub landmarks: Matrix,
    /// `k(landmarks, landmarks)^(-1/2)`, `(m, m)`.
    pub root: Matrix,
    /// `F` `(n, m)`.
    pub features: Matrix,
}

impl Nystrom {
    /// Draws `count` landmarks; see [`landmarks_that_fit`].
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if the landmarks' kernel is not finite.
    pub fn new(rows: MatRef<'_, f64>, count: usize, bandwidth: f64, rng: &mut ChaCha8Rng) -> Result<Self> {
        let drawn = sample(rng, rows.nrows(), count).into_vec();
        let landmarks = select_rows(rows, &drawn);
        let mut inner = gaussian_kernel(landmarks.as_ref(), landmarks.as_ref(), bandwidth);
        for i in 0..inner.nrows() {
            inner[(i, i)] += 1e-8; // keeps the inverse root finite where landmarks nearly coincide
        }
        let root = symmetric_power(inner.as_ref(), -0.5)?;
        let features = multiply(gaussian_kernel(rows, landmarks.as_ref(), bandwidth).as_ref(), root.as_ref());
        Ok(Self { landmarks, root, features })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn all_rows_as_landmarks_give_the_kernel() {
        let rows = Matrix::from_fn(60, 2, |i, j| ((i * 7 + j * 5) % 23) as f64 / 8.0);
        let k = gaussian_kernel(rows.as_ref(), rows.as_ref(), 1.0);
        let Nystrom { features, .. } =
            Nystrom::new(rows.as_ref(), 60, 1.0, &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
        assert!((multiply(features.as_ref(), features.transpose()) - k).norm_max() < 1e-6);
    }
}
