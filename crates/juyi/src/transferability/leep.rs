//! Log expected empirical prediction: how likely the labels are, told by the network's own classes alone.
//!
//! Paper: C. Nguyen, T. Hassner, M. Seeger, C. Archambeau, "LEEP: a new measure to evaluate transferability of learned
//! representations", ICML 2020
//!
//! ```text
//! P(y, z) = (1/n) Σ_{i: y_i = y} θ(x_i)_z,   P(y | z) = P(y, z) / P(z),   LEEP = (1/n) Σ_i ln Σ_z P(y_i | z) θ(x_i)_z
//! ```
//! with `θ(x)` the network's probabilities for the classes that it was trained on. At most 0.
//!
//! Cost: samples times the network's classes times the labels' classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::registry::{Representation, TransferabilityRow, TransferabilityScore, make};
use crate::error::Result;
use crate::linalg::Matrix;
use crate::params::params_of;

/// The log expected empirical prediction.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Leep {}

impl Leep {
    /// Its row in the registry.
    pub const ROW: TransferabilityRow = TransferabilityRow {
        name: "leep",
        summary: "likelihood of the labels by the network's own classes",
        of_source_classes: true,
        source: include_str!("leep.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl TransferabilityScore for Leep {
    fn row(&self) -> &'static TransferabilityRow {
        &Self::ROW
    }

    fn of(&self, of: &Representation<'_>) -> Result<f64> {
        let theta = of.source.expect("the score is checked for it");
        let (n, z) = theta.shape();
        let mut joint = Matrix::zeros(of.classes, z);
        for (i, &class) in of.labels.iter().enumerate() {
            (0..z).for_each(|k| joint[(class, k)] += theta[(i, k)] / n as f64);
        }
        let marginal: Vec<f64> = joint.col_iter().map(|column| column.iter().sum()).collect();
        let of_one = |(i, &class): (usize, &usize)| {
            let known = (0..z).filter(|&k| marginal[k] > 0.0);
            known.map(|k| joint[(class, k)] / marginal[k] * theta[(i, k)]).sum::<f64>().ln()
        };
        Ok(of.labels.iter().enumerate().map(of_one).sum::<f64>() / n as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Two classes of the network, of which each label has one for certain, and a third sample between them.
    #[test]
    fn three_samples_by_hand() {
        let theta = from_rows(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![0.5, 0.5]]);
        let empty = Matrix::zeros(3, 1);
        let of = Representation {
            features: empty.as_ref(),
            labels: &[0, 1, 1],
            classes: 2,
            source: Some(theta.as_ref()),
        };
        // P(0|z) is 2/3 and 0, P(1|z) is 1/3 and 1.
        let expected = ((2f64 / 3.0).ln() + 1f64.ln() + (0.5 / 3.0 + 0.5f64).ln()) / 3.0;
        assert!((Leep {}.score(&of).unwrap() - expected).abs() < 1e-12);
    }
}
