//! Small parts put into a pretrained network, which leave it as it is until they are trained.
//!
//! - Bottleneck adapters: N. Houlsby et al., "Parameter-efficient transfer learning for NLP", ICML 2019, figure 2 (in
//!   transformers, at the end of each half of a block); S.-A. Rebuffi, H. Bilen and A. Vedaldi, "Efficient parametrization
//!   of multi-domain deep neural networks", CVPR 2018 (in series, after each stage of a convolutional network):
//!   `x + up(φ(down x))`, `up` zeros at first. The normalisations of the network are learnt along, as in both papers.
//! - Squeeze and excitation: J. Hu, L. Shen and G. Sun, CVPR 2018, equations (2) to (4), with a reduction to a sixteenth
//!   and at least 4 channels.
//! - Efficient channel attention: Q. Wang et al., "ECA-Net", CVPR 2020, equation (9), with the kernel of equation (12).
//!
//! Where we differ: both gates are `2 σ(·)` instead of `σ(·)`, and their last weights zeros at first, so that the
//! pretrained network starts unchanged.

use std::iter;

use juyi::error::Result;

use super::strategy::Strategy;
use crate::architecture::Architecture;
use crate::extents::{Extent, after_all};
use crate::layers::{Layer, convolution, linear};

/// The network with the parts of a strategy; the tensors that are learnt for it, each with its stage; those that are
/// zeros at first.
pub(super) type Inserted = (Architecture, Vec<(String, usize)>, Vec<String>);

/// Puts the parts of a strategy into each stage.
pub(super) fn insert(strategy: Strategy, own: &Architecture) -> Result<Inserted> {
    let mut with = own.clone();
    let (mut added, mut zeros) = (Vec::new(), Vec::new());
    let part = free(own, if gates(strategy) { "gate" } else { "adapter" });
    let mut extent = own.input();
    for (k, stage) in with.stages.iter_mut().enumerate() {
        extent = after_all(&stage.layers, extent)?.0;
        let name = format!("{}.{part}", stage.name);
        match (strategy, extent) {
            (Strategy::Adapters(width), Extent::Tokens(_, tokens)) => {
                let mut place = 0;
                for layer in &mut stage.layers {
                    if let Layer::Residual { main, .. } = layer {
                        let name = format!("{name}.{place}");
                        main.push(Layer::Residual {
                            main: vec![
                                linear(format!("{name}.down"), tokens, width),
                                Layer::Gelu,
                                linear(format!("{name}.up"), width, tokens),
                            ],
                            shortcut: Vec::new(),
                        });
                        zeros.push(format!("{name}.up.weight"));
                        place += 1;
                    }
                }
            }
            (Strategy::Adapters(width), Extent::Map(channels, ..)) => {
                stage.layers.push(Layer::Residual {
                    main: vec![
                        convolution(&format!("{name}.down"), (channels, width), 1, 1).biased(),
                        Layer::Relu,
                        convolution(&format!("{name}.up"), (width, channels), 1, 1).biased(),
                    ],
                    shortcut: Vec::new(),
                });
                zeros.push(format!("{name}.up.weight"));
            }
            (Strategy::SqueezeExcite, Extent::Map(channels, ..)) => {
                let few = (channels / 16).max(4);
                insert_gate(
                    &mut stage.layers,
                    Layer::Gate(vec![
                        Layer::AverageTo { side: 1 },
                        convolution(&format!("{name}.squeeze"), (channels, few), 1, 1).biased(),
                        Layer::Relu,
                        convolution(&format!("{name}.excite"), (few, channels), 1, 1).biased(),
                    ]),
                );
                zeros.push(format!("{name}.excite.weight"));
            }
            (Strategy::ChannelAttention, Extent::Map(channels, ..)) => {
                let near = (0.5 * (channels as f64).log2() + 0.5) as usize;
                let kernel = if near % 2 == 1 { near } else { near + 1 };
                let across = Layer::AcrossChannels { name: format!("{name}.across.weight"), kernel };
                insert_gate(&mut stage.layers, Layer::Gate(vec![Layer::AverageTo { side: 1 }, across]));
                zeros.push(format!("{name}.across.weight"));
            }
            _ => {}
        }
        let learnt = stage.layers.iter().flat_map(Layer::parameters).filter(|parameter| {
            !parameter.statistic
                && (parameter.name.starts_with(&format!("{name}."))
                    || (!gates(strategy) && normalizations(&stage.layers).contains(&parameter.name)))
        });
        added.extend(learnt.map(|parameter| (parameter.name, k)));
    }
    Ok((with, added, zeros))
}

/// The name of the new parts: with a number, where a network has such parts from an earlier tuning.
fn free(own: &Architecture, part: &str) -> String {
    let names: Vec<String> = own.parameters().into_iter().map(|parameter| parameter.name).collect();
    let taken = |part: &String| names.iter().any(|name| name.split('.').any(|own| own == part));
    let numbered = (2..).map(|number| format!("{part}{number}"));
    iter::once(part.to_string()).chain(numbered).find(|part| !taken(part)).unwrap_or_default()
}

fn gates(strategy: Strategy) -> bool {
    matches!(strategy, Strategy::SqueezeExcite | Strategy::ChannelAttention)
}

/// At the end of the way through a residual block, as in the papers; at the end of any other stage.
fn insert_gate(layers: &mut Vec<Layer>, gate: Layer) {
    match layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::Residual { main, .. } => Some(main),
        _ => None,
    }) {
        Some(main) => main.push(gate),
        None => layers.push(gate),
    }
}

/// The scales and shifts of normalisations.
fn normalizations(layers: &[Layer]) -> Vec<String> {
    let mut names = Vec::new();
    for layer in layers {
        match layer {
            Layer::BatchNorm { .. } | Layer::LayerNorm { .. } => {
                names.extend(layer.parameters().into_iter().map(|parameter| parameter.name));
            }
            Layer::Residual { main, shortcut } => {
                names.extend(normalizations(main));
                names.extend(normalizations(shortcut));
            }
            Layer::Branches(branches) => names.extend(branches.iter().flat_map(|own| normalizations(own))),
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::{Activation, Mode};
    use crate::network::Network;
    use crate::zoo::network;
    use burn::tensor::Device;
    use juyi::context::Context;

    /// Scores of a picture before and after parts were put in, which are still zeros.
    #[test]
    fn nothing_changes_before_training() {
        for (name, strategy) in [
            ("resnet18", Strategy::Adapters(4)),
            ("resnet18", Strategy::SqueezeExcite),
            ("mobilenet-v2", Strategy::ChannelAttention),
            ("vit-tiny", Strategy::Adapters(4)),
        ] {
            let context = Context::default();
            let plain =
                Network::from_chance(network(name).unwrap().with_classes(5), &context, &Device::flex());
            let (with, added, zeros) = insert(strategy, &plain.architecture).unwrap();
            let mut more = Network::extended(&plain, with, &context);
            for name in &zeros {
                let count = more.numbers(name).len();
                more.set(name, vec![0.0; count]);
            }
            assert!(!added.is_empty() && zeros.iter().all(|zero| added.iter().any(|(own, _)| own == zero)));
            let side = plain.architecture.recipe.crop;
            let picture: Vec<f32> = (0..3 * side * side).map(|k| ((k % 97) as f32) / 50.0 - 1.0).collect();
            let scores = |network: &Network| {
                let input = Activation::new(picture.clone(), network.architecture.input(), network.device());
                let stages = network.architecture.stages.len();
                let mode = &mut Mode::Inference;
                network
                    .scores(network.run(0..stages, input, mode), mode)
                    .into_data()
                    .try_into_vec::<f32>()
                    .unwrap()
            };
            let (before, after) = (scores(&plain), scores(&more));
            for (a, b) in before.iter().zip(&after) {
                assert!((a - b).abs() <= 1e-5 * a.abs().max(1.0), "{name}, {strategy}: {a} and {b}");
            }
        }
    }
}
