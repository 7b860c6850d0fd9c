//! The linear map that gives one cloud of rows the covariance of another, shared by CORAL and EasyTL.

use faer::{Mat, MatRef};

use crate::error::Result;
use crate::linalg::{Matrix, covariance, multiply, symmetric_eigen};

/// `A = (C_s + r I)^(-1/2) (C_t + r I)^(1/2)` `(d, d)` with the covariances `C_s`, `C_t` of the rows of `source` and
/// `target` and `r` = `regularization`, above 0: the rows of `source A` have the covariance of `target`, up to `r`.
///
/// Cost: `O((n_s + n_t) d² + d³)` time, `O(d²)` memory.
///
/// # Errors
/// [`Error::Numeric`](crate::error::Error::Numeric) if a covariance is not finite: values above about 1e150.
pub fn whiten_and_color(
    source: MatRef<'_, f64>,
    target: MatRef<'_, f64>,
    regularization: f64,
) -> Result<Matrix> {
    let whiten = regularized_power(source, regularization, -0.5)?;
    let color = regularized_power(target, regularization, 0.5)?;
    Ok(multiply(whiten.as_ref(), color.as_ref()))
}

/// `(C + r I)^power`. `C` has no eigenvalue below 0, but rounding of large features may show one: it is taken as 0.
fn regularized_power(rows: MatRef<'_, f64>, regularization: f64, power: f64) -> Result<Matrix> {
    let (values, vectors) = symmetric_eigen(covariance(rows).as_ref())?;
    let powers: Vec<f64> = values.iter().map(|v| (v.max(0.0) + regularization).powf(power)).collect();
    let scaled = Mat::from_fn(vectors.nrows(), vectors.ncols(), |i, j| vectors[(i, j)] * powers[j]);
    Ok(multiply(scaled.as_ref(), vectors.transpose()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn one_column_by_hand() {
        // Variances 2 and 8, each plus 1: sqrt(9 / 3).
        let (source, target) = (from_rows(&[vec![0.0], vec![2.0]]), from_rows(&[vec![5.0], vec![9.0]]));
        let map = whiten_and_color(source.as_ref(), target.as_ref(), 1.0).unwrap();
        assert!((map[(0, 0)] - 3f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn the_covariance_becomes_the_targets() {
        let source = Mat::from_fn(40, 3, |i, j| ((i * (j + 3) * 7) % 31) as f64 / 5.0);
        let target = Mat::from_fn(30, 3, |i, j| ((i * (j + 2) * 11) % 29 + i * j) as f64 / 9.0);
        let map = whiten_and_color(source.as_ref(), target.as_ref(), 1e-12).unwrap();
        let got = covariance(multiply(source.as_ref(), map.as_ref()).as_ref());
        let wanted = covariance(target.as_ref());
        assert!((&got - &wanted).norm_max() < 1e-9 * wanted.norm_max());
    }

    #[test]
    fn large_features_that_depend_on_each_other_are_no_failure() {
        let rows = Mat::from_fn(50, 4, |i, j| 1e9 * ((i * i) % 37) as f64 * (1.0 + j as f64 / 3.0));
        let map = whiten_and_color(rows.as_ref(), rows.as_ref(), 1e-3).unwrap();
        assert!(map.col_iter().all(|column| column.iter().all(|v| v.is_finite())));
    }
}
