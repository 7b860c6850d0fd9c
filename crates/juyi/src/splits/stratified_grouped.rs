//! Whole groups in folds whose classes are as even as the groups allow.
//!
//! When: as `grouped`, where a class is rare or stands in few groups. With numbers it is `grouped`, but for the order in
//! which groups of equal size are taken.
//!
//! Paper: none; scikit-learn calls it `StratifiedGroupKFold`
//!
//! ```text
//! fold of a group = the f that makes (1/C) Σ_c std_f' (n_f'c / n_c) least,   n_f'c with the group in f
//! ```
//! Groups are taken by the standard deviation of their counts of the classes, the largest first, those of equal deviation in
//! an order that is drawn. Of folds that serve alike the one with the fewest rows takes the group. Groups that share copies
//! of a row count as one.
//!
//! Cost: `O(g f² C)` for `g` groups, `f` folds and `C` classes.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Even, Rows, Split, Splitter, SplitterRow, Tested, Whole, check_folds, make};
use super::units::{rows_of, units};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// Folds of whole groups with even classes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StratifiedGrouped {
    /// Number of folds, 2 to 1000.
    pub folds: usize,
}

impl Default for StratifiedGrouped {
    fn default() -> Self {
        Self { folds: 5 }
    }
}

impl StratifiedGrouped {
    /// Its row in the registry.
    pub const ROW: SplitterRow = SplitterRow {
        name: "stratified-grouped",
        summary: "whole groups in folds whose classes are as even as can be",
        tested: Tested::Once,
        whole: Whole::Groups,
        even: Even::Nothing,
        source: include_str!("stratified_grouped.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

/// Deviations that differ by less serve alike: rounding does not decide.
const ALIKE: f64 = 1e-9;

impl Splitter for StratifiedGrouped {
    fn row(&self) -> &'static SplitterRow {
        &Self::ROW
    }

    fn cut(&self, rows: &Rows<'_>, rng: &mut ChaCha8Rng, context: &mut Context) -> Result<Vec<Split>> {
        let name = Self::ROW.name;
        let units = units(rows.groups(name)?, rows.leaders);
        check_folds(name, self.folds, (units.len(), "groups that share no copy"))?;
        rows.warn_of_few(name, self.folds, |row| rows.class(row), |class| rows.called(*class), context);
        let classes = rows.goal.classes().max(1);
        let count = |unit: &Vec<usize>| {
            let mut counts = vec![0usize; classes];
            for &row in unit {
                counts[rows.class(row)] += 1;
            }
            counts
        };
        let counts: Vec<Vec<usize>> = units.iter().map(count).collect();
        let all: Vec<usize> = (0..classes).map(|c| counts.iter().map(|own| own[c]).sum()).collect();
        // Of one class all deviations are 0, and the size decides.
        let spread = |unit: usize| {
            let (sum, squares) =
                counts[unit].iter().fold((0, 0), |(sum, squares), n| (sum + n, squares + n * n));
            (classes * squares - sum * sum, sum)
        };
        let mut order: Vec<usize> = (0..units.len()).collect();
        order.shuffle(rng);
        if classes == 1 {
            order.sort_by_key(|&unit| std::cmp::Reverse(units[unit].len()));
        } else {
            order.sort_by_key(|&unit| std::cmp::Reverse(spread(unit).0)); // stable: drawn among equals
        }
        let (mut folds, mut held) = (vec![Vec::new(); self.folds], vec![vec![0usize; classes]; self.folds]);
        for unit in order {
            let mut best: Option<(f64, usize, usize)> = None;
            for fold in 0..self.folds {
                let with = |f: usize, c: usize| held[f][c] + if f == fold { counts[unit][c] } else { 0 };
                let uneven = unevenness(&all, self.folds, &with);
                let size: usize = (0..classes).map(|c| with(fold, c)).sum();
                let better = best.is_none_or(|(least, fewest, _)| {
                    uneven < least - ALIKE || (uneven < least + ALIKE && size < fewest)
                });
                if better {
                    best = Some((uneven, size, fold));
                }
            }
            let fold = best.map_or(0, |(.., fold)| fold);
            folds[fold].push(unit);
            held[fold].iter_mut().zip(&counts[unit]).for_each(|(own, more)| *own += more);
        }
        let folds = folds.iter().map(|own| rows_of(&units, own)).collect();
        Ok(Split::each(folds, rows.len()))
    }
}

/// The mean over the classes of the standard deviation over the folds of their share of the class.
fn unevenness(all: &[usize], folds: usize, held: &dyn Fn(usize, usize) -> usize) -> f64 {
    let present = all.iter().enumerate().filter(|(_, count)| **count > 0);
    let deviation = |(class, count): (usize, &usize)| {
        let shares: Vec<f64> = (0..folds).map(|f| held(f, class) as f64 / *count as f64).collect();
        let mean = shares.iter().sum::<f64>() / folds as f64;
        (shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / folds as f64).sqrt()
    };
    let deviations: Vec<f64> = present.map(deviation).collect();
    deviations.iter().sum::<f64>() / deviations.len().max(1) as f64
}
