//! Principal components of the pooled rows: the directions in which both domains together vary most.
//!
//! When: as the baseline of the other mappings, and where many columns are noise. It adapts nothing: it hurts where the
//! domains differ most in the direction that varies most, which is then what is kept.
//!
//! Paper: H. Hotelling, "Analysis of a complex of statistical variables into principal components", Journal of Educational Psychology 1933
//!
//! ```text
//! x -> (x - mean) P,   P: the first k eigenvectors of the covariance of all rows, the source's and the target's
//! ```
//!
//! Where we differ: nothing; components keep their scale. The published tables of transfer methods call this "PCA".
//!
//! Cost: `O(n d² + d³)` time and `O(n d + d²)` memory, or `O(n² d)` and `O(n d)` where there are fewer rows than
//! columns.

use std::borrow::Cow;

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{column_means, principal_directions, principal_directions_bytes};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, params_of};
use crate::models::{Map, apply_all};

/// Parameters of principal components.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pca {
    /// Directions that are kept, k. 1 to 1000000; no more than the rank of the pooled rows are used.
    pub components: usize,
}

impl Default for Pca {
    fn default() -> Self {
        Self { components: 30 }
    }
}

impl Pca {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "pca",
        family: Family::Mapping,
        summary: "projects both domains to the directions in which all rows together vary most",
        when: "as the baseline of the other mappings, or where many columns are noise",
        paper: "H. Hotelling, \"Analysis of a complex of statistical variables into principal components\", Journal of Educational Psychology 1933",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: usize::MAX,
        source: include_str!("pca.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Pca {
    fn check(&self) -> Result<()> {
        count("pca", "components", self.components, 1..=1_000_000)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n, d) = (task.source.rows() + task.target.rows(), task.columns());
        let need = principal_directions_bytes(n, d) + 8 * (n * d + n * d.min(self.components)) as u64;
        context.require("the decomposition of `pca`", need)?;
        let pooled = task.pooled();
        let means = column_means(pooled.as_ref());
        let directions = principal_directions(pooled.as_ref())?;
        let rank = directions.ncols();
        if self.components > rank {
            let asked = self.components;
            let text =
                format!("{asked} components asked for, the pooled rows have rank {rank}: {rank} are used");
            context.note("pca", text);
        }
        let target_map = vec![
            Map::Affine { shift: Mat::from_fn(1, d, |_, j| means[j]), scale: Mat::from_fn(1, d, |_, _| 1.0) },
            Map::Project { matrix: directions.get(.., ..self.components.min(rank)).to_owned() },
        ];
        let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
        Ok(Adapted { source, weights: None, target_map })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    /// Pooled rows lie along (3, 4) / 5 around (2, 0), though neither domain alone does.
    #[test]
    fn one_direction_by_hand() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source =
            Domain::labelled("s", from_rows(&[vec![5.0, 4.0], vec![5.0, 4.0]]), Labels::Classes(vec![0, 1]));
        let target = Domain::unlabelled("t", from_rows(&[vec![-1.0, -4.0], vec![-1.0, -4.0]]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let context = &mut Context::default();
        let adapted = Pca::default().adapt(&task, &NearestNeighbor::default(), context).unwrap();
        let mapped = apply_all(&adapted.target_map, task.target.features.as_ref());
        assert_eq!(adapted.source.ncols(), 1);
        assert!((adapted.source[(0, 0)].abs() - 5.0).abs() < 1e-12);
        assert!((adapted.source[(1, 0)] + mapped[(0, 0)]).abs() < 1e-12);
        assert_eq!(
            context.notices()[0].text,
            "30 components asked for, the pooled rows have rank 1: 1 are used"
        );
    }
}
