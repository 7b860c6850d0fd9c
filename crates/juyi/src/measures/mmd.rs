//! Maximum mean discrepancy: the distance between the means of two samples in a Gaussian kernel's feature space.
//!
//! Paper: A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf, A. Smola, "A kernel two-sample test", JMLR 2012
//!
//! ```text
//! biased    Σ_ij k(x_i, x_j) / n² + Σ_ij k(y_i, y_j) / m² - 2 Σ_ij k(x_i, y_j) / (n m)              (eq. 5)
//! unbiased  the same without i = j in the first two sums, over n (n - 1) and m (m - 1)              (eq. 3)
//! ```
//! Both are squared distances. The biased one is never negative and above 0 even for equal distributions; the unbiased
//! one is 0 on average then, so it may be negative. The p-value is the share of permutations of the pooled rows with at
//! least this value. The interval is the normal one of the U-statistic (its theorem 15 and appendix B); next to 0 it is
//! too wide.
//!
//! Cost: `O((n + m)² (d + permutations))` time, `8 (n + m)²` bytes.

use faer::{Mat, MatRef};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::registry::{DomainMeasure, MeasureRow, make};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, gaussian_kernel, median_distance, multiply, stack};
use crate::params::params_of;

/// Both estimates of maximum mean discrepancy, the unbiased one first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Mmd {
    /// Width of the Gaussian kernel, above 0; automatic: the median distance of pooled rows.
    pub bandwidth: Option<f64>,
    /// Permutations for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for Mmd {
    fn default() -> Self {
        Self { bandwidth: None, permutations: 999 }
    }
}

impl Mmd {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "mmd",
        summary: "maximum mean discrepancy in a Gaussian kernel's space, unbiased and biased, with a permutation test",
        in_each_run: true,
        source: include_str!("mmd.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for Mmd {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        source: &Matrix,
        target: &Matrix,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        let refuse = |name: &str, must: &str, got: String| Error::Param {
            owner: Self::ROW.name.into(),
            name: name.into(),
            must: must.into(),
            got,
        };
        if let Some(bandwidth) = self.bandwidth.filter(|width| !(*width > 0.0 && width.is_finite())) {
            return Err(refuse("bandwidth", "above 0", bandwidth.to_string()));
        }
        if self.permutations == 0 {
            return Err(refuse("permutations", "1 or more", "0".into()));
        }
        let all = (source.nrows() + target.nrows()) as u64;
        context.require("the kernel of the rows", 8 * all * (all + 2 * self.permutations as u64))?;
        let (x, y) = (source.as_ref(), target.as_ref());
        let width = self.bandwidth.unwrap_or_else(|| median_distance(stack(x, y).as_ref(), rng));
        let [biased, unbiased] = mmd(x, y, width, self.permutations, rng);
        Ok(vec![unbiased, biased])
    }
}

/// Both estimates for `x` `(n, d)` and `y` `(m, d)`, at least two rows each, with a Gaussian kernel of this bandwidth
/// and so many permutations: first the biased, then the unbiased one.
pub fn mmd(
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
    bandwidth: f64,
    permutations: usize,
    rng: &mut ChaCha8Rng,
) -> [Distance; 2] {
    let (n, m) = (x.nrows(), y.nrows());
    let all = stack(x, y);
    let kernel = gaussian_kernel(all.as_ref(), all.as_ref(), bandwidth);
    // One column a split of the pooled rows: 1 for those that are taken as `x`; the first is the true one.
    let mut order: Vec<usize> = (0..n + m).collect();
    let mut splits = Mat::zeros(n + m, 1 + permutations);
    for k in 0..=permutations {
        for &i in &order[..n] {
            splits[(i, k)] = 1.0;
        }
        order.shuffle(rng);
    }
    let sums = multiply(kernel.as_ref(), splits.as_ref());
    let total: f64 = kernel.col_iter().map(|column| column.iter().sum::<f64>()).sum();
    let values: Vec<[f64; 2]> = (0..=permutations).map(|k| both(&sums, &splits, k, total, (n, m))).collect();
    let error = standard_error(&kernel, &sums, n, m);
    let distance = |which: usize, name: &str, about: &str| {
        let value = values[0][which];
        // Rounding must not make a permutation that is the true split look smaller.
        let reached = values.iter().filter(|v| v[which] >= value - 1e-12).count();
        let (low, high) = (value - 1.96 * error, value + 1.96 * error);
        Distance {
            name: name.into(),
            about: about.into(),
            value,
            interval: Some((if which == 0 { low.max(0.0) } else { low }, high)),
            p_value: Some(reached as f64 / values.len() as f64),
            beside: which == 0,
        }
    };
    [
        distance(0, "MMD² (biased)", "0 to 2; above 0 even for equal distributions"),
        distance(1, "MMD² (unbiased)", "0 on average for equal distributions, at most 2"),
    ]
}

/// The biased and the unbiased value of one split.
fn both(sums: &Matrix, splits: &Matrix, k: usize, total: f64, (n, m): (usize, usize)) -> [f64; 2] {
    let (mut within, mut across) = (0.0, 0.0);
    for (sum, inside) in sums.col(k).iter().zip(splits.col(k).iter()) {
        within += sum * inside;
        across += sum * (1.0 - inside);
    }
    let beyond = total - within - 2.0 * across;
    let (n, m) = (n as f64, m as f64);
    let cross = 2.0 * across / (n * m);
    [
        (within / (n * n) + beyond / (m * m) - cross).max(0.0),
        (within - n) / (n * (n - 1.0)) + (beyond - m) / (m * (m - 1.0)) - cross,
    ]
}

/// The standard error of the unbiased value: `sqrt(4 var h(x) / n + 4 var h(y) / m)` with
/// `h(x_i) = mean_j k(x_i, x_j) - mean_j k(x_i, y_j)`, and the same for `y`.
fn standard_error(kernel: &Matrix, sums: &Matrix, n: usize, m: usize) -> f64 {
    let row = |i: usize| kernel.col(i).iter().sum::<f64>();
    let of_x = |i: usize| (sums[(i, 0)] - 1.0) / (n as f64 - 1.0) - (row(i) - sums[(i, 0)]) / m as f64;
    let of_y = |j: usize| (row(j) - sums[(j, 0)] - 1.0) / (m as f64 - 1.0) - sums[(j, 0)] / n as f64;
    let variance = |values: Vec<f64>| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0) / count
    };
    (4.0 * variance((0..n).map(of_x).collect()) + 4.0 * variance((n..n + m).map(of_y).collect())).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;
    use rand::SeedableRng;

    /// Points 0, 0 against 1, 1 with `k(0, 1) = e^-½`: both sums within are 1, so both values are `2 - 2 e^-½`.
    #[test]
    fn two_points_by_hand() {
        let (x, y) = (from_rows(&[vec![0.0], vec![0.0]]), from_rows(&[vec![1.0], vec![1.0]]));
        let found = mmd(x.as_ref(), y.as_ref(), 1.0, 99, &mut ChaCha8Rng::seed_from_u64(0));
        let expected = 2.0 - 2.0 * (-0.5f64).exp();
        for distance in &found {
            assert!((distance.value - expected).abs() < 1e-14, "{}", distance.value);
        }
        // Two of the six splits are as far apart.
        assert!((found[0].p_value.unwrap() - 1.0 / 3.0).abs() < 0.15);
    }

    #[test]
    fn equal_rows_have_no_biased_distance() {
        let x = Mat::from_fn(20, 3, |i, j| ((i * 7 + j * 5) % 13) as f64);
        let found = mmd(x.as_ref(), x.as_ref(), 2.0, 50, &mut ChaCha8Rng::seed_from_u64(0));
        assert!(found[0].value < 1e-14 && found[1].value < 0.0);
        assert!(found[0].p_value.unwrap() > 0.9);
    }
}
