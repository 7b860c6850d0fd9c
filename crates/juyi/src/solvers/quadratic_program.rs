//! A convex quadratic programme over a box cut by a slab, for a kernel that is never held whole:
//! ```text
//! min ½ wᵀ K w - κᵀ w    subject to    0 ≤ w_i ≤ upper,    low ≤ Σ w ≤ high
//! ```
//! Most variables end at 0. So the programme is solved by [`InteriorPoint`] on a working set, the others at 0; those
//! whose gradient says that they want to rise join it, those that it left at 0 leave it, until nobody wants to move (E.
//! Osuna, R. Freund, F. Girosi, "Training support vector machines", CVPR 1997). The objective falls in every round, so
//! it ends, and the answer is that of the whole programme.
//!
//! Few join at a time, and no two that are alike: where one of many neighbours wants to rise all do, and one is enough.
//! In two dimensions that is the difference between working sets of 100 and of 500.
//!
//! Cost: `16 s²` bytes and `O(s³)` a step for `s` variables above 0, and one product with `s` columns of `K` a round.

use super::interior_point::InteriorPoint;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, dot};

/// The programme; `K` `(n, n)` is symmetric positive semidefinite and known by its parts.
pub struct QuadraticProgram<'a, P, T> {
    /// The rows and columns of `K` with these numbers, as a matrix.
    pub part: P,
    /// `K[:, which] w` for some columns and as many numbers `(n)`.
    pub times: T,
    /// `κ` `(n)`.
    pub linear: &'a [f64],
    /// What the variables must keep to.
    pub bounds: Bounds,
    /// The most variables that the working set may hold.
    pub most: usize,
}

/// What the variables must keep to.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The largest value of a variable. Above 0.
    pub upper: f64,
    /// The least and the largest sum of the variables.
    pub sum: (f64, f64),
}

impl Bounds {
    /// Checks that some point keeps to them, and that the numbers `κ` are finite.
    pub(super) fn check(&self, linear: &[f64]) -> Result<()> {
        let (Self { upper, sum: (low, high) }, n) = (*self, linear.len());
        let failed = |why: String| Err(Error::Numeric { what: "the quadratic programme".into(), why });
        let possible = low <= high && high > 0.0 && n as f64 * upper >= low;
        if !(upper > 0.0 && upper.is_finite() && possible) {
            return failed(format!("no {n} numbers from 0 to {upper} have a sum from {low} to {high}"));
        }
        if linear.iter().any(|v| !v.is_finite()) {
            return failed("a number is not finite".into());
        }
        Ok(())
    }

    /// The largest and the least gradient among the variables `which` that could fall and that could rise.
    fn extremes(&self, which: &[usize], w: &[f64], gradient: &[f64]) -> (f64, f64) {
        let falling = which.iter().filter(|&&i| w[i] > 0.0).map(|&i| gradient[i]);
        let rising = which.iter().filter(|&&i| w[i] < self.upper).map(|&i| gradient[i]);
        (falling.fold(f64::NEG_INFINITY, f64::max), rising.fold(f64::INFINITY, f64::min))
    }

    /// The multiplier `y` of the sum that makes the violation least; 0 inside the slab, at most 0 at its lower end, at
    /// least 0 at its upper end.
    pub(super) fn multiplier(&self, which: &[usize], w: &[f64], gradient: &[f64]) -> f64 {
        let (most, least) = self.extremes(which, w, gradient);
        let sum: f64 = w.iter().sum();
        let near = |end: f64| (sum - end).abs() <= 1e-9 * (1.0 + end.abs());
        let from = if near(self.sum.0) { f64::NEG_INFINITY } else { 0.0 };
        let to = if near(self.sum.1) { f64::INFINITY } else { 0.0 };
        let best = match (most.is_finite(), least.is_finite()) {
            (true, true) => -0.5 * (most + least),
            (true, false) => -most,
            _ => -least,
        };
        best.clamp(from, to)
    }

    /// The largest violation: `g_i + y` must not be below 0 where `w_i` can rise nor above 0 where it can fall, and the
    /// sum must lie in the slab.
    pub(super) fn violation(&self, which: &[usize], w: &[f64], gradient: &[f64], y: f64) -> f64 {
        let (most, least) = self.extremes(which, w, gradient);
        let sum: f64 = w.iter().sum();
        (most + y).max(-least - y).max(self.sum.0 - sum).max(sum - self.sum.1).max(0.0)
    }
}

/// What [`QuadraticProgram::solve`] found.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The variables `(n)`, within their bounds.
    pub weights: Vec<f64>,
    /// `½ wᵀ K w - κᵀ w`.
    pub objective: f64,
    /// The largest violation of the optimality conditions, in units of the gradient `K w - κ`.
    pub residual: f64,
    /// Working sets that were tried.
    pub rounds: usize,
    /// Whether the residual is at most `1e-8` times the largest `|κ_i|`, or times 1.
    pub converged: bool,
}

/// The residual that is aimed at, relative to the largest `|κ_i|`.
const TOLERANCE: f64 = 1e-8;

/// Variables that join the working set in a round, at most; half as many as it has, if that is more.
const JOIN: usize = 100;

/// Two variables are alike when `K_ij²` is at least this part of `K_ii K_jj`.
const ALIKE: f64 = 0.9;

/// Rounds after which the search is given up.
const ROUNDS: usize = 200;

impl<P: Fn(&[usize]) -> Matrix, T: Fn(&[usize], &[f64]) -> Vec<f64>> QuadraticProgram<'_, P, T> {
    /// Solves the programme; `None` if the working set outgrows what it may hold. The result has the same bits on any
    /// number of threads.
    ///
    /// # Errors
    /// [`Error::Numeric`] if no point meets the bounds or a number is not finite.
    pub fn solve(&self) -> Result<Option<Solution>> {
        self.bounds.check(self.linear)?;
        let (Bounds { upper, sum }, n) = (self.bounds, self.linear.len());
        let scale = self.linear.iter().fold(1.0, |most: f64, v| most.max(v.abs()));
        // Enough variables to reach the least sum with room to move, those that want to rise most.
        let enough = ((2.0 * sum.0.max(0.0) / upper).ceil() as usize).min(n);
        let first = (enough + JOIN).min(n);
        if first > self.most {
            return Ok(None);
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| self.linear[b].total_cmp(&self.linear[a]).then(a.cmp(&b)));
        let (needed, others) = order.split_at(enough);
        let mut set = [needed, &self.unlike(others, JOIN)].concat();
        let mut rounds = 0;
        loop {
            rounds += 1;
            set.sort_unstable();
            let linear: Vec<f64> = set.iter().map(|&i| self.linear[i]).collect();
            let k = (self.part)(&set);
            let w = InteriorPoint { k: &k, linear: &linear, upper, sum, scale }.solve();
            drop(k);
            let mut gradient = (self.times)(&set, &w);
            gradient.iter_mut().zip(self.linear).for_each(|(g, l)| *g -= l);
            let mut weights = vec![0.0; n];
            set.iter().zip(&w).for_each(|(&i, w)| weights[i] = *w);
            let multiplier = self.bounds.multiplier(&set, &weights, &gradient);
            let mut inside = vec![false; n];
            for &i in &set {
                inside[i] = true;
            }
            let mut rising: Vec<usize> = (0..n)
                .filter(|&i| !inside[i] && gradient[i] + multiplier < -0.5 * TOLERANCE * scale)
                .collect();
            rising.sort_by(|&a, &b| gradient[a].total_cmp(&gradient[b]).then(a.cmp(&b)));
            let staying: Vec<usize> = set.iter().copied().filter(|&i| weights[i] > 0.0).collect();
            let joining = self.unlike(&rising, JOIN.max(set.len() / 2));
            if staying.len() + joining.len() > self.most {
                return Ok(None);
            }
            if joining.is_empty() || rounds == ROUNDS {
                let all: Vec<usize> = (0..n).collect();
                let residual = self.bounds.violation(
                    &all,
                    &weights,
                    &gradient,
                    self.bounds.multiplier(&all, &weights, &gradient),
                );
                // wᵀ K w = wᵀ (gradient + κ)
                let objective = 0.5 * (dot(&weights, &gradient) - dot(&weights, self.linear));
                let converged = residual <= TOLERANCE * scale;
                return Ok(Some(Solution { weights, objective, residual, rounds, converged }));
            }
            set = [staying, joining].concat();
        }
    }

    /// The first `count` of the variables `ranked` of which no two are alike.
    fn unlike(&self, ranked: &[usize], count: usize) -> Vec<usize> {
        if ranked.len() <= count {
            return ranked.to_vec();
        }
        // Their part of `K` is no larger than that of the working set.
        let looked_at = &ranked[..ranked.len().min((2 * count).max(4 * JOIN))];
        let k = (self.part)(looked_at);
        let mut chosen: Vec<usize> = Vec::new();
        for a in 0..looked_at.len() {
            let alike = |&b: &usize| k[(a, b)].powi(2) >= ALIKE * k[(a, a)] * k[(b, b)];
            if chosen.len() < count && !chosen.iter().any(alike) {
                chosen.push(a);
            }
        }
        chosen.iter().map(|&a| looked_at[a]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, gaussian_kernel};

    fn solve(k: &Matrix, linear: &[f64], upper: f64, sum: (f64, f64)) -> Solution {
        let part =
            |which: &[usize]| Matrix::from_fn(which.len(), which.len(), |i, j| k[(which[i], which[j])]);
        let times = |which: &[usize], w: &[f64]| {
            (0..k.nrows()).map(|i| which.iter().zip(w).map(|(&j, w)| k[(i, j)] * w).sum()).collect()
        };
        let bounds = Bounds { upper, sum };
        QuadraticProgram { part, times, linear, bounds, most: 10_000 }.solve().unwrap().unwrap()
    }

    fn close(found: &Solution, expected: &[f64]) {
        for (ours, expected) in found.weights.iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-8, "{:?}", found.weights);
        }
        assert!(found.converged);
    }

    #[test]
    fn two_variables_by_hand() {
        let k = from_rows(&[vec![2.0, 0.0], vec![0.0, 1.0]]);
        close(&solve(&k, &[2.0, 3.0], 10.0, (0.0, 100.0)), &[1.0, 3.0]); // nothing binds
        close(&solve(&k, &[2.0, 3.0], 2.0, (0.0, 100.0)), &[1.0, 2.0]); // the upper bound
        close(&solve(&k, &[2.0, -3.0], 2.0, (0.0, 100.0)), &[1.0, 0.0]); // the lower bound
        close(&solve(&k, &[2.0, 3.0], 10.0, (2.0, 2.0)), &[1.0 / 3.0, 5.0 / 3.0]); // the sum: 2 a - 2 = b - 3
        close(&solve(&k, &[2.0, 3.0], 10.0, (7.0, 9.0)), &[2.0, 5.0]); // its lower end: 2 a - 2 = b - 3
    }

    #[test]
    fn kernels_of_any_condition_are_solved_to_the_tolerance() {
        let x = Matrix::from_fn(60, 2, |i, j| ((i * 7 + j * 5) % 23) as f64 / 8.0); // rows repeat: K is singular
        for bandwidth in [1e-3, 0.1, 1.0, 10.0, 100.0] {
            let k = gaussian_kernel(x.as_ref(), x.as_ref(), bandwidth);
            let linear: Vec<f64> = (0..60).map(|i| 20.0 * k[(i, 0)].sqrt() + 5.0 * (i % 3) as f64).collect();
            for (upper, slack) in [(1000.0, 0.9), (3.0, 0.1), (2.0, 0.0)] {
                let found = solve(&k, &linear, upper, (60.0 * (1.0 - slack), 60.0 * (1.0 + slack)));
                assert!(found.converged, "bandwidth {bandwidth}, upper {upper}: {:e}", found.residual);
                assert!(found.weights.iter().all(|w| (0.0..=upper).contains(w)));
            }
        }
    }

    #[test]
    fn a_working_set_finds_the_answer_of_the_whole() {
        let n = 1500;
        let x = Matrix::from_fn(n, 3, |i, j| ((i * 37 + j * 101 + i * i * (j + 1)) % 997) as f64 / 400.0);
        let k = gaussian_kernel(x.as_ref(), x.as_ref(), 0.4);
        let linear: Vec<f64> = (0..n).map(|i| 30.0 * (-x[(i, 0)]).exp() + (i % 5) as f64).collect();
        let sum = (0.1 * n as f64, 2.0 * n as f64);
        let found = solve(&k, &linear, 50.0, sum);
        assert!(found.converged && found.rounds > 1, "{} rounds, {:e}", found.rounds, found.residual);
        let whole = InteriorPoint { k: &k, linear: &linear, upper: 50.0, sum, scale: 30.0 }.solve();
        let product = crate::linalg::transposed_times_vector(k.as_ref(), &whole);
        let objective = 0.5 * dot(&whole, &product) - dot(&whole, &linear);
        assert!((found.objective - objective).abs() <= 1e-9 * objective.abs());
    }

    /// Far rows, of which only the least sum makes weights: all the same.
    #[test]
    fn an_end_of_the_slab_is_met_by_many_variables() {
        let n = 500;
        let found = solve(&Matrix::identity(n, n), &vec![1e-9; n], 1000.0, (22.0, 978.0));
        close(&found, &vec![22.0 / n as f64; n]);
    }

    /// In the plane a wide kernel is singular to all digits, and many rows want to rise with their neighbours.
    #[test]
    fn a_nearly_singular_kernel_takes_few_rounds() {
        let n = 1000;
        let x = Matrix::from_fn(n, 2, |i, j| ((i * 37 + j * 101 + i * i * (j + 1)) % 997) as f64 / 400.0);
        let k = gaussian_kernel(x.as_ref(), x.as_ref(), 1.5);
        let near: Vec<usize> = (0..n).filter(|i| x[(*i, 0)] + x[(*i, 1)] > 3.0).collect();
        let linear: Vec<f64> = (0..n).map(|i| near.iter().map(|&j| 3.0 * k[(i, j)]).sum()).collect();
        let found = solve(&k, &linear, 1000.0, (0.1 * n as f64, 2.0 * n as f64));
        assert!(found.converged && found.rounds < 30, "{} rounds, {:e}", found.rounds, found.residual);
    }

    #[test]
    fn bounds_that_exclude_each_other_are_an_error() {
        let (part, times) = (|_: &[usize]| Matrix::zeros(1, 1), |_: &[usize], _: &[f64]| vec![0.0]);
        let bounds = Bounds { upper: 1.0, sum: (2.0, 3.0) };
        let program = QuadraticProgram { part, times, linear: &[1.0], bounds, most: 10 };
        assert!(program.solve().unwrap_err().to_string().contains("from 2 to 3"));
    }
}
