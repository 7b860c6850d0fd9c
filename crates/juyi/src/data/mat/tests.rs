//! Tests of the file above.

use std::io::Write;

use super::*;

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mat").join(name)
}

/// Makes these bytes the file (without closing it, which is slow) and reads it with at most 1 MiB.
fn read_bytes(file: &mut tempfile::NamedTempFile, bytes: &[u8], wanted: &[&str]) -> Result<Vec<Variable>> {
    file.rewind().unwrap();
    file.write_all(bytes).unwrap();
    file.as_file().set_len(bytes.len() as u64).unwrap();
    read(file.path(), wanted, 1 << 20)
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
        let path = golden(file);
        let variables = variables.as_object().unwrap();
        for (listed, (name, want)) in list(&path).unwrap_or_default().iter().zip(variables) {
            let shape = want["shape"].as_str().unwrap_or(&listed.1); // the bad ones have none
            assert_eq!((&listed.0, listed.1.as_str()), (name, shape), "{file}");
        }
        for (name, want) in variables {
            let got = read(&path, &[name], 1 << 20);
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
    let both = read(&golden("plain.mat"), &["labels", "fts"], 1 << 20).unwrap();
    assert_eq!([&both[0].name[..], &both[1].name[..]], ["labels", "fts"]);
    says(read(&golden("big.mat"), &["X"], 600), "has no variable `X`; variables of the file: `fts` (12 x 7");
    says(read(&golden("plain.mat"), &["fts"], 600), "needs 672 bytes, the memory budget is 600 bytes");
    says(read(&golden("bad-hdf.mat"), &["x"], 600), "save it with `save('file.mat', '-v7')`");
}

#[test]
fn a_file_of_a_few_bytes_is_read() {
    let array = b"\x0e\0\0\0\x30\0\0\0\x06\0\0\0\x08\0\0\0\x06\0\0\0\0\0\0\0\x05\0\0\0\x08\0\0\0\
                  \x01\0\0\0\x02\0\0\0\x01\0\x01\0x\0\0\0\x01\0\x02\0\xff\x05\0\0"; // 1 x 2 double, stored as int8
    let bytes = [&[b' '; 124][..], b"\0\x01IM", array].concat();
    let x = read_bytes(&mut tempfile::NamedTempFile::new().unwrap(), &bytes, &["x"]).unwrap().remove(0);
    assert_eq!((x.rows, x.columns, x.values), (1, 2, Values::Numbers(vec![-1.0, 5.0])));
}

#[test]
fn truncated_and_damaged_files_never_panic() {
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let wanted = ["fts", "labels", "holes", "word", "chars", "cell"];
    for name in ["matlab.mat", "big.mat"] {
        let bytes = std::fs::read(golden(name)).unwrap();
        for end in 0..bytes.len() {
            assert!(read_bytes(&mut file, &bytes[..end], &wanted).is_err(), "{name} cut at {end}");
        }
        for _ in 0..2000 {
            let mut bytes = bytes.clone();
            for _ in 0..=random(3) {
                let at = 124 + random(bytes.len() - 124);
                bytes[at] = [0, 1, 0x7f, 0xff, random(256) as u8][random(5)];
            }
            let _ = read_bytes(&mut file, &bytes, &wanted);
        }
    }
}
