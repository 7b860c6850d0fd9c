//! `TrAdaBoost.R2`: `TrAdaBoost` for numbers. Source rows lose weight and labelled target rows gain weight by the size
//! of their residuals, and the later rounds answer with their weighted median.
//!
//! When: a number is predicted, some target rows are labelled, and part of the source rows mislead. It hurts where one
//! outlier has by far the largest residual: all other losses are then next to nothing.
//!
//! Paper: D. Pardoe and P. Stone, "Boosting for regression transfer", ICML 2010
//!
//! ```text
//! n source rows, m labelled target rows, N rounds; all weights begin equal.
//! In round t, with h_t learnt with weights w:
//! l_i = |y_i - h_t(x_i)| / max_j |y_j - h_t(x_j)|                               (over all rows)   (1)
//! ε_t = Σ_target w_i l_i / Σ_target w_i;  the rounds end before the first with ε_t >= 1/2         (2)
//! β   = 1 / (1 + √(2 ln n / N)),   β_t = ε_t / (1 - ε_t)                                          (3)
//! w_i <- w_i β^(l_i)  (source),    w_i <- w_i β_t^(-l_i)  (target)                                (4)
//! answer: the median of h_t(x), t = ⌈N/2⌉..N, weighted by ln(1 / β_t)                             (5)
//! ```
//! (section 3: the losses of `AdaBoost.R2` in `TrAdaBoost`'s rule; where rounds end early, `N` in (5) is how many there
//! were)
//!
//! Where we differ: the first round is kept whatever its loss, as `ε_t = 0.49` at most; one without loss on the target
//! counts as `ε_t = 1/2` of a row among all `n + m`, so that no round has an infinite say; one without loss on any row
//! answers alone. The learner gets the weights scaled to mean 1.
//!
//! Cost: up to `rounds` fits of the learner on `n + m` rows; a second copy of the rows; the model holds half of the
//! rounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::learners::boosting::{Pool, later_half, vote};
use crate::methods::{
    Family, Fitted, Goals, Grid, LabelUse, LearnerNeed, Method, MethodRow, Needs, count, make, params_of,
};
use crate::models::VoteRule;

/// Parameters of `TrAdaBoost.R2`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrAdaBoostR2 {
    /// How many times the learner is trained at most. 1 to 1000; the more rounds, the slower source rows lose weight.
    pub rounds: usize,
}

impl Default for TrAdaBoostR2 {
    fn default() -> Self {
        Self { rounds: 30 }
    }
}

impl TrAdaBoostR2 {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "tradaboost-r2",
        family: Family::Boosting,
        summary: "boosting of numbers that takes weight from source rows which mislead",
        when: "some target rows are labelled with numbers; part of the source rows mislead",
        paper: "D. Pardoe and P. Stone, \"Boosting for regression transfer\", ICML 2010",
        needs: Needs {
            goals: Goals::Values,
            target_labels: LabelUse::Required,
            learner: LearnerNeed::Weighs,
            ..Needs::NOTHING
        },
        trains_learner: true,
        learner: "decision-tree",
        grid: Grid::of(&["{}"]),
        most_rows: 20_000,
        source: include_str!("tradaboost_r2.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for TrAdaBoostR2 {
    fn check(&self) -> Result<()> {
        count("tradaboost-r2", "rounds", self.rounds, 1..=1000)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let pool = Pool::new(task, learner)?;
        let rounds = pool.transfer_boost(Self::ROW.name, self.rounds, true, context)?;
        let weights = pool.source_weights(&rounds);
        let trained = vote(later_half(rounds), VoteRule::Median);
        Ok(Fitted { maps: Vec::new(), trained, moved: None, weights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::DecisionTree;
    use crate::linalg::from_rows;

    #[test]
    fn one_step_by_hand() {
        // The stump parts at 1.5: means 1 (of 0 and 2) and 8 (of 11, 6, 7); residuals 1, 3 | 1, 2, 1 over 3.
        let source =
            Domain::labelled("s", from_rows(&[vec![0.0], vec![2.0]]), Labels::Values(vec![0.0, 11.0]));
        let rows = from_rows(&[vec![1.0], vec![2.5], vec![3.0]]);
        let target = Domain::labelled("t", rows, Labels::Values(vec![2.0, 6.0, 7.0]));
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        let stump = DecisionTree { depth: Some(1), leaf_weight: 1e-9 };
        let context = &mut Context::default();
        let rounds = Pool::new(&task, &stump).unwrap().transfer_boost("t", 2, true, context).unwrap();
        // The target's error is (1/3 + 2/3 + 1/3) / 3 = 4/9, so its rows gain by powers of 5/4.
        assert!((rounds[0].error - 4.0 / 9.0).abs() < 1e-15);
        let down = 1.0 / (1.0 + 2f64.ln().sqrt());
        let third = 1.0 / 3.0;
        let raw =
            [down.powf(third), down, 1.25f64.powf(third), 1.25f64.powf(2.0 * third), 1.25f64.powf(third)];
        let total: f64 = raw.iter().sum();
        for (w, by_hand) in rounds[1].weights.iter().zip(raw) {
            assert!((w - by_hand / total).abs() < 1e-14);
        }
        let fitted = TrAdaBoostR2::default().fit(&task, &DecisionTree::default(), context).unwrap();
        assert!(fitted.trained.classes.is_empty());
    }
}
