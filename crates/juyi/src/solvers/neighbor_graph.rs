//! The graph of rows and their nearest neighbours, for penalties on what varies between neighbours.

use faer::{Mat, MatRef};
use rayon::prelude::*;

use crate::linalg::{
    BLOCK, Matrix, exponentials, multiply, padded_rows, squared_distance_block, squared_norms,
};

/// Weights `exp(-|x_i - x_j|² / (2 bandwidth²))` between rows of which one is among the other's nearest.
pub struct NeighborGraph {
    /// For each row its neighbours, rising, with their weights.
    edges: Vec<Vec<(usize, f64)>>,
}

impl NeighborGraph {
    /// The graph of `rows` `(n, d)` with the `neighbors` nearest of each row, and all that are as near as the last of
    /// them.
    ///
    /// Cost: `O(n² d)` time, `O(n)` memory a thread and what the edges take.
    pub fn new(rows: MatRef<'_, f64>, neighbors: usize, bandwidth: f64) -> Self {
        let n = rows.nrows();
        let norms = squared_norms(rows);
        let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
        let found: Vec<Vec<Vec<(usize, f64)>>> = starts
            .par_iter()
            .map(|&first| {
                let count = BLOCK.min(n - first);
                let block = padded_rows(rows, first, count, BLOCK);
                let own = squared_norms(block.as_ref());
                let all = squared_distance_block(rows, &norms, block.as_ref(), &own);
                (0..count).map(|j| nearest_others(all.col_as_slice(j), first + j, neighbors)).collect()
            })
            .collect();
        let mut edges: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
        for (i, near) in found.into_iter().flatten().enumerate() {
            for (j, distance) in near {
                let mut weight = [distance];
                exponentials(&mut weight, -0.5 / (bandwidth * bandwidth));
                edges[i].push((j, weight[0]));
                edges[j].push((i, weight[0]));
            }
        }
        for list in &mut edges {
            list.sort_by_key(|(j, _)| *j);
            list.dedup_by_key(|(j, _)| *j);
        }
        Self { edges }
    }

    /// `Pᵀ L P` `(r, r)` for `columns` `P` `(n, r)` and the Laplacian `L`: the sum of `w_ij (p_i - p_j)(p_i - p_j)ᵀ`
    /// over the edges.
    pub fn roughness(&self, columns: &Matrix) -> Matrix {
        let (n, r) = columns.shape();
        let mut applied = Mat::zeros(n, r);
        for j in 0..r {
            let from = columns.col_as_slice(j);
            let to = applied.col_as_slice_mut(j);
            for (i, list) in self.edges.iter().enumerate() {
                to[i] = list.iter().map(|(k, weight)| weight * (from[i] - from[*k])).sum();
            }
        }
        multiply(columns.transpose(), applied.as_ref())
    }
}

/// The rows nearest to row `own` and their squared distances.
fn nearest_others(distances: &[f64], own: usize, neighbors: usize) -> Vec<(usize, f64)> {
    let mut sorted: Vec<f64> =
        distances.iter().enumerate().filter(|(i, _)| *i != own).map(|(_, d)| *d).collect();
    if sorted.is_empty() {
        return Vec::new();
    }
    let last = neighbors.min(sorted.len()) - 1;
    let bound = *sorted.select_nth_unstable_by(last, f64::total_cmp).1;
    (0..distances.len()).filter(|&i| i != own && distances[i] <= bound).map(|i| (i, distances[i])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Rows 0, 1, 3 on a line, one neighbour each: edges 0-1 and 1-3 with weights e^(-1/2) and e^(-2).
    #[test]
    fn a_line_by_hand() {
        let x = from_rows(&[vec![0.0], vec![1.0], vec![3.0]]);
        let graph = NeighborGraph::new(x.as_ref(), 1, 1.0);
        let rough = graph.roughness(&x)[(0, 0)];
        assert!((rough - ((-0.5f64).exp() + 4.0 * (-2.0f64).exp())).abs() < 1e-14, "{rough}");
    }

    #[test]
    fn ties_and_single_rows() {
        let square = from_rows(&[vec![0.0, 0.0], vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 1.0]]);
        let graph = NeighborGraph::new(square.as_ref(), 1, 1.0);
        assert!(graph.edges.iter().all(|list| list.len() == 2));
        assert!(NeighborGraph::new(from_rows(&[vec![1.0]]).as_ref(), 3, 1.0).edges[0].is_empty());
    }
}
