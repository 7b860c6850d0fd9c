//! Linear interpolation: the predictions of a learner trained on the source and of one trained on the target, mixed.
//!
//! When: some target rows are labelled, too few to stand alone, and the source is right about some of the target. It
//! hurts where the source knows nothing of the target and the labels are too few to show it.
//!
//! Paper: H. Daumé III, "Frustratingly easy domain adaptation", ACL 2007
//!
//! ```text
//! f(x) = weight f_t(x) + (1 - weight) f_s(x)                            (section 2, baseline "LinInt")
//! ```
//! `f_s` is the learner trained on the source rows, `f_t` the one trained on the labelled target rows. In a
//! classification `f` are shares of the classes: probabilities where the learner states them (`logistic`), else 1 for
//! its answer and 0 for the others. The weight is the best one on target labels that `f_t` has not seen (five folds):
//! ```text
//! min Σ_i |weight f_t(x_i) + (1 - weight) f_s(x_i) - y_i|²,   y_i the number, or 1 at the class of row i
//! weight = Σ_i (y_i - f_s(x_i)) · (f_t(x_i) - f_s(x_i)) / Σ_i |f_t(x_i) - f_s(x_i)|²,   cut to 0 and 1
//! ```
//! Where we differ: the paper chooses the weight on development data, which are not asked for here; squared error (for
//! shares the Brier score) has its minimum in a closed form and tells weights apart that count the same mistakes. Folds
//! follow the order of the labels and features, not of the rows, so that the order of the rows does not matter. With a
//! single labelled row the weight is 1/2.
//!
//! Cost: the learner's, on the source rows once and on the labelled target rows six times.

use std::cmp::Ordering;

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Labels, Task};
use crate::error::Result;
use crate::learners::{Learner, Trained, train};
use crate::linalg::{Matrix, select_rows};
use crate::methods::{
    Carried, Family, Fitted, Grid, LabelUse, Method, MethodRow, Needs, make, must, params_of,
};
use crate::models::{Member, Predictor, VoteRule, Votes, predict};

const NAME: &str = "lin-int";

/// Folds of the labelled target rows.
const FOLDS: usize = 5;

/// Parameters of linear interpolation.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinInt {
    /// How much the learner trained on the target counts; the rest is the one trained on the source. From 0 to 1; by
    /// default chosen by cross-validation on the target's labels.
    pub weight: Option<f64>,
}

impl LinInt {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Predictor(Carried::Parameters),
        summary: "mixes the predictions of a learner trained on the source and of one trained on the target",
        when: "target labels, too few to stand alone, and a source that is right about some of the target",
        paper: "H. Daumé III, \"Frustratingly easy domain adaptation\", ACL 2007",
        needs: Needs { target_labels: LabelUse::Required, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("lin_int.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for LinInt {
    fn check(&self) -> Result<()> {
        let weight = self.weight.unwrap_or(0.5);
        must(NAME, "weight", (0.0..=1.0).contains(&weight), "from 0 to 1", weight)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let (source, target) = (&task.source, &task.target);
        let own = target.labelled_features();
        let from_source = train(learner, &source.features, &source.labels, None, &task.goal, context)?;
        let from_target = train(learner, &own, &target.labels, None, &task.goal, context)?;
        let weight = match self.weight {
            Some(weight) => weight,
            None => best_weight(task, &own, &from_source, learner, context)?,
        };
        let mut classes = [&from_source.classes[..], &from_target.classes].concat();
        classes.sort_unstable();
        classes.dedup();
        let member = |trained: Trained, weight: f64| Member {
            weight,
            classes: trained.classes.iter().filter_map(|c| classes.binary_search(c).ok()).collect(),
            maps: Vec::new(),
            predictor: trained.predictor,
        };
        let members = vec![member(from_source, 1.0 - weight), member(from_target, weight)];
        let predictor = Predictor::Vote(Votes { rule: VoteRule::Mean, classes: classes.len(), members });
        Ok(Fitted { maps: Vec::new(), trained: Trained { predictor, classes }, moved: None, weights: None })
    }
}

/// The weight of least squared error on labelled target rows `own`, each left out once.
fn best_weight(
    task: &Task,
    own: &Matrix,
    from_source: &Trained,
    learner: &dyn Learner,
    context: &mut Context,
) -> Result<f64> {
    let n = own.nrows();
    if n < 2 {
        context.note(NAME, "a single labelled row cannot tell which learner is better: both count alike");
        return Ok(0.5);
    }
    let labels = &task.target.labels;
    let order = by_content(own, labels);
    let folds = FOLDS.min(n);
    let (mut up, mut down) = (0.0, 0.0);
    for fold in 0..folds {
        context.progress(NAME, fold, folds);
        let (mut held, mut kept) = (Vec::new(), Vec::new());
        for (at, &i) in order.iter().enumerate() {
            if at % folds == fold { held.push(i) } else { kept.push(i) }
        }
        kept.sort_unstable();
        let rows = select_rows(own.as_ref(), &kept);
        let aside = &mut context.aside();
        let from_target = train(learner, &rows, &labels.select(&kept), None, &task.goal, aside)?;
        let probe = select_rows(own.as_ref(), &held);
        let (t, s) = (outputs(&from_target, task, &probe), outputs(from_source, task, &probe));
        for (k, &i) in held.iter().enumerate() {
            for c in 0..t.ncols() {
                let y = match labels {
                    Labels::Classes(of) => f64::from(u8::from(of[i] == c)),
                    Labels::Values(values) => values[i],
                };
                let step = t[(k, c)] - s[(k, c)];
                up += (y - s[(k, c)]) * step;
                down += step * step;
            }
        }
    }
    let weight = if down > 0.0 && up.is_finite() && down.is_finite() { up / down } else { 0.5 };
    let weight = weight.clamp(0.0, 1.0);
    context.note(NAME, format!("weight {weight:.3} on what the target's labels teach"));
    Ok(weight)
}

/// The shares of all classes of the goal, or the number.
fn outputs(trained: &Trained, task: &Task, rows: &Matrix) -> Matrix {
    let Trained { predictor, classes } = trained.clone();
    let members = vec![Member { weight: 1.0, classes, maps: Vec::new(), predictor }];
    let votes = Votes { rule: VoteRule::Mean, classes: task.goal.classes(), members };
    let said = predict(&[], &Predictor::Vote(votes), rows.as_ref());
    said.scores.unwrap_or_else(|| Mat::from_fn(rows.nrows(), 1, |i, _| said.answer[i]))
}

/// The rows in an order that depends on labels and features only.
fn by_content(rows: &Matrix, labels: &Labels) -> Vec<usize> {
    let by_label = |a: usize, b: usize| match labels {
        Labels::Classes(of) => of[a].cmp(&of[b]),
        Labels::Values(values) => values[a].total_cmp(&values[b]),
    };
    let by_features = |a: usize, b: usize| {
        let differ = |j: &usize| rows[(a, *j)] != rows[(b, *j)];
        let first = (0..rows.ncols()).find(differ);
        first.map_or(Ordering::Equal, |j| rows[(a, j)].total_cmp(&rows[(b, j)]))
    };
    let mut order: Vec<usize> = (0..rows.nrows()).collect();
    order.sort_by(|&a, &b| by_label(a, b).then_with(|| by_features(a, b)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal};
    use crate::learners::{NearestNeighbor, Ridge};
    use crate::linalg::from_rows;

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    fn members(fitted: &Fitted) -> &[Member] {
        let Predictor::Vote(votes) = &fitted.trained.predictor else { panic!("votes") };
        &votes.members
    }

    /// Values, 1-nn: the source says 0 everywhere, the two target rows have 2 and 4. Left out, each gets the other's
    /// value: steps 4 and 2, so `(2 * 4 + 4 * 2) / (16 + 4) = 0.8`.
    #[test]
    fn the_weight_of_least_squares_by_hand() {
        let source = Domain::labelled("s", column(&[0.0, 1.0]), Labels::Values(vec![0.0, 0.0]));
        let target = Domain {
            name: "t".into(),
            features: column(&[0.0, 5.0, 1.0]),
            labelled: vec![0, 2],
            labels: Labels::Values(vec![2.0, 4.0]),
        };
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        let fitted =
            LinInt::default().fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        assert!((members(&fitted)[1].weight - 0.8).abs() < 1e-15);
        let said = predict(&[], &fitted.trained.predictor, task.target.features.as_ref()).answer;
        assert!((said[0] - 1.6).abs() < 1e-14 && (said[1] - 3.2).abs() < 1e-14);
    }

    /// The source takes every target row for `a`, the target knows `b` and `c`.
    #[test]
    fn the_better_of_two_learners_decides() {
        let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
        let source = Domain::labelled("s", column(&[0.0, 100.0]), Labels::Classes(vec![0, 1]));
        let target = Domain {
            name: "t".into(),
            features: column(&[1.0, 1.1, 2.0, 2.1, 1.4]),
            labelled: vec![0, 1, 2, 3],
            labels: Labels::Classes(vec![1, 1, 2, 2]),
        };
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted =
            LinInt::default().fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let own = members(&fitted);
        assert_eq!(
            (own[1].weight, &own[0].classes[..], &own[1].classes[..]),
            (1.0, &[0, 1][..], &[1, 2][..])
        );
        let said = predict(&[], &fitted.trained.predictor, task.target.features.as_ref()).answer;
        assert_eq!(said, [1.0, 1.0, 2.0, 2.0, 1.0]);
    }

    #[test]
    fn one_label_and_a_given_weight() {
        let source = Domain::labelled("s", column(&[0.0, 1.0]), Labels::Values(vec![0.0, 1.0]));
        let target = Domain {
            name: "t".into(),
            features: column(&[0.5]),
            labelled: vec![0],
            labels: Labels::Values(vec![4.0]),
        };
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        for (given, expected) in [(None, 0.5), (Some(0.25), 0.25)] {
            let fitted =
                LinInt { weight: given }.fit(&task, &Ridge::default(), &mut Context::default()).unwrap();
            assert_eq!(members(&fitted)[1].weight, expected);
        }
    }
}
