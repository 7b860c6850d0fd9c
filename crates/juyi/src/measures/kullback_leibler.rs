//! Kullback-Leibler divergence of the target from the source: how much less likely its rows are under the source, in nats.
//!
//! Paper: F. Pérez-Cruz, "Kullback-Leibler divergence estimation of continuous distributions", ISIT 2008; Q. Wang, S. Kulkarni,
//! S. Verdú, "Divergence estimation for multidimensional densities via k-nearest-neighbor distances", IEEE Transactions on
//! Information Theory 2009
//!
//! ```text
//! D = d Σ_j ln(ν_k(y_j) / ρ_k(y_j)) / m + ln(n / (m - 1))
//! ν_k(y), ρ_k(y): distances to the k-th nearest source row and to the k-th nearest other target row
//! beside it, of normal distributions with the means and covariances of the rows:
//! 2 D = tr(C_s⁻¹ C_t) + (m_s - m_t)ᵀ C_s⁻¹ (m_s - m_t) - d + ln det C_s - ln det C_t
//! ```
//! 0 and above in truth; the first estimate may be negative, and converges slowly where there are many columns. Rows that have `k` equal
//! rows are left out of its mean. The p-value is the share of permutations of the pooled rows with at least this value. No
//! interval: no unbiased estimate is known. The second number is left out where a covariance is singular. The effect is the
//! total variation distance of two normal distributions of equal covariance with this divergence.
//!
//! Cost: `O((n + m)² (d + log (n + m)))` time and as much as `k (n + m)` a permutation; `24 (n + m)²` bytes.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::distance::apart;
use super::mmd::check;
use super::near_rows::NearRows;
use super::permutations::{permuted, reached};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, cholesky, column_means, covariance, solve_cholesky, stack};
use crate::params::params_of;

/// The Kullback-Leibler divergence of the target from the source.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KullbackLeibler {
    /// The neighbour whose distance counts, 1 to 5 (there are 10 rows a side at least).
    pub neighbors: usize,
    /// Permutations for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for KullbackLeibler {
    fn default() -> Self {
        Self { neighbors: 5, permutations: 199 }
    }
}

impl KullbackLeibler {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "kullback-leibler",
        summary: "Kullback-Leibler divergence of the target from the source, by nearest neighbours and of normal distributions",
        in_each_run: false,
        most_rows: 1000,
        labels: LabelsNeeded::None,
        source: include_str!("kullback_leibler.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for KullbackLeibler {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        check(Self::ROW.name, None, self.permutations)?;
        must(Self::ROW.name, "neighbors", "1 to 5", (1..=5).contains(&self.neighbors), self.neighbors)?;
        let (x, y) = (domains.source, domains.target);
        let (n, m) = (x.nrows(), y.nrows());
        let near = NearRows::of(&stack(x.as_ref(), y.as_ref()), context)?;
        let mut of_source = vec![false; n + m];
        let values = permuted(n, m, self.permutations, rng, |source, target| {
            of_source.fill(false);
            for &i in source {
                of_source[i] = true;
            }
            Ok(by_neighbors(&near, self.neighbors, &of_source, target, n, x.ncols()))
        })?;
        if !values[0].is_finite() {
            let why = format!("each target row stands {} times in the table", self.neighbors + 1);
            return Err(Error::Numeric { what: "the density of the target".into(), why });
        }
        let effect = |value: f64| Some(apart((2.0 * value.max(0.0)).sqrt()));
        let about = "0 and above in truth; nats, by nearest neighbours";
        let mut found = vec![Distance {
            p_value: Some(reached(&values)),
            effect: effect(values[0]),
            ..Distance::new("Kullback-Leibler", about, values[0])
        }];
        match normal(x, y) {
            Ok(value) => {
                let about = "0 and above; nats, of normal distributions with these means and covariances";
                found.push(Distance {
                    beside: true,
                    effect: effect(value),
                    ..Distance::new("Kullback-Leibler (normal)", about, value)
                });
            }
            Err(_) => context
                .note(Self::ROW.name, "that of normal distributions is left out: a covariance is singular"),
        }
        Ok(found)
    }
}

/// The estimate for target rows, the source having `n` rows; infinite where all are left out for equal rows of their own.
fn by_neighbors(near: &NearRows, k: usize, of_source: &[bool], target: &[usize], n: usize, d: usize) -> f64 {
    let (mut sum, mut count, mut met) = (0.0, 0usize, false);
    for &j in target {
        let own = near.nearest(j, k, |i| !of_source[i]).map(|(_, radius)| radius);
        let other = near.nearest(j, k, |i| of_source[i]).map(|(_, radius)| radius);
        match (own, other) {
            (Some(own), Some(other)) if own.is_finite() && other.is_finite() => {
                sum += other - own;
                count += 1;
            }
            (_, Some(other)) => met |= !other.is_finite(),
            _ => {}
        }
    }
    match count {
        0 if met => 0.0, // each row stands in the source as often
        0 => f64::INFINITY,
        count => d as f64 * sum / count as f64 + (n as f64 / (target.len() as f64 - 1.0)).ln(),
    }
}

/// The divergence of normal distributions.
fn normal(source: &Matrix, target: &Matrix) -> Result<f64> {
    let factor = |rows: &Matrix| {
        let covariance = covariance(rows.as_ref());
        let factor = cholesky(covariance.as_ref())?;
        let least =
            (0..factor.nrows()).map(|j| factor[(j, j)] / covariance[(j, j)].sqrt()).fold(1.0, f64::min);
        if least > 1e-7 {
            return Ok((covariance, factor));
        }
        Err(Error::Numeric { what: "covariance".into(), why: "it is singular".into() })
    };
    let ((_, of_s), (mut solved, of_t)) = (factor(source)?, factor(target)?);
    let d = source.ncols();
    let (m_s, m_t) = (column_means(source.as_ref()), column_means(target.as_ref()));
    let apart = Matrix::from_fn(d, 1, |j, _| m_s[j] - m_t[j]);
    let mut moved = apart.clone();
    solve_cholesky(of_s.as_ref(), solved.as_mut());
    solve_cholesky(of_s.as_ref(), moved.as_mut());
    let trace: f64 = (0..d).map(|j| solved[(j, j)]).sum();
    let means: f64 = (0..d).map(|j| apart[(j, 0)] * moved[(j, 0)]).sum();
    let logarithms: f64 = (0..d).map(|j| 2.0 * (of_s[(j, j)] / of_t[(j, j)]).ln()).sum();
    Ok(0.5 * (trace + means - d as f64 + logarithms))
}
