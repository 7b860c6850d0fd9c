//! Scores against scikit-learn.

use juyi::measures::{Scores, classification_scores, regression_scores};

use super::{cases, classes, numbers};

#[test]
fn scores() {
    for case in cases("scores") {
        let expected = |name: &str| case["expected"][name].as_f64().expect("a number");
        let pairs = if case["kind"] == "classification" {
            let scores = classification_scores(&classes(&case["truth"]), &classes(&case["predicted"]));
            let Scores::Classification { accuracy, balanced_accuracy, macro_f1, .. } = scores else {
                panic!("classes")
            };
            [(accuracy, "accuracy"), (balanced_accuracy, "balanced_accuracy"), (macro_f1, "macro_f1")]
        } else {
            let scores = regression_scores(&numbers(&case["truth"]), &numbers(&case["predicted"]));
            let Scores::Regression { rmse, mae, r2 } = scores else { panic!("numbers") };
            [(rmse, "rmse"), (mae, "mae"), (r2, "r2")]
        };
        for (ours, name) in pairs {
            assert!((ours - expected(name)).abs() < 1e-12, "{name}: {ours}, scikit-learn {}", expected(name));
        }
    }
}
