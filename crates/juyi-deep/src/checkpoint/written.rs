//! Pickles and checkpoints written code by code, for tests.

use std::io::{Cursor, Write};

use zip::write::{SimpleFileOptions, ZipWriter};

use super::torch::MAGIC;

/// A whole pickle of protocol 2.
pub(super) fn pickle(body: &[u8]) -> Vec<u8> {
    [b"\x80\x02", body, b"."].concat()
}

pub(super) fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

pub(super) fn number(number: i64) -> Vec<u8> {
    [b"\x8a\x08", &number.to_le_bytes()[..]].concat()
}

pub(super) fn float(number: f64) -> Vec<u8> {
    [b"G", &number.to_be_bytes()[..]].concat()
}

pub(super) fn numbers(numbers: &[i64]) -> Vec<u8> {
    tuple(&numbers.iter().map(|value| number(*value)).collect::<Vec<_>>())
}

pub(super) fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

pub(super) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [b"](", &items.concat()[..], b"e"].concat()
}

pub(super) fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<Vec<u8>> =
        entries.iter().map(|(key, value)| [text(key), value.clone()].concat()).collect();
    [b"}(", &entries.concat()[..], b"u"].concat()
}

pub(super) fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

pub(super) fn call(module: &str, name: &str, arguments: &[Vec<u8>]) -> Vec<u8> {
    [global(module, name), tuple(arguments), b"R".to_vec()].concat()
}

/// A NumPy array of single bytes.
pub(super) fn array(shape: &[i64], values: &[u8]) -> Vec<u8> {
    typed_array("u1", "|", shape, false, [b"B", &(values.len() as u32).to_le_bytes()[..], values].concat())
}

/// A NumPy array of a type such as `f4`, in byte order `<` or `>`, of pickled bytes.
pub(super) fn typed_array(
    name: &str,
    order: &str,
    shape: &[i64],
    by_column: bool,
    bytes: Vec<u8>,
) -> Vec<u8> {
    let dtype = call("numpy", "dtype", &[text(name), number(0), number(1)]);
    let dtype = [dtype, tuple(&[number(3), text(order)]), b"b".to_vec()].concat();
    let new = call("numpy.core.multiarray", "_reconstruct", &[global("numpy", "ndarray")]);
    let by_column = if by_column { b"\x88".to_vec() } else { b"\x89".to_vec() };
    let state = tuple(&[number(1), numbers(shape), dtype, by_column, bytes]);
    [new, state, b"b".to_vec()].concat()
}

/// A reference to a storage of `count` values.
pub(super) fn storage(class: &str, key: &str, count: i64) -> Vec<u8> {
    let parts = [text("storage"), global("torch", class), text(key), text("cpu"), number(count)];
    [tuple(&parts), b"Q".to_vec()].concat()
}

pub(super) fn tensor(storage: Vec<u8>, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let arguments = [storage, number(offset), numbers(shape), numbers(strides)];
    call("torch._utils", "_rebuild_tensor_v2", &arguments)
}

/// A row of pickles and storages.
pub(super) fn row(object: &[u8], storages: &[(&str, i64, &[u8])]) -> Vec<u8> {
    let system = dict(&[("little_endian", b"\x88".to_vec())]);
    let keys: Vec<Vec<u8>> = storages.iter().map(|(key, ..)| text(key)).collect();
    let mut bytes = MAGIC.to_vec();
    for part in [&number(1001), &system, object, &list(&keys)] {
        bytes.extend(pickle(part));
    }
    for (_, count, values) in storages {
        bytes.extend(count.to_le_bytes());
        bytes.extend(*values);
    }
    bytes
}

/// A deflated zip archive.
pub(super) fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in parts {
        writer.start_file(*path, SimpleFileOptions::default()).expect("a new part");
        writer.write_all(bytes).expect("memory to write to");
    }
    writer.finish().expect("memory to write to").into_inner()
}
