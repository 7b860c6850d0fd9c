//! `SqueezeNet` 1.0 and 1.1, as `torchvision` has them, and 1.1 as numpy arrays under the names of its authors.
//!
//! Paper: F. Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and < 0.5 MB model size",
//! arXiv 1602.07360, table 1.

use std::collections::BTreeMap;

use super::{IMAGENET, caffe, torchvision};
use crate::architecture::{Architecture, stage};
use crate::checkpoint::Stored;
use crate::layers::{Layer, Padding, convolution};

/// Whose names the tensors bear.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Names {
    Torchvision,
    /// `fire2/squeeze1x1`, see [`from_arrays`].
    Arrays,
}

/// Version 1.0, or 1.1 with its smaller first kernels and earlier pools.
pub(super) fn squeezenet(second: bool, names: Names) -> Architecture {
    let (width, kernel) = if second { (64, 3) } else { (96, 7) };
    let first = if names == Names::Arrays { "conv1" } else { "features.0" };
    let pool = Layer::MaxPool { kernel: 3, stride: 2, padding: 0, ceil: names == Names::Torchvision };
    let begin = convolution(first, (3, width), kernel, 2).padded(Padding::Each(0)).biased();
    let mut stages = vec![stage(first, vec![begin, Layer::Relu, pool.clone()])]; // 54 or 55 a side
    // Squeezed and expanded channels; pools stand after these modules.
    let modules = [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)];
    let pooled = if second { [1, 3] } else { [2, 6] };
    let (mut inputs, mut place) = (width, 3);
    for (number, (squeezed, expanded)) in modules.into_iter().enumerate() {
        let name = match names {
            Names::Torchvision => format!("features.{place}"),
            Names::Arrays => format!("fire{}", number + 2),
        };
        let mut layers = fire(&name, inputs, squeezed, expanded, names);
        (inputs, place) = (2 * expanded, place + 1);
        if pooled.contains(&number) {
            layers.push(pool.clone());
            place += 1;
        }
        stages.push(stage(name, layers));
    }
    let (last, layout) = match names {
        Names::Torchvision => ("classifier.1", "torchvision"),
        Names::Arrays => ("conv10", "numpy arrays"),
    };
    Architecture {
        name: format!("squeezenet1-{}", u8::from(second)),
        layout: layout.into(),
        recipe: if names == Names::Arrays { caffe() } else { torchvision(256, 224) },
        stages,
        head: vec![
            Layer::Dropout { share: 0.5 },
            convolution(last, (512, IMAGENET), 1, 1).biased(),
            Layer::Relu,
            Layer::AverageTo { side: 1 },
            Layer::Flatten,
        ],
        auxiliary: Vec::new(),
    }
}

/// Few channels, then 1 x 1 and 3 x 3 side by side.
fn fire(name: &str, inputs: usize, squeezed: usize, expanded: usize, names: Names) -> Vec<Layer> {
    let mark = if names == Names::Arrays { "/" } else { "." };
    let inner = |part: &str| match names {
        Names::Torchvision if part == "squeeze1x1" => format!("{name}{mark}squeeze"),
        _ => format!("{name}{mark}{part}"),
    };
    let unit = |part: &str, channels, kernel| {
        vec![convolution(&inner(part), channels, kernel, 1).biased(), Layer::Relu]
    };
    let mut layers = unit("squeeze1x1", (inputs, squeezed), 1);
    layers.push(Layer::Branches(vec![
        unit("expand1x1", (squeezed, expanded), 1),
        unit("expand3x3", (squeezed, expanded), 3),
    ]));
    layers
}

/// Pairs of arrays under one name, `.0` a kernel `(rows, columns, inputs, outputs)` and `.1` its bias, as the tensors that a
/// convolution takes; other tensors as they are.
pub(super) fn from_arrays(tensors: BTreeMap<String, Stored>) -> BTreeMap<String, Stored> {
    let is_pair = |(name, stored): (&String, &Stored)| match name.rsplit_once('.') {
        Some((_, "0")) => stored.shape.len() == 4,
        Some((_, "1")) => stored.shape.len() == 1,
        _ => false,
    };
    if tensors.is_empty() || !tensors.iter().all(is_pair) {
        return tensors;
    }
    let turned = |(name, Stored { shape, values }): (String, Stored)| {
        let own = name[..name.len() - 2].to_string();
        let [rows, columns, inputs, outputs] = shape[..] else {
            return (format!("{own}.bias"), Stored { shape, values });
        };
        let mut kernel = Vec::with_capacity(values.len());
        for output in 0..outputs {
            for input in 0..inputs {
                let place =
                    (0..rows * columns).map(|place| values[(place * inputs + input) * outputs + output]);
                kernel.extend(place);
            }
        }
        (format!("{own}.weight"), Stored { shape: vec![outputs, inputs, rows, columns], values: kernel })
    };
    tensors.into_iter().map(turned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_turned_by_hand() {
        // 1 x 2 places, 2 inputs, 1 output: place by place, input by input.
        let kernel = Stored { shape: vec![1, 2, 2, 1], values: vec![1.0, 2.0, 3.0, 4.0] };
        let bias = Stored { shape: vec![1], values: vec![5.0] };
        let pair = BTreeMap::from([("a/b.0".to_string(), kernel), ("a/b.1".to_string(), bias.clone())]);
        let turned = from_arrays(pair);
        assert_eq!(
            turned["a/b.weight"],
            Stored { shape: vec![1, 2, 1, 2], values: vec![1.0, 3.0, 2.0, 4.0] }
        );
        assert_eq!(turned["a/b.bias"], bias);
        let other = BTreeMap::from([("fc.weight".to_string(), bias)]);
        assert_eq!(from_arrays(other.clone()), other);
    }
}
