//! Ratios of densities: least squares and KLIEP against numpy, cvxopt and SLSQP, fitted densities against skada, scipy
//! and scikit-learn, balanced weights against scikit-learn.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::linalg::Matrix;
use juyi::methods::weighting::{
    BalancedWeighting, GaussianRatio, KernelDensityRatio, Kliep, Rulsif, Ulsif, WidthRule,
};
use juyi::methods::{Adapter, Method};
use juyi::models::predict;
use juyi::solvers::LeastSquaresRatio;
use serde_json::Value;

use super::{cases, classes, matrix, numbers};

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// The largest difference of an adapter's weights on a case's rows from those expected.
fn difference(adapter: &dyn Adapter, case: &Value) -> f64 {
    let x = matrix(&case["x_source"]);
    let labels = Labels::Values(vec![0.0; x.nrows()]);
    let source = Domain::labelled("source", x, labels);
    let target = Domain::unlabelled("target", matrix(&case["x_target"]), &Goal::Value);
    let task = Task::new(vec![source], target, Goal::Value).expect("a task");
    let ridge = learner("ridge").expect("it is listed");
    let adapted = adapter.adapt(&task, ridge.as_ref(), &mut Context::default()).expect("weights");
    let weights = adapted.weights.expect("weights");
    largest_difference(&weights, &numbers(&case["expected"]["weights"]))
}

fn largest_difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The leave-one-out scores against those of refits.
fn check_scores(case: &Value) {
    let (source, target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
    let pairs = source.nrows().min(target.nrows());
    let first = |x: &Matrix| x.get(..pairs, ..).to_owned();
    let ratio = LeastSquaresRatio {
        name: "golden",
        source: source.as_ref(),
        target: target.as_ref(),
        share: number(&case["share"]),
    };
    let (width, penalties) = (number(&case["bandwidth"]), numbers(&case["penalties"]));
    let scores = ratio.left_out_scores(&target, width, &penalties, &(first(&source), first(&target)));
    let off = largest_difference(&scores.expect("scores"), &numbers(&case["expected"]["scores"]));
    assert!(off < 1e-8, "{off:e}");
}

#[test]
fn ulsif() {
    for case in cases("ulsif") {
        let (bandwidth, penalty) = (case["bandwidth"].as_f64(), case["penalty"].as_f64());
        let off = difference(&Ulsif { bandwidth, penalty, ..Ulsif::default() }, &case);
        assert!(off < 1e-8, "{off:e}");
        check_scores(&case);
    }
}

#[test]
fn rulsif() {
    for case in cases("rulsif") {
        let (bandwidth, penalty) = (case["bandwidth"].as_f64(), case["penalty"].as_f64());
        let mixture_share = number(&case["share"]);
        let off = difference(&Rulsif { mixture_share, bandwidth, penalty, ..Rulsif::default() }, &case);
        assert!(off < 1e-8, "{off:e}");
        check_scores(&case);
    }
}

#[test]
fn gaussian_ratio() {
    for case in cases("gaussian_ratio") {
        let (shrinkage, bound) = (case["shrinkage"].as_f64(), case["bound"].as_f64());
        let off = difference(&GaussianRatio { shrinkage, bound }, &case);
        assert!(off < 1e-8, "{off:e}");
    }
}

#[test]
fn kernel_density_ratio() {
    for case in cases("kernel_density_ratio") {
        let rule = if case["rule"] == "scott" { WidthRule::Scott } else { WidthRule::Silverman };
        let (bandwidth, bound) = (case["bandwidth"].as_f64(), case["bound"].as_f64());
        let off = difference(&KernelDensityRatio { bandwidth, rule, bound }, &case);
        assert!(off < 1e-8, "{off:e}");
    }
}

#[test]
fn kliep() {
    for case in cases("kliep") {
        let (source, target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
        let expected = &case["expected"];
        let kliep = Kliep { bandwidth: case["bandwidth"].as_f64(), ..Kliep::default() };
        let Some(width) = kliep.bandwidth else {
            let found = kliep.likelihoods(source.as_ref(), target.as_ref(), &Context::default());
            let (widths, scores): (Vec<f64>, Vec<f64>) = found.into_iter().unzip();
            let expected_widths = [2.0, 1.2, 0.7, 0.42, 0.25].map(|part| part * number(&expected["median"]));
            assert!(largest_difference(&widths, &expected_widths) < 1e-12);
            let off = largest_difference(&scores, &numbers(&expected["likelihoods"]));
            assert!(off < 1e-6, "{off:e}");
            continue;
        };
        let (log_ratios, found) = kliep.solve(source.as_ref(), target.as_ref(), width, &Context::default());
        assert!(found.residual <= 1e-8, "{:e}", found.residual);
        let ratios: Vec<f64> = log_ratios.iter().map(|v| v.exp()).collect();
        let off = largest_difference(&ratios, &numbers(&expected["weights"]));
        assert!(off < 1e-6, "{off:e}");
        assert!((ratios.iter().sum::<f64>() / ratios.len() as f64 - 1.0).abs() < 1e-12);
        let objective = number(&expected["objective"]);
        assert!(
            (found.objective - objective).abs() < 1e-9 * objective.abs(),
            "{}, cvxopt {objective}",
            found.objective
        );
        assert!(found.objective >= number(&expected["frank_wolfe"]));
        let off = difference(&kliep, &case);
        assert!(off < 1e-6, "{off:e}");
    }
}

#[test]
fn balanced_weighting() {
    for case in cases("balanced_weighting") {
        let (x_source, x_target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
        let regression = case["task"] == "regression";
        let labels = |value: &Value| {
            if regression { Labels::Values(numbers(value)) } else { Labels::Classes(classes(value)) }
        };
        let goal = if regression { Goal::Value } else { Goal::Classes(vec!["a".into(), "b".into()]) };
        let own = labels(&case["y_target"]);
        let source = Domain::labelled("source", x_source, labels(&case["y_source"]));
        let target = Domain::partly_labelled("target", x_target.clone(), (0..own.len()).collect(), own);
        let task = Task::new(vec![source], target, goal).expect("a task");
        let learner = learner(if regression { "ridge" } else { "logistic" }).expect("it is listed");
        let method = BalancedWeighting { target_share: number(&case["target_share"]) };
        let fitted = method.fit(&task, learner.as_ref(), &mut Context::default()).expect("a fit");
        let answers = predict(&[], &fitted.trained.predictor, x_target.as_ref());
        if regression {
            let off = largest_difference(&answers.answer, &numbers(&case["expected"]["values"]));
            assert!(off < 1e-9, "{off:e}");
        } else {
            let theirs = matrix(&case["expected"]["probabilities"]);
            let theirs: Vec<f64> = (0..theirs.nrows()).map(|i| theirs[(i, 0)].max(theirs[(i, 1)])).collect();
            let off = largest_difference(&answers.confidence, &theirs);
            assert!(off < 1e-7, "{off:e}");
        }
    }
}
