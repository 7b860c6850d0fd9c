//! The idx format of the MNIST files: a type, sizes, then the values, big-endian.
//!
//! Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".

use std::io::Read;

use super::array::{Array, Layout, Scalar};
use crate::error::{Error, Result};

/// Reads an array; messages call it `thing`. At most `limit` bytes are taken for it and the table to come.
///
/// # Errors
/// [`Error::Input`] if this is no sound idx file; [`Error::Memory`].
pub fn read(thing: &str, reader: &mut dyn Read, limit: u64) -> Result<Array> {
    let hint = "idx files are those of MNIST, as they are or gzipped";
    let mut fill = |buffer: &mut [u8; 4]| {
        let problem = "is not an idx file, or is cut off in its header";
        reader.read_exact(buffer).map_err(|_| Error::input(thing, problem, hint))
    };
    let mut start = [0; 4];
    fill(&mut start)?;
    let (scalar, width) = match start {
        [0, 0, 0x08, _] => (Scalar::Unsigned, 1),
        [0, 0, 0x09, _] => (Scalar::Signed, 1),
        [0, 0, 0x0b, _] => (Scalar::Signed, 2),
        [0, 0, 0x0c, _] => (Scalar::Signed, 4),
        [0, 0, 0x0d, _] => (Scalar::Float, 4),
        [0, 0, 0x0e, _] => (Scalar::Float, 8),
        [0, 0, other, _] => {
            return Err(Error::input(
                thing,
                format!("has values of type {other:#04x}, which idx does not know"),
                hint,
            ));
        }
        _ => return Err(Error::input(thing, "is not an idx file: it does not begin with two zeros", hint)),
    };
    let mut shape = Vec::new();
    for _ in 0..start[3] {
        let mut size = [0; 4];
        fill(&mut size)?;
        shape.push(u64::from(u32::from_be_bytes(size)));
    }
    Layout { shape, scalar, width, big_endian: true, by_column: false }.read(thing, reader, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::array::table;

    #[test]
    fn three_dimensions_of_bytes_are_pictures() {
        let bytes = b"\0\0\x08\x03\0\0\0\x01\0\0\0\x02\0\0\0\x03\x01\x02\x03\x04\x05\xff";
        let array = read("`a`", &mut &bytes[..], 1 << 20).unwrap();
        assert_eq!(array.image(), Some((2, 3)));
        let table = table("a", ("`a`", &array), None, &crate::data::Reading::default()).unwrap();
        assert_eq!((table.rows, table.columns.len()), (1, 6));
        for end in 0..bytes.len() {
            assert!(read("`a`", &mut &bytes[..end], 1 << 20).is_err(), "{end} bytes");
        }
    }
}
