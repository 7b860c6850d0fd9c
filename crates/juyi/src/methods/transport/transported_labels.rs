//! Transported labels: the labels of the source rows travel with their mass to the target rows, and the learner is
//! trained on the target rows themselves.
//!
//! When: as exact transport, and the target rows are many enough to learn from: what is learnt is fitted where it is
//! used. It hurts where class shares differ, because the target is then given the shares of the source.
//!
//! Paper: I. Redko, N. Courty, R. Flamary, D. Tuia, "Optimal transport for multi-source domain adaptation under target shift", AISTATS 2019
//!
//! ```text
//! γ = argmin Σ_ij γ_ij |s_i - t_j|² (+ ε Σ_ij γ_ij (log γ_ij - 1)),   Σ_j γ_ij = 1/n_s,   Σ_i γ_ij = 1/n_t
//! L_j = n_t Σ_i γ_ij y_i
//! ```
//! with `y_i` the indicator of the class, or the number, of source row `i`; the class of a target row is the one with
//! the largest share in `L_j`, the first of equals. (J. Solomon, R. Rustamov, L. Guibas, A. Butscher, "Wasserstein
//! propagation for semi-supervised learning", ICML 2014, has the idea.)
//!
//! Labelled target rows keep their labels; a source row sends nothing to one of another class where the masses allow,
//! as such a pair costs 10 times the largest squared distance. Labels that are numbers bar no pair.
//!
//! Where we differ: one plan from all source rows together, as in skada's `OTLabelPropAdapter`; the paper has one plan
//! for each source and estimates the class shares besides.
//!
//! Cost: that of `exact-transport`, or of `sinkhorn` where `entropy` is above 0, and of the learner on `n_t` rows.

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Labels, Task};
use crate::error::Result;
use crate::learners::{Learner, train};
use crate::linalg::Matrix;
use crate::methods::{Family, Fitted, Grid, Method, MethodRow, Needs, count, make, must, params_of};
use crate::solvers::{EntropicTransport, PairCosts};

/// What errors and notices call it.
const NAME: &str = "transported-labels";

/// Shares that differ by less are equal: they are sums in another order.
const EQUAL: f64 = 1e-9;

/// Parameters of transported labels.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransportedLabels {
    /// Weight of the entropy, as a part of the largest squared distance between a source row and a target row. 0 for
    /// the exact plan, else from 1e-9 to 1e9.
    pub entropy: f64,
    /// The rounds of an entropic plan end when the masses that the target rows receive, 1 in all, are off by this in
    /// Euclidean norm. 0 or above.
    pub tolerance: f64,
    /// The most rounds. 1 to 1000000.
    pub iterations: usize,
}

impl Default for TransportedLabels {
    fn default() -> Self {
        Self { entropy: 0.0, tolerance: 1e-6, iterations: 1000 }
    }
}

impl TransportedLabels {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Transport,
        summary: "carries the source labels to the target rows by a transport plan and learns there",
        when: "as exact-transport, with target rows enough to learn from; harmful when class shares differ",
        paper: "I. Redko, N. Courty, R. Flamary, D. Tuia, \"Optimal transport for multi-source domain adaptation under target shift\", AISTATS 2019",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE, // close to exact transport
        most_rows: 10_000,
        source: include_str!("transported_labels.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for TransportedLabels {
    fn check(&self) -> Result<()> {
        let Self { entropy, tolerance, iterations } = *self;
        let holds = entropy == 0.0 || (1e-9..=1e9).contains(&entropy);
        must(NAME, "entropy", holds, "0, or from 1e-9 to 1e9", entropy)?;
        must(NAME, "tolerance", tolerance >= 0.0 && tolerance.is_finite(), "0 or above", tolerance)?;
        count(NAME, "iterations", iterations, 1..=1_000_000)
    }

    fn fit(&self, task: &Task, learner: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let received = self.received(task, context)?;
        let known = |labels: &Labels| task.target.labelled.iter().copied().zip(0..labels.len());
        let labels = match &task.target.labels {
            Labels::Classes(given) => {
                let mut of: Vec<usize> = (0..received.nrows()).map(|j| largest(&received, j)).collect();
                known(&task.target.labels).for_each(|(j, k)| of[j] = given[k]);
                Labels::Classes(of)
            }
            Labels::Values(given) => {
                let mut of: Vec<f64> = received.col(0).iter().copied().collect();
                known(&task.target.labels).for_each(|(j, k)| of[j] = given[k]);
                Labels::Values(of)
            }
        };
        let trained = train(learner, &task.target.features, &labels, None, &task.goal, context)?;
        Ok(Fitted { maps: Vec::new(), trained, moved: None, weights: None })
    }
}

/// The class with the largest share, the first of equals.
fn largest(shares: &Matrix, j: usize) -> usize {
    let most = shares.row(j).iter().copied().fold(0.0, f64::max);
    shares.row(j).iter().position(|share| *share >= most - EQUAL).unwrap_or(0)
}

impl TransportedLabels {
    /// `L_j` for each target row: the share of each class `(n_t, classes)`, or the mean value `(n_t, 1)`.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if squared distances overflow.
    pub fn received(&self, task: &Task, context: &mut Context) -> Result<Matrix> {
        let n = task.source.rows();
        let sends = match &task.source.labels {
            Labels::Classes(of) => {
                Mat::from_fn(n, task.goal.classes(), |i, c| f64::from(u8::from(of[i] == c)))
            }
            Labels::Values(values) => Mat::from_fn(n, 1, |i, _| values[i]),
        };
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let costs = &PairCosts::new(source, target).barring(task.known_classes());
        let hold = costs.hold(NAME, context);
        let Self { entropy, tolerance, iterations } = *self;
        if entropy == 0.0 {
            return Ok(costs.exact_plan(hold, None)?.received(target.nrows(), sends.as_ref()));
        }
        let and_mass =
            Mat::from_fn(n, sends.ncols() + 1, |i, c| if c < sends.ncols() { sends[(i, c)] } else { 1.0 });
        let (relaxation, start, sends) = (None, None, Some(and_mass.as_ref()));
        let problem =
            EntropicTransport { costs, entropy, relaxation, tolerance, iterations, hold, start, sends };
        let plan = problem.solve()?;
        if plan.error > tolerance {
            let said = format!(
                "after {iterations} rounds the masses received are off by {:.1e}, not {tolerance:.1e}: raise \
                 `entropy` or `iterations`",
                plan.error
            );
            context.warn(NAME, said);
        }
        // What a row receives is off by the error of its mass.
        let (shares, k) = (&plan.received, plan.received.ncols() - 1);
        Ok(Mat::from_fn(target.nrows(), k, |j, c| shares[(j, c)] / shares[(j, k)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal};
    use crate::linalg::from_rows;

    fn task(labelled: Vec<usize>, labels: Vec<usize>) -> Task {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let rows = from_rows(&[vec![0.0], vec![10.0]]);
        let source = Domain::labelled("s", rows, Labels::Classes(vec![0, 1]));
        let features = from_rows(&[vec![1.0], vec![5.0], vec![12.0]]);
        let target = Domain { name: "t".into(), features, labelled, labels: Labels::Classes(labels) };
        Task::new(vec![source], target, goal).unwrap()
    }

    /// Each source row sends 1/3 to its end and 1/6 to the middle.
    #[test]
    fn shares_by_hand_and_equals_go_to_the_first() {
        let task = task(vec![], vec![]);
        let method = TransportedLabels::default();
        let shares = method.received(&task, &mut Context::default()).unwrap();
        let by_hand = from_rows(&[vec![1.0, 0.0], vec![0.5, 0.5], vec![0.0, 1.0]]);
        assert!((&shares - by_hand).norm_max() < 1e-14);
        assert_eq!([0, 1, 2].map(|j| largest(&shares, j)), [0, 0, 1]);
        let smooth = TransportedLabels { entropy: 1e-4, ..method };
        let near = smooth.received(&task, &mut Context::default()).unwrap();
        assert!((&shares - near).norm_max() < 1e-5);
    }

    /// The first target row is of class b: only the second source row may send there, and the first takes the others.
    #[test]
    fn labelled_rows_bar_the_other_classes() {
        let shares = TransportedLabels::default().received(&task(vec![0], vec![1]), &mut Context::default());
        let by_hand = from_rows(&[vec![0.0, 1.0], vec![1.0, 0.0], vec![0.5, 0.5]]);
        assert!((shares.unwrap() - by_hand).norm_max() < 1e-14);
    }
}
