//! How sure a candidate is of the target rows: the mean entropy of its probabilities, negative.
//!
//! Paper: P. Morerio, J. Cavazza, V. Murino, "Minimal-entropy correlation alignment for unsupervised deep domain adaptation",
//! ICLR 2018
//!
//! ```text
//! (1/m) Σ_i Σ_c p_ic ln p_ic
//! ```
//! A candidate that says one class of all rows is as sure as can be: see `information-maximization`.
//!
//! Cost: rows times classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::registry::{Validator, ValidatorRow, entropy_of, make};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// The negative mean entropy.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Entropy {}

impl Entropy {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "entropy",
        summary: "how sure the candidate is of the target rows",
        values: false,
        needs: &[],
        source: include_str!("entropy.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for Entropy {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        let rows = of.probabilities.row_iter().map(|row| entropy_of(row.iter().copied()));
        Ok(-rows.sum::<f64>() / of.probabilities.nrows() as f64)
    }
}
