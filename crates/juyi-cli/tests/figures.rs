//! The figure that is judged by and compared, and the time that a choice may take.

use std::fmt::Write;
use std::path::Path;

use crate::{juyi, text};

/// Two clumps a class; the target's columns are in another unit and lie elsewhere.
fn tables(folder: &Path) {
    let table = |factor: f64, by: f64, numbers: bool| {
        let mut table = String::from("a,b,c,y\n");
        for i in 0..120usize {
            let class = usize::from(i % 4 == 0);
            let noise = |k: usize| ((i * 37 + k * 61) % 101) as f64 / 50.0 - 1.0;
            let x = [3.0 * class as f64 + noise(1), noise(2), noise(3)];
            let y =
                if numbers { format!("{:.3}", 2.0 * x[0] + noise(4)) } else { ["low", "high"][class].into() };
            let cell = |k: usize| factor * x[k] + by;
            writeln!(table, "{:.4},{:.4},{:.4},{y}", cell(0), cell(1), cell(2)).expect("memory");
        }
        table
    };
    for (name, factor, by, numbers) in [
        ("old.csv", 1.0, 0.0, false),
        ("new.csv", 2.5, 4.0, false),
        ("old-numbers.csv", 1.0, 0.0, true),
        ("new-numbers.csv", 2.5, 4.0, true),
    ] {
        std::fs::write(folder.join(name), table(factor, by, numbers)).expect("a table");
    }
}

#[test]
fn a_figure_judges_labelled_rows_and_names_what_is_gained() {
    let folder = tempfile::tempdir().expect("a folder");
    tables(folder.path());
    let done = |command: &str| {
        let done = juyi(folder.path(), command);
        assert!(done.status.success(), "{command}: {}", text(&done.stderr));
        text(&done.stdout)
    };
    let (classes, numbers) = (
        "transfer --source old.csv --target new.csv --label y",
        "transfer --source old-numbers.csv --target new-numbers.csv --label y",
    );
    let judged = done(&format!("{classes} --target-labels use --figure auc --out judged"));
    assert!(judged.contains("points of AUC (95 %: "), "{judged}");
    let judged = done(&format!("{numbers} --target-labels use --figure rmse --out errors"));
    assert!(judged.contains("taken off the RMSE (95 %: "), "{judged}");
    let page = std::fs::read_to_string(folder.path().join("errors/report.html")).expect("a page");
    assert!(page.contains(">RMSE<") && page.contains(">taken off the RMSE<"));
    // Without labels the figure decides nothing, and says so; scores and what is compared are by it all the same.
    let free = done(&format!("{classes} --assume rescaled --figure f1 --out free"));
    assert!(
        free.contains("estimates are of accuracy, and the verdict rests on them: macro-F1 decides nothing"),
        "{free}"
    );
    assert!(free.contains("points of accuracy (95 %: ") && free.contains("points of macro-F1"), "{free}");
    assert!(free.contains("macro-F1 than not transferring"), "{free}");
    let named = done(&format!("{classes} --method coral --figure auc --out named"));
    assert!(named.contains("   AUC ") && named.contains("AUC than not transferring"), "{named}");
    let named = done(&format!("{numbers} --method coral --figure mae --out named --quiet"));
    assert_eq!(named, "");
    for (command, says) in [
        (
            format!("{classes} --figure rmse"),
            "`--figure rmse`: is a figure of numbers, and the labels are classes",
        ),
        (
            format!("{numbers} --figure f1"),
            "`--figure f1`: is a figure of classes, and the labels are numbers",
        ),
        (format!("{classes} --figure r2"), "invalid value 'r2' for '--figure <FIGURE>'"),
    ] {
        let refused = juyi(folder.path(), &(command.clone() + " --out no"));
        assert_eq!(refused.status.code(), Some(2), "{command}");
        assert!(text(&refused.stderr).contains(says), "{command}: {}", text(&refused.stderr));
        assert!(!folder.path().join("no").exists(), "{command}");
    }
}

#[test]
fn a_budget_leaves_out_what_is_not_begun_and_changes_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    tables(folder.path());
    let run = |more: &str| {
        let tables = "transfer --source old.csv --target new.csv --label y --assume rescaled";
        juyi(folder.path(), &format!("{tables} {more}"))
    };
    let spent = text(&run("--budget 0 --out spent").stdout);
    assert!(spent.contains("verdict       cannot tell"), "{spent}");
    assert!(
        spent.contains("No candidate could be fitted: the budget of 0 s was spent before it was begun."),
        "{spent}"
    );
    assert!(spent.contains("warning       validation: the budget of 0 s was spent before "), "{spent}");
    assert_eq!(run("--budget 0 --strict --out strict").status.code(), Some(1));
    assert!(run("--out free").status.success() && run("--budget 1e6 --out bound").status.success());
    let bytes =
        |run: &str| std::fs::read(folder.path().join(run).join("model.safetensors")).expect("a model");
    assert!(bytes("free") == bytes("bound"));
    // What is asked for by name is judged by the votes of the rest.
    let named = text(&run("--method coral --strict --budget 0 --out named").stdout);
    assert!(
        named.contains("spent before 14 of 15 candidates were begun")
            && named.contains("standardize-each (6)"),
        "{named}"
    );
    for (more, says) in [
        ("--budget -1", "`-1` is no time: give seconds, 0 or above"),
        ("--budget soon", "`soon` is not a number of seconds"),
        (
            "--budget 1 --method coral",
            "`--budget`: is for the choice among methods, and `coral` is asked for",
        ),
    ] {
        let refused = run(more);
        assert_eq!(refused.status.code(), Some(2), "{more}");
        assert!(text(&refused.stderr).contains(says), "{more}: {}", text(&refused.stderr));
    }
}
