//! Sliced Wasserstein distance: the optimal transport of rows projected on drawn directions, where sorting solves it.
//!
//! Paper: N. Bonneel, J. Rabin, G. Peyré, H. Pfister, "Sliced and Radon Wasserstein barycenters of measures", Journal of
//! Mathematical Imaging and Vision 2015
//!
//! ```text
//! SW² = E_θ W²(θᵀx, θᵀy),   θ uniform on the sphere
//! W²  = ∫ (F⁻¹(q) - G⁻¹(q))² dq   for distributions of numbers
//! ```
//! 0 and above, in deviations of a direction. The p-value is the share of permutations of the pooled rows with at least this
//! value, in the same directions. No interval: the estimate is above 0 even for equal distributions, and no unbiased one is known. The
//! effect is the total variation distance of two normal distributions `W / s` deviations apart, `W²` being `SW²` less its mean over
//! the permutations, and `s²` the mean variance of a direction.
//!
//! Cost: `O((n + m) (d + log (n + m) + permutations))` time a direction, `64 (n + m)` bytes; of all rows.

use faer::MatRef;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::distance::apart;
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, column_deviations, column_means, multiply};
use crate::params::params_of;

/// The sliced Wasserstein distance.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SlicedWasserstein {
    /// Directions, 1 or more; a single column has one.
    pub directions: usize,
    /// Permutations for the p-value, 1 to 63.
    pub permutations: usize,
}

impl Default for SlicedWasserstein {
    fn default() -> Self {
        Self { directions: 50, permutations: 39 }
    }
}

impl SlicedWasserstein {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "sliced-wasserstein",
        summary: "optimal transport of all rows, projected on drawn directions, with a permutation test",
        in_each_run: false,
        most_rows: usize::MAX,
        labels: LabelsNeeded::None,
        source: include_str!("sliced_wasserstein.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

/// Directions that are looked at together.
const TOGETHER: usize = 2;

impl DomainMeasure for SlicedWasserstein {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        must(Self::ROW.name, "directions", "1 or more", self.directions > 0, self.directions)?;
        must(
            Self::ROW.name,
            "permutations",
            "1 to 63",
            (1..=63).contains(&self.permutations),
            self.permutations,
        )?;
        let (x, y) = (domains.source.as_ref(), domains.target.as_ref());
        let rows = (x.nrows() + y.nrows()) as u64;
        context.require("rows in the order of a direction", 8 * rows + 48 * TOGETHER as u64 * rows)?;
        let d = x.ncols();
        let count = if d == 1 { 1 } else { self.directions };
        let mut directions = Matrix::from_fn(d, count, |_, _| StandardNormal.sample(rng));
        for k in 0..count {
            let column = directions.col_as_slice_mut(k);
            let length = column.iter().map(|v: &f64| v * v).sum::<f64>().sqrt();
            for v in column {
                *v /= length;
            }
        }
        let squares = sliced(
            x,
            y,
            directions.as_ref(),
            &splits(x.nrows(), y.nrows(), self.permutations, rng),
            self.permutations,
        );
        let reached = squares.iter().filter(|v| **v >= squares[0] * (1.0 - 1e-12)).count();
        let chance = squares[1..].iter().sum::<f64>() / self.permutations as f64;
        let variance = |rows| column_deviations(rows, &column_means(rows)).iter().map(|v| v * v).sum::<f64>();
        let spread = 0.5 * (variance(x) + variance(y)) / d as f64;
        let beyond = (squares[0] - chance).max(0.0) / spread.max(f64::MIN_POSITIVE);
        let about = "0 and above, above 0 even for equal distributions; in deviations";
        Ok(vec![Distance {
            p_value: Some(reached as f64 / squares.len() as f64),
            effect: Some(apart(beyond.sqrt())),
            ..Distance::new("sliced Wasserstein", about, squares[0].sqrt())
        }])
    }
}

/// For each pooled row, in bit 0 whether it is the source's, and in bit `k` whether it is taken so in permutation `k`.
fn splits(n: usize, m: usize, permutations: usize, rng: &mut ChaCha8Rng) -> Vec<u64> {
    let mut bits: Vec<u64> = (0..n + m).map(|i| u64::from(i < n)).collect();
    let mut order: Vec<u32> = (0..(n + m) as u32).collect();
    for k in 1..=permutations {
        order.partial_shuffle(rng, n).0.iter().for_each(|&i| bits[i as usize] |= 1 << k);
    }
    bits
}

/// `SW²` in these `directions` `(d, count)`: of the true split, then of each permutation.
fn sliced(
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
    directions: MatRef<'_, f64>,
    splits: &[u64],
    permutations: usize,
) -> Vec<f64> {
    let mut sums = vec![0.0; permutations + 1];
    let all: Vec<usize> = (0..directions.ncols()).collect();
    for some in all.chunks(TOGETHER) {
        let some = directions.get(.., some[0]..some[0] + some.len());
        let (of_x, of_y) = (multiply(x, some), multiply(y, some));
        let squares: Vec<Vec<f64>> = (0..some.ncols())
            .into_par_iter()
            .map(|k| {
                let values = of_x.col_as_slice(k).iter().chain(of_y.col_as_slice(k));
                let mut sorted: Vec<(f64, u32)> = values.copied().zip(0..).collect();
                sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                let sorted: Vec<(f64, u64)> =
                    sorted.into_iter().map(|(value, row)| (value, splits[row as usize])).collect();
                let (mut own, mut other) = (Vec::with_capacity(x.nrows()), Vec::with_capacity(y.nrows()));
                (0..=permutations)
                    .map(|k| {
                        own.clear();
                        other.clear();
                        for &(value, bits) in &sorted {
                            if bits >> k & 1 == 1 { own.push(value) } else { other.push(value) }
                        }
                        along_a_line(&own, &other)
                    })
                    .collect()
            })
            .collect();
        for squares in squares {
            sums.iter_mut().zip(squares).for_each(|(sum, v)| *sum += v);
        }
    }
    sums.into_iter().map(|sum| sum / all.len() as f64).collect()
}

/// `W²` of two sorted samples.
pub(super) fn along_a_line(x: &[f64], y: &[f64]) -> f64 {
    let (n, m) = (x.len(), y.len());
    if n == m {
        return x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n as f64;
    }
    // Masses are counted in parts of `n m`, of which each row of `x` has `m` and each of `y` has `n`.
    let (mut i, mut j, mut done, mut sum) = (0, 0, 0, 0.0);
    while i < n && j < m {
        let end = ((i + 1) * m).min((j + 1) * n);
        sum += (end - done) as f64 * (x[i] - y[j]).powi(2);
        done = end;
        let (next, beyond) = ((i + 1) * m, (j + 1) * n);
        i += usize::from(end == next);
        j += usize::from(end == beyond);
    }
    sum / (n as f64 * m as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_by_hand() {
        assert_eq!(along_a_line(&[0.0, 2.0], &[1.0, 5.0]), 5.0);
        // 0 takes 1 and half of 4: quantiles to ⅓ differ by 1, to ½ by 4, to ⅔ by 2, to 1 by 1.
        let found = along_a_line(&[0.0, 6.0], &[1.0, 4.0, 7.0]);
        assert!((found - (1.0 / 3.0 + 16.0 / 6.0 + 4.0 / 6.0 + 1.0 / 3.0)).abs() < 1e-14);
    }
}
