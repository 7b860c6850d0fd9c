//! Target only: the learner trained on the labelled target rows.
//!
//! When: some target rows are labelled and the question is whether the source adds anything to them.
//!
//! Paper: no transfer; the other baseline
//!
//! Cost: the learner's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::Result;
use crate::learners::{Learner, train};
use crate::methods::{
    Family, Fitted, Grid, LabelUse, Method, MethodRow, Needs, SourceModel, SourceNeed, make, params_of,
};
use crate::models::apply_all;

/// The target-only baseline; no parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetOnly {}

impl Method for TargetOnly {
    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let rows = task.target.labelled_features();
        let trained = train(learner, &rows, &task.target.labels, None, &task.goal, context)?;
        Ok(Fitted { maps: Vec::new(), trained, moved: None, weights: None })
    }

    /// The learner trained in the first source model's space, of whose rows nothing else is used.
    fn refine(
        &self,
        sources: &[SourceModel],
        target: &Domain,
        goal: &Goal,
        learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Fitted> {
        let maps = sources[0].maps.clone();
        let rows = apply_all(&maps, target.labelled_features().as_ref());
        let trained = train(learner, &rows, &target.labels, None, goal, context)?;
        Ok(Fitted { maps, trained, moved: None, weights: None })
    }
}

impl TargetOnly {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "target-only",
        family: Family::Baseline,
        summary: "the learner trained on the labelled target rows alone",
        when: "there are target labels: whether the source adds anything to them",
        paper: "no transfer; the other baseline",
        needs: Needs { target_labels: LabelUse::Required, source: SourceNeed::Nothing, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("target_only.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labels;
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;
    use crate::models::Predictor;

    #[test]
    fn only_labelled_target_rows_are_learnt_from() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", from_rows(&[vec![0.0], vec![1.0]]), Labels::Classes(vec![0, 1]));
        let target = Domain {
            name: "t".into(),
            features: from_rows(&[vec![7.0], vec![8.0], vec![9.0]]),
            labelled: vec![0, 2],
            labels: Labels::Classes(vec![1, 0]),
        };
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted = TargetOnly {}.fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let Predictor::Neighbors { rows, answers, .. } = &fitted.trained.predictor else {
            panic!("neighbours")
        };
        assert_eq!(rows, &from_rows(&[vec![7.0], vec![9.0]]));
        assert_eq!(answers, &from_rows(&[vec![1.0], vec![0.0]]));
    }
}
