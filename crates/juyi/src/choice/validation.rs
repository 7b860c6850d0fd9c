//! Importance-weighted validation without target labels. The source rows are cut into folds; each candidate is fitted
//! without one fold and predicts the target; the rows of that fold lend their labels to the target rows that are
//! nearest. A held-out row thus counts as often as it is nearest to a target row: nearest-neighbour importance weights
//! (M. Loog, MLSP 2012) in the validation of M. Sugiyama, M. Krauledat, K.-R. Müller, "Covariate shift adaptation by
//! importance weighted cross validation", JMLR 2007.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::assumptions::Votes;
use super::candidates::Configuration;
use super::copies::copies;
use super::resamples::{Resamples, Score};
use crate::context::Context;
use crate::data::{Labels, Task};
use crate::error::{Error, Result};
use crate::methods::fit;
use crate::models::{predict, preprocess};

/// Folds of the source rows.
pub(super) const FOLDS: usize = 3;

/// Most rows of each side that are drawn.
const MOST: usize = 1000;

/// A part of the task, cut into folds.
pub(super) struct Validation {
    /// The rows that were drawn.
    pub(super) task: Task,
    /// The source rows of each fold, rising.
    pub(super) folds: Vec<Vec<usize>>,
    /// Of the source rows.
    resamples: Resamples,
}

/// A candidate's predictions of the target rows, fold by fold, as the goal's classes or numbers.
pub(super) type Predictions = Vec<Vec<f64>>;

impl Validation {
    /// Draws rows and cuts the source into folds, each class evenly; copies stay together, and are counted in a note.
    pub(super) fn new(task: &Task, context: &mut Context) -> Self {
        let mut rng = context.rng("validation");
        let task = task.draw(MOST, &mut rng);
        let leaders = copies(task.source.features.as_ref());
        note_copies(&leaders, &task.source.labels, "source rows are copies of others, or nearly", context);
        let folds = folds(&task.source.labels, &leaders, FOLDS, &mut rng);
        let resamples = Resamples::new(&leaders, &mut rng);
        Self { task, folds, resamples }
    }

    /// The task without one fold of the source.
    fn without(&self, fold: &[usize]) -> Task {
        let kept: Vec<usize> =
            (0..self.task.source.rows()).filter(|i| fold.binary_search(i).is_err()).collect();
        let target: Vec<usize> = (0..self.task.target.rows()).collect();
        self.task.select(&kept, &target)
    }

    /// What the candidate predicts for the target rows when it does not see one fold, for each fold.
    pub(super) fn predictions(&self, candidate: &Configuration, context: &Context) -> Result<Predictions> {
        let one = |fold: &Vec<usize>| {
            let context = &mut context.aside(); // the notices of these fits are not those of the run
            let task = self.without(fold);
            if task.goal.classes() > 0 && task.source_classes().len() < 2 {
                let why = "a fold without it has one class only".to_string();
                return Err(Error::Numeric { what: "the validation".into(), why });
            }
            let (task, _) = preprocess(task, &candidate.steps, context);
            let model = fit(&candidate.built, &task, candidate.learner.as_ref(), Vec::new(), context)?;
            let mut answers = predict(&model.maps, &model.predictor, task.target.features.as_ref()).answer;
            if let (crate::data::Goal::Classes(own), crate::data::Goal::Classes(all)) =
                (&model.goal, &task.goal)
            {
                let position =
                    |c: f64| all.iter().position(|name| *name == own[c as usize]).unwrap_or(0) as f64;
                for answer in &mut answers {
                    *answer = position(*answer);
                }
            }
            Ok(answers)
        };
        self.folds.iter().map(one).collect()
    }

    /// The share of votes that agree with the predictions; for numbers 1 minus the squared difference over the
    /// source labels' variance.
    pub(super) fn score(&self, votes: &Votes, predictions: &Predictions) -> Score {
        let n = self.task.source.rows();
        let mut sums = vec![(0.0, 0.0); n]; // score and weight of each lender
        let spread = match &self.task.source.labels {
            Labels::Classes(_) => 1.0,
            Labels::Values(of) => spread(of),
        };
        for (lenders, predicted) in votes.lender.iter().zip(predictions) {
            for (&lender, &predicted) in lenders.iter().zip(predicted) {
                let score = match &self.task.source.labels {
                    Labels::Classes(of) => f64::from(u8::from(of[lender] as f64 == predicted)),
                    Labels::Values(of) => 1.0 - (of[lender] - predicted).powi(2) / spread,
                };
                sums[lender].0 += score;
                sums[lender].1 += 1.0;
            }
        }
        self.resamples.mean(|i| Some(sums[i]))
    }

    /// What always saying the same would score: the share of the most frequent vote; 0 for numbers.
    pub(super) fn chance(&self, votes: &Votes) -> f64 {
        let Labels::Classes(of) = &self.task.source.labels else { return 0.0 };
        most_frequent(votes.lender.iter().flatten().map(|&lender| of[lender]), self.task.goal.classes())
    }
}

/// Says how many rows are copies of others, if any are, and how many of these bear another label; `are_copies` names
/// them.
pub fn note_copies(leaders: &[usize], labels: &Labels, are_copies: &str, context: &mut Context) {
    let copies = || leaders.iter().enumerate().filter(|(i, leader)| i != *leader);
    let count = copies().count();
    if count == 0 {
        return;
    }
    let torn = match labels {
        Labels::Classes(of) => copies().filter(|(i, leader)| of[*i] != of[**leader]).count(),
        Labels::Values(_) => 0,
    };
    let torn = if torn > 0 {
        format!("; {torn} of them bear another class than what they copy")
    } else {
        String::new()
    };
    let text = format!(
        "{count} of {} {are_copies}: copies stay in one fold, so that none is tested by what was learnt from the \
         other{torn}",
        leaders.len()
    );
    context.note("validation", text);
}

/// Rows in so many folds, each class evenly; each fold rises. `leaders` are for each row the row whose fold it shares,
/// itself for all that share none.
pub fn folds(labels: &Labels, leaders: &[usize], count: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.shuffle(rng);
    if let Labels::Classes(of) = labels {
        order.sort_by_key(|&i| of[i]); // stable: shuffled within a class
    }
    let mut fold = vec![0; order.len()];
    for (k, &i) in order.iter().filter(|&&i| leaders[i] == i).enumerate() {
        fold[i] = k % count;
    }
    let mut folds = vec![Vec::new(); count];
    for (i, leader) in leaders.iter().enumerate() {
        folds[fold[*leader]].push(i);
    }
    folds
}

/// The share of the most frequent of `classes` classes: what always saying the same would score.
pub fn most_frequent(of: impl Iterator<Item = usize>, classes: usize) -> f64 {
    let mut counts = vec![0usize; classes];
    for class in of {
        counts[class] += 1;
    }
    let all: usize = counts.iter().sum();
    counts.into_iter().max().unwrap_or(0) as f64 / all.max(1) as f64
}

/// The variance of some numbers; 1 if they are all the same.
pub(super) fn spread(of: &[f64]) -> f64 {
    let mean = of.iter().sum::<f64>() / of.len() as f64;
    let spread = of.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / of.len() as f64;
    if spread > 0.0 { spread } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_stay_in_one_fold() {
        let mut rng = Context::default().rng("folds");
        let labels = Labels::Classes((0..12).map(|i| i % 2).collect());
        let leaders: Vec<usize> = (0..12).map(|i| i % 6).collect();
        let cut = folds(&labels, &leaders, 3, &mut rng);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 4]);
        for fold in &cut {
            assert!(fold.iter().all(|i| fold.contains(&((i + 6) % 12))), "{cut:?}");
            assert!(fold.is_sorted());
        }
    }
}
