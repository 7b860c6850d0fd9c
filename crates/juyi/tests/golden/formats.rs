//! Tables in each format; `formats/make_formats.py` made the files and says with which versions.

use juyi::context::Context;
use juyi::data::{Cells, Reading, Table, read_table};
use serde_json::{Value, json};

/// The parts of the spec in the folder of the files.
fn spec(case: &Value) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/formats/");
    let spec = case["spec"].as_str().expect("a spec");
    match spec.split_once(':') {
        Some((file, more)) if more.contains('.') => format!("{folder}{file}:{folder}{more}"),
        _ => format!("{folder}{spec}"),
    }
}

fn read(case: &Value, limit: u64) -> juyi::error::Result<Table> {
    let as_text: Vec<String> = serde_json::from_value(case["as_text"].clone()).expect("a list of names");
    read_table(&spec(case), &Reading { as_text, ..Reading::default() }, &Context::new(0, limit))
}

/// The cells as they stand in the JSON: null, a number or text.
fn cells(cells: &Cells, row: usize) -> Value {
    match cells {
        Cells::Numbers(numbers) if !numbers[row].is_nan() => json!(numbers[row]),
        Cells::Text { .. } => json!(cells.text(row)),
        Cells::Numbers(_) => Value::Null,
    }
}

#[test]
fn truth_values_of_parquet_are_known_as_such() {
    let case = json!({ "spec": "none-1.parquet", "as_text": [] });
    let table = read(&case, 1 << 20).expect("a table");
    assert_eq!(table.truths, ["d"]);
    let column = table.column("d").expect("a column");
    assert_eq!([0, 1].map(|row| table.written(column, row)), [Some("true".into()), Some("false".into())]);
}

#[test]
fn every_file_gives_the_table_that_was_written() {
    for case in super::cases("formats/expected").iter().filter(|case| case["refused"].is_null()) {
        let table = read(case, 1 << 20).unwrap_or_else(|error| panic!("{case}: {error}"));
        let columns: serde_json::Map<String, Value> = (table.columns.iter())
            .map(|column| {
                (column.name.clone(), (0..table.rows).map(|row| cells(&column.cells, row)).collect())
            })
            .collect();
        let names = |columns: &serde_json::Map<String, Value>| columns.keys().cloned().collect::<Vec<_>>();
        let expected = case["columns"].as_object().expect("columns");
        assert_eq!(names(&columns), names(expected), "{}", case["spec"]);
        for (name, cells) in &columns {
            assert_eq!(cells, &expected[name], "{}, column {name}", case["spec"]);
        }
        assert_eq!(json!(table.label), case["label"], "{}", case["spec"]);
        assert_eq!(json!(table.image), case["image"], "{}", case["spec"]);
        assert_eq!(table.sparse, case["sparse"] == json!(true), "{}", case["spec"]);
        assert_eq!(table.remark, case["remark"].as_str().unwrap_or_default().to_string(), "{}", case["spec"]);
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    for case in super::cases("formats/expected").iter().filter(|case| !case["refused"].is_null()) {
        let error = read(case, 1 << 20).map(|_| "no error").unwrap_err();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/formats/");
        let text = format!("{error}; {}", error.hint().unwrap_or_default()).replace(folder, "");
        let words = case["refused"].as_str().expect("words");
        assert!(text.contains(words), "{}: {text:?} does not say {words:?}", case["spec"]);
    }
}

/// Whatever the budget, it is kept to: files are read or refused, and the smallest budget refuses all.
#[test]
fn budgets_are_kept() {
    for case in super::cases("formats/expected").iter().filter(|case| case["refused"].is_null()) {
        let read = |limit: u64| read(case, limit);
        assert!(matches!(read(8), Err(juyi::error::Error::Memory { .. })), "{}", case["spec"]);
        let enough = (0..20).position(|power| read(1 << power).is_ok()).expect("1 MiB is enough");
        assert!((enough..20).all(|power| read(1 << power).is_ok()), "{}", case["spec"]);
    }
}

/// A column that is left out needs no cells that can be read.
#[test]
fn columns_that_cannot_be_read_can_be_left_out() {
    for (file, column) in [
        ("bad-delta-byte-array.parquet", "c"),
        ("bad-list.parquet", "b"),
        ("bad-record.parquet", "a"),
        ("bad-infinite.parquet", "a"),
        ("bad-large.parquet", "a"),
        ("bad-bytes.parquet", "a"),
        ("bad-fixed.parquet", "a"),
        ("types.npz:large", "x1"),
        ("types.npz:infinite", "x2"),
    ] {
        let case = json!({ "spec": file, "as_text": [] });
        let whole = |reading: &Reading| read_table(&spec(&case), reading, &Context::new(0, 1 << 20));
        let drop = Reading { drop: vec![column.into()], ..Reading::default() };
        let table = whole(&drop).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(table.unread, [column], "{file}");
        assert!(table.column(column).is_none() && table.rows > 0, "{file}");
        let kept = table.columns.iter().map(|column| column.name.clone()).collect();
        let only = whole(&Reading { only: Some(kept), ..Reading::default() }).expect("a table");
        assert_eq!(only, table, "{file}");
        let rename = vec![(column.to_string(), "other".to_string())];
        let renamed = Reading { rename: rename.clone(), drop: vec!["other".into()], ..Reading::default() };
        assert_eq!(whole(&renamed).expect("a table").renamed, rename, "{file}");
    }
}
