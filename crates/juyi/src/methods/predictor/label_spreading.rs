//! Label spreading: on a Gaussian graph over source and target rows, each row takes most of its answer from its
//! neighbours and keeps a little of its own label.
//!
//! When: classes form clusters that reach from the source into the target, few columns, some labels wrong: unlike label
//! propagation, it lets go of a label that its neighbours contradict. It hurts where clusters of different classes
//! touch, or a class has many more labelled rows than another of its size.
//!
//! Paper: D. Zhou, O. Bousquet, T. Lal, J. Weston, B. Schölkopf, "Learning with local and global consistency", NIPS 2003
//!
//! With `Y` 1 at the class of a labelled row (the source rows and the labelled target rows) and 0 elsewhere:
//! ```text
//! W_ij = exp(-|x_i - x_j|² / (2 bandwidth²)), W_ii = 0      D = diag(Σ_j W_ij)      S = D^(-1/2) W D^(-1/2)
//! F = (1 - spread) (I - spread S)⁻¹ Y          the limit of F ← spread S F + (1 - spread) Y
//! ```
//! The class of a row is that of the largest entry of its line of `F`, its confidence that entry's share of the line.
//!
//! Where we differ: `F` is solved for by conjugate gradients on `(D - spread W) G = (1 - spread) D^(1/2) Y` with `F =
//! D^(1/2) G`. A new row `x` gets the shares of `Σ_j k(x, x_j) G_j`, which are those of `F_i` where `x` is the
//! unlabelled row `i`; for a labelled row of the fit they are what its neighbours make of it. The bandwidth is chosen
//! by neighbour distances, and `spread` is 0.2 by default, as in scikit-learn, where the paper takes 0.99 for a handful
//! of labels: from one set of digits to another 0.99 gets 20 to 38 % right, 0.2 gets 42 to 66 %. Rows that next to
//! nothing reaches take the class of the nearest labelled row.
//!
//! Cost: for `n` rows of both domains `O(n² (d + c))` a step and some ten steps, a hundred with `spread` near 1, or
//! `O(n² d)` once and `O(n² c)` a step where half of `W`, `4 n²` bytes, fits into memory. The model keeps all rows:
//! `O(n d)`.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known_answers::known_answers;
use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, Trained};
use crate::linalg::{Matrix, nearest, select_rows, stack};
use crate::methods::{Carried, Family, Fitted, Goals, Grid, Method, MethodRow, Needs, make, must, params_of};
use crate::models::Predictor;
use crate::solvers::{GaussianGraph, NO_AFFINITY, System, conjugate_gradients, neighbor_distance};

const NAME: &str = "label-spreading";

/// Where the residual is small enough, relative to the right-hand side, and when to give up.
const TOLERANCE: f64 = 1e-12;
const MOST_STEPS: usize = 2000;

/// A line of `F` that adds up to less than this share of the largest is lost in the residual.
const NEXT_TO_NOTHING: f64 = 1e-7;

/// Parameters of label spreading.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LabelSpreading {
    /// Reach of the graph's edges, in units of distance: `exp(-|x - y|² / (2 bandwidth²))`. The smaller, the more the
    /// nearest rows decide. Above 0. Default: a quarter of the median distance from an unlabelled row to its 7th
    /// nearest labelled row.
    pub bandwidth: Option<f64>,
    /// How much of its answer a row takes from its neighbours, alpha; the rest is its own label. Above 0, below 1.
    pub spread: f64,
}

impl Default for LabelSpreading {
    fn default() -> Self {
        Self { bandwidth: None, spread: 0.2 }
    }
}

impl LabelSpreading {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Predictor(Carried::Relations),
        summary: "lets labels spread along a Gaussian graph over both domains, each row keeping a little of its own",
        when: "clusters that reach from the source into the target, few columns, some labels wrong",
        paper: "D. Zhou, O. Bousquet, T. Lal, J. Weston, B. Schölkopf, \"Learning with local and global consistency\", NIPS 2003",
        needs: Needs { goals: Goals::Classes, ..Needs::NOTHING },
        trains_learner: false,
        learner: "1-nn",
        grid: Grid::NONE, // close to label propagation
        most_rows: 10_000,
        source: include_str!("label_spreading.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for LabelSpreading {
    fn check(&self) -> Result<()> {
        let bandwidth = self.bandwidth.unwrap_or(1.0);
        let squared_is_safe = (1e-150..=1e150).contains(&bandwidth);
        must(NAME, "bandwidth", squared_is_safe, "a number above 0 (1e-150 to 1e150)", bandwidth)?;
        must(NAME, "spread", self.spread > 0.0 && self.spread < 1.0, "above 0, below 1", self.spread)
    }

    fn fit(&self, task: &Task, _: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let (source, target) = (&task.source, &task.target);
        let labels = source.labels.chain(&target.labels);
        let (given, classes) = known_answers(NAME, &labels, &task.goal, context);
        let (n_l, n_u) = (labels.len(), target.rows() - target.labelled.len());
        let held = 8 * ((n_l + n_u) * (2 * task.columns() + 16 * given.ncols())) as u64;
        context.require("the rows and answers of the graph", held)?;

        let mut known = target.labelled.iter().copied().peekable();
        let unknown: Vec<usize> = (0..target.rows()).filter(|i| known.next_if_eq(i).is_none()).collect();
        let others = select_rows(target.features.as_ref(), &unknown);
        let labelled = stack(source.features.as_ref(), target.labelled_features().as_ref());
        let by_neighbors = || neighbor_distance(others.as_ref(), labelled.as_ref());
        let bandwidth = self.bandwidth.unwrap_or_else(by_neighbors);
        let rows = stack(labelled.as_ref(), others.as_ref());
        let graph = GaussianGraph::new(NAME, rows.as_ref(), bandwidth, held, context);
        let answers = self.spread(&graph, &given, context);
        let answers = mend(answers, rows.as_ref(), &given, bandwidth, context);
        let predictor = Predictor::Propagation { classes: classes.len(), bandwidth, rows, answers };
        Ok(Fitted { maps: Vec::new(), trained: Trained { predictor, classes }, moved: None, weights: None })
    }
}

impl LabelSpreading {
    /// `G` `(n, c)`, the labelled rows first; 0 for rows that take no part.
    fn spread(&self, graph: &GaussianGraph<'_>, given: &Matrix, context: &mut Context) -> Matrix {
        let (n, n_l, c) = (graph.row_count(), given.nrows(), given.ncols());
        let seeds: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i < n_l))).collect();
        let mut outside = graph.isolated(&seeds);
        let sums = graph.times(Mat::from_fn(n, 1, |_, _| 1.0).as_ref());
        let mut degree: Vec<f64> = sums.col(0).iter().copied().collect();
        for i in 0..n {
            outside[i] |= degree[i] < NO_AFFINITY;
            if outside[i] {
                degree[i] = f64::INFINITY;
            }
        }
        let keep = 1.0 - self.spread;
        let row_sums: Vec<f64> = degree.iter().map(|d| if d.is_finite() { keep * d } else { 0.0 }).collect();
        let start = Mat::from_fn(n, c, |i, j| {
            if i < n_l && !outside[i] { keep * degree[i].sqrt() * given[(i, j)] } else { 0.0 }
        });
        let product = |z: MatRef<'_, f64>| {
            let flow = graph.times(z);
            let change = |i: usize, j: usize| degree[i] * z[(i, j)] - self.spread * flow[(i, j)];
            Mat::from_fn(n, z.ncols(), |i, j| if outside[i] { 0.0 } else { change(i, j) })
        };
        let system = System { product, diagonal: &degree, row_sums: &row_sums };
        let solution = conjugate_gradients(&system, start.as_ref(), TOLERANCE, MOST_STEPS);
        if solution.residual > TOLERANCE {
            let (steps, residual) = (solution.steps, solution.residual);
            context.warn(
                NAME,
                format!("the labels had not settled after {steps} steps (residual {residual:.1e})"),
            );
        }
        let mut found = solution.x;
        // Whoever is left with next to nothing of F is outside too.
        let total = |i: usize| (0..c).map(|j| found[(i, j)].max(0.0)).sum::<f64>() * degree[i].sqrt();
        let totals: Vec<f64> = (0..n).map(|i| if outside[i] { 0.0 } else { total(i) }).collect();
        let least = NEXT_TO_NOTHING * totals.iter().copied().fold(0.0, f64::max);
        for j in 0..c {
            let lines = found.col_mut(j).iter_mut().zip(&totals);
            lines.for_each(|(v, total)| *v = if *total > least { v.max(0.0) } else { 0.0 });
        }
        found
    }
}

/// Gives rows without an answer their own label, or that of the nearest labelled row.
fn mend(
    mut answers: Matrix,
    rows: MatRef<'_, f64>,
    given: &Matrix,
    bandwidth: f64,
    context: &mut Context,
) -> Matrix {
    let (n, n_l) = (rows.nrows(), given.nrows());
    let silent: Vec<usize> = (0..n).filter(|&i| answers.row(i).iter().all(|v| *v == 0.0)).collect();
    let alone: Vec<usize> = silent.iter().copied().filter(|&i| i >= n_l).collect();
    if !alone.is_empty() {
        let (count, all) = (alone.len(), n - n_l);
        context.warn(NAME, format!(
            "{count} of {all} unlabelled rows are out of reach at bandwidth {bandwidth:.3e}: they take the answer of the nearest labelled row; a larger `bandwidth` reaches further"
        ));
    }
    let labelled = rows.get(..n_l, ..);
    let closest = nearest(select_rows(rows, &alone).as_ref(), labelled, &vec![0; n_l], 1);
    for i in silent.into_iter().filter(|&i| i < n_l) {
        answers.row_mut(i).copy_from(given.row(i));
    }
    for (i, closest) in alone.into_iter().zip(closest) {
        if let Some(closest) = closest[0] {
            answers.row_mut(i).copy_from(given.row(closest.row));
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;
    use crate::models::predict;

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    /// Fits rows of class `a` at 0 and `b` at `last`.
    fn fit(last: f64, target: &[f64], spread: f64, context: &mut Context) -> (Predictor, Matrix) {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let source = Domain::labelled("s", column(&[0.0, last]), Labels::Classes(vec![0, 1]));
        let target = Domain::unlabelled("t", column(target), &goal);
        let rows = target.features.clone();
        let task = Task::new(vec![source], target, goal).unwrap();
        let method = LabelSpreading { bandwidth: Some(1.0), spread };
        (method.fit(&task, &NearestNeighbor::default(), context).unwrap().trained.predictor, rows)
    }

    fn near(distance: f64) -> f64 {
        (-0.5 * distance * distance).exp()
    }

    /// Three rows at 0, 1 and 3, the middle one unlabelled: `F_2 = spread (S_21 F_1 + S_23 F_3)`, solved by hand.
    #[test]
    fn one_row_between_two_labels() {
        let (a, b, e) = (near(1.0), near(2.0), near(3.0));
        let (d1, d2, d3) = (a + e, a + b, b + e);
        let (p, q, r) = (0.5 * a / (d1 * d2).sqrt(), 0.5 * b / (d2 * d3).sqrt(), 0.5 * e / (d1 * d3).sqrt());
        // (I - S/2) F = Y by Cramer's rule, the line of the middle row up to its factor.
        let first = p + q * r;
        let second = q + p * r;
        let mut context = Context::default();
        let (predictor, rows) = fit(3.0, &[1.0], 0.5, &mut context);
        let said = predict(&[], &predictor, rows.as_ref());
        let scores = said.scores.unwrap();
        assert!((scores[(0, 0)] - first / (first + second)).abs() < 1e-12, "{scores:?}");
        assert!(
            (scores[(0, 0)] + scores[(0, 1)] - 1.0).abs() < 1e-14 && said.confidence[0] == scores[(0, 0)]
        );
        assert!(context.notices().is_empty());
    }

    #[test]
    fn a_row_out_of_reach_takes_the_nearest_answer() {
        let mut context = Context::default();
        let (predictor, rows) = fit(100.0, &[1000.0, -1000.0, 99.0, 7.0], 0.99, &mut context);
        let said = predict(&[], &predictor, rows.as_ref()).answer;
        assert_eq!(said, [1.0, 0.0, 1.0, 0.0]);
        assert!(context.notices()[0].text.starts_with("2 of 4 unlabelled rows are out of reach"));
    }

    #[test]
    fn one_wrong_label_among_many_is_let_go() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let rows = Mat::from_fn(22, 1, |i, _| if i < 11 { 0.1 * i as f64 } else { 9.0 + 0.1 * i as f64 });
        let of = (0..22).map(|i| usize::from((i >= 11) != (i == 5))).collect();
        let source = Domain::labelled("s", rows, Labels::Classes(of));
        let target = Domain::unlabelled("t", column(&[0.5, 10.5]), &goal);
        let probe = target.features.clone();
        let task = Task::new(vec![source], target, goal).unwrap();
        let fitted = LabelSpreading::default()
            .fit(&task, &NearestNeighbor::default(), &mut Context::default())
            .unwrap();
        assert_eq!(predict(&[], &fitted.trained.predictor, probe.as_ref()).answer, [0.0, 1.0]);
    }
}
