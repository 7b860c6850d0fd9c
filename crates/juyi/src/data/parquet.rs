//! Parquet files with one value a cell, read column by column.
//!
//! Numbers are numbers, truth values 0 and 1, text and categories (dictionaries of text) text. Dates become days, times
//! of day and points in time become seconds, both since the beginning of 1970 or of the day, and durations seconds. Decimals become the nearest
//! double. Nulls, NaN and empty text are missing cells. Text in delta encoding, which few writers choose, is refused.
//!
//! The `parquet` crate decodes pages, but files are untrusted, so what it would believe is looked at first: `footer` the
//! schema, `headers` the pages, `pages` what they unpack to; `decoded` is for the rest.

mod arrow;
mod footer;
mod headers;
mod meaning;
mod pages;
mod thrift;

use std::collections::HashMap;
use std::io::Read;

use bytes::Bytes;
use parquet::basic::Type;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescriptor;

use super::array::{MEND, finite, whole};
use super::caught::caught;
use super::cells::{Cells, TextCells};
use super::reading::Reading;
use super::table::{COLUMN, Column, Table};
use crate::error::{Error, Result, shown};
use meaning::{Cell, Meaning};
use pages::Pages;

/// What a byte of the footer becomes in memory, at most: one of 20 may be a column of a row group.
const FOOTER: u64 = 32;

/// Most rows that are decoded at once.
const BATCH: usize = 1024;

/// Reads the file called `name`. Columns that are read as text have numbers as the shortest that means them. At most `limit` bytes are taken for file and table.
///
/// The index that pandas stores when it has no name is left out.
///
/// # Errors
/// [`Error::Input`] for a file that is not sound, nested columns, bytes that are not text, values that are not finite;
/// [`Error::Memory`], [`Error::Io`].
pub fn read(name: &str, file: impl Read, reading: &Reading, limit: u64) -> Result<Table> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| Error::Io { path: name.into(), source })?;
    let need = bytes.len() as u64;
    if need > limit {
        return Err(Error::Memory { what: format!("`{name}` as it is stored"), need, budget: limit });
    }
    let file = Bytes::from(bytes);
    let need = FOOTER
        .saturating_mul(footer::check(name, &file, &|column| reading.leaves_out(column))?)
        .saturating_add(file.len() as u64);
    if need > limit {
        return Err(Error::Memory { what: format!("the footer of `{name}`"), need, budget: limit });
    }
    let metadata = decoded(|| ParquetMetaDataReader::new().parse_and_finish(&file))
        .map_err(|error| damaged(name, error))?;
    let schema = metadata.file_metadata().schema_descr();
    // The parts of a nested column are columns of the file under its one name.
    let written = (0..schema.num_columns()).map(|j| schema.get_column_root(j).name().to_string());
    let header = reading.header(name, written.collect())?;
    let (kept, index): (Vec<usize>, Vec<usize>) = (0..header.names.len())
        .filter(|&j| !header.left_out[j])
        .partition(|&j| !is_pandas_index(&header.names[j]) || reading.as_text.contains(&header.names[j]));
    let rows = metadata.row_groups().iter().map(|group| u64::try_from(group.num_rows()));
    let rows = rows.into_iter().try_fold(0_u64, |sum, rows| rows.ok().and_then(|rows| sum.checked_add(rows)));
    let Some(rows) = rows else {
        return Err(Error::input(format!("`{name}`"), "is damaged: its numbers of rows make no sense", ""));
    };
    let width = kept.len() as u64;
    let table = rows.saturating_mul(8).saturating_add(COLUMN).saturating_mul(width);
    let need = table.saturating_add(file.len() as u64);
    if need > limit {
        return Err(Error::Memory {
            what: format!("`{name}` as {rows} x {width} table"),
            need,
            budget: limit,
        });
    }
    if header.names.is_empty() {
        return Err(Error::input(format!("`{name}`"), "has no columns", "give a table with columns"));
    }
    let mut columns = Vec::with_capacity(kept.len());
    let mut room = limit - need;
    let (mut times, mut truths) = (HashMap::new(), Vec::new());
    let durations = arrow::durations(metadata.file_metadata());
    for j in kept {
        let column = header.names[j].clone();
        let as_text = reading.as_text.contains(&column);
        let column = read_column(name, &file, &metadata, (j, column), as_text, &durations, &mut room)?;
        if let (Cells::Numbers(_), Some(unit)) =
            (&column.cells, Meaning::unit(&metadata.file_metadata().schema_descr().column(j)))
        {
            times.insert(column.name.clone(), unit);
        }
        let is_truth = metadata.file_metadata().schema_descr().column(j).physical_type() == Type::BOOLEAN;
        if is_truth && matches!(column.cells, Cells::Numbers(_)) {
            truths.push(column.name.clone());
        }
        columns.push(column);
    }
    let index: Vec<String> = index.iter().map(|&j| header.names[j].clone()).collect();
    let remark = if index.is_empty() {
        String::new()
    } else {
        format!("`{}`, an index that pandas stored, is left out", index.join("`, `"))
    };
    let table =
        Table { name: name.into(), rows: rows as usize, columns, times, truths, remark, ..Table::default() };
    Ok(header.noted(table))
}

/// Whether this is what pandas calls the index of a table when it has no name.
fn is_pandas_index(name: &str) -> bool {
    let number = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// What the crate decodes; a panic of it is an error too.
fn decoded<T>(
    work: impl FnOnce() -> std::result::Result<T, ParquetError>,
) -> std::result::Result<T, ParquetError> {
    caught(work).unwrap_or_else(|| Err(ParquetError::General("its pages cannot be decoded".into())))
}

/// What the crate reports, or the error of our own that went through it.
fn damaged(thing: &str, error: ParquetError) -> Error {
    let problem = match error {
        ParquetError::External(error) => match error.downcast::<Error>() {
            Ok(own) => return *own,
            Err(error) => error.to_string(),
        },
        error => error.to_string(),
    };
    Error::input(format!("`{thing}`"), format!("is damaged: {}", shown(&problem)), "")
}

/// The `j`-th column of all row groups, under this name; `room` is what its text and its pages may take.
fn read_column(
    name: &str,
    file: &Bytes,
    metadata: &ParquetMetaData,
    (j, column): (usize, String),
    as_text: bool,
    durations: &HashMap<String, i64>,
    room: &mut u64,
) -> Result<Column> {
    let descriptor = metadata.file_metadata().schema_descr().column(j);
    let thing = format!("`{name}`, column `{}`", shown(&column));
    let meaning = Meaning::of(&descriptor).map_err(|what| {
        let hint =
            "numbers, truth values, text, dates, times and decimals are read; `‹drop›` leaves the column out";
        Error::input(&thing, format!("holds {what}"), hint)
    })?;
    let meaning = match durations.get(descriptor.name()) {
        Some(units) if meaning == Meaning::Plain => Meaning::Time(*units),
        _ => meaning,
    };
    let cells = if meaning == Meaning::Text || as_text {
        Growing::Text(TextCells::default())
    } else {
        Growing::Numbers(Vec::new())
    };
    let mut gathered = Gathered { name, column: shown(&column), cells, rows: 0, room: *room };
    for group in metadata.row_groups() {
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        let pages = Pages::new(file, group.column(j), rows, &thing, *room).map_err(|e| damaged(name, e))?;
        read_group(pages, &descriptor, meaning, rows, &mut gathered)?;
    }
    let cells = match gathered.cells {
        Growing::Numbers(numbers) => Cells::Numbers(numbers),
        Growing::Text(text) => {
            *room = room.saturating_sub(text.bytes);
            text.finish()
        }
    };
    Ok(Column { name: column, cells })
}

/// The cells of one row group.
fn read_group(
    pages: Pages,
    descriptor: &std::sync::Arc<ColumnDescriptor>,
    meaning: Meaning,
    rows: usize,
    gathered: &mut Gathered,
) -> Result<()> {
    let optional = descriptor.max_def_level() > 0;
    match get_column_reader(descriptor.clone(), Box::new(pages)) {
        ColumnReader::BoolColumnReader(reader) => {
            pull(reader, rows, optional, gathered, |value| Ok(Cell::Whole(i128::from(*value))))
        }
        ColumnReader::Int32ColumnReader(reader) => pull(reader, rows, optional, gathered, |value| {
            Ok(meaning.whole(i64::from(*value), u64::from(value.cast_unsigned())))
        }),
        ColumnReader::Int64ColumnReader(reader) => {
            pull(reader, rows, optional, gathered, |value| Ok(meaning.whole(*value, value.cast_unsigned())))
        }
        ColumnReader::Int96ColumnReader(reader) => {
            pull(reader, rows, optional, gathered, |value| Ok(meaning::old_timestamp(value)))
        }
        ColumnReader::FloatColumnReader(reader) => {
            pull(reader, rows, optional, gathered, |value| Ok(Cell::Single(*value)))
        }
        ColumnReader::DoubleColumnReader(reader) => {
            pull(reader, rows, optional, gathered, |value| Ok(Cell::Double(*value)))
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            pull(reader, rows, optional, gathered, |value| meaning.bytes(value.data()))
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            pull(reader, rows, optional, gathered, |value| meaning.bytes(value.data()))
        }
    }
}

/// Reads `rows` cells, no more and no less.
fn pull<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    optional: bool,
    gathered: &mut Gathered,
    cell: impl for<'a> Fn(&'a T::T) -> std::result::Result<Cell<'a>, String>,
) -> Result<()> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut left = rows;
    loop {
        levels.clear();
        values.clear();
        let wanted = left.clamp(1, BATCH);
        let read = decoded(|| reader.read_records(wanted, Some(&mut levels), None, &mut values));
        let (count, _, _) = read.map_err(|error| damaged(gathered.name, error))?;
        if count > left || (count == 0 && left > 0) {
            let problem = format!(
                "is damaged: a row group of {rows} rows has {}",
                if left > 0 { "less" } else { "more" }
            );
            return Err(Error::input(gathered.thing(), problem, ""));
        }
        if count == 0 {
            return Ok(());
        }
        left -= count;
        let mut values = values.iter();
        for row in 0..count {
            let value = if optional && levels.get(row) != Some(&1) { None } else { values.next() };
            gathered.push(value.map(&cell).transpose())?;
        }
    }
}

/// A column while it is read.
struct Gathered<'a> {
    name: &'a str,
    column: String,
    cells: Growing,
    rows: usize,
    /// Bytes that different texts may take.
    room: u64,
}

enum Growing {
    Numbers(Vec<f64>),
    Text(TextCells),
}

impl Gathered<'_> {
    fn thing(&self) -> String {
        format!("`{}`, column `{}`", self.name, self.column)
    }

    /// Adds a cell; `None` is a missing one.
    fn push(&mut self, cell: std::result::Result<Option<Cell>, String>) -> Result<()> {
        self.rows += 1;
        let pushed = cell.and_then(|cell| match &mut self.cells {
            Growing::Numbers(numbers) => {
                numbers.push(match cell {
                    None => f64::NAN,
                    Some(Cell::Whole(number)) => whole(number)?,
                    Some(Cell::Single(number)) => finite(f64::from(number))?,
                    Some(Cell::Double(number)) => finite(number)?,
                    Some(Cell::Text(text)) => return Err(format!("`{}` is not a number", shown(text))),
                });
                Ok(())
            }
            Growing::Text(text) => {
                match cell {
                    None => text.push(None),
                    Some(Cell::Whole(number)) => text.push(Some(&number.to_string())),
                    Some(Cell::Single(number)) if number.is_nan() => text.push(None),
                    Some(Cell::Double(number)) if number.is_nan() => text.push(None),
                    Some(Cell::Single(number)) => text.push(Some(&number.to_string())),
                    Some(Cell::Double(number)) => text.push(Some(&number.to_string())),
                    Some(Cell::Text(written)) => text.push(Some(written)),
                }
                Ok(())
            }
        });
        pushed.map_err(|problem| {
            Error::input(
                format!("`{}`, row {}, column `{}`", self.name, self.rows, self.column),
                problem,
                MEND,
            )
        })?;
        match &self.cells {
            Growing::Text(text) if text.bytes > self.room => Err(Error::Memory {
                what: format!("{} from row {} on", self.thing(), self.rows),
                need: text.bytes,
                budget: self.room,
            }),
            _ => Ok(()),
        }
    }
}
