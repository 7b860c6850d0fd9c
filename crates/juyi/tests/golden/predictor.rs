//! EasyTL's programme against SciPy, label propagation against scikit-learn.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::NearestNeighbor;
use juyi::linalg::{Matrix, select_rows};
use juyi::methods::{build, fit};
use juyi::models::{Model, Predictor};
use serde_json::{Value, json};

use super::{cases, classes, distance, matrix, numbers};

/// Fits a method on a source with these classes and a target without labels.
fn fitted(name: &str, params: &Value, source: Matrix, of: Vec<usize>, target: Matrix) -> Model {
    let count = of.iter().max().map_or(0, |c| c + 1);
    let goal = Goal::Classes((0..count).map(|c| c.to_string()).collect());
    let source = Domain::labelled("source", source, Labels::Classes(of));
    let task = Task::new(vec![source], Domain::unlabelled("target", target, &goal), goal).expect("a task");
    let built = build(name, params.as_object().expect("an object")).expect("parameters");
    fit(&built, &task, &NearestNeighbor::default(), Vec::new(), &mut Context::default()).expect("a fit")
}

#[test]
fn easytl() {
    for case in cases("easytl") {
        let target = matrix(&case["x_target"]);
        let params = json!({"alignment": "none"});
        let model = fitted("easytl", &params, matrix(&case["x_source"]), classes(&case["y"]), target.clone());
        let said = model.predict(target.as_ref()).expect("rows of the model's columns");
        assert_eq!(said.answer, numbers(&case["expected"]["labels"]));
        let Predictor::ClassMeans { offsets, .. } = &model.predictor else { panic!("class means") };
        assert_eq!(offsets.norm_max() > 0.0, case["empty_classes"].as_u64().expect("a count") > 0);
        let scores = said.scores.expect("scores");
        let cost = |(i, c): (usize, &f64)| offsets[(0, *c as usize)] - scores[(i, *c as usize)];
        let objective: f64 = said.answer.iter().enumerate().map(cost).sum();
        assert!((objective - case["expected"]["objective"].as_f64().expect("a number")).abs() < 1e-9);
    }
}

#[test]
fn label_propagation() {
    for case in cases("label_propagation") {
        let (x, probe) = (matrix(&case["x"]), matrix(&case["x_test"]));
        let y = case["y"].as_array().expect("a list");
        let (known, unknown): (Vec<usize>, Vec<usize>) = (0..y.len()).partition(|&i| !y[i].is_null());
        let of = known.iter().map(|&i| y[i].as_u64().expect("a class") as usize).collect();
        let params = json!({"bandwidth": (0.5 / case["gamma"].as_f64().expect("a number")).sqrt()});
        let rows = |which: &[usize]| select_rows(x.as_ref(), which);
        let model = fitted("label-propagation", &params, rows(&known), of, rows(&unknown));
        let Predictor::Propagation { answers, .. } = &model.predictor else { panic!("propagation") };
        let ours = answers.get(known.len().., ..).to_owned();
        assert!(distance(&ours, &matrix(&case["expected"]["probabilities"])) < 1e-9);
        let scores =
            model.predict(probe.as_ref()).expect("rows of the model's columns").scores.expect("scores");
        assert!(distance(&scores, &matrix(&case["expected"]["test_probabilities"])) < 1e-9);
    }
}
