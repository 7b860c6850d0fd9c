//! Joint distribution optimal transport: a regularised least-squares predictor for the target and a transport plan are
//! fitted in turns, the plan at a cost in which the predictor's error on a target row counts beside the distance.
//!
//! When: rows and labels shift together, regression above all; target rows enough to learn from. It hurts where class
//! shares differ, as the plan gives the target the shares of the source.
//!
//! Paper: N. Courty, R. Flamary, A. Habrard, A. Rakotomamonjy, "Joint distribution optimal transportation for domain adaptation", NIPS 2017
//!
//! ```text
//! min over f, γ   Σ_ij γ_ij [ (1 - a) |s_i - t_j|² / D + a |y_i - f(t_j)|² / V ]         (1)
//! under           Σ_j γ_ij = 1/n_s,   Σ_i γ_ij = 1/n_t
//! ŷ_j = n_t Σ_i γ_ij y_i,       f = argmin Σ_j |ŷ_j - f(t_j)|² + penalty |f|²                    (2)
//! ```
//! `D` is the mean squared distance of all pairs and `V` the variance of the source values. Classes are fitted one
//! against the rest, `y` being 1 or -1 for each, with `V = 1`. `f` is linear or a sum of Gaussians around the target
//! rows, with a constant that is not penalised. The first plan looks at distances alone. A labelled target row keeps
//! its label in (2), and a pair with a source row of another class costs 10 times the largest cost, so that nothing is
//! sent there where the masses allow; labels that are numbers bar no pair.
//!
//! Where we differ: of the paper's losses, the squared one. `D` and `V` make `a` independent of units; the paper's α is
//! `(1 - a) V / (a D)`. skada's `JDOTRegressor` has `D` and not `V`.
//!
//! Cost: that of `exact-transport` in each round, the later ones cheaper, and of a ridge regression on `n_t` rows:
//! `O(n_t d min(n_t, d))`, or with the Gaussian `O(n_t³)` time once, `O(n_t²)` a round and `16 n_t²` bytes.

use faer::{Mat, MatRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::{Goal, Labels, Task};
use crate::error::Result;
use crate::learners::{Learner, Trained, ridge_weights};
use crate::linalg::{Matrix, column_means, gaussian_kernel, median_distance, rows_times};
use crate::methods::{
    Family, Fitted, Grid, Method, MethodRow, Needs, count, make, must, over_all_classes, params_of,
};
use crate::models::{Link, Map, Predictor};
use crate::solvers::{PairCosts, solve_shifted};

/// What errors and notices call it.
const NAME: &str = "jdot";

/// The form of the predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Linear in the columns.
    Linear,
    /// A sum of Gaussians around the target rows.
    Gaussian,
}

/// Parameters of joint distribution optimal transport.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Jdot {
    /// The share of the cost that is the predictor's error; the rest is distance. From 0 to below 1.
    pub loss_share: f64,
    /// The form of the predictor: `linear` or `gaussian`.
    pub form: Form,
    /// Weight of the predictor's squared norm against the sum of squared errors. Above 0.
    pub penalty: f64,
    /// Width of the Gaussians, in units of distance; none for the median distance between target rows. Above 0.
    pub bandwidth: Option<f64>,
    /// The rounds end when the least cost of a plan changes by this part of itself or less. 0 or above.
    pub tolerance: f64,
    /// The most rounds of a plan and a predictor. 1 to 1000000.
    pub iterations: usize,
}

impl Default for Jdot {
    fn default() -> Self {
        let (tolerance, iterations) = (1e-5, 50);
        Self { loss_share: 0.5, form: Form::Linear, penalty: 1.0, bandwidth: None, tolerance, iterations }
    }
}

impl Jdot {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Transport,
        summary: "fits a predictor on the target rows and a transport plan of rows and labels in turns",
        when: "rows and labels shift together, regression above all; harmful when class shares differ",
        paper: "N. Courty, R. Flamary, A. Habrard, A. Rakotomamonjy, \"Joint distribution optimal transportation for domain adaptation\", NIPS 2017",
        needs: Needs::NOTHING,
        trains_learner: false,
        learner: "ridge",
        grid: Grid::NONE, // its strengths want tuning
        most_rows: 5_000,
        source: include_str!("jdot.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl Method for Jdot {
    fn check(&self) -> Result<()> {
        let Self { loss_share, penalty, tolerance, .. } = *self;
        must(NAME, "loss_share", (0.0..1.0).contains(&loss_share), "from 0 to below 1", loss_share)?;
        must(NAME, "penalty", penalty > 0.0 && penalty.is_finite(), "above 0", penalty)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must(NAME, "bandwidth", width > 0.0 && width.is_finite(), "above 0", width)?;
        must(NAME, "tolerance", tolerance >= 0.0 && tolerance.is_finite(), "0 or above", tolerance)?;
        count(NAME, "iterations", self.iterations, 1..=1_000_000)
    }

    fn fit(&self, task: &Task, _: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let fitted = self.rounds(task, context)?;
        let (maps, weights) = match fitted.bandwidth {
            None => (Vec::new(), fitted.weights),
            Some(bandwidth) => {
                let width = fitted.weights.ncols();
                let (rows, coefficients) = (task.target.features.clone(), fitted.weights);
                (vec![Map::KernelProject { bandwidth, rows, coefficients }], Mat::identity(width, width))
            }
        };
        let predictor = Predictor::Linear { link: Link::Identity, weights, bias: fitted.bias };
        let trained = match task.goal {
            Goal::Classes(_) => over_all_classes(predictor, task),
            Goal::Value => Trained { predictor, classes: Vec::new() },
        };
        Ok(Fitted { maps, trained, moved: None, weights: None })
    }
}

/// The predictor after the last round.
pub struct JdotFit {
    /// `(d, k)`, or one row for each target row where the predictor is a sum of Gaussians `(n_t, k)`.
    pub weights: Matrix,
    /// `(1, k)`.
    pub bias: Matrix,
    /// The width of the Gaussians, if there are any.
    pub bandwidth: Option<f64>,
    /// The cost of the last plan, as (1) has it.
    pub cost: f64,
    /// Rounds.
    pub iterations: usize,
}

impl Jdot {
    /// Plans and predictors in turns.
    ///
    /// # Errors
    /// [`crate::error::Error::Memory`]; [`crate::error::Error::Numeric`] if squared distances overflow.
    pub fn rounds(&self, task: &Task, context: &mut Context) -> Result<JdotFit> {
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let (m, plain) = (target.nrows(), PairCosts::new(source, target));
        plain.check()?;
        let hold = plain.hold(NAME, context);
        let sends = numbers(&task.source.labels, task.goal.classes());
        let given = numbers(&task.target.labels, task.goal.classes());
        let above_zero = |unit: f64| if unit > 1e-290 { unit } else { 1.0 };
        let near = ((1.0 - self.loss_share) / above_zero(plain.mean())).sqrt();
        let right = (self.loss_share
            / if task.goal == Goal::Value { above_zero(variance(&sends)) } else { 1.0 })
        .sqrt();
        let form = Fit::new(self, target, context)?;
        let from = beside(source, near, &sends, right);
        let (mut prices, mut last, mut iterations) = (None::<Vec<f64>>, f64::INFINITY, 0);
        let mut said: Option<Matrix> = None;
        loop {
            iterations += 1;
            context.progress(NAME, iterations, self.iterations);
            let plan = if let Some(said) = &said {
                let to = beside(target, near, said, right);
                let costs = PairCosts::new(from.as_ref(), to.as_ref()).barring(task.known_classes());
                costs.exact_plan(hold, prices.as_deref())?
            } else {
                let (from, to) = (faer::Scale(near) * source, faer::Scale(near) * target);
                PairCosts::new(from.as_ref(), to.as_ref())
                    .barring(task.known_classes())
                    .exact_plan(hold, None)?
            };
            let mut wanted = plan.received(m, sends.as_ref());
            for (k, &j) in task.target.labelled.iter().enumerate() {
                wanted.row_mut(j).copy_from(given.row(k));
            }
            let (weights, bias) = form.fit(&wanted, self.penalty)?;
            let change = (plan.cost - last).abs();
            // The cost of the first plan leaves the predictor out.
            let ends = said.is_some() && change <= self.tolerance * plan.cost.abs();
            if ends || iterations >= self.iterations {
                if !ends && last.is_finite() {
                    let part = change / plan.cost.abs();
                    let said = format!(
                        "after {iterations} rounds the cost still changes by {part:.1e} of itself: raise `iterations`"
                    );
                    context.warn(NAME, said);
                }
                return Ok(JdotFit {
                    weights,
                    bias,
                    bandwidth: form.bandwidth(),
                    cost: plan.cost,
                    iterations,
                });
            }
            if said.is_some() {
                last = plan.cost;
            }
            said = Some(form.say(&weights, &bias));
            prices = Some(plan.source_prices);
        }
    }
}

/// A column with 1 and -1 for each class, or the values.
fn numbers(labels: &Labels, classes: usize) -> Matrix {
    match labels {
        Labels::Classes(of) => Mat::from_fn(of.len(), classes, |i, c| if of[i] == c { 1.0 } else { -1.0 }),
        Labels::Values(values) => Mat::from_fn(values.len(), 1, |i, _| values[i]),
    }
}

fn variance(values: &Matrix) -> f64 {
    let mean = column_means(values.as_ref())[0];
    values.col(0).iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.nrows() as f64
}

/// The columns of `rows` times `near` beside those of `labels` times `right`.
fn beside(rows: MatRef<'_, f64>, near: f64, labels: &Matrix, right: f64) -> Matrix {
    let d = rows.ncols();
    Mat::from_fn(rows.nrows(), d + labels.ncols(), |i, k| {
        if k < d { near * rows[(i, k)] } else { right * labels[(i, k - d)] }
    })
}

/// The target rows, or their kernel, made ready for least squares.
enum Fit<'a> {
    Linear(MatRef<'a, f64>),
    Gaussian { kernel: Matrix, bandwidth: f64 },
}

impl<'a> Fit<'a> {
    fn new(jdot: &Jdot, target: MatRef<'a, f64>, context: &mut Context) -> Result<Self> {
        let (m, d) = target.shape();
        if jdot.form == Form::Linear {
            let side = m.min(d);
            context.require("the normal equations of `jdot`", 24 * (side * side) as u64)?;
            return Ok(Self::Linear(target));
        }
        context.require("the kernel of `jdot` and its factor", 16 * (m * m) as u64)?;
        let middle = |context: &mut Context| median_distance(target, &mut context.rng(NAME));
        let bandwidth = jdot.bandwidth.unwrap_or_else(|| middle(context));
        Ok(Self::Gaussian { kernel: gaussian_kernel(target, target, bandwidth), bandwidth })
    }

    /// Weights and constants at the minimum of (2).
    fn fit(&self, wanted: &Matrix, penalty: f64) -> Result<(Matrix, Matrix)> {
        match self {
            Self::Linear(rows) => ridge_weights(*rows, wanted.as_ref(), &vec![1.0; rows.nrows()], penalty),
            Self::Gaussian { kernel, .. } => {
                // (K + penalty I) c + b 1 = y and 1ᵀ c = 0: solved for y and for 1.
                let (m, k) = wanted.shape();
                let sides = Mat::from_fn(m, k + 1, |j, c| if c < k { wanted[(j, c)] } else { 1.0 });
                let solved = solve_shifted(kernel.clone(), penalty, sides)?;
                let sums: Vec<f64> = solved.col_iter().map(|column| column.iter().sum()).collect();
                let bias = Mat::from_fn(1, k, |_, c| sums[c] / sums[k]);
                let weights = Mat::from_fn(m, k, |j, c| solved[(j, c)] - bias[(0, c)] * solved[(j, k)]);
                Ok((weights, bias))
            }
        }
    }

    /// What the predictor says of the target rows.
    fn say(&self, weights: &Matrix, bias: &Matrix) -> Matrix {
        let mut said = match self {
            Self::Linear(rows) => rows_times(*rows, weights.as_ref()),
            Self::Gaussian { kernel, .. } => rows_times(kernel.as_ref(), weights.as_ref()),
        };
        for c in 0..said.ncols() {
            said.col_as_slice_mut(c).iter_mut().for_each(|v| *v += bias[(0, c)]);
        }
        said
    }

    fn bandwidth(&self) -> Option<f64> {
        match self {
            Self::Linear(_) => None,
            Self::Gaussian { bandwidth, .. } => Some(*bandwidth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Domain;
    use crate::linalg::from_rows;
    use crate::models::predict;

    fn task(values: Vec<f64>, labelled: Vec<usize>, labels: Vec<f64>) -> Task {
        let source = Domain::labelled("s", from_rows(&[vec![0.0], vec![2.0]]), Labels::Values(values));
        let features = from_rows(&[vec![12.0], vec![10.0]]);
        let target = Domain { name: "t".into(), features, labelled, labels: Labels::Values(labels) };
        Task::new(vec![source], target, Goal::Value).unwrap()
    }

    /// Rows 0 and 2 go to rows 10 and 12 with their values, 1 and 5: a line with slope `2 · 2 / (2 + penalty)` through
    /// (11, 3).
    #[test]
    fn a_line_by_hand() {
        for form in [Form::Linear, Form::Gaussian] {
            let jdot = Jdot { penalty: 2.0, form, bandwidth: Some(1.0), ..Jdot::default() };
            let task = task(vec![1.0, 5.0], vec![], vec![]);
            let fitted = jdot
                .fit(&task, &crate::learners::NearestNeighbor::default(), &mut Context::default())
                .unwrap();
            let rows = from_rows(&[vec![12.0], vec![10.0]]);
            let said = predict(&fitted.maps, &fitted.trained.predictor, rows.as_ref()).answer;
            // With Gaussians the coefficients are c and -c: (1 - e⁻²) c + 2 c = 2.
            let lean = 1.0 - (-2.0f64).exp();
            let off = if form == Form::Linear { 1.0 } else { 2.0 * lean / (2.0 + lean) };
            assert!((said[0] - 3.0 - off).abs() < 1e-12 && (said[1] - 3.0 + off).abs() < 1e-12, "{said:?}");
        }
    }

    #[test]
    fn labelled_rows_keep_their_labels() {
        let jdot = Jdot { penalty: 1e-12, ..Jdot::default() };
        let given = task(vec![1.0, 5.0], vec![0], vec![9.0]);
        let fitted = jdot.rounds(&given, &mut Context::default()).unwrap();
        assert!((fitted.weights[(0, 0)] - 4.0).abs() < 1e-6, "{:?}", fitted.weights);
        let constant = task(vec![3.0, 3.0], vec![], vec![]);
        let fitted = jdot.rounds(&constant, &mut Context::default()).unwrap();
        assert!(fitted.weights[(0, 0)].abs() < 1e-9 && (fitted.bias[(0, 0)] - 3.0).abs() < 1e-9);
    }
}
