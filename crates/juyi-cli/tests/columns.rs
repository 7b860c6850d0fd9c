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
    assert!(said.contains("line 3, column `a`: is missing") && said.contains("`--missing mean`"), "{said}");
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
    assert!(refused(folder, &format!("{models} --out a")).contains("line 32, column `a`: is missing"));
    let said = done(folder, &format!("{models} --missing drop --out b"));
    assert!(said.contains("1 of 31 rows have missing cells and are left out"), "{said}");
    let said = done(folder, &format!("{models} --missing mean --out c"));
    assert!(said.contains("1 missing cells are filled") && !said.contains("is not used"), "{said}");
    let record = std::fs::read_to_string(folder.join("c/run.json")).expect("a record");
    assert!(record.contains("\"missing\": \"mean\""), "{record}");
    // The new model keeps to it.
    assert!(done(folder, "predict c holes.csv").contains("1 missing cells are filled"));
}

/// Cells that cannot be read as they are, below the name of a column.
const BROKEN: [&str; 4] = ["inf", "12 or 13", "1.5x", "-inf"];

#[test]
fn a_column_that_is_dropped_need_not_be_sound() {
    let broken = |i: usize| format!(",{}", BROKEN[i % 4]);
    let files = folder(&[
        ("old.csv", &rows("a,b,y,c", 40, broken)),
        ("new.csv", &rows("a,b,y,c", 30, |_| ",1".into())),
    ]);
    let folder = files.path();
    let none = "transfer --source old.csv --target new.csv --label y --method none --learner logistic";
    assert!(refused(folder, &format!("{none} --out no")).contains("`c`"));
    done(folder, &format!("{none} --drop c --out run"));
    // The same as without the column, byte for byte.
    std::fs::write(folder.join("old.csv"), rows("a,b,y", 40, |_| String::new())).expect("a file");
    std::fs::write(folder.join("new.csv"), rows("a,b,y", 30, |_| String::new())).expect("a file");
    done(folder, &format!("{none} --out plain"));
    for file in ["model.safetensors", "predictions.csv"] {
        let bytes = |run: &str| std::fs::read(folder.join(run).join(file)).expect("a file");
        assert!(bytes("run") == bytes("plain"), "{file}");
    }
    // Bytes that are no text, in that column only; a column of one table only; a name that is there twice.
    let mut bytes = b"a,b,y,c\n".to_vec();
    (0..40).for_each(|i| {
        bytes.extend(format!("{}.5,{},{},", i % 11, i % 8, ["u", "v"][i % 2]).bytes().chain(*b"\xff\xe9x\n"));
    });
    std::fs::write(folder.join("old.csv"), &bytes).expect("a file");
    done(folder, &format!("{none} --drop c --out bytes"));
    std::fs::write(folder.join("old.csv"), rows("a,b,y,c,c", 40, |_| ",1,2".into())).expect("a file");
    let twice = refused(folder, &format!("{none} --out twice"));
    assert!(twice.contains("`old.csv`: has two columns named `c`") && twice.contains("`--drop`"), "{twice}");
    done(folder, &format!("{none} --drop c --out twice"));
    assert!(
        refused(folder, &format!("{none} --drop c --drop nosuch --out no"))
            .contains("unknown column `nosuch`")
    );
    done(folder, "measure --source old.csv --target new.csv --label y --drop c");
}

#[test]
fn identifiers_may_be_of_any_kind() {
    let files = folder(&[
        ("old.csv", &rows("a,b,y,k", 40, |i| format!(",{i}"))),
        ("new.csv", &rows("a,b,y,k", 30, |i| [",inf", ",7", ",x 9", ",", ",007"][i % 5].into())),
    ]);
    let folder = files.path();
    done(
        folder,
        "transfer --source old.csv --target new.csv --label y --id k --method none --learner logistic --out run",
    );
    let written = std::fs::read_to_string(folder.join("run/predictions.csv")).expect("predictions");
    let ids: Vec<&str> = written.lines().skip(1).take(5).filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(ids, ["inf", "7", "x 9", "", "007"]);
}

#[test]
fn predict_looks_at_no_column_that_the_model_does_not_need() {
    let files = folder(&[
        ("old.csv", &rows("a,b,y", 40, |_| String::new())),
        ("new.csv", &rows("a,b,y", 30, |_| String::new())),
        ("more.csv", "extra,a,b,extra,y\ninf,1,2,x,inf\nnone,3,4,7,\n"),
        ("plain.csv", "a,b\n1,2\n3,4\n"),
    ]);
    let folder = files.path();
    done(
        folder,
        "transfer --source old.csv --target new.csv --label y --method none --learner logistic --out run",
    );
    assert_eq!(done(folder, "predict run more.csv"), done(folder, "predict run plain.csv"));
    let models = "transfer --source run --method none --learner logistic --target";
    done(folder, &format!("{models} more.csv --label none --out a"));
}

#[test]
fn a_name_that_is_nearly_right_gets_a_suggestion() {
    let files = folder(&[
        ("old.csv", &rows("light,b,y", 40, |_| String::new())),
        ("new.csv", &rows("Light,b,y", 30, |_| String::new())),
        ("gap.csv", &rows("li\u{200b}ght,b,y", 30, |_| String::new())),
    ]);
    let folder = files.path();
    let none = "transfer --source old.csv --label y --method none --learner logistic --out run --target";
    let said = refused(folder, &format!("{none} new.csv"));
    assert!(said.contains("`new.csv`: has no column `light`, which `old.csv` has"), "{said}");
    assert!(
        said.contains("did you mean `Light` (it differs in case only)? `--rename \"Light=light\"`"),
        "{said}"
    );
    assert!(refused(folder, &format!("{none} gap.csv")).contains("(it differs in blanks only)"));
    done(folder, &format!("{none} new.csv --rename Light=light"));
    let said = refused(folder, "predict run new.csv");
    assert!(said.contains("which the model needs") && said.contains("`--rename \"Light=light\"`"), "{said}");
    done(folder, "predict run new.csv --rename Light=light");
    done(folder, "measure --source old.csv --target new.csv --label y --rename Light=light");
    let said = refused(folder, "predict run new.csv --rename Lihgt=light");
    assert!(said.contains("unknown column `Lihgt`") && said.contains("did you mean `Light`?"), "{said}");
    assert!(
        refused(folder, &format!("{none} new.csv --rename Light=b")).contains("has columns `Light` and `b`")
    );
    assert!(refused(folder, &format!("{none} new.csv --rename Light")).contains("--rename OLD=NEW"));
    assert!(refused(folder, "measure --rename Light=light").contains("unknown column `Light`"));
    let said =
        refused(folder, &none.replace("--label y", "--label Y").replace("--target", "--target new.csv"));
    assert!(said.contains("did you mean `y`? it differs in case only"), "{said}");
}

#[test]
fn truths_and_values_of_one_table_only_are_told() {
    let truth = |i: usize| [",True,Bonn", ",False,Berlin"][i % 3 % 2].to_string();
    let bits = |i: usize| [",1,bonn", ",0,Oslo"][i % 3 % 2].to_string();
    let files = folder(&[
        ("old.csv", &rows("a,b,y,t,c", 40, truth)),
        ("new.csv", &rows("a,b,y,t,c", 30, bits)),
        ("later.csv", "a,b,t,c\n1,2,TRUE,Rom\n1,3,FALSE,Rom\n"),
    ]);
    let folder = files.path();
    let said = done(
        folder,
        "transfer --source old.csv --target new.csv --label y --method none --learner logistic --out run",
    );
    assert!(
        said.contains("column `t` is true and false in one table and 1 and 0 in another: read as 1 and 0"),
        "{said}"
    );
    assert!(
        said.contains("column `c`: value `Oslo`, `bonn` occurs in the target only (30 of 30 rows)"),
        "{said}"
    );
    assert!(said.contains("`bonn` is likely to be `Bonn`"), "{said}");
    let said = done(folder, "predict run later.csv");
    assert!(
        said.contains("column `t` is true and false in `later.csv` and a number for the model"),
        "{said}"
    );
    assert!(said.contains("`Rom` was not there at the fit and counts as none (2 of 2 rows)"), "{said}");
}

#[test]
fn sentinels_are_named_and_stray_words_get_the_fix() {
    let cell = |i: usize| if i.is_multiple_of(9) { ",-999".into() } else { format!(",{}", i % 7) };
    let files = folder(&[
        ("old.csv", &rows("a,b,y,t", 40, cell)),
        ("new.csv", &rows("a,b,y,t", 30, |i| format!(",{}", i % 7))),
        (
            "stray.csv",
            &rows("a,b,y,t", 30, |i| if i == 3 { ",none yet".into() } else { format!(",{}", i % 7) }),
        ),
    ]);
    let folder = files.path();
    let none = "transfer --source old.csv --label y --method none --learner logistic --out run --target";
    let said = done(folder, &format!("{none} new.csv"));
    assert!(said.contains("column `t`: -999 stands in 5 cells, far from all other values"), "{said}");
    let said = refused(folder, &format!("{none} stray.csv"));
    assert!(said.contains("column `t`: `none yet` stands where the other cells are numbers"), "{said}");
    assert!(said.contains("`--missing-values \"none yet\"`"), "{said}");
}

#[test]
fn the_same_values_in_another_spelling_have_not_moved() {
    let files = folder(&[
        ("old.csv", &rows("a,b,y,t", 60, |i| [",True", ",False"][i % 3 % 2].into())),
        ("new.csv", &rows("a,b,y,t", 60, |i| [",TRUE", ",FALSE"][i % 3 % 2].into())),
    ]);
    let said = done(files.path(), "measure --source old.csv --target new.csv --label y");
    assert!(said.contains("0 of 3 columns moved"), "{said}");
}

#[test]
fn numbers_with_a_unit_and_dates_among_numbers_are_said_to_be() {
    let weights = rows("a,b,y,c", 60, |i| format!(",{}.{} kg", 10 + i % 40, i % 10));
    let serial = rows("a,b,y,c", 60, |i| format!(",{}", 45_000 + i * 7 % 60));
    let dates = rows("a,b,y,c", 60, |i| format!(",2024-{:02}-{:02}", i % 12 + 1, i % 28 + 1));
    let folder = folder(&[("kg.csv", &weights), ("serial.csv", &serial), ("dates.csv", &dates)]);
    let arguments = "transfer --source kg.csv --target kg.csv --label y --method none --out run";
    let output = juyi(folder.path(), arguments);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(said.contains("`10.0 kg` and `11.1 kg` look like numbers with a unit"), "{said}");
    let said = refused(
        folder.path(),
        "transfer --source serial.csv --target dates.csv --label y --method none --out again",
    );
    assert!(
        said.contains("these are dates, and numbers elsewhere") && !said.contains("missing-values"),
        "{said}"
    );
}

#[test]
fn predict_refuses_another_currency_than_that_of_the_fit() {
    let amounts = |sign: &str| rows("a,b,y,c", 40, |i| format!(",{sign}{}.50", 10 + i));
    let [dollars, euros] = ["$", "€"].map(amounts);
    let folder = folder(&[("old.csv", &dollars), ("new.csv", &dollars), ("euros.csv", &euros)]);
    done(folder.path(), "transfer --source old.csv --target new.csv --label y --method none --out run");
    done(folder.path(), "predict run new.csv --out p.csv");
    let said = refused(folder.path(), "predict run euros.csv --out p.csv");
    assert!(
        said.contains("`euros.csv`, column `c`: is in `€`, and the column that the model learnt from in `$`"),
        "{said}"
    );
}
