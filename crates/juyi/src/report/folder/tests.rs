use super::*;
use crate::context::Context;

const OLD: &str = include_str!("../../../tests/report/run-of-format-0.json");

/// The files of a run: a record and others that say which run they are of.
fn run(mark: &str, predictions: &'static str) -> Vec<(&'static str, Vec<u8>)> {
    let record = OLD.replacen("\"seed\": ", &format!("\"of\": \"{mark}\", \"seed\": "), 1);
    let text = |name: &str| format!("{name} of {mark}").into_bytes();
    vec![
        (NETWORK, text(NETWORK)),
        (predictions, text(predictions)),
        (RECORD, record.into_bytes()),
        (PAGE, text(PAGE)),
    ]
}

fn budget(bytes: u64) -> Context {
    Context::new(0, bytes)
}

fn open(path: &Path, names: &[&str], training: Training) -> Result<Folder> {
    Folder::open(path, Kind::Network, names, &[], training)
}

fn names<'a>(files: &[(&'a str, Vec<u8>)]) -> Vec<&'a str> {
    files.iter().map(|(name, _)| *name).collect()
}

fn write(path: &Path, files: &[(&str, Vec<u8>)]) {
    open(path, &names(files), Training::Without).unwrap().write(files, None).unwrap();
}

/// What is in a folder, without the manifest.
fn content(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = if entry.path().is_dir() { Vec::new() } else { fs::read(entry.path()).unwrap() };
        if name != MANIFEST {
            all.insert(name, bytes);
        }
    }
    all
}

fn as_map(files: &[(&str, Vec<u8>)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(name, bytes)| ((*name).to_string(), bytes.clone())).collect()
}

/// Notes of a training, as far as they are looked into.
fn note(path: &Path) {
    let header = format!("{{\"__metadata__\":{{\"{NOTES_KEY}\":\"key\"}}}}");
    fs::create_dir_all(path.join(NOTES)).unwrap();
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    fs::write(path.join(NOTES).join("head-all.safetensors"), bytes).unwrap();
}

/// Whether the folder is one of these runs, as its reader says; `None` if it is named as unfinished.
fn read_as(path: &Path, runs: &[&[(&str, Vec<u8>)]]) -> Option<usize> {
    match read_file(&path.join(NETWORK), 1, &budget(1 << 20)) {
        Ok(network) => {
            let which = runs.iter().position(|files| files[0].1 == network).unwrap();
            let mut there = content(path);
            there.retain(|name, _| name != NOTES && !name.starts_with(".juyi-"));
            assert_eq!(there, as_map(runs[which]), "mixed, and taken for whole");
            Some(which)
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("is unfinished") && error.hint().is_some(), "{text}");
            None
        }
    }
}

/// The process is cut off before each of its changes of the disk, over nothing and over an earlier run.
#[test]
fn cut_off_anywhere_a_folder_is_old_or_new_or_says_that_it_is_unfinished() {
    for earlier in [false, true] {
        let (old, new) = (run("old", PREDICTIONS[0]), run("new", PREDICTIONS[1]));
        let mut outcomes = Vec::new();
        for cut in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let path = &folder.path().join("run");
            if earlier {
                write(path, &old);
                fs::write(path.join("notes.txt"), "mine").unwrap();
            }
            let mut own = open(path, &names(&new), Training::Begin).unwrap();
            note(path);
            let mut left = cut;
            let result = own.write_in_steps(&new, Some("work".into()), &mut || {
                left -= 1;
                if left < 0 { Err(refusal(path, "cut off")) } else { Ok(()) }
            });
            own.begun = true; // a process that is killed tidies nothing up
            drop(own);
            let with_notes = |path: &Path| {
                assert!(!earlier || fs::read(path.join("notes.txt")).unwrap() == b"mine");
                let _ = fs::rename(path.join("notes.txt"), folder.path().join("notes.txt"));
            };
            with_notes(path);
            let found = read_as(path, &[&old, &new]);
            outcomes.push(found);
            // Without `--resume` nothing of the training is lost; with it, and once more, all is well.
            let state = Manifest::read(path).unwrap().unwrap();
            if state.training {
                let refused = open(path, &names(&new), Training::Begin).unwrap_err().to_string();
                assert!(refused.contains("holds a training that was cut off"), "{refused}");
            }
            let mut own = open(path, &names(&new), Training::Resume).unwrap();
            if !own.is_done("work", Training::Resume).unwrap() {
                assert!(own.notes().is_dir(), "cut {cut}");
                own.write(&new, Some("work".into())).unwrap();
            }
            drop(own);
            assert_eq!((read_as(path, &[&old, &new]), content(path)), (Some(1), as_map(&new)), "cut {cut}");
            let other =
                open(path, &names(&new), Training::Resume).unwrap().is_done("other", Training::Resume);
            assert!(other.unwrap_err().to_string().contains("holds no training that was cut off"));
            write(path, &old);
            assert_eq!(content(path), as_map(&old));
            if result.is_ok() {
                break;
            }
        }
        let first = if earlier { Some(0) } else { None };
        assert_eq!((outcomes[0], outcomes.last().unwrap()), (first, &Some(1)));
        let changes = outcomes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes, if earlier { 2 } else { 1 }, "{outcomes:?}");
    }
}

#[test]
fn what_fails_before_it_writes_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("a/run");
    let files = run("one", PREDICTIONS[0]);
    for training in [Training::Without, Training::Begin, Training::Resume] {
        drop(open(path, &names(&files), training).unwrap());
        assert!(!folder.path().join("a").exists());
    }
    write(path, &files);
    let before = (content(path), fs::read(path.join(MANIFEST)).unwrap());
    drop(open(path, &names(&files), Training::Begin).unwrap());
    // A name that cannot be a file: the disk says no while the files are staged.
    let mut own = open(path, &names(&files), Training::Without).unwrap();
    assert!(own.write(&[(MODEL, Vec::new()), ("no/such", Vec::new())], None).is_err());
    drop(own);
    assert_eq!((content(path), fs::read(path.join(MANIFEST)).unwrap()), before);
    // With notes of a training it stays one that can be resumed.
    let own = open(path, &names(&files), Training::Begin).unwrap();
    note(path);
    drop(own);
    let said = open(path, &names(&files), Training::Without).unwrap_err();
    assert!(said.hint().unwrap().contains("training`"), "{said}");
    let said = open(path, &names(&files), Training::Begin).unwrap_err();
    assert!(said.hint().unwrap().contains("‹resume "), "{said}");
    assert_eq!(read_as(path, &[&files]), Some(0));
}

#[test]
fn one_process_at_a_time_writes_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("run");
    let first = open(path, &[NETWORK], Training::Without).unwrap();
    let second = open(path, &[NETWORK], Training::Without).unwrap_err().to_string();
    assert!(second.ends_with("is being written by another `juyi`"), "{second}");
    drop(first);
    open(path, &[NETWORK], Training::Without).unwrap();
}

#[test]
fn strangers_are_refused_and_what_lies_beside_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = run("one", PREDICTIONS[0]);
    let at = |name: &str| folder.path().join(name);
    let refused = |path: &Path, kind: Kind, names: &[&str]| {
        Folder::open(path, kind, names, &[], Training::Without).unwrap_err().to_string()
    };
    // Others' files, whatever their names.
    for (name, text) in [
        ("thesis.tex", ""),
        (RECORD, "{\"of\": \"another program\"}"),
        (MODEL, "weights"),
        (MANIFEST, "{\"name\": \"an extension\"}"),
    ] {
        fs::create_dir(at("theirs")).unwrap();
        fs::write(at("theirs").join(name), text).unwrap();
        let said = refused(&at("theirs"), Kind::Model, &[MODEL, RECORD]);
        assert!(said.contains("holds files that are not those of a run"), "{name}: {said}");
        fs::remove_dir_all(at("theirs")).unwrap();
    }
    // A record without a manifest, beside a model or network that are not ours, and alone.
    fs::create_dir(at("first")).unwrap();
    fs::write(at("first").join(RECORD), OLD).unwrap();
    for name in [MODEL, NETWORK] {
        fs::write(at("first").join(name), "precious").unwrap();
        assert!(refused(&at("first"), Kind::Model, &[MODEL]).contains("not those of a run"));
        fs::remove_file(at("first").join(name)).unwrap();
    }
    write(&at("first"), &files);
    // In our own folder: a file that this run would write and no earlier one wrote, a link, a folder.
    write(&at("run"), &files);
    fs::write(at("run").join(PREDICTIONS[1]), "mine").unwrap();
    let said = refused(&at("run"), Kind::Network, &[NETWORK, PREDICTIONS[1]]);
    assert!(said.ends_with("not those of a run: `predictions.parquet`"), "{said}");
    write(&at("run"), &files);
    assert_eq!(fs::read(at("run").join(PREDICTIONS[1])).unwrap(), b"mine");
    fs::remove_file(at("run").join(PAGE)).unwrap();
    fs::create_dir(at("run").join(PAGE)).unwrap();
    assert!(refused(&at("run"), Kind::Network, &[NETWORK]).contains("`report.html`"));
    fs::remove_dir(at("run").join(PAGE)).unwrap();
    // A network stays; tables and runs are kept apart, and tables go to any folder without theirs.
    assert!(refused(&at("run"), Kind::Model, &[MODEL]).contains("holds a tuned network"));
    assert!(refused(&at("run"), Kind::Tables, &TABLES).contains("holds a run, not drawn tables"));
    fs::create_dir(at("data")).unwrap();
    fs::write(at("data/readme"), "mine").unwrap();
    let tables = TABLES.map(|name| (name, Vec::new()));
    let draw = |at: &Path| Folder::open(at, Kind::Tables, &TABLES, &[], Training::Without);
    draw(&at("data")).unwrap().write(&tables, None).unwrap();
    draw(&at("data")).unwrap().write(&tables, None).unwrap();
    assert!(refused(&at("data"), Kind::Model, &[MODEL]).contains("holds drawn tables, not a run"));
    fs::create_dir(at("labels")).unwrap();
    fs::write(at("labels").join(TABLES[0]), "the only one").unwrap();
    assert!(
        draw(&at("labels")).unwrap_err().to_string().ends_with("not those of drawn tables: `source.csv`")
    );
}

/// What an earlier run had is removed, but not what somebody has put in its place.
#[test]
fn a_file_that_was_altered_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, &run("one", PREDICTIONS[0]));
    write(path, &run("two", PREDICTIONS[1]));
    assert!(!path.join(PREDICTIONS[0]).exists());
    fs::write(path.join(PREDICTIONS[1]), "sorted by hand").unwrap();
    write(path, &run("three", PREDICTIONS[0]));
    assert_eq!(fs::read(path.join(PREDICTIONS[1])).unwrap(), b"sorted by hand");
}

#[test]
fn inputs_are_never_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("run");
    write(path, &run("one", PREDICTIONS[0]));
    for input in [path.clone(), path.join(NETWORK), folder.path().join("run/../run").join(PREDICTIONS[0])] {
        let inputs = [folder.path().join("none"), input];
        let said = Folder::open(path, Kind::Network, &[NETWORK], &inputs, Training::Without);
        assert!(said.unwrap_err().to_string().contains("would be written over it"));
    }
    for name in [NETWORK, MANIFEST] {
        let said = check_output(&path.join(name), Setting::Out, []).unwrap_err().to_string();
        assert!(said.contains("belongs to a run"), "{said}");
    }
    check_output(&path.join("mine.csv"), Setting::Out, []).unwrap();
}

#[test]
fn what_was_changed_is_named_and_later_formats_are_refused_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let files = run("one", PREDICTIONS[0]);
    write(path, &files);
    let said = |name: &str| read_file(&path.join(name), 1, &budget(1 << 20)).unwrap_err().to_string();
    // The page is written anew, predictions may be gone.
    fs::write(path.join(PAGE), "by hand").unwrap();
    fs::remove_file(path.join(PREDICTIONS[0])).unwrap();
    assert_eq!(read_file(&path.join(NETWORK), 1, &budget(1 << 20)).unwrap(), files[0].1);
    assert_eq!(write_page(path, &Context::default()).unwrap(), path.join(PAGE));
    assert!(!content(path)[PAGE].starts_with(b"by hand"));
    // Everything else must be as it was, whichever is read; a file beside it is nobody's business.
    fs::write(path.join(MODEL), "mine").unwrap();
    assert_eq!(read_file(&path.join(MODEL), 1, &budget(1 << 20)).unwrap(), b"mine");
    assert!(matches!(read_file(&path.join(NETWORK), 1, &budget(3)), Err(Error::Memory { need: 26, .. })));
    for (name, bytes) in [(PREDICTIONS[0], "sorted"), (NETWORK, "network.safetensors of two")] {
        fs::write(path.join(name), bytes).unwrap();
        for read in [NETWORK, RECORD] {
            assert!(said(read).starts_with(&format!("`{}`: is not as the run", path.join(name).display())));
        }
        let _ = fs::remove_file(path.join(name));
    }
    assert!(matches!(read_file(&path.join(RECORD), 1, &budget(1 << 20)), Err(Error::Io { .. })));
    // Manifests of later formats, of a path that leads elsewhere, and cut off.
    write(path, &files);
    let manifest = fs::read_to_string(path.join(MANIFEST)).unwrap();
    let outside = manifest.replacen("\"predictions.csv\"", "\"../predictions.csv\"", 1);
    for (altered, says) in [
        (manifest.replacen("\"format\": 1", "\"format\": 7", 1), "has format 7, this version reads up to 1"),
        (outside, "lists a file outside its folder"),
        (manifest.replacen("\"whole\"", "\"wholesome\"", 1), "is damaged (unknown variant"),
    ] {
        fs::write(path.join(MANIFEST), &altered).unwrap();
        assert!(said(RECORD).contains(says), "{}", said(RECORD));
        assert!(open(path, &[NETWORK], Training::Without).unwrap_err().to_string().contains(says));
    }
}

/// Folders from before there were manifests are read, replaced, and resumed.
#[test]
fn runs_without_a_manifest_are_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let network = |key: &str| {
        let header = format!("{{\"__metadata__\":{{\"{key}\":\"\"}}}}");
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
    };
    let lay_out = |names: &[&str]| {
        for (name, bytes) in [
            (NETWORK, network(NETWORK_KEY)),
            (PREDICTIONS[0], b"old".to_vec()),
            (RECORD, OLD.as_bytes().to_vec()),
            (".juyi-aB3dE9", Vec::new()),
        ] {
            if names.contains(&name) {
                fs::write(path.join(name), bytes).unwrap();
            }
        }
    };
    let new = run("new", PREDICTIONS[1]);
    lay_out(&[NETWORK, PREDICTIONS[0], RECORD, ".juyi-aB3dE9"]);
    assert_eq!(kind_of(path).unwrap(), Some(Kind::Network));
    assert_eq!(crate::report::read(&path.join(RECORD), &Context::default()).unwrap().format, 0);
    assert_eq!(read_file(&path.join(NETWORK), 1, &budget(1 << 20)).unwrap(), network(NETWORK_KEY));
    assert!(check_output(&path.join(PREDICTIONS[0]), Setting::Out, []).is_err());
    write(path, &new);
    assert_eq!(content(path), as_map(&new));
    // Cut off in its training, and while its results were written.
    for left in [&[][..], &[".juyi-aB3dE9", NETWORK], &[NETWORK, PREDICTIONS[0], RECORD]] {
        fs::remove_dir_all(path).unwrap();
        note(path);
        lay_out(left);
        let refused = open(path, &names(&new), Training::Begin).unwrap_err().to_string();
        assert!(refused.contains("holds a training that was cut off"), "{refused}");
        let mut own = open(path, &names(&new), Training::Resume).unwrap();
        assert!(!own.is_done("work", Training::Resume).unwrap());
        own.write(&new, None).unwrap();
        drop(own);
        assert_eq!(content(path), as_map(&new));
    }
}
