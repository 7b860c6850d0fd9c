//! Times of a clock of twelve hours without AM and PM.

use super::{Seen, moments};
use crate::context::Context;
use crate::data::cells::Cells;
use crate::error::shown;

/// So many different hours of a table, none of which is 0 or past 12, that half a day is likely to be missing.
const HOURS: usize = 8;

/// Whether a time says which half of the day is meant.
fn says_half(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["am", "pm"].iter().any(|half| text.contains(&format!(" {half}")) || text.ends_with(half))
}

/// Warns of a table in which all times are from 1:00 to 12:59 and none has AM or PM.
pub(super) fn tell_half_days(name: &str, (table, cells): Seen, context: &mut Context) {
    let Cells::Text { values, .. } = cells else { return };
    let mut hours = [false; 24];
    for (text, moment) in values.iter().zip(moments(table, values)) {
        let Some(time) = moment.and_then(|moment| moment.time) else { continue };
        if says_half(text) {
            return;
        }
        hours[(time / 3600.0).floor().clamp(0.0, 23.0) as usize] = true;
    }
    let of_twelve = hours[1..=12].iter().filter(|hour| **hour).count();
    if of_twelve >= HOURS && !hours[0] && !hours[13..].contains(&true) {
        let text = format!(
            "`{}`, column `{}`: all times are from 1:00 to 12:59, and are taken for the first half of the day: if AM and PM \
             were lost, write them, or write times as 13:30",
            table.name,
            shown(name)
        );
        context.warn("data", text);
    }
}
