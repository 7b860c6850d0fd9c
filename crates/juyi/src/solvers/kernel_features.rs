//! Rows in a space where their kernel is the ordinary inner product, for methods whose eigenproblem is solved in full:
//! one linear solver then serves every kernel.

use faer::MatRef;

use super::nystrom::{Nystrom, landmark_bytes, landmarks_that_fit};
use super::{Embedding, Kernel};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, median_distance, multiply};

/// The most rows that a Gaussian kernel is decomposed for as it is.
const EXACT: usize = 2500;

/// Features `(n, r)` with `F Fᵀ` the kernel matrix.
pub struct KernelFeatures {
    /// `F`.
    pub features: Matrix,
    /// The rows and the width that a Gaussian kernel is taken with, and `f(x) = k(x, rows) root`.
    outside: Option<(Matrix, f64, Matrix)>,
}

impl KernelFeatures {
    /// The rows themselves, or for [`Kernel::Rbf`] features of all rows up to 2,500, else of 1,000 landmark rows, which
    /// is noted. A `bandwidth` of `None` is the median distance between rows.
    ///
    /// # Errors
    /// [`crate::error::Error::Memory`], or [`crate::error::Error::Numeric`] if a decomposition breaks down.
    pub fn new(
        name: &str,
        rows: MatRef<'_, f64>,
        kernel: Kernel,
        bandwidth: Option<f64>,
        context: &mut Context,
    ) -> Result<Self> {
        if kernel != Kernel::Rbf {
            return Ok(Self { features: rows.to_owned(), outside: None });
        }
        let n = rows.nrows();
        let bandwidth = bandwidth.unwrap_or_else(|| median_distance(rows, &mut context.rng("bandwidth")));
        let few = landmarks_that_fit(n, context);
        let instead = format!("it is approximated from {few} landmark rows");
        let landmarks = if n > EXACT {
            context.note(name, format!("the kernel of {n} rows: {instead}"));
            few
        } else if context.exact_route(
            name,
            &format!("the kernel of {n} rows"),
            landmark_bytes(n, n),
            &instead,
        ) {
            n
        } else {
            few
        };
        context.require("the features that stand for the kernel", landmark_bytes(n, landmarks))?;
        let Nystrom { landmarks, root, features } =
            Nystrom::new(rows, landmarks, bandwidth, &mut context.rng("landmarks"))?;
        Ok(Self { features, outside: Some((landmarks, bandwidth, root)) })
    }

    /// The map from a row to `f(x) matrix`.
    pub fn project(&self, matrix: Matrix) -> Embedding {
        match &self.outside {
            None => Embedding::Linear(matrix),
            Some((rows, bandwidth, root)) => Embedding::Gaussian {
                rows: rows.clone(),
                bandwidth: *bandwidth,
                coefficients: multiply(root.as_ref(), matrix.as_ref()),
            },
        }
    }
}
