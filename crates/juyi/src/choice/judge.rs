//! The judge: whether the best of what was tried is better than a baseline under every assumption that holds, with
//! intervals that allow for the number of those that were tried. What was tried is the caller's affair: tables, source
//! models and networks are judged alike.

use super::Verdict;
use super::resamples::quantile;
use crate::measures::Estimate;

/// Gains below it are not worth a transfer: one point of accuracy, or 0.01 of R².
pub const WORTHWHILE: f64 = 0.01;

/// By how much one of those that were tried is better than the baseline, under one assumption.
pub struct Gain {
    /// Which of those that were tried.
    pub of: usize,
    /// The assumption.
    pub under: usize,
    /// Over all rows.
    pub value: f64,
    /// In each resample.
    pub resampled: Vec<f64>,
    /// Rows that it was seen in.
    pub rows: usize,
    /// Its exact interval, which allows for the number of gains, where there is one.
    pub exact: Option<Estimate>,
}

/// What the judge finds.
pub struct Judgement {
    /// Whether to transfer.
    pub verdict: Verdict,
    /// The one that was judged: the best, or the one that was asked for.
    pub chosen: usize,
    /// Its gain under the assumption that is worst for it.
    pub gain: Estimate,
    /// Whether it is better than always saying the same.
    pub informed: bool,
    /// Whether any of those that were tried may gain as much as is [worthwhile](WORTHWHILE).
    pub any_worthwhile: bool,
    /// The least gain of each that was tried, with its assumption; in the order of the gains.
    pub gains: Vec<Least>,
}

/// The gain of one of those that were tried under the assumption that is worst for it.
pub struct Least {
    /// Which of those that were tried.
    pub of: usize,
    /// The assumption.
    pub under: usize,
    /// With the interval that allows for all gains together.
    pub gain: Estimate,
}

/// Judges the one with the largest of the least gains, or `asked`; `None` where it has no gain. `informed` says whether one of
/// those that were tried is better than always saying the same under an assumption.
pub fn judge(
    gains: &[Gain],
    asked: Option<usize>,
    informed: impl Fn(usize, usize) -> bool,
) -> Option<Judgement> {
    let errors: Vec<f64> = gains.iter().map(|gain| standard_error(&gain.resampled)).collect();
    let critical = critical(gains, &errors);
    let estimate = |k: usize| {
        let Gain { value, rows, exact, .. } = &gains[k];
        exact.unwrap_or_else(|| Estimate::around(*value, critical * errors[k], *rows))
    };
    let mut least: Vec<usize> = Vec::new(); // the first of the smallest gains of each
    for (k, gain) in gains.iter().enumerate() {
        match least.iter_mut().find(|held| gains[**held].of == gain.of) {
            Some(held) if gain.value < gains[*held].value => *held = k,
            Some(_) => {}
            None => least.push(k),
        }
    }
    let best = |a: &&usize, b: &&usize| gains[**a].value.total_cmp(&gains[**b].value).then(b.cmp(a));
    let chosen = match asked {
        None => *least.iter().max_by(best)?,
        Some(asked) => *least.iter().find(|k| gains[**k].of == asked)?,
    };
    let gain = estimate(chosen);
    let informed = informed(gains[chosen].of, gains[chosen].under);
    let most = least.iter().map(|&k| estimate(k).high).fold(f64::NEG_INFINITY, f64::max);
    let verdict = if gain.low > 0.0 && gain.value >= WORTHWHILE && informed {
        Verdict::Transfer
    } else if gain.value <= 0.0 || most < WORTHWHILE {
        Verdict::DoNotTransfer
    } else {
        Verdict::CannotTell
    };
    let gains_of_all =
        least.iter().map(|&k| Least { of: gains[k].of, under: gains[k].under, gain: estimate(k) }).collect();
    let (chosen, any_worthwhile) = (gains[chosen].of, most >= WORTHWHILE);
    Some(Judgement { verdict, chosen, gain, informed, any_worthwhile, gains: gains_of_all })
}

/// Standard error of what resamples came to.
pub(super) fn standard_error(resampled: &[f64]) -> f64 {
    let n = resampled.len() as f64;
    let mean = resampled.iter().sum::<f64>() / n;
    (resampled.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

/// How many standard errors all intervals reach, so that with 95 % none misses its gain.
fn critical(gains: &[Gain], errors: &[f64]) -> f64 {
    let resamples = gains.first().map_or(0, |gain| gain.resampled.len());
    let largest = |b: usize| {
        let away = |(gain, error): (&Gain, &f64)| {
            if *error > 0.0 { (gain.resampled[b] - gain.value).abs() / error } else { 0.0 }
        };
        gains.iter().zip(errors).map(away).fold(0.0, f64::max)
    };
    let all: Vec<f64> = (0..resamples).map(largest).collect();
    if all.is_empty() { 0.0 } else { quantile(&all, 0.95) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain(of: usize, under: usize, value: f64, spread: f64) -> Gain {
        let resampled = (0..100).map(|b| value + spread * (f64::from(b % 10) - 4.5) / 4.5).collect();
        Gain { of, under, value, resampled, rows: 60, exact: None }
    }

    #[test]
    fn the_largest_of_the_least_gains_is_judged() {
        let gains =
            [gain(1, 0, 0.3, 0.01), gain(1, 1, 0.02, 0.01), gain(2, 0, 0.1, 0.01), gain(2, 1, 0.2, 0.01)];
        let judged = judge(&gains, None, |_, _| true).unwrap();
        assert_eq!((judged.chosen, judged.gain.value, judged.verdict), (2, 0.1, Verdict::Transfer));
        assert_eq!(judged.gains.iter().map(|one| (one.of, one.under)).collect::<Vec<_>>(), [(1, 1), (2, 0)]);
        let judged = judge(&gains, None, |_, _| false).unwrap();
        assert_eq!((judged.verdict, judged.informed), (Verdict::CannotTell, false));
        let asked = judge(&gains, Some(1), |_, _| true).unwrap();
        assert_eq!((asked.chosen, asked.gain.value), (1, 0.02));
        assert!(judge(&gains, Some(3), |_, _| true).is_none() && judge(&[], None, |_, _| true).is_none());
    }

    #[test]
    fn intervals_allow_for_the_number_tried() {
        let width = |count: usize| {
            // Gains that err in different resamples.
            let one = |of: usize| {
                let resampled = (0..100).map(|b| if b % 10 == of { 0.3 } else { 0.1 }).collect();
                Gain { of, under: 0, value: 0.12, resampled, rows: 60, exact: None }
            };
            let judged = judge(&(0..count).map(one).collect::<Vec<_>>(), None, |_, _| true).unwrap();
            judged.gain.high - judged.gain.low
        };
        assert!(width(5) >= width(1));
    }

    #[test]
    fn an_interval_is_never_of_width_0() {
        let judged = judge(&[gain(1, 0, 0.0, 0.0)], None, |_, _| true).unwrap();
        let Estimate { value, low, high } = judged.gain;
        assert_eq!((value, low, high), (0.0, -0.05, 0.05)); // 3 of 60
        assert_eq!(judged.verdict, Verdict::DoNotTransfer);
    }
}
