//! What boosted transfer methods share: rows of the source above labelled rows of the target, a learner trained on them
//! round after round, weights that follow its losses, and a vote of the rounds.

use super::{Learner, Trained, must_weigh, train};
use crate::context::Context;
use crate::data::{Goal, Labels, Task};
use crate::error::Result;
use crate::linalg::{Matrix, select_rows, stack};
use crate::models::{Member, Predictor, VoteRule, Votes, predict};

/// Source rows, then the labelled target rows.
pub struct Pool<'a> {
    /// `(n + m, d)`.
    pub rows: Matrix,
    /// One a row.
    pub labels: Labels,
    /// How many of the rows are the source's.
    pub source: usize,
    goal: &'a Goal,
    learner: &'a dyn Learner,
}

/// One round of boosting.
pub struct Round {
    /// What was learnt from the rows with `weights`.
    pub trained: Trained,
    /// The weights that it was learnt with, of sum 1.
    pub weights: Vec<f64>,
    /// Its loss on each row, between 0 and 1.
    pub losses: Vec<f64>,
    /// The mean loss on the rows that the method judges it by, as bounded by the method.
    pub error: f64,
    /// Its weight in the vote, and the logarithm of the factor by which a target row that it misses gains.
    pub say: f64,
}

impl<'a> Pool<'a> {
    /// The rows of a task with labelled target rows, for this learner.
    ///
    /// # Errors
    /// [`crate::error::Error::Unsuited`] if the learner cannot use row weights.
    pub fn new(task: &'a Task, learner: &'a dyn Learner) -> Result<Self> {
        must_weigh(learner)?;
        Ok(Self {
            rows: stack(task.source.features.as_ref(), task.target.labelled_features().as_ref()),
            labels: task.source.labels.chain(&task.target.labels),
            source: task.source.rows(),
            goal: &task.goal,
            learner,
        })
    }

    /// The error of a guess: `1 - 1 / c` of `c` classes, 1/2 of numbers.
    fn chance(&self) -> f64 {
        let Labels::Classes(of) = &self.labels else { return 0.5 };
        let mut present = of.clone();
        present.sort_unstable();
        present.dedup();
        1.0 - 1.0 / present.len() as f64
    }

    /// Trains the learner on the rows with these weights, and judges it: in classes a row's loss is 1 where its class
    /// is missed, in numbers its residual's part of the largest residual of a row of weight above 0.
    fn round(&self, weights: Vec<f64>, context: &mut Context) -> Result<Round> {
        let scaled = scaled(&weights);
        let trained = train(self.learner, &self.rows, &self.labels, Some(&scaled), self.goal, context)?;
        let said = predict(&[], &trained.predictor, self.rows.as_ref()).answer;
        let losses = match &self.labels {
            Labels::Classes(of) => {
                let missed = |(said, own): (&f64, &usize)| trained.classes.get(*said as usize) != Some(own);
                said.iter().zip(of).map(|pair| f64::from(missed(pair))).collect()
            }
            Labels::Values(y) => {
                let off: Vec<f64> = said.iter().zip(y).map(|(said, y)| (said - y).abs()).collect();
                let most = off.iter().zip(&weights).filter(|(_, w)| **w > 0.0);
                let most = most.map(|(off, _)| *off).fold(0.0, f64::max);
                let part = |off: &f64| if most > 0.0 { (off / most).min(1.0) } else { 0.0 };
                off.iter().map(part).collect()
            }
        };
        Ok(Round { trained, weights, losses, error: 0.0, say: 0.0 })
    }

    /// `TrAdaBoost`: a source row that is missed loses weight by a fixed factor, a target row gains by the round's. The
    /// rounds, all of them: the vote is of the later half. `stops` ends it before a round no better than chance, which
    /// else counts as almost worthless; a round without a loss on any row ends it and stands alone.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn transfer_boost(
        &self,
        name: &str,
        rounds: usize,
        stops: bool,
        context: &mut Context,
    ) -> Result<Vec<Round>> {
        let all = self.rows.nrows();
        let source_factor = 1.0 / (1.0 + (2.0 * (self.source as f64).ln() / rounds as f64).sqrt());
        let chance = self.chance();
        let mut weights = vec![1.0 / all as f64; all];
        let mut done: Vec<Round> = Vec::new();
        for t in 0..rounds {
            context.progress(name, t, rounds);
            let mut round = self.round(weights, context)?;
            if round.losses.iter().all(|loss| *loss == 0.0) {
                return Ok(vec![round]);
            }
            let error = weighted_mean(&round.losses[self.source..], &round.weights[self.source..]);
            if stops && error >= chance && t > 0 {
                break;
            }
            round.error = error.clamp(0.5 / all as f64, chance - MARGIN);
            round.say = ((1.0 - round.error) / round.error).ln() + (chance / (1.0 - chance)).ln();
            let factor = |i: usize| {
                if i < self.source {
                    source_factor.powf(round.losses[i])
                } else {
                    (round.say * round.losses[i]).exp()
                }
            };
            weights = round.weights.iter().enumerate().map(|(i, w)| w * factor(i)).collect();
            scale_to(&mut weights, 1.0);
            done.push(round);
        }
        Ok(done)
    }

    /// `AdaBoost.R2` with the weights of the source rows frozen: numbers, a weighted median of the rounds.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn frozen_boost(&self, weights: &[f64], rounds: usize, context: &mut Context) -> Result<Vec<Round>> {
        let mut weights = weights.to_vec();
        let target: f64 = sorted_sum(&weights[self.source..]);
        let mut done: Vec<Round> = Vec::new();
        for t in 0..rounds {
            let mut round = self.round(weights.clone(), context)?;
            let error = weighted_mean(&round.losses, &round.weights);
            if error <= 0.0 {
                return Ok(vec![round]);
            }
            if error >= 0.5 && t > 0 {
                break;
            }
            round.error = error.min(0.5 - MARGIN);
            let factor = round.error / (1.0 - round.error);
            round.say = -factor.ln();
            for (weight, loss) in weights.iter_mut().zip(&round.losses).skip(self.source) {
                *weight *= factor.powf(1.0 - loss);
            }
            scale_to(&mut weights[self.source..], target);
            done.push(round);
        }
        Ok(done)
    }

    /// The weights that the learner saw of the source rows in the last of these rounds.
    pub fn source_weights(&self, rounds: &[Round]) -> Option<Vec<f64>> {
        rounds.last().map(|last| scaled(&last.weights)[..self.source].to_vec())
    }

    /// The pool less some target rows, counted among the target rows.
    #[must_use]
    pub fn without(&self, held: &[usize]) -> Self {
        let kept: Vec<usize> = self.all_but(held);
        Self {
            rows: select_rows(self.rows.as_ref(), &kept),
            labels: self.labels.select(&kept),
            source: self.source,
            goal: self.goal,
            learner: self.learner,
        }
    }

    /// The numbers of the rows that are not these target rows.
    pub fn all_but(&self, held: &[usize]) -> Vec<usize> {
        (0..self.rows.nrows())
            .filter(|i| i.checked_sub(self.source).is_none_or(|k| !held.contains(&k)))
            .collect()
    }

    /// The losses of the learner trained once with these weights, of sum 1.
    ///
    /// # Errors
    /// What the learner reports.
    pub fn losses(&self, weights: &[f64], context: &mut Context) -> Result<Vec<f64>> {
        Ok(self.round(weights.to_vec(), context)?.losses)
    }
}

/// How much better than chance a round counts as at least: its say stays above 0.
const MARGIN: f64 = 0.01;

/// The vote of rounds by their say; a single round is its own answer.
pub fn vote(mut rounds: Vec<Round>, rule: VoteRule) -> Trained {
    if rounds.len() == 1 {
        return rounds.remove(0).trained;
    }
    let mut classes: Vec<usize> = rounds.iter().flat_map(|round| round.trained.classes.clone()).collect();
    classes.sort_unstable();
    classes.dedup();
    let members = rounds.into_iter().map(|Round { trained, say, .. }| {
        let place = |c: &usize| classes.binary_search(c).expect("it is among all classes");
        Member {
            weight: say,
            classes: trained.classes.iter().map(place).collect(),
            maps: Vec::new(),
            predictor: trained.predictor,
        }
    });
    let votes = Votes { rule, classes: classes.len(), members: members.collect() };
    Trained { predictor: Predictor::Vote(votes), classes }
}

/// The rounds `⌈N / 2⌉` to `N` of `N`.
pub fn later_half(mut rounds: Vec<Round>) -> Vec<Round> {
    let first = rounds.len().div_ceil(2).saturating_sub(1);
    rounds.split_off(first)
}

/// Weights of sum 1 as the learner sees them: of mean 1 among the rows that have any, so that a penalty, or the least
/// weight of a leaf, keeps its meaning.
fn scaled(weights: &[f64]) -> Vec<f64> {
    let rows = weights.iter().filter(|w| **w > 0.0).count() as f64;
    weights.iter().map(|w| w * rows).collect()
}

/// Multiplies some weights so that they add up to `total`; zeros stay.
pub fn scale_to(weights: &mut [f64], total: f64) {
    let sum = sorted_sum(weights);
    if sum > 0.0 {
        for w in weights {
            *w *= total / sum;
        }
    }
}

/// The sum, from the least number up: the same to the last bit in whatever order the rows came.
fn sorted_sum(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.iter().sum()
}

fn weighted_mean(numbers: &[f64], weights: &[f64]) -> f64 {
    let products: Vec<f64> = numbers.iter().zip(weights).map(|(number, w)| number * w).collect();
    sorted_sum(&products) / sorted_sum(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Domain;
    use crate::learners::DecisionTree;
    use crate::linalg::from_rows;

    const STUMP: DecisionTree = DecisionTree { depth: Some(1), leaf_weight: 1e-9 };

    #[test]
    fn weights_of_a_classification_by_hand() {
        // The best stump parts at 2.5 and misses the source row at 0 and the target row at 4.
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let x = |values: &[f64]| Matrix::from_fn(values.len(), 1, |i, _| values[i]);
        let source = Domain::labelled("s", x(&[0.0, 1.0, 3.0, 3.5]), Labels::Classes(vec![1, 0, 1, 1]));
        let target = Domain::labelled("t", x(&[1.5, 2.0, 3.2, 4.0]), Labels::Classes(vec![0, 0, 1, 0]));
        let task = Task::new(vec![source], target, goal).unwrap();
        let pool = Pool::new(&task, &STUMP).unwrap();
        let rounds = pool.transfer_boost("t", 2, false, &mut Context::default()).unwrap();
        assert_eq!(rounds[0].losses, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(rounds[0].error, 0.25);
        // The source factor is 1 / (1 + √(2 ln 4 / 2)), the target row gains by (1 - 1/4) / (1/4) = 3.
        let factor = 1.0 / (1.0 + 4f64.ln().sqrt());
        let total = factor + 6.0 + 3.0;
        for (i, w) in rounds[1].weights.iter().enumerate() {
            let by_hand = [factor, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0][i] / total;
            assert!((w - by_hand).abs() < 1e-15, "{i}: {w} {by_hand}");
        }
        // The learner of the last round saw them with mean 1, the source's first.
        let seen = pool.source_weights(&rounds).unwrap();
        for (i, w) in seen.iter().enumerate() {
            let by_hand = [factor, 1.0, 1.0, 1.0][i] / total * 8.0;
            assert!((w - by_hand).abs() < 1e-14, "{i}: {w} {by_hand}");
        }
        assert_eq!(seen.len(), 4);
        let Predictor::Vote(votes) = vote(rounds, VoteRule::Majority).predictor else { panic!("a vote") };
        assert!((votes.members[0].weight - 3f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn frozen_weights_of_a_regression_by_hand() {
        // One stump: means 0 and 3 right, residuals 0, 0 | 1, -1 over the largest 1.
        let source = Domain::labelled("s", from_rows(&[vec![0.0]]), Labels::Values(vec![0.0]));
        let rows = from_rows(&[vec![0.5], vec![2.0], vec![3.0]]);
        let target = Domain::labelled("t", rows, Labels::Values(vec![0.0, 4.0, 2.0]));
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        let (pool, context) = (Pool::new(&task, &STUMP).unwrap(), &mut Context::default());
        let start = [0.4, 0.3, 0.15, 0.15];
        let rounds = pool.frozen_boost(&start, 2, context).unwrap();
        assert_eq!(rounds[0].losses, [0.0, 0.0, 1.0, 1.0]);
        assert!((rounds[0].error - 0.3).abs() < 1e-15);
        // Factor 3/7 on the row without loss; the target keeps 0.6, the source its 0.4.
        let total = 0.3 * 3.0 / 7.0 + 0.3;
        let by_hand = [0.4, 0.3 * 3.0 / 7.0 * 0.6 / total, 0.15 * 0.6 / total, 0.15 * 0.6 / total];
        for (w, by_hand) in rounds[1].weights.iter().zip(by_hand) {
            assert!((w - by_hand).abs() < 1e-15, "{w} {by_hand}");
        }
    }

    #[test]
    fn a_round_without_loss_stands_alone_and_halves_are_rounded_up() {
        let source = Domain::labelled("s", from_rows(&[vec![0.0]]), Labels::Values(vec![1.0]));
        let target = Domain::labelled("t", from_rows(&[vec![0.5]]), Labels::Values(vec![2.0]));
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        let rounds =
            Pool::new(&task, &STUMP).unwrap().transfer_boost("t", 9, true, &mut Context::default()).unwrap();
        assert_eq!(rounds.len(), 1);
        assert!(matches!(vote(rounds, VoteRule::Median).predictor, Predictor::Trees(_)));
        let round = || Round {
            trained: Trained { predictor: crate::learners::logistic::only_class(1), classes: vec![0] },
            weights: Vec::new(),
            losses: Vec::new(),
            error: 0.1,
            say: 1.0,
        };
        for (all, left) in [(1, 1), (2, 2), (3, 2), (4, 3)] {
            assert_eq!(later_half((0..all).map(|_| round()).collect()).len(), left);
        }
    }
}
