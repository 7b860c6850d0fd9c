//! What a picture will take in memory, told by the header of its file before anything of its size is allocated.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::panic::catch_unwind;
use std::path::Path;

use image::{ImageDecoder, ImageFormat, ImageReader, Limits};
use juyi::error::{Error, Result, bytes};

use super::format::{KNOWN, START, read_start};

/// Room for what stands in a file besides the pixels: previews, colour profiles, descriptions.
const BESIDES: u64 = 64 << 20;

/// Room for what is unpacked besides the pixels: a colour profile, which may be packed a thousandfold.
pub(super) const UNPACKED: u64 = 8 << 20;

/// What the header of a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Pixels in a row and rows, before the orientation that a camera noted; 0 where the header cannot be read.
    pub(crate) sides: [u32; 2],
    /// Bytes that decoding holds at most, the file among them.
    pub(crate) decoding: u64,
}

impl Size {
    /// Pixels.
    pub(crate) fn pixels(&self) -> u64 {
        let [width, height] = self.sides;
        u64::from(width) * u64::from(height)
    }

    /// Bytes that it takes to decode the picture and to make an input of `side` x `side` pixels of it.
    pub(crate) fn held(&self, side: usize) -> u64 {
        // A part of it is cut out and resized, rows first; then a few pictures of the input's size, and the input.
        let longest = u64::from(self.sides[0].max(self.sides[1]));
        let (side, picture) = (side as u64, 3 * self.pixels());
        self.decoding.max(2 * picture + 3 * side * longest) + 30 * side * side
    }
}

/// The file of a picture of at most `most_pixels` pixels, opened, with its length.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] if it is no file, or longer than such a picture can be.
pub(crate) fn open(path: &Path, most_pixels: u64) -> Result<(File, u64)> {
    let name = || format!("`{}`", path.display());
    let unread = |error| Error::io(path, error);
    // Asked before it is opened: a pipe would wait for somebody to write.
    let facts = fs::metadata(path).map_err(|error| match fs::read_link(path) {
        Ok(to) => {
            let problem = format!("is a link to `{}`, which is not there", to.display());
            Error::input(
                name(),
                problem,
                "mend the link or remove it, or leave such pictures out with `‹damaged skip›`",
            )
        }
        Err(_) => unread(error),
    })?;
    if !facts.is_file() {
        return Err(Error::input(name(), "is not a file", KNOWN));
    }
    let file = File::open(path).map_err(unread)?;
    let length = file.metadata().map_err(unread)?.len();
    // An uncompressed pixel takes 8 bytes at most: four channels of 16 bits.
    let limit = most_pixels.saturating_mul(8).saturating_add(BESIDES);
    if length > limit {
        let problem = format!("has {}, and pictures may have {}", bytes(length), bytes(limit));
        return Err(Error::input(name(), problem, "raise the limit of pixels, or make the picture smaller"));
    }
    Ok((file, length))
}

/// What the header in a file says. Where it cannot be read, or says more than `most_pixels`, nothing of the picture will
/// be: reading it says why.
pub(crate) fn size(path: &Path, most_pixels: u64) -> Size {
    let Ok((file, length)) = open(path, most_pixels) else { return Size { sides: [0; 2], decoding: 0 } };
    let nothing = Size { sides: [0; 2], decoding: length };
    // The decoders read what anybody may have written.
    let found = catch_unwind(|| of_file(BufReader::new(file), length, most_pixels).ok().flatten());
    found.ok().flatten().unwrap_or(nothing)
}

fn of_file(mut file: BufReader<File>, length: u64, most_pixels: u64) -> io::Result<Option<Size>> {
    let mut start = Vec::with_capacity(START);
    file.by_ref().take(START as u64).read_to_end(&mut start)?;
    file.rewind()?;
    let Some(format) = read_start(&start) else {
        return Ok(None);
    };
    if format == ImageFormat::Jpeg {
        return jpeg(file, length).map(|own| own.filter(|own| own.pixels() <= most_pixels));
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(UNPACKED);
    let mut reader = ImageReader::with_format(file, format);
    reader.limits(limits);
    let Ok(decoder) = reader.into_decoder() else { return Ok(None) };
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > most_pixels {
        return Ok(None);
    }
    let decoded = decoder.total_bytes();
    // Red, green and blue beside other colours, or turned.
    let then = 3 * pixels;
    let held = match format {
        ImageFormat::Png => length + decoded + then,
        // The parts of the file that hold the pixels, and the planes or the four channels that are decoded first.
        ImageFormat::WebP => 2 * length + decoded + 7 * pixels,
        // A strip may be the whole picture.
        _ => length + 2 * decoded.max(4 * pixels) + then,
    };
    Ok(Some(Size { sides: [width, height], decoding: held }))
}

/// What the frame and the first scan of a JPEG file say.
fn jpeg(mut file: impl BufRead + Seek, length: u64) -> io::Result<Option<Size>> {
    let mut frame = None;
    loop {
        let marker = marker(&mut file)?;
        match marker {
            0x01 | 0xd0..=0xd8 => continue, // stands alone
            0xd9 => return Ok(None),
            _ => {}
        }
        let mut head = [0; 2];
        file.read_exact(&mut head)?;
        let rest = i64::from(u16::from_be_bytes(head)).saturating_sub(2).max(0);
        match marker {
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                let mut own = [0; 6];
                file.read_exact(&mut own)?;
                let mut channels = vec![[0; 3]; usize::from(own[5])];
                file.read_exact(channels.as_flattened_mut())?;
                frame = Some((marker, own, channels));
                file.seek_relative(rest - 6 - 3 * i64::from(own[5]))?;
            }
            0xda => {
                let mut parts = [0];
                file.read_exact(&mut parts)?;
                let Some((kind, [_, a, b, c, d, count], channels)) = frame else { return Ok(None) };
                let [height, width] = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
                let pixels = u64::from(width) * u64::from(height);
                // Where channels come one after another or get better scan by scan, all their coefficients are held,
                // in blocks that may reach beyond the picture.
                let later = ![0xc0, 0xc1].contains(&kind) || parts[0] < count;
                let blocks = (u64::from(width) + 64) * (u64::from(height) + 64);
                let coefficients = if later { 2 * blocks * in_full(&channels) } else { 0 };
                // The decoder copies the file, and what else stands in it; the picture may be turned.
                let decoding = 3 * length + coefficients + 6 * pixels;
                return Ok(Some(Size { sides: [u32::from(width), u32::from(height)], decoding }));
            }
            _ => file.seek_relative(rest)?,
        }
    }
}

/// How many channels as large as the picture the channels of a frame amount to, whose second bytes tell how finely each is
/// sampled across and down.
fn in_full(channels: &[[u8; 3]]) -> u64 {
    let finest =
        |shift: u8| channels.iter().map(|own| own[1] >> shift & 15).max().map_or(1, |most| most.max(1));
    let places: u64 = channels.iter().map(|own| u64::from(own[1] >> 4) * u64::from(own[1] & 15)).sum();
    places.div_ceil(u64::from(finest(4)) * u64::from(finest(0)))
}

/// The next marker.
fn marker(file: &mut impl BufRead) -> io::Result<u8> {
    let mut before = 0;
    loop {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        if before == 0xff && ![0x00, 0xff].contains(&byte[0]) {
            return Ok(byte[0]);
        }
        before = byte[0];
    }
}

#[cfg(test)]
mod tests {
    use super::super::MOST_PIXELS;
    use super::super::testing::{bytes, cases};
    use super::*;

    #[test]
    fn headers_tell_the_sides_of_every_kind_of_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture");
        for case in cases("files").iter().filter(|case| case["refused"].is_null()) {
            let content = bytes(&case["file"]);
            fs::write(&path, &content).unwrap();
            let own = size(&path, MOST_PIXELS);
            let side = |name: &str| case["picture"][name].as_u64().unwrap() as u32;
            let mut sides = [side("width"), side("height")];
            if own.sides != sides {
                sides.reverse(); // turned as the camera noted
            }
            assert_eq!(own.sides, sides, "{}", case["name"]);
            assert!(own.decoding > content.len() as u64, "{}", case["name"]);
            // Whatever is cut off or altered, there is an answer.
            for at in (0..content.len().min(400)).step_by(7) {
                let mut altered = content.clone();
                altered[at] ^= 0xff;
                for bytes in [&altered[..], &content[..at]] {
                    fs::write(&path, bytes).unwrap();
                    size(&path, MOST_PIXELS);
                }
            }
        }
    }

    #[test]
    fn what_decoding_holds_by_hand() {
        let held = |bytes: &[u8]| jpeg(io::Cursor::new(bytes), 100).ok().flatten().map(|own| own.decoding);
        let sampled = |kind: u8, first: u8| {
            let head = vec![0xff, 0xd8, 0xff, kind, 0, 17, 8, 0, 10, 0, 20, 3];
            [head, vec![1, first, 0, 2, 0x11, 0, 3, 0x11, 0]].concat()
        };
        let frame = |kind: u8| sampled(kind, 0x11);
        let scan = |parts: u8| vec![0xff, 0xff, 0xda, 0, 3, parts];
        // Ten rows of twenty, in three channels.
        assert_eq!(held(&[frame(0xc0), scan(3)].concat()), Some(300 + 6 * 200));
        let coefficients = 2 * 3 * (20 + 64) * (10 + 64);
        assert_eq!(held(&[frame(0xc2), scan(3)].concat()), Some(300 + coefficients + 6 * 200));
        assert_eq!(held(&[frame(0xc0), scan(1)].concat()), Some(300 + coefficients + 6 * 200));
        // Two of the channels in half the rows and columns: one and a half, so two.
        let coefficients = 2 * 2 * (20 + 64) * (10 + 64);
        assert_eq!(held(&[sampled(0xc2, 0x22), scan(3)].concat()), Some(300 + coefficients + 6 * 200));
        assert_eq!((held(&frame(0xc0)), held(&scan(3)), held(&[])), (None, None, None));
        // An input of two pixels a side: a part of the picture, rows of two, and what is smaller.
        let own = Size { sides: [20, 10], decoding: 0 };
        assert_eq!(own.held(2), 2 * 600 + 3 * 2 * 20 + 30 * 4);
    }
}
