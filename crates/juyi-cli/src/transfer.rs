//! `juyi transfer`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use juyi::choice::Verdict;
use juyi::context::Context;
use juyi::data::{Builtin, Encoding, Goal, Reading, Table, builtin, check_renamed, read_table, table_files};
use juyi::error::{Error, Result};
use juyi::files::is_stream;
use juyi::models::{Model, Preprocess};
use juyi::report::folder::{Folder, Kind, MODEL, PAGE, PREDICTIONS, RECORD, Training, kind_of, load_model};
use juyi::report::{html, predictions_csv, predictions_parquet, text};
use juyi::transfer::{Settings, TargetLabels, TaskKind, transfer, transfer_models};
#[cfg(feature = "deep")]
use juyi_deep::images::Listing;
use serde_json::{Map as JsonMap, Value};

use crate::arguments::unused::Work;
use crate::arguments::{self, Predictions, TablesArguments, TransferArguments};
use crate::signals::writing;
use crate::terminal::{hand_over, say};

pub(crate) fn run(arguments: &TransferArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    #[cfg(feature = "deep")]
    {
        crate::tune::refuse_one_picture(arguments)?;
        if let Some(network) = crate::tune::checkpoint(arguments)? {
            arguments.surroundings.given.refuse_unused(Work::Tuning)?;
            return crate::tune::run(arguments, &network, context);
        }
    }
    arguments.surroundings.given.refuse_unused(work(&arguments.tables))?;
    let settings = settings(arguments)?;
    let (out, name) = (&arguments.out, predictions_name(arguments.predictions));
    let inputs = inputs(&arguments.tables);
    let names = [MODEL, name, RECORD, PAGE];
    let mut folder = Folder::open(out, Kind::Model, &names, &inputs, Training::Without)?;
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
        transfer_models(models, target, &settings, context)?
    } else {
        let (sources, target) = tables(&arguments.tables, context)?;
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
    let writing = writing();
    folder.write(&files, None)?;
    drop(writing);

    if arguments.json {
        hand_over(&record)?;
    } else if !arguments.quiet {
        let folder = out.display();
        let rows =
            if outcome.run.transfer.chosen.stores_rows { "; the model holds rows of the data" } else { "" };
        say(&format!(
            "{}written       {folder}/report.html, {folder}/{name}, {folder}/{MODEL}, \
             {folder}/run.json{rows}\n",
            text(&outcome.run)
        ))?;
    }
    let no = outcome.run.select.is_some_and(|choice| choice.verdict != Verdict::Transfer);
    Ok(ExitCode::from(u8::from(arguments.strict && no)))
}

/// What is done with the tables that are named.
pub(crate) fn work(tables: &TablesArguments) -> Work {
    #[cfg(feature = "deep")]
    if tables.network.is_some() {
        return Work::Features;
    }
    if tables.target.is_some() { Work::Tables } else { Work::Digits }
}

/// What the file for the predictions is called in a run folder.
pub(crate) fn predictions_name(format: Predictions) -> &'static str {
    match format {
        Predictions::Csv => PREDICTIONS[0],
        Predictions::Parquet => PREDICTIONS[1],
    }
}

/// What goes into it.
pub(crate) fn predictions_file(
    format: Predictions,
    answers: &juyi::report::Predictions,
    goal: &Goal,
    context: &Context,
) -> Result<Vec<u8>> {
    match format {
        Predictions::Csv => predictions_csv(answers, goal, context),
        Predictions::Parquet => predictions_parquet(answers, goal, context),
    }
}

/// Every file and folder that is read.
pub(crate) fn inputs(tables: &TablesArguments) -> Vec<PathBuf> {
    let specs = tables.source.iter().chain(&tables.target);
    let inputs = specs.flat_map(|spec| std::iter::once(PathBuf::from(spec)).chain(table_files(spec)));
    #[cfg(feature = "deep")]
    let inputs = inputs.chain(tables.network.clone());
    inputs.collect()
}

/// The command line that repeats this run.
pub(crate) fn command() -> Vec<String> {
    let rest = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    std::iter::once("juyi".into()).chain(rest).collect()
}

/// The most memory that this process held, in bytes, where the system tells.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * peak.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}

/// A learner as the library is asked for it: `svm(cost=10)`.
fn with_parameters(name: &str, set: &[String]) -> String {
    if set.is_empty() { name.into() } else { format!("{name}({})", set.join(",")) }
}

/// The settings that the flags ask for.
fn settings(arguments: &TransferArguments) -> Result<Settings> {
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
        task: arguments
            .task
            .map(|task| match task {
                arguments::Task::Classification => TaskKind::Classification,
                arguments::Task::Regression => TaskKind::Regression,
            })
            .or(data.task),
        target_labels: match arguments.target_labels {
            None | Some(arguments::TargetLabels::Score) => TargetLabels::Score,
            Some(arguments::TargetLabels::Use) => TargetLabels::Use,
        },
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

/// `key=value[,key=value…]`, each key once.
pub(crate) fn params(set: &[String]) -> Result<JsonMap<String, Value>> {
    let mut params = JsonMap::new();
    for pair in set.iter().flat_map(|set| set.split(',')) {
        let Some((key, value)) = pair.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            return Err(Error::input(
                "`--set`",
                format!("`{pair}` has no `=`"),
                "write `--set components=30,kernel=rbf`",
            ));
        };
        if params.insert(key.to_string(), Value::from(value)).is_some() {
            return Err(Error::input("`--set`", format!("names `{key}` twice"), "set each parameter once"));
        }
    }
    Ok(params)
}

/// The models, with their names, where the sources are run folders or model files; `None` where they are tables.
fn models(arguments: &TablesArguments, context: &mut Context) -> Result<Option<Vec<(String, Model)>>> {
    let is_model = |spec: &String| -> Result<bool> {
        let path = Path::new(spec);
        let by_its_ending = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"));
        Ok(by_its_ending || kind_of(path)? == Some(Kind::Model))
    };
    let are_models = arguments.source.iter().map(is_model).collect::<Result<Vec<bool>>>()?;
    let first = |model: bool| are_models.iter().position(|own| *own == model).map(|at| &arguments.source[at]);
    let Some(model) = first(true) else { return Ok(None) };
    if let Some(table) = first(false) {
        let problem = format!("is a model, and `{table}` is a table");
        let hint = "give sources of one kind: tables, or run folders";
        return Err(Error::input(format!("`--source {model}`"), problem, hint));
    }
    let load = |spec: &String| Ok((spec.clone(), load_model(Path::new(spec), context)?));
    arguments.source.iter().map(load).collect::<Result<_>>().map(Some)
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
            .map(|spec| crate::tune::noted_listing(spec, &reading, context))
            .collect::<Result<Vec<_>>>()?;
        Listing::check_renamed(&reading, listings.iter())?;
        let mut tables = Vec::with_capacity(listings.len());
        for (spec, listing) in specs().zip(&listings) {
            tables.push(pictures.rows(spec, listing, context)?);
        }
        let target = tables.pop().expect("the target is the last of them");
        return Ok((tables, target));
    }
    let as_text = arguments.label.iter().chain(&arguments.id).cloned().collect();
    let reading = Reading {
        label: arguments.label.clone(),
        as_text,
        id: arguments.id.clone(),
        drop: arguments.drop.clone(),
        ..arguments.reading.reading()
    };
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
