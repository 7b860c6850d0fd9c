//! MaNo: the norm of the matrix of normalised logits, large where answers are sure.
//!
//! Paper: R. Xie, A. Odonnat, V. Feofanov, W. Deng, J. Zhang, B. An, "MaNo: exploiting matrix norm for unsupervised accuracy
//! estimation under distribution shifts", `NeurIPS` 2024
//!
//! ```text
//! ( (1 / (m classes)) Σ_ic Q_ic^power )^(1 / power),   Q_ic = v(q_ic) / Σ_k v(q_ik)
//! v(q) = exp q where Φ > threshold, else 1 + q + q² / 2,   Φ = -(1 / (m classes)) Σ_ic ln softmax(q_i)_c
//! ```
//! Softmax is trusted where its probabilities are far from even (`Φ` large); elsewhere its first terms take its place, which
//! grow more slowly. With two classes these fall again as a logit grows beyond √2: of candidates below the threshold the surer one need not be
//! first.
//!
//! Where we differ: a model need not have logits. They are the logarithms of its probabilities, less their mean in each
//! row: logits up to a constant. A candidate that gives a class no chance at all has an infinite `Φ`. The authors' code takes
//! the least `v` of a row from the others, which the paper's equation does not.
//!
//! Cost: rows times classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::registry::{Validator, ValidatorRow, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::params::params_of;

/// The norm of the normalised logits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MatrixNorm {
    /// The order of the norm, 1 or more, 1000 at most.
    pub power: f64,
    /// The mean logarithm beyond which softmax normalises, 0 or more.
    pub threshold: f64,
}

impl Default for MatrixNorm {
    fn default() -> Self {
        Self { power: 4.0, threshold: 5.0 }
    }
}

impl MatrixNorm {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "matrix-norm",
        summary: "MaNo: norm of the normalised logits of the target rows",
        values: false,
        needs: &[],
        source: include_str!("matrix_norm.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for MatrixNorm {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        let name = Self::ROW.name;
        must(name, "power", "1 to 1000", (1.0..=1000.0).contains(&self.power), self.power)?;
        let holds = self.threshold >= 0.0 && self.threshold.is_finite();
        must(name, "threshold", "0 or more", holds, self.threshold)?;
        let p = of.probabilities;
        let cells = (p.nrows() * p.ncols()) as f64;
        let phi = -p.row_iter().map(|row| row.iter().map(|p| p.ln()).sum::<f64>()).sum::<f64>() / cells;
        let mut sum = 0.0;
        for row in p.row_iter() {
            let row: Vec<f64> = if phi > self.threshold {
                row.iter().copied().collect()
            } else {
                let mean = row.iter().map(|p| p.ln()).sum::<f64>() / row.ncols() as f64;
                row.iter().map(|p| p.ln() - mean).map(|q| 1.0 + q + 0.5 * q * q).collect()
            };
            let total: f64 = row.iter().sum();
            sum += row.iter().map(|v| (v / total).powf(self.power)).sum::<f64>();
        }
        Ok((sum / cells).powf(1.0 / self.power))
    }
}
