//! Entropic transport in which each target row is to receive from few classes: the Euclidean length of what it receives
//! from each class is a cost.
//! ```text
//! min Σ_ij P_ij c_ij + ε Σ_ij P_ij (log P_ij - 1) + η Σ_jc |P_I(c),j|,   Σ_j P_ij = 1/n,   Σ_i P_ij = 1/m    (1)
//! P⁺ = argmin Σ_ij P⁺_ij (c_ij + η D_ij) + ε Σ_ij P⁺_ij (log P⁺_ij - 1) + η KL(P⁺ | P),   D_ij = P_ij / |P_I(c),j| (2)
//! log P⁺_ij = (f_i + g_j - c_ij - η D_ij + η log P_ij) / (ε + η)
//! ```
//! (2) is the proximal gradient step with the Kullback-Leibler divergence in the place of the Euclidean distance (H. H.
//! Bauschke, J. Bolte, M. Teboulle, "A descent lemma beyond Lipschitz gradient continuity", Math. Oper. Res. 2017). The
//! second derivative of `|p|` is at most `1 / |p| <= 1 / p_i` along each axis, that of `KL`; so (1) falls with each
//! step and no line search is needed, and what is missing of the minimum shrinks by `η / (ε + η)` or more a step. A
//! step is a scaling problem, solved from the potentials of the one before, whose entries lie within a factor `e` of
//! the new ones: nothing under- or overflows that had not before.
//!
//! Cost: `16 n m` bytes; a step computes the costs, `O(n m d)`, and reads both matrices about four times.

use faer::{Mat, MatMut, MatRef};
use rayon::prelude::*;

use super::sinkhorn::{Scaling, WAVE};
use super::{EntropicPlan, PairCosts};
use crate::linalg::{BLOCK, Matrix, add_product, exponentials};

/// The problem.
pub struct GroupSparse<'a> {
    /// What it costs to move a row to a row.
    pub costs: &'a PairCosts<'a>,
    /// The class of each source row `(n)`.
    pub classes: &'a [usize],
    /// `η`, in units of squared distance; 0 or above.
    pub strength: f64,
    /// The steps end when the masses received are off by this in Euclidean norm, and the mass that a step moves is this
    /// at most.
    pub tolerance: f64,
    /// The most steps.
    pub iterations: usize,
}

/// What [`GroupSparse::solve`] found.
pub struct GroupPlan {
    /// `Pᵀ` `(m, n)`.
    pub plan: Matrix,
    /// The mean of the target rows for each source row, weighted by what it sends them `(n, d)`.
    pub images: Matrix,
    /// The mass that the last step moved, or by how much the masses received are off if that is more.
    pub error: f64,
    /// Steps.
    pub iterations: usize,
}

/// Rounds of scaling in a step, at most.
const ROUNDS: usize = 10;

impl GroupSparse<'_> {
    /// Solves the problem from the plan for `η = 0`, `start`.
    pub fn solve(&self, start: &EntropicPlan) -> GroupPlan {
        let (n, m) = (self.costs.sources(), self.costs.target().nrows());
        let mut state = Scaling {
            costs: self.costs,
            entropy: start.entropy,
            relaxation: None,
            f: start.source_potentials.clone(),
            g: start.target_potentials.clone(),
            u: vec![1.0; n],
            v: vec![1.0; m],
            held: None,
        };
        let (mut logs, mut plan) = (Mat::zeros(m, n), Mat::zeros(m, n));
        let mut lengths = Mat::zeros(m, self.classes.iter().max().map_or(0, |last| last + 1));
        self.step(&state, &mut logs, &mut plan, &lengths, 0.0);
        lengths = self.finish(&mut state, &mut logs, &mut plan);
        state.entropy += self.strength;
        let mut iterations = 0;
        loop {
            iterations += 1;
            let moved = self.step(&state, &mut logs, &mut plan, &lengths, self.strength);
            state.held = Some(plan);
            let mut rounds = 0;
            let off = loop {
                rounds += 1;
                let received = state.round(None);
                let shares = received.iter().zip(&state.v).map(|(r, v)| r * v / n as f64 - 1.0);
                let off = shares.map(|off| off * off).sum::<f64>().sqrt() / m as f64;
                // What is left of a scaling shows as mass moved by the next step, and the sum of errors is up to √m
                // their Euclidean norm.
                if off <= self.tolerance / (4.0 * (m as f64).sqrt()) || rounds == ROUNDS {
                    break off;
                }
                state.v.iter_mut().zip(&received).for_each(|(v, r)| *v = n as f64 / r);
            };
            plan = state.held.take().expect("it was put there above");
            lengths = self.finish(&mut state, &mut logs, &mut plan);
            let error = moved.max(off);
            if error <= self.tolerance || iterations >= self.iterations {
                let images = self.images(&plan);
                plan.col_iter_mut().for_each(|c| c.iter_mut().for_each(|p| *p /= (n * m) as f64));
                return GroupPlan { plan, images, error, iterations };
            }
        }
    }

    /// Brings `logs` and `plan` to the step (2) short of its new potentials; the mass that this moves.
    fn step(
        &self,
        state: &Scaling<'_>,
        logs: &mut Matrix,
        plan: &mut Matrix,
        lengths: &Matrix,
        strength: f64,
    ) -> f64 {
        let scale = 1.0 / state.entropy;
        let blocks = columns_of(logs, plan);
        let moved: Vec<f64> = blocks
            .into_par_iter()
            .map(|(b, (mut logs, mut plan))| {
                let (first, mut costs) = (b * BLOCK, self.costs.block(b * BLOCK));
                let mut moved = 0.0;
                for i in 0..logs.ncols() {
                    let f = state.f[first + i];
                    let lengths = lengths.col_as_slice(self.classes[first + i]);
                    let costs = costs.col_as_slice_mut(i);
                    let (logs, plan) = (slice(&mut logs, i), slice(&mut plan, i));
                    for j in 0..logs.len() {
                        // A class that sends nothing has no direction.
                        let pull = if lengths[j] > 0.0 { plan[j] / lengths[j] } else { 0.0 };
                        let gain = f + state.g[j] - costs[j] + strength * (logs[j] - pull);
                        (costs[j], logs[j], plan[j]) = (plan[j], scale * gain, scale * gain);
                    }
                    exponentials(plan, 1.0);
                    moved += costs.iter().zip(&*plan).map(|(old, new)| (old - new).abs()).sum::<f64>();
                }
                moved
            })
            .collect();
        moved.iter().sum::<f64>() / (logs.nrows() * logs.ncols()) as f64
    }

    /// Absorbs the factors of the scaling; the lengths `(m, classes)` of the plan's parts.
    fn finish(&self, state: &mut Scaling<'_>, logs: &mut Matrix, plan: &mut Matrix) -> Matrix {
        let ln = |factors: &[f64]| factors.iter().map(|factor| factor.ln()).collect::<Vec<f64>>();
        let (log_u, log_v) = (ln(&state.u), ln(&state.v));
        let (m, classes) = (plan.nrows(), self.classes.iter().max().map_or(0, |last| last + 1));
        let mut sums = Matrix::zeros(m, classes);
        let mut blocks = columns_of(logs, plan);
        while !blocks.is_empty() {
            let rest = blocks.split_off(WAVE.min(blocks.len()));
            let part = |(b, (mut logs, mut plan)): Block<'_>| {
                let mut sums = Matrix::zeros(m, classes);
                for i in 0..logs.ncols() {
                    let row = b * BLOCK + i;
                    let sums = sums.col_as_slice_mut(self.classes[row]);
                    let (logs, plan) = (slice(&mut logs, i), slice(&mut plan, i));
                    for j in 0..m {
                        logs[j] += log_u[row] + log_v[j];
                        plan[j] *= state.u[row] * state.v[j];
                        sums[j] += plan[j] * plan[j];
                    }
                }
                sums
            };
            let parts: Vec<Matrix> = blocks.into_par_iter().map(part).collect();
            for part in &parts {
                sums += part;
            }
            blocks = rest;
        }
        state.absorb();
        sums.col_iter_mut().for_each(|c| c.iter_mut().for_each(|sum| *sum = sum.sqrt()));
        sums
    }

    /// Where the plan moves each source row.
    fn images(&self, plan: &Matrix) -> Matrix {
        let target = self.costs.target();
        let (m, d) = target.shape();
        // A last column of ones gives the masses.
        let with_ones = Mat::from_fn(m, d + 1, |j, k| if k < d { target[(j, k)] } else { 1.0 });
        let mut sums = Mat::zeros(plan.ncols(), d + 1);
        let blocks: Vec<_> = sums.as_mut().par_row_chunks_mut(BLOCK).enumerate().collect();
        blocks.into_par_iter().for_each(|(b, block)| {
            let rows: MatRef<'_, f64> = plan.get(.., b * BLOCK..b * BLOCK + block.nrows());
            add_product(block, rows.transpose(), with_ones.as_ref(), 1.0);
        });
        Mat::from_fn(plan.ncols(), d, |i, k| sums[(i, k)] / sums[(i, d)])
    }
}

/// The number of a block of source rows, and its columns of the logarithms and of the plan.
type Block<'a> = (usize, (MatMut<'a, f64>, MatMut<'a, f64>));

fn columns_of<'a>(logs: &'a mut Matrix, plan: &'a mut Matrix) -> Vec<Block<'a>> {
    let (logs, plan) = (logs.as_mut().par_col_chunks_mut(BLOCK), plan.as_mut().par_col_chunks_mut(BLOCK));
    logs.zip(plan).enumerate().collect()
}

/// Column `i` of a block of a column-major matrix.
fn slice<'a>(block: &'a mut MatMut<'_, f64>, i: usize) -> &'a mut [f64] {
    use faer::prelude::ReborrowMut;
    block.rb_mut().col_mut(i).try_as_col_major_mut().expect("a matrix holds its columns").as_slice_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;
    use crate::solvers::EntropicTransport;

    /// At the minimum `c + ε log P + η D` is a sum of a price for the row and one for the column.
    #[test]
    fn what_it_finds_meets_the_conditions_of_the_minimum() {
        let s = Mat::from_fn(150, 2, |i, j| ((i * 7 + j * 5) % 23) as f64 / 4.0);
        let t = Mat::from_fn(31, 2, |i, j| ((i * 11 + j * 3) % 19) as f64 / 3.0);
        let classes: Vec<usize> = (0..150).map(|i| i % 3).collect();
        let costs = PairCosts::new(s.as_ref(), t.as_ref());
        for (entropy, strength) in [(0.05, 3.0), (0.02, 20.0), (0.3, 0.0)] {
            let (relaxation, start, sends) = (None, None, None);
            let (tolerance, iterations, hold) = (1e-11, 10_000, true);
            let plain = EntropicTransport {
                costs: &costs,
                entropy,
                relaxation,
                tolerance,
                iterations,
                hold,
                start,
                sends,
            };
            let problem = GroupSparse { costs: &costs, classes: &classes, strength, tolerance, iterations };
            let start = plain.solve().unwrap();
            let found = problem.solve(&start);
            assert!(found.error <= tolerance, "{} after {}", found.error, found.iterations);
            let length = |j: usize, c: usize| {
                (0..150).filter(|&i| classes[i] == c).map(|i| found.plan[(j, i)].powi(2)).sum::<f64>().sqrt()
            };
            let slope = |i: usize, j: usize| {
                let (p, c) = (found.plan[(j, i)], costs.block(i / BLOCK * BLOCK)[(j, i % BLOCK)]);
                c + start.entropy * p.ln() + strength * p / length(j, classes[i])
            };
            for (i, j) in [(1, 1), (140, 30), (77, 12), (3, 29)] {
                let corner = slope(i, j) - slope(0, j) - slope(i, 0) + slope(0, 0);
                assert!(corner.abs() < 1e-6 * start.entropy, "{corner}");
            }
        }
    }

    /// Two source rows of two classes and one target row: there is one plan only.
    #[test]
    fn one_target_row() {
        let (s, t) = (from_rows(&[vec![0.0], vec![1.0]]), from_rows(&[vec![3.0]]));
        let costs = PairCosts::new(s.as_ref(), t.as_ref());
        let (relaxation, start, sends) = (None, None, None);
        let (entropy, tolerance, iterations, hold) = (0.1, 1e-9, 100, true);
        let plain = EntropicTransport {
            costs: &costs,
            entropy,
            relaxation,
            tolerance,
            iterations,
            hold,
            start,
            sends,
        };
        let problem = GroupSparse { costs: &costs, classes: &[0, 1], strength: 1.0, tolerance, iterations };
        let found = problem.solve(&plain.solve().unwrap());
        assert!((found.plan - from_rows(&[vec![0.5, 0.5]])).norm_max() < 1e-12);
        assert!((found.images - from_rows(&[vec![3.0], vec![3.0]])).norm_max() < 1e-12);
    }
}
