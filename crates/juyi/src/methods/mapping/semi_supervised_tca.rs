//! Semi-supervised transfer component analysis: a projection in which the domains' means agree, that depends on the
//! labels, and along which neighbours stay neighbours.
//!
//! When: many columns, a shift of the whole cloud of rows, and classes or values that the strongest directions do not
//! show. It hurts where the shift is what tells the classes apart, and where neighbours in the target are of other
//! classes.
//!
//! Paper: S. J. Pan, I. Tsang, J. Kwok, Q. Yang, "Domain adaptation via transfer component analysis", IEEE TNN 2011
//!
//! ```text
//! K H K_yy H K a = nu (K (M + lambda / n² L) K + mu I) a,   |a| = 1,   Z = K a
//! K_yy = gamma Y Yᵀ + (1 - gamma) I,   Y the labels: an indicator a class, or the standardised number; 0 on rows without
//! L = D - W,   W_ij = exp(-|x_i - x_j|² / (2 s²)) where one row is among the other's nearest,   D_ii = Σ_j W_ij
//! M = e eᵀ,   e_i = 1/n_s (source), -1/n_t (target)
//! ```
//! `tr(K_z H K_yy H)` is the Hilbert-Schmidt independence criterion of embedding and labels; labelled target rows count
//! as the source's do.
//!
//! Where we differ: as for transfer component analysis here, `M` and with it the graph's term are divided by `|e eᵀ|`,
//! so that `mu` means the same for any number of rows, and pooled rows are brought to unit length before and embedded
//! rows after. The graph's width `s` is the median distance of rows.
//!
//! Cost: that of transfer component analysis, `O(n² d)` time for the graph, and with the rbf kernel `O(n³)` time and
//! `O(n²)` memory up to 2,500 rows, `O(n m²)` and `O(n m)` with `m` = 1,000 landmark rows beyond.

use std::borrow::Cow;

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{Matrix, column_means, generalized_eigen, median_distance, multiply, normalize_rows_l2};
use crate::methods::label_features::label_features;
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::models::{Map, apply_all};
use crate::solvers::{Kernel, KernelFeatures, NeighborGraph, linear_columns, marginal_discrepancy};

/// Parameters of semi-supervised transfer component analysis.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SemiSupervisedTca {
    /// linear, primal or rbf: what the penalty and the similarity are taken in.
    pub kernel: Kernel,
    /// Dimensions of the embedding, k. 1 to 1000000; no more than the rank of the pooled rows are used.
    pub components: usize,
    /// Weight of the penalty on directions, mu. Above 0.
    pub regularization: f64,
    /// Weight of the labels beside the variance, gamma: 0, variance only, to 1, labels only.
    pub labels: f64,
    /// Weight of the differences between neighbours, lambda. 0 or above.
    pub manifold: f64,
    /// Nearest rows that a row is tied to. 1 to 1000000.
    pub neighbors: usize,
    /// Width of the rbf kernel on rows of unit length. Above 0; by default the median distance of rows.
    pub bandwidth: Option<f64>,
}

impl Default for SemiSupervisedTca {
    fn default() -> Self {
        Self {
            kernel: Kernel::Primal,
            components: 30,
            regularization: 0.1,
            labels: 0.5,
            manifold: 1.0,
            neighbors: 5,
            bandwidth: None,
        }
    }
}

impl SemiSupervisedTca {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "semi-supervised-tca",
        family: Family::Mapping,
        summary: "projects to where the means agree, the labels show and neighbours stay neighbours",
        when: "many columns, a shift of the whole cloud, labels that the strongest directions do not show",
        paper: "S. J. Pan, I. Tsang, J. Kwok, Q. Yang, \"Domain adaptation via transfer component analysis\", IEEE TNN 2011",
        needs: Needs { directions: true, ..Needs::NOTHING },
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: 20_000,
        source: include_str!("semi_supervised_tca.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for SemiSupervisedTca {
    fn check(&self) -> Result<()> {
        let name = "semi-supervised-tca";
        count(name, "components", self.components, 1..=1_000_000)?;
        let mu = self.regularization;
        must(name, "regularization", mu > 0.0 && mu.is_finite(), "above 0", mu)?;
        must(name, "labels", (0.0..=1.0).contains(&self.labels), "0 to 1", self.labels)?;
        let lambda = self.manifold;
        must(name, "manifold", lambda >= 0.0 && lambda.is_finite(), "0 or above", lambda)?;
        count(name, "neighbors", self.neighbors, 1..=1_000_000)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must(name, "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let name = "semi-supervised-tca";
        let mut pooled = task.pooled();
        normalize_rows_l2(pooled.as_mut());
        let rows = KernelFeatures::new(name, pooled.as_ref(), self.kernel, self.bandwidth, context)?;
        let (n, width) = rows.features.shape();
        let r = width.min(n);
        // The factors of the decomposition, the centred columns, and the matrices of the eigenproblem.
        let need = 8 * (7 * n * r + 2 * n * width + 8 * r * r) as u64;
        context.require("the eigenproblem of `semi-supervised-tca`", need)?;
        let kernel = if self.kernel == Kernel::Primal { Kernel::Primal } else { Kernel::Linear };
        let (columns, _, basis) = linear_columns(rows.features.as_ref(), kernel)?;
        let rank = columns.ncols();
        if self.components > rank {
            let asked = self.components;
            let text =
                format!("{asked} components asked for, the pooled rows have rank {rank}: {rank} are used");
            context.note(name, text);
        }
        let penalty = self.penalty(task, &pooled, &columns, context);
        let dependence = self.dependence(task, &columns);
        let components = self.components.min(rank);
        let (_, coefficients) = generalized_eigen(dependence.as_ref(), penalty.as_ref(), components)?;
        let project = rows.project(multiply(basis.as_ref(), coefficients.as_ref()));
        let target_map = vec![Map::NormalizeRowsL2, project.into(), Map::NormalizeRowsL2];
        let source = Cow::Owned(apply_all(&target_map, task.source.features.as_ref()));
        Ok(Adapted { source, weights: None, target_map })
    }
}

impl SemiSupervisedTca {
    /// `K (M + lambda / n² L) K / |M| + mu I` in the coordinates of `columns` `(n, r)`.
    fn penalty(&self, task: &Task, pooled: &Matrix, columns: &Matrix, context: &Context) -> Matrix {
        let n = pooled.nrows() as f64;
        let e = marginal_discrepancy(task.source.rows(), task.target.rows());
        let scale = e.col(0).squared_norm_l2();
        let means = multiply(columns.transpose(), e.as_ref());
        let mut penalty = multiply(means.as_ref(), means.transpose());
        if self.manifold > 0.0 {
            let width = median_distance(pooled.as_ref(), &mut context.rng("graph"));
            let graph = NeighborGraph::new(pooled.as_ref(), self.neighbors, width);
            penalty += graph.roughness(columns) * faer::Scale(self.manifold / (n * n));
        }
        penalty *= faer::Scale(1.0 / scale);
        for i in 0..penalty.nrows() {
            penalty[(i, i)] += self.regularization;
        }
        penalty
    }

    /// `K H K_yy H K` in the coordinates of `columns` `(n, r)`.
    fn dependence(&self, task: &Task, columns: &Matrix) -> Matrix {
        let means = column_means(columns.as_ref());
        let centred = Mat::from_fn(columns.nrows(), columns.ncols(), |i, j| columns[(i, j)] - means[j]);
        let by_label = multiply(centred.transpose(), label_features(task).as_ref());
        multiply(by_label.as_ref(), by_label.transpose()) * faer::Scale(self.labels)
            + multiply(centred.transpose(), centred.as_ref()) * faer::Scale(1.0 - self.labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    /// Columns: a shift between the domains, the class, and one that varies twice as much as the class and says
    /// nothing.
    fn task() -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let rows = |shift: f64| {
            let row = |class: f64, noise: f64| vec![shift, class, 2.0 * noise];
            from_rows(&[row(1.0, 1.0), row(-1.0, 1.0), row(1.0, -1.0), row(-1.0, -1.0)])
        };
        let source = Domain::labelled("s", rows(3.0), Labels::Classes(vec![0, 1, 0, 1]));
        Task::new(vec![source], Domain::unlabelled("t", rows(-3.0), &goal), goal).unwrap()
    }

    /// Without labels the one component is the column that varies most, with labels the class.
    #[test]
    fn labels_decide_which_direction_stays() {
        for (labels, kept) in [(0.0, 2), (1.0, 1)] {
            let method =
                SemiSupervisedTca { components: 1, labels, manifold: 0.0, ..SemiSupervisedTca::default() };
            let task = task();
            let adapted = method.adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
            let Map::Project { matrix } = &adapted.target_map[1] else { panic!("a linear projection") };
            for j in 0..3 {
                let expected = f64::from(u8::from(j == kept));
                assert!((matrix[(j, 0)].abs() - expected).abs() < 1e-9, "{labels}: {matrix:?}");
            }
        }
    }

    /// Each row's nearest is the one that differs in its class alone: with a heavy graph the class goes, the rest
    /// stays.
    #[test]
    fn neighbours_stay_neighbours() {
        let method =
            SemiSupervisedTca { components: 1, manifold: 1e9, neighbors: 1, ..SemiSupervisedTca::default() };
        let task = task();
        let adapted = method.adapt(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let Map::Project { matrix } = &adapted.target_map[1] else { panic!("a linear projection") };
        assert!(matrix[(1, 0)].abs() < 1e-6, "{matrix:?}");
    }
}
