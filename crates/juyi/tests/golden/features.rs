//! Feature methods against calculations of their own in numpy, SciPy and scikit-learn; `make_features.py` made the
//! numbers.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::linalg::{Matrix, multiply, stack};
use juyi::methods::mapping::{CcaFusion, FMmd, Msda, Scl, Tsl};
use juyi::methods::{Adapter, build, fit};
use juyi::models::{Map, apply_all};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{cases, classes, distance, matrix, numbers};

/// The cases of one subject.
fn cases_of(subject: &str) -> Vec<Value> {
    let found: Vec<Value> = cases("features").into_iter().filter(|case| case["subject"] == subject).collect();
    assert!(!found.is_empty(), "no case of {subject}");
    found
}

/// A task without labels in the target; a regression where the case has no classes.
fn bare_task(case: &Value) -> Task {
    let x_source = matrix(&case["x_source"]);
    let (goal, labels) = match &case["y"] {
        Value::Null => (Goal::Value, Labels::Values(vec![0.0; x_source.nrows()])),
        y => {
            let of = classes(y);
            let count = of.iter().max().map_or(0, |c| c + 1);
            (Goal::Classes((0..count).map(|c| c.to_string()).collect()), Labels::Classes(of))
        }
    };
    let source = Domain::labelled("source", x_source, labels);
    let target = Domain::unlabelled("target", matrix(&case["x_target"]), &goal);
    Task::new(vec![source], target, goal).expect("a task")
}

/// The method with those of its parameters that stand in the case.
fn method<M: DeserializeOwned>(case: &Value, names: &[&str]) -> M {
    let params = names.iter().map(|name| ((*name).to_string(), case[*name].clone())).collect();
    serde_json::from_value(Value::Object(params)).expect("parameters")
}

/// Both domains as the method maps them.
fn mapped(task: &Task, adapter: &dyn Adapter) -> (Matrix, Matrix) {
    let nearest = learner("1-nn").expect("it is listed");
    let adapted = adapter.adapt(task, nearest.as_ref(), &mut Context::default()).expect("a map");
    let target = apply_all(&adapted.target_map, task.target().features().as_ref());
    (adapted.source.into_owned(), target)
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
        let target = Domain::partly_labelled(
            "target",
            matrix(&case["x_target"]),
            (0..labels.len()).collect(),
            Labels::Values(labels),
        );
        let task = Task::new(sources, target, Goal::Value).expect("a task");
        let ridge = learner("ridge").expect("it is listed");
        let built = build("feda", &serde_json::Map::new()).expect("it is listed");
        let model = fit(&built, &task, ridge.as_ref(), Vec::new(), &mut Context::default()).expect("a fit");
        let said =
            model.predict(task.target().features().as_ref()).expect("rows of the model's columns").answer;
        for (said, expected) in said.iter().zip(numbers(&case["expected"]["predictions"])) {
            assert!((said - expected).abs() < 1e-9, "{said} {expected}");
        }
    }
}

#[test]
fn msda() {
    for case in cases_of("msda") {
        let method: Msda = method(&case, &["corruption", "layers"]);
        let (source, target) = mapped(&bare_task(&case), &method);
        let off = distance(&source, &matrix(&case["expected"]["source"]))
            .max(distance(&target, &matrix(&case["expected"]["target"])));
        assert!(off < 1e-8, "{off:e}");
    }
}

#[test]
fn scl() {
    for case in cases_of("scl") {
        let method: Scl = method(&case, &["pivots", "components", "rescale", "penalty", "ranking"]);
        let task = bare_task(&case);
        let (source, target) = mapped(&task, &method);
        let all = stack(source.as_ref(), target.as_ref());
        let expected = matrix(&case["expected"]["appended"]);
        let d = task.columns();
        assert_eq!(all.shape(), (expected.nrows(), d + expected.ncols()));
        assert_eq!(all.get(.., ..d), task.pooled());
        for j in 0..expected.ncols() {
            let (ours, theirs) = (all.col(d + j), expected.col(j));
            let off = (ours - theirs).norm_max().min((ours + theirs).norm_max());
            assert!(off < 1e-8, "{j}: {off:e}");
        }
    }
}

#[test]
fn cca_fusion() {
    for case in cases_of("cca-fusion") {
        let method: CcaFusion = method(&case, &["first_view", "components", "regularization", "output"]);
        let (source, target) = mapped(&bare_task(&case), &method);
        let z = stack(source.as_ref(), target.as_ref());
        let off = distance(&multiply(z.as_ref(), z.transpose()), &matrix(&case["expected"]["gram"]));
        assert!(off < 1e-8, "{off:e}");
    }
}

#[test]
fn f_mmd() {
    for case in cases_of("f-mmd") {
        let method: FMmd = method(&case, &["kernel"]);
        let (x_s, x_t) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
        let weights = method.weights(x_s.as_ref(), x_t.as_ref()).expect("weights");
        for (ours, expected) in weights.iter().zip(numbers(&case["expected"]["weights"])) {
            assert!((ours - expected).abs() < 1e-9, "{}: {ours} {expected}", case["kernel"]);
        }
    }
}

/// The span, which is all that matters, and with it the objective to twice as many digits.
#[test]
fn tsl() {
    for case in cases_of("tsl") {
        let names = ["base", "components", "weight", "bandwidth", "regularization"];
        let method: Tsl = method(&case, &names);
        let (task, nearest) = (bare_task(&case), learner("1-nn").expect("it is listed"));
        let adapted = method.adapt(&task, nearest.as_ref(), &mut Context::default()).expect("a map");
        let [Map::Project { matrix: w }] = &adapted.target_map[..] else { panic!("a projection") };
        let off = distance(&multiply(w.as_ref(), w.transpose()), &matrix(&case["expected"]["projector"]));
        assert!(off < 1e-5, "{}: {off:e}", case["base"]);
    }
}
