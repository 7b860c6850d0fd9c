//! Joint geometrical and statistical alignment: one projection for each domain, in which the domains' means agree over
//! all rows and class by class, classes stay apart, and the two projections stay near each other.
//!
//! When: many columns, and a shift that no one projection undoes because the domains vary in different directions. It
//! hurts where the first guess is wrong, because it then pulls the wrong classes together.
//!
//! Paper: J. Zhang, W. Li, P. Ogunbona, "Joint geometrical and statistical alignment for visual domain adaptation", CVPR 2017
//!
//! ```text
//! S_max w = lambda S_min w,   w = (a; b), the k largest lambda, |w| = 1
//! S_max = [ beta S_b      0  ]     S_min = [ M_s + alpha I + beta S_w   M_st - alpha I     ]
//!         [    0     mu S_t  ]             [ M_ts - alpha I             M_t + (alpha + mu) I ]
//! source: x -> x A          target: x -> x B
//! ```
//! `S_w` and `S_b` are the scatters of the source rows within and between classes, `S_t` that of the target rows about
//! their mean. The blocks `M` are those of `Σ_v v vᵀ / |C e eᵀ|` over the differences `v` of the domains' means,
//! `sqrt(C)` times that of all rows and that of each of the `C` classes, with pseudo-labels for the target that are
//! renewed in each round: the first ones from the learner trained on the source rows as they are, later ones on the
//! projected rows.
//!
//! With a kernel, `X` is replaced by the centred kernel matrix and `I` by the kernel matrix.
//!
//! Where we differ: as the authors' code does, eigenvectors have length 1, `M` is divided by the norm of its first term
//! alone, the target's kernel scatter is about the mean of all rows, and rows are normalised neither before nor after
//! (the published numbers are for rows of unit length: `--preprocess l1,standardize-each,l2`). Labelled target rows
//! keep their labels. The paper's `alpha` = 1 is for such rows with about as many columns as rows; by default it goes
//! with the scale of the rows, because projections that are nearly free of each other pull the domains apart. No more
//! than `r` directions are used. The problem is solved in the coordinates of the pooled rows' singular value
//! decomposition and by the low rank of `S_max`, which gives the same in less time.
//!
//! Cost: for `r = min(n, d)`, or `n` with the rbf kernel up to 2,500 rows and 1,000 beyond: `O(n d r)` time once and
//! `O(n r² + r³)` a round, `O(n d + r²)` memory; the learner `iterations` times.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{Matrix, cholesky, column_means, multiply, select_rows, solve_cholesky, symmetric_eigen};
use crate::methods::pseudo_labels::pseudo_labels;
use crate::methods::{Adapted, Adapter, Family, Goals, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::{Map, apply_all};
use crate::solvers::{Kernel, KernelFeatures, joint_discrepancies, linear_columns};

/// Parameters of joint geometrical and statistical alignment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Jgsa {
    /// linear, primal or rbf: what projections are penalised in and rows compared by.
    pub kernel: Kernel,
    /// Dimensions of the projections, k. 1 to 1000000; no more than the rank of the pooled rows, and no more than carry
    /// variance of the target or of the classes, are used.
    pub components: usize,
    /// Weight of the difference of the two projections, alpha. Above 0; by default the mean scatter of the pooled rows
    /// in a direction.
    pub alignment: Option<f64>,
    /// Weight of the target's variance, mu. Above 0.
    pub variance: f64,
    /// Weight of the classes' scatters in the source, beta. 0 or above.
    pub discrimination: f64,
    /// Rounds of pseudo-labels. 1 to 1000.
    pub iterations: usize,
    /// Width of the rbf kernel. Above 0; by default the median distance of rows.
    pub bandwidth: Option<f64>,
}

impl Default for Jgsa {
    fn default() -> Self {
        Self {
            kernel: Kernel::Primal,
            components: 30,
            alignment: None,
            variance: 1.0,
            discrimination: 0.1,
            iterations: 10,
            bandwidth: None,
        }
    }
}

impl Jgsa {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "jgsa",
        family: Family::Mapping,
        summary: "projects each domain by its own matrix: means agree, classes stay apart, matrices stay near",
        when: "many columns, domains that vary in different directions, a baseline that is better than guessing",
        paper: "J. Zhang, W. Li, P. Ogunbona, \"Joint geometrical and statistical alignment for visual domain adaptation\", CVPR 2017",
        needs: Needs { goals: Goals::Classes, ..Needs::NOTHING },
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::of(&["{}"]),
        most_rows: 100_000,
        source: include_str!("jgsa.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Jgsa {
    fn check(&self) -> Result<()> {
        let above =
            |name: &str, value: f64| must("jgsa", name, value > 0.0 && value.is_finite(), "above 0", value);
        count("jgsa", "components", self.components, 1..=1_000_000)?;
        above("alignment", self.alignment.unwrap_or(1.0))?;
        above("variance", self.variance)?;
        let beta = self.discrimination;
        must("jgsa", "discrimination", beta >= 0.0 && beta.is_finite(), "0 or above", beta)?;
        count("jgsa", "iterations", self.iterations, 1..=1_000)?;
        above("bandwidth", self.bandwidth.unwrap_or(1.0))
    }

    fn adapt<'a>(&self, task: &'a Task, learner: &dyn Learner, context: &mut Context) -> Result<Adapted<'a>> {
        let (n_s, d) = task.source.features.shape();
        let n = n_s + task.target.rows();
        let rows = KernelFeatures::new("jgsa", task.pooled().as_ref(), self.kernel, self.bandwidth, context)?;
        // The features, their factors and copies; the matrices of the eigenproblem of 2 r.
        let r = rows.features.ncols().min(n);
        context.require("the eigenproblem of `jgsa`", 8 * (6 * n * r + n * d + 20 * r * r) as u64)?;
        let pooled = Pooled::new(&rows.features, n_s, self.kernel)?;
        let scatters = self.scatters(task, &pooled)?;
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let mut pseudo = pseudo_labels(task, source, target, learner, context)?;
        for round in 1.. {
            context.progress("jgsa", round - 1, self.iterations);
            let w = self.solve(task, &pooled, &scatters, &pseudo)?;
            let (a, b) = w.as_ref().split_at_row(pooled.rank());
            if round == self.iterations {
                if w.ncols() < self.components {
                    let (asked, used) = (self.components, w.ncols());
                    context.note(
                        "jgsa",
                        format!("{asked} components asked for, {used} carry a value and are used"),
                    );
                }
                let map = |coefficients: MatRef<'_, f64>| {
                    let matrix = multiply(pooled.basis.as_ref(), coefficients);
                    // Kernels are those of centred rows.
                    let shift = multiply(pooled.mean.as_ref(), matrix.as_ref());
                    let scale = Mat::from_fn(1, shift.ncols(), |_, _| 1.0);
                    vec![rows.project(matrix).into(), Map::Affine { shift, scale }]
                };
                let source = Cow::Owned(apply_all(&map(a), source));
                return Ok(Adapted { source, weights: None, target_map: map(b) });
            }
            let (above, below) = pooled.columns.as_ref().split_at_row(n_s);
            let (above, below) = (multiply(above, a), multiply(below, b));
            pseudo = pseudo_labels(task, above.as_ref(), below.as_ref(), learner, context)?;
        }
        unreachable!("the last round returns")
    }
}

/// Pooled rows in `r` coordinates, in which the projections are `basis a` and `basis b`.
struct Pooled {
    /// `(n, r)`.
    columns: Matrix,
    /// What stands for `I` in `S_min` `(r)`: its diagonal.
    penalty: Vec<f64>,
    /// `(d, r)`: `columns = (features - mean) basis`.
    basis: Matrix,
    /// `(1, d)`; 0 without a kernel.
    mean: Matrix,
    n_s: usize,
}

impl Pooled {
    /// From features `U S Vᵀ`: columns `U S` (primal), or of the centred ones `U S²`.
    fn new(features: &Matrix, n_s: usize, kernel: Kernel) -> Result<Self> {
        let (n, d) = features.shape();
        let primal = kernel == Kernel::Primal;
        let means = if primal { vec![0.0; d] } else { column_means(features.as_ref()) };
        let centred = Mat::from_fn(n, d, |i, j| features[(i, j)] - means[j]);
        let (columns, values, basis) = linear_columns(centred.as_ref(), kernel)?;
        let penalty = if primal { vec![1.0; values.len()] } else { values };
        Ok(Self { columns, penalty, basis, mean: Mat::from_fn(1, d, |_, j| means[j]), n_s })
    }

    fn rank(&self) -> usize {
        self.columns.ncols()
    }
}

/// What does not change from round to round.
struct Scatters {
    /// `N` with `S_max = N Nᵀ`, `(2 r, ·)`.
    root: Matrix,
    /// `S_min` without `M` `(2 r, 2 r)`.
    rest: Matrix,
}

impl Jgsa {
    fn scatters(&self, task: &Task, pooled: &Pooled) -> Result<Scatters> {
        let (of, present, r) = (task.source.labels.classes(), task.source_classes(), pooled.rank());
        let (source, target) = pooled.columns.as_ref().split_at_row(pooled.n_s);
        let mean = column_means(source);
        let mut within = source.to_owned();
        let mut between = Mat::zeros(present.len(), r);
        for (k, &class) in present.iter().enumerate() {
            let own: Vec<usize> = (0..of.len()).filter(|&i| of[i] == class).collect();
            let centre = column_means(select_rows(source, &own).as_ref());
            for j in 0..r {
                for &i in &own {
                    within[(i, j)] -= centre[j];
                }
                between[(k, j)] = (own.len() as f64).sqrt() * (centre[j] - mean[j]);
            }
        }
        let within = multiply(within.transpose(), within.as_ref());
        let centre = if self.kernel == Kernel::Primal { column_means(target) } else { vec![0.0; r] };
        let spread = Mat::from_fn(target.nrows(), r, |i, j| target[(i, j)] - centre[j]);
        let spread =
            if spread.nrows() > r { root(&multiply(spread.transpose(), spread.as_ref()))? } else { spread };
        let (beta, mu) = (self.discrimination, self.variance);
        let classes = present.len();
        let mut n = Mat::zeros(2 * r, classes + spread.nrows());
        for j in 0..r {
            (0..classes).for_each(|k| n[(j, k)] = beta.sqrt() * between[(k, j)]);
            (0..spread.nrows()).for_each(|k| n[(r + j, classes + k)] = mu.sqrt() * spread[(k, j)]);
        }
        let scatter = pooled.columns.squared_norm_l2() / pooled.penalty.iter().sum::<f64>();
        let alpha = self.alignment.unwrap_or(if scatter > 0.0 { scatter } else { 1.0 });
        let mut rest = Mat::zeros(2 * r, 2 * r);
        rest.get_mut(..r, ..r).copy_from(within * faer::Scale(beta));
        for (j, penalty) in pooled.penalty.iter().enumerate() {
            rest[(j, j)] += alpha * penalty + 1e-9;
            rest[(r + j, r + j)] = (alpha + mu) * penalty + 1e-9;
            rest[(j, r + j)] = -alpha * penalty;
            rest[(r + j, j)] = -alpha * penalty;
        }
        Ok(Scatters { root: n, rest })
    }

    /// The eigenvectors `(2 r, k)`. With `S_max = N Nᵀ` they are `S_min⁻¹ N v` for the eigenvectors `v` of the smaller
    /// `Nᵀ S_min⁻¹ N`.
    fn solve(&self, task: &Task, pooled: &Pooled, scatters: &Scatters, pseudo: &[usize]) -> Result<Matrix> {
        let (n_s, r) = (pooled.n_s, pooled.rank());
        let present = task.source_classes();
        let v = joint_discrepancies(task.source.labels.classes(), pseudo, &present);
        let scale = present.len() as f64 * (1.0 / n_s as f64 + 1.0 / pseudo.len() as f64);
        let (source, target) = pooled.columns.as_ref().split_at_row(n_s);
        let mut means = Mat::zeros(2 * r, v.ncols());
        means.get_mut(..r, ..).copy_from(multiply(source.transpose(), v.get(..n_s, ..)));
        means.get_mut(r.., ..).copy_from(multiply(target.transpose(), v.get(n_s.., ..)));
        let least = &scatters.rest + multiply(means.as_ref(), means.transpose()) * faer::Scale(1.0 / scale);
        let l = cholesky(least.as_ref())?;
        let mut solved = scatters.root.clone();
        solve_cholesky(l.as_ref(), solved.as_mut());
        let (values, v) = symmetric_eigen(multiply(scatters.root.transpose(), solved.as_ref()).as_ref())?;
        let carrying = values.iter().filter(|value| **value > 1e-12 * values[0]).count().max(1);
        let k = self.components.min(carrying).min(r);
        let mut w = multiply(solved.as_ref(), v.get(.., ..k));
        for j in 0..k {
            let length = w.col(j).norm_l2();
            if length > 0.0 {
                w.col_mut(j).iter_mut().for_each(|v| *v /= length);
            }
        }
        Ok(w)
    }
}

/// `R` with `Rᵀ R` = this.
fn root(scatter: &Matrix) -> Result<Matrix> {
    let (values, vectors) = symmetric_eigen(scatter.as_ref())?;
    let r = values.len();
    Ok(Mat::from_fn(r, r, |i, j| values[i].max(0.0).sqrt() * vectors[(j, i)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{from_rows, generalized_eigen};

    fn task(source: Matrix, of: Vec<usize>, target: Matrix) -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
        let source = Domain::labelled("s", source, Labels::Classes(of));
        Task::new(vec![source], Domain::unlabelled("t", target, &goal), goal).unwrap()
    }

    /// One column with rows -1, 1 (two classes) and -2, 2; alpha = mu = beta = 1:
    /// ```text
    /// S_b = 2, S_w = 0, S_t = 8; the class means differ by v = (∓1, ±2), C = 2 and |C e eᵀ| = 2
    /// S_min = [2, -3; -3, 6], S_max = diag(2, 8): 3 lambda² - 28 lambda + 16 = 0
    /// ```
    #[test]
    fn one_column_by_hand() {
        let task = task(from_rows(&[vec![-1.0], vec![1.0]]), vec![0, 1], from_rows(&[vec![-2.0], vec![2.0]]));
        let jgsa = Jgsa {
            components: 1,
            alignment: Some(1.0),
            discrimination: 1.0,
            iterations: 1,
            ..Jgsa::default()
        };
        let adapted = jgsa.adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let mapped = apply_all(&adapted.target_map, task.target.features.as_ref());
        let lambda = (28.0 + (28.0f64 * 28.0 - 4.0 * 3.0 * 16.0).sqrt()) / 6.0;
        // (2 - 2 lambda) a + 3 lambda b = 0
        let ratio = (2.0 * lambda - 2.0) / (3.0 * lambda);
        let a = 1.0 / (1.0 + ratio * ratio).sqrt();
        assert!((adapted.source[(1, 0)].abs() - a).abs() < 1e-7, "{} {a}", adapted.source[(1, 0)]);
        assert!((mapped[(1, 0)] / adapted.source[(1, 0)] - 2.0 * ratio).abs() < 1e-7);
    }

    /// The low-rank route against the problem as it stands.
    #[test]
    fn eigenvectors_are_those_of_the_whole_problem() {
        let x = |n: usize, shift: f64| {
            Matrix::from_fn(n, 5, |i, j| ((i * 7 + j * 5 + i * j) % 13) as f64 / 4.0 + shift * j as f64)
        };
        let of: Vec<usize> = (0..20).map(|i| i % 3).collect();
        let task = task(x(20, 0.0), of, x(14, 0.3));
        let jgsa = Jgsa { components: 3, ..Jgsa::default() };
        let pooled = Pooled::new(&task.pooled(), 20, Kernel::Primal).unwrap();
        let scatters = jgsa.scatters(&task, &pooled).unwrap();
        let pseudo: Vec<usize> = (0..14).map(|i| i % 2).collect();
        let w = jgsa.solve(&task, &pooled, &scatters, &pseudo).unwrap();
        let v = joint_discrepancies(task.source.labels.classes(), &pseudo, &[0, 1, 2]);
        let mut stacked = Matrix::zeros(10, 34);
        for i in 0..34 {
            for j in 0..5 {
                stacked[(if i < 20 { j } else { 5 + j }, i)] = pooled.columns[(i, j)];
            }
        }
        let means = multiply(stacked.as_ref(), v.as_ref());
        let scale = 3.0 * (1.0 / 20.0 + 1.0 / 14.0);
        let least = &scatters.rest + multiply(means.as_ref(), means.transpose()) * faer::Scale(1.0 / scale);
        let most = multiply(scatters.root.as_ref(), scatters.root.transpose());
        let (_, expected) = generalized_eigen(most.as_ref(), least.as_ref(), 3).unwrap();
        for j in 0..3 {
            let inner: f64 = w.col(j).iter().zip(expected.col(j).iter()).map(|(a, b)| a * b).sum();
            assert!((inner.abs() - 1.0).abs() < 1e-9, "{j}: {inner}");
        }
    }

    #[test]
    fn constant_columns_and_single_rows_are_no_failure() {
        let source = from_rows(&[vec![1.0, 2.0], vec![1.0, 2.0], vec![1.0, 5.0]]);
        for target in [from_rows(&[vec![1.0, 2.0]]), from_rows(&vec![vec![1.0, 3.0]; 4])] {
            let task = task(source.clone(), vec![0, 1, 1], target);
            for kernel in [Kernel::Primal, Kernel::Linear, Kernel::Rbf] {
                let jgsa = Jgsa { kernel, ..Jgsa::default() };
                let adapted =
                    jgsa.adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
                assert!(adapted.source.norm_max().is_finite(), "{kernel:?}");
            }
        }
    }
}
