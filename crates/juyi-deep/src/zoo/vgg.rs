//! VGG with 11, 13, 16 or 19 layers, plain or with batch normalisation, as `torchvision` has it.
//!
//! Paper: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
//! table 1, columns A, B, D and E.

use super::{IMAGENET, torchvision};
use crate::architecture::{Architecture, stage};
use crate::layers::{Layer, batch_norm, convolution, linear};

/// The network of this `depth` (11, 13, 16 or 19).
pub(super) fn vgg(depth: usize, normalized: bool) -> Architecture {
    // Convolutions in each of the five blocks.
    let blocks = match depth {
        11 => [1, 1, 2, 2, 2],
        13 => [2; 5],
        16 => [2, 2, 3, 3, 3],
        _ => [2, 2, 4, 4, 4],
    };
    let (mut place, mut inputs, mut stages) = (0, 3, Vec::new());
    for (count, outputs) in blocks.into_iter().zip([64, 128, 256, 512, 512]) {
        let (first, mut layers) = (place, Vec::new());
        for _ in 0..count {
            layers.push(convolution(&format!("features.{place}"), (inputs, outputs), 3, 1).biased());
            place += 1;
            if normalized {
                layers.push(batch_norm(format!("features.{place}"), outputs, 1e-5));
                place += 1;
            }
            layers.push(Layer::Relu);
            place += 1;
            inputs = outputs;
        }
        // Halves the side: 224, 112, 56, 28, 14, 7.
        layers.push(Layer::MaxPool { kernel: 2, stride: 2, padding: 0, ceil: false });
        place += 1;
        stages.push(stage(format!("features.{first}"), layers));
    }
    stages.push(stage(
        "classifier.0",
        vec![
            Layer::AverageTo { side: 7 },
            Layer::Flatten,
            linear("classifier.0", 512 * 49, 4096),
            Layer::Relu,
        ],
    ));
    stages.push(stage(
        "classifier.3",
        vec![Layer::Dropout { share: 0.5 }, linear("classifier.3", 4096, 4096), Layer::Relu],
    ));
    Architecture {
        name: format!("vgg{depth}{}", if normalized { "-bn" } else { "" }),
        layout: "torchvision".into(),
        recipe: torchvision(256, 224),
        stages,
        head: vec![Layer::Dropout { share: 0.5 }, linear("classifier.6", 4096, IMAGENET)],
        auxiliary: Vec::new(),
    }
}
