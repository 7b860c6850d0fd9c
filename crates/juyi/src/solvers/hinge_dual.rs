//! The support vector machine of two classes with hinge loss and a kernel whose diagonal is 1, in its dual form:
//! ```text
//! min ½ βᵀ K β - yᵀ β   subject to   Σ β = 0,   0 ≤ y_i β_i ≤ C_i,   f(x) = Σ_i β_i k(x, x_i) + b
//! ```
//! Source: R.-E. Fan, P.-H. Chen, C.-J. Lin, "Working set selection using second order information for training support
//! vector machines", JMLR 6, 2005. Each step changes two `β`: of those that may rise the one with the largest residual
//! `r = y - K β`, and of those that may fall the one with which the objective sinks most. Where no two residuals are out
//! of order by more than `1e-8`, the minimum is reached.
//!
//! Cost: `O(n)` a step and two columns of the kernel; some `n` steps where classes are apart, ten times that where they
//! overlap. Nothing is shrunk: once columns are held a step is cheap.

use super::kernel_columns::KernelColumns;

/// How far residuals may be out of order.
const TOLERANCE: f64 = 1e-8;
/// The least curvature along a change of two coefficients: rows that are the same have none.
const FLAT: f64 = 1e-12;

/// Where the search ended.
#[derive(Debug, Clone)]
pub struct Margin {
    /// `β`, 0 for rows that do not matter.
    pub coefficients: Vec<f64>,
    /// `b`.
    pub bias: f64,
    /// How far residuals are still out of order.
    pub gap: f64,
    /// Whether that is no more than the tolerance.
    pub converged: bool,
}

/// Solves for the classes `sign`, 1 or -1, both present, and the `C_i` above 0.
pub fn hinge_dual(kernel: &mut KernelColumns<'_>, sign: &[f64], costs: &[f64]) -> Margin {
    let n = sign.len();
    let low: Vec<f64> = sign.iter().zip(costs).map(|(y, c)| (y * c).min(0.0)).collect();
    let high: Vec<f64> = sign.iter().zip(costs).map(|(y, c)| (y * c).max(0.0)).collect();
    let (mut beta, mut residual) = (vec![0.0; n], sign.to_vec());
    let (mut top, mut bottom);
    let mut steps = 0;
    loop {
        let mut i = n;
        top = f64::NEG_INFINITY;
        for t in 0..n {
            if residual[t] > top && beta[t] < high[t] {
                (i, top) = (t, residual[t]);
            }
        }
        if i == n {
            bottom = top;
            break; // the kernel is not finite
        }
        let (mut j, mut best) = (n, 0.0);
        bottom = f64::INFINITY;
        let column = kernel.column(i);
        for t in 0..n {
            if beta[t] <= low[t] {
                continue;
            }
            bottom = bottom.min(residual[t]);
            let (fall, curvature) = (top - residual[t], (2.0 - 2.0 * column[t]).max(FLAT));
            // A step sinks the objective by `fall² / (2 curvature)`.
            if fall > 0.0 && fall * fall > best * curvature {
                (j, best) = (t, fall * fall / curvature);
            }
        }
        if top - bottom <= TOLERANCE || steps == 1_000_000 + 100 * n {
            break;
        }
        steps += 1;
        let (column_i, column_j) = kernel.two(i, j);
        let (up, down) = (high[i] - beta[i], beta[j] - low[j]);
        let step = ((top - residual[j]) / (2.0 - 2.0 * column_i[j]).max(FLAT)).min(up).min(down);
        // A bound that is met is met exactly: whether a coefficient is between them decides what may change.
        beta[i] = if step == up { high[i] } else { beta[i] + step };
        beta[j] = if step == down { low[j] } else { beta[j] - step };
        for ((r, i), j) in residual.iter_mut().zip(column_i).zip(column_j) {
            *r -= step * (i - j);
        }
    }
    let free: Vec<f64> =
        (0..n).filter(|&t| low[t] < beta[t] && beta[t] < high[t]).map(|t| residual[t]).collect();
    let gap = (top - bottom).max(0.0);
    let bias = if free.is_empty() {
        f64::midpoint(top, bottom)
    } else {
        free.iter().sum::<f64>() / free.len() as f64
    };
    Margin { coefficients: beta, bias, gap, converged: gap <= TOLERANCE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Rows 0 and 1, `k = exp(-1/2)`: `β = ±min(C, 1 / (1 - k))` and `b = 0`.
    #[test]
    fn two_rows_by_hand() {
        let x = from_rows(&[vec![0.0], vec![1.0]]);
        let free = 1.0 / (1.0 - (-0.5f64).exp());
        for (cost, expected) in [(1.0, 1.0), (10.0, free)] {
            let kernel = &mut KernelColumns::new(x.as_ref(), 1.0, 2);
            let found = hinge_dual(kernel, &[1.0, -1.0], &[cost, cost]);
            assert!(found.converged && found.bias.abs() < 1e-12, "{found:?}");
            assert!((found.coefficients[0] - expected).abs() < 1e-9, "{found:?}");
            assert!(found.coefficients[0] + found.coefficients[1] == 0.0);
        }
    }

    /// Rows that are the same in both classes: the heavier class has the bias, between equals it is in the middle.
    #[test]
    fn rows_that_cannot_be_told_apart() {
        let x = from_rows(&vec![vec![3.0]; 4]);
        let kernel = &mut KernelColumns::new(x.as_ref(), 1.0, 4);
        let found = hinge_dual(kernel, &[1.0, -1.0, 1.0, -1.0], &[1.0, 2.0, 1.0, 1.0]);
        assert!(found.converged && (found.bias + 1.0).abs() < 1e-8, "{found:?}");
        let found = hinge_dual(kernel, &[1.0, -1.0, 1.0, -1.0], &[1.0; 4]);
        assert!(found.converged && found.bias == 0.0, "{found:?}");
    }

    #[test]
    fn few_columns_give_the_same_answer_as_all() {
        let x = faer::Mat::from_fn(60, 2, |i, j| ((i * 7 + j * 5 + i * i * (j + 1)) % 23) as f64 / 4.0);
        let sign: Vec<f64> = (0..60).map(|i| if (i * i + i / 7) % 3 == 0 { 1.0 } else { -1.0 }).collect();
        let fit = |held| hinge_dual(&mut KernelColumns::new(x.as_ref(), 1.0, held), &sign, &[1.0; 60]);
        let (all, few) = (fit(60), fit(3));
        assert!(all.converged && few.converged && (all.bias - few.bias).abs() < 1e-7);
        let apart = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-6;
        assert!(!all.coefficients.iter().zip(&few.coefficients).any(apart));
    }
}
