//! The programme of [`QuadraticProgram`](super::QuadraticProgram) where thousands of variables end above 0, for a kernel
//! of which some features `F` `(n, m)` are known, `F Fᵀ ≤ K`:
//! ```text
//! w ← argmin_v  gᵀ (v - w) + ½ (v - w)ᵀ (F Fᵀ + δ I) (v - w),   g = K w - κ,   v within the bounds of w
//! ```
//! As long as `δ` is at least the curvature that the features miss in the direction of the step, the objective falls,
//! and the answer that it comes to is that of the whole programme (D. Hunter, K. Lange, "A tutorial on MM algorithms",
//! American Statistician 2004). A step begins not at the last point but beyond it, which saves steps (A. Beck, M.
//! Teboulle, "A fast iterative shrinkage-thresholding algorithm", SIAM J. Imaging Sciences 2009). Each step is solved in
//! its dual, of which the `m` variables are those of the features:
//! ```text
//! min_p  ½ |p|² + Σ_i ψ((c - F p)_i),   c = F Fᵀ w + δ w - g,   v_i = (c - F p)_i / δ cut off at the bounds
//! ```
//! It is convex and smooth, so Newton's method with an exact line search ends after a few steps (X. Zhao, D. Sun, K.
//! Toh, "A Newton-CG augmented Lagrangian method for semidefinite programming", SIAM J. Optimization 2010).
//!
//! Cost: `8 n m + 16 m²` bytes; `O(n m²)` for a step of Newton's, and one product with `K` a round.

use faer::Mat;

use super::normal_equations::add_gram;
use super::quadratic_program::{Bounds, Solution};
use crate::error::Result;
use crate::linalg::{Matrix, cholesky, dot, multiply, select_rows, solve_cholesky, transposed_times_vector};

/// The programme.
pub struct FeatureProgram<'a, T> {
    /// `F` `(n, m)`.
    pub features: Matrix,
    /// `K[:, which] w` for some columns and as many numbers `(n)`.
    pub times: T,
    /// `κ` `(n)`.
    pub linear: &'a [f64],
    /// What the variables must keep to.
    pub bounds: Bounds,
}

/// The residual that is aimed at, relative to the largest `|κ_i|`.
const TOLERANCE: f64 = 1e-4;

/// Rounds after which the best point so far is taken.
const ROUNDS: usize = 60;

/// The first damping, in units of what the features miss of the diagonal: what they miss is spread over directions.
const START: f64 = 30.0;

/// The damping of a round, in units of what the features missed in the last one.
const MARGIN: f64 = 1.5;

/// Steps of Newton's method in a round.
const STEPS: usize = 50;

/// Rows whose features are multiplied at once.
const ROWS: usize = 1024;

impl<T: Fn(&[usize], &[f64]) -> Vec<f64>> FeatureProgram<'_, T> {
    /// Solves the programme. The result has the same bits on any number of threads.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if no point meets the bounds or a number is not finite.
    pub fn solve(&self) -> Result<Solution> {
        self.bounds.check(self.linear)?;
        let n = self.linear.len();
        let scale = self.linear.iter().fold(1.0, |most: f64, v| most.max(v.abs()));
        let all: Vec<usize> = (0..n).collect();
        let mut here = Point { weights: vec![0.0; n], gradient: self.linear.iter().map(|v| -v).collect() };
        let mut from = here.clone();
        let mut damping = START * self.missed();
        let mut dual = Dual::new(self);
        let (mut rounds, mut residual, mut momentum) = (0, f64::INFINITY, 1.0_f64);
        while rounds < ROUNDS && residual > TOLERANCE * scale {
            rounds += 1;
            let next = self.at(dual.step(&from, damping)?);
            let change = from.to(&next);
            let known = transposed_times_vector(self.features.as_ref(), &change.weights);
            let bent = dot(&change.weights, &change.gradient) - dot(&known, &known);
            let missed = bent / dot(&change.weights, &change.weights).max(f64::MIN_POSITIVE);
            if missed > damping {
                damping = MARGIN * missed; // the objective might have risen
                continue;
            }
            damping = (MARGIN * missed).max(damping / 4.0);
            if next.objective(self.linear) > here.objective(self.linear) {
                if momentum <= 1.0 {
                    break; // all digits are used up
                }
                (from, momentum) = (here.clone(), 1.0); // gone too far
                continue;
            }
            let y = self.bounds.multiplier(&all, &next.weights, &next.gradient);
            residual = self.bounds.violation(&all, &next.weights, &next.gradient, y);
            let after = f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
            from = next.beyond(&here, (momentum - 1.0) / after);
            (here, momentum) = (next, after);
        }
        let objective = here.objective(self.linear);
        let converged = residual <= TOLERANCE * scale;
        Ok(Solution { weights: here.weights, objective, residual, rounds, converged })
    }

    /// These variables with their gradient.
    fn at(&self, weights: Vec<f64>) -> Point {
        let above: Vec<usize> = (0..weights.len()).filter(|&i| weights[i] > 0.0).collect();
        let values: Vec<f64> = above.iter().map(|&i| weights[i]).collect();
        let mut gradient = (self.times)(&above, &values);
        gradient.iter_mut().zip(self.linear).for_each(|(g, l)| *g -= l);
        Point { weights, gradient }
    }

    /// The mean of what the features miss of the diagonal of a kernel, which is 1.
    fn missed(&self) -> f64 {
        let (n, m) = self.features.shape();
        let known: f64 = (0..m).map(|j| self.features.col(j).squared_norm_l2()).sum();
        (1.0 - known / n as f64).max(1e-6)
    }
}

/// Variables, and the gradient there, which is as linear as they are.
#[derive(Clone)]
struct Point {
    weights: Vec<f64>,
    gradient: Vec<f64>,
}

impl Point {
    /// `wᵀ K w / 2 - κᵀ w`; the gradient is `K w - κ`.
    fn objective(&self, linear: &[f64]) -> f64 {
        0.5 * (dot(&self.weights, &self.gradient) - dot(&self.weights, linear))
    }

    /// The point that lies as far behind this one as `part` of the way from `before`.
    fn beyond(&self, before: &Self, part: f64) -> Self {
        let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + part * (a - b)).collect();
        Self { weights: add(&self.weights, &before.weights), gradient: add(&self.gradient, &before.gradient) }
    }

    /// The way to another point.
    fn to(&self, other: &Self) -> Self {
        let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self { weights: less(&other.weights, &self.weights), gradient: less(&other.gradient, &self.gradient) }
    }
}

/// The dual of a step, which begins where that of the last one ended.
struct Dual<'a> {
    features: &'a Matrix,
    bounds: &'a Bounds,
    /// A variable a feature, and the multiplier of the sum.
    point: Vec<f64>,
}

impl<'a> Dual<'a> {
    fn new<T>(program: &'a FeatureProgram<'_, T>) -> Self {
        let point = vec![0.0; program.features.ncols() + 1];
        Self { features: &program.features, bounds: &program.bounds, point }
    }

    /// The best variables near a point in the eyes of the features and the damping.
    fn step(&mut self, from: &Point, damping: f64) -> Result<Vec<f64>> {
        let Point { weights, gradient } = from;
        let known = transposed_times_vector(self.features.as_ref(), weights);
        let seen = self.times(&known);
        let wanted: Vec<f64> =
            (0..weights.len()).map(|i| seen[i] + damping * weights[i] - gradient[i]).collect();
        *self.point.last_mut().expect("the multiplier") = 0.0;
        let free = self.minimize(&wanted, damping, None)?;
        let sum: f64 = free.iter().sum();
        let (low, high) = self.bounds.sum;
        if (low..=high).contains(&sum) {
            return Ok(free);
        }
        self.minimize(&wanted, damping, Some(sum.clamp(low, high)))
    }

    /// `F p`.
    fn times(&self, p: &[f64]) -> Vec<f64> {
        let m = self.features.ncols();
        let product = multiply(self.features.as_ref(), Mat::from_fn(m, 1, |j, _| p[j]).as_ref());
        product.col(0).iter().copied().collect()
    }

    /// The variables at the least of the dual, their sum as it is or at this end.
    fn minimize(&mut self, wanted: &[f64], damping: f64, end: Option<f64>) -> Result<Vec<f64>> {
        let (n, m) = self.features.shape();
        let cut = |left: f64| (left / damping).clamp(0.0, self.bounds.upper);
        for step in 0..STEPS {
            let y = self.point[m];
            let left: Vec<f64> =
                self.times(&self.point[..m]).iter().zip(wanted).map(|(f, c)| c - f - y).collect();
            let w: Vec<f64> = left.iter().map(|v| cut(*v)).collect();
            let mut slope = transposed_times_vector(self.features.as_ref(), &w);
            slope.iter_mut().zip(&self.point).for_each(|(s, p)| *s = p - *s);
            let sum: f64 = w.iter().sum();
            slope.push(end.map_or(0.0, |end| end - sum));
            let steepest = slope.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
            let size = self.point.iter().fold(sum, |most: f64, p| most.max(p.abs()));
            if steepest <= 1e-9 * size || step + 1 == STEPS {
                return Ok(w);
            }
            let inside: Vec<usize> =
                (0..n).filter(|&i| left[i] > 0.0 && left[i] < damping * self.bounds.upper).collect();
            let direction = self.newton(&inside, damping, &slope, end.is_some())?;
            let along = self.times(&direction[..m]);
            // The slope along the direction rises with the length.
            let slope_at = |length: f64| -> f64 {
                let own: f64 = (0..m).map(|j| (self.point[j] + length * direction[j]) * direction[j]).sum();
                let of = |i: usize| {
                    let fall = along[i] + direction[m];
                    fall * cut(left[i] - length * fall)
                };
                own + end.unwrap_or(0.0) * direction[m] - (0..n).map(of).sum::<f64>()
            };
            let length = first_zero(slope_at);
            self.point.iter_mut().zip(&direction).for_each(|(p, d)| *p += length * d);
        }
        unreachable!("the last step returns")
    }

    /// `-H⁻¹ slope` with `H = I + F_Iᵀ F_I / δ` over the variables inside their bounds, and a row for the sum.
    fn newton(&self, inside: &[usize], damping: f64, slope: &[f64], with_sum: bool) -> Result<Vec<f64>> {
        let m = self.features.ncols();
        let mut h = Mat::zeros(m + 1, m + 1);
        for rows in inside.chunks(ROWS) {
            let mut block = Mat::zeros(rows.len(), m + 1);
            block.get_mut(.., ..m).copy_from(select_rows(self.features.as_ref(), rows));
            if with_sum {
                block.col_mut(m).fill(1.0);
            }
            add_gram(&mut h, block.as_ref());
        }
        for j in 0..=m {
            h.col_mut(j).iter_mut().skip(j).for_each(|v| *v /= damping);
            h[(j, j)] += 1.0;
        }
        let mut direction = Mat::from_fn(m + 1, 1, |j, _| -slope[j]);
        solve_cholesky(cholesky(h.as_ref())?.as_ref(), direction.as_mut());
        Ok(direction.col(0).iter().copied().collect())
    }
}

/// Where a rising function between 0 and 1 is near 0, or 1 where it is below 0 up to there.
fn first_zero(slope: impl Fn(f64) -> f64) -> f64 {
    let (mut from, mut to) = (0.0, 1.0);
    let (begin, end) = (slope(0.0), slope(1.0));
    if end <= 0.1 * begin.abs() {
        return 1.0;
    }
    for _ in 0..20 {
        let middle = f64::midpoint(from, to);
        let value = slope(middle);
        if value.abs() <= 0.1 * begin.abs() {
            return middle;
        }
        if value < 0.0 { from = middle } else { to = middle }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, gaussian_kernel};
    use crate::solvers::{Nystrom, QuadraticProgram};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn solve(k: &Matrix, features: Matrix, linear: &[f64], upper: f64, sum: (f64, f64)) -> Solution {
        let times = |which: &[usize], w: &[f64]| {
            (0..k.nrows()).map(|i| which.iter().zip(w).map(|(&j, w)| k[(i, j)] * w).sum()).collect()
        };
        FeatureProgram { features, times, linear, bounds: Bounds { upper, sum } }.solve().unwrap()
    }

    fn close(found: &Solution, expected: &[f64]) {
        for (ours, expected) in found.weights.iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-3, "{:?}", found.weights);
        }
        assert!(found.converged);
    }

    #[test]
    fn two_variables_by_hand() {
        let k = from_rows(&[vec![1.0, 0.0], vec![0.0, 1.0]]);
        // The second is missed by the features.
        for root in [from_rows(&[vec![1.0], vec![0.0]]), k.clone()] {
            let solve = |linear: &[f64], upper, sum| solve(&k, root.clone(), linear, upper, sum);
            close(&solve(&[1.0, 3.0], 10.0, (0.0, 100.0)), &[1.0, 3.0]); // nothing binds
            close(&solve(&[1.0, 3.0], 2.0, (0.0, 100.0)), &[1.0, 2.0]); // the upper bound
            close(&solve(&[1.0, -3.0], 2.0, (0.0, 100.0)), &[1.0, 0.0]); // the lower bound
            close(&solve(&[1.0, 3.0], 10.0, (2.0, 2.0)), &[0.0, 2.0]); // the sum: a - 1 = b - 3
            close(&solve(&[1.0, 3.0], 10.0, (7.0, 9.0)), &[2.5, 4.5]); // its lower end
        }
    }

    #[test]
    fn the_objective_is_that_of_the_exact_answer() {
        let n = 1500;
        let x = Matrix::from_fn(n, 3, |i, j| ((i * 37 + j * 101 + i * i * (j + 1)) % 997) as f64 / 400.0);
        let linear: Vec<f64> = (0..n).map(|i| 30.0 * (-x[(i, 0)]).exp() + (i % 5) as f64).collect();
        for (bandwidth, upper, sum) in
            [(0.4, 50.0, (150.0, 3000.0)), (0.4, 0.5, (400.0, 410.0)), (1e-3, 9.0, (9.0, 9.0))]
        {
            let k = gaussian_kernel(x.as_ref(), x.as_ref(), bandwidth);
            let part =
                |which: &[usize]| Matrix::from_fn(which.len(), which.len(), |i, j| k[(which[i], which[j])]);
            let times = |which: &[usize], w: &[f64]| {
                (0..n).map(|i| which.iter().zip(w).map(|(&j, w)| k[(i, j)] * w).sum()).collect()
            };
            let bounds = Bounds { upper, sum };
            let exact =
                QuadraticProgram { part, times, linear: &linear, bounds, most: n }.solve().unwrap().unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let features = Nystrom::new(x.as_ref(), 150, bandwidth, &mut rng).unwrap().features;
            let found = solve(&k, features, &linear, upper, sum);
            assert!(found.converged, "{:e} after {} rounds", found.residual, found.rounds);
            let off = (found.objective - exact.objective).abs() / exact.objective.abs();
            assert!(off < 1e-3, "bandwidth {bandwidth}: {off:e}");
            let whole: f64 = found.weights.iter().sum();
            assert!(
                found.weights.iter().all(|w| (0.0..=upper).contains(w))
                    && (sum.0 - 1e-6..sum.1 + 1e-6).contains(&whole)
            );
        }
    }

    #[test]
    fn bounds_that_exclude_each_other_are_an_error() {
        let bounds = Bounds { upper: 1.0, sum: (2.0, 3.0) };
        let times = |_: &[usize], _: &[f64]| vec![0.0];
        let program = FeatureProgram { features: Matrix::zeros(1, 1), times, linear: &[1.0], bounds };
        assert!(program.solve().unwrap_err().to_string().contains("from 2 to 3"));
    }
}
