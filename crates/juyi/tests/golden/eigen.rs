//! The mapping methods that are eigenproblems, against their published equations with whole matrices in numpy and SciPy.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::linalg::{Matrix, multiply, stack};
use juyi::methods::Adapter;
use juyi::methods::mapping::{Bda, Gfk, Jgsa, Mida, Pca, SemiSupervisedTca, Tjm};
use juyi::models::{apply_all, predict};
use juyi::solvers::Kernel;
use serde_json::Value;

use super::{cases, classes, distance, matrix, numbers};

fn task(case: &Value) -> Task {
    let (x, y) = (matrix(&case["x_source"]), classes(&case["y"]));
    let count = y.iter().max().map_or(0, |c| c + 1);
    let goal = Goal::Classes((0..count).map(|c| c.to_string()).collect());
    let parts = case.get("parts").map_or_else(|| vec![y.len()], classes);
    let mut sources = Vec::new();
    let mut first = 0;
    for rows in parts {
        let features = x.get(first..first + rows, ..).to_owned();
        sources.push(Domain::labelled("source", features, Labels::Classes(y[first..first + rows].to_vec())));
        first += rows;
    }
    let target = Domain::unlabelled("target", matrix(&case["x_target"]), &goal);
    Task::new(sources, target, goal).expect("a task")
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap_or_else(|| panic!("{name}"))
}

fn count(case: &Value, name: &str) -> usize {
    number(case, name) as usize
}

fn kernel(case: &Value) -> Kernel {
    serde_json::from_value(case["kernel"].clone()).expect("a kernel")
}

/// `exp(-gamma d²)` has this width.
fn bandwidth(case: &Value) -> Option<f64> {
    case["gamma"].as_f64().map(|gamma| (0.5 / gamma).sqrt())
}

/// The inner products of all mapped rows, source rows first, and the 1-NN labels of the target rows, where there are any to
/// compare with.
fn check(case: &Value, adapter: &dyn Adapter, tolerance: f64) {
    let (task, nearest) = (task(case), learner("1-nn").expect("it is listed"));
    let context = &mut Context::default();
    let adapted = adapter.adapt(&task, nearest.as_ref(), context).expect("an embedding");
    let target: Matrix = apply_all(&adapted.target_map, task.target().features().as_ref());
    let z = stack(adapted.source.as_ref().as_ref(), target.as_ref());
    let expected = matrix(&case["expected"]["gram"]);
    let off = distance(&multiply(z.as_ref(), z.transpose()), &expected) / expected.norm_max();
    assert!(off < tolerance, "{}: {off:e}", case["kernel"]);
    if let Some(labels) = case["expected"].get("predictions") {
        let goal = task.goal();
        let trained = juyi::learners::train(
            nearest.as_ref(),
            &adapted.source,
            task.source().labels(),
            None,
            goal,
            context,
        )
        .expect("a fit");
        assert_eq!(predict(&[], &trained.predictor, target.as_ref()).answer, numbers(labels));
    }
}

#[test]
fn pca() {
    for case in cases("eigen_pca") {
        check(&case, &Pca { components: count(&case, "components") }, 1e-9);
    }
}

#[test]
fn gfk() {
    for case in cases("eigen_gfk") {
        check(&case, &Gfk { components: Some(count(&case, "components")) }, 1e-9);
    }
}

#[test]
fn tjm() {
    for case in cases("eigen_tjm") {
        let adapter = Tjm {
            kernel: kernel(&case),
            components: count(&case, "components"),
            regularization: number(&case, "lambda"),
            iterations: count(&case, "iterations"),
            bandwidth: bandwidth(&case),
        };
        check(&case, &adapter, 1e-8);
    }
}

#[test]
fn jgsa() {
    for case in cases("eigen_jgsa") {
        let adapter = Jgsa {
            kernel: kernel(&case),
            components: count(&case, "components"),
            alignment: Some(number(&case, "alpha")),
            variance: number(&case, "mu"),
            discrimination: number(&case, "beta"),
            iterations: count(&case, "iterations"),
            bandwidth: bandwidth(&case),
        };
        check(&case, &adapter, 1e-6);
    }
}

#[test]
fn bda() {
    for case in cases("eigen_bda") {
        let adapter = Bda {
            kernel: kernel(&case),
            components: count(&case, "components"),
            regularization: number(&case, "lambda"),
            balance: Some(number(&case, "balance")),
            weighted: case["weighted"] == true,
            iterations: count(&case, "iterations"),
            bandwidth: bandwidth(&case),
        };
        check(&case, &adapter, 1e-8);
    }
}

#[test]
fn mida() {
    for case in cases("eigen_mida") {
        let adapter = Mida {
            kernel: kernel(&case),
            components: count(&case, "components"),
            variance: number(&case, "mu"),
            labels: number(&case, "labels"),
            bandwidth: bandwidth(&case),
        };
        check(&case, &adapter, 1e-6);
    }
}

#[test]
fn semi_supervised_tca() {
    for case in cases("eigen_semi_supervised_tca") {
        let adapter = SemiSupervisedTca {
            kernel: kernel(&case),
            components: count(&case, "components"),
            regularization: number(&case, "mu"),
            labels: number(&case, "labels"),
            manifold: number(&case, "manifold"),
            neighbors: count(&case, "neighbors"),
            bandwidth: bandwidth(&case),
        };
        check(&case, &adapter, 1e-6);
    }
}
