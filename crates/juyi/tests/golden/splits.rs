//! Splitters against scikit-learn, the signed-rank test against SciPy.

use juyi::context::Context;
use juyi::data::{Goal, Labels};
use juyi::measures::signed_rank_p_value;
use juyi::splits::{Rows, splitter};
use serde_json::Value;

use super::{cases, classes, numbers};

/// The tested rows of each split, and how many of each class they are.
fn tested(case: &Value, seed: u64) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let (of, groups) = (classes(&case["labels"]), classes(&case["groups"]));
    let known = of.iter().max().expect("rows") + 1;
    let goal = Goal::Classes((0..known).map(|c| c.to_string()).collect());
    let names: Vec<String> = (0..=*groups.iter().max().expect("rows")).map(|g| g.to_string()).collect();
    let (labels, leaders) = (Labels::Classes(of.clone()), (0..of.len()).collect::<Vec<_>>());
    let rows = Rows {
        goal: &goal,
        labels: &labels,
        names: &names,
        domains: &groups,
        target: None,
        groups: Some(&groups),
        leaders: &leaders,
    };
    let by = splitter(case["by"].as_str().expect("text")).expect("a splitter");
    let splits = by.split(&rows, &mut Context::default().reseeded(seed)).expect("splits");
    let counts = splits.iter().map(|split| {
        let mut counts = vec![0; known];
        split.test.iter().for_each(|&row| counts[of[row]] += 1);
        counts
    });
    (splits.iter().map(|split| split.test.clone()).collect(), counts.collect())
}

#[test]
fn splits() {
    for case in cases("splits") {
        for seed in [0, 1] {
            let (tests, counts) = tested(&case, seed);
            let lists = |value: &Value| -> Option<Vec<Vec<usize>>> {
                Some(value.as_array()?.iter().map(classes).collect())
            };
            if let Some(mut expected) = lists(&case["counts"]) {
                let mut counts = counts;
                // Which of several empty folds takes a group hangs on rounding there.
                if case["by"].as_str().is_some_and(|by| by.starts_with("stratified-grouped")) {
                    counts.sort();
                    expected.sort();
                }
                assert_eq!(counts, expected, "{}", case["by"]);
            } else if let Some(expected) = lists(&case["tests"]) {
                assert_eq!(tests, expected, "{}", case["by"]);
            } else {
                let sizes: Vec<usize> = tests.iter().map(Vec::len).collect();
                assert_eq!(sizes, classes(&case["sizes"]), "{}", case["by"]);
            }
        }
    }
}

#[test]
fn signed_ranks() {
    for case in cases("signed_rank") {
        let differences = numbers(&case["differences"]);
        let ours = signed_rank_p_value(&differences).expect("some differ");
        let expected = case["p_value"].as_f64().expect("a number");
        assert!((ours - expected).abs() < 1e-10, "{} pairs: {ours}, SciPy {expected}", differences.len());
    }
}
