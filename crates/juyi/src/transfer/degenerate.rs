//! What looks like an answer and is none: too few rows, columns that are hardly filled, answers that never differ,
//! classes that are never said.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};

use crate::context::Context;
use crate::data::{Goal, Task, listed};
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::measures::MovedColumn;
use crate::models::{Answers, Preprocess};
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
        return Err(Error::input(format!("`‹preprocess {}›`", step.name()), problem, "leave it out"));
    }
    let rows = task.target.rows();
    if rows < FEW_ROWS {
        let rows = if rows == 1 { "one row".to_string() } else { format!("{rows} rows") };
        let text =
            format!("the target has {rows}: too few to learn from how it differs; give more unlabelled rows");
        context.warn("data", text);
    }
    let count = copies_of_sources(task);
    if count as f64 >= COPIES * rows as f64 && count > 1 {
        let text = format!(
            "{count} of {rows} target rows are copies of source rows: what is found for them is no test of transfer"
        );
        context.warn("data", text);
    }
    for (side, share) in
        [("target", (|c| c.missing.1) as fn(&MovedColumn) -> f64), ("source", |c| c.missing.0)]
    {
        let empty: Vec<&String> = moved.iter().filter(|c| share(c) >= 0.5).map(|c| &c.column).collect();
        if !empty.is_empty() {
            let text = format!(
                "column {}: half or more of the {side}'s cells are missing; `‹drop›` leaves such a column out",
                listed(&empty)
            );
            context.warn("data", text);
        }
    }
    Ok(())
}

/// The share of the target's rows from which on copies of source rows are named.
const COPIES: f64 = 0.1;

/// How many target rows are exactly those of the sources, where rows of these seldom repeat by themselves.
fn copies_of_sources(task: &Task) -> usize {
    let keys = |rows: &Matrix| -> Vec<u64> {
        let mut keys: Vec<DefaultHasher> = vec![DefaultHasher::new(); rows.nrows()];
        for j in 0..rows.ncols() {
            keys.iter_mut().zip(rows.col_as_slice(j)).for_each(|(key, v)| key.write_u64(v.to_bits()));
        }
        keys.iter().map(Hasher::finish).collect()
    };
    let source = keys(&task.source.features);
    let different: HashSet<u64> = source.iter().copied().collect();
    if 10 * different.len() < 9 * source.len() {
        return 0;
    }
    keys(&task.target.features).iter().filter(|key| different.contains(key)).count()
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
