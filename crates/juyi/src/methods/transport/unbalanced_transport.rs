//! Unbalanced transport: Sinkhorn transport in which rows need not send or receive all their mass, so that rows without
//! a counterpart, and classes whose shares differ, are not forced onto others.
//!
//! When: a smooth distortion of the rows and shares of the classes that differ, or outliers on either side. It hurts
//! where the shift is large beside the distances within a domain: mass is then dropped that should have been moved.
//!
//! Paper: L. Chizat, G. Peyré, B. Schmitzer, F.-X. Vialard, "Scaling algorithms for unbalanced optimal transport problems", Mathematics of Computation 2018
//!
//! ```text
//! γ = argmin Σ_ij γ_ij |s_i - t_j|² + ε KL(γ | 1/(n_s n_t)) + λ KL(γ 1 | 1/n_s) + λ KL(γᵀ 1 | 1/n_t)       (1)
//! u = (a / (K v))^(λ / (λ + ε)),   v = (b / (Kᵀ u))^(λ / (λ + ε)),   γ = diag(u) K diag(v)          (2)
//! s_i -> Σ_j γ_ij t_j / Σ_j γ_ij
//! ```
//! with `KL(p | q) = Σ p log(p / q) - p + q`, `ε` the `entropy` and `λ` the `relaxation` times the largest squared
//! distance: `reg_e` and `reg_m` of POT's `UnbalancedSinkhornTransport` with `norm="max"`. A row's image is divided by
//! what the row itself sends. Target rows stay where they are, so new ones need no map. A pair of a source row and a
//! labelled target row of another class costs 10 times the largest squared distance, which leaves it next to no mass;
//! labels that are numbers bar no pair.
//!
//! Where we differ: the potentials are shifted against each other after each round to where the dual is largest
//! (Séjourné et al., AISTATS 2022), and factors are absorbed while the entropy falls, so that a large relaxation and a
//! small entropy are served too; the answer is the same. Rows that send little count as much as others for the learner.
//!
//! Cost: `8 n_s n_t` bytes for the kernel, read once a round, or the kernel computed anew in each of the rounds,
//! `O(n_s n_t d)`. Rounds go as `min(λ, largest distance) / ε`, about.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::solvers::{EntropicPlan, EntropicTransport, PairCosts};

/// What errors and notices call it.
const NAME: &str = "unbalanced-transport";

/// Parameters of unbalanced transport.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UnbalancedTransport {
    /// Weight of the entropy, as a part of the largest squared distance between a source row and a target row. From
    /// 1e-9 to 1e9.
    pub entropy: f64,
    /// What it costs to send or receive other masses than those given, as a part of the largest squared distance: the
    /// larger, the more masses are met. From 0.05 to 1e9.
    pub relaxation: f64,
    /// The rounds end when no factor of the plan changes by more, relatively. 0 or above.
    pub tolerance: f64,
    /// The most rounds. 1 to 1000000.
    pub iterations: usize,
}

impl Default for UnbalancedTransport {
    fn default() -> Self {
        Self { entropy: 0.05, relaxation: 0.1, tolerance: 1e-6, iterations: 1000 }
    }
}

impl UnbalancedTransport {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Transport,
        summary: "moves the source rows by a smooth plan that may leave mass behind",
        when: "as sinkhorn, where class shares differ or rows have no counterpart",
        paper: "L. Chizat, G. Peyré, B. Schmitzer, F.-X. Vialard, \"Scaling algorithms for unbalanced optimal transport problems\", Mathematics of Computation 2018",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE, // its strengths want tuning
        most_rows: 10_000,
        source: include_str!("unbalanced_transport.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for UnbalancedTransport {
    fn check(&self) -> Result<()> {
        let Self { entropy, relaxation, .. } = *self;
        must(NAME, "entropy", (1e-9..=1e9).contains(&entropy), "from 1e-9 to 1e9", entropy)?;
        must(NAME, "relaxation", (0.05..=1e9).contains(&relaxation), "from 0.05 to 1e9", relaxation)?;
        must(
            NAME,
            "tolerance",
            self.tolerance >= 0.0 && self.tolerance.is_finite(),
            "0 or above",
            self.tolerance,
        )?;
        count(NAME, "iterations", self.iterations, 1..=1_000_000)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let plan = self.plan(&PairCosts::new(source, target).barring(task.known_classes()), context)?;
        Ok(Adapted { source: Cow::Owned(plan.images), weights: None, target_map: Vec::new() })
    }
}

impl UnbalancedTransport {
    /// The plan at these costs.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if squared distances overflow.
    pub fn plan(&self, costs: &PairCosts<'_>, context: &mut Context) -> Result<EntropicPlan> {
        let Self { entropy, relaxation, tolerance, iterations } = *self;
        let hold = costs.hold(NAME, context);
        let (relaxation, start, sends) = (Some(relaxation), None, None);
        let problem =
            EntropicTransport { costs, entropy, relaxation, tolerance, iterations, hold, start, sends };
        let plan = problem.solve()?;
        if plan.error > tolerance {
            let said = format!(
                "after {iterations} rounds the plan still changes by {:.1e}, not {tolerance:.1e}: raise `entropy` or \
                 `iterations`",
                plan.error
            );
            context.warn(NAME, said);
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Matrix, from_rows};
    use crate::solvers::KnownClasses;

    fn plan(method: UnbalancedTransport, s: &Matrix, t: &Matrix) -> EntropicPlan {
        let context = &mut Context::default();
        let plan = method.plan(&PairCosts::new(s.as_ref(), t.as_ref()), context).unwrap();
        assert!(context.notices().is_empty(), "{:?}", context.notices());
        plan
    }

    /// One row on one row at cost `c`: `c + ε log p + 2 λ log p = 0`.
    #[test]
    fn one_row_by_hand() {
        let (s, t) = (from_rows(&[vec![0.0]]), from_rows(&[vec![2.0]]));
        for (entropy, relaxation) in [(0.05, 0.1), (1.0, 3.0), (1e-4, 0.05), (0.01, 1e6)] {
            let method = UnbalancedTransport { entropy, relaxation, tolerance: 1e-14, iterations: 1000 };
            let mass = (-1.0 / (entropy + 2.0 * relaxation)).exp();
            let found = plan(method, &s, &t);
            assert!((found.sent[0] / mass - 1.0).abs() < 1e-8, "{entropy} {relaxation}: {}", found.sent[0]);
            assert!((found.images[(0, 0)] - 2.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_large_relaxation_meets_the_masses() {
        let s = Matrix::from_fn(30, 2, |i, j| ((i * 7 + j * 5) % 23) as f64 / 4.0);
        let t = Matrix::from_fn(17, 2, |i, j| ((i * 11 + j * 3) % 19) as f64 / 3.0);
        for entropy in [0.1, 0.002] {
            let method =
                UnbalancedTransport { entropy, relaxation: 1e8, tolerance: 1e-9, iterations: 100_000 };
            let found = plan(method, &s, &t);
            assert!(found.sent.iter().all(|mass| (mass * 30.0 - 1.0).abs() < 1e-6), "{:?}", found.sent);
        }
    }

    /// Two rows of which one has no counterpart: it sends next to nothing, and its image is a target row all the same.
    #[test]
    fn a_row_without_a_counterpart_sends_little() {
        let (s, t) = (from_rows(&[vec![0.0], vec![50.0]]), from_rows(&[vec![0.0], vec![1.0]]));
        let found = plan(UnbalancedTransport { entropy: 1e-3, ..UnbalancedTransport::default() }, &s, &t);
        assert!(found.sent[0] > 0.5 && found.sent[1] < 1e-3, "{:?}", found.sent);
        assert!((0.0..=1.0).contains(&found.images[(1, 0)]));
    }

    #[test]
    fn a_row_that_is_barred_from_all_has_an_image() {
        let (s, t) = (from_rows(&[vec![0.0], vec![5.0]]), from_rows(&[vec![0.0], vec![1.0]]));
        for entropy in [0.1, 1e-3, 1e-6] {
            let method = UnbalancedTransport { entropy, relaxation: 0.05, ..UnbalancedTransport::default() };
            let known = KnownClasses { source: &[0, 1], target: vec![(0, 0), (1, 0)] };
            let costs = PairCosts::new(s.as_ref(), t.as_ref()).barring(Some(known));
            let found = method.plan(&costs, &mut Context::default()).unwrap();
            assert!(
                found.sent[1] < 1e-20 && (0.0..=1.0).contains(&found.images[(1, 0)]),
                "{:?}",
                found.images
            );
        }
    }
}
