//! CORAL distance: how far apart the covariances of two domains are.
//!
//! Paper: B. Sun, K. Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", ECCV workshops 2016
//!
//! ```text
//! |C_s - C_t|²_F / (4 d²)                                                                                (eq. 1)
//! C = (Dᵀ D - (1ᵀ D)ᵀ (1ᵀ D) / n) / (n - 1)                                                           (eqs. 2, 3)
//! ```
//! 0 and above; means do not count. Above 0 even for equal distributions, as the covariances are estimates; so a second
//! number is without that bias: from covariances of blocks of rows (64 to 256 a side, drawn at random), the products of a
//! block with itself left out. It is 0 on average for equal covariances and has the normal interval of a U-statistic, next
//! to 0 too wide. The p-value is the share of exchanges of blocks with at least this distance. The effect is
//! `|C_s - C_t|² / (|C_s|² + |C_t|²)` without the bias, from 0 to 1.
//!
//! Cost: `O((n + m) d²)` time, `8 d²` bytes for each block; of all rows.

use faer::MatRef;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::blocks::Blocks;
use super::kernel_test::kernel_test;
use super::mmd::check;
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, covariance, multiply};
use crate::params::params_of;

/// The CORAL distance.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CoralDistance {
    /// Exchanges of blocks for the p-value, 1 or more.
    pub permutations: usize,
}

impl Default for CoralDistance {
    fn default() -> Self {
        Self { permutations: 999 }
    }
}

impl CoralDistance {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "coral-distance",
        summary: "how far apart the covariances of all rows are, with a permutation test of blocks",
        in_each_run: false,
        most_rows: usize::MAX,
        labels: LabelsNeeded::None,
        source: include_str!("coral_distance.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for CoralDistance {
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
        let block = (n.min(m) / 64 + 8192) * d;
        context.require(
            "the covariances of blocks of rows",
            8 * (n + m + block + 2 * d * d * Blocks::most()) as u64,
        )?;
        let unit = 2.0 * d as f64;
        let (mut value, whole) = coral(x.as_ref(), y.as_ref());
        let blocks = Blocks::drawn(n, m, 2, rng);
        let [of_x, of_y] = [(0, x), (1, y)].map(|(side, rows)| {
            blocks.only(side, rows.as_ref(), d * d, |rows| {
                covariance(rows.as_ref())
                    .col_iter()
                    .flat_map(|column| column.iter().map(|v| v / unit))
                    .collect()
            })
        });
        let mut pooled = Matrix::zeros(d * d, of_x.ncols() + of_y.ncols());
        pooled.get_mut(.., ..of_x.ncols()).copy_from(&of_x);
        pooled.get_mut(.., of_x.ncols()..).copy_from(&of_y);
        let products = multiply(pooled.transpose(), pooled.as_ref());
        let tested = kernel_test(&products, of_x.ncols(), self.permutations, rng);
        value.p_value = Some(tested.p_value(0));
        value.effect = Some((tested.values[0][1] / whole.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0));
        let about = "0 on average for equal covariances; in squared variances";
        let unbiased = Distance {
            beside: true,
            effect: value.effect,
            ..tested.unbiased("CORAL distance (unbiased)", about)
        };
        Ok(vec![value, unbiased])
    }
}

/// The distance, and what it would be if the covariances had nothing in common.
fn coral(x: MatRef<'_, f64>, y: MatRef<'_, f64>) -> (Distance, f64) {
    let (of_x, of_y) = (covariance(x), covariance(y));
    let apart = (&of_x - &of_y).squared_norm_l2();
    let both = of_x.squared_norm_l2() + of_y.squared_norm_l2();
    let unit = 4.0 * (x.ncols() as f64).powi(2);
    let about = "0 and above, above 0 even for equal covariances; in squared variances";
    (Distance::new("CORAL distance", about, apart / unit), both / unit)
}
