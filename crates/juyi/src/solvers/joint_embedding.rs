//! The eigenproblem behind transfer component analysis and joint distribution adaptation.
//!
//! With `n` pooled rows, their kernel matrix `K`, centring `H = I - 11ᵀ/n` and mean-discrepancy vectors `V`
//! (`M = V Vᵀ / |V Vᵀ|`), find the `k` directions that keep variance and close the discrepancies:
//! ```text
//! K H K a = mu (K M K + lambda I) a,   largest mu,   |a| = 1,   embedding Z = K a
//! ```
//! (Pan et al. 2011, eq. 8–10; Long et al. 2013, eq. 9.) The scaling `|a| = 1`, not `aᵀ(K M K + lambda I)a = 1`, is
//! what the published tables rest on, because rows of `Z` are normalised afterwards.
//!
//! `V` has few columns, so `M` is never formed. Linear kernels are solved in the coordinates of the thin singular value
//! decomposition, `O(n d²)` once and `O(r³)` a solve; the Gaussian kernel by a block Krylov iteration, `O(n² k)` a
//! step, or, where `n²` numbers do not fit, on Nyström features.

use faer::Mat;
use faer::MatRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block_krylov::{DIRECT, InverseRoot, direct_is_cheaper, iterate};
use super::nystrom::{Nystrom, landmark_bytes, landmarks_that_fit};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{
    Matrix, gaussian_kernel, generalized_eigen, median_distance, multiply, symmetric_eigen, thin_svd,
};

/// The kernel of the embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// `K = X Xᵀ`, the penalty on directions in row space.
    Linear,
    /// `K = X`: the penalty on directions in feature space.
    Primal,
    /// The Gaussian kernel.
    Rbf,
}

/// A map from a row to its place in the embedding.
#[derive(Debug, Clone)]
pub enum Embedding {
    /// `z(x) = x matrix`, `(d, k)`.
    Linear(Matrix),
    /// `z(x) = k(x, rows) coefficients` with the Gaussian kernel.
    Gaussian {
        /// `(m, d)`.
        rows: Matrix,
        /// The kernel's width.
        bandwidth: f64,
        /// `(m, k)`.
        coefficients: Matrix,
    },
}

/// Pooled rows prepared for any number of solves.
pub struct JointEmbedding {
    /// `(n, r)`: the kernel's columns in reduced coordinates; `Z = columns b` for coefficients `b`.
    columns: Matrix,
    /// `columns` divided by these are orthonormal; `None` where they are the kernel matrix itself.
    values: Option<Vec<f64>>,
    /// `columns` minus their means.
    centred: Matrix,
    /// `centredᵀ centred`, for direct solves.
    scatter: Option<Matrix>,
    /// What turns coefficients into a map for new rows.
    outside: Outside,
    /// The last solve's subspace, from which the next one starts.
    start: Option<Matrix>,
}

enum Outside {
    /// `z(x) = x basis b`.
    Linear(Matrix),
    /// `z(x) = k(x, rows) basis b`; no basis stands for the identity.
    Kernel { rows: Matrix, bandwidth: f64, basis: Option<Matrix> },
}

impl JointEmbedding {
    /// Prepares `rows` `(n, d)`. A `bandwidth` of `None` is the median distance between rows.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if a decomposition breaks down.
    pub fn new(
        name: &str,
        rows: MatRef<'_, f64>,
        kernel: Kernel,
        bandwidth: Option<f64>,
        context: &mut Context,
    ) -> Result<Self> {
        let n = rows.nrows();
        match kernel {
            Kernel::Linear | Kernel::Primal => {
                // The rows, their factors, the decomposition's own copies, the centred columns.
                let need = 8 * (6 * n * rows.ncols().min(n) + 2 * n * rows.ncols()) as u64;
                context.require(&format!("the decomposition of {n} x {} rows", rows.ncols()), need)?;
                let (columns, values, basis) = linear_columns(rows, kernel)?;
                Ok(Self::centred(columns, Some(values), Outside::Linear(basis)))
            }
            Kernel::Rbf => {
                let width = bandwidth.unwrap_or_else(|| median_distance(rows, &mut context.rng("bandwidth")));
                let landmarks = landmarks_that_fit(n, context);
                let instead = format!("it is approximated from {landmarks} landmark rows");
                // The kernel, its centred copy, and the blocks of the iteration or the factors of a direct solve.
                let need = 8 * (2 * n * n + 5 * n * n.min(DIRECT)) as u64;
                if context.exact_route(name, &format!("the kernel of {n} rows"), need, &instead) {
                    let outside = Outside::Kernel { rows: rows.to_owned(), bandwidth: width, basis: None };
                    return Ok(Self::centred(gaussian_kernel(rows, rows, width), None, outside));
                }
                context.require("the features that stand for the kernel", landmark_bytes(n, landmarks))?;
                Self::nystrom(rows, width, landmarks, context)
            }
        }
    }

    /// The Gaussian kernel by its features.
    fn nystrom(rows: MatRef<'_, f64>, width: f64, landmarks: usize, context: &Context) -> Result<Self> {
        let mut rng = context.rng("landmarks");
        let Nystrom { landmarks, root, features } = Nystrom::new(rows, landmarks, width, &mut rng)?;
        let (columns, values, basis) = linear_columns(features.as_ref(), Kernel::Linear)?;
        let basis = Some(multiply(root.as_ref(), basis.as_ref()));
        Ok(Self::centred(columns, Some(values), Outside::Kernel { rows: landmarks, bandwidth: width, basis }))
    }

    fn centred(columns: Matrix, values: Option<Vec<f64>>, outside: Outside) -> Self {
        let mut centred = columns.clone();
        for j in 0..centred.ncols() {
            let mean = centred.col(j).iter().sum::<f64>() / columns.nrows() as f64;
            centred.col_mut(j).iter_mut().for_each(|v| *v -= mean);
        }
        let direct = columns.ncols() <= DIRECT;
        let scatter = direct.then(|| multiply(centred.transpose(), centred.as_ref()));
        Self { columns, values, centred, scatter, outside, start: None }
    }

    /// The most components that there can be.
    pub fn rank(&self) -> usize {
        self.columns.ncols()
    }

    /// The components to use when `asked` are asked for: no more than the rank, with a note.
    pub fn components(&self, name: &str, asked: usize, context: &mut Context) -> usize {
        let rank = self.rank();
        if asked > rank {
            let text =
                format!("{asked} components asked for, the pooled rows have rank {rank}: {rank} are used");
            context.note(name, text);
        }
        asked.min(rank)
    }

    /// Solves for discrepancy vectors `(n, 1 + classes)` and returns the map from a row to its embedding, which is not
    /// yet normalised. `components` is at most [`JointEmbedding::rank`], `regularization` (lambda) above 0.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if a decomposition breaks down.
    pub fn solve(
        &mut self,
        name: &str,
        discrepancies: &Matrix,
        components: usize,
        regularization: f64,
        context: &mut Context,
    ) -> Result<Embedding> {
        let gram = multiply(discrepancies.transpose(), discrepancies.as_ref());
        let scale = gram.norm_l2(); // |V Vᵀ| = |Vᵀ V|, the Frobenius norm
        let w = multiply(self.columns.transpose(), discrepancies.as_ref());
        if self.scatter.is_none() && direct_is_cheaper(self.rank(), components) {
            self.scatter = Some(multiply(self.centred.transpose(), self.centred.as_ref()));
        }
        let coefficients = if let Some(scatter) = &self.scatter {
            direct(scatter, &w, scale, components, regularization)?
        } else {
            let root = InverseRoot::new(&w, scale, regularization)?;
            let (coefficients, last) =
                iterate(name, &self.centred, &root, components, self.start.take(), context)?;
            self.start = Some(last);
            coefficients
        };
        Ok(self.embedding(coefficients))
    }

    /// As [`JointEmbedding::solve`] with the penalty `lambda Σ_i |A_i|² / freedom_i` on the rows `A_i` of `A` `(n, k)`,
    /// one for each pooled row; also returns `A`. `freedom` `(n)` is above 0. Not for [`Kernel::Primal`], whose
    /// directions have no such rows.
    ///
    /// With `D = diag(freedom)`, `K = U diag(s) Uᵀ` and `Uᵀ D U = E diag(l) Eᵀ` the optimum is `A = D U E l^(-1/2) y`
    /// where `y` solves the problem with the plain penalty for the columns `K U Rᵀ`, `R = l^(1/2) Eᵀ`.
    ///
    /// # Errors
    /// [`crate::error::Error::Memory`], or [`crate::error::Error::Numeric`] if a decomposition breaks down.
    pub fn solve_by_row(
        &mut self,
        name: &str,
        discrepancies: &Matrix,
        components: usize,
        regularization: f64,
        freedom: &[f64],
        context: &mut Context,
    ) -> Result<(Embedding, Matrix)> {
        let scale = multiply(discrepancies.transpose(), discrepancies.as_ref()).norm_l2();
        let w = multiply(self.columns.transpose(), discrepancies.as_ref());
        let n = self.columns.nrows();
        context.require("the columns with weighted rows", 8 * (3 * n * self.rank()) as u64)?;
        // `turn` is Rᵀ, with which the columns' coefficients are `Rᵀ y`, and `A = back y`.
        let turns = if let Some(values) = &self.values {
            // Rows that are all 0 have one value, 0.
            let over = |v: f64, by: f64| if by > 0.0 { v / by } else { 0.0 };
            let u = Mat::from_fn(n, values.len(), |i, j| over(self.columns[(i, j)], values[j]));
            let weighted = Mat::from_fn(n, values.len(), |i, j| freedom[i] * u[(i, j)]);
            let (l, e) = symmetric_eigen(multiply(u.transpose(), weighted.as_ref()).as_ref())?;
            let rank = l.iter().filter(|v| **v > 1e-14 * l[0]).count().max(1);
            let turn = Mat::from_fn(values.len(), rank, |i, j| e[(i, j)] * l[j].max(0.0).sqrt());
            let inverse = Mat::from_fn(values.len(), rank, |i, j| over(e[(i, j)], l[j].max(0.0).sqrt()));
            Some((turn, multiply(weighted.as_ref(), inverse.as_ref())))
        } else {
            None // `U` is the identity, and `Rᵀ` the root of `D`
        };
        let turned = |m: MatRef<'_, f64>| match &turns {
            Some((turn, _)) => multiply(m, turn.as_ref()),
            None => Mat::from_fn(m.nrows(), m.ncols(), |i, j| freedom[j].sqrt() * m[(i, j)]),
        };
        let w = turned(w.transpose()).transpose().to_owned();
        let components = components.min(w.nrows());
        let y = if let Some(scatter) = &self.scatter {
            let scatter = turned(turned(scatter.as_ref()).transpose());
            direct(&scatter, &w, scale, components, regularization)?
        } else {
            let centred = turned(self.centred.as_ref());
            if direct_is_cheaper(centred.ncols(), components) {
                let scatter = multiply(centred.transpose(), centred.as_ref());
                direct(&scatter, &w, scale, components, regularization)?
            } else {
                let root = InverseRoot::new(&w, scale, regularization)?;
                iterate(name, &centred, &root, components, None, context)?.0
            }
        };
        let (mut coefficients, mut rows) = if let Some((turn, back)) = &turns {
            (multiply(turn.as_ref(), y.as_ref()), multiply(back.as_ref(), y.as_ref()))
        } else {
            let a = Mat::from_fn(n, components, |i, j| freedom[i].sqrt() * y[(i, j)]);
            (a.clone(), a)
        };
        for j in 0..components {
            let length = rows.col(j).norm_l2();
            if length == 0.0 {
                continue;
            }
            rows.col_mut(j).iter_mut().for_each(|v| *v /= length);
            coefficients.col_mut(j).iter_mut().for_each(|v| *v /= length);
        }
        Ok((self.embedding(coefficients), rows))
    }

    /// The map that these coefficients of the columns give.
    fn embedding(&self, coefficients: Matrix) -> Embedding {
        match &self.outside {
            Outside::Linear(basis) => Embedding::Linear(multiply(basis.as_ref(), coefficients.as_ref())),
            Outside::Kernel { rows, bandwidth, basis } => Embedding::Gaussian {
                bandwidth: *bandwidth,
                rows: rows.clone(),
                coefficients: match basis {
                    Some(basis) => multiply(basis.as_ref(), coefficients.as_ref()),
                    None => coefficients,
                },
            },
        }
    }
}

/// The leading `b` of `scatter b = mu (W Wᵀ / scale + lambda I) b`, of length 1.
fn direct(
    scatter: &Matrix,
    w: &Matrix,
    scale: f64,
    components: usize,
    regularization: f64,
) -> Result<Matrix> {
    let mut a = multiply(w.as_ref(), w.transpose()) * faer::Scale(1.0 / scale);
    for i in 0..a.nrows() {
        a[(i, i)] += regularization;
    }
    Ok(generalized_eigen(scatter.as_ref(), a.as_ref(), components)?.1)
}

/// `X = U S Vᵀ` of rank `r`, singular values above `1e-5` of the first: columns `U S` with basis `V` (primal), or `U
/// S²` with basis `V S`, so that columns are `X basis`; between them the values `S` or `S²`.
///
/// # Errors
/// [`crate::error::Error::Numeric`] if the rows are not finite.
pub fn linear_columns(x: MatRef<'_, f64>, kernel: Kernel) -> Result<(Matrix, Vec<f64>, Matrix)> {
    let (u, s, v) = thin_svd(x)?;
    let rank = s.iter().filter(|value| **value > 1e-5 * s[0]).count().max(1);
    let power = if kernel == Kernel::Primal { 1 } else { 2 };
    let values: Vec<f64> = s[..rank].iter().map(|s| s.powi(power)).collect();
    let columns = Mat::from_fn(x.nrows(), rank, |i, j| u[(i, j)] * values[j]);
    let basis = Mat::from_fn(x.ncols(), rank, |i, j| v[(i, j)] * s[j].powi(power - 1));
    Ok((columns, values, basis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::normalize_rows_l2;
    use crate::solvers::marginal_discrepancy;

    fn rows(n: usize) -> Matrix {
        let mut x =
            Mat::from_fn(n, 6, |i, j| ((i * 13 + j * 7 + i * j) % 29) as f64 / 9.0 - 1.4 + (i % 3) as f64);
        normalize_rows_l2(x.as_mut());
        x
    }

    /// `|Z Zᵀ|` does not depend on the signs of the directions.
    fn gram(embedding: &Embedding, x: &Matrix) -> Matrix {
        let Embedding::Gaussian { rows, bandwidth, coefficients } = embedding else { panic!("a kernel") };
        let k = gaussian_kernel(x.as_ref(), rows.as_ref(), *bandwidth);
        let z = multiply(k.as_ref(), coefficients.as_ref());
        multiply(z.as_ref(), z.transpose())
    }

    #[test]
    fn the_iteration_agrees_with_the_full_decomposition() {
        let x = rows(60);
        let v = marginal_discrepancy(40, 20);
        let context = &mut Context::default();
        let mut direct = JointEmbedding::new("tca", x.as_ref(), Kernel::Rbf, Some(1.0), context).unwrap();
        let exact = direct.solve("tca", &v, 4, 0.5, context).unwrap();
        let same = JointEmbedding::new("tca", x.as_ref(), Kernel::Rbf, Some(1.0), context).unwrap();
        let w = multiply(same.columns.transpose(), v.as_ref());
        let scale = multiply(v.transpose(), v.as_ref()).norm_l2();
        let root = InverseRoot::new(&w, scale, 0.5).unwrap();
        let coefficients = iterate("tca", &same.centred, &root, 4, None, context).unwrap().0;
        let iterated = Embedding::Gaussian { bandwidth: 1.0, rows: x.clone(), coefficients };
        assert!((gram(&exact, &x) - gram(&iterated, &x)).norm_max() < 1e-7 * gram(&exact, &x).norm_max());
        assert!(context.notices().is_empty());
    }

    #[test]
    fn all_rows_as_landmarks_give_the_exact_embedding() {
        let x = rows(50);
        let v = marginal_discrepancy(30, 20);
        let exact_context = &mut Context::default();
        let mut exact =
            JointEmbedding::new("tca", x.as_ref(), Kernel::Rbf, Some(0.7), exact_context).unwrap();
        let mut nystrom = JointEmbedding::nystrom(x.as_ref(), 0.7, 50, exact_context).unwrap();
        let a = gram(&exact.solve("tca", &v, 3, 1.0, exact_context).unwrap(), &x);
        let b = gram(&nystrom.solve("tca", &v, 3, 1.0, exact_context).unwrap(), &x);
        // The two differ in the normalisation of directions outside the kernel's range only, which have no weight.
        assert!((&a - &b).norm_max() < 1e-4 * a.norm_max(), "{}", (&a - &b).norm_max());
    }
}
