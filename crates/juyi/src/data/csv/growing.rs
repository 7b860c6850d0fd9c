//! Columns while they are read.

use crate::data::cells::{Cells, TextCells};
use crate::data::missing::{Absent, MissingValues, without_blanks};
use crate::data::points::Points;
use crate::data::table::{Column, Seen, is_code};

/// A column while it is read.
pub(super) enum Growing {
    Numbers(Numbers),
    Text(TextCells, Absent),
    /// Identifies rows: a mark of absence is a name like others.
    AsWritten(TextCells),
    /// Nobody asks for it.
    LeftOut,
    /// Was thought to be numbers; only whether there is more text matters now.
    FoundText,
}

/// Why a cell cannot be taken.
pub(super) enum Refused {
    NotFinite,
    NotText,
}

impl Growing {
    pub(super) fn new(text: bool, left_out: bool) -> Self {
        if left_out {
            Self::LeftOut
        } else if text {
            Self::Text(TextCells::default(), Absent::default())
        } else {
            Self::Numbers(Numbers::default())
        }
    }

    /// Adds a cell. With a decimal comma, what has a point is left for text to settle.
    pub(super) fn push(&mut self, cell: &[u8], missing: &MissingValues, comma: bool) -> Result<(), Refused> {
        let cell = cell.trim_ascii();
        match self {
            Self::FoundText | Self::LeftOut => {}
            Self::Numbers(numbers) => {
                match number(cell, missing).filter(|_| !(comma && cell.contains(&b'.'))) {
                    Some(v) if v.is_infinite() => return Err(Refused::NotFinite),
                    Some(v) => numbers.push(v, cell, missing),
                    None => *self = Self::FoundText,
                }
            }
            Self::AsWritten(cells) => cells.push(Some(without_blanks(text(cell)?))),
            Self::Text(cells, absent) => {
                let written = without_blanks(text(cell)?);
                if missing.has(written) {
                    absent.push(written);
                    cells.push(None);
                } else {
                    cells.push(Some(written));
                }
            }
        }
        Ok(())
    }

    /// Takes a column for text whose cells are words that are values, or missing.
    pub(super) fn settle(&mut self) {
        if let Self::Numbers(numbers) = self
            && numbers.kept_word
            && numbers.values.iter().all(|v| v.is_nan())
        {
            *self = Self::FoundText;
        }
    }

    /// About what different texts take in memory.
    pub(super) fn text_bytes(&self) -> u64 {
        match self {
            Self::Text(cells, _) | Self::AsWritten(cells) => cells.bytes,
            Self::Numbers(_) | Self::FoundText | Self::LeftOut => 0,
        }
    }

    /// Leaves the first rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Numbers(numbers) => numbers.values.truncate(rows),
            Self::Text(cells, _) | Self::AsWritten(cells) => cells.truncate(rows),
            Self::LeftOut | Self::FoundText => {}
        }
    }

    /// The column, and what was seen of it; nothing of one that is left out.
    pub(super) fn finish(self, name: &str) -> Option<(Column, Seen)> {
        let (cells, seen) = match self {
            Self::Numbers(Numbers { values, points, code, rounded, .. }) => {
                (Cells::Numbers(values), Seen { points, code, rounded, ..Seen::default() })
            }
            Self::Text(cells, absent) => {
                (cells.finish(), Seen { absent: absent.finish(), ..Seen::default() })
            }
            Self::AsWritten(cells) => (cells.finish(), Seen::default()),
            Self::LeftOut => return None,
            Self::FoundText => unreachable!("read again as text"),
        };
        Some((Column { name: name.into(), cells }, seen))
    }
}

/// Numbers, and what of their notation might be told of.
#[derive(Default)]
pub(super) struct Numbers {
    values: Vec<f64>,
    points: Points,
    code: Option<String>,
    /// Whether a missing cell has a word that is a value in columns of text.
    kept_word: bool,
    rounded: Option<String>,
}

impl Numbers {
    fn push(&mut self, value: f64, cell: &[u8], missing: &MissingValues) {
        if value.is_nan() && !self.kept_word {
            self.kept_word =
                std::str::from_utf8(cell).is_ok_and(|cell| !missing.has(cell)) && !cell.is_empty();
        }
        if !value.is_nan() {
            self.points = self.points.with(cell);
        }
        if self.code.is_none() && is_code(cell) {
            self.code = Some(String::from_utf8_lossy(cell).into_owned());
        }
        if self.rounded.is_none() && value.abs() >= EXACT && is_rounded(cell, value) {
            self.rounded = Some(String::from_utf8_lossy(cell).into_owned());
        }
        self.values.push(value);
    }
}

/// Up to which every whole number has a double of its own: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Whether a whole number is another than what is written.
fn is_rounded(cell: &[u8], value: f64) -> bool {
    let written = std::str::from_utf8(cell).ok().and_then(|cell| cell.parse::<i128>().ok());
    written.is_some_and(|written| written != value as i128)
}

/// The text of a cell.
fn text(cell: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(cell).ok().filter(|written| !written.contains('\0')).ok_or(Refused::NotText)
}

/// A number, NaN for a missing cell; `None` for text.
fn number(cell: &[u8], missing: &MissingValues) -> Option<f64> {
    let written = std::str::from_utf8(cell).ok()?;
    match written.parse::<f64>() {
        Ok(number) if !number.is_nan() => Some(if missing.has_number(number) { f64::NAN } else { number }),
        _ => missing.has_among_numbers(written).then_some(f64::NAN),
    }
}
