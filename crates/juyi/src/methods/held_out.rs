//! Learners that were trained without the source rows of which they are asked, for methods that must know how they err.

use crate::context::Context;
use crate::data::{Goal, Task};
use crate::error::Result;
use crate::learners::{Learner, Trained, train};
use crate::linalg::{select_rows, shuffled_rows};

/// Trains the learner without each fold of the source rows in turn and hands what it learnt to `ask`, with the fold's rows,
/// rising. What learners notice is not told: classes may be absent from all but one fold.
///
/// # Errors
/// [`crate::error::Error::Memory`] if a copy of the rows does not fit; as [`train`], or what `ask` reports.
pub(super) fn ask_held_out(
    step: &str,
    task: &Task,
    learner: &dyn Learner,
    count: usize,
    context: &Context,
    mut ask: impl FnMut(&[usize], &Trained) -> Result<()>,
) -> Result<()> {
    context.require("the rows that are trained on", task.bytes())?;
    let fold = folds(task, count, context);
    for k in 0..count {
        context.progress(step, k, count);
        let (own, others): (Vec<usize>, Vec<usize>) = (0..fold.len()).partition(|&i| fold[i] == k);
        if own.is_empty() || others.is_empty() {
            continue;
        }
        let rows = select_rows(task.source.features.as_ref(), &others);
        let labels = task.source.labels.select(&others);
        ask(&own, &train(learner, &rows, &labels, None, &task.goal, &mut context.aside())?)?;
    }
    Ok(())
}

/// The fold of each source row, each class evenly; it depends on what rows hold, not on where they stand.
fn folds(task: &Task, count: usize, context: &Context) -> Vec<usize> {
    let of = task.source.labels.classes();
    let mut rng = context.rng("held-out rows");
    let (mut fold, mut next) = (vec![0; of.len()], 0);
    for class in task.source_classes() {
        let own: Vec<usize> = (0..of.len()).filter(|&i| of[i] == class).collect();
        let rows = select_rows(task.source.features.as_ref(), &own);
        for k in shuffled_rows(rows.as_ref(), &mut rng) {
            fold[own[k]] = next % count;
            next += 1;
        }
    }
    fold
}

/// Tells the estimated shares of the classes in the target beside those in the source; of many classes those that change
/// most.
pub(super) fn note_shares(
    name: &str,
    task: &Task,
    classes: &[usize],
    source: &[f64],
    target: &[f64],
    context: &mut Context,
) {
    const MOST: usize = 6;
    let Goal::Classes(names) = &task.goal else { return };
    let mut order: Vec<usize> = (0..classes.len()).collect();
    let change = |k: usize| (target[k] - source[k]).abs();
    order.sort_by(|&a, &b| change(b).total_cmp(&change(a)));
    order.truncate(MOST);
    order.sort_unstable();
    let shares = order.iter().map(|&k| {
        let class = &names[classes[k]];
        format!("`{class}` {:.1} % (source {:.1} %)", 100.0 * target[k], 100.0 * source[k])
    });
    let shares: Vec<String> = shares.collect();
    let those = if shares.len() < classes.len() { "the classes that change most" } else { "the classes" };
    context.note(name, format!("estimated shares of {those} in the target: {}", shares.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Domain, Labels};
    use crate::learners::ClassMeans;
    use crate::linalg::{Matrix, from_rows};
    use crate::models::predict;

    fn task(x: &[f64], of: Vec<usize>) -> Task {
        let goal = Goal::Classes(["a", "b", "c"].map(Into::into).to_vec());
        let rows: Matrix = from_rows(&x.iter().map(|v| vec![*v]).collect::<Vec<_>>());
        let target = Domain::unlabelled("t", rows.clone(), &goal);
        Task::new(vec![Domain::labelled("s", rows, Labels::Classes(of))], target, goal).unwrap()
    }

    #[test]
    fn each_row_is_held_out_once_and_classes_are_spread() {
        let of: Vec<usize> = (0..30).map(|i| usize::from(i % 3 == 0)).collect();
        let x: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30)).collect();
        let mut seen = vec![0; 30];
        let asked = ask_held_out(
            "test",
            &task(&x, of.clone()),
            &ClassMeans,
            5,
            &Context::default(),
            |own, trained| {
                assert_eq!(own.iter().filter(|&&i| of[i] == 1).count(), 2);
                assert_eq!(trained.classes, [0, 1]);
                for &i in own {
                    seen[i] += 1;
                }
                Ok(())
            },
        );
        asked.unwrap();
        assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    }

    /// The only row of a class is asked of learners that never saw the class; rows in another order are in the same folds.
    #[test]
    fn a_class_may_be_absent_and_the_order_of_rows_does_not_matter() {
        let (x, of) = ([0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 50.0], vec![0, 0, 0, 1, 1, 1, 2]);
        let answers = |x: &[f64], of: Vec<usize>| {
            let (task, mut answers) = (task(x, of), vec![9; x.len()]);
            let asked = ask_held_out("test", &task, &ClassMeans, 3, &Context::default(), |own, trained| {
                let rows = select_rows(task.source.features.as_ref(), own);
                let said = predict(&[], &trained.predictor, rows.as_ref());
                own.iter().zip(said.answer).for_each(|(&i, c)| answers[i] = trained.classes[c as usize]);
                Ok(())
            });
            asked.unwrap();
            answers
        };
        let plain = answers(&x, of.clone());
        assert_eq!(plain, [0, 0, 0, 1, 1, 1, 1]);
        let order = [6, 3, 0, 5, 1, 4, 2];
        let task_folds = |order: &[usize]| {
            let task = task(
                &order.iter().map(|&i| x[i]).collect::<Vec<_>>(),
                order.iter().map(|&i| of[i]).collect(),
            );
            folds(&task, 3, &Context::default())
        };
        let (plain, moved) = (task_folds(&[0, 1, 2, 3, 4, 5, 6]), task_folds(&order));
        assert_eq!(moved, order.map(|i| plain[i]));
    }
}
