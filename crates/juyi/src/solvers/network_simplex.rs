//! Exact optimal transport by the network simplex method (R. K. Ahuja, T. L. Magnanti, J. B. Orlin, "Network
//! Flows", 1993, ch. 11) for the transportation problem between `n` sources and `m` targets:
//!
//! ```text
//! min Σ_ij c_ij x_ij   with   Σ_j x_ij = a_i,   Σ_i x_ij = b_j,   x_ij ≥ 0
//! ```
//!
//! A basis is a spanning tree of the `n + m` nodes with prices `u_i + v_j = c_ij` on its arcs. An arc of reduced
//! cost `c_ij − u_i − v_j < 0` enters, flow goes round the cycle it closes, and the arc that runs empty leaves.
//! With no such arc left the flow is optimal.
//!
//! * Degeneracy: masses are whole numbers, about `2^100` in all, times `n + 1`, and every source gets one unit
//!   more. No tree arc is then ever empty, so each step lowers the cost and none can cycle; the arcs that leave
//!   are those of Cunningham's strongly feasible trees (section 11.6). Whole numbers keep rounding out of the
//!   flows, and what the extra units carry, below `2^-70` of the total, is dropped at the end.
//! * Pricing: a sweep over all rows lists the best arcs of each, the method runs on that list until nothing
//!   there enters, and the next sweep looks again. So costs are read about ten times, by whole rows.
//! * Start: the problem on every fourth source and target is solved first, and before it one on every fourth of
//!   those, and so on. Its prices guide the greedy choice of the first tree and the first list.

use super::spanning_tree::{Link, Tree};
use crate::error::{Error, Result};

/// Costs row by row; a row may be stored, or computed into `scratch`.
pub trait Costs: Sync {
    /// How many sources there are.
    fn rows(&self) -> usize;
    /// How many targets there are.
    fn columns(&self) -> usize;
    /// The costs from source `i` to every target; the same at every call.
    fn row<'a>(&'a self, i: usize, scratch: &'a mut Vec<f64>) -> &'a [f64];
}

/// An optimal transport plan, with the prices that prove it optimal.
#[derive(Debug, Clone)]
pub struct Plan {
    /// `(source, target, mass)` with mass above 0, sorted by source, then target.
    pub flows: Vec<(u32, u32, f64)>,
    /// Prices of the sources: `source_prices[i] + target_prices[j]` is at most the cost of `(i, j)`, and equal to
    /// it on the flows, up to `1e-13` of the largest cost. That of source 0 is 0.
    pub source_prices: Vec<f64>,
    /// Prices of the targets.
    pub target_prices: Vec<f64>,
    /// `Σ mass · cost` over the flows.
    pub cost: f64,
}

/// Units in a mass of 1. The total is 1 to 2, and times `n + 1` it fits an `i128`.
const UNITS: f64 = (1u128 << 100) as f64;
/// Reduced costs count as negative below this part of the largest cost.
const TOLERANCE: f64 = 1e-13;
/// Arcs of a row that a sweep lists, at most.
const LISTED: usize = 20;
/// Listed arcs of which the best enters.
const BLOCK: usize = 300;

/// The cheapest way to move `supply` to `demand`, which is rescaled to the total of `supply`.
///
/// # Errors
/// If masses are negative, not finite, of the wrong number, all zero, or differ in total by more than `1e-9` of
/// it; if a cost is not finite; if the method does not end.
pub fn transport(supply: &[f64], demand: &[f64], costs: &impl Costs) -> Result<Plan> {
    transport_near(supply, demand, costs, None)
}

/// The same, with the source prices of a problem of the same shape that has much the same costs: they take the place of
/// the smaller problems.
///
/// # Errors
/// As [`transport`].
pub fn transport_near(
    supply: &[f64],
    demand: &[f64],
    costs: &impl Costs,
    prices: Option<&[f64]>,
) -> Result<Plan> {
    let (n, total) = (supply.len(), total_mass("supply", supply, costs.rows())?);
    let wanted = total_mass("demand", demand, costs.columns())?;
    if (total - wanted).abs() > 1e-9 * total {
        let problem = format!("the totals must agree, got {total} and {wanted}");
        return Err(Error::input("supply and demand", problem, "divide each by its sum"));
    }
    let tolerance = TOLERANCE * largest_cost(costs)?;
    let levels = |mass: &[f64]| (mass.len() / 100).max(1).ilog(4);
    let sample = |level: u32| {
        let [by_row, by_column] = [supply, demand].map(|mass| 4usize.pow(level.min(levels(mass))));
        Sample { costs, by_row, by_column }
    };
    let mut coarser = prices.map(|prices| (sample(0), prices.to_vec()));
    let coarse = if coarser.is_some() { 0 } else { levels(supply).max(levels(demand)) };
    for level in (1..=coarse).rev() {
        let some = sample(level);
        let supply: Vec<f64> = supply.iter().copied().step_by(some.by_row).collect();
        let demand: Vec<f64> = demand.iter().copied().step_by(some.by_column).collect();
        if supply.iter().sum::<f64>() > 0.0 && demand.iter().sum::<f64>() > 0.0 {
            let mut tree = solve(&supply, &demand, &some, coarser, tolerance)?;
            tree.prices.truncate(supply.len());
            coarser = Some((some, tree.prices));
        }
    }
    let tree = solve(supply, demand, &sample(0), coarser, tolerance)?;
    let factor = n as i128 + 1;
    let mut arcs = Vec::with_capacity(tree.links.len());
    for (node, link) in (0..).zip(&tree.links).skip(1) {
        if link.flow > factor * tree.links.len() as i128 {
            let (source, target) = (link.parent.min(node), link.parent.max(node) - n as u32);
            arcs.push(((source, target, (link.flow / factor) as f64 / UNITS / tree.scale), link.cost));
        }
    }
    arcs.sort_unstable_by_key(|((source, target, _), _)| (*source, *target));
    let cost = arcs.iter().map(|((_, _, mass), cost)| mass * cost).sum();
    let flows = arcs.into_iter().map(|(flow, _)| flow).filter(|flow| flow.2 > 0.0).collect();
    let (source_prices, target_prices) = tree.prices.split_at(n);
    Ok(Plan { flows, source_prices: source_prices.to_vec(), target_prices: target_prices.to_vec(), cost })
}

/// The sum of `mass`, after a look at each.
fn total_mass(name: &str, mass: &[f64], count: usize) -> Result<f64> {
    let total: f64 = mass.iter().sum();
    let problem = if mass.len() != count || count == 0 || count > 1 << 24 {
        format!("must have one mass for each of {count} rows or columns (1 to 2^24), got {}", mass.len())
    } else if let Some(at) = mass.iter().position(|x| !x.is_finite() || *x < 0.0) {
        format!("mass {at} must be finite and at least 0, got {}", mass[at])
    } else if total > 0.0 && total.is_finite() {
        return Ok(total);
    } else {
        format!("the total must be finite and above 0, got {total}")
    };
    Err(Error::input(name, problem, ""))
}

/// The largest absolute cost, after a look at each. Prices are sums of costs and must not overflow either.
fn largest_cost(costs: &impl Costs) -> Result<f64> {
    let (mut largest, mut scratch) = (0f64, Vec::new());
    for i in 0..costs.rows() {
        let row = costs.row(i, &mut scratch);
        let problem = if row.len() != costs.columns() {
            format!("row {i} must have {} entries, got {}", costs.columns(), row.len())
        } else if row.iter().map(|c| u32::from(c.is_nan() || c.abs() > 1e290)).sum::<u32>() > 0 {
            let j = row.iter().position(|c| c.is_nan() || c.abs() > 1e290).unwrap_or(0);
            format!("entry ({i}, {j}) must be finite and at most 1e290, got {}", row[j])
        } else {
            largest = row.iter().fold(largest, |most, c| if c.abs() > most { c.abs() } else { most });
            continue;
        };
        return Err(Error::input("costs", problem, ""));
    }
    Ok(largest)
}

/// Every `by_row`-th row and every `by_column`-th column of the costs.
struct Sample<'c, C> {
    costs: &'c C,
    by_row: usize,
    by_column: usize,
}

impl<C: Costs> Sample<'_, C> {
    fn row<'a>(&'a self, i: usize, scratch: &'a mut Vec<f64>) -> &'a [f64] {
        if self.by_column == 1 {
            return self.costs.row(i * self.by_row, scratch);
        }
        let mut whole = Vec::new();
        let row = self.costs.row(i * self.by_row, &mut whole);
        scratch.clear();
        scratch.extend(row.iter().step_by(self.by_column));
        scratch
    }
}

/// The optimal tree. `coarser` holds the source prices of a smaller problem, if there is one.
fn solve<'c, C: Costs>(
    supply: &[f64],
    demand: &[f64],
    costs: &Sample<'c, C>,
    coarser: Option<(Sample<'c, C>, Vec<f64>)>,
    tolerance: f64,
) -> Result<Tree> {
    let (n, m, mut scratch) = (supply.len(), demand.len(), Vec::new());
    // The guide: target prices that leave no reduced cost below 0 at the sources whose prices are known.
    let mut guide = vec![f64::INFINITY; m];
    let (by_row, known) =
        coarser.map_or((costs.by_row, vec![0.0; n]), |(some, prices)| (some.by_row, prices));
    let priced = Sample { by_row, ..*costs };
    for (i, price) in known.iter().enumerate() {
        for (least, c) in guide.iter_mut().zip(priced.row(i, &mut scratch)) {
            *least = if c - price < *least { c - price } else { *least };
        }
    }
    let mut tree = greedy(supply, demand, costs, &guide);
    let (mut list, mut found, mut steps) = (Vec::new(), Vec::new(), 0);
    loop {
        tree.price_all();
        if list.len() > 64 * (n + m) {
            list.retain(|&arc| tree.reduced(arc) <= tolerance);
        }
        let first = list.is_empty();
        for i in 0..n {
            let row = costs.row(i, &mut scratch);
            let (prices, bound) = (&tree.prices[n..], tree.prices[i] - tolerance);
            let (prices, bound) = if first { (&guide[..], f64::INFINITY) } else { (prices, bound) };
            best_arcs(row, prices, bound, &mut found);
            list.extend(found.iter().map(|&(_, j)| (i as u32, (n + j) as u32, row[j])));
        }
        let (before, mut at, mut idle) = (steps, 0, 0);
        while idle < list.len() {
            let block = &list[at..list.len().min(at + BLOCK)];
            let (mut least, mut entering) = (-tolerance, None);
            for &arc in block {
                let reduced = tree.reduced(arc);
                if reduced < least {
                    (least, entering) = (reduced, Some(arc));
                }
            }
            idle += block.len();
            at = if at + block.len() == list.len() { 0 } else { at + block.len() };
            if let Some(arc) = entering {
                tree.pivot(arc);
                (steps, idle) = (steps + 1, 0);
                if steps % (n + m) == 0 {
                    tree.price_all();
                }
                if steps > 10_000 * (n + m) {
                    let why = format!("no optimum after {steps} steps");
                    return Err(Error::Numeric { what: "the network simplex method".into(), why });
                }
            }
        }
        if steps == before && !first {
            return Ok(tree);
        }
    }
}

/// The columns of least `cost − price` below `bound`, `LISTED` of them at most.
fn best_arcs(row: &[f64], prices: &[f64], mut bound: f64, found: &mut Vec<(f64, usize)>) {
    found.clear();
    for (start, (costs, prices)) in (0..).step_by(16).zip(row.chunks(16).zip(prices.chunks(16))) {
        // Most groups have no such arc: find that out without a branch for each.
        let reduced = || costs.iter().zip(prices).map(|(c, v)| c - v);
        if reduced().map(|r| u32::from(r < bound)).sum::<u32>() > 0 {
            found.extend(reduced().zip(start..).filter(|arc| arc.0 < bound));
        }
        if found.len() > 4 * LISTED || (found.len() > LISTED && start + costs.len() == row.len()) {
            // Ties go by column, so that the choice does not hang on the library's way of selecting.
            bound = found.select_nth_unstable_by(LISTED, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).1.0;
            found.truncate(LISTED);
        }
    }
}

/// Gives each source in turn its best open targets by `cost − guide`. An arc uses up one node and only the
/// last arc uses up two, as the masses are not degenerate; so the arcs are a spanning tree.
fn greedy(supply: &[f64], demand: &[f64], costs: &Sample<impl Costs>, guide: &[f64]) -> Tree {
    let (n, m, factor) = (supply.len(), demand.len(), supply.len() as i128 + 1);
    // Powers of two bring the totals to 1 to 2 with no rounding (short of numbers below 1e-300).
    let [scale, demand_scale] = [supply, demand].map(|mass| {
        let exponent = mass.iter().sum::<f64>().log2().floor() as i32;
        2f64.powi(-exponent.max(-1000))
    });
    let units = |mass: &[f64], scale: f64| -> Vec<i128> {
        mass.iter().map(|x| (x * scale * UNITS) as i128).collect()
    };
    let given = units(supply, scale);
    // From exact sums: those of floating-point numbers are off by more than the plan may be.
    let asked = units(demand, demand_scale).iter().sum::<i128>();
    let fit = given.iter().sum::<i128>() as f64 / asked as f64;
    let mut left: Vec<i128> = given.iter().map(|x| x * factor + 1).collect();
    let fitted = units(demand, demand_scale * fit);
    let mut wanted: Vec<i128> = fitted.iter().map(|x| x.max(&1) * factor).collect();
    // The largest target takes what rounding and the extra units have changed.
    let gap = left.iter().sum::<i128>() - wanted.iter().sum::<i128>();
    wanted.iter_mut().max().into_iter().for_each(|most| *most += gap);
    let mut open = guide.to_vec();
    let mut arcs: Vec<Vec<(u32, Link)>> = vec![Vec::new(); n + m];
    let mut scratch = Vec::new();
    for i in 0..n {
        let row = costs.row(i, &mut scratch);
        while left[i] > 0 {
            let (mut least, mut j) = (f64::INFINITY, 0);
            for (k, (c, v)) in row.iter().zip(&open).enumerate() {
                if c - v < least {
                    (least, j) = (c - v, k);
                }
            }
            let flow = left[i].min(wanted[j]);
            left[i] -= flow;
            wanted[j] -= flow;
            if wanted[j] == 0 {
                open[j] = f64::NEG_INFINITY;
            }
            let link = Link { flow, cost: row[j], parent: i as u32, size: 1 };
            arcs[i].push(((n + j) as u32, link));
            arcs[n + j].push((i as u32, Link { parent: (n + j) as u32, ..link }));
        }
    }
    Tree::from_arcs(n, scale, &arcs)
}

#[cfg(test)]
mod tests;
