//! What is fitted and written, and the model of a vote.

use super::candidates::Configuration;
use crate::context::Context;
use crate::data::Goal;
use crate::models::{About, Member, Model, Predictor, VoteRule, Votes};

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
    /// Its model, where it was fitted on all rows already.
    pub model: Option<Model>,
}

/// The vote of what was tried.
pub const VOTE: &str = "vote";

/// The vote of the learners that take nothing from the target.
pub const PLAIN_VOTE: &str = "plain-vote";

impl Proposal {
    /// One configuration.
    pub fn one(configuration: Configuration) -> Self {
        let name = configuration.built.row.name;
        Self { name, voters: vec![Voter { configuration, weight: 1.0, model: None }] }
    }

    /// The only configuration; `None` of a vote.
    pub fn only(&self) -> Option<&Configuration> {
        match &self.voters[..] {
            [one] => Some(&one.configuration),
            _ => None,
        }
    }
}

/// The model of a vote among fitted models, each with its weight; their classes are among the goal's.
pub fn vote(name: &str, models: Vec<(f64, Model)>, goal: &Goal, columns: usize, context: &Context) -> Model {
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
    Model { about, goal: goal.clone(), encoding, columns, ranges, maps: Vec::new(), predictor }
}
