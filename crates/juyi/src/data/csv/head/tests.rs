//! Tests of the file above.

use super::*;
use crate::data::csv::read_from;
use crate::data::{Cells, Table};

fn read(text: &str) -> Result<Table> {
    read_from("t.csv", || Ok(text.as_bytes()), &[], 1 << 20)
}

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}

/// The cells as they would be written, row by row.
fn cells(text: &str) -> Vec<Vec<String>> {
    let table = read(text).unwrap();
    let row = |row| table.columns.iter().map(|c| c.cells.text(row).unwrap_or_default()).collect();
    (0..table.rows).map(row).collect()
}

#[test]
fn the_separator_is_the_one_that_the_rows_bear_out() {
    for (text, first) in [
        ("a,b\n1,2\n", ["1", "2"]),
        ("a|b\n1|2\n", ["1", "2"]),
        ("a\tb\n1\t2,5\n", ["1", "2,5"]),
        ("weight, kg;height\n70,5;1\n", ["70,5", "1"]),
        ("weight, kg;height, m\n70,5;1,8\n", ["70,5", "1,8"]),
        ("a,b|c\n1,x\n", ["1", "x"]),
        ("\"a|b\",c\n1,2\n", ["1", "2"]),
        ("sep=;\na;b\n1;2\n", ["1", "2"]),
        ("\"sep=|\"\r\na|b\r\n1|2\r\n", ["1", "2"]),
        ("sep=\t\na\tb\n1\t2\n", ["1", "2"]),
        ("a   b\n 1  2 \n3 4\n", ["1", "2"]),
    ] {
        assert_eq!(cells(text)[0], first, "{text:?}");
    }
    assert_eq!(names(&read("first name\nada\n").unwrap()), ["first name"]);
    assert_eq!(read("a  b\n1 2\n").unwrap().notes, ["cells are separated by blanks"]);
}

#[test]
fn comments_above_the_header_are_told_from_a_header_that_begins_like_one() {
    for (text, found, rows) in [
        ("# of 2024\n% by hand, twice\na,b\n1,2\n", vec!["a", "b"], 1),
        ("# it's 5\" long\na,b\n1,2\n", vec!["a", "b"], 1),
        ("#id,x\n1,2\n3,4\n", vec!["#id", "x"], 2),
        ("#id,x\nu,v\n", vec!["#id", "x"], 1),
        ("# made, today\na,b\n1,2\n", vec!["a", "b"], 1),
        ("# made by numpy\n# a,b\n1.5,2\n", vec!["a", "b"], 1),
        ("#id,x\n", vec!["#id", "x"], 0),
    ] {
        let table = read(text).unwrap();
        assert_eq!((names(&table), table.rows), (found, rows), "{text:?}");
    }
    let table = read("# one\n\n# two\na,b\n\n1,2\n").unwrap();
    assert_eq!(table.notes, ["2 comment lines above the header"]);
    assert_eq!(table.lines.of(0), Some(6));
    assert_eq!(read("#id,x\n1,2\n").unwrap().lines.of(0), Some(2));
}

#[test]
fn separators_at_the_ends_of_lines_and_names_of_rows() {
    for text in ["a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n"] {
        let table = read(text).unwrap();
        assert_eq!((names(&table), table.rows), (vec!["a", "b"], 2), "{text:?}");
    }
    assert_eq!(names(&read("a,b,\n1,2,\n3,4,5\n").unwrap()), ["a", "b", "column 3"]);
    for text in
        ["\"\",\"a\"\n\"r1\",1\n\"r2\",2\n", "a\n1,5\n2,6\n", ",a\n17,1\n4,2\n", "a b\nx 1 2\ny 3 4\n"]
    {
        assert_eq!(read(text).unwrap().row_names.as_deref(), Some("column 1"), "{text:?}");
    }
    assert_eq!(read(",a\nx,1\nx,2\n").unwrap().row_names, None);
    assert!(read("a,b\n1.5,2,3\n0.5,2,3\n").is_err());
}

#[test]
fn a_header_of_numbers_is_data_or_said() {
    assert!(read("5.1,3.5\n4.9,3.0\n").unwrap_err().to_string().contains("numbers only"));
    assert!(read("1,1\n2,3\n").unwrap_err().to_string().contains("numbers only"));
    assert!(read("0,1,2\n5,6,7\n").unwrap().notes.is_empty());
    assert_eq!(read("3,1,2\n5,6,7\n").unwrap().notes.len(), 1);
}

#[test]
fn carriage_returns_alone_end_lines() {
    let table = read("a,b\r1,2\r3,x\r").unwrap();
    assert_eq!((names(&table), table.rows), (vec!["a", "b"], 2));
    assert_eq!(table.lines.of(1), Some(3));
    assert!(matches!(&table.columns[0].cells, Cells::Numbers(numbers) if numbers == &[1.0, 3.0]));
}
