//! The linear support vector machine of one class against the rest, with squared hinge loss and a penalised bias:
//! ```text
//! |w|² / 2 + b² / 2 + C Σ_i w_i max(0, m_i - y_i f_i)²,   f_i = x_i w + b
//! ```
//! with `m_i = 1`, or `1 - y_i g_i` where `f` corrects a score `g_i` that is there already.
//!
//! Source: O. Chapelle, "Training a support vector machine in the primal", Neural Computation 19, 2007. Rows with
//! `y_i f_i < m_i` are active; each step of Newton's method is the ridge regression of `y` on the active rows, and the
//! exact minimum is reached when these stay the same. Where the steps get short (about as many features as active rows,
//! large `C`), an interior-point method first tells which rows are active.
//!
//! Cost: 5 to 15 steps, 20 to 40 in the harder case, of `O(a d²)` if `n > d`, else `O(a³)`, with `a` active rows, after
//! `O(n² d)`. Memory: `O(n + min(n, d)²)`, no copy of the rows.

use faer::{Mat, MatRef};

use super::normal_equations::{add_gram, solve_shifted};
use crate::error::Result;
use crate::linalg::{Matrix, multiply, transposed_times_vector};

/// Rows `x`, weights and cost, for any signs of the rows; `z_i = (x_i, 1)`.
///
/// 5 to 15 steps a class, 20 to 40 in harder cases, of `O(a d²)` if `n > d`, else `O(a³)`, with `a` active rows, after
/// `O(n² d)`.
pub struct SquaredHinge<'a> {
    x: MatRef<'a, f64>,
    /// `2 C w_i`.
    costs: Vec<f64>,
    /// `z_i z_j`, if there are no more rows than columns.
    products: Option<Matrix>,
}

impl<'a> SquaredHinge<'a> {
    /// With row weights above 0 and the cost `C`.
    pub fn new(x: MatRef<'a, f64>, weights: &[f64], cost: f64) -> Self {
        let products = (x.nrows() <= x.ncols()).then(|| {
            let plain = multiply(x, x.transpose());
            Mat::from_fn(x.nrows(), x.nrows(), |i, j| plain[(i, j)] + 1.0)
        });
        Self { x, costs: weights.iter().map(|w| 2.0 * cost * w).collect(), products }
    }

    /// `(w; b)` for the `y_i`, 1 or -1, and the `m_i`, and whether it is the minimum.
    ///
    /// # Errors
    /// [`Numeric`](crate::error::Error::Numeric) if the rows are not finite.
    pub fn minimize(&self, sign: &[f64], margin: &[f64]) -> Result<(Vec<f64>, bool)> {
        // Where rows can nearly all be fitted, Newton's steps get short, unless they start from the right active rows.
        let (model, found) = self.newton(sign, margin, (0..sign.len()).collect(), 3)?;
        if found {
            Ok((model, found))
        } else {
            self.newton(sign, margin, self.guess_active(sign, margin)?, 100)
        }
    }

    /// Newton's method from these active rows on, until so many steps came out short.
    fn newton(
        &self,
        sign: &[f64],
        margin: &[f64],
        mut active: Vec<usize>,
        mut short_steps: usize,
    ) -> Result<(Vec<f64>, bool)> {
        let n = sign.len();
        let (mut model, mut scores) = (vec![0.0; self.x.ncols() + 1], vec![0.0; n]);
        let targets: Vec<f64> = sign.iter().zip(margin).map(|(y, m)| y * m).collect();
        let least = 1e-24 * self.costs.iter().sum::<f64>(); // a change of the scores by 1e-12
        for steps in 0..100 {
            let mut h = vec![0.0; n];
            for &i in &active {
                h[i] = self.costs[i];
            }
            let goal = self.regress(&h, &targets)?;
            let goal_scores = self.scores(&goal);
            let step: Vec<f64> = goal.iter().zip(&model).map(|(to, from)| to - from).collect();
            let change: Vec<f64> = goal_scores.iter().zip(&scores).map(|(to, from)| to - from).collect();
            // The derivative of what is minimised, a share `t` of the step ahead.
            let slope = |t: f64| {
                let own: f64 = step.iter().zip(&model).map(|(s, m)| s * (m + t * s)).sum();
                let pull = |i: usize| {
                    let short = (margin[i] - sign[i] * (scores[i] + t * change[i])).max(0.0);
                    self.costs[i] * sign[i] * change[i] * short
                };
                own - (0..n).map(pull).sum::<f64>()
            };
            let promise = -slope(0.0);
            // The first step goes all the way, since it starts from nothing.
            let share = if steps == 0 || slope(1.0) <= 1e-9 * promise { 1.0 } else { root(slope) };
            model.iter_mut().zip(&step).for_each(|(m, s)| *m += share * s);
            scores.iter_mut().zip(&change).for_each(|(f, g)| *f += share * g);
            let now: Vec<usize> = (0..n).filter(|&i| sign[i] * scores[i] < margin[i]).collect();
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
    /// |w|² / 2 + b² / 2 + C Σ_i w_i short_i²,   y_i f_i + short_i - spare_i = m_i,   short_i spare_i = 0
    /// ```
    /// which holds both above 0 and lets their product fall. Each step is a regression again.
    fn guess_active(&self, sign: &[f64], margin: &[f64]) -> Result<Vec<usize>> {
        let n = sign.len();
        let targets: Vec<f64> = sign.iter().zip(margin).map(|(y, m)| y * m).collect();
        let start = self.scores(&self.regress(&self.costs, &targets)?);
        let gap = |i: usize| margin[i] - sign[i] * start[i];
        let mut short: Vec<f64> = (0..n).map(|i| gap(i).max(1.0)).collect();
        let mut spare: Vec<f64> = (0..n).map(|i| (-gap(i)).max(1.0)).collect();
        let mut fall = 0.1;
        for _ in 0..60 {
            let product = short.iter().zip(&spare).map(|(a, b)| a * b).sum::<f64>() / n as f64;
            if product < 1e-10 {
                break;
            }
            let goal = |i: usize| margin[i] + spare[i] + fall * product / short[i];
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
            fall = if share > 0.9 { 0.05 } else { 0.3 };
        }
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

    /// The largest derivative of what is minimised.
    fn gradient(x: &Matrix, sign: &[f64], margin: &[f64], cost: f64, model: &[f64]) -> f64 {
        let (n, d) = x.shape();
        let score = |i: usize| (0..d).map(|j| x[(i, j)] * model[j]).sum::<f64>() + model[d];
        let pull: Vec<f64> =
            (0..n).map(|i| 2.0 * cost * sign[i] * (margin[i] - sign[i] * score(i)).max(0.0)).collect();
        let z = |i: usize, j: usize| if j < d { x[(i, j)] } else { 1.0 };
        let slope = |j: usize| model[j] - (0..n).map(|i| z(i, j) * pull[i]).sum::<f64>();
        (0..=d).map(|j| slope(j).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn the_derivatives_vanish_in_easy_and_hard_cases() {
        // From few columns to many; the large cost makes the steps short, so that active rows are guessed.
        for (n, d, cost) in
            [(60, 3, 1.0), (60, 3, 1e4), (200, 90, 1.0), (200, 90, 1e3), (60, 60, 10.0), (40, 70, 1.0)]
        {
            let x =
                Mat::from_fn(n, d, |i, j| ((i * i * 31 + i * j * 17 + j * j * 7) % 101) as f64 / 25.0 - 2.0);
            let sign: Vec<f64> = (0..n).map(|i| if (i * i + i / 5) % 3 == 0 { 1.0 } else { -1.0 }).collect();
            let hinge = SquaredHinge::new(x.as_ref(), &vec![1.0; n], cost);
            let uneven: Vec<f64> = (0..n).map(|i| (i % 7) as f64 / 2.0 - 1.0).collect();
            for margin in [vec![1.0; n], uneven] {
                let (model, found) = hinge.minimize(&sign, &margin).unwrap();
                assert!(found, "{n} {d} {cost}");
                let left = gradient(&x, &sign, &margin, cost, &model) / (cost * n as f64);
                assert!(left < 1e-11, "{n} {d} {cost}: {left:e}");
                let guess = hinge.guess_active(&sign, &margin).unwrap();
                let (again, _) = hinge.newton(&sign, &margin, guess, 100).unwrap();
                assert!(model.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-7), "{n} {d} {cost}");
            }
        }
    }
}
