//! Learners against scikit-learn and SciPy.

use juyi::context::Context;
use juyi::data::{Goal, Labels};
use juyi::learners::{learner, train};
use juyi::linalg::Matrix;
use juyi::models::{Predictor, predict};

use super::{cases, classes, distance, matrix, numbers};

#[test]
fn learners() {
    for (number, case) in cases("learners").iter().enumerate() {
        let name = case["learner"].as_str().expect("a name");
        let what = format!("case {number}, {name}");
        let (labels, goal) = if case["task"] == "classification" {
            let of = classes(&case["y"]);
            let count = of.iter().max().map_or(0, |c| c + 1);
            (Labels::Classes(of), Goal::Classes((0..count).map(|c| c.to_string()).collect()))
        } else {
            (Labels::Values(numbers(&case["y"])), Goal::Value)
        };
        let weights = (!case["weights"].is_null()).then(|| numbers(&case["weights"]));
        let (learner, context) = (learner(name).expect("it is listed"), &mut Context::default());
        let trained =
            train(learner.as_ref(), &matrix(&case["x"]), &labels, weights.as_deref(), &goal, context)
                .expect("a fit");
        assert!(context.notices().is_empty(), "{what}: {:?}", context.notices());
        let answers = predict(&[], &trained.predictor, matrix(&case["x_test"]).as_ref());
        let column = |v: &[f64]| Matrix::from_fn(v.len(), 1, |i, _| v[i]);
        for (kind, expected) in case["expected"].as_object().expect("an object") {
            let scores = || distance(answers.scores.as_ref().expect("scores"), &matrix(expected));
            let answer = || distance(&column(&answers.answer), &column(&numbers(expected)));
            let (off, tolerance) = match kind.as_str() {
                "probabilities" => (scores(), 1e-6),
                "scores" => (scores(), if name == "svm" { 1e-6 } else { 1e-9 }),
                "values" => (answer(), 1e-9),
                "labels" => (answer(), 0.0),
                "confidence" => (distance(&column(&answers.confidence), &column(&numbers(expected))), 1e-15),
                other => panic!("{what}: what is `{other}`?"),
            };
            assert!(off <= tolerance, "{what}: {kind} off by {off:e}");
        }
    }
}

#[test]
fn kernel_svm() {
    for case in cases("kernel_svm") {
        let of = classes(&case["y"]);
        let count = of.iter().max().map_or(0, |c| c + 1);
        let goal = Goal::Classes((0..count).map(|c| c.to_string()).collect());
        let weights = (!case["weights"].is_null()).then(|| numbers(&case["weights"]));
        let (learner, context) = (learner("kernel-svm").expect("it is listed"), &mut Context::default());
        let (x, labels) = (matrix(&case["x"]), Labels::Classes(of));
        let trained =
            train(learner.as_ref(), &x, &labels, weights.as_deref(), &goal, context).expect("a fit");
        let Predictor::Kernel(votes) = &trained.predictor else { panic!("kernel votes") };
        let x_test = matrix(&case["x_test"]);
        let off = distance(&votes.margins(x_test.as_ref()), &matrix(&case["expected"]["margins"]));
        assert!(off < 1e-7, "{count} classes: {off:e}");
        let said = predict(&[], &trained.predictor, x_test.as_ref());
        assert_eq!(said.answer, numbers(&case["expected"]["labels"]));
    }
}
