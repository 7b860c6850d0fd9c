//! Gaussian Bhattacharyya coefficient: by how much the classes, each taken for a Gaussian, overlap.
//!
//! Paper: M. Pándy, A. Agostinelli, J. Uijlings, V. Ferrari, T. Mensink, "Transferability estimation using Bhattacharyya class
//! separability", CVPR 2022
//!
//! ```text
//! D(a, b) = ⅛ (μ_a - μ_b)ᵀ Σ⁻¹ (μ_a - μ_b) + ½ ln( |Σ| / √(|Σ_a| |Σ_b|) ),   Σ = (Σ_a + Σ_b) / 2
//! GBC = -Σ_{a ≠ b} exp(-D(a, b))
//! ```
//! on the first principal components of the features, with covariances that are diagonal or spherical. At most 0.
//!
//! Cost: principal components, and pairs of classes times components.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Representation, TransferabilityRow, TransferabilityScore, make};
use crate::error::Result;
use crate::linalg::{Matrix, column_means, multiply, thin_svd};
use crate::methods::count;
use crate::params::params_of;

/// The Gaussian Bhattacharyya coefficient.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct GaussianBhattacharyya {
    /// Principal components that are kept, 1 or more; all where there are fewer.
    pub components: usize,
    /// Whether a class has one variance for all components.
    pub spherical: bool,
}

impl Default for GaussianBhattacharyya {
    fn default() -> Self {
        Self { components: 64, spherical: true }
    }
}

impl GaussianBhattacharyya {
    /// Its row in the registry.
    pub const ROW: TransferabilityRow = TransferabilityRow {
        name: "gaussian-bhattacharyya",
        summary: "GBC: overlap of the classes, each taken for a Gaussian",
        of_source_classes: false,
        source: include_str!("gaussian_bhattacharyya.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

/// The least variance, as part of that of all samples: a class may be one sample.
const LEAST: f64 = 1e-12;

/// A class.
struct Gaussian {
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl TransferabilityScore for GaussianBhattacharyya {
    fn row(&self) -> &'static TransferabilityRow {
        &Self::ROW
    }

    fn of(&self, of: &Representation<'_>) -> Result<f64> {
        count(Self::ROW.name, "components", self.components, 1..=1_000_000)?;
        let means = column_means(of.features);
        let centred =
            Matrix::from_fn(of.features.nrows(), means.len(), |i, j| of.features[(i, j)] - means[j]);
        let (_, values, directions) = thin_svd(centred.as_ref())?;
        let k = self.components.min(values.len());
        let z = multiply(centred.as_ref(), directions.as_ref().subcols(0, k));
        let least = LEAST * values[..k].iter().map(|v| v * v).sum::<f64>() / (of.labels.len() * k) as f64;
        let gaussian = |samples: &Vec<usize>| {
            let n = samples.len() as f64;
            let mean = |j: usize| samples.iter().map(|&i| z[(i, j)]).sum::<f64>() / n;
            let mean: Vec<f64> = (0..k).map(mean).collect();
            let spread = |j: usize| samples.iter().map(|&i| (z[(i, j)] - mean[j]).powi(2)).sum::<f64>() / n;
            let mut variance: Vec<f64> = (0..k).map(spread).collect();
            if self.spherical {
                variance = vec![variance.iter().sum::<f64>() / k as f64; k];
            }
            for v in &mut variance {
                *v = v.max(least).max(f64::MIN_POSITIVE);
            }
            Gaussian { mean, variance }
        };
        let classes: Vec<Gaussian> = of.by_class().iter().map(gaussian).collect();
        let overlap = |a: usize, b: usize| (-distance(&classes[a], &classes[b])).exp();
        let pairs = (0..classes.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        Ok(-2.0 * pairs.map(|(a, b)| overlap(a, b)).sum::<f64>())
    }
}

/// The Bhattacharyya distance of two diagonal Gaussians.
fn distance(a: &Gaussian, b: &Gaussian) -> f64 {
    let of_one = |j: usize| {
        let both = f64::midpoint(a.variance[j], b.variance[j]);
        let logs = both.ln() - f64::midpoint(a.variance[j].ln(), b.variance[j].ln());
        (a.mean[j] - b.mean[j]).powi(2) / both / 8.0 + logs / 2.0
    };
    (0..a.mean.len()).map(of_one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Classes around 0 and 4 of variance 1: `exp(-16/8)`, twice.
    #[test]
    fn two_classes_by_hand() {
        let x = from_rows(&[vec![-1.0], vec![1.0], vec![3.0], vec![5.0]]);
        let of = Representation { features: x.as_ref(), labels: &[0, 0, 1, 1], classes: 2, source: None };
        let found = GaussianBhattacharyya::default().score(&of).unwrap();
        assert!((found + 2.0 * (-2f64).exp()).abs() < 1e-12, "{found}");
        assert!(GaussianBhattacharyya { components: 0, spherical: true }.score(&of).is_err());
    }
}
