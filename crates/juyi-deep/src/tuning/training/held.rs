//! Bytes that a training holds, counted before it begins: so it is refused by name where it does not fit, and as many
//! parts of a batch pass at a time as do.

use juyi::context::Context;
use juyi::error::Result;

use super::Training;
use crate::held::Normalization;
use crate::tuning::memory::{NUMBER, PART, both_ways};
use crate::tuning::optimizer::Rule;
use crate::tuning::regularizers::Kind;

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
        // Weights as they are and as they were best, and the moments; all of them again while they are written.
        let state = 2 * changing + moments;
        let tensors = 4 * (self.plan.learnt.len() + network.statistics.len()) as u64;
        let kind = self.settings.regularization.map(|own| own.kind);
        let before = match kind {
            Some(Kind::Ewc) => 2 * learnt,
            Some(Kind::L2Sp | Kind::Delta | Kind::Lwf) => learnt,
            _ => 0,
        };
        let always = NUMBER * (learnt + before + state + state.max(3 * learnt)) + TENSOR * tensors;
        let (part, first) = (self.part(), self.plan.first);
        let by_batch = self.settings.by_batch(self.strategy);
        let normalization = if by_batch { Normalization::Apart } else { Normalization::Folded };
        let again = match kind {
            // The network as it was runs beside, and what lies between the two is followed.
            Some(Kind::Delta | Kind::Lwf) => both_ways(network, first, part, 0, Normalization::Folded)?,
            _ => 0,
        };
        let part = both_ways(network, first, part, learnt, normalization)?.saturating_add(again);
        // Where some channels go by running statistics, each normalisation is computed in both ways.
        let part = if self.settings.running() > 0.0 { part.saturating_mul(2) } else { part };
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use burn::tensor::Device;

    use super::*;
    use crate::architecture::{Architecture, stage};
    use crate::images::{Filter, Recipe, Resize};
    use crate::layers::{Layer, batch_norm, convolution, linear};
    use crate::network::Network;
    use crate::tuning::inputs::Inputs;
    use crate::tuning::memory::forwards;
    use crate::tuning::plan::Plan;
    use crate::tuning::scores::scores;
    use crate::tuning::settings::Settings;
    use crate::tuning::strategy::Strategy;

    /// Two stages on pictures of 8 pixels a side, two classes.
    fn small() -> Architecture {
        let recipe = Recipe {
            resize: Resize::BothSides(8),
            crop: 8,
            filter: Filter::Bilinear,
            mean: [0.0; 3],
            deviation: [1.0; 3],
            scale: 1.0,
            blue_first: false,
        };
        let layers = |name: &str, channels: (usize, usize)| {
            let (kernel, norm) = (convolution(name, channels, 3, 1), format!("{name}.norm"));
            vec![kernel.into(), batch_norm(norm, channels.1, 1e-5), Layer::Relu]
        };
        Architecture {
            name: "small".into(),
            layout: "none".into(),
            recipe,
            stages: vec![stage("one", layers("a", (3, 4))), stage("two", layers("b", (4, 6)))],
            head: vec![Layer::AverageTo { side: 1 }, Layer::Flatten, linear("head", 6, 2)],
            auxiliary: Vec::new(),
        }
    }

    #[test]
    fn parts_are_one_at_a_time_where_no_more_fit_and_come_to_the_same() {
        let network = Network::from_chance(small(), &Context::default(), &Device::flex());
        let plan = Plan::new(Strategy::Last(1), network, &BTreeSet::new(), false, 1, &Context::default());
        let plan = plan.unwrap();
        let extent = plan.network.architecture.after(1).unwrap();
        let row = |k: usize| (0..extent.count()).map(|j| ((31 * k + 7 * j) % 19) as f32 / 19.0).collect();
        let inputs = Inputs::Kept { extent, views: vec![(0..14).map(row).collect()] };
        let (settings, classes): (Settings, Vec<usize>) =
            (Settings::default(), (0..14).map(|k| k % 2).collect());
        let (train, names): (Vec<usize>, Vec<String>) =
            ((0..14).collect(), plan.learnt.keys().cloned().collect());
        let training = Training {
            settings: &settings,
            strategy: Strategy::Last(1),
            plan,
            regularizer: None,
            inputs: &inputs,
            classes: &classes,
            train: train.clone(),
            check: Vec::new(),
            count: 2,
            title: "training last 1".into(),
        };
        let held = training.held().unwrap();
        let pass = |memory: u64| {
            let (context, mut sums) = (Context::new(0, memory), BTreeMap::new());
            let names: Vec<&String> = names.iter().collect();
            let seen = training.pass(&train, 0, 0, &names, &mut sums, &context)?;
            Ok::<_, juyi::error::Error>((sums, seen.loss, seen.right))
        };
        let least = held.inputs + held.part;
        let all = pass(1 << 40).unwrap();
        assert!(all.0 == pass(least).unwrap().0 && all.1 == pass(least).unwrap().1);
        let said = pass(least - 1).err().unwrap().to_string();
        assert!(said.starts_with("training last 1 needs "), "{said}");
        let said = training.require(held, &Context::new(0, least)).unwrap_err().to_string();
        assert!(said.starts_with("training last 1, 4 pictures at a time, needs "), "{said}");

        let network = &training.plan.network;
        let scored = |memory: u64| scores(network, 1, &inputs, &train, &Context::new(0, memory));
        let least = forwards(network, 1, PART).unwrap() + inputs.bytes(PART);
        assert_eq!(scored(1 << 40).unwrap(), scored(least).unwrap());
        assert!(scored(least - 1).is_err());
    }
}
