//! Maximum independence domain adaptation: a projection whose coordinates say as little as possible about the domain a
//! row comes from, keep the variance, and, where labels count, follow them.
//!
//! When: one or several sources with a shift each (other instruments, batches, days), for classes or numbers. It hurts
//! where the domain goes with the label, because that part of the label is then removed too.
//!
//! Paper: K. Yan, L. Kou, D. Zhang, "Learning domain-invariant subspace using domain features and independence maximization", IEEE Transactions on Cybernetics 2018
//!
//! ```text
//! max tr(Wᵀ K H (-K_d + mu I + gamma K_y) H K W)   with Wᵀ W = I,   Z = K W
//! K_d = D Dᵀ, D the rows' domain features;   K_y = Y Yᵀ, Y the labels, 0 on rows without
//! K: the kernel of the augmented rows (x, D)
//! ```
//! Domain features are one indicator a source and one for the target. `tr(K_z H K_d H)` is the Hilbert-Schmidt
//! independence criterion of embedding and domain. `Y` has an indicator a class, or the standardised number; labelled
//! target rows count as the source's do.
//!
//! Where we differ: directions whose value is not above 0, more domain than variance, are left out. `K` may have a rank
//! below `n`: the problem is solved in that many coordinates, which gives the same.
//!
//! Cost: linear `O(n d min(n, d))` time and `O(n d)` memory; rbf `O(n³)` and `O(n²)` up to 2,500 rows, `O(n m²)` and
//! `O(n m)` with `m` = 1,000 landmark rows beyond.

use std::borrow::Cow;

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{Matrix, column_means, exponentials, multiply, symmetric_eigen};
use crate::methods::label_features::label_features;
use crate::methods::{
    Adapted, Adapter, Family, Grid, MethodRow, Needs, Sources, count, make, must, params_of,
};
use crate::models::Map;
use crate::solvers::{Embedding, Kernel, KernelFeatures, linear_columns};

/// Parameters of maximum independence domain adaptation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mida {
    /// linear or rbf: what similarity of rows is.
    pub kernel: Kernel,
    /// Dimensions of the embedding, k. 1 to 1000000; no more than there are directions with more variance than domain are
    /// used.
    pub components: usize,
    /// Weight of the variance, mu. Above 0.
    pub variance: f64,
    /// Weight of the labels, gamma. 0, for no use of labels, or above.
    pub labels: f64,
    /// Width of the rbf kernel on augmented rows. Above 0; by default the median distance of rows.
    pub bandwidth: Option<f64>,
}

impl Default for Mida {
    fn default() -> Self {
        Self { kernel: Kernel::Linear, components: 30, variance: 1.0, labels: 0.1, bandwidth: None }
    }
}

impl Mida {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "mida",
        family: Family::Mapping,
        summary: "projects to coordinates that say little about the domain, keep variance and follow the labels",
        when: "one or several sources with a shift each (other instruments, batches, days)",
        paper: "K. Yan, L. Kou, D. Zhang, \"Learning domain-invariant subspace using domain features and independence maximization\", IEEE Transactions on Cybernetics 2018",
        needs: Needs { sources: Sources::Apart, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: usize::MAX,
        source: include_str!("mida.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Mida {
    fn check(&self) -> Result<()> {
        must("mida", "kernel", self.kernel != Kernel::Primal, "linear or rbf", "primal")?;
        count("mida", "components", self.components, 1..=1_000_000)?;
        let mu = self.variance;
        must("mida", "variance", mu > 0.0 && mu.is_finite(), "above 0", mu)?;
        let gamma = self.labels;
        must("mida", "labels", gamma >= 0.0 && gamma.is_finite(), "0 or above", gamma)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must("mida", "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (n_s, d) = task.source.features.shape();
        let n = n_s + task.target.rows();
        let domains = domain_features(task);
        let augmented = beside(&task.pooled(), &domains);
        let rows = KernelFeatures::new("mida", augmented.as_ref(), self.kernel, self.bandwidth, context)?;
        let (width, r) = (rows.features.ncols(), rows.features.ncols().min(n));
        context.require("the eigenproblem of `mida`", 8 * (8 * n * r + 2 * n * width + 4 * r * r) as u64)?;
        let (columns, _, basis) = linear_columns(rows.features.as_ref(), Kernel::Linear)?;
        let coefficients = self.directions(task, &columns, &domains, context)?;
        let source = multiply(columns.get(..n_s, ..), coefficients.as_ref());
        let project = rows.project(multiply(basis.as_ref(), coefficients.as_ref()));
        Ok(Adapted { source: Cow::Owned(source), weights: None, target_map: of_target(project, d) })
    }
}

impl Mida {
    /// The coefficients `(r, k)` of the columns `K U` `(n, r)`.
    fn directions(
        &self,
        task: &Task,
        columns: &Matrix,
        domains: &Matrix,
        context: &mut Context,
    ) -> Result<Matrix> {
        let means = column_means(columns.as_ref());
        let centred = Mat::from_fn(columns.nrows(), columns.ncols(), |i, j| columns[(i, j)] - means[j]);
        let mut value = multiply(centred.transpose(), centred.as_ref()) * faer::Scale(self.variance);
        let by_domain = multiply(centred.transpose(), domains.as_ref());
        value -= multiply(by_domain.as_ref(), by_domain.transpose());
        if self.labels > 0.0 {
            let by_label = multiply(centred.transpose(), label_features(task).as_ref());
            value += multiply(by_label.as_ref(), by_label.transpose()) * faer::Scale(self.labels);
        }
        let (values, vectors) = symmetric_eigen(value.as_ref())?;
        let largest = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let carrying = values.iter().filter(|value| **value > 1e-12 * largest).count().max(1);
        if self.components > carrying {
            let asked = self.components;
            let text = format!(
                "{asked} components asked for, {carrying} directions carry more variance than domain: {carrying} are used"
            );
            context.note("mida", text);
        }
        Ok(vectors.get(.., ..self.components.min(carrying)).to_owned())
    }
}

/// One indicator a source, then one for the target `(n, sources + 1)`.
fn domain_features(task: &Task) -> Matrix {
    let (n_s, n_t) = (task.source.rows(), task.target.rows());
    let sources = task.parts.len();
    let mut domains = Mat::zeros(n_s + n_t, sources + 1);
    for (k, (_, range)) in task.parts.iter().enumerate() {
        range.clone().for_each(|i| domains[(i, k)] = 1.0);
    }
    (n_s..n_s + n_t).for_each(|i| domains[(i, sources)] = 1.0);
    domains
}

/// The map of augmented rows, `d` features and then domain features of which the target's is the last, as one of the
/// target's rows alone.
fn of_target(project: Embedding, d: usize) -> Vec<Map> {
    match project {
        Embedding::Linear(matrix) => {
            let (last, k) = (matrix.nrows() - 1, matrix.ncols());
            let shift = Mat::from_fn(1, k, |_, j| -matrix[(last, j)]);
            let scale = Mat::from_fn(1, k, |_, _| 1.0);
            vec![Map::Project { matrix: matrix.get(..d, ..).to_owned() }, Map::Affine { shift, scale }]
        }
        // Rows of two domains are sqrt(2) further apart than their features.
        Embedding::Gaussian { rows, bandwidth, coefficients } => {
            let mut apart = [2.0];
            exponentials(&mut apart, -0.5 / (bandwidth * bandwidth));
            let factor = |i: usize| if rows[(i, rows.ncols() - 1)] == 1.0 { 1.0 } else { apart[0] };
            vec![Map::KernelProject {
                bandwidth,
                coefficients: Mat::from_fn(rows.nrows(), coefficients.ncols(), |i, j| {
                    factor(i) * coefficients[(i, j)]
                }),
                rows: rows.get(.., ..d).to_owned(),
            }]
        }
    }
}

/// Two matrices side by side.
fn beside(left: &Matrix, right: &Matrix) -> Matrix {
    let at = left.ncols();
    Mat::from_fn(
        left.nrows(),
        at + right.ncols(),
        |i, j| if j < at { left[(i, j)] } else { right[(i, j - at)] },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::{from_rows, stack};
    use crate::models::apply_all;

    fn two_sources() -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let domain = |name: &str, shift: f64| {
            let x = from_rows(&[vec![shift, 1.0], vec![shift, -1.0], vec![shift, 1.0], vec![shift, -1.0]]);
            Domain::labelled(name, x, Labels::Classes(vec![0, 1, 0, 1]))
        };
        let target = Domain::unlabelled("t", domain("t", -5.0).features, &goal);
        Task::new(vec![domain("one", 3.0), domain("two", 2.0)], target, goal).unwrap()
    }

    /// Columns: a shift a domain, the class. Of the augmented rows only the class has no part in the domain: it is the
    /// one direction of value, with K W = 12 times the class over its length sqrt(12), up to sign.
    #[test]
    fn the_class_is_the_one_direction_without_domain() {
        let task = two_sources();
        let context = &mut Context::default();
        let mida = Mida { labels: 0.0, variance: 0.001, ..Mida::default() };
        let adapted = mida.adapt(&task, &NearestNeighbor::default(), context).unwrap();
        let mapped = apply_all(&adapted.target_map, task.target.features.as_ref());
        assert_eq!(mapped.ncols(), 1);
        let z = stack(adapted.source.as_ref().as_ref(), mapped.as_ref());
        for i in 0..12 {
            let class = if i % 2 == 0 { 1.0 } else { -1.0 };
            assert!((z[(i, 0)] * z[(0, 0)].signum() - class * 12f64.sqrt()).abs() < 1e-9, "{z:?}");
        }
        assert!(context.notices()[0].text.ends_with("1 are used"));
    }

    /// The target's map on its rows is the embedding of its augmented rows, with either kernel.
    #[test]
    fn the_targets_map_is_that_of_augmented_rows() {
        let task = two_sources();
        for kernel in [Kernel::Linear, Kernel::Rbf] {
            let domains = domain_features(&task);
            let augmented = beside(&task.pooled(), &domains);
            let context = &mut Context::default();
            let rows = KernelFeatures::new("mida", augmented.as_ref(), kernel, Some(2.0), context).unwrap();
            let matrix = Mat::from_fn(rows.features.ncols(), 2, |i, j| ((i * 3 + j * 5) % 7) as f64 - 3.0);
            let whole = multiply(rows.features.as_ref(), matrix.as_ref());
            let alone = apply_all(&of_target(rows.project(matrix), 2), task.target.features.as_ref());
            let scale = whole.norm_max();
            assert!((alone - whole.get(8.., ..)).norm_max() < 1e-6 * scale, "{kernel:?}");
        }
    }
}
