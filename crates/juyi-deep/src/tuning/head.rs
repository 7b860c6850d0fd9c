//! A linear head on frozen features: a convex problem, solved by L-BFGS instead of being looped over.
//!
//! Cross-entropy with a penalty on the weights, on columns of mean 0 and deviation 1; the scale goes into the weights
//! afterwards. The penalty is chosen by cross-validation, the answers of which are also what the head is judged by.
//!
//! Cost: `O(n d c)` a step of L-BFGS, some tens of steps for each penalty and fold.

use juyi::choice::folds;
use juyi::context::Context;
use juyi::data::Labels;
use juyi::error::Result;
use juyi::learners::{Learner, Logistic};
use juyi::linalg::{Matrix, column_deviations, column_means, select_rows};
use juyi::models::{Answers, Predictor, predict};

/// Inverse penalties that are tried.
pub(super) const PENALTIES: [f64; 6] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];

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
    /// Of the penalties, the inverse of the chosen one.
    pub(super) inverse_penalty: f64,
    /// Of each picture, by heads that did not see it: a probability a class.
    pub(super) aside: Matrix,
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
    let mut best: Option<(f64, f64, Matrix)> = None;
    for (k, &penalty) in tried.iter().enumerate() {
        context.progress("head", k, tried.len());
        let fit = |train: &[usize], fold: &[usize]| {
            let own: Vec<usize> = train.iter().map(|&i| of[i]).collect();
            let head = Head::fit(&select_rows(rows.as_ref(), train), &own, classes, penalty, context)?;
            Ok(head.probabilities(&select_rows(rows.as_ref(), fold)))
        };
        let aside = out_of_fold(folds, of.len(), classes, fit)?;
        let loss: f64 = of.iter().enumerate().map(|(i, &c)| -aside[(i, c)].max(1e-12).ln()).sum();
        if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
            best = Some((loss, penalty, aside));
        }
    }
    let (_, inverse_penalty, aside) = best.unwrap_or_else(|| (0.0, 1.0, Matrix::zeros(of.len(), classes)));
    let head = Head::fit(rows, of, classes, inverse_penalty, context)?;
    Ok(Solved { head, inverse_penalty, aside })
}

/// Probabilities of each picture by what is fitted without its fold: `fit(train, fold)`.
pub(super) fn out_of_fold(
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

/// Folds with each class spread evenly: five, or as many as the smallest class has pictures.
pub(super) fn stratified(of: &[usize], classes: usize, context: &Context) -> Vec<Vec<usize>> {
    let mut counts = vec![0usize; classes];
    of.iter().for_each(|&c| counts[c] += 1);
    let count = counts.into_iter().min().unwrap_or(0).clamp(2, 5);
    folds(&Labels::Classes(of.to_vec()), count, &mut context.rng("folds"))
}

impl Head {
    /// Fits one head with this inverse penalty.
    pub(super) fn fit(
        rows: &Matrix,
        of: &[usize],
        classes: usize,
        inverse_penalty: f64,
        context: &Context,
    ) -> Result<Self> {
        let means = column_means(rows.as_ref());
        // A column that does not vary says nothing.
        let scales: Vec<f64> = column_deviations(rows.as_ref(), &means)
            .into_iter()
            .map(|deviation| if deviation > 1e-9 { 1.0 / deviation } else { 0.0 })
            .collect();
        let (n, d) = (rows.nrows(), rows.ncols());
        let scaled = Matrix::from_fn(n, d, |i, j| (rows[(i, j)] - means[j]) * scales[j]);
        let labels = Labels::Classes(of.to_vec());
        let learner = Logistic { inverse_penalty };
        let fit = learner.fit(scaled.as_ref(), &labels, &vec![1.0; n], classes, &mut context.aside())?;
        let Predictor::Linear { weights, bias, .. } = fit else {
            unreachable!("a logistic regression is linear")
        };
        let weight = |c: usize, j: usize| weights[(j, c)] * scales[j];
        let bias = |c: usize| bias[(0, c)] - (0..d).map(|j| weight(c, j) * means[j]).sum::<f64>();
        Ok(Self {
            weights: (0..classes).flat_map(|c| (0..d).map(move |j| weight(c, j) as f32)).collect(),
            biases: (0..classes).map(|c| bias(c) as f32).collect(),
        })
    }

    /// A probability for each class of each row.
    pub(super) fn probabilities(&self, rows: &Matrix) -> Matrix {
        let Answers { scores, .. } = predict(&[], &self.predictor(), rows.as_ref());
        scores.unwrap_or_else(|| Matrix::full(rows.nrows(), 1, 1.0))
    }

    fn predictor(&self) -> Predictor {
        let (classes, width) = (self.biases.len(), self.weights.len() / self.biases.len());
        Predictor::Linear {
            link: juyi::models::Link::Softmax,
            weights: Matrix::from_fn(width, classes, |j, c| f64::from(self.weights[c * width + j])),
            bias: Matrix::from_fn(1, classes, |_, c| f64::from(self.biases[c])),
        }
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
        let folds = stratified(&of, 3, &context);
        assert_eq!(folds.iter().map(Vec::len).collect::<Vec<_>>(), [12; 5]);
        let solved = solve(&rows, &of, 3, &folds, None, &context).unwrap();
        let right = |p: &Matrix| (0..60).filter(|&i| (0..3).all(|c| p[(i, c)] <= p[(i, of[i])])).count();
        assert_eq!((right(&solved.aside), right(&solved.head.probabilities(&rows))), (60, 60));
        assert_eq!(solved.head.weights[2], 0.0);
        // More penalty, smaller weights.
        let norm = |c: f64| {
            let head = Head::fit(&rows, &of, 3, c, &context).unwrap();
            head.weights.iter().map(|w| w * w).sum::<f32>()
        };
        assert!(norm(1e-3) < norm(1.0));
    }
}
