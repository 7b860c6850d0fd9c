//! Whether the checkpoint helped, and whether tuning it did: all are judged by pictures that they did not see.
//!
//! A solved head is judged on all pictures, by cross-validation; a training on the first of the same folds, or, where it
//! is one of several that are tried, on all of them too. Two questions are asked: does what is chosen get more right than the
//! best rival, which knows nothing of the checkpoint, and does a tuning get more right than the frozen checkpoint with a head. On a
//! no to either, the frozen checkpoint with a head is what is left behind.

use std::cell::OnceCell;
use std::path::Path;
use std::time::Instant;

use juyi::choice::{Choice, Heard, Resamples, Verdict};
use juyi::context::Context;
use juyi::data::Labels;
use juyi::error::{Error, Result, shown};
use juyi::linalg::Matrix;
use juyi::models::Answers;
use juyi::report::{Epoch, Worth};
use juyi::splits::note_copies;

use super::classifier::Classifier;
use super::found::Found;
use super::head::stratified;
use super::inputs::{Pictures, class_counts, too_few};
use super::judging::{Bench, common, said};
use super::settings::{Baseline, Settings};
use super::strategy::Strategy;
use super::trial::{Trials, is_solved};
use super::tried::Trial;
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
    /// What it is held against.
    pub rival: String,
    /// What the chosen one and the rival took, in seconds.
    pub seconds: [f64; 2],
    /// What the checkpoint and the tuning are worth.
    pub worth: Worth,
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
    /// The class that the rival says; none where that is what was chosen.
    pub without: Option<usize>,
}

/// Tunes a network on pictures and compares with what knows nothing of the checkpoint. `auto` tries several strategies
/// and takes the best; any other is taken as asked. With `auto`, and with `guard`, the frozen checkpoint with a head is left
/// behind unless the checkpoint helped and tuning it did; `scratch` is always taken as asked.
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
    // The rivals, the frozen checkpoint with a head, what else is tried.
    keep(&mut tried, trials.run(Strategy::Head, true, context)?, context);
    keep(&mut tried, trials.colours(context)?, context);
    if settings.baseline == Baseline::Scratch {
        keep(&mut tried, trials.run(Strategy::Scratch, true, context)?, context);
    }
    if strategy == Strategy::Scratch {
        keep(&mut tried, trials.run(strategy, false, context)?, context);
    }
    let head = tried.len();
    let bench = Bench {
        classes: &pictures.classes,
        names: names.len(),
        leaders: &trials.leaders,
        resamples: &resamples,
    };
    keep(&mut tried, trials.run(Strategy::Head, false, context)?, context);
    match strategy {
        Strategy::Auto => automatic(&trials, &mut tried, &bench, context)?,
        Strategy::Head | Strategy::Scratch => {}
        _ => keep(&mut tried, trials.run(strategy, false, context)?, context),
    }
    let guarded = guard || strategy == Strategy::Auto;
    let found = Found::of(&tried, head, strategy == Strategy::Auto, guarded, &bench);
    let Found { rival, judged, .. } = &found;
    let rival = *rival;
    let kept = match strategy {
        Strategy::Scratch => head - 1,
        _ if guarded && judged.verdict != Verdict::Transfer => head,
        _ => judged.chosen,
    };
    let choice = Choice {
        units: None,
        signs: None,
        heard: Heard::default(),
        expected: None,
        floor: None,
        verdict: judged.verdict,
        reason: found.reason(&tried, kept, names.len()),
        figure: None,
        gain: judged.gain,
        true_gain: None,
        rows: (0, pictures.files.len()),
        sources: Vec::new(),
        assumptions: Vec::new(),
        candidates: bench.candidates(&tried, judged, settings.batch),
        seconds: begin.elapsed().as_secs_f64(),
    };
    let worth = found.worth(&trials, &tried, kept, &bench, context)?;
    if settings.refit {
        trials.refit(&mut tried[kept], context)?;
    }
    let common = common(&tried[kept], &tried[rival]);
    let pictures_judged = common.iter().map(|&at| {
        let (said, confidence) = said(&tried[kept], at);
        let without = (kept != rival).then(|| self::said(&tried[rival], at).0);
        Judged { picture: at, truth: pictures.classes[at], said, confidence, without }
    });
    let of_each = pictures_judged.collect();
    let share = |i: usize, c: usize| tried[kept].aside[common[i]].as_ref().map_or(0.0, |own| own[c]);
    let aside = Answers::from_shares(Matrix::from_fn(common.len(), names.len(), share));
    let (seconds, rival) = ([tried[kept].seconds, tried[rival].seconds], tried[rival].name());
    let Trial { classifier, strategy, epochs, rate, .. } = tried.swap_remove(kept);
    let classifier = classifier.expect("what is kept is a network, of the checkpoint or trained");
    context.give_back(before.saturating_sub(context.left()));
    context.take(classifier.bytes());
    Ok(Tuned { classifier, strategy, choice, judged: of_each, aside, epochs, rate, rival, seconds, worth })
}

/// Adds a trial to those that were made, and what it takes to what is held.
fn keep<'a>(tried: &mut Vec<Trial<'a>>, trial: Trial<'a>, context: &mut Context) {
    context.take(trial.bytes());
    tried.push(trial);
}

/// What is tried beside the frozen checkpoint with a head, the last of those tried, if nothing is asked for: heads on all
/// stages, then the last stages, one more at a time as long as that is the best so far.
fn automatic<'a>(
    trials: &Trials<'a>,
    tried: &mut Vec<Trial<'a>>,
    bench: &Bench<'_>,
    context: &mut Context,
) -> Result<()> {
    let head = tried.len() - 1;
    for own in [Strategy::Hypercolumns, Strategy::HeadToToe] {
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
        if bench.simplest(tried, head..tried.len()) + 1 < tried.len() {
            break;
        }
    }
    Ok(())
}
