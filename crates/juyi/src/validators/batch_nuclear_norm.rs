//! The nuclear norm of the probabilities: large where answers are sure and of many classes.
//!
//! Paper: S. Cui, S. Wang, J. Zhuo, L. Li, Q. Huang, Q. Tian, "Towards discriminability and diversity: batch nuclear-norm
//! maximization under label insufficient situations", CVPR 2020; all rows are one batch
//!
//! ```text
//! (1/m) ‖P‖_* = (1/m) Σ_k σ_k(P),   P (m, classes)
//! ```
//!
//! Cost: one singular value decomposition of rows by classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::registry::{Validator, ValidatorRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::thin_svd;
use crate::params::params_of;

/// The batch nuclear norm.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct BatchNuclearNorm {}

impl BatchNuclearNorm {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "batch-nuclear-norm",
        summary: "nuclear norm of the probabilities of the target rows",
        values: false,
        needs: &[],
        source: include_str!("batch_nuclear_norm.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for BatchNuclearNorm {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        let p = of.probabilities;
        let (_, values, _) = thin_svd(p)?;
        Ok(values.iter().sum::<f64>() / p.nrows() as f64)
    }
}
