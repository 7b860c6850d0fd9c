//! Bytes that pictures hold on their way through a network, counted before they pass: so that as many pass at a time as
//! fit.

use juyi::context::Context;
use juyi::error::Result;

use crate::held::{Normalization, Pass, scaled_weights, through};
use crate::layers::Layer;
use crate::network::Network;

/// Bytes of a number.
pub(super) const NUMBER: u64 = 4;
/// Pictures that pass together.
pub(super) const PART: usize = 4;

/// What passes from stage `first` to the end of the head, for one picture, and the weights that it meets.
fn way(network: &Network, first: usize, kind: Normalization) -> Result<(Pass, u64)> {
    let own = &network.architecture;
    let stages = own.stages[first..].iter().flat_map(|stage| &stage.layers);
    let layers: Vec<Layer> = stages.chain(&own.head).cloned().collect();
    Ok((through(&layers, own.after(first)?, kind)?, scaled_weights(&layers)))
}

/// Bytes that `pictures` hold that pass together from stage `first` on, forwards alone.
pub(super) fn forwards(network: &Network, first: usize, pictures: usize) -> Result<u64> {
    let (pass, weights) = way(network, first, Normalization::Folded)?;
    Ok(NUMBER.saturating_mul((pictures as u64).saturating_mul(pass.forwards).saturating_add(weights)))
}

/// Bytes that `pictures` hold that pass together from stage `first` on and back, with derivatives by `learnt` numbers.
pub(super) fn both_ways(
    network: &Network,
    first: usize,
    pictures: usize,
    learnt: u64,
    kind: Normalization,
) -> Result<u64> {
    let (pass, weights) = way(network, first, kind)?;
    let second = network.architecture.auxiliary.iter().filter(|own| own.after >= first);
    let second = second
        .map(|own| Ok(through(&own.layers, network.architecture.after(own.after + 1)?, kind)?.both_ways()));
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
