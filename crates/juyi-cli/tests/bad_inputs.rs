//! Hostile input, through the real program: every bad file and flag is refused with exit code 2 and a message that
//! names the thing, nothing is printed or written, and what was there before stays as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use juyi::learners::LEARNERS;
use juyi::methods::METHODS;
use serde_json::{Value, json};

// ---------------------------------------------------------------------------------------------------- one case

/// One call of the program that must fail.
#[derive(Clone)]
struct Case {
    /// Files to lay out first; a name that ends in `/` is a folder.
    files: Vec<(String, Vec<u8>)>,
    arguments: Vec<String>,
    /// What the message must contain.
    says: Vec<String>,
}

impl Case {
    /// A call with these arguments, separated by blanks.
    fn call(arguments: &str) -> Self {
        Self { files: Vec::new(), arguments: Vec::new(), says: Vec::new() }.with(arguments)
    }

    /// Adds arguments, separated by blanks.
    fn with(mut self, arguments: &str) -> Self {
        self.arguments.extend(arguments.split_whitespace().map(str::to_string));
        self
    }

    /// Adds one argument as it is.
    fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Lays out a file, in place of an earlier one of this name.
    fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.retain(|(known, _)| known != name);
        self.files.push((name.into(), bytes.into()));
        self
    }

    /// What the message must contain.
    fn says(mut self, parts: &[&str]) -> Self {
        self.says.extend(parts.iter().map(|part| (*part).to_string()));
        self
    }
}

/// Source and target of 12 and 8 good rows.
fn tables() -> Case {
    Case::call("transfer --source source.csv --target target.csv --label y")
        .file("source.csv", good(12).csv())
        .file("target.csv", good(8).csv())
}

/// The same with a method and a learner that need no time.
fn quick() -> Case {
    tables().with("--method none --learner 1-nn")
}

/// A source table that must be refused, and why.
fn source(bytes: impl Into<Vec<u8>>, says: &[&str]) -> Case {
    quick().file("source.csv", bytes).says(&["`source.csv`"]).says(says)
}

/// A target table that must be refused, and why.
fn target(bytes: impl Into<Vec<u8>>, says: &[&str]) -> Case {
    quick().file("target.csv", bytes).says(&["`target.csv`"]).says(says)
}

/// The same trouble in the source and in the target.
fn either(bytes: impl Into<Vec<u8>>, says: &[&str]) -> [Case; 2] {
    let bytes = bytes.into();
    [source(bytes.clone(), says), target(bytes, says)]
}

// ------------------------------------------------------------------------------------------------------- tables

/// A table that can be spoilt: the header is row 0.
#[derive(Clone)]
struct Sheet(Vec<Vec<String>>);

/// Columns `a`, `b`, `c` of numbers and `y` with the classes `u` and `v`.
fn good(rows: usize) -> Sheet {
    let mut all = vec![["a", "b", "c", "y"].map(str::to_string).to_vec()];
    all.extend((0..rows).map(|i| {
        let number = |j: usize| format!("{}.5", (i * 7 + j * 3) % 11);
        let mut row: Vec<String> = (0..3).map(number).collect();
        row.push(if i % 2 == 0 { "u" } else { "v" }.into());
        row
    }));
    Sheet(all)
}

impl Sheet {
    fn csv(&self) -> String {
        self.joined(",")
    }

    fn joined(&self, separator: &str) -> String {
        self.0.iter().map(|row| row.join(separator) + "\n").collect()
    }

    /// The table with another cell.
    fn cell(mut self, row: usize, column: &str, text: &str) -> Self {
        let at = self.at(column);
        self.0[row][at] = text.into();
        self
    }

    /// The table with the same text in all cells of a column.
    fn column(mut self, column: &str, text: &str) -> Self {
        let at = self.at(column);
        self.0[1..].iter_mut().for_each(|row| row[at] = text.into());
        self
    }

    /// The table without a column.
    fn without(mut self, column: &str) -> Self {
        let at = self.at(column);
        self.0.iter_mut().for_each(|row| drop(row.remove(at)));
        self
    }

    /// The table with another header.
    fn header(mut self, names: [&str; 4]) -> Self {
        self.0[0] = names.map(str::to_string).to_vec();
        self
    }

    fn at(&self, column: &str) -> usize {
        self.0[0].iter().position(|name| name == column).expect("a column of the table")
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

// ------------------------------------------------------------------------------------------------------ the runs

/// What the program did.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program in a folder; after a minute it is stopped and has no exit code.
fn run(folder: &Path, arguments: &[String]) -> Ran {
    let mut out = tempfile::tempfile().expect("a file for the output");
    let mut err = tempfile::tempfile().expect("a file for the errors");
    let mut child = Command::new(env!("CARGO_BIN_EXE_juyi"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("the same file"))
        .stderr(err.try_clone().expect("the same file"))
        .spawn()
        .expect("the program starts");
    let start = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().expect("the program runs") {
            break status.code();
        }
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().expect("the program can be stopped");
            child.wait().expect("the program has stopped");
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let read = |file: &mut std::fs::File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("what the program wrote");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ran { code, out: read(&mut out), err: read(&mut err) }
}

fn lay_out(folder: &Path, files: &[(String, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = folder.join(name);
        if name.ends_with('/') {
            std::fs::create_dir_all(path).expect("a folder");
        } else {
            std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
    }
}

/// Every file below a folder with its bytes, every folder without.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path.clone());
                all.insert(path, None);
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                all.insert(path, Some(bytes));
            }
        }
    }
    all
}

/// The folder of an earlier run, from before there were manifests, and a file of the user's in it.
fn earlier_run() -> Vec<(String, Vec<u8>)> {
    let texts = ["report.html", "predictions.csv", "predictions.parquet", "mine.csv"];
    let texts = texts.map(|name| (format!("earlier/{name}"), format!("an earlier {name}").into_bytes()));
    let read = [("run.json", RECORD.as_bytes().to_vec()), ("model.safetensors", good_model())];
    texts.into_iter().chain(read.map(|(name, bytes)| (format!("earlier/{name}"), bytes))).collect()
}

/// What is wrong with how the program dealt with a case; every other case finds an earlier run where it would write.
fn trouble(number: usize, case: &Case) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    lay_out(folder.path(), &case.files);
    lay_out(folder.path(), &earlier_run());
    let mut arguments = case.arguments.clone();
    let command = arguments.first().cloned().unwrap_or_default();
    if number % 2 == 1 && !arguments.iter().any(|argument| argument.starts_with("--out")) {
        match command.as_str() {
            "transfer" => arguments.extend(["--out".to_string(), "earlier".to_string()]),
            "predict" => arguments.extend(["--out".to_string(), "earlier/mine.csv".to_string()]),
            _ => {}
        }
    }
    let before = everything(folder.path());
    let Ran { code, out, err } = run(folder.path(), &arguments);
    let after = everything(folder.path());
    let mut wrong = Vec::new();
    if code != Some(2) {
        wrong.push(format!("exit code {code:?}"));
    }
    if !err.contains("error:") {
        wrong.push("no `error:`".into());
    }
    if err.contains("panicked") {
        wrong.push("a panic".into());
    }
    if err.contains(".juyi-") || err.contains('\u{1b}') {
        wrong.push("a temporary file or a control character in the message".into());
    }
    if !out.is_empty() {
        wrong.push(format!("{} bytes on standard output", out.len()));
    }
    wrong.extend(case.says.iter().filter(|part| !err.contains(*part)).map(|part| format!("no {part:?}")));
    let paths: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    for path in paths.into_iter().filter(|path| before.get(*path) != after.get(*path)) {
        wrong.push(format!("`{}` has changed", path.strip_prefix(&folder).unwrap_or(path).display()));
    }
    let shown: String = err.chars().take(600).collect();
    let call = arguments.iter().map(|argument| format!("{argument:?}")).collect::<Vec<_>>().join(" ");
    (!wrong.is_empty()).then(|| format!("{call}\n  {}\n  {}", wrong.join("; "), shown.trim_end()))
}

/// Goes through all of them on a few threads and collects what is wrong, in order.
fn each<T: Sync>(all: &[T], check: impl Fn(usize, &T) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = all.get(number) else { break };
                    if let Some(text) = check(number, one) {
                        wrong.lock().expect("no thread failed").insert(number, text);
                    }
                }
            });
        }
    });
    wrong.into_inner().expect("no thread failed").into_values().collect()
}

/// What is wrong where success is fine too: a panic, a hang, an exit code other than 0 and 2.
fn collapse(files: &[(String, Vec<u8>)], arguments: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    lay_out(folder.path(), files);
    let arguments: Vec<String> = arguments.split_whitespace().map(str::to_string).collect();
    let Ran { code, err, .. } = run(folder.path(), &arguments);
    let fine = !err.contains("panicked")
        && match code {
            Some(0) => folder.path().join("out").exists(),
            Some(2) => err.contains("error:") && !folder.path().join("out").exists(),
            _ => false,
        };
    (!fine).then(|| format!("exit code {code:?}\n  {}", err.trim_end()))
}

/// Small seeded random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    /// A file with one to three bytes changed, left out or put in, from byte `from` on.
    fn spoil(&mut self, bytes: &[u8], from: usize, alphabet: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let at = from + self.below(bytes.len() - from);
            let byte = alphabet[self.below(alphabet.len())];
            match self.below(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, byte),
                _ => bytes[at] = byte,
            }
        }
        bytes
    }

    /// A file with one to three bits turned, from byte `from` on.
    fn flip(&mut self, bytes: &[u8], from: usize) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let at = from + self.below(bytes.len() - from);
            bytes[at] ^= 1 << self.below(8);
        }
        bytes
    }
}

// ------------------------------------------------------------------------------------------------- text tables

/// Cells that are wrong, by place.
fn cells() -> Vec<Case> {
    let mut cases = Vec::new();
    for column in ["a", "b", "c"] {
        for (row, infinite) in
            [(1, "inf"), (8, "-inf"), (2, "Infinity"), (5, "-Infinity"), (3, "1e999"), (7, "+inf")]
        {
            let place = format!("line {}, column `{column}`", row + 1);
            let says = [place.as_str(), &format!("`{infinite}` is not finite")];
            cases.extend(either(good(8).cell(row, column, infinite).csv(), &says));
        }
        for (row, huge) in [(4, "1e300"), (6, "-1e200")] {
            let place = format!("line {}, column `{column}`", row + 1);
            cases.extend(either(good(8).cell(row, column, huge).csv(), &[&place, huge, "too large"]));
        }
        for (row, text) in [(1, "x"), (4, "12abc"), (5, "0x10"), (8, "1.2.3"), (3, "1 00")] {
            let place = format!("line {}, column `{column}`", row + 1);
            let says = [place.as_str(), &format!("`{text}`"), "numbers"];
            cases.extend(either(good(8).cell(row, column, text).csv(), &says));
        }
    }
    for (row, missing) in
        (1..).zip(["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", " ", "\" \"", "\"\""])
    {
        let place = format!("line {}, column `b`", row + 1);
        cases.extend(either(good(12).cell(row, "b", missing).csv(), &[&place, "is missing", "--missing"]));
    }
    // Fine for themselves, but too far apart to be compared.
    for learner in ["1-nn", "class-means"] {
        let mut small = good(12);
        small.0[1..].iter_mut().for_each(|row| row[0] += "e-90");
        let far = good(8).cell(3, "a", "1e90").csv();
        let case = tables().with(&format!("--method none --learner {learner}"));
        let case = case.file("source.csv", small.csv()).file("target.csv", far);
        cases.push(case.says(&["`target.csv`, line 4", "prediction is not finite"]));
    }
    // Rows without a label are left out, and the others keep their numbers.
    let unlabelled = good(12).cell(1, "y", "").cell(2, "y", "?");
    cases.push(source(unlabelled.clone().cell(7, "c", "").csv(), &["line 8, column `c`", "is missing"]));
    cases.push(source(unlabelled.clone().cell(2, "b", "x").csv(), &["line 3, column `b`", "`x`"]));
    cases.push(source(unlabelled.cell(9, "b", "x").csv(), &["line 10, column `b`", "`x`"]));
    // A cell of any length and content is shown short and harmless.
    let long = "x".repeat(100_000);
    cases.extend(either(good(8).cell(2, "a", &long).csv(), &["line 3, column `a`", "xxx…`"]));
    cases.extend(either(
        good(8).cell(2, "a", "\u{1b}[31mred").csv(),
        &["line 3, column `a`", "\u{fffd}[31mred"],
    ));
    cases.extend(either(good(8).cell(2, "a", "\"1\n2\"").csv(), &["line 3, column `a`", "1\u{fffd}2"]));
    cases
}

/// Lines, separators, headers and quotes that are wrong.
fn lines() -> Vec<Case> {
    let mut cases = Vec::new();
    let text = good(8).csv();
    let lines: Vec<&str> = text.lines().collect();
    for row in [1, 4, 8] {
        for (line, says) in [
            ("1,2,3", "has 3 cells, the header names 4 columns"),
            ("1", "has 1 cells"),
            ("1,2,3,u,5", "has 5 cells"),
            ("1,2,3,u,", "has 5 cells"),
            ("1;2;3;u", "has 1 cells"),
            ("1\t2\t3\tu", "has 1 cells"),
            ("1,5,2,5,3,5,u", "has 7 cells"),
        ] {
            let mut lines = lines.clone();
            lines[row] = line;
            cases.extend(either(lines.join("\n"), &[&format!("line {}", row + 1), says]));
        }
    }
    for (names, says) in [
        (["a", "a", "c", "y"], "two columns named `a`"),
        (["a", "b", "b", "y"], "two columns named `b`"),
        (["y", "b", "c", "y"], "two columns named `y`"),
        ([" a", "\"a\"", "c", "y"], "two columns named `a`"),
        (["", "column 1", "c", "y"], "two columns named `column 1`"),
    ] {
        cases.extend(either(good(8).header(names).csv(), &[says]));
    }
    for (name, bytes) in [("semicolon", good(8).joined(";")), ("tab", good(8).joined("\t"))] {
        let mixed = bytes.replacen([';', '\t'], ",", 3);
        cases.extend(either(mixed, &["line 2", "has 1 cells, the header names 4 columns"]));
        let renamed = bytes.replacen('a', name, 1);
        cases.push(target(renamed, &["has no column `a`, which `source.csv` has", "--drop"]));
    }
    for (row, column) in [(0, "a"), (0, "y"), (1, "a"), (4, "b"), (8, "a"), (8, "c"), (3, "y"), (8, "y")] {
        let mut open = good(8);
        let at = open.at(column);
        open.0[row][at].insert(0, '"');
        let place = if row == 0 { "header".to_string() } else { format!("line {}", row + 1) };
        cases.extend(either(open.csv(), &[&place, "a quote is not closed"]));
    }
    cases
}

/// Bytes that are no table of text.
fn bytes() -> Vec<Case> {
    let mut cases = Vec::new();
    let text = good(8).csv();
    let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
    // In UTF-16 a table is read, so what is wrong is the last, half character.
    cases.extend(either([b"\xff\xfe", &little[..], b"x"].concat(), &["UTF-16LE"]));
    cases.extend(either([b"\xfe\xff", &big[..], b"x"].concat(), &["UTF-16BE"]));
    for bytes in [b"PK\x03\x04\x14\0\0\0sheet".to_vec(), (0..=255).collect(), vec![0; 4096]] {
        cases.extend(either(bytes, &["not a table of text"]));
    }
    cases.extend(either("a\0,b,c,y\n1,2,3,u\n", &["not a table of text"]));
    cases.extend(either(&b"caf\xe9,b,c,y\n1,2,3,u\ncaf\xc3\xa9,2,3,u\n"[..], &["line 1", "UTF-8"]));
    cases.extend(either(&b"a,b,c,\xd7\xf7\n1,2,3,u\n"[..], &["line 1", "UTF-8", "--encoding"]));
    for (row, column) in [(1, "y"), (5, "a"), (8, "c")] {
        let mut bytes = good(8).cell(row, column, "#").csv().into_bytes();
        bytes.iter_mut().filter(|b| **b == b'#').for_each(|b| *b = 0);
        cases.extend(either(bytes, &[&format!("line {}, column `{column}`", row + 1), "UTF-8"]));
    }
    cases.extend(either(format!("{text}\0\n1,2,3,u\n"), &["line 11"]));
    for empty in ["", "\n", " \r\n\n\n", "\u{feff}", "\u{feff}\n"] {
        cases.extend(either(empty, &["is empty", "must name the columns"]));
    }
    for header in ["a,b,c,y", "a,b,c,y\n", "a;b;c;y\r\n\r\n", "\u{feff}a,b,c,y\n\n\n"] {
        cases.extend(either(header, &["has no rows"]));
    }
    let zipped = gzip(text.as_bytes());
    for length in
        [2, 3, 9, 10, 11, 30, zipped.len() - 30, zipped.len() - 9, zipped.len() - 4, zipped.len() - 1]
    {
        cases.extend(either(&zipped[..length], &[]));
        cases.push(quick().with("--id y").file("source.csv", &zipped[..length]).says(&["source.csv"]));
    }
    for at in [3, 12, 40, zipped.len() - 8, zipped.len() - 1] {
        let mut damaged = zipped.clone();
        damaged[at] ^= 0x55;
        cases.extend(either(damaged, &[]));
    }
    cases.extend(either([&zipped[..], b"garbage"].concat(), &[]));
    cases.extend(either(&b"\x1f\x8bgarbage, garbage"[..], &[]));
    cases.extend(either(gzip(b""), &["is empty"]));
    cases.extend(either(gzip(b"a,b,c,y\n"), &["has no rows"]));
    cases
}

/// Files that are not there or of another kind, as source and as target.
fn paths() -> Vec<Case> {
    let both = |name: &str, says: &[&str]| {
        let named = format!("`{name}`");
        let call = |source: &str, target: &str| {
            let case = Case { arguments: Vec::new(), ..tables() };
            case.with(&format!("transfer --label y --source {source} --target {target}"))
                .says(&[&named])
                .says(says)
        };
        [call(name, "target.csv"), call("source.csv", name)]
    };
    let mut cases = Vec::new();
    for name in
        ["none.csv", "none.csv.gz", "none.tsv", "none.txt", "none.mat", "none.xlsx", "none", "no/a.csv"]
    {
        cases.extend(both(name, &[]));
    }
    for name in ["rows.ods", "rows.json", "rows.feather", "rows.csv.zip", "rows", "rows.csv.bak"] {
        let says = ["ending", ".csv, .csv.gz"];
        cases.extend(both(name, &says).map(|case| case.file(name, good(8).csv())));
    }
    for name in ["folder.csv", "folder.mat", "folder.csv.gz", "folder"] {
        cases.extend(both(name, &["is a folder"]).map(|case| case.file(&format!("{name}/"), "")));
    }
    cases
}

/// Labels and columns that do not serve.
fn columns() -> Vec<Case> {
    let mut cases = vec![
        source(good(8).without("y").csv(), &["label column", "`y`", "known: a, b, c"]),
        source(good(8).column("y", "").csv(), &["column `y` is empty"]),
        source(good(8).column("y", "NA").csv(), &["column `y` is empty"]),
        source(good(8).column("y", "u").csv(), &["one class only, `u`"]),
        source(good(8).column("y", "3").csv(), &[])
            .file("target.csv", good(8).without("y").csv())
            .says(&["one class only, `3`"]),
        source(good(1).csv(), &["one class only, `u`"]),
        target(good(8).without("a").csv(), &["has no column `a`, which `source.csv` has"]),
        target(good(8).without("b").without("c").csv(), &["`b`, `c`"]),
        target(good(8).header(["A", "b", "c", "y"]).csv(), &["has no column `a`"]),
        target("y\nu\nv\n", &["has no column `a`"]),
        source("y\nu\nv\n", &["has no feature columns"]).file("target.csv", "y\nu\n"),
        quick().with("--drop a --drop b --drop c").says(&["`source.csv`", "has no feature columns"]),
        quick().with("--id a --id b --drop c").says(&["`source.csv`", "has no feature columns"]),
        quick().with("--drop nosuch").says(&["column `nosuch`", "known: a, b, c, y"]),
        quick().with("--drop A").says(&["column `A`", "did you mean `a`?"]),
        quick().with("--drop a,b").says(&["column `a,b`"]),
        quick().with("--drop").argument("").says(&["column ``"]),
        quick().with("--drop y").says(&["`--drop`", "`y`"]),
        quick().with("--id y").says(&["`--id`", "`y`"]),
        quick().with("--id nosuch").says(&["column `nosuch`", "known: a, b, c, y"]),
        Case::call("transfer --source source.csv --target target.csv").says(&["`--label`", "not given"]),
        Case::call("transfer --source source.csv --target target.csv --label z")
            .says(&["`source.csv`", "`z`"]),
        Case::call("transfer --source source.csv --target target.csv --label Y")
            .says(&["`source.csv`", "`Y`"]),
        Case::call("transfer --source source.csv --target target.csv --label")
            .argument("")
            .says(&["`source.csv`", "``"]),
        Case::call("transfer --source source.csv --label y").says(&["--target"]),
        Case::call("transfer --target target.csv --label y").says(&["--source"]),
        quick().with("--target source.csv").says(&["--target"]),
        quick().with("--source more.csv").says(&["`more.csv`"]),
        quick()
            .with("--source more.csv")
            .file("more.csv", good(8).without("c").csv())
            .says(&["`more.csv`", "`c`"]),
        quick()
            .with("--source more.csv")
            .file("more.csv", good(8).without("y").csv())
            .says(&["`more.csv`", "`y`"]),
        quick()
            .with("--source more.csv")
            .file("more.csv", good(8).cell(3, "b", "x").csv())
            .says(&["`more.csv`", "line 4"]),
        quick().with("--target-labels use").file("target.csv", good(8).without("y").csv()).says(&[
            "`target.csv`",
            "has no column `y`",
            "--target-labels",
        ]),
        quick()
            .with("--missing drop")
            .file("source.csv", good(8).column("b", "").csv())
            .says(&["`source.csv`", "every row has a missing cell"]),
        quick()
            .with("--missing drop")
            .file("target.csv", good(8).column("c", "?").csv())
            .says(&["`target.csv`", "every row has a missing cell"]),
    ];
    for case in &mut cases {
        for name in ["source.csv", "target.csv"] {
            if !case.files.iter().any(|(known, _)| known == name) {
                *case = case.clone().file(name, good(8).csv());
            }
        }
    }
    // A column of text in one table and of numbers in the other.
    for column in ["a", "b", "c"] {
        let says = [&format!("line 2, column `{column}`") as &str, "`red`"];
        cases.extend(either(good(8).column(column, "red").csv(), &says));
    }
    // Labels that are numbers.
    for (row, label) in [(2, "high"), (7, "inf"), (5, "1e999"), (1, "1;5"), (8, "-Infinity")] {
        let numbers = good(8).column("y", "1.5");
        let bytes = numbers.clone().cell(row, "y", label).csv();
        let says = [&format!("line {}", row + 1) as &str, &format!("`{label}` is not a number")];
        for case in either(bytes, &says) {
            let other = if case.says[0] == "`source.csv`" { "target.csv" } else { "source.csv" };
            cases.push(case.with("--task regression").file(other, numbers.csv()));
        }
    }
    cases.push(source(good(8).csv(), &["line 2", "`u` is not a number"]).with("--task regression"));
    cases
}

// -------------------------------------------------------------------------------------------------- MAT-files

fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../juyi/tests/golden/mat").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The start of `plain.mat`: `fts` (12 x 7) and `labels` (12 x 1).
fn plain() -> Vec<u8> {
    let bytes = golden("plain.mat");
    let after = |at: usize| {
        let length: [u8; 4] = bytes[at + 4..at + 8].try_into().expect("four bytes");
        at + 8 + u32::from_le_bytes(length) as usize
    };
    bytes[..after(after(128))].to_vec()
}

fn mat_files() -> Vec<Case> {
    let call = |source: &str, target: &str| {
        Case::call(&format!("transfer --method none --learner 1-nn --source {source} --target {target}"))
            .file("good.mat", plain())
    };
    let mut cases = Vec::new();
    let whole = plain();
    for length in (0..whole.len()).step_by(23) {
        let cut =
            call("cut.mat:fts,labels", "good.mat").file("cut.mat", &whole[..length]).says(&["`cut.mat`"]);
        cases.push(cut);
    }
    let expected: Value = serde_json::from_slice(&golden("expected.json")).expect("JSON");
    for (file, variables) in expected.as_object().expect("files by name") {
        for (name, wanted) in variables.as_object().expect("variables by name") {
            if let Some(words) = wanted["refused"].as_str() {
                let says = [&format!("`{file}`") as &str, words];
                let memory = "--memory 1MiB";
                let spec = format!("{file}:{name}");
                cases.push(call(&spec, "good.mat").with(memory).file(file, golden(file)).says(&says));
                cases.push(call("good.mat", &spec).with(memory).file(file, golden(file)).says(&says));
            }
        }
    }
    let changed = |at: usize, with: &[u8]| {
        let mut bytes = plain();
        bytes[at..at + with.len()].copy_from_slice(with);
        bytes
    };
    for (bytes, says) in [
        (changed(124, b"\0\0XX"), "not a MAT-file of Level 5"),
        (changed(124, b"\0\x02IM"), "7.3 (HDF5)"),
        (changed(124, b"\x02\0MI"), "7.3 (HDF5)"),
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64".to_vec(), "scipy.io.savemat"),
        (b"\x89HDF\r\n\x1a\n".to_vec(), "7.3 (HDF5)"),
        (changed(128, &[99]), "not an array"),
        (changed(132, &[255; 4]), "cut off"),
        (good(8).csv().into_bytes(), "not a MAT-file"),
        (gzip(&plain()), "MAT-file"),
        (Vec::new(), "not a MAT-file"),
    ] {
        for (source, target) in [("bad.mat", "good.mat"), ("good.mat", "bad.mat")] {
            cases.push(call(source, target).file("bad.mat", bytes.clone()).says(&["`bad.mat`", says]));
        }
    }
    for (spec, says) in [
        ("plain.mat:", "the variables after `:` are empty"),
        ("plain.mat:fts,", "the variables after `:` are empty"),
        ("plain.mat:,labels", "the variables after `:` are empty"),
        ("plain.mat:'", "the variables after `:` are empty"),
        ("plain.mat:X,y", "has no variable `X`"),
        ("plain.mat:fts,y", "has no variable `y`"),
        ("plain.mat:fts,labels,x", "has no variable `labels,x`"),
        ("plain.mat:Fts,labels", "has no variable `Fts`"),
        ("plain.mat:fts,scalar", "but there are 1 labels"),
        ("plain.mat:fts,long", "`fts` is 12 x 7, but there are 3 labels"),
        ("plain.mat:fts',labels", "but there are 12 labels"),
        ("plain.mat:labels,fts", "but there are 84 labels"),
        ("plain.mat:word,labels", "holds text"),
        ("plain.mat:chars,labels", "holds text"),
        ("plain.mat:cell,labels", "holds text"),
        ("plain.mat:empty,empty", "`empty` is named as the features and as the labels"),
        ("plain.mat:fts,fts", "`fts` is named as the features and as the labels"),
    ] {
        cases
            .push(call(spec, "good.mat").file("plain.mat", golden("plain.mat")).says(&["`plain.mat`", says]));
    }
    let plain = |source: &str, target: &str| call(source, target).file("plain.mat", golden("plain.mat"));
    cases.extend([
        plain("plain.mat:fts", "good.mat").says(&["`--label`", "not given"]),
        plain("plain.mat:fts", "good.mat").with("--label y").says(&["`plain.mat`", "`y`"]),
        plain("plain.mat:empty", "good.mat").with("--label y").says(&["`plain.mat`", "has no rows"]),
        plain("plain.mat:fts,labels", "plain.mat:x").says(&["`plain.mat`", "has no column `x5`"]),
        plain("plain.mat:fts,labels", "plain.mat:empty").says(&["`plain.mat`", "has no rows"]),
        plain("plain.mat:single',long", "good.mat").says(&["`plain.mat`", "there are 3 labels"]),
        plain("plain.mat", "target.csv").file("target.csv", good(8).csv()).says(&["`target.csv`", "`x1`"]),
        plain("plain.mat", "good.mat").with("--id label").says(&["`--id`", "`label`"]),
        plain("plain.mat", "good.mat").with("--drop x9").says(&["column `x9`"]),
        plain("plain.mat", "good.mat").with("--label y --target-labels use --drop y").says(&["`--drop`"]),
    ]);
    cases
}

// ---------------------------------------------------------------------------------------------- other formats

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../juyi/tests/golden/formats").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A good source and this target, and the other way round.
fn on_both_sides(spec: &str) -> [Case; 2] {
    [("good.mat", spec), (spec, "good.mat")].map(|(source, target)| {
        let call = format!("transfer --method none --learner 1-nn --source {source} --target {target}");
        let files = spec.split(':').filter(|part| Path::new(part).extension().is_some());
        let there = files.filter(|file| !file.starts_with("bad.") && !file.starts_with("none"));
        there.fold(Case::call(&call).file("good.mat", plain()), |case, file| case.file(file, sample(file)))
    })
}

fn formats() -> Vec<Case> {
    let mut cases = Vec::new();
    let expected: Value = serde_json::from_slice(&sample("expected.json")).expect("JSON");
    for refused in expected["cases"].as_array().expect("cases") {
        if let (Some(spec), Some(words)) = (refused["spec"].as_str(), refused["refused"].as_str()) {
            let parts: Vec<&str> = words.split("; ").collect(); // the error, and its hint
            cases.extend(on_both_sides(spec).map(|case| case.with("--memory 1MiB").says(&parts)));
        }
    }
    for (name, bad, step) in [
        ("x.npy", "bad.npy", 9),
        ("usual.npz", "bad.npz", 41),
        ("t-images.idx3", "bad.idx", 3),
        ("t-images-idx3-ubyte.gz", "bad.idx.gz", 5),
        ("frame.parquet", "bad.parquet", 397),
    ] {
        let whole = sample(name);
        for length in (0..whole.len()).step_by(step) {
            let [_, case] = on_both_sides(bad);
            cases.push(case.file(bad, &whole[..length]).says(&[&format!("`{bad}`")]));
        }
    }
    let npy = |header: &str| [b"\x93NUMPY\x01\0", &[header.len() as u8, 0][..], header.as_bytes()].concat();
    let shape = |shape: &str| npy(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}"));
    for (bad, bytes, says) in [
        ("bad.npy", shape("(100000000000, 2)"), "the memory budget is"),
        ("bad.npy", shape("(0, 100000000000)"), "the memory budget is"),
        ("bad.npy", shape("(18446744073709551615, 18446744073709551615)"), "the memory budget is"),
        ("bad.npy", shape("(3, 2)"), "is cut off: 48 bytes announced, 0 there"),
        ("bad.npy", shape("(-3, 2)"), "damaged header"),
        ("bad.npy", sample("usual.npz"), "is not an .npy file"),
        ("bad.npz", sample("x.npy"), "is not a sound .npz archive"),
        ("bad.npz", good(8).csv().into_bytes(), "is not a sound .npz archive"),
        (
            "bad.idx",
            b"\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
            "memory budget",
        ),
        ("bad.idx", b"\0\0\x07\x01\0\0\0\x01".to_vec(), "values of type 0x07"),
        ("bad.idx", sample("x.npy"), "is not an idx file"),
        ("bad.svm", b"1 1:2\n1 x:2\n".to_vec(), "line 2: `x:2` has no index"),
        ("bad.svm", b"1 1:2 1:3\n".to_vec(), "line 1: index 1 follows 1"),
        ("bad.svm", b"u 1:2\n".to_vec(), "line 1: label `u` is not a finite number"),
        ("bad.svm", b"1 1:inf\n".to_vec(), "line 1: `inf` is not a finite number, index 1"),
        ("bad.svm", b"\xfe\n".to_vec(), "line 1: is not UTF-8 text"),
        ("bad.svm", sample("x.npy"), "line 1: "),
        ("bad.parquet", sample("x.npy"), "is not a Parquet file"),
        ("bad.parquet", b"PAR1\xff\xff\xff\xffPAR1".to_vec(), "its footer announces 4294967295 bytes"),
        ("bad.parquet", b"PAR1\0\0\0\0PAR1".to_vec(), "is damaged"),
    ] {
        let both = on_both_sides(bad).map(|case| case.file(bad, bytes.clone()));
        cases.extend(both.map(|case| case.says(&[&format!("`{bad}`"), says])));
    }
    for (spec, says) in [
        ("x.npy:none.npy", "`none.npy`"),
        ("x.npy:", "``"),
        ("none.npz:X,y", "`none.npz`"),
        ("none.parquet", "`none.parquet`"),
        ("x.npy:box.npy", "`x.npy`: has shape 2 x 3, but `box.npy` has 24 values"),
        ("usual.npz:X,Y", "has no array `Y`"),
        ("usual.npz:X,other,y", "has no array `other,y`"),
        ("base1.svmlight:one", "`one` stands behind the file"),
    ] {
        cases.extend(on_both_sides(spec).map(|case| case.says(&[says])));
    }
    let [target, source] = on_both_sides("frame.parquet");
    cases.push(target.with("--label label").says(&["`frame.parquet`", "has no column `x1`"]));
    cases.push(source.with("--label y").says(&["`frame.parquet`", "`y`"]));
    let [target, _] = on_both_sides("bad.svm");
    cases.push(target.file("bad.svm", "# no rows").says(&["`bad.svm`", "has no rows"]));
    let sparse = quick().file("source.svm", "1 1:2 3:4\n2 1:1\n").file("target.csv", "x1\n5\n");
    let sparse = Case { arguments: Vec::new(), ..sparse };
    let sparse = sparse.with("transfer --source source.svm --target target.csv --method none --learner 1-nn");
    cases.push(sparse.says(&["`target.csv`", "has no column `x3`, which `source.svm` has"]));
    cases
}

// -------------------------------------------------------------------------------------------------------- flags

fn flags() -> Vec<Case> {
    let mut cases = Vec::new();
    // A value and what the message must say beside the flag.
    for (flag, values) in [
        ("--method", &["nosuch", "JDA", "", "1-nn", "jda,tca", "\u{1f642}"][..]),
        ("--learner", &["nosuch", "SVM", "", "coral"]),
        ("--preprocess", &["nosuch", "", "none,,l1", "l1;l2", "zscore", "L1"]),
        ("--task", &["regress", "", "1", "Classification"]),
        ("--missing", &["median", "", "0", "ERROR"]),
        ("--target-labels", &["learn", "", "yes"]),
        ("--threads", &["0", "-1", "abc", "99999", "", "1.5", "1025", "18446744073709551616"]),
        ("--seed", &["-1", "abc", "", "1.5", "18446744073709551616", "0x1"]),
        (
            "--memory",
            &["0", "-1", "1B", "", "GiB", "4XiB", "nan", "infGiB", "1e30", "1023KiB", "lots", "1 2MiB"],
        ),
    ] {
        for value in values {
            let case = tables().argument(flag).argument(value);
            let kind = flag.trim_start_matches("--");
            cases.push(match kind {
                "method" | "learner" => case.says(&[&format!("unknown {kind} `{value}`"), "known: "]),
                "preprocess" => case.says(&["unknown preprocessing step `", "known: none, l1, l2"]),
                _ => case.says(&[flag]).says(&[value]),
            });
        }
        cases.push(tables().with(flag).says(&[flag, "value"]));
        cases.push(
            tables().argument(flag).argument(values[0]).argument(flag).argument(values[0]).says(&[flag]),
        );
    }
    for (arguments, says) in [
        ("--method corral", "did you mean `coral`?"),
        ("--method jad", "did you mean `jda`?"),
        ("--method none --learner 1nn", "did you mean `1-nn`?"),
        ("--method none --learner class-mean", "did you mean `class-means`?"),
        ("--preprocess standardise", "did you mean `standardize`?"),
        ("--method tca --set component=3", "did you mean `components`?"),
        ("--method jda --set iteration=3", "did you mean `iterations`?"),
        ("--method coral --set regularisation=1", "did you mean `regularization`?"),
        ("--methd tca", "'--methd'"),
        ("--nonsense", "'--nonsense'"),
        ("-x", "'-x'"),
        ("stray", "'stray'"),
        ("--json --quiet", "'--quiet'"),
        ("--quiet=yes", "'--quiet'"),
        ("--set", "'--set"),
        ("--method tca --set components", "`components` has no `=`"),
        ("--method tca --set components:3", "`components:3` has no `=`"),
        ("--method tca --set components=3,", "`` has no `=`"),
        ("--method tca --set components=3,,kernel=rbf", "`` has no `=`"),
        ("--method tca --set components=3,components=4", "names `components` twice"),
        ("--method tca --set components=3 --set components=3", "names `components` twice"),
        ("--method tca --set =3", "parameter of `tca` ``"),
        ("--method tca --set Components=3", "parameter of `tca` `Components`"),
        ("--method tca --set iterations=3", "parameter of `tca` `iterations`"),
        ("--method none --set components=3", "parameter of `none` `components`"),
        ("--method target-only --learner 1-nn", "learns from labelled target rows"),
        ("--method none --learner class-means --task regression --label a", "`class-means` predicts classes"),
        ("--method none --learner svm --task regression --label a", "`svm` predicts classes"),
        (
            "--method coral --learner class-means --task regression --label a",
            "`class-means` predicts classes",
        ),
        ("--method jda --learner 1-nn --task regression --label a", "`jda` predicts classes, not numbers"),
        ("--method jda --learner 1-nn --label a", "`jda` predicts classes, not numbers"),
        ("--method easytl --label a", "`easytl` predicts classes, not numbers"),
        ("--method kmm --learner 1-nn", "`1-nn` cannot use row weights"),
        ("--method nearest-neighbor --learner 1-nn", "`1-nn` cannot use row weights"),
    ] {
        let mut case = tables().says(&[says]);
        if arguments.contains("--label") {
            case.arguments.truncate(5);
        }
        cases.push(case.with(arguments));
    }
    let unlabelled = good(8).column("y", "").csv();
    let target_only = tables().with("--method target-only --learner 1-nn --target-labels use");
    cases.push(target_only.file("target.csv", unlabelled).says(&["`target-only`", "there are none"]));
    for (out, files, says) in [
        ("source.csv", &[][..], "is a file, not a folder"),
        ("source.csv/run", &[], "`source.csv/run`"),
        ("full", &["full/thesis.tex"], "holds files that are not those of a run"),
        ("full", &["full/run.json/"], "holds files that are not those of a run"),
        (".", &[], "holds files that are not those of a run"),
        ("full", &["full/run.json"], "holds files that are not those of a run"),
        ("full", &["full/run.json", "full/predictions.csv/"], "holds files that are not those of a run"),
        ("full", &["full/run.json", "full/model.safetensors/"], "holds files that are not those of a run"),
        ("full", &["full/run.json", "full/report.html/"], "holds files that are not those of a run"),
    ] {
        let files = files.iter().fold(quick(), |case, name| case.file(name, ""));
        cases.push(files.with("--out").argument(out).says(&[out, says]));
    }
    cases.push(quick().with("--out").argument(&"x".repeat(300)).says(&["xxx`"]));
    cases.push(quick().with("--out").argument("").says(&["--out"]));
    for (call, says) in [
        ("methods nosuch", "unknown method `nosuch`"),
        ("methods kernel", "known: none, target-only"),
        ("methods corla", "did you mean `coral`?"),
        ("methods jda --markdown", "--markdown"),
        ("methods --by colour", "unknown classification `colour`"),
        ("methods --by colour", "known: scenario, object, strategy, task"),
        ("methods --by scenarios", "did you mean `scenario`?"),
        ("methods jda --by task", "--by"),
        ("methods --json", "--json"),
        ("transfr", "'transfr'"),
        ("transfer methods", "'methods'"),
        ("--seed 1", "'--seed'"),
    ] {
        cases.push(Case::call(call).says(&[says]));
    }
    cases
}

/// Every parameter of every method is refused what is not of its kind; those with a known range, what lies outside.
fn parameters() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut refuse = |method: &str, name: &str, value: &str| {
        let case =
            tables().with("--method").with(method).argument("--set").argument(&format!("{name}={value}"));
        cases.push(case.says(&[&format!("`{method}`: `{name}` must be "), &format!("got {value}")]));
    };
    for row in METHODS {
        for param in (row.params)() {
            let wrong: &[&str] = match param.default {
                Value::Number(_) | Value::Null => &["many", "", "nan", "-inf", "1e400", "[1]"],
                Value::Bool(_) => &["maybe", "", "1"],
                _ => &["no-such", "", "1"],
            };
            for value in wrong {
                refuse(row.name, &param.name, value);
            }
            let named = ["components", "iterations", "regularization", "bandwidth"];
            if named.contains(&param.name.as_str()) && row.name != "tsl" {
                refuse(row.name, &param.name, "0");
                refuse(row.name, &param.name, "-1");
            }
        }
    }
    for method in ["tca", "jda", "coral"] {
        for value in ["-0", "inf", "true", "null"] {
            refuse(method, "regularization", value);
        }
    }
    for (method, name) in [("tca", "components"), ("jda", "components"), ("jda", "iterations")] {
        for value in
            ["1.5", "inf", "99999999999999999999", "18446744073709551615", "9007199254740992", "null"]
        {
            refuse(method, name, value);
        }
    }
    for method in ["tca", "jda"] {
        for value in ["LINEAR", "gaussian", "null"] {
            refuse(method, "kernel", value);
        }
    }
    for (method, name, value) in [
        ("kmm", "bound", "0"),
        ("kmm", "bound", "-1"),
        ("kmm", "bound", "0.5"),
        ("kmm", "slack", "-1"),
        ("kmm", "slack", "2"),
        ("nearest-neighbor", "smoothing", "-1"),
        ("easytl", "alignment", "CORAL"),
    ] {
        refuse(method, name, value);
    }
    cases
}

// ------------------------------------------------------------------------------------- predict, bench, memory

/// A model file by hand: the JSON text and the tensors' header and data.
fn model_file(model: &Value, tensors: &[(&str, [usize; 2], &[f64])]) -> Vec<u8> {
    let mut header = json!({"__metadata__": {"juyi": model.to_string()}});
    let mut data = Vec::new();
    for (name, shape, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        header[*name] = json!({"dtype": "F64", "shape": shape, "data_offsets": [start, data.len()]});
    }
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
}

/// A sound model over the columns `a` and `b`: the mean of `u` at 0, of `v` at 1.
fn model_json() -> Value {
    json!({"format": 1, "model": {
        "about": {"method": "none", "params": {}, "learner": "class-means", "seed": 0, "stores_rows": false},
        "goal": {"classes": ["u", "v"]},
        "encoding": {
            "columns": [
                {"name": "a", "kind": {"number": {"mean": 0.0}}},
                {"name": "b", "kind": {"number": {"mean": 0.0}}},
            ],
            "missing": "error", "label": "y", "id": [],
        },
        "columns": 2,
        "maps": [],
        "predictor": {"predictor": "class-means"},
    }})
}

const MEANS: (&str, [usize; 2], &[f64]) = ("predictor.means", [2, 2], &[0.0, 0.0, 1.0, 1.0]);
const OFFSETS: (&str, [usize; 2], &[f64]) = ("predictor.offsets", [1, 2], &[0.0, 0.0]);

fn good_model() -> Vec<u8> {
    model_file(&model_json(), &[MEANS, OFFSETS])
}

fn predict() -> Vec<Case> {
    let call = || {
        Case::call("predict model.safetensors rows.csv")
            .file("model.safetensors", good_model())
            .file("rows.csv", good(8).csv())
    };
    let mut cases = Vec::new();
    let mut model = |bytes: Vec<u8>, says: &[&str]| {
        let says = [&["`model.safetensors` is not a model that this version can use"], says].concat();
        cases.push(call().file("model.safetensors", bytes).says(&says));
    };
    let whole = good_model();
    for length in (0..whole.len()).step_by(37).chain([7, 8, 9, whole.len() - 1]) {
        model(whole[..length].to_vec(), &["not a complete safetensors file"]);
    }
    model([&whole[..], b"more"].concat(), &["not a complete safetensors file"]);
    for bytes in [&b"PK\x03\x04 a zip of pickles"[..], b"\x80\x04\x95 a pickle", b"{}", &[0xff; 64]] {
        model(bytes.to_vec(), &["not a complete safetensors file"]);
    }
    model(good(8).csv().into_bytes(), &["not a complete safetensors file"]);
    model([&2u64.to_le_bytes()[..], b"{}"].concat(), &["another program wrote it"]);
    let foreign = json!({"__metadata__": {"format": "pt"}}).to_string();
    model(
        [&(foreign.len() as u64).to_le_bytes()[..], foreign.as_bytes()].concat(),
        &["another program wrote it"],
    );
    // The JSON text with one thing changed, and the reason.
    let part = |pointer: &str, value: Value| {
        let mut json = model_json();
        *json.pointer_mut(pointer).expect("a part of the model") = value;
        json
    };
    for (pointer, value, says) in [
        ("/format", json!(2), "format 2, this version reads up to 1"),
        ("/format", json!(4_000_000_000_u32), "format 4000000000"),
        ("/format", json!(-1), "metadata are damaged"),
        ("/format", json!("1"), "metadata are damaged"),
        ("/model", json!(null), "metadata are damaged"),
        ("/model/about", json!([]), "metadata are damaged"),
        ("/model/goal", json!({"classes": []}), "knows no class"),
        ("/model/goal", json!({"classes": ["u"]}), "do not fit together"),
        ("/model/goal", json!({"classes": ["u", "u"]}), "two classes named `u`"),
        ("/model/goal", json!({"classes": ["u", "v", "w"]}), "do not fit together"),
        ("/model/goal", json!("value"), "do not fit together"),
        ("/model/goal", json!("nosuch"), "metadata are damaged"),
        ("/model/columns", json!(3), "do not fit together"),
        ("/model/columns", json!(0), "do not fit together"),
        ("/model/columns", json!(u64::MAX), "do not fit together"),
        ("/model/columns", json!(-2), "metadata are damaged"),
        ("/model/encoding/columns", json!([]), "do not fit together"),
        ("/model/encoding/columns/1/name", json!("a"), "two columns named `a`"),
        ("/model/encoding/columns/1/kind", json!({"text": {"values": []}}), "do not fit together"),
        ("/model/encoding/columns/1/kind", json!({"text": {"values": ["p", "q"]}}), "do not fit together"),
        ("/model/encoding/columns/1/kind", json!({"number": {"mean": null}}), "metadata are damaged"),
        ("/model/encoding/columns/1/kind", json!({"number": {"mean": 1e300}}), "the mean of column `b`"),
        ("/model/encoding/missing", json!("guess"), "metadata are damaged"),
        ("/model/maps", json!([{"map": "nosuch"}]), "metadata are damaged"),
        ("/model/maps", json!([{"map": "affine"}]), "tensor `maps.0.shift`"),
        ("/model/maps", json!([{"map": "project"}]), "tensor `maps.0.matrix`"),
        ("/model/maps", json!([{"map": "kernel-project", "bandwidth": 1.0}]), "tensor `maps.0.rows`"),
        ("/model/predictor", json!({"predictor": "nosuch"}), "metadata are damaged"),
        ("/model/predictor", json!({"predictor": "linear", "link": "softmax"}), "tensor `predictor.weights`"),
        ("/model/predictor", json!({"predictor": "neighbors", "classes": 2}), "tensor `predictor.rows`"),
    ] {
        model(model_file(&part(pointer, value), &[MEANS, OFFSETS]), &[says]);
    }
    let mut text = model_json();
    text["model"]["encoding"] = json!(null);
    cases.push(
        call()
            .file("model.safetensors", model_file(&text, &[MEANS, OFFSETS]))
            .says(&["does not know tables"]),
    );
    let mut tensors = |json: &Value, tensors: &[(&str, [usize; 2], &[f64])], says: &str| {
        let says = ["`model.safetensors`", says];
        cases.push(call().file("model.safetensors", model_file(json, tensors)).says(&says));
    };
    let sound = model_json();
    tensors(&sound, &[MEANS], "tensor `predictor.offsets`");
    tensors(&sound, &[], "tensor `predictor.means`");
    for (shape, values) in [([2, 1], &[0.0, 1.0][..]), ([1, 4], &[0.0; 4])] {
        tensors(&sound, &[("predictor.means", shape, values), OFFSETS], "do not fit together");
    }
    for shape in [[0, 2], [2, 0], [0, 0], [usize::MAX / 16, 0], [0, usize::MAX / 16]] {
        tensors(&sound, &[("predictor.means", shape, &[]), OFFSETS], "`predictor.means` is F64 of shape");
    }
    tensors(&sound, &[("predictor.means", [3, 2], &[0.0; 4]), OFFSETS], "not a complete safetensors file");
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        tensors(&sound, &[("predictor.means", [2, 2], &[0.0, bad, 1.0, 1.0]), OFFSETS], "not finite");
    }
    let near = part("/model/predictor", json!({"predictor": "neighbors", "classes": 2}));
    for class in [2.0, -1.0, 0.5, 1e300] {
        let rows = ("predictor.rows", [1, 2], &[0.0, 0.0][..]);
        tensors(&near, &[rows, ("predictor.answers", [1, 1], &[class])], "of 2");
    }
    for bandwidth in [0.0, -1.0, 1e-200] {
        let map = part("/model/maps", json!([{"map": "kernel-project", "bandwidth": bandwidth}]));
        let (rows, coefficients) =
            (("maps.0.rows", [1, 2], &[0.0; 2][..]), ("maps.0.coefficients", [1, 2], &[0.0; 2][..]));
        tensors(&map, &[MEANS, OFFSETS, rows, coefficients], "`bandwidth`");
    }

    // Tables that do not fit the model.
    for (bytes, says) in [
        (good(8).without("a").csv(), "has no column `a`, which the model needs"),
        (good(8).without("a").without("b").csv(), "has no column `a`, `b`"),
        (good(8).cell(3, "a", "x").csv(), "line 4, column `a`"),
        (good(8).cell(3, "b", "inf").csv(), "line 4, column `b`"),
        (good(8).cell(3, "b", "1e300").csv(), "line 4, column `b`"),
        (good(8).cell(6, "b", "").csv(), "line 7, column `b`"),
        (good(8).column("b", "red").csv(), "line 2, column `b`"),
        (String::new(), "is empty"),
        ("a,b\n".into(), "has no rows"),
        ("a,a\n1,2\n".into(), "two columns named `a`"),
        ("a,b\n1\n".into(), "line 2"),
    ] {
        cases.push(call().file("rows.csv", bytes).says(&["`rows.csv`", says]));
    }
    cases.push(call().with("--label nosuch").says(&["`rows.csv`", "`nosuch`", "known: a, b, c, y"]));
    cases.push(call().with("--label").argument("").says(&["`rows.csv`"]));
    // A regression's truth must be numbers.
    let mut line = part("/model/goal", json!("value"));
    line["model"]["predictor"] = json!({"predictor": "linear", "link": "identity"});
    let (weights, bias) =
        (("predictor.weights", [2, 1], &[1.0; 2][..]), ("predictor.bias", [1, 1], &[0.0][..]));
    let line = call().with("--label y").file("model.safetensors", model_file(&line, &[weights, bias]));
    cases.push(line.says(&["`rows.csv`, line 2", "`u` is not a number"]));
    // A sound model, and a row that is too far for it.
    let mut steep = sound.clone();
    steep["model"]["predictor"] = json!({"predictor": "linear", "link": "identity"});
    let weights = ("predictor.weights", [2, 2], &[1e250, 0.0, 0.0, 1e250][..]);
    let steep = model_file(&steep, &[weights, ("predictor.bias", [1, 2], &[0.0; 2])]);
    let far = call().file("model.safetensors", steep).file("rows.csv", good(8).cell(3, "b", "1e90").csv());
    cases.push(far.says(&["`rows.csv`, line 4: its prediction is not finite", "column `b` (1e90)"]));
    // Numbers beyond all have no name in JSON, but they can be written.
    let written = String::from_utf8_lossy(&model_file(&sound, &[])[8..]).into_owned();
    let header = written.replacen(r#"\"mean\":0.0"#, r#"\"mean\":1e999"#, 1);
    assert!(header.contains("1e999"));
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    cases
        .push(call().file("model.safetensors", bytes).says(&["`model.safetensors`", "metadata are damaged"]));
    for out in ["none/predictions.csv", "rows.csv/predictions.csv", "folder", "folder/none/predictions.csv"] {
        let says = format!("`{out}`");
        cases.push(call().file("folder/", "").with("--out").argument(out).says(&[&says]));
    }
    for (arguments, says) in [
        ("predict", "<MODEL>"),
        ("predict model.safetensors", "<TABLE>"),
        ("predict none rows.csv", "`none`"),
        ("predict none.safetensors rows.csv", "`none.safetensors`"),
        ("predict folder rows.csv", "`folder/model.safetensors`"),
        ("predict rows.csv rows.csv", "`rows.csv` is not a model"),
        ("predict model.safetensors none.csv", "`none.csv`"),
        ("predict model.safetensors folder", "`folder`"),
        ("predict model.safetensors rows.csv more.csv", "'more.csv'"),
        ("predict model.safetensors rows.csv --method tca", "--method"),
        ("predict model.safetensors rows.csv --threads 0", "--threads"),
        ("predict model.safetensors rows.csv --seed -1", "--seed"),
        ("predict model.safetensors rows.csv --memory 1", "--memory"),
        ("predict model.safetensors plain.mat", "has no column `a`, `b`"),
    ] {
        let case = Case::call(arguments).file("folder/", "").file("model.safetensors", good_model());
        cases.push(case.file("rows.csv", good(8).csv()).file("plain.mat", golden("plain.mat")).says(&[says]));
    }
    cases
}

/// A record with something in every field.
const RECORD: &str = include_str!("../../juyi/tests/report/run.json");

/// Sources that are models.
fn models() -> Vec<Case> {
    let call = |more: &str| {
        Case::call("transfer --source old.safetensors --target target.csv")
            .with(more)
            .file("old.safetensors", good_model())
            .file("target.csv", good(8).csv())
    };
    let uses = "--target-labels use";
    let mut bare = model_json();
    bare["model"]["encoding"] = json!(null);
    let no_b = "a,c,y\n1,2,u\n3,4,v\n";
    vec![
        call("--method coral").says(&["`coral` learns from source rows", "biased-regularization"]),
        call("--method ser").with(uses).says(&["`ser` refines trees", "`old.safetensors` has none"]),
        call("--method biased-regularization").says(&["labelled target rows", "--target-labels use"]),
        call("--method gaussian-prior").with(uses).says(&["`old.safetensors` is not a linear model"]),
        call("--method statistics-reestimation").says(&["finds no standardisation in `old.safetensors`"]),
        call("--method biased-regularization --set loss=squares,penalty=0").with(uses).says(&["`penalty`"]),
        call("--method biased-regularization --set loss=logistic")
            .with(uses)
            .says(&["logistic source model"]),
        call("--method nosuch").says(&["unknown method `nosuch`"]),
        call("--set penalty=1").says(&["`--set`", "`auto`"]),
        call(uses).with("--label grade").says(&["`target.csv`: has no column `grade`"]),
        call("").file("target.csv", no_b).says(&["`target.csv`", "`b`", "which the model needs"]),
        call("").file("target.csv", "a,b,y\n").says(&["`target.csv`", "has no rows"]),
        call("").file("target.csv", "a,b,y\n1,x,u\n").says(&["`target.csv`", "`b`"]),
        call("").file("target.csv", "a,b,y\n1,,u\n").says(&["`target.csv`, line 2", "is missing"]),
        call("")
            .file("old.safetensors", "no model")
            .says(&["`old.safetensors`", "not a complete safetensors file"]),
        call("").file("old.safetensors", model_file(&bare, &[MEANS, OFFSETS])).says(&["bare matrices"]),
        call("--source source.csv")
            .file("source.csv", good(12).csv())
            .says(&["`--source old.safetensors`: is a model, and `source.csv` is a table"]),
        call("--source old.safetensors --method biased-regularization")
            .with(uses)
            .says(&["one model", "there are 2"]),
        Case::call("transfer --source empty --target target.csv --label y")
            .file("empty/", "")
            .file("target.csv", good(8).csv())
            .says(&["`empty`", "is a folder"]),
        call("--learner nosuch").says(&["unknown learner `nosuch`"]),
    ]
}

fn shifts() -> Vec<Case> {
    [
        ("", "<KIND>"),
        ("label", "--out"),
        ("nosuch --out d", "nosuch"),
        ("label --out d --columns 2", "`columns` must be 3 or above, got 2"),
        ("label --out d --rows 0", "`rows` must be 1 or above, got 0"),
        ("label --out d --target-rows 0", "`rows` must be 1 or above, got 0"),
        ("label --out d --rows -1", "--rows"),
        ("label --out d --classes 1", "`classes` must be from 2 to 1000, got 1"),
        ("label --out d --classes 1001", "`classes` must be from 2 to 1000"),
        ("label --out d --strength -1", "`strength` must be from 0 to 10, got -1"),
        ("label --out d --strength nan", "`strength` must be from 0 to 10, got NaN"),
        ("covariate --out d --noise -0.5", "`noise` must be from 0 to 1000"),
        ("label --out d --task regression", "not of numbers"),
        ("covariate --out d --rows 99999999999", "memory"),
        ("covariate --out d --columns 9999999999999", "memory"),
        ("covariate --out file", "`file`"),
        ("covariate --out d --threads 0", "--threads"),
    ]
    .into_iter()
    .map(|(rest, says)| Case::call("data shift").with(rest).file("file", "a file").says(&[says]))
    .collect()
}

fn report() -> Vec<Case> {
    let mut cases = Vec::new();
    for (arguments, says) in [
        ("report", "<RUN>"),
        ("report none", "`none/run.json`"),
        ("report folder", "`folder/run.json`"),
        ("report rows.csv", "`rows.csv`: is a file, not a run folder"),
        ("report folder --out page.html", "--out"),
        ("report folder folder", "'folder'"),
    ] {
        let case = Case::call(arguments).file("folder/", "").file("rows.csv", good(8).csv());
        cases.push(case.says(&[says]));
    }
    let later = RECORD.replacen("\"format\": 2", "\"format\": 99", 1);
    let no_number = RECORD.replacen("\"format\": 2", "\"format\": \"\\u001b[31m\"", 1);
    let more = format!("{RECORD} {{}}");
    let half = &RECORD[..RECORD.len() / 2];
    let negative = RECORD.replacen("\"scored_rows\": ", "\"scored_rows\": -", 1);
    let verdict = RECORD.replacen("\"verdict\": \"transfer\"", "\"verdict\": \"\\u001b[31m\"", 1);
    for (record, says) in [
        ("", "is not JSON"),
        (half, "is not JSON"),
        (&more, "is not JSON"),
        (&"[".repeat(100_000), "is not JSON"),
        ("[1, 2]", "is not the record of a run: it has no version"),
        ("{\"version\": 1}", "is not the record of a run: it has no version"),
        ("{\"version\": \"0.1.0\", \"rows\": 3}", "is not the record of a run (missing field"),
        (&later, "has format 99, this version reads up to 2"),
        (&no_number, "this version reads up to 2"),
        (&negative, "is not the record of a run (invalid value"),
        (&verdict, "is not the record of a run (unknown variant"),
    ] {
        let case = Case::call("report folder").file("folder/run.json", record);
        cases.push(case.says(&["`folder/run.json`", says]));
    }
    let taken = Case::call("report folder").file("folder/run.json", RECORD).file("folder/report.html/", "");
    cases.push(taken.says(&["`folder/report.html`"]));
    cases
}

fn bench() -> Vec<Case> {
    let file = "digits/mnist_vs_usps.mat";
    [
        ("bench", "<TABLE>"),
        ("bench digits-jda", "--data"),
        ("bench digits-jda --data", "--data"),
        ("bench digits-jda --data none", "`none/digits/mnist_vs_usps.mat`"),
        ("bench digits-jda --data none --json", "`none/digits/mnist_vs_usps.mat`"),
        ("bench office-caltech-surf --data none", "`none/office_caltech10/caltech_SURF_L10.mat`"),
        ("bench digits-jda --data digits", "`digits/digits/mnist_vs_usps.mat`"),
        ("bench digits-jda --data digits/mnist_vs_usps.mat", "mnist_vs_usps.mat/digits"),
        ("bench digits-jda --data .", "`./digits/mnist_vs_usps.mat`"),
        ("bench digits-jda --data . --method none", "has no variable `X_src`"),
        ("bench digits-jda --data . --method nosuch", "unknown method `nosuch`"),
        ("bench digits-jda --data . --method jad", "did you mean `jda`?"),
        ("bench nosuch --data .", "unknown table `nosuch`"),
        (
            "bench digits --data .",
            "known: office-caltech-surf, office-caltech-draws, office-caltech-images, digits-jda, amazon-reviews",
        ),
        ("bench digits-jdb --data .", "did you mean `digits-jda`?"),
        ("bench digits-jda --data . --threads -1", "--threads"),
        ("bench digits-jda --data . --memory 12", "--memory"),
        ("bench digits-jda --data . --quiet", "'--quiet'"),
    ]
    .into_iter()
    .map(|(call, says)| Case::call(call).file(file, plain()).says(&[says]))
    .collect()
}

/// Files of tasks, and what is asked of them.
fn sweeps() -> Vec<Case> {
    let whole = "[[task]]\nsource = \"source.csv\"\ntarget = \"target.csv\"\nlabel = \"y\"\n";
    let of = |tasks: &str, more: &str| {
        let call = Case::call("bench --tasks tasks.toml").with(more).file("tasks.toml", tasks);
        call.file("source.csv", self::good(12).csv()).file("target.csv", self::good(8).csv())
    };
    let mut cases: Vec<Case> = [
        ("sorce = \"a.csv\"\n", "did you mean `source`?"),
        ("method = \"coral\"\n", "leave it out, and give `--methods`"),
        ("[[task]\n", "`tasks.toml`: line 1: "),
        ("", "has no task"),
        ("task = \"regression\"\n", "where the tasks begin"),
        ("[[task]]\n", "has no `source`"),
        ("[[task]]\nsource = 3\n", "`source` is no text"),
        ("[[task]]\nsource = \"source.csv\"\n", "has neither `target` nor `domain`"),
        (
            "[[task]]\nsource = \"source.csv\"\ntarget = \"t.csv\"\ndomain = \"d\"\n",
            "has both `target` and `domain`",
        ),
        ("[[task]]\nsource = [\"a.csv\", \"b.csv\"]\ndomain = \"d\"\n", "more than one `source`"),
        (
            "[[task]]\nsource = \"source.csv\"\ndomain = \"nosuch\"\n",
            "column of domains in `source.csv` `nosuch`",
        ),
        ("[[task]]\nsource = \"none.csv\"\ndomain = \"d\"\n", "`none.csv`"),
        ("[[task]]\nsource = \"-\"\ntarget = \"target.csv\"\n", "can be read once only"),
        (
            "[[task]]\nname = \"n\"\nsource = \"source.csv\"\ntarget = \"target.csv\"\nmissing = \"mien\"\n",
            "task `n` of `tasks.toml`: ",
        ),
        (
            "[[task]]\nsource = \"source.csv\"\ntarget = \"target.csv\"\nmissing = true\n",
            "`missing` is neither text nor number",
        ),
        (
            "[[task]]\nsource = \"source.csv\"\ntarget = \"target.csv\"\nsplits = \"stratifed\"\n",
            "did you mean `stratified`?",
        ),
        (
            "[[task]]\nsource = \"source.csv\"\ntarget = \"target.csv\"\nsplits = \"grouped\"\n",
            "there is no `groups`",
        ),
        (
            "[[task]]\nsource = \"source.csv\"\ntarget = \"target.csv\"\ngroups = \"g\"\n",
            "has `groups` and no `splits`",
        ),
        (&format!("{whole}{whole}"), "two are called `source->target`"),
    ]
    .into_iter()
    .map(|(tasks, says)| of(tasks, "").says(&[says]))
    .collect();
    cases.extend(
        [
            ("--methods corral", "did you mean `coral`?"),
            ("--methods coral(x=1)", "unknown parameter of `coral` `x`"),
            ("--methods coral(regularization=1", "unknown method"),
            ("--learners svn", "did you mean `svm`?"),
            ("--seeds 0,1,0", "name 0 twice"),
            ("--seeds 0,a", "--seeds"),
            ("--seeds 0 --seed 1", "--seed"),
            ("--format pdf", "give `md` or `csv` or `latex`"),
            ("--part 5/4", "`5/4` is no part of a whole"),
            ("--part 1/4 --format csv", "--format"),
            ("--out source.csv", "is the input `source.csv`, which would be overwritten"),
            ("--out tasks.toml", "is the input `tasks.toml`, which would be overwritten"),
            ("--halves", "`--halves`: is for published tables"),
            ("--json", "`--json`: is for published tables"),
            ("--figure r2", "--figure"),
        ]
        .map(|(more, says)| of(whole, more).says(&[says])),
    );
    cases.push(Case::call("bench --tasks none.toml").says(&["`none.toml`"]));
    cases.push(Case::call("bench --join none.json").says(&["`none.json`"]));
    cases.push(Case::call("bench digits-jda --data . --methods none").says(&["--methods"]));
    cases
}

/// What does not fit into one mebibyte.
fn memory() -> Vec<Case> {
    let wide = |rows: usize, columns: usize| {
        let cells = |cell: &dyn Fn(usize) -> String| (0..columns).map(cell).collect::<Vec<_>>().join(",");
        let mut lines = vec![cells(&|j| format!("c{j}")) + ",y"];
        lines.extend(
            (0..rows).map(|i| cells(&|j| ((i * 31 + j * 17) % 97).to_string()) + &format!(",{}", i % 2)),
        );
        lines.join("\n")
    };
    let small = tables().with("--method none --learner 1-nn --memory 1MiB").says(&["1.0 MiB"]);
    let words: Vec<String> = (0..20_000).map(|i| format!("{i},2,3,word number {i}")).collect();
    let words = format!("a,b,c,y\n{}", words.join("\n"));
    let endless = |start: &str| [start.as_bytes(), &vec![b'1'; 3 << 20]].concat();
    let coral = tables().with("--method coral --learner 1-nn --memory 1MiB").says(&["1.0 MiB"]);
    let each = "--preprocess standardize-each --method coral --learner 1-nn --memory 1MiB";
    let call = Case::call("predict model.safetensors rows.csv --memory 1MiB").says(&["1.0 MiB"]);
    let model =
        |bytes: Vec<u8>| call.clone().file("model.safetensors", bytes).file("rows.csv", good(8).csv());
    let predict = call.clone().says(&["`rows.csv`"]);
    let classes: Vec<String> = (0..1000).map(|i| format!("{i},2,3,name {i}")).collect();
    let classes = format!("a,b,c,y\n{}", classes.join("\n"));
    let mut many = model_json();
    many["model"]["about"]["params"] = json!(vec![0; 20_000]);
    let many = model_file(&many, &[MEANS, OFFSETS]);
    let mut wide_model = model_json();
    wide_model["model"]["maps"] = json!(vec![json!({"map": "augment", "blocks": vec![true; 1000]}); 3]);
    wide_model["model"]["predictor"] = json!({"predictor": "trees", "classes": 2, "counts": [1]});
    let nodes = ("predictor.nodes", [1, 4], &[-1.0, 0.0, 0.0, 0.0][..]);
    let values = ("predictor.values", [1, 2], &[0.5, 0.5][..]);
    vec![
        small.clone().file("source.csv", wide(20_000, 10)).says(&["`source.csv`, line "]),
        small.clone().file("target.csv", wide(20_000, 10)).says(&["`target.csv`, line "]),
        small.clone().file("source.csv", gzip(wide(20_000, 10).as_bytes())).says(&["`source.csv`, line "]),
        small.clone().file("source.csv", words.clone()).says(&["`source.csv`, line "]),
        small.clone().file("target.csv", words).says(&["`target.csv`, line "]),
        small.clone().file("source.csv", endless("a,b,c,y\n1,2,")).says(&["`source.csv`, line 2"]),
        small.clone().file("source.csv", endless("a,b,c,y\n1,2,3,u\n1,2,3,")).says(&["`source.csv`, line 3"]),
        small
            .clone()
            .file("target.csv", gzip(&endless("a,b,c,y\n1,2,3,u\n\"")))
            .says(&["`target.csv`, line 3"]),
        coral.file("source.csv", wide(10, 200)).file("target.csv", wide(10, 200)).says(&["`coral`"]),
        tables().with(each).file("source.csv", wide(900, 100)).file("target.csv", wide(20, 100)).says(&[
            "a second copy of the features",
            "1.0 MiB",
            "--memory",
        ]),
        predict
            .clone()
            .file("model.safetensors", good_model())
            .file("rows.csv", format!("a,b\n{}", "1,2\n".repeat(70_000))),
        // Names alone: of columns, and of classes.
        small.clone().file("source.csv", ",".repeat(4999)).says(&["`source.csv` with 5000 columns"]),
        tables()
            .with("--method none --learner 1-nn --memory 1MiB")
            .file("source.csv", classes)
            .says(&["the scores of 1008 rows for 1000 classes", "`y` looks like an identifier"]),
        // Models: as long as they are, with much to unfold, and with columns that multiply.
        model(vec![0; 1 << 20]).says(&["reading `model.safetensors`"]),
        model(many).says(&["the header of `model.safetensors`"]),
        model(model_file(&wide_model, &[nodes, values])).says(&["a prediction by `model.safetensors`"]),
    ]
}

// -------------------------------------------------------------------------------------------------- the tests

#[test]
fn every_bad_input_is_refused_by_name_and_nothing_is_touched() {
    let groups = [
        ("cells", cells()),
        ("lines", lines()),
        ("bytes", bytes()),
        ("paths", paths()),
        ("columns", columns()),
        ("MAT-files", mat_files()),
        ("formats", formats()),
        ("flags", flags()),
        ("parameters", parameters()),
        ("predict", predict()),
        ("models", models()),
        ("shifts", shifts()),
        ("report", report()),
        ("bench", bench()),
        ("sweeps", sweeps()),
        ("memory", memory()),
    ];
    let counts: Vec<String> = groups.iter().map(|(name, cases)| format!("{name} {}", cases.len())).collect();
    let cases: Vec<Case> = groups.into_iter().flat_map(|(_, cases)| cases).collect();
    assert!(cases.len() >= 300, "{} cases: {}", cases.len(), counts.join(", "));
    let wrong = each(&cases, trouble);
    let (bad, all) = (wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{bad} of {all} cases ({}):\n\n{}", counts.join(", "), wrong.join("\n\n"));
}

#[test]
fn the_inputs_that_are_spoilt_are_good_before() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &quick().files);
    lay_out(folder.path(), &[("good.mat".into(), plain()), ("model.safetensors".into(), good_model())]);
    for arguments in [
        "transfer --source source.csv --target target.csv --label y --method none --learner 1-nn --out csv",
        "transfer --source good.mat --target good.mat --method none --learner 1-nn --out mat",
        "predict model.safetensors target.csv --label y",
        "predict csv target.csv",
        "report csv",
    ] {
        let arguments: Vec<String> = arguments.split(' ').map(str::to_string).collect();
        let Ran { code, out, err } = run(folder.path(), &arguments);
        assert!(code == Some(0) && !out.is_empty(), "{arguments:?}: {err}");
    }
}

/// Sound files with numbers at the ends of their range.
#[test]
fn extreme_models_never_lead_to_a_panic() {
    let mut models = Vec::new();
    for (big, bandwidth) in [(1e308, 1e-300), (-1e308, 1.0), (1e-308, 1e-300), (1e200, 1e300)] {
        let four = [big, -big, big, big];
        let affine = [("maps.0.shift", [1, 2], &four[..2]), ("maps.0.scale", [1, 2], &four[1..3])];
        let kernel = [("maps.0.rows", [2, 2], &four[..]), ("maps.0.coefficients", [2, 2], &four[..])];
        let rows = ("predictor.rows", [2, 2], &four[..]);
        let answers = ("predictor.answers", [2, 1], &[0.0, 1.0][..]);
        let shares = ("predictor.answers", [2, 2], &four[..]);
        let means = ("predictor.means", [2, 2], &four[..]);
        let weights = ("predictor.weights", [2, 2], &four[..]);
        let weight = ("predictor.weights", [2, 1], &four[..2]);
        let (biases, bias) = (("predictor.bias", [1, 2], &four[..2]), ("predictor.bias", [1, 1], &four[..1]));
        for (map, map_tensors) in [
            (json!([]), &[][..]),
            (json!([{"map": "affine"}]), &affine),
            (json!([{"map": "kernel-project", "bandwidth": bandwidth}]), &kernel),
            (json!([{"map": "normalize-rows-l1"}]), &[]),
            (json!([{"map": "normalize-rows-l2"}]), &[]),
        ] {
            for (classes, predictor, tensors) in [
                (true, json!({"predictor": "neighbors", "classes": 2}), [rows, answers]),
                (false, json!({"predictor": "neighbors", "classes": 0}), [rows, answers]),
                (
                    true,
                    json!({"predictor": "propagation", "classes": 2, "bandwidth": bandwidth}),
                    [rows, shares],
                ),
                (
                    false,
                    json!({"predictor": "propagation", "classes": 0, "bandwidth": bandwidth}),
                    [rows, answers],
                ),
                (true, json!({"predictor": "class-means"}), [means, OFFSETS]),
                (true, json!({"predictor": "linear", "link": "softmax"}), [weights, biases]),
                (false, json!({"predictor": "linear", "link": "identity"}), [weight, bias]),
            ] {
                let mut json = model_json();
                json["model"]["goal"] = if classes { json!({"classes": ["u", "v"]}) } else { json!("value") };
                json["model"]["maps"] = map.clone();
                json["model"]["predictor"] = predictor;
                models.push((model_file(&json, &[&tensors, map_tensors].concat()), json.to_string()));
            }
        }
    }
    let wrong = each(&models, |_, (bytes, json)| {
        let rows = good(8).without("y").csv().into_bytes();
        let files = [("model.safetensors".to_string(), bytes.clone()), ("rows.csv".to_string(), rows)];
        Some(format!("{json}: {}", collapse(&files, "predict model.safetensors rows.csv --out out")?))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn random_changes_of_a_table_never_lead_to_a_panic() {
    let (mut random, text) = (Random(7), good(12).csv());
    let alphabet = b",;\t\"\n\r\0\xff\xe9\xef 0123456789.-+eEinfaNA?y'#";
    let tables: Vec<Vec<u8>> = (0..600).map(|_| random.spoil(text.as_bytes(), 0, alphabet)).collect();
    let wrong = each(&tables, |number, table| {
        let (good, spoilt) = (text.clone().into_bytes(), table.clone());
        let (source, target) = if number % 3 == 0 { (good, spoilt) } else { (spoilt, good) };
        let files = [("source.csv".to_string(), source), ("target.csv".to_string(), target)];
        let method = METHODS[number % METHODS.len()].name;
        let learner = LEARNERS[number / METHODS.len() % LEARNERS.len()].name;
        let missing = ["error", "mean", "drop"][number / 4 % 3];
        let arguments = format!(
            "transfer --source source.csv --target target.csv --label y --method {method} --learner {learner} \
             --missing {missing} --out out"
        );
        let why = collapse(&files, &arguments)?;
        Some(format!("{arguments}\n{:?}\n  {why}", String::from_utf8_lossy(table)))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn turned_bits_in_a_mat_file_never_lead_to_a_panic() {
    let mut random = Random(11);
    let mut files = Vec::new();
    for (name, count) in [("plain.mat", 150), ("packed.mat", 150), ("big.mat", 100)] {
        let bytes = if name == "plain.mat" { plain() } else { golden(name) };
        files.extend((0..count).map(|_| random.flip(&bytes, 100)));
    }
    let wrong = each(&files, |number, bytes| {
        let files = [("good.mat".to_string(), plain()), ("bad.mat".to_string(), bytes.clone())];
        let arguments =
            "transfer --source bad.mat:fts,labels --target good.mat --method none --learner 1-nn --out out";
        Some(format!("file {number}: {}", collapse(&files, arguments)?))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn turned_bits_in_other_formats_never_lead_to_a_panic() {
    let mut random = Random(17);
    let mut files = Vec::new();
    for (name, count) in [
        ("x.npy", 40),
        ("usual.npz", 60),
        ("t-images.idx3", 40),
        ("base1.svmlight", 40),
        ("frame.parquet", 80),
        ("zstd-2.parquet", 80),
        ("encodings-1.parquet", 80),
    ] {
        let bytes = sample(name);
        files.extend((0..count).map(|_| (name, random.flip(&bytes, 0))));
    }
    let wrong = each(&files, |number, (name, bytes)| {
        let files = [("good.mat".to_string(), plain()), ((*name).to_string(), bytes.clone())];
        let arguments =
            format!("transfer --source {name} --target good.mat --method none --learner 1-nn --out out");
        Some(format!("file {number}, {name}: {}", collapse(&files, &arguments)?))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_folder_holds_the_predictions_of_its_last_run() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &quick().files);
    let call = |more: &str| {
        let call = "transfer --source source.csv --target target.csv --label y --method none --learner 1-nn";
        let arguments: Vec<String> =
            format!("{call} {more}").split_whitespace().map(str::to_string).collect();
        let ran = run(folder.path(), &arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let there = |name: &str| folder.path().join("run").join(name).is_file();
        (there("predictions.csv"), there("predictions.parquet"), ran.out)
    };
    assert!(matches!(call(""), (true, false, out) if out.contains("run/predictions.csv")));
    assert!(
        matches!(call("--predictions parquet"), (false, true, out) if out.contains("run/predictions.parquet"))
    );
    let first = std::fs::read(folder.path().join("run/predictions.parquet")).unwrap();
    assert!(!call("--predictions csv").1);
    let arguments = ["predict", "run", "target.csv", "--out", "again.Parquet"].map(str::to_string);
    assert_eq!(run(folder.path(), &arguments).code, Some(0));
    assert!(std::fs::read(folder.path().join("again.Parquet")).unwrap() == first);
}

#[test]
fn turned_bits_in_a_model_file_never_lead_to_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &quick().files);
    let mut random = Random(13);
    let mut models = Vec::new();
    for (number, method) in [
        "none --learner 1-nn",
        "tca --learner class-means",
        "jda --learner 1-nn --set kernel=rbf",
        "coral --learner svm",
        "label-propagation",
    ]
    .into_iter()
    .enumerate()
    {
        let arguments = format!(
            "transfer --source source.csv --target target.csv --label y --out {number} --method {method}"
        );
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_string).collect();
        let ran = run(folder.path(), &arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let bytes = std::fs::read(folder.path().join(number.to_string()).join("model.safetensors")).unwrap();
        models.extend((0..100).map(|_| random.flip(&bytes, 0)));
    }
    let wrong = each(&models, |number, bytes| {
        let files = [
            ("model.safetensors".to_string(), bytes.clone()),
            ("rows.csv".to_string(), good(8).csv().into()),
        ];
        let why = collapse(&files, "predict model.safetensors rows.csv --label y --out out")?;
        Some(format!("model {number}: {why}"))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
