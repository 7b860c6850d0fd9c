//! Numbers and dates that stand for a missing cell: they are named, never converted.

use super::listed;
use super::negative::negative;
use super::outlying::{Outlying, outlying};
use super::scales::codes;
use crate::context::Context;
use crate::data::cells::Cells;
use crate::data::dates::{DAY, TimeUnit, days};

/// A number that people write for a missing cell.
struct Sentinel {
    value: f64,
    /// How many ranges of the other values it must lie away from them.
    ranges: f64,
    /// The largest share of the cells that it may have: amounts that are mostly zero are amounts.
    share: f64,
}

const fn sentinel(value: f64, ranges: f64, share: f64) -> Sentinel {
    Sentinel { value, ranges, share }
}

/// From the most telling to the least.
const SENTINELS: [Sentinel; 10] = [
    sentinel(-999.0, 0.5, 1.0),
    sentinel(-9999.0, 0.5, 1.0),
    sentinel(-99_999.0, 0.5, 1.0),
    sentinel(999.0, 5.0, 1.0),
    sentinel(9999.0, 5.0, 1.0),
    sentinel(99_999.0, 5.0, 1.0),
    sentinel(-99.0, 5.0, 1.0),
    sentinel(99.0, 5.0, 0.2),
    sentinel(-1.0, 10.0, 0.2),
    sentinel(0.0, 10.0, 0.2),
];

/// From which on downwards one cell tells, and how many ranges of the others it must lie away from them.
const ALONE: (f64, f64) = (-999.0, 5.0);

/// How many ranges a number of two or three nines that repeats must lie away from many others, or how many where it lies
/// so many deviations from their mean.
const NINES: (f64, f64) = (1.0, 0.25);
const DEVIATIONS: f64 = 4.0;

/// Fewest cells with other values, and fewest different ones among them, that tell where a column lies.
const OTHERS: usize = 5;
const DIFFERENT: usize = 3;

/// Fewest cells with other values of which the deviation tells.
const MANY: usize = 20;

/// Names such numbers in a column of numbers, of one table or several; whether there are any.
pub(crate) fn sentinels_in(name: &str, cells: &[&Cells], context: &mut Context) -> bool {
    let name = name.to_string();
    let mut sentinels = Sentinels::default();
    sentinels.look(&name, cells.iter().copied());
    sentinels.tell(context);
    !sentinels.found.is_empty()
}

/// The columns in which such a number is likely to stand for a missing cell, by number.
#[derive(Default)]
pub(super) struct Sentinels<'a> {
    found: Vec<(Outlying, Vec<&'a String>, usize)>,
}

impl<'a> Sentinels<'a> {
    /// Looks at a column of numbers.
    pub(super) fn look<'c>(&mut self, name: &'a String, cells: impl Iterator<Item = &'c Cells> + Clone) {
        let mut known = likely(cells.clone());
        let all: Vec<&Cells> = cells.clone().collect();
        for (value, count) in negative(&all).into_iter().chain(codes(&all)) {
            if known.iter().all(|(other, _)| *other != value) {
                known.push((value, count));
            }
        }
        let is_known = |(low, high): Outlying| known.iter().any(|(value, _)| low <= *value && *value <= high);
        let mut others: Vec<(Outlying, usize)> = Vec::new();
        for ((low, high), count) in cells.flat_map(|cells| outlying(cells, &known)) {
            match others.iter_mut().find(|(other, _)| *other == (low, high)) {
                Some((_, all)) => *all += count,
                None => others.push(((low, high), count)),
            }
        }
        others.retain(|(values, _)| !is_known(*values));
        let known = known.iter().map(|(value, count)| ((*value, *value), *count));
        for (value, count) in known.chain(others) {
            match self.found.iter_mut().find(|(known, ..)| *known == value) {
                Some((_, names, all)) => {
                    names.push(name);
                    *all += count;
                }
                None => self.found.push((value, vec![name], count)),
            }
        }
    }

    /// Names what was found.
    pub(super) fn tell(&self, context: &mut Context) {
        for ((low, high), names, count) in &self.found {
            let columns = listed(names);
            let text = if low < high {
                format!(
                    "column {columns}: {low} to {high} stand in {count} cells, far from all other values; if they mean that \
                     these are missing, empty the cells"
                )
            } else {
                let (cells, are) = if *count == 1 {
                    ("1 cell".into(), "it is")
                } else {
                    (format!("{count} cells"), "they are")
                };
                format!(
                    "column {columns}: {low} stands in {cells}, far from all other values; if it means that {are} \
                     missing, add `‹missing-values {low}›`"
                )
            };
            context.warn("data", text);
        }
    }
}

/// The numbers that are likely to stand for a missing cell, each with how often it occurs.
fn likely<'c>(cells: impl Iterator<Item = &'c Cells>) -> Vec<(f64, usize)> {
    let position = |v: f64| SENTINELS.iter().position(|sentinel| sentinel.value == v);
    let mut counts = [0; SENTINELS.len()];
    let mut most = [0; SENTINELS.len()];
    let mut others = Values::default();
    for cells in cells {
        let Cells::Numbers(numbers) = cells else { continue };
        let mut here = [0; SENTINELS.len()];
        for &v in numbers.iter().filter(|v| !v.is_nan()) {
            match position(v).filter(|_| v.fract() == 0.0) {
                Some(k) => here[k] += 1,
                None => others.add(v, 1),
            }
        }
        for k in 0..SENTINELS.len() {
            counts[k] += here[k];
            most[k] = here[k].max(most[k]);
        }
    }
    let all = others.count + counts.iter().sum::<usize>();
    let mut found: Vec<usize> = Vec::new();
    let alone = |sentinel: &Sentinel, most: usize| most == 1 && sentinel.value <= ALONE.0;
    let counted = |(k, sentinel): &(usize, &Sentinel)| most[*k] > 1 || alone(sentinel, most[*k]);
    for (k, sentinel) in SENTINELS.iter().enumerate().filter(counted) {
        let mut others = others.clone();
        let beside = (0..SENTINELS.len()).filter(|other| *other != k && !found.contains(other));
        // Where several stand for a missing cell, they lie far from each other too.
        for other in beside.filter(|&other| counts[other] > 0 && !(k < 7 && other < 7 && most[other] > 1)) {
            others.add(SENTINELS[other].value, counts[other]);
        }
        let away = (others.least - sentinel.value).max(sentinel.value - others.largest);
        let range = others.largest - others.least;
        let ranges = if most[k] == 1 { ALONE.1 } else { sentinel.ranges };
        let rare = counts[k] as f64 <= sentinel.share * all as f64;
        if others.count >= OTHERS
            && others.different.len() >= DIFFERENT
            && rare
            && (away > ranges * range || others.far(sentinel.value, away))
        {
            found.push(k);
        }
    }
    found.into_iter().map(|k| (SENTINELS[k].value, counts[k])).collect()
}

/// Values that are no sentinels.
#[derive(Clone)]
struct Values {
    count: usize,
    least: f64,
    largest: f64,
    /// Some of them, all different.
    different: Vec<f64>,
    sum: f64,
    squares: f64,
    /// How many of them end in a nine, as prices do.
    nines: usize,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            count: 0,
            least: f64::INFINITY,
            largest: f64::NEG_INFINITY,
            different: Vec::new(),
            sum: 0.0,
            squares: 0.0,
            nines: 0,
        }
    }
}

impl Values {
    fn add(&mut self, value: f64, count: usize) {
        self.count += count;
        self.least = self.least.min(value);
        self.largest = self.largest.max(value);
        self.nines += if value.rem_euclid(10.0) == 9.0 { count } else { 0 };
        self.sum += count as f64 * value;
        self.squares += count as f64 * value * value;
        if self.different.len() < DIFFERENT && !self.different.contains(&value) {
            self.different.push(value);
        }
    }

    /// Whether a number of two or three nines lies far from them, where they are no prices such as 199.
    fn far(&self, value: f64, away: f64) -> bool {
        let n = self.count as f64;
        let mean = self.sum / n;
        let deviation = (self.squares / n - mean * mean).max(0.0).sqrt();
        let range = self.largest - self.least;
        let apart = away > NINES.1 * range && (value - mean).abs() > DEVIATIONS * deviation;
        let prices = value > 0.0 && 2 * self.nines > self.count;
        matches!(value.abs(), 99.0 | 999.0)
            && self.count >= MANY
            && !prices
            && (away > NINES.0 * range || apart)
    }
}

/// Dates that people and programs write for a missing one: first and last days of calendars and of ways to count.
const DATES: [(u32, u32, u32); 15] = [
    (1, 1, 1),
    (1582, 10, 15),
    (1600, 1, 1),
    (1601, 1, 1),
    (1753, 1, 1),
    (1899, 12, 30),
    (1899, 12, 31),
    (1900, 1, 1),
    (1904, 1, 1),
    (1970, 1, 1),
    (2099, 12, 31),
    (2999, 12, 31),
    (3000, 1, 1),
    (9999, 1, 1),
    (9999, 12, 31),
];

/// How many ranges of the other dates such a date must lie away from them.
const DATE_RANGES: f64 = 0.25;

/// The dates of a column that are likely to stand for a missing one.
pub(super) struct DateSentinels {
    unit: TimeUnit,
    /// Days since 1970, the cells in all tables, and the most in one.
    known: Vec<(f64, usize, usize)>,
    others: Values,
}

impl DateSentinels {
    /// For numbers that count `unit`.
    pub(super) fn new(unit: TimeUnit) -> Self {
        let known = DATES.iter().filter_map(|(year, month, day)| days(*year, *month, *day));
        Self { unit, known: known.map(|day| (day as f64, 0, 0)).collect(), others: Values::default() }
    }

    /// Looks at the cells of a table.
    pub(super) fn look(&mut self, numbers: &[f64]) {
        let mut here = vec![0; self.known.len()];
        for number in numbers.iter().filter(|v| !v.is_nan()) {
            let days = if self.unit == TimeUnit::Seconds { number / DAY } else { *number };
            match self.known.iter().position(|(known, ..)| *known == days.floor()) {
                Some(k) => here[k] += 1,
                None => self.others.add(days, 1),
            }
        }
        for ((_, all, most), here) in self.known.iter_mut().zip(here) {
            *all += here;
            *most = here.max(*most);
        }
    }

    /// Those dates, as days since 1970, each with the number of its cells.
    pub(super) fn likely(&self) -> Vec<(f64, usize)> {
        let mut others = self.others.clone();
        for (day, all, _) in self.known.iter().filter(|(_, all, most)| *all > 0 && *most < 2) {
            others.add(*day, *all);
        }
        let far = |day: f64| {
            let away = (others.least - day).max(day - others.largest);
            away > DATE_RANGES * (others.largest - others.least)
        };
        let tells = self.unit != TimeUnit::SecondsOfDay
            && others.count >= OTHERS
            && others.different.len() >= DIFFERENT;
        let found = self.known.iter().filter(|(day, _, most)| tells && *most > 1 && far(*day));
        found.map(|(day, all, _)| (*day, *all)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &[f64], target: &[f64]) -> Vec<(f64, usize)> {
        likely([source, target].map(|v| Cells::Numbers(v.to_vec())).iter())
    }

    /// `count` values from `of`, and these behind them.
    fn with(count: usize, of: impl Fn(f64) -> f64, more: &[f64]) -> Vec<f64> {
        (0..count).map(|i| of(i as f64)).chain(more.iter().copied()).collect()
    }

    #[test]
    fn numbers_far_from_all_others_are_found() {
        let warm = |i: f64| 20.0 * (i * 0.7).sin();
        let year = |i: f64| 1990.0 + i % 31.0;
        for (values, expected) in [
            (with(30, warm, &[-999.0, -999.0]), vec![(-999.0, 2)]),
            (with(30, warm, &[-9999.0; 5]), vec![(-9999.0, 5)]),
            (with(30, |i| 25.0 * i, &[-999.0; 3]), vec![(-999.0, 3)]),
            (with(30, warm, &[9999.0; 40]), vec![(9999.0, 40)]),
            (with(30, |i| i % 7.0, &[99.0, 99.0]), vec![(99.0, 2)]),
            (with(30, year, &[0.0, 0.0, 0.0]), vec![(0.0, 3)]),
            (with(30, year, &[-1.0, -1.0]), vec![(-1.0, 2)]),
            (with(30, warm, &[-999.0, -999.0, -9999.0, -9999.0]), vec![(-999.0, 2), (-9999.0, 2)]),
            (with(60, |i| 40.0 + 20.0 * (i * 0.618).fract().powi(2), &[99.0, 99.0]), vec![(99.0, 2)]),
            (with(60, |i| 300.0 * (i * 0.618).fract(), &[999.0, 999.0]), vec![(999.0, 2)]),
            (with(60, warm, &[-9999.0]), vec![(-9999.0, 1)]),
            (with(8, |i| 0.1 * i, &[f64::NAN, -99.0, -99.0]), vec![(-99.0, 2)]),
        ] {
            let plain: Vec<f64> =
                values.iter().copied().filter(|v| !expected.iter().any(|(e, _)| e == v)).collect();
            assert_eq!(found(&values, &plain), expected, "{values:?}");
            assert_eq!(found(&plain, &values), expected, "{values:?}");
        }
    }

    #[test]
    fn ordinary_columns_are_left_in_peace() {
        let wave = |i: f64| (i * 0.7).sin();
        for values in [
            with(60, |i| i % 2.0, &[]),                                              // flags
            with(60, |i| -(i % 2.0), &[]),                                           // flags the other way
            with(60, |i| 2.0 * (i % 2.0) - 1.0, &[]),                                // -1 and 1
            with(60, |i| i % 3.0 - 1.0, &[]),                                        // -1, 0 and 1
            with(60, |i| (i * 7.0) % 13.0, &[0.0; 90]),                              // counts, mostly 0
            with(60, |i| 900.0 + i % 23.0, &[0.0; 90]), // amounts that most have not
            with(60, |i| 18.0 + (i * 7.0) % 70.0, &[99.0, 99.0]), // ages
            with(60, |i| (i * 7.0) % 100.0, &[0.0, 0.0, 99.0, 99.0]), // per cent
            with(60, |i| (0.3 * i).exp(), &[]),         // amounts without end
            with(60, |i| 4.99 + (i * 7.0) % 500.0, &[1200.0, 4999.0, 9999.0]), // prices
            with(60, |i| i * 20.0, &[999.0, 999.0]),    // a number like others
            with(60, |i| 500.0 * wave(i), &[-999.0]),   // once only
            with(60, |i| 800.0 * wave(i), &[-999.0, -999.0]), // at the edge
            with(60, wave, &[0.0, 0.0, -1.0, -1.0, 1.0]), // standardised
            with(60, |i| 40_000.0 * wave(i).abs(), &[99_999.0, 99_999.0, 0.0, 0.0]), // capped
            with(60, |i| 9990.0 + i % 10.0, &[]),       // codes around 9999
            with(60, |i| 90_000.0 + 333.0 * i, &[99_999.0, 99_999.0]), // postcodes
            with(60, |i| -1100.0 + 10.0 * i, &[-999.0, -999.0]), // depths
            with(60, |_| -999.0, &[]),                  // nothing else
            with(60, |_| 0.0, &[1000.0, 1000.0, 2000.0]), // two that have something
            with(60, |i| if i < 50.0 { 0.0 } else { 10_000.0 + i }, &[]), // gains of a few
            with(60, |i| 1.0 + i % 5.0, &[]),           // stars
            with(60, |i| 1.0 + i % 5.0, &[0.0, 0.0]),   // stars, or none
            with(60, |i| 9.0 + 10.0 * ((i * 7.0) % 40.0), &[999.0, 999.0, 999.0]), // prices of a shop
            with(60, |_| f64::NAN, &[]),
            Vec::new(),
        ] {
            assert_eq!(found(&values, &values), [], "{values:?}");
            assert_eq!(found(&values, &[]), [], "{values:?}");
            assert_eq!(outlying(&Cells::Numbers(values.clone()), &[]), [], "{values:?}");
        }
    }

    #[test]
    fn dates_far_from_all_others_are_found() {
        let found = |unit: TimeUnit, numbers: &[f64]| {
            let mut sentinels = DateSentinels::new(unit);
            sentinels.look(numbers);
            sentinels.look(&[]);
            sentinels.likely()
        };
        let (old, new) = (days(1900, 1, 1).unwrap() as f64, days(9999, 12, 31).unwrap() as f64);
        let (day, some) = (|i: f64| 19_000.0 + 3.0 * i, [f64::NAN, old, old, new, new, new]);
        assert_eq!(found(TimeUnit::Days, &with(40, day, &some)), [(old, 2), (new, 3)]);
        let seconds = |i: f64| DAY * day(i) + 7.0 * i;
        assert_eq!(found(TimeUnit::Seconds, &with(40, seconds, &[0.0, 3600.0])), [(0.0, 2)]);
        // Once only, among others, with nothing to compare it with, and times of day.
        for (unit, numbers) in [
            (TimeUnit::Days, with(40, day, &[old])),
            (TimeUnit::Days, with(90, |i| 365.0 * (i - 80.0), &[old, old, 0.0, 0.0])),
            (TimeUnit::Days, with(40, |_| 19_000.0, &[new, new])),
            (TimeUnit::SecondsOfDay, with(40, seconds, &[0.0, 0.0])),
        ] {
            assert_eq!(found(unit, &numbers), [], "{numbers:?}");
        }
    }
}
