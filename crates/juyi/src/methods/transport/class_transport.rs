//! Class transport: Sinkhorn transport with a penalty where a target row receives from source rows of several classes,
//! so that rows of different classes are not moved onto each other.
//!
//! When: as Sinkhorn transport, where classes overlap after the shift. It hurts where class shares differ: some target
//! rows must then receive from a wrong class, and the penalty makes them receive from that class alone.
//!
//! Paper: N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, "Optimal transport for domain adaptation", IEEE TPAMI 2017
//!
//! ```text
//! γ = argmin Σ_ij γ_ij |s_i - t_j|² + ε Σ_ij γ_ij (log γ_ij - 1) + η Ω(γ)                       (1)
//! under         Σ_j γ_ij = 1/n_s,   Σ_i γ_ij = 1/n_t
//! group-lasso:  Ω(γ) = Σ_j Σ_c |γ_I(c),j|                       Euclidean length; I(c): the source rows of class c
//! lp-l1:        Ω(γ) = Σ_j Σ_c (Σ_(i in I(c)) γ_ij + 0.001)^(1/2)
//! s_i -> n_s Σ_j γ_ij t_j                                                                  (the barycentric map)
//! ```
//! with `ε` the `entropy` and `η` the `strength` times the largest squared distance: `reg_e` and `reg_cl` of POT's
//! `SinkhornL1l2Transport` and `SinkhornLpl1Transport` with `norm="max"`. lp-l1 is not convex: `rounds` Sinkhorn plans
//! are made one after the other, each at costs raised by the slope of `Ω` at the plan before. Target rows stay where
//! they are, so new ones need no map. A pair of a source row and a labelled target row of another class costs 10 times
//! the largest squared distance, so that nothing is sent there where the masses allow.
//!
//! Where we differ: the group lasso is solved to its minimum by proximal steps in the Kullback-Leibler divergence
//! ([`crate::solvers::GroupSparse`]), which need no line search, where the paper has conditional gradients. POT 0.9.7
//! leaves the entropy out of the line search and stops short of the minimum where `strength` is not small beside
//! `entropy`; where it does not the two agree. lp-l1 has the same rounds as POT, each from the potentials of the last.
//!
//! Cost: group-lasso `16 n_s n_t` bytes; a step computes the squared distances, `O(n_s n_t d)`, and steps go as
//! `strength / entropy`. lp-l1 that of `rounds` Sinkhorn plans: `8 n_s n_t` bytes for the kernel, or the kernel computed anew in
//! each pass. The `0.001` is a mass: with more than about 1,000 target rows lp-l1 tells classes apart less.

use std::borrow::Cow;

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::methods::{Adapted, Adapter, Family, Goals, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::solvers::{EntropicPlan, EntropicTransport, GroupPlan, GroupSparse, PairCosts};

/// What errors and notices call it.
const NAME: &str = "class-transport";

/// The penalty on target rows that receive from several classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    /// The Euclidean length of what each class sends.
    GroupLasso,
    /// The square root of what each class sends in all.
    LpL1,
}

/// Parameters of class transport.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClassTransport {
    /// The penalty: `group-lasso` or `lp-l1`.
    pub penalty: Penalty,
    /// Weight of the entropy, as a part of the largest squared distance between a source row and a target row. From
    /// 1e-9 to 1e9.
    pub entropy: f64,
    /// Weight of the penalty, as a part of the largest squared distance. From 0 to 1e9.
    pub strength: f64,
    /// Plans that are made one after the other under `lp-l1`. 1 to 1000.
    pub rounds: usize,
    /// A plan is good enough when the masses that the target rows receive, 1 in all, are off by this in Euclidean norm,
    /// and under `group-lasso` when a step moves this mass at most. 0 or above.
    pub tolerance: f64,
    /// The most steps under `group-lasso`, and the most rounds of each Sinkhorn plan. 1 to 1000000.
    pub iterations: usize,
}

impl Default for ClassTransport {
    fn default() -> Self {
        let (rounds, tolerance, iterations) = (10, 1e-6, 1000);
        Self { penalty: Penalty::GroupLasso, entropy: 0.05, strength: 0.1, rounds, tolerance, iterations }
    }
}

impl ClassTransport {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Transport,
        summary: "moves the source rows by a smooth plan that keeps the classes apart",
        when: "as sinkhorn, where classes overlap after the shift; harmful when class shares differ",
        paper: "N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, \"Optimal transport for domain adaptation\", IEEE TPAMI 2017",
        needs: Needs { goals: Goals::Classes, ..Needs::NOTHING },
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: 5_000,
        source: include_str!("class_transport.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for ClassTransport {
    fn check(&self) -> Result<()> {
        let Self { entropy, strength, tolerance, .. } = *self;
        must(NAME, "entropy", (1e-9..=1e9).contains(&entropy), "from 1e-9 to 1e9", entropy)?;
        must(NAME, "strength", (0.0..=1e9).contains(&strength), "from 0 to 1e9", strength)?;
        count(NAME, "rounds", self.rounds, 1..=1_000)?;
        must(NAME, "tolerance", tolerance >= 0.0 && tolerance.is_finite(), "0 or above", tolerance)?;
        count(NAME, "iterations", self.iterations, 1..=1_000_000)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let mut costs = PairCosts::new(source, target).barring(task.known_classes());
        let classes = task.source.labels.classes();
        let images = match self.penalty {
            Penalty::GroupLasso => self.group_lasso(&costs, classes, context)?.images,
            Penalty::LpL1 => self.lp_l1(&mut costs, classes, context)?.images,
        };
        Ok(Adapted { source: Cow::Owned(images), weights: None, target_map: Vec::new() })
    }
}

impl ClassTransport {
    /// The plan with the group lasso.
    ///
    /// # Errors
    /// [`crate::error::Error::Memory`]; [`crate::error::Error::Numeric`] if squared distances overflow.
    pub fn group_lasso(
        &self,
        costs: &PairCosts<'_>,
        classes: &[usize],
        context: &mut Context,
    ) -> Result<GroupPlan> {
        let pairs = (costs.sources() * costs.target().nrows()) as u64;
        context.require("the plan of `class-transport` and its logarithm", 16 * pairs)?;
        let Self { tolerance, iterations, .. } = *self;
        // The plan without the penalty need not be good: it is where the steps start.
        let start = EntropicTransport {
            costs,
            entropy: self.entropy,
            relaxation: None,
            tolerance: tolerance.max(1e-3 / (costs.target().nrows() as f64).sqrt()),
            iterations,
            hold: true,
            start: None,
            sends: None,
        };
        let start = start.solve()?;
        let strength = self.strength * (start.entropy / self.entropy);
        let found = GroupSparse { costs, classes, strength, tolerance, iterations }.solve(&start);
        self.say(found.error, context);
        Ok(found)
    }

    /// The last of the plans with lp-l1; `costs` are left at those it was made for.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if squared distances overflow.
    pub fn lp_l1(
        &self,
        costs: &mut PairCosts<'_>,
        classes: &[usize],
        context: &mut Context,
    ) -> Result<EntropicPlan> {
        let hold = costs.hold(NAME, context);
        let count = classes.iter().max().map_or(0, |last| last + 1);
        let indicators = Mat::from_fn(classes.len(), count, |i, c| f64::from(u8::from(classes[i] == c)));
        let mut last: Option<EntropicPlan> = None;
        for round in 0..self.rounds {
            let mut start = None;
            if let Some(plan) = last.take() {
                let unit = plan.entropy / self.entropy;
                let slope = |mass: f64| 0.5 / (mass + 1e-3).sqrt();
                let masses = &plan.received;
                let raise = |j, c| self.strength * unit * slope(masses[(j, c)]);
                costs.add(Mat::from_fn(masses.nrows(), masses.ncols(), raise));
                // Costs that changed by far more than the entropy would leave rows whose shares all underflow.
                let change = self.strength * unit * slope(0.0);
                start = (change < 200.0 * plan.entropy)
                    .then_some((plan.source_potentials, plan.target_potentials));
            }
            let problem = EntropicTransport {
                costs,
                entropy: self.entropy,
                relaxation: None,
                tolerance: self.tolerance,
                iterations: self.iterations,
                hold,
                start,
                sends: Some(indicators.as_ref()),
            };
            last = Some(problem.solve()?);
            context.progress(NAME, round + 1, self.rounds);
        }
        let plan = last.expect("there is at least one round");
        self.say(plan.error, context);
        Ok(plan)
    }

    fn say(&self, error: f64, context: &mut Context) {
        let Self { tolerance, iterations, .. } = *self;
        if error > tolerance {
            let said = format!(
                "after {iterations} rounds the plan is off by {error:.1e}, not {tolerance:.1e}: raise `entropy` or \
                 `iterations`"
            );
            context.warn(NAME, said);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Two rows of two classes between two target rows: at one place each sends half to each side, and no penalty
    /// breaks the tie; a little apart each sends more to its own side, and lp-l1 makes more of it.
    #[test]
    fn a_tie_stays_and_a_lead_grows() {
        let target = from_rows(&[vec![-1.0], vec![1.0]]);
        for penalty in [Penalty::GroupLasso, Penalty::LpL1] {
            let share = |place: f64, strength: f64| {
                let source = from_rows(&[vec![-place], vec![place]]);
                let method =
                    ClassTransport { penalty, strength, tolerance: 1e-12, ..ClassTransport::default() };
                let mut costs = PairCosts::new(source.as_ref(), target.as_ref())
                    .barring(Some(crate::solvers::KnownClasses { source: &[0, 1], target: vec![] }));
                let context = &mut Context::default();
                let images = match penalty {
                    Penalty::GroupLasso => method.group_lasso(&costs, &[0, 1], context).unwrap().images,
                    Penalty::LpL1 => method.lp_l1(&mut costs, &[0, 1], context).unwrap().images,
                };
                assert!(context.notices().is_empty(), "{:?}", context.notices());
                (1.0 - images[(0, 0)]) / 2.0
            };
            assert!((share(0.0, 0.5) - 0.5).abs() < 1e-9);
            // p / (1 - p) = exp(4 place / ε) with ε = 0.05 (1 + place)².
            let plain = 1.0 / (1.0 + (-0.04 / (0.05 * 1.01f64.powi(2))).exp());
            assert!((share(0.01, 0.0) - plain).abs() < 1e-9, "{penalty:?}");
            // The length of a single share is the share itself, so that the group lasso is the same for all plans here.
            let more = share(0.01, 0.05) - plain;
            assert!(if penalty == Penalty::LpL1 { more > 0.01 } else { more.abs() < 1e-9 }, "{more}");
        }
    }
}
