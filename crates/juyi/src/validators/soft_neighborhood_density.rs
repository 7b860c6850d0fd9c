//! How many neighbours target rows have among the probabilities: dense neighbourhoods of rows with the same answer.
//!
//! Paper: K. Saito, D. Kim, P. Teterwak, S. Sclaroff, T. Darrell, K. Saenko, "Tune it the right way: unsupervised validation of
//! domain adaptation via soft neighborhood density", ICCV 2021
//!
//! ```text
//! (1/m) Σ_i H(S_i),   S_ij ∝ exp(f_i·f_j / τ) for j ≠ i, Σ_j S_ij = 1,   f_i = p_i / ‖p_i‖
//! ```
//! with `p_i` the probabilities of a target row. A candidate that says the same of all rows has the densest neighbourhoods of
//! all.
//!
//! Cost: the square of the number of rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::registry::{Validator, ValidatorRow, entropy_of, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{exponentials, multiply, normalize_rows_l2};
use crate::params::params_of;

/// Soft neighbourhood density.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SoftNeighborhoodDensity {
    /// What similarities are divided by before the softmax, above 0.
    pub temperature: f64,
}

impl Default for SoftNeighborhoodDensity {
    fn default() -> Self {
        Self { temperature: 0.05 }
    }
}

impl SoftNeighborhoodDensity {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "soft-neighborhood-density",
        summary: "how many neighbours target rows have by the candidate's probabilities",
        values: false,
        needs: &[],
        source: include_str!("soft_neighborhood_density.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for SoftNeighborhoodDensity {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        let holds = self.temperature > 0.0 && self.temperature.is_finite();
        must(Self::ROW.name, "temperature", "above 0", holds, self.temperature)?;
        let mut f = of.probabilities.to_owned();
        normalize_rows_l2(f.as_mut());
        let similar = multiply(f.as_ref(), f.transpose());
        let m = similar.nrows();
        let density = |i: usize| {
            let others = (0..m).filter(|j| *j != i);
            // Products of vectors of length 1 are at most 1.
            let mut shares: Vec<f64> = others.map(|j| (similar[(j, i)] - 1.0) / self.temperature).collect();
            exponentials(&mut shares, 1.0);
            let sum: f64 = shares.iter().sum();
            entropy_of(shares.into_iter().map(|share| share / sum))
        };
        Ok((0..m).map(density).sum::<f64>() / m as f64)
    }
}
