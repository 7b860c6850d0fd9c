//! Activations kept on disk, so that no frozen layer sees a picture twice: across epochs, runs, methods and settings.
//!
//! One small file a picture, under a folder for each network and cut. The names are BLAKE3 hashes of what decides the
//! numbers: weights, layers, preparation, and the picture's bytes. A file that is cut off or damaged counts as absent.

use std::fs;
use std::path::{Path, PathBuf};

use juyi::error::{Error, Result};
use juyi::files::{remove_leftovers, write_unsynced};

/// Bytes of the checksum behind the numbers.
const CHECKSUM: usize = 8;

/// A folder of activations.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in `folder` of what comes out of the network and cut that `key` stands for.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be made.
    pub fn new(folder: &Path, key: &str) -> Result<Self> {
        let folder = folder.join(key);
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        remove_leftovers(&folder);
        Ok(Self { folder })
    }

    /// The `count` numbers kept for a picture.
    pub fn get(&self, picture: &str, count: usize) -> Option<Vec<f32>> {
        let bytes = fs::read(self.folder.join(picture)).ok()?;
        let (numbers, checksum) = bytes.split_at_checked(4 * count)?;
        if checksum != &blake3::hash(numbers).as_bytes()[..CHECKSUM] {
            return None;
        }
        let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Some(numbers.chunks_exact(4).map(number).collect())
    }

    /// Keeps the numbers of a picture.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn put(&self, picture: &str, numbers: &[f32]) -> Result<()> {
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
        let checksum = blake3::hash(&bytes);
        bytes.extend(&checksum.as_bytes()[..CHECKSUM]);
        write_unsynced(&self.folder.join(picture), &bytes)
    }
}

/// The name of some bytes.
pub fn name_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_and_damage_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path(), "network").unwrap();
        assert_eq!(cache.get("a", 2), None);
        cache.put("a", &[1.5, -2.0]).unwrap();
        assert_eq!(cache.get("a", 2), Some(vec![1.5, -2.0]));
        assert_eq!((cache.get("a", 1), cache.get("a", 3)), (None, None));
        let file = folder.path().join("network/a");
        let mut bytes = fs::read(&file).unwrap();
        bytes[0] ^= 1;
        fs::write(&file, &bytes).unwrap();
        assert_eq!(cache.get("a", 2), None);
        // The same network elsewhere sees none of it.
        assert_eq!(Cache::new(folder.path(), "other").unwrap().get("a", 2), None);
    }
}
