//! Structure transfer (STRUT): each tree of a source model keeps its questions' columns and takes new thresholds from
//! labelled target rows.
//!
//! When: a tree or a forest of the source (its rows are not needed) and a target whose columns are shifted or rescaled, so
//! that the same questions are right at other values. It hurts with very few labelled rows, and where other columns
//! matter than in the source.
//!
//! Paper: N. Segev, M. Harel, S. Mannor, K. Crammer, R. El-Yaniv, "Learn on source, refine on target: a model transfer learning framework with random forests", IEEE TPAMI 2017
//!
//! With `S` the labelled target rows that reach a node and `P_L`, `P_R` the classes' shares that its children had:
//! ```text
//! DG(t; P_L, P_R) = 1 - |S_L|/|S| JSD(S_L, P_L) - |S_R|/|S| JSD(S_R, P_R)                         (algorithm 2)
//! ```
//! is largest over the `t` at which the information gain has a local maximum; where `DG(t; P_R, P_L)` reaches higher the
//! children change places. Nodes say what the target rows that reach them say, and one that none reaches becomes a leaf.
//!
//! Where we differ: where all rows that reach a node are alike in its column, its threshold stays.
//!
//! Cost: for each tree `O(d n log n)` and `O(n)` a node and level, for `n` labelled target rows; memory `O(d n)` beside
//! the trees.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{model_of_source, with_trees};
use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::Result;
use crate::learners::{Learner, retune_thresholds};
use crate::methods::{
    Family, Fitted, Goals, Grid, LabelUse, LearnerNeed, Method, MethodRow, Needs, SourceModel, SourceNeed,
    Sources, make, params_of,
};

/// Structure transfer; no parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strut {}

impl Strut {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "strut",
        family: Family::Prior,
        summary: "keeps the questions of a source model's trees and sets their thresholds anew on labelled target rows",
        when: "a tree or forest of the source (its rows are not needed), columns shifted or rescaled, dozens of labelled target rows",
        paper: "N. Segev, M. Harel, S. Mannor, K. Crammer, R. El-Yaniv, \"Learn on source, refine on target: a model transfer learning framework with random forests\", IEEE TPAMI 2017",
        needs: Needs {
            goals: Goals::Classes,
            target_labels: LabelUse::Required,
            source: SourceNeed::RowsOrModel,
            learner: LearnerNeed::Trees,
            sources: Sources::OneModel,
            ..Needs::NOTHING
        },
        trains_learner: true,
        learner: "random-forest",
        grid: Grid::of(&["{}"]),
        most_rows: 50_000,
        source: include_str!("strut.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for Strut {
    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let source = model_of_source(task, learner, context)?;
        self.refine(&[source], &task.target, &task.goal, learner, context)
    }

    fn refine(
        &self,
        sources: &[SourceModel],
        target: &Domain,
        goal: &Goal,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Fitted> {
        let weights = vec![1.0; target.labelled.len()];
        with_trees(Self::ROW.name, sources, target, goal, |trees, rows| {
            retune_thresholds(trees, rows, &target.labels, &weights, context)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;
    use crate::learners::DecisionTree;
    use crate::linalg::from_rows;

    /// The source asks whether `x` is above 1/2; in the target the classes part at 15.
    #[test]
    fn thresholds_move_and_questions_stay() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let column = |values: &[f64]| from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>());
        let source =
            Domain::labelled("s", column(&[0.0, 1.0].repeat(20)), Labels::Classes([0, 1].repeat(20)));
        let target =
            Domain::labelled("t", column(&[10.0, 12.0, 18.0, 20.0]), Labels::Classes(vec![0, 0, 1, 1]));
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted = Strut {}.fit(&task, &DecisionTree::default(), &mut Context::default()).unwrap();
        let said = fitted.trained.predictor.answer(column(&[11.0, 14.0, 16.0]).as_ref());
        assert_eq!(said.answer, [0.0, 0.0, 1.0]);
    }
}
