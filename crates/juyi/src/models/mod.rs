//! What a fit leaves behind: a few forms, whatever the method. Only these know how to predict, save and load.

mod file;
mod maps;
mod memory;
mod predictors;
mod preprocess;

pub use file::{FORMAT_VERSION, MODEL_KEY, has_metadata};
pub use maps::{Map, apply_all};
pub use memory::answers_bytes;
pub use predictors::{
    Answers, KernelVotes, Link, Member, Node, Predictor, Split, Stacked, TreeRule, Trees, VoteRule, Votes,
    first_largest, pairs, path, softmax_rows, weighted_median, with_answers,
};
pub use preprocess::{Preprocess, preprocess};

use faer::MatRef;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Encoding, Goal};
use crate::error::{Error, Result};
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
    /// The least and the largest value of each feature in all rows that the model was fitted on; empty where they are not
    /// known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<(f64, f64)>,
    /// Applied in order to each row, which is taken to be a row of the target.
    pub maps: Vec<Map>,
    /// Turns the mapped row into an answer.
    pub predictor: Predictor,
}

impl Model {
    /// Predicts rows `(n, d)`, `d =` [`Model::columns`]: block by block, so that memory does not grow with `n` and a
    /// row gets the same bits alone and in a batch.
    ///
    /// # Errors
    /// [`Error::Input`] for rows of another number of columns.
    pub fn predict(&self, rows: MatRef<'_, f64>) -> Result<Answers> {
        self.takes(rows)?;
        Ok(predict(&self.maps, &self.predictor, rows))
    }

    /// Refuses rows of another number of columns.
    fn takes(&self, rows: MatRef<'_, f64>) -> Result<()> {
        if rows.ncols() == self.columns {
            return Ok(());
        }
        let problem = format!("have {} columns, and the model takes {}", rows.ncols(), self.columns);
        Err(Error::input("the rows", problem, "give the columns that it was fitted on"))
    }

    /// The same within the memory budget: as many blocks at a time as fit.
    ///
    /// # Errors
    /// [`Error::Memory`] if the answers and one block do not; as [`Model::predict`].
    pub fn predict_within(&self, rows: MatRef<'_, f64>, context: &Context) -> Result<Answers> {
        self.takes(rows)?;
        let answers = answers_bytes(rows.nrows(), self.goal.classes());
        let block = self.block_bytes();
        context.require("the predictions", answers.saturating_add(block))?;
        let at_once = (context.left() - answers) / block.max(1);
        let at_once = usize::try_from(at_once).unwrap_or(usize::MAX).min(WAVE);
        Ok(predict_by(&self.maps, &self.predictor, rows, at_once))
    }
}

impl Answers {
    /// The first row of which the answer, the confidence or a score is not finite.
    pub fn not_finite(&self) -> Option<usize> {
        let of = |values: &[f64], i: usize| values.get(i).is_none_or(|value| value.is_finite());
        let scores = |i: usize| self.scores.as_ref().is_none_or(|s| s.row(i).iter().all(|v| v.is_finite()));
        (0..self.answer.len()).find(|&i| !(of(&self.answer, i) && of(&self.confidence, i) && scores(i)))
    }
}

/// Blocks that are answered before their answers are put together: their number does not grow with the rows.
const WAVE: usize = 256;

/// Maps rows `(n, d)` and answers for them.
pub fn predict(maps: &[Map], predictor: &Predictor, rows: MatRef<'_, f64>) -> Answers {
    predict_by(maps, predictor, rows, WAVE)
}

/// The same, `at_once` blocks at a time.
fn predict_by(maps: &[Map], predictor: &Predictor, rows: MatRef<'_, f64>, at_once: usize) -> Answers {
    let n = rows.nrows();
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let mut out = Answers { answer: Vec::with_capacity(n), confidence: Vec::new(), scores: None };
    for wave in starts.chunks(at_once) {
        let answer = |&first: &usize| {
            let block = padded_rows(rows, first, BLOCK.min(n - first), BLOCK);
            predictor.answer(apply_all(maps, block.as_ref()).as_ref())
        };
        let blocks: Vec<Answers> = wave.par_iter().map(answer).collect();
        for (block, &first) in blocks.iter().zip(wave) {
            let count = BLOCK.min(n - first);
            out.answer.extend(&block.answer[..count]);
            out.confidence.extend(block.confidence.iter().take(count));
            if let Some(part) = &block.scores {
                let all = out.scores.get_or_insert_with(|| Matrix::zeros(n, part.ncols()));
                all.get_mut(first..first + count, ..).copy_from(part.get(..count, ..));
            }
        }
    }
    out
}
