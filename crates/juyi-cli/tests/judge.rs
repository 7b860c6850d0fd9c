//! Models that were made elsewhere are judged by what they say.

use std::fmt::Write;

use serde_json::Value;

use crate::{juyi, text};

/// Rows whose class is told by the first column, in units of `by`, and what a model says that is right but for every ninth row.
fn tables(by: f64, rows: usize) -> (String, String, String) {
    let mut table = String::from("a,b,c,kind\n");
    let (mut said, mut named) = (String::from("no,yes\n"), String::from("prediction\n"));
    for i in 0..rows {
        let draw = |j: usize| ((i * (31 + 14 * j) + 17 * j) % 97) as f64 / 97.0;
        let yes = i % 3 == 0;
        let a = by * (draw(0) + if yes { 0.9 } else { 0.0 });
        writeln!(table, "{a:.5},{:.5},{:.5},{}", by * (draw(1) + a), draw(2), if yes { "yes" } else { "no" })
            .expect("memory");
        let says = yes != (i % 9 == 4);
        let sure = 0.6 + 0.4 * draw(2);
        let p = if says { sure } else { 1.0 - sure };
        writeln!(said, "{:.4},{p:.4}", 1.0 - p).expect("memory");
        writeln!(named, "{}", if says { "yes" } else { "no" }).expect("memory");
    }
    (table, said, named)
}

#[test]
fn a_model_is_judged_by_its_predictions() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    let (old, old_said, _) = tables(1.0, 120);
    let (new, new_said, named) = tables(7.0, 90);
    for (name, text) in
        [("old.csv", &old), ("new.csv", &new), ("old-said.csv", &old_said), ("said.csv", &new_said)]
    {
        put(name, text);
    }
    put("named.csv", &named);
    put("short.csv", &named[..named.len() - 4]);
    let run = |command: &str| juyi(folder.path(), command);
    let tables = "--source old.csv --target new.csv --label kind";
    let done = run(&format!(
        "judge {tables} --target-predictions said.csv --source-predictions old-said.csv --report page.html"
    ));
    let said = text(&done.stdout);
    assert!(done.status.success(), "{said}{}", text(&done.stderr));
    for words in [
        "3 judge",
        "`said.csv`: right on 89.2 % of the source",
        "its own confidence promises",
        "expected",
        "verdict",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let page = std::fs::read_to_string(folder.path().join("page.html")).expect("a page");
    assert!(page.contains("expected to be right") && page.contains("said.csv"));

    // The answers alone say the same, but nothing of how sure they are.
    let record = |command: String| -> Value {
        let done = run(&command);
        assert!(done.status.success(), "{}", text(&done.stderr));
        serde_json::from_slice(&done.stdout).expect("JSON")
    };
    let by_shares = record(format!("judge {tables} --target-predictions said.csv --json"));
    let by_names = record(format!("judge {tables} --target-predictions named.csv --json"));
    for field in ["verdict", "gain", "expected", "floor", "true_gain"] {
        assert_eq!(by_shares["select"][field], by_names["select"][field], "{field}");
    }
    let accuracy = &by_names["transfer"]["chosen"]["scores"]["accuracy"];
    assert!(by_names["judged"]["by_confidence"].is_null(), "{}", by_names["judged"]);
    assert!((accuracy.as_f64().unwrap_or(f64::NAN) - 80.0 / 90.0).abs() < 1e-9, "{}", by_names["transfer"]);

    // The figure that is asked for is told, also where it takes probabilities.
    let by_area = record(format!("judge {tables} --target-predictions said.csv --figure auc --json"));
    assert!(by_area["transfer"]["chosen"]["scores"]["auc"].is_f64(), "{}", by_area["transfer"]);
    assert!(by_area["select"]["true_gain"].is_f64(), "{}", by_area["select"]["true_gain"]);

    for (rest, words) in [
        ("--target-predictions short.csv", "has 89 rows, and the target has 90"),
        ("--target-predictions new.csv", "none for the class `no` and none called `prediction`"),
        (
            "--target-predictions named.csv --source-predictions named.csv",
            "has 90 rows, and the source has 120",
        ),
        ("--target-predictions none.csv", "`none.csv`"),
        ("--target-predictions named.csv --figure rmse", "rmse"),
        ("--target-predictions named.csv --report named.csv", "named.csv"),
        ("", "--target-predictions"),
    ] {
        let failed = run(&format!("judge {tables} {rest}"));
        let said = text(&failed.stderr);
        assert!(failed.status.code() == Some(2) && said.contains(words), "{rest}: {said}");
    }
}
