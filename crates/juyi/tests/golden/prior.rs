//! Prior methods against minima found by general optimisers in SciPy.

use faer::Mat;
use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels};
use juyi::learners::{Trained, learner};
use juyi::linalg::Matrix;
use juyi::methods::{Method, SourceModel, prior};
use juyi::models::{Link, Predictor};
use serde_json::{Value, json};

use super::{cases, classes, distance, matrix, numbers};

fn count(case: &Value) -> usize {
    case["classes"].as_u64().expect("a number") as usize
}

fn source(case: &Value, model: &Value) -> SourceModel {
    let bias = numbers(&model["bias"]);
    let predictor = Predictor::Linear {
        link: if case["loss"] == json!("logistic") { Link::Softmax } else { Link::Identity },
        weights: matrix(&model["weights"]),
        bias: Mat::from_fn(1, bias.len(), |_, k| bias[k]),
    };
    let trained = Trained { predictor, classes: (0..count(case)).collect() };
    SourceModel { name: "source".into(), maps: Vec::new(), trained }
}

fn check(case: &Value, method: &dyn Method, sources: &[SourceModel]) {
    let goal = match count(case) {
        0 => Goal::Value,
        count => Goal::Classes((0..count).map(|c| c.to_string()).collect()),
    };
    let labels = match goal {
        Goal::Value => Labels::Values(numbers(&case["y"])),
        Goal::Classes(_) => Labels::Classes(classes(&case["y"])),
    };
    let target = Domain::labelled("target", matrix(&case["x"]), labels);
    let any = learner("ridge").expect("it is listed");
    let context = &mut Context::default();
    let fitted = method.refine(sources, &target, &goal, any.as_ref(), context).expect("a model");
    assert!(context.notices().is_empty(), "{:?}", context.notices());
    let Predictor::Linear { weights, bias, .. } = fitted.trained.predictor else { panic!("a linear model") };
    let expected = numbers(&case["expected"]["bias"]);
    // Softmax scores are free up to a constant.
    let logistic = case["loss"] == json!("logistic");
    let mean = if logistic { bias.row(0).iter().sum::<f64>() / bias.ncols() as f64 } else { 0.0 };
    let bias: Matrix = Mat::from_fn(1, bias.ncols(), |_, k| bias[(0, k)] - mean);
    let off = distance(&weights, &matrix(&case["expected"]["weights"]))
        .max(distance(&bias, &Mat::from_fn(1, expected.len(), |_, k| expected[k])));
    assert!(off < 1e-6, "{} of {} classes: {off:e}", case["loss"], case["classes"]);
}

#[test]
fn biased_regularization() {
    for case in cases("biased_regularization") {
        let params = json!({"penalty": case["penalty"], "loss": case["loss"]});
        let method: prior::BiasedRegularization = serde_json::from_value(params).expect("parameters");
        check(&case, &method, &[source(&case, &case["source"])]);
    }
}

#[test]
fn gaussian_prior() {
    for case in cases("gaussian_prior") {
        let params = json!({"penalty": case["penalty"], "shrinkage": case["shrinkage"]});
        let method: prior::GaussianPrior = serde_json::from_value(params).expect("parameters");
        let models = case["sources"].as_array().expect("models");
        let sources: Vec<SourceModel> = models.iter().map(|model| source(&case, model)).collect();
        check(&case, &method, &sources);
    }
}
