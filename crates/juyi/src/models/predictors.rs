//! The few forms that every method's answer takes: linear, neighbours, class means, propagation, kernel votes,
//! trees; a vote among predictors and one predictor on top of another.

mod kernel;
mod neighbors;
mod stacked;
mod trees;
mod votes;

pub use kernel::{KernelVotes, pairs};
pub use stacked::{Stacked, with_answers};
pub use trees::{Node, Split, Trees, path};
pub use votes::{Member, VoteRule, Votes, weighted_median};

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use self::neighbors::{is_one, neighbors, one};
use super::maps::{Map, check_bandwidth};
use crate::linalg::{
    Matrix, add_product, exponentials, normalize_rows, squared_distance_block, squared_norms,
};

/// How a linear score is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// As the logarithm of a probability, up to a constant.
    Softmax,
    /// As it is: a margin, or the number itself in a regression.
    Identity,
}

/// What is known at the end of a fit and turns a mapped row into an answer.
///
/// Classes are positions in the model's list; a regression has `classes = 0`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "predictor", rename_all = "kebab-case")]
pub enum Predictor {
    /// `x weights + bias`.
    Linear {
        /// How the scores are read.
        link: Link,
        /// `(d, c)`, one column a class; `(d, 1)` for a regression.
        #[serde(skip, default = "Matrix::new")]
        weights: Matrix,
        /// `(1, c)`.
        #[serde(skip, default = "Matrix::new")]
        bias: Matrix,
    },
    /// The answer of the nearest of the stored rows, or of several together: the class that most of them have, or the
    /// mean of their numbers.
    Neighbors {
        /// Number of classes; 0 for a regression.
        classes: usize,
        /// How many rows decide; 1 is not written down.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        k: usize,
        /// `(n, d)`.
        #[serde(skip, default = "Matrix::new")]
        rows: Matrix,
        /// The class or value of each row `(n, 1)`.
        #[serde(skip, default = "Matrix::new")]
        answers: Matrix,
    },
    /// The class whose mean is nearest after its offset: the largest `offset_c - |x - mean_c|`.
    ClassMeans {
        /// `(c, d)`.
        #[serde(skip, default = "Matrix::new")]
        means: Matrix,
        /// In units of distance `(1, c)`; 0 for plain nearest means.
        #[serde(skip, default = "Matrix::new")]
        offsets: Matrix,
    },
    /// The mean of the stored rows' soft answers, weighted by the Gaussian kernel; of classes each one's share of it.
    Propagation {
        /// Number of classes; 0 for a regression.
        classes: usize,
        /// The kernel's width: `exp(-|x - y|² / (2 bandwidth²))`.
        bandwidth: f64,
        /// `(n, d)`.
        #[serde(skip, default = "Matrix::new")]
        rows: Matrix,
        /// A weight of each class, 0 or above, `(n, c)`, or the value `(n, 1)`.
        #[serde(skip, default = "Matrix::new")]
        answers: Matrix,
    },
    /// A vote among pairs of classes, each decided by a sum of Gaussians around stored rows.
    Kernel(KernelVotes),
    /// Decision trees.
    Trees(Trees),
    /// A vote among predictors.
    Vote(Votes),
    /// A predictor that sees what another one says.
    Stacked(Stacked),
}

/// How many forms may be nested in one another, the innermost not counted.
const NESTED: usize = 2;

/// What a predictor says of some rows.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The class of each row, as a position, or the predicted number.
    pub answer: Vec<f64>,
    /// For classes, between 0 and 1: the largest probability where scores are probabilities, else the largest softmax
    /// of the scores; for one neighbour `b / (a + b)` with `a` the distance to the answer and `b` to the next class, for
    /// several the share of them that have the answer's class; for kernel votes the mean of `1 / (1 + exp(-2 f))` over the answer's margins `f`; for votes the answer's share.
    /// Empty for a regression.
    pub confidence: Vec<f64>,
    /// `(n, c)`; the largest is the answer. `None` for neighbours and regressions.
    pub scores: Option<Matrix>,
}

impl Predictor {
    /// Answers for a block of rows. The caller pads blocks to one height, so that a row's answer does not depend on
    /// its company.
    pub fn answer(&self, x: MatRef<'_, f64>) -> Answers {
        match self {
            Self::Linear { link, weights, bias } => {
                let mut scores = Mat::from_fn(x.nrows(), weights.ncols(), |_, j| bias[(0, j)]);
                add_product(scores.as_mut(), x, weights.as_ref(), 1.0);
                if *link == Link::Softmax {
                    softmax_rows(&mut scores);
                    return Answers::from_scores(scores, largest);
                }
                if scores.ncols() == 1 {
                    Answers::from_values(&scores)
                } else {
                    Answers::from_scores(scores, largest_softmax)
                }
            }
            Self::ClassMeans { means, offsets } => {
                let (x_norms, mean_norms) = (squared_norms(x), squared_norms(means.as_ref()));
                let distances = squared_distance_block(x, &x_norms, means.as_ref(), &mean_norms);
                let scores =
                    Mat::from_fn(x.nrows(), means.nrows(), |i, c| offsets[(0, c)] - distances[(i, c)].sqrt());
                Answers::from_scores(scores, largest_softmax)
            }
            Self::Neighbors { classes, k, rows, answers } => neighbors(x, *classes, *k, rows, answers),
            Self::Propagation { classes, bandwidth, rows, answers } => {
                let mut shares = propagate(x, *bandwidth, rows, answers);
                if *classes == 0 {
                    Answers::from_values(&shares)
                } else {
                    normalize_rows(shares.as_mut(), |row| row.sum());
                    Answers::from_scores(shares, largest)
                }
            }
            Self::Kernel(votes) => votes.answer(x),
            Self::Trees(trees) => trees.answer(x),
            Self::Vote(votes) => votes.answer(x),
            Self::Stacked(stacked) => stacked.answer(x),
        }
    }

    /// Whether a row's scores are shares of the classes that add up to 1.
    pub fn scores_are_shares(&self) -> bool {
        match self {
            Self::Linear { link, .. } => *link == Link::Softmax,
            Self::Propagation { .. } | Self::Trees(_) | Self::Vote(_) => true,
            Self::Stacked(stacked) => stacked.second.scores_are_shares(),
            Self::Neighbors { .. } | Self::ClassMeans { .. } | Self::Kernel(_) => false,
        }
    }

    /// The matrices that a model file stores as tensors, by name; those of nested forms after a name of their part.
    pub fn tensors(&mut self) -> Vec<(String, &mut Matrix)> {
        let own = match self {
            Self::Linear { weights, bias, .. } => vec![("weights", weights), ("bias", bias)],
            Self::ClassMeans { means, offsets } => vec![("means", means), ("offsets", offsets)],
            Self::Neighbors { rows, answers, .. } | Self::Propagation { rows, answers, .. } => {
                vec![("rows", rows), ("answers", answers)]
            }
            Self::Kernel(KernelVotes { rows, coefficients, bias, .. }) => {
                vec![("rows", rows), ("coefficients", coefficients), ("bias", bias)]
            }
            Self::Trees(Trees { nodes, values, .. }) => vec![("nodes", nodes), ("values", values)],
            Self::Vote(votes) => {
                let members = votes.members.iter_mut().enumerate();
                return members
                    .flat_map(|(k, Member { maps, predictor, .. })| {
                        let maps = maps.iter_mut().enumerate().flat_map(move |(j, map)| {
                            let own = map.tensors().into_iter();
                            own.map(move |(name, matrix)| (format!("members.{k}.maps.{j}.{name}"), matrix))
                        });
                        maps.chain(within(&format!("members.{k}"), predictor)).collect::<Vec<_>>()
                    })
                    .collect();
            }
            Self::Stacked(Stacked { first, second, .. }) => {
                return [within("first", first), within("second", second)].into_iter().flatten().collect();
            }
        };
        own.into_iter().map(|(name, matrix)| (name.to_string(), matrix)).collect()
    }

    /// Whether the predictor holds rows of the data it was fitted on.
    pub fn stores_rows(&self) -> bool {
        match self {
            Self::Neighbors { .. } | Self::Propagation { .. } | Self::Kernel(_) => true,
            Self::Linear { .. } | Self::ClassMeans { .. } | Self::Trees(_) => false,
            Self::Vote(votes) => votes
                .members
                .iter()
                .any(|member| member.predictor.stores_rows() || member.maps.iter().any(Map::stores_rows)),
            Self::Stacked(stacked) => stacked.first.stores_rows() || stacked.second.stores_rows(),
        }
    }

    /// Checks that the parts fit together, `columns` features and `classes` classes (0 for a regression).
    ///
    /// # Errors
    /// What does not fit, in words: for model files from outside.
    pub fn check(&self, columns: usize, classes: usize) -> Result<(), String> {
        self.check_within(columns, classes, NESTED + 1)
    }

    /// The same, for a form in which `nested - 1` more may be nested.
    pub(super) fn check_within(&self, columns: usize, classes: usize, nested: usize) -> Result<(), String> {
        let Some(nested) = nested.checked_sub(1) else {
            return Err(format!("more than {NESTED} predictors in one another"));
        };
        let outputs = classes.max(1);
        let (what, got, want) = match self {
            Self::Kernel(votes) => return votes.check(columns, classes),
            Self::Trees(trees) => return trees.check(columns, classes),
            Self::Vote(votes) => return votes.check(columns, classes, nested),
            Self::Stacked(stacked) => return stacked.check(columns, classes, nested),
            Self::Linear { weights, bias, link } => {
                if *link == Link::Softmax && classes == 0 {
                    return Err("a softmax over no classes".into());
                }
                ("weights and bias", (weights.shape(), bias.shape()), ((columns, outputs), (1, outputs)))
            }
            Self::ClassMeans { means, offsets } => {
                ("means and offsets", (means.shape(), offsets.shape()), ((classes, columns), (1, classes)))
            }
            Self::Neighbors { rows, answers, classes: own, .. }
            | Self::Propagation { rows, answers, classes: own, .. } => {
                if *own != classes || rows.nrows() == 0 {
                    return Err(format!(
                        "{own} classes and {} rows, expected {classes} classes",
                        rows.nrows()
                    ));
                }
                let width = if matches!(self, Self::Neighbors { .. }) { 1 } else { outputs };
                let n = rows.nrows();
                ("rows and answers", (rows.shape(), answers.shape()), ((n, columns), (n, width)))
            }
        };
        if got != want {
            return Err(format!("{what} are {got:?}, expected {want:?}"));
        }
        if let Self::Neighbors { k, rows, .. } = self
            && !(1..=rows.nrows()).contains(k)
        {
            return Err(format!("{k} neighbours among {} rows", rows.nrows()));
        }
        if let Self::Neighbors { answers, .. } = self
            && classes > 0
            && let Some(bad) =
                answers.col(0).iter().find(|a| !(**a >= 0.0 && **a < classes as f64 && a.fract() == 0.0))
        {
            return Err(format!("class {bad} of {classes}"));
        }
        if let Self::Propagation { bandwidth, .. } = self { check_bandwidth(*bandwidth) } else { Ok(()) }
    }
}

impl Answers {
    /// One column of numbers.
    pub(super) fn from_values(values: &Matrix) -> Self {
        Self { answer: values.col(0).iter().copied().collect(), confidence: Vec::new(), scores: None }
    }

    /// The class with the largest share, the first among equals; its share is the confidence. A row of `shares` adds up
    /// to 1.
    pub fn from_shares(shares: Matrix) -> Self {
        Self::from_scores(shares, largest)
    }

    /// The class with the largest score, the first among equals.
    pub(super) fn from_scores(scores: Matrix, confidence: impl Fn(&[f64]) -> f64) -> Self {
        let rows: Vec<Vec<f64>> =
            (0..scores.nrows()).map(|i| scores.row(i).iter().copied().collect()).collect();
        Self {
            answer: rows.iter().map(|row| first_largest(row) as f64).collect(),
            confidence: rows.iter().map(|row| confidence(row)).collect(),
            scores: Some(scores),
        }
    }
}

/// The tensors of a nested predictor, named after its part.
fn within<'a>(part: &str, predictor: &'a mut Predictor) -> Vec<(String, &'a mut Matrix)> {
    let inner = predictor.tensors().into_iter();
    inner.map(|(name, matrix)| (format!("{part}.{name}"), matrix)).collect()
}

/// Where the largest of some numbers is, the first among equals.
pub fn first_largest<T: PartialOrd>(row: &[T]) -> usize {
    (1..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best })
}

/// The largest of some numbers.
pub(super) fn largest(row: &[f64]) -> f64 {
    row.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The largest entry of the softmax of some numbers.
fn largest_softmax(row: &[f64]) -> f64 {
    let top = largest(row);
    let mut shares: Vec<f64> = row.iter().map(|v| v - top).collect();
    exponentials(&mut shares, 1.0);
    1.0 / shares.iter().sum::<f64>()
}

/// Each row to `exp(row) / Σ exp(row)`, without overflow.
pub fn softmax_rows(scores: &mut Matrix) {
    for i in 0..scores.nrows() {
        let top = scores.row(i).iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut shares: Vec<f64> = scores.row(i).iter().map(|v| v - top).collect();
        exponentials(&mut shares, 1.0);
        let sum: f64 = shares.iter().sum();
        for (j, share) in shares.iter().enumerate() {
            scores[(i, j)] = share / sum;
        }
    }
}

/// `Σ_j k(x_i, r_j) answer_j / Σ_j k(x_i, r_j)`, each row's kernel taken relative to its largest entry, so that a row
/// far from all others takes the answer of the nearest instead of `0 / 0`.
fn propagate(x: MatRef<'_, f64>, bandwidth: f64, rows: &Matrix, answers: &Matrix) -> Matrix {
    let (x_norms, row_norms) = (squared_norms(x), squared_norms(rows.as_ref()));
    let distances = squared_distance_block(rows.as_ref(), &row_norms, x, &x_norms); // one column a query
    let mut out = Mat::zeros(x.nrows(), answers.ncols());
    for (i, column) in distances.col_iter().enumerate() {
        let least = column.iter().copied().fold(f64::INFINITY, f64::min);
        let mut kernel: Vec<f64> = column.iter().map(|d| d - least).collect();
        exponentials(&mut kernel, -0.5 / (bandwidth * bandwidth));
        let total: f64 = kernel.iter().sum();
        for c in 0..answers.ncols() {
            let sum: f64 = kernel.iter().zip(answers.col(c).iter()).map(|(k, a)| k * a).sum();
            out[(i, c)] = sum / total;
        }
    }
    out
}

#[cfg(test)]
mod tests;
