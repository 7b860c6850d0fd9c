//! In which line of a text file, or row of a sheet, each row of a table begins.

/// Lines of rows, counted from 1; rows in consecutive lines take no room.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// Rows that do not stand in the line below the row before them, with their lines.
    starts: Vec<(usize, u64)>,
    /// Whether they are rows of a sheet.
    of_sheet: bool,
}

impl Lines {
    /// Rows of a sheet, of which none is added.
    pub(super) fn of_sheet() -> Self {
        Self { of_sheet: true, ..Self::default() }
    }

    /// What messages call one of them.
    pub(super) fn word(&self) -> &'static str {
        if self.of_sheet { "row" } else { "line" }
    }

    /// Adds a row, the number of which is one above that of the row before.
    pub(super) fn push(&mut self, row: usize, line: u64) {
        if self.of(row) != Some(line) {
            self.starts.push((row, line));
        }
    }

    /// The line of a row; `None` where rows are not lines.
    pub fn of(&self, row: usize) -> Option<u64> {
        let above = self.starts.partition_point(|(start, _)| *start <= row).checked_sub(1)?;
        let (start, line) = self.starts[above];
        Some(line + (row - start) as u64)
    }

    /// The lines of these rows, in this order.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let mut lines = Self { of_sheet: self.of_sheet, ..Self::default() };
        for (new, &row) in rows.iter().enumerate() {
            if let Some(line) = self.of(row) {
                lines.push(new, line);
            }
        }
        lines
    }

    /// What they take in memory.
    pub(super) fn bytes(&self) -> u64 {
        size_of_val(&self.starts[..]) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gaps_are_kept() {
        let mut lines = Lines::default();
        assert_eq!(lines.of(3), None);
        [2, 3, 4, 9, 10, 12].iter().enumerate().for_each(|(row, &line)| lines.push(row, line));
        assert_eq!(lines.starts, [(0, 2), (3, 9), (5, 12)]);
        assert_eq!((0..6).map(|row| lines.of(row).unwrap()).collect::<Vec<_>>(), [2, 3, 4, 9, 10, 12]);
        let some = lines.select(&[4, 0, 1]);
        assert_eq!((some.of(0), some.of(1), some.of(2)), (Some(10), Some(2), Some(3)));
    }
}
