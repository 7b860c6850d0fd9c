//! Columns of text that are numbers in another notation: read where all tables have it in one way, else refused.

mod labels;
mod thousands;

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cells;
use super::notation::{ANY, Amount, Currency, Fits, Notation, with_decimal};
use super::points::Points;
use super::table::{Seen, Table};
use crate::context::Context;
use crate::error::{Error, Result, few, shown};
pub(crate) use labels::{AMOUNTS, read_labels, written_number};
use thousands::thousands;
pub(crate) use thousands::thousands_among_labels;

/// Most columns that a note gives an example of.
const NAMED: usize = 5;

/// The notations of columns that were text, by their names.
pub type Notations = BTreeMap<String, Notation>;

/// Turns columns of text into numbers where one notation fits the cells of all tables. Columns in `left_out` stay.
///
/// # Errors
/// [`Error::Input`] for a cell that may be two numbers, and for columns with more than one currency or with and without
/// percent.
pub(crate) fn read_numbers(
    tables: &mut [&mut Table],
    left_out: &dyn Fn(&str) -> bool,
    context: &mut Context,
) -> Result<Notations> {
    let names: BTreeSet<String> = tables
        .iter()
        .flat_map(|table| &table.columns)
        .filter(|column| matches!(column.cells, Cells::Text { .. }) && !left_out(&column.name))
        .map(|column| column.name.clone())
        .collect();
    let (mut found, mut examples) = (Notations::new(), Vec::new());
    for name in names {
        if let Some((notation, example)) = settle(&name, tables, None)? {
            examples.push(example.unwrap_or_else(|| format!("column `{name}`")));
            found.extend(notation.map(|notation| (name, notation)));
        }
    }
    for table in tables.iter() {
        points_beside_commas(table, &found, left_out)?;
        codes(table, left_out, context);
    }
    let lent: Vec<&Table> = tables.iter().map(|table| &**table).collect();
    let dotted = |(_, seen): &(&String, &Seen)| seen.points == Points::Either;
    let dotted: BTreeSet<&String> =
        lent.iter().flat_map(|table| table.seen.iter().filter(dotted)).map(|(name, _)| name).collect();
    dotted.into_iter().filter(|name| !left_out(name)).for_each(|name| thousands(name, &lent, context));
    say(&examples, context);
    Ok(found)
}

/// The same for some columns of a table that comes later, by what is known of their notation.
///
/// # Errors
/// As [`read_numbers`].
pub(crate) fn read_later(
    table: &mut Table,
    columns: &[&str],
    known: &Notations,
    context: &mut Context,
) -> Result<()> {
    let mut examples = Vec::new();
    for name in columns {
        let before = known.get(*name).copied();
        let either = table.seen.get(*name).is_some_and(|seen| seen.points == Points::Either);
        if either && table.decimal.is_none() && before.is_some_and(|before| before.decimal == ',') {
            return Err(points(table, name));
        }
        thousands(name, &[&*table], context);
        let settled = settle(name, &mut [&mut *table], Some(before))?;
        examples.extend(settled.map(|(_, example)| example.unwrap_or_else(|| format!("column `{name}`"))));
    }
    say(&examples, context);
    Ok(())
}

/// The same for the labels of a table that comes later, which readers leave as they are written: plain numbers need no
/// note.
///
/// # Errors
/// As [`read_numbers`].
pub(crate) fn read_labels_later(
    table: &mut Table,
    label: &str,
    known: &Notations,
    context: &mut Context,
) -> Result<()> {
    let settled = settle(label, &mut [table], Some(known.get(label).copied()))?;
    say(&settled.and_then(|(_, example)| example).into_iter().collect::<Vec<_>>(), context);
    Ok(())
}

fn say(examples: &[String], context: &mut Context) {
    if !examples.is_empty() {
        context.note("data", format!("read as numbers: {}", few(examples)));
    }
}

/// What is seen of a column in one table.
struct Sight {
    /// The notations that fit all of its cells.
    fits: Fits,
    percent: bool,
    currency: Option<&'static str>,
    /// Whether it has cells that are filled.
    filled: bool,
}

/// Turns one column into numbers where it is text; how it was read, if that binds tables to come, and an example in words
/// where it is not written plainly.
/// `known` is the notation that a model has learnt it in: `Some(None)` is the plain one.
#[expect(clippy::option_option, reason = "nothing known is not the same as known to be plain")]
fn settle(
    name: &str,
    tables: &mut [&mut Table],
    known: Option<Option<Notation>>,
) -> Result<Option<(Option<Notation>, Option<String>)>> {
    let mut sights = Vec::new();
    let mut odd = false; // whether some text is no plain number, or stands beside numbers
    for table in tables.iter() {
        let Some(column) = table.column(name) else { continue };
        match &column.cells {
            Cells::Text { values, .. } => {
                let Some(sight) = of_text(table, name, values)? else { return Ok(None) };
                // With a decimal comma, numbers with a point were left as text.
                let left = |value: &String| table.decimal == Some(',') && value.contains('.');
                odd |= values.iter().any(|value| left(value) || value.parse::<f64>().is_err());
                sights.push(sight);
            }
            Cells::Numbers(numbers) => {
                let filled = numbers.iter().any(|v| !v.is_nan());
                odd |= filled;
                let seen = table.seen.get(name).map_or(Points::None, |seen| seen.points);
                let fits = if seen == Points::Decimal { with_decimal('.') } else { ANY };
                sights.push(Sight { fits, percent: false, currency: None, filled });
            }
        }
    }
    let text = |table: &&mut Table| table.column(name).is_some_and(|c| matches!(c.cells, Cells::Text { .. }));
    if !tables.iter().any(text) || !(odd || known.is_some()) {
        return Ok(None);
    }
    alike(name, tables, &sights, known)?;
    let percent = sights.iter().any(|sight| sight.filled && sight.percent);
    let currency = sights.iter().find_map(|sight| sight.currency);
    let all = sights.iter().fold(ANY, |all, sight| all & sight.fits);
    let all = match known.flatten() {
        Some(known) if all & with_decimal(known.decimal) != 0 => all & with_decimal(known.decimal),
        // Written as numbers are everywhere, in columns that were read so: a point stands before decimals.
        _ if !odd && all & with_decimal('.') != 0 => all & with_decimal('.'),
        _ => all,
    };
    let (mut first, mut example) = (None, None);
    let mut sights = sights.iter();
    for table in tables.iter_mut() {
        let (Some(position), Some(sight)) = (table.position(name), table.column(name).and(sights.next()))
        else {
            continue;
        };
        let among = if all == 0 { sight.fits } else { all };
        let Cells::Text { codes, values } = &table.columns[position].cells else {
            let either = table.seen.get(name).is_some_and(|seen| seen.points == Points::Either);
            if either && among & with_decimal('.') == 0 {
                return Err(points(table, name));
            }
            continue;
        };
        let two = |value: &String| Amount::of(value)?.readings(among);
        if let Some((value, (a, b))) = values.iter().find_map(|value| Some((value, two(value)?))) {
            let problem = format!("`{}` may be {a} or {b}", shown(value));
            let hint = "`‹decimal .›` or `‹decimal ,›` says what stands before decimals";
            return Err(Error::input(cell_place(table, name, value), problem, hint));
        }
        let Some(notation) = Notation::first(among, percent, currency) else { return Ok(None) };
        let numbers: Vec<f64> =
            values.iter().map(|value| notation.number(value).unwrap_or(f64::NAN)).collect();
        let telling = values.iter().zip(&numbers).find(|(value, _)| value.parse::<f64>().is_err());
        if let Some((value, number)) = telling.filter(|_| example.is_none()) {
            example = Some(format!("column `{name}` (`{}` is {number})", shown(value)));
        }
        first = first.or(Some(notation));
        let cells = codes.iter().map(|code| numbers.get(*code as usize).copied().unwrap_or(f64::NAN));
        table.columns[position].cells = Cells::Numbers(cells.collect());
    }
    let binds = |notation: Notation| Some(notation).filter(|notation| all != 0 || notation.percent);
    Ok(first.map(|notation| (binds(notation), example)))
}

/// Where a value of text stands first.
fn cell_place(table: &Table, name: &str, value: &str) -> String {
    let row = table.column(name).and_then(|column| match &column.cells {
        Cells::Text { codes, values } => {
            let code = values.iter().position(|known| known == value)?;
            codes.iter().position(|other| *other as usize == code)
        }
        Cells::Numbers(_) => None,
    });
    format!("{}, column `{name}`", table.place(row.unwrap_or(0)))
}

/// What is seen of a column of text; `None` where some cell is no number, or no notation fits all.
fn of_text(table: &Table, name: &str, values: &[String]) -> Result<Option<Sight>> {
    let mut fits = ANY;
    let (mut percent, mut parentheses) = (0, 0);
    let (mut currency, mut other) = (None, None);
    for value in values {
        let Some(amount) = Amount::of(value) else { return Ok(None) };
        fits &= amount.fits();
        if fits == 0 {
            return Ok(None);
        }
        percent += usize::from(amount.percent);
        parentheses += usize::from(amount.parentheses);
        if amount.currency.is_some() && currency.is_some_and(|known| amount.currency != Some(known)) {
            other = Some(value);
        }
        currency = currency.or(amount.currency);
    }
    if values.is_empty() {
        return Ok(Some(Sight { fits, percent: false, currency: None, filled: false }));
    }
    if parentheses == values.len() {
        return Ok(None); // nothing says that the parentheses mean "negative"
    }
    if let Some(value) = other {
        let problem = format!("`{}` is another currency than that of other cells", shown(value));
        return Err(Error::input(
            cell_place(table, name, value),
            problem,
            "convert them, or `‹drop›` the column",
        ));
    }
    let bare = |value: &&String| Amount::of(value).is_some_and(|amount| !amount.percent);
    if let Some(value) = values.iter().find(bare).filter(|_| percent > 0) {
        let problem = format!("`{}` has no sign of percent, and other cells have one", shown(value));
        return Err(Error::input(cell_place(table, name, value), problem, "write all cells alike"));
    }
    if let Some(decimal) = table.decimal.filter(|decimal| fits & with_decimal(*decimal) != 0) {
        fits &= with_decimal(decimal);
    }
    Ok(Some(Sight { fits, percent: percent > 0, currency, filled: true }))
}

/// Refuses tables that differ in percent or currency, among themselves or from what a model has learnt.
#[expect(clippy::option_option, reason = "nothing known is not the same as known to be plain")]
fn alike(name: &str, tables: &[&mut Table], sights: &[Sight], known: Option<Option<Notation>>) -> Result<()> {
    let having = tables.iter().filter(|table| table.column(name).is_some());
    let filled: Vec<(&str, &Sight)> =
        having.map(|table| table.name.as_str()).zip(sights).filter(|(_, sight)| sight.filled).collect();
    let refuse = |(table, with): (&str, bool), other: &str| {
        let with = if with { "has" } else { "has no" };
        let problem = format!("{with} signs of percent, unlike {other}");
        Err(Error::input(format!("`{table}`, column `{name}`"), problem, "write the column alike everywhere"))
    };
    if let (Some(known), Some((table, sight))) = (known, filled.first())
        && known.is_some_and(|known| known.percent) != sight.percent
    {
        return refuse((table, sight.percent), "the column that the model learnt from");
    }
    for pair in filled.windows(2) {
        let ((before, a), (table, b)) = (pair[0], pair[1]);
        if a.percent != b.percent {
            return refuse((table, b.percent), &format!("`{before}`"));
        }
    }
    if let Some(currency) = known.flatten().and_then(|known| known.currency).map(Currency::sign)
        && let Some((table, other)) = filled
            .iter()
            .find_map(|(table, sight)| Some((table, sight.currency.filter(|other| *other != currency)?)))
    {
        let problem = format!("is in `{other}`, and the column that the model learnt from in `{currency}`");
        return Err(Error::input(format!("`{table}`, column `{name}`"), problem, "convert it"));
    }
    let mut currencies = filled.iter().filter_map(|(table, sight)| Some((table, sight.currency?)));
    if let Some((first, currency)) = currencies.next()
        && let Some((table, other)) = currencies.find(|(_, other)| *other != currency)
    {
        let problem = format!("is in `{other}`, and `{first}` in `{currency}`");
        return Err(Error::input(format!("`{table}`, column `{name}`"), problem, "convert one of them"));
    }
    Ok(())
}

/// Refuses numbers such as `1.234` in a table whose other columns have decimal commas: these may be thousands.
fn points_beside_commas(table: &Table, found: &Notations, left_out: &dyn Fn(&str) -> bool) -> Result<()> {
    let commas = found.iter().any(|(name, notation)| notation.decimal == ',' && table.column(name).is_some());
    let either = |column: &&super::Column| {
        let seen = table.seen.get(&column.name).is_some_and(|seen| seen.points == Points::Either);
        seen && !left_out(&column.name)
    };
    match table.columns.iter().filter(|_| commas && table.decimal.is_none()).find(either) {
        Some(column) => Err(points(table, &column.name)),
        None => Ok(()),
    }
}

fn points(table: &Table, name: &str) -> Error {
    let Some(Cells::Numbers(numbers)) = table.column(name).map(|column| &column.cells) else {
        return Error::input(table.place(0), "has a point that may mean two things", "");
    };
    let row = numbers.iter().position(|v| v.fract() != 0.0).unwrap_or(0);
    let (as_it_is, thousands) = (numbers[row], (numbers[row] * 1000.0).round());
    let problem = format!("`{as_it_is:.3}` may be {as_it_is} or {thousands}: decimals have commas elsewhere");
    let hint = "`‹decimal .›` or `‹decimal ,›` says what stands before decimals";
    Error::input(format!("{}, column `{name}`", table.place(row)), problem, hint)
}

/// Notes columns that count as numbers and look like codes, and those whose whole numbers are rounded.
fn codes(table: &Table, left_out: &dyn Fn(&str) -> bool, context: &mut Context) {
    let mut tell = |example: fn(&Seen) -> Option<&String>, what: &str| {
        let cell = |column: &super::Column| {
            let cell = example(table.seen.get(&column.name)?)?;
            (!left_out(&column.name)).then(|| format!("`{}` (`{}`)", column.name, shown(cell)))
        };
        let found: Vec<String> = table.columns.iter().filter_map(cell).collect();
        if !found.is_empty() {
            let listed = found[..found.len().min(NAMED)].join(", ");
            context.note("data", format!("`{}`: column {listed} {what}", table.name));
        }
    };
    tell(|seen| seen.code.as_ref(), "looks like a code and is taken for numbers");
    tell(|seen| seen.rounded.as_ref(), "holds whole numbers beyond 2^53, which are rounded");
}

#[cfg(test)]
mod tests;
