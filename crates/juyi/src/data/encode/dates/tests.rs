//! Tests of the file above.

use super::*;
use crate::data::csv::read_from;
use crate::data::{Column, Missing};

fn table(name: &str, text: &str) -> Table {
    read_from(name, || Ok(text.as_bytes()), &["y".to_string()], 1 << 30).unwrap()
}

/// A column `d` with these cells, and another one.
fn column(name: &str, cells: &[&str]) -> Table {
    let rows: Vec<String> = cells.iter().enumerate().map(|(i, cell)| format!("u,\"{cell}\",{i}")).collect();
    table(name, &format!("y,d,a\n{}\n", rows.join("\n")))
}

/// A column `d` of numbers that a format says to be times.
fn typed(name: &str, numbers: &[f64], unit: TimeUnit) -> Table {
    let mut table = column(name, &vec!["1"; numbers.len()]);
    table.columns[1] = Column { name: "d".into(), cells: Cells::Numbers(numbers.to_vec()) };
    table.times.insert("d".into(), unit);
    table
}

fn decide(source: &Table, target: &Table) -> Result<(Encoding, Vec<String>)> {
    let mut context = Context::default();
    let sources = std::slice::from_ref(source);
    let encoding = Encoding::decide(sources, target, "y", &[], &[], Missing::Mean, &mut context)?;
    Ok((encoding, context.notices().iter().map(|notice| notice.text.clone()).collect()))
}

/// The numbers of `d`.
fn values(encoding: &Encoding, mut table: Table) -> Result<Vec<f64>> {
    let (x, _) = encoding.apply(&mut table, &mut Context::default())?;
    Ok(x.col(0).iter().copied().collect())
}

const JANUARY: f64 = 19_753.0; // 2024-01-31

#[test]
fn dates_become_days_and_missing_ones_the_mean_of_the_source() {
    let (source, target) = (column("old", &["2024-01-31", "", "2024-02-02"]), column("new", &["1969-12-31"]));
    let (encoding, said) = decide(&source, &target).unwrap();
    assert_eq!(said, ["column `d` holds dates (year-month-day): days since 1970"]);
    let kind = &encoding.columns[0].kind;
    assert_eq!(*kind, Kind::Date { order: None, unit: TimeUnit::Days, mean: JANUARY + 1.0 });
    assert_eq!(values(&encoding, source).unwrap(), [JANUARY, JANUARY + 1.0, JANUARY + 2.0]);
    assert_eq!(values(&encoding, target).unwrap(), [-1.0]);
    // Later tables: with a time, and with none at all.
    assert_eq!(values(&encoding, column("later", &["2024-01-31 12:00"])).unwrap(), [JANUARY + 0.5]);
    assert_eq!(values(&encoding, column("later", &[""])).unwrap(), [JANUARY + 1.0]);
    let written = serde_json::to_string(kind).unwrap();
    assert_eq!(written, r#"{"date":{"order":null,"unit":"days","mean":19754.0}}"#);
    assert_eq!(serde_json::from_str::<Kind>(&written).unwrap(), *kind);
}

#[test]
fn a_value_above_twelve_in_any_table_tells_day_from_month() {
    let ambiguous = ["01/02/2024", "03/04/2024"];
    for (other, order, first) in [
        ("13/04/2024", DateOrder::DayMonthYear, JANUARY + 1.0),
        ("04/13/2024", DateOrder::MonthDayYear, JANUARY - 29.0),
    ] {
        let (encoding, said) = decide(&column("old", &ambiguous), &column("new", &[other])).unwrap();
        assert!(said[0].contains(&order.words('/')), "{said:?}");
        assert_eq!(values(&encoding, column("old", &ambiguous)).unwrap()[0], first);
        // The order of the fit holds for later tables, whatever they could be.
        assert_eq!(values(&encoding, column("later", &["01/02/2024"])).unwrap(), [first]);
    }
    let (encoding, said) = decide(&column("old", &ambiguous), &column("new", &["05/06/2024"])).unwrap();
    assert_eq!(encoding.columns.len(), 1, "only `a` is left");
    assert_eq!(
        said,
        [
            "column `d` is left out: its dates such as `01/02/2024` may be day/month/year or month/day/year; say \
          `‹date-order day-first›` or `month-first`, write them as 2024-01-31, or `‹drop d›`"
        ]
    );
    let error = decide(&column("old", &["13/01/2024"]), &column("new", &["01/13/2024"])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`new`, line 2, column `d`: `01/13/2024` stands where the other cells are dates (day/month/year)"
    );
}

/// A table that was read with this order asked for.
fn said(order: DateOrder, table: &Table) -> Table {
    Table { date_order: Some(order), ..table.clone() }
}

#[test]
fn a_table_that_does_not_tell_day_from_month_is_named() {
    let (told, untold) = (column("old", &["13/01/2024", "02/01/2024"]), column("new", &["05/06/2024"]));
    let (encoding, _) = decide(&told, &untold).unwrap();
    let notices = |table: &Table| -> Vec<String> {
        let mut context = Context::default();
        encoding.apply(&mut table.clone(), &mut context).unwrap();
        context.notices().iter().map(|notice| notice.text.clone()).collect()
    };
    assert_eq!(
        notices(&untold),
        [
            "`new`, column `d`: nothing in this table tells day from month in dates such as `05/06/2024`; as elsewhere \
          they are taken for day/month/year: `‹date-order day-first›` or `‹date-order month-first›` says which they are"
        ]
    );
    for clear in
        [&told, &column("new", &["05/05/2024", "2024-06-05"]), &said(DateOrder::DayMonthYear, &untold)]
    {
        assert_eq!(notices(clear), [""; 0]);
    }
    // Said to be the other way, it is read so; what cannot be is read as elsewhere.
    let june_fifth = JANUARY - 30.0 + 156.0;
    let may_sixth = june_fifth - 30.0;
    assert_eq!(values(&encoding, untold.clone()).unwrap(), [june_fifth]);
    assert_eq!(values(&encoding, said(DateOrder::MonthDayYear, &untold)).unwrap(), [may_sixth]);
    assert_eq!(values(&encoding, said(DateOrder::MonthDayYear, &told)).unwrap()[0], JANUARY - 18.0);
    assert_eq!(
        values(&encoding, said(DateOrder::MonthDayYear, &column("x", &["05.06.2024"]))).unwrap(),
        [may_sixth]
    );
}

#[test]
fn an_order_that_is_said_serves_where_nothing_tells_it() {
    let table = column("old", &["01/02/2024", "03/04/2024"]);
    for (order, first) in
        [(DateOrder::DayMonthYear, JANUARY + 1.0), (DateOrder::MonthDayYear, JANUARY - 29.0)]
    {
        let said = said(order, &table);
        let (encoding, notices) = decide(&said, &said).unwrap();
        assert_eq!(notices, [format!("column `d` holds dates ({}): days since 1970", order.name())]);
        assert_eq!(values(&encoding, table.clone()).unwrap()[0], first, "kept in the model");
    }
}

#[test]
fn a_table_in_the_other_order_throughout_is_said_to_be() {
    let (old, new) =
        (column("old", &["13/01/2024", "02/01/2024"]), column("new", &["01/13/2024", "02/01/2024"]));
    let hint = |error: Error| error.hint().unwrap_or_default();
    let expected =
        "all dates of `new` are month/day/year: write them as 2024-01-31, or say `‹date-order month-first›`";
    assert_eq!(hint(decide(&old, &new).unwrap_err()), expected);
    let (encoding, _) = decide(&old, &old).unwrap();
    assert_eq!(hint(values(&encoding, new.clone()).unwrap_err()), expected);
    // As the message says.
    let said_new = said(DateOrder::MonthDayYear, &new);
    let (encoding, _) = decide(&said(DateOrder::MonthDayYear, &old), &said_new).unwrap();
    assert_eq!(values(&encoding, said_new).unwrap(), [JANUARY - 18.0, JANUARY + 1.0]);
    assert_eq!(values(&encoding, old).unwrap(), [JANUARY - 18.0, JANUARY - 29.0]);
}

#[test]
fn dates_that_stand_for_a_missing_one_are_named_as_they_are_written() {
    let mut days: Vec<String> = (1..29).map(|day| format!("{day:02}/02/2024")).collect();
    days.extend(["01/01/1900".into(), "01/01/1900".into()]);
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    let (_, said) = decide(&column("old", &days), &column("new", &["2024-02-03"])).unwrap();
    assert_eq!(
        said[1],
        "column `d`: 1900-01-01 stands in 2 cells, far from all other dates; if it means that they are missing, add \
         `‹missing-values \"01/01/1900\"›`"
    );
    let (_, said) = decide(&column("old", &days[..28]), &column("new", &["2024-02-03"])).unwrap();
    assert!(said.iter().all(|text| !text.contains("far from")), "{said:?}");
}

#[test]
fn points_stand_behind_the_day_and_years_of_two_digits_are_said() {
    let (encoding, said) =
        decide(&column("old", &["31.01.24", "1.2.24"]), &column("new", &["02.02.24"])).unwrap();
    assert_eq!(values(&encoding, column("old", &["31.01.24", "1.2.24"])).unwrap(), [JANUARY, JANUARY + 1.0]);
    let years = "years 00 to 29 are 2000 to 2029, 69 to 99 are 1969 to 1999";
    assert_eq!(said, [format!("column `d` holds dates (day.month.year): days since 1970; {years}")]);
    let (encoding, said) = decide(&column("old", &["31.01.55"]), &column("new", &["01.02.24"])).unwrap();
    assert!(
        encoding.columns.len() == 1 && said[0].contains("`31.01.55` has two digits and may be"),
        "{said:?}"
    );
    let (_, said) = decide(&column("old", &["24-01-12"]), &column("new", &["25-02-11"])).unwrap();
    assert!(said[0].contains("day-month-year or year-month-day"), "{said:?}");
}

#[test]
fn a_day_that_there_is_not_is_named_and_so_is_a_word_among_dates() {
    let error = |source: &[&str]| {
        let error = decide(&column("old", source), &column("new", &["01.02.2024"])).unwrap_err();
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    let none = error(&["31.01.2024", "31.02.2024"]);
    assert!(none.starts_with("`old`, line 3, column `d`: `31.02.2024` stands where"), "{none}");
    assert!(none.contains("; there is no such day"), "{none}");
    let mut cells = vec!["31.01.2024"; 20];
    cells[4] = "soon";
    assert!(
        error(&cells)
            .starts_with("`old`, line 6, column `d`: `soon` stands where the other cells are dates (day")
    );
    // Words that are as many as dates are text, and so are versions.
    let (encoding, said) =
        decide(&column("old", &["soon", "31.01.2024"]), &column("new", &["soon"])).unwrap();
    assert!(matches!(encoding.columns[0].kind, Kind::Text { .. }) && said.is_empty(), "{said:?}");
    let (encoding, said) =
        decide(&column("old", &["1.10.12", "1.10.99"]), &column("new", &["0.13.12"])).unwrap();
    assert!(matches!(encoding.columns[0].kind, Kind::Text { .. }), "{said:?}");
    assert!(said[0].contains("cells are dates or times, treated as text"), "{said:?}");
}

#[test]
fn text_agrees_with_formats_that_have_a_type_for_dates() {
    let text = column("old", &["2024-01-31"]);
    for (numbers, unit, in_text) in [
        ([JANUARY], TimeUnit::Days, JANUARY),
        ([JANUARY * 86_400.0 + 60.0], TimeUnit::Seconds, JANUARY * 86_400.0),
    ] {
        let other = typed("new", &numbers, unit);
        let (encoding, _) = decide(&text, &other).unwrap();
        assert_eq!(values(&encoding, other.clone()).unwrap(), numbers);
        assert_eq!(values(&encoding, text.clone()).unwrap(), [in_text]);
        let (encoding, said) = decide(&other, &other).unwrap();
        assert!(said.iter().all(|said| !said.contains("holds")), "{said:?}");
        assert_eq!(values(&encoding, text.clone()).unwrap(), [in_text]);
    }
    let (encoding, _) =
        decide(&column("old", &["12:30"]), &typed("new", &[45_060.0], TimeUnit::SecondsOfDay)).unwrap();
    assert_eq!(values(&encoding, column("old", &["12:30"])).unwrap(), [45_000.0]);
    let problem = |source: &Table, target: &Table| {
        let (encoding, _) = decide(source, target)?;
        values(&encoding, target.clone())
    };
    let error = problem(&text, &typed("new", &[5.0], TimeUnit::SecondsOfDay)).unwrap_err().to_string();
    assert!(error.contains("`2024-01-31` stands where the other cells are times of day"), "{error}");
    let error =
        problem(&typed("old", &[5.0], TimeUnit::Days), &column("new", &["7"])).unwrap_err().to_string();
    assert_eq!(error, "`new`, line 2, column `d`: `7` is a number, the column holds dates elsewhere");
    let error = problem(&typed("old", &[5.0], TimeUnit::Days), &typed("new", &[5.0], TimeUnit::SecondsOfDay));
    assert_eq!(
        error.unwrap_err().to_string(),
        "`new`, column `d`: holds times of day, it was dates elsewhere"
    );
}

#[test]
fn later_cells_that_are_no_dates_of_that_order_are_named() {
    let (encoding, _) = decide(&column("old", &["2024-01-31"]), &column("new", &["2024-02-01"])).unwrap();
    let problem = |cell: &str| {
        let error = values(&encoding, column("later", &["2024-01-31", cell])).unwrap_err();
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    assert_eq!(
        problem("01/02/2024"),
        "`later`, line 3, column `d`: `01/02/2024` stands where the other cells are dates (2024-01-31); its day and \
         month may be exchanged: write it as 2024-01-31, or say `‹date-order day-first›` or `month-first`"
    );
    assert!(problem("2024-02-30").ends_with("leave it empty and use `‹missing›`, or `‹drop›` the column"));
    assert!(problem("x").starts_with("`later`, line 3, column `d`: `x` stands where"));
    assert!(values(&encoding, column("later", &["7"])).unwrap_err().to_string().contains("`7` is a number"));
}

#[test]
fn zones_that_only_some_times_have_are_warned_of() {
    let cells = ["2024-01-31T02:00:00+02:00", "2024-01-31T00:00:00"];
    let (encoding, said) = decide(&column("old", &cells), &column("new", &cells)).unwrap();
    assert!(said[1].contains("those without are taken for UTC"), "{said:?}");
    assert_eq!(values(&encoding, column("old", &cells)).unwrap(), [JANUARY * 86_400.0; 2]);
}

#[test]
fn a_day_a_row_is_no_identifier_and_never_a_feature_a_day() {
    let cells: Vec<String> = (1..=28).map(|day| format!("2024-02-{day:02}")).collect();
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let (encoding, said) = decide(&column("old", &cells), &column("new", &cells)).unwrap();
    assert_eq!(encoding.width(), 2);
    assert!(said[0].starts_with("column `d` holds dates"), "{said:?}");
    let words: Vec<String> = (0..30).map(|i| format!("w{}", i.max(8))).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (_, said) = decide(&column("old", &words), &column("new", &words)).unwrap();
    assert!(said[0].starts_with("text column `d`: 21 of 30 cells have a value that occurs once"), "{said:?}");
}

#[test]
fn numbers_that_look_like_dates_are_warned_of() {
    let (_, said) = decide(&column("old", &["20240131", ""]), &column("new", &["19991231"])).unwrap();
    assert!(said[0].contains("numbers such as 20240131 look like dates"), "{said:?}");
    for other in ["20240132", "2024013.5", "7"] {
        let (_, said) = decide(&column("old", &["20240131"]), &column("new", &[other])).unwrap();
        assert!(said.iter().all(|said| !said.contains("look like dates")), "{said:?}");
    }
}

#[test]
fn days_and_months_that_a_spreadsheet_exchanged_are_warned_of() {
    let (iso, text): (Vec<String>, Vec<String>) =
        (1..=6).map(|k| (format!("2023-0{k}-1{}", k % 3), format!("0{k}/{}/2023", 20 + k))).unzip();
    let cells: Vec<&str> = iso.iter().chain(&text).map(String::as_str).collect();
    let plain = column("old", &["2023-03-14"; 3]);
    let said = decide(&plain, &column("new", &cells)).unwrap().1;
    assert!(
        said.iter().any(|text| text.starts_with("`new`, column `d`: days are up to 12 in all")),
        "{said:?}"
    );
    // Where a day beyond 12 stands among the former, nothing was exchanged.
    let cells: Vec<&str> = cells.into_iter().chain(["2023-01-31"]).collect();
    let said = decide(&plain, &column("new", &cells)).unwrap().1;
    assert!(said.iter().all(|text| !text.contains("exchanged")), "{said:?}");
}
