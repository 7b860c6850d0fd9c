//! A table of paths: which pictures it names, and their classes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use juyi::data::{Column, Reading, Table, read_table};
use juyi::error::{Error, Result, few, shown};

use super::entries::{Listing, Room};

/// Names that the column of paths may have.
const PATHS: [&str; 3] = ["path", "file", "image"];

/// Names that the column of classes may have.
const CLASSES: [&str; 2] = ["label", "class"];

/// The pictures that a table names.
///
/// # Errors
/// [`Error::Input`] without a column of paths or with several, for a row that names no file or one that does not exist,
/// and for a file with two classes; those of [`read_table`]; [`Error::Memory`].
pub(super) fn of_table(path: &Path, reading: &Reading, room: &mut Room<'_>) -> Result<Listing> {
    let name = path.to_str().ok_or_else(|| {
        let problem = "has a name that is not UTF-8 text";
        Error::input(format!("`{}`", path.display()), problem, "rename the file")
    })?;
    let named = PATHS.iter().chain(&CLASSES).map(ToString::to_string);
    let as_text: Vec<String> = named.chain(reading.label.clone()).collect();
    let table = read_table(name, &Reading { as_text, ..reading.clone() }, room.context)?;
    let Some(paths) = only(&table, &PATHS)? else {
        let columns: Vec<String> =
            table.columns.iter().map(|column| format!("`{}`", shown(&column.name))).collect();
        let problem = format!("has no column of paths, but {}", few(&columns));
        let hint = "call the column of paths `path`, `file` or `image`, such as with `‹rename OLD=path›`";
        return Err(Error::input(format!("`{name}`"), problem, hint));
    };
    let classes = match &reading.label {
        None => only(&table, &CLASSES)?,
        Some(label) => Some(table.column(label).ok_or_else(|| Error::Unknown {
            kind: format!("label column of `{name}`"),
            name: label.clone(),
            known: table.names().cloned().collect(),
        })?),
    };
    let unused = table.columns.iter().map(|column| &column.name);
    let unused = unused.filter(|own| **own != paths.name && classes.is_none_or(|class| **own != class.name));
    let unused: Vec<String> = unused.map(|own| format!("`{}`", shown(own))).collect();
    let base = path.parent().unwrap_or(Path::new(""));
    let (columns, renamed) = (table.names().cloned().collect(), table.renamed.clone());
    let mut listing = Listing::default();
    (listing.columns, listing.renamed) = (columns, renamed);
    if !unused.is_empty() {
        let are = if unused.len() == 1 { "column is" } else { "columns are" };
        let missing = if classes.is_none() { "; classes stand in a column `label` or `class`" } else { "" };
        listing.notes.push(format!("`{name}`: the {are} not used: {}{missing}", few(&unused)));
    }
    let mut seen: HashMap<PathBuf, Option<String>> = HashMap::new();
    let mut unlabelled = 0;
    for row in 0..table.rows {
        let place = table.place(row);
        let fail = |problem: String, hint: &str| {
            Err(Error::input(format!("{place}, column `{}`", paths.name), problem, hint))
        };
        let Some(written) = paths.cells.text(row) else {
            return fail("names no file".into(), "fill the cell, or leave the row out");
        };
        let file = base.join(&written);
        if !file.is_file() {
            let hint = if written.contains("://") {
                "nothing is fetched: download the pictures, and give their paths"
            } else if file.is_dir() {
                "that is a folder: name the pictures in it, a row each, or give the folder above it in place of the table"
            } else if base.join(written.replace('\\', "/")).is_file() {
                "write `/` between the parts of the path"
            } else {
                "paths are seen from the folder of the table"
            };
            return fail(format!("`{written}` is not a file"), hint);
        }
        let class = classes.and_then(|column| column.cells.text(row));
        room.take(&file, class.as_deref())?;
        if let Some(before) = seen.insert(file.clone(), class.clone()) {
            if before != class {
                let problem = format!("`{written}` stands there twice, with two classes");
                return fail(problem, "keep one of the rows");
            }
            listing.warn(format!("{place}: `{written}` stands there twice"));
        }
        let before = listing.entries.len();
        listing.take(file, class.as_deref())?;
        if let Some(entry) = listing.entries.get_mut(before) {
            entry.row = row;
        }
        unlabelled += usize::from(class.is_none() && listing.entries.len() > before);
    }
    if classes.is_some() && unlabelled > 0 {
        listing.warnings.push(format!("`{name}`: {unlabelled} pictures without a class"));
    }
    Ok(listing)
}

/// The one column that has one of these names.
fn only<'a>(table: &'a Table, names: &[&str]) -> Result<Option<&'a Column>> {
    let found: Vec<&Column> = names.iter().filter_map(|name| table.column(name)).collect();
    match found[..] {
        [] => Ok(None),
        [column] => Ok(Some(column)),
        [first, second, ..] => {
            let problem = format!("has a column `{}` and a column `{}`", first.name, second.name);
            Err(Error::input(format!("`{}`", table.name), problem, "keep one of them, or rename the other"))
        }
    }
}
