//! Means, deviations and covariances of columns.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef};

use super::{Matrix, PAR};

/// The mean of each column `(d)`.
pub fn column_means(x: MatRef<'_, f64>) -> Vec<f64> {
    x.col_iter().map(|column| column.iter().sum::<f64>() / x.nrows() as f64).collect()
}

/// The variance of some numbers; 1 if they are all the same.
pub fn spread(of: &[f64]) -> f64 {
    let mean = of.iter().sum::<f64>() / of.len() as f64;
    let spread = of.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / of.len() as f64;
    if spread > 0.0 { spread } else { 1.0 }
}

/// Deviations below it are taken in a unit of their own: their squares are too small for a number.
const SMALL: f64 = 1e-150;

/// The population deviation (divided by `n`) of each column about `means`; exactly 0 for a constant column.
pub fn column_deviations(x: MatRef<'_, f64>, means: &[f64]) -> Vec<f64> {
    let deviation = |j: usize| {
        let column = x.col(j);
        if column.iter().all(|v| *v == column[0]) {
            return 0.0; // the mean may be off by a rounding error, which must not become a scale
        }
        let deviation = |unit: f64| {
            (column.iter().map(|v| ((v - means[j]) / unit).powi(2)).sum::<f64>() / x.nrows() as f64).sqrt()
        };
        match deviation(1.0) {
            small if small < SMALL => {
                let most = column.iter().fold(0.0, |most: f64, v| most.max((v - means[j]).abs()));
                let own = if most > 0.0 { most * deviation(most) } else { 0.0 };
                if own > f64::MIN_POSITIVE { own } else { 0.0 } // else there is no number to divide by
            }
            usual => usual,
        }
    };
    (0..x.ncols()).map(deviation).collect()
}

/// By what each column is to be multiplied to have [deviation](column_deviations) 1; 0 for a column that is constant, or nearly:
/// whose deviation is no more than rounding of its values, as they are or as networks have them, in single precision.
pub fn column_scales(x: MatRef<'_, f64>, means: &[f64]) -> Vec<f64> {
    let scale = |(j, deviation): (usize, f64)| {
        let column = x.col(j);
        let most = column.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        let single = column.iter().all(|v| f64::from(*v as f32) == *v);
        // Whole numbers up to 2^24 are exact in single precision.
        let fractions = single && column.iter().any(|v| v.fract() != 0.0);
        let rounding = if fractions { f64::from(f32::EPSILON) / 2.0 } else { NEARLY_CONSTANT };
        if deviation > rounding * most { 1.0 / deviation } else { 0.0 }
    };
    column_deviations(x, means).into_iter().enumerate().map(scale).collect()
}

/// The part of its largest value up to which a column's deviation is none.
const NEARLY_CONSTANT: f64 = 1e-9;

/// The covariance of the columns `(d, d)`, divided by `n - 1`; zero for a single row.
///
/// Works on blocks of centred rows, so that a second copy of `x` is never held. Cost `O(n d²)`.
pub fn covariance(x: MatRef<'_, f64>) -> Matrix {
    const ROWS: usize = 8192;
    let (n, d) = x.shape();
    let means = column_means(x);
    let mut sum = Mat::zeros(d, d);
    for first in (0..n).step_by(ROWS) {
        let count = ROWS.min(n - first);
        let block = Mat::from_fn(count, d, |i, j| x[(first + i, j)] - means[j]);
        matmul(sum.as_mut(), Accum::Add, block.transpose(), block.as_ref(), 1.0 / (n.max(2) - 1) as f64, PAR);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn statistics_by_hand() {
        let x = from_rows(&[vec![1.0, 0.1], vec![3.0, 0.1], vec![5.0, 0.1]]);
        let means = column_means(x.as_ref());
        assert_eq!(means[0], 3.0);
        let deviations = column_deviations(x.as_ref(), &means);
        assert!((deviations[0] - (8.0f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(deviations[1], 0.0);
        let tiny = from_rows(&[vec![1e-199, 1.0], vec![3e-199, 1.0], vec![5e-199, 1.0]]);
        let deviations = column_deviations(tiny.as_ref(), &column_means(tiny.as_ref()));
        assert!((deviations[0] / 1e-199 - (8.0f64 / 3.0).sqrt()).abs() < 1e-12 && deviations[1] == 0.0);
        assert_eq!(covariance(x.as_ref())[(0, 0)], 4.0);
    }
}
