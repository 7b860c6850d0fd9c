//! Distances between samples against scikit-learn, SciPy and POT.

use juyi::context::Context;
use juyi::data::{Cells, Goal, Labels};
use juyi::measures::{DomainLabels, Domains, LabelsNeeded, measure_with, mmd, moved_columns};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::{cases, classes, matrix, numbers};

#[test]
fn measures() {
    for case in cases("measures") {
        let expected = |name: &str| case["expected"][name].as_f64().expect("a number");
        if case["kind"] == "mmd" {
            let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
            let width = case["bandwidth"].as_f64().expect("a number");
            let [biased, unbiased] = mmd(x.as_ref(), y.as_ref(), width, 9, &mut ChaCha8Rng::seed_from_u64(0));
            assert!((biased.value - expected("biased")).abs() < 1e-12);
            assert!((unbiased.value - expected("unbiased")).abs() < 1e-12);
            continue;
        }
        let (x, y) = (cells(&case["x"], &case["kind"]), cells(&case["y"], &case["kind"]));
        let moved = &moved_columns(&[("x", vec![&x], &y)])[0];
        assert_eq!(moved.test.to_lowercase(), case["kind"]);
        assert!((moved.distance - expected("distance")).abs() < 1e-12, "{}", moved.distance);
        let p = expected("p");
        assert!((moved.p_value - p).abs() < 1e-10, "{}, SciPy {p}", moved.p_value);
    }
}

fn cells(values: &Value, kind: &Value) -> Cells {
    let numbers = numbers(values);
    if kind == "ks" {
        return Cells::Numbers(numbers);
    }
    let names = ["a", "b", "c"].map(str::to_string).to_vec();
    Cells::Text { codes: numbers.into_iter().map(|v| v as u32).collect(), values: names }
}

/// What each measure of a case returns, or what a mean over drawn directions or frequencies comes near.
#[test]
fn domain_measures() {
    let goal = Goal::Classes(["a", "b", "c"].map(str::to_string).to_vec());
    for case in cases("domain_measures") {
        let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
        let (source, target) =
            (Labels::Classes(classes(&case["classes"][0])), Labels::Classes(classes(&case["classes"][1])));
        let all: Vec<usize> = (0..y.nrows()).collect();
        let labels = DomainLabels { goal: &goal, source: &source, target: (&all, &target) };
        let found = |name: &str| -> Vec<f64> {
            let params = case["params"][name].as_object().cloned().unwrap_or_default();
            let measure = measure_with(name, &params).expect("a measure");
            let labels = (measure.row().labels != LabelsNeeded::None).then_some(labels);
            let context = &mut Context::default();
            let mut rng = context.rng("measures");
            let found = measure.between(&Domains { source: &x, target: &y, labels }, &mut rng, context);
            found.expect("distances").iter().map(|distance| distance.value).collect()
        };
        for (name, expected) in case["expected"].as_object().expect("measures") {
            let (ours, theirs) = (found(name), numbers(expected));
            assert!(ours.len() >= theirs.len(), "{name}");
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((ours - theirs).abs() < 1e-8, "{name}: {ours}, by the reference {theirs}");
            }
        }
        for (name, expected) in case["drawn"].as_object().expect("measures") {
            let (ours, theirs) = (found(name)[0], numbers(expected));
            assert!((ours - theirs[0]).abs() < theirs[1], "{name}: {ours}, by the reference {theirs:?}");
        }
    }
}
