//! Each network of the zoo beside the packages that published it, on the same tensors and picture.

use crate::formula::{numbers, tensors};
use burn::tensor::Device;
use juyi::context::Context;
use juyi_deep::extents::Extent;
use juyi_deep::features::{Extractor, Kept};
use juyi_deep::forward::{Activation, Mode};
use juyi_deep::network::Network;
use juyi_deep::zoo::{ZOO, network};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    network: String,
    side: usize,
    scores: Vec<f64>,
    length: f64,
    count: usize,
}

#[test]
fn scores_are_those_of_the_packages() {
    let text = include_str!("golden/zoo.json");
    let golden: Golden = serde_json::from_str(text).unwrap();
    let device = Device::flex();
    let mut seen = 0;
    for known in ZOO {
        let own = known.architecture();
        let name = format!("{} ({})", own.name, own.layout);
        // Second heads are no part of a prediction.
        let Some(case) = golden.cases.iter().find(|case| case.network == name) else {
            assert!(own.layout == "numpy arrays", "{name} has no golden scores");
            continue;
        };
        let tensors = tensors(&own);
        let stages = own.stages.len();
        let network = Network::from_tensors(own, &tensors, &Context::default(), &device).unwrap();
        let picture = numbers("picture", 3 * case.side * case.side).map(|u| (2.0 * u) as f32).collect();
        let picture = Activation::new(picture, Extent::Map(3, case.side, case.side), &device);
        let trunk = network.run(0..stages, picture, &mut Mode::Inference);
        // A trunk without a head gives features.
        let found =
            if case.count == 1000 { network.scores(trunk, &mut Mode::Inference) } else { trunk.features() };
        let found: Vec<f32> = found.into_data().try_into_vec().unwrap();
        assert_eq!(found.len(), case.count, "{name}");
        let length = found.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        let largest = case.scores.iter().fold(0f64, |most, v| most.max(v.abs()));
        for (ours, theirs) in found.iter().step_by(40).zip(&case.scores) {
            let off = (f64::from(*ours) - theirs).abs() / largest;
            assert!(off < 1e-4, "{name}: {ours} against {theirs}, off by {off:.1e}");
        }
        assert!((length / case.length - 1.0).abs() < 1e-4, "{name}: {length} against {}", case.length);
        seen += 1;
    }
    assert!(seen >= golden.cases.len());
}

#[test]
fn folded_normalisations_leave_the_features() {
    for name in ["resnet18", "googlenet", "mobilenet-v2"] {
        let own = network(name).unwrap();
        let (tensors, stages, side) = (tensors(&own), own.stages.len(), own.recipe.crop);
        let pictures: Vec<f32> = numbers("pictures", 2 * 3 * side * side).map(|u| (2.0 * u) as f32).collect();
        let plain =
            Network::from_tensors(own.clone(), &tensors, &Context::default(), &Device::flex()).unwrap();
        let input = Activation::new(pictures.clone(), Extent::Map(3, side, side), plain.device());
        let plain = plain.run(0..stages, input, &mut Mode::Inference).features();
        let plain: Vec<f32> = plain.into_data().try_into_vec().unwrap();
        let folded =
            Extractor::new(own, tensors, Kept::Features, &Context::default()).unwrap().run(&pictures);
        let largest = plain.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert_eq!(plain.len(), folded.len());
        for (a, b) in plain.iter().zip(&folded) {
            assert!((a - b).abs() / largest < 1e-5, "{name}: {a} and {b}");
        }
    }
}
