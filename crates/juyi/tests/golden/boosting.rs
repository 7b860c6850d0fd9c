//! Boosted transfer against the published algorithms over scikit-learn's trees.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::DecisionTree;
use juyi::learners::boosting::Pool;
use juyi::linalg::Matrix;
use juyi::methods::boosting::TwoStageTrAdaBoostR2;
use juyi::methods::{build, fit};
use serde_json::Value;

use super::{cases, classes, distance, matrix, numbers};

fn task(case: &Value) -> Task {
    let count = case["classes"].as_u64().expect("a count") as usize;
    let (goal, labels) = match count {
        0 => (Goal::Value, Labels::Values(numbers(&case["y"]))),
        _ => {
            (Goal::Classes((0..count).map(|c| c.to_string()).collect()), Labels::Classes(classes(&case["y"])))
        }
    };
    let (x, n) = (matrix(&case["x"]), case["source"].as_u64().expect("a count") as usize);
    let part = |from: usize, to: usize| {
        let which: Vec<usize> = (from..to).collect();
        Domain::labelled("rows", x.get(from..to, ..).to_owned(), labels.select(&which))
    };
    Task::new(vec![part(0, n)], part(n, x.nrows()), goal).expect("a task")
}

fn learner(case: &Value) -> DecisionTree {
    let depth = Some(case["depth"].as_u64().expect("a depth") as usize);
    DecisionTree { depth, leaf_weight: f64::MIN_POSITIVE }
}

fn column(values: &[f64]) -> Matrix {
    Matrix::from_fn(values.len(), 1, |i, _| values[i])
}

fn off(a: &[f64], b: &[f64]) -> f64 {
    distance(&column(a), &column(b))
}

#[test]
fn rounds_weights_and_answers() {
    for case in cases("boosting") {
        let name = case["method"].as_str().expect("a name");
        let (task, learner, expected) = (task(&case), learner(&case), &case["expected"]);
        let context = &mut Context::default();
        let weights = expected["weights"].as_array().expect("a list");
        if name == "two-stage-tradaboost-r2" {
            let method: TwoStageTrAdaBoostR2 =
                serde_json::from_value(case["params"].clone()).expect("parameters");
            let pool = Pool::new(&task, &learner).expect("a pool");
            let steps = method.weights(&pool, context).expect("weights");
            assert_eq!(steps.len(), weights.len());
            for ((t, ours), error) in steps.iter().enumerate().zip(numbers(&expected["cross_validation"])) {
                let gap = off(ours, &numbers(&weights[t]));
                assert!(gap < 1e-9, "{name}: weights of step {t} off by {gap:e}");
                let own = method.error(&pool, ours, context).expect("an error");
                assert!((own - error).abs() < 1e-9, "{name}: step {t}: {own} {error}");
            }
        } else {
            let rounds = case["params"]["rounds"].as_u64().expect("a count") as usize;
            let stops = name == "tradaboost-r2";
            let done = Pool::new(&task, &learner)
                .expect("a pool")
                .transfer_boost(name, rounds, stops, context)
                .expect("rounds");
            assert_eq!(done.len(), weights.len());
            let errors: Vec<f64> = done.iter().map(|round| round.error).collect();
            let gap = off(&errors, &numbers(&expected["errors"]));
            assert!(gap < 1e-9, "{name}: errors off by {gap:e}");
            for (t, round) in done.iter().enumerate() {
                let gap = off(&round.weights, &numbers(&weights[t]));
                assert!(gap < 1e-9, "{name}: weights of round {t} off by {gap:e}");
            }
        }
        let params = case["params"].as_object().expect("an object");
        let built = build(name, params).expect("it is listed");
        let model = fit(&built, &task, &learner, Vec::new(), context).expect("a fit");
        let said = model.predict(matrix(&case["probe"]).as_ref()).expect("rows of the model's columns");
        let gap = match &said.scores {
            Some(scores) => distance(scores, &matrix(&expected["shares"])),
            None => off(&said.answer, &numbers(&expected["answers"])),
        };
        assert!(gap < 1e-9, "{name}: answers off by {gap:e}");
    }
}
