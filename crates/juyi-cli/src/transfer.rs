//! `juyi transfer`.

use std::path::Path;
use std::process::ExitCode;

use juyi::choice::Verdict;
use juyi::context::Context;
use juyi::data::{Builtin, Encoding, Goal, Missing, Table, builtin, read_table_as};
use juyi::error::{Error, Result};
use juyi::models::{Model, Preprocess, write_whole};
use juyi::report::{html, predictions_csv, predictions_parquet, text};
use juyi::transfer::{Settings, TargetLabels, TaskKind, transfer, transfer_models};
use serde_json::{Map as JsonMap, Value};

use crate::arguments::{self, Predictions, TablesArguments, TransferArguments};
use crate::signals::writing;
use crate::terminal::{hand_over, say};

/// What the fitted model is called in a run folder.
pub(crate) const MODEL: &str = "model.safetensors";
/// What the tuned network is called there.
pub(crate) const NETWORK: &str = "network.safetensors";

pub(crate) fn run(arguments: &TransferArguments) -> anyhow::Result<ExitCode> {
    #[cfg(feature = "deep")]
    if let Some(network) = crate::tune::checkpoint(arguments)? {
        return crate::tune::run(arguments, &network);
    }
    let settings = settings(arguments)?;
    let mut context = arguments.surroundings.context()?;
    check_folder(&arguments.out)?;
    let mut outcome = if let (Some(models), Some(target)) =
        (models(&arguments.tables, &mut context)?, &arguments.tables.target)
    {
        let label = arguments.tables.label.clone();
        let label = label.or_else(|| models[0].1.encoding.as_ref().map(|encoding| encoding.label.clone()));
        let text = models.iter().filter_map(|(_, model)| model.encoding.as_ref());
        let as_text: Vec<String> = text.flat_map(Encoding::text_columns).chain(label.clone()).collect();
        let format = arguments.tables.format;
        let target = read_table_as(target, format, label.as_deref(), &as_text, &context)?;
        transfer_models(models, target, &settings, &mut context)?
    } else {
        let (sources, target) = tables(&arguments.tables, &mut context)?;
        transfer(sources, target, &settings, &mut context)?
    };

    outcome.run.command = command();
    outcome.run.peak_memory = peak_memory();
    let model = outcome.model.to_bytes()?;
    let (name, other, predictions) =
        predictions_file(arguments.predictions, &outcome.predictions, &outcome.model.goal, &context)?;
    let record = serde_json::to_string_pretty(&outcome.run)? + "\n";
    let writing = writing();
    std::fs::create_dir_all(&arguments.out).map_err(|error| Error::io(&arguments.out, error))?;
    write_whole(&arguments.out.join(MODEL), &model)?;
    write_whole(&arguments.out.join(name), &predictions)?;
    remove(&arguments.out.join(other))?; // of an earlier run
    remove(&arguments.out.join(NETWORK))?;
    write_whole(&arguments.out.join("run.json"), record.as_bytes())?;
    write_whole(&arguments.out.join("report.html"), html(&outcome.run).as_bytes())?;
    drop(writing);

    if arguments.json {
        hand_over(&record)?;
    } else if !arguments.quiet {
        let folder = arguments.out.display();
        let rows = if outcome.run.chosen.stores_rows { "; the model holds rows of the data" } else { "" };
        say(&format!(
            "{}written       {folder}/report.html, {folder}/{name}, {folder}/{MODEL}, \
             {folder}/run.json{rows}\n",
            text(&outcome.run)
        ))?;
    }
    let no = outcome.run.choice.is_some_and(|choice| choice.verdict != Verdict::Transfer);
    Ok(ExitCode::from(u8::from(arguments.strict && no)))
}

/// The file for the predictions, that of the other format, and what goes into it.
pub(crate) fn predictions_file(
    format: Predictions,
    answers: &juyi::report::Predictions,
    goal: &Goal,
    context: &Context,
) -> Result<(&'static str, &'static str, Vec<u8>)> {
    let (csv, parquet) = ("predictions.csv", "predictions.parquet");
    Ok(match format {
        Predictions::Csv => (csv, parquet, predictions_csv(answers, goal, context)?),
        Predictions::Parquet => (parquet, csv, predictions_parquet(answers, goal, context)?),
    })
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

/// Removes a file that need not be there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, error)),
        _ => Ok(()),
    }
}

/// The settings that the flags ask for.
fn settings(arguments: &TransferArguments) -> Result<Settings> {
    Ok(Settings {
        method: arguments.method.clone(),
        guard: arguments.strict,
        params: params(&arguments.set)?,
        learner: arguments.learner.clone(),
        preprocess: arguments
            .preprocess
            .split(',')
            .map(|step| Preprocess::from_name(step.trim()))
            .collect::<Result<_>>()?,
        task: arguments.task.map(|task| match task {
            arguments::Task::Classification => TaskKind::Classification,
            arguments::Task::Regression => TaskKind::Regression,
        }),
        target_labels: match arguments.target_labels {
            arguments::TargetLabels::Score => TargetLabels::Score,
            arguments::TargetLabels::Use => TargetLabels::Use,
        },
        ..data_settings(&arguments.tables)
    })
}

/// What the flags say of the tables; all else at its default.
pub(crate) fn data_settings(tables: &TablesArguments) -> Settings {
    Settings {
        label: tables.label.clone(),
        missing: match tables.missing {
            arguments::Missing::Error => Missing::Error,
            arguments::Missing::Mean => Missing::Mean,
            arguments::Missing::Drop => Missing::Drop,
        },
        drop: tables.drop.clone(),
        id: identifiers(tables),
        ..Settings::default()
    }
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
    let is_model = |spec: &String| {
        let path = Path::new(spec);
        path.join(MODEL).is_file()
            || path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
    };
    let Some(model) = arguments.source.iter().find(|spec| is_model(spec)) else { return Ok(None) };
    if let Some(table) = arguments.source.iter().find(|spec| !is_model(spec)) {
        let problem = format!("is a model, and `{table}` is a table");
        let hint = "give sources of one kind: tables, or run folders";
        return Err(Error::input(format!("`--source {model}`"), problem, hint));
    }
    let load = |spec: &String| Ok((spec.clone(), Model::load(Path::new(spec), context)?));
    arguments.source.iter().map(load).collect::<Result<_>>().map(Some)
}

/// The tables that are named, or the built-in digits.
pub(crate) fn tables(arguments: &TablesArguments, context: &mut Context) -> Result<(Vec<Table>, Table)> {
    let Some(target) = &arguments.target else {
        let Builtin { source, target } = builtin()?;
        return Ok((vec![source], target));
    };
    if arguments.source.iter().chain([target]).filter(|spec| *spec == "-").count() > 1 {
        let problem = "is standard input, which can be read once only, and it is named twice";
        return Err(Error::input("`-`", problem, "give the other table as a file"));
    }
    #[cfg(feature = "deep")]
    if let Some(network) = &arguments.network {
        let pictures = crate::features::Pictures::new(network, &arguments.pictures, context)?;
        let mut read = |spec: &String| pictures.table(Path::new(spec), context);
        return Ok((arguments.source.iter().map(&mut read).collect::<Result<_>>()?, read(target)?));
    }
    let label = arguments.label.as_deref();
    let as_text: Vec<String> = arguments.label.iter().chain(&arguments.id).cloned().collect();
    let mut read = |spec: &String| {
        let table = read_table_as(spec, arguments.format, label, &as_text, context)?;
        context.take(table.bytes());
        Ok(table)
    };
    let sources = arguments.source.iter().map(&mut read).collect::<Result<_>>()?;
    Ok((sources, read(target)?))
}

/// Refuses, before the work starts, a folder that holds something else than an earlier run.
pub(crate) fn check_folder(folder: &Path) -> Result<()> {
    let fail = |problem: &str| {
        Err(Error::input(format!("`{}`", folder.display()), problem, "give another folder with `--out`"))
    };
    if folder.is_file() {
        return fail("is a file, not a folder");
    }
    let Ok(mut entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let taken = ["report.html", MODEL, NETWORK, "predictions.csv", "predictions.parquet"]
        .iter()
        .any(|name| folder.join(name).is_dir());
    if taken || (entries.next().is_some() && !folder.join("run.json").is_file()) {
        return fail("holds files that are not those of a run");
    }
    Ok(())
}
