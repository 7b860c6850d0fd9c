//! Tensors and pictures filled by a formula, the same as in `golden/make_zoo.py`, so that no checkpoint is kept.

use std::collections::BTreeMap;

use juyi_deep::architecture::Architecture;
use juyi_deep::checkpoint::Stored;

/// Between -1 and 1, by the `SplitMix64` of the name's checksum and the place.
pub(crate) fn numbers(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let begin = u64::from(checksum(name.as_bytes())) << 32;
    (1..=count as u64).map(move |place| {
        let z = place.wrapping_add(begin).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 * 2f64.powi(-52) - 1.0
    })
}

/// CRC-32.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

fn tensor(name: &str, shape: &[usize]) -> Stored {
    let inputs: usize = shape.iter().skip(1).product();
    let scale = (6.0 / inputs as f64).sqrt();
    let one = name.ends_with("weight") || name.ends_with("running_var");
    let value = |u: f64| match shape.len() {
        2 | 4 => u * scale,
        _ if one => 1.0 + 0.2 * u,
        _ => 0.1 * u,
    };
    let values = numbers(name, shape.iter().product()).map(|u| value(u) as f32).collect();
    Stored { shape: shape.to_vec(), values }
}

pub(crate) fn tensors(architecture: &Architecture) -> BTreeMap<String, Stored> {
    let all = architecture.parameters().into_iter();
    all.map(|own| (own.name.clone(), tensor(&own.name, &own.shape))).collect()
}
