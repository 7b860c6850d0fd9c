//! Tables of text as programs and people write them, through the real program: read right, or refused by name.

use std::path::Path;

use crate::{juyi, text};

/// Rows of two features and a label, which follows the first.
fn rows(count: usize, row: impl Fn(usize, f64, f64, &str) -> String) -> String {
    let one = |i: usize| {
        let (a, b) = ((i * 7 % 20) as f64 + 1000.5, (i * 3 % 11) as f64 / 4.0);
        row(i, a, b, if a > 1010.0 { "high" } else { "low" })
    };
    (0..count).map(one).collect()
}

fn plain(count: usize) -> String {
    "a,b,y\n".to_string() + &rows(count, |_, a, b, y| format!("{a},{b},{y}\n"))
}

/// `transfer` from one text to another.
fn transfer(folder: &Path, source: &str, target: &str, more: &str) -> (bool, String) {
    std::fs::write(folder.join("old.csv"), source).expect("a file");
    std::fs::write(folder.join("new.csv"), target).expect("a file");
    let arguments =
        "transfer --source old.csv --target new.csv --label y --method none --learner class-means";
    let done = juyi(folder, &format!("{arguments} {more}"));
    (done.status.success(), text(&done.stdout) + &text(&done.stderr))
}

fn predictions(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("run/predictions.csv")).expect("predictions")
}

#[test]
fn other_notations_and_separators_end_in_the_predictions_of_the_plain_table() {
    let german = |count| {
        let number = |v: f64| {
            let v = format!("{v:.2}").replace('.', ",");
            if v.len() > 6 { format!("{}.{}", &v[..1], &v[1..]) } else { v }
        };
        "sep=;\r\na;b;y\r\n".to_string()
            + &rows(count, |_, a, b, y| format!("{};{};{y}\r\n", number(a), number(b)))
    };
    let folder = tempfile::tempdir().unwrap();
    let (done, said) = transfer(folder.path(), &plain(40), &plain(20), "");
    assert!(done, "{said}");
    let wanted = predictions(folder.path());
    let bars = |count| "a|b|y\n".to_string() + &rows(count, |_, a, b, y| format!("{a}|{b}|{y}\n"));
    let blanks =
        |count| "# by hand\na  b  y\n".to_string() + &rows(count, |_, a, b, y| format!(" {a}  {b} {y}\n"));
    let r = |count| {
        "\"\",\"a\",\"b\",\"y\"\n".to_string()
            + &rows(count, |i, a, b, y| format!("\"{i}\",{a},{b},\"{y}\"\n"))
    };
    let ends = |count| "a,b,y,\n".to_string() + &rows(count, |_, a, b, y| format!("{a},{b},{y},\n"));
    let money = |count| {
        "a;b;y\n".to_string() + &rows(count, |_, a, b, y| format!("$1,{:06.2};{b};{y}\n", a - 1000.0))
    };
    for (source, target) in [
        (german(40), german(20)),
        (plain(40), german(20)),
        (german(40), plain(20)),
        (bars(40), blanks(20)),
        (r(40), r(20)),
        (ends(40), ends(20)),
        (money(40), money(20)),
    ] {
        let (done, said) = transfer(folder.path(), &source, &target, "");
        assert!(done, "{said}\n{source}");
        assert_eq!(predictions(folder.path()), wanted, "{source}");
    }
}

#[test]
fn missing_values_are_kept_in_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let source = plain(40).replacen("1000.5", "-999", 1);
    let more = "--missing mean --missing-values -999,none";
    let (done, said) = transfer(folder.path(), &source, &plain(20), more);
    assert!(done && said.contains("1 missing cell"), "{said}");
    std::fs::write(folder.path().join("more.csv"), "a,b\n-999.0,1\nnone,1\n,1\n").unwrap();
    let done = juyi(folder.path(), "predict run more.csv");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let lines: Vec<String> = text(&done.stdout).lines().skip(1).map(str::to_string).collect();
    let answers: Vec<&str> = lines.iter().map(|line| line.split_once(',').unwrap().1).collect();
    assert!(answers.len() == 3 && answers[0] == answers[2] && answers[1] == answers[2], "{answers:?}");
}

#[test]
fn lines_are_those_of_the_file_and_what_is_ambiguous_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |source: &str, more: &str, says: &str| {
        let (done, said) = transfer(folder.path(), source, "a,b\n1,2\n3,4\n", more);
        assert!(!done && said.contains(says), "{said}");
    };
    let source = "# one\n\na,b,y\r\n1,2,\"x\ny\"\r\n\r\n3,,z\r\n";
    fails(source, "", "`old.csv`, line 7, column `b`: is missing");
    fails("a;b;y\n1;1,234;u\n2;5;v\n", "", "line 2, column `b`");
    fails("<html><body>", "", "is a web page");
    fails("{\"a\": [1]}", "", "is JSON");
    fails("5.1,3.5\n1.5,2\n", "", "numbers only");
    let commas = "a;b;y\n".to_string() + &rows(40, |_, a, _, y| format!("{a};1,234;{y}\n"));
    let (done, said) = transfer(folder.path(), &commas, &commas, "--decimal ,");
    assert!(done, "{said}");
    let (done, said) = transfer(folder.path(), &commas, &commas, "");
    assert!(!done && said.contains("may be 1234 or 1.234") && said.contains("--decimal"), "{said}");
    let none = plain(40).replacen("low", "None", 2);
    let (done, said) = transfer(folder.path(), &none, &plain(20), "");
    assert!(done && said.contains("2 labels `None` count as missing"), "{said}");
}

#[test]
fn labels_with_decimal_commas_are_predicted_as_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let table = |count| {
        "a;b;y\n".to_string()
            + &rows(count, |_, a, b, _| format!("{a};{b};{}\n", format!("{:.1}", a / 7.0).replace('.', ",")))
    };
    std::fs::write(folder.path().join("old.csv"), table(40)).unwrap();
    std::fs::write(folder.path().join("new.csv"), table(20)).unwrap();
    let arguments = "transfer --source old.csv --target new.csv --label y --method none --learner ridge";
    let done = juyi(folder.path(), arguments);
    let said = text(&done.stdout) + &text(&done.stderr);
    assert!(done.status.success() && said.contains("regression"), "{said}");
    let scored = juyi(folder.path(), "predict run new.csv --label y --out p.csv");
    assert!(scored.status.success(), "{}", text(&scored.stderr));
}
