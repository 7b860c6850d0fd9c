//! What a network may be at most. A file may say anything of its layers; nothing is run that is not within these limits,
//! see [`crate::architecture::Architecture::check`].

use std::fmt::Display;

use juyi::error::{Error, Result, shown};

use crate::layers::{Layer, Padding};

/// The largest size: of a kernel, a stride, a side, or a count of channels.
const LARGEST: usize = 1 << 24;
/// Most numbers between two layers.
pub(crate) const MOST_NUMBERS: u64 = 1 << 32;
/// Most work on one picture, in products of two numbers ([`crate::costs`]): five times that of the largest network of the
/// zoo, some ten seconds on one core.
pub const MOST_WORK: u64 = 150_000_000_000;
/// Most layers, those inside others among them.
pub(crate) const MOST_LAYERS: usize = 10_000;
/// Most layers inside each other, some of which are run twice; tuning makes four.
pub(crate) const DEEPEST: usize = 8;

impl Layer {
    /// What messages call it.
    pub(crate) fn called(&self) -> String {
        match self {
            Self::Convolution(own) => format!("the convolution `{}`", shown(&own.name)),
            Self::BatchNorm { name, .. } | Self::LayerNorm { name, .. } => {
                format!("the normalisation `{}`", shown(name))
            }
            Self::Linear { name, .. } => format!("the linear layer `{}`", shown(name)),
            Self::Tokens { positions, .. } => format!("the positions `{}`", shown(positions)),
            Self::Attention { output, .. } => format!("the attention before `{}`", shown(output)),
            other => format!("a layer {}", shown(&format!("{other:?}"))),
        }
    }

    /// The error that one of its own numbers is not what it must be.
    fn refused(&self, what: &str, must: impl Display, got: impl Display) -> Error {
        Error::input(self.called(), format!("its {what} must be {must}, got {got}"), "")
    }

    /// Whether its own numbers are such as this layer can have; not those of the layers inside it.
    ///
    /// # Errors
    /// [`Error::Input`] naming the number.
    pub(crate) fn check(&self) -> Result<()> {
        let sizes = |named: &[(&str, usize)]| {
            let wrong = named.iter().find(|(_, size)| !(1..=LARGEST).contains(size));
            wrong.map_or(Ok(()), |(what, size)| {
                Err(self.refused(what, format!("between 1 and {LARGEST}"), size))
            })
        };
        let divides = |what: &str, parts: usize, whole: usize| {
            let must = format!("a divisor of {whole}");
            if whole.is_multiple_of(parts) { Ok(()) } else { Err(self.refused(what, must, parts)) }
        };
        // Otherwise a window would lie outside of the map.
        let around = |zeros: usize, kernel: usize| {
            let must = format!("smaller than the kernel of {kernel}");
            if zeros < kernel { Ok(()) } else { Err(self.refused("padding", must, zeros)) }
        };
        let positive = |epsilon: f64| {
            let sound = epsilon.is_finite() && epsilon > 0.0;
            if sound { Ok(()) } else { Err(self.refused("epsilon", "above 0 and finite", epsilon)) }
        };
        match self {
            Self::Convolution(own) => {
                sizes(&[
                    ("inputs", own.inputs),
                    ("outputs", own.outputs),
                    ("kernel", own.kernel),
                    ("stride", own.stride),
                    ("groups", own.groups),
                ])?;
                divides("groups", own.groups, own.inputs)?;
                divides("groups", own.groups, own.outputs)?;
                match own.padding {
                    Padding::Each(zeros) => around(zeros, own.kernel),
                    Padding::Same => Ok(()),
                }
            }
            Self::BatchNorm { channels, epsilon, .. } => {
                sizes(&[("channels", *channels)]).and(positive(*epsilon))
            }
            Self::LayerNorm { width, epsilon, .. } => sizes(&[("width", *width)]).and(positive(*epsilon)),
            Self::Linear { inputs, outputs, .. } => sizes(&[("inputs", *inputs), ("outputs", *outputs)]),
            Self::MaxPool { kernel, stride, padding, .. } => {
                sizes(&[("kernel", *kernel), ("stride", *stride)]).and(around(*padding, *kernel))
            }
            Self::AverageTo { side } => sizes(&[("side", *side)]),
            Self::Dropout { share } => {
                let sound = (0.0..1.0).contains(share);
                if sound { Ok(()) } else { Err(self.refused("share", "at least 0 and below 1", share)) }
            }
            Self::Tokens { count, width, .. } => sizes(&[("count", *count), ("width", *width)]),
            Self::Attention { width, heads, prefix, .. } => {
                sizes(&[("width", *width), ("heads", *heads)])?;
                if let Some((_, count)) = prefix {
                    sizes(&[("prefix", *count)])?;
                }
                divides("heads", *heads, *width)
            }
            Self::AcrossChannels { kernel, .. } => {
                sizes(&[("kernel", *kernel)])?;
                if kernel % 2 == 1 { Ok(()) } else { Err(self.refused("kernel", "odd", kernel)) }
            }
            Self::Relu
            | Self::Relu6
            | Self::Gelu
            | Self::Flatten
            | Self::Residual { .. }
            | Self::Branches(_)
            | Self::ClassToken
            | Self::Gate(_)
            | Self::OfMeanAndLargest(_)
            | Self::MeanAndLargestChannel => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Convolution, batch_norm, convolution, linear};

    #[test]
    fn numbers_that_a_layer_cannot_have_are_named() {
        let plain = || convolution("c", (6, 4), 3, 1);
        let pool = |kernel, stride, padding| Layer::MaxPool { kernel, stride, padding, ceil: true };
        let tokens = |count, width| {
            let (class_token, positions) = ("t".into(), "p".into());
            Layer::Tokens { class_token, positions, count, width }
        };
        let attention = |width, heads, prefix: Option<usize>| {
            let (queries, prefix) = (["w", "b"].map(String::from), prefix.map(|count| ("p".into(), count)));
            Layer::Attention { queries, output: "o".into(), width, heads, prefix }
        };
        let norm = |width, epsilon| Layer::LayerNorm { name: "n".into(), width, epsilon };
        let across = |kernel| Layer::AcrossChannels { name: "a".into(), kernel };
        let most = LARGEST + 1;
        for (layer, named) in [
            (Convolution { inputs: 0, ..plain() }.into(), "inputs"),
            (Convolution { outputs: most, ..plain() }.into(), "outputs"),
            (Convolution { kernel: 0, ..plain() }.into(), "kernel"),
            (Convolution { stride: 0, ..plain() }.into(), "stride"),
            (Convolution { groups: 0, ..plain() }.into(), "groups"),
            (Convolution { groups: 3, ..plain() }.into(), "groups must be a divisor of 4"),
            (Convolution { groups: 4, ..plain() }.into(), "groups must be a divisor of 6"),
            (plain().padded(Padding::Each(3)).into(), "padding must be smaller than the kernel of 3"),
            (batch_norm("n", 0, 1e-5), "channels"),
            (batch_norm("n", 3, 0.0), "epsilon must be above 0"),
            (norm(most, 1e-6), "width"),
            (norm(4, f64::NAN), "epsilon"),
            (linear("l", 0, 1), "inputs"),
            (linear("l", 1, usize::MAX), "outputs"),
            (pool(0, 1, 0), "kernel"),
            (pool(2, 0, 0), "stride"),
            (pool(2, 1, 2), "padding"),
            (Layer::AverageTo { side: 0 }, "side"),
            (Layer::Dropout { share: 1.0 }, "share must be at least 0 and below 1"),
            (Layer::Dropout { share: f64::NAN }, "share"),
            (tokens(0, 4), "count"),
            (tokens(4, usize::MAX), "width"),
            (attention(6, 0, None), "heads"),
            (attention(6, 4, None), "heads must be a divisor of 6"),
            (attention(6, 2, Some(0)), "prefix"),
            (across(2), "kernel must be odd"),
            (across(0), "kernel"),
        ] {
            let said = layer.check().unwrap_err().to_string();
            assert!(said.contains(&format!("its {named}")), "{layer:?}: {said}");
        }
        let sound =
            [plain().into(), pool(2, 2, 1), attention(6, 3, Some(2)), across(3), norm(4, 1e-6), tokens(4, 6)];
        assert!(sound.iter().all(|layer: &Layer| layer.check().is_ok()));
    }
}
