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
//! decomposition, `O(n d²)` once and `O(r³)` a solve; the Gaussian kernel by a block Krylov iteration, `O(n² k)` a step,
//! or, where `n²` numbers do not fit, on Nyström features.

use faer::Mat;
use faer::MatRef;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nystrom::{Nystrom, landmark_bytes, landmarks_that_fit};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{
    Matrix, gaussian_kernel, generalized_eigen, median_distance, multiply, orthonormal_columns,
    symmetric_eigen, thin_svd,
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

/// The largest problem that is solved by a full eigendecomposition.
const DIRECT: usize = 1000;

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
                let (columns, basis) = linear_columns(rows, kernel)?;
                Ok(Self::centred(columns, Outside::Linear(basis)))
            }
            Kernel::Rbf => {
                let width = bandwidth.unwrap_or_else(|| median_distance(rows, &mut context.rng("bandwidth")));
                let landmarks = landmarks_that_fit(n, context);
                let instead = format!("it is approximated from {landmarks} landmark rows");
                // The kernel, its centred copy, and the blocks of the iteration or the factors of a direct solve.
                let need = 8 * (2 * n * n + 5 * n * n.min(DIRECT)) as u64;
                if context.exact_route(name, &format!("the kernel of {n} rows"), need, &instead) {
                    let outside = Outside::Kernel { rows: rows.to_owned(), bandwidth: width, basis: None };
                    return Ok(Self::centred(gaussian_kernel(rows, rows, width), outside));
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
        let (columns, basis) = linear_columns(features.as_ref(), Kernel::Linear)?;
        let basis = Some(multiply(root.as_ref(), basis.as_ref()));
        Ok(Self::centred(columns, Outside::Kernel { rows: landmarks, bandwidth: width, basis }))
    }

    fn centred(columns: Matrix, outside: Outside) -> Self {
        let mut centred = columns.clone();
        for j in 0..centred.ncols() {
            let mean = centred.col(j).iter().sum::<f64>() / columns.nrows() as f64;
            centred.col_mut(j).iter_mut().for_each(|v| *v -= mean);
        }
        let direct = columns.ncols() <= DIRECT;
        let scatter = direct.then(|| multiply(centred.transpose(), centred.as_ref()));
        Self { columns, centred, scatter, outside, start: None }
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
        let coefficients = if let Some(b) = &self.scatter {
            let mut a = multiply(w.as_ref(), w.transpose()) * faer::Scale(1.0 / scale);
            for i in 0..self.rank() {
                a[(i, i)] += regularization;
            }
            generalized_eigen(b.as_ref(), a.as_ref(), components)?.1
        } else {
            self.iterate(name, &w, scale, components, regularization, context)?
        };
        Ok(match &self.outside {
            Outside::Linear(basis) => Embedding::Linear(multiply(basis.as_ref(), coefficients.as_ref())),
            Outside::Kernel { rows, bandwidth, basis } => Embedding::Gaussian {
                bandwidth: *bandwidth,
                rows: rows.clone(),
                coefficients: match basis {
                    Some(basis) => multiply(basis.as_ref(), coefficients.as_ref()),
                    None => coefficients,
                },
            },
        })
    }

    /// Block Krylov iteration with restarts on `A^{-1/2} Pᵀ H P A^{-1/2}`, `A = lambda I + W Wᵀ / scale`.
    fn iterate(
        &mut self,
        name: &str,
        w: &Matrix,
        scale: f64,
        components: usize,
        regularization: f64,
        context: &mut Context,
    ) -> Result<Matrix> {
        const TOLERANCE: f64 = 1e-9;
        const RESTARTS: usize = 200;
        const DEPTH: usize = 8;
        let r = self.rank();
        let root = InverseRoot::new(w, scale, regularization)?;
        let centred = &self.centred;
        let apply = |q: &Matrix| {
            let moved = multiply(centred.as_ref(), root.apply(q).as_ref());
            root.apply(&multiply(centred.transpose(), moved.as_ref()))
        };
        let block = (components + (components / 2).max(10)).min(r / 4);
        let depth = (DIRECT / block).min(r / block).clamp(3, DEPTH);
        let mut q = match self.start.take() {
            Some(start) if start.ncols() == block => start,
            _ => {
                let mut rng = context.rng("subspace");
                orthonormal_columns(&Mat::from_fn(r, block, |_, _| rng.random_range(-1.0..1.0)))
            }
        };
        let mut residual = f64::INFINITY;
        for _ in 0..RESTARTS {
            let (mut basis, mut applied) = (q.clone(), apply(&q));
            for _ in 1..depth {
                let mut next = applied.get(.., applied.ncols() - block..).to_owned();
                for _ in 0..2 {
                    // The second time for what rounding has left of the basis.
                    next -= multiply(basis.as_ref(), multiply(basis.transpose(), next.as_ref()).as_ref());
                    next = orthonormal_columns(&next);
                }
                (basis, applied) = (beside(&[&basis, &next]), beside(&[&applied, &apply(&next)]));
            }
            let (values, vectors) = symmetric_eigen(multiply(basis.transpose(), applied.as_ref()).as_ref())?;
            let top = vectors.get(.., ..block);
            q = multiply(basis.as_ref(), top);
            let moved = multiply(applied.as_ref(), top);
            let distance = |j: usize| {
                (0..r).map(|i| (moved[(i, j)] - values[j] * q[(i, j)]).powi(2)).sum::<f64>().sqrt()
                    / values[0]
            };
            residual = (0..components).map(distance).fold(0.0, f64::max);
            if residual <= TOLERANCE {
                break;
            }
        }
        if residual > TOLERANCE {
            context.warn(name, format!("the eigenvectors are exact to {residual:.1e} only"));
        }
        let mut coefficients = root.apply(&q.get(.., ..components).to_owned());
        for j in 0..components {
            let length = coefficients.col(j).norm_l2();
            coefficients.col_mut(j).iter_mut().for_each(|v| *v /= length);
        }
        self.start = Some(q);
        Ok(coefficients)
    }
}

/// `(lambda I + W Wᵀ / scale)^{-1/2} = lambda^{-1/2} I + U diag(factors) Uᵀ`, `U` the orthonormal range of `W`.
struct InverseRoot {
    plain: f64,
    directions: Matrix,
    factors: Vec<f64>,
}

impl InverseRoot {
    fn new(w: &Matrix, scale: f64, regularization: f64) -> Result<Self> {
        let (u, s, _) = thin_svd(w.as_ref())?;
        let rank = s.iter().filter(|v| **v > 1e-13 * s[0]).count();
        let plain = regularization.powf(-0.5);
        let factors = s[..rank].iter().map(|v| (regularization + v * v / scale).powf(-0.5) - plain).collect();
        Ok(Self { plain, directions: u.get(.., ..rank).to_owned(), factors })
    }

    fn apply(&self, x: &Matrix) -> Matrix {
        let mut along = multiply(self.directions.transpose(), x.as_ref());
        for j in 0..along.ncols() {
            along.col_mut(j).iter_mut().zip(&self.factors).for_each(|(v, f)| *v *= f);
        }
        let back = multiply(self.directions.as_ref(), along.as_ref());
        Mat::from_fn(x.nrows(), x.ncols(), |i, j| self.plain * x[(i, j)] + back[(i, j)])
    }
}

/// `X = U S Vᵀ` of rank `r`: columns `U S` with basis `V` (primal), or `U S²` with basis `V S` (linear).
fn linear_columns(x: MatRef<'_, f64>, kernel: Kernel) -> Result<(Matrix, Matrix)> {
    let (u, s, v) = thin_svd(x)?;
    let rank = s.iter().filter(|value| **value > 1e-5 * s[0]).count().max(1);
    let power = if kernel == Kernel::Primal { 1 } else { 2 };
    let columns = Mat::from_fn(x.nrows(), rank, |i, j| u[(i, j)] * s[j].powi(power));
    let basis = Mat::from_fn(x.ncols(), rank, |i, j| v[(i, j)] * s[j].powi(power - 1));
    Ok((columns, basis))
}

/// Matrices side by side.
fn beside(parts: &[&Matrix]) -> Matrix {
    let width = parts.iter().map(|part| part.ncols()).sum();
    let mut out = Mat::zeros(parts[0].nrows(), width);
    let mut at = 0;
    for part in parts {
        out.get_mut(.., at..at + part.ncols()).copy_from(part);
        at += part.ncols();
    }
    out
}

/// The difference of the domains' means, `(n_s + n_t, 1)`: `1/n_s` on source rows, `-1/n_t` on target rows.
pub fn marginal_discrepancy(n_s: usize, n_t: usize) -> Matrix {
    Mat::from_fn(n_s + n_t, 1, |i, _| if i < n_s { 1.0 / n_s as f64 } else { -1.0 / n_t as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::normalize_rows_l2;

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
        let mut same = JointEmbedding::new("tca", x.as_ref(), Kernel::Rbf, Some(1.0), context).unwrap();
        let w = multiply(same.columns.transpose(), v.as_ref());
        let scale = multiply(v.transpose(), v.as_ref()).norm_l2();
        let coefficients = same.iterate("tca", &w, scale, 4, 0.5, context).unwrap();
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
