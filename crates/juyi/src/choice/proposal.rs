//! What is fitted and written, and the model of a vote.

use super::ballot::Ballot;
use super::candidates::Configuration;
use super::fitted::{Fitted, Standby};
use crate::context::Context;
use crate::data::{Goal, Labels, Task};
use crate::error::{Error, Result};
use crate::linalg::spread;
use crate::methods::fit;
use crate::models::{About, Map, Member, Model, Predictor, Preprocess, VoteRule, Votes, preprocess};

/// What is fitted and written: a configuration, or the vote of several.
pub struct Proposal {
    /// What the record calls it: [`VOTE`], [`PLAIN_VOTE`] or the name of a method.
    pub name: &'static str,
    /// One at least.
    pub voters: Vec<Voter>,
}

/// One that votes.
pub struct Voter {
    /// What it is.
    pub configuration: Configuration,
    /// Its weight, above 0.
    pub weight: f64,
    /// Its model as it stands.
    pub model: Standby,
}

/// The vote of what was tried.
pub const VOTE: &str = "vote";

/// The vote of the learners that take nothing from the target.
pub const PLAIN_VOTE: &str = "plain-vote";

/// The most rows of a side that a voter is fitted on again, unless that is [quick](Configuration::is_quick).
const MOST_AGAIN: usize = 20_000;

impl Proposal {
    /// One configuration.
    pub fn one(configuration: Configuration) -> Self {
        let name = configuration.built.row.name;
        Self { name, voters: vec![Voter { configuration, weight: 1.0, model: Standby::None }] }
    }

    /// What is written where these voters are trusted; a single one is itself.
    pub(super) fn of_voters(name: &'static str, of: Vec<Fitted>, weights: &[f64]) -> Self {
        let voters: Vec<Voter> = of
            .into_iter()
            .zip(weights)
            .filter(|(_, weight)| **weight > 0.0)
            .map(|(mut one, weight)| Voter {
                weight: *weight,
                model: one.standing(),
                configuration: one.configuration,
            })
            .collect();
        match <[Voter; 1]>::try_from(voters) {
            Ok([one]) => Self::one(one.configuration),
            Err(voters) => Self { name, voters },
        }
    }

    /// The only configuration; `None` of a vote.
    pub fn only(&self) -> Option<&Configuration> {
        match &self.voters[..] {
            [one] => Some(&one.configuration),
            _ => None,
        }
    }

    /// Fits it on a task: a vote's members one after the other, each unless it has its model already; where rows are many, those
    /// that are not quick on some of them. What voters want to be
    /// known one by one is not what the vote wants to be known.
    ///
    /// # Errors
    /// What the methods report; [`Error::Memory`](crate::error::Error::Memory) for a second copy of the features.
    pub fn fit(&self, task: &Task, context: &mut Context) -> Result<Model> {
        let large = task.source.rows().max(task.target.rows()) > MOST_AGAIN;
        let mut order: Vec<&Voter> = self.voters.iter().collect();
        // By their rows and preprocessing, so that there is one copy of the features at a time.
        order.sort_by_key(|voter| {
            let own = &voter.configuration;
            (large && own.is_quick(), own.steps.iter().map(|step| step.name()).collect::<Vec<_>>())
        });
        let mut ready: Option<(&[Preprocess], bool, Task, Vec<Map>)> = None;
        let mut models = Vec::new();
        for (k, voter) in order.iter().enumerate() {
            let Configuration { built, learner, steps, .. } = &voter.configuration;
            if let Standby::Kept(model) = &voter.model {
                models.push((voter.weight, model.clone()));
                continue;
            }
            context.progress(&format!("fitting {}", built.row.name), k, order.len());
            let aside = &mut context.aside();
            let of_all = !large || voter.configuration.is_quick();
            if ready.as_ref().is_none_or(|(done, all, ..)| done != steps || *all != of_all) {
                ready.take();
                let own = match (large, of_all) {
                    (false, _) => {
                        context.require("a second copy of the features", task.bytes())?;
                        task.clone()
                    }
                    (true, true) => {
                        let half =
                            task.source.rows() as f64 / (task.source.rows() + task.target.rows()) as f64;
                        context
                            .require("a second copy of the source", (task.bytes() as f64 * half) as u64)?;
                        task.select(&(0..task.source.rows()).collect::<Vec<_>>(), &[0])
                    }
                    (true, false) => task.draw(MOST_AGAIN, &mut context.rng("fitting again")),
                };
                let (own, maps) = preprocess(own, steps, aside);
                ready = Some((steps, of_all, own, maps));
            }
            let Some((_, _, task, maps)) = &ready else { unreachable!("made above") };
            let fitted = fit(built, task, learner.as_ref(), maps.clone(), aside);
            let model = match (fitted, &voter.model) {
                (Err(Error::Memory { .. }), Standby::Spare(model)) => {
                    let text = format!(
                        "`{}` takes more memory with all rows than there is: it votes as learnt from some",
                        if built.row.trains_learner { &voter.configuration.with } else { built.row.name }
                    );
                    context.note(self.name, text);
                    model.clone()
                }
                (fitted, _) => fitted?,
            };
            models.push((voter.weight, model));
        }
        drop(ready);
        match <[(f64, Model); 1]>::try_from(models) {
            Ok([(_, one)]) => Ok(one),
            Err(models) => Ok(vote(self.name, models, &task.goal, task.columns(), context)),
        }
    }
}

/// The ballot of those of weight.
pub(super) fn count(of: &[Fitted], weights: &[f64], task: &Task) -> Ballot {
    let voters = of.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    let voters = voters.filter_map(|(one, weight)| Some((*weight, one.heard()?)));
    Ballot::count(voters, &task.goal)
}

/// The share of rows that may get another answer where a vote is pruned.
const CHANGED: f64 = 0.01;

/// The weights without those of voters that hardly ever change the vote; those of the largest models are tried first.
pub(super) fn pruned(of: &mut [Fitted], mut weights: Vec<f64>, vote: &Ballot, task: &Task) -> Vec<f64> {
    let mut order: Vec<(usize, usize)> = of
        .iter_mut()
        .enumerate()
        .filter(|(k, _)| weights[*k] > 0.0)
        .map(|(k, one)| (one.model.as_mut().map_or(0, Model::stored_numbers), k))
        .collect();
    order.sort_by(|a, b| b.cmp(a));
    for (_, k) in order {
        let held = std::mem::take(&mut weights[k]);
        if weights.iter().all(|weight| *weight <= 0.0)
            || !says_the_same(&count(of, &weights, task), vote, task)
        {
            weights[k] = held;
        }
    }
    weights
}

/// Whether two votes say the same of nearly all rows; numbers count as the same within a hundredth of the labels' deviation.
fn says_the_same(one: &Ballot, other: &Ballot, task: &Task) -> bool {
    let near = match &task.source.labels {
        Labels::Classes(_) => 0.0,
        Labels::Values(of) => 0.01 * spread(of).sqrt(),
    };
    let changed = one.answers.iter().zip(&other.answers).filter(|(a, b)| (*a - *b).abs() > near).count();
    changed as f64 <= CHANGED * other.answers.len() as f64
}

/// The model of a vote among fitted models, each with its weight; their classes are among the goal's.
fn vote(name: &str, models: Vec<(f64, Model)>, goal: &Goal, columns: usize, context: &Context) -> Model {
    let (rule, classes) = match goal {
        Goal::Classes(names) => (VoteRule::Majority, names.len()),
        Goal::Value => (VoteRule::Median, 0),
    };
    let params = serde_json::json!({ "voters": models.len() });
    let place = |own: &Goal| match (own, goal) {
        (Goal::Classes(own), Goal::Classes(all)) => {
            own.iter().filter_map(|class| all.iter().position(|name| name == class)).collect()
        }
        _ => Vec::new(),
    };
    let members: Vec<Member> = models
        .into_iter()
        .map(|(weight, model)| Member {
            weight,
            classes: place(&model.goal),
            maps: model.maps,
            predictor: model.predictor,
        })
        .collect();
    let predictor = Predictor::Vote(Votes { rule, classes, members });
    let stores_rows = predictor.stores_rows();
    let about = About { method: name.into(), params, learner: None, seed: context.seed(), stores_rows };
    let (encoding, ranges) = (None, Vec::new());
    let mut model =
        Model { about, goal: goal.clone(), encoding, columns, ranges, maps: Vec::new(), predictor };
    model.shorten();
    model
}
