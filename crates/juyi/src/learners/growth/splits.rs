//! The best way to part the rows of a node in two, by the Gini index or by squared error.

use rayon::prelude::*;

use super::{Distinct, Limits};
use crate::data::Labels;

/// A way to part some rows: the larger `gain`, the purer the parts.
pub(super) struct Candidate {
    gain: f64,
    pub(super) column: usize,
    pub(super) threshold: f64,
}

/// What a column offers.
enum Found {
    /// All its values are alike.
    Constant,
    /// Every split leaves too light a leaf.
    TooLight,
    Split(Candidate),
}

impl Found {
    fn split(self) -> Option<Candidate> {
        if let Self::Split(candidate) = self { Some(candidate) } else { None }
    }
}

/// Gains closer than this part of the node's weight, or of its squared error, are equal.
const TIE: f64 = 1e-11;

/// Rows of a table whose labels differ.
pub(super) struct Search<'a> {
    pub(super) table: &'a Distinct,
    pub(super) rows: &'a [u32],
    /// Of all rows of the table.
    pub(super) weights: &'a [f64],
    pub(super) limits: Limits,
    /// Of numbers, by row of the table, the weight times how far the number is from the mean of these rows.
    pub(super) moments: &'a [f64],
    /// The weight of these rows, or their squared error.
    pub(super) scale: f64,
    /// Which rows of the table these are, where they are so many that leaving the others out of a sorted column is
    /// quicker than sorting.
    pub(super) inside: Option<&'a [bool]>,
}

/// What is reused from column to column.
#[derive(Default)]
struct Scratch {
    keys: Vec<u64>,
    /// The rows, sorted by the column.
    rows: Vec<u32>,
    /// The weight and purity from each place on.
    right: Vec<(f64, f64)>,
    by_class: Vec<f64>,
}

impl Search<'_> {
    /// The best split in these columns: among equals the first column, then the least threshold.
    pub(super) fn best(&self, columns: &[usize]) -> Option<Candidate> {
        const PARALLEL: usize = 1 << 15;
        let mut best: Option<Candidate> = None;
        let mut take = |candidate: Candidate| {
            let better = best.as_ref().is_none_or(|best| {
                let lead = candidate.gain - best.gain;
                lead > TIE * self.scale || (lead >= -TIE * self.scale && candidate.column < best.column)
            });
            if better {
                best = Some(candidate);
            }
        };
        let scratch = &mut Scratch::default();
        match self.limits.columns {
            None if self.rows.len() * columns.len() >= PARALLEL => {
                let found = |scratch: &mut Scratch, &column: &usize| self.of_column(column, scratch);
                let all: Vec<Found> = columns.par_iter().map_init(Scratch::default, found).collect();
                all.into_iter().filter_map(Found::split).for_each(take);
            }
            None => {
                let found = columns.iter().map(|&column| self.of_column(column, scratch));
                found.filter_map(Found::split).for_each(take);
            }
            // Constant columns do not count among those that are drawn; one that gives a split is looked for.
            Some(most) => {
                let (mut seen, mut any) = (0, false);
                for &column in columns {
                    let found = self.of_column(column, scratch);
                    seen += usize::from(!matches!(found, Found::Constant));
                    if let Some(candidate) = found.split() {
                        any = true;
                        take(candidate);
                    }
                    if seen >= most && any {
                        break;
                    }
                }
            }
        }
        best
    }

    fn of_column(&self, column: usize, scratch: &mut Scratch) -> Found {
        let n = self.table.rows.nrows();
        let ranks = &self.table.ranks[column * n..(column + 1) * n];
        let Scratch { keys, rows, right, by_class } = scratch;
        rows.clear();
        if let Some(inside) = self.inside {
            // Each is written, and the place moves on where it is kept: no branch to mispredict.
            rows.resize(self.rows.len() + 1, 0);
            let mut place = 0;
            for &row in &self.table.order[column * n..(column + 1) * n] {
                rows[place] = row;
                place += usize::from(inside[row as usize]);
            }
            rows.truncate(place);
        } else {
            keys.clear();
            keys.extend(self.rows.iter().map(|&i| (u64::from(ranks[i as usize]) << 32) | u64::from(i)));
            keys.sort_unstable();
            rows.extend(keys.iter().map(|key| *key as u32));
        }
        let found = match &self.table.labels {
            Labels::Classes(of) => {
                by_class.resize(self.table.classes, 0.0);
                self.scan(ranks, rows, right, &mut ClassSums { of, by_class, sum: 0.0 })
            }
            Labels::Values(_) => self.scan(ranks, rows, right, &mut Moments { of: self.moments, sum: 0.0 }),
        };
        match found {
            Err(nothing) => nothing,
            Ok((gain, k)) => {
                let entry = |k: usize| self.table.rows[(rows[k] as usize, column)];
                let (below, above) = (entry(k), entry(k + 1));
                let middle = 0.5 * below + 0.5 * above;
                let threshold = if middle < above { middle } else { below };
                Found::Split(Candidate { gain, column, threshold })
            }
        }
    }

    /// The largest gain and the place of the last row left of its split.
    fn scan<S: Side>(
        &self,
        ranks: &[u32],
        rows: &[u32],
        right: &mut Vec<(f64, f64)>,
        side: &mut S,
    ) -> Result<(f64, usize), Found> {
        let last = rows.len() - 1;
        let rank = |k: usize| ranks[rows[k] as usize];
        if rank(0) == rank(last) {
            return Err(Found::Constant);
        }
        // Sums from the right first: a side is never what is left of a difference, so that tiny weights keep their say.
        right.resize(rows.len(), (0.0, 0.0));
        side.clear();
        let mut weight = 0.0;
        for k in (1..=last).rev() {
            let row = rows[k] as usize;
            weight += self.weights[row];
            side.add(row, self.weights[row]);
            right[k] = (weight, side.purity(weight));
        }
        side.clear();
        weight = 0.0;
        let least = self.limits.leaf_weight * (1.0 - 1e-9); // weights that were scaled may be a bit too light
        let mut best: Option<(f64, usize)> = None;
        for k in 0..last {
            let row = rows[k] as usize;
            weight += self.weights[row];
            side.add(row, self.weights[row]);
            let (right_weight, right_purity) = right[k + 1];
            if rank(k) == rank(k + 1) || weight.min(right_weight) < least {
                continue;
            }
            let gain = side.purity(weight) + right_purity;
            if best.is_none_or(|(most, _)| gain > most + TIE * self.scale) {
                best = Some((gain, k));
            }
        }
        best.ok_or(Found::TooLight)
    }
}

/// Sums over the rows on one side of a split.
trait Side {
    fn clear(&mut self);
    fn add(&mut self, row: usize, weight: f64);
    /// What a side of this weight adds to the gain.
    fn purity(&self, weight: f64) -> f64;
}

/// `Σ_c weight_c²`: the purity is the weight times `Σ_c share_c²`.
struct ClassSums<'a> {
    of: &'a [usize],
    by_class: &'a mut [f64],
    sum: f64,
}

impl Side for ClassSums<'_> {
    fn clear(&mut self) {
        self.by_class.fill(0.0);
        self.sum = 0.0;
    }

    fn add(&mut self, row: usize, weight: f64) {
        let held = &mut self.by_class[self.of[row]];
        self.sum += weight * (2.0 * *held + weight);
        *held += weight;
    }

    fn purity(&self, weight: f64) -> f64 {
        self.sum / weight
    }
}

/// The sum of the centred numbers: the purity is the weight times their squared mean.
struct Moments<'a> {
    of: &'a [f64],
    sum: f64,
}

impl Side for Moments<'_> {
    fn clear(&mut self) {
        self.sum = 0.0;
    }

    fn add(&mut self, row: usize, _weight: f64) {
        self.sum += self.of[row];
    }

    fn purity(&self, weight: f64) -> f64 {
        self.sum * (self.sum / weight)
    }
}
