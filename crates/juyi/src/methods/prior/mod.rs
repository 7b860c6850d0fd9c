//! Knowledge carried as parameters: a fitted source model is refined on the target, and no source row is needed.

mod biased_regularization;
mod gaussian_prior;
mod ser;
mod starting_scores;
mod statistics_reestimation;
mod strut;

pub use biased_regularization::BiasedRegularization;
pub use gaussian_prior::GaussianPrior;
pub use ser::Ser;
pub use statistics_reestimation::StatisticsReestimation;
pub use strut::Strut;

use std::ops::Range;

use faer::MatRef;

use super::{Fitted, SourceModel};
use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::{Error, Result};
use crate::learners::{Learner, Trained, train};
use crate::models::{Predictor, Trees, apply_all};

/// The learner's model of all source rows together: what a method of this family refines where rows are given.
fn model_of_source(task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<SourceModel> {
    let source = &task.source;
    let trained = train(learner, &source.features, &source.labels, None, &task.goal, context)?;
    Ok(SourceModel { name: source.name.clone(), maps: Vec::new(), trained })
}

/// The learner's model of each source.
fn model_of_each_source(
    task: &Task,
    learner: &dyn Learner,
    context: &mut Context,
) -> Result<Vec<SourceModel>> {
    let one = |(name, range): &(String, Range<usize>)| {
        let rows = task.source.features.get(range.clone(), ..).to_owned();
        let which: Vec<usize> = range.clone().collect();
        let labels = task.source.labels.select(&which);
        let trained = train(learner, &rows, &labels, None, &task.goal, context)?;
        Ok(SourceModel { name: name.clone(), maps: Vec::new(), trained })
    };
    task.parts.iter().map(one).collect()
}

/// The one source model that there is.
fn only_model<'a>(method: &str, sources: &'a [SourceModel]) -> Result<&'a SourceModel> {
    match sources {
        [one] => Ok(one),
        _ => Err(Error::Unsuited {
            method: method.into(),
            problem: format!("refines one model, and there are {}", sources.len()),
            hint: "give one `‹source›`; `gaussian-prior` learns from several models".into(),
        }),
    }
}

/// The source model with its trees, over all classes of the goal, as `refined` makes them from the labelled target rows
/// `(n, d)`.
fn with_trees(
    method: &str,
    sources: &[SourceModel],
    target: &Domain,
    goal: &Goal,
    refined: impl FnOnce(&Trees, MatRef<'_, f64>) -> Result<Trees>,
) -> Result<Fitted> {
    let SourceModel { name, maps, trained } = only_model(method, sources)?;
    let trees = match &trained.predictor {
        Predictor::Trees(trees) if *goal == Goal::Value => trees.clone(),
        Predictor::Trees(trees) => trees.among(&trained.classes, goal.classes()),
        _ => {
            return Err(Error::Unsuited {
                method: method.into(),
                problem: format!("refines trees, and `{name}` has none"),
                hint: "fit the source with `‹learner random-forest›` or `decision-tree`".into(),
            });
        }
    };
    let rows = apply_all(maps, target.labelled_features().as_ref());
    let predictor = Predictor::Trees(refined(&trees, rows.as_ref())?);
    let trained = Trained { predictor, classes: (0..goal.classes()).collect() };
    Ok(Fitted { maps: maps.clone(), trained, moved: None, weights: None })
}
