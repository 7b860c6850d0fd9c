//! `Head2Toe`: a linear head on those features of all stages that are useful for the new classes.
//!
//! Paper: U. Evci, V. Dumoulin, H. Larochelle and M. C. Mozer, "`Head2Toe`: utilizing intermediate representations for better
//! transfer learning", ICML 2022, section 3, with the authors' program for what the paper leaves open. What leaves each
//! stage is averaged over windows side by side, so that about [`TARGET`] numbers are left of it, and brought to length 1
//! picture by picture; the stages together are one long row. A linear head with a group lasso, a group a feature,
//! ```text
//! mean cross-entropy + λ Σ_j |W_j|,   W_j the weights of feature j for all classes
//! ```
//! tells which matter: the share `F` of the features with the largest `|W_j|` stays. What stays of each stage is brought
//! to length 1 again, and the head is learnt anew on it. `λ` and `F` are chosen by cross-validation, as in the paper.
//!
//! Where we differ: the group lasso is brought to its minimum instead of taking a number of Adam's steps, so that most
//! `|W_j|` are 0; those come in the order of their slopes, which is that in which they would enter. The last
//! head has a penalty, chosen along with `λ` and `F`, where the paper's has a number of steps. Features are taken where stages end, not from every layer inside them, and the target size is not searched.
//! The choice of features is made within each fold.
//!
//! Cost: that of `group_lasso` for each `λ` and fold, and a head for each `λ`, `F`, penalty and fold; `40 n d` bytes a fold.

use juyi::context::Context;
use juyi::error::Result;
use juyi::linalg::{Matrix, select_rows};
use rayon::prelude::*;

use super::group_lasso::{GroupLasso, group_lasso};
use super::head::{Head, Scaling, Solved, best_aside};
use super::selection::Selection;

/// Numbers that are left of a stage, about.
pub(super) const TARGET: usize = 512;
/// `λ`, falling.
const LAMBDAS: [f64; 3] = [1e-3, 1e-4, 1e-5];
/// `F`.
const SHARES: [f64; 9] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
/// Inverse penalties of the head, on parts of length 1.
const PENALTIES: [f64; 5] = [0.1, 1.0, 10.0, 100.0, 1000.0];

/// Selects features and solves the head. `widths` tells how many features each stage has; without `inverse_penalty` the
/// best is chosen, too.
pub(super) fn solve(
    rows: &Matrix,
    widths: &[usize],
    of: &[usize],
    classes: usize,
    folds: &[Vec<usize>],
    inverse_penalty: Option<f64>,
    context: &Context,
) -> Result<Solved> {
    let penalties = inverse_penalty.map_or_else(|| PENALTIES.to_vec(), |own| vec![own]);
    let each = penalties.len();
    context.require("the features of all stages, ranked,", 8 * held(rows, classes, folds.len(), each))?;
    context.progress("useful features", 0, 0);
    // Of each fold, the probabilities by each share, λ and penalty.
    let fold = |fold: &Vec<usize>| -> Result<Vec<Matrix>> {
        let train: Vec<usize> = (0..of.len()).filter(|i| fold.binary_search(i).is_err()).collect();
        let own: Vec<usize> = train.iter().map(|&i| of[i]).collect();
        let (train, rest) = (select_rows(rows.as_ref(), &train), select_rows(rows.as_ref(), fold));
        let orders = orders(&train, widths, &own, classes, &LAMBDAS);
        let mut found = Vec::new();
        for (share, order) in SHARES.iter().flat_map(|share| orders.iter().map(move |order| (share, order))) {
            let selection = Selection::first(order, *share, widths);
            let heads = Head::fit(&selection.rows(&train), &own, classes, &penalties, Scaling::Kept)?;
            let rest = selection.rows(&rest);
            found.extend(heads.iter().map(|head| head.probabilities(&rest)));
        }
        Ok(found)
    };
    let found: Vec<Vec<Matrix>> = folds.par_iter().map(fold).collect::<Result<_>>()?;
    let (best, aside) = best_aside(&found, folds, of, classes);
    let (share, lambda, penalty) = (best / each / LAMBDAS.len(), best / each % LAMBDAS.len(), best % each);
    let order = orders(rows, widths, of, classes, &LAMBDAS[..=lambda]).pop().unwrap_or_default();
    let selection = Selection::first(&order, SHARES[share], widths);
    let head = Head::fit(&selection.rows(rows), of, classes, &penalties[..=penalty], Scaling::Kept)?.pop();
    Ok(Solved {
        head: head.unwrap_or_else(|| Head { weights: Vec::new(), biases: vec![0.0; classes] }),
        selection: Some(selection),
        searched: vec![("lambda", LAMBDAS[lambda]), ("share", SHARES[share])],
        inverse_penalty: penalties[penalty],
        aside,
    })
}

/// Numbers that it holds beside the rows: of each fold the rows, their parts of length 1, the same centred, what is
/// selected of them and its directions, slopes by all features; and the probabilities that are compared.
fn held(rows: &Matrix, classes: usize, folds: usize, penalties: usize) -> u64 {
    let [n, d, classes, folds] = [rows.nrows(), rows.ncols(), classes, folds].map(|size| size as u64);
    let tried = (SHARES.len() * LAMBDAS.len() * penalties) as u64;
    let fold = [5 * n * d, 5 * n * n, (30 * n + 3 * d).saturating_mul(classes)];
    let fold = fold.into_iter().fold(0, u64::saturating_add);
    fold.saturating_mul(folds + 1).saturating_add((tried * n).saturating_mul(classes))
}

/// The features for each `λ`, the most useful first.
fn orders(rows: &Matrix, widths: &[usize], of: &[usize], classes: usize, lambdas: &[f64]) -> Vec<Vec<usize>> {
    let found = group_lasso(&Selection::all(widths).rows(rows), of, classes, lambdas);
    found.iter().map(order).collect()
}

/// By the length of the weights; those without, by the length of their slope.
fn order(found: &GroupLasso) -> Vec<usize> {
    let GroupLasso { lengths, slopes } = found;
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by(|&a, &b| {
        let slopes = slopes[b].total_cmp(&slopes[a]).then(a.cmp(&b));
        lengths[b].total_cmp(&lengths[a]).then(slopes)
    });
    order
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::extents::Extent;
    use crate::forward::Activation;
    use burn::tensor::Device;

    #[derive(Deserialize)]
    struct Golden {
        target: usize,
        stages: Vec<Numbers>,
        hypercolumns: Numbers,
        pooled: Numbers,
        widths: Vec<usize>,
        rows: Numbers,
        classes: Vec<usize>,
        lambda: f64,
        lengths: Numbers,
        order: Vec<usize>,
        share: f64,
        columns: Vec<usize>,
        chosen: Numbers,
        inverse_penalty: f64,
        weights: Numbers,
        logits: Numbers,
        standard_penalty: f64,
        standard_weights: Numbers,
        standard_logits: Numbers,
    }

    #[derive(Deserialize)]
    struct Numbers {
        shape: Vec<usize>,
        values: Vec<f64>,
    }

    impl Numbers {
        fn matrix(&self) -> Matrix {
            Matrix::from_fn(self.shape[0], self.shape[1], |i, j| self.values[i * self.shape[1] + j])
        }

        fn close(&self, own: &[f64]) {
            assert_eq!(own.len(), self.values.len());
            for (a, b) in own.iter().zip(&self.values) {
                assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{a}, not {b}");
            }
        }
    }

    fn golden() -> Golden {
        serde_json::from_str(include_str!("../../tests/golden/head_to_toe.json")).unwrap()
    }

    fn by_rows(own: &Matrix) -> Vec<f64> {
        (0..own.nrows()).flat_map(|i| own.row(i).iter().copied().collect::<Vec<_>>()).collect()
    }

    fn logits(head: &Head, rows: &Matrix) -> Vec<f64> {
        let score = |i: usize, c: usize| {
            let own = &head.weights[c * rows.ncols()..(c + 1) * rows.ncols()];
            let sum: f64 = own.iter().zip(rows.row(i).iter()).map(|(w, x)| f64::from(*w) * x).sum();
            f64::from(head.biases[c]) + sum
        };
        (0..rows.nrows())
            .flat_map(|i| (0..head.biases.len()).map(move |c| (i, c)))
            .map(|(i, c)| score(i, c))
            .collect()
    }

    fn numbers(weights: &[f32]) -> Vec<f64> {
        weights.iter().map(|&w| f64::from(w)).collect()
    }

    #[test]
    fn stages_are_pooled_as_in_numpy() {
        let golden = golden();
        let (mut columns, mut pooled, mut widths) = (Vec::new(), Vec::new(), Vec::new());
        for stage in &golden.stages {
            let extent = match stage.shape[..] {
                [channels, rows, columns] => Extent::Map(channels, rows, columns),
                [tokens, width] => Extent::Tokens(tokens, width),
                _ => Extent::Vector(stage.values.len()),
            };
            let values = stage.values.iter().map(|&v| v as f32).collect();
            let own = Activation::new(values, extent, &Device::flex());
            columns.extend(numbers(&own.clone().parts(1).into_numbers()));
            let own = own.pooled(golden.target).into_numbers();
            widths.push((extent.pooled(golden.target).count(), own.len()));
            pooled.extend(numbers(&own));
        }
        golden.hypercolumns.close(&columns);
        golden.pooled.close(&pooled);
        assert!(widths.iter().all(|(said, own)| said == own), "{widths:?}");
    }

    #[test]
    fn scores_features_and_head_are_those_of_numpy() {
        let golden = golden();
        let (rows, of) = (golden.rows.matrix(), &golden.classes);
        let unit = Selection::all(&golden.widths).rows(&rows);
        let lambdas = [4.0 * golden.lambda, golden.lambda];
        let found = group_lasso(&unit, of, 3, &lambdas).pop().unwrap();
        golden.lengths.close(&found.lengths);
        let order = order(&found);
        assert_eq!(order, golden.order);
        let selection = Selection::first(&order, golden.share, &golden.widths);
        assert_eq!(selection.columns, golden.columns);
        let chosen = selection.rows(&rows);
        golden.chosen.close(&by_rows(&chosen));
        let heads = Head::fit(&chosen, of, 3, &[golden.inverse_penalty], Scaling::Kept).unwrap();
        golden.weights.close(&numbers(&heads[0].weights));
        golden.logits.close(&logits(&heads[0], &chosen));
    }

    /// What `hypercolumns` solves, and `head`.
    #[test]
    fn a_head_on_scaled_columns_is_that_of_numpy() {
        let golden = golden();
        let (rows, of) = (golden.rows.matrix(), &golden.classes);
        let heads = Head::fit(&rows, of, 3, &[golden.standard_penalty], Scaling::Deviation).unwrap();
        golden.standard_weights.close(&numbers(&heads[0].weights));
        golden.standard_logits.close(&logits(&heads[0], &rows));
    }

    /// A slope is `λ` where weights are not zero, and no more elsewhere: what tells a minimum.
    #[test]
    fn slopes_tell_a_minimum_for_each_lambda() {
        let golden = golden();
        let unit = Selection::all(&golden.widths).rows(&golden.rows.matrix());
        for (found, lambda) in group_lasso(&unit, &golden.classes, 3, &[1e-2, 1e-3]).iter().zip([1e-2, 1e-3])
        {
            let kept = found.lengths.iter().filter(|length| **length > 0.0).count();
            assert!(kept > 0 && kept < unit.ncols(), "{lambda}: {kept}");
            for (length, slope) in found.lengths.iter().zip(&found.slopes) {
                let fits =
                    if *length > 0.0 { (slope - lambda).abs() <= 1e-6 } else { *slope <= lambda + 1e-6 };
                assert!(fits, "{lambda}: {length}, {slope}");
            }
        }
    }

    #[test]
    fn the_search_finds_what_tells_classes_apart() {
        let golden = golden();
        let (rows, of) = (golden.rows.matrix(), &golden.classes);
        let context = Context::default();
        let folds = super::super::head::stratified(of, &(0..45).collect::<Vec<_>>(), 3, &context);
        let solved = solve(&rows, &golden.widths, of, 3, &folds, None, &context).unwrap();
        let right = |p: &Matrix| (0..45).filter(|&i| (0..3).all(|c| p[(i, c)] <= p[(i, of[i])])).count();
        assert!(right(&solved.aside) >= 36, "{}", right(&solved.aside));
        assert!(right(&solved.probabilities(&rows)) >= 40);
        assert!(solved.selection.is_some_and(|own| own.columns.len() < 48));
        let asked = solve(&rows, &golden.widths, of, 3, &folds, Some(3.0), &context).unwrap();
        assert!((asked.inverse_penalty - 3.0).abs() < f64::EPSILON);
    }
}
