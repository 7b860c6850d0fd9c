//! What the parts of a workbook unpack to, counted before they are opened.

use std::cell::Cell;
use std::io::{Read, Seek};

use zip::ZipArchive;

use crate::data::npz::{DIRECTORY, Metered};
use crate::error::{Error, Result};

/// What a byte of the parts that are held becomes in memory, at most: five may be a text, which has a place of its own.
const PARTS: u64 = 16;

/// What a text of the parts takes, beside its letters.
const TEXT: u64 = 24;

/// Counts what the parts of the archive unpack to, and what they take at once.
pub(super) fn unpacked<R: Read + Seek>(name: &str, file: &mut R, limit: u64) -> Result<u64> {
    let left = Cell::new(limit / DIRECTORY);
    let unsound = |error: String| {
        let hint = "save it as .xlsx, without a password";
        Error::input(format!("`{name}`"), format!("is not a sound .xlsx workbook: {error}"), hint)
    };
    let memory = |need: u64| Error::Memory { what: format!("the parts of `{name}`"), need, budget: limit };
    let mut archive = ZipArchive::new(Metered { file, left: &left }).map_err(|error| match left.get() {
        0 => memory(limit.saturating_add(DIRECTORY)),
        _ => unsound(error.to_string()),
    })?;
    left.set(u64::MAX);
    let (mut parts, mut largest) = (0_u64, 0);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| unsound(error.to_string()))?;
        let part = entry.name().map_or_else(|_| String::new(), |name| name.to_lowercase());
        if ![".xml", ".rels", ".bin"].iter().any(|ending| part.ends_with(ending)) {
            continue; // pictures, say, which nobody opens
        }
        let most = limit.saturating_sub(parts.saturating_mul(PARTS)).saturating_add(1);
        let (mut bytes, mut entry) = (Vec::new(), entry.take(most));
        let size = if part.ends_with("sharedstrings.xml") {
            entry.read_to_end(&mut bytes).map(|size| size as u64)
        } else {
            std::io::copy(&mut entry, &mut std::io::sink())
        };
        let size = size.map_err(|error| unsound(error.to_string()))?;
        parts = parts.saturating_add(claimed(&bytes).saturating_mul(TEXT) / PARTS);
        if part.contains("worksheets/") {
            largest = size.max(largest); // read piece by piece
        } else {
            parts = parts.saturating_add(size);
        }
        let need = parts.saturating_mul(PARTS).saturating_add(largest);
        if need > limit {
            return Err(memory(need));
        }
    }
    Ok(parts.saturating_mul(PARTS).saturating_add(largest))
}

/// How many texts a part says that it has: room is made for them before they are read.
pub(super) fn claimed(part: &[u8]) -> u64 {
    const NAME: &[u8] = b"uniqueCount";
    let numbers = part.windows(NAME.len()).enumerate().filter(|(_, word)| *word == NAME).map(|(at, _)| {
        let digits = part[at + NAME.len()..]
            .iter()
            .skip_while(|b| matches!(b, b'=' | b'"' | b'\'' | b' ' | b'\t' | b'\r' | b'\n'));
        let digits = digits.take_while(|b| b.is_ascii_digit());
        digits.fold(0_u64, |number, b| number.saturating_mul(10).saturating_add(u64::from(b - b'0')))
    });
    numbers.max().unwrap_or(0)
}
