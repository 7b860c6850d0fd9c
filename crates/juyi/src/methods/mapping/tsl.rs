//! Transfer subspace learning: a projection that serves the task on the source rows, and in which the rows of both
//! domains are spread alike.
//!
//! When: few directions tell the classes apart, and some of these are the same in both domains. Up to a few thousand
//! rows. It hurts where every direction that tells the classes apart moves: it then gives up what the learner needs.
//!
//! Paper: S. Si, D. Tao, B. Geng, "Bregman divergence-based regularization for transfer subspace learning", IEEE TKDE 2010
//!
//! ```text
//! min over W, Wᵀ W = I    F(W) + weight D(W)
//! fisher:  F = tr(Wᵀ S_W W) / tr(Wᵀ S_T W)             pca:  F = -tr(Wᵀ S_T W) / tr(S_T)
//! D = Σ_ij v_i v_j exp(-|z_i - z_j|² / (2 h²)),   z_i = x_i W,   v_i = 1/n_s (source), -1/n_t (target)
//! ```
//! `S_W` and `S_T` are the scatter within classes and in all of the labelled rows, divided by their number, with
//! `regularization · tr(S_T) / d` added to the diagonal for fisher. `D` is the integral of the squared difference of
//! the two densities of projected rows, each estimated with Gaussian kernels of width `h / √2`, times a constant: the
//! quadratic case of the Bregman divergence. `F` is between 0 and 1 (fisher) or -1 and 0 (pca), `D` between 0 and 2.
//!
//! Neither changes when `W` is turned within its span, so the search is over spans: over all `A` with `W` from `A = W
//! R`, with the gradient `(I - W Wᵀ) ∇ R⁻ᵀ`, by L-BFGS from the first principal directions of all rows. The minimum
//! found is a local one.
//!
//! Where we differ: Fisher's criterion is written with `S_T` in place of the scatter between classes, which has the
//! same minimum where the weight is 0 and stays between 0 and 1 elsewhere. The kernels have one width, fixed from the
//! start, where the paper leaves them open. skada's version of the criterion rewards small distances between class
//! means, and its kernels take distances that are not squared; its numbers are others. Labelled target rows count among
//! the labelled rows.
//!
//! Cost: `O(n² k + n d k)` time a step, `O(n d min(n, d))` for the start; `O(n d)` memory.

use std::borrow::Cow;

use faer::linalg::triangular_solve::solve_upper_triangular_in_place;
use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Goal, Labels, Task};
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{
    Matrix, PAR, column_means, covariance, gaussian_kernel_times, median_distance, multiply,
    orthonormal_columns, rows_times, select_rows, symmetric_eigen, thin_svd,
};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::Map;
use crate::solvers::{Options, minimize};

/// Parameters of transfer subspace learning.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tsl {
    /// Dimensions of the projection, k. 1 to 1000000, no more than columns or rows are used; by default one less than
    /// classes for fisher, 10 for pca.
    pub components: Option<usize>,
    /// fisher or pca: what the projection is to be good for. A regression has no classes and takes pca.
    pub base: TslBase,
    /// How much the difference of the domains counts. At least 0.
    pub weight: f64,
    /// Steps of the search, at most. 1 to 1000000.
    pub iterations: usize,
    /// Width of the kernels, h. Above 0; by default the median distance of rows along the first principal directions.
    pub bandwidth: Option<f64>,
    /// What is added to the scatters for fisher, in units of the mean variance of a column. At least 0.
    pub regularization: f64,
}

/// What a projection is to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TslBase {
    /// Telling the classes apart.
    Fisher,
    /// Keeping the variance of the source.
    Pca,
}

impl Default for Tsl {
    fn default() -> Self {
        Self {
            components: None,
            base: TslBase::Fisher,
            weight: 1.0,
            iterations: 200,
            bandwidth: None,
            regularization: 0.01,
        }
    }
}

impl Tsl {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "tsl",
        family: Family::Mapping,
        summary: "a projection that tells the source's classes apart and in which both domains are spread alike",
        when: "few directions tell the classes apart, some of them the same in both domains; a few thousand rows",
        paper: "S. Si, D. Tao, B. Geng, \"Bregman divergence-based regularization for transfer subspace learning\", IEEE TKDE 2010",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE, // each fit is a search with n² kernel values a step
        most_rows: 5000,
        source: include_str!("tsl.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Tsl {
    fn check(&self) -> Result<()> {
        let components = self.components.unwrap_or(1);
        count("tsl", "components", components, 1..=1_000_000)?;
        let not_below = |v: f64| v >= 0.0 && v.is_finite();
        must("tsl", "weight", not_below(self.weight), "at least 0", self.weight)?;
        count("tsl", "iterations", self.iterations, 1..=1_000_000)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must("tsl", "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)?;
        must("tsl", "regularization", not_below(self.regularization), "at least 0", self.regularization)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n, d) = (task.source.rows() + task.target.rows(), task.columns());
        let base = match (self.base, &task.goal) {
            (TslBase::Fisher, Goal::Value) => {
                context.note("tsl", "a regression has no classes: base pca is used");
                TslBase::Pca
            }
            (base, _) => base,
        };
        let asked = self.components.unwrap_or(match base {
            TslBase::Fisher => task.source_classes().len() - 1,
            TslBase::Pca => 10,
        });
        let k = asked.min(n).min(d);
        if k < asked && self.components.is_some() {
            context.note("tsl", format!("{asked} components asked for, {n} rows of {d} columns have {k}"));
        }
        // The rows twice, the start's decomposition, the directions that the search remembers.
        let need = 8 * (2 * n * d + 6 * d * d.min(n) + n * (8 * k + 128) + 30 * d * k);
        context.require("the rows and directions of `tsl`", need as u64)?;
        let mut rows = task.pooled();
        let means = column_means(rows.as_ref());
        for (j, mean) in means.iter().enumerate() {
            rows.col_mut(j).iter_mut().for_each(|v| *v -= mean);
        }
        let start = principal_directions(rows.as_ref(), k)?;
        let search = self.search(task, rows, &start, base, context);
        let mut steps = 0;
        let found = minimize(
            start.col_iter().flat_map(|column| column.iter().copied().collect::<Vec<f64>>()).collect(),
            |at, gradient| {
                context.progress("tsl", steps.min(self.iterations), self.iterations);
                steps += 1;
                search.over_spans(at, gradient)
            },
            Options { tolerance: 1e-7, iterations: self.iterations },
        );
        if !found.converged && found.gradient_norm > 1e-4 {
            let (steps, slope) = (found.iterations, found.gradient_norm);
            context.warn("tsl", format!("the search ended after {steps} steps with a slope of {slope:.1e}"));
        }
        let matrix = orthonormal_columns(&MatRef::from_column_major_slice(&found.point, d, k).to_owned());
        let source = Cow::Owned(rows_times(task.source.features.as_ref(), matrix.as_ref()));
        Ok(Adapted { source, weights: None, target_map: vec![Map::Project { matrix }] })
    }
}

impl Tsl {
    fn search(&self, task: &Task, rows: Matrix, start: &Matrix, base: TslBase, context: &Context) -> Search {
        let (n_s, n) = (task.source.rows(), rows.nrows());
        let width = self.bandwidth.unwrap_or_else(|| {
            let projected = multiply(rows.as_ref(), start.as_ref());
            median_distance(projected.as_ref(), &mut context.rng("bandwidth"))
        });
        let labelled: Vec<usize> = (0..n_s).chain(task.target.labelled.iter().map(|i| n_s + i)).collect();
        let groups = match (base, &task.source.labels, &task.target.labels) {
            (TslBase::Fisher, Labels::Classes(source), Labels::Classes(target)) => {
                Some([&source[..], target].concat())
            }
            _ => None,
        };
        let own = select_rows(rows.as_ref(), &labelled);
        let means = column_means(own.as_ref());
        let squares = |j: usize| own.col(j).iter().map(|v| (v - means[j]).powi(2)).sum::<f64>();
        let scatter = (0..own.ncols()).map(squares).sum::<f64>() / labelled.len() as f64;
        // Rows that are all the same have no scatter, and nothing to divide by.
        let total = scatter.max(f64::MIN_POSITIVE);
        let n_t = (n - n_s) as f64;
        let sides = (0..n).map(|i| if i < n_s { 1.0 / n_s as f64 } else { -1.0 / n_t }).collect();
        let ridge = self.regularization * total / rows.ncols() as f64;
        Search { rows, labelled, groups, total, ridge, sides, width, weight: self.weight }
    }
}

/// The `k` directions of largest variance of centred rows `(n, d)`, `k <= min(n, d)`.
fn principal_directions(rows: MatRef<'_, f64>, k: usize) -> Result<Matrix> {
    let directions = if rows.nrows() >= rows.ncols() {
        symmetric_eigen(covariance(rows).as_ref())?.1
    } else {
        thin_svd(rows)?.2
    };
    Ok(directions.get(.., ..k).to_owned())
}

/// The function that is minimised.
struct Search {
    /// Source above target, centred.
    rows: Matrix,
    /// The numbers of the labelled rows.
    labelled: Vec<usize>,
    /// Their classes, for fisher.
    groups: Option<Vec<usize>>,
    /// `tr(S_T)`.
    total: f64,
    /// What is added to the diagonals of the scatters.
    ridge: f64,
    /// `v`.
    sides: Vec<f64>,
    width: f64,
    weight: f64,
}

impl Search {
    /// The objective at the span of `at`, `(d, k)` by column, and its gradient there.
    fn over_spans(&self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let d = self.rows.ncols();
        let k = at.len() / d;
        let a = MatRef::from_column_major_slice(at, d, k).to_owned();
        let w = orthonormal_columns(&a);
        let (value, mut slope) = self.objective(&w);
        slope -= multiply(w.as_ref(), multiply(w.transpose(), slope.as_ref()).as_ref());
        let r = multiply(w.transpose(), a.as_ref());
        solve_upper_triangular_in_place(r.as_ref(), slope.as_mut().transpose_mut(), PAR);
        for j in 0..k {
            gradient[j * d..(j + 1) * d].iter_mut().zip(slope.col(j).iter()).for_each(|(g, s)| *g = *s);
        }
        value
    }

    /// The objective at `w` with orthonormal columns, and its gradient `(d, k)`.
    fn objective(&self, w: &Matrix) -> (f64, Matrix) {
        let z = multiply(self.rows.as_ref(), w.as_ref());
        let (base, own_slope) = self.base(&select_rows(z.as_ref(), &self.labelled));
        let (difference, mut slope) = self.difference(&z);
        slope *= faer::Scale(self.weight);
        for j in 0..z.ncols() {
            for (own, &i) in self.labelled.iter().enumerate() {
                slope[(i, j)] += own_slope[(own, j)];
            }
        }
        (base + self.weight * difference, multiply(self.rows.transpose(), slope.as_ref()))
    }

    /// `F` for the projected labelled rows, and its gradient in them.
    fn base(&self, z: &Matrix) -> (f64, Matrix) {
        let (n, k) = (z.nrows() as f64, z.ncols());
        let about_all = about_means(z, &vec![0; z.nrows()]);
        let scatter = |about: &Matrix| about.squared_norm_l2() / n + k as f64 * self.ridge;
        let Some(groups) = &self.groups else {
            let value = -about_all.squared_norm_l2() / n / self.total;
            return (value, about_all * faer::Scale(-2.0 / n / self.total));
        };
        let about_own = about_means(z, groups);
        // Rows that do not differ along W have neither scatter.
        let (within, all) = (scatter(&about_own), scatter(&about_all).max(f64::MIN_POSITIVE));
        let value = within / all;
        let factor = 2.0 / n / all;
        (value, about_own * faer::Scale(factor) - about_all * faer::Scale(factor * value))
    }

    /// `D` for all projected rows, and its gradient in them.
    fn difference(&self, z: &Matrix) -> (f64, Matrix) {
        let (n, k) = z.shape();
        let v = &self.sides;
        let right = Mat::from_fn(n, k + 1, |i, j| if j < k { v[i] * z[(i, j)] } else { v[i] });
        let sums = gaussian_kernel_times(z.as_ref(), z.as_ref(), self.width, right.as_ref());
        let value = (0..n).map(|i| v[i] * sums[(i, k)]).sum();
        let factor = -2.0 / (self.width * self.width);
        let slope = |i: usize, j: usize| factor * v[i] * (z[(i, j)] * sums[(i, k)] - sums[(i, j)]);
        (value, Mat::from_fn(n, k, slope))
    }
}

/// The rows less the mean of their group.
fn about_means(z: &Matrix, groups: &[usize]) -> Matrix {
    let count = groups.iter().max().map_or(0, |g| g + 1);
    let mut out = z.clone();
    for j in 0..z.ncols() {
        let (mut sums, mut sizes) = (vec![0.0; count], vec![0.0; count]);
        for (v, &g) in z.col(j).iter().zip(groups) {
            sums[g] += v;
            sizes[g] += 1.0;
        }
        out.col_mut(j).iter_mut().zip(groups).for_each(|(v, &g)| *v -= sums[g] / sizes[g]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Domain;
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    fn task(n: usize, d: usize) -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
        let value = |i: usize, j: usize| ((i * (2 * j + 7) + j * 13 + i * i * (j + 1)) % 101) as f64 / 30.0;
        let of: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let x = Mat::from_fn(n, d, |i, j| value(i, j) + if j == of[i] { 2.0 } else { 0.0 });
        let source = Domain::labelled("s", x, Labels::Classes(of));
        let target = Mat::from_fn(n - 2, d, |i, j| value(i + n, j) + if j == 0 { 1.5 } else { 0.0 });
        let target = Domain {
            name: "t".into(),
            features: target,
            labelled: vec![1, 3],
            labels: Labels::Classes(vec![2, 0]),
        };
        Task::new(vec![source], target, goal).unwrap()
    }

    fn search(tsl: &Tsl, task: &Task, k: usize) -> (Search, Matrix) {
        let rows = task.pooled();
        let start = Mat::from_fn(rows.ncols(), k, |i, j| ((i * 3 + j * 5 + i * j) % 7) as f64 - 2.0);
        (tsl.search(task, rows, &orthonormal_columns(&start), tsl.base, &Context::default()), start)
    }

    #[test]
    fn the_gradient_is_that_of_the_value() {
        for (base, weight) in [(TslBase::Fisher, 0.0), (TslBase::Fisher, 3.0), (TslBase::Pca, 2.0)] {
            let tsl = Tsl { base, weight, ..Tsl::default() };
            let (search, start) = search(&tsl, &task(12, 5), 2);
            let at: Vec<f64> =
                start.col_iter().flat_map(|c| c.iter().copied().collect::<Vec<f64>>()).collect();
            let mut gradient = vec![0.0; 10];
            search.over_spans(&at, &mut gradient);
            for i in 0..10 {
                let value = |step: f64| {
                    let mut there = at.clone();
                    there[i] += step;
                    search.over_spans(&there, &mut [0.0; 10])
                };
                let slope = (value(1e-5) - value(-1e-5)) / 2e-5;
                assert!((gradient[i] - slope).abs() < 1e-8, "{base:?} {i}: {} {slope}", gradient[i]);
            }
        }
    }

    /// Rows 0, 2 | 4, 6 of two classes on a line: `S_W = 1`, `S_T = 5`. One source row and one target row a distance of
    /// h apart: D = 2 - 2 exp(-1/2).
    #[test]
    fn the_parts_by_hand() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let x = from_rows(&[vec![0.0], vec![2.0], vec![4.0], vec![6.0]]);
        let source = Domain::labelled("s", x, Labels::Classes(vec![0, 0, 1, 1]));
        let target = Domain::unlabelled("t", from_rows(&[vec![1.0]]), &goal);
        let task = Task::new(vec![source], target, goal).unwrap();
        let tsl = Tsl { regularization: 0.0, bandwidth: Some(2.0), ..Tsl::default() };
        let (search, _) = search(&tsl, &task, 1);
        let z = select_rows(search.rows.as_ref(), &search.labelled);
        assert!((search.base(&z).0 - 0.2).abs() < 1e-15);
        let pair = Search { sides: vec![1.0, -1.0], ..search };
        let (value, _) = pair.difference(&from_rows(&[vec![0.0], vec![2.0]]));
        assert!((value - (2.0 - 2.0 * (-0.5f64).exp())).abs() < 1e-14);
    }

    #[test]
    fn odd_rows_serve() {
        let adapt = |tsl: Tsl, task: &Task| {
            let adapted = tsl.adapt(task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
            assert!(adapted.source.is_all_finite());
            adapted.source.shape()
        };
        assert_eq!(adapt(Tsl::default(), &task(9, 40)), (9, 2)); // more columns than rows
        assert_eq!(adapt(Tsl { components: Some(50), ..Tsl::default() }, &task(9, 3)), (9, 3));
        let mut same = task(6, 3);
        same.source.features.fill(1.0);
        same.target.features.fill(1.0);
        assert_eq!(adapt(Tsl { regularization: 0.0, ..Tsl::default() }, &same), (6, 2));
        assert_eq!(adapt(Tsl { base: TslBase::Pca, ..Tsl::default() }, &same), (6, 3));
    }
}
