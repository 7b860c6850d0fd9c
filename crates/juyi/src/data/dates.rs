//! Dates and times as people write them, one cell at a time.
//!
//! Days and seconds count from the beginning of 1970, as Parquet has them. What stands without a time zone is UTC.

mod clock;

use serde::{Deserialize, Serialize};

use clock::{time, time_without_colons, zone};

/// What numbers that stand for dates or times count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// Days since 1970-01-01.
    Days,
    /// Seconds since the beginning of 1970.
    Seconds,
    /// Seconds since midnight.
    SecondsOfDay,
}

/// The order of three numbers that are a date, where the year does not stand first with four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateOrder {
    /// `31.01.2024`, `31/01/2024`.
    DayMonthYear,
    /// `01/31/2024`.
    MonthDayYear,
    /// `99/01/31`.
    YearMonthDay,
}

impl DateOrder {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::DayMonthYear, Self::MonthDayYear, Self::YearMonthDay];

    /// What the order is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::DayMonthYear => "day-first",
            Self::MonthDayYear => "month-first",
            Self::YearMonthDay => "year-first",
        }
    }

    /// The order in words, with what stands between the numbers.
    pub(super) fn words(self, separator: char) -> String {
        let words = match self {
            Self::DayMonthYear => ["day", "month", "year"],
            Self::MonthDayYear => ["month", "day", "year"],
            Self::YearMonthDay => ["year", "month", "day"],
        };
        words.join(&separator.to_string())
    }
}

/// The seconds of a day.
pub(super) const DAY: f64 = 86_400.0;

/// A cell that is written like a date, a time or both; whether there is such a day is not yet said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    pub(super) date: Option<Date>,
    /// Seconds since midnight.
    pub(super) time: Option<f64>,
    /// Seconds by which the clock is ahead of UTC.
    pub(super) zone: Option<i32>,
}

/// A date as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Date {
    /// Year, month and day are told apart, by the digits of the year or the month's name.
    Plain { year: Year, month: u32, day: u32, style: &'static str },
    /// Three numbers, the last of which or all of which have at most two digits.
    Three { numbers: [u32; 3], short: bool, separator: char },
}

/// A year as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Year {
    Full(u32),
    /// Two digits.
    Short(u32),
}

impl Year {
    fn of(number: u32, digits: usize) -> Option<Self> {
        match digits {
            4 => Some(Self::Full(number)),
            2 => Some(Self::Short(number)),
            _ => None,
        }
    }

    /// The year that is meant; `None` for two digits that programs read in different ways (30 to 68), and year 0.
    fn meant(self) -> Option<u32> {
        match self {
            Self::Full(year) => (year > 0).then_some(year),
            Self::Short(year @ 0..=29) => Some(2000 + year),
            Self::Short(year @ 69..=99) => Some(1900 + year),
            Self::Short(_) => None,
        }
    }
}

impl Date {
    /// Year, month and day, in this order where the date does not tell.
    fn parts(self, order: Option<DateOrder>) -> Option<(Year, u32, u32)> {
        match self {
            Self::Plain { year, month, day, .. } => Some((year, month, day)),
            Self::Three { numbers: [a, b, c], short, .. } => {
                let year = |year| if short { Year::Short(year) } else { Year::Full(year) };
                match order? {
                    DateOrder::DayMonthYear => Some((year(c), b, a)),
                    DateOrder::MonthDayYear => Some((year(c), a, b)),
                    DateOrder::YearMonthDay => short.then_some((Year::Short(a), b, c)),
                }
            }
        }
    }

    /// The date with its numbers told apart, read in this order; `None` if there is no such day.
    pub(super) fn told(self, order: DateOrder) -> Option<Self> {
        let (year, month, day) = self.parts(Some(order))?;
        let sound = self.days(Some(order)).is_some() || self.of_any_century(Some(order));
        sound.then_some(Self::Plain { year, month, day, style: order.name() })
    }

    /// Days since 1970; `None` for a day that there is not.
    pub(super) fn days(self, order: Option<DateOrder>) -> Option<i64> {
        let (year, month, day) = self.parts(order)?;
        days(year.meant()?, month, day)
    }

    /// Whether two digits stand for a year of which nobody can tell the century.
    pub(super) fn of_any_century(self, order: Option<DateOrder>) -> bool {
        self.parts(order).is_some_and(|(year, month, day)| {
            // A leap year of that kind: the day may exist in either.
            year.meant().is_none() && year != Year::Full(0) && days(2000, month, day).is_some()
        })
    }

    /// Whether the year has two digits.
    pub(super) fn is_short(self) -> bool {
        matches!(self, Self::Three { short: true, .. } | Self::Plain { year: Year::Short(_), .. })
    }
}

impl Moment {
    /// The number that stands for it; `None` for a day that there is not, and for a time where a date is asked for.
    pub(super) fn number(self, order: Option<DateOrder>, unit: TimeUnit) -> Option<f64> {
        let time = self.time.unwrap_or(0.0) - f64::from(self.zone.unwrap_or(0));
        match (self.date, unit) {
            (None, TimeUnit::SecondsOfDay) => self.time,
            (Some(date), TimeUnit::Days) => Some(date.days(order)? as f64 + time / DAY),
            (Some(date), TimeUnit::Seconds) => Some(date.days(order)? as f64 * DAY + time),
            _ => None,
        }
    }

    /// The cell as a date, a time or both; `None` if it is written like none.
    pub(super) fn of(cell: &str) -> Option<Self> {
        const LONGEST: usize = 64;
        let cell = cell.trim();
        if cell.len() > LONGEST {
            return None;
        }
        if let Some((time, rest)) = time(cell)
            && rest.is_empty()
        {
            return Some(Self { date: None, time: Some(time), zone: None });
        }
        let (date, rest) = date(without_weekday(cell))?;
        if rest.is_empty() {
            return Some(Self { date: Some(date), time: None, zone: None });
        }
        let (time, rest) = match rest.strip_prefix(['T', 't']) {
            Some(rest) => time(rest).or_else(|| time_without_colons(rest))?,
            None => time(rest.strip_prefix([' ', ',', '_'])?.trim_start())?,
        };
        Some(Self { date: Some(date), time: Some(time), zone: zone(rest.trim())? })
    }
}

/// Whether a text is a date, a time or both.
pub(crate) fn is_moment(text: &str) -> bool {
    Moment::of(text).is_some()
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, also before there was one; `None` if there is no such day.
pub(super) fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let longest = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    // Years that begin in March end with the day that comes and goes.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let of_years = 365 * year + year / 4 - year / 100 + year / 400;
    Some(i64::from(of_years + of_year) - 719_468)
}

/// A number of a column of dates or times as it is written; `None` beyond the years 1 to 9999.
pub(super) fn written_time(number: f64, unit: TimeUnit) -> Option<String> {
    let seconds = if unit == TimeUnit::Days { number * DAY } else { number };
    let (first, last) = (days(1, 1, 1)?, days(9999, 12, 31)?);
    let within = (first as f64..=last as f64).contains(&seconds.div_euclid(DAY));
    within.then(|| calendar(seconds, unit == TimeUnit::SecondsOfDay))
}

/// Seconds since 1970 as `2024-01-31`, with the time where it is not midnight, or the time of day alone.
pub(super) fn calendar(seconds: f64, of_day: bool) -> String {
    let (day, time) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (hour, minute, second) = (time / 3600.0, time / 60.0 % 60.0, time % 60.0);
    let zero = if second < 10.0 { "0" } else { "" };
    let clock = format!("{:02}:{:02}:{zero}{second}", hour.floor(), minute.floor());
    if of_day {
        return clock;
    }
    // The inverse of `days`: the guess is never too late.
    let day = day as i64;
    let guess = (1970 + day.div_euclid(if day < 0 { 365 } else { 366 })).clamp(1, 9999) as u32;
    let after = |year: u32, month: u32| days(year, month, 1).is_some_and(|first| first <= day);
    let year = (guess..=9999).take_while(|year| after(*year, 1)).last().unwrap_or(guess);
    let month = (1..=12).take_while(|month| after(year, *month)).last().unwrap_or(1);
    let in_month = day - days(year, month, 1).unwrap_or(day) + 1;
    let date = format!("{year:04}-{month:02}-{in_month:02}");
    if time == 0.0 { date } else { format!("{date} {clock}") }
}

/// Digits at the beginning: their value, how many they are, and the rest.
fn digits(text: &str) -> Option<(u32, usize, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    let value = text[..count].parse().ok().filter(|_| count <= 8)?;
    Some((value, count, &text[count..]))
}

/// Letters at the beginning and the rest, without a point behind them.
fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    (&text[..end], text[end..].strip_prefix('.').unwrap_or(&text[end..]))
}

/// The month of a name or its abbreviation in English, German or French.
fn month(name: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "jan january januar jänner janv janvier",
        "feb february februar fév févr février fev",
        "mar march mär mrz märz mars",
        "apr april avr avril",
        "may mai",
        "jun june juni juin",
        "jul july juli juil juillet",
        "aug august août aout aoû",
        "sep sept september septembre",
        "oct october okt oktober octobre",
        "nov november novembre",
        "dec december dez dezember déc décembre",
    ];
    let name = name.to_lowercase();
    let found = NAMES.iter().position(|names| names.split(' ').any(|known| known == name));
    found.map(|at| at as u32 + 1)
}

/// What follows the name of a day of the week.
fn without_weekday(text: &str) -> &str {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let (name, rest) = word(text);
    let lower = name.to_lowercase();
    let known = DAYS.iter().any(|day| lower == *day || (lower.starts_with(day) && lower.ends_with("day")));
    if known { rest.trim_start_matches([',', ' ']) } else { text }
}

/// A date at the beginning, and the rest.
fn date(text: &str) -> Option<(Date, &str)> {
    let plain = |year, month, day, style| Date::Plain { year, month, day, style };
    let Some((first, long, rest)) = digits(text) else {
        // Jan 31, 2024 · January 2024
        let (name, rest) = word(text);
        let month = month(name)?;
        let (number, long, rest) = digits(rest.strip_prefix(['-', ' ', '/']).unwrap_or(rest).trim_start())?;
        if long == 4 {
            return Some((plain(Year::Full(number), month, 1, "month year"), rest));
        }
        let rest = ["st", "nd", "rd", "th"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
        let rest = rest.strip_prefix([',', '-', '/']).unwrap_or(rest).trim_start();
        let (year, 4, rest) = digits(rest)? else { return None };
        return (long <= 2).then_some((plain(Year::Full(year), month, number, "month day, year"), rest));
    };
    if let Some(rest) = rest.strip_prefix('年') {
        let (month, _, rest) = digits(rest.trim_start())?;
        let rest = rest.trim_start().strip_prefix('月')?;
        let year = Year::of(first, long)?;
        return match digits(rest.trim_start()) {
            None => Some((plain(year, month, 1, "year年month月"), rest)),
            Some((day, _, rest)) => {
                let rest = rest.trim_start().strip_prefix(['日', '号'])?;
                Some((plain(year, month, day, "year年month月day日"), rest))
            }
        };
    }
    if long == 8 && rest.starts_with(['T', 't']) {
        let (year, month, day) = (first / 10_000, first / 100 % 100, first % 100);
        return Some((plain(Year::Full(year), month, day, "yearmonthday"), rest));
    }
    let spaced = rest.trim_start_matches(['.', ' ', '-', '/']);
    if spaced.starts_with(char::is_alphabetic) && spaced.len() < rest.len() {
        // 31-Jan-2024 · 31. Januar 2024 · 2024-Jan-31
        let (name, rest) = word(spaced);
        let month = month(name)?;
        let (last, short, rest) = digits(rest.trim_start_matches([' ', '-', '/', ',']))?;
        return match (long, short) {
            (1 | 2, _) => Some((plain(Year::of(last, short)?, month, first, "day month's name year"), rest)),
            (4, 1 | 2) => Some((plain(Year::Full(first), month, last, "year month's name day"), rest)),
            _ => None,
        };
    }
    let separator = rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.'))?;
    let (second, middle, rest) = digits(&rest[1..])?;
    if middle > 2 {
        // 01/2024
        let is = separator != '.' && long <= 2 && middle == 4;
        return is.then_some((plain(Year::Full(second), first, 1, "month/year"), rest));
    }
    let third = rest.strip_prefix(separator).and_then(|rest| digits(rest.trim_start()));
    let Some((third, last, rest)) = third else {
        let is = separator != '.' && long == 4 && middle == 2;
        return is.then_some((plain(Year::Full(first), second, 1, "year-month"), rest));
    };
    match (long, last) {
        (4, 1 | 2) => {
            let rest = if separator == '.' { rest.strip_prefix('.').unwrap_or(rest) } else { rest };
            let style = match separator {
                '-' => "year-month-day",
                '/' => "year/month/day",
                _ => "year.month.day",
            };
            Some((plain(Year::Full(first), second, third, style), rest))
        }
        (1 | 2, 4) => Some((Date::Three { numbers: [first, second, third], short: false, separator }, rest)),
        (1 | 2, 2) => Some((Date::Three { numbers: [first, second, third], short: true, separator }, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
