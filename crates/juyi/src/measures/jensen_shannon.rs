//! Jensen-Shannon divergence: how much a row tells of which domain it comes from, in nats.
//!
//! Paper: J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 1991; by nearest
//! neighbours as the mutual information of rows and domains: B. Ross, "Mutual information between discrete and continuous data
//! sets", `PLoS ONE` 2014
//!
//! ```text
//! JS = H((p + q) / 2) - H(p) / 2 - H(q) / 2 = I(x; domain)                                           (Lin, eq. 4.1)
//! I  = ψ(2 n) - ψ(n) + ψ(k) - mean ψ(m_i)                                                            (Ross, eq. 2)
//! m_i: how many of all rows, itself counted, are nearer than its k-th nearest of its own domain
//! ```
//! with as many rows of each domain, drawn from the larger one. 0 to ln 2 = 0.693, to which the estimate is cut; it is too low
//! where there are many columns and few rows. The p-value is the share of permutations of the pooled rows with at least this
//! value. No interval: no unbiased estimate is known. The effect is the value divided by ln 2.
//!
//! Cost: `O(n² (d + log n))` time and as much as `k n` a permutation; `96 n²` bytes.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::digamma;

use super::Distance;
use super::mmd::check;
use super::near_rows::NearRows;
use super::permutations::{permuted, reached};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{select_rows, stack};
use crate::params::params_of;

/// The Jensen-Shannon divergence.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct JensenShannon {
    /// The neighbour whose distance counts, 1 to 5 (there are 10 rows a side at least).
    pub neighbors: usize,
    /// Permutations for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for JensenShannon {
    fn default() -> Self {
        Self { neighbors: 5, permutations: 199 }
    }
}

impl JensenShannon {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "jensen-shannon",
        summary: "how much a row tells of its domain, by nearest neighbours, at most ln 2",
        in_each_run: false,
        most_rows: 1000,
        labels: LabelsNeeded::None,
        source: include_str!("jensen_shannon.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for JensenShannon {
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
        let (x, y) = (domains.source.as_ref(), domains.target.as_ref());
        let n = x.nrows().min(y.nrows());
        let [x, y] = [x, y].map(|rows| {
            let mut all: Vec<usize> = (0..rows.nrows()).collect();
            if all.len() > n {
                all.shuffle(rng);
            }
            select_rows(rows, &all[..n])
        });
        let near = NearRows::of(&stack(x.as_ref(), y.as_ref()), context)?;
        let mut of_source = vec![false; 2 * n];
        let values = permuted(n, n, self.permutations, rng, |source, _| {
            of_source.fill(false);
            for &i in source {
                of_source[i] = true;
            }
            Ok(information(&near, self.neighbors, &of_source))
        })?;
        let most = std::f64::consts::LN_2;
        let value = values[0].clamp(0.0, most);
        Ok(vec![Distance {
            p_value: Some(reached(&values)),
            effect: Some(value / most),
            ..Distance::new("Jensen-Shannon", "0 to 0.693 (ln 2); nats, by nearest neighbours", value)
        }])
    }
}

/// The mutual information of rows and domains, as many rows of each.
fn information(near: &NearRows, k: usize, of_source: &[bool]) -> f64 {
    let all = of_source.len();
    let place =
        |i: usize| near.nearest(i, k, |j| of_source[j] == of_source[i]).map_or(all, |(place, _)| place);
    let mean = (0..all).map(|i| digamma(place(i) as f64)).sum::<f64>() / all as f64;
    digamma(all as f64) - digamma(0.5 * all as f64) + digamma(k as f64) - mean
}
