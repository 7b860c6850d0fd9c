//! Dates and workbooks through the program.

use super::{juyi, text};

/// A table whose class depends on the day, written by `date`.
fn csv(rows: std::ops::Range<usize>, date: fn(usize) -> String) -> String {
    let row =
        |i: usize| format!("{},{},{}\n", if i % 28 < 14 { "early" } else { "late" }, date(i % 28), i % 5);
    "y,day,a\n".to_string() + &rows.map(row).collect::<String>()
}

#[test]
fn a_model_reads_later_dates_as_those_of_its_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, text: String| std::fs::write(at.join(name), text).expect("a written file");
    write("old.csv", csv(0..60, |i| format!("{}.02.2024", i + 1)));
    write("new.csv", csv(3..50, |i| format!("2024-02-{:02}", i + 1)));
    let out = juyi(at, "transfer --source old.csv --target new.csv --label y --method none --out run");
    assert!(out.status.success(), "{}", text(&out.stderr));
    let said = text(&out.stdout);
    assert!(
        said.contains("column `day` holds dates (day.month.year, year-month-day): days since 1970"),
        "{said}"
    );
    write("later.csv", "day,a\n28.02.2024,1\n01.02.2024,2\n".into());
    let out = juyi(at, "predict run later.csv");
    let lines = text(&out.stdout);
    let answers: Vec<&str> = lines.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(answers, ["late", "early"], "{lines}{}", text(&out.stderr));
    write("later.csv", "day,a\n28.02.2024,1\n02/30/2024,2\n".into());
    let out = juyi(at, "predict run later.csv");
    assert_eq!(out.status.code(), Some(2));
    let said = text(&out.stderr);
    assert!(said.contains("column `day`: `02/30/2024` stands where the other cells are dates"), "{said}");
}

#[test]
fn times_that_lost_their_half_of_the_day_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let times = |half: &str, hour: fn(usize) -> usize| {
        let row = |i: usize| format!("{},{}:{:02}{half},{}\n", i % 2, hour(i), i % 60, i % 5);
        "y,at,a\n".to_string() + &(0..60).map(row).collect::<String>()
    };
    for (name, table) in [
        ("old.csv", times(" PM", |i| i % 12 + 1)),
        ("new.csv", times("", |i| i % 12 + 1)),
        ("whole.csv", times("", |i| i % 24)),
        ("morning.csv", times("", |i| i % 6 + 7)),
    ] {
        std::fs::write(at.join(name), table).expect("a written file");
    }
    for (target, named) in
        [("new.csv", true), ("whole.csv", false), ("morning.csv", false), ("old.csv", false)]
    {
        let transfer =
            format!("transfer --source old.csv --target {target} --label y --method none --out run");
        let out = juyi(at, &transfer);
        let said = text(&out.stdout) + &text(&out.stderr);
        assert!(out.status.success(), "{said}");
        assert_eq!(said.contains("all times are from 1:00 to 12:59"), named, "{target} {said}");
    }
}

#[test]
fn dates_that_nobody_can_tell_are_left_out_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    for name in ["old.csv", "new.csv"] {
        let table = csv(0..50, |i| format!("{:02}/{:02}/2024", i % 12 + 1, i % 7 + 1));
        std::fs::write(at.join(name), table).expect("a written file");
    }
    let out = juyi(at, "transfer --source old.csv --target new.csv --label y --method none --out run");
    let said = text(&out.stdout) + &text(&out.stderr);
    assert!(out.status.success() && said.contains("may be day/month/year or month/day/year"), "{said}");
}

#[test]
fn dates_of_one_table_that_do_not_tell_their_order_are_named_and_may_be_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, text: String| std::fs::write(at.join(name), text).expect("a written file");
    write("old.csv", csv(0..60, |i| format!("{:02}/02/2024", i + 1)));
    write("new.csv", csv(0..50, |i| format!("02/{:02}/2024", i % 12 + 1)));
    write("us.csv", csv(0..50, |i| format!("02/{:02}/2024", i + 1)));
    let transfer = |target: &str| {
        let out = juyi(
            at,
            &format!("transfer --source old.csv --target {target} --label y --method none --out run"),
        );
        text(&out.stdout) + &text(&out.stderr)
    };
    let untold = "nothing in this table tells day from month in dates such as `02/01/2024`";
    let said = transfer("new.csv");
    assert!(said.contains(&format!("`new.csv`, column `day`: {untold}")), "{said}");
    let said = transfer("new.csv --date-order month-first");
    assert!(!said.contains("nothing in this table"), "{said}");
    let said = transfer("us.csv");
    assert!(said.contains("all dates of `us.csv` are month/day/year"), "{said}");
    let said = transfer("us.csv --date-order month-first");
    assert!(said.contains("100.00 %"), "{said}");
    let predicted = |flag: &str| {
        let out = juyi(at, &format!("predict run new.csv --out p.csv --label y {flag}"));
        text(&out.stdout) + &text(&out.stderr)
    };
    assert!(predicted("").contains(untold), "{}", predicted(""));
    let said = predicted("--date-order month-first");
    assert!(!said.contains("nothing in this table"), "{said}");
    let said = predicted("--date-order american");
    assert!(said.contains("give `day-first` or `month-first`"), "{said}");
}

#[test]
fn what_is_no_workbook_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("old.xlsx"), "y,a\nu,1\n").expect("a written file");
    let out = juyi(folder.path(), "transfer --source old.xlsx --target old.xlsx --label y --out run");
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("`old.xlsx`: is not a sound .xlsx workbook"), "{}", text(&out.stderr));
}
