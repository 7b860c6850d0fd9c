//! Tables that can be read and are likely to hold a mistake: it is named, and ordinary tables beside them stay quiet.

use std::path::Path;

use crate::{juyi, text};

/// What is said of a table to learn from, and how the program ends.
fn run(folder: &Path, old: &str, new: &str, more: &str) -> (Option<i32>, String) {
    std::fs::write(folder.join("old.csv"), old).expect("a file");
    std::fs::write(folder.join("new.csv"), new).expect("a file");
    let arguments = "transfer --source old.csv --target new.csv --label y --method none --out run";
    let done = juyi(folder, &format!("{arguments} {more}"));
    (done.status.code(), text(&done.stdout) + &text(&done.stderr))
}

fn said(old: &str, new: &str, more: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = run(folder.path(), old, new, more);
    assert_eq!(code, Some(0), "{said}");
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is said of predicting a table with a model that the first two made, which is nothing itself.
fn said_later(old: &str, new: &str, later: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(run(folder.path(), old, new, "").0, Some(0));
    std::fs::write(folder.path().join("later.csv"), later).expect("a file");
    let done = juyi(folder.path(), "predict run later.csv --label y --out p.csv");
    let said = text(&done.stdout) + &text(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number without an order, from 0 to 1.
fn mixed(i: usize) -> f64 {
    (i as f64 * 0.618_034 + 0.3).fract()
}

/// Rows of two numbers and what these make of them, with this header.
fn table(header: &str, rows: usize, row: impl Fn(usize, f64, f64) -> String) -> String {
    let one = |i: usize| row(i, 10.0 + 40.0 * mixed(i), 300.0 + 1000.0 * mixed(7 * i + 2)) + "\n";
    format!("{header}\n") + &(0..rows).map(one).collect::<String>()
}

fn class(a: f64) -> &'static str {
    if a > 30.0 { "high" } else { "low" }
}

/// A whole number with a point between thousands.
fn dotted(v: f64) -> String {
    let v = v.round() as u64;
    if v < 1000 { v.to_string() } else { format!("{}.{:03}", v / 1000, v % 1000) }
}

const DOTTED: &str = "if the point separates thousands, say `--decimal ,`";

#[test]
fn points_between_thousands_are_named_in_labels_and_in_few_cells() {
    let label = |write: &dyn Fn(f64) -> String| {
        table("a,b,y", 60, |_, a, b| format!("{a:.1},{b:.1},{}", write(a * 30.0)))
    };
    let (whole, points) = (label(&|v| format!("{v:.0}")), label(&dotted));
    assert!(said(&points, &whole, "").contains("`old.csv`, column `y`: `1.0"));
    assert!(said(&whole, &points, "").contains("`new.csv`, column `y`: `1.0"));
    assert!(said_later(&whole, &whole, &points).contains(DOTTED));
    assert!(!said(&points, &whole, "--decimal ,").contains(DOTTED));
    let feature = |write: &dyn Fn(f64) -> String| {
        table("a,b,y", 60, |_, a, b| format!("{a:.1},{},{}", write(b * 0.82), class(a)))
    };
    let (whole, points) = (feature(&|v| format!("{v:.0}")), feature(&dotted));
    assert!(said(&points, &points, "").contains(DOTTED));
    assert!(said_later(&whole, &whole, &points).contains("`later.csv`, column `b`"));
    for quiet in [&whole, &feature(&|v| format!("{v:.3}")), &feature(&|v| format!("{v:.1}"))] {
        assert!(!said(quiet, quiet, "").contains("separates thousands"));
    }
}

#[test]
fn known_numbers_for_a_missing_cell_are_named_beside_positive_ones() {
    let with = |value: &str, cells: usize| {
        let age =
            |i: usize, a: f64| if i % 20 < cells { value.to_string() } else { format!("{:.0}", a + 8.0) };
        table("a,b,y", 100, |i, a, b| format!("{},{b:.1},{}", age(i, a), class(a)))
    };
    let ordinary = with("33", 1);
    for value in ["-1", "-9", "-99", "-999"] {
        let told = said(&with(value, 2), &ordinary, "");
        assert!(told.contains(&format!("column `a`: {value} stands in 10 cells")), "{told}");
    }
    assert!(!said(&ordinary, &ordinary, "").contains("stands in"));
    let label = table("a,b,y", 100, |i, a, b| {
        format!("{a:.1},{b:.1},{:.1}", if i % 20 == 3 { -1.0 } else { a * 3.0 })
    });
    assert!(said(&label, &label, "").contains("column `y`: -1 stands in 10 cells"));
}

#[test]
fn classes_that_mean_no_label_are_named_where_all_tables_have_them() {
    let labels = |none: &str, classes: [&str; 3]| {
        table("a,b,y", 60, |i, a, b| {
            let class = classes[(a / 17.0) as usize];
            format!("{a:.1},{b:.1},{}", if i % 7 == 1 { none } else { class })
        })
    };
    for (none, classes) in [
        ("-1", ["0", "1", "2"]),
        ("-1", ["1", "2", "3"]),
        ("-1", ["low", "mid", "high"]),
        ("-999", ["0", "1", "2"]),
        ("unknown", ["low", "mid", "high"]),
        ("TBD", ["low", "mid", "high"]),
        ("\u{672a}\u{77e5}", ["low", "mid", "high"]),
    ] {
        let (old, new) = (labels(none, classes), labels(none, classes));
        let told = said(&old, &new, "");
        let expected =
            format!("`{none}` stands in 18 of 120 labelled rows: if `{none}` means that a row has no label");
        assert!(told.contains(&expected), "{told}");
    }
    for (none, classes) in
        [("-1", ["1", "1", "1"]), ("-1", ["0", "1", "1"]), ("0", ["1", "2", "3"]), ("-2", ["-1", "0", "1"])]
    {
        let table = labels(none, classes);
        assert!(!said(&table, &table, "").contains("labelled rows: if"), "{none}");
    }
}

#[test]
fn numbers_that_name_rows_are_named() {
    let numbered = |name: &str, number: &dyn Fn(usize) -> usize| {
        table(&format!("a,b,{name},y"), 60, |i, a, b| format!("{a:.1},{b:.1},{},{}", number(i), class(a)))
    };
    let drawn = |i: usize| 100_000 + (mixed(i) * 9e6) as usize;
    for (name, number) in [
        ("k", &(|i: usize| 2 * i + 5) as &dyn Fn(usize) -> usize),
        ("k", &|i| 900 - i),
        ("k", &|i| 10_000 + i * 37 % 61),
        ("customer_id", &drawn),
    ] {
        let table = numbered(name, number);
        let told = said(&table, &table, "");
        assert!(told.contains(&format!("column `{name}` has another whole number in every row")), "{told}");
        assert!(!said(&table, &table, &format!("--drop {name}")).contains("looks like an identifier"));
    }
    let income = numbered("income", &drawn);
    assert!(!said(&income, &income, "").contains("looks like an identifier"));
}

#[test]
fn a_quote_that_swallows_rows_is_named_and_text_of_several_lines_is_not() {
    let remarks = |remark: &dyn Fn(usize) -> String| {
        table("a,b,y,remark", 60, |i, a, b| format!("{a:.1},{b:.1},{},{}", class(a), remark(i)))
    };
    let plain = remarks(&|i| ["good", "bad"][i % 2].into());
    let open = remarks(&|i| if i == 10 || i == 40 { "\"good".into() } else { ["good", "bad"][i % 2].into() });
    let told = "line 12: a quote opens there and is closed in line 42";
    assert!(said(&open, &plain, "").contains(&format!("`old.csv`, {told}")));
    assert!(said(&plain, &open, "--drop remark").contains(&format!("`new.csv`, {told}")));
    assert!(said_later(&plain, &plain, &open).contains(&format!("`later.csv`, {told}")));
    let verse = "\"Shall I compare thee\nto a summer's day?\n\nThou art more lovely,\nand more temperate:\"";
    let poems = remarks(&|i| [verse, "\"12, Long Lane\nOxford\nUK\""][i % 2].into());
    assert!(!said(&poems, &poems, "").contains("a quote opens"));
}

#[test]
fn a_decimal_comma_behind_a_column_of_its_own_values_is_no_name_of_a_row() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in ["54,1", "2110,07", "2,110"] {
        let cut = |i: usize| if number == "2,110" { format!("2,{}", 100 + i) } else { number.to_string() };
        let table = table("id,a,b,y", 60, |i, a, b| format!("{},{},{b:.1},{}", i + 1, cut(i), class(a)));
        let (code, said) = run(folder.path(), &table, &table, "");
        assert!(code == Some(2) && said.contains("line 2: has 5 cells"), "{said}");
    }
    // Quoted, as programs write names of rows, and without such a pair.
    let quoted = table("\"a\",\"b\",\"y\"", 60, |i, a, _| format!("\"{}\",{},7,{}", i + 1, i % 50, class(a)));
    assert!(said(&quoted, &quoted, "").contains("it names the rows"));
    let fractions = table("a,b,y", 60, |i, a, b| format!("{},{a:.1},{b:.1},{}", i + 1, class(a)));
    assert!(said(&fractions, &fractions, "").contains("it names the rows"));
}

#[test]
fn words_for_missing_cells_that_are_nowhere_are_named() {
    let colours = |none: &str| {
        table("a,colour,y", 60, |i, a, _| {
            format!("{a:.1},{},{}", ["red", none][usize::from(i % 9 == 0)], class(a))
        })
    };
    let table = colours("Unknown");
    let told = said(&table, &table, "--missing mean --missing-values unknown");
    assert!(
        told.contains("`--missing-values unknown`: no cell of any table is so; did you mean `Unknown`?"),
        "{told}"
    );
    let told = said(&table, &table, "--keep-values NA");
    assert!(told.contains("`--keep-values NA`: no cell of any table is so"), "{told}");
    for (table, more) in [
        (colours("Unknown"), "--missing mean --missing-values Unknown"),
        (colours("-999"), "--missing mean --missing-values -999.0"),
        (colours("NA"), "--keep-values NA"),
        (colours("red").replace("red", "7"), "--missing mean --missing-values 7.0,red"),
    ] {
        let told = said(&table, &table.replace('7', "8"), more);
        assert!(!told.contains("`: no cell of any table") || more.ends_with("red"), "{more} {told}");
        assert!(!told.contains("7.0`: no cell"), "{told}");
    }
}

#[test]
fn marks_that_nobody_sees_do_not_make_another_value() {
    let of = |colour: &dyn Fn(usize) -> &'static str, high: &'static str| {
        table("a,colour,y", 60, |i, a, _| {
            let y = if i % 5 == 0 { class(a).replace("high", high) } else { class(a).into() };
            format!("{a:.1},{},{y}", colour(i))
        })
    };
    let plain = of(&|i| ["red", "blue"][i % 2], "high");
    for unseen in ["hi\u{ad}gh", "h\u{200e}igh", "hig\u{fe0f}h"] {
        let told = said(&of(&|i| ["red", "blue"][i % 2], unseen), &plain, "");
        assert!(told.contains("labels that are the same value are one class"), "{told}");
    }
    for colour in ["re\u{ad}d", "\u{200e}red", "red\u{202c}"] {
        let other = of(&|i| if i % 4 == 0 { colour } else { ["red", "blue"][i % 2] }, "high");
        assert!(!said(&plain, &other, "").contains("occurs in the target only"));
    }
    for colour in ["red*", "red;", "red!", "'red"] {
        let other = of(&|i| if i % 4 == 0 { colour } else { ["red", "blue"][i % 2] }, "high");
        assert!(said(&other, &plain, "").contains("likely to be one value"), "{colour}");
        assert!(said(&plain, &other, "").contains("is likely to be `red`"), "{colour}");
    }
}

#[test]
fn labels_in_another_unit_than_those_learnt_from_are_named() {
    let of = |by: f64, less: f64| {
        table("a,b,y", 60, |_, a, b| format!("{a:.1},{b:.1},{:.4}", by * (a + b / 100.0 - less)))
    };
    let told = "as what is predicted: are they in another unit";
    assert!(
        said_later(&of(1.0, 0.0), &of(1.0, 0.0), &of(100.0, 0.0))
            .contains(&format!("100 times as large {told}"))
    );
    assert!(
        said_later(&of(1.0, 0.0), &of(1.0, 0.0), &of(0.01, 0.0))
            .contains(&format!("100 times as small {told}"))
    );
    assert!(said(&of(1.0, 25.0), &of(1000.0, 25.0), "").contains(&format!("1000 times as large {told}")));
    assert!(!said(&of(1.0, 25.0), &of(1.0, 20.0), "").contains(told));
}
