//! Energy distance: how much farther rows of two domains are from each other than from their own.
//!
//! Paper: G. Székely, M. Rizzo, "Energy statistics: A class of statistics based on distances", Journal of Statistical
//! Planning and Inference 2013
//!
//! ```text
//! 2 E|X - Y| - E|X - X'| - E|Y - Y'|
//! biased    2 Σ_ij |x_i - y_j| / (n m) - Σ_ij |x_i - x_j| / n² - Σ_ij |y_i - y_j| / m²
//! unbiased  the same with n (n - 1) and m (m - 1)
//! ```
//! 0 where the distributions are equal and only there. The unbiased one is 0 on average then, so it may be negative. The
//! p-value is the share of permutations of the pooled rows with at least this value. The interval is the normal one of the
//! U-statistic; next to 0 it is too wide.
//!
//! Cost: `O((n + m)² (d + permutations))` time, `8 (n + m)²` bytes.

use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::kernel_test::{self, kernel_test};
use super::mmd::check;
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{squared_distances, stack};
use crate::params::params_of;

/// Both estimates of the energy distance, the unbiased one first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EnergyDistance {
    /// Permutations for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for EnergyDistance {
    fn default() -> Self {
        Self { permutations: 999 }
    }
}

impl EnergyDistance {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "energy-distance",
        summary: "how much farther rows of two domains are from each other than from their own, with a permutation test",
        in_each_run: false,
        most_rows: 1000,
        labels: LabelsNeeded::None,
        source: include_str!("energy_distance.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for EnergyDistance {
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
        kernel_test::require(x.nrows() + y.nrows(), self.permutations, context)?;
        Ok(energy(x, y, self.permutations, rng))
    }
}

/// Both estimates: the energy distance is the squared distance of means for the kernel `-|x - y|`.
fn energy(
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
    permutations: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Distance> {
    let all = stack(x, y);
    let mut kernel = squared_distances(all.as_ref(), all.as_ref());
    for (j, column) in kernel.as_mut().col_iter_mut().enumerate() {
        // What rounding leaves of the distance from a row to itself is not small once its root is taken.
        column.iter_mut().enumerate().for_each(|(i, v)| *v = if i == j { 0.0 } else { -v.sqrt() });
    }
    let found = kernel_test(&kernel, x.nrows(), permutations, rng);
    let about = "0 and above, above 0 even for equal distributions; in deviations";
    let biased = Distance { beside: true, ..found.biased("energy distance (biased)", about) };
    let about = "0 on average for equal distributions; in deviations";
    vec![found.unbiased("energy distance", about), biased]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;
    use rand::SeedableRng;

    /// 0, 2 against 5, 6: `2 · 4.5`, less 2 and 1 with, or 1 and ½ without the pairs of a row with itself left out.
    #[test]
    fn two_rows_by_hand() {
        let (x, y) = (from_rows(&[vec![0.0], vec![2.0]]), from_rows(&[vec![5.0], vec![6.0]]));
        let found = energy(x.as_ref(), y.as_ref(), 9, &mut ChaCha8Rng::seed_from_u64(0));
        assert!((found[0].value - 6.0).abs() < 1e-14 && (found[1].value - 7.5).abs() < 1e-14);
    }
}
