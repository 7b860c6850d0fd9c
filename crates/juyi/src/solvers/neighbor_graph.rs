//! The graph of rows and their nearest neighbours, for penalties on what varies between neighbours.

use faer::{Mat, MatRef};
use rayon::prelude::*;

use crate::linalg::{
    BLOCK, Matrix, exponentials, multiply, padded_rows, squared_distance_block, squared_norms,
};

/// Weights between rows of which one is among the other's nearest.
pub struct NeighborGraph {
    /// For each row its neighbours, rising, with their weights.
    edges: Vec<Vec<(usize, f64)>>,
}

impl NeighborGraph {
    /// The graph of `rows` `(n, d)` with the `neighbors` nearest of each row, and all that are as near as the last of
    /// them; weights are `exp(-|x_i - x_j|² / (2 bandwidth²))`.
    ///
    /// Cost: `O(n² d)` time, `O(n)` memory a thread and what the edges take.
    pub fn new(rows: MatRef<'_, f64>, neighbors: usize, bandwidth: f64) -> Self {
        Self::weighted(rows, neighbors, |_, _, distance| {
            let mut weight = [distance];
            exponentials(&mut weight, -0.5 / (bandwidth * bandwidth));
            weight[0]
        })
    }

    /// The same graph of rows at unit length (or 0) with their cosines as weights; no edge where it is not above 0.
    pub fn of_directions(rows: MatRef<'_, f64>, neighbors: usize) -> Self {
        let norms = squared_norms(rows);
        let mut graph =
            Self::weighted(rows, neighbors, |i, j, distance| 0.5 * (norms[i] + norms[j] - distance));
        graph.edges.iter_mut().for_each(|list| list.retain(|(_, cosine)| *cosine > 0.0));
        graph
    }

    /// The weight of rows `i` and `j` from the square of their distance.
    fn weighted(rows: MatRef<'_, f64>, neighbors: usize, weight: impl Fn(usize, usize, f64) -> f64) -> Self {
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
                let weight = weight(i, j, distance);
                edges[i].push((j, weight));
                edges[j].push((i, weight));
            }
        }
        for list in &mut edges {
            list.sort_by_key(|(j, _)| *j);
            list.dedup_by_key(|(j, _)| *j);
        }
        Self { edges }
    }

    /// `L x` for `x` `(n, c)` and the normalised Laplacian `L = I - D^(-1/2) W D^(-1/2)`, `D = diag(Σ_j w_ij)`; 0 at a
    /// row without edges.
    pub fn normalized_laplacian_times(&self, x: MatRef<'_, f64>) -> Matrix {
        let degrees: Vec<f64> =
            self.edges.iter().map(|list| list.iter().map(|(_, weight)| weight).sum()).collect();
        let columns: Vec<Vec<f64>> = (0..x.ncols())
            .into_par_iter()
            .map(|c| {
                let scaled: Vec<f64> = x.col(c).iter().zip(&degrees).map(|(v, d)| v / d.sqrt()).collect();
                let line = |(i, list): (usize, &Vec<(usize, f64)>)| {
                    let around: f64 = list.iter().map(|(j, weight)| weight * scaled[*j]).sum();
                    if list.is_empty() { 0.0 } else { x[(i, c)] - around / degrees[i].sqrt() }
                };
                self.edges.iter().enumerate().map(line).collect()
            })
            .collect();
        Mat::from_fn(x.nrows(), x.ncols(), |i, c| columns[c][i])
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

    /// Directions at 0°, 60° and 180°: 0 and 1 are joined by 1/2, and the third by nothing above 0.
    #[test]
    fn three_directions_by_hand() {
        let rows = from_rows(&[vec![1.0, 0.0], vec![0.5, 0.75f64.sqrt()], vec![-1.0, 0.0]]);
        let graph = NeighborGraph::of_directions(rows.as_ref(), 1);
        let said = graph.normalized_laplacian_times(from_rows(&[vec![3.0], vec![1.0], vec![5.0]]).as_ref());
        assert!((said - from_rows(&[vec![2.0], vec![-2.0], vec![0.0]])).norm_max() < 1e-14);
    }

    /// Angles 0°, 10° and 30° with one neighbour each: edges 0-1 and 1-2, not 0-2.
    #[test]
    fn the_normalised_laplacian_by_hand() {
        let at = |degrees: f64| vec![degrees.to_radians().cos(), degrees.to_radians().sin()];
        let rows = from_rows(&[at(0.0), at(10.0), at(30.0)]);
        let graph = NeighborGraph::of_directions(rows.as_ref(), 1);
        let l = graph.normalized_laplacian_times(Mat::identity(3, 3).as_ref());
        let (a, b) = (10f64.to_radians().cos(), 20f64.to_radians().cos());
        let expected = |weight: f64| -weight / (weight * (a + b)).sqrt();
        assert!((l[(0, 1)] - expected(a)).abs() < 1e-14 && (l[(2, 1)] - expected(b)).abs() < 1e-14);
        assert_eq!((l[(0, 2)], l[(0, 0)]), (0.0, 1.0));
    }
}
