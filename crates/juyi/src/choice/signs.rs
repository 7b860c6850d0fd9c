//! What the estimates are made of.

use serde::{Deserialize, Serialize};

/// What was seen of the votes and of the source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// The mean lead of the vote's answers over the plain learners', in shares of the votes.
    pub lead: f64,
    /// The share of rows on which the two differ.
    #[serde(default)]
    pub differ: f64,
    /// How much less sure of the target the plain learners are than of source rows that they did not see.
    pub drop: f64,
    /// How sure the vote is of the target: the mean share of its votes.
    pub certainty: f64,
    /// The accuracy of the plain learners on source rows that they did not see.
    pub learnt: f64,
}

impl Signs {
    /// Of the gain.
    pub(super) fn of_gain(&self) -> [f64; 4] {
        [1.0, self.lead, self.drop, self.certainty]
    }

    /// Of the gain of a model of any origin: nothing where it says the same as the plain learners.
    pub(super) fn of_gain_of_given(&self) -> [f64; 2] {
        [self.lead, self.differ]
    }

    /// Of the accuracy, of the vote and of the plain learners.
    pub(super) fn of_accuracy(&self) -> [f64; 4] {
        [1.0, self.certainty, self.learnt, self.differ]
    }

    /// By what accuracy is uncertain: the less sure the plain learners became, and the less sure the vote is. Found on the tasks of
    /// the calibration; many others near it do as well.
    pub(super) fn scale_of_accuracy(&self) -> f64 {
        3.0 * self.drop.max(0.0) + (1.0 - self.certainty) + 0.1
    }

    /// By what the gain is uncertain: the less answers differ, the less can be gained or lost.
    pub(super) fn scale_of_gain(&self) -> f64 {
        self.differ + 0.1
    }
}
