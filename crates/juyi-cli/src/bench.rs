//! `juyi bench`.

use std::process::ExitCode;

use juyi::context::Context;
use juyi::data::{Reading, Table, read_table};
use juyi::error::{Error, Result};
use juyi::tables::{PublishedTable, Row, run as run_table, table};

use crate::arguments::BenchArguments;
use crate::terminal::{say, worded};

pub(crate) fn run(arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    let Some(name) = &arguments.table else { return crate::sweep::run(arguments) };
    #[cfg(feature = "deep")]
    if name == crate::few_labels::TABLE {
        return crate::few_labels::run(arguments);
    }
    if name == crate::known_answers::TABLE {
        return crate::known_answers::run(arguments);
    }
    let context = arguments.surroundings.context()?;
    let table = table(name).map_err(with_tuning)?;
    let mut broken = Ok(());
    // Printed with the first row, so that nothing is when the data cannot be read.
    let mut heading = String::new();
    if !arguments.json {
        heading = format!(
            "{}\n{:<18}{:<12}{:>9}{:>11}{:>10}{:>9}\n",
            worded(table.about),
            "method",
            "task",
            "accuracy",
            "published",
            "expected",
            "seconds"
        );
    }
    let read = reader(table, arguments, &context)?;
    let rows = run_table(table, read, arguments.data(), arguments.method.as_deref(), &context, |row| {
        let line = if arguments.json { serde_json::to_string(row).unwrap_or_default() } else { line(row) };
        if broken.is_ok() {
            broken = say(&(std::mem::take(&mut heading) + &line + "\n"));
        }
    })?;
    broken?;
    let missed = rows.iter().filter(|row| row.within == Some(false)).count();
    Ok(ExitCode::from(u8::from(missed > 0)))
}

/// The error for an unknown table names that of tuning too.
fn with_tuning(error: Error) -> Error {
    match error {
        #[cfg(feature = "deep")]
        Error::Unknown { kind, name, mut known } => {
            known.extend([crate::few_labels::TABLE.into(), crate::known_answers::TABLE.into()]);
            Error::Unknown { kind, name, known }
        }
        other => other,
    }
}

/// Makes rows of a file, or of a folder of pictures.
type Reader = Box<dyn FnMut(&str) -> Result<Table>>;

fn reader(table: &PublishedTable, arguments: &BenchArguments, context: &Context) -> Result<Reader> {
    if table.pictures {
        return pictures(table, arguments, context);
    }
    let context = context.clone();
    Ok(Box::new(move |spec| read_table(spec, &Reading::default(), &context)))
}

#[cfg(feature = "deep")]
fn pictures(table: &PublishedTable, arguments: &BenchArguments, context: &Context) -> Result<Reader> {
    let Some(network) = &arguments.network else {
        let problem = "takes a network that turns pictures into rows";
        return Err(Error::input(
            format!("`{}`", table.name),
            problem,
            "give its checkpoint with `--network`",
        ));
    };
    let mut context = context.clone();
    let pictures = crate::features::Pictures::new(network, &arguments.pictures, &mut context)?;
    Ok(Box::new(move |spec| {
        let path = std::path::Path::new(spec);
        let listing = crate::pictures::listing(path, &Reading::default(), &mut context)?;
        pictures.rows(path, &listing, &mut context)
    }))
}

#[cfg(not(feature = "deep"))]
fn pictures(table: &PublishedTable, _: &BenchArguments, _: &Context) -> Result<Reader> {
    let problem = "takes a network, which this build cannot run";
    Err(Error::input(format!("`{}`", table.name), problem, "build it with the feature `deep`"))
}

fn line(row: &Row) -> String {
    let optional = |value: Option<f64>| value.map_or_else(|| "-".to_string(), |v| format!("{v:.2}"));
    let miss = if row.within == Some(false) { "  MISSED" } else { "" };
    let (published, expected) = (optional(row.published), optional(row.expected));
    let Row { method, task, accuracy, seconds, .. } = row;
    let spread = row.deviation.map_or_else(String::new, |deviation| format!(" ± {deviation:.1}"));
    format!("{method:<18}{task:<12}{accuracy:>9.2}{published:>11}{expected:>10}{seconds:>9.2}{miss}{spread}")
}
