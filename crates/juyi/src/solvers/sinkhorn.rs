//! Optimal transport with an entropy term, between rows of equal mass:
//! ```text
//! min Σ_ij P_ij |s_i - t_j|² + ε Σ_ij P_ij (log P_ij - 1),   Σ_j P_ij = 1/n,   Σ_i P_ij = 1/m
//! P_ij = u_i K_ij v_j / (n m),   K_ij = exp((f_i + g_j - |s_i - t_j|²) / ε)
//! u = m / (K v),   v = n / (Kᵀ u)                            (in turns: R. Sinkhorn, Ann. Math. Statist. 1964)
//! ```
//! A small `ε` would under- and overflow. Two of the remedies of B. Schmitzer, "Stabilized sparse scaling algorithms for
//! entropy regularized transport problems", SISC 2019, see to that:
//!
//! * Factors that leave `1e±50` are absorbed: `f += ε log u`, `g += ε log v`, `u = v = 1`, and `K` is computed anew.
//! * `ε` starts where no entry of `K` can underflow and falls to a quarter at a time, `f` and `g` staying. That raises
//!   each entry of `n m P` to a power of four. Its rows have mean 1 then, and its columns a mean of `1/n` at least, so
//!   afterwards their means lie between `n^-4` and `m^3`: nothing underflows there either, and no logarithm of a sum is
//!   ever needed.
//!
//! Cost: a round is one pass over `K`, as `K v` and `Kᵀ u` are taken from the same few rows while these are in the
//! cache: `8 n m` bytes are read. `K` is held, or computed block by block in each pass, `O(n m d)`.

use faer::prelude::ReborrowMut;
use faer::{ColRef, Mat, MatRef};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::linalg::{
    BLOCK, Matrix, add_product, exponentials, padded_rows, squared_distance_block, squared_norms,
};

/// The problem.
pub struct EntropicTransport<'a> {
    /// The rows that send `(n, d)`.
    pub source: MatRef<'a, f64>,
    /// The rows that receive `(m, d)`.
    pub target: MatRef<'a, f64>,
    /// `ε` as a part of the largest squared distance; `1e-9` to `1e9`.
    pub entropy: f64,
    /// The answer is good enough when the masses that the rows receive are off by this, in Euclidean norm.
    pub tolerance: f64,
    /// The most rounds.
    pub iterations: usize,
    /// Whether `K` is held: `8 n m` bytes.
    pub hold: bool,
}

/// What [`EntropicTransport::solve`] found.
pub struct EntropicPlan {
    /// The mean of the target rows for each source row, weighted by what it sends them `(n, d)`.
    pub images: Matrix,
    /// `f` `(n)` in `P_ij = exp((f_i + g_j - |s_i - t_j|²) / ε) / (n m)`.
    pub source_potentials: Vec<f64>,
    /// `g` `(m)`.
    pub target_potentials: Vec<f64>,
    /// `ε` in units of squared distance.
    pub entropy: f64,
    /// By how much the masses that the rows receive are off, in Euclidean norm; what they send is exact.
    pub error: f64,
    /// Rounds at the last `ε`.
    pub iterations: usize,
}

/// Factors beyond this, or below its inverse, are absorbed.
const FAR: f64 = 1e50;

/// Entries of `K` below `exp` of this are 0: they cannot add to a sum, and their products would be slow subnormals.
const NEGLIGIBLE: f64 = -460.0;

/// `ε` starts at this part of the largest squared distance, unless it ends above.
const START: f64 = 1.0 / 400.0;

/// What remains of `ε` from one level to the next.
const FALL: f64 = 0.25;

/// Rounds on a level before the last, at most, and the error relative to the masses that ends it.
const LEVEL_ROUNDS: usize = 100;
const LEVEL_ERROR: f64 = 0.1;

/// Blocks of rows whose parts of `Kᵀ u` are held at a time.
const WAVE: usize = 16;

/// Rows of `K` that stay in the cache between the two products.
const STRIP: usize = 8;

impl EntropicTransport<'_> {
    /// Solves the problem. The result has the same bits on any number of threads.
    ///
    /// # Errors
    /// [`Error::Numeric`] if squared distances overflow.
    pub fn solve(&self) -> Result<EntropicPlan> {
        let (n, m) = (self.source.nrows(), self.target.nrows());
        let costs = Costs { source: self.source, target: self.target, norms: squared_norms(self.target) };
        let largest = costs.largest();
        // Distances that are 0 to all digits leave every plan as good as another.
        let unit = if largest > 1e-290 { largest } else { 1.0 };
        let last = self.entropy * unit;
        if !(last.is_finite()
            && costs.norms.iter().chain(&squared_norms(self.source)).all(|norm| norm.is_finite()))
        {
            let why = "squared distances overflow".into();
            return Err(Error::Numeric { what: "entropic transport".into(), why });
        }
        let mut scaling = Scaling {
            costs,
            entropy: last.max(START * unit),
            f: vec![0.0; n],
            g: vec![0.0; m],
            u: vec![1.0; n],
            v: vec![1.0; m],
            held: self.hold.then(|| Mat::zeros(m, n)),
        };
        while scaling.entropy > last {
            scaling.run(LEVEL_ERROR / (m as f64).sqrt(), LEVEL_ROUNDS);
            scaling.absorb();
            scaling.entropy = last.max(FALL * scaling.entropy);
        }
        let (error, iterations) = scaling.run(self.tolerance, self.iterations);
        let images = scaling.images();
        scaling.absorb();
        let Scaling { f, g, entropy, .. } = scaling;
        Ok(EntropicPlan { images, source_potentials: f, target_potentials: g, entropy, error, iterations })
    }
}

/// `|s_i - t_j|²`.
struct Costs<'a> {
    source: MatRef<'a, f64>,
    target: MatRef<'a, f64>,
    norms: Vec<f64>,
}

impl Costs<'_> {
    /// The costs of [`BLOCK`] source rows from `first` on, a column each `(m, BLOCK)`.
    fn block(&self, first: usize) -> Matrix {
        let block = padded_rows(self.source, first, BLOCK.min(self.source.nrows() - first), BLOCK);
        squared_distance_block(self.target, &self.norms, block.as_ref(), &squared_norms(block.as_ref()))
    }

    fn starts(&self) -> Vec<usize> {
        (0..self.source.nrows()).step_by(BLOCK).collect()
    }

    /// The largest cost.
    fn largest(&self) -> f64 {
        let most = |&first: &usize| {
            let (block, count) = (self.block(first), BLOCK.min(self.source.nrows() - first));
            let columns = (0..count).flat_map(|i| block.col(i).iter().copied());
            columns.fold(0.0, f64::max)
        };
        let most: Vec<f64> = self.starts().par_iter().map(most).collect();
        most.into_iter().fold(0.0, f64::max)
    }
}

/// A plan on its way, as the header names its parts.
struct Scaling<'a> {
    costs: Costs<'a>,
    entropy: f64,
    f: Vec<f64>,
    g: Vec<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    /// `Kᵀ` `(m, n)`, if it is held.
    held: Option<Matrix>,
}

impl Scaling<'_> {
    /// Rounds until the error is at most `tolerance`, or `most` of them; the error and how many there were.
    fn run(&mut self, tolerance: f64, most: usize) -> (f64, usize) {
        let (n, m) = (self.u.len() as f64, self.v.len() as f64);
        self.fill();
        let mut rounds = 0;
        loop {
            rounds += 1;
            let received = self.round();
            let off = received.iter().zip(&self.v).map(|(r, v)| (r * v / n - 1.0).powi(2)).sum::<f64>();
            let error = off.sqrt() / m;
            if error <= tolerance || rounds >= most {
                return (error, rounds);
            }
            self.v.iter_mut().zip(&received).for_each(|(v, r)| *v = n / r);
            if self.u.iter().chain(&self.v).any(|x| !(1.0 / FAR..=FAR).contains(x)) {
                self.absorb();
                self.fill();
            }
        }
    }

    /// `f += ε log u`, `g += ε log v`; `K` is left as it was.
    fn absorb(&mut self) {
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
            for (c, g) in column.iter_mut().zip(&self.g) {
                let gain = f + g - *c;
                *c = if gain < negligible { f64::NEG_INFINITY } else { gain };
            }
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

    /// `u = m / (K v)`; returns `Kᵀ u`.
    fn round(&mut self) -> Vec<f64> {
        let m = self.v.len();
        let v = ColRef::from_slice(&self.v).as_mat();
        let mut u = Vec::with_capacity(self.u.len());
        let mut received = vec![0.0; m];
        let work = |k: MatRef<'_, f64>| {
            let (mut factors, mut part): (Matrix, Matrix) = (Mat::zeros(k.ncols(), 1), Mat::zeros(m, 1));
            for first in (0..k.ncols()).step_by(STRIP) {
                let end = k.ncols().min(first + STRIP);
                let rows = k.get(.., first..end);
                let mut factors = factors.get_mut(first..end, ..);
                add_product(factors.rb_mut(), rows.transpose(), v, 1.0);
                factors.rb_mut().col_mut(0).iter_mut().for_each(|sum| *sum = m as f64 / *sum);
                add_product(part.as_mut(), rows, factors.as_ref(), 1.0);
            }
            (factors, part)
        };
        for wave in self.costs.starts().chunks(WAVE) {
            let parts: Vec<(Matrix, Matrix)> =
                wave.par_iter().map(|&first| self.with_block(first, work)).collect();
            for (factors, part) in parts {
                u.extend(factors.col(0).iter());
                received.iter_mut().zip(part.col(0).iter()).for_each(|(sum, p)| *sum += p);
            }
        }
        self.u = u;
        received
    }

    /// `n Σ_j P_ij t_j` for each source row, after a round.
    fn images(&self) -> Matrix {
        let (n, m, d) = (self.u.len(), self.v.len(), self.costs.target.ncols());
        let weighted = Mat::from_fn(m, d, |j, k| self.v[j] * self.costs.target[(j, k)] / m as f64);
        let mut images = Mat::zeros(n, d);
        let blocks: Vec<_> = images.as_mut().par_row_chunks_mut(BLOCK).enumerate().collect();
        blocks.into_par_iter().for_each(|(b, mut block)| {
            let first = b * BLOCK;
            self.with_block(first, |k| add_product(block.rb_mut(), k.transpose(), weighted.as_ref(), 1.0));
            for (i, u) in self.u[first..].iter().enumerate().take(block.nrows()) {
                block.rb_mut().row_mut(i).iter_mut().for_each(|x| *x *= u);
            }
        });
        images
    }
}
