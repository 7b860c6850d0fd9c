//! Geodesic flow kernel: rows are compared in all subspaces on the shortest path from the source's principal directions
//! to the target's.
//!
//! When: many columns of which a few directions matter, and these turn gradually between the domains (pose, lighting,
//! another camera). It hurts where the classes differ in weak directions, which the path does not contain.
//!
//! Paper: B. Gong, Y. Shi, F. Sha, K. Grauman, "Geodesic flow kernel for unsupervised domain adaptation", CVPR 2012
//!
//! ```text
//! G = ∫ Phi(t) Phi(t)ᵀ dt over t from 0 to 1,   Phi(0) = P_s,   Phi(1) = P_t
//! similarity of two rows: x G yᵀ;   here x -> x L with L Lᵀ = G, L of 2 k columns, for rows of both domains
//! k = the least dimension with D(k) = (sin alpha_k + sin beta_k) / 2 = 1
//! ```
//! `P_s`, `P_t` `(d, k)` are the first principal directions of each domain, `Phi` the geodesic between the subspaces
//! that they span; `alpha_k` and `beta_k` are the largest principal angles from the first `k` directions of the pooled
//! rows to those of the source and of the target. Every learner that works with distances or inner products works with
//! the kernel when it is given `x L`.
//!
//! Where we differ: the factor `L` instead of the kernel `G`, in a closed form that needs neither the orthogonal
//! complement of `P_s` nor `2 k <= d`. On finite samples `D(k)` comes near 1 and does not reach it, so the first `k`
//! within 0.001 of 1 is taken, and where there is none the most that are tried: half of the columns, the rank of either
//! domain, or 100. Principal directions are those about each domain's mean; rows are not normalised.
//!
//! Cost: `O(n d² + d³)` time and `O(d²)` memory for each domain with at least as many rows as columns, else `O(n² d)`
//! time and `O(n d)` memory; the automatic dimension decomposes the pooled rows too, and `O(k⁴)`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{principal_directions, principal_directions_bytes, rows_times};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, params_of};
use crate::models::Map;
use crate::solvers::{geodesic_flow, subspace_disagreement};

/// The most directions that the automatic choice considers.
const MOST: usize = 100;

/// Parameters of the geodesic flow kernel.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gfk {
    /// Principal directions of each domain, k; rows end in 2 k columns. 1 to 1000000; no more than the rank of either
    /// domain are used. By default the least number for which the subspaces of the domains and of the pooled rows part.
    pub components: Option<usize>,
}

impl Gfk {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "gfk",
        family: Family::Mapping,
        summary: "compares rows in all subspaces on the path from the source's principal directions to the target's",
        when: "many columns of which a few directions matter, turning gradually between the domains",
        paper: "B. Gong, Y. Shi, F. Sha, K. Grauman, \"Geodesic flow kernel for unsupervised domain adaptation\", CVPR 2012",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::of(&["{}"]),
        most_rows: usize::MAX,
        source: include_str!("gfk.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Gfk {
    fn check(&self) -> Result<()> {
        let components = self.components.unwrap_or(1);
        count("gfk", "components", components, 1..=1_000_000)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let (n, d) = (source.nrows() + target.nrows(), task.columns());
        // The pooled rows and the largest decomposition, the factor, the moved rows.
        let width = 2 * self.components.unwrap_or(MOST).min(d);
        let need = principal_directions_bytes(n, d) + 8 * (n * d + (d + n) * width) as u64;
        context.require("the decompositions of `gfk`", need)?;
        let (p_s, p_t) = (principal_directions(source)?, principal_directions(target)?);
        let rank = p_s.ncols().min(p_t.ncols());
        let k = if let Some(asked) = self.components {
            if asked > rank {
                let text =
                    format!("{asked} components asked for, the domains have rank {rank}: {rank} are used");
                context.note("gfk", text);
            }
            asked.min(rank)
        } else {
            let pooled = principal_directions(task.pooled().as_ref())?;
            let most = (d / 2).clamp(1, MOST).min(rank);
            let k = subspace_disagreement(p_s.as_ref(), p_t.as_ref(), pooled.as_ref(), most)?;
            context.note("gfk", format!("{k} of {rank} principal directions are used"));
            k
        };
        let matrix = geodesic_flow(p_s.get(.., ..k), p_t.get(.., ..k))?;
        let moved = rows_times(source, matrix.as_ref());
        Ok(Adapted { source: Cow::Owned(moved), weights: None, target_map: vec![Map::Project { matrix }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{Matrix, from_rows, multiply};
    use crate::models::apply_all;

    fn task(source: Matrix, target: Matrix) -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let of = (0..source.nrows()).map(|i| i % 2).collect();
        let source = Domain::labelled("s", source, Labels::Classes(of));
        Task::new(vec![source], Domain::unlabelled("t", target, &goal), goal).unwrap()
    }

    /// Principal directions (1, 0) and (0, 1): a right angle, so `G = [[1/2, 1/pi], [1/pi, 1/2]]` up to the sign of its
    /// cross term, which is that of the directions.
    #[test]
    fn a_right_angle_by_hand() {
        let source = from_rows(&[vec![-2.0, 1.0], vec![2.0, 1.0]]);
        let target = from_rows(&[vec![3.0, 4.0], vec![3.0, -4.0]]);
        let (task, context) = (task(source, target), &mut Context::default());
        let gfk = Gfk { components: Some(2) };
        let adapted = gfk.adapt(&task, &NearestNeighbor::default(), context).unwrap();
        let mapped = apply_all(&adapted.target_map, task.target.features.as_ref());
        let inner = multiply(adapted.source.as_ref().as_ref(), mapped.transpose());
        let (half, cross) = (0.5, std::f64::consts::FRAC_1_PI);
        let expected = |x: [f64; 2], y: [f64; 2], sign: f64| {
            half * (x[0] * y[0] + x[1] * y[1]) + sign * cross * (x[0] * y[1] + x[1] * y[0])
        };
        let sign =
            if (inner[(0, 0)] - expected([-2.0, 1.0], [3.0, 4.0], 1.0)).abs() < 1e-9 { 1.0 } else { -1.0 };
        for (i, x) in [[-2.0, 1.0], [2.0, 1.0]].into_iter().enumerate() {
            for (j, y) in [[3.0, 4.0], [3.0, -4.0]].into_iter().enumerate() {
                assert!((inner[(i, j)] - expected(x, y, sign)).abs() < 1e-9, "{inner:?}");
            }
        }
        assert!(context.notices()[0].text.starts_with("2 components asked for, the domains have rank 1"));
    }

    #[test]
    fn equal_domains_give_the_projection_on_their_directions() {
        let x = Matrix::from_fn(30, 4, |i, j| ((i * 7 + j * 5 + i * j) % 11) as f64 / (1.0 + 3.0 * j as f64));
        let task = task(x.clone(), x.clone());
        let adapted = Gfk { components: Some(3) }
            .adapt(&task, &NearestNeighbor::default(), &mut Context::default())
            .unwrap();
        let p = principal_directions(x.as_ref()).unwrap();
        let z = multiply(x.as_ref(), p.get(.., ..3));
        let (ours, expected) = (
            multiply(adapted.source.as_ref().as_ref(), adapted.source.transpose()),
            multiply(z.as_ref(), z.transpose()),
        );
        assert!((&ours - &expected).norm_max() < 1e-9 * expected.norm_max());
    }

    #[test]
    fn a_constant_domain_and_one_column_are_no_failure() {
        let same = Matrix::from_fn(3, 4, |_, j| j as f64);
        let x = Matrix::from_fn(6, 4, |i, j| ((i * 3 + j) % 5) as f64);
        for (source, target) in
            [(x.clone(), same), (from_rows(&[vec![1.0], vec![2.0]]), from_rows(&[vec![4.0]]))]
        {
            let task = task(source, target);
            let adapted =
                Gfk::default().adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
            assert!(adapted.source.ncols() == 2 && adapted.source.norm_max().is_finite());
        }
    }
}
