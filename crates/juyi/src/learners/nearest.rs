//! The nearest training row: nothing is fitted, the rows are kept.
//!
//! Cost: `O(n m d)` for `m` predictions, `O(n d)` memory and model file.

use faer::{Mat, MatRef};

use super::Learner;
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::models::Predictor;

/// The answer of the nearest training row by Euclidean distance; the lowest row number wins a tie.
#[derive(Debug, Clone, Copy, Default)]
pub struct NearestNeighbor;

impl Learner for NearestNeighbor {
    fn name(&self) -> &'static str {
        "1-nn"
    }

    fn regresses(&self) -> bool {
        true
    }

    fn weighs(&self) -> bool {
        false
    }

    fn fit(
        &self,
        rows: MatRef<'_, f64>,
        labels: &Labels,
        _weights: &[f64],
        classes: usize,
        _context: &mut Context,
    ) -> Result<Predictor> {
        let answers = Mat::from_fn(labels.len(), 1, |i, _| match labels {
            Labels::Classes(of) => of[i] as f64,
            Labels::Values(values) => values[i],
        });
        Ok(Predictor::Neighbors { classes, rows: rows.to_owned(), answers })
    }
}
