//! Structure expansion and reduction (SER): each tree of a source model grows where labelled target rows ask for more
//! questions, and is cut back where they need fewer.
//!
//! When: a tree or a forest of the source (its rows are not needed) and some dozens of labelled target rows or more. It
//! hurts with very few: a leaf is judged by the rows that reach it, and a branch that none reaches is cut off.
//!
//! Paper: N. Segev, M. Harel, S. Mannor, K. Crammer, R. El-Yaniv, "Learn on source, refine on target: a model transfer learning framework with random forests", IEEE TPAMI 2017
//!
//! ```text
//! expansion   each leaf v is replaced by a tree grown on S_v, the labelled target rows that reach it
//! reduction   from the leaves up, an inner node v becomes a leaf where
//!             error of saying what S_v says most  <=  error of the leaves below v, on S_v       (algorithm 1)
//! ```
//! Errors are the rows that are missed, or the squared error of numbers; nodes say what the target rows that reach them
//! say.
//!
//! Where we differ: numbers are served too; `leaf_weight` bounds what is grown.
//!
//! Cost: for each tree `O(d n log n)` a level that is grown, for `n` labelled target rows; memory the trees' and the
//! sorted rows', `O(d n)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{model_of_source, with_trees};
use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::Result;
use crate::learners::{Learner, expand_reduce};
use crate::methods::{
    Family, Fitted, Grid, LabelUse, LearnerNeed, Method, MethodRow, Needs, SourceModel, SourceNeed, Sources,
    make, must, params_of,
};

/// Parameters of structure expansion and reduction.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ser {
    /// The least weight of target rows in a leaf that is grown. Above 0.
    pub leaf_weight: f64,
}

impl Default for Ser {
    fn default() -> Self {
        Self { leaf_weight: 1.0 }
    }
}

impl Ser {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "ser",
        family: Family::Prior,
        summary: "grows and cuts back the trees of a source model on labelled target rows",
        when: "a tree or forest of the source (its rows are not needed) and dozens of labelled target rows",
        paper: "N. Segev, M. Harel, S. Mannor, K. Crammer, R. El-Yaniv, \"Learn on source, refine on target: a model transfer learning framework with random forests\", IEEE TPAMI 2017",
        needs: Needs {
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
        source: include_str!("ser.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for Ser {
    fn check(&self) -> Result<()> {
        let holds = self.leaf_weight > 0.0 && self.leaf_weight.is_finite();
        must(Self::ROW.name, "leaf_weight", holds, "above 0", self.leaf_weight)
    }

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
            expand_reduce(trees, rows, &target.labels, &weights, self.leaf_weight, context)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;
    use crate::learners::DecisionTree;
    use crate::linalg::from_rows;

    /// The source asks whether `x` is above 1/2; in the target the classes part at three, in turn.
    #[test]
    fn leaves_grow_where_rows_ask_for_it() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let column = |values: &[f64]| from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>());
        let source = Domain::labelled("s", column(&[0.0, 0.0, 1.0, 1.0]), Labels::Classes(vec![0, 0, 1, 1]));
        let target = Domain::labelled("t", column(&[0.0, 1.0, 3.0, 5.0]), Labels::Classes(vec![0, 1, 1, 0]));
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted = Ser::default().fit(&task, &DecisionTree::default(), &mut Context::default()).unwrap();
        let said = fitted.trained.predictor.answer(column(&[0.0, 2.0, 6.0]).as_ref());
        assert_eq!(said.answer, [0.0, 1.0, 0.0]);
    }
}
