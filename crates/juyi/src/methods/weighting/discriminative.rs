//! Discriminative weighting: logistic regression tells source rows from target rows, and a source row weighs as much as
//! it looks like a target row.
//!
//! When: the same labelling rule, rows drawn differently; many rows and columns, where kernels blur. It hurts where the
//! domains can be told apart without error: then a few source rows get all the weight, unless `bound` or a smaller
//! `cost` holds them back.
//!
//! Paper: S. Bickel, M. Brückner, T. Scheffer, "Discriminative learning for differing training and test distributions", ICML 2007
//!
//! ```text
//! w(x) = (n_s / n_t) p(target | x) / p(source | x) = (n_s / n_t) exp f(x),   f(x) = x v + b
//! min |v|² / 2 + cost Σ_i ln(1 + exp(-t_i f(x_i))),   t_i = 1 on target rows, -1 on source rows
//! ```
//! The bias `b` is free, as in scikit-learn's `LogisticRegression`, whose `C` is `cost`.
//!
//! Where we differ: this is the two-stage form (weights first, then any learner), which the paper sets beside its
//! joint one; weights are scaled to mean 1, so that a learner's penalty keeps its strength, and may be bounded.
//!
//! Cost: `O(n d²)` once and `O(n d)` for each of 5 to 30 steps over the `n` pooled rows, which are copied once (see
//! [`LinearLoss`]).

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{Matrix, exponentials, rows_times};
use crate::methods::{Adapted, Adapter, Family, Grid, LearnerNeed, MethodRow, Needs, make, must, params_of};
use crate::solvers::{LinearLoss, mean_one_of_logarithms};

/// Parameters of discriminative weighting.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Discriminative {
    /// How much the rows count against the penalty on the weights of the logistic regression, C. Above 0; smaller is
    /// closer to equal weights.
    pub cost: f64,
    /// The largest ratio of the densities; larger ones are cut to it before weights are scaled. Above 0; by default
    /// there is none.
    pub bound: Option<f64>,
}

impl Default for Discriminative {
    fn default() -> Self {
        Self { cost: 1.0, bound: None }
    }
}

impl Discriminative {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "discriminative",
        family: Family::Weighting,
        summary: "weighs a source row by the odds that a logistic regression gives it of being a target row",
        when: "the same labelling rule, rows drawn differently; many rows and columns",
        paper: "S. Bickel, M. Brückner, T. Scheffer, \"Discriminative learning for differing training and test distributions\", ICML 2007",
        needs: Needs { learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: usize::MAX,
        source: include_str!("discriminative.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Discriminative {
    fn check(&self) -> Result<()> {
        let above_zero = |v: f64| v > 0.0 && v.is_finite();
        must("discriminative", "cost", above_zero(self.cost), "above 0", self.cost)?;
        let bound = self.bound.unwrap_or(1.0);
        must("discriminative", "bound", above_zero(bound), "above 0", bound)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n_s, n_t) = (task.source.rows(), task.target.rows());
        context.require("the pooled rows of `discriminative`", task.bytes())?;
        let pooled = task.pooled();
        let share = n_t as f64 / pooled.nrows() as f64;
        let log_odds = (n_t as f64 / n_s as f64).ln();
        let fit = LinearLoss {
            name: "discriminative",
            loss: |first: usize, scores: &mut Matrix| telling_apart(scores, n_s.saturating_sub(first)),
            second: |i: usize, _: usize, slope: f64| {
                let p = slope + f64::from(i >= n_s);
                (p * (1.0 - p)).max(0.0)
            },
            curvature: share * (1.0 - share),
            start: vec![log_odds],
            penalty: 1.0 / self.cost,
            tolerance: 1e-9,
        };
        let (v, b) = fit.minimize(pooled.as_ref(), &vec![1.0; pooled.nrows()], context)?;
        let scores = rows_times(task.source.features.as_ref(), v.as_ref());
        let log_ratios = scores.col(0).iter().map(|f| f + b[(0, 0)] - log_odds).collect();
        Ok(Adapted {
            source: Cow::Borrowed(&task.source.features),
            weights: Some(mean_one_of_logarithms(log_ratios, self.bound)),
            target_map: Vec::new(),
        })
    }
}

/// `Σ ln(1 + exp(-t f))` for a block of which the first `source` rows have `t = -1`; the derivatives by `f` take the
/// place of the scores.
fn telling_apart(scores: &mut Matrix, source: usize) -> f64 {
    let scores = scores.col_as_slice_mut(0);
    let mut small: Vec<f64> = scores.iter().map(|f| -f.abs()).collect();
    exponentials(&mut small, 1.0);
    let mut loss = 0.0;
    for (i, (f, e)) in scores.iter_mut().zip(small).enumerate() {
        let wrong = if i < source { *f } else { -*f };
        loss += wrong.max(0.0) + e.ln_1p();
        let p = if *f >= 0.0 { 1.0 } else { e } / (1.0 + e); // of the target
        *f = if i < source { p } else { p - 1.0 };
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::ClassMeans;
    use crate::linalg::from_rows;

    fn weights(adapter: Discriminative, source: &[f64], target: &[f64]) -> Vec<f64> {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let column = |values: &[f64]| from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>());
        let of = (0..source.len()).map(|i| i % 2).collect();
        let source = Domain::labelled("s", column(source), Labels::Classes(of));
        let task = Task::new(vec![source], Domain::unlabelled("t", column(target), &goal), goal).unwrap();
        adapter.adapt(&task, &ClassMeans, &mut Context::default()).unwrap().weights.unwrap()
    }

    /// Of four rows at -1 three are source rows, of four at 1 one is. By symmetry `b = 0`, and the penalty is 0 in the
    /// limit, so `exp f(±1) = 3^±1`: the weights are 1/3 and 3 over their mean, 1.
    #[test]
    fn counted_by_hand() {
        let free = Discriminative { cost: 1e8, bound: None };
        let (source, target) = ([-1.0, -1.0, -1.0, 1.0], [-1.0, 1.0, 1.0, 1.0]);
        for (ours, expected) in weights(free, &source, &target).iter().zip([1.0, 1.0, 1.0, 9.0]) {
            assert!((ours - expected / 3.0).abs() < 1e-6, "{ours} for {}", expected / 3.0);
        }
        // Ratios 1/3, 1/3, 1/3 and 1 after the bound, over their mean 1/2.
        let bounded = weights(Discriminative { bound: Some(1.0), ..free }, &source, &target);
        assert!((bounded[0] - 2.0 / 3.0).abs() < 1e-6 && (bounded[3] - 2.0).abs() < 1e-6, "{bounded:?}");
    }

    #[test]
    fn domains_far_apart_give_weights_that_are_finite() {
        let far = weights(Discriminative { cost: 1e6, bound: None }, &[0.0, 1.0, 2.0], &[1e5, 2e5]);
        assert!(far.iter().all(|w| w.is_finite()), "{far:?}");
        assert!((far.iter().sum::<f64>() - 3.0).abs() < 1e-9, "{far:?}");
    }
}
