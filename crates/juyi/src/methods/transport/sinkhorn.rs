//! Sinkhorn transport: each source row is moved to the mean of the target rows that its mass is sent to, by a plan of
//! small total squared distance that an entropy term keeps smooth.
//!
//! When: a smooth distortion of the rows and equal shares of the classes, noise that an exact plan would follow. It
//! hurts where class shares differ, as exact transport does; a large entropy draws all rows to the middle of the
//! target.
//!
//! Paper: M. Cuturi, "Sinkhorn distances: lightspeed computation of optimal transport", NIPS 2013
//!
//! ```text
//! γ = argmin Σ_ij γ_ij |s_i - t_j|² + ε Σ_ij γ_ij (log γ_ij - 1),   Σ_j γ_ij = 1/n_s,   Σ_i γ_ij = 1/n_t     (eq. 2)
//! s_i -> n_s Σ_j γ_ij t_j                                                                  (the barycentric map)
//! ```
//! with `ε` the `entropy` times the largest squared distance: `reg_e` of POT's `SinkhornTransport` with `norm="max"`.
//! Target rows stay where they are, so new ones need no map. A pair of a source row and a labelled target row of
//! another class costs 10 times the largest squared distance, so that nothing is sent there where the masses allow;
//! labels that are numbers bar no pair.
//!
//! Where we differ: a small entropy is served too, by potentials that are absorbed and an entropy that falls to it
//! (B. Schmitzer, SISC 2019); the answer is the same. [`crate::solvers::Transported`] maps new source rows.
//!
//! Cost: `8 n_s n_t` bytes for the kernel, read once a round, or the kernel computed anew in each of the rounds,
//! `O(n_s n_t d)`. Rounds go as one over the entropy, and worse below 0.001.

use std::borrow::Cow;

use faer::MatRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::solvers::{EntropicPlan, EntropicTransport, PairCosts};

/// Parameters of Sinkhorn transport.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sinkhorn {
    /// Weight of the entropy, as a part of the largest squared distance between a source row and a target row. From
    /// 1e-9 to 1e9.
    pub entropy: f64,
    /// The rounds end when the masses that the target rows receive, 1 in all, are off by this in Euclidean norm (POT's
    /// `stopThr`). 0 or above.
    pub tolerance: f64,
    /// The most rounds. 1 to 1000000.
    pub iterations: usize,
}

impl Default for Sinkhorn {
    fn default() -> Self {
        Self { entropy: 0.05, tolerance: 1e-6, iterations: 1000 }
    }
}

impl Sinkhorn {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "sinkhorn",
        family: Family::Transport,
        summary: "moves the source rows onto the target rows by a smooth plan of small total squared distance",
        when: "as exact-transport, where single rows are noisy; harmful when class shares differ",
        paper: "M. Cuturi, \"Sinkhorn distances: lightspeed computation of optimal transport\", NIPS 2013",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: 10_000,
        source: include_str!("sinkhorn.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Sinkhorn {
    fn check(&self) -> Result<()> {
        let entropy = self.entropy;
        must("sinkhorn", "entropy", (1e-9..=1e9).contains(&entropy), "from 1e-9 to 1e9", entropy)?;
        must(
            "sinkhorn",
            "tolerance",
            self.tolerance >= 0.0 && self.tolerance.is_finite(),
            "0 or above",
            self.tolerance,
        )?;
        count("sinkhorn", "iterations", self.iterations, 1..=1_000_000)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let plan = self.solve(&PairCosts::new(source, target).barring(task.known_classes()), context)?;
        Ok(Adapted { source: Cow::Owned(plan.images), weights: None, target_map: Vec::new() })
    }
}

impl Sinkhorn {
    /// The plan from `source` `(n_s, d)` to `target` `(n_t, d)`, every row with the same mass.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if squared distances overflow.
    pub fn plan(
        &self,
        source: MatRef<'_, f64>,
        target: MatRef<'_, f64>,
        context: &mut Context,
    ) -> Result<EntropicPlan> {
        self.solve(&PairCosts::new(source, target), context)
    }

    fn solve(&self, costs: &PairCosts<'_>, context: &mut Context) -> Result<EntropicPlan> {
        let (n_s, n_t) = (costs.sources(), costs.target().nrows());
        let name = format!("the kernel between {n_s} and {n_t} rows");
        let instead = "it is computed anew in every round: the same plan in more time";
        let hold = context.exact_route("sinkhorn", &name, 8 * (n_s * n_t) as u64, instead);
        let Self { entropy, tolerance, iterations } = *self;
        let (relaxation, start, sends) = (None, None, None);
        let problem =
            EntropicTransport { costs, entropy, relaxation, tolerance, iterations, hold, start, sends };
        let plan = problem.solve()?;
        if plan.error > tolerance {
            let said = format!(
                "after {iterations} rounds the masses received are off by {:.1e}, not {tolerance:.1e}: raise \
                 `entropy` or `iterations`",
                plan.error
            );
            context.warn("sinkhorn", said);
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Matrix, from_rows};

    /// Source rows 0 and 1 on target rows 0 and 1: by symmetry the plan is `(p, q; q, p)`, and `p / q = exp(1/ε)`.
    #[test]
    fn two_rows_by_hand() {
        let x = from_rows(&[vec![0.0], vec![1.0]]);
        for entropy in [1.0, 0.1, 0.01, 1e-4] {
            let plan = Sinkhorn { entropy, tolerance: 1e-15, ..Sinkhorn::default() }
                .plan(x.as_ref(), x.as_ref(), &mut Context::default())
                .unwrap();
            let share = 1.0 / (1.0 + (1.0f64 / entropy).exp());
            assert!((plan.images[(0, 0)] - share).abs() < 1e-14, "{entropy}: {:?}", plan.images);
            assert!((plan.images[(1, 0)] - (1.0 - share)).abs() < 1e-14);
        }
    }

    #[test]
    fn a_kernel_computed_anew_gives_the_same_plan_and_giving_up_is_said() {
        let source = Matrix::from_fn(300, 3, |i, j| ((i * 7 + j * 5) % 23) as f64 / 4.0);
        let target = Matrix::from_fn(170, 3, |i, j| ((i * 11 + j * 3) % 19) as f64 / 3.0);
        for (entropy, tolerance) in [(0.1, 1e-6), (1e-4, 1e-12)] {
            let method = Sinkhorn { entropy, tolerance, iterations: 30 };
            let held = method.plan(source.as_ref(), target.as_ref(), &mut Context::default()).unwrap();
            let small = &mut Context::new(0, 4000);
            let anew = method.plan(source.as_ref(), target.as_ref(), small).unwrap();
            assert!(small.notices()[0].text.contains("computed anew"));
            assert_eq!(held.images, anew.images);
            let gave_up = small.notices().iter().any(|notice| notice.text.contains("after 30 rounds"));
            assert_eq!(gave_up, entropy < 0.1, "{:?}", small.notices());
        }
    }

    #[test]
    fn rows_that_are_all_the_same_stay_so() {
        let x = Matrix::from_fn(5, 2, |_, _| 3.0);
        let plan = Sinkhorn::default().plan(x.as_ref(), x.as_ref(), &mut Context::default()).unwrap();
        assert!((plan.images - x).norm_max() < 1e-14);
    }
}
