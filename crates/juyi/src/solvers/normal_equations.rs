//! The pieces of weighted least squares: means, sums of products, and the system that they make.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, MatRef};
use rayon::prelude::*;

use crate::error::Result;
use crate::linalg::{Matrix, PAR, cholesky, multiply, solve_cholesky, symmetric_eigen};

/// The mean of each column, rows counted by their weights.
pub fn weighted_means(x: MatRef<'_, f64>, weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let mean = |j: usize| x.col(j).iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / total;
    (0..x.ncols()).into_par_iter().map(mean).collect()
}

/// Adds `blockᵀ block` to the lower triangle of `sum`.
pub fn add_gram(sum: &mut Matrix, block: MatRef<'_, f64>) {
    use BlockStructure::{Rectangular, TriangularLower};
    let (sum, turned) = (sum.as_mut(), block.transpose());
    matmul(sum, TriangularLower, Accum::Add, turned, Rectangular, block, Rectangular, 1.0, PAR);
}

/// `(gram + penalty I)⁻¹ b`, of which the lower triangle of `gram` is read. Columns that depend on each other and are
/// large enough drown the penalty in rounding errors; eigenvalues, which then stand in for Cholesky, are kept at
/// `penalty` or above.
///
/// # Errors
/// [`Numeric`](crate::error::Error::Numeric) if the input is not finite.
pub fn solve_shifted(mut gram: Matrix, penalty: f64, mut b: Matrix) -> Result<Matrix> {
    for j in 0..gram.nrows() {
        gram[(j, j)] += penalty;
    }
    if let Ok(l) = cholesky(gram.as_ref()) {
        solve_cholesky(l.as_ref(), b.as_mut());
        return Ok(b);
    }
    let (values, vectors) = symmetric_eigen(gram.as_ref())?;
    let mut inner = multiply(vectors.transpose(), b.as_ref());
    for k in 0..inner.ncols() {
        inner.col_mut(k).iter_mut().zip(&values).for_each(|(z, value)| *z /= value.max(penalty));
    }
    Ok(multiply(vectors.as_ref(), inner.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn the_pieces_by_hand() {
        let x = from_rows(&[vec![1.0, 2.0], vec![5.0, 0.0]]);
        assert_eq!(weighted_means(x.as_ref(), &[3.0, 1.0]), [2.0, 1.5]);
        let mut gram = Matrix::zeros(2, 2);
        add_gram(&mut gram, x.as_ref());
        assert_eq!((gram[(0, 0)], gram[(1, 0)], gram[(1, 1)]), (26.0, 2.0, 4.0));
        // (28, 2; 2, 6) v = (30, 8)
        let solved = solve_shifted(gram, 2.0, from_rows(&[vec![30.0], vec![8.0]])).unwrap();
        assert!((solved[(0, 0)] - 1.0).abs() < 1e-15 && (solved[(1, 0)] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_shift_that_drowns_still_counts() {
        let singular = from_rows(&[vec![1e30, 1e30], vec![1e30, 1e30]]);
        let solved = solve_shifted(singular, 1.0, from_rows(&[vec![2e30], vec![2e30]])).unwrap();
        assert!((solved[(0, 0)] - 1.0).abs() < 1e-6 && (solved[(1, 0)] - 1.0).abs() < 1e-6, "{solved:?}");
    }
}
