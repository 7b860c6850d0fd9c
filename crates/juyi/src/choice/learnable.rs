//! Whether the source can be learnt at all: the plain learners' vote, cross-validated on the source.

use super::ballot::Ballot;
use super::candidates::Configuration;
use super::fitted::fit_each;
use super::validation::{folds, spread};
use crate::context::Context;
use crate::data::{Domain, Goal, Labels, Task};
use crate::error::Result;
use crate::linalg::select_rows;
use crate::models::first_largest;

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
        let mut each = vec![answers.clone(); plain.len()];
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
            let fitted = fit_each(again, &part, false, (0, 0), &context.aside());
            for (one, answers) in fitted.iter().zip(&mut each) {
                if let Ok(said) = &one.answers {
                    held.iter().zip(said).for_each(|(&row, &said)| answers[row] = said);
                }
            }
            let heard: Vec<&Vec<f64>> = fitted
                .iter()
                .filter_map(|one| one.answers.as_ref().ok())
                .filter(|answers| answers.iter().all(|answer| answer.is_finite()))
                .collect();
            if heard.is_empty() {
                continue;
            }
            let ballot = Ballot::count(heard.iter().map(|said| (1.0, said.as_slice())), &task.goal);
            held.iter().zip(&ballot.answers).for_each(|(&row, &said)| answers[row] = said);
        }
        let score = |answers: Vec<f64>| Self::scored(answers, &task.source.labels, &task.goal);
        let values = each.iter().map(|answers| score(answers.clone()).value).collect();
        Ok(Self { each: values, held: each, ..score(answers) })
    }

    /// Which of the learners does best, the first among equals.
    pub(super) fn best(&self) -> usize {
        first_largest(&self.each)
    }

    fn scored(answers: Vec<f64>, labels: &Labels, goal: &Goal) -> Self {
        let n = answers.len() as f64;
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
                Self {
                    value,
                    error: variance.sqrt(),
                    chance: 1.0 / classes,
                    answers,
                    each: Vec::new(),
                    held: Vec::new(),
                }
            }
            Labels::Values(of) => {
                let all = spread(of);
                let gains: Vec<f64> = answers
                    .iter()
                    .zip(of)
                    .map(|(said, y)| if said.is_finite() { 1.0 - (said - y).powi(2) / all } else { 0.0 })
                    .collect();
                let value = gains.iter().sum::<f64>() / n;
                let variance = gains.iter().map(|v| (v - value).powi(2)).sum::<f64>() / n;
                Self {
                    value,
                    error: (variance / n).sqrt(),
                    chance: 0.0,
                    answers,
                    each: Vec::new(),
                    held: Vec::new(),
                }
            }
        }
    }

    /// How much better than chance each learner is, the best 1.
    pub(super) fn skills(&self) -> Vec<f64> {
        let above: Vec<f64> = self.each.iter().map(|value| (value - self.chance).max(0.0)).collect();
        let best = above.iter().copied().fold(0.0, f64::max);
        above.iter().map(|v| if best > 0.0 { v / best } else { 1.0 }).collect()
    }

    /// Whether it is clearly better than always saying the same.
    pub(super) fn holds(&self) -> bool {
        self.value - 2.0 * self.error > self.chance + 0.02
    }
}
