//! What looks like an answer and is none: too few rows, columns that are hardly filled, answers that never differ,
//! classes that are never said.

use crate::context::Context;
use crate::data::{Encoding, Goal, Task, listed};
use crate::error::{Error, Result, shown};
use crate::linalg::Matrix;
use crate::measures::MovedColumn;
use crate::models::{Answers, Model, Preprocess};
use crate::report::DomainFacts;

/// Rows of the target from which on a method has something to adapt to.
const FEW_ROWS: usize = 10;

/// Says what the tables do not allow, before anything is fitted.
///
/// # Errors
/// [`Error::Input`] for rows brought to unit length of which only signs would be left.
pub(super) fn tables(
    task: &Task,
    moved: &[MovedColumn],
    steps: &[Preprocess],
    context: &mut Context,
) -> Result<()> {
    let normalizes = |step: &&Preprocess| matches!(step, Preprocess::L1 | Preprocess::L2);
    if let Some(step) = steps.iter().find(normalizes).filter(|_| task.columns() < 2) {
        let problem = "brings rows of one column to unit length: only signs would be left";
        return Err(Error::input(format!("`--preprocess {}`", step.name()), problem, "leave it out"));
    }
    let rows = task.target.rows();
    if rows < FEW_ROWS {
        let rows = if rows == 1 { "one row".to_string() } else { format!("{rows} rows") };
        let text =
            format!("the target has {rows}: too few to learn from how it differs; give more unlabelled rows");
        context.warn("data", text);
    }
    for (side, share) in
        [("target", (|c| c.missing.1) as fn(&MovedColumn) -> f64), ("source", |c| c.missing.0)]
    {
        let empty: Vec<&String> = moved.iter().filter(|c| share(c) >= 0.5).map(|c| &c.column).collect();
        if !empty.is_empty() {
            let text = format!(
                "column {}: half or more of the {side}'s cells are missing; `--drop` leaves such a column out",
                listed(&empty)
            );
            context.warn("data", text);
        }
    }
    Ok(())
}

/// The least and the largest value of each column in all of these rows.
pub(super) fn ranges(rows: &[&Matrix]) -> Vec<(f64, f64)> {
    let of = |j: usize| {
        let values = rows.iter().flat_map(|rows| rows.col_as_slice(j));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
    };
    (0..rows.first().map_or(0, |rows| rows.ncols())).map(of).collect()
}

/// The ranges that hold both.
pub(super) fn joined(a: &[(f64, f64)], b: &[(f64, f64)]) -> Vec<(f64, f64)> {
    a.iter().zip(b).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1))).collect()
}

/// A value is beyond what was learnt from when it leaves the range by more than this share of its width: new rows of the
/// same kind leave it by a little.
const BEYOND: f64 = 0.5;

/// Names the columns of which rows lie beyond all that a model was fitted on.
pub(super) fn beyond(
    model: &Model,
    encoding: &Encoding,
    features: &Matrix,
    table: &str,
    context: &mut Context,
) {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (j, &(low, high)) in model.ranges.iter().enumerate() {
        let slack = BEYOND * (high - low);
        let outside = |v: &&f64| **v < low - slack || **v > high + slack;
        let column = features.col_as_slice(j);
        let count = column.iter().filter(outside).count();
        let farthest =
            column.iter().filter(outside).max_by(|a, b| (*a - low).abs().total_cmp(&(*b - low).abs()));
        if let Some(farthest) = farthest {
            let name = shown(encoding.column_of(j));
            found.push((
                count,
                format!("`{name}` in {count} of {} rows ({low} to {high}; here {farthest})", column.len()),
            ));
        }
    }
    if found.is_empty() {
        return;
    }
    found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let (all, most) = (found.len(), 5);
    let named: Vec<String> = found.into_iter().take(most).map(|(_, text)| text).collect();
    let more = if all > most { format!(" and {} columns more", all - most) } else { String::new() };
    let text = format!(
        "`{table}`: beyond all rows that the model was fitted on lie {}{more}: there it guesses; is a column in another unit?",
        named.join(", ")
    );
    context.warn("data", text);
}

/// Answers that are expected of a class, at least, before it is said that there is none.
const EXPECTED: f64 = 5.0;

/// Answers that never differ, in words.
pub(super) fn constant(goal: &Goal, answers: &Answers) -> Option<String> {
    let first = *answers.answer.first()?;
    if answers.answer.len() < FEW_ROWS || answers.answer.iter().any(|answer| *answer != first) {
        return None;
    }
    match goal {
        Goal::Value => Some(format!("every row gets the same answer, {first}: nothing is told apart")),
        Goal::Classes(names) if names.len() > 1 => {
            Some(format!("every row is said to be `{}`: nothing is told apart", names[first as usize]))
        }
        Goal::Classes(_) => None,
    }
}

/// Says what is odd about the answers of the model that is written, `title`.
pub(super) fn answers(
    title: &str,
    goal: &Goal,
    answers: &Answers,
    sources: &[DomainFacts],
    context: &mut Context,
) {
    if let Some(text) = constant(goal, answers) {
        return context.warn(title, text);
    }
    let rows = answers.answer.len();
    match goal {
        Goal::Value => {}
        Goal::Classes(names) => {
            let mut said = vec![false; names.len()];
            answers.answer.iter().for_each(|class| said[*class as usize] = true);
            let labelled: usize = sources.iter().map(|source| source.labelled).sum();
            let share = |name: &String| {
                let of = sources.iter().flat_map(|source| &source.classes).filter(|(class, _)| class == name);
                of.map(|(_, count)| count).sum::<usize>() as f64 / labelled.max(1) as f64
            };
            let never =
                names.iter().zip(said).filter(|(name, said)| !said && share(name) * rows as f64 >= EXPECTED);
            let never: Vec<&String> = never.map(|(name, _)| name).collect();
            if !never.is_empty() {
                let share: f64 = never.iter().map(|name| share(name)).sum();
                let text = format!(
                    "class {} is never predicted for the {rows} target rows, though {:.1} % of the source's labels bear it",
                    listed(&never),
                    100.0 * share
                );
                context.warn(title, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(goal: &Goal, answer: Vec<f64>, classes: Vec<(String, usize)>) -> Vec<String> {
        let mut context = Context::default();
        let labelled = classes.iter().map(|(_, count)| count).sum();
        let source =
            DomainFacts { name: "s".into(), rows: labelled, labelled, classes, remark: String::new() };
        let given = Answers { confidence: vec![1.0; answer.len()], answer, scores: None };
        answers("none", goal, &given, &[source], &mut context);
        context.notices().iter().map(|notice| notice.text.clone()).collect()
    }

    #[test]
    fn answers_that_tell_nothing_apart_and_classes_that_are_never_said_are_named() {
        let goal = Goal::Classes(["a", "b", "c"].map(String::from).to_vec());
        let counts = || vec![("a".to_string(), 50), ("b".to_string(), 48), ("c".to_string(), 2)];
        assert_eq!(
            said(&goal, vec![0.0; 100], counts()),
            ["every row is said to be `a`: nothing is told apart"]
        );
        let two: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
        assert_eq!(said(&goal, two.clone(), counts()).len(), 0); // two rows of `c` are expected
        let many = said(&goal, two.repeat(4), counts());
        assert_eq!(
            many,
            [
                "class `c` is never predicted for the 400 target rows, though 2.0 % of the source's labels bear it"
            ]
        );
        assert_eq!(
            said(&Goal::Value, vec![2.5; 20], vec![]),
            ["every row gets the same answer, 2.5: nothing is told apart"]
        );
        assert_eq!(said(&Goal::Value, vec![2.5; 3], vec![]).len(), 0);
        assert_eq!(said(&Goal::Value, two, vec![]).len(), 0);
    }
}
