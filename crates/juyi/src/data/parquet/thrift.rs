//! Thrift's compact protocol, as far as Parquet needs it, with each length held against what is left.

/// How deep structures are passed over; sound files have less than ten levels.
const DEEPEST: u32 = 32;

/// What is left of a structure.
pub(super) struct Thrift<'a>(pub(super) &'a [u8]);

// Types of the compact protocol.
pub(super) const STOP: u8 = 0;
pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
const BYTE: u8 = 3;
const SHORT: u8 = 4;
pub(super) const NUMBER: u8 = 5;
pub(super) const LONG: u8 = 6;
const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
const UUID: u8 = 13;

impl<'a> Thrift<'a> {
    /// The type of the next field of a structure, [`STOP`] at its end; `id` becomes the field's number.
    pub(super) fn field(&mut self, id: &mut i64) -> Option<u8> {
        let byte = self.byte()?;
        if byte == STOP {
            return Some(STOP);
        }
        *id = match byte >> 4 {
            0 => {
                let folded = self.varint()?;
                (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed()
            }
            step => id.checked_add(i64::from(step))?,
        };
        Some(byte & 15)
    }

    /// Length and type of the elements of a list.
    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let byte = self.byte()?;
        let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
        Some((count, byte & 15))
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self, kind: u8) -> Option<()> {
        self.skip_within(kind, DEEPEST)
    }

    fn skip_within(&mut self, kind: u8, deepest: u32) -> Option<()> {
        let deepest = deepest.checked_sub(1)?;
        match kind {
            TRUE | FALSE => {} // truth values are part of the field's type
            BYTE => self.take(1).map(drop)?,
            DOUBLE => self.take(8).map(drop)?,
            UUID => self.take(16).map(drop)?,
            BINARY => self.binary().map(drop)?,
            LIST | SET => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    self.skip_element(kind, deepest)?;
                }
            }
            MAP => {
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                for _ in 0..count {
                    self.skip_element(kinds >> 4, deepest)?;
                    self.skip_element(kinds & 15, deepest)?;
                }
            }
            STRUCT => {
                let mut id = 0;
                loop {
                    match self.field(&mut id)? {
                        STOP => break,
                        kind => self.skip_within(kind, deepest)?,
                    }
                }
            }
            SHORT | NUMBER | LONG => self.varint().map(drop)?,
            _ => return None,
        }
        Some(())
    }

    /// The crate takes no byte for a truth value in a list, however many are announced: there are none in a footer.
    fn skip_element(&mut self, kind: u8, deepest: u32) -> Option<()> {
        if matches!(kind, TRUE | FALSE) { None } else { self.skip_within(kind, deepest) }
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    /// A number in pieces of seven bits.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn binary(&mut self) -> Option<&'a [u8]> {
        let length = self.varint()?;
        self.take(usize::try_from(length).ok()?)
    }
}
