//! Transfer joint matching: a projection in which the domains' means agree and source rows unlike the target's have
//! little say.
//!
//! When: many columns, a shift of the whole cloud of rows, and source rows of which many have no counterpart in the
//! target. It hurts where the rows that have none are those of a whole class.
//!
//! Paper: M. Long, J. Wang, G. Ding, J. Sun, P. Yu, "Transfer joint matching for unsupervised domain adaptation", CVPR 2014
//!
//! ```text
//! min tr(Aᵀ K M K A) + lambda (Σ_source |A_i| + Σ_target |A_i|²)   with Aᵀ K H K A = I
//! K H K a = mu (K M K + lambda G) a,   G_ii = 1 / |A_i| on source rows, 1 on target rows
//! M = e eᵀ / |e eᵀ|,   e_i = 1/n_s (source), -1/n_t (target),   Z = K A
//! ```
//! `A` `(n, k)` has a row for each pooled row: the penalty on the lengths of source rows makes many of them short, so
//! that their rows of `K` weigh little in `Z`. `G` starts as the identity and is renewed in each round from the last
//! `A`.
//!
//! Where we differ: columns of `A` have length 1 and `G_ii` lacks the paper's factor 1/2, pooled rows are brought to
//! unit length before and embedded rows are left as they are: so does the authors' code, which the published table
//! comes from. `K` may have a rank below `n`; the problem is then solved exactly in that many coordinates
//! ([`JointEmbedding::solve_by_row`](crate::solvers::JointEmbedding::solve_by_row)).
//!
//! Cost: linear `O(n d min(n, d))` time once, `O(n r² + r³)` a round for rank `r`, and `O(n d)` memory; rbf `O(n² k)` a
//! step of the solver and `8 n²` bytes three times, or Nyström features; `iterations` rounds.

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

/// Parameters of transfer joint matching.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tjm {
    /// linear or rbf: what similarity of rows is. With primal directions have no weight a row, which is the method's
    /// point.
    pub kernel: Kernel,
    /// Dimensions of the embedding, k. 1 to 1000000; no more than the rank of the pooled rows are used.
    pub components: usize,
    /// Weight of the penalty on the rows of A, lambda. Above 0.
    pub regularization: f64,
    /// Rounds. 1 to 1000; 1 is transfer component analysis without normalised embeddings.
    pub iterations: usize,
    /// Width of the rbf kernel on rows of unit length. Above 0; by default the median distance of rows.
    pub bandwidth: Option<f64>,
}

impl Default for Tjm {
    fn default() -> Self {
        Self { kernel: Kernel::Linear, components: 20, regularization: 1.0, iterations: 10, bandwidth: None }
    }
}

impl Tjm {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "tjm",
        family: Family::Mapping,
        summary: "projects to where the means agree, with little say for source rows unlike the target's",
        when: "many columns, a shift of the whole cloud, source rows without a counterpart in the target",
        paper: "M. Long, J. Wang, G. Ding, J. Sun, P. Yu, \"Transfer joint matching for unsupervised domain adaptation\", CVPR 2014",
        needs: Needs { directions: true, ..Needs::NOTHING },
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: 100_000,
        source: include_str!("tjm.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Tjm {
    fn check(&self) -> Result<()> {
        must("tjm", "kernel", self.kernel != Kernel::Primal, "linear or rbf", "primal")?;
        count("tjm", "components", self.components, 1..=1_000_000)?;
        let finite = self.regularization.is_finite();
        must("tjm", "regularization", finite && self.regularization > 0.0, "above 0", self.regularization)?;
        count("tjm", "iterations", self.iterations, 1..=1_000)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must("tjm", "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)
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
            JointEmbedding::new("tjm", pooled.as_ref(), self.kernel, self.bandwidth, context)?;
        let components = embedding.components("tjm", self.components, context);
        let e = marginal_discrepancy(n_s, n_t);
        let mut freedom = vec![1.0; n_s + n_t]; // 1 / G_ii
        for round in 1.. {
            context.progress("tjm", round - 1, self.iterations);
            let (project, a) =
                embedding.solve_by_row("tjm", &e, components, self.regularization, &freedom, context)?;
            if round == self.iterations {
                let target_map = vec![Map::NormalizeRowsL2, project.into()];
                let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
                return Ok(Adapted { source, weights: None, target_map });
            }
            for (i, freedom) in freedom[..n_s].iter_mut().enumerate() {
                *freedom = a.row(i).norm_l2() + f64::EPSILON;
            }
        }
        unreachable!("the last round returns")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{Matrix, from_rows, multiply};

    fn task(source: Matrix, target: Matrix) -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let of = (0..source.nrows()).map(|i| i % 2).collect();
        let source = Domain::labelled("s", source, Labels::Classes(of));
        Task::new(vec![source], Domain::unlabelled("t", target, &goal), goal).unwrap()
    }

    /// Columns: a shift between the domains, the class. The one component kept must be the class; rows of `K A` are
    /// then multiples of the class with the same factor in both domains.
    #[test]
    fn the_shifted_direction_is_given_up() {
        let source = from_rows(&[vec![1.0, 1.0], vec![1.0, -1.0], vec![1.0, 1.0], vec![1.0, -1.0]]);
        let target = from_rows(&[vec![-1.0, 1.0], vec![-1.0, -1.0], vec![-1.0, 1.0], vec![-1.0, -1.0]]);
        let task = task(source, target);
        let tjm = Tjm { components: 1, regularization: 0.01, ..Tjm::default() };
        let adapted = tjm.adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let mapped = apply_all(&adapted.target_map, task.target.features.as_ref());
        for i in 0..4 {
            assert!((adapted.source[(i, 0)] - mapped[(i, 0)]).abs() < 1e-9);
            assert!((mapped[(i, 0)] + mapped[((i + 1) % 4, 0)]).abs() < 1e-9);
        }
    }

    /// One round is the plain penalty; the rank of a linear kernel, fewer than rows, changes nothing of a Gaussian
    /// one's.
    #[test]
    fn one_round_is_the_plain_problem() {
        let x = |n: usize, shift: f64| {
            Matrix::from_fn(n, 3, |i, j| ((i * 7 + j * 5 + i * j) % 11) as f64 + shift)
        };
        let task = task(x(14, 0.0), x(11, 1.0));
        let mut pooled = task.pooled();
        normalize_rows_l2(pooled.as_mut());
        let e = marginal_discrepancy(14, 11);
        for kernel in [Kernel::Linear, Kernel::Rbf] {
            let context = &mut Context::default();
            let tjm = Tjm { kernel, components: 2, iterations: 1, bandwidth: Some(1.0), ..Tjm::default() };
            let adapted = tjm.adapt(&task, &NearestNeighbor::default(), context).unwrap();
            let mut plain = JointEmbedding::new("tjm", pooled.as_ref(), kernel, Some(1.0), context).unwrap();
            let plain: Map = plain.solve("tjm", &e, 2, 1.0, context).unwrap().into();
            let z = plain.apply(pooled.get(..14, ..));
            let (ours, expected) = (
                multiply(adapted.source.as_ref().as_ref(), adapted.source.transpose()),
                multiply(z.as_ref(), z.transpose()),
            );
            assert!((&ours - &expected).norm_max() < 1e-9 * expected.norm_max(), "{kernel:?}");
        }
    }

    #[test]
    fn many_rounds_on_repeated_rows_are_no_failure() {
        let x = from_rows(&[vec![1.0, 2.0], vec![1.0, 2.0], vec![2.0, 1.0], vec![1.0, 2.0], vec![0.0, 0.0]]);
        let zeros = task(Matrix::zeros(3, 2), Matrix::zeros(2, 2));
        let task = task(x.clone(), x);
        for kernel in [Kernel::Linear, Kernel::Rbf] {
            let tjm = Tjm { kernel, iterations: 60, ..Tjm::default() };
            for task in [&task, &zeros] {
                let adapted = tjm.adapt(task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
                assert!(adapted.source.norm_max().is_finite());
            }
        }
    }
}
