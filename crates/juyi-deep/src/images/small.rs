//! Small copies of pictures, for people to look at.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use juyi::error::{Error, Result};

use super::prepare::resized;
use super::{Filter, Picture};

/// How much of the detail a JPEG file keeps, of 100.
const QUALITY: u8 = 80;

/// The picture as a JPEG file, its longer side at most `side` pixels.
///
/// # Errors
/// [`Error::Numeric`] if the file cannot be written.
pub fn small_jpeg(picture: &Picture, side: usize, filter: Filter) -> Result<Vec<u8>> {
    let longer = picture.width().max(picture.height());
    let scaled = |length: usize| if longer <= side { length } else { (length * side / longer).max(1) };
    let small = resized(picture, scaled(picture.width()), scaled(picture.height()), filter)?;
    let mut file = Vec::new();
    let (width, height) = (small.width() as u32, small.height() as u32); // at most `side`
    JpegEncoder::new_with_quality(&mut file, QUALITY)
        .write_image(small.pixels(), width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Error::Numeric { what: "a small picture".into(), why: error.to_string() })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::super::{MOST_PIXELS, decode};
    use super::*;

    #[test]
    fn the_longer_side_is_cut_to_size() {
        let wide = Picture::new(40, 10, vec![200; 1200]).unwrap();
        let back =
            |side| decode("f", &small_jpeg(&wide, side, Filter::Bilinear).unwrap(), MOST_PIXELS).unwrap();
        assert_eq!((back(20).width(), back(20).height()), (20, 5));
        assert_eq!((back(3).height(), back(99).width()), (1, 40));
        assert!(back(20).pixels().iter().all(|v| v.abs_diff(200) < 3));
    }
}
