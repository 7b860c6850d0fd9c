//! A primal-dual interior-point method with Mehrotra's predictor and corrector for a dense quadratic programme over a
//! box cut by a slab (S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optimization
//! 1992; J. Nocedal, S. Wright, "Numerical Optimization", 2006, ch. 16.6). How ill-conditioned `K` is makes next to no
//! difference to it: 10 to 30 steps, a Cholesky factorisation each.

use faer::Mat;

use crate::linalg::{Matrix, cholesky, multiply, solve_cholesky};

/// `min ½ wᵀ K w - κᵀ w` subject to `0 ≤ w_i ≤ upper`, `sum.0 ≤ Σ w ≤ sum.1`.
pub(super) struct InteriorPoint<'a> {
    /// `K` `(n, n)`.
    pub(super) k: &'a Matrix,
    /// `κ` `(n)`.
    pub(super) linear: &'a [f64],
    /// The largest value of a variable.
    pub(super) upper: f64,
    /// The least and the largest sum.
    pub(super) sum: (f64, f64),
    /// The size of a gradient that is not small.
    pub(super) scale: f64,
}

/// Steps after which the best point so far is taken.
const STEPS: usize = 100;

/// Slacks beside their multipliers, all above 0: of `w ≥ 0`, of `w ≤ upper`, and of the two ends of the sum.
struct Point {
    slack: [Vec<f64>; 3],
    multiplier: [Vec<f64>; 3],
}

impl Point {
    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.slack.iter().flatten().copied().zip(self.multiplier.iter().flatten().copied())
    }

    /// The mean of slack times multiplier after a step of this length.
    fn gap(&self, step: &Self, length: f64) -> f64 {
        let after =
            self.pairs().zip(step.pairs()).map(|((s, m), (ds, dm))| (s + length * ds) * (m + length * dm));
        after.sum::<f64>() / self.pairs().count() as f64
    }

    /// The longest step, up to 1, that keeps everything at 0 or above.
    fn longest(&self, step: &Self) -> f64 {
        let limit = |value: f64, change: f64| if change < 0.0 { -value / change } else { 1.0 };
        let limits = self.pairs().zip(step.pairs()).map(|((s, m), (ds, dm))| limit(s, ds).min(limit(m, dm)));
        limits.fold(1.0, f64::min)
    }

    /// Goes along a step; nothing reaches 0.
    fn go(&mut self, step: &Self, length: f64) {
        let values = self.slack.iter_mut().chain(&mut self.multiplier).flatten();
        let changes = step.slack.iter().chain(&step.multiplier).flatten();
        values.zip(changes).for_each(|(v, c)| *v = (*v + length * c).max(1e-300));
    }
}

/// `K v`.
fn times(k: &Matrix, v: &[f64]) -> Vec<f64> {
    let product = multiply(k.as_ref(), Mat::from_fn(v.len(), 1, |i, _| v[i]).as_ref());
    product.col(0).iter().copied().collect()
}

impl InteriorPoint<'_> {
    /// The solution to high accuracy, variables at a bound put exactly there.
    pub(super) fn solve(&self) -> Vec<f64> {
        self.put_on_bounds(&self.approach())
    }

    fn mean_diagonal(&self) -> f64 {
        (0..self.k.nrows()).map(|i| self.k[(i, i)]).sum::<f64>() / self.k.nrows() as f64
    }

    fn approach(&self) -> Point {
        let n = self.linear.len();
        let (size, scale) = (n as f64, self.scale);
        // A slab of no width has no interior; what the widening leaves is mended at the end.
        let wide = 1e-10 * (1.0 + self.sum.0.abs());
        let (low, high) = (self.sum.0 - wide, (self.sum.1 + wide).min(size * (self.upper + 1.0)));
        let (least, most) = (low.max(0.0), high.min(size * self.upper));
        let start = size.clamp(least + 0.1 * (most - least), most - 0.1 * (most - least)) / size;
        let slack =
            [vec![start; n], vec![self.upper - start; n], vec![size * start - low, high - size * start]];
        // A slab of next to no width starts with the same product of slack and multiplier as the rest.
        let level = 0.1 * scale;
        let narrow = |slack: f64| slack < 1e-6 * start;
        let ends = slack[2].iter().map(|&s| if narrow(s) { level * start / s } else { level }).collect();
        let multiplier = [vec![level; n], vec![level; n], ends];
        let mut point = Point { slack, multiplier };
        let ridge = 1e-14 * size * self.mean_diagonal();
        for _ in 0..STEPS {
            let [w, above, ends] = &point.slack;
            let [z, u, y] = &point.multiplier;
            let product = times(self.k, w);
            let dual: Vec<f64> =
                (0..n).map(|i| product[i] - self.linear[i] - z[i] + u[i] - y[0] + y[1]).collect();
            let gap = point.pairs().map(|(s, m)| s * m).sum::<f64>() / (2.0 * size + 2.0);
            let worst = dual.iter().fold(0.0, |most: f64, r| most.max(r.abs()));
            if worst <= 1e-12 * scale && gap <= 1e-18 * scale {
                return point;
            }
            let mut sum = self.k.clone();
            for i in 0..n {
                sum[(i, i)] += z[i] / w[i] + u[i] / above[i] + ridge;
            }
            let Ok(factor) = cholesky(sum.as_ref()) else { return point };
            drop(sum);
            let solve = |b: &[f64]| {
                let mut x = Mat::from_fn(n, 1, |i, _| b[i]);
                solve_cholesky(factor.as_ref(), x.as_mut());
                x.col(0).iter().copied().collect::<Vec<f64>>()
            };
            let tie = y[0] / ends[0] + y[1] / ends[1];
            let ones = solve(&vec![1.0; n]);
            let ones_sum: f64 = ones.iter().sum();
            // Solves the linearised conditions for `slack * multiplier = wanted` in every pair.
            let direction = |wanted: [Vec<f64>; 3]| {
                let pull = |part: usize, i: usize| {
                    wanted[part][i] / point.slack[part][i] - point.multiplier[part][i]
                };
                let ends_pull = pull(2, 0) - pull(2, 1);
                let right: Vec<f64> =
                    (0..n).map(|i| -dual[i] + pull(0, i) - pull(1, i) + ends_pull).collect();
                let dw = solve(&right);
                // Not added up from the differences: at an end of the slab they cancel, and `tie` is large.
                let sum = dw.iter().sum::<f64>() / (1.0 + tie * ones_sum);
                let dw: Vec<f64> = dw.iter().zip(&ones).map(|(d, one)| d - tie * sum * one).collect();
                let slack = [dw.clone(), dw.iter().map(|d| -d).collect(), vec![sum, -sum]];
                let multiplier = [0, 1, 2].map(|part: usize| {
                    let ratio = |i: usize| point.multiplier[part][i] / point.slack[part][i];
                    (0..slack[part].len()).map(|i| pull(part, i) - ratio(i) * slack[part][i]).collect()
                });
                Point { slack, multiplier }
            };
            let probe = direction([vec![0.0; n], vec![0.0; n], vec![0.0; 2]]);
            let centre = (point.gap(&probe, point.longest(&probe)) / gap).powi(3) * gap;
            let step = direction([0, 1, 2].map(|part: usize| {
                let second_order = probe.slack[part].iter().zip(&probe.multiplier[part]).map(|(s, m)| s * m);
                second_order.map(|change| centre - change).collect()
            }));
            let length = 0.995 * point.longest(&step);
            if length.is_nan() || length < 1e-10 {
                return point;
            }
            point.go(&step, length);
        }
        point
    }

    /// The variables, those with a larger multiplier than slack put on their bound, and the sum brought inside.
    fn put_on_bounds(&self, point: &Point) -> Vec<f64> {
        let unit = self.mean_diagonal();
        let bound = |i: usize| {
            if unit * point.slack[0][i] < point.multiplier[0][i] {
                0.0
            } else if unit * point.slack[1][i] < point.multiplier[1][i] {
                self.upper
            } else {
                point.slack[0][i].min(self.upper)
            }
        };
        let mut w: Vec<f64> = (0..self.linear.len()).map(bound).collect();
        let sum: f64 = w.iter().sum();
        let free: Vec<usize> = (0..w.len()).filter(|&i| w[i] > 0.0 && w[i] < self.upper).collect();
        let missing = sum.clamp(self.sum.0, self.sum.1) - sum;
        for &i in &free {
            w[i] = (w[i] + missing / free.len() as f64).clamp(0.0, self.upper);
        }
        w
    }
}
