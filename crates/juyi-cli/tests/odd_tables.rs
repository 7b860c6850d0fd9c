//! Tables as people have them, through the real program: what would make an answer wrong is said, with the fix.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::{juyi, text};

/// Numbers between 0 and 1 that look drawn.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal: mean 0, deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// A table of three columns and a class `y`, which the first column tells; `label` writes the class.
fn table(seed: u64, rows: usize, moved: f64, label: impl Fn(usize, bool) -> String) -> String {
    let mut draws = Draws(seed);
    let mut out = "a,b,c,y\n".to_string();
    for i in 0..rows {
        let class = draws.next() < 0.5;
        let a = draws.normal() + if class { 3.0 } else { 0.0 } + moved;
        writeln!(out, "{a:.4},{:.4},{:.4},{}", draws.normal(), draws.normal(), label(i, class))
            .expect("a line");
    }
    out
}

fn coded(_: usize, class: bool) -> String {
    u8::from(class).to_string()
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

/// A run that must succeed: its record, and what it printed.
fn run(folder: &Path, arguments: &str) -> (Value, String) {
    let output = juyi(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    let record = std::fs::read(folder.join("run/run.json")).expect("a record");
    (serde_json::from_slice(&record).expect("JSON"), text(&output.stdout))
}

/// A call that must be refused: the message.
fn refused(folder: &Path, arguments: &str) -> String {
    let output = juyi(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {}", text(&output.stdout));
    text(&output.stderr)
}

/// The warnings and notes of a record.
fn notices(record: &Value) -> String {
    let said =
        |notice: &Value| [&notice["level"], &notice["text"]].map(|v| v.as_str().expect("text").to_string());
    let all = record["notices"].as_array().expect("notices").iter();
    all.map(|notice| said(notice).join(": ") + "\n").collect()
}

const TRANSFER: &str = "transfer --source old.csv --target new.csv --label y";

#[test]
fn labels_that_are_one_value_are_one_class_in_the_first_spelling() {
    let sparse =
        |i: usize, class: bool| if i < 20 { format!("{}.0", u8::from(class)) } else { String::new() };
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, coded)),
        ("second.csv", table(2, 60, 0.0, |_, class| if class { "1e0" } else { " 0 " }.into())),
        ("new.csv", table(3, 80, 0.5, sparse)),
    ]);
    let (record, _) = run(
        folder.path(),
        &format!("{TRANSFER} --source second.csv --target-labels use --method balanced-weighting"),
    );
    for source in record["data"]["sources"].as_array().unwrap() {
        let names: Vec<&str> =
            source["classes"].as_array().unwrap().iter().map(|c| c[0].as_str().unwrap()).collect();
        assert_eq!(names, ["0", "1"]);
    }
    assert!(notices(&record).contains("`1.0` is `1`"), "{}", notices(&record));
    let predictions = std::fs::read_to_string(folder.path().join("run/predictions.csv")).unwrap();
    let answers = predictions.lines().skip(1).map(|line| line.split(',').nth(1).unwrap());
    assert!(answers.clone().all(|answer| answer == "0" || answer == "1"), "{predictions}");
    assert!(answers.clone().any(|answer| answer == "0") && answers.clone().any(|answer| answer == "1"));
    // The same spelling to score with.
    let output = juyi(folder.path(), "predict run new.csv --label y --out p.csv");
    assert!(text(&output.stdout).contains("accuracy"), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!text(&output.stdout).contains("not among"), "{}", text(&output.stdout));
}

#[test]
fn likely_twins_are_named_and_labels_that_match_nothing_stop_the_run() {
    let truth = |_: usize, class: bool| if class { "True" } else { "False" }.to_string();
    let mixed = |i: usize, class: bool| match (class, i % 4) {
        (true, 0) => "Yes".into(),
        (true, _) => "yes".into(),
        (false, _) => "no".into(),
    };
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, coded)),
        ("true.csv", table(2, 60, 0.0, truth)),
        ("mixed.csv", table(2, 60, 0.0, mixed)),
        ("words.csv", table(2, 60, 0.0, |_, class| if class { "one" } else { "0" }.into())),
        ("plain.csv", table(4, 60, 0.0, |_, class| if class { "yes" } else { "no" }.into())),
        ("upper.csv", table(3, 60, 0.5, |_, class| if class { "YES" } else { "NO" }.into())),
        ("new.csv", table(3, 80, 0.5, |_, _| String::new())),
    ]);
    let (record, _) = run(folder.path(), &format!("{TRANSFER} --source true.csv --method none"));
    assert!(
        notices(&record).contains("`1` and `True`") && notices(&record).contains("likely to be one class")
    );
    let (record, _) =
        run(folder.path(), "transfer --source mixed.csv --target new.csv --label y --method none");
    assert!(notices(&record).contains("`Yes` and `yes`"), "{}", notices(&record));
    let transfer = "transfer --source plain.csv --target upper.csv --label y --method none";
    let said = refused(folder.path(), transfer);
    assert!(said.contains("none of its labels is a class that the source knows: "), "{said}");
    assert!(said.contains("did you mean `no`?") || said.contains("did you mean `yes`?"), "{said}");
    let said = notices(&run(folder.path(), &format!("{TRANSFER} --source words.csv --method none")).0);
    assert!(said.contains("`1` and `one`"), "{said}");
    run(folder.path(), "transfer --source plain.csv --target new.csv --label y --method none");
    let said = refused(folder.path(), "predict run upper.csv --label y");
    assert!(said.contains("none of its labels is a class"), "{said}");
}

#[test]
fn a_class_that_most_of_the_target_bears_alone_is_named_with_the_fix() {
    let marked = |i: usize, class: bool| if i < 20 { coded(i, class) } else { "-1".into() };
    let folder = folder(&[("old.csv", table(1, 120, 0.0, coded)), ("new.csv", table(3, 60, 0.5, marked))]);
    for more in ["--target-labels use --method feda", "--method none"] {
        let (record, _) = run(folder.path(), &format!("{TRANSFER} {more}"));
        let said = notices(&record);
        assert!(said.contains("`-1` stands in `new.csv` only, in 40 of 60 labelled rows"), "{more}: {said}");
        assert!(said.contains("leave its cell empty"), "{said}");
    }
}

#[test]
fn two_words_for_one_truth_in_one_table_are_named_whether_or_not_the_target_has_labels() {
    let pasted = |first: [&'static str; 2], second: [&'static str; 2]| {
        move |i: usize, class: bool| if i < 60 { first } else { second }[usize::from(class)].to_string()
    };
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, pasted(["false", "true"], ["0", "1"]))),
        ("words.csv", table(1, 120, 0.0, pasted(["no", "yes"], ["0", "1"]))),
        ("letters.csv", table(1, 120, 0.0, pasted(["F", "T"], ["FALSE", "TRUE"]))),
        ("sides.csv", table(1, 120, 0.0, pasted(["n", "f"], ["n", "f"]))), // near and far
        ("new.csv", table(3, 80, 0.5, coded)),
        ("bare.csv", table(3, 80, 0.5, |_, _| String::new())),
    ]);
    for (source, target, pairs) in [
        ("old.csv", "new.csv", "`0` and `false`, `1` and `true`"),
        ("old.csv", "bare.csv", "`0` and `false`, `1` and `true`"),
        ("words.csv", "bare.csv", "`0` and `no`, `1` and `yes`"),
        ("letters.csv", "bare.csv", "`F` and `FALSE`, `T` and `TRUE`"),
    ] {
        let call = format!("transfer --source {source} --target {target} --label y --method none");
        let said = notices(&run(folder.path(), &call).0);
        assert!(said.contains(&format!("{pairs}: likely to be one class")), "{source}, {target}: {said}");
    }
    let call = "transfer --source sides.csv --target bare.csv --label y --method none";
    assert!(!notices(&run(folder.path(), call).0).contains("likely"));
}

#[test]
fn a_class_of_the_source_that_means_no_label_is_named_with_the_fix() {
    let marked = |mark: &'static str| {
        move |i: usize, class: bool| if i < 40 { coded(i, class) } else { mark.to_string() }
    };
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, marked("-1"))),
        ("word.csv", table(1, 120, 0.0, marked("unknown"))),
        ("two.csv", table(1, 120, 0.0, marked("2"))),
        ("new.csv", table(3, 60, 0.5, coded)),
        ("bare.csv", table(3, 60, 0.5, |_, _| String::new())),
    ]);
    for (source, target, mark) in [
        ("old.csv", "new.csv", Some("-1")),
        ("old.csv", "bare.csv", Some("-1")),
        ("word.csv", "bare.csv", Some("unknown")),
        ("two.csv", "new.csv", Some("2")), // 60 labels say that it is none of theirs
        ("two.csv", "bare.csv", None),
    ] {
        let call = format!("transfer --source {source} --target {target} --label y --method none");
        let said = notices(&run(folder.path(), &call).0);
        let wanted = |mark: &str| format!("`{mark}` stands in `{source}` only, in 80 of 120 labelled rows");
        assert!(mark.is_none_or(|mark| said.contains(&wanted(mark))), "{source}, {target}: {said}");
        assert_eq!(said.contains("means that a row has no label"), mark.is_some(), "{said}");
    }
    let call = format!("{TRANSFER} --method none --missing-values -1");
    let (record, _) = run(folder.path(), &call);
    assert!(
        notices(&record).contains("80 rows have no label and are left out: 80 labels `-1` count as missing")
    );
    assert!(!notices(&record).contains("--keep-values"), "{}", notices(&record)); // it was asked for
}

#[test]
fn marks_of_missing_cells_among_labels_and_categories_are_named_and_may_be_kept() {
    let word = |no: &'static str, yes: &'static str| {
        move |_: usize, class: bool| if class { yes } else { no }.to_string()
    };
    let three = |i: usize, class: bool| match i % 3 {
        0 => "FR".to_string(),
        _ => word("NA", "DE")(i, class),
    };
    let colours = |table: &str| -> String {
        let column = |(i, line): (usize, &str)| match i {
            0 => format!("{line},paint\n"),
            _ => format!("{line},{}\n", ["None", "red", "blue"][i % 3]),
        };
        table.lines().enumerate().map(column).collect()
    };
    let folder = folder(&[
        ("none.csv", table(1, 120, 0.0, word("None", "severe"))),
        ("dash.csv", table(1, 120, 0.0, word("-", "+"))),
        ("none-new.csv", table(2, 60, 0.0, word("None", "severe"))),
        ("dash-new.csv", table(2, 60, 0.0, word("-", "+"))),
        ("old.csv", table(1, 120, 0.0, three)),
        ("new.csv", table(2, 60, 0.0, three)),
        ("paint.csv", colours(&table(1, 120, 0.0, coded))),
        ("paint-new.csv", colours(&table(2, 60, 0.0, coded))),
    ]);
    for (name, mark, other) in [("none", "None", "severe"), ("dash", "-", "+")] {
        let call =
            format!("transfer --source {name}.csv --target {name}-new.csv --label y --method none --out run");
        let said = refused(folder.path(), &call);
        assert!(said.contains(&format!("its labels have one class only, `{other}`: ")), "{said}");
        assert!(said.contains(&format!("labels `{mark}` count as missing")), "{said}");
        assert!(said.contains(&format!("if `{mark}` is a class, add `--keep-values {mark}`")), "{said}");
        let (record, _) = run(folder.path(), &format!("{call} --keep-values {mark}"));
        let right = record["transfer"]["chosen"]["scores"]["accuracy"].as_f64().unwrap();
        assert!(right > 0.85, "{right}");
        // The model knows the word.
        let output = juyi(folder.path(), &format!("predict run {name}-new.csv --label y --out p.csv"));
        let scored = format!("accuracy  {:.2} %", 100.0 * right);
        assert!(text(&output.stdout).contains(&scored), "{scored}: {}", text(&output.stdout));
    }
    let call = format!("{TRANSFER} --method none");
    let (record, _) = run(folder.path(), &call);
    assert!(notices(&record).contains("have no label and are left out: "), "{}", notices(&record));
    assert!(
        notices(&record).contains("labels `NA` count as missing; if `NA` is a class, add `--keep-values NA`")
    );
    let (record, _) = run(folder.path(), &format!("{call} --keep-values NA"));
    assert_eq!(record["data"]["sources"][0]["classes"].as_array().unwrap().len(), 3);

    let call = "transfer --source paint.csv --target paint-new.csv --label y --method none";
    let said = refused(folder.path(), call);
    assert!(
        said.contains("column `paint`: is missing") && said.contains("add `--keep-values None`"),
        "{said}"
    );
    let (record, _) = run(folder.path(), &format!("{call} --missing mean"));
    assert!(notices(&record).contains("`paint.csv`: 40 missing cells are filled, `None` in column `paint`"));
    let (record, _) = run(folder.path(), &format!("{call} --keep-values None"));
    assert_eq!(record["data"]["features"], 6);
    let said = refused(folder.path(), &format!("{call} --keep-values red"));
    assert!(said.contains("`--keep-values red`: is a value as it is"), "{said}");
}

#[test]
fn a_word_that_is_kept_stays_missing_among_numbers() {
    let hollow = |table: &str| -> String {
        let hollow = |(i, line): (usize, &str)| match line.split_once(',') {
            Some((_, rest)) if i > 0 && i.is_multiple_of(20) => format!("NA,{rest}\n"),
            _ => format!("{line}\n"),
        };
        table.lines().enumerate().map(hollow).collect()
    };
    let word = |_: usize, class: bool| if class { "NA" } else { "DE" }.to_string();
    let alone = |_: usize, _: bool| "NA".to_string();
    let folder = folder(&[
        ("old.csv", hollow(&table(1, 120, 0.0, word))),
        ("new.csv", hollow(&table(2, 60, 0.0, alone))),
    ]);
    let (record, _) =
        run(folder.path(), &format!("{TRANSFER} --method none --missing mean --keep-values NA"));
    assert_eq!(record["data"]["features"], 3);
    assert_eq!(record["data"]["target"]["rows"], 60);
    assert!(notices(&record).contains("`new.csv`: 3 missing cells are filled"), "{}", notices(&record));
    assert_eq!(record["data"]["scored_rows"], 60); // every one of them `NA`
}

#[test]
fn numbers_that_mean_no_label_are_named_and_plain_ones_need_no_note() {
    let hollow = |every: usize| {
        let row = std::cell::Cell::new(0_usize);
        move |y: f64| {
            row.set(row.get() + 1);
            if row.get().is_multiple_of(every) { "-999".into() } else { format!("{y:.3}") }
        }
    };
    let folder = folder(&[
        ("old.csv", amounts(1, 150, 0.0, |y| format!("{y:.3}"))),
        ("new.csv", amounts(2, 100, 1.0, |y| format!("{y:.3}"))),
        ("marked.csv", amounts(1, 150, 0.0, hollow(10))),
        ("few.csv", amounts(2, 100, 1.0, hollow(2))),
        ("zeros.csv", amounts(2, 100, 1.0, hollow(2)).replace(",-999", ",0")),
    ]);
    let transfer = |source: &str, target: &str| {
        format!("transfer --source {source} --target {target} --label age --method none")
    };
    for (source, target, cells) in [("marked.csv", "new.csv", 15), ("old.csv", "few.csv", 50)] {
        let said = notices(&run(folder.path(), &transfer(source, target)).0);
        let wanted = format!("column `age`: -999 stands in {cells} cells, far from all other values");
        assert!(said.contains(&wanted) && said.contains("`--missing-values -999`"), "{said}");
    }
    let said = notices(&run(folder.path(), &transfer("old.csv", "zeros.csv")).0);
    assert!(
        said.contains("`age` is 0 in 50 of 100 labelled rows, beyond all labels of the source"),
        "{said}"
    );
    let said = notices(&run(folder.path(), &transfer("old.csv", "new.csv")).0);
    assert!(
        !said.contains("beyond all labels")
            && !said.contains("stands in")
            && !said.contains("read as numbers"),
        "{said}"
    );
    for (rows, named) in [("few.csv", true), ("new.csv", false)] {
        let output = juyi(folder.path(), &format!("predict run {rows} --label age --out p.csv"));
        let said = text(&output.stdout);
        assert_eq!(said.contains("column `age`: -999 stands in 50 cells"), named, "{said}");
        assert!(!said.contains("read as numbers"), "{said}");
    }
}

#[test]
fn an_index_without_a_name_that_becomes_a_feature_is_named() {
    let indexed = |name: &str, table: &str, at: fn(usize) -> usize| -> String {
        let row = |(i, line): (usize, &str)| match i {
            0 => format!("{name},{line}\n"),
            _ => format!("{},{line}\n", at(i - 1)),
        };
        table.lines().enumerate().map(row).collect()
    };
    let (old, new) = (table(1, 120, 0.0, coded), table(2, 80, 0.0, coded));
    for (name, called) in [("", "column 1"), ("Unnamed: 0", "Unnamed: 0")] {
        let folder = folder(&[
            ("old.csv", indexed(name, &old, |row| row % 60)), // two tables, one below the other
            ("new.csv", indexed(name, &new, |row| row)),
        ]);
        let (record, _) = run(folder.path(), &format!("{TRANSFER} --method none"));
        let said = notices(&record);
        assert!(said.contains(&format!("column `{called}` has no name in the file")), "{said}");
        assert!(said.contains(&format!("`--drop \"{called}\"`")), "{said}");
        assert_eq!(record["data"]["features"], 4);
    }
    let folder =
        folder(&[("old.csv", indexed("", &old, |row| row)), ("new.csv", indexed("", &new, |row| row))]);
    let (record, _) = run(folder.path(), &format!("{TRANSFER} --method none"));
    assert!(!notices(&record).contains("in the file"), "{}", notices(&record));
    assert_eq!(record["data"]["features"], 3);
}

#[test]
fn a_minus_of_another_code_point_is_recognised() {
    let sign = |minus: &'static str| {
        move |_: usize, class: bool| if class { "1".into() } else { format!("{minus}1") }
    };
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, sign("-"))),
        ("new.csv", table(2, 80, 0.0, sign("\u{2212}"))),
    ]);
    let (record, _) = run(folder.path(), &format!("{TRANSFER} --method none"));
    assert!(notices(&record).contains("did you mean `-1`?"), "{}", notices(&record));
}

/// Rows of one column that tells a number.
fn amounts(seed: u64, rows: usize, from: f64, label: impl Fn(f64) -> String) -> String {
    let mut draws = Draws(seed);
    let mut out = "x,age\n".to_string();
    for _ in 0..rows {
        let x = from + 10.0 * draws.next();
        writeln!(out, "{x:.4},{}", label(20.0 + 5.0 * x + draws.normal())).expect("a line");
    }
    out
}

#[test]
fn what_numbers_are_taken_for_is_said() {
    let whole = |y: f64| format!("{y:.0}");
    let folder = folder(&[
        ("old.csv", amounts(1, 150, 0.0, whole)),
        ("new.csv", amounts(2, 100, 1.0, whole)),
        ("stray.csv", amounts(3, 150, 0.0, |y| if y < 22.0 { "unknown".into() } else { format!("{y:.0}") })),
        ("few.csv", amounts(4, 150, 0.0, |y| format!("{:.0}", y / 20.0))),
    ]);
    let transfer =
        |source: &str, more: &str| format!("transfer --source {source} --target new.csv --label age {more}");
    // Every method that can predict numbers does, with a learner that can.
    for method in ["none", "kmm", "coral", "feda --target-labels use", "target-only --target-labels use"] {
        let (record, _) = run(folder.path(), &transfer("old.csv", &format!("--method {method}")));
        assert_eq!(record["data"]["task"], "regression", "{method}");
        assert!(
            notices(&record).contains("different whole numbers in 150 rows: they are predicted as numbers")
        );
    }
    let (record, _) = run(folder.path(), &transfer("old.csv", "--method none --task classification"));
    assert_eq!(record["data"]["task"], "classification");
    let (record, _) =
        run(folder.path(), "transfer --source few.csv --target few.csv --label age --method none");
    assert_eq!(record["data"]["task"], "classification");
    assert!(
        notices(&record).contains("which are taken for classes; `--task regression`"),
        "{}",
        notices(&record)
    );
    let said = refused(folder.path(), &transfer("stray.csv", "--method none"));
    assert!(said.contains("label `unknown` stands where nearly all others are numbers"), "{said}");
    assert!(said.contains("--missing-values unknown"), "{said}");
}

#[test]
fn shares_of_missing_cells_are_measured_recorded_and_shown() {
    let hollow = |table: &str| -> String {
        let hollow = |(i, line): (usize, &str)| match line.split_once(',') {
            Some((_, rest)) if i > 0 && i % 20 != 0 => format!(",{rest}\n"),
            _ => format!("{line}\n"),
        };
        table.lines().enumerate().map(hollow).collect()
    };
    let folder =
        folder(&[("old.csv", table(1, 200, 0.0, coded)), ("new.csv", hollow(&table(2, 200, 0.0, coded)))]);
    let output = juyi(folder.path(), "measure --source old.csv --target new.csv --label y --missing mean");
    let said = text(&output.stdout);
    assert!(said.contains("1 of 3 columns moved") && said.contains("95 % missing"), "{said}");
    let (record, _) = run(folder.path(), &format!("{TRANSFER} --missing mean --method none"));
    let moved = &record["data"]["moved"][0];
    assert_eq!((&moved["column"], &moved["missing"]), (&"a".into(), &serde_json::json!([0.0, 0.95])));
    assert!(notices(&record).contains("column `a`: half or more of the target's cells are missing"));
    let page = std::fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    assert!(page.contains("95 % missing"));
}

#[test]
fn weights_that_fall_on_a_row_or_two_are_recorded_and_warned_of() {
    let folder = folder(&[
        ("old.csv", amounts(1, 150, 0.0, |y| format!("{y:.3}"))),
        ("new.csv", amounts(2, 100, 30.0, |y| format!("{y:.3}"))),
    ]);
    let transfer = "transfer --source old.csv --target new.csv --label age --method kernel-density-ratio";
    let (record, printed) = run(folder.path(), transfer);
    let worth = record["transfer"]["chosen"]["effective_rows"].as_f64().unwrap();
    assert!((1.0..10.0).contains(&worth), "{worth}");
    assert!(notices(&record).contains("the weights fall on few rows: the 150 source rows are worth"));
    assert!(printed.contains("rows of equal weight"), "{printed}");
    // Beside target rows they are worth nearly all.
    let near = "transfer --source old.csv --target old.csv --label age --method kernel-density-ratio";
    let (record, _) = run(folder.path(), near);
    assert!(record["transfer"]["chosen"]["effective_rows"].as_f64().unwrap() > 100.0);
    assert!(!notices(&record).contains("fall on few rows"));
}

#[test]
fn answers_that_tell_nothing_apart_are_named() {
    let rare = |i: usize, _: bool| if i.is_multiple_of(25) { "yes" } else { "no" }.to_string();
    let folder = folder(&[
        ("old.csv", table(1, 300, 0.0, rare)),
        ("new.csv", table(2, 200, 0.0, |_, _| String::new())),
        ("one.csv", "a,b,c\n1,2,3\n".into()),
        (
            "thin.csv",
            std::iter::once("a,y\n".to_string())
                .chain(table(1, 100, 0.0, coded).lines().skip(1).map(|line| {
                    let cells: Vec<&str> = line.split(',').collect();
                    cells[0].to_string() + "," + cells[3] + "\n"
                }))
                .collect(),
        ),
    ]);
    let (record, _) = run(folder.path(), &format!("{TRANSFER} --method none"));
    assert!(notices(&record).contains("every row is said to be `no`"), "{}", notices(&record));
    let output = juyi(folder.path(), "predict run new.csv --out p.csv");
    assert!(text(&output.stdout).contains("every row is said to be `no`"), "{}", text(&output.stdout));
    let (record, _) =
        run(folder.path(), "transfer --source old.csv --target one.csv --label y --method none");
    assert!(notices(&record).contains("the target has one row: too few"), "{}", notices(&record));
    // Of one column brought to unit length only signs are left.
    for method in ["tca", "jda", "bda", "tjm", "semi-supervised-tca", "artl", "meda"] {
        let said = refused(
            folder.path(),
            &format!("transfer --source thin.csv --target thin.csv --label y --method {method}"),
        );
        assert!(said.contains("only signs would be left"), "{method}: {said}");
    }
    let said = refused(
        folder.path(),
        "transfer --source thin.csv --target thin.csv --label y --method none --preprocess l2",
    );
    assert!(said.contains("`--preprocess l2`"), "{said}");
    let (record, _) = run(folder.path(), "transfer --source thin.csv --target thin.csv --label y");
    let tried = record["select"]["candidates"].as_array().unwrap();
    assert!(tried.len() > 5 && tried.iter().all(|one| one["method"] != "tca"));
}

#[test]
fn rows_beyond_what_was_learnt_from_are_named() {
    let metres = table(2, 80, 0.5, coded);
    let milli: String = metres
        .lines()
        .map(|line| match line.split_once(',') {
            Some((a, rest)) if a != "a" => format!("{:.1},{rest}\n", 1000.0 * a.parse::<f64>().unwrap()),
            _ => format!("{line}\n"),
        })
        .collect();
    let folder = folder(&[("old.csv", table(1, 120, 0.0, coded)), ("new.csv", metres), ("milli.csv", milli)]);
    for preprocess in ["standardize", "none"] {
        run(folder.path(), &format!("{TRANSFER} --method none --preprocess {preprocess}"));
        let output = juyi(folder.path(), "predict run milli.csv --label y --out p.csv");
        let said = text(&output.stdout);
        assert!(said.contains("beyond all rows that the model was fitted on lie `a` in "), "{said}");
        assert!(said.contains("is a column in another unit?"), "{said}");
        let output = juyi(folder.path(), "predict run new.csv --label y --out p.csv");
        assert!(!text(&output.stdout).contains("beyond"), "{}", text(&output.stdout));
    }
    let record =
        juyi(folder.path(), "transfer --source run --target milli.csv --label y --method none --out again");
    assert!(
        text(&record.stdout).contains("beyond all rows"),
        "{}{}",
        text(&record.stdout),
        text(&record.stderr)
    );
}

#[test]
fn rows_below_what_was_learnt_from_are_named_and_new_rows_of_its_kind_are_not() {
    // The first column lies far from zero, but by less than its range.
    let rows = |seed: u64, count: usize, first: &dyn Fn(usize, f64) -> String| {
        let line = |(i, line): (usize, &str)| match line.split_once(',') {
            Some((a, rest)) if a != "a" => format!("{},{rest}\n", first(i, a.parse::<f64>().unwrap() + 10.0)),
            _ => format!("{line}\n"),
        };
        table(seed, count, 0.0, coded).lines().enumerate().map(line).collect::<String>()
    };
    let plain = |_: usize, a: f64| format!("{a:.4}");
    let folder = folder(&[
        ("old.csv", rows(1, 120, &plain)),
        ("new.csv", rows(2, 80, &plain)),
        ("small.csv", rows(3, 80, &|_, a| format!("{:.6}", a / 1000.0))),
        ("gaps.csv", rows(3, 80, &|i, a| if i % 9 == 4 { "0".into() } else { format!("{a:.4}") })),
    ]);
    run(folder.path(), &format!("{TRANSFER} --method none"));
    let predicted = |name: &str| {
        let output = juyi(folder.path(), &format!("predict run {name} --out p.csv"));
        text(&output.stdout) + &text(&output.stderr)
    };
    let said = predicted("small.csv");
    assert!(said.contains("lie `a` in 80 of 80 rows (") && said.contains("another unit?"), "{said}");
    let said = predicted("gaps.csv");
    assert!(said.contains("lie `a` in 9 of 80 rows (") && said.contains("(`--missing-values 0`)?"), "{said}");
    for seed in 4..12 {
        std::fs::write(folder.path().join("more.csv"), rows(seed, 80, &plain)).unwrap();
        let said = predicted("more.csv");
        assert!(!said.contains("beyond"), "{seed}: {said}");
    }
}

#[test]
fn a_column_in_another_unit_in_the_target_is_named_with_the_factor() {
    let spans = |seed: u64, rows: usize, unit: f64| {
        let mut draws = Draws(seed);
        let row = |i: usize| format!("{:.3},{}\n", unit * (20.0 + 9.0 * draws.next()), i % 2);
        "a,y\n".to_string() + &(0..rows).map(row).collect::<String>()
    };
    let folder = folder(&[("old.csv", spans(1, 120, 1.0)), ("new.csv", spans(2, 80, 1000.0))]);
    let (record, _) = run(folder.path(), &format!("{TRANSFER} --method none"));
    let said = notices(&record);
    assert!(
        said.contains("about 1000 times as large in the target as in the source: is the unit another?"),
        "{said}"
    );
}

#[test]
fn a_column_that_was_scaled_on_one_side_is_named() {
    let columns = |seed: u64, rows: usize, scaled: bool| {
        let mut draws = Draws(seed);
        let row = |i: usize| {
            let (a, b) = (5.0 + 3.0 * draws.normal() + (i % 2) as f64, draws.normal());
            format!("{:.4},{b:.4},{}\n", if scaled { (a - 5.5) / 3.05 } else { a }, i % 2)
        };
        "a,b,y\n".to_string() + &(0..rows).map(row).collect::<String>()
    };
    let folder = folder(&[
        ("old.csv", columns(1, 120, false)),
        ("new.csv", columns(2, 80, true)),
        ("plain.csv", columns(2, 80, false)),
    ]);
    let named = "column `a` (here -";
    let said = notices(&run(folder.path(), &format!("{TRANSFER} --method none")).0);
    assert!(said.contains(named) && said.contains("as if scaled to mean 0 and deviation 1"), "{said}");
    assert!(!said.contains("`b` (here"), "{said}");
    let plain = "transfer --source old.csv --target plain.csv --label y --method none";
    let said = notices(&run(folder.path(), plain).0);
    assert!(!said.contains("as if scaled"), "{said}");
    for (rows, is) in [("new.csv", true), ("plain.csv", false)] {
        let said = text(&juyi(folder.path(), &format!("predict run {rows}")).stderr);
        assert_eq!(said.contains(named), is, "{said}");
    }
}

#[test]
fn points_that_separate_thousands_in_one_table_are_named_and_may_be_said() {
    let amounts = |seed: u64, rows: usize, dotted: bool| {
        let mut draws = Draws(seed);
        let row = |i: usize| {
            let amount = 10_000.0 + 9000.0 * draws.next() + 15_000.0 * (i % 2) as f64;
            let (thousands, rest) = ((amount / 1000.0).floor(), (amount % 1000.0).floor());
            let mark = if dotted { "." } else { "" };
            format!("{thousands}{mark}{rest:03},{:.2},{}\n", draws.next(), i % 2)
        };
        "a,b,y\n".to_string() + &(0..rows).map(row).collect::<String>()
    };
    let folder = folder(&[("old.csv", amounts(1, 120, false)), ("new.csv", amounts(2, 80, true))]);
    let (record, _) = run(folder.path(), &format!("{TRANSFER} --method none"));
    let said = notices(&record);
    assert!(
        said.contains("warning: `new.csv`, column `a`: `1") && said.contains("say `--decimal ,`"),
        "{said}"
    );
    let (record, printed) = run(folder.path(), &format!("{TRANSFER} --method none --decimal ,"));
    assert!(!notices(&record).contains("left out") && printed.contains("2 features"), "{printed}");
    assert!(printed.contains("accuracy 100.00 %"), "{printed}");
}

#[test]
fn copies_stay_on_one_side_of_every_split_and_are_counted() {
    let mut draws = Draws(5);
    let mut old = "a,b,c,d,y\n".to_string();
    for _ in 0..60 {
        let cells: Vec<String> = (0..4).map(|_| format!("{:.3}", draws.normal())).collect();
        let row = format!("{},{}\n", cells.join(","), if draws.next() < 0.5 { "p" } else { "q" });
        old += &row.repeat(4);
    }
    let mut new = "a,b,c,d\n".to_string();
    for _ in 0..150 {
        let cells: Vec<String> = (0..4).map(|_| format!("{:.3}", draws.normal())).collect();
        writeln!(new, "{}", cells.join(",")).unwrap();
    }
    let folder = folder(&[("old.csv", old), ("new.csv", new)]);
    let (record, _) = run(folder.path(), TRANSFER);
    assert!(notices(&record).contains("180 of 240 source rows are copies of others"), "{}", notices(&record));
    // Labels drawn at random: no candidate is believed to see through them.
    for one in record["select"]["candidates"].as_array().unwrap() {
        let score = one["score"]["value"].as_f64().unwrap_or(0.5);
        assert!(score < 0.72, "{}: {score}", one["method"]);
    }
}

#[test]
fn tables_in_other_encodings_are_read_or_refused_by_name() {
    let chinese = "温度,湿度,等级\n21.5,40,优良\n25.0,55,中等\n29.1,70,较差\n22.4,41,优良\n24.6,57,中等\n28.7,69,较差\n";
    let german = "Größe,Güte\n1,schön\n2,mäßig\n1.5,schön\n3,mäßig\n1.2,schön\n2.6,mäßig\n";
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file");
    let (gbk, ..) = encoding_rs::GBK.encode(chinese);
    let (latin, ..) = encoding_rs::WINDOWS_1252.encode(german);
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(chinese.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    write("gbk.csv", &gbk);
    write("wide.csv", &wide);
    write("plain.csv", chinese.as_bytes());
    write("latin.csv", &latin);
    write("mixed.csv", &[german.as_bytes(), b"2,m\xe4\xdfig\n"].concat());
    for other in ["gbk.csv", "wide.csv"] {
        let call = format!("transfer --source {other} --target plain.csv --label 等级 --method none");
        let (record, _) = run(folder.path(), &call);
        assert_eq!(record["transfer"]["chosen"]["scores"]["accuracy"], 1.0, "{other}");
        assert!(record["data"]["sources"][0]["remark"].as_str().unwrap().starts_with("read as "), "{other}");
    }
    let (record, _) =
        run(folder.path(), "transfer --source latin.csv --target latin.csv --label Güte --method none");
    assert_eq!(record["data"]["sources"][0]["classes"][0][0], "mäßig");
    let call = "transfer --source latin.csv --target latin.csv --label Güte --method none --encoding latin1";
    run(folder.path(), call);
    let said = refused(folder.path(), "transfer --source mixed.csv --target latin.csv --label Güte");
    assert!(
        said.contains("`mixed.csv`, line 8: is not UTF-8 text, and other lines of the file are"),
        "{said}"
    );
    let said = refused(folder.path(), "measure --source plain.csv --target plain.csv --encoding klingon");
    assert!(said.contains("klingon") && said.contains("gb18030"), "{said}");
}

#[test]
fn sparse_tables_that_count_from_0_and_from_1_are_refused_until_it_is_said() {
    let sparse = |seed: u64, rows: usize, base: usize| {
        let text = table(seed, rows, 0.0, coded);
        let line = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            let entry = |j: usize| format!(" {}:{}", j + base, cells[j]);
            format!("{}{}\n", cells[3], (0..3).map(entry).collect::<String>())
        };
        text.lines().skip(1).map(line).collect::<String>()
    };
    let folder = folder(&[
        ("one.svm", sparse(1, 120, 1)),
        ("zero.svm", sparse(3, 80, 0)),
        ("alike.svm", sparse(3, 80, 1)),
    ]);
    let transfer = |target: &str| {
        format!("transfer --source one.svm --target {target} --label y --method none --out run")
    };
    let said = refused(folder.path(), &transfer("zero.svm"));
    assert!(said.contains("numbers its columns from 0, and `one.svm` has no column 0"), "{said}");
    assert!(said.contains("give `zero.svm:0` and `one.svm:1` if `one.svm` counts from 1"), "{said}");
    let predictions = || std::fs::read_to_string(folder.path().join("run/predictions.csv")).unwrap();
    run(folder.path(), &transfer("alike.svm"));
    let wanted = predictions();
    run(folder.path(), &transfer("zero.svm:0"));
    assert_eq!(predictions(), wanted);
    let later = text(&juyi(folder.path(), "predict run zero.svm").stderr);
    assert!(later.contains("`zero.svm` has column 0, and the model has none"), "{later}");
}

#[test]
fn labels_that_are_amounts_are_numbers_and_what_is_neither_is_refused() {
    let of = |label: fn(f64) -> String| (amounts(1, 150, 0.0, label), amounts(2, 100, 1.0, label));
    let plain = of(|y| format!("{y:.1}"));
    let percent = of(|y| format!("{y:.1}%"));
    let dollars = of(|y| format!("${y:.2}"));
    let dates = of(|y| format!("2023-{:02}-{:02}", 1 + y as usize % 12, 1 + (7.0 * y) as usize % 28));
    let below = amounts(1, 150, 0.0, |y| if y < 30.0 { "<30".into() } else { format!("{y:.1}") });
    let whole = amounts(1, 150, 0.0, |y| format!("{:.0}", y / 5.0));
    let folder = folder(&[
        ("plain.csv", plain.0),
        ("plain_t.csv", plain.1),
        ("percent.csv", percent.0),
        ("percent_t.csv", percent.1),
        ("dollars.csv", dollars.0),
        ("dollars_t.csv", dollars.1),
        ("dates.csv", dates.0),
        ("dates_t.csv", dates.1),
        ("below.csv", below),
        ("whole.csv", whole),
    ]);
    let transfer = |source: &str, target: &str, more: &str| {
        format!("transfer --source {source}.csv --target {target}.csv --label age --method none {more}")
    };
    let error = |record: &Value| record["transfer"]["chosen"]["scores"].to_string();
    let (plain, _) = run(folder.path(), &transfer("plain", "plain_t", ""));
    assert_eq!(plain["data"]["task"], "regression");
    let rmse = |record: &Value| {
        let text = error(record);
        let at = text.find("rmse\":").expect("an error") + 6;
        text[at..].split([',', '}']).next().unwrap().parse::<f64>().unwrap()
    };
    for (name, unit) in [("percent", 0.01), ("dollars", 1.0)] {
        for more in ["", "--task regression"] {
            let (record, _) = run(folder.path(), &transfer(name, &format!("{name}_t"), more));
            assert_eq!(record["data"]["task"], "regression", "{name}");
            assert!((rmse(&record) / unit / rmse(&plain) - 1.0).abs() < 0.02, "{name}: {}", error(&record));
            assert!(notices(&record).contains("read as numbers: column `age`"), "{}", notices(&record));
        }
        let scored = juyi(folder.path(), &format!("predict run {name}_t.csv --label age --out p.csv"));
        assert!(text(&scored.stdout).contains("R² 0.9"), "{}{}", text(&scored.stdout), text(&scored.stderr));
    }
    let said = refused(folder.path(), &transfer("dates", "dates_t", ""));
    assert!(said.contains("column `age`: holds dates or times such as `2023-"), "{said}");
    run(folder.path(), &transfer("dates", "dates_t", "--task classification"));
    let said = refused(folder.path(), &transfer("below", "plain_t", ""));
    assert!(said.contains("label `<30` stands where nearly all others are numbers"), "{said}");
    assert!(said.contains("write a number, `30` for one"), "{said}");
    let said = refused(folder.path(), &transfer("whole", "plain_t", ""));
    assert!(said.contains("`--task regression` predicts labels as numbers"), "{said}");
    run(folder.path(), &transfer("whole", "plain_t", "--task regression"));
}

#[test]
fn commas_without_quotes_are_not_taken_for_names_of_rows() {
    let rows = |row: &dyn Fn(usize, &str) -> String| {
        let text = table(1, 60, 0.0, |_, class| if class { "Rom" } else { "Bonn" }.into());
        text.lines().skip(1).enumerate().map(|(i, line)| row(i, line)).collect::<String>()
    };
    let last = "k,a,b,c,y\n".to_string() + &rows(&|i, line| format!("{i}.5,{line}, EU\n"));
    let words = "k,a,b,c,y\n".to_string() + &rows(&|i, line| format!("row {i},{line}, EU\n"));
    let first = "k,a,b,c,y\n".to_string() + &rows(&|i, line| format!("{},{:02},{line}\n", 1000 + i, i % 37));
    let later = "a,b,c,y\n".to_string() + &rows(&|i, line| format!("name {},{line}\n", i % 40));
    let named = "a,b,c,y\n".to_string() + &rows(&|i, line| format!("{},{line}\n", i + 1));
    let folder = folder(&[
        ("last.csv", last),
        ("words.csv", words),
        ("first.csv", first),
        ("later.csv", later),
        ("named.csv", named),
    ]);
    let transfer = |name: &str| format!("transfer --source {name} --target {name} --label y --method none");
    for (name, line, cells) in [
        ("last.csv", 2, "6 cells"),
        ("words.csv", 2, "6 cells"),
        ("first.csv", 2, "6 cells"),
        ("later.csv", 42, "5 cells"),
    ] {
        let said = refused(folder.path(), &transfer(name));
        assert!(said.contains(&format!("`{name}`, line {line}: has {cells}")), "{said}");
        assert!(
            said.contains("quote cells that contain the separator; if the first cells name the rows"),
            "{said}"
        );
    }
    let (record, _) = run(folder.path(), &transfer("named.csv"));
    assert!(
        record["data"]["features"] == 3 && notices(&record).contains("it names the rows"),
        "{}",
        notices(&record)
    );
}

#[test]
fn identifiers_have_their_own_names_and_stay_as_they_are_written() {
    let with = |name: &str, id: &dyn Fn(usize) -> String| {
        let text = table(3, 40, 0.5, coded);
        let head = format!("{name},a,b,c,y\n");
        let line = |(i, line): (usize, &str)| format!("{},{line}\n", id(i));
        head + &text.lines().skip(1).enumerate().map(line).collect::<String>()
    };
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, coded)),
        ("new.csv", with("prediction", &|i| i.to_string())),
        ("marks.csv", with("id", &|i| ["NA", "", "None", "007"][i % 4].into())),
    ]);
    let said = refused(folder.path(), &format!("{TRANSFER} --method none --id prediction"));
    assert!(said.contains("`--id prediction`: is what the predictions call a column of theirs"), "{said}");
    assert!(said.contains("`--rename \"prediction=own prediction\" --id \"own prediction\"`"), "{said}");
    let renamed = juyi(folder.path(), &format!("{TRANSFER} --method none --rename prediction=own --id own"));
    assert!(renamed.status.success(), "{}", text(&renamed.stderr));
    let marks = "transfer --source old.csv --target marks.csv --label y --method none --id id --out run";
    run(folder.path(), marks);
    let ids = |table: &str| {
        let second = |line: &str| line.split(',').nth(1).unwrap().to_string();
        table.lines().skip(1).take(4).map(second).collect::<Vec<_>>()
    };
    let predictions = std::fs::read_to_string(folder.path().join("run/predictions.csv")).unwrap();
    assert_eq!(ids(&predictions), ["NA", "", "None", "007"]);
    assert_eq!(ids(&text(&juyi(folder.path(), "predict run marks.csv").stdout)), ["NA", "", "None", "007"]);
}

#[test]
fn whole_numbers_that_are_rounded_are_named() {
    let large = |seed: u64| {
        let text = table(seed, 60, 0.0, coded);
        let line = |(i, line): (usize, &str)| {
            format!("{},{line}\n", 9_007_199_254_740_993_u64 + 977 * (i as u64 % 7))
        };
        "k,a,b,c,y\n".to_string() + &text.lines().skip(1).enumerate().map(line).collect::<String>()
    };
    let folder = folder(&[("old.csv", large(1)), ("new.csv", large(3))]);
    let (record, _) = run(folder.path(), &format!("{TRANSFER} --method none"));
    let said = notices(&record);
    assert!(
        said.contains("`k` (`9007199254740993`) holds whole numbers beyond 2^53, which are rounded"),
        "{said}"
    );
}

#[test]
fn sources_in_different_units_are_named() {
    let grams = |seed: u64, factor: f64| {
        let text = amounts(seed, 80, 50.0, |y| if y > 295.0 { "old" } else { "young" }.into());
        let line = |line: &str| {
            let (x, age) = line.split_once(',').unwrap();
            format!("{:.2},{age}\n", factor * x.parse::<f64>().unwrap())
        };
        "x,age\n".to_string() + &text.lines().skip(1).map(line).collect::<String>()
    };
    let folder = folder(&[
        ("one.csv", grams(1, 1.0)),
        ("two.csv", grams(2, 1000.0)),
        ("alike.csv", grams(4, 1.1)),
        ("new.csv", grams(3, 1.0)),
    ]);
    let sources = |second: &str| format!("--source one.csv --source {second} --target new.csv --label age");
    let (record, _) = run(folder.path(), &format!("transfer {} --method none", sources("two.csv")));
    let said = notices(&record);
    assert!(
        said.contains("column `x` lies around 5") && said.contains("about 1000 times as large"),
        "{said}"
    );
    let measured = text(&juyi(folder.path(), &format!("measure {}", sources("two.csv"))).stdout);
    assert!(measured.contains("is it in another unit there"), "{measured}");
    let (record, _) = run(folder.path(), &format!("transfer {} --method none", sources("alike.csv")));
    assert!(!notices(&record).contains("another unit"), "{}", notices(&record));
}

#[test]
fn measure_says_of_labels_what_transfer_says() {
    let truth = |_: usize, class: bool| if class { "True" } else { "False" }.to_string();
    let marked = |i: usize, class: bool| if i < 20 { coded(i, class) } else { "-1".into() };
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, coded)),
        ("second.csv", table(2, 60, 0.0, truth)),
        ("truth.csv", table(3, 60, 0.5, truth)),
        ("marked.csv", table(3, 60, 0.5, marked)),
        ("numbers.csv", amounts(3, 60, 0.5, |y| format!("{y:.2}"))),
    ]);
    let said = |arguments: &str| {
        let output = juyi(folder.path(), &format!("measure {arguments}"));
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let of = |target: &str| said(&format!("--source old.csv --target {target} --label y"));
    assert!(of("truth.csv").contains("none of its labels is a class that the source knows: "));
    assert!(of("marked.csv").contains("`-1` stands in `marked.csv` only, in 40 of 60 labelled rows"));
    let twins = said("--source old.csv --source second.csv --target old.csv --label y");
    assert!(twins.contains("`1` and `True`"), "{twins}");
    let numbers = said("--source numbers.csv --target numbers.csv --label age");
    assert!(!numbers.contains("class"), "{numbers}");
}

#[test]
fn columns_in_other_units_by_their_names_are_not_renamed() {
    let head = |name: &str, seed: u64| table(seed, 60, 0.0, coded).replacen("a,b", &format!("{name},b"), 1);
    let folder = folder(&[
        ("old.csv", head("a (kg)", 1)),
        ("new.csv", head("a (g)", 3)),
        ("case.csv", head("A (kg)", 3)),
    ]);
    let said = refused(folder.path(), &format!("{TRANSFER} --method none"));
    assert!(said.contains("it has `a (g)`, in another unit") && !said.contains("--rename"), "{said}");
    let said = refused(folder.path(), "transfer --source old.csv --target case.csv --label y --method none");
    assert!(said.contains("--rename"), "{said}");
}

#[test]
fn a_column_of_very_small_numbers_serves_as_in_another_unit() {
    let small = |seed: u64, rows: usize, power: &str| {
        let text = table(seed, rows, 0.0, coded);
        let line = |line: &str| line.replacen(',', &format!("{power},"), 1) + "\n";
        "a,b,c,y\n".to_string() + &text.lines().skip(1).map(line).collect::<String>()
    };
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, coded)),
        ("new.csv", table(3, 80, 0.0, coded)),
        ("small.csv", small(1, 120, "e-199")),
        ("small_t.csv", small(3, 80, "e-199")),
    ]);
    let (usual, _) = run(folder.path(), &format!("{TRANSFER} --method none"));
    let (record, _) =
        run(folder.path(), "transfer --source small.csv --target small_t.csv --label y --method none");
    assert!(!notices(&record).contains("constant"), "{}", notices(&record));
    assert_eq!(record["transfer"]["chosen"]["scores"], usual["transfer"]["chosen"]["scores"]);
}

#[test]
fn comments_and_titles_that_stand_in_the_way_are_named_and_empty_rows_at_the_end_left_out() {
    let base = table(3, 40, 0.5, coded);
    let middle = base.replacen('\n', "\n# checked by Bob\n", 2);
    let titles = format!("Device: X1, serial 5\nDate: 2024-01-02, operator: B\n\n{base}");
    let folder = folder(&[
        ("old.csv", table(1, 120, 0.0, coded)),
        ("middle.csv", middle),
        ("end.csv", base.clone() + "# end of file\n"),
        ("titles.csv", titles),
        ("commas.csv", base.clone() + &",,,\n".repeat(3)),
        ("new.csv", base),
    ]);
    let target =
        |name: &str| format!("transfer --source old.csv --target {name} --label y --method none --out run");
    for (name, line) in [("middle.csv", 2), ("end.csv", 42)] {
        let said = refused(folder.path(), &target(name));
        assert!(said.contains(&format!("`{name}`, line {line}: has 1 cells")), "{said}");
        assert!(said.contains("begins like a comment: `# "), "{said}");
    }
    let said = refused(folder.path(), &target("titles.csv"));
    assert!(said.contains("line 4") && said.contains("take out the lines above it"), "{said}");
    let predictions = || std::fs::read_to_string(folder.path().join("run/predictions.csv")).unwrap();
    run(folder.path(), &target("new.csv"));
    let wanted = predictions();
    for more in ["", " --missing mean"] {
        let (record, _) = run(folder.path(), &(target("commas.csv") + more));
        assert!(notices(&record).contains("the last 3 rows are empty and left out"), "{}", notices(&record));
        assert_eq!(predictions(), wanted);
    }
}

#[test]
fn how_many_rows_are_scored_is_said_where_some_have_no_label() {
    let sparse = |i: usize, class: bool| if i < 10 { coded(i, class) } else { String::new() };
    let folder = folder(&[("old.csv", table(1, 120, 0.0, coded)), ("new.csv", table(3, 80, 0.5, sparse))]);
    run(folder.path(), &format!("{TRANSFER} --method none"));
    let scored = text(&juyi(folder.path(), "predict run new.csv --label y --out p.csv").stdout);
    assert!(scored.contains("10 of 80 rows have a label and are scored"), "{scored}");
}
