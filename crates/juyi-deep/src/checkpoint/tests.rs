//! Files of several formats, sound and damaged.

use safetensors::SafeTensors;

use super::*;

fn problem(bytes: &[u8]) -> String {
    Checkpoint::from_bytes("f", bytes, 1 << 20).unwrap_err().to_string()
}

fn stored(shape: &[usize], values: &[f32]) -> Stored {
    Stored { shape: shape.to_vec(), values: values.to_vec() }
}

/// A safetensors file of this header and values.
fn file(header: &str, values: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), values].concat()
}

#[test]
fn what_is_written_is_read_by_others_and_by_us() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let tensors: BTreeMap<String, Stored> = [
        ("b.weight", stored(&[2, 2], &[1.5, -2.0, f32::MIN_POSITIVE, 0.1])),
        ("b.bias", stored(&[], &[3.0])),
        ("empty", stored(&[0, 3], &[])),
    ]
    .into_iter()
    .map(|(name, stored)| (name.to_string(), stored))
    .collect();
    let metadata: BTreeMap<String, String> =
        [("a", "1"), ("b", "ü")].map(|(key, value)| (key.into(), value.into())).into();
    write_safetensors(&path, &tensors, &metadata).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let theirs = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(theirs.len(), 3);
    for (name, stored) in &tensors {
        let view = theirs.tensor(name).unwrap();
        let values: Vec<u8> = stored.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!((view.dtype(), view.shape(), view.data()), (Dtype::F32, &stored.shape[..], &values[..]));
    }
    let read = Checkpoint::read(&path, 1 << 20).unwrap();
    assert_eq!(
        read,
        Checkpoint { tensors: tensors.clone(), metadata: metadata.clone(), ..Checkpoint::default() }
    );
    write_safetensors(&path, &tensors, &metadata).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    for length in 0..bytes.len() {
        assert!(Checkpoint::from_bytes("f", &bytes[..length], 1 << 20).is_err(), "{length} bytes");
    }
    let small = Checkpoint::read(&path, bytes.len() as u64 - 1);
    assert!(matches!(small, Err(Error::Memory { .. })));
    // Sizes are asked before anything is allocated, and what is no file is never opened.
    fs::File::create(folder.path().join("long")).unwrap().set_len(1 << 40).unwrap();
    let long = Checkpoint::read(&folder.path().join("long"), 1 << 30).unwrap_err().to_string();
    assert!(long.contains("long` needs 1.0 TiB"), "{long}");
    let none = Checkpoint::read(folder.path(), 1 << 20).unwrap_err().to_string();
    assert!(none.ends_with("is not a file"), "{none}");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let write = |name: &str, stored: Stored| {
        let tensors = BTreeMap::from([(name.to_string(), stored)]);
        write_safetensors(&path, &tensors, &BTreeMap::new()).unwrap_err().to_string()
    };
    assert!(write("w", stored(&[2], &[1.0])).ends_with("tensor `w`: has shape [2], but 1 values"));
    assert!(write("w", stored(&[usize::MAX, 2], &[])).contains("has shape"));
    assert!(write(METADATA, stored(&[1], &[1.0])).contains("kept for the metadata"));
    assert!(!path.exists());
    let nowhere = write_safetensors(&path.join("a"), &BTreeMap::new(), &BTreeMap::new());
    assert!(matches!(nowhere, Err(Error::Io { .. })));
}

#[test]
fn damaged_headers_are_refused() {
    for (header, words) in [
        ("{", "EOF"),
        (r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "damaged"),
        (r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "damaged"),
        (r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "need 8 bytes, there are 4"),
        (
            r#"{"w":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}}"#,
            "damaged",
        ),
        (r#"{"w":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}"#, "holds values of type `F8_E4M3`"),
    ] {
        let problem = problem(&file(header, &[0; 4]));
        assert!(problem.contains(words), "{header}: {problem}");
    }
    let nested = file(&format!("{{\"w\":{}", "[".repeat(10_000)), &[]);
    assert!(problem(&nested).contains("damaged"));
    let shape = vec!["1"; MOST_DIMENSIONS + 1].join(",");
    let flat = format!(r#"{{"w":{{"dtype":"U8","shape":[{shape}],"data_offsets":[0,1]}}}}"#);
    assert!(problem(&file(&flat, &[0])).contains("damaged"));
}

#[test]
fn a_prefix_that_all_names_share_is_taken_off() {
    let read = |names: [&str; 2]| {
        let pickled = written::pickle(&written::dict(&names.map(|name| (name, written::array(&[1], &[1])))));
        Checkpoint::from_bytes("f", &pickled, 1 << 20).unwrap()
    };
    let parallel = read(["module.a", "module.module.b"]);
    assert_eq!(parallel.tensors.into_keys().collect::<Vec<_>>(), ["a", "module.b"]);
    assert_eq!(parallel.notes, ["`module.` was taken off all names: the network was trained in parallel"]);
    let other = read(["module.a", "modules.b"]);
    assert_eq!(other.tensors.into_keys().collect::<Vec<_>>(), ["module.a", "modules.b"]);
    assert!(other.notes.is_empty());
}

#[test]
fn other_files_are_refused() {
    for bytes in [&b""[..], b"PK", b"\x89HDF\r\n\x1a\n", b"<html>", b"\x80\x09", &file("[]", &[])] {
        assert_eq!(problem(bytes), "`f`: is not a checkpoint of a known format", "{}", bytes.escape_ascii());
    }
    assert_eq!(problem(b"}.}."), "`f`: goes on for 2 bytes behind its pickle");
    let tensor = written::tensor(written::storage("FloatStorage", "0", 1), 0, &[1], &[1]);
    let pickled = written::pickle(&written::dict(&[("w", tensor)]));
    assert_eq!(problem(&pickled), "`f`: refers to values that are not in the file");
    let missing = Checkpoint::read(Path::new("no such file"), 1 << 20);
    assert!(matches!(missing, Err(Error::Io { .. })));
}
