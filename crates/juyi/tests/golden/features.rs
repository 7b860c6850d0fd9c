//! Feature methods against calculations of their own in numpy, SciPy and scikit-learn; `make_features.py` made the
//! numbers.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::linalg::Matrix;
use juyi::methods::mapping::Msda;
use juyi::methods::{Adapter, build, fit};
use juyi::models::apply_all;
use serde_json::Value;

use super::{cases, distance, matrix, numbers};

/// The cases of one subject.
fn cases_of(subject: &str) -> Vec<Value> {
    let found: Vec<Value> = cases("features").into_iter().filter(|case| case["subject"] == subject).collect();
    assert!(!found.is_empty(), "no case of {subject}");
    found
}

/// A regression task without labels in the target.
fn bare_task(case: &Value) -> Task {
    let x_source = matrix(&case["x_source"]);
    let labels = Labels::Values(vec![0.0; x_source.nrows()]);
    let source = Domain::labelled("source", x_source, labels);
    let target = Domain::unlabelled("target", matrix(&case["x_target"]), &Goal::Value);
    Task::new(vec![source], target, Goal::Value).expect("a task")
}

/// Both domains as the method maps them.
fn mapped(task: &Task, adapter: &dyn Adapter) -> (Matrix, Matrix) {
    let nearest = learner("1-nn").expect("it is listed");
    let adapted = adapter.adapt(task, nearest.as_ref(), &mut Context::default()).expect("a map");
    let target = apply_all(&adapted.target_map, task.target.features.as_ref());
    (adapted.source.into_owned(), target)
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().expect("a number")
}

fn count(case: &Value, name: &str) -> usize {
    case[name].as_u64().expect("a count") as usize
}

#[test]
fn feda() {
    for case in cases_of("feda") {
        let (x, y) = (case["x_sources"].as_array(), case["y_sources"].as_array());
        let sources = x.expect("sources").iter().zip(y.expect("labels")).enumerate();
        let sources = sources
            .map(|(k, (x, y))| Domain::labelled(k.to_string(), matrix(x), Labels::Values(numbers(y))))
            .collect();
        let labels = numbers(&case["y_target"]);
        let target = Domain {
            name: "target".into(),
            features: matrix(&case["x_target"]),
            labelled: (0..labels.len()).collect(),
            labels: Labels::Values(labels),
        };
        let task = Task::new(sources, target, Goal::Value).expect("a task");
        let ridge = learner("ridge").expect("it is listed");
        let built = build("feda", &serde_json::Map::new()).expect("it is listed");
        let model = fit(&built, &task, ridge.as_ref(), Vec::new(), &mut Context::default()).expect("a fit");
        let said = model.predict(task.target.features.as_ref()).answer;
        for (said, expected) in said.iter().zip(numbers(&case["expected"]["predictions"])) {
            assert!((said - expected).abs() < 1e-9, "{said} {expected}");
        }
    }
}

#[test]
fn msda() {
    for case in cases_of("msda") {
        let method = Msda { corruption: number(&case, "corruption"), layers: count(&case, "layers") };
        let (source, target) = mapped(&bare_task(&case), &method);
        let off = distance(&source, &matrix(&case["expected"]["source"]))
            .max(distance(&target, &matrix(&case["expected"]["target"])));
        assert!(off < 1e-8, "{off:e}");
    }
}
