//! `MobileNetV2` of full width, as `torchvision`, `timm` and the first port to `PyTorch` have it.
//!
//! Paper: M. Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018, table 2.

use super::{IMAGENET, torchvision};
use crate::architecture::{Architecture, Stage, stage};
use crate::layers::{Layer, batch_norm, convolution, linear};

/// Whose names the tensors bear.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Names {
    Torchvision,
    /// Of the first port: a convolution and its normalisation stand in one row, `conv.0`, `conv.1`, `conv.3` …
    Flat,
    Timm,
}

/// Widening, channels, blocks, first stride of each group.
const GROUPS: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

pub(super) fn mobilenet_v2(names: Names) -> Architecture {
    // Names of a convolution and of the normalisation behind it.
    let pair = |torchvision: &str, timm: [&str; 2]| match names {
        Names::Timm => timm.map(String::from),
        _ => [format!("{torchvision}.0"), format!("{torchvision}.1")],
    };
    let first = pair("features.0", ["conv_stem", "bn1"]);
    let mut stages = vec![stage(stem(&first, names), unit(&first, (3, 32), 3, 2, 1))]; // 32 x 112 x 112
    let (mut inputs, mut number) = (32, 1);
    for (group, (widening, outputs, count, first_stride)) in GROUPS.into_iter().enumerate() {
        for place in 0..count {
            let name = match names {
                Names::Timm => format!("blocks.{group}.{place}"),
                _ => format!("features.{number}"),
            };
            let stride = if place == 0 { first_stride } else { 1 };
            stages.push(block(&name, (inputs, outputs), widening, stride, names));
            (inputs, number) = (outputs, number + 1);
        }
    }
    let last = pair("features.18", ["conv_head", "bn2"]);
    stages.push(stage(stem(&last, names), unit(&last, (320, 1280), 1, 1, 1))); // 1280 x 7 x 7
    let (layout, fully_connected) = match names {
        Names::Torchvision => ("torchvision", "classifier.1"),
        Names::Flat => ("first port", "classifier.1"),
        Names::Timm => ("timm", "classifier"),
    };
    Architecture {
        name: "mobilenet-v2".into(),
        layout: layout.into(),
        recipe: torchvision(256, 224),
        stages,
        head: vec![
            Layer::AverageTo { side: 1 },
            Layer::Flatten,
            Layer::Dropout { share: 0.2 },
            linear(fully_connected, 1280, IMAGENET),
        ],
        auxiliary: Vec::new(),
    }
}

/// The name of a stage that is one convolution.
fn stem(pair: &[String; 2], names: Names) -> String {
    if names == Names::Timm { pair[0].clone() } else { pair[0].trim_end_matches(".0").into() }
}

fn unit(
    [own, norm]: &[String; 2],
    channels: (usize, usize),
    kernel: usize,
    stride: usize,
    groups: usize,
) -> Vec<Layer> {
    let mut own = convolution(own, channels, kernel, stride);
    own.groups = groups;
    vec![own.into(), batch_norm(norm, channels.1, 1e-5), Layer::Relu6]
}

/// Widen by 1 x 1, 3 x 3 on each channel, narrow by 1 x 1 without a limit; around it where nothing changes shape.
fn block(
    name: &str,
    (inputs, outputs): (usize, usize),
    widening: usize,
    stride: usize,
    names: Names,
) -> Stage {
    let wide = inputs * widening;
    // Which of the three convolutions, counted from the one that widens.
    let names_of = |which: usize| {
        let step = if widening == 1 { which - 1 } else { which };
        match names {
            Names::Torchvision if which == 2 => {
                [format!("{name}.conv.{step}"), format!("{name}.conv.{}", step + 1)]
            }
            Names::Torchvision => [format!("{name}.conv.{step}.0"), format!("{name}.conv.{step}.1")],
            Names::Flat => [format!("{name}.conv.{}", 3 * step), format!("{name}.conv.{}", 3 * step + 1)],
            Names::Timm => {
                let part = match (widening, which) {
                    (_, 1) => "conv_dw",
                    (1, _) | (_, 0) => "conv_pw",
                    _ => "conv_pwl",
                };
                [format!("{name}.{part}"), format!("{name}.bn{}", step + 1)]
            }
        }
    };
    let mut main = Vec::new();
    if widening > 1 {
        main.extend(unit(&names_of(0), (inputs, wide), 1, 1, 1));
    }
    main.extend(unit(&names_of(1), (wide, wide), 3, stride, wide));
    let mut last = unit(&names_of(2), (wide, outputs), 1, 1, 1);
    last.pop();
    main.extend(last);
    let residual = stride == 1 && inputs == outputs;
    stage(name, if residual { vec![Layer::Residual { main, shortcut: Vec::new() }] } else { main })
}
