//! Rows drawn into folds of equal size, each of which is tested once.
//!
//! When: to predict numbers, or where classes are many and even. With classes take `stratified`: here a fold may by chance
//! lack one. Rows that belong together (of one patient, one machine, one day) are torn apart: see `grouped`.
//!
//! Paper: M. Stone, "Cross-validatory choice and assessment of statistical predictions", Journal of the Royal Statistical
//! Society B, 1974
//!
//! Cost: `O(n)` numbers drawn.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::folds::folds_of;
use super::registry::{Even, Rows, Split, Splitter, SplitterRow, Tested, Whole, check_folds, make};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// Folds of rows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KFold {
    /// Number of folds, 2 to 1000.
    pub folds: usize,
}

impl Default for KFold {
    fn default() -> Self {
        Self { folds: 5 }
    }
}

impl KFold {
    /// Its row in the registry.
    pub const ROW: SplitterRow = SplitterRow {
        name: "k-fold",
        summary: "rows drawn into folds",
        tested: Tested::Once,
        whole: Whole::Rows,
        even: Even::Rows,
        source: include_str!("k_fold.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Splitter for KFold {
    fn row(&self) -> &'static SplitterRow {
        &Self::ROW
    }

    fn cut(&self, rows: &Rows<'_>, rng: &mut ChaCha8Rng, _context: &mut Context) -> Result<Vec<Split>> {
        check_folds(Self::ROW.name, self.folds, (rows.different(), "different rows"))?;
        Ok(Split::each(folds_of(|_| (), rows.leaders, self.folds, rng), rows.len()))
    }
}
