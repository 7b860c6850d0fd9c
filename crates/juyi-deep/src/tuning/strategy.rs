//! Which parts of a network may be trained.

use std::fmt;
use std::str::FromStr;

use juyi::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::param;

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The best of a few by cross-validation, all on activations that are computed once.
    Auto,
    /// A linear head on frozen features: a convex problem, solved.
    Head,
    /// The same on the means of every stage's channels (Hariharan et al., CVPR 2015).
    Hypercolumns,
    /// The same on those parts of all stages that a group lasso finds useful (Evci et al., ICML 2022).
    HeadToToe,
    /// The head and this many of the last stages.
    Last(usize),
    /// The head and the stages from the first number to the second, counted from 0.
    Stages(usize, usize),
    /// Everything, from a head drawn at random.
    All,
    /// Everything, from the solved head (linear probing, then fine-tuning: Kumar et al., ICLR 2022).
    ProbeFirst,
    /// The head first, then one stage after another from the last to the first (Howard and Ruder, ACL 2018).
    Gradual,
    /// Everything, earlier stages more slowly (discriminative rates of the same).
    LayerWise,
    /// Everything, each stage as fast as its gradient is large beside its weights (Lee et al., ICLR 2023, Auto-RGN).
    Surgical,
    /// The head, and products of two thin matrices of this rank beside all weights (Hu et al., ICLR 2022).
    LowRank(usize),
    /// The head, normalisations, and bottlenecks of this width (Houlsby et al., ICML 2019).
    Adapters(usize),
    /// The head, normalisations, and kernels of one place behind each convolution (Rebuffi et al., `NeurIPS` 2017).
    SeriesAdapters,
    /// The head, normalisations, and kernels of one place beside each convolution (Rebuffi et al., CVPR 2018).
    ParallelAdapters,
    /// The head, and a squeeze-and-excitation gate in each stage (Hu, Shen and Sun, CVPR 2018).
    SqueezeExcite,
    /// The head, and an efficient channel attention in each stage (Wang et al., CVPR 2020).
    ChannelAttention,
    /// The head, and a gate on the channels and one on the places of each stage (Woo et al., ECCV 2018).
    BlockAttention,
    /// The head, and this many keys and values beside those of the tokens in each block (Li and Liang, ACL 2021).
    Prefix(usize),
    /// The head, and factors of keys, values and inner activations (Liu et al., `NeurIPS` 2022).
    Factors,
    /// Everything, from weights drawn at random: no transfer.
    Scratch,
}

/// The strategies as they are typed, and an example where a number belongs to it.
pub const STRATEGIES: [&str; 21] = [
    "auto",
    "head",
    "hypercolumns",
    "head2toe",
    "last:2",
    "stages:3-5",
    "all",
    "lp-ft",
    "gradual",
    "layer-wise",
    "surgical",
    "lora:4",
    "adapters:8",
    "adapters:series",
    "adapters:parallel",
    "se",
    "eca",
    "cbam",
    "prefix:8",
    "ia3",
    "scratch",
];

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Head => f.write_str("head"),
            Self::Hypercolumns => f.write_str("hypercolumns"),
            Self::HeadToToe => f.write_str("head2toe"),
            Self::Last(count) => write!(f, "last:{count}"),
            Self::Stages(first, last) => write!(f, "stages:{first}-{last}"),
            Self::All => f.write_str("all"),
            Self::ProbeFirst => f.write_str("lp-ft"),
            Self::Gradual => f.write_str("gradual"),
            Self::LayerWise => f.write_str("layer-wise"),
            Self::Surgical => f.write_str("surgical"),
            Self::LowRank(rank) => write!(f, "lora:{rank}"),
            Self::Adapters(width) => write!(f, "adapters:{width}"),
            Self::SeriesAdapters => f.write_str("adapters:series"),
            Self::ParallelAdapters => f.write_str("adapters:parallel"),
            Self::SqueezeExcite => f.write_str("se"),
            Self::ChannelAttention => f.write_str("eca"),
            Self::BlockAttention => f.write_str("cbam"),
            Self::Prefix(count) => write!(f, "prefix:{count}"),
            Self::Factors => f.write_str("ia3"),
            Self::Scratch => f.write_str("scratch"),
        }
    }
}

impl FromStr for Strategy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, number) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let refuse = || param("‹tune›", format!("one of {}", STRATEGIES.join(", ")), text);
        let count = |usual: usize| match number {
            None => Ok(usual),
            Some(text) => text.parse().ok().filter(|&count| count > 0).ok_or_else(refuse),
        };
        let plain = match name {
            "auto" => Self::Auto,
            "head" => Self::Head,
            "hypercolumns" => Self::Hypercolumns,
            "head2toe" => Self::HeadToToe,
            "all" => Self::All,
            "lp-ft" => Self::ProbeFirst,
            "gradual" => Self::Gradual,
            "layer-wise" => Self::LayerWise,
            "surgical" => Self::Surgical,
            "se" => Self::SqueezeExcite,
            "eca" => Self::ChannelAttention,
            "cbam" => Self::BlockAttention,
            "ia3" => Self::Factors,
            "scratch" => Self::Scratch,
            "last" => return Ok(Self::Last(count(1)?)),
            "lora" => return Ok(Self::LowRank(count(4)?)),
            "adapters" => {
                return Ok(match number {
                    Some("series") => Self::SeriesAdapters,
                    Some("parallel") => Self::ParallelAdapters,
                    _ => Self::Adapters(count(8)?),
                });
            }
            "prefix" => return Ok(Self::Prefix(count(8)?)),
            "stages" => {
                let ends = number.and_then(|text| text.split_once('-')).ok_or_else(refuse)?;
                let (Ok(first), Ok(last)) = (ends.0.parse(), ends.1.parse()) else { return Err(refuse()) };
                return if first <= last { Ok(Self::Stages(first, last)) } else { Err(refuse()) };
            }
            _ => return Err(refuse()),
        };
        if number.is_some() { Err(refuse()) } else { Ok(plain) }
    }
}

impl Strategy {
    /// Whether only a linear head is learnt, on activations of the network as it is.
    pub fn is_convex(self) -> bool {
        matches!(self, Self::Head | Self::Hypercolumns | Self::HeadToToe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for text in STRATEGIES {
            assert_eq!(text.parse::<Strategy>().unwrap().to_string(), text);
        }
        for bad in ["", "last:0", "last:x", "head:2", "stages:5-3", "stages:2", "heads"] {
            assert!(bad.parse::<Strategy>().is_err(), "{bad}");
        }
    }
}
