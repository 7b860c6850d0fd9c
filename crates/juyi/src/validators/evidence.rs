//! What a validator is shown of a candidate.

use faer::MatRef;

use crate::data::{Goal, Labels};
use crate::error::{Error, Result};
use crate::learners::Learner;
use crate::linalg::{Matrix, spread};

/// What is known of one candidate without a label of the target.
pub struct Evidence<'a> {
    /// Classes or numbers.
    pub goal: &'a Goal,
    /// Its answers for the `m` target rows: classes as positions, or numbers.
    pub answers: &'a [f64],
    /// `(m, classes)`, rows add up to 1; `(m, 0)` of numbers.
    pub probabilities: MatRef<'a, f64>,
    /// Of each target row the share of the votes of all candidates for its answer, 0 to 1; of numbers 1 less the squared
    /// distance to the median of all over the variance of the source's labels.
    pub support: &'a [f64],
    /// Labels of the `n` source rows.
    pub source: &'a Labels,
    /// What only some validators ask for.
    pub more: More<'a>,
}

/// What only some validators ask for: each is there where the validator's row [needs](Need) it.
#[derive(Clone, Copy, Default)]
pub struct More<'a> {
    /// The mean of all candidates' probabilities `(m, classes)`.
    pub mean: Option<MatRef<'a, f64>>,
    /// The rows of both domains, and what the candidate does with such rows.
    pub rows: Option<&'a Rows<'a>>,
    /// What it says of source rows that it was fitted without.
    pub held_out: Option<&'a HeldOut>,
    /// Of each source row the density of target rows there over that of source rows, mean 1.
    pub ratios: Option<&'a [f64]>,
}

/// What a validator asks for beside the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// [`More::mean`].
    Mean,
    /// [`More::rows`].
    Rows,
    /// [`More::held_out`], for which each candidate is fitted once more.
    HeldOut,
    /// [`More::ratios`].
    Ratios,
}

impl Need {
    /// What it is in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Mean => "the probabilities of all candidates",
            Self::Rows => "the rows of both domains",
            Self::HeldOut => {
                "source rows that it was fitted without, for which each candidate is fitted once more"
            }
            Self::Ratios => "the ratio of the densities of both domains",
        }
    }
}

/// Answers for some rows: classes as positions, or numbers.
pub type Answer<'a> = dyn Fn(MatRef<'_, f64>) -> Vec<f64> + Sync + 'a;

/// Some rows brought to another space.
pub type Mapped<'a> = dyn Fn(MatRef<'_, f64>) -> Matrix + Sync + 'a;

/// Rows of both domains as the candidate's preprocessing leaves them, and what it does with rows of the target.
pub struct Rows<'a> {
    /// `(n, d)`.
    pub source: &'a Matrix,
    /// `(m, d)`.
    pub target: &'a Matrix,
    /// What it answers.
    pub answer: &'a Answer<'a>,
    /// The rows as they come to its predictor.
    pub map: &'a Mapped<'a>,
    /// The learner that it trains, or would where it trains none.
    pub learner: &'a dyn Learner,
}

/// What a candidate says of source rows that it was fitted without, taken for rows of the target.
pub struct HeldOut {
    /// Their numbers among the source rows, rising.
    pub rows: Vec<usize>,
    /// The answer for each of them: classes as positions, or numbers.
    pub answers: Vec<f64>,
    /// All source rows as they come to the predictor of that fit `(n, k)`.
    pub source: Matrix,
    /// The target rows as they come to it `(m, k)`.
    pub target: Matrix,
}

impl HeldOut {
    /// The [losses] of the answers.
    pub(super) fn losses(&self, labels: &Labels) -> Vec<f64> {
        losses(self.rows.iter().copied().zip(self.answers.iter().copied()), labels)
    }
}

/// The loss of each answer for a row with one of the `labels`: of classes 1 where it is wrong, of numbers the squared error
/// over the variance of all labels; 1 where there is no answer.
pub(super) fn losses(said: impl Iterator<Item = (usize, f64)>, labels: &Labels) -> Vec<f64> {
    match labels {
        Labels::Classes(of) => {
            said.map(|(row, answer)| f64::from(u8::from(answer != of[row] as f64))).collect()
        }
        Labels::Values(of) => {
            let variance = spread(of);
            let loss = |(row, answer): (usize, f64)| (answer - of[row]).powi(2) / variance;
            said.map(loss).map(|loss| if loss.is_finite() { loss } else { 1.0 }).collect()
        }
    }
}

/// The mean of some numbers.
pub(super) fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len() as f64
}

impl<'a> Evidence<'a> {
    /// The mean of all candidates' probabilities, for the validator of this name.
    ///
    /// # Errors
    /// [`Error::Input`] where it is not given.
    pub(super) fn mean(&self, validator: &str) -> Result<MatRef<'a, f64>> {
        self.more.mean.ok_or_else(|| missing(validator, Need::Mean))
    }

    /// The rows of both domains, for the validator of this name.
    ///
    /// # Errors
    /// [`Error::Input`] where they are not given.
    pub(super) fn rows(&self, validator: &str) -> Result<&'a Rows<'a>> {
        self.more.rows.ok_or_else(|| missing(validator, Need::Rows))
    }

    /// The held-out source rows, for the validator of this name.
    ///
    /// # Errors
    /// [`Error::Input`] where they are not given.
    pub(super) fn held_out(&self, validator: &str) -> Result<&'a HeldOut> {
        self.more.held_out.ok_or_else(|| missing(validator, Need::HeldOut))
    }

    /// The ratio of the densities at each source row, for the validator of this name.
    ///
    /// # Errors
    /// [`Error::Input`] where it is not given.
    pub(super) fn ratios(&self, validator: &str) -> Result<&'a [f64]> {
        self.more.ratios.ok_or_else(|| missing(validator, Need::Ratios))
    }
}

/// An error about evidence that is not given.
fn missing(validator: &str, need: Need) -> Error {
    let hint = "give what its row needs with the candidate's answers";
    Error::input(format!("`{validator}`"), format!("must be shown {}", need.words()), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_by_hand() {
        let of = |answers: [f64; 3]| HeldOut {
            rows: vec![0, 1, 3],
            answers: answers.to_vec(),
            source: Matrix::zeros(4, 0),
            target: Matrix::zeros(1, 0),
        };
        let classes = Labels::Classes(vec![0, 1, 0, 1]);
        assert_eq!(of([0.0, 1.0, 0.0]).losses(&classes), [0.0, 0.0, 1.0]);
        assert_eq!(of([f64::NAN, 0.0, 1.0]).losses(&classes), [1.0, 1.0, 0.0]);
        // Of 1, 3, 5 and 7 the variance is 5.
        let values = Labels::Values(vec![1.0, 3.0, 5.0, 7.0]);
        assert_eq!(of([1.0, 8.0, f64::NAN]).losses(&values), [0.0, 5.0, 1.0]);
    }
}
