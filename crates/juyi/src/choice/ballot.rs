//! The vote: of classes the one with the largest share of all weight, of numbers the median.

use crate::data::{Goal, Labels};
use crate::linalg::{Matrix, spread};
use crate::models::{first_largest, weighted_median};

/// Answers of several voters for the same rows, counted.
pub(super) struct Ballot {
    /// Number of classes; 0 for numbers.
    classes: usize,
    /// For each voter its weight and its answers.
    voters: Vec<(f64, Vec<f64>)>,
    /// The sum of the weights.
    total: f64,
    /// What the vote says of each row.
    pub(super) answers: Vec<f64>,
}

impl Ballot {
    /// Counts the votes, at least one.
    pub(super) fn count<'a>(voters: impl Iterator<Item = (f64, &'a [f64])>, goal: &Goal) -> Self {
        let voters: Vec<(f64, Vec<f64>)> = voters.map(|(weight, said)| (weight, said.to_vec())).collect();
        let total = voters.iter().map(|(weight, _)| weight).sum();
        let rows = voters.first().map_or(0, |(_, said)| said.len());
        let mut ballot = Self { classes: goal.classes(), voters, total, answers: Vec::new() };
        ballot.answers = (0..rows).map(|row| ballot.winner(row)).collect();
        ballot
    }

    fn winner(&self, row: usize) -> f64 {
        if self.classes > 0 {
            return first_largest(&self.shares(row)) as f64;
        }
        let mut heard: Vec<(f64, f64)> =
            self.voters.iter().map(|(weight, said)| (said[row], *weight)).collect();
        weighted_median(&mut heard)
    }

    /// Each class's share of the votes on a row.
    pub(super) fn shares(&self, row: usize) -> Vec<f64> {
        let mut shares = vec![0.0; self.classes];
        for (weight, said) in &self.voters {
            shares[said[row] as usize] += weight / self.total;
        }
        shares
    }

    /// The same of all rows.
    pub(super) fn all_shares(&self) -> Matrix {
        let rows: Vec<Vec<f64>> = (0..self.answers.len()).map(|row| self.shares(row)).collect();
        Matrix::from_fn(rows.len(), self.classes, |row, class| rows[row][class])
    }

    /// The share of the votes for what the vote says, of each row; of numbers there is none.
    pub(super) fn certainty(&self) -> Vec<f64> {
        self.support(&self.answers)
    }

    /// The same of classes; of numbers 1 less the squared distance to the vote over the variance of the labels.
    pub(super) fn support_of(&self, answers: &[f64], labels: &Labels) -> Vec<f64> {
        match labels {
            Labels::Classes(_) => self.support(answers),
            Labels::Values(of) => {
                let variance = spread(of);
                let one = |(answer, vote): (&f64, &f64)| 1.0 - (answer - vote).powi(2) / variance;
                answers.iter().zip(&self.answers).map(one).collect()
            }
        }
    }

    /// Of each row the share of the votes for the class that `answers` has there.
    pub(super) fn support(&self, answers: &[f64]) -> Vec<f64> {
        answers.iter().enumerate().map(|(row, class)| self.shares(row)[*class as usize]).collect()
    }
}
