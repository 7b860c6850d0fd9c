//! The ratio of two densities as a sum of Gaussian bumps fitted by least squares, without either density.
//!
//! T. Kanamori, S. Hido, M. Sugiyama, "A least-squares approach to direct importance estimation", JMLR 10, 2009; M.
//! Yamada, T. Suzuki, T. Kanamori, H. Hachiya, M. Sugiyama, "Relative density-ratio estimation for robust distribution
//! comparison", Neural Computation 25, 2013. With the bumps `φ(x)_l = exp(-|x - c_l|² / (2 width²))`:
//! ```text
//! r(x) = p_t(x) / (share p_t(x) + (1 - share) p_s(x)) ≈ θᵀφ(x),   θ = max(0, (H + penalty I)⁻¹ h)
//! H = share mean_t φφᵀ + (1 - share) mean_s φφᵀ,   h = mean_t φ                                        (1)
//! ```
//! Width and penalty have the least mean, over pairs of a source row `s` and a target row `t`, of
//! ```text
//! share (θ'ᵀφ(t))² / 2 + (1 - share) (θ'ᵀφ(s))² / 2 - θ'ᵀφ(t)                                          (2)
//! ```
//! where `θ'` is fitted without that pair. Leaving it out takes two rank-one terms from `H`, so that `θ'` comes from one
//! decomposition for all pairs and penalties:
//! ```text
//! H' + penalty I = B - q φ(s)φ(s)ᵀ - p φ(t)φ(t)ᵀ,   q = (1 - share) / (n_s - 1),   p = share / (n_t - 1)
//! B = share n_t / (n_t - 1) mean_t φφᵀ + (1 - share) n_s / (n_s - 1) mean_s φφᵀ + penalty I
//! (B - V D Vᵀ)⁻¹ = B⁻¹ + B⁻¹ V (I - D VᵀB⁻¹V)⁻¹ D VᵀB⁻¹,   V = (φ(s), φ(t)),   D = diag(q, p)           (3)
//! ```
//! With `share` 0 this is the score of Kanamori et al., section 2.4; with a share above 0 it is its counterpart.
//!
//! Cost: `O(n b (d + b))` a width for `b` centres, `O(b² pairs)` a width and penalty; `O(b² + b pairs)` memory beside
//! blocks of rows.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef};

use super::drawn_rows::{DrawnRows, WIDTHS};
use super::mean_one::mean_one;
use super::normal_equations::{add_gram, solve_shifted};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, PAR, dot, gaussian_kernel, gaussian_kernel_times, multiply, symmetric_eigen};

/// Rows that are worked on together.
const ROWS: usize = 8192;
/// The most pairs that are left out in turn.
const PAIRS: usize = 5000;
/// Penalties that are tried, the largest first.
const PENALTIES: [f64; 9] = [10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001];

/// What is estimated, and from what.
pub struct LeastSquaresRatio<'a> {
    /// Who asks, for messages.
    pub name: &'static str,
    /// Rows of the denominator `(n_s, d)`.
    pub source: MatRef<'a, f64>,
    /// Rows of the numerator `(n_t, d)`.
    pub target: MatRef<'a, f64>,
    /// The part of the numerator in the denominator; 0 or above, below 1.
    pub share: f64,
}

impl LeastSquaresRatio<'_> {
    /// The ratios at the source rows `(n_s)`, none above `bound`, scaled to mean 1; all 1, with a warning, where none is
    /// above 0. For the other arguments and the errors see [`LeastSquaresRatio::at_source_rows`].
    ///
    /// # Errors
    /// As [`LeastSquaresRatio::at_source_rows`].
    pub fn weights(
        &self,
        centers: usize,
        width: Option<f64>,
        penalty: Option<f64>,
        bound: Option<f64>,
        context: &mut Context,
    ) -> Result<Vec<f64>> {
        let ratios = self.at_source_rows(centers, width, penalty, context)?;
        Ok(mean_one(ratios, bound).unwrap_or_else(|| {
            let text = "no source row is like the target at this bandwidth: all weigh the same";
            context.warn(self.name, text);
            vec![1.0; self.source.nrows()]
        }))
    }

    /// The estimated ratio at each source row `(n_s)`, never below 0. Up to `centers` target rows, drawn by the seed,
    /// bear the bumps; a width or penalty that is not given is chosen by (2) over at most 5,000 pairs.
    ///
    /// # Errors
    /// [`Memory`](crate::error::Error::Memory) if the equations do not fit,
    /// [`Numeric`](crate::error::Error::Numeric) if the rows are not finite.
    pub fn at_source_rows(
        &self,
        centers: usize,
        width: Option<f64>,
        penalty: Option<f64>,
        context: &mut Context,
    ) -> Result<Vec<f64>> {
        let drawn = DrawnRows::new(self.source, self.target, context);
        let centers = drawn.target(centers);
        let pairs = self.source.nrows().min(self.target.nrows()).min(PAIRS);
        let b = centers.nrows();
        context.require(
            &format!("the equations of `{}`", self.name),
            8 * (b * (5 * b + ROWS + 5 * pairs)) as u64,
        )?;
        let (width, penalty) = if let (Some(width), Some(penalty)) = (width, penalty) {
            (width, penalty)
        } else {
            self.choose(&drawn, &centers, (width, penalty), pairs, context)?
        };
        let theta = self.fit(&centers, width, penalty)?;
        let ratios = gaussian_kernel_times(self.source, centers.as_ref(), width, theta.as_ref());
        Ok(ratios.col(0).iter().copied().collect())
    }

    /// The width and penalty of the least score, of those that are not given.
    fn choose(
        &self,
        drawn: &DrawnRows<'_>,
        centers: &Matrix,
        (width, penalty): (Option<f64>, Option<f64>),
        pairs: usize,
        context: &mut Context,
    ) -> Result<(f64, f64)> {
        let median = drawn.median_distance(context);
        let widths = width.map_or_else(|| WIDTHS.map(|w| w * median).to_vec(), |width| vec![width]);
        let penalties = penalty.map_or_else(|| PENALTIES.to_vec(), |penalty| vec![penalty]);
        let left_out = (drawn.source(pairs), drawn.target(pairs));
        let mut best = (f64::INFINITY, width.unwrap_or(median), penalty.unwrap_or(0.1));
        for (round, &width) in widths.iter().enumerate() {
            context.progress(self.name, round, widths.len());
            let scores = self.left_out_scores(centers, width, &penalties, &left_out)?;
            for (score, &penalty) in scores.into_iter().zip(&penalties) {
                if score < best.0 {
                    best = (score, width, penalty);
                }
            }
        }
        if best.0 == f64::INFINITY {
            context.warn(self.name, "a side has one row: a width that is not given is the median distance");
        }
        Ok((best.1, best.2))
    }

    /// `θ` `(b, 1)` of (1).
    ///
    /// # Errors
    /// [`Numeric`](crate::error::Error::Numeric) if the rows are not finite.
    pub fn fit(&self, centers: &Matrix, width: f64, penalty: f64) -> Result<Matrix> {
        let (h, squares) = self.moments(centers, width, [1.0 - self.share, self.share]);
        let mut theta = solve_shifted(squares, penalty, h)?;
        theta.col_as_slice_mut(0).iter_mut().for_each(|v| *v = v.max(0.0));
        Ok(theta)
    }

    /// The mean of (2) for each penalty, over pairs of the first, second, … of these source and target rows. Infinite
    /// if a side has a single row, without which nothing can be fitted.
    ///
    /// # Errors
    /// [`Numeric`](crate::error::Error::Numeric) if the rows are not finite.
    pub fn left_out_scores(
        &self,
        centers: &Matrix,
        width: f64,
        penalties: &[f64],
        (sources, targets): &(Matrix, Matrix),
    ) -> Result<Vec<f64>> {
        let (n_s, n_t) = (self.source.nrows() as f64, self.target.nrows() as f64);
        if n_s < 2.0 || n_t < 2.0 {
            return Ok(vec![f64::INFINITY; penalties.len()]);
        }
        let parts = [(1.0 - self.share) * n_s / (n_s - 1.0), self.share * n_t / (n_t - 1.0)];
        let (h, squares) = self.moments(centers, width, parts);
        let (values, vectors) = symmetric_eigen(squares.as_ref())?;
        let turned = |rows: &Matrix| {
            let bumps = gaussian_kernel(centers.as_ref(), rows.as_ref(), width);
            let inside = multiply(vectors.transpose(), bumps.as_ref());
            (bumps, inside)
        };
        let ((at_source, s), (at_target, t)) = (turned(sources), turned(targets));
        let h = multiply(vectors.transpose(), h.as_ref());
        let (q, p) = ((1.0 - self.share) / (n_s - 1.0), self.share / (n_t - 1.0));
        let mut mixed = Mat::zeros(s.nrows(), s.ncols());
        let mut scores = Vec::new();
        for penalty in penalties {
            let inverse: Vec<f64> = values.iter().map(|v| 1.0 / (v.max(0.0) + penalty)).collect();
            for i in 0..s.ncols() {
                let (s, t, out) = (s.col_as_slice(i), t.col_as_slice(i), mixed.col_as_slice_mut(i));
                let (mut ss, mut st, mut tt, mut s_rest, mut t_rest) = (0.0, 0.0, 0.0, 0.0, 0.0);
                for k in 0..out.len() {
                    let rest = (n_t * h[(k, 0)] - t[k]) / (n_t - 1.0); // h without the pair
                    let (by_s, by_t) = (inverse[k] * s[k], inverse[k] * t[k]);
                    ss += by_s * s[k];
                    st += by_s * t[k];
                    tt += by_t * t[k];
                    s_rest += by_s * rest;
                    t_rest += by_t * rest;
                    out[k] = rest;
                }
                let [[a, b], [c, d]] = [[1.0 - q * ss, -q * st], [-p * st, 1.0 - p * tt]];
                let (right_s, right_t, determinant) = (q * s_rest, p * t_rest, a * d - b * c);
                let along_s = (d * right_s - b * right_t) / determinant;
                let along_t = (a * right_t - c * right_s) / determinant;
                for k in 0..out.len() {
                    out[k] = inverse[k] * (out[k] + along_s * s[k] + along_t * t[k]);
                }
            }
            let mut theta = multiply(vectors.as_ref(), mixed.as_ref());
            let mut sum = 0.0;
            for i in 0..theta.ncols() {
                let theta = theta.col_as_slice_mut(i);
                for v in theta.iter_mut() {
                    *v = v.max(0.0);
                }
                let (r_s, r_t) =
                    (dot(theta, at_source.col_as_slice(i)), dot(theta, at_target.col_as_slice(i)));
                sum += 0.5 * (self.share * r_t * r_t + (1.0 - self.share) * r_s * r_s) - r_t;
            }
            scores.push(sum / theta.ncols() as f64);
        }
        Ok(scores)
    }

    /// `h` `(b, 1)`, and the lower triangle of the sum of `mean_s φφᵀ` and `mean_t φφᵀ` with these factors.
    fn moments(&self, centers: &Matrix, width: f64, factors: [f64; 2]) -> (Matrix, Matrix) {
        let b = centers.nrows();
        let (mut mean, mut sum) = (Mat::zeros(b, 1), Mat::zeros(b, b));
        for (side, rows) in [self.source, self.target].into_iter().enumerate() {
            let n = rows.nrows();
            let mut squares = Mat::zeros(b, b);
            for first in (0..n).step_by(ROWS) {
                let block = rows.get(first..n.min(first + ROWS), ..);
                let bumps = gaussian_kernel(centers.as_ref(), block, width);
                if factors[side] > 0.0 {
                    add_gram(&mut squares, bumps.transpose());
                }
                if side == 1 {
                    let ones = Mat::from_fn(bumps.ncols(), 1, |_, _| 1.0 / n as f64);
                    matmul(mean.as_mut(), Accum::Add, bumps.as_ref(), ones.as_ref(), 1.0, PAR);
                }
            }
            for j in 0..b {
                for i in j..b {
                    sum[(i, j)] += factors[side] / n as f64 * squares[(i, j)];
                }
            }
        }
        (mean, sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, select_rows};

    fn ratio<'a>(source: &'a Matrix, target: &'a Matrix, share: f64) -> LeastSquaresRatio<'a> {
        LeastSquaresRatio { name: "test", source: source.as_ref(), target: target.as_ref(), share }
    }

    fn rows(n: usize, d: usize, scale: f64, shift: f64) -> Matrix {
        Mat::from_fn(n, d, |i, j| ((i * 37 + j * 101 + i * i * (j + 1)) % 97) as f64 / 30.0 * scale + shift)
    }

    /// One centre at 0, a source row at 0 and one far away, a target row at 0: `H = 1/2`, `h = 1`.
    #[test]
    fn one_bump_by_hand() {
        let (source, target) = (from_rows(&[vec![0.0], vec![1e3]]), from_rows(&[vec![0.0]]));
        for (share, expected) in [(0.0, 1.0 / (0.5 + 0.25)), (0.5, 1.0 / (0.75 + 0.25))] {
            let ratio = ratio(&source, &target, share);
            let theta = ratio.fit(&target, 1.0, 0.25).unwrap();
            assert!((theta[(0, 0)] - expected).abs() < 1e-14, "{theta:?}");
            let found = ratio.at_source_rows(5, Some(1.0), Some(0.25), &mut Context::default()).unwrap();
            assert!((found[0] - expected).abs() < 1e-14 && found[1] == 0.0, "{found:?}");
        }
    }

    /// Each pair is left out in turn and the rest fitted anew.
    #[test]
    fn the_scores_are_those_of_refits_without_each_pair() {
        let (source, target) = (rows(14, 2, 1.0, 0.0), rows(11, 2, 0.6, 0.7));
        let centers = select_rows(target.as_ref(), &[0, 3, 4, 9, 9]);
        for share in [0.0, 0.3] {
            let all = ratio(&source, &target, share);
            let penalties = [0.001, 0.1, 2.0];
            let pairs = (source.get(..11, ..).to_owned(), target.clone());
            let scores = all.left_out_scores(&centers, 0.9, &penalties, &pairs).unwrap();
            for (score, &penalty) in scores.iter().zip(&penalties) {
                let mut sum = 0.0;
                for left in 0..11 {
                    let without = |x: &Matrix| {
                        let kept: Vec<usize> = (0..x.nrows()).filter(|&i| i != left).collect();
                        select_rows(x.as_ref(), &kept)
                    };
                    let (s, t) = (without(&source), without(&target));
                    let theta = ratio(&s, &t, share).fit(&centers, 0.9, penalty).unwrap();
                    let at = |x: &Matrix| {
                        let row = x.get(left..left + 1, ..);
                        gaussian_kernel_times(row, centers.as_ref(), 0.9, theta.as_ref())[(0, 0)]
                    };
                    let (r_s, r_t) = (at(&source), at(&target));
                    sum += 0.5 * (share * r_t * r_t + (1.0 - share) * r_s * r_s) - r_t;
                }
                assert!((score - sum / 11.0).abs() < 1e-11, "{score} for {}", sum / 11.0);
            }
        }
    }

    #[test]
    fn one_row_a_side_and_rows_all_the_same_have_an_answer() {
        let (source, target) = (rows(5, 1, 1.0, 0.0), rows(1, 1, 1.0, 0.5));
        let same = Mat::from_fn(6, 1, |_, _| 2.0);
        for (s, t) in [(&source, &target), (&same, &same), (&target, &source)] {
            let found = ratio(s, t, 0.1).at_source_rows(100, None, None, &mut Context::default()).unwrap();
            assert!(found.iter().all(|r| r.is_finite() && *r >= 0.0), "{found:?}");
        }
    }
}
