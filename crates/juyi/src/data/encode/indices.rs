//! Sparse tables that number their columns from 0 in one and from 1 in another: every column is then one beside its own.

use std::collections::BTreeSet;

use super::Encoding;
use crate::context::Context;
use crate::data::table::{Table, index};
use crate::error::{Error, Result};

/// The indices of a sparse table's columns, those among them that are not read.
fn indices(table: &Table) -> BTreeSet<u64> {
    table.names().filter_map(|name| index(name)).collect()
}

/// How a file is named so that its indices begin with `base`.
fn said(file: &str, base: u8) -> String {
    format!("`{file}:{base}`")
}

/// Compares where the indices of sparse tables begin.
///
/// # Errors
/// [`Error::Input`] where one table has the columns of another, all of them one lower.
pub(super) fn compare_first(tables: &[&Table], context: &mut Context) -> Result<()> {
    let sparse: Vec<(&str, BTreeSet<u64>)> = tables
        .iter()
        .filter(|table| table.sparse)
        .map(|table| (table.name.as_str(), indices(table)))
        .filter(|(_, own)| !own.is_empty())
        .collect();
    let from = |zero: bool| sparse.iter().filter(move |(_, own)| own.contains(&0) == zero);
    let (Some((zero, columns)), Some((one, others))) = (from(true).next(), from(false).next()) else {
        return Ok(());
    };
    let problem = format!("numbers its columns from 0, and `{one}` has no column 0");
    let given = |base: u8| format!("{} and {}", said(zero, 0), said(one, base));
    let fix = format!("give {} if `{one}` counts from 1, {} if both count from 0", given(1), given(0));
    if columns.last().map(|last| last + 1) == others.last().copied() && others.contains(&1) {
        let problem = format!("{problem}: all columns are shifted by one");
        return Err(Error::input(format!("`{zero}`"), problem, fix));
    }
    context.warn("data", format!("`{zero}` {problem}: all columns may be shifted by one; {fix}"));
    Ok(())
}

/// Compares where the indices of a sparse table begin with those that a model has learnt from.
pub(super) fn compare_with_model(encoding: &Encoding, table: &Table, context: &mut Context) {
    let learnt: BTreeSet<u64> = encoding.columns.iter().filter_map(|column| index(&column.name)).collect();
    let own = indices(table);
    if !table.sparse || learnt.is_empty() || own.is_empty() || learnt.contains(&0) == own.contains(&0) {
        return;
    }
    let (here, there) = if own.contains(&0) { ("has", "has none") } else { ("has no", "has one") };
    let text = format!(
        "`{}` {here} column 0, and the model {there}: all columns may be shifted by one; {} or {} says with which number \
         its indices begin",
        table.name,
        said(&table.name, 0),
        said(&table.name, 1)
    );
    context.warn("data", text);
}
