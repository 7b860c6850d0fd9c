//! An array as `.npy`, `.npz` and idx files hold it, and the table that features and labels make.

use std::io::Read;

use half::f16;

use super::cells::{Cells, TextCells};
use super::reading::Reading;
use super::table::{COLUMN, Column, Table, label_name};
use crate::error::{Error, Result, shown};

/// What one value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// A number that is not negative; truth values are 0 and 1.
    Unsigned,
    Signed,
    Float,
    /// UTF-8 text, filled up with zeros.
    Bytes,
    /// Letters of 4 bytes, filled up with zeros.
    Letters,
}

/// What a file says of its array before the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) shape: Vec<u64>,
    pub(super) scalar: Scalar,
    /// Bytes of one value: 2, 4 or 8 for floats, 1 to 8 for integers, any number for text.
    pub(super) width: u64,
    pub(super) big_endian: bool,
    /// Whether the first dimension runs fastest (Fortran) and not the last (C).
    pub(super) by_column: bool,
}

/// An array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    layout: Layout,
    bytes: Vec<u8>,
    /// Bytes that array and table take, of how many that they may.
    need: u64,
    limit: u64,
}

/// Most dimensions, as `NumPy` has it.
const DIMENSIONS: usize = 64;

impl Layout {
    /// Reads the values, which must be all that is left. At most `limit` bytes are taken for them and the table to come.
    pub(super) fn read(self, thing: &str, reader: &mut dyn Read, limit: u64) -> Result<Array> {
        if self.shape.len() > DIMENSIONS {
            let problem = format!("has {} dimensions, at most {DIMENSIONS} are read", self.shape.len());
            return Err(Error::input(thing, problem, "give a table: rows and columns"));
        }
        let product = |sizes: &[u64]| sizes.iter().try_fold(1_u64, |n, size| n.checked_mul(*size));
        let cell = match self.scalar {
            Scalar::Bytes | Scalar::Letters => self.width.saturating_add(64),
            _ => 8,
        };
        let columns = product(self.shape.get(1..).unwrap_or_default());
        let size = product(&self.shape).and_then(|count| count.checked_mul(self.width));
        let cells = product(&self.shape).and_then(|count| count.checked_mul(cell));
        let names = columns.and_then(|columns| columns.checked_mul(COLUMN));
        let need = [size, cells, names].iter().flatten().fold(0_u64, |sum, part| sum.saturating_add(*part));
        let (Some(size), Some(_), Some(_), true) = (size, cells, names, need <= limit) else {
            let need = need.max(limit.saturating_add(1));
            return Err(Error::Memory { what: format!("reading {thing}"), need, budget: limit });
        };
        let damaged = |why| Error::input(thing, format!("is damaged: {why}"), "");
        let mut bytes = Vec::new();
        reader.take(size).read_to_end(&mut bytes).map_err(damaged)?;
        if (bytes.len() as u64) < size {
            let problem = format!("is cut off: {size} bytes announced, {} there", bytes.len());
            return Err(Error::input(thing, problem, ""));
        }
        if reader.read(&mut [0]).map_err(damaged)? != 0 {
            return Err(Error::input(thing, "goes on behind its end", "give a file with one array"));
        }
        Ok(Array { layout: self, bytes, need, limit })
    }
}

impl Array {
    fn count(&self) -> usize {
        self.layout.shape.iter().product::<u64>() as usize
    }

    /// Height and width, if this is a list of pictures: three dimensions of bytes.
    pub(super) fn image(&self) -> Option<(usize, usize)> {
        match (&self.layout.shape[..], self.layout.scalar, self.layout.width) {
            (&[_, height, width], Scalar::Unsigned, 1) => Some((height as usize, width as usize)),
            _ => None,
        }
    }

    /// The value at this place of the file: 64 bits, the sign carried on.
    fn bits(&self, at: usize) -> u64 {
        let Layout { scalar, width, big_endian, .. } = self.layout;
        let each = self.bytes[at * width as usize..][..width as usize].iter();
        let push = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        let bits = if big_endian { each.fold(0, push) } else { each.rfold(0, push) };
        let unused = 64 - 8 * width;
        if scalar == Scalar::Signed {
            ((bits << unused).cast_signed() >> unused).cast_unsigned()
        } else {
            bits
        }
    }

    /// The value as a number; NaN is a missing one. The error says what is wrong with it.
    fn number(&self, at: usize) -> std::result::Result<f64, String> {
        let Layout { scalar, width, .. } = self.layout;
        let bits = self.bits(at);
        match (scalar, width) {
            (Scalar::Float, 2) => finite(f16::from_bits(bits as u16).to_f64()),
            (Scalar::Float, 4) => finite(f64::from(f32::from_bits(bits as u32))),
            (Scalar::Float, _) => finite(f64::from_bits(bits)),
            (Scalar::Signed, _) => whole(i128::from(bits.cast_signed())),
            _ => whole(i128::from(bits)),
        }
    }

    /// The value as text, numbers as the shortest that means them; `None` if it is missing.
    fn text(&self, at: usize) -> std::result::Result<Option<String>, String> {
        let Layout { scalar, width, .. } = self.layout;
        let text = match scalar {
            Scalar::Bytes => {
                let bytes = &self.bytes[at * width as usize..][..width as usize];
                String::from_utf8(bytes.to_vec()).map_err(|_| "is not UTF-8 text")?
            }
            Scalar::Letters => {
                let letters = self.bytes[at * width as usize..][..width as usize].as_chunks::<4>().0;
                let letter = |bytes: &[u8; 4]| {
                    if self.layout.big_endian {
                        u32::from_be_bytes(*bytes)
                    } else {
                        u32::from_le_bytes(*bytes)
                    }
                };
                let text: Option<String> =
                    letters.iter().map(|bytes| char::from_u32(letter(bytes))).collect();
                text.ok_or("is not valid Unicode")?
            }
            Scalar::Float => match (self.number(at)?, width) {
                (number, _) if number.is_nan() => String::new(),
                (number, 8) => number.to_string(),
                (number, _) => (number as f32).to_string(),
            },
            Scalar::Signed => self.bits(at).cast_signed().to_string(),
            Scalar::Unsigned => self.bits(at).to_string(),
        };
        let text = text.trim_end_matches('\0');
        Ok((!text.is_empty()).then(|| text.to_string()))
    }
}

/// A number that is finite or missing.
pub(super) fn finite(number: f64) -> std::result::Result<f64, String> {
    if number.is_infinite() { Err(format!("`{number}` is not finite")) } else { Ok(number) }
}

/// A whole number as a double.
pub(super) fn whole(number: i128) -> std::result::Result<f64, String> {
    if number.unsigned_abs() > 1 << 53 {
        return Err(format!("{number} is beyond 2^53, which a double cannot hold"));
    }
    Ok(number as f64)
}

/// What can be done about a cell that [`finite`] or [`whole`] refuses.
pub(super) const MEND: &str = "mend it, or mark the cell as missing and choose `‹missing mean›` or `drop`";

/// The table called `name` of features `(n, …)` and, if there are, `n` labels, each with what messages call it. Columns
/// are `x1 …` as they are read, dimensions behind the first flattened with the last running fastest.
///
/// # Errors
/// [`Error::Input`] for shapes that do not fit, text among the features, a value that is not finite.
pub fn table(
    name: &str,
    (thing, features): (&str, &Array),
    labels: Option<(&str, &Array)>,
    reading: &Reading,
) -> Result<Table> {
    let layout = &features.layout;
    let shape: Vec<usize> = layout.shape.iter().map(|size| *size as usize).collect();
    let fail = |problem: String, hint: &str| Err(Error::input(thing, problem, hint));
    let Some((&rows, inner)) = shape.split_first() else {
        return fail("is a single value".into(), "features have a row for each sample");
    };
    let width: usize = inner.iter().product();
    if width == 0 {
        return fail(format!("has shape {}: its rows are empty", written(&shape)), "");
    }
    if matches!(layout.scalar, Scalar::Bytes | Scalar::Letters) {
        return fail("holds text".into(), "features must be numbers");
    }
    if let Some((of, labels)) = labels
        && labels.count() != rows
    {
        let problem = format!("has shape {}, but {of} has {} values", written(&shape), labels.count());
        return fail(problem, "there must be one label a row");
    }
    let header = reading.header(name, (1..=width).map(|j| format!("x{j}")).collect())?;
    let mut columns = Vec::with_capacity(width + 1);
    for (j, name) in header.names.iter().enumerate().filter(|(j, _)| !header.left_out[*j]) {
        let (step, start) = if layout.by_column { (1, start(inner, j) * rows) } else { (width, j) };
        let cell = |i: usize| {
            features.number(i * step + start).map_err(|problem| {
                Error::input(format!("{thing}, row {}, column `{name}`", i + 1), problem, MEND)
            })
        };
        let cells = Cells::Numbers((0..rows).map(cell).collect::<Result<_>>()?);
        columns.push(Column { name: name.clone(), cells });
    }
    let label = labels.map(|(thing, labels)| -> Result<String> {
        let label = label_name(name, reading.label.as_deref(), &columns)?;
        let mut cells = TextCells::within(features.limit.min(labels.limit), features.need + labels.need);
        for i in 0..rows {
            let text = labels
                .text(i)
                .map_err(|problem| Error::input(format!("{thing}, row {}", i + 1), shown(&problem), ""))?;
            cells.push_within(thing, text.as_deref())?;
        }
        columns.push(Column { name: label.clone(), cells: cells.finish() });
        Ok(label)
    });
    let label = label.transpose()?;
    let remark = match shape.len() {
        0..=2 => String::new(),
        _ => format!("{} is flattened to {rows} x {width}", written(&shape)),
    };
    Ok(header.noted(Table { name: name.into(), rows, columns, label, remark, ..Table::default() }))
}

/// Where the `j`-th value (the last dimension running fastest) stands if the first runs fastest.
fn start(shape: &[usize], mut j: usize) -> usize {
    let mut places = vec![0; shape.len()];
    for (place, size) in places.iter_mut().zip(shape).rev() {
        (*place, j) = (j % size, j / size);
    }
    places.iter().zip(shape).rfold(0, |start, (place, size)| start * size + place)
}

/// `28 x 28`, `12` for one dimension.
fn written(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[u64], by_column: bool, bytes: &[u8]) -> Array {
        let layout = Layout {
            shape: shape.to_vec(),
            scalar: Scalar::Unsigned,
            width: 1,
            big_endian: false,
            by_column,
        };
        layout.read("`a`", &mut &bytes[..], 1 << 20).unwrap()
    }

    #[test]
    fn both_orders_give_the_same_table() {
        // The value at (i, j, k) is 100 i + 10 j + k.
        let by_row = array(&[2, 2, 3], false, &[0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112]);
        let by_column = array(&[2, 2, 3], true, &[0, 100, 10, 110, 1, 101, 11, 111, 2, 102, 12, 112]);
        let table = |array| table("a", ("`a`", array), None, &Reading::default()).unwrap();
        assert_eq!(table(&by_row), table(&by_column));
        assert_eq!(table(&by_row).columns[4].cells, Cells::Numbers(vec![11.0, 111.0]));
        assert_eq!(table(&by_row).remark, "2 x 2 x 3 is flattened to 2 x 6");
    }

    #[test]
    fn sizes_are_held_against_the_limit_before_anything_is_read() {
        for shape in [&[1 << 40, 2][..], &[u64::MAX, u64::MAX], &[0, 1 << 50], &[1 << 63, 2, 0]] {
            let layout = Layout {
                shape: shape.to_vec(),
                scalar: Scalar::Float,
                width: 8,
                big_endian: false,
                by_column: false,
            };
            let read = layout.read("`a`", &mut std::io::empty(), 1 << 20);
            assert!(matches!(read, Err(Error::Memory { .. })), "{shape:?}");
        }
    }

    #[test]
    fn different_labels_are_held_against_the_limit() {
        let (bytes, x): (Vec<u8>, _) = ((0..=255).collect(), array(&[256, 1], false, &[0; 256]));
        let y = |limit| Array { limit, ..array(&[256], false, &bytes) };
        assert!(table("a", ("`a`", &x), Some(("`b`", &y(1 << 20))), &Reading::default()).is_ok());
        let error = table("a", ("`a`", &x), Some(("`b`", &y(1 << 13))), &Reading::default()).unwrap_err();
        assert!(matches!(&error, Error::Memory { what, .. } if what == "reading `b`"), "{error}");
    }

    #[test]
    fn dimensions_are_few() {
        let layout = |count| Layout {
            shape: vec![1; count],
            scalar: Scalar::Unsigned,
            width: 1,
            big_endian: false,
            by_column: true,
        };
        assert!(layout(64).read("`a`", &mut &[0][..], 1 << 20).is_ok());
        let error = layout(65).read("`a`", &mut &[0][..], 1 << 20).unwrap_err().to_string();
        assert_eq!(error, "`a`: has 65 dimensions, at most 64 are read");
    }

    #[test]
    fn labels_must_be_as_many_as_the_rows() {
        let (x, y) = (array(&[2, 1], false, &[1, 2]), array(&[3], false, &[0, 1, 0]));
        let error = table("a", ("`a`", &x), Some(("`b`", &y)), &Reading::default()).unwrap_err();
        assert_eq!(error.to_string(), "`a`: has shape 2 x 1, but `b` has 3 values");
        let error = table(
            "a",
            ("`a`", &x),
            Some(("`b`", &x)),
            &Reading { label: Some("x1".into()), ..Reading::default() },
        )
        .unwrap_err();
        assert!(error.to_string().contains("`x1` is the name of a feature"), "{error}");
    }
}
