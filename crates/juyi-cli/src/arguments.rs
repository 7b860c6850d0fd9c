//! What may be typed.

pub(crate) mod bench;
mod judge;
mod kinds;
mod label;
mod params;
#[cfg(feature = "deep")]
pub(crate) mod pictures;
mod rank;
mod reading;
mod shift;
mod surroundings;
pub(crate) mod unused;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use bench::BenchArguments;
pub(crate) use judge::JudgeArguments;
use kinds::seconds;
pub(crate) use kinds::{Assume, Figure, Missing, Predictions, TargetLabels, Task, Vote};
pub(crate) use label::LabelArguments;
pub(crate) use params::params;
#[cfg(feature = "deep")]
pub(crate) use pictures::{Damaged, FeaturesArguments, NetworksArguments, PictureArguments, TuneArguments};
pub(crate) use rank::RankArguments;
use reading::ReadingArguments;
pub(crate) use shift::{DataCommand, ShiftArguments, ShiftKind};
pub(crate) use surroundings::Surroundings;
use unused::Given;

/// Transfer learning: carry labelled knowledge over to a new domain, and say whether it helped.
#[derive(Parser)]
#[command(name = "juyi", version, about, max_term_width = 110, after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Printed below the commands.
const EXIT_STATUS: &str = "Exit status: 0 done; 1 a \"no\" (--strict, or a published number or a run of `bench --tasks` that \
    fails); 2 an error; 130, 143, 129 ended by Ctrl-C, SIGTERM, a closed terminal";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Learn from labelled source tables, predict an unlabelled target table, compare with not transferring
    ///
    /// Without --source and --target it runs on built-in digits.
    Transfer(Box<TransferArguments>),
    /// Measure how far apart two tables are, and which columns moved
    ///
    /// Without --source and --target it measures the built-in digits.
    Measure(MeasureArguments),
    /// Judge a model of any origin by what it says of a target table: whether it helps, and how much it gets right
    Judge(Box<JudgeArguments>),
    /// Rank networks, or tables of features, by how well they suit labelled samples, without training on them
    Rank(Box<RankArguments>),
    /// Predict more rows with the model of an earlier run
    Predict(PredictArguments),
    /// Write the target rows whose labels would tell most, as a table to fill in
    Label(LabelArguments),
    /// Write the page of an earlier run again
    Report(ReportArguments),
    /// List the methods, or tell all about one
    Methods(MethodsArguments),
    /// List the networks of pictures, or the stages of one
    #[cfg(feature = "deep")]
    Networks(NetworksArguments),
    /// Turn pictures into rows of features by a pretrained network
    #[cfg(feature = "deep")]
    Features(FeaturesArguments),
    /// Run a published table again and compare, or your own tasks with several methods and seeds
    Bench(Box<BenchArguments>),
    /// Make data to try methods on
    #[command(subcommand)]
    Data(DataCommand),
    /// Print the licences of the libraries that are part of this program
    Notices,
    /// Print a shell's completions of this command
    ///
    /// For bash: juyi completions bash > ~/.local/share/bash-completion/completions/juyi
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page of this command, or of one of its commands
    ///
    /// To read it: juyi man transfer | man -l -
    Man {
        /// transfer, measure, …
        command: Option<String>,
    },
}

impl Arguments {
    /// What was typed.
    ///
    /// # Errors
    /// What is wrong with it, or help that was asked for.
    pub(crate) fn typed() -> Result<Self, clap::Error> {
        let mut all = Self::command();
        let matches = all.try_get_matches_from_mut(std::env::args_os())?;
        let mut own = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut all))?;
        let surroundings = match &mut own.command {
            Command::Transfer(own) => Some(&mut own.surroundings),
            Command::Measure(own) => Some(&mut own.surroundings),
            Command::Judge(own) => Some(&mut own.surroundings),
            Command::Rank(own) => Some(&mut own.surroundings),
            Command::Predict(own) => Some(&mut own.surroundings),
            Command::Label(own) => Some(&mut own.surroundings),
            Command::Bench(own) => Some(&mut own.surroundings),
            #[cfg(feature = "deep")]
            Command::Features(own) => Some(&mut own.surroundings),
            _ => None,
        };
        if let Some(surroundings) = surroundings {
            surroundings.given = Given::of(&all, &matches);
        }
        Ok(own)
    }
}

#[derive(Args)]
pub(crate) struct TablesArguments {
    /// Labelled table: .csv, .tsv, .parquet, .xlsx (file.xlsx:Sheet), .svmlight, .mat or .npz (file.npz:X,y names the arrays), X.npy:y.npy, or
    /// the idx files of MNIST (images:labels), or - for standard input; for transfer also a run folder or model file, whose
    /// rows are not needed; or the checkpoint of a network (.pth, .pt, .safetensors), to be tuned on the pictures of the target; may be repeated
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) source: Vec<String>,
    /// Table to predict, in the same formats
    #[arg(long, value_name = "FILE", requires = "source")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Column to predict
    #[arg(long, value_name = "NAME")]
    pub(crate) label: Option<String>,
    /// What to do about missing cells [default: error, or what the source's model does]
    #[arg(long, value_enum)]
    pub(crate) missing: Option<Missing>,
    /// Column to leave out; may be repeated
    #[arg(long, value_name = "COL")]
    pub(crate) drop: Vec<String>,
    /// Column that identifies a row: no feature, carried to the predictions; may be repeated
    #[arg(long, value_name = "COL")]
    pub(crate) id: Vec<String>,
    /// Checkpoint of a network that turns pictures into rows (`juyi networks` lists them); sources and target are then
    /// folders with a subfolder a class, or CSV files with a column `path` and perhaps `label`
    #[cfg(feature = "deep")]
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) network: Option<PathBuf>,
    #[cfg(feature = "deep")]
    #[command(flatten)]
    pub(crate) pictures: PictureArguments,
}

#[derive(Args)]
pub(crate) struct SingleArguments {
    /// Write the best single model instead of the vote of several
    #[arg(long)]
    pub(crate) single: bool,
    /// What orders single models where no labelled target rows judge (`juyi methods` lists validators) [default: agreement]
    #[arg(long, value_name = "NAME", requires = "single")]
    pub(crate) validator: Option<String>,
    /// What gives those that vote their weights: the skill of their learners, or importance-weighted aggregation, by which the
    /// vote comes nearest to the target's labels where only the rows moved [default: skill]
    #[arg(long, value_name = "BY", conflicts_with = "single")]
    pub(crate) vote: Option<Vote>,
}

#[derive(Args)]
pub(crate) struct TransferArguments {
    #[command(flatten)]
    pub(crate) tables: TablesArguments,
    /// Method (`juyi methods` lists them), or auto: compare them all and say whether to transfer
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub(crate) method: String,
    /// How the target's columns lie to the source's, where you know it: in the same units, each rescaled, or mixed as by
    /// another sensor [default: what the rows tell]
    #[arg(long, value_name = "READING")]
    pub(crate) assume: Option<Assume>,
    #[command(flatten)]
    pub(crate) alone: SingleArguments,
    /// What labelled target rows judge by, and what is compared after the fit: of classes accuracy, balanced (accuracy, all
    /// classes alike), f1 (macro average) or auc (each class against the rest), of numbers rmse or mae [default: accuracy, or
    /// balanced where a class is rare; R² of numbers]
    #[arg(long, value_name = "FIGURE")]
    pub(crate) figure: Option<Figure>,
    /// Seconds within which auto begins to fit candidates, cheap ones first; the learners that do not transfer are always
    /// fitted, and what is written is fitted after it. Runs with the same seed are the same as long as the time is enough for
    /// all; where it is not, a warning names those that were left out [default: no bound]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) budget: Option<Duration>,
    /// Exit 1 unless the verdict is `transfer`; with a named method, judge it too
    #[arg(long)]
    pub(crate) strict: bool,
    /// The method's parameters, or the settings of a training; may be repeated
    #[arg(long, value_name = "KEY=VALUE[,…]")]
    pub(crate) set: Vec<String>,
    /// Learner (`juyi methods` lists them) [default: the method's own]
    #[arg(long, value_name = "NAME")]
    pub(crate) learner: Option<String>,
    /// Parameters of the learner (`juyi methods svm` lists them); may be repeated
    #[arg(long, value_name = "KEY=VALUE[,…]", requires = "learner")]
    pub(crate) learner_set: Vec<String>,
    /// Preprocessing in order: none, l1, l2 (rows), standardize (columns, by the source's statistics on both sides),
    /// standardize-each (columns, each domain by its own)
    #[arg(long, value_name = "STEP[,…]", default_value = "standardize")]
    pub(crate) preprocess: String,
    /// What labels in the target are for: scoring after the fit only, or to learn from (those that are filled)
    /// [default: score]
    #[arg(long, value_enum)]
    pub(crate) target_labels: Option<TargetLabels>,
    /// Labels of target rows, in a table that `juyi label` wrote and that was filled in; may be repeated
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) labels: Vec<String>,
    /// Kind of label [default: read off the labels]
    #[arg(long, value_enum)]
    pub(crate) task: Option<Task>,
    /// Folder for report.html, run.json, model.safetensors and the predictions
    #[arg(long, value_name = "DIR", default_value = "run")]
    pub(crate) out: PathBuf,
    /// Format of the predictions: predictions.csv or predictions.parquet
    #[arg(long, value_enum, default_value_t = Predictions::Csv)]
    pub(crate) predictions: Predictions,
    /// File for the weight of each source row in the learner's eyes, Parquet if it ends in .parquet, else CSV; for methods
    /// that weigh rows
    #[arg(long, value_name = "FILE")]
    pub(crate) save_weights: Option<PathBuf>,
    /// Print the record of the run as JSON instead of the four steps
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub(crate) quiet: bool,
    #[cfg(feature = "deep")]
    #[command(flatten)]
    pub(crate) tuning: TuneArguments,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}

#[derive(Args)]
pub(crate) struct MeasureArguments {
    #[command(flatten)]
    pub(crate) tables: TablesArguments,
    /// Measure to take of the rows as a whole (`juyi methods` lists them) [default: those of each run]
    #[arg(long, value_name = "MEASURE")]
    pub(crate) by: Option<String>,
    /// Parameter of the measure
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Columns to list, those that moved most [default: 20]
    #[arg(long, value_name = "N", default_value_t = 20, hide_default_value = true)]
    pub(crate) columns: usize,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}

#[derive(Args)]
pub(crate) struct PredictArguments {
    /// Run folder, model file, or the checkpoint of a network with its own head
    pub(crate) model: PathBuf,
    /// Table to predict, or - for standard input; pictures (a folder, a table of paths, or one) for a network
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Column with the truth, to score the predictions; pictures are scored by the names of their folders
    #[arg(long, value_name = "NAME")]
    pub(crate) label: Option<String>,
    /// What to do about missing cells; means are those of the source [default: what the model did at its fit]
    #[arg(long, value_enum)]
    pub(crate) missing: Option<Missing>,
    /// File for the predictions, Parquet if it ends in .parquet, else CSV [default: CSV to standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[cfg(feature = "deep")]
    #[command(flatten)]
    pub(crate) head: pictures::HeadArguments,
    #[cfg(feature = "deep")]
    #[command(flatten)]
    pub(crate) pictures: PictureArguments,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}

#[derive(Args)]
pub(crate) struct ReportArguments {
    /// Run folder: its run.json is read, its report.html is written
    pub(crate) run: PathBuf,
}

#[derive(Args)]
pub(crate) struct MethodsArguments {
    /// Method or learner to tell all about
    pub(crate) name: Option<String>,
    /// Print the families with links to their methods' pages, in Markdown
    #[arg(long, conflicts_with = "name")]
    pub(crate) markdown: bool,
    /// Print the methods in groups: by scenario, object (what is carried over), strategy or task
    #[arg(long, value_name = "WORD", conflicts_with_all = ["name", "markdown"])]
    pub(crate) by: Option<String>,
    /// Write a Markdown page for each method, and their four classifications, to this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "markdown", "by"])]
    pub(crate) pages: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Arguments::command().debug_assert();
    }

    /// Messages name settings by the names of the flags.
    #[cfg(feature = "deep")]
    #[test]
    fn each_setting_that_a_message_names_is_a_flag() {
        fn flags(command: &clap::Command) -> Vec<String> {
            let own = command.get_arguments().filter_map(|flag| flag.get_long().map(str::to_string));
            own.chain(command.get_subcommands().flat_map(flags)).collect()
        }
        let flags = flags(&Arguments::command());
        for setting in juyi::setting::Setting::ALL {
            assert!(flags.iter().any(|flag| flag == setting.name()), "--{}", setting.name());
        }
    }
}
