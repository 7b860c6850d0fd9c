//! svmlight (LIBSVM) text: a line `label [qid:number] index:value …  # comment` for each row, zeros left out.
//!
//! The column of index `i` is called `x<i>`. Only the columns that occur are there; a table of which this is known
//! ([`Table::sparse`]) has zeros in all others. A line without a label belongs to an unlabelled row.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use super::cells::{Cells, TextCells};
use super::reading::Reading;
use super::table::{COLUMN, Column, Table, label_name};
use crate::error::{Error, Result, shown};

/// Largest index.
const LARGEST: u64 = u32::MAX as u64;

/// What an entry takes until it is in its column, in bytes.
const ENTRY: u64 = 32;

/// What a line takes for each of its bytes while it is read: its own space grows by doubling.
const LINE: u64 = 3;

/// The entries of one column: row and value.
type Entries = Vec<(u32, f64)>;

/// Reads the file called `name`. `base` is the smallest index, 0 or 1, where that is known: columns are then `x1 …`; at
/// `None` they are named as the indices are written. The label's column is called `label`. At most `limit` bytes are
/// taken for the table.
///
/// # Errors
/// [`Error::Input`] naming line and index, [`Error::Memory`], [`Error::Io`].
pub fn read(
    name: &str,
    mut reader: impl BufRead,
    base: Option<u64>,
    reading: &Reading,
    limit: u64,
) -> Result<Table> {
    let mut columns: BTreeMap<u64, Entries> = BTreeMap::new();
    let (mut queries, mut labels) = (Vec::new(), TextCells::default());
    let (mut rows, mut entries) = (0, 0_u64);
    let mut line = Vec::new();
    // As it lies here, and as the full table.
    let need = |columns: &BTreeMap<u64, Entries>, entries: u64, rows: u32| {
        let (wide, rows) = (columns.len() as u64, u64::from(rows));
        (ENTRY * entries + COLUMN * wide + 32 * rows).saturating_add((8 * wide).saturating_mul(rows))
    };
    for number in 1.. {
        line.clear();
        let longest = (limit / LINE).max(1); // nothing read would be the end of the file
        let read = reader.by_ref().take(longest).read_until(b'\n', &mut line);
        if read.map_err(|source| Error::Io { path: name.into(), source })? == 0 {
            break;
        }
        if line.len() as u64 == longest && !line.ends_with(b"\n") {
            let what = format!("`{name}`, line {number} alone");
            let need = longest.saturating_add(1).saturating_mul(LINE);
            return Err(Error::Memory { what, need, budget: limit });
        }
        let fail =
            |problem: String, hint: &str| Error::input(format!("`{name}`, line {number}"), problem, hint);
        let text = std::str::from_utf8(&line)
            .map_err(|_| fail("is not UTF-8 text".into(), "give an svmlight file, as it is or gzipped"))?;
        let mut words = text.split('#').next().unwrap_or_default().split_ascii_whitespace().peekable();
        if words.peek().is_none() {
            continue;
        }
        labels.push(
            words
                .next_if(|word| !word.contains(':'))
                .map(target)
                .transpose()
                .map_err(|problem| fail(problem, "a line is `label index:value index:value …`"))?
                .as_deref(),
        );
        let query = words.next_if(|word| word.starts_with("qid:")).map(|word| {
            word[4..].parse::<u32>().map(f64::from).map_err(|_| {
                fail(format!("`{}` is not a query", shown(word)), "write `qid:` and a whole number")
            })
        });
        queries.push(query.transpose()?.unwrap_or(f64::NAN));
        let mut last = None;
        for word in words {
            let (index, value) = entry(word).map_err(|problem| fail(problem, "entries are `index:value`"))?;
            if last.is_some_and(|last| index <= last) {
                let problem = format!("index {index} follows {}", last.unwrap_or_default());
                return Err(fail(problem, "indices must rise, each written once"));
            }
            if base.is_some_and(|base| index < base) {
                return Err(fail(
                    "has index 0".into(),
                    "leave `:1` out, or say `:0` if indices begin with 0",
                ));
            }
            last = Some(index);
            entries += 1;
            columns.entry(index).or_default().push((rows, value));
            if need(&columns, entries, rows + 1) > limit {
                break; // a line may hold more columns than the rest of the file
            }
        }
        rows += 1;
        let need = need(&columns, entries, rows).saturating_add(labels.bytes);
        if need > limit || rows == u32::MAX {
            let what = format!("`{name}` from line {number} on");
            return Err(Error::Memory { what, need: need.max(limit.saturating_add(1)), budget: limit });
        }
    }
    let shift = u64::from(base == Some(0));
    let rows = rows as usize;
    let full = |(index, entries): (u64, Entries)| {
        let mut numbers = vec![0.0; rows];
        for (row, value) in entries {
            numbers[row as usize] = value;
        }
        Column { name: format!("x{}", index + shift), cells: Cells::Numbers(numbers) }
    };
    let mut columns: Vec<Column> = columns.into_iter().map(full).collect();
    if queries.iter().any(|query: &f64| !query.is_nan()) {
        columns.push(Column { name: "qid".into(), cells: Cells::Numbers(queries) });
    }
    let header = reading.header(name, columns.iter().map(|column| column.name.clone()).collect())?;
    columns.iter_mut().zip(&header.names).for_each(|(column, name)| column.name.clone_from(name));
    let mut left_out = header.left_out.iter();
    columns.retain(|_| left_out.next() == Some(&false));
    let labels = labels.finish();
    let label = (0..rows)
        .any(|row| !labels.is_missing(row))
        .then(|| label_name(name, reading.label.as_deref(), &columns));
    let label = label.transpose()?;
    columns.extend(label.clone().map(|name| Column { name, cells: labels }));
    Ok(header.noted(Table { name: name.into(), rows, columns, label, sparse: true, ..Table::default() }))
}

/// The label of a line as the shortest text that means it, so that `+1` and `1.0` are the same class.
fn target(word: &str) -> std::result::Result<String, String> {
    if word.contains(',') {
        return Err(format!("has several labels (`{}`), one is read", shown(word)));
    }
    match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((number + 0.0).to_string()),
        _ => Err(format!("label `{}` is not a finite number", shown(word))),
    }
}

/// Index and value of an entry; NaN is a missing cell.
fn entry(word: &str) -> std::result::Result<(u64, f64), String> {
    let (index, value) = word.split_once(':').ok_or_else(|| format!("`{}` has no `:`", shown(word)))?;
    let index = index.parse().ok().filter(|index| *index <= LARGEST);
    let index = index.ok_or_else(|| format!("`{}` has no index from 0 to {LARGEST}", shown(word)))?;
    match value.parse::<f64>() {
        Ok(value) if !value.is_infinite() => Ok((index, value)),
        _ => Err(format!("`{}` is not a finite number, index {index}", shown(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, base: Option<u64>) -> Result<Table> {
        read("t.svm", text.as_bytes(), base, &Reading::default(), 1 << 20)
    }

    fn names(table: &Table) -> Vec<&str> {
        table.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn zeros_are_filled_in_and_columns_named_by_their_index() {
        let text = "# header\n+1 qid:7 2:0.5 9:nan # one\n\n1.0 qid:8\r\n-1 1:3";
        let read = table(text, None).unwrap();
        assert_eq!(names(&read), ["x1", "x2", "x9", "qid", "label"]);
        assert_eq!(read.columns[0].cells, Cells::Numbers(vec![0.0, 0.0, 3.0]));
        assert!(read.columns[2].cells.is_missing(0) && !read.columns[2].cells.is_missing(1));
        assert!(read.columns[3].cells.is_missing(2));
        let labels: Vec<_> = (0..3).map(|row| read.columns[4].cells.text(row).unwrap()).collect();
        assert_eq!((labels, read.sparse), (vec!["1".to_string(), "1".into(), "-1".into()], true));
        assert_eq!(names(&table("0:1 3:2\n", None).unwrap()), ["x0", "x3"]);
        assert_eq!(names(&table("1 0:1 3:2\n", Some(0)).unwrap()), ["x1", "x4", "label"]);
        assert_eq!(names(&table("1 1:1\n", Some(1)).unwrap()), ["x1", "label"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_index() {
        let problem = |text: &str| table(text, Some(1)).unwrap_err().to_string();
        assert_eq!(problem("1 1:1\n1,3 1:2\n"), "`t.svm`, line 2: has several labels (`1,3`), one is read");
        assert_eq!(problem("a 1:1"), "`t.svm`, line 1: label `a` is not a finite number");
        assert_eq!(problem("1 0:1"), "`t.svm`, line 1: has index 0");
        assert_eq!(problem("1 3:1 2:1"), "`t.svm`, line 1: index 2 follows 3");
        assert_eq!(problem("1 3:1 3:1"), "`t.svm`, line 1: index 3 follows 3");
        assert_eq!(problem("1 3:inf"), "`t.svm`, line 1: `inf` is not a finite number, index 3");
        assert_eq!(problem("1 3"), "`t.svm`, line 1: `3` has no `:`");
        assert_eq!(problem("1 -3:1"), "`t.svm`, line 1: `-3:1` has no index from 0 to 4294967295");
        assert_eq!(problem("1 qid:a 3:1"), "`t.svm`, line 1: `qid:a` is not a query");
        let wide = (1..=600).map(|index| format!("1 {index}:1\n")).collect::<Vec<_>>().concat();
        assert!(matches!(table(&wide, None), Err(Error::Memory { .. })));
        let one = (1..=20_000).fold("1".to_string(), |line, index| line + &format!(" {index}:1"));
        let error = table(&one, None).unwrap_err().to_string();
        assert!(error.starts_with("`t.svm` from line 1 on needs 1.0 MiB"), "{error}");
        let error = table(&format!("1 # {}", " ".repeat(1 << 19)), None).unwrap_err().to_string();
        assert!(error.starts_with("`t.svm`, line 1 alone needs"), "{error}");
    }
}
