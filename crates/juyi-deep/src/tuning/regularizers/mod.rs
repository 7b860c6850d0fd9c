//! What is added to the loss so that a network keeps what it knew: a file each.

mod batch_spectral;
mod behaviour;
mod category;
mod elastic;
mod forgetting;
mod prepare;
mod starting_point;
#[cfg(test)]
mod tests;

use burn::tensor::Tensor;
use juyi::error::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::extents::Extent;
use crate::forward::Activation;
use crate::network::Network;
pub(in crate::tuning) use batch_spectral::BatchSpectralShrinkage;
pub(in crate::tuning) use behaviour::Delta;
pub use behaviour::{Attention, Stages};
pub(in crate::tuning) use category::CoTuning;
pub(in crate::tuning) use elastic::ElasticWeights;
pub(in crate::tuning) use forgetting::LearningWithoutForgetting;
pub(in crate::tuning) use prepare::{Known, own_answers, prepare};
pub(in crate::tuning) use starting_point::StartingPoint;

/// A regularizer and how much it counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Regularization {
    /// Which.
    pub kind: Kind,
    /// Its factor; above 0, finite.
    pub strength: f64,
    /// How channels are weighed; of [`Kind::Delta`] alone.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
}

/// The regularizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Weights stay near those of the checkpoint.
    L2Sp,
    /// Maps stay near those of the checkpoint's network, channels that matter most of all.
    Delta,
    /// The smallest singular values of a batch's features shrink.
    Bss,
    /// The checkpoint's own classes are learnt along, in the shares that go with each new class.
    CoTuning,
    /// Weights stay near those of the checkpoint, those that its own answers depend on most of all.
    Ewc,
    /// The checkpoint's own answers stay.
    Lwf,
}

impl Kind {
    /// All, with their names and the factors of their papers.
    pub const ALL: [(&'static str, Self, f64); 6] = [
        ("l2-sp", Self::L2Sp, 0.1),
        ("delta", Self::Delta, 0.01),
        ("bss", Self::Bss, 0.001),
        ("co-tuning", Self::CoTuning, 2.3),
        ("ewc", Self::Ewc, 1000.0),
        ("lwf", Self::Lwf, 1.0),
    ];

    /// As it is typed.
    pub(in crate::tuning) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, own, _)| *own == self).map_or("", |(name, ..)| name)
    }

    /// Whether it takes the place of weight decay for what comes from the checkpoint.
    pub(in crate::tuning) fn replaces_decay(self) -> bool {
        matches!(self, Self::L2Sp | Self::Delta | Self::Ewc)
    }

    /// Whether the head that came with the checkpoint is left beside the new one.
    pub(in crate::tuning) fn keeps_head(self) -> bool {
        matches!(self, Self::Ewc | Self::Lwf)
    }

    /// Whether it takes the head that came with the checkpoint.
    pub(in crate::tuning) fn takes_head(self) -> bool {
        matches!(self, Self::CoTuning | Self::Ewc | Self::Lwf)
    }
}

impl From<Kind> for Regularization {
    /// With the factor of the paper.
    fn from(kind: Kind) -> Self {
        let own = Kind::ALL.into_iter().find(|(_, own, _)| *own == kind);
        let strength = own.map_or(1.0, |(.., strength)| strength);
        Self { kind, strength, attention: (kind == Kind::Delta).then(Attention::default) }
    }
}

impl std::str::FromStr for Regularization {
    type Err = Error;

    /// `l2-sp`, or `l2-sp:0.01` with a factor of its own.
    fn from_str(text: &str) -> Result<Self> {
        let (name, factor) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let refuse = |must: String| {
            let (owner, name) = ("juyi".into(), "‹regularize›".into());
            Err(Error::Param { owner, name, must, got: text.into() })
        };
        let Some((_, kind, usual)) = Kind::ALL.into_iter().find(|(own, ..)| *own == name) else {
            let names: Vec<&str> = Kind::ALL.iter().map(|(name, ..)| *name).collect();
            return refuse(format!("one of {}, perhaps with `:` and a factor", names.join(", ")));
        };
        let strength = factor.map_or(Ok(usual), str::parse);
        match strength {
            Ok(strength) if strength > 0.0 && strength.is_finite() => Ok(Self { strength, ..kind.into() }),
            _ => refuse("a name, or a name, `:` and a finite factor above 0".into()),
        }
    }
}

/// What a network made of some pictures in training.
pub(in crate::tuning) struct Pass<'a> {
    /// The network, its tensors tracked.
    pub(in crate::tuning) network: &'a Network,
    /// What went in, where the training begins.
    pub(in crate::tuning) inputs: &'a [f32],
    /// Its extent, for one picture.
    pub(in crate::tuning) extent: Extent,
    /// The first stage that was run.
    pub(in crate::tuning) first: usize,
    /// What came out of each stage.
    pub(in crate::tuning) levels: &'a [Activation],
    /// What the head takes, a row a picture.
    pub(in crate::tuning) features: Tensor<2>,
    /// The class of each picture.
    pub(in crate::tuning) classes: &'a [usize],
}

/// A term of the loss.
pub(in crate::tuning) trait Regularizer: Sync {
    /// What is added to the sum of the losses of some pictures.
    fn loss(&self, _: &Pass<'_>) -> Option<Tensor<1>> {
        None
    }

    /// What is added to the derivatives by a tensor, which holds `values`, of the mean loss of a batch.
    fn pull(&self, _name: &str, _values: &[f32], _gradient: &mut [f32]) {}

    /// Whether it takes the place of weight decay, which pulls to 0, for a tensor.
    fn holds(&self, _name: &str) -> bool {
        false
    }

    /// Whether all pictures of a batch must pass together.
    fn takes_whole_batch(&self) -> bool {
        false
    }
}

/// Pulls weights that the checkpoint does not have, such as the new head's, to 0: `β` of L2-SP.
fn pull_to_zero(beta: f64, values: &[f32], gradient: &mut [f32]) {
    gradient.iter_mut().zip(values).for_each(|(g, v)| *g += beta as f32 * v);
}
