//! `juyi transfer … --save-weights FILE`.

use std::fmt::Write;
use std::path::Path;

use crate::{juyi, text};

const TRANSFER: &str = "transfer --source s.csv --target t.csv --label y --id name --quiet";

/// Runs a command that must succeed.
fn done(folder: &Path, arguments: &str) -> String {
    let output = juyi(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that must be refused, with these words and without a trace.
fn refused(folder: &Path, arguments: &str, says: &str) {
    let output = juyi(folder, arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
    assert!(said.contains(says) && said.contains("hint: "), "{arguments}: {said}");
    assert!(!folder.join("w.csv").exists() && !folder.join("new").exists(), "{arguments}");
}

/// A folder with two sources and a target; `s.csv` lacks a cell in its third row and a label in its fifth.
fn tables() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let table = |name: &str, mark: &str, rows: usize, shift: f64| {
        let mut out = "name,a,b,y\n".to_string();
        for i in 0..rows {
            let cell = |j: usize| ((i * 37 + j * 11 + i * i * (j + 1)) % 29) as f64 / 9.0 + shift;
            let a = if mark == "s" && i == 2 { String::new() } else { cell(0).to_string() };
            let y = if mark == "s" && i == 4 { "" } else { ["no", "yes"][i % 2] };
            writeln!(out, "{mark}{i},{a},{},{y}", cell(1)).expect("room");
        }
        std::fs::write(folder.path().join(name), out).expect("a file");
    };
    table("s.csv", "s", 30, 0.0);
    table("more.csv", "m", 20, 1.5);
    table("t.csv", "t", 25, 0.3);
    folder
}

/// The lines of a file.
fn lines(folder: &Path, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(name)).expect("a file");
    text.lines().map(str::to_string).collect()
}

fn weight(line: &str) -> f64 {
    line.rsplit(',').next().and_then(|cell| cell.parse().ok()).expect("a number")
}

#[test]
fn the_rows_that_are_learnt_from_are_written_with_their_weights() {
    let folder = tables();
    let folder = folder.path();
    let kmm = format!("{TRANSFER} --missing drop --method kmm");
    done(folder, &format!("{kmm} --out plain"));
    let said = done(folder, &format!("{} --out run --save-weights w.csv", kmm.replace(" --quiet", "")));
    assert!(said.contains("run/run.json, w.csv"), "{said}");
    for name in ["model.safetensors", "predictions.csv"] {
        let bytes = |run: &str| std::fs::read(folder.join(run).join(name)).expect("a file");
        assert!(bytes("plain") == bytes("run"), "{name}");
    }
    let own = lines(folder, "w.csv");
    assert_eq!(own[0], "row,name,weight");
    let starts: Vec<&str> = own[1..].iter().map(|line| &line[..=line.rfind(',').expect("a comma")]).collect();
    let kept = (0..30).filter(|i| ![2, 4].contains(i));
    assert_eq!(starts, kept.map(|i| format!("{},s{i},", i + 1)).collect::<Vec<_>>());
    let mean = own[1..].iter().map(|line| weight(line)).sum::<f64>() / 28.0;
    assert!((mean - 1.0).abs() < 1e-9, "{mean}");

    // Again in the same folder, as Parquet, with a second source, and by a method that boosts.
    let two = kmm.replace("--source s.csv", "--source s.csv --source more.csv");
    done(folder, &format!("{two} --out run --save-weights run/w.csv"));
    let own = lines(folder, "run/w.csv");
    assert_eq!((own[0].as_str(), own.len()), ("source,row,name,weight", 49));
    assert!(own[28].starts_with("s.csv,30,s29,") && own[29].starts_with("more.csv,1,m0,"), "{own:?}");
    done(folder, &format!("{two} --out run --save-weights w.parquet"));
    let bytes = std::fs::read(folder.join("w.parquet")).expect("a file");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let boost = format!("{TRANSFER} --missing drop --method tradaboost --target-labels use");
    done(folder, &format!("{boost} --out run --save-weights w.csv"));
    let own = lines(folder, "w.csv");
    assert!(own.len() == 29 && own[1..].iter().all(|line| weight(line) >= 0.0), "{own:?}");
}

#[test]
fn where_there_are_no_weights_the_option_is_refused() {
    let folder = tables();
    let folder = folder.path();
    let save = "--missing mean --save-weights w.csv --out new";
    for method in ["coral", "none", "sinkhorn"] {
        let says =
            format!("`--save-weights`: weights of source rows are asked for, and `{method}` gives none");
        refused(folder, &format!("{TRANSFER} {save} --method {method}"), &says);
    }
    let chance = std::fs::read_to_string(folder.join("t.csv")).expect("a table");
    let few: Vec<&str> = chance.lines().take(8).collect();
    std::fs::write(folder.join("t.csv"), few.join("\n")).expect("a table");
    let says = "the verdict is `cannot tell`, and `none`, which is chosen, gives none";
    refused(folder, &format!("{TRANSFER} {save}"), says);
    done(folder, &format!("{TRANSFER} --missing mean --method none --out model"));
    let says = "`--save-weights`: weights of source rows are asked for, and the sources are models";
    let from_model = "transfer --source model --target t.csv --method kmm --save-weights w.csv --out new";
    refused(folder, from_model, says);
}

#[test]
fn no_other_file_is_lost_to_the_weights() {
    let folder = tables();
    let folder = folder.path();
    let kmm = format!("{TRANSFER} --missing mean --method kmm --out new");
    let before = std::fs::read(folder.join("s.csv")).expect("a table");
    refused(folder, &format!("{kmm} --save-weights s.csv"), "`s.csv`: is the input `s.csv`");
    assert!(before == std::fs::read(folder.join("s.csv")).expect("a table"));
    for name in ["predictions.csv", "predictions.parquet", "run.json", "manifest.json"] {
        let says = format!("`new/{name}`: is the name of another file of the run");
        refused(folder, &format!("{kmm} --save-weights new/{name}"), &says);
        refused(folder, &format!("{kmm} --save-weights new/../new/{name}"), "is the name of another file");
    }
    refused(folder, &format!("{kmm} --save-weights ."), "`.`: is a folder, not a file");
    done(folder, &kmm.replace("--out new", "--out old"));
    let says = "`old/run.json`: belongs to a run, and nothing else may be written there";
    refused(folder, &format!("{kmm} --save-weights old/run.json"), says);
    let table = std::fs::read_to_string(folder.join("s.csv")).expect("a table").replace("name,", "weight,");
    std::fs::write(folder.join("s.csv"), table).expect("a table");
    let own = kmm.replace("--id name", "--id weight");
    let says = "`--id weight`: is what the weights call a column of theirs";
    refused(folder, &format!("{own} --save-weights w.csv"), says);
}
