//! Resamples of the bootstrap, in which copies are drawn together.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::linalg::{Matrix, multiply};
use crate::measures::Estimate;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 1000;

/// How often each row is drawn in each resample.
pub struct Resamples {
    /// `(RESAMPLES, n)`.
    draws: Matrix,
}

/// A mean score, and what it is in each resample.
#[derive(Clone, Debug)]
pub struct Score {
    /// Over all rows.
    pub value: f64,
    /// In each resample.
    pub resampled: Vec<f64>,
}

impl Resamples {
    /// Draws of as many groups as there are; rows that share a leader are one group.
    pub fn new(leaders: &[usize], rng: &mut ChaCha8Rng) -> Self {
        let n = leaders.len();
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); n];
        leaders.iter().enumerate().for_each(|(i, leader)| groups[*leader].push(i));
        groups.retain(|group| !group.is_empty());
        let mut draws = Matrix::zeros(RESAMPLES, n);
        for b in 0..RESAMPLES {
            for _ in 0..groups.len() {
                for &row in &groups[rng.random_range(0..groups.len())] {
                    draws[(b, row)] += 1.0;
                }
            }
        }
        Self { draws }
    }

    /// Bytes that those of so many rows take.
    pub fn bytes(rows: usize) -> u64 {
        8 * (RESAMPLES * rows) as u64
    }

    /// The mean of what rows score; `of` gives a row's sum of scores and how many these are, `None` for none.
    pub fn mean(&self, of: impl Fn(usize) -> Option<(f64, f64)>) -> Score {
        let mut sums = Matrix::zeros(self.draws.ncols(), 2);
        for i in 0..sums.nrows() {
            (sums[(i, 0)], sums[(i, 1)]) = of(i).unwrap_or((0.0, 0.0));
        }
        let total = |j: usize| sums.col(j).iter().sum::<f64>();
        let value = total(0) / total(1);
        let resampled = multiply(self.draws.as_ref(), sums.as_ref());
        let share = |b: usize| {
            if resampled[(b, 1)] > 0.0 { resampled[(b, 0)] / resampled[(b, 1)] } else { value }
        };
        Score { value, resampled: (0..RESAMPLES).map(share).collect() }
    }

    /// Something of each resample, of how often each row is drawn in it; `value` where it cannot be told there.
    pub(super) fn each(&self, value: f64, of: impl Fn(&dyn Fn(usize) -> f64) -> Option<f64> + Sync) -> Score {
        let one = |b: usize| of(&|row| self.draws[(b, row)]).unwrap_or(value);
        Score { value, resampled: (0..RESAMPLES).into_par_iter().map(one).collect() }
    }
}

impl Score {
    /// The score with the interval of 95 %.
    pub(super) fn within(&self) -> Estimate {
        Estimate { value: self.value, low: self.quantile(0.025), high: self.quantile(0.975) }
    }

    /// A quantile over the resamples.
    pub fn quantile(&self, share: f64) -> f64 {
        quantile(&self.resampled, share)
    }
}

/// A quantile of some numbers, of which there is one at least.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;

    #[test]
    fn copies_are_drawn_together_and_means_are_those_of_the_rows_drawn() {
        let leaders: Vec<usize> = (0..12).map(|i| i % 6).collect();
        let resamples = Resamples::new(&leaders, &mut Context::default().rng("resamples"));
        let draws = &resamples.draws;
        assert!((0..RESAMPLES).all(|b| (0..6).all(|i| draws[(b, i)] == draws[(b, i + 6)])));
        let score = resamples.mean(|i| (i < 6).then_some((i as f64, 1.0)));
        assert_eq!(score.value, 2.5);
        let by_hand: f64 = (0..6).map(|i| draws[(7, i)] * i as f64).sum::<f64>() / 6.0;
        assert!((score.resampled[7] - by_hand).abs() < 1e-12);
        assert!(score.quantile(0.025) < 2.5 && score.quantile(0.975) > 2.5);
    }
}
