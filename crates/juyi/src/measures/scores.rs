//! How good predictions are where the truth is known.

use serde::{Deserialize, Serialize};

/// Scores of one set of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scores {
    /// Of classes; all between 0 and 1.
    Classification {
        /// Share of rows that are right.
        accuracy: f64,
        /// Mean over the classes that occur of the share of their rows that are right.
        balanced_accuracy: f64,
        /// Mean over the classes that occur or are predicted of `2 tp / (2 tp + fp + fn)`.
        macro_f1: f64,
        /// Mean over the classes that occur of the area under the curve against the rest, where it was asked for and there is
        /// more than one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        auc: Option<f64>,
    },
    /// Of numbers.
    Regression {
        /// Root of the mean squared error, in units of the label.
        rmse: f64,
        /// Mean absolute error, in units of the label.
        mae: f64,
        /// 1 minus the squared error over that of the mean; not a number where the truth is constant, `null` in JSON.
        #[serde(deserialize_with = "number_or_null")]
        r2: f64,
    },
}

/// Reads back what JSON has no number for.
fn number_or_null<'de, D: serde::Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or(f64::NAN))
}

impl Scores {
    /// The score that is compared first, larger is better: accuracy, or the negative root mean squared error.
    pub fn first(&self) -> f64 {
        match self {
            Self::Classification { accuracy, .. } => *accuracy,
            Self::Regression { rmse, .. } => -rmse,
        }
    }
}

/// Scores of predicted classes against the true ones, at least one row. A class that is not among the model's classes
/// is simply never right.
pub fn classification_scores<T: Ord + Copy>(truth: &[T], predicted: &[T]) -> Scores {
    let mut classes: Vec<T> = truth.iter().chain(predicted).copied().collect();
    classes.sort_unstable();
    classes.dedup();
    let position = |class: &T| classes.binary_search(class).expect("every class is listed");
    let (mut actual, mut said, mut right) =
        (vec![0.0; classes.len()], vec![0.0; classes.len()], vec![0.0; classes.len()]);
    for (t, p) in truth.iter().zip(predicted) {
        actual[position(t)] += 1.0;
        said[position(p)] += 1.0;
        if t == p {
            right[position(t)] += 1.0;
        }
    }
    let recalls: Vec<f64> =
        (0..classes.len()).filter(|&c| actual[c] > 0.0).map(|c| right[c] / actual[c]).collect();
    let f1 = (0..classes.len()).map(|c| 2.0 * right[c] / (actual[c] + said[c]));
    Scores::Classification {
        accuracy: right.iter().sum::<f64>() / truth.len() as f64,
        balanced_accuracy: recalls.iter().sum::<f64>() / recalls.len() as f64,
        macro_f1: f1.sum::<f64>() / classes.len() as f64,
        auc: None,
    }
}

/// Scores of predicted numbers against the true ones, at least one row.
pub fn regression_scores(truth: &[f64], predicted: &[f64]) -> Scores {
    let n = truth.len() as f64;
    let mean = truth.iter().sum::<f64>() / n;
    let errors = || truth.iter().zip(predicted).map(|(t, p)| t - p);
    let squared: f64 = errors().map(|e| e * e).sum();
    let spread: f64 = truth.iter().map(|t| (t - mean).powi(2)).sum();
    Scores::Regression {
        rmse: (squared / n).sqrt(),
        mae: errors().map(f64::abs).sum::<f64>() / n,
        r2: if spread > 0.0 { 1.0 - squared / spread } else { f64::NAN },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        // Class 2 never occurs but is predicted once; class 1 occurs once and is missed.
        let scores = classification_scores(&[0, 0, 0, 1], &[0, 0, 0, 2]);
        let expected =
            Scores::Classification { accuracy: 0.75, balanced_accuracy: 0.5, macro_f1: 1.0 / 3.0, auc: None };
        assert_eq!(scores, expected);
        let scores = regression_scores(&[1.0, 3.0], &[1.0, 1.0]);
        assert_eq!(scores, Scores::Regression { rmse: 2f64.sqrt(), mae: 1.0, r2: -1.0 });
    }

    #[test]
    fn scores_of_a_constant_truth_survive_json() {
        let json = serde_json::to_string(&regression_scores(&[1.0, 1.0], &[1.0, 2.0])).unwrap();
        let Scores::Regression { r2, .. } = serde_json::from_str(&json).unwrap() else { panic!("{json}") };
        assert!(r2.is_nan());
    }
}
