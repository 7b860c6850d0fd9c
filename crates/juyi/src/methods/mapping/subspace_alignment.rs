//! Subspace alignment: each domain is described by its own principal directions, and the source's are turned onto the
//! target's.
//!
//! When: many columns of which a few directions matter, and these are turned between the domains (another camera,
//! another view). It hurts where the class shares differ, because then the principal directions and the means differ for
//! another reason.
//!
//! Paper: B. Fernando, A. Habrard, M. Sebban, T. Tuytelaars, "Unsupervised visual domain adaptation using subspace alignment", ICCV 2013
//!
//! ```text
//! source: x -> (x - mean_s) P_s P_sᵀ P_t        target: x -> (x - mean_t) P_t
//! ```
//! with `P_s`, `P_t` `(d, k)` the first `components` principal directions of each domain (algorithm 1). Signs of
//! directions cancel in distances and inner products.
//!
//! Where we differ: each domain is centred by its own mean, as in skada; the authors' code does not centre, and gives
//! the same on the paper's data, whose columns have mean 0 in each domain.
//!
//! Cost: `O(n d² + d³)` time and `O(d²)` memory for each domain with at least as many rows as columns, else a thin
//! singular value decomposition, `O(n² d)` time and `O(n d)` memory; `O(n_s k)` memory for the moved source rows.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{column_means, multiply, principal_directions, principal_directions_bytes};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, params_of};
use crate::models::{Map, apply_all};

/// Parameters of subspace alignment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubspaceAlignment {
    /// Principal directions of each domain, k. 1 to 1000000; no more than the rank of either domain are used.
    pub components: usize,
}

impl Default for SubspaceAlignment {
    fn default() -> Self {
        Self { components: 30 }
    }
}

impl SubspaceAlignment {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "subspace-alignment",
        family: Family::Mapping,
        summary: "projects each domain to its principal directions and turns the source's onto the target's",
        when: "many columns of which a few directions matter, turned between the domains",
        paper: "B. Fernando, A. Habrard, M. Sebban, T. Tuytelaars, \"Unsupervised visual domain adaptation using subspace alignment\", ICCV 2013",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: usize::MAX,
        source: include_str!("subspace_alignment.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for SubspaceAlignment {
    fn check(&self) -> Result<()> {
        count("subspace-alignment", "components", self.components, 1..=1_000_000)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        // The larger decomposition with its workspace, the directions of both domains, the moved rows.
        let (n, d) = (source.nrows().max(target.nrows()), task.columns());
        let need = principal_directions_bytes(n, d) + 8 * (n * d.min(self.components)) as u64;
        context.require("the decompositions of `subspace-alignment`", need)?;
        let (p_s, p_t) = (principal_directions(source)?, principal_directions(target)?);
        let rank = p_s.ncols().min(p_t.ncols());
        if self.components > rank {
            let asked = self.components;
            let text = format!("{asked} components asked for, the domains have rank {rank}: {rank} are used");
            context.note("subspace-alignment", text);
        }
        let k = self.components.min(rank);
        let (p_s, p_t) = (p_s.get(.., ..k), p_t.get(.., ..k));
        let turned = multiply(p_s, multiply(p_s.transpose(), p_t).as_ref());
        let source_map = [centre(source), Map::Project { matrix: turned }];
        let target_map = vec![centre(target), Map::Project { matrix: p_t.to_owned() }];
        Ok(Adapted { source: Cow::Owned(apply_all(&source_map, source)), weights: None, target_map })
    }
}

/// The map that takes the mean off.
fn centre(x: MatRef<'_, f64>) -> Map {
    let means = column_means(x);
    let d = means.len();
    Map::Affine { shift: Mat::from_fn(1, d, |_, j| means[j]), scale: Mat::from_fn(1, d, |_, _| 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{Matrix, from_rows};

    fn adapted(
        source: &Matrix,
        target: &Matrix,
        components: usize,
        context: &mut Context,
    ) -> (Matrix, Matrix) {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let of = (0..source.nrows()).map(|i| i % 2).collect();
        let source = Domain::labelled("s", source.clone(), Labels::Classes(of));
        let task = Task::new(vec![source], Domain::unlabelled("t", target.clone(), &goal), goal).unwrap();
        let adapted =
            SubspaceAlignment { components }.adapt(&task, &NearestNeighbor::default(), context).unwrap();
        let target = apply_all(&adapted.target_map, target.as_ref());
        (adapted.source.into_owned(), target)
    }

    /// The source lies along (1, 0) around (5, 5), the target along (3, 4) / 5 around 0: source rows keep 3/5 of their
    /// deviation, target rows all of it.
    #[test]
    fn one_direction_by_hand() {
        let source = from_rows(&[vec![3.0, 5.0], vec![7.0, 5.0]]);
        let target = from_rows(&[vec![-3.0, -4.0], vec![0.0, 0.0], vec![3.0, 4.0]]);
        let context = &mut Context::default();
        let (moved, mapped) = adapted(&source, &target, 2, context);
        let side = mapped[(2, 0)].signum();
        for (ours, expected) in [(&moved, vec![-1.2, 1.2]), (&mapped, vec![-5.0, 0.0, 5.0])] {
            for (i, expected) in expected.iter().enumerate() {
                assert!((side * ours[(i, 0)] - expected).abs() < 1e-12, "{ours:?}");
            }
        }
        assert_eq!(context.notices()[0].text, "2 components asked for, the domains have rank 1: 1 are used");
    }

    /// Columns of zeros more than rows are taken through the other decomposition, and change nothing.
    #[test]
    fn wide_rows_and_rows_that_are_all_the_same() {
        let rows = |n: usize, d: usize, shift: usize| {
            Mat::from_fn(n, d, |i, j| if j < 3 { ((i * 7 + j * 5 + i * j + shift) % 11) as f64 } else { 0.0 })
        };
        let gram = |d: usize| {
            let (moved, mapped) = adapted(&rows(8, d, 0), &rows(7, d, 3), 2, &mut Context::default());
            multiply(moved.as_ref(), mapped.transpose())
        };
        assert!((gram(3) - gram(20)).norm_max() < 1e-10);
        let same = Mat::from_fn(4, 3, |_, j| j as f64);
        let (moved, mapped) = adapted(&rows(8, 3, 0), &same, 2, &mut Context::default());
        assert!(moved.ncols() == 1 && mapped.norm_max() == 0.0);
    }
}
