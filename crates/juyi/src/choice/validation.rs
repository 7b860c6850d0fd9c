//! What validation is held against.

/// The share of the most frequent of `classes` classes: what always saying the same would score.
pub fn most_frequent(of: impl Iterator<Item = usize>, classes: usize) -> f64 {
    let mut counts = vec![0usize; classes];
    for class in of {
        counts[class] += 1;
    }
    let all: usize = counts.iter().sum();
    counts.into_iter().max().unwrap_or(0) as f64 / all.max(1) as f64
}
