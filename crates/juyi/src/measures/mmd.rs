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

use faer::MatRef;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::kernel_test::{self, KernelTest, kernel_test};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{gaussian_kernel, median_distance, select_rows, stack};
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
        most_rows: 1000,
        labels: LabelsNeeded::None,
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
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        check(Self::ROW.name, self.bandwidth, self.permutations)?;
        let (x, y) = (domains.source.as_ref(), domains.target.as_ref());
        kernel_test::require(x.nrows() + y.nrows(), self.permutations, context)?;
        let width = self.bandwidth.unwrap_or_else(|| median_distance(stack(x, y).as_ref(), rng));
        let [biased, unbiased] = mmd(x, y, width, self.permutations, rng);
        Ok(vec![unbiased, biased])
    }
}

/// Refuses a bandwidth and a number of permutations that are none.
pub(super) fn check(measure: &str, bandwidth: Option<f64>, permutations: usize) -> Result<()> {
    if let Some(width) = bandwidth {
        must(measure, "bandwidth", "above 0", width > 0.0 && width.is_finite(), width)?;
    }
    must(measure, "permutations", "1 or more", permutations > 0, permutations)
}

/// The median distance of pooled rows, of which each side has up to 1,000.
pub(super) fn pooled_width(x: MatRef<'_, f64>, y: MatRef<'_, f64>, rng: &mut ChaCha8Rng) -> f64 {
    const MOST: usize = 1000;
    let [x, y] = [x, y].map(|rows| {
        if rows.nrows() <= MOST {
            return rows.to_owned();
        }
        let drawn: Vec<usize> = (0..MOST).map(|_| rng.random_range(0..rows.nrows())).collect();
        select_rows(rows, &drawn)
    });
    median_distance(stack(x.as_ref(), y.as_ref()).as_ref(), rng)
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
    let all = stack(x, y);
    let kernel = gaussian_kernel(all.as_ref(), all.as_ref(), bandwidth);
    both(&kernel_test(&kernel, x.nrows(), permutations, rng), "MMD²")
}

/// Both estimates as a test found them, the biased one first.
pub(super) fn both(found: &KernelTest, name: &str) -> [Distance; 2] {
    let about = "0 to 2; above 0 even for equal distributions";
    let biased = Distance { beside: true, ..found.biased(&format!("{name} (biased)"), about) };
    let about = "0 on average for equal distributions, at most 2";
    [biased, found.unbiased(&format!("{name} (unbiased)"), about)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;
    use faer::Mat;
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
