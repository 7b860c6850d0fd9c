//! Columns of the Gaussian kernel of some rows, for solvers that ask for one or two at a time: all computed at once where
//! they may all be held, else each when it is asked for, in the place of the one that was not used for longest.
//!
//! Cost: `O(n² d)` at once or `O(n d)` a column, `8 n` bytes for each column that is held.

use faer::{Mat, MatRef};

use crate::linalg::{
    Matrix, exponentials, gaussian_kernel, select_rows, squared_distance_block, squared_norms,
};

/// `exp(-|x_i - x_j|² / (2 bandwidth²))`, column by column.
pub struct KernelColumns<'a> {
    rows: MatRef<'a, f64>,
    norms: Vec<f64>,
    bandwidth: f64,
    /// `(n, capacity)`.
    held: Matrix,
    /// Where in `held` a row's column is.
    place: Vec<Option<usize>>,
    /// For each place the row whose column it holds, and when that was last asked for; 0 for a place that is free.
    holds: Vec<(usize, u64)>,
    clock: u64,
}

impl<'a> KernelColumns<'a> {
    /// The kernel of `rows` `(n, d)` with at most `capacity` columns held, 2 or above.
    pub fn new(rows: MatRef<'a, f64>, bandwidth: f64, capacity: usize) -> Self {
        let n = rows.nrows();
        let whole = capacity >= n;
        let held = if whole { gaussian_kernel(rows, rows, bandwidth) } else { Mat::zeros(n, capacity) };
        Self {
            rows,
            norms: squared_norms(rows),
            bandwidth,
            holds: (0..held.ncols()).map(|i| (i, 0)).collect(),
            place: (0..n).map(|i| whole.then_some(i)).collect(),
            held,
            clock: 0,
        }
    }

    /// The column of row `i`.
    pub fn column(&mut self, i: usize) -> &[f64] {
        let at = self.fetch(i);
        self.held.col_as_slice(at)
    }

    /// The columns of rows `i` and `j`.
    pub fn two(&mut self, i: usize, j: usize) -> (&[f64], &[f64]) {
        let (at_i, at_j) = (self.fetch(i), self.fetch(j));
        (self.held.col_as_slice(at_i), self.held.col_as_slice(at_j))
    }

    /// The place of the column of row `i`, which is computed if it is not held.
    fn fetch(&mut self, i: usize) -> usize {
        self.clock += 1;
        let at = self.place[i].unwrap_or_else(|| self.compute(i));
        self.holds[at] = (i, self.clock);
        at
    }

    fn compute(&mut self, i: usize) -> usize {
        let oldest = (0..self.holds.len()).min_by_key(|&at| self.holds[at].1);
        let at = oldest.expect("there are at least two places");
        let (row, used) = self.holds[at];
        if used > 0 {
            self.place[row] = None;
        }
        self.place[i] = Some(at);
        let own = select_rows(self.rows, &[i]);
        let distances = squared_distance_block(self.rows, &self.norms, own.as_ref(), &self.norms[i..=i]);
        let column = self.held.col_as_slice_mut(at);
        column.copy_from_slice(distances.col_as_slice(0));
        exponentials(column, -0.5 / (self.bandwidth * self.bandwidth));
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_places_give_the_same_columns_as_all() {
        let x = Mat::from_fn(40, 3, |i, j| ((i * 7 + j * 5 + i * j) % 23) as f64 / 4.0);
        let mut all = KernelColumns::new(x.as_ref(), 1.5, 40);
        let mut few = KernelColumns::new(x.as_ref(), 1.5, 2);
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-13);
        for step in 0..200 {
            let (i, j) = (step * 13 % 40, step * step % 7);
            assert!(close(all.column(i), few.column(i)));
            let ((a, b), (c, d)) = (all.two(i, j), few.two(i, j));
            assert!(close(a, c) && close(b, d), "step {step}");
        }
    }
}
