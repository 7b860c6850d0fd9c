//! A linear head whose weights are zero for most features: multinomial regression with a group lasso, a group a feature.
//!
//! ```text
//! mean cross-entropy + λ Σ_j |W_j|,   W_j the weights of feature j for all classes
//! ```
//! Paper: A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse problems", SIAM
//! Journal on Imaging Sciences 2, 2009, section 4, begun anew where the momentum points uphill (B. O'Donoghue and E.
//! Candès, "Adaptive restart for accelerated gradient schemes", 2015, equation 13). Steps go over the features that may
//! be other than zero; those outside enter while the length of their slope is above `λ`, which is where a zero is not
//! the minimum. Rows are centred, so that biases and weights do not get into each other's way.
//!
//! Cost: `O(n d c)` each time that features enter, `O(n a c)` a step over `a` features.

use juyi::linalg::{Matrix, column_means, multiply};

use super::head::{cross_entropy, probabilities};

/// Most steps for one `λ`; the order of the features is settled long before.
const STEPS: usize = 4000;
/// The part of `λ` by which a slope may be off at the end.
const TOLERANCE: f64 = 1e-8;
/// Most times that features enter.
const ROUNDS: usize = 40;
/// Features that enter at a time, at least.
const ENTERING: usize = 32;

/// What the group lasso finds of features.
pub(super) struct GroupLasso {
    /// `|W_j|`.
    pub(super) lengths: Vec<f64>,
    /// The lengths of the slopes of the mean cross-entropy by each `W_j`: `λ` where it is not zero, no more elsewhere.
    pub(super) slopes: Vec<f64>,
}

/// The minima for falling `λ`, each found from the one before.
pub(super) fn group_lasso(rows: &Matrix, of: &[usize], classes: usize, lambdas: &[f64]) -> Vec<GroupLasso> {
    let means = column_means(rows.as_ref());
    let centred = Matrix::from_fn(rows.nrows(), rows.ncols(), |i, j| rows[(i, j)] - means[j]);
    let mut search =
        Search { rows: centred, of, classes, active: Vec::new(), point: Matrix::zeros(1, classes) };
    lambdas.iter().map(|&lambda| search.minimum(lambda)).collect()
}

struct Search<'a> {
    /// Centred.
    rows: Matrix,
    of: &'a [usize],
    classes: usize,
    /// Features that may be other than zero, in the order in which they entered.
    active: Vec<usize>,
    /// Their weights, below them the biases.
    point: Matrix,
}

impl Search<'_> {
    fn minimum(&mut self, lambda: f64) -> GroupLasso {
        let mut left = STEPS;
        for round in 1.. {
            let part = self.part();
            let slopes = self.slopes(&part);
            let mut outside = vec![true; slopes.len()];
            self.active.iter().for_each(|&j| outside[j] = false);
            let mut entering: Vec<usize> =
                (0..slopes.len()).filter(|&j| outside[j] && slopes[j] > lambda).collect();
            if entering.is_empty() && round > 1 || round > ROUNDS || left == 0 {
                return self.found(slopes);
            }
            entering.sort_by(|&a, &b| slopes[b].total_cmp(&slopes[a]).then(a.cmp(&b)));
            entering.truncate(self.active.len().max(ENTERING));
            self.enter(&entering);
            left -= self.descend(lambda, left);
        }
        unreachable!("the rounds end")
    }

    /// The columns of the active features.
    fn part(&self) -> Matrix {
        Matrix::from_fn(self.rows.nrows(), self.active.len(), |i, k| self.rows[(i, self.active[k])])
    }

    /// The length of the slope by each feature's weights.
    fn slopes(&self, part: &Matrix) -> Vec<f64> {
        let residuals = self.residuals(part);
        let all = multiply(self.rows.transpose(), residuals.as_ref());
        (0..all.nrows()).map(|j| length(&all, j)).collect()
    }

    /// The slope of the mean cross-entropy by each score.
    fn residuals(&self, part: &Matrix) -> Matrix {
        let n = self.of.len() as f64;
        let shares = probabilities(part, &self.point);
        Matrix::from_fn(self.of.len(), self.classes, |i, c| {
            (shares[(i, c)] - f64::from(u8::from(self.of[i] == c))) / n
        })
    }

    fn enter(&mut self, features: &[usize]) {
        let (before, more) = (self.active.len(), features.len());
        let old = self.point.clone();
        self.active.extend(features);
        self.point = Matrix::from_fn(before + more + 1, self.classes, |j, c| match j {
            j if j < before => old[(j, c)],
            j if j < before + more => 0.0,
            _ => old[(before, c)],
        });
    }

    /// Steps over the active features; how many.
    fn descend(&mut self, lambda: f64, most: usize) -> usize {
        let (part, count, n) = (self.part(), self.active.len(), self.of.len() as f64);
        // The second derivative by scores is nowhere above 1/2.
        let bound = [0.5 * largest_eigenvalue(&part) / n, 0.5];
        let (mut here, mut ahead, mut pace) = (self.point.clone(), self.point.clone(), 1.0f64);
        for step in 1..=most {
            let (_, slopes) = cross_entropy(&part, self.of, &ahead);
            let mut next = Matrix::from_fn(count + 1, self.classes, |j, c| {
                ahead[(j, c)] - slopes[(j, c)] / n / bound[usize::from(j == count)]
            });
            for j in 0..count {
                let shrunk = (1.0 - lambda / bound[0] / length(&next, j).max(f64::MIN_POSITIVE)).max(0.0);
                (0..self.classes).for_each(|c| next[(j, c)] *= shrunk);
            }
            // How far the slopes at `ahead` are from those of a minimum.
            let (mut off, mut uphill) = (0.0f64, 0.0);
            for (j, c) in (0..=count).flat_map(|j| (0..self.classes).map(move |c| (j, c))) {
                let moved = ahead[(j, c)] - next[(j, c)];
                off = off.max(moved.abs() * bound[usize::from(j == count)]);
                uphill += bound[usize::from(j == count)] * moved * (next[(j, c)] - here[(j, c)]);
            }
            let faster =
                if uphill > 0.0 { 1.0 } else { f64::midpoint(1.0, (1.0 + 4.0 * pace * pace).sqrt()) };
            let momentum = if uphill > 0.0 { 0.0 } else { (pace - 1.0) / faster };
            ahead = Matrix::from_fn(count + 1, self.classes, |j, c| {
                next[(j, c)] + momentum * (next[(j, c)] - here[(j, c)])
            });
            (here, pace) = (next, faster);
            if off <= TOLERANCE * lambda {
                self.point = here;
                return step;
            }
        }
        self.point = here;
        most
    }

    fn found(&self, slopes: Vec<f64>) -> GroupLasso {
        let mut lengths = vec![0.0; slopes.len()];
        for (k, &j) in self.active.iter().enumerate() {
            lengths[j] = length(&self.point, k);
        }
        GroupLasso { lengths, slopes }
    }
}

fn length(of: &Matrix, row: usize) -> f64 {
    (0..of.ncols()).map(|c| of[(row, c)].powi(2)).sum::<f64>().sqrt()
}

/// The largest eigenvalue of `XᵀX` by the power method, with a little on top for what is left of its error.
fn largest_eigenvalue(x: &Matrix) -> f64 {
    let mut along = Matrix::from_fn(x.ncols(), 1, |j, _| 1.0 + (j % 7) as f64);
    let mut largest = f64::MIN_POSITIVE;
    for _ in 0..100 {
        let before = along.norm_l2().max(f64::MIN_POSITIVE);
        along = Matrix::from_fn(x.ncols(), 1, |j, _| along[(j, 0)] / before);
        along = multiply(x.transpose(), multiply(x.as_ref(), along.as_ref()).as_ref());
        largest = along.norm_l2().max(f64::MIN_POSITIVE);
    }
    1.05 * largest
}
