//! Tests of the file above.

use std::io::Cursor;
use std::path::Path;

use super::*;

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mat").join(name)
}

/// Reads a golden file with at most `limit` bytes.
fn read_golden(name: &str, wanted: &[&str], limit: u64) -> Result<Vec<Variable>> {
    let mut file = std::fs::File::open(golden(name)).unwrap();
    read(name, &mut file, wanted, limit)
}

/// Reads these bytes with at most 1 MiB.
fn read_bytes(bytes: &[u8], wanted: &[&str]) -> Result<Vec<Variable>> {
    read("t.mat", &mut Cursor::new(bytes), wanted, 1 << 20)
}

fn says(result: Result<Vec<Variable>>, words: &str) {
    let error = result.unwrap_err();
    let text = format!("{error}; {}", error.hint().unwrap_or_default());
    assert!(text.contains(words), "{text:?} does not say {words:?}");
}

#[test]
fn golden_files_give_the_shapes_values_and_errors_expected() {
    let text = std::fs::read_to_string(golden("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (file, variables) in expected.as_object().unwrap() {
        let variables = variables.as_object().unwrap();
        let listed = list(file, &mut std::fs::File::open(golden(file)).unwrap()).unwrap_or_default();
        for (listed, (name, want)) in listed.iter().zip(variables) {
            let shape = want["shape"].as_str().unwrap_or(&listed.1); // the bad ones have none
            assert_eq!((&listed.0, listed.1.as_str()), (name, shape), "{file}");
        }
        for (name, want) in variables {
            let got = read_golden(file, &[name], 1 << 20);
            if let Some(words) = want["refused"].as_str() {
                says(got, words);
                continue;
            }
            let got = got.unwrap().remove(0);
            let (kind, values) = match got.values {
                Values::Numbers(numbers) => ("numbers", serde_json::json!(numbers)),
                Values::Text(text) => ("text", serde_json::json!(text)),
            };
            assert_eq!(values, want[kind], "{file}, {name}");
            let shape = format!("{} x {} ", got.rows, got.columns);
            assert!(want["shape"].as_str().unwrap().starts_with(&shape), "{file}, {name}");
        }
    }
}

#[test]
fn variables_come_in_the_order_wanted_and_errors_help() {
    let both = read_golden("plain.mat", &["labels", "fts"], 1 << 20).unwrap();
    assert_eq!([&both[0].name[..], &both[1].name[..]], ["labels", "fts"]);
    says(read_golden("big.mat", &["X"], 600), "has no variable `X`; variables of the file: `fts` (12 x 7");
    says(read_golden("plain.mat", &["fts"], 600), "needs 672 bytes, the memory budget is 600 bytes");
    says(read_golden("bad-hdf.mat", &["x"], 600), "save it with `save('file.mat', '-v7')`");
}

#[test]
fn a_file_of_a_few_bytes_is_read() {
    let array = b"\x0e\0\0\0\x30\0\0\0\x06\0\0\0\x08\0\0\0\x06\0\0\0\0\0\0\0\x05\0\0\0\x08\0\0\0\
                  \x01\0\0\0\x02\0\0\0\x01\0\x01\0x\0\0\0\x01\0\x02\0\xff\x05\0\0"; // 1 x 2 double, stored as int8
    let bytes = [&[b' '; 124][..], b"\0\x01IM", array].concat();
    let x = read_bytes(&bytes, &["x"]).unwrap().remove(0);
    assert_eq!((x.rows, x.columns, x.values), (1, 2, Values::Numbers(vec![-1.0, 5.0])));
}

#[test]
fn truncated_and_damaged_files_never_panic() {
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let wanted = ["fts", "labels", "holes", "word", "chars", "cell"];
    for name in ["matlab.mat", "big.mat"] {
        let bytes = std::fs::read(golden(name)).unwrap();
        for end in 0..bytes.len() {
            assert!(read_bytes(&bytes[..end], &wanted).is_err(), "{name} cut at {end}");
        }
        for _ in 0..2000 {
            let mut bytes = bytes.clone();
            for _ in 0..=random(3) {
                let at = 124 + random(bytes.len() - 124);
                bytes[at] = [0, 1, 0x7f, 0xff, random(256) as u8][random(5)];
            }
            let _ = read_bytes(&bytes, &wanted);
        }
    }
}
