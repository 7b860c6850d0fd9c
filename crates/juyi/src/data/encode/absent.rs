//! Columns that a table does not have, and those of other names that may be meant.

use super::listed;
use crate::data::table::Table;
use crate::error::{Error, difference, nearest_name};

/// Most columns of other names that a message suggests.
const SUGGESTED: usize = 3;

/// The error for a table without columns that `who` has or needs: a column that is not `needed` itself, and has nearly the
/// name, is likely to be meant.
pub(super) fn absent_columns(
    table: &Table,
    absent: &[&String],
    who: &str,
    hint: &str,
    needed: impl Fn(&str) -> bool,
) -> Error {
    let spare: Vec<String> = table.names().filter(|name| !needed(name)).cloned().collect();
    let (mut meant, mut renamings) = (Vec::new(), Vec::new());
    for name in absent.iter().take(SUGGESTED) {
        if let Some(close) = nearest_name(name, &spare) {
            let how = difference(name, close);
            let how = if how.is_empty() { String::new() } else { format!(" (it {how})") };
            meant.push(format!("`{close}`{how}"));
            renamings.push(format!("`--rename \"{close}={name}\"`"));
        }
    }
    let hint = if meant.is_empty() {
        hint.to_string()
    } else {
        let reads = if renamings.len() == 1 { "reads it" } else { "reads them" };
        format!(
            "did you mean {}? {} {reads} under the name of the others",
            meant.join(", "),
            renamings.join(" ")
        )
    };
    Error::input(format!("`{}`", table.name), format!("has no column {}, which {who}", listed(absent)), hint)
}
