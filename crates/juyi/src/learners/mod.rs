//! Ordinary supervised learners that honour sample weights: integer weights equal repeated rows, weight 0 a row that
//! is not there.

pub mod boosting;
mod class_means;
mod correction;
mod decision_tree;
mod gradient_boosting;
mod growth;
mod histogram_trees;
mod kernel_svm;
mod logistic;
mod nearest;
mod random_forest;
mod ridge;
mod svm;
mod tree_transfer;

pub use class_means::{ClassMeans, weighted_class_means};
pub use correction::{Loss, correct};
pub use decision_tree::DecisionTree;
pub use gradient_boosting::GradientBoosting;
pub use kernel_svm::KernelSvm;
pub use logistic::Logistic;
pub use nearest::NearestNeighbor;
pub use random_forest::RandomForest;
pub use ridge::{Ridge, ridge_weights};
pub use svm::Svm;
pub use tree_transfer::{expand_reduce, retune_thresholds};

use std::fmt::Write;

use faer::MatRef;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use crate::context::Context;
use crate::data::{Goal, Labels};
use crate::error::{Error, Result};
use crate::heads::{head, page};
use crate::linalg::{Matrix, select_rows};
use crate::models::Predictor;
use crate::params::{ParamInfo, asked, check_names, markdown, name_of_asked, of_owner, read_params};

/// A supervised learner.
pub trait Learner: Send + Sync {
    /// Its row in the registry.
    fn row(&self) -> &'static LearnerRow;

    /// Its name.
    fn name(&self) -> &'static str {
        self.row().name
    }

    /// Fits rows `(n, d)` with one label and one weight (above 0) a row; `classes` classes, each with at least one
    /// row, or 0 for a regression. Call it through [`train`], which sees to these conditions.
    ///
    /// # Errors
    /// [`Error::Numeric`] if a solver breaks down.
    fn fit(
        &self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        context: &mut Context,
    ) -> Result<Predictor>;
}

/// The place of a learner among those that baselines are tried with, from 1; `None` where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Baseline {
    /// For classes.
    pub classes: Option<u8>,
    /// For numbers.
    pub values: Option<u8>,
}

/// Makes a learner from given parameters; also returns all of them.
type Make = fn(&JsonMap<String, Value>) -> Result<(Box<dyn Learner>, Value)>;

/// What is known of a learner without fitting it.
#[expect(clippy::struct_excessive_bools, reason = "what a learner can do, each by itself")]
pub struct LearnerRow {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is, with its objective.
    pub summary: &'static str,
    /// Whether it can predict numbers as well as classes.
    pub regresses: bool,
    /// Whether it makes use of weights other than 0 and 1.
    pub weighs: bool,
    /// Whether it leaves trees, which some methods go on from.
    pub leaves_trees: bool,
    /// Whether it asks columns one by one, so that their scales say nothing to it.
    pub by_column: bool,
    /// Whether baselines are tried with it.
    pub baseline: Baseline,
    /// The most source rows for which baselines are tried with it: beyond, a fit takes minutes.
    pub most_rows: usize,
    /// The text of its file, of which the head is its page.
    pub source: &'static str,
    /// Its parameters.
    pub params: fn() -> Vec<ParamInfo>,
    make: Make,
}

impl LearnerRow {
    /// The head of the learner's file: what it minimizes, the paper, what it costs.
    pub fn head(&self) -> String {
        head(self.source)
    }

    /// The learner's page in Markdown.
    pub fn page(&self) -> String {
        let mut out = page(self.name, &self.head());
        let goals = if self.regresses { "classification, regression" } else { "classification" };
        let weights = if self.weighs { "uses" } else { "does not use" };
        let _ = writeln!(out, "\n**In short.** A learner for {goals}; {weights} weights of rows.");
        out += &markdown(&(self.params)());
        out
    }
}

/// All learners.
pub static LEARNERS: &[LearnerRow] = &[
    NearestNeighbor::ROW,
    ClassMeans::ROW,
    Logistic::ROW,
    Svm::ROW,
    KernelSvm::ROW,
    Ridge::ROW,
    DecisionTree::ROW,
    RandomForest::ROW,
    GradientBoosting::ROW,
];

/// A learner of this type with these parameters, the others at their defaults, and all of them.
fn make<L>(given: &JsonMap<String, Value>) -> Result<(Box<dyn Learner>, Value)>
where
    L: Learner + Default + Serialize + DeserializeOwned + 'static,
{
    let (learner, all) = read_params::<L>(given)?;
    Ok((Box::new(learner), all))
}

/// The row of this name.
///
/// # Errors
/// [`Error::Unknown`].
pub fn learner_row(name: &str) -> Result<&'static LearnerRow> {
    LEARNERS.iter().find(|row| row.name == name).ok_or_else(|| Error::Unknown {
        kind: "learner".into(),
        name: name.into(),
        known: LEARNERS.iter().map(|row| row.name.to_string()).collect(),
    })
}

/// The learner of this name with these parameters, the others at their defaults.
///
/// # Errors
/// [`Error::Unknown`] for an unknown learner or parameter, [`Error::Param`] for a value of the wrong kind.
pub fn learner_with(name: &str, params: &JsonMap<String, Value>) -> Result<Box<dyn Learner>> {
    let row = learner_row(name)?;
    check_names(&format!("parameter of `{name}`"), &(row.params)(), params)?;
    Ok((row.make)(params).map_err(|error| of_owner(error, name))?.0)
}

/// The learner that is asked for: by its name, or by its name and parameters as in `svm(cost=10)`, the others at their
/// defaults.
///
/// # Errors
/// As [`learner_with`]; [`Error::Input`] for what is written otherwise.
pub fn learner(text: &str) -> Result<Box<dyn Learner>> {
    let (name, params) = asked("learner", text)?;
    learner_with(name, &params)
}

/// The row of the learner that is [asked for](learner), with parameters or without.
///
/// # Errors
/// [`Error::Unknown`].
pub(crate) fn row_of_asked(asked: &str) -> Result<&'static LearnerRow> {
    learner_row(name_of_asked(asked))
}

/// The names of learners of which this is so, as they are asked for.
fn those(is: impl Fn(&LearnerRow) -> bool) -> String {
    let names: Vec<String> =
        LEARNERS.iter().filter(|row| is(row)).map(|row| format!("`{}`", row.name)).collect();
    let (last, others) = names.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
    if others.is_empty() { last.into() } else { format!("{} or {last}", others.join(", ")) }
}

/// What [`train`] returns.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The fitted predictor over the classes that it saw.
    pub predictor: Predictor,
    /// Which classes of the goal the predictor's classes are, rising; empty for a regression.
    pub classes: Vec<usize>,
}

/// Refuses a learner that cannot use row weights.
///
/// # Errors
/// [`Error::Unsuited`].
pub fn must_weigh(learner: &dyn Learner) -> Result<()> {
    if learner.row().weighs {
        return Ok(());
    }
    Err(Error::Unsuited {
        method: learner.name().into(),
        problem: "cannot use row weights".into(),
        hint: format!("choose `‹learner›` {}", those(|row| row.weighs)),
    })
}

/// Fits `learner`: rows of weight 0 are left out, and classes that then have no row are left out of the predictor and
/// named in a notice. `weights` of `None` are all 1.
///
/// # Errors
/// [`Error::Unsuited`] if the learner cannot use the weights or the kind of labels; what the learner reports.
pub fn train(
    learner: &dyn Learner,
    rows: &Matrix,
    labels: &Labels,
    weights: Option<&[f64]>,
    goal: &Goal,
    context: &mut Context,
) -> Result<Trained> {
    let unsuited =
        |problem: String, hint: String| Err(Error::Unsuited { method: learner.name().into(), problem, hint });
    if *goal == Goal::Value && !learner.row().regresses {
        let hint = format!("use `‹learner›` {}", those(|row| row.regresses));
        return unsuited("predicts classes, not numbers".into(), hint);
    }
    let all = vec![1.0; rows.nrows()];
    let weights = weights.unwrap_or(&all);
    let kept: Vec<usize> = (0..rows.nrows()).filter(|&i| weights[i] > 0.0).collect();
    if kept.is_empty() {
        return unsuited("was given no row of weight above 0".into(), String::new());
    }
    if kept.iter().any(|&i| weights[i] != weights[kept[0]]) {
        must_weigh(learner)?;
    }
    let dropped = (kept.len() < rows.nrows()).then(|| select_rows(rows.as_ref(), &kept));
    let rows = dropped.as_ref().unwrap_or(rows);
    let weights: Vec<f64> = kept.iter().map(|&i| weights[i]).collect();
    let labels = labels.select(&kept);
    let (Labels::Classes(of), Goal::Classes(names)) = (&labels, goal) else {
        let predictor = learner.fit(rows.as_ref(), &labels, &weights, 0, context)?;
        return Ok(Trained { predictor, classes: Vec::new() });
    };
    let mut position = vec![None; names.len()];
    for &c in of {
        position[c] = Some(0);
    }
    let classes: Vec<usize> = (0..names.len()).filter(|&c| position[c].is_some()).collect();
    classes.iter().enumerate().for_each(|(new, &old)| position[old] = Some(new));
    if classes.len() < names.len() {
        let absent = (0..names.len()).filter(|&c| position[c].is_none()).map(|c| format!("`{}`", names[c]));
        let absent: Vec<String> = absent.collect();
        context.warn(
            learner.name(),
            format!("no training row for class {}: it is never predicted", absent.join(", ")),
        );
    }
    let compact = Labels::Classes(of.iter().filter_map(|&c| position[c]).collect());
    let predictor = learner.fit(rows.as_ref(), &compact, &weights, classes.len(), context)?;
    Ok(Trained { predictor, classes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learners_are_made_from_parameters_by_name() {
        let with = |text: &str| -> JsonMap<String, Value> { serde_json::from_str(text).unwrap() };
        let problem = |name: &str, text: &str| learner_with(name, &with(text)).err().unwrap().to_string();
        assert_eq!(learner_with("svm", &with(r#"{"cost": "10"}"#)).unwrap().name(), "svm");
        assert_eq!(problem("svm", r#"{"penalty": 1}"#), "unknown parameter of `svm` `penalty`");
        assert!(problem("svm", r#"{"cost": "much"}"#).starts_with("`svm`: `cost` must be of its type"));
        assert_eq!(problem("perceptron", "{}"), "unknown learner `perceptron`");
        // A parameter changes what is learnt.
        let rows = crate::linalg::from_rows(&[vec![0.0], vec![1.0], vec![2.0], vec![5.0]]);
        let labels = Labels::Classes(vec![0, 0, 1, 1]);
        let weights = |text: &str| {
            let own = learner_with("ridge", &with(text)).unwrap();
            match own.fit(rows.as_ref(), &labels, &[1.0; 4], 2, &mut Context::default()).unwrap() {
                Predictor::Linear { weights, .. } => weights[(0, 0)],
                _ => unreachable!("ridge is linear"),
            }
        };
        assert!(weights("{}").abs() > 2.0 * weights(r#"{"penalty": 100}"#).abs());
    }

    #[test]
    fn rows_say_what_learners_can_do() {
        for row in LEARNERS {
            let own = learner(row.name).unwrap();
            assert!(own.row().source == row.source && own.name() == row.name);
            assert!(row.head().contains("Cost: ") || row.head().contains("cost"), "{}", row.name);
            for param in (row.params)() {
                assert!(param.about.len() > 10, "{}: {}", row.name, param.name);
            }
        }
        assert_eq!(those(|row| row.leaves_trees), "`decision-tree` or `random-forest`");
        assert_eq!(those(|row| row.name == "svm"), "`svm`");
        // Places among the baselines are given once.
        for place in [|row: &LearnerRow| row.baseline.classes, |row: &LearnerRow| row.baseline.values] {
            let mut places: Vec<u8> = LEARNERS.iter().filter_map(place).collect();
            places.sort_unstable();
            assert!(places.iter().copied().eq(1..=places.len() as u8), "{places:?}");
        }
    }
}
