//! What may be typed about pictures and networks.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use juyi_deep::images::Changes;

use super::{ReadingArguments, Surroundings};

/// How pictures are read.
#[derive(Args)]
pub(crate) struct PictureArguments {
    /// What to do about a picture that cannot be read
    #[arg(long, value_enum, default_value_t = Damaged::Refuse)]
    pub(crate) damaged: Damaged,
    /// Folder that keeps the features of pictures for later runs
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Which weights of a checkpoint that holds several: the key of their dictionary, or the begin of their names [default:
    /// those that fit a network, averages last]
    #[arg(long, value_name = "NAME")]
    pub(crate) weights: Option<String>,
    /// Mean of red, green and blue (0 to 1) that a checkpoint's network wants taken off [default: that of the network]
    #[arg(long, value_name = "R,G,B", value_parser = parse_three, requires = "std", allow_negative_numbers = true)]
    pub(crate) mean: Option<[f32; 3]>,
    /// Deviation of red, green and blue that it wants them divided by [default: that of the network]
    #[arg(long, value_name = "R,G,B", value_parser = parse_three, requires = "mean", allow_negative_numbers = true)]
    pub(crate) std: Option<[f32; 3]>,
    /// Side to which pictures are brought before the crop [default: that of the network]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) resize: Option<usize>,
    /// Side of the square about the middle that is looked at [default: that of the network]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) crop: Option<usize>,
    /// Where networks run: cpu, or cuda or wgpu in a build with that feature
    #[arg(long, value_name = "KIND", default_value = "cpu")]
    pub(crate) device: String,
}

impl PictureArguments {
    /// What is asked for in place of a network's own preparation.
    pub(crate) fn changes(&self) -> Changes {
        Changes { mean: self.mean, deviation: self.std, resize: self.resize, crop: self.crop }
    }
}

/// Three numbers between commas.
fn parse_three(text: &str) -> Result<[f32; 3], String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let three = numbers.ok().and_then(|numbers| <[f32; 3]>::try_from(numbers).ok());
    three.ok_or_else(|| format!("`{text}` is not three numbers, such as 0.485,0.456,0.406"))
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Damaged {
    /// End with an error that names it
    Refuse,
    /// Leave it out and say so
    Skip,
}

/// Which head of a network predicts.
#[derive(Args)]
pub(crate) struct HeadArguments {
    /// Head of a tuned network: old is the one that the checkpoint had, which `--regularize ewc` and `lwf` keep, so that
    /// what was forgotten can be measured; its classes are numbers from 0
    #[arg(long, value_enum, default_value_t = HeadChoice::New)]
    pub(crate) head: HeadChoice,
    /// Names of the classes of a checkpoint's head: a name a line, a JSON list, or a JSON object from names to numbers
    /// [default: those in the checkpoint, or of ImageNet for 1,000 classes, or numbers from 0]
    #[arg(long, value_name = "FILE")]
    pub(crate) class_names: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HeadChoice {
    /// The one that was tuned
    New,
    /// The one that came with the checkpoint
    Old,
}

#[derive(Args)]
pub(crate) struct NetworksArguments {
    /// Network to list the stages of
    pub(crate) name: Option<String>,
}

#[derive(Args)]
pub(crate) struct FeaturesArguments {
    /// Folder with a subfolder a class, folder of pictures, or CSV file with a column `path` and perhaps `label`
    pub(crate) photos: PathBuf,
    /// Checkpoint of the network: .pth, .pt or .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) network: PathBuf,
    /// File for the rows: .npz (arrays `X`, `y`, `picture`) or .csv
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) pictures: PictureArguments,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
}

/// How a network is tuned on pictures.
#[derive(Args)]
pub(crate) struct TuneArguments {
    /// With the checkpoint of a network as --source and pictures as --target: what of it is trained; auto, head,
    /// hypercolumns, head2toe, last:N, stages:A-B, all, lp-ft, gradual, layer-wise, surgical, lora:RANK, adapters:WIDTH,
    /// adapters:series, adapters:parallel, prefix:COUNT, ia3, se, eca, cbam or scratch [default: auto]
    #[arg(long, value_name = "WHAT", requires = "target")]
    pub(crate) tune: Option<String>,
    /// Passes over the pictures, where layers are trained [default: 20]
    #[arg(long, value_name = "N", requires = "target", allow_negative_numbers = true)]
    pub(crate) epochs: Option<usize>,
    /// What keeps a network near its checkpoint: l2-sp, delta, bss, co-tuning, ewc or lwf, perhaps with :FACTOR
    #[arg(long, value_name = "NAME", requires = "target")]
    pub(crate) regularize: Option<String>,
    /// Go on with the training in this run folder that was cut off; the command is otherwise the same
    #[arg(long, value_name = "DIR", requires = "target", conflicts_with = "out")]
    pub(crate) resume: Option<PathBuf>,
}
