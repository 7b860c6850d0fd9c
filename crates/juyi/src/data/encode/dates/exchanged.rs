//! Days and months that a spreadsheet exchanged: where a day may be a month it read the date in its own order, and left
//! the rest as text.

use super::{Seen, moments};
use crate::context::Context;
use crate::data::cells::Cells;
use crate::data::dates::{Date, DateOrder};
use crate::error::shown;

/// Fewest different dates of either kind that tell.
const TELLING: usize = 5;

/// Warns of a table in which all dates that begin with the year have days up to 12, and all others days beyond.
pub(super) fn tell_exchanged(name: &str, columns: &[Seen], order: Option<DateOrder>, context: &mut Context) {
    let at = match order {
        Some(DateOrder::DayMonthYear) => 0,
        Some(DateOrder::MonthDayYear) => 1,
        _ => return,
    };
    for (table, cells) in columns {
        let Cells::Text { values, .. } = cells else { continue };
        let (mut plain, mut others) = (Vec::new(), Vec::new());
        for date in moments(table, values).into_iter().filter_map(|moment| moment?.date) {
            match date {
                Date::Plain { day, .. } => plain.push(day),
                Date::Three { numbers, .. } => others.push(numbers[at]),
            }
        }
        let told = plain.len() >= TELLING && others.len() >= TELLING;
        if told && plain.iter().all(|day| *day <= 12) && others.iter().all(|day| *day > 12) {
            let text = format!(
                "`{}`, column `{}`: days are up to 12 in all dates that begin with the year, and beyond in all others: a \
                 spreadsheet may have exchanged days and months of the former",
                table.name,
                shown(name)
            );
            context.warn("data", text);
        }
    }
}
