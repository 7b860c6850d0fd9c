//! Least squares in a kernel's space, held to a graph and to equal means of the domains: the machine behind adaptation
//! regularisation and manifold embedded distribution alignment.
//!
//! With labelled rows `E = diag(1 or 0)`, their answers `Y`, the discrepancy `M = V Vᵀ / |V Vᵀ|`, the Laplacian `L` of
//! a [`NeighborGraph`], and the kernel matrix `K` of all rows,
//! ```text
//! min |E (Y - K β)|² + ridge βᵀ K β + tr βᵀ K (discrepancy M + manifold L) K β
//! β = ((E + discrepancy M + manifold L) K + ridge I)⁻¹ E Y
//! ```
//! Only `V`, which has few columns, changes from round to round: the rest is factorised once, and each round is solved
//! by the formula of Sherman, Morrison and Woodbury. For the linear kernel of fewer columns than rows `w = Xᵀ β` is
//! solved for:
//! ```text
//! (Xᵀ (E + discrepancy M + manifold L) X + ridge I) w = Xᵀ E Y
//! ```
//! Cost: `O(n³)` once and `O(n² k)` a round for `k` columns of `V` and `Y`, `16 n²` bytes; or `O(n d² + d³)` once and
//! `O(d² k)` a round, `16 d²` bytes.

use faer::{Mat, MatRef};

use super::{Embedding, NeighborGraph};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, Triangles, gaussian_kernel, multiply};

/// How the parts count.
#[derive(Debug, Clone, Copy)]
pub struct Regularization {
    /// Weight of the discrepancy, 0 or above.
    pub discrepancy: f64,
    /// Weight of the graph, 0 or above; at 0 there is none.
    pub manifold: f64,
    /// Weight of the penalty, above 0.
    pub ridge: f64,
    /// Neighbours of each row in the graph.
    pub neighbors: usize,
}

/// Rows prepared for any number of solves.
pub struct AdaptationRegularization {
    /// `(n, r)`: scores are `columns` times what is solved for; `K`, or the rows.
    columns: Matrix,
    bandwidth: Option<f64>,
    /// Whether `β` is solved for, and not `w`.
    dual: bool,
    /// Everything but the discrepancy.
    system: Triangles,
    /// The right-hand side.
    answers: Matrix,
    discrepancy: f64,
}

impl AdaptationRegularization {
    /// Unit rows `(n, d)`, of which those count as labelled that have an answer other than 0 in `answers` `(n, c)`. A
    /// `bandwidth` of `None` is the linear kernel, else the Gaussian one.
    ///
    /// # Errors
    /// [`crate::error::Error::Memory`].
    pub fn new(
        rows: MatRef<'_, f64>,
        answers: MatRef<'_, f64>,
        bandwidth: Option<f64>,
        weights: Regularization,
        context: &Context,
    ) -> Result<Self> {
        let (n, d) = rows.shape();
        let dual = bandwidth.is_some() || d > n;
        let side = if dual { n } else { d };
        let need = 8 * (2 * side * side + n * (2 * d + 4 * weights.neighbors + 6 * answers.ncols()));
        context.require(&format!("the equations of {side} unknowns"), need as u64)?;
        let columns = match bandwidth {
            Some(bandwidth) => gaussian_kernel(rows, rows, bandwidth),
            None if dual => multiply(rows, rows.transpose()),
            None => rows.to_owned(),
        };
        let labelled: Vec<bool> = (0..n).map(|i| answers.row(i).iter().any(|y| *y != 0.0)).collect();
        // (E + manifold L) columns, then in the coordinates that are solved for.
        let mut held = if weights.manifold > 0.0 {
            let smooth = NeighborGraph::of_directions(rows, weights.neighbors)
                .normalized_laplacian_times(columns.as_ref());
            smooth * faer::Scale(weights.manifold)
        } else {
            Mat::zeros(n, side)
        };
        for j in 0..side {
            for i in (0..n).filter(|&i| labelled[i]) {
                held[(i, j)] += columns[(i, j)];
            }
        }
        if !dual {
            held = multiply(columns.transpose(), held.as_ref());
        }
        for j in 0..side {
            held[(j, j)] += weights.ridge;
        }
        let answers = if dual { answers.to_owned() } else { multiply(columns.transpose(), answers) };
        let system = Triangles::new(held);
        Ok(Self { columns, bandwidth, dual, system, answers, discrepancy: weights.discrepancy })
    }

    /// What the discrepancy vectors `V` `(n, k)` make of it: `β` `(n, c)`, or `w` `(d, c)`.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if the equations cannot be solved.
    pub fn solve(&self, discrepancies: MatRef<'_, f64>) -> Result<Matrix> {
        let plain = self.system.solve(self.answers.clone())?;
        let size = multiply(discrepancies.transpose(), discrepancies).norm_l2(); // |V Vᵀ| = |Vᵀ V|
        if size <= 0.0 || self.discrepancy <= 0.0 {
            return Ok(plain);
        }
        let right = multiply(self.columns.transpose(), discrepancies);
        let left = if self.dual { discrepancies.to_owned() } else { right.clone() };
        let moved = self.system.solve(left)?;
        let mut inner = multiply(right.transpose(), moved.as_ref());
        for k in 0..inner.nrows() {
            inner[(k, k)] += size / self.discrepancy;
        }
        let along = Triangles::new(inner).solve(multiply(right.transpose(), plain.as_ref()))?;
        Ok(plain - multiply(moved.as_ref(), along.as_ref()))
    }

    /// The scores of all rows `(n, c)`.
    pub fn scores(&self, solution: &Matrix) -> Matrix {
        multiply(self.columns.as_ref(), solution.as_ref())
    }

    /// The map from a row to its scores, for the `rows` that were given.
    pub fn into_map(self, rows: Matrix, solution: Matrix) -> Embedding {
        match (self.bandwidth, self.dual) {
            (Some(bandwidth), _) => Embedding::Gaussian { rows, bandwidth, coefficients: solution },
            (None, true) => Embedding::Linear(multiply(rows.transpose(), solution.as_ref())),
            (None, false) => Embedding::Linear(solution),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, normalize_rows_l2};

    fn weights() -> Regularization {
        Regularization { discrepancy: 10.0, manifold: 1.0, ridge: 0.1, neighbors: 3 }
    }

    fn problem(n: usize, d: usize) -> (Matrix, Matrix, Matrix) {
        let mut x = Mat::from_fn(n, d, |i, j| ((i * 13 + j * 7 + i * j) % 29) as f64 / 9.0 - 1.4);
        normalize_rows_l2(x.as_mut());
        let y = Mat::from_fn(n, 2, |i, c| f64::from(u8::from(i < n / 2 && i % 2 == c)));
        let v = Mat::from_fn(n, 2, |i, k| if i < n / 2 { 0.1 } else { -0.1 - 0.01 * ((i + k) % 3) as f64 });
        (x, y, v)
    }

    /// One labelled row and one that is not, without a graph: `k = 1` on the diagonal, `e` beside it, `M` of all 1/2.
    #[test]
    fn two_rows_by_hand() {
        let rows = from_rows(&[vec![1.0, 0.0], vec![0.0, 1.0]]);
        let weights = Regularization { discrepancy: 2.0, manifold: 0.0, ridge: 1.0, neighbors: 1 };
        let y = from_rows(&[vec![1.0], vec![0.0]]);
        let context = Context::default();
        let machine =
            AdaptationRegularization::new(rows.as_ref(), y.as_ref(), None, weights, &context).unwrap();
        // M = (1, -1; -1, 1) / 2, K = I: (3, -1; -1, 2) β = (1, 0).
        let v = from_rows(&[vec![1.0], vec![-1.0]]);
        let scores = machine.scores(&machine.solve(v.as_ref()).unwrap());
        assert!((scores - from_rows(&[vec![0.4], vec![0.2]])).norm_max() < 1e-14);
    }

    /// The primal and the dual form of the linear kernel, and the formula against the equations as they stand.
    #[test]
    fn the_routes_agree() {
        let (x, y, v) = problem(30, 4);
        let context = Context::default();
        let primal =
            AdaptationRegularization::new(x.as_ref(), y.as_ref(), None, weights(), &context).unwrap();
        let wide = Mat::from_fn(30, 40, |i, j| if j < 4 { x[(i, j)] } else { 0.0 });
        let dual =
            AdaptationRegularization::new(wide.as_ref(), y.as_ref(), None, weights(), &context).unwrap();
        assert!(dual.dual && !primal.dual);
        let (w, beta) = (primal.solve(v.as_ref()).unwrap(), dual.solve(v.as_ref()).unwrap());
        assert!((primal.scores(&w) - dual.scores(&beta)).norm_max() < 1e-10);

        let k = multiply(x.as_ref(), x.transpose());
        let m = multiply(v.as_ref(), v.transpose());
        let held = NeighborGraph::of_directions(x.as_ref(), 3)
            .normalized_laplacian_times(Mat::identity(30, 30).as_ref());
        let all = held
            + m.as_ref() * faer::Scale(10.0 / m.norm_l2())
            + Mat::from_fn(30, 30, |i, j| f64::from(u8::from(i == j && i < 15)));
        let left = multiply(all.as_ref(), multiply(k.as_ref(), beta.as_ref()).as_ref());
        assert!((left + beta.as_ref() * faer::Scale(0.1) - y).norm_max() < 1e-11);
    }

    #[test]
    fn rows_that_are_the_same_are_no_failure() {
        let (_, y, v) = problem(8, 2);
        let same = from_rows(&vec![vec![0.6, 0.8]; 8]);
        for bandwidth in [None, Some(1.0)] {
            let context = Context::default();
            let machine =
                AdaptationRegularization::new(same.as_ref(), y.as_ref(), bandwidth, weights(), &context)
                    .unwrap();
            let scores = machine.scores(&machine.solve(v.as_ref()).unwrap());
            assert!((scores[(0, 0)] - scores[(7, 0)]).abs() < 1e-9 && scores[(0, 0)] > 0.1);
        }
    }
}
