//! Decoding of JPEG, PNG, WebP, TIFF, GIF and BMP by the `image` crate, as Pillow's `convert("RGB")` shows them.
//!
//! The format is told by the first bytes, never by the file's name. Grey becomes three equal bytes, palettes are looked
//! up, 16 bits are scaled to 8, CMYK and YCCK become red, green and blue, transparency is dropped without blending, and
//! the orientation that a camera noted is applied. Colour profiles are not: Pillow leaves them aside as well.
//!
//! Files are taken for hostile. Sides and pixels are checked on the header, before anything of the picture's size is
//! allocated, and so is the memory that is left ([`super::size`]).

use std::io::{Cursor, Read};
use std::panic::catch_unwind;
use std::path::Path;

use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use juyi::error::{Error, Result, bytes};

use super::Picture;
use super::cut;
use super::format::{KNOWN, START, foreign_start, read_start};
use super::size::{Size, UNPACKED, open, size};
use super::unwritten::unwritten;

/// Most pixels of a picture unless the caller says otherwise: 134 million, 400 MB of red, green and blue.
pub const MOST_PIXELS: u64 = 1 << 27;

/// Longest side of a picture in pixels.
const LONGEST_SIDE: u32 = 30_000;

/// Most pixels that a byte of a JPEG or PNG file can stand for. Deflate packs at most 1032 bytes, of 8 pixels each,
/// into one; JPEG has at least a bit for each block of 64 pixels.
const DENSEST: u64 = 1032 * 8;

/// Reads the picture in a file, of at most `most_pixels` pixels. A JPEG file may end too early by up to a third of its
/// pixels, which are then of no colour; [`Listing::warnings`](super::Listing::warnings) says so.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] if it is not a file, too large, of another format or damaged.
pub fn read(path: &Path, most_pixels: u64) -> Result<Picture> {
    read_sized(path, most_pixels, &size(path, most_pixels))
}

/// Reads the picture in a file whose header says that it has this size.
///
/// # Errors
/// As for [`read`].
pub(super) fn read_sized(path: &Path, most_pixels: u64, size: &Size) -> Result<Picture> {
    Ok(read_cut(path, most_pixels, size)?.0)
}

/// The same, with the share of its pixels that are missing because the file ends too early.
pub(super) fn read_cut(path: &Path, most_pixels: u64, size: &Size) -> Result<(Picture, Option<f64>)> {
    let name = format!("`{}`", path.display());
    let (file, length) = open(path, most_pixels)?;
    let mut content = Vec::with_capacity(length as usize + 1); // the end is seen without growing
    file.take(length).read_to_end(&mut content).map_err(|error| Error::io(path, error))?;
    decode_sized(&name, &content, most_pixels, Some(size.sides))
}

/// What a file is that begins as no picture does, and what to do about it.
fn no_picture(start: &[u8]) -> (&'static str, &'static str) {
    let page = start.trim_ascii_start().to_ascii_lowercase();
    if start.is_empty() {
        ("is empty", "fetch the picture again")
    } else if page.starts_with(b"<!doctype html") || page.starts_with(b"<html") {
        ("is a page of the web, no picture", "fetch the picture again: a server answered with a page")
    } else if start.starts_with(b"version https://git-lfs") {
        ("is a pointer of Git LFS, no picture", "`git lfs pull` fetches the picture")
    } else {
        ("does not begin as a picture does", KNOWN)
    }
}

/// Decodes the content of a file that messages call `name`, of at most `most_pixels` pixels.
///
/// # Errors
/// [`Error::Input`] if it is too large, of another format or damaged.
pub fn decode(name: &str, content: &[u8], most_pixels: u64) -> Result<Picture> {
    Ok(decode_sized(name, content, most_pixels, None)?.0)
}

/// The same, with the share of the pixels that are missing because the file ends too early; where `sides` are known already, the decoder must find the same.
fn decode_sized(
    name: &str,
    content: &[u8],
    most_pixels: u64,
    sides: Option<[u32; 2]>,
) -> Result<(Picture, Option<f64>)> {
    // The decoders are large and read what anybody may have written: a slip of theirs costs a picture, not the run.
    catch_unwind(|| decode_trusting(name, content, most_pixels, sides))
        .unwrap_or_else(|_| Err(damaged(name, "the decoder broke down on it")))
}

fn decode_trusting(
    name: &str,
    content: &[u8],
    most_pixels: u64,
    sides: Option<[u32; 2]>,
) -> Result<(Picture, Option<f64>)> {
    let fail = |problem: String, hint: &str| Err(Error::input(name, problem, hint));
    let start = &content[..content.len().min(START)];
    let Some(format) = read_start(start) else {
        if let Some(other) = foreign_start(start) {
            return fail(format!("is {}, which is not read", other.name), other.convert);
        }
        let (problem, hint) = no_picture(start);
        return fail(problem.into(), hint);
    };
    let spoilt = |error: ImageError| match error {
        ImageError::Unsupported(error) => {
            Error::input(name, format!("is of a kind that cannot be read: {error}"), "save it as PNG")
        }
        error => damaged(name, &error.to_string()),
    };
    if let Some(zeros) = unwritten(format, content) {
        return Err(damaged(
            name,
            &format!("{} at its end are zeros: it was not written whole", bytes(zeros as u64)),
        ));
    }
    let mut limits = Limits::no_limits();
    // Of the sides in its header, where they are known: a small picture may not unpack as much as a large one.
    let pixels = sides.map_or(most_pixels, |[width, height]| u64::from(width) * u64::from(height));
    limits.max_alloc = Some(pixels.saturating_mul(16).saturating_add(UNPACKED));
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(spoilt)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let size = format!("is {width} x {height} pixels");
    if width.max(height) > LONGEST_SIDE {
        return fail(format!("{size}, a side may have {LONGEST_SIDE}"), "make the picture smaller");
    }
    if pixels > most_pixels {
        let hint = "raise the limit of pixels, or make the picture smaller";
        return fail(format!("{size}, {most_pixels} are allowed"), hint);
    }
    if sides.is_some_and(|sides| sides != [width, height]) {
        return Err(damaged(name, "its header contradicts itself"));
    }
    let dense = matches!(format, ImageFormat::Jpeg | ImageFormat::Png);
    if dense && pixels > DENSEST.saturating_mul(content.len() as u64) {
        return Err(damaged(name, &format!("{} bytes cannot hold {width} x {height} pixels", content.len())));
    }
    if matches!(decoder.color_type(), ColorType::Rgb32F | ColorType::Rgba32F) {
        return fail("has fractions for colours, and no range is known for them".into(), "save it as PNG");
    }
    // A note that cannot be read is no note: the picture itself may be sound.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(spoilt)?.into_rgb8();
    // The decoder fills up with grey what is missing, which must not pass for a picture.
    let mut missing = None;
    if format == ImageFormat::Jpeg
        && let end = cut::end(content)
        && end != cut::End::Whole
    {
        let again = |padded: &[u8]| {
            let mut reader = ImageReader::with_format(Cursor::new(padded), format);
            reader.limits(limits);
            Some(reader.decode().ok()?.into_rgb8().into_raw())
        };
        let share = cut::missing(content, end, &decoded, width as usize, again);
        missing = Some(share.ok_or_else(|| damaged(name, "its end is missing"))?);
    }
    let mut upright = DynamicImage::ImageRgb8(decoded);
    upright.apply_orientation(orientation);
    let rgb = upright.into_rgb8();
    Ok((Picture::new(rgb.width() as usize, rgb.height() as usize, rgb.into_raw())?, missing))
}

fn damaged(name: &str, why: &str) -> Error {
    Error::input(
        name,
        format!("is a damaged picture: {why}"),
        "fetch the file again; `‹damaged skip›` leaves such pictures out",
    )
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::super::testing::{bytes, cases, gap, picture};
    use super::*;

    #[test]
    fn every_kind_of_file_is_seen_as_pillow_sees_it() {
        for case in cases("files").iter().filter(|case| case["refused"].is_null()) {
            let name = case["name"].as_str().unwrap();
            let found = decode(name, &bytes(&case["file"]), MOST_PIXELS).unwrap();
            let (gap, tolerance) =
                (gap(&found, &picture(&case["picture"])), case["tolerance"].as_u64().unwrap());
            assert!(u64::from(gap) <= tolerance, "{name} is {gap} off");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        for case in cases("files").iter().filter(|case| !case["refused"].is_null()) {
            let name = case["name"].as_str().unwrap();
            let most_pixels = case["most_pixels"].as_u64().unwrap();
            let error = decode(name, &bytes(&case["file"]), most_pixels).unwrap_err().to_string();
            let words = case["refused"].as_str().unwrap();
            assert!(error.starts_with(name) && error.contains(words), "{error:?} does not say {words:?}");
        }
    }

    /// Whatever is altered, there is a picture or an error. What is cut short is an error; the last eighth may hold
    /// notes alone, and of a film the first picture is whole by its middle.
    #[test]
    fn damage_never_ends_the_run() {
        let (mut altered_and_refused, mut survived) = (0, Vec::new());
        for case in cases("files").iter().filter(|case| case["refused"].is_null()) {
            let (name, whole) = (case["name"].as_str().unwrap(), bytes(&case["file"]));
            for part in 1..if name == "gif that moves" { 4 } else { 7 } {
                let cut = &whole[..whole.len() * part / 8];
                if decode(name, cut, 1000).is_ok() {
                    survived.push(format!("{part} eighths of {name}"));
                }
            }
            for at in 0..whole.len() {
                let mut altered = whole.clone();
                altered[at] ^= 0xff;
                altered_and_refused += usize::from(decode(name, &altered, 1000).is_err());
            }
        }
        assert!(altered_and_refused > 1000, "{altered_and_refused}");
        assert!(survived.is_empty(), "{survived:?}");
    }

    #[test]
    fn files_are_told_apart_by_content_and_missing_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let misnamed = folder.path().join("photo.jpg");
        let png = cases("files").into_iter().find(|case| case["name"] == "png rgb").unwrap();
        fs::write(&misnamed, bytes(&png["file"])).unwrap();
        assert_eq!(read(&misnamed, MOST_PIXELS).unwrap(), picture(&png["picture"]));
        let error = read(folder.path(), MOST_PIXELS).unwrap_err().to_string();
        assert!(error.ends_with("is not a file"), "{error}");
        let missing = folder.path().join("none.png");
        assert!(
            matches!(read(&missing, MOST_PIXELS), Err(Error::Io { path, .. }) if path.ends_with("none.png"))
        );
        File::create(&misnamed).unwrap().set_len(1 << 30).unwrap();
        let error = read(&misnamed, 1).unwrap_err().to_string();
        assert!(error.contains("has 1.0 GiB, and pictures may have 64.0 MiB"), "{error}");
    }
}
