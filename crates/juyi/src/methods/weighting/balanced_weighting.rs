//! Balanced weighting: the learner is trained on source rows and labelled target rows together, of which the target rows
//! have a given share of the total weight.
//!
//! When: some target rows are labelled, far fewer than there are source rows. It hurts where few labels get a large
//! share, which the learner then fits to the letter, and where source rows that mislead keep a large one.
//!
//! Paper: P. Wu, T. Dietterich, "Improving SVM accuracy by training on auxiliary data sources", ICML 2004
//!
//! ```text
//! min (1 - target_share) mean_s loss(s) + target_share mean_t loss(t) + penalty               (section 2)
//! ```
//! with `s` the `n_s` source rows and `t` the `n_l` labelled target rows. As weights of mean 1 these are
//! `(1 - target_share) (n_s + n_l) / n_s` for a source row and `target_share (n_s + n_l) / n_l` for a target row.
//!
//! Where we differ: the paper sets a cost of errors for each kind of row of a support vector machine; here any learner
//! that honours weights gets their ratio as a share, and its penalty keeps its strength.
//!
//! Cost: the learner's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, train};
use crate::linalg::stack;
use crate::methods::{
    Family, Fitted, Grid, LabelUse, LearnerNeed, Method, MethodRow, Needs, make, must, params_of,
};

/// Parameters of balanced weighting.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BalancedWeighting {
    /// The share of the total weight that the labelled target rows have, gamma. Between 0 (none: source only) and 1
    /// (all: target only).
    pub target_share: f64,
}

impl Default for BalancedWeighting {
    fn default() -> Self {
        Self { target_share: 0.5 }
    }
}

impl BalancedWeighting {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "balanced-weighting",
        family: Family::Weighting,
        summary: "gives the labelled target rows a set share of the total weight",
        when: "some target rows are labelled, far fewer than there are source rows",
        paper: "P. Wu, T. Dietterich, \"Improving SVM accuracy by training on auxiliary data sources\", ICML 2004",
        needs: Needs { target_labels: LabelUse::Required, learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("balanced_weighting.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for BalancedWeighting {
    fn check(&self) -> Result<()> {
        let share = self.target_share;
        must("balanced-weighting", "target_share", (0.0..=1.0).contains(&share), "between 0 and 1", share)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let own = task.target.labelled_features();
        let (n_s, n_l) = (task.source.rows(), own.nrows());
        let rows = stack(task.source.features.as_ref(), own.as_ref());
        let labels = task.source.labels.chain(&task.target.labels);
        let all = (n_s + n_l) as f64;
        let of_source = (1.0 - self.target_share) * all / n_s as f64;
        let of_target = self.target_share * all / n_l as f64;
        let weights = [vec![of_source; n_s], vec![of_target; n_l]].concat();
        let trained = train(learner, &rows, &labels, Some(&weights), &task.goal, context)?;
        Ok(Fitted { maps: Vec::new(), trained, moved: None, weights: Some(vec![of_source; n_s]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::{ClassMeans, Logistic};
    use crate::linalg::{Matrix, from_rows};
    use crate::models::{Predictor, predict};

    fn task() -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = from_rows(&[vec![0.0], vec![2.0], vec![4.0], vec![8.0]]);
        let source = Domain::labelled("s", source, Labels::Classes(vec![0, 0, 0, 1]));
        let target = Domain {
            name: "t".into(),
            features: from_rows(&[vec![6.0], vec![5.0], vec![7.0]]),
            labelled: vec![0, 2],
            labels: Labels::Classes(vec![0, 1]),
        };
        Task::new(vec![source], target, goal).unwrap()
    }

    /// Four source rows have 1/4 of a weight of 6, two target rows 3/4: 3/8 and 9/4 a row. The mean of class `a` is then
    /// `(3/8 · 6 + 9/4 · 6) / (9/8 + 9/4)`, that of `b` `(3/8 · 8 + 9/4 · 7) / (3/8 + 9/4)`.
    #[test]
    fn weighted_means_by_hand() {
        let method = BalancedWeighting { target_share: 0.75 };
        let fitted = method.fit(&task(), &ClassMeans, &mut Context::default()).unwrap();
        let Predictor::ClassMeans { means, .. } = &fitted.trained.predictor else { panic!("means") };
        assert!((means[(0, 0)] - 14.0 / 3.0).abs() < 1e-14, "{means:?}");
        assert!((means[(1, 0)] - 50.0 / 7.0).abs() < 1e-14, "{means:?}");
    }

    #[test]
    fn the_learner_gets_these_weights_and_an_end_leaves_a_domain_out() {
        let task = task();
        let probe = Matrix::from_fn(9, 1, |i, _| i as f64);
        let confidence = |fitted: &Predictor| predict(&[], fitted, probe.as_ref()).confidence;
        let rows = from_rows(&[vec![0.0], vec![2.0], vec![4.0], vec![8.0], vec![6.0], vec![7.0]]);
        let labels = Labels::Classes(vec![0, 0, 0, 1, 0, 1]);
        for (share, source, target) in [(0.75, 0.375, 2.25), (0.0, 1.5, 0.0), (1.0, 0.0, 3.0)] {
            let context = &mut Context::default();
            let fitted = BalancedWeighting { target_share: share }.fit(&task, &Logistic::default(), context);
            let weights = [vec![source; 4], vec![target; 2]].concat();
            let direct =
                train(&Logistic::default(), &rows, &labels, Some(&weights), &task.goal, context).unwrap();
            let fitted = fitted.unwrap();
            assert_eq!(fitted.weights.as_deref(), Some(&weights[..4]));
            let found = confidence(&fitted.trained.predictor);
            for (ours, theirs) in found.iter().zip(confidence(&direct.predictor)) {
                assert!((ours - theirs).abs() <= 1e-12, "share {share}: {ours}, {theirs}");
            }
        }
    }
}
