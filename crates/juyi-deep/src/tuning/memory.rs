//! Bytes that a training holds, counted before it begins: so it is refused by name where it does not fit, and as many
//! parts of a batch pass at a time as do.

use juyi::context::Context;
use juyi::error::Result;

use super::batch::PART;
use super::optimizer::Rule;
use super::regularizers::Kind;
use super::training::Training;
use crate::held::{Pass, scaled_weights, through};
use crate::layers::Layer;
use crate::network::Network;

/// Bytes of a number.
const NUMBER: u64 = 4;
/// What a tensor takes beside its numbers where a state is written and read: its entry in the header, taken apart.
const TENSOR: u64 = 5000;

/// Bytes of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// What stays from step to step, and what a step or writing the state takes beside it.
    pub(super) always: u64,
    /// A part of a batch on its way forwards and backwards, and its derivatives.
    pub(super) part: u64,
    /// The inputs of a batch.
    pub(super) inputs: u64,
}

/// What passes from stage `first` to the end of the head, for one picture, and the weights that it meets.
fn way(network: &Network, first: usize) -> Result<(Pass, u64)> {
    let own = &network.architecture;
    let stages = own.stages[first..].iter().flat_map(|stage| &stage.layers);
    let layers: Vec<Layer> = stages.chain(&own.head).cloned().collect();
    Ok((through(&layers, own.after(first)?)?, scaled_weights(&layers)))
}

/// Bytes that `pictures` hold that pass together from stage `first` on, forwards alone.
pub(super) fn forwards(network: &Network, first: usize, pictures: usize) -> Result<u64> {
    let (pass, weights) = way(network, first)?;
    Ok(NUMBER.saturating_mul((pictures as u64).saturating_mul(pass.forwards).saturating_add(weights)))
}

/// Bytes that `pictures` hold that pass together from stage `first` on and back, with derivatives by `learnt` numbers.
pub(super) fn both_ways(network: &Network, first: usize, pictures: usize, learnt: u64) -> Result<u64> {
    let (pass, weights) = way(network, first)?;
    let second = network.architecture.auxiliary.iter().filter(|own| own.after >= first);
    let second =
        second.map(|own| Ok(through(&own.layers, network.architecture.after(own.after + 1)?)?.both_ways()));
    let second = second.sum::<Result<u64>>()?;
    let each = pass.both_ways().saturating_add(second);
    // Scaled weights and derivatives by them; derivatives by what is learnt, as they are found and as they are taken.
    let beside = weights.saturating_mul(2).saturating_add(learnt.saturating_mul(3));
    Ok(NUMBER.saturating_mul((pictures as u64).saturating_mul(each).saturating_add(beside)))
}

/// How many of what takes `each` bytes fit, at least one.
///
/// # Errors
/// [`Error::Memory`] naming `what` if not one does.
pub(super) fn at_once(what: &str, each: u64, context: &Context) -> Result<usize> {
    context.require(what, each)?;
    Ok(usize::try_from(context.left() / each.max(1)).unwrap_or(usize::MAX))
}

impl Training<'_> {
    /// Pictures that pass together.
    pub(super) fn part(&self) -> usize {
        let whole = self.settings.by_batch(self.strategy)
            || self.regularizer.as_ref().is_some_and(|own| own.takes_whole_batch());
        let batch = self.settings.batch.min(self.train.len());
        if whole { batch } else { PART.min(batch) }
    }

    /// What it holds.
    pub(super) fn held(&self) -> Result<Held> {
        let network = &self.plan.network;
        let learnt: u64 = self.plan.learnt.keys().map(|name| network.count(name) as u64).sum();
        let changing = learnt + network.statistics.keys().map(|name| network.count(name) as u64).sum::<u64>();
        let moments = if self.settings.rule == Rule::Sgd { learnt } else { 2 * learnt };
        // Weights as they are and as they were best, and the moments; all of them twice while they are written.
        let state = 2 * changing + moments;
        let tensors = 4 * (self.plan.learnt.len() + network.statistics.len()) as u64;
        let kind = self.settings.regularization.map(|own| own.kind);
        let before = match kind {
            Some(Kind::Ewc) => 2 * learnt,
            Some(Kind::L2Sp | Kind::Delta | Kind::Lwf) => learnt,
            _ => 0,
        };
        let always = NUMBER * (learnt + before + state + (2 * state).max(3 * learnt)) + TENSOR * tensors;
        let (part, first) = (self.part(), self.plan.first);
        let again = match kind {
            // The network as it was runs beside, and what lies between the two is followed.
            Some(Kind::Delta | Kind::Lwf) => both_ways(network, first, part, 0)?,
            _ => 0,
        };
        let part = both_ways(network, first, part, learnt)?.saturating_add(again);
        let batch = self.settings.batch.min(self.train.len());
        let inputs = self.inputs.bytes(batch).saturating_mul(2); // blended, too
        Ok(Held { always, part, inputs })
    }

    /// Fails unless it fits.
    pub(super) fn require(&self, held: Held, context: &Context) -> Result<()> {
        let Held { always, part, inputs } = held;
        let what = format!("{}, {} pictures at a time,", self.title, self.part());
        context.require(&what, always.saturating_add(part).saturating_add(inputs))
    }
}
