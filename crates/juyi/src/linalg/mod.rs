//! Dense linear algebra over `faer`: the only place that knows decompositions, blocking and parallelism.
//!
//! Rows are samples. Everything here gives the same bits on one thread and on many: `faer` is always asked for the
//! same degree of parallelism ([`PAR`]), whatever number of threads serves it, and our own parallel loops work on
//! blocks of a fixed size and add partial sums in order.

mod decompose;
mod distance;
mod exponential;
mod nearest;
mod principal;
mod statistics;

pub use decompose::{
    Triangles, cholesky, generalized_eigen, orthonormal_columns, solve_cholesky, symmetric_eigen,
    symmetric_power, thin_svd,
};
pub use distance::{
    gaussian_kernel, gaussian_kernel_means, gaussian_kernel_times, largest, log_gaussian_mixture,
    median_distance, squared_distance_block, squared_distances, squared_norms,
};
pub use exponential::{exponentials, hyperbolic_tangents, logarithms};
pub use nearest::{Nearest, nearest, nearest_several};
pub use principal::{principal_directions, principal_directions_bytes};
pub use statistics::{column_deviations, column_means, column_scales, covariance, spread};

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// A dense matrix; rows are samples, columns are features.
pub type Matrix = Mat<f64>;

/// The degree of parallelism of every `faer` call. Results of decompositions depend on it, so it never changes.
pub const PAR: Par = Par::Rayon(std::num::NonZero::new(2).expect("2 is not zero"));

/// Rows that are worked on together by the blocked loops. Predictions are padded to it, so that a row's result does
/// not depend on how many others come with it.
pub const BLOCK: usize = 128;

/// `a b`.
pub fn multiply(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Matrix {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    matmul(out.as_mut(), Accum::Replace, a, b, 1.0, PAR);
    out
}

/// `alpha a b + out`, written over `out`, on this thread alone: for use inside a parallel loop.
pub fn add_product(out: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>, alpha: f64) {
    matmul(out, Accum::Add, a, b, alpha, Par::Seq);
}

/// Runs a loop in a form compiled for the widest vectors that the processor and `pulp` know, if all that it calls is
/// inlined. The bits stay the same, as no addition is reordered and none is fused with a product.
#[inline(always)]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// The inner product, in eight fixed lanes: vectorised, and the same on every machine and thread count.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    vectorized(|| in_lanes(a, b))
}

#[inline(always)]
fn in_lanes(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_blocks, b_blocks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_blocks.remainder().iter().zip(b_blocks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7])) + rest
}

/// `aᵀ v` for a column-major `a`: one inner product a column, columns in parallel.
pub fn transposed_times_vector(a: MatRef<'_, f64>, v: &[f64]) -> Vec<f64> {
    let product = |j: usize| match a.col(j).try_as_col_major() {
        Some(column) => dot(column.as_slice(), v),
        None => (0..a.nrows()).map(|i| a[(i, j)] * v[i]).sum(),
    };
    (0..a.ncols()).into_par_iter().with_min_len(64).map(product).collect()
}

/// Rows `first` to `first + count` of `rows`, copied, with zero rows below them up to `height`.
pub fn padded_rows(rows: MatRef<'_, f64>, first: usize, count: usize, height: usize) -> Matrix {
    let mut block = Mat::zeros(height, rows.ncols());
    block.get_mut(..count, ..).copy_from(rows.get(first..first + count, ..));
    block
}

/// Runs `work` on padded blocks of [`BLOCK`] rows in parallel and stacks the first `columns` columns of the results.
pub fn by_row_blocks(
    rows: MatRef<'_, f64>,
    columns: usize,
    work: impl Fn(MatRef<'_, f64>) -> Matrix + Sync,
) -> Matrix {
    let n = rows.nrows();
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let mut out = Mat::zeros(n, columns);
    // Waves keep the finished but not yet copied blocks few, whatever n is.
    for wave in starts.chunks(256) {
        let blocks: Vec<Matrix> = wave
            .par_iter()
            .map(|&first| {
                let count = BLOCK.min(n - first);
                work(padded_rows(rows, first, count, BLOCK).as_ref())
            })
            .collect();
        for (&first, block) in wave.iter().zip(&blocks) {
            let count = BLOCK.min(n - first);
            out.get_mut(first..first + count, ..).copy_from(block.get(..count, ..columns));
        }
    }
    out
}

/// `x w` row by row: the same bits for a row whatever rows stand around it.
pub fn rows_times(x: MatRef<'_, f64>, w: MatRef<'_, f64>) -> Matrix {
    by_row_blocks(x, w.ncols(), |block| {
        let mut out = Mat::zeros(BLOCK, w.ncols());
        add_product(out.as_mut(), block, w, 1.0);
        out
    })
}

/// `a` above `b`.
pub fn stack(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Matrix {
    let mut out = Mat::zeros(a.nrows() + b.nrows(), a.ncols());
    out.get_mut(..a.nrows(), ..).copy_from(a);
    out.get_mut(a.nrows().., ..).copy_from(b);
    out
}

/// The rows with these numbers, in this order.
pub fn select_rows(rows: MatRef<'_, f64>, which: &[usize]) -> Matrix {
    let mut out = Mat::zeros(which.len(), rows.ncols());
    let columns: Vec<_> = out.as_mut().col_iter_mut().zip(rows.col_iter()).collect();
    columns.into_par_iter().with_min_len(16).for_each(|(to, from)| match from.try_as_col_major() {
        Some(from) => to.iter_mut().zip(which).for_each(|(v, &i)| *v = from.as_slice()[i]),
        None => to.iter_mut().zip(which).for_each(|(v, &i)| *v = from[i]),
    });
    out
}

/// The numbers of all rows in an order drawn by `rng` that depends on what the rows hold and not on where they stand:
/// the same rows in another order are drawn alike.
pub fn shuffled_rows(rows: MatRef<'_, f64>, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.nrows()).collect();
    order.sort_by(|&a, &b| {
        let differing = (0..rows.ncols()).map(|j| rows[(a, j)].total_cmp(&rows[(b, j)]));
        differing.into_iter().find(|way| way.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    order.shuffle(rng);
    order
}

/// Divides each row by its length under `norm`; a row of zeros stays.
pub fn normalize_rows(mut rows: MatMut<'_, f64>, norm: impl Fn(&mut dyn Iterator<Item = f64>) -> f64) {
    for i in 0..rows.nrows() {
        let length = norm(&mut (0..rows.ncols()).map(|j| rows[(i, j)]));
        if length > 0.0 {
            for j in 0..rows.ncols() {
                rows[(i, j)] /= length;
            }
        }
    }
}

/// Brings each row to Euclidean length 1; a row of zeros stays.
pub fn normalize_rows_l2(rows: MatMut<'_, f64>) {
    normalize_rows(rows, |row| row.map(|v| v * v).sum::<f64>().sqrt());
}

/// A matrix as rows of a table, for tests and small results.
pub fn from_rows(rows: &[Vec<f64>]) -> Matrix {
    Mat::from_fn(rows.len(), rows.first().map_or(0, Vec::len), |i, j| rows[i][j])
}

/// The least and the largest of some numbers; an infinity on the wrong side where there is none.
pub(crate) fn extent(numbers: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let wider = |(low, high): (f64, f64), v: f64| (low.min(v), high.max(v));
    numbers.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), wider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gets_the_same_bits_alone_and_in_a_batch() {
        let x = Mat::from_fn(301, 77, |i, j| ((i * 31 + j * 17) % 101) as f64 / 7.0 - 3.0);
        let w = Mat::from_fn(77, 13, |i, j| ((i * 7 + j * 3) % 53) as f64 / 11.0 - 2.0);
        let batch = rows_times(x.as_ref(), w.as_ref());
        for i in [0, 5, 127, 128, 300] {
            let alone = rows_times(x.get(i..i + 1, ..), w.as_ref());
            assert_eq!(alone.row(0), batch.row(i), "row {i}");
        }
    }

    #[test]
    fn shuffled_rows_are_the_same_whatever_order_they_come_in() {
        use rand::SeedableRng;
        let x = Mat::from_fn(40, 2, |i, j| if j == 0 { (i % 5) as f64 } else { i as f64 });
        let turned: Vec<usize> = (0..40).rev().collect();
        let y = select_rows(x.as_ref(), &turned);
        let order = |rows: &Matrix| {
            let order = shuffled_rows(rows.as_ref(), &mut ChaCha8Rng::seed_from_u64(3));
            select_rows(rows.as_ref(), &order)
        };
        assert_eq!(order(&x), order(&y));
        assert_ne!(order(&x), x);
    }

    #[test]
    fn dot_adds_up() {
        let v: Vec<f64> = (1..=19).map(f64::from).collect();
        assert_eq!(dot(&v, &v), 2470.0);
    }
}
