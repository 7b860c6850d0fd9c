//! How trees grow: greedy splits by the Gini index or by squared error, for one tree and for forests.
//!
//! Rows that are alike are one row with the sum of their weights, and the rows stand in an order of their own: so
//! integer weights equal repeated rows, and the order in which rows come does not matter, to the last bit, whatever is
//! drawn.

mod splits;

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
use splits::{Candidate, Search};

/// Distinct labelled rows, sorted by their columns from the first to the last, then by label.
pub(super) struct Distinct {
    pub(super) rows: Matrix,
    pub(super) weights: Vec<f64>,
    pub(super) labels: Labels,
    pub(super) classes: usize,
    /// The rows sorted by each column, and which of the column's distinct values each entry is; column by column.
    pub(super) order: Vec<u32>,
    pub(super) ranks: Vec<u32>,
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

impl Distinct {
    /// # Errors
    /// [`crate::error::Error::Memory`]: the rows are held twice.
    pub(super) fn new(
        name: &str,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        context: &Context,
    ) -> Result<Self> {
        let (n, d) = rows.shape();
        context.require(&format!("the sorted rows of `{name}`"), 16 * (n * d) as u64)?;
        let (kept, sums) = merged(rows, labels, weights);
        let rows = Mat::from_fn(kept.len(), d, |i, j| rows[(kept[i], j)]);
        let columns = (0..d).into_par_iter().map(|j| sorted(rows.col_as_slice(j)));
        let (order, ranks): (Vec<_>, Vec<_>) = columns.unzip();
        let labels = labels.select(&kept);
        Ok(Self { rows, weights: sums, labels, classes, order: order.concat(), ranks: ranks.concat() })
    }

    /// Grows a tree on the rows with these weights, of which 0 leaves a row out and at least one is above 0.
    pub(super) fn grow(&self, weights: &[f64], limits: Limits, rng: Option<&mut ChaCha8Rng>) -> Vec<Node> {
        struct Open {
            parent: Option<(usize, bool)>,
            rows: Range<usize>,
            depth: usize,
        }
        let (mut rng, n) = (rng, self.rows.nrows());
        let (mut moments, mut inside) = (vec![0.0; n], vec![false; n]);
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
                let columns = columns(self.rows.ncols(), limits.columns, rng.as_deref_mut());
                let many = held.len() * held.len().ilog2() as usize > n;
                for &i in &*held {
                    inside[i as usize] = true;
                }
                let search = Search {
                    table: self,
                    rows: held,
                    weights,
                    limits,
                    scale: self.scale(held, weights, node.value[0], &mut moments),
                    moments: &moments,
                    inside: many.then_some(&inside),
                };
                let best = search.best(&columns);
                for &i in &*held {
                    inside[i as usize] = false;
                }
                if let Some(Candidate { column, threshold, .. }) = best {
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

    /// The weight of some rows, or their squared error about `mean` and their `moments`.
    fn scale(&self, rows: &[u32], weights: &[f64], mean: f64, moments: &mut [f64]) -> f64 {
        let rows = rows.iter().map(|&i| i as usize);
        match &self.labels {
            Labels::Classes(_) => rows.map(|i| weights[i]).sum(),
            Labels::Values(y) => rows
                .map(|i| {
                    moments[i] = weights[i] * (y[i] - mean);
                    weights[i] * (y[i] - mean).powi(2)
                })
                .sum(),
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
}

/// The first of each set of rows that are alike, label included, and the weight of the set; the sets sorted by the
/// columns from the first to the last, then by label.
pub(super) fn merged(rows: MatRef<'_, f64>, labels: &Labels, weights: &[f64]) -> (Vec<usize>, Vec<f64>) {
    let (n, d) = rows.shape();
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
    (kept, sums)
}

/// The rows sorted by their value, then by their number, and which of the distinct values each row's is, from the least.
fn sorted(values: &[f64]) -> (Vec<u32>, Vec<u32>) {
    let number = |&row: &u32| values[row as usize];
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order
        .sort_unstable_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal).then(a.cmp(b)));
    let mut ranks = vec![0; values.len()];
    for two in order.windows(2) {
        ranks[two[1] as usize] = ranks[two[0] as usize] + u32::from(number(&two[0]) < number(&two[1]));
    }
    (order, ranks)
}

/// All columns, in a drawn order where only some will be looked at.
pub(super) fn columns(d: usize, most: Option<usize>, rng: Option<&mut ChaCha8Rng>) -> Vec<usize> {
    let mut all: Vec<usize> = (0..d).collect();
    if let (Some(_), Some(rng)) = (most, rng) {
        for k in 0..d {
            all.swap(k, rng.random_range(k..d));
        }
    }
    all
}
