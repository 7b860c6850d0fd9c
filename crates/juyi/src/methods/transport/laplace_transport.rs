//! Laplace transport: exact transport in which rows that are neighbours are to have images that are neighbours, so that
//! the shape of the source, or of the target, survives the move.
//!
//! When: a distortion of rows that lie on clusters or curves, noise that an exact plan would follow. It hurts where
//! class shares differ, as exact transport does; a large strength draws the images of neighbours together.
//!
//! Paper: N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, "Optimal transport for domain adaptation", IEEE TPAMI 2017
//!
//! ```text
//! γ = argmin Σ_ij γ_ij |s_i - t_j|² + η [α tr(Yᵀ L_s Y) + (1 - α) tr(Zᵀ L_t Z)],   Y = γ T,  Z = γᵀ S       (1)
//! L = diag(Σ_j W_ij) - W
//! W = (A + Aᵀ) / 2, A_ij = 1 for the k nearest rows j of i;   or   W_ij = exp(-|x_i - x_j|² / 2σ²)
//! s_i -> n_s Y_i                                                                           (the barycentric map)
//! ```
//! under `Σ_j γ_ij = 1/n_s`, `Σ_i γ_ij = 1/n_t`. Conditional gradients: the plan that is cheapest at the slope of (1)
//! is found by the network simplex method, and the plan so far goes 0.99 of the way there, or to the least of (1) on
//! the way if that is not enough of a descent. The rows of `Y` are divided by `n_s`, so the penalty weighs less the
//! more rows there are: all this is POT's `EMDLaplaceTransport` with `reg_lap` for `η` and `reg_src` for `α`. Target
//! rows stay where they are, so new ones need no map. A pair of a source row and a labelled target row of another class
//! costs 10 times the largest squared distance, so that nothing is sent there where the masses allow; labels that are
//! numbers bar no pair.
//!
//! Where we differ: the steps also end where the slope promises nothing more, and not by an absolute change of the
//! objective, which depends on units. The default width of the Gaussian is the median distance; POT's is half the
//! inverse of a squared mean of squared distances. Plans are not held, as (1) needs `Y` and `Z` only; each starts from
//! the prices of the one before.
//!
//! Cost: that of `exact-transport` in each step, the later ones cheaper; `O((n_s² + n_t²) d)` once for the neighbours,
//! or in each step for the Gaussian.

use std::borrow::Cow;

use faer::{Mat, MatRef};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::Learner;
use crate::linalg::{
    BLOCK, Matrix, column_means, dot, gaussian_kernel_times, median_distance, padded_rows,
    squared_distance_block, squared_norms,
};
use crate::methods::{Adapted, Adapter, Family, Grid, MethodRow, Needs, count, make, must, params_of};
use crate::solvers::PairCosts;

/// What errors and notices call it.
const NAME: &str = "laplace-transport";

/// The first try of a step, and the share of the promised descent that it must bring.
const STEP: f64 = 0.99;
const DESCENT: f64 = 1e-4;

/// Which rows are neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Similarity {
    /// The nearest rows.
    Nearest,
    /// All rows, weighted by a Gaussian of their distance.
    Gaussian,
}

/// Parameters of Laplace transport.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LaplaceTransport {
    /// Weight of the penalty on neighbours that are parted, η; no unit. 0 or above.
    pub strength: f64,
    /// The part of the penalty that is on the source rows' images, α; the rest is on the images of the target rows
    /// among the source rows. From 0 to 1.
    pub source_share: f64,
    /// Which rows are neighbours: `nearest` or `gaussian`.
    pub similarity: Similarity,
    /// How many neighbours a row has under `nearest`. 1 to 1000000.
    pub neighbors: usize,
    /// Width σ of the Gaussian, in units of distance; none for the median distance between rows of both sides. Above 0.
    pub bandwidth: Option<f64>,
    /// The steps end when the objective changes by less, relatively. 0 or above.
    pub tolerance: f64,
    /// The most steps. 1 to 1000000.
    pub iterations: usize,
}

impl Default for LaplaceTransport {
    fn default() -> Self {
        Self {
            strength: 1.0,
            source_share: 0.5,
            similarity: Similarity::Nearest,
            neighbors: 3,
            bandwidth: None,
            tolerance: 1e-6,
            iterations: 100,
        }
    }
}

impl LaplaceTransport {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Transport,
        summary: "moves the source rows by an exact plan that keeps neighbours together",
        when: "as exact-transport, where rows lie on clusters or curves; harmful when class shares differ",
        paper: "N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, \"Optimal transport for domain adaptation\", IEEE TPAMI 2017",
        needs: Needs::NOTHING,
        trains_learner: true,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: 5_000,
        source: include_str!("laplace_transport.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Adapter for LaplaceTransport {
    fn check(&self) -> Result<()> {
        let Self { strength, source_share, tolerance, .. } = *self;
        must(NAME, "strength", strength >= 0.0 && strength.is_finite(), "0 or above", strength)?;
        must(NAME, "source_share", (0.0..=1.0).contains(&source_share), "from 0 to 1", source_share)?;
        count(NAME, "neighbors", self.neighbors, 1..=1_000_000)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must(NAME, "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)?;
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
        let plan = self.plan(PairCosts::new(source, target).barring(task.known_classes()), context)?;
        Ok(Adapted { source: Cow::Owned(plan.images), weights: None, target_map: Vec::new() })
    }
}

/// What is kept of a plan.
pub struct LaplacePlan {
    /// The mean of the target rows for each source row, weighted by what it sends them `(n_s, d)`.
    pub images: Matrix,
    /// The mean of the source rows for each target row, weighted by what they send it `(n_t, d)`.
    pub origins: Matrix,
    /// The objective.
    pub objective: f64,
    /// Steps.
    pub iterations: usize,
}

impl LaplaceTransport {
    /// The plan at these costs.
    ///
    /// # Errors
    /// [`crate::error::Error::Numeric`] if squared distances overflow.
    pub fn plan(&self, mut costs: PairCosts<'_>, context: &mut Context) -> Result<LaplacePlan> {
        let (source, target) = (costs.source(), costs.target());
        let (n, m) = (source.nrows(), target.nrows());
        costs.check()?;
        let hold = costs.hold(NAME, context);
        let graphs =
            [self.graph(source, target, source, context), self.graph(source, target, target, context)];
        let shares = [self.strength * self.source_share, self.strength * (1.0 - self.source_share)];
        // Mass is spread evenly to begin with.
        let even = |mean: Vec<f64>, rows: usize| Mat::from_fn(rows, mean.len(), |_, k| mean[k]);
        let mut at = [even(column_means(target), n), even(column_means(source), m)];
        let counts = [n as f64, m as f64];
        let mut linear = costs.mean();
        let mut slopes = slopes_at(&graphs, &at, shares, counts);
        let half = |slopes: &[Matrix; 2], at: &[Matrix; 2]| {
            (0..2).map(|side| inner(&slopes[side], &at[side]) / counts[side]).sum::<f64>() / 2.0
        };
        let mut objective = linear + half(&slopes, &at);
        let mut prices: Option<Vec<f64>> = None;
        let mut iterations = 0;
        loop {
            iterations += 1;
            let [a, b] = slopes.clone();
            costs.tilt(a, b);
            let plan = costs.exact_plan(hold, prices.as_deref())?;
            let there = [plan.images(n, target), plan.received(m, source)];
            let way = [0, 1].map(|side| &there[side] - &at[side]);
            let linear_way = costs.untilted(&plan) - linear;
            let bends = slopes_at(&graphs, &way, shares, counts);
            // The objective on the way: objective + slope x + curvature x².
            let slope = linear_way + 2.0 * half(&slopes, &way);
            let curvature = half(&bends, &way);
            let falls = slope * STEP + curvature * STEP * STEP <= DESCENT * STEP * slope;
            let step = if falls { STEP } else { -slope / (2.0 * curvature) };
            context.progress(NAME, iterations, self.iterations);
            if slope >= 0.0 || !step.is_finite() {
                break;
            }
            for side in 0..2 {
                at[side] += faer::Scale(step) * &way[side];
                slopes[side] += faer::Scale(step) * &bends[side];
            }
            linear += step * linear_way;
            let before = objective;
            objective = linear + half(&slopes, &at);
            let change = (objective - before).abs();
            if change < self.tolerance * objective.abs() || change == 0.0 {
                break;
            }
            if iterations >= self.iterations {
                let said = format!(
                    "after {iterations} steps the objective still changes by {:.1e} of itself: raise `iterations`",
                    change / objective.abs()
                );
                context.warn(NAME, said);
                break;
            }
            prices = Some(plan.source_prices);
        }
        let [images, origins] = at;
        Ok(LaplacePlan { images, origins, objective, iterations })
    }

    fn graph<'a>(
        &self,
        source: MatRef<'a, f64>,
        target: MatRef<'a, f64>,
        rows: MatRef<'a, f64>,
        context: &mut Context,
    ) -> Graph<'a> {
        match self.similarity {
            Similarity::Nearest => Graph::nearest(rows, self.neighbors),
            Similarity::Gaussian => {
                let middle = |context: &mut Context| {
                    let both = crate::linalg::stack(source, target);
                    median_distance(both.as_ref(), &mut context.rng(NAME))
                };
                let bandwidth = self.bandwidth.unwrap_or_else(|| middle(context));
                let ones = Mat::from_fn(rows.nrows(), 1, |_, _| 1.0);
                let sums = gaussian_kernel_times(rows, rows, bandwidth, ones.as_ref());
                Graph::Gaussian { rows, bandwidth, sums: sums.col(0).iter().copied().collect() }
            }
        }
    }
}

/// `2 η α L_s Y` and `2 η (1 - α) L_t Z`, where `Y` and `Z` are `at` divided by the numbers of rows.
fn slopes_at(graphs: &[Graph<'_>; 2], at: &[Matrix; 2], shares: [f64; 2], counts: [f64; 2]) -> [Matrix; 2] {
    [0, 1].map(|side| {
        let factor = 2.0 * shares[side] / counts[side];
        if factor == 0.0 {
            return Mat::zeros(at[side].nrows(), at[side].ncols());
        }
        faer::Scale(factor) * graphs[side].laplacian_times(&at[side])
    })
}

/// `Σ a_ij b_ij`.
fn inner(a: &Matrix, b: &Matrix) -> f64 {
    (0..a.ncols()).map(|k| dot(a.col_as_slice(k), b.col_as_slice(k))).sum()
}

/// How much alike rows are, W.
enum Graph<'a> {
    /// For each row those that it is joined to, and how much.
    Nearest(Vec<Vec<(usize, f64)>>),
    /// A Gaussian of the distance, and its sum for each row.
    Gaussian { rows: MatRef<'a, f64>, bandwidth: f64, sums: Vec<f64> },
}

impl Graph<'_> {
    /// Joins each row to its `k` nearest; half of a join goes either way.
    fn nearest(rows: MatRef<'_, f64>, k: usize) -> Self {
        let n = rows.nrows();
        let k = k.min(n - 1);
        let norms = squared_norms(rows);
        let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
        let found: Vec<Vec<Vec<usize>>> = starts
            .par_iter()
            .map(|&first| {
                let count = BLOCK.min(n - first);
                let block = padded_rows(rows, first, count, BLOCK);
                let own = squared_norms(block.as_ref());
                let distances = squared_distance_block(rows, &norms, block.as_ref(), &own);
                let of_row = |i: usize| {
                    let column = distances.col_as_slice(i);
                    let mut others: Vec<usize> = (0..n).filter(|&j| j != first + i).collect();
                    let order = |a: &usize, b: &usize| column[*a].total_cmp(&column[*b]).then(a.cmp(b));
                    if k > 0 && k < others.len() {
                        others.select_nth_unstable_by(k - 1, order);
                    }
                    others.truncate(k);
                    others.sort_unstable();
                    others
                };
                (0..count).map(of_row).collect()
            })
            .collect();
        let mut joined: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
        for (i, others) in found.into_iter().flatten().enumerate() {
            for j in others {
                joined[i].push((j, 0.5));
                joined[j].push((i, 0.5));
            }
        }
        for others in &mut joined {
            others.sort_unstable_by_key(|(j, _)| *j);
        }
        Self::Nearest(joined)
    }

    /// `L y`.
    fn laplacian_times(&self, y: &Matrix) -> Matrix {
        match self {
            Self::Nearest(joined) => {
                let column = |k: usize| {
                    let y = y.col_as_slice(k);
                    let parted = |(i, others): (usize, &Vec<(usize, f64)>)| {
                        others.iter().map(|&(j, w)| w * (y[i] - y[j])).sum::<f64>()
                    };
                    joined.iter().enumerate().map(parted).collect::<Vec<f64>>()
                };
                let columns: Vec<Vec<f64>> = (0..y.ncols()).into_par_iter().map(column).collect();
                Mat::from_fn(y.nrows(), y.ncols(), |i, k| columns[k][i])
            }
            Self::Gaussian { rows, bandwidth, sums } => {
                let near = gaussian_kernel_times(*rows, *rows, *bandwidth, y.as_ref());
                Mat::from_fn(y.nrows(), y.ncols(), |i, k| sums[i] * y[(i, k)] - near[(i, k)])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    fn plan(method: LaplaceTransport, s: &Matrix, t: &Matrix) -> LaplacePlan {
        method.plan(PairCosts::new(s.as_ref(), t.as_ref()), &mut Context::default()).unwrap()
    }

    /// Two source rows on two target rows with share `p` sent to the other side: images `p` and `1 - p`, so (1) is
    /// `p + η (1 - 2p)² / 4` with one join of weight 1, least at `p = (η - 1) / (2 η)` from η = 1 on.
    #[test]
    fn two_rows_by_hand() {
        let x = from_rows(&[vec![0.0], vec![1.0]]);
        for (strength, share) in [(0.5, 0.0), (2.0, 0.25), (5.0, 0.4)] {
            let method = LaplaceTransport {
                strength,
                source_share: 1.0,
                tolerance: 1e-15,
                ..LaplaceTransport::default()
            };
            let found = plan(method, &x, &x);
            assert!((found.images[(0, 0)] - share).abs() < 1e-6, "{strength}: {:?}", found.images);
            let objective = share + strength * (1.0 - 2.0 * share).powi(2) / 4.0;
            assert!((found.objective - objective).abs() < 1e-9, "{strength}: {}", found.objective);
        }
    }

    #[test]
    fn without_a_penalty_it_is_exact_transport_and_few_rows_have_few_neighbours() {
        let s = Mat::from_fn(12, 2, |i, j| ((i * 7 + j * 5) % 23) as f64 / 4.0);
        let t = Mat::from_fn(9, 2, |i, j| ((i * 11 + j * 3) % 19) as f64 / 3.0);
        let costs = PairCosts::new(s.as_ref(), t.as_ref());
        let exact = costs.exact_plan(true, None).unwrap().images(12, t.as_ref());
        let none = LaplaceTransport { strength: 0.0, tolerance: 1e-12, ..LaplaceTransport::default() };
        assert!((plan(none, &s, &t).images - exact).norm_max() < 1e-6);
        let one = from_rows(&[vec![1.0, 2.0]]);
        for similarity in [Similarity::Nearest, Similarity::Gaussian] {
            let method = LaplaceTransport { similarity, ..LaplaceTransport::default() };
            assert!((plan(method, &one, &one).images - &one).norm_max() < 1e-12);
            assert!(plan(method, &s, &t).objective.is_finite());
        }
    }
}
