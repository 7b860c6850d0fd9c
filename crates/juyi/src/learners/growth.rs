//! How trees grow: greedy splits by the Gini index or by squared error, for one tree and for forests.
//!
//! Rows that are alike are one row with the sum of their weights, and the rows stand in an order of their own: so
//! integer weights equal repeated rows, and the order in which rows come does not matter, to the last bit, whatever is
//! drawn.

use std::cmp::Ordering;
use std::ops::Range;

use faer::{Mat, MatRef};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::models::{Node, Split, first_largest};

/// Distinct labelled rows, sorted by their columns from the first to the last, then by label.
pub(super) struct Distinct {
    pub(super) rows: Matrix,
    pub(super) weights: Vec<f64>,
    pub(super) labels: Labels,
    classes: usize,
    /// Which of the column's distinct values each entry is, column by column.
    ranks: Vec<u32>,
}

/// Where growth stops.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// The most splits above a leaf.
    pub(super) depth: Option<usize>,
    /// The least weight of a leaf.
    pub(super) leaf_weight: f64,
    /// How many columns are drawn for each split; `None` for all.
    pub(super) columns: Option<usize>,
}

/// A way to part some rows: the larger `gain`, the purer the parts.
struct Candidate {
    gain: f64,
    column: usize,
    threshold: f64,
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

/// Sums of one side of a split.
struct Side {
    weight: f64,
    by_class: Vec<f64>,
    /// Over the classes, the squared weights; or the sum of the centred values.
    sum: f64,
}

impl Distinct {
    /// # Errors
    /// [`crate::Error::Memory`]: the rows are held twice.
    pub(super) fn new(
        name: &str,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        context: &Context,
    ) -> Result<Self> {
        let (n, d) = rows.shape();
        context.require(&format!("the sorted rows of `{name}`"), 12 * (n * d) as u64)?;
        let label = |i: usize| match labels {
            Labels::Classes(of) => of[i] as f64,
            Labels::Values(values) => values[i],
        };
        let number = |a: f64, b: f64| a.partial_cmp(&b).unwrap_or(Ordering::Equal); // -0 is 0
        let ordered = |a: usize, b: usize| {
            let mut columns = (0..d).map(|j| number(rows[(a, j)], rows[(b, j)]));
            columns.find(|o| o.is_ne()).unwrap_or_else(|| number(label(a), label(b)))
        };
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_unstable_by(|&a, &b| ordered(a, b).then(number(weights[a], weights[b])));
        let (mut kept, mut sums): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
        for &i in &order {
            match (kept.last(), sums.last_mut()) {
                (Some(&last), Some(sum)) if ordered(last, i).is_eq() => *sum += weights[i],
                _ => {
                    kept.push(i);
                    sums.push(weights[i]);
                }
            }
        }
        let rows = Mat::from_fn(kept.len(), d, |i, j| rows[(kept[i], j)]);
        let ranks: Vec<Vec<u32>> = (0..d).into_par_iter().map(|j| ranks(rows.col_as_slice(j))).collect();
        Ok(Self { rows, weights: sums, labels: labels.select(&kept), classes, ranks: ranks.concat() })
    }

    /// Grows a tree on the rows with these weights, of which 0 leaves a row out and at least one is above 0.
    pub(super) fn grow(&self, weights: &[f64], limits: Limits, rng: Option<&mut ChaCha8Rng>) -> Vec<Node> {
        struct Open {
            parent: Option<(usize, bool)>,
            rows: Range<usize>,
            depth: usize,
        }
        let mut rng = rng;
        let mut rows: Vec<u32> = (0..weights.len() as u32).filter(|&i| weights[i as usize] > 0.0).collect();
        let mut open = vec![Open { parent: None, rows: 0..rows.len(), depth: 0 }];
        let mut nodes: Vec<Node> = Vec::new();
        while let Some(Open { parent, rows: range, depth }) = open.pop() {
            let own = nodes.len();
            if let Some((parent, is_left)) = parent
                && let Some(split) = &mut nodes[parent].split
            {
                *(if is_left { &mut split.left } else { &mut split.right }) = own;
            }
            let held = &mut rows[range.clone()];
            let (value, pure) = self.value(held, weights);
            let mut node = Node { split: None, value };
            if !pure && limits.depth.is_none_or(|most| depth < most) {
                let mean = node.value[0];
                let columns = columns(self.rows.ncols(), limits.columns, rng.as_deref_mut());
                if let Some(Candidate { column, threshold, .. }) =
                    self.best(held, weights, mean, limits, &columns)
                {
                    let entry = self.rows.col_as_slice(column);
                    let (left, right): (Vec<u32>, Vec<u32>) =
                        held.iter().partition(|&&i| entry[i as usize] <= threshold);
                    let middle = range.start + left.len();
                    held.copy_from_slice(&[left, right].concat());
                    node.split = Some(Split { column, threshold, left: 0, right: 0 });
                    let child = |is_left, rows| Open { parent: Some((own, is_left)), rows, depth: depth + 1 };
                    open.push(child(false, middle..range.end));
                    open.push(child(true, range.start..middle));
                }
            }
            nodes.push(node);
        }
        nodes
    }

    /// The classes' shares or the mean of some rows, and whether their labels are all alike.
    fn value(&self, rows: &[u32], weights: &[f64]) -> (Vec<f64>, bool) {
        let total: f64 = rows.iter().map(|&i| weights[i as usize]).sum();
        match &self.labels {
            Labels::Classes(of) => {
                let mut shares = vec![0.0; self.classes];
                for &i in rows {
                    shares[of[i as usize]] += weights[i as usize];
                }
                let pure = rows.iter().all(|&i| of[i as usize] == of[rows[0] as usize]);
                (shares.iter().map(|share| (share / total).min(1.0)).collect(), pure)
            }
            Labels::Values(y) => {
                let first = y[rows[0] as usize];
                let pure = rows.iter().all(|&i| y[i as usize] == first);
                let off: f64 = rows.iter().map(|&i| weights[i as usize] * (y[i as usize] - first)).sum();
                (vec![first + off / total], pure)
            }
        }
    }

    /// What some rows say (nothing where there are none), the error of saying it of each of them (the weight of those
    /// that it misses, or the squared error), and their weight.
    pub(super) fn summary(&self, rows: &[usize]) -> (Option<Vec<f64>>, f64, f64) {
        if rows.is_empty() {
            return (None, 0.0, 0.0);
        }
        let held: Vec<u32> = rows.iter().map(|&i| i as u32).collect();
        let (value, _) = self.value(&held, &self.weights);
        let weight: f64 = rows.iter().map(|&i| self.weights[i]).sum();
        let error = match &self.labels {
            Labels::Classes(of) => {
                let said = first_largest(&value);
                rows.iter().filter(|&&i| of[i] != said).map(|&i| self.weights[i]).sum()
            }
            Labels::Values(y) => rows.iter().map(|&i| self.weights[i] * (y[i] - value[0]).powi(2)).sum(),
        };
        (Some(value), error, weight)
    }

    /// The best split of rows whose labels differ: among equals the first column, then the least threshold.
    fn best(
        &self,
        rows: &[u32],
        weights: &[f64],
        mean: f64,
        limits: Limits,
        columns: &[usize],
    ) -> Option<Candidate> {
        const PARALLEL: usize = 1 << 14;
        let scale: f64 = match &self.labels {
            Labels::Classes(_) => rows.iter().map(|&i| weights[i as usize]).sum(),
            Labels::Values(y) => {
                rows.iter().map(|&i| weights[i as usize] * (y[i as usize] - mean).powi(2)).sum()
            }
        };
        let found = |&column: &usize| self.best_of_column(rows, weights, mean, limits, scale, column);
        let mut best: Option<Candidate> = None;
        let mut take = |candidate: Candidate| {
            let better = best.as_ref().is_none_or(|best| {
                let lead = candidate.gain - best.gain;
                lead > TIE * scale || (lead >= -TIE * scale && candidate.column < best.column)
            });
            if better {
                best = Some(candidate);
            }
        };
        match limits.columns {
            None if rows.len() * columns.len() >= PARALLEL => {
                let all: Vec<Found> = columns.par_iter().map(found).collect();
                all.into_iter().filter_map(Found::split).for_each(take);
            }
            None => columns.iter().map(found).filter_map(Found::split).for_each(take),
            // Constant columns do not count among those that are drawn; one that gives a split is looked for.
            Some(most) => {
                let (mut seen, mut any) = (0, false);
                for found in columns.iter().map(found) {
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

    fn best_of_column(
        &self,
        rows: &[u32],
        weights: &[f64],
        mean: f64,
        limits: Limits,
        scale: f64,
        column: usize,
    ) -> Found {
        let n = self.rows.nrows();
        let ranks = &self.ranks[column * n..(column + 1) * n];
        let mut keys: Vec<u64> =
            rows.iter().map(|&i| (u64::from(ranks[i as usize]) << 32) | u64::from(i)).collect();
        keys.sort_unstable();
        let rank = |k: usize| keys[k] >> 32;
        let row = |k: usize| (keys[k] & u64::from(u32::MAX)) as usize;
        let last = keys.len() - 1;
        if rank(0) == rank(last) {
            return Found::Constant;
        }
        // Sums from the right first: a side is never what is left of a difference, so that tiny weights keep their say.
        let mut side = Side { weight: 0.0, by_class: vec![0.0; self.classes], sum: 0.0 };
        let mut right = vec![(0.0, 0.0); keys.len()];
        for k in (1..=last).rev() {
            self.add(&mut side, row(k), weights, mean);
            right[k] = (side.weight, self.purity(&side));
        }
        side = Side { weight: 0.0, by_class: vec![0.0; self.classes], sum: 0.0 };
        let least = limits.leaf_weight * (1.0 - 1e-9); // weights that were scaled may be a bit too light
        let mut best: Option<(f64, usize)> = None;
        for k in 0..last {
            self.add(&mut side, row(k), weights, mean);
            let (right_weight, right_purity) = right[k + 1];
            if rank(k) == rank(k + 1) || side.weight.min(right_weight) < least {
                continue;
            }
            let gain = self.purity(&side) + right_purity;
            if best.is_none_or(|(most, _)| gain > most + TIE * scale) {
                best = Some((gain, k));
            }
        }
        let candidate = |(gain, k): (f64, usize)| {
            let (below, above) = (self.rows[(row(k), column)], self.rows[(row(k + 1), column)]);
            let middle = 0.5 * below + 0.5 * above;
            let threshold = if middle < above { middle } else { below };
            Candidate { gain, column, threshold }
        };
        best.map(candidate).map_or(Found::TooLight, Found::Split)
    }

    fn add(&self, side: &mut Side, row: usize, weights: &[f64], mean: f64) {
        let weight = weights[row];
        side.weight += weight;
        match &self.labels {
            Labels::Classes(of) => {
                let held = &mut side.by_class[of[row]];
                side.sum += weight * (2.0 * *held + weight);
                *held += weight;
            }
            Labels::Values(y) => side.sum += weight * (y[row] - mean),
        }
    }

    /// What a side adds to the gain: its weight times `Σ_c share_c²`, or times its squared mean.
    fn purity(&self, side: &Side) -> f64 {
        match self.labels {
            Labels::Classes(_) => side.sum / side.weight,
            Labels::Values(_) => side.sum * (side.sum / side.weight),
        }
    }
}

/// Gains closer than this part of the node's weight, or of its squared error, are equal.
const TIE: f64 = 1e-11;

/// Which of the distinct values each is, from the least.
fn ranks(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].partial_cmp(&values[b]).unwrap_or(Ordering::Equal));
    let mut ranks = vec![0; values.len()];
    for two in order.windows(2) {
        ranks[two[1]] = ranks[two[0]] + u32::from(values[two[0]] < values[two[1]]);
    }
    ranks
}

/// All columns, in a drawn order where only some will be looked at.
fn columns(d: usize, most: Option<usize>, rng: Option<&mut ChaCha8Rng>) -> Vec<usize> {
    let mut all: Vec<usize> = (0..d).collect();
    if let (Some(_), Some(rng)) = (most, rng) {
        for k in 0..d {
            all.swap(k, rng.random_range(k..d));
        }
    }
    all
}
