//! Files that may be gzipped, read with an eye on how far they have been read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::context::Context;
use crate::error::{Error, Result};

/// Opens a file, unpacked on the way if it is gzipped by its first two bytes. The context is told how far it is read.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn open<'a>(path: &Path, context: &'a Context) -> Result<Box<dyn BufRead + 'a>> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let size = file.metadata().map_or(0, |facts| facts.len());
    let watched = Watched { file, context, step: format!("reading {}", path.display()), read: 0, size };
    let mut file = BufReader::with_capacity(1 << 16, watched);
    let zipped = file.fill_buf().map_err(|error| Error::io(path, error))?.starts_with(&[0x1f, 0x8b]);
    Ok(if zipped {
        Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
}

/// A file that says how many of its bytes have been read.
struct Watched<'a> {
    file: File,
    context: &'a Context,
    step: String,
    read: u64,
    size: u64,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        self.context.progress(&self.step, self.read as usize, self.size as usize);
        Ok(count)
    }
}
