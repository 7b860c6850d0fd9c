//! Adaptation regularisation: a least-squares classifier that also brings the domains' means together, class by class,
//! and varies little between neighbouring rows.
//!
//! When: classes shift in different ways, neighbouring rows tend to share a class, and a first guess is better than
//! chance. It hurts where the first guess is wrong, because it then pulls the wrong classes together.
//!
//! Paper: M. Long, J. Wang, G. Ding, S. Pan, P. Yu, "Adaptation regularization: a general framework for transfer learning", TKDE 2014
//!
//! With the kernel matrix `K` of all rows at unit length, `E` 1 on the diagonal at labelled rows and 0 at the others,
//! and `Y` 1 at a labelled row's class:
//! ```text
//! min |E (Y - K β)|² + ridge βᵀ K β + tr βᵀ K (discrepancy M + manifold L) K β
//! β = ((E + discrepancy M + manifold L) K + ridge I)⁻¹ E Y
//! M ~ C e eᵀ + Σ_c e_c e_cᵀ, |M| = 1:   e_c,i = 1/n_s^c (source rows of class c),
//!                                              -1/n_t^c (target rows of pseudo-class c)
//! L = I - D^(-1/2) W D^(-1/2):   W_ij the cosine of two rows of which one is among the other's nearest
//! ```
//! `e` is the same over all rows, `C` the number of classes. A row's class is that of its largest `k(x, rows) β`. The
//! first pseudo-classes are those of the nearest labelled row; each round takes those of the last one.
//!
//! Where we differ: this is the form with squared loss (the paper's ARRLS); the one with hinge loss, which has no
//! closed form, is left out. Labelled target rows keep their labels, and count in `E` and `Y`. Edges with a cosine of 0
//! or below are left out, and a row without edges is held to none, where the authors' code would divide by 0. The first
//! classes come from the nearest row and there are ten rounds, as in later comparisons with this method; the authors
//! take a logistic regression and one round, which `iterations` set to 1 comes near.
//!
//! Cost: the rbf kernel, and the linear one of `n` pooled rows with more columns than rows, `O(n² (n + d))` time and
//! `16 n²` bytes; the linear one else `O(n² d + d³)` time and `O(d² + n d)` memory. More iterations add next to
//! nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rounds::Rounds;
use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::normalize_rows_l2;
use crate::methods::{
    Carried, Family, Fitted, Goals, Grid, Method, MethodRow, Needs, count, make, must, params_of,
};
use crate::models::Map;
use crate::solvers::Regularization;

const NAME: &str = "artl";

/// The similarity of two rows of unit length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// Their cosine.
    Linear,
    /// The Gaussian kernel.
    Rbf,
}

/// Parameters of adaptation regularisation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Artl {
    /// linear or rbf: the similarity of rows.
    pub kernel: Kernel,
    /// Width of the rbf kernel on rows of unit length: `exp(-|x - y|² / (2 bandwidth²))`. Above 0.
    pub bandwidth: f64,
    /// Weight of the distance between the domains' means, lambda. 0 or above.
    pub discrepancy: f64,
    /// Weight of the graph, gamma. 0 or above.
    pub manifold: f64,
    /// Weight of the penalty on the classifier, sigma. Above 0.
    pub ridge: f64,
    /// Neighbours of each row in the graph, p. 1 to 1000000; there are no more than other rows.
    pub neighbors: usize,
    /// How often the classifier is fitted, each time with the pseudo-classes of the last one. 1 to 1000.
    pub iterations: usize,
}

impl Default for Artl {
    fn default() -> Self {
        Self {
            kernel: Kernel::Rbf,
            bandwidth: 1.0,
            discrepancy: 10.0,
            manifold: 1.0,
            ridge: 0.1,
            neighbors: 10,
            iterations: 10,
        }
    }
}

impl Artl {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Predictor(Carried::Features),
        summary: "fits a classifier that also closes the means' distance, class by class, and varies little between neighbours",
        when: "classes shift differently, neighbours share a class, a baseline that is better than guessing",
        paper: "M. Long, J. Wang, G. Ding, S. Pan, P. Yu, \"Adaptation regularization: a general framework for transfer learning\", TKDE 2014",
        needs: Needs { goals: Goals::Classes, directions: true, ..Needs::NOTHING },
        trains_learner: false,
        learner: "1-nn",
        grid: Grid::of(&["{}"]),
        most_rows: 4000,
        source: include_str!("artl.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for Artl {
    fn check(&self) -> Result<()> {
        let from_zero = |v: f64| v >= 0.0 && v.is_finite();
        let width = (1e-3..=1e6).contains(&self.bandwidth); // of rows of unit length
        must(NAME, "bandwidth", width, "from 0.001 to 1000000", self.bandwidth)?;
        must(NAME, "discrepancy", from_zero(self.discrepancy), "0 or above", self.discrepancy)?;
        must(NAME, "manifold", from_zero(self.manifold), "0 or above", self.manifold)?;
        must(NAME, "ridge", from_zero(self.ridge) && self.ridge > 0.0, "above 0", self.ridge)?;
        count(NAME, "neighbors", self.neighbors, 1..=1_000_000)?;
        count(NAME, "iterations", self.iterations, 1..=1_000)
    }

    /// The first pseudo-classes are those of `learner`.
    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        context.require("the pooled rows of `artl`", 2 * task.bytes())?;
        let mut rows = task.pooled();
        normalize_rows_l2(rows.as_mut());
        let rounds = Rounds {
            name: NAME,
            task,
            maps: vec![Map::NormalizeRowsL2],
            rows,
            bandwidth: (self.kernel == Kernel::Rbf).then_some(self.bandwidth),
            weights: Regularization {
                discrepancy: self.discrepancy,
                manifold: self.manifold,
                ridge: self.ridge,
                neighbors: self.neighbors,
            },
            iterations: self.iterations,
        };
        rounds.fit(learner, |_, _| Ok(0.5), context) // as M is scaled, both halves count in full
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::{Logistic, NearestNeighbor};
    use crate::linalg::{Matrix, from_rows};
    use crate::models::predict;

    fn goal() -> Goal {
        Goal::Classes(vec!["a".into(), "b".into(), "c".into()])
    }

    fn task(target: Domain) -> Task {
        let source = from_rows(&[vec![2.0, 0.0], vec![0.0, 3.0]]);
        Task::new(vec![Domain::labelled("s", source, Labels::Classes(vec![0, 2]))], target, goal()).unwrap()
    }

    /// Without graph and discrepancy, unit rows (1, 0) and (0, 1) give `w = (XᵀX + I)⁻¹ XᵀY = I / 2`.
    #[test]
    fn plain_least_squares_by_hand() {
        let artl =
            Artl { kernel: Kernel::Linear, discrepancy: 0.0, manifold: 0.0, ridge: 1.0, ..Artl::default() };
        let task = task(Domain::unlabelled("t", from_rows(&[vec![3.0, 4.0]]), &goal()));
        let fitted = artl.fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
        let said = predict(&fitted.maps, &fitted.trained.predictor, task.target.features.as_ref());
        assert!((said.scores.unwrap() - from_rows(&[vec![0.3, 0.4]])).norm_max() < 1e-14);
        assert_eq!((said.answer[0], fitted.trained.classes), (1.0, vec![0, 2]));
    }

    /// Two clusters; the labelled target row names a class that the source does not have.
    #[test]
    fn target_labels_count_and_bring_their_class() {
        let target = Domain {
            name: "t".into(),
            features: from_rows(&[vec![1.0, 0.1], vec![-1.0, -1.0], vec![-1.0, -1.1], vec![0.2, 1.0]]),
            labelled: vec![1],
            labels: Labels::Classes(vec![1]),
        };
        let task = task(target);
        for kernel in [Kernel::Linear, Kernel::Rbf] {
            let artl = Artl { kernel, neighbors: 1, iterations: 3, ..Artl::default() };
            let fitted = artl.fit(&task, &Logistic::default(), &mut Context::default()).unwrap();
            let said = predict(&fitted.maps, &fitted.trained.predictor, task.target.features.as_ref());
            assert_eq!((said.answer, fitted.trained.classes), (vec![0.0, 1.0, 1.0, 2.0], vec![0, 1, 2]));
        }
    }

    #[test]
    fn rows_of_zeros_and_more_columns_than_rows_are_no_failure() {
        let source = Domain::labelled("s", Matrix::zeros(3, 20), Labels::Classes(vec![0, 1, 0]));
        let target = Domain::unlabelled("t", Matrix::zeros(2, 20), &goal());
        let task = Task::new(vec![source], target, goal()).unwrap();
        for kernel in [Kernel::Linear, Kernel::Rbf] {
            let artl = Artl { kernel, ..Artl::default() };
            let fitted = artl.fit(&task, &NearestNeighbor::default(), &mut Context::default()).unwrap();
            let said = predict(&fitted.maps, &fitted.trained.predictor, task.target.features.as_ref());
            assert!(said.scores.unwrap().norm_max().is_finite());
        }
    }
}
