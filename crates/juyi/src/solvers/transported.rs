//! Rows that a transport plan has moved, and what that says of rows that were not there.

use faer::{Mat, MatRef};

use super::Plan;
use crate::linalg::{Matrix, nearest};

/// Source rows and where they are moved.
pub struct Transported {
    /// The source rows `(n_s, d)`.
    pub rows: Matrix,
    /// Their images among the target rows `(n_s, d)`.
    pub images: Matrix,
}

impl Plan {
    /// The mean of the target rows `(m, d)` for each of `n` source rows, weighted by what it sends them.
    pub fn images(&self, n: usize, target: MatRef<'_, f64>) -> Matrix {
        let mut mass = vec![0.0; n];
        for &(i, _, flow) in &self.flows {
            mass[i as usize] += flow;
        }
        let mut images = Mat::zeros(n, target.ncols());
        for &(i, j, flow) in &self.flows {
            let (i, j) = (i as usize, j as usize);
            for k in 0..target.ncols() {
                images[(i, k)] += flow / mass[i] * target[(j, k)];
            }
        }
        images
    }

    /// The mean of what the source rows have, `(n, k)`, for each of `m` target rows, weighted by what they send it.
    pub fn received(&self, m: usize, sends: MatRef<'_, f64>) -> Matrix {
        let mut mass = vec![0.0; m];
        for &(_, j, flow) in &self.flows {
            mass[j as usize] += flow;
        }
        let mut received = Mat::zeros(m, sends.ncols());
        for &(i, j, flow) in &self.flows {
            let (i, j) = (i as usize, j as usize);
            for k in 0..sends.ncols() {
                received[(j, k)] += flow / mass[j] * sends[(i, k)];
            }
        }
        received
    }
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
