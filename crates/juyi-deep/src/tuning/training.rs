//! The loop: epochs of steps over batches, what is seen on pictures that are kept aside, and the best epoch at the end.
//!
//! A batch is cut into parts of `PART` pictures that pass forwards and backwards by themselves, several at a time;
//! their derivatives are added in order. Where normalisations go by the batch, or a regularizer looks at all of it, it
//! passes in one piece.
//!
//! All randomness of a step comes from the seed, the epoch and the place of the picture or batch, so that a run that was
//! cut off goes on with the same bytes.

mod batch;
mod held;

use std::collections::BTreeMap;
use std::path::Path;

use batch::Seen;
use juyi::context::Context;
use juyi::error::{Error, Result, shown};
use juyi::report::Epoch;
use rand::seq::SliceRandom;

use super::inputs::Inputs;
use super::optimizer::clip;
use super::plan::Plan;
use super::regularizers::Regularizer;
use super::scores::{right, scores};
use super::settings::Settings;
use super::state::State;
use super::strategy::Strategy;
use crate::checkpoint::Stored;
use crate::images::generator;
use crate::network::Network;

/// Batches from which the pace of each stage is read, for [`Strategy::Surgical`].
const LOOKED_AT: usize = 8;

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
}

impl Training<'_> {
    /// Trains, from where `file` says that an earlier run ended, if it does; writes there after each epoch.
    pub(super) fn run(mut self, file: Option<&Path>, context: &Context) -> Result<Trained> {
        let held = self.held()?;
        self.require(held, context)?;
        let context = &context.beside(held.always);
        let file = file.map(|file| Ok::<_, Error>((file, self.key()?))).transpose()?;
        let mut state = State::default();
        if let Some((file, key)) = &file
            && let Some(found) = State::read(file, key, &self.plan, context.left() + held.always)?
        {
            found.put(&mut self.plan.network);
            state = found;
        }
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
                let rate = self.settings.rate() * decay.factor(step, all, self.settings.warmup * batches);
                let share = self.step(batch, epoch, number, rate, &paces, &mut state, context)?;
                loss += share.0;
                right += share.1;
                if !loss.is_finite() {
                    let why = format!("the loss of epoch {} is no number; try a smaller rate", epoch + 1);
                    return Err(Error::Numeric { what: self.title.clone(), why });
                }
            }
            let aside = if self.check.is_empty() { None } else { Some(self.look(&self.check, context)?) };
            let count = order.len() as f64;
            let (loss, accuracy) = (loss / count, right as f64 / count);
            state.epochs.push(Epoch { loss, accuracy, aside });
            // The pictures aside tell the best epoch only where training may end early; otherwise they stay unseen, and
            // the last epoch counts.
            let goodness = |epoch: usize| state.epochs[epoch].aside.map(|(loss, accuracy)| (accuracy, -loss));
            let chosen = self.settings.patience.is_some() && aside.is_some();
            if !chosen || epoch == 0 || goodness(epoch) > goodness(state.best) {
                state.best = epoch;
                state.keep(&self.plan);
            }
            if let Some((file, key)) = &file {
                state.take(&self.plan);
                state.write(file, key)?;
            }
        }
        context.progress(&self.said(&state.epochs, 0.0, 0), all, all);
        let Plan { mut network, .. } = self.plan;
        state.put_best(&mut network);
        network.merge();
        let spoilt = |(_, own): &(String, Stored)| own.values.iter().any(|value| !value.is_finite());
        if let Some((name, _)) = network.tensors().into_iter().find(spoilt) {
            let why = format!("a weight of `{}` is no number at the end; try a smaller rate", shown(&name));
            return Err(Error::Numeric { what: self.title.clone(), why });
        }
        Ok(Trained { network, epochs: state.epochs })
    }

    /// `training last 2: epoch 3, loss 0.412, 93.0 % right aside`; what stands before the colon stays the same.
    fn said(&self, epochs: &[Epoch], loss: f64, batches: usize) -> String {
        let so_far = (batches * self.settings.batch).max(1) as f64;
        let aside = epochs
            .last()
            .and_then(|last| last.aside)
            .map_or_else(String::new, |(_, accuracy)| format!(", {:.1} % right aside", 100.0 * accuracy));
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
                self.pass(batch, epoch, number, &names, &mut sums, context)?;
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
        let mut gradients = BTreeMap::new();
        let Seen { loss, right, statistics } =
            self.pass(batch, epoch, number, &names, &mut gradients, context)?;
        self.plan.network.statistics.extend(statistics);
        let mut values: BTreeMap<&String, Vec<f32>> = BTreeMap::new();
        for &name in &names {
            let own = self.plan.network.numbers(name);
            let gradient = gradients.get_mut(name).map_or(&mut [][..], Vec::as_mut_slice);
            for g in gradient.iter_mut() {
                *g /= batch.len() as f32;
            }
            if let Some(regularizer) = &self.regularizer {
                regularizer.pull(name, &own, gradient);
            }
            values.insert(name, own);
        }
        if let Some(longest) = self.settings.clip {
            clip(&mut gradients, longest);
        }
        for (name, mut own) in values {
            let moments = state.moments.entry(name.clone()).or_default();
            let decay = if self.shrinks(name) { self.settings.weight_decay } else { 0.0 };
            self.settings.rule.step(&mut own, &gradients[name], moments, rate * paces[name], decay);
            if own.iter().any(|v| !v.is_finite()) {
                let why = format!("`{name}` is no number after epoch {}; try a smaller rate", epoch + 1);
                return Err(Error::Numeric { what: self.title.clone(), why });
            }
            self.plan.network.set(name, own);
        }
        Ok((loss, right))
    }

    /// Whether a tensor is shrunk: kernels and matrices are, vectors and what a regularizer holds are not.
    fn shrinks(&self, name: &str) -> bool {
        let held = self.regularizer.as_ref().is_some_and(|own| own.holds(name));
        !held && self.plan.network.dimensions(name) > 1
    }

    /// Mean cross-entropy and share of right answers of some pictures, as they are.
    fn look(&self, which: &[usize], context: &Context) -> Result<(f64, f64)> {
        let scores = scores(&self.plan.network, self.plan.first, self.inputs, which, context)?;
        let own: Vec<usize> = which.iter().map(|&at| self.classes[at]).collect();
        let hits = right(&scores, &own);
        let mut loss = 0.0;
        for (row, class) in scores.chunks_exact(self.count).zip(own) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = row.iter().map(|s| f64::from(s - top).exp()).sum();
            loss += sum.ln() + f64::from(top - row[class]);
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
        let mut names: Vec<String> =
            self.plan.network.architecture.parameters().into_iter().map(|own| own.name).collect();
        names.sort();
        for name in names {
            hash.update(name.as_bytes());
            for v in self.plan.network.numbers(&name) {
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
