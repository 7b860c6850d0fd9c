//! Columns of dates and times: how they are to be read, and their numbers.

use super::kind::Seen;
use super::{Encoding, Kind};
use crate::context::Context;
use crate::data::dates::{DAY, Date, DateOrder, Moment, TimeUnit};
use crate::data::table::{Cells, MISSING, Table};
use crate::error::{Error, Result, shown};

/// What a column turns out to be.
pub(super) enum Dates {
    /// No dates.
    No,
    Yes(Kind),
    /// Dates that can be read in several ways: why, and what to do.
    Unsure(String),
}

/// The distinct texts of a column as dates, each with the number of its cells.
struct Counted<'a> {
    cells: Vec<(&'a str, Option<Moment>, usize)>,
}

impl<'a> Counted<'a> {
    fn of(columns: &[Seen<'a>]) -> Self {
        let mut cells = Vec::new();
        for (_, column) in columns {
            let Cells::Text { codes, values } = column else { continue };
            let mut counts = vec![0; values.len()];
            codes.iter().filter(|code| **code != MISSING).for_each(|code| counts[*code as usize] += 1);
            let counted = values.iter().zip(counts).filter(|(_, count)| *count > 0);
            cells.extend(counted.map(|(value, count)| (value.as_str(), Moment::of(value), count)));
        }
        Self { cells }
    }

    /// Number of cells of which this is so.
    fn count(&self, is: impl Fn(&Moment) -> bool) -> usize {
        let counted = self.cells.iter().filter(|(_, moment, _)| moment.as_ref().is_some_and(&is));
        counted.map(|(_, _, count)| count).sum()
    }

    fn dates(&self) -> impl Iterator<Item = (&'a str, Date)> {
        self.cells.iter().filter_map(|(text, moment, _)| Some((*text, (*moment)?.date?)))
    }

    /// How the dates are written, in words.
    fn style(&self, order: Option<DateOrder>) -> String {
        let mut styles: Vec<String> = Vec::new();
        for (_, date) in self.dates() {
            let style = match (date, order) {
                (Date::Three { separator, .. }, Some(order)) => order.words(separator),
                (Date::Plain { style, .. }, _) => style.to_string(),
                (Date::Three { .. }, None) => continue,
            };
            if !styles.contains(&style) {
                styles.push(style);
            }
        }
        styles.join(", ")
    }
}

const LEAVE_OUT: &str = "; write years with four digits and dates as 2024-01-31";

/// Whether a column holds dates or times in all tables together, of which the first `sources` are sources. All cells
/// must be dates in one order of day, month and year.
pub(super) fn dates(name: &str, columns: &[Seen], sources: usize, context: &mut Context) -> Result<Dates> {
    let typed: Vec<Option<TimeUnit>> =
        columns.iter().map(|(table, _)| table.times.get(name).copied()).collect();
    let counted = Counted::of(columns);
    let filled: usize = counted.cells.iter().map(|(_, _, count)| count).sum();
    let dated = counted.count(|moment| moment.date.is_some());
    let timed = counted.count(|moment| moment.date.is_none());
    let known = typed.iter().any(Option::is_some);
    if !known && (filled == 0 || (dated + timed) * 2 < filled) {
        return Ok(Dates::No);
    }
    let plain = columns.iter().zip(&typed).find(|((_, cells), typed)| {
        typed.is_none() && matches!(cells, Cells::Numbers(numbers) if numbers.iter().any(|v| !v.is_nan()))
    });
    if let Some(((table, cells), _)) = plain {
        // Text among numbers is refused by those who look at text.
        return if known { Err(number_among_dates(table, name, cells)) } else { Ok(Dates::No) };
    }
    let of_day = match typed.iter().flatten().next() {
        Some(unit) => *unit == TimeUnit::SecondsOfDay,
        None => timed > dated,
    };
    let order = match order(name, &counted, of_day) {
        Ok(order) => order,
        Err(why) => return Ok(Dates::Unsure(why)),
    };
    let with_time =
        counted.count(|moment| moment.time.is_some()) > 0 || typed.contains(&Some(TimeUnit::Seconds));
    let unit = match (of_day, with_time) {
        (true, _) => TimeUnit::SecondsOfDay,
        (false, true) => TimeUnit::Seconds,
        (false, false) => TimeUnit::Days,
    };
    let sound = counted.count(|moment| moment.number(order, unit).is_some());
    let old = counted.count(|moment| moment.date.is_some_and(|date| date.of_any_century(order)));
    if sound + old == filled && old > 0 {
        let text = counted.dates().find(|(_, date)| date.of_any_century(order)).map_or("", |(text, _)| text);
        return Ok(Dates::Unsure(format!(
            "the year of `{}` has two digits and may be one of 1930 to 1968 or of 2030 to 2068{LEAVE_OUT}",
            shown(text)
        )));
    }
    let style = counted.style(order);
    if sound < filled {
        // A version such as 1.10.12 looks like a date; others of its kind do not.
        let short = counted.dates().any(|(_, date)| date.is_short());
        if known || (!short && (dated + timed) * 10 >= filled * 9) {
            return Err(no_date(columns, name, order, unit, &style));
        }
        let text = format!(
            "column `{}`: {sound} of {filled} cells are dates or times, treated as text",
            shown(name)
        );
        context.warn("data", text);
        return Ok(Dates::No);
    }
    if filled > 0 {
        say(name, &counted, unit, &style, context);
    }
    let (mut sum, mut count) = (0.0, 0.0);
    for (table, cells) in &columns[..sources] {
        for value in numbers(table, name, cells, (order, unit))?.into_iter().filter(|v| !v.is_nan()) {
            sum += value;
            count += 1.0;
        }
    }
    let mean = if count > 0.0 { sum / count } else { 0.0 };
    Ok(Dates::Yes(Kind::Date { order, unit, mean }))
}

/// What was found.
fn say(name: &str, counted: &Counted, unit: TimeUnit, style: &str, context: &mut Context) {
    let what = match unit {
        TimeUnit::Days => format!("dates ({style}): days since 1970"),
        TimeUnit::Seconds => format!("dates and times ({style}): seconds since 1970"),
        TimeUnit::SecondsOfDay => "times of day: seconds since midnight".into(),
    };
    let short = counted.dates().any(|(_, date)| date.is_short());
    let years = if short { "; years 00 to 29 are 2000 to 2029, 69 to 99 are 1969 to 1999" } else { "" };
    let name = shown(name);
    context.note("data", format!("column `{name}` holds {what}{years}"));
    let zoned = counted.count(|moment| moment.zone.is_some());
    if zoned > 0 && counted.count(|moment| moment.zone.is_none() && moment.time.is_some()) > 0 {
        let text = format!("column `{name}`: some times have a time zone, those without are taken for UTC");
        context.warn("data", text);
    }
}

/// The order in which most dates can be read; the error says why it is not sure.
fn order(name: &str, counted: &Counted, of_day: bool) -> std::result::Result<Option<DateOrder>, String> {
    let three = |date: &Date| matches!(date, Date::Three { .. });
    let Some((first, _)) = counted.dates().find(|(_, date)| three(date)).filter(|_| !of_day) else {
        return Ok(None);
    };
    let readable = |order: DateOrder| {
        let is = |date: Date| date.days(Some(order)).is_some() || date.of_any_century(Some(order));
        counted.count(|moment| moment.date.is_some_and(|date| three(&date) && is(date)))
    };
    let most = DateOrder::ALL.map(readable).into_iter().max().unwrap_or(0);
    let mut able: Vec<DateOrder> =
        DateOrder::ALL.into_iter().filter(|order| readable(*order) == most).collect();
    let between = |mark: char| {
        counted.dates().all(|(_, date)| !matches!(date, Date::Three { separator, .. } if separator != mark))
    };
    if most < counted.count(|moment| moment.date.is_some_and(|date| three(&date))) {
        return Ok(able.first().copied()); // one of them is no day, and is named by who reads it
    }
    // Years of two digits stand first between hyphens only, or where nothing else is possible.
    if able.len() > 1 && !between('-') {
        able.retain(|order| *order != DateOrder::YearMonthDay);
    }
    // With points the day stands first.
    if able.len() > 1 && between('.') {
        able.retain(|order| *order == DateOrder::DayMonthYear);
    }
    match able[..] {
        [order] => Ok(Some(order)),
        [one, other, ..] => {
            let mark = counted.dates().find_map(|(_, date)| match date {
                Date::Three { separator, .. } => Some(separator),
                Date::Plain { .. } => None,
            });
            let mark = mark.unwrap_or('/');
            let (one, other) = (one.words(mark), other.words(mark));
            let (first, name) = (shown(first), shown(name));
            Err(format!(
                "its dates such as `{first}` may be {one} or {other}; write them as 2024-01-31, or `--drop {name}`"
            ))
        }
        [] => Ok(None),
    }
}

/// The numbers of a column's cells; NaN for missing ones.
fn numbers(table: &Table, name: &str, cells: &Cells, how: (Option<DateOrder>, TimeUnit)) -> Result<Vec<f64>> {
    let (order, unit) = how;
    match cells {
        Cells::Text { codes, values } => {
            let read: Vec<Option<f64>> = values
                .iter()
                .map(|value| Moment::of(value).and_then(|moment| moment.number(order, unit)))
                .collect();
            let number = |code: &u32| if *code == MISSING { Some(f64::NAN) } else { read[*code as usize] };
            let numbers: Option<Vec<f64>> = codes.iter().map(number).collect();
            numbers.ok_or_else(|| {
                let style = order.map_or_else(|| "2024-01-31".into(), |order| order.words('/'));
                let style = if unit == TimeUnit::SecondsOfDay { "12:30".into() } else { style };
                no_date(&[(table, cells)], name, order, unit, &style)
            })
        }
        Cells::Numbers(numbers) => {
            let times = |factor: f64| numbers.iter().map(|v| v * factor).collect();
            match (table.times.get(name), unit) {
                (Some(own), unit) if *own == unit => Ok(numbers.clone()),
                (Some(TimeUnit::Days), TimeUnit::Seconds) => Ok(times(DAY)),
                (Some(TimeUnit::Seconds), TimeUnit::Days) => Ok(numbers.iter().map(|v| v / DAY).collect()),
                (None, _) if numbers.iter().all(|v| v.is_nan()) => Ok(numbers.clone()),
                (None, _) => Err(number_among_dates(table, name, cells)),
                (Some(TimeUnit::SecondsOfDay), _) => Err(unlike(table, name, "times of day", "dates")),
                (Some(_), _) => Err(unlike(table, name, "dates", "times of day")),
            }
        }
    }
}

fn unlike(table: &Table, name: &str, has: &str, wants: &str) -> Error {
    let thing = format!("`{}`, column `{}`", table.name, shown(name));
    let hint = "give it the same meaning everywhere, or `--drop` it";
    Error::input(thing, format!("holds {has}, it was {wants} elsewhere"), hint)
}

/// The error for a column of plain numbers that holds dates elsewhere.
fn number_among_dates(table: &Table, name: &str, cells: &Cells) -> Error {
    let row = (0..table.rows).find(|&row| !cells.is_missing(row)).unwrap_or(0);
    let thing = format!("{}, column `{}`", table.place(row), shown(name));
    let value = cells.text(row).unwrap_or_default();
    let hint = "write dates as 2024-01-31, or `--drop` the column";
    Error::input(thing, format!("`{}` is a number, the column holds dates elsewhere", shown(&value)), hint)
}

/// The error for the first cell that is no date.
fn no_date(columns: &[Seen], name: &str, order: Option<DateOrder>, unit: TimeUnit, style: &str) -> Error {
    let stray = |(table, cells): &Seen| {
        let Cells::Text { codes, values } = cells else { return None };
        let is =
            |value: &String| Moment::of(value).is_some_and(|moment| moment.number(order, unit).is_some());
        let sound: Vec<bool> = values.iter().map(is).collect();
        let row = codes.iter().position(|code| sound.get(*code as usize) == Some(&false))?;
        Some((table.place(row), cells.text(row)?))
    };
    let (place, value) = columns.iter().find_map(stray).unwrap_or_default();
    let moment = Moment::of(&value);
    let date = moment.and_then(|moment| moment.date);
    let hint = if date.is_some_and(|date| date.of_any_century(order)) {
        "write the year with four digits"
    } else if date.is_some_and(|date| matches!(date, Date::Three { .. }) && order.is_none()) {
        "its day and month may be exchanged: write it as 2024-01-31"
    } else if date.is_some() && unit != TimeUnit::SecondsOfDay {
        "there is no such day: mend the cell, leave it empty and use `--missing`, or `--drop` the column"
    } else {
        "mend the cell, leave it empty and use `--missing`, or `--drop` the column"
    };
    let others = if unit == TimeUnit::SecondsOfDay { "times of day" } else { "dates" };
    let style = if style.is_empty() { String::new() } else { format!(" ({style})") };
    let thing = format!("{place}, column `{}`", shown(name));
    Error::input(thing, format!("`{}` stands where the other cells are {others}{style}", shown(&value)), hint)
}

impl Encoding {
    /// Puts the numbers of dates and times into a table, all in the unit of this encoding.
    ///
    /// # Errors
    /// [`Error::Input`] for a cell that is no date in the order of the fit; [`Error::Memory`].
    pub(crate) fn read_dates(&self, table: &mut Table, context: &Context) -> Result<()> {
        for column in &self.columns {
            let Kind::Date { order, unit, .. } = &column.kind else { continue };
            let Some(j) = table.columns.iter().position(|own| own.name == column.name) else { continue };
            let what = format!("the dates of `{}`, column `{}`", table.name, shown(&column.name));
            context.require(&what, 8 * table.rows as u64)?;
            let read = numbers(table, &column.name, &table.columns[j].cells, (*order, *unit))?;
            table.columns[j].cells = Cells::Numbers(read);
            table.times.insert(column.name.clone(), *unit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
