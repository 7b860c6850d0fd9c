//! Rows of two domains in blocks of equal size, drawn at random: what a measure sums over rows is summed over each block
//! once, and a permutation exchanges blocks instead of rows. Under equal distributions blocks are as exchangeable as rows,
//! so the test is as exact, and it costs no pass over the rows. A side has 64 blocks (fewer where it has fewer rows), a
//! longer one up to 256; what is left over is not tested.

use faer::MatRef;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::permutations::permuted;
use crate::error::Result;
use crate::linalg::{Matrix, select_rows};

/// Blocks of the shorter side, and the most of the longer one.
const BLOCKS: (usize, usize) = (64, 256);

/// An order of the rows of both sides, cut to pieces.
pub(super) struct Blocks {
    /// Rows of a block.
    pub(super) size: usize,
    orders: [Vec<usize>; 2],
}

impl Blocks {
    /// Draws blocks of `least` rows at least, for sides of so many rows.
    pub(super) fn drawn(n: usize, m: usize, least: usize, rng: &mut ChaCha8Rng) -> Self {
        let orders = [n, m].map(|count| {
            let mut order: Vec<usize> = (0..count).collect();
            order.shuffle(rng);
            order
        });
        Self { size: (n.min(m) / BLOCKS.0).max(least), orders }
    }

    /// The most blocks of both sides together.
    pub(super) fn most() -> usize {
        BLOCKS.0 + BLOCKS.1 + 1
    }

    /// Blocks of a side.
    pub(super) fn count(&self, side: usize) -> usize {
        (self.orders[side].len() / self.size).min(BLOCKS.1)
    }

    /// What `of` makes of each block of a side, a column each `(length, count)`, and the sum over the rest of the rows,
    /// in pieces of a block's size at most.
    pub(super) fn each(
        &self,
        side: usize,
        rows: MatRef<'_, f64>,
        length: usize,
        mut of: impl FnMut(&Matrix) -> Vec<f64>,
    ) -> (Matrix, Vec<f64>) {
        let mut found = Matrix::zeros(length, self.count(side));
        let mut rest = vec![0.0; length];
        for (k, which) in self.orders[side].chunks(self.size).enumerate() {
            let values = of(&select_rows(rows, which));
            if k < self.count(side) {
                found.col_as_slice_mut(k).copy_from_slice(&values);
            } else {
                rest.iter_mut().zip(&values).for_each(|(sum, v)| *sum += v);
            }
        }
        (found, rest)
    }

    /// [`Blocks::each`] without the rest, which is not looked at.
    pub(super) fn only(
        &self,
        side: usize,
        rows: MatRef<'_, f64>,
        length: usize,
        mut of: impl FnMut(&Matrix) -> Vec<f64>,
    ) -> Matrix {
        let mut found = Matrix::zeros(length, self.count(side));
        for (k, which) in self.orders[side].chunks(self.size).take(self.count(side)).enumerate() {
            found.col_as_slice_mut(k).copy_from_slice(&of(&select_rows(rows, which)));
        }
        found
    }
}

/// The `value` of the means of either side's blocks, then that of each exchange of blocks.
pub(super) fn exchanged(
    [x, y]: [&Matrix; 2],
    permutations: usize,
    rng: &mut ChaCha8Rng,
    value: impl Fn(&[f64], &[f64]) -> Result<f64>,
) -> Result<Vec<f64>> {
    let columns: Vec<&[f64]> =
        (0..x.ncols()).map(|k| x.col_as_slice(k)).chain((0..y.ncols()).map(|k| y.col_as_slice(k))).collect();
    let mean = |which: &[usize]| {
        let mut sum = vec![0.0; x.nrows()];
        for &k in which {
            sum.iter_mut().zip(columns[k]).for_each(|(sum, v)| *sum += v);
        }
        for v in &mut sum {
            *v /= which.len() as f64;
        }
        sum
    };
    permuted(x.ncols(), y.ncols(), permutations, rng, |x, y| value(&mean(x), &mean(y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn each_row_stands_in_one_block_or_in_the_rest() {
        for (n, m, least) in [(10, 25, 1), (1000, 700, 2), (130, 40_000, 1)] {
            let blocks = Blocks::drawn(n, m, least, &mut ChaCha8Rng::seed_from_u64(1));
            let sides = [n, m].map(|rows| Matrix::from_fn(rows, 1, |i, _| i as f64));
            for (side, rows) in sides.iter().enumerate() {
                let (found, rest) =
                    blocks.each(side, rows.as_ref(), 1, |rows| vec![rows.col(0).iter().sum::<f64>()]);
                let sum = rows.col(0).iter().sum::<f64>();
                assert_eq!(found.row(0).iter().sum::<f64>() + rest[0], sum);
                assert!(found.ncols() >= 2 && found.ncols() <= BLOCKS.1 && blocks.size >= least);
            }
        }
    }
}
