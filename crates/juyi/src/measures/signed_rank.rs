//! The signed-rank test: whether paired numbers differ, by the ranks of their differences.
//!
//! Paper: F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin, 1945
//!
//! ```text
//! W = Σ rank(|d_i|) over d_i > 0
//! p = min(1, 2 min(P(W ≤ w), P(W ≥ w))),   each sign + or - with probability 1/2
//! ```
//! over the pairs that differ at all. Equal distances share their ranks. Up to fifty pairs the distribution is counted out,
//! with shared ranks too; beyond, it is taken for normal, its variance less `Σ (t³ - t) / 48` for each `t` equal ones. A test of few
//! pairs cannot be significant: of five the least p-value is 1/16.

use statrs::function::erf::erfc;

use super::ranks::{ranks, ties};

/// Most pairs for which the distribution is counted out.
const MOST_EXACT: usize = 50;

/// The two-sided p-value of paired differences; `None` where there is none but 0.
pub fn signed_rank_p_value(differences: &[f64]) -> Option<f64> {
    let other: Vec<f64> = differences.iter().copied().filter(|d| d.abs() > ZERO).collect();
    if other.is_empty() {
        return None;
    }
    let distances: Vec<f64> = other.iter().map(|d| d.abs()).collect();
    // Twice the ranks are whole.
    let doubled: Vec<usize> =
        ranks(&distances).into_iter().map(|rank| (2.0 * rank).round() as usize).collect();
    let positive: usize = doubled.iter().zip(&other).filter(|(_, d)| **d > 0.0).map(|(rank, _)| rank).sum();
    let n = other.len();
    if n > MOST_EXACT {
        let equal = ties(&distances).into_iter().map(|(_, tie)| tie.len() as f64);
        return Some(by_normal(positive as f64 / 2.0, n as f64, equal));
    }
    let all: usize = doubled.iter().sum();
    // How many choices of signs lead to each sum, divided by their number as they grow.
    let mut share = vec![0.0; all + 1];
    share[0] = 1.0;
    for &rank in &doubled {
        for sum in (0..=all).rev() {
            let with = if sum >= rank { share[sum - rank] } else { 0.0 };
            share[sum] = f64::midpoint(share[sum], with);
        }
    }
    let (below, above): (f64, f64) = (share[..=positive].iter().sum(), share[positive..].iter().sum());
    Some((2.0 * below.min(above)).min(1.0))
}

/// Differences up to this are none: those of equal shares are rounding.
const ZERO: f64 = 1e-12;

/// The p-value where pairs are many; `equal` are the numbers of equal distances.
fn by_normal(w: f64, n: f64, equal: impl Iterator<Item = f64>) -> f64 {
    let tied: f64 = equal.map(|t| t.powi(3) - t).sum();
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - tied / 48.0;
    let z = (w - n * (n + 1.0) / 4.0) / variance.sqrt();
    erfc(z.abs() / 2f64.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_by_hand() {
        // All of five are positive: one of 32 choices of signs, on both sides.
        let p = |of: &[f64]| signed_rank_p_value(of).unwrap();
        assert_eq!(p(&[1.0, 2.0, 3.0, 4.0, 5.0]), 2.0 / 32.0);
        assert_eq!(p(&[-1.0, -2.0, -3.0, -4.0, -5.0]), 2.0 / 32.0);
        // W = 1 of ranks 1, 2, 3: sums 0 and 1, of eight choices one each.
        assert_eq!(p(&[1.0, -2.0, -3.0]), 0.5);
        // Two equal distances share rank 1.5: sums 0, 1.5 twice, 3; of 3 there are one below and one above.
        assert_eq!(p(&[1.0, 1.0]), 0.5);
        assert_eq!(p(&[1.0, -1.0]), 1.0);
        assert_eq!(p(&[0.0, 1.0, -2.0, -3.0]), 0.5, "what does not differ says nothing");
        assert_eq!(signed_rank_p_value(&[0.0, 0.0]), None);
        assert_eq!(signed_rank_p_value(&[]), None);
    }
}
