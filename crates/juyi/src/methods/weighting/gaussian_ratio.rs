//! Gaussian weighting: a normal distribution is fitted to each domain, and a source row weighs as much as the ratio of
//! their densities there.
//!
//! When: the same labelling rule, rows drawn differently, each domain one cloud; many columns with rows enough. It hurts
//! where a domain has several clumps or long tails, and the weights fall on few rows where the domains lie many
//! deviations apart: then set `bound`.
//!
//! Paper: H. Shimodaira, "Improving predictive inference under covariate shift by weighting the log-likelihood function", Journal of Statistical Planning and Inference 90, 2000
//!
//! ```text
//! ln w(x) = ln p_t(x) - ln p_s(x)                                                         (sections 1 and 2)
//! ln p(x) = -½ (x - μ)ᵀ Σ⁻¹ (x - μ) - ½ ln det Σ - const,   Σ = D ((1 - a) R + a I) D
//! ```
//! with the mean `μ`, the deviations `D` and the correlations `R` of each domain. The shrinkage `a` of the correlations
//! is Ledoit and Wolf's for each domain ("A well-conditioned estimator for large-dimensional covariance matrices",
//! Journal of Multivariate Analysis 88, 2004), as in skada; a given one serves for both.
//!
//! Where we differ: the paper weighs by the ratio to a power and supposes the densities known; here the power is 1 and
//! they are fitted. All is done with logarithms, so that no density becomes 0. A column that is constant in a domain is
//! left out, a domain with no more rows than columns is shrunk by `1 / n` at least, and no direction has less than
//! `1e-10` of a column's variance. Weights are scaled to mean 1, so that a learner's penalty keeps its strength, and may
//! be bounded.
//!
//! Cost: `O(n d² + d³)` time, `O(d²)` memory.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{
    BLOCK, Matrix, add_product, by_row_blocks, column_deviations, column_means, covariance, squared_norms,
    symmetric_eigen,
};
use crate::methods::{Adapted, Adapter, Family, Grid, LearnerNeed, MethodRow, Needs, make, must, params_of};
use crate::solvers::mean_one_of_logarithms;

/// The least part of a column's variance that a direction may have.
const LEAST: f64 = 1e-10;

/// Parameters of Gaussian weighting.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GaussianRatio {
    /// How far the correlations of columns are drawn towards 0: between 0 (as they are) and 1 (columns taken for
    /// independent). By default Ledoit and Wolf's estimate.
    pub shrinkage: Option<f64>,
    /// The largest ratio of the densities; larger ones are cut to it before weights are scaled. Above 0; by default
    /// there is none.
    pub bound: Option<f64>,
}

impl GaussianRatio {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "gaussian-ratio",
        family: Family::Weighting,
        summary: "weighs source rows by the ratio of two fitted normal densities",
        when: "the same labelling rule, rows drawn differently, each domain one cloud",
        paper: "H. Shimodaira, \"Improving predictive inference under covariate shift by weighting the log-likelihood function\", Journal of Statistical Planning and Inference 90, 2000",
        needs: Needs { learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE, // few rows are normal
        most_rows: usize::MAX,
        source: include_str!("gaussian_ratio.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for GaussianRatio {
    fn check(&self) -> Result<()> {
        let shrinkage = self.shrinkage.unwrap_or(0.0);
        let part = (0.0..=1.0).contains(&shrinkage);
        must("gaussian-ratio", "shrinkage", part, "between 0 and 1", shrinkage)?;
        let bound = self.bound.unwrap_or(1.0);
        must("gaussian-ratio", "bound", bound > 0.0 && bound.is_finite(), "above 0", bound)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let d = task.columns();
        context.require("the correlations of `gaussian-ratio`", 8 * 8 * (d * d) as u64)?;
        let moments = [source, target].map(|x| {
            let means = column_means(x);
            let deviations = column_deviations(x, &means);
            (means, deviations)
        });
        let varies = |j: &usize| moments.iter().all(|(_, deviations)| deviations[*j] > 0.0);
        let columns: Vec<usize> = (0..d).filter(varies).collect();
        if columns.len() < d {
            let text = format!("{} columns are constant in a domain and left out", d - columns.len());
            context.note("gaussian-ratio", text);
        }
        let weights = if columns.is_empty() {
            context.warn("gaussian-ratio", "no column varies in both domains: all rows weigh the same");
            vec![1.0; source.nrows()]
        } else {
            let [below, above] = [0, 1].map(|side| {
                let (means, deviations) = &moments[side];
                Normal::fit([source, target][side], &columns, means, deviations, self.shrinkage)
            });
            let (below, above) = (below?.log_density(source), above?.log_density(source));
            let log_ratios = above.iter().zip(below).map(|(a, b)| a - b).collect();
            mean_one_of_logarithms(log_ratios, self.bound)
        };
        Ok(Adapted {
            source: Cow::Borrowed(&task.source.features),
            weights: Some(weights),
            target_map: Vec::new(),
        })
    }
}

/// A normal distribution over some of the columns.
struct Normal {
    /// The mean of every column `(d)`.
    means: Vec<f64>,
    /// What makes a centred row independent of unit variance, `(d, k)`; columns left out have rows of 0.
    whitening: Matrix,
    /// `½ ln det Σ`.
    half_log_det: f64,
}

impl Normal {
    fn fit(
        x: MatRef<'_, f64>,
        columns: &[usize],
        means: &[f64],
        deviations: &[f64],
        shrinkage: Option<f64>,
    ) -> Result<Self> {
        let (n, k) = (x.nrows(), columns.len());
        let cov = covariance(x);
        let rows_part = (n as f64 - 1.0) / n as f64; // from n - 1 to n, as the deviations
        let mut correlations = Mat::from_fn(k, k, |a, b| {
            let (i, j) = (columns[a], columns[b]);
            rows_part * cov[(i, j)] / (deviations[i] * deviations[j])
        });
        let shrinkage =
            shrinkage.unwrap_or_else(|| ledoit_wolf(x, columns, means, deviations, &correlations));
        for b in 0..k {
            for a in 0..k {
                correlations[(a, b)] *= 1.0 - shrinkage;
            }
            correlations[(b, b)] = 1.0;
        }
        let (values, vectors) = symmetric_eigen(correlations.as_ref())?;
        let values: Vec<f64> = values.iter().map(|v| v.max(LEAST)).collect();
        let mut whitening = Mat::zeros(x.ncols(), k);
        for b in 0..k {
            for (a, &column) in columns.iter().enumerate() {
                whitening[(column, b)] = vectors[(a, b)] / (deviations[column] * values[b].sqrt());
            }
        }
        let log_deviations: f64 = columns.iter().map(|&j| deviations[j].ln()).sum();
        let half_log_det = log_deviations + 0.5 * values.iter().map(|v| v.ln()).sum::<f64>();
        Ok(Self { means: means.to_vec(), whitening, half_log_det })
    }

    /// The logarithm of the density at each row, but for the constant that all share.
    fn log_density(&self, x: MatRef<'_, f64>) -> Vec<f64> {
        let distances = by_row_blocks(x, 1, |block| {
            let centred = Mat::from_fn(BLOCK, block.ncols(), |i, j| block[(i, j)] - self.means[j]);
            let mut white = Mat::zeros(BLOCK, self.whitening.ncols());
            add_product(white.as_mut(), centred.as_ref(), self.whitening.as_ref(), 1.0);
            let norms = squared_norms(white.as_ref());
            Mat::from_fn(BLOCK, 1, |i, _| norms[i])
        });
        distances.col(0).iter().map(|distance| -0.5 * distance - self.half_log_det).collect()
    }
}

/// The shrinkage of the correlations that Ledoit and Wolf estimate for standardised columns:
/// ```text
/// min(β, δ) / δ,   β = (Σ_i |z_i|⁴ / n - |R|²) / n,   δ = |R - I|²
/// ```
fn ledoit_wolf(
    x: MatRef<'_, f64>,
    columns: &[usize],
    means: &[f64],
    deviations: &[f64],
    correlations: &Matrix,
) -> f64 {
    let (n, k) = (x.nrows() as f64, columns.len() as f64);
    let mut lengths = vec![0.0; x.nrows()]; // |z_i|²
    for &j in columns {
        let column = x.col(j);
        lengths
            .iter_mut()
            .zip(column.iter())
            .for_each(|(l, v)| *l += ((v - means[j]) / deviations[j]).powi(2));
    }
    let size = correlations.squared_norm_l2();
    let distance = size - k; // the diagonal is 1
    let noise = (lengths.iter().map(|l| l * l).sum::<f64>() / n - size) / n;
    let found = if distance > 0.0 { (noise / distance).clamp(0.0, 1.0) } else { 0.0 };
    if n <= k { found.max(1.0 / n) } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::ClassMeans;
    use crate::linalg::from_rows;

    fn weights(adapter: GaussianRatio, source: &[Vec<f64>], target: &[Vec<f64>]) -> Vec<f64> {
        let labels = Labels::Values(vec![0.0; source.len()]);
        let source = Domain::labelled("s", from_rows(source), labels);
        let target = Domain::unlabelled("t", from_rows(target), &Goal::Value);
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        adapter.adapt(&task, &ClassMeans, &mut Context::default()).unwrap().weights.unwrap()
    }

    /// Both have variance 1, the means are 0 and 1: `ln w = x - ½`, so the weights at ±1 are as `e` to `1 / e`. Bounded
    /// at 1, they are as 1 to `exp(-3/2)`.
    #[test]
    fn two_normals_by_hand() {
        let (source, target) = ([vec![-1.0], vec![1.0]], [vec![0.0], vec![2.0]]);
        let close = |found: Vec<f64>, expected: [f64; 2]| {
            let mean = f64::midpoint(expected[0], expected[1]);
            for (ours, expected) in found.iter().zip(expected) {
                assert!((ours - expected / mean).abs() < 1e-14, "{found:?}");
            }
        };
        close(weights(GaussianRatio::default(), &source, &target), [(-1.0f64).exp(), 1.0f64.exp()]);
        let bounded = GaussianRatio { bound: Some(1.0), ..GaussianRatio::default() };
        close(weights(bounded, &source, &target), [(-1.5f64).exp(), 1.0]);
    }

    #[test]
    fn more_columns_than_rows_constant_columns_and_one_row_have_weights() {
        let wide = |n: usize, shift: f64| -> Vec<Vec<f64>> {
            let value =
                |i: usize, j: usize| ((i * 37 + j * 101 + i * i * (j + 1)) % 97) as f64 / 30.0 + shift;
            (0..n).map(|i| (0..30).map(|j| if j == 4 { 1.0 } else { value(i, j) }).collect()).collect()
        };
        for (n_s, n_t, shift) in [(9, 7, 0.0), (9, 2, 1e3), (9, 1, 0.0), (1, 9, 0.0)] {
            for shrinkage in [None, Some(0.0), Some(1.0)] {
                let adapter = GaussianRatio { shrinkage, bound: None };
                let found = weights(adapter, &wide(n_s, 0.0), &wide(n_t, shift));
                assert!(found.iter().all(|w| w.is_finite()), "{found:?}");
                assert!((found.iter().sum::<f64>() - n_s as f64).abs() < 1e-9, "{found:?}");
            }
        }
    }
}
