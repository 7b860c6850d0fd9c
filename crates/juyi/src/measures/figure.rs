//! Figures of merit: what answers are judged and compared by.

use serde::{Deserialize, Serialize};

use super::scores::Scores;
use crate::data::Goal;
use crate::error::{Error, Result};
use crate::setting::Setting;

/// A figure of merit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Share of rows that are right.
    Accuracy,
    /// Mean over the classes of the share of their rows that are right.
    Balanced,
    /// Mean over the classes of the harmonic mean of precision and recall.
    F1,
    /// Area under the curve of each class against the rest, by their probabilities; the mean over the classes.
    Auc,
    /// 1 less the squared error over that of the mean.
    R2,
    /// Root of the mean squared error.
    Rmse,
    /// Mean absolute error.
    Mae,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Accuracy, Self::Balanced, Self::F1, Self::Auc, Self::R2, Self::Rmse, Self::Mae];

    /// The one that judges unasked.
    pub fn usual(goal: &Goal) -> Self {
        if *goal == Goal::Value { Self::R2 } else { Self::Accuracy }
    }

    /// What it is asked for by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Balanced => "balanced",
            Self::F1 => "f1",
            Self::Auc => "auc",
            Self::R2 => "r2",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
        }
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Balanced => "balanced accuracy",
            Self::F1 => "macro-F1",
            Self::Auc => "AUC",
            Self::R2 => "R²",
            Self::Rmse => "RMSE",
            Self::Mae => "MAE",
        }
    }

    /// Whether it is one of classes, a share; otherwise it is one of numbers.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Self::Accuracy | Self::Balanced | Self::F1 | Self::Auc)
    }

    /// Whether it is an error in units of the label, so that less is better.
    pub fn is_error(self) -> bool {
        matches!(self, Self::Rmse | Self::Mae)
    }

    /// Refuses one that the labels cannot be judged by.
    ///
    /// # Errors
    /// [`Error::Input`] for a figure of classes where labels are numbers, and the other way round.
    pub fn check(self, goal: &Goal) -> Result<()> {
        let numbers = *goal == Goal::Value;
        if self.is_of_classes() != numbers {
            return Ok(());
        }
        let (of, are) = if numbers { ("classes", "numbers") } else { ("numbers", "classes") };
        let fitting = Self::ALL.into_iter().filter(|own| own.is_of_classes() != numbers && *own != Self::R2);
        let names: Vec<&str> = fitting.map(Self::name).collect();
        let (last, first) = names.split_last().expect("there are several of each kind");
        let hint = format!("take {} or {last}, or leave it out", first.join(", "));
        let problem = format!("is a figure of {of}, and the labels are {are}");
        Err(Error::input(format!("`{}`", Setting::Figure.to(self.name())), problem, hint))
    }

    /// Its value among some scores; absent where it cannot be told.
    pub fn of(self, scores: &Scores) -> Option<f64> {
        let found = match (self, *scores) {
            (Self::Accuracy, Scores::Classification { accuracy, .. }) => accuracy,
            (Self::Balanced, Scores::Classification { balanced_accuracy, .. }) => balanced_accuracy,
            (Self::F1, Scores::Classification { macro_f1, .. }) => macro_f1,
            (Self::Auc, Scores::Classification { auc, .. }) => auc?,
            (Self::R2, Scores::Regression { r2, .. }) => r2,
            (Self::Rmse, Scores::Regression { rmse, .. }) => rmse,
            (Self::Mae, Scores::Regression { mae, .. }) => mae,
            _ => return None,
        };
        found.is_finite().then_some(found)
    }

    /// By how much some scores are better than those of `base`; of an error what is taken off.
    pub fn gain(self, scores: &Scores, base: &Scores) -> Option<f64> {
        let difference = self.of(scores)? - self.of(base)?;
        Some(if self.is_error() { -difference } else { difference })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_gain_by_what_is_taken_off_and_figures_of_another_kind_are_refused() {
        let numbers = |rmse: f64, r2: f64| Scores::Regression { rmse, mae: 1.0, r2 };
        let (better, worse) = (numbers(2.0, 0.5), numbers(3.0, f64::NAN));
        assert_eq!(Figure::Rmse.gain(&better, &worse), Some(1.0));
        assert_eq!(Figure::R2.gain(&better, &worse), None, "it cannot be told of one of them");
        assert_eq!(Figure::F1.gain(&better, &worse), None);
        let classes = Goal::Classes(vec!["a".into(), "b".into()]);
        for figure in Figure::ALL {
            assert_eq!(figure.check(&classes).is_ok(), figure.is_of_classes());
            assert_eq!(figure.check(&Goal::Value).is_err(), figure.is_of_classes());
        }
        let error = Figure::Rmse.check(&classes).unwrap_err();
        assert_eq!(error.to_string(), "`‹figure rmse›`: is a figure of numbers, and the labels are classes");
        assert_eq!(error.hint().unwrap(), "take accuracy, balanced, f1 or auc, or leave it out");
    }
}
