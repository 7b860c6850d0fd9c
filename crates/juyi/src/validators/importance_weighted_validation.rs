//! IWCV: the risk on held-out source rows, each weighing as the target's density there over the source's.
//!
//! Paper: M. Sugiyama, M. Krauledat, K.-R. Müller, "Covariate shift adaptation by importance weighted cross validation",
//! JMLR 8, 2007
//!
//! ```text
//! -(1/h) Σ_i w(x_i) ℓ_i,   w(x) = p_target(x) / p_source(x)
//! ```
//! over the `h` held-out rows, with `ℓ_i` 1 where the answer is not the label, of numbers the squared error over the variance
//! of the labels. It is an unbiased estimate of the target's risk where the rule is the same on both sides, rows are only drawn
//! differently, and the ratio is known. Where few source rows are like the target's it rests on these few.
//!
//! Where we differ: one part of the rows in three is held out instead of each in turn. The ratio is fitted by
//! least squares, as by `ulsif`, on rows as the candidate's preprocessing leaves them, and scaled to mean 1 over the source rows.
//!
//! Cost: one more fit of each candidate, and one density ratio for each preprocessing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Need, mean};
use super::registry::{Validator, ValidatorRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// Importance-weighted validation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ImportanceWeightedValidation {}

impl ImportanceWeightedValidation {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "importance-weighted-validation",
        summary: "IWCV: risk on held-out source rows, weighted by the ratio of the densities",
        values: true,
        needs: &[Need::HeldOut, Need::Ratios],
        source: include_str!("importance_weighted_validation.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for ImportanceWeightedValidation {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        let (held_out, ratios) = (of.held_out(Self::ROW.name)?, of.ratios(Self::ROW.name)?);
        let losses = held_out.losses(of.source);
        let weighted: Vec<f64> =
            held_out.rows.iter().zip(losses).map(|(&row, loss)| ratios[row] * loss).collect();
        Ok(-mean(&weighted))
    }
}
