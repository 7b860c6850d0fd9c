//! `juyi predict`.

use std::io::Write;
use std::process::ExitCode;

use juyi::data::read_table;
use juyi::models::{Model, write_whole};
use juyi::report::{predictions_csv, predictions_parquet, score_text, thousands};
use juyi::transfer::predict_table;

use crate::arguments::PredictArguments;
use crate::print;
use crate::progress::writing;

pub(crate) fn run(arguments: &PredictArguments) -> anyhow::Result<ExitCode> {
    let mut context = arguments.surroundings.context()?;
    let model = Model::load(&arguments.model)?;
    let mut as_text = model.encoding.as_ref().map(juyi::data::Encoding::text_columns).unwrap_or_default();
    as_text.extend(arguments.label.clone());
    let table = read_table(&arguments.table, arguments.label.as_deref(), &as_text, &context)?;
    let (predictions, scores) = predict_table(&model, table, arguments.label.as_deref(), &mut context)?;
    let ending = arguments.out.as_ref().and_then(|file| file.extension());
    let bytes = if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
        predictions_parquet(&predictions, &model.goal)?
    } else {
        predictions_csv(&predictions, &model.goal)?
    };
    let mut talk: Vec<String> =
        context.notices().iter().map(|notice| format!("note: {}: {}\n", notice.from, notice.text)).collect();
    if let Some(scores) = scores {
        talk.push(score_text(&scores) + "\n");
    } else if let Some(label) = &arguments.label {
        talk.push(format!("note: column `{label}` is empty, nothing is scored\n"));
    }
    let talk = talk.concat();
    if let Some(file) = &arguments.out {
        let writing = writing();
        write_whole(file, &bytes)?;
        drop(writing);
        let count = thousands(predictions.rows.len());
        print(&format!("{talk}{count} predictions written to {}\n", file.display()))?;
    } else {
        std::io::stderr().write_all(talk.as_bytes())?;
        print(&String::from_utf8_lossy(&bytes))?;
    }
    Ok(ExitCode::SUCCESS)
}
