//! A sheet of an Excel workbook: the names of the columns in its first row that is not empty, a row of data in each row
//! below.
//!
//! Dates and times become numbers as in Parquet, truth values the text `true` and `false`. Empty cells and `#N/A` are
//! missing; other failed formulas are refused. Text that is a number is read as CSV reads it.
//!
//! Cells are read one by one: what a sheet says of its size is not believed. What the parts of the archive unpack to is
//! counted first.

mod parts;

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};

use calamine::{CellErrorType, DataRef, Reader, SheetType, SheetVisible, Xlsx};

use super::caught::caught;
use super::cells::{Cells, TextCells};
use super::dates::{DAY, TimeUnit, calendar};
use super::lines::Lines;
use super::missing::{Absent, MissingValues, without_blanks};
use super::points::Points;
use super::reading::Reading;
use super::table::{COLUMN, Column, Seen, Table, is_code};
use crate::error::{Error, Result, shown};
use parts::unpacked;

/// What a cell takes while it is read, beside its text.
const CELL: u64 = 64;

/// Most sheets that a message lists by name.
const NAMED: usize = 20;

/// One cell that is not empty.
enum Value {
    Number(f64),
    Truth(bool),
    Text(String),
    /// Days since 1970, or of the day alone where it is below 1.
    Time(f64),
    /// Days that passed.
    Duration(f64),
    /// A word that is a value in columns of text, and stands for a missing cell in others.
    Kept(String),
}

/// A cell with its position.
struct Filled {
    row: u32,
    column: u32,
    value: Value,
}

/// Reads a sheet of the workbook called `name`: the one of that name, or the first that is not hidden. At most `limit`
/// bytes are taken.
///
/// # Errors
/// [`Error::Input`] for a file that is not sound, a sheet that is not there, a title above the names of the columns, two
/// columns of one name, a formula that failed; [`Error::Memory`].
pub fn read<R: Read + Seek>(
    name: &str,
    mut file: R,
    sheet: Option<&str>,
    reading: &Reading,
    limit: u64,
) -> Result<Table> {
    let fail = |problem: String, hint: &str| Error::input(format!("`{name}`"), problem, hint);
    let damaged =
        |error: String| fail(format!("is not a sound .xlsx workbook: {error}"), "save it anew as .xlsx");
    let held = unpacked(name, &mut file, limit)?;
    file.rewind().map_err(|source| Error::Io { path: name.into(), source })?;
    let panicked = || damaged("its parts cannot be read".into());
    let mut workbook = caught(|| Xlsx::new(file))
        .ok_or_else(panicked)?
        .map_err(|error| damaged(shown(&error.to_string())))?;
    let sheets: Vec<(String, bool)> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
        .collect();
    let listed = || {
        let names: Vec<String> =
            sheets.iter().take(NAMED).map(|(sheet, _)| format!("`{}`", shown(sheet))).collect();
        names.join(", ")
    };
    let wanted = match sheet {
        Some(wanted) => sheets.iter().find(|(sheet, _)| sheet == wanted).ok_or_else(|| {
            let problem = format!("has no sheet `{}`", shown(wanted));
            Error::input(format!("`{name}`"), problem, format!("sheets of the file: {}", listed()))
        })?,
        None => sheets.iter().find(|(_, visible)| *visible).ok_or_else(|| {
            fail("has no sheet that is not hidden".into(), "name it: `file.xlsx:Sheet name`")
        })?,
    };
    let wanted = wanted.0.clone();
    let mut remarks = Vec::new();
    if sheet.is_none() && sheets.len() > 1 {
        remarks.push(format!("sheet `{}` is read; sheets of the file: {}", shown(&wanted), listed()));
    }
    let from_1904 = workbook.has_1904_epoch();
    let missing = MissingValues::of(reading);
    let cells = caught(|| cells(name, &mut workbook, &wanted, from_1904, &missing, limit - held))
        .ok_or_else(panicked)??;
    let mut table = table(name, &wanted, cells, &reading.as_text, limit - held, &mut remarks)?;
    table.remark = remarks.join("; ");
    Ok(table)
}

/// The cells of a sheet that are not empty, and the words of those that are missing, by column.
fn cells<R: Read + Seek>(
    name: &str,
    workbook: &mut Xlsx<R>,
    sheet: &str,
    from_1904: bool,
    missing: &MissingValues,
    limit: u64,
) -> Result<(Vec<Filled>, HashMap<u32, Absent>)> {
    let damaged = |error: calamine::XlsxError| {
        let thing = format!("`{name}`, sheet `{}`", shown(sheet));
        Error::input(thing, format!("cannot be read: {}", shown(&error.to_string())), "save it anew as .xlsx")
    };
    let mut reader = workbook.worksheet_cells_reader(sheet).map_err(damaged)?;
    let (mut found, mut absent, mut taken) = (Vec::new(), HashMap::<u32, Absent>::new(), 0_u64);
    while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(damaged)? {
        let (row, column) = cell.pos;
        let refused =
            |problem: String, hint: &str| Err(Error::input(place(name, sheet, row, column), problem, hint));
        let mut text = |text: &str| {
            let text = text.trim();
            if missing.has(text) {
                absent.entry(column).or_default().push(without_blanks(text));
                return None;
            }
            let kept = missing.has_among_numbers(text);
            Some(if kept { Value::Kept(text.into()) } else { Value::Text(text.into()) })
        };
        let value = match &cell.value {
            DataRef::Empty if cell.formula.is_some() => {
                let hint = "open the workbook in the program that calculates it, and save it there";
                return refused("is a formula without its result".into(), hint);
            }
            DataRef::Empty | DataRef::Error(CellErrorType::NA) => None,
            DataRef::Int(number) => Some(Value::Number(*number as f64)),
            DataRef::Float(number) if number.is_finite() => Some(Value::Number(*number)),
            DataRef::Float(number) => return refused(format!("`{number}` is not finite"), "mend the cell"),
            DataRef::SharedString(written) => text(written),
            DataRef::Bool(truth) => Some(Value::Truth(*truth)),
            DataRef::DateTime(time) if time.is_duration() => Some(Value::Duration(time.as_f64())),
            DataRef::DateTime(time) => Some(Value::Time(since_1970(time.as_f64(), from_1904))),
            DataRef::String(written) | DataRef::DateTimeIso(written) | DataRef::DurationIso(written) => {
                text(written)
            }
            DataRef::Error(error) => {
                let hint = "mend its formula, or clear the cell and use `‹missing›`";
                return refused(format!("is `{error}`, a formula that failed"), hint);
            }
        };
        let Some(value) = value else { continue };
        let letters = if let Value::Text(text) | Value::Kept(text) = &value { text.len() } else { 0 };
        taken += CELL + letters as u64;
        if taken > limit {
            return Err(Error::Memory { what: format!("the cells of `{name}`"), need: taken, budget: limit });
        }
        found.push(Filled { row, column, value });
    }
    Ok((found, absent))
}

/// Days since 1970 of what Excel counts; the time of day alone stays below 1. Excel has a 29 February 1900.
fn since_1970(serial: f64, from_1904: bool) -> f64 {
    match serial {
        0.0..1.0 => serial,
        _ if from_1904 => serial - 24_107.0,
        1.0..60.0 => serial - 25_568.0,
        _ => serial - 25_569.0,
    }
}

/// Seconds of days, to the millisecond: Excel stores no more.
fn seconds(days: f64) -> f64 {
    (days * DAY * 1000.0).round() / 1000.0
}

/// What a cell is called: `Sheet1!C15`.
fn place(name: &str, sheet: &str, row: u32, column: u32) -> String {
    let (mut letters, mut left) = (String::new(), u64::from(column) + 1);
    while left > 0 {
        letters.insert(0, char::from(b'A' + ((left - 1) % 26) as u8));
        left = (left - 1) / 26;
    }
    format!("`{name}`, cell `{}!{letters}{}`", shown(sheet), u64::from(row) + 1)
}

/// The cell as text.
fn written(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Truth(truth) => truth.to_string(),
        Value::Text(text) | Value::Kept(text) => text.clone(),
        Value::Time(days) => calendar(seconds(*days), (0.0..1.0).contains(days)),
        Value::Duration(days) => seconds(*days).to_string(),
    }
}

/// The table that the cells make.
fn table(
    name: &str,
    sheet: &str,
    (cells, mut absent): (Vec<Filled>, HashMap<u32, Absent>),
    as_text: &[String],
    limit: u64,
    remarks: &mut Vec<String>,
) -> Result<Table> {
    let thing = || format!("`{name}`, sheet `{}`", shown(sheet));
    let mut rows: Vec<(u32, Vec<Filled>)> = Vec::new();
    for cell in cells {
        match rows.last_mut() {
            Some((row, cells))
                if *row == cell.row && cells.last().is_some_and(|c| c.column < cell.column) =>
            {
                cells.push(cell);
            }
            Some((row, _)) if *row >= cell.row => {
                return Err(Error::input(
                    thing(),
                    "is damaged: its cells are out of order",
                    "save it anew as .xlsx",
                ));
            }
            _ => rows.push((cell.row, vec![cell])),
        }
    }
    let mut rows = rows.into_iter();
    let Some((first, head)) = rows.next() else {
        return Err(Error::input(thing(), "is empty", "the first row must name the columns"));
    };
    let rows: Vec<(u32, Vec<Filled>)> = rows.collect();
    if head.len() == 1
        && let Some((other, _)) = rows.iter().find(|(_, cells)| cells.len() > 1)
    {
        let problem =
            format!("row {} has one cell, row {} looks like the names of the columns", first + 1, other + 1);
        return Err(Error::input(thing(), problem, "remove what stands above the names of the columns"));
    }
    let mut seen = HashMap::new();
    let mut names: HashMap<u32, String> =
        head.iter().map(|cell| (cell.column, written(&cell.value))).collect();
    let mut order: Vec<u32> = names.keys().copied().collect();
    for (_, cells) in &rows {
        for cell in cells.iter().filter(|cell| !names.contains_key(&cell.column)).collect::<Vec<_>>() {
            let name = format!("column {}", cell.column + 1);
            seen.insert(name.clone(), Seen { unnamed: true, ..Seen::default() });
            names.insert(cell.column, name);
            order.push(cell.column);
        }
    }
    order.sort_unstable();
    let width = order.len() as u64;
    let need = (8 * rows.len() as u64 + 2 * COLUMN).saturating_mul(width);
    if need > limit {
        return Err(Error::Memory {
            what: format!("{} as {} x {width} table", thing(), rows.len()),
            need,
            budget: limit,
        });
    }
    let mut known = HashSet::new();
    if let Some(name) = order.iter().map(|column| &names[column]).find(|name| !known.insert(name.as_str())) {
        let problem = format!("has two columns named `{}`", shown(name));
        return Err(Error::input(thing(), problem, "give each column a name of its own"));
    }
    let at: HashMap<u32, usize> = order.iter().enumerate().map(|(j, column)| (*column, j)).collect();
    let mut by_column: Vec<Vec<(usize, Value)>> = order.iter().map(|_| Vec::new()).collect();
    let count = rows.len();
    let mut lines = Lines::of_sheet();
    for (i, (row, cells)) in rows.into_iter().enumerate() {
        lines.push(i, u64::from(row) + 1);
        for cell in cells {
            by_column[at[&cell.column]].push((i, cell.value));
        }
    }
    let (mut columns, mut times, mut as_numbers) = (Vec::new(), HashMap::new(), Vec::new());
    for (column, cells) in order.iter().zip(by_column) {
        let name = names[column].clone();
        let texts = cells
            .iter()
            .filter_map(|(_, value)| if let Value::Text(text) = value { Some(text) } else { None });
        let points = texts.clone().fold(Points::None, |points, text| points.with(text.as_bytes()));
        let code = texts.into_iter().find(|text| is_code(text.as_bytes())).cloned();
        let (cells, unit, was_text) = column_of(&cells, count, as_text.contains(&name));
        if let Some(unit) = unit {
            times.insert(name.clone(), unit);
        }
        if was_text {
            as_numbers.push(format!("`{}`", shown(&name)));
            let seen: &mut Seen = seen.entry(name.clone()).or_default();
            (seen.code, seen.points) = (code, points);
        }
        if let (Cells::Text { .. }, Some(absent)) = (&cells, absent.remove(column)) {
            seen.entry(name.clone()).or_default().absent = absent.finish();
        }
        columns.push(Column { name, cells });
    }
    if !as_numbers.is_empty() {
        remarks.push(format!(
            "numbers that are stored as text are read as numbers: column {}",
            as_numbers.join(", ")
        ));
    }
    Ok(Table { name: name.into(), rows: count, columns, times, lines, seen, ..Table::default() })
}

/// The cells of a column of `count` rows, what they count if they are dates, and whether numbers were stored as text.
fn column_of(cells: &[(usize, Value)], count: usize, as_text: bool) -> (Cells, Option<TimeUnit>, bool) {
    let typed: Vec<&(usize, Value)> =
        cells.iter().filter(|(_, value)| !matches!(value, Value::Kept(_))).collect();
    let as_text = as_text || (typed.is_empty() && !cells.is_empty());
    let fill = |number: &dyn Fn(&Value) -> f64| {
        let mut numbers = vec![f64::NAN; count];
        for (row, value) in &typed {
            numbers[*row] = number(value);
        }
        Cells::Numbers(numbers)
    };
    let number = |value: &Value| match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        Value::Duration(days) => Some(seconds(*days)),
        Value::Time(_) | Value::Truth(_) | Value::Kept(_) => None,
    };
    if !as_text && typed.iter().all(|(_, value)| number(value).is_some()) {
        let text = typed.iter().any(|(_, value)| matches!(value, Value::Text(_)));
        return (fill(&|value| number(value).unwrap_or(f64::NAN)), None, text);
    }
    if !as_text && typed.iter().all(|(_, value)| matches!(value, Value::Time(_))) {
        let days = |value: &Value| if let Value::Time(days) = value { *days } else { f64::NAN };
        let whole = typed.iter().all(|(_, value)| days(value).fract() == 0.0);
        let of_day = typed.iter().all(|(_, value)| (0.0..1.0).contains(&days(value)));
        return match (of_day, whole) {
            (true, _) => (fill(&|value| seconds(days(value))), Some(TimeUnit::SecondsOfDay), false),
            (false, true) => (fill(&days), Some(TimeUnit::Days), false),
            (false, false) => (fill(&|value| seconds(days(value))), Some(TimeUnit::Seconds), false),
        };
    }
    let mut text = TextCells::default();
    let mut next = cells.iter().peekable();
    for row in 0..count {
        let cell = next.next_if(|(at, _)| *at == row).map(|(_, value)| written(value));
        text.push(cell.as_deref());
    }
    (text.finish(), None, false)
}

#[cfg(test)]
mod tests;
