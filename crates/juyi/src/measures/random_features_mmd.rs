//! Maximum mean discrepancy in random Fourier features of a Gaussian kernel: a mean of squared differences of the
//! characteristic functions at drawn frequencies, of any number of rows.
//!
//! Paper: A. Rahimi, B. Recht, "Random features for large-scale kernel machines", NIPS 2007; the discrepancy is that of A.
//! Gretton, K. Borgwardt, M. Rasch, B. Schölkopf, A. Smola, "A kernel two-sample test", JMLR 2012
//!
//! ```text
//! k(x, y) = E cos wᵀ(x - y) ≈ Σ_w (cos wᵀx cos wᵀy + sin wᵀx sin wᵀy) / D,   w ~ N(0, I / σ²)            (theorem 1)
//! MMD²    ≈ Σ_w u_w / D
//! u_w     = (|Σ_i e^iwᵀx_i|² - n) / (n (n - 1)) + the same of y - 2 Re(Σ_i e^iwᵀx_i Σ_j e^-iwᵀy_j) / (n m)
//! ```
//! Unbiased for the kernel's MMD², so 0 on average for equal distributions, and at most 2. The interval is the normal one:
//! the error of the rows, from blocks of them, and that of the frequencies, `var u_w / D`; next to 0 it is too wide. The p-value is the
//! share of exchanges of blocks of rows (64 to 256 a side, drawn at random) with at least this value.
//!
//! Cost: `O((n + m) d D)` time, `O(d D)` bytes and those of a block of rows, 1/64 of the shorter side; of all rows.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::blocks::Blocks;
use super::kernel_test::{kernel_test, part};
use super::mmd::{check, pooled_width};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{BLOCK, Matrix, add_product, multiply};
use crate::params::params_of;

/// Maximum mean discrepancy in random features.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RandomFeaturesMmd {
    /// Width of the Gaussian kernel, above 0; automatic: the median distance of pooled rows, of up to 1,000 a side.
    pub bandwidth: Option<f64>,
    /// Frequencies, 2 or more; each makes two features.
    pub frequencies: usize,
    /// Exchanges of blocks for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for RandomFeaturesMmd {
    fn default() -> Self {
        Self { bandwidth: None, frequencies: 256, permutations: 999 }
    }
}

impl RandomFeaturesMmd {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "random-features-mmd",
        summary: "maximum mean discrepancy in random Fourier features of all rows, with a permutation test of blocks",
        in_each_run: false,
        most_rows: usize::MAX,
        labels: LabelsNeeded::None,
        source: include_str!("random_features_mmd.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for RandomFeaturesMmd {
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
        must(Self::ROW.name, "frequencies", "2 or more", self.frequencies >= 2, self.frequencies)?;
        let (x, y) = (domains.source, domains.target);
        let (n, m, d) = (x.nrows(), y.nrows(), x.ncols());
        let block = (n.min(m) / 64 + 1) * d;
        let features = 2 * self.frequencies * (Blocks::most() + 4 * BLOCK) + d * self.frequencies;
        context.require("random features of blocks of rows", 8 * (n + m + block + features) as u64)?;
        let width = self.bandwidth.unwrap_or_else(|| pooled_width(x.as_ref(), y.as_ref(), rng));
        let frequencies = Matrix::from_fn(d, self.frequencies, |_, _| {
            Distribution::<f64>::sample(&StandardNormal, rng) / width
        });
        Ok(vec![random_features(x, y, &frequencies, self.permutations, rng)])
    }
}

/// The estimate at these `frequencies` `(d, D)`.
fn random_features(
    x: &Matrix,
    y: &Matrix,
    frequencies: &Matrix,
    permutations: usize,
    rng: &mut ChaCha8Rng,
) -> Distance {
    let (n, m, count) = (x.nrows() as f64, y.nrows() as f64, frequencies.ncols());
    let blocks = Blocks::drawn(x.nrows(), y.nrows(), 1, rng);
    let [(of_x, rest_x), (of_y, rest_y)] = [(0, x), (1, y)]
        .map(|(side, rows)| blocks.each(side, rows.as_ref(), 2 * count, |rows| sums(rows, frequencies)));
    let total = |blocks: &Matrix, rest: &[f64]| -> Vec<f64> {
        (0..2 * count).map(|w| blocks.row(w).iter().sum::<f64>() + rest[w]).collect()
    };
    let (sum_x, sum_y) = (total(&of_x, &rest_x), total(&of_y, &rest_y));
    let at = |a: &[f64], b: &[f64], w: usize| a[w] * b[w] + a[count + w] * b[count + w];
    let terms: Vec<f64> = (0..count)
        .map(|w| {
            (at(&sum_x, &sum_x, w) - n) / (n * (n - 1.0)) + (at(&sum_y, &sum_y, w) - m) / (m * (m - 1.0))
                - 2.0 * at(&sum_x, &sum_y, w) / (n * m)
        })
        .collect();
    let value = terms.iter().sum::<f64>() / count as f64;
    let spread = terms.iter().map(|u| (u - value).powi(2)).sum::<f64>() / (count as f64 - 1.0);

    let mut pooled = Matrix::zeros(2 * count, of_x.ncols() + of_y.ncols());
    pooled.get_mut(.., ..of_x.ncols()).copy_from(&of_x);
    pooled.get_mut(.., of_x.ncols()..).copy_from(&of_y);
    pooled *= faer::Scale(1.0 / (blocks.size as f64 * (count as f64).sqrt()));
    let tested = kernel_test(&multiply(pooled.transpose(), pooled.as_ref()), of_x.ncols(), permutations, rng);
    let error = (tested.error.powi(2) + spread / count as f64).sqrt();
    let about = "0 on average for equal distributions, at most 2; in random features";
    Distance {
        interval: Some((value - 1.96 * error, value + 1.96 * error)),
        p_value: Some(tested.p_value(0)),
        effect: Some(told(x, y, frequencies, [&sum_x, &sum_y])),
        ..Distance::new("random-features MMD²", about, value)
    }
}

/// Sums over rows of cosines, then of sines, at each frequency.
fn sums(rows: &Matrix, frequencies: &Matrix) -> Vec<f64> {
    let count = frequencies.ncols();
    let starts: Vec<usize> = (0..rows.nrows()).step_by(BLOCK).collect();
    let parts: Vec<Vec<f64>> = starts
        .par_iter()
        .map(|&first| {
            let part = rows.get(first..rows.nrows().min(first + BLOCK), ..);
            let mut angles = Matrix::zeros(part.nrows(), count);
            add_product(angles.as_mut(), part, frequencies.as_ref(), 1.0);
            let mut sums = vec![0.0; 2 * count];
            for w in 0..count {
                for angle in angles.col_as_slice(w) {
                    let (sine, cosine) = angle.sin_cos();
                    sums[w] += cosine;
                    sums[count + w] += sine;
                }
            }
            sums
        })
        .collect();
    let mut all = vec![0.0; 2 * count];
    for part in parts {
        all.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
    }
    all
}

/// Most rows of a side by which it is told how well means tell rows apart.
const TOLD: usize = 2000;

/// The effect of a kernel test: how well the nearer of both means tells rows apart, that of its own side without the row, or
/// how large a part the distance is.
fn told(x: &Matrix, y: &Matrix, frequencies: &Matrix, [sum_x, sum_y]: [&[f64]; 2]) -> f64 {
    let count = frequencies.ncols();
    let scale = 1.0 / count as f64;
    let dot = |a: &[f64], b: &[f64]| scale * a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let right = |rows: &Matrix, own: &[f64], other: &[f64], others: usize| {
        let (n, m) = (rows.nrows(), others as f64);
        let all = n as f64;
        // Half the squared lengths of the means, without bias.
        let of_own = 0.5 * (dot(own, own) - all) / (all * (all - 1.0));
        let of_other = 0.5 * (dot(other, other) - m) / (m * (m - 1.0));
        let taken = n.min(TOLD);
        let sure = (0..taken).into_par_iter().map(|k| {
            let row = rows.get(k * n / taken..k * n / taken + 1, ..).to_owned();
            let features = sums(&row, frequencies);
            let nearer = ((dot(&features, own) - 1.0) / (all - 1.0) - of_own)
                .total_cmp(&(dot(&features, other) / m - of_other));
            0.5 * f64::from(nearer as i8 + 1)
        });
        sure.collect::<Vec<f64>>().iter().sum::<f64>() / taken as f64
    };
    let told = right(x, sum_x, sum_y, y.nrows()) + right(y, sum_y, sum_x, x.nrows()) - 1.0;
    let (n, m) = (x.nrows() as f64, y.nrows() as f64);
    let length = |sum: &[f64], n: f64| (dot(sum, sum) - n) / (n * (n - 1.0));
    told.max(part(length(sum_x, n) + length(sum_y, m), 2.0 * dot(sum_x, sum_y) / (n * m))).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::gaussian_kernel;
    use rand::SeedableRng;

    /// At any frequencies the value is that of the kernel `Σ_w cos wᵀ(x - y) / D` of all pairs.
    #[test]
    fn the_value_is_that_of_all_pairs() {
        let x = Matrix::from_fn(150, 2, |i, j| ((i * 37 + j * 11) % 101) as f64 / 50.0);
        let y = Matrix::from_fn(90, 2, |i, j| ((i * 29 + j * 7) % 97) as f64 / 40.0);
        let frequencies = Matrix::from_fn(2, 5, |i, w| (i as f64 - 0.6) * (w as f64 + 0.3));
        let found = random_features(&x, &y, &frequencies, 9, &mut ChaCha8Rng::seed_from_u64(0));
        let all = crate::linalg::stack(x.as_ref(), y.as_ref());
        let angles = multiply(all.as_ref(), frequencies.as_ref());
        let kernel = Matrix::from_fn(240, 240, |i, j| {
            (0..5).map(|w| (angles[(i, w)] - angles[(j, w)]).cos()).sum::<f64>() / 5.0
        });
        let exact = kernel_test(&kernel, 150, 9, &mut ChaCha8Rng::seed_from_u64(0));
        assert!((found.value - exact.values[0][1]).abs() < 1e-12);
        assert!((found.effect.unwrap() - exact.effect).abs() < 1e-12);
    }

    /// Many frequencies bring it to the kernel's own.
    #[test]
    fn many_frequencies_are_the_kernel() {
        let x = Matrix::from_fn(60, 2, |i, j| ((i * 37 + j * 11) % 101) as f64 / 50.0);
        let y = Matrix::from_fn(60, 2, |i, j| 1.0 + ((i * 29 + j * 7) % 97) as f64 / 40.0);
        let all = crate::linalg::stack(x.as_ref(), y.as_ref());
        let kernel = gaussian_kernel(all.as_ref(), all.as_ref(), 1.0);
        let exact = kernel_test(&kernel, 60, 1, &mut ChaCha8Rng::seed_from_u64(0)).values[0][1];
        let measure = RandomFeaturesMmd { bandwidth: Some(1.0), frequencies: 4096, permutations: 9 };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let found = measure.between(&Domains::unlabelled(&x, &y), &mut rng, &mut Context::default()).unwrap();
        let (low, high) = found[0].interval.unwrap();
        assert!((found[0].value - exact).abs() < 0.02 && low < exact && exact < high, "{exact}, {found:?}");
    }
}
