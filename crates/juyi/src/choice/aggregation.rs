//! Importance-weighted aggregation (IWA): the weights with which the vote of all candidates is nearest to the target's labels.
//!
//! Paper: M.-C. Dinu, M. Holzleitner, M. Beck, H. D. Nguyen, A. Huber, H. Eghbal-zadeh, B. A. Moser, S. V. Pereverzyev, S.
//! Hochreiter, W. Zellinger, "Addressing parameter choice issues in unsupervised domain adaptation by aggregation", ICLR 2023
//!
//! ```text
//! min_c E_target |Σ_k c_k f_k(x) - y|² = min_c cᵀ G c - 2 gᵀ c + const
//! G_jk = (1/m) Σ_i f_j(t_i)·f_k(t_i),   g_k = (1/h) Σ_i w(x_i) y_i·f_k(x_i)
//! ```
//! over the `m` target rows `t_i` and the `h` held-out source rows `x_i` with labels `y_i`, `w` being the ratio of the densities,
//! and `f_k` 1 at the class that candidate `k` answers and 0 at the others. So `G` is how often two
//! candidates agree on the target, and `g` the weighted share of held-out source rows that one gets right. It is as good as the
//! weights are: where the rule changed or the ratio is far off, `g` tells little.
//!
//! Where we differ: the paper solves `G c = g`, with coefficients of any sign; a vote takes none below 0, so the minimum
//! among these is taken. Answers are one class each, as in the vote that is written, and not probabilities.
//!
//! Cost: one more fit of each candidate, one density ratio for each preprocessing, and a quadratic programme.

use rayon::prelude::*;

use super::voters::{Voters, held_out};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, from_rows};
use crate::solvers::{Bounds, QuadraticProgram};

/// How those that vote are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weighing {
    /// By what their learners know of the source, kin dividing their weight.
    #[default]
    Skill,
    /// By importance-weighted aggregation.
    ImportanceWeighted,
}

impl Weighing {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::ImportanceWeighted => "importance-weighted-aggregation",
        }
    }
}

/// More than any coefficient is, and than they are together: that of a perfect candidate is 1 where the ratio's mean is.
const MOST: f64 = 100.0;

/// Coefficients below this part of the largest are none: the solver ends near 0.
const LEAST: f64 = 1e-6;

/// The weights of those that vote, in the place of those that they have. A candidate that cannot be fitted without the held-out
/// rows has none. Where no candidate is right on any held-out row that weighs, they stay as they are.
///
/// # Errors
/// [`Error::Unsuited`] for numbers; what the density ratio or the programme reports.
pub(super) fn weights(voters: &Voters<'_>, context: &mut Context) -> Result<Vec<f64>> {
    let name = Weighing::ImportanceWeighted.name();
    let Labels::Classes(labels) = &voters.task.source.labels else {
        let hint = "leave it out".into();
        return Err(Error::Unsuited {
            method: name.into(),
            problem: "aggregates classes, not numbers".into(),
            hint,
        });
    };
    context.progress("weighing the candidates", 0, 0);
    let each = voters.each()?;
    let held = voters.held_out_rows(context);
    let spaces = voters.spaces(&each, Some(&held), true, context)?;
    let quiet: &Context = context;
    let right = each.par_iter().map(|voter| -> Result<f64> {
        let space = spaces.iter().find(|space| space.steps == voter.one.configuration.steps);
        let (Some(space), context) = (space, &mut quiet.aside()) else { unreachable!("each has a space") };
        let said = held_out(voter, space, &held, context)?;
        let ratios = space.ratios.as_ref().map_or(&[][..], Vec::as_slice);
        let right = said.rows.iter().zip(&said.answers).filter(|(row, said)| **said == labels[**row] as f64);
        Ok(right.map(|(&row, _)| ratios[row]).sum::<f64>() / held.len() as f64)
    });
    let right: Vec<Result<f64>> = right.collect();
    let (mut kept, mut g) = (Vec::new(), Vec::new());
    for (voter, right) in each.iter().zip(right) {
        match right {
            Ok(right) => {
                kept.push(voter);
                g.push(right);
            }
            Err(error) => {
                let method = voter.one.configuration.built.row.name;
                let text =
                    format!("`{method}` has no vote: it cannot be fitted without the held-out rows: {error}");
                context.note(name, text);
            }
        }
    }
    let answers: Vec<&[f64]> = kept.iter().map(|voter| voter.answers).collect();
    let coefficients = aggregate(&agreement(&answers), &g)?;
    let mut weights = vec![0.0; voters.weights.len()];
    kept.iter().zip(coefficients).for_each(|(voter, coefficient)| weights[voter.place] = coefficient);
    if weights.iter().all(|weight| *weight <= 0.0) {
        context.warn(
            name,
            "no candidate is right on a held-out source row that weighs: they weigh as without it",
        );
        return Ok(voters.weights.to_vec());
    }
    Ok(weights)
}

/// `G`: on what share of the rows each two of them give the same answer.
fn agreement(answers: &[&[f64]]) -> Matrix {
    let same = |a: &[f64], b: &[f64]| a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64;
    let rows: Vec<Vec<f64>> =
        answers.iter().map(|one| answers.iter().map(|other| same(one, other)).collect()).collect();
    from_rows(&rows)
}

/// The coefficients, none below 0, of the least `½ cᵀ G c - gᵀ c`.
fn aggregate(together: &Matrix, g: &[f64]) -> Result<Vec<f64>> {
    if g.iter().all(|right| *right <= 0.0) {
        return Ok(vec![0.0; g.len()]);
    }
    let program = QuadraticProgram {
        part: |which: &[usize]| {
            Matrix::from_fn(which.len(), which.len(), |i, j| together[(which[i], which[j])])
        },
        times: |which: &[usize], w: &[f64]| {
            let row = |i: usize| which.iter().zip(w).map(|(&k, w)| together[(i, k)] * w).sum();
            (0..g.len()).map(row).collect()
        },
        linear: g,
        bounds: Bounds { upper: MOST, sum: (0.0, MOST) },
        most: usize::MAX,
    };
    let mut found = program.solve()?.map_or_else(Vec::new, |solution| solution.weights);
    let most = found.iter().copied().fold(0.0, f64::max);
    found.iter_mut().filter(|c| **c < LEAST * most).for_each(|c| *c = 0.0);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two candidates that agree on half of the rows, right on shares 0.8 and 0.6: `c + d/2 = 0.8` and `c/2 + d = 0.6` have the
    /// solution 2/3 and 4/15. With 0.8 and 0.3 the second would be below 0, and the first is 0.8 by itself.
    #[test]
    fn two_candidates_by_hand() {
        let together = agreement(&[&[0.0, 1.0, 2.0, 0.0], &[0.0, 1.0, 0.0, 2.0]]);
        assert_eq!((together[(0, 0)], together[(0, 1)]), (1.0, 0.5));
        let close = |found: Vec<f64>, expected: [f64; 2]| {
            let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
            assert!(near, "{found:?}");
        };
        close(aggregate(&together, &[0.8, 0.6]).unwrap(), [2.0 / 3.0, 4.0 / 15.0]);
        close(aggregate(&together, &[0.8, 0.3]).unwrap(), [0.8, 0.0]);
        assert_eq!(aggregate(&together, &[0.0, 0.0]).unwrap(), [0.0, 0.0]);
    }
}
