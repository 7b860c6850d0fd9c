//! The plain record of one run; `run.json` is this struct.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Notice;
use crate::measures::Scores;

/// What is known of one domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainFacts {
    /// The file or built-in table.
    pub name: String,
    /// Rows that are used.
    pub rows: usize,
    /// Rows whose label is learnt from.
    pub labelled: usize,
    /// The classes among those labels with their counts; empty for a regression.
    pub classes: Vec<(String, usize)>,
    /// How the file was read; may be empty.
    pub remark: String,
}

/// What one fit did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitFacts {
    /// The method.
    pub method: String,
    /// All its parameters.
    pub params: Value,
    /// The learner, for methods that train one.
    pub learner: Option<String>,
    /// The preprocessing steps.
    pub preprocess: Vec<String>,
    /// What is carried over to the target, in words.
    pub carries: String,
    /// Whether the model holds rows of the data.
    pub stores_rows: bool,
    /// Scores on the target rows whose labels were kept for scoring.
    pub scores: Option<Scores>,
    /// Time of fit and prediction.
    pub seconds: f64,
}

/// The record of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Version of the program.
    pub version: String,
    /// `classification` or `regression`.
    pub task: String,
    /// The label's column.
    pub label: String,
    /// Features after encoding.
    pub features: usize,
    /// The sources.
    pub sources: Vec<DomainFacts>,
    /// The target.
    pub target: DomainFacts,
    /// Target rows whose labels were kept for scoring.
    pub scored_rows: usize,
    /// What was done about missing cells.
    pub missing: String,
    /// What target labels are for: `score` or `use`.
    pub target_labels: String,
    /// The seed of all randomness.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// Memory budget in bytes.
    pub memory: u64,
    /// The method that was asked for: its model is the one that is written.
    pub chosen: FitFacts,
    /// Not transferring: `none` with the same learner. Absent where `none` itself was asked for.
    pub baseline: Option<FitFacts>,
    /// What the steps want to be known.
    pub notices: Vec<Notice>,
}
