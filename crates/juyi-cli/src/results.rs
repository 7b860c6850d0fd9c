//! What a run leaves behind beside what it has learnt: the predictions, and how it was made.

use std::path::Path;

use juyi::context::Context;
use juyi::data::Goal;
use juyi::error::Result;
use juyi::report::folder::PREDICTIONS;
use juyi::report::{SourceWeights, predictions_csv, predictions_parquet, weights_csv, weights_parquet};

use crate::arguments::Predictions;

/// What the file for the predictions is called in a run folder.
pub(crate) fn predictions_name(format: Predictions) -> &'static str {
    match format {
        Predictions::Csv => PREDICTIONS[0],
        Predictions::Parquet => PREDICTIONS[1],
    }
}

/// What goes into it.
pub(crate) fn predictions_file(
    format: Predictions,
    answers: &juyi::report::Predictions,
    goal: &Goal,
    context: &Context,
) -> Result<Vec<u8>> {
    match format {
        Predictions::Csv => predictions_csv(answers, goal, context),
        Predictions::Parquet => predictions_parquet(answers, goal, context),
    }
}

/// What goes into the file for the weights of the source rows.
pub(crate) fn weights_file(path: &Path, weights: &SourceWeights, context: &Context) -> Result<Vec<u8>> {
    if is_parquet(path) { weights_parquet(weights, context) } else { weights_csv(weights, context) }
}

/// Whether a file is to be Parquet, by its ending.
pub(crate) fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
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
