//! `juyi predict`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use juyi::context::Context;
use juyi::data::{Encoding, Goal, Reading, check_renamed, read_table, table_files};
use juyi::files::write_whole;
use juyi::report::folder::{check_output, load_model};
use juyi::report::{Predictions, predictions_csv, predictions_parquet, score_text, thousands};
use juyi::setting::Setting;
use juyi::transfer::predict_table;

use crate::arguments::PredictArguments;
use crate::arguments::unused::Work;
use crate::results::is_parquet;
use crate::signals::writing;
use crate::terminal::{hand_over, notes, say_aside, say_of};

pub(crate) fn run(arguments: &PredictArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    let table = Path::new(&arguments.table);
    if let Some(out) = &arguments.out {
        let files = table_files(&arguments.table);
        check_output(
            out,
            Setting::Out,
            [table, &arguments.model].into_iter().chain(files.iter().map(PathBuf::as_path)),
        )?;
    }
    #[cfg(feature = "deep")]
    if let Some(network) = crate::classify::classifier(&arguments.model, table)? {
        arguments.surroundings.given.refuse_unused(Work::Classes)?;
        let (predictions, goal, scores) = crate::classify::predict(arguments, &network, context)?;
        let scored = scores.map_or_else(String::new, |scores| score_text(&scores) + "\n");
        return write(arguments, &predictions, &goal, &(notes(context) + &scored), context);
    }
    arguments.surroundings.given.refuse_unused(Work::Tables)?;
    let mut model = load_model(&arguments.model, context)?;
    if let (Some(missing), Some(encoding)) = (arguments.missing, &mut model.encoding) {
        encoding.missing = missing.of_library();
    }
    let mut as_text = model.encoding.as_ref().map(Encoding::text_columns).unwrap_or_default();
    as_text.extend(arguments.label.clone());
    let label = arguments.label.as_deref();
    let id = model.encoding.as_ref().map(|encoding| encoding.id.clone()).unwrap_or_default();
    let needed = model.encoding.as_ref().map(Encoding::needed);
    let only = needed.map(|needed| needed.into_iter().chain(arguments.label.clone()).collect());
    let mut reading =
        Reading { label: arguments.label.clone(), as_text, only, id, ..arguments.reading.reading() };
    model.encoding.iter().for_each(|encoding| encoding.add_words_to(&mut reading));
    let table = read_table(&arguments.table, &reading, context)?;
    check_renamed(&reading, std::iter::once(&table))?;
    let (predictions, scores) = predict_table(&model, table, label, context)?;
    let scored = match (scores, &arguments.label) {
        (Some(scores), _) => score_text(&scores) + "\n",
        (None, Some(label)) => format!("note: column `{label}` is empty, nothing is scored\n"),
        (None, None) => String::new(),
    };
    write(arguments, &predictions, &model.goal, &(notes(context) + &scored), context)
}

/// The predictions to the file, or to standard output.
fn write(
    arguments: &PredictArguments,
    predictions: &Predictions,
    goal: &Goal,
    talk: &str,
    context: &Context,
) -> anyhow::Result<ExitCode> {
    let bytes = if arguments.out.as_deref().is_some_and(is_parquet) {
        predictions_parquet(predictions, goal, context)?
    } else {
        predictions_csv(predictions, goal, context)?
    };
    if let Some(file) = &arguments.out {
        let writing = writing();
        write_whole(file, &bytes)?;
        drop(writing);
        let count = thousands(predictions.rows.len());
        say_of(file, &format!("{talk}{count} predictions written to {}\n", file.display()))?;
    } else {
        say_aside(talk)?;
        hand_over(&String::from_utf8_lossy(&bytes))?;
    }
    Ok(ExitCode::SUCCESS)
}
