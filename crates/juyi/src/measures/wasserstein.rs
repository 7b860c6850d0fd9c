//! Wasserstein distance: the least way that rows of one domain have to go to become those of the other.
//!
//! Paper: G. Peyré, M. Cuturi, "Computational optimal transport", Foundations and Trends in Machine Learning 2019
//!
//! ```text
//! W² = min_P Σ_ij P_ij |x_i - y_j|²,   Σ_j P_ij = 1/n,   Σ_i P_ij = 1/m,   P ≥ 0               (proposition 2.2, p = 2)
//! ```
//! solved exactly by the network simplex method. 0 and above, in deviations. The p-value is the share of permutations of
//! the pooled rows with at least this value. No interval: between samples the distance is above 0 even for equal
//! distributions, the more so the more columns there are, and no unbiased estimate is known. The effect is the total variation distance of
//! two normal distributions `W / s` deviations apart, `W²` less its mean over the permutations, and `s²` the mean of both
//! traces of the covariances.
//!
//! Cost: one transport problem a permutation, about `O(n m (d + log n))` time each; `8 n m` bytes.

use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::distance::apart;
use super::mmd::check;
use super::permutations::{beyond_chance, permuted, reached};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{column_deviations, column_means, select_rows, stack};
use crate::params::params_of;
use crate::solvers::PairCosts;

/// The Wasserstein distance.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Wasserstein {
    /// Permutations for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for Wasserstein {
    fn default() -> Self {
        Self { permutations: 99 }
    }
}

impl Wasserstein {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "wasserstein",
        summary: "exact optimal transport of drawn rows, with a permutation test",
        in_each_run: false,
        most_rows: 500,
        labels: LabelsNeeded::None,
        source: include_str!("wasserstein.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for Wasserstein {
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
        let (x, y) = (domains.source.as_ref(), domains.target.as_ref());
        let (n, m) = (x.nrows(), y.nrows());
        context.require("the costs between the rows", 16 * (n * m) as u64)?;
        let all = stack(x, y);
        let squares = permuted(n, m, self.permutations, rng, |a, b| {
            let (a, b) = (select_rows(all.as_ref(), a), select_rows(all.as_ref(), b));
            Ok(PairCosts::new(a.as_ref(), b.as_ref()).exact_plan(true, None)?.cost)
        })?;
        let about = "0 and above, above 0 even for equal distributions; in deviations";
        Ok(vec![Distance {
            p_value: Some(reached(&squares)),
            effect: Some(apart((beyond_chance(&squares) / spread(x, y)).sqrt())),
            ..Distance::new("Wasserstein", about, squares[0].max(0.0).sqrt())
        }])
    }
}

/// The mean of both traces of the covariances, above 0.
pub(super) fn spread(x: MatRef<'_, f64>, y: MatRef<'_, f64>) -> f64 {
    let trace = |rows| column_deviations(rows, &column_means(rows)).iter().map(|v| v * v).sum::<f64>();
    (0.5 * (trace(x) + trace(y))).max(f64::MIN_POSITIVE)
}
