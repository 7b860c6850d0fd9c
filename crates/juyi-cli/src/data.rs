//! `juyi data`.

use std::process::ExitCode;

use juyi::data::{Shift, ShiftKind};
use juyi::report::folder::{Folder, Kind, TABLES, Training};
use juyi::report::thousands;

use crate::arguments::{self, DataCommand, ShiftArguments};
use crate::print;
use crate::progress::writing;

pub(crate) fn run(command: &DataCommand) -> anyhow::Result<ExitCode> {
    let DataCommand::Shift(arguments) = command;
    shift(arguments)
}

fn shift(arguments: &ShiftArguments) -> anyhow::Result<ExitCode> {
    let context = arguments.surroundings.context()?;
    let rows = (arguments.rows, arguments.target_rows.unwrap_or(arguments.rows));
    let out = &arguments.out;
    let mut folder = Folder::open(out, Kind::Tables, &TABLES, &[], Training::Without)?;
    let regression = matches!(arguments.task, arguments::Task::Regression);
    let drawn = Shift {
        kind: match arguments.kind {
            arguments::ShiftKind::Covariate => ShiftKind::Covariate,
            arguments::ShiftKind::Label => ShiftKind::Label,
            arguments::ShiftKind::Conditional => ShiftKind::Conditional,
            arguments::ShiftKind::Subspace => ShiftKind::Subspace,
        },
        rows,
        columns: arguments.columns,
        classes: (!regression).then_some(arguments.classes),
        strength: arguments.strength,
        noise: arguments.noise,
    }
    .draw(&context)?;
    let answer = serde_json::to_string_pretty(&drawn.answer)? + "\n";
    let [source, target, rest] = TABLES;
    let files =
        [(source, drawn.source.to_csv()?), (target, drawn.target.to_csv()?), (rest, answer.into_bytes())];
    let writing = writing();
    folder.write(&files, None)?;
    drop(writing);
    let (place, columns) = (out.display(), arguments.columns);
    print(&format!(
        "{place}/source.csv  {} rows, {columns} features, label `y`\n{place}/target.csv  {} rows\n\
         {place}/answer.json what there is to find out\n",
        thousands(rows.0),
        thousands(rows.1)
    ))?;
    Ok(ExitCode::SUCCESS)
}
