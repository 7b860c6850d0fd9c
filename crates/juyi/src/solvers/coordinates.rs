//! Coordinates in which a sum over rows is about equally curved in all directions:
//! ```text
//! u_k = L_kᵀ m_k,   L_k L_kᵀ = Σ_i h_ik z_i z_iᵀ + penalty I',   z_i = (x_i - mean, 1)
//! ```
//! for the columns `m_k` of a matrix `(d + 1, c)`, with `h_ik` at least 0. The last row of `m`, the biases, has no
//! penalty: `I'` is the identity but for its last entry.

use std::ops::Range;

use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::normal_equations::add_gram;
use crate::linalg::{Matrix, cholesky, transposed_times_vector};

/// `L`.
pub(super) enum Coordinates {
    /// A triangle for each column, or one for all.
    Joint(Vec<Matrix>),
    /// A diagonal for all columns.
    Single(Vec<f64>),
}

impl Coordinates {
    /// `L` for `columns` columns, `h` giving `(rows, columns)` for a range of rows. `None` where features depend on
    /// each other and are so large that the penalty drowns in rounding errors. `O(n d² columns)`.
    pub(super) fn joint(
        x: MatRef<'_, f64>,
        means: &[f64],
        columns: usize,
        h: impl Fn(Range<usize>) -> Matrix,
        penalty: f64,
    ) -> Option<Self> {
        const ROWS: usize = 4096;
        let (n, d) = x.shape();
        let mut sums =
            vec![Mat::from_fn(d + 1, d + 1, |i, j| if i == j && j < d { penalty } else { 0.0 }); columns];
        for first in (0..n).step_by(ROWS) {
            let rows = first..n.min(first + ROWS);
            let h = h(rows.clone());
            for (k, sum) in sums.iter_mut().enumerate() {
                let roots: Vec<f64> = h.col_as_slice(k).iter().map(|h| h.sqrt()).collect();
                let mut block = Mat::zeros(rows.len(), d + 1);
                for j in 0..d {
                    let from = x.col(j).subrows(first, rows.len());
                    let to = block.col_as_slice_mut(j).iter_mut();
                    to.zip(from.iter()).zip(&roots).for_each(|((to, v), root)| *to = root * (v - means[j]));
                }
                block.col_as_slice_mut(d).copy_from_slice(&roots);
                add_gram(sum, block.as_ref());
            }
        }
        sums.iter().map(|sum| cholesky(sum.as_ref()).ok()).collect::<Option<_>>().map(Self::Joint)
    }

    /// The diagonal of `L`, with one `h` a row. `O(n d)`.
    pub(super) fn single(x: MatRef<'_, f64>, means: &[f64], h: &[f64], penalty: f64) -> Self {
        let d = x.ncols();
        let entry = |j: usize| {
            let squares = || x.col(j).iter().zip(h).map(|(v, h)| h * (v - means[j]).powi(2)).sum::<f64>();
            let sum = if j < d { squares() + penalty } else { h.iter().sum() };
            sum.sqrt()
        };
        Self::Single((0..=d).into_par_iter().map(entry).collect())
    }

    /// `u = Lᵀ m`, column after column.
    pub(super) fn enter(&self, m: &Matrix) -> Vec<f64> {
        let column = |k: usize| match self {
            Self::Joint(each) => transposed_times_vector(each[k % each.len()].as_ref(), m.col_as_slice(k)),
            Self::Single(scale) => m.col_as_slice(k).iter().zip(scale).map(|(v, s)| v * s).collect(),
        };
        (0..m.ncols()).flat_map(column).collect()
    }

    /// `m = L⁻ᵀ u` with `c` columns.
    pub(super) fn leave(&self, u: &[f64], c: usize) -> Matrix {
        let mut m = MatRef::from_column_major_slice(u, u.len() / c, c).to_owned();
        self.divide(&mut m, |l, columns| solve_upper_triangular_in_place(l.transpose(), columns, Par::Seq));
        m
    }

    /// `L⁻¹ g` over `g`: the gradient by `u`, given that by `m`.
    pub(super) fn gradient(&self, g: &mut Matrix) {
        self.divide(g, |l, columns| solve_lower_triangular_in_place(l, columns, Par::Seq));
    }

    /// Divides each column by its triangle, as `solve` does, or by the diagonal.
    fn divide(&self, m: &mut Matrix, solve: impl Fn(MatRef<'_, f64>, MatMut<'_, f64>) + Sync) {
        match self {
            // One triangle is read once for several columns.
            Self::Joint(each) if each.len() == 1 => {
                m.as_mut().par_col_chunks_mut(8).for_each(|columns| solve(each[0].as_ref(), columns));
            }
            Self::Joint(each) => {
                let columns = m.as_mut().par_col_chunks_mut(1).zip(each);
                columns.for_each(|(column, l)| solve(l.as_ref(), column));
            }
            Self::Single(scale) => {
                for column in m.col_iter_mut() {
                    column.iter_mut().zip(scale).for_each(|(v, s)| *v /= s);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn both_forms_by_hand_and_there_and_back() {
        // z = (-2, 1), (2, 1), h = 1, 1, penalty 1 on the feature: diag(9, 2).
        let x = from_rows(&[vec![5.0], vec![9.0]]);
        let ones = |rows: Range<usize>| Mat::from_fn(rows.len(), 1, |_, _| 1.0);
        let joint = Coordinates::joint(x.as_ref(), &[7.0], 1, ones, 1.0).unwrap();
        let single = Coordinates::single(x.as_ref(), &[7.0], &[1.0, 1.0], 1.0);
        for coordinates in [joint, single] {
            let m = from_rows(&[vec![1.0, 2.0], vec![1.0, -1.0]]);
            let u = coordinates.enter(&m);
            let by_hand = [3.0, 2f64.sqrt(), 6.0, -2f64.sqrt()];
            assert!(u.iter().zip(by_hand).all(|(a, b)| (a - b).abs() < 1e-15), "{u:?}");
            assert!((coordinates.leave(&u, 2) - &m).norm_max() < 1e-15);
            let mut g = m.clone();
            coordinates.gradient(&mut g);
            assert!((g[(0, 1)] - 2.0 / 3.0).abs() < 1e-15);
        }
        let nothing = |rows: Range<usize>| Mat::zeros(rows.len(), 1);
        assert!(Coordinates::joint(x.as_ref(), &[7.0], 1, nothing, 0.0).is_none());
    }
}
