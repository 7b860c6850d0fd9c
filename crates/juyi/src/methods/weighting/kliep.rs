//! Kullback-Leibler importance estimation: the ratio of the densities as a sum of Gaussian bumps that makes the target
//! rows most likely.
//!
//! When: the same labelling rule, rows drawn differently, few columns; it needs no penalty and its weights are steadier
//! than those of least squares where few target rows are far out. It hurts with many columns, and where the target lies
//! outside the source's range: a few source rows then get all the weight.
//!
//! Paper: M. Sugiyama, S. Nakajima, H. Kashima, P. von Bünau, M. Kawanabe, "Direct importance estimation with model selection and its application to covariate shift adaptation", NIPS 2007
//!
//! ```text
//! w(x) = Σ_l a_l exp(-|x - c_l|² / (2 bandwidth²)),   c_l target rows                                 (eq. 4)
//! max mean_t ln w(t)   subject to   a_l ≥ 0,   mean_s w(s) = 1                                         (eq. 8)
//! ```
//! A bandwidth that is not given has the largest mean of `ln w(t)` over target rows `t` left out of the fit, in five
//! folds (section 2.3); the centres are the same in every fold.
//!
//! Where we differ: the paper climbs the gradient for a number of steps; here an interior-point method solves the
//! programme, to optimality conditions of `1e-8` or a warning says otherwise. With the shares `a_l mean_s exp(…)`, which
//! sum to 1, in place of the heights `a_l`, and with logarithms, a centre far from all source rows does no harm. The
//! bandwidths tried are five parts of the median distance of pooled rows; folds hold at most 5,000 target rows. Which
//! rows are centres and which share a fold is drawn by the seed and does not depend on their order. Weights are scaled
//! to mean 1, which they have by themselves unless `bound` cuts some.
//!
//! Cost: for `b` centres `O((n_s + n_t) b d)` a bandwidth and `O(n_t b²)` for each of 8 to 25 steps; `8 n_t b` bytes.

use std::borrow::Cow;

use faer::MatRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{
    Matrix, exponentials, log_gaussian_mixture, select_rows, squared_distances, transposed_times_vector,
};
use crate::methods::{
    Adapted, Adapter, Family, Grid, LearnerNeed, MethodRow, Needs, count, make, must, params_of,
};
use crate::solvers::{DrawnRows, MixtureShares, WIDTHS, mean_one_of_logarithms, mixture_shares};

/// Parts that target rows are split into for the choice of a bandwidth.
const FOLDS: usize = 5;
/// The most target rows that the choice looks at.
const MOST: usize = 5000;

/// Parameters of Kullback-Leibler importance estimation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kliep {
    /// The most target rows that bear a bump, drawn by the seed. 1 to 1000000; more fit finer ratios and cost more.
    pub centers: usize,
    /// Width of the bumps, in units of distance. Above 0; by default chosen by the likelihood of rows left out.
    pub bandwidth: Option<f64>,
    /// The largest ratio of the densities; larger ones are cut to it before weights are scaled. Above 0; by default
    /// there is none.
    pub bound: Option<f64>,
}

impl Default for Kliep {
    fn default() -> Self {
        Self { centers: 100, bandwidth: None, bound: None }
    }
}

impl Kliep {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "kliep",
        family: Family::Weighting,
        summary: "weighs source rows by the density ratio that makes the target rows most likely",
        when: "the same labelling rule, rows drawn differently; few columns",
        paper: "M. Sugiyama, S. Nakajima, H. Kashima, P. von Bünau, M. Kawanabe, \"Direct importance estimation with model selection and its application to covariate shift adaptation\", NIPS 2007",
        needs: Needs { learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: 200_000,
        source: include_str!("kliep.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Kliep {
    fn check(&self) -> Result<()> {
        count("kliep", "centers", self.centers, 1..=1_000_000)?;
        for (name, value) in [("bandwidth", self.bandwidth), ("bound", self.bound)] {
            let value = value.unwrap_or(1.0);
            must("kliep", name, value > 0.0 && value.is_finite(), "above 0", value)?;
        }
        Ok(())
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let centers = self.centers.min(target.nrows());
        context.require("the bumps of `kliep`", 8 * (centers * (target.nrows() + 3 * centers)) as u64)?;
        let width = self.bandwidth.unwrap_or_else(|| {
            let mut best = (f64::NEG_INFINITY, f64::NAN);
            for (width, likelihood) in self.likelihoods(source, target, context) {
                if likelihood > best.0 || best.1.is_nan() {
                    best = (likelihood, width);
                }
            }
            best.1
        });
        let (log_ratios, found) = self.solve(source, target, width, context);
        if found.residual > 1e-8 {
            context
                .warn("kliep", format!("the weights are exact to a gradient of {:.1e} only", found.residual));
        }
        Ok(Adapted {
            source: Cow::Borrowed(&task.source.features),
            weights: Some(mean_one_of_logarithms(log_ratios, self.bound)),
            target_map: Vec::new(),
        })
    }
}

impl Kliep {
    /// The logarithms of the ratios at the source rows `(n_s)`, before they are scaled or cut; beside them the shares
    /// that they are made of, with `mean_t ln w(t)` as objective.
    pub fn solve(
        &self,
        source: MatRef<'_, f64>,
        target: MatRef<'_, f64>,
        bandwidth: f64,
        context: &Context,
    ) -> (Vec<f64>, MixtureShares) {
        let centers = DrawnRows::new(source, target, context).target(self.centers);
        let bumps = Bumps::new(source, centers.as_ref(), target, bandwidth);
        let mut found = mixture_shares(bumps.likelihoods.as_ref(), 1e-9);
        found.objective += bumps.log_tops.iter().sum::<f64>() / target.nrows() as f64;
        let bearing: Vec<usize> = (0..centers.nrows()).filter(|&l| found.shares[l] > 0.0).collect();
        let log_heights: Vec<f64> =
            bearing.iter().map(|&l| found.shares[l].ln() - bumps.log_masses[l]).collect();
        let bearing = select_rows(centers.as_ref(), &bearing);
        let log_ratios = log_gaussian_mixture(source, bearing.as_ref(), bandwidth, &log_heights);
        (log_ratios, found)
    }

    /// The bandwidths that are tried, each with the mean logarithm of the ratio at target rows left out of the fit. One
    /// bandwidth, the median distance, where there is but one target row.
    pub fn likelihoods(
        &self,
        source: MatRef<'_, f64>,
        target: MatRef<'_, f64>,
        context: &Context,
    ) -> Vec<(f64, f64)> {
        let drawn = DrawnRows::new(source, target, context);
        let median = drawn.median_distance(context);
        let (centers, rows) = (drawn.target(self.centers), drawn.target(MOST));
        let (n, folds) = (rows.nrows(), FOLDS.min(rows.nrows()));
        if folds < 2 {
            return vec![(median, 0.0)];
        }
        let mut found = Vec::new();
        for (round, part) in WIDTHS.iter().enumerate() {
            context.progress("kliep", round, WIDTHS.len());
            let width = part * median;
            let Bumps { likelihoods, log_tops, .. } =
                Bumps::new(source, centers.as_ref(), rows.as_ref(), width);
            let mut sum = 0.0;
            for fold in 0..folds {
                let (held, others): (Vec<usize>, Vec<usize>) = (0..n).partition(|j| j % folds == fold);
                let some = |which: &[usize]| {
                    Matrix::from_fn(centers.nrows(), which.len(), |l, j| likelihoods[(l, which[j])])
                };
                let shares = mixture_shares(some(&others).as_ref(), 1e-8).shares;
                let densities = transposed_times_vector(some(&held).as_ref(), &shares);
                sum += held.iter().zip(densities).map(|(&j, p)| p.ln() + log_tops[j]).sum::<f64>();
            }
            found.push((width, sum / n as f64));
        }
        found
    }
}

/// The bumps at some target rows, each scaled to mean 1 over the source rows.
struct Bumps {
    /// Logarithms of the bumps' means over the source rows `(b)`.
    log_masses: Vec<f64>,
    /// The scaled bumps `(b, n)`, the largest of each row brought to 1.
    likelihoods: Matrix,
    /// The logarithm of what that was before `(n)`.
    log_tops: Vec<f64>,
}

impl Bumps {
    fn new(source: MatRef<'_, f64>, centers: MatRef<'_, f64>, rows: MatRef<'_, f64>, bandwidth: f64) -> Self {
        let n_s = source.nrows();
        let log_masses = log_gaussian_mixture(centers, source, bandwidth, &vec![-(n_s as f64).ln(); n_s]);
        let mut likelihoods = squared_distances(centers, rows);
        let scale = 0.5 / (bandwidth * bandwidth);
        let scaled = |j: usize| {
            let column = likelihoods.col_as_slice_mut(j);
            column.iter_mut().zip(&log_masses).for_each(|(v, mass)| *v = -scale * *v - mass);
            let top = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for v in column.iter_mut() {
                *v -= top;
            }
            exponentials(column, 1.0);
            top
        };
        let log_tops = (0..rows.nrows()).map(scaled).collect();
        Self { log_masses, likelihoods, log_tops }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::ClassMeans;
    use crate::linalg::from_rows;

    fn weights(adapter: Kliep, source: &[f64], target: &[f64]) -> Vec<f64> {
        let column = |values: &[f64]| from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>());
        let labels = Labels::Values(vec![0.0; source.len()]);
        let source = Domain::labelled("s", column(source), labels);
        let target = Domain::unlabelled("t", column(target), &Goal::Value);
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        let mut context = Context::default();
        let adapted = adapter.adapt(&task, &ClassMeans, &mut context).unwrap();
        assert!(context.notices().is_empty(), "{:?}", context.notices());
        adapted.weights.unwrap()
    }

    /// Far rows do not see each other, so each place has the share of its target rows: of 3 and 1 source rows, halves.
    #[test]
    fn far_rows_by_hand() {
        let adapter = Kliep { bandwidth: Some(1.0), ..Kliep::default() };
        let found = weights(adapter, &[0.0, 0.0, 0.0, 100.0], &[0.0, 100.0]);
        for (ours, expected) in found.iter().zip([2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]) {
            assert!((ours - expected).abs() < 1e-8, "{found:?}");
        }
        let bounded = weights(Kliep { bound: Some(1.0), ..adapter }, &[0.0, 0.0, 0.0, 100.0], &[0.0, 100.0]);
        assert!((bounded[3] - 4.0 / 3.0).abs() < 1e-8, "{bounded:?}");
    }

    #[test]
    fn far_targets_one_row_and_rows_all_the_same_have_weights() {
        for (source, target) in
            [(&[0.0, 1.0], &[1e4][..]), (&[2.0, 2.0], &[2.0; 6]), (&[0.0, 1.0], &[0.5, 1e8])]
        {
            let found = weights(Kliep::default(), source, target);
            assert!((found.iter().sum::<f64>() - 2.0).abs() < 1e-9, "{found:?}");
        }
    }
}
