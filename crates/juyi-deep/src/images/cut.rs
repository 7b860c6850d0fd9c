//! JPEG files that end too early: how much of the picture is missing.
//!
//! A decoder goes on to the last pixel whatever is missing, so where the file ends in the picture is found by decoding it
//! twice: as it is, and with other bytes behind its end. Up to the first pixel that differs both saw the file alone.

/// Most of a picture that may be missing: a third.
const MOST_MISSING: f64 = 1.0 / 3.0;

/// Bytes that are put behind the end of a file.
const PADDING: usize = 4096;

/// How a JPEG file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With the marker of its end.
    Whole,
    /// Before it, within the last scan that the picture needs or behind that.
    InLastScan {
        /// Rows that are coded together.
        rows: usize,
        /// Bytes of the file that belong to it for certain.
        length: usize,
    },
    /// Where other scans, or all of them, are missing.
    Before,
}

/// What a scan brings: a bit for each coefficient of each channel that it completes.
#[derive(Debug, Default)]
struct Scans {
    /// Numbers of the channels in the frame.
    channels: Vec<u8>,
    /// The coefficients of each that are complete.
    complete: Vec<u64>,
    /// Rows that are coded together.
    rows: usize,
}

impl Scans {
    /// Notes what stands in the header of a frame.
    fn frame(&mut self, own: &[u8]) {
        let Some((_, channels)) = own.split_at_checked(6) else { return };
        let (channels, _) = channels.as_chunks::<3>();
        self.channels = channels.iter().map(|[number, ..]| *number).collect();
        self.complete = vec![0; channels.len()];
        self.rows =
            8 * channels.iter().map(|[_, sampling, _]| usize::from(sampling & 15)).max().unwrap_or(1).max(1);
    }

    /// Notes what a scan completes if it is whole.
    fn scan(&mut self, own: &[u8]) {
        let Some((&count, rest)) = own.split_first() else { return };
        let Some((channels, &[first, last, bits, ..])) = rest.split_at_checked(2 * usize::from(count)) else {
            return;
        };
        if bits & 15 > 0 {
            return; // later scans add finer bits
        }
        let through = |last: u8| u64::MAX >> (63 - last.min(63));
        let own = through(last) & !(through(first) >> 1);
        for [number, _] in channels.as_chunks::<2>().0 {
            if let Some(at) = self.channels.iter().position(|channel| channel == number) {
                self.complete[at] |= own;
            }
        }
    }

    fn all(&self) -> bool {
        !self.complete.is_empty() && self.complete.iter().all(|own| *own == u64::MAX)
    }
}

/// How a JPEG file ends.
pub(super) fn end(content: &[u8]) -> End {
    let mut scans = Scans::default();
    let mut at = 0;
    // Zeros at the very end may never have been written, and a lone first byte of a marker says nothing.
    let zeros = content.iter().rev().take_while(|byte| **byte == 0).count();
    let length = content.len() - zeros;
    let length = length - usize::from(content[..length].ends_with(b"\xff"));
    let cut =
        |scans: &Scans| if scans.all() { End::InLastScan { rows: scans.rows, length } } else { End::Before };
    loop {
        let Some(rest) = content.get(at..) else { return cut(&scans) };
        match rest {
            [0xff, 0xd9, ..] if scans.complete.iter().any(|own| *own > 0) => return End::Whole,
            [0xff, marker @ (0xc0..=0xcf | 0xda..=0xfe), high, low, ..] => {
                let segment = 2 + usize::from(u16::from_be_bytes([*high, *low]));
                let Some(own) = rest.get(4..segment.max(4)) else { return cut(&scans) };
                match marker {
                    0xc4 | 0xc8 | 0xcc => {}
                    0xc0..=0xcf => scans.frame(own),
                    0xda => scans.scan(own),
                    _ => {}
                }
                at += segment.max(2);
            }
            [_, ..] => at += 1,
            [] => return cut(&scans),
        }
    }
}

/// What share of the pixels of a file that ends too early is missing, given the red, green and blue that were decoded; `None` if it is too much for a
/// picture. `decode` makes red, green and blue of the bytes of a file.
pub(super) fn missing(
    content: &[u8],
    end: End,
    pixels: &[u8],
    width: usize,
    decode: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Option<f64> {
    let (rows, length) = match end {
        End::Whole => return Some(0.0),
        End::Before => return None,
        End::InLastScan { rows, length } => (rows, length),
    };
    let mut padded = Vec::with_capacity(length + PADDING + 2);
    padded.extend(&content[..length]);
    padded.resize(length + PADDING, 0x55);
    padded.extend(b"\xff\xd9");
    let other = decode(&padded).filter(|other| other.len() == pixels.len())?;
    let height = pixels.len() / (3 * width);
    let row = |of: &[u8], y: usize| of[3 * width * y..3 * width * (y + 1)].to_vec();
    let Some(first) = (0..height).find(|y| row(pixels, *y) != row(&other, *y)) else { return Some(0.0) };
    // The first pixel from the left that differs in the rows that are coded together with that one.
    let left = |y: usize| {
        let (a, b) = (row(pixels, y), row(&other, y));
        a.iter().zip(&b).position(|(a, b)| a != b).map_or(width, |at| at / 3)
    };
    let last = (first + rows).min(height);
    let from = (first..last).map(left).min().unwrap_or(0);
    let sound = first * width + (last - first) * from;
    let share = 1.0 - sound as f64 / (width * height) as f64;
    (share <= MOST_MISSING).then_some(share)
}
