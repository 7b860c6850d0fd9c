//! Which pictures there are: one picture, a folder of them (`folder.rs`), or a table of paths (`paths.rs`).
//!
//! The order is that of the names' bytes in folders and that of the rows in tables, on every machine. A file counts as a
//! picture if its first bytes say so, or its name where they say nothing; whether it can be decoded shows later. What is
//! left out is counted by what it is.

use std::collections::BTreeSet;
use std::path::Path;

use juyi::context::Context;
use juyi::data::Reading;
use juyi::error::{Error, Result};

use super::doubtful::{doubts, masks};
use super::entries::{Listing, Room, is_picture};
use super::folder;
use super::format::KNOWN;
use super::paths::of_table;

impl Listing {
    /// Lists a folder, a picture alone, or the table of paths in a file, in any format of [`read_table`](juyi::data::read_table).
    ///
    /// A folder that has folders with pictures has a class for each, and pictures beside these have none; pictures may lie
    /// deeper in the folder of a class. A table has the paths, seen from its own folder, in the column `path`, `file` or
    /// `image`, and may have classes in `label` or `class`, or in the label's column of
    /// `reading`. A folder that is called as its missing values are bears no class.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Input`] if there are no pictures, the folders are parts of a split, a class has a name that
    /// is not text, a table has no column of paths or several, a row names no file or one that does not exist, or a file or
    /// folder stands there with two classes; whatever [`read_table`](juyi::data::read_table) reports.
    pub fn read(path: &Path, reading: &Reading, context: &Context) -> Result<Self> {
        let room = &mut Room { context, of: path, taken: 0 };
        let mut listing = if path.is_dir() {
            folder::list(path, reading, room)?
        } else if is_picture(path)? {
            let mut alone = Self::default();
            alone.take(path.to_path_buf(), None)?;
            alone
        } else if is_archive(path) {
            let hint = "unpack it, and give the folder";
            return Err(Error::input(format!("`{}`", path.display()), "is an archive", hint));
        } else {
            of_table(path, reading, room)?
        };
        if listing.more_warnings > 0 {
            let name = path.display();
            listing
                .warnings
                .push(format!("`{name}`: {} warnings like these are left out", listing.more_warnings));
        }
        if listing.entries.is_empty() {
            let left_out = &listing.left_out;
            let found = if left_out.is_empty() {
                "is empty".into()
            } else {
                format!("has no pictures, only {}", left_out.listed())
            };
            return Err(Error::input(format!("`{}`", path.display()), found, KNOWN));
        }
        listing.warnings.extend(listing.left_out.warnings());
        listing.notes.extend(listing.left_out.note());
        listing.remark(context);
        let classes: BTreeSet<&String> =
            listing.entries.iter().filter_map(|entry| entry.class.as_ref()).collect();
        let classes: Vec<String> = classes.into_iter().cloned().collect();
        listing.warnings.extend(doubts(&classes));
        listing.warnings.extend(masks(&listing.entries));
        Ok(listing)
    }
}

/// Whether a file is called as archives are; others are packed, too, and read.
fn is_archive(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let endings = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar"];
    endings.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::super::entries::MOST_WARNINGS;
    use super::super::testing::{PNG, folder, read, shown};
    use super::*;

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
            ("b/of-a-phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
            ("readme.md", b"none"),
            ("c/", b""),
        ]);
        let listing = read(&folder, "").unwrap();
        let class = |name: &str| Some(name.to_string());
        let expected = [
            ("B/1.png", class("B")),
            ("b/10", class("b")),
            ("b/2.JPG", class("b")),
            ("b/moving.gif", class("b")),
            ("b/deeper/3.png", class("b")),
        ];
        assert_eq!(shown(&listing, &folder), expected.map(|(path, class)| (path.to_string(), class)));
        let note = |text: &str| text.replace("FOLDER", &folder.path().display().to_string());
        let notes = [
            "1 picture is taken from 1 deeper folder; the classes are the folders in `FOLDER/`",
            "left out: 3 files that are no pictures (the first `FOLDER/readme.md`); 2 hidden files and folders (the \
             first `FOLDER/.git`)",
        ];
        assert_eq!(listing.notes, notes.map(note));
        assert_eq!(listing.warnings.len(), 4, "{:?}", listing.warnings);
        assert!(listing.warnings[0].starts_with("class `a` has no pictures"), "{:?}", listing.warnings);
        assert!(listing.warnings[1].starts_with("class `c` has no pictures"), "{:?}", listing.warnings);
        let foreign =
            "left out: 1 HEIC file (`FOLDER/b/of-a-phone.jpg`), a format that is not read: convert to JPEG: ";
        assert!(listing.warnings[2].starts_with(&note(foreign)), "{:?}", listing.warnings);
        let twins = "`B` and `b` are likely to be one class; spell them alike";
        assert_eq!(listing.warnings[3], twins);
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
        let [unused, left_out] = &listing.notes[..] else { panic!("{:?}", listing.notes) };
        assert!(unused.ends_with("one.csv`: the column is not used: `x`"), "{unused}");
        assert!(left_out.starts_with("left out: 1 file that is no picture (`"), "{left_out}");
        assert!(left_out.ends_with("list/../a.txt`)"), "{left_out}");
        assert!(listing.warnings[0].ends_with("one.csv`, line 5: `../b.png` stands there twice"));
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
            let refused =
                |bytes: u64| Listing::read(&path, &Reading::default(), &Context::new(0, bytes)).err();
            let errors: Vec<String> =
                (300..3000).filter_map(refused).map(|error| error.to_string()).collect();
            assert!(errors.iter().all(|error| error.contains("the memory budget is")), "{errors:?}");
            assert!(errors.iter().any(|error| error.contains("the list of the files in `")), "{errors:?}");
            let found = Listing::read(&path, &Reading::default(), &Context::default()).unwrap();
            assert!(
                Listing::read(&path, &Reading::default(), &Context::new(0, found.bytes() + 30 * 1000))
                    .is_ok()
            );
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
            ("texts", "texts`: has no pictures, only 1 file that is no picture (`"),
            ("two.csv", "has a column `path` and a column `file`"),
            ("no.csv", "has no column of paths"),
            ("blank.csv", "line 2, column `path`: names no file"),
            ("missing.csv", "line 3, column `path`: `none.png` is not a file"),
            ("classes.csv", "line 3, column `path`: `a.png` stands there twice, with two classes"),
            ("header.csv", "header.csv`: is empty"),
            ("none", "none`: "),
        ] {
            let error = read(&folder, file).unwrap_err().to_string();
            assert!(error.contains(words), "{error:?} does not say {words:?}");
        }
    }
}
