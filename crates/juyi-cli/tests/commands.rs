//! The commands as a user types them: what they print, what they leave, how they exit.

use std::collections::BTreeMap;
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
    // Columns that are unrelated: whether units or rows moved only the user knows.
    let command =
        "transfer --source old.csv --target new.csv --label grade --assume rescaled --strict --out run";
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
    assert_eq!(
        (&run["transfer"]["chosen"]["method"], &run["transfer"]["refused"]["method"]),
        (&"plain-vote".into(), &"coral".into())
    );
}

/// A label with a value of its own for most rows is fitted all the same, but not without a word before the work begins.
#[test]
fn a_label_that_looks_like_an_identifier_is_said_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<String> = (0..240).map(|i| format!("{},{},name {}", i % 7, i % 11, i * i % 200)).collect();
    let rows = rows.join("\n");
    std::fs::write(folder.path().join("old.csv"), format!("a,b,name\n{rows}")).expect("a file");
    std::fs::write(folder.path().join("new.csv"), format!("a,b,name\n{rows}")).expect("a file");
    let command = "transfer --source old.csv --target new.csv --label name --method none --learner 1-nn --quiet --out run";
    let few = juyi(folder.path(), command);
    assert_eq!((few.status.code(), text(&few.stderr)), (Some(0), String::new()));
    let all = std::fs::read_to_string(folder.path().join("old.csv")).expect("a table");
    let apart = all
        .lines()
        .enumerate()
        .map(|(i, line)| if i == 0 { format!("{line}\n") } else { format!("{line} {i}\n") });
    std::fs::write(folder.path().join("old.csv"), apart.collect::<String>()).expect("a file");
    std::fs::write(folder.path().join("new.csv"), "a,b\n1,2\n3,4\n5,6\n").expect("a file");
    let many = juyi(folder.path(), command);
    assert_eq!(many.status.code(), Some(0), "{}", text(&many.stderr));
    let said = "warning: column `name` has 240 different values in 240 rows and looks like an identifier";
    assert!(text(&many.stderr).starts_with(said), "{}", text(&many.stderr));
    assert!(text(&many.stderr).contains("--label") && text(&many.stderr).contains("--task regression"));
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
        let accuracy = said.split_whitespace().skip_while(|word| *word != "accuracy").nth(1);
        let accuracy = accuracy.and_then(|number| number.parse::<f64>().ok());
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
    assert!(said.contains(": clearly different") || said.contains(": no overlap"), "{said}");
    assert!(!said.contains("grade"));
    let done = juyi(folder.path(), "measure --source old.csv --target old.csv --label grade --json");
    let same: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(same["moved"][0]["distance"], 0.0);
    let no = juyi(folder.path(), "measure --source old.csv --target new.csv --label nope");
    assert_eq!(no.status.code(), Some(2));
    assert!(text(&no.stderr).contains("`nope`"));
}

/// No column of labels need be named for a measure that makes no use of it; one that does says so.
#[test]
fn measures_by_name_use_labels_where_they_need_them() {
    let folder = tempfile::tempdir().expect("a folder");
    pair(folder.path(), 2.0, false);
    let by = |name: &str, label: &str| {
        juyi(folder.path(), &format!("measure --source old.csv --target new.csv --by {name} {label}"))
    };
    for name in ["energy-distance", "coral-distance", "random-features-mmd", "source-diversity"] {
        let done = by(name, "");
        assert!(done.status.success(), "{name}: {}", text(&done.stderr));
    }
    for name in ["ben-david-bound", "label-shift", "conditional-discrepancy", "loss-split"] {
        let refused = by(name, "");
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(&format!("`{name}` needs the labels of the source")));
        let done = by(name, "--label grade");
        assert!(done.status.success(), "{name}: {}", text(&done.stderr));
    }
    assert!(text(&by("source-diversity", "--label grade").stdout).contains("effective classes"));
}

/// Names that hold escapes, in columns, classes and files, through everything that is meant for people.
#[cfg(unix)]
#[test]
fn names_never_act_on_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |i: usize| format!("{i},{},\u{1b}[32mc{}\n", i * i % 17, i % 2);
    let rows: String = (1..=40).map(line).collect();
    let table = format!("a,\"\u{1b}]0;title\u{7}a\u{1b}[2J\nverdict\u{202e}\u{9b}1m\",y\n{rows}");
    let (old, new) = ("o\u{1b}[31m.csv", "n\u{1b}[31m\n.csv");
    for name in [old, new] {
        std::fs::write(folder.path().join(name), &table).expect("a file");
    }
    let transfer =
        ["transfer", "--source", old, "--target", new, "--label", "y", "--method", "none", "--id", "a"];
    let calls: [&[&str]; 8] = [
        &transfer,
        &["measure", "--source", old, "--target", new, "--label", "y"],
        &["predict", "run", new, "--label", "y", "--out", "p\u{1b}.csv"],
        &["predict", "run", "none\u{1b}.csv"],
        &["report", "run"],
        &["report", "r\u{1b}[31m"],
        &["transfer", "--source", old, "--target", new, "--label", "\u{1b}[31m"],
        &["\u{1b}[31m"],
    ];
    for call in calls {
        let done = crate::command(folder.path(), "").args(call).output().expect("the binary starts");
        let said = text(&done.stdout) + &text(&done.stderr);
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.is_empty() && !said.contains(acts), "{call:?}: {said:?}");
        assert!(!said.contains("\nverdict\u{fffd}"), "a name makes a line of its own: {said}");
    }
}

/// Whether a reader closes the pipe early or not, the exit status is that of the verdict.
#[cfg(unix)]
#[test]
fn a_closed_pipe_changes_no_exit_status() {
    let folder = tempfile::tempdir().expect("a folder");
    for (flip, status) in [(true, 1), (false, 0)] {
        pair(folder.path(), 2.5, flip);
        for more in ["--json", ""] {
            let command = format!(
                "transfer --source old.csv --target new.csv --label grade --assume rescaled --strict {more}"
            );
            let mut running = crate::command(folder.path(), &command)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the binary starts");
            drop(running.stdout.take()); // nobody reads
            drop(running.stderr.take());
            assert_eq!(running.wait().expect("it ends").code(), Some(status), "{more} {flip}");
        }
    }
}

#[test]
fn a_table_comes_from_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    pair(folder.path(), 0.5, false);
    let piped = |arguments: &str, file: &str| {
        let file = std::fs::File::open(folder.path().join(file)).expect("a file");
        crate::command(folder.path(), arguments).stdin(file).output().expect("the binary starts")
    };
    let transfer = "transfer --target new.csv --label grade --method none --quiet";
    let first = piped(&format!("{transfer} --source old.csv --out file"), "new.csv");
    let second = piped(&format!("{transfer} --source - --format csv --out piped"), "old.csv");
    assert_eq!((first.status.code(), second.status.code()), (Some(0), Some(0)), "{}", text(&second.stderr));
    let bytes = |path: &str| std::fs::read(folder.path().join(path)).expect("a file");
    assert_eq!(bytes("file/model.safetensors"), bytes("piped/model.safetensors"));
    let predicted = piped("predict file - --format csv", "new.csv");
    assert_eq!(text(&predicted.stdout), text(&bytes("file/predictions.csv")));
    // Without its format, twice, and a name that tells nothing.
    for (arguments, says) in [
        ("predict file -", "`-`: is standard input, whose name tells no format"),
        ("transfer --source - --target - --format csv --label grade", "`-`: can be read once only"),
        ("data shift covariate --columns 18446744073709551615 --out x", "the memory budget is"),
        ("predict file - --format ods", "unknown format `ods`"),
    ] {
        let refused = piped(arguments, "new.csv");
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(says), "{}", text(&refused.stderr));
    }
    std::fs::copy(folder.path().join("new.csv"), folder.path().join("new.dat")).expect("a copy");
    let told = juyi(folder.path(), "predict file new.dat --format csv");
    assert_eq!(told.stdout, predicted.stdout);
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

/// Ended by a signal, the exit status is 128 and its number; one that was ignored from the start stays ignored.
#[cfg(unix)]
#[test]
fn a_signal_gives_the_exit_status_of_a_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Command::new("mkfifo").arg(folder.path().join("table.csv")).status().expect("mkfifo").success());
    let waiting = "measure --source table.csv --target other.csv"; // nobody writes to the pipe
    // Under `nohup` the tests themselves ignore this signal, and so does all that they start.
    let mask = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    });
    let closed = if mask.unwrap_or(0) & 1 == 1 { ("HUP", "HUP", 143) } else { ("", "HUP", 129) };
    for (ignored, signal, status) in [("", "INT", 130), ("", "TERM", 143), closed, ("HUP", "HUP", 143)] {
        let trap = if ignored.is_empty() { String::new() } else { format!("trap '' {ignored}; ") };
        let script = format!("{trap}exec {} {waiting}", env!("CARGO_BIN_EXE_juyi"));
        let mut running =
            Command::new("sh").args(["-c", &script]).current_dir(folder.path()).spawn().expect("sh");
        let send = |signal: &str| {
            std::thread::sleep(Duration::from_millis(400));
            let sent = Command::new("kill").args([&format!("-{signal}"), &running.id().to_string()]).status();
            assert!(sent.is_ok_and(|sent| sent.success()), "{signal} finds it alive");
        };
        send(signal);
        if !ignored.is_empty() {
            send("TERM");
        }
        assert_eq!(running.wait().expect("it ends").code(), Some(status), "{signal}");
    }
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

/// `docs/methods/` is the heads of the files.
#[test]
fn the_pages_are_those_of_the_methods_that_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = juyi(folder.path(), "methods --pages pages");
    assert!(written.status.success(), "{}", text(&written.stderr));
    let pages = |folder: &Path| -> BTreeMap<_, _> {
        let read = |path: std::path::PathBuf| text(&std::fs::read(path).expect("a page"));
        let pages = std::fs::read_dir(folder).expect("the pages").flatten();
        pages.map(|page| (page.file_name(), read(page.path()))).collect()
    };
    let (own, docs) =
        (folder.path().join("pages"), Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/methods"));
    assert!(pages(&own) == pages(&docs), "run `juyi methods --pages docs/methods`");
}

#[test]
fn methods_are_listed_by_each_classification() {
    let said = |call: &str| {
        let said = juyi(Path::new("."), call);
        assert!(said.status.success(), "{call}: {}", text(&said.stderr));
        text(&said.stdout)
    };
    let object = said("methods --by object");
    for name in
        ["instances · 基于样本", "features · 基于特征", "parameters · 基于模型", "relations · 基于关系"]
    {
        assert!(object.contains(&format!("\n{name}\n")), "{object}");
    }
    let features = object.split("features · ").nth(1).and_then(|rest| rest.split("parameters · ").next());
    assert!(features.is_some_and(|own| own.contains("\n  coral ") && !own.contains("\n  kmm ")), "{object}");
    let scenario = said("methods --by scenario");
    assert!(scenario.contains("归纳式迁移") && scenario.contains("no method so far"), "{scenario}");
    assert!(said("methods --by strategy").contains("homogeneous · 同构迁移"));
    assert!(said("methods --by task").contains("regression · 回归"));
    assert!(said("methods strut").contains("\nscenario inductive, source-free\nobject   parameters\n"));
}

#[test]
fn parameters_of_a_learner_are_set_recorded_and_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let row =
        |i: usize| format!("{}.5,{},{}\n", (i * 7) % 11, (i * 3) % 8, ["u", "v"][usize::from(i % 11 > 5)]);
    let table = "a,b,y\n".to_string() + &(0..60).map(row).collect::<String>();
    for name in ["old.csv", "new.csv"] {
        std::fs::write(folder.path().join(name), &table).expect("a table");
    }
    let transfer = "transfer --source old.csv --target new.csv --label y --method coral --learner svm";
    let model = |more: &str| {
        let done = juyi(folder.path(), &format!("{transfer} {more} --out run"));
        assert!(done.status.success(), "{}", text(&done.stderr));
        let record = std::fs::read(folder.path().join("run/run.json")).expect("a record");
        let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
        let learner = |fit: &str| record["transfer"][fit]["learner"].as_str().expect("a learner").to_string();
        let bytes = std::fs::read(folder.path().join("run/model.safetensors")).expect("a model");
        (bytes, learner("chosen"), learner("baseline"))
    };
    let (usual, ..) = model("");
    let (soft, chosen, baseline) = model("--learner-set cost=0.0001");
    assert!(usual != soft && chosen == "svm(cost=0.0001)" && baseline == chosen, "{chosen} {baseline}");
    for (more, says) in [
        ("--learner-set cots=1", "unknown parameter of `svm` `cots`"),
        ("--learner-set cost=much", "`svm`: `cost` must be of its type"),
        ("--learner-set cost=-1", "`svm`: `cost` must be a finite number above 0"),
        ("--learner-set cost", "`cost` is no parameter with a value"),
    ] {
        let refused = juyi(folder.path(), &format!("{transfer} {more} --out other"));
        assert_eq!(refused.status.code(), Some(2), "{more}");
        assert!(text(&refused.stderr).contains(says), "{more}: {}", text(&refused.stderr));
    }
}
