//! One process at a time writes a folder. The system releases the lock of a process that ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The file that is locked where folders cannot be.
const LOCK: &str = ".juyi-lock";

/// A lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    /// `None` on a file system without locks.
    _held: Option<File>,
    file: Option<PathBuf>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = std::fs::remove_file(file); // else the next command removes it
        }
    }
}

/// Locks a folder: the folder itself, which leaves nothing behind, or a file in it where the system has it so.
///
/// # Errors
/// [`Error::Input`] while another process holds it; [`Error::Io`].
pub(super) fn lock(folder: &Path) -> Result<Lock> {
    let taken = || {
        let hint = "wait until it has ended, or give another folder with `‹out›`";
        Err(Error::input(format!("`{}`", folder.display()), "is being written by another `juyi`", hint))
    };
    if let Ok(own) = File::open(folder) {
        match own.try_lock() {
            Ok(()) if is_at(&own, folder) => return Ok(Lock { _held: Some(own), file: None }),
            // Its last process removed it before it was locked.
            Ok(()) => return Err(Error::io(folder, std::io::ErrorKind::NotFound.into())),
            Err(TryLockError::WouldBlock) => return taken(),
            Err(TryLockError::Error(_)) => {}
        }
    }
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| Error::io(folder, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _held: Some(file), file: Some(path) }),
        Err(TryLockError::WouldBlock) => taken(),
        Err(TryLockError::Error(_)) => Ok(Lock { _held: None, file: Some(path) }),
    }
}

/// Whether a path still leads to what was opened.
#[cfg(unix)]
fn is_at(opened: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |facts: std::fs::Metadata| (facts.dev(), facts.ino());
    let opened = opened.metadata().map(identity);
    opened.is_ok_and(|opened| std::fs::metadata(path).is_ok_and(|there| identity(there) == opened))
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.is_dir()
}

/// Whether an entry of a folder is what a lock is held on.
pub(super) fn is_lock(name: &std::ffi::OsStr) -> bool {
    name == LOCK
}
