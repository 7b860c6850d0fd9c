//! Gradient-boosted trees: small trees one after the other, each of which lowers the loss that those before it leave;
//! their answers are added up.
//!
//! Paper: J. H. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29, 2001,
//! with the second-order gain of T. Chen and C. Guestrin, "`XGBoost`: a scalable tree boosting system", KDD 2016, and the
//! histograms and leaf-wise growth of G. Ke et al., "`LightGBM`: a highly efficient gradient boosting decision tree", NIPS
//! 2017. Scores `F` start at the mean, or at the logarithms of the shares of the classes. Each round adds a tree, or one
//! for each class where there are more than two:
//! ```text
//! g_i, h_i = w_i (F_i - y_i), w_i            (numbers, squared error)
//!            w_i (p_ic - [y_i = c]), w_i p_ic (1 - p_ic)       (classes, cross entropy; p = softmax F)
//! value    = -shrinkage G / (H + penalty)              G, H: sums of g, h over the leaf's rows
//! gain     = G_l² / (H_l + penalty) + G_r² / (H_r + penalty) - G² / (H + penalty)
//! ```
//! The leaf whose best split gains most is parted next, until there are `leaves` of them, all splits leave a leaf lighter
//! than `leaf_weight`, or none gains. A split is looked for between bins of each column: its distinct values where there
//! are up to 255, else 255 bins of like weight. Among equal splits the first column wins, then the least threshold.
//!
//! Where we differ: two classes are one tree a round, for the second class; rows that are alike are one row of
//! their weight, so that integer weights equal repeated rows to the last bit; no rows are drawn, and none is kept back to
//! stop early. Beyond 1000 columns each round draws 1000 of them, or as many as `columns` says.
//!
//! Cost: `O(n d)` a level of a tree and `O(255 d)` a node, in parallel over the columns: on numbers or two classes just
//! under two minutes on one core for a million rows of a hundred columns; with more classes as much for each. `n d`
//! bytes of memory. The model grows with `rounds × leaves`, not with the rows.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::growth::{columns, merged};
use super::histogram_trees::{Binned, Growth, Slope};
use super::logistic::{above_zero, only_class};
use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, exponentials};
use crate::models::{Node, Predictor, Trees};
use crate::params::params_of;

/// Boosted trees for classes or numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradientBoosting {
    /// How many rounds, each of a tree, or of one a class where there are more than two. 1 to 10000.
    pub rounds: usize,
    /// The part of its step that each tree takes: less needs more rounds. Above 0, up to 1.
    pub shrinkage: f64,
    /// The most leaves of a tree. 2 to 1000.
    pub leaves: usize,
    /// The least weight of a leaf, where a plain row weighs 1. Above 0, finite.
    pub leaf_weight: f64,
    /// The penalty on the square of a leaf's value, in rows. Above 0, finite.
    pub penalty: f64,
    /// How many columns are drawn for each round. 1 to 1000000; `None` for all up to 1000, else 1000.
    pub columns: Option<usize>,
}

impl Default for GradientBoosting {
    fn default() -> Self {
        Self { rounds: 100, shrinkage: 0.1, leaves: 15, leaf_weight: 5.0, penalty: 1.0, columns: None }
    }
}

impl GradientBoosting {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "gradient-boosting",
        summary: "the sum of 100 rounds of small trees, each fitted to what those before it leave",
        regresses: true,
        weighs: true,
        leaves_trees: false,
        by_column: true,
        baseline: Baseline { classes: Some(6), values: Some(4) },
        most_rows: usize::MAX,
        source: include_str!("gradient_boosting.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };

    /// # Errors
    /// [`Error::Param`].
    fn check(&self) -> Result<()> {
        let within = |name: &str, value: usize, most: usize, least: usize| {
            let (owner, must) = (self.name().into(), format!("between {least} and {most}"));
            let error = || Error::Param { owner, name: name.into(), must, got: value.to_string() };
            if (least..=most).contains(&value) { Ok(()) } else { Err(error()) }
        };
        within("rounds", self.rounds, 10_000, 1)?;
        within("leaves", self.leaves, 1000, 2)?;
        within("columns", self.columns.unwrap_or(1), 1_000_000, 1)?;
        if !(self.shrinkage > 0.0 && self.shrinkage <= 1.0) {
            let (owner, name) = (self.name().into(), "shrinkage".into());
            let (must, got) = ("above 0 and at most 1".into(), self.shrinkage.to_string());
            return Err(Error::Param { owner, name, must, got });
        }
        above_zero(self.name(), "leaf_weight", self.leaf_weight)?;
        above_zero(self.name(), "penalty", self.penalty)
    }
}

/// What the trees are fitted to, and where they start.
struct Target {
    /// The loss of which the scores are improved.
    loss: Loss,
    /// The score that all rows start with, one a class, or one number.
    start: Vec<f64>,
    /// The classes that trees add to; 0 for numbers.
    adds_to: Vec<usize>,
    /// What a gain is held against: no split gains more.
    scale: f64,
    /// What a score of 1 is in the unit of the labels.
    unit: f64,
}

/// A loss of the scores.
enum Loss {
    /// Half the squared distance to these numbers.
    Squared(Vec<f64>),
    /// The negative logarithm of the probability of these classes.
    CrossEntropy(Vec<usize>),
}

impl Target {
    fn new(labels: Labels, weights: &[f64], classes: usize) -> Result<Self> {
        let total: f64 = weights.iter().sum();
        match labels {
            Labels::Values(values) => {
                let first = values[0];
                let off: f64 = values.iter().zip(weights).map(|(y, w)| w * (y - first)).sum();
                let mean = first + off / total;
                // In units of the largest residual no square overflows.
                let largest = values.iter().map(|y| (y - mean).abs()).fold(0.0, f64::max);
                if !(mean.is_finite() && largest.is_finite()) {
                    let why = "the labels are too far apart".into();
                    return Err(Error::Numeric { what: "the mean of the labels".into(), why });
                }
                let unit = if largest > 0.0 { largest } else { 1.0 };
                let residuals: Vec<f64> = values.iter().map(|y| (y - mean) / unit).collect();
                let scale = residuals.iter().zip(weights).map(|(r, w)| w * r * r).sum();
                let start = vec![mean];
                Ok(Self { loss: Loss::Squared(residuals), start, adds_to: vec![0], scale, unit })
            }
            Labels::Classes(of) => {
                let mut shares = vec![0.0; classes];
                of.iter().zip(weights).for_each(|(&c, w)| shares[c] += w / total);
                let logarithms: Vec<f64> = shares.iter().map(|share: &f64| share.ln()).collect();
                let (start, adds_to) = if classes == 2 {
                    (vec![0.0, logarithms[1] - logarithms[0]], vec![1])
                } else {
                    (logarithms, (0..classes).collect())
                };
                Ok(Self { loss: Loss::CrossEntropy(of), start, adds_to, scale: total, unit: 1.0 })
            }
        }
    }

    /// Scores `(n, c)` before the first round; of numbers the start is taken off the labels instead.
    fn scores(&self) -> Matrix {
        match &self.loss {
            Loss::Squared(values) => Mat::zeros(values.len(), 1),
            Loss::CrossEntropy(of) => Mat::from_fn(of.len(), self.start.len(), |_, c| self.start[c]),
        }
    }

    /// The slopes of all rows in the score of `class`, given what [`Self::shares`] makes of the scores.
    fn slopes(&self, shares: &Matrix, class: usize, weights: &[f64]) -> Vec<Slope> {
        let rows = shares.col_as_slice(class).iter().zip(weights);
        match &self.loss {
            Loss::Squared(values) => rows
                .zip(values)
                .map(|((f, &weight), y)| Slope { gradient: weight * (f - y), curvature: weight, weight })
                .collect(),
            Loss::CrossEntropy(of) => rows
                .zip(of)
                .map(|((p, &weight), &c)| {
                    let gradient = weight * (p - f64::from(c == class));
                    Slope { gradient, curvature: weight * p * (1.0 - p), weight }
                })
                .collect(),
        }
    }

    /// The probabilities of the classes; numbers as they are.
    fn shares(&self, scores: &Matrix) -> Matrix {
        let mut shares = scores.clone();
        if let Loss::Squared(_) = self.loss {
            return shares;
        }
        let mut largest = scores.col_as_slice(0).to_vec();
        for c in 1..scores.ncols() {
            largest.iter_mut().zip(scores.col_as_slice(c)).for_each(|(most, f)| *most = most.max(*f));
        }
        let mut sums = vec![0.0; scores.nrows()];
        for c in 0..scores.ncols() {
            let column = shares.col_as_slice_mut(c);
            column.iter_mut().zip(&largest).for_each(|(f, most)| *f -= most);
            exponentials(column, 1.0);
            sums.iter_mut().zip(&*column).for_each(|(sum, p)| *sum += p);
        }
        for c in 0..scores.ncols() {
            shares.col_as_slice_mut(c).iter_mut().zip(&sums).for_each(|(p, sum)| *p /= sum);
        }
        shares
    }
}

impl Learner for GradientBoosting {
    fn row(&self) -> &'static LearnerRow {
        &Self::ROW
    }

    fn fit(
        &self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        weights: &[f64],
        classes: usize,
        context: &mut Context,
    ) -> Result<Predictor> {
        /// The part of the loss at the start that a split must gain.
        const NOTHING: f64 = 1e-11;
        /// The columns that a round looks at, where there are more.
        const COLUMNS: usize = 1000;
        self.check()?;
        if classes == 1 {
            return Ok(only_class(rows.ncols()));
        }
        let (n, d) = rows.shape();
        // A byte a cell; scores and probabilities; slopes, orders and what sorts a column.
        let bytes = (n as u64).saturating_mul((d + 16 * classes.max(1) + 160) as u64);
        context.require("the bins of `gradient-boosting`", bytes)?;
        let (kept, weights) = merged(rows, labels, weights);
        let target = Target::new(labels.select(&kept), &weights, classes)?;
        let binned = Binned::new(rows, &kept, &weights);
        let growth = Growth {
            leaves: self.leaves,
            leaf_weight: self.leaf_weight,
            penalty: self.penalty,
            shrinkage: self.shrinkage,
            least_gain: NOTHING * target.scale,
        };
        let start = |&c: &usize| vec![Node { split: None, value: vec![target.start[c]] }];
        let mut trees: Vec<Vec<Node>> = target.adds_to.iter().map(start).collect();
        let mut of = target.adds_to.clone();
        let mut scores = target.scores();
        let most = Some(self.columns.unwrap_or(COLUMNS)).filter(|&most| most < d);
        for round in 0..self.rounds {
            let (shares, before) = (target.shares(&scores), trees.len());
            let mut rng = context.rng(&format!("{} {round}", self.name()));
            let mut drawn = columns(d, most, Some(&mut rng));
            drawn.truncate(most.unwrap_or(d));
            drawn.sort_unstable();
            for &class in &target.adds_to {
                let slopes = target.slopes(&shares, class, &weights);
                if let Some(mut tree) = binned.grow(&drawn, &slopes, growth, scores.col_as_slice_mut(class)) {
                    for node in &mut tree {
                        node.value[0] *= target.unit;
                    }
                    trees.push(tree);
                    of.push(class);
                }
            }
            // All columns would find nothing again; of those that are drawn next some may.
            if trees.len() == before && most.is_none() {
                break;
            }
        }
        Ok(Predictor::Trees(Trees::sum(classes, of, &trees)))
    }
}

#[cfg(test)]
mod tests;
