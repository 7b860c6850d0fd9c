//! The constants of the estimates, made from tasks whose answer is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::candidates::plain_learners;
use super::signs::Signs;
use super::units::Reading;
use crate::data::Goal;
use crate::error::{Error, Result};
use crate::linalg::{Matrix, cholesky, solve_cholesky};
use crate::methods::METHODS;

/// A sum of signs, each times its weight, with how far the truth lies from it, in units of a scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Of each sign, for each reading of the columns.
    pub weights: BTreeMap<String, Vec<f64>>,
    /// The truth less the sum is at least this in 39 of 40 tasks of families that were left out; not above 0.
    pub low: f64,
    /// And at most this; not below 0.
    pub high: f64,
    /// And at least this in 19 of 20; not above 0.
    pub floor: f64,
}

/// The constants, for classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The voters and plain learners that they were made with.
    pub pool: Vec<String>,
    /// Number of tasks.
    pub tasks: usize,
    /// Gain of the vote over the plain learners, [scaled](Signs).
    pub gain: Line,
    /// Accuracy of the vote.
    pub vote: Line,
    /// Accuracy of the plain learners.
    pub plain: Line,
    /// Gain of a model of any origin over the plain learners, scaled likewise.
    pub given_gain: Line,
    /// Its accuracy.
    pub given: Line,
}

/// A task whose answer is known, as the choice saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The family of data that it comes from.
    pub family: String,
    /// How its columns were read.
    pub reading: Reading,
    /// What estimates are made of.
    pub signs: Signs,
    /// Accuracy of the vote.
    pub vote: f64,
    /// Accuracy of the plain learners.
    pub plain: f64,
    /// Signs of each of those that were tried, as the vote of the others has them, and its accuracy.
    pub others: Vec<(Signs, f64)>,
}

/// The readings that have weights of their own; where the columns do not tell, the same vote as if they were rescaled.
const READINGS: [Reading; 3] = [Reading::SameUnits, Reading::Rescaled, Reading::Mixed];

fn counted_as(reading: Reading) -> Reading {
    if reading == Reading::NotIdentifiable { Reading::Rescaled } else { reading }
}

/// The fewest tasks of a reading, and of all families.
const FEWEST: usize = 10;

/// Of the weights, so that few tasks do not settle them.
const RIDGE: f64 = 0.02;

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
    /// Least squares over tasks of several families, for each reading of the columns; what is left over of families that were
    /// left out is put together.
    ///
    /// # Errors
    /// [`Error::Input`] for fewer than ten tasks or two families of a reading.
    pub fn of(seen: &[Seen]) -> Result<Self> {
        let mut groups: Vec<(Reading, Vec<&Seen>)> = Vec::new();
        let mut others: Vec<(Reading, Vec<Point>)> = Vec::new();
        for reading in READINGS {
            let those: Vec<&Seen> = seen.iter().filter(|one| counted_as(one.reading) == reading).collect();
            let families: BTreeSet<&str> = those.iter().map(|one| one.family.as_str()).collect();
            if those.len() < FEWEST || families.len() < 2 {
                let problem = format!(
                    "{} of {} families are read as `{}`",
                    those.len(),
                    families.len(),
                    reading.name()
                );
                let hint = format!("constants take {FEWEST} tasks of two families at least for each reading");
                return Err(Error::input("the tasks", problem, hint));
            }
            let each = |one: &&Seen| {
                let (family, count) = (one.family.clone(), one.others.len() as f64);
                let point = |(signs, accuracy): &(Signs, f64)| Point {
                    family: family.clone(),
                    signs: *signs,
                    gain: accuracy - one.plain,
                    accuracy: *accuracy,
                    weight: 1.0 / count,
                };
                one.others.iter().map(point).collect::<Vec<_>>()
            };
            others.push((reading, those.iter().flat_map(each).collect()));
            groups.push((reading, those));
        }
        let points = |accuracy: &dyn Fn(&Seen) -> f64| -> Vec<(Reading, Vec<Point>)> {
            let point = |one: &&Seen| Point {
                family: one.family.clone(),
                signs: one.signs,
                gain: one.vote - one.plain,
                accuracy: accuracy(one),
                weight: 1.0,
            };
            groups.iter().map(|(reading, those)| (*reading, those.iter().map(point).collect())).collect()
        };
        let (vote, plain) = (points(&|one| one.vote), points(&|one| one.plain));
        let (of_gain, of_accuracy): (Scale, Scale) = (&Signs::scale_of_gain, &Signs::scale_of_accuracy);
        Ok(Self {
            pool: pool(),
            tasks: seen.len(),
            gain: Line::of(&vote, &Signs::of_gain, [of_gain, of_gain], &|one| one.gain)?,
            vote: Line::of(&vote, &Signs::of_accuracy, [&|_| 1.0, of_accuracy], &|one| one.accuracy)?,
            plain: Line::of(&plain, &Signs::of_accuracy, [&|_| 1.0, of_accuracy], &|one| one.accuracy)?,
            given_gain: Line::of(&others, &Signs::of_gain_of_given, [of_gain, of_gain], &|one| one.gain)?,
            given: Line::of(&others, &Signs::of_accuracy, [&|_| 1.0, of_accuracy], &|one| one.accuracy)?,
        })
    }
}

/// By what errors are larger on some tasks than on others.
type Scale<'a> = &'a dyn Fn(&Signs) -> f64;

/// One set of answers on a task.
struct Point {
    family: String,
    signs: Signs,
    gain: f64,
    accuracy: f64,
    /// All of a task weigh 1.
    weight: f64,
}

impl Line {
    fn of<const N: usize>(
        groups: &[(Reading, Vec<Point>)],
        signs: &dyn Fn(&Signs) -> [f64; N],
        [in_fit, scale]: [Scale<'_>; 2],
        truth: &dyn Fn(&Point) -> f64,
    ) -> Result<Self> {
        let (mut weights, mut off) = (BTreeMap::new(), Vec::new());
        for (reading, those) in groups {
            let of = |left_out: Option<&str>| {
                let kept = those.iter().filter(|one| Some(one.family.as_str()) != left_out);
                let rows: Vec<(Vec<f64>, f64)> = kept
                    .map(|one| {
                        let unit = in_fit(&one.signs);
                        let root = one.weight.sqrt() / unit;
                        (signs(&one.signs).iter().map(|sign| sign * root).collect(), truth(one) * root)
                    })
                    .collect();
                least_squares(&rows)
            };
            let families: BTreeSet<&str> = those.iter().map(|one| one.family.as_str()).collect();
            for family in families {
                let without = of(Some(family))?;
                for one in those.iter().filter(|one| one.family == family) {
                    off.push((
                        (truth(one) - sum(&without, &signs(&one.signs))) / scale(&one.signs),
                        one.weight,
                    ));
                }
            }
            weights.insert(reading.name().into(), of(None)?);
        }
        off.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = |share: f64| quantile(&off, share);
        Ok(Self { weights, low: at(0.025).min(0.0), high: at(0.975).max(0.0), floor: at(0.03).min(0.0) })
    }

    /// The sum under this reading.
    pub(super) fn at(&self, reading: Reading, signs: &[f64]) -> f64 {
        sum(&self.weights[counted_as(reading).name()], signs)
    }
}

/// The value that lies above this share of all weight, of values that rise: the nearest to it.
fn quantile(of: &[(f64, f64)], share: f64) -> f64 {
    let all: f64 = of.iter().map(|(_, weight)| weight).sum();
    let last = of.last().map_or(0.0, |(_, weight)| *weight);
    let (mut below, aim) = (0.0, share * (all - last));
    for (value, weight) in of {
        if below + 0.5 * weight > aim {
            return *value;
        }
        below += weight;
    }
    of.last().map_or(0.0, |(value, _)| *value)
}

fn sum(weights: &[f64], signs: &[f64]) -> f64 {
    weights.iter().zip(signs).map(|(a, b)| a * b).sum()
}

/// The weights with the least squared error, a little ridge besides.
fn least_squares(rows: &[(Vec<f64>, f64)]) -> Result<Vec<f64>> {
    let count = rows.first().map_or(0, |(signs, _)| signs.len());
    let products = |a: usize, b: usize| rows.iter().map(|(signs, _)| signs[a] * signs[b]).sum::<f64>();
    let gram = Matrix::from_fn(count, count, |a, b| products(a, b) + if a == b { RIDGE } else { 0.0 });
    let mut right = Matrix::from_fn(count, 1, |a, _| rows.iter().map(|(signs, y)| signs[a] * y).sum::<f64>());
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
        // Widths are in points of accuracy: of a vote that is as sure as most are.
        let sure =
            Signs { lead: 0.0, differ: 0.0, drop: 0.0, certainty: 0.8, learnt: 0.0 }.scale_of_accuracy();
        let gains = [(&own.gain, 4, 1.0), (&own.given_gain, 2, 1.0)];
        let shares = [(&own.vote, 4, sure), (&own.plain, 4, sure), (&own.given, 4, sure)];
        for (line, signs, scale) in gains.into_iter().chain(shares) {
            for reading in READINGS {
                assert_eq!(line.weights[reading.name()].len(), signs);
            }
            assert!(line.low <= line.floor && line.floor <= 0.0 && line.high >= 0.0, "{line:?}");
            assert!((line.high - line.low) * scale < 1.0, "{line:?}");
        }
    }

    #[test]
    fn constants_that_made_the_tasks_are_found_again() {
        let seen = |k: usize| {
            let part = |by: usize| ((k * by) % 17) as f64 / 17.0;
            let (lead, differ) = (part(3), part(11));
            let signs = Signs { lead, differ, drop: part(5), certainty: part(7), learnt: part(13) };
            let reading = READINGS[k % 3];
            let own = [0.1, 0.4, 0.7][k % 3];
            let plain = 0.1 + 0.5 * signs.certainty + own * signs.learnt - 0.2 * signs.differ;
            let vote = plain + own * signs.lead + 0.1 * signs.drop;
            let given = |k: usize| {
                let signs = Signs { lead: part(3 + k), ..signs };
                (signs, plain + own * signs.lead - 0.3 * differ)
            };
            let others = (0..2).map(given).collect();
            Seen { family: format!("f{}", k / 3 % 3), reading, vote, plain, signs, others }
        };
        let found = Calibration::of(&(0..3000).map(seen).collect::<Vec<_>>()).unwrap();
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-3);
        for (k, reading) in READINGS.iter().enumerate() {
            let own = [0.1, 0.4, 0.7][k];
            assert!(near(&found.gain.weights[reading.name()], &[0.0, own, 0.1, 0.0]), "{found:?}");
            assert!(near(&found.plain.weights[reading.name()], &[0.1, 0.5, own, -0.2]), "{found:?}");
        }
        for (k, reading) in READINGS.iter().enumerate() {
            assert!(
                near(&found.given_gain.weights[reading.name()], &[[0.1, 0.4, 0.7][k], -0.3]),
                "{found:?}"
            );
        }
        assert!(found.given_gain.high < 1e-2 && found.given.high < 0.5);
        assert!(found.gain.high < 1e-2 && found.gain.floor > -1e-2 && found.tasks == 3000);
        let error = Calibration::of(&(0..20).map(seen).collect::<Vec<_>>()).unwrap_err();
        assert!(error.to_string().contains("are read as"), "{error}");
    }
}
