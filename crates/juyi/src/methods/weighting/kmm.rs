//! Kernel mean matching: source rows are weighted so that their weighted mean in a Gaussian kernel's feature space is
//! the target's.
//!
//! When: the same labelling rule, rows drawn differently, and target rows inside the source's range. It hurts where the
//! target lies outside it: then a few border rows get all the weight.
//!
//! Paper: J. Huang, A. Smola, A. Gretton, K. Borgwardt, B. Schölkopf, "Correcting sample selection bias by unlabeled data", NIPS 2006
//!
//! ```text
//! min ½ wᵀ K w - κᵀ w   subject to   0 ≤ w_i ≤ bound,   |Σ w - n_s| ≤ n_s slack
//! K_ij = k(s_i, s_j),   κ_i = (n_s / n_t) Σ_j k(s_i, t_j)                                   (eq. 12)
//! ```
//! with `k` the Gaussian kernel. The solution meets the optimality conditions to `1e-8` of the gradient's scale where
//! few rows get a weight.
//!
//! Where we differ: weights are scaled to mean 1 afterwards, so that a learner's penalty keeps its strength; the
//! default slack is that of Gretton et al. 2009, `(√n_s - 1) / √n_s`.
//!
//! Cost: `O((n_s + n_t) n_s d)` for `κ`, block by block. Most weights are 0: for `s` that are not, `16 s²` bytes and
//! `O(s³)` for each of the solver's steps, and `O(n_s s d)` for each of its rounds. The kernel is never held whole.
//! Beyond 2,000 weights above 0, or fewer where their kernel does not fit into the memory budget, `m` Nyström features
//! stand in for it, up to 500, in `40 n_s m` bytes: a round takes some 10 steps of `O(n_s m²)` and one product with the
//! kernel itself, which corrects what the features miss until the optimality conditions are met to `1e-4` of the
//! gradient's scale. The model's notices say so. 20,000 rows a side of 10 columns take 20 seconds of processor time.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{
    gaussian_kernel, gaussian_kernel_means, gaussian_kernel_times, median_distance, select_rows,
};
use crate::methods::{Adapted, Adapter, Family, Grid, LearnerNeed, MethodRow, Needs, make, must, params_of};
use crate::solvers::{
    Bounds, FeatureProgram, Nystrom, QuadraticProgram, Solution, landmark_bytes, landmarks_that_fit,
};

/// Parameters of kernel mean matching.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kmm {
    /// Width of the Gaussian kernel, in units of distance. Above 0; by default the median distance of pooled rows.
    pub bandwidth: Option<f64>,
    /// The largest weight, B. 1 or above.
    pub bound: f64,
    /// How far the mean weight may be from 1, epsilon. Between 0 and 1; by default `(√n_s - 1) / √n_s`.
    pub slack: Option<f64>,
}

/// The most weights above 0 that are found with their whole kernel: the time grows with their cube.
const MOST_EXACT: usize = 2000;

/// The most features that stand in for it.
const MOST_LANDMARKS: usize = 500;

impl Default for Kmm {
    fn default() -> Self {
        Self { bandwidth: None, bound: 1000.0, slack: None }
    }
}

impl Kmm {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "kmm",
        family: Family::Weighting,
        summary: "weighs source rows so that their kernel mean is the target's",
        when: "the same labelling rule, rows drawn differently, and target rows inside the source's range",
        paper: "J. Huang, A. Smola, A. Gretton, K. Borgwardt, B. Schölkopf, \"Correcting sample selection bias by unlabeled data\", NIPS 2006",
        needs: Needs { learner: LearnerNeed::Weighs, ..Needs::NOTHING },
        trains_learner: true,
        learner: "logistic",
        grid: Grid::NONE,
        most_rows: 20_000,
        source: include_str!("kmm.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for Kmm {
    fn check(&self) -> Result<()> {
        let width = self.bandwidth.unwrap_or(1.0);
        must("kmm", "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)?;
        must("kmm", "bound", self.bound >= 1.0 && self.bound.is_finite(), "1 or above", self.bound)?;
        let slack = self.slack.unwrap_or(0.0);
        must("kmm", "slack", (0.0..=1.0).contains(&slack), "between 0 and 1", slack)
    }

    fn adapt<'a>(
        &self,
        task: &'a Task,
        _learner: &dyn Learner,
        context: &mut Context,
    ) -> Result<Adapted<'a>> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let width = self.bandwidth.unwrap_or_else(|| {
            let mut rng = context.rng("bandwidth");
            median_distance(task.pooled().as_ref(), &mut rng)
        });
        let found = self.solve(source, target, width, context)?;
        if !found.converged {
            context
                .warn("kmm", format!("the weights are exact to a gradient of {:.1e} only", found.residual));
        }
        let mut weights = found.weights;
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        if mean > 0.0 {
            for weight in &mut weights {
                *weight /= mean;
            }
        } else {
            context.warn("kmm", "no source row is like the target at this bandwidth: all weigh the same");
            weights.fill(1.0);
        }
        Ok(Adapted {
            source: Cow::Borrowed(&task.source.features),
            weights: Some(weights),
            target_map: Vec::new(),
        })
    }
}

impl Kmm {
    /// The weights before they are scaled, for `source` `(n_s, d)` and `target` `(n_t, d)` at this bandwidth.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if the programme cannot be solved.
    pub fn solve(
        &self,
        source: MatRef<'_, f64>,
        target: MatRef<'_, f64>,
        bandwidth: f64,
        context: &mut Context,
    ) -> Result<Solution> {
        let count = source.nrows();
        let n = count as f64;
        let slack = self.slack.unwrap_or((n.sqrt() - 1.0) / n.sqrt());
        let linear: Vec<f64> =
            gaussian_kernel_means(source, target, bandwidth).iter().map(|k| n * k).collect();
        let slab = (n * (1.0 - slack), n * (1.0 + slack));
        let bounds = Bounds { upper: self.bound, sum: slab };
        let times = |which: &[usize], w: &[f64]| {
            let (rows, w) = (select_rows(source, which), Mat::from_fn(w.len(), 1, |i, _| w[i]));
            let product = gaussian_kernel_times(source, rows.as_ref(), bandwidth, w.as_ref());
            product.col(0).iter().copied().collect::<Vec<f64>>()
        };
        let part = |which: &[usize]| {
            let rows = select_rows(source, which);
            gaussian_kernel(rows.as_ref(), rows.as_ref(), bandwidth)
        };
        // Two copies of the kernel among the rows that get a weight are what takes memory.
        let fits = |&s: &usize| context.fits(16 * (s * s) as u64);
        let most = (0..=count.min(MOST_EXACT)).rev().step_by(100).find(fits).unwrap_or(0);
        let program = QuadraticProgram { part, times, linear: &linear, bounds, most };
        if let Some(found) = program.solve()? {
            return Ok(found);
        }
        let landmarks = landmarks_that_fit(count, context).min(MOST_LANDMARKS);
        context.require("kmm", landmark_bytes(count, landmarks))?;
        let mut rng = context.rng("landmarks");
        let features = Nystrom::new(source, landmarks, bandwidth, &mut rng)?.features;
        let found = FeatureProgram { features, times, linear: &linear, bounds }.solve()?;
        let scale = linear.iter().fold(1.0, |most: f64, v| most.max(v.abs()));
        let exact = found.residual / scale;
        context.note(
            "kmm",
            format!(
                "more than {most} rows get a weight: {landmarks} Nyström features stand in for their kernel, corrected by \
                 it until the weights are exact to {exact:.1e} of the gradient's scale"
            ),
        );
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    /// Where the kernel among the weighted rows does not fit, features of it find weights that are as good.
    #[test]
    fn the_cheaper_route_is_said_and_agrees() {
        let source = Mat::from_fn(600, 4, |i, j| ((i * 37 + j * 101 + i * i * (j + 1)) % 997) as f64 / 300.0);
        let target =
            Mat::from_fn(500, 4, |i, j| 0.5 + ((i * 53 + j * 89 + i * i * (j + 2)) % 991) as f64 / 400.0);
        let solve = |context: &mut Context| {
            Kmm::default().solve(source.as_ref(), target.as_ref(), 0.5, context).unwrap()
        };
        let (exact, mut small) = (solve(&mut Context::default()), Context::new(0, 1 << 20));
        let found = solve(&mut small);
        let text = &small.notices()[0].text;
        assert!(text.starts_with("more than 200 rows get a weight: 41 Nyström features stand in"), "{text}");
        assert!(found.residual > exact.residual);
        let off = (found.objective - exact.objective).abs() / exact.objective.abs();
        assert!(off < 1e-3, "{off:e}");
        // What a learner is given: the weighted mean of a column.
        let mean = |found: &Solution, j: usize| {
            let sum: f64 = found.weights.iter().zip(source.col(j).iter()).map(|(w, v)| w * v).sum();
            sum / found.weights.iter().sum::<f64>()
        };
        for j in 0..4 {
            let (a, b) = (mean(&found, j), mean(&exact, j));
            assert!((a - b).abs() < 0.02, "column {j}: {a} and {b}");
        }
        let refused =
            Kmm::default().solve(source.as_ref(), target.as_ref(), 1.0, &mut Context::new(0, 1 << 17));
        assert!(matches!(refused, Err(crate::error::Error::Memory { .. })));
    }

    /// Two source rows far apart, so `K = I`; three of four target rows at the first: `κ = (2 · 3/4, 2 · 1/4)`, which
    /// is the answer where no bound is met.
    #[test]
    fn far_rows_by_hand() {
        let source = from_rows(&[vec![0.0], vec![100.0]]);
        let target = from_rows(&[vec![0.0], vec![0.0], vec![0.0], vec![100.0]]);
        let found =
            Kmm::default().solve(source.as_ref(), target.as_ref(), 1.0, &mut Context::default()).unwrap();
        assert!((found.weights[0] - 1.5).abs() < 1e-8 && (found.weights[1] - 0.5).abs() < 1e-8);
        let tight = Kmm { bound: 1.2, ..Kmm::default() };
        let found = tight.solve(source.as_ref(), target.as_ref(), 1.0, &mut Context::default()).unwrap();
        assert!((found.weights[0] - 1.2).abs() < 1e-8 && (found.weights[1] - 0.5).abs() < 1e-8);
    }
}
