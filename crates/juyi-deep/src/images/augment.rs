//! Random changes to training pictures that leave their class as it is, as torchvision's training recipes make them:
//! a random crop, a flip, colour jitter and `RandAugment`, in this order.
//!
//! - Random resized crop: C. Szegedy et al., "Going deeper with convolutions", CVPR 2015, section 6.
//! - `RandAugment`: E. D. Cubuk et al., "Randaugment: practical automated data augmentation with a reduced search
//!   space", CVPR Workshops 2020. Operations and their strongest settings are torchvision's, which differ a little from
//!   the paper's.
//!
//! Every sample has a generator of its own in every epoch ([`generator`]), so neither threads nor the order of the
//! samples change what is drawn. All but the crop work on pictures of the network's size.

use juyi::error::Result;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::operations::{Operation, brightness, contrast, flipped, saturation};
use super::prepare::{centred, resized, standardised};
use super::{Picture, Recipe, out_of_range};

/// Strongest magnitude of [`RandAugment`].
const STRONGEST: u32 = 30;

/// What is changed at random; by default nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// A random part of the picture in place of the recipe's resize and crop about the centre.
    pub crop: Option<RandomCrop>,
    /// Probability that left and right are exchanged, 0 to 1.
    pub flip: f64,
    /// Brightness is multiplied by something in `1 - brightness ..= 1 + brightness`, not below 0. At least 0, finite.
    pub brightness: f64,
    /// The same for contrast.
    pub contrast: f64,
    /// The same for saturation. The three are made in random order.
    pub saturation: f64,
    /// Operations drawn from a fixed list.
    pub rand_augment: Option<RandAugment>,
}

/// A part of the picture of random area and proportions, stretched to the network's square.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomCrop {
    /// Least and largest share of the area that is kept, above 0 and at most 1.
    pub scale: [f64; 2],
    /// Least and largest ratio of width to height, above 0; its logarithm is drawn uniformly.
    pub ratio: [f64; 2],
}

impl Default for RandomCrop {
    fn default() -> Self {
        Self { scale: [0.08, 1.0], ratio: [3.0 / 4.0, 4.0 / 3.0] }
    }
}

/// So many operations, each drawn from all and made at one magnitude in a random direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandAugment {
    /// Operations one after the other, 0 to 100.
    pub operations: u32,
    /// Their strength, 0 to 30.
    pub magnitude: u32,
}

impl Default for RandAugment {
    fn default() -> Self {
        Self { operations: 2, magnitude: 9 }
    }
}

impl Augmentation {
    fn check(&self) -> Result<()> {
        let refuse = |name, must, got: f64| Err(out_of_range("augmentation", name, must, got));
        if !(0.0..=1.0).contains(&self.flip) {
            return refuse("flip", "between 0 and 1", self.flip);
        }
        let jitter =
            [("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation)];
        for (name, strength) in jitter {
            if !(0.0..f64::INFINITY).contains(&strength) {
                return refuse(name, "at least 0 and finite", strength);
            }
        }
        if let Some(RandomCrop { scale, ratio }) = self.crop {
            let range = |name: &str, [low, high]: [f64; 2], most: f64, must: &str| {
                let sound = low > 0.0 && low <= high && high <= most;
                let error = || out_of_range("random crop", name, must, format!("{low} to {high}"));
                sound.then_some(()).ok_or_else(error)
            };
            range("scale", scale, 1.0, "a range above 0 and up to 1")?;
            range("ratio", ratio, f64::MAX, "a finite range above 0")?;
        }
        if let Some(RandAugment { operations, magnitude }) = self.rand_augment {
            if operations > 100 {
                return Err(out_of_range("RandAugment", "operations", "at most 100", operations));
            }
            if magnitude > STRONGEST {
                return Err(out_of_range("RandAugment", "magnitude", "at most 30", magnitude));
            }
        }
        Ok(())
    }
}

/// The generator of one sample in one epoch; batches that are blended take a seed of their own.
pub fn generator(seed: u64, epoch: u64, sample: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, number) in key.chunks_exact_mut(8).zip([seed, epoch, sample]) {
        part.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// A change by a factor that leaves the picture as it is at 1.
type ColourChange = fn(&Picture, f32) -> Picture;

/// The picture, changed at random, as the network's input `(3, crop, crop)`.
///
/// # Errors
/// [`Error::Param`](juyi::error::Error::Param) for a recipe or augmentation out of range.
pub fn augment(
    picture: &Picture,
    recipe: &Recipe,
    augmentation: &Augmentation,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<f32>> {
    recipe.check()?;
    augmentation.check()?;
    let mut picture = match &augmentation.crop {
        Some(crop) => {
            let part = drawn_part(picture.width, picture.height, crop, rng).of(picture);
            resized(&part, recipe.crop, recipe.crop, recipe.filter)?
        }
        None => centred(picture, recipe)?,
    };
    if rng.random_bool(augmentation.flip) {
        picture = flipped(&picture);
    }
    let mut jitter: [(ColourChange, f64); 3] = [
        (brightness, augmentation.brightness),
        (contrast, augmentation.contrast),
        (saturation, augmentation.saturation),
    ];
    jitter.shuffle(rng);
    for (change, strength) in jitter.into_iter().filter(|(_, strength)| *strength > 0.0) {
        picture = change(&picture, rng.random_range((1.0 - strength).max(0.0)..=1.0 + strength) as f32);
    }
    if let Some(RandAugment { operations, magnitude }) = augmentation.rand_augment {
        let strength = f64::from(magnitude) / f64::from(STRONGEST);
        for _ in 0..operations {
            let operation = Operation::ALL[rng.random_range(0..Operation::ALL.len())];
            let level = if rng.random_bool(0.5) { strength } else { -strength };
            picture = operation.apply(&picture, level);
        }
    }
    Ok(standardised(&picture, recipe))
}

/// A part of a picture in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Part {
    fn of(self, picture: &Picture) -> Picture {
        let rows = picture.pixels.chunks_exact(3 * picture.width).skip(self.top).take(self.height);
        let columns = 3 * self.left..3 * (self.left + self.width);
        let pixels = rows.flat_map(|row| &row[columns.clone()]).copied().collect();
        Picture { width: self.width, height: self.height, pixels }
    }
}

/// Ten draws of area and proportions, the first that fits into the picture; else the largest part about the centre
/// whose proportions are allowed.
fn drawn_part(width: usize, height: usize, crop: &RandomCrop, rng: &mut ChaCha8Rng) -> Part {
    let area = width as f64 * height as f64;
    let [narrowest, widest] = crop.ratio;
    for _ in 0..10 {
        let share = rng.random_range(crop.scale[0]..=crop.scale[1]) * area;
        let ratio = rng.random_range(narrowest.ln()..=widest.ln()).exp();
        let new_width = (share * ratio).sqrt().round_ties_even() as usize;
        let new_height = (share / ratio).sqrt().round_ties_even() as usize;
        if (1..=width).contains(&new_width) && (1..=height).contains(&new_height) {
            let top = rng.random_range(0..=height - new_height);
            let left = rng.random_range(0..=width - new_width);
            return Part { left, top, width: new_width, height: new_height };
        }
    }
    let ratio = (width as f64 / height as f64).clamp(narrowest, widest);
    let new_width = ((height as f64 * ratio).round_ties_even() as usize).clamp(1, width);
    let new_height = ((width as f64 / ratio).round_ties_even() as usize).clamp(1, height);
    Part {
        left: (width - new_width) / 2,
        top: (height - new_height) / 2,
        width: new_width,
        height: new_height,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, Resize};
    use super::*;

    /// A recipe that leaves bytes as they are.
    fn recipe(side: usize) -> Recipe {
        Recipe {
            resize: Resize::BothSides(side),
            crop: side,
            filter: Filter::Bilinear,
            mean: [0.0; 3],
            deviation: [1.0; 3],
            scale: 1.0,
            blue_first: false,
        }
    }

    fn noise(width: usize, height: usize) -> Picture {
        let mut rng = generator(1, 2, 3);
        let pixels = (0..3 * width * height).map(|_| rng.random()).collect();
        Picture::new(width, height, pixels).expect("a picture")
    }

    fn everything() -> Augmentation {
        Augmentation {
            crop: Some(RandomCrop::default()),
            flip: 0.5,
            brightness: 0.4,
            contrast: 0.4,
            saturation: 1.5,
            rand_augment: Some(RandAugment::default()),
        }
    }

    #[test]
    fn nothing_is_changed_by_default_and_draws_depend_on_seed_epoch_and_sample_alone() {
        let picture = noise(9, 7);
        let made = |augmentation: &Augmentation, seed, epoch, sample| {
            augment(&picture, &recipe(7), augmentation, &mut generator(seed, epoch, sample)).unwrap()
        };
        let plain = super::super::prepare(&picture, &recipe(7)).unwrap();
        assert_eq!(made(&Augmentation::default(), 0, 0, 0), plain);
        let drawn = made(&everything(), 1, 2, 3);
        assert_eq!(drawn, made(&everything(), 1, 2, 3));
        for (seed, epoch, sample) in [(0, 2, 3), (1, 3, 3), (1, 2, 4), (2, 1, 3)] {
            assert_ne!(drawn, made(&everything(), seed, epoch, sample));
        }
    }

    #[test]
    fn a_flip_comes_as_often_as_asked_and_reverses_rows() {
        let picture = Picture::new(2, 2, vec![1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]).unwrap();
        let augmentation = Augmentation { flip: 0.25, ..Augmentation::default() };
        let flips = (0..2000).filter(|sample| {
            let made = augment(&picture, &recipe(2), &augmentation, &mut generator(0, 0, *sample)).unwrap();
            assert!(made[..4] == [2.0, 1.0, 4.0, 3.0] || made[..4] == [1.0, 2.0, 3.0, 4.0]);
            made[0] == 2.0
        });
        assert!((400..600).contains(&flips.count())); // 500 are expected, with a deviation of 19
    }

    /// Brightness alone on one grey level: its factor can be read off.
    #[test]
    fn jitter_stays_within_its_strength_and_fills_it() {
        let picture = Picture::new(1, 1, vec![100; 3]).unwrap();
        let augmentation = Augmentation { brightness: 0.4, ..Augmentation::default() };
        let made: Vec<f32> = (0..500)
            .map(|n| augment(&picture, &recipe(1), &augmentation, &mut generator(5, 0, n)).unwrap()[0])
            .collect();
        assert!(made.iter().all(|value| (59.0..=140.0).contains(value)));
        assert!(made.iter().any(|value| *value < 64.0) && made.iter().any(|value| *value > 136.0));
    }

    #[test]
    fn parts_have_the_area_and_proportions_that_were_asked_for() {
        let crop = RandomCrop::default();
        let mut shares = Vec::new();
        for sample in 0..1000 {
            let part = drawn_part(200, 100, &crop, &mut generator(0, 0, sample));
            assert!(part.left + part.width <= 200 && part.top + part.height <= 100);
            let ratio = part.width as f64 / part.height as f64;
            assert!((0.72..1.38).contains(&ratio), "{part:?}");
            shares.push((part.width * part.height) as f64 / 20_000.0);
        }
        // Shares are drawn from 0.08 to 1, and what is above 2/3 cannot fit: it needs a ratio above 4/3.
        shares.sort_by(f64::total_cmp);
        assert!(shares[0] > 0.07 && shares[10] < 0.1, "{shares:?}");
        assert!(shares[980] > 0.5 && shares[999] < 0.68, "{shares:?}");
    }

    #[test]
    fn where_no_part_fits_the_largest_about_the_centre_is_taken() {
        let all = RandomCrop { scale: [1.0, 1.0], ..RandomCrop::default() };
        let part = |width, height| drawn_part(width, height, &all, &mut generator(0, 0, 0));
        assert_eq!(part(400, 30), Part { left: 180, top: 0, width: 40, height: 30 });
        assert_eq!(part(30, 400), Part { left: 0, top: 180, width: 30, height: 40 });
        assert_eq!(part(1, 30_000), Part { left: 0, top: 14_999, width: 1, height: 1 });
    }

    #[test]
    fn the_cut_out_part_is_stretched_to_the_network() {
        // A share of 1 with the picture's own proportions is the whole picture.
        let whole = Augmentation {
            crop: Some(RandomCrop { scale: [1.0, 1.0], ratio: [2.0, 2.0] }),
            ..Augmentation::default()
        };
        let picture = noise(16, 8);
        let made = augment(&picture, &recipe(5), &whole, &mut generator(0, 0, 0)).unwrap();
        assert_eq!(made, super::super::prepare(&picture, &recipe(5)).unwrap());
        let part = Part { left: 1, top: 2, width: 2, height: 1 };
        assert_eq!(part.of(&Picture::new(3, 3, (0..27).collect()).unwrap()).pixels, [21, 22, 23, 24, 25, 26]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let none = Augmentation::default;
        let crop = |scale, ratio| Augmentation { crop: Some(RandomCrop { scale, ratio }), ..none() };
        let chosen = |operations, magnitude| {
            let rand_augment = Some(RandAugment { operations, magnitude });
            Augmentation { rand_augment, ..none() }
        };
        for augmentation in [
            Augmentation { flip: f64::NAN, ..none() },
            Augmentation { flip: 1.1, ..none() },
            Augmentation { contrast: -0.1, ..none() },
            Augmentation { saturation: f64::INFINITY, ..none() },
            crop([0.0, 1.0], [1.0, 1.0]),
            crop([0.5, 1.1], [1.0, 1.0]),
            crop([0.5, 0.4], [1.0, 1.0]),
            crop([0.5, 1.0], [f64::NAN, 1.0]),
            crop([0.5, 1.0], [1.0, f64::INFINITY]),
            chosen(101, 9),
            chosen(2, 31),
        ] {
            let made = augment(&noise(2, 2), &recipe(2), &augmentation, &mut generator(0, 0, 0));
            assert!(matches!(made, Err(juyi::error::Error::Param { .. })), "{augmentation:?}");
        }
        let text = r#"{"flip":0.5,"rand_augment":{"magnitude":4}}"#;
        let parsed: Augmentation = serde_json::from_str(text).unwrap();
        assert_eq!(parsed, Augmentation { flip: 0.5, ..chosen(2, 4) });
        assert!(serde_json::from_str::<Augmentation>(r#"{"flips":0.5}"#).is_err());
    }
}
