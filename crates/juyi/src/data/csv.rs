//! Comma-, semicolon- and tab-separated tables, plain or gzipped.
//!
//! The separator is the one that occurs most often in the header outside quotes. Empty cells and `NA`, `N/A`, `NaN`,
//! `null`, `None` and `?` are missing. A column is numeric if every other cell is a number. Cells are read in one pass;
//! a second pass is made if some column turns out to be text, so that text is kept as it was written.

use std::io::{BufRead, Read};

use super::input::Input;
use super::read::Reading;
use super::table::{COLUMN, Cells, Column, MISSING, Table};
use crate::context::Context;
use crate::error::{Error, Result, shown};

/// Reads a table called `name`. The cells may take as many bytes as the context has left.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] naming file, row and column, [`Error::Memory`].
pub(super) fn read_csv(name: &str, input: &Input<'_>, reading: &Reading, context: &Context) -> Result<Table> {
    read_as(name, || input.unpacked(), reading, context.left())
}

/// Reads a table from anything that can be opened twice; columns in `as_text` are kept as they are written.
pub(super) fn read_from<R: BufRead>(
    name: &str,
    open: impl Fn() -> Result<R>,
    as_text: &[String],
    limit: u64,
) -> Result<Table> {
    read_as(name, open, &Reading { as_text: as_text.to_vec(), ..Reading::default() }, limit)
}

fn read_as<R: BufRead>(
    name: &str,
    open: impl Fn() -> Result<R>,
    reading: &Reading,
    limit: u64,
) -> Result<Table> {
    let fail = |thing: String, problem: &str, hint: &str| {
        Err(Error::input(format!("`{name}`{thing}"), problem.to_string(), hint.to_string()))
    };
    let mut first = open()?;
    let Some(header) = header(name, &mut first, limit)? else {
        return fail(String::new(), "is empty", "the first line must name the columns");
    };
    let columns = reading.header(name, header.names)?;
    let header = Header { names: columns.names.clone(), delimiter: header.delimiter };
    let wanted = |column: &String| reading.as_text.contains(column);
    let mut kinds: Vec<bool> = header.names.iter().map(wanted).collect(); // true: text
    match read_cells(name, first, &header, &columns.left_out, &kinds, limit)? {
        Pass::Done(table) => Ok(columns.noted(table)),
        Pass::TextFound(found) => {
            kinds.iter_mut().zip(&found).for_each(|(kind, text)| *kind |= text);
            let mut again = open()?;
            skip_header(name, &mut again, limit)?;
            match read_cells(name, again, &header, &columns.left_out, &kinds, limit)? {
                Pass::Done(table) => Ok(columns.noted(table)),
                Pass::TextFound(_) => fail(String::new(), "changed while it was read", "read it again"),
            }
        }
    }
}

struct Header {
    names: Vec<String>,
    delimiter: u8,
}

enum Pass {
    Done(Table),
    /// Which columns hold text.
    TextFound(Vec<bool>),
}

/// The first line that is not blank, split; the reader is left behind it.
fn header(name: &str, reader: &mut impl BufRead, limit: u64) -> Result<Option<Header>> {
    let Some(line) = skip_header(name, reader, limit)? else { return Ok(None) };
    let count = |delimiter: u8| {
        let mut quoted = false;
        let outside = |byte: &&u8| {
            quoted ^= **byte == b'"';
            !quoted && **byte == delimiter
        };
        line.iter().filter(outside).count()
    };
    let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(|d| count(*d)).unwrap_or(b',');
    let width = count(delimiter) as u64 + 1;
    let need = (2 * COLUMN).saturating_mul(width).saturating_add(4 * line.len() as u64);
    if need > limit {
        return Err(Error::Memory { what: format!("`{name}` with {width} columns"), need, budget: limit });
    }
    let mut record = csv::ByteRecord::new();
    let mut split = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(&line[..]);
    split.read_byte_record(&mut record).map_err(|e| unreadable(name, &e))?;
    let column = |(j, cell): (usize, &[u8])| match String::from_utf8_lossy(cell).trim() {
        "" => format!("column {}", j + 1),
        name => name.to_string(),
    };
    Ok(Some(Header { names: record.iter().enumerate().map(column).collect(), delimiter }))
}

/// What a line takes for each of its bytes while it is read, at most: a byte may be a cell, which has a place of 8.
const LINE: u64 = 16;

/// Reads the header line, without the byte order mark; `None` at the end of the file. A quoted name may hold a line
/// break.
fn skip_header(name: &str, reader: &mut impl BufRead, limit: u64) -> Result<Option<Vec<u8>>> {
    const LONGEST: u64 = 64 << 20;
    let mut line = Vec::new();
    let (mut left, mut open_quote, mut looked_at) = (LONGEST.min(limit / 4), false, 0);
    loop {
        let read = reader.take(left).read_until(b'\n', &mut line);
        let read = read.map_err(|e| Error::Io { path: name.into(), source: e })?;
        left -= read as u64;
        if line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff]) {
            return Err(Error::input(format!("`{name}`"), "is UTF-16 text", "save it as UTF-8"));
        }
        if left == 0 && limit / 4 < LONGEST {
            let what = format!("the header of `{name}`");
            return Err(Error::Memory { what, need: limit.saturating_add(4), budget: limit });
        }
        let new = &line[looked_at..];
        if new.contains(&0) || left == 0 {
            let hint = "give a text file whose first line names the columns";
            return Err(Error::input(format!("`{name}`"), "is not a table of text", hint));
        }
        open_quote ^= new.iter().fold(false, |open, b| open ^ (*b == b'"'));
        if std::str::from_utf8(new).is_err() {
            return Err(Error::input(
                format!("`{name}`, header"),
                "is not UTF-8 text",
                "save the file as UTF-8",
            ));
        }
        let blank = looked_at == 0 && new.iter().all(u8::is_ascii_whitespace);
        if read == 0 && line.is_empty() {
            return Ok(None);
        }
        if read == 0 && open_quote {
            return Err(open_quote_in(&format!("`{name}`, header")));
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

fn unreadable(name: &str, error: &csv::Error) -> Error {
    Error::input(format!("`{name}`"), format!("cannot be read: {error}"), "")
}

fn open_quote_in(thing: &str) -> Error {
    Error::input(thing, "a quote is not closed", "close it, or double it if it belongs to the text")
}

/// Put behind the last line: a quote that is still open there swallows it.
const END: &[u8] = b"\n\0";

/// A column while it is read.
enum Growing {
    Numbers(Vec<f64>),
    Text {
        codes: Vec<u32>,
        values: Vec<String>,
        positions: std::collections::HashMap<Vec<u8>, u32>,
    },
    /// Was thought to be numbers; only whether there is more text matters now.
    FoundText,
    LeftOut,
}

fn read_cells(
    name: &str,
    reader: impl Read,
    header: &Header,
    left_out: &[bool],
    text: &[bool],
    limit: u64,
) -> Result<Pass> {
    let width = header.names.len();
    let mut csv = csv::ReaderBuilder::new()
        .delimiter(header.delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(reader.chain(END).take(limit / LINE));
    let grow = |(is_text, left_out): (&bool, &bool)| {
        if *left_out {
            Growing::LeftOut
        } else if *is_text {
            Growing::Text {
                codes: Vec::new(),
                values: Vec::new(),
                positions: std::collections::HashMap::new(),
            }
        } else {
            Growing::Numbers(Vec::new())
        }
    };
    let mut columns: Vec<Growing> = text.iter().zip(left_out).map(grow).collect();
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    let mut text_bytes = 0u64;
    let mut ended = false;
    while csv.read_byte_record(&mut record).map_err(|e| unreadable(name, &e))? {
        if csv.get_ref().limit() == 0 {
            let what = format!("`{name}`, row {} alone", rows + 1);
            return Err(Error::Memory { what, need: limit.saturating_add(LINE), budget: limit });
        }
        csv.get_mut().set_limit(limit / LINE);
        if record.len() == 1 && width > 1 && record[0].trim_ascii().is_empty() {
            continue; // a blank line
        }
        let last = record.iter().next_back().unwrap_or_default();
        if last.ends_with(END) {
            return Err(open_quote_in(&format!("`{name}`, row {}", rows + 1)));
        }
        if ended {
            let hint = "give a text file whose first line names the columns";
            return Err(Error::input(format!("`{name}`, row {}", rows + 1), "is not text", hint));
        }
        if record.len() == 1 && last == b"\0" {
            ended = true;
            continue;
        }
        rows += 1;
        let place = |j: usize| format!("`{name}`, row {rows}, column `{}`", header.names[j]);
        if record.len() != width {
            let problem = format!("has {} cells, the header names {width} columns", record.len());
            let hint = "quote cells that contain the separator, and fill short rows";
            return Err(Error::input(format!("`{name}`, row {rows}"), problem, hint));
        }
        for (j, (column, cell)) in columns.iter_mut().zip(&record).enumerate() {
            let cell = cell.trim_ascii();
            match column {
                Growing::FoundText | Growing::LeftOut => {}
                Growing::Numbers(numbers) => match number(cell) {
                    Some(v) if v.is_infinite() => {
                        let problem = format!("`{}` is not finite", shown(&String::from_utf8_lossy(cell)));
                        let hint = "mend it, or leave the cell empty and choose `--missing mean` or `drop`";
                        return Err(Error::input(place(j), problem, hint));
                    }
                    Some(v) => numbers.push(v),
                    None => *column = Growing::FoundText,
                },
                Growing::Text { codes, values, positions } => {
                    if is_missing(cell) {
                        codes.push(MISSING);
                    } else if let Some(code) = positions.get(cell) {
                        codes.push(*code);
                    } else {
                        let code = values.len() as u32;
                        let Some(value) = std::str::from_utf8(cell).ok().filter(|v| !v.contains('\0')) else {
                            return Err(Error::input(
                                place(j),
                                "is not UTF-8 text",
                                "save the file as UTF-8",
                            ));
                        };
                        values.push(value.to_string());
                        positions.insert(cell.to_vec(), code);
                        codes.push(code);
                        text_bytes += 2 * cell.len() as u64 + 112; // each twice, and its place in the map
                    }
                }
            }
        }
        let need = 8 * (rows * width) as u64 + 2 * COLUMN * width as u64 + text_bytes;
        if need > limit {
            return Err(Error::Memory { what: format!("`{name}` from row {rows} on"), need, budget: limit });
        }
    }
    if columns.iter().any(|column| matches!(column, Growing::FoundText)) {
        return Ok(Pass::TextFound(columns.iter().map(|c| matches!(c, Growing::FoundText)).collect()));
    }
    let finished = |(name, growing): (&String, Growing)| {
        let cells = match growing {
            Growing::Numbers(numbers) => Cells::Numbers(numbers),
            Growing::Text { codes, values, .. } => Cells::Text { codes, values },
            Growing::LeftOut => return None,
            Growing::FoundText => unreachable!("handled above"),
        };
        Some(Column { name: name.clone(), cells })
    };
    let columns = header.names.iter().zip(columns).filter_map(finished).collect();
    Ok(Pass::Done(Table { name: name.into(), rows, columns, ..Table::default() }))
}

/// Whether a cell stands for a missing value.
fn is_missing(cell: &[u8]) -> bool {
    matches!(cell, b"" | b"NA" | b"N/A" | b"NaN" | b"nan" | b"null" | b"NULL" | b"None" | b"?")
}

/// A number, NaN for a missing cell; `None` for text.
fn number(cell: &[u8]) -> Option<f64> {
    if is_missing(cell) {
        return Some(f64::NAN);
    }
    std::str::from_utf8(cell).ok()?.parse().ok().filter(|v: &f64| !v.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table> {
        read_from("t.csv", || Ok(text.as_bytes()), &[], 1 << 20)
    }

    fn numbers(table: &Table, name: &str) -> Vec<f64> {
        match &table.column(name).unwrap().cells {
            Cells::Numbers(numbers) => numbers.clone(),
            Cells::Text { .. } => panic!("`{name}` is text"),
        }
    }

    #[test]
    fn quotes_byte_order_mark_blank_lines_and_each_separator() {
        for separator in [",", ";", "\t"] {
            let text = format!(
                "\u{feff}a{separator}\"b {separator} \"\"x\"\"\"\r\n1{separator}-2.5e3\r\n\r\n 3 {separator}4\n"
            );
            let table = read(&text).unwrap();
            assert_eq!(table.rows, 2, "{separator:?}");
            assert_eq!(numbers(&table, "a"), [1.0, 3.0]);
            assert_eq!(numbers(&table, &format!("b {separator} \"x\"")), [-2500.0, 4.0]);
        }
    }

    #[test]
    fn text_is_kept_as_written_and_missing_cells_are_seen() {
        let table = read("a,b\n007,1\nx,?\n,3\n").unwrap();
        let a = &table.column("a").unwrap().cells;
        assert_eq!((a.text(0), a.text(1), a.text(2)), (Some("007".into()), Some("x".into()), None));
        let b = numbers(&table, "b");
        assert!(b[0] == 1.0 && b[1].is_nan() && b[2] == 3.0);
        let label = read_from("t", || Ok(&b"y\n01\n1\n"[..]), &["y".into()], 1 << 20).unwrap();
        assert_eq!(label.columns[0].cells.text(0), Some("01".into()));
    }

    #[test]
    fn what_is_wrong_is_named_with_row_and_column() {
        let problem = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(problem(""), "`t.csv`: is empty");
        assert_eq!(problem("a,a\n1,2\n"), "`t.csv`: has two columns named `a`");
        assert_eq!(problem("a,b\n1,2\n3\n"), "`t.csv`, row 2: has 1 cells, the header names 2 columns");
        assert_eq!(problem("a,b\n1,inf\n"), "`t.csv`, row 1, column `b`: `inf` is not finite");
        assert!(problem("a\0b").contains("not a table of text"));
        let long = "a\n".to_string() + &"1\n".repeat(200_000);
        assert!(matches!(read(&long), Err(Error::Memory { .. })));
        let tiny = read_from("t.csv", || Ok(&b"a,b\n1,2\n"[..]), &[], 8).unwrap_err().to_string();
        assert!(tiny.starts_with("the header of `t.csv` needs"), "{tiny}");
        assert!(problem(&",".repeat(4999)).starts_with("`t.csv` with 5000 columns needs 1.2 MiB"));
        assert!(problem(&format!("a\n{}\n", ",".repeat(1 << 17))).starts_with("`t.csv`, row 1 alone needs"));
    }

    /// Each line break in it is looked at once.
    #[test]
    fn a_quoted_name_may_hold_many_lines() {
        let name = "\n".repeat(200_000);
        let table = read_from(
            "t.csv",
            || Ok(std::io::Cursor::new(format!("\n\n\"x{name}y\",b\n1,2\n"))),
            &[],
            1 << 22,
        );
        assert_eq!(table.unwrap().columns[0].name.len(), 200_002);
    }

    #[test]
    fn a_header_alone_is_a_table_without_rows() {
        assert_eq!(read("a,b\n").unwrap().rows, 0);
    }
}
