//! Which strategy to take, and whether the checkpoint helped: all are judged by pictures that they did not see.
//!
//! A solved head is judged on all pictures, by cross-validation; a training on the first of the same folds, or, where it
//! is one of several that are tried, on all of them too. Each is compared with the one without transfer on the pictures that
//! both were judged on, picture by picture, and [judged](juyi::choice::judge) as all else that is tried: by resamples of
//! the pictures, with intervals that allow for the number that were tried.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use juyi::choice::{
    Candidate, Choice, Gain, Judgement, Resamples, Verdict, judge, most_frequent, note_copies,
};
use juyi::context::Context;
use juyi::data::Labels;
use juyi::error::{Error, Result, shown};
use juyi::linalg::Matrix;
use juyi::measures::Estimate;
use juyi::models::{Answers, first_largest};
use juyi::report::Epoch;
use serde_json::json;

use super::classifier::Classifier;
use super::head::stratified;
use super::inputs::{Pictures, class_counts, too_few};
use super::settings::{Baseline, Settings};
use super::strategy::Strategy;
use super::trial::{Trial, Trials, is_solved};
use crate::zoo::Recognized;

/// Pictures of the smallest class from which on `auto` tries to train stages.
const ENOUGH: usize = 8;

/// What a tuning leaves behind.
pub struct Tuned {
    /// The network that is chosen.
    pub classifier: Classifier,
    /// Its strategy.
    pub strategy: Strategy,
    /// What was tried, and whether the checkpoint helped.
    pub choice: Choice,
    /// The pictures that all were judged on.
    pub judged: Vec<Judged>,
    /// What the chosen network says of each of them, without having seen it.
    pub aside: Answers,
    /// The epochs of the training that was judged, of the first where there were several; empty where there was none.
    pub epochs: Vec<Epoch>,
    /// The rate of the training.
    pub rate: Option<f64>,
    /// What the chosen one and the one without transfer took, in seconds.
    pub seconds: [f64; 2],
}

/// A picture that was kept aside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Its position among the pictures.
    pub picture: usize,
    /// Its class.
    pub truth: usize,
    /// The class that the chosen network says.
    pub said: usize,
    /// The probability that it gives to it.
    pub confidence: f64,
    /// The class that the network without transfer says; none where that is what was chosen.
    pub without: Option<usize>,
}

/// Tunes a network on pictures and compares with one whose weights are drawn at random. `auto` tries several strategies
/// and takes the best; any other is taken as asked. With `auto`, and with `guard`, the one without transfer is left behind
/// unless the checkpoint helped.
/// `notes` is a folder in which trainings note how far they are, so that they go on from there.
///
/// # Errors
/// [`Error::Input`] for fewer than two classes, a class with fewer than two pictures, a checkpoint that lacks what is
/// asked for, or a network compared with itself; [`Error::Param`]; [`Error::Memory`]; [`Error::Io`]; [`Error::Numeric`] if a
/// training runs away.
pub fn tune(
    source: &Recognized,
    pictures: &Pictures,
    strategy: Strategy,
    settings: &Settings,
    guard: bool,
    notes: Option<&Path>,
    context: &mut Context,
) -> Result<Tuned> {
    settings.check()?;
    if strategy == Strategy::Scratch && settings.baseline == Baseline::Scratch {
        let problem = "compares `‹tune scratch›` with itself";
        return Err(Error::input("`‹set baseline=scratch›`", problem, "leave it out"));
    }
    if let Some(own) = settings.regularization {
        if strategy == Strategy::Scratch {
            let problem = "keeps a network near its checkpoint, and `‹tune scratch›` starts from none";
            return Err(Error::input("`‹regularize›`", problem, "leave it out"));
        }
        if is_solved(strategy, &source.architecture) {
            let text =
                format!("adds to the loss of a training, and `{strategy}` is solved: it changes nothing");
            context.warn(own.kind.name(), text);
        }
    }
    let begin = Instant::now();
    let names = &pictures.names;
    if names.len() < 2 {
        let problem = match names.first() {
            None => "bear no class".into(),
            Some(only) => format!("are all of one class, `{}`", shown(only)),
        };
        return Err(Error::input("the pictures", problem, "give a folder with a subfolder for each class"));
    }
    let leaders = pictures.copies(context)?;
    too_few(pictures, &leaders, 2)?;
    let labels = Labels::Classes(pictures.classes.clone());
    note_copies(&leaders, &labels, "pictures are copies of others", context);
    let folds = stratified(&pictures.classes, &leaders, names.len(), context);
    // What is tried stays until one is chosen, and the features of the checkpoint's network with it.
    let before = context.left();
    let drawn = Resamples::bytes(pictures.files.len());
    context.require("the resamples of the pictures", drawn)?;
    context.take(drawn);
    let resamples = Resamples::new(&leaders, &mut context.rng("judge"));
    let features = 8 * pictures.files.len() as u64 * source.architecture.width()? as u64;
    context.require("the features of the pictures", features)?;
    context.take(features);
    let trials = Trials { source, pictures, settings, folds, leaders, notes, features: OnceCell::new() };
    let mut tried = Vec::new();
    // Without transfer.
    keep(&mut tried, trials.run(settings.baseline.strategy(), true, context)?, context);
    if strategy == Strategy::Auto {
        automatic(&trials, &mut tried, context)?;
    } else {
        keep(&mut tried, trials.run(Strategy::Head, false, context)?, context);
        if strategy != Strategy::Head {
            keep(&mut tried, trials.run(strategy, false, context)?, context);
        }
    }
    let chosen = if strategy == Strategy::Auto { best(&tried, &pictures.classes) } else { tried.len() - 1 };
    let judged = judged(&tried, chosen, &pictures.classes, names.len(), &resamples);
    let verdict = judged.verdict;
    let candidates = candidates(&tried, &judged, settings, &pictures.classes);
    let reason = reason(&judged, &tried[chosen], settings.baseline, names.len());
    let refused = (guard || strategy == Strategy::Auto) && verdict != Verdict::Transfer;
    let kept = if refused { 0 } else { chosen };
    if settings.refit {
        trials.refit(&mut tried[kept], context)?;
    }
    let common = common(&tried[kept], &tried[0]);
    let choice = Choice {
        units: None,
        expected: None,
        verdict,
        reason,
        gain: judged.gain,
        true_gain: None,
        rows: (0, pictures.files.len()),
        sources: Vec::new(),
        assumptions: Vec::new(),
        candidates,
        seconds: begin.elapsed().as_secs_f64(),
    };
    let pictures_judged = common.iter().map(|&at| {
        let (said, confidence) = said(&tried[kept], at);
        let without = (kept != 0).then(|| self::said(&tried[0], at).0);
        Judged { picture: at, truth: pictures.classes[at], said, confidence, without }
    });
    let of_each = pictures_judged.collect();
    let share = |i: usize, c: usize| tried[kept].aside[common[i]].as_ref().map_or(0.0, |own| own[c]);
    let aside = Answers::from_shares(Matrix::from_fn(common.len(), names.len(), share));
    let seconds = [tried[kept].seconds, tried[0].seconds];
    let Trial { classifier, strategy, epochs, rate, .. } = tried.swap_remove(kept);
    context.give_back(before.saturating_sub(context.left()));
    context.take(classifier.bytes());
    Ok(Tuned { classifier, strategy, choice, judged: of_each, aside, epochs, rate, seconds })
}

/// Adds a trial to those that were made, and what it takes to what is held.
fn keep<'a>(tried: &mut Vec<Trial<'a>>, trial: Trial<'a>, context: &mut Context) {
    context.take(trial.bytes());
    tried.push(trial);
}

/// What is tried beside the network without transfer if nothing is asked for: heads, then the last stages, one more at a
/// time as long as that is the best so far.
fn automatic<'a>(trials: &Trials<'a>, tried: &mut Vec<Trial<'a>>, context: &mut Context) -> Result<()> {
    for own in [Strategy::Head, Strategy::Hypercolumns, Strategy::HeadToToe] {
        keep(tried, trials.run(own, false, context)?, context);
    }
    let classes = &trials.pictures.classes;
    let least = class_counts(classes, trials.pictures.names.len()).into_iter().min().unwrap_or(0);
    if least < ENOUGH {
        let text =
            format!("the smallest class has {least} pictures; from {ENOUGH} on stages are trained too");
        context.note("auto", text);
        return Ok(());
    }
    for count in 1..=trials.source.architecture.stages.len() {
        keep(tried, trials.cross_validate(Strategy::Last(count), context)?, context);
        if best(tried, classes) + 1 < tried.len() {
            break;
        }
    }
    Ok(())
}

/// The pictures on which both were judged.
fn common(a: &Trial<'_>, b: &Trial<'_>) -> Vec<usize> {
    (0..a.aside.len()).filter(|&at| a.aside[at].is_some() && b.aside[at].is_some()).collect()
}

/// What a trial says of a picture, and the probability that it gives to it.
fn said(trial: &Trial<'_>, at: usize) -> (usize, f64) {
    let shares = trial.aside[at].as_deref().unwrap_or_default();
    let best = first_largest(shares);
    (best, shares.get(best).copied().unwrap_or(0.0))
}

/// By how much more one is right than another.
fn gain(one: &Trial<'_>, base: &Trial<'_>, classes: &[usize]) -> Estimate {
    let right = |trial: &Trial<'_>, at: usize| f64::from(said(trial, at).0 == classes[at]);
    let differences: Vec<f64> =
        common(one, base).into_iter().map(|at| right(one, at) - right(base, at)).collect();
    mean(&differences)
}

/// A mean with its interval.
fn mean(values: &[f64]) -> Estimate {
    let count = values.len().max(1) as f64;
    let value = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    Estimate::around(value, 1.96 * (variance / count).sqrt(), values.len())
}

/// What the judge finds of the chosen one, with an allowance for all that were tried beside the one without transfer.
fn judged(
    tried: &[Trial<'_>],
    chosen: usize,
    classes: &[usize],
    names: usize,
    resamples: &Resamples,
) -> Judgement {
    let right = |trial: &Trial<'_>, at: usize| f64::from(said(trial, at).0 == classes[at]);
    let gains: Vec<Gain> = (1..tried.len())
        .map(|of| {
            let common = common(&tried[of], &tried[0]);
            let gain = |at: usize| {
                common.binary_search(&at).ok()?;
                Some((right(&tried[of], at) - right(&tried[0], at), 1.0))
            };
            let score = resamples.mean(gain);
            Gain {
                of,
                under: 0,
                value: score.value,
                resampled: score.resampled,
                rows: common.len(),
                exact: None,
            }
        })
        .collect();
    let better = |of: usize, _: usize| {
        let seen = |at: &usize| tried[of].aside[*at].is_some();
        let chance = most_frequent((0..classes.len()).filter(seen).map(|at| classes[at]), names);
        let score = resamples.mean(|at| seen(&at).then(|| (right(&tried[of], at), 1.0)));
        score.quantile(0.025) > chance
    };
    judge(&gains, Some(chosen), better).expect("each has a gain over the first")
}

/// The simplest that no other beats by more than a standard error: heads first, as they are listed.
fn best(tried: &[Trial<'_>], classes: &[usize]) -> usize {
    (2..tried.len()).fold(1, |best, next| {
        let Estimate { value, low, .. } = gain(&tried[next], &tried[best], classes);
        let error = (value - low) / 1.96;
        if value > error { next } else { best }
    })
}

/// All trials, the chosen one first, then the best, the one without transfer among them.
fn candidates(
    tried: &[Trial<'_>],
    judged: &Judgement,
    settings: &Settings,
    classes: &[usize],
) -> Vec<Candidate> {
    let chosen = judged.chosen;
    let score = |trial: &Trial<'_>| {
        let right: Vec<f64> = (0..classes.len())
            .filter(|&at| trial.aside[at].is_some())
            .map(|at| f64::from(said(trial, at).0 == classes[at]))
            .collect();
        mean(&right)
    };
    let value = |k: usize| score(&tried[k]).value;
    let mut order: Vec<usize> = (0..tried.len()).collect();
    order.sort_by(|&a, &b| (b == chosen).cmp(&(a == chosen)).then(value(b).total_cmp(&value(a))));
    let all = order.into_iter().map(|k| (k, &tried[k]));
    all.map(|(k, trial)| Candidate {
        method: match (k, settings.baseline) {
            (0, Baseline::Frozen) => "weights drawn at random".into(),
            (0, Baseline::Scratch) => "trained from scratch".into(),
            _ => trial.strategy.to_string(),
        },
        params: if trial.solved.is_empty() {
            let mut own =
                json!({ "epochs": trial.epochs.len(), "rate": trial.rate, "batch": settings.batch });
            if let Some(agreement) = trial.agreement {
                own["old-head-agreement"] = json!(agreement);
            }
            own
        } else {
            trial.solved.iter().map(|(name, value)| (name.to_string(), json!(value))).collect()
        },
        learner: None,
        preprocess: Vec::new(),
        baseline: trial.drawn,
        score: Some(score(trial)),
        gain: judged.gains.iter().find(|least| least.of == k).map(|least| least.gain),
        failed: None,
        seconds: trial.seconds,
        weight: 0.0,
    })
    .collect()
}

fn reason(judged: &Judgement, chosen: &Trial<'_>, baseline: Baseline, classes: usize) -> String {
    let what = match judged.verdict {
        Verdict::Transfer => "gets more right than",
        Verdict::DoNotTransfer => "gets no more right than",
        Verdict::CannotTell if !judged.informed => {
            let strategy = chosen.strategy;
            return format!("`{strategy}` on the checkpoint is hardly better than always saying the same.");
        }
        Verdict::CannotTell => "may get more right than",
    };
    let seen: BTreeSet<bool> = chosen.aside.iter().map(Option::is_some).collect();
    let on = if seen.contains(&false) { "a fifth of the pictures, kept aside" } else { "cross-validation" };
    format!("`{}` on the checkpoint {what} {}, by {on}; {classes} classes.", chosen.strategy, baseline.text())
}
