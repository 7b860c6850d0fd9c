//! `Head2Toe`: a linear head on those features of all stages that are useful for the new classes.
//!
//! Paper: U. Evci, V. Dumoulin, H. Larochelle and M. C. Mozer, "`Head2Toe`: utilizing intermediate representations for better
//! transfer learning", ICML 2022, section 3 and equation (3). All stages' outputs, averaged over the parts of a coarse
//! grid, are one long row. A linear head with a group lasso, a group a feature,
//! ```text
//! mean cross-entropy + λ Σ_j |W_j|,   W_j the weights of feature j for all classes
//! ```
//! tells which matter: those with the largest `|W_j|` stay, and the head is learnt anew on them.
//!
//! Where we differ: the lasso is smoothed, `√(|W_j|² + ε²)`, so that L-BFGS minimises it; the paper takes gradient
//! steps. The share that stays is chosen by cross-validation among [`SHARES`], and the choice of features is made
//! within each fold.
//!
//! Cost: `O(n d c)` a step, `d` being some ten thousand; `24 n d + 240 d c` bytes.

use juyi::context::Context;
use juyi::error::Result;
use juyi::linalg::{Matrix, select_rows};
use juyi::solvers::{Options, minimize};

use super::head::{Head, Solved, cross_entropy, means_and_scales};

/// Shares of the features that may stay.
const SHARES: [f64; 4] = [0.01, 0.03, 0.1, 0.3];
/// λ.
const LASSO: f64 = 1e-3;
/// ε.
const SMOOTH: f64 = 1e-4;
/// Steps of the lasso; the order of the features is settled long before the minimum.
const STEPS: usize = 60;
/// Inverse penalties of the head.
const PENALTIES: [f64; 3] = [1e-4, 1e-3, 1e-2];

/// Selects features and solves the head; weights of the others are 0.
pub(super) fn solve(
    rows: &Matrix,
    of: &[usize],
    classes: usize,
    folds: &[Vec<usize>],
    context: &Context,
) -> Result<Solved> {
    let [n, d, c] = [rows.nrows(), rows.ncols(), classes].map(|size| size as u64);
    let parts = [3 * n * d, 4 * n * n, (30 * (d + 1)).saturating_mul(c), 3 * n * c];
    let held = parts.into_iter().fold(0, u64::saturating_add).saturating_mul(8);
    context.require("the features of all stages, ranked,", held)?;
    let all: Vec<usize> = (0..of.len()).collect();
    let ranked = |train: &[usize]| {
        let own: Vec<usize> = train.iter().map(|&i| of[i]).collect();
        ranking(&select_rows(rows.as_ref(), train), &own, classes)
    };
    let orders: Vec<Vec<usize>> = folds
        .iter()
        .enumerate()
        .map(|(k, fold)| {
            context.progress("useful features", k, folds.len());
            ranked(&all.iter().copied().filter(|i| fold.binary_search(i).is_err()).collect::<Vec<_>>())
        })
        .collect();
    let mut best: Option<(f64, f64, f64, Matrix)> = None;
    for (s, share) in SHARES.into_iter().enumerate() {
        context.progress("head", s, SHARES.len());
        let count = kept(share, rows.ncols());
        for penalty in PENALTIES {
            let mut order = orders.iter();
            let fit = |train: &[usize], fold: &[usize]| {
                let own: Vec<usize> = train.iter().map(|&i| of[i]).collect();
                let columns = &order.next().map_or(&[][..], Vec::as_slice)[..count];
                let part = |which: &[usize]| {
                    Matrix::from_fn(which.len(), count, |i, j| rows[(which[i], columns[j])])
                };
                Ok(Head::fit(&part(train), &own, classes, penalty)?.probabilities(&part(fold)))
            };
            let aside = out_of_fold(folds, of.len(), classes, fit)?;
            let loss: f64 = of.iter().enumerate().map(|(i, &c)| -aside[(i, c)].max(1e-12).ln()).sum();
            if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                best = Some((loss, share, penalty, aside));
            }
        }
    }
    let (_, share, inverse_penalty, aside) =
        best.unwrap_or_else(|| (0.0, 1.0, 1.0, Matrix::zeros(of.len(), classes)));
    let columns = &ranked(&all)[..kept(share, rows.ncols())];
    let part = Matrix::from_fn(of.len(), columns.len(), |i, j| rows[(i, columns[j])]);
    let narrow = Head::fit(&part, of, classes, inverse_penalty)?;
    let mut weights = vec![0.0; classes * rows.ncols()];
    for (class, own) in narrow.weights.chunks_exact(columns.len()).enumerate() {
        for (column, weight) in columns.iter().zip(own) {
            weights[class * rows.ncols() + column] = *weight;
        }
    }
    Ok(Solved { head: Head { weights, biases: narrow.biases }, inverse_penalty, aside })
}

/// Probabilities of each picture by what is fitted without its fold: `fit(train, fold)`.
fn out_of_fold(
    folds: &[Vec<usize>],
    count: usize,
    classes: usize,
    mut fit: impl FnMut(&[usize], &[usize]) -> Result<Matrix>,
) -> Result<Matrix> {
    let mut aside = Matrix::zeros(count, classes);
    for fold in folds.iter().filter(|fold| !fold.is_empty()) {
        let train: Vec<usize> = (0..count).filter(|i| fold.binary_search(i).is_err()).collect();
        let found = fit(&train, fold)?;
        for (row, &i) in fold.iter().enumerate() {
            (0..classes).for_each(|c| aside[(i, c)] = found[(row, c)]);
        }
    }
    Ok(aside)
}

fn kept(share: f64, columns: usize) -> usize {
    ((share * columns as f64) as usize).clamp(1, columns)
}

/// The features, the most useful first.
fn ranking(rows: &Matrix, of: &[usize], classes: usize) -> Vec<usize> {
    let (n, d) = (rows.nrows(), rows.ncols());
    let (means, scales) = means_and_scales(rows);
    let scaled = Matrix::from_fn(n, d, |i, j| (rows[(i, j)] - means[j]) * scales[j]);
    // Weights and, below them, the bias of one class after another.
    let objective = |point: &[f64], gradient: &mut [f64]| {
        let own = Matrix::from_fn(d + 1, classes, |j, c| point[c * (d + 1) + j]);
        let (value, slopes) = cross_entropy(&scaled, of, &own);
        let mut value = value / n as f64;
        for j in 0..=d {
            let square: f64 = (0..classes).map(|c| own[(j, c)].powi(2)).sum();
            let length = (square + SMOOTH * SMOOTH).sqrt();
            let lasso = if j < d { LASSO } else { 0.0 };
            value += lasso * length;
            for c in 0..classes {
                gradient[c * (d + 1) + j] = slopes[(j, c)] / n as f64 + lasso * own[(j, c)] / length;
            }
        }
        value
    };
    let options = Options { tolerance: 1e-6, iterations: STEPS };
    let found = minimize(vec![0.0; classes * (d + 1)], objective, options).point;
    let use_of = |j: usize| (0..classes).map(|c| found[c * (d + 1) + j].powi(2)).sum::<f64>();
    let uses: Vec<f64> = (0..d).map(use_of).collect();
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|&a, &b| uses[b].total_cmp(&uses[a]).then(a.cmp(&b)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_tell_classes_apart_come_first() {
        let of: Vec<usize> = (0..40).map(|i| i % 2).collect();
        let noise = |i: usize, j: usize| ((31 * i + 17 * j + i * j) % 23) as f64 / 23.0;
        let value = |i: usize, j: usize| {
            noise(i, j)
                + if j == 5 {
                    2.0 * of[i] as f64
                } else if j == 9 {
                    -(of[i] as f64)
                } else {
                    0.0
                }
        };
        let rows = Matrix::from_fn(40, 12, value);
        let order = ranking(&rows, &of, 2);
        assert_eq!(order[0], 5);
        assert_eq!(order[1], 9, "{order:?}");
    }
}
