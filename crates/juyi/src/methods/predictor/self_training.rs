//! Self-training: a learner labels the target rows that it is most sure of, learns from them too, and so on.
//!
//! When: the learner is right where it is sure, and the target lies near the source or is linked to it by rows in
//! between. It hurts where the learner is sure and wrong: a mistake that is taken in is never taken back.
//!
//! Paper: D. Yarowsky, "Unsupervised word sense disambiguation rivaling supervised methods", ACL 1995; H. Scudder, "Probability of error of some adaptive pattern-recognition machines", IEEE Trans. Information Theory 1965
//!
//! ```text
//! 1  f = the learner trained on the labelled rows of both domains and on the pairs (x, y) that were taken in
//! 2  take in (x, f(x)) for the target rows x with confidence(f, x) > threshold, or for the most confident ones
//! 3  repeat until no row is taken in, none is left, or the rounds are over; then train once more
//! ```
//! Confidence is that which the learner's predictor states: a probability for `logistic`, a softmax of margins for
//! `svm` (with many classes small: use `per_round`), a ratio of distances for `1-nn`.
//!
//! Where we differ: Yarowsky's words come with a second source of evidence (one sense in each discourse), which rows do
//! not have. As in scikit-learn's `SelfTrainingClassifier`, labels once given are kept. `balanced` is ours.
//!
//! Cost: the learner's, `rounds + 1` times, on up to all rows of both domains, which are copied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Labels, Task};
use crate::error::Result;
use crate::learners::{Learner, Trained, train};
use crate::linalg::{select_rows, stack};
use crate::methods::{
    Carried, Family, Fitted, Goals, Grid, Method, MethodRow, Needs, count, make, must, params_of,
};
use crate::models::predict;

const NAME: &str = "self-training";

/// Parameters of self-training.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SelfTraining {
    /// A target row is taken in if the learner's confidence is above this. From 0 to 1; not used with `per_round`.
    pub threshold: f64,
    /// How many target rows, the most confident ones, are taken in each round, whatever their confidence. 1 to 1000000000;
    /// by default `threshold` decides.
    pub per_round: Option<usize>,
    /// Whether no class may have more than its even share of the rows taken in each round. Holds back classes that the
    /// learner prefers; wrong where the target's classes differ much in size.
    pub balanced: bool,
    /// The most rounds. 1 to 1000.
    pub rounds: usize,
}

impl Default for SelfTraining {
    fn default() -> Self {
        Self { threshold: 0.75, per_round: None, balanced: false, rounds: 10 }
    }
}

impl SelfTraining {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Predictor(Carried::Instances),
        summary: "a learner labels the target rows that it is sure of and learns from them too, round by round",
        when: "a learner that is right where it is sure; domains close to each other or linked by rows in between",
        paper: "D. Yarowsky, \"Unsupervised word sense disambiguation rivaling supervised methods\", ACL 1995; H. Scudder, \"Probability of error of some adaptive pattern-recognition machines\", IEEE Trans. Information Theory 1965",
        needs: Needs { goals: Goals::Classes, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("self_training.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for SelfTraining {
    fn check(&self) -> Result<()> {
        must(NAME, "threshold", (0.0..=1.0).contains(&self.threshold), "from 0 to 1", self.threshold)?;
        let per_round = self.per_round.unwrap_or(1);
        count(NAME, "per_round", per_round, 1..=1_000_000_000)?;
        count(NAME, "rounds", self.rounds, 1..=1_000)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        context.require("the rows that are learnt from", task.bytes())?;
        let target = &task.target;
        let (mut taken, mut labels) = (target.labelled.clone(), target.labels.classes().to_vec());
        let mut known = target.labelled.iter().copied().peekable();
        let mut left: Vec<usize> = (0..target.rows()).filter(|i| known.next_if_eq(i).is_none()).collect();
        for round in 0..=self.rounds {
            context.progress(NAME, round, self.rounds + 1);
            let own = select_rows(target.features.as_ref(), &taken);
            let rows = stack(task.source.features.as_ref(), own.as_ref());
            let all = task.source.labels.chain(&Labels::Classes(labels.clone()));
            let trained = train(learner, &rows, &all, None, &task.goal, context)?;
            let chosen = if round < self.rounds { self.choose(task, &left, &trained) } else { Vec::new() };
            if chosen.is_empty() {
                return Ok(Fitted { maps: Vec::new(), trained, moved: None, weights: None });
            }
            for &(at, class) in &chosen {
                taken.push(left[at]);
                labels.push(class);
            }
            let mut gone = chosen.iter().map(|(at, _)| *at).peekable();
            left = left
                .into_iter()
                .enumerate()
                .filter(|(at, _)| gone.next_if_eq(at).is_none())
                .map(|(_, i)| i)
                .collect();
        }
        unreachable!("the last round chooses no row")
    }
}

impl SelfTraining {
    /// Which of the rows `left` are taken in, by their position there, rising, and as which class.
    fn choose(&self, task: &Task, left: &[usize], trained: &Trained) -> Vec<(usize, usize)> {
        let rows = select_rows(task.target.features.as_ref(), left);
        let said = predict(&[], &trained.predictor, rows.as_ref());
        let sure = |at: &usize| match self.per_round {
            Some(_) => said.confidence[*at].is_finite(),
            None => said.confidence[*at] > self.threshold,
        };
        let mut order: Vec<usize> = (0..left.len()).filter(sure).collect();
        order.sort_by(|&a, &b| said.confidence[b].total_cmp(&said.confidence[a]).then(a.cmp(&b)));
        let wanted = self.per_round.unwrap_or(order.len()).min(order.len());
        let classes = trained.classes.len();
        let most = if self.balanced { wanted.div_ceil(classes) } else { wanted };
        let mut counts = vec![0; classes];
        let mut chosen = Vec::new();
        for at in order {
            let class = said.answer[at] as usize;
            if chosen.len() < wanted && counts[class] < most {
                counts[class] += 1;
                chosen.push((at, trained.classes[class]));
            }
        }
        chosen.sort_unstable();
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{Matrix, from_rows};
    use crate::models::Predictor;

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    /// Source rows 0 (class `a`) and 10 (class `b`), 1-nn.
    fn fit(method: SelfTraining, target: &[f64], labelled: &[usize]) -> Predictor {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", column(&[0.0, 10.0]), Labels::Classes(vec![0, 1]));
        let target = Domain {
            name: "t".into(),
            features: column(target),
            labelled: labelled.to_vec(),
            labels: Labels::Classes(vec![1; labelled.len()]),
        };
        let task = Task::new(vec![source], target, goal).unwrap();
        method.fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap().trained.predictor
    }

    fn rows(predictor: &Predictor) -> Vec<(f64, f64)> {
        let Predictor::Neighbors { rows, answers, .. } = predictor else { panic!("neighbours") };
        (0..rows.nrows()).map(|i| (rows[(i, 0)], answers[(i, 0)])).collect()
    }

    /// Row 2 has confidence 8 / 10, row 4 has 6 / 10 and with row 2 taken in 6 / 8. Row 5.5, nearer to `b` at first, is
    /// 1.5 from row 4 and 4.5 from `b` then.
    #[test]
    fn a_chain_of_rows_is_followed() {
        let method = SelfTraining { threshold: 0.7, rounds: 1, ..SelfTraining::default() };
        assert_eq!(rows(&fit(method, &[4.0, 2.0], &[])), [(0.0, 0.0), (10.0, 1.0), (2.0, 0.0)]);
        let method = SelfTraining { rounds: 5, ..method };
        let found = rows(&fit(method, &[4.0, 2.0, 5.5], &[]));
        assert_eq!(found, [(0.0, 0.0), (10.0, 1.0), (2.0, 0.0), (4.0, 0.0), (5.5, 0.0)]);
    }

    #[test]
    fn the_most_confident_rows_go_first_and_classes_may_be_balanced() {
        let method = SelfTraining { per_round: Some(2), rounds: 1, ..SelfTraining::default() };
        let target = [1.0, 1.5, 8.0, 5.2];
        assert_eq!(rows(&fit(method, &target, &[]))[2..], [(1.0, 0.0), (1.5, 0.0)]);
        let method = SelfTraining { balanced: true, ..method };
        assert_eq!(rows(&fit(method, &target, &[]))[2..], [(1.0, 0.0), (8.0, 1.0)]);
    }

    #[test]
    fn labelled_target_rows_keep_their_label() {
        let found = rows(&fit(SelfTraining::default(), &[1.0, 1.1], &[0]));
        assert_eq!(found[2..], [(1.0, 1.0), (1.1, 1.0)]);
    }
}
