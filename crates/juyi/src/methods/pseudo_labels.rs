//! Labels for the target from a learner trained on the source, for methods that align class by class.

use faer::MatRef;

use crate::context::Context;
use crate::data::Task;
use crate::error::Result;
use crate::learners::{Learner, train};
use crate::linalg::{select_rows, stack};
use crate::models::predict;

/// The learner's classes for the target rows, both sides as the method sees them by now, `(n_s, k)` and `(n_t, k)`;
/// labelled target rows are trained on and keep their labels.
pub(super) fn pseudo_labels(
    task: &Task,
    source: MatRef<'_, f64>,
    target: MatRef<'_, f64>,
    learner: &dyn Learner,
    context: &mut Context,
) -> Result<Vec<usize>> {
    let own = select_rows(target, &task.target.labelled);
    let labels = task.source.labels.chain(&task.target.labels);
    let trained = train(learner, &stack(source, own.as_ref()), &labels, None, &task.goal, context)?;
    let answers = predict(&[], &trained.predictor, target);
    let mut pseudo: Vec<usize> = answers.answer.iter().map(|c| trained.classes[*c as usize]).collect();
    keep_known(task, &mut pseudo);
    Ok(pseudo)
}

/// Puts the known classes of labelled target rows in the place of pseudo-labels `(n_t)`.
pub(super) fn keep_known(task: &Task, pseudo: &mut [usize]) {
    for (&row, &class) in task.target.labelled.iter().zip(task.target.labels.classes()) {
        pseudo[row] = class;
    }
}
