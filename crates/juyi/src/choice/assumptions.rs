//! Ways in which the source's labels may hold in the target. Each one is a space for the rows of both domains: where a
//! target row lies next to a source row there, it is taken to have that row's label. Rows bear an assumption out or
//! not: if it is true, source rows that are drawn next to target rows are distributed like them.

use faer::MatRef;

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::linalg::{Matrix, gaussian_kernel_means, median_distance, nearest};
use crate::models::{Preprocess, preprocess};
use crate::solvers::whitened_and_colored;

/// One assumption.
pub(super) struct Space {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    embed: fn(Task, &mut Context) -> Result<(Matrix, Matrix)>,
}

/// All assumptions, from the strictest to the most lenient.
pub(super) const SPACES: [Space; 3] = [
    Space {
        name: "same place",
        about: "rows with the same values have the same label; only their shares differ",
        embed: |task, context| {
            let (task, _) = preprocess(task, &[Preprocess::Standardize], context);
            Ok((task.source.features, task.target.features))
        },
    },
    Space {
        name: "same after standardising",
        about: "each column was shifted and rescaled; rows with the same standardised values have the same label",
        embed: |task, context| {
            let (task, _) = preprocess(task, &[Preprocess::StandardizeEach], context);
            Ok((task.source.features, task.target.features))
        },
    },
    Space {
        name: "same after aligning correlations",
        about: "columns were mixed; rows with the same values after covariances are made equal have the same label",
        embed: |task, context| {
            let (task, _) = preprocess(task, &[Preprocess::StandardizeEach], context);
            let (source, target) = (task.source.features, task.target.features);
            Ok((whitened_and_colored(source.as_ref(), target.as_ref(), RIDGE)?, target))
        },
    },
];

/// Added to covariances of standardised columns: enough that hardly varying directions are left alone.
const RIDGE: f64 = 0.01;

/// Labels lent to target rows: one vote for each fold and target row.
pub(super) struct Votes {
    /// `[fold][target row]`: the held-out source row that lends its label.
    pub(super) lender: Vec<Vec<usize>>,
    /// The discrepancy that is left between lenders and target rows.
    pub(super) remains: f64,
}

impl Space {
    /// The votes of the held-out rows of each fold.
    pub(super) fn votes(&self, task: &Task, folds: &[Vec<usize>], context: &mut Context) -> Result<Votes> {
        let (source, target) = (self.embed)(task.clone(), context)?;
        let width = median_distance(target.as_ref(), &mut context.rng("bandwidth"));
        let (mut lender, mut remains) = (Vec::new(), 0.0);
        for held in folds {
            let rows = crate::linalg::select_rows(source.as_ref(), held);
            let found = nearest(target.as_ref(), rows.as_ref(), &vec![0; held.len()], 1);
            let at: Vec<usize> = found.iter().map(|near| near[0].map_or(0, |near| near.row)).collect();
            remains += discrepancy(rows.as_ref(), &at, target.as_ref(), width) / folds.len() as f64;
            lender.push(at.iter().map(|&i| held[i]).collect());
        }
        Ok(Votes { lender, remains })
    }
}

/// Squared maximum mean discrepancy between rows weighted by how often they are lenders and the target rows, without
/// the terms of a row with itself.
fn discrepancy(rows: MatRef<'_, f64>, at: &[usize], target: MatRef<'_, f64>, width: f64) -> f64 {
    let (n, m) = (rows.nrows(), target.nrows() as f64);
    let mut weights = vec![0.0; n];
    for &i in at {
        weights[i] += 1.0 / m;
    }
    let of = Matrix::from_fn(n, 1, |i, _| weights[i]);
    let own = crate::linalg::gaussian_kernel_times(rows, rows, width, of.as_ref());
    let squares: f64 = weights.iter().map(|w| w * w).sum();
    let within: f64 = (0..n).map(|i| weights[i] * own[(i, 0)]).sum();
    let within = if squares < 1.0 { (within - squares) / (1.0 - squares) } else { 1.0 };
    let across: f64 =
        gaussian_kernel_means(rows, target, width).iter().zip(&weights).map(|(k, w)| k * w).sum();
    let own = gaussian_kernel_means(target, target, width);
    let beyond = (own.iter().sum::<f64>() - 1.0) / (m - 1.0).max(1.0);
    within + beyond - 2.0 * across
}

/// Which assumptions count: those under which next to nothing remains of the discrepancy, compared with the assumption
/// that fits best.
pub(super) fn hold(votes: &[Votes]) -> Vec<bool> {
    let least = votes.iter().map(|votes| votes.remains).fold(f64::INFINITY, f64::min);
    votes.iter().map(|votes| votes.remains <= (2.0 * least).max(NEGLIGIBLE)).collect()
}

/// A squared discrepancy that is as good as none; it lies between 0 and 2.
const NEGLIGIBLE: f64 = 0.01;
