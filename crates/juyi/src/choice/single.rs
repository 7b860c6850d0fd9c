//! A single model instead of the vote: of those that vote the one that a validator puts first, and what it is shown of each.

use faer::MatRef;
use rayon::prelude::*;

use super::ballot::Ballot;
use super::fitted::said;
use super::voters::{Space, Voter, Voters, held_out};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::models::apply_all;
use crate::validators::{Evidence, HeldOut, More, Need, Rows, Validator};

/// Those among whom one is chosen.
pub(super) struct Singles<'a> {
    pub(super) voters: Voters<'a>,
    pub(super) vote: &'a Ballot,
}

impl Singles<'_> {
    /// The place among the others of the one with the largest score. One that cannot be fitted without the held-out rows, or
    /// has no score, is left out with a note.
    ///
    /// # Errors
    /// What the validator reports; [`Error::Numeric`] where none has a score.
    pub(super) fn best(&self, validator: &dyn Validator, context: &mut Context) -> Result<usize> {
        let row = validator.row();
        let asks = |need: Need| row.needs.contains(&need);
        context.progress("comparing single models", 0, 0);
        let voters = self.voters.each()?;
        let mean = asks(Need::Mean).then(|| mean(&voters));
        let held = asks(Need::HeldOut).then(|| self.voters.held_out_rows(context));
        let spaces = if row.needs.iter().all(|need| *need == Need::Mean) {
            Vec::new()
        } else {
            self.voters.spaces(&voters, held.as_deref(), asks(Need::Ratios), context)?
        };
        let quiet: &Context = context;
        let score = |voter: &Voter<'_>| -> Result<std::result::Result<f64, String>> {
            let context = &mut quiet.aside(); // what single fits notice is not that of the run
            let space = spaces.iter().find(|space| space.steps == voter.one.configuration.steps);
            let held_out = match (space, &held) {
                (Some(space), Some(held)) => match held_out(voter, space, held, context) {
                    Ok(held_out) => Some(held_out),
                    Err(error) => {
                        return Ok(Err(format!("it cannot be fitted without the held-out rows: {error}")));
                    }
                },
                _ => None,
            };
            let mean = mean.as_ref().map(Matrix::as_ref);
            let score = self.score(validator, voter, space, (held_out.as_ref(), mean), context)?;
            Ok(if score.is_nan() { Err("its score is no number".into()) } else { Ok(score) })
        };
        let scores: Vec<_> = voters.par_iter().map(score).collect::<Result<_>>()?;
        let (mut best, mut first): (Option<(f64, usize)>, Option<String>) = (None, None);
        for (voter, score) in voters.iter().zip(scores) {
            match score {
                Ok(score) if best.is_none_or(|(held, _)| score > held) => best = Some((score, voter.place)),
                Ok(_) => {}
                Err(why) => {
                    let method = voter.one.configuration.built.row.name;
                    context.note(row.name, format!("`{method}` is left out: {why}"));
                    first.get_or_insert(why);
                }
            }
        }
        let none = || Error::Numeric {
            what: format!("`{}` of single models", row.name),
            why: first.unwrap_or_else(|| "none votes".into()),
        };
        best.map(|(_, place)| place).ok_or_else(none)
    }

    /// The score of one of them.
    fn score(
        &self,
        validator: &dyn Validator,
        voter: &Voter<'_>,
        space: Option<&Space<'_>>,
        (held_out, mean): (Option<&HeldOut>, Option<MatRef<'_, f64>>),
        context: &mut Context,
    ) -> Result<f64> {
        let (goal, labels) = (&self.voters.task.goal, &self.voters.task.source.labels);
        let support = self.vote.support_of(voter.answers, labels);
        let before = space.map_or(0, |space| space.maps.len());
        let answer = |rows: MatRef<'_, f64>| said(voter.model, before, rows, goal);
        let map = |rows: MatRef<'_, f64>| apply_all(&voter.model.maps[before..], rows);
        let rows = space.map(|space| Rows {
            source: &space.task.source.features,
            target: &space.task.target.features,
            answer: &answer,
            map: &map,
            learner: voter.one.configuration.learner.as_ref(),
        });
        let ratios = space.and_then(|space| space.ratios.as_deref());
        let of = Evidence {
            goal,
            answers: voter.answers,
            probabilities: voter.probabilities.as_ref(),
            support: &support,
            source: labels,
            more: More { mean, rows: rows.as_ref(), held_out, ratios },
        };
        validator.score(&of, context)
    }
}

/// The mean of all probabilities, each candidate's counting alike.
fn mean(voters: &[Voter<'_>]) -> Matrix {
    let (rows, classes) = voters.first().map_or((0, 0), |voter| voter.probabilities.shape());
    Matrix::from_fn(rows, classes, |i, c| {
        voters.iter().map(|voter| voter.probabilities[(i, c)]).sum::<f64>() / voters.len() as f64
    })
}
