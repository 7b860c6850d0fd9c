//! The choice where target rows are labelled: all that is tried is cross-validated on these rows.
//!
//! Not transferring is the vote of the plain learners, which take nothing from the target, and of the same learners on the
//! labelled rows alone; or the former alone where they are clearly ahead. Against it stand votes: of those that suit columns
//! in the same units, of those that suit rescaled ones, and of those that do best on the labelled rows, whoever they are. A
//! vote needs no fit of its own: it is counted from what its members say of rows whose labels they were not shown.

use std::ops::Range;
use std::time::Instant;

use serde_json::json;

use super::bench::{Bench, Entry, Suffrage};
use super::candidates::{self, Configuration};
use super::copies::copies;
use super::election::weights;
use super::figure::Figure;
use super::fitted::{Keep, fit_each};
use super::held::{FOLDS, Folds, affordable, fits_of, hold_out};
use super::judge::{Gain, Judgement, judge, standard_error};
use super::learnable::Learnable;
use super::proposal::{PLAIN_VOTE, Proposal, VOTE, Voter};
use super::resamples::Score;
use super::tried::{Assumed, reason};
use super::units::{Reading, Units};
use super::{Assumption, Candidate, Choice, Chosen, MOST, Verdict, Wishes, undecided};
use crate::context::Context;
use crate::data::{Goal, Task};
use crate::error::Result;
use crate::measures::Estimate;
use crate::models::Preprocess;

/// The vote of the learners on the labelled target rows alone.
const TARGET_VOTE: &str = "target-vote";

/// The vote of both.
const BASELINE_VOTE: &str = "baseline-vote";

/// The most members of the vote of those that do best on the labelled rows.
const MEMBERS: usize = 12;

/// The power of a member's skill that is its weight there.
const STEEPNESS: i32 = 4;

/// Compares the candidates, the plain learners and those on the labelled target rows alone by cross-validation on these rows.
///
/// # Errors
/// As [`choose`](super::choose).
pub(super) fn choose_by_labels(task: &Task, wishes: Wishes<'_>, context: &mut Context) -> Result<Chosen> {
    let start = Instant::now();
    let Wishes { steps, learner, only, assume, single } = wishes;
    let whole = task.source.rows().max(task.target.rows()) <= MOST;
    let drawn;
    let task = if whole {
        task
    } else {
        drawn = task.draw_with_labelled(MOST, &mut context.rng("validation"));
        &drawn
    };
    let rows = (0, task.target.labelled.len());
    let plain = candidates::plain(task, steps, learner)?;
    let own = candidates::target_only(task, steps, learner)?;
    let learnable = Learnable::of(&plain, task, &copies(task.source.features.as_ref()), context)?;
    let (others, votes) = if let Some(only) = only {
        (vec![only], Vec::new())
    } else {
        let with = &plain[learnable.best()].with;
        pool(task, assume, steps, learner, with, context)?
    };
    let folds = Folds::of(task, context);
    let keep = if whole { Keep::Whole } else { Keep::Part };
    let (plain_count, own_count) = (plain.len(), own.len());
    let count = [&plain, &own, &others].into_iter().map(|all| fits_of(all, task, &folds)).sum();
    let mut done = 0;
    let mut tried = Vec::new();
    for part in [plain, own, others] {
        let fits = fits_of(&part, task, &folds);
        tried.extend(hold_out(part, task, &folds, keep, (done, count), context));
        done += fits;
    }
    let bench = Bench {
        task,
        figure: Figure::of(&task.target.labels, &task.source.labels, &task.goal),
        folds,
        scored: Vec::new(),
        tried,
        plain: plain_count,
        own: own_count,
        keep,
        single: single.is_some(),
    };
    let chosen = bench.scored().decide(&learnable, assume, &votes, context)?;
    let choice = Choice { rows, seconds: start.elapsed().as_secs_f64(), ..chosen.choice };
    Ok(Chosen { choice, ..chosen })
}

/// What is tried beside what does not transfer, and for each reading of the columns which of it votes there.
fn pool(
    task: &Task,
    assume: Option<Reading>,
    steps: &[Preprocess],
    learner: Option<&str>,
    with: &str,
    context: &mut Context,
) -> Result<(Vec<Configuration>, Vec<Vec<bool>>)> {
    let all = [Reading::SameUnits, Reading::Rescaled, Reading::Mixed];
    let readings = assume.map_or_else(|| all.to_vec(), |one| vec![one]);
    let mut found: Vec<Configuration> = Vec::new();
    let mut voting = Vec::new();
    for reading in readings {
        let mut of_reading = Vec::new();
        for one in candidates::voters(task, reading, steps, learner, with, context)? {
            let known = found.iter().position(|held| held.equals(&one));
            of_reading.push(known.unwrap_or(found.len()));
            if known.is_none() {
                found.push(one);
            }
        }
        voting.push(of_reading);
    }
    let mut taught = candidates::taught_by_target(task, steps, learner, with, context)?;
    taught.retain(|one| affordable(one, steps, &task.goal));
    found.extend(taught);
    let votes = voting.iter().map(|of| (0..found.len()).map(|k| of.contains(&k)).collect()).collect();
    Ok((found, votes))
}

impl Bench<'_> {
    /// What does not transfer, the first as it is written: the plain learners' vote where it leads that of the learners on the
    /// labelled rows alone by a standard error, else the vote of both, which is hardly ever worse than the better side.
    fn baselines(&self, learnable: &Learnable) -> Vec<Entry> {
        let count = self.plain + self.own;
        if self.single {
            let mut singles: Vec<Entry> = (0..count).filter_map(|k| self.alone(k)).collect();
            singles.sort_by(|a, b| b.score.value.total_cmp(&a.score.value)); // stable: the simpler of equals is first
            return singles;
        }
        let skills = learnable.skills();
        let among = |inside: Range<usize>, weight: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let may = |k: &usize| inside.contains(k) && self.scored[*k].is_some();
            (0..self.tried.len()).map(|k| if may(&k) { weight(k) } else { 0.0 }).collect()
        };
        let best = self.elected(BASELINE_VOTE, &Suffrage { among: count, members: count, steepness: 1 });
        let plain = self.vote(PLAIN_VOTE, among(0..self.plain, &|k| skills[k].powi(2)));
        let own = self.vote(TARGET_VOTE, among(self.plain..count, &|_| 1.0));
        let plain_leads = plain.as_ref().zip(own.as_ref()).is_some_and(|(plain, own)| {
            let lead = plain.score.value - own.score.value;
            lead > standard_error(&differences(&plain.score, &own.score))
        });
        let (first, second) = if plain_leads { (plain, best) } else { (best, plain) };
        first.into_iter().chain(second).chain(own).collect()
    }

    /// The votes that stand against them, or the one method that was asked for.
    fn challengers(&self, learnable: &Learnable, votes: &[Vec<bool>]) -> Vec<Entry> {
        let first = self.plain + self.own;
        if votes.is_empty() {
            return self.alone(first).into_iter().collect();
        }
        if self.single {
            return (first..self.tried.len()).filter_map(|k| self.alone(k)).collect();
        }
        let configurations: Vec<&Configuration> = self.tried.iter().map(|one| &one.configuration).collect();
        let of_reading = |votes: &Vec<bool>| {
            let speaks = self.scored[first..].iter().map(Option::is_some);
            let votes: Vec<bool> = votes.iter().zip(speaks).map(|(votes, speaks)| *votes && speaks).collect();
            let (plain, others) = (&configurations[..self.plain], &configurations[first..]);
            let mut all = vec![0.0; first];
            all.extend(weights(others, &votes, plain, &learnable.skills()));
            self.vote(VOTE, all)
        };
        let best =
            self.elected(VOTE, &Suffrage { among: self.tried.len(), members: MEMBERS, steepness: STEEPNESS });
        votes.iter().filter_map(of_reading).chain(best).collect()
    }

    /// Judges the challengers against the best of what does not transfer.
    fn decide(
        self,
        learnable: &Learnable,
        assume: Option<Reading>,
        votes: &[Vec<bool>],
        context: &mut Context,
    ) -> Result<Chosen> {
        let baselines = self.baselines(learnable);
        let Some(base) = baselines.first() else {
            let one = self.tried.first().expect("there is a plain learner");
            let why = one.said.as_ref().err().map_or_else(String::new, |error| format!(": {error}"));
            let reason = format!("Not even a plain learner could be fitted{why}.");
            return Ok(undecided(reason, (0, 0), Proposal::one(one.configuration.again()?)));
        };
        let challengers = self.challengers(learnable, votes);
        let gains: Vec<Gain> = challengers
            .iter()
            .enumerate()
            .map(|(of, one)| Gain {
                of,
                under: 0,
                value: one.score.value - base.score.value,
                resampled: differences(&one.score, &base.score),
                rows: one.rows.len(),
                exact: self.figure.exact_gain(&one.rows, &base.rows, challengers.len()),
            })
            .collect();
        let assumed = self.assumed();
        let informed = |of: usize, _: usize| challengers[of].score.quantile(0.025) > self.figure.chance;
        let Some(judged) = judge(&gains, None, informed) else {
            let why = self.tried[self.plain + self.own..].iter().find_map(|one| one.said.as_ref().err());
            let why = why.map_or_else(String::new, |error| format!(": {error}"));
            let baseline = self.proposal(base, context)?;
            return Ok(undecided(format!("No candidate could be fitted{why}."), (0, 0), baseline));
        };
        let best = &challengers[judged.chosen];
        let written = if judged.verdict == Verdict::Transfer { best } else { base };
        let choice = Choice {
            units: assume.map(Units::assumed),
            expected: Some(self.figure.within(&written.rows, &self.folds.resamples)),
            verdict: judged.verdict,
            reason: reason(&judged, &assumed.words()),
            gain: judged.gain,
            true_gain: None,
            rows: (0, 0),
            candidates: self.candidates(&baselines, &challengers, judged.chosen, &judged),
            assumptions: assumed.assumptions,
            seconds: 0.0,
        };
        let baseline = self.proposal(base, context)?;
        let candidate = Some(self.proposal(best, context)?);
        Ok(Chosen { choice, baseline, candidate })
    }

    /// What the judgement rests on.
    fn assumed(&self) -> Assumed {
        let figure = match (&self.task.goal, self.figure.balanced) {
            (Goal::Value, _) => "R²",
            (_, true) => "balanced accuracy, as a class is rare",
            (_, false) => "accuracy",
        };
        let times = if self.folds.repeats.len() > 1 { ", repeated" } else { "" };
        let assumption = Assumption {
            name: "labelled rows speak for the others".into(),
            about: format!("{FOLDS}-fold cross-validation on the labelled target rows{times}: {figure}"),
            remains: 0.0,
            holds: true,
        };
        Assumed { assumptions: vec![assumption], chance: vec![self.figure.chance] }
    }

    /// What was tried and the votes, the one that does best first; failed ones come last. Weights are shares in what does not
    /// transfer, and in the best of the rest.
    fn candidates(
        &self,
        baselines: &[Entry],
        challengers: &[Entry],
        chosen: usize,
        judged: &Judgement,
    ) -> Vec<Candidate> {
        let resamples = &self.folds.resamples;
        let (base, best) = (&baselines[0], &challengers[chosen]);
        let share = |entry: &Entry, k: usize| entry.weights[k] / entry.weights.iter().sum::<f64>();
        let gain = |entry: &Entry| {
            let exact = self.figure.exact_gain(&entry.rows, &base.rows, 1);
            let resampled = Score {
                value: entry.score.value - base.score.value,
                resampled: differences(&entry.score, &base.score),
            };
            exact.unwrap_or_else(|| Estimate {
                value: resampled.value,
                low: resampled.quantile(0.025),
                high: resampled.quantile(0.975),
            })
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
                score: entry.as_ref().map(|entry| self.figure.within(&entry.rows, resamples)),
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
            score: Some(self.figure.within(&entry.rows, resamples)),
            gain,
            failed: None,
            seconds: 0.0,
            weight: 0.0,
        };
        let mut found: Vec<Candidate> = (0..self.tried.len()).map(one).collect();
        found.extend(baselines.iter().filter(|one| one.is_vote()).map(|one| vote(one, None)));
        let votes = judged.gains.iter().filter(|least| challengers[least.of].is_vote());
        found.extend(votes.map(|least| vote(&challengers[least.of], Some(least.gain))));
        let place = |one: &Candidate| one.score.map_or(f64::NEG_INFINITY, |score| score.value);
        found.sort_by(|a, b| place(b).total_cmp(&place(a)));
        found
    }

    /// What is written where an entry is trusted. Members that take labels are fitted here, where no rows were left out.
    fn proposal(&self, entry: &Entry, context: &Context) -> Result<Proposal> {
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
            model: one.kept(),
            configuration: one.configuration,
        }));
        Ok(Proposal { name: entry.name, voters })
    }
}

/// How much more one scores than another, in each resample.
fn differences(one: &Score, other: &Score) -> Vec<f64> {
    one.resampled.iter().zip(&other.resampled).map(|(a, b)| a - b).collect()
}
