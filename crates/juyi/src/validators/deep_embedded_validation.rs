//! DEV: the weighted risk on held-out source rows, with the weights, whose mean is known, as a control variate.
//!
//! Paper: K. You, X. Wang, M. Long, M. I. Jordan, "Towards accurate model selection in deep unsupervised domain adaptation",
//! ICML 2019
//!
//! ```text
//! -(mean L + η (mean w - 1)),   L_i = w_i ℓ_i,   η = -Cov(L, w) / Var(w)
//! w_i = (n_s / n_t) p(target | z_i) / p(source | z_i)
//! ```
//! over the held-out rows, with `ℓ_i` 1 where the answer is not the label, of numbers the squared error over the variance of the
//! labels, and `z_i` the row as it comes to the candidate's predictor. Logistic regression on the other source rows and the
//! target rows gives the probabilities. Weights that scatter much make the plain weighted mean
//! uncertain; the control variate takes out what goes with their mean.
//!
//! Where we differ: the classifier of the domains is linear, on columns of deviation 1, and the features are what the candidate's
//! maps leave, if it has any; else the rows as they are preprocessed. Odds end at 10¹².
//!
//! Cost: one more fit of each candidate, and one logistic regression for each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, HeldOut, Need, mean};
use super::registry::{Validator, ValidatorRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::learners::{Learner, Logistic};
use crate::linalg::{Matrix, column_means, column_scales, select_rows, stack};
use crate::models::predict;
use crate::params::params_of;

/// Deep embedded validation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct DeepEmbeddedValidation {}

impl DeepEmbeddedValidation {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "deep-embedded-validation",
        summary: "DEV: weighted risk on held-out source rows with a control variate, weights by a classifier of the domains",
        values: true,
        needs: &[Need::HeldOut],
        source: include_str!("deep_embedded_validation.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for DeepEmbeddedValidation {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, context: &mut Context) -> Result<f64> {
        let held_out = of.held_out(Self::ROW.name)?;
        let weights = weights(held_out, context)?;
        Ok(-risk(&weights, &held_out.losses(of.source)))
    }
}

/// The least probability of the source.
const LEAST: f64 = 1e-12;

/// The weight of each held-out row: its odds of being the target's, as rows that were not held out tell.
fn weights(held_out: &HeldOut, context: &mut Context) -> Result<Vec<f64>> {
    let HeldOut { rows, source, target, .. } = held_out;
    let others: Vec<usize> = (0..source.nrows()).filter(|row| rows.binary_search(row).is_err()).collect();
    let all = stack(select_rows(source.as_ref(), &others).as_ref(), target.as_ref());
    let means = column_means(all.as_ref());
    let scales = column_scales(all.as_ref(), &means);
    let scaled =
        |x: &Matrix| Matrix::from_fn(x.nrows(), x.ncols(), |i, j| (x[(i, j)] - means[j]) * scales[j]);
    let of_target = (0..all.nrows()).map(|i| usize::from(i >= others.len())).collect();
    let even = vec![1.0; all.nrows()];
    let classifier =
        Logistic::default().fit(scaled(&all).as_ref(), &Labels::Classes(of_target), &even, 2, context)?;
    let asked = scaled(&select_rows(source.as_ref(), rows));
    let said = predict(&[], &classifier, asked.as_ref());
    let prior = others.len() as f64 / target.nrows() as f64;
    let odds = |(answer, sure): (&f64, &f64)| {
        let of_target = if *answer == 1.0 { *sure } else { 1.0 - sure };
        prior * of_target / (1.0 - of_target).max(LEAST)
    };
    Ok(said.answer.iter().zip(&said.confidence).map(odds).collect())
}

/// The risk with the control variate; the plain weighted mean where all weigh the same.
fn risk(weights: &[f64], losses: &[f64]) -> f64 {
    let weighted: Vec<f64> = weights.iter().zip(losses).map(|(weight, loss)| weight * loss).collect();
    let (of_weights, of_weighted) = (mean(weights), mean(&weighted));
    let (mut together, mut alone) = (0.0, 0.0);
    for (weight, weighted) in weights.iter().zip(&weighted) {
        together += (weight - of_weights) * (weighted - of_weighted);
        alone += (weight - of_weights).powi(2);
    }
    let eta = if alone > 0.0 { -together / alone } else { 0.0 };
    of_weighted + eta * (of_weights - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights 1, 2 and 3 and the loss 1 of the last: products 0, 0 and 3, covariance 3 / 2 of 1, so that η is -3 / 2.
    #[test]
    fn the_control_variate_by_hand() {
        assert!((risk(&[1.0, 2.0, 3.0], &[0.0, 0.0, 1.0]) - (1.0 - 1.5)).abs() < 1e-15);
        assert_eq!(risk(&[1.0, 1.0], &[0.0, 1.0]), 0.5);
        // Where all answers are wrong the risk is that, whatever the weights.
        assert!((risk(&[0.1, 0.7, 4.0], &[1.0; 3]) - 1.0).abs() < 1e-15);
    }
}
