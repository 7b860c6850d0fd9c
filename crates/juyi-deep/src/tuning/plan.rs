//! What a strategy makes of a network: which parts are trained, from when on, and how fast.

use std::collections::{BTreeMap, BTreeSet};

use juyi::context::Context;
use juyi::error::Result;

use super::inserted::{Inserted, insert};
use super::param;
use super::strategy::Strategy;
use crate::architecture::Architecture;
use crate::layers::{Layer, Parameter, within};
use crate::network::Network;
use crate::tensors::check_size;

/// A network and what of it is to be learnt.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// As it starts.
    pub(super) network: Network,
    /// Stages before this one stay as they are.
    pub(super) first: usize,
    /// The tensors that are learnt.
    pub(super) learnt: BTreeMap<String, Pace>,
    /// Those among them that come from the checkpoint.
    pub(super) known: BTreeSet<String>,
}

/// How a tensor is learnt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// What the rate is multiplied by.
    pub(super) factor: f64,
    /// The epoch from which on.
    pub(super) from: usize,
    /// The stage that it belongs to; none for heads.
    pub(super) stage: Option<usize>,
}

/// How much faster a head that was drawn at random is learnt.
const NEW_HEAD: f64 = 10.0;
/// How much more slowly the first stage is learnt than the head, layer by layer: 2.6 four times over.
const SLOWEST: f64 = 1.0 / 45.7;

impl Plan {
    /// What a strategy makes of a network with the right number of classes, whose tensors named `known` are the
    /// checkpoint's. `solved` tells that its head is the solution on frozen features.
    pub(super) fn new(
        strategy: Strategy,
        mut network: Network,
        known: &BTreeSet<String>,
        solved: bool,
        epochs: usize,
        context: &Context,
    ) -> Result<Self> {
        let stages = network.architecture.stages.len();
        let range = match strategy {
            Strategy::Last(count) if count <= stages => stages - count..stages,
            Strategy::Stages(first, last) if last < stages => first..last + 1,
            Strategy::Last(_) | Strategy::Stages(..) => {
                let must = format!("about the {stages} stages of `{}`", network.architecture.name);
                return Err(param("‹tune›", must, &strategy.to_string()));
            }
            Strategy::Head => stages..stages,
            _ => 0..stages,
        };
        let mut learnt = BTreeMap::new();
        let head = if solved { 1.0 } else { NEW_HEAD };
        let new_head = Pace { factor: head, from: 0, stage: None };
        let new_part = |(name, stage): (String, usize)| (name, Pace { stage: Some(stage), ..new_head });
        match strategy {
            Strategy::LowRank(rank) => {
                for (stage, name) in weights(&network.architecture, rank) {
                    let pace = Pace { factor: 1.0, from: 0, stage: Some(stage) };
                    for part in network.add_low_rank(&name, rank, 1.0, context) {
                        learnt.insert(part, pace);
                    }
                }
            }
            Strategy::Factors => {
                learnt.extend(add_factors(&mut network).into_iter().map(new_part));
            }
            Strategy::Adapters(_)
            | Strategy::SeriesAdapters
            | Strategy::ParallelAdapters
            | Strategy::SqueezeExcite
            | Strategy::ChannelAttention
            | Strategy::BlockAttention
            | Strategy::Prefix(_) => {
                let Inserted { with, added, zeros, copies } = insert(strategy, &network.architecture)?;
                if added.is_empty() {
                    let must = format!("one with a place in `{}`", network.architecture.name);
                    return Err(param("‹tune›", must, &strategy.to_string()));
                }
                check_size(&with, context)?;
                network = Network::extended(&network, with, context);
                for name in zeros {
                    let count = network.numbers(&name).len();
                    network.set(&name, vec![0.0; count]);
                }
                for (name, from) in copies {
                    network.set(&name, network.numbers(&from));
                }
                learnt.extend(added.into_iter().map(new_part));
            }
            _ => {
                for stage in range.clone() {
                    let depth = stages - stage; // 1 for the last
                    let factor = match strategy {
                        Strategy::LayerWise => SLOWEST.powf(depth as f64 / stages as f64),
                        _ => 1.0,
                    };
                    // All are learnt in the second half.
                    let from = match strategy {
                        Strategy::Gradual => (depth * epochs).div_ceil(2 * stages),
                        _ => 0,
                    };
                    let own = network.architecture.stages[stage].layers.iter().flat_map(Layer::parameters);
                    for Parameter { name, .. } in own.filter(|own| !own.statistic) {
                        learnt.insert(name, Pace { factor, from, stage: Some(stage) });
                    }
                }
            }
        }
        let first = learnt.values().filter_map(|pace| pace.stage).min().unwrap_or(stages);
        let heads = network.architecture.auxiliary.iter().filter(|own| own.after >= first);
        let heads = heads.flat_map(|own| &own.layers).chain(&network.architecture.head);
        for Parameter { name, statistic, .. } in heads.flat_map(Layer::parameters) {
            if !statistic {
                let own = known.contains(&name) || strategy == Strategy::Scratch;
                learnt.insert(name, if own { Pace { factor: 1.0, ..new_head } } else { new_head });
            }
        }
        let known = learnt.keys().filter(|name| known.contains(*name)).cloned().collect();
        Ok(Self { network, first, learnt, known })
    }
}

/// Puts factors that are ones at first on keys and values, and on what goes into the second linear layer of each block
/// (H. Liu et al., "Few-shot parameter-efficient fine-tuning is better and cheaper than in-context learning", `NeurIPS`
/// 2022, section 3.3); in convolutional networks, of which the paper does not speak, on the channels that go into each
/// convolution that mixes channels, but for the first. Their names, each with its stage.
fn add_factors(network: &mut Network) -> Vec<(String, usize)> {
    let own = network.architecture.clone();
    let mut added = Vec::new();
    for (k, stage) in own.stages.iter().enumerate() {
        within(&stage.layers, &mut |before, layer| match (before, layer) {
            (_, Layer::Attention { queries, width, .. }) => {
                added.push((network.add_output_factors(queries, 2 * width), k));
            }
            (Some(Layer::Gelu), Layer::Linear { name, .. }) => {
                added.push((network.add_input_factors(&format!("{name}.weight")), k));
            }
            (_, Layer::Convolution(own)) if own.groups == 1 && own.inputs != 3 => {
                added.push((network.add_input_factors(&format!("{}.weight", own.name)), k));
            }
            _ => {}
        });
    }
    added
}

/// The weights that are larger than products of this rank, with their stages; those that look at one channel are not.
fn weights(own: &Architecture, rank: usize) -> Vec<(usize, String)> {
    let large = |shape: &[usize]| {
        shape.len().is_multiple_of(2)
            && shape[0] > rank
            && shape[1] > 1
            && shape[1..].iter().product::<usize>() > rank
    };
    let stages = own.stages.iter().enumerate();
    let all = stages.flat_map(|(k, stage)| {
        stage.layers.iter().flat_map(Layer::parameters).map(move |parameter| (k, parameter))
    });
    all.filter(|(_, own)| large(&own.shape)).map(|(k, own)| (k, own.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::network;
    use burn::tensor::Device;

    fn plan(strategy: &str) -> Plan {
        let own = network("resnet18").unwrap().with_classes(3);
        let known = own.stages.iter().flat_map(|stage| &stage.layers).flat_map(Layer::parameters);
        let known = known.map(|own| own.name).collect();
        let network = Network::from_chance(own, &Context::default(), &Device::flex());
        Plan::new(strategy.parse().unwrap(), network, &known, false, 20, &Context::default()).unwrap()
    }

    #[test]
    fn what_each_strategy_learns_of_resnet18() {
        let names = |plan: &Plan| plan.learnt.keys().cloned().collect::<Vec<String>>();
        let head = plan("head");
        assert_eq!((head.first, names(&head)), (9, vec!["fc.bias".into(), "fc.weight".into()]));
        let last = plan("last:1");
        assert_eq!((last.first, last.learnt.len()), (8, 8));
        assert_eq!(
            (last.learnt["fc.weight"].factor, last.learnt["layer4.1.conv1.weight"].factor),
            (10.0, 1.0)
        );
        assert!(last.known.contains("layer4.1.bn2.bias") && !last.known.contains("fc.bias"));
        // 9 stages in 10 epochs: the last from the second on, the first from the eleventh.
        let gradual = plan("gradual");
        let from = |name: &str| gradual.learnt[name].from;
        assert_eq!((from("fc.bias"), from("layer4.1.conv1.weight"), from("conv1.weight")), (0, 2, 10));
        let slow = plan("layer-wise").learnt["conv1.weight"].factor;
        assert!((slow * 45.7 - 1.0).abs() < 1e-12);
        // Rank 4 of (64, 64 · 9): 4 · (64 + 576) numbers.
        let lora = plan("lora:4");
        let count = |name: &str| lora.network.numbers(name).len();
        assert_eq!(count("layer1.0.conv1.weight.up") + count("layer1.0.conv1.weight.down"), 4 * 640);
        assert!(!lora.learnt.contains_key("layer1.0.conv1.weight"));
        for strategy in ["adapters:8", "adapters:series", "adapters:parallel", "se", "eca", "cbam"] {
            let own = plan(strategy);
            assert!(own.network.architecture.facts().is_ok() && !own.learnt.contains_key("conv1.weight"));
        }
        let error =
            Plan::new(Strategy::Last(10), head.network, &BTreeSet::new(), false, 1, &Context::default());
        assert!(error.unwrap_err().to_string().contains("the 9 stages of `resnet18`"));
    }
}
