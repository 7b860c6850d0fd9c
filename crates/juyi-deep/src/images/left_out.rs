//! What a list of pictures leaves out, by kind and count, the first of each by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::format::Foreign;

/// Why a file or folder is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// In a format that is not read.
    Foreign(&'static Foreign),
    /// A file that is no picture.
    NoPicture,
    /// A folder without pictures, beside pictures.
    Empty,
    /// A link to nothing, a pipe, a device.
    Nothing,
    /// A name that begins with a dot.
    Hidden,
    /// What macOS writes beside a file on other systems' disks: `._photo.jpg`.
    Companion,
    /// What a file manager leaves behind: `Thumbs.db`.
    OfManager,
    /// A folder that a program keeps for itself: `@eaDir`.
    OfProgram,
    /// A link to a folder that is in the list already.
    Again,
    /// A folder too deep inside others.
    TooDeep,
}

impl Kind {
    /// What one is called, and several.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Foreign(_) => ("file", "files"),
            Self::NoPicture => ("file that is no picture", "files that are no pictures"),
            Self::Empty => ("folder without pictures", "folders without pictures"),
            Self::Nothing => ("link to nothing or device", "links to nothing or devices"),
            Self::Hidden => ("hidden file or folder", "hidden files and folders"),
            Self::Companion => ("companion file of macOS", "companion files of macOS"),
            Self::OfManager => ("file of a file manager", "files of file managers"),
            Self::OfProgram => ("folder of a program", "folders of programs"),
            Self::Again => {
                ("link to a folder that is listed already", "links to folders that are listed already")
            }
            Self::TooDeep => ("folder too deep inside others", "folders too deep inside others"),
        }
    }
}

/// Counts, and the first path, of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LeftOut(BTreeMap<Kind, (usize, PathBuf)>);

impl LeftOut {
    /// Counts one.
    pub(super) fn push(&mut self, kind: Kind, path: &Path) {
        self.0.entry(kind).or_insert_with(|| (0, path.to_path_buf())).0 += 1;
    }

    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All in one line.
    pub(super) fn listed(&self) -> String {
        self.lines(|_| true).join("; ")
    }

    /// What is no picture that anybody would miss, in one line.
    pub(super) fn note(&self) -> Option<String> {
        let lines = self.lines(|kind| !matches!(kind, Kind::Foreign(_)));
        (!lines.is_empty()).then(|| format!("left out: {}", lines.join("; ")))
    }

    /// A line for each format that is not read.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.lines(|kind| matches!(kind, Kind::Foreign(_)))
            .into_iter()
            .map(|line| format!("left out: {line}"))
    }

    fn lines(&self, wanted: impl Fn(Kind) -> bool) -> Vec<String> {
        let line = |(kind, (count, first)): (&Kind, &(usize, PathBuf))| {
            let (one, several) = kind.names();
            let name = if *count == 1 { one } else { several };
            let first = format!("{}`{}`", if *count == 1 { "" } else { "the first " }, first.display());
            match kind {
                Kind::Foreign(format) => {
                    let Foreign { name: format, convert, .. } = format;
                    format!("{count} {format} {name} ({first}), a format that is not read: {convert}")
                }
                _ => format!("{count} {name} ({first})"),
            }
        };
        self.0.iter().filter(|(kind, _)| wanted(**kind)).map(line).collect()
    }
}

/// Names of folders that programs keep for themselves: network drives, archives of macOS, waste bins, notebooks.
const OF_PROGRAMS: [&str; 9] = [
    "@eadir",
    "@__thumb",
    "@recycle",
    "#recycle",
    "$recycle.bin",
    "__macosx",
    "__pycache__",
    "lost+found",
    "system volume information",
];

/// Names of files that file managers leave behind.
const OF_MANAGERS: [&str; 7] =
    ["thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", ".directory", "picasa.ini", ".picasa.ini"];

/// The kind of what is left out for its name alone.
pub(super) fn by_name(name: &[u8], is_folder: bool) -> Option<Kind> {
    let is = |known: &[&str]| known.iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()));
    if is_folder && is(&OF_PROGRAMS) {
        return Some(Kind::OfProgram);
    }
    if !is_folder && is(&OF_MANAGERS) {
        return Some(Kind::OfManager);
    }
    if !is_folder && name.starts_with(b"._") {
        return Some(Kind::Companion);
    }
    name.starts_with(b".").then_some(Kind::Hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_by_what_it_is() {
        for (name, is_folder, kind) in [
            ("@eaDir", true, Some(Kind::OfProgram)),
            ("@eaDir", false, None),
            ("__MACOSX", true, Some(Kind::OfProgram)),
            (".git", true, Some(Kind::Hidden)),
            (".ipynb_checkpoints", true, Some(Kind::Hidden)),
            (".DS_Store", false, Some(Kind::OfManager)),
            ("Thumbs.db", false, Some(Kind::OfManager)),
            ("._a.jpg", false, Some(Kind::Companion)),
            ("._folder", true, Some(Kind::Hidden)),
            ("_a.jpg", false, None),
        ] {
            assert_eq!(by_name(name.as_bytes(), is_folder), kind, "{name}");
        }
        let mut own = LeftOut::default();
        assert!(own.is_empty() && own.note().is_none());
        own.push(Kind::Hidden, Path::new(".a"));
        own.push(Kind::NoPicture, Path::new("b"));
        own.push(Kind::NoPicture, Path::new("c"));
        let said = "left out: 2 files that are no pictures (the first `b`); 1 hidden file or folder (`.a`)";
        assert_eq!(own.note().unwrap(), said);
        assert_eq!(own.warnings().count(), 0);
    }
}
