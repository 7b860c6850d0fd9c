//! What a column holds: numbers, text, an identifier, or something that must be refused.

use super::dates::{Dates, dates};
use super::words::{Known, different, tell_twins};
use super::{Kind, Seen};
use crate::context::Context;
use crate::data::cells::{Cells, MISSING};
use crate::data::classes::says_the_same;
use crate::data::dates::{Moment, days};
use crate::data::table::Table;
use crate::error::{Error, Result, shown};
use crate::setting::Setting;

/// Rows from which on a column without repeats is suspicious.
const SUSPICIOUS_ROWS: usize = 20;

/// What is done with a column.
pub(super) enum Decision {
    Use(Kind),
    /// Nothing, for this reason.
    LeaveOut(String),
    /// Text with hardly a value twice.
    Identifier,
}

/// What a column holds in all tables together; the first `sources` are sources.
pub(super) fn kind(name: &str, cells: &[Seen], sources: usize, context: &mut Context) -> Result<Decision> {
    let text = cells.iter().filter(|(_, cells)| matches!(cells, Cells::Text { .. })).count();
    if text > 0 || cells.iter().any(|(table, _)| table.times.contains_key(name)) {
        match dates(name, cells, sources, context)? {
            Dates::Yes(kind) => return Ok(Decision::Use(kind)),
            Dates::Unsure(why) => return Ok(Decision::LeaveOut(why)),
            Dates::No => {}
        }
    }
    if text == 0 {
        let known = cells[..sources].iter().flat_map(|(_, cells)| match cells {
            Cells::Numbers(numbers) => numbers.as_slice(),
            Cells::Text { .. } => &[],
        });
        if let Some(number) = like_dates(cells) {
            let text = format!(
                "column `{}`: numbers such as {number} look like dates and are taken for numbers; write them as 2024-01-31",
                shown(name)
            );
            context.warn("data", text);
        }
        let known = known.filter(|v| !v.is_nan());
        let (sum, count) = known.fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
        return Ok(Decision::Use(Kind::Number {
            mean: if count > 0 { sum / f64::from(count) } else { 0.0 },
        }));
    }
    // Text in one table and numbers in another: the text is the odd one out. So is a stray word among numbers.
    let numbers_elsewhere =
        cells.iter().any(|(_, cells)| matches!(cells, Cells::Numbers(_)) && !is_empty(cells));
    for (table, cells) in cells {
        let Cells::Text { codes, values } = cells else { continue };
        let numeric: Vec<bool> = values.iter().map(|value| value.parse::<f64>().is_ok()).collect();
        let filled = cells.filled();
        let numbers = codes.iter().filter(|code| numeric.get(**code as usize) == Some(&true)).count();
        let meant: Vec<bool> = values.iter().map(|value| is_number_with_comma(value)).collect();
        let meant = codes.iter().filter(|code| meant.get(**code as usize) == Some(&true)).count();
        if numbers_elsewhere || (numbers < filled && (numbers + meant) * 10 >= filled * 9) {
            return Err(text_among_numbers(table, name, cells));
        }
        if numbers * 2 >= filled && numbers < filled {
            context
                .warn("data", format!("`{}`, column `{name}`: mostly numbers, treated as text", table.name));
        }
    }
    let (Cells::Text { codes, values }, table) = (cells[0].1, cells[0].0) else {
        let written = cells.iter().find(|(_, cells)| !is_empty(cells)).unwrap_or(&cells[0]);
        let thing = format!("`{}`, column `{name}`", cells[0].0.name);
        let problem = format!("is empty, and holds text in `{}`", written.0.name);
        return Err(Error::input(thing, problem, "fill it, or `‹drop›` the column"));
    };
    if let Some((value, other)) = with_units(cells) {
        let text = format!(
            "text column `{}`: `{}` and `{}` look like numbers with a unit or in a notation that is not read, and each \
             becomes a value of its own; write plain numbers, all in one unit",
            shown(name),
            shown(value),
            shown(other)
        );
        context.warn("data", text);
    }
    let filled = cells[0].1.filled();
    if table.rows >= SUSPICIOUS_ROWS && values.len() * 10 > filled * 9 {
        return Ok(Decision::Identifier);
    }
    let mut counts = vec![0_usize; values.len()];
    codes.iter().filter(|code| **code != MISSING).for_each(|code| counts[*code as usize] += 1);
    let once = counts.iter().filter(|count| **count == 1).count();
    if table.rows >= SUSPICIOUS_ROWS && once * 2 > filled {
        let text = format!(
            "text column `{}`: {once} of {filled} cells have a value that occurs once, each becomes a feature; `‹drop›` leaves it out",
            shown(name)
        );
        context.note("data", text);
    }
    let values_of = |range: &[(&Table, &Cells)]| {
        different(range.iter().flat_map(|(_, cells)| match cells {
            Cells::Text { values, .. } => values.iter(),
            Cells::Numbers(_) => [].iter(),
        }))
    };
    let in_source = values_of(&cells[..sources]);
    tell_twins(name, &in_source, context);
    let known = Known::new(&in_source);
    for (table, cells) in &cells[sources..] {
        let all: Vec<usize> = (0..table.rows).collect();
        let (_, mut unseen) = known.positions(cells, &all);
        unseen.tell(&format!("column `{name}`"), "occurs in the target only", &known, context);
    }
    Ok(Decision::Use(Kind::Text { values: values_of(cells) }))
}

/// Fewest different numbers with units that are told of.
const TELLING: usize = 10;

/// Most units that numbers have: house numbers have many letters.
const UNITS: usize = 3;

/// Two of the texts of a column, where nearly all are numbers with a unit.
fn with_units<'a>(cells: &[Seen<'a>]) -> Option<(&'a str, &'a str)> {
    let (mut all, mut found, mut units) = (0, Vec::new(), Vec::new());
    for (_, cells) in cells {
        let Cells::Text { values, .. } = cells else { continue };
        all += values.len();
        for value in values {
            let Some(unit) = unit(value) else { continue };
            found.push(value.as_str());
            if !units.contains(&unit) {
                units.push(unit);
            }
        }
    }
    found.dedup();
    let tells = found.len() >= TELLING && found.len() * 10 >= all * 9 && units.len() <= UNITS;
    tells.then(|| (found[0], found[1]))
}

/// What stands behind the number that a text begins with, or what its notation is; `None` where it is something else.
fn unit(value: &str) -> Option<&str> {
    const LONGEST: usize = 12;
    let hexadecimal = value.strip_prefix("0x").or(value.strip_prefix("0X"));
    if hexadecimal.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Some("0x");
    }
    let rest = value.trim_start_matches(['-', '+', '\u{2212}', '~', '<', '>', '\u{b1}']);
    let end = rest.find(|c: char| !(c.is_ascii_digit() || ".,_'".contains(c))).unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || !number.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if unit.is_empty() {
        return number.contains('_').then_some("_");
    }
    // An exponent as Fortran writes it.
    if let Some(exponent) = unit.strip_prefix(['d', 'D'])
        && exponent.trim_start_matches(['-', '+']).bytes().all(|b| b.is_ascii_digit())
        && !exponent.is_empty()
    {
        return Some("D");
    }
    let unit = unit.trim();
    let sound = |c: char| c.is_alphabetic() || "°%²³/µ".contains(c);
    (!unit.is_empty() && unit.len() <= LONGEST && unit.chars().all(sound)).then_some(unit)
}

/// A number of a column in which all are dates from 1900 to 2100 such as 20240131.
fn like_dates(cells: &[Seen]) -> Option<f64> {
    let is = |v: &f64| {
        let number = *v as u32;
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        v.fract() == 0.0 && (1900..=2100).contains(&year) && days(year, month, day).is_some()
    };
    let known = cells.iter().flat_map(|(_, cells)| match cells {
        Cells::Numbers(numbers) => numbers.as_slice(),
        Cells::Text { .. } => &[],
    });
    let mut known = known.filter(|v| !v.is_nan());
    let first = known.next()?;
    (is(first) && known.all(is)).then_some(*first)
}

/// The error for the first cell that is not a number.
pub(super) fn text_among_numbers(table: &Table, column: &str, cells: &Cells) -> Error {
    let (mut row, mut value) = (0, String::new());
    if let Cells::Text { codes, values } = cells {
        let stray =
            |code: &u32| values.get(*code as usize).is_some_and(|value| value.parse::<f64>().is_err());
        row = codes.iter().position(stray).unwrap_or(0);
        value = cells.text(row).unwrap_or_default();
    }
    let dated = |value: &&String| Moment::of(value).is_some_and(|moment| moment.date.is_some());
    let dates = match cells {
        Cells::Text { values, .. } => values.iter().filter(dated).count() * 2 > values.len(),
        Cells::Numbers(_) => false,
    };
    let hint = if dates {
        "these are dates, and numbers elsewhere: write them alike in all tables, as 2024-01-31, or `‹drop›` the column"
            .to_string()
    } else if is_number_with_comma(&value) {
        "write decimals with a point, not a comma".to_string()
    } else if says_the_same(&value, &value) {
        "write truths alike in all tables, as words or as 1 and 0, or `‹drop›` the column".into()
    } else {
        format!(
            "if it means that the cell is missing, add `{}`; else mend it, or `‹drop›` the column",
            Setting::MissingValues.to(format_args!("\"{}\"", shown(&value)))
        )
    };
    let thing = format!("{}, column `{column}`", table.place(row));
    Error::input(thing, format!("`{}` stands where the other cells are numbers", shown(&value)), hint)
}

/// Whether a cell is a number with a decimal comma.
fn is_number_with_comma(value: &str) -> bool {
    value.contains(',') && value.replacen(',', ".", 1).parse::<f64>().is_ok()
}

/// The first column where it has no name in any table and names the rows; `id` asks for what it asks for.
pub(super) fn row_names<'a>(
    tables: &[&'a Table],
    id: &[String],
    context: &mut Context,
) -> Option<&'a String> {
    let name = tables.iter().find_map(|table| table.row_names.as_ref())?;
    let all =
        tables.iter().all(|table| table.row_names.as_ref() == Some(name) || table.column(name).is_none());
    if !all || id.contains(name) {
        return None;
    }
    let text = format!(
        "the first column has no name and a value of its own in every row: it names the rows and is left out \
         (`{}` carries it to the predictions)",
        Setting::Id.to(format_args!("\"{name}\""))
    );
    context.note("data", text);
    Some(name)
}

/// Says which of the columns that become features have no name in their file: an index often has none, and is written so
/// by programs that count rows.
pub(super) fn tell_nameless<'a>(
    tables: &[&Table],
    columns: impl Iterator<Item = &'a String>,
    context: &mut Context,
) {
    let unnamed = |name: &String| tables.iter().any(|t| t.seen.get(name).is_some_and(|seen| seen.unnamed));
    let given = |name: &String| name.starts_with("Unnamed: ") || name.starts_with("__index_level_");
    for name in columns.filter(|name| unnamed(name) || given(name)) {
        let text = format!(
            "column `{}` has no name in the file and is used as a feature; if it numbers the rows, `{}` leaves it out",
            shown(name),
            Setting::Drop.to(format_args!("\"{}\"", shown(name)))
        );
        context.note("data", text);
    }
}

/// Whether a column counts its rows: consecutive whole numbers.
pub(super) fn is_sequence(cells: &Cells) -> bool {
    let Cells::Numbers(numbers) = cells else { return false };
    numbers.len() >= SUSPICIOUS_ROWS && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
}

/// Whether a numeric column has one value in all tables.
pub(super) fn is_constant(cells: &[(&Table, &Cells)]) -> bool {
    let mut known = cells.iter().flat_map(|(_, cells)| match cells {
        Cells::Numbers(numbers) => numbers.as_slice(),
        Cells::Text { .. } => &[],
    });
    let first = known.find(|v| !v.is_nan());
    first.is_some_and(|first| known.all(|v| v.is_nan() || v == first))
}

/// Whether every cell is missing.
pub(super) fn is_empty(cells: &Cells) -> bool {
    match cells {
        Cells::Numbers(numbers) => numbers.iter().all(|v| v.is_nan()),
        Cells::Text { codes, .. } => codes.iter().all(|code| *code == MISSING),
    }
}
