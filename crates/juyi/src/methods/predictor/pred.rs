//! Source predictions as features: a learner trained on the source tells the learner trained on the target what it
//! thinks.
//!
//! When: some target rows are labelled, and what the source would say is of use to them even where it is wrong: classes
//! confused in a regular way, numbers that are off by a factor. It hurts with very few labels, because the target's
//! learner stands on those alone.
//!
//! Paper: H. Daumé III, "Frustratingly easy domain adaptation", ACL 2007
//!
//! ```text
//! f_s = the learner trained on the source rows
//! f   = the learner trained on (x, f_s(x)), x the labelled target rows          answer f(x, f_s(x))
//! ```
//! (section 2, baseline "Pred"). `f_s(x)` is one column a class, the scores of `f_s` or 1 for its answer where it has
//! no scores; in a regression it is one column, the number.
//!
//! Where we differ: scores of all classes stand in for the one prediction, as they say how sure `f_s` is.
//!
//! Cost: the learner's, on the source rows and on the labelled target rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, Trained, train};
use crate::methods::{Carried, Family, Fitted, Grid, LabelUse, Method, MethodRow, Needs, make, params_of};
use crate::models::{Predictor, Stacked, with_answers};

/// Source predictions as features; no parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pred {}

impl Pred {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "pred",
        family: Family::Predictor(Carried::Parameters),
        summary: "the target's learner sees what the source's learner predicts, beside the features",
        when: "target labels, and a source that is wrong in a regular way",
        paper: "H. Daumé III, \"Frustratingly easy domain adaptation\", ACL 2007",
        needs: Needs { target_labels: LabelUse::Required, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE, // close to lin-int
        most_rows: usize::MAX,
        source: include_str!("pred.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for Pred {
    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let (source, target) = (&task.source, &task.target);
        let first = train(learner, &source.features, &source.labels, None, &task.goal, context)?;
        let first_classes = first.classes.len();
        let rows = with_answers(&first.predictor, first_classes, target.labelled_features().as_ref());
        let second = train(learner, &rows, &target.labels, None, &task.goal, context)?;
        let predictor = Predictor::Stacked(Stacked {
            first: Box::new(first.predictor),
            first_classes,
            second: Box::new(second.predictor),
        });
        Ok(Fitted {
            maps: Vec::new(),
            trained: Trained { predictor, classes: second.classes },
            moved: None,
            weights: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::{NearestNeighbor, Ridge};
    use crate::linalg::from_rows;
    use crate::models::predict;

    /// The source says `y = x`, the target `y = 3 x` plus 1: of the columns `x` and `f_s(x)` ridge takes 3/2 each.
    #[test]
    fn numbers_off_by_a_factor() {
        let rows = from_rows(&[vec![-1e3], vec![1e3]]);
        let source = Domain::labelled("s", rows.clone(), Labels::Values(vec![-1e3, 1e3]));
        let target = Domain {
            name: "t".into(),
            features: from_rows(&[vec![-1e3], vec![5.0], vec![1e3]]),
            labelled: vec![0, 2],
            labels: Labels::Values(vec![-2999.0, 3001.0]),
        };
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        let fitted = Pred {}.fit(&task, &Ridge::default(), &mut Context::default()).unwrap();
        let Predictor::Stacked(Stacked { second, .. }) = &fitted.trained.predictor else { panic!("stacked") };
        let Predictor::Linear { weights, .. } = second.as_ref() else { panic!("linear") };
        assert!((weights[(0, 0)] - 1.5).abs() < 1e-5 && (weights[(1, 0)] - 1.5).abs() < 1e-5);
        let said = predict(&[], &fitted.trained.predictor, task.target.features.as_ref()).answer;
        assert!((said[1] - 16.0).abs() < 1e-3, "{said:?}");
    }

    /// The source has classes `a` and `b`, the target `a` and `c`: nearest neighbours see 1 and 0 beside the row.
    #[test]
    fn the_domains_may_have_different_classes() {
        let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
        let source = Domain::labelled("s", from_rows(&[vec![0.0], vec![8.0]]), Labels::Classes(vec![0, 1]));
        let target = Domain {
            name: "t".into(),
            features: from_rows(&[vec![1.0], vec![9.0], vec![3.0]]),
            labelled: vec![0, 1],
            labels: Labels::Classes(vec![0, 2]),
        };
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted = Pred {}.fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        assert_eq!(fitted.trained.classes, [0, 2]);
        let said = predict(&[], &fitted.trained.predictor, task.target.features.as_ref()).answer;
        assert_eq!(said, [0.0, 1.0, 0.0]);
    }
}
