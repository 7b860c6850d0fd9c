//! `juyi transfer` from a network to pictures.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use juyi::choice::Verdict;
use juyi::context::Context;
use juyi::data::{Goal, Reading as TableReading};
use juyi::error::{Error, Result, few};
use juyi::linalg::Matrix;
use juyi::models::{Answers, MODEL_KEY, has_metadata};
use juyi::report::folder::{Folder, Kind, NETWORK, NETWORK_KEY, PAGE, RECORD, Training, kind_of};
use juyi::report::{Predictions, Run, html, text};
use juyi_deep::cache::Cache;
use juyi_deep::checkpoint::{Checkpoint, Wanted};
use juyi_deep::images::{Entry, Listing, Making, OnDamage, Reading, is_picture, path_text, prepare_all};
use juyi_deep::tuning::classifier::{Classified, network_in};
use juyi_deep::tuning::regularizers::Regularization;
use juyi_deep::tuning::settings::Settings;
use juyi_deep::tuning::strategy::Strategy;
use juyi_deep::tuning::{Pictures, Surroundings, Tuned, record, tune, work};
use juyi_deep::zoo::{Recognized, counts, known_names, named_after, weights};

use crate::arguments::{Damaged, PictureArguments, TransferArguments};
use crate::preparation::prepare;
use crate::signals::writing;
use crate::terminal::{hand_over, say};
use crate::transfer::{command, inputs, peak_memory, predictions_file, predictions_name};

/// Refuses one picture where many are needed.
pub(crate) fn refuse_one_picture(arguments: &TransferArguments) -> Result<()> {
    let Some(target) =
        arguments.tables.target.as_deref().filter(|own| is_picture(Path::new(own)).unwrap_or(false))
    else {
        return Ok(());
    };
    let problem = "is one picture, and a target has some of each class";
    let hint = "give a folder with a subfolder a class, or a table with the columns `path` and `label`; \
                `juyi predict MODEL PICTURE` classifies one picture";
    Err(Error::input(format!("`--target {target}`"), problem, hint))
}

/// The checkpoint that is to be tuned, if the sources are one: a file that no table is read from, or a run folder with
/// a network, and a folder of pictures or an option that only tuning has.
pub(crate) fn checkpoint(arguments: &TransferArguments) -> Result<Option<PathBuf>> {
    let own = &arguments.tuning;
    let asked =
        own.tune.is_some() || own.epochs.is_some() || own.regularize.is_some() || own.resume.is_some();
    let Some(target) = &arguments.tables.target else { return Ok(None) };
    let network = |spec: &String| -> Result<Option<PathBuf>> {
        let path = Path::new(spec);
        refuse_name(path)?;
        if let Some(inside) = inside(path)? {
            return Ok(Some(inside));
        }
        let is_one = by_its_ending(path, asked || Path::new(target).is_dir());
        Ok(is_one.unwrap_or(asked && !path.is_dir()).then(|| path.to_path_buf()))
    };
    if let [only] = &arguments.tables.source[..] {
        return network(only);
    }
    for spec in &arguments.tables.source {
        if network(spec)?.is_some() {
            let problem = "is a network, and a network is tuned by itself";
            return Err(Error::input(format!("`--source {spec}`"), problem, "give one `--source`"));
        }
    }
    Ok(None)
}

/// Refuses the name of a network where a file is needed, and says where its weights are had.
pub(crate) fn refuse_name(path: &Path) -> Result<()> {
    let Some(name) = path.to_str().and_then(named_after).filter(|_| !path.exists()) else { return Ok(()) };
    let problem = format!("is no file; weights of the network `{name}` are given in one");
    Err(Error::input(format!("`{}`", path.display()), problem, weights(name).join("; ")))
}

/// The network in a run folder, if it has one.
pub(crate) fn inside(folder: &Path) -> Result<Option<PathBuf>> {
    Ok((kind_of(folder)? == Some(Kind::Network)).then(|| folder.join(NETWORK)))
}

/// Whether a file holds a network, where its ending says so; models of tables share one ending with them, and there it
/// has to be `likely` too.
pub(crate) fn by_its_ending(path: &Path, likely: bool) -> Option<bool> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    match ending.as_deref() {
        Some("pth" | "pt" | "bin" | "pkl" | "ckpt" | "tar" | "th" | "pyth") => Some(true),
        Some("safetensors") => Some(likely && !has_metadata(path, MODEL_KEY)),
        _ => None,
    }
}

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
    for (name, value) in crate::transfer::params(&arguments.set)? {
        settings.set(&name, value.as_str().unwrap_or_default())?;
    }
    settings.check()?;
    Ok(settings)
}

/// The network in a checkpoint; what is left out of it is noted.
pub(crate) fn read(source: &Path, arguments: &PictureArguments, context: &mut Context) -> Result<Recognized> {
    context.progress("network", 0, 0);
    refuse_name(source)?;
    let known = known_names();
    let set = arguments.weights.as_deref().map(|set| set.trim_end_matches('.'));
    if set == Some("") {
        let problem = "is empty";
        let hint = "give the key or the begin of names that the wanted tensors have";
        return Err(Error::input("`--weights`", problem, hint));
    }
    let wanted = Wanted { set, known: Some(&known) };
    let mut checkpoint = Checkpoint::read_for(source, wanted, context.left())?;
    let name = source.display().to_string();
    for note in std::mem::take(&mut checkpoint.notes) {
        context.note("network", note);
    }
    let tuned = checkpoint.metadata.contains_key(NETWORK_KEY);
    let mut found = network_in(&name, checkpoint)?;
    prepare(&mut found, &arguments.changes(), tuned, context)?;
    let own = &found.architecture;
    context.take(own.bytes());
    context.note("network", format!("`{name}` is `{}`, with the names of {}", own.name, own.layout));
    if !found.extra.is_empty() {
        let text = format!("tensors that are not used: {}", few(&found.extra));
        let parts = |name: &String| {
            found.tensors.get(name).is_some_and(|own| own.values.len() > usize::from(counts(name)))
        };
        if found.extra.iter().any(parts) {
            context.warn("network", text + "; if they are parts of the network, its answers are others");
        } else {
            context.note("network", text);
        }
    }
    for doubt in std::mem::take(&mut found.doubts) {
        context.warn("network", doubt);
    }
    Ok(found)
}

/// The pictures of a folder or table, or one alone; what is left out is noted. Every renaming has to serve.
pub(crate) fn listing(path: &Path, reading: &TableReading, context: &mut Context) -> Result<Listing> {
    let listing = noted_listing(path, reading, context)?;
    Listing::check_renamed(reading, std::iter::once(&listing))?;
    Ok(listing)
}

/// The same, where renamings may serve another list.
pub(crate) fn noted_listing(path: &Path, reading: &TableReading, context: &mut Context) -> Result<Listing> {
    let listing = Listing::read(path, reading, context)?;
    context.take(listing.bytes());
    let name = path.display().to_string();
    for warning in &listing.warnings {
        context.warn(&name, warning.clone());
    }
    for note in &listing.notes {
        context.note(&name, note.clone());
    }
    Ok(listing)
}

/// Networks of this process run where the flag says.
pub(crate) fn choose_device(arguments: &PictureArguments) -> Result<()> {
    juyi_deep::device::choose(arguments.device.parse()?);
    Ok(())
}

/// What keeps activations, if that is asked for.
pub(crate) fn cache(arguments: &PictureArguments) -> Option<Cache> {
    arguments.cache.as_deref().map(Cache::new)
}

/// Warns of what a cache could not keep.
pub(crate) fn warn_of(cache: Option<&Cache>, context: &mut Context) {
    if let Some(warning) = cache.and_then(Cache::warning) {
        context.warn("cache", warning);
    }
}

/// How pictures are read.
pub(crate) fn reading(arguments: &PictureArguments) -> Reading {
    let on_damage = match arguments.damaged {
        Damaged::Refuse => OnDamage::Refuse,
        Damaged::Skip => OnDamage::Skip,
    };
    Reading { on_damage, ..Reading::default() }
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

/// Pictures to tune on: those of a list that have a class.
pub(crate) fn labelled(entries: &[Entry], reading: &Reading, arguments: &PictureArguments) -> Pictures {
    let known = || entries.iter().filter_map(|entry| Some((entry, entry.class.as_ref()?)));
    let mut names: Vec<String> = known().map(|(_, class)| class.clone()).collect();
    names.sort();
    names.dedup();
    Pictures {
        files: known().map(|(entry, _)| entry.path.clone()).collect(),
        classes: known().filter_map(|(_, class)| names.binary_search(class).ok()).collect(),
        names,
        most_pixels: reading.most_pixels,
        cache: cache(arguments),
    }
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
