//! Times of day and time zones as people write them.

use super::digits;

/// A time of day at the beginning in seconds, and the rest.
pub(super) fn time(text: &str) -> Option<(f64, &str)> {
    let (hour, 1 | 2, rest) = digits(text)? else { return None };
    let (minute, 2, rest) = digits(rest.strip_prefix(':')?)? else { return None };
    let (mut seconds, mut rest) = (0.0, rest);
    if let Some(behind) = rest.strip_prefix(':') {
        let (_, 2, after) = digits(behind)? else { return None };
        let more = after
            .strip_prefix(['.', ','])
            .map_or(0, |more| more.bytes().take_while(u8::is_ascii_digit).count());
        let length = if more > 0 { 3 + more } else { 2 };
        seconds = behind[..length].replace(',', ".").parse().ok()?;
        rest = &behind[length..];
    }
    let half = rest.trim_start();
    let (name, after) =
        (half.get(..2).unwrap_or_default().to_ascii_lowercase(), half.get(2..).unwrap_or_default());
    let hour = match name.as_str() {
        "am" | "pm" => {
            rest = after;
            (1..=12).contains(&hour).then_some(hour % 12 + if name == "pm" { 12 } else { 0 })?
        }
        _ => hour,
    };
    let is = hour < 24 && minute < 60 && seconds < 61.0; // a leap second has the number 60
    is.then_some((f64::from(hour * 3600 + minute * 60) + seconds, rest))
}

/// The time of `20240131T123000`.
pub(super) fn time_without_colons(text: &str) -> Option<(f64, &str)> {
    let (number, count, rest) = digits(text)?;
    let number = match count {
        4 => number * 100,
        6 => number,
        _ => return None,
    };
    let (hour, minute, second) = (number / 10_000, number / 100 % 100, number % 100);
    let is = hour < 24 && minute < 60 && second < 61;
    is.then_some((f64::from(hour * 3600 + minute * 60 + second), rest))
}

/// The seconds of a time zone; the outer `None` if it is none.
#[expect(clippy::option_option, reason = "a time may have no zone")]
pub(super) fn zone(text: &str) -> Option<Option<i32>> {
    if text.is_empty() {
        return Some(None);
    }
    if ["Z", "UTC", "GMT"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return Some(Some(0));
    }
    let sign = if text.starts_with('+') { 1 } else { -1 };
    let (hours, count, rest) = digits(text.strip_prefix(['+', '-', '\u{2212}'])?)?;
    let (hours, minutes) = match (count, rest.strip_prefix(':')) {
        (4, None) => (hours / 100, hours % 100),
        (1 | 2, None) => (hours, 0),
        (1 | 2, Some(rest)) => {
            let (minutes, 2, "") = digits(rest)? else { return None };
            return (hours < 15 && minutes < 60)
                .then(|| Some(sign * (hours * 3600 + minutes * 60).cast_signed()));
        }
        _ => return None,
    };
    let is = rest.is_empty() && hours < 15 && minutes < 60;
    is.then(|| Some(sign * (hours * 3600 + minutes * 60).cast_signed()))
}
