//! Marginalised stacked denoising autoencoders: layers that restore columns from the others, learnt in closed form on
//! the rows of both domains, are appended to the rows.
//!
//! When: many columns that hang together (words, pixels), and many rows of both domains, labelled or not: what stands
//! for what is learnt from all of them. It hurts where few rows stand beside many columns, and it makes rows `layers` +
//! 1 times as wide; with few columns there is little to restore and it gains nothing.
//!
//! Paper: M. Chen, Z. Xu, K. Weinberger, F. Sha, "Marginalized denoising autoencoders for domain adaptation", ICML 2012
//!
//! ```text
//! h_0 = x (1, d),   h_l = tanh((h_(l - 1), 1) Wᵀ),   x -> (h_0, h_1, .., h_layers)
//! W = E[P] (E[Q] + r I)⁻¹      minimises  Σ_i E |h_i - (c_i, 1) Wᵀ|² + r |W|²                  (section 3)
//! ```
//! where `c_i` is row `i` with each column set to 0 with probability `p`, apart from all others. With `S = Σ_i (h_i,
//! 1)ᵀ (h_i, 1)` and `q = (1 - p, .., 1 - p, 1)`
//! ```text
//! E[Q]_jk = S_jk q_j q_k  (j ≠ k),   E[Q]_jj = S_jj q_j,   E[P]_jk = S_jk q_k  (j ≤ d)
//! ```
//! so no row is ever corrupted and nothing is drawn: it is as if each row had been corrupted infinitely often. Source
//! and target rows are pooled.
//!
//! Where we differ: `r` is `1e-5`, as in the authors' code, without which a column of zeros would leave nothing to
//! invert. All columns are restored from all; the authors' way around wide rows (restoring the most frequent columns
//! from groups of columns) is left out.
//!
//! Cost: `O(layers (n d² + d³))` time; `32 d²` bytes for a layer, and the rows `layers + 1` times as wide.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{BLOCK, Matrix};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::{Map, apply_all};
use crate::solvers::{add_gram, solve_shifted};

/// Parameters of marginalised stacked denoising autoencoders.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Msda {
    /// Probability with which a column is set to 0, p. At least 0, below 1.
    pub corruption: f64,
    /// Layers that are appended to the rows. 1 to 100; each makes the rows wider by the number of columns.
    pub layers: usize,
}

/// r.
const RIDGE: f64 = 1e-5;

impl Default for Msda {
    fn default() -> Self {
        Self { corruption: 0.5, layers: 3 }
    }
}

impl Msda {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "msda",
        family: Family::Mapping,
        summary: "appends layers that restore columns from the others, learnt on both domains",
        when: "many columns that hang together, and many rows of both domains, labelled or not",
        paper: "M. Chen, Z. Xu, K. Weinberger, F. Sha, \"Marginalized denoising autoencoders for domain adaptation\", ICML 2012",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "logistic",
        grid: Grid::of(&["{}"]),
        most_rows: 100_000,
        source: include_str!("msda.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Msda {
    fn check(&self) -> Result<()> {
        let p = self.corruption;
        must("msda", "corruption", (0.0..1.0).contains(&p), "at least 0 and below 1", p)?;
        count("msda", "layers", self.layers, 1..=100)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n_s, n_t, d) = (task.source.rows(), task.target.rows(), task.columns());
        // Three copies of the sums and one layer's weights; the last layer of all rows twice, the widened source rows.
        let widened = n_s.saturating_mul(d).saturating_mul(self.layers.saturating_add(1));
        let need = (4 * (d + 1) * (d + 1) + 2 * (n_s + n_t) * d).saturating_add(widened);
        context
            .require(&format!("{} layers of {d} columns", self.layers), (need as u64).saturating_mul(8))?;
        let mut hidden = task.pooled();
        let mut target_map = Vec::new();
        for layer in 0..self.layers {
            context.progress("msda", layer, self.layers);
            let weights = restoring_weights(hidden.as_ref(), self.corruption)?;
            let (matrix, shift) = weights.as_ref().split_at_row(d);
            let map = Map::Append { squash: true, matrix: matrix.to_owned(), shift: shift.to_owned() };
            hidden = map.apply(hidden.as_ref()).get(.., d..).to_owned();
            target_map.push(map);
        }
        let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
        Ok(Adapted { source, weights: None, target_map })
    }
}

/// `Wᵀ` `(d + 1, d)` for rows `(n, d)`, the constant's weights last.
fn restoring_weights(rows: MatRef<'_, f64>, corruption: f64) -> Result<Matrix> {
    let (n, d) = rows.shape();
    let mut sums = Mat::zeros(d + 1, d + 1);
    for first in (0..n).step_by(32 * BLOCK) {
        let count = (32 * BLOCK).min(n - first);
        let with_constant = |i: usize, j: usize| if j < d { rows[(first + i, j)] } else { 1.0 };
        add_gram(&mut sums, Mat::from_fn(count, d + 1, with_constant).as_ref());
    }
    let kept = |j: usize| if j < d { 1.0 - corruption } else { 1.0 };
    // Of `sums` the lower triangle is there.
    let at = |j: usize, k: usize| sums[(j.max(k), j.min(k))];
    let restored = Mat::from_fn(d + 1, d, |k, j| at(j, k) * kept(k));
    let corrupted =
        Mat::from_fn(d + 1, d + 1, |j, k| at(j, k) * if j == k { kept(j) } else { kept(j) * kept(k) });
    drop(sums);
    solve_shifted(corrupted, RIDGE, restored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    fn adapted(method: &Msda, rows: &[Vec<f64>], context: &mut Context) -> (Matrix, Matrix) {
        let (half, goal) = (rows.len() / 2, Goal::Value);
        let source = Domain::labelled("s", from_rows(&rows[..half]), Labels::Values(vec![0.0; half]));
        let target = Domain::unlabelled("t", from_rows(&rows[half..]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let adapted = method.adapt(&task, &NearestNeighbor::default(), context).unwrap();
        (adapted.source.clone().into_owned(), apply_all(&adapted.target_map, task.target.features.as_ref()))
    }

    /// One column with the values 2, 0: S = (4, 2; 2, 2), at p = 1/2 E[Q] = (2, 1; 1, 2) and E[P] = (2, 2), so that
    /// W = (2, 2) (2, -1; -1, 2) / 3 = (2/3, 2/3).
    #[test]
    fn one_column_by_hand() {
        let method = Msda { corruption: 0.5, layers: 1 };
        let (source, target) = adapted(&method, &[vec![2.0], vec![0.0]], &mut Context::default());
        assert_eq!((source[(0, 0)], target[(0, 0)]), (2.0, 0.0));
        assert!((source[(0, 1)] - 2f64.tanh()).abs() < 1e-5, "{source:?}");
        assert!((target[(0, 1)] - (2f64 / 3.0).tanh()).abs() < 1e-5, "{target:?}");
    }

    /// Without corruption each column restores itself; also where columns repeat, are constant or outnumber the rows.
    #[test]
    fn columns_that_depend_on_each_other_are_restored() {
        let row = |i: usize| vec![i as f64, i as f64, 3.0, 0.0, (i * i % 5) as f64, 1e6 * i as f64];
        let rows: Vec<Vec<f64>> = (0..4).map(row).collect();
        let method = Msda { corruption: 0.0, layers: 2 };
        let (source, _) = adapted(&method, &rows, &mut Context::default());
        assert_eq!(source.shape(), (2, 18));
        for j in [0, 1, 2, 3, 4] {
            assert!((source[(1, 6 + j)] - rows[1][j].tanh()).abs() < 1e-3, "{j}: {source:?}");
        }
    }

    #[test]
    fn rows_too_wide_for_the_budget_are_refused() {
        let goal = Goal::Value;
        let source = Domain::labelled("s", Mat::zeros(1, 400), Labels::Values(vec![0.0]));
        let task = Task::new(vec![source], Domain::unlabelled("t", Mat::zeros(1, 400), &goal), goal).unwrap();
        let refused =
            Msda::default().adapt(&task, &NearestNeighbor::default(), &mut Context::new(0, 1 << 20));
        assert!(refused.err().unwrap().to_string().contains("3 layers of 400 columns"));
    }
}
