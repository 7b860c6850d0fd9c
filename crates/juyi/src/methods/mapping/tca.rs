//! Transfer component analysis: a projection in which the domains' means agree and the pooled variance is kept.
//!
//! When: many columns and a shift of the whole cloud of rows. It hurts where the shift is what tells the classes apart.
//!
//! Paper: S. J. Pan, I. Tsang, J. Kwok, Q. Yang, "Domain adaptation via transfer component analysis", IEEE TNN 2011
//!
//! ```text
//! K H K a = mu (K M K + lambda I) a,   M = e eᵀ / |e eᵀ|,   e_i = 1/n_s (source), -1/n_t (target)
//! ```
//! with the `components` largest `mu`, `|a| = 1` (eq. 8–10; see [`JointEmbedding`]).
//!
//! Where we differ: pooled rows are brought to unit length before and embedded rows after, and `M` has norm 1, as in
//! the code behind the published tables (Long et al. 2013).
//!
//! Cost: `O(n d min(n, d))` time for linear and primal; rbf `O(n² k)` a step and `8 n²` bytes twice, or Nyström.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::normalize_rows_l2;
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::{Map, apply_all};
use crate::solvers::{JointEmbedding, Kernel, marginal_discrepancy};

/// Parameters of transfer component analysis.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tca {
    /// linear, primal or rbf: what the penalty and the similarity are taken in.
    pub kernel: Kernel,
    /// Dimensions of the embedding, k. 1 to 1000000; no more than the rank of the pooled rows are used.
    pub components: usize,
    /// Weight of the penalty on directions, lambda. Above 0.
    pub regularization: f64,
    /// Width of the rbf kernel on rows of unit length. Above 0; by default the median distance of rows.
    pub bandwidth: Option<f64>,
}

impl Default for Tca {
    fn default() -> Self {
        Self { kernel: Kernel::Primal, components: 100, regularization: 0.1, bandwidth: None }
    }
}

impl Tca {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "tca",
        family: Family::Mapping,
        summary: "projects both domains to where their means agree and their variance is kept",
        when: "many columns, a shift of the whole cloud of rows",
        paper: "S. J. Pan, I. Tsang, J. Kwok, Q. Yang, \"Domain adaptation via transfer component analysis\", IEEE TNN 2011",
        needs: Needs { directions: true, ..Needs::NOTHING },
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: usize::MAX,
        source: include_str!("tca.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Tca {
    fn check(&self) -> Result<()> {
        count("tca", "components", self.components, 1..=1_000_000)?;
        let finite = self.regularization.is_finite();
        must("tca", "regularization", finite && self.regularization > 0.0, "above 0", self.regularization)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must("tca", "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n_s, n_t) = (task.source.rows(), task.target.rows());
        let mut pooled = task.pooled();
        normalize_rows_l2(pooled.as_mut());
        let mut embedding =
            JointEmbedding::new("tca", pooled.as_ref(), self.kernel, self.bandwidth, context)?;
        let components = embedding.components("tca", self.components, context);
        let e = marginal_discrepancy(n_s, n_t);
        let project = embedding.solve("tca", &e, components, self.regularization, context)?;
        let target_map = vec![Map::NormalizeRowsL2, project.into(), Map::NormalizeRowsL2];
        let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
        Ok(Adapted { source, weights: None, target_map })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{column_means, from_rows};

    /// Columns: a shift between the domains, the class. The one component kept must be the class.
    #[test]
    fn the_shifted_direction_is_given_up() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = from_rows(&[vec![1.0, 1.0], vec![1.0, -1.0], vec![1.0, 1.1], vec![1.0, -1.1]]);
        let target = from_rows(&[vec![-1.0, 1.0], vec![-1.0, -1.0], vec![-1.0, 1.1], vec![-1.0, -1.1]]);
        let source = Domain::labelled("s", source, Labels::Classes(vec![0, 1, 0, 1]));
        let task = Task::new(vec![source], Domain::unlabelled("t", target, &goal), goal).unwrap();
        let tca = Tca { kernel: Kernel::Primal, components: 1, regularization: 0.01, bandwidth: None };
        let adapted = tca.adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let Map::Project { matrix } = &adapted.target_map[1] else { panic!("a linear projection") };
        assert!(matrix[(0, 0)].abs() < 1e-12 && (matrix[(1, 0)].abs() - 1.0).abs() < 1e-12, "{matrix:?}");
        let mapped = apply_all(&adapted.target_map, task.target.features.as_ref());
        assert!(column_means(mapped.as_ref())[0].abs() < 1e-12);
    }

    #[test]
    fn more_components_than_the_rank_are_not_an_error() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = from_rows(&[vec![1.0, 2.0, 2.0], vec![2.0, 4.0, 4.1], vec![0.0, 1.0, 1.0]]);
        let source = Domain::labelled("s", source.clone(), Labels::Classes(vec![0, 1, 0]));
        let target = Domain::unlabelled("t", source.features.clone(), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let mut context = Context::default();
        let tca = Tca { components: 50, ..Tca::default() };
        let adapted = tca.adapt(&task, &NearestNeighbor::default(), &mut context).unwrap();
        assert_eq!(adapted.source.ncols(), 3);
        assert_eq!(
            context.notices()[0].text,
            "50 components asked for, the pooled rows have rank 3: 3 are used"
        );
    }
}
