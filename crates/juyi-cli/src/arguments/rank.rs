//! What may be typed for `juyi rank`.

#[cfg(feature = "deep")]
use std::path::PathBuf;

use clap::Args;

#[cfg(feature = "deep")]
use super::PictureArguments;
use super::{Missing, ReadingArguments, Surroundings};

#[derive(Args)]
pub(crate) struct RankArguments {
    /// Pictures to rank networks by: a folder with a subfolder a class, or a CSV file with columns `path` and `label`
    #[cfg(feature = "deep")]
    #[arg(requires = "networks", conflicts_with = "features")]
    pub(crate) photos: Option<PathBuf>,
    /// Checkpoints of networks to rank: .pth, .pt or .safetensors
    #[cfg(feature = "deep")]
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "photos")]
    pub(crate) networks: Vec<PathBuf>,
    /// Tables of features to rank, of the same samples in the same order, as `juyi features` writes them or others
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) features: Vec<String>,
    /// Column of the classes [default: label, or what the format says]
    #[arg(long, value_name = "NAME", requires = "features")]
    pub(crate) label: Option<String>,
    /// Column to leave out; may be repeated
    #[arg(long, value_name = "COL", requires = "features")]
    pub(crate) drop: Vec<String>,
    /// What to do about missing cells [default: error]
    #[arg(long, value_enum, requires = "features")]
    pub(crate) missing: Option<Missing>,
    /// Score to rank by, perhaps with parameters as in `h-score(shrinkage=false)` (`juyi methods` lists them); more are shown
    /// beside it [default: all that can be told]
    #[arg(long, value_name = "SCORE")]
    pub(crate) by: Vec<String>,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[cfg(feature = "deep")]
    #[command(flatten)]
    pub(crate) pictures: PictureArguments,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}
