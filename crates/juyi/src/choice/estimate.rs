//! What a vote is worth, in terms of accuracy or R².
//!
//! Of classes two things tell whether transfer can help. *The lead*: on each row that the vote and the plain learners differ
//! on, the share of the votes that the vote's answer has more than the plain one, averaged over all rows. *The drop*: how much
//! less sure of the target rows the plain learners are than of source rows that they did not see; where they are as sure, nothing
//! moved that they notice. Votes are not independent of each other, so that neither is the gain itself: the constants of
//! `calibration.json` turn them into it, others for each reading of the columns, as other voters vote. They are least squares over
//! tasks whose answer is known, the intervals the residuals of families that were left out: `calibration` makes them,
//! `juyi bench choice --calibrate` writes them anew.

use super::ballot::Ballot;
use super::calibration::{Line, calibration};
use super::signs::Signs;
use super::units::Reading;
use crate::data::Labels;
use crate::linalg::spread;
use crate::measures::Estimate;

/// How one set of answers stands to another, as a ballot has it.
pub(super) struct Standing {
    /// The mean lead in votes; of numbers the squared difference over the labels' variance.
    pub(super) lead: f64,
    /// The share of rows that they differ on; 1 of numbers.
    pub(super) differ: f64,
    /// How much less sure of the target the plain learners are.
    pub(super) drop: f64,
    /// The mean share of the votes for the answers; 0 of numbers.
    certainty: f64,
}

impl Standing {
    /// How `answers` stand to those of `base`.
    pub(super) fn of(ballot: &Ballot, answers: &[f64], base: &[f64], drop: f64, labels: &Labels) -> Self {
        let n = answers.len() as f64;
        match labels {
            Labels::Classes(_) => {
                let (for_it, against) = (ballot.support(answers), ballot.support(base));
                let lead = for_it.iter().zip(&against).map(|(a, b)| a - b).sum::<f64>() / n;
                let differ = answers.iter().zip(base).filter(|(a, b)| a != b).count() as f64 / n;
                Self { lead, differ, drop, certainty: mean(&for_it) }
            }
            Labels::Values(of) => {
                let off = |x: &[f64]| {
                    x.iter().zip(&ballot.answers).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n / spread(of)
                };
                Self { lead: off(base) - off(answers), differ: 1.0, drop, certainty: 0.0 }
            }
        }
    }

    /// The estimated gain in accuracy: where the answers differ on a share `d` of the rows it lies between `-d` and `d`.
    fn gain_of_classes(&self, reading: Reading) -> Estimate {
        let (of, signs) = (&calibration().gain, self.signs(0.0));
        self.scaled(of, of.at(reading, &signs.of_gain()))
    }

    fn scaled(&self, of: &Line, value: f64) -> Estimate {
        let (within, scale) = (|v: f64| v.clamp(-self.differ, self.differ), self.signs(0.0).scale_of_gain());
        Estimate {
            value: within(value),
            low: within(value + of.low * scale),
            high: within(value + of.high * scale),
        }
    }

    /// What estimates are made of, beside what was learnt of the source.
    pub(super) fn signs(&self, learnt: f64) -> Signs {
        Signs { lead: self.lead, differ: self.differ, drop: self.drop, certainty: self.certainty, learnt }
    }

    /// The estimated gain in R².
    fn gain_of_values(&self) -> Estimate {
        let (value, half) = (OF_DISTANCE * self.lead, DISTANCE_EITHER_WAY * self.lead.abs());
        Estimate { value, low: value - half, high: value + half }
    }

    /// The estimated gain, for these labels and this reading of the columns.
    pub(super) fn gain(&self, labels: &Labels, reading: Reading) -> Estimate {
        match labels {
            Labels::Classes(_) => self.gain_of_classes(reading),
            Labels::Values(_) => self.gain_of_values(),
        }
    }

    /// The same of a model of any origin.
    pub(super) fn gain_of_given(&self, labels: &Labels, reading: Reading) -> Estimate {
        match labels {
            Labels::Classes(_) => {
                let of = &calibration().given_gain;
                self.scaled(of, of.at(reading, &self.signs(0.0).of_gain_of_given()))
            }
            Labels::Values(_) => self.gain_of_values(),
        }
    }
}

/// Gain in R² for a squared difference of the labels' variance.
const OF_DISTANCE: f64 = 0.6;
/// How far the gain in R² lies from its estimate, for that difference.
const DISTANCE_EITHER_WAY: f64 = 1.6;

/// The drop in certainty between held-out source rows and target rows, and how many standard errors it is.
pub(super) fn drop(held: &[f64], target: &[f64]) -> (f64, f64) {
    if held.is_empty() || target.is_empty() {
        return (0.0, 0.0);
    }
    let error = |of: &[f64]| {
        let mean = mean(of);
        of.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / of.len() as f64 / of.len() as f64
    };
    let drop = mean(held) - mean(target);
    let error = (error(held) + error(target)).sqrt();
    (drop, if error > 0.0 { drop / error } else { 0.0 })
}

/// The mean of some numbers.
pub(super) fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len() as f64
}

/// The accuracy that the vote is expected to have, and the floor that holds in 19 of 20 tasks.
pub(super) fn expected_of_vote(signs: &Signs, reading: Reading) -> (Estimate, f64) {
    accuracy(&calibration().vote, signs, reading)
}

/// The accuracy that the plain learners are expected to have, and the floor that holds in 19 of 20 tasks.
pub(super) fn expected_of_plain(signs: &Signs, reading: Reading) -> (Estimate, f64) {
    accuracy(&calibration().plain, signs, reading)
}

/// The accuracy that answers of any origin are expected to have, and the floor that holds in 19 of 20 tasks.
pub(super) fn expected_of_given(signs: &Signs, reading: Reading) -> (Estimate, f64) {
    accuracy(&calibration().given, signs, reading)
}

fn accuracy(line: &Line, signs: &Signs, reading: Reading) -> (Estimate, f64) {
    let (value, scale) = (line.at(reading, &signs.of_accuracy()), signs.scale_of_accuracy());
    let at = |off: f64| (value + off * scale).clamp(0.0, 1.0);
    (Estimate { value: at(0.0), low: at(line.low), high: at(line.high) }, at(line.floor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Goal;

    #[test]
    fn lead_and_drop_by_hand() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let said = [[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0]];
        let ballot = Ballot::count(said.iter().map(|said| (1.0, &said[..])), &goal);
        assert_eq!(ballot.answers, [0.0, 1.0, 1.0, 1.0]);
        let labels = Labels::Classes(vec![0, 1]);
        // On the second row two votes against one, on the others the same answer.
        let standing = Standing::of(&ballot, &ballot.answers, &[0.0, 0.0, 1.0, 1.0], 0.1, &labels);
        assert!((standing.lead - 1.0 / 12.0).abs() < 1e-12 && standing.differ == 0.25);
        let gain = standing.gain(&labels, Reading::NotIdentifiable);
        let of = &calibration().gain;
        let weights = &of.weights["rescaled"];
        // The vote's answers have all three votes, two, all and two.
        let value = weights[0] + weights[1] / 12.0 + weights[2] * 0.1 + weights[3] * 10.0 / 12.0;
        let within = |v: f64| v.clamp(-0.25, 0.25);
        assert!((gain.value - within(value)).abs() < 1e-12);
        assert!((gain.high - within(value + 0.35 * of.high)).abs() < 1e-12);
        assert!((gain.low - within(value + 0.35 * of.low)).abs() < 1e-12);
        let (fall, errors) = drop(&[0.9, 0.7], &[0.5, 0.3]);
        assert!((fall - 0.4).abs() < 1e-12 && (errors - 0.4 / (0.01f64).sqrt()).abs() < 1e-9);
    }
}
