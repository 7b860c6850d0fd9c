//! The time that a choice may take. Nothing but the candidates that are left out depends on the clock: what is fitted comes to the
//! same whether or not there is a budget.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::candidates::{Configuration, title};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::learners::row_of_asked;

/// A time within which candidates are begun.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Never, where the clock does not go as far.
    until: Option<Instant>,
    limit: Duration,
}

impl Budget {
    /// So much time from now on.
    pub fn begin(limit: Duration) -> Self {
        Self { until: Instant::now().checked_add(limit), limit }
    }

    /// What becomes of a candidate that is not begun in time.
    ///
    /// # Errors
    /// [`Error::Budget`] where the time is over.
    pub(super) fn check(&self) -> Result<()> {
        if self.until.is_none_or(|until| Instant::now() < until) {
            return Ok(());
        }
        Err(Error::Budget { seconds: self.limit.as_secs_f64() })
    }
}

/// Positions of candidates, those that take least time first: of methods as their rows can be many, of learners trees last.
pub(super) fn cheap_first(of: &[Configuration]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..of.len()).collect();
    let cost = |k: &usize| {
        let learner = row_of_asked(&of[*k].with).ok();
        let most = learner.map_or(0, |row| row.most_rows);
        (Reverse(of[*k].built.row.most_rows), learner.is_none_or(|row| row.by_column), Reverse(most))
    };
    order.sort_by_key(cost); // stable
    order
}

/// Names the candidates that were not begun in time, `of` all with what became of them.
pub(super) fn note_left_out<'a>(
    of: impl Iterator<Item = (&'a Configuration, Option<&'a Error>)>,
    context: &mut Context,
) {
    let (mut all, mut spent, mut names) = (0, 0.0, Vec::<(String, usize)>::new());
    for (one, error) in of {
        all += 1;
        let Some(Error::Budget { seconds }) = error else { continue };
        spent = *seconds;
        let steps: Vec<String> = one.steps.iter().map(|step| step.name().into()).collect();
        let name = title(one.built.row.name, &steps);
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name.to_string(), 1)),
        }
    }
    let left_out: usize = names.iter().map(|(_, count)| count).sum();
    if left_out == 0 {
        return;
    }
    let named: Vec<String> =
        names.iter().map(|(name, n)| if *n > 1 { format!("{name} ({n})") } else { name.clone() }).collect();
    let text = format!(
        "the budget of {spent} s was spent before {left_out} of {all} candidates were begun, which do not vote: {}",
        named.join(", ")
    );
    context.warn("validation", text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_least_time_is_begun_first() {
        let new = |method: &str, with: &str| Configuration::new(method, "{}", with, &[]).unwrap();
        let of = [
            new("meda", "1-nn"),
            new("coral", "random-forest"),
            new("coral", "logistic"),
            new("jda", "1-nn"),
        ];
        assert_eq!(cheap_first(&of), [2, 1, 3, 0]);
        assert!(Budget::begin(Duration::MAX).check().is_ok());
        let error = Budget::begin(Duration::ZERO).check().unwrap_err();
        assert_eq!(error.to_string(), "the budget of 0 s was spent before it was begun");
        let context = &mut Context::default();
        note_left_out(of.iter().zip([Some(&error), Some(&error), None, Some(&error)]), context);
        let said = "the budget of 0 s was spent before 3 of 4 candidates were begun, which do not vote: meda, coral, jda";
        assert_eq!(context.notices()[0].text, said);
    }
}
