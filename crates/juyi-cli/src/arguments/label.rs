//! What may be typed after `juyi label`.

use std::path::PathBuf;

use clap::Args;

use super::Surroundings;
use super::reading::ReadingArguments;

#[derive(Args)]
pub(crate) struct LabelArguments {
    /// Run folder
    pub(crate) run: PathBuf,
    /// Table with the rows [default: the target of the run]
    pub(crate) table: Option<String>,
    /// How many rows to write
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) count: usize,
    /// File for the rows, CSV
    #[arg(long, value_name = "FILE", default_value = "label.csv")]
    pub(crate) out: PathBuf,
    /// Labels that were filled in before, whose rows are left alone; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Vec<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}
