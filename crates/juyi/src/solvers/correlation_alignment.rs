//! The linear map that gives one cloud of rows the covariance of another, shared by CORAL and EasyTL.

use faer::{Mat, MatRef};

use crate::error::Result;
use crate::linalg::{Matrix, column_means, covariance, multiply, rows_times, symmetric_eigen, thin_svd};

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

/// The source's rows through the map of [`whiten_and_color`]. Where there are more columns than rows the map is not formed:
/// `(C + r I)^p` is `r^p` times the identity but for the few directions in which rows vary, `O(n² d)` time and
/// `O(n d)` memory.
///
/// # Errors
/// [`crate::error::Error::Numeric`] if a decomposition breaks down.
pub fn whitened_and_colored(
    source: MatRef<'_, f64>,
    target: MatRef<'_, f64>,
    regularization: f64,
) -> Result<Matrix> {
    if source.ncols() <= source.nrows() + target.nrows() {
        let map = whiten_and_color(source, target, regularization)?;
        return Ok(rows_times(source, map.as_ref()));
    }
    let whitened = times_power(source, source, regularization, -0.5)?;
    times_power(whitened.as_ref(), target, regularization, 0.5)
}

/// `X (C + r I)^power`, `C` the covariance of `rows`, through the directions in which they vary.
fn times_power(x: MatRef<'_, f64>, rows: MatRef<'_, f64>, regularization: f64, power: f64) -> Result<Matrix> {
    let means = column_means(rows);
    let free = (rows.nrows() as f64 - 1.0).max(1.0).sqrt();
    let centred = Mat::from_fn(rows.ncols(), rows.nrows(), |j, i| (rows[(i, j)] - means[j]) / free);
    let (directions, lengths, _) = thin_svd(centred.as_ref())?;
    let floor = regularization.powf(power);
    let mut along = multiply(x, directions.as_ref());
    for (j, length) in lengths.iter().enumerate() {
        let factor = (length * length + regularization).powf(power) - floor;
        along.col_mut(j).iter_mut().for_each(|v| *v *= factor);
    }
    let turned = multiply(along.as_ref(), directions.transpose());
    Ok(Mat::from_fn(x.nrows(), x.ncols(), |i, j| floor * x[(i, j)] + turned[(i, j)]))
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
    fn wide_rows_are_mapped_without_the_map() {
        let wide =
            |n: usize, k: usize| Mat::from_fn(n, 12, |i, j| ((i * (j + k) * 7 + j * j) % 31) as f64 / 5.0);
        let (source, target) = (wide(5, 3), wide(4, 2));
        let map = whiten_and_color(source.as_ref(), target.as_ref(), 0.01).unwrap();
        let whole = rows_times(source.as_ref(), map.as_ref());
        let ours = whitened_and_colored(source.as_ref(), target.as_ref(), 0.01).unwrap();
        assert!((&ours - &whole).norm_max() < 1e-9 * whole.norm_max(), "{}", (&ours - &whole).norm_max());
        let same = whitened_and_colored(wide(40, 3).as_ref(), target.as_ref(), 0.01).unwrap();
        assert_eq!(same.shape(), (40, 12));
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
