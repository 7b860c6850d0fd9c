//! The cells of one column: numbers or text.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};

/// The code of a missing text cell.
pub(super) const MISSING: u32 = u32::MAX;

/// The cells of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Finite numbers; NaN is a missing cell.
    Numbers(Vec<f64>),
    /// Positions in a list of values, `u32::MAX` for a missing cell.
    Text {
        /// One position a row.
        codes: Vec<u32>,
        /// The values, in order of first appearance.
        values: Vec<String>,
    },
}

impl Cells {
    /// Text cells from one value a row; nothing and the empty text are missing.
    pub fn from_text(written: impl IntoIterator<Item = Option<String>>) -> Self {
        let mut cells = TextCells::default();
        written.into_iter().for_each(|cell| cells.push(cell.as_deref()));
        cells.finish()
    }

    /// Its numbers, without those of missing cells; none for text.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        let numbers = if let Self::Numbers(numbers) = self { &numbers[..] } else { &[] };
        numbers.iter().copied().filter(|v| !v.is_nan())
    }

    /// Whether the cell in this row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(numbers) => numbers[row].is_nan(),
            Self::Text { codes, .. } => codes[row] == MISSING,
        }
    }

    /// Whether every row has a value of its own, and these are whole numbers or text.
    pub(super) fn differ(&self) -> bool {
        match self {
            Self::Numbers(numbers) => {
                let mut seen = HashSet::with_capacity(numbers.len());
                numbers.iter().all(|v| v.fract() == 0.0 && seen.insert(v.to_bits()))
            }
            Self::Text { codes, values } => values.len() == codes.len(),
        }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Text { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of cells that are not missing.
    pub fn filled(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.iter().filter(|v| !v.is_nan()).count(),
            Self::Text { codes, .. } => codes.iter().filter(|code| **code != MISSING).count(),
        }
    }

    /// About what the cells take in memory.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Numbers(numbers) => size_of_val(&numbers[..]) as u64,
            Self::Text { codes, values } => {
                let text: usize = values.iter().map(|value| value.len() + size_of::<String>()).sum();
                (size_of_val(&codes[..]) + text) as u64
            }
        }
    }

    /// About what the cells take as one text each: a value that many rows share is there many times.
    pub(crate) fn unfolded_bytes(&self) -> u64 {
        let own = size_of::<String>() as u64;
        match self {
            Self::Numbers(numbers) => 2 * own * numbers.len() as u64,
            Self::Text { codes, values } => {
                let text = |code: &u32| values.get(*code as usize).map_or(0, String::len) as u64;
                codes.iter().map(|code| own + text(code)).sum()
            }
        }
    }

    /// The cell as text; `None` if it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Numbers(numbers) => (!numbers[row].is_nan()).then(|| numbers[row].to_string()),
            Self::Text { codes, values } => values.get(codes[row] as usize).cloned(),
        }
    }
}

/// Text cells while they are gathered.
pub(super) struct TextCells {
    codes: Vec<u32>,
    values: Vec<String>,
    positions: HashMap<String, u32>,
    /// About what the different values take in memory, with what else counts beside them.
    pub(super) bytes: u64,
    limit: u64,
}

impl Default for TextCells {
    fn default() -> Self {
        Self::within(u64::MAX, 0)
    }
}

impl TextCells {
    /// Cells that may take `limit` bytes, of which `taken` are by what they come from.
    pub(super) fn within(limit: u64, taken: u64) -> Self {
        let (codes, values, positions) = (Vec::new(), Vec::new(), HashMap::new());
        Self { codes, values, positions, bytes: taken, limit }
    }

    /// Adds a cell of what messages call `thing`.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn push_within(&mut self, thing: &str, cell: Option<&str>) -> Result<()> {
        self.push(cell);
        let need = self.bytes + 4 * self.codes.len() as u64;
        if need > self.limit {
            return Err(Error::Memory { what: format!("reading {thing}"), need, budget: self.limit });
        }
        Ok(())
    }

    /// Adds a cell; `None` and the empty text are missing.
    pub(super) fn push(&mut self, cell: Option<&str>) {
        let Some(cell) = cell.filter(|cell| !cell.is_empty()) else { return self.codes.push(MISSING) };
        let code = self.positions.get(cell).copied().unwrap_or_else(|| {
            let code = self.values.len() as u32;
            self.values.push(cell.into());
            self.positions.insert(cell.into(), code);
            self.bytes += 2 * cell.len() as u64 + 112; // each twice, and its place in the map
            code
        });
        self.codes.push(code);
    }

    /// Leaves the first cells.
    pub(super) fn truncate(&mut self, cells: usize) {
        self.codes.truncate(cells);
    }

    /// The cells.
    pub(super) fn finish(self) -> Cells {
        Cells::Text { codes: self.codes, values: self.values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_coded_in_order_of_appearance() {
        let cells = Cells::from_text(vec![Some("b".into()), None, Some("a".into()), Some("b".into())]);
        assert_eq!(
            cells,
            Cells::Text { codes: vec![0, MISSING, 1, 0], values: vec!["b".into(), "a".into()] }
        );
        assert_eq!((cells.text(2), cells.text(1)), (Some("a".into()), None));
    }
}
