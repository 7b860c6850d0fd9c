//! What the estimates are made of.

use serde::{Deserialize, Serialize};

/// What was seen of the votes and of the source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// The mean lead of the vote's answers over the plain learners', in shares of the votes.
    pub lead: f64,
    /// How much less sure of the target the plain learners are than of source rows that they did not see.
    pub drop: f64,
    /// How sure the vote is of the target: the mean share of its votes.
    pub certainty: f64,
    /// How sure the plain learners are of it.
    pub plain_certainty: f64,
    /// The accuracy of the plain learners on source rows that they did not see.
    pub learnt: f64,
}

impl Signs {
    /// Of the gain: no constant, as no lead is no gain.
    pub(super) fn of_gain(&self) -> [f64; 2] {
        [self.lead, self.drop]
    }

    /// Of the accuracy of the vote.
    pub(super) fn of_vote(&self) -> [f64; 3] {
        [1.0, self.certainty, self.learnt]
    }

    /// Of the accuracy of the plain learners.
    pub(super) fn of_plain(&self) -> [f64; 4] {
        [1.0, self.plain_certainty, self.learnt, self.drop]
    }
}
