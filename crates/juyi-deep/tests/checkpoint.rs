//! Checkpoints that PyTorch, NumPy and safetensors wrote; `golden/checkpoint/make_checkpoints.py` made the files and
//! says with which versions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use juyi::error::{Error, Result};
use juyi_deep::checkpoint::{Checkpoint, Stored};
use serde::Deserialize;

const BUDGET: u64 = 1 << 20;

/// A file, and what must be read from it.
#[derive(Deserialize)]
struct Case {
    file: String,
    #[serde(default)]
    tensors: BTreeMap<String, Tensor>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    notes: Vec<String>,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Tensor {
    shape: Vec<usize>,
    /// The bytes of 32-bit floats in hexadecimal digits.
    values: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoint")
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join("expected.json")).expect("expected.json");
    serde_json::from_str(&text).expect("a list of cases")
}

fn bytes(case: &Case) -> Vec<u8> {
    std::fs::read(folder().join(&case.file)).expect("the file of a case")
}

fn bits(stored: &Stored) -> String {
    let digits = stored.values.iter().map(|value| format!("{:08x}", value.to_bits().swap_bytes()));
    digits.collect::<Vec<_>>().concat()
}

#[test]
fn every_file_gives_the_tensors_that_were_written() {
    for case in cases().iter().filter(|case| case.refused.is_none()) {
        let path = folder().join(&case.file);
        let read = Checkpoint::read(&path, BUDGET).unwrap_or_else(|error| panic!("{}: {error}", case.file));
        let names: Vec<&String> = read.tensors.keys().collect();
        assert_eq!(names, case.tensors.keys().collect::<Vec<_>>(), "{}", case.file);
        for (name, stored) in &read.tensors {
            let expected = &case.tensors[name];
            assert_eq!(stored.shape, expected.shape, "{}, tensor {name}", case.file);
            assert_eq!(bits(stored), expected.values, "{}, tensor {name}", case.file);
        }
        assert_eq!(read.metadata, case.metadata, "{}", case.file);
        assert_eq!(read.notes, case.notes, "{}", case.file);
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    for case in cases() {
        let Some(words) = &case.refused else { continue };
        let error = Checkpoint::from_bytes("f", &bytes(&case), BUDGET).map(|_| "no error").unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{}: {error}", case.file);
        assert!(error.to_string().contains(words), "{}: {error:?} does not say {words:?}", case.file);
    }
}

#[test]
fn nothing_is_run() {
    assert!(cases().iter().filter(|case| case.file.starts_with("poisoned")).count() >= 6);
    for case in cases() {
        let _either = Checkpoint::from_bytes("f", &bytes(&case), BUDGET);
    }
    assert!(!Path::new("poisoned").exists());
}

/// Whatever the budget, it is kept to: the smallest is refused, and what is enough stays enough.
#[test]
fn budgets_are_kept() {
    for case in cases().iter().filter(|case| case.refused.is_none()) {
        let bytes = bytes(case);
        let read = |budget: u64| Checkpoint::from_bytes("f", &bytes, budget);
        assert!(matches!(read(bytes.len() as u64), Err(Error::Memory { .. })), "{}", case.file);
        let enough = (0..20).position(|power| read(1 << power).is_ok()).expect("1 MiB is enough");
        assert!((enough..20).all(|power| read(1 << power).is_ok()), "{}", case.file);
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    for case in cases().iter().filter(|case| case.refused.is_none()) {
        let bytes = bytes(case);
        for length in 0..bytes.len() {
            let read = Checkpoint::from_bytes("f", &bytes[..length], BUDGET);
            assert!(read.is_err(), "{}, {length} bytes", case.file);
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    for case in cases() {
        let bytes = bytes(&case);
        for at in 0..bytes.len() {
            for flip in [1, 16, 128, 255] {
                let mut bad = bytes.clone();
                bad[at] ^= flip;
                let read: Result<Checkpoint> = Checkpoint::from_bytes("f", &bad, BUDGET);
                let whole = |stored: &Stored| stored.shape.iter().product::<usize>() == stored.values.len();
                assert!(read.is_err() || read.is_ok_and(|read| read.tensors.values().all(whole)));
            }
        }
    }
}

/// Every file that fuzzing keeps, read again; `fuzz/README.md` tells how they came about.
#[test]
fn no_file_of_the_corpus_leads_to_a_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/checkpoint");
    let files: Vec<_> = std::fs::read_dir(&corpus).expect("the corpus").collect();
    assert!(!files.is_empty());
    for file in files {
        let path = file.expect("a file").path();
        let done = std::panic::catch_unwind(|| Checkpoint::read(&path, BUDGET).is_ok());
        assert!(done.is_ok(), "{}", path.display());
    }
}
