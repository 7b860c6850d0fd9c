//! `juyi label`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use juyi::context::Context;
use juyi::data::{Encoding, Reading, Table, check_renamed, read_table, table_files};
use juyi::error::Error;
use juyi::files::write_whole;
use juyi::report::folder::{RECORD, check_output, load_model, read};
use juyi::report::thousands;
use juyi::setting::Setting;
use juyi::transfer::{number_column, rows_to_label, with_labels};

use crate::arguments::LabelArguments;
use crate::signals::writing;
use crate::terminal::{notes, say_of};

pub(crate) fn run(arguments: &LabelArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    if arguments.count == 0 {
        return Err(Error::input("`--count`", "is 0", "ask for one row at least").into());
    }
    let record = read(&arguments.run.join(RECORD), context)?;
    let table = arguments.table.as_ref().unwrap_or(&record.data.target.name);
    let (label, out) = (&record.data.label, &arguments.out);
    let sources = record.data.sources.iter().map(|source| &source.name);
    let inputs: Vec<PathBuf> = sources
        .chain([table])
        .chain(&arguments.labels)
        .flat_map(|name| table_files(name).into_iter().chain([PathBuf::from(name)]))
        .chain([arguments.run.clone()])
        .collect();
    check_output(out, Setting::Out, inputs.iter().map(PathBuf::as_path))?;
    check_ending(out)?;
    let model = load_model(&arguments.run, context)?;
    let mut as_text = model.encoding.as_ref().map(Encoding::text_columns).unwrap_or_default();
    as_text.push(label.clone());
    let id = model.encoding.as_ref().map(|encoding| encoding.id.clone()).unwrap_or_default();
    let mut reading = Reading { label: Some(label.clone()), as_text, id, ..arguments.reading.reading() };
    model.encoding.iter().for_each(|encoding| encoding.add_words_to(&mut reading));
    let mut target = read_table(table, &reading, context)?;
    check_renamed(&reading, std::iter::once(&target))?;
    check_not_filled(out, (&number_column(&target, label), label), context)?;
    for file in &arguments.labels {
        target = with_labels(target, &filled(file, label, arguments.reading.reading(), context)?, label)?;
    }
    let rows = rows_to_label(&model, &target, label, arguments.count, context)?;
    let bytes = rows.to_csv()?;
    let writing = writing();
    write_whole(out, &bytes)?;
    drop(writing);
    let text = format!(
        "{}{} of {} rows written to {}: fill in `{label}`, and give it to `juyi transfer` as `--labels`\n",
        notes(context),
        thousands(rows.rows),
        thousands(target.rows),
        out.display()
    );
    say_of(out, &text)?;
    Ok(ExitCode::SUCCESS)
}

/// A table of `juyi label` that was filled in.
pub(crate) fn filled(file: &str, label: &str, words: Reading, context: &mut Context) -> Result<Table, Error> {
    let reading = Reading { label: Some(label.into()), as_text: vec![label.into()], ..words };
    read_table(file, &reading, context)
}

/// Refuses any name but that of a CSV file.
fn check_ending(out: &Path) -> Result<(), Error> {
    if out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        return Ok(());
    }
    let hint = "the rows are written as CSV: name the file so";
    Err(Error::input(format!("`{}`", out.display()), "does not end in .csv", hint))
}

/// Refuses to write where labels stand that somebody filled in.
fn check_not_filled(out: &Path, (number, label): (&str, &str), context: &mut Context) -> Result<(), Error> {
    let Some(file) = out.to_str().filter(|_| out.exists()) else { return Ok(()) };
    let Ok(table) = filled(file, label, Reading::default(), context) else { return Ok(()) };
    let count = table.column(label).map_or(0, |column| column.cells.filled());
    if count > 0 && table.column(number).is_some() {
        let problem = format!("has {count} labels that were filled in");
        return Err(Error::input(format!("`{}`", out.display()), problem, "give another file with `--out`"));
    }
    Ok(())
}
