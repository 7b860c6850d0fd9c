//! Nearest-neighbour importance weighting: a source row weighs as much as the share of target rows that are nearest to
//! it.
//!
//! When: the same labelling rule, other shares of the same kinds of rows; few columns. It hurts with many columns, where
//! a few source rows are the nearest of almost everything.
//!
//! Paper: M. Loog, "Nearest neighbor-based importance weighting", MLSP 2012
//!
//! ```text
//! w_i = smoothing + #{ j : i = argmin_k |t_j - s_k| },   then scaled to mean 1
//! ```
//! (section 2; `smoothing` 1 is the paper's Laplace smoothing.)
//!
//! Where we differ: weights are scaled to mean 1, so that a learner's penalty keeps its strength.
//!
//! Cost: `O(n_s n_t d)` time, `O(n_s + n_t)` memory.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::nearest;
use crate::methods::{Adapted, Adapter, Family, Grid, LearnerNeed, MethodRow, Needs, make, must, params_of};

/// Parameters of nearest-neighbour weighting.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NearestNeighbor {
    /// Added to the count of every source row. 0 or above; 0 leaves out rows that are nobody's nearest.
    pub smoothing: f64,
}

impl Default for NearestNeighbor {
    fn default() -> Self {
        Self { smoothing: 1.0 }
    }
}

impl NearestNeighbor {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "nearest-neighbor",
        family: Family::Weighting,
        summary: "weighs a source row by the target rows that are nearest to it",
        when: "the same labelling rule, other shares of the same kinds of rows; few columns",
        paper: "M. Loog, \"Nearest neighbor-based importance weighting\", MLSP 2012",
        needs: Needs { learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: 200_000,
        source: include_str!("nearest_neighbor.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for NearestNeighbor {
    fn check(&self) -> Result<()> {
        let finite = self.smoothing.is_finite();
        must("nearest-neighbor", "smoothing", finite && self.smoothing >= 0.0, "0 or above", self.smoothing)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        _context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let n_s = task.source.rows();
        let mut weights = vec![self.smoothing; n_s];
        let source = task.source.features.as_ref();
        for found in nearest(task.target.features.as_ref(), source, &vec![0; n_s], 1) {
            if let Some(found) = found[0] {
                weights[found.row] += 1.0;
            }
        }
        let mean = weights.iter().sum::<f64>() / n_s as f64;
        for weight in &mut weights {
            *weight /= mean;
        }
        Ok(Adapted {
            source: Cow::Borrowed(&task.source.features),
            weights: Some(weights),
            target_map: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::ClassMeans;
    use crate::linalg::from_rows;

    #[test]
    fn counts_by_hand() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = from_rows(&[vec![0.0], vec![1.0], vec![9.0]]);
        let source = Domain::labelled("s", source, Labels::Classes(vec![0, 1, 0]));
        let target =
            Domain::unlabelled("t", from_rows(&[vec![0.9], vec![1.2], vec![2.0], vec![-3.0]]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        for (smoothing, expected) in [(0.0, [0.75, 2.25, 0.0]), (1.0, [6.0 / 7.0, 12.0 / 7.0, 3.0 / 7.0])] {
            let adapter = NearestNeighbor { smoothing };
            let weights =
                adapter.adapt(&task, &ClassMeans, &mut Context::default()).unwrap().weights.unwrap();
            for (ours, expected) in weights.iter().zip(expected) {
                assert!((ours - expected).abs() < 1e-15, "{weights:?}");
            }
        }
    }
}
