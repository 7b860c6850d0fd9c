//! `AlexNet`, as `torchvision` has it.
//!
//! Paper: A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014 (one tower, no response
//! normalisation), after A. Krizhevsky, I. Sutskever, G. Hinton, NIPS 2012.

use super::{IMAGENET, torchvision};
use crate::architecture::{Architecture, stage};
use crate::layers::{Layer, Padding, convolution, linear};

pub(super) fn alexnet() -> Architecture {
    let unit = |place: usize, channels, kernel, stride, zeros| {
        let own = convolution(&format!("features.{place}"), channels, kernel, stride);
        [own.padded(Padding::Each(zeros)).biased(), Layer::Relu]
    };
    let pool = || Layer::MaxPool { kernel: 3, stride: 2, padding: 0, ceil: false };
    let with_pool = |unit: [Layer; 2]| [unit.to_vec(), vec![pool()]].concat();
    Architecture {
        name: "alexnet".into(),
        layout: "torchvision".into(),
        recipe: torchvision(256, 224),
        stages: vec![
            stage("features.0", with_pool(unit(0, (3, 64), 11, 4, 2))), // 64 x 27 x 27
            stage("features.3", with_pool(unit(3, (64, 192), 5, 1, 2))), // 192 x 13 x 13
            stage("features.6", unit(6, (192, 384), 3, 1, 1).to_vec()),
            stage("features.8", unit(8, (384, 256), 3, 1, 1).to_vec()),
            stage("features.10", with_pool(unit(10, (256, 256), 3, 1, 1))), // 256 x 6 x 6
            stage(
                "classifier.1",
                vec![
                    Layer::AverageTo { side: 6 },
                    Layer::Flatten,
                    Layer::Dropout { share: 0.5 },
                    linear("classifier.1", 256 * 36, 4096),
                    Layer::Relu,
                ],
            ),
            stage(
                "classifier.4",
                vec![Layer::Dropout { share: 0.5 }, linear("classifier.4", 4096, 4096), Layer::Relu],
            ),
        ],
        head: vec![linear("classifier.6", 4096, IMAGENET)],
        auxiliary: Vec::new(),
    }
}
