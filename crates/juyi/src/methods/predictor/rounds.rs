//! The rounds of pseudo-classes around [`AdaptationRegularization`], for the methods that differ in what comes before.

use faer::Mat;

use super::known_answers::known_answers;
use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, Trained};
use crate::linalg::{Matrix, select_rows};
use crate::methods::pseudo_labels::{keep_known, pseudo_labels};
use crate::methods::{Fitted, drawn};
use crate::models::{Link, Map, Predictor, apply_all, first_largest};
use crate::solvers::{AdaptationRegularization, Regularization, joint_discrepancies};

/// What is fitted in each round, on pooled rows.
pub(super) struct Rounds<'a> {
    /// The method.
    pub name: &'static str,
    pub task: &'a Task,
    /// What brings a row of the task to a row of `rows`.
    pub maps: Vec<Map>,
    /// Source rows above target rows, at unit length.
    pub rows: Matrix,
    /// The width of the Gaussian kernel; `None` for the linear one.
    pub bandwidth: Option<f64>,
    pub weights: Regularization,
    /// 1 or above.
    pub iterations: usize,
}

impl Rounds<'_> {
    /// The model of the last round. The first pseudo-classes are those of `learner`; `share` tells how much the
    /// classes' means count beside the means over all rows, 0 to 1, from the rows and the pseudo-classes of the target.
    pub(super) fn fit(
        self,
        learner: &dyn Learner,
        share: impl Fn(&Matrix, &[usize]) -> Result<f64>,
        context: &mut Context,
    ) -> Result<Fitted> {
        let Self { name, task, mut maps, rows, bandwidth, weights, iterations } = self;
        let (source, target) = rows.as_ref().split_at_row(task.source.rows());
        let mut pseudo = pseudo_labels(task, source, target, learner, context)?;
        let labels = task.source.labels.chain(&task.target.labels);
        let (known, classes) = known_answers(name, &labels, &task.goal, context);
        let n_s = task.source.rows();
        let mut answers = Mat::zeros(rows.nrows(), classes.len());
        answers.get_mut(..n_s, ..).copy_from(known.get(..n_s, ..));
        for (i, &row) in task.target.labelled.iter().enumerate() {
            answers.row_mut(n_s + row).copy_from(known.row(n_s + i));
        }
        let machine =
            AdaptationRegularization::new(rows.as_ref(), answers.as_ref(), bandwidth, weights, context)?;
        let (of, present) = (task.source.labels.classes(), task.source_classes());
        let mut solution = Mat::new();
        for round in 0..iterations {
            context.progress(name, round, iterations);
            let share = share(&rows, &pseudo)?;
            let mut v = joint_discrepancies(of, &pseudo, &present);
            for k in 0..v.ncols() {
                let weight = if k == 0 { 1.0 - share } else { share };
                v.col_mut(k).iter_mut().for_each(|v| *v *= weight.sqrt());
            }
            solution = machine.solve(v.as_ref())?;
            let scores = machine.scores(&solution);
            for (i, pseudo) in pseudo.iter_mut().enumerate() {
                let own: Vec<f64> = scores.row(n_s + i).iter().copied().collect();
                *pseudo = classes[first_largest(&own)];
            }
            keep_known(task, &mut pseudo);
        }
        let count = classes.len();
        let predictor = Predictor::Linear {
            link: Link::Identity,
            weights: Mat::identity(count, count),
            bias: Mat::zeros(1, count),
        };
        maps.push(machine.into_map(rows, solution).into());
        let shown = select_rows(task.source.features.as_ref(), &drawn(n_s));
        let moved = Some(apply_all(&maps, shown.as_ref()));
        Ok(Fitted { maps, trained: Trained { predictor, classes }, moved, weights: None })
    }
}
