//! Regularized learning under label shift: the ratios of black-box shift estimation, drawn towards 1 as far as few held-out
//! rows leave a classifier's errors uncertain.
//!
//! When: the same kinds of rows in other shares, few rows or many classes, where the inverse of a table of errors swings
//! wildly. It hurts where rows of a class look different in the target; where the penalty is large and the shift too,
//! much of the shift stays.
//!
//! Paper: K. Azizzadenesheli, A. Liu, F. Yang, A. Anandkumar, "Regularized learning for domain adaptation under label shifts", ICLR 2019
//!
//! ```text
//! theta = argmin |C theta - (mu - C 1)| + strength Delta |theta|,   w = 1 + gamma theta          (algorithm 1)
//! Delta = 3 (2 L / (3 n) + √(2 L / n)),   L = ln(2 c / 0.05)
//! ```
//! with `C` and `mu` as in `black-box-shift`, `n` held-out rows and `c` classes: `C` is further than `Delta / 3` from what it
//! estimates in at most one of 20 draws. The experiments of the paper use a hundredth of it, as `strength` does unless
//! told otherwise; `gamma` below 1 is for few target rows.
//!
//! Both norms are not squared, so `theta` is exact below some penalty, 0 above another and a ridge solution between them,
//! of which one number is found by bisection.
//!
//! Where we differ: the authors' programme has `theta ≥ -1`; here ratios below 0 are set to 0 afterwards. Rows are held out
//! in folds as in `black-box-shift`, and weights are scaled to mean 1.
//!
//! Cost: the learner's, `folds + 1` times, on copies of the source rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::confusion::Confusion;
use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, must_weigh};
use crate::methods::{
    Adapted, Adapter, Family, Goals, Grid, LearnerNeed, MethodRow, Needs, count, make, must, params_of,
};
use crate::solvers::regularized_shift_weights;

const NAME: &str = "regularized-label-shift";

/// How often the errors may be further off than they are taken to be.
const RISK: f64 = 0.05;

/// Parameters of regularized learning under label shift.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegularizedLabelShift {
    /// The part of the bound `Delta` that is the penalty, alpha. 0 (no penalty) or above.
    pub strength: f64,
    /// The part of the estimated change that is believed in, gamma. Between 0 (none: all weights equal) and 1.
    pub gamma: f64,
    /// Folds of the source rows, each of which is answered by a learner that was trained on the others. 2 to 100.
    pub folds: usize,
    /// Whether a row counts by its share of each class instead of by its answer. Needs a learner whose scores are shares,
    /// such as `logistic`.
    pub soft: bool,
}

impl Default for RegularizedLabelShift {
    fn default() -> Self {
        Self { strength: 0.01, gamma: 1.0, folds: 5, soft: false }
    }
}

impl RegularizedLabelShift {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Weighting,
        summary: "weighs classes by their shares in the target, drawn towards those in the source",
        when: "the same kinds of rows in other shares; few rows or many classes",
        paper: "K. Azizzadenesheli, A. Liu, F. Yang, A. Anandkumar, \"Regularized learning for domain adaptation under label shifts\", ICLR 2019",
        needs: Needs { goals: Goals::Classes, learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: usize::MAX,
        source: include_str!("regularized_label_shift.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for RegularizedLabelShift {
    fn check(&self) -> Result<()> {
        let strength = self.strength;
        must(NAME, "strength", strength >= 0.0 && strength.is_finite(), "0 or above", strength)?;
        must(NAME, "gamma", (0.0..=1.0).contains(&self.gamma), "between 0 and 1", self.gamma)?;
        count(NAME, "folds", self.folds, 2..=100)
    }

    fn adapt<'a>(&self, task: &'a Task, learner: &dyn Learner, context: &mut Context) -> Result<Adapted<'a>> {
        must_weigh(learner)?;
        let confusion = Confusion::held_out(NAME, task, learner, self.folds, self.soft, context)?;
        let penalty = self.strength * error_bound(confusion.target.len(), task.source.rows());
        let joint = confusion.joint.as_ref();
        let ratios = regularized_shift_weights(joint, &confusion.target, penalty, self.gamma)?;
        Ok(confusion.adapted(NAME, task, &ratios, context))
    }
}

/// `Delta` for so many classes and held-out rows.
fn error_bound(classes: usize, rows: usize) -> f64 {
    let (log, rows) = ((2.0 * classes as f64 / RISK).ln(), rows as f64);
    3.0 * (2.0 * log / (3.0 * rows) + (2.0 * log / rows).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::confusion::tests::mixed_up;
    use super::*;
    use crate::learners::ClassMeans;

    fn weights(method: RegularizedLabelShift, at_zero: usize) -> Vec<f64> {
        let task = mixed_up(at_zero);
        method.adapt(&task, &ClassMeans, &mut Context::default()).unwrap().weights.unwrap()
    }

    /// `L = ln 80`.
    #[test]
    fn the_bound_by_hand() {
        let log = 80.0f64.ln();
        assert!((error_bound(2, 20) - (0.1 * log + 3.0 * (0.1 * log).sqrt())).abs() < 1e-12);
    }

    /// Without a penalty those of `black-box-shift`, 4/7 and 10/7; `gamma` takes a part of the way from 1; a large penalty
    /// takes all of it back.
    #[test]
    fn counted_by_hand() {
        let plain = RegularizedLabelShift { strength: 0.0, ..RegularizedLabelShift::default() };
        for (method, first) in [
            (plain, 4.0 / 7.0),
            (RegularizedLabelShift { gamma: 0.5, ..plain }, 5.5 / 7.0),
            (RegularizedLabelShift { gamma: 0.0, ..plain }, 1.0),
            (RegularizedLabelShift { strength: 1.0, ..plain }, 1.0),
        ] {
            let found = weights(method, 6);
            assert!((found[0] - first).abs() < 1e-8 && (found[10] - 2.0 + first).abs() < 1e-8, "{found:?}");
        }
    }

    /// `theta` is exact below 0.348 and 0 from 0.354 on; in between the minimum by another way, on grids ever finer.
    #[test]
    fn a_penalty_between_is_the_minimum_of_the_objective() {
        let bound = error_bound(2, 20);
        let objective = |a: f64, b: f64, penalty: f64| {
            // `mu - C 1 = (-0.15, 0.15)`.
            let left = [0.4 * a + 0.05 * b + 0.15, 0.1 * a + 0.45 * b - 0.15];
            left[0].hypot(left[1]) + penalty * a.hypot(b)
        };
        for penalty in [0.349, 0.35, 0.351, 0.353] {
            let method =
                RegularizedLabelShift { strength: penalty / bound, ..RegularizedLabelShift::default() };
            let found = weights(method, 6);
            let (mut best, mut at) = (f64::INFINITY, (0.0, 0.0));
            let (mut middle, mut width) = ((0.0, 0.0), 0.5);
            for _ in 0..60 {
                for i in -10..=10 {
                    for j in -10..=10 {
                        let a = middle.0 + width * f64::from(i) / 10.0;
                        let b = middle.1 + width * f64::from(j) / 10.0;
                        let value = objective(a, b, penalty);
                        if value < best {
                            (best, at) = (value, (a, b));
                        }
                    }
                }
                (middle, width) = (at, 0.7 * width);
            }
            let mean = 1.0 + 0.5 * (at.0 + at.1);
            for (ours, theirs) in [(found[0], 1.0 + at.0), (found[10], 1.0 + at.1)] {
                assert!((ours - theirs / mean).abs() < 1e-6, "{penalty}: {ours} for {}", theirs / mean);
            }
        }
    }
}
