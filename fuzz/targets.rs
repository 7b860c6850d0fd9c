//! What is done with the bytes of a foreign file, by the fuzz targets and by `crates/juyi/tests/corpora.rs`: nothing may
//! panic, hang or take more memory than it is allowed. Either outcome is fine otherwise.
#![allow(dead_code)] // a fuzz target calls one of them

use std::io::Cursor;

use juyi::data::{Reading, array, idx, mat, npy, npz, parquet, xlsx};
use juyi::linalg::from_rows;
use juyi::models::Model;

/// Bytes that a table may take.
const LIMIT: u64 = 1 << 22;

pub(crate) fn mat(bytes: &[u8]) {
    let _ = mat::table("f.mat", &mut Cursor::new(bytes), None, &Reading::default(), LIMIT);
    let _ = mat::table("f.mat", &mut Cursor::new(bytes), Some("x"), &Reading::default(), LIMIT);
}

pub(crate) fn npy(mut bytes: &[u8]) {
    if let Ok(array) = npy::read("f.npy", &mut bytes, LIMIT) {
        let _ = array::table("f.npy", ("f.npy", &array), Some(("f.npy", &array)), &Reading::default());
    }
}

pub(crate) fn npz(bytes: &[u8]) {
    let _ = npz::read("f.npz", Cursor::new(bytes), None, &Reading::default(), LIMIT);
}

pub(crate) fn idx(mut bytes: &[u8]) {
    if let Ok(array) = idx::read("f.idx", &mut bytes, LIMIT) {
        let _ = array::table("f.idx", ("f.idx", &array), Some(("f.idx", &array)), &Reading::default());
    }
}

pub(crate) fn parquet(bytes: &[u8]) {
    let _ = parquet::read("f.parquet", bytes, &Reading::default(), LIMIT);
    let text = Reading { as_text: vec!["a".into()], ..Reading::default() };
    let _ = parquet::read("f.parquet", bytes, &text, LIMIT);
    let dropped = Reading { only: Some(vec!["a".into()]), ..Reading::default() };
    let _ = parquet::read("f.parquet", bytes, &dropped, LIMIT);
}

pub(crate) fn xlsx(bytes: &[u8]) {
    let _ = xlsx::read("f.xlsx", Cursor::new(bytes), None, &Reading::default(), LIMIT);
    let reading = Reading { as_text: vec!["a".into()], ..Reading::default() };
    let _ = xlsx::read("f.xlsx", Cursor::new(bytes), Some("Sheet"), &reading, LIMIT);
}

/// The model file.
pub(crate) fn model(bytes: &[u8]) {
    if let Ok(mut model) = Model::from_bytes("f.safetensors", bytes) {
        if model.columns <= 64 {
            model
                .predict(from_rows(&[vec![0.5; model.columns]]).as_ref())
                .expect("as many columns as it takes");
        }
        let _ = model.to_bytes();
    }
}
