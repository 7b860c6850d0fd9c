//! Vision transformers on patches of 16 x 16: tiny, small and base as `timm` has them, base also as `torchvision` does.
//!
//! Paper: A. Dosovitskiy et al., "An image is worth 16x16 words: transformers for image recognition at scale", ICLR 2021,
//! table 1; tiny and small: H. Touvron et al., "Training data-efficient image transformers", ICML 2021, table 1.

use super::{IMAGENET, torchvision};
use crate::architecture::{Architecture, Stage, stage};
use crate::images::{Filter, Recipe, Resize};
use crate::layers::{Layer, Padding, convolution, linear};

/// Whose names the tensors bear.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Names {
    Timm,
    Torchvision,
}

/// The network of this `width` (192, 384 or 768), which has heads of 64.
pub(super) fn vit(size: &str, width: usize, names: Names) -> Architecture {
    let timm = names == Names::Timm;
    let [patches, class_token, positions, norm, head] = if timm {
        ["patch_embed.proj", "cls_token", "pos_embed", "norm", "head"]
    } else {
        ["conv_proj", "class_token", "encoder.pos_embedding", "encoder.ln", "heads.head"]
    };
    let mut stages = vec![stage(
        patches,
        vec![
            convolution(patches, (3, width), 16, 16).padded(Padding::Each(0)).biased(), // width x 14 x 14
            Layer::Tokens { class_token: class_token.into(), positions: positions.into(), count: 196, width },
        ],
    )];
    stages.extend((0..12).map(|place| block(place, width, names)));
    stages.push(stage(norm, vec![layer_norm(norm.into(), width), Layer::ClassToken]));
    let recipe = if timm {
        Recipe {
            resize: Resize::ShorterSide(248),
            filter: Filter::Bicubic,
            mean: [0.5; 3],
            deviation: [0.5; 3],
            ..torchvision(248, 224)
        }
    } else {
        torchvision(256, 224)
    };
    Architecture {
        name: format!("vit-{size}"),
        layout: if timm { "timm" } else { "torchvision" }.into(),
        recipe,
        stages,
        head: vec![linear(head, width, IMAGENET)],
        auxiliary: Vec::new(),
    }
}

fn layer_norm(name: String, width: usize) -> Layer {
    Layer::LayerNorm { name, width, epsilon: 1e-6 }
}

/// Attention, then two linear layers four times as wide, each after a normalisation and with a way around.
fn block(place: usize, width: usize, names: Names) -> Stage {
    let (name, [before, attention, between, widen, narrow]) = match names {
        Names::Timm => (format!("blocks.{place}"), ["norm1", "attn", "norm2", "mlp.fc1", "mlp.fc2"]),
        Names::Torchvision => (
            format!("encoder.layers.encoder_layer_{place}"),
            ["ln_1", "self_attention", "ln_2", "mlp.0", "mlp.3"],
        ),
    };
    let within = |part: &str| format!("{name}.{part}");
    let (queries, output) = match names {
        Names::Timm => (["attn.qkv.weight", "attn.qkv.bias"].map(within), "attn.proj".to_string()),
        Names::Torchvision => (
            ["in_proj_weight", "in_proj_bias"].map(|part| within(&format!("{attention}.{part}"))),
            format!("{attention}.out_proj"),
        ),
    };
    let heads = width / 64;
    let attend = Layer::Attention { queries, output: within(&output), width, heads, prefix: None };
    let attend = vec![layer_norm(within(before), width), attend];
    let think = vec![
        layer_norm(within(between), width),
        linear(within(widen), width, 4 * width),
        Layer::Gelu,
        linear(within(narrow), 4 * width, width),
    ];
    let around = |main| Layer::Residual { main, shortcut: Vec::new() };
    stage(&name, vec![around(attend), around(think)])
}
