//! A first look at the end of a Parquet file, before the crate sees it.
//!
//! The crate turns the schema into a tree and recurses as deep as the file says, which could overflow the stack. Tables
//! with one value a cell have a flat schema, so that anything deeper is refused here, by name.
//!
//! Format: Apache Parquet, `parquet.thrift`, in Thrift's compact protocol.

use crate::error::{Error, Result, shown};

/// How deep structures are passed over; sound files have less than ten levels.
const DEEPEST: u32 = 32;

/// Checks that this is a Parquet file with a flat schema.
///
/// # Errors
/// [`Error::Input`].
pub(super) fn check(name: &str, file: &[u8]) -> Result<()> {
    let fail = |problem: String, hint: &str| Err(Error::input(format!("`{name}`"), problem, hint));
    let (body, Some(b"PAR1")) = (file.strip_prefix(b"PAR1").unwrap_or_default(), file.last_chunk::<4>())
    else {
        let hint = "write it with `to_parquet` of pandas, without encryption";
        return fail("is not a Parquet file, or is cut off".into(), hint);
    };
    let ends = body.len().checked_sub(8).map(|at| body.split_at(at));
    let Some((body, [a, b, c, d, ..])) = ends else {
        return fail("is not a Parquet file, or is cut off".into(), "");
    };
    let length = u32::from_le_bytes([*a, *b, *c, *d]);
    let Some(at) = body.len().checked_sub(length as usize) else {
        return fail(format!("is cut off: its footer announces {length} bytes"), "");
    };
    match Thrift(&body[at..]).schema() {
        None => fail("is damaged: its footer cannot be read".into(), ""),
        Some(Schema::Flat) => Ok(()),
        Some(Schema::Nested(column)) => fail(
            format!("column `{}` is nested: a cell may hold one value only", shown(&column)),
            "unfold it into columns of their own before the table is written",
        ),
    }
}

/// What a schema looks like.
enum Schema {
    Flat,
    /// The first column that has columns inside.
    Nested(String),
}

/// What is left of a structure.
pub(super) struct Thrift<'a>(pub(super) &'a [u8]);

// Types of the compact protocol.
const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const SHORT: u8 = 4;
const NUMBER: u8 = 5;
const LONG: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

impl<'a> Thrift<'a> {
    /// The shape of the schema; `None` if the footer is damaged.
    fn schema(mut self) -> Option<Schema> {
        let mut id = 0;
        loop {
            match (self.field(&mut id)?, id) {
                (STOP, _) => return Some(Schema::Flat),
                (LIST, 2) => {
                    let (count, STRUCT) = self.list()? else { return None };
                    for element in 0..count {
                        let (name, children) = self.element()?;
                        if element > 0 && children != 0 {
                            return Some(Schema::Nested(name));
                        }
                    }
                }
                (kind, _) => self.skip(kind, DEEPEST)?,
            }
        }
    }

    /// Name and number of children of an element of the schema.
    fn element(&mut self) -> Option<(String, u64)> {
        let (mut id, mut name, mut children) = (0, String::new(), 0);
        loop {
            match (self.field(&mut id)?, id) {
                (STOP, _) => return Some((name, children)),
                (BINARY, 4) => name = String::from_utf8_lossy(self.binary()?).into_owned(),
                (NUMBER, 5) => children = self.varint()?,
                (kind, _) => self.skip(kind, DEEPEST)?,
            }
        }
    }

    /// The type of the next field of a structure, [`STOP`] at its end; `id` becomes the field's number.
    fn field(&mut self, id: &mut i64) -> Option<u8> {
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
    fn list(&mut self) -> Option<(u64, u8)> {
        let byte = self.byte()?;
        let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
        Some((count, byte & 15))
    }

    fn skip(&mut self, kind: u8, deepest: u32) -> Option<()> {
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
                        kind => self.skip(kind, deepest)?,
                    }
                }
            }
            SHORT | NUMBER | LONG => self.varint().map(drop)?,
            _ => return None,
        }
        Some(())
    }

    /// In a list, a truth value is a byte of its own.
    fn skip_element(&mut self, kind: u8, deepest: u32) -> Option<()> {
        self.skip(if kind < BYTE { BYTE } else { kind }, deepest)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
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

    fn binary(&mut self) -> Option<&'a [u8]> {
        let length = self.varint()?;
        self.take(usize::try_from(length).ok()?)
    }
}
