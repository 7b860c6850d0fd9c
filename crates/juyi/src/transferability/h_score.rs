//! H-score: how much of the features' variance lies between classes, each direction in its own units.
//!
//! Paper: Y. Bao, Y. Li, S.-L. Huang, L. Zhang, L. Zheng, A. Zamir, L. Guibas, "An information-theoretic approach to transferability
//! in task transfer learning", ICIP 2019; shrunk: S. Ibrahim, N. Ponomareva, R. Mazumder, "Newer is not always better:
//! rethinking transferability metrics, their peculiarities, stability and performance", ECML PKDD 2022
//!
//! ```text
//! H = tr( cov(f)⁺ cov(E[f | y]) ),   shrunk: tr( Σ_α⁻¹ (1 - α) cov(E[f | y]) ),   Σ_α = (1 - α) S + α (tr S / d) I
//! ```
//! with covariances over samples, divided by `n - 1`, and for the shrunk one `S` divided by `n` and `α` as O. Ledoit, M. Wolf,
//! "A well-conditioned estimator for large-dimensional covariance matrices", JMVA 2004, have it. Without shrinkage it only grows
//! with columns and is the number of classes less one where these outnumber samples.
//!
//! Cost: one decomposition of columns by columns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Representation, TransferabilityRow, TransferabilityScore, make};
use crate::error::Result;
use crate::linalg::{Matrix, column_means, covariance, multiply, symmetric_eigen};
use crate::params::params_of;

/// The H-score.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HScore {
    /// Whether the covariance is shrunk.
    pub shrinkage: bool,
}

impl Default for HScore {
    fn default() -> Self {
        Self { shrinkage: true }
    }
}

impl HScore {
    /// Its row in the registry.
    pub const ROW: TransferabilityRow = TransferabilityRow {
        name: "h-score",
        summary: "share of variance between classes, in units of each direction",
        of_source_classes: false,
        source: include_str!("h_score.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

/// Eigenvalues below this part of the largest are 0.
const NOTHING: f64 = 1e-15;

impl TransferabilityScore for HScore {
    fn row(&self) -> &'static TransferabilityRow {
        &Self::ROW
    }

    fn of(&self, of: &Representation<'_>) -> Result<f64> {
        let (n, d) = of.features.shape();
        let means = column_means(of.features);
        let mut of_class = Matrix::zeros(of.classes, d);
        for samples in of.by_class() {
            let class = of.labels[samples[0]];
            for j in 0..d {
                let mean = samples.iter().map(|&i| of.features[(i, j)]).sum::<f64>() / samples.len() as f64;
                of_class[(class, j)] = (mean - means[j]) * (samples.len() as f64 / (n - 1) as f64).sqrt();
            }
        }
        let mut spread = covariance(of.features);
        let mut part = 1.0;
        if self.shrinkage {
            let population = (n - 1) as f64 / n as f64;
            spread.col_iter_mut().for_each(|column| column.iter_mut().for_each(|v| *v *= population));
            let alpha = ledoit_wolf(of, &means, &spread);
            let even = (0..d).map(|j| spread[(j, j)]).sum::<f64>() / d as f64;
            part = 1.0 - alpha;
            for j in 0..d {
                for i in 0..d {
                    spread[(i, j)] = part * spread[(i, j)] + if i == j { alpha * even } else { 0.0 };
                }
            }
        }
        // tr(A⁺ Mᵀ M) is the squared length of the class means in units of each eigenvector.
        let (values, vectors) = symmetric_eigen(spread.as_ref())?;
        let along = multiply(of_class.as_ref(), vectors.as_ref());
        let least = NOTHING * values.first().copied().unwrap_or(0.0);
        let of_one = |k: usize| along.col(k).iter().map(|v| v * v).sum::<f64>() / values[k];
        Ok(part * (0..d).filter(|&k| values[k] > least).map(of_one).sum::<f64>())
    }
}

/// How far the covariance is shrunk: the mean squared distance of `x xᵀ` to it over that of it to its mean diagonal, at most 1.
fn ledoit_wolf(of: &Representation<'_>, means: &[f64], covariance: &Matrix) -> f64 {
    let (n, d) = of.features.shape();
    let square = |matrix: &Matrix| matrix.col_iter().flat_map(faer::ColRef::iter).map(|v| v * v).sum::<f64>();
    let trace: f64 = (0..d).map(|j| covariance[(j, j)]).sum();
    let apart = square(covariance) - trace * trace / d as f64;
    // Σ_i ‖x_i‖⁴ / n less ‖S‖² is the mean squared distance.
    let lengths = (0..n).map(|i| {
        let length: f64 = (0..d).map(|j| (of.features[(i, j)] - means[j]).powi(2)).sum();
        length * length
    });
    let noise = (lengths.sum::<f64>() / n as f64 - square(covariance)) / n as f64;
    if apart > 0.0 { (noise / apart).clamp(0.0, 1.0) } else { 1.0 }
}
