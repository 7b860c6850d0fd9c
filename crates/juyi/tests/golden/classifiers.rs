//! Adaptation regularisation, MEDA, DASVM, linear interpolation and Pred against their equations in numpy; label
//! spreading and self-training against scikit-learn.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::{Learner, learner};
use juyi::linalg::{Matrix, select_rows};
use juyi::methods::{build, fit};
use juyi::models::{Model, Predictor};
use serde_json::{Value, json};

use super::{cases, classes, distance, matrix, numbers};

/// Fits a method on the case's rows; `known` are the classes of the target rows, -1 where there is none.
fn fitted(name: &str, case: &Value, params: &Value, learner: &dyn Learner) -> Model {
    let of = classes(&case["y"]);
    let count = of.iter().max().map_or(0, |c| c + 1);
    let goal = Goal::Classes((0..count).map(|c| c.to_string()).collect());
    let mut target = Domain::unlabelled("target", matrix(&case["x_target"]), &goal);
    if let Some(known) = case["known"].as_array() {
        let known: Vec<i64> = known.iter().map(|c| c.as_i64().expect("a class or -1")).collect();
        let labelled: Vec<usize> = (0..known.len()).filter(|&i| known[i] >= 0).collect();
        let labels = Labels::Classes(labelled.iter().map(|&i| known[i] as usize).collect());
        target = Domain::partly_labelled("target", target.features().clone(), labelled, labels);
    }
    let source = Domain::labelled("source", matrix(&case["x_source"]), Labels::Classes(of));
    let task = Task::new(vec![source], target, goal).expect("a task");
    let built = build(name, params.as_object().expect("an object")).expect("parameters");
    fit(&built, &task, learner, Vec::new(), &mut Context::default()).expect("a fit")
}

fn scores(model: &Model, rows: &Value) -> Matrix {
    model.predict(matrix(rows).as_ref()).expect("rows of the model's columns").scores.expect("scores")
}

/// The scores of the target rows and of new rows.
fn both(name: &str, tolerance: f64) {
    let nearest = learner("1-nn").expect("it is listed");
    for (number, case) in cases(name).iter().enumerate() {
        let model = fitted(name, case, &case["params"], nearest.as_ref());
        for (rows, expected) in [("x_target", "scores"), ("x_test", "test_scores")] {
            let off = distance(&scores(&model, &case[rows]), &matrix(&case["expected"][expected]));
            assert!(off < tolerance, "{name}, case {number}, {rows}: {off:e}");
        }
    }
}

#[test]
fn artl() {
    both("artl", 1e-10);
}

#[test]
fn meda() {
    both("meda", 1e-8);
}

#[test]
fn label_spreading() {
    let nearest = learner("1-nn").expect("it is listed");
    for case in cases("label_spreading") {
        let (x, labelled) = (matrix(&case["x"]), numbers(&case["y"]).len());
        let rows = |which: std::ops::Range<usize>| {
            let rows = select_rows(x.as_ref(), &which.collect::<Vec<_>>());
            let lines: Vec<Vec<f64>> =
                (0..rows.nrows()).map(|i| rows.row(i).iter().copied().collect()).collect();
            json!(lines)
        };
        let mut task = case.clone();
        task["x_source"] = rows(0..labelled);
        task["x_target"] = rows(labelled..x.nrows());
        let bandwidth = (0.5 / case["gamma"].as_f64().expect("a number")).sqrt();
        let params = json!({"bandwidth": bandwidth, "spread": case["spread"]});
        let model = fitted("label-spreading", &task, &params, nearest.as_ref());
        for (rows, expected) in [(&task["x_target"], "shares"), (&case["x_test"], "test_shares")] {
            let off = distance(&scores(&model, rows), &matrix(&case["expected"][expected]));
            assert!(off < 1e-8, "{expected}: {off:e}");
        }
    }
}

#[test]
fn dasvm() {
    let nearest = learner("1-nn").expect("it is listed");
    for case in cases("dasvm") {
        let model = fitted("dasvm", &case, &case["params"], nearest.as_ref());
        let off = distance(&scores(&model, &case["x_test"]), &matrix(&case["expected"]["test_scores"]));
        assert!(off < 1e-6, "{off:e}");
    }
}

/// The probabilities of new rows under logistic regression.
fn probabilities(name: &str, tolerance: f64) -> Vec<(Model, Value)> {
    let logistic = learner("logistic").expect("it is listed");
    let check = |case: Value| {
        let none = json!({});
        let params = if case["params"].is_null() { &none } else { &case["params"] };
        let model = fitted(&name.replace('_', "-"), &case, params, logistic.as_ref());
        let off = distance(&scores(&model, &case["x_test"]), &matrix(&case["expected"]["probabilities"]));
        assert!(off < tolerance, "{name}: {off:e}");
        (model, case)
    };
    cases(name).into_iter().map(check).collect()
}

#[test]
fn self_training() {
    probabilities("self_training", 1e-5);
}

#[test]
fn lin_int() {
    for (model, case) in probabilities("lin_int", 1e-5) {
        let Predictor::Vote(votes) = &model.predictor else { panic!("votes") };
        let expected = case["expected"]["weight"].as_f64().expect("a number");
        assert!((votes.members[1].weight - expected).abs() < 1e-4);
    }
}

#[test]
fn pred() {
    probabilities("pred", 1e-5);
}
