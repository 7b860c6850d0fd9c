//! Files that are written: each appears whole or not at all, a link is followed, and what is no regular file (a pipe, a
//! device) is written to and never replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::setting::Setting;

/// Beginning of the names of temporary files; [`RANDOM`] letters and digits follow.
const PREFIX: &str = ".juyi-";
const RANDOM: usize = 6;
/// Links that are followed one after another, as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Writes a file under another name first and renames it, so that no half-written file is ever seen, also after a loss
/// of power.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] for a folder.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, true)
}

/// Writes a file whole, without waiting for the disk: for what has a checksum and can be computed again.
///
/// # Errors
/// As [`write_whole`].
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, false)
}

fn write(path: &Path, bytes: &[u8], synced: bool) -> Result<()> {
    let written = match place(path)? {
        // As it stands in this process: opened anew it would begin at the beginning.
        Place::Stream if path == Path::new("/dev/stdout") => {
            let mut out = io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
        Place::Stream => {
            OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(bytes))
        }
        Place::File(target) => match replace(&target, bytes, synced) {
            // Another process took the temporary file for a leftover before it was locked.
            Err(error) if error.kind() == ErrorKind::NotFound && parent(&target).is_dir() => {
                replace(&target, bytes, synced)
            }
            result => result,
        },
    };
    written.map_err(|error| Error::io(path, error))
}

/// Asks before the work whether [`write_whole`] can write the file that a setting names, and refuses one that is an input; leftovers of killed
/// processes beside it are removed.
///
/// # Errors
/// [`Error::Input`] for a folder, a write-protected file and an input; [`Error::Io`].
pub fn check_output<'a>(
    path: &Path,
    setting: Setting,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<()> {
    let Place::File(target) = place(path)? else { return Ok(()) };
    if let Some(input) = inputs.into_iter().find(|input| same_file(input, &target)) {
        let problem = format!("is the input `{}`, which would be overwritten", input.display());
        let hint = format!("give another file with `{setting}`");
        return Err(Error::input(format!("`{}`", path.display()), problem, hint));
    }
    if fs::metadata(&target).is_ok_and(|facts| facts.permissions().readonly()) {
        let hint = format!("give another file with `{setting}`, or allow writing to it");
        return Err(Error::input(format!("`{}`", path.display()), "is write-protected", hint));
    }
    let folder = parent(&target);
    remove_leftovers(folder);
    temporary(folder).map(drop).map_err(|error| Error::io(path, error))
}

/// The file that is written where a path leads, through links; `None` where it is written to as it comes.
///
/// # Errors
/// [`Error::Input`] for a folder and a link that leads in a circle; [`Error::Io`].
pub(crate) fn written_file(path: &Path) -> Result<Option<PathBuf>> {
    Ok(match place(path)? {
        Place::File(target) => Some(target),
        Place::Stream => None,
    })
}

/// Asks before the work whether files can be made in a folder.
///
/// # Errors
/// [`Error::Io`].
pub fn check_folder(folder: &Path) -> Result<()> {
    temporary(folder).map(drop).map_err(|error| Error::io(folder, error))
}

/// Whether a path leads to what is written to as it comes: a pipe, a device, an open file of this process.
pub fn is_stream(path: &Path) -> bool {
    matches!(place(path), Ok(Place::Stream))
}

/// Whether two paths lead to one file or folder, by whatever names.
pub fn same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    let identity = |path: &Path| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).map(|facts| (facts.dev(), facts.ino())).ok()
    };
    #[cfg(not(unix))]
    let identity = |path: &Path| fs::canonicalize(path).ok();
    identity(a).is_some_and(|first| identity(b) == Some(first))
}

/// Removes temporary files that killed processes left in a folder. Those of processes that run are locked.
pub fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_leftover(&entry) && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path()); // it is in nobody's way
        }
    }
}

/// Whether an entry of a folder is named as only our temporary files are.
pub(crate) fn is_leftover(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|b| b.is_ascii_alphanumeric()))
        && entry.file_type().is_ok_and(|kind| kind.is_file())
}

/// Waits until the names in a folder are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(()); // folders cannot be opened
    }
    match File::open(folder)?.sync_all() {
        // Some file systems see to it themselves.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// Where bytes go.
enum Place {
    /// A regular file, or none yet.
    File(PathBuf),
    Stream,
}

fn place(path: &Path) -> Result<Place> {
    let open_files = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc/self/fd"];
    if cfg!(unix) && open_files.iter().any(|name| path.starts_with(name)) {
        return Ok(Place::Stream);
    }
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => {
            let hint = "give the name of a file";
            Err(Error::input(format!("`{}`", path.display()), "is a folder, not a file", hint))
        }
        Ok(facts) if !facts.is_file() => Ok(Place::Stream),
        Ok(_) if path.is_symlink() => {
            fs::canonicalize(path).map(Place::File).map_err(|error| Error::io(path, error))
        }
        Ok(_) => Ok(Place::File(path.to_path_buf())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Place::File(followed(path)?)),
        Err(error) => Err(Error::io(path, error)),
    }
}

/// What a link to nowhere points to.
fn followed(path: &Path) -> Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else { return Ok(target) };
        target = parent(&target).join(next);
    }
    Err(Error::input(format!("`{}`", path.display()), "is a link that leads in a circle", "remove it"))
}

/// The folder that a file lies in.
fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)] // as an ordinary file: what the user's umask leaves of rw-rw-rw-
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Only the kind: the message would name the temporary file.
    let file = builder.prefix(PREFIX).rand_bytes(RANDOM).tempfile_in(folder).map_err(|error| error.kind())?;
    let _ = file.as_file().try_lock(); // so that nobody takes it for a leftover
    Ok(file)
}

fn replace(target: &Path, bytes: &[u8], synced: bool) -> io::Result<()> {
    let folder = parent(target);
    let mut file = temporary(folder)?;
    if let Ok(facts) = fs::metadata(target) {
        file.as_file().set_permissions(facts.permissions())?;
    }
    file.as_file_mut().write_all(bytes)?;
    if synced {
        file.as_file().sync_all()?;
    }
    file.persist(target).map_err(|error| error.error)?;
    if synced { sync_folder(folder) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for text in ["long text", "short"] {
            check_output(&path, Setting::Out, []).unwrap();
            write_whole(&path, text.as_bytes()).unwrap();
            assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), (text, 1));
        }
        let refused = |path: &Path| check_output(path, Setting::Out, []).unwrap_err().to_string();
        assert!(refused(folder.path()).ends_with("is a folder, not a file"));
        assert!(write_whole(folder.path(), b"").is_err());
        assert!(refused(&folder.path().join("no/such")).contains("no/such"));
        let mut facts = fs::metadata(&path).unwrap().permissions();
        facts.set_readonly(true);
        fs::set_permissions(&path, facts).unwrap();
        assert!(refused(&path).ends_with("is write-protected"));
    }

    #[test]
    fn leftovers_go_unless_their_process_runs() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".juyi-aB3dE9", ".juyi-notes", ".juyi-toolong1", "juyi-aB3dE9"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let held = temporary(folder.path()).unwrap();
        check_output(&folder.path().join("a"), Setting::Out, []).unwrap();
        assert!(held.path().exists());
        drop(held);
        assert_eq!(names(folder.path()), [".juyi-notes", ".juyi-toolong1", "juyi-aB3dE9"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_inputs_known_by_any_name() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/file"), "old").unwrap();
        fs::set_permissions(at("sub/file"), PermissionsExt::from_mode(0o640)).unwrap();
        symlink("sub/file", at("link")).unwrap();
        symlink("sub/new", at("dangling")).unwrap();
        symlink("circle", at("circle")).unwrap();
        fs::hard_link(at("sub/file"), at("hard")).unwrap();
        for (output, input) in [("link", "sub/file"), ("sub/file", "link"), ("hard", "sub/../link")] {
            let error = check_output(&at(output), Setting::Out, [&*at("nothing"), &*at(input)])
                .unwrap_err()
                .to_string();
            assert!(error.contains("which would be overwritten"), "{error}");
        }
        for (link, target) in [("link", "sub/file"), ("dangling", "sub/new")] {
            check_output(&at(link), Setting::Out, [&*at("nothing")]).unwrap();
            write_whole(&at(link), b"new").unwrap();
            assert!(at(link).is_symlink() && fs::read(at(target)).unwrap() == b"new", "{link}");
        }
        assert_eq!(fs::metadata(at("sub/file")).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(write_whole(&at("circle"), b"").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_pipes_are_written_to() {
        use std::os::unix::fs::FileTypeExt;
        write_whole(Path::new("/dev/null"), b"text").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        if !std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
            return; // a system without
        }
        check_output(&pipe, Setting::Out, [&*pipe]).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_whole(&pipe, b"text").unwrap();
        assert_eq!(reader.join().unwrap(), b"text");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }
}
