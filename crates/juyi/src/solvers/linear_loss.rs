//! Minimising a smooth loss of linear scores with a penalty on the weights, for the classifiers that have one:
//! ```text
//! loss(x W + b) + penalty |W|² / 2
//! ```
//! L-BFGS in `Coordinates` made from the second derivatives by each column of `M = (W; b + mean W)`: first those at
//! the start, then, every few steps, those where the search has come to. Columns of any unit, offset and correlation
//! are then alike, and few steps are needed. With more than 1,000 columns only the diagonal at the start is used. Up to
//! 1,000 rows with more columns than rows are first rotated into as many columns as rows, which changes nothing.
//!
//! The rows are read where they are, in blocks of fixed size whose results are added in order: the same bits for any
//! number of threads. Cost: `O(n d c)` a step; `O(n d²)` for the first coordinates, `O(n d² c)` for the later ones.

use faer::{Mat, MatMut, MatRef};
use rayon::prelude::*;

use super::coordinates::Coordinates;
use super::lbfgs::{Options, minimize};
use super::normal_equations::weighted_means;
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, add_product, multiply, thin_svd};

/// Rows of a block.
const ROWS: usize = 512;
/// Blocks whose results are held at a time.
const WAVE: usize = 32;
/// The most columns whose second derivatives are taken together.
const JOINT: usize = 1000;
/// The most steps.
const STEPS: usize = 1000;

/// What is minimised.
pub struct LinearLoss<L, S> {
    /// Who asks, for messages.
    pub name: &'static str,
    /// Gets the number of a block's first row and its scores; returns their loss and leaves the first derivatives in
    /// their place.
    pub loss: L,
    /// The second derivative by the score of a row and column, given the first. At least 0.
    pub second: S,
    /// About that derivative at the start, per unit of row weight. Above 0.
    pub curvature: f64,
    /// The biases to start from `(c)`; weights start at 0.
    pub start: Vec<f64>,
    /// Above 0.
    pub penalty: f64,
    /// The largest gradient entry that counts as 0, per root of the rows' weight: about the change of a score that the
    /// next step would make. Above 0.
    pub tolerance: f64,
}

impl<L, S> LinearLoss<L, S>
where
    L: Fn(usize, &mut Matrix) -> f64 + Sync,
    S: Fn(usize, usize, f64) -> f64 + Sync,
{
    /// The weights `(d, c)` and the biases `(1, c)` at the minimum. The row weights serve for scaling only: the loss
    /// counts them itself.
    ///
    /// # Errors
    /// [`Memory`](crate::error::Error::Memory) if the solver's vectors do not fit, [`Numeric`](crate::error::Error)
    /// if `x` is not finite.
    pub fn minimize(
        &self,
        x: MatRef<'_, f64>,
        weights: &[f64],
        context: &mut Context,
    ) -> Result<(Matrix, Matrix)> {
        let ((n, d), c) = (x.shape(), self.start.len());
        if n < d && n <= JOINT && context.fits(3 * 8 * (n * d) as u64) {
            let (u, s, v) = thin_svd(x)?;
            let rotated = Mat::from_fn(n, n, |i, j| u[(i, j)] * s[j]);
            let (w, b) = self.minimize(rotated.as_ref(), weights, context)?;
            return Ok((multiply(v.as_ref(), w.as_ref()), b));
        }
        // L-BFGS holds 25 vectors, the blocks of a wave one each.
        context.require(&format!("the solver of `{}`", self.name), 8 * ((25 + WAVE) * (d + 1) * c) as u64)?;
        let together = d <= n && d <= JOINT && context.fits(2 * 8 * ((d + 1) * (d + 1) * (c + 1)) as u64);
        // New coordinates take about as long as d / 4 steps, and the memory of L-BFGS starts anew with them.
        let mut round = if together { 30.max(d / 4) } else { STEPS };
        let means = weighted_means(x, weights);
        let curvature: Vec<f64> = weights.iter().map(|w| self.curvature * w).collect();
        let at_start =
            |rows: std::ops::Range<usize>| Mat::from_fn(rows.len(), 1, |i, _| curvature[rows.start + i]);
        let joint = if together { Coordinates::joint(x, &means, 1, at_start, self.penalty) } else { None };
        let mut coordinates =
            joint.unwrap_or_else(|| Coordinates::single(x, &means, &curvature, self.penalty));

        let mut m = Mat::from_fn(d + 1, c, |j, k| if j < d { 0.0 } else { self.start[k] });
        let unit = weights.iter().sum::<f64>().sqrt().max(1.0); // the gradient grows like it at equal precision
        let mut steps = 0;
        loop {
            let options = Options { tolerance: self.tolerance * unit, iterations: round.min(STEPS - steps) };
            let objective = |u: &[f64], gradient: &mut [f64]| {
                let (value, mut slopes) = self.value_and_slopes(x, &means, coordinates.leave(u, c));
                coordinates.gradient(&mut slopes);
                MatMut::from_column_major_slice_mut(gradient, d + 1, c).copy_from(&slopes);
                value
            };
            let found = minimize(coordinates.enter(&m), objective, options);
            m = coordinates.leave(&found.point, c);
            steps += found.iterations;
            round += round / 2;
            if !found.converged && found.iterations > 0 && steps < STEPS && together {
                let model = uncentred(m.clone(), &means);
                let here = |rows: std::ops::Range<usize>| {
                    let mut slopes = scores(x.get(rows.clone(), ..), model.as_ref());
                    (self.loss)(rows.start, &mut slopes);
                    Mat::from_fn(rows.len(), c, |i, k| (self.second)(rows.start + i, k, slopes[(i, k)]))
                };
                if let Some(joint) = Coordinates::joint(x, &means, c, here, self.penalty) {
                    coordinates = joint;
                    continue;
                }
            }
            let left = found.gradient_norm / unit;
            if left.is_nan() || left > 1e-6 {
                let text = format!("did not converge: a gradient of {left:.1e} is left after {steps} steps");
                context.warn(self.name, text);
            }
            let model = uncentred(m, &means);
            return Ok((model.get(..d, ..).to_owned(), model.get(d.., ..).to_owned()));
        }
    }

    /// What is minimised, at `m`, and its derivatives by `m`.
    fn value_and_slopes(&self, x: MatRef<'_, f64>, means: &[f64], m: Matrix) -> (f64, Matrix) {
        let d = x.ncols();
        let model = uncentred(m, means);
        let (mut value, mut slopes) = self.loss_and_slopes(x, model.as_ref());
        for k in 0..model.ncols() {
            for j in 0..d {
                value += 0.5 * self.penalty * model[(j, k)].powi(2);
                slopes[(j, k)] += self.penalty * model[(j, k)] - means[j] * slopes[(d, k)];
            }
        }
        (value, slopes)
    }

    /// The loss of the scores that `model` gives, and its derivatives by the model.
    fn loss_and_slopes(&self, x: MatRef<'_, f64>, model: MatRef<'_, f64>) -> (f64, Matrix) {
        let (n, d, c) = (x.nrows(), x.ncols(), model.ncols());
        let block = |&first: &usize| {
            let rows = x.get(first..n.min(first + ROWS), ..);
            let mut scores = scores(rows, model);
            let value = (self.loss)(first, &mut scores);
            let mut slopes = Mat::zeros(d + 1, c);
            add_product(slopes.get_mut(..d, ..), rows.transpose(), scores.as_ref(), 1.0);
            for k in 0..c {
                slopes[(d, k)] = scores.col_as_slice(k).iter().sum();
            }
            (value, slopes)
        };
        let (mut value, mut slopes) = (0.0, Mat::zeros(d + 1, c));
        let starts: Vec<usize> = (0..n).step_by(ROWS).collect();
        for wave in starts.chunks(WAVE) {
            let parts: Vec<(f64, Matrix)> = wave.par_iter().map(block).collect();
            for (part_value, part_slopes) in parts {
                value += part_value;
                slopes += part_slopes;
            }
        }
        (value, slopes)
    }
}

/// `(W; b)` for `(W; b + mean W)`.
fn uncentred(mut m: Matrix, means: &[f64]) -> Matrix {
    for k in 0..m.ncols() {
        let shift: f64 = means.iter().enumerate().map(|(j, mean)| mean * m[(j, k)]).sum();
        m[(means.len(), k)] -= shift;
    }
    m
}

/// The scores `(n, c)` of some rows by `model` `(W; b)`.
fn scores(rows: MatRef<'_, f64>, model: MatRef<'_, f64>) -> Matrix {
    let d = rows.ncols();
    let mut scores = Mat::from_fn(rows.nrows(), model.ncols(), |_, k| model[(d, k)]);
    add_product(scores.as_mut(), rows, model.get(..d, ..), 1.0);
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Σ (f - t)² / 2` with `t_i = i`, so that the minimum has a closed form.
    fn squares()
    -> LinearLoss<impl Fn(usize, &mut Matrix) -> f64 + Sync, impl Fn(usize, usize, f64) -> f64 + Sync> {
        let loss = |first: usize, scores: &mut Matrix| {
            let scores = scores.col_as_slice_mut(0).iter_mut();
            scores
                .enumerate()
                .map(|(i, f)| {
                    *f -= (first + i) as f64;
                    0.5 * *f * *f
                })
                .sum()
        };
        LinearLoss {
            name: "squares",
            loss,
            second: |_, _, _| 1.0,
            curvature: 1.0,
            start: vec![0.0],
            penalty: 2.0,
            tolerance: 1e-12,
        }
    }

    #[test]
    fn a_line_by_hand_tall_and_wide() {
        let mut context = Context::default();
        // x = 0, 1, ..: Σ (x - mean)² w + 2 w = Σ (x - mean)² with Σ (x - mean)² = 2, 1000 · 999 · 1001 / 12.
        for (n, own) in [(3, 2.0), (1000, 83_333_250.0)] {
            let x = Mat::from_fn(n, 1, |i, _| i as f64);
            let (w, b) = squares().minimize(x.as_ref(), &vec![1.0; n], &mut context).unwrap();
            let (slope, mean) = (own / (own + 2.0), (n - 1) as f64 / 2.0);
            assert!((w[(0, 0)] - slope).abs() < 1e-9 && (b[(0, 0)] - (1.0 - slope) * mean).abs() < 1e-6);
        }
        // One row with two features, t = 0: nothing to explain. Two rows x = ±(1, 1, 1), t = 0, 1: w = (1, 1, 1) s with
        // b = 1/2, 2 (3 s - 1/2) + 2 s = 0, so s = 1/8.
        let wide = Mat::from_fn(2, 3, |i, _| 2.0 * i as f64 - 1.0);
        let (w, b) = squares().minimize(wide.as_ref(), &[1.0, 1.0], &mut context).unwrap();
        assert!(
            (0..3).all(|j| (w[(j, 0)] - 0.125).abs() < 1e-9) && (b[(0, 0)] - 0.5).abs() < 1e-9,
            "{w:?} {b:?}"
        );
        assert!(context.notices().is_empty());
    }

    #[test]
    fn the_rows_are_the_same_whatever_their_strides_and_threads() {
        let x = Mat::from_fn(700, 5, |i, j| ((i * 31 + j * 17) % 101) as f64 / 7.0 - 3.0);
        let turned = x.transpose().to_owned();
        let fit =
            |x: MatRef<'_, f64>| squares().minimize(x, &vec![1.0; 700], &mut Context::default()).unwrap();
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let one = pool(1).install(|| fit(x.as_ref()));
        assert_eq!(one, pool(3).install(|| fit(x.as_ref())));
        assert!((one.0 - fit(turned.transpose()).0).norm_max() < 1e-9);
    }
}
