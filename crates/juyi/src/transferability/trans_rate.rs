//! `TransRate`: by how much the features of all classes take more bits than those of each class by itself.
//!
//! Paper: L.-K. Huang, J. Huang, Y. Rong, Q. Yang, Y. Wei, "Frustratingly easy transferability estimation", ICML 2022
//!
//! ```text
//! R(Z, ε) = ½ ln det( I + Zᵀ Z / (n ε) ),   TrR = R(Z, ε) - (1/K) Σ_c R(Z_c, ε)
//! ```
//! with `Z` the centred features and `Z_c` those of class `c`; the mean over classes is that of the authors' code, which the
//! paper prints.
//!
//! Cost: `K + 1` symmetric decompositions of the smaller of samples and columns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Representation, TransferabilityRow, TransferabilityScore, make};
use crate::error::Result;
use crate::linalg::{Matrix, cholesky, column_means, multiply, select_rows};
use crate::methods::must;
use crate::params::params_of;

/// `TransRate`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TransRate {
    /// The distortion that is allowed, above 0.
    pub distortion: f64,
}

impl Default for TransRate {
    fn default() -> Self {
        Self { distortion: 1e-4 }
    }
}

impl TransRate {
    /// Its row in the registry.
    pub const ROW: TransferabilityRow = TransferabilityRow {
        name: "trans-rate",
        summary: "coding rate of all features less that of each class",
        of_source_classes: false,
        source: include_str!("trans_rate.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl TransferabilityScore for TransRate {
    fn row(&self) -> &'static TransferabilityRow {
        &Self::ROW
    }

    fn of(&self, of: &Representation<'_>) -> Result<f64> {
        let holds = self.distortion > 0.0 && self.distortion.is_finite();
        must(Self::ROW.name, "distortion", holds, "above 0", self.distortion)?;
        let means = column_means(of.features);
        let centred =
            Matrix::from_fn(of.features.nrows(), means.len(), |i, j| of.features[(i, j)] - means[j]);
        let classes = of.by_class();
        let mut within = 0.0;
        for samples in &classes {
            within += rate(&select_rows(centred.as_ref(), samples), self.distortion)?;
        }
        Ok(rate(&centred, self.distortion)? - within / classes.len() as f64)
    }
}

/// The coding rate.
fn rate(z: &Matrix, distortion: f64) -> Result<f64> {
    let (n, d) = z.shape();
    // The determinant is the same of both products.
    let mut gram =
        if n < d { multiply(z.as_ref(), z.transpose()) } else { multiply(z.transpose(), z.as_ref()) };
    let size = gram.nrows();
    for j in 0..size {
        for i in 0..size {
            gram[(i, j)] = gram[(i, j)] / (n as f64 * distortion) + if i == j { 1.0 } else { 0.0 };
        }
    }
    let lower = cholesky(gram.as_ref())?;
    Ok((0..size).map(|k| lower[(k, k)].ln()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// One column -1, -1, 1, 1, a class on each side: `½ ln(1 + 1/ε)` of all and of each class.
    #[test]
    fn a_column_by_hand() {
        let z = from_rows(&[vec![-1.0], vec![-1.0], vec![1.0], vec![1.0]]);
        assert!((rate(&z, 0.5).unwrap() - 0.5 * 3f64.ln()).abs() < 1e-12);
        let wide = Matrix::from_fn(1, 4, |_, j| f64::from(u8::from(j < 2)));
        assert!((rate(&wide, 0.5).unwrap() - 0.5 * 5f64.ln()).abs() < 1e-12);
        let of = Representation { features: z.as_ref(), labels: &[0, 0, 1, 1], classes: 2, source: None };
        assert!(TransRate { distortion: 0.5 }.score(&of).unwrap().abs() < 1e-12);
        assert!(TransRate { distortion: 0.0 }.score(&of).is_err());
    }
}
