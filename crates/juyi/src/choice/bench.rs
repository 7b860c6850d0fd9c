//! All that was tried on labelled target rows, and votes of it, scored without another fit.

use super::ballot::Ballot;
use super::figure::Figure;
use super::fitted::Keep;
use super::held::{Folds, Held};
use super::resamples::Score;
use crate::data::Task;

/// All that was tried.
pub(super) struct Bench<'a> {
    pub(super) task: &'a Task,
    pub(super) figure: Figure<'a>,
    pub(super) folds: Folds,
    /// The plain learners, those on the labelled rows alone, and the others.
    pub(super) tried: Vec<Held>,
    /// What each scores on each labelled row, `None` for those that cannot vote.
    pub(super) scored: Vec<Option<Vec<f64>>>,
    /// Number of plain learners.
    pub(super) plain: usize,
    /// Number of learners on the labelled rows alone.
    pub(super) own: usize,
    /// What becomes of models: whether the task is all there is.
    pub(super) keep: Keep,
    /// Whether single models are compared instead of votes.
    pub(super) single: bool,
}

/// Who may be elected on labelled rows, and how they weigh.
pub(super) struct Suffrage {
    /// Of what was tried the first so many.
    pub(super) among: usize,
    /// The most that are elected.
    pub(super) members: usize,
    /// The power of their skill that is their weight.
    pub(super) steepness: i32,
}

/// One of what was tried, or a vote.
pub(super) struct Entry {
    pub(super) name: &'static str,
    /// Of each that was tried.
    pub(super) weights: Vec<f64>,
    /// What it scores on each labelled row.
    pub(super) rows: Vec<f64>,
    pub(super) score: Score,
}

impl Entry {
    /// Whether it is more than one of what was tried.
    pub(super) fn is_vote(&self) -> bool {
        self.weights.iter().filter(|weight| **weight > 0.0).count() > 1
    }
}

impl Bench<'_> {
    pub(super) fn scored(mut self) -> Self {
        let rows = |one: &Held| {
            let said = one.said.as_ref().ok().filter(|_| one.speaks())?;
            Some(self.rows(said))
        };
        self.scored = self.tried.iter().map(rows).collect();
        self
    }

    /// What answers score on each labelled row, in the mean over the repeats.
    fn rows(&self, said: &[Vec<f64>]) -> Vec<f64> {
        let each: Vec<Vec<f64>> = said.iter().map(|said| self.figure.rows(said)).collect();
        let n = each.len() as f64;
        (0..each[0].len()).map(|i| each.iter().map(|rows| rows[i]).sum::<f64>() / n).collect()
    }

    fn entry(&self, name: &'static str, weights: Vec<f64>, said: &[Vec<f64>]) -> Entry {
        let rows = self.rows(said);
        let score = self.figure.score(&rows, &self.folds.resamples);
        Entry { name, weights, rows, score }
    }

    /// One that was tried, by itself.
    pub(super) fn alone(&self, k: usize) -> Option<Entry> {
        self.scored[k].as_ref()?;
        let one = &self.tried[k];
        let mut weights = vec![0.0; self.tried.len()];
        weights[k] = 1.0;
        Some(self.entry(one.configuration.built.row.name, weights, one.said.as_ref().ok()?))
    }

    /// The vote of those of weight; `None` where there are none.
    pub(super) fn vote(&self, name: &'static str, weights: Vec<f64>) -> Option<Entry> {
        let said = self.counted(&weights)?;
        Some(self.entry(name, weights, &said))
    }

    /// What those of weight say together, in each repeat.
    fn counted(&self, weights: &[f64]) -> Option<Vec<Vec<f64>>> {
        let voters: Vec<(f64, &Vec<Vec<f64>>)> = self
            .tried
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight > 0.0)
            .filter_map(|(one, weight)| Some((*weight, one.said.as_ref().ok()?)))
            .collect();
        if voters.is_empty() {
            return None;
        }
        let one = |repeat: usize| {
            let of = voters.iter().map(|(weight, said)| (*weight, said[repeat].as_slice()));
            Ballot::count(of, &self.task.goal).answers
        };
        Some((0..self.folds.repeats.len()).map(one).collect())
    }

    /// The weights of those that do best on some labelled rows: each by what it is better than
    /// always saying the same.
    fn best_on(&self, rows: &[usize], of: &Suffrage) -> Vec<f64> {
        let mut skills: Vec<(usize, f64)> = Vec::new();
        for (k, scored) in self.scored[..of.among].iter().enumerate() {
            let Some(scored) = scored else { continue };
            let skill = self.figure.mean(scored, rows.iter().copied()) - self.figure.chance;
            if skill > 0.0 {
                skills.push((k, skill));
            }
        }
        skills.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable: the first of equals stays first
        let mut weights = vec![0.0; self.tried.len()];
        skills.into_iter().take(of.members).for_each(|(k, skill)| weights[k] = skill.powi(of.steepness));
        weights
    }

    /// The vote of those that do best on the labelled rows; for each fold they are elected on the others.
    /// `None` where on some rows nobody is better than always saying the same.
    pub(super) fn elected(&self, name: &'static str, of: &Suffrage) -> Option<Entry> {
        let n = self.task.target.labelled.len();
        let mut said = vec![vec![f64::NAN; n]; self.folds.repeats.len()];
        for (repeat, folds) in self.folds.repeats.iter().enumerate() {
            for fold in folds.iter().filter(|fold| !fold.is_empty()) {
                let others: Vec<usize> = (0..n).filter(|at| fold.binary_search(at).is_err()).collect();
                let counted = self.counted(&self.best_on(&others, of))?;
                for &at in fold {
                    said[repeat][at] = counted[repeat][at];
                }
            }
        }
        let weights = self.best_on(&(0..n).collect::<Vec<_>>(), of);
        let any = weights.iter().any(|weight| *weight > 0.0);
        any.then(|| self.entry(name, weights, &said))
    }
}
