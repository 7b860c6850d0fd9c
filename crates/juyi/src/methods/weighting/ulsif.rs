//! Unconstrained least-squares importance fitting: the ratio of the densities as a sum of Gaussian bumps, by one linear
//! system.
//!
//! When: the same labelling rule, rows drawn differently, few columns; quick, and it chooses its own kernel width and
//! penalty. It hurts with many columns, where no width both blurs enough and tells near from far, and where the target
//! lies outside the source's range: a few source rows then get all the weight.
//!
//! Paper: T. Kanamori, S. Hido, M. Sugiyama, "A least-squares approach to direct importance estimation", JMLR 10, 2009
//!
//! ```text
//! w(x) = p_t(x) / p_s(x) ≈ Σ_l θ_l exp(-|x - c_l|² / (2 bandwidth²)),   c_l target rows           (eq. 3)
//! θ = max(0, (H + penalty I)⁻¹ h),   H = mean_s φφᵀ,   h = mean_t φ                                 (eqs. 20-22)
//! ```
//! with `φ(x)` the bumps at `x`. Bandwidth and penalty that are not given have the least leave-one-out score
//! `mean (θᵀφ(s))² / 2 - θᵀφ(t)`, in which `θ` is fitted without the pair `(s, t)`; all such fits come from one
//! decomposition (see [`LeastSquaresRatio`]).
//!
//! Where we differ: the candidates are five widths about the median distance of pooled rows and nine penalties from
//! 0.001 to 10; at most 5,000 pairs are left out in turn; which rows are centres and which make a pair is drawn by the
//! seed and does not depend on their order. Weights are scaled to mean 1, so that a learner's penalty keeps its
//! strength, and may be bounded.
//!
//! Cost: for `b` centres `O(n b (d + b))` a width, and `O(b² pairs)` a width and penalty; `O(b² + b pairs)` memory. No
//! matrix of source by target rows.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::methods::{
    Adapted, Adapter, Family, Grid, LearnerNeed, MethodRow, Needs, count, make, must, params_of,
};
use crate::solvers::LeastSquaresRatio;

/// Parameters of unconstrained least-squares importance fitting.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ulsif {
    /// The most target rows that bear a bump, drawn by the seed. 1 to 1000000; more fit finer ratios and cost more.
    pub centers: usize,
    /// Width of the bumps, in units of distance. Above 0; by default chosen by the leave-one-out score.
    pub bandwidth: Option<f64>,
    /// Penalty on the squared heights of the bumps, lambda. Above 0; by default chosen by the leave-one-out score.
    pub penalty: Option<f64>,
    /// The largest ratio of the densities; larger ones are cut to it before weights are scaled. Above 0; by default
    /// there is none.
    pub bound: Option<f64>,
}

impl Default for Ulsif {
    fn default() -> Self {
        Self { centers: 100, bandwidth: None, penalty: None, bound: None }
    }
}

impl Ulsif {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "ulsif",
        family: Family::Weighting,
        summary: "weighs source rows by a density ratio fitted by least squares",
        when: "the same labelling rule, rows drawn differently; few columns",
        paper: "T. Kanamori, S. Hido, M. Sugiyama, \"A least-squares approach to direct importance estimation\", JMLR 10, 2009",
        needs: Needs { learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: 1_000_000,
        source: include_str!("ulsif.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Ulsif {
    fn check(&self) -> Result<()> {
        count("ulsif", "centers", self.centers, 1..=1_000_000)?;
        for (name, value) in [("bandwidth", self.bandwidth), ("penalty", self.penalty), ("bound", self.bound)]
        {
            let value = value.unwrap_or(1.0);
            must("ulsif", name, value > 0.0 && value.is_finite(), "above 0", value)?;
        }
        Ok(())
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let ratio = LeastSquaresRatio {
            name: "ulsif",
            source: task.source.features.as_ref(),
            target: task.target.features.as_ref(),
            share: 0.0,
        };
        let weights = ratio.weights(self.centers, self.bandwidth, self.penalty, self.bound, context)?;
        Ok(Adapted {
            source: Cow::Borrowed(&task.source.features),
            weights: Some(weights),
            target_map: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::ClassMeans;
    use crate::linalg::{Matrix, from_rows};

    fn weights(adapter: &Ulsif, source: Matrix, target: Matrix) -> Vec<f64> {
        let labels = Labels::Values((0..source.nrows()).map(|i| i as f64).collect());
        let source = Domain::labelled("s", source, labels);
        let target = Domain::unlabelled("t", target, &Goal::Value);
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        adapter.adapt(&task, &ClassMeans, &mut Context::default()).unwrap().weights.unwrap()
    }

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    /// Rows at 0 and 100 do not see each other, so `H` is diagonal: `θ = h_l / (H_ll + 1/4)` with `H = (3/4, 1/4)`, `h =
    /// (1/4, 1/4, 1/2)` over the centres 0, 100 and 200: the ratios are 1/4 and 1/2, their mean 5/16.
    #[test]
    fn far_rows_by_hand() {
        let adapter = Ulsif { bandwidth: Some(1.0), penalty: Some(0.25), ..Ulsif::default() };
        let (source, target) = (column(&[0.0, 0.0, 0.0, 100.0]), column(&[0.0, 100.0, 200.0, 200.0]));
        for (ours, expected) in weights(&adapter, source, target).iter().zip([0.8, 0.8, 0.8, 1.6]) {
            assert!((ours - expected).abs() < 1e-12, "{ours} for {expected}");
        }
    }

    #[test]
    fn a_target_out_of_sight_leaves_equal_weights() {
        let adapter = Ulsif { bandwidth: Some(1.0), penalty: Some(0.1), ..Ulsif::default() };
        assert_eq!(weights(&adapter, column(&[0.0, 1.0]), column(&[1e6])), [1.0, 1.0]);
    }
}
