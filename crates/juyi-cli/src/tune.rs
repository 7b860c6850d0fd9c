//! `juyi transfer` from a network to pictures.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use juyi::choice::Verdict;
use juyi::context::Context;
use juyi::data::Goal;
use juyi::error::Result;
use juyi::linalg::Matrix;
use juyi::models::Answers;
use juyi::report::folder::{Folder, Kind, NETWORK, PAGE, RECORD, Training};
use juyi::report::{Predictions, Run, html, text};
use juyi_deep::images::{Entry, Making, OnDamage, Reading, path_text, prepare_all};
use juyi_deep::tuning::classifier::Classified;
use juyi_deep::tuning::regularizers::Regularization;
use juyi_deep::tuning::settings::Settings;
use juyi_deep::tuning::strategy::Strategy;
use juyi_deep::tuning::{Surroundings, Tuned, record, tune, work};

use crate::arguments::{TransferArguments, params};
use crate::pictures::{choose_device, labelled, listing, read, reading, warn_of};
use crate::results::{command, peak_memory, predictions_file, predictions_name};
use crate::signals::writing;
use crate::sources::inputs;
use crate::terminal::{hand_over, say};

pub(crate) fn run(
    arguments: &TransferArguments,
    source: &Path,
    context: &mut Context,
) -> anyhow::Result<ExitCode> {
    let begin = Instant::now();
    let own = &arguments.tuning;
    choose_device(&arguments.tables.pictures)?;
    let strategy: Strategy = own.tune.as_deref().unwrap_or("auto").parse()?;
    let settings = settings(arguments)?;
    let out = own.resume.as_ref().unwrap_or(&arguments.out);
    let training = if own.resume.is_some() { Training::Resume } else { Training::Begin };
    let file = predictions_name(arguments.predictions);
    let inputs: Vec<PathBuf> = inputs(&arguments.tables).into_iter().chain([source.to_path_buf()]).collect();
    let mut folder = Folder::open(out, Kind::Network, &[NETWORK, file, RECORD, PAGE], &inputs, training)?;

    let found = read(source, &arguments.tables.pictures, context)?;
    let target = arguments.tables.target.as_deref().unwrap_or_default();
    let listing = listing(Path::new(target), &arguments.tables.reading.reading(), context)?;
    let reading = reading(&arguments.tables.pictures);
    let is_table = listing.is_table();
    let entries = sound(listing.entries, &reading, target, context)?;
    let (own, rest): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| entry.class.is_some());
    let pictures = labelled(&own, &reading, &arguments.tables.pictures);
    if is_table && arguments.task.is_none() {
        note_numbers(&pictures.names, context);
    }
    let files: Vec<&Path> = rest.iter().map(|entry| entry.path.as_path()).collect();
    let asked = (strategy.to_string(), &settings, arguments.strict, context.seed(), file);
    let work = work(&found, &pictures, &files, &asked)?;
    if folder.is_done(&work, training)? {
        return show(arguments, out, &juyi::report::read(&out.join(RECORD), context)?);
    }
    let notes = folder.notes();
    let tuned = tune(&found, &pictures, strategy, &settings, arguments.strict, Some(&notes), context)?;
    let cache = pictures.cache.as_ref();
    let more = tuned.classifier.classify(&files, &reading, cache, context)?;
    warn_of(cache, context);

    let name = source.display().to_string();
    let seconds = begin.elapsed().as_secs_f64();
    let known = Surroundings { source: &name, found: &found, target, unlabelled: rest.len(), seconds };
    let mut run = record(&tuned, &pictures, &settings, &known, context)?;
    run.command = command();
    run.peak_memory = peak_memory();
    let goal = Goal::Classes(pictures.names.clone());
    let answers = all_answers(&tuned, &own, &rest, &more);
    let files = [
        (NETWORK, tuned.classifier.to_bytes()?),
        (file, predictions_file(arguments.predictions, &answers, &goal, context)?),
        (RECORD, (serde_json::to_string_pretty(&run)? + "\n").into_bytes()),
        (PAGE, html(&run).into_bytes()),
    ];
    let writing = writing();
    folder.write(&files, Some(work))?;
    drop(writing);
    show(arguments, out, &run)
}

/// Says what a run came to, and ends with its verdict.
fn show(arguments: &TransferArguments, out: &Path, run: &Run) -> anyhow::Result<ExitCode> {
    if arguments.json {
        hand_over(&(serde_json::to_string_pretty(run)? + "\n"))?;
    } else if !arguments.quiet {
        let (folder, file) = (out.display(), predictions_name(arguments.predictions));
        say(&format!(
            "{}written       {folder}/{PAGE}, {folder}/{file}, {folder}/{NETWORK}, {folder}/{RECORD}\n",
            text(run)
        ))?;
    }
    let no = run.select.as_ref().is_some_and(|choice| choice.verdict != Verdict::Transfer);
    Ok(ExitCode::from(u8::from(arguments.strict && no)))
}

/// The settings that the flags ask for.
fn settings(arguments: &TransferArguments) -> Result<Settings> {
    let mut settings = Settings::default();
    if let Some(epochs) = arguments.tuning.epochs {
        settings.epochs = epochs;
    }
    if let Some(text) = &arguments.tuning.regularize {
        settings.regularization = Some(text.parse::<Regularization>()?);
    }
    for (name, value) in params(&arguments.set)? {
        settings.set(&name, value.as_str().unwrap_or_default())?;
    }
    settings.check()?;
    Ok(settings)
}

/// The pictures of a list that can be read, where damaged ones are to be skipped: all are looked at first.
fn sound(
    mut entries: Vec<Entry>,
    reading: &Reading,
    name: &str,
    context: &mut Context,
) -> Result<Vec<Entry>> {
    if reading.on_damage == OnDamage::Skip {
        let paths: Vec<&Path> = entries.iter().map(|entry| entry.path.as_path()).collect();
        let progress = |done: usize, all: usize| context.progress("reading", done, all);
        let nothing = Making { make: &|_, _| Ok(Vec::new()), side: 0, held: 0, then: 0 };
        let left_out = prepare_all(&paths, &nothing, reading, context, &progress, &mut |_| Ok(()))?;
        for (at, error) in left_out.iter().rev() {
            context.warn(name, format!("left out: {error}"));
            entries.remove(*at);
        }
    }
    Ok(entries)
}

/// Says that labels in a table are taken for classes, where they are numbers and more than two.
fn note_numbers(names: &[String], context: &mut Context) {
    let numbers: Option<Vec<f64>> = names.iter().map(|name| name.trim().parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() > 2) else { return };
    let whole = numbers.iter().all(|number| number.fract() == 0.0);
    let (count, kind) =
        (numbers.len(), if whole { "whole numbers" } else { "numbers, some with a fraction" });
    let text = format!(
        "the labels are {count} different {kind}, which are taken for classes; `--network` with sources of pictures \
         predicts numbers, and `--task classification` says that classes are meant"
    );
    context.note("data", text);
}

/// What is said of the pictures that were kept aside, by networks that did not see them, and of those without a class, in
/// the order of the list. `known` are the pictures that the network was tuned on.
fn all_answers(tuned: &Tuned, known: &[Entry], rest: &[Entry], more: &Classified) -> Predictions {
    let aside = tuned.judged.iter().enumerate().map(|(i, own)| (&known[own.picture], &tuned.aside, i));
    let others = more.samples.iter().enumerate().map(|(i, &at)| (&rest[at], &more.answers, i));
    let mut all: Vec<(&Entry, &Answers, usize)> = aside.chain(others).collect();
    all.sort_by_key(|(entry, ..)| entry.row);
    let classes = tuned.classifier.classes().len();
    let score = |i: usize, c: usize| {
        let (_, answers, at) = &all[i];
        answers.scores.as_ref().map_or(0.0, |own| own[(*at, c)])
    };
    let text = |of: fn(&Entry) -> String| all.iter().map(|(entry, ..)| of(entry)).collect();
    Predictions {
        rows: all.iter().map(|(entry, ..)| entry.row).collect(),
        id: vec![
            ("picture".into(), text(|entry| path_text(&entry.path))),
            ("label".into(), text(|entry| entry.class.clone().unwrap_or_default())),
        ],
        answers: Answers {
            answer: all.iter().map(|(_, answers, at)| answers.answer[*at]).collect(),
            confidence: all.iter().map(|(_, answers, at)| answers.confidence[*at]).collect(),
            scores: Some(Matrix::from_fn(all.len(), classes, score)),
        },
    }
}
