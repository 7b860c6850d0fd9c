//! Draws of source rows to train on, and of target rows to test: how much does a result hang on the rows that there happen
//! to be?
//!
//! When: for the spread of a figure over samples of both domains. Target rows are never trained on with their labels, so it
//! suits methods that learn from unlabelled target rows.
//!
//! Paper: none
//!
//! Each split draws a share of the source rows, of each class of each source its part, and a share of the target rows, of
//! each class its part, both to a row. skada's `SourceTargetShuffleSplit` also draws from both sides, but trains on and tests
//! rows of both, and does not look at classes.
//!
//! Cost: `O(n log n)` a draw.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::folds::drawn_by;
use super::registry::{Even, MOST_FOLDS, Rows, Split, Splitter, SplitterRow, Tested, Whole, make};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::params::params_of;

/// Draws of both domains.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SourceTarget {
    /// Number of draws, 1 to 1000.
    pub draws: usize,
    /// Share of the rows of each side that is drawn, above 0, at most 1.
    pub share: f64,
}

impl Default for SourceTarget {
    fn default() -> Self {
        Self { draws: 5, share: 0.8 }
    }
}

impl SourceTarget {
    /// Its row in the registry.
    pub const ROW: SplitterRow = SplitterRow {
        name: "source-target",
        summary: "draws of source rows to train on and of target rows to test",
        tested: Tested::Share,
        whole: Whole::Domains,
        even: Even::ClassesOfDomains,
        source: include_str!("source_target.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };

    fn check(&self) -> Result<()> {
        let refused = |name: &str, must: String, got: String| {
            Err(Error::Param { owner: Self::ROW.name.into(), name: name.into(), must, got })
        };
        if !(1..=MOST_FOLDS).contains(&self.draws) {
            return refused("draws", format!("between 1 and {MOST_FOLDS}"), self.draws.to_string());
        }
        if !(self.share > 0.0 && self.share <= 1.0) {
            return refused("share", "above 0 and at most 1".into(), self.share.to_string());
        }
        Ok(())
    }
}

impl Splitter for SourceTarget {
    fn row(&self) -> &'static SplitterRow {
        &Self::ROW
    }

    fn cut(&self, rows: &Rows<'_>, rng: &mut ChaCha8Rng, _context: &mut Context) -> Result<Vec<Split>> {
        self.check()?;
        let Some(target) = rows.target else {
            let hint = "say which domain is the target, or take `leave-one-domain-out`";
            return Err(Error::input(format!("`{}`", Self::ROW.name), "needs a target", hint));
        };
        let one = |_| {
            let order = drawn_by(|row| (rows.domains[row], rows.class(row)), rows.leaders, rng);
            let drawn = evenly(&order, self.share, rng.random());
            let mut is_drawn = vec![false; rows.len()];
            for row in drawn {
                is_drawn[row] = true;
            }
            let all = (0..rows.len()).filter(|&row| is_drawn[rows.leaders[row]]);
            let (test, train) = all.partition(|&row| rows.domains[row] == target);
            Split { train, test }
        };
        Ok((0..self.draws).map(one).collect())
    }
}

/// Of any stretch of some rows their share, to a row: the row at `k` is taken where `share k + from` passes a whole number.
fn evenly(order: &[usize], share: f64, from: f64) -> Vec<usize> {
    let passed = |k: usize| (share * k as f64 + from).floor();
    (0..order.len()).filter(|&k| passed(k + 1) > passed(k)).map(|k| order[k]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stretch_has_its_share() {
        let order: Vec<usize> = (0..50).collect();
        for (share, from) in [(0.8, 0.0), (0.8, 0.7), (0.31, 0.999), (1.0, 0.5)] {
            let drawn = evenly(&order, share, from);
            for (a, b) in [(0, 50), (3, 8), (10, 31), (49, 50)] {
                let count = drawn.iter().filter(|&&row| (a..b).contains(&row)).count() as f64;
                assert!((count - share * (b - a) as f64).abs() <= 1.0, "{share} {from} {a} {b}");
            }
        }
        assert_eq!(evenly(&order, 1.0, 0.3), order);
    }
}
