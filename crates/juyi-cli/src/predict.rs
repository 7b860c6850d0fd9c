//! `juyi predict`.

use std::io::Write;
use std::process::ExitCode;

use juyi::data::read_table;
use juyi::models::{Model, write_whole};
use juyi::report::{predictions_csv, predictions_parquet, score_text, thousands};
use juyi::transfer::predict_table;

use crate::arguments::PredictArguments;
use crate::progress::writing;
use crate::{notes, print};

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
    let scored = match (scores, &arguments.label) {
        (Some(scores), _) => score_text(&scores) + "\n",
        (None, Some(label)) => format!("note: column `{label}` is empty, nothing is scored\n"),
        (None, None) => String::new(),
    };
    let talk = notes(&context) + &scored;
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
