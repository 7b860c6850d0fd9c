//! A distance of two domains with what is known of its certainty, and the words for it.

use serde::{Deserialize, Serialize};

/// How far two domains are apart, by one measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// The measure's name.
    pub name: String,
    /// What it is and its range, in a line.
    pub about: String,
    /// The distance; the interval is absent where none is known.
    pub value: f64,
    /// 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// How likely so large a value is if both domains are the same, where a test is made.
    pub p_value: Option<f64>,
    /// How much of one domain lies beyond the other by this measure, from 0 (nothing) to 1 (all), where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    /// Whether it is another estimate of what stands before it, which a summary leaves out.
    #[serde(default)]
    pub beside: bool,
}

/// A difference that is told apart by chance alone once in so many cases is none.
const LEVEL: f64 = 0.05;

/// Effects from which on domains differ at all, clearly, and have next to nothing in common.
const EFFECTS: [f64; 3] = [0.02, 0.1, 0.9];

impl Distance {
    /// A value of which no more is known.
    pub(super) fn new(name: &str, about: &str, value: f64) -> Self {
        Self {
            name: name.into(),
            about: about.into(),
            value,
            interval: None,
            p_value: None,
            effect: None,
            beside: false,
        }
    }

    /// The distance in words, by its effect and p-value, where the effect is known.
    pub fn words(&self) -> Option<&'static str> {
        self.effect.map(|effect| words(effect, self.p_value))
    }
}

/// A difference in words, by its effect and, where a test is made, its p-value: an effect below 0.02 is nearly identical
/// whatever the p-value, for many rows tell the least difference; below 0.1 slightly different; from 0.9 on there is no
/// overlap. With a p-value of 0.05 or above, domains are nearly identical where the effect is below 0.1, and else the rows are
/// too few to tell.
pub(super) fn words(effect: f64, p_value: Option<f64>) -> &'static str {
    let chance = p_value.is_some_and(|p| p >= LEVEL);
    match EFFECTS.iter().filter(|from| effect >= **from).count() {
        0 => "nearly identical",
        1 if chance => "nearly identical",
        _ if chance => "too few rows to tell",
        1 => "slightly different",
        2 => "clearly different",
        _ => "no overlap",
    }
}

/// The total variation distance of two normal distributions of equal deviation, so many deviations apart.
pub(super) fn apart(deviations: f64) -> f64 {
    statrs::function::erf::erf(deviations.max(0.0) / 8f64.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_by_effect_and_p_value() {
        for (effect, p_value, expected) in [
            (0.0, None, "nearly identical"),
            (0.01, Some(1e-9), "nearly identical"),
            (0.05, Some(0.3), "nearly identical"),
            (0.05, Some(0.01), "slightly different"),
            (0.3, Some(0.3), "too few rows to tell"),
            (0.3, Some(0.01), "clearly different"),
            (0.3, None, "clearly different"),
            (0.95, Some(0.01), "no overlap"),
        ] {
            assert_eq!(words(effect, p_value), expected, "{effect}, {p_value:?}");
        }
        assert_eq!(Distance::new("", "", 1.0).words(), None);
        // Normal distributions two deviations apart: 2 Φ(1) - 1.
        assert!((apart(2.0) - 0.682_689_492_137_086).abs() < 1e-9);
    }
}
