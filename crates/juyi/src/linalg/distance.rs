//! Distances and the Gaussian kernel, block by block: `|s - t|² = |s|² - 2 s·t + |t|²` with the middle term a matrix
//! product. Cost `O(n m d)` time, `O(n + m)` memory unless a whole kernel is asked for.

use faer::linalg::matmul::matmul;
use faer::prelude::ReborrowMut;
use faer::{Accum, Mat, MatRef, Par};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{BLOCK, Matrix, add_product, exponentials, padded_rows, vectorized};

/// Rows that stand on the other side of a block.
pub(super) const TALL: usize = 1024;

/// `|row|²` of each row `(n)`.
pub fn squared_norms(x: MatRef<'_, f64>) -> Vec<f64> {
    let mut norms = vec![0.0; x.nrows()];
    for column in x.col_iter() {
        match column.try_as_col_major() {
            Some(column) => vectorized(|| add_squares(&mut norms, column.as_slice().iter())),
            None => add_squares(&mut norms, column.iter()),
        }
    }
    norms
}

#[inline(always)]
fn add_squares<'a>(sums: &mut [f64], values: impl Iterator<Item = &'a f64>) {
    sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += v * v);
}

/// Squared distances `(rows, queries)` between a few rows and a few queries, never below 0.
pub fn squared_distance_block(
    rows: MatRef<'_, f64>,
    row_norms: &[f64],
    queries: MatRef<'_, f64>,
    query_norms: &[f64],
) -> Matrix {
    let mut out = Mat::zeros(rows.nrows(), queries.nrows());
    matmul(out.as_mut(), Accum::Replace, rows, queries.transpose(), -2.0, Par::Seq);
    vectorized(|| {
        for (j, query) in query_norms.iter().enumerate() {
            for (v, row) in out.col_as_slice_mut(j).iter_mut().zip(row_norms) {
                let distance = row + *v + query;
                *v = if distance > 0.0 { distance } else { 0.0 };
            }
        }
    });
    out
}

/// The Gaussian kernel `exp(-|x_i - y_j|² / (2 bandwidth²))`, `(n, m)`.
pub fn gaussian_kernel(x: MatRef<'_, f64>, y: MatRef<'_, f64>, bandwidth: f64) -> Matrix {
    let scale = -0.5 / (bandwidth * bandwidth);
    of_distances(x, y, |distances| exponentials(distances, scale))
}

/// The squared distances `|x_i - y_j|²`, `(n, m)`, never below 0.
pub fn squared_distances(x: MatRef<'_, f64>, y: MatRef<'_, f64>) -> Matrix {
    of_distances(x, y, |_| ())
}

/// What `work` makes of pieces of the columns of the squared distances.
fn of_distances(x: MatRef<'_, f64>, y: MatRef<'_, f64>, work: impl Fn(&mut [f64]) + Sync) -> Matrix {
    let mut out = Mat::zeros(x.nrows(), y.nrows());
    let x_norms = squared_norms(x);
    let columns: Vec<_> = out.as_mut().par_col_chunks_mut(BLOCK).enumerate().collect();
    columns.into_par_iter().for_each(|(b, mut columns)| {
        let (first, count) = (b * BLOCK, columns.ncols());
        let block = padded_rows(y, first, count, BLOCK);
        let y_norms = squared_norms(block.as_ref());
        for top in (0..x.nrows()).step_by(TALL) {
            let end = x.nrows().min(top + TALL);
            let distances =
                squared_distance_block(x.get(top..end, ..), &x_norms[top..end], block.as_ref(), &y_norms);
            for j in 0..count {
                let mut column = columns.rb_mut().col_mut(j).subrows_mut(top, end - top);
                column.copy_from(distances.col(j));
                if let Some(column) = column.try_as_col_major_mut() {
                    work(column.as_slice_mut());
                }
            }
        }
    });
    out
}

/// `k(x, rows) y`, `(n, c)`, with the Gaussian kernel and `y` `(m, c)`: block by block, the kernel is never held.
pub fn gaussian_kernel_times(
    x: MatRef<'_, f64>,
    rows: MatRef<'_, f64>,
    bandwidth: f64,
    y: MatRef<'_, f64>,
) -> Matrix {
    let (row_norms, scale) = (squared_norms(rows), -0.5 / (bandwidth * bandwidth));
    super::by_row_blocks(x, y.ncols(), |block| {
        let mut out = Mat::zeros(BLOCK, y.ncols());
        let norms = squared_norms(block);
        for top in (0..rows.nrows()).step_by(TALL) {
            let end = rows.nrows().min(top + TALL);
            let mut kernel =
                squared_distance_block(rows.get(top..end, ..), &row_norms[top..end], block, &norms);
            for j in 0..BLOCK {
                exponentials(kernel.col_as_slice_mut(j), scale);
            }
            add_product(out.as_mut(), kernel.transpose(), y.get(top..end, ..), 1.0);
        }
        out
    })
}

/// The mean of the Gaussian kernel over the rows of `y`, for each row of `x` `(n)`: `Σ_j k(x_i, y_j) / m`.
pub fn gaussian_kernel_means(x: MatRef<'_, f64>, y: MatRef<'_, f64>, bandwidth: f64) -> Vec<f64> {
    let share = Mat::from_fn(y.nrows(), 1, |_, _| 1.0 / y.nrows() as f64);
    gaussian_kernel_times(x, y, bandwidth, share.as_ref()).col(0).iter().copied().collect()
}

/// The logarithm of a sum of Gaussian bumps, for each row of `x` `(n)`:
/// ```text
/// ln Σ_l exp(log_shares_l - |x_i - rows_l|² / (2 bandwidth²))
/// ```
/// Taken about the largest term, so that nothing overflows and a row far from all others still has a number. A share of
/// minus infinity leaves its row out; one at least must be finite.
pub fn log_gaussian_mixture(
    x: MatRef<'_, f64>,
    rows: MatRef<'_, f64>,
    bandwidth: f64,
    log_shares: &[f64],
) -> Vec<f64> {
    let (row_norms, scale) = (squared_norms(rows), 0.5 / (bandwidth * bandwidth));
    let ones = vec![1.0; TALL.min(rows.nrows())];
    let logarithms = super::by_row_blocks(x, 1, |block| {
        let norms = squared_norms(block);
        let mut sums = vec![(f64::NEG_INFINITY, 0.0); BLOCK]; // the largest term, and the sum over it
        for top in (0..rows.nrows()).step_by(TALL) {
            let end = rows.nrows().min(top + TALL);
            let mut terms =
                squared_distance_block(rows.get(top..end, ..), &row_norms[top..end], block, &norms);
            for (j, (most, sum)) in sums.iter_mut().enumerate() {
                let terms = terms.col_as_slice_mut(j);
                terms.iter_mut().zip(&log_shares[top..end]).for_each(|(v, share)| *v = share - scale * *v);
                let largest = largest(terms).max(*most);
                if largest == f64::NEG_INFINITY {
                    continue;
                }
                for v in terms.iter_mut() {
                    *v -= largest;
                }
                exponentials(terms, 1.0);
                *sum = *sum * (*most - largest).exp() + super::dot(terms, &ones[..end - top]);
                *most = largest;
            }
        }
        Mat::from_fn(BLOCK, 1, |j, _| sums[j].0 + sums[j].1.ln())
    });
    logarithms.col(0).iter().copied().collect()
}

/// The largest of some numbers; minus infinity where there are none.
pub fn largest(values: &[f64]) -> f64 {
    vectorized(|| largest_in_lanes(values))
}

#[inline(always)]
fn largest_in_lanes(values: &[f64]) -> f64 {
    let mut lanes = [f64::NEG_INFINITY; 8];
    let blocks = values.chunks_exact(8);
    let rest = blocks.remainder();
    for block in blocks {
        for (lane, v) in lanes.iter_mut().zip(block) {
            *lane = if v > lane { *v } else { *lane };
        }
    }
    lanes.iter().chain(rest).copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The median distance between two different rows: over all pairs up to 1,000 rows, beyond that over pairs of 1,000
/// rows drawn by `rng`. 1 if the rows are all the same.
pub fn median_distance(x: MatRef<'_, f64>, rng: &mut ChaCha8Rng) -> f64 {
    const MOST: usize = 1000;
    let sample = if x.nrows() <= MOST {
        x.to_owned()
    } else {
        let drawn: Vec<usize> = (0..MOST).map(|_| rng.random_range(0..x.nrows())).collect();
        super::select_rows(x, &drawn)
    };
    let norms = squared_norms(sample.as_ref());
    let all = squared_distance_block(sample.as_ref(), &norms, sample.as_ref(), &norms);
    let mut distances: Vec<f64> =
        (1..sample.nrows()).flat_map(|j| (0..j).map(move |i| (i, j))).map(|at| all[at]).collect();
    distances.retain(|d| *d > 0.0);
    if distances.is_empty() {
        return 1.0;
    }
    let middle = distances.len() / 2;
    distances.select_nth_unstable_by(middle, f64::total_cmp).1.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;
    use rand::SeedableRng;

    #[test]
    fn the_kernel_is_one_on_the_diagonal_and_its_means_agree() {
        let x = Mat::from_fn(300, 3, |i, j| ((i * 7 + j * 5) % 23) as f64 / 4.0);
        let k = gaussian_kernel(x.as_ref(), x.as_ref(), 1.5);
        let means = gaussian_kernel_means(x.as_ref(), x.as_ref(), 1.5);
        for i in [0, 17, 299] {
            assert!((k[(i, i)] - 1.0).abs() < 1e-12);
            assert!((means[i] - k.row(i).iter().sum::<f64>() / 300.0).abs() < 1e-12);
        }
        let expected = (-((x[(0, 0)] - x[(1, 0)]).powi(2)
            + (x[(0, 1)] - x[(1, 1)]).powi(2)
            + (x[(0, 2)] - x[(1, 2)]).powi(2))
            / 4.5)
            .exp();
        assert!((k[(0, 1)] - expected).abs() < 1e-13);
    }

    #[test]
    fn a_mixture_is_the_logarithm_of_its_sum_and_reaches_far_rows() {
        let x = Mat::from_fn(140, 2, |i, j| ((i * 7 + j * 5) % 23) as f64 / 4.0);
        let rows = Mat::from_fn(1500, 2, |i, j| ((i * 11 + j * 3) % 31) as f64 / 5.0);
        let shares: Vec<f64> = (0..1500).map(|l| f64::from(l % 7)).collect();
        let y = Mat::from_fn(1500, 1, |l, _| shares[l]);
        let sums = gaussian_kernel_times(x.as_ref(), rows.as_ref(), 0.7, y.as_ref());
        let log_shares: Vec<f64> = shares.iter().map(|v| v.ln()).collect(); // some are minus infinity
        let found = log_gaussian_mixture(x.as_ref(), rows.as_ref(), 0.7, &log_shares);
        for (i, found) in found.iter().enumerate() {
            assert!((found - sums[(i, 0)].ln()).abs() < 1e-11, "row {i}");
        }
        // One bump at 0 and two at 100: at 300 the second pair is left, exp(-200² / 2) each.
        let line = from_rows(&[vec![0.0], vec![100.0], vec![100.0]]);
        let far = log_gaussian_mixture(from_rows(&[vec![300.0]]).as_ref(), line.as_ref(), 1.0, &[0.0; 3]);
        assert!((far[0] - (2.0f64.ln() - 20_000.0)).abs() < 1e-9, "{far:?}");
    }

    #[test]
    fn the_median_distance_of_a_line_of_points() {
        let x = from_rows(&[vec![0.0], vec![1.0], vec![3.0]]);
        assert_eq!(median_distance(x.as_ref(), &mut ChaCha8Rng::seed_from_u64(0)), 2.0);
    }
}
