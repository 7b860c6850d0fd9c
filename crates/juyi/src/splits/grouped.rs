//! Whole groups in folds of about equal size.
//!
//! When: rows of one patient, machine, document or day are alike, and the model will meet new ones. A test on rows whose
//! group was learnt from promises too much.
//!
//! Paper: none; scikit-learn calls it `GroupKFold`
//!
//! The largest group goes to the fold with the fewest rows so far, then the next largest. Groups of equal size are taken in
//! an order that is drawn. Groups that share copies of a row count as one.
//!
//! Cost: `O(n + g f)` for `g` groups and `f` folds.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Even, Rows, Split, Splitter, SplitterRow, Tested, Whole, check_folds, make};
use super::units::{rows_of, units};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// Folds of whole groups.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Grouped {
    /// Number of folds, 2 to 1000.
    pub folds: usize,
}

impl Default for Grouped {
    fn default() -> Self {
        Self { folds: 5 }
    }
}

impl Grouped {
    /// Its row in the registry.
    pub const ROW: SplitterRow = SplitterRow {
        name: "grouped",
        summary: "whole groups in folds of about equal size",
        tested: Tested::Once,
        whole: Whole::Groups,
        even: Even::Nothing,
        source: include_str!("grouped.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Splitter for Grouped {
    fn row(&self) -> &'static SplitterRow {
        &Self::ROW
    }

    fn cut(&self, rows: &Rows<'_>, rng: &mut ChaCha8Rng, _context: &mut Context) -> Result<Vec<Split>> {
        let units = units(rows.groups(Self::ROW.name)?, rows.leaders);
        check_folds(Self::ROW.name, self.folds, (units.len(), "groups that share no copy"))?;
        let mut order: Vec<usize> = (0..units.len()).collect();
        order.shuffle(rng);
        order.sort_by_key(|&unit| std::cmp::Reverse(units[unit].len())); // stable: drawn among equals
        let (mut folds, mut sizes) = (vec![Vec::new(); self.folds], vec![0; self.folds]);
        for unit in order {
            let least = (0..self.folds).min_by_key(|&fold| sizes[fold]).unwrap_or(0);
            folds[least].push(unit);
            sizes[least] += units[unit].len();
        }
        let folds = folds.iter().map(|own| rows_of(&units, own)).collect();
        Ok(Split::each(folds, rows.len()))
    }
}
