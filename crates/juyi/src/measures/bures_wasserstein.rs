//! Bures-Wasserstein distance: the optimal transport of normal distributions with the means and covariances of two domains.
//!
//! Paper: D. Dowson, B. Landau, "The Fréchet distance between multivariate normal distributions", Journal of Multivariate
//! Analysis 1982; G. Peyré, M. Cuturi, "Computational optimal transport", Foundations and Trends in Machine Learning 2019,
//! remark 2.31
//!
//! ```text
//! W² = |m_s - m_t|² + tr(C_s + C_t - 2 (C_s^½ C_t C_s^½)^½)                                    (Peyré & Cuturi, eq. 2.41)
//! ```
//! with `C` divided by `n - 1`. 0 and above, in deviations; a lower bound of the Wasserstein distance of any distributions with
//! these means and covariances. The p-value is the share of exchanges of blocks of rows (64 to 256 a side, drawn at random)
//! with at least this value. No interval: the estimate is above 0 even for equal distributions, and no unbiased one is known.
//! The effect is the total variation distance of two normal distributions `W / s` deviations apart, `W²` less its mean over the
//! exchanges, and `s²` the mean of both traces.
//!
//! Cost: `O((n + m) d² + permutations d³)` time, `8 d²` bytes for each block; of all rows.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::blocks::{Blocks, exchanged};
use super::distance::apart;
use super::mmd::check;
use super::permutations::{beyond_chance, reached};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, column_means, covariance, multiply, symmetric_eigen};
use crate::params::params_of;

/// The Bures-Wasserstein distance.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BuresWasserstein {
    /// Exchanges of blocks for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for BuresWasserstein {
    fn default() -> Self {
        Self { permutations: 199 }
    }
}

impl BuresWasserstein {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "bures-wasserstein",
        summary: "optimal transport of normal distributions with the means and covariances of all rows",
        in_each_run: false,
        most_rows: usize::MAX,
        labels: LabelsNeeded::None,
        source: include_str!("bures_wasserstein.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for BuresWasserstein {
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
        let (x, y) = (domains.source, domains.target);
        let (n, m, d) = (x.nrows(), y.nrows(), x.ncols());
        let held = n + m + 2 * (n.min(m) / 64 + 8192) * d + d * (d + 1) * Blocks::most();
        context.require("the second moments of blocks of rows", 8 * held as u64)?;
        let moments = |rows: &Matrix| (column_means(rows.as_ref()), covariance(rows.as_ref()));
        let (of_x, of_y) = (moments(x), moments(y));
        let square = bures(&of_x, &of_y)?;
        let blocks = Blocks::drawn(n, m, 1, rng);
        let [first, second] = [(0, x), (1, y)].map(|(side, rows)| {
            blocks.only(side, rows.as_ref(), d * (d + 1), |rows| {
                let products = multiply(rows.transpose(), rows.as_ref());
                let n = rows.nrows() as f64;
                let products = products.col_iter().flat_map(|column| column.iter().map(|v| v / n));
                column_means(rows.as_ref()).into_iter().chain(products.collect::<Vec<f64>>()).collect()
            })
        });
        let normal = |sums: &[f64]| {
            let (mean, products) = sums.split_at(d);
            let covariance = Matrix::from_fn(d, d, |i, j| products[i + j * d] - mean[i] * mean[j]);
            (mean.to_vec(), covariance)
        };
        let values =
            exchanged([&first, &second], self.permutations, rng, |x, y| bures(&normal(x), &normal(y)))?;
        let spread = (0..d).map(|j| 0.5 * (of_x.1[(j, j)] + of_y.1[(j, j)])).sum::<f64>();
        let about = "0 and above, above 0 even for equal distributions; in deviations";
        Ok(vec![Distance {
            p_value: Some(reached(&values)),
            effect: Some(apart((beyond_chance(&values) / spread.max(f64::MIN_POSITIVE)).sqrt())),
            ..Distance::new("Bures-Wasserstein", about, square.sqrt())
        }])
    }
}

/// `W²` of two normal distributions, each a mean and a covariance.
fn bures(x: &(Vec<f64>, Matrix), y: &(Vec<f64>, Matrix)) -> Result<f64> {
    let means: f64 = x.0.iter().zip(&y.0).map(|(a, b)| (a - b).powi(2)).sum();
    let d = x.0.len();
    let (values, vectors) = symmetric_eigen(x.1.as_ref())?;
    // Rounding may leave an eigenvalue of 0 a little below.
    let scaled = Matrix::from_fn(d, d, |i, j| vectors[(i, j)] * values[j].max(0.0).sqrt());
    let inner = multiply(multiply(scaled.transpose(), y.1.as_ref()).as_ref(), scaled.as_ref());
    let cross: f64 = symmetric_eigen(inner.as_ref())?.0.iter().map(|v| v.max(0.0).sqrt()).sum();
    let traces: f64 = (0..d).map(|j| x.1[(j, j)] + y.1[(j, j)]).sum();
    Ok((means + traces - 2.0 * cross).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Along a line `(m_s - m_t)² + (s - t)²`, and so for each of two independent columns.
    #[test]
    fn normal_distributions_by_hand() {
        let diagonal = |a: f64, b: f64| Matrix::from_fn(2, 2, |i, j| [a, b][i] * f64::from(u8::from(i == j)));
        let found =
            bures(&(vec![0.0, 1.0], diagonal(4.0, 1.0)), &(vec![3.0, 1.0], diagonal(1.0, 9.0))).unwrap();
        assert!((found - (9.0 + 1.0 + 4.0)).abs() < 1e-13, "{found}");
    }
}
