//! The operations on pictures that augmentation draws from, each to the byte as Pillow has it: `ImageEnhance` blends
//! with a degenerate picture, `ImageOps` looks values up, and what is moved takes the nearest pixel and leaves black
//! behind. Each costs one pass over the pixels.

use super::Picture;

/// What `RandAugment` chooses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
}

impl Operation {
    pub(super) const ALL: [Self; 14] = [
        Self::Identity,
        Self::ShearX,
        Self::ShearY,
        Self::TranslateX,
        Self::TranslateY,
        Self::Rotate,
        Self::Brightness,
        Self::Color,
        Self::Contrast,
        Self::Sharpness,
        Self::Posterize,
        Self::Solarize,
        Self::AutoContrast,
        Self::Equalize,
    ];

    /// Applies the operation at a `level` between -1 and 1; the strongest settings are those of torchvision. Where a
    /// direction has no meaning the sign does not count.
    pub(super) fn apply(self, picture: &Picture, level: f64) -> Picture {
        let shift = |side: usize| (150.0 / 331.0 * side as f64 * level).trunc();
        let factor = (1.0 + 0.9 * level) as f32;
        match self {
            Self::Identity => picture.clone(),
            Self::ShearX => moved(picture, [1.0, 0.3 * level, 0.0, 0.0, 1.0, 0.0]),
            Self::ShearY => moved(picture, [1.0, 0.0, 0.0, 0.3 * level, 1.0, 0.0]),
            Self::TranslateX => moved(picture, [1.0, 0.0, -shift(picture.width), 0.0, 1.0, 0.0]),
            Self::TranslateY => moved(picture, [1.0, 0.0, 0.0, 0.0, 1.0, -shift(picture.height)]),
            Self::Rotate => rotated(picture, 30.0 * level),
            Self::Brightness => brightness(picture, factor),
            Self::Color => saturation(picture, factor),
            Self::Contrast => contrast(picture, factor),
            Self::Sharpness => sharpness(picture, factor),
            Self::Posterize => posterized(picture, 8 - (4.0 * level.abs()).round() as u32),
            Self::Solarize => solarized(picture, 255.0 * (1.0 - level.abs())),
            Self::AutoContrast => stretched(picture),
            Self::Equalize => equalized(picture),
        }
    }
}

/// Left and right exchanged.
pub(super) fn flipped(picture: &Picture) -> Picture {
    picture.redrawn(|x, y| picture.pixel(picture.width - 1 - x, y))
}

/// Darker below 1, brighter above.
pub(super) fn brightness(picture: &Picture, factor: f32) -> Picture {
    blended(picture, factor, |_, _| [0; 3])
}

/// Less contrast about the mean grey below 1, more above.
pub(super) fn contrast(picture: &Picture, factor: f32) -> Picture {
    let greys = picture.pixels.chunks_exact(3).map(|pixel| u64::from(grey([pixel[0], pixel[1], pixel[2]])));
    let mean = greys.sum::<u64>() as f64 / (picture.pixels.len() / 3) as f64;
    let mean = (mean + 0.5) as u8;
    blended(picture, factor, |_, _| [mean; 3])
}

/// Greyer below 1, more colourful above.
pub(super) fn saturation(picture: &Picture, factor: f32) -> Picture {
    blended(picture, factor, |x, y| [grey(picture.pixel(x, y)); 3])
}

/// Smoother below 1, sharper above: against a mean of 3 x 3 pixels whose centre counts five times. The border stays.
fn sharpness(picture: &Picture, factor: f32) -> Picture {
    blended(picture, factor, |x, y| {
        let centre = picture.pixel(x, y);
        if x == 0 || y == 0 || x + 1 == picture.width || y + 1 == picture.height {
            return centre;
        }
        std::array::from_fn(|channel| {
            let around = (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| (x, y)));
            let sum: u32 = around.map(|(x, y)| u32::from(picture.pixel(x, y)[channel])).sum();
            ((2 * (sum + 4 * u32::from(centre[channel])) + 13) / 26) as u8
        })
    })
}

/// `degenerate + factor (picture - degenerate)`, towards zero and within a byte.
fn blended(picture: &Picture, factor: f32, degenerate: impl Fn(usize, usize) -> [u8; 3]) -> Picture {
    picture.redrawn(|x, y| {
        let (from, to) = (degenerate(x, y), picture.pixel(x, y));
        std::array::from_fn(|channel| {
            let (from, to) = (f32::from(from[channel]), f32::from(to[channel]));
            (from + factor * (to - from)).clamp(0.0, 255.0) as u8
        })
    })
}

/// Luma by ITU-R 601 in 16-bit fixed point.
fn grey([red, green, blue]: [u8; 3]) -> u8 {
    ((19595 * u32::from(red) + 38470 * u32::from(green) + 7471 * u32::from(blue) + 0x8000) >> 16) as u8
}

/// The highest `bits` bits of each byte.
fn posterized(picture: &Picture, bits: u32) -> Picture {
    let mask = 0xff00_u16 >> bits;
    looked_up(picture, |_| std::array::from_fn(|byte| byte as u8 & mask as u8))
}

/// Bytes from the threshold on are inverted.
fn solarized(picture: &Picture, threshold: f64) -> Picture {
    let value = |byte: usize| if (byte as f64) < threshold { byte as u8 } else { 255 - byte as u8 };
    looked_up(picture, |_| std::array::from_fn(value))
}

/// Each channel stretched so that it runs from 0 to 255.
fn stretched(picture: &Picture) -> Picture {
    looked_up(picture, |counts| {
        let low = counts.iter().position(|count| *count > 0).unwrap_or(0);
        let high = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        let scale = if high > low { 255.0 / (high - low) as f64 } else { 1.0 };
        let offset = if high > low { -(low as f64) * scale } else { 0.0 };
        std::array::from_fn(|byte| (byte as f64 * scale + offset).clamp(0.0, 255.0) as u8)
    })
}

/// Each channel's values spread so that about equally many pixels lie between any two steps.
fn equalized(picture: &Picture) -> Picture {
    looked_up(picture, |counts| {
        let all: usize = counts.iter().sum();
        let last = counts.iter().rfind(|count| **count > 0).copied().unwrap_or(0);
        let step = (all - last) / 255;
        if step == 0 {
            return std::array::from_fn(|byte| byte as u8);
        }
        let mut below = step / 2;
        std::array::from_fn(|byte| {
            let value = below / step;
            below += counts[byte];
            value.min(255) as u8
        })
    })
}

/// Each byte replaced by its value in the table that `table` makes of the counts of its channel.
fn looked_up(picture: &Picture, table: impl Fn(&[usize; 256]) -> [u8; 256]) -> Picture {
    let tables: [[u8; 256]; 3] = std::array::from_fn(|channel| {
        let mut counts = [0; 256];
        picture.pixels.iter().skip(channel).step_by(3).for_each(|byte| counts[usize::from(*byte)] += 1);
        table(&counts)
    });
    let mut out = picture.clone();
    for pixel in out.pixels.chunks_exact_mut(3) {
        for (byte, table) in pixel.iter_mut().zip(&tables) {
            *byte = table[usize::from(*byte)];
        }
    }
    out
}

/// Turned about the centre, against the clock for positive angles.
fn rotated(picture: &Picture, degrees: f64) -> Picture {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (x, y) = (picture.width as f64 / 2.0, picture.height as f64 / 2.0);
    // The centre stays where it is.
    moved(picture, [cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y])
}

/// The pixel at the centre of `(x, y)` is taken from `(a x + b y + c, d x + e y + f)`, black where nothing is there.
fn moved(picture: &Picture, [a, b, c, d, e, f]: [f64; 6]) -> Picture {
    // Fixed point with 16 bits as in Pillow: where two pixels are equally near, the same one is taken.
    let fixed = |value: f64| (value * 65536.0 + 0.5).floor() as isize;
    let (start_x, start_y) = (fixed(c + 0.5 * a + 0.5 * b), fixed(f + 0.5 * d + 0.5 * e));
    let [a, b, d, e] = [a, b, d, e].map(fixed);
    picture.redrawn(|x, y| {
        let (x, y) = (x.cast_signed(), y.cast_signed());
        let from_x = usize::try_from((start_x + a * x + b * y) >> 16);
        let from_y = usize::try_from((start_y + d * x + e * y) >> 16);
        match (from_x, from_y) {
            (Ok(x), Ok(y)) if x < picture.width && y < picture.height => picture.pixel(x, y),
            _ => [0; 3],
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cases, picture};
    use super::*;

    #[test]
    fn every_operation_is_pillows_to_the_byte() {
        let cases = cases("operations");
        let original = picture(&cases[0]);
        for case in &cases[1..] {
            let name = case["operation"].as_str().unwrap();
            let operation = Operation::ALL.into_iter().find(|known| format!("{known:?}") == name).unwrap();
            let level = case["level"].as_f64().unwrap();
            assert_eq!(operation.apply(&original, level), picture(&case["picture"]), "{name} at {level}");
        }
        let covered = |operation: &Operation| {
            cases.iter().any(|case| case["operation"].as_str() == Some(&format!("{operation:?}")))
        };
        assert!(Operation::ALL.iter().all(covered));
    }

    #[test]
    fn a_single_pixel_survives_every_operation() {
        let pixel = Picture::new(1, 1, vec![10, 20, 30]).unwrap();
        for operation in Operation::ALL {
            for level in [-1.0, 0.0, 1.0] {
                assert_eq!(operation.apply(&pixel, level).pixels.len(), 3);
            }
        }
        assert_eq!(flipped(&pixel), pixel);
    }

    /// Four levels, 256 pixels each: a step is `768 / 255 = 3`, and what lies below a level is `1, 257, 513, 769`.
    #[test]
    fn equalizing_rounds_as_pillow_does() {
        let levels: Vec<u8> = (0..3 * 1024).map(|at| 10 + 10 * (at / 768) as u8).collect();
        let found = equalized(&Picture::new(32, 32, levels).unwrap());
        let expected = (0..3 * 1024).map(|at| [0, 85, 171, 255][at / 768]).collect();
        assert_eq!(found, Picture::new(32, 32, expected).unwrap());
    }

    #[test]
    fn flipping_reverses_each_row() {
        let picture = Picture::new(2, 2, (0..12).collect()).unwrap();
        assert_eq!(flipped(&picture).pixels, [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
    }
}
