//! A single model instead of the vote: of those that vote the one that a validator puts first, and what it is shown of each.
//!
//! A candidate is asked about rows as they come to it: each side as the candidate's preprocessing leaves it, then through
//! its own maps of target rows. Held-out source rows are taken for rows of the target there, which is what
//! importance weighting supposes: the same rule for the same row, whichever side it is from.

use faer::MatRef;
use rayon::prelude::*;

use super::ballot::Ballot;
use super::fitted::{Fitted, said};
use super::held::shares;
use super::validation::folds;
use crate::context::Context;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, select_rows};
use crate::methods::fit;
use crate::models::{Map, Model, Preprocess, apply_all, preprocess};
use crate::solvers::LeastSquaresRatio;
use crate::validators::{Evidence, HeldOut, More, Need, Rows, Validator};

/// Of so many source rows one is held out of a further fit.
const ONE_IN: usize = 3;

/// Target rows that bear the bumps of a density ratio at most.
const CENTERS: usize = 100;

/// Those among whom one is chosen.
pub(super) struct Singles<'a> {
    pub(super) task: &'a Task,
    pub(super) others: &'a [Fitted],
    /// Of each of the others, 0 of those that do not vote.
    pub(super) weights: &'a [f64],
    pub(super) vote: &'a Ballot,
    /// The copies among the source rows.
    pub(super) leaders: &'a [usize],
}

/// One that votes.
struct Voter<'a> {
    /// Its place among the others.
    place: usize,
    one: &'a Fitted,
    answers: &'a [f64],
    model: &'a Model,
    probabilities: Matrix,
}

/// The task as some steps of preprocessing leave it.
struct Space<'a> {
    steps: &'a [Preprocess],
    task: Task,
    /// The same without the held-out source rows, where there are some.
    kept: Option<Task>,
    maps: Vec<Map>,
    /// Of each source row, where they are asked for.
    ratios: Option<Vec<f64>>,
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
        let voters = self.voters()?;
        let mean = asks(Need::Mean).then(|| mean(&voters));
        let held = asks(Need::HeldOut).then(|| self.held_out_rows(context));
        let spaces = if row.needs.iter().all(|need| *need == Need::Mean) {
            Vec::new()
        } else {
            self.spaces(&voters, held.as_deref(), asks(Need::Ratios), context)?
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

    /// Those that vote, with their probabilities.
    fn voters(&self) -> Result<Vec<Voter<'_>>> {
        let mut voters = Vec::new();
        for (place, one) in self.others.iter().enumerate().filter(|(k, _)| self.weights[*k] > 0.0) {
            let (Some(answers), Some(model)) = (one.heard(), &one.model) else { continue };
            let said = model.predict(self.task.target.features.as_ref())?;
            let probabilities = shares(&said, &model.goal, &self.task.goal);
            voters.push(Voter { place, one, answers, model, probabilities });
        }
        Ok(voters)
    }

    /// The source rows that are held out, rising: each class evenly, copies together.
    fn held_out_rows(&self, context: &Context) -> Vec<usize> {
        let rng = &mut context.rng("held-out source rows");
        folds(&self.task.source.labels, self.leaders, ONE_IN, rng).swap_remove(0)
    }

    /// The task in each space in which one votes. The statistics of a space are those of all rows: they take no label.
    fn spaces<'a>(
        &self,
        voters: &[Voter<'a>],
        held: Option<&[usize]>,
        ratios: bool,
        context: &mut Context,
    ) -> Result<Vec<Space<'a>>> {
        let all: Vec<usize> = (0..self.task.target.rows()).collect();
        let kept = held.map(|held| {
            (0..self.task.source.rows()).filter(|row| held.binary_search(row).is_err()).collect::<Vec<_>>()
        });
        let mut spaces: Vec<Space<'a>> = Vec::new();
        for voter in voters {
            let steps = voter.one.configuration.steps.as_slice();
            if spaces.iter().any(|space| space.steps == steps) {
                continue;
            }
            let (task, maps) = preprocess(self.task.clone(), steps, &mut context.aside());
            let ratio = LeastSquaresRatio {
                name: "density ratio",
                source: task.source.features.as_ref(),
                target: task.target.features.as_ref(),
                share: 0.0,
            };
            let ratios = ratios.then(|| ratio.weights(CENTERS, None, None, None, context)).transpose()?;
            let kept = kept.as_ref().map(|kept| task.select(kept, &all));
            spaces.push(Space { steps, task, kept, maps, ratios });
        }
        Ok(spaces)
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
        let (goal, labels) = (&self.task.goal, &self.task.source.labels);
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

/// What one says of the held-out rows where it is fitted without them.
fn held_out(voter: &Voter<'_>, space: &Space<'_>, held: &[usize], context: &mut Context) -> Result<HeldOut> {
    let Space { task, maps, kept, .. } = space;
    let configuration = &voter.one.configuration;
    let part = kept.as_ref().unwrap_or(task);
    let model = fit(&configuration.built, part, configuration.learner.as_ref(), maps.clone(), context)?;
    let source = task.source.features.as_ref();
    let asked = select_rows(source, held);
    let own = &model.maps[maps.len()..];
    Ok(HeldOut {
        rows: held.to_vec(),
        answers: said(&model, maps.len(), asked.as_ref(), &task.goal),
        source: apply_all(own, source),
        target: apply_all(own, task.target.features.as_ref()),
    })
}
