//! Trees of boosting, grown on histograms: the columns are cut into few bins once, and a split is looked for among sums
//! over the bins.

use std::ops::{AddAssign, Range};

use faer::MatRef;
use rayon::prelude::*;

use crate::models::{Node, Split};

/// The most bins of a column.
const BINS: usize = 255;

/// Parts of a split that differ by less than this part are equal.
const TIE: f64 = 1e-11;

/// Rows as the bins of their columns.
pub(super) struct Binned {
    /// The bin of each row, column by column.
    bins: Vec<u8>,
    /// Of each column, the thresholds between its bins, rising.
    thresholds: Vec<Vec<f64>>,
}

/// The first and second derivative of the loss by the score, and the weight, of a row or summed over rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slope {
    pub(super) gradient: f64,
    pub(super) curvature: f64,
    pub(super) weight: f64,
}

impl AddAssign for Slope {
    fn add_assign(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.curvature += other.curvature;
        self.weight += other.weight;
    }
}

impl Slope {
    fn sum(rows: &[Self]) -> Self {
        let mut sum = Self::default();
        for &row in rows {
            sum += row;
        }
        sum
    }

    /// What a step to the best value lowers the loss by, twice.
    fn lowers(self, penalty: f64) -> f64 {
        self.gradient * (self.gradient / (self.curvature + penalty))
    }

    /// The best value.
    fn value(self, penalty: f64) -> f64 {
        (0.0 - self.gradient) / (self.curvature + penalty)
    }
}

/// Where growth stops, and what a leaf adds.
#[derive(Clone, Copy)]
pub(super) struct Growth {
    /// The most leaves.
    pub(super) leaves: usize,
    /// The least weight of a leaf.
    pub(super) leaf_weight: f64,
    /// The penalty on the square of a leaf's value.
    pub(super) penalty: f64,
    /// The part of the best value that a leaf takes.
    pub(super) shrinkage: f64,
    /// A split must gain more.
    pub(super) least_gain: f64,
}

/// A way to part some rows: those in bins up to `bin` go left.
#[derive(Clone, Copy)]
struct Candidate {
    /// What both parts lower the loss by.
    lowers: f64,
    column: usize,
    bin: usize,
}

impl Candidate {
    fn beats(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| self.lowers > other.lowers * (1.0 + TIE))
    }
}

/// A leaf that may still be parted.
struct Leaf {
    node: usize,
    /// Its place in the order of rows.
    rows: Range<usize>,
    /// The best split and its gain.
    best: Option<(Candidate, f64)>,
}

/// What is reused from column to column.
struct Scratch {
    /// Sums by bin; between columns all are empty.
    own: [Slope; BINS],
    /// The bins that hold rows, and their sums.
    held: [(usize, Slope); BINS],
    /// Of each of these the sum over all later ones.
    after: [Slope; BINS],
}

impl Default for Scratch {
    fn default() -> Self {
        let none = Slope::default();
        Self { own: [none; BINS], held: [(0, none); BINS], after: [none; BINS] }
    }
}

impl Binned {
    /// The rows `kept` of a table `(n, d)`, of these weights.
    pub(super) fn new(rows: MatRef<'_, f64>, kept: &[usize], weights: &[f64]) -> Self {
        let columns = (0..rows.ncols()).into_par_iter().map(|j| {
            let column: Vec<f64> = kept.iter().map(|&i| rows[(i, j)] + 0.0).collect(); // -0 becomes 0
            binned(&column, weights)
        });
        let (bins, thresholds): (Vec<Vec<u8>>, Vec<Vec<f64>>) = columns.unzip();
        Self { bins: bins.concat(), thresholds }
    }

    /// A tree on the rows with these slopes, by some of the columns, leaf by leaf where most is gained; what it says is
    /// added to the score of each row. `None` where no split gains enough.
    pub(super) fn grow(
        &self,
        columns: &[usize],
        slopes: &[Slope],
        growth: Growth,
        scores: &mut [f64],
    ) -> Option<Vec<Node>> {
        let value = |sum: Slope| vec![growth.shrinkage * sum.value(growth.penalty)];
        let mut order: Vec<u32> = (0..slopes.len() as u32).collect();
        let mut nodes = vec![Node { split: None, value: value(Slope::sum(slopes)) }];
        let best = self.best(columns, &order, slopes, growth);
        let mut leaves = vec![Leaf { node: 0, rows: 0..slopes.len(), best }];
        while leaves.len() < growth.leaves {
            let gain = |leaf: &Leaf| leaf.best.map_or(0.0, |(_, gain)| gain);
            let place =
                (1..leaves.len()).fold(0, |a, b| if gain(&leaves[b]) > gain(&leaves[a]) { b } else { a });
            let Leaf { node, rows, best } = &leaves[place];
            let (node, range, Some((Candidate { column, bin, .. }, _))) = (*node, rows.clone(), *best) else {
                break;
            };
            let bins = self.column(column);
            let held = &mut order[range.clone()];
            let (left, right): (Vec<u32>, Vec<u32>) =
                held.iter().partition(|&&i| usize::from(bins[i as usize]) <= bin);
            held.copy_from_slice(&[&left[..], &right[..]].concat());
            let middle = range.start + left.len();
            let threshold = self.thresholds[column][bin];
            let first = nodes.len();
            nodes[node].split = Some(Split { column, threshold, left: first, right: first + 1 });
            let last = leaves.len() + 1 == growth.leaves;
            let [left, right] =
                [(left, range.start..middle), (right, middle..range.end)].map(|(held, rows)| {
                    let own: Vec<Slope> = held.iter().map(|&i| slopes[i as usize]).collect();
                    nodes.push(Node { split: None, value: value(Slope::sum(&own)) });
                    let best = if last { None } else { self.best(columns, &held, &own, growth) };
                    Leaf { node: nodes.len() - 1, rows, best }
                });
            leaves[place] = left;
            leaves.push(right);
        }
        if nodes.len() == 1 {
            return None;
        }
        for leaf in &leaves {
            for &i in &order[leaf.rows.clone()] {
                scores[i as usize] += nodes[leaf.node].value[0];
            }
        }
        Some(nodes)
    }

    /// The bins of a column, row by row.
    fn column(&self, column: usize) -> &[u8] {
        let n = self.bins.len() / self.thresholds.len();
        &self.bins[column * n..(column + 1) * n]
    }

    /// The split of some rows, with these slopes, that gains most, and its gain: among equals the first of the columns,
    /// then the least threshold.
    fn best(
        &self,
        columns: &[usize],
        rows: &[u32],
        slopes: &[Slope],
        growth: Growth,
    ) -> Option<(Candidate, f64)> {
        const PARALLEL: usize = 1 << 15;
        let whole = Slope::sum(slopes);
        if whole.weight < 2.0 * growth.leaf_weight * ALMOST {
            return None;
        }
        let of_column =
            |scratch: &mut Scratch, &column: &usize| self.best_of(column, rows, slopes, growth, scratch);
        let found: Vec<Option<Candidate>> = if (rows.len() + BINS) * columns.len() >= PARALLEL {
            columns.par_iter().map_init(Scratch::default, of_column).collect()
        } else {
            let scratch = &mut Scratch::default();
            columns.iter().map(|column| of_column(scratch, column)).collect()
        };
        let mut best: Option<Candidate> = None;
        for candidate in found.into_iter().flatten() {
            if candidate.beats(best.as_ref()) {
                best = Some(candidate);
            }
        }
        let gain = |candidate: Candidate| candidate.lowers - whole.lowers(growth.penalty);
        best.map(|candidate| (candidate, gain(candidate))).filter(|(_, gain)| *gain > growth.least_gain)
    }

    fn best_of(
        &self,
        column: usize,
        rows: &[u32],
        slopes: &[Slope],
        growth: Growth,
        scratch: &mut Scratch,
    ) -> Option<Candidate> {
        let (bins, last) = (self.column(column), self.thresholds[column].len());
        if last == 0 {
            return None;
        }
        let Scratch { own, held, after } = scratch;
        for (&row, &slope) in rows.iter().zip(slopes) {
            own[usize::from(bins[row as usize])] += slope;
        }
        // Bins that hold rows stand together: each is written, and the place moves on where it is kept, so that there is no
        // branch to mispredict. All are left empty for the next column.
        let mut count = 0;
        for (bin, own) in own[..=last].iter_mut().enumerate() {
            let sum = std::mem::take(own);
            held[count] = (bin, sum);
            count += usize::from(sum.weight > 0.0);
        }
        // Sums from the right first: a side is never what is left of a difference, so that tiny weights keep their say.
        let mut sum = Slope::default();
        for (after, (_, own)) in after[..count].iter_mut().zip(&held[..count]).rev() {
            *after = sum;
            sum += *own;
        }
        let least = growth.leaf_weight * ALMOST;
        let (mut best, mut before): (Option<Candidate>, _) = (None, Slope::default());
        for (&after, &(bin, own)) in after[..count].iter().zip(&held[..count]) {
            before += own;
            if before.weight.min(after.weight) < least {
                continue;
            }
            let lowers = before.lowers(growth.penalty) + after.lowers(growth.penalty);
            let candidate = Candidate { lowers, column, bin };
            if candidate.beats(best.as_ref()) {
                best = Some(candidate);
            }
        }
        best
    }
}

/// Weights that were scaled may be a bit too light.
const ALMOST: f64 = 1.0 - 1e-9;

/// The bin of each value and the thresholds between the bins: each distinct value is a bin of its own where they are few
/// enough, else bins are of like weight.
fn binned(values: &[f64], weights: &[f64]) -> (Vec<u8>, Vec<f64>) {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]).then(a.cmp(&b)));
    let at = |k: usize| values[order[k] as usize];
    let mut starts: Vec<usize> = (0..order.len()).filter(|&k| k == 0 || at(k) > at(k - 1)).collect();
    if starts.len() > BINS {
        let weight_from = |place: usize| {
            let end = starts.get(place + 1).copied().unwrap_or(order.len());
            order[starts[place]..end].iter().map(|&i| weights[i as usize]).sum::<f64>()
        };
        let of_values: Vec<f64> = (0..starts.len()).map(weight_from).collect();
        let total: f64 = of_values.iter().sum();
        let mut upto = 0.0;
        let mut quantile = |weight: f64| {
            upto += weight;
            ((BINS as f64 * ((upto - 0.5 * weight) / total)) as usize).min(BINS - 1)
        };
        let quantiles: Vec<usize> = of_values.into_iter().map(&mut quantile).collect();
        let opens = |place: &usize| *place == 0 || quantiles[*place] > quantiles[*place - 1];
        starts = (0..starts.len()).filter(opens).map(|place| starts[place]).collect();
    }
    let mut bins = vec![0; values.len()];
    for (bin, &start) in starts.iter().enumerate() {
        let end = starts.get(bin + 1).copied().unwrap_or(order.len());
        for &i in &order[start..end] {
            bins[i as usize] = bin as u8;
        }
    }
    let threshold = |&start: &usize| {
        let (below, above) = (at(start - 1), at(start));
        let middle = 0.5 * below + 0.5 * above;
        if middle < above { middle } else { below }
    };
    let thresholds = starts.iter().skip(1).map(threshold).collect();
    (bins, thresholds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_bins_and_many_are_cut_by_weight() {
        let (bins, thresholds) = binned(&[3.0, 1.0, 3.0, 2.0], &[1.0; 4]);
        assert_eq!((bins, thresholds), (vec![2, 0, 2, 1], vec![1.5, 2.5]));
        assert_eq!(binned(&[7.0; 3], &[1.0; 3]), (vec![0; 3], Vec::new()));
        let near = binned(&[1.0, 1.0 + f64::EPSILON], &[1.0; 2]);
        assert_eq!(near, (vec![0, 1], vec![1.0]));
        // 510 values of weight 1: pairs. One of weight 510 on top takes half of the bins for itself.
        let values: Vec<f64> = (0..510).map(f64::from).collect();
        let (bins, thresholds) = binned(&values, &[1.0; 510]);
        assert_eq!((thresholds.len(), thresholds[0], bins[2], bins[509]), (254, 1.5, 1, 254));
        let mut weights = vec![1.0; 510];
        weights[0] = 510.0;
        let (bins, thresholds) = binned(&values, &weights);
        assert_eq!((thresholds[0], bins[0], bins[1]), (0.5, 0, 1));
        assert!((127..=129).contains(&thresholds.len()), "{}", thresholds.len());
    }
}
