//! Rows to label, and labels that were filled in.

use std::fmt::Write;
use std::path::Path;

use crate::{juyi, text};

/// Two clumps a class; the target's lie one higher.
fn tables(folder: &Path) {
    let row = |i: usize, by: f64| {
        let class = i % 2;
        let noise = |k: usize| ((i * 37 + k * 61) % 101) as f64 / 50.0 - 1.0;
        (3.0 * class as f64 + noise(1) + by, noise(2), ["low", "high"][class])
    };
    let write = |name: &str, by: f64, labelled: bool| {
        let line = |i: usize| {
            let (a, b, class) = row(i, by);
            let end = if labelled { format!(",{class}") } else { String::new() };
            format!("r{i},{a:.3},{b:.3}{end}\n")
        };
        let head = if labelled { "id,a,b,y\n" } else { "id,a,b\n" };
        let rows: String = (0..80).map(line).collect();
        std::fs::write(folder.join(name), head.to_string() + &rows).expect("a table");
    };
    write("old.csv", 0.0, true);
    write("new.csv", 1.0, false);
    write("truth.csv", 1.0, true);
}

#[test]
fn rows_to_label_are_written_filled_in_and_learnt_from() {
    let folder = tempfile::tempdir().expect("a folder");
    tables(folder.path());
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let done = |command: &str| {
        let done = juyi(folder.path(), command);
        assert!(done.status.success(), "{command}: {}", text(&done.stderr));
        text(&done.stdout)
    };
    let transfer = "transfer --source old.csv --target new.csv --label y --id id";
    done(&format!("{transfer} --out run"));
    let said = done("label run --count 12");
    assert!(said.contains("12 of 80 rows written to label.csv: fill in `y`"), "{said}");
    let asked = read("label.csv");
    assert_eq!(asked.lines().next(), Some("row,y,id,a,b"));
    assert_eq!(asked.lines().count(), 13);
    done("label run new.csv --count 12 --out again.csv");
    assert_eq!(asked, read("again.csv"));
    // Each line is that of its number in the table.
    let table = read("new.csv");
    let mut filled = String::from("row,y,id,a,b\n");
    for line in asked.lines().skip(1) {
        let (row, rest) = line.split_once(",,").expect("an empty label");
        let row: usize = row.parse().expect("a number");
        let cells: Vec<f64> = rest.split(',').skip(1).map(|cell| cell.parse().expect("a number")).collect();
        let (id, _) = rest.split_once(',').expect("cells");
        assert!(table.lines().nth(row).expect("a row").starts_with(&format!("{id},")), "{line}");
        let class = if cells[0] > 2.5 { "high" } else { "low" };
        writeln!(filled, "{row},{class},{rest}").expect("memory");
    }
    std::fs::write(folder.path().join("filled.csv"), &filled).expect("a table");
    let out = done(&format!("{transfer} --labels filled.csv --out with"));
    assert!(out.contains("12 labelled"), "{out}");
    // Rows that have a label are not asked for again, and what was filled in is not written over.
    done("label run --labels filled.csv --count 12 --out more.csv");
    let asked_before: Vec<&str> = filled.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let more = read("more.csv");
    assert!(more.lines().skip(1).all(|line| !asked_before.contains(&line.split(',').next().unwrap_or(""))));
    let moved = filled.replacen('\n', "\n1", 1); // the first row under another number
    std::fs::write(folder.path().join("moved.csv"), moved).expect("a table");
    for (command, says) in [
        ("label run --out filled.csv".into(), "`filled.csv`: has 12 labels that were filled in"),
        ("label run --out old.csv".into(), "old.csv"),
        ("label run --out ask.parquet".into(), "does not end in .csv"),
        (format!("{transfer} --labels moved.csv --out no"), "`moved.csv`, line 2: "),
        (format!("{transfer} --labels old.csv --out no"), "`old.csv`: has no column `row`"),
        (format!("{transfer} --labels label.csv --out no"), "has no filled cell in column `y`"),
        ("label run --count 0".into(), "`--count`: is 0"),
        ("label run truth.csv --out no.csv".into(), "has no row without a label"),
        ("label run gone.csv --out no.csv".into(), "gone.csv"),
        ("label run --out new.csv".into(), "new.csv"),
    ] {
        let refused = juyi(folder.path(), &command);
        assert_eq!(refused.status.code(), Some(2), "{command}");
        assert!(text(&refused.stderr).contains(says), "{command}: {}", text(&refused.stderr));
    }
    assert_eq!(table, read("new.csv"));
    assert!(!folder.path().join("no").exists() && !folder.path().join("no.csv").exists());
}

#[test]
fn a_slip_in_a_filled_in_label_is_named_where_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    tables(folder.path());
    let path = |name: &str| folder.path().join(name);
    for name in ["old.csv", "new.csv"] {
        // A column of the table has the name that ours has elsewhere.
        let table = std::fs::read_to_string(path(name)).expect("a table");
        std::fs::write(path(name), table.replacen(",b", ",row", 1)).expect("a table");
    }
    let transfer = "transfer --source old.csv --target new.csv --label y --id id";
    assert!(juyi(folder.path(), &format!("{transfer} --out run")).status.success());
    let done = juyi(folder.path(), "label run --count 12");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let asked = std::fs::read_to_string(path("label.csv")).expect("a table");
    assert_eq!(asked.lines().next(), Some("row_number,y,id,a,row"));
    let filled = |slip: &str| {
        let line = |(k, line): (usize, &str)| {
            let label = if k == 4 { slip } else { ["low", "high"][k % 2] };
            line.replacen(",,", &format!(",{label},"), 1) + "\n"
        };
        let head = "row_number,y,id,a,row\n".to_string();
        head + &asked.lines().skip(1).enumerate().map(line).collect::<String>()
    };
    let with = |slip: &str| {
        std::fs::write(path("filled.csv"), filled(slip)).expect("a table");
        juyi(folder.path(), &format!("{transfer} --labels filled.csv --out with"))
    };
    assert!(with("low").status.success());
    let refused = text(&with("Hihg").stderr);
    assert!(
        refused.contains("`filled.csv`, line 6, column `y`: label `Hihg` is no class that the source knows"),
        "{refused}"
    );
    assert!(refused.contains("did you mean `high`?"), "{refused}");
    let warned = text(&with("unheard-of").stdout);
    let said = "`filled.csv`, line 6, column `y`: label `unheard-of` is no class that the source knows, and is one more";
    assert!(warned.contains(said), "{warned}");
    // What is said of source rows is refused where the sources are models.
    for more in [
        "--single",
        "--single --validator entropy",
        "--vote importance-weighted-aggregation",
        "--assume rescaled",
    ] {
        let refused =
            juyi(folder.path(), &format!("transfer --source run --target new.csv --label y {more} --out no"));
        assert_eq!(refused.status.code(), Some(2), "{more}");
        let said = text(&refused.stderr);
        assert!(said.contains("is for sources that are tables, and these are models: "), "{more}: {said}");
    }
}

#[test]
fn labels_that_are_all_equal_leave_r2_unscored() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = |equal: bool| {
        let row = |i: usize| format!("{},{},{}\n", i % 13, i % 7, if equal { 2.5 } else { i as f64 / 8.0 });
        "a,b,y\n".to_string() + &(0..60).map(row).collect::<String>()
    };
    std::fs::write(folder.path().join("old.csv"), table(false)).expect("a table");
    std::fs::write(folder.path().join("new.csv"), table(true)).expect("a table");
    let done = juyi(folder.path(), "transfer --source old.csv --target new.csv --label y --method coral");
    let said = text(&done.stdout);
    assert!(
        said.contains("R² cannot be scored: all true labels are equal") && !said.contains("NaN"),
        "{said}"
    );
}
