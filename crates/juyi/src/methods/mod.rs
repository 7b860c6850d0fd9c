//! How to learn: the methods, by family, and the registry that lists them.

pub mod baseline;
pub mod boosting;
mod held_out;
mod label_features;
pub mod mapping;
mod page;
pub mod predictor;
pub mod prior;
mod pseudo_labels;
mod registry;
pub mod transport;
pub mod weighting;

pub use page::{classifications_page, list_of_pages};
use registry::make;
pub use registry::{
    Built, CLASSIFICATIONS, Carried, Classification, Family, Goals, Grid, Group, LabelUse, LearnerNeed,
    METHODS, MethodRow, Needs, SourceNeed, Sources, build, method,
};

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::context::Context;
use crate::data::{Domain, Goal, Task};
use crate::error::{Error, Result};
use crate::learners::{Learner, Trained, train};
use crate::linalg::{Matrix, select_rows, stack};
use crate::models::{About, Map, Model, Predictor, apply_all};
use crate::params::params_of;

/// The method that does not transfer, beside which every run sets its result.
pub const NO_TRANSFER: &MethodRow = &baseline::SourceOnly::ROW;

/// The labelled target rows alone.
pub const TARGET_ONLY: &MethodRow = &baseline::TargetOnly::ROW;

/// What a method learns, before it is wrapped up as a [`Model`].
pub struct Fitted {
    /// Applied to a target row, in order.
    pub maps: Vec<Map>,
    /// The predictor and the classes it knows.
    pub trained: Trained,
    /// The [`drawn`] source rows as the learner saw them; `None` for methods that move no rows.
    pub moved: Option<Matrix>,
    /// One weight for each source row, as the learner saw it last; `None` for methods that give none.
    pub weights: Option<Vec<f64>>,
}

/// Up to 300 of `n` rows, evenly spread: those that figures show.
pub fn drawn(n: usize) -> Vec<usize> {
    const MOST: usize = 300;
    let count = n.min(MOST);
    (0..count).map(|i| i * n / count).collect()
}

/// What is known of a source by its model alone.
#[derive(Debug, Clone)]
pub struct SourceModel {
    /// What messages call it: the file's name.
    pub name: String,
    /// Applied to a row, in order, before the predictor.
    pub maps: Vec<Map>,
    /// The predictor, and which of the goal's classes it knows.
    pub trained: Trained,
}

/// A way to learn from a task.
pub trait Method: Send + Sync {
    /// Checks the parameters against their ranges.
    ///
    /// # Errors
    /// [`Error::Param`].
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The method as an adapter; `None` where it learns as a whole.
    fn adapter(&self) -> Option<&dyn Adapter> {
        None
    }

    /// Learns. The task has been checked against the method's [`Needs`]. `learner` is what adapters train; methods
    /// that are predictors themselves do without.
    ///
    /// # Errors
    /// [`Error::Memory`] or [`Error::Numeric`].
    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted>;

    /// Learns from source models (one at least) without their rows, for methods that declare it in their [`Needs`]. The
    /// target's rows have been through no map yet.
    ///
    /// # Errors
    /// [`Error::Unsuited`] if the models are not of a kind that the method can use; as [`Method::fit`].
    fn refine(
        &self,
        _sources: &[SourceModel],
        _target: &Domain,
        _goal: &Goal,
        _learner: &dyn Learner,
        _context: &mut Context,
    ) -> Result<Fitted> {
        Err(Error::Unsuited {
            method: "the method".into(),
            problem: "learns from source rows, and there are models only".into(),
            hint: "`juyi methods NAME` says which work from a model alone".into(),
        })
    }
}

/// A way to make source rows serve the target; any learner is then trained on them. Weighting, mapping and transport
/// methods are adapters.
pub trait Adapter: Send + Sync {
    /// Checks the parameters against their ranges.
    ///
    /// # Errors
    /// [`Error::Param`].
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Adapts. Pseudo-labels, where a method uses them, come from `learner`.
    ///
    /// # Errors
    /// [`Error::Memory`] or [`Error::Numeric`].
    fn adapt<'a>(&self, task: &'a Task, learner: &dyn Learner, context: &mut Context) -> Result<Adapted<'a>>;
}

/// What an adapter returns.
pub struct Adapted<'a> {
    /// The source rows as the learner should see them `(n_s, k)`.
    pub source: Cow<'a, Matrix>,
    /// One weight, 0 or above, for each source row `(n_s)`, mean 1; `None` for all 1.
    pub weights: Option<Vec<f64>>,
    /// What brings a target row to the same space.
    pub target_map: Vec<Map>,
}

impl<A: Adapter> Method for A {
    fn check(&self) -> Result<()> {
        Adapter::check(self)
    }

    fn adapter(&self) -> Option<&dyn Adapter> {
        Some(self)
    }

    /// Adapts, then trains the learner on the adapted source rows and, below them with weight 1, the labelled target
    /// rows.
    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let Adapted { source, weights, target_map } = self.adapt(task, learner, context)?;
        let target = &task.target;
        let moves = !target_map.is_empty() || matches!(source, Cow::Owned(_));
        let moved = moves.then(|| select_rows(source.as_ref().as_ref(), &drawn(source.nrows())));
        let trained = if target.labelled.is_empty() {
            train(learner, &source, &task.source.labels, weights.as_deref(), &task.goal, context)?
        } else {
            let own = apply_all(&target_map, target.labelled_features().as_ref());
            let rows = stack(source.as_ref().as_ref(), own.as_ref());
            let labels = task.source.labels.chain(&target.labels);
            let all = weights.as_deref().map(|w| [w, &vec![1.0; own.nrows()]].concat());
            train(learner, &rows, &labels, all.as_deref(), &task.goal, context)?
        };
        Ok(Fitted { maps: target_map, trained, moved, weights })
    }
}

/// Kish's effective sample size `(Σ w)² / Σ w²`: how many rows of equal weight have the same variance.
pub fn effective_rows(weights: &[f64]) -> f64 {
    let (sum, squares) = weights.iter().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// Fewer effective rows, or a smaller share of the source rows, are too few to learn from.
const FEWEST_EFFECTIVE: (f64, f64) = (10.0, 0.05);

/// Fits a method on a preprocessed task and wraps up the model: `before` are the maps of the preprocessing.
///
/// # Errors
/// [`Error::Unsuited`] if the method cannot serve this task; what the method reports.
pub fn fit(
    built: &Built,
    task: &Task,
    learner: &dyn Learner,
    before: Vec<Map>,
    context: &mut Context,
) -> Result<Model> {
    Ok(fit_and_show(built, task, learner, before, context)?.model)
}

/// A fitted model with what is to be shown of the fit.
pub struct Shown {
    /// The model.
    pub model: Model,
    /// The [`drawn`] source rows as its learner saw them, where the method moves rows.
    pub moved: Option<Matrix>,
    /// One weight for each source row, as the learner saw it last, where the method weighs them.
    pub weights: Option<Vec<f64>>,
    /// How many rows of equal weight the source rows are worth, where an adapter weighs them.
    pub effective_rows: Option<f64>,
}

/// What an adapter makes of a preprocessed task, by which any learner can be trained: the source rows as it should see
/// them, their weights, and the maps that bring target rows to the same space.
///
/// # Errors
/// [`Error::Unsuited`] if the method is no adapter or cannot serve this task; what the method reports.
pub fn adapt<'a>(
    built: &Built,
    task: &'a Task,
    learner: &dyn Learner,
    context: &mut Context,
) -> Result<Adapted<'a>> {
    let Some(adapter) = built.method.adapter() else {
        return Err(Error::Unsuited {
            method: built.row.name.into(),
            problem: "learns as a whole, and leaves no rows or weights for a learner".into(),
            hint: "fit it, or choose an adapter, such as `kmm`, `coral` or `sinkhorn`".into(),
        });
    };
    built.row.needs.check(built.row, task, context)?;
    adapter.check()?;
    adapter.adapt(task, learner, context)
}

/// The same, with what is to be shown; warns where the weights leave next to no rows to learn from.
///
/// # Errors
/// As [`fit`].
pub fn fit_and_show(
    built: &Built,
    task: &Task,
    learner: &dyn Learner,
    before: Vec<Map>,
    context: &mut Context,
) -> Result<Shown> {
    built.row.needs.check(built.row, task, context)?;
    built.method.check()?;
    let Fitted { maps, trained, moved, weights } = built.method.fit(task, learner, context)?;
    // A method as a whole has reasons of its own to take weight from rows, which the warning does not tell.
    let effective_rows = built.method.adapter().and(weights.as_deref()).map(effective_rows);
    let rows = task.source.rows() as f64;
    if let Some(worth) =
        effective_rows.filter(|n| *n < FEWEST_EFFECTIVE.0.max(FEWEST_EFFECTIVE.1 * rows).min(rows))
    {
        let text = format!(
            "the weights fall on few rows: the {rows} source rows are worth {worth:.1} of equal weight; hardly any lies \
             where the target's rows are"
        );
        context.warn(built.row.name, text);
    }
    let maps = [before, maps].concat();
    let learner = built.row.trains_learner.then(|| learner.name());
    let model = wrapped(built, maps, trained, &task.goal, task.columns(), learner, context);
    Ok(Shown { model, moved, weights, effective_rows })
}

/// Fits a method on source models alone, for target rows that have been through no map.
///
/// # Errors
/// [`Error::Unsuited`] if the method needs source rows, or target labels that are not there; what the method reports.
pub fn refine(
    built: &Built,
    sources: &[SourceModel],
    target: &Domain,
    goal: &Goal,
    learner: &dyn Learner,
    context: &mut Context,
) -> Result<Model> {
    built.row.needs.check_models(built.row, target, goal)?;
    built.method.check()?;
    let Fitted { maps, trained, .. } = built.method.refine(sources, target, goal, learner, context)?;
    let learner = built.row.trains_learner_on_models().then(|| learner.name());
    Ok(wrapped(built, maps, trained, goal, target.features.ncols(), learner, context))
}

/// What a method learnt, as a model.
fn wrapped(
    built: &Built,
    maps: Vec<Map>,
    trained: Trained,
    goal: &Goal,
    columns: usize,
    learner: Option<&str>,
    context: &Context,
) -> Model {
    let Trained { predictor, classes } = trained;
    let goal = match goal {
        Goal::Classes(names) => Goal::Classes(classes.iter().map(|&c| names[c].clone()).collect()),
        Goal::Value => Goal::Value,
    };
    let stores_rows = predictor.stores_rows() || maps.iter().any(Map::stores_rows);
    let about = About {
        method: built.row.name.into(),
        params: built.params.clone(),
        learner: learner.map(Into::into),
        seed: context.seed(),
        stores_rows,
    };
    Model { about, goal, encoding: None, columns, ranges: Vec::new(), maps, predictor }
}

/// A check of one parameter's range, for [`Method::check`].
///
/// # Errors
/// [`Error::Param`] unless `holds`.
pub fn must(owner: &str, name: &str, holds: bool, must: &str, got: impl std::fmt::Display) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(Error::Param { owner: owner.into(), name: name.into(), must: must.into(), got: got.to_string() })
}

/// Refuses a whole number outside of its range.
///
/// # Errors
/// [`Error::Param`].
pub fn count(owner: &str, name: &str, got: usize, range: RangeInclusive<usize>) -> Result<()> {
    must(owner, name, range.contains(&got), &format!("between {} and {}", range.start(), range.end()), got)
}

/// A predictor over all classes of the goal, for methods that train no learner.
pub fn over_all_classes(predictor: Predictor, task: &Task) -> Trained {
    Trained { predictor, classes: (0..task.goal.classes()).collect() }
}
