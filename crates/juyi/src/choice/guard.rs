//! The guard: whether the best candidate is better than the best baseline under every assumption that the rows bear
//! out, with intervals that allow for the number of candidates.

use super::candidates::Configuration;
use super::validation::Score;
use super::{Assumption, Candidate, Choice, Chosen, Verdict, undecided};
use crate::error::Result;
use crate::measures::Estimate;

/// A candidate with its scores, one for each assumption.
pub(super) struct Tried {
    pub(super) configuration: Configuration,
    pub(super) scores: Result<Vec<Score>>,
    pub(super) seconds: f64,
}

/// Gains below it are not worth a transfer: one point of accuracy, or 0.01 of R².
const WORTHWHILE: f64 = 0.01;

/// The baseline whose mean score over the assumptions that hold is best.
pub(super) fn best_baseline(tried: &[Tried], holds: &[bool]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (i, one) in tried.iter().enumerate().filter(|(_, one)| one.configuration.baseline) {
        let Ok(scores) = &one.scores else { continue };
        let sum: f64 =
            scores.iter().zip(holds).filter(|(_, holds)| **holds).map(|(score, _)| score.value).sum();
        if best.is_none_or(|(_, held)| sum > held) {
            best = Some((i, sum));
        }
    }
    best.map(|(i, _)| i)
}

/// The gain of a candidate under one assumption.
struct Gain {
    /// The candidate.
    of: usize,
    /// The assumption.
    under: usize,
    value: f64,
    /// Standard error over the resamples.
    error: f64,
    resampled: Vec<f64>,
}

/// Compares all others with the baseline `base`, as validated on `rows` rows.
pub(super) fn judge(
    mut tried: Vec<Tried>,
    base: usize,
    rows: usize,
    holds: &[bool],
    chance: &[f64],
    assumptions: Vec<Assumption>,
) -> Chosen {
    let gains = gains(&tried, base, holds);
    let critical = critical(&gains);
    let interval = |gain: &Gain| Estimate::around(gain.value, critical * gain.error, rows);
    // A candidate is as good as its gain under the assumption that is worst for it.
    let worst =
        |i: usize| gains.iter().filter(|gain| gain.of == i).min_by(|a, b| a.value.total_cmp(&b.value));
    let value = |i: usize| lead(&tried[i], &tried[base], holds);
    let others = (0..tried.len()).filter(|&i| !tried[i].configuration.baseline);
    let top = others.max_by(|&a, &b| value(a).total_cmp(&value(b)).then(b.cmp(&a)));
    let Some((top, gain)) = top.and_then(|top| Some((top, worst(top)?))) else {
        let why = tried.iter().find_map(|one| one.scores.as_ref().err().map(ToString::to_string));
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let baseline = tried.swap_remove(base).configuration;
        return undecided(format!("No candidate could be validated{why}."), (0, 0), baseline);
    };
    let estimate = interval(gain);
    let lowest = |scores: &[Score], s: usize| quantile(&scores[s].resampled, 0.025);
    let informed =
        tried[top].scores.as_ref().is_ok_and(|scores| lowest(scores, gain.under) > chance[gain.under]);
    let most =
        (0..tried.len()).filter_map(worst).map(|gain| interval(gain).high).fold(f64::NEG_INFINITY, f64::max);
    let verdict = if estimate.low > 0.0 && estimate.value >= WORTHWHILE && informed {
        Verdict::Transfer
    } else if estimate.value <= 0.0 || most < WORTHWHILE {
        Verdict::DoNotTransfer
    } else {
        Verdict::CannotTell
    };
    let reason = reason(verdict, &assumptions, informed, most);
    let mut candidates: Vec<(f64, Candidate)> = Vec::new();
    for (i, one) in tried.iter().enumerate() {
        let gain = worst(i);
        let under =
            gain.map_or_else(|| holds.iter().position(|holds| *holds).unwrap_or(0), |gain| gain.under);
        let score = one.scores.as_ref().ok().map(|scores| &scores[under]);
        let order = lead(one, &tried[base], holds);
        let configuration = &one.configuration;
        candidates.push((
            order,
            Candidate {
                method: configuration.built.row.name.into(),
                params: configuration.built.params.clone(),
                learner: configuration.trains_learner.then(|| configuration.learner.name().into()),
                preprocess: configuration.steps.iter().map(|step| step.name().into()).collect(),
                baseline: configuration.baseline,
                score: score.map(|score| Estimate {
                    value: score.value,
                    low: quantile(&score.resampled, 0.025),
                    high: quantile(&score.resampled, 0.975),
                }),
                gain: gain.map(interval),
                failed: one.scores.as_ref().err().map(ToString::to_string),
                seconds: one.seconds,
            },
        ));
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let choice = Choice {
        verdict,
        reason,
        gain: estimate,
        true_gain: None,
        rows: (0, 0),
        assumptions,
        candidates: candidates.into_iter().map(|(_, candidate)| candidate).collect(),
        seconds: 0.0,
    };
    // The later one first, so that the other keeps its place.
    let (first, second) = (base.min(top), base.max(top));
    let later = tried.swap_remove(second).configuration;
    let earlier = tried.swap_remove(first).configuration;
    let (baseline, candidate) = if base < top { (earlier, later) } else { (later, earlier) };
    Chosen { choice, baseline, candidate: Some(candidate) }
}

/// By how much a candidate's score leads that of the baseline, where it leads least; failed ones come last.
fn lead(one: &Tried, base: &Tried, holds: &[bool]) -> f64 {
    let (Ok(scores), Ok(base)) = (&one.scores, &base.scores) else { return f64::NEG_INFINITY };
    let under = (0..holds.len()).filter(|&under| holds[under]);
    under.map(|under| scores[under].value - base[under].value).fold(f64::INFINITY, f64::min)
}

fn gains(tried: &[Tried], base: usize, holds: &[bool]) -> Vec<Gain> {
    let Ok(against) = &tried[base].scores else { return Vec::new() };
    let mut gains = Vec::new();
    for (of, one) in tried.iter().enumerate().filter(|(_, one)| !one.configuration.baseline) {
        let Ok(scores) = &one.scores else { continue };
        for under in (0..holds.len()).filter(|&under| holds[under]) {
            let (score, base) = (&scores[under], &against[under]);
            let value = score.value - base.value;
            let resampled: Vec<f64> =
                score.resampled.iter().zip(&base.resampled).map(|(a, b)| a - b).collect();
            let n = resampled.len() as f64;
            let mean = resampled.iter().sum::<f64>() / n;
            let error = (resampled.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            gains.push(Gain { of, under, value, error, resampled });
        }
    }
    gains
}

/// How many standard errors all intervals reach, so that with 95 % none misses its gain.
fn critical(gains: &[Gain]) -> f64 {
    let resamples = gains.first().map_or(0, |gain| gain.resampled.len());
    let largest = |b: usize| {
        let away = |gain: &Gain| {
            if gain.error > 0.0 { (gain.resampled[b] - gain.value).abs() / gain.error } else { 0.0 }
        };
        gains.iter().map(away).fold(0.0, f64::max)
    };
    let all: Vec<f64> = (0..resamples).map(largest).collect();
    if all.is_empty() { 0.0 } else { quantile(&all, 0.95) }
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn reason(verdict: Verdict, assumptions: &[Assumption], informed: bool, most: f64) -> String {
    let under: Vec<String> = assumptions
        .iter()
        .filter(|one| one.holds)
        .map(|one| format!("\u{201c}{}\u{201d}", one.name))
        .collect();
    let under = under.join(" and under ");
    match verdict {
        Verdict::Transfer => format!("Its interval lies above 0 under {under}, which the rows bear out."),
        Verdict::DoNotTransfer if most < WORTHWHILE => {
            format!("Under {under} no candidate can gain as much as a point.")
        }
        Verdict::DoNotTransfer => format!("Under {under} no candidate does better than the best baseline."),
        Verdict::CannotTell if informed => {
            format!("Under {under} the interval of the best candidate's gain reaches 0.")
        }
        Verdict::CannotTell => {
            format!("Under {under} the best candidate is hardly better than always saying the same.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Preprocess;

    #[test]
    fn an_interval_is_never_of_width_0() {
        let tried = |steps: &[Preprocess]| {
            let score = Score { value: 0.5, resampled: vec![0.5; 100] };
            let configuration = Configuration::new("none", "{}", "1-nn", steps).unwrap();
            Tried { configuration, scores: Ok(vec![score]), seconds: 0.0 }
        };
        let both = vec![tried(&[]), tried(&[Preprocess::StandardizeEach])];
        let chosen = judge(both, 0, 60, &[true], &[0.5], Vec::new());
        let Estimate { value, low, high } = chosen.choice.gain;
        assert_eq!((value, low, high), (0.0, -0.05, 0.05)); // 3 of 60
        assert_eq!(chosen.choice.verdict, Verdict::DoNotTransfer);
    }
}
