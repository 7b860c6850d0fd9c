//! Files that may be gzipped.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::error::{Error, Result};

/// Opens a file, unpacked on the way if it is gzipped by its first two bytes.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(|e| Error::io(path, e))?);
    let zipped = file.fill_buf().map_err(|e| Error::io(path, e))?.starts_with(&[0x1f, 0x8b]);
    Ok(if zipped {
        Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
}
