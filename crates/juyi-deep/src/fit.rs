//! Whether layers fit each other: what comes out of one for what comes in, and what that costs. What this refuses,
//! [`crate::forward`] is never asked to run.

use juyi::error::{Error, Result};

use crate::costs::{Cost, of_layer};
use crate::extents::{Extent, product, window};
use crate::layers::Layer;
use crate::limits::MOST_NUMBERS;

impl Layer {
    /// What comes out of it for what comes in, and what one picture costs.
    ///
    /// # Errors
    /// [`Error::Input`] if it is no sound layer, or if that does not fit: other channels than it takes, a map smaller than
    /// its window, vectors where it takes maps.
    pub fn after(&self, extent: Extent) -> Result<(Extent, Cost)> {
        self.check()?;
        let (out, inner) = self.made_of(extent)?;
        if out.count() as u64 > MOST_NUMBERS {
            let problem = format!("gives {out} for one picture, the limit is {MOST_NUMBERS} numbers");
            return Err(Error::input(self.called(), problem, ""));
        }
        Ok((out, of_layer(self, extent, out, inner)))
    }

    /// What comes out of it, and what the layers inside it cost.
    fn made_of(&self, extent: Extent) -> Result<(Extent, Cost)> {
        let misfit = || Error::input(self.called(), format!("cannot work on {extent}"), HINT);
        let fits = |fits: bool| if fits { Ok(()) } else { Err(misfit()) };
        let leaf = |out: Extent| Ok((out, Cost::default()));
        let same = leaf(extent);
        match (self, extent) {
            (Self::Convolution(own), Extent::Map(channels, rows, columns)) => {
                fits(channels == own.inputs)?;
                let side = |side: usize| {
                    let (before, after) = own.zeros(side);
                    window(side + before + after, own.kernel, own.stride, false)
                };
                let (Some(rows), Some(columns)) = (side(rows), side(columns)) else { return Err(misfit()) };
                leaf(Extent::Map(own.outputs, rows, columns))
            }
            (Self::BatchNorm { channels, .. }, Extent::Map(own, ..)) => fits(own == *channels).and(same),
            (Self::LayerNorm { width, .. } | Self::Attention { width, .. }, Extent::Tokens(_, own)) => {
                fits(own == *width).and(same)
            }
            (Self::Linear { inputs, outputs, .. }, Extent::Vector(own)) => {
                fits(own == *inputs).and(leaf(Extent::Vector(*outputs)))
            }
            (Self::Linear { inputs, outputs, .. }, Extent::Tokens(count, own)) => {
                fits(own == *inputs).and(leaf(Extent::Tokens(count, *outputs)))
            }
            (Self::Relu | Self::Dropout { .. }, Extent::Map(..) | Extent::Vector(_))
            | (Self::Relu6, Extent::Map(..))
            | (Self::AcrossChannels { .. }, Extent::Map(_, 1, 1))
            | (Self::Gelu, Extent::Tokens(..)) => same,
            (Self::MaxPool { kernel, stride, padding, ceil }, Extent::Map(channels, rows, columns)) => {
                let side = |side: usize| {
                    let places = window(side + 2 * padding, *kernel, *stride, *ceil)?;
                    // A last window that begins beyond the map and its left padding is left out.
                    Some(if *ceil && (places - 1) * stride >= side + padding { places - 1 } else { places })
                };
                let (Some(rows), Some(columns)) = (side(rows), side(columns)) else { return Err(misfit()) };
                leaf(Extent::Map(channels, rows, columns))
            }
            (Self::AverageTo { side }, Extent::Map(channels, rows, columns)) => {
                fits(*side <= rows && *side <= columns).and(leaf(Extent::Map(channels, *side, *side)))
            }
            (Self::Flatten, Extent::Map(..)) => leaf(Extent::Vector(extent.count())),
            (Self::Residual { main, shortcut }, Extent::Map(..) | Extent::Tokens(..)) => {
                let (out, through) = after_all(main, extent)?;
                let (around, beside) = after_all(shortcut, extent)?;
                fits(out == around && !matches!(out, Extent::Vector(_)))?;
                Ok((out, through + beside))
            }
            (Self::Branches(branches), Extent::Map(..)) => {
                let (mut all, mut cost, mut place) = (0, Cost::default(), None);
                for branch in branches {
                    let (out, more) = after_all(branch, extent)?;
                    let Extent::Map(channels, rows, columns) = out else { return Err(misfit()) };
                    fits(*place.get_or_insert((rows, columns)) == (rows, columns))?;
                    (all, cost) = (all + channels, cost + more);
                }
                let (rows, columns) = place.ok_or_else(misfit)?;
                Ok((Extent::Map(all, rows, columns), cost))
            }
            (Self::Tokens { count, width, .. }, Extent::Map(channels, rows, columns)) => {
                fits(product(&[rows, columns]) == *count && channels == *width)?;
                leaf(Extent::Tokens(count + 1, *width))
            }
            (Self::Gate(layers), Extent::Map(channels, rows, columns)) => {
                let (gate, cost) = after_all(layers, extent)?;
                fits(gate == Extent::Map(channels, 1, 1) || gate == Extent::Map(1, rows, columns))?;
                Ok((extent, cost))
            }
            (Self::OfMeanAndLargest(layers), Extent::Map(channels, ..)) => {
                let (out, cost) = after_all(layers, Extent::Map(channels, 1, 1))?;
                fits(matches!(out, Extent::Map(..)))?;
                Ok((out, cost * 2))
            }
            (Self::MeanAndLargestChannel, Extent::Map(_, rows, columns)) => {
                leaf(Extent::Map(2, rows, columns))
            }
            (Self::ClassToken, Extent::Tokens(_, width)) => leaf(Extent::Vector(width)),
            _ => Err(misfit()),
        }
    }
}

const HINT: &str = "give pictures of the size that `juyi networks NAME` says";

/// What comes out of layers one after another, and what that costs; see [`Layer::after`].
///
/// # Errors
/// That of the first layer that does not fit.
pub(crate) fn after_all(layers: &[Layer], extent: Extent) -> Result<(Extent, Cost)> {
    layers.iter().try_fold((extent, Cost::default()), |(extent, cost), layer| {
        let (extent, more) = layer.after(extent)?;
        Ok((extent, cost + more))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Padding, convolution, linear};

    #[test]
    fn windows_by_hand() {
        let map = |side| Extent::Map(3, side, side);
        let plain = convolution("c", (3, 8), 3, 2);
        // (224 + 2 - 3) / 2 + 1 = 112; 8 · 112² · 3 · 9 products.
        let (out, cost) = Layer::from(plain.clone()).after(map(224)).unwrap();
        assert_eq!((out, cost.products), (Extent::Map(8, 112, 112), 8 * 112 * 112 * 27));
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

    /// Each of these has no arm in `forward`.
    #[test]
    fn what_cannot_be_run_does_not_fit() {
        let (map, tokens, vector) = (Extent::Map(3, 4, 4), Extent::Tokens(5, 3), Extent::Vector(3));
        let norm = Layer::LayerNorm { name: "n".into(), width: 3, epsilon: 1e-6 };
        let residual = |main: Vec<Layer>| Layer::Residual { main, shortcut: Vec::new() };
        let flat = || vec![Layer::Flatten];
        for (layer, extent) in [
            (norm, vector),
            (Layer::Relu, tokens),
            (Layer::Relu6, vector),
            (Layer::Relu6, tokens),
            (Layer::Gelu, map),
            (Layer::Gelu, vector),
            (Layer::Dropout { share: 0.5 }, tokens),
            (Layer::Flatten, tokens),
            (Layer::Flatten, vector),
            (residual(vec![Layer::Relu]), vector),
            (Layer::Residual { main: flat(), shortcut: flat() }, map),
            (Layer::Branches(vec![Vec::new()]), tokens),
            (Layer::Branches(Vec::new()), map),
            (Layer::OfMeanAndLargest(flat()), map),
            (Layer::Gate(flat()), map),
            (Layer::ClassToken, map),
            (Layer::AverageTo { side: 5 }, map),
        ] {
            let said = layer.after(extent).unwrap_err().to_string();
            assert!(said.contains("cannot work on"), "{layer:?}, {extent}: {said}");
        }
    }

    #[test]
    fn layers_that_give_too_much_are_named() {
        let wide = convolution("c", (3, 1 << 20), 1, 1);
        let said = Layer::from(wide).after(Extent::Map(3, 4096, 4096)).unwrap_err().to_string();
        assert!(
            said.starts_with("the convolution `c`: gives 1048576 x 4096 x 4096 for one picture"),
            "{said}"
        );
    }
}
