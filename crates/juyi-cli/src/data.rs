//! `juyi data`.

use std::process::ExitCode;

use juyi::data::{Shift, ShiftKind};
use juyi::error::Error;
use juyi::models::write_whole;
use juyi::report::thousands;

use crate::arguments::{self, DataCommand, ShiftArguments};
use crate::signals::writing;
use crate::terminal::say;

pub(crate) fn run(command: &DataCommand) -> anyhow::Result<ExitCode> {
    let DataCommand::Shift(arguments) = command;
    shift(arguments)
}

fn shift(arguments: &ShiftArguments) -> anyhow::Result<ExitCode> {
    let context = arguments.surroundings.context()?;
    let rows = (arguments.rows, arguments.target_rows.unwrap_or(arguments.rows));
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
    let out = &arguments.out;
    let answer = serde_json::to_string_pretty(&drawn.answer)? + "\n";
    let writing = writing();
    std::fs::create_dir_all(out).map_err(|error| Error::io(out, error))?;
    write_whole(&out.join("source.csv"), &drawn.source.to_csv()?)?;
    write_whole(&out.join("target.csv"), &drawn.target.to_csv()?)?;
    write_whole(&out.join("answer.json"), answer.as_bytes())?;
    drop(writing);
    let (folder, columns) = (out.display(), arguments.columns);
    say(&format!(
        "{folder}/source.csv  {} rows, {columns} features, label `y`\n{folder}/target.csv  {} rows\n\
         {folder}/answer.json what there is to find out\n",
        thousands(rows.0),
        thousands(rows.1)
    ))?;
    Ok(ExitCode::SUCCESS)
}
