//! What configurations say of labelled target rows whose labels they were not shown.

use super::budget::{Budget, cheap_first};
use super::candidates::Configuration;
use super::figure::Said;
use super::fitted::{Fitted, Keep, Standby, fit_each};
use super::resamples::Resamples;
use crate::context::Context;
use crate::data::{Goal, Task};
use crate::error::Result;
use crate::linalg::{Matrix, select_rows};
use crate::methods::{Family, LabelUse, LearnerNeed};
use crate::models::{Answers, Model, Preprocess};
use crate::splits::{copies, folds, note_copies};
use crate::validators::probabilities;

/// Folds of the labelled target rows.
pub(super) const FOLDS: usize = 5;

/// Labels up to which rows are put into folds more than once.
const FEW: usize = 50;

/// How often.
const REPEATS: usize = 2;

/// Methods that can do without labels and are tried both ways; others of their kind are tried without any.
const SHOWN_LABELS: [&str; 2] = ["easytl", "meda"];

/// Source and target rows up to which these are: they take the cube of their number.
const MOST_ANEW: usize = 1500;

/// Whether one that votes without labels is tried with them as well.
pub(super) fn is_tried_both_ways(one: &Configuration, task: &Task) -> bool {
    task.source.rows() + task.target.rows() <= MOST_ANEW && SHOWN_LABELS.contains(&one.built.row.name)
}

/// The labelled target rows in folds.
pub(super) struct Folds {
    /// Positions among the labelled rows, each fold rising, for each repeat.
    pub(super) repeats: Vec<Vec<Vec<usize>>>,
    pub(super) resamples: Resamples,
}

impl Folds {
    /// Copies stay in one fold, and classes are spread evenly.
    pub(super) fn of(task: &Task, context: &mut Context) -> Self {
        let (mut rng, target) = (context.rng("labelled"), &task.target);
        let leaders = copies(target.labelled_features().as_ref());
        note_copies(
            &leaders,
            &target.labels,
            "labelled target rows are copies of others, or nearly",
            context,
        );
        let repeats = if target.labelled.len() <= FEW { REPEATS } else { 1 };
        let repeats = (0..repeats).map(|_| folds(&target.labels, &leaders, FOLDS, &mut rng)).collect();
        Self { repeats, resamples: Resamples::new(&leaders, &mut rng) }
    }
}

/// A configuration that was tried on labelled rows.
pub(super) struct Held {
    pub(super) configuration: Configuration,
    /// What it says of each labelled row, in each repeat.
    pub(super) said: Result<Said>,
    /// Its model, where it takes no label.
    pub(super) model: Standby,
    /// Whether labels play a part in its fit.
    pub(super) shown_labels: bool,
    /// Time of all its fits.
    pub(super) seconds: f64,
}

impl Held {
    /// Whether it can vote: it was fitted, has an answer for every row, and does not say the same of all.
    pub(super) fn speaks(&self) -> bool {
        self.said.as_ref().is_ok_and(|said| {
            let all = || said.answers.iter().flatten();
            all().all(|answer| answer.is_finite())
                && all().next().is_some_and(|first| all().any(|answer| answer != first))
        })
    }
}

/// Whether it can be fitted once for each fold. No forest is grown as often. Boosting, which stays far behind on classes, is
/// for numbers, with its own learner and in one space.
pub(super) fn affordable(one: &Configuration, steps: &[Preprocess], goal: &Goal) -> bool {
    let row = one.built.row;
    match row.family {
        _ if row.needs.target_labels != LabelUse::Required => true,
        Family::Boosting => *goal == Goal::Value && one.with == row.learner_for(goal) && one.steps == steps,
        _ => row.needs.learner != LearnerNeed::Trees,
    }
}

/// How many fits it takes to try so many once for each fold.
pub(super) fn fits_of(configurations: usize, folds: &Folds) -> usize {
    configurations * folds.repeats.iter().flatten().filter(|fold| !fold.is_empty()).count()
}

impl Held {
    /// What a fit that saw no label says of the labelled rows; its probabilities too where these judge.
    pub(super) fn without_labels(
        mut one: Fitted,
        task: &Task,
        folds: &Folds,
        by_probabilities: bool,
    ) -> Self {
        let (rows, repeats) = (&task.target.labelled, folds.repeats.len());
        let probabilities = match &one.model {
            Some(model) if by_probabilities => shares_of(model, task, rows).map(Some),
            _ => Ok(None),
        };
        let model = one.standing();
        let Fitted { configuration, answers, seconds, .. } = one;
        let said = answers.and_then(|answers| {
            let said: Vec<f64> = rows.iter().map(|&row| answers[row]).collect();
            let probabilities = probabilities?.map_or_else(Vec::new, |of| vec![of; repeats]);
            Ok(Said { answers: vec![said; repeats], probabilities })
        });
        Self { configuration, said, model, shown_labels: false, seconds }
    }
}

/// The probabilities that a model has for some target rows, of all classes of the task.
fn shares_of(model: &Model, task: &Task, rows: &[usize]) -> Result<Matrix> {
    let said = model.predict(select_rows(task.target.features.as_ref(), rows).as_ref())?;
    Ok(shares(&said, &model.goal, &task.goal))
}

/// The probabilities that answers of a model speak of, in terms of all classes.
pub(super) fn shares(said: &Answers, own: &Goal, all: &Goal) -> Matrix {
    let (Goal::Classes(own), Goal::Classes(all)) = (own, all) else {
        return Matrix::zeros(said.answer.len(), 0);
    };
    let place = |class: &String| all.iter().position(|name| name == class);
    probabilities(said, &own.iter().filter_map(place).collect::<Vec<_>>(), all.len())
}

/// Tries each once for each fold, the labels of the other folds shown to it. `progress` says how many fits were made before,
/// and how many there are in all.
pub(super) fn with_labels(
    mut configurations: Vec<Configuration>,
    task: &Task,
    folds: &Folds,
    by_probabilities: bool,
    (mut before, count): (usize, usize),
    context: &Context,
) -> Vec<Held> {
    let labelled = &task.target.labelled;
    let classes = by_probabilities.then(|| task.goal.classes());
    let keep = if by_probabilities { Keep::Part } else { Keep::None };
    let blank = Said::blank(labelled.len(), folds.repeats.len(), classes);
    let mut said: Vec<Result<Said>> = configurations.iter().map(|_| Ok(blank.clone())).collect();
    let mut seconds = vec![0.0; configurations.len()];
    for (repeat, folds) in folds.repeats.iter().enumerate() {
        for fold in folds.iter().filter(|fold| !fold.is_empty()) {
            let kept: Vec<usize> = (0..labelled.len()).filter(|at| fold.binary_search(at).is_err()).collect();
            let part = with_labels_of(task, &kept);
            let fitted = fit_each(configurations, &part, keep, (before, count), context);
            before += fitted.len();
            configurations = Vec::with_capacity(fitted.len());
            for (k, one) in fitted.into_iter().enumerate() {
                seconds[k] += one.seconds;
                configurations.push(one.configuration);
                let Ok(said_by_one) = &mut said[k] else { continue };
                match one.answers {
                    Ok(answers) => {
                        for &at in fold {
                            said_by_one.answers[repeat][at] = answers[labelled[at]];
                        }
                    }
                    Err(error) => {
                        said[k] = Err(error);
                        continue;
                    }
                }
                let Some(model) = one.model else { continue };
                let held: Vec<usize> = fold.iter().map(|&at| labelled[at]).collect();
                match shares_of(&model, task, &held) {
                    Ok(shares) => {
                        for (i, &at) in fold.iter().enumerate() {
                            said_by_one.probabilities[repeat].row_mut(at).copy_from(shares.row(i));
                        }
                    }
                    Err(error) => said[k] = Err(error),
                }
            }
        }
    }
    let all = configurations.into_iter().zip(said).zip(seconds);
    all.map(|((configuration, said), seconds)| Held {
        configuration,
        said,
        model: Standby::None,
        shown_labels: true,
        seconds,
    })
    .collect()
}

/// The same, but for those that are not begun within the budget: the ones that take least time are begun first, some at a
/// time.
pub(super) fn with_labels_in_time(
    configurations: Vec<Configuration>,
    task: &Task,
    folds: &Folds,
    by_probabilities: bool,
    budget: Option<Budget>,
    (mut before, count): (usize, usize),
    context: &Context,
) -> Vec<Held> {
    let Some(budget) = budget else {
        return with_labels(configurations, task, folds, by_probabilities, (before, count), context);
    };
    let order = cheap_first(&configurations);
    let mut waiting: Vec<Option<Configuration>> = configurations.into_iter().map(Some).collect();
    let mut held: Vec<Option<Held>> = waiting.iter().map(|_| None).collect();
    for some in order.chunks(rayon::current_num_threads()) {
        let own: Vec<Configuration> = some.iter().filter_map(|&k| waiting[k].take()).collect();
        let tried = if budget.check().is_ok() {
            with_labels(own, task, folds, by_probabilities, (before, count), context)
        } else {
            let late = |configuration| Held {
                configuration,
                said: budget.check().map(|()| Said::blank(0, 0, None)),
                model: Standby::None,
                shown_labels: true,
                seconds: 0.0,
            };
            own.into_iter().map(late).collect()
        };
        before += fits_of(some.len(), folds);
        some.iter().zip(tried).for_each(|(&k, one)| held[k] = Some(one));
    }
    held.into_iter().flatten().collect()
}

/// The task with the labels of some of its labelled target rows, by their positions.
pub(super) fn with_labels_of(task: &Task, kept: &[usize]) -> Task {
    let mut part = task.clone();
    part.target.labelled = kept.iter().map(|&at| task.target.labelled[at]).collect();
    part.target.labels = task.target.labels.select(kept);
    part
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::data::{Domain, Labels};
    use crate::linalg::Matrix;

    #[test]
    fn nobody_is_asked_about_a_row_whose_label_was_shown() {
        let context = &mut Context::default();
        let mut rng = context.rng("rows");
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let mut rows = |n: usize| Matrix::from_fn(n, 2, |_, _| rng.random::<f64>());
        let source = Domain::labelled("old", rows(40), Labels::Classes((0..40).map(|i| i % 2).collect()));
        let labels = Labels::Classes((0..60).map(|i| i % 2).collect()); // they say nothing
        let target = Domain::partly_labelled("new", rows(70), (5..65).collect(), labels);
        let task = Task::new(vec![source], target, goal).unwrap();
        let folds = Folds::of(&task, context);
        assert_eq!(folds.repeats.iter().flatten().flatten().count(), 60);
        let all = ["none", "target-only"].map(|name| Configuration::new(name, "{}", "1-nn", &[]).unwrap());
        let [none, own] = all;
        assert_eq!(fits_of(1, &folds), FOLDS);
        let blank = with_labels_of(&task, &[]);
        let free = fit_each(vec![none], &blank, Keep::Whole, (0, 0), context).swap_remove(0);
        let mut held = with_labels(vec![own], &task, &folds, true, (0, 0), context);
        held.insert(0, Held::without_labels(free, &task, &folds, true));
        assert!(!held[0].shown_labels && matches!(held[0].model, Standby::Kept(_)));
        assert!(held[1].shown_labels && matches!(held[1].model, Standby::None) && held[1].speaks());
        let said = held[1].said.as_ref().unwrap();
        let sums = |of: &Said| {
            let all = &of.probabilities[0];
            (0..60).all(|i| (all[(i, 0)] + all[(i, 1)] - 1.0).abs() < 1e-9)
        };
        assert!(held.iter().all(|one| sums(one.said.as_ref().unwrap())));
        let said = &said.answers[0];
        let right = said.iter().enumerate().filter(|(i, said)| **said as usize == i % 2).count();
        assert!((12..48).contains(&right), "{right} of 60"); // 60 if its own label had answered each
    }
}
