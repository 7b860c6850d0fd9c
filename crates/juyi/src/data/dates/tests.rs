//! Tests of the file above.

use super::*;

fn number(cell: &str, order: Option<DateOrder>, unit: TimeUnit) -> Option<f64> {
    Moment::of(cell)?.number(order, unit)
}

/// The numbers are Python's: `date(y, m, d).toordinal() - 719163`.
#[test]
fn days_are_counted_from_1970_in_leap_years_and_long_before() {
    for (day, count) in [
        ((1970, 1, 1), Some(0)),
        ((1969, 12, 31), Some(-1)),
        ((2024, 1, 31), Some(19_753)),
        ((2024, 2, 29), Some(19_782)),
        ((2023, 2, 29), None),
        ((1900, 2, 29), None),
        ((2000, 2, 29), Some(11_016)),
        ((2000, 3, 1), Some(11_017)),
        ((1, 1, 1), Some(-719_162)),
        ((9999, 12, 31), Some(2_932_896)),
        ((0, 1, 1), None),
        ((2024, 13, 1), None),
        ((2024, 4, 31), None),
        ((2024, 4, 0), None),
    ] {
        assert_eq!(days(day.0, day.1, day.2), count, "{day:?}");
    }
}

#[test]
fn dates_are_read_as_they_are_written() {
    use DateOrder::{DayMonthYear, MonthDayYear, YearMonthDay};
    for (cell, order) in [
        ("2024-01-31", None),
        (" 2024/1/31 ", None),
        ("2024.01.31.", None),
        ("31-Jan-2024", None),
        ("31-JAN-24", None),
        ("31 January 2024", None),
        ("31. Januar 2024", None),
        ("31 janv. 2024", None),
        ("Jan 31, 2024", None),
        ("January 31st, 2024", None),
        ("Wed, 31 Jan 2024", None),
        ("Wednesday, January 31, 2024", None),
        ("2024-Jan-31", None),
        ("2024年1月31日", None),
        ("31.01.2024", Some(DayMonthYear)),
        ("31/1/24", Some(DayMonthYear)),
        ("01/31/2024", Some(MonthDayYear)),
        ("24-01-31", Some(YearMonthDay)),
    ] {
        assert_eq!(number(cell, order, TimeUnit::Days), Some(19_753.0), "{cell}");
    }
    assert_eq!(number("2024-02", None, TimeUnit::Days), Some(19_754.0));
    assert_eq!(number("Feb 2024", None, TimeUnit::Days), Some(19_754.0));
    assert_eq!(number("2024年2月", None, TimeUnit::Days), Some(19_754.0));
    assert_eq!(number("02/2024", None, TimeUnit::Days), Some(19_754.0));
    assert_eq!(number("29.02.2000", Some(DayMonthYear), TimeUnit::Days), Some(11_016.0));
    // Without an order three numbers say nothing, and there is no such day.
    assert_eq!(number("01/02/2024", None, TimeUnit::Days), None);
    assert_eq!(number("31.02.2024", Some(DayMonthYear), TimeUnit::Days), None);
    assert!(Moment::of("31.02.2024").is_some());
}

#[test]
fn times_and_their_zones_become_seconds() {
    let noon = 19_753.0 * 86_400.0 + 12.5 * 3600.0;
    for (cell, seconds) in [
        ("2024-01-31T12:30:00Z", noon),
        ("2024-01-31 12:30", noon),
        ("2024-01-31T12:30:00.25", noon + 0.25),
        ("2024-01-31 12:30:00,5", noon + 0.5),
        ("2024-01-31T14:30:00+02:00", noon),
        ("2024-01-31 07:00:00-0530", noon),
        ("2024-01-31T13:30+01", noon),
        ("2024-01-31 12:30:00 UTC", noon),
        ("20240131T123000Z", noon),
        ("Wed, 31 Jan 2024 12:30:00 +0000", noon),
        ("Jan 31, 2024, 12:30:00 PM", noon),
        ("31-Jan-2024 12:30 pm", noon),
        ("2024年1月31日 12:30", noon),
        ("2024-01-31", noon - 12.5 * 3600.0),
        ("1969-12-31T23:59:59Z", -1.0),
        ("0001-01-01T00:00:00Z", -719_162.0 * 86_400.0),
    ] {
        assert_eq!(number(cell, None, TimeUnit::Seconds), Some(seconds), "{cell}");
    }
    for (cell, seconds) in [
        ("12:30", 45_000.0),
        ("9:05 PM", 75_900.0),
        ("12:00 am", 0.0),
        ("00:00:01.5", 1.5),
        ("23:59:60", 86_400.0),
    ] {
        assert_eq!(number(cell, None, TimeUnit::SecondsOfDay), Some(seconds), "{cell}");
    }
}

#[test]
fn other_text_is_no_date() {
    for cell in [
        "",
        "x",
        "7",
        "2024",
        "20240131",
        "1.5",
        "1.2.3",
        "192.168.0.1",
        "2024-1",
        "24:00",
        "12:60",
        "13:00 PM",
        "1:2",
        "2024-01-31x",
        "2024-01-31T",
        "2024-01-31 25:00",
        "2024-01-31 12:30 CEST",
        "may",
        "March 15",
        "31-Foo-2024",
        "555-12-3456",
        "1/2",
        "2024-01-31+02:00",
        "A-1-2024",
        "99999999999-01-01",
        "2024年",
        "12:30Z",
        "é1",
        "1é",
        "12:30é",
        "2024-01-31é",
    ] {
        assert_eq!(Moment::of(cell), None, "{cell}");
    }
}

#[test]
fn two_digits_are_a_year_where_programs_agree_on_the_century() {
    let order = Some(DateOrder::DayMonthYear);
    for (cell, day) in [("01.01.29", (2029, 1, 1)), ("01.01.69", (1969, 1, 1)), ("01.01.00", (2000, 1, 1))] {
        assert_eq!(number(cell, order, TimeUnit::Days), days(day.0, day.1, day.2).map(|day| day as f64));
    }
    let date = Moment::of("01.01.55").unwrap().date.unwrap();
    assert!(date.days(order).is_none() && date.of_any_century(order));
    assert!(!Moment::of("32.01.55").unwrap().date.unwrap().of_any_century(order));
}
