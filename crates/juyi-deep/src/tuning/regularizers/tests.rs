//! Regularizers within a training of a small network.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Device;
use juyi::context::Context;

use super::behaviour::weigh;
use super::{Attention, Kind, Known, Regularization, Regularizer, Stages, StartingPoint, prepare};
use crate::architecture::{Architecture, Auxiliary, stage};
use crate::forward::{Activation, Mode};
use crate::images::{Filter, Recipe, Resize};
use crate::layers::{Layer, batch_norm, convolution, linear};
use crate::network::{Network, numbers};
use crate::tuning::inputs::Inputs;
use crate::tuning::optimizer::Rule;
use crate::tuning::plan::Plan;
use crate::tuning::settings::Settings;
use crate::tuning::strategy::Strategy;
use crate::tuning::training::Training;

const PICTURES: usize = 14;

/// Three stages on pictures of 8 pixels a side, the last on 4; two classes, and two of an old head.
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
    let layers = |name: &str, channels: (usize, usize), stride| {
        let (kernel, norm) = (convolution(name, channels, 3, stride), format!("{name}.norm"));
        vec![kernel.into(), batch_norm(norm, channels.1, 1e-5), Layer::Relu]
    };
    let head = |name: &str| vec![Layer::AverageTo { side: 1 }, Layer::Flatten, linear(name, 6, 2)];
    Architecture {
        name: "small".into(),
        layout: "none".into(),
        recipe,
        stages: vec![
            stage("one", layers("a", (3, 4), 1)),
            stage("two", layers("b", (4, 5), 1)),
            stage("three", layers("c", (5, 6), 2)),
        ],
        head: head("head"),
        auxiliary: vec![Auxiliary { after: 2, share: 0.0, layers: head("source.head") }],
    }
}

fn network() -> Network {
    Network::from_chance(small(), &Context::default(), &Device::flex())
}

fn known() -> BTreeSet<String> {
    let names = small().parameters().into_iter().map(|own| own.name);
    names.filter(|name| !name.starts_with("head.")).collect()
}

/// What goes into the second stage.
fn inputs() -> Inputs<'static> {
    let extent = small().after(1).unwrap();
    let row = |k: usize| (0..extent.count()).map(|j| ((31 * k + 7 * j) % 19) as f32 / 19.0).collect();
    Inputs::Kept { extent, views: vec![(0..PICTURES).map(row).collect()] }
}

fn classes() -> Vec<usize> {
    (0..PICTURES).map(|k| usize::from(k >= 10)).collect()
}

/// The network after some epochs of the last two stages.
fn trained(settings: &Settings, regularizer: Option<Box<dyn Regularizer>>) -> Network {
    let (context, inputs, classes) = (Context::default(), inputs(), classes());
    let plan = Plan::new(Strategy::Last(2), network(), &known(), false, 1, &context).unwrap();
    let training = Training {
        settings,
        strategy: Strategy::Last(2),
        plan,
        regularizer,
        inputs: &inputs,
        classes: &classes,
        train: (0..PICTURES).collect(),
        check: Vec::new(),
        count: 2,
        title: "training".into(),
    };
    training.run(None, &context).unwrap().network
}

/// Of one step of gradient descent over all pictures: what the checkpoint has is not pulled to 0, what is new is.
#[test]
fn weight_decay_is_for_what_is_new_where_a_regularizer_holds_the_rest() {
    let after = |weight_decay: f64, held: bool| {
        let (rule, decay) = (Rule::Sgd, crate::tuning::optimizer::Decay::Constant);
        let settings = Settings {
            epochs: 1,
            batch: PICTURES,
            rate: Some(1e-2),
            rule,
            decay,
            weight_decay,
            clip: None,
            ..Settings::default()
        };
        let start = known().into_iter().filter(|name| !name.contains("running"));
        let start = start.map(|name| (name.clone(), network().numbers(&name))).collect();
        let own = StartingPoint { strength: 0.1, new: weight_decay, start };
        trained(&settings, held.then(|| Box::new(own) as Box<dyn Regularizer>))
    };
    for held in [true, false] {
        let (with, without) = (after(0.5, held), after(0.0, held));
        for name in ["b.weight", "c.weight", "c.norm.weight", "head.weight", "head.bias"] {
            // The first step of Nesterov's momentum is 1.9 times the gradient; a new head learns ten times as fast.
            let factor = if name.starts_with("head") { 0.1 } else { 0.01 };
            // In the paper's loss the bias of the new head is pulled, too.
            let new = name == "head.weight" || held && name == "head.bias";
            let shrinks = new || !held && matches!(name, "b.weight" | "c.weight");
            let pull = if shrinks { 1.9 * factor * 0.5 } else { 0.0 };
            let both = with.numbers(name).into_iter().zip(without.numbers(name));
            for ((a, b), start) in both.zip(network().numbers(name)) {
                assert!((b - a - pull * start).abs() < 1e-6, "{name}, held: {held}: {a}, {b}, {start}");
            }
        }
    }
}

/// A channel whose normalisation gives 0 for it is gone: the same losses, by another way.
#[test]
fn channels_of_every_stage_are_weighed_by_what_is_lost_without_them() {
    let (network, inputs, classes) = (network(), inputs(), classes());
    let which = [0, 3, 11, 13];
    let own = Attention { stages: Stages::All, pictures: 4, temperature: 2.0 };
    let context = &mut Context::default();
    let found = weigh(own, &network, 1, &inputs, &which, &classes, context).unwrap();
    let text = &context.notices()[0].text;
    assert!(text.starts_with("11 channels of 2 stages are weighed by 4 pictures"), "{text}");
    let loss = |network: &Network| -> f64 {
        let each = which.iter().map(|&at| {
            let x = Activation::new(
                inputs.of(&[at], None, &Context::default()).unwrap(),
                inputs.extent(),
                network.device(),
            );
            let mode = &mut Mode::Inference;
            let scores = numbers(network.scores(network.run(1..3, x, mode), mode).into_data());
            let sum: f64 = scores.iter().map(|s| f64::from(*s).exp()).sum();
            sum.ln() - f64::from(scores[classes[at]])
        });
        each.sum::<f64>() / which.len() as f64
    };
    for (stage, name, channels) in [(1, "b", 5), (2, "c", 6)] {
        let grows: Vec<f64> = (0..channels)
            .map(|channel| {
                let mut without = network.clone();
                for part in ["weight", "bias"] {
                    let tensor = format!("{name}.norm.{part}");
                    let mut values = without.numbers(&tensor);
                    values[channel] = 0.0;
                    without.set(&tensor, values);
                }
                loss(&without) - loss(&network)
            })
            .collect();
        let mean = grows.iter().sum::<f64>() / channels as f64;
        let deviation = (grows.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / channels as f64).sqrt();
        let shares: Vec<f64> = grows.iter().map(|v| ((v - mean) / deviation / 2.0).exp()).collect();
        let sum: f64 = shares.iter().sum();
        for (own, share) in found[&stage].iter().zip(&shares) {
            assert!((f64::from(*own) - share / sum).abs() < 1e-4, "{name}: {own}, not {}", share / sum);
        }
    }
    // Maps get smaller after the second stage, counted from one.
    let sizes = Attention { stages: Stages::Sizes, ..own };
    let found = weigh(sizes, &network, 0, &pictures(), &which, &classes, context).unwrap();
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [1, 2]);
}

/// What goes into the first stage.
fn pictures() -> Inputs<'static> {
    let extent = small().input();
    let row = |k: usize| (0..extent.count()).map(|j| ((29 * k + 5 * j) % 17) as f32 / 17.0).collect();
    Inputs::Kept { extent, views: vec![(0..PICTURES).map(row).collect()] }
}

/// Only a head that came with the checkpoint tells what weights are worth, and each class has its part in it.
#[test]
fn what_weights_are_worth_is_seen_on_pictures_of_all_classes() {
    let (context, inputs, classes) = (&mut Context::default(), inputs(), classes());
    let plan = Plan::new(Strategy::Last(2), network(), &known(), false, 1, context).unwrap();
    let train: Vec<usize> = (0..PICTURES).collect();
    let known = Known {
        plan: &plan,
        inputs: &inputs,
        train: &train,
        classes: &classes,
        count: 2,
        solved: None,
        weight_decay: 0.0,
    };
    let own = prepare(Regularization::from(Kind::Ewc), &known, context).unwrap();
    let mut pulled: BTreeMap<&str, f32> = BTreeMap::new();
    for name in ["b.weight", "source.head.weight", "head.weight"] {
        let away: Vec<f32> = plan.network.numbers(name).iter().map(|v| v + 1.0).collect();
        let mut gradient = vec![0.0; away.len()];
        own.pull(name, &away, &mut gradient);
        pulled.insert(name, gradient.iter().sum());
    }
    assert!(pulled["b.weight"] > 0.0 && pulled["source.head.weight"] > 0.0, "{pulled:?}");
    assert!(pulled["head.weight"] == 0.0 && own.holds("b.weight") && !own.holds("head.weight"));
}
