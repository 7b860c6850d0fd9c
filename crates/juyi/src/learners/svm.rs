//! The linear support vector machine with squared hinge loss, one class against the rest.
//!
//! Paper: R.-E. Fan, K.-W. Chang, C.-J. Hsieh, X.-R. Wang and C.-J. Lin, "LIBLINEAR: a library for large linear
//! classification", JMLR 9, 2008 (its L2-regularised L2-loss classifier). For each class, with `y_i = 1` for its rows
//! and `-1` for the others, minimises over `w (d)` and `b`, `C` being the cost,
//! ```text
//! |w|² / 2 + b² / 2 + C Σ_i w_i max(0, 1 - y_i f_i)²,   f_i = x_i w + b
//! ```
//! The bias is penalised like a weight on a column of ones, as in LIBLINEAR. Of two classes one is fitted and the
//! other has its scores with the sign turned. Scores are margins, not probabilities.
//!
//! Differs from the paper in the solver, that of O. Chapelle, "Training a support vector machine in the primal", Neural
//! Computation 19, 2007: rows with `y_i f_i < 1` are active, each step of Newton's method is the ridge regression of `y`
//! on the active rows, and the exact minimum is reached when these stay the same. Where that takes many steps (more
//! features than active rows, large `C`), an interior-point method first tells which rows are active.
//!
//! Cost: 5 to 15 steps for each class, 20 to 40 in the harder case, of `O(a d²)` if `n > d`, else `O(a³)`, with `a`
//! active rows, after `O(n² d)`. Memory: `O(n + min(n, d)²)`, no copy of the rows.

use faer::{Mat, MatRef};

use super::Learner;
use super::logistic::{above_zero, only_class};
use super::ridge::solve_shifted;
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::linalg::{Matrix, multiply, transposed_times_vector};
use crate::models::{Link, Predictor};
use crate::solvers::add_gram;

/// The linear support vector machine.
#[derive(Debug, Clone, Copy)]
pub struct Svm {
    /// `C`: how much the rows count against the penalty on the weights. Above 0, finite.
    pub cost: f64,
}

impl Default for Svm {
    fn default() -> Self {
        Self { cost: 1.0 }
    }
}

impl Learner for Svm {
    fn name(&self) -> &'static str {
        "svm"
    }

    fn fit(
        &self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        context: &mut Context,
    ) -> Result<Predictor> {
        above_zero(self.name(), "cost", self.cost)?;
        if classes == 1 {
            return Ok(only_class(rows.ncols()));
        }
        let (n, d) = rows.shape();
        let side = n.min(d + 1);
        context.require("the systems of `svm`", 8 * (4 * side * side + 8 * n) as u64)?;
        let problem = Problem::new(rows, weights, self.cost);
        let (mut w, mut b) = (Mat::zeros(d, classes), Mat::zeros(1, classes));
        for k in usize::from(classes == 2)..classes {
            let sign: Vec<f64> = labels.classes().iter().map(|&c| if c == k { 1.0 } else { -1.0 }).collect();
            let (model, converged) = problem.minimize(&sign)?;
            if !converged {
                context.warn(self.name(), format!("did not converge for class {}", k + 1));
            }
            w.col_as_slice_mut(k).copy_from_slice(&model[..d]);
            b[(0, k)] = model[d];
        }
        if classes == 2 {
            (0..d).for_each(|j| w[(j, 0)] = -w[(j, 1)]);
            b[(0, 0)] = -b[(0, 1)];
        }
        Ok(Predictor::Linear { link: Link::Identity, weights: w, bias: b })
    }
}

/// One class against the rest, with `z_i = (x_i, 1)` and `y_i` the sign of a row.
struct Problem<'a> {
    x: MatRef<'a, f64>,
    /// `2 C w_i`.
    costs: Vec<f64>,
    /// `z_i z_j`, if there are no more rows than columns.
    products: Option<Matrix>,
}

impl<'a> Problem<'a> {
    fn new(x: MatRef<'a, f64>, weights: &[f64], cost: f64) -> Self {
        let products = (x.nrows() <= x.ncols()).then(|| {
            let plain = multiply(x, x.transpose());
            Mat::from_fn(x.nrows(), x.nrows(), |i, j| plain[(i, j)] + 1.0)
        });
        Self { x, costs: weights.iter().map(|w| 2.0 * cost * w).collect(), products }
    }

    /// `(w; b)`, and whether it is the minimum.
    fn minimize(&self, sign: &[f64]) -> Result<(Vec<f64>, bool)> {
        // Where rows can nearly all be fitted, Newton's steps get short, unless they start from the right active rows.
        let (model, found) = self.newton(sign, (0..sign.len()).collect(), 3)?;
        eprintln!("newton {:?} {found}", NEWTON.swap(0, std::sync::atomic::Ordering::Relaxed));
        if found { Ok((model, found)) } else { self.newton(sign, self.guess_active(sign)?, 100) }
    }

    /// Newton's method from these active rows on.
    fn newton(
        &self,
        sign: &[f64],
        mut active: Vec<usize>,
        mut short_steps: usize,
    ) -> Result<(Vec<f64>, bool)> {
        let n = sign.len();
        let (mut model, mut scores) = (vec![0.0; self.x.ncols() + 1], vec![0.0; n]);
        let least = 1e-24 * self.costs.iter().sum::<f64>(); // a change of the scores by 1e-12
        for steps in 0..100 {
            let mut h = vec![0.0; n];
            for &i in &active {
                h[i] = self.costs[i];
            }
            let goal = self.regress(&h, sign)?;
            let goal_scores = self.scores(&goal);
            let step: Vec<f64> = goal.iter().zip(&model).map(|(to, from)| to - from).collect();
            let change: Vec<f64> = goal_scores.iter().zip(&scores).map(|(to, from)| to - from).collect();
            // The derivative of what is minimised, a share `t` of the step ahead.
            let slope = |t: f64| {
                let own: f64 = step.iter().zip(&model).map(|(s, m)| s * (m + t * s)).sum();
                let pull = |i: usize| {
                    let short = (1.0 - sign[i] * (scores[i] + t * change[i])).max(0.0);
                    self.costs[i] * sign[i] * change[i] * short
                };
                own - (0..n).map(pull).sum::<f64>()
            };
            NEWTON.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let promise = -slope(0.0);
            // The first step goes all the way, since it starts from nothing.
            let share = if steps == 0 || slope(1.0) <= 1e-9 * promise { 1.0 } else { root(slope) };
            model.iter_mut().zip(&step).for_each(|(m, s)| *m += share * s);
            scores.iter_mut().zip(&change).for_each(|(f, g)| *f += share * g);
            let now: Vec<usize> = (0..n).filter(|&i| sign[i] * scores[i] < 1.0).collect();
            if (share == 1.0 && now == active) || (steps > 0 && promise <= least) {
                return Ok((model, true));
            }
            active = now;
            short_steps -= usize::from(share < 0.25);
            if short_steps == 0 {
                break;
            }
        }
        Ok((model, false))
    }

    /// The rows that are likely to be active at the minimum, by an interior-point method on
    /// ```text
    /// |w|² / 2 + b² / 2 + C Σ_i w_i short_i²,   y_i f_i + short_i - spare_i = 1,   short_i spare_i = 0
    /// ```
    /// which holds both above 0 and lets their product fall. Each step is a regression again.
    fn guess_active(&self, sign: &[f64]) -> Result<Vec<usize>> {
        let n = sign.len();
        let start = self.scores(&self.regress(&self.costs, sign)?);
        let gap = |i: usize| 1.0 - sign[i] * start[i];
        let mut short: Vec<f64> = (0..n).map(|i| gap(i).max(env("FLOOR", 0.1))).collect();
        let mut spare: Vec<f64> = (0..n).map(|i| (-gap(i)).max(env("FLOOR", 0.1))).collect();
        let mut fall = env("FALL", 0.1);
        let mut its = 0;
        for _ in 0..60 {
            let product = short.iter().zip(&spare).map(|(a, b)| a * b).sum::<f64>() / n as f64;
            if product < 1e-10 {
                break;
            }
            let goal = |i: usize| 1.0 + spare[i] + fall * product / short[i];
            let part: Vec<f64> = short.iter().zip(&spare).map(|(a, b)| a / (a + b)).collect();
            let h: Vec<f64> = part.iter().zip(&self.costs).map(|(part, cost)| part * cost).collect();
            let targets: Vec<f64> = (0..n).map(|i| sign[i] * goal(i)).collect();
            let scores = self.scores(&self.regress(&h, &targets)?);
            let to_short: Vec<f64> = (0..n).map(|i| part[i] * (goal(i) - sign[i] * scores[i])).collect();
            let to_spare: Vec<f64> =
                (0..n).map(|i| goal(i) - 1.0 - spare[i] / short[i] * to_short[i]).collect();
            // As far as both stay above 0.
            let reach = |from: &[f64], to: &[f64]| {
                from.iter()
                    .zip(to)
                    .map(|(a, b)| if b < a { a / (a - b) } else { f64::INFINITY })
                    .fold(1.01, f64::min)
            };
            let share = (0.99 * reach(&short, &to_short).min(reach(&spare, &to_spare))).min(1.0);
            let go = |from: &mut [f64], to: &[f64]| {
                from.iter_mut().zip(to).for_each(|(a, b)| *a += share * (b - *a));
            };
            go(&mut short, &to_short);
            go(&mut spare, &to_spare);
            fall = if share > 0.9 { 0.05 } else { env("FALL2", 0.3) };
            its += 1;
        }
        eprintln!("IPM {its}");
        Ok((0..n).filter(|&i| short[i] > spare[i]).collect())
    }

    /// The scores of all rows.
    fn scores(&self, model: &[f64]) -> Vec<f64> {
        let d = self.x.ncols();
        let w = MatRef::from_column_major_slice(&model[..d], d, 1);
        multiply(self.x, w).col_as_slice(0).iter().map(|f| f + model[d]).collect()
    }

    /// The `(w; b)` that minimises `|w|² + b² + Σ_i h_i (t_i - f_i)²`; rows with `h_i = 0` cost nothing. With `B` the
    /// rows `√h_i z_i` and `r_i = √h_i t_i`, through the smaller of two systems:
    /// ```text
    /// n > d:  (Bᵀ B + I)⁻¹ Bᵀ r          n <= d:  Bᵀ (B Bᵀ + I)⁻¹ r
    /// ```
    fn regress(&self, h: &[f64], targets: &[f64]) -> Result<Vec<f64>> {
        const ROWS: usize = 4096;
        let (n, d) = self.x.shape();
        let live: Vec<usize> = (0..n).filter(|&i| h[i] > 0.0).collect();
        let roots: Vec<f64> = live.iter().map(|&i| h[i].sqrt()).collect();
        let r = Mat::from_fn(live.len(), 1, |a, _| roots[a] * targets[live[a]]);
        if let Some(products) = &self.products {
            let gram = Mat::from_fn(live.len(), live.len(), |a, b| {
                roots[a] * roots[b] * products[(live[a], live[b])]
            });
            let dual = solve_shifted(gram, 1.0, r)?;
            let mut share = vec![0.0; n];
            live.iter().enumerate().for_each(|(a, &i)| share[i] = roots[a] * dual[(a, 0)]);
            let mut model = transposed_times_vector(self.x, &share);
            model.push(share.iter().sum());
            return Ok(model);
        }
        let (mut gram, mut moment) = (Mat::zeros(d + 1, d + 1), Mat::zeros(d + 1, 1));
        for first in (0..live.len()).step_by(ROWS) {
            let end = live.len().min(first + ROWS);
            let mut block = Mat::zeros(end - first, d + 1);
            for j in 0..d {
                let to = block.col_as_slice_mut(j).iter_mut().zip(&live[first..end]).zip(&roots[first..end]);
                to.for_each(|((to, &i), root)| *to = root * self.x[(i, j)]);
            }
            block.col_as_slice_mut(d).copy_from_slice(&roots[first..end]);
            add_gram(&mut gram, block.as_ref());
            moment += multiply(block.transpose(), r.get(first..end, ..));
        }
        Ok(solve_shifted(gram, 1.0, moment)?.col_as_slice(0).to_vec())
    }
}

/// Where in `0..1` a rising function is 0.
fn root(slope: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if slope(middle) < 0.0 { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, select_rows};

    /// Scores of the rows themselves.
    fn fit(cost: f64, x: &Matrix, of: &[usize], weights: &[f64], classes: usize) -> Matrix {
        let mut context = Context::default();
        let labels = Labels::Classes(of.to_vec());
        let predictor = Svm { cost }.fit(x.as_ref(), &labels, weights, classes, &mut context).unwrap();
        assert!(context.notices().is_empty(), "{:?}", context.notices());
        predictor.answer(x.as_ref()).scores.unwrap()
    }

    fn close(a: &Matrix, b: &Matrix) {
        assert!((a - b).norm_max() < 1e-8, "{a:?} {b:?}");
    }

    fn table() -> (Matrix, Vec<usize>) {
        let x = Mat::from_fn(40, 3, |i, j| ((i * 7 + j * 13 + i * i * (j + 1)) % 23) as f64 / 5.0);
        (x, (0..40).map(|i| (i * i + i / 7) % 3).collect())
    }

    #[test]
    fn two_points_by_hand() {
        // w²/2 + 2 C (1 - w)² is least at w = 4 C / (1 + 4 C).
        let scores = fit(1.0, &from_rows(&[vec![-1.0], vec![1.0]]), &[0, 1], &[1.0, 1.0], 2);
        close(&scores, &from_rows(&[vec![0.8, -0.8], vec![-0.8, 0.8]]));
        // One point with x = 0 in each class: both biases pull, b²/2 + C ((1 - b)² + (1 + b)²) is least at b = 0; with
        // weights 3 and 1, b + 2 (1 + b) - 6 (1 - b) = 0.
        let weighted = fit(1.0, &Mat::zeros(2, 1), &[0, 1], &[1.0, 3.0], 2);
        assert!((weighted[(0, 1)] - 4.0 / 9.0).abs() < 1e-8, "{weighted:?}");
    }

    #[test]
    fn weights_count_rows_and_scale_the_cost() {
        let (x, of) = table();
        let weights: Vec<f64> = (0..40).map(|i| f64::from(1 + i % 3)).collect();
        let scores = fit(1.0, &x, &of, &weights, 3);
        let again: Vec<usize> = (0..40).flat_map(|i| vec![i; 1 + i % 3]).collect();
        let labels: Vec<usize> = again.iter().map(|&i| of[i]).collect();
        let repeated = fit(1.0, &select_rows(x.as_ref(), &again), &labels, &vec![1.0; again.len()], 3);
        close(&select_rows(scores.as_ref(), &again), &repeated);
        let fivefold: Vec<f64> = weights.iter().map(|w| 5.0 * w).collect();
        close(&scores, &fit(0.2, &x, &of, &fivefold, 3));
    }

    #[test]
    fn a_class_is_fitted_against_the_rest() {
        let (x, of) = table();
        let all = fit(1.0, &x, &of, &[1.0; 40], 3);
        for class in 0..3 {
            let own: Vec<usize> = of.iter().map(|&c| usize::from(c == class)).collect();
            let two = fit(1.0, &x, &own, &[1.0; 40], 2);
            assert!((0..40).all(|i| (two[(i, 1)] - all[(i, class)]).abs() < 1e-7));
        }
        let one = fit(1.0, &x, &[0; 40], &[1.0; 40], 1);
        assert!(one.col(0).iter().all(|p| *p == 1.0));
    }

    #[test]
    fn columns_of_any_unit_and_offset_are_fitted() {
        let (x, of) = table();
        let odd = Mat::from_fn(40, 4, |i, j| match j {
            0 => 1e6 * x[(i, 0)],
            1 => 1e5 + x[(i, 1)],
            _ => x[(i, 2)],
        });
        let scores = fit(1.0, &odd, &of, &[1.0; 40], 3);
        assert!(scores.col_iter().flat_map(faer::ColRef::iter).all(|s| s.abs() < 10.0));
    }
}

fn env(n: &str, d: f64) -> f64 {
    std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d)
}
static NEWTON: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
