//! Trees and forests against scikit-learn.

use juyi::context::Context;
use juyi::data::Labels;
use juyi::learners::{DecisionTree, Learner, RandomForest};
use juyi::linalg::Matrix;
use juyi::models::{Predictor, predict};
use serde_json::Value;

use super::{cases, classes, distance, matrix, numbers};

/// The labels and the number of classes.
fn labels(case: &Value) -> (Labels, usize) {
    match case["classes"].as_u64().expect("a count") as usize {
        0 => (Labels::Values(numbers(&case["y"])), 0),
        count => (Labels::Classes(classes(&case["y"])), count),
    }
}

fn column(values: &[f64]) -> Matrix {
    Matrix::from_fn(values.len(), 1, |i, _| values[i])
}

#[test]
fn trees_node_by_node() {
    for (number, case) in cases("trees").iter().filter(|case| case["kind"] == "tree").enumerate() {
        let ((labels, count), expected) = (labels(case), &case["expected"]);
        let learner = DecisionTree {
            depth: case["depth"].as_u64().map(|depth| depth as usize),
            leaf_weight: case["leaf_weight"].as_f64().expect("a weight"),
        };
        let (x, weights) = (matrix(&case["x"]), numbers(&case["weights"]));
        let predictor = learner.fit(x.as_ref(), &labels, &weights, count, &mut Context::default());
        let predictor = predictor.expect("a tree");
        let Predictor::Trees(trees) = &predictor else { panic!("trees") };
        for (j, name) in ["column", "threshold", "left", "right"].iter().enumerate() {
            let ours: Vec<f64> = trees.nodes.col(j).iter().copied().collect();
            assert_eq!(ours, numbers(&expected[*name]), "case {number}: {name}");
        }
        let off = distance(&trees.values, &matrix(&expected["values"]));
        assert!(off < 1e-12, "case {number}: values off by {off:e}");
        let said = predict(&[], &predictor, matrix(&case["x_test"]).as_ref());
        let said = said.scores.unwrap_or_else(|| column(&said.answer));
        let off = distance(&said, &matrix(&expected["answers"]));
        assert!(off < 1e-12, "case {number}: answers off by {off:e}");
        // The impurity of each node, from the rows that reach it.
        let (tree, impurity) = (&trees.trees()[0], numbers(&expected["impurity"]));
        for (place, node) in tree.iter().enumerate() {
            let here = |i: &usize| juyi::models::path(tree, |j| x[(*i, j)]).contains(&place);
            let rows: Vec<usize> = (0..x.nrows()).filter(here).collect();
            let weight: f64 = rows.iter().map(|&i| weights[i]).sum();
            let own = match &labels {
                Labels::Classes(_) => 1.0 - node.value.iter().map(|share| share * share).sum::<f64>(),
                Labels::Values(y) => {
                    rows.iter().map(|&i| weights[i] * (y[i] - node.value[0]).powi(2)).sum::<f64>() / weight
                }
            };
            assert!((own - impurity[place]).abs() < 1e-12, "case {number}, node {place}");
            assert!((weight - numbers(&expected["weight"])[place]).abs() < 1e-9);
        }
    }
}

/// Mean and standard deviation over seeds, within three standard errors of the difference.
#[test]
fn forests_behave_alike() {
    const SEEDS: u64 = 10;
    for case in cases("trees").iter().filter(|case| case["kind"] == "forest") {
        let (labels, count) = labels(case);
        let (x, x_test, truth) = (matrix(&case["x"]), matrix(&case["x_test"]), numbers(&case["y_test"]));
        let (mut errors, mut spreads) = (Vec::new(), Vec::new());
        for seed in 0..SEEDS {
            let context = &mut Context::new(seed, 1 << 30);
            let weights = vec![1.0; x.nrows()];
            let forest = RandomForest::default().fit(x.as_ref(), &labels, &weights, count, context);
            let said = predict(&[], &forest.expect("a forest"), x_test.as_ref());
            let n = truth.len() as f64;
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let pairs = said.answer.iter().zip(&truth);
            if count == 0 {
                errors.push(pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n);
                let centre = mean(&said.answer);
                spreads.push((said.answer.iter().map(|a| (a - centre).powi(2)).sum::<f64>() / n).sqrt());
            } else {
                errors.push(pairs.filter(|(a, b)| a != b).count() as f64 / n);
                spreads.push(mean(&said.confidence));
            }
        }
        for (name, ours) in [("error", errors), ("spread", spreads)] {
            let reference = numbers(&case["expected"][name]);
            let mean = ours.iter().sum::<f64>() / ours.len() as f64;
            let error = reference[1] * (1.0 / 20.0 + 1.0 / SEEDS as f64).sqrt();
            let off = (mean - reference[0]).abs();
            assert!(
                off < 3.0 * error,
                "{count} classes, {name}: {mean}, {reference:?}, standard error {error}"
            );
        }
    }
}
