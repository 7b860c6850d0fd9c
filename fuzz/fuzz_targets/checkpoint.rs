#![no_main]

use juyi_deep::checkpoint::Checkpoint;

/// Bytes that the file and its tensors may take.
const LIMIT: u64 = 1 << 22;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Checkpoint::from_bytes("f", bytes, LIMIT);
});
