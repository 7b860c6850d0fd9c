//! A model of any origin under the vote of what was tried: what counts for it, and what is learnt of judging from the others.

use super::Verdict;
use super::ballot::Ballot;
use super::election::{CLEARLY, Election, LEAST_LEAD, LEAST_LEAD_OF_VALUES};
use super::estimate::Standing;
use super::fitted::Fitted;
use super::proposal::count;
use super::record::Heard;
use super::units::Reading;
use crate::data::Goal;

impl Election<'_> {
    /// What the guard says of a model that is not ours, and why: what it shares with the vote counts for it, whatever it was made by.
    pub(super) fn verdict_on(&self, said: &[f64], standing: &Standing, errors: f64) -> (Verdict, String) {
        use Verdict::{CannotTell, DoNotTransfer, Transfer};
        let gain = standing.gain_of_given(&self.task.source.labels, self.voted_as());
        let least = if self.task.goal == Goal::Value { LEAST_LEAD_OF_VALUES } else { LEAST_LEAD };
        let (verdict, why) = if standing.differ == 0.0 {
            (DoNotTransfer, "The model says the same as the learners that do not transfer.")
        } else if self.overlooked {
            if said.iter().all(|answer| *answer == said[0]) {
                (
                    DoNotTransfer,
                    "The model says the same of all rows, and a class that is rare in the source is not found.",
                )
            } else {
                (
                    CannotTell,
                    "The learners that do not transfer overlook a rare class, and nothing tells whether the model finds the right rows.",
                )
            }
        } else if standing.lead <= -least {
            (
                DoNotTransfer,
                "Where the model differs from the learners that do not transfer, the vote of what was tried is with them.",
            )
        } else if standing.lead < least {
            (
                DoNotTransfer,
                "Where the model differs from the learners that do not transfer, the vote of what was tried is hardly more with it than with them.",
            )
        } else {
            const WITH_IT: &str = "Where the model differs from the learners that do not transfer, the vote of what was tried is with it.";
            match self.units.reading {
                Reading::NotIdentifiable => (
                    CannotTell,
                    "The vote of what was tried is with the model, but it standardises each domain: that helps if the units moved, and harms if the rows did.",
                ),
                Reading::Rescaled if gain.value > 0.0 => (Transfer, WITH_IT),
                Reading::Mixed
                    if self.task.goal != Goal::Value
                        && gain.value > 0.0
                        && (errors >= CLEARLY || standing.lead >= standing.differ / 3.0) =>
                {
                    (Transfer, WITH_IT)
                }
                _ if gain.low > 0.0 => (Transfer, WITH_IT),
                _ => (CannotTell, "The vote of what was tried is with the model, but not clearly."),
            }
        };
        (verdict, format!("{} {why}", self.units.words()))
    }

    /// What each says of classes, and how the vote of all but itself stands to it.
    pub(super) fn heard(&self, plain: &Ballot, weights: &[f64], fall: f64) -> Heard {
        let labels = &self.task.source.labels;
        let Goal::Classes(classes) = &self.task.goal else { return Heard::default() };
        let learnt = self.learnable.accuracy(labels);
        let plain_ones = self.plain.iter().map(|one| (None, one));
        let all = plain_ones.chain(self.others.iter().enumerate().map(|(k, one)| (Some(k), one)));
        let one = |(own, one): (Option<usize>, &Fitted)| {
            let answers = one.heard()?;
            let mut rest = weights.to_vec();
            if let Some(k) = own {
                rest[k] = 0.0;
            }
            if rest.iter().all(|weight| *weight <= 0.0) {
                return None;
            }
            let vote = count(&self.others, &rest, self.task);
            let standing = Standing::of(&vote, answers, &plain.answers, fall, labels);
            Some((standing.signs(learnt), answers.to_vec()))
        };
        Heard { rows: Vec::new(), classes: classes.clone(), each: all.filter_map(one).collect() }
    }
}
