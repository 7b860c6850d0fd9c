//! Weighted k-means: centres near which rows of weight lie (Lloyd), first drawn far from each other (k-means++).

use faer::MatRef;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::linalg::{Matrix, nearest, select_rows};

/// Passes over the rows at most.
const PASSES: usize = 30;

/// Centres of rows `(n, d)` that weigh as `weights`, none negative and some above 0: `(k, d)`, fewer where fewer rows differ.
pub fn k_means(rows: MatRef<'_, f64>, weights: &[f64], k: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut centres = first_centres(rows, weights, k, rng);
    for _ in 0..PASSES {
        let (one, k) = (vec![0; centres.nrows()], centres.nrows());
        let of: Vec<usize> = nearest(rows, centres.as_ref(), &one, 1)
            .iter()
            .map(|found| found[0].as_ref().map_or(0, |found| found.row))
            .collect();
        let (mut sums, mut totals) = (Matrix::zeros(k, rows.ncols()), vec![0.0; k]);
        for (i, &centre) in of.iter().enumerate() {
            totals[centre] += weights[i];
            for j in 0..rows.ncols() {
                sums[(centre, j)] += weights[i] * rows[(i, j)];
            }
        }
        let moved = Matrix::from_fn(k, rows.ncols(), |c, j| {
            if totals[c] > 0.0 { sums[(c, j)] / totals[c] } else { centres[(c, j)] }
        });
        if moved == centres {
            break;
        }
        centres = moved;
    }
    centres
}

/// Rows drawn by their weight times the squared distance to those that were drawn before.
fn first_centres(rows: MatRef<'_, f64>, weights: &[f64], k: usize, rng: &mut ChaCha8Rng) -> Matrix {
    let mut chances = weights.to_vec();
    let mut apart = vec![f64::INFINITY; rows.nrows()];
    let mut drawn = Vec::new();
    while drawn.len() < k {
        let total: f64 = chances.iter().sum();
        if total <= 0.0 {
            break;
        }
        let mut at = rng.random::<f64>() * total;
        let past = |chance: &f64| {
            at -= chance;
            at < 0.0
        };
        let one = chances.iter().position(past).unwrap_or(chances.len() - 1);
        drawn.push(one);
        let centre = select_rows(rows, &[one]);
        for (i, found) in nearest(rows, centre.as_ref(), &[0], 1).iter().enumerate() {
            let distance = found[0].as_ref().map_or(0.0, |found| found.squared_distance);
            apart[i] = if i == one { 0.0 } else { apart[i].min(distance) };
            chances[i] = weights[i] * apart[i];
        }
    }
    select_rows(rows, &drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::linalg::from_rows;

    #[test]
    fn centres_are_the_weighted_means_of_clumps() {
        let rows = from_rows(&[vec![0.0], vec![1.0], vec![10.0], vec![12.0], vec![12.0]]);
        let mut rng = Context::default().rng("k-means");
        let centres = k_means(rows.as_ref(), &[1.0, 3.0, 1.0, 1.0, 0.0], 2, &mut rng);
        let mut found: Vec<f64> = (0..2).map(|c| centres[(c, 0)]).collect();
        found.sort_by(f64::total_cmp);
        assert_eq!(found, [0.75, 11.0]);
        assert_eq!(k_means(rows.as_ref(), &[1.0, 1.0, 0.0, 0.0, 0.0], 5, &mut rng).nrows(), 2);
    }
}
