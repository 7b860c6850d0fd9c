//! What stands above the rows: blank lines, comments, the line that names the columns; and the separator.
//!
//! The separator is the one that the header has most of outside quotes, among those by which the first rows have as many
//! cells as the header.

use std::io::{BufRead, Read};

use super::foreign::foreign;
use super::open_quote_in;
use super::records::{Record, Records, after};
use crate::data::missing::without_blanks;
use crate::data::table::COLUMN;
use crate::error::{Error, Result};

/// Separators, the one first that a name or a number holds least.
const SEPARATORS: [u8; 4] = [b'\t', b';', b'|', b','];

/// Bytes below the header that are looked at beforehand.
const SAMPLE: u64 = 16 << 10;

/// Rows of them.
const ROWS: usize = 6;

/// What the first column is called.
#[derive(PartialEq)]
pub(super) enum First {
    Named,
    /// Its name is empty.
    Unnamed,
    /// The header has no cell for it: rows have one more, the first of which is the row's name.
    BesideHeader,
}

pub(super) struct Head {
    pub(super) names: Vec<String>,
    pub(super) separator: u8,
    /// The line below the header.
    pub(super) line: u64,
    /// What the reader has given beyond the header.
    pub(super) read: Vec<u8>,
    /// Whether each column has no name.
    pub(super) unnamed: Vec<bool>,
    /// What the first column is called.
    pub(super) first: First,
    /// Whether rows end in a separator that the header lacks.
    pub(super) trailing: bool,
    /// What was done that a note must tell.
    pub(super) notes: Vec<String>,
}

/// Finds the header; the reader is left behind what was read. `None` for a file without a line.
pub(super) fn head(name: &str, reader: &mut impl BufRead, limit: u64) -> Result<Option<Head>> {
    let mut lines = Above { name, limit, left: LONGEST.min(limit / 4), line: 1, first: true };
    let (mut separator, mut comments) = (None, Vec::new());
    let (mut header, mut start) = loop {
        let start = lines.line;
        let Some(line) = lines.next(reader)? else {
            match comments.pop() {
                Some(comment) => break (comment, start), // a header that begins with a mark, and no row
                None => return Ok(None),
            }
        };
        if separator.is_none() && comments.is_empty() && said(&line).is_some() {
            separator = said(&line);
        } else if matches!(line[0], b'#' | b'%') {
            comments.push(line);
        } else {
            break (line, start);
        }
    };
    let mut read = sample(name, reader, SAMPLE.min(limit / 8))?;
    let rows = |separator| split_all(&read, separator);
    let found = separator.unwrap_or_else(|| choose(&header, rows));
    let width = count(&header, found) + 1;
    let need = (2 * COLUMN).saturating_mul(width as u64).saturating_add(4 * header.len() as u64);
    if need > limit {
        return Err(Error::Memory { what: format!("`{name}` with {width} columns"), need, budget: limit });
    }
    let mut notes = Vec::new();
    if separator.is_none() && found == b' ' {
        notes.push("cells are separated by blanks".into());
    }
    let mut rows = rows(found);
    let mut cells = split(&header, found);
    if let Some(comment) = comments.pop_if(|comment| names_the_columns(comment, &cells, &rows, found)) {
        read.splice(0..0, header);
        rows.insert(0, cells);
        header = without_mark(comment);
        cells = split(&header, found);
    } else {
        start = lines.line;
    }
    if !comments.is_empty() {
        let count = comments.len();
        notes.push(format!("{count} comment line{} above the header", if count == 1 { "" } else { "s" }));
    }
    numbers_alone(name, &cells, &mut notes)?;
    let longer = !rows.is_empty() && rows.iter().all(|row| row.len() == cells.len() + 1);
    let trailing = longer && rows.iter().all(|row| row.last().is_some_and(String::is_empty));
    let names_rows = longer && !trailing && name_rows(&rows, found) && !holds_separators(&read, found);
    let names_rows = names_rows && (header.starts_with(b"\"") || !decimal_commas(&rows, found));
    if names_rows {
        cells.insert(0, String::new());
    }
    let column =
        |(j, cell): (usize, String)| if cell.is_empty() { format!("column {}", j + 1) } else { cell };
    let several = cells.len() > 1;
    let unnamed = cells.iter().map(|cell| several && cell.is_empty()).collect();
    let first = match several && cells[0].is_empty() {
        true if names_rows => First::BesideHeader,
        true => First::Unnamed,
        false => First::Named,
    };
    let names = cells.into_iter().enumerate().map(column).collect();
    Ok(Some(Head { names, separator: found, line: start, read, first, unnamed, trailing, notes }))
}

/// What `sep=;` says, which Excel takes for the separator.
fn said(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii().strip_prefix(b"\"").and_then(|l| l.strip_suffix(b"\"")).unwrap_or(line);
    let (word, rest) = line.split_at_checked(4)?;
    let rest = if rest.first() == Some(&b'\t') { &rest[..1] } else { rest.trim_ascii() };
    word.eq_ignore_ascii_case(b"sep=").then_some(rest).filter(|rest| rest.len() == 1).map(|rest| rest[0])
}

/// How often a separator stands outside quotes.
fn count(line: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let outside = |byte: &&u8| {
        quoted ^= **byte == b'"';
        !quoted && **byte == separator
    };
    line.iter().filter(outside).count()
}

/// The separator; blanks where nothing else separates anything and they do.
fn choose(header: &[u8], rows: impl Fn(u8) -> Vec<Vec<String>>) -> u8 {
    let agrees = |separator: u8, width: usize| {
        let rows = rows(separator);
        !rows.is_empty() && rows.iter().all(|row| row.len() == width || row.len() == width + 1)
    };
    let named = SEPARATORS.map(|separator| (separator, count(header, separator)));
    // Names and numbers hold commas, so that another separator comes first if rows bear it out.
    let best = named.iter().filter(|(_, count)| *count > 0).rev().max_by_key(|(separator, count)| {
        let agrees = agrees(*separator, count + 1);
        let comma = *separator == b',';
        (agrees, agrees && !comma, *count, comma)
    });
    if let Some((separator, _)) = best {
        return *separator;
    }
    let words = split(header, b' ').len();
    if words > 1 && agrees(b' ', words) { b' ' } else { b',' }
}

/// The cells of a line.
fn split(line: &[u8], separator: u8) -> Vec<String> {
    let mut record = Record::default();
    let mut records = Records::new(line, separator, 1, u64::MAX);
    if records.next(&mut record).is_ok_and(|found| found) { words(&record) } else { Vec::new() }
}

/// The first rows of what was read beforehand, blank lines and the last, which may be cut, left out.
fn split_all(read: &[u8], separator: u8) -> Vec<Vec<String>> {
    let mut records = Records::new(read, separator, 1, u64::MAX);
    let (mut record, mut rows) = (Record::default(), Vec::new());
    while rows.len() < ROWS && records.next(&mut record).is_ok_and(|found| found) {
        if record.len() > 1 || !record.last().trim_ascii().is_empty() {
            rows.push(words(&record));
        }
    }
    if rows.len() > 1 && rows.len() < ROWS && !read.ends_with(b"\n") {
        rows.pop();
    }
    rows
}

fn words(record: &Record) -> Vec<String> {
    record.cells().map(|cell| without_blanks(&String::from_utf8_lossy(cell)).to_string()).collect()
}

fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|v: &f64| v.is_finite())
}

/// Whether a line that begins with a mark of comments is the header: it has as many cells as the line below, which holds
/// a number; or the mark is part of the first name, and there are no numbers anywhere.
fn names_the_columns(comment: &[u8], below: &[String], rows: &[Vec<String>], separator: u8) -> bool {
    let has_number = |row: &[String]| row.iter().any(|cell| number(cell).is_some());
    let attached = comment.get(1).is_some_and(|b| !b.is_ascii_whitespace());
    let header = split(&without_mark(comment.to_vec()), separator);
    header.len() == below.len()
        && !header.iter().any(|cell| number(cell).is_some())
        && (has_number(below) || (attached && !rows.iter().any(|row| has_number(row))))
}

/// A header without the mark that stands apart before it; one that is part of the first name stays.
fn without_mark(mut comment: Vec<u8>) -> Vec<u8> {
    if comment.get(1).is_some_and(u8::is_ascii_whitespace) {
        comment.remove(0);
    }
    comment
}

/// Refuses a header that is data, and notes one that might be.
fn numbers_alone(name: &str, cells: &[String], notes: &mut Vec<String>) -> Result<()> {
    let Some(numbers) = cells.iter().map(|cell| number(cell)).collect::<Option<Vec<f64>>>() else {
        return Ok(());
    };
    let counts = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    if counts && numbers.len() > 1 {
        return Ok(()); // columns that are numbered
    }
    let odd =
        |v: &f64| v.fract() != 0.0 || *v < 0.0 || numbers.iter().filter(|other| *other == v).count() > 1;
    if numbers.len() < 4096 && numbers.iter().any(odd) {
        let problem = "has a first line of numbers only, which is data and no header";
        let hint = "put a line with the columns' names above it";
        return Err(Error::input(format!("`{name}`"), problem, hint));
    }
    notes.push("the first line holds numbers only, and is taken for the columns' names".into());
    Ok(())
}

/// Whether the first cells are names of rows: all different, and words or consecutive whole numbers. Between commas, which
/// may stand before decimals, these begin with 0 or 1.
fn name_rows(rows: &[Vec<String>], separator: u8) -> bool {
    let first: Vec<&String> = rows.iter().map(|row| &row[0]).collect();
    let different = first.iter().collect::<std::collections::HashSet<_>>().len() == first.len();
    let numbers: Option<Vec<f64>> = first.iter().map(|cell| number(cell)).collect();
    let counts = |numbers: Vec<f64>| {
        let begins =
            if separator == b',' { matches!(numbers[0], 0.0 | 1.0) } else { numbers[0].fract() == 0.0 };
        begins && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
    };
    let words = first.iter().all(|cell| number(cell).is_none() && !cell.is_empty());
    different && first.len() > 1 && numbers.map_or(words, counts)
}

/// Whether some cells are likely to hold the separator, a comma: a blank follows it there, as between words, and not
/// elsewhere.
fn holds_separators(read: &[u8], separator: u8) -> bool {
    let mut records = Records::new(read, separator, 1, u64::MAX);
    let (mut record, mut blanks, mut all) = (Record::default(), 0, 0);
    for _ in 0..ROWS {
        if !records.next(&mut record).is_ok_and(|found| found) {
            break;
        }
        all += record.len().saturating_sub(1);
        blanks += record.cells().skip(1).filter(|cell| cell.starts_with(b" ")).count();
    }
    separator == b',' && blanks > 0 && blanks < all
}

/// Whether two cells beside each other, behind the first, may be one number with a decimal comma or one between thousands
/// in every row.
fn decimal_commas(rows: &[Vec<String>], separator: u8) -> bool {
    let digits = |cell: &str| !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit());
    let pair = |row: &Vec<String>, j: usize| {
        let (whole, rest) = (row[j].strip_prefix('-').unwrap_or(&row[j]), &row[j + 1]);
        (digits(whole) && digits(rest)).then_some((whole.len(), rest.len()))
    };
    let number = |j: usize| {
        let pairs: Option<Vec<(usize, usize)>> = rows.iter().map(|row| pair(row, j)).collect();
        pairs.is_some_and(|pairs| {
            pairs.iter().all(|(_, rest)| *rest <= 2)
                || pairs.iter().all(|(whole, rest)| *whole <= 3 && *rest == 3)
        })
    };
    let width = rows.iter().map(Vec::len).min().unwrap_or(0);
    separator == b',' && (1..width.saturating_sub(1)).any(number)
}

/// Bytes that follow, up to a bound.
fn sample(name: &str, reader: &mut impl BufRead, most: u64) -> Result<Vec<u8>> {
    let mut read = Vec::new();
    let taken = reader.take(most).read_to_end(&mut read);
    taken.map_err(|source| Error::Io { path: name.into(), source })?;
    Ok(read)
}

/// Most bytes above the rows.
const LONGEST: u64 = 64 << 20;

/// The lines above the rows.
struct Above<'a> {
    name: &'a str,
    limit: u64,
    left: u64,
    /// The line that comes next.
    line: u64,
    first: bool,
}

impl Above<'_> {
    /// The next line that is not blank, without the byte order mark. Line breaks in quotes do not end it.
    fn next(&mut self, reader: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
        let thing = format!("`{}`", self.name);
        let (mut line, mut open_quote, mut looked_at) = (Vec::new(), false, 0);
        loop {
            let read = self.read_line(reader, &mut line)?;
            if std::mem::take(&mut self.first) {
                if line.starts_with(b"\xef\xbb\xbf") {
                    line.drain(..3);
                }
                if line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff]) {
                    return Err(Error::input(thing, "is UTF-16 text", "save it as UTF-8"));
                }
            }
            let new = &line[looked_at..];
            let blank = looked_at == 0 && new.iter().all(u8::is_ascii_whitespace);
            if let Some(what) = foreign(&line).filter(|_| looked_at == 0 && self.line <= 2) {
                let hint = "give a table of text whose first line names the columns";
                return Err(Error::input(thing, format!("is {what}, not a table of text"), hint));
            }
            if self.left == 0 && self.limit / 4 < LONGEST {
                let what = format!("the header of {thing}");
                return Err(Error::Memory { what, need: self.limit.saturating_add(4), budget: self.limit });
            }
            if new.contains(&0) || self.left == 0 {
                let hint = "give a text file whose first line names the columns";
                return Err(Error::input(thing, "is not a table of text", hint));
            }
            if std::str::from_utf8(new).is_err() {
                return Err(Error::input(
                    format!("{thing}, header"),
                    "is not UTF-8 text",
                    "save the file as UTF-8",
                ));
            }
            let comment = line.first().is_some_and(|mark| matches!(mark, b'#' | b'%'));
            open_quote ^= !comment && new.iter().fold(false, |open, b| open ^ (*b == b'"'));
            if read == 0 && line.is_empty() {
                return Ok(None);
            }
            if read == 0 && open_quote {
                return Err(open_quote_in(&format!("{thing}, header")));
            }
            if !blank && (read == 0 || !open_quote) {
                return Ok(Some(line));
            }
            looked_at = line.len();
            if blank {
                line.clear();
                looked_at = 0;
            }
        }
    }

    /// Adds the bytes up to the end of a line, of whichever kind; how many they are.
    fn read_line(&mut self, reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<usize> {
        let before = line.len();
        while self.left > 0 {
            let input = reader.fill_buf().map_err(|source| Error::Io { path: self.name.into(), source })?;
            let input = &input[..input.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))];
            let returned = line.len() > before && line.ends_with(b"\r");
            let end = input.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let take = match end {
                _ if returned => usize::from(input.first() == Some(&b'\n')),
                Some(end) => end + 1,
                None => input.len(),
            };
            line.extend_from_slice(&input[..take]);
            reader.consume(take);
            self.left -= take as u64;
            if take == 0 || returned || line.ends_with(b"\n") {
                break;
            }
        }
        (self.line, _) = after(&line[before..], self.line, false);
        Ok(line.len() - before)
    }
}

#[cfg(test)]
mod tests;
