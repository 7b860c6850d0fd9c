#![no_main]

use std::path::Path;

#[path = "../layers.rs"]
mod layers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    layers::layers(bytes, Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/picture.png")));
});
