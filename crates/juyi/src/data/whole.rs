//! Files that are read whole, once it is known that they fit.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::context::Context;
use crate::error::{Error, Result};

/// The bytes of a file of which `times` as many bytes come into being while it is used.
///
/// # Errors
/// [`Error::Io`]; [`Error::Memory`] if the budget does not allow for these.
pub(crate) fn read_whole(path: &Path, times: u64, context: &Context) -> Result<Vec<u8>> {
    let failed = |error| Error::io(path, error);
    let what = format!("reading `{}`", path.display());
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    context.require(&what, size.saturating_mul(times))?;
    // A pipe has no size, and a file may grow.
    let most = context.left() / times;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        context.require(&what, most.saturating_add(1).saturating_mul(times))?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_budget_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, [7; 100]).unwrap();
        let read = |times, memory| read_whole(&file, times, &Context::new(0, memory));
        assert_eq!(read(3, 300).unwrap(), [7; 100]);
        assert!(matches!(read(3, 299), Err(Error::Memory { need: 300, .. })));
        assert!(matches!(read(u64::MAX, 299), Err(Error::Memory { .. })));
        let missing = read_whole(&folder.path().join("g"), 1, &Context::default());
        assert!(matches!(missing, Err(Error::Io { .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_without_an_end_is_refused() {
        let read = read_whole(Path::new("/dev/zero"), 2, &Context::new(0, 1 << 20));
        assert!(matches!(read, Err(Error::Memory { .. })));
    }
}
