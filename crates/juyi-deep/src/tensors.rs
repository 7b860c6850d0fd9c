//! Whether the tensors of a checkpoint are those that an architecture takes.

use std::collections::BTreeMap;

use juyi::context::Context;
use juyi::error::{Error, Result, shown};

use crate::architecture::Architecture;
use crate::checkpoint::Stored;
use crate::layers::{Layer, Parameter};

/// Whether an architecture can be run, and all tensors of its trunk, and of the head if it is needed, are there in their
/// shapes, with numbers that a network can have.
///
/// # Errors
/// Those of [`Architecture::check`] and [`check_numbers`]; [`Error::Input`] naming the tensors that are not there.
pub(crate) fn check(
    architecture: &Architecture,
    head: bool,
    tensors: &BTreeMap<String, Stored>,
) -> Result<()> {
    architecture.check()?;
    let thing = format!("the checkpoint of `{}`", shown(&architecture.name));
    let trunk = architecture.stages.iter().flat_map(|stage| &stage.layers);
    let layers = trunk.chain(architecture.head.iter().filter(|_| head));
    let lacks = |own: &Parameter| {
        let whole = |stored: &Stored| stored.shape == own.shape && stored.values.len() == own.count();
        !tensors.get(&own.name).is_some_and(whole)
    };
    let lacking = layers.flat_map(Layer::parameters).filter(lacks);
    let problems: Vec<String> = lacking.map(|own| format!("`{}`", shown(&own.name))).collect();
    if !problems.is_empty() {
        let problem = format!("tensors are missing or have another shape: {}", problems.join(", "));
        let hint = "`juyi networks` lists whose checkpoints are understood";
        return Err(Error::input(thing, problem, hint));
    }
    check_numbers(&thing, architecture, &[], tensors)
}

/// Whether the tensors that an architecture takes, and those `beside` them, are finite, and no variance is below 0. Others may hold what they will:
/// a mask of a checkpoint is infinite where nothing is to be seen. `thing` is what messages call the checkpoint.
///
/// # Errors
/// [`Error::Input`] naming the first tensor that is not.
pub(crate) fn check_numbers(
    thing: &str,
    architecture: &Architecture,
    beside: &[&str],
    tensors: &BTreeMap<String, Stored>,
) -> Result<()> {
    let own = architecture.parameters().into_iter().map(|own| own.name);
    for name in own.chain(beside.iter().map(ToString::to_string)) {
        let least = if name.ends_with("running_var") { 0.0 } else { f32::MIN };
        let values = tensors.get(&name).map_or(&[][..], |stored| &stored.values);
        if let Some(value) = values.iter().find(|value| !(value.is_finite() && **value >= least)) {
            let what = if value.is_finite() { "a variance of" } else { "a number that is not finite," };
            let hint = "the training that wrote it ran away, or the file is damaged: take another checkpoint";
            let thing = format!("{thing}, tensor `{}`", shown(&name));
            return Err(Error::input(thing, format!("holds {what} {value}"), hint));
        }
    }
    Ok(())
}

/// Whether an architecture can be run, and its tensors fit the memory budget.
///
/// # Errors
/// Those of [`Architecture::check`]; [`Error::Memory`].
pub(crate) fn check_size(architecture: &Architecture, context: &Context) -> Result<()> {
    architecture.check()?;
    let numbers = architecture.parameters().into_iter().map(|own| own.count() as u64);
    let bytes = numbers.fold(0, u64::saturating_add).saturating_mul(size_of::<f32>() as u64);
    context.require(&format!("the tensors of `{}`", shown(&architecture.name)), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::stage;
    use crate::layers::batch_norm;
    use crate::zoo::network;

    #[test]
    fn tensors_that_cannot_be_taken_are_named() {
        let mut own = network("resnet18").unwrap();
        (own.stages, own.head) = (vec![stage("s", vec![batch_norm("n", 3, 1e-5)])], Vec::new());
        let sound: BTreeMap<String, Stored> = own
            .parameters()
            .into_iter()
            .map(|own| (own.name, Stored { shape: own.shape, values: vec![1.0; 3] }))
            .chain([("mask".to_string(), Stored { shape: vec![1], values: vec![f32::NEG_INFINITY] })])
            .collect();
        check(&own, true, &sound).unwrap();
        let said = |name: &str, value: f32| {
            let mut tensors = sound.clone();
            tensors.get_mut(name).unwrap().values[2] = value;
            check_numbers("`f`", &own, &[], &tensors).unwrap_err().to_string()
        };
        assert_eq!(said("n.bias", f32::NAN), "`f`, tensor `n.bias`: holds a number that is not finite, NaN");
        assert!(said("n.running_mean", f32::NEG_INFINITY).ends_with("not finite, -inf"));
        assert_eq!(said("n.running_var", -0.5), "`f`, tensor `n.running_var`: holds a variance of -0.5");
        let beside = check_numbers("`f`", &own, &["mask"], &sound).unwrap_err().to_string();
        assert!(beside.starts_with("`f`, tensor `mask`: "), "{beside}");
        let mut short = sound.clone();
        short.get_mut("n.weight").unwrap().values.pop();
        assert!(check(&own, true, &short).unwrap_err().to_string().contains("another shape: `n.weight`"));
    }

    #[test]
    fn tensors_beyond_the_memory_are_refused_before_they_are_made() {
        let own = network("vgg16").unwrap();
        assert!(check_size(&own, &Context::default()).is_ok());
        let said = check_size(&own, &Context::new(0, 1 << 20)).unwrap_err().to_string();
        assert!(said.starts_with("the tensors of `vgg16` needs 527."), "{said}");
    }
}
