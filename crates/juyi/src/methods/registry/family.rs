//! The families of methods.

use std::fmt;

/// The families of methods, each with a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Takes nothing from the other domain.
    Baseline,
    /// Weighs source rows.
    Weighting,
    /// Weighs rows round by round.
    Boosting,
    /// Goes on from a source model.
    Prior,
    /// Maps the rows of both domains into one space.
    Mapping,
    /// Carries source rows to the target by a transport plan.
    Transport,
    /// Predicts the target rows by itself, with what it carries over.
    Predictor(Carried),
}

impl Family {
    /// The name, which is that of the folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Weighting => "weighting",
            Self::Boosting => "boosting",
            Self::Prior => "prior",
            Self::Mapping => "mapping",
            Self::Transport => "transport",
            Self::Predictor(_) => "predictor",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a method carries over from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// Nothing.
    Nothing,
    /// Rows.
    Instances,
    /// A space for the rows.
    Features,
    /// What a model has learnt.
    Parameters,
    /// Which rows go together.
    Relations,
}
