//! The two-sample test of a kernel of pooled rows: the squared distance of two means in the kernel's space.
//! ```text
//! biased    Σ_ij k(x_i, x_j) / n² + Σ_ij k(y_i, y_j) / m² - 2 Σ_ij k(x_i, y_j) / (n m)
//! unbiased  the same without i = j in the first two sums, over n (n - 1) and m (m - 1)
//! error²    4 var h(x) / n + 4 var h(y) / m,   h(x_i) = mean_j k(x_i, x_j) - mean_j k(x_i, y_j)
//! ```
//! The effect is how well the nearer mean tells where a row comes from that it was taken without: the share of source rows
//! that are told right plus that of target rows, less 1. It is 0 on average for equal distributions, and at most their total
//! variation distance. Distributions whose clumps lie between each other's are not told apart so: then the unbiased value counts,
//! over `E k(x, x') + E k(y, y')`, or over `-2 E k(x, y)` of kernels that are distances with another sign; both are 1 for what has
//! nothing in common.

use faer::Mat;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Distance;
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, multiply};

/// What the test finds.
pub(super) struct KernelTest {
    /// The biased and the unbiased value of the true split, then those of each permutation.
    pub(super) values: Vec<[f64; 2]>,
    /// The standard error of the unbiased value.
    pub(super) error: f64,
    /// How far apart they are, from 0 to 1.
    pub(super) effect: f64,
}

impl KernelTest {
    /// The share of splits that reach the true one's value.
    pub(super) fn p_value(&self, which: usize) -> f64 {
        let value = self.values[0][which];
        // Rounding must not make a permutation that is the true split look smaller.
        let slack = 1e-12 * value.abs().max(1.0);
        let reached = self.values.iter().filter(|v| v[which] >= value - slack).count();
        reached as f64 / self.values.len() as f64
    }

    /// The biased value, whose interval is that of the unbiased one about it.
    pub(super) fn biased(&self, name: &str, about: &str) -> Distance {
        let value = self.values[0][0];
        let reach = 1.96 * self.error;
        Distance { interval: Some(((value - reach).max(0.0), value + reach)), ..self.of(0, name, about) }
    }

    /// The unbiased value with its interval.
    pub(super) fn unbiased(&self, name: &str, about: &str) -> Distance {
        let value = self.values[0][1];
        let reach = 1.96 * self.error;
        Distance { interval: Some((value - reach, value + reach)), ..self.of(1, name, about) }
    }

    fn of(&self, which: usize, name: &str, about: &str) -> Distance {
        Distance {
            p_value: Some(self.p_value(which)),
            effect: Some(self.effect),
            ..Distance::new(name, about, self.values[0][which])
        }
    }
}

/// Fails unless the kernel of so many pooled rows and its permutations fit.
pub(super) fn require(rows: usize, permutations: usize, context: &Context) -> Result<()> {
    let rows = rows as u64;
    context.require("the kernel of the rows", 8 * rows * (rows + 2 * permutations as u64))
}

/// The test of a `kernel` of pooled rows, of which the first `n` are the source's, two at least on each side.
pub(super) fn kernel_test(
    kernel: &Matrix,
    n: usize,
    permutations: usize,
    rng: &mut ChaCha8Rng,
) -> KernelTest {
    let all = kernel.nrows();
    // One column a split of the pooled rows: 1 for those that are taken as `x`; the first is the true one.
    let mut order: Vec<usize> = (0..all).collect();
    let mut splits = Mat::zeros(all, 1 + permutations);
    for k in 0..=permutations {
        for &i in &order[..n] {
            splits[(i, k)] = 1.0;
        }
        order.shuffle(rng);
    }
    let sums = multiply(kernel.as_ref(), splits.as_ref());
    let rows: Vec<f64> = kernel.col_iter().map(|column| column.iter().sum()).collect();
    let diagonal: Vec<f64> = (0..all).map(|i| kernel[(i, i)]).collect();
    let of = Sums { of_splits: sums, splits, total: rows.iter().sum(), rows, diagonal, counts: (n, all - n) };
    let values = (0..=permutations).map(|k| of.both(k)).collect();
    let [x, y] = [0, 1].map(|side| of.of_rows(side));
    KernelTest { values, error: standard_error(&x, &y), effect: effect(&of, &x, &y) }
}

/// Sums of the kernel over each split.
struct Sums {
    of_splits: Matrix,
    splits: Matrix,
    rows: Vec<f64>,
    total: f64,
    diagonal: Vec<f64>,
    counts: (usize, usize),
}

impl Sums {
    /// The sums within `x`, within `y` and across for one split, then those of the diagonal in `x` and `y`.
    fn parts(&self, k: usize) -> [f64; 5] {
        let (mut within, mut across) = (0.0, 0.0);
        let (mut own, mut other) = (0.0, 0.0);
        let columns = self.of_splits.col(k).iter().zip(self.splits.col(k).iter());
        for ((sum, inside), diagonal) in columns.zip(&self.diagonal) {
            within += sum * inside;
            across += sum * (1.0 - inside);
            own += diagonal * inside;
            other += diagonal * (1.0 - inside);
        }
        [within, self.total - within - 2.0 * across, across, own, other]
    }

    /// The biased and the unbiased value of one split.
    fn both(&self, k: usize) -> [f64; 2] {
        let [within, beyond, across, own, other] = self.parts(k);
        let (n, m) = (self.counts.0 as f64, self.counts.1 as f64);
        let cross = 2.0 * across / (n * m);
        [
            (within / (n * n) + beyond / (m * m) - cross).max(0.0),
            (within - own) / (n * (n - 1.0)) + (beyond - other) / (m * (m - 1.0)) - cross,
        ]
    }

    /// For each row of a side the mean of the kernel with the other rows of that side, and with those of the other.
    fn of_rows(&self, side: usize) -> Vec<(f64, f64)> {
        let (n, m) = self.counts;
        let of_x = |i: usize| self.of_splits[(i, 0)];
        let of_y = |i: usize| self.rows[i] - of_x(i);
        let (range, own, other, counts) = if side == 0 {
            (0..n, &of_x as &dyn Fn(usize) -> f64, &of_y as &dyn Fn(usize) -> f64, (n, m))
        } else {
            (n..n + m, &of_y as &dyn Fn(usize) -> f64, &of_x as &dyn Fn(usize) -> f64, (m, n))
        };
        range
            .map(|i| ((own(i) - self.diagonal[i]) / (counts.0 as f64 - 1.0), other(i) / counts.1 as f64))
            .collect()
    }
}

fn standard_error(x: &[(f64, f64)], y: &[(f64, f64)]) -> f64 {
    let variance = |rows: &[(f64, f64)]| {
        let count = rows.len() as f64;
        let mean = rows.iter().map(|(own, other)| own - other).sum::<f64>() / count;
        let squares = rows.iter().map(|(own, other)| (own - other - mean).powi(2));
        squares.sum::<f64>() / (count - 1.0) / count
    };
    (4.0 * variance(x) + 4.0 * variance(y)).sqrt()
}

fn effect(of: &Sums, x: &[(f64, f64)], y: &[(f64, f64)]) -> f64 {
    let [within, beyond, across, own, other] = of.parts(0);
    let (n, m) = (of.counts.0 as f64, of.counts.1 as f64);
    // Half the squared lengths of the means.
    let (of_x, of_y) = (0.5 * (within - own) / (n * (n - 1.0)), 0.5 * (beyond - other) / (m * (m - 1.0)));
    let right = |rows: &[(f64, f64)], own: f64, other: f64| {
        let nearer = |&(a, b): &(f64, f64)| match (a - own).total_cmp(&(b - other)) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        rows.iter().map(nearer).sum::<f64>() / rows.len() as f64
    };
    let told = right(x, of_x, of_y) + right(y, of_y, of_x) - 1.0;
    told.max(part(2.0 * (of_x + of_y), 2.0 * across / (n * m))).clamp(0.0, 1.0)
}

/// The part that the distance of two means is of the squared `lengths` of both, without bias, `cross` twice their product.
pub(super) fn part(lengths: f64, cross: f64) -> f64 {
    let all = if lengths > 0.0 { lengths } else { -cross };
    if all > 0.0 { (lengths - cross) / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// One number a row with the kernel `x y`: the squared difference of means, and the nearer mean tells `0, 0` from
    /// `4, 6` without a mistake.
    #[test]
    fn a_linear_kernel_by_hand() {
        let rows = [0.0, 0.0, 4.0, 6.0];
        let kernel = Matrix::from_fn(4, 4, |i, j| rows[i] * rows[j]);
        let found = kernel_test(&kernel, 2, 200, &mut ChaCha8Rng::seed_from_u64(0));
        // Means 0 and 5; without the diagonal, y y' is 24.
        assert_eq!((found.values[0], found.effect), ([25.0, 24.0], 1.0));
        // h(x) = 0, 0; h(y) = 24, 24.
        assert_eq!(found.error, 0.0);
        assert!((found.p_value(0) - 1.0 / 3.0).abs() < 0.1);
    }
}
