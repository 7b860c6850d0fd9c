//! Kernel mean matching against cvxopt, nearest-neighbour weights against skada, discriminative weights against
//! scikit-learn.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::methods::Adapter;
use juyi::methods::weighting::{Discriminative, Kmm, NearestNeighbor};
use serde_json::Value;

use super::{cases, matrix, numbers};

#[test]
fn kmm() {
    for case in cases("kmm") {
        let number = |value: &Value| value.as_f64().expect("a number");
        let (source, target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
        let kmm = Kmm { bandwidth: None, bound: number(&case["B"]), slack: Some(number(&case["eps"])) };
        let width = number(&case["bandwidth"]);
        let found =
            kmm.solve(source.as_ref(), target.as_ref(), width, &mut Context::default()).expect("weights");
        let expected = number(&case["expected"]["objective"]);
        assert!(
            found.objective <= expected + 1e-9 * expected.abs(),
            "{}, cvxopt {expected}",
            found.objective
        );
        assert!(found.converged && found.residual <= 1e-8 * source.nrows() as f64, "{:e}", found.residual);
        for (ours, theirs) in found.weights.iter().zip(numbers(&case["expected"]["weights"])) {
            assert!((ours - theirs).abs() < 1e-4, "{ours}, cvxopt {theirs}");
        }
    }
}

/// The weights of an adapter on a case's rows.
fn weights(adapter: &dyn Adapter, case: &Value) -> Vec<f64> {
    let goal = Goal::Classes(vec!["a".into(), "b".into()]);
    let x = matrix(&case["x_source"]);
    let of = (0..x.nrows()).map(|i| i % 2).collect();
    let source = Domain::labelled("source", x, Labels::Classes(of));
    let target = Domain::unlabelled("target", matrix(&case["x_target"]), &goal);
    let task = Task::new(vec![source], target, goal).expect("a task");
    let means = learner("class-means").expect("it is listed");
    let adapted = adapter.adapt(&task, means.as_ref(), &mut Context::default());
    adapted.expect("weights").weights.expect("weights")
}

#[test]
fn nearest_neighbor() {
    for case in cases("nearest_neighbor_weighting") {
        let smoothing = f64::from(u8::from(case["laplace_smoothing"].as_bool().expect("a switch")));
        let theirs = numbers(&case["expected"]["weights"]);
        let mean = theirs.iter().sum::<f64>() / theirs.len() as f64;
        for (ours, theirs) in weights(&NearestNeighbor { smoothing }, &case).iter().zip(theirs) {
            assert!((ours - theirs / mean).abs() < 1e-12, "{ours}, skada {}", theirs / mean);
        }
    }
}

#[test]
fn discriminative() {
    for case in cases("discriminative") {
        let cost = case["cost"].as_f64().expect("a number");
        let adapter = Discriminative { cost, bound: case["bound"].as_f64() };
        for (ours, theirs) in weights(&adapter, &case).iter().zip(numbers(&case["expected"]["weights"])) {
            assert!((ours - theirs).abs() < 1e-7, "{ours}, scikit-learn {theirs}");
        }
    }
}
