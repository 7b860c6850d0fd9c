//! Ranks of numbers, of which equal ones share a rank.

/// Numbers that differ by less than this part of the larger are equal: differences of shares are not exact.
const EQUAL: f64 = 1e-12;

/// The rank of each number, 1 for the least; equal ones have the mean of the ranks that they take up together.
pub fn ranks(of: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; of.len()];
    for (first, tie) in ties(of) {
        let shared = first as f64 + (tie.len() + 1) as f64 / 2.0;
        for i in tie {
            ranks[i] = shared;
        }
    }
    ranks
}

/// Positions of equal numbers, the least first, each with how many stand before.
pub(super) fn ties(of: &[f64]) -> Vec<(usize, Vec<usize>)> {
    let mut order: Vec<usize> = (0..of.len()).collect();
    order.sort_by(|&a, &b| of[a].total_cmp(&of[b]));
    let equal = |a: f64, b: f64| (a - b).abs() <= EQUAL * a.abs().max(b.abs()).max(1.0);
    let mut ties: Vec<(usize, Vec<usize>)> = Vec::new();
    for (at, i) in order.into_iter().enumerate() {
        match ties.last_mut().filter(|(_, tie)| equal(of[tie[0]], of[i])) {
            Some((_, tie)) => tie.push(i),
            None => ties.push((at, vec![i])),
        }
    }
    ties
}

/// The mean over several comparisons of the rank of each thing, 1 for the best; the largest is the best, or the least where
/// `less_is_better`. Empty where there is no comparison.
pub fn mean_ranks(comparisons: &[Vec<f64>], less_is_better: &[bool]) -> Vec<f64> {
    let things = comparisons.first().map_or(0, Vec::len);
    let mut sums = vec![0.0; things];
    for (figures, less) in comparisons.iter().zip(less_is_better) {
        let sign = if *less { 1.0 } else { -1.0 };
        let turned: Vec<f64> = figures.iter().map(|v| sign * v).collect();
        sums.iter_mut().zip(ranks(&turned)).for_each(|(sum, rank)| *sum += rank);
    }
    sums.into_iter().map(|sum| sum / comparisons.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_by_hand() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(ranks(&[0.9 - 0.8, 0.1, 0.2 - 0.1]), [2.0; 3], "rounding makes no rank");
        assert_eq!(ranks(&[]), [0.0; 0]);
        // The first is best, then worst; of errors the least is best.
        let of = [vec![0.9, 0.8, 0.8], vec![0.3, 0.5, 0.4]];
        assert_eq!(mean_ranks(&of, &[false, false]), [2.0, 1.75, 2.25]);
        assert_eq!(mean_ranks(&of, &[false, true]), [1.0, 2.75, 2.25]);
        assert_eq!(mean_ranks(&[], &[]), [0.0; 0]);
    }
}
