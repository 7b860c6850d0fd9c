//! Two-stage `TrAdaBoost.R2`: first the source rows that mislead lose weight, step by step, until a step that
//! cross-validation on the labelled target rows likes best; then the target rows alone are boosted.
//!
//! When: a number is predicted and enough target rows are labelled for cross-validation, ten or more. It hurts where
//! there are fewer: the step is then chosen by chance.
//!
//! Paper: D. Pardoe and P. Stone, "Boosting for regression transfer", ICML 2010
//!
//! ```text
//! n source rows, m labelled target rows, S steps; all weights begin equal.
//! In step t, with h_t learnt with weights w:
//! l_i = |y_i - h_t(x_i)| / max_j |y_j - h_t(x_j)|                                                 (1)
//! w_i <- w_i β^(l_i)  (source), then all scaled to sum 1, with β such that the target rows add up to
//!        m / (n + m) + t / (S - 1) (1 - m / (n + m))                            (found by bisection) (2)
//! model_t = AdaBoost.R2', begun at the weights of step t: N rounds of
//!     l_i as in (1),  ε = Σ w_i l_i over all rows,  b = ε / (1 - ε),  ended before the first ε >= 1/2
//!     w_i <- w_i b^(1 - l_i)  for target rows, scaled to their sum; source rows keep theirs          (3)
//!     and the median of the rounds, weighted by ln(1 / b)
//! answer: model_t of the step with the least squared error on held-out target rows                   (4)
//! ```
//! (the paper's algorithm 3)
//!
//! Where we differ: in (3) the target rows are scaled back to what they had together, which is how we read that the
//! source rows are frozen. The folds of (4) are the target rows in the order of their labels, dealt out in turn, so
//! that nothing is drawn. In the last step the source rows weigh nothing. Where no β reaches the share in (2), because
//! source rows without loss keep their weight, all source rows are scaled to it. A single labelled target row leaves
//! nothing to choose by: the first step is taken. The learner gets weights of mean 1 over the rows of weight above 0.
//!
//! Cost: `steps × (folds × rounds + 1) + rounds` fits of the learner on `n + m` rows; two more copies of the rows.

use std::cmp::Ordering;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Labels, Task};
use crate::error::Result;
use crate::learners::Learner;
use crate::learners::boosting::{Pool, scale_to, vote};
use crate::linalg::{Matrix, select_rows};
use crate::methods::{
    Family, Fitted, Goals, Grid, LabelUse, LearnerNeed, Method, MethodRow, Needs, count, make, params_of,
};
use crate::models::{VoteRule, predict};

/// Parameters of two-stage `TrAdaBoost.R2`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TwoStageTrAdaBoostR2 {
    /// Steps from equal weights to no source at all. 2 to 100.
    pub steps: usize,
    /// How many times the learner is trained for a model at most. 1 to 1000.
    pub rounds: usize,
    /// Parts of the labelled target rows in the cross-validation, as many as there are rows where those are fewer. 2 to
    /// 100.
    pub folds: usize,
}

impl Default for TwoStageTrAdaBoostR2 {
    fn default() -> Self {
        Self { steps: 10, rounds: 10, folds: 5 }
    }
}

impl TwoStageTrAdaBoostR2 {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "two-stage-tradaboost-r2",
        family: Family::Boosting,
        summary: "takes weight from misleading source rows as cross-validation asks, then boosts the target rows",
        when: "ten or more target rows are labelled with numbers; part of the source rows mislead",
        paper: "D. Pardoe and P. Stone, \"Boosting for regression transfer\", ICML 2010",
        needs: Needs {
            goals: Goals::Values,
            target_labels: LabelUse::Required,
            learner: LearnerNeed::Weighs,
            ..Needs::NOTHING
        },
        trains_learner: true,
        learner: "decision-tree",
        grid: Grid::NONE, // hundreds of fits
        most_rows: 5_000,
        source: include_str!("two_stage_tradaboost_r2.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };

    /// The weights at each step, of sum 1.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn weights(&self, pool: &Pool<'_>, context: &mut Context) -> Result<Vec<Vec<f64>>> {
        let all = pool.rows.nrows();
        let share = (all - pool.source) as f64 / all as f64;
        let mut steps = vec![vec![1.0 / all as f64; all]];
        for t in 1..self.steps {
            let mut weights = steps[t - 1].clone();
            let losses = pool.losses(&weights, context)?;
            let target = share + t as f64 / (self.steps - 1) as f64 * (1.0 - share);
            let (source, own) = weights.split_at_mut(pool.source);
            if t + 1 == self.steps {
                source.fill(0.0);
            } else {
                // The target rows keep their weights, so the source rows are to come down to this sum.
                let sum = own.iter().sum::<f64>() * (1.0 - target) / target;
                let factor = factor_to(source, &losses, sum);
                source.iter_mut().zip(&losses).for_each(|(w, loss)| *w *= factor.powf(*loss));
                scale_to(source, 1.0 - target);
            }
            scale_to(own, target);
            steps.push(weights);
        }
        Ok(steps)
    }

    /// The mean squared error on the held-out target rows of a model begun at these weights.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn error(&self, pool: &Pool<'_>, weights: &[f64], context: &Context) -> Result<f64> {
        let (own, y) = own_rows(pool);
        let squares = |held: &Vec<usize>| {
            let mut left: Vec<f64> = pool.all_but(held).iter().map(|&i| weights[i]).collect();
            scale_to(&mut left, 1.0);
            let rounds = pool.without(held).frozen_boost(&left, self.rounds, &mut context.aside())?;
            let model = vote(rounds, VoteRule::Median).predictor;
            let said = predict(&[], &model, select_rows(own.as_ref(), held).as_ref()).answer;
            Ok(said.iter().zip(held).map(|(said, &k)| (said - y[k]).powi(2)).collect())
        };
        let squares: Result<Vec<Vec<f64>>> = folds(&own, &y, self.folds).par_iter().map(squares).collect();
        let squares = squares?.concat();
        Ok(squares.iter().sum::<f64>() / squares.len() as f64)
    }
}

impl Method for TwoStageTrAdaBoostR2 {
    fn check(&self) -> Result<()> {
        let Self { steps, rounds, folds } = *self;
        count(Self::ROW.name, "steps", steps, 2..=100)?;
        count(Self::ROW.name, "rounds", rounds, 1..=1000)?;
        count(Self::ROW.name, "folds", folds, 2..=100)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let pool = Pool::new(task, learner)?;
        let mut best = (f64::INFINITY, vec![1.0 / pool.rows.nrows() as f64; pool.rows.nrows()]);
        if pool.rows.nrows() - pool.source > 1 {
            let steps = self.weights(&pool, context)?;
            for (t, weights) in steps.into_iter().enumerate() {
                context.progress(Self::ROW.name, t, self.steps);
                let error = self.error(&pool, &weights, context)?;
                if error < best.0 {
                    best = (error, weights);
                }
            }
        } else {
            context.warn(Self::ROW.name, "one labelled target row: the source rows keep their full weight");
        }
        let rounds = pool.frozen_boost(&best.1, self.rounds, context)?;
        let weights = pool.source_weights(&rounds);
        Ok(Fitted { maps: Vec::new(), trained: vote(rounds, VoteRule::Median), moved: None, weights })
    }
}

/// The factor, between 0 and 1, with `Σ weight factor^loss` nearest to `sum`.
fn factor_to(weights: &[f64], losses: &[f64], sum: f64) -> f64 {
    let mut rows: Vec<(f64, f64)> = weights.iter().copied().zip(losses.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut low, mut high) = (0.0f64, 1.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if rows.iter().map(|(weight, loss)| weight * middle.powf(*loss)).sum::<f64>() < sum {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The target's rows and labels.
fn own_rows(pool: &Pool<'_>) -> (Matrix, Vec<f64>) {
    let Labels::Values(y) = &pool.labels else { unreachable!("classification tasks are refused") };
    let own = pool.rows.get(pool.source.., ..).to_owned();
    (own, y[pool.source..].to_vec())
}

/// Rows in the order of their labels, then of their columns, dealt to up to `most` folds in turn.
fn folds(rows: &Matrix, y: &[f64], most: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..y.len()).collect();
    let column = |a: usize, b: usize| {
        let mut columns = (0..rows.ncols()).map(|j| rows[(a, j)].total_cmp(&rows[(b, j)]));
        columns.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    order.sort_by(|&a, &b| y[a].total_cmp(&y[b]).then_with(|| column(a, b)));
    let count = most.min(y.len());
    (0..count).map(|fold| order.iter().copied().skip(fold).step_by(count).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal};
    use crate::learners::{DecisionTree, Ridge};
    use crate::linalg::from_rows;

    fn task(source: &[(f64, f64)], target: &[(f64, f64)]) -> Task {
        let domain = |rows: &[(f64, f64)]| {
            let x = Matrix::from_fn(rows.len(), 1, |i, _| rows[i].0);
            Domain::labelled("d", x, Labels::Values(rows.iter().map(|row| row.1).collect()))
        };
        Task::new(vec![domain(source)], domain(target), Goal::Value).unwrap()
    }

    #[test]
    fn a_factor_and_folds_by_hand() {
        // 0.5 f + 0.5 = 0.6; a row without loss keeps its weight, so nothing below 0.5 can be reached.
        assert!((factor_to(&[0.5, 0.5], &[1.0, 0.0], 0.6) - 0.2).abs() < 1e-12);
        assert!(factor_to(&[0.5, 0.5], &[1.0, 0.0], 0.3) < 1e-12);
        let rows = from_rows(&[vec![1.0], vec![0.0], vec![0.0], vec![0.0]]);
        assert_eq!(folds(&rows, &[2.0, 9.0, 2.0, 1.0], 2), [vec![3, 0], vec![2, 1]]);
        assert_eq!(folds(&rows, &[2.0, 9.0, 2.0, 1.0], 9).len(), 4);
    }

    #[test]
    fn the_target_gains_its_share_step_by_step() {
        // The stump's left mean is 1 (of 0, 2), its right mean 5 (of 4, 6): every loss is 1 but for none.
        let task = task(&[(0.0, 0.0), (2.0, 4.0), (2.1, 6.0)], &[(0.1, 2.0)]);
        let stump = DecisionTree { depth: Some(1), leaf_weight: 1e-9 };
        let (pool, context) = (Pool::new(&task, &stump).unwrap(), &mut Context::default());
        let method = TwoStageTrAdaBoostR2 { steps: 3, ..TwoStageTrAdaBoostR2::default() };
        let steps = method.weights(&pool, context).unwrap();
        assert_eq!(steps[0], [0.25; 4]);
        for (w, by_hand) in steps[1].iter().zip([0.125, 0.125, 0.125, 0.625]) {
            assert!((w - by_hand).abs() < 1e-12, "{:?}", steps[1]);
        }
        assert_eq!(steps[2], [0.0, 0.0, 0.0, 1.0]);
        method.fit(&task, &stump, context).unwrap(); // nothing to choose by
    }

    #[test]
    fn a_source_that_misleads_is_left_behind() {
        let line = |slope: f64, n: usize| -> Vec<(f64, f64)> {
            (0..n).map(|i| (i as f64, slope * i as f64 + f64::from(i % 2 == 0))).collect()
        };
        let task = task(&line(-3.0, 30), &line(2.0, 12));
        let fitted = TwoStageTrAdaBoostR2::default().fit(&task, &Ridge::default(), &mut Context::default());
        let said = predict(&[], &fitted.unwrap().trained.predictor, from_rows(&[vec![5.0]]).as_ref());
        assert!((said.answer[0] - 10.5).abs() < 1.0, "{said:?}");
    }
}
