//! What lies between layers: how large it is, whether it fits the next layer, and how much work that is.

use juyi::error::{Error, Result};

use crate::layers::{Convolution, Layer, Padding};

/// What lies between two layers, for one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Channels, rows and columns.
    Map(usize, usize, usize),
    /// How many tokens, and the numbers in each.
    Tokens(usize, usize),
    /// Numbers.
    Vector(usize),
}

impl Extent {
    /// How many numbers there are.
    pub fn count(self) -> usize {
        match self {
            Self::Map(channels, rows, columns) => channels * rows * columns,
            Self::Tokens(count, width) => count * width,
            Self::Vector(width) => width,
        }
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Map(channels, rows, columns) => write!(f, "{channels} x {rows} x {columns}"),
            Self::Tokens(count, width) => write!(f, "{count} tokens of {width}"),
            Self::Vector(width) => write!(f, "{width}"),
        }
    }
}

impl Convolution {
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

impl Layer {
    /// What comes out of it, and how many products of two numbers that takes, for what comes in.
    ///
    /// # Errors
    /// [`Error::Input`] if that does not fit: other channels than it takes, or a map smaller than its window.
    pub fn after(&self, extent: Extent) -> Result<(Extent, u64)> {
        let fits = |fits: bool| if fits { Ok(()) } else { Err(misfit(self, extent)) };
        let same = Ok((extent, 0));
        match (self, extent) {
            (Self::Convolution(own), Extent::Map(channels, rows, columns)) => {
                fits(channels == own.inputs)?;
                let side = |side: usize| {
                    let (before, after) = own.zeros(side);
                    window(side + before + after, own.kernel, own.stride, false)
                };
                let (Some(rows), Some(columns)) = (side(rows), side(columns)) else {
                    return Err(misfit(self, extent));
                };
                let products =
                    own.outputs * rows * columns * own.inputs / own.groups * own.kernel * own.kernel;
                Ok((Extent::Map(own.outputs, rows, columns), products as u64))
            }
            (Self::BatchNorm { channels, .. }, Extent::Map(own, ..)) => fits(own == *channels).and(same),
            (Self::LayerNorm { width, .. }, Extent::Tokens(_, own) | Extent::Vector(own)) => {
                fits(own == *width).and(same)
            }
            (Self::Linear { inputs, outputs, .. }, Extent::Vector(own)) => {
                fits(own == *inputs)?;
                Ok((Extent::Vector(*outputs), (inputs * outputs) as u64))
            }
            (Self::Linear { inputs, outputs, .. }, Extent::Tokens(count, own)) => {
                fits(own == *inputs)?;
                Ok((Extent::Tokens(count, *outputs), (count * inputs * outputs) as u64))
            }
            (Self::Relu | Self::Relu6 | Self::Gelu | Self::Dropout { .. }, _) => same,
            (Self::MaxPool { kernel, stride, padding, ceil }, Extent::Map(channels, rows, columns)) => {
                let side = |side: usize| {
                    let places = window(side + 2 * padding, *kernel, *stride, *ceil)?;
                    // A last window that begins beyond the map and its left padding is left out.
                    Some(if *ceil && (places - 1) * stride >= side + padding { places - 1 } else { places })
                };
                match (side(rows), side(columns)) {
                    (Some(rows), Some(columns)) => Ok((Extent::Map(channels, rows, columns), 0)),
                    _ => Err(misfit(self, extent)),
                }
            }
            (Self::AverageTo { side }, Extent::Map(channels, ..)) => {
                Ok((Extent::Map(channels, *side, *side), 0))
            }
            (Self::Flatten, extent) => Ok((Extent::Vector(extent.count()), 0)),
            (Self::Residual { main, shortcut }, extent) => {
                let (out, products) = after_all(main, extent)?;
                let (around, more) = after_all(shortcut, extent)?;
                fits(out == around)?;
                Ok((out, products + more))
            }
            (Self::Branches(branches), extent) => {
                let (mut all, mut products, mut place) = (0, 0, None);
                for branch in branches {
                    let (out, more) = after_all(branch, extent)?;
                    let Extent::Map(channels, rows, columns) = out else { return Err(misfit(self, extent)) };
                    fits(*place.get_or_insert((rows, columns)) == (rows, columns))?;
                    (all, products) = (all + channels, products + more);
                }
                let (rows, columns) = place.ok_or_else(|| misfit(self, extent))?;
                Ok((Extent::Map(all, rows, columns), products))
            }
            (Self::Tokens { count, width, .. }, Extent::Map(channels, rows, columns)) => {
                fits(rows * columns == *count && channels == *width)?;
                Ok((Extent::Tokens(count + 1, *width), 0))
            }
            (Self::Attention { width, prefix, .. }, Extent::Tokens(count, own)) => {
                fits(own == *width)?;
                let seen = count + prefix.as_ref().map_or(0, |(_, more)| *more);
                Ok((extent, (4 * count * width * width + 2 * count * seen * width) as u64))
            }
            (Self::Gate(layers), Extent::Map(channels, rows, columns)) => {
                let (gate, products) = after_all(layers, extent)?;
                fits(gate == Extent::Map(channels, 1, 1) || gate == Extent::Map(1, rows, columns))?;
                Ok((extent, products))
            }
            (Self::OfMeanAndLargest(layers), Extent::Map(channels, ..)) => {
                let (out, products) = after_all(layers, Extent::Map(channels, 1, 1))?;
                Ok((out, 2 * products))
            }
            (Self::MeanAndLargestChannel, Extent::Map(_, rows, columns)) => {
                Ok((Extent::Map(2, rows, columns), 0))
            }
            (Self::AcrossChannels { kernel, .. }, Extent::Map(channels, 1, 1)) => {
                Ok((extent, (channels * kernel) as u64))
            }
            (Self::ClassToken, Extent::Tokens(_, width)) => Ok((Extent::Vector(width), 0)),
            _ => Err(misfit(self, extent)),
        }
    }
}

/// What comes out of layers one after another; see [`Layer::after`].
///
/// # Errors
/// That of the first layer that does not fit.
pub fn after_all(layers: &[Layer], extent: Extent) -> Result<(Extent, u64)> {
    layers.iter().try_fold((extent, 0), |(extent, products), layer| {
        let (extent, more) = layer.after(extent)?;
        Ok((extent, products + more))
    })
}

/// How often a window fits along a side, `None` if never.
fn window(side: usize, kernel: usize, stride: usize, ceil: bool) -> Option<usize> {
    let left = side.checked_sub(kernel)?;
    Some(1 + if ceil { left.div_ceil(stride) } else { left / stride })
}

fn misfit(layer: &Layer, extent: Extent) -> Error {
    let name = match layer {
        Layer::Convolution(own) => format!("the convolution `{}`", own.name),
        Layer::BatchNorm { name, .. } | Layer::LayerNorm { name, .. } => {
            format!("the normalisation `{name}`")
        }
        Layer::Linear { name, .. } => format!("the linear layer `{name}`"),
        Layer::Tokens { positions, .. } => format!("the positions `{positions}`"),
        Layer::Attention { output, .. } => format!("the attention before `{output}`"),
        other => format!("a layer {other:?}"),
    };
    let hint = "give pictures of the size that `juyi networks NAME` says";
    Error::input(name, format!("cannot work on {extent}"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{convolution, linear};

    #[test]
    fn windows_by_hand() {
        let map = |side| Extent::Map(3, side, side);
        let plain = convolution("c", (3, 8), 3, 2);
        // (224 + 2 - 3) / 2 + 1 = 112; 8 · 112² · 3 · 9 products.
        let (out, products) = Layer::from(plain.clone()).after(map(224)).unwrap();
        assert_eq!((out, products), (Extent::Map(8, 112, 112), 8 * 112 * 112 * 27));
        // As in TensorFlow: 224 / 2 with one zero after and none before; 225 with one on each side.
        let same = plain.padded(Padding::Same);
        assert_eq!((same.zeros(224), same.zeros(225)), ((0, 1), (1, 1)));
        assert_eq!(Layer::from(same).after(map(225)).unwrap().0, Extent::Map(8, 113, 113));
        // A window that is partly outside counts with `ceil`: 112 - 3 = 109, 54 and a half steps.
        let pool = |ceil| Layer::MaxPool { kernel: 3, stride: 2, padding: 0, ceil };
        assert_eq!(pool(false).after(map(112)).unwrap().0, map(55));
        assert_eq!(pool(true).after(map(112)).unwrap().0, map(56));
        // 2 x 2 with step 2 on 1 + 2 zeros: the second window would hold zeros only.
        let lost = Layer::MaxPool { kernel: 2, stride: 2, padding: 1, ceil: true };
        assert_eq!(lost.after(map(1)).unwrap().0, map(1));
        assert!(pool(false).after(map(2)).unwrap_err().to_string().contains("3 x 2 x 2"));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let said = linear("fc", 512, 10).after(Extent::Vector(100)).unwrap_err().to_string();
        assert_eq!(said, "the linear layer `fc`: cannot work on 100");
        let apart =
            Layer::Residual { main: vec![convolution("c", (3, 4), 1, 1).into()], shortcut: Vec::new() };
        assert!(apart.after(Extent::Map(3, 5, 5)).is_err());
    }
}
