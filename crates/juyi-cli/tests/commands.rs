//! The commands as a user types them: what they print, what they leave, how they exit.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{juyi, text};

/// Two classes in two columns; `offset` moves the rows, `flip` gives every other row the wrong class.
fn table(rows: usize, offset: f64, flip: bool) -> String {
    let line = |i: usize| {
        let class = i % 2;
        let noise = |k: usize| f64::from(((i * k) % 97) as u32) / 97.0;
        let at = 3.0 * class as f64 + offset;
        let said = if flip && i % 4 < 2 { 1 - class } else { class };
        format!("{},{},{}\n", at + noise(31), noise(57) - at, ["poor", "good"][said])
    };
    std::iter::once("a,b,grade\n".to_string()).chain((0..rows).map(line)).collect()
}

fn pair(folder: &Path, offset: f64, flip: bool) {
    std::fs::write(folder.join("old.csv"), table(240, 0.0, flip)).expect("a file");
    std::fs::write(folder.join("new.csv"), table(200, offset, false)).expect("a file");
}

#[test]
fn strict_turns_a_no_into_exit_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = "transfer --source old.csv --target new.csv --label grade --strict --out run";
    pair(folder.path(), 2.5, false);
    let done = juyi(folder.path(), command);
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stdout), text(&done.stderr));
    assert!(text(&done.stdout).contains("verdict       transfer: estimated gain +"));
    pair(folder.path(), 2.5, true);
    let done = juyi(folder.path(), command);
    assert_eq!(done.status.code(), Some(1), "{}{}", text(&done.stdout), text(&done.stderr));
    assert!(text(&done.stdout).contains("the model that is written does not transfer"));
    // A named method is judged too.
    let named = juyi(folder.path(), &format!("{command} --method coral --json"));
    assert_eq!(named.status.code(), Some(1));
    let run: serde_json::Value = serde_json::from_slice(&named.stdout).expect("JSON");
    assert_eq!((&run["chosen"]["method"], &run["refused"]["method"]), (&"none".into(), &"coral".into()));
}

/// A model is carried over to a table whose classes lie elsewhere, without its rows.
#[test]
fn a_run_is_the_source_of_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    pair(folder.path(), 2.5, false);
    let first = juyi(
        folder.path(),
        "transfer --source old.csv --target new.csv --label grade --method none --out old-run --quiet",
    );
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    std::fs::remove_file(folder.path().join("old.csv")).expect("the rows are gone");
    let table = table(200, 2.5, false);
    let lines = table.lines().enumerate().map(|(i, line)| match line.rsplit_once(',') {
        Some((cells, _)) if i > 60 => format!("{cells},\n"),
        _ => format!("{line}\n"),
    });
    std::fs::write(folder.path().join("some.csv"), lines.collect::<String>()).expect("a file");
    let next = juyi(
        folder.path(),
        "transfer --source old-run/ --target some.csv --target-labels use --out next-run",
    );
    let said = text(&next.stdout);
    assert_eq!(next.status.code(), Some(0), "{}", text(&next.stderr));
    assert!(said.contains("old-run/; a model, its rows are not needed: none, learner logistic"), "{said}");
    assert!(said.contains("validated on 60 labelled target rows"), "{said}");
    let right = |run: &str| {
        let scored = juyi(folder.path(), &format!("predict {run} new.csv --label grade --out p.csv"));
        let said = text(&scored.stdout);
        let accuracy = said.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
        accuracy.unwrap_or_else(|| panic!("{said}{}", text(&scored.stderr)))
    };
    assert!(right("next-run") > right("old-run") + 20.0);
    let page = std::fs::read_to_string(folder.path().join("next-run/report.html")).expect("the page");
    assert!(page.contains("Estimated on 60 labelled target rows"));
}

#[test]
fn drawn_tables_come_with_their_answer_and_repeat() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in ["covariate", "label", "conditional", "subspace"] {
        let draw = |out: &str| {
            let done = juyi(folder.path(), &format!("data shift {kind} --rows 60 --classes 3 --out {out}"));
            assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
            ["source.csv", "target.csv", "answer.json"]
                .map(|file| std::fs::read(folder.path().join(out).join(file)).expect("a file"))
        };
        let first = draw("first");
        assert_eq!(first, draw("second"));
        let answer: serde_json::Value = serde_json::from_slice(&first[2]).expect("JSON");
        assert_eq!(answer["shift"], kind);
        assert_eq!(text(&first[0]).lines().next(), Some("x1,x2,x3,x4,y"));
        let run = juyi(
            folder.path(),
            "transfer --source first/source.csv --target first/target.csv --label y --method none",
        );
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    }
}

#[test]
fn a_few_rows_get_predictions_but_no_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("old.csv"), table(4, 0.0, false)).expect("a file");
    std::fs::write(folder.path().join("new.csv"), table(1, 0.0, false)).expect("a file");
    let done = juyi(folder.path(), "transfer --source old.csv --target new.csv --label grade");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    assert!(said.contains("cannot tell") && said.contains("at least 10 rows"), "{said}");
    for name in ["report.html", "run.json", "model.safetensors", "predictions.csv"] {
        assert!(folder.path().join("run").join(name).is_file(), "{name}");
    }
}

#[test]
fn distances_are_measured_and_columns_named() {
    let folder = tempfile::tempdir().expect("a folder");
    pair(folder.path(), 2.0, false);
    let done = juyi(folder.path(), "measure --source old.csv --target new.csv --label grade");
    let said = text(&done.stdout);
    assert!(said.contains("MMD² (unbiased)") && said.contains("2 of 2 columns moved"), "{said}");
    assert!(!said.contains("grade"));
    let done = juyi(folder.path(), "measure --source old.csv --target old.csv --label grade --json");
    let same: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(same["moved"][0]["distance"], 0.0);
    let no = juyi(folder.path(), "measure --source old.csv --target new.csv --label nope");
    assert_eq!(no.status.code(), Some(2));
    assert!(text(&no.stderr).contains("`nope`"));
}

#[test]
fn completions_and_man_pages_come_from_the_flags() {
    let folder = Path::new(".");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = juyi(folder, &format!("completions {shell}"));
        assert!(text(&done.stdout).contains("target-labels"), "{shell}");
    }
    let page = text(&juyi(folder, "man transfer").stdout);
    assert!(page.contains(".TH juyi-transfer 1") && page.contains("\\-\\-strict"), "{page}");
    assert!(text(&juyi(folder, "man").stdout).contains("measure"));
    assert_eq!(juyi(folder, "man nothing").status.code(), Some(2));
}

/// The parts of a run folder are there together or not at all, and no part is cut off.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_no_half_written_file() {
    for delay in [300, 900, 1500, 2100] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut running = Command::new(env!("CARGO_BIN_EXE_juyi"))
            .args(["transfer", "--out", "run", "--method", "tca"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        std::thread::sleep(Duration::from_millis(delay));
        let sent = Command::new("kill").args(["-INT", &running.id().to_string()]).status();
        assert!(sent.is_ok());
        let ended = running.wait().expect("it ends");
        assert!(matches!(ended.code(), Some(130 | 0)), "{ended:?}");
        let Ok(left) = std::fs::read_dir(folder.path().join("run")) else { continue };
        let mut names: Vec<String> =
            left.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        if !names.is_empty() {
            assert_eq!(
                names,
                ["manifest.json", "model.safetensors", "predictions.csv", "report.html", "run.json"]
            );
        }
    }
}
