//! What each regularizer has to know before the training begins.

use std::collections::BTreeMap;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use juyi::context::Context;
use juyi::error::{Error, Result};
use juyi::linalg::Matrix;
use juyi::models::softmax_rows;
use rand::Rng;
use rayon::prelude::*;

use super::behaviour::weigh;
use super::category::shares;
use super::elastic::PICTURES;
use super::{
    BatchSpectralShrinkage, CoTuning, Delta, ElasticWeights, Kind, LearningWithoutForgetting, Regularization,
    Regularizer, StartingPoint,
};
use crate::forward::{Activation, Mode};
use crate::held::Normalization;
use crate::images::generator;
use crate::network::{Network, numbers};
use crate::tuning::head::Head;
use crate::tuning::inputs::Inputs;
use crate::tuning::memory::{at_once, both_ways, forwards};
use crate::tuning::plan::Plan;
use crate::tuning::scores::by_parts;
use crate::tuning::trial::put;

/// What there is to prepare it from.
pub(in crate::tuning) struct Known<'a> {
    pub(in crate::tuning) plan: &'a Plan,
    pub(in crate::tuning) inputs: &'a Inputs<'a>,
    /// The pictures that are trained on, and the class of each picture.
    pub(in crate::tuning) train: &'a [usize],
    pub(in crate::tuning) classes: &'a [usize],
    pub(in crate::tuning) count: usize,
    /// The head that solves the problem on the frozen features of the former, where it is linear and asked for.
    pub(in crate::tuning) solved: Option<&'a Head>,
    pub(in crate::tuning) weight_decay: f64,
}

/// Prepares a regularizer.
pub(in crate::tuning) fn prepare(
    own: Regularization,
    known: &Known<'_>,
    context: &mut Context,
) -> Result<Box<dyn Regularizer>> {
    let Regularization { kind, strength, attention } = own;
    let Known { plan, inputs, train, classes, count, weight_decay: new, .. } = *known;
    if kind.replaces_decay() {
        let text = "takes the place of weight decay but for what is new, such as the head";
        context.note(kind.name(), text);
    }
    // The head that came with the checkpoint is the last of the second heads.
    let head = plan.network.architecture.auxiliary.len().wrapping_sub(1);
    let start = || plan.known.iter().map(|name| (name.clone(), plan.network.numbers(name)));
    Ok(match kind {
        Kind::L2Sp => Box::new(StartingPoint { strength, new, start: start().collect() }),
        Kind::Bss => Box::new(BatchSpectralShrinkage { strength }),
        Kind::Lwf => Box::new(LearningWithoutForgetting { strength, before: plan.network.clone(), head }),
        Kind::Delta => {
            let Some(head) = known.solved else {
                let problem = "takes a network whose head is one linear layer";
                return Err(Error::input("`‹regularize delta›`", problem, "take `l2-sp` instead"));
            };
            let (attention, mut before) = (attention.unwrap_or_default(), plan.network.clone());
            put(&mut before, head);
            let which = in_turn(train, classes, attention.pictures);
            let channels = weigh(attention, &before, plan.first, inputs, &which, classes, context)?;
            let (before, known) = (plan.network.clone(), plan.known.clone());
            Box::new(Delta { strength, new, before, known, channels })
        }
        Kind::CoTuning => {
            let mut answers = own_answers(&plan.network, plan.first, inputs, train, head, context)?;
            softmax_rows(&mut answers);
            let of: Vec<usize> = train.iter().map(|&at| classes[at]).collect();
            let shares = shares(&answers, &of, count, context)?;
            Box::new(CoTuning { strength, shares, head })
        }
        Kind::Ewc => {
            let seen = in_turn(train, classes, PICTURES);
            let information = information(plan, inputs, &seen, head, context)?;
            let both = start().filter_map(|(name, values)| {
                let own = information.get(&name)?.clone();
                Some((name, (values, own)))
            });
            Box::new(ElasticWeights { strength, start: both.collect() })
        }
    })
}

/// At most this many of the pictures, the first of each class, then the second of each, and so on; in their order.
fn in_turn(which: &[usize], classes: &[usize], most: usize) -> Vec<usize> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let rank = |&at: &usize| {
        let own = before.entry(classes[at]).or_default();
        *own += 1;
        (*own, at)
    };
    let mut all: Vec<(usize, usize)> = which.iter().map(rank).collect();
    all.sort_by_key(|(rank, at)| (*rank, classes[*at]));
    let mut chosen: Vec<usize> = all.into_iter().take(most).map(|(_, at)| at).collect();
    chosen.sort_unstable();
    chosen
}

/// The scores of the head that came with the checkpoint.
pub(in crate::tuning) fn own_answers(
    network: &Network,
    first: usize,
    inputs: &Inputs<'_>,
    which: &[usize],
    head: usize,
    context: &Context,
) -> Result<Matrix> {
    let (extent, stages) = (inputs.extent(), network.architecture.stages.len());
    let one = |input: &[f32]| {
        let mode = &mut Mode::Inference;
        let x = Activation::new(input.to_vec(), extent, network.device());
        numbers(network.auxiliary_scores(head, network.run(first..stages, x, mode), mode).into_data())
    };
    let all = by_parts(inputs, which, 1, forwards(network, first, 1)?, &one, context)?;
    let width = all.len() / which.len().max(1);
    Ok(Matrix::from_fn(which.len(), width, |i, j| f64::from(all[i * width + j])))
}

/// The mean of the squared derivatives of `ln p(y | x)`, `y` drawn from what the own head says.
fn information(
    plan: &Plan,
    inputs: &Inputs<'_>,
    which: &[usize],
    head: usize,
    context: &Context,
) -> Result<BTreeMap<String, Vec<f32>>> {
    let (extent, stages) = (inputs.extent(), plan.network.architecture.stages.len());
    let names: Vec<&String> = plan.known.iter().collect();
    let mut sums: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    if names.is_empty() {
        return Ok(sums); // a new head alone
    }
    let known: u64 = names.iter().map(|name| plan.network.count(name) as u64).sum();
    let held = both_ways(&plan.network, plan.first, 1, known, Normalization::Folded)?;
    let context = &context.beside(8 * known); // the sums, and the weights as they are
    for (number, part) in which.chunks(16).enumerate() {
        let beside = context.beside(inputs.bytes(part.len()));
        let made = inputs.of(part, None, &beside)?;
        let one = |(place, input): (usize, &[f32])| {
            let network = plan.network.tracked(names.iter().copied());
            let (x, mode) = (Activation::new(input.to_vec(), extent, network.device()), &mut Mode::Inference);
            let scores = network.auxiliary_scores(head, network.run(plan.first..stages, x, mode), mode);
            let own = log_softmax(scores, 1);
            let shares = numbers(own.clone().inner().into_data());
            let mut rng = generator(context.seed(), u64::MAX, (16 * number + place) as u64);
            let mut left = rng.random::<f64>();
            let drawn = shares.iter().position(|share| {
                left -= f64::from(*share).exp();
                left <= 0.0
            });
            let mut chosen = vec![0.0; shares.len()];
            chosen[drawn.unwrap_or(shares.len() - 1)] = 1.0;
            let chosen = TensorData::new(chosen, [1, shares.len()]);
            let chosen: Tensor<2> = Tensor::from_data(chosen, network.device());
            let found = (own * chosen).sum().backward();
            names.iter().map(|name| network.gradient(name, &found)).collect::<Vec<Vec<f32>>>()
        };
        let pictures: Vec<(usize, &[f32])> = made.chunks(extent.count()).enumerate().collect();
        for group in pictures.chunks(at_once("what the weights are worth", held, &beside)?) {
            let found: Vec<Vec<Vec<f32>>> = group.par_iter().copied().map(one).collect();
            for gradients in found {
                for (name, gradient) in names.iter().zip(gradients) {
                    let sum = sums.entry((*name).clone()).or_insert_with(|| vec![0.0; gradient.len()]);
                    sum.iter_mut().zip(gradient).for_each(|(s, g)| *s += g * g / which.len() as f32);
                }
            }
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_taken_of_each_class_in_turn() {
        let classes = [0, 0, 0, 0, 1, 1, 2, 0];
        let all: Vec<usize> = (0..8).collect();
        assert_eq!(in_turn(&all, &classes, 3), [0, 4, 6]);
        assert_eq!(in_turn(&all, &classes, 5), [0, 1, 4, 5, 6]);
        assert_eq!(in_turn(&all[1..7], &classes, 7), [1, 2, 3, 4, 5, 6]);
    }
}
