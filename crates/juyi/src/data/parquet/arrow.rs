//! Which columns of a Parquet file are durations: Parquet has no type for them, the schema of Arrow beside it has.
//!
//! Format: `Schema.fbs` and `Message.fbs` of Apache Arrow, as a `FlatBuffers` message in base64 under the key
//! `ARROW:schema`. Every place is looked up within the bytes; what cannot be read says nothing.

use std::collections::HashMap;

use parquet::file::metadata::FileMetaData;

/// The number of `Duration` among Arrow's types.
const DURATION: u8 = 18;

/// The number of `Schema` among the headers of a message.
const SCHEMA: u8 = 1;

/// The durations of a file: units a second, by the names of columns.
pub(super) fn durations(metadata: &FileMetaData) -> HashMap<String, i64> {
    let pairs = metadata.key_value_metadata().into_iter().flatten();
    let written = pairs.filter(|pair| pair.key == "ARROW:schema").find_map(|pair| pair.value.as_ref());
    written.and_then(|written| of_message(&base64(written)?)).unwrap_or_default()
}

/// The same of a message.
fn of_message(bytes: &[u8]) -> Option<HashMap<String, i64>> {
    // Newer writers put a mark before the length.
    let bytes = bytes.strip_prefix(&[0xff; 4]).unwrap_or(bytes).get(4..)?;
    let message = Table::root(bytes)?;
    if message.byte(1)? != SCHEMA {
        return None;
    }
    let fields = message.table(2)?.tables(1)?;
    let duration = |field: Table| {
        let name = field.text(0)?.to_string();
        (field.byte(2)? == DURATION).then_some(())?;
        let units = match field.table(3)?.short(0).unwrap_or(1) {
            0 => 1,
            1 => 1_000,
            2 => 1_000_000,
            3 => 1_000_000_000,
            _ => return None,
        };
        Some((name, units))
    };
    Some(fields.into_iter().filter_map(duration).collect())
}

/// A table of a `FlatBuffers` message.
#[derive(Clone, Copy)]
struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Table<'a> {
    fn root(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { bytes, at: follow(bytes, 0)? })
    }

    /// Where a field stands; `None` where it is left out.
    fn field(&self, number: usize) -> Option<usize> {
        let back = i32::from_le_bytes(array(self.bytes, self.at)?);
        let of_fields = usize::try_from(i64::try_from(self.at).ok()? - i64::from(back)).ok()?;
        let length = usize::from(u16::from_le_bytes(array(self.bytes, of_fields)?));
        let place = 4 + 2 * number;
        if place + 2 > length {
            return None;
        }
        let offset = u16::from_le_bytes(array(self.bytes, of_fields.checked_add(place)?)?);
        (offset > 0).then(|| self.at + usize::from(offset))
    }

    fn byte(&self, number: usize) -> Option<u8> {
        self.bytes.get(self.field(number)?).copied()
    }

    fn short(&self, number: usize) -> Option<i16> {
        Some(i16::from_le_bytes(array(self.bytes, self.field(number)?)?))
    }

    fn table(&self, number: usize) -> Option<Self> {
        Some(Self { at: follow(self.bytes, self.field(number)?)?, ..*self })
    }

    /// Length and beginning of what a field points to.
    fn list(&self, number: usize) -> Option<(usize, usize)> {
        let at = follow(self.bytes, self.field(number)?)?;
        Some((u32::from_le_bytes(array(self.bytes, at)?) as usize, at + 4))
    }

    fn text(&self, number: usize) -> Option<&'a str> {
        let (length, at) = self.list(number)?;
        std::str::from_utf8(self.bytes.get(at..at.checked_add(length)?)?).ok()
    }

    fn tables(&self, number: usize) -> Option<Vec<Self>> {
        let (count, at) = self.list(number)?;
        self.bytes.get(at..at.checked_add(count.checked_mul(4)?)?)?;
        (0..count).map(|k| Some(Self { at: follow(self.bytes, at + 4 * k)?, ..*self })).collect()
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Where the offset at this place points to.
fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32::from_le_bytes(array(bytes, at)?) as usize)
}

/// The bytes that base64 stands for; `None` where there is another character.
fn base64(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::with_capacity(text.len() / 4 * 3));
    for letter in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | LETTERS.iter().position(|known| *known == letter)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column `a` of durations in microseconds and one of numbers, as Arrow 26 writes them.
    const WRITTEN: &str = "//////AAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAQAAACUAAAAWAAAACwAAAAEAAAAjP///wAAAQUQAAAAFAAAAAQAAAAAAAAAAQAAAHkAAADc////sP///wAAAQUQAAAAGAAAAAQAAAAAAAAAAQAAAGMAAAAEAAQABAAAANj///8AAAEDEAAAABQAAAAEAAAAAAAAAAEAAABiAAAAyv///wAAAgAQABQACAAGAAcADAAAABAAEAAAAAAAARIQAAAAGAAAAAQAAAAAAAAAAQAAAGEABgAIAAYABgAAAAAAAgA=";

    #[test]
    fn durations_are_found_by_name_and_what_is_damaged_says_nothing() {
        let bytes = base64(WRITTEN).unwrap();
        assert_eq!(of_message(&bytes), Some(HashMap::from([("a".to_string(), 1_000_000)])));
        assert_eq!(base64("no base64"), None);
        // Cut anywhere, and with any byte changed, it is read or not, and nothing is read beyond its end.
        for at in 0..bytes.len() {
            let _ = of_message(&bytes[..at]);
            for other in [0, 1, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = other;
                let _ = of_message(&damaged);
            }
        }
    }
}
