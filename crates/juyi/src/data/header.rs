//! The names of a table's columns as a file has them, and what becomes of them: trimmed, renamed, left out.

use std::collections::HashSet;

use super::reading::Reading;
use super::table::Table;
use crate::error::{Error, Result, is_blank, shown};
use crate::setting::Setting;

/// The columns of a file, in its order.
pub(super) struct Header {
    /// The name of each.
    pub(super) names: Vec<String>,
    /// Whether each is left out: its cells are not looked at.
    pub(super) left_out: Vec<bool>,
    renamed: Vec<(String, String)>,
}

impl Header {
    /// Notes in a table what is not in its columns.
    pub(super) fn noted(self, table: Table) -> Table {
        let left_out = self.names.into_iter().zip(self.left_out).filter(|(_, left_out)| *left_out);
        let mut unread: Vec<String> = left_out.map(|(name, _)| name).collect();
        unread.dedup(); // the parts of a nested column
        Table { unread, renamed: self.renamed, ..table }
    }
}

impl Reading {
    /// What becomes of the columns that a file calls `written`.
    ///
    /// # Errors
    /// [`Error::Input`] if two columns that are read have one name, or both names of a renaming are there.
    pub(super) fn header(&self, table: &str, written: Vec<String>) -> Result<Header> {
        let only: Option<HashSet<&String>> = self.only.as_ref().map(|only| only.iter().collect());
        let mut renamed = Vec::new();
        let trimmed = |written: String| match written.trim_matches(is_blank) {
            "" => written,
            _ if only.as_ref().is_some_and(|only| only.contains(&written)) => written,
            name => name.to_string(),
        };
        let mut names: Vec<String> = written.into_iter().map(trimmed).collect();
        for (old, new) in &self.rename {
            if !names.contains(old) {
                continue;
            }
            if names.contains(new) {
                let problem = format!("has columns `{}` and `{}`", shown(old), shown(new));
                let rename = Setting::Rename.to(format_args!("{old}={new}"));
                let hint = format!("`{rename}` would make two of one name; give another name");
                return Err(Error::input(format!("`{table}`"), problem, hint));
            }
            names.iter_mut().filter(|name| *name == old).for_each(|name| name.clone_from(new));
            renamed.push((old.clone(), new.clone()));
        }
        let needless = |name: &String| only.as_ref().is_some_and(|only| !only.contains(name));
        let left_out: Vec<bool> =
            names.iter().map(|name| self.drop.contains(name) || needless(name)).collect();
        let mut seen = HashSet::new();
        let kept = names.iter().zip(&left_out).filter(|(_, left_out)| !**left_out);
        if let Some(twice) = kept.map(|(name, _)| name).find(|name| !seen.insert(*name)) {
            let problem = format!("has two columns named `{}`", shown(twice));
            let hint = "give each column a name of its own, or leave both out with `‹drop›`";
            return Err(Error::input(format!("`{table}`"), problem, hint));
        }
        Ok(Header { names, left_out, renamed })
    }

    /// Whether the column that a file calls `written` is left out.
    pub(super) fn leaves_out(&self, written: &str) -> bool {
        let header = self.header("", vec![written.to_string()]);
        header.is_ok_and(|header| header.left_out[0])
    }
}

/// Checks that each renaming served a table.
///
/// # Errors
/// [`Error::Unknown`] with the columns that there are.
pub fn check_renamed<'a>(reading: &Reading, tables: impl Iterator<Item = &'a Table> + Clone) -> Result<()> {
    let unused = reading.rename.iter().find(|pair| tables.clone().all(|table| !table.renamed.contains(pair)));
    match unused {
        None => Ok(()),
        Some((old, _)) => {
            let mut seen = HashSet::new();
            let known = tables.flat_map(Table::names).filter(|name| seen.insert(*name)).cloned().collect();
            Err(Error::Unknown { kind: "column".into(), name: old.clone(), known })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(reading: &Reading, written: &[&str]) -> Result<Header> {
        reading.header("t", written.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_are_trimmed_renamed_and_left_out() {
        let pair = |old: &str, new: &str| (old.to_string(), new.to_string());
        let reading = Reading {
            drop: vec!["twice".into()],
            rename: vec![pair("Temp", "temperature"), pair("none", "other")],
            ..Reading::default()
        };
        let written = [" a ", "Temp", "twice", "\u{feff}b\u{a0}", "\u{200b}c", "twice"];
        let found = header(&reading, &written).unwrap();
        assert_eq!(found.names, ["a", "temperature", "twice", "b", "c", "twice"]);
        assert_eq!(found.left_out, [false, false, true, false, false, true]);
        let table = found.noted(Table::default());
        assert_eq!((table.unread, table.renamed), (vec!["twice".into()], vec![pair("Temp", "temperature")]));
        assert!(reading.leaves_out("twice ") && !reading.leaves_out("Temp"));
        // A table that has the new name already is as it should be.
        assert_eq!(header(&reading, &["temperature"]).unwrap().names, ["temperature"]);
    }

    #[test]
    fn two_columns_of_one_name_are_refused_where_they_are_read() {
        let problem = |reading: &Reading, written: &[&str]| {
            header(reading, written).map(|found| found.names.len()).map_err(|error| error.to_string())
        };
        let plain = Reading::default();
        assert_eq!(problem(&plain, &["a", "a "]), Err("`t`: has two columns named `a`".into()));
        let only = Reading { only: Some(vec!["b".into()]), ..Reading::default() };
        assert_eq!(problem(&only, &["a", "a", "b"]), Ok(3));
        let both = Reading { rename: vec![("a".into(), "b".into())], ..Reading::default() };
        assert_eq!(problem(&both, &["a", "b"]), Err("`t`: has columns `a` and `b`".into()));
    }

    #[test]
    fn a_renaming_must_serve_a_table() {
        let reading = Reading { rename: vec![("old".into(), "new".into())], ..Reading::default() };
        let table = |name: &str| {
            let header = header(&reading, &[name]).unwrap();
            let column = super::super::Column {
                name: header.names[0].clone(),
                cells: super::super::Cells::Numbers(Vec::new()),
            };
            header.noted(Table { columns: vec![column], ..Table::default() })
        };
        assert!(check_renamed(&reading, [table("new"), table("old")].iter()).is_ok());
        let error = check_renamed(&reading, [table("new"), table("Old")].iter()).unwrap_err();
        assert_eq!(error.hint().unwrap(), "did you mean `Old`? it differs in case only; known: new, Old");
    }
}
