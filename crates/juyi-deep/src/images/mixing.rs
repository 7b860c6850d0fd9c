//! Samples of a batch blended with one another, and their labels in the same shares.
//!
//! - mixup: H. Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018. Two pictures are added.
//! - `CutMix`: S. Yun et al., "`CutMix`: regularization strategy to train strong classifiers with localizable
//!   features", ICCV 2019. A box of one picture is pasted into the other.
//!
//! ```text
//! own ~ Beta(alpha, alpha),   partner = a random permutation,
//! loss_i = own * loss(i, label_i) + (1 - own) * loss(i, label_partner(i))
//! ```
//! As in the papers, a batch has one share and, for `CutMix`, one box; the share is then that of the area
//! that is left.

use juyi::error::{Error, Result};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};

use super::out_of_range;

/// A batch after blending.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixed {
    /// The inputs, as many and as long as before.
    pub inputs: Vec<f32>,
    /// With which sample each one was blended, itself included.
    pub partner: Vec<usize>,
    /// Weight of a sample's own label, 0 to 1; the rest is that of its partner's.
    pub own: f32,
}

/// Adds to each of the `samples` inputs another one: `own * x_i + (1 - own) * x_partner(i)`. The smaller `alpha`, the
/// less is blended; between 0.001 and 1000, usually 0.2.
///
/// # Errors
/// [`Error::Param`] for `alpha` out of range; [`Error::Input`] for inputs that are not of one length.
pub fn mixup(inputs: &[f32], samples: usize, alpha: f64, rng: &mut ChaCha8Rng) -> Result<Mixed> {
    let (own, partner, length) = drawn("mixup", inputs, samples, alpha, rng)?;
    let own = own as f32;
    let mut mixed = Vec::with_capacity(inputs.len());
    for (input, other) in inputs.chunks_exact(length).zip(&partner) {
        let other = &inputs[other * length..(other + 1) * length];
        mixed.extend(input.iter().zip(other).map(|(a, b)| own * a + (1.0 - own) * b));
    }
    Ok(Mixed { inputs: mixed, partner, own })
}

/// Pastes into each of the `samples` inputs `(3, side, side)` a box of another one, at the same place. `alpha` between
/// 0.001 and 1000, usually 1.
///
/// # Errors
/// [`Error::Param`] for `alpha` out of range; [`Error::Input`] for inputs that are not of this size.
pub fn cutmix(
    inputs: &[f32],
    samples: usize,
    side: usize,
    alpha: f64,
    rng: &mut ChaCha8Rng,
) -> Result<Mixed> {
    let (own, partner, length) = drawn("CutMix", inputs, samples, alpha, rng)?;
    if side.checked_mul(side).and_then(|area| area.checked_mul(3)) != Some(length) {
        let problem = format!("inputs of {length} numbers are not three squares with a side of {side}");
        return Err(Error::input("CutMix", problem, "give the side of the prepared pictures"));
    }
    // The centre may lie anywhere, so a box can reach over the border; what is outside is cut off.
    let half = (0.5 * (1.0 - own).sqrt() * side as f64) as usize;
    let mut range = || {
        let centre = rng.random_range(0..side);
        centre.saturating_sub(half)..(centre + half).min(side)
    };
    let (across, down) = (range(), range());
    let mut mixed = inputs.to_vec();
    for (sample, other) in partner.iter().enumerate() {
        for row in (0..3).flat_map(|channel| down.clone().map(move |y| channel * side + y)) {
            let at = |sample: usize| sample * length + row * side;
            let pasted = &inputs[at(*other) + across.start..at(*other) + across.end];
            mixed[at(sample) + across.start..at(sample) + across.end].copy_from_slice(pasted);
        }
    }
    let own = 1.0 - (across.len() * down.len()) as f64 / (side * side) as f64;
    Ok(Mixed { inputs: mixed, partner, own: own as f32 })
}

/// The share of a sample itself, everyone's partner, and the length of an input.
fn drawn(
    owner: &str,
    inputs: &[f32],
    samples: usize,
    alpha: f64,
    rng: &mut ChaCha8Rng,
) -> Result<(f64, Vec<usize>, usize)> {
    if samples == 0 || inputs.is_empty() || !inputs.len().is_multiple_of(samples) {
        let problem = format!("{} numbers are not {samples} inputs of one length", inputs.len());
        return Err(Error::input(owner, problem, "give a batch as it was prepared"));
    }
    // Beyond this range the draws would be 0 or 1, or all a half.
    let refuse = || out_of_range(owner, "alpha", "between 0.001 and 1000", alpha);
    let sound = (1e-3..=1e3).contains(&alpha).then_some(alpha).ok_or_else(refuse)?;
    let beta = Beta::new(sound, sound).map_err(|_| refuse())?;
    let own = beta.sample(rng);
    let mut partner: Vec<usize> = (0..samples).collect();
    partner.shuffle(rng);
    Ok((own, partner, inputs.len() / samples))
}

#[cfg(test)]
mod tests {
    use super::super::generator;
    use super::*;

    /// Inputs `(3, side, side)` that are filled with the number of their sample.
    fn numbered(samples: usize, side: usize) -> Vec<f32> {
        (0..samples).flat_map(|sample| vec![sample as f32; 3 * side * side]).collect()
    }

    fn is_permutation(partner: &[usize]) -> bool {
        let mut sorted = partner.to_vec();
        sorted.sort_unstable();
        sorted.into_iter().eq(0..partner.len())
    }

    #[test]
    fn mixup_adds_in_the_share_that_it_reports() {
        let inputs = numbered(5, 2);
        let mixed = mixup(&inputs, 5, 0.2, &mut generator(0, 0, 4)).unwrap();
        assert!(is_permutation(&mixed.partner) && mixed.partner != [0, 1, 2, 3, 4]);
        for (sample, input) in mixed.inputs.chunks_exact(12).enumerate() {
            let expected = mixed.own * sample as f32 + (1.0 - mixed.own) * mixed.partner[sample] as f32;
            assert!(input.iter().all(|value| (value - expected).abs() < 1e-6));
        }
    }

    /// A beta distribution with equal parameters has mean 1/2 and variance `1 / (4 (2 alpha + 1))`.
    #[test]
    fn shares_follow_the_beta_distribution() {
        for alpha in [0.2, 1.0, 5.0] {
            let share = |n| f64::from(mixup(&[1.0, 2.0], 2, alpha, &mut generator(3, 0, n)).unwrap().own);
            let shares: Vec<f64> = (0..4000).map(share).collect();
            let mean = shares.iter().sum::<f64>() / 4000.0;
            let variance = shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / 4000.0;
            assert!((mean - 0.5).abs() < 0.03, "{alpha}: {mean}");
            assert!((variance * 4.0 * (2.0 * alpha + 1.0) - 1.0).abs() < 0.1, "{alpha}: {variance}");
        }
    }

    #[test]
    fn cutmix_pastes_one_box_and_reports_the_area_that_is_left() {
        let side = 6;
        let mut boxes = Vec::new();
        for n in 0..200 {
            let mixed = cutmix(&numbered(3, side), 3, side, 1.0, &mut generator(0, 1, n)).unwrap();
            assert!(is_permutation(&mixed.partner));
            for (sample, input) in mixed.inputs.chunks_exact(3 * side * side).enumerate() {
                let partner = mixed.partner[sample];
                if partner == sample {
                    continue;
                }
                assert!(input.iter().all(|value| *value == sample as f32 || *value == partner as f32));
                let channels: Vec<&[f32]> = input.chunks_exact(side * side).collect();
                assert!(channels[0] == channels[1] && channels[0] == channels[2]);
                let pasted: Vec<(usize, usize)> = (0..side * side)
                    .filter(|at| channels[0][*at] == partner as f32)
                    .map(|at| (at % side, at / side))
                    .collect();
                let span = |values: Vec<usize>| match (values.iter().min(), values.iter().max()) {
                    (Some(low), Some(high)) => high - low + 1,
                    _ => 0,
                };
                let width = span(pasted.iter().map(|(x, _)| *x).collect());
                let height = span(pasted.iter().map(|(_, y)| *y).collect());
                assert_eq!(width * height, pasted.len(), "a box without holes");
                let left = 1.0 - pasted.len() as f32 / (side * side) as f32;
                assert!((mixed.own - left).abs() < 1e-6);
                boxes.push(pasted.len());
            }
        }
        assert!(boxes.contains(&0) && boxes.contains(&16), "the smallest and the largest whole box");
    }

    #[test]
    fn batches_that_do_not_fit_are_refused() {
        let mut rng = generator(0, 0, 0);
        for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(mixup(&[1.0; 6], 2, alpha, &mut rng), Err(Error::Param { .. })), "{alpha}");
        }
        assert!(mixup(&[1.0; 6], 0, 1.0, &mut rng).is_err());
        assert!(mixup(&[], 1, 1.0, &mut rng).is_err());
        assert!(mixup(&[1.0; 6], 4, 1.0, &mut rng).is_err());
        assert!(cutmix(&[1.0; 24], 2, 3, 1.0, &mut rng).is_err());
        assert!(cutmix(&[1.0; 24], 2, usize::MAX, 1.0, &mut rng).is_err());
    }
}
