//! Columns of dates and times: how they are to be read, and their numbers.

mod exchanged;
mod half_days;

use super::sentinels::DateSentinels;
use super::{Encoding, Kind, Seen};
use crate::context::Context;
use crate::data::cells::{Cells, MISSING};
use crate::data::dates::{DAY, Date, DateOrder, Moment, TimeUnit, calendar};
use crate::data::table::Table;
use crate::error::{Error, Result, shown};
use crate::setting::Setting;
use exchanged::tell_exchanged;
use half_days::tell_half_days;

/// What a column turns out to be.
pub(super) enum Dates {
    /// No dates.
    No,
    Yes(Kind),
    /// Dates that can be read in several ways: why, and what to do.
    Unsure(String),
}

/// Different texts of a column as dates. Numbers whose order was said are told apart where all allow it.
fn moments(table: &Table, values: &[String]) -> Vec<Option<Moment>> {
    let mut all: Vec<Option<Moment>> = values.iter().map(|value| Moment::of(value)).collect();
    let Some(order) = table.date_order else { return all };
    let told = |moment: &Moment| match moment.date {
        Some(date @ Date::Three { .. }) => {
            date.told(order).map(|date| Moment { date: Some(date), ..*moment })
        }
        _ => Some(*moment),
    };
    let read: Vec<Option<Moment>> = all.iter().map(|moment| moment.as_ref().and_then(told)).collect();
    if all.iter().zip(&read).all(|(written, read)| written.is_some() == read.is_some()) {
        all = read;
    }
    all
}

/// The distinct texts of a column as dates, each with the number of its cells.
struct Counted<'a> {
    cells: Vec<(&'a str, Option<Moment>, usize)>,
    /// The order that was said, where it tells.
    said: Option<DateOrder>,
}

impl<'a> Counted<'a> {
    fn of(columns: &[Seen<'a>]) -> Self {
        let (mut cells, mut said) = (Vec::new(), None);
        for (table, column) in columns {
            let Cells::Text { codes, values } = column else { continue };
            let mut counts = vec![0; values.len()];
            codes.iter().filter(|code| **code != MISSING).for_each(|code| counts[*code as usize] += 1);
            let read = moments(table, values).into_iter().zip(values).zip(counts);
            let counted = read.filter(|(_, count)| *count > 0);
            cells.extend(counted.map(|((moment, value), count)| (value.as_str(), moment, count)));
            let by_name = |order: &DateOrder| {
                cells.iter().any(|(_, moment, _)| {
                    matches!(moment.and_then(|m| m.date), Some(Date::Plain { style, .. }) if style == order.name())
                })
            };
            said = said.or(table.date_order.filter(by_name));
        }
        Self { cells, said }
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

/// The fix where nothing tells day from month.
const SAY: &str = "say `‹date-order day-first›` or `month-first`, ";
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
        let of_kind =
            |three: bool| counted.dates().any(|(_, date)| matches!(date, Date::Three { .. }) == three);
        if of_kind(true) && of_kind(false) {
            tell_exchanged(name, columns, order, context);
        }
    }
    let (mut sum, mut count) = (0.0, 0.0);
    let mut sentinels = DateSentinels::new(unit);
    for (k, (table, cells)) in columns.iter().enumerate() {
        let numbers = numbers(table, name, cells, (order, unit))?;
        sentinels.look(&numbers);
        for value in numbers.into_iter().filter(|v| k < sources && !v.is_nan()) {
            sum += value;
            count += 1.0;
        }
    }
    for (day, cells) in sentinels.likely() {
        let on =
            |moment: &Moment| moment.number(order, TimeUnit::Days).is_some_and(|days| days.floor() == day);
        let written = counted.cells.iter().find(|(_, moment, _)| moment.as_ref().is_some_and(on));
        let fix = written.map_or("leave them empty".into(), |(text, ..)| {
            format!("add `{}`", Setting::MissingValues.to(format_args!("\"{}\"", shown(text))))
        });
        let text = format!(
            "column `{}`: {} stands in {cells} cells, far from all other dates; if it means that they are missing, {fix}",
            shown(name),
            calendar(day * DAY, false)
        );
        context.warn("data", text);
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
        return Ok(counted.said);
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
            let (first, drop) = (shown(first), Setting::Drop.to(shown(name)));
            Err(format!(
                "its dates such as `{first}` may be {one} or {other}; {SAY}write them as 2024-01-31, or `{drop}`"
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
            let read = moments(table, values).into_iter();
            let read: Vec<Option<f64>> =
                read.map(|moment| moment.and_then(|moment| moment.number(order, unit))).collect();
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
    let hint = "give it the same meaning everywhere, or `‹drop›` it";
    Error::input(thing, format!("holds {has}, it was {wants} elsewhere"), hint)
}

/// The error for a column of plain numbers that holds dates elsewhere.
fn number_among_dates(table: &Table, name: &str, cells: &Cells) -> Error {
    let row = (0..table.rows).find(|&row| !cells.is_missing(row)).unwrap_or(0);
    let thing = format!("{}, column `{}`", table.place(row), shown(name));
    let value = cells.text(row).unwrap_or_default();
    let hint = "write dates as 2024-01-31, or `‹drop›` the column";
    Error::input(thing, format!("`{}` is a number, the column holds dates elsewhere", shown(&value)), hint)
}

/// The error for the first cell that is no date.
fn no_date(columns: &[Seen], name: &str, order: Option<DateOrder>, unit: TimeUnit, style: &str) -> Error {
    let stray = |(table, cells): &Seen| {
        let Cells::Text { codes, values } = cells else { return None };
        let read = moments(table, values);
        let is = |moment: &Option<Moment>| moment.is_some_and(|moment| moment.number(order, unit).is_some());
        let sound: Vec<bool> = read.iter().map(is).collect();
        let row = codes.iter().position(|code| sound.get(*code as usize) == Some(&false))?;
        let moment = read.get(codes[row] as usize).copied().flatten();
        let other = DateOrder::ALL.into_iter().find(|other| all_in(&read, *other, unit));
        Some((table.place(row), cells.text(row)?, moment, other.map(|other| (table.name.clone(), other))))
    };
    let (place, value, moment, other) = columns.iter().find_map(stray).unwrap_or_default();
    let date = moment.and_then(|moment| moment.date);
    let hint = if date.is_some_and(|date| date.of_any_century(order)) {
        "write the year with four digits".into()
    } else if let (Some((table, other)), Some(_)) = (other, order) {
        format!(
            "all dates of `{table}` are {}: write them as 2024-01-31{}",
            other.words('/'),
            if other == DateOrder::YearMonthDay {
                String::new()
            } else {
                format!(", or say `‹date-order {}›`", other.name())
            }
        )
    } else if date.is_some_and(|date| matches!(date, Date::Three { .. }) && order.is_none()) {
        "its day and month may be exchanged: write it as 2024-01-31, or say `‹date-order day-first›` or `month-first`".into()
    } else if date.is_some() && unit != TimeUnit::SecondsOfDay {
        "there is no such day: mend the cell, leave it empty and use `‹missing›`, or `‹drop›` the column"
            .into()
    } else {
        "mend the cell, leave it empty and use `‹missing›`, or `‹drop›` the column".into()
    };
    let others = if unit == TimeUnit::SecondsOfDay { "times of day" } else { "dates" };
    let style = if style.is_empty() { String::new() } else { format!(" ({style})") };
    let thing = format!("{place}, column `{}`", shown(name));
    Error::input(thing, format!("`{}` stands where the other cells are {others}{style}", shown(&value)), hint)
}

/// Whether every text is a date in this order, and some need one.
fn all_in(read: &[Option<Moment>], order: DateOrder, unit: TimeUnit) -> bool {
    let three = |moment: &Moment| matches!(moment.date, Some(Date::Three { .. }));
    read.iter().flatten().any(three)
        && read.iter().all(|moment| moment.is_some_and(|moment| moment.number(Some(order), unit).is_some()))
}

/// Says that nothing in a table tells the order of its dates, which other tables told.
fn untold(seen: Seen, name: &str, order: DateOrder, context: &mut Context) {
    let counted = Counted::of(&[seen]);
    if self::order(name, &counted, false).is_ok() {
        return;
    }
    let differs = |date: &Date| {
        DateOrder::ALL
            .iter()
            .any(|other| date.days(Some(*other)).is_some_and(|days| Some(days) != date.days(Some(order))))
    };
    let Some((text, Date::Three { separator, .. })) = counted.dates().find(|(_, date)| differs(date)) else {
        return;
    };
    let text = format!(
        "`{}`, column `{}`: nothing in this table tells day from month in dates such as `{}`; as elsewhere they are taken \
         for {}: `‹date-order day-first›` or `‹date-order month-first›` says which they are",
        seen.0.name,
        shown(name),
        shown(text),
        order.words(separator)
    );
    context.warn("data", text);
}

impl Encoding {
    /// Puts the numbers of dates and times into a table, all in the unit of this encoding.
    ///
    /// # Errors
    /// [`Error::Input`] for a cell that is no date in the order of the fit; [`Error::Memory`].
    pub(crate) fn read_dates(&self, table: &mut Table, context: &mut Context) -> Result<()> {
        for column in &self.columns {
            let Kind::Date { order, unit, .. } = &column.kind else { continue };
            let Some(j) = table.position(&column.name) else { continue };
            let what = format!("the dates of `{}`, column `{}`", table.name, shown(&column.name));
            context.require(&what, 8 * table.rows as u64)?;
            let read = numbers(table, &column.name, &table.columns[j].cells, (*order, *unit))?;
            tell_half_days(&column.name, (table, &table.columns[j].cells), context);
            if let Some(order) = order {
                untold((table, &table.columns[j].cells), &column.name, *order, context);
            }
            table.columns[j].cells = Cells::Numbers(read);
            table.times.insert(column.name.clone(), *unit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
