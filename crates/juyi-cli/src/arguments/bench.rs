//! What may be typed for `juyi bench`.

use std::path::{Path, PathBuf};

use clap::Args;
use juyi::sweeps::{Part, TableFormat};

#[cfg(feature = "deep")]
use super::PictureArguments;
use super::{Figure, Surroundings};

#[derive(Args)]
pub(crate) struct BenchArguments {
    /// Table: office-caltech-surf, office-caltech-draws, office-caltech-images, office-caltech-tuning, digits-jda,
    /// amazon-reviews, or choice: the choice on tasks whose answer is known, --data being their folder
    #[arg(requires = "data", required_unless_present_any = ["tasks", "join"], conflicts_with = "join")]
    pub(crate) table: Option<String>,
    /// Root of the data folders of the table
    #[arg(long, value_name = "DIR", requires = "table")]
    data: Option<PathBuf>,
    /// For a table: only this method; one without a published line runs with its defaults
    #[arg(long, value_name = "NAME")]
    pub(crate) method: Option<String>,
    /// Without a table: the file of your own tasks (`docs/your-own-tasks.md` tells what stands in it). For choice: only these
    /// tasks, groups or families
    #[arg(long, value_name = "FILE|NAME,...", value_delimiter = ',', conflicts_with = "join")]
    pub(crate) tasks: Vec<String>,
    #[command(flatten)]
    pub(crate) sweep: SweepArguments,
    /// For choice: fit on half of each target too, and predict the other half
    #[arg(long)]
    pub(crate) halves: bool,
    /// For choice: write the constants of the estimates as these tasks have them, as choice/calibration.json holds them
    #[arg(long, value_name = "FILE")]
    pub(crate) calibrate: Option<PathBuf>,
    /// For a table: print one JSON object a row
    #[arg(long)]
    pub(crate) json: bool,
    /// Labelled photographs a class of office-caltech-tuning [default: 5, 10 and 20]
    #[cfg(feature = "deep")]
    #[arg(long, value_name = "N")]
    pub(crate) labelled: Option<usize>,
    /// Draws of the labelled photographs of office-caltech-tuning
    #[cfg(feature = "deep")]
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) draws: usize,
    /// Checkpoint of the network for a table of pictures
    #[cfg(feature = "deep")]
    #[arg(long, value_name = "FILE")]
    pub(crate) network: Option<PathBuf>,
    #[cfg(feature = "deep")]
    #[command(flatten)]
    pub(crate) pictures: PictureArguments,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}

impl BenchArguments {
    /// The root of the data folders.
    pub(crate) fn data(&self) -> &Path {
        self.data.as_deref().unwrap_or(Path::new(".")) // a table requires it
    }
}

/// What may be typed for tasks of one's own.
#[derive(Args)]
pub(crate) struct SweepArguments {
    /// For your own tasks: methods, perhaps with parameters as in `coral(regularization=0.1)`; p-values are against the first
    /// [default: none,auto]
    #[arg(long, value_name = "NAME,...", requires = "tasks", conflicts_with = "table")]
    pub(crate) methods: Vec<String>,
    /// For your own tasks: learners, perhaps with parameters as in `svm(cost=10)`, each with every method that trains one
    /// [default: the method's own]
    #[arg(long, value_name = "NAME,...", requires = "tasks", conflicts_with = "table")]
    pub(crate) learners: Vec<String>,
    /// For your own tasks: seeds of the runs [default: --seed]
    #[arg(long, value_name = "N,...", value_delimiter = ',', requires = "tasks", conflicts_with_all = ["table", "seed"])]
    pub(crate) seeds: Vec<u64>,
    /// For your own tasks: what is compared, as in `juyi transfer` [default: accuracy; R² of numbers]
    #[arg(long, value_name = "FIGURE", requires = "tasks", conflicts_with = "table")]
    pub(crate) figure: Option<Figure>,
    /// For your own tasks: how the table is written, md, csv or latex [default: md]
    #[arg(long, value_name = "FORMAT", value_parser = parse_format, conflicts_with_all = ["table", "part"])]
    pub(crate) format: Option<TableFormat>,
    /// For your own tasks: file for the table [default: standard output]
    #[arg(long, value_name = "FILE", conflicts_with = "table")]
    pub(crate) out: Option<PathBuf>,
    /// For your own tasks: run only the second of four parts, say, and write what it came to for --join
    #[arg(long, value_name = "2/4", requires = "tasks", conflicts_with = "table")]
    pub(crate) part: Option<Part>,
    /// Files of all parts, from which the table is made
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) join: Vec<PathBuf>,
}

fn parse_format(text: &str) -> Result<TableFormat, String> {
    let found = TableFormat::NAMES.into_iter().find(|(name, _)| *name == text);
    found.map(|(_, format)| format).ok_or_else(|| {
        let names = TableFormat::NAMES.map(|(name, _)| format!("`{name}`"));
        format!("give {}", names.join(" or "))
    })
}
