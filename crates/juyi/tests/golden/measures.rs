//! Distances between samples against scikit-learn and SciPy.

use juyi::data::Cells;
use juyi::measures::{mmd, moved_columns};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::{cases, matrix, numbers};

#[test]
fn measures() {
    for case in cases("measures") {
        let expected = |name: &str| case["expected"][name].as_f64().expect("a number");
        if case["kind"] == "mmd" {
            let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
            let width = case["bandwidth"].as_f64().expect("a number");
            let [biased, unbiased] = mmd(x.as_ref(), y.as_ref(), width, 9, &mut ChaCha8Rng::seed_from_u64(0));
            assert!((biased.value - expected("biased")).abs() < 1e-12);
            assert!((unbiased.value - expected("unbiased")).abs() < 1e-12);
            continue;
        }
        let (x, y) = (cells(&case["x"], &case["kind"]), cells(&case["y"], &case["kind"]));
        let moved = &moved_columns(&[("x", vec![&x], &y)])[0];
        assert_eq!(moved.test.to_lowercase(), case["kind"]);
        assert!((moved.distance - expected("distance")).abs() < 1e-12, "{}", moved.distance);
        let p = expected("p");
        assert!((moved.p_value - p).abs() < 1e-10, "{}, SciPy {p}", moved.p_value);
    }
}

fn cells(values: &Value, kind: &Value) -> Cells {
    let numbers = numbers(values);
    if kind == "ks" {
        return Cells::Numbers(numbers);
    }
    let names = ["a", "b", "c"].map(str::to_string).to_vec();
    Cells::Text { codes: numbers.into_iter().map(|v| v as u32).collect(), values: names }
}
