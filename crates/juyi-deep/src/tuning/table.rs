//! What helps with few labels: strategies and regularizers with the same drawn pictures, tested on all others.

use std::cell::OnceCell;
use std::time::Instant;

use juyi::context::Context;
use juyi::error::Result;
use rand::seq::SliceRandom;

use super::inputs::{Pictures, too_few};
use super::regularizers::{Kind, Regularization};
use super::settings::{RATE, Settings};
use super::strategy::Strategy;
use super::trial::Trials;
use crate::zoo::Recognized;

/// One way to tune.
pub struct Line {
    /// What it is called.
    pub label: &'static str,
    strategy: Strategy,
    regularizer: Option<Kind>,
    rate: f64,
}

/// The lines: nothing carried over, ever more of the network trained, then what keeps it near the checkpoint.
pub const LINES: &[Line] = &[
    Line { label: "from scratch", strategy: Strategy::Scratch, regularizer: None, rate: 1e-3 },
    Line { label: "frozen head", strategy: Strategy::Head, regularizer: None, rate: RATE },
    Line { label: "hypercolumns", strategy: Strategy::Hypercolumns, regularizer: None, rate: RATE },
    Line { label: "Head2Toe", strategy: Strategy::HeadToToe, regularizer: None, rate: RATE },
    Line { label: "last block", strategy: Strategy::Last(1), regularizer: None, rate: RATE },
    Line { label: "last 3 blocks", strategy: Strategy::Last(3), regularizer: None, rate: RATE },
    Line { label: "all", strategy: Strategy::All, regularizer: None, rate: RATE },
    Line { label: "lp-ft", strategy: Strategy::ProbeFirst, regularizer: None, rate: RATE },
    Line { label: "L2-SP", strategy: Strategy::All, regularizer: Some(Kind::L2Sp), rate: RATE },
    Line { label: "DELTA", strategy: Strategy::All, regularizer: Some(Kind::Delta), rate: RATE },
    Line { label: "BSS", strategy: Strategy::All, regularizer: Some(Kind::Bss), rate: RATE },
    Line { label: "LoRA 8", strategy: Strategy::LowRank(8), regularizer: None, rate: 1e-3 },
];

/// Labelled pictures of a class.
pub const LABELLED: [usize; 3] = [5, 10, 20];

/// What a line came to with some labels and one draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Share of the other pictures that is right, in percent.
    pub accuracy: f64,
    /// Time of training and test, in seconds.
    pub seconds: f64,
}

/// Draws `labelled` pictures of each class by the seed, tunes on them, tests on the others.
///
/// # Errors
/// [`juyi::error::Error::Input`] if a class has no more than `labelled` pictures; whatever a training reports.
pub fn cell(
    source: &Recognized,
    pictures: &Pictures,
    line: &Line,
    labelled: usize,
    context: &mut Context,
) -> Result<Cell> {
    let begin = Instant::now();
    let leaders: Vec<usize> = (0..pictures.files.len()).collect(); // the draws of the published table
    too_few(pictures, &leaders, labelled + 1)?;
    let mut order: Vec<usize> = (0..pictures.files.len()).collect();
    order.shuffle(&mut context.rng("labelled pictures"));
    let mut left = vec![labelled; pictures.names.len()];
    let (mut train, mut test): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&at| {
        let own = &mut left[pictures.classes[at]];
        let taken = *own > 0;
        *own -= usize::from(taken);
        taken
    });
    train.sort_unstable();
    test.sort_unstable();
    let regularization = line.regularizer.map(Regularization::from);
    // About as many steps whatever the number of pictures.
    let epochs = if line.strategy == Strategy::Scratch { 30 } else { 4 + 80 / labelled.max(1) };
    let settings = Settings { epochs, rate: Some(line.rate), regularization, ..Settings::default() };
    let folds = Vec::new();
    let trials = Trials {
        source,
        pictures,
        settings: &settings,
        folds,
        leaders,
        notes: None,
        features: OnceCell::new(),
    };
    let accuracy = 100.0 * trials.test(line.strategy, &train, &test, context)?;
    Ok(Cell { accuracy, seconds: begin.elapsed().as_secs_f64() })
}
