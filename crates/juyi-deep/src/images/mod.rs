//! Pictures: found in folders and lists, decoded, brought to the size and scale that a network was trained on, and
//! altered at random while it is trained further.
//!
//! Read in this order: [`Listing`] says which files there are and of which class, [`read`](read()) makes a [`Picture`]
//! of one, [`prepare`](prepare()) makes the network's input of it by a [`Recipe`], [`augment`](augment()) does so at
//! random, and [`prepare_all`] runs over many files at once. [`mixup`] and [`cutmix`] blend the samples of a batch.

mod augment;
mod batches;
mod colours;
mod copies;
mod cut;
mod doubtful;
mod entries;
mod folder;
mod format;
mod left_out;
mod listing;
mod mixing;
mod operations;
mod paths;
mod prepare;
mod read;
mod remarks;
mod size;
mod small;
mod unwritten;

use std::fmt::Display;

pub use augment::{Augmentation, RandAugment, RandomCrop, augment, generator};
pub(crate) use batches::each_of;
pub use batches::{Batch, Making, OnDamage, Reading, prepare_all};
pub(crate) use colours::{COLOURS, colour_shares};
pub use copies::{copies, tell_copies};
pub use entries::{Entry, Listing, is_picture, path_text};
pub use mixing::{Mixed, cutmix, mixup};
pub use prepare::{Changes, Filter, Recipe, Resize, prepare};
pub use read::{MOST_PIXELS, decode, read};
pub(crate) use size::{open, size};
pub use small::small_jpeg;

use juyi::error::{Error, Result};

/// A decoded picture: rows from the top, pixels from the left, red, green and blue in a byte each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// The picture of `height` rows of `width` pixels.
    ///
    /// # Errors
    /// [`Error::Input`] unless both sides are at least 1 and there are `3 * width * height` bytes.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        let bytes = width.checked_mul(height).and_then(|count| count.checked_mul(3));
        if width == 0 || height == 0 || bytes != Some(pixels.len()) {
            let problem = format!("{} bytes are no picture of {width} x {height} pixels", pixels.len());
            return Err(Error::input(
                "picture",
                problem,
                "give three bytes for each pixel, at least one pixel",
            ));
        }
        Ok(Self { width, height, pixels })
    }

    /// Pixels in a row, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bytes, `(height, width, 3)`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixel in column `x` of row `y`.
    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * self.width + x);
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// The picture of the same size whose pixel in column `x` of row `y` is `pixel(x, y)`.
    fn redrawn(&self, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Self {
        let places = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        let mut pixels = Vec::with_capacity(self.pixels.len());
        places.for_each(|(x, y)| pixels.extend(pixel(x, y)));
        Self { pixels, ..*self }
    }
}

/// A setting out of its range.
fn out_of_range(owner: &str, name: &str, must: &str, got: impl Display) -> Error {
    Error::Param { owner: owner.into(), name: name.into(), must: must.into(), got: got.to_string() }
}

/// What several tests need.
#[cfg(test)]
mod testing {
    use std::path::Path;

    use juyi::context::Context;
    use juyi::data::Reading;
    use juyi::error::Result;
    use serde_json::Value;

    use super::{Listing, Picture};

    /// The start of a PNG file, which makes it one for a list.
    pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    /// A folder with these files, a byte string each; a name that ends in `/` is a folder.
    pub(super) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            let path = folder.path().join(name);
            let own = if name.ends_with('/') { &path } else { path.parent().expect("a folder") };
            std::fs::create_dir_all(own).expect("a folder");
            if !name.ends_with('/') {
                std::fs::write(path, content).expect("a file");
            }
        }
        folder
    }

    /// The list of a file or folder in it.
    pub(super) fn read(folder: &tempfile::TempDir, file: &str) -> Result<Listing> {
        Listing::read(&folder.path().join(file), &Reading::default(), &Context::default())
    }

    /// Paths from the folder on, and the classes.
    pub(super) fn shown(listing: &Listing, folder: &tempfile::TempDir) -> Vec<(String, Option<String>)> {
        let inside = |path: &Path| path.strip_prefix(folder.path()).expect("inside").display().to_string();
        listing.entries.iter().map(|entry| (inside(&entry.path), entry.class.clone())).collect()
    }

    /// The cases of a golden file; `make_images.py` beside it made them and says with which versions.
    pub(super) fn cases(name: &str) -> Vec<Value> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/images/");
        let text = std::fs::read_to_string(format!("{folder}{name}.json")).expect("a golden file");
        let mut file: Value = serde_json::from_str(&text).expect("JSON");
        serde_json::from_value(file["cases"].take()).expect("a list of cases")
    }

    /// Bytes that stand as hexadecimal digits.
    pub(super) fn bytes(value: &Value) -> Vec<u8> {
        let digits = value.as_str().expect("hexadecimal digits");
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
        (0..digits.len()).step_by(2).map(byte).collect()
    }

    /// A picture as the golden files hold it.
    pub(super) fn picture(value: &Value) -> Picture {
        let side = |name: &str| value[name].as_u64().expect("a side") as usize;
        Picture::new(side("width"), side("height"), bytes(&value["pixels"])).expect("a picture")
    }

    /// The largest difference of a byte between two pictures of one size.
    pub(super) fn gap(a: &Picture, b: &Picture) -> u8 {
        assert_eq!((a.width, a.height), (b.width, b.height));
        a.pixels.iter().zip(&b.pixels).map(|(a, b)| a.abs_diff(*b)).max().expect("at least one pixel")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_three_bytes_for_each_pixel() {
        let picture = Picture::new(1, 2, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!((picture.width(), picture.height(), picture.pixel(0, 1)), (1, 2, [4, 5, 6]));
        for (width, height, bytes) in [(0, 1, 0), (1, 0, 0), (2, 2, 11), (usize::MAX, 2, 6)] {
            let error = Picture::new(width, height, vec![0; bytes]).unwrap_err().to_string();
            assert!(error.contains(&format!("{bytes} bytes")), "{error}");
        }
    }
}
