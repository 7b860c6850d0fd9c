//! Accuracy on source rows that the candidate was fitted without.
//!
//! Paper: K. Musgrave, S. Belongie, S.-N. Lim, "Three new validators and a large-scale benchmark ranking for unsupervised
//! domain adaptation", 2022 (the accuracy on the source's validation set is one of the validators there)
//!
//! ```text
//! 1 - (1/h) Σ_i ℓ_i,   ℓ_i = 1 where the answer is not the label,   of numbers ℓ_i = (answer_i - y_i)² / Var(y)
//! ```
//! over the `h` held-out rows, one in three, each class evenly and copies together. It tells what was learnt of the source, and
//! nothing of what moved: a candidate that serves the target better may be worse here.
//!
//! Where we differ: there is no network that both domains go through. The held-out rows are preprocessed as source rows, and
//! are then taken for rows of the target.
//!
//! Cost: one more fit of each candidate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Need, mean};
use super::registry::{Validator, ValidatorRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// Accuracy on held-out source rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct SourceAccuracy {}

impl SourceAccuracy {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "source-accuracy",
        summary: "accuracy, or R² of numbers, on source rows that the candidate was fitted without",
        values: true,
        needs: &[Need::HeldOut],
        source: include_str!("source_accuracy.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for SourceAccuracy {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        Ok(1.0 - mean(&of.held_out(Self::ROW.name)?.losses(of.source)))
    }
}
