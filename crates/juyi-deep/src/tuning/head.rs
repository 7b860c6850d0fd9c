//! A linear head on frozen features: a convex problem, solved by L-BFGS instead of being looped over.
//!
//! Over weights `W (d, c)` and biases `b (c)`, `C` being the inverse penalty,
//! ```text
//! Σ_i ( ln Σ_k exp f_ik - f_{i, y_i} ) + |W|² / (2 C),   f_i = x_i W + b
//! ```
//! on columns of mean 0 and deviation 1; the scale goes into the weights afterwards. The rows are rotated once, for all
//! folds and penalties, into the directions of their variance, of which there are no more than rows: that changes nothing
//! in the minimum, and with each direction scaled by its curvature few steps are needed. Penalties are tried from the
//! strongest to the weakest, each from where the one before ended. The best by cross-validation is taken; the answers of
//! the cross-validation are also what the head is judged by.
//!
//! Cost: `O(n d min(n, d))` once, `O(n c min(n, d))` a step of L-BFGS, some tens of steps for each penalty and fold.

use juyi::context::Context;
use juyi::data::Labels;
use juyi::error::Result;
use juyi::linalg::{Matrix, column_deviations, column_means, multiply, select_rows, symmetric_eigen};
use juyi::models::softmax_rows;
use juyi::solvers::{Options, minimize};
use juyi::splits::folds;
use rayon::prelude::*;

use super::inputs::{class_counts, different};
use super::selection::Selection;

/// Inverse penalties that are tried.
const PENALTIES: [f64; 6] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// A linear head.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// `(classes, width)`, row by row.
    pub(super) weights: Vec<f32>,
    /// One a class.
    pub(super) biases: Vec<f32>,
}

/// A head with what cross-validation says of it.
pub(super) struct Solved {
    pub(super) head: Head,
    /// The features that it takes, where it does not take all as they are.
    pub(super) selection: Option<Selection>,
    /// What else was chosen, by name.
    pub(super) searched: Vec<(&'static str, f64)>,
    /// Of the penalties, the inverse of the chosen one.
    pub(super) inverse_penalty: f64,
    /// Of each picture, by heads that did not see it: a probability a class.
    pub(super) aside: Matrix,
}

impl Solved {
    /// A probability for each class of each row of all features.
    pub(super) fn probabilities(&self, rows: &Matrix) -> Matrix {
        match &self.selection {
            Some(selection) => self.head.probabilities(&selection.rows(rows)),
            None => self.head.probabilities(rows),
        }
    }
}

/// Solves the problem for rows of features; without `inverse_penalty` the best by cross-validation.
pub(super) fn solve(
    rows: &Matrix,
    of: &[usize],
    classes: usize,
    folds: &[Vec<usize>],
    inverse_penalty: Option<f64>,
    context: &Context,
) -> Result<Solved> {
    let tried = inverse_penalty.map_or_else(|| PENALTIES.to_vec(), |own| vec![own]);
    context.require("the head on the features", 8 * held(rows, classes, folds.len(), tried.len()))?;
    context.progress("head", 0, 0);
    let rotated = Rotated::new(rows, Scaling::Deviation)?;
    // Of each fold, the probabilities by each penalty.
    let fold = |fold: &Vec<usize>| {
        let train: Vec<usize> = (0..of.len()).filter(|i| fold.binary_search(i).is_err()).collect();
        let own: Vec<usize> = train.iter().map(|&i| of[i]).collect();
        let (train, rest) =
            (select_rows(rotated.rows.as_ref(), &train), select_rows(rotated.rows.as_ref(), fold));
        let path = path(&rotated, &train, &own, classes, &tried);
        path.iter().map(|point| probabilities(&rest, point)).collect::<Vec<Matrix>>()
    };
    let found: Vec<Vec<Matrix>> = folds.par_iter().map(fold).collect();
    let (best, aside) = best_aside(&found, folds, of, classes);
    let point = path(&rotated, &rotated.rows, of, classes, &tried[..=best]).pop();
    let head = rotated.head(&point.unwrap_or_else(|| Matrix::zeros(rotated.rows.ncols() + 1, classes)));
    Ok(Solved { head, selection: None, searched: Vec::new(), inverse_penalty: tried[best], aside })
}

/// Of settings that were cross-validated the one with the least log loss, and its probabilities of all rows, each by the
/// fold that did not see it: `found[fold][setting]` are those of a fold's rows.
pub(super) fn best_aside(
    found: &[Vec<Matrix>],
    folds: &[Vec<usize>],
    of: &[usize],
    classes: usize,
) -> (usize, Matrix) {
    let aside = |k: usize| {
        let mut all = Matrix::zeros(of.len(), classes);
        for (fold, shares) in folds.iter().zip(found) {
            for (row, &i) in fold.iter().enumerate() {
                (0..classes).for_each(|c| all[(i, c)] = shares[k][(row, c)]);
            }
        }
        all
    };
    let loss = |shares: &Matrix| -> f64 {
        of.iter().enumerate().map(|(i, &c)| -shares[(i, c)].max(1e-12).ln()).sum()
    };
    let settings = found.first().map_or(0, Vec::len);
    let losses: Vec<f64> = (0..settings).map(|k| loss(&aside(k))).collect();
    let best = (0..settings).fold(0, |best, k| if losses[k] < losses[best] { k } else { best });
    (best, aside(best))
}

/// Numbers that solving the problem holds beside the rows: the rows rotated and what tells the directions, then what each
/// fold has of them, and of the head a few tens of copies that L-BFGS remembers.
pub(super) fn held(rows: &Matrix, classes: usize, folds: usize, penalties: usize) -> u64 {
    let [n, d, classes] = [rows.nrows(), rows.ncols(), classes].map(|size| size as u64);
    let [folds, penalties] = [folds, penalties].map(|count| count as u64);
    let r = n.min(d);
    let head = (r + 1).saturating_mul(classes);
    let fold = n * r + head.saturating_mul(30 + penalties) + 3 * n.saturating_mul(classes);
    let parts = [n * d, 4 * r * r, 2 * d * r, n * r, fold.saturating_mul(folds + 1), penalties * n * classes];
    parts.into_iter().fold(0, u64::saturating_add)
}

/// What columns are divided by before the problem is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scaling {
    /// Their deviations.
    Deviation,
    /// Nothing: their scales count.
    Kept,
}

/// Rows in the directions of their variance.
pub(super) struct Rotated {
    /// `(n, r)`.
    pub(super) rows: Matrix,
    /// The directions `(d, r)`.
    directions: Matrix,
    /// The sum of squares along each.
    squares: Vec<f64>,
    means: Vec<f64>,
    /// What columns are multiplied by.
    scales: Vec<f64>,
    /// The largest derivative that counts as 0, for one row.
    tolerance: f64,
}

impl Rotated {
    pub(super) fn new(rows: &Matrix, scaling: Scaling) -> Result<Self> {
        let (n, d) = (rows.nrows(), rows.ncols());
        // Weak penalties leave weights whose derivatives are small far from the minimum.
        let ((means, scales), tolerance) = match scaling {
            Scaling::Deviation => (means_and_scales(rows), 1e-6),
            Scaling::Kept => ((column_means(rows.as_ref()), vec![1.0; d]), 1e-8),
        };
        let scaled = Matrix::from_fn(n, d, |i, j| (rows[(i, j)] - means[j]) * scales[j]);
        let wide = n < d;
        let squares = if wide {
            multiply(scaled.as_ref(), scaled.transpose())
        } else {
            multiply(scaled.transpose(), scaled.as_ref())
        };
        let (values, vectors) = symmetric_eigen(squares.as_ref())?;
        // Directions without variance say nothing.
        let largest = values.first().copied().unwrap_or(0.0);
        let count = values.iter().take_while(|v| **v > 1e-10 * largest).count().max(1);
        let vectors = vectors.get(.., ..count);
        let directions = if wide {
            let along = multiply(scaled.transpose(), vectors);
            Matrix::from_fn(d, count, |j, k| along[(j, k)] / values[k].max(f64::MIN_POSITIVE).sqrt())
        } else {
            vectors.to_owned()
        };
        let rows = multiply(scaled.as_ref(), directions.as_ref());
        Ok(Self { rows, directions, squares: values[..count].to_vec(), means, scales, tolerance })
    }

    /// The head for rows as they came; `point` are the weights along the directions, then the biases.
    fn head(&self, point: &Matrix) -> Head {
        let (classes, r) = (point.ncols(), self.directions.ncols());
        let weights = multiply(self.directions.as_ref(), point.get(..r, ..));
        let weight = |c: usize, j: usize| weights[(j, c)] * self.scales[j];
        let shift = |c: usize| (0..self.means.len()).map(|j| weight(c, j) * self.means[j]).sum::<f64>();
        Head {
            weights: (0..classes)
                .flat_map(|c| (0..self.means.len()).map(move |j| (c, j)))
                .map(|(c, j)| weight(c, j) as f32)
                .collect(),
            biases: (0..classes).map(|c| (point[(r, c)] - shift(c)) as f32).collect(),
        }
    }
}

/// The mean of each column, and 1 over its deviation; 0 for a column that does not vary.
pub(super) fn means_and_scales(rows: &Matrix) -> (Vec<f64>, Vec<f64>) {
    let means = column_means(rows.as_ref());
    let deviations = column_deviations(rows.as_ref(), &means).into_iter();
    let scales = deviations.map(|deviation| if deviation > 1e-9 { 1.0 / deviation } else { 0.0 }).collect();
    (means, scales)
}

/// The minima for falling penalties over rows in the directions of `own`: weights `(r, c)`, below them the biases.
pub(super) fn path(
    own: &Rotated,
    rows: &Matrix,
    of: &[usize],
    classes: usize,
    inverse: &[f64],
) -> Vec<Matrix> {
    let squares = &own.squares;
    let (n, r) = (rows.nrows(), rows.ncols());
    let uneven = class_counts(of, classes)
        .into_iter()
        .map(|count| count as f64 / n as f64)
        .map(|s| s * (1.0 - s))
        .sum::<f64>();
    let curvature = (uneven / classes as f64).max(1e-3);
    let mut here = Matrix::zeros(r + 1, classes);
    inverse
        .iter()
        .map(|&c| {
            // Each direction in units in which the curvature is about 1.
            let unit = |j: usize| match squares.get(j) {
                Some(square) => (curvature * square + 1.0 / c).sqrt().recip(),
                None => (curvature * n as f64).sqrt().recip(),
            };
            let units: Vec<f64> = (0..=r).map(unit).collect();
            let objective = |point: &[f64], gradient: &mut [f64]| {
                let own = Matrix::from_fn(r + 1, classes, |j, k| point[k * (r + 1) + j] * units[j]);
                let (mut value, slopes) = cross_entropy(rows, of, &own);
                for k in 0..classes {
                    for j in 0..=r {
                        let weight = if j < r { own[(j, k)] } else { 0.0 };
                        value += 0.5 * weight * weight / c;
                        gradient[k * (r + 1) + j] = (slopes[(j, k)] + weight / c) * units[j];
                    }
                }
                value
            };
            let start = (0..classes).flat_map(|k| (0..=r).map(move |j| (j, k)));
            let start = start.map(|(j, k)| here[(j, k)] / units[j]).collect();
            let options = Options { tolerance: own.tolerance * (n as f64).sqrt(), iterations: 500 };
            let found = minimize(start, objective, options).point;
            here = Matrix::from_fn(r + 1, classes, |j, k| found[k * (r + 1) + j] * units[j]);
            here.clone()
        })
        .collect()
}

/// The sum of the losses, and the derivatives by weights and, below them, biases.
pub(super) fn cross_entropy(rows: &Matrix, of: &[usize], point: &Matrix) -> (f64, Matrix) {
    let (r, classes) = (rows.ncols(), point.ncols());
    let mut scores = probabilities(rows, point);
    let mut value = 0.0;
    for (i, &class) in of.iter().enumerate() {
        value -= scores[(i, class)].max(1e-300).ln();
        scores[(i, class)] -= 1.0;
    }
    let slopes = multiply(rows.transpose(), scores.as_ref());
    let below = |c: usize| scores.col(c).iter().sum::<f64>();
    let sums: Vec<f64> = (0..classes).map(below).collect();
    (value, Matrix::from_fn(r + 1, classes, |j, c| if j < r { slopes[(j, c)] } else { sums[c] }))
}

/// A probability for each class of each row, by weights and, below them, biases.
pub(super) fn probabilities(rows: &Matrix, point: &Matrix) -> Matrix {
    let r = rows.ncols();
    let mut scores = multiply(rows.as_ref(), point.get(..r, ..));
    for c in 0..point.ncols() {
        scores.col_as_slice_mut(c).iter_mut().for_each(|s| *s += point[(r, c)]);
    }
    softmax_rows(&mut scores);
    scores
}

/// Folds with each class spread evenly: five, or as many as the smallest class has different pictures. Copies of one
/// picture, which share a leader, stay in one fold.
pub(super) fn stratified(
    of: &[usize],
    leaders: &[usize],
    classes: usize,
    context: &Context,
) -> Vec<Vec<usize>> {
    let least = class_counts(&different(of, leaders), classes).into_iter().min().unwrap_or(0);
    folds(&Labels::Classes(of.to_vec()), leaders, least.clamp(2, 5), &mut context.rng("folds"))
}

impl Head {
    /// Fits a head for each of some inverse penalties, which rise.
    pub(super) fn fit(
        rows: &Matrix,
        of: &[usize],
        classes: usize,
        inverse_penalties: &[f64],
        scaling: Scaling,
    ) -> Result<Vec<Self>> {
        let rotated = Rotated::new(rows, scaling)?;
        let points = path(&rotated, &rotated.rows, of, classes, inverse_penalties);
        Ok(points.iter().map(|point| rotated.head(point)).collect())
    }

    /// A probability for each class of each row.
    pub(super) fn probabilities(&self, rows: &Matrix) -> Matrix {
        let (classes, width) = (self.biases.len(), self.weights.len() / self.biases.len());
        let number = |j: usize, c: usize| {
            f64::from(if j < width { self.weights[c * width + j] } else { self.biases[c] })
        };
        probabilities(rows, &Matrix::from_fn(width + 1, classes, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes around three corners, one column that does not vary.
    #[test]
    fn corners_are_told_apart_and_a_still_column_is_no_trouble() {
        let of: Vec<usize> = (0..60).map(|i| i % 3).collect();
        let corner = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]];
        let jitter = |i: usize, j: usize| ((7 * i + 3 * j) % 11) as f64 / 11.0;
        let value = |i: usize, j: usize| if j == 2 { 5.0 } else { corner[of[i]][j] + jitter(i, j) };
        let rows = Matrix::from_fn(60, 3, value);
        let context = Context::default();
        let folds = stratified(&of, &(0..60).collect::<Vec<_>>(), 3, &context);
        assert_eq!(folds.iter().map(Vec::len).collect::<Vec<_>>(), [12; 5]);
        let solved = solve(&rows, &of, 3, &folds, None, &context).unwrap();
        let right = |p: &Matrix| (0..60).filter(|&i| (0..3).all(|c| p[(i, c)] <= p[(i, of[i])])).count();
        assert_eq!((right(&solved.aside), right(&solved.head.probabilities(&rows))), (60, 60));
        assert_eq!(solved.head.weights[2], 0.0);
        // More penalty, smaller weights.
        let norm = |c: f64| {
            let head = &Head::fit(&rows, &of, 3, &[c], Scaling::Deviation).unwrap()[0];
            head.weights.iter().map(|w| w * w).sum::<f32>()
        };
        assert!(norm(1e-3) < norm(1.0));
        // The same minimum as the logistic regression of the library, on columns scaled alike.
        let (means, scales) = means_and_scales(&rows);
        let scaled = Matrix::from_fn(60, 3, |i, j| (rows[(i, j)] - means[j]) * scales[j]);
        let labels = Labels::Classes(of.clone());
        let learner = juyi::learners::Logistic { inverse_penalty: 0.1 };
        let fit = juyi::learners::Learner::fit(
            &learner,
            scaled.as_ref(),
            &labels,
            &[1.0; 60],
            3,
            &mut Context::default(),
        );
        let theirs = juyi::models::predict(&[], &fit.unwrap(), scaled.as_ref()).scores.unwrap();
        let ours = Head::fit(&rows, &of, 3, &[0.1], Scaling::Deviation).unwrap()[0].probabilities(&rows);
        for (i, c) in (0..60).flat_map(|i| (0..3).map(move |c| (i, c))) {
            assert!((ours[(i, c)] - theirs[(i, c)]).abs() < 1e-5);
        }
    }
}
