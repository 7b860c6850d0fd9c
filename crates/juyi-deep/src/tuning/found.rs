//! Two questions and their answers: does the checkpoint help, and does tuning it.

use juyi::choice::{Judgement, Verdict};
use juyi::context::Context;
use juyi::error::Result;
use juyi::measures::Estimate;
use juyi::report::Worth;

use super::classifier::Classifier;
use super::judging::{Bench, common};
use super::saved::labels_saved;
use super::trial::Trials;
use super::tried::Trial;

/// What the two questions came to.
pub(super) struct Found {
    /// The best of those that know nothing of the checkpoint.
    pub(super) rival: usize,
    /// The frozen checkpoint with a head.
    head: usize,
    /// Of what is chosen, held against the rival.
    pub(super) judged: Judgement,
    /// What the frozen checkpoint with a head gains over the rival.
    checkpoint: Estimate,
    /// The best tuning and what it gains over the frozen checkpoint with a head, where one was tried.
    tuning: Option<(usize, Estimate)>,
}

impl Found {
    /// Judges what was tried; `automatic` says that it was not asked for, `guarded` that a tuning has to prove itself.
    pub(super) fn of(
        tried: &[Trial<'_>],
        head: usize,
        automatic: bool,
        guarded: bool,
        bench: &Bench<'_>,
    ) -> Self {
        let rival = bench.best_of(&tried[..head]);
        let all = head..tried.len();
        let tuned = if automatic { bench.simplest(tried, all.clone()) } else { tried.len() - 1 };
        let tuning = (head + 1 < tried.len()).then(|| {
            // Where none beats the head by a standard error, the best of them is looked at.
            let shown = if tuned == head { head + 1 + bench.best_of(&tried[head + 1..]) } else { tuned };
            (shown, bench.judge(tried, head, head + 1..tried.len(), shown).gain)
        });
        let proven = tuning.is_some_and(|(of, gain)| of == tuned && gain.low > 0.0);
        let chosen = if guarded && !proven { head } else { tuned };
        let judged = bench.judge(tried, rival, all, chosen);
        let checkpoint = judged.gains[0].gain; // the first of those that were judged
        Self { rival, head, judged, checkpoint, tuning }
    }

    /// Why, in a few sentences.
    pub(super) fn reason(&self, tried: &[Trial<'_>], kept: usize, classes: usize) -> String {
        let (chosen, rival) = (&tried[self.judged.chosen], &tried[self.rival]);
        let (own, other) = (&chosen.strategy, rival.text());
        let all = common(chosen, rival).len() == chosen.aside.len();
        let on = if all { "cross-validation" } else { "a fifth of the pictures, kept aside" };
        let what = match self.judged.verdict {
            Verdict::Transfer => "gets more right than",
            Verdict::DoNotTransfer => "gets no more right than",
            Verdict::CannotTell if self.judged.informed => "may get more right than",
            Verdict::CannotTell => "",
        };
        let mut said = vec![if what.is_empty() {
            format!("`{own}` on the checkpoint is hardly better than always saying the same.")
        } else {
            format!("`{own}` on the checkpoint {what} {other}, by {on}; {classes} classes.")
        }];
        if let Some((of, gain)) = self.tuning {
            let (name, gain) = (tried[of].name(), points(gain));
            let what = if of == self.judged.chosen && self.gains() { "gets" } else { "is not shown to get" };
            said.push(format!("`{name}` {what} more right than {} ({gain}).", tried[self.head].text()));
        }
        let no = self.judged.verdict != Verdict::Transfer;
        let written = &tried[kept];
        if written.is_rival() {
            said.push(format!("`{}` is written as asked, without the checkpoint.", written.strategy));
        } else if no && kept == self.head {
            said.push(format!("So this checkpoint is not shown to help; {} is written.", written.text()));
        } else if no {
            let strategy = &written.strategy;
            said.push(format!("So this checkpoint is not shown to help; `{strategy}` is written as asked."));
        } else if kept == self.head && self.tuning.is_some() {
            said.push("The simpler of the two is written.".into());
        }
        said.join(" ")
    }

    /// What the checkpoint and the tuning are worth, and what the network that is kept costs.
    pub(super) fn worth(
        &self,
        trials: &Trials<'_>,
        tried: &[Trial<'_>],
        kept: usize,
        bench: &Bench<'_>,
        context: &mut Context,
    ) -> Result<Worth> {
        let (head, rival) = (&tried[self.head], &tried[self.rival]);
        let curve = trials.curve(head, rival, bench, context)?;
        Ok(Worth {
            rival: rival.name(),
            checkpoint: self.checkpoint,
            tuning: self.tuning.map(|(of, gain)| (tried[of].name(), gain)),
            multiply_adds: tried[kept].classifier.as_ref().map_or(Ok(0), Classifier::multiply_adds)?,
            labels_saved: labels_saved(&curve),
            curve,
        })
    }

    /// Whether the best tuning gets more right than the frozen checkpoint with a head.
    fn gains(&self) -> bool {
        self.tuning.is_some_and(|(_, gain)| gain.low > 0.0)
    }
}

/// A gain in words: `+1.2 points, 95 %: -0.3 to +2.7`.
fn points(Estimate { value, low, high }: Estimate) -> String {
    let [value, low, high] = [value, low, high].map(|share| 100.0 * share);
    format!("{value:+.1} points, 95 %: {low:+.1} to {high:+.1}")
}

#[cfg(test)]
mod tests {
    use super::super::strategy::Strategy;
    use super::super::tried::Start;
    use super::*;
    use juyi::choice::Resamples;

    /// A trial on `n` pictures of two classes in turn, wrong about those that `wrong` names.
    fn trial<'a>(start: Start, strategy: Strategy, n: usize, wrong: impl Fn(usize) -> bool) -> Trial<'a> {
        let shares = |at: usize| {
            let said = (at + usize::from(wrong(at))) % 2;
            Some(vec![1.0 - said as f64, said as f64])
        };
        let aside = (0..n).map(shares).collect();
        Trial { aside, ..Trial::empty(strategy, start) }
    }

    fn found(tried: &[Trial<'_>], head: usize, automatic: bool) -> Found {
        let n = tried[0].aside.len();
        let (classes, leaders): (Vec<usize>, Vec<usize>) =
            ((0..n).map(|at| at % 2).collect(), (0..n).collect());
        let resamples = Resamples::new(&leaders, &mut Context::default().rng("judge"));
        let bench = Bench { classes: &classes, names: 2, leaders: &leaders, resamples: &resamples };
        Found::of(tried, head, automatic, automatic, &bench)
    }

    /// Random features, colours, the frozen head and one tuning, wrong about the first so many.
    fn four(n: usize, wrong: [usize; 4]) -> Vec<Trial<'static>> {
        let of = [
            (Start::Drawn, Strategy::Head),
            (Start::Colours, Strategy::Head),
            (Start::Checkpoint, Strategy::Head),
            (Start::Checkpoint, Strategy::Last(1)),
        ];
        let one = |((start, strategy), wrong): (_, usize)| trial(start, strategy, n, move |at| at < wrong);
        of.into_iter().zip(wrong).map(one).collect()
    }

    #[test]
    fn the_better_rival_is_the_one_that_counts() {
        let own = found(&four(40, [20, 4, 3, 3]), 2, true);
        assert_eq!((own.rival, own.judged.verdict), (1, Verdict::CannotTell));
        let own = found(&four(40, [12, 20, 1, 1]), 2, true);
        assert_eq!((own.rival, own.judged.verdict), (0, Verdict::Transfer));
        assert_eq!(found(&four(40, [12, 12, 1, 1]), 2, true).rival, 0);
    }

    #[test]
    fn a_tuning_has_to_beat_the_frozen_head_by_its_interval() {
        // Five of five pictures are not enough to be sure, six of six are.
        for (wrong, chosen) in [(5, 2), (6, 3)] {
            let tried = four(40, [20, 20, wrong, 0]);
            let own = found(&tried, 2, true);
            assert_eq!((own.judged.chosen, own.judged.verdict), (chosen, Verdict::Transfer), "{wrong}");
            let said = own.reason(&tried, own.judged.chosen, 2);
            let part = if chosen == 2 {
                "The simpler of the two is written."
            } else {
                "gets more right than the frozen checkpoint with a head ("
            };
            assert!(said.contains(part), "{said}");
        }
        // Taken as asked.
        assert_eq!(found(&four(40, [20, 20, 5, 5]), 2, false).judged.chosen, 3);
    }

    #[test]
    fn on_a_no_the_reason_says_what_is_written() {
        let tried = four(40, [20, 0, 2, 2]);
        let own = found(&tried, 2, true);
        assert_eq!(own.judged.verdict, Verdict::DoNotTransfer);
        let said = own.reason(&tried, 2, 2);
        for part in [
            "`head` on the checkpoint gets no more right than a solved head on colour histograms",
            "So this checkpoint is not shown to help; the frozen checkpoint with a head is written.",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let said = own.reason(&tried, 3, 2);
        assert!(said.contains("`last:1` is written as asked"), "{said}");
    }

    #[test]
    fn few_pictures_are_judged_exactly() {
        // Six discordant pictures of six: p = 1/32 for one that is tried.
        let gain = |n: usize| found(&four(n, [6, 6, 0, 0])[..3], 2, true).judged.gain;
        let few = gain(20);
        assert!((few.low - 0.3 * (2.0 * 0.025f64.powf(1.0 / 6.0) - 1.0)).abs() < 1e-9, "{few:?}");
        assert_eq!((few.value, few.high), (0.3, 0.3));
        // From 51 on they are resampled.
        assert!(gain(60).high > 0.1);
        // Copies are no evidence.
        let (classes, leaders): (Vec<usize>, Vec<usize>) = (
            (0..20).map(|at| at % 2).collect(),
            (0..20).map(|at| if at < 6 { at % 2 } else { at }).collect(),
        );
        let resamples = Resamples::new(&leaders, &mut Context::default().rng("judge"));
        let bench = Bench { classes: &classes, names: 2, leaders: &leaders, resamples: &resamples };
        let tried = four(20, [6, 6, 0, 0]);
        let gain = Found::of(&tried[..3], 2, true, true, &bench).judged.gain;
        assert!(gain.value == 2.0 / 16.0 && gain.low < 0.0, "{gain:?}");
    }
}
