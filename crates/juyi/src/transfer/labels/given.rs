//! Labels of target rows that were filled in: what is wrong with them is said of the place where they stand.

use std::collections::HashMap;

use crate::context::Context;
use crate::data::{Cells, Classes, Table};
use crate::error::{Error, Result, shown};

/// What messages call the table in which labels of a target stand.
pub(in super::super) fn labels_table(target: &Table) -> String {
    let mut files: Vec<&str> = target
        .given_labels
        .values()
        .filter_map(|place| Some(place.strip_prefix('`')?.split_once('`')?.0))
        .collect();
    files.sort_unstable();
    files.dedup();
    match files[..] {
        [one] => one.into(),
        _ => target.name.clone(),
    }
}

/// Looks at labels that are no class of the source: one that looks like a slip is refused, others are warned of.
///
/// # Errors
/// [`Error::Input`] for a spelling that stands once and is nearly that of a class.
pub(in super::super) fn check_given(
    known: &Classes,
    target: &Table,
    cells: &Cells,
    context: &mut Context,
) -> Result<()> {
    let mut rows: Vec<usize> = target.given_labels.keys().copied().collect();
    rows.sort_unstable();
    let unknown =
        |row: &usize| Some((*row, cells.text(*row)?)).filter(|(_, text)| known.position(text).is_none());
    let unknown: Vec<(usize, String)> = rows.iter().filter_map(unknown).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (_, text) in &unknown {
        *counts.entry(text).or_default() += 1;
    }
    let mut told: Vec<&str> = Vec::new();
    for (row, text) in &unknown {
        let (place, count) = (target.label_place(*row), counts[text.as_str()]);
        if let Some(meant) = known.meant(text).filter(|_| count == 1) {
            let problem = format!("label `{}` is no class that the source knows", shown(text));
            let hint = format!("did you mean `{}`? spell the labels as the source does", shown(meant));
            return Err(Error::input(place, problem, hint));
        }
        if !told.contains(&text.as_str()) {
            told.push(text);
            let rows = if count == 1 { String::new() } else { format!(" and {} more rows", count - 1) };
            let text = format!(
                "{place}{rows}: label `{}` is no class that the source knows, and is one more",
                shown(text)
            );
            context.warn("data", text);
        }
    }
    Ok(())
}
