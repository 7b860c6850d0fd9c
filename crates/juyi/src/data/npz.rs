//! NumPy's `.npz`: a zip archive of `.npy` files, stored or deflated.

use std::io::{Read, Seek};

use zip::ZipArchive;

use super::array::{self, Array};
use super::npy;
use super::table::Table;
use crate::error::{Error, Result, shown};

/// The names of features and labels that are looked for if none are given.
const USUAL: [(&str, &str); 4] = [("X", "y"), ("x", "y"), ("features", "labels"), ("data", "target")];

/// Most arrays that a message lists by name.
const NAMED: usize = 20;

/// Reads the archive called `name`: `arrays` is `X,y` or `X`; without it the usual names are looked for, where labels
/// may be absent. The label's column is called `label`. At most `limit` bytes are taken for an array and its part of
/// the table.
///
/// # Errors
/// [`Error::Input`] for an archive that is not sound, an array that is not there, and as [`npy::read`];
/// [`Error::Memory`].
pub fn read<R: Read + Seek>(
    name: &str,
    file: R,
    arrays: Option<&str>,
    label: Option<&str>,
    limit: u64,
) -> Result<Table> {
    let fail = |problem: String, hint: String| Error::input(format!("`{name}`"), problem, hint);
    let mut archive = ZipArchive::new(file).map_err(|error| {
        fail(format!("is not a sound .npz archive: {error}"), "write it with `numpy.savez`".into())
    })?;
    let has = |name: &str| archive.index_for_name(&format!("{name}.npy")).is_some();
    let known = || {
        let names = archive.file_names().flatten().take(NAMED);
        let names: Vec<String> =
            names.map(|name| format!("`{}`", shown(name.trim_end_matches(".npy")))).collect();
        format!("name them: `file.npz:X,y`; arrays of the file: {}", names.join(", "))
    };
    let (features, labels) = if let Some(names) = arrays {
        let (features, labels) = match names.split_once(',') {
            Some((features, labels)) => (features.trim(), Some(labels.trim())),
            None => (names.trim(), None),
        };
        if features.is_empty() || labels == Some("") {
            return Err(fail("the arrays after `:` are empty".into(), known()));
        }
        if labels == Some(features) {
            let problem = format!("`{features}` is named as the features and as the labels");
            return Err(fail(problem, "write `file.npz:X,y`, or `file.npz:X` without labels".into()));
        }
        if let Some(absent) = [Some(features), labels].into_iter().flatten().find(|name| !has(name)) {
            return Err(fail(format!("has no array `{absent}`"), known()));
        }
        (features, labels)
    } else {
        let there: Vec<(&str, &str)> = USUAL.into_iter().filter(|(features, _)| has(features)).collect();
        match there[..] {
            [(features, labels)] | [(features @ "X", labels), ..] => {
                (features, Some(labels).filter(|labels| has(labels)))
            }
            [] => return Err(fail("has no array `X`".into(), known())),
            [_, _, ..] => return Err(fail("has several arrays that may be the features".into(), known())),
        }
    };
    let thing = |array: &str| format!("`{name}`, array `{array}`");
    let mut take = |array: &str| -> Result<Array> {
        let thing = thing(array);
        let mut entry = archive
            .by_name(&format!("{array}.npy"))
            .map_err(|error| Error::input(&thing, format!("cannot be read: {error}"), ""))?;
        npy::read(&thing, &mut entry, limit)
    };
    let x = take(features)?;
    let y = labels.map(|labels| Ok((thing(labels), take(labels)?))).transpose()?;
    let y = y.as_ref().map(|(thing, labels)| (thing.as_str(), labels));
    array::table(name, (&thing(features), &x), y, label)
}
