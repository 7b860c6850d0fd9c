//! Black-box shift estimation: how a classifier errs on source rows, and how often it names each class in the target, tell
//! how frequent each class is there; source rows are weighted by the ratio of their class.
//!
//! When: the same kinds of rows in other shares, as of a disease in another season: `p(x | y)` is unchanged. It hurts
//! where rows of a class look different in the target, and where the classifier hardly tells the classes apart.
//!
//! Paper: Z. Lipton, Y.-X. Wang, A. Smola, "Detecting and correcting for label shift with black box predictors", ICML 2018
//!
//! ```text
//! C_ij = share of held-out source rows with answer i and label j,   mu_i = share of target rows with answer i
//! w = C⁻¹ mu,   w_j = p_target(j) / p_source(j);   a source row with label j has weight max(w_j, 0)     (section 4)
//! ```
//! With `soft` a row counts by its share of each class instead of by its answer.
//!
//! Where we differ: the paper holds out a half of the rows; here each row is held out once, and the classifiers of all
//! folds answer for the target, so that `C` and `mu` are of the same classifiers. Where `C` is singular, as with a class
//! that is never answered, the ratios nearest to 1 are taken among those that fit best, and a notice says so. Weights are
//! scaled to mean 1, so that a learner's penalty keeps its strength.
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
    Adapted, Adapter, Family, Goals, Grid, LearnerNeed, MethodRow, Needs, count, make, params_of,
};
use crate::solvers::shift_weights;

const NAME: &str = "black-box-shift";

/// Parameters of black-box shift estimation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BlackBoxShift {
    /// Folds of the source rows, each of which is answered by a learner that was trained on the others. 2 to 100.
    pub folds: usize,
    /// Whether a row counts by its share of each class instead of by its answer. Needs a learner whose scores are shares,
    /// such as `logistic`.
    pub soft: bool,
}

impl Default for BlackBoxShift {
    fn default() -> Self {
        Self { folds: 5, soft: false }
    }
}

impl BlackBoxShift {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Weighting,
        summary: "weighs classes by their shares in the target, estimated from a classifier's answers and errors",
        when: "the same kinds of rows in other shares; any classifier that tells the classes apart",
        paper: "Z. Lipton, Y.-X. Wang, A. Smola, \"Detecting and correcting for label shift with black box predictors\", ICML 2018",
        needs: Needs { goals: Goals::Classes, learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("black_box_shift.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for BlackBoxShift {
    fn check(&self) -> Result<()> {
        count(NAME, "folds", self.folds, 2..=100)
    }

    fn adapt<'a>(&self, task: &'a Task, learner: &dyn Learner, context: &mut Context) -> Result<Adapted<'a>> {
        must_weigh(learner)?;
        let confusion = Confusion::held_out(NAME, task, learner, self.folds, self.soft, context)?;
        let ratios = shift_weights(confusion.joint.as_ref(), &confusion.target)?;
        Ok(confusion.adapted(NAME, task, &ratios, context))
    }
}

#[cfg(test)]
mod tests {
    use super::super::confusion::tests::mixed_up;
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::ClassMeans;
    use crate::linalg::from_rows;

    /// `C = (0.4 0.05; 0.1 0.45)`, of determinant 0.175: with `mu = (0.3, 0.7)` the ratios are 0.1 and 0.25 over it.
    #[test]
    fn counted_by_hand() {
        let (task, context) = (mixed_up(6), &mut Context::default());
        let weights = BlackBoxShift::default().adapt(&task, &ClassMeans, context).unwrap().weights.unwrap();
        for (i, w) in weights.iter().enumerate() {
            let expected = if i < 10 { 0.1 } else { 0.25 } / 0.175;
            assert!((w - expected).abs() < 1e-8, "{i}: {w}");
        }
        let said = &context.notices()[0].text;
        assert!(said.ends_with("`a` 28.6 % (source 50.0 %), `b` 71.4 % (source 50.0 %)"), "{said}");
    }

    /// All answers `b` in the target: the ratio of `a` would be -0.05 / 0.175.
    #[test]
    fn negative_ratios_are_none() {
        let (task, context) = (mixed_up(0), &mut Context::default());
        let weights = BlackBoxShift::default().adapt(&task, &ClassMeans, context).unwrap().weights.unwrap();
        assert!(weights[..10].iter().all(|w| *w == 0.0) && (weights[10] - 2.0).abs() < 1e-12, "{weights:?}");
    }

    /// The only row of `c` is held out from all that knew of it: its answer is another class, and its share is left open.
    #[test]
    fn a_class_that_is_never_answered_keeps_its_share() {
        let goal = Goal::Classes(["a", "b", "c"].map(Into::into).to_vec());
        let x: Vec<Vec<f64>> = (0..13).map(|i| vec![if i < 6 { 0.0 } else { 10.0 }]).collect();
        let labels = (0..13).map(|i| if i < 6 { 0 } else { 1 + usize::from(i == 12) }).collect();
        let source = Domain::labelled("s", from_rows(&x), Labels::Classes(labels));
        let target = Domain::unlabelled("t", from_rows(&x[3..]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let context = &mut Context::default();
        let weights = BlackBoxShift::default().adapt(&task, &ClassMeans, context).unwrap().weights.unwrap();
        assert!(weights.iter().all(|w| w.is_finite() && *w > 0.5), "{weights:?}");
        assert!(weights[0] < weights[6] && (weights.iter().sum::<f64>() - 13.0).abs() < 1e-9, "{weights:?}");
        let said = &context.notices()[0].text;
        assert!(said.starts_with("held-out answers tell 2 of 3 classes apart"), "{said}");
    }
}
