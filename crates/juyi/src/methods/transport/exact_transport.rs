//! Exact optimal transport: each source row is moved to the mean of the target rows that its mass is sent to, the total
//! squared distance being the least there is.
//!
//! When: a smooth distortion of the rows and equal shares of the classes. It hurts where class shares differ: mass has
//! to go somewhere, so rows of one class are moved onto another.
//!
//! Paper: N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, "Optimal transport for domain adaptation", IEEE TPAMI 2017
//!
//! ```text
//! γ = argmin Σ_ij γ_ij |s_i - t_j|²,   Σ_j γ_ij = 1/n_s,   Σ_i γ_ij = 1/n_t        (eq. 3, solved by network simplex)
//! s_i -> n_s Σ_j γ_ij t_j                                                           (eq. 13, the barycentric map)
//! ```
//! Target rows stay where they are, so new ones need no map.
//!
//! Where we differ: nothing; a new source row takes the displacement of the nearest fitted one, as in Ferradans et al.
//! 2014 and in POT.
//!
//! Cost: `8 n_s n_t` bytes for the costs, or their rows computed anew about ten times, `O(n_s n_t d)` each; time grows
//! between `n²` and `n³`.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use faer::{Mat, MatRef};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{BLOCK, Matrix, padded_rows, squared_distance_block, squared_norms};
use crate::methods::{Adapted, Adapter, MethodRow, Needs, make, params_of};
use crate::solvers::{Costs, Transported, transport};

/// Exact optimal transport; no parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExactTransport {}

impl Adapter for ExactTransport {
    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let moved = self.transport(task.source.features.as_ref(), task.target.features.as_ref(), context)?;
        Ok(Adapted { source: Cow::Owned(moved.images), weights: None, target_map: Vec::new() })
    }
}

impl ExactTransport {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "exact-transport",
        family: "transport",
        summary: "moves the source rows onto the target rows at the least total squared distance",
        when: "a smooth distortion of the rows and equal shares of the classes; harmful when class shares differ",
        paper: "N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, \"Optimal transport for domain adaptation\", IEEE TPAMI 2017",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: &["{}"],
        most_rows: 10_000,
        source: include_str!("exact_transport.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl ExactTransport {
    /// Moves `source` `(n_s, d)` onto `target` `(n_t, d)`, every row with the same mass.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if squared distances overflow or the method does not end.
    pub fn transport(
        &self,
        source: MatRef<'_, f64>,
        target: MatRef<'_, f64>,
        context: &mut Context,
    ) -> Result<Transported> {
        let (n_s, n_t) = (source.nrows(), target.nrows());
        let (supply, demand) = (vec![1.0 / n_s as f64; n_s], vec![1.0 / n_t as f64; n_t]);
        let name = format!("the costs between {n_s} and {n_t} rows");
        let instead = "they are computed anew whenever they are looked at: the same plan in more time";
        let costs = SquaredDistances::new(source, target);
        let plan = if context.exact_route("exact-transport", &name, 8 * (n_s * n_t) as u64, instead) {
            transport(&supply, &demand, &costs.stored())?
        } else {
            transport(&supply, &demand, &costs)?
        };
        let mut images = Mat::zeros(n_s, source.ncols());
        let mut mass = vec![0.0; n_s];
        for &(i, _, flow) in &plan.flows {
            mass[i as usize] += flow;
        }
        for &(i, j, flow) in &plan.flows {
            let (i, j) = (i as usize, j as usize);
            for k in 0..source.ncols() {
                images[(i, k)] += flow / mass[i] * target[(j, k)];
            }
        }
        Ok(Transported { rows: source.to_owned(), images })
    }
}

/// `|s_i - t_j|²`, computed a block of rows at a time; the last block is kept, as rows are asked for in order.
struct SquaredDistances<'a> {
    source: MatRef<'a, f64>,
    target: MatRef<'a, f64>,
    target_norms: Vec<f64>,
    last: Mutex<Option<(usize, Matrix)>>,
}

impl<'a> SquaredDistances<'a> {
    fn new(source: MatRef<'a, f64>, target: MatRef<'a, f64>) -> Self {
        Self { source, target, target_norms: squared_norms(target), last: Mutex::new(None) }
    }

    /// The rows of block `k` as the columns of a matrix `(n_t, BLOCK)`.
    fn block(&self, k: usize) -> Matrix {
        let first = k * BLOCK;
        let block = padded_rows(self.source, first, BLOCK.min(self.source.nrows() - first), BLOCK);
        squared_distance_block(
            self.target,
            &self.target_norms,
            block.as_ref(),
            &squared_norms(block.as_ref()),
        )
    }

    /// All costs, row by row in one piece of memory.
    fn stored(&self) -> Stored {
        let (n, m) = (self.source.nrows(), self.target.nrows());
        let mut values = vec![0.0; n * m];
        values.par_chunks_mut(BLOCK * m).enumerate().for_each(|(k, rows)| {
            let block = self.block(k);
            for (row, costs) in rows.chunks_mut(m).zip(block.col_iter()) {
                row.iter_mut().zip(costs.iter()).for_each(|(v, c)| *v = *c);
            }
        });
        Stored { rows: n, columns: m, values }
    }
}

impl Costs for SquaredDistances<'_> {
    fn rows(&self) -> usize {
        self.source.nrows()
    }

    fn columns(&self) -> usize {
        self.target.nrows()
    }

    fn row<'a>(&'a self, i: usize, scratch: &'a mut Vec<f64>) -> &'a [f64] {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (held, block) = last.get_or_insert_with(|| (0, self.block(0)));
        if *held != i / BLOCK {
            (*held, *block) = (i / BLOCK, self.block(i / BLOCK));
        }
        scratch.clear();
        scratch.extend(block.col(i % BLOCK).iter());
        scratch
    }
}

/// Costs that are held.
struct Stored {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Costs for Stored {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn row<'a>(&'a self, i: usize, _scratch: &'a mut Vec<f64>) -> &'a [f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Two source rows on three target rows of a line: each sends a third to its own end and a sixth to the middle.
    #[test]
    fn a_line_by_hand() {
        let source = from_rows(&[vec![0.0], vec![10.0]]);
        let target = from_rows(&[vec![1.0], vec![5.0], vec![12.0]]);
        let moved =
            ExactTransport {}.transport(source.as_ref(), target.as_ref(), &mut Context::default()).unwrap();
        let ends = [2.0 / 3.0 * 1.0 + 1.0 / 3.0 * 5.0, 2.0 / 3.0 * 12.0 + 1.0 / 3.0 * 5.0];
        assert!(
            (moved.images[(0, 0)] - ends[0]).abs() < 1e-14 && (moved.images[(1, 0)] - ends[1]).abs() < 1e-14
        );
        let new = moved.map(from_rows(&[vec![-1.0], vec![11.0]]).as_ref());
        assert!(
            (new[(0, 0)] - (ends[0] - 1.0)).abs() < 1e-14 && (new[(1, 0)] - (ends[1] + 1.0)).abs() < 1e-14
        );
    }

    #[test]
    fn costs_computed_when_needed_give_the_same_plan() {
        let source = Mat::from_fn(40, 3, |i, j| ((i * 7 + j * 5) % 23) as f64 / 4.0);
        let target = Mat::from_fn(30, 3, |i, j| ((i * 11 + j * 3) % 19) as f64 / 3.0);
        let held =
            ExactTransport {}.transport(source.as_ref(), target.as_ref(), &mut Context::default()).unwrap();
        let small = &mut Context::new(0, 4000);
        let anew = ExactTransport {}.transport(source.as_ref(), target.as_ref(), small).unwrap();
        assert!(small.notices()[0].text.contains("computed anew"));
        assert_eq!(held.images, anew.images);
    }
}
