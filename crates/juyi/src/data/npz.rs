//! NumPy's `.npz`: a zip archive of `.npy` files, stored or deflated.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use zip::read::{ArchiveOffset, Config};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::array::{self, Array};
use super::cells::Cells;
use super::npy;
use super::reading::Reading;
use super::table::Table;
use crate::error::{Error, Result, shown};

/// The names of features and labels that are looked for if none are given.
const USUAL: [(&str, &str); 4] = [("X", "y"), ("x", "y"), ("features", "labels"), ("data", "target")];

/// Most arrays that a message lists by name.
const NAMED: usize = 20;

/// What a byte of an archive's directory becomes in memory, at most: an entry of 46 bytes has a name, its facts and a
/// place in a map.
pub(super) const DIRECTORY: u64 = 16;

/// A file of which only so many bytes are read.
pub(super) struct Metered<'a, R> {
    pub(super) file: R,
    pub(super) left: &'a Cell<u64>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64);
        self.left.set(left.unwrap_or(0));
        left.map(|_| count).ok_or(std::io::ErrorKind::OutOfMemory.into())
    }
}

impl<R: Seek> Seek for Metered<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

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
    reading: &Reading,
    limit: u64,
) -> Result<Table> {
    let fail = |problem: String, hint: String| Error::input(format!("`{name}`"), problem, hint);
    let left = Cell::new(limit / DIRECTORY);
    // Looked for elsewhere than it says to be, the directory of some archives is not found.
    let as_written = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive =
        ZipArchive::with_config(as_written, Metered { file, left: &left }).map_err(|error| {
            match left.get() {
                0 => Error::Memory {
                    what: format!("the directory of `{name}`"),
                    need: limit.saturating_add(DIRECTORY),
                    budget: limit,
                },
                _ => fail(
                    format!("is not a sound .npz archive: {error}"),
                    "write it with `numpy.savez`".into(),
                ),
            }
        })?;
    left.set(u64::MAX);
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
    array::table(name, (&thing(features), &x), y, reading)
}

/// The columns of numbers as `X`, the label as `y`, other columns of text under their names; stored, without a time.
///
impl Table {
    /// The table as `NumPy`'s `.npz`: the columns of numbers as `X`, the label as `y`, other columns of text under their
    /// names. [`super::read_table`] and `numpy.load` read it back.
    ///
    /// # Errors
    /// None that memory can give.
    pub fn to_npz(&self) -> Result<Vec<u8>> {
        write(self)
    }
}

/// # Errors
/// None that memory can give.
fn write(table: &Table) -> Result<Vec<u8>> {
    let failed = |why: String| Error::Numeric { what: "writing .npz".into(), why };
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    let mut put = |name: &str, header: &str, values: &[u8]| {
        archive.start_file(format!("{name}.npy"), options).map_err(|error| failed(error.to_string()))?;
        // The header ends on a multiple of 64 bytes.
        let mut padded = header.to_string();
        let filled = (10 + header.len() + 1).next_multiple_of(64) - 10;
        let _ = writeln!(padded, "{:1$}", "", filled - header.len() - 1);
        let parts = [b"\x93NUMPY\x01\x00", &(filled as u16).to_le_bytes()[..], padded.as_bytes(), values];
        parts.iter().try_for_each(|part| archive.write_all(part)).map_err(|error| failed(error.to_string()))
    };
    let is_label = |name: &str| table.label.as_deref() == Some(name);
    let (mut numbers, mut count) = (Vec::new(), 0);
    for column in &table.columns {
        let name = if is_label(&column.name) { "y" } else { &column.name };
        match &column.cells {
            Cells::Numbers(values) if !is_label(&column.name) => {
                numbers.extend(values.iter().flat_map(|v| v.to_le_bytes()));
                count += 1;
            }
            Cells::Numbers(values) => {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                put(name, &header("<f8", &format!("{},", table.rows), false), &bytes)?;
            }
            Cells::Text { .. } => {
                let cells: Vec<Vec<char>> = (0..table.rows)
                    .map(|row| column.cells.text(row).unwrap_or_default().chars().collect())
                    .collect();
                let width = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
                let letters = |cell: &Vec<char>| {
                    let padding = std::iter::repeat_n(0, width - cell.len());
                    cell.iter()
                        .map(|&c| u32::from(c))
                        .chain(padding)
                        .flat_map(u32::to_le_bytes)
                        .collect::<Vec<u8>>()
                };
                let bytes: Vec<u8> = cells.iter().flat_map(letters).collect();
                put(name, &header(&format!("<U{width}"), &format!("{},", table.rows), false), &bytes)?;
            }
        }
    }
    put("X", &header("<f8", &format!("{}, {count}", table.rows), true), &numbers)?;
    Ok(archive.finish().map_err(|error| failed(error.to_string()))?.into_inner())
}

fn header(kind: &str, shape: &str, by_column: bool) -> String {
    let order = if by_column { "True" } else { "False" };
    format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({shape}), }}")
}
