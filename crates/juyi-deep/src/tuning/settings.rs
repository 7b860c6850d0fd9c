//! How a network is trained.

use juyi::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::optimizer::{Decay, Rule};
use super::param;
use super::regularizers::{Kind, Regularization};
use super::strategy::Strategy;
use crate::images::{Augmentation, RandAugment, RandomCrop};

/// All settings of a training; [`Settings::set`] reads one from text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Passes over the pictures, 1 to [`MOST_EPOCHS`].
    pub epochs: usize,
    /// Pictures in a step, 1 to [`MOST_PICTURES`].
    pub batch: usize,
    /// The largest size of a step; above 0. Without it [`RATE`], and with `auto` the best of [`RATES`].
    pub rate: Option<f64>,
    /// How steps follow from derivatives.
    pub rule: Rule,
    /// How the rate falls.
    pub decay: Decay,
    /// Epochs in which the rate rises, fewer than `epochs`.
    pub warmup: usize,
    /// How much kernels and matrices shrink; at least 0.
    pub weight_decay: f64,
    /// The longest gradient; longer ones are scaled down. Above 0.
    pub clip: Option<f64>,
    /// Epochs without a better one after which training ends; 1 to [`MOST_EPOCHS`]. Without it all epochs are
    /// run.
    pub patience: Option<usize>,
    /// The part of a label that is spread over all classes, from 0 up to but not 1.
    pub label_smoothing: f64,
    /// What normalisations go by.
    pub normalization: Normalization,
    /// What is altered in training.
    pub augmentation: Augmentation,
    /// Variants of each picture of which activations are kept, the picture itself among them; 1 to [`MOST_VIEWS`].
    pub views: usize,
    /// Whether the pictures of a batch are blended; only where whole pictures go in.
    pub blend: Blend,
    /// Whether training starts from the head that solves the problem on frozen features; by default where the strategy
    /// says so.
    pub solved_head: Option<bool>,
    /// What is added to the loss.
    pub regularization: Option<Regularization>,
    /// Whether the network that is left behind is trained again on all pictures, after it was judged by some.
    pub refit: bool,
    /// Inverse penalty of a head that is solved; by default chosen by cross-validation.
    pub inverse_penalty: Option<f64>,
    /// What the network is compared with.
    pub baseline: Baseline,
}

/// Most passes over the pictures: far more than any training takes, and all can be counted.
pub const MOST_EPOCHS: usize = 100_000;
/// Most pictures in a step.
pub const MOST_PICTURES: usize = 100_000;
/// Most variants of a picture.
pub const MOST_VIEWS: usize = 1000;

/// The rate where none is asked for.
pub const RATE: f64 = 3e-4;
/// The rates that `auto` tries.
pub const RATES: [f64; 3] = [1e-4, RATE, 1e-3];

/// What a checkpoint is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The better of two solved heads: on the same network, its weights drawn at random and frozen, and on how often
    /// colours occur.
    Frozen,
    /// The best of these and the same network trained from weights drawn at random, in as many epochs: slow.
    Scratch,
}

/// What normalisations go by in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// The running statistics of the checkpoint, which stay; from scratch the batch.
    Kept,
    /// The mean and variance of the batch.
    Batch,
    /// Half of the channels by the batch, the others by running statistics, drawn anew in each step (Z. Kou et al.,
    /// "Stochastic normalization", `NeurIPS` 2020).
    Stochastic,
}

/// How the pictures of a batch are blended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blend {
    /// Not at all.
    None,
    /// See [`crate::images::mixup`], with α = 0.2.
    Mixup,
    /// See [`crate::images::cutmix`], with α = 1.
    Cutmix,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 20,
            batch: 16,
            rate: None,
            rule: Rule::AdamW,
            decay: Decay::Cosine,
            warmup: 0,
            weight_decay: 1e-2,
            clip: Some(10.0),
            patience: None,
            label_smoothing: 0.0,
            normalization: Normalization::Kept,
            augmentation: Augmentation::default(),
            views: 1,
            blend: Blend::None,
            solved_head: None,
            regularization: None,
            refit: true,
            inverse_penalty: None,
            baseline: Baseline::Frozen,
        }
    }
}

/// The names of all settings with what they may be.
pub const SETTINGS: [(&str, &str); 20] = [
    ("batch", "a whole number from 1 to 100000"),
    ("rate", "a finite number above 0"),
    ("rule", "adam-w or sgd"),
    ("decay", "cosine, linear, step or constant"),
    ("warmup", "a whole number of epochs, fewer than all"),
    ("weight-decay", "a finite number of at least 0"),
    ("clip", "a finite number above 0, or none"),
    ("patience", "a whole number from 1 to 100000, or none"),
    ("label-smoothing", "a number from 0 up to but not 1"),
    ("normalization", "kept, batch or stochastic"),
    ("augment", "none, flip, crop (and flip), colour (and both) or rand-augment (and crop and flip)"),
    ("views", "a whole number from 1 to 1000"),
    ("blend", "none, mixup or cutmix"),
    ("head-start", "drawn or solved"),
    ("refit", "yes or no"),
    ("inverse-penalty", "a finite number above 0, or auto"),
    ("baseline", "frozen or scratch"),
    ("delta.stages", "sizes or all"),
    ("delta.pictures", "a whole number from 1 to 100000"),
    ("delta.temperature", "a finite number above 0"),
];

impl Settings {
    /// Sets one by name.
    ///
    /// # Errors
    /// [`Error::Param`] for an unknown name or a value that it may not have.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let Some((_, must)) = SETTINGS.iter().find(|(own, _)| *own == name) else {
            let names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
            return Err(param("‹set›", format!("one of {}", names.join(", ")), name));
        };
        let refuse = || param(name, (*must).into(), value);
        let whole = |most: usize| {
            value.parse::<usize>().ok().filter(|count| (1..=most).contains(count)).ok_or_else(refuse)
        };
        let number = |fits: fn(f64) -> bool| {
            value.parse::<f64>().ok().filter(|v| v.is_finite() && fits(*v)).ok_or_else(refuse)
        };
        let above = |v: f64| v > 0.0;
        if let Some(own) = name.strip_prefix("delta.") {
            let attention = self.regularization.as_mut().and_then(|own| own.attention.as_mut());
            let Some(attention) = attention else {
                let problem = "is for `‹regularize delta›`, which is not asked for";
                return Err(Error::input(format!("`{name}`"), problem, "add it, or leave this out"));
            };
            match own {
                "stages" => attention.stages = named(value).ok_or_else(refuse)?,
                "pictures" => attention.pictures = whole(MOST_PICTURES)?,
                _ => attention.temperature = number(above)?,
            }
            return Ok(());
        }
        match name {
            "batch" => self.batch = whole(MOST_PICTURES)?,
            "rate" => self.rate = Some(number(above)?),
            "warmup" => self.warmup = value.parse().map_err(|_| refuse())?,
            "weight-decay" => self.weight_decay = number(|v| v >= 0.0)?,
            "clip" => self.clip = if value == "none" { None } else { Some(number(above)?) },
            "patience" => self.patience = if value == "none" { None } else { Some(whole(MOST_EPOCHS)?) },
            "label-smoothing" => self.label_smoothing = number(|v| (0.0..1.0).contains(&v))?,
            "views" => self.views = whole(MOST_VIEWS)?,
            "inverse-penalty" => {
                self.inverse_penalty = if value == "auto" { None } else { Some(number(above)?) };
            }
            "rule" => self.rule = named(value).ok_or_else(refuse)?,
            "decay" => self.decay = named(value).ok_or_else(refuse)?,
            "normalization" => self.normalization = named(value).ok_or_else(refuse)?,
            "baseline" => self.baseline = named(value).ok_or_else(refuse)?,
            "blend" => self.blend = named(value).ok_or_else(refuse)?,
            "refit" => {
                self.refit = match value {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(refuse()),
                };
            }
            "head-start" => {
                self.solved_head = Some(match value {
                    "drawn" => false,
                    "solved" => true,
                    _ => return Err(refuse()),
                });
            }
            _ => self.augmentation = augmentation(value).ok_or_else(refuse)?,
        }
        Ok(())
    }

    /// Refuses settings that do not go together.
    ///
    /// # Errors
    /// [`Error::Param`].
    pub fn check(&self) -> Result<()> {
        if !(1..=MOST_EPOCHS).contains(&self.epochs) || self.warmup >= self.epochs {
            let got = format!("{} epochs, {} of warmup", self.epochs, self.warmup);
            let must = format!("at least 1, at most {MOST_EPOCHS}, and more than the warmup");
            return Err(param("‹epochs›", must, &got));
        }
        if self.views > 1 && self.augmentation == Augmentation::default() {
            return Err(param(
                "views",
                "1 unless something is altered (`augment`)".into(),
                &self.views.to_string(),
            ));
        }
        Ok(())
    }

    /// The largest size of a step.
    pub fn rate(&self) -> f64 {
        self.rate.unwrap_or(RATE)
    }

    /// The rates that `auto` tries: the one that is asked for, or several.
    pub(super) fn rates(&self) -> &[f64] {
        self.rate.as_ref().map_or(&RATES[..], std::slice::from_ref)
    }

    /// Whether normalisations go by the batch.
    pub(super) fn by_batch(&self, strategy: Strategy) -> bool {
        self.normalization != Normalization::Kept || strategy == Strategy::Scratch
    }

    /// The part of the channels whose normalisations go by running statistics even so.
    pub(super) fn running(&self) -> f64 {
        if self.normalization == Normalization::Stochastic { 0.5 } else { 0.0 }
    }

    /// Whether a strategy starts from the solved head, which has to be `linear`: where that is asked for, and where the
    /// paper trains the new head first.
    pub(super) fn starts_solved(&self, strategy: Strategy, linear: bool) -> bool {
        let lwf = self.regularization.is_some_and(|own| own.kind == Kind::Lwf);
        let first = strategy == Strategy::ProbeFirst || lwf && linear && strategy != Strategy::Scratch;
        self.solved_head.unwrap_or(first)
    }
}

/// A value by the name that it has in a record.
fn named<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(text)).ok()
}

fn augmentation(name: &str) -> Option<Augmentation> {
    let none = Augmentation::default();
    let crop = Some(RandomCrop { scale: [0.4, 1.0], ..RandomCrop::default() });
    let flip = Augmentation { flip: 0.5, ..none.clone() };
    Some(match name {
        "none" => none,
        "flip" => flip,
        "crop" => Augmentation { crop, ..flip },
        "colour" => Augmentation { crop, brightness: 0.3, contrast: 0.3, saturation: 0.3, ..flip },
        "rand-augment" => Augmentation { crop, rand_augment: Some(RandAugment::default()), ..flip },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_out_of_range_ones_named() {
        let mut own = Settings::default();
        for (name, value) in [("rate", "0.01"), ("decay", "step"), ("augment", "crop"), ("clip", "none")] {
            own.set(name, value).unwrap();
        }
        assert_eq!((own.rate, own.decay, own.clip), (Some(0.01), Decay::Step, None));
        assert!(own.augmentation.crop.is_some() && own.augmentation.flip == 0.5);
        for (name, value) in [
            ("rate", "0"),
            ("rate", "1e999"),
            ("batch", "x"),
            ("batch", "9007199254740992"),
            ("views", "1001"),
            ("decay", "Step"),
            ("views", "0"),
            ("speed", "1"),
            ("batch", "100001"),
            ("patience", "18446744073709551615"),
        ] {
            assert!(own.set(name, value).is_err(), "{name}={value}");
        }
        let said = own.set("label-smoothing", "1").unwrap_err().to_string();
        assert!(said.contains("from 0 up to but not 1"), "{said}");
        let said = own.set("delta.pictures", "4").unwrap_err().to_string();
        assert!(said.contains("is for `‹regularize delta›`"), "{said}");
        own.regularization = Some("delta:0.5".parse().unwrap());
        for (name, value, fits) in [
            ("delta.pictures", "4", true),
            ("delta.stages", "all", true),
            ("delta.temperature", "0", false),
            ("delta.stages", "some", false),
        ] {
            assert_eq!(own.set(name, value).is_ok(), fits, "{name}={value}");
        }
        let read: Settings = serde_json::from_str(&serde_json::to_string(&own).unwrap()).unwrap();
        assert_eq!(read, own);
        assert!(serde_json::to_string(&own).unwrap().contains(r#""delta.stages":"all","delta.pictures":4"#));
        own.set("warmup", "20").unwrap();
        assert!(own.check().is_err());
        assert!(Settings { epochs: usize::MAX, ..Settings::default() }.check().is_err());
        assert!(Settings { views: 2, ..Settings::default() }.check().is_err());
        for (epochs, fits) in [(0, false), (1, true), (MOST_EPOCHS, true), (MOST_EPOCHS + 1, false)] {
            assert_eq!(Settings { epochs, ..Settings::default() }.check().is_ok(), fits, "{epochs}");
        }
    }
}
