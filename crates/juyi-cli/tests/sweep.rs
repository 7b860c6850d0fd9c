//! Tasks of a user's own, each with several methods, learners and seeds.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::{juyi, text};

/// Rows of three columns, of which two tell the class, moved by so much; labels where `label` says so.
fn table(file: &Path, rows: usize, moved: f64, label: Option<&str>) {
    let draw = |i: usize, j: usize| ((i * (31 + 14 * j) + 17 * j + i * i) % 97) as f64 / 97.0;
    let mut out = String::from("a,b,c,site,patient");
    out += &label.map_or_else(String::new, |label| format!(",{label}"));
    for i in 0..rows {
        let class = i % 2;
        out.push('\n');
        for j in 0..3 {
            write!(out, "{:.5},", draw(i, j) + moved + if j == class { 0.6 } else { 0.0 }).expect("memory");
        }
        write!(out, "s{},{}", i % 3, i % 11).expect("memory");
        out += &label.map_or_else(String::new, |_| format!(",{}", ["no", "yes"][class]));
    }
    std::fs::write(file, out + "\n").expect("a table");
}

/// A folder with tables in a folder of their own, and their tasks beside them.
fn laid_out(tasks: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("own");
    std::fs::create_dir(&own).expect("a folder");
    table(&own.join("a.csv"), 60, 0.0, Some("y"));
    table(&own.join("b.csv"), 50, 0.3, Some("y"));
    table(&own.join("bare.csv"), 50, 0.3, None);
    std::fs::write(own.join("truth.csv"), "y\n".to_string() + &"no\nyes\n".repeat(25)).expect("a table");
    std::fs::write(own.join("tasks.toml"), tasks).expect("tasks");
    folder
}

const TWO: &str = "label = \"y\"\ndrop = [\"site\", \"patient\"]\n[[task]]\nsource = \"a.csv\"\ntarget = \"b.csv\"\n\
                   [[task]]\nname = \"back | \\\"forth\\\"\"\nsource = [\"b.csv\"]\ntarget = \"a.csv\"\npreprocess = \"l2\"\n";

/// The rows of CSV on standard output.
fn rows(out: &[u8]) -> Vec<Vec<String>> {
    let said = text(out);
    said.lines().map(|line| line.split(',').map(String::from).collect()).collect()
}

#[test]
fn a_cell_is_the_figure_of_the_run_that_it_stands_for() {
    let folder = laid_out(TWO);
    let sweep = "bench --tasks own/tasks.toml --methods none,coral(regularization=0.5),auto --learners 1-nn --seeds 3 --format csv";
    let done = juyi(folder.path(), sweep);
    let found = rows(&done.stdout);
    assert!(done.status.success(), "{}{}", text(&done.stdout), text(&done.stderr));
    let heading = "task,figure,\"none, 1-nn\",\"coral(regularization=0.5), 1-nn\",\"auto, 1-nn\",\"auto, 1-nn: verdict\"";
    assert!(text(&done.stdout).starts_with(heading), "{found:?}");
    assert_eq!(found[1][0], "a->b");
    assert_eq!(found[2][0], "\"back | \"\"forth\"\"\"");
    let common = "--label y --drop site --drop patient --seed 3 --learner 1-nn --json --out run";
    let there = "transfer --source own/a.csv --target own/b.csv";
    let back = "transfer --source own/b.csv --target own/a.csv --preprocess l2";
    for (row, column, command) in [
        (1, 2, format!("{there} --method none {common}")),
        (1, 3, format!("{there} --method coral --set regularization=0.5 {common}")),
        (1, 4, format!("{there} --method auto {common}")),
        (2, 2, format!("{back} --method none {common}")),
        (2, 3, format!("{back} --method coral --set regularization=0.5 {common}")),
    ] {
        let single = juyi(folder.path(), &command);
        let record: Value = serde_json::from_slice(&single.stdout).expect("a record");
        let accuracy = record["transfer"]["chosen"]["scores"]["accuracy"].as_f64().expect("a score");
        assert_eq!(found[row][column].parse(), Ok(accuracy), "{command}");
        if let Some(verdict) = record["select"]["verdict"].as_str() {
            assert_eq!(found[row][column + 1].replace(' ', "-"), verdict.replace(' ', "-"), "{command}");
        }
    }
}

#[test]
fn parts_in_any_order_give_the_bytes_of_the_whole() {
    let folder = laid_out(TWO);
    let run = |command: &str| {
        let done = juyi(folder.path(), command);
        assert!(done.status.success(), "{command}: {}", text(&done.stderr));
        done
    };
    let sweep = "bench --tasks own/tasks.toml --methods none,coral,easytl --seeds 0,1";
    let whole = run(&format!("{sweep} --threads 1")).stdout;
    run(&format!("{sweep} --out whole.md --threads 2"));
    assert_eq!(std::fs::read(folder.path().join("whole.md")).expect("a table"), whole);
    for k in [3, 1, 2] {
        run(&format!("{sweep} --part {k}/3 --out part{k}.json"));
    }
    assert_eq!(run("bench --join part2.json part3.json part1.json").stdout, whole);
    let said = text(&whole);
    for part in [
        "accuracy in percent, mean over 2 seeds",
        "| a-\\>b ",
        "| back \\| \"forth\" ",
        "| mean rank",
        "| p-value",
    ] {
        assert!(said.contains(part), "{said}");
    }
    for (command, words) in [
        ("bench --join part1.json part3.json", "the parts: lack 4 of 12 runs"),
        ("bench --join part1.json part2.json part3.json part1.json", "give each part once"),
        ("bench --join part1.json part2.json part3.json --out part1.json", "which would be overwritten"),
        ("bench --join own/a.csv", "`own/a.csv`: is no JSON"),
    ] {
        let failed = juyi(folder.path(), command);
        let said = text(&failed.stderr);
        assert!(failed.status.code() == Some(2) && said.contains(words), "{command}: {said}");
    }
}

#[test]
fn one_table_holds_several_domains_and_splits_hold_rows_out() {
    let tasks = "label = \"y\"\nsource = \"a.csv\"\ndomain = \"site\"\n\
                 [[task]]\nname = \"pairs\"\ngroups = \"patient\"\nsplits = \"grouped(folds=3)\"\n\
                 [[task]]\nname = \"new site\"\ndrop = \"patient\"\nsplits = \"leave-one-domain-out\"\n";
    let folder = laid_out(tasks);
    let done = juyi(folder.path(), "bench --tasks own/tasks.toml --methods none --seeds 0 --part 1/1");
    let said = text(&done.stdout);
    assert!(done.status.success(), "{said}{}", text(&done.stderr));
    let found: Value = serde_json::from_str(&said).expect("JSON");
    let records = found["records"].as_array().expect("records");
    let names: Vec<&str> = records.iter().filter_map(|record| record["task"].as_str()).collect();
    assert_eq!(names[..3], ["pairs: s0->s1", "pairs: s0->s2", "pairs: s1->s0"]);
    assert_eq!(names[6..], ["new site: others->s0", "new site: others->s1", "new site: others->s2"]);
    for record in &records[..6] {
        let splits = record["splits"].as_array().expect("figures");
        let mean = splits.iter().filter_map(Value::as_f64).sum::<f64>() / 3.0;
        assert_eq!((splits.len(), record["figure"].as_f64()), (3, Some(mean)), "{record}");
        assert_eq!(record["rows"], serde_json::json!([20, 20, 20]), "each row is scored once");
    }
    assert_eq!(records[6]["rows"], serde_json::json!([40, 20, 20]));
}

#[test]
fn the_truth_may_stand_in_a_file_of_its_own() {
    let one = |target: &str, truth: &str| {
        format!(
            "[[task]]\nsource = \"a.csv\"\ntarget = \"{target}\"\nlabel = \"y\"\ndrop = [\"site\", \"patient\"]\n{truth}"
        )
    };
    let figures = |tasks: &str, methods: &str| {
        let folder = laid_out(tasks);
        let own = folder.path().join("own");
        let labelled = std::fs::read_to_string(own.join("b.csv")).expect("a table");
        let few = labelled.lines().enumerate().map(|(k, line)| match k {
            0..=12 => line.to_string() + "\n",
            _ => line.rsplit_once(',').expect("a label").0.to_string() + ",\n",
        });
        std::fs::write(own.join("few.csv"), few.collect::<String>()).expect("a table");
        let done =
            juyi(folder.path(), &format!("bench --tasks own/tasks.toml --methods {methods} --part 1/1"));
        assert!(done.status.success(), "{}{}", text(&done.stdout), text(&done.stderr));
        let found: Value = serde_json::from_slice(&done.stdout).expect("JSON");
        (found["records"][0]["figure"].clone(), found["records"][0]["rows"][2].clone())
    };
    let beside = figures(&one("bare.csv", "truth = \"truth.csv\"\n"), "coral");
    assert!(beside.0.is_number() && beside == figures(&one("b.csv", ""), "coral"));
    // Of fifty target rows twelve have labels, which are learnt from; the truth scores the others.
    let few = figures(&one("few.csv", "truth = \"truth.csv\"\ntarget-labels = \"use\"\n"), "target-only");
    assert!(few.0.is_number() && few.1 == 38, "{few:?}");
}

#[test]
fn a_run_that_fails_says_why_and_stops_nothing() {
    let tasks = format!(
        "{TWO}[[task]]\nname = \"gone\"\nsource = \"gone.csv\"\ntarget = \"b.csv\"\n\
                         [[task]]\nname = \"unscored\"\nsource = \"a.csv\"\ntarget = \"bare.csv\"\n"
    );
    let folder = laid_out(&tasks);
    let done = juyi(folder.path(), "bench --tasks own/tasks.toml --methods none,target-only");
    let said = text(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{said}{}", text(&done.stderr));
    for part in [
        "- gone, none, seed 0: `own/gone.csv`: ",
        "- unscored, none, seed 0: `own/bare.csv`: has no label that scores",
        "- a-\\>b, target-only, seed 0: ",
        "means and ranks are over the 2 of 4 tasks that did not fail",
    ] {
        assert!(said.replace("\\`", "`").replace("\\_", "_").contains(part), "{part}: {said}");
    }
    let csv = juyi(folder.path(), "bench --tasks own/tasks.toml --methods none,target-only --format csv");
    assert!(
        text(&csv.stderr).contains("note: gone, none, seed 0: ") && !text(&csv.stdout).contains("gone, none")
    );
}

/// A run that is ended says what was done.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_tells_what_was_done() {
    let folder = laid_out(TWO);
    let seeds: Vec<String> = (0..20_000).map(|seed| seed.to_string()).collect();
    let sweep = format!(
        "bench --tasks own/tasks.toml --methods none,coral --seeds {} --out table.md",
        seeds.join(",")
    );
    let mut running = crate::command(folder.path(), &sweep);
    let running = running.stderr(std::process::Stdio::piped()).spawn().expect("the binary starts");
    // It reads small tables; with half a second of work done it runs.
    let worked = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.id())).expect("it runs");
        let after = stat.rsplit_once(')').expect("a name").1.split_whitespace().nth(11);
        after.and_then(|ticks| ticks.parse::<u64>().ok()).expect("ticks")
    };
    while worked() < 50 {
        std::thread::yield_now();
    }
    let sent = std::process::Command::new("kill").args(["-INT", &running.id().to_string()]).status();
    assert!(sent.is_ok_and(|sent| sent.success()));
    let ended = running.wait_with_output().expect("it ends");
    let said = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(
        said.contains(" of 80000 runs; nothing is written") && said.contains("runs were not done"),
        "{said}"
    );
    assert!(!folder.path().join("table.md").exists());
}
