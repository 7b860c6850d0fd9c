//! NumPy's `.npy`, versions 1 to 3: numbers, truth values and text, in either byte order and either order of dimensions.
//!
//! Format: NumPy Enhancement Proposal 1. The header is a Python literal; only the three entries that it must have are
//! read. Arrays of objects are pickles, which can run code: they are refused, always.

use std::io::Read;

use super::array::{Array, Layout, Scalar};
use crate::error::{Error, Result, shown};

/// Longest header in bytes.
const LONGEST: u32 = 1 << 16;

/// Reads an array; messages call it `thing`. At most `limit` bytes are taken for it and the table to come.
///
/// # Errors
/// [`Error::Input`] if this is no sound `.npy` file or its type is not a number, truth value or text; [`Error::Memory`].
pub fn read(thing: &str, reader: &mut dyn Read, limit: u64) -> Result<Array> {
    let fail = |problem: String| Error::input(thing, problem, "write it with `numpy.save`");
    let mut fill = |buffer: &mut [u8]| {
        reader.read_exact(buffer).map_err(|_| fail("is not an .npy file, or is cut off in its header".into()))
    };
    let mut start = [0; 8];
    fill(&mut start)?;
    let ([b'\x93', b'N', b'U', b'M', b'P', b'Y', major, _], mut length) = (start, [0; 4]) else {
        return Err(fail("is not an .npy file".into()));
    };
    match major {
        1 => fill(&mut length[..2])?,
        2 | 3 => fill(&mut length)?,
        _ => return Err(fail(format!("has version {major} of the .npy format, 1 to 3 are known"))),
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(fail(format!("announces a header of {length} bytes, at most {LONGEST} are read")));
    }
    let mut header = vec![0; length as usize];
    fill(&mut header)?;
    let header = String::from_utf8_lossy(&header);
    let damaged = || fail(format!("has a damaged header: `{}`", shown(&header)));
    let entries = Literal(&header).entries().ok_or_else(damaged)?;
    let Entries { descr: Some(descr), by_column: Some(by_column), shape: Some(shape) } = entries else {
        return Err(damaged());
    };
    let (scalar, width, big_endian) = kind(&descr).map_err(|what| {
        let hint =
            "numbers, truth values and text are read: convert it with `.astype(float)` or `.astype(str)`";
        Error::input(thing, format!("holds {what}"), hint)
    })?;
    Layout { shape, scalar, width, big_endian, by_column }.read(thing, reader, limit)
}

/// Scalar, width in bytes and whether it is big-endian, of a type such as `<f8`; the error says what else it is.
fn kind(descr: &str) -> std::result::Result<(Scalar, u64, bool), String> {
    let plain = descr.trim_start_matches(['<', '>', '|', '=']);
    let (kind, size) = plain.split_at_checked(1).unwrap_or_default();
    let size = size.parse::<u32>().map(u64::from).map_err(|_| ());
    let (scalar, width) = match (kind, size) {
        ("b", Ok(1)) => (Scalar::Unsigned, 1),
        ("u", Ok(size @ (1 | 2 | 4 | 8))) => (Scalar::Unsigned, size),
        ("i", Ok(size @ (1 | 2 | 4 | 8))) => (Scalar::Signed, size),
        ("f", Ok(size @ (2 | 4 | 8))) => (Scalar::Float, size),
        ("S", Ok(size)) => (Scalar::Bytes, size),
        ("U", Ok(letters)) => (Scalar::Letters, 4 * letters),
        ("O", _) => return Err("Python objects (a pickle), which are never loaded".into()),
        ("[", _) => return Err("records of several fields".into()),
        ("c", _) => return Err(format!("complex numbers (`{}`)", shown(descr))),
        ("M" | "m", _) => return Err(format!("dates or time spans (`{}`)", shown(descr))),
        _ => return Err(format!("values of type `{}`", shown(descr))),
    };
    Ok((scalar, width, descr.starts_with('>')))
}

/// The entries of a header.
#[derive(Default)]
struct Entries {
    descr: Option<String>,
    by_column: Option<bool>,
    shape: Option<Vec<u64>>,
}

/// What is left of a Python literal.
struct Literal<'a>(&'a str);

impl<'a> Literal<'a> {
    /// The three entries, in any order; a list of fields becomes the type `[`.
    fn entries(mut self) -> Option<Entries> {
        let mut entries = Entries::default();
        self.take("{")?;
        while self.take("}").is_none() {
            let key = self.string()?;
            self.take(":")?;
            match key {
                "descr" if self.take("[").is_some() => {
                    return Some(Entries {
                        descr: Some("[".into()),
                        by_column: Some(false),
                        shape: Some(Vec::new()),
                    });
                }
                "descr" => entries.descr = Some(self.string()?.into()),
                "fortran_order" => {
                    entries.by_column = Some(self.take("True").is_some());
                    if entries.by_column == Some(false) {
                        self.take("False")?;
                    }
                }
                "shape" => entries.shape = Some(self.sizes()?),
                _ => return None,
            }
            if self.take(",").is_none() {
                self.take("}")?;
                break;
            }
        }
        self.0.trim().is_empty().then_some(entries)
    }

    fn take(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(word)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = ["'", "\""].into_iter().find(|quote| self.take(quote).is_some())?;
        let (text, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        Some(text)
    }

    /// `(3, 4)`, `(3,)`, `()`.
    fn sizes(&mut self) -> Option<Vec<u64>> {
        self.take("(")?;
        let (inside, rest) = self.0.split_once(')')?;
        self.0 = rest;
        let inside = inside.trim();
        let inside = inside.strip_suffix(',').unwrap_or(inside);
        let size = |size: &str| size.trim().trim_end_matches('L').parse().ok();
        if inside.is_empty() { Some(Vec::new()) } else { inside.split(',').map(size).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, header: &str, values: &[u8]) -> Vec<u8> {
        let length = (header.len() as u32).to_le_bytes();
        let length = if version == 1 { &length[..2] } else { &length[..] };
        [b"\x93NUMPY", &[version, 0][..], length, header.as_bytes(), values].concat()
    }

    fn problem(bytes: &[u8]) -> String {
        read("`a`", &mut &bytes[..], 1 << 20).unwrap_err().to_string()
    }

    #[test]
    fn entries_come_in_any_order() {
        let header = "{\"shape\": (2L, 1), 'fortran_order': True , 'descr': '<i2'}   \n";
        for version in [1, 2, 3] {
            assert!(read("`a`", &mut &file(version, header, &[1, 0, 2, 0])[..], 1 << 20).is_ok());
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        let holds = |descr: &str| {
            let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}");
            problem(&file(1, &header, &[0; 16]))
        };
        assert_eq!(holds("'|O'"), "`a`: holds Python objects (a pickle), which are never loaded");
        assert_eq!(holds("[('x', '<f8')]"), "`a`: holds records of several fields");
        assert_eq!(holds("'<c16'"), "`a`: holds complex numbers (`<c16`)");
        assert_eq!(holds("'<f16'"), "`a`: holds values of type `<f16`");
        assert_eq!(holds("'<f8'"), "`a`: goes on behind its end");
        assert_eq!(problem(b"\x93NUMPY\x04\0"), "`a`: has version 4 of the .npy format, 1 to 3 are known");
        assert_eq!(problem(b"PK"), "`a`: is not an .npy file, or is cut off in its header");
        for header in ["", "{", "{'descr': '<f8'}", "{'shape': (1,-1)}", "{'descr': '<f8'} 1", "{'a': 1}"] {
            assert!(problem(&file(1, header, &[])).starts_with("`a`: has a damaged header"), "{header}");
        }
    }
}
