//! The geodesic flow between two subspaces, and the kernel that integrates over it.
//!
//! The shortest path `Phi(t)`, `t` from 0 to 1, turns the directions of one subspace into those of the other by their
//! principal angles (Gong et al. 2012):
//! ```text
//! P_sᵀ P_t = U cos(theta) Vᵀ,   A = P_s U,   B = P_t V
//! G = ∫ Phi(t) Phi(t)ᵀ dt
//! ```
//! In the plane of the `i`-th angle the path is symmetric about the direction halfway, so that `G` has no cross term
//! between halfway `m = (a + b) / (2 cos(theta/2))` and across `n = (b - a) / (2 sin(theta/2))`:
//! ```text
//! G = Σ_i (1 + sin(theta)/theta) / 2 · m mᵀ + (1 - sin(theta)/theta) / 2 · n nᵀ
//! ```
//! This is the paper's block form, without a division by `sin(theta)` and without the orthogonal complement of `P_s`.

use faer::{Mat, MatRef};

use crate::error::Result;
use crate::linalg::{Matrix, multiply, thin_svd};

/// `L` `(d, 2 k)` with `L Lᵀ = G`, for orthonormal columns `source` and `target` `(d, k)`: rows mapped by `x -> x L`
/// have the geodesic flow kernel `x G yᵀ` as their inner product. `2 k` may be above `d`.
///
/// Cost: `O(d k²)` time, `O(d k)` memory.
///
/// # Errors
/// [`crate::error::Error::Numeric`] if the directions are not finite.
pub fn geodesic_flow(source: MatRef<'_, f64>, target: MatRef<'_, f64>) -> Result<Matrix> {
    let k = source.ncols();
    let (u, _, v) = thin_svd(multiply(source.transpose(), target).as_ref())?;
    let (a, b) = (multiply(source, u.as_ref()), multiply(target, v.as_ref()));
    let mut factor = Mat::zeros(source.nrows(), 2 * k);
    for i in 0..k {
        let chord = a.col(i).iter().zip(b.col(i).iter()).map(|(a, b)| (b - a).powi(2)).sum::<f64>().sqrt();
        let (halfway, across) = weights(chord);
        for row in 0..source.nrows() {
            factor[(row, i)] = halfway * (a[(row, i)] + b[(row, i)]);
            factor[(row, k + i)] = across * (b[(row, i)] - a[(row, i)]);
        }
    }
    Ok(factor)
}

/// The factors of `a + b` and `b - a` for two unit vectors whose ends are `chord = 2 sin(theta/2)` apart.
fn weights(chord: f64) -> (f64, f64) {
    let half = (0.5 * chord).min(1.0).asin();
    let theta = 2.0 * half;
    if theta < 1e-3 {
        // 1 - sin(theta)/theta = theta²/6 up to theta⁴/120, which is below rounding beside what it is added to.
        return (0.5, (1.0f64 / 12.0).sqrt());
    }
    let ratio = theta.sin() / theta;
    ((0.5 * (1.0 + ratio)).sqrt() / (2.0 * half.cos()), (0.5 * (1.0 - ratio)).sqrt() / (2.0 * half.sin()))
}

/// The subspace disagreement measure (Gong et al. 2012): the least dimension, up to `most`, in which the
/// source's or the target's directions and the pooled ones no longer share a direction,
/// ```text
/// D(k) = (sin alpha_k + sin beta_k) / 2
/// ```
/// with `alpha_k`, `beta_k` the largest principal angle between the first `k` directions of the source, the target and
/// the pooled rows; `most` where none comes within `1e-3` of 1.
///
/// # Errors
/// [`crate::error::Error::Numeric`] if the directions are not finite.
pub fn subspace_disagreement(
    source: MatRef<'_, f64>,
    target: MatRef<'_, f64>,
    pooled: MatRef<'_, f64>,
    most: usize,
) -> Result<usize> {
    const NEAR: f64 = 1e-3;
    let to_source = multiply(source.get(.., ..most).transpose(), pooled.get(.., ..most));
    let to_target = multiply(target.get(.., ..most).transpose(), pooled.get(.., ..most));
    let sine = |cosines: &Matrix, k: usize| -> Result<f64> {
        let cosine = thin_svd(cosines.get(..k, ..k))?.1[k - 1].min(1.0);
        Ok((1.0 - cosine * cosine).sqrt())
    };
    for k in 1..=most {
        if 0.5 * (sine(&to_source, k)? + sine(&to_target, k)?) > 1.0 - NEAR {
            return Ok(k);
        }
    }
    Ok(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, orthonormal_columns};

    fn kernel(factor: &Matrix) -> Matrix {
        multiply(factor.as_ref(), factor.transpose())
    }

    /// Two lines in the plane, `theta` apart: the integral of the projections on the lines between them.
    #[test]
    fn two_lines_by_hand() {
        for theta in [1e-7, 1e-3, 0.3, std::f64::consts::FRAC_PI_2] {
            let (source, target) =
                (from_rows(&[vec![1.0], vec![0.0]]), from_rows(&[vec![theta.cos()], vec![theta.sin()]]));
            let g = kernel(&geodesic_flow(source.as_ref(), target.as_ref()).unwrap());
            let double = (2.0 * theta).sin() / (4.0 * theta);
            let cross = (1.0 - (2.0 * theta).cos()) / (4.0 * theta);
            for (at, expected) in [((0, 0), 0.5 + double), ((1, 1), 0.5 - double), ((0, 1), cross)] {
                assert!((g[at] - expected).abs() < 1e-9, "{theta}: {at:?} {} {expected}", g[at]);
            }
        }
    }

    /// Against the integral over the flow by Simpson's rule, with more directions than half of the columns.
    #[test]
    fn the_integral_over_the_flow() {
        let random = |shift: usize| {
            orthonormal_columns(&Mat::from_fn(5, 3, |i, j| {
                ((i * 7 + j * 11 + i * j * shift + shift) % 13) as f64 - 6.0
            }))
        };
        let (p_s, p_t) = (random(2), random(5));
        let (u, cosines, v) = thin_svd(multiply(p_s.transpose(), p_t.as_ref()).as_ref()).unwrap();
        let (a, b) = (multiply(p_s.as_ref(), u.as_ref()), multiply(p_t.as_ref(), v.as_ref()));
        let mut expected: Matrix = Mat::zeros(5, 5);
        let steps = 2000;
        for i in 0..3 {
            let theta = cosines[i].min(1.0).acos();
            for step in 0..=steps {
                let weight = if step == 0 || step == steps {
                    1.0
                } else if step % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                let t = f64::from(step) / f64::from(steps);
                // On the arc from a to b: a sin((1-t) theta) + b sin(t theta), over sin(theta).
                let (from, to) = if theta < 1e-6 {
                    (1.0 - t, t)
                } else {
                    (((1.0 - t) * theta).sin() / theta.sin(), (t * theta).sin() / theta.sin())
                };
                let w: Vec<f64> = (0..5).map(|row| from * a[(row, i)] + to * b[(row, i)]).collect();
                for (row, x) in w.iter().enumerate() {
                    for (col, y) in w.iter().enumerate() {
                        expected[(row, col)] += weight / (3.0 * f64::from(steps)) * x * y;
                    }
                }
            }
        }
        let g = kernel(&geodesic_flow(p_s.as_ref(), p_t.as_ref()).unwrap());
        assert!((g - expected).norm_max() < 1e-9);
    }

    /// The second directions of source and pooled rows are orthogonal, and so are those of target and pooled rows.
    #[test]
    fn the_dimension_where_the_subspaces_part() {
        let unit = |which: &[usize]| Mat::from_fn(6, which.len(), |i, j| f64::from(u8::from(which[j] == i)));
        let (source, target, pooled) = (unit(&[0, 1, 2]), unit(&[0, 2, 1]), unit(&[0, 3, 4]));
        assert_eq!(subspace_disagreement(source.as_ref(), target.as_ref(), pooled.as_ref(), 3).unwrap(), 2);
        assert_eq!(subspace_disagreement(source.as_ref(), source.as_ref(), source.as_ref(), 3).unwrap(), 3);
    }
}
