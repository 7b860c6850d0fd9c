//! Log of maximum evidence: how well a Bayesian ridge regression on the features explains the labels.
//!
//! Paper: K. You, Y. Liu, J. Wang, M. Long, "`LogME`: practical assessment of pre-trained models for transfer learning", ICML 2021;
//! the fixed point of K. You, Y. Liu, Z. Zhang, J. Wang, M. Jordan, M. Long, "Ranking and tuning pre-trained models: a new
//! paradigm for exploiting model hubs", JMLR 2022
//!
//! ```text
//! log p(y | F, α, β) = (n/2) ln β + (k/2) ln α - (n/2) ln 2π - (β/2) ‖F m - y‖² - (α/2) ‖m‖² - ½ Σ_k ln(α + β σ_k²)
//! γ = Σ_k β σ_k² / (α + β σ_k²),   α ← γ / ‖m‖²,   β ← (n - γ) / ‖F m - y‖²
//! ```
//! with `σ` the `k = min(n, d)` singular values of `F (n, d)`, which is not centred, and `y` the indicator of a class; from
//! `α = β = 1` until `α / β` changes by less than a thousandth, at most eleven times. The score is the mean over classes, each
//! divided by `n`. The authors' code has `d` in place of `k`, which differs where columns outnumber samples.
//!
//! Cost: one singular value decomposition, `O(n d min(n, d))`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Representation, TransferabilityRow, TransferabilityScore, make};
use crate::error::Result;
use crate::linalg::{thin_svd, transposed_times_vector};
use crate::params::params_of;

/// The log of maximum evidence.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LogMe {}

impl LogMe {
    /// Its row in the registry.
    pub const ROW: TransferabilityRow = TransferabilityRow {
        name: "log-me",
        summary: "evidence of a Bayesian ridge regression of the labels on the features",
        of_source_classes: false,
        source: include_str!("log_me.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl TransferabilityScore for LogMe {
    fn row(&self) -> &'static TransferabilityRow {
        &Self::ROW
    }

    fn of(&self, of: &Representation<'_>) -> Result<f64> {
        let (u, values, _) = thin_svd(of.features)?;
        let squares: Vec<f64> = values.iter().map(|v| v * v).collect();
        let of_class = |samples: &Vec<usize>| {
            let mut y = vec![0.0; of.labels.len()];
            for &i in samples {
                y[i] = 1.0;
            }
            let along: Vec<f64> = transposed_times_vector(u.as_ref(), &y).iter().map(|v| v * v).collect();
            let beyond = (samples.len() as f64 - along.iter().sum::<f64>()).max(0.0);
            evidence(&squares, &along, beyond, y.len() as f64)
        };
        let classes = of.by_class();
        Ok(classes.iter().map(of_class).sum::<f64>() / classes.len() as f64)
    }
}

/// Rounds of the fixed point, and the change at which it has come to rest.
const ROUNDS: usize = 11;
const AT_REST: f64 = 1e-3;

/// Added to what is divided by.
const LITTLE: f64 = 1e-5;

/// The largest evidence a sample, of a target whose squared coordinates along the left singular vectors are `along`, and so much
/// `beyond` them.
fn evidence(squares: &[f64], along: &[f64], beyond: f64, n: f64) -> f64 {
    let sum = |of: &dyn Fn(f64, f64) -> f64| squares.iter().zip(along).map(|(s, x)| of(*s, *x)).sum::<f64>();
    let (mut alpha, mut beta) = (1.0, 1.0);
    for _ in 0..ROUNDS {
        let t: f64 = alpha / beta;
        let gamma = sum(&|s, _| s / (s + t));
        let length = sum(&|s, x| s * x / (t + s).powi(2));
        let left = sum(&|s, x| x / (1.0 + s / t).powi(2)) + beyond;
        alpha = gamma / (length + LITTLE);
        beta = (n - gamma) / (left + LITTLE);
        if ((alpha / beta - t) / t).abs() <= AT_REST {
            break;
        }
    }
    at(squares, along, beyond, n, alpha, beta)
}

/// The evidence a sample, for this `alpha` and `beta`.
fn at(squares: &[f64], along: &[f64], beyond: f64, n: f64, alpha: f64, beta: f64) -> f64 {
    let t = alpha / beta;
    let sum = |of: &dyn Fn(f64, f64) -> f64| squares.iter().zip(along).map(|(s, x)| of(*s, *x)).sum::<f64>();
    let length = sum(&|s, x| s * x / (t + s).powi(2));
    let left = sum(&|s, x| x / (1.0 + s / t).powi(2)) + beyond;
    let halves = squares.len() as f64 * alpha.ln() + n * beta.ln()
        - sum(&|s, _| (alpha + beta * s).ln())
        - beta * left
        - alpha * length
        - n * std::f64::consts::TAU.ln();
    halves / 2.0 / n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// The marginal of `y = F w + noise` is normal with the covariance `I / β + F Fᵀ / α`: two samples by hand.
    #[test]
    fn the_evidence_is_the_density_of_the_marginal() {
        let f = from_rows(&[vec![1.0, 2.0, 0.5], vec![0.0, 1.0, -1.0]]);
        let (u, values, _) = thin_svd(f.as_ref()).unwrap();
        let squares: Vec<f64> = values.iter().map(|v| v * v).collect();
        let along: Vec<f64> =
            transposed_times_vector(u.as_ref(), &[1.0, 0.0]).iter().map(|v| v * v).collect();
        let (alpha, beta) = (0.7, 2.5);
        let found = at(&squares, &along, 0.0, 2.0, alpha, beta);
        let (a, b, c) = (1.0 / beta + 5.25 / alpha, 1.5 / alpha, 1.0 / beta + 2.0 / alpha);
        let determinant = a * c - b * b;
        let expected = -std::f64::consts::TAU.ln() - 0.5 * determinant.ln() - 0.5 * c / determinant;
        assert!((found - expected / 2.0).abs() < 1e-12, "{found} {expected}");
    }
}
