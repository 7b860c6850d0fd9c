//! The shares of known components in a mixture that make some rows most likely:
//! ```text
//! max mean_j ln Σ_l likelihood_lj x_l    subject to    x_l ≥ 0,   Σ x = 1
//! ```
//! The objective less `Σ x` has the same maximum without the last condition, because scaling `x` by `c` adds `ln c`. So
//! only `x ≥ 0` is left, with the optimality conditions
//! ```text
//! 1 - g_l ≥ 0,   x_l (1 - g_l) = 0,   g_l = mean_j likelihood_lj / Σ_k likelihood_kj x_k
//! ```
//! which a primal-dual interior-point method with backtracking meets (S. Boyd, L. Vandenberghe, "Convex Optimization",
//! 2004, algorithm 11.2), its centre and second-order correction after S. Mehrotra, SIAM Journal on Optimization 2(4),
//! 1992: the largest `|min(x_l, 1 - g_l)|` is the residual.
//!
//! Cost: `O(n b² + b³)` for each of 8 to 25 steps with `b` components and `n` rows; `O(b²)` memory beside blocks of
//! rows.

use faer::{Mat, MatRef};

use super::normal_equations::add_gram;
use crate::linalg::{Matrix, cholesky, multiply, solve_cholesky, transposed_times_vector};

/// Rows that are worked on together.
const ROWS: usize = 8192;
/// Steps after which the best shares so far are taken.
const STEPS: usize = 200;
/// A change of the conditions that may be rounding.
const ROUNDING: f64 = 1e-14;
/// What is added to each diagonal entry, as a part of it: components that are alike make the equations singular. More
/// than `1e-12` costs steps.
const RIDGE: f64 = 1e-13;

/// What [`mixture_shares`] found.
#[derive(Debug, Clone)]
pub struct MixtureShares {
    /// The shares `(b)`: 0 or above, their sum 1.
    pub shares: Vec<f64>,
    /// `mean_j ln Σ_l likelihood_lj x_l`.
    pub objective: f64,
    /// The largest violation of the optimality conditions.
    pub residual: f64,
    /// Steps taken.
    pub steps: usize,
}

/// The shares for `likelihoods` `(b, n)`, of which each column may be scaled as it pleases; its largest number should be
/// 1. Ends where the residual is at most `tolerance`, or where rounding lets it fall no further.
pub fn mixture_shares(likelihoods: MatRef<'_, f64>, tolerance: f64) -> MixtureShares {
    let b = likelihoods.nrows();
    let mut here = Point::new(likelihoods, vec![1.0 / b as f64; b], vec![1.0; b]);
    let mut steps = 0;
    while steps < STEPS && here.violation() > tolerance {
        let mut curvature = here.curvature(likelihoods);
        for l in 0..b {
            let diagonal = curvature[(l, l)] + here.multipliers[l] / here.shares[l];
            curvature[(l, l)] = (1.0 + RIDGE) * diagonal;
        }
        let Ok(factor) = cholesky(curvature.as_ref()) else { break };
        // Where all products of share and multiplier become `centre`, but for products of the two changes.
        let towards = |centre: f64, products: &[f64]| {
            let mut along =
                Mat::from_fn(b, 1, |l, _| (centre - products[l]) / here.shares[l] - here.slopes[l]);
            solve_cholesky(factor.as_ref(), along.as_mut());
            let along = along.col_as_slice(0).to_vec();
            let change = |l: usize| {
                (centre - products[l] - here.multipliers[l] * along[l]) / here.shares[l] - here.multipliers[l]
            };
            let multipliers: Vec<f64> = (0..b).map(change).collect();
            (along, multipliers)
        };
        let room = |values: &[f64], changes: &[f64]| {
            let limits = values.iter().zip(changes).filter(|(_, c)| **c < 0.0).map(|(v, c)| -0.99 * v / c);
            limits.fold(1.0, f64::min)
        };
        let longest = |(along, multipliers): &(Vec<f64>, Vec<f64>)| {
            room(&here.shares, along).min(room(&here.multipliers, multipliers))
        };
        // First all the way, to see how far that goes; then as near to the centre as that was short, with the products
        // of its changes.
        let straight = towards(0.0, &vec![0.0; b]);
        let reach = longest(&straight);
        let left = (0..b).map(|l| {
            (here.shares[l] + reach * straight.0[l]) * (here.multipliers[l] + reach * straight.1[l])
        });
        let left = left.sum::<f64>() / b as f64;
        let centre = here.gap() * (left / here.gap()).powi(3);
        let products: Vec<f64> = straight.0.iter().zip(&straight.1).map(|(x, z)| x * z).collect();
        let changes = towards(centre, &products);
        let mut length = longest(&changes);
        let (along, along_multipliers) = &changes;
        let before = here.residual_about(centre);
        let next = loop {
            let go = |from: &[f64], along: &[f64]| {
                from.iter().zip(along).map(|(v, c)| (v + length * c).max(1e-300)).collect()
            };
            let next =
                Point::new(likelihoods, go(&here.shares, along), go(&here.multipliers, along_multipliers));
            if next.residual_about(centre) <= (1.0 - 0.01 * length) * before + ROUNDING {
                break Some(next);
            }
            length *= 0.5;
            if length < 1e-8 {
                break None; // as small as rounding lets it be
            }
        };
        let Some(next) = next else { break };
        here = next;
        steps += 1;
    }
    // Shares smaller than their multipliers are 0, unless what they add up to matters.
    let ended = [true, false].map(|cut| {
        let least = |l: usize| if cut { here.multipliers[l] } else { 0.0 };
        let mut shares: Vec<f64> =
            (0..b).map(|l| if here.shares[l] < least(l) { 0.0 } else { here.shares[l] }).collect();
        let sum: f64 = shares.iter().sum();
        for x in &mut shares {
            *x /= sum;
        }
        Point::new(likelihoods, shares, vec![0.0; b])
    });
    let [cut, whole] = ended;
    let cut_serves = cut.violation() <= tolerance.max(whole.violation());
    let ended = if cut_serves { cut } else { whole };
    let objective = ended.densities.iter().map(|p| p.ln()).sum::<f64>() / ended.densities.len() as f64;
    MixtureShares { residual: ended.violation(), shares: ended.shares, objective, steps }
}

/// Shares and multipliers, and what follows from the shares.
struct Point {
    shares: Vec<f64>,
    multipliers: Vec<f64>,
    /// `Σ_l likelihood_lj x_l`, one a row.
    densities: Vec<f64>,
    /// `1 - g_l`.
    slopes: Vec<f64>,
}

impl Point {
    fn new(likelihoods: MatRef<'_, f64>, shares: Vec<f64>, multipliers: Vec<f64>) -> Self {
        let densities = transposed_times_vector(likelihoods, &shares);
        let n = densities.len();
        let inverse = Mat::from_fn(n, 1, |j, _| 1.0 / (n as f64 * densities[j]));
        let pulls = multiply(likelihoods, inverse.as_ref());
        let slopes = pulls.col(0).iter().map(|pull| 1.0 - pull).collect();
        Self { shares, multipliers, densities, slopes }
    }

    /// The mean of share times multiplier.
    fn gap(&self) -> f64 {
        let products = self.shares.iter().zip(&self.multipliers).map(|(x, z)| x * z);
        products.sum::<f64>() / self.shares.len() as f64
    }

    /// The largest violation of the optimality conditions.
    fn violation(&self) -> f64 {
        let violation = |(x, slope): (&f64, &f64)| {
            // A row that no component explains leaves no number.
            if slope.is_nan() { f64::INFINITY } else { x.min(*slope).abs() }
        };
        self.shares.iter().zip(&self.slopes).map(violation).fold(0.0, f64::max)
    }

    /// How far the conditions with products at `centre` are from being met.
    fn residual_about(&self, centre: f64) -> f64 {
        let dual = self.slopes.iter().zip(&self.multipliers).map(|(s, z)| (s - z).powi(2));
        let products = self.shares.iter().zip(&self.multipliers).map(|(x, z)| (x * z - centre).powi(2));
        (dual.sum::<f64>() + products.sum::<f64>()).sqrt()
    }

    /// The second derivatives, of which the lower triangle is filled.
    fn curvature(&self, likelihoods: MatRef<'_, f64>) -> Matrix {
        let (b, n) = likelihoods.shape();
        let mut sum = Mat::zeros(b, b);
        for first in (0..n).step_by(ROWS) {
            let count = ROWS.min(n - first);
            let mut part = likelihoods.get(.., first..first + count).to_owned();
            for j in 0..count {
                let factor = 1.0 / ((n as f64).sqrt() * self.densities[first + j]);
                part.col_as_slice_mut(j).iter_mut().for_each(|v| *v *= factor);
            }
            add_gram(&mut sum, part.transpose());
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, gaussian_kernel};

    /// Rows that only one component explains: shares as the counts. And a component that another beats at every row.
    #[test]
    fn shares_by_hand() {
        let apart = from_rows(&[vec![1.0, 1.0, 1.0, 0.0], vec![0.0, 0.0, 0.0, 1.0]]);
        let found = mixture_shares(apart.as_ref(), 1e-9);
        assert!((found.shares[0] - 0.75).abs() < 1e-9 && found.residual <= 1e-9, "{found:?}");
        let beaten = from_rows(&[vec![1.0, 1.0], vec![0.9, 0.5]]);
        assert_eq!(mixture_shares(beaten.as_ref(), 1e-9).shares, [1.0, 0.0]);
        // 1 / 2 row each way, likelihoods 1 and 1/4: by symmetry halves.
        let mirrored = from_rows(&[vec![1.0, 0.25], vec![0.25, 1.0]]);
        assert!((mixture_shares(mirrored.as_ref(), 1e-9).shares[0] - 0.5).abs() < 1e-9);
    }

    #[test]
    fn components_that_are_alike_or_many_or_far_are_solved_to_the_tolerance() {
        let x = Mat::from_fn(120, 2, |i, j| ((i * 7 + j * 5 + i * i * j) % 23) as f64 / 8.0); // rows repeat
        for width in [1e-3, 0.05, 0.3, 1.0, 10.0, 100.0] {
            for count in [1, 7, 120] {
                let mut k = gaussian_kernel(x.get(..count, ..), x.as_ref(), width);
                for j in 0..120 {
                    let column = k.col_as_slice_mut(j);
                    let top = column.iter().copied().fold(1e-300, f64::max);
                    column.iter_mut().enumerate().for_each(|(l, v)| *v = *v / top / (1.0 + l as f64).sqrt());
                    let floor = f64::from(u8::from(column.iter().all(|v| *v == 0.0)));
                    for v in column.iter_mut() {
                        *v += floor;
                    }
                }
                let found = mixture_shares(k.as_ref(), 1e-9);
                assert!((found.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                let at = format!("width {width}, {count} components: {:e}", found.residual);
                assert!(found.residual <= 1e-9 && found.steps <= 30, "{at} in {} steps", found.steps);
            }
        }
    }
}
