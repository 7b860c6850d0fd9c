//! Domain adaptation support vector machine: source rows give way to target rows that label themselves, a few in each
//! round, until the machine stands on the target alone.
//!
//! When: the target lies near the source, classes are apart by a gap that moves or turns gradually. It hurts where
//! classes overlap: rows labelled wrong in the first rounds stay, and there is no source left to contradict them.
//!
//! Paper: L. Bruzzone, M. Marconcini, "Domain adaptation problems: a DASVM classification technique and a circular validation strategy", TPAMI 2010
//!
//! With `f(x) = Σ_i β_i k(x, x_i) + b` and the Gaussian kernel `k`, for each class against the rest:
//! ```text
//! min |f|² / 2 + C_i Σ_source hinge + C*_i Σ_target hinge        in round i = 0, 1, …, at most 3 rounds
//! out   source rows of each side that are furthest on their side, |f| largest; of those on the margin's edge,
//!       |f| = 1, those least like the target, Σ_j k(x, x_j) over its rows smallest
//! in    target rows with 0 <= f < 1 as class, -1 < f < 0 as rest: those nearest to the margin's edge, |f| largest
//! back  target rows whose label f no longer confirms
//! C_i = cost (1 - 0.9 q),   C*_i = cost (0.1 + 0.9 q),   q = min(1, (i / rounds)²)
//! ```
//! Each round moves a share `1 / rounds` of the side's source rows out, and as many target rows in at most. It ends
//! when the source is gone and no more than 3 % of the target rows come in or go back. The class with the largest `f`
//! is the answer, the first of those within 1e-6 of each other.
//!
//! Where we differ: rows are moved in proportion to their side, where the paper moves equally many of both: of many
//! classes one is small beside the rest. A side never loses its last row. Labelled target rows stay, at full cost. The
//! width of the kernel is chosen as scikit-learn's `gamma = "scale"` does, from the source rows. The costs change with
//! the square of the round as in the paper; that they do so between all and a tenth of `cost` is our choice. There is
//! no circular validation. (skada's `DASVMClassifier` knows two classes, keeps the costs equal, relabels rows in every
//! round, and ends with a fit on all target rows.)
//!
//! Cost: `3 rounds` machines a class at most, each `O(n² d)` for its kernel and `O(n)` a step for some `n` to `10 n`
//! steps on its `n` rows; `8 n²` bytes, or as many columns of the kernel as fit.

use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::learners::{Learner, Trained};
use crate::linalg::{Matrix, gaussian_kernel_means, gaussian_kernel_times, select_rows, stack};
use crate::methods::{
    Carried, Family, Fitted, Goals, Grid, Method, MethodRow, Needs, count, drawn, make, must, params_of,
};
use crate::models::{Link, Map, Predictor};
use crate::solvers::{KernelColumns, hinge_dual};

const NAME: &str = "dasvm";

/// The share of the target's rows that may still move at the end.
const SETTLED: f64 = 0.03;

/// A target row may lie on the margin's edge, at -1, of several classes: then the first of them is its answer, and not
/// the one that rounding favours.
const TIE: f64 = 1e-6;

/// Parameters of the domain adaptation support vector machine.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dasvm {
    /// How much a row counts against the penalty, C. Above 0.
    pub cost: f64,
    /// Width of the Gaussian kernel: `exp(-|x - y|² / (2 bandwidth²))`. Above 0; by default the root of half the
    /// columns' summed variance in the source.
    pub bandwidth: Option<f64>,
    /// Rounds over which the source rows are replaced. 1 to 1000; fewer are faster, more follow a larger shift.
    pub rounds: usize,
}

impl Default for Dasvm {
    fn default() -> Self {
        Self { cost: 1.0, bandwidth: None, rounds: 10 }
    }
}

impl Dasvm {
    /// What the registry knows of it.
    pub const ROW: MethodRow = MethodRow {
        name: NAME,
        family: Family::Predictor(Carried::Instances),
        summary: "a support vector machine whose source rows give way, round by round, to target rows it has labelled",
        when: "classes with a gap between them that moves or turns gradually",
        paper: "L. Bruzzone, M. Marconcini, \"Domain adaptation problems: a DASVM classification technique and a circular validation strategy\", TPAMI 2010",
        needs: Needs { goals: Goals::Classes, ..Needs::NOTHING },
        trains_learner: false,
        learner: "kernel-svm",
        grid: Grid::NONE, // many machines, and its width wants tuning
        most_rows: 2000,
        source: include_str!("dasvm.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

/// The rows of one class against the rest.
struct Side<'a> {
    task: &'a Task,
    bandwidth: f64,
    /// How many columns of a kernel may be held.
    columns: usize,
    /// 1 for source rows of the class, -1 for the others.
    source: Vec<f64>,
    /// The same for target rows; 0 for those that take no part.
    target: Vec<f64>,
    /// The mean of the kernel of each source row with all target rows.
    likeness: &'a [f64],
    /// Whether a source row still takes part.
    present: Vec<bool>,
    /// Whether a target row's label is known.
    known: Vec<bool>,
}

/// `f` as the coefficients of source and target rows, and its bias.
struct Machine {
    source: Vec<f64>,
    target: Vec<f64>,
    bias: f64,
}

impl Method for Dasvm {
    fn check(&self) -> Result<()> {
        must(NAME, "cost", self.cost > 0.0 && self.cost.is_finite(), "above 0", self.cost)?;
        let width = self.bandwidth.unwrap_or(1.0);
        must(
            NAME,
            "bandwidth",
            (1e-150..=1e150).contains(&width),
            "a number above 0 (1e-150 to 1e150)",
            width,
        )?;
        count(NAME, "rounds", self.rounds, 1..=1_000)
    }

    fn fit(&self, task: &Task, _: &dyn Learner, context: &mut Context) -> Result<Fitted> {
        let (n_s, n_t) = (task.source.rows(), task.target.rows());
        let n = n_s + n_t;
        let need = |columns: usize| 8 * (n * (columns + 2 * task.columns() + 16)) as u64;
        context.require("two columns of the kernel", need(2))?;
        let what = format!("the kernel of {n} rows");
        let columns =
            if context.exact_route(NAME, &what, need(n), "its columns are computed when they are needed") {
                n
            } else {
                (2..n).rev().find(|&columns| context.fits(need(columns))).unwrap_or(2)
            };
        let bandwidth = self.bandwidth.unwrap_or_else(|| width(&task.source.features));
        let (source, target) = (task.source.features.as_ref(), task.target.features.as_ref());
        let likeness = gaussian_kernel_means(source, target, bandwidth);
        let of = task.source.labels.classes();
        let mut own: Vec<Option<usize>> = vec![None; n_t];
        for (&row, &class) in task.target.labelled.iter().zip(task.target.labels.classes()) {
            own[row] = Some(class);
        }
        let occurs = |c: &usize| of.contains(c) || own.contains(&Some(*c));
        let classes: Vec<usize> = (0..task.goal.classes()).filter(occurs).collect();
        let sign = |is: bool| if is { 1.0 } else { -1.0 };
        let two = classes.len() == 2;
        let (mut coefficients, mut bias) = (Mat::zeros(n, classes.len()), Mat::zeros(1, classes.len()));
        for (k, &class) in classes.iter().enumerate().take(if two { 1 } else { classes.len() }) {
            context.progress(NAME, k, classes.len());
            let side = Side {
                task,
                bandwidth,
                columns,
                likeness: &likeness,
                source: of.iter().map(|&c| sign(c == class)).collect(),
                target: own.iter().map(|c| c.map_or(0.0, |c| sign(c == class))).collect(),
                present: vec![true; n_s],
                known: own.iter().map(Option::is_some).collect(),
            };
            let machine = self.adapt(side)?;
            for (i, beta) in machine.source.iter().chain(&machine.target).enumerate() {
                coefficients[(i, k)] = *beta;
            }
            bias[(0, k)] = machine.bias - TIE * k as f64;
        }
        if two {
            for i in 0..n {
                coefficients[(i, 1)] = -coefficients[(i, 0)];
            }
            bias[(0, 1)] = -bias[(0, 0)];
        }
        let used: Vec<usize> =
            (0..n).filter(|&i| coefficients.row(i).iter().any(|beta| *beta != 0.0)).collect();
        let map = Map::KernelProject {
            bandwidth,
            rows: select_rows(task.pooled().as_ref(), &used),
            coefficients: select_rows(coefficients.as_ref(), &used),
        };
        let weights = Mat::identity(classes.len(), classes.len());
        let predictor = Predictor::Linear { link: Link::Identity, weights, bias };
        let shown = select_rows(task.source.features.as_ref(), &drawn(n_s));
        let moved = Some(map.apply(shown.as_ref()));
        Ok(Fitted { maps: vec![map], trained: Trained { predictor, classes }, moved, weights: None })
    }
}

impl Dasvm {
    /// Replaces source rows by target rows.
    fn adapt(&self, mut side: Side<'_>) -> Result<Machine> {
        let share = |sign: f64| {
            let count = side.source.iter().filter(|y| **y == sign).count();
            count.div_ceil(self.rounds)
        };
        let most = [share(1.0), share(-1.0)];
        let settled = (SETTLED * side.target.len() as f64).ceil() as usize;
        let mut machine = side.train(self.cost, 0.1 * self.cost, self.cost)?;
        for round in 1..=3 * self.rounds {
            let moved = side.replace(&machine, most);
            let q = (round as f64 / self.rounds as f64).powi(2).min(1.0);
            machine = side.train(self.cost * (1.0 - 0.9 * q), self.cost * (0.1 + 0.9 * q), self.cost)?;
            let left = side.present.iter().filter(|present| **present).count();
            if round >= self.rounds && moved <= settled && left <= 2 {
                break;
            }
        }
        Ok(machine)
    }
}

impl Side<'_> {
    /// The machine on the rows that take part; `known` is the cost of labelled target rows.
    fn train(&self, source: f64, target: f64, known: f64) -> Result<Machine> {
        let from_source: Vec<usize> = (0..self.source.len()).filter(|&i| self.present[i]).collect();
        let from_target: Vec<usize> = (0..self.target.len()).filter(|&i| self.target[i] != 0.0).collect();
        let rows = stack(
            select_rows(self.task.source.features.as_ref(), &from_source).as_ref(),
            select_rows(self.task.target.features.as_ref(), &from_target).as_ref(),
        );
        let sign: Vec<f64> = from_source
            .iter()
            .map(|&i| self.source[i])
            .chain(from_target.iter().map(|&i| self.target[i]))
            .collect();
        let costs: Vec<f64> = from_source
            .iter()
            .map(|_| source)
            .chain(from_target.iter().map(|&i| if self.known[i] { known } else { target }))
            .collect();
        let columns = self.columns.min(rows.nrows()).max(2);
        let found =
            hinge_dual(&mut KernelColumns::new(rows.as_ref(), self.bandwidth, columns), &sign, &costs);
        if !found.bias.is_finite() {
            let why = "numbers are too large".into();
            return Err(Error::Numeric { what: "the kernel of `dasvm`".into(), why });
        }
        let mut machine = Machine {
            source: vec![0.0; self.source.len()],
            target: vec![0.0; self.target.len()],
            bias: found.bias,
        };
        let (of_source, of_target) = found.coefficients.split_at(from_source.len());
        from_source.iter().zip(of_source).for_each(|(&i, beta)| machine.source[i] = *beta);
        from_target.iter().zip(of_target).for_each(|(&i, beta)| machine.target[i] = *beta);
        Ok(machine)
    }

    /// `f` of source and target rows.
    fn margins(&self, machine: &Machine) -> (Vec<f64>, Vec<f64>) {
        let (source, target) = (self.task.source.features.as_ref(), self.task.target.features.as_ref());
        let of = |x| {
            let part = |rows, beta: &[f64]| {
                let used: Vec<usize> = (0..beta.len()).filter(|&i| beta[i] != 0.0).collect();
                let beta = Mat::from_fn(used.len(), 1, |i, _| beta[used[i]]);
                let rows = select_rows(rows, &used);
                gaussian_kernel_times(x, rows.as_ref(), self.bandwidth, beta.as_ref())
            };
            let sum = part(source, &machine.source) + part(target, &machine.target);
            sum.col(0).iter().map(|f| f + machine.bias).collect()
        };
        (of(source), of(target))
    }

    /// Moves at most so many rows of each side, class and rest, out of and into the training rows; how many target rows
    /// came or went.
    fn replace(&mut self, machine: &Machine, most: [usize; 2]) -> usize {
        let (of_source, of_target) = self.margins(machine);
        let mut moved = 0;
        let (mut gone, alike) = (vec![false; self.target.len()], vec![0.0; self.target.len()]);
        for (i, f) in of_target.iter().enumerate() {
            if !self.known[i] && self.target[i] * f < 0.0 {
                (self.target[i], gone[i]) = (0.0, true);
                moved += 1;
            }
        }
        for (sign, most) in [1.0, -1.0].into_iter().zip(most) {
            let inside = |f: f64| sign * f < 1.0 && (sign * f > 0.0 || (f == 0.0 && sign > 0.0));
            let furthest = |mut rows: Vec<usize>, f: &[f64], likeness: &[f64]| {
                // Rows on the edge of the margin are all at 1 but for rounding.
                let place = |i: usize| ((sign * f[i] * 1e6).round(), likeness[i]);
                rows.sort_by(|&a, &b| {
                    let (a, b) = (place(a), place(b));
                    b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1))
                });
                rows.truncate(most);
                rows
            };
            let may_come = |i: &usize| self.target[*i] == 0.0 && !gone[*i] && inside(of_target[*i]);
            let come = furthest((0..of_target.len()).filter(may_come).collect(), &of_target, &alike);
            moved += come.len();
            for i in come {
                self.target[i] = sign;
            }

            let own: Vec<usize> =
                (0..of_source.len()).filter(|&i| self.present[i] && self.source[i] == sign).collect();
            for i in furthest(own, &of_source, self.likeness) {
                self.present[i] = false;
            }
            let rows = 0..of_source.len();
            let side = |i: &usize| self.source[*i] == sign;
            if !self.target.contains(&sign) && !rows.clone().any(|i| side(&i) && self.present[i]) {
                // A machine needs both sides: the source row that is least sure of its own stays.
                let least = |a: &usize, b: &usize| (sign * of_source[*a]).total_cmp(&(sign * of_source[*b]));
                if let Some(last) = rows.filter(side).min_by(least) {
                    self.present[last] = true;
                }
            }
        }
        moved
    }
}

/// `1 / (2 width²) = 1 / (d variance)` for the variance of all numbers about their mean; 1 where all are the same.
fn width(x: &Matrix) -> f64 {
    let count = (x.nrows() * x.ncols()) as f64;
    let mean = x.col_iter().flat_map(faer::ColRef::iter).sum::<f64>() / count;
    let squares: f64 = x.col_iter().flat_map(faer::ColRef::iter).map(|v| (v - mean).powi(2)).sum();
    let squared = 0.5 * squares / count * x.ncols() as f64;
    if squared.is_finite() && squared > f64::MIN_POSITIVE { squared.sqrt() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::Ridge;
    use crate::linalg::from_rows;
    use crate::models::predict;

    fn column(values: &[f64]) -> Matrix {
        from_rows(&values.iter().map(|v| vec![*v]).collect::<Vec<_>>())
    }

    fn task(source: &[f64], of: &[usize], target: &[f64]) -> Task {
        let goal = Goal::Classes(
            ["a", "b", "c"][..=of.iter().copied().max().unwrap()].iter().map(ToString::to_string).collect(),
        );
        let source = Domain::labelled("s", column(source), Labels::Classes(of.to_vec()));
        Task::new(vec![source], Domain::unlabelled("t", column(target), &goal), goal).unwrap()
    }

    /// All target rows are inside the margin's upper half, the last of them has been taken for the rest.
    #[test]
    fn one_replacement_by_hand() {
        let task = task(&[0.0, 10.0, 20.0, 30.0], &[0, 0, 1, 1], &[0.1, 50.0, 60.0]);
        let mut side = Side {
            task: &task,
            bandwidth: 1.0,
            columns: 7,
            likeness: &[0.0; 4],
            source: vec![1.0, 1.0, -1.0, -1.0],
            target: vec![0.0, 0.0, -1.0],
            present: vec![true; 4],
            known: vec![false; 3],
        };
        // f is 0.9 near row 0, 0.4 elsewhere, 0.2 near row 3.
        let machine = Machine { source: vec![0.5, 0.0, 0.0, -0.2], target: vec![0.0; 3], bias: 0.4 };
        assert_eq!(side.replace(&machine, [1, 1]), 2);
        assert_eq!(side.target, [1.0, 0.0, 0.0]); // row 2 went back, row 0 is nearest to the edge
        assert_eq!(side.present, [false, true, true, false]); // -0.2 is further on the side of the rest than -0.4
        assert_eq!(side.replace(&machine, [1, 1]), 1);
        assert_eq!(side.present, [false, false, true, false]); // the rest keeps its last row
    }

    /// Two clusters that have moved by most of the gap: the source's rule cuts through the second one.
    #[test]
    fn a_gap_that_moves_is_followed() {
        let line = |from: f64| (0..20).map(move |i| from + 0.1 * f64::from(i));
        let source: Vec<f64> = line(0.0).chain(line(3.0)).collect();
        let of: Vec<usize> = (0..40).map(|i| i / 20).collect();
        let target: Vec<f64> = line(1.0).chain(line(4.0)).collect();
        let task = task(&source, &of, &target);
        let fitted = Dasvm::default().fit(&task, &Ridge::default(), &mut Context::default()).unwrap();
        let said = predict(&fitted.maps, &fitted.trained.predictor, task.target.features.as_ref()).answer;
        let right = said.iter().zip(&of).filter(|(said, of)| **said == **of as f64).count();
        assert_eq!(right, 40, "{said:?}");
    }

    #[test]
    fn three_classes_a_class_of_one_row_and_equal_rows_are_no_failure() {
        for (source, of) in
            [(vec![0.0, 0.1, 5.0, 5.1, 90.0], vec![0, 0, 1, 1, 2]), (vec![7.0; 5], vec![0, 1, 2, 1, 0])]
        {
            let task = task(&source, &of, &[0.0, 5.0, 5.2, 0.3]);
            let fitted = Dasvm::default().fit(&task, &Ridge::default(), &mut Context::default()).unwrap();
            let said = predict(&fitted.maps, &fitted.trained.predictor, task.target.features.as_ref());
            assert!(said.answer.iter().all(|a| a.is_finite()) && fitted.trained.classes == [0, 1, 2]);
        }
    }
}
