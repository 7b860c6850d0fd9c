//! What was tried, compared on pictures that it did not see.
//!
//! Two trials are compared on the pictures that both were judged on, picture by picture, and
//! [judged](juyi::choice::judge()) as all else that is tried: with intervals that allow for the number that were tried, exact
//! where few pictures judge, of resamples of them elsewhere.

use std::ops::Range;

use juyi::choice::{Candidate, Gain, Judgement, Resamples, exact_gain, exact_share, judge, most_frequent};
use juyi::measures::Estimate;
use juyi::models::first_largest;
use serde_json::json;

use super::tried::Trial;

/// What judges trials.
pub(super) struct Bench<'b> {
    /// The class of each picture.
    pub(super) classes: &'b [usize],
    /// How many classes there are.
    pub(super) names: usize,
    /// For each picture the one that it is a copy of, or itself.
    pub(super) leaders: &'b [usize],
    pub(super) resamples: &'b Resamples,
}

impl Bench<'_> {
    /// Whether a trial is right about a picture, 1 or 0.
    fn right(&self, trial: &Trial<'_>, at: usize) -> f64 {
        f64::from(u8::from(said(trial, at).0 == self.classes[at]))
    }

    /// The same of some pictures, copies left out: these are no evidence of their own.
    fn different(&self, trial: &Trial<'_>, among: &[usize]) -> Vec<f64> {
        let own = among.iter().filter(|&&at| self.leaders[at] == at);
        own.map(|&at| self.right(trial, at)).collect()
    }

    /// The share of what it was judged on that a trial gets right.
    pub(super) fn score(&self, trial: &Trial<'_>) -> Estimate {
        let seen = judged_on(trial);
        exact_share(&self.different(trial, &seen)).unwrap_or_else(|| {
            let right: Vec<f64> = seen.iter().map(|&at| self.right(trial, at)).collect();
            mean(&right)
        })
    }

    /// The best of some trials on the pictures that all of them were judged on, the first of those that are alike.
    pub(super) fn best_of(&self, trials: &[Trial<'_>]) -> usize {
        let all = |at: &usize| trials.iter().all(|trial| trial.aside[*at].is_some());
        let seen: Vec<usize> = (0..self.classes.len()).filter(all).collect();
        let hits = |trial: &Trial<'_>| seen.iter().map(|&at| self.right(trial, at)).sum::<f64>();
        (1..trials.len())
            .fold(0, |best, next| if hits(&trials[next]) > hits(&trials[best]) { next } else { best })
    }

    /// The simplest of some trials that no other beats by more than a standard error: heads first, as they are listed.
    pub(super) fn simplest(&self, tried: &[Trial<'_>], among: Range<usize>) -> usize {
        let gain = |one: &Trial<'_>, base: &Trial<'_>| {
            let both = common(one, base).into_iter();
            let differences: Vec<f64> = both.map(|at| self.right(one, at) - self.right(base, at)).collect();
            mean(&differences)
        };
        let start = among.start;
        among.skip(1).fold(start, |best, next| {
            let Estimate { value, low, .. } = gain(&tried[next], &tried[best]);
            let error = (value - low) / 1.96;
            if value > error { next } else { best }
        })
    }

    /// What the judge finds of `asked` held against `base`, with an allowance for all `among` which it was chosen.
    pub(super) fn judge(
        &self,
        tried: &[Trial<'_>],
        base: usize,
        among: Range<usize>,
        asked: usize,
    ) -> Judgement {
        let count = among.len();
        let gain = |of: usize| {
            let common = common(&tried[of], &tried[base]);
            let difference = |at: usize| {
                common.binary_search(&at).ok()?;
                Some((self.right(&tried[of], at) - self.right(&tried[base], at), 1.0))
            };
            let score = self.resamples.mean(difference);
            let [own, other] = [of, base].map(|k| self.different(&tried[k], &common));
            let exact = exact_gain(&own, &other, count);
            let value = exact.map_or(score.value, |exact| exact.value);
            Gain { of, under: 0, value, resampled: score.resampled, rows: common.len(), exact }
        };
        let gains: Vec<Gain> = among.map(gain).collect();
        judge(&gains, Some(asked), |of, _| self.informed(&tried[of])).expect("each has a gain over the base")
    }

    /// Whether a trial does better than always saying the same.
    fn informed(&self, trial: &Trial<'_>) -> bool {
        let seen = judged_on(trial);
        let chance = most_frequent(seen.iter().map(|&at| self.classes[at]), self.names);
        let low = exact_share(&self.different(trial, &seen)).map_or_else(
            || {
                let right = |at: usize| trial.aside[at].is_some().then(|| (self.right(trial, at), 1.0));
                self.resamples.mean(right).quantile(0.025)
            },
            |share| share.low,
        );
        low > chance
    }

    /// All trials, the chosen one first, then the best, the rivals among them.
    pub(super) fn candidates(&self, tried: &[Trial<'_>], judged: &Judgement, batch: usize) -> Vec<Candidate> {
        let chosen = judged.chosen;
        let scores: Vec<Estimate> = tried.iter().map(|trial| self.score(trial)).collect();
        let mut order: Vec<usize> = (0..tried.len()).collect();
        order.sort_by(|&a, &b| {
            (b == chosen).cmp(&(a == chosen)).then(scores[b].value.total_cmp(&scores[a].value))
        });
        let one = |k: usize| {
            let trial = &tried[k];
            let params = if trial.solved.is_empty() {
                let mut own = json!({ "epochs": trial.epochs.len(), "rate": trial.rate, "batch": batch });
                if let Some(agreement) = trial.agreement {
                    own["old-head-agreement"] = json!(agreement);
                }
                own
            } else {
                trial.solved.iter().map(|(name, value)| (name.to_string(), json!(value))).collect()
            };
            Candidate {
                method: trial.name(),
                params,
                learner: None,
                preprocess: Vec::new(),
                baseline: trial.is_rival(),
                score: Some(scores[k]),
                gain: judged.gains.iter().find(|least| least.of == k).map(|least| least.gain),
                failed: None,
                seconds: trial.seconds,
                weight: 0.0,
            }
        };
        order.into_iter().map(one).collect()
    }
}

/// The pictures that a trial was judged on.
fn judged_on(trial: &Trial<'_>) -> Vec<usize> {
    (0..trial.aside.len()).filter(|&at| trial.aside[at].is_some()).collect()
}

/// The pictures on which both were judged.
pub(super) fn common(a: &Trial<'_>, b: &Trial<'_>) -> Vec<usize> {
    (0..a.aside.len()).filter(|&at| a.aside[at].is_some() && b.aside[at].is_some()).collect()
}

/// What a trial says of a picture, and the probability that it gives to it.
pub(super) fn said(trial: &Trial<'_>, at: usize) -> (usize, f64) {
    let shares = trial.aside[at].as_deref().unwrap_or_default();
    let best = first_largest(shares);
    (best, shares.get(best).copied().unwrap_or(0.0))
}

/// A mean with its interval.
fn mean(values: &[f64]) -> Estimate {
    let count = values.len().max(1) as f64;
    let value = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    Estimate::around(value, 1.96 * (variance / count).sqrt(), values.len())
}
