//! What a file is: a picture that is read, one in a format that is not, or none. The first bytes decide; the ending of the
//! name does where they are those of no format that is known, or of one that others are made of.

use std::ffi::OsStr;
use std::path::Path;

use image::ImageFormat;

/// Bytes at the start of a file that tell its format.
pub(super) const START: usize = 1024;

/// The formats that are read, in words.
pub(super) const KNOWN: &str = "pictures are read from JPEG, PNG, WebP, TIFF, GIF and BMP files";

/// Endings of pictures' names that are read.
const ENDINGS: [&str; 10] = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "bmp", "gif"];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A picture that is read.
    Read(ImageFormat),
    /// Named as a picture, whatever its content.
    Named,
    /// A picture, drawing or film that is not read.
    Foreign(&'static Foreign),
    /// No picture.
    Other,
}

/// A format that is not read.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Foreign {
    /// What it is called.
    pub(super) name: &'static str,
    /// How its files become pictures that are read.
    pub(super) convert: &'static str,
    /// Endings of the names of its files.
    endings: &'static [&'static str],
    /// Whether the ending alone decides, as the content is that of a format that is read.
    by_ending: bool,
}

const fn foreign(name: &'static str, endings: &'static [&'static str], convert: &'static str) -> Foreign {
    Foreign { name, convert, endings, by_ending: false }
}

static HEIC: Foreign = foreign(
    "HEIC",
    &["heic", "heif", "hif"],
    "convert to JPEG: `heif-convert a.heic a.jpg`, or let the phone export JPEG",
);
static AVIF: Foreign = foreign("AVIF", &["avif"], "convert to PNG: `avifdec a.avif a.png`");
static JPEG_XL: Foreign = foreign("JPEG XL", &["jxl"], "convert to PNG: `djxl a.jxl a.png`");
static JPEG_2000: Foreign =
    foreign("JPEG 2000", &["jp2", "j2k", "jpx"], "convert to PNG: `opj_decompress -i a.jp2 -o a.png`");
static RAW: Foreign = Foreign {
    name: "camera raw",
    convert: "develop to JPEG: `darktable-cli a.nef a.jpg`",
    endings: &[
        "cr2", "cr3", "crw", "nef", "nrw", "arw", "sr2", "dng", "orf", "rw2", "raf", "pef", "srw", "3fr",
        "iiq", "x3f",
    ],
    by_ending: true,
};
static SVG: Foreign = foreign("SVG", &["svg", "svgz"], "draw as PNG: `rsvg-convert a.svg -o a.png`");
static PDF: Foreign = foreign("PDF", &["pdf"], "draw as PNG: `pdftoppm -png a.pdf a`");
static PHOTOSHOP: Foreign = foreign("Photoshop", &["psd", "psb"], "convert to PNG: `magick a.psd[0] a.png`");
static FILM: Foreign = foreign(
    "film",
    &["mp4", "mov", "avi", "mkv", "webm", "m4v"],
    "take pictures out of it: `ffmpeg -i a.mp4 %04d.jpg`",
);
const BY_MAGICK: &str = "convert to PNG: `magick FILE a.png`";
static PNM: Foreign = foreign("PNM", &["pnm", "ppm", "pgm", "pbm"], BY_MAGICK);
static ICO: Foreign = foreign("ICO", &["ico"], BY_MAGICK);
static TGA: Foreign = foreign("TGA", &["tga"], BY_MAGICK);
static DDS: Foreign = foreign("DDS", &["dds"], BY_MAGICK);
static EXR: Foreign = foreign("OpenEXR", &["exr"], BY_MAGICK);
static HDR: Foreign = foreign("Radiance HDR", &["hdr"], BY_MAGICK);
static QOI: Foreign = foreign("QOI", &["qoi"], BY_MAGICK);
static GIMP: Foreign = foreign("GIMP", &["xcf"], BY_MAGICK);

/// The start of JPEG XL without a box around it.
const BARE_JPEG_XL: &[u8] = b"\xff\x0a";

/// All of them.
static FOREIGN: [&Foreign; 17] = [
    &HEIC, &AVIF, &JPEG_XL, &JPEG_2000, &RAW, &SVG, &PDF, &PHOTOSHOP, &FILM, &PNM, &ICO, &TGA, &DDS, &EXR,
    &HDR, &QOI, &GIMP,
];

/// Whether pictures in this format are read.
pub(super) fn is_read(format: ImageFormat) -> bool {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    matches!(format, Jpeg | Png | WebP | Tiff | Bmp | Gif)
}

/// What a file of this name and start is.
pub(super) fn format(path: &Path, start: &[u8]) -> Format {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let bears = |endings: &[&str]| endings.iter().any(|own| ending.eq_ignore_ascii_case(own));
    let by_ending = FOREIGN.iter().find(|own| bears(own.endings));
    // Two bytes alone begin many a file that is no picture.
    let sure = |own: &&Foreign| !start.starts_with(BARE_JPEG_XL) || bears(own.endings) || bears(&ENDINGS);
    if let Some(format) = foreign_start(start).filter(sure) {
        return Format::Foreign(format);
    }
    match (read_start(start), by_ending) {
        // A raw file is a TIFF file whose first picture is a preview.
        (Some(ImageFormat::Tiff), Some(own)) if own.by_ending => Format::Foreign(own),
        (Some(format), _) => Format::Read(format),
        (None, Some(own)) => Format::Foreign(own),
        (None, None) if bears(&ENDINGS) => Format::Named,
        (None, None) => Format::Other,
    }
}

/// The format that is read and begins so.
pub(super) fn read_start(start: &[u8]) -> Option<ImageFormat> {
    let format = image::guess_format(start).ok().filter(|format| is_read(*format))?;
    // Two letters alone are the start of many a text; the fourteenth byte of a bitmap is the length of its header.
    let sound = format != ImageFormat::Bmp || start.get(15..18).is_some_and(|high| high == [0; 3]);
    sound.then_some(format)
}

/// The format that is not read and begins so.
pub(super) fn foreign_start(start: &[u8]) -> Option<&'static Foreign> {
    let at = |place: usize, bytes: &[u8]| start.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    if at(4, b"ftyp") {
        return Some(by_brands(start));
    }
    let signatures: [(&[u8], &'static Foreign); 14] = [
        (BARE_JPEG_XL, &JPEG_XL),
        (b"\0\0\0\x0cJXL ", &JPEG_XL),
        (b"\0\0\0\x0cjP  ", &JPEG_2000),
        (b"\xff\x4f\xff\x51", &JPEG_2000),
        (b"FUJIFILM", &RAW),
        (b"IIU\0", &RAW),
        (b"IIRO", &RAW),
        (b"IIRS", &RAW),
        (b"MMOR", &RAW),
        (b"%PDF-", &PDF),
        (b"8BPS", &PHOTOSHOP),
        (b"\x1a\x45\xdf\xa3", &FILM),
        (b"qoif", &QOI),
        (b"gimp xcf", &GIMP),
    ];
    if let Some((_, own)) = signatures.iter().find(|(begin, _)| start.starts_with(begin)) {
        return Some(own);
    }
    if (start.starts_with(b"II*\0") && at(8, b"CR")) || is_raw_tiff(start) {
        return Some(&RAW);
    }
    if start.starts_with(b"RIFF") && at(8, b"AVI ") {
        return Some(&FILM);
    }
    let markup = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let drawing = markup.starts_with(b"<") && markup.windows(4).any(|four| four == b"<svg");
    drawing.then_some(&SVG)
}

/// The tags of the first picture in a TIFF file with their values, as far as the start has them; of a value that lies
/// elsewhere its place. None for other files.
pub(super) fn tiff_tags(start: &[u8]) -> Vec<(u64, u64)> {
    let large = match start.get(..4) {
        Some(b"II*\0") => false,
        Some(b"MM\0*") => true,
        _ => return Vec::new(),
    };
    let number = |at: usize, count: usize| -> Option<u64> {
        let own = start.get(at..at.checked_add(count)?)?.iter();
        let value = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if large { own.fold(0, value) } else { own.rev().fold(0, value) })
    };
    let entry = |at: usize| {
        // Of type 3 are numbers of 16 bits.
        let bytes = if number(at + 2, 2)? == 3 && number(at + 4, 4)? == 1 { 2 } else { 4 };
        Some((number(at, 2)?, number(at + 8, bytes)?))
    };
    let entries = || {
        let first = usize::try_from(number(4, 4)?).ok()?;
        let count = usize::try_from(number(first, 2)?).ok()?;
        Some((0..count).map_while(|k| entry(first + 2 + 12 * k)).collect())
    };
    entries().unwrap_or_default()
}

/// Whether a TIFF file is a camera's: DNG says so, and others lead to the sensor's picture from a reduced one.
fn is_raw_tiff(start: &[u8]) -> bool {
    let tags = tiff_tags(start);
    let value = |wanted: u64| tags.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let (reduced, others, dng) = (value(254), value(330), value(50_706));
    dng.is_some() || (reduced.is_some_and(|kind| kind & 1 == 1) && others.is_some())
}

/// Which of the formats that lie in boxes: the first brand, then those that it is compatible with.
fn by_brands(start: &[u8]) -> &'static Foreign {
    let length = start.first_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length) as usize);
    let list = start.get(8..length.min(start.len())).or(start.get(8..)).unwrap_or_default();
    let (brands, _) = list.as_chunks::<4>();
    let any = |known: &[&[u8; 4]]| brands.iter().any(|own| known.contains(&own));
    if any(&[b"avif", b"avis"]) {
        &AVIF
    } else if any(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        &HEIC
    } else if any(&[b"crx "]) {
        &RAW
    } else {
        &FILM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_and_the_ending_where_it_says_nothing() {
        let bitmap = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0";
        for (name, start, expected) in [
            ("a.jpg", &b"\x89PNG\r\n\x1a\n"[..], Format::Read(ImageFormat::Png)),
            ("a", b"GIF89a", Format::Read(ImageFormat::Gif)),
            ("a.txt", bitmap, Format::Read(ImageFormat::Bmp)),
            ("a.txt", b"BMW is a maker of cars", Format::Other),
            ("a.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Format::Foreign(&HEIC)),
            ("a.heic", b"\xff\xd8\xff\xe0", Format::Read(ImageFormat::Jpeg)),
            ("a", b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", Format::Foreign(&AVIF)),
            ("a", b"\0\0\0\x18ftypcrx \0\0\0\0", Format::Foreign(&RAW)),
            ("a.mov", b"\0\0\0\x14ftypqt  \0\0\0\0", Format::Foreign(&FILM)),
            ("a.NEF", b"MM\0*\0\0\0\x08", Format::Foreign(&RAW)),
            ("a.tif", b"MM\0*\0\0\0\x08", Format::Read(ImageFormat::Tiff)),
            ("a.tif", b"II*\0\x10\0\0\0CR\x02\0", Format::Foreign(&RAW)),
            ("a.png", b"\xff\x0a..", Format::Foreign(&JPEG_XL)),
            ("a.JXL", b"\xff\x0a..", Format::Foreign(&JPEG_XL)),
            ("a.csv", b"\xff\x0a..", Format::Other),
            ("a", b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg>", Format::Foreign(&SVG)),
            ("a.html", b"<html>", Format::Other),
            ("a.pdf", b"%PDF-1.7", Format::Foreign(&PDF)),
            ("a.heif", b"", Format::Foreign(&HEIC)),
            ("a.JPG", b"damaged", Format::Named),
            ("a.txt", b"P6 no picture", Format::Other),
            ("a.ppm", b"P6 2 2", Format::Foreign(&PNM)),
            ("a", b"", Format::Other),
        ] {
            assert_eq!(format(Path::new(name), start), expected, "{name} {}", start.escape_ascii());
        }
    }

    #[test]
    fn a_raw_file_is_known_by_any_name() {
        // Type of the picture, its width, and where the sensor's is; in both orders of bytes.
        let file = |tags: &[(u16, u32)]| {
            let mut small = b"II*\0\x08\0\0\0".to_vec();
            let mut large = b"MM\0*\0\0\0\x08".to_vec();
            small.extend(u16::try_from(tags.len()).unwrap().to_le_bytes());
            large.extend(u16::try_from(tags.len()).unwrap().to_be_bytes());
            for (tag, value) in tags {
                small.extend([&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0], &value.to_le_bytes()].concat());
                large.extend([&tag.to_be_bytes()[..], &[0, 4, 0, 0, 0, 1], &value.to_be_bytes()].concat());
            }
            [small, large]
        };
        for start in [file(&[(254, 1), (256, 160), (330, 99)]), file(&[(254, 0), (50_706, 4)])].concat() {
            assert_eq!(format(Path::new("a.tif"), &start), Format::Foreign(&RAW));
        }
        for start in [file(&[(254, 0), (330, 99)]), file(&[(254, 1), (256, 160)]), file(&[])].concat() {
            assert_eq!(format(Path::new("a.tif"), &start), Format::Read(ImageFormat::Tiff));
        }
    }

    #[test]
    fn any_start_is_some_format() {
        for length in 0..12 {
            for head in [&b"\0\0\0\x04ftyp"[..], b"\xff\xff\xff\xffftypheic", b"\0\0\0\0ftyp"] {
                format(Path::new("a"), &head[..length.min(head.len())]);
            }
        }
    }
}
