//! `juyi transfer`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use juyi::choice::{Verdict, Weighing};
use juyi::context::Context;
use juyi::data::{Builtin, Encoding, Reading, Table, builtin, check_renamed, read_table};
use juyi::error::{Error, Result};
use juyi::files::{is_stream, write_whole};
use juyi::models::Preprocess;
use juyi::report::folder::{Folder, Kind, MODEL, PAGE, RECORD, Training};
use juyi::report::{html, text};
use juyi::setting::Setting;
use juyi::transfer::{Settings, TargetLabels, TaskKind, transfer, transfer_models, with_labels};
use juyi::validators::VALIDATORS;
#[cfg(feature = "deep")]
use juyi_deep::images::Listing;

use crate::arguments::unused::Work;
use crate::arguments::{self, TablesArguments, TransferArguments, params};
use crate::label::filled;
use crate::results::{command, peak_memory, predictions_file, predictions_name, weights_file};
use crate::signals::writing;
use crate::sources::{inputs, models};
use crate::terminal::{hand_over, say, say_of};

pub(crate) fn run(arguments: &TransferArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    #[cfg(feature = "deep")]
    {
        crate::sources::refuse_one_picture(arguments)?;
        if let Some(network) = crate::sources::checkpoint(arguments)? {
            arguments.surroundings.given.refuse_unused(Work::Tuning)?;
            return crate::tune::run(arguments, &network, context);
        }
    }
    arguments.surroundings.given.refuse_unused(work(&arguments.tables))?;
    let settings = settings(arguments)?;
    let (out, name) = (&arguments.out, predictions_name(arguments.predictions));
    let mut inputs = inputs(&arguments.tables);
    inputs.extend(arguments.labels.iter().map(PathBuf::from));
    let names = [MODEL, name, RECORD, PAGE];
    let mut folder = Folder::open(out, Kind::Model, &names, &inputs, Training::Without)?;
    let save_weights = arguments.save_weights.as_deref();
    if let Some(file) = save_weights {
        folder.check_beside(file, Setting::SaveWeights, inputs.iter().map(PathBuf::as_path))?;
    }
    let mut outcome = if let (Some(models), Some(target)) =
        (models(&arguments.tables, context)?, &arguments.tables.target)
    {
        let label = arguments.tables.label.clone();
        let label = label.or_else(|| models[0].1.encoding.as_ref().map(|encoding| encoding.label.clone()));
        let encodings = || models.iter().filter_map(|(_, model)| model.encoding.as_ref());
        let as_text = encodings().flat_map(Encoding::text_columns).chain(label.clone()).collect();
        let only = Some(encodings().flat_map(Encoding::needed).chain(label.clone()).collect());
        let id = encodings().flat_map(|encoding| encoding.id.clone()).collect();
        let mut reading = Reading { label, as_text, only, id, ..arguments.tables.reading.reading() };
        encodings().for_each(|encoding| encoding.add_words_to(&mut reading));
        let target = read_table(target, &reading, context)?;
        check_renamed(&reading, std::iter::once(&target))?;
        let target = with_labels_given(arguments, target, reading.label.as_deref(), context)?;
        transfer_models(models, target, &settings, context)?
    } else {
        let (sources, target) = tables(&arguments.tables, context)?;
        let label =
            arguments.tables.label.as_deref().or(sources.first().and_then(|one| one.label.as_deref()));
        let target = with_labels_given(arguments, target, label, context)?;
        transfer(sources, target, &settings, context)?
    };

    outcome.run.command = command();
    outcome.run.peak_memory = peak_memory();
    let model = outcome.model.to_bytes()?;
    let (answers, goal) = (&outcome.predictions, &outcome.model.goal);
    let predictions = predictions_file(arguments.predictions, answers, goal, context)?;
    let record = serde_json::to_string_pretty(&outcome.run)? + "\n";
    let files = [
        (MODEL, model),
        (name, predictions),
        (RECORD, record.clone().into_bytes()),
        (PAGE, html(&outcome.run).into_bytes()),
    ];
    let weights = save_weights.zip(outcome.weights.as_ref());
    let weights =
        weights.map(|(file, weights)| Ok::<_, Error>((file, weights_file(file, weights, context)?)));
    let weights = weights.transpose()?;
    let writing = writing();
    folder.write(&files, None)?;
    if let Some((file, bytes)) = &weights {
        write_whole(file, bytes)?;
    }
    drop(writing);

    if arguments.json {
        hand_over(&record)?;
    } else if !arguments.quiet {
        let folder = out.display();
        let rows =
            if outcome.run.transfer.chosen.stores_rows { "; the model holds rows of the data" } else { "" };
        let also = save_weights.map_or_else(String::new, |file| format!(", {}", file.display()));
        let text = format!(
            "{}written       {folder}/report.html, {folder}/{name}, {folder}/{MODEL}, \
             {folder}/run.json{also}{rows}\n",
            text(&outcome.run)
        );
        save_weights.map_or_else(|| say(&text), |file| say_of(file, &text))?;
    }
    let no = outcome.run.select.is_some_and(|choice| choice.verdict != Verdict::Transfer);
    Ok(ExitCode::from(u8::from(arguments.strict && no)))
}

/// The target with the labels that were filled in for some of its rows.
fn with_labels_given(
    arguments: &TransferArguments,
    target: Table,
    label: Option<&str>,
    context: &mut Context,
) -> Result<Table> {
    let Some(label) = label else { return Ok(target) };
    arguments.labels.iter().try_fold(target, |target, file| {
        let words = arguments.tables.reading.reading();
        with_labels(target, &filled(file, label, words, context)?, label)
    })
}

/// What is done with the tables that are named.
pub(crate) fn work(tables: &TablesArguments) -> Work {
    #[cfg(feature = "deep")]
    if tables.network.is_some() {
        return Work::Features;
    }
    if tables.target.is_some() { Work::Tables } else { Work::Digits }
}

/// A learner as the library is asked for it: `svm(cost=10)`.
fn with_parameters(name: &str, set: &[String]) -> String {
    if set.is_empty() { name.into() } else { format!("{name}({})", set.join(",")) }
}

/// The settings that the flags ask for.
pub(crate) fn settings(arguments: &TransferArguments) -> Result<Settings> {
    let data = data_settings(&arguments.tables);
    Ok(Settings {
        method: arguments.method.clone(),
        guard: arguments.strict,
        params: params(&arguments.set)?,
        learner: arguments.learner.as_ref().map(|name| with_parameters(name, &arguments.learner_set)),
        preprocess: arguments
            .preprocess
            .split(',')
            .map(|step| Preprocess::from_name(step.trim()))
            .collect::<Result<_>>()?,
        task: arguments.task.map(arguments::Task::of_library).or(data.task),
        target_labels: match arguments.target_labels {
            None if !arguments.labels.is_empty() => TargetLabels::Use,
            None | Some(arguments::TargetLabels::Score) => TargetLabels::Score,
            Some(arguments::TargetLabels::Use) => TargetLabels::Use,
        },
        source_weights: arguments.save_weights.is_some(),
        assume: arguments.assume.map(arguments::Assume::of_library),
        budget: arguments.budget,
        figure: arguments.figure.map(arguments::Figure::of_library),
        weighing: arguments.alone.vote.map_or_else(Weighing::default, arguments::Vote::of_library),
        single: arguments
            .alone
            .single
            .then(|| arguments.alone.validator.clone().unwrap_or_else(|| VALIDATORS[0].name.into())),
        ..data
    })
}

/// What the flags say of the tables; all else at its default.
pub(crate) fn data_settings(tables: &TablesArguments) -> Settings {
    Settings {
        label: tables.label.clone(),
        missing: tables.missing.map(arguments::Missing::of_library),
        drop: tables.drop.clone(),
        id: identifiers(tables),
        task: folders(tables).then_some(TaskKind::Classification),
        ..Settings::default()
    }
}

/// Whether all tables are made of pictures in folders, whose names are those of classes even where they are numbers.
fn folders(tables: &TablesArguments) -> bool {
    #[cfg(feature = "deep")]
    if tables.network.is_some() {
        return tables.source.iter().chain(&tables.target).all(|spec| Path::new(spec).is_dir());
    }
    let _ = tables;
    false
}

/// The columns that identify a row: those named, and the path of a picture.
fn identifiers(tables: &TablesArguments) -> Vec<String> {
    #[cfg(feature = "deep")]
    if tables.network.is_some() {
        return tables.id.iter().cloned().chain(["picture".into()]).collect();
    }
    tables.id.clone()
}

/// The tables that are named, or the built-in digits.
pub(crate) fn tables(arguments: &TablesArguments, context: &mut Context) -> Result<(Vec<Table>, Table)> {
    let Some(target) = &arguments.target else {
        let Builtin { source, target } = builtin()?;
        check_renamed(&arguments.reading.reading(), [&source, &target].into_iter())?;
        return Ok((vec![source], target));
    };
    let mut streams: Vec<&String> = arguments
        .source
        .iter()
        .chain([target])
        .filter(|spec| *spec == "-" || is_stream(Path::new(spec)))
        .collect();
    streams.sort();
    if let Some([twice, _]) = streams.windows(2).find(|pair| pair[0] == pair[1]) {
        let problem = "can be read once only, and is named twice";
        return Err(Error::input(format!("`{twice}`"), problem, "give the other table as a file"));
    }
    #[cfg(feature = "deep")]
    if let Some(network) = &arguments.network {
        let pictures = crate::features::Pictures::new(network, &arguments.pictures, context)?;
        let reading = arguments.reading.reading();
        let specs = || arguments.source.iter().chain([target]).map(Path::new);
        let listings = specs()
            .map(|spec| crate::pictures::noted_listing(spec, &reading, context))
            .collect::<Result<Vec<_>>>()?;
        Listing::check_renamed(&reading, listings.iter())?;
        let mut tables = Vec::with_capacity(listings.len());
        for (spec, listing) in specs().zip(&listings) {
            tables.push(pictures.rows(spec, listing, context)?);
        }
        let target = tables.pop().expect("the target is the last of them");
        return Ok((tables, target));
    }
    let reading = reading(arguments);
    let mut read = |spec: &String| {
        let table = read_table(spec, &reading, context)?;
        context.take(table.bytes());
        Ok(table)
    };
    let sources = arguments.source.iter().map(&mut read).collect::<Result<Vec<_>>>()?;
    let target = read(target)?;
    check_renamed(&reading, sources.iter().chain([&target]))?;
    Ok((sources, target))
}

/// How the tables of a command are read.
pub(crate) fn reading(arguments: &TablesArguments) -> Reading {
    Reading {
        label: arguments.label.clone(),
        as_text: arguments.label.iter().chain(&arguments.id).cloned().collect(),
        id: arguments.id.clone(),
        drop: arguments.drop.clone(),
        ..arguments.reading.reading()
    }
}
