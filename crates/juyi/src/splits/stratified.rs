//! Rows drawn into folds that each have their share of every class, to a row.
//!
//! When: the usual choice with classes. With numbers it is `k-fold`. Domains are mixed: a model is tested on rows of domains
//! that it has learnt from.
//!
//! Paper: R. Kohavi, "A study of cross-validation and bootstrap for accuracy estimation and model selection", IJCAI 1995
//!
//! Rows are drawn within their classes and dealt out to the folds one after another, class after class, so that folds
//! differ by a row at most. Where rows are copies of others, the first of them are dealt out and the others go with them.
//!
//! Cost: `O(n log n)`.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::folds::folds;
use super::registry::{Even, Rows, Split, Splitter, SplitterRow, Tested, Whole, check_folds, make};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// Folds with even classes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Stratified {
    /// Number of folds, 2 to 1000.
    pub folds: usize,
}

impl Default for Stratified {
    fn default() -> Self {
        Self { folds: 5 }
    }
}

impl Stratified {
    /// Its row in the registry.
    pub const ROW: SplitterRow = SplitterRow {
        name: "stratified",
        summary: "folds that each have their share of every class",
        tested: Tested::Once,
        whole: Whole::Rows,
        even: Even::Classes,
        source: include_str!("stratified.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Splitter for Stratified {
    fn row(&self) -> &'static SplitterRow {
        &Self::ROW
    }

    fn cut(&self, rows: &Rows<'_>, rng: &mut ChaCha8Rng, context: &mut Context) -> Result<Vec<Split>> {
        check_folds(Self::ROW.name, self.folds, (rows.different(), "different rows"))?;
        let named = |class: &usize| rows.called(*class);
        rows.warn_of_few(Self::ROW.name, self.folds, |row| rows.class(row), named, context);
        Ok(Split::each(folds(rows.labels, rows.leaders, self.folds, rng), rows.len()))
    }
}
