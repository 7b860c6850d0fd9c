//! What may be typed behind `juyi data`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Surroundings, Task};

#[derive(Subcommand)]
pub(crate) enum DataCommand {
    /// Draw two tables that differ in one known way, and write the answer beside them
    ///
    /// Writes source.csv, target.csv and answer.json: the true weights, shares, map or directions. The label is `y`.
    Shift(ShiftArguments),
}

#[derive(Args)]
pub(crate) struct ShiftArguments {
    /// What differs
    #[arg(value_enum)]
    pub(crate) kind: ShiftKind,
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Source rows
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 500)]
    pub(crate) rows: usize,
    /// Target rows [default: as many as source rows]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) target_rows: Option<usize>,
    /// Feature columns, 3 or more
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 4)]
    pub(crate) columns: usize,
    /// Classes
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 2)]
    pub(crate) classes: usize,
    /// Kind of label: regression draws numbers
    #[arg(long, value_enum, default_value_t = Task::Classification)]
    pub(crate) task: Task,
    /// How far the tables are apart: 0 not at all, 1 clearly, at most 10
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) strength: f64,
    /// Deviation of the noise in the rule of the labels
    #[arg(long, value_name = "X", default_value_t = 0.3, allow_negative_numbers = true)]
    pub(crate) noise: f64,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ShiftKind {
    /// Rows drawn elsewhere, the same rule from row to label
    Covariate,
    /// Other shares of the same classes
    Label,
    /// All rows through one affine map, labels with them
    Conditional,
    /// Some directions agree, the others say the opposite
    Subspace,
}
