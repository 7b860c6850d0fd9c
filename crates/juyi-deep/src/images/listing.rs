//! Which pictures there are: a folder with a subfolder for each class, a folder of pictures, or a table of paths.
//!
//! The order is that of the names' bytes in folders and that of the rows in tables, on every machine. What is hidden (a
//! name that begins with a dot) is left aside. A file counts as a picture if its name ends as one or its first bytes
//! say so; whether it can be decoded shows later.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use juyi::context::Context;
use juyi::data::{Column, Reading, Table, read_table};
use juyi::error::{Error, Result};

use super::read::{KNOWN, is_read};

/// Names that the column of paths may have.
const PATHS: [&str; 3] = ["path", "file", "image"];

/// Names that the column of classes may have.
const CLASSES: [&str; 2] = ["label", "class"];

/// Endings of pictures' names.
const ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "tif", "tiff"];

/// Warnings that a listing spells out.
const MOST_WARNINGS: usize = 20;

/// A picture that is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its file.
    pub path: PathBuf,
    /// Its class, where one is known.
    pub class: Option<String>,
}

/// The pictures of a folder or table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The pictures, in an order that never changes.
    pub entries: Vec<Entry>,
    /// Files, and folders inside classes, that were passed over because they are no pictures.
    pub skipped: Vec<PathBuf>,
    /// What the user should know: classes without pictures, files named twice, rows without a class.
    pub warnings: Vec<String>,
    /// Warnings that are not spelt out.
    more_warnings: usize,
}

/// What a list may take, and what it takes so far.
struct Room<'a> {
    context: &'a Context,
    of: &'a Path,
    taken: u64,
}

impl Room<'_> {
    /// Counts a file.
    fn take(&mut self, path: &Path, class: Option<&str>) -> Result<()> {
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
    /// Lists a folder, or the table of paths in a file, in any format of [`read_table`].
    ///
    /// A folder with subfolders has a class for each, and the pictures that lie beside them are skipped. A table has
    /// the paths, seen from its own folder, in the column `path`, `file` or `image`, and may have classes in `label` or
    /// `class`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Input`] if there are no pictures, a class has a name that is not text, a table has no
    /// column of paths or several, a row names no file or one that does not exist, or a file stands there with two
    /// classes; whatever [`read_table`] reports.
    pub fn read(path: &Path, context: &Context) -> Result<Self> {
        let room = &mut Room { context, of: path, taken: 0 };
        let mut listing =
            if path.is_dir() { Self::of_folder(path, room)? } else { Self::of_table(path, room)? };
        if listing.more_warnings > 0 {
            let name = path.display();
            listing
                .warnings
                .push(format!("`{name}`: {} warnings like these are left out", listing.more_warnings));
        }
        if listing.entries.is_empty() {
            let found = match listing.skipped.first() {
                None => "is empty".into(),
                Some(first) => {
                    let count = listing.skipped.len();
                    format!("has no pictures; {count} skipped, the first `{}`", first.display())
                }
            };
            return Err(Error::input(format!("`{}`", path.display()), found, KNOWN));
        }
        Ok(listing)
    }

    /// Bytes that the list takes while a run lasts.
    pub fn bytes(&self) -> u64 {
        let entries = self.entries.iter().map(|own| entry_bytes(&own.path, own.class.as_deref()));
        entries.chain(self.skipped.iter().map(|path| entry_bytes(path, None))).sum()
    }

    /// Adds a warning, unless there are many already.
    fn warn(&mut self, text: String) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(text);
        } else {
            self.more_warnings += 1;
        }
    }

    fn of_folder(folder: &Path, room: &mut Room<'_>) -> Result<Self> {
        let mut listing = Self::default();
        let (folders, files) = content(folder, None, room)?;
        if folders.is_empty() {
            listing.take(files, None)?;
            return Ok(listing);
        }
        listing.skipped = files;
        for class in folders {
            let name = class.file_name().and_then(OsStr::to_str).ok_or_else(|| {
                let hint = "rename the folder: its name is the name of the class";
                Error::input(format!("`{}`", class.display()), "has a name that is not UTF-8 text", hint)
            })?;
            let (inside, files) = content(&class, Some(name), room)?;
            let before = listing.entries.len();
            listing.take(files, Some(name))?;
            listing.skipped.extend(inside);
            if listing.entries.len() == before {
                listing.warn(format!("class `{name}` has no pictures in `{}`", class.display()));
            }
        }
        Ok(listing)
    }

    fn of_table(path: &Path, room: &mut Room<'_>) -> Result<Self> {
        let name = path.to_str().ok_or_else(|| {
            let problem = "has a name that is not UTF-8 text";
            Error::input(format!("`{}`", path.display()), problem, "rename the file")
        })?;
        let as_text: Vec<String> = PATHS.iter().chain(&CLASSES).map(ToString::to_string).collect();
        let table = read_table(name, &Reading { as_text, ..Reading::default() }, room.context)?;
        let Some(paths) = only(&table, &PATHS)? else {
            let hint = "call the column of paths `path`, `file` or `image`";
            return Err(Error::input(format!("`{name}`"), "has no column of paths", hint));
        };
        let classes = only(&table, &CLASSES)?;
        let base = path.parent().unwrap_or(Path::new(""));
        let mut listing = Self::default();
        let mut seen: HashMap<PathBuf, Option<String>> = HashMap::new();
        let mut unlabelled = 0;
        for row in 0..table.rows {
            let place = format!("`{name}`, row {}", row + 1);
            let fail = |problem: String, hint: &str| {
                Err(Error::input(format!("{place}, column `{}`", paths.name), problem, hint))
            };
            let Some(written) = paths.cells.text(row) else {
                return fail("names no file".into(), "fill the cell, or leave the row out");
            };
            let file = base.join(&written);
            if !file.is_file() {
                let hint = "paths are seen from the folder of the table";
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
            listing.take(vec![file], class.as_deref())?;
            unlabelled += usize::from(class.is_none() && listing.entries.len() > before);
        }
        if classes.is_some() && unlabelled > 0 {
            listing.warnings.push(format!("`{name}`: {unlabelled} pictures without a class"));
        }
        Ok(listing)
    }

    /// Takes those of the files that are pictures.
    fn take(&mut self, files: Vec<PathBuf>, class: Option<&str>) -> Result<()> {
        for path in files {
            if is_picture(&path)? {
                self.entries.push(Entry { path, class: class.map(String::from) });
            } else {
                self.skipped.push(path);
            }
        }
        Ok(())
    }
}

/// The folders and the files in a folder, each sorted by the bytes of the name, without what is hidden.
fn content(folder: &Path, class: Option<&str>, room: &mut Room<'_>) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let unread = |error| Error::io(folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            let path = entry.path();
            room.take(&path, class)?;
            paths.push(path);
        }
    }
    paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(paths.into_iter().partition(|path| path.is_dir()))
}

/// Whether a file is named as a picture or begins as one.
fn is_picture(path: &Path) -> Result<bool> {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    if ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        return Ok(true);
    }
    if !path.is_file() {
        return Ok(false); // a link to nowhere, a pipe
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    read.map_err(|error| Error::io(path, error))?;
    Ok(image::guess_format(&start).is_ok_and(is_read))
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

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    /// A folder with these files, a byte string each; a name that ends in `/` is a folder.
    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(if name.ends_with('/') { &path } else { path.parent().expect("a folder") })
                .expect("a folder");
            if !name.ends_with('/') {
                fs::write(path, content).expect("a file");
            }
        }
        folder
    }

    fn read(folder: &tempfile::TempDir, file: &str) -> Result<Listing> {
        Listing::read(&folder.path().join(file), &Context::default())
    }

    /// Paths from the folder on, and the classes.
    fn shown(listing: &Listing, folder: &tempfile::TempDir) -> Vec<(String, Option<String>)> {
        let inside = |path: &Path| path.strip_prefix(folder.path()).expect("inside").display().to_string();
        listing.entries.iter().map(|entry| (inside(&entry.path), entry.class.clone())).collect()
    }

    #[test]
    fn each_subfolder_is_a_class_and_what_is_no_picture_is_named() {
        let folder = folder(&[
            ("b/2.JPG", b"even damaged"),
            ("b/10", PNG),
            ("b/.hidden.png", PNG),
            ("b/deeper/3.png", PNG),
            ("a/notes.txt", b"P6 no picture"),
            ("a/empty", b""),
            ("B/1.png", PNG),
            (".git/1.png", PNG),
            ("b/moving.gif", b"GIF89a"),
            ("readme.md", b"none"),
            ("c/", b""),
        ]);
        let listing = read(&folder, "").unwrap();
        let class = |name: &str| Some(name.to_string());
        let expected = [("B/1.png", class("B")), ("b/10", class("b")), ("b/2.JPG", class("b"))];
        assert_eq!(shown(&listing, &folder), expected.map(|(path, class)| (path.to_string(), class)));
        let skipped = ["readme.md", "a/empty", "a/notes.txt", "b/moving.gif", "b/deeper"];
        assert_eq!(listing.skipped, skipped.map(|name| folder.path().join(name)));
        assert_eq!(listing.warnings.len(), 2);
        assert!(listing.warnings[0].starts_with("class `a` has no pictures"), "{:?}", listing.warnings);
        assert!(listing.warnings[1].starts_with("class `c` has no pictures"), "{:?}", listing.warnings);
    }

    #[test]
    fn a_folder_without_subfolders_has_no_classes() {
        let folder = folder(&[("é.png", PNG), ("z.png", PNG), ("Z.png", PNG)]);
        let names = shown(&read(&folder, "").unwrap(), &folder);
        assert_eq!(names, ["Z.png", "z.png", "é.png"].map(|name| (name.to_string(), None)));
    }

    #[test]
    fn a_table_gives_paths_from_its_own_folder_and_classes_as_they_are_written() {
        let folder = folder(&[
            ("list/one.csv", b"label,image,x\n007,../b.png,1\n,../a.png,2\n7,../a.txt,3\n007,../b.png,4\n"),
            ("list/bare.csv", b"file\n../b.png\n"),
            ("a.png", PNG),
            ("b.png", PNG),
            ("a.txt", b"text"),
        ]);
        let listing = read(&folder, "list/one.csv").unwrap();
        let class = || Some("007".to_string());
        let expected = [("list/../b.png", class()), ("list/../a.png", None), ("list/../b.png", class())];
        assert_eq!(shown(&listing, &folder), expected.map(|(path, class)| (path.to_string(), class)));
        assert_eq!(listing.skipped, [folder.path().join("list/../a.txt")]);
        assert!(listing.warnings[0].ends_with("one.csv`, row 4: `../b.png` stands there twice"));
        assert!(listing.warnings[1].ends_with("one.csv`: 1 pictures without a class"));
        let bare = read(&folder, "list/bare.csv").unwrap();
        assert_eq!((bare.entries[0].class.as_deref(), bare.warnings.len()), (None, 0));
    }

    #[test]
    fn a_list_takes_no_more_than_the_budget_and_warns_in_few_words() {
        let names: Vec<String> = (0..30).map(|n| format!("{n}/")).collect();
        let empty: Vec<(&str, &[u8])> = names.iter().map(|name| (&name[..], &b""[..])).collect();
        let folder = folder(&[&empty[..], &[("0/a.png", PNG), ("list.csv", b"path\n0/a.png\n")]].concat());
        let listing = read(&folder, "").unwrap();
        assert_eq!(listing.warnings.len(), MOST_WARNINGS + 1);
        assert!(listing.warnings[MOST_WARNINGS].ends_with("9 warnings like these are left out"));
        for file in ["", "list.csv"] {
            let path = folder.path().join(file);
            let refused = |bytes: u64| Listing::read(&path, &Context::new(0, bytes)).err();
            let errors: Vec<String> =
                (300..3000).filter_map(refused).map(|error| error.to_string()).collect();
            assert!(errors.iter().all(|error| error.contains("the memory budget is")), "{errors:?}");
            assert!(errors.iter().any(|error| error.contains("the list of the files in `")), "{errors:?}");
            let found = Listing::read(&path, &Context::default()).unwrap();
            assert!(Listing::read(&path, &Context::new(0, found.bytes() + 30 * 1000)).is_ok());
        }
    }

    #[test]
    fn lists_that_cannot_be_used_say_why() {
        let folder = folder(&[
            ("empty/", b""),
            ("texts/a.txt", b"text"),
            ("a.png", PNG),
            ("two.csv", b"path,file\na.png,a.png\n"),
            ("no.csv", b"Path,label\na.png,1\n"),
            ("blank.csv", b"path,label\n,1\n"),
            ("missing.csv", b"path\na.png\nnone.png\n"),
            ("classes.csv", b"path,class\na.png,1\na.png,2\n"),
            ("header.csv", b"path,class\n"),
        ]);
        for (file, words) in [
            ("empty", "empty`: is empty"),
            ("texts", "texts`: has no pictures; 1 skipped, the first `"),
            ("two.csv", "has a column `path` and a column `file`"),
            ("no.csv", "has no column of paths"),
            ("blank.csv", "row 1, column `path`: names no file"),
            ("missing.csv", "row 2, column `path`: `none.png` is not a file"),
            ("classes.csv", "row 2, column `path`: `a.png` stands there twice, with two classes"),
            ("header.csv", "header.csv`: is empty"),
            ("none", "none`: "),
        ] {
            let error = read(&folder, file).unwrap_err().to_string();
            assert!(error.contains(words), "{error:?} does not say {words:?}");
        }
    }
}
