//! Circular, or reverse, validation: what the candidate says of the target teaches a learner that is asked about the source.
//!
//! Paper: E. Zhong, W. Fan, Q. Yang, O. Verscheure, J. Ren, "Cross validation framework to choose amongst models and datasets
//! for transfer learning", ECML PKDD 2010
//!
//! ```text
//! 1 - (1/n) Σ_i ℓ(g(x_i), y_i) over the source rows,   g trained on the target rows and the candidate's answers for them
//! ```
//! with the loss 1 where an answer is not the label, of numbers the squared error over the variance of the labels. Wrong answers
//! seldom teach what holds in the source. Answers that are wrong in the same way everywhere do, if the learner is too weak
//! to notice: two classes that change places in the target alone are not seen.
//!
//! Where we differ: `g` is the learner that the candidate trains (where it trains none, the one that it would be given), on the
//! rows as the candidate's preprocessing leaves them. The candidate itself is not fitted in the other direction.
//!
//! Cost: one fit of the learner for each candidate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Need, losses, mean};
use super::registry::{Validator, ValidatorRow, make};
use crate::context::Context;
use crate::data::{Goal, Labels};
use crate::error::Result;
use crate::learners::train;
use crate::models::predict;
use crate::params::params_of;

/// Circular validation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct CircularValidation {}

impl CircularValidation {
    /// Its row in the registry.
    pub const ROW: ValidatorRow = ValidatorRow {
        name: "circular-validation",
        summary: "how well a learner that is taught the candidate's answers for the target knows the source",
        values: true,
        needs: &[Need::Rows],
        source: include_str!("circular_validation.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Validator for CircularValidation {
    fn row(&self) -> &'static ValidatorRow {
        &Self::ROW
    }

    fn score(&self, of: &Evidence<'_>, context: &mut Context) -> Result<f64> {
        let rows = of.rows(Self::ROW.name)?;
        let taught = match of.goal {
            Goal::Classes(_) => Labels::Classes(of.answers.iter().map(|class| *class as usize).collect()),
            Goal::Value => Labels::Values(of.answers.to_vec()),
        };
        // That a class is never answered is no notice of the run.
        let trained = train(rows.learner, rows.target, &taught, None, of.goal, &mut context.aside())?;
        let said = predict(&[], &trained.predictor, rows.source.as_ref()).answer;
        let class = |v: f64| trained.classes.get(v as usize).map_or(v, |class| *class as f64);
        Ok(1.0 - mean(&losses(said.into_iter().map(class).enumerate(), of.source)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::{More, Rows};
    use super::*;
    use crate::learners::{ClassMeans, NearestNeighbor};
    use crate::linalg::{Matrix, from_rows};

    fn score(goal: &Goal, answers: &[f64], source: &Labels) -> f64 {
        let own = from_rows(&[vec![0.0], vec![1.0], vec![4.0], vec![5.0]]);
        let target = from_rows(&[vec![0.4], vec![0.8], vec![4.9]]);
        let (p, support) = (Matrix::zeros(3, goal.classes()), [1.0; 3]);
        let one = NearestNeighbor::default();
        let rows = Rows {
            source: &own,
            target: &target,
            answer: &|_| unreachable!("it is not asked"),
            map: &|_| unreachable!("nothing is mapped"),
            learner: if goal.classes() > 0 { &ClassMeans } else { &one },
        };
        let of = Evidence {
            goal,
            answers,
            probabilities: p.as_ref(),
            support: &support,
            source,
            more: More { rows: Some(&rows), ..More::default() },
        };
        CircularValidation {}.score(&of, &mut Context::default()).unwrap()
    }

    #[test]
    fn by_hand() {
        let goal = Goal::Classes(["a", "b", "c"].map(String::from).to_vec());
        let source = Labels::Classes(vec![0, 0, 2, 2]);
        // The means are 0.6 and 4.9; with the second row of the other class 0.4 and 2.85, to which the row at 1 is farther.
        assert_eq!(score(&goal, &[0.0, 0.0, 2.0], &source), 1.0);
        assert_eq!(score(&goal, &[2.0, 2.0, 0.0], &source), 0.0);
        assert_eq!(score(&goal, &[0.0, 2.0, 2.0], &source), 1.0);
        assert_eq!(score(&goal, &[0.0, 0.0, 0.0], &source), 0.5);
        // Nearest target rows say 1, 1, 9 and 9; the variance of the labels is 25.
        let values = Labels::Values(vec![0.0, 0.0, 10.0, 10.0]);
        assert!((score(&Goal::Value, &[1.0, 1.0, 9.0], &values) - (1.0 - 1.0 / 25.0)).abs() < 1e-15);
    }
}
