//! Records of separated text, each with the line in which it begins.

use std::io::BufRead;

use csv_core::ReadRecordResult;

/// Why a record cannot be had.
pub(super) enum Stop {
    /// The stream failed.
    Io(std::io::Error),
    /// The record that begins in this line takes more room than there is.
    TooLong(u64),
}

/// One record after the other.
pub(super) struct Records<R> {
    reader: R,
    core: csv_core::Reader,
    /// Whether any number of blanks is one separator.
    blanks: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// Most bytes, and most cells, of a record.
    most: usize,
    /// The line of the next byte.
    line: u64,
    /// Whether the byte before was a carriage return, which a line feed may follow.
    returned: bool,
}

impl<R: BufRead> Records<R> {
    /// Records from a place that is in this line; a record has at most so many bytes. Cells that are separated by
    /// blanks may have any number of them between each other.
    pub(super) fn new(reader: R, separator: u8, line: u64, most: u64) -> Self {
        let core = csv_core::ReaderBuilder::new().delimiter(separator).build();
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        let (cells, ends) = (vec![0; most.min(1024)], vec![0; most.min(64)]);
        Self { reader, core, blanks: separator == b' ', cells, ends, most, line, returned: false }
    }

    /// The cells of the next record and its line; `None` at the end. Empty lines are passed over.
    pub(super) fn next(&mut self, into: &mut Record) -> Result<bool, Stop> {
        let (mut bytes, mut count) = (0, 0);
        let mut start = None;
        loop {
            let input = self.reader.fill_buf().map_err(Stop::Io)?;
            let (result, read, written, ended) =
                self.core.read_record(input, &mut self.cells[bytes..], &mut self.ends[count..]);
            let read_bytes = &input[..read];
            if start.is_none() {
                let skipped = read_bytes.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
                let (line, _) = after(&read_bytes[..skipped], self.line, self.returned);
                start = (skipped < read).then_some(line);
            }
            (self.line, self.returned) = after(read_bytes, self.line, self.returned);
            self.reader.consume(read);
            bytes += written;
            count += ended;
            let line = start.unwrap_or(self.line);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => grow(&mut self.cells, self.most, line)?,
                ReadRecordResult::OutputEndsFull => grow(&mut self.ends, self.most, line)?,
                ReadRecordResult::Record => {
                    into.take(&self.cells[..bytes], &self.ends[..count], line, self.blanks);
                    into.lines = self.line - line;
                    return Ok(true);
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }
}

/// Where a place in a text lies behind these bytes: its line, and whether a carriage return stands before it.
pub(super) fn after(bytes: &[u8], line: u64, returned: bool) -> (u64, bool) {
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return (line, returned) };
    let ends = |byte: u8, returned: bool| byte == b'\r' || (byte == b'\n' && !returned);
    let rest = bytes[1..].iter().zip(bytes).filter(|(byte, before)| ends(**byte, **before == b'\r')).count();
    (line + u64::from(ends(*first, returned)) + rest as u64, *last == b'\r')
}

/// Doubles a buffer, up to the bound.
fn grow<T: Clone + Default>(buffer: &mut Vec<T>, most: usize, line: u64) -> Result<(), Stop> {
    if buffer.len() >= most {
        return Err(Stop::TooLong(line));
    }
    buffer.resize(buffer.len().saturating_mul(2).min(most), T::default());
    Ok(())
}

/// One record.
#[derive(Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The line in which it begins.
    pub(super) line: u64,
    /// The number of lines that it takes.
    pub(super) lines: u64,
}

impl Record {
    fn take(&mut self, bytes: &[u8], ends: &[usize], line: u64, blanks: bool) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.ends.clear();
        self.ends.extend_from_slice(ends);
        if blanks {
            let mut before = 0;
            self.ends.retain(|end| std::mem::replace(&mut before, *end) != *end); // no cell between two blanks
        }
        self.line = line;
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    pub(super) fn last(&self) -> &[u8] {
        let start = self.ends.len().checked_sub(2).map_or(0, |before| self.ends[before]);
        self.ends.last().map_or(&[], |end| &self.bytes[start..*end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, separator: u8, chunk: usize) -> Vec<(u64, Vec<String>)> {
        let reader = std::io::BufReader::with_capacity(chunk, text.as_bytes());
        let mut records = Records::new(reader, separator, 1, 1 << 20);
        let (mut record, mut found) = (Record::default(), Vec::new());
        while records.next(&mut record).is_ok_and(|more| more) {
            let cells = record.cells().map(|cell| String::from_utf8_lossy(cell).into_owned());
            found.push((record.line, cells.collect()));
        }
        found
    }

    #[test]
    fn lines_are_counted_over_quotes_blank_lines_and_every_kind_of_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            for chunk in [1, 2, 7, 4096] {
                let text = ["a,b", "1,\"x", "y\"", "", "2,z", "", "", "3,\"\"\"\"", "4,"].join(end);
                let found = all(&text, b',', chunk);
                let lines: Vec<u64> = found.iter().map(|(line, _)| *line).collect();
                assert_eq!(lines, [1, 2, 5, 8, 9], "{end:?} {chunk}");
                assert_eq!(found[1].1, ["1".to_string(), format!("x{end}y")]);
                assert_eq!((found[3].1[1].as_str(), found[4].1[1].as_str()), ("\"", ""));
            }
        }
    }

    #[test]
    fn any_number_of_blanks_is_one_separator() {
        let found = all("a  b c\n 1   2 3  \n", b' ', 4096);
        assert_eq!(found[0].1, ["a", "b", "c"]);
        assert_eq!(found[1].1, ["1", "2", "3"]);
    }
}
