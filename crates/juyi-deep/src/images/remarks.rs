//! What is to be known of pictures that can be read: that a file ends too early, that it holds several, that its values
//! are small.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use image::ImageFormat;
use juyi::context::Context;
use rayon::prelude::*;

use super::cut::{End, end};
use super::entries::{Listing, MOST_WARNINGS};
use super::format::{START, read_start, tiff_tags};
use super::read::{MOST_PIXELS, read_cut};
use super::size::{open, size};

/// What is to be known of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Remark {
    /// The file ends too early, and this share of the pixels, 0 to a third, is missing.
    Cut(f64),
    /// The file holds several pictures, of which the first is taken.
    Several,
    /// Of 16 bits a pixel's value uses the lowest 12 at most, so that the picture is read as nearly black.
    Dark,
    /// Of 8 bits a pixel's value uses the lowest at most: fractions from 0 to 1, saved as bytes.
    Ones,
}

/// Bytes of a file beside what it packs, times how well that has to be packed.
const HEADER: u64 = 16 << 10;

/// The tag of a TIFF file that tells the bits of a value.
const BITS: u64 = 258;

impl Listing {
    /// Says which files end too early, and which hold several pictures, and which are nearly black.
    pub(super) fn remark(&mut self, context: &Context) {
        let files: Vec<&Path> = self.entries.iter().map(|entry| entry.path.as_path()).collect();
        let (mut cut, mut several) = (Vec::new(), Vec::new());
        let (mut dark, mut ones) = (Vec::new(), Vec::new());
        for (at, remark) in remarks(&files, MOST_PIXELS, context) {
            match remark {
                Remark::Several => several.push(files[at].display()),
                Remark::Dark => dark.push(files[at].display()),
                Remark::Ones => ones.push(files[at].display()),
                Remark::Cut(share) => {
                    let missing = match share {
                        0.0 => "nothing of the picture is missing".into(),
                        share => {
                            format!("{:.1} % of the picture is missing, the rest is used", 100.0 * share)
                        }
                    };
                    cut.push(format!("`{}` ends too early: {missing}", files[at].display()));
                }
            }
        }
        if let Some(first) = several.first() {
            let text = match several.len() {
                1 => format!("`{first}` holds several pictures, of which the first is taken"),
                count => {
                    format!(
                        "{count} files (the first `{first}`) hold several pictures, of which the first is taken"
                    )
                }
            };
            self.notes.push(text);
        }
        let of_16 = "of 16 bits 12 are used at most; stretch the values over all 16";
        let of_8 = "no value is above 1 of 255; multiply fractions from 0 to 1 by 255 before they are saved";
        for (found, why) in [(dark, of_16), (ones, of_8)] {
            if let Some(first) = found.first() {
                let is = if found.len() == 1 { "picture is" } else { "pictures are" };
                let count = found.len();
                self.warnings.push(format!("{count} {is} nearly black (the first `{first}`): {why}"));
            }
        }
        let more = cut.len().saturating_sub(MOST_WARNINGS);
        self.warnings.extend(cut.into_iter().take(MOST_WARNINGS));
        if more > 0 {
            self.warnings.push(format!("{more} more files end too early"));
        }
    }
}

/// Remarks on some files, by their positions; those that cannot be read have none. Little is read of sound files.
fn remarks(files: &[&Path], most_pixels: u64, context: &Context) -> Vec<(usize, Remark)> {
    let found =
        files.par_iter().enumerate().filter_map(|(at, path)| Some((at, suspected(path, most_pixels)?)));
    let suspects: Vec<(usize, Remark)> = found.collect();
    let judged = suspects.into_iter().filter_map(|(at, remark)| {
        if remark == Remark::Several {
            return Some((at, remark));
        }
        let size = size(files[at], most_pixels);
        let read =
            context.fits(size.decoding).then(|| read_cut(files[at], most_pixels, &size).ok()).flatten();
        let (picture, cut) = read?;
        let most = match remark {
            Remark::Dark => 16,
            Remark::Ones => 1,
            _ => return Some((at, Remark::Cut(cut?))),
        };
        picture.pixels().iter().all(|value| *value <= most).then_some((at, remark))
    });
    judged.collect()
}

/// What the bytes of a file say; how much is missing of one that ends too early is not known yet.
fn suspected(path: &Path, most_pixels: u64) -> Option<Remark> {
    let (mut file, length) = open(path, most_pixels).ok()?;
    let mut start = Vec::with_capacity(START);
    file.by_ref().take(START as u64).read_to_end(&mut start).ok()?;
    let format = read_start(&start)?;
    let several = match format {
        ImageFormat::Jpeg if ends_early(&file, length).ok()? => return Some(Remark::Cut(0.0)),
        ImageFormat::Png if start.get(24) == Some(&16) => return Some(Remark::Dark),
        ImageFormat::Png => start.windows(4).any(|chunk| chunk == b"acTL"),
        ImageFormat::WebP => {
            start.get(12..16) == Some(b"VP8X") && start.get(20).is_some_and(|flags| flags & 2 > 0)
        }
        ImageFormat::Gif => file.rewind().and_then(|()| moves(BufReader::new(&file))).unwrap_or(false),
        ImageFormat::Tiff if tiff_tags(&start).contains(&(BITS, 16)) => return Some(Remark::Dark),
        ImageFormat::Tiff => another_page(&file, &start).unwrap_or(false),
        _ => false,
    };
    if several {
        return Some(Remark::Several);
    }
    // Two values are packed well; of files that are, few are photographs.
    let [width, height] = size(path, most_pixels).sides;
    let (channels, least) = match format {
        // Mostly not packed at all.
        ImageFormat::Bmp | ImageFormat::Tiff if dark_in_the_middle(&file, length).ok()? => {
            return Some(Remark::Ones);
        }
        ImageFormat::Png => (start.get(25).map_or(3, |kind| if kind & 2 > 0 { 3 } else { 1 }), 4),
        ImageFormat::Jpeg | ImageFormat::WebP => (3, 25),
        _ => (3, 4),
    };
    let unpacked = channels * u64::from(width) * u64::from(height);
    (least * length < unpacked + HEADER).then_some(Remark::Ones)
}

/// Whether a JPEG file lacks its end. Most are told by their last bytes.
fn ends_early(mut file: &File, length: u64) -> io::Result<bool> {
    let mut last = [0; 2];
    file.seek(SeekFrom::End(-2))?;
    file.read_exact(&mut last)?;
    if last == [0xff, 0xd9] {
        return Ok(false);
    }
    let mut content = Vec::new();
    file.rewind()?;
    file.take(length).read_to_end(&mut content)?;
    Ok(end(&content) != End::Whole)
}

/// Whether the bytes in the middle of a file are all 0 or 1.
fn dark_in_the_middle(mut file: &File, length: u64) -> io::Result<bool> {
    let mut middle = Vec::new();
    file.seek(SeekFrom::Start(length / 2))?;
    file.take(START as u64).read_to_end(&mut middle)?;
    Ok(middle.iter().all(|byte| *byte <= 1))
}

/// Whether a GIF file has a second picture.
fn moves(mut file: impl BufRead + Seek) -> io::Result<bool> {
    let palette = |flags: u8| if flags & 0x80 > 0 { 3 << ((flags & 7) + 1) } else { 0_i64 };
    let mut head = [0; 13];
    file.read_exact(&mut head)?;
    file.seek_relative(palette(head[10]))?;
    let mut pictures = 0;
    loop {
        let mut kind = [0];
        file.read_exact(&mut kind)?;
        match kind[0] {
            0x2c => {
                pictures += 1;
                if pictures > 1 {
                    return Ok(true);
                }
                let mut own = [0; 9];
                file.read_exact(&mut own)?;
                file.seek_relative(palette(own[8]) + 1)?;
            }
            0x21 => file.seek_relative(1)?,
            _ => return Ok(false),
        }
        let mut length = [1];
        while length[0] > 0 {
            file.read_exact(&mut length)?;
            file.seek_relative(i64::from(length[0]))?;
        }
    }
}

/// Whether a TIFF file has a second page.
fn another_page(mut file: &File, start: &[u8]) -> io::Result<bool> {
    let little = start.starts_with(b"II");
    let mut number = |at: u64, width: usize| -> io::Result<u64> {
        let mut bytes = [0; 4];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes[..width])?;
        let own =
            if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) >> (32 - 8 * width) };
        Ok(u64::from(own))
    };
    let page = number(4, 4)?;
    let entries = number(page, 2)?;
    Ok(number(page + 2 + 12 * entries, 4)? > 0)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use image::{ImageFormat, RgbImage, codecs::jpeg::JpegEncoder};

    use super::super::testing::{bytes, cases};
    use super::super::{MOST_PIXELS, decode, read};
    use super::*;

    /// A picture that compresses badly, as a JPEG file.
    fn photograph() -> Vec<u8> {
        let pixel =
            |x: u32, y: u32| image::Rgb([(x * 7 + y * y) as u8, (x * x / 9 + y) as u8, (x ^ y) as u8]);
        let mut content = Vec::new();
        let picture = RgbImage::from_fn(160, 200, pixel);
        picture.write_with_encoder(JpegEncoder::new_with_quality(&mut content, 90)).unwrap();
        content
    }

    #[test]
    fn a_picture_that_uses_few_of_its_bits_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.tif"] {
            let path = folder.path().join(name);
            let of = |most: u16| {
                let pixel = |x: u32, _: u32| image::Luma([if x == 3 { most } else { 90 }]);
                image::ImageBuffer::from_fn(5, 4, pixel).save(&path).unwrap();
                remarks(&[&path], MOST_PIXELS, &Context::default())
            };
            assert_eq!((of(4095), of(65_535)), (vec![(0, Remark::Dark)], vec![]), "{name}");
        }
    }

    #[test]
    fn fractions_saved_as_bytes_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.bmp", "a.jpg", "a.webp", "a.gif", "a.tif"] {
            let path = folder.path().join(name);
            let of = |most: u8| {
                let pixel = |x: u32, y: u32| {
                    image::Rgb([most * u8::from((x / 30).is_multiple_of(2)), most, y as u8 / 250])
                };
                RgbImage::from_fn(200, 200, pixel).save(&path).unwrap();
                remarks(&[&path], MOST_PIXELS, &Context::default())
            };
            assert_eq!((of(1), of(200)), (vec![(0, Remark::Ones)], vec![]), "{name}");
        }
    }

    #[test]
    fn a_jpeg_without_its_end_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.jpg");
        let content = photograph();
        let whole = decode("whole", &content, MOST_PIXELS).unwrap();
        let of = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            (read(&path, MOST_PIXELS), remarks(&[&path], MOST_PIXELS, &Context::default()))
        };
        assert_eq!(of(&content).1, []);
        // Bytes behind the end are no matter.
        let (behind, remark) = of(&[&content[..], b"more"].concat());
        assert_eq!((behind.unwrap(), remark), (whole.clone(), vec![]));
        for missing in [1, 2] {
            let (picture, remark) = of(&content[..content.len() - missing]);
            assert_eq!((picture.unwrap(), remark), (whole.clone(), vec![(0, Remark::Cut(0.0))]));
        }
        for part in [1.0, 5.0, 20.0] {
            let (picture, remark) =
                of(&content[..content.len() - (part / 100.0 * content.len() as f64) as usize]);
            let [(0, Remark::Cut(share))] = remark[..] else { panic!("{remark:?}") };
            assert!((100.0 * share - part).abs() < 3.0, "{share} for {part}");
            let rows = (200.0 * (1.0 - share)) as usize / 8 * 8;
            let picture = picture.unwrap();
            assert_eq!(picture.pixels()[..3 * 160 * rows], whole.pixels()[..3 * 160 * rows]);
        }
        let (picture, remark) = of(&content[..content.len() / 2]);
        let error = picture.unwrap_err();
        assert!(error.to_string().ends_with("is a damaged picture: its end is missing"), "{error}");
        assert!(error.hint().unwrap().contains("‹damaged skip›") && remark.is_empty());
    }

    #[test]
    fn films_and_pages_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| -> PathBuf { folder.path().join(name.replace(' ', "-")) };
        let mut files = Vec::new();
        for case in cases("files").iter().filter(|case| case["refused"].is_null()) {
            let name = case["name"].as_str().unwrap();
            fs::write(path(name), bytes(&case["file"])).unwrap();
            files.push(path(name));
        }
        let paths: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
        let found = remarks(&paths, MOST_PIXELS, &Context::default());
        let named: Vec<(&Path, Remark)> = found.iter().map(|(at, remark)| (paths[*at], *remark)).collect();
        assert_eq!(named, [(path("gif that moves").as_path(), Remark::Several)]);
        // Two pages: the pointer behind the entries of the first leads on.
        let tiff = cases("files").into_iter().find(|case| case["name"] == "tiff rgb").unwrap();
        let mut tiff = bytes(&tiff["file"]);
        let page = u32::from_le_bytes(tiff[4..8].try_into().unwrap()) as usize;
        let next = page + 2 + 12 * usize::from(u16::from_le_bytes(tiff[page..page + 2].try_into().unwrap()));
        assert!(ImageFormat::Tiff == read_start(&tiff).unwrap() && tiff[next..next + 4] == [0; 4]);
        tiff[next] = 8;
        fs::write(path("pages"), &tiff).unwrap();
        assert_eq!(remarks(&[&path("pages")], MOST_PIXELS, &Context::default()), [(0, Remark::Several)]);
        // Whatever is cut off or altered, there is an answer.
        for file in &files {
            let content = fs::read(file).unwrap();
            for at in (0..content.len().min(300)).step_by(11) {
                let mut altered = content.clone();
                altered[at] ^= 0xff;
                for bytes in [&altered[..], &content[..at]] {
                    fs::write(path("altered"), bytes).unwrap();
                    remarks(&[&path("altered")], 1000, &Context::default());
                }
            }
        }
    }
}
