//! Kernel density weighting: the density of each domain is estimated by a Gaussian bump on every row, and a source row
//! weighs as much as the ratio of the two there.
//!
//! When: the same labelling rule, rows drawn differently, up to about five columns; clumps and tails of any shape. It
//! hurts with many columns, where every row stands alone: the source's density is then the same at all its rows and
//! the weights fall on those nearest to a target row.
//!
//! Paper: M. Sugiyama, T. Suzuki, T. Kanamori, "Density Ratio Estimation in Machine Learning", Cambridge University Press 2012, section 2.3
//!
//! ```text
//! w(x) = p_t(x) / p_s(x),   p(x) = mean_j exp(-|x - x_j|² / (2 h²)) / h^d
//! h = s n^(-1 / (d + 4))                                                            (Scott's rule)
//! h = s (n (d + 2) / 4)^(-1 / (d + 4))                                              (Silverman's rule)
//! ```
//! with `s` the root of the mean variance of a domain's `d` columns and `n` its rows: each domain has its own width
//! unless one is given.
//!
//! Where we differ: all is done with logarithms, so that a row far from everything has a ratio and not 0 by 0. A source
//! row counts itself in its own density; left out, a row on its own would weigh without bound. Weights are scaled to
//! mean 1, so that a learner's penalty keeps its strength, and may be bounded.
//!
//! Cost: `O(n_s (n_s + n_t) d)` time, `O(n_s + n_t)` memory: the kernel is never held.

use std::borrow::Cow;

use faer::MatRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{column_deviations, column_means, log_gaussian_mixture};
use crate::methods::{Adapted, Adapter, Family, Grid, LearnerNeed, MethodRow, Needs, make, must, params_of};
use crate::solvers::mean_one_of_logarithms;

/// How a width follows from a domain's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WidthRule {
    /// `n^(-1 / (d + 4))` deviations.
    Scott,
    /// `(n (d + 2) / 4)^(-1 / (d + 4))` deviations.
    Silverman,
}

/// Parameters of kernel density weighting.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KernelDensityRatio {
    /// Width of the bumps of both densities, in units of distance. Above 0; by default the rule's for each domain.
    pub bandwidth: Option<f64>,
    /// The rule for a width that is not given: `scott` or `silverman`.
    pub rule: WidthRule,
    /// The largest ratio of the densities; larger ones are cut to it before weights are scaled. Above 0; by default
    /// there is none.
    pub bound: Option<f64>,
}

impl Default for KernelDensityRatio {
    fn default() -> Self {
        Self { bandwidth: None, rule: WidthRule::Scott, bound: None }
    }
}

impl KernelDensityRatio {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "kernel-density-ratio",
        family: Family::Weighting,
        summary: "weighs source rows by the ratio of two kernel density estimates",
        when: "the same labelling rule, rows drawn differently; up to about five columns",
        paper: "M. Sugiyama, T. Suzuki, T. Kanamori, \"Density Ratio Estimation in Machine Learning\", Cambridge University Press 2012, section 2.3",
        needs: Needs { learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: 20_000,
        source: include_str!("kernel_density_ratio.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for KernelDensityRatio {
    fn check(&self) -> Result<()> {
        for (name, value) in [("bandwidth", self.bandwidth), ("bound", self.bound)] {
            let value = value.unwrap_or(1.0);
            must("kernel-density-ratio", name, value > 0.0 && value.is_finite(), "above 0", value)?;
        }
        Ok(())
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        _context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let [below, above] = self.widths(source, target);
        let d = task.columns() as f64;
        let log_density = |x: MatRef<'_, f64>, width: f64| {
            let log_share = -(x.nrows() as f64).ln() - d * width.ln();
            log_gaussian_mixture(source, x, width, &vec![log_share; x.nrows()])
        };
        let (below, above) = (log_density(source, below), log_density(target, above));
        let log_ratios = above.iter().zip(below).map(|(a, b)| a - b).collect();
        Ok(Adapted {
            source: Cow::Borrowed(&task.source.features),
            weights: Some(mean_one_of_logarithms(log_ratios, self.bound)),
            target_map: Vec::new(),
        })
    }
}

impl KernelDensityRatio {
    /// The widths of the source's and of the target's density. A domain whose rows are all the same takes the other's
    /// deviation; 1 if neither has any.
    fn widths(&self, source: MatRef<'_, f64>, target: MatRef<'_, f64>) -> [f64; 2] {
        let d = source.ncols() as f64;
        let deviation = |x: MatRef<'_, f64>| {
            let squares: f64 = column_deviations(x, &column_means(x)).iter().map(|v| v * v).sum();
            let n = x.nrows() as f64;
            (squares / d * n / (n - 1.0).max(1.0)).sqrt()
        };
        let found = [deviation(source), deviation(target)];
        let rows = [source.nrows() as f64, target.nrows() as f64];
        [0, 1].map(|side| {
            let spread = if found[side] > 0.0 { found[side] } else { found[1 - side] };
            let spread = if spread > 0.0 { spread } else { 1.0 };
            let rows = match self.rule {
                WidthRule::Scott => rows[side],
                WidthRule::Silverman => rows[side] * (d + 2.0) / 4.0,
            };
            self.bandwidth.unwrap_or(spread * rows.powf(-1.0 / (d + 4.0)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::ClassMeans;
    use crate::linalg::from_rows;

    fn weights(adapter: KernelDensityRatio, source: &[f64], target: &[f64]) -> Vec<f64> {
        let column = |values: &[f64]| from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>());
        let labels = Labels::Values(vec![0.0; source.len()]);
        let source = Domain::labelled("s", column(source), labels);
        let target = Domain::unlabelled("t", column(target), &Goal::Value);
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        adapter.adapt(&task, &ClassMeans, &mut Context::default()).unwrap().weights.unwrap()
    }

    /// Far rows do not see each other: the shares are 3/4 and 1/4 below, 1/2 and 1/2 above, so the ratios 2/3 and 2.
    #[test]
    fn far_rows_by_hand() {
        let adapter = KernelDensityRatio { bandwidth: Some(1.0), ..KernelDensityRatio::default() };
        let found = weights(adapter, &[0.0, 0.0, 0.0, 100.0], &[0.0, 100.0]);
        for (ours, expected) in found.iter().zip([2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]) {
            assert!((ours - expected).abs() < 1e-13, "{found:?}");
        }
        let bounded = KernelDensityRatio { bound: Some(2.0 / 3.0), ..adapter };
        let found = weights(bounded, &[0.0, 0.0, 0.0, 100.0], &[0.0, 100.0]);
        assert!((found[3] - 1.0).abs() < 1e-13, "{found:?}");
    }

    /// Where every density underflows the ratio is that of the nearest rows: `exp((100² - 99²) / 2)` to one.
    #[test]
    fn rows_far_from_everything_have_a_ratio() {
        let adapter = KernelDensityRatio { bandwidth: Some(1.0), ..KernelDensityRatio::default() };
        let found = weights(adapter, &[0.0, 1.0], &[100.0]);
        assert!(found[0] >= 0.0 && (found[1] - 2.0).abs() < 1e-12, "{found:?}");
        let rules = KernelDensityRatio { rule: WidthRule::Silverman, ..KernelDensityRatio::default() };
        assert_eq!(weights(rules, &[3.0, 3.0], &[3.0]), [1.0, 1.0]);
    }
}
