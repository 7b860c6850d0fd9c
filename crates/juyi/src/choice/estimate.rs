//! What a vote is worth, in terms of accuracy or R².
//!
//! Of classes: on each row that two answers differ on, the share of the votes that the first has more than the second, averaged
//! over all rows. Votes are not independent, so that this is not the gain itself: constants turn one into the other, made from
//! tasks whose answer is known (`juyi bench choice --calibrate`).

use super::ballot::Ballot;
use super::validation::spread;
use crate::data::Labels;
use crate::measures::Estimate;

/// The least estimated gain that is trusted.
pub(super) const LEAST: f64 = 0.02;

/// How one set of answers stands to another, as a ballot has it.
pub(super) struct Standing {
    /// The mean lead in votes; of numbers the squared difference over the labels' variance.
    pub(super) lead: f64,
    /// The share of rows that they differ on; 1 of numbers.
    pub(super) differ: f64,
    rows: usize,
}

impl Standing {
    /// How `answers` stand to those of `base`.
    pub(super) fn of(ballot: &Ballot, answers: &[f64], base: &[f64], labels: &Labels) -> Self {
        let rows = answers.len();
        let n = rows as f64;
        match labels {
            Labels::Classes(_) => {
                let (for_it, against) = (ballot.support(answers), ballot.support(base));
                let lead = for_it.iter().zip(&against).map(|(a, b)| a - b).sum::<f64>() / n;
                let differ = answers.iter().zip(base).filter(|(a, b)| a != b).count() as f64 / n;
                Self { lead, differ, rows }
            }
            Labels::Values(of) => {
                let off = |x: &[f64]| {
                    x.iter().zip(&ballot.answers).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n / spread(of)
                };
                Self { lead: off(base) - off(answers), differ: 1.0, rows }
            }
        }
    }

    /// The estimated gain: where the answers differ on a share `d` of the rows it lies between `-d` and `d`.
    pub(super) fn gain(&self) -> Estimate {
        let value = self.lead;
        let half = 0.5 * self.differ + 1.96 * (self.differ / self.rows as f64).sqrt();
        Estimate { value, low: (value - half).max(-self.differ), high: (value + half).min(self.differ) }
    }
}

/// The share of a ballot's votes that answers have, as an estimated accuracy.
pub(super) fn supported(ballot: &Ballot, answers: &[f64], labels: &Labels) -> Estimate {
    match labels {
        Labels::Classes(_) => {
            let support = ballot.support(answers);
            let value = support.iter().sum::<f64>() / support.len() as f64;
            Estimate { value, low: (value - 0.1).max(0.0), high: (value + 0.1).min(1.0) }
        }
        Labels::Values(of) => {
            let n = answers.len() as f64;
            let off = answers.iter().zip(&ballot.answers).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n;
            let value = 1.0 - off / spread(of);
            Estimate { value, low: value - 0.3, high: (value + 0.3).min(1.0) }
        }
    }
}

/// The accuracy that the vote itself is expected to have.
pub(super) fn expected(ballot: &Ballot, labels: &Labels) -> Option<Estimate> {
    match labels {
        Labels::Classes(_) => Some(supported(ballot, &ballot.answers, labels)),
        Labels::Values(_) => None,
    }
}
