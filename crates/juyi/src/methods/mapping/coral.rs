//! Correlation alignment: source rows are whitened and given the covariance of the target.
//!
//! When: columns are rescaled or correlated differently (another sensor, another camera). One pass over the data, so
//! any size. It hurts where the class shares differ, because then the covariances differ for another reason.
//!
//! Paper: B. Sun, J. Feng, K. Saenko, "Return of frustratingly easy domain adaptation", AAAI 2016
//!
//! ```text
//! x -> x A,   A = (cov_s + r I)^(-1/2) (cov_t + r I)^(1/2)          (algorithm 1, r = 1)
//! ```
//! Covariances are divided by `n - 1`, roots are the symmetric ones; means are left where they are.
//!
//! Where we differ: the learner is an ordinary one on `x A`; the authors' SVM used the asymmetric kernel
//! `X_s A X_sᵀ`, which gives other numbers.
//!
//! Cost: `O(n d² + d³)` time, `O(n d)` memory for the moved source rows.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::rows_times;
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, make, must, params_of};
use crate::solvers::whiten_and_color;

/// Parameters of correlation alignment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Coral {
    /// Added to the diagonal of both covariances, r. Above 0; the paper's 1 suits standardised columns.
    pub regularization: f64,
}

impl Default for Coral {
    fn default() -> Self {
        Self { regularization: 1.0 }
    }
}

impl Coral {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "coral",
        family: Family::Mapping,
        summary: "gives the source rows the covariance of the target",
        when: "columns are rescaled or correlated differently (another sensor, another camera); any size of data",
        paper: "B. Sun, J. Feng, K. Saenko, \"Return of frustratingly easy domain adaptation\", AAAI 2016",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "logistic",
        grid: Grid { values: &["{}"], ..Grid::NONE },
        most_rows: usize::MAX,
        source: include_str!("coral.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Coral {
    fn check(&self) -> Result<()> {
        let r = self.regularization;
        must("coral", "regularization", r > 0.0 && r.is_finite(), "above 0", r)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n_s, d) = task.source.features.shape();
        context.require("the moved source rows of `coral`", 8 * (n_s * d + 8 * d * d) as u64)?;
        let source = task.source.features.as_ref();
        let a = whiten_and_color(source, task.target.features.as_ref(), self.regularization)?;
        Ok(Adapted {
            source: Cow::Owned(rows_times(source, a.as_ref())),
            weights: None,
            target_map: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    /// One column: variances 2 and 8, so the factor is `sqrt((8 + r) / (2 + r))`.
    #[test]
    fn one_column_by_hand() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", from_rows(&[vec![1.0], vec![3.0]]), Labels::Classes(vec![0, 1]));
        let target = Domain::unlabelled("t", from_rows(&[vec![5.0], vec![9.0]]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let adapted =
            Coral::default().adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let factor = (9f64 / 3.0).sqrt();
        assert!((adapted.source[(0, 0)] - factor).abs() < 1e-14);
        assert!((adapted.source[(1, 0)] - 3.0 * factor).abs() < 1e-14);
    }
}
