//! How often colours occur in a picture: what can be told of it without any network.

use juyi::error::Result;

use super::Picture;
use super::prepare::{Recipe, centred};

/// Parts of each channel by itself.
const PARTS: usize = 32;
/// Parts of each channel where all three are counted together.
const JOINT: usize = 8;
/// Numbers that [`colour_shares`] makes of a picture.
pub(crate) const COLOURS: usize = 3 * PARTS + JOINT * JOINT * JOINT;

/// The square roots of the shares of pixels in each part of red, of green, of blue and of all three together, of the picture
/// as a network sees it before its numbers are standardised. Of square roots, distances are those of Hellinger.
///
/// # Errors
/// [`juyi::error::Error::Param`] for a recipe out of range.
pub(crate) fn colour_shares(picture: &Picture, recipe: &Recipe) -> Result<Vec<f32>> {
    recipe.check()?;
    let seen = centred(picture, recipe)?;
    let mut counts = vec![0u32; COLOURS];
    let (pixels, _) = seen.pixels().as_chunks::<3>();
    for pixel in pixels {
        let [red, green, blue] = pixel.map(usize::from);
        for (channel, value) in [red, green, blue].into_iter().enumerate() {
            counts[channel * PARTS + value * PARTS / 256] += 1;
        }
        let [red, green, blue] = [red, green, blue].map(|value| value * JOINT / 256);
        counts[3 * PARTS + (red * JOINT + green) * JOINT + blue] += 1;
    }
    let all = pixels.len().max(1) as f64;
    Ok(counts.into_iter().map(|count| (f64::from(count) / all).sqrt() as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::{Filter, Resize};

    #[test]
    fn colours_are_counted_by_channel_and_together() {
        // Three quarters black, a quarter pure red with some green.
        let pixel = |at: usize| if at.is_multiple_of(4) { [255, 40, 0] } else { [0; 3] };
        let pixels = (0..224 * 224).flat_map(pixel).collect();
        let picture = Picture::new(224, 224, pixels).unwrap();
        let recipe = Recipe {
            resize: Resize::BothSides(224),
            crop: 224,
            filter: Filter::Bilinear,
            mean: [0.5; 3],
            deviation: [0.25; 3],
            scale: 1.0 / 255.0,
            blue_first: true,
        };
        let shares = colour_shares(&picture, &recipe).unwrap();
        assert_eq!(shares.len(), 608);
        let (black, red) = (0.75f32.sqrt(), 0.5);
        let expected = [
            (0, black),
            (31, red), // all of red
            (PARTS, black),
            (PARTS + 5, red),              // 40 of 256 in 32 parts
            (2 * PARTS, 1.0),              // no blue
            (3 * PARTS, black),            // black
            (3 * PARTS + 7 * 64 + 8, red), // red 7, green 1, blue 0
        ];
        for (at, share) in expected {
            assert!((shares[at] - share).abs() < 1e-6, "{at}: {}", shares[at]);
        }
        let told: f32 = shares.iter().map(|share| share * share).sum();
        assert!((told - 4.0).abs() < 1e-5, "{told}");
    }
}
