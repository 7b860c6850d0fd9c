//! All that was tried on labelled target rows, and votes of it, scored without another fit, as it is recorded and as it is
//! written.

use serde_json::json;

use super::Candidate;
use super::ballot::Ballot;
use super::candidates::Configuration;
use super::figure::{Merit, Said, Scorer};
use super::fitted::{Keep, fit_each};
use super::held::{Folds, Held};
use super::judge::Judgement;
use super::proposal::{Proposal, Voter};
use super::resamples::Score;
use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::measures::Estimate;

/// All that was tried.
pub(super) struct Bench<'a> {
    pub(super) task: &'a Task,
    pub(super) scorer: Scorer<'a>,
    pub(super) folds: Folds,
    /// The plain learners, those on the labelled rows alone, and the others.
    pub(super) tried: Vec<Held>,
    /// What each scores on the labelled rows, `None` for those that cannot vote.
    pub(super) scored: Vec<Option<Merit>>,
    /// Number of plain learners.
    pub(super) plain: usize,
    /// Number of learners on the labelled rows alone.
    pub(super) own: usize,
    /// What becomes of models: whether the task is all there is.
    pub(super) keep: Keep,
    /// Whether single models are compared instead of votes.
    pub(super) single: bool,
    /// Whether the figure was asked for.
    pub(super) figure_asked: bool,
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
    /// What it scores on the labelled rows.
    pub(super) merit: Merit,
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
        let merit = |one: &Held| {
            let said = one.said.as_ref().ok().filter(|_| one.speaks())?;
            Some(self.scorer.merit(said))
        };
        self.scored = self.tried.iter().map(merit).collect();
        self
    }

    fn entry(&self, name: &'static str, weights: Vec<f64>, said: &Said) -> Entry {
        let merit = self.scorer.merit(said);
        let score = self.scorer.score(&merit, &self.folds.resamples);
        Entry { name, weights, merit, score }
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
    fn counted(&self, weights: &[f64]) -> Option<Said> {
        let voters: Vec<(f64, &Said)> = self
            .tried
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight > 0.0)
            .filter_map(|(one, weight)| Some((*weight, one.said.as_ref().ok()?)))
            .collect();
        if voters.is_empty() {
            return None;
        }
        let (mut answers, mut probabilities) = (Vec::new(), Vec::new());
        for repeat in 0..self.folds.repeats.len() {
            let of = voters.iter().map(|(weight, said)| (*weight, said.answers[repeat].as_slice()));
            let ballot = Ballot::count(of, &self.task.goal);
            if self.scorer.by_probabilities() {
                probabilities.push(ballot.all_shares());
            }
            answers.push(ballot.answers);
        }
        Some(Said { answers, probabilities })
    }

    /// The weights of those that do best on some labelled rows: each by what it is better than
    /// always saying the same.
    fn best_on(&self, rows: &[usize], of: &Suffrage) -> Vec<f64> {
        let mut skills: Vec<(usize, f64)> = Vec::new();
        for (k, scored) in self.scored[..of.among].iter().enumerate() {
            let Some(scored) = scored else { continue };
            let skill = self.scorer.mean(scored, rows) - self.scorer.chance;
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
        let mut said = Said::blank(n, self.folds.repeats.len(), self.scorer.classes_of_probabilities());
        for (repeat, folds) in self.folds.repeats.iter().enumerate() {
            for fold in folds.iter().filter(|fold| !fold.is_empty()) {
                let others: Vec<usize> = (0..n).filter(|at| fold.binary_search(at).is_err()).collect();
                let counted = self.counted(&self.best_on(&others, of))?;
                for &at in fold {
                    said.answers[repeat][at] = counted.answers[repeat][at];
                    if let (Some(own), Some(counted)) =
                        (said.probabilities.get_mut(repeat), counted.probabilities.get(repeat))
                    {
                        own.row_mut(at).copy_from(counted.row(at));
                    }
                }
            }
        }
        let weights = self.best_on(&(0..n).collect::<Vec<_>>(), of);
        let any = weights.iter().any(|weight| *weight > 0.0);
        any.then(|| self.entry(name, weights, &said))
    }

    /// What was tried and the votes, the one that does best first; failed ones come last. Weights are shares in what does not
    /// transfer, and in the best of the rest.
    pub(super) fn candidates(
        &self,
        baselines: &[Entry],
        challengers: &[Entry],
        chosen: usize,
        judged: &Judgement,
    ) -> Vec<Candidate> {
        let (base, best) = (&baselines[0], &challengers[chosen]);
        let share = |entry: &Entry, k: usize| entry.weights[k] / entry.weights.iter().sum::<f64>();
        let gain = |entry: &Entry| {
            let exact = self.scorer.exact_gain(&entry.merit, &base.merit, 1);
            let resampled = Score {
                value: entry.score.value - base.score.value,
                resampled: differences(&entry.score, &base.score),
            };
            self.scorer.told_gain(exact.unwrap_or_else(|| resampled.within()))
        };
        let one = |k: usize| {
            let (one, entry) = (&self.tried[k], self.alone(k));
            let Configuration { built, with, steps, trains_learner, .. } = &one.configuration;
            let baseline = k < self.plain + self.own;
            Candidate {
                method: built.row.name.into(),
                params: built.params.clone(),
                learner: trains_learner.then(|| with.clone()),
                preprocess: steps.iter().map(|step| step.name().into()).collect(),
                baseline,
                score: entry.as_ref().map(|entry| self.scorer.within(&entry.merit, &entry.score)),
                gain: entry.as_ref().filter(|_| !baseline).map(gain),
                failed: one.said.as_ref().err().map(ToString::to_string),
                seconds: one.seconds,
                weight: share(if baseline { base } else { best }, k),
            }
        };
        let vote = |entry: &Entry, gain: Option<Estimate>| Candidate {
            method: entry.name.into(),
            params: json!({ "voters": entry.weights.iter().filter(|weight| **weight > 0.0).count() }),
            learner: None,
            preprocess: Vec::new(),
            baseline: gain.is_none(),
            score: Some(self.scorer.within(&entry.merit, &entry.score)),
            gain,
            failed: None,
            seconds: 0.0,
            weight: 0.0,
        };
        let mut found: Vec<Candidate> = (0..self.tried.len()).map(one).collect();
        found.extend(baselines.iter().filter(|one| one.is_vote()).map(|one| vote(one, None)));
        let votes = judged.gains.iter().filter(|least| challengers[least.of].is_vote());
        found
            .extend(votes.map(|least| vote(&challengers[least.of], Some(self.scorer.told_gain(least.gain)))));
        let sign = if self.scorer.figure.is_error() { -1.0 } else { 1.0 };
        let place = |one: &Candidate| one.score.map_or(f64::NEG_INFINITY, |score| sign * score.value);
        found.sort_by(|a, b| place(b).total_cmp(&place(a)));
        found
    }

    /// What is written where an entry is trusted. Members that take labels are fitted here, where no rows were left out.
    pub(super) fn proposal(&self, entry: &Entry, context: &Context) -> Result<Proposal> {
        let members: Vec<usize> = (0..self.tried.len()).filter(|&k| entry.weights[k] > 0.0).collect();
        if let [one] = members[..] {
            return Ok(Proposal::one(self.tried[one].configuration.again()?));
        }
        let (mut voters, mut unfitted, mut their_weights) = (Vec::new(), Vec::new(), Vec::new());
        for k in members {
            let (one, weight) = (&self.tried[k], entry.weights[k]);
            let configuration = one.configuration.again()?;
            if one.shown_labels {
                unfitted.push(configuration);
                their_weights.push(weight);
            } else {
                voters.push(Voter { configuration, weight, model: one.model.clone() });
            }
        }
        let count = unfitted.len();
        let fitted = fit_each(unfitted, self.task, self.keep, (0, count), context);
        voters.extend(fitted.into_iter().zip(their_weights).map(|(mut one, weight)| Voter {
            weight,
            model: one.standing(),
            configuration: one.configuration,
        }));
        Ok(Proposal { name: entry.name, voters })
    }
}

/// How much more one scores than another, in each resample.
pub(super) fn differences(one: &Score, other: &Score) -> Vec<f64> {
    one.resampled.iter().zip(&other.resampled).map(|(a, b)| a - b).collect()
}
