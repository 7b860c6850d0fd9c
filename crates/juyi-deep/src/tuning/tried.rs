//! What was tried: what it started from, what it says of pictures that it did not see, and the network made of it.

use std::time::Instant;

use juyi::linalg::Matrix;
use juyi::report::Epoch;

use super::classifier::Classifier;
use super::head::Solved;
use super::inputs::Inputs;
use super::strategy::Strategy;

/// What a trial starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// The weights of the checkpoint.
    Checkpoint,
    /// Weights drawn at random.
    Drawn,
    /// No network: how often colours occur.
    Colours,
}

/// A strategy that was tried.
pub(super) struct Trial<'a> {
    pub(super) strategy: Strategy,
    pub(super) start: Start,
    /// Of each picture that was kept aside, a probability of each class.
    pub(super) aside: Vec<Option<Vec<f64>>>,
    /// The epochs of the training that was judged; empty where there was none.
    pub(super) epochs: Vec<Epoch>,
    /// What was chosen for a head that was solved, by name; empty for a training.
    pub(super) solved: Vec<(&'static str, f64)>,
    /// The rate of a training.
    pub(super) rate: Option<f64>,
    /// Where the head that came with the checkpoint is kept: the share of pictures aside of which it says what it said before.
    pub(super) agreement: Option<f64>,
    pub(super) seconds: f64,
    /// Made of all pictures, once a training is refitted; none for a rival that is never what is kept.
    pub(super) classifier: Option<Classifier>,
    /// What a rival's head was solved on.
    pub(super) rows: Option<Matrix>,
    /// What goes into the first stage that is trained.
    pub(super) inputs: Option<Inputs<'a>>,
}

impl Trial<'_> {
    /// One of which nothing is known yet.
    pub(super) fn empty(strategy: Strategy, start: Start) -> Self {
        Self {
            strategy,
            start,
            aside: Vec::new(),
            epochs: Vec::new(),
            solved: Vec::new(),
            rate: None,
            agreement: None,
            seconds: 0.0,
            classifier: None,
            rows: None,
            inputs: None,
        }
    }

    /// That of a head that was solved since `begin`.
    pub(super) fn of_solved(strategy: Strategy, start: Start, solved: Solved, begin: Instant) -> Self {
        let Solved { searched, inverse_penalty, aside, .. } = solved;
        let row = |i: usize| Some(aside.row(i).iter().copied().collect());
        Self {
            aside: (0..aside.nrows()).map(row).collect(),
            solved: searched.into_iter().chain([("inverse-penalty", inverse_penalty)]).collect(),
            seconds: begin.elapsed().as_secs_f64(),
            ..Self::empty(strategy, start)
        }
    }

    /// Whether it knows nothing of the checkpoint.
    pub(super) fn is_rival(&self) -> bool {
        self.start != Start::Checkpoint
    }

    /// What it is called in the record.
    pub(super) fn name(&self) -> String {
        match (self.start, self.strategy) {
            (Start::Checkpoint, strategy) => strategy.to_string(),
            (Start::Colours, _) => "colour histograms".into(),
            (Start::Drawn, Strategy::Scratch) => "trained from scratch".into(),
            (Start::Drawn, _) => "weights drawn at random".into(),
        }
    }

    /// In the words of a verdict.
    pub(super) fn text(&self) -> String {
        match (self.start, self.strategy) {
            (Start::Checkpoint, Strategy::Head) => "the frozen checkpoint with a head".into(),
            (Start::Checkpoint, strategy) => format!("`{strategy}` on the checkpoint"),
            (Start::Colours, _) => "a solved head on colour histograms".into(),
            (Start::Drawn, Strategy::Scratch) => "the same network trained from scratch".into(),
            (Start::Drawn, _) => "a head on the same network with weights drawn at random".into(),
        }
    }

    /// Bytes that it takes while others are tried.
    pub(super) fn bytes(&self) -> u64 {
        let rows = self.rows.as_ref().map_or(0, |rows| 8 * (rows.nrows() * rows.ncols()) as u64);
        let held = self.inputs.as_ref().map_or(0, Inputs::held) + rows;
        held + self.classifier.as_ref().map_or(0, Classifier::bytes)
    }
}
