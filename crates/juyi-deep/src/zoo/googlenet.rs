//! `GoogLeNet`, as `torchvision` has it: with batch normalisation, and 3 x 3 where the paper has 5 x 5 kernels.
//!
//! Paper: C. Szegedy et al., "Going deeper with convolutions", CVPR 2015, table 1.
//!
//! Its published weights want numbers between -1 and 1. Two second heads, whose loss counts 0.3, serve in training.

use super::{IMAGENET, torchvision};
use crate::architecture::{Architecture, Auxiliary, stage};
use crate::images::Recipe;
use crate::layers::{Layer, batch_norm, convolution, linear};

pub(super) fn googlenet(with_auxiliary: bool) -> Architecture {
    let pool = |kernel, stride, padding| Layer::MaxPool { kernel, stride, padding, ceil: true };
    let recipe = Recipe { mean: [0.5; 3], deviation: [0.5; 3], ..torchvision(256, 224) };
    let stages = vec![
        stage("conv1", [unit("conv1", (3, 64), 7, 2), vec![pool(3, 2, 0)]].concat()), // 64 x 56 x 56
        stage("conv2", unit("conv2", (64, 64), 1, 1)),
        stage("conv3", [unit("conv3", (64, 192), 3, 1), vec![pool(3, 2, 0)]].concat()), // 192 x 28 x 28
        inception("3a", 192, 64, (96, 128), (16, 32), 32, None),
        inception("3b", 256, 128, (128, 192), (32, 96), 64, Some(pool(3, 2, 0))), // 480 x 14 x 14
        inception("4a", 480, 192, (96, 208), (16, 48), 64, None),
        inception("4b", 512, 160, (112, 224), (24, 64), 64, None),
        inception("4c", 512, 128, (128, 256), (24, 64), 64, None),
        inception("4d", 512, 112, (144, 288), (32, 64), 64, None),
        inception("4e", 528, 256, (160, 320), (32, 128), 128, Some(pool(2, 2, 0))), // 832 x 7 x 7
        inception("5a", 832, 256, (160, 320), (32, 128), 128, None),
        inception("5b", 832, 384, (192, 384), (48, 128), 128, None), // 1024 x 7 x 7
    ];
    let auxiliary = |name: &str, after, channels| Auxiliary {
        after,
        share: 0.3,
        layers: [
            vec![Layer::AverageTo { side: 4 }],
            unit(&format!("{name}.conv"), (channels, 128), 1, 1),
            vec![
                Layer::Flatten,
                linear(format!("{name}.fc1"), 2048, 1024),
                Layer::Relu,
                Layer::Dropout { share: 0.7 },
                linear(format!("{name}.fc2"), 1024, IMAGENET),
            ],
        ]
        .concat(),
    };
    Architecture {
        name: "googlenet".into(),
        layout: "torchvision".into(),
        recipe,
        stages,
        head: vec![
            Layer::AverageTo { side: 1 },
            Layer::Flatten,
            Layer::Dropout { share: 0.2 },
            linear("fc", 1024, IMAGENET),
        ],
        auxiliary: if with_auxiliary {
            vec![auxiliary("aux1", 5, 512), auxiliary("aux2", 8, 528)]
        } else {
            Vec::new()
        },
    }
}

fn unit(name: &str, channels: (usize, usize), kernel: usize, stride: usize) -> Vec<Layer> {
    vec![
        convolution(&format!("{name}.conv"), channels, kernel, stride).into(),
        batch_norm(format!("{name}.bn"), channels.1, 1e-3),
        Layer::Relu,
    ]
}

/// Four branches: 1 x 1, 3 x 3 and what was 5 x 5 behind narrow 1 x 1, and the largest of 3 x 3.
fn inception(
    name: &str,
    inputs: usize,
    one: usize,
    three: (usize, usize),
    five: (usize, usize),
    pooled: usize,
    then: Option<Layer>,
) -> crate::architecture::Stage {
    let name = format!("inception{name}");
    let branch = |number: usize| format!("{name}.branch{number}");
    let narrow = |number: usize, (middle, outputs): (usize, usize)| {
        let first = unit(&format!("{}.0", branch(number)), (inputs, middle), 1, 1);
        [first, unit(&format!("{}.1", branch(number)), (middle, outputs), 3, 1)].concat()
    };
    let largest = Layer::MaxPool { kernel: 3, stride: 1, padding: 1, ceil: true };
    let branches = Layer::Branches(vec![
        unit(&branch(1), (inputs, one), 1, 1),
        narrow(2, three),
        narrow(3, five),
        [vec![largest], unit(&format!("{}.1", branch(4)), (inputs, pooled), 1, 1)].concat(),
    ]);
    stage(name, [branches].into_iter().chain(then).collect())
}
