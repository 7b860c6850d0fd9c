//! The choice where target rows are labelled: all that is tried is cross-validated on these rows.
//!
//! Not transferring is the vote of the plain learners, which take nothing from the target, and of the same learners on the
//! labelled rows alone; or the former alone where they are clearly ahead. Against it stand votes: the one that is held without
//! labels, and that of those that do best on the labelled rows, whoever they are. A vote needs no fit of its own: it is
//! counted from what its members say of rows whose labels they were not shown. What is known without labels is not forgotten: a
//! vote that is trusted without them is written unless they speak against it.

use std::ops::Range;
use std::time::Instant;

use super::bench::{Bench, Entry, Suffrage, differences};
use super::budget::note_left_out;
use super::candidates::{self, Configuration};
use super::election::Election;
use super::figure::{Scorer, suited};
use super::fitted::{Fitted, Keep, fit_in_time};
use super::held::{
    FOLDS, Folds, Held, affordable, fits_of, is_tried_both_ways, with_labels, with_labels_in_time,
    with_labels_of,
};
use super::judge::{Gain, WORTHWHILE, judge, standard_error};
use super::learnable::Learnable;
use super::proposal::{PLAIN_VOTE, Proposal, VOTE};
use super::record::{undecided, unknown};
use super::tried::{Assumed, reason};
use super::units::{Reading, Units};
use super::{Assumption, Choice, Chosen, MOST, Verdict, Wishes, election};
use crate::context::Context;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::measures::{Estimate, Figure};
use crate::models::Preprocess;

/// The vote of the learners on the labelled target rows alone.
const TARGET_VOTE: &str = "target-vote";

/// The vote of both.
const BASELINE_VOTE: &str = "baseline-vote";

/// The most members of the vote of those that do best on the labelled rows.
const MEMBERS: usize = 12;

/// Standard errors on each side of an estimate that hold the truth with 95 %.
const OF_95: f64 = 1.96;

/// The power of a member's skill that is its weight there.
const STEEPNESS: i32 = 4;

/// Votes as without labels, then compares that vote, the plain learners, those on the labelled target rows alone, the
/// methods that labels teach and votes of all of these by cross-validation on the labelled rows.
///
/// # Errors
/// As [`choose`](super::choose).
pub(super) fn choose_by_labels(task: &Task, wishes: Wishes<'_>, context: &mut Context) -> Result<Chosen> {
    let start = Instant::now();
    let (steps, learner, single) = (wishes.steps, wishes.learner, wishes.single.is_some());
    let (figure_asked, budget) = (wishes.figure, wishes.budget);
    let whole = task.source.rows().max(task.target.rows()) <= MOST;
    let drawn;
    let task = if whole {
        task
    } else {
        drawn = task.draw_with_labelled(MOST, &mut context.rng("validation"));
        &drawn
    };
    let rows = (0, task.target.labelled.len());
    let (labels, goal) = (&task.target.labels, &task.goal);
    let figure = figure_asked.unwrap_or_else(|| suited(labels, &task.source.labels, goal));
    let scorer = Scorer::new(figure, labels, goal);
    let keep = if whole { Keep::Whole } else { Keep::Part };
    let blank = with_labels_of(task, &[]);
    let election = election(&blank, Wishes { single: None, ..wishes }, keep, context)?;
    let counted = election.count(context)?;
    let Election { units, learnable, plain, others, asked, overlooked, .. } = election;
    let own = candidates::target_only(task, steps, learner)?;
    let best = &plain[learnable.best()].configuration.with;
    let more =
        if asked.is_some() { Vec::new() } else { taught(task, &others, steps, learner, best, context)? };
    let other = if asked.is_none() && units.reading == Reading::SameUnits && !overlooked {
        // Labels may show what the rows do not; where a class is overlooked these vote already.
        let voters = candidates::voters(task, Reading::Rescaled, steps, learner, best, context)?;
        fit_in_time(voters, &blank, keep, budget, (0, 0), context)
    } else {
        Vec::new()
    };
    let folds = Folds::of(task, context);
    let count = fits_of(own.len() + more.len(), &folds);
    let before = fits_of(own.len(), &folds);
    let counts = (plain.len(), own.len());
    let by_shares = scorer.by_probabilities();
    let free = |of: Vec<Fitted>| {
        of.into_iter().map(|one| Held::without_labels(one, task, &folds, by_shares)).collect()
    };
    let mut tried: Vec<Held> = free(plain);
    tried.extend(with_labels(own, task, &folds, by_shares, (0, count), context));
    let first = tried.len();
    let asked = asked.map(|asked| first + asked);
    tried.extend::<Vec<Held>>(free(others));
    tried.extend::<Vec<Held>>(free(other));
    tried.extend(with_labels_in_time(more, task, &folds, by_shares, budget, (before, count), context));
    note_left_out(tried[first..].iter().map(|one| (&one.configuration, one.said.as_ref().err())), context);
    let mut votes = vec![0.0; first];
    votes.extend(&counted.weights);
    votes.resize(tried.len(), 0.0);
    let bench = Bench {
        task,
        scorer,
        folds,
        scored: Vec::new(),
        tried,
        plain: counts.0,
        own: counts.1,
        keep,
        single,
        figure_asked: figure_asked.is_some(),
    };
    let without = Without { choice: counted.choice, votes, units, asked };
    let chosen = bench.scored().decide(&learnable, without, context)?;
    let choice = Choice { rows, seconds: start.elapsed().as_secs_f64(), ..chosen.choice };
    Ok(Chosen { choice, ..chosen })
}

/// What was found before a label was looked at.
struct Without {
    choice: Choice,
    /// The weight in the vote of each that was tried.
    votes: Vec<f64>,
    units: Units,
    /// Which of them was asked for, if one was.
    asked: Option<usize>,
}

/// What labels teach: methods that cannot do without them, and some of the voters once more.
fn taught(
    task: &Task,
    voters: &[Fitted],
    steps: &[Preprocess],
    learner: Option<&str>,
    best: &str,
    context: &mut Context,
) -> Result<Vec<Configuration>> {
    let mut found = candidates::taught_by_target(task, steps, learner, best, context)?;
    found.retain(|one| affordable(one, steps, &task.goal));
    for one in voters.iter().filter(|one| is_tried_both_ways(&one.configuration, task)) {
        found.push(one.configuration.again()?);
    }
    Ok(found)
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
        let best = self.elected(BASELINE_VOTE, &Suffrage { among: count, members: count, steepness: 1 });
        let plain = self.plain_vote(learnable);
        let own = self.vote(TARGET_VOTE, self.among(self.plain..count, &|_| 1.0));
        let plain_leads = plain.as_ref().zip(own.as_ref()).is_some_and(|(plain, own)| {
            let lead = plain.score.value - own.score.value;
            lead > standard_error(&differences(&plain.score, &own.score))
        });
        let (first, second) = if plain_leads { (plain, best) } else { (best, plain) };
        first.into_iter().chain(second).chain(own).collect()
    }

    /// The plain learners' vote.
    fn plain_vote(&self, learnable: &Learnable) -> Option<Entry> {
        let skills = learnable.skills();
        self.vote(PLAIN_VOTE, self.among(0..self.plain, &|k| skills[k].powi(2)))
    }

    /// Weights of some of those that can vote, 0 of all others.
    fn among(&self, inside: Range<usize>, weight: &dyn Fn(usize) -> f64) -> Vec<f64> {
        let may = |k: &usize| inside.contains(k) && self.scored[*k].is_some();
        (0..self.tried.len()).map(|k| if may(&k) { weight(k) } else { 0.0 }).collect()
    }

    /// The votes that stand against them, that without labels first; or the one method that was asked for, or all single
    /// ones.
    fn challengers(&self, without: &Without) -> Vec<Entry> {
        let first = self.plain + self.own;
        let late = |one: &Held| matches!(one.said, Err(Error::Budget { .. }));
        if self.tried[first..].iter().any(late) && self.scored[first..].iter().all(Option::is_none) {
            return Vec::new(); // in time nothing was tried but what does not transfer
        }
        if let Some(asked) = without.asked {
            return self.alone(asked).into_iter().collect();
        }
        if self.single {
            return (first..self.tried.len()).filter_map(|k| self.alone(k)).collect();
        }
        let best =
            self.elected(VOTE, &Suffrage { among: self.tried.len(), members: MEMBERS, steepness: STEEPNESS });
        self.vote(VOTE, without.votes.clone()).into_iter().chain(best).collect()
    }

    /// Judges the challengers against the best of what does not transfer.
    fn decide(self, learnable: &Learnable, without: Without, context: &mut Context) -> Result<Chosen> {
        let baselines = self.baselines(learnable);
        let Some(base) = baselines.first() else {
            let one = self.tried.first().expect("there is a plain learner");
            let why = one.said.as_ref().err().map_or_else(String::new, |error| format!(": {error}"));
            let reason = format!("Not even a plain learner could be fitted{why}.");
            return Ok(undecided(reason, (0, 0), Proposal::one(one.configuration.again()?)));
        };
        let challengers = self.challengers(&without);
        let gains: Vec<Gain> = challengers
            .iter()
            .enumerate()
            .map(|(of, one)| Gain {
                of,
                under: 0,
                value: one.score.value - base.score.value,
                resampled: differences(&one.score, &base.score),
                rows: self.scorer.rows(),
                exact: self.scorer.exact_gain(&one.merit, &base.merit, challengers.len()),
            })
            .collect();
        let assumed = self.assumed();
        let informed = |of: usize, _: usize| challengers[of].score.quantile(0.025) > self.scorer.chance;
        let Some(mut judged) = judge(&gains, None, informed) else {
            let why = self.tried[self.plain + self.own..].iter().find_map(|one| one.said.as_ref().err());
            let why = why.map_or_else(String::new, |error| format!(": {error}"));
            let baseline = self.proposal(base, context)?;
            return Ok(undecided(format!("No candidate could be fitted{why}."), (0, 0), baseline));
        };
        let mut why = reason(&judged, &assumed.words());
        if judged.verdict != Verdict::Transfer
            && !self.single
            && (self.scorer.figure_told().is_none() || self.scorer.figure == Figure::Balanced)
            && let Some(plain) = self.plain_vote(learnable)
            && let Some(gain) = gain_as_without(&challengers[0], &plain, base, &without, self.scorer.rows())
            && gain.value >= WORTHWHILE
        {
            (judged.verdict, judged.chosen, judged.gain) = (Verdict::Transfer, 0, gain);
            why = "The verdict without labels is `transfer`, and the labelled rows do not speak against it."
                .into();
        }
        let best = &challengers[judged.chosen];
        let written = if judged.verdict == Verdict::Transfer { best } else { base };
        let choice = Choice {
            units: Some(without.units),
            expected: Some(self.scorer.within(&written.merit, &written.score)),
            verdict: judged.verdict,
            figure: self.scorer.figure_told(),
            gain: self.scorer.told_gain(judged.gain),
            candidates: self.candidates(&baselines, &challengers, judged.chosen, &judged),
            assumptions: assumed.assumptions,
            ..unknown(why, (0, 0))
        };
        let baseline = self.proposal(base, context)?;
        let candidate = Some(self.proposal(best, context)?);
        Ok(Chosen { choice, baseline, candidate })
    }

    /// What the judgement rests on.
    fn assumed(&self) -> Assumed {
        let figure = match (self.scorer.figure, self.figure_asked) {
            (Figure::Balanced, false) => "balanced accuracy, as a class is rare",
            (figure, _) => figure.title(),
        };
        let times = if self.folds.repeats.len() > 1 { ", repeated" } else { "" };
        let assumption = Assumption {
            name: "labelled rows speak for the others".into(),
            about: format!("{FOLDS}-fold cross-validation on the labelled target rows{times}: {figure}"),
            remains: 0.0,
            holds: true,
        };
        Assumed { assumptions: vec![assumption], chance: vec![self.scorer.chance] }
    }
}

/// What the vote gains over what would be written else, where it is trusted without labels: its estimated gain over the plain
/// learners counts beside what the labelled rows say of it.
fn gain_as_without(
    vote: &Entry,
    plain: &Entry,
    base: &Entry,
    without: &Without,
    rows: usize,
) -> Option<Estimate> {
    if without.choice.verdict != Verdict::Transfer {
        return None;
    }
    let least = 1.0 / rows as f64;
    let lead = |one: &Entry| {
        let error = standard_error(&differences(&one.score, &plain.score));
        (one.score.value - plain.score.value, error)
    };
    let Estimate { value, low, high } = without.choice.gain;
    let (known, known_error) = (value, ((high - low) / 2.0 / OF_95).max(least));
    let ((seen, seen_error), (of_base, base_error)) = (lead(vote), lead(base));
    let seen_error = seen_error.max(least);
    let (a, b) = (known_error.powi(-2), seen_error.powi(-2));
    let gain = (a * known + b * seen) / (a + b) - of_base;
    let reach = OF_95 * ((a + b).recip() + base_error.powi(2)).sqrt();
    Some(Estimate { value: gain, low: gain - reach, high: gain + reach })
}
