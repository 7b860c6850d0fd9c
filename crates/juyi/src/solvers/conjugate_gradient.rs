//! Conjugate gradients for `A x = b`, all columns of `b` at once, when the row sums of `A` are known.

use faer::{Mat, MatRef};

use crate::linalg::{Matrix, dot};

/// A symmetric positive definite matrix `A` by what it does.
pub struct System<'a, F: Fn(MatRef<'_, f64>) -> Matrix> {
    /// `A z` for `z` `(n, c)`.
    pub product: F,
    /// The diagonal of `A`; infinity for a row that is no part of the system, and is 0 in the answer.
    pub diagonal: &'a [f64],
    /// `A 1`, without the cancellation that adding up rows of `A` would suffer; 0 where the diagonal is infinite.
    pub row_sums: &'a [f64],
}

/// What [`conjugate_gradients`] returns.
pub struct Solution {
    /// `(n, c)`.
    pub x: Matrix,
    /// How many products with `A` it took.
    pub steps: usize,
    /// The largest relative residual of a column.
    pub residual: f64,
}

/// The columns of one search, `(n)` each.
#[derive(Clone)]
struct Column {
    residual: Vec<f64>,
    /// The answer and the direction, each as this vector plus a constant.
    x: (Vec<f64>, f64),
    direction: (Vec<f64>, f64),
    /// `A direction`.
    image: Vec<f64>,
    /// `rᵀ D⁻¹ r`, and the value at which it is small enough.
    squared: f64,
    enough: f64,
    /// By what the last step made `squared` smaller.
    ratio: f64,
}

/// Solves `A x = b`, `b` `(n, c)`, with the diagonal `D` of `A` as preconditioner, until `rᵀ D⁻¹ r <= tolerance² bᵀ D⁻¹ b`
/// in each column, or for `most_steps` steps.
///
/// A constant `x` is solved for directly, and directions are kept conjugate to it (deflation: Y. Saad, M. Yeung,
/// J. Erhel, F. Guyomarc'h, "A deflated version of the conjugate gradient algorithm", SIAM J. Sci. Comput. 2000). In a
/// graph that hangs on its labels by weak edges only, that is the direction that would cost all digits.
///
/// The same bits on any number of threads if `product` gives the same bits.
pub fn conjugate_gradients<F: Fn(MatRef<'_, f64>) -> Matrix>(
    system: &System<'_, F>,
    b: MatRef<'_, f64>,
    tolerance: f64,
    most_steps: usize,
) -> Solution {
    let (n, c) = b.shape();
    let sums = system.row_sums;
    let total: f64 = sums.iter().sum();
    let scaled = |v: &[f64]| v.iter().zip(system.diagonal).map(|(v, d)| v / d).collect::<Vec<f64>>();
    let start = |j: usize| {
        let inside = |i: usize| if system.diagonal[i].is_finite() { b[(i, j)] } else { 0.0 };
        let b: Vec<f64> = (0..n).map(inside).collect();
        let constant = if total > 0.0 { b.iter().sum::<f64>() / total } else { 0.0 };
        let residual: Vec<f64> = b.iter().zip(sums).map(|(b, s)| b - constant * s).collect();
        Column {
            squared: dot(&residual, &scaled(&residual)),
            enough: tolerance * tolerance * dot(&b, &scaled(&b)),
            residual,
            x: (vec![0.0; n], constant),
            direction: (vec![0.0; n], 0.0),
            image: vec![0.0; n],
            ratio: 0.0,
        }
    };
    let mut columns: Vec<Column> = (0..c).map(start).collect();
    let mut steps = 0;
    while steps < most_steps && columns.iter().any(|column| column.squared > column.enough) {
        let running: Vec<&mut Column> =
            columns.iter_mut().filter(|column| column.squared > column.enough).collect();
        let z: Vec<Vec<f64>> = running.iter().map(|column| scaled(&column.residual)).collect();
        let z = Mat::from_fn(n, z.len(), |i, j| z[j][i]);
        let images = (system.product)(z.as_ref());
        steps += 1;
        for (j, column) in running.into_iter().enumerate() {
            let z: Vec<f64> = z.col(j).iter().copied().collect();
            let constant = dot(sums, &z) / total;
            column.direction.1 = column.ratio * column.direction.1 - constant;
            for i in 0..n {
                let image = if system.diagonal[i].is_finite() { images[(i, j)] } else { 0.0 };
                column.direction.0[i] = z[i] + column.ratio * column.direction.0[i];
                column.image[i] = image - constant * sums[i] + column.ratio * column.image[i];
            }
            // The constant part adds nothing: image is conjugate to it.
            let curvature = dot(&column.direction.0, &column.image);
            if curvature <= 0.0 || curvature.is_nan() {
                return Solution { residual: f64::INFINITY, steps, x: answer(&columns, system.diagonal) };
            }
            let step = column.squared / curvature;
            column.x.1 += step * column.direction.1;
            for i in 0..n {
                column.x.0[i] += step * column.direction.0[i];
                column.residual[i] -= step * column.image[i];
            }
            let squared = dot(&column.residual, &scaled(&column.residual));
            column.ratio = squared / column.squared;
            column.squared = squared;
        }
    }
    let relative = |column: &Column| {
        if column.squared > 0.0 { tolerance * (column.squared / column.enough).sqrt() } else { 0.0 }
    };
    let residual = columns.iter().map(relative).fold(0.0, f64::max);
    Solution { residual, steps, x: answer(&columns, system.diagonal) }
}

fn answer(columns: &[Column], diagonal: &[f64]) -> Matrix {
    Mat::from_fn(diagonal.len(), columns.len(), |i, j| {
        if diagonal[i].is_finite() { columns[j].x.0[i] + columns[j].x.1 } else { 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, multiply};

    #[test]
    fn as_many_steps_as_unknowns_at_most() {
        let a = from_rows(&[vec![4.0, -1.0, 0.0], vec![-1.0, 3.0, -1.0], vec![0.0, -1.0, 2.0]]);
        let x = from_rows(&[vec![1.0, 5.0], vec![2.0, 5.0], vec![-3.0, 5.0]]);
        let system = System {
            product: |z: MatRef<'_, f64>| multiply(a.as_ref(), z),
            diagonal: &[4.0, 3.0, 2.0],
            row_sums: &[3.0, 1.0, 1.0],
        };
        let found = conjugate_gradients(&system, multiply(a.as_ref(), x.as_ref()).as_ref(), 1e-14, 10);
        assert!((&found.x - &x).norm_max() < 1e-13);
        assert!(found.steps <= 3 && found.residual <= 1e-14);
    }

    #[test]
    fn a_nearly_singular_matrix_costs_no_digits() {
        // Two rows joined by 1 and tied to the outside by 1e-20 and 3e-20: A x = (0, 3e-20) has x = 3/4 all over.
        let system = System {
            product: |z: MatRef<'_, f64>| Mat::from_fn(2, 1, |i, _| z[(i, 0)] - z[(1 - i, 0)]),
            diagonal: &[1.0, 1.0],
            row_sums: &[1e-20, 3e-20],
        };
        let found = conjugate_gradients(&system, from_rows(&[vec![0.0], vec![3e-20]]).as_ref(), 1e-12, 10);
        assert!((found.x[(0, 0)] - 0.75).abs() < 1e-14 && (found.x[(1, 0)] - 0.75).abs() < 1e-14);
    }

    #[test]
    fn a_row_outside_the_system_stays_0_and_giving_up_is_said() {
        let system = System {
            product: |z: MatRef<'_, f64>| Mat::from_fn(3, 1, |i, _| [2.0, 5.0, 9.0][i] * z[(i, 0)]),
            diagonal: &[2.0, 4.0, f64::INFINITY],
            row_sums: &[2.0, 5.0, 0.0],
        };
        let b = from_rows(&[vec![2.0], vec![10.0], vec![1.0]]);
        let found = conjugate_gradients(&system, b.as_ref(), 1e-12, 10);
        assert!((&found.x - from_rows(&[vec![1.0], vec![2.0], vec![0.0]])).norm_max() < 1e-14);
        assert!(conjugate_gradients(&system, b.as_ref(), 1e-12, 0).residual > 1e-3);
    }
}
