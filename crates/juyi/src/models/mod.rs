//! What a fit leaves behind: a few forms, whatever the method. Only these know how to predict, save and load.

mod file;
mod kernel;
mod maps;
mod predictors;
mod preprocess;
mod stacked;
mod trees;
mod votes;

pub use file::{FORMAT_VERSION, MODEL_KEY, has_metadata};
pub use kernel::{KernelVotes, pairs};
pub use maps::{Map, apply_all};
pub use predictors::{Answers, Link, Predictor, first_largest, softmax_rows};
pub use preprocess::{Preprocess, preprocess};
pub use stacked::{Stacked, with_answers};
pub use trees::{Node, Split, Trees, path};
pub use votes::{Member, VoteRule, Votes, weighted_median};

use faer::MatRef;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{Encoding, Goal};
use crate::linalg::{BLOCK, Matrix, padded_rows};

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The method's registry name.
    pub method: String,
    /// The method's parameters.
    pub params: serde_json::Value,
    /// The learner's name, for methods that use one.
    pub learner: Option<String>,
    /// The seed of the fit.
    pub seed: u64,
    /// Whether the file holds rows of the data that the model was fitted on.
    pub stores_rows: bool,
}

/// Maps, then one predictor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    /// Where it comes from.
    pub about: About,
    /// What it predicts; the predictor's classes are positions in this list.
    pub goal: Goal,
    /// How a table becomes rows of features; `None` if the model was fitted on bare matrices.
    pub encoding: Option<Encoding>,
    /// Number of features that go in.
    pub columns: usize,
    /// Applied in order to each row, which is taken to be a row of the target.
    pub maps: Vec<Map>,
    /// Turns the mapped row into an answer.
    pub predictor: Predictor,
}

impl Model {
    /// Predicts rows `(n, d)`, `d =` [`Model::columns`]: block by block, so that memory does not grow with `n` and a
    /// row gets the same bits alone and in a batch.
    pub fn predict(&self, rows: MatRef<'_, f64>) -> Answers {
        assert_eq!(rows.ncols(), self.columns, "the caller brings rows to the model's columns");
        predict(&self.maps, &self.predictor, rows)
    }
}

/// Maps rows `(n, d)` and answers for them.
pub fn predict(maps: &[Map], predictor: &Predictor, rows: MatRef<'_, f64>) -> Answers {
    let n = rows.nrows();
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let blocks: Vec<Answers> = starts
        .par_iter()
        .map(|&first| {
            let block = padded_rows(rows, first, BLOCK.min(n - first), BLOCK);
            predictor.answer(apply_all(maps, block.as_ref()).as_ref())
        })
        .collect();
    let mut out = Answers { answer: Vec::with_capacity(n), confidence: Vec::new(), scores: None };
    let mut scores = blocks.first().and_then(|b| b.scores.as_ref()).map(|s| Matrix::zeros(n, s.ncols()));
    for (block, &first) in blocks.iter().zip(&starts) {
        let count = BLOCK.min(n - first);
        out.answer.extend(&block.answer[..count]);
        out.confidence.extend(block.confidence.iter().take(count));
        if let (Some(all), Some(part)) = (&mut scores, &block.scores) {
            all.get_mut(first..first + count, ..).copy_from(part.get(..count, ..));
        }
    }
    out.scores = scores;
    out
}
