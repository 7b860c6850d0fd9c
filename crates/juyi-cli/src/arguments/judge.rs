//! What may be typed for `juyi judge`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::kinds::seconds;
use super::{Assume, Figure, Surroundings, TablesArguments, Task};

#[derive(Args)]
pub(crate) struct JudgeArguments {
    #[command(flatten)]
    pub(crate) tables: TablesArguments,
    /// What the model says of each target row, in the same formats and the order of the rows: a column for each class with its
    /// probability, named by the class, or a column `prediction`; columns of an array are the sorted classes
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) target_predictions: String,
    /// The same of each source row, those of one source after another; of rows that the model did not learn from, as
    /// cross-validation gives them
    #[arg(long, value_name = "FILE")]
    pub(crate) source_predictions: Option<String>,
    /// How the target's columns lie to the source's, where you know it: in the same units, each rescaled, or mixed as by
    /// another sensor [default: what the rows tell]
    #[arg(long, value_name = "READING")]
    pub(crate) assume: Option<Assume>,
    /// What is compared where labels in the target score: of classes accuracy, balanced, f1 or auc, of numbers rmse or mae
    /// [default: accuracy; R² of numbers]
    #[arg(long, value_name = "FIGURE")]
    pub(crate) figure: Option<Figure>,
    /// Seconds within which methods to compare with are begun, cheap ones first [default: no bound]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) budget: Option<Duration>,
    /// Kind of label [default: read off the labels]
    #[arg(long, value_enum)]
    pub(crate) task: Option<Task>,
    /// Exit 1 unless the verdict is `transfer`: the model is better than not transferring
    #[arg(long)]
    pub(crate) strict: bool,
    /// File for the page with all that was found
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Print the record as JSON instead of the steps
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}
