//! Those that vote, asked more than what they say of the target: their spaces, and source rows that they are fitted without.
//!
//! A candidate is asked about rows as they come to it: each side as the candidate's preprocessing leaves it, then through
//! its own maps of target rows. Held-out source rows are taken for rows of the target there, which is what
//! importance weighting supposes: the same rule for the same row, whichever side it is from.

use super::fitted::{Fitted, said};
use super::held::shares;
use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::linalg::{Matrix, select_rows};
use crate::methods::fit;
use crate::models::{Map, Model, Preprocess, apply_all, preprocess};
use crate::solvers::LeastSquaresRatio;
use crate::splits::folds;
use crate::validators::HeldOut;

/// Of so many source rows one is held out of a further fit.
const ONE_IN: usize = 3;

/// Target rows that bear the bumps of a density ratio at most.
const CENTERS: usize = 100;

/// The candidates of a task.
#[derive(Clone, Copy)]
pub(super) struct Voters<'a> {
    pub(super) task: &'a Task,
    pub(super) others: &'a [Fitted],
    /// Of each of the others, 0 of those that do not vote.
    pub(super) weights: &'a [f64],
    /// The copies among the source rows.
    pub(super) leaders: &'a [usize],
}

/// One that votes.
pub(super) struct Voter<'a> {
    /// Its place among the others.
    pub(super) place: usize,
    pub(super) one: &'a Fitted,
    pub(super) answers: &'a [f64],
    pub(super) model: &'a Model,
    pub(super) probabilities: Matrix,
}

/// The task as some steps of preprocessing leave it.
pub(super) struct Space<'a> {
    pub(super) steps: &'a [Preprocess],
    pub(super) task: Task,
    /// The same without the held-out source rows, where there are some.
    kept: Option<Task>,
    pub(super) maps: Vec<Map>,
    /// Of each source row, where they are asked for.
    pub(super) ratios: Option<Vec<f64>>,
}

impl<'a> Voters<'a> {
    /// Those that vote, with their probabilities.
    pub(super) fn each(&self) -> Result<Vec<Voter<'a>>> {
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
    pub(super) fn held_out_rows(&self, context: &Context) -> Vec<usize> {
        let rng = &mut context.rng("held-out source rows");
        folds(&self.task.source.labels, self.leaders, ONE_IN, rng).swap_remove(0)
    }

    /// The task in each space in which one votes. The statistics of a space are those of all rows: they take no label.
    pub(super) fn spaces(
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
}

/// What one says of the held-out rows where it is fitted without them.
pub(super) fn held_out(
    voter: &Voter<'_>,
    space: &Space<'_>,
    held: &[usize],
    context: &mut Context,
) -> Result<HeldOut> {
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

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::super::candidates::Configuration;
    use super::super::fitted::{Keep, fit_each};
    use super::*;
    use crate::data::{Domain, Goal, Labels};

    /// Labels that say nothing: a nearest row that is the row itself would know them all.
    #[test]
    fn held_out_rows_are_not_fitted_on_and_copies_stay_together() {
        let context = &mut Context::default();
        let mut rng = context.rng("rows");
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let mut rows = |n: usize| Matrix::from_fn(n, 3, |_, _| rng.random::<f64>());
        let labels = Labels::Classes((0..120).map(|i| i % 2).collect());
        let source = Domain::labelled("old", rows(120), labels);
        let target = Domain::unlabelled("new", rows(50), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let one = |steps: &[Preprocess]| Configuration::new("none", "{}", "1-nn", steps).unwrap();
        let others = vec![one(&[Preprocess::Standardize]), one(&[Preprocess::StandardizeEach])];
        let others = fit_each(others, &task, Keep::Whole, (0, 0), context);
        let leaders: Vec<usize> = (0..120).map(|i| if i == 119 { 0 } else { i }).collect();
        let voters = Voters { task: &task, others: &others, weights: &[1.0, 0.5], leaders: &leaders };
        let (each, held) = (voters.each().unwrap(), voters.held_out_rows(context));
        assert!(each.len() == 2 && (38..=42).contains(&held.len()) && held.is_sorted(), "{}", held.len());
        assert_eq!(held.contains(&0), held.contains(&119));
        let spaces = voters.spaces(&each, Some(&held), true, context).unwrap();
        assert_eq!(spaces.len(), 2);
        for (voter, space) in each.iter().zip(&spaces) {
            let said = held_out(voter, space, &held, context).unwrap();
            assert_eq!((said.source.nrows(), said.target.nrows(), &said.rows), (120, 50, &held));
            let right =
                said.rows.iter().zip(&said.answers).filter(|(row, said)| **said == (**row % 2) as f64);
            assert!((8..32).contains(&right.count()), "not by chance");
            let mean = space.ratios.as_ref().unwrap().iter().sum::<f64>() / 120.0;
            assert!((mean - 1.0).abs() < 1e-9, "{mean}");
        }
        let of = voters.spaces(&each, None, false, context).unwrap();
        assert!(of.iter().all(|space| space.kept.is_none() && space.ratios.is_none()));
    }
}
