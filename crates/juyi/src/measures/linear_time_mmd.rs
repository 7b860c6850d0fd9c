//! Maximum mean discrepancy of disjoint pairs of rows: less sharp than that of all pairs for as many rows, but each row is
//! looked at once.
//!
//! Paper: A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf, A. Smola, "A kernel two-sample test", JMLR 2012, section 6
//!
//! ```text
//! MMD² = Σ_i h_i / p,   h_i = k(x_2i-1, x_2i) + k(y_2i-1, y_2i) - k(x_2i-1, y_2i) - k(x_2i, y_2i-1)      (lemma 14)
//! MMD² ≈ N(mean h, var h / p)   for p pairs                                                               (corollary 16)
//! ```
//! with a Gaussian kernel and rows in random order; the longer side's surplus is left out. Unbiased: 0 on average for equal
//! distributions, so it may be negative; at most 2. The terms are independent, so the interval and the one-sided p-value
//! are those of a mean of them, by the normal distribution: they hold near 0 too.
//!
//! Cost: `O(n d)` time, `O(d)` bytes beside the rows; of all rows.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

use faer::MatRef;
use rayon::prelude::*;

use super::Distance;
use super::mmd::{check, pooled_width};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, select_rows};
use crate::params::params_of;

/// Maximum mean discrepancy of disjoint pairs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LinearTimeMmd {
    /// Width of the Gaussian kernel, above 0; automatic: the median distance of pooled rows, of up to 1,000 a side.
    pub bandwidth: Option<f64>,
}

impl LinearTimeMmd {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "linear-time-mmd",
        summary: "maximum mean discrepancy of disjoint pairs of rows, with a normal test",
        in_each_run: false,
        most_rows: usize::MAX,
        labels: LabelsNeeded::None,
        source: include_str!("linear_time_mmd.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

/// Pairs that are brought together at a time.
const PAIRS: usize = 1024;

impl DomainMeasure for LinearTimeMmd {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        check(Self::ROW.name, self.bandwidth, 1)?;
        let (x, y) = (domains.source.as_ref(), domains.target.as_ref());
        let (n, d) = (x.nrows() + y.nrows(), x.ncols());
        context
            .require("the order of the rows and pairs of them", 12 * n as u64 + (64 * PAIRS * d) as u64)?;
        let width = self.bandwidth.unwrap_or_else(|| pooled_width(x, y, rng));
        let orders = [x, y].map(|rows| {
            let mut order: Vec<usize> = (0..rows.nrows()).collect();
            order.shuffle(rng);
            order
        });
        Ok(vec![linear_time(x, y, [&orders[0], &orders[1]], width)])
    }
}

/// The estimate for rows that are paired in these orders.
fn linear_time(x: MatRef<'_, f64>, y: MatRef<'_, f64>, orders: [&[usize]; 2], width: f64) -> Distance {
    let rows = orders[0].len().min(orders[1].len()) / 2 * 2;
    let chunks: Vec<(&[usize], &[usize])> =
        orders[0][..rows].chunks(2 * PAIRS).zip(orders[1][..rows].chunks(2 * PAIRS)).collect();
    let terms: Vec<f64> = chunks.par_iter().flat_map_iter(|(a, b)| terms(x, y, a, b, width)).collect();
    let pairs = terms.len() as f64;
    let mean = terms.iter().sum::<f64>() / pairs;
    let squares = terms.iter().map(|h| (h - mean).powi(2)).sum::<f64>();
    // The sign is right as often as wrong for equal distributions.
    let signs: f64 = terms.iter().map(|h| if *h == 0.0 { 0.0 } else { h.signum() }).sum();
    let error = (squares / (pairs - 1.0) / pairs).sqrt();
    let p_value = if error > 0.0 { 0.5 * erfc(mean / error / 2f64.sqrt()) } else { f64::from(mean <= 0.0) };
    let about = "0 on average for equal distributions, at most 2; of disjoint pairs of rows";
    Distance {
        interval: Some((mean - 1.96 * error, mean + 1.96 * error)),
        p_value: Some(p_value),
        effect: Some((signs / pairs).max(0.0)),
        ..Distance::new("linear-time MMD²", about, mean)
    }
}

/// `h` for each pair of some rows.
fn terms(x: MatRef<'_, f64>, y: MatRef<'_, f64>, of_x: &[usize], of_y: &[usize], width: f64) -> Vec<f64> {
    let every = |order: &[usize], from: usize| order.iter().skip(from).step_by(2).copied().collect();
    let pick = |rows: MatRef<'_, f64>, order: &[usize], from: usize| {
        let which: Vec<usize> = every(order, from);
        select_rows(rows, &which)
    };
    let rows = [pick(x, of_x, 0), pick(x, of_x, 1), pick(y, of_y, 0), pick(y, of_y, 1)];
    let kernel = |a: &Matrix, b: &Matrix| {
        let mut squares = vec![0.0; a.nrows()];
        for (a, b) in a.col_iter().zip(b.col_iter()) {
            squares.iter_mut().zip(a.iter().zip(b.iter())).for_each(|(sum, (a, b))| *sum += (a - b).powi(2));
        }
        squares.into_iter().map(|square| (-0.5 * square / (width * width)).exp()).collect::<Vec<f64>>()
    };
    let [xx, yy, xy, yx] = [(0, 1), (2, 3), (0, 3), (1, 2)].map(|(a, b)| kernel(&rows[a], &rows[b]));
    (0..xx.len()).map(|i| xx[i] + yy[i] - xy[i] - yx[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Two pairs with `h` of `2 - 2 e^-½` and of 0: their mean, half their distance from each other as the error.
    #[test]
    fn two_pairs_by_hand() {
        let x = from_rows(&[vec![0.0], vec![0.0], vec![5.0], vec![5.0]]);
        let y = from_rows(&[vec![1.0], vec![1.0], vec![5.0], vec![5.0]]);
        let order: Vec<usize> = (0..4).collect();
        let found = linear_time(x.as_ref(), y.as_ref(), [&order, &order], 1.0);
        let h = 2.0 - 2.0 * (-0.5f64).exp();
        assert!((found.value - 0.5 * h).abs() < 1e-15);
        let (low, high) = found.interval.unwrap();
        assert!((high - low - 2.0 * 1.96 * 0.5 * h).abs() < 1e-14);
        assert!((found.p_value.unwrap() - 0.158_655_253_931_457).abs() < 1e-9); // one error from 0
    }
}
