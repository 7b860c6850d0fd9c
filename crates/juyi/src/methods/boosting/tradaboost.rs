//! `TrAdaBoost`: a learner is trained round after round; source rows that it gets wrong lose weight, labelled target
//! rows that it gets wrong gain weight, and the later rounds vote.
//!
//! When: some target rows are labelled, and part of the source rows agree with the target while others mislead. It
//! hurts where only a handful of target rows are labelled, which the later rounds then learn by heart, and where so
//! many source rows mislead that the first rounds are no better than a guess on the target: little then changes.
//!
//! Paper: W. Dai, Q. Yang, G.-R. Xue and Y. Yu, "Boosting for transfer learning", ICML 2007
//!
//! ```text
//! n source rows, m labelled target rows, c classes, N rounds; all weights begin equal.
//! In round t, with h_t learnt with weights w:
//! l_i = 1 if h_t(x_i) is not y_i, else 0                                                          (1)
//! ε_t = Σ_target w_i l_i / Σ_target w_i                                                           (2)
//! β   = 1 / (1 + √(2 ln n / N)),   β_t = ε_t / ((1 - ε_t) (c - 1))                                (3)
//! w_i <- w_i β^(l_i)  (source),    w_i <- w_i β_t^(-l_i)  (target)                                (4)
//! answer: the class with the largest  Σ_{t = ⌈N/2⌉..N, h_t(x) = class} ln(1 / β_t)                (5)
//! ```
//! (the paper's figure 1; for its two classes (5) is its product rule)
//!
//! Where we differ: `c - 1` in (3) serves more than two classes, as in SAMME (J. Zhu, H. Zou, S. Rosset and T. Hastie,
//! "Multi-class `AdaBoost`", Statistics and Its Interface 2, 2009): a round has to be better than a guess, `ε_t < 1 -
//! 1/c`. The paper asks for that too (`ε_t < 1/2`) and does not say what else to do: a worse round counts as better
//! than a guess by 0.01. A round without error on the target counts as half a row wrong among all `n + m`, so that no
//! round has an infinite say; one that gets every row right ends the boosting and answers alone. The learner gets the
//! weights scaled to mean 1, so that its penalty, or the least weight of its leaves, keeps its strength.
//!
//! Cost: `rounds` fits of the learner on `n + m` rows; a second copy of the rows; the model holds half of the rounds.

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

/// Parameters of `TrAdaBoost`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrAdaBoost {
    /// How many times the learner is trained. 1 to 1000; the more rounds, the slower source rows lose weight.
    pub rounds: usize,
}

impl Default for TrAdaBoost {
    fn default() -> Self {
        Self { rounds: 30 }
    }
}

impl TrAdaBoost {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "tradaboost",
        family: Family::Boosting,
        summary: "boosting that takes weight from source rows which mislead",
        when: "some target rows are labelled; part of the source rows mislead",
        paper: "W. Dai, Q. Yang, G.-R. Xue and Y. Yu, \"Boosting for transfer learning\", ICML 2007",
        needs: Needs {
            goals: Goals::Classes,
            target_labels: LabelUse::Required,
            learner: LearnerNeed::Weighs,
            ..Needs::NOTHING
        },
        trains_learner: true,
        learner: "decision-tree",
        grid: Grid::of(&["{}"]),
        most_rows: 20_000,
        source: include_str!("tradaboost.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for TrAdaBoost {
    fn check(&self) -> Result<()> {
        count("tradaboost", "rounds", self.rounds, 1..=1000)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let pool = Pool::new(task, learner)?;
        let rounds = pool.transfer_boost(Self::ROW.name, self.rounds, false, context)?;
        let weights = pool.source_weights(&rounds);
        let trained = vote(later_half(rounds), VoteRule::Majority);
        Ok(Fitted { maps: Vec::new(), trained, moved: None, weights })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::DecisionTree;
    use crate::linalg::Matrix;
    use crate::models::predict;

    // The weights by hand are tested in `learners::boosting`.

    fn column(values: &[f64]) -> Matrix {
        Matrix::from_fn(values.len(), 1, |i, _| values[i])
    }

    #[test]
    fn source_rows_that_mislead_lose_their_say() {
        // The target parts at 5, twelve source rows say that it parts at 3; a stump on all rows follows them.
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let x_s = [1.0, 2.0, 2.5, 2.8, 3.2, 3.4, 3.6, 3.8, 4.0, 4.2, 4.4, 4.6];
        let y_s = x_s.iter().map(|x| usize::from(*x > 3.0)).collect();
        let source = Domain::labelled("s", column(&x_s), Labels::Classes(y_s));
        let x_t = [1.0, 2.0, 3.5, 4.5, 5.5, 6.0, 7.0];
        let y_t = x_t.iter().map(|x| usize::from(*x > 5.0)).collect();
        let target = Domain::labelled("t", column(&x_t), Labels::Classes(y_t));
        let task = Task::new(vec![source], target, goal).unwrap();
        let stump = DecisionTree { depth: Some(1), leaf_weight: 1e-9 };
        let probe = column(&[2.0, 4.0, 6.0]);
        let said = |rounds| {
            let fitted = TrAdaBoost { rounds }.fit(&task, &stump, &mut Context::default()).unwrap();
            predict(&[], &fitted.trained.predictor, probe.as_ref()).answer
        };
        assert_eq!((said(1), said(30)), (vec![0.0, 1.0, 1.0], vec![0.0, 0.0, 1.0]));
    }

    #[test]
    fn a_target_of_one_class_is_no_obstacle() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", column(&[0.0, 1.0, 2.0]), Labels::Classes(vec![0, 1, 0]));
        let target = Domain::labelled("t", column(&[1.0]), Labels::Classes(vec![0]));
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted = TrAdaBoost::default().fit(&task, &DecisionTree::default(), &mut Context::default());
        assert_eq!(fitted.unwrap().trained.classes, [0, 1]);
    }
}
