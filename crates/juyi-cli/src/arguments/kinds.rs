//! Words of which one may be typed, and times.

use std::time::Duration;

use clap::ValueEnum;

/// A number of seconds, 0 or above.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.trim().parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    Duration::try_from_secs_f64(number).map_err(|_| format!("`{text}` is no time: give seconds, 0 or above"))
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Assume {
    SameUnits,
    Rescaled,
    Mixed,
}

impl Assume {
    /// Its name in the library.
    pub(crate) fn of_library(self) -> juyi::choice::Reading {
        match self {
            Self::SameUnits => juyi::choice::Reading::SameUnits,
            Self::Rescaled => juyi::choice::Reading::Rescaled,
            Self::Mixed => juyi::choice::Reading::Mixed,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Vote {
    Skill,
    ImportanceWeightedAggregation,
}

impl Vote {
    /// Its name in the library.
    pub(crate) fn of_library(self) -> juyi::choice::Weighing {
        match self {
            Self::Skill => juyi::choice::Weighing::Skill,
            Self::ImportanceWeightedAggregation => juyi::choice::Weighing::ImportanceWeighted,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Figure {
    Accuracy,
    Balanced,
    F1,
    Auc,
    Rmse,
    Mae,
}

impl Figure {
    /// Its name in the library.
    pub(crate) fn of_library(self) -> juyi::measures::Figure {
        match self {
            Self::Accuracy => juyi::measures::Figure::Accuracy,
            Self::Balanced => juyi::measures::Figure::Balanced,
            Self::F1 => juyi::measures::Figure::F1,
            Self::Auc => juyi::measures::Figure::Auc,
            Self::Rmse => juyi::measures::Figure::Rmse,
            Self::Mae => juyi::measures::Figure::Mae,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum TargetLabels {
    Score,
    Use,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Predictions {
    Csv,
    Parquet,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Missing {
    Error,
    Mean,
    Drop,
}

impl Missing {
    /// Its name in the library.
    pub(crate) fn of_library(self) -> juyi::data::Missing {
        match self {
            Self::Error => juyi::data::Missing::Error,
            Self::Mean => juyi::data::Missing::Mean,
            Self::Drop => juyi::data::Missing::Drop,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Task {
    Classification,
    Regression,
}

impl Task {
    /// Its name in the library.
    pub(crate) fn of_library(self) -> juyi::transfer::TaskKind {
        match self {
            Self::Classification => juyi::transfer::TaskKind::Classification,
            Self::Regression => juyi::transfer::TaskKind::Regression,
        }
    }
}
