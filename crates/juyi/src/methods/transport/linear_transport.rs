//! Linear transport: the source rows are moved by the linear map that carries a normal distribution with their mean and
//! covariance onto one with the target's, at the least mean squared distance.
//!
//! When: the target was shifted, stretched or sheared as a whole (another sensor, other units), few rows a column, any
//! number of rows. It hurts where class shares differ, because then means and covariances differ for another reason;
//! a distortion that bends is followed on average only.
//!
//! Paper: R. Flamary, K. Lounici, A. Ferrari, "Concentration bounds for linear Monge mapping estimation and optimal transport domain adaptation", arXiv 1905.10155, 2020
//!
//! ```text
//! x -> m_t + A (x - m_s)                                                                    (1)
//! A = S_s^(-1/2) (S_s^(1/2) S_t S_s^(1/2))^(1/2) S_s^(-1/2),   S = cov + r I                (2)
//! ```
//! Covariances are divided by `n`; `A` is symmetric. Among all maps that carry the one distribution onto the other it
//! moves rows the least; CORAL's `A` has the same effect on the covariance but turns the rows besides.
//!
//! Where we differ: nothing; POT's `LinearTransport` is the same with `reg` for `r`. More columns than rows are served
//! by the `r I`: directions in which no source row varies are left out of the move of source rows. Target labels reach
//! the learner only.
//!
//! Cost: `O(n d² + d³)` time, `O(n d + d²)` memory.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::learners::Learner;
use crate::linalg::{Matrix, column_means, covariance, multiply, rows_times, symmetric_eigen};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, make, must, params_of};

/// Parameters of linear transport.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinearTransport {
    /// Added to the diagonal of both covariances, r (POT's `reg`), in squared units of the columns. Above 0.
    pub regularization: f64,
}

impl Default for LinearTransport {
    fn default() -> Self {
        Self { regularization: 0.01 }
    }
}

impl LinearTransport {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "linear-transport",
        family: Family::Transport,
        summary: "moves the source rows by the linear map that carries their mean and covariance onto the target's",
        when: "the target was shifted, stretched or sheared as a whole; any number of rows",
        paper: "R. Flamary, K. Lounici, A. Ferrari, \"Concentration bounds for linear Monge mapping estimation and optimal transport domain adaptation\", arXiv 1905.10155, 2020",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "logistic",
        grid: Grid { values: &["{}"], ..Grid::NONE },
        most_rows: usize::MAX,
        source: include_str!("linear_transport.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for LinearTransport {
    fn check(&self) -> Result<()> {
        let r = self.regularization;
        must("linear-transport", "regularization", r > 0.0 && r.is_finite(), "above 0", r)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n_s, d) = task.source.features.shape();
        let need = 8 * (n_s * d + 10 * d * d) as u64;
        context.require("the moved source rows of `linear-transport`", need)?;
        let source = task.source.features.as_ref();
        let map = self.map(source, task.target.features.as_ref())?;
        Ok(Adapted { source: Cow::Owned(map.apply(source)), weights: None, target_map: Vec::new() })
    }
}

/// `x -> x matrix + shift`.
pub struct LinearMap {
    /// `(d, d)`, symmetric.
    pub matrix: Matrix,
    /// `(d)`.
    pub shift: Vec<f64>,
}

impl LinearMap {
    /// Moves source rows `(n, d)`, those of the fit or others.
    pub fn apply(&self, rows: MatRef<'_, f64>) -> Matrix {
        let mut moved = rows_times(rows, self.matrix.as_ref());
        for (j, shift) in self.shift.iter().enumerate() {
            moved.col_as_slice_mut(j).iter_mut().for_each(|v| *v += shift);
        }
        moved
    }
}

impl LinearTransport {
    /// The map from `source` `(n_s, d)` to `target` `(n_t, d)`.
    ///
    /// # Errors
    /// [`Error::Numeric`] if a covariance overflows.
    pub fn map(&self, source: MatRef<'_, f64>, target: MatRef<'_, f64>) -> Result<LinearMap> {
        let [of_source, of_target] = [source, target].map(|rows| {
            let n = rows.nrows() as f64;
            let mut spread = covariance(rows);
            spread.col_iter_mut().for_each(|c| c.iter_mut().for_each(|v| *v *= (n - 1.0) / n));
            spread
        });
        // Rounding may show an eigenvalue below 0 where there is none.
        let r = self.regularization;
        let (values, vectors) = symmetric_eigen(of_source.as_ref())?;
        let values: Vec<f64> = values.iter().map(|v| v.max(0.0) + r).collect();
        let power = |power: f64| powers(&values, &vectors, power);
        let (root, inverse) = (power(0.5), power(-0.5));
        let mut shifted = of_target;
        (0..shifted.nrows()).for_each(|j| shifted[(j, j)] += r);
        let inner = multiply(multiply(root.as_ref(), shifted.as_ref()).as_ref(), root.as_ref());
        let (values, vectors) = symmetric_eigen(inner.as_ref())?;
        let values: Vec<f64> = values.iter().map(|v| v.max(0.0)).collect();
        let middle = powers(&values, &vectors, 0.5);
        let matrix = multiply(multiply(inverse.as_ref(), middle.as_ref()).as_ref(), inverse.as_ref());
        if !matrix.norm_max().is_finite() {
            let why = "the columns are too large or too small for `regularization`".into();
            return Err(Error::Numeric { what: "the map of `linear-transport`".into(), why });
        }
        let (from, to) = (column_means(source), column_means(target));
        let moved = |j: usize| (0..from.len()).map(|k| from[k] * matrix[(k, j)]).sum::<f64>();
        let shift = (0..to.len()).map(|j| to[j] - moved(j)).collect();
        Ok(LinearMap { matrix, shift })
    }
}

/// `V diag(values^power) Vᵀ`.
fn powers(values: &[f64], vectors: &Matrix, power: f64) -> Matrix {
    let powers: Vec<f64> = values.iter().map(|v| v.powf(power)).collect();
    let scaled = Mat::from_fn(vectors.nrows(), vectors.ncols(), |i, j| vectors[(i, j)] * powers[j]);
    multiply(scaled.as_ref(), vectors.transpose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Variances 1 and 4, means 2 and 7: the factor is `sqrt((4 + r) / (1 + r))`.
    #[test]
    fn one_column_by_hand() {
        let (s, t) = (from_rows(&[vec![1.0], vec![3.0]]), from_rows(&[vec![5.0], vec![9.0]]));
        let map = LinearTransport { regularization: 0.5 }.map(s.as_ref(), t.as_ref()).unwrap();
        let moved = map.apply(from_rows(&[vec![2.0], vec![3.0]]).as_ref());
        assert!((moved[(0, 0)] - 7.0).abs() < 1e-14);
        assert!((moved[(1, 0)] - 7.0 - 3f64.sqrt()).abs() < 1e-14);
    }

    /// The covariance of the moved rows is the target's, and the map is symmetric, which makes it the one that moves
    /// rows the least.
    #[test]
    fn it_carries_the_covariance() {
        let s = Mat::from_fn(40, 3, |i, j| ((i * 7 + j * 5 + i * i * j) % 23) as f64 / 4.0);
        let t = Mat::from_fn(30, 3, |i, j| ((i * 11 + j * 3 + i * i * (j + 1)) % 19) as f64 / 3.0);
        let map = LinearTransport { regularization: 1e-12 }.map(s.as_ref(), t.as_ref()).unwrap();
        let moved = map.apply(s.as_ref());
        let wide = |x: &Matrix| {
            let n = x.nrows() as f64;
            Mat::from_fn(3, 3, |i, j| covariance(x.as_ref())[(i, j)] * (n - 1.0) / n)
        };
        assert!((wide(&moved) - wide(&t)).norm_max() < 1e-8);
        assert!((&map.matrix - map.matrix.transpose()).norm_max() < 1e-10);
    }

    #[test]
    fn constant_columns_single_rows_and_more_columns_than_rows() {
        let s = Mat::from_fn(1, 4, |_, j| j as f64);
        let t = Mat::from_fn(3, 4, |i, j| if j == 2 { 5.0 } else { (i * j) as f64 });
        for (from, to) in [(&s, &t), (&t, &s), (&s, &s)] {
            let map = LinearTransport::default().map(from.as_ref(), to.as_ref()).unwrap();
            let moved = map.apply(from.as_ref());
            let (here, there) = (column_means(moved.as_ref()), column_means(to.as_ref()));
            assert!(here.iter().zip(&there).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }
}
