//! Predictions of a fitted model for a table, and their scores.

use super::asked::Asked;
use super::distances::labels_beyond;
use super::labels::{compare_with_target, label_cells, label_numbers, tell_absent, tell_sentinels};
use super::prepare::{identifiers, of_rows};
use super::truth::Truth;
use super::{beyond, degenerate, units};
use crate::context::Context;
use crate::data::{Cells, Classes, Goal, Table, read_labels_later, thousands_among_labels};
use crate::error::{Error, Result};
use crate::measures::Scores;
use crate::models::{Answers, Model, answers_bytes};
use crate::report::Predictions;

/// Leaves the notices that the true classes of a table's rows get beside those of a model, before its rows are predicted.
///
/// # Errors
/// [`Error::Input`] if none of the true ones is a class of the model.
pub fn compare_classes(
    classes: &[String],
    table: &str,
    truth: Vec<Option<String>>,
    context: &mut Context,
) -> Result<()> {
    let rows: Vec<usize> = (0..truth.len()).collect();
    let known = Classes::named(classes.to_vec());
    compare_with_target(&known, (table, &Cells::from_text(truth)), &rows, false, context)
}

/// Scores of the classes that were predicted for the rows of `table` against the true ones, where a row has one, with the
/// notices that labels of a table get.
///
/// # Errors
/// [`Error::Input`] if none of the true ones is a class of the model; [`Error::Memory`].
pub fn score_classes(
    classes: &[String],
    table: &str,
    truth: Vec<Option<String>>,
    answers: &Answers,
    context: &mut Context,
) -> Result<Option<Scores>> {
    let (cells, rows) = (Cells::from_text(truth), (0..answers.answer.len()).collect::<Vec<_>>());
    let table = Table { name: table.into(), ..Table::default() };
    scores(&Goal::Classes(classes.to_vec()), &table, &cells, &rows, answers, false, context)
}

/// Scores of what was said of these rows of a table, where a cell is filled with the truth; `areas` under curves among them.
fn scores(
    goal: &Goal,
    table: &Table,
    truth: &Cells,
    rows: &[usize],
    answers: &Answers,
    areas: bool,
    context: &mut Context,
) -> Result<Option<Scores>> {
    if let Goal::Classes(names) = goal {
        let known = Classes::named(names.clone());
        compare_with_target(&known, (&table.name, truth), rows, false, context)?;
    }
    let mut truth = Truth::new(truth, rows, goal, table, context)?;
    truth.areas = areas;
    let labelled = truth.rows.len();
    if labelled > 0 && labelled < rows.len() {
        let text = format!("`{}`: {labelled} of {} rows have a label and are scored", table.name, rows.len());
        context.note("scores", text);
    }
    Ok(truth.score(goal, answers, context))
}

/// Predicts the rows of a table with a model that was fitted on tables, and scores them where `score` is set and the
/// table has the label's column.
///
/// # Errors
/// [`Error::Input`] if the table does not have what the model needs.
pub fn predict_table(
    model: &Model,
    table: Table,
    score: Option<&str>,
    context: &mut Context,
) -> Result<(Predictions, Option<Scores>)> {
    predict_and_score(model, table, score, false, context)
}

/// The same; `areas` under curves are among the scores where they are asked for.
pub(super) fn predict_and_score(
    model: &Model,
    mut table: Table,
    score: Option<&str>,
    areas: bool,
    context: &mut Context,
) -> Result<(Predictions, Option<Scores>)> {
    let encoding = model.encoding.as_ref().ok_or_else(|| Error::Unsuited {
        method: model.about.method.clone(),
        problem: "was fitted on bare matrices and does not know tables".into(),
        hint: "fit it with `juyi transfer`".into(),
    })?;
    if let (Some(label), Goal::Value) = (score, &model.goal) {
        thousands_among_labels(label, &[&table], &encoding.notations, context);
        read_labels_later(&mut table, label, &encoding.notations, context)?;
    }
    let truth = score.map(|label| label_cells(&table, label)).transpose()?;
    if let (Some(label), Some(cells)) = (score, &truth) {
        tell_absent(&table, label, context);
        if model.goal == Goal::Value {
            tell_sentinels(label, cells, context);
        }
    }
    if !table.remark.is_empty() {
        context.note("data", format!("`{}`: {}", table.name, table.remark));
    }
    let id = identifiers(&table, &encoding.id, context)?;
    let (features, rows) = encoding.apply(&mut table, context)?;
    if rows.is_empty() {
        return Err(Error::input(
            format!("`{}`", table.name),
            "has no rows to predict",
            "give at least one row",
        ));
    }
    context.take(size_of::<f64>() as u64 * (rows.len() * model.columns) as u64);
    beyond::beyond(model, encoding, &features, &table.name, context);
    units::scales(model.maps.first(), &features, encoding, &table.name, context);
    let answers = model.predict_within(features.as_ref(), context)?;
    Asked { table: &table, rows: &rows, encoding: Some(encoding) }.check(
        &answers,
        features.as_ref(),
        &model.maps,
    )?;
    if let Some(text) = degenerate::constant(&model.goal, &answers) {
        context.note(&model.about.method, text);
    }
    context.take(answers_bytes(rows.len(), model.goal.classes()));
    if let (Some(label), Goal::Value, Some(cells)) = (score, &model.goal, &truth) {
        let said = [Cells::Numbers(answers.answer.clone())];
        labels_beyond(label, (&said, "all that is predicted"), (&table.name, &label_numbers(cells)), context);
    }
    let score = |labels: Cells| scores(&model.goal, &table, &labels, &rows, &answers, areas, context);
    let scores = truth.map(score).transpose()?.flatten();
    let id = of_rows(id, &rows);
    Ok((Predictions { rows, id, answers }, scores))
}
