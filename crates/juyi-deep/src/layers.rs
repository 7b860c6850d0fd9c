//! Layers as plain data: what a network is made of, and which tensors of a checkpoint each part takes. Nothing here computes; [`crate::network`] does.

use serde::{Deserialize, Serialize};

use crate::extents::product;

/// One step of a network. Names are those of the checkpoint: a layer `fc` takes the tensors `fc.weight` and `fc.bias`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Layer {
    /// A convolution with square kernels.
    Convolution(Convolution),
    /// Normalisation of each channel by the mean and variance of the batch in training, by running ones otherwise.
    BatchNorm {
        /// Name of its tensors.
        name: String,
        /// Channels.
        channels: usize,
        /// Added to the variance.
        epsilon: f64,
    },
    /// Normalisation of each token by its own mean and variance.
    LayerNorm {
        /// Name of its tensors.
        name: String,
        /// Numbers in a token.
        width: usize,
        /// Added to the variance.
        epsilon: f64,
    },
    /// `y = x Wᵀ + b`, of vectors or of each token.
    Linear {
        /// Name of its tensors, `(outputs, inputs)` and `(outputs)`.
        name: String,
        /// Numbers that come in.
        inputs: usize,
        /// Numbers that go out.
        outputs: usize,
    },
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x Φ(x)`, exactly.
    Gelu,
    /// The largest number under a window.
    MaxPool {
        /// Side of the window.
        kernel: usize,
        /// Step of the window.
        stride: usize,
        /// Rows and columns added on each side, which are never the largest.
        padding: usize,
        /// Whether a window that is partly outside still counts.
        ceil: bool,
    },
    /// Means over a grid of `side` x `side` parts.
    AverageTo {
        /// Side of the grid; 1 for one mean a channel.
        side: usize,
    },
    /// A map as one vector, channel by channel.
    Flatten,
    /// In training, numbers that are zero at random, the others scaled up.
    Dropout {
        /// The share of zeros.
        share: f64,
    },
    /// `main(x) + shortcut(x)`, or `main(x) + x` without a shortcut.
    Residual {
        /// The way through the layers.
        main: Vec<Layer>,
        /// The way around them; empty where nothing happens on it.
        shortcut: Vec<Layer>,
    },
    /// The channels of all branches together.
    Branches(Vec<Vec<Layer>>),
    /// A map as tokens, one a place, after a learnt token for the class; a learnt position is added to each.
    Tokens {
        /// Name of the class token `(1, 1, width)`.
        class_token: String,
        /// Name of the positions `(1, count + 1, width)`.
        positions: String,
        /// Places of the map.
        count: usize,
        /// Numbers in a token.
        width: usize,
    },
    /// Self-attention of several heads.
    Attention {
        /// Names of the weight `(3 width, width)` and bias `(3 width)` of queries, keys and values.
        queries: [String; 2],
        /// Name of the linear layer after it.
        output: String,
        /// Numbers in a token.
        width: usize,
        /// Heads; they share the width.
        heads: usize,
        /// Name and count of learnt keys and values `(2, count, width)` that all tokens see beside those of each other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<(String, usize)>,
    },
    /// The token for the class as a vector.
    ClassToken,
    /// `2 σ(layers(x)) x`: channels or places made stronger or weaker; nothing changes where the layers give 0.
    Gate(Vec<Layer>),
    /// `layers(m) + layers(l)` of each channel's mean `m` and largest number `l` over all places.
    OfMeanAndLargest(Vec<Layer>),
    /// The mean and the largest number of all channels at each place, as two channels.
    MeanAndLargestChannel,
    /// A convolution along the channels of a map of one place, without a bias.
    AcrossChannels {
        /// Name of its tensor `(1, 1, kernel)`.
        name: String,
        /// Channels that it sees at a time, odd.
        kernel: usize,
    },
}

/// See [`Layer::Convolution`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convolution {
    /// Name of its tensors, `(outputs, inputs / groups, kernel, kernel)` and `(outputs)`.
    pub name: String,
    /// Channels that come in.
    pub inputs: usize,
    /// Channels that go out.
    pub outputs: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step of the kernel.
    pub stride: usize,
    /// What is added around the map.
    pub padding: Padding,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether a number is added to each channel.
    pub bias: bool,
}

/// Zeros around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Padding {
    /// This many rows and columns on each side.
    Each(usize),
    /// As many as leave `⌈side / stride⌉` places; the odd one goes below and to the right, as in `TensorFlow`.
    Same,
}

/// A tensor that a network takes from its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether it is a running statistic, which is counted and not learnt.
    pub statistic: bool,
}

impl Parameter {
    /// How many numbers it has; the largest number where they cannot be counted.
    pub fn count(&self) -> usize {
        product(&self.shape)
    }
}

/// A convolution without a bias, as it stands before a normalisation.
pub fn convolution(name: &str, channels: (usize, usize), kernel: usize, stride: usize) -> Convolution {
    Convolution {
        name: name.into(),
        inputs: channels.0,
        outputs: channels.1,
        kernel,
        stride,
        padding: Padding::Each(kernel / 2),
        groups: 1,
        bias: false,
    }
}

impl Convolution {
    /// The same with a bias.
    #[must_use]
    pub fn biased(self) -> Layer {
        Layer::Convolution(Self { bias: true, ..self })
    }

    /// The same with so many zeros around the map.
    #[must_use]
    pub fn padded(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// The same for each channel by itself.
    #[must_use]
    pub fn depthwise(self) -> Self {
        Self { groups: self.inputs, ..self }
    }

    /// Zeros before and after a side of this length.
    pub fn zeros(&self, side: usize) -> (usize, usize) {
        match self.padding {
            Padding::Each(zeros) => (zeros, zeros),
            Padding::Same => {
                let reach = (side.div_ceil(self.stride).saturating_sub(1)) * self.stride + self.kernel;
                let zeros = reach.saturating_sub(side);
                (zeros / 2, zeros - zeros / 2)
            }
        }
    }
}

impl From<Convolution> for Layer {
    fn from(convolution: Convolution) -> Self {
        Self::Convolution(convolution)
    }
}

/// A normalisation of channels.
pub fn batch_norm(name: impl Into<String>, channels: usize, epsilon: f64) -> Layer {
    Layer::BatchNorm { name: name.into(), channels, epsilon }
}

/// A linear layer.
pub fn linear(name: impl Into<String>, inputs: usize, outputs: usize) -> Layer {
    Layer::Linear { name: name.into(), inputs, outputs }
}

/// Looks at all layers, each with the one before it; not at those inside gates.
pub(crate) fn within(layers: &[Layer], look: &mut dyn FnMut(Option<&Layer>, &Layer)) {
    for (at, layer) in layers.iter().enumerate() {
        look(at.checked_sub(1).map(|before| &layers[before]), layer);
        if !matches!(layer, Layer::Gate(_) | Layer::OfMeanAndLargest(_)) {
            layer.inner().into_iter().for_each(|own| within(own, look));
        }
    }
}

impl Layer {
    /// The lists of layers inside it.
    pub(crate) fn inner(&self) -> Vec<&[Layer]> {
        match self {
            Self::Residual { main, shortcut } => vec![main, shortcut],
            Self::Branches(branches) => branches.iter().map(Vec::as_slice).collect(),
            Self::Gate(layers) | Self::OfMeanAndLargest(layers) => vec![layers],
            _ => Vec::new(),
        }
    }

    /// The tensors that it takes, in order; those of a layer that cannot be are too large for any file.
    pub fn parameters(&self) -> Vec<Parameter> {
        let tensor = |name: &str, shape: &[usize], statistic| Parameter {
            name: name.into(),
            shape: shape.to_vec(),
            statistic,
        };
        let learnt = |name: String, shape: &[usize]| tensor(&name, shape, false);
        match self {
            Self::Convolution(own) => {
                let Convolution { name, inputs, outputs, kernel, groups, .. } = own;
                let mut all = vec![learnt(
                    format!("{name}.weight"),
                    &[*outputs, inputs / groups.max(&1), *kernel, *kernel],
                )];
                if own.bias {
                    all.push(learnt(format!("{name}.bias"), &[*outputs]));
                }
                all
            }
            Self::BatchNorm { name, channels, .. } => ["weight", "bias", "running_mean", "running_var"]
                .into_iter()
                .map(|part| tensor(&format!("{name}.{part}"), &[*channels], part.starts_with("running")))
                .collect(),
            Self::LayerNorm { name, width, .. } => {
                vec![learnt(format!("{name}.weight"), &[*width]), learnt(format!("{name}.bias"), &[*width])]
            }
            Self::Linear { name, inputs, outputs } => vec![
                learnt(format!("{name}.weight"), &[*outputs, *inputs]),
                learnt(format!("{name}.bias"), &[*outputs]),
            ],
            Self::AcrossChannels { name, kernel } => vec![learnt(name.clone(), &[1, 1, *kernel])],
            Self::Tokens { class_token, positions, count, width } => vec![
                learnt(class_token.clone(), &[1, 1, *width]),
                learnt(positions.clone(), &[1, count.saturating_add(1), *width]),
            ],
            Self::Attention { queries: [weight, bias], output, width, prefix, .. } => {
                let three = width.saturating_mul(3);
                let mut all = vec![
                    learnt(weight.clone(), &[three, *width]),
                    learnt(bias.clone(), &[three]),
                    learnt(format!("{output}.weight"), &[*width, *width]),
                    learnt(format!("{output}.bias"), &[*width]),
                ];
                all.extend(prefix.iter().map(|(name, count)| learnt(name.clone(), &[2, *count, *width])));
                all
            }
            _ => self.inner().into_iter().flatten().flat_map(Self::parameters).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_depthwise_convolution() {
        let all = Layer::from(convolution("c", (32, 32), 3, 1).depthwise()).parameters();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].name.as_str(), &all[0].shape[..]), ("c.weight", &[32, 1, 3, 3][..]));
    }
}
