//! Numbers from reference implementations; `make.py` beside this file made them and says with which versions.

mod boosting;
mod classifiers;
mod density_ratio;
mod eigen;
mod features;
mod formats;
mod gradient_boosting;
mod learners;
mod mapping;
mod measures;
mod predictor;
mod prior;
mod scores;
mod splits;
mod transport;
mod transport_variants;
mod trees;
mod validators;
mod weighting;

use juyi::linalg::{Matrix, from_rows};
use serde_json::Value;

/// The cases of `<name>.json`.
fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let file: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases = file["cases"].as_array().expect("a list of cases").clone();
    assert!(!cases.is_empty(), "{path} has no case");
    cases
}

/// A list of numbers.
fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// A list of class numbers.
fn classes(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|v| v as usize).collect()
}

/// A list of rows.
fn matrix(value: &Value) -> Matrix {
    from_rows(&value.as_array().expect("a list of rows").iter().map(numbers).collect::<Vec<_>>())
}

/// The largest difference between two matrices.
fn distance(a: &Matrix, b: &Matrix) -> f64 {
    assert_eq!(a.shape(), b.shape());
    (a - b).norm_max()
}
