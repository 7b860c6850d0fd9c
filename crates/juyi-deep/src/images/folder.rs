//! The pictures in a folder: those of a class lie in a folder that bears its name, or deeper in it; those that lie beside
//! these folders have no class.
//!
//! Names that begin with a dot, and folders and files that programs keep for themselves, are passed over. Links to folders
//! are followed, each folder is listed once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use juyi::data::{Reading, listed};
use juyi::error::{Error, Result};

use super::entries::{Listing, Room};
use super::left_out::{Kind, by_name};

/// Most folders within each other.
const DEEPEST: usize = 32;

/// Names of the parts of a split, as data sets come.
pub(super) const PARTS: [&str; 14] = [
    "train",
    "training",
    "train_set",
    "test",
    "testing",
    "test_set",
    "val",
    "valid",
    "validation",
    "val_set",
    "dev",
    "eval",
    "holdout",
    "unlabeled",
];

/// Endings of tables that may name pictures and their classes.
const LISTS: [&str; 4] = ["csv", "tsv", "parquet", "xlsx"];

/// The pictures in a folder.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] if the folders in it are parts of a split, one has a name that is not text, or two are
/// the same one; [`Error::Memory`].
pub(super) fn list(folder: &Path, reading: &Reading, room: &mut Room<'_>) -> Result<Listing> {
    let mut walk = Walk { room, listing: Listing::default(), seen: HashMap::new() };
    walk.enter(folder, None)?;
    let (folders, files) = walk.content(folder, None)?;
    for file in files {
        let is_list =
            file.extension().is_some_and(|ending| LISTS.iter().any(|own| ending.eq_ignore_ascii_case(own)));
        if is_list {
            walk.listing.notes.push(format!(
                "`{}` is not looked at; if it names the pictures and their classes, give it in place of the folder",
                file.display()
            ));
        }
        walk.listing.take(file, None)?;
    }
    let beside = walk.listing.entries.len();
    let mut classes = Vec::new();
    for path in folders {
        let name = path.file_name().and_then(OsStr::to_str).ok_or_else(|| {
            let hint = "rename the folder: its name is the name of the class";
            Error::input(format!("`{}`", path.display()), "has a name that is not UTF-8 text", hint)
        })?;
        if reading.missing_values.iter().any(|word| word.trim() == name) {
            let found = walk.class(&path, None, 1)?;
            let text = format!("`{}`: {} pictures without a class", path.display(), found.pictures());
            walk.listing.notes.push(text);
            continue;
        }
        let found = walk.class(&path, Some(name), 1)?;
        classes.push(Class { name: name.to_string(), path, found });
    }
    let mut listing = walk.listing;
    let (classes, empty): (Vec<Class>, Vec<Class>) =
        classes.into_iter().partition(|class| class.found.pictures() > 0);
    for Class { name, path, .. } in &empty {
        if classes.is_empty() && beside > 0 {
            listing.left_out.push(Kind::Empty, path);
        } else {
            listing.warn(format!("class `{name}` has no pictures in `{}`", path.display()));
        }
    }
    refuse_split(folder, &classes)?;
    about_layout(folder, beside, &classes, &mut listing);
    Ok(listing)
}

/// A folder whose name is that of a class.
struct Class {
    name: String,
    path: PathBuf,
    found: Found,
}

/// What is in a folder.
#[derive(Default)]
struct Found {
    /// Pictures that lie in it.
    own: usize,
    /// Pictures that lie deeper.
    deeper: usize,
    /// Folders below it, at any depth, in which pictures lie.
    folders: usize,
    /// Names of the folders in it that have pictures.
    below: BTreeSet<String>,
}

impl Found {
    fn pictures(&self) -> usize {
        self.own + self.deeper
    }
}

/// A way through the folders.
struct Walk<'a, 'b> {
    room: &'a mut Room<'b>,
    listing: Listing,
    /// Folders that are listed, as the system calls them: how they were reached, and of which class they are.
    seen: HashMap<PathBuf, (PathBuf, Option<String>)>,
}

impl Walk<'_, '_> {
    /// Whether a folder is to be listed: not if it is already.
    fn enter(&mut self, folder: &Path, class: Option<&str>) -> Result<bool> {
        let own = fs::canonicalize(folder).map_err(|error| Error::io(folder, error))?;
        if let Some((first, of)) = self.seen.get(&own) {
            if let (Some(class), Some(of)) = (class, of)
                && class != of
            {
                let problem = format!("is the folder `{}`, which is that of another class", first.display());
                return Err(Error::input(format!("`{}`", folder.display()), problem, "remove one of them"));
            }
            self.listing.left_out.push(Kind::Again, folder);
            return Ok(false);
        }
        self.room.take(&own, class)?;
        self.seen.insert(own, (folder.to_path_buf(), class.map(String::from)));
        Ok(true)
    }

    /// Lists the pictures of a class, or of none, in a folder and all below it.
    fn class(&mut self, folder: &Path, class: Option<&str>, depth: usize) -> Result<Found> {
        let mut found = Found::default();
        if depth > DEEPEST {
            self.listing.left_out.push(Kind::TooDeep, folder);
            return Ok(found);
        }
        if !self.enter(folder, class)? {
            return Ok(found);
        }
        let (folders, files) = self.content(folder, class)?;
        let before = self.listing.entries.len();
        for file in files {
            self.listing.take(file, class)?;
        }
        found.own = self.listing.entries.len() - before;
        for path in folders {
            let inside = self.class(&path, class, depth + 1)?;
            if inside.pictures() > 0 {
                found.deeper += inside.pictures();
                found.folders += inside.folders + usize::from(inside.own > 0);
                found.below.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        Ok(found)
    }

    /// The folders and the files in a folder, each sorted by the bytes of the name, without what is passed over for its name.
    fn content(&mut self, folder: &Path, class: Option<&str>) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        let unread = |error| Error::io(folder, error);
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(folder).map_err(unread)? {
            let entry = entry.map_err(unread)?;
            let path = entry.path();
            let is_folder = path.is_dir();
            if by_name(entry.file_name().as_encoded_bytes(), is_folder).is_none() {
                self.room.take(&path, class)?;
            }
            if is_folder { folders.push(path) } else { files.push(path) }
        }
        for (paths, is_folder) in [(&mut folders, true), (&mut files, false)] {
            paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
            paths.retain(|path| {
                let name = path.file_name().unwrap_or_default().as_encoded_bytes();
                let kind = by_name(name, is_folder);
                if let Some(kind) = kind {
                    self.listing.left_out.push(kind, path);
                }
                kind.is_none()
            });
        }
        Ok((folders, files))
    }
}

/// Refuses folders that are parts of a split and hold the folders of classes: their names are no classes.
fn refuse_split(folder: &Path, classes: &[Class]) -> Result<()> {
    let is_part = |class: &&Class| PARTS.iter().any(|part| class.name.eq_ignore_ascii_case(part));
    let parts: Vec<&Class> = classes.iter().filter(is_part).collect();
    let deep = |class: &&&Class| class.found.own == 0;
    let all = parts.len() == classes.len();
    let split = if all {
        parts.len() > 1 || parts.iter().any(|own| deep(&own))
    } else {
        parts.iter().filter(deep).count() > 1
    };
    let Some(first) = parts.iter().find(|own| own.name.to_lowercase().starts_with("train")).or(parts.first())
    else {
        return Ok(());
    };
    if !split {
        return Ok(());
    }
    let names: Vec<&String> = parts.iter().map(|own| &own.name).collect();
    let problem = format!("looks like a split: {} are its parts, not classes", listed(&names));
    let problem = if names.len() == 1 {
        problem.replace("are its parts, not classes", "is a part, not a class")
    } else {
        problem
    };
    let hint =
        format!("give one part, such as `{}`; a class of that name has to be renamed", first.path.display());
    Err(Error::input(format!("`{}`", folder.display()), problem, hint))
}

/// Says how the folders were understood, where that is not plain.
fn about_layout(folder: &Path, beside: usize, classes: &[Class], listing: &mut Listing) {
    let name = folder.display();
    let names: Vec<&String> = classes.iter().map(|class| &class.name).collect();
    if beside > 0 && !classes.is_empty() {
        let (are, have) = if beside == 1 { ("picture lies", "has") } else { ("pictures lie", "have") };
        listing.warnings.push(format!(
            "`{name}`: {beside} {are} beside folders with pictures ({}) and {have} no class",
            listed(&names)
        ));
    }
    let deeper: usize = classes.iter().map(|class| class.found.deeper).sum();
    if deeper == 0 {
        return;
    }
    let folders: usize = classes.iter().map(|class| class.found.folders).sum();
    let (are, from) = (
        if deeper == 1 { "1 picture is".into() } else { format!("{deeper} pictures are") },
        if folders == 1 { "1 deeper folder".into() } else { format!("{folders} deeper folders") },
    );
    listing.notes.push(format!("{are} taken from {from}; the classes are the folders in `{name}`"));
    if classes.iter().any(|class| class.found.own > 0) {
        return;
    }
    // All lie deeper: the classes may be one level down.
    if let [only] = classes {
        if only.found.below.len() > 1 {
            listing.warnings.push(format!(
                "`{}` is taken for the only class; if the folders in it are the classes, give that one",
                only.path.display()
            ));
        }
        return;
    }
    let mut times: BTreeMap<&String, usize> = BTreeMap::new();
    for below in classes.iter().flat_map(|class| &class.found.below) {
        *times.entry(below).or_default() += 1;
    }
    let shared: Vec<&String> =
        times.into_iter().filter(|(_, count)| *count == classes.len()).map(|(name, _)| name).collect();
    if shared.len() > 1 {
        listing.warnings.push(format!(
            "{} are taken for the classes; if they are {}, which lie in each, give `{}` or another of these folders",
            listed(&names),
            listed(&shared),
            classes[0].path.display()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PNG, folder, read, shown};
    use super::*;

    /// The list of a folder with these files, all pictures but for names that end in `/`.
    fn of(names: &[&str]) -> (tempfile::TempDir, Result<Listing>) {
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, PNG)).collect();
        let folder = folder(&files);
        let listing = read(&folder, "");
        (folder, listing)
    }

    /// Paths with classes as `path=class`, then notes and warnings with the folder left out.
    fn all(names: &[&str]) -> (Vec<String>, Vec<String>) {
        let (folder, listing) = of(names);
        let listing = listing.unwrap();
        let entry = |(path, class): (String, Option<String>)| format!("{path}={}", class.unwrap_or_default());
        let base = folder.path().display().to_string();
        let said =
            listing.notes.iter().chain(&listing.warnings).map(|text| text.replace(&base, "F")).collect();
        (shown(&listing, &folder).into_iter().map(entry).collect(), said)
    }

    #[test]
    fn deeper_pictures_are_of_the_class_whose_folder_they_lie_in() {
        let (entries, said) = all(&["mug/s1/b.jpg", "mug/s2/x/c.jpg", "mug/a.jpg", "cup/d.jpg", "mug/none/"]);
        let expected = ["cup/d.jpg=cup", "mug/a.jpg=mug", "mug/s1/b.jpg=mug", "mug/s2/x/c.jpg=mug"];
        assert_eq!(entries, expected);
        assert_eq!(said, ["2 pictures are taken from 2 deeper folders; the classes are the folders in `F/`"]);
    }

    #[test]
    fn pictures_beside_folders_have_no_class() {
        let (entries, said) = all(&["b.jpg", "thumbnails/a.jpg", "a.jpg"]);
        assert_eq!(entries, ["a.jpg=", "b.jpg=", "thumbnails/a.jpg=thumbnails"]);
        assert_eq!(
            said,
            [
                "`F/`: 2 pictures lie beside folders with pictures (`thumbnails`) and have no class",
                "`thumbnails` is taken for a class; if the classes are told otherwise, give a folder with a \
                 subfolder for each, or a table of paths"
            ]
        );
        // Folders without pictures make no classes.
        let (entries, said) =
            all(&["b.jpg", "@eaDir/b.jpg/thumb.jpg", "__MACOSX/._b.jpg", "notes/", ".git/a.png"]);
        assert_eq!(entries, ["b.jpg="]);
        let left_out = "left out: 1 folder without pictures (`F/notes`); 1 hidden file or folder (`F/.git`); 2 folders of \
                        programs (the first `F/@eaDir`)";
        assert_eq!(said, [left_out]);
        let (entries, said) =
            all(&["mug/b.jpg", "mug/._b.jpg", "mug/Thumbs.db", "cup/.DS_Store", "cup/c.jpg"]);
        assert_eq!(entries, ["cup/c.jpg=cup", "mug/b.jpg=mug"]);
        let left_out = "left out: 1 companion file of macOS (`F/mug/._b.jpg`); 2 files of file managers (the first \
                        `F/cup/.DS_Store`)";
        assert_eq!(said, [left_out]);
    }

    #[test]
    fn parts_of_a_split_are_no_classes() {
        for names in [
            &["train/mug/a.jpg", "test/mug/b.jpg"][..],
            &["Train/mug/a.jpg", "val/mug/b.jpg", "spare/c.jpg"],
            &["train/mug/a.jpg", "train/cup/b.jpg", "test/"],
            &["train/a.jpg", "test/b.jpg"],
        ] {
            let error = of(names).1.unwrap_err();
            assert!(error.to_string().contains("looks like a split: "), "{error}");
            assert!(error.hint().unwrap().contains("rain`"), "{error:?}");
        }
        for names in [&["train/a.jpg", "bus/b.jpg"][..], &["train/a.jpg"], &["train/side/a.jpg", "bus/b.jpg"]]
        {
            assert!(of(names).1.is_ok(), "{names:?}");
        }
    }

    #[test]
    fn classes_that_may_be_a_level_down_are_said() {
        let (_, said) = all(&["office/mug/a.jpg", "office/cup/b.jpg"]);
        assert!(said[1].starts_with("`F/office` is taken for the only class; if the folders"), "{said:?}");
        let (_, said) =
            all(&["amazon/mug/a.jpg", "amazon/cup/b.jpg", "webcam/mug/c.jpg", "webcam/cup/d.jpg"]);
        let expected = "`amazon`, `webcam` are taken for the classes; if they are `cup`, `mug`, which lie in each, give \
                        `F/amazon` or another of these folders";
        assert_eq!(said[1], expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_listed_once_however_it_is_reached() {
        use std::os::unix::fs::symlink;
        let (folder, _) = of(&["a/1.jpg", "b/2.jpg", "away/3.jpg"]);
        let own = folder.path();
        symlink("..", own.join("a/up")).unwrap();
        symlink(".", own.join("b/self")).unwrap();
        symlink("nowhere", own.join("b/gone")).unwrap();
        std::fs::create_dir(own.join("c")).unwrap();
        symlink("../away", own.join("c/linked")).unwrap();
        let twice = read(&folder, "").unwrap_err().to_string();
        assert!(
            twice.contains("c/linked`: is the folder `") && twice.contains("of another class"),
            "{twice}"
        );
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::rename(own.join("away"), elsewhere.path().join("away")).unwrap();
        std::fs::remove_file(own.join("c/linked")).unwrap();
        symlink(elsewhere.path().join("away"), own.join("c/linked")).unwrap();
        let listing = read(&folder, "").unwrap();
        let classes: Vec<Option<String>> =
            shown(&listing, &folder).into_iter().map(|(_, class)| class).collect();
        assert_eq!(classes, ["a", "b", "c"].map(|class| Some(class.to_string())));
        let said = &listing.notes[1];
        assert!(
            said.contains("1 link to nothing or device") && said.contains("2 links to folders that"),
            "{said}"
        );
    }
}
