//! Pooled rows in the order of their distance from each row, for estimates from nearest neighbours under any split.

use rayon::prelude::*;

use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, squared_distances};

/// The other rows of each row, nearest first, with the logarithms of their distances.
pub(super) struct NearRows {
    order: Vec<Vec<(f64, u32)>>,
}

impl NearRows {
    /// Of pooled rows.
    pub(super) fn of(rows: &Matrix, context: &Context) -> Result<Self> {
        let n = rows.nrows();
        context.require("the distances of the rows", 24 * (n * n) as u64)?;
        let squares = squared_distances(rows.as_ref(), rows.as_ref());
        let near = |i: usize| {
            let others = squares.col_as_slice(i).iter().zip(0u32..).filter(|(_, j)| *j as usize != i);
            let mut others: Vec<(f64, u32)> = others.map(|(square, j)| (0.5 * square.ln(), j)).collect();
            others.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            others
        };
        Ok(Self { order: (0..n).into_par_iter().map(near).collect() })
    }

    /// For row `i` the place, from 1, and the logarithm of the distance of its `k`-th nearest among the others that `are`
    /// such; the place counts rows that are strictly nearer, and itself. `None` where there are fewer.
    pub(super) fn nearest(&self, i: usize, k: usize, are: impl Fn(usize) -> bool) -> Option<(usize, f64)> {
        let mut such = self.order[i].iter().filter(|(_, j)| are(*j as usize));
        let radius = such.nth(k - 1)?.0;
        Some((1 + self.order[i].partition_point(|(distance, _)| *distance < radius), radius))
    }
}
