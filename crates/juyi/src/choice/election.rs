//! The vote held: who votes with what weight, what the vote is worth against the plain learners', and the verdict.
//!
//! Not transferring is the vote of the plain learners, each weighing as the square of what it is better than chance on held-out
//! source rows. The candidates' vote is that of the methods that have a grid; a method's variants together weigh as one, each
//! as its learner does. Where the target's columns are rescaled, only variants that standardise each domain vote; where they are
//! in the source's units none of these does, as standardising each domain would take the change of the rows away.

use std::fmt::Write;

use super::aggregation::{self, Weighing};
use super::ballot::Ballot;
use super::candidates::Configuration;
use super::estimate::{self, Standing};
use super::fitted::Fitted;
use super::learnable::Learnable;
use super::proposal::{PLAIN_VOTE, Proposal, VOTE, count, pruned};
use super::record::unknown;
use super::single::Singles;
use super::units::{Reading, Units};
use super::voters::Voters;
use super::{Candidate, Choice, Chosen, Verdict, title};
use crate::context::Context;
use crate::data::{Goal, Labels, Task};
use crate::error::Result;
use crate::measures::{Estimate, Figure};
use crate::methods::Family;
use crate::validators::Validator;

/// All that was fitted, before the votes are counted.
pub(super) struct Election<'a> {
    pub(super) task: &'a Task,
    pub(super) units: Units,
    pub(super) learnable: Learnable,
    /// The copies among the source rows.
    pub(super) leaders: Vec<usize>,
    /// The plain learners, in the order of [`Learnable::each`].
    pub(super) plain: Vec<Fitted>,
    /// All others.
    pub(super) others: Vec<Fitted>,
    /// Which of the others was asked for, if one was: it is judged by the votes of the rest.
    pub(super) asked: Option<usize>,
    /// What a model that is none of these says of each target row: it is judged instead of the vote.
    pub(super) given: Option<Vec<f64>>,
    /// What orders single models, where one is to be written instead of a vote.
    pub(super) single: Option<Box<dyn Validator>>,
    /// How those that vote are weighed.
    pub(super) weighing: Weighing,
    /// Whether the plain learners overlook a rare class, so that the others vote as if the columns were rescaled.
    pub(super) overlooked: bool,
}

/// The votes counted.
pub(super) struct Counted {
    pub(super) choice: Choice,
    plain_weights: Vec<f64>,
    /// Of each of the others.
    pub(super) weights: Vec<f64>,
    /// Which of the others is written instead of the vote.
    single: Option<usize>,
}

impl Election<'_> {
    /// Counts the votes.
    ///
    /// # Errors
    /// What the validator of single models, or the aggregation, reports.
    pub(super) fn count(&self, context: &mut Context) -> Result<Counted> {
        // Where nothing can be learnt, skills are chance.
        let skills =
            if self.learnable.holds() { self.learnable.skills() } else { vec![1.0; self.plain.len()] };
        let heard = |(one, skill): (&Fitted, &f64)| if one.heard().is_some() { skill * skill } else { 0.0 };
        let mut plain_weights: Vec<f64> = self.plain.iter().zip(&skills).map(heard).collect();
        if self.single.is_some() {
            keep_the_largest(&mut plain_weights);
        }
        let nothing = |choice: Choice, plain_weights: Vec<f64>| Counted {
            choice,
            plain_weights,
            weights: vec![0.0; self.others.len()],
            single: None,
        };
        if plain_weights.iter().all(|weight| *weight <= 0.0) {
            let best = self.learnable.best();
            let why = why(self.plain[best..].iter());
            plain_weights[best] = 1.0;
            let choice = unknown(format!("Not even a plain learner could be fitted{why}."), (0, 0));
            return Ok(nothing(choice, plain_weights));
        }
        let plain = count(&self.plain, &plain_weights, self.task);
        let weights = self.weights(&skills);
        if let Some(error) = self.asked.and_then(|asked| self.others[asked].answers.as_ref().err()) {
            let reason = format!("What was asked for could not be fitted: {error}.");
            return Ok(nothing(unknown(reason, (0, 0)), plain_weights));
        }
        let silent = weights.iter().all(|weight| *weight <= 0.0);
        if silent && self.given.is_none() {
            return Ok(nothing(self.without_candidates(), plain_weights));
        }
        let weights = match self.weighing {
            Weighing::ImportanceWeighted if !silent => aggregation::weights(&self.voters(&weights), context)?,
            _ => weights,
        };
        let vote = if silent {
            count(&self.plain, &plain_weights, self.task)
        } else {
            count(&self.others, &weights, self.task)
        };
        let labels = &self.task.source.labels;
        let (fall, errors) = match labels {
            Labels::Classes(_) => {
                let held = self.learnable.certainty(&plain_weights, &self.task.goal);
                estimate::drop(&held, &plain.certainty())
            }
            Labels::Values(_) => (0.0, 0.0),
        };
        let single = match &self.single {
            Some(validator) if self.asked.is_none() && self.given.is_none() => {
                let voters = self.voters(&weights);
                Some(Singles { voters, vote: &vote }.best(validator.as_ref(), context)?)
            }
            _ => self.asked,
        };
        let single_answers = single.and_then(|one| self.others[one].heard());
        let answers = self.given.as_deref().or(single_answers).unwrap_or(&vote.answers);
        let standing = Standing::of(&vote, answers, &plain.answers, fall, labels);
        let (verdict, mut reason) = self.verdict(&standing, errors);
        if let (Some(validator), Some(one)) = (&self.single, single) {
            let Configuration { built, steps, .. } = &self.others[one].configuration;
            let steps: Vec<String> = steps.iter().map(|step| step.name().into()).collect();
            let name = title(built.row.name, &steps);
            let _ = write!(reason, " Of single models `{name}` is best by `{}`.", validator.row().name);
        }
        if self.weighing != Weighing::default() {
            let _ = write!(reason, " Those that vote weigh by `{}`.", self.weighing.name());
        }
        let signs = (self.task.goal != Goal::Value)
            .then(|| standing.signs(self.learnable.accuracy(&self.task.source.labels)));
        let expected = signs.filter(|_| self.learnable.holds()).map(|signs| match verdict {
            _ if self.given.is_some() => estimate::expected_of_given(&signs, self.voted_as()),
            Verdict::Transfer => estimate::expected_of_vote(&signs, self.voted_as()),
            _ => estimate::expected_of_plain(&signs, self.voted_as()),
        });
        let choice = Choice {
            verdict,
            figure: (self.overlooked && self.given.is_none()).then_some(Figure::Balanced),
            gain: match &self.given {
                Some(_) => standing.gain_of_given(labels, self.voted_as()),
                None if self.overlooked => self.gain_of_found(),
                None => standing.gain(labels, self.voted_as()),
            },
            candidates: self.candidates((&plain, &plain_weights), (&vote, &weights), fall),
            units: Some(self.units.clone()),
            expected: expected.map(|(estimate, _)| estimate),
            floor: expected.map(|(_, floor)| floor),
            signs,
            heard: self.heard(&plain, &weights, fall),
            ..unknown(reason, (0, 0))
        };
        Ok(Counted { choice, plain_weights, weights, single })
    }

    /// What is written: the plain learners' vote, or that of the others, or the single one.
    pub(super) fn chosen(mut self, counted: Counted) -> Chosen {
        let Counted { choice, plain_weights, weights, single, .. } = counted;
        let baseline = self.plain_vote(plain_weights);
        let candidate = self.voted(weights, single);
        Chosen { choice, baseline, candidate }
    }

    /// The plain learners' vote.
    fn plain_vote(&mut self, weights: Vec<f64>) -> Proposal {
        let mut plain = std::mem::take(&mut self.plain);
        let weights = if weights.iter().filter(|weight| **weight > 0.0).count() > 1 {
            let vote = count(&plain, &weights, self.task);
            pruned(&mut plain, weights, &vote, self.task)
        } else {
            weights
        };
        Proposal::of_voters(PLAIN_VOTE, plain, &weights)
    }

    /// The others' vote, or the single one; `None` where nobody votes.
    fn voted(&mut self, weights: Vec<f64>, single: Option<usize>) -> Option<Proposal> {
        if self.given.is_some() {
            return None;
        }
        let mut others = std::mem::take(&mut self.others);
        if let Some(one) = single {
            return Some(Proposal::one(others.swap_remove(one).configuration));
        }
        if weights.iter().all(|weight| *weight <= 0.0) {
            return None;
        }
        let vote = count(&others, &weights, self.task);
        let weights = pruned(&mut others, weights, &vote, self.task);
        Some(Proposal::of_voters(VOTE, others, &weights))
    }

    /// Nothing but the plain learners could be fitted.
    fn without_candidates(&self) -> Choice {
        let mut reason = format!("No candidate could be fitted{}.", why(self.others.iter()));
        let mut verdict = Verdict::CannotTell;
        if !self.learnable.holds() {
            (verdict, reason) = (Verdict::DoNotTransfer, NOT_LEARNABLE.into());
        } else if self.others.is_empty() && self.units.reading == Reading::SameUnits {
            verdict = Verdict::DoNotTransfer;
            reason = format!("{} No method for such a target serves it.", self.units.words());
        }
        Choice { verdict, units: Some(self.units.clone()), ..unknown(reason, (0, 0)) }
    }

    /// The others with these weights.
    fn voters<'a>(&'a self, weights: &'a [f64]) -> Voters<'a> {
        Voters { task: self.task, others: &self.others, weights, leaders: &self.leaders }
    }

    /// The weight of each of the others.
    fn weights(&self, skills: &[f64]) -> Vec<f64> {
        let may = |(k, one): (usize, &Fitted)| one.speaks() && self.asked != Some(k);
        let votes: Vec<bool> = self.others.iter().enumerate().map(may).collect();
        let plain: Vec<&Configuration> = self.plain.iter().map(|one| &one.configuration).collect();
        let others: Vec<&Configuration> = self.others.iter().map(|one| &one.configuration).collect();
        weights(&others, &votes, &plain, skills)
    }

    /// The reading as which the others vote.
    pub(super) fn voted_as(&self) -> Reading {
        if self.overlooked { Reading::Rescaled } else { self.units.reading }
    }

    /// The gain in balanced accuracy where the plain learners overlook a class, and so are as good as chance: that of the source,
    /// if all that can be learnt of it holds in the target, and nothing at least.
    fn gain_of_found(&self) -> Estimate {
        let Learnable { value, chance, .. } = self.learnable;
        Estimate { value: value - chance, low: 0.0, high: 1.0 - chance }
    }

    /// What the guard says, and why. `errors` is the drop in certainty in standard errors.
    fn verdict(&self, standing: &Standing, errors: f64) -> (Verdict, String) {
        use Verdict::{CannotTell, DoNotTransfer, Transfer};
        let (verdict, why) = if !self.learnable.holds() {
            (DoNotTransfer, NOT_LEARNABLE)
        } else if self.task.source.rows().min(self.task.target.rows()) < FEWEST_TO_ADAPT_TO {
            (CannotTell, "So few rows do not show how the domains lie to each other.")
        } else if let Some(said) = &self.given {
            return self.verdict_on(said, standing, errors);
        } else if self.overlooked {
            let why = "Without it nearly all target rows would be said to be of the same class, and a class that is rare in the \
                       source would not be found; by balanced accuracy that is no better than chance.";
            (Transfer, why)
        } else if standing.lead < LEAST_LEAD {
            (
                DoNotTransfer,
                "The vote of what was tried says nearly the same as the learners that do not transfer.",
            )
        } else {
            match self.units.reading {
                Reading::SameUnits => {
                    (DoNotTransfer, "Standardising each domain would take away what moved.")
                }
                Reading::NotIdentifiable => (
                    CannotTell,
                    "Standardising each domain helps if the units moved, and harms if the rows did.",
                ),
                Reading::Rescaled
                    if self.task.goal == Goal::Value && standing.lead < LEAST_LEAD_OF_VALUES =>
                {
                    (
                        CannotTell,
                        "The numbers that both votes predict are so near to each other that either vote may be the better one.",
                    )
                }
                Reading::Rescaled => {
                    (Transfer, "Learners on domains that are each standardised speak for it.")
                }
                // Of numbers there is no certainty.
                Reading::Mixed if self.task.goal == Goal::Value => {
                    (CannotTell, "Nothing tells whether what was tried is better.")
                }
                Reading::Mixed if errors >= CLEARLY || standing.lead >= standing.differ / 3.0 => (
                    Transfer,
                    "The learners are less sure of the target than of source rows that they did not see, or the votes speak clearly.",
                ),
                Reading::Mixed => (
                    DoNotTransfer,
                    "The learners are as sure of the target as of source rows that they did not see: nothing moved that they notice.",
                ),
            }
        };
        let plain = !self.learnable.holds() || (self.overlooked && verdict == Transfer);
        (verdict, if plain { why.into() } else { format!("{} {why}", self.units.words()) })
    }

    /// The accuracy that answers are expected to have, by the share of the votes for them.
    fn supported(&self, standing: &Standing) -> Estimate {
        let signs = standing.signs(self.learnable.accuracy(&self.task.source.labels));
        estimate::expected_of_vote(&signs, self.voted_as()).0
    }

    /// All that were tried, the one that is expected to be best first; failed ones come last.
    fn candidates(
        &self,
        (plain, plain_weights): (&Ballot, &[f64]),
        (vote, weights): (&Ballot, &[f64]),
        fall: f64,
    ) -> Vec<Candidate> {
        let total: f64 = weights.iter().sum();
        let plain_total: f64 = plain_weights.iter().sum();
        let all = self.plain.iter().zip(plain_weights).map(|(one, w)| (one, true, w / plain_total));
        let all = all.chain(self.others.iter().zip(weights).map(|(one, w)| (one, false, w / total)));
        let mut found: Vec<Candidate> = all
            .map(|(one, baseline, weight)| {
                let labels = &self.task.source.labels;
                let standing =
                    one.heard().map(|answers| Standing::of(vote, answers, &plain.answers, fall, labels));
                Candidate {
                    method: one.configuration.built.row.name.into(),
                    params: one.configuration.built.params.clone(),
                    learner: one.configuration.trains_learner.then(|| one.configuration.with.clone()),
                    preprocess: one.configuration.steps.iter().map(|step| step.name().into()).collect(),
                    baseline,
                    score: standing
                        .as_ref()
                        .filter(|_| self.task.goal != Goal::Value && self.learnable.holds())
                        .map(|standing| self.supported(standing)),
                    gain: standing
                        .filter(|_| !baseline)
                        .map(|standing| standing.gain(labels, self.voted_as())),
                    failed: one.answers.as_ref().err().map(ToString::to_string),
                    seconds: one.seconds,
                    weight,
                }
            })
            .collect();
        let place = |one: &Candidate| one.score.map_or(f64::NEG_INFINITY, |score| score.value);
        found.sort_by(|a, b| place(b).total_cmp(&place(a)));
        found
    }
}

/// The weight of each of those that vote: of its learner, as the plain ones show, divided among its kin; 0 of the others.
pub(super) fn weights(
    others: &[&Configuration],
    votes: &[bool],
    plain: &[&Configuration],
    skills: &[f64],
) -> Vec<f64> {
    let skill = |one: &Configuration| {
        let own = plain.iter().position(|plain| plain.with == one.with);
        own.filter(|_| one.trains_learner).map_or(1.0, |k| skills[k])
    };
    let kin = |a: &Configuration, b: &Configuration| {
        let (row, other) = (a.built.row, b.built.row);
        row.name == other.name && (row.family != Family::Baseline || a.with == b.with)
    };
    let family = |one: &Configuration| {
        let all = others.iter().zip(votes).filter(|(_, votes)| **votes);
        all.filter(|(other, _)| kin(one, other)).count()
    };
    let weight = |(one, votes): (&&Configuration, &bool)| {
        if *votes { skill(one).powi(2) / family(one) as f64 } else { 0.0 }
    };
    others.iter().zip(votes).map(weight).collect()
}

const NOT_LEARNABLE: &str = "The source cannot be learnt: on rows that they did not see, the learners are hardly better than always \
                             saying the same.";

/// Why the first of those that could not be fitted could not, to follow what is said.
fn why<'a>(mut of: impl Iterator<Item = &'a Fitted>) -> String {
    let error = of.find_map(|one| one.answers.as_ref().err());
    error.map_or_else(String::new, |error| format!(": {error}"))
}

/// Only the first of the largest is left.
fn keep_the_largest(weights: &mut [f64]) {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let first = weights.iter().position(|weight| *weight == largest);
    weights.iter_mut().enumerate().filter(|(k, _)| Some(*k) != first).for_each(|(_, weight)| *weight = 0.0);
}

/// Fewer rows of a side do not show what moved.
const FEWEST_TO_ADAPT_TO: usize = 30;

/// The least lead that counts.
pub(super) const LEAST_LEAD: f64 = 0.01;

/// The least squared distance between two votes of numbers that counts, over the variance of the labels: where units changed,
/// predictions that miss it lie farther off.
pub(super) const LEAST_LEAD_OF_VALUES: f64 = 2.0 / 3.0;

/// So many standard errors are clear: one in a hundred comes by chance.
pub(super) const CLEARLY: f64 = 2.33;
