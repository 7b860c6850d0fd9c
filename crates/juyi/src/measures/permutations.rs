//! Permutations of pooled rows, for values that are computed anew for each.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::error::Result;

/// The `value` of the true split of `n + m` pooled rows, of which the first `n` are the source's, then that of each
/// permutation; the rows that are taken for either side's are handed over.
pub(super) fn permuted(
    n: usize,
    m: usize,
    permutations: usize,
    rng: &mut ChaCha8Rng,
    mut value: impl FnMut(&[usize], &[usize]) -> Result<f64>,
) -> Result<Vec<f64>> {
    let mut order: Vec<usize> = (0..n + m).collect();
    let mut values = Vec::with_capacity(permutations + 1);
    for _ in 0..=permutations {
        let (x, y) = order.split_at(n);
        values.push(value(x, y)?);
        order.shuffle(rng);
    }
    Ok(values)
}

/// The share of values, of which the first is the true one, that reach it.
pub(super) fn reached(values: &[f64]) -> f64 {
    let slack = 1e-12 * values[0].abs();
    values.iter().filter(|v| **v >= values[0] - slack).count() as f64 / values.len() as f64
}

/// By how much the first value lies above the mean of the others, never below 0.
pub(super) fn beyond_chance(values: &[f64]) -> f64 {
    (values[0] - values[1..].iter().sum::<f64>() / (values.len() - 1) as f64).max(0.0)
}
