//! Quotes that are closed far below, with rows between them: a quote that nobody closed has swallowed these.

use super::records::Record;

/// Fewest lines between the first and the last of a cell that tell, and in a table of two columns, where text has as many
/// separators.
const LINES: usize = 2;
const OF_TWO_COLUMNS: usize = 5;

/// The share of them that have as many separators as rows.
const LIKE_ROWS: f64 = 0.8;

/// Most of such cells that are told of.
const TOLD: usize = 3;

/// Cells that look as if they held rows of their table: the lines in which the first of them begin and end.
#[derive(Default)]
pub(super) struct Swallowed {
    found: Vec<(u64, u64)>,
}

impl Swallowed {
    /// Looks at a record of so many cells.
    pub(super) fn look(&mut self, record: &Record, separator: u8, width: usize) {
        if record.lines > LINES as u64 && self.found.len() < TOLD {
            let rows = |cell: &[u8]| holds_rows(cell, separator, width);
            if record.cells().any(rows) {
                self.found.push((record.line, record.line + record.lines - 1));
            }
        }
    }

    /// What is said of them.
    pub(super) fn told(&self, table: &str) -> Vec<String> {
        let one = |(first, last): &(u64, u64)| {
            format!(
                "`{table}`, line {first}: a quote opens there and is closed in line {last}, and what stands between looks like \
                 rows: close it, or double it if it belongs to the text"
            )
        };
        self.found.iter().map(one).collect()
    }
}

/// Whether most whole lines of a cell have as many separators as a row.
fn holds_rows(cell: &[u8], separator: u8, width: usize) -> bool {
    let lines: Vec<&[u8]> =
        cell.split(|b| *b == b'\n' || *b == b'\r').filter(|line| !line.is_empty()).collect();
    let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    let like = |line: &&&[u8]| line.split(|b| *b == separator).count() == width;
    let least = if width > 2 { LINES } else { OF_TWO_COLUMNS };
    let alike = inner.iter().filter(like).count();
    width > 1 && inner.len() >= least && alike as f64 >= LIKE_ROWS * inner.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_a_cell_are_told_from_text_of_several_lines() {
        for (cell, width) in [
            ("so so\n50.1,red,mid\n46.7,red,high\n46.2,blue,", 3),
            ("x\r\n1,2,3\r\n4,5,6\r\n7,8,9\r\n1,2,", 3),
            ("x\n1,2\n3,4\n5,6\n7,8\n9,1\n2,", 2),
        ] {
            assert!(holds_rows(cell.as_bytes(), b',', width), "{cell}");
        }
        for (cell, width) in [
            ("good", 3),
            ("12 Long Lane\nOxford, Oxon\nUK", 3),
            ("Shall I compare thee\nto a summer's day?\nThou art more lovely\nand more temperate", 3),
            ("well, yes, no\nfirst, second\nand, then, more\nend\nof it", 3),
            ("dear all,\nhi,\nthanks, again\nbest\nme", 2),
            ("a\nb\nc\nd", 1),
        ] {
            assert!(!holds_rows(cell.as_bytes(), b',', width), "{cell}");
        }
    }
}
