//! Feature selection by f-MMD: each column is weighted by how much it makes the domains differ, and columns that weigh
//! much are dropped.
//!
//! When: some columns moved and others did not (a sensor was replaced, a code got another meaning), and those that did
//! not are enough to tell the answer. It hurts where the moved columns are the ones that tell the classes apart, or
//! where the class shares differ, because then the columns that tell the classes move with them.
//!
//! Paper: S. Uguroglu, J. Carbonell, "Feature selection for transfer learning", ECML PKDD 2011
//!
//! ```text
//! max over w   MMD²(source, target; k_w)    subject to    w >= 0,   |w| <= 1
//! linear:      k_w(x, y) = Σ_j w_j x_j y_j              MMD² = Σ_j a_j w_j
//! quadratic:   k_w(x, y) = (1 + Σ_j w_j x_j y_j)²       MMD² = 2 Σ_j a_j w_j + Σ_jl w_j H_jl w_l
//! a_j = (mean_s x_j - mean_t x_j)²,   H_jl = (mean_s x_j x_l - mean_t x_j x_l)²
//! ```
//! The linear problem has the solution `w = a / |a|`. The quadratic one also sees changes of spread and of correlation.
//! It is not a convex problem, yet its global solution is found: with `mu` at or above the largest eigenvalue of `H`
//! ```text
//! (mu I - H) w = a,   |w| = 1
//! ```
//! is that of the problem without `w >= 0` (a trust-region problem), and as no entry of `a` and `H` is below 0, no
//! `w_j` is. One eigenvalue decomposition and a search along `mu` give it. A column is dropped where `w_j √d >
//! threshold`: where it moved more than it would if all had moved alike.
//!
//! Where we differ: the authors hand the problem to a general solver, which may end in a local maximum, and leave the
//! threshold open. A column is kept, whatever its weight, where the test of Kolmogorov and Smirnov does not find that
//! it moved (at 5 % for all columns together): something always weighs most, also between two samples of one
//! population. The last column is never dropped.
//!
//! Cost: linear `O(n d log n)` time; quadratic `O(n d² + d³)` time and `40 d²` bytes; both a copy of the rows.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Cells, Task};
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{BLOCK, Matrix, column_means, multiply, symmetric_eigen};
use crate::measures::moved_columns;
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, make, must, params_of};
use crate::models::Map;
use crate::solvers::add_gram;

/// Parameters of feature selection by f-MMD.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FMmd {
    /// linear or quadratic: whether columns are compared by their means alone, or by spread and correlation too.
    pub kernel: MomentKernel,
    /// The weight above which a column is dropped, in units of 1 / √(number of columns), the weight of each where all
    /// move alike. At least 0.
    pub threshold: f64,
}

/// What the columns are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MomentKernel {
    /// Their means.
    Linear,
    /// Their means and second moments.
    Quadratic,
}

impl Default for FMmd {
    fn default() -> Self {
        Self { kernel: MomentKernel::Quadratic, threshold: 1.0 }
    }
}

impl FMmd {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "f-mmd",
        family: Family::Mapping,
        summary: "drops the columns that make the domains differ most",
        when: "some columns moved, and those that did not are enough to tell the answer",
        paper: "S. Uguroglu, J. Carbonell, \"Feature selection for transfer learning\", ECML PKDD 2011",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: usize::MAX,
        source: include_str!("f_mmd.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for FMmd {
    fn check(&self) -> Result<()> {
        let level = self.threshold;
        must("f-mmd", "threshold", level >= 0.0 && level.is_finite(), "at least 0", level)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let d = task.columns();
        let system = if self.kernel == MomentKernel::Quadratic { 40 * (d * d) as u64 } else { 0 };
        context.require("the moments of `f-mmd`", task.bytes().saturating_add(system))?;
        let weights = self.weights(task.source.features.as_ref(), task.target.features.as_ref())?;
        let level = self.threshold / (d as f64).sqrt();
        let mut dropped: Vec<usize> = (0..d).filter(|&j| weights[j] > level).collect();
        let moved = moved(task, &dropped);
        dropped.retain(|j| moved.contains(j));
        if dropped.len() == d {
            let least = (1..d).fold(0, |least, j| if weights[j] < weights[least] { j } else { least });
            dropped.retain(|j| *j != least);
        }
        if dropped.is_empty() {
            context.note("f-mmd", "no column moved enough to be dropped");
            let source = Cow::Borrowed(&task.source.features);
            return Ok(Adapted { source, weights: None, target_map: Vec::new() });
        }
        context.note("f-mmd", format!("{} of {d} columns are dropped", dropped.len()));
        let mut scale = Mat::full(1, d, 1.0);
        for &j in &dropped {
            scale[(0, j)] = 0.0;
        }
        let map = Map::Affine { shift: Mat::zeros(1, d), scale };
        let source = Cow::Owned(map.apply(task.source.features.as_ref()));
        Ok(Adapted { source, weights: None, target_map: vec![map] })
    }
}

impl FMmd {
    /// The weight of each column, at least 0, of length 1; all 0 where nothing differs.
    ///
    /// # Errors
    /// [`Numeric`](crate::error::Error::Numeric) if the eigenvalue decomposition breaks down.
    pub fn weights(&self, source: MatRef<'_, f64>, target: MatRef<'_, f64>) -> Result<Vec<f64>> {
        let (m_s, m_t) = (column_means(source), column_means(target));
        let a: Vec<f64> = m_s.iter().zip(&m_t).map(|(s, t)| (s - t).powi(2)).collect();
        let mut weights = match self.kernel {
            MomentKernel::Linear => a,
            MomentKernel::Quadratic => {
                let mut h = second_moments(source);
                h -= second_moments(target);
                for j in 0..h.ncols() {
                    h.col_mut(j).iter_mut().for_each(|v| *v *= *v);
                }
                farthest(&h, &a)?
            }
        };
        let length = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
        if length > 0.0 {
            for weight in &mut weights {
                *weight /= length;
            }
        }
        Ok(weights)
    }
}

/// `XᵀX / n`, the lower triangle.
fn second_moments(x: MatRef<'_, f64>) -> Matrix {
    let n = x.nrows();
    let mut sum = Mat::zeros(x.ncols(), x.ncols());
    for first in (0..n).step_by(32 * BLOCK) {
        add_gram(&mut sum, x.get(first..n.min(first + 32 * BLOCK), ..));
    }
    sum *= faer::Scale(1.0 / n as f64);
    sum
}

/// The `w` of length 1 that maximises `2 aᵀ w + wᵀ h w`, for `a` and `h` (its lower triangle) without an entry below 0;
/// 0 if both are 0.
fn farthest(h: &Matrix, a: &[f64]) -> Result<Vec<f64>> {
    let d = a.len();
    let (values, vectors) = symmetric_eigen(h.as_ref())?;
    let a = Mat::from_fn(d, 1, |j, _| a[j]);
    let length = a.norm_l2();
    if length <= 0.0 && values[0] <= 0.0 {
        return Ok(vec![0.0; d]);
    }
    let parts: Vec<f64> = multiply(vectors.transpose(), a.as_ref()).col(0).iter().copied().collect();
    // With mu = values[0] + s, part i of the solution is parts[i] / (s + gaps[i]); its length falls with s.
    let gaps: Vec<f64> = values.iter().map(|v| values[0] - v).collect();
    let solution = |s: f64| -> Vec<f64> {
        parts.iter().zip(&gaps).map(|(c, gap)| if *c == 0.0 { 0.0 } else { c / (s + gap) }).collect()
    };
    let squared = |z: &[f64]| z.iter().map(|z| z * z).sum::<f64>();
    // The length is at least 1 at |parts[0]|, and at most 1 at |a|. Bisection of the exponent, then of the number.
    let floor = (f64::EPSILON * values[0].max(length)).max(f64::MIN_POSITIVE);
    let (mut low, mut high) = (parts[0].abs().max(floor), length.max(floor));
    while high / low > 1.0 + 4.0 * f64::EPSILON {
        let middle = if high / low > 2.0 { (low * high).sqrt() } else { f64::midpoint(low, high) };
        if middle <= low || middle >= high {
            break;
        }
        if squared(&solution(middle)) > 1.0 { low = middle } else { high = middle }
    }
    let mut z = solution(high);
    let mut rest = Vec::new();
    if squared(&z) < 1.0 - 1e-9 {
        // `a` is orthogonal to the first eigenvector: what is missing to length 1 lies along it. Of the eigenvector and
        // its absolute values, which are one too, only the second has no entry below 0.
        let missing = (1.0 - squared(&z[1..])).max(0.0).sqrt();
        z[0] = 0.0;
        rest = vectors.col(0).iter().map(|v| missing * v.abs()).collect();
    }
    let w = multiply(vectors.as_ref(), Mat::from_fn(d, 1, |i, _| z[i]).as_ref());
    let with_rest = |(j, w): (usize, &f64)| (w + rest.get(j).copied().unwrap_or(0.0)).max(0.0);
    Ok(w.col(0).iter().enumerate().map(with_rest).collect())
}

/// Those of the columns that differ more than chance explains, among all columns.
fn moved(task: &Task, columns: &[usize]) -> Vec<usize> {
    let cells = |x: &Matrix, j: usize| Cells::Numbers(x.col(j).iter().copied().collect());
    let d = task.columns();
    let both: Vec<(String, Cells, Cells)> = (0..d)
        .map(|j| (j.to_string(), cells(&task.source.features, j), cells(&task.target.features, j)))
        .collect();
    let compared: Vec<(&str, Vec<&Cells>, &Cells)> =
        both.iter().map(|(name, source, target)| (name.as_str(), vec![source], target)).collect();
    let found = moved_columns(&compared);
    let moved = |j: &usize| found.iter().any(|column| column.moved() && column.column == both[*j].0);
    columns.iter().copied().filter(moved).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    fn quadratic() -> FMmd {
        FMmd::default()
    }

    /// a = (9, 16) by the means, and `a / |a|` of length 1.
    #[test]
    fn linear_weights_by_hand() {
        let (s, t) = (from_rows(&[vec![0.0, 1.0], vec![0.0, 3.0]]), from_rows(&[vec![3.0, -2.0]]));
        let method = FMmd { kernel: MomentKernel::Linear, ..FMmd::default() };
        let weights = method.weights(s.as_ref(), t.as_ref()).unwrap();
        let length = 337f64.sqrt();
        assert!((weights[0] - 9.0 / length).abs() < 1e-15 && (weights[1] - 16.0 / length).abs() < 1e-15);
    }

    /// Means 0 on both sides, so a = 0; the second moments differ by 3 in the second column and by nothing else.
    #[test]
    fn a_change_of_spread_alone() {
        let (s, t) = (
            from_rows(&[vec![1.0, 1.0], vec![-1.0, 1.0], vec![1.0, -1.0], vec![-1.0, -1.0]]),
            from_rows(&[vec![1.0, 2.0], vec![-1.0, 2.0], vec![1.0, -2.0], vec![-1.0, -2.0]]),
        );
        let weights = quadratic().weights(s.as_ref(), t.as_ref()).unwrap();
        assert!(weights[0].abs() < 1e-12 && (weights[1] - 1.0).abs() < 1e-12, "{weights:?}");
        assert_eq!(quadratic().weights(s.as_ref(), s.as_ref()).unwrap(), [0.0, 0.0]);
    }

    /// The conditions of the global maximum: `(mu I - h) w = a` with `mu` at or above every eigenvalue, `|w| = 1`,
    /// `w >= 0`.
    #[test]
    fn the_maximum_meets_its_conditions() {
        for (d, scale, still) in [(3, 1.0, 0), (12, 1e-6, 3), (12, 1e3, 12), (30, 1.0, 29)] {
            let h = Mat::from_fn(d, d, |i, j| (((i.max(j) * 7 + i.min(j) * 3) % 11) as f64 / 5.0).powi(2));
            let a: Vec<f64> =
                (0..d).map(|j| if j < still { 0.0 } else { scale * ((j * 5) % 7) as f64 }).collect();
            let w = farthest(&h, &a).unwrap();
            let product = multiply(h.as_ref(), Mat::from_fn(d, 1, |j, _| w[j]).as_ref());
            let pull: Vec<f64> = (0..d).map(|j| product[(j, 0)] + a[j]).collect();
            let mu: f64 = pull.iter().zip(&w).map(|(p, w)| p * w).sum();
            let off = (0..d).map(|j| (pull[j] - mu * w[j]).abs()).fold(0.0, f64::max);
            assert!(off < 1e-9 * mu, "{d}, {scale}: {off:e}");
            assert!((w.iter().map(|w| w * w).sum::<f64>() - 1.0).abs() < 1e-9);
            let largest = symmetric_eigen(h.as_ref()).unwrap().0[0];
            assert!(mu >= largest * (1.0 - 1e-12) && w.iter().all(|w| *w >= 0.0), "{mu} {largest}");
        }
    }

    fn task(shift: f64, d: usize, n: usize) -> Task {
        let value = |i: usize, j: usize| ((i * (2 * j + 7) + j * 13 + i * i * (j + 1)) % 101) as f64 / 30.0;
        let goal = Goal::Value;
        let source = Domain::labelled("s", Mat::from_fn(n, d, value), Labels::Values(vec![0.0; n]));
        let moved = |i: usize, j: usize| value(i + n, j) + if j == 1 { shift } else { 0.0 };
        Task::new(vec![source], Domain::unlabelled("t", Mat::from_fn(n, d, moved), &goal), goal).unwrap()
    }

    #[test]
    fn the_column_that_moved_is_dropped_and_no_other() {
        let adapt = |task: &Task| {
            let adapted =
                quadratic().adapt(task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
            (adapted.source.into_owned(), adapted.target_map)
        };
        let moved = task(3.0, 4, 60);
        let (source, map) = adapt(&moved);
        assert_eq!(source.col(0), moved.source.features.col(0));
        assert!(source.col(1).norm_max() == 0.0 && map.len() == 1);
        let (source, map) = adapt(&task(0.0, 4, 60));
        assert!(map.is_empty() && source.col(1).norm_max() > 0.0);
        let (source, _) = adapt(&task(9.0, 40, 20)); // more columns than rows
        assert!(source.col(1).norm_max() == 0.0 && source.col(2).norm_max() > 0.0);
        let single = task(9.0, 2, 40).select(&[0, 1, 2], &[4]);
        adapt(&single); // domains of next to no rows
    }
}
