//! Folders and files that are written: nothing of others is lost, and nothing half-written is taken for whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::{command, juyi, text};

/// Runs a command that must succeed.
fn done(folder: &Path, arguments: &str) -> String {
    let output = juyi(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that must be refused, with these words.
fn refused(folder: &Path, arguments: &str, says: &str) {
    let before = content(folder);
    let output = juyi(folder, arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
    assert!(said.contains(says) && said.contains("hint: "), "{arguments}: {said}");
    assert!(before == content(folder), "{arguments}: something has changed");
}

/// Every file below a folder, hidden ones too.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            all.insert(format!("{name}/"), Vec::new());
            all.extend(content(&path).into_iter().map(|(inside, bytes)| (format!("{name}/{inside}"), bytes)));
        } else {
            all.insert(name, std::fs::read(&path).unwrap_or_default());
        }
    }
    all
}

/// A folder with drawn tables in `d`.
fn tables() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    done(folder.path(), "data shift covariate --rows 60 --out d");
    folder
}

const TRANSFER: &str = "transfer --source d/source.csv --target d/target.csv --label y --method none --quiet";

#[test]
fn files_of_others_are_neither_overwritten_nor_removed() {
    let folder = tables();
    let folder = folder.path();
    let put = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    };
    put("a/run.json", "{\"of\": \"another program\"}");
    for name in ["model.safetensors", "network.safetensors", "predictions.parquet"] {
        put(&format!("a/{name}"), "precious");
    }
    refused(folder, &format!("{TRANSFER} --out a"), "holds files that are not those of a run");
    put("b/source.csv", "the only labelled table");
    refused(folder, "data shift covariate --rows 10 --out b", "not those of drawn tables: `source.csv`");
    refused(folder, &format!("{TRANSFER} --out d"), "`d`: holds drawn tables, not a run");
    put("c/README.md", "# My project");
    refused(folder, "methods --pages c", "is no page that `juyi methods` wrote");
    done(folder, "methods --pages pages");
    done(folder, "methods --pages pages");

    // What a run did not write stays beside it; what it wrote is replaced.
    done(folder, &format!("{TRANSFER} --out r"));
    put("r/notes.txt", "mine");
    put("r/predictions.parquet", "mine");
    done(folder, &format!("{TRANSFER} --seed 3 --out r"));
    let kept = content(&folder.join("r"));
    assert!(kept["notes.txt"] == b"mine" && kept["predictions.parquet"] == b"mine");
    let parquet = format!("{TRANSFER} --predictions parquet --out r");
    refused(folder, &parquet, "not those of a run: `predictions.parquet`");
    // A network that was put there is not the run's, and one that a run wrote is not removed by a run of tables.
    put("r/network.safetensors", "trained for hours");
    done(folder, &format!("{TRANSFER} --out r"));
    assert!(folder.join("r/network.safetensors").is_file());
}

#[test]
fn inputs_are_never_outputs() {
    let folder = tables();
    let folder = folder.path();
    done(folder, &format!("{TRANSFER} --out r"));
    std::fs::copy(folder.join("d/target.csv"), folder.join("own.csv")).expect("a copy");
    refused(folder, "predict r own.csv --out own.csv", "is the input `own.csv`");
    refused(folder, "predict r own.csv --out ./d/../own.csv", "is the input `own.csv`");
    refused(folder, "predict r own.csv --out r/predictions.csv", "belongs to a run");
    refused(folder, "predict r/model.safetensors own.csv --out r/model.safetensors", "is the input");
    refused(folder, "transfer --source r --target own.csv --out r", "`r`: is read by this run");
    refused(
        folder,
        "transfer --source r/model.safetensors --target own.csv --out r",
        "would be written over it",
    );
    std::fs::hard_link(folder.join("own.csv"), folder.join("hard.csv")).expect("a link");
    refused(folder, "predict r own.csv --out hard.csv", "is the input `own.csv`");
    done(folder, "predict r own.csv --out r/more.csv");
    done(folder, "predict r own.csv --out r/more.csv");
}

#[cfg(unix)]
#[test]
fn no_link_and_no_pipe_leads_an_output_to_an_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    done(folder, "data shift covariate --rows 30 --out d");
    done(folder, &format!("{TRANSFER} --out r"));
    for (target, link) in
        [("r/model.safetensors", "model.csv"), ("r/manifest.json", "list.csv"), ("d/source.csv", "t.csv")]
    {
        let before = std::fs::read(folder.join(target)).expect("a file");
        std::os::unix::fs::symlink(target, folder.join(link)).expect("a link");
        refused(folder, &format!("predict r d/target.csv --out {link}"), &format!("`{link}`"));
        assert!(std::fs::read(folder.join(target)).expect("a file") == before, "{target}");
    }
    std::fs::copy(folder.join("d/target.csv"), folder.join("own.csv")).expect("a copy");
    let own = std::fs::File::open(folder.join("own.csv")).expect("a file");
    let onto = crate::command(folder, "predict r - --format csv --out own.csv").stdin(own).output();
    let onto = onto.expect("the binary starts");
    assert!(onto.status.code() == Some(2), "{}", text(&onto.stderr));
    // A manifest that was cut off is none that is not there.
    let manifest = std::fs::read(folder.join("r/manifest.json")).expect("a file");
    std::fs::write(folder.join("r/manifest.json"), &manifest[..manifest.len() / 2]).expect("a file");
    for call in
        ["predict r d/target.csv", "report r", "transfer --source r --target d/target.csv --out other"]
    {
        refused(folder, call, "`r/manifest.json`: is damaged");
    }
}

#[test]
fn a_folder_that_is_not_whole_is_named() {
    let folder = tables();
    let folder = folder.path();
    done(folder, &format!("{TRANSFER} --out r"));
    let path = |name: &str| folder.join("r").join(name);
    let keep = |name: &str| std::fs::read(path(name)).expect("a file of the run");
    let (manifest, model) = (keep("manifest.json"), keep("model.safetensors"));
    let readers =
        ["predict r d/target.csv", "report r", "transfer --source r --target d/target.csv --out other"];
    let unfinished = text(&manifest).replacen("\"whole\"", "\"unfinished\"", 1);
    std::fs::write(path("manifest.json"), unfinished).expect("a file");
    for call in readers {
        refused(folder, call, "`r`: is unfinished");
    }
    std::fs::write(path("manifest.json"), &manifest).expect("a file");
    std::fs::write(path("model.safetensors"), [&model[..], b" "].concat()).expect("a file");
    for call in readers {
        refused(folder, call, "`r/model.safetensors`: is not as the run wrote it");
    }
    // The same command goes on.
    done(folder, &format!("{TRANSFER} --out r"));
    assert!(keep("model.safetensors") == model);
    for call in readers {
        done(folder, call);
    }
    // A run folder from before there were manifests.
    std::fs::remove_file(path("manifest.json")).expect("it was there");
    for call in readers {
        done(folder, call);
    }
    done(folder, &format!("{TRANSFER} --out r"));
    assert!(path("manifest.json").is_file());
}

/// As on a full disk: no file may become larger than half a kilobyte, or four.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_run_before() {
    let folder = tables();
    let folder = folder.path();
    let limited = |blocks: u32, arguments: &str| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {arguments}");
        let program = env!("CARGO_BIN_EXE_juyi");
        let output =
            std::process::Command::new("sh").args(["-c", &script, program]).current_dir(folder).output();
        output.expect("a shell")
    };
    for blocks in [1, 8] {
        let before = content(folder);
        let output = limited(blocks, &format!("{TRANSFER} --out new/run"));
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("`new/run/"), "{}", text(&output.stderr));
        assert!(before == content(folder), "a folder that was not there is gone again");
    }
    done(folder, &format!("{TRANSFER} --out r"));
    let before = content(folder);
    for blocks in [1, 8] {
        for call in [&format!("{TRANSFER} --seed 1 --out r"), "data shift label --out d", "report r"] {
            assert_eq!(limited(blocks, call).status.code(), Some(2), "{call}");
            assert!(before == content(folder), "{call}");
        }
    }
    done(folder, "predict r d/target.csv");
    done(folder, &format!("{TRANSFER} --seed 1 --out r"));
}

#[test]
fn the_second_of_two_processes_is_refused_at_once() {
    let folder = tables();
    let folder = folder.path();
    done(folder, &format!("{TRANSFER} --out r"));
    let held = std::fs::File::open(folder.join("r")).expect("a folder");
    if held.try_lock().is_err() {
        return; // a system that locks files alone
    }
    for call in [&format!("{TRANSFER} --out r"), "report r"] {
        refused(folder, call, "`r`: is being written by another `juyi`");
    }
    done(folder, "predict r d/target.csv");
    drop(held);
    done(folder, &format!("{TRANSFER} --out r"));
}

/// Killed at many moments: the folder is old, new, or named as unfinished, and the same command goes on.
#[test]
fn a_killed_run_leaves_nothing_mixed() {
    let folder = tables();
    let folder = folder.path();
    let (old, new) =
        (format!("{TRANSFER} --out"), format!("{TRANSFER} --seed 1 --predictions parquet --out"));
    let run = |name: &str| {
        let mut all = content(&folder.join(name));
        all.retain(|name, _| name.starts_with("model") || name.starts_with("predictions"));
        all
    };
    done(folder, &format!("{old} old"));
    done(folder, &format!("{new} new"));
    for delay in (0..24).map(|step| 4 * step) {
        done(folder, &format!("{old} r"));
        let mut child =
            command(folder, &format!("{new} r")).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().expect("it was started");
        child.wait().expect("it ended");
        let read = juyi(folder, "predict r d/target.csv");
        match read.status.code() {
            Some(0) => assert!(run("r") == run("old") || run("r") == run("new"), "mixed after {delay} ms"),
            _ => assert!(text(&read.stderr).contains("is unfinished"), "{}", text(&read.stderr)),
        }
        done(folder, &format!("{new} r"));
        assert!(run("r") == run("new"));
        assert!(content(&folder.join("r")).keys().all(|name| !name.starts_with('.')));
    }
}

#[cfg(unix)]
#[test]
fn special_files_are_written_to_and_links_followed() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = tables();
    let folder = folder.path();
    done(folder, &format!("{TRANSFER} --out r"));
    let wanted = done(folder, "predict r d/target.csv");
    // On standard output there are data and nothing else.
    let output = juyi(folder, "predict r d/target.csv --out /dev/stdout");
    assert_eq!(text(&output.stdout), wanted);
    assert!(text(&output.stderr).contains("60 predictions written to /dev/stdout"));
    let pipe = folder.join("pipe");
    if std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        let child = command(folder, "predict r d/target.csv --out pipe").stderr(Stdio::piped()).spawn();
        assert_eq!(std::fs::read_to_string(&pipe).expect("the other end"), wanted);
        assert!(child.expect("it starts").wait().expect("it ends").success());
        assert!(std::fs::symlink_metadata(&pipe).expect("it is there").file_type().is_fifo());
        std::fs::remove_file(&pipe).expect("it is there");
    }
    std::fs::create_dir(folder.join("sub")).expect("a folder");
    std::fs::write(folder.join("sub/old.csv"), "old").expect("a file");
    for target in ["sub/old.csv", "sub/new.csv"] {
        let _ = std::fs::remove_file(folder.join("link.csv"));
        symlink(target, folder.join("link.csv")).expect("a link");
        done(folder, "predict r d/target.csv --out link.csv");
        assert!(folder.join("link.csv").is_symlink());
        assert_eq!(std::fs::read_to_string(folder.join(target)).expect("a file"), wanted);
    }
    // A folder may be a link; a file of a run may not.
    symlink("r", folder.join("also")).expect("a link");
    done(folder, &format!("{TRANSFER} --out also"));
    std::fs::remove_file(folder.join("r/report.html")).expect("it was there");
    symlink("../sub/old.csv", folder.join("r/report.html")).expect("a link");
    refused(folder, &format!("{TRANSFER} --out r"), "not those of a run: `report.html`");
}
