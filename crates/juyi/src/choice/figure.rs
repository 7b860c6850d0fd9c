//! By what labelled rows judge: accuracy, balanced accuracy where a class is rare, or R² of numbers.

use statrs::distribution::{Beta, ContinuousCDF};

use super::RARE;
use super::resamples::{Resamples, Score};
use super::validation::{most_frequent, spread};
use crate::data::{Goal, Labels};
use crate::measures::Estimate;

/// Where classes are many, a class is rare below this part of an even share.
const PART: f64 = 0.5;

/// The most labelled rows for which intervals are exact rather than resampled.
const FEW: usize = 50;

/// The figure of merit on some labelled rows.
pub(super) struct Figure<'a> {
    labels: &'a Labels,
    /// What a row counts for.
    weights: Vec<f64>,
    /// Of the labels that are numbers.
    variance: f64,
    /// Whether classes count alike.
    pub(super) balanced: bool,
    /// What always saying the same scores.
    pub(super) chance: f64,
}

impl<'a> Figure<'a> {
    /// The one that suits the labels of the source and those that are judged by.
    pub(super) fn of(labels: &'a Labels, source: &Labels, goal: &Goal) -> Self {
        let even = vec![1.0; labels.len()];
        let (Labels::Classes(of), Labels::Classes(source)) = (labels, source) else {
            let variance = if let Labels::Values(of) = labels { spread(of) } else { 1.0 };
            return Self { labels, weights: even, variance, balanced: false, chance: 0.0 };
        };
        let shares = |of: &[usize]| {
            let mut shares = vec![0.0; goal.classes()];
            for &class in of {
                shares[class] += 1.0 / of.len() as f64;
            }
            shares
        };
        let (own, source) = (shares(of), shares(source));
        let rare = RARE.min(PART / goal.classes() as f64);
        let balanced = own.iter().chain(&source).any(|share| *share > 0.0 && *share < rare);
        let present = own.iter().filter(|share| **share > 0.0).count() as f64;
        let weights =
            if balanced { of.iter().map(|&class| 1.0 / (present * own[class])).collect() } else { even };
        let chance = if balanced { 1.0 / present } else { most_frequent(of.iter().copied(), goal.classes()) };
        Self { labels, weights, variance: 1.0, balanced, chance }
    }

    /// What each row scores by these answers; 0 for what is no answer.
    pub(super) fn rows(&self, said: &[f64]) -> Vec<f64> {
        let one = |(i, said): (usize, &f64)| match self.labels {
            Labels::Classes(of) => f64::from(u8::from(*said == of[i] as f64)),
            Labels::Values(of) if said.is_finite() => 1.0 - (of[i] - said).powi(2) / self.variance,
            Labels::Values(_) => 0.0,
        };
        said.iter().enumerate().map(one).collect()
    }

    /// The mean over some rows of what they score.
    pub(super) fn mean(&self, rows: &[f64], among: impl Iterator<Item = usize>) -> f64 {
        let (sum, all) =
            among.fold((0.0, 0.0), |(sum, all), i| (sum + self.weights[i] * rows[i], all + self.weights[i]));
        if all > 0.0 { sum / all } else { 0.0 }
    }

    /// The mean of what rows score, resampled.
    pub(super) fn score(&self, rows: &[f64], resamples: &Resamples) -> Score {
        resamples.mean(|i| Some((self.weights[i] * rows[i], self.weights[i])))
    }

    /// What rows score in the mean, with the interval of 95 %.
    pub(super) fn within(&self, rows: &[f64], resamples: &Resamples) -> Estimate {
        let score = self.score(rows, resamples);
        if !self.exact(rows.len()) {
            let (low, high) = (score.quantile(0.025), score.quantile(0.975));
            return Estimate { value: score.value, low, high };
        }
        let hits: f64 = rows.iter().sum();
        let (low, high) = share_within(hits, rows.len() as f64 - hits, 0.05);
        Estimate { value: score.value, low, high }
    }

    /// Whether intervals are exact.
    fn exact(&self, rows: usize) -> bool {
        rows <= FEW && !self.balanced && matches!(self.labels, Labels::Classes(_))
    }

    /// The exact interval of what `rows` gain over `base`, one of `count` gains: given on how many rows they differ, that of
    /// the share on which the first is right, as the exact test of paired shares has it. `None` where there is none, or rows are many.
    pub(super) fn exact_gain(&self, rows: &[f64], base: &[f64], count: usize) -> Option<Estimate> {
        if !self.exact(rows.len()) {
            return None;
        }
        let n = rows.len() as f64;
        let over = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).max(0.0)).sum::<f64>();
        let (ahead, behind) = (over(rows, base), over(base, rows));
        let differ = ahead + behind;
        let value = (ahead - behind) / n;
        if differ == 0.0 {
            return Some(Estimate::around(value, 0.0, rows.len()));
        }
        let (low, high) = share_within(ahead, behind, 0.05 / count as f64);
        Some(Estimate { value, low: differ / n * (2.0 * low - 1.0), high: differ / n * (2.0 * high - 1.0) })
    }
}

/// The interval of a share that was seen in `hits` cases and not in `misses`, missed with probability `level` (Clopper and
/// Pearson).
fn share_within(hits: f64, misses: f64, level: f64) -> (f64, f64) {
    let quantile = |a: f64, b: f64, at: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(at));
    let low = if hits > 0.0 { quantile(hits, misses + 1.0, level / 2.0) } else { 0.0 };
    let high = if misses > 0.0 { quantile(hits + 1.0, misses, 1.0 - level / 2.0) } else { 1.0 };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_textbook_interval() {
        let (low, high) = share_within(9.0, 1.0, 0.05);
        assert!((low - 0.554_984).abs() < 1e-5 && (high - 0.997_471).abs() < 1e-5, "{low} {high}");
        assert_eq!(share_within(0.0, 3.0, 0.05).0, 0.0);
        assert_eq!(share_within(3.0, 0.0, 0.05).1, 1.0);
    }

    #[test]
    fn a_gain_on_few_rows_is_as_sure_as_mcnemar_has_it() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let labels = Labels::Classes((0..20).map(|i| i % 2).collect());
        let figure = Figure::of(&labels, &labels, &goal);
        let (all, none) = (vec![1.0; 20], vec![0.0; 20]);
        let some = |count: usize| (0..20).map(|i| f64::from(u8::from(i >= count))).collect::<Vec<f64>>();
        // Five discordant rows of five are p = 1/16; six of six are p = 1/32.
        assert!(figure.exact_gain(&all, &some(5), 1).unwrap().low < 0.0);
        let gain = figure.exact_gain(&all, &some(6), 1).unwrap();
        assert!(gain.low > 0.0 && gain.value == 0.3, "{gain:?}");
        assert!(figure.exact_gain(&all, &some(6), 3).unwrap().low < 0.0);
        let same = figure.exact_gain(&none, &none, 1).unwrap();
        assert_eq!((same.low, same.high), (-0.15, 0.15));
    }

    #[test]
    fn classes_count_alike_where_one_is_rare() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let labels = Labels::Classes((0..40).map(|i| usize::from(i < 2)).collect());
        let figure = Figure::of(&labels, &labels, &goal);
        let never = figure.rows(&[0.0; 40]);
        assert!(figure.balanced && figure.chance == 0.5);
        assert!((figure.mean(&never, 0..40) - 0.5).abs() < 1e-12);
        let many = Goal::Classes((0..10).map(|c| c.to_string()).collect());
        let labels = Labels::Classes((0..57).map(|i| i % 10).collect());
        assert!(!Figure::of(&labels, &labels, &many).balanced, "ten even classes are not rare");
    }
}
