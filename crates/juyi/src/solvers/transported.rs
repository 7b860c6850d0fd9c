//! Rows that a transport plan has moved, and what that says of rows that were not there.

use faer::{Mat, MatRef};

use crate::linalg::{Matrix, nearest};

/// Source rows and where they are moved.
pub struct Transported {
    /// The source rows `(n_s, d)`.
    pub rows: Matrix,
    /// Their images among the target rows `(n_s, d)`.
    pub images: Matrix,
}

impl Transported {
    /// Moves new source rows `(n, d)`: each by the displacement of the nearest fitted row (S. Ferradans, N.
    /// Papadakis, G. Peyré, J.-F. Aujol, "Regularized discrete optimal transport", SIAM J. Imaging Sciences 2014).
    pub fn map(&self, new: MatRef<'_, f64>) -> Matrix {
        let near = nearest(new, self.rows.as_ref(), &vec![0; self.rows.nrows()], 1);
        Mat::from_fn(new.nrows(), new.ncols(), |i, k| {
            let row = near[i][0].map_or(0, |found| found.row);
            new[(i, k)] + self.images[(row, k)] - self.rows[(row, k)]
        })
    }
}
