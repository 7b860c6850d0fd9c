//! Label propagation: labels flow along a Gaussian graph over source and target rows until nothing changes.
//!
//! When: classes form clusters that reach from the source into the target; few columns.
//!
//! Paper: X. Zhu, Z. Ghahramani, "Learning from labeled and unlabeled data with label propagation", CMU-CALD-02-107, 2002
//!
//! With labelled rows `l` (the source and the labelled target rows), the other target rows `u`, and answers `Y_l`, one
//! column a class, or the values of a regression:
//! ```text
//! W_ij = exp(-|x_i - x_j|² / (2 bandwidth²))          D = diag(Σ_j W_ij)
//! (D_uu - W_uu) f_u = W_ul Y_l                        the fixed point of f = D⁻¹ W f with f_l = Y_l
//! ```
//!
//! Differs from the paper: the fixed point is solved for by conjugate gradients instead of being approached step by
//! step, and the bandwidth is chosen by neighbour distances, where the paper minimises an entropy or takes a third of
//! the least distance between two classes. The classes' shares are not rescaled. New rows get the mean of all
//! rows' answers, weighted by the kernel; to a row of the fit that is its own answer.
//!
//! Cost: `O(n_u n_l (d + c))` once and `O(n_u² (d + c))` a step, a few dozen steps, or `O(n_u² d)` once and `O(n_u² c)` a
//! step where half of `W_uu`, `4 n_u²` bytes, fits into memory. The model keeps all rows: `O((n_l + n_u) d)`.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known_answers::known_answers;
use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, Trained};
use crate::linalg::{Matrix, gaussian_kernel_times, nearest, select_rows, stack};
use crate::methods::{Carried, Family, Fitted, Grid, Method, MethodRow, Needs, make, must, params_of};
use crate::models::Predictor;
use crate::solvers::{GaussianGraph, System, conjugate_gradients, neighbor_distance};

const NAME: &str = "label-propagation";

/// Where the residual is small enough, relative to the right-hand side, and when to give up.
const TOLERANCE: f64 = 1e-10;
const MOST_STEPS: usize = 1000;

/// Label propagation.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelPropagation {
    /// Reach of the graph's edges, in units of distance: `exp(-|x - y|² / (2 bandwidth²))`. The smaller, the more the
    /// nearest rows decide; too large a reach gives one class to all. Above 0. Default: a
    /// quarter of the median distance from an unlabelled row to its 7th nearest labelled row.
    pub bandwidth: Option<f64>,
}

impl LabelPropagation {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: "label-propagation",
        family: Family::Predictor(Carried::Relations),
        summary: "lets labels flow along a Gaussian graph over source and target rows",
        when: "classes form clusters that reach from the source into the target; few columns",
        paper: "X. Zhu, Z. Ghahramani, \"Learning from labeled and unlabeled data with label propagation\", CMU-CALD-02-107, 2002",
        needs: Needs::NOTHING,
        trains_learner: false,
        learner: "1-nn",
        grid: Grid::NONE,
        most_rows: 20_000,
        source: include_str!("label_propagation.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for LabelPropagation {
    fn check(&self) -> Result<()> {
        let Some(bandwidth) = self.bandwidth else { return Ok(()) };
        let squared_is_safe = (1e-150..=1e150).contains(&bandwidth);
        must(NAME, "bandwidth", squared_is_safe, "a number above 0 (1e-150 to 1e150)", bandwidth)
    }

    fn fit(&self, task: &Task, _: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let (source, target) = (&task.source, &task.target);
        let labels = source.labels.chain(&target.labels);
        let (given, classes) = known_answers(NAME, &labels, &task.goal, context);
        let (n_l, n_u) = (labels.len(), target.rows() - target.labelled.len());
        let words = (n_l + n_u) * (2 * task.columns() + given.ncols()) + n_u * 16 * given.ncols();
        context.require("the rows and answers of the graph", 8 * words as u64)?;

        let mut known = target.labelled.iter().copied().peekable();
        let unknown: Vec<usize> = (0..target.rows()).filter(|i| known.next_if_eq(i).is_none()).collect();
        let others = select_rows(target.features.as_ref(), &unknown);
        let labelled = stack(source.features.as_ref(), target.labelled_features().as_ref());
        let by_neighbors = || neighbor_distance(others.as_ref(), labelled.as_ref());
        let bandwidth = self.bandwidth.unwrap_or_else(by_neighbors);
        let held = 8 * words as u64;
        let found = propagate(labelled.as_ref(), &given, others.as_ref(), bandwidth, held, context);
        let predictor = Predictor::Propagation {
            classes: classes.len(),
            bandwidth,
            rows: stack(labelled.as_ref(), others.as_ref()),
            answers: stack(given.as_ref(), found.as_ref()),
        };
        Ok(Fitted { maps: Vec::new(), trained: Trained { predictor, classes }, moved: None, weights: None })
    }
}

/// The answers of the rows `others`.
fn propagate(
    labelled: MatRef<'_, f64>,
    given: &Matrix,
    others: MatRef<'_, f64>,
    bandwidth: f64,
    held: u64,
    context: &mut Context,
) -> Matrix {
    let (n, c) = (others.nrows(), given.ncols());
    if n == 0 {
        return Mat::zeros(0, c);
    }
    // W_ul Y_l, and the sums of W_ul beside it.
    let with_ones = Mat::from_fn(given.nrows(), c + 1, |i, j| if j < c { given[(i, j)] } else { 1.0 });
    let from_labelled = gaussian_kernel_times(others, labelled, bandwidth, with_ones.as_ref());
    let mut pull: Vec<f64> = from_labelled.col(c).iter().copied().collect();

    let graph = GaussianGraph::new(NAME, others, bandwidth, held, context);
    let isolated = graph.isolated(&pull);
    let alone: Vec<usize> = (0..n).filter(|&i| isolated[i]).collect();
    if !alone.is_empty() {
        let count = alone.len();
        context.warn(NAME, format!(
            "{count} of {n} unlabelled rows are out of reach at bandwidth {bandwidth:.3e}: they take the answer of the nearest labelled row; a larger `bandwidth` reaches further"
        ));
    }
    let edges = graph.times(Mat::from_fn(n, 1, |_, _| 1.0).as_ref());
    let mut degree: Vec<f64> =
        pull.iter().zip(edges.col(0).iter()).map(|(pull, edges)| pull + edges).collect();
    for &i in &alone {
        (pull[i], degree[i]) = (0.0, f64::INFINITY);
    }
    let product = |z: MatRef<'_, f64>| {
        let flow = graph.times(z);
        let change = |i: usize, j: usize| degree[i] * z[(i, j)] - flow[(i, j)];
        Mat::from_fn(n, z.ncols(), |i, j| if isolated[i] { 0.0 } else { change(i, j) })
    };
    let system = System { product, diagonal: &degree, row_sums: &pull };
    let solution = conjugate_gradients(&system, from_labelled.get(.., ..c), TOLERANCE, MOST_STEPS);
    if solution.residual > TOLERANCE {
        context.warn(NAME, format!(
            "the labels had not settled after {} steps (residual {:.1e}): the graph hangs together too loosely at bandwidth {bandwidth:.3e}; take a larger `bandwidth`",
            solution.steps, solution.residual
        ));
    }
    let mut found = solution.x;
    let closest = nearest(select_rows(others, &alone).as_ref(), labelled, &vec![0; given.nrows()], 1);
    for (j, given) in given.col_iter().enumerate() {
        // A mean of the labels lies between them; rounding may have put it a little outside.
        let least = given.iter().copied().fold(f64::INFINITY, f64::min);
        let most = given.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for v in found.col_mut(j).iter_mut() {
            *v = v.clamp(least, most);
        }
        for (&i, closest) in alone.iter().zip(&closest) {
            found[(i, j)] = closest[0].map_or(0.0, |closest| given[closest.row]);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::NearestNeighbor;
    use crate::linalg::from_rows;

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    /// Fits values 0 at 0 and 1 at `last` with these target rows and returns the predictor and its answers below them.
    fn values(last: f64, target: &[f64], bandwidth: f64, context: &mut Context) -> (Predictor, Vec<f64>) {
        let source = Domain::labelled("s", column(&[0.0, last]), Labels::Values(vec![0.0, 1.0]));
        let target = Domain::unlabelled("t", column(target), &Goal::Value);
        let task = Task::new(vec![source], target, Goal::Value).unwrap();
        let method = LabelPropagation { bandwidth: Some(bandwidth) };
        let predictor = method.fit(&task, &NearestNeighbor::default(), context).unwrap().trained.predictor;
        let Predictor::Propagation { answers, .. } = &predictor else { panic!("propagation") };
        (predictor.clone(), answers.col(0).iter().skip(2).copied().collect())
    }

    fn near(distance: f64) -> f64 {
        (-0.5 * distance * distance).exp()
    }

    #[test]
    fn two_rows_between_two_labels() {
        let mut context = Context::default();
        let (predictor, found) = values(3.0, &[1.0, 2.0], 1.0, &mut context);
        // f_1 = 1 - f_2, so (2 k(1) + k(2)) f_1 = k(2) + k(1) (1 - f_1).
        let first = (near(1.0) + near(2.0)) / (3.0 * near(1.0) + near(2.0));
        assert!((found[0] - first).abs() < 1e-12 && (found[1] - 1.0 + first).abs() < 1e-12);
        let said = predictor.answer(column(&[1.0, 2.0]).as_ref()).answer;
        assert!((said[0] - found[0]).abs() < 1e-12 && (said[1] - found[1]).abs() < 1e-12);
        assert!(context.notices().is_empty());
    }

    #[test]
    fn a_group_that_hangs_on_by_less_than_rounding_is_solved_all_the_same() {
        let found = values(1.0, &[30.0, 31.0], 1.0, &mut Context::default()).1;
        let (s, b, e) =
            ([near(30.0) + near(29.0), near(31.0) + near(30.0)], [near(29.0), near(30.0)], near(1.0));
        let first = (b[0] * (s[1] + e) + e * b[1]) / (s[0] * s[1] + e * (s[0] + s[1]));
        assert!((found[0] - first).abs() < 1e-11 && (found[1] - first).abs() < 1e-11, "{found:?} {first}");
    }

    #[test]
    fn a_row_out_of_reach_takes_the_nearest_answer() {
        let mut context = Context::default();
        assert_eq!(values(3.0, &[1000.0, -1000.0, 2.9], 1.0, &mut context).1[..2], [1.0, 0.0]);
        assert!(context.notices()[0].text.starts_with("2 of 3 unlabelled rows are out of reach"));
    }

    fn fit_classes(context: &mut Context) -> (Trained, Matrix, Matrix) {
        let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
        let rows = |n: usize, k: usize| Mat::from_fn(n, 2, |i, j| ((i * (k + 4 * j)) % 101) as f64 / 25.0);
        let of = (0..150).map(|i| 2 * usize::from(i * 17 % 101 > 50)).collect();
        let source = Domain::labelled("s", rows(150, 17), Labels::Classes(of));
        let mut target = Domain::unlabelled("t", rows(1300, 19), &goal);
        (target.labelled, target.labels) = (vec![3, 7], Labels::Classes(vec![2, 0]));
        let task = Task::new(vec![source], target, goal).unwrap();
        let trained =
            LabelPropagation::default().fit(&task, &NearestNeighbor::default(), context).unwrap().trained;
        let Predictor::Propagation { rows, answers, .. } = &trained.predictor else { panic!("propagation") };
        let (rows, answers) = (rows.clone(), answers.clone());
        (trained, rows, answers)
    }

    #[test]
    fn the_cheaper_route_and_one_thread_give_the_same_bits() {
        let (mut context, mut small) = (Context::default(), Context::new(0, 4 << 20));
        let (trained, rows, answers) = fit_classes(&mut context);
        assert_eq!((rows.nrows(), trained.classes), (1450, vec![0, 2]));
        assert!(context.notices()[0].text.contains("class `b`"));
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one_thread.install(|| fit_classes(&mut small).2), answers);
        assert!(small.notices().iter().any(|notice| notice.text.contains("computed anew")));
    }

    #[test]
    fn a_row_of_the_fit_is_predicted_as_it_was_fitted() {
        let (trained, rows, answers) = fit_classes(&mut Context::default());
        let said = trained.predictor.answer(rows.get(152.., ..)).scores.unwrap();
        assert!((&said - answers.get(152.., ..)).norm_max() < 1e-8);
        assert_eq!(answers[(151, 0)], 1.0); // target row 7 keeps its label
    }
}
