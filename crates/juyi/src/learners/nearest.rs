//! The nearest training row: nothing is fitted, the rows are kept.
//!
//! Cost: `O(n m d)` for `m` predictions, `O(n d)` memory and model file.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Baseline, Learner, LearnerRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::models::Predictor;
use crate::params::params_of;

/// The answer of the nearest training row by Euclidean distance; the lowest row number wins a tie.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct NearestNeighbor;

impl NearestNeighbor {
    /// Its row.
    pub const ROW: LearnerRow = LearnerRow {
        name: "1-nn",
        summary: "the nearest training row (Euclidean)",
        regresses: true,
        weighs: false,
        leaves_trees: false,
        baseline: Baseline { classes: Some(2), values: Some(2) },
        most_rows: usize::MAX,
        source: include_str!("nearest.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Learner for NearestNeighbor {
    fn row(&self) -> &'static LearnerRow {
        &Self::ROW
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
