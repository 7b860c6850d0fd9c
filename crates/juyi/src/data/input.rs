//! The bytes behind a table's name: a file, or a stream that can be read only once and is therefore kept.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use crate::context::Context;
use crate::error::{Error, Result};

/// The name of standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// A file that can be opened as often as a reader likes.
pub(super) struct Input<'a> {
    name: String,
    /// What a stream delivered, in a temporary file without a name.
    kept: Option<File>,
    context: &'a Context,
}

impl<'a> Input<'a> {
    /// A file, or standard input where `name` is `-`. What is no regular file (a pipe, a device) is read to its end
    /// here; it may be as long as the context's memory budget.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Memory`] for a longer stream.
    pub(super) fn new(name: &str, context: &'a Context) -> Result<Self> {
        let mut own = Self { name: name.into(), kept: None, context };
        if name == STANDARD_INPUT {
            own.kept = Some(own.keep(std::io::stdin().lock())?);
        } else if !std::fs::metadata(name).map_err(|error| own.failed(error))?.is_file() {
            let stream = own.open()?;
            own.kept = Some(own.keep(stream)?);
        }
        Ok(own)
    }

    /// The bytes from the first on.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn open(&self) -> Result<File> {
        let open = || match &self.kept {
            None => File::open(Path::new(&self.name)),
            Some(kept) => {
                let mut file = kept.try_clone()?;
                file.rewind()?; // a clone shares its place with the others
                Ok(file)
            }
        };
        open().map_err(|error| self.failed(error))
    }

    /// The bytes from the first on, unpacked on the way if they are gzipped by the first two. The context is told how
    /// far they have been read.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn unpacked(&self) -> Result<Box<dyn BufRead + 'a>> {
        let file = self.open()?;
        let size = file.metadata().map_or(0, |facts| facts.len());
        let mut file = BufReader::with_capacity(1 << 16, self.watched(file, size));
        let zipped = file.fill_buf().map_err(|error| self.failed(error))?.starts_with(&[0x1f, 0x8b]);
        Ok(if zipped {
            Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        })
    }

    /// All of a stream, in a temporary file.
    fn keep(&self, stream: impl Read) -> Result<File> {
        let budget = self.context.memory();
        let mut stream = self.watched(stream, 0).take(budget.saturating_add(1));
        let folder = std::env::temp_dir();
        let mut file = tempfile::tempfile().map_err(|error| Error::io(&folder, error))?;
        let length = std::io::copy(&mut stream, &mut file).map_err(|error| self.failed(error))?;
        if length > budget {
            let what = format!("`{}`, which is no file and is read at once,", self.name);
            return Err(Error::Memory { what, need: length, budget });
        }
        Ok(file)
    }

    fn watched<R>(&self, stream: R, size: u64) -> Watched<'a, R> {
        Watched { stream, context: self.context, step: format!("reading {}", self.name), read: 0, size }
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::io(Path::new(&self.name), error)
    }
}

/// A stream that says how many of its bytes have been read.
struct Watched<'a, R> {
    stream: R,
    context: &'a Context,
    step: String,
    read: u64,
    /// How many there are; 0 where that is not known.
    size: u64,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.read += count as u64;
        let done = if self.size == 0 { 0 } else { self.read };
        self.context.progress(&self.step, done as usize, self.size as usize);
        Ok(count)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::data::{Reading, read_table};

    /// A pipe, as a shell's `<(…)` gives one.
    fn pipe(text: &'static str) -> (tempfile::TempDir, String, std::thread::JoinHandle<()>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.csv");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()));
        let name = path.display().to_string();
        // A reader that has had enough closes the pipe: that is no failure of the writer.
        let writer = std::thread::spawn(move || drop(std::fs::write(&path, text)));
        (folder, name, writer)
    }

    #[test]
    fn a_pipe_is_read_once_though_text_takes_two_passes() {
        let (_folder, name, writer) = pipe("a,b\n1,007\n2,x\n");
        let table = read_table(&name, &Reading::default(), &Context::default()).unwrap();
        writer.join().unwrap();
        assert_eq!(table.rows, 2);
        assert_eq!(table.column("b").unwrap().cells.text(0), Some("007".into()));
    }

    #[test]
    fn a_pipe_without_end_is_refused() {
        let error = Input::new("/dev/zero", &Context::new(0, 1 << 20)).err().unwrap();
        assert!(matches!(&error, Error::Memory { what, .. } if what.contains("/dev/zero")), "{error}");
    }
}
