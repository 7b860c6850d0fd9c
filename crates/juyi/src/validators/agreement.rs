//! Agreement with all candidates, less half the divergence of the class shares from the source's.
//!
//! Paper: D. Hu, M. Luo, J. Liang, C.-S. Foo, "Towards reliable model selection for unsupervised domain adaptation: an
//! empirical study and a certified baseline", `NeurIPS` 2024 (the vote of all candidates stands for the labels)
//!
//! ```text
//! mean over target rows of the share of the votes for the candidate's answer - divergence · ½ Σ_c |p_c - q_c|
//! ```
//! with `p` the class shares of its answers and `q` those of the source's labels. Candidates whose classes have other shares
//! agree by chance; half the divergence takes that back. Numbers agree by 1 less the squared distance to the median of all
//! candidates over the variance of the source's labels.
//!
//! Where we differ: the paper averages probabilities and knows no term of shares; here each method has one vote.
//!
//! Cost: none beside the votes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::registry::{Validator, ValidatorRow, make, must};
use crate::context::Context;
use crate::data::{Goal, Labels};
use crate::error::Result;
use crate::params::params_of;

/// Agreement with all candidates.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// What the total variation distance of the class shares counts for, 0 or more.
    pub divergence: f64,
}

impl Default for Agreement {
    fn default() -> Self {
        Self { divergence: 0.5 }
    }
}

impl Agreement {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "agreement",
        summary: "agreement with the vote of all, less half the divergence of class shares",
        values: true,
        needs: &[],
        source: include_str!("agreement.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for Agreement {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, _context: &mut Context) -> Result<f64> {
        let holds = self.divergence >= 0.0 && self.divergence.is_finite();
        must(Self::ROW.name, "divergence", "0 or more", holds, self.divergence)?;
        let agrees = of.support.iter().sum::<f64>() / of.support.len() as f64;
        let (Goal::Classes(names), Labels::Classes(source)) = (of.goal, of.source) else { return Ok(agrees) };
        let mut apart = vec![0.0; names.len()];
        of.answers.iter().for_each(|class| apart[*class as usize] += 1.0 / of.answers.len() as f64);
        for class in source {
            apart[*class] -= 1.0 / source.len() as f64;
        }
        Ok(agrees - self.divergence * 0.5 * apart.iter().map(|v| v.abs()).sum::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::More;
    use super::*;
    use crate::linalg::Matrix;

    #[test]
    fn by_hand() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Labels::Classes(vec![0, 0, 0, 1]);
        let p = Matrix::zeros(2, 2);
        let of = Evidence {
            goal: &goal,
            answers: &[0.0, 1.0],
            probabilities: p.as_ref(),
            support: &[0.9, 0.7],
            source: &source,
            more: More::default(),
        };
        // Half of `b` where the source has a quarter: a total variation of 1/4.
        let score = |own: Agreement| own.score(&of, &mut Context::default()).unwrap();
        assert!((score(Agreement::default()) - (0.8 - 0.125)).abs() < 1e-12);
        assert!((score(Agreement { divergence: 0.0 }) - 0.8).abs() < 1e-12);
    }
}
