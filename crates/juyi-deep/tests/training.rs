//! Losses and their derivatives beside those of the packages that published the networks.

use std::collections::BTreeMap;

use crate::formula::{numbers, tensors};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use juyi::context::Context;
use juyi_deep::architecture::Architecture;
use juyi_deep::extents::Extent;
use juyi_deep::forward::{Activation, Mode};
use juyi_deep::images::generator;
use juyi_deep::layers::Layer;
use juyi_deep::network::Network;
use juyi_deep::zoo::ZOO;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    pictures: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    network: String,
    side: usize,
    batch: bool,
    loss: f64,
    /// Of some tensors: the length of the derivatives, and the first of them.
    derivatives: BTreeMap<String, [f64; 2]>,
    /// Lengths of running statistics after the batch.
    statistics: BTreeMap<String, f64>,
}

/// The network whose tensors have these names, without dropout.
fn network(case: &Case) -> Architecture {
    let mut all =
        ZOO.iter().filter(|known| known.name == case.network).map(juyi_deep::zoo::Known::architecture);
    let has = |own: &Architecture| {
        let names: Vec<String> = own.parameters().into_iter().map(|own| own.name).collect();
        case.derivatives.keys().all(|name| names.contains(name))
    };
    let mut own = all.find(has).unwrap_or_else(|| panic!("no layout of {} has these names", case.network));
    let stages = own.stages.iter_mut().map(|stage| &mut stage.layers);
    let heads = own.auxiliary.iter_mut().map(|own| &mut own.layers);
    for layer in stages.chain(heads).chain([&mut own.head]).flatten() {
        if let Layer::Dropout { share } = layer {
            *share = 0.0;
        }
    }
    own
}

#[test]
fn derivatives_are_those_of_the_packages() {
    let golden: Golden = serde_json::from_str(include_str!("golden/training.json")).unwrap();
    let (device, count) = (Device::flex(), golden.pictures);
    for case in &golden.cases {
        let name = format!("{}, by the batch: {}", case.network, case.batch);
        let own = network(case);
        let tensors = tensors(&own);
        let plain = Network::from_tensors(own.clone(), &tensors, &Context::default(), &device).unwrap();
        let learnt: Vec<String> =
            own.parameters().into_iter().filter(|own| !own.statistic).map(|own| own.name).collect();
        let tracked = plain.tracked(learnt.iter());
        let extent = Extent::Map(3, case.side, case.side);
        let pictures = numbers("pictures", count * extent.count()).map(|u| (2.0 * u) as f32).collect();
        let mut classes = vec![0f32; count * 1000];
        (0..count).for_each(|k| classes[1000 * k + 7 * k + 3] = -1.0 / count as f32);
        let classes: Tensor<2> = Tensor::from_data(TensorData::new(classes, [count, 1000]), &device);
        let entropy = |scores: Tensor<2>| (log_softmax(scores, 1) * classes.clone()).sum();

        let (mut moved, mut rng) = (BTreeMap::new(), generator(0, 0, 0));
        let statistics = case.batch.then_some(&mut moved);
        let mode = &mut Mode::Training { rng: &mut rng, statistics, running: 0.0 };
        let mut x = Activation::new(pictures, extent, &device);
        let mut loss: Option<Tensor<1>> = None;
        for stage in 0..own.stages.len() {
            x = tracked.run(stage..stage + 1, x, mode);
            for (which, second) in own.auxiliary.iter().enumerate().filter(|(_, own)| own.after == stage) {
                let own = entropy(tracked.auxiliary_scores(which, x.clone(), mode)).mul_scalar(second.share);
                loss = Some(loss.map_or(own.clone(), |sum| sum + own));
            }
        }
        let own = entropy(tracked.scores(x, mode));
        let loss = loss.map_or(own.clone(), |sum| sum + own);
        let value = f64::from(loss.clone().inner().into_scalar::<f32>());
        assert!((value / case.loss - 1.0).abs() < 1e-4, "{name}: loss {value}, not {}", case.loss);
        let found = loss.backward();
        // Where the next layer takes the mean away, a shift has no derivative but rounding errors.
        let least = 1e-4 * case.derivatives.values().fold(0.0, |most, [length, _]| f64::max(most, *length));
        for (tensor, [length, first]) in &case.derivatives {
            let gradient = tracked.gradient(tensor, &found);
            let own = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let length = length.max(least);
            let off = (own.max(least) / length - 1.0).abs();
            assert!(off < 2e-3, "{name}, {tensor}: length {own}, not {length}");
            let first_off = (f64::from(gradient[0]) - first).abs();
            assert!(first_off < 2e-3 * length, "{name}, {tensor}: first {}, not {first}", gradient[0]);
        }
        let length = |own: &Tensor<1>| {
            let values: Vec<f32> = own.to_data().try_into_vec().unwrap();
            values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt()
        };
        for (tensor, expected) in &case.statistics {
            let own = length(&moved[tensor]);
            assert!((own / expected - 1.0).abs() < 1e-4, "{name}, {tensor}: {own}, not {expected}");
        }
    }
}
