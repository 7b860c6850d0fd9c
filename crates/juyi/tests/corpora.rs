//! Every file that fuzzing keeps, read again; `fuzz/README.md` tells how they came about.

#[path = "../../../fuzz/targets.rs"]
mod targets;

/// Gives each file of a corpus to its target.
fn replay(name: &str, target: fn(&[u8])) {
    let folder = format!("{}/../../fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} is empty");
    for path in paths {
        let bytes = std::fs::read(&path).expect("a file that can be read");
        let done = std::panic::catch_unwind(|| target(&bytes));
        assert!(done.is_ok(), "{}", path.display());
    }
}

#[test]
fn no_file_of_the_corpora_leads_to_a_panic() {
    replay("idx", targets::idx);
    replay("mat", targets::mat);
    replay("model", targets::model);
    replay("npy", targets::npy);
    replay("npz", targets::npz);
    replay("parquet", targets::parquet);
    replay("xlsx", targets::xlsx);
}
