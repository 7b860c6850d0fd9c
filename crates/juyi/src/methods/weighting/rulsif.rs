//! Relative least-squares importance fitting: the density ratio of the target to a mixture of target and source, which
//! stays bounded where the source has no rows.
//!
//! When: the same labelling rule, rows drawn so differently that plain weights fall on a few rows; few columns. It hurts
//! where the shift is large and the rule bends: relative weights stop halfway, at rows between source and target.
//!
//! Paper: M. Yamada, T. Suzuki, T. Kanamori, H. Hachiya, M. Sugiyama, "Relative density-ratio estimation for robust distribution comparison", Neural Computation 25, 2013
//!
//! ```text
//! w(x) = p_t(x) / (alpha p_t(x) + (1 - alpha) p_s(x)) ≈ Σ_l θ_l exp(-|x - c_l|² / (2 bandwidth²))   (eq. 2.2)
//! θ = max(0, (H + penalty I)⁻¹ h),   H = alpha mean_t φφᵀ + (1 - alpha) mean_s φφᵀ,   h = mean_t φ    (eq. 3.1)
//! ```
//! with `φ(x)` the bumps at `x` and the centres `c_l` target rows. In the text `alpha` is `mixture_share`. The relative
//! ratio is never above `1 / alpha`: with 0.1 no row counts for more than ten. It is no ratio to the source, so that the
//! weighted source rows follow the target only as far as that bound lets them; 0 gives `ulsif`, and towards 1 all
//! weights become the same.
//!
//! Bandwidth and penalty that are not given have the least leave-one-out score of the squared error of the relative
//! ratio, `mean alpha (θᵀφ(t))² / 2 + (1 - alpha) (θᵀφ(s))² / 2 - θᵀφ(t)`, in which `θ` is fitted without the pair
//! `(s, t)`. All such fits come from one decomposition (see [`LeastSquaresRatio`]).
//!
//! Where we differ: the paper chooses by cross-validation in folds, here it is the leave-one-out counterpart of uLSIF's;
//! negative heights are cut to 0, so that no weight is negative; the candidates are five widths about the median
//! distance of pooled rows and nine penalties from 0.001 to 10; at most 5,000 pairs are left out in turn; which rows are
//! centres and which make a pair is drawn by the seed and does not depend on their order. Weights are scaled to mean 1,
//! so that a learner's penalty keeps its strength, and may be bounded.
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

/// Parameters of relative least-squares importance fitting.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rulsif {
    /// The target's part in the mixture below the fraction, alpha; no ratio is above 1 divided by it. 0 or above, below
    /// 1; 0 is the plain ratio.
    pub mixture_share: f64,
    /// The most target rows that bear a bump, drawn by the seed. 1 to 1000000; more fit finer ratios and cost more.
    pub centers: usize,
    /// Width of the bumps, in units of distance. Above 0; by default chosen by the leave-one-out score.
    pub bandwidth: Option<f64>,
    /// Penalty on the squared heights of the bumps, lambda. Above 0; by default chosen by the leave-one-out score.
    pub penalty: Option<f64>,
    /// The largest relative ratio; larger ones are cut to it before weights are scaled. Above 0; by default there is
    /// none.
    pub bound: Option<f64>,
}

impl Default for Rulsif {
    fn default() -> Self {
        Self { mixture_share: 0.1, centers: 100, bandwidth: None, penalty: None, bound: None }
    }
}

impl Rulsif {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "rulsif",
        family: Family::Weighting,
        summary: "weighs source rows by a bounded density ratio, to a mixture of both domains",
        when: "the same labelling rule, rows drawn very differently; few columns",
        paper: "M. Yamada, T. Suzuki, T. Kanamori, H. Hachiya, M. Sugiyama, \"Relative density-ratio estimation for robust distribution comparison\", Neural Computation 25, 2013",
        needs: Needs { learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: 1_000_000,
        source: include_str!("rulsif.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Rulsif {
    fn check(&self) -> Result<()> {
        let part = (0.0..1.0).contains(&self.mixture_share);
        must("rulsif", "mixture_share", part, "0 or above and below 1", self.mixture_share)?;
        count("rulsif", "centers", self.centers, 1..=1_000_000)?;
        for (name, value) in [("bandwidth", self.bandwidth), ("penalty", self.penalty), ("bound", self.bound)]
        {
            let value = value.unwrap_or(1.0);
            must("rulsif", name, value > 0.0 && value.is_finite(), "above 0", value)?;
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
            name: "rulsif",
            source: task.source.features.as_ref(),
            target: task.target.features.as_ref(),
            share: self.mixture_share,
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

    fn weights(adapter: &Rulsif, source: Matrix, target: Matrix) -> Vec<f64> {
        let labels = Labels::Values((0..source.nrows()).map(|i| i as f64).collect());
        let source = Domain::labelled("s", source, labels);
        let target = Domain::unlabelled("t", target, &Goal::Value);
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        adapter.adapt(&task, &ClassMeans, &mut Context::default()).unwrap().weights.unwrap()
    }

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    /// Rows at 0, 100 and 200 do not see each other, so `H` is diagonal: half of `(3/4, 1/4, 0)` and half of `(1/4, 1/4,
    /// 1/2)`. With the penalty 1/4 the ratios at 0 and 100 are `1/4 / (1/2 + 1/4)` and `1/4 / (1/4 + 1/4)`: 1/3 and 1/2,
    /// their mean 3/8.
    #[test]
    fn far_rows_by_hand() {
        let adapter =
            Rulsif { mixture_share: 0.5, bandwidth: Some(1.0), penalty: Some(0.25), ..Rulsif::default() };
        let (source, target) = (column(&[0.0, 0.0, 0.0, 100.0]), column(&[0.0, 100.0, 200.0, 200.0]));
        let third = 8.0 / 9.0;
        for (ours, expected) in weights(&adapter, source, target).iter().zip([third, third, third, 4.0 / 3.0])
        {
            assert!((ours - expected).abs() < 1e-12, "{ours} for {expected}");
        }
    }
}
