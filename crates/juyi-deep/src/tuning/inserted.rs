//! Small parts put into a pretrained network, which leave it as it is until they are trained.
//!
//! - Bottleneck adapters: N. Houlsby et al., "Parameter-efficient transfer learning for NLP", ICML 2019, figure 2 (in
//!   transformers, at the end of each half of a block; in convolutional networks, of which the paper does not speak, after
//!   each stage): `x + up(φ(down x))`, `up` zeros at first. The normalisations of the network are learnt along, as there.
//! - Residual adapters: see `convolution_adapters`.
//! - Squeeze and excitation: J. Hu, L. Shen and G. Sun, CVPR 2018, equations (2) to (4), with a reduction to a sixteenth
//!   and at least 4 channels.
//! - Efficient channel attention: Q. Wang et al., "ECA-Net", CVPR 2020, equation (9), with the kernel of equation (12).
//! - Convolutional block attention: S. Woo et al., "CBAM", ECCV 2018, equation (2) for channels, then (3) for places.
//! - Prefixes: X. L. Li and P. Liang, "Prefix-tuning", ACL 2021: keys and values of their own, which all tokens of a block
//!   see.
//!
//! Where we differ: gates are `2 σ(·)` instead of `σ(·)`, and their last weights zeros at first, so that the pretrained
//! network starts unchanged. Prefixes are learnt as they are, not through the paper's network for them; the first ones are
//! small numbers by chance, which change the scores a little.

use std::iter;

use juyi::error::Result;

use super::convolution_adapters::{Made, Place, adapt};
use super::strategy::Strategy;
use crate::architecture::Architecture;
use crate::extents::Extent;
use crate::fit::after_all;
use crate::layers::{Layer, convolution, linear, within};

/// A network with the parts of a strategy.
pub(super) struct Inserted {
    pub(super) with: Architecture,
    /// The tensors that are learnt for it, each with its stage; none where it has no place.
    pub(super) added: Vec<(String, usize)>,
    /// Those that are zeros at first.
    pub(super) zeros: Vec<String>,
    /// Statistics, each with the name of those that it begins with.
    pub(super) copies: Vec<(String, String)>,
}

/// Puts the parts of a strategy into each stage.
pub(super) fn insert(strategy: Strategy, own: &Architecture) -> Result<Inserted> {
    let mut with = own.clone();
    let (mut added, mut zeros, mut made) = (Vec::new(), Vec::new(), Made::default());
    let beside = match strategy {
        Strategy::SeriesAdapters => Some(Place::Series),
        Strategy::ParallelAdapters => Some(Place::Parallel),
        _ => None,
    };
    let part = match strategy {
        Strategy::Adapters(_) | Strategy::SeriesAdapters | Strategy::ParallelAdapters => free(own, "adapter"),
        Strategy::Prefix(_) => "prefix".into(), // one that is there is learnt on
        _ => free(own, "gate"),
    };
    // The one convolution of a transformer makes its tokens.
    let of_tokens = own.facts()?.iter().any(|fact| matches!(fact.extent, Extent::Tokens(..)));
    let mut extent = own.input();
    for (k, stage) in with.stages.iter_mut().enumerate() {
        let from = extent;
        extent = after_all(&stage.layers, from)?.0;
        let name = format!("{}.{part}", stage.name);
        if let (Some(place), false) = (beside, of_tokens) {
            stage.layers = adapt(std::mem::take(&mut stage.layers), from, place, &part, &mut made)?;
        }
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
            (Strategy::Prefix(count), Extent::Tokens(..)) => {
                for layer in &mut stage.layers {
                    let Layer::Residual { main, .. } = layer else { continue };
                    for layer in main {
                        if let Layer::Attention { prefix, .. } = layer {
                            prefix.get_or_insert((name.clone(), count));
                        }
                    }
                }
            }
            (Strategy::SqueezeExcite, Extent::Map(channels, ..)) => {
                let mut layers = vec![Layer::AverageTo { side: 1 }];
                layers.extend(squeeze_and_excite(&name, channels));
                insert_gates(&mut stage.layers, [Layer::Gate(layers)]);
                zeros.push(format!("{name}.excite.weight"));
            }
            (Strategy::BlockAttention, Extent::Map(channels, ..)) => {
                let of_channels = Layer::OfMeanAndLargest(squeeze_and_excite(&name, channels));
                let places = convolution(&format!("{name}.places"), (2, 1), 7, 1);
                insert_gates(
                    &mut stage.layers,
                    [
                        Layer::Gate(vec![of_channels]),
                        Layer::Gate(vec![Layer::MeanAndLargestChannel, places.into()]),
                    ],
                );
                zeros.extend(["excite", "places"].map(|own| format!("{name}.{own}.weight")));
            }
            (Strategy::ChannelAttention, Extent::Map(channels, ..)) => {
                let near = (0.5 * (channels as f64).log2() + 0.5) as usize;
                let kernel = if near % 2 == 1 { near } else { near + 1 };
                let across = Layer::AcrossChannels { name: format!("{name}.across.weight"), kernel };
                insert_gates(&mut stage.layers, [Layer::Gate(vec![Layer::AverageTo { side: 1 }, across])]);
                zeros.push(format!("{name}.across.weight"));
            }
            _ => {}
        }
        let adapters = matches!(strategy, Strategy::Adapters(_)) || beside.is_some() && !of_tokens;
        let normalizations = if adapters { normalizations(&stage.layers) } else { Vec::new() };
        let begins =
            |own: &str, name: &String| own.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let learnt = stage.layers.iter().flat_map(Layer::parameters).filter(|parameter| {
            !parameter.statistic
                && (parameter.name == name
                    || begins(&parameter.name, &name)
                    || made.parts.iter().any(|part| begins(&parameter.name, part))
                    || normalizations.contains(&parameter.name))
        });
        added.extend(learnt.map(|parameter| (parameter.name, k)));
    }
    zeros.extend(made.zeros);
    Ok(Inserted { with, added, zeros, copies: made.copies })
}

/// The name of the new parts: with a number, where a network has such parts from an earlier tuning.
fn free(own: &Architecture, part: &str) -> String {
    let names: Vec<String> = own.parameters().into_iter().map(|parameter| parameter.name).collect();
    let taken = |part: &String| names.iter().any(|name| name.split('.').any(|own| own == part));
    let numbered = (2..).map(|number| format!("{part}{number}"));
    iter::once(part.to_string()).chain(numbered).find(|part| !taken(part)).unwrap_or_default()
}

/// From a number of each channel to one that tells how strong it is to be.
fn squeeze_and_excite(name: &str, channels: usize) -> Vec<Layer> {
    let few = (channels / 16).max(4);
    vec![
        convolution(&format!("{name}.squeeze"), (channels, few), 1, 1).biased(),
        Layer::Relu,
        convolution(&format!("{name}.excite"), (few, channels), 1, 1).biased(),
    ]
}

/// At the end of the way through a residual block, as in the papers; at the end of any other stage.
fn insert_gates(layers: &mut Vec<Layer>, gates: impl IntoIterator<Item = Layer>) {
    match layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::Residual { main, .. } => Some(main),
        _ => None,
    }) {
        Some(main) => main.extend(gates),
        None => layers.extend(gates),
    }
}

/// The scales and shifts of normalisations.
fn normalizations(layers: &[Layer]) -> Vec<String> {
    let mut names = Vec::new();
    within(layers, &mut |_, layer| {
        if let Layer::BatchNorm { .. } | Layer::LayerNorm { .. } = layer {
            names.extend(layer.parameters().into_iter().map(|parameter| parameter.name));
        }
    });
    names
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::architecture::{Stage, stage};
    use crate::forward::{Activation, Mode};
    use crate::layers::batch_norm;
    use crate::network::Network;
    use crate::tuning::plan::Plan;
    use crate::zoo::network;
    use burn::tensor::{Device, Tensor};
    use juyi::context::Context;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        tune: String,
        given: Numbers,
        tensors: BTreeMap<String, Numbers>,
        out: Numbers,
        /// Of half the sum of squares of `out`.
        derivatives: BTreeMap<String, Vec<f32>>,
    }

    #[derive(Deserialize)]
    struct Numbers {
        shape: Vec<usize>,
        values: Vec<f32>,
    }

    fn close(case: &str, own: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(own.len(), expected.len(), "{case}");
        for (a, b) in own.iter().zip(expected) {
            assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{case}: {a}, not {b}");
        }
    }

    /// A stage `s` of maps, or one of tokens, behind one that makes such of a picture.
    fn small(given: &Numbers, convolves: bool) -> [Stage; 2] {
        let around = |main| Layer::Residual { main, shortcut: Vec::new() };
        let width = given.shape[given.shape.len() - 1];
        if convolves {
            let kernel = convolution("s.conv", (given.shape[1], 6), 3, 2).into();
            return [
                stage("first", vec![convolution("c", (3, given.shape[1]), 1, 1).into()]),
                stage("s", vec![kernel, batch_norm("s.norm", 6, 1e-5), Layer::Relu]),
            ];
        }
        if given.shape.len() == 4 {
            return [
                stage("first", vec![convolution("c", (3, given.shape[1]), 1, 1).into()]),
                stage("s", Vec::new()),
            ];
        }
        let (class_token, positions) = ("class".into(), "positions".into());
        let tokens = Layer::Tokens { class_token, positions, count: 4, width };
        let queries = ["s.attn.qkv.weight", "s.attn.qkv.bias"].map(String::from);
        let attend =
            Layer::Attention { queries, output: "s.attn.proj".into(), width, heads: 2, prefix: None };
        let think =
            vec![linear("s.mlp.fc1", width, 4 * width), Layer::Gelu, linear("s.mlp.fc2", 4 * width, width)];
        [
            stage("first", vec![convolution("c", (3, width), 1, 1).into(), tokens]),
            stage("s", vec![around(vec![attend]), around(think)]),
        ]
    }

    #[test]
    fn parts_are_those_of_the_packages() {
        let read = |text| serde_json::from_str::<Golden>(text).unwrap().cases;
        let cases = read(include_str!("../../tests/golden/inserted.json"));
        let adapters = read(include_str!("../../tests/golden/adapters.json"));
        for Case { tune, given, tensors, out, derivatives } in cases.into_iter().chain(adapters) {
            let mut own = network("resnet18").unwrap();
            own.recipe.crop = 2;
            let convolves = tensors.contains_key("s.conv.weight");
            (own.stages, own.head) = (small(&given, convolves).to_vec(), Vec::new());
            let (context, device) = (Context::default(), Device::flex());
            let plain = Network::from_chance(own, &context, &device);
            let plan = Plan::new(tune.parse().unwrap(), plain, &BTreeSet::new(), false, 1, &context).unwrap();
            let mut with = plan.network;
            let learnt: Vec<&String> = plan.learnt.keys().filter(|own| own.starts_with("s.")).collect();
            assert!(learnt.iter().all(|own| derivatives.contains_key(*own)), "{tune}");
            for (name, own) in tensors {
                with.set(&name, own.values);
            }
            let extent = match given.shape[..] {
                [_, channels, rows, columns] => Extent::Map(channels, rows, columns),
                _ => Extent::Tokens(given.shape[1], given.shape[2]),
            };
            let run = |network: &Network| {
                let x = Activation::new(given.values.clone(), extent, &device);
                network.run(1..2, x, &mut Mode::Inference)
            };
            close(&tune, &run(&with).into_numbers(), &out.values, 1e-5);
            // Only what is learnt is followed, as in a training.
            let tracked = with.tracked(learnt.iter().copied());
            let loss: Tensor<1> = match run(&tracked) {
                Activation::Map(x) => (x.clone() * x).sum(),
                Activation::Tokens(x) => (x.clone() * x).sum(),
                Activation::Vector(x) => (x.clone() * x).sum(),
            };
            let found = loss.mul_scalar(0.5).backward();
            for name in learnt {
                close(name, &tracked.gradient(name, &found), &derivatives[name], 1e-4);
            }
            // Merged, the same comes out of what is left behind.
            with.merge();
            close(&tune, &run(&with).into_numbers(), &out.values, 1e-5);
            assert!(with.architecture.parameters().iter().all(|own| !with.numbers(&own.name).is_empty()));
        }
    }

    /// Scores of a picture before and after parts were put in, which are still zeros or, as factors, ones.
    #[test]
    fn nothing_changes_before_training() {
        for (name, strategy) in [
            ("resnet18", Strategy::Adapters(4)),
            ("resnet18", Strategy::SeriesAdapters),
            ("resnet18", Strategy::ParallelAdapters),
            ("mobilenet-v2", Strategy::SeriesAdapters),
            ("efficientnet-lite0", Strategy::ParallelAdapters),
            ("alexnet", Strategy::ParallelAdapters),
            ("googlenet", Strategy::ParallelAdapters),
            ("resnet18", Strategy::SqueezeExcite),
            ("resnet18", Strategy::Factors),
            ("mobilenet-v2", Strategy::ChannelAttention),
            ("mobilenet-v2", Strategy::BlockAttention),
            ("vit-tiny", Strategy::Adapters(4)),
            ("vit-tiny", Strategy::Factors),
        ] {
            let context = Context::default();
            let plain =
                Network::from_chance(network(name).unwrap().with_classes(5), &context, &Device::flex());
            let plan = Plan::new(strategy, plain.clone(), &BTreeSet::new(), false, 1, &context).unwrap();
            let side = plain.architecture.recipe.crop;
            let picture: Vec<f32> = (0..3 * side * side).map(|k| ((k % 97) as f32) / 50.0 - 1.0).collect();
            let scores = |network: &Network| {
                let input = Activation::new(picture.clone(), network.architecture.input(), network.device());
                let stages = network.architecture.stages.len();
                let mode = &mut Mode::Inference;
                let scores = network.scores(network.run(0..stages, input, mode), mode);
                scores.into_data().try_into_vec::<f32>().unwrap()
            };
            close(&format!("{name}, {strategy}"), &scores(&plan.network), &scores(&plain), 1e-5);
        }
    }

    /// Beside the normalisations of the network and its head, of ResNet-18: `outputs² + 2 outputs` a convolution in series,
    /// `inputs outputs` in parallel.
    #[test]
    fn adapters_have_as_many_numbers_as_the_papers_say() {
        let sides =
            [(3, 64), (64, 64), (64, 64), (64, 64), (64, 64), (64, 128), (128, 128), (128, 128), (128, 128)];
        let more =
            [(128, 256), (256, 256), (256, 256), (256, 256), (256, 512), (512, 512), (512, 512), (512, 512)];
        let all = || sides.into_iter().chain(more);
        for (strategy, expected) in [
            (
                Strategy::SeriesAdapters,
                all().map(|(_, outputs)| outputs * outputs + 2 * outputs).sum::<usize>(),
            ),
            (Strategy::ParallelAdapters, all().map(|(inputs, outputs)| inputs * outputs).sum()),
        ] {
            let context = Context::default();
            let plain = Network::from_chance(network("resnet18").unwrap(), &context, &Device::flex());
            let plan = Plan::new(strategy, plain, &BTreeSet::new(), false, 1, &context).unwrap();
            let own = plan.learnt.keys().filter(|name| name.contains(".adapter."));
            assert_eq!(
                own.map(|name| plan.network.numbers(name).len()).sum::<usize>(),
                expected,
                "{strategy}"
            );
            assert!(
                plan.learnt.contains_key("layer2.0.downsample.1.weight")
                    && plan.learnt.contains_key("bn1.bias")
            );
            assert!(!plan.learnt.contains_key("layer1.0.conv1.weight"));
        }
    }

    #[test]
    fn a_network_without_a_place_for_a_part_refuses_it() {
        let context = Context::default();
        for (name, strategy) in [
            ("squeezenet1-1", "prefix:2"),
            ("vit-tiny", "se"),
            ("vit-tiny", "eca"),
            ("vit-tiny", "cbam"),
            ("vit-tiny", "adapters:series"),
            ("vit-tiny", "adapters:parallel"),
        ] {
            let plain = Network::from_chance(network(name).unwrap(), &context, &Device::flex());
            let refused = Plan::new(strategy.parse().unwrap(), plain, &BTreeSet::new(), false, 1, &context);
            let said = refused.unwrap_err().to_string();
            assert!(said.contains(&format!("a place in `{name}`")), "{said}");
        }
    }
}
