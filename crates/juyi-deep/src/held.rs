//! Numbers that are held while one picture passes through layers, forwards alone or with what derivatives need.

use juyi::error::Result;

use crate::extents::Extent;
use crate::layers::{Convolution, Layer, within};

/// Numbers that a convolution lays side by side at a time.
const TILE: u64 = 1 << 18;

/// What passes through layers one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    /// What comes out.
    pub(crate) out: Extent,
    /// Numbers at the worst moment forwards, input and output of the layer among them.
    pub(crate) forwards: u64,
    /// Numbers that wait for the way back: what leaves each layer, and what it remembers.
    pub(crate) kept: u64,
}

impl Pass {
    /// Numbers at the worst moment on the way back.
    pub(crate) fn both_ways(&self) -> u64 {
        // Derivatives by what comes in and goes out, beside all that is kept.
        self.kept.saturating_add(self.forwards.saturating_mul(2))
    }
}

/// What a normalisation behind a convolution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Normalization {
    /// Part of the convolution.
    Folded,
    /// A layer of its own.
    Apart,
}

/// Through all of them.
///
/// # Errors
/// If they do not fit each other.
pub(crate) fn through(layers: &[Layer], extent: Extent, kind: Normalization) -> Result<Pass> {
    let mut all = Pass { out: extent, forwards: count(extent), kept: 0 };
    let mut before = None;
    for layer in layers {
        let folds = |before: &Layer| matches!(before, Layer::Convolution(own) if !own.bias);
        let folded = kind == Normalization::Folded && before.is_some_and(folds);
        if !(folded && matches!(layer, Layer::BatchNorm { .. })) {
            let own = one(layer, all.out, kind)?;
            let (forwards, kept) = (all.forwards.max(own.forwards), sum(&[all.kept, own.kept]));
            all = Pass { out: own.out, forwards, kept };
        }
        before = Some(layer);
    }
    Ok(all)
}

fn count(extent: Extent) -> u64 {
    extent.count() as u64
}

/// A layer may come from a foreign file: what cannot be counted is more than any memory.
fn sum(parts: &[u64]) -> u64 {
    parts.iter().copied().fold(0, u64::saturating_add)
}

/// See [`sum`].
fn product(parts: &[usize]) -> u64 {
    parts.iter().fold(1, |product, part| product.saturating_mul(*part as u64))
}

/// Through one.
fn one(layer: &Layer, extent: Extent, kind: Normalization) -> Result<Pass> {
    let (out, _) = layer.after(extent)?;
    let (comes, leaves) = (count(extent), count(out));
    let pass = |forwards: &[u64], kept: &[u64]| Ok(Pass { out, forwards: sum(forwards), kept: sum(kept) });
    match layer {
        Layer::Convolution(own) => {
            pass(&[comes, leaves, comes, TILE, columns(own, extent, out), weights(own)], &[leaves])
        }
        Layer::Residual { main, shortcut } => {
            let (main, around) = (through(main, extent, kind)?, through(shortcut, extent, kind)?);
            let first = sum(&[comes, around.forwards]);
            let both = first.max(sum(&[count(around.out), main.forwards])).max(sum(&[leaves; 3]));
            pass(&[both], &[main.kept, around.kept, leaves])
        }
        Layer::Branches(branches) => {
            let all: Vec<Pass> =
                branches.iter().map(|own| through(own, extent, kind)).collect::<Result<_>>()?;
            let worst = all.iter().map(|own| own.forwards).max().unwrap_or(0);
            let kept: Vec<u64> = all.iter().map(|own| own.kept).collect();
            pass(&[comes, leaves, leaves, worst], &[leaves, sum(&kept)])
        }
        Layer::Gate(layers) => {
            let own = through(layers, extent, kind)?;
            pass(&[comes, comes, leaves, own.forwards], &[leaves, leaves, leaves, own.kept])
        }
        Layer::OfMeanAndLargest(layers) => {
            let Extent::Map(channels, ..) = extent else { return pass(&[comes, leaves], &[leaves]) };
            let own = through(layers, Extent::Map(channels, 1, 1), kind)?;
            pass(&[comes, comes, own.forwards, own.forwards], &[comes, own.kept, own.kept, leaves])
        }
        Layer::Attention { heads, prefix, .. } => {
            let Extent::Tokens(tokens, _) = extent else { return pass(&[comes, leaves], &[leaves]) };
            let more = prefix.as_ref().map_or(0, |(_, more)| *more);
            // What each token sees of the others, before and after the softmax; queries, keys and values twice.
            let seen = product(&[*heads, tokens, tokens.saturating_add(more), 3]);
            let parts = comes.saturating_mul(8);
            pass(&[parts, seen, leaves], &[parts, seen, leaves])
        }
        // It writes over what comes in, and remembers no more than what it leaves.
        Layer::Relu | Layer::Relu6 => pass(&[comes, leaves], &[]),
        // Several steps of the framework, each of which makes its own.
        Layer::BatchNorm { .. } => pass(&[comes, leaves, leaves, leaves], &[leaves]),
        Layer::LayerNorm { .. } => pass(&[comes, leaves, leaves, leaves], &[leaves; 3]),
        Layer::Gelu | Layer::Dropout { .. } | Layer::Tokens { .. } | Layer::MeanAndLargestChannel => {
            pass(&[comes, leaves, leaves], &[leaves; 2])
        }
        Layer::Linear { inputs, outputs, .. } => {
            pass(&[comes, leaves, leaves, product(&[*inputs, *outputs])], &[leaves])
        }
        _ => pass(&[comes, leaves, leaves], &[leaves]),
    }
}

/// Weights of a convolution, which are scaled where a normalisation follows.
fn weights(own: &Convolution) -> u64 {
    product(&[own.outputs, own.inputs / own.groups.max(1), own.kernel, own.kernel])
}

/// Numbers that the framework lays side by side for a convolution that it computes itself.
fn columns(own: &Convolution, extent: Extent, out: Extent) -> u64 {
    let ours = own.groups == 1 || own.groups == own.outputs && own.groups == own.inputs;
    match (ours, extent, out) {
        (false, Extent::Map(channels, ..), Extent::Map(_, rows, columns)) => {
            product(&[channels, own.kernel, own.kernel, rows, columns])
        }
        _ => 0,
    }
}

/// Weights of all convolutions: each pass that follows derivatives has scaled copies of them.
pub(crate) fn scaled_weights(layers: &[Layer]) -> u64 {
    let mut all = 0;
    within(layers, &mut |_, layer| {
        if let Layer::Convolution(own) = layer {
            all = sum(&[all, weights(own)]);
        }
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{batch_norm, convolution, linear};

    #[test]
    fn a_small_network_by_hand() {
        let input = Extent::Map(3, 8, 8); // 192
        let first = Layer::from(convolution("a", (3, 4), 3, 2)); // 4 x 4 x 4 = 64, 108 weights
        let pass = through(std::slice::from_ref(&first), input, Normalization::Apart).unwrap();
        assert_eq!(pass.out, Extent::Map(4, 4, 4));
        assert_eq!((pass.forwards, pass.kept), (192 + 64 + 192 + TILE + 108, 64));
        let layers = [first, batch_norm("b", 4, 1e-5), Layer::Relu, Layer::Flatten, linear("c", 64, 2)];
        let folded = through(&layers, input, Normalization::Folded).unwrap();
        assert_eq!((folded.forwards, folded.kept), (pass.forwards, 64 + 64 + 2));
        let whole = through(&layers, input, Normalization::Apart).unwrap();
        assert_eq!((whole.forwards, whole.kept), (pass.forwards, 64 + 64 + 64 + 2));
        assert_eq!(whole.both_ways(), whole.kept + 2 * whole.forwards);
        assert_eq!(scaled_weights(&layers), 108);
        // The way around is held while the main one is gone.
        let block = Layer::Residual { main: vec![Layer::Relu], shortcut: Vec::new() };
        let block = through(&[block], Extent::Map(10, 1, 1), Normalization::Folded).unwrap();
        assert_eq!((block.forwards, block.kept), (30, 10));
        assert!(through(&[linear("d", 3, 2)], Extent::Vector(4), Normalization::Folded).is_err());
    }
}
