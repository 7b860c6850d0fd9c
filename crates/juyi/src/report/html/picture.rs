//! A picture as a PNG file in a `data:` address, written by hand: a grey image is four short parts.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::escape;
use crate::report::run::{Photograph, Picture};

/// The picture as an image element; nothing if its pixels do not fill its size.
pub(super) fn image(picture: &Picture) -> String {
    let (height, width) = picture.size;
    let (Ok(rows), Ok(columns)) = (u32::try_from(height), u32::try_from(width)) else { return String::new() };
    if height.checked_mul(width) != Some(picture.pixels.len()) || width == 0 {
        return String::new();
    }
    let mut lines = ZlibEncoder::new(Vec::new(), Compression::default());
    for line in picture.pixels.chunks(width) {
        // Each line starts with its filter, 0 for none; ink is dark.
        let line: Vec<u8> = std::iter::once(0).chain(line.iter().map(|ink| 255 - ink)).collect();
        if lines.write_all(&line).is_err() {
            return String::new();
        }
    }
    let Ok(lines) = lines.finish() else { return String::new() };
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&columns.to_be_bytes()[..], &rows.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    for (name, data) in [(b"IHDR", header), (b"IDAT", lines), (b"IEND", Vec::new())] {
        let mut sum = flate2::Crc::new();
        sum.update(name);
        sum.update(&data);
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(name);
        file.extend(&data);
        file.extend(sum.sum().to_be_bytes());
    }
    let text = format!("row {}: true {}, predicted {}", picture.row, picture.truth, picture.predicted);
    let mut out = String::new();
    let _ = write!(
        out,
        "<img src=\"data:image/png;base64,{}\" width=\"{width}\" height=\"{height}\" alt=\"{}\">",
        base64(&file),
        escape(&text)
    );
    out
}

/// A photograph as an image element; nothing if its file is not written in Base64.
pub(super) fn photograph(own: &Photograph) -> String {
    if own.jpeg.is_empty() || !own.jpeg.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)) {
        return String::new();
    }
    let text = format!("{}: true {}, predicted {}", own.path, own.truth, own.predicted);
    format!("<img src=\"data:image/jpeg;base64,{}\" alt=\"{}\">", own.jpeg, escape(&text))
}

/// Three bytes in four letters.
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, k| bits << 8 | usize::from(*three.get(k).unwrap_or(&0)));
        for k in 0..4 {
            let letter = LETTERS[bits >> (18 - 6 * k) & 63];
            out.push(if k <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_by_hand() {
        assert_eq!(
            (base64(b"Man"), base64(b"Ma"), base64(b"M")),
            ("TWFu".into(), "TWE=".into(), "TQ==".into())
        );
        assert_eq!(base64(b""), "");
    }

    #[test]
    fn pixels_that_do_not_fill_the_size_are_no_picture() {
        let picture =
            |size, pixels| Picture { row: 1, size, pixels, truth: "a".into(), predicted: "b".into() };
        assert!(image(&picture((1, 2), vec![0, 255])).contains("alt=\"row 1: true a, predicted b\""));
        for (size, count) in [((2, 2), 3), ((0, 0), 0), ((1 << 40, 1 << 40), 1)] {
            assert_eq!(image(&picture(size, vec![0; count])), "");
        }
    }
}
