//! Files that were made as long as they are to be and never filled: they end in zeros.

use image::ImageFormat;

use super::cut::{End, end};

/// Zeros at the end of a file that are no content, at least, unless they are a share of it.
const LONG: usize = 4096;

/// The share of a file that is much, and the fewest zeros that are a share.
const SHARE: (usize, usize) = (10, 64);

/// Zeros at the end of what a `WebP` file holds: of one colour it is packed to a twentieth of zeros.
const LONG_OF_WEBP: usize = 1 << 16;

/// How many bytes at the end of a file were never written, if many were not. Zeros behind the end of a picture are no
/// matter, nor are those of formats that do not pack.
pub(super) fn unwritten(format: ImageFormat, content: &[u8]) -> Option<usize> {
    let (own, long) = match format {
        ImageFormat::WebP => (picture_of_webp(content)?, LONG_OF_WEBP),
        _ => (content, LONG),
    };
    let zeros = own.iter().rev().take_while(|byte| **byte == 0).count();
    if zeros < long && (zeros < SHARE.1 || SHARE.0 * zeros < own.len()) {
        return None;
    }
    let sound = &content[..content.len() - zeros.min(content.len())];
    let whole = match format {
        ImageFormat::Jpeg => end(content) == End::Whole,
        ImageFormat::Png => sound.windows(4).any(|chunk| chunk == b"IEND"),
        ImageFormat::Gif => sound.ends_with(b";"),
        ImageFormat::WebP => false,
        _ => true,
    };
    (!whole).then_some(zeros)
}

/// What a `WebP` file holds of its first picture.
fn picture_of_webp(content: &[u8]) -> Option<&[u8]> {
    let mut at = 12;
    loop {
        let (name, size) = (content.get(at..at + 4)?, content.get(at + 4..at + 8)?);
        let size = u32::from_le_bytes(size.try_into().ok()?) as usize;
        let own = content.get(at + 8..)?;
        if [b"VP8 ", b"VP8L", b"ANMF"].iter().any(|known| name == *known) {
            return Some(&own[..size.min(own.len())]);
        }
        at = at.checked_add(8 + size + size % 2)?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::{MOST_PIXELS, decode};
    use super::*;

    #[test]
    fn a_file_that_ends_in_zeros_was_not_written_whole() {
        let noise = |x: u32, y: u32| {
            let value = (x * 7919 + y * 104_729 + x * y * 31).wrapping_mul(2_654_435_761) >> 24;
            image::Rgb([value as u8, (value * 3) as u8, (value * 7) as u8])
        };
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
            let mut file = Cursor::new(Vec::new());
            image::RgbImage::from_fn(90, 90, noise).write_to(&mut file, format).unwrap();
            let whole = file.into_inner();
            let read = |content: &[u8]| decode("F", content, MOST_PIXELS).map_err(|error| error.to_string());
            let picture = read(&whole).unwrap();
            for part in [2, 4, 8] {
                let mut cut = whole.clone();
                let from = whole.len() - whole.len() / part;
                cut[from..].fill(0);
                let said = read(&cut).unwrap_err();
                assert!(said.starts_with("F: is a damaged picture: "), "{format:?}: {said}");
                assert!(
                    said.ends_with("at its end are zeros: it was not written whole"),
                    "{format:?}: {said}"
                );
            }
            // Padded behind its end.
            assert_eq!(read(&[&whole[..], &[0; 9000]].concat()).unwrap(), picture, "{format:?}");
        }
        let mut file = Cursor::new(Vec::new());
        image::RgbImage::new(90, 90).write_to(&mut file, ImageFormat::Bmp).unwrap();
        assert!(decode("F", &file.into_inner(), MOST_PIXELS).is_ok());
    }
}
