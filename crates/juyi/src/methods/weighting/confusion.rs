//! What classifiers answer for source rows that they were not trained on, beside what they answer for the target: for
//! methods that weigh classes.

use std::borrow::Cow;

use faer::Mat;

use crate::context::Context;
use crate::data::Task;
use crate::error::{Error, Result};
use crate::learners::{Learner, Trained};
use crate::linalg::{Matrix, select_rows, transposed_times_vector};
use crate::methods::Adapted;
use crate::methods::held_out::{ask_held_out, note_shares};
use crate::models::predict;
use crate::solvers::{ShiftWeights, mean_one};

/// Answers counted by class, means over the classifiers of the folds. A target is answered by the same classifiers as
/// the rows that they did not see, so that both sides err alike.
pub(super) struct Confusion {
    /// Which of the goal's classes the source has, rising; the positions below are in this list.
    classes: Vec<usize>,
    /// The share of source rows with answer `i` and label `j` `(c, c)`; its sum is 1.
    pub(super) joint: Matrix,
    /// The share of target rows with each answer `(c)`.
    pub(super) target: Vec<f64>,
}

impl Confusion {
    /// Trains the learner without each of `folds` folds; `soft` counts a row by its share of each class instead of by its
    /// answer.
    ///
    /// # Errors
    /// [`Error::Unsuited`] if `soft` is asked of a learner whose scores are no shares; as [`ask_held_out`].
    pub(super) fn held_out(
        name: &str,
        task: &Task,
        learner: &dyn Learner,
        folds: usize,
        soft: bool,
        context: &Context,
    ) -> Result<Self> {
        let (classes, of, n) = (task.source_classes(), task.source.labels.classes(), task.source.rows());
        let mut position = vec![0; task.goal.classes()];
        classes.iter().enumerate().for_each(|(k, &class)| position[class] = k);
        let c = classes.len();
        let (mut joint, mut target) = (Mat::zeros(c, c), vec![0.0; c]);
        ask_held_out(name, task, learner, folds, context, |own, trained| {
            if soft && !trained.predictor.scores_are_shares() {
                return Err(Error::Unsuited {
                    method: learner.name().into(),
                    problem: "scores classes by numbers that are no shares, which `soft` needs".into(),
                    hint: "choose `‹learner›` `logistic`, or leave `soft` out".into(),
                });
            }
            let rows = select_rows(task.source.features.as_ref(), own);
            let said = answered(trained, &rows, soft);
            for (i, &row) in own.iter().enumerate() {
                let label = position[of[row]];
                for (k, &class) in trained.classes.iter().enumerate() {
                    joint[(position[class], label)] += said[(i, k)] / n as f64;
                }
            }
            let said = answered(trained, &task.target.features, soft);
            let part = own.len() as f64 / (n as f64 * task.target.rows() as f64);
            for (k, &class) in trained.classes.iter().enumerate() {
                target[position[class]] += part * said.col(k).iter().sum::<f64>();
            }
            Ok(())
        })?;
        Ok(Self { classes, joint, target })
    }

    /// The source rows, each with the ratio of its class over their mean. Tells the estimated shares, and if the answers
    /// cannot tell all classes apart.
    pub(super) fn adapted<'a>(
        &self,
        name: &str,
        task: &'a Task,
        ratios: &ShiftWeights,
        context: &mut Context,
    ) -> Adapted<'a> {
        let c = self.classes.len();
        if ratios.rank < c {
            let text = format!(
                "held-out answers tell {} of {c} classes apart: shares that they leave open stay as in the source",
                ratios.rank
            );
            context.warn(name, text);
        }
        let source = transposed_times_vector(self.joint.as_ref(), &vec![1.0; c]);
        let target = ratios.target_shares(self.joint.as_ref());
        note_shares(name, task, &self.classes, &source, &target, context);
        let mut by_class = vec![0.0; task.goal.classes()];
        self.classes.iter().zip(&ratios.weights).for_each(|(&class, w)| by_class[class] = *w);
        let weights = task.source.labels.classes().iter().map(|&class| by_class[class]).collect();
        let weights = mean_one(weights, None).unwrap_or_else(|| vec![1.0; task.source.rows()]);
        Adapted {
            source: Cow::Borrowed(&task.source.features),
            weights: Some(weights),
            target_map: Vec::new(),
        }
    }
}

/// The share of each of the learner's classes for each row, or 1 for its answer and 0 for the others.
fn answered(trained: &Trained, rows: &Matrix, soft: bool) -> Matrix {
    let said = predict(&[], &trained.predictor, rows.as_ref());
    match said.scores {
        Some(shares) if soft => shares,
        _ => Mat::from_fn(rows.nrows(), trained.classes.len(), |i, k| {
            f64::from(u8::from(said.answer[i] == k as f64))
        }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::{Domain, Goal, Labels};
    use crate::learners::{ClassMeans, Logistic};
    use crate::linalg::from_rows;

    /// Ten rows of each class at 0 or 10: two of `a` lie where `b` lies, one of `b` where `a` lies, whichever are held out.
    /// Of 20 target rows `at_zero` are at 0.
    pub(in crate::methods::weighting) fn mixed_up(at_zero: usize) -> Task {
        let goal = Goal::Classes(["a", "b"].map(Into::into).to_vec());
        let rows = |at_zero: &dyn Fn(usize) -> bool| {
            from_rows(&(0..20).map(|i| vec![if at_zero(i) { 0.0 } else { 10.0 }]).collect::<Vec<_>>())
        };
        let source = rows(&|i| i < 8 || i == 10);
        let labels = Labels::Classes((0..20).map(|i| i / 10).collect());
        let target = Domain::unlabelled("t", rows(&|i| i < at_zero), &goal);
        Task::new(vec![Domain::labelled("s", source, labels)], target, goal).unwrap()
    }

    #[test]
    fn answers_are_counted() {
        let task = mixed_up(6);
        let found = Confusion::held_out("test", &task, &ClassMeans, 5, false, &Context::default()).unwrap();
        for (i, j, share) in [(0, 0, 0.4), (0, 1, 0.05), (1, 0, 0.1), (1, 1, 0.45)] {
            assert!((found.joint[(i, j)] - share).abs() < 1e-12, "{i} {j}: {}", found.joint[(i, j)]);
        }
        assert!((found.target[0] - 0.3).abs() < 1e-12 && (found.target[1] - 0.7).abs() < 1e-12);
    }

    #[test]
    fn soft_answers_are_shares_and_asked_of_learners_that_have_them() {
        let task = mixed_up(6);
        let held_out =
            |learner: &dyn Learner| Confusion::held_out("test", &task, learner, 5, true, &Context::default());
        let found = held_out(&Logistic::default()).unwrap();
        assert!((found.joint.col(0).iter().sum::<f64>() - 0.5).abs() < 1e-12);
        assert!((found.target.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(found.joint[(0, 0)] < 0.4 - 1e-3, "{:?}", found.joint);
        let said = held_out(&ClassMeans).err().unwrap().to_string();
        assert!(said.starts_with("`class-means` scores classes by numbers that are no shares"), "{said}");
    }
}
