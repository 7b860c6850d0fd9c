//! The loop: epochs of steps over batches, what is seen on pictures that are kept aside, and the best epoch at the end.
//!
//! A batch is cut into parts of [`PART`] pictures that pass forwards and backwards by themselves, several at a time;
//! their derivatives are added in order. Where normalisations go by the batch, or a regularizer looks at all of it, it
//! passes in one piece.
//!
//! All randomness of a step comes from the seed, the epoch and the place of the picture or batch, so that a run that was
//! cut off goes on with the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use juyi::context::Context;
use juyi::error::{Error, Result};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::inputs::Inputs;
use super::optimizer::{Moments, clip};
use super::regularizers::{Pass, Regularizer};
use super::settings::{Blend, Settings};
use super::state::State;
use super::strategy::{Plan, Strategy};
use crate::forward::{Activation, Mode};
use crate::images::{Mixed, cutmix, generator, mixup};
use crate::network::{Network, numbers};

/// Pictures that pass together.
const PART: usize = 4;
/// Batches from which the pace of each stage is read, for [`Strategy::Surgical`].
const LOOKED_AT: usize = 8;

/// What an epoch came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean cross-entropy of the training pictures as they passed, altered and with dropout.
    pub loss: f64,
    /// Share of them that was right.
    pub accuracy: f64,
    /// Mean cross-entropy of the pictures kept aside.
    pub check_loss: f64,
    /// Share of them that is right.
    pub check_accuracy: f64,
}

/// A network that is being trained.
pub(super) struct Training<'a> {
    pub(super) settings: &'a Settings,
    pub(super) strategy: Strategy,
    pub(super) plan: Plan,
    pub(super) regularizer: Option<Box<dyn Regularizer + 'a>>,
    pub(super) inputs: &'a Inputs<'a>,
    /// The class of each picture.
    pub(super) classes: &'a [usize],
    /// The pictures that are trained on, and those that are kept aside to tell the best epoch.
    pub(super) train: Vec<usize>,
    pub(super) check: Vec<usize>,
    /// How many classes there are.
    pub(super) count: usize,
    /// What the steps are called where progress is shown.
    pub(super) title: String,
}

/// What came out of a training.
pub(super) struct Trained {
    /// The network after its best epoch, small parts merged.
    pub(super) network: Network,
    /// All epochs.
    pub(super) epochs: Vec<Epoch>,
    /// The number of the best one.
    pub(super) best: usize,
}

/// What part of a batch leaves behind.
struct Share {
    loss: f64,
    right: usize,
    gradients: Vec<Vec<f32>>,
    statistics: BTreeMap<String, Tensor<1>>,
}

impl Training<'_> {
    /// Trains, from where `file` says that an earlier run ended, if it does; writes there after each epoch.
    pub(super) fn run(mut self, file: Option<&Path>, context: &Context) -> Result<Trained> {
        let key = self.key()?;
        let mut state = match file.map(|file| State::read(file, &key)).transpose()?.flatten() {
            Some(state) if state.fits(&self.plan) => state,
            Some(_) => {
                let thing = file.map_or_else(String::new, |file| format!("`{}`", file.display()));
                return Err(Error::input(thing, "is damaged", "remove it to begin anew"));
            }
            None => State::begin(&self.plan),
        };
        state.put(&mut self.plan.network);
        let batches = self.train.len().div_ceil(self.settings.batch);
        let all = self.settings.epochs * batches;
        let patience = self.settings.patience.unwrap_or(self.settings.epochs);
        while state.epochs.len() < self.settings.epochs && state.epochs.len() <= state.best + patience {
            let epoch = state.epochs.len();
            let order = self.order(epoch, context.seed());
            let paces = self.paces(epoch, &order, context)?;
            let (mut loss, mut right) = (0.0, 0);
            for (number, batch) in order.chunks(self.settings.batch).enumerate() {
                let step = epoch * batches + number;
                context.progress(&self.said(&state.epochs, loss, number), step, all);
                let decay = self.settings.decay;
                let rate = self.settings.rate * decay.factor(step, all, self.settings.warmup * batches);
                let share = self.step(batch, epoch, number, rate, &paces, &mut state, context)?;
                loss += share.0;
                right += share.1;
                if !loss.is_finite() {
                    let why = format!("the loss of epoch {} is no number; try a smaller rate", epoch + 1);
                    return Err(Error::Numeric { what: self.title.clone(), why });
                }
            }
            let (check_loss, check_accuracy) = self.look(&self.check)?;
            let count = order.len() as f64;
            let (loss, accuracy) = (loss / count, right as f64 / count);
            state.epochs.push(Epoch { loss, accuracy, check_loss, check_accuracy });
            // The pictures aside tell the best epoch only where training may end early; otherwise they stay unseen, and
            // the last epoch counts.
            let better = |now: &Epoch, best: &Epoch| {
                (now.check_accuracy, -now.check_loss) > (best.check_accuracy, -best.check_loss)
            };
            let chosen = self.settings.patience.is_some() && !self.check.is_empty();
            if !chosen || epoch == 0 || better(&state.epochs[epoch], &state.epochs[state.best]) {
                state.best = epoch;
                state.keep(&self.plan);
            }
            if let Some(file) = file {
                state.take(&self.plan);
                state.write(file, &key)?;
            }
        }
        context.progress(&self.said(&state.epochs, 0.0, 0), all, all);
        let Plan { mut network, .. } = self.plan;
        state.put_best(&mut network);
        network.merge_low_rank();
        Ok(Trained { network, epochs: state.epochs, best: state.best })
    }

    /// `training last:2: epoch 3, loss 0.412, 0.93 right`; what stands before the colon stays the same.
    fn said(&self, epochs: &[Epoch], loss: f64, batches: usize) -> String {
        let so_far = (batches * self.settings.batch).max(1) as f64;
        let aside = epochs.last().map_or_else(String::new, |last| {
            if self.check.is_empty() {
                String::new()
            } else {
                format!(", {:.1} % right aside", 100.0 * last.check_accuracy)
            }
        });
        format!("{}: epoch {}, loss {:.3}{aside}", self.title, epochs.len() + 1, loss / so_far)
    }

    /// The order in which an epoch takes the pictures. Where normalisations go by the batch, a last one alone is left
    /// out: a batch of one has no variance.
    fn order(&self, epoch: usize, seed: u64) -> Vec<usize> {
        let mut order = self.train.clone();
        order.shuffle(&mut generator(seed, epoch as u64, u64::MAX));
        let alone = order.len() % self.settings.batch == 1 && order.len() > 1;
        if alone && self.settings.by_batch(self.strategy) {
            order.pop();
        }
        order
    }

    /// What the rate of each tensor that is learnt in this epoch is multiplied by.
    fn paces(&self, epoch: usize, order: &[usize], context: &Context) -> Result<BTreeMap<String, f64>> {
        let learnt = self.plan.learnt.iter().filter(|(_, pace)| pace.from <= epoch);
        let mut paces: BTreeMap<String, f64> =
            learnt.map(|(name, pace)| (name.clone(), pace.factor)).collect();
        if self.strategy == Strategy::Surgical {
            // |gradient| / |weights| of each stage, beside the largest.
            let mut sums: BTreeMap<String, Vec<f32>> = BTreeMap::new();
            for (number, batch) in order.chunks(self.settings.batch).take(LOOKED_AT).enumerate() {
                let names: Vec<&String> = paces.keys().collect();
                let shares = self.shares(batch, epoch, number, &names, context)?;
                for share in &shares {
                    add(&mut sums, &names, &share.gradients);
                }
            }
            let mut stages: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
            let square = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            for (name, gradient) in &sums {
                let Some(stage) = self.plan.learnt[name].stage else { continue };
                let both = stages.entry(stage).or_default();
                both.0 += square(gradient);
                both.1 += square(&self.plan.network.numbers(name));
            }
            let ratio = |(gradient, weights): &(f64, f64)| (gradient / weights.max(1e-30)).sqrt();
            let most = stages.values().map(ratio).fold(1e-30, f64::max);
            for (name, pace) in &mut paces {
                if let Some(both) = self.plan.learnt[name].stage.and_then(|stage| stages.get(&stage)) {
                    *pace *= ratio(both) / most;
                }
            }
        }
        Ok(paces)
    }

    /// One step over a batch: the sum of its losses, and how many are right.
    #[allow(clippy::too_many_arguments)]
    fn step(
        &mut self,
        batch: &[usize],
        epoch: usize,
        number: usize,
        rate: f64,
        paces: &BTreeMap<String, f64>,
        state: &mut State,
        context: &Context,
    ) -> Result<(f64, usize)> {
        let names: Vec<&String> = paces.keys().collect();
        let shares = self.shares(batch, epoch, number, &names, context)?;
        let (mut gradients, mut loss, mut right) = (BTreeMap::new(), 0.0, 0);
        for share in shares {
            add(&mut gradients, &names, &share.gradients);
            loss += share.loss;
            right += share.right;
            self.plan.network.statistics.extend(share.statistics);
        }
        let mut values: BTreeMap<&String, Vec<f32>> = BTreeMap::new();
        for &name in &names {
            let own = self.plan.network.numbers(name);
            let gradient = gradients.get_mut(name).map_or(&mut [][..], Vec::as_mut_slice);
            gradient.iter_mut().for_each(|g| *g /= batch.len() as f32);
            if let Some(regularizer) = &self.regularizer {
                regularizer.pull(name, &own, gradient);
            }
            values.insert(name, own);
        }
        if let Some(longest) = self.settings.clip {
            clip(&mut gradients, longest);
        }
        for (name, mut own) in values {
            let moments = state.moments.entry(name.clone()).or_insert_with(Moments::default);
            // Scales and shifts are not shrunk.
            let decay = if self.shrinks(name) { self.settings.weight_decay } else { 0.0 };
            self.settings.rule.step(&mut own, &gradients[name], moments, rate * paces[name], decay);
            self.plan.network.set(name, own);
        }
        Ok((loss, right))
    }

    /// Whether a tensor is shrunk: kernels and matrices are, vectors are not.
    fn shrinks(&self, name: &str) -> bool {
        self.plan.network.dimensions(name) > 1
    }

    /// What each part of a batch leaves behind, in order.
    fn shares(
        &self,
        batch: &[usize],
        epoch: usize,
        number: usize,
        names: &[&String],
        context: &Context,
    ) -> Result<Vec<Share>> {
        let mut inputs = self.inputs.of(batch, Some(epoch))?;
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
        let whole = self.settings.by_batch(self.strategy)
            || self.regularizer.as_ref().is_some_and(|own| own.takes_whole_batch());
        let part = if whole { batch.len() } else { PART };
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
        Ok(parts.par_iter().map(one).collect())
    }

    fn blended(
        &self,
        inputs: &[f32],
        samples: usize,
        rng: &mut rand_chacha::ChaCha8Rng,
    ) -> Result<Option<Mixed>> {
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
        rng: &mut rand_chacha::ChaCha8Rng,
    ) -> Share {
        let network = self.plan.network.tracked(names.iter().copied());
        let mut statistics = BTreeMap::new();
        let by_batch = self.settings.by_batch(self.strategy);
        let mode = &mut Mode::Training { rng, statistics: by_batch.then_some(&mut statistics) };
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
        Share { loss: f64::from(value), right, gradients, statistics }
    }

    /// Mean cross-entropy and share of right answers of some pictures, as they are.
    fn look(&self, which: &[usize]) -> Result<(f64, f64)> {
        let (mut loss, mut hits) = (0.0, 0);
        for batch in which.chunks(64) {
            let scores = scores(&self.plan.network, self.plan.first, self.inputs, batch)?;
            let own: Vec<usize> = batch.iter().map(|&at| self.classes[at]).collect();
            hits += right(&scores, &own);
            for (row, class) in scores.chunks_exact(self.count).zip(own) {
                let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f64 = row.iter().map(|s| f64::from(s - top).exp()).sum();
                loss += sum.ln() + f64::from(top - row[class]);
            }
        }
        let count = which.len().max(1) as f64;
        Ok((loss / count, hits as f64 / count))
    }

    /// Stands for everything that decides the weights.
    fn key(&self) -> Result<String> {
        let text = serde_json::to_string(&(self.settings, self.strategy, &self.plan.network.architecture))
            .map_err(|error| Error::Numeric { what: "the settings".into(), why: error.to_string() })?;
        let mut hash = blake3::Hasher::new();
        hash.update(text.as_bytes());
        for (name, stored) in self.plan.network.tensors() {
            hash.update(name.as_bytes());
            for v in &stored.values {
                hash.update(&v.to_le_bytes());
            }
        }
        for part in [&self.train, &self.check, &self.classes.to_vec()] {
            for v in part {
                hash.update(&(*v as u64).to_le_bytes());
            }
        }
        Ok(hash.finalize().to_hex()[..32].to_string())
    }
}

/// The scores of some pictures, a row each; four pictures pass together, several fours at a time.
pub(super) fn scores(
    network: &Network,
    first: usize,
    inputs: &Inputs<'_>,
    which: &[usize],
) -> Result<Vec<f32>> {
    let (each, stages) = (inputs.extent().count(), network.architecture.stages.len());
    let all = inputs.of(which, None)?;
    let one = |part: &[f32]| {
        let (x, mode) =
            (Activation::new(part.to_vec(), inputs.extent(), network.device()), &mut Mode::Inference);
        numbers(network.scores(network.run(first..stages, x, mode), mode).into_data())
    };
    Ok(all.par_chunks(PART * each).flat_map_iter(one).collect())
}

/// How many rows have their largest score at their class.
fn right(scores: &[f32], classes: &[usize]) -> usize {
    let width = scores.len() / classes.len().max(1);
    let best = |row: &[f32]| (0..width).fold(0, |best, c| if row[c] > row[best] { c } else { best });
    scores.chunks_exact(width.max(1)).zip(classes).filter(|(row, class)| best(row) == **class).count()
}

/// Adds the derivatives of a part to those before it.
fn add(sums: &mut BTreeMap<String, Vec<f32>>, names: &[&String], more: &[Vec<f32>]) {
    for (name, more) in names.iter().zip(more) {
        match sums.get_mut(*name) {
            Some(sum) => sum.iter_mut().zip(more).for_each(|(sum, g)| *sum += g),
            None => drop(sums.insert((*name).clone(), more.clone())),
        }
    }
}
