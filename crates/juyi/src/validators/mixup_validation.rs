//! MixVal: whether the candidate says of a mixture of two target rows what it says of the row that is most of it.
//!
//! Paper: D. Hu, J. Liang, J. H. Liew, C. Xue, S. Bai, X. Wang, "Mixed samples as probes for unsupervised model selection in
//! domain adaptation", `NeurIPS` 2023
//!
//! ```text
//! ½ (share of pairs of one answer that hold + share of pairs of two answers that hold)
//! a pair (i, j) holds where f(share x_i + (1 - share) x_j) = f(x_i)
//! ```
//! Mixtures within a class ask whether it is one region, those of two classes whether its border lies half-way between the classes.
//! A kind of pairs of which there is none counts 0.
//!
//! Where we differ: the authors' code reports the two kinds apart; here their mean is the score, so that there is one. Rows are mixed
//! as the candidate's preprocessing leaves them. The pairs are neighbours in a random order, and several orders are drawn.
//!
//! Cost: as many predictions as there are target rows, for each pass.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Need, Rows};
use super::registry::{Validator, ValidatorRow, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, shuffled_rows};
use crate::params::params_of;

/// Validation by mixtures.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MixupValidation {
    /// The share of the first row in a mixture, above 0.5 and below 1.
    pub share: f64,
    /// How many times each row is the first, 1 to 100.
    pub passes: usize,
}

impl Default for MixupValidation {
    fn default() -> Self {
        Self { share: 0.55, passes: 3 }
    }
}

impl MixupValidation {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "mixup-validation",
        summary: "MixVal: consistency of the answers for mixtures of target rows, within classes and between them",
        values: false,
        needs: &[Need::Rows],
        source: include_str!("mixup_validation.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };

    /// The pairs of one answer, then those of two, each with the number of those that hold, in one random order of the rows.
    fn pass(&self, rows: &Rows<'_>, answers: &[f64], rng: &mut ChaCha8Rng) -> [(usize, usize); 2] {
        let x = rows.target;
        let order = shuffled_rows(x.as_ref(), rng);
        let second = |k: usize| order[(k + 1) % order.len()];
        let mixed = Matrix::from_fn(order.len(), x.ncols(), |k, j| {
            self.share * x[(order[k], j)] + (1.0 - self.share) * x[(second(k), j)]
        });
        let mut counts = [(0, 0); 2];
        for (k, said) in (rows.answer)(mixed.as_ref()).into_iter().enumerate() {
            let (first, second) = (answers[order[k]], answers[second(k)]);
            let (all, hold) = &mut counts[usize::from(first != second)];
            *all += 1;
            *hold += usize::from(said == first);
        }
        counts
    }
}

impl Validator for MixupValidation {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, context: &mut Context) -> Result<f64> {
        let name = Self::ROW.name;
        let between = self.share > 0.5 && self.share < 1.0;
        must(name, "share", "above 0.5 and below 1", between, self.share)?;
        must(name, "passes", "1 to 100", (1..=100).contains(&self.passes), self.passes)?;
        let (rows, mut rng) = (of.rows(name)?, context.rng(name));
        let mut counts = [(0, 0); 2];
        for _ in 0..self.passes {
            for (sum, (all, hold)) in counts.iter_mut().zip(self.pass(rows, of.answers, &mut rng)) {
                *sum = (sum.0 + all, sum.1 + hold);
            }
        }
        let share = |(all, hold): &(usize, usize)| *hold as f64 / (*all).max(1) as f64;
        Ok(counts.iter().map(share).sum::<f64>() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use faer::MatRef;

    use super::super::evidence::More;
    use super::*;
    use crate::data::{Goal, Labels};
    use crate::linalg::from_rows;

    /// Rows at 0 and at 10. Whatever the pairs, mixtures are at 0 or 10, or 4.5 and 5.5 with the share 0.55 and 1 and 9 with
    /// 0.9. A border at 5 parts them all; one at 2 takes mixtures at 4.5 for the other class, and so half of those of two
    /// classes, as each order is a circle; all rows on one side leave no pair of two answers.
    #[test]
    fn borders_by_hand() {
        let x = from_rows(&[vec![0.0], vec![10.0], vec![0.0], vec![10.0], vec![0.0], vec![0.0], vec![10.0]]);
        let score = |border: f64, share: f64| {
            let answer = |rows: MatRef<'_, f64>| {
                rows.col(0).iter().map(|v| f64::from(u8::from(*v > border))).collect::<Vec<f64>>()
            };
            let answers = answer(x.as_ref());
            let goal = Goal::Classes(vec!["a".into(), "b".into()]);
            let (source, p, support) = (Labels::Classes(vec![0, 1]), Matrix::zeros(7, 2), [1.0; 7]);
            let rows = Rows {
                source: &x,
                target: &x,
                answer: &answer,
                map: &|_| unreachable!("nothing is mapped"),
                learner: &crate::learners::ClassMeans,
            };
            let of = Evidence {
                goal: &goal,
                answers: &answers,
                probabilities: p.as_ref(),
                support: &support,
                source: &source,
                more: More { rows: Some(&rows), ..More::default() },
            };
            MixupValidation { share, passes: 20 }.score(&of, &mut Context::default()).unwrap()
        };
        assert_eq!(score(5.0, 0.55), 1.0);
        assert_eq!(score(2.0, 0.55), 0.75);
        assert_eq!(score(2.0, 0.9), 1.0);
        assert_eq!(score(-1.0, 0.55), 0.5);
    }
}
