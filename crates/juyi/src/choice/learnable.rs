//! Whether the source can be learnt at all: the plain learners' vote, cross-validated on the source.

use super::ballot::Ballot;
use super::candidates::Configuration;
use super::fitted::{Fitted, Keep, fit_each};
use crate::context::Context;
use crate::data::{Domain, Goal, Labels, Task};
use crate::error::Result;
use crate::linalg::{select_rows, spread};
use crate::models::first_largest;
use crate::splits::folds;

/// What the cross-validation of the source came to.
pub(super) struct Learnable {
    /// Balanced accuracy, or R² of numbers.
    pub(super) value: f64,
    /// Its standard error.
    pub(super) error: f64,
    /// What always saying the same would come to.
    pub(super) chance: f64,
    /// What the vote says of each source row that it did not see.
    pub(super) answers: Vec<f64>,
    /// The same value for each learner by itself, in the order of those that were tried.
    pub(super) each: Vec<f64>,
    /// What each learner says of each source row that it did not see.
    pub(super) held: Vec<Vec<f64>>,
}

/// Folds of the source.
const FOLDS: usize = 3;

impl Learnable {
    /// Cross-validates the vote of `plain` on the source; `leaders` are the rows' copies.
    pub(super) fn of(
        plain: &[Configuration],
        task: &Task,
        leaders: &[usize],
        context: &Context,
    ) -> Result<Self> {
        let folds = folds(&task.source.labels, leaders, FOLDS, &mut context.rng("learnable"));
        let mut answers = vec![f64::NAN; task.source.rows()];
        let mut held_out = vec![answers.clone(); plain.len()];
        for held in &folds {
            let kept: Vec<usize> =
                (0..task.source.rows()).filter(|i| held.binary_search(i).is_err()).collect();
            let rows = select_rows(task.source.features.as_ref(), held);
            let mut part = task.select(&kept, &[0]);
            part.target = Domain::unlabelled(task.target.name.as_str(), rows, &task.goal);
            if task.goal.classes() > 0 && part.source_classes().len() < 2 {
                continue;
            }
            let again = plain.iter().map(Configuration::again).collect::<Result<Vec<_>>>()?;
            let fitted = fit_each(again, &part, Keep::None, (0, 0), &context.aside());
            for (one, answers) in fitted.iter().zip(&mut held_out) {
                if let Ok(said) = &one.answers {
                    held.iter().zip(said).for_each(|(&row, &said)| answers[row] = said);
                }
            }
            let heard: Vec<&[f64]> = fitted.iter().filter_map(Fitted::heard).collect();
            if heard.is_empty() {
                continue;
            }
            let ballot = Ballot::count(heard.iter().map(|said| (1.0, *said)), &task.goal);
            held.iter().zip(&ballot.answers).for_each(|(&row, &said)| answers[row] = said);
        }
        let score = |answers: &[f64]| scored(answers, &task.source.labels, &task.goal);
        let (value, error, chance) = score(&answers);
        let each = held_out.iter().map(|answers| score(answers).0).collect();
        Ok(Self { value, error, chance, answers, each, held: held_out })
    }

    /// Which of the learners does best, the first among equals.
    pub(super) fn best(&self) -> usize {
        first_largest(&self.each)
    }

    /// How much better than chance each learner is, the best 1.
    pub(super) fn skills(&self) -> Vec<f64> {
        let above: Vec<f64> = self.each.iter().map(|value| (value - self.chance).max(0.0)).collect();
        let best = above.iter().copied().fold(0.0, f64::max);
        above.iter().map(|v| if best > 0.0 { v / best } else { 1.0 }).collect()
    }

    /// The share of source rows that the learners' vote gets right without having seen them.
    pub(super) fn accuracy(&self, labels: &Labels) -> f64 {
        let Labels::Classes(of) = labels else { return self.value };
        let right = self.answers.iter().zip(of).filter(|(said, class)| **said == **class as f64).count();
        right as f64 / of.len().max(1) as f64
    }

    /// How sure the learners' vote is of each source row that it did not see, `weights` as on the target.
    pub(super) fn certainty(&self, weights: &[f64], goal: &Goal) -> Vec<f64> {
        let rows: Vec<usize> =
            (0..self.answers.len()).filter(|&i| self.held.iter().all(|said| said[i].is_finite())).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let said: Vec<Vec<f64>> =
            self.held.iter().map(|said| rows.iter().map(|&i| said[i]).collect()).collect();
        let voters = weights.iter().zip(&said).filter(|(weight, _)| **weight > 0.0);
        Ballot::count(voters.map(|(weight, said)| (*weight, said.as_slice())), goal).certainty()
    }

    /// Whether it is clearly better than always saying the same.
    pub(super) fn holds(&self) -> bool {
        self.value - 2.0 * self.error > self.chance + 0.02
    }
}

/// Balanced accuracy or R² of answers, its standard error, and what always saying the same would come to.
pub(super) fn scored(answers: &[f64], labels: &Labels, goal: &Goal) -> (f64, f64, f64) {
    match labels {
        Labels::Classes(of) => {
            let mut counts = vec![(0.0, 0.0); goal.classes()];
            for (said, class) in answers.iter().zip(of) {
                counts[*class].0 += 1.0;
                counts[*class].1 += f64::from(u8::from(*said == *class as f64));
            }
            let present: Vec<(f64, f64)> = counts.into_iter().filter(|(all, _)| *all > 0.0).collect();
            let classes = present.len() as f64;
            let share = |(all, right): &(f64, f64)| right / all;
            let value = present.iter().map(share).sum::<f64>() / classes;
            let variance = present.iter().map(|one| share(one) * (1.0 - share(one)) / one.0).sum::<f64>()
                / (classes * classes);
            (value, variance.sqrt(), 1.0 / classes)
        }
        Labels::Values(of) => {
            let (n, all) = (answers.len() as f64, spread(of));
            let gain = |(said, y): (&f64, &f64)| {
                if said.is_finite() { 1.0 - (said - y).powi(2) / all } else { 0.0 }
            };
            let gains: Vec<f64> = answers.iter().zip(of).map(gain).collect();
            let value = gains.iter().sum::<f64>() / n;
            let variance = gains.iter().map(|v| (v - value).powi(2)).sum::<f64>() / n;
            (value, (variance / n).sqrt(), 0.0)
        }
    }
}
