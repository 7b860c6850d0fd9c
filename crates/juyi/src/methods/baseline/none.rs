//! Source only: the learner trained on the source rows, applied to the target as it is.
//!
//! When: always, beside any other method. Nothing is taken from the target, neither rows nor column statistics.
//!
//! Paper: no transfer; the baseline of every paper here
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

/// The source-only baseline; no parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceOnly {}

impl Method for SourceOnly {
    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let source = &task.source;
        let trained = train(learner, &source.features, &source.labels, None, &task.goal, context)?;
        Ok(Fitted { maps: Vec::new(), trained, moved: None, weights: None })
    }

    /// The source model as it is.
    fn refine(
        &self,
        sources: &[SourceModel],
        _target: &Domain,
        _goal: &Goal,
        _learner: &dyn Learner,
        _context: &mut Context,
    ) -> Result<Fitted> {
        let SourceModel { maps, trained, .. } = &sources[0];
        Ok(Fitted { maps: maps.clone(), trained: trained.clone(), moved: None, weights: None })
    }
}

impl SourceOnly {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "none",
        family: Family::Baseline,
        summary: "the learner trained on the source alone",
        when: "always, beside any other method: what transfer has to beat",
        paper: "no transfer; the baseline of every paper here",
        needs: Needs { target_labels: LabelUse::Unused, source: SourceNeed::RowsOrModel, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("none.rs"),
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
    fn the_target_plays_no_part() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", from_rows(&[vec![0.0], vec![1.0]]), Labels::Classes(vec![0, 1]));
        let target = Domain::labelled("t", from_rows(&[vec![9.0]]), Labels::Classes(vec![0]));
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted = SourceOnly {}.fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let Predictor::Neighbors { rows, .. } = &fitted.trained.predictor else {
            panic!("1-nn keeps neighbours")
        };
        assert_eq!(rows, &task.source.features);
    }
}
