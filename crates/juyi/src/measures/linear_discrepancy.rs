//! Linear discrepancy: how differently two domains can weigh the disagreement of two linear rules, in squared loss.
//!
//! Paper: Y. Mansour, M. Mohri, A. Rostamizadeh, "Domain adaptation: learning bounds and algorithms", COLT 2009
//!
//! ```text
//! disc = max_{h, h'} |E_s (h(x) - h'(x))² - E_t (h(x) - h'(x))²|                                   (definition 4)
//!      = 4 Λ² |M_s - M_t|₂   for   h(x) = wᵀx, |w| ≤ Λ
//! ```
//! with `M = Σ_i x_i x_iᵀ / n`. The number is `|M_s - M_t|₂`, the largest absolute eigenvalue: 0 and above. The p-value is the
//! share of exchanges of blocks of rows (64 to 256 a side, drawn at random) with at least this value. No interval: the
//! largest eigenvalue of an estimate is too large on average, and no unbiased one is known. The effect is the value, less its mean over the
//! exchanges, divided by the larger of `|M_s|₂` and `|M_t|₂`, from 0 to 1.
//!
//! Cost: `O((n + m) d² + permutations d³)` time, `8 d²` bytes for each block; of all rows.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::blocks::{Blocks, exchanged};
use super::mmd::check;
use super::permutations::{beyond_chance, reached};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, multiply, symmetric_eigen};
use crate::params::params_of;

/// The linear discrepancy.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LinearDiscrepancy {
    /// Exchanges of blocks for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for LinearDiscrepancy {
    fn default() -> Self {
        Self { permutations: 199 }
    }
}

impl LinearDiscrepancy {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "linear-discrepancy",
        summary: "how differently domains weigh the disagreement of linear rules in squared loss, of all rows",
        in_each_run: false,
        most_rows: usize::MAX,
        labels: LabelsNeeded::None,
        source: include_str!("linear_discrepancy.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for LinearDiscrepancy {
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
        let held = n + m + (n.min(m) / 64 + 1) * d + d * d * (Blocks::most() + 8);
        context.require("the second moments of blocks of rows", 8 * held as u64)?;
        let moments = |rows: &Matrix| {
            let products = multiply(rows.transpose(), rows.as_ref());
            let n = rows.nrows() as f64;
            products
                .col_iter()
                .flat_map(|column| column.iter().map(|v| v / n).collect::<Vec<f64>>())
                .collect()
        };
        let (of_x, of_y): (Vec<f64>, Vec<f64>) = (moments(x), moments(y));
        let zero = vec![0.0; d * d];
        let value = spectral(&of_x, &of_y, d)?;
        let most = spectral(&of_x, &zero, d)?.max(spectral(&of_y, &zero, d)?);
        let blocks = Blocks::drawn(n, m, 1, rng);
        let [first, second] =
            [(0, x), (1, y)].map(|(side, rows)| blocks.only(side, rows.as_ref(), d * d, moments));
        let values = exchanged([&first, &second], self.permutations, rng, |x, y| spectral(x, y, d))?;
        let about = "0 and above, above 0 even for equal distributions; times 4 Λ² for rules of length Λ";
        Ok(vec![Distance {
            p_value: Some(reached(&values)),
            effect: Some(if most > 0.0 { (beyond_chance(&values) / most).min(1.0) } else { 0.0 }),
            ..Distance::new("linear discrepancy", about, value)
        }])
    }
}

/// The largest absolute eigenvalue of the difference of symmetric `a` and `b` `(d, d)`.
fn spectral(a: &[f64], b: &[f64], d: usize) -> Result<f64> {
    let difference = Matrix::from_fn(d, d, |i, j| a[i + j * d] - b[i + j * d]);
    let (values, _) = symmetric_eigen(difference.as_ref())?;
    Ok(values.into_iter().fold(0.0, |most, v| most.max(v.abs())))
}
