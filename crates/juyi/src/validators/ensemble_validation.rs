//! EnsV: the share of target rows of which the candidate says what the mean of all candidates' probabilities says.
//!
//! Paper: D. Hu, M. Luo, J. Liang, C.-S. Foo, "Towards reliable model selection for unsupervised domain adaptation: an
//! empirical study and a certified baseline", `NeurIPS` 2024
//!
//! ```text
//! (1/m) Σ_i [answer_i = argmax_c p̄_ic],   p̄ the mean of the probabilities of all candidates
//! ```
//! The mean is taken for the truth, so that what most candidates get wrong is held against the one that does not.
//!
//! Where we differ: the candidates are those that vote, of all methods, and not the checkpoints of one.
//!
//! Cost: rows times classes times candidates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Need};
use super::registry::{Validator, ValidatorRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::models::first_largest;
use crate::params::params_of;

/// Validation by the ensemble.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct EnsembleValidation {}

impl EnsembleValidation {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "ensemble-validation",
        summary: "EnsV: agreement with the mean of all candidates' probabilities",
        values: false,
        needs: &[Need::Mean],
        source: include_str!("ensemble_validation.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for EnsembleValidation {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        let mean = of.mean(Self::ROW.name)?;
        let agrees = |(row, answer): (usize, &f64)| {
            let row: Vec<f64> = mean.row(row).iter().copied().collect();
            first_largest(&row) as f64 == *answer
        };
        let agree = of.answers.iter().enumerate().filter(|one| agrees(*one)).count();
        Ok(agree as f64 / of.answers.len() as f64)
    }
}
