//! Optimal transport with an entropy term, between rows of equal mass, for the costs of [`PairCosts`]:
//! ```text
//! min Σ_ij P_ij c_ij + ε Σ_ij P_ij (log P_ij - 1),   Σ_j P_ij = 1/n,   Σ_i P_ij = 1/m
//! P_ij = u_i K_ij v_j / (n m),   K_ij = exp((f_i + g_j - c_ij) / ε)
//! u = m / (K v),   v = n / (Kᵀ u)                            (in turns: R. Sinkhorn, Ann. Math. Statist. 1964)
//! ```
//! A small `ε` would under- and overflow. Two of the remedies of B. Schmitzer, "Stabilized sparse scaling algorithms
//! for entropy regularized transport problems", SISC 2019, see to that:
//!
//! * Factors that leave `1e±50` are absorbed: `f += ε log u`, `g += ε log v`, `u = v = 1`, and `K` is computed anew.
//! * `ε` starts where no entry of `K` can underflow and falls to a quarter at a time, `f` and `g` staying. That raises
//!   each entry of `n m P` to a power of four. Its rows have mean 1 then, and its columns a mean of `1/n` at least, so
//!   afterwards their means lie between `n^-4` and `m^3`: nothing underflows there either, and no logarithm of a sum is
//!   ever needed.
//!
//! Masses that need not be met cost `λ` times their Kullback-Leibler divergence from equal masses (L. Chizat, G. Peyré,
//! B. Schmitzer, F.-X. Vialard, "Scaling algorithms for unbalanced optimal transport problems", Math. Comp. 2018):
//! ```text
//! min Σ_ij P_ij c_ij + ε KL(P | 1/(n m)) + λ KL(P 1 | 1/n) + λ KL(Pᵀ 1 | 1/m)
//! u = (m / (K v))^(λ / (λ + ε)) exp(-f / (λ + ε)),   v likewise
//! ```
//! After each round the potentials are shifted against each other to where the dual objective is largest, as in T.
//! Séjourné, F.-X. Vialard, G. Peyré, "Faster unbalanced optimal transport", AISTATS 2022: without that a large `λ`
//! would take many rounds.
//!
//! Cost: a round is one pass over `K`, as `K v` and `Kᵀ u` are taken from the same few rows while these are in the
//! cache: `8 n m` bytes are read. `K` is held, or computed block by block in each pass, `O(n m d)`.

use faer::prelude::ReborrowMut;
use faer::{ColRef, Mat, MatRef};
use rayon::prelude::*;

use super::PairCosts;
use crate::error::Result;
use crate::linalg::{BLOCK, Matrix, add_product, exponentials, vectorized};

/// The problem.
pub struct EntropicTransport<'a> {
    /// What it costs to move a row to a row.
    pub costs: &'a PairCosts<'a>,
    /// `ε` as a part of the largest squared distance; `1e-9` to `1e9`.
    pub entropy: f64,
    /// `λ` as a part of the largest squared distance, at least 0.05; `None` where masses are to be met.
    pub relaxation: Option<f64>,
    /// The answer is good enough when the masses that the rows receive are off by this, in Euclidean norm; where they
    /// need not be met, when no factor `v` changes by more, relatively, in a round.
    pub tolerance: f64,
    /// The most rounds.
    pub iterations: usize,
    /// Whether `K` is held: `8 n m` bytes.
    pub hold: bool,
    /// The potentials of a problem with much the same costs, to start from.
    pub start: Option<(Vec<f64>, Vec<f64>)>,
    /// Something that the source rows have and send with their mass `(n, k)`.
    pub sends: Option<MatRef<'a, f64>>,
}

/// What [`EntropicTransport::solve`] found.
pub struct EntropicPlan {
    /// The mean of the target rows for each source row, weighted by what it sends them `(n, d)`.
    pub images: Matrix,
    /// What each source row sends in all `(n)`.
    pub sent: Vec<f64>,
    /// `Σ_i P_ij x_i` for what the source rows have, `x_i` `(m, k)`; no columns where they have nothing.
    pub received: Matrix,
    /// `f` `(n)` in `P_ij = exp((f_i + g_j - c_ij) / ε) / (n m)`.
    pub source_potentials: Vec<f64>,
    /// `g` `(m)`.
    pub target_potentials: Vec<f64>,
    /// `ε` in units of squared distance.
    pub entropy: f64,
    /// By how much the masses that the rows receive are off, or the change of the last round: see
    /// [`EntropicTransport::tolerance`]. What rows send is exact where masses are to be met.
    pub error: f64,
    /// Rounds at the last `ε`.
    pub iterations: usize,
}

/// Factors beyond this, or below its inverse, are absorbed.
const FAR: f64 = 1e50;

/// Entries of `K` below `exp` of this are 0: they cannot add to a sum, and their products would be slow subnormals.
const NEGLIGIBLE: f64 = -460.0;

/// `ε` starts at this part of the range of the costs, unless it ends above.
const START: f64 = 1.0 / 400.0;

/// What remains of `ε` from one level to the next.
const FALL: f64 = 0.25;

/// Rounds on a level before the last, at most, and the error relative to the masses that ends it.
const LEVEL_ROUNDS: usize = 100;
const LEVEL_ERROR: f64 = 0.1;

/// Blocks of rows whose parts of `Kᵀ u` are held at a time.
pub(super) const WAVE: usize = 16;

/// Rows of `K` that stay in the cache between the two products.
const STRIP: usize = 8;

impl EntropicTransport<'_> {
    /// Solves the problem. The result has the same bits on any number of threads.
    ///
    /// # Errors
    /// [`Numeric`](crate::error::Error::Numeric) if squared distances overflow.
    pub fn solve(self) -> Result<EntropicPlan> {
        let (n, m) = (self.costs.sources(), self.costs.target().nrows());
        self.costs.check()?;
        let largest = self.costs.largest();
        // Distances that are 0 to all digits leave every plan as good as another.
        let unit = if largest > 1e-290 { largest } else { 1.0 };
        let last = self.entropy * unit;
        let first = last.max(START * self.costs.range(unit));
        let warm = self.start.is_some();
        let (f, g) = self.start.unwrap_or_else(|| (vec![0.0; n], vec![0.0; m]));
        let mut scaling = Scaling {
            costs: self.costs,
            entropy: if warm { last } else { first },
            relaxation: self.relaxation.map(|part| part * unit),
            f,
            g,
            u: vec![1.0; n],
            v: vec![1.0; m],
            held: self.hold.then(|| Mat::zeros(m, n)),
        };
        while scaling.entropy > last {
            scaling.run(None, LEVEL_ROUNDS);
            scaling.meet_masses();
            scaling.absorb();
            scaling.entropy = last.max(FALL * scaling.entropy);
        }
        let (error, iterations) = scaling.run(Some(self.tolerance), self.iterations);
        let (images, sent) = scaling.images();
        let received = self.sends.map_or_else(Matrix::new, |sends| scaling.received(sends));
        scaling.absorb();
        let Scaling { f, g, entropy, .. } = scaling;
        let (source_potentials, target_potentials) = (f, g);
        Ok(EntropicPlan {
            images,
            sent,
            received,
            source_potentials,
            target_potentials,
            entropy,
            error,
            iterations,
        })
    }
}

/// A plan on its way, as the header names its parts.
pub(super) struct Scaling<'a> {
    pub(super) costs: &'a PairCosts<'a>,
    pub(super) entropy: f64,
    /// `λ`.
    pub(super) relaxation: Option<f64>,
    pub(super) f: Vec<f64>,
    pub(super) g: Vec<f64>,
    pub(super) u: Vec<f64>,
    pub(super) v: Vec<f64>,
    /// `Kᵀ` `(m, n)`, if it is held.
    pub(super) held: Option<Matrix>,
}

impl Scaling<'_> {
    /// Rounds until the error is at most `tolerance`, or that of a level before the last, or `most` of them; the error
    /// and how many there were.
    fn run(&mut self, tolerance: Option<f64>, most: usize) -> (f64, usize) {
        let (n, m) = (self.u.len() as f64, self.v.len() as f64);
        self.fill();
        let mut leaks = self.leaks();
        let mut rounds = 0;
        loop {
            rounds += 1;
            let received = self.round(leaks.as_ref());
            let error = if let Some(leaks) = &leaks {
                self.relax(&received, leaks)
            } else {
                let off = received.iter().zip(&self.v).map(|(r, v)| (r * v / n - 1.0).powi(2)).sum::<f64>();
                off.sqrt() / m
            };
            let level = if leaks.is_some() { LEVEL_ERROR } else { LEVEL_ERROR / m.sqrt() };
            if error <= tolerance.unwrap_or(level) || rounds >= most {
                return (error, rounds);
            }
            if leaks.is_none() {
                self.v.iter_mut().zip(&received).for_each(|(v, r)| *v = n / r);
            }
            if self.u.iter().chain(&self.v).any(|x| !(1.0 / FAR..=FAR).contains(x)) {
                self.absorb();
                self.fill();
                leaks = self.leaks();
            }
        }
    }

    /// The exponent `λ / (λ + ε)` and the factors `exp(-f / (λ + ε))` and `exp(-g / (λ + ε))`, if masses need not be
    /// met.
    fn leaks(&self) -> Option<Leaks> {
        let scale = self.relaxation? + self.entropy;
        let factors = |potentials: &[f64]| {
            let mut factors = potentials.to_vec();
            exponentials(&mut factors, -1.0 / scale);
            factors
        };
        Some(Leaks { power: 1.0 - self.entropy / scale, u: factors(&self.f), v: factors(&self.g) })
    }

    /// Brings a plan whose masses need not be met to one whose masses are, near enough for `ε` to fall: a row that
    /// sends next to nothing would send nothing at all then.
    fn meet_masses(&mut self) {
        if self.relaxation.is_some() {
            let n = self.u.len() as f64;
            let received = self.round(None);
            self.v = received.iter().map(|r| n / r).collect();
            self.round(None);
        }
    }

    /// The second half of a round where masses need not be met; the largest change of a factor `v`.
    fn relax(&mut self, received: &[f64], leaks: &Leaks) -> f64 {
        let lambda = self.relaxation.unwrap_or(f64::INFINITY);
        let (n, before) = (self.u.len() as f64, self.v.clone());
        for ((v, r), leak) in self.v.iter_mut().zip(received).zip(&leaks.v) {
            *v = (n / r).powf(leaks.power) * leak;
        }
        // Their means less 1, as they are all but 1 under a large λ.
        let shares = |factors: &[f64], potentials: &[f64]| {
            let of = |(factor, p): (&f64, &f64)| (-(p + self.entropy * factor.ln()) / lambda).exp_m1();
            factors.iter().zip(potentials).map(of).sum::<f64>() / factors.len() as f64
        };
        let (sent, taken) = (shares(&self.u, &self.f), shares(&self.v, &self.g));
        let gap = ((sent - taken) / (1.0 + taken)).ln_1p();
        let shift = (lambda / 2.0 * gap / self.entropy).exp();
        self.u.iter_mut().for_each(|u| *u *= shift);
        self.v.iter_mut().for_each(|v| *v /= shift);
        self.v.iter().zip(&before).map(|(v, b)| (v / b - 1.0).abs()).fold(0.0, f64::max)
    }

    /// `f += ε log u`, `g += ε log v`; `K` is left as it was.
    pub(super) fn absorb(&mut self) {
        let pairs = [(&mut self.f, &mut self.u), (&mut self.g, &mut self.v)];
        for (potentials, factors) in pairs {
            for (potential, factor) in potentials.iter_mut().zip(factors) {
                *potential += self.entropy * factor.ln();
                *factor = 1.0;
            }
        }
    }

    /// Computes `K`, if it is to be held.
    fn fill(&mut self) {
        let Some(mut held) = self.held.take() else { return };
        let columns: Vec<_> = held.as_mut().par_col_chunks_mut(BLOCK).enumerate().collect();
        columns.into_par_iter().for_each(|(b, mut columns)| {
            let block = self.kernel_block(b * BLOCK);
            columns.copy_from(block.get(.., ..columns.ncols()));
        });
        self.held = Some(held);
    }

    /// [`BLOCK`] rows of `K` from `first` on, a column each `(m, BLOCK)`.
    fn kernel_block(&self, first: usize) -> Matrix {
        let mut block = self.costs.block(first);
        let negligible = NEGLIGIBLE * self.entropy;
        for (i, f) in self.f[first..].iter().enumerate().take(BLOCK) {
            let column = block.col_as_slice_mut(i);
            vectorized(|| {
                for (c, g) in column.iter_mut().zip(&self.g) {
                    let gain = f + g - *c;
                    *c = if gain < negligible { f64::NEG_INFINITY } else { gain };
                }
            });
            exponentials(column, 1.0 / self.entropy);
        }
        block
    }

    /// Does some work on the rows of `K` from `first` on, a column each.
    fn with_block<R>(&self, first: usize, work: impl FnOnce(MatRef<'_, f64>) -> R) -> R {
        let end = self.f.len().min(first + BLOCK);
        match &self.held {
            Some(held) => work(held.get(.., first..end)),
            None => work(self.kernel_block(first).get(.., ..end - first)),
        }
    }

    /// `u = m / (K v)`, or what stands for it where masses need not be met; returns `Kᵀ u`.
    pub(super) fn round(&mut self, leaks: Option<&Leaks>) -> Vec<f64> {
        let m = self.v.len();
        let v = ColRef::from_slice(&self.v).as_mat();
        let mut u = Vec::with_capacity(self.u.len());
        let mut received = vec![0.0; m];
        let work = |start: usize, k: MatRef<'_, f64>| {
            let (mut factors, mut part): (Matrix, Matrix) = (Mat::zeros(k.ncols(), 1), Mat::zeros(m, 1));
            for first in (0..k.ncols()).step_by(STRIP) {
                let end = k.ncols().min(first + STRIP);
                let rows = k.get(.., first..end);
                let mut factors = factors.get_mut(first..end, ..);
                add_product(factors.rb_mut(), rows.transpose(), v, 1.0);
                factors.rb_mut().col_mut(0).iter_mut().for_each(|sum| *sum = m as f64 / *sum);
                if let Some(leaks) = leaks {
                    let own = leaks.u[start + first..].iter();
                    let factors = factors.rb_mut().col_mut(0).iter_mut().zip(own);
                    factors.for_each(|(factor, leak)| *factor = factor.powf(leaks.power) * leak);
                }
                add_product(part.as_mut(), rows, factors.as_ref(), 1.0);
            }
            (factors, part)
        };
        for wave in self.costs.starts().chunks(WAVE) {
            let parts: Vec<(Matrix, Matrix)> =
                wave.par_iter().map(|&first| self.with_block(first, |k| work(first, k))).collect();
            for (factors, part) in parts {
                u.extend(factors.col(0).iter());
                received.iter_mut().zip(part.col(0).iter()).for_each(|(sum, p)| *sum += p);
            }
        }
        self.u = u;
        received
    }

    /// `Σ_j P_ij t_j / Σ_j P_ij` for each source row, and the `Σ_j P_ij`.
    fn images(&self) -> (Matrix, Vec<f64>) {
        let target = self.costs.target();
        let (n, m, d) = (self.u.len(), self.v.len(), target.ncols());
        // A last column of ones gives the masses.
        let weighted =
            Mat::from_fn(m, d + 1, |j, k| self.v[j] * if k < d { target[(j, k)] } else { 1.0 } / m as f64);
        let mut sums = Mat::zeros(n, d + 1);
        let blocks: Vec<_> = sums.as_mut().par_row_chunks_mut(BLOCK).enumerate().collect();
        blocks.into_par_iter().for_each(|(b, mut block)| {
            let first = b * BLOCK;
            self.with_block(first, |k| add_product(block.rb_mut(), k.transpose(), weighted.as_ref(), 1.0));
        });
        let images = Mat::from_fn(n, d, |i, k| sums[(i, k)] / sums[(i, d)]);
        (images, (0..n).map(|i| self.u[i] * sums[(i, d)] / n as f64).collect())
    }

    /// `Σ_i P_ij x_i` for each target row.
    fn received(&self, sends: MatRef<'_, f64>) -> Matrix {
        let (n, m, width) = (self.u.len(), self.v.len(), sends.ncols());
        let mut received = Mat::zeros(m, width);
        for wave in self.costs.starts().chunks(WAVE) {
            let part = |&first: &usize| {
                self.with_block(first, |k| {
                    let weighted =
                        Mat::from_fn(k.ncols(), width, |i, c| self.u[first + i] * sends[(first + i, c)]);
                    let mut part = Mat::zeros(m, width);
                    add_product(part.as_mut(), k, weighted.as_ref(), 1.0);
                    part
                })
            };
            let parts: Vec<Matrix> = wave.par_iter().map(part).collect();
            for part in &parts {
                received += part;
            }
        }
        Mat::from_fn(m, width, |j, c| received[(j, c)] * self.v[j] / (n * m) as f64)
    }
}

/// What changes in a round where masses need not be met.
pub(super) struct Leaks {
    power: f64,
    u: Vec<f64>,
    v: Vec<f64>,
}
