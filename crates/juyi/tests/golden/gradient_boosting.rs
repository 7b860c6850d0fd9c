//! Boosted trees against scikit-learn.

use juyi::context::Context;
use juyi::data::Labels;
use juyi::learners::{GradientBoosting, Learner};
use juyi::linalg::Matrix;
use juyi::models::{Answers, Predictor, predict};
use serde_json::Value;

use super::{cases, classes, distance, matrix, numbers};

fn fit(own: GradientBoosting, case: &Value, weights: &[f64]) -> Predictor {
    let (labels, count) = match case["classes"].as_u64().expect("a count") as usize {
        0 => (Labels::Values(numbers(&case["y"])), 0),
        count => (Labels::Classes(classes(&case["y"])), count),
    };
    let fitted = own.fit(matrix(&case["x"]).as_ref(), &labels, weights, count, &mut Context::default());
    fitted.expect("boosted trees")
}

/// Probabilities, or the numbers as a column.
fn scores(said: Answers) -> Matrix {
    let Answers { answer, scores, .. } = said;
    scores.unwrap_or_else(|| Matrix::from_fn(answer.len(), 1, |i, _| answer[i]))
}

/// The derivatives are 32-bit floats there.
#[test]
fn a_few_rounds_score_by_score() {
    for (number, case) in
        cases("gradient_boosting").iter().filter(|case| case["kind"] == "scores").enumerate()
    {
        let count = |name: &str| case[name].as_u64().expect("a count") as usize;
        let least = count("least") as f64;
        // Its leaves are counted in rows, ours weighed: with weights, any leaf of one row is heavy enough.
        let leaf_weight = if least > 1.0 { least } else { 1e-6 };
        let own = GradientBoosting {
            rounds: count("rounds"),
            leaves: count("leaves"),
            leaf_weight,
            ..GradientBoosting::default()
        };
        let predictor = fit(own, case, &numbers(&case["weights"]));
        for (rows, expected) in [("x", "train"), ("x_test", "test")] {
            let said = scores(predict(&[], &predictor, matrix(&case[rows]).as_ref()));
            let off = distance(&said, &matrix(&case["expected"][expected]));
            assert!(off < 1e-5, "case {number}, {expected}: off by {off:e}");
        }
    }
}

/// Of 100 rounds on more values than bins the error on rows apart, within two points.
#[test]
fn many_rounds_err_as_much() {
    for case in cases("gradient_boosting").iter().filter(|case| case["kind"] == "error") {
        let weights = vec![1.0; case["y"].as_array().expect("labels").len()];
        let predictor = fit(GradientBoosting::default(), case, &weights);
        let (said, truth) =
            (predict(&[], &predictor, matrix(&case["x_test"]).as_ref()).answer, numbers(&case["y_test"]));
        let n = truth.len() as f64;
        let pairs = || said.iter().zip(&truth);
        let error = if case["classes"] == 0 {
            let mean = truth.iter().sum::<f64>() / n;
            let squares = pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>();
            squares / truth.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
        } else {
            pairs().filter(|(a, b)| a != b).count() as f64 / n
        };
        let expected = case["expected"].as_f64().expect("an error");
        assert!((error - expected).abs() < 0.02, "{}: {error}, {expected}", case["classes"]);
    }
}
