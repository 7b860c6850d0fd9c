//! CORAL against its formula in numpy; TCA and JDA against the published algorithm in numpy and SciPy; subspace
//! alignment against skada.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::linalg::{Matrix, multiply, stack};
use juyi::methods::mapping::{Coral, Jda, SubspaceAlignment, Tca};
use juyi::methods::{Adapter, build, fit};
use juyi::models::apply_all;
use juyi::solvers::Kernel;
use serde_json::Value;

use super::{cases, classes, distance, matrix};

fn task(case: &Value) -> Task {
    let x_source = matrix(&case["x_source"]);
    let y = match &case["y"] {
        Value::Null => (0..x_source.nrows()).map(|i| i % 2).collect(),
        y => classes(y),
    };
    let count = y.iter().max().map_or(0, |c| c + 1);
    let goal = Goal::Classes((0..count).map(|c| c.to_string()).collect());
    let source = Domain::labelled("source", x_source, Labels::Classes(y));
    let target = Domain::unlabelled("target", matrix(&case["x_target"]), &goal);
    Task::new(vec![source], target, goal).expect("a task")
}

#[test]
fn coral() {
    for case in cases("coral") {
        let coral = Coral { regularization: case["regularization"].as_f64().expect("a number") };
        let (task, nearest) = (task(&case), learner("1-nn").expect("it is listed"));
        let adapted = coral.adapt(&task, nearest.as_ref(), &mut Context::default()).expect("a map");
        assert!(distance(&adapted.source, &matrix(&case["expected"]["mapped"])) < 1e-9);
    }
}

fn kernel(case: &Value) -> Kernel {
    serde_json::from_value(case["kernel"].clone()).expect("a kernel")
}

/// `exp(-gamma d²)` has this width.
fn bandwidth(case: &Value) -> Option<f64> {
    case["gamma"].as_f64().map(|gamma| (0.5 / gamma).sqrt())
}

/// The inner products of all mapped rows, source rows first.
fn gram(task: &Task, adapter: &dyn Adapter) -> Matrix {
    let nearest = learner("1-nn").expect("it is listed");
    let adapted = adapter.adapt(task, nearest.as_ref(), &mut Context::default()).expect("an embedding");
    let target: Matrix = apply_all(&adapted.target_map, task.target().features().as_ref());
    let z = stack(adapted.source.as_ref().as_ref(), target.as_ref());
    multiply(z.as_ref(), z.transpose())
}

fn check(case: &Value, adapter: &dyn Adapter, name: &str, params: &Value) {
    let (task, nearest) = (task(case), learner("1-nn").expect("it is listed"));
    let off = distance(&gram(&task, adapter), &matrix(&case["expected"]["gram"]));
    assert!(off < 1e-8, "{name}, {}: {off:e}", case["kernel"]);
    let built = build(name, params.as_object().expect("an object")).expect("parameters");
    let model = fit(&built, &task, nearest.as_ref(), Vec::new(), &mut Context::default()).expect("a fit");
    let said: Vec<usize> = model
        .predict(task.target().features().as_ref())
        .expect("rows of the model's columns")
        .answer
        .iter()
        .map(|c| *c as usize)
        .collect();
    assert_eq!(said, classes(&case["expected"]["predictions"]), "{name}, {}", case["kernel"]);
}

#[test]
fn subspace_alignment() {
    for case in cases("subspace_alignment") {
        let components = case["components"].as_u64().expect("a count") as usize;
        let ours = gram(&task(&case), &SubspaceAlignment { components });
        let off = distance(&ours, &matrix(&case["expected"]["gram"]));
        assert!(off < 1e-9, "{off:e}");
    }
}

#[test]
fn tca() {
    for case in cases("tca") {
        let adapter = Tca {
            kernel: kernel(&case),
            components: case["dimensions"].as_u64().expect("a count") as usize,
            regularization: case["lambda"].as_f64().expect("a number"),
            bandwidth: bandwidth(&case),
        };
        check(&case, &adapter, "tca", &serde_json::to_value(&adapter).expect("JSON"));
    }
}

#[test]
fn jda() {
    for case in cases("jda") {
        let adapter = Jda {
            kernel: kernel(&case),
            components: case["dimensions"].as_u64().expect("a count") as usize,
            regularization: case["lambda"].as_f64().expect("a number"),
            iterations: case["iterations"].as_u64().expect("a count") as usize,
            bandwidth: bandwidth(&case),
        };
        check(&case, &adapter, "jda", &serde_json::to_value(&adapter).expect("JSON"));
    }
}
