//! A graph that joins each row to the rows in its direction, and what its normalised Laplacian does:
//! ```text
//! W_ij = max(0, x_i · x_j) if i is among the nearest of j or j among those of i,   W_ii = 0
//! L = I - D^(-1/2) W D^(-1/2),   D = diag(Σ_j W_ij);   0 at a row without edges
//! ```
//! Cost: `O(n² d)` once, `O(n p)` for each column that is multiplied, `O(n p)` memory for `p` neighbours.

use faer::{Mat, MatRef};
use rayon::prelude::*;

use crate::linalg::{BLOCK, Matrix, by_row_blocks, squared_distance_block, squared_norms};

/// The normalised Laplacian of a graph of nearest neighbours.
pub struct NeighborGraph {
    /// `W_ij / sqrt(D_ii D_jj)` by row: `j`, rising, and the weight.
    edges: Vec<Vec<(usize, f64)>>,
}

impl NeighborGraph {
    /// Of unit rows `(n, d)`, each joined to its `neighbors` nearest other rows; of rows equally near the first ones.
    pub fn new(rows: MatRef<'_, f64>, neighbors: usize) -> Self {
        let n = rows.nrows();
        let k = neighbors.min(n - 1);
        let norms = squared_norms(rows);
        // Each row's nearest in one line, itself among them as a rule: numbers, then distances.
        let found = by_row_blocks(rows, 2 * (k + 1), |block| {
            let distances = squared_distance_block(rows, &norms, block, &squared_norms(block));
            let mut out = Mat::zeros(BLOCK, 2 * (k + 1));
            for (i, column) in distances.col_iter().enumerate() {
                let mut order: Vec<(f64, usize)> = column.iter().copied().zip(0..n).collect();
                let by_distance =
                    |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
                if k + 1 < n {
                    order.select_nth_unstable_by(k, by_distance);
                }
                order[..=k].sort_by(by_distance);
                for (at, (distance, j)) in order[..=k].iter().enumerate() {
                    (out[(i, at)], out[(i, k + 1 + at)]) = (*j as f64, *distance);
                }
            }
            out
        });
        let mut edges = vec![Vec::new(); n];
        for i in 0..n {
            let others = (0..=k).filter(|&at| found[(i, at)] as usize != i);
            for at in others.take(k) {
                let (j, distance) = (found[(i, at)] as usize, found[(i, k + 1 + at)]);
                let cosine = 0.5 * (norms[i] + norms[j] - distance);
                if cosine > 0.0 {
                    edges[i].push((j, cosine));
                    edges[j].push((i, cosine));
                }
            }
        }
        for own in &mut edges {
            own.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
            own.dedup_by_key(|edge| edge.0);
        }
        let degrees: Vec<f64> = edges.iter().map(|own| own.iter().map(|edge| edge.1).sum()).collect();
        for (own, degree) in edges.iter_mut().zip(&degrees) {
            own.iter_mut().for_each(|edge| edge.1 /= (degree * degrees[edge.0]).sqrt());
        }
        Self { edges }
    }

    /// `L x`.
    pub fn laplacian_times(&self, x: MatRef<'_, f64>) -> Matrix {
        let columns: Vec<Vec<f64>> = (0..x.ncols())
            .into_par_iter()
            .map(|c| {
                let x: Vec<f64> = x.col(c).iter().copied().collect();
                let row = |(own, value): (&Vec<(usize, f64)>, &f64)| {
                    let around: f64 = own.iter().map(|(j, weight)| weight * x[*j]).sum();
                    if own.is_empty() { 0.0 } else { value - around }
                };
                self.edges.iter().zip(&x).map(row).collect()
            })
            .collect();
        Mat::from_fn(x.nrows(), x.ncols(), |i, c| columns[c][i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Directions at 0°, 60° and 180°: 0 and 1 are joined by 1/2, and the third by nothing above 0.
    #[test]
    fn three_directions_by_hand() {
        let rows = from_rows(&[vec![1.0, 0.0], vec![0.5, 0.75f64.sqrt()], vec![-1.0, 0.0]]);
        let graph = NeighborGraph::new(rows.as_ref(), 1);
        let said = graph.laplacian_times(from_rows(&[vec![3.0], vec![1.0], vec![5.0]]).as_ref());
        assert!((said - from_rows(&[vec![2.0], vec![-2.0], vec![0.0]])).norm_max() < 1e-14);
    }

    /// Angles 0°, 10° and 30° with one neighbour each: edges 0–1 and 1–2, not 0–2.
    #[test]
    fn an_edge_counts_if_either_end_asks_for_it() {
        let at = |degrees: f64| vec![degrees.to_radians().cos(), degrees.to_radians().sin()];
        let rows = from_rows(&[at(0.0), at(10.0), at(30.0)]);
        let graph = NeighborGraph::new(rows.as_ref(), 1);
        let l = graph.laplacian_times(Mat::identity(3, 3).as_ref());
        let (a, b) = (10f64.to_radians().cos(), 20f64.to_radians().cos());
        let expected = |weight: f64, other: f64| -weight / (other * (a + b)).sqrt();
        assert!((l[(0, 1)] - expected(a, a)).abs() < 1e-14 && (l[(2, 1)] - expected(b, b)).abs() < 1e-14);
        assert_eq!((l[(0, 2)], l[(0, 0)]), (0.0, 1.0));
    }

    #[test]
    fn rows_that_are_the_same_or_one_row_are_no_failure() {
        let same = from_rows(&vec![vec![0.6, 0.8]; 5]);
        let l = NeighborGraph::new(same.as_ref(), 2).laplacian_times(Mat::identity(5, 5).as_ref());
        assert!(l.norm_max() <= 1.0);
        let one = NeighborGraph::new(same.get(..1, ..), 10).laplacian_times(Mat::identity(1, 1).as_ref());
        assert_eq!(one[(0, 0)], 0.0);
    }
}
