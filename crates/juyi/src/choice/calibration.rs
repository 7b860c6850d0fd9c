//! The constants of the estimates, made from tasks whose answer is known.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::candidates::plain_learners;
use super::signs::Signs;
use crate::data::Goal;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, cholesky, solve_cholesky};
use crate::methods::METHODS;

/// A sum of signs, each times its weight, with how far the truth lies from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Of each sign.
    pub weights: Vec<f64>,
    /// The truth less the sum is at least this in 39 of 40 tasks of families that were left out; not above 0.
    pub low: f64,
    /// And at most this.
    pub high: f64,
}

/// The constants, for classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The voters and plain learners that they were made with.
    pub pool: Vec<String>,
    /// Number of tasks.
    pub tasks: usize,
    /// Gain of the vote over the plain learners: of the lead and the drop.
    pub gain: Line,
    /// Accuracy of the vote: of 1, its certainty and what was learnt.
    pub vote: Line,
    /// Accuracy of the plain learners: of 1, their certainty, what was learnt and the drop.
    pub plain: Line,
}

/// A task whose answer is known, as the choice saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The family of data that it comes from.
    pub family: String,
    /// What estimates are made of.
    pub signs: Signs,
    /// Accuracy of the vote.
    pub vote: f64,
    /// Accuracy of the plain learners.
    pub plain: f64,
}

/// Those in force.
pub(super) fn calibration() -> &'static Calibration {
    static OWN: LazyLock<Calibration> = LazyLock::new(|| {
        serde_json::from_str(include_str!("calibration.json"))
            .expect("a test reads the file that is built in")
    });
    &OWN
}

/// The candidates with their grids, and the plain learners: when they change, constants must be made again.
pub(super) fn pool() -> Vec<String> {
    let goal = Goal::Classes(Vec::new());
    let plain = plain_learners(&goal).into_iter().map(|name| format!("none {name}"));
    let tried =
        METHODS.iter().flat_map(|row| row.grid.tried(&goal).iter().map(|set| format!("{} {set}", row.name)));
    plain.chain(tried).collect()
}

impl Calibration {
    /// Least squares over tasks of several families.
    ///
    /// # Errors
    /// [`Error::Input`] for fewer than ten tasks or two families.
    pub fn of(seen: &[Seen]) -> Result<Self> {
        let families: BTreeSet<&str> = seen.iter().map(|one| one.family.as_str()).collect();
        if seen.len() < 10 || families.len() < 2 {
            let problem = format!("{} of {} families", seen.len(), families.len());
            return Err(Error::input(
                "the tasks",
                problem,
                "constants take ten tasks of two families at least",
            ));
        }
        let line = |signs: &dyn Fn(&Signs) -> Vec<f64>, truth: &dyn Fn(&Seen) -> f64| {
            let of = |family: Option<&str>| {
                let those: Vec<&Seen> =
                    seen.iter().filter(|one| Some(one.family.as_str()) != family).collect();
                let rows: Vec<Vec<f64>> = those.iter().map(|one| signs(&one.signs)).collect();
                least_squares(&rows, &those.iter().map(|one| truth(one)).collect::<Vec<_>>())
            };
            let mut off = Vec::new();
            for family in &families {
                let weights = of(Some(family))?;
                for one in seen.iter().filter(|one| one.family == *family) {
                    off.push(truth(one) - sum(&weights, &signs(&one.signs)));
                }
            }
            off.sort_by(f64::total_cmp);
            let at = |share: f64| off[((off.len() - 1) as f64 * share).round() as usize];
            Ok::<_, Error>(Line { weights: of(None)?, low: at(0.025).min(0.0), high: at(0.975).max(0.0) })
        };
        Ok(Self {
            pool: pool(),
            tasks: seen.len(),
            gain: line(&|signs| signs.of_gain().to_vec(), &|one| one.vote - one.plain)?,
            vote: line(&|signs| signs.of_vote().to_vec(), &|one| one.vote)?,
            plain: line(&|signs| signs.of_plain().to_vec(), &|one| one.plain)?,
        })
    }
}

impl Line {
    /// The sum.
    pub(super) fn at(&self, signs: &[f64]) -> f64 {
        sum(&self.weights, signs)
    }
}

fn sum(weights: &[f64], signs: &[f64]) -> f64 {
    weights.iter().zip(signs).map(|(a, b)| a * b).sum()
}

/// The weights with the least squared error, a hair of ridge so that columns may depend on each other.
fn least_squares(rows: &[Vec<f64>], truth: &[f64]) -> Result<Vec<f64>> {
    let count = rows.first().map_or(0, Vec::len);
    let products = |a: usize, b: usize| rows.iter().map(|row| row[a] * row[b]).sum::<f64>();
    let gram = Matrix::from_fn(count, count, |a, b| products(a, b) + if a == b { 1e-9 } else { 0.0 });
    let mut right =
        Matrix::from_fn(count, 1, |a, _| rows.iter().zip(truth).map(|(row, y)| row[a] * y).sum::<f64>());
    let lower = cholesky(gram.as_ref())?;
    solve_cholesky(lower.as_ref(), right.as_mut());
    Ok((0..count).map(|k| right[(k, 0)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_those_of_the_pool_in_force() {
        let own = calibration();
        assert_eq!(
            own.pool,
            pool(),
            "the voters changed: run `juyi bench choice --data DIR --calibrate FILE`"
        );
        assert_eq!((own.gain.weights.len(), own.vote.weights.len(), own.plain.weights.len()), (2, 3, 4));
        for line in [&own.gain, &own.vote, &own.plain] {
            assert!(line.low <= 0.0 && line.high >= 0.0 && line.high - line.low < 0.8, "{line:?}");
        }
    }

    #[test]
    fn constants_that_made_the_tasks_are_found_again() {
        let seen = |k: usize| {
            let part = |by: usize| ((k * by) % 17) as f64 / 17.0;
            let signs = Signs {
                lead: part(3),
                drop: part(5),
                certainty: part(7),
                plain_certainty: part(11),
                learnt: part(13),
            };
            let plain = 0.1 + 0.5 * signs.plain_certainty + 0.3 * signs.learnt - 0.2 * signs.drop;
            Seen {
                family: format!("f{}", k % 3),
                vote: plain + 0.4 * signs.lead + 0.1 * signs.drop,
                plain,
                signs,
            }
        };
        let found = Calibration::of(&(0..40).map(seen).collect::<Vec<_>>()).unwrap();
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(
            near(&found.gain.weights, &[0.4, 0.1]) && near(&found.plain.weights, &[0.1, 0.5, 0.3, -0.2]),
            "{found:?}"
        );
        assert!(found.gain.high < 1e-6 && found.tasks == 40);
        assert!(Calibration::of(&[seen(1)]).is_err());
    }
}
