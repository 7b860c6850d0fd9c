//! Whole numbers that name rows and do not count them one by one: numbers of customers, counters with gaps.

use std::collections::HashSet;

use super::Seen;
use crate::data::cells::Cells;
use crate::linalg::extent;

/// Fewest rows that tell.
const ROWS: usize = 20;

/// Words at the end of a name that say so.
const WORDS: [&str; 19] = [
    "id",
    "ids",
    "key",
    "nr",
    "no",
    "num",
    "number",
    "uuid",
    "guid",
    "code",
    "index",
    "idx",
    "ident",
    "identifier",
    "cust",
    "customer",
    "client",
    "patient",
    "account",
];

/// What stands before `id` in names that are one word.
const BEFORE_ID: [&str; 16] = [
    "customer", "cust", "client", "user", "patient", "person", "subject", "member", "order", "case", "item",
    "product", "sample", "record", "row", "account",
];

/// The most that steps from row to row differ from each other: as a share of their mean, where a counter has gaps.
const UNEVEN: f64 = 0.75;

/// The largest range in a table, in rows, and the range for each row beside these: of as many numbers drawn from it, two
/// would be the same.
const DENSE: (f64, f64) = (5.0, 1.0 / 18.0);

/// Whether a column has another whole number in every row of each table, and these tell nothing else: by its name, as they
/// rise or fall evenly, or as they fill their range.
pub(super) fn identifies(name: &str, cells: &[Seen]) -> bool {
    let numbers = |(_, cells): &Seen<'_>| match cells {
        Cells::Numbers(numbers) => Some(numbers.clone()),
        Cells::Text { .. } => None,
    };
    let own = |numbers: &Vec<f64>| {
        let mut seen = HashSet::new();
        numbers.iter().all(|v| v.fract() == 0.0 && seen.insert(v.to_bits()))
    };
    let Some(tables) = cells.iter().map(numbers).collect::<Option<Vec<Vec<f64>>>>() else { return false };
    if tables.iter().map(Vec::len).sum::<usize>() < ROWS || !tables.iter().all(own) {
        return false;
    }
    let mut long = tables.iter().filter(|numbers| numbers.len() >= ROWS).peekable();
    let told = long.peek().is_some();
    is_named_so(name)
        || long.clone().any(|numbers| counts(numbers))
        || (told && long.all(|numbers| is_dense(numbers)))
}

/// Whether a name says that its column identifies rows.
fn is_named_so(name: &str) -> bool {
    let mut last = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || (before.is_lowercase() && c.is_uppercase()) {
            last.clear();
        }
        if c.is_alphanumeric() {
            last.extend(c.to_lowercase());
        }
        before = c;
    }
    let joined = last.strip_suffix("id").is_some_and(|rest| BEFORE_ID.contains(&rest));
    joined || WORDS.contains(&last.as_str())
}

/// Whether numbers rise or fall from row to row, by steps that are nearly the same.
fn counts(numbers: &[f64]) -> bool {
    let steps: Vec<f64> = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let n = steps.len() as f64;
    let mean = steps.iter().sum::<f64>() / n;
    let deviation = (steps.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / n).sqrt();
    steps.iter().all(|step| step * mean > 0.0) && deviation <= UNEVEN * mean.abs()
}

/// Whether numbers that are all different fill their range.
fn is_dense(numbers: &[f64]) -> bool {
    let (low, high) = extent(numbers.iter().copied());
    let rows = numbers.len() as f64;
    high - low <= rows * DENSE.0.min(rows * DENSE.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::Table;

    fn found(name: &str, source: impl Fn(u64) -> u64, target: impl Fn(u64) -> u64) -> bool {
        let column =
            |of: &dyn Fn(u64) -> u64, rows: u64| Cells::Numbers((0..rows).map(|i| of(i) as f64).collect());
        let (table, source, target) = (Table::default(), column(&source, 120), column(&target, 80));
        identifies(name, &[(&table, &source), (&table, &target)])
    }

    /// A whole number below `below` without an order.
    fn mixed(i: u64, below: u64) -> u64 {
        (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % below
    }

    #[test]
    fn numbers_that_name_rows_are_found() {
        assert!(found("k", |i| 2 * i + 1, |i| 2 * i + 1), "odd ones");
        assert!(found("k", |i| 1119 - i, |i| 79 - i), "down");
        assert!(found("k", |i| 2 * i + (i * i) % 3 + i / 5, |i| 403 + 2 * i + i % 2), "with gaps");
        assert!(found("k", |i| 100_000 + (i * 37) % 127, |i| 200_000 + (i * 29) % 83), "mixed");
        for name in ["id", "customer_id", "CustomerId", "patient id", "userid", "Order No", "cust"] {
            assert!(found(name, |i| mixed(i, 1 << 40), |i| mixed(i + 500, 1 << 40)), "{name}");
        }
    }

    #[test]
    fn amounts_are_not() {
        for name in ["income", "acid", "humid", "paid", "nodes", "number_of_rooms"] {
            assert!(
                !found(name, |i| 20_000 + mixed(i, 1 << 20), |i| 20_000 + mixed(i + 500, 1 << 20)),
                "{name}"
            );
        }
        assert!(!found("id", |i| i / 2, |i| i), "groups");
        assert!(!found("dose", |i| i.pow(4), |i| i.pow(5)), "rising");
        assert!(!found("year", |i| 1900 + i % 100, |i| 1900 + i));
    }
}
