//! Validators of candidates against NumPy, SciPy and scikit-learn.

use juyi::context::Context;
use juyi::data::{Goal, Labels};
use juyi::learners::learner;
use juyi::validators::{Evidence, HeldOut, More, Rows, adjusted_mutual_information, validator};
use serde_json::Value;

use super::{cases, classes, matrix, numbers};

/// Holds scores against those of a case.
fn holds(of: &Evidence<'_>, expected: &Value, within: f64) {
    for (name, expected) in expected.as_object().expect("validators") {
        let own = validator(name).expect("a validator");
        let ours = own.score(of, &mut Context::default()).expect("a score");
        let expected = expected.as_f64().expect("a number");
        assert!((ours - expected).abs() < within, "{name}: {ours}, by the reference {expected}");
    }
}

#[test]
fn validators() {
    for case in cases("validators") {
        let (p, mean) = (matrix(&case["probabilities"]), matrix(&case["mean"]));
        let goal = Goal::Classes((0..p.ncols()).map(|c| c.to_string()).collect());
        let largest =
            |i: usize| (0..p.ncols()).fold(0, |best, c| if p[(i, c)] > p[(i, best)] { c } else { best });
        let answers: Vec<f64> = (0..p.nrows()).map(|i| largest(i) as f64).collect();
        let of = Evidence {
            goal: &goal,
            answers: &answers,
            probabilities: p.as_ref(),
            support: &vec![1.0; p.nrows()],
            source: &Labels::Classes(vec![0]),
            more: More { mean: Some(mean.as_ref()), ..More::default() },
        };
        holds(&of, &case["expected"], 1e-7);
    }
}

#[test]
fn validators_with_rows() {
    for case in cases("validators_with_rows") {
        let count = case["classes"].as_u64().expect("a number");
        let goal =
            if count > 0 { Goal::Classes((0..count).map(|c| c.to_string()).collect()) } else { Goal::Value };
        let labels = match goal {
            Goal::Classes(_) => Labels::Classes(classes(&case["labels"])),
            Goal::Value => Labels::Values(numbers(&case["labels"])),
        };
        let (source, target) = (matrix(&case["source"]), matrix(&case["target"]));
        let (answers, ratios) = (numbers(&case["answers"]), numbers(&case["ratios"]));
        let held_out = HeldOut {
            rows: classes(&case["held"]),
            answers: numbers(&case["said"]),
            source: source.clone(),
            target: target.clone(),
        };
        let p = juyi::linalg::Matrix::zeros(target.nrows(), goal.classes());
        let score = |expected: &Value, with: &str| {
            let learner = learner(with).unwrap();
            let rows = Rows {
                source: &source,
                target: &target,
                answer: &|_| unreachable!("these do not ask"),
                map: &|rows| rows.to_owned(),
                learner: learner.as_ref(),
            };
            let of = Evidence {
                goal: &goal,
                answers: &answers,
                probabilities: p.as_ref(),
                support: &vec![1.0; target.nrows()],
                source: &labels,
                more: More {
                    rows: Some(&rows),
                    held_out: Some(&held_out),
                    ratios: Some(&ratios),
                    ..More::default()
                },
            };
            holds(&of, expected, 1e-8);
        };
        score(&case["expected"], "1-nn");
        for (with, expected) in case["reverse"].as_object().expect("learners") {
            score(&serde_json::json!({ "circular-validation": expected }), with);
        }
        let (one, other) = (classes(&case["partitions"][0]), classes(&case["partitions"][1]));
        let ami = adjusted_mutual_information(&one, &other);
        assert!((ami - case["ami"].as_f64().expect("a number")).abs() < 1e-10, "{ami}");
    }
}
