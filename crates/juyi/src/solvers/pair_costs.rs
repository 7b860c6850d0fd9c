//! The costs of moving each source row to each target row, computed a block of source rows at a time:
//! ```text
//! c_ij = |s_i - t_j|² + a_i·t_j + s_i·b_j + added_j,class(i)
//! ```
//! Of these parts the first is always there. Where the class of the target row `j` is known and not that of the source
//! row `i`, [`BARRED`] times the largest squared distance stands for the first: no plan sends mass there unless
//! the masses leave no other way, so a plan always exists (R. Flamary et al., POT, `limit_max`).
//!
//! Cost: `O(m d)` for a row, `O(n + m)` memory beside the rows; `8 n m` bytes if the costs are held.

use std::sync::{Mutex, OnceLock, PoisonError};

use faer::MatRef;
use rayon::prelude::*;

use super::network_simplex::{Costs, Plan, transport_near};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::linalg::{
    BLOCK, Matrix, add_product, largest, padded_rows, squared_distance_block, squared_norms,
};

/// The cost of a barred pair, in units of the largest squared distance.
pub const BARRED: f64 = 10.0;

/// Classes that bar pairs.
pub struct KnownClasses<'a> {
    /// The class of each source row `(n)`.
    pub source: &'a [usize],
    /// Target rows whose class is known, and that class.
    pub target: Vec<(usize, usize)>,
}

/// Costs between two sets of rows.
pub struct PairCosts<'a> {
    source: MatRef<'a, f64>,
    target: MatRef<'a, f64>,
    target_norms: Vec<f64>,
    largest: OnceLock<f64>,
    /// The classes of the source rows; empty where no cost depends on them.
    classes: &'a [usize],
    barred: Vec<(usize, usize)>,
    limit: f64,
    added: Option<Matrix>,
    tilt: Option<(Matrix, Matrix)>,
}

impl<'a> PairCosts<'a> {
    /// Squared distances between `source` `(n, d)` and `target` `(m, d)`.
    pub fn new(source: MatRef<'a, f64>, target: MatRef<'a, f64>) -> Self {
        let target_norms = squared_norms(target);
        let (classes, barred): (&[usize], _) = (&[], Vec::new());
        let largest = OnceLock::new();
        Self { source, target, target_norms, largest, classes, barred, limit: 0.0, added: None, tilt: None }
    }

    /// The same with pairs of different classes barred, as far as classes are known.
    #[must_use]
    pub fn barring(mut self, known: Option<KnownClasses<'a>>) -> Self {
        if let Some(known) = known {
            (self.classes, self.barred) = (known.source, known.target);
            self.limit = if self.barred.is_empty() { 0.0 } else { BARRED * self.largest() };
        }
        self
    }

    /// Adds `added` `(m, classes)` by the class of the source row, in the place of what was added before. The classes
    /// are those given to [`PairCosts::barring`].
    pub fn add(&mut self, added: Matrix) {
        self.added = Some(added);
    }

    /// Adds `a_i·t_j + s_i·b_j` with `a` `(n, d)` and `b` `(m, d)`, in the place of what was added before.
    pub fn tilt(&mut self, a: Matrix, b: Matrix) {
        self.tilt = Some((a, b));
    }

    /// How many source rows there are.
    pub fn sources(&self) -> usize {
        self.source.nrows()
    }

    /// The source rows `(n, d)`.
    pub fn source(&self) -> MatRef<'a, f64> {
        self.source
    }

    /// The target rows `(m, d)`.
    pub fn target(&self) -> MatRef<'a, f64> {
        self.target
    }

    /// The first row of each block.
    pub fn starts(&self) -> Vec<usize> {
        (0..self.source.nrows()).step_by(BLOCK).collect()
    }

    /// Whether the squared distances are numbers.
    ///
    /// # Errors
    /// [`Error::Numeric`] if they overflow.
    pub fn check(&self) -> Result<()> {
        let norms = squared_norms(self.source);
        if norms.iter().chain(&self.target_norms).all(|norm| norm.is_finite()) && self.largest().is_finite() {
            return Ok(());
        }
        Err(Error::Numeric { what: "optimal transport".into(), why: "squared distances overflow".into() })
    }

    /// The largest squared distance, whatever is barred or added.
    pub fn largest(&self) -> f64 {
        let most = |&first: &usize| {
            let (block, count) = (self.distances(first).1, BLOCK.min(self.source.nrows() - first));
            (0..count).map(|i| largest(block.col_as_slice(i))).fold(0.0, f64::max)
        };
        let of_all =
            || self.starts().par_iter().map(most).collect::<Vec<f64>>().into_iter().fold(0.0, f64::max);
        *self.largest.get_or_init(of_all)
    }

    /// The mean cost of all pairs.
    pub fn mean(&self) -> f64 {
        let (n, m) = (self.source.nrows(), self.target.nrows());
        let sum = |&first: &usize| {
            let (block, count) = (self.block(first), BLOCK.min(n - first));
            (0..count).map(|i| block.col(i).iter().sum::<f64>()).sum()
        };
        let sums: Vec<f64> = self.starts().par_iter().map(sum).collect();
        sums.iter().sum::<f64>() / (n * m) as f64
    }

    /// What `plan` costs without [`PairCosts::tilt`].
    pub fn untilted(&self, plan: &Plan) -> f64 {
        let tilt = |i: usize, j: usize| {
            self.tilt.as_ref().map_or(0.0, |(a, b)| {
                let term = |k: usize| a[(i, k)] * self.target[(j, k)] + self.source[(i, k)] * b[(j, k)];
                (0..a.ncols()).map(term).sum::<f64>()
            })
        };
        plan.cost - plan.flows.iter().map(|&(i, j, mass)| mass * tilt(i as usize, j as usize)).sum::<f64>()
    }

    /// How far apart two costs may lie, given the largest squared distance.
    pub fn range(&self, largest: f64) -> f64 {
        let added = self.added.as_ref().map_or(0.0, |added| 2.0 * added.norm_max());
        self.limit.max(largest) + added
    }

    /// Some source rows with zero rows below, and their squared distances, a column each.
    fn distances(&self, first: usize) -> (Matrix, Matrix) {
        let rows = padded_rows(self.source, first, BLOCK.min(self.source.nrows() - first), BLOCK);
        let norms = squared_norms(rows.as_ref());
        let costs = squared_distance_block(self.target, &self.target_norms, rows.as_ref(), &norms);
        (rows, costs)
    }

    /// The costs of [`BLOCK`] source rows from `first` on, a column each `(m, BLOCK)`.
    pub fn block(&self, first: usize) -> Matrix {
        let (rows, mut costs) = self.distances(first);
        let count = BLOCK.min(self.source.nrows() - first);
        for (i, &class) in self.classes.iter().skip(first).take(count).enumerate() {
            let column = costs.col_as_slice_mut(i);
            for &(j, _) in self.barred.iter().filter(|(_, of)| *of != class) {
                column[j] = self.limit;
            }
            if let Some(added) = &self.added {
                column.iter_mut().zip(added.col(class).iter()).for_each(|(c, more)| *c += more);
            }
        }
        if let Some((a, b)) = &self.tilt {
            let a = padded_rows(a.as_ref(), first, count, BLOCK);
            add_product(costs.as_mut(), self.target, a.transpose(), 1.0);
            add_product(costs.as_mut(), b.as_ref(), rows.transpose(), 1.0);
        }
        costs
    }

    /// Whether the budget lets the costs be held, `8 n m` bytes; if not, a note from `method` says so.
    pub fn hold(&self, method: &str, context: &mut Context) -> bool {
        let (n, m) = (self.source.nrows(), self.target.nrows());
        let name = format!("the costs between {n} and {m} rows");
        let instead = "they are computed anew whenever they are looked at: the same plan in more time";
        context.exact_route(method, &name, 8 * (n * m) as u64, instead)
    }

    /// The least costly plan, every row with the same mass. With `hold` the costs are held, `8 n m` bytes, else
    /// computed about ten times. `prices` of the source rows from a problem much like this one save steps.
    ///
    /// # Errors
    /// [`Error::Input`] if costs overflow; [`Error::Numeric`] if the method does not end.
    pub fn exact_plan(&self, hold: bool, prices: Option<&[f64]>) -> Result<Plan> {
        let (n, m) = (self.source.nrows(), self.target.nrows());
        let (supply, demand) = (vec![1.0 / n as f64; n], vec![1.0 / m as f64; m]);
        if hold {
            transport_near(&supply, &demand, &self.held(), prices)
        } else {
            transport_near(&supply, &demand, &Anew { costs: self, last: Mutex::new(None) }, prices)
        }
    }

    /// All costs, row by row in one piece of memory.
    fn held(&self) -> Held {
        let (n, m) = (self.source.nrows(), self.target.nrows());
        let mut values = vec![0.0; n * m];
        values.par_chunks_mut(BLOCK * m).enumerate().for_each(|(k, rows)| {
            let block = self.block(k * BLOCK);
            for (row, costs) in rows.chunks_mut(m).zip(block.col_iter()) {
                row.iter_mut().zip(costs.iter()).for_each(|(v, c)| *v = *c);
            }
        });
        Held { rows: n, columns: m, values }
    }
}

/// Costs that are computed when they are looked at; the last block is kept, as rows are asked for in order.
struct Anew<'a> {
    costs: &'a PairCosts<'a>,
    last: Mutex<Option<(usize, Matrix)>>,
}

impl Costs for Anew<'_> {
    fn rows(&self) -> usize {
        self.costs.source.nrows()
    }

    fn columns(&self) -> usize {
        self.costs.target.nrows()
    }

    fn row<'a>(&'a self, i: usize, scratch: &'a mut Vec<f64>) -> &'a [f64] {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (held, block) = last.get_or_insert_with(|| (0, self.costs.block(0)));
        if *held != i / BLOCK {
            (*held, *block) = (i / BLOCK, self.costs.block(i / BLOCK * BLOCK));
        }
        scratch.clear();
        scratch.extend(block.col(i % BLOCK).iter());
        scratch
    }
}

/// Costs that are held.
struct Held {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Costs for Held {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn row<'a>(&'a self, i: usize, _scratch: &'a mut Vec<f64>) -> &'a [f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn every_part_by_hand() {
        let (s, t) = (from_rows(&[vec![1.0], vec![2.0]]), from_rows(&[vec![4.0], vec![5.0]]));
        let known = KnownClasses { source: &[0, 1], target: vec![(1, 1)] };
        let mut costs = PairCosts::new(s.as_ref(), t.as_ref()).barring(Some(known));
        costs.add(from_rows(&[vec![0.5, 0.25], vec![0.0, 2.0]]));
        let block = costs.block(0);
        assert_eq!((block[(0, 0)], block[(1, 0)]), (9.5, 160.0));
        assert_eq!((block[(0, 1)], block[(1, 1)]), (4.25, 11.0));
        let mut tilted = PairCosts::new(s.as_ref(), t.as_ref());
        tilted.tilt(from_rows(&[vec![1.0], vec![0.0]]), from_rows(&[vec![0.0], vec![-3.0]]));
        let block = tilted.block(0);
        assert_eq!((block[(0, 0)], block[(1, 0)]), (13.0, 18.0));
        assert_eq!((block[(0, 1)], block[(1, 1)]), (4.0, 3.0));
    }

    #[test]
    fn a_barred_pair_is_used_only_where_the_masses_leave_no_other_way() {
        let (s, t) = (from_rows(&[vec![0.0], vec![9.0]]), from_rows(&[vec![1.0], vec![8.0]]));
        let flows = |target: Vec<(usize, usize)>| {
            let known = KnownClasses { source: &[0, 1], target };
            let plan = PairCosts::new(s.as_ref(), t.as_ref()).barring(Some(known)).exact_plan(true, None);
            plan.unwrap().flows.iter().map(|&(i, j, _)| (i, j)).collect::<Vec<_>>()
        };
        assert_eq!(flows(vec![]), [(0, 0), (1, 1)]);
        assert_eq!(flows(vec![(0, 1)]), [(0, 1), (1, 0)]);
        assert_eq!(flows(vec![(0, 1), (1, 1)]), [(0, 0), (1, 1)]);
    }
}
