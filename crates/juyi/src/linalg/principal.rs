//! The principal directions of a cloud of rows.

use faer::{Mat, MatRef};

use super::{Matrix, column_means, covariance, symmetric_eigen, thin_svd};
use crate::error::Result;

/// The principal directions `(d, r)` of the rows of `x` `(n, d)` about their mean, the strongest first; `r` is the
/// rank: directions whose deviation is above `1e-5` of the first one's, but at least one.
///
/// Cost: `O(n d² + d³)` time and `O(d²)` memory where there are at least as many rows as columns, else `O(n² d)` time
/// and `O(n d)` memory.
///
/// # Errors
/// [`crate::error::Error::Numeric`] if the rows are not finite.
pub fn principal_directions(x: MatRef<'_, f64>) -> Result<Matrix> {
    let (n, d) = x.shape();
    let (variances, directions) = if n >= d {
        symmetric_eigen(covariance(x).as_ref())?
    } else {
        let means = column_means(x);
        let (_, s, v) = thin_svd(Mat::from_fn(n, d, |i, j| x[(i, j)] - means[j]).as_ref())?;
        (s.iter().map(|s| s * s).collect(), v)
    };
    let rank = variances.iter().filter(|v| **v > 1e-10 * variances[0]).count().max(1);
    Ok(directions.get(.., ..rank).to_owned())
}

/// What [`principal_directions`] takes in memory for `(n, d)` rows, in bytes.
pub fn principal_directions_bytes(n: usize, d: usize) -> u64 {
    8 * (6 * d * d.min(n)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn directions_by_hand() {
        // Along (3, 4) / 5, about a mean that is not 0.
        let x = from_rows(&[vec![4.0, 5.0], vec![7.0, 9.0], vec![10.0, 13.0]]);
        let p = principal_directions(x.as_ref()).unwrap();
        assert_eq!(p.shape(), (2, 1));
        assert!((p[(0, 0)].abs() - 0.6).abs() < 1e-12 && (p[(1, 0)].abs() - 0.8).abs() < 1e-12);
        // Fewer rows than columns.
        let wide = from_rows(&[vec![0.0, 3.0, 0.0], vec![0.0, -3.0, 0.0]]);
        let p = principal_directions(wide.as_ref()).unwrap();
        assert!(p.ncols() == 1 && (p[(1, 0)].abs() - 1.0).abs() < 1e-12);
    }
}
