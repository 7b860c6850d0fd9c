//! Activations kept on disk, so that no frozen layer sees a picture twice: across epochs, runs, methods and settings.
//!
//! One small file a picture, under a folder for each network and cut. The names are BLAKE3 hashes of what decides the
//! numbers: weights, layers, preparation, and the picture's bytes. A checksum behind the numbers covers them, the format
//! and both names. Whatever is wrong with an entry, it counts as absent: damaged, cut off, too long, of another picture or
//! network, not finite, unreadable, no file at all. What cannot be written is computed again next time. So a cache may
//! cost time, and never changes or ends a run.
//!
//! Entries are not forced to the disk one by one, which takes some milliseconds each where the disk is busy: what a crash
//! leaves of one is seen by its length or checksum.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use juyi::error::{Error, Result};
use juyi::files::write_unsynced;

/// Goes into each checksum; entries of another format are absent.
const FORMAT: &[u8] = b"juyi activations 2";

/// Bytes of the checksum behind the numbers.
const CHECKSUM: usize = 16;

/// A folder of activations of any networks; copies share what could not be written.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    lost: Arc<Mutex<Lost>>,
}

/// Entries that could not be written.
#[derive(Debug, Default)]
struct Lost {
    count: usize,
    first: Option<Error>,
}

/// The activations that come out of one network at one cut.
#[derive(Debug)]
pub struct Entries<'a> {
    cache: &'a Cache,
    key: &'a str,
    folder: PathBuf,
}

impl Cache {
    /// The cache in `folder`, which is made where entries are written.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), lost: Arc::default() }
    }

    /// The entries of the network and cut that `key` stands for.
    pub fn entries<'a>(&'a self, key: &'a str) -> Entries<'a> {
        Entries { cache: self, key, folder: self.folder.join(key) }
    }

    /// What is to be said of entries that could not be written so far, if there are any.
    pub fn warning(&self) -> Option<String> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let first = lost.first.as_ref()?;
        let (folder, count) = (self.folder.display(), lost.count);
        Some(format!(
            "{count} entries of the cache `{folder}` could not be written and are computed anew next time; the first: {first}"
        ))
    }
}

impl Entries<'_> {
    /// The `count` numbers kept for a picture.
    pub fn get(&self, picture: &str, count: usize) -> Option<Vec<f32>> {
        let path = self.folder.join(picture);
        let (numbers, length) = (count.checked_mul(4)?, count.checked_mul(4)?.checked_add(CHECKSUM)?);
        // Asked before it is opened: a pipe would wait for somebody to write.
        let sound = |about: &fs::Metadata| about.is_file() && about.len() == length as u64;
        fs::symlink_metadata(&path).ok().filter(sound)?;
        let file = File::open(&path).ok().filter(|file| file.metadata().is_ok_and(|about| sound(&about)))?;
        let mut bytes = Vec::with_capacity(length);
        file.take(length as u64).read_to_end(&mut bytes).ok()?;
        let (numbers, checksum) = bytes.split_at_checked(numbers)?;
        if checksum != self.checksum(picture, numbers) {
            return None;
        }
        let (numbers, _) = numbers.as_chunks::<4>();
        let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        numbers.iter().all(|v| v.is_finite()).then_some(numbers)
    }

    /// Keeps the numbers of a picture, unless that cannot be done; see [`Cache::warning`].
    pub fn put(&self, picture: &str, numbers: &[f32]) {
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
        let checksum = self.checksum(picture, &bytes);
        bytes.extend(checksum);
        if let Err(error) = self.write(&self.folder.join(picture), &bytes) {
            let mut lost = self.cache.lost.lock().unwrap_or_else(PoisonError::into_inner);
            lost.count += 1;
            lost.first.get_or_insert(error);
        }
    }

    /// Writes an entry whole; what stands in its place and is no file is left alone.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        fs::create_dir_all(&self.folder).map_err(|error| Error::io(path, error))?;
        if fs::symlink_metadata(path).is_ok_and(|about| !about.is_file()) {
            let taken = io::Error::new(io::ErrorKind::AlreadyExists, "is no file of the cache");
            return Err(Error::io(path, taken));
        }
        write_unsynced(path, bytes)
    }

    fn checksum(&self, picture: &str, numbers: &[u8]) -> [u8; CHECKSUM] {
        let mut hash = blake3::Hasher::new();
        for name in [FORMAT, self.key.as_bytes(), picture.as_bytes()] {
            hash.update(&(name.len() as u64).to_le_bytes()).update(name);
        }
        hash.update(numbers);
        std::array::from_fn(|k| hash.finalize().as_bytes()[k])
    }
}

/// The name of some bytes.
pub fn name_of(bytes: &[u8]) -> String {
    name(&blake3::hash(bytes))
}

/// The name of what can be read, a part at a time.
///
/// # Errors
/// What the reader reports.
pub fn name_of_all(reader: impl Read) -> io::Result<String> {
    let mut hash = blake3::Hasher::new();
    hash.update_reader(reader)?;
    Ok(name(&hash.finalize()))
}

fn name(hash: &blake3::Hash) -> String {
    hash.to_hex()[..32].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache with the numbers 1.5 and -2 for `a`, and the file that holds them.
    fn kept() -> (tempfile::TempDir, Cache, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        cache.entries("network").put("a", &[1.5, -2.0]);
        let file = folder.path().join("network/a");
        (folder, cache, file)
    }

    #[test]
    fn what_was_put_is_found() {
        let (folder, cache, file) = kept();
        let entries = cache.entries("network");
        assert_eq!(entries.get("a", 2), Some(vec![1.5, -2.0]));
        for count in [0, 1, 3, usize::MAX] {
            assert_eq!(entries.get("a", count), None);
        }
        assert_eq!((entries.get("b", 2), cache.entries("other").get("a", 2)), (None, None));
        // What a crash leaves beside the entries is no entry.
        fs::write(folder.path().join("network/.juyi-x1"), b"half").unwrap();
        assert_eq!(entries.get("a", 2), Some(vec![1.5, -2.0]));
        assert_eq!(cache.warning(), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_ne!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "others may read it");
        }
        assert_eq!(file, folder.path().join("network/a"));
    }

    #[test]
    fn an_entry_that_is_not_sound_is_absent_and_written_anew() {
        let (_folder, cache, file) = kept();
        let entries = cache.entries("network");
        let sound = fs::read(&file).unwrap();
        for at in 0..sound.len() {
            let mut altered = sound.clone();
            altered[at] ^= 1;
            for bytes in [&altered[..], &sound[..at]] {
                fs::write(&file, bytes).unwrap();
                assert_eq!(entries.get("a", 2), None, "{at}");
            }
        }
        File::create(&file).unwrap().set_len(5 << 30).unwrap(); // never read
        assert_eq!(entries.get("a", 2), None);
        // As it was written before formats had a number.
        let numbers = &sound[..8];
        let old = [numbers, &blake3::hash(numbers).as_bytes()[..8]].concat();
        fs::write(&file, old).unwrap();
        assert_eq!(entries.get("a", 2), None);
        entries.put("a", &[1.5, -2.0]);
        assert_eq!((entries.get("a", 2), cache.warning()), (Some(vec![1.5, -2.0]), None));
    }

    #[test]
    fn a_sound_entry_under_another_name_is_absent() {
        let (folder, cache, file) = kept();
        fs::create_dir(folder.path().join("other")).unwrap();
        for place in ["network/b", "other/a"] {
            fs::copy(&file, folder.path().join(place)).unwrap();
        }
        assert_eq!(cache.entries("network").get("b", 2), None);
        assert_eq!(cache.entries("other").get("a", 2), None);
    }

    #[test]
    fn numbers_that_are_not_finite_are_absent() {
        let (_folder, cache, _) = kept();
        for number in [f32::NAN, f32::INFINITY] {
            cache.entries("network").put("a", &[1.0, number]);
            assert_eq!(cache.entries("network").get("a", 2), None);
        }
    }

    #[cfg(unix)]
    #[test]
    fn folders_links_and_pipes_are_absent_and_stay() {
        let (folder, cache, file) = kept();
        let entries = cache.entries("network");
        let own = |name: &str| folder.path().join("network").join(name);
        std::os::unix::fs::symlink(&file, own("link")).unwrap();
        fs::create_dir(own("folder")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(own("pipe")).status().unwrap();
        assert!(made.success());
        for name in ["link", "folder", "pipe"] {
            assert_eq!(entries.get(name, 2), None, "{name}");
            entries.put(name, &[1.5, -2.0]);
            assert!(!fs::symlink_metadata(own(name)).unwrap().is_file(), "{name}");
        }
        let said = cache.warning().unwrap();
        assert!(
            said.starts_with("3 entries of the cache `") && said.contains("is no file of the cache"),
            "{said}"
        );
    }

    #[test]
    fn what_cannot_be_written_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let cache = Cache::new(&file);
        let copy = cache.clone();
        copy.entries("network").put("a", &[1.0]);
        copy.entries("network").put("b", &[1.0]);
        assert_eq!(copy.entries("network").get("a", 1), None);
        let said = cache.warning().unwrap();
        assert!(said.starts_with("2 entries of the cache `") && said.contains("file/network/a`: "), "{said}");
        assert_eq!(fs::read(&file).unwrap(), b"");
    }
}
