//! The main job in four steps: data, select, initialise, transfer; predictions, a model and a record out.
//!
//! Ways in are tables ([`transfer`]), matrices ([`transfer_task`]) and models without rows ([`transfer_models`]); each brings
//! the data, and `steps` does the rest for all of them.

mod asked;
mod beyond;
mod degenerate;
mod distances;
mod figures;
mod fits;
mod from_models;
mod given;
mod judged;
mod labels;
mod measure;
mod predict;
mod prepare;
mod represented;
mod splits;
mod steps;
mod tasks;
mod to_label;
mod truth;
mod units;

use std::time::{Duration, Instant};

use serde_json::{Map as JsonMap, Value};

use crate::choice::{Reading, Weighing};
use crate::context::Context;
use crate::data::{Missing, Table};
use crate::error::Result;
use crate::measures::Figure;
use crate::models::{Model, Preprocess};
use crate::report::{Predictions, Run, SourceWeights};
pub use from_models::transfer_models;
pub use judged::{Given, judge_predictions};
pub use measure::{Measured, measure};
pub use predict::{compare_classes, predict_table, score_classes};
use prepare::prepare;
pub use represented::{Represented, represented};
pub use splits::{TableSplit, table_splits, transfer_and_score, transfer_split};
pub use tasks::transfer_task;
pub use to_label::{number_column, rows_to_label, with_labels};

/// What labels found in the target are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetLabels {
    /// Scoring after the fit, nothing else.
    Score,
    /// Those that are filled are learnt from.
    Use,
}

impl TargetLabels {
    /// `score` or `use`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Use => "use",
        }
    }
}

/// The kind of label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Classes.
    Classification,
    /// Numbers.
    Regression,
}

/// What the user asks for; [`Settings::default`] is what the command line does unasked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Registry name of the method, or `auto`: the candidates are compared, and the guard says whether to transfer.
    pub method: String,
    /// Whether the guard also stands over a method that is asked for by name.
    pub guard: bool,
    /// The method's parameters that differ from their defaults.
    pub params: JsonMap<String, Value>,
    /// The learner, with parameters or without: see [`learner`](crate::learners::learner); `None` is the method's own choice.
    pub learner: Option<String>,
    /// Preprocessing steps, in order.
    pub preprocess: Vec<Preprocess>,
    /// The label's column; `None` where the tables know it themselves.
    pub label: Option<String>,
    /// The kind of label; `None` reads it off the labels.
    pub task: Option<TaskKind>,
    /// What target labels are for.
    pub target_labels: TargetLabels,
    /// What is done about missing cells; `None` refuses them, or is what the source's model does.
    pub missing: Option<Missing>,
    /// How the target's columns lie to the source's, where that is known; `None` reads it off the rows.
    pub assume: Option<Reading>,
    /// What labelled target rows judge by and what is compared after the fit; `None` for accuracy, balanced accuracy where a
    /// class is rare, and R² of numbers.
    pub figure: Option<Figure>,
    /// Time within which `auto` begins to try candidates; what does not transfer is always tried. `None` for no bound.
    pub budget: Option<Duration>,
    /// The validator that orders single models, of which one is written instead of a vote: see
    /// [`validator`](crate::validators::validator); `None` for the vote.
    pub single: Option<String>,
    /// How those that vote are weighed.
    pub weighing: Weighing,
    /// Whether the distances between the domains, and their columns, are measured for the record.
    pub distances: bool,
    /// Columns that are left out.
    pub drop: Vec<String>,
    /// Columns that identify a row: no features, carried to the predictions.
    pub id: Vec<String>,
    /// Whether the weights of the source rows are handed out, which only some methods give.
    pub source_weights: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: "auto".into(),
            guard: false,
            params: JsonMap::new(),
            learner: None,
            preprocess: vec![Preprocess::Standardize],
            label: None,
            task: None,
            target_labels: TargetLabels::Score,
            missing: None,
            assume: None,
            figure: None,
            budget: None,
            single: None,
            weighing: Weighing::default(),
            distances: true,
            drop: Vec::new(),
            id: Vec::new(),
            source_weights: false,
        }
    }
}

/// What [`transfer`] leaves.
pub struct Outcome {
    /// The record.
    pub run: Run,
    /// The fitted model of the method that was asked for.
    pub model: Model,
    /// Its predictions for the target rows.
    pub predictions: Predictions,
    /// The weights of the source rows in its fit, where they are asked for.
    pub weights: Option<SourceWeights>,
}

/// Carries labelled tables over to a target table.
///
/// # Errors
/// [`Error`](crate::error::Error)`::Input` for data that cannot be used, `Unknown` and `Param` for settings, `Unsuited` for a
/// method that cannot serve the task, `Memory`, `Numeric`.
pub fn transfer(
    sources: Vec<Table>,
    target: Table,
    settings: &Settings,
    context: &mut Context,
) -> Result<Outcome> {
    let started = Instant::now();
    let named = steps::named(settings, &settings.preprocess, context)?;
    let (task, data) = prepare(sources, target, settings, context)?;
    steps::run(task, data, named, settings, started, context)
}
