//! Columns that a table does not have, and those of other names that may be meant.

use super::listed;
use crate::data::classes::loosely;
use crate::data::table::Table;
use crate::error::{Error, difference, nearest_name, shown};
use crate::setting::Setting;

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
        if let Some(other) = in_another_unit(name, &spare) {
            let problem = format!(
                "has no column `{}`, which {who}; it has `{}`, in another unit",
                shown(name),
                shown(other)
            );
            let hint = format!("convert it, and call it `{}` as the others do", shown(name));
            return Error::input(format!("`{}`", table.name), problem, hint);
        }
        if let Some(close) = nearest_name(name, &spare) {
            let how = difference(name, close);
            let how = if how.is_empty() { String::new() } else { format!(" (it {how})") };
            meant.push(format!("`{close}`{how}"));
            renamings.push(format!("`{}`", Setting::Rename.to(format_args!("\"{close}={name}\""))));
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

/// The column that has the name of another, and another unit in parentheses or brackets behind it.
fn in_another_unit<'a>(name: &str, names: &'a [String]) -> Option<&'a String> {
    let (stem, unit) = split_unit(name)?;
    let same = |a: &str, b: &str| loosely(a) == loosely(b);
    names.iter().find(|other| split_unit(other).is_some_and(|(own, its)| same(own, stem) && !same(its, unit)))
}

/// A name and what stands in parentheses or brackets at its end.
fn split_unit(name: &str) -> Option<(&str, &str)> {
    let (stem, unit) = [('(', ')'), ('[', ']')]
        .iter()
        .find_map(|(open, close)| name.strip_suffix(*close)?.rsplit_once(*open))?;
    (!stem.trim().is_empty() && !unit.trim().is_empty()).then_some((stem.trim(), unit.trim()))
}
