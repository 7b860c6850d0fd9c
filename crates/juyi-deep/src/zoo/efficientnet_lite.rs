//! `EfficientNet-Lite` 0 to 2: `EfficientNet` without squeeze-and-excitation, with `ReLU6`.
//!
//! Paper: M. Tan and Q. Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019, table 1
//! and equation (3); the changes of Lite are those of Google's published networks: stem, head, first and last group are
//! not scaled.

use super::IMAGENET;
use crate::architecture::{Architecture, Stage, stage};
use crate::images::{Filter, Recipe, Resize};
use crate::layers::{Layer, Padding, batch_norm, convolution, linear};

/// Whose names the tensors bear.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Names {
    /// Of the first port to `PyTorch`: `_blocks.3._depthwise_conv`.
    Port,
    /// `blocks.1.1.conv_dw`.
    Timm,
}

/// Kernel, first stride, widening, channels, blocks of each group.
const GROUPS: [(usize, usize, usize, usize, usize); 7] = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
];

/// Lite 0, 1 or 2.
pub(super) fn efficientnet_lite(size: usize, names: Names) -> Architecture {
    let (wider, deeper, side) = [(1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260)][size];
    let norm = |name: &str, channels| batch_norm(name, channels, 1e-3);
    let port = names == Names::Port;
    let [stem, stem_norm, last, last_norm, head] = if port {
        ["_conv_stem", "_bn0", "_conv_head", "_bn1", "_fc"]
    } else {
        ["conv_stem", "bn1", "conv_head", "bn2", "classifier"]
    };
    let begin = convolution(stem, (3, 32), 3, 2).padded(Padding::Same);
    let mut stages = vec![stage(stem, vec![begin.into(), norm(stem_norm, 32), Layer::Relu6])];
    let (mut inputs, mut number) = (32, 0);
    for (group, (kernel, first_stride, widening, channels, count)) in GROUPS.into_iter().enumerate() {
        let outputs = rounded(channels, wider);
        let fixed = group == 0 || group + 1 == GROUPS.len();
        let count = if fixed { count } else { (f64::ceil(count as f64 * deeper)) as usize };
        for place in 0..count {
            let name = if port { format!("_blocks.{number}") } else { format!("blocks.{group}.{place}") };
            let stride = if place == 0 { first_stride } else { 1 };
            stages.push(block(&name, (inputs, outputs), kernel, widening, stride, names));
            (inputs, number) = (outputs, number + 1);
        }
    }
    let end = convolution(last, (inputs, 1280), 1, 1);
    stages.push(stage(last, vec![end.into(), norm(last_norm, 1280), Layer::Relu6]));
    // 224, 240 or 260 from the middle of 32 more. Google's networks subtract 127 and divide by 128.
    let recipe = Recipe {
        resize: Resize::ShorterSide(side + 32),
        crop: side,
        filter: Filter::Bicubic,
        mean: if port { [127.0 / 255.0; 3] } else { [0.5; 3] },
        deviation: if port { [128.0 / 255.0; 3] } else { [0.5; 3] },
        scale: 1.0 / 255.0,
        blue_first: false,
    };
    Architecture {
        name: format!("efficientnet-lite{size}"),
        layout: if port { "first port" } else { "timm" }.into(),
        recipe,
        stages,
        head: vec![
            Layer::AverageTo { side: 1 },
            Layer::Flatten,
            Layer::Dropout { share: 0.2 },
            linear(head, 1280, IMAGENET),
        ],
        auxiliary: Vec::new(),
    }
}

/// Channels scaled and rounded to eights, by not more than a tenth downwards.
fn rounded(channels: usize, by: f64) -> usize {
    let scaled = channels as f64 * by;
    let near = ((scaled + 4.0) as usize / 8 * 8).max(8);
    if (near as f64) < 0.9 * scaled { near + 8 } else { near }
}

/// Widen by 1 x 1, a kernel on each channel, narrow by 1 x 1 without a limit; around it where nothing changes shape.
fn block(
    name: &str,
    (inputs, outputs): (usize, usize),
    kernel: usize,
    widening: usize,
    stride: usize,
    names: Names,
) -> Stage {
    let wide = inputs * widening;
    let [widen, each, narrow] = match (names, widening) {
        (Names::Port, _) => {
            [["_expand_conv", "_bn0"], ["_depthwise_conv", "_bn1"], ["_project_conv", "_bn2"]]
        }
        (Names::Timm, 1) => [["", ""], ["conv_dw", "bn1"], ["conv_pw", "bn2"]],
        (Names::Timm, _) => [["conv_pw", "bn1"], ["conv_dw", "bn2"], ["conv_pwl", "bn3"]],
    };
    let norm = |part: &str, channels| batch_norm(format!("{name}.{part}"), channels, 1e-3);
    let own = |part: &str, channels, kernel, stride| {
        convolution(&format!("{name}.{part}"), channels, kernel, stride).padded(Padding::Same)
    };
    let mut main: Vec<Layer> = Vec::new();
    if widening > 1 {
        main.extend([own(widen[0], (inputs, wide), 1, 1).into(), norm(widen[1], wide), Layer::Relu6]);
    }
    let each_channel = own(each[0], (wide, wide), kernel, stride).depthwise();
    main.extend([each_channel.into(), norm(each[1], wide), Layer::Relu6]);
    main.extend([own(narrow[0], (wide, outputs), 1, 1).into(), norm(narrow[1], outputs)]);
    let residual = stride == 1 && inputs == outputs;
    stage(name, if residual { vec![Layer::Residual { main, shortcut: Vec::new() }] } else { main })
}
