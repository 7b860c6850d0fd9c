//! Decompositions, by `faer`'s low-level functions: they take the degree of parallelism as an argument, where the
//! solver objects read a global that any crate in the process may change.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor as llt;
use faer::linalg::lu::partial_pivoting as pivoted;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::linalg::{evd, svd};
use faer::perm::PermRef;
use faer::prelude::{ReborrowMut, default};
use faer::{Mat, MatMut, MatRef};

use super::{Matrix, PAR, multiply};
use crate::error::{Error, Result};

fn failed(what: &str, why: &impl std::fmt::Debug) -> Error {
    Error::Numeric { what: what.into(), why: format!("{why:?}") }
}

/// Small matrices with NaN come back from `faer` without an error, so the values are looked at.
fn finite(what: &str, values: Vec<f64>) -> Result<Vec<f64>> {
    match values.iter().find(|v| !v.is_finite()) {
        Some(v) => Err(Error::Numeric { what: what.into(), why: format!("a value is {v}") }),
        None => Ok(values),
    }
}

/// `a = u diag(s) vᵀ` with `u` `(n, r)`, `s` falling, `v` `(d, r)`, `r = min(n, d)`.
///
/// # Errors
/// [`Error::Numeric`] on NaN or infinity.
pub fn thin_svd(a: MatRef<'_, f64>) -> Result<(Matrix, Vec<f64>, Matrix)> {
    use svd::ComputeSvdVectors::Thin;
    let (n, d) = a.shape();
    let r = n.min(d);
    let (mut u, mut v) = (Mat::zeros(n, r), Mat::zeros(d, r));
    let mut s = faer::diag::Diag::<f64>::zeros(r);
    let mut memory = MemBuffer::new(svd::svd_scratch::<f64>(n, d, Thin, Thin, PAR, default()));
    let stack = MemStack::new(&mut memory);
    svd::svd(a, s.as_mut(), Some(u.as_mut()), Some(v.as_mut()), PAR, stack, default())
        .map_err(|e| failed("singular value decomposition", &e))?;
    Ok((u, finite("singular value decomposition", s.column_vector().iter().copied().collect())?, v))
}

/// Eigenvalues, falling, and orthonormal eigenvectors (columns) of a symmetric matrix; its lower triangle is read.
///
/// # Errors
/// [`Error::Numeric`] on NaN or infinity.
pub fn symmetric_eigen(a: MatRef<'_, f64>) -> Result<(Vec<f64>, Matrix)> {
    let n = a.nrows();
    let mut u = Mat::zeros(n, n);
    let mut s = faer::diag::Diag::<f64>::zeros(n);
    let scratch = evd::self_adjoint_evd_scratch::<f64>(n, evd::ComputeEigenvectors::Yes, PAR, default());
    let mut memory = MemBuffer::new(scratch);
    evd::self_adjoint_evd(a, s.as_mut(), Some(u.as_mut()), PAR, MemStack::new(&mut memory), default())
        .map_err(|e| failed("eigenvalue decomposition", &e))?;
    let values = finite("eigenvalue decomposition", s.column_vector().iter().rev().copied().collect())?;
    Ok((values, u.reverse_cols().to_owned()))
}

/// `a^power` for a symmetric positive definite `a`.
///
/// # Errors
/// [`Error::Numeric`] if an eigenvalue is not above 0.
pub fn symmetric_power(a: MatRef<'_, f64>, power: f64) -> Result<Matrix> {
    let (values, vectors) = symmetric_eigen(a)?;
    if let Some(bad) = values.iter().find(|v| **v <= 0.0) {
        let why = format!("eigenvalue {bad:e} is not above 0");
        return Err(Error::Numeric { what: "matrix power".into(), why });
    }
    let scaled = Mat::from_fn(a.nrows(), a.nrows(), |i, j| vectors[(i, j)] * values[j].powf(power));
    Ok(multiply(scaled.as_ref(), vectors.transpose()))
}

/// The lower triangle `l` with `a = l lᵀ`; the upper triangle of the result is zero.
///
/// # Errors
/// [`Error::Numeric`] if `a` is not positive definite.
pub fn cholesky(a: MatRef<'_, f64>) -> Result<Matrix> {
    let n = a.nrows();
    let mut l = a.to_owned();
    let mut memory = MemBuffer::new(llt::cholesky_in_place_scratch::<f64>(n, PAR, default()));
    llt::cholesky_in_place(l.as_mut(), default(), PAR, MemStack::new(&mut memory), default())
        .map_err(|e| failed("Cholesky factorisation", &e))?;
    for j in 1..n {
        l.get_mut(..j, j).fill(0.0);
    }
    Ok(l)
}

/// Solves `l lᵀ x = b` in place.
pub fn solve_cholesky(l: MatRef<'_, f64>, mut b: MatMut<'_, f64>) {
    solve_lower_triangular_in_place(l, b.rb_mut(), PAR);
    solve_upper_triangular_in_place(l.transpose(), b, PAR);
}

/// A square matrix as the product of a lower and an upper triangle, its rows exchanged.
pub struct Triangles {
    /// The upper triangle, and below its diagonal the lower one, whose diagonal is 1.
    factors: Matrix,
    order: Vec<usize>,
    place: Vec<usize>,
}

impl Triangles {
    /// Of `a`, which is overwritten.
    pub fn new(mut a: Matrix) -> Self {
        let n = a.nrows();
        let (mut order, mut place) = (vec![0; n], vec![0; n]);
        let scratch = pivoted::factor::lu_in_place_scratch::<usize, f64>(n, n, PAR, default());
        let mut memory = MemBuffer::new(scratch);
        let stack = MemStack::new(&mut memory);
        pivoted::factor::lu_in_place(a.as_mut(), &mut order, &mut place, PAR, stack, default());
        Self { factors: a, order, place }
    }

    /// `a⁻¹ b`.
    ///
    /// # Errors
    /// [`Error::Numeric`] if `a` cannot be inverted or the input is not finite.
    pub fn solve(&self, mut b: Matrix) -> Result<Matrix> {
        let n = self.factors.nrows();
        let scratch = pivoted::solve::solve_in_place_scratch::<usize, f64>(n, b.ncols(), PAR);
        let mut memory = MemBuffer::new(scratch);
        let rows = PermRef::new_checked(&self.order, &self.place, n);
        let (l, u) = (self.factors.as_ref(), self.factors.as_ref());
        pivoted::solve::solve_in_place(l, u, rows, b.as_mut(), PAR, MemStack::new(&mut memory));
        for column in b.col_iter() {
            if let Some(v) = column.iter().find(|v| !v.is_finite()) {
                return Err(Error::Numeric {
                    what: "linear equations".into(),
                    why: format!("a value is {v}"),
                });
            }
        }
        Ok(b)
    }
}

/// The `k` largest `mu` and their `x` in `b x = mu a x`, `b` symmetric, `a` symmetric positive definite. Each `x` is
/// scaled to Euclidean length 1 (not to `xᵀ a x = 1`): what the published results of the embedding methods rest on.
///
/// # Errors
/// [`Error::Numeric`] if `a` is not positive definite or the input is not finite.
pub fn generalized_eigen(b: MatRef<'_, f64>, a: MatRef<'_, f64>, k: usize) -> Result<(Vec<f64>, Matrix)> {
    let l = cholesky(a)?;
    let mut c = b.to_owned(); // l⁻¹ b l⁻ᵀ
    solve_lower_triangular_in_place(l.as_ref(), c.as_mut(), PAR);
    solve_lower_triangular_in_place(l.as_ref(), c.as_mut().transpose_mut(), PAR);
    let (values, vectors) = symmetric_eigen(c.as_ref())?;
    let mut x = vectors.get(.., ..k).to_owned();
    solve_upper_triangular_in_place(l.transpose(), x.as_mut(), PAR);
    for j in 0..k {
        let length = x.col(j).norm_l2();
        x.col_mut(j).iter_mut().for_each(|v| *v /= length);
    }
    Ok((values[..k].to_vec(), x))
}

/// An orthonormal basis of the columns of `a` `(n, k)`, `k <= n`, by Householder reflections; a column that depends on
/// the others is replaced by some direction orthogonal to them.
pub fn orthonormal_columns(a: &Matrix) -> Matrix {
    use faer::linalg::householder::{
        apply_block_householder_sequence_on_the_left_in_place_scratch as apply_scratch,
        apply_block_householder_sequence_on_the_left_in_place_with_conj as apply,
    };
    use faer::linalg::qr::no_pivoting::factor as qr;
    let (n, k) = a.shape();
    let block = qr::recommended_block_size::<f64>(n, k);
    let mut factors = a.clone();
    let mut householder = Mat::zeros(block, k);
    let scratch = qr::qr_in_place_scratch::<f64>(n, k, block, PAR, default());
    let mut memory = MemBuffer::new(scratch.or(apply_scratch::<f64>(n, block, k)));
    let stack = MemStack::new(&mut memory);
    qr::qr_in_place(factors.as_mut(), householder.as_mut(), PAR, stack, default());
    let mut q = Mat::identity(n, k);
    apply(factors.as_ref(), householder.as_ref(), faer::Conj::No, q.as_mut(), PAR, stack);
    q
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    fn close(a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
        assert!((a - b).norm_max() < 1e-12 * (1.0 + a.norm_max()), "{a:?} {b:?}");
    }

    #[test]
    fn factors_rebuild_their_matrix() {
        let a = Mat::from_fn(9, 5, |i, j| ((i * 5 + j * j) % 7) as f64 - 2.5);
        let (u, s, v) = thin_svd(a.as_ref()).unwrap();
        assert!(s.is_sorted_by(|x, y| x >= y));
        let us = Mat::from_fn(9, 5, |i, j| u[(i, j)] * s[j]);
        close(multiply(us.as_ref(), v.transpose()).as_ref(), a.as_ref());

        let mut spd = multiply(a.transpose(), a.as_ref());
        for i in 0..5 {
            spd[(i, i)] += 1.0;
        }
        let l = cholesky(spd.as_ref()).unwrap();
        close(multiply(l.as_ref(), l.transpose()).as_ref(), spd.as_ref());
        let root = symmetric_power(spd.as_ref(), 0.5).unwrap();
        close(multiply(root.as_ref(), root.as_ref()).as_ref(), spd.as_ref());
        let mut x = spd.clone();
        solve_cholesky(l.as_ref(), x.as_mut());
        close(x.as_ref(), Mat::identity(5, 5).as_ref());
    }

    #[test]
    fn triangles_solve_what_is_not_symmetric() {
        let a = Mat::from_fn(7, 7, |i, j| ((i * 5 + j * j * 3 + i * j) % 11) as f64 - 4.0);
        let x = Mat::from_fn(7, 2, |i, j| (i + 3 * j) as f64);
        let found = Triangles::new(a.clone()).solve(multiply(a.as_ref(), x.as_ref())).unwrap();
        close(found.as_ref(), x.as_ref());
        assert!(Triangles::new(Mat::zeros(2, 2)).solve(Mat::identity(2, 2)).is_err());
    }

    #[test]
    fn orthonormal_columns_span_the_same_space() {
        let a = Mat::from_fn(7, 3, |i, j| ((i * 5 + j * j * 3) % 7) as f64 - 2.5);
        let q = orthonormal_columns(&a);
        close(multiply(q.transpose(), q.as_ref()).as_ref(), Mat::identity(3, 3).as_ref());
        let back = multiply(q.as_ref(), multiply(q.transpose(), a.as_ref()).as_ref());
        close(back.as_ref(), a.as_ref());
    }

    #[test]
    fn a_generalised_eigenvector_has_length_one() {
        // b = diag(2, 8), a = diag(1, 2): mu = 2 and 4.
        let b = from_rows(&[vec![2.0, 0.0], vec![0.0, 8.0]]);
        let a = from_rows(&[vec![1.0, 0.0], vec![0.0, 2.0]]);
        let (values, x) = generalized_eigen(b.as_ref(), a.as_ref(), 2).unwrap();
        assert!((values[0] - 4.0).abs() < 1e-14 && (values[1] - 2.0).abs() < 1e-14);
        assert!((x[(1, 0)].abs() - 1.0).abs() < 1e-14 && (x[(0, 1)].abs() - 1.0).abs() < 1e-14);
    }

    #[test]
    fn what_is_not_finite_or_not_definite_is_an_error() {
        let nan = from_rows(&[vec![f64::NAN, 0.0], vec![0.0, 1.0]]);
        assert!(thin_svd(nan.as_ref()).is_err() && symmetric_eigen(nan.as_ref()).is_err());
        let indefinite = from_rows(&[vec![1.0, 2.0], vec![2.0, 1.0]]);
        assert!(cholesky(indefinite.as_ref()).is_err() && symmetric_power(indefinite.as_ref(), 0.5).is_err());
    }
}
