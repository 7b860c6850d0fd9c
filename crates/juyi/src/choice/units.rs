//! Did the units move, or the population? Rows alone tell it only in part, by three signs.
//!
//! - *Relations between columns*: each column is regressed on all others on one half of the source. Where rows of the other
//!   half and of the target leave residuals of the same size, the target is in the source's units, whatever moved; where the
//!   target's are much larger, relations are broken as changed units break them.
//! - *Marginals*: how far the columns moved in the source's units. Changed units break relations by as much as columns
//!   moved or more; a population that moved along its relations breaks them by less. Where columns are unrelated the two
//!   cannot be told apart.
//! - *Decimals*: a source column of whole numbers, or of so many decimals, of which the target has others is in another unit.
//!
//! Of many columns of one kind (words, pixels, activations) each is a part of the whole: what moves is their mixture.

use faer::{Mat, MatRef};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::data::Task;
use crate::error::Result;
use crate::linalg::{Matrix, cholesky, covariance, select_rows, solve_cholesky};
use crate::models::Map;

/// How the target's columns lie to the source's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// In the same units.
    SameUnits,
    /// Each rescaled by itself.
    Rescaled,
    /// Mixed with one another, as by another sensor or vocabulary.
    Mixed,
    /// The rows do not say.
    NotIdentifiable,
}

impl Reading {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SameUnits => "same-units",
            Self::Rescaled => "rescaled",
            Self::Mixed => "mixed",
            Self::NotIdentifiable => "not-identifiable",
        }
    }
}

/// The reading, with the signs that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// What the rows say, or the user.
    pub reading: Reading,
    /// Whether the user said it.
    pub assumed: bool,
    /// Median over the columns of the logarithm of the residual that the other columns leave of the target, in the source's
    /// units, over that of held-out source rows; absent where it was not looked at.
    pub broken: Option<f64>,
    /// The same of the columns themselves: how far they moved.
    pub moved: Option<f64>,
    /// The share of a column's variance that the others explain, in the median.
    pub related: Option<f64>,
    /// Columns of whole numbers or of few decimals in the source, and those of them of which the target has others.
    pub decimals: (usize, usize),
}

impl Units {
    /// The reading in a sentence.
    pub(super) fn words(&self) -> &'static str {
        match (self.reading, self.assumed) {
            (Reading::SameUnits, false) => "The target's columns are in the source's units.",
            (Reading::Rescaled, false) => "The target's columns are in other units than the source's.",
            (Reading::Mixed, false) => "The columns are parts of a whole.",
            (Reading::NotIdentifiable, _) => {
                "Whether the units moved or the rows did cannot be told from the rows."
            }
            (Reading::SameUnits, true) => "The target's columns are taken to be in the source's units.",
            (Reading::Rescaled, true) => {
                "The target's columns are taken to be in other units than the source's."
            }
            (Reading::Mixed, true) => "The target's columns are taken to be mixtures of the source's.",
        }
    }

    /// A reading that the user gives.
    pub(super) fn assumed(reading: Reading) -> Self {
        Self { reading, assumed: true, broken: None, moved: None, related: None, decimals: (0, 0) }
    }
}

/// From so many columns on that have more than two values, columns are parts of a whole.
const MANY_COLUMNS: usize = 50;

/// Relations that are broken by less than this logarithm hold.
const HOLD: f64 = 0.4;

/// The least share of a column that its relations must explain to say something.
const RELATED: f64 = 0.1;

/// The reading of a task's rows.
///
/// # Errors
/// [`Error::Numeric`](crate::error::Error::Numeric) if a covariance breaks down.
pub(super) fn read(task: &Task, rng: &mut ChaCha8Rng) -> Result<Units> {
    let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
    let decimals = decimals(source, target);
    let unknown =
        Units { reading: Reading::Mixed, assumed: false, broken: None, moved: None, related: None, decimals };
    let many = (0..source.ncols()).filter(|&j| more_than_two(source, j)).take(MANY_COLUMNS).count();
    if many == MANY_COLUMNS {
        return Ok(unknown);
    }
    let Some(signs) = signs(source, target, rng)? else {
        return Ok(Units { reading: Reading::NotIdentifiable, ..unknown });
    };
    let Signs { broken, moved, related, breaks_more } = signs;
    let (granular, others) = decimals;
    let reading = if broken <= HOLD {
        Reading::SameUnits
    } else if 3 * others >= granular.max(1) && others > 0 {
        Reading::Rescaled
    } else if others == 0 && 2 * granular >= source.ncols() {
        Reading::SameUnits // the decimals stand
    } else if related >= RELATED && breaks_more {
        Reading::Rescaled
    } else {
        Reading::NotIdentifiable
    };
    Ok(Units { reading, broken: Some(broken), moved: Some(moved), related: Some(related), ..unknown })
}

struct Signs {
    broken: f64,
    moved: f64,
    related: f64,
    /// Whether relations broke by as much as the columns moved, or more.
    breaks_more: bool,
}

/// Fewer source rows say nothing about relations.
const FEWEST_ROWS: usize = 20;

fn signs(source: MatRef<'_, f64>, target: MatRef<'_, f64>, rng: &mut ChaCha8Rng) -> Result<Option<Signs>> {
    let n = source.nrows();
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(rng);
    let (first, second) = order.split_at(n / 2);
    let varies = |rows: &[usize], j: usize| rows.iter().any(|&i| source[(i, j)] != source[(rows[0], j)]);
    if n < FEWEST_ROWS {
        return Ok(None);
    }
    let kept: Vec<usize> = (0..source.ncols()).filter(|&j| varies(first, j) && varies(second, j)).collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let columns = |x: MatRef<'_, f64>| Mat::from_fn(x.nrows(), kept.len(), |i, j| x[(i, kept[j])]);
    let (source, target) = (columns(source), columns(target));
    // Mean squares of residuals and of columns: of held-out source rows, then of the target.
    let mut sums = vec![[0.0; 4]; kept.len()];
    for (fit, held) in [(first, second), (second, first)] {
        let rows = select_rows(source.as_ref(), fit);
        let (units, _) = Map::standardize(rows.as_ref());
        let relations = Relations::of(&units.apply(rows.as_ref()))?;
        let held = units.apply(select_rows(source.as_ref(), held).as_ref());
        let target = units.apply(target.as_ref());
        for (at, x) in [(0, &held), (2, &target)] {
            let left = relations.residuals(x)?;
            for (j, sums) in sums.iter_mut().enumerate() {
                sums[at] += mean_square(&left, j);
                sums[at + 1] += mean_square(x, j);
            }
        }
    }
    let of = |value: &dyn Fn(&[f64; 4]) -> f64| median(sums.iter().map(value).collect());
    let log = |v: f64| 0.5 * v.max(1e-12).ln();
    let broken = of(&|[held, _, target, _]| log(*target) - log(*held));
    let moved = of(&|[_, held, _, target]| log(*target) - log(*held));
    let related = of(&|[left, all, ..]| 1.0 - left / all.max(1e-12));
    let excess = of(&|[left, held, broken, moved]| (broken - left) - (moved - held));
    Ok(Some(Signs { broken, moved, related, breaks_more: excess >= 0.0 }))
}

/// What the other columns say of each column.
struct Relations {
    /// Lower triangle of the ridge-regularised covariance.
    factor: Matrix,
    /// Diagonal of its inverse.
    diagonal: Vec<f64>,
}

/// Added to the diagonal of the covariance of standardised columns, beside columns over rows.
const RIDGE: f64 = 0.02;

impl Relations {
    fn of(x: &Matrix) -> Result<Self> {
        let (n, d) = x.shape();
        let mut covariance = covariance(x.as_ref());
        for j in 0..d {
            covariance[(j, j)] += RIDGE + d as f64 / n as f64;
        }
        let factor = cholesky(covariance.as_ref())?;
        let mut inverse = Mat::identity(d, d);
        solve_cholesky(factor.as_ref(), inverse.as_mut());
        Ok(Self { diagonal: (0..d).map(|j| inverse[(j, j)]).collect(), factor })
    }

    /// What ridge regression on all others leaves of each column: `x P`, each column over `P_jj`, `P` the inverse.
    fn residuals(&self, x: &Matrix) -> Result<Matrix> {
        let mut out = x.transpose().to_owned();
        solve_cholesky(self.factor.as_ref(), out.as_mut());
        Ok(Mat::from_fn(x.nrows(), x.ncols(), |i, j| out[(j, i)] / self.diagonal[j]))
    }
}

fn mean_square(x: &Matrix, j: usize) -> f64 {
    x.col(j).iter().map(|v| v * v).sum::<f64>() / x.nrows() as f64
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn more_than_two(x: MatRef<'_, f64>, j: usize) -> bool {
    let mut values: Vec<f64> = Vec::new();
    x.col(j).iter().any(|v| {
        if !values.contains(v) {
            values.push(*v);
        }
        values.len() > 2
    })
}

/// Most decimals that make a column granular.
const MOST_DECIMALS: i32 = 2;

/// Columns that have few decimals in the source, and those of them of which most cells of the target have more.
fn decimals(source: MatRef<'_, f64>, target: MatRef<'_, f64>) -> (usize, usize) {
    let on = |v: f64, decimals: i32| {
        let scaled = v * 10f64.powi(decimals);
        (scaled - scaled.round()).abs() <= 1e-6 * scaled.abs().max(1.0) && scaled.abs() < 1e9
    };
    let share = |x: MatRef<'_, f64>, j: usize, decimals: i32| {
        x.col(j).iter().filter(|v| on(**v, decimals)).count() as f64 / x.nrows() as f64
    };
    let (mut granular, mut others) = (0, 0);
    for j in 0..source.ncols() {
        let varies = source.col(j).iter().any(|v| *v != source[(0, j)]);
        let few = (0..=MOST_DECIMALS).find(|&decimals| varies && share(source, j, decimals) > 0.98);
        if let Some(decimals) = few {
            granular += 1;
            others += usize::from(share(target, j, decimals) < 0.5);
        }
    }
    (granular, others)
}
