//! Tests of the file above.

use super::*;
use crate::data::Cells;

fn read(text: &str) -> Result<Table> {
    read_from("t.csv", || Ok(text.as_bytes()), &[], 1 << 20)
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap().cells {
        Cells::Numbers(numbers) => numbers.clone(),
        Cells::Text { .. } => panic!("`{name}` is text"),
    }
}

#[test]
fn quotes_byte_order_mark_blank_lines_and_each_separator() {
    for separator in [",", ";", "\t"] {
        let text = format!(
            "\u{feff}a{separator}\"b {separator} \"\"x\"\"\"\r\n1{separator}-2.5e3\r\n\r\n 3 {separator}4\n"
        );
        let table = read(&text).unwrap();
        assert_eq!(table.rows, 2, "{separator:?}");
        assert_eq!(numbers(&table, "a"), [1.0, 3.0]);
        assert_eq!(numbers(&table, &format!("b {separator} \"x\"")), [-2500.0, 4.0]);
    }
}

#[test]
fn text_is_kept_as_written_and_missing_cells_are_seen() {
    let table = read("a,b\n007,1\nx,?\n,3\n").unwrap();
    let a = &table.column("a").unwrap().cells;
    assert_eq!((a.text(0), a.text(1), a.text(2)), (Some("007".into()), Some("x".into()), None));
    let b = numbers(&table, "b");
    assert!(b[0] == 1.0 && b[1].is_nan() && b[2] == 3.0);
    let label = read_from("t", || Ok(&b"y\n01\n1\n"[..]), &["y".into()], 1 << 20).unwrap();
    assert_eq!(label.columns[0].cells.text(0), Some("01".into()));
}

#[test]
fn what_is_wrong_is_named_with_row_and_column() {
    let problem = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(problem(""), "`t.csv`: is empty");
    assert_eq!(problem("a,a\n1,2\n"), "`t.csv`: has two columns named `a`");
    assert_eq!(problem("a,b\n1,2\n3\n"), "`t.csv`, line 3: has 1 cells, the header names 2 columns");
    assert_eq!(problem("a,b\n1,inf\n"), "`t.csv`, line 2, column `b`: `inf` is not finite");
    assert!(problem("a\0b").contains("not a table of text"));
    let long = "a\n".to_string() + &"1\n".repeat(200_000);
    assert!(matches!(read(&long), Err(Error::Memory { .. })));
    let tiny = read_from("t.csv", || Ok(&b"a,b\n1,2\n"[..]), &[], 8).unwrap_err().to_string();
    assert!(tiny.starts_with("the header of `t.csv` needs"), "{tiny}");
    assert!(problem(&",".repeat(4999)).starts_with("`t.csv` with 5000 columns needs 1.2 MiB"));
    assert!(problem(&format!("a\n{}\n", ",".repeat(1 << 17))).starts_with("`t.csv`, line 2 alone needs"));
}

/// Each line break in it is looked at once.
#[test]
fn a_quoted_name_may_hold_many_lines() {
    let name = "\n".repeat(200_000);
    let table =
        read_from("t.csv", || Ok(std::io::Cursor::new(format!("\n\n\"x{name}y\",b\n1,2\n"))), &[], 1 << 22);
    assert_eq!(table.unwrap().columns[0].name.len(), 200_002);
}

#[test]
fn a_header_alone_is_a_table_without_rows() {
    assert_eq!(read("a,b\n").unwrap().rows, 0);
}
