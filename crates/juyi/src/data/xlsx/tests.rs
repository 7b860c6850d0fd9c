//! Tests of the file above.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// A workbook of these sheets, each with its rows as Excel writes them; style 1 is a date.
fn workbook(sheets: &[(&str, &str, &str)], properties: &str) -> Vec<u8> {
    const MAIN: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
                        xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
    const RELATION: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |name: &str, text: &str| {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    };
    let (mut list, mut relations) = (String::new(), String::new());
    for (i, (name, state, rows)) in sheets.iter().enumerate() {
        let i = i + 1;
        write!(list, "<sheet name=\"{name}\" sheetId=\"{i}\" r:id=\"r{i}\" {state}/>").unwrap();
        let target = format!("{RELATION}/worksheet\" Target=\"worksheets/sheet{i}.xml");
        write!(relations, "<Relationship Id=\"r{i}\" Type=\"{target}\"/>").unwrap();
        put(
            &format!("xl/worksheets/sheet{i}.xml"),
            &format!(
                "<worksheet {MAIN}><dimension ref=\"A1:XFD1048576\"/><sheetData>{rows}</sheetData></worksheet>"
            ),
        );
    }
    write!(relations, "<Relationship Id=\"s\" Type=\"{RELATION}/styles\" Target=\"styles.xml\"/>").unwrap();
    let package = "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"";
    put(
        "_rels/.rels",
        &format!(
            "<Relationships {package}><Relationship Id=\"w\" Type=\"{RELATION}/officeDocument\" \
             Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    );
    put("xl/workbook.xml", &format!("<workbook {MAIN}>{properties}<sheets>{list}</sheets></workbook>"));
    put("xl/_rels/workbook.xml.rels", &format!("<Relationships {package}>{relations}</Relationships>"));
    put(
        "xl/styles.xml",
        &format!(
            "<styleSheet {MAIN}><numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"[h]:mm\"/></numFmts>\
             <cellXfs count=\"3\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>"
        ),
    );
    archive.finish().unwrap().into_inner()
}

/// A row of cells: a letter and a number is a position, the rest a value; `d` before it makes it a date, `h` a duration,
/// `b` a truth value, `e` an error, `n` a number.
fn row(number: usize, cells: &[&str]) -> String {
    let cell = |(j, cell): (usize, &&str)| {
        let at = format!("{}{number}", char::from(b'A' + j as u8));
        let (kind, value) = cell.split_at_checked(1).unwrap_or_default();
        match kind {
            "" => String::new(),
            "d" => format!("<c r=\"{at}\" s=\"1\"><v>{value}</v></c>"),
            "h" => format!("<c r=\"{at}\" s=\"2\"><v>{value}</v></c>"),
            "b" | "e" => format!("<c r=\"{at}\" t=\"{kind}\"><v>{value}</v></c>"),
            "n" => format!("<c r=\"{at}\"><v>{value}</v></c>"),
            _ => format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{value}</t></is></c>"),
        }
    };
    format!("<row r=\"{number}\">{}</row>", cells.iter().enumerate().map(cell).collect::<String>())
}

fn one(rows: &[(usize, &[&str])]) -> Vec<u8> {
    let rows: String = rows.iter().map(|(number, cells)| row(*number, cells)).collect();
    workbook(&[("Data", "", &rows)], "")
}

fn of(bytes: &[u8], sheet: Option<&str>, as_text: &[&str]) -> Result<Table> {
    let as_text: Vec<String> = as_text.iter().map(ToString::to_string).collect();
    read("b.xlsx", Cursor::new(bytes), sheet, &Reading { as_text, ..Reading::default() }, 1 << 24)
}

fn problem(bytes: &[u8]) -> String {
    of(bytes, None, &[]).unwrap_err().to_string()
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    let Cells::Numbers(numbers) = &table.column(name).unwrap().cells else { panic!("`{name}` is text") };
    numbers.clone()
}

fn texts(table: &Table, name: &str) -> Vec<Option<String>> {
    (0..table.rows).map(|row| table.column(name).unwrap().cells.text(row)).collect()
}

#[test]
fn a_word_that_is_kept_is_a_value_of_text_and_missing_among_numbers() {
    let bytes = one(&[
        (1, &[" country", " age", " day", " alone"]),
        (2, &[" NA", "n31", "d45322", " NA"]),
        (3, &[" DE", " NA", " NA", ""]),
        (4, &[" None", " 27", "d45323", ""]),
    ]);
    let reading = Reading { keep_values: vec!["NA".into()], ..Reading::default() };
    let table = read("b.xlsx", Cursor::new(&bytes), None, &reading, 1 << 24).unwrap();
    assert_eq!(texts(&table, "country"), [Some("NA".into()), Some("DE".into()), None]);
    assert_eq!(texts(&table, "alone"), [Some("NA".into()), None, None]);
    assert_eq!(table.absent("country"), [("None".to_string(), 1)]);
    let (age, day) = (numbers(&table, "age"), numbers(&table, "day"));
    assert!(age[0] == 31.0 && age[1].is_nan() && age[2] == 27.0 && day[1].is_nan());
    assert_eq!(table.times["day"], TimeUnit::Days);
}

#[test]
fn cells_of_each_kind_are_read_and_blank_rows_around_them_are_not() {
    let bytes = one(&[
        (3, &[" number", " day", " moment", " clock", " truth", " word", " code", " long", " mixed"]),
        (4, &["n1.5", "d45322", "d45322.5", "d0.520833333333333", "b1", " red", " 007", "h1.5", "n1"]),
        (6, &["e#N/A", "d59", "d45323", "d0.75", "b0", " N/A", " 8", "h0.25", " x"]),
        (7, &["n-2", "d61", "d1.25", "d0", "b1", "", "", "", "b1"]),
    ]);
    let table = of(&bytes, None, &[]).unwrap();
    assert_eq!((table.rows, table.columns.len()), (3, 9));
    let number = numbers(&table, "number");
    assert!(number[0] == 1.5 && number[1].is_nan() && number[2] == -2.0);
    // 2024-01-31, 1900-02-28, 1900-03-01.
    assert_eq!(numbers(&table, "day"), [19_753.0, -25_509.0, -25_508.0]);
    assert_eq!(numbers(&table, "moment")[..2], [19_753.5 * 86_400.0, 19_754.0 * 86_400.0]);
    assert_eq!(numbers(&table, "clock"), [45_000.0, 64_800.0, 0.0]);
    assert_eq!(table.times["day"], TimeUnit::Days);
    assert_eq!(table.times["moment"], TimeUnit::Seconds);
    assert_eq!(table.times["clock"], TimeUnit::SecondsOfDay);
    let truth = ["true", "false", "true"].map(|truth| Some(truth.to_string()));
    assert_eq!(texts(&table, "truth"), truth);
    assert_eq!(texts(&table, "word"), [Some("red".to_string()), None, None]);
    assert_eq!(table.absent("word"), [("N/A".to_string(), 1)]);
    assert_eq!(numbers(&table, "code")[..2], [7.0, 8.0]);
    assert_eq!(numbers(&table, "long")[..2], [129_600.0, 21_600.0]);
    assert_eq!(texts(&table, "mixed")[0], Some("1".into()));
    assert_eq!(table.remark, "numbers that are stored as text are read as numbers: column `code`");
    let rows = row(1, &[" n", " m"]) + &row(2, &[" 1.234", " 1.5"]);
    let points = of(&workbook(&[("Data", "", &rows)], ""), None, &[]).unwrap().seen;
    assert_eq!((points["n"].points, points["m"].points), (Points::Either, Points::Decimal));
    let table = of(&bytes, None, &["code", "day"]).unwrap();
    assert_eq!(texts(&table, "code")[0], Some("007".into()));
    assert_eq!(texts(&table, "day")[0], Some("2024-01-31".into()));
}

#[test]
fn days_may_be_counted_from_1904() {
    let rows = row(1, &[" d"]) + &row(2, &["d43860"]);
    let bytes = workbook(&[("Data", "", &rows)], "<workbookPr date1904=\"1\"/>");
    assert_eq!(numbers(&of(&bytes, None, &[]).unwrap(), "d"), [19_753.0]);
}

#[test]
fn sheets_are_chosen_by_name_and_hidden_ones_passed_by() {
    let rows = |value| row(1, &[" a"]) + &row(2, &[value]);
    let (first, second, third) = (rows("n1"), rows("n2"), rows("n3"));
    let bytes =
        workbook(&[("Old", "state=\"hidden\"", &first), ("Now", "", &second), ("Then", "", &third)], "");
    let table = of(&bytes, None, &[]).unwrap();
    assert_eq!(numbers(&table, "a"), [2.0]);
    assert_eq!(table.remark, "sheet `Now` is read; sheets of the file: `Old`, `Now`, `Then`");
    assert_eq!(numbers(&of(&bytes, Some("Old"), &[]).unwrap(), "a"), [1.0]);
    let error = of(&bytes, Some("now"), &[]).unwrap_err();
    assert_eq!(error.to_string(), "`b.xlsx`: has no sheet `now`");
    assert_eq!(error.hint().unwrap(), "sheets of the file: `Old`, `Now`, `Then`");
}

#[test]
fn rows_are_counted_as_excel_does_and_codes_are_seen() {
    let rows: &[(usize, &[&str])] = &[(2, &[" a", " b"]), (3, &[" 07", "n1"]), (6, &[" 1", "n2"])];
    let table = of(&one(rows), None, &[]).unwrap();
    assert_eq!((table.place(0), table.place(1)), ("`b.xlsx`, row 3".into(), "`b.xlsx`, row 6".into()));
    assert_eq!(table.select(&[1]).place(0), "`b.xlsx`, row 6");
    assert_eq!(numbers(&table, "a"), [7.0, 1.0]);
    assert_eq!(table.seen["a"].code.as_deref(), Some("07"));
    assert!(!table.seen.contains_key("b"));
    let text = of(&one(rows), None, &["a"]).unwrap();
    assert!(text.seen.is_empty() && text.column("a").unwrap().cells.text(0).as_deref() == Some("07"));
}

#[test]
fn what_is_no_table_is_refused_by_cell_or_row() {
    let title: &[(usize, &[&str])] = &[(1, &[" Results"]), (3, &[" a", " b"]), (4, &["n1", "n2"])];
    assert_eq!(
        problem(&one(title)),
        "`b.xlsx`, sheet `Data`: row 1 has one cell, row 3 looks like the names of the columns"
    );
    let failed: &[(usize, &[&str])] = &[(1, &[" a", " b"]), (15, &["n1", "e#DIV/0!"])];
    assert_eq!(problem(&one(failed)), "`b.xlsx`, cell `Data!B15`: is `#DIV/0!`, a formula that failed");
    assert_eq!(problem(&one(&[])), "`b.xlsx`, sheet `Data`: is empty");
    assert_eq!(problem(&one(&[(1, &[" a", " a"])])), "`b.xlsx`, sheet `Data`: has two columns named `a`");
    let formula = row(1, &[" a"]) + "<row r=\"2\"><c r=\"A2\"><f>1+1</f></c></row>";
    let formula = workbook(&[("Data", "", &formula)], "");
    assert_eq!(problem(&formula), "`b.xlsx`, cell `Data!A2`: is a formula without its result");
    let result = row(1, &[" a", " b"])
        + "<row r=\"2\"><c r=\"A2\"><f>1+1</f><v>2</v></c><c r=\"B2\" t=\"str\"><f>\"\"</f><v></v></c></row>";
    let result = of(&workbook(&[("Data", "", &result)], ""), None, &[]).unwrap();
    assert!(numbers(&result, "a") == [2.0] && numbers(&result, "b")[0].is_nan());
    let twice = row(1, &[" a"]) + &row(2, &["n1"]) + &row(2, &["n2"]);
    assert!(problem(&workbook(&[("Data", "", &twice)], "")).contains("its cells are out of order"));
    let unnamed = of(&one(&[(1, &[" a", "", " c"]), (2, &["n1", "n2", "n3"])]), None, &[]).unwrap();
    assert_eq!(numbers(&unnamed, "column 2"), [2.0]);
    assert!(unnamed.seen["column 2"].unnamed && !unnamed.seen.contains_key("a"));
    assert!(problem(b"PK\x03\x04 no archive").starts_with("`b.xlsx`: is not a sound .xlsx workbook"));
    assert_eq!(place("b", "S", 0, 25), "`b`, cell `S!Z1`");
    assert_eq!(place("b", "S", 0, 26), "`b`, cell `S!AA1`");
    assert_eq!(place("b", "S", 0, 16_383), "`b`, cell `S!XFD1`");
}

#[test]
fn what_unpacks_to_too_much_is_refused_and_damage_never_ends_in_a_panic() {
    let bytes = one(&[(1, &[" a", " b"]), (2, &["n1", "d45322"])]);
    for limit in [0, 100, 10_000] {
        let error = read("b.xlsx", Cursor::new(&bytes), None, &Reading::default(), limit);
        assert!(matches!(error, Err(Error::Memory { .. })), "{limit}");
    }
    let blanks = format!("{}{}", row(1, &[" a"]), " ".repeat(1 << 25));
    let bomb = workbook(&[("Data", "", &blanks)], "");
    assert!(bomb.len() < 1 << 17, "{}", bomb.len());
    assert!(matches!(of(&bomb, None, &[]), Err(Error::Memory { .. })));
    for at in 0..bytes.len() {
        let _ = of(&bytes[..at], None, &[]);
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        let _ = of(&flipped, None, &[]);
    }
}

#[test]
fn numbers_of_dates_are_written_as_dates() {
    for (seconds, of_day, text) in [
        (0.0, false, "1970-01-01"),
        (-1.0, false, "1969-12-31 23:59:59"),
        (19_782.0 * DAY + 45_000.0, false, "2024-02-29 12:30:00"),
        (-719_162.0 * DAY, false, "0001-01-01"),
        (2_932_896.0 * DAY, false, "9999-12-31"),
        (45_000.5, true, "12:30:00.5"),
    ] {
        assert_eq!(calendar(seconds, of_day), text);
    }
}

/// `calamine` makes room for them.
#[test]
fn texts_that_a_part_only_claims_are_counted() {
    assert_eq!(parts::claimed(b"<sst count=\"9\" uniqueCount = '123'>"), 123);
    assert_eq!(parts::claimed(b"<sst uniqueCount=\"99999999999999999999\">"), u64::MAX);
    assert_eq!(parts::claimed(b"<sst>"), 0);
}
