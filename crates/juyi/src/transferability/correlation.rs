//! How well scores agree with what was reached after training: Pearson's correlation and Kendall's weighted `τ`.
//!
//! S. Vigna, "A weighted correlation index for rankings with ties", WWW 2015, with additive hyperbolic weights:
//!
//! ```text
//! ⟨r, s⟩ = Σ_{i < j} sgn(r_i - r_j) sgn(s_i - s_j) ( 1 / (ρ(i) + 1) + 1 / (ρ(j) + 1) ),   τ = ⟨r, s⟩ / √(⟨r, r⟩ ⟨s, s⟩)
//! ```
//! with `ρ` the place of a network from the best, from 0: that by `r`, ties by `s`, and that by `s`, ties by `r`; the mean of both.

/// Pearson's correlation of two lists of the same length, -1 to 1; NaN where one of them is constant.
pub fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let (x, y) = (mean(a), mean(b));
    let sum = |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| of(a - x, b - y)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

/// Kendall's weighted `τ` of two lists of the same length, -1 to 1: to agree on the best counts most; NaN where one of them is
/// constant. `O(n²)`.
pub fn weighted_kendall(a: &[f64], b: &[f64]) -> f64 {
    f64::midpoint(by_places(a, b), by_places(b, a))
}

/// The same with places by `first`, ties by `then`.
fn by_places(first: &[f64], then: &[f64]) -> f64 {
    let n = first.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| first[j].total_cmp(&first[i]).then(then[j].total_cmp(&then[i])));
    let mut weight = vec![0.0; n];
    order.iter().enumerate().for_each(|(place, &i)| weight[i] = 1.0 / (place + 1) as f64);
    let sign = |of: &[f64], i: usize, j: usize| if of[i] == of[j] { 0.0 } else { (of[i] - of[j]).signum() };
    let product = |r: &[f64], s: &[f64]| -> f64 {
        let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
        pairs.map(|(i, j)| sign(r, i, j) * sign(s, i, j) * (weight[i] + weight[j])).sum()
    };
    product(first, then) / (product(first, first) * product(then, then)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_networks_by_hand() {
        let (accuracy, score) = ([3.0, 2.0, 1.0], [2.0, 3.0, 1.0]);
        assert!((pearson(&accuracy, &score) - 0.5).abs() < 1e-12);
        // Weights of pairs: 3/2 for the first two, 4/3 and 5/6 for the others, both ways; only the first disagrees.
        let expected = (4.0 / 3.0 + 5.0 / 6.0 - 1.5) / (4.0 / 3.0 + 5.0 / 6.0 + 1.5);
        assert!((weighted_kendall(&accuracy, &score) - expected).abs() < 1e-12);
        assert!((weighted_kendall(&score, &score) - 1.0).abs() < 1e-12);
        assert!(weighted_kendall(&accuracy, &[1.0; 3]).is_nan());
    }
}
