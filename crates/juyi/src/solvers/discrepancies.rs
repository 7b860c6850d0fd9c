//! Vectors that measure how far the means of two domains are apart: `vᵀ Z` is the difference of the means of the pooled
//! embedded rows `Z`, source rows above target rows.

use faer::Mat;

use crate::linalg::Matrix;

/// The difference of the domains' means, `(n_s + n_t, 1)`: `1/n_s` on source rows, `-1/n_t` on target rows.
pub fn marginal_discrepancy(n_s: usize, n_t: usize) -> Matrix {
    Mat::from_fn(n_s + n_t, 1, |i, _| if i < n_s { 1.0 / n_s as f64 } else { -1.0 / n_t as f64 })
}

/// The differences of the means of each class of `present` `(n_s + n_t, classes)`: `1/n_s^c` on the source rows of
/// class `c`, `-1/n_t^c` on the target rows of pseudo-class `c`. A class without target rows keeps its source half.
pub fn class_discrepancies(source: &[usize], pseudo: &[usize], present: &[usize]) -> Matrix {
    let n_s = source.len();
    let mut v = Mat::zeros(n_s + pseudo.len(), present.len());
    for (k, &class) in present.iter().enumerate() {
        let count = |of: &[usize]| of.iter().filter(|&&c| c == class).count() as f64;
        let (in_source, in_target) = (count(source), count(pseudo));
        for (i, &c) in source.iter().enumerate() {
            if c == class {
                v[(i, k)] = 1.0 / in_source;
            }
        }
        for (i, &c) in pseudo.iter().enumerate() {
            if c == class {
                v[(n_s + i, k)] = -1.0 / in_target;
            }
        }
    }
    v
}

/// The marginal vector times the root of the number of classes, then one vector a class `(n_s + n_t, 1 + classes)`: the
/// discrepancies of joint distribution adaptation.
pub fn joint_discrepancies(source: &[usize], pseudo: &[usize], present: &[usize]) -> Matrix {
    let by_class = class_discrepancies(source, pseudo, present);
    let marginal = marginal_discrepancy(source.len(), pseudo.len());
    let root = (present.len() as f64).sqrt();
    Mat::from_fn(by_class.nrows(), 1 + present.len(), |i, k| {
        if k == 0 { root * marginal[(i, 0)] } else { by_class[(i, k - 1)] }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn discrepancies_by_hand() {
        let v = joint_discrepancies(&[0, 0, 2], &[0, 0], &[0, 2]);
        let root = 2f64.sqrt();
        let expected = from_rows(&[
            vec![root * (1.0 / 3.0), 0.5, 0.0],
            vec![root * (1.0 / 3.0), 0.5, 0.0],
            vec![root * (1.0 / 3.0), 0.0, 1.0], // class 2 has no target row: its source half stays
            vec![root * -0.5, -0.5, 0.0],
            vec![root * -0.5, -0.5, 0.0],
        ]);
        assert_eq!(v, expected);
    }
}
