//! `juyi predict`.

use std::io::Write;
use std::process::ExitCode;

use juyi::data::read_table;
use juyi::models::{Model, write_whole};
use juyi::report::{predictions_csv, score_text, thousands};
use juyi::transfer::predict_table;

use crate::arguments::PredictArguments;
use crate::print;

pub(crate) fn run(arguments: &PredictArguments) -> anyhow::Result<ExitCode> {
    let mut context = arguments.surroundings.context()?;
    let model = Model::load(&arguments.model)?;
    let mut as_text = model.encoding.as_ref().map(juyi::data::Encoding::text_columns).unwrap_or_default();
    as_text.extend(arguments.label.clone());
    let table = read_table(&arguments.table, arguments.label.as_deref(), &as_text, context.memory())?;
    let (predictions, scores) = predict_table(&model, table, arguments.label.as_deref(), &mut context)?;
    let csv = predictions_csv(&predictions, &model.goal)?;
    let mut talk = String::new();
    for notice in context.notices() {
        talk += &format!("note: {}: {}\n", notice.from, notice.text);
    }
    if let Some(scores) = scores {
        talk += &format!("{}\n", score_text(&scores));
    } else if let Some(label) = &arguments.label {
        talk += &format!("note: column `{label}` is empty, nothing is scored\n");
    }
    match &arguments.out {
        Some(file) => {
            write_whole(file, &csv)?;
            print(&format!(
                "{talk}{} predictions written to {}\n",
                thousands(predictions.rows.len()),
                file.display()
            ))?;
        }
        None => {
            std::io::stderr().write_all(talk.as_bytes())?;
            print(&String::from_utf8_lossy(&csv))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
