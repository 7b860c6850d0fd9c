//! Comma-, semicolon- and tab-separated tables, plain or gzipped.
//!
//! A column is numeric if every cell that is not missing is a number. Cells are read in one pass; a second pass is made if
//! some column turns out to be text, so that text is kept as it was written.

mod foreign;
mod growing;
mod head;
mod records;
mod swallowed;

use std::collections::HashSet;
use std::io::{BufRead, Read};

use encoding_rs::{Encoding, UTF_8};

use super::cells::TextCells;
use super::character_encoding::{Decoded, detect, named, utf_16};
use super::input::Input;
use super::lines::Lines;
use super::missing::MissingValues;
use super::reading::Reading;
use super::table::{COLUMN, Column, Seen, Table};
use crate::context::Context;
use crate::error::{Error, Result, shown};
use growing::{Growing, Refused};
use head::{First, Head, head};
use records::{Record, Records, Stop};
use swallowed::Swallowed;

/// Reads a table called `name`. The cells may take as many bytes as the context has left. Text is UTF-8, or in the
/// encoding that is asked for, or in one that its bytes tell.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] naming file, line and column, [`Error::Memory`], [`Error::Unknown`].
pub(super) fn read_csv(name: &str, input: &Input<'_>, reading: &Reading, context: &Context) -> Result<Table> {
    let asked = reading.encoding.as_deref().map(named).transpose()?;
    let start = |mut text: Box<dyn BufRead + '_>| -> Result<_> {
        let start = text.fill_buf().map_err(|source| Error::Io { path: name.into(), source })?;
        Ok(utf_16(start))
    };
    let known = match asked {
        None => start(input.unpacked()?)?,
        asked => asked,
    };
    let read = |encoding: Option<&'static Encoding>| {
        let open = || -> Result<Box<dyn BufRead + '_>> {
            let text = input.unpacked()?;
            Ok(match encoding.filter(|encoding| *encoding != UTF_8) {
                None => text,
                Some(encoding) => Box::new(Decoded::new(name, text, encoding)),
            })
        };
        let table = read_as(name, open, reading, context.left())?;
        let remark = match encoding.filter(|_| asked.is_none()) {
            None => table.remark,
            Some(encoding) => format!("read as {}", encoding.name()),
        };
        Ok(Table { remark, ..table })
    };
    match read(known) {
        // Whatever the error: text of another encoding may be at the bottom of it.
        Err(error @ Error::Input { .. }) if known.is_none() => match detect(name, input.unpacked()?)? {
            None => Err(error),
            found => read(found),
        },
        read => read,
    }
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
    let fail = |problem: &str, hint: &str| Err(Error::input(format!("`{name}`"), problem, hint));
    let mut first = open()?;
    let Some(found) = head(name, &mut first, limit)? else {
        return fail("is empty", "the first line must name the columns");
    };
    let written = found.names.clone();
    let header = reading.header(name, found.names)?;
    let found = Head { names: header.names.clone(), ..found };
    let mut text: Vec<bool> = found.names.iter().map(|column| reading.as_text.contains(column)).collect();
    let body = Body { name, missing: MissingValues::of(reading), reading, limit };
    let mut columns = body.read(first, &found, &header.left_out, &text)?;
    if columns.of.iter().any(|column| matches!(column, Growing::FoundText)) {
        let also = columns.of.iter().map(|column| matches!(column, Growing::FoundText));
        text.iter_mut().zip(also).for_each(|(text, also)| *text |= also);
        drop(columns);
        let mut again = open()?;
        let Some(again_found) = head(name, &mut again, limit)?.filter(|again| again.names == written) else {
            return fail("changed while it was read", "read it again");
        };
        let again_found = Head { names: header.names.clone(), ..again_found };
        columns = body.read(again, &again_found, &header.left_out, &text)?;
        if columns.of.iter().any(|column| matches!(column, Growing::FoundText)) {
            return fail("changed while it was read", "read it again");
        }
    }
    let table = body.table(columns, &found);
    if let Some(first) =
        table.columns.first().filter(|_| found.first == First::BesideHeader && !header.left_out[0])
    {
        let mut seen = HashSet::new();
        if let Some(row) = (0..table.rows).find(|&row| !seen.insert(first.cells.text(row))) {
            return Err(one_cell_more(table.place(row), found.names.len() - 1));
        }
    }
    Ok(header.noted(table))
}

/// What a line takes for each of its bytes while it is read, at most: a byte may be a cell, which has a place of 8.
const LINE: u64 = 16;

/// Put behind the last line: a quote that is still open there swallows it.
const END: &[u8] = b"\n\0";

/// What stands below the header, and how it is to be read.
struct Body<'a> {
    name: &'a str,
    missing: MissingValues,
    reading: &'a Reading,
    limit: u64,
}

/// The columns, and where their rows stand.
struct Columns {
    of: Vec<Growing>,
    lines: Lines,
    rows: usize,
    /// Rows at the end without a filled cell, which do not count.
    empty: usize,
    swallowed: Swallowed,
}

impl Body<'_> {
    fn place(&self, line: u64) -> String {
        format!("`{}`, line {line}", self.name)
    }

    fn read(&self, reader: impl BufRead, head: &Head, left_out: &[bool], text: &[bool]) -> Result<Columns> {
        let width = head.names.len();
        let comma = self.reading.decimal == Some(',');
        let reader = (&head.read[..]).chain(reader).chain(END);
        let mut records = Records::new(reader, head.separator, head.line, self.limit / LINE);
        let growing = |((text, left_out), name): ((&bool, &bool), &String)| {
            if self.reading.id.contains(name) && !left_out {
                Growing::AsWritten(TextCells::default())
            } else {
                Growing::new(*text, *left_out)
            }
        };
        let mut columns = Columns {
            of: text.iter().zip(left_out).zip(&head.names).map(growing).collect(),
            lines: Lines::default(),
            rows: 0,
            empty: 0,
            swallowed: Swallowed::default(),
        };
        let mut record = Record::default();
        let (mut ended, mut filled) = (false, 0);
        while records.next(&mut record).map_err(|stop| self.stopped(stop))? {
            let place = || self.place(record.line);
            if record.len() == 1 && width > 1 && record.last().trim_ascii().is_empty() {
                continue; // a blank line
            }
            if record.last().ends_with(END) {
                return Err(open_quote_in(&place()));
            }
            if ended {
                let hint = "give a text file whose first line names the columns";
                return Err(Error::input(place(), "is not text", hint));
            }
            if record.len() == 1 && record.last() == b"\0" {
                ended = true;
                continue;
            }
            let ends_in_separator = head.trailing && record.len() == width + 1 && record.last().is_empty();
            if record.len() != width && !ends_in_separator {
                return Err(self.odd_row(&record, head, columns.rows));
            }
            if record.cells().any(|cell| !cell.trim_ascii().is_empty()) {
                filled = columns.rows + 1;
            }
            columns.swallowed.look(&record, head.separator, width);
            columns.lines.push(columns.rows, record.line);
            columns.rows += 1;
            let mut text_bytes = columns.lines.bytes();
            for (j, (column, cell)) in columns.of.iter_mut().zip(record.cells()).enumerate() {
                if let Err(refused) = column.push(cell, &self.missing, comma) {
                    let place = format!("{}, column `{}`", place(), head.names[j]);
                    return Err(refused.error(place, cell));
                }
                text_bytes += column.text_bytes();
            }
            let need = 8 * (columns.rows * width) as u64 + 2 * COLUMN * width as u64 + text_bytes;
            if need > self.limit {
                let what = format!("{} and on", place());
                return Err(Error::Memory { what, need, budget: self.limit });
            }
        }
        columns.empty = if width > 1 { columns.rows - filled } else { 0 };
        columns.rows -= columns.empty;
        columns.of.iter_mut().for_each(|column| column.truncate(columns.rows));
        columns.of.iter_mut().for_each(Growing::settle);
        Ok(columns)
    }

    /// The error for a row that has not as many cells as the header, below so many `rows`.
    fn odd_row(&self, record: &Record, head: &Head, rows: usize) -> Error {
        let (width, cells) = (head.names.len(), record.len());
        let place = self.place(record.line);
        let first = record.cells().next().unwrap_or_default().trim_ascii();
        let problem = format!("has {cells} cells, the header names {width} columns");
        if matches!(first.first(), Some(b'#' | b'%')) {
            let first = shown(&String::from_utf8_lossy(first));
            let problem = format!("{problem}, and begins like a comment: `{first}`");
            return Error::input(place, problem, "comments may stand above the header only: take it out");
        }
        if head.first == First::BesideHeader && cells == width - 1 {
            let problem = format!("has {cells} cells, and rows above it one more");
            return Error::input(place, problem, ONE_CELL_MORE);
        }
        if cells == width + 1 && rows == 0 {
            return one_cell_more(place, width);
        }
        if rows < TITLES && cells > width + 1 {
            let hint = "if it names the columns, take out the lines above it or begin them with `#`; else quote cells that \
                        contain the separator";
            return Error::input(place, problem, hint);
        }
        Error::input(place, problem, "quote cells that contain the separator, and fill short rows")
    }

    fn stopped(&self, stop: Stop) -> Error {
        match stop {
            Stop::Io(source) => Error::Io { path: self.name.into(), source },
            Stop::TooLong(line) => Error::Memory {
                what: format!("{} alone", self.place(line)),
                need: self.limit.saturating_add(LINE),
                budget: self.limit,
            },
        }
    }

    fn table(&self, columns: Columns, head: &Head) -> Table {
        let Columns { of, lines, rows, empty, swallowed } = columns;
        let mut table = Table {
            name: self.name.into(),
            rows,
            lines,
            missing_values: self.reading.missing_values.clone(),
            keep_values: self.reading.keep_values.clone(),
            decimal: self.reading.decimal,
            date_order: self.reading.date_order,
            notes: head.notes.clone(),
            warnings: swallowed.told(self.name),
            unmet: self.missing.unmet(),
            ..Table::default()
        };
        match empty {
            0 => {}
            1 => table.notes.push("the last row is empty and left out".into()),
            _ => table.notes.push(format!("the last {empty} rows are empty and left out")),
        }
        for ((growing, name), unnamed) in of.into_iter().zip(&head.names).zip(&head.unnamed) {
            let Some((column, seen)) = growing.finish(name) else { continue };
            let seen = Seen { unnamed: *unnamed, ..seen };
            table.columns.push(column);
            if seen != Seen::default() {
                table.seen.insert(name.clone(), seen);
            }
        }
        if self.missing.keeps() {
            self.missing.empty(&mut table); // of columns that are numbers in another notation
        }
        let first = table.columns.first().filter(|column| head.names.first() == Some(&column.name));
        let first = first.filter(|column| head.first != First::Named && column.cells.differ());
        table.row_names = first.filter(|_| rows > 0).map(|column| column.name.clone());
        let empty = |column: &Column| (0..rows).all(|row| column.cells.is_missing(row));
        let last = table.columns.last().is_some_and(|column| head.names.last() == Some(&column.name));
        let last_unnamed = head.unnamed.last() == Some(&true);
        if last_unnamed && last && rows > 0 && table.columns.pop_if(|column| empty(column)).is_some() {
            table
                .notes
                .push("every line ends in a separator: the last column, without a name, is left out".into());
        }
        table
    }
}

impl Refused {
    fn error(&self, place: String, cell: &[u8]) -> Error {
        match self {
            Self::NotFinite => {
                let problem =
                    format!("`{}` is not finite", shown(&String::from_utf8_lossy(cell.trim_ascii())));
                let hint = "mend it, or leave the cell empty and choose `‹missing mean›` or `drop`";
                Error::input(place, problem, hint)
            }
            Self::NotText => Error::input(place, "is not UTF-8 text", "save the file as UTF-8"),
        }
    }
}

/// Lines above the columns' names that may tell of the file, at most.
const TITLES: usize = 10;

/// What may be meant by rows with one cell more than the header.
const ONE_CELL_MORE: &str = "quote cells that contain the separator; if the first cells name the rows, give their column a name in the header";

fn one_cell_more(place: String, width: usize) -> Error {
    let problem = format!("has {} cells, the header names {width} columns", width + 1);
    Error::input(place, problem, ONE_CELL_MORE)
}

fn open_quote_in(thing: &str) -> Error {
    Error::input(thing, "a quote is not closed", "close it, or double it if it belongs to the text")
}

#[cfg(test)]
mod tests;
