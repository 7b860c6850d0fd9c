//! Each domain tested in turn by what was learnt from all others.
//!
//! When: the model will meet a domain that it has seen no labelled row of, and there are several to learn from: how well
//! does it do on one that is new?
//!
//! Paper: D. Li, Y. Yang, Y.-Z. Song, T. M. Hospedales, "Deeper, broader and artier domain generalization", ICCV 2017, for
//! one who tests so; scikit-learn calls it `LeaveOneGroupOut`
//!
//! Rows of other domains that are copies of tested rows are not trained on.
//!
//! Cost: `O(n k)` for `k` domains.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Even, Rows, Split, Splitter, SplitterRow, Tested, Whole, make};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::params::params_of;

/// Each domain in turn.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LeaveOneDomainOut {}

impl LeaveOneDomainOut {
    /// Its row in the registry.
    pub const ROW: SplitterRow = SplitterRow {
        name: "leave-one-domain-out",
        summary: "each domain tested by what was learnt from the others",
        tested: Tested::Once,
        whole: Whole::Domains,
        even: Even::Nothing,
        source: include_str!("leave_one_domain_out.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Splitter for LeaveOneDomainOut {
    fn row(&self) -> &'static SplitterRow {
        &Self::ROW
    }

    fn cut(&self, rows: &Rows<'_>, _rng: &mut ChaCha8Rng, _context: &mut Context) -> Result<Vec<Split>> {
        let mut domains = rows.domains.to_vec();
        domains.sort_unstable();
        domains.dedup();
        if domains.len() < 2 {
            let problem = format!("needs two domains with rows, and there is {}", domains.len());
            let hint = "give rows of several domains, or another splitter";
            return Err(Error::input(format!("`{}`", Self::ROW.name), problem, hint));
        }
        let rows_of = |domain: usize| (0..rows.len()).filter(|&row| rows.domains[row] == domain).collect();
        Ok(Split::each(domains.into_iter().map(rows_of).collect(), rows.len()))
    }
}
