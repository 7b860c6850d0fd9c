//! Rows of two domains drawn so that the order in which they come plays no part, for methods that estimate a ratio of
//! densities: the centres of kernels, pairs or folds for a choice by held-out rows, and a width to start from.
//!
//! Cost: `O(n log n)` comparisons of rows, `8 n` bytes; the width `O(d)` for each of 500,000 pairs at most.

use faer::MatRef;

use crate::context::Context;
use crate::linalg::{Matrix, median_distance, select_rows, shuffled_rows, stack};

/// The rows that the width is taken from, at most.
const MOST: usize = 1000;

/// Widths that are tried, as parts of the median distance, the widest first.
pub const WIDTHS: [f64; 5] = [2.0, 1.2, 0.7, 0.42, 0.25];

/// Two domains with an order drawn for each.
pub struct DrawnRows<'a> {
    source: MatRef<'a, f64>,
    target: MatRef<'a, f64>,
    source_order: Vec<usize>,
    target_order: Vec<usize>,
}

impl<'a> DrawnRows<'a> {
    /// Draws the orders from the seed of `context`.
    pub fn new(source: MatRef<'a, f64>, target: MatRef<'a, f64>, context: &Context) -> Self {
        let source_order = shuffled_rows(source, &mut context.rng("the order of source rows"));
        let target_order = shuffled_rows(target, &mut context.rng("the order of target rows"));
        Self { source, target, source_order, target_order }
    }

    /// `count` source rows, or all.
    pub fn source(&self, count: usize) -> Matrix {
        select_rows(self.source, &self.source_order[..count.min(self.source_order.len())])
    }

    /// `count` target rows, or all.
    pub fn target(&self, count: usize) -> Matrix {
        select_rows(self.target, &self.target_order[..count.min(self.target_order.len())])
    }

    /// The median distance of two different rows among all, or among 1,000 of which each domain has its share.
    pub fn median_distance(&self, context: &Context) -> f64 {
        let (n_s, n_t) = (self.source.nrows(), self.target.nrows());
        let from_source = if n_s + n_t <= MOST { n_s } else { (MOST * n_s / (n_s + n_t)).clamp(1, MOST - 1) };
        let rows = stack(self.source(from_source).as_ref(), self.target(MOST - from_source).as_ref());
        median_distance(rows.as_ref(), &mut context.rng("the median distance"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_are_all_taken_and_many_in_proportion() {
        let context = Context::default();
        let line = |n: usize, from: f64| Matrix::from_fn(n, 1, |i, _| from + i as f64);
        let (source, target) = (line(2, 0.0), line(1, 3.0));
        let few = DrawnRows::new(source.as_ref(), target.as_ref(), &context);
        assert_eq!(few.median_distance(&context), 2.0); // of 1, 2 and 3
        assert_eq!(few.target(9).nrows(), 1);
        // 900 of 1,000 rows drawn are the source's: most pairs lie within it, a third of its length apart.
        let (source, target) = (line(9000, 0.0), line(1000, 1e9));
        let many = DrawnRows::new(source.as_ref(), target.as_ref(), &context);
        let found = many.median_distance(&context);
        assert!((2000.0..9000.0).contains(&found), "{found}");
    }
}
