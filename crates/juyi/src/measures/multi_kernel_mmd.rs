//! Maximum mean discrepancy in the mean of several Gaussian kernels, whose widths are the median distance times powers of
//! 2: no one width need fit.
//!
//! Paper: A. Gretton, B. Sriperumbudur, D. Sejdinovic, H. Strathmann, S. Balakrishnan, M. Pontil, K. Fukumizu, "Optimal
//! kernel choice for large-scale two-sample tests", NIPS 2012; the widths are those of M. Long, Y. Cao, J. Wang, M. Jordan,
//! "Learning transferable features with deep adaptation networks", ICML 2015
//!
//! ```text
//! k(x, y) = Σ_u β_u exp(-|x - y|² / (2 (2^u σ)²)),   u = -p, …, p,   β_u = 1 / (2 p + 1)
//! MMD²    = E k(x, x') + E k(y, y') - 2 E k(x, y)
//! ```
//! 0 to 2. Both estimates, the p-value and the interval are those of `mmd` with this kernel.
//!
//! Cost: `O((n + m)² (d + p + permutations))` time, `16 (n + m)²` bytes.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::kernel_test::{self, kernel_test};
use super::mmd::{both, check};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, gaussian_kernel, median_distance, stack};
use crate::params::params_of;

/// Both estimates of maximum mean discrepancy in several kernels.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MultiKernelMmd {
    /// Width of the middle kernel, above 0; automatic: the median distance of pooled rows.
    pub bandwidth: Option<f64>,
    /// Widths are the middle one times 2 to the power of minus this to this, 0 to 20.
    pub powers: u32,
    /// Permutations for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for MultiKernelMmd {
    fn default() -> Self {
        Self { bandwidth: None, powers: 2, permutations: 999 }
    }
}

impl MultiKernelMmd {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "multi-kernel-mmd",
        summary: "maximum mean discrepancy in the mean of Gaussian kernels of several widths, with a permutation test",
        in_each_run: false,
        most_rows: 1000,
        labels: LabelsNeeded::None,
        source: include_str!("multi_kernel_mmd.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for MultiKernelMmd {
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
        must(Self::ROW.name, "powers", "0 to 20", self.powers <= 20, self.powers)?;
        let (x, y) = (domains.source.as_ref(), domains.target.as_ref());
        kernel_test::require(2 * (x.nrows() + y.nrows()), self.permutations, context)?;
        let all = stack(x, y);
        let width = self.bandwidth.unwrap_or_else(|| median_distance(all.as_ref(), rng));
        let kernel = mean_kernel(&all, width, self.powers);
        let [biased, unbiased] =
            both(&kernel_test(&kernel, x.nrows(), self.permutations, rng), "multi-kernel MMD²");
        Ok(vec![unbiased, biased])
    }
}

/// The mean of Gaussian kernels `(n, n)` of rows, whose widths are `width` times powers of 2.
fn mean_kernel(rows: &Matrix, width: f64, powers: u32) -> Matrix {
    let powers = powers.cast_signed();
    let mut sum = Matrix::zeros(rows.nrows(), rows.nrows());
    for power in -powers..=powers {
        sum += gaussian_kernel(rows.as_ref(), rows.as_ref(), width * 2f64.powi(power));
    }
    sum * faer::Scale(1.0 / f64::from(2 * powers + 1))
}
