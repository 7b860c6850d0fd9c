//! Configurations that were tried, and the choice among them that the judge's finding leaves.

use super::candidates::Configuration;
use super::figure::Scorer;
use super::judge::{Gain, Judgement, Least, judge};
use super::record::{undecided, unknown};
use super::resamples::Score;
use super::{Assumption, Candidate, Choice, Chosen, Proposal, Verdict};
use crate::error::Result;

/// A candidate with its scores, one for each assumption.
pub(super) struct Tried {
    pub(super) configuration: Configuration,
    pub(super) scores: Result<Vec<Score>>,
    pub(super) seconds: f64,
}

/// What is assumed of the labels, and what always saying the same scores under each assumption.
pub(super) struct Assumed {
    pub(super) assumptions: Vec<Assumption>,
    pub(super) chance: Vec<f64>,
}

impl Assumed {
    /// Positions of the assumptions that count.
    fn holding(&self) -> impl Iterator<Item = usize> {
        (0..self.assumptions.len()).filter(|&under| self.assumptions[under].holds)
    }

    /// The assumptions that count, in words.
    pub(super) fn words(&self) -> String {
        let named = |under: usize| format!("\u{201c}{}\u{201d}", self.assumptions[under].name);
        self.holding().map(named).collect::<Vec<_>>().join(" and under ")
    }
}

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

/// Compares all others with the baseline `base`.
pub(super) fn choice(mut tried: Vec<Tried>, base: usize, scorer: &Scorer<'_>, assumed: Assumed) -> Chosen {
    let better = |of: usize, under: usize| {
        let lowest = |scores: &Vec<Score>| scores[under].quantile(0.025) > assumed.chance[under];
        tried[of].scores.as_ref().is_ok_and(lowest)
    };
    let Some(judged) = judge(&gains(&tried, base, scorer.rows(), &assumed), None, better) else {
        let why = tried.iter().find_map(|one| one.scores.as_ref().err().map(ToString::to_string));
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let baseline = tried.swap_remove(base).configuration;
        return undecided(format!("No candidate could be validated{why}."), (0, 0), Proposal::one(baseline));
    };
    let choice = Choice {
        verdict: judged.verdict,
        figure: scorer.figure_told(),
        gain: scorer.told_gain(judged.gain),
        candidates: candidates(&tried, base, &judged, scorer, &assumed),
        ..unknown(reason(&judged, &assumed.words()), (0, 0))
    };
    let choice = Choice { assumptions: assumed.assumptions, ..choice };
    // The later one first, so that the other keeps its place.
    let top = judged.chosen;
    let (first, second) = (base.min(top), base.max(top));
    let later = tried.swap_remove(second).configuration;
    let earlier = tried.swap_remove(first).configuration;
    let (baseline, candidate) = if base < top { (earlier, later) } else { (later, earlier) };
    Chosen { choice, baseline: Proposal::one(baseline), candidate: Some(Proposal::one(candidate)) }
}

/// By how much each candidate beats the baseline under each assumption that counts.
fn gains(tried: &[Tried], base: usize, rows: usize, assumed: &Assumed) -> Vec<Gain> {
    let Ok(against) = &tried[base].scores else { return Vec::new() };
    let mut gains = Vec::new();
    for (of, one) in tried.iter().enumerate().filter(|(_, one)| !one.configuration.baseline) {
        let Ok(scores) = &one.scores else { continue };
        for under in assumed.holding() {
            let (score, base) = (&scores[under], &against[under]);
            let resampled = score.resampled.iter().zip(&base.resampled).map(|(a, b)| a - b).collect();
            gains.push(Gain { of, under, value: score.value - base.value, resampled, rows, exact: None });
        }
    }
    gains
}

/// All that were tried, the one that leads by most first; failed ones come last.
fn candidates(
    tried: &[Tried],
    base: usize,
    judged: &Judgement,
    scorer: &Scorer<'_>,
    assumed: &Assumed,
) -> Vec<Candidate> {
    let lead = |one: &Tried| {
        let (Ok(scores), Ok(base)) = (&one.scores, &tried[base].scores) else { return f64::NEG_INFINITY };
        let leads = assumed.holding().map(|under| scores[under].value - base[under].value);
        leads.fold(f64::INFINITY, f64::min)
    };
    let candidate = |(i, one): (usize, &Tried)| {
        let least = judged.gains.iter().find(|least| least.of == i);
        let under = least.map_or_else(|| assumed.holding().next().unwrap_or(0), |least| least.under);
        let score = one.scores.as_ref().ok().map(|scores| &scores[under]);
        let configuration = &one.configuration;
        let candidate = Candidate {
            method: configuration.built.row.name.into(),
            params: configuration.built.params.clone(),
            learner: configuration.trains_learner.then(|| configuration.with.clone()),
            preprocess: configuration.steps.iter().map(|step| step.name().into()).collect(),
            baseline: configuration.baseline,
            score: score.map(|score| scorer.told(score.within())),
            gain: least.map(|Least { gain, .. }| scorer.told_gain(*gain)),
            failed: one.scores.as_ref().err().map(ToString::to_string),
            seconds: one.seconds,
            weight: 0.0,
        };
        (lead(one), candidate)
    };
    let mut all: Vec<(f64, Candidate)> = tried.iter().enumerate().map(candidate).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Why the verdict is what it is, under these assumptions.
pub(super) fn reason(judged: &Judgement, under: &str) -> String {
    match judged.verdict {
        Verdict::Transfer => format!("Its interval lies above 0 under {under}, which the rows bear out."),
        Verdict::DoNotTransfer if !judged.any_worthwhile => {
            format!("Under {under} no candidate can gain as much as a point.")
        }
        Verdict::DoNotTransfer => format!("Under {under} no candidate does better than the best baseline."),
        Verdict::CannotTell if judged.informed => {
            format!("Under {under} the interval of the best candidate's gain reaches 0.")
        }
        Verdict::CannotTell => {
            format!("Under {under} the best candidate is hardly better than always saying the same.")
        }
    }
}
