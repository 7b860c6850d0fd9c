//! Scores of pictures by a network as it is, in parts of [`PART`] pictures, as many at a time as fit.

use juyi::context::Context;
use juyi::error::{Error, Result};
use juyi::models::first_largest;
use rayon::prelude::*;

use super::inputs::Inputs;
use super::memory::{PART, at_once, forwards};
use crate::forward::{Activation, Mode};
use crate::network::{Network, numbers};

/// Pictures whose inputs are held at a time where nothing is trained.
const HELD: usize = 64;

/// The scores of some pictures, a row each; four pictures pass together, several fours at a time.
///
/// # Errors
/// [`Error::Numeric`] for a score that is not finite; those of reading pictures.
pub(super) fn scores(
    network: &Network,
    first: usize,
    inputs: &Inputs<'_>,
    which: &[usize],
    context: &Context,
) -> Result<Vec<f32>> {
    let stages = network.architecture.stages.len();
    let one = |part: &[f32]| {
        let (x, mode) =
            (Activation::new(part.to_vec(), inputs.extent(), network.device()), &mut Mode::Inference);
        numbers(network.scores(network.run(first..stages, x, mode), mode).into_data())
    };
    let all = by_parts(inputs, which, PART, forwards(network, first, PART)?, &one, context)?;
    if let Some(at) = all.iter().position(|score| !score.is_finite()) {
        let picture = which[at * which.len() / all.len()];
        let why = format!("a score of picture {picture} is {}; try a smaller rate", all[at]);
        return Err(Error::Numeric { what: "what the trained network says".into(), why });
    }
    Ok(all)
}

/// What `one` makes of the inputs of some pictures as they are, `part` of them at a time, each of which holds `held` bytes;
/// several parts at once, as many as fit.
pub(super) fn by_parts(
    inputs: &Inputs<'_>,
    which: &[usize],
    part: usize,
    held: u64,
    one: &(dyn Fn(&[f32]) -> Vec<f32> + Sync),
    context: &Context,
) -> Result<Vec<f32>> {
    let mut all = Vec::new();
    let what = "the pictures that pass together";
    let fitting = at_once(what, inputs.bytes(part), &context.beside(held))?;
    let beside = |pictures: usize| context.beside(inputs.bytes(pictures));
    // Half of what is left for the inputs, the rest for the pictures that they are made of and for passing.
    let pictures = (fitting / 2).clamp(1, HELD / part) * part;
    for own in which.chunks(pictures) {
        let made = inputs.of(own, None, &beside(pictures))?;
        let each = part * inputs.extent().count();
        let parts = at_once(what, held, &beside(pictures))?;
        for group in made.chunks(parts.saturating_mul(each)) {
            all.par_extend(group.par_chunks(each).flat_map_iter(one));
        }
    }
    Ok(all)
}

/// How many rows have their largest score at their class.
pub(super) fn right(scores: &[f32], classes: &[usize]) -> usize {
    let width = scores.len() / classes.len().max(1);
    scores
        .chunks_exact(width.max(1))
        .zip(classes)
        .filter(|(row, class)| first_largest(row) == **class)
        .count()
}
