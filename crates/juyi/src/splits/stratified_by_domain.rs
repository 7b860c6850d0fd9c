//! Rows drawn into folds that each have their share of every class of every domain, to a row.
//!
//! When: domains are of different size or different make-up, and each fold must look like all of them: a method that
//! learns from several domains and is tested on new rows of each.
//!
//! Paper: R. Kohavi, "A study of cross-validation and bootstrap for accuracy estimation and model selection", IJCAI 1995,
//! for classes alone
//!
//! Rows are dealt out as by `stratified`, domain after domain and within each class after class. Folds differ by a row at
//! most in each class of a domain and in all; a class over all domains may differ by as many rows as there are domains.
//!
//! Cost: `O(n log n)`.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::folds::folds_of;
use super::registry::{Even, Rows, Split, Splitter, SplitterRow, Tested, Whole, check_folds, make};
use crate::context::Context;
use crate::error::{Result, shown};
use crate::params::params_of;

/// Folds with even classes of each domain.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StratifiedByDomain {
    /// Number of folds, 2 to 1000.
    pub folds: usize,
}

impl Default for StratifiedByDomain {
    fn default() -> Self {
        Self { folds: 5 }
    }
}

impl StratifiedByDomain {
    /// Its row in the registry.
    pub const ROW: SplitterRow = SplitterRow {
        name: "stratified-by-domain",
        summary: "folds that each have their share of every class of every domain",
        tested: Tested::Once,
        whole: Whole::Rows,
        even: Even::ClassesOfDomains,
        source: include_str!("stratified_by_domain.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Splitter for StratifiedByDomain {
    fn row(&self) -> &'static SplitterRow {
        &Self::ROW
    }

    fn cut(&self, rows: &Rows<'_>, rng: &mut ChaCha8Rng, context: &mut Context) -> Result<Vec<Split>> {
        check_folds(Self::ROW.name, self.folds, (rows.different(), "different rows"))?;
        let stratum = |row: usize| (rows.domains[row], rows.class(row));
        let named = |&(domain, class): &(usize, usize)| {
            format!("{} in `{}`", rows.called(class), shown(&rows.names[domain]))
        };
        rows.warn_of_few(Self::ROW.name, self.folds, stratum, named, context);
        Ok(Split::each(folds_of(stratum, rows.leaders, self.folds, rng), rows.len()))
    }
}
