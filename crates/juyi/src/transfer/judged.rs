//! A model that was made elsewhere, judged by what it says of the source and of the target.

use std::time::Instant;

use super::fits::fit_each;
use super::given::answers_of;
use super::prepare::prepare;
use super::truth::Truth;
use super::{Settings, TargetLabels, figures};
use crate::choice::{Budget, Choice, Wishes, choose};
use crate::context::Context;
use crate::data::{Goal, Labels, Table, Task};
use crate::error::{Error, Result};
use crate::measures::{Figure, Scores, average_thresholded_confidence};
use crate::models::Answers;
use crate::report::{Confusion, DataFacts, Figures, FitFacts, Judged, Run, SourceRows, TransferFacts};

/// What a model says of rows: see [`judge_predictions`].
pub struct Given {
    /// Of the target's rows.
    pub target: Table,
    /// Of the source's rows, those of one source after another; `None` where nobody knows.
    pub source: Option<Table>,
}

/// Judges a model of any origin by its answers: whether it is better than not transferring, and how much it is expected to get
/// right. Answers are probabilities, a column for each class that is named by it, or the answers themselves, in the order of the
/// rows. Those for the source should be of rows that the model did not learn from: they tell whether its classes stand where
/// they should, and what its confidence is worth.
///
/// # Errors
/// As [`transfer`](super::transfer); [`Error::Input`] for answers that do not belong to the rows.
pub fn judge_predictions(
    sources: Vec<Table>,
    target: Table,
    given: &Given,
    settings: &Settings,
    context: &mut Context,
) -> Result<Run> {
    let started = Instant::now();
    if settings.target_labels == TargetLabels::Use {
        let hint = "leave it out: labels of the target score what is judged";
        return Err(Error::input(
            "`‹target-labels use›`",
            "has nothing to teach: no model is made here",
            hint,
        ));
    }
    let count: usize = sources.iter().map(|table| table.rows).sum();
    let firsts: Vec<usize> = sources
        .iter()
        .scan(0, |first, table| {
            *first += table.rows;
            Some(*first - table.rows)
        })
        .collect();
    let target_count = target.rows;
    let settings = Settings { source_weights: true, ..settings.clone() }; // they tell which rows are used
    let (task, mut data) = prepare(sources, target, &settings, context)?;
    let goal = task.goal.clone();
    settings.figure.map_or(Ok(()), |figure| figure.check(&goal))?;
    data.truth.areas = settings.figure == Some(Figure::Auc);
    let target_rows = (&data.rows[..], target_count, "the target");
    let answers = answers_of(&given.target, target_rows, &goal, context)?;
    let used = data.source_rows.as_ref().map(|rows| positions(rows, &firsts)).unwrap_or_default();
    let on_source = given.source.as_ref();
    let on_source = on_source.map(|table| answers_of(table, (&used, count, "the source"), &goal, context));
    let on_source = on_source.transpose()?;
    let begun = Instant::now();
    let wishes = Wishes {
        steps: &settings.preprocess,
        learner: settings.learner.as_deref(),
        only: None,
        assume: settings.assume,
        figure: settings.figure,
        budget: settings.budget.map(Budget::begin),
        single: None,
        given: Some(answers.answer.clone()),
        weighing: settings.weighing,
    };
    let chosen = choose(&task, wishes, context)?;
    let judged = judged(&given.target.name, &answers, on_source.as_ref(), &task, &chosen.choice, context);
    let scores = data.truth.score(&goal, &answers, context);
    let fit = FitFacts {
        method: given.target.name.clone(),
        params: serde_json::json!({}),
        learner: None,
        preprocess: Vec::new(),
        carries: "a model that was made elsewhere".into(),
        stores_rows: false,
        effective_rows: None,
        scores,
        seconds: begun.elapsed().as_secs_f64(),
    };
    let confusion = figures::confusion(&data.truth, &goal, &goal, &answers);
    // Not transferring is fitted on all rows only where labels score it.
    let fits = if data.truth.rows.is_empty() {
        None
    } else {
        let task = chosen.choice.kept_of(task);
        Some(fit_each(task, (&[chosen.baseline], 0), &data.truth, &data.asked(), context)?)
    };
    let (mut baseline, mut before) = (None, Vec::new());
    if let Some(mut fits) = fits {
        baseline = fits.all.pop().map(|ran| (ran.facts, ran.confusion));
        before = fits.before;
    }
    let (baseline, baseline_confusion) = baseline.unzip();
    let figure = settings.figure.or(chosen.choice.figure).unwrap_or(Figure::usual(&goal));
    let true_gain = match (&scores, baseline.as_ref().and_then(|facts| facts.scores)) {
        (Some(scores), Some(base)) => figure.gain(scores, &base),
        _ => None,
    };
    let choice = Choice { true_gain, ..chosen.choice };
    let confusion = confusion.map(|chosen| Confusion {
        classes: figures::classes(&data.truth, &goal),
        chosen,
        baseline: baseline_confusion.flatten(),
    });
    let facts = DataFacts {
        task: goal.name().into(),
        label: data.label,
        features: data.ranges.len(),
        sources: data.facts.0,
        target: data.facts.1,
        scored_rows: data.truth.rows.len(),
        scored_by: None,
        missing: data.missing.name().into(),
        target_labels: settings.target_labels.name().into(),
        distances: data.distances,
        moved: data.moved,
    };
    let transfer = TransferFacts { chosen: fit, baseline, refused: None, figure: settings.figure };
    let figures = Figures { before, confusion, ..Figures::default() };
    let run = Run::new(facts, Some(choice), transfer, figures, started.elapsed().as_secs_f64(), context);
    Ok(Run { judged: Some(judged), ..run })
}

/// Where the rows that are learnt from stand among those of all sources, one source after another.
fn positions(rows: &SourceRows, firsts: &[usize]) -> Vec<usize> {
    let of = |((_, range), first): (&(String, std::ops::Range<usize>), &usize)| {
        rows.rows[range.clone()].iter().map(|row| row + first).collect::<Vec<_>>()
    };
    rows.parts.iter().zip(firsts).flat_map(of).collect()
}

/// What its answers for the source say of the model.
fn judged(
    name: &str,
    answers: &Answers,
    on_source: Option<&Answers>,
    task: &Task,
    choice: &Choice,
    context: &mut Context,
) -> Judged {
    let scores = on_source.and_then(|said| {
        Truth::of(&task.source.labels, &task.goal).score(&task.goal, said, &mut context.aside())
    });
    let of_source = scores.map(|scores| match scores {
        Scores::Classification { accuracy, .. } => accuracy,
        Scores::Regression { r2, .. } => r2,
    });
    let learnt = choice.signs.map(|signs| signs.learnt);
    if let (Some(own), Labels::Classes(of), Goal::Classes(names)) =
        (of_source, &task.source.labels, &task.goal)
    {
        let most = crate::choice::most_frequent(of.iter().copied(), names.len());
        if own < most {
            let text = format!(
                "`{name}`: the model gets {:.1} % of the source right, and always saying the same {:.1} %: do its columns and rows \
                 stand in this order?",
                100.0 * own,
                100.0 * most
            );
            context.warn("judge", text);
        } else if own > 0.999 && learnt.is_some_and(|learnt| learnt < 0.97) {
            let text = "the model gets all of the source right, as models do on rows that they learnt from: give what it says of \
                        source rows that were held out";
            context.warn("judge", text);
        }
    }
    let by_confidence = on_source
        .filter(|said| !said.confidence.is_empty() && !answers.confidence.is_empty())
        .and_then(|said| {
            let right = match &task.source.labels {
                Labels::Classes(of) => {
                    said.answer.iter().zip(of).map(|(said, class)| *said == *class as f64).collect::<Vec<_>>()
                }
                Labels::Values(_) => return None,
            };
            average_thresholded_confidence(&said.confidence, &right, &answers.confidence)
        });
    Judged { name: name.into(), on_source: of_source, learnt, by_confidence }
}
