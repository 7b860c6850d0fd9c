//! A list of pictures: their files and classes, and what is said of them.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use juyi::context::Context;
use juyi::data::{Cells, Column, Reading, Table, check_renamed};
use juyi::error::{Error, Result};

use super::format::{Format, START, format};
use super::left_out::{Kind, LeftOut};

/// Warnings that a listing spells out.
pub(super) const MOST_WARNINGS: usize = 20;

/// A picture that is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its file.
    pub path: PathBuf,
    /// Its class, where one is known.
    pub class: Option<String>,
    /// Its row in the table that names it, or its position in the folder, from 0.
    pub row: usize,
}

/// The name of a picture's file as a table holds it: bytes that are no UTF-8 text are written as `\xff`, so that two files
/// never share a name.
pub fn path_text(path: &Path) -> String {
    let mut name = String::new();
    for part in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        name += part.valid();
        name.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    name
}

/// The pictures of a folder or table, or one picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The pictures, in an order that never changes.
    pub entries: Vec<Entry>,
    /// What a careful reader wants to know: pictures from deeper folders, files that are no pictures.
    pub notes: Vec<String>,
    /// What the user should know: classes without pictures, files named twice, rows without a class, formats that are not
    /// read.
    pub warnings: Vec<String>,
    /// Columns of the table that names them.
    pub(super) columns: Vec<String>,
    /// Its columns that got another name when it was read: old and new.
    pub(super) renamed: Vec<(String, String)>,
    /// Warnings that are not spelt out.
    pub(super) more_warnings: usize,
    /// Files and folders that were passed over.
    pub(super) left_out: LeftOut,
}

/// What a list may take, and what it takes so far.
pub(super) struct Room<'a> {
    pub(super) context: &'a Context,
    pub(super) of: &'a Path,
    pub(super) taken: u64,
}

impl Room<'_> {
    /// Counts a file.
    pub(super) fn take(&mut self, path: &Path, class: Option<&str>) -> Result<()> {
        self.taken += entry_bytes(path, class);
        self.context.require(&format!("the list of the files in `{}`", self.of.display()), self.taken)
    }
}

/// Bytes that a file takes with its class while a run lasts: in the list, as what is asked for, and beside the answers.
fn entry_bytes(path: &Path, class: Option<&str>) -> u64 {
    const BESIDE: usize = 48; // where a text lies, and what the allocator adds
    let text = path.as_os_str().len() + class.map_or(0, str::len);
    4 * (text + 2 * BESIDE) as u64
}

impl Listing {
    /// Bytes that the list takes while a run lasts.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|own| entry_bytes(&own.path, own.class.as_deref())).sum()
    }

    /// Whether a table names them.
    pub fn is_table(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Checks that each renaming served a table of paths.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the columns that there are.
    pub fn check_renamed<'a>(reading: &Reading, all: impl Iterator<Item = &'a Self>) -> Result<()> {
        let header = |own: &Self| {
            let column = |name: &String| Column { name: name.clone(), cells: Cells::Numbers(Vec::new()) };
            let (columns, renamed) = (own.columns.iter().map(column).collect(), own.renamed.clone());
            Table { columns, renamed, ..Table::default() }
        };
        let headers: Vec<Table> = all.map(header).collect();
        if !reading.rename.is_empty() && headers.iter().all(|own| own.columns.is_empty()) {
            let problem = "is for columns of tables, and no table names these pictures";
            return Err(Error::input("`‹rename›`", problem, "leave it out"));
        }
        check_renamed(reading, headers.iter())
    }

    /// Adds a warning, unless there are many already.
    pub(super) fn warn(&mut self, text: String) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(text);
        } else {
            self.more_warnings += 1;
        }
    }

    /// Takes a file if it is a picture.
    pub(super) fn take(&mut self, path: PathBuf, class: Option<&str>) -> Result<()> {
        let kind = match format_of(&path)? {
            Some(Format::Read(_) | Format::Named) => {
                let row = self.entries.len();
                self.entries.push(Entry { path, class: class.map(String::from), row });
                return Ok(());
            }
            Some(Format::Foreign(format)) => Kind::Foreign(format),
            Some(Format::Other) => Kind::NoPicture,
            None => Kind::Nothing,
        };
        self.left_out.push(kind, &path);
        Ok(())
    }
}

/// What a file is; `None` if it is none and not named as a picture.
fn format_of(path: &Path) -> Result<Option<Format>> {
    let mut start = Vec::new();
    // Asked before it is opened: a pipe would wait for somebody to write.
    let is_file = path.is_file();
    if is_file {
        let read = File::open(path).and_then(|file| file.take(START as u64).read_to_end(&mut start));
        read.map_err(|error| Error::io(path, error))?;
    }
    let found = format(path, &start);
    Ok((is_file || found == Format::Named).then_some(found))
}

/// Whether a file is a picture, be it of a format that is read or of another.
///
/// # Errors
/// [`Error::Io`] if it is there and cannot be read.
pub fn is_picture(path: &Path) -> Result<bool> {
    let there = fs::metadata(path).is_ok_and(|facts| facts.is_file());
    Ok(there && !matches!(format_of(path)?, None | Some(Format::Other)))
}
