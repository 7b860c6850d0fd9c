//! From a picture to a network's input: resized, cropped about its centre, scaled and standardised.
//!
//! Geometry and rounding are those of torchvision's `Resize` and `CenterCrop` on Pillow images, since nearly every
//! published network was trained behind them: the shorter side is exact and the longer one rounded down; a picture
//! smaller than the crop is laid on black. The resize is a convolution whose filter widens as the picture shrinks,
//! across first and down second, both rounded to bytes, as in Pillow up to version 12 (later ones begin with what is
//! cheaper). Weights have 16 bits where Pillow has 22: bytes agree to one grey level, but for one in thousands that the
//! cubic puts two off at hard edges. Only what the crop keeps is computed: a strip of
//! 30,000 x 1 pixels costs no more than its crop.

use std::fmt::Display;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use juyi::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{Picture, out_of_range};

/// Longest side of a network's input in pixels.
const LONGEST_INPUT: usize = 4096;

/// The size to which pictures are brought before the crop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// The shorter side has this many pixels, 1 to 4096; the proportions stay.
    ShorterSide(usize),
    /// Both sides have this many pixels, 1 to 4096.
    BothSides(usize),
}

/// The filter of the resize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// A triangle over 2 pixels of the coarser grid.
    Bilinear,
    /// Catmull-Rom's cubic over 4 pixels of the coarser grid.
    Bicubic,
}

/// What a network wants its pictures to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The size before the crop.
    pub resize: Resize,
    /// Side of the square that is kept about the centre, 1 to 4096 pixels.
    pub crop: usize,
    /// The filter of the resize.
    pub filter: Filter,
    /// What is taken off each channel after scaling, in the order in which channels are written. Finite.
    pub mean: [f32; 3],
    /// What each channel is divided by after that, in the same order. Finite and above 0.
    pub deviation: [f32; 3],
    /// What a byte is multiplied by first: usually 1/255. Finite.
    pub scale: f32,
    /// Whether blue is the first channel and red the last.
    pub blue_first: bool,
}

impl Recipe {
    /// # Errors
    /// [`Error::Param`] for a setting out of its range.
    pub(crate) fn check(&self) -> Result<()> {
        let (Resize::ShorterSide(side) | Resize::BothSides(side)) = self.resize;
        for (name, value) in [("resize", side), ("crop", self.crop)] {
            if !(1..=LONGEST_INPUT).contains(&value) {
                return Err(out_of_range("recipe", name, "between 1 and 4096", value));
            }
        }
        if let Some(deviation) = self.deviation.iter().find(|d| !(d.is_finite() && **d > 0.0)) {
            return Err(out_of_range("recipe", "deviation", "above 0 and finite", deviation));
        }
        for (name, values) in [("mean", &self.mean[..]), ("scale", &[self.scale][..])] {
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(out_of_range("recipe", name, "finite", value));
            }
        }
        Ok(())
    }
}

/// What is asked for in place of a recipe's own.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Changes {
    /// The mean of red, green and blue, each from 0 to 1.
    pub mean: Option<[f32; 3]>,
    /// Their deviation, above 0, at most 1.
    pub deviation: Option<[f32; 3]>,
    /// The size before the crop, of the side or sides that the recipe speaks of.
    pub resize: Option<usize>,
    /// Side of the square that is kept.
    pub crop: Option<usize>,
}

impl Recipe {
    /// The recipe with these changes. Mean and deviation are of channels from 0 to 1 in the order red, green, blue.
    ///
    /// # Errors
    /// [`Error::Param`] for one out of its range, for a mean or deviation alone, or a crop larger than what is left.
    pub fn changed(&self, changes: &Changes) -> Result<Self> {
        let mut own = self.clone();
        match (changes.mean, changes.deviation) {
            (None, None) => {}
            (Some(mean), Some(deviation)) => {
                let unit = |name: &str, values: &[f32; 3], least: f32| {
                    let fits = |value: &&f32| !(**value >= least && **value <= 1.0);
                    let must = "numbers from 0 to 1 (those of bytes are divided by 255), a deviation above 0";
                    values
                        .iter()
                        .find(fits)
                        .map_or(Ok(()), |value| Err(out_of_range("juyi", name, must, value)))
                };
                unit("‹mean›", &mean, 0.0)?;
                unit("‹std›", &deviation, f32::MIN_POSITIVE)?;
                (own.mean, own.deviation, own.scale, own.blue_first) = (mean, deviation, 1.0 / 255.0, false);
            }
            (Some(_), None) => return Err(out_of_range("juyi", "‹std›", "given where `‹mean›` is", "none")),
            (None, Some(_)) => return Err(out_of_range("juyi", "‹mean›", "given where `‹std›` is", "none")),
        }
        if let Some(side) = changes.resize {
            own.resize = match own.resize {
                Resize::ShorterSide(_) => Resize::ShorterSide(side),
                Resize::BothSides(_) => Resize::BothSides(side),
            };
        }
        own.crop = changes.crop.unwrap_or(own.crop);
        own.check()?;
        let (Resize::ShorterSide(side) | Resize::BothSides(side)) = own.resize;
        if own.crop > side && *changes != Changes::default() {
            let must = format!("at most `‹resize›`, {side}");
            return Err(out_of_range("juyi", "‹crop›", &must, own.crop));
        }
        Ok(own)
    }
}

/// The picture as the network's input, `(3, crop, crop)`.
///
/// # Errors
/// [`Error::Param`] for a recipe out of range.
pub fn prepare(picture: &Picture, recipe: &Recipe) -> Result<Vec<f32>> {
    recipe.check()?;
    Ok(standardised(&centred(picture, recipe)?, recipe))
}

/// The picture resized and cropped, `crop` pixels on each side.
pub(super) fn centred(picture: &Picture, recipe: &Recipe) -> Result<Picture> {
    let (width, height) = (picture.width, picture.height);
    let (new_width, new_height) = match recipe.resize {
        Resize::BothSides(side) => (side, side),
        Resize::ShorterSide(side) if width <= height => (side, side * height / width),
        Resize::ShorterSide(side) => (side * width / height, side),
    };
    let across = Span::about_centre(new_width, recipe.crop);
    let down = Span::about_centre(new_height, recipe.crop);
    let (left, kept_width) = across.of_original(width, new_width);
    let (top, kept_height) = down.of_original(height, new_height);
    let window = Window { left, top, width: kept_width, height: kept_height };
    let kept = resample(picture, &window, across.count, down.count, recipe.filter)?;
    if kept.width == recipe.crop && kept.height == recipe.crop {
        return Ok(kept);
    }
    let mut pixels = vec![0; 3 * recipe.crop * recipe.crop];
    for (y, row) in kept.pixels.chunks_exact(3 * kept.width).enumerate() {
        let at = 3 * ((down.to + y) * recipe.crop + across.to);
        pixels[at..at + row.len()].copy_from_slice(row);
    }
    Picture::new(recipe.crop, recipe.crop, pixels)
}

/// The part of a side that a crop about the centre keeps.
struct Span {
    /// The first pixel that is kept.
    from: usize,
    /// How many are kept.
    count: usize,
    /// Where the first one lies in the crop.
    to: usize,
}

impl Span {
    fn about_centre(side: usize, crop: usize) -> Self {
        let left_over = side.saturating_sub(crop);
        // Half of it, with ties to the even number: as Python's `round` does.
        let half = left_over / 2;
        let from = half + if left_over % 2 == 1 { half % 2 } else { 0 };
        Self { from, count: side.min(crop), to: crop.saturating_sub(side) / 2 }
    }

    /// Begin and length of the span on the side before it was resized from `old` to `new` pixels.
    fn of_original(&self, old: usize, new: usize) -> (f64, f64) {
        let scale = old as f64 / new as f64;
        let from = self.from as f64 * scale;
        (from, (self.count as f64 * scale).min(old as f64 - from))
    }
}

/// A part of a picture in pixels, which need not be whole; neighbours outside it count in the filter.
struct Window {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// The whole picture with new sides.
pub(super) fn resized(picture: &Picture, width: usize, height: usize, filter: Filter) -> Result<Picture> {
    let (old_width, old_height) = (picture.width as f64, picture.height as f64);
    let window = Window { left: 0.0, top: 0.0, width: old_width, height: old_height };
    resample(picture, &window, width, height, filter)
}

/// The window of a picture with new sides.
fn resample(
    picture: &Picture,
    window: &Window,
    width: usize,
    height: usize,
    filter: Filter,
) -> Result<Picture> {
    let (kind, support) = match filter {
        Filter::Bilinear => (FilterType::Bilinear, 1.0),
        Filter::Bicubic => (FilterType::CatmullRom, 2.0),
    };
    // The crate runs down first, where overshoots of the cubic are cut off at other places than in Pillow; so
    // each direction is asked for by itself, the first on the rows that the second will look at.
    let reach = support * (window.height / height as f64).max(1.0);
    let first = (window.top - reach).floor().max(0.0);
    let last = (window.top + window.height + reach).ceil().min(picture.height as f64);
    let algorithm = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(kind));
    let mut resizer = Resizer::new();

    let (old_width, old_height) = (picture.width as u32, picture.height as u32);
    let source =
        TypedImageRef::<U8x3>::from_buffer(old_width, old_height, &picture.pixels).map_err(failed)?;
    let mut rows = TypedImage::new(width as u32, (last - first) as u32);
    let across = algorithm.crop(window.left, first, window.width, last - first);
    resizer.resize_typed(&source, &mut rows, &across).map_err(failed)?;

    let mut out = TypedImage::new(width as u32, height as u32);
    let down = algorithm.crop(0.0, window.top - first, width as f64, window.height);
    resizer.resize_typed(&rows, &mut out, &down).map_err(failed)?;
    Picture::new(width, height, out.pixels().iter().flat_map(|pixel| pixel.0).collect())
}

fn failed(error: impl Display) -> Error {
    Error::Numeric { what: "resizing".into(), why: error.to_string() }
}

/// The bytes of a picture, scaled and standardised, channel by channel: `(3, height, width)`.
pub(super) fn standardised(picture: &Picture, recipe: &Recipe) -> Vec<f32> {
    let mut out = Vec::with_capacity(picture.pixels.len());
    for channel in 0..3 {
        let (mean, deviation) = (recipe.mean[channel], recipe.deviation[channel]);
        let value: [f32; 256] = std::array::from_fn(|byte| (byte as f32 * recipe.scale - mean) / deviation);
        let colour = if recipe.blue_first { 2 - channel } else { channel };
        out.extend(picture.pixels.iter().skip(colour).step_by(3).map(|byte| value[usize::from(*byte)]));
    }
    out
}

#[cfg(test)]
mod tests {

    use super::super::testing::{cases, gap, picture};
    use super::*;

    fn recipe(resize: Resize, crop: usize) -> Recipe {
        let (mean, deviation) = ([0.0; 3], [1.0; 3]);
        Recipe { resize, crop, filter: Filter::Bilinear, mean, deviation, scale: 1.0, blue_first: false }
    }

    #[test]
    fn resizing_and_cropping_agree_with_pillow_to_one_grey_level() {
        let cases = cases("resize");
        let original = picture(&cases[0]);
        let turned = Picture {
            width: original.height,
            height: original.width,
            pixels: (0..original.width)
                .flat_map(|y| (0..original.height).map(move |x| (x, y)))
                .flat_map(|(x, y)| original.pixel(y, x))
                .collect(),
        };
        let (mut bytes, mut two_off) = (0, 0);
        for case in &cases[1..] {
            let expected = picture(&case["picture"]);
            let found = if case["recipe"].is_null() {
                let filter: Filter = serde_json::from_value(case["filter"].clone()).unwrap();
                resized(&original, expected.width, expected.height, filter).unwrap()
            } else {
                let recipe: Recipe = serde_json::from_value(case["recipe"].clone()).unwrap();
                let source = if case["turned"] == true { &turned } else { &original };
                centred(source, &recipe).unwrap()
            };
            let filter = if case["recipe"].is_null() { &case["filter"] } else { &case["recipe"]["filter"] };
            let most = if filter == "bicubic" { 2 } else { 1 };
            assert!(gap(&found, &expected) <= most, "{} off: {case}", gap(&found, &expected));
            bytes += found.pixels.len();
            two_off += found.pixels.iter().zip(&expected.pixels).filter(|(a, b)| a.abs_diff(**b) > 1).count();
        }
        assert!(1000 * two_off < bytes, "{two_off} of {bytes}");
    }

    #[test]
    fn channels_are_standardised_in_the_order_in_which_they_are_written() {
        let picture = Picture::new(1, 1, vec![51, 102, 255]).unwrap();
        let mut recipe = Recipe {
            mean: [0.2, 0.1, 0.5],
            deviation: [1.0, 0.5, 0.25],
            scale: 1.0 / 255.0,
            ..recipe(Resize::BothSides(1), 1)
        };
        let near = |found: Vec<f32>, expected: [f32; 3]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        };
        near(prepare(&picture, &recipe).unwrap(), [0.0, 0.6, 2.0]);
        recipe.blue_first = true;
        near(prepare(&picture, &recipe).unwrap(), [0.8, 0.6, -1.2]);
    }

    #[test]
    fn strips_and_single_pixels_cost_no_more_than_their_crop() {
        let strip = Picture::new(30_000, 1, vec![9; 90_000]).unwrap();
        let made = prepare(&strip, &recipe(Resize::ShorterSide(4096), 3)).unwrap();
        assert_eq!(made, [9.0; 27]);
        assert_eq!(prepare(&strip, &recipe(Resize::BothSides(3), 3)).unwrap(), [9.0; 27]);
        let padded = prepare(&strip, &recipe(Resize::BothSides(1), 3)).unwrap();
        assert_eq!(padded[..9], [0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_is_asked_for_takes_the_place_of_a_recipe_s_own() {
        let own = Recipe { blue_first: true, ..recipe(Resize::BothSides(227), 227) };
        assert_eq!(own.changed(&Changes::default()).unwrap(), own);
        let (mean, deviation) = (Some([0.5; 3]), Some([0.25; 3]));
        let changed = own.changed(&Changes { mean, deviation, ..Changes::default() }).unwrap();
        let expected = Recipe {
            mean: [0.5; 3],
            deviation: [0.25; 3],
            scale: 1.0 / 255.0,
            blue_first: false,
            ..own.clone()
        };
        assert_eq!(changed, expected);
        let sized = own.changed(&Changes { resize: Some(64), crop: Some(60), ..Changes::default() }).unwrap();
        assert_eq!((sized.resize, sized.crop), (Resize::BothSides(64), 60));
        for wrong in [
            Changes { mean, ..Changes::default() },
            Changes { deviation, ..Changes::default() },
            Changes { mean: Some([123.0, 0.5, 0.5]), deviation, ..Changes::default() },
            Changes { mean, deviation: Some([0.0; 3]), ..Changes::default() },
            Changes { mean, deviation: Some([f32::NAN; 3]), ..Changes::default() },
            Changes { crop: Some(228), ..Changes::default() },
            Changes { resize: Some(5000), ..Changes::default() },
        ] {
            assert!(matches!(own.changed(&wrong), Err(Error::Param { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn recipes_out_of_range_are_refused() {
        let sound = recipe(Resize::ShorterSide(2), 2);
        for wrong in [
            Recipe { resize: Resize::ShorterSide(0), ..sound.clone() },
            Recipe { resize: Resize::BothSides(4097), ..sound.clone() },
            Recipe { crop: 0, ..sound.clone() },
            Recipe { deviation: [1.0, 0.0, 1.0], ..sound.clone() },
            Recipe { deviation: [1.0, f32::NAN, 1.0], ..sound.clone() },
            Recipe { mean: [0.0, 0.0, f32::INFINITY], ..sound.clone() },
            Recipe { scale: f32::NAN, ..sound.clone() },
        ] {
            let picture = Picture::new(1, 1, vec![0; 3]).unwrap();
            assert!(matches!(prepare(&picture, &wrong), Err(Error::Param { .. })), "{wrong:?}");
        }
    }
}
