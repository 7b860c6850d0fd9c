//! What the answers tell about the rows: the entropy of the mean probabilities less the mean entropy of the rows'.
//!
//! Paper: A. Krause, P. Perona, R. Gomes, "Discriminative clustering by regularized information maximization", NIPS 2010;
//! as a validator in K. Musgrave, S. Belongie, S.-N. Lim, "Three new validators and a large-scale benchmark ranking
//! for unsupervised domain adaptation", 2022
//!
//! ```text
//! H(p̄) - (1/m) Σ_i H(p_i),   H(p) = -Σ_c p_c ln p_c,   p̄ = (1/m) Σ_i p_i
//! ```
//! 0 for a candidate that says the same of all rows, at most `ln` of the number of classes.
//!
//! Cost: rows times classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::registry::{Validator, ValidatorRow, entropy_of, make};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// Information maximization.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct InformationMaximization {}

impl InformationMaximization {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "information-maximization",
        summary: "how sure the candidate is of each target row, and how evenly its answers are spread",
        values: false,
        needs: &[],
        source: include_str!("information_maximization.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for InformationMaximization {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        let m = of.probabilities.nrows() as f64;
        let means = of.probabilities.col_iter().map(|column| column.iter().sum::<f64>() / m);
        let rows = of.probabilities.row_iter().map(|row| entropy_of(row.iter().copied()));
        Ok(entropy_of(means) - rows.sum::<f64>() / m)
    }
}
