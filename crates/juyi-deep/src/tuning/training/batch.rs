//! A batch forwards and backwards: in parts of four pictures, as many at a time as fit, whose derivatives are added in
//! order.

use std::collections::BTreeMap;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use juyi::context::Context;
use juyi::error::Result;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Training;
use crate::forward::{Activation, Mode};
use crate::images::{Mixed, cutmix, generator, mixup};
use crate::network::numbers;
use crate::tuning::inputs::Inputs;
use crate::tuning::memory::at_once;
use crate::tuning::regularizers::Pass;
use crate::tuning::scores::right;
use crate::tuning::settings::Blend;

/// What a part of a batch leaves behind.
struct Share {
    seen: Seen,
    gradients: Vec<Vec<f32>>,
}

/// What is seen of the pictures of a batch.
#[derive(Default)]
pub(super) struct Seen {
    /// The sum of their losses.
    pub(super) loss: f64,
    /// How many are right.
    pub(super) right: usize,
    /// The running statistics afterwards, where normalisations go by the batch.
    pub(super) statistics: BTreeMap<String, Tensor<1>>,
}

impl Training<'_> {
    /// Takes a batch forwards and backwards and adds the derivatives of its parts to `sums`, in order. `context` knows of
    /// what the training holds always.
    pub(super) fn pass(
        &self,
        batch: &[usize],
        epoch: usize,
        number: usize,
        names: &[&String],
        sums: &mut BTreeMap<String, Vec<f32>>,
        context: &Context,
    ) -> Result<Seen> {
        let held = self.held()?;
        let beside = context.beside(held.inputs);
        let mut inputs = self.inputs.of(batch, Some(epoch), &beside)?;
        let smooth = self.settings.label_smoothing as f32;
        let mut targets = vec![smooth / self.count as f32; batch.len() * self.count];
        for (row, &at) in targets.chunks_exact_mut(self.count).zip(batch) {
            row[self.classes[at]] += 1.0 - smooth;
        }
        let mut rng = generator(context.seed(), epoch as u64, u64::MAX - 1 - number as u64);
        if let Some(Mixed { inputs: mixed, partner, own }) = self.blended(&inputs, batch.len(), &mut rng)? {
            let plain = targets.clone();
            let row = |at: usize| &plain[at * self.count..(at + 1) * self.count];
            for (at, target) in targets.chunks_exact_mut(self.count).enumerate() {
                for ((t, a), b) in target.iter_mut().zip(row(at)).zip(row(partner[at])) {
                    *t = own * a + (1.0 - own) * b;
                }
            }
            inputs = mixed;
        }
        let part = self.part();
        let each = self.inputs.extent().count();
        let parts: Vec<usize> = (0..batch.len()).step_by(part).collect();
        let one = |&begin: &usize| {
            let end = (begin + part).min(batch.len());
            let number = (number * self.settings.batch + begin) as u64;
            self.share(
                &inputs[begin * each..end * each],
                &targets[begin * self.count..end * self.count],
                &batch[begin..end],
                names,
                &mut generator(context.seed().wrapping_add(1), epoch as u64, number),
            )
        };
        let mut all = Seen::default();
        for group in parts.chunks(at_once(&self.title, held.part, &beside)?) {
            let shares: Vec<Share> = group.par_iter().map(one).collect();
            for Share { seen, gradients } in shares {
                add(sums, names, gradients);
                all.loss += seen.loss;
                all.right += seen.right;
                all.statistics.extend(seen.statistics);
            }
        }
        Ok(all)
    }

    fn blended(&self, inputs: &[f32], samples: usize, rng: &mut ChaCha8Rng) -> Result<Option<Mixed>> {
        let Inputs::Files { recipe, .. } = self.inputs else { return Ok(None) };
        match self.settings.blend {
            Blend::None => Ok(None),
            Blend::Mixup => mixup(inputs, samples, 0.2, rng).map(Some),
            Blend::Cutmix => cutmix(inputs, samples, recipe.crop, 1.0, rng).map(Some),
        }
    }

    /// Forwards and backwards.
    fn share(
        &self,
        inputs: &[f32],
        targets: &[f32],
        pictures: &[usize],
        names: &[&String],
        rng: &mut ChaCha8Rng,
    ) -> Share {
        let network = self.plan.network.tracked(names.iter().copied());
        let mut statistics = BTreeMap::new();
        let by_batch = self.settings.by_batch(self.strategy);
        let running = self.settings.running();
        let mode = &mut Mode::Training { rng, statistics: by_batch.then_some(&mut statistics), running };
        let extent = self.inputs.extent();
        let mut x = Activation::new(inputs.to_vec(), extent, network.device());
        let target = TensorData::new(targets.to_vec(), [pictures.len(), self.count]);
        let target: Tensor<2> = Tensor::from_data(target, network.device());
        let cross_entropy = |scores: Tensor<2>| (log_softmax(scores, 1) * target.clone()).sum().neg();
        let mut levels = Vec::new();
        let mut second: Option<Tensor<1>> = None;
        for stage in self.plan.first..network.architecture.stages.len() {
            x = network.run(stage..stage + 1, x, mode);
            levels.push(x.clone());
            for (which, own) in network.architecture.auxiliary.iter().enumerate() {
                if own.after == stage && own.share > 0.0 {
                    let scores = network.auxiliary_scores(which, x.clone(), mode);
                    let loss = cross_entropy(scores).mul_scalar(own.share);
                    second = Some(second.map_or(loss.clone(), |sum| sum + loss));
                }
            }
        }
        let features = x.clone().features();
        let scores = network.scores(x, mode);
        let own: Vec<usize> = pictures.iter().map(|&at| self.classes[at]).collect();
        let right = right(&numbers(scores.clone().inner().into_data()), &own);
        let loss = cross_entropy(scores);
        let value = loss.clone().inner().into_scalar::<f32>();
        let pass = Pass {
            network: &network,
            inputs,
            extent,
            first: self.plan.first,
            levels: &levels,
            features,
            classes: &own,
        };
        let term = self.regularizer.as_ref().and_then(|own| own.loss(&pass));
        let whole = second.into_iter().chain(term).fold(loss, |sum, more| sum + more);
        let found = whole.backward();
        let gradients = names.iter().map(|name| network.gradient(name, &found)).collect();
        Share { seen: Seen { loss: f64::from(value), right, statistics }, gradients }
    }
}

/// Adds the derivatives of a part to those before it.
fn add(sums: &mut BTreeMap<String, Vec<f32>>, names: &[&String], more: Vec<Vec<f32>>) {
    for (name, more) in names.iter().zip(more) {
        match sums.get_mut(*name) {
            Some(sum) => sum.iter_mut().zip(more).for_each(|(sum, g)| *sum += g),
            None => drop(sums.insert((*name).clone(), more)),
        }
    }
}
