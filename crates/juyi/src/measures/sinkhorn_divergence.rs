//! Sinkhorn divergence: optimal transport with an entropy term, less what that term makes of a domain and itself.
//!
//! Paper: J. Feydy, T. Séjourné, F.-X. Vialard, S. Amari, A. Trouvé, G. Peyré, "Interpolating between optimal transport and
//! MMD using Sinkhorn divergences", AISTATS 2019
//!
//! ```text
//! OT(x, y) = min_P Σ_ij P_ij |x_i - y_j|² + ε KL(P | 1/(n m)),   Σ_j P_ij = 1/n,   Σ_i P_ij = 1/m           (eq. 1)
//! S        = OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2                                                         (eq. 3)
//! ```
//! `OT` from the dual potentials, `Σ f / n + Σ g / m`; `ε` is a part of the mean squared distance between the domains' pooled
//! rows, the same for the three. 0 for equal rows, above else; a squared distance, between `W²` (small `ε`) and an MMD² (large
//! `ε`). The p-value is the share of permutations of the pooled rows with at least this value. No interval: the estimate is
//! above 0 even for equal distributions, and no unbiased one is known. The effect is that of `wasserstein`.
//!
//! Cost: three entropic transport problems a permutation, `O(n m)` a round; `24 n m` bytes.

use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::distance::apart;
use super::mmd::check;
use super::permutations::{beyond_chance, permuted, reached};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use super::wasserstein::spread;
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{column_deviations, column_means, select_rows, stack};
use crate::params::params_of;
use crate::solvers::{EntropicTransport, PairCosts};

/// The Sinkhorn divergence.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SinkhornDivergence {
    /// `ε` as a part of the mean squared distance of pooled rows, 0.001 to 1000.
    pub entropy: f64,
    /// Permutations for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for SinkhornDivergence {
    fn default() -> Self {
        Self { entropy: 0.1, permutations: 49 }
    }
}

impl SinkhornDivergence {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "sinkhorn-divergence",
        summary: "entropic optimal transport of drawn rows without its bias, with a permutation test",
        in_each_run: false,
        most_rows: 300,
        labels: LabelsNeeded::None,
        source: include_str!("sinkhorn_divergence.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for SinkhornDivergence {
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
        must(Self::ROW.name, "entropy", "0.001 to 1000", (1e-3..=1e3).contains(&self.entropy), self.entropy)?;
        let (x, y) = (domains.source.as_ref(), domains.target.as_ref());
        let (n, m) = (x.nrows(), y.nrows());
        context.require("the kernels of the rows", 24 * (n.max(m) * n.max(m)) as u64)?;
        let all = stack(x, y);
        // The mean squared distance of two rows, a row and itself among them.
        let deviations = column_deviations(all.as_ref(), &column_means(all.as_ref()));
        let entropy = self.entropy * 2.0 * deviations.iter().map(|v| v * v).sum::<f64>();
        let values = permuted(n, m, self.permutations, rng, |a, b| {
            let (a, b) = (select_rows(all.as_ref(), a), select_rows(all.as_ref(), b));
            divergence(a.as_ref(), b.as_ref(), entropy)
        })?;
        let about = "0 for equal rows, above 0 even for equal distributions; in squared deviations";
        Ok(vec![Distance {
            p_value: Some(reached(&values)),
            effect: Some(apart((beyond_chance(&values) / spread(x, y)).sqrt())),
            ..Distance::new("Sinkhorn divergence", about, values[0])
        }])
    }
}

/// The divergence for `ε` in units of squared distance.
fn divergence(x: MatRef<'_, f64>, y: MatRef<'_, f64>, entropy: f64) -> Result<f64> {
    Ok(cost(x, y, entropy)? - 0.5 * cost(x, x, entropy)? - 0.5 * cost(y, y, entropy)?)
}

fn cost(x: MatRef<'_, f64>, y: MatRef<'_, f64>, entropy: f64) -> Result<f64> {
    let costs = PairCosts::new(x, y);
    costs.check()?;
    let largest = costs.largest();
    if largest <= 1e-290 {
        return Ok(0.0); // all rows are the same
    }
    let problem = EntropicTransport {
        costs: &costs,
        entropy: (entropy / largest).clamp(1e-9, 1e9),
        relaxation: None,
        tolerance: 1e-7, // the value is off by its square
        iterations: 10_000,
        hold: true,
        start: None,
        sends: None,
    };
    let plan = problem.solve()?;
    let mean = |potentials: &[f64]| potentials.iter().sum::<f64>() / potentials.len() as f64;
    Ok(mean(&plan.source_potentials) + mean(&plan.target_potentials))
}
