//! Residual networks of 18, 34, 50, 101 or 152 layers, as `torchvision` and `timm` have them: the stride of a narrowed
//! block stands in its 3 x 3 convolution.
//!
//! Paper: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016, table 1.

use super::{IMAGENET, torchvision};
use crate::architecture::{Architecture, stage};
use crate::layers::{Layer, batch_norm, convolution, linear};

/// The network of this `depth` (18, 34, 50, 101 or 152).
pub(super) fn resnet(depth: usize) -> Architecture {
    let (counts, widening) = match depth {
        18 => ([2, 2, 2, 2], 1),
        34 => ([3, 4, 6, 3], 1),
        50 => ([3, 4, 6, 3], 4),
        101 => ([3, 4, 23, 3], 4),
        _ => ([3, 8, 36, 3], 4),
    };
    let mut stages = vec![stage(
        "conv1",
        vec![
            convolution("conv1", (3, 64), 7, 2).into(), // 64 x 112 x 112
            batch_norm("bn1", 64, 1e-5),
            Layer::Relu,
            Layer::MaxPool { kernel: 3, stride: 2, padding: 1, ceil: false }, // 64 x 56 x 56
        ],
    )];
    let mut inputs = 64;
    // 56, 28, 14 and 7 places a side.
    for (level, (count, width)) in counts.into_iter().zip([64, 128, 256, 512]).enumerate() {
        for place in 0..count {
            let name = format!("layer{}.{place}", level + 1);
            let stride = if level > 0 && place == 0 { 2 } else { 1 };
            let outputs = widening * width;
            let block = if widening == 1 { basic } else { narrowed };
            let main = block(&name, inputs, width, stride);
            let shortcut = if stride > 1 || inputs != outputs {
                let turned = convolution(&format!("{name}.downsample.0"), (inputs, outputs), 1, stride);
                vec![turned.into(), batch_norm(format!("{name}.downsample.1"), outputs, 1e-5)]
            } else {
                Vec::new()
            };
            stages.push(stage(name, vec![Layer::Residual { main, shortcut }, Layer::Relu]));
            inputs = outputs;
        }
    }
    Architecture {
        name: format!("resnet{depth}"),
        layout: "torchvision, timm".into(),
        recipe: torchvision(256, 224),
        stages,
        head: vec![Layer::AverageTo { side: 1 }, Layer::Flatten, linear("fc", inputs, IMAGENET)],
        auxiliary: Vec::new(),
    }
}

/// Two convolutions of 3 x 3.
fn basic(name: &str, inputs: usize, width: usize, stride: usize) -> Vec<Layer> {
    vec![
        convolution(&format!("{name}.conv1"), (inputs, width), 3, stride).into(),
        batch_norm(format!("{name}.bn1"), width, 1e-5),
        Layer::Relu,
        convolution(&format!("{name}.conv2"), (width, width), 3, 1).into(),
        batch_norm(format!("{name}.bn2"), width, 1e-5),
    ]
}

/// One of 3 x 3 between two of 1 x 1, the second of which widens four times.
fn narrowed(name: &str, inputs: usize, width: usize, stride: usize) -> Vec<Layer> {
    vec![
        convolution(&format!("{name}.conv1"), (inputs, width), 1, 1).into(),
        batch_norm(format!("{name}.bn1"), width, 1e-5),
        Layer::Relu,
        convolution(&format!("{name}.conv2"), (width, width), 3, stride).into(),
        batch_norm(format!("{name}.bn2"), width, 1e-5),
        Layer::Relu,
        convolution(&format!("{name}.conv3"), (width, 4 * width), 1, 1).into(),
        batch_norm(format!("{name}.bn3"), 4 * width, 1e-5),
    ]
}
