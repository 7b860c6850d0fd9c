//! Representations are ranked by how well they suit labels.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::{juyi, text};

/// Sixty samples of three classes in four columns, of which the first three tell the class by so much.
fn table(file: &Path, by: f64, classes: usize) {
    let draw = |i: usize, j: usize| ((i * (31 + 14 * j) + 17 * j) % 97) as f64 / 97.0;
    let mut out = String::from("a,b,c,d,kind\n");
    for i in 0..60 {
        let class = i % classes;
        for j in 0..4 {
            write!(out, "{:.5},", draw(i, j) + if j == class { by } else { 0.0 }).expect("memory");
        }
        writeln!(out, "k{class}").expect("memory");
    }
    std::fs::write(file, out).expect("a table");
}

#[test]
fn tables_of_features_are_ranked() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    table(&at("poor.csv"), 0.1, 3);
    table(&at("good.csv"), 1.0, 3);
    table(&at("other.csv"), 1.0, 2);
    let run = |command: &str| juyi(folder.path(), command);
    let done = run("rank --features poor.csv good.csv --label kind");
    let said = text(&done.stdout);
    assert!(
        done.status.success() && said.contains("60 samples of 3 classes"),
        "{said}{}",
        text(&done.stderr)
    );
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[2].starts_with(" 1  good.csv") && lines[3].starts_with(" 2  poor.csv"), "{said}");
    assert!(said.contains("log-me") && said.contains("h-score") && !said.contains("leep"), "{said}");

    let done = run("rank --features poor.csv good.csv --label kind --by h-score(shrinkage=false) --json");
    let record: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(record["ranked"][0]["name"], "good.csv");
    assert_eq!(record["ranked"][0]["scores"].as_object().expect("scores").len(), 1);
    assert_eq!(record["classes"], serde_json::json!(["k0", "k1", "k2"]));

    for (command, words) in [
        ("rank --features good.csv other.csv --label kind", "has other labels than `good.csv`"),
        ("rank --features good.csv --label kind --by leep", "asks a network for the probabilities"),
        ("rank --features good.csv --label kind --by lepe", "`leep`"),
        ("rank --features good.csv --label sort", "label column of `good.csv` `sort`"),
        ("rank --label kind", "--features"),
        ("rank", "nothing to rank"),
    ] {
        let failed = run(command);
        let said = text(&failed.stderr);
        assert!(failed.status.code() == Some(2) && said.contains(words), "{command}: {said}");
    }
}
