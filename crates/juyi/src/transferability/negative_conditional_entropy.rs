//! Negative conditional entropy: how much of the labels is left open once the network's own class is known.
//!
//! Paper: A. Tran, C. Nguyen, T. Hassner, "Transferability and hardness of supervised classification tasks", ICCV 2019
//!
//! ```text
//! NCE = -H(Y | Z) = Σ_{y, z} P(y, z) ln( P(y, z) / P(z) ),   z_i = argmax θ(x_i)
//! ```
//! with shares of the samples for probabilities. At most 0.
//!
//! Cost: samples times the network's classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Representation, TransferabilityRow, TransferabilityScore, make};
use crate::error::Result;
use crate::models::first_largest;
use crate::params::params_of;

/// The negative conditional entropy.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct NegativeConditionalEntropy {}

impl NegativeConditionalEntropy {
    /// Its row in the registry.
    pub const ROW: TransferabilityRow = TransferabilityRow {
        name: "negative-conditional-entropy",
        summary: "NCE: what the network's own class leaves open of the labels",
        of_source_classes: true,
        source: include_str!("negative_conditional_entropy.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl TransferabilityScore for NegativeConditionalEntropy {
    fn row(&self) -> &'static TransferabilityRow {
        &Self::ROW
    }

    fn of(&self, of: &Representation<'_>) -> Result<f64> {
        let theta = of.source.expect("the score is checked for it");
        let (n, z) = theta.shape();
        let mut counts = vec![vec![0.0; of.classes]; z];
        for (row, &class) in theta.row_iter().zip(of.labels) {
            counts[first_largest(&row.iter().copied().collect::<Vec<_>>())][class] += 1.0;
        }
        let of_one = |counts: &Vec<f64>| {
            let all: f64 = counts.iter().sum();
            counts.iter().filter(|count| **count > 0.0).map(|count| count * (count / all).ln()).sum::<f64>()
        };
        Ok(counts.iter().map(of_one).sum::<f64>() / n as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Matrix, from_rows};

    /// The first class of the network has labels 0, 0, 1, the second only 1.
    #[test]
    fn five_samples_by_hand() {
        let (one, other) = (vec![0.9, 0.1], vec![0.2, 0.8]);
        let theta = from_rows(&[one.clone(), one.clone(), one, other.clone(), other]);
        let empty = Matrix::zeros(5, 1);
        let of = Representation {
            features: empty.as_ref(),
            labels: &[0, 0, 1, 1, 1],
            classes: 2,
            source: Some(theta.as_ref()),
        };
        let expected = (2.0 * (2f64 / 3.0).ln() + (1f64 / 3.0).ln()) / 5.0;
        assert!((NegativeConditionalEntropy {}.score(&of).unwrap() - expected).abs() < 1e-12);
    }
}
