//! DELTA: the maps that stages give stay near those that the checkpoint's network gives for the same pictures, channels
//! that matter for the new classes most of all.
//!
//! Paper: X. Li, H. Xiong, H. Wang, Y. Rao, L. Liu and J. Huan, "DELTA: deep learning transfer using feature map with
//! attention for convolutional networks", ICLR 2019, equations (5) to (7):
//! ```text
//! α/2 Σ_i Σ_j W_ij |FM_ij(w, x) - FM_ij(w⁰, x)|²,   W_i = softmax of L(w⁰ without channel j) - L(w⁰)
//! ```
//! `i` runs over stages, `j` over their channels. `L(w⁰ without j)` is the loss of the network as it was with the head that
//! solves the problem on its features, the channel set to 0, over some of the pictures, of each class in turn. As in the
//! authors' program the increases are brought to mean 0 and deviation 1 and divided by a temperature before the softmax,
//! the squared distance is divided by the places of a map, and the stages are those after which maps get smaller, and the
//! last. Weight decay is left to what is new, such as the head (`β`), as in L2-SP.
//!
//! Where we differ: the paper sets the filter to 0 that makes a channel, which leaves the shift of its normalisation; here
//! it is the channel itself that leaves the stage.
//!
//! Cost: before the training, for each picture that is looked at and each channel of the stages a pass through what comes
//! after the stage; then the passes forwards of a second network over the stages that are trained.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Tensor;
use juyi::context::Context;
use juyi::error::Result;
use serde::{Deserialize, Serialize};

use super::{Pass, Regularizer, pull_to_zero};
use crate::architecture::Architecture;
use crate::extents::Extent;
use crate::forward::{Activation, Mode};
use crate::network::{Network, numbers};
use crate::tuning::inputs::Inputs;
use crate::tuning::memory::forwards;
use crate::tuning::scores::by_parts;

/// How channels are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// The stages whose maps are held.
    #[serde(rename = "delta.stages")]
    pub stages: Stages,
    /// Most pictures by which channels are weighed; at least 1.
    #[serde(rename = "delta.pictures")]
    pub pictures: usize,
    /// What the increases are divided by; above 0, finite. The larger, the more alike channels count.
    #[serde(rename = "delta.temperature")]
    pub temperature: f64,
}

/// The stages whose maps are held, among those that are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stages {
    /// Those after which maps get smaller, and the last.
    Sizes,
    /// All.
    All,
}

impl Default for Attention {
    fn default() -> Self {
        Self { stages: Stages::Sizes, pictures: 16, temperature: 5.0 }
    }
}

impl Stages {
    /// Their numbers, from stage `first` on.
    fn of(self, own: &Architecture, first: usize) -> Result<Vec<usize>> {
        let extents: Vec<Extent> = own.facts()?.into_iter().map(|fact| fact.extent).collect();
        let places = |stage: usize| match extents[stage] {
            Extent::Map(_, rows, columns) => rows * columns,
            Extent::Tokens(count, _) => count,
            Extent::Vector(_) => 1,
        };
        let last = own.stages.len() - 1;
        let held = |&stage: &usize| self == Self::All || stage == last || places(stage + 1) < places(stage);
        Ok((first..=last).filter(held).collect())
    }
}

pub(in crate::tuning) struct Delta {
    /// α.
    pub(in crate::tuning) strength: f64,
    /// β.
    pub(in crate::tuning) new: f64,
    /// The network as it was.
    pub(in crate::tuning) before: Network,
    /// The tensors that the checkpoint has.
    pub(in crate::tuning) known: BTreeSet<String>,
    /// `W` of each stage that is held, a number a channel; they add up to 1.
    pub(in crate::tuning) channels: BTreeMap<usize, Vec<f32>>,
}

impl Regularizer for Delta {
    fn loss(&self, pass: &Pass<'_>) -> Option<Tensor<1>> {
        let device = self.before.device();
        let mut x = Activation::new(pass.inputs.to_vec(), pass.extent, device);
        let mut sum: Option<Tensor<1>> = None;
        for (stage, now) in (pass.first..).zip(pass.levels) {
            x = self.before.run(stage..stage + 1, x, &mut Mode::Inference);
            let Some(weights) = self.channels.get(&stage) else { continue };
            let weights: Tensor<1> = Tensor::from_floats(&weights[..], device);
            let Some(apart) = apart(now.clone(), x.clone(), weights) else { continue };
            sum = Some(sum.map_or(apart.clone(), |sum| sum + apart));
        }
        sum.map(|sum| sum.mul_scalar(0.5 * self.strength))
    }

    fn pull(&self, name: &str, values: &[f32], gradient: &mut [f32]) {
        if !self.known.contains(name) {
            pull_to_zero(self.new, values, gradient);
        }
    }

    fn holds(&self, _: &str) -> bool {
        true
    }
}

/// `Σ_j W_j |a_j - b_j|² / places`, over all pictures.
fn apart(a: Activation, b: Activation, weights: Tensor<1>) -> Option<Tensor<1>> {
    let by_channel: Tensor<1> = match (a, b) {
        (Activation::Map(a), Activation::Map(b)) => {
            let [_, channels, rows, columns] = a.dims();
            let squares = (a - b).powf_scalar(2.0);
            squares.sum_dim(0).sum_dim(2).sum_dim(3).reshape([channels]).div_scalar((rows * columns) as f64)
        }
        (Activation::Tokens(a), Activation::Tokens(b)) => {
            let [_, tokens, width] = a.dims();
            let squares = (a - b).powf_scalar(2.0);
            squares.sum_dim(0).sum_dim(1).reshape([width]).div_scalar(tokens as f64)
        }
        (Activation::Vector(a), Activation::Vector(b)) => {
            let width = a.dims()[1];
            (a - b).powf_scalar(2.0).sum_dim(0).reshape([width])
        }
        _ => return None,
    };
    Some((by_channel * weights).sum())
}

/// `W` of each stage that is held, by the pictures `which`; `network` is the one as it was, with the solved head, and
/// `first` the stage that the inputs go into.
pub(super) fn weigh(
    own: Attention,
    network: &Network,
    first: usize,
    inputs: &Inputs<'_>,
    which: &[usize],
    classes: &[usize],
    context: &mut Context,
) -> Result<BTreeMap<usize, Vec<f32>>> {
    let facts = network.architecture.facts()?;
    let stages = own.stages.of(&network.architecture, first)?;
    let channels = |&stage: &usize| match facts[stage].extent {
        Extent::Map(channels, ..) => channels,
        Extent::Tokens(_, width) | Extent::Vector(width) => width,
    };
    let all: usize = stages.iter().map(channels).sum();
    let products = |from: usize| facts[from..].iter().map(|fact| fact.products).sum::<u64>() as f64;
    let passes: f64 = stages.iter().map(|stage| channels(stage) as f64 * products(stage + 1)).sum();
    let text = format!(
        "{all} channels of {} stages are weighed by {} pictures: the work of {:.0} passes of the network",
        stages.len(),
        which.len(),
        (passes / products(0) * which.len() as f64).ceil()
    );
    context.note("delta", text);
    let mut sums = vec![0.0; all];
    let held = forwards(network, first, 1)?;
    let threads = rayon::current_num_threads();
    for (number, group) in which.chunks(threads).enumerate() {
        context.progress("channels that matter", number * threads, which.len());
        let one = |input: &[f32]| scores_without(network, first, &stages, input, inputs.extent());
        let found = by_parts(inputs, group, 1, held, &one, context)?;
        let each = found.len() / group.len();
        for (scores, &at) in found.chunks_exact(each).zip(group) {
            let count = scores.len() / (all + 1);
            let loss = |scores: &[f32]| cross_entropy(scores, classes[at]);
            let whole = loss(&scores[..count]);
            for (sum, without) in sums.iter_mut().zip(scores[count..].chunks_exact(count)) {
                *sum += (loss(without) - whole) / which.len() as f64;
            }
        }
    }
    let mut rest = &sums[..];
    let weights = stages.iter().map(|stage| {
        let (own_sums, more) = rest.split_at(channels(stage));
        rest = more;
        (*stage, softmax(own_sums, own.temperature))
    });
    Ok(weights.collect())
}

/// The scores of a picture, then those without each channel of each of `stages`.
fn scores_without(
    network: &Network,
    first: usize,
    stages: &[usize],
    input: &[f32],
    extent: Extent,
) -> Vec<f32> {
    let (mode, end) = (&mut Mode::Inference, network.architecture.stages.len());
    let mut scores = |x: Activation, from: usize| {
        numbers(network.scores(network.run(from..end, x, mode), mode).into_data())
    };
    let mut x = Activation::new(input.to_vec(), extent, network.device());
    let mut all = scores(x.clone(), first);
    for stage in first..end {
        x = network.run(stage..stage + 1, x, &mut Mode::Inference);
        if !stages.contains(&stage) {
            continue;
        }
        let whole = x.clone().into_numbers();
        let (extent, channels) = match &x {
            Activation::Map(x) => (Extent::Map(x.dims()[1], x.dims()[2], x.dims()[3]), x.dims()[1]),
            Activation::Tokens(x) => (Extent::Tokens(x.dims()[1], x.dims()[2]), x.dims()[2]),
            Activation::Vector(x) => (Extent::Vector(x.dims()[1]), x.dims()[1]),
        };
        for channel in 0..channels {
            let mut without = whole.clone();
            match extent {
                Extent::Map(_, rows, columns) => {
                    without[channel * rows * columns..(channel + 1) * rows * columns].fill(0.0);
                }
                Extent::Tokens(_, width) | Extent::Vector(width) => {
                    without.iter_mut().skip(channel).step_by(width).for_each(|v| *v = 0.0);
                }
            }
            all.extend(scores(Activation::new(without, extent, network.device()), stage + 1));
        }
    }
    all
}

fn cross_entropy(scores: &[f32], class: usize) -> f64 {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|s| f64::from(s - top).exp()).sum();
    sum.ln() + f64::from(top - scores[class])
}

/// Of increases with mean 0 and deviation 1, divided by the temperature; all alike where none is larger.
fn softmax(increases: &[f64], temperature: f64) -> Vec<f32> {
    let count = increases.len() as f64;
    let mean = increases.iter().sum::<f64>() / count;
    let deviation = (increases.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scale = if deviation > 0.0 { deviation * temperature } else { 1.0 };
    let shares: Vec<f64> = increases.iter().map(|v| ((v - mean) / scale).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|share| (share / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn maps_apart_by_hand() {
        let device = Device::flex();
        // One picture, two channels of two places: |a - b|² is 2 and 8, by places 1 and 4.
        let a = Tensor::<4>::from_floats([[[[1.0, 1.0]], [[2.0, 2.0]]]], &device);
        let b = a.zeros_like();
        let weights = Tensor::<1>::from_floats([0.75, 0.25], &device);
        let found = apart(Activation::Map(a), Activation::Map(b), weights).map(Tensor::into_scalar::<f32>);
        assert_eq!(found, Some(1.75));
    }

    #[test]
    fn increases_by_hand() {
        // Mean 1, deviation 1: -1 and 1, by the temperature -1/2 and 1/2.
        let found = softmax(&[0.0, 2.0], 2.0);
        let large = 1.0 / (1.0 + (-1f64).exp());
        assert!(
            (f64::from(found[1]) - large).abs() < 1e-6 && (f64::from(found[0]) + large - 1.0).abs() < 1e-6
        );
        assert_eq!(softmax(&[0.5; 4], 5.0), [0.25; 4]);
        assert!((cross_entropy(&[1.0, 1.0], 0) - 2f64.ln()).abs() < 1e-7);
    }
}
