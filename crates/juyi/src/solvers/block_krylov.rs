//! The leading eigenvectors of the embedding problem where it is too large for a full decomposition.

use faer::Mat;
use rand::Rng;

use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, multiply, orthonormal_columns, symmetric_eigen, thin_svd};

/// The largest problem that is solved by a full eigendecomposition.
pub(super) const DIRECT: usize = 1000;

/// Whether a full decomposition is the cheaper one: up to [`DIRECT`] columns, or where the basis of the iteration would be
/// a good part of the whole space.
pub(super) fn direct_is_cheaper(columns: usize, components: usize) -> bool {
    columns <= DIRECT || {
        let (block, depth) = basis(columns, components);
        2 * block * depth > columns
    }
}

/// Columns of a block, and blocks of a basis.
fn basis(columns: usize, components: usize) -> (usize, usize) {
    let block = (components + (components / 2).max(10)).min(columns / 4);
    (block, (DIRECT / block).min(columns / block).clamp(3, DEPTH))
}

/// Blocks of a basis at most.
const DEPTH: usize = 8;

/// Block Krylov iteration with restarts on `A^{-1/2} Pᵀ H P A^{-1/2}` for `centred` `H P` and `root` `A^{-1/2}`, from the
/// subspace `start`: the coefficients, of length 1, and the last subspace.
pub(super) fn iterate(
    name: &str,
    centred: &Matrix,
    root: &InverseRoot,
    components: usize,
    start: Option<Matrix>,
    context: &mut Context,
) -> Result<(Matrix, Matrix)> {
    const TOLERANCE: f64 = 1e-9;
    const RESTARTS: usize = 200;
    let r = centred.ncols();
    let apply = |q: &Matrix| {
        let moved = multiply(centred.as_ref(), root.apply(q).as_ref());
        root.apply(&multiply(centred.transpose(), moved.as_ref()))
    };
    let (block, depth) = basis(r, components);
    let mut q = match start {
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
            (0..r).map(|i| (moved[(i, j)] - values[j] * q[(i, j)]).powi(2)).sum::<f64>().sqrt() / values[0]
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
    Ok((coefficients, q))
}

/// `(lambda I + W Wᵀ / scale)^{-1/2} = lambda^{-1/2} I + U diag(factors) Uᵀ`, `U` the orthonormal range of `W`.
pub(super) struct InverseRoot {
    plain: f64,
    directions: Matrix,
    factors: Vec<f64>,
}

impl InverseRoot {
    pub(super) fn new(w: &Matrix, scale: f64, regularization: f64) -> Result<Self> {
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
