//! How the values of a tensor lie in bytes, and the memory that they may take.
//!
//! A layout comes from a foreign file: every product and every place is checked against the bytes that are there, and
//! against the budget, before anything is allocated. Work and memory are linear in the values that are read.

use half::{bf16, f16};
use juyi::error::{Error, Result};

use super::Stored;

/// Most dimensions of a tensor.
pub(super) const MOST_DIMENSIONS: usize = 64;

/// What a tensor takes beside its values and the letters of its name, in bytes: mostly [`MOST_DIMENSIONS`] sizes and
/// strides.
const TENSOR: u64 = 1200;

/// What may be allocated for one file.
#[derive(Debug)]
pub(super) struct Budget {
    what: String,
    limit: u64,
    used: u64,
}

impl Budget {
    /// At most `limit` bytes for the file called `name`.
    pub(super) fn new(name: &str, limit: u64) -> Self {
        Self { what: format!("reading `{name}`"), limit, used: 0 }
    }

    /// Counts bytes that will be allocated.
    ///
    /// # Errors
    /// [`Error::Memory`] if they are more than is left.
    pub(super) fn take(&mut self, bytes: u64) -> Result<()> {
        self.used = self.used.saturating_add(bytes);
        self.within(self.used)
    }

    /// Counts a tensor of this name and number of values.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn take_tensor(&mut self, name: &str, values: usize) -> Result<()> {
        let values = (values as u64).saturating_mul(size_of::<f32>() as u64);
        self.take(values.saturating_add(name.len() as u64 + TENSOR))
    }

    /// Counts bytes as free again.
    pub(super) fn give_back(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// Whether the whole budget allows this many bytes.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn within(&self, need: u64) -> Result<()> {
        if need > self.limit {
            return Err(Error::Memory { what: self.what.clone(), need, budget: self.limit });
        }
        Ok(())
    }
}

/// What one value is. All are read in little-endian order, and rounded to the nearest 32-bit float.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    /// One byte; every byte but 0 is true, which is 1.
    Bool,
}

impl Kind {
    /// Bytes of a value.
    pub(super) fn width(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// The value that starts at this place, counted in values.
    fn number(self, bytes: &[u8], at: usize) -> f32 {
        let mut word = [0; 8];
        word[..self.width()].copy_from_slice(&bytes[at * self.width()..][..self.width()]);
        let [a, b, c, d, ..] = word;
        match self {
            Self::F64 => f64::from_le_bytes(word) as f32,
            Self::F32 => f32::from_le_bytes([a, b, c, d]),
            Self::F16 => f16::from_le_bytes([a, b]).to_f32(),
            Self::Bf16 => bf16::from_le_bytes([a, b]).to_f32(),
            Self::I64 => i64::from_le_bytes(word) as f32,
            Self::I32 => i32::from_le_bytes([a, b, c, d]) as f32,
            Self::I16 => f32::from(i16::from_le_bytes([a, b])),
            Self::I8 => f32::from(i8::from_le_bytes([a])),
            Self::U8 => f32::from(a),
            Self::Bool => f32::from(u8::from(a != 0)),
        }
    }
}

/// Where the values of a tensor lie in its storage. Offset and strides are counted in values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) kind: Kind,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// One for each dimension.
    pub(super) strides: Vec<usize>,
}

impl Layout {
    /// Values without gaps from the start, the last dimension running fastest. `None` if their bytes cannot be counted.
    pub(super) fn by_row(kind: Kind, shape: Vec<usize>) -> Option<Self> {
        let mut strides = shape.clone();
        let mut step = 1_usize;
        for stride in strides.iter_mut().rev() {
            (*stride, step) = (step, step.checked_mul(*stride)?);
        }
        step.checked_mul(kind.width())?;
        Some(Self { kind, offset: 0, shape, strides })
    }

    /// The same with the first dimension running fastest.
    pub(super) fn by_column(kind: Kind, mut shape: Vec<usize>) -> Option<Self> {
        shape.reverse();
        let mut layout = Self::by_row(kind, shape)?;
        layout.shape.reverse();
        layout.strides.reverse();
        Some(layout)
    }

    /// Number of values, `None` if they cannot be counted.
    pub(super) fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))
    }

    /// Reads the values of the tensor called `name`, which messages call `thing`, out of its storage.
    ///
    /// # Errors
    /// [`Error::Input`] if they do not lie within the storage; [`Error::Memory`].
    pub(super) fn read(self, thing: &str, name: &str, bytes: &[u8], budget: &mut Budget) -> Result<Stored> {
        let there = bytes.len() / self.kind.width();
        let fail = |problem: String| Error::input(thing, problem, "the file is damaged: fetch it again");
        let count = self
            .count()
            .ok_or_else(|| fail(format!("has shape {:?}: too many values to count", self.shape)))?;
        // A dimension of size 1 is never stepped along, whatever its stride.
        let axes = self.shape.iter().copied().zip(self.strides.iter().copied());
        let mut axes: Vec<(usize, usize)> = axes.filter(|(size, _)| *size != 1).collect();
        if count > 0 {
            let last = axes.iter().try_fold(self.offset, |last, (size, stride)| {
                last.checked_add((size - 1).checked_mul(*stride)?)
            });
            if last.is_none_or(|last| last >= there) {
                return Err(fail(format!(
                    "has shape {:?}, strides {:?} and offset {}, which is beyond its storage of {there} values",
                    self.shape, self.strides, self.offset
                )));
            }
        }
        budget.take_tensor(name, count)?;
        let without_gaps = axes
            .iter()
            .rev()
            .try_fold(1_usize, |step, (size, stride)| (*stride == step).then(|| step.saturating_mul(*size)));
        if without_gaps.is_some() {
            axes = vec![(count, 1)];
        }
        Ok(Stored { values: gather(self.kind, bytes, self.offset, &axes, count), shape: self.shape })
    }
}

/// The values along all axes (size, stride), the last running fastest; the caller has checked that they are there.
fn gather(kind: Kind, bytes: &[u8], offset: usize, axes: &[(usize, usize)], count: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(count);
    let mut place = vec![0; axes.len()];
    let mut at = offset;
    for _ in 0..count {
        values.push(kind.number(bytes, at));
        for (place, (size, stride)) in place.iter_mut().zip(axes).rev() {
            *place += 1;
            at += stride;
            if *place < *size {
                break;
            }
            *place = 0;
            at -= size * stride;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(shape: &[usize], strides: &[usize], offset: usize) -> Layout {
        Layout { kind: Kind::U8, offset, shape: shape.to_vec(), strides: strides.to_vec() }
    }

    fn read(layout: Layout, bytes: &[u8], limit: u64) -> Result<Vec<f32>> {
        let mut budget = Budget::new("f", limit);
        layout.read("`f`, tensor `t`", "t", bytes, &mut budget).map(|stored| stored.values)
    }

    #[test]
    fn strides_say_where_a_value_stands() {
        let bytes: Vec<u8> = (0..24).collect();
        let values = |shape: &[usize], strides: &[usize], offset: usize| {
            read(layout(shape, strides, offset), &bytes, 1 << 20).unwrap()
        };
        assert_eq!(values(&[2, 3], &[3, 1], 4), [4., 5., 6., 7., 8., 9.]);
        assert_eq!(values(&[3, 2], &[1, 3], 0), [0., 3., 1., 4., 2., 5.]);
        assert_eq!(values(&[2, 1, 2], &[12, usize::MAX, 5], 1), [1., 6., 13., 18.]);
        assert_eq!(values(&[3], &[0], 23), [23., 23., 23.]);
        assert_eq!(values(&[], &[], 7), [7.]);
        assert!(values(&[0, 5], &[5, 1], 99).is_empty());
        let by_column = Layout::by_column(Kind::U8, vec![2, 3]).unwrap();
        assert_eq!(read(by_column, &bytes[..6], 1 << 20).unwrap(), [0., 2., 4., 1., 3., 5.]);
    }

    #[test]
    fn every_kind_is_converted() {
        let one = |kind: Kind, bytes: &[u8]| {
            let layout = Layout::by_row(kind, Vec::new()).unwrap();
            read(layout, bytes, 1 << 20).unwrap()[0]
        };
        assert_eq!(one(Kind::F64, &0.1_f64.to_le_bytes()), 0.1);
        assert_eq!(one(Kind::F32, &(-0.3_f32).to_le_bytes()), -0.3);
        assert_eq!(one(Kind::F16, &[0, 0xc1]), -2.5); // sign 1, exponent 16 - 15, fraction 1/4
        assert_eq!(one(Kind::Bf16, &[0x20, 0xc0]), -2.5); // the upper half of the 32-bit float
        assert_eq!(one(Kind::I64, &(-(1_i64 << 40)).to_le_bytes()), -1_099_511_627_776.0);
        assert_eq!(one(Kind::I32, &(-70_000_i32).to_le_bytes()), -70_000.0);
        assert_eq!(one(Kind::I16, &(-300_i16).to_le_bytes()), -300.0);
        assert_eq!(one(Kind::I8, &[0xff]), -1.0);
        assert_eq!(one(Kind::U8, &[0xff]), 255.0);
        assert_eq!((one(Kind::Bool, &[2]), one(Kind::Bool, &[0])), (1.0, 0.0));
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        let huge = usize::MAX;
        for (shape, strides, offset) in [
            (&[2, 2][..], &[2, 1][..], 1),
            (&[5], &[1], 0),
            (&[1], &[1], 4),
            (&[2], &[huge], 1),
            (&[huge], &[huge], 0),
            (&[huge, huge], &[0, 0], 0),
            (&[huge], &[1], huge),
        ] {
            let error = read(layout(shape, strides, offset), &[0; 4], u64::MAX).unwrap_err();
            assert!(matches!(error, Error::Input { .. }), "{error}");
        }
        assert!(Layout::by_row(Kind::F64, vec![1 << 61]).is_none());
    }

    #[test]
    fn values_that_share_their_place_count_each() {
        let repeated = |size| layout(&[size, 1 << 20], &[0, 0], 0);
        let error = read(repeated(1 << 30), &[1], 1 << 20).unwrap_err();
        assert!(matches!(error, Error::Memory { need, .. } if need > 1 << 52), "{error}");
        assert_eq!(read(layout(&[100], &[0], 0), &[1], 400 + 1 + TENSOR).unwrap(), [1.0; 100]);
        assert!(read(layout(&[100], &[0], 0), &[1], 400 + TENSOR).is_err());
    }
}
