//! Columns as people have them: options that name them, cells that are missing, values that one side lacks.

use std::path::Path;

use crate::{juyi, text};

/// A call that must succeed; all that it printed.
fn done(folder: &Path, arguments: &str) -> String {
    let output = juyi(folder, arguments);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments}\n{said}");
    said
}

/// A call that must fail; what it printed to standard error.
fn refused(folder: &Path, arguments: &str) -> String {
    let output = juyi(folder, arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments}\n{}{said}", text(&output.stdout));
    said
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

/// Rows of `a`, `b` and the class `y` below this header; `more` is put behind each row.
fn rows(header: &str, count: usize, more: impl Fn(usize) -> String) -> String {
    let row = |i: usize| format!("{}.5,{},{}{}\n", (i * 7) % 11, (i * 3) % 8, ["u", "v"][i % 2], more(i));
    std::iter::once(format!("{header}\n")).chain((0..count).map(row)).collect()
}

const NONE: &str = "transfer --source old.csv --target new.csv --label y --method none --learner ridge";

#[test]
fn predict_fills_missing_cells_or_leaves_rows_out_when_asked() {
    let old = "k,a,b,y\np,1,0,2\nq,3,1,6\nr,5,0,10\ns,7,1,14\n";
    let folder = folder(&[
        ("old.csv", old),
        ("new.csv", "k,a,b\nt,2,0\n"),
        ("later.csv", "k,a,b\nt,4,0\nu,,0\nv,6,1\n"),
        ("holes.csv", "k,a,b\nt,,0\n"),
    ]);
    let folder = folder.path();
    done(folder, &format!("{NONE} --task regression --id k --out run"));
    let said = refused(folder, "predict run later.csv");
    assert!(said.contains("row 2, column `a`: is missing") && said.contains("`--missing mean`"), "{said}");
    let filled = done(folder, "predict run later.csv --missing mean");
    assert!(filled.contains("`later.csv`: 1 missing cells are filled"), "{filled}");
    let cell = |row: &str| filled.lines().find(|line| line.starts_with(row)).expect("a row").to_string();
    // The mean of the source is 4, that of the table would be 5.
    assert_eq!(cell("1,t,").split(',').nth(2), cell("2,u,").split(',').nth(2));
    let dropped = done(folder, "predict run later.csv --missing drop");
    assert!(dropped.contains("`later.csv`: 1 of 3 rows have missing cells and are left out"), "{dropped}");
    let kept: Vec<&str> =
        dropped.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert!(kept.len() == 2 && kept[0].starts_with("1,t,") && kept[1].starts_with("3,v,"), "{dropped}");
    let none = refused(folder, "predict run holes.csv --missing drop");
    assert!(none.contains("every row has a missing cell"), "{none}");
}

#[test]
fn missing_counts_where_the_source_is_a_model() {
    let folder = folder(&[
        ("old.csv", &rows("a,b,y", 40, |_| String::new())),
        ("new.csv", &rows("a,b,y", 30, |_| String::new())),
        ("holes.csv", &(rows("a,b,y", 30, |_| String::new()) + ",1,u\n")),
    ]);
    let folder = folder.path();
    let tables = "transfer --source old.csv --target new.csv --label y --method none --learner logistic";
    done(folder, &format!("{tables} --out run"));
    let models = "transfer --source run --target holes.csv --method none --learner logistic";
    assert!(refused(folder, &format!("{models} --out a")).contains("row 31, column `a`: is missing"));
    let said = done(folder, &format!("{models} --missing drop --out b"));
    assert!(said.contains("1 of 31 rows have missing cells and are left out"), "{said}");
    let said = done(folder, &format!("{models} --missing mean --out c"));
    assert!(said.contains("1 missing cells are filled") && !said.contains("is not used"), "{said}");
    let record = std::fs::read_to_string(folder.join("c/run.json")).expect("a record");
    assert!(record.contains("\"missing\": \"mean\""), "{record}");
    // The new model keeps to it.
    assert!(done(folder, "predict c holes.csv").contains("1 missing cells are filled"));
}
