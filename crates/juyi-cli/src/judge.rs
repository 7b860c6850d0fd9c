//! `juyi judge`.

use std::path::PathBuf;
use std::process::ExitCode;

use juyi::choice::Verdict;
use juyi::context::Context;
use juyi::data::{Reading, Table, read_table};
use juyi::error::Result;
use juyi::files::write_whole;
use juyi::report::folder::check_output;
use juyi::report::{html, text};
use juyi::setting::Setting;
use juyi::transfer::{Given, Settings, judge_predictions};

use crate::arguments::{Assume, Figure, JudgeArguments, Task};
use crate::results::{command, peak_memory};
use crate::sources::inputs;
use crate::terminal::{hand_over, say};
use crate::transfer::{data_settings, tables, work};

pub(crate) fn run(arguments: &JudgeArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    arguments.surroundings.given.refuse_unused(work(&arguments.tables))?;
    let predictions = || arguments.source_predictions.iter().chain([&arguments.target_predictions]);
    if let Some(file) = &arguments.report {
        let mut inputs = inputs(&arguments.tables);
        inputs.extend(predictions().map(PathBuf::from));
        check_output(file, Setting::Report, inputs.iter().map(PathBuf::as_path))?;
    }
    let (sources, target) = tables(&arguments.tables, context)?;
    let mut read = |file: &String| -> Result<Table> {
        // Classes are read as they are written.
        let as_text = vec!["prediction".to_string()];
        read_table(file, &Reading { as_text, ..arguments.tables.reading.reading() }, context)
    };
    let given = Given {
        source: arguments.source_predictions.as_ref().map(&mut read).transpose()?,
        target: read(&arguments.target_predictions)?,
    };
    let data = data_settings(&arguments.tables);
    let settings = Settings {
        task: arguments.task.map(Task::of_library).or(data.task),
        assume: arguments.assume.map(Assume::of_library),
        figure: arguments.figure.map(Figure::of_library),
        budget: arguments.budget,
        ..data
    };
    let mut run = judge_predictions(sources, target, &given, &settings, context)?;
    run.command = command();
    run.peak_memory = peak_memory();
    if let Some(file) = &arguments.report {
        write_whole(file, html(&run).as_bytes())?;
    }
    if arguments.json {
        hand_over(&(serde_json::to_string_pretty(&run)? + "\n"))?;
    } else if !arguments.quiet {
        let written = arguments.report.as_ref();
        let written = written.map_or_else(String::new, |file| format!("written       {}\n", file.display()));
        say(&(text(&run) + &written))?;
    }
    let no = run.select.is_some_and(|choice| choice.verdict != Verdict::Transfer);
    Ok(ExitCode::from(u8::from(arguments.strict && no)))
}
