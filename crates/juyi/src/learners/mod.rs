//! Ordinary supervised learners that honour sample weights: integer weights equal repeated rows, weight 0 a row that
//! is not there.

pub mod boosting;
mod class_means;
mod correction;
mod decision_tree;
mod growth;
mod kernel_svm;
mod logistic;
mod nearest;
mod random_forest;
mod ridge;
mod splits;
mod svm;
mod tree_transfer;

pub use class_means::{ClassMeans, weighted_class_means};
pub use correction::{Loss, correct};
pub use decision_tree::DecisionTree;
pub use kernel_svm::KernelSvm;
pub use logistic::Logistic;
pub use nearest::NearestNeighbor;
pub use random_forest::RandomForest;
pub use ridge::{Ridge, ridge_weights};
pub use svm::Svm;
pub use tree_transfer::{expand_reduce, retune_thresholds};

use faer::MatRef;

use crate::context::Context;
use crate::data::{Goal, Labels};
use crate::error::{Error, Result};
use crate::linalg::{Matrix, select_rows};
use crate::models::Predictor;

/// A supervised learner.
pub trait Learner: Send + Sync {
    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// Whether it can predict numbers as well as classes.
    fn regresses(&self) -> bool {
        false
    }

    /// Whether it makes use of weights other than 0 and 1.
    fn weighs(&self) -> bool {
        true
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

/// One row of the learners' registry.
pub struct LearnerRow {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is, with its objective.
    pub summary: &'static str,
    /// Makes it.
    pub build: fn() -> Box<dyn Learner>,
}

/// All learners.
pub const LEARNERS: &[LearnerRow] = &[
    LearnerRow {
        name: "1-nn",
        summary: "the nearest training row (Euclidean)",
        build: || Box::new(NearestNeighbor),
    },
    LearnerRow {
        name: "class-means",
        summary: "the nearest class mean (Euclidean)",
        build: || Box::new(ClassMeans),
    },
    LearnerRow {
        name: "logistic",
        summary: "multinomial logistic regression, ½|W|² + Σ w_i loss_i",
        build: || Box::new(Logistic::default()),
    },
    LearnerRow {
        name: "svm",
        summary: "linear support vector machine, ½|w|² + Σ w_i hinge_i², one against the rest",
        build: || Box::new(Svm::default()),
    },
    LearnerRow {
        name: "kernel-svm",
        summary: "Gaussian-kernel support vector machine, ½|w|² + Σ w_i hinge_i, a vote among pairs of classes",
        build: || Box::new(KernelSvm::default()),
    },
    LearnerRow {
        name: "ridge",
        summary: "linear least squares, |w|² + Σ w_i residual_i²; classes as ±1",
        build: || Box::new(Ridge::default()),
    },
    LearnerRow {
        name: "decision-tree",
        summary: "one tree, parted by the Gini index or squared error down to leaves of weight 5",
        build: || Box::new(DecisionTree::default()),
    },
    LearnerRow {
        name: "random-forest",
        summary: "the mean of 100 deep trees on drawn rows and columns",
        build: || Box::new(RandomForest::default()),
    },
];

/// The learner of this name.
///
/// # Errors
/// [`Error::Unknown`].
pub fn learner(name: &str) -> Result<Box<dyn Learner>> {
    LEARNERS.iter().find(|row| row.name == name).map(|row| (row.build)()).ok_or_else(|| Error::Unknown {
        kind: "learner".into(),
        name: name.into(),
        known: LEARNERS.iter().map(|row| row.name.to_string()).collect(),
    })
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
    if learner.weighs() {
        return Ok(());
    }
    Err(Error::Unsuited {
        method: learner.name().into(),
        problem: "cannot use row weights".into(),
        hint: "choose `--learner logistic`, `svm`, `kernel-svm`, `ridge`, `class-means`, `decision-tree` or \
               `random-forest`"
            .into(),
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
    let unsuited = |problem: String, hint: &str| {
        Err(Error::Unsuited { method: learner.name().into(), problem, hint: hint.into() })
    };
    if *goal == Goal::Value && !learner.regresses() {
        return unsuited(
            "predicts classes, not numbers".into(),
            "use `--learner ridge`, `1-nn`, `decision-tree` or `random-forest`",
        );
    }
    let all = vec![1.0; rows.nrows()];
    let weights = weights.unwrap_or(&all);
    let kept: Vec<usize> = (0..rows.nrows()).filter(|&i| weights[i] > 0.0).collect();
    if kept.is_empty() {
        return unsuited("was given no row of weight above 0".into(), "");
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
