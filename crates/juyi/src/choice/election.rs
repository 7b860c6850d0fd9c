//! The vote held: who votes with what weight, what the vote is worth against the plain learners', and the verdict.
//!
//! Not transferring is the vote of the plain learners, each weighing as the square of what it is better than chance on held-out
//! source rows. The candidates' vote is that of the methods that have a grid; a method's variants together weigh as one, each
//! as its learner does. Where the target's columns are rescaled, only variants that standardise each domain vote; where they are
//! in the source's units none of these does, as standardising each domain would take the change of the rows away.

use super::ballot::Ballot;
use super::candidates::Configuration;
use super::estimate::{self, Standing};
use super::fitted::Fitted;
use super::judge::WORTHWHILE;
use super::learnable::Learnable;
use super::proposal::{PLAIN_VOTE, Proposal, VOTE, Voter};
use super::units::{Reading, Units};
use super::{Candidate, Choice, Chosen, Verdict, undecided};
use crate::data::Task;
use crate::measures::Estimate;
use crate::methods::Family;
use crate::models::Preprocess;

/// All that was fitted, before the votes are counted.
pub(super) struct Election<'a> {
    pub(super) task: &'a Task,
    pub(super) units: Units,
    pub(super) learnable: Learnable,
    /// The plain learners, in the order of [`Learnable::each`].
    pub(super) plain: Vec<Fitted>,
    /// All others.
    pub(super) others: Vec<Fitted>,
    /// Whether `others` is the one method that was asked for.
    pub(super) asked: bool,
}

impl Election<'_> {
    /// Counts the votes.
    pub(super) fn hold(mut self) -> Chosen {
        let skills = self.learnable.skills();
        let plain_weights: Vec<f64> =
            self.plain.iter().zip(&skills).map(|(one, skill)| speaking(one, skill * skill)).collect();
        if plain_weights.iter().all(|weight| *weight <= 0.0) {
            let one = self.plain.swap_remove(self.learnable.best());
            let why = one.answers.err().map_or_else(String::new, |error| format!(": {error}"));
            let reason = format!("Not even a plain learner could be fitted{why}.");
            return undecided(reason, (0, 0), Proposal::one(one.configuration));
        }
        let plain = count(&self.plain, &plain_weights, self.task);
        let weights = self.weights(&skills);
        if weights.iter().all(|weight| *weight <= 0.0) {
            let why = self.others.iter().find_map(|one| one.answers.as_ref().err().map(ToString::to_string));
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            let reason = format!("No candidate could be fitted{why}.");
            let (configurations, weights) = (self.plain, plain_weights);
            return undecided(reason, (0, 0), proposal(PLAIN_VOTE, configurations, &weights));
        }
        let vote = count(&self.others, &weights, self.task);
        if let Ok(path) = std::env::var("JUYI_DUMP") {
            dump(&path, &self);
        }
        // Whoever was asked for is judged by all that voted, himself among them.
        let standing = Standing::of(&vote, &vote.answers, &plain.answers, &self.task.source.labels);
        let gain = standing.gain();
        let (verdict, reason) = self.verdict(gain);
        let expected = match verdict {
            Verdict::Transfer => estimate::expected(&vote, &self.task.source.labels),
            _ => estimate::expected(&plain, &self.task.source.labels),
        };
        let candidates = self.candidates(&plain, &plain_weights, &vote, &weights);
        let choice = Choice {
            verdict,
            reason,
            gain,
            true_gain: None,
            rows: (0, 0),
            assumptions: Vec::new(),
            candidates,
            seconds: 0.0,
            units: Some(self.units),
            expected,
            floor: None,
        };
        let baseline = proposal(PLAIN_VOTE, self.plain, &plain_weights);
        let candidate = proposal(VOTE, self.others, &weights);
        Chosen { choice, baseline, candidate: Some(candidate) }
    }

    /// The weight of each of the others.
    fn weights(&self, skills: &[f64]) -> Vec<f64> {
        let reading = self.units.reading;
        let votes: Vec<bool> = self
            .others
            .iter()
            .map(|one| one.speaks() && (self.asked || may_vote(&one.configuration, reading)))
            .collect();
        let plain: Vec<&Configuration> = self.plain.iter().map(|one| &one.configuration).collect();
        let others: Vec<&Configuration> = self.others.iter().map(|one| &one.configuration).collect();
        weights(&others, &votes, &plain, skills)
    }

    /// What the guard says, and why.
    fn verdict(&self, gain: Estimate) -> (Verdict, String) {
        if !self.learnable.holds() {
            let reason = "The source cannot be learnt: on rows that they did not see, the learners are hardly better than always saying the same.";
            return (Verdict::DoNotTransfer, reason.into());
        }
        let units = self.units.words();
        match self.units.reading {
            Reading::NotIdentifiable if gain.value >= estimate::LEAST => {
                let reason = format!(
                    "{units} Standardising each domain helps if the units moved, and harms if the rows did."
                );
                (Verdict::CannotTell, reason)
            }
            _ if gain.value >= estimate::LEAST => {
                (Verdict::Transfer, format!("{units} The vote of what was tried speaks for it."))
            }
            _ if gain.value < WORTHWHILE => {
                (Verdict::DoNotTransfer, format!("{units} The vote of what was tried gains next to nothing."))
            }
            _ => (Verdict::CannotTell, format!("{units} The votes do not speak clearly enough.")),
        }
    }

    /// All that were tried, the one that is expected to be best first; failed ones come last.
    fn candidates(
        &self,
        plain: &Ballot,
        plain_weights: &[f64],
        vote: &Ballot,
        weights: &[f64],
    ) -> Vec<Candidate> {
        let total: f64 = weights.iter().sum();
        let plain_total: f64 = plain_weights.iter().sum();
        let all = self.plain.iter().zip(plain_weights).map(|(one, w)| (one, true, w / plain_total));
        let all = all.chain(self.others.iter().zip(weights).map(|(one, w)| (one, false, w / total)));
        let mut found: Vec<Candidate> = all
            .map(|(one, baseline, weight)| {
                let labels = &self.task.source.labels;
                let standing = one
                    .answers
                    .as_ref()
                    .ok()
                    .filter(|answers| answers.iter().all(|answer| answer.is_finite()))
                    .map(|answers| (answers, Standing::of(vote, answers, &plain.answers, labels)));
                Candidate {
                    method: one.configuration.built.row.name.into(),
                    params: one.configuration.built.params.clone(),
                    learner: one.configuration.trains_learner.then(|| one.configuration.with.clone()),
                    preprocess: one.configuration.steps.iter().map(|step| step.name().into()).collect(),
                    baseline,
                    score: standing.as_ref().map(|(answers, _)| estimate::supported(vote, answers, labels)),
                    gain: standing.filter(|_| !baseline).map(|(_, standing)| standing.gain()),
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
    let family = |one: &Configuration| {
        let all = others.iter().zip(votes).filter(|(_, votes)| **votes);
        all.filter(|(other, _)| one.is_kin(other)).count()
    };
    let weight = |(one, votes): (&&Configuration, &bool)| {
        if *votes { skill(one).powi(2) / family(one) as f64 } else { 0.0 }
    };
    others.iter().zip(votes).map(weight).collect()
}

/// Whether it may vote under a reading of the columns.
pub(super) fn may_vote(one: &Configuration, reading: Reading) -> bool {
    let (each, row) = (one.steps.contains(&Preprocess::StandardizeEach), one.built.row);
    match reading {
        Reading::Mixed => row.family != Family::Baseline,
        Reading::Rescaled | Reading::NotIdentifiable => each,
        Reading::SameUnits => !each && !matches!(row.family, Family::Mapping | Family::Transport),
    }
}

/// A weight for those that can vote.
fn speaking(one: &Fitted, weight: f64) -> f64 {
    if one.speaks() { weight } else { 0.0 }
}

/// The ballot of those of weight.
fn count(of: &[Fitted], weights: &[f64], task: &Task) -> Ballot {
    let voters = of.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    let voters = voters.filter_map(|(one, weight)| Some((*weight, one.answers.as_ref().ok()?.as_slice())));
    Ballot::count(voters, &task.goal)
}

/// What is written where these voters are trusted; a single one is itself.
fn proposal(name: &'static str, of: Vec<Fitted>, weights: &[f64]) -> Proposal {
    let voters: Vec<Voter> = of
        .into_iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(one, weight)| Voter { configuration: one.configuration, weight: *weight, model: one.model })
        .collect();
    match <[Voter; 1]>::try_from(voters) {
        Ok([one]) => Proposal::one(one.configuration),
        Err(voters) => Proposal { name, voters },
    }
}

fn dump(path: &str, e: &Election<'_>) {
    let one = |one: &Fitted| {
        serde_json::json!({
            "method": one.configuration.built.row.name, "learner": one.configuration.with, "params": one.configuration.built.params,
            "steps": one.configuration.steps, "seconds": one.seconds,
            "error": one.answers.as_ref().err().map(ToString::to_string),
            "answers": one.answers.as_ref().ok(),
        })
    };
    let goal = match &e.task.goal {
        crate::data::Goal::Classes(names) => names.clone(),
        crate::data::Goal::Value => Vec::new(),
    };
    let y: Vec<f64> = match &e.task.source.labels {
        crate::data::Labels::Classes(of) => of.iter().map(|c| *c as f64).collect(),
        crate::data::Labels::Values(of) => of.clone(),
    };
    let l = &e.learnable;
    let out = serde_json::json!({"classes": goal, "plain": e.plain.iter().map(one).collect::<Vec<_>>(), "others": e.others.iter().map(one).collect::<Vec<_>>(),
        "learnable": [l.value, l.error, l.chance], "each": l.each, "cv": l.answers, "held": l.held, "y": y, "units": e.units});
    std::fs::write(path, out.to_string()).unwrap();
}
