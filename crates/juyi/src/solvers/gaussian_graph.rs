//! A graph over rows whose edges are the Gaussian kernel, for methods that let labels flow along it.
//!
//! Cost: `O(n² (d + c))` for each product with `c` columns, or `O(n² d)` once and `O(n² c)` for each where half of the graph,
//! `4 n²` bytes, fits into memory.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use rayon::prelude::*;

use crate::context::Context;
use crate::linalg::{
    BLOCK, Matrix, add_product, by_row_blocks, gaussian_kernel, select_rows, squared_distance_block,
    squared_norms,
};

/// Rows of a tile of the kernel; its columns are [`BLOCK`].
const TALL: usize = 1024;

/// An affinity to all labelled rows below this is none: its share among others can no longer be told.
pub const NO_AFFINITY: f64 = 1e-280;

/// A quarter of the median distance from a row to its 7th nearest labelled row, over 1,000 rows at most.
///
/// The 7th neighbour is the scale of L. Zelnik-Manor, P. Perona, "Self-tuning spectral clustering", NIPS 2004. It is
/// taken among the labelled rows, so that the graph spans the gap between the domains, whatever its width. The whole
/// distance smooths too much: between the two built-in sets of digits, either way and over four preprocessings, 46 % are
/// right at 1 and 70 % at 1/4 (1-nn: 68 %); at 1/5 it is 73 %, for twice the steps and with rows out of reach.
pub fn neighbor_distance(rows: MatRef<'_, f64>, labelled: MatRef<'_, f64>) -> f64 {
    const NEIGHBOR: usize = 7;
    const SHARE: f64 = 0.25;
    const MOST: usize = 1000;
    let sample: Vec<usize> = (0..rows.nrows()).step_by(rows.nrows() / MOST + 1).collect();
    let k = NEIGHBOR.min(labelled.nrows()) - 1;
    let norms = squared_norms(labelled);
    let found = by_row_blocks(select_rows(rows, &sample).as_ref(), 1, |block| {
        let distances = squared_distance_block(labelled, &norms, block, &squared_norms(block));
        Mat::from_fn(BLOCK, 1, |j, _| {
            let mut column: Vec<f64> = distances.col(j).iter().copied().collect();
            *column.select_nth_unstable_by(k, f64::total_cmp).1
        })
    });
    let mut found: Vec<f64> = found.col(0).iter().copied().filter(|d| *d > 0.0).collect();
    let middle = found.len() / 2;
    if found.is_empty() { 1.0 } else { SHARE * found.select_nth_unstable_by(middle, f64::total_cmp).1.sqrt() }
}

/// `W` without its diagonal, in panels of [`BLOCK`] columns down to the diagonal, each in tiles of [`TALL`] rows. The
/// other half follows by symmetry.
pub struct GaussianGraph<'a> {
    rows: MatRef<'a, f64>,
    bandwidth: f64,
    /// The tiles of each panel, if they are kept.
    panels: Option<Vec<Vec<Matrix>>>,
}

impl<'a> GaussianGraph<'a> {
    /// Of `rows` `(n, d)`, kept if it fits beside `held` bytes that the method `name` needs, else computed anew in each
    /// product, with a note.
    pub fn new(name: &str, rows: MatRef<'a, f64>, bandwidth: f64, held: u64, context: &mut Context) -> Self {
        let n = rows.nrows();
        let need = held + 4 * (n * (n + 3 * BLOCK)) as u64;
        let instead = "its edges are computed anew in each step: the same numbers, more time";
        let store = context.exact_route(name, &format!("keeping the graph of {n} rows"), need, instead);
        let mut graph = Self { rows, bandwidth, panels: None };
        if store {
            let panel = |first: usize| graph.tops(first).map(|top| graph.tile(first, top)).collect();
            graph.panels = Some(graph.firsts().into_par_iter().map(panel).collect());
        }
        graph
    }

    /// How many rows it joins.
    pub fn row_count(&self) -> usize {
        self.rows.nrows()
    }

    /// The first column of each panel.
    fn firsts(&self) -> Vec<usize> {
        (0..self.rows.nrows()).step_by(BLOCK).collect()
    }

    /// The end of the panel's columns, and of its rows.
    fn end(&self, first: usize) -> usize {
        self.rows.nrows().min(first + BLOCK)
    }

    /// The first row of each tile of a panel.
    fn tops(&self, first: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.end(first)).step_by(TALL)
    }

    /// The tile of the panel `first..` with the rows `top..`.
    fn tile(&self, first: usize, top: usize) -> Matrix {
        let end = self.end(first);
        let bottom = end.min(top + TALL);
        let (rows, columns) = (self.rows.get(top..bottom, ..), self.rows.get(first..end, ..));
        let mut tile = gaussian_kernel(rows, columns, self.bandwidth);
        for i in first.max(top)..bottom {
            tile[(i - top, i - first)] = 0.0;
        }
        tile
    }

    /// What the panel `first..` adds to the rows `..end` of `W f`: `W_pᵀ f` to its own rows, `W_p f_p` to those above.
    fn panel_times(&self, first: usize, f: MatRef<'_, f64>) -> Matrix {
        let end = self.end(first);
        let mut out = Mat::zeros(end, f.ncols());
        for (t, top) in self.tops(first).enumerate() {
            let tile = match &self.panels {
                Some(panels) => Cow::Borrowed(&panels[first / BLOCK][t]),
                None => Cow::Owned(self.tile(first, top)),
            };
            let (bottom, above) = (top + tile.nrows(), first.clamp(top, top + tile.nrows()));
            add_product(out.get_mut(first..end, ..), tile.transpose(), f.get(top..bottom, ..), 1.0);
            add_product(out.get_mut(top..above, ..), tile.get(..above - top, ..), f.get(first..end, ..), 1.0);
        }
        out
    }

    /// `W f`: panels in parallel, added up in order, so that the threads leave no trace.
    pub fn times(&self, f: MatRef<'_, f64>) -> Matrix {
        let mut out = Mat::zeros(f.nrows(), f.ncols());
        let at_once = ((64 << 20) / (8 * f.nrows() * f.ncols())).clamp(4, 64);
        for wave in self.firsts().chunks(at_once) {
            let parts: Vec<Matrix> = wave.par_iter().map(|&first| self.panel_times(first, f)).collect();
            for part in parts {
                let mut above = out.get_mut(..part.nrows(), ..);
                above += part;
            }
        }
        out
    }

    /// The rows from which no path leads to a labelled row; `pull` are the affinities to the labelled rows.
    pub fn isolated(&self, pull: &[f64]) -> Vec<bool> {
        let mut isolated: Vec<bool> = pull.iter().map(|pull| *pull < NO_AFFINITY).collect();
        while isolated.contains(&true) {
            let reached = Mat::from_fn(pull.len(), 1, |i, _| f64::from(u8::from(!isolated[i])));
            let affinity = self.times(reached.as_ref());
            let joined: Vec<usize> =
                (0..pull.len()).filter(|&i| isolated[i] && affinity[(i, 0)] >= NO_AFFINITY).collect();
            if joined.is_empty() {
                break;
            }
            for i in joined {
                isolated[i] = false;
            }
        }
        isolated
    }
}
