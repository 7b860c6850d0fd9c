//! Labels kept for scoring: they are handed to the evaluation after the fit, never to a method.

use std::collections::HashSet;
use std::fmt::Write;

use super::labels::label_value;
use super::units::label_unit;
use crate::context::Context;
use crate::data::{Cells, Classes, Goal, Labels, Table, listed};
use crate::error::{Result, shown};
use crate::measures::{Ranking, Scores, classification_scores, mean_area, regression_scores};
use crate::models::Answers;
use crate::validators::probabilities;

/// The labels of some of the predicted rows.
pub(super) struct Truth {
    /// Positions among the predicted rows.
    pub(super) rows: Vec<usize>,
    labels: TruthLabels,
    /// Whether it was said that they are in another unit.
    pub(super) unit_told: bool,
    /// Whether areas under curves are among the scores.
    pub(super) areas: bool,
}

enum TruthLabels {
    Classes(Vec<String>),
    Values(Vec<f64>),
}

impl Truth {
    /// The filled labels of the rows that are predicted, written as the goal's classes are.
    pub(super) fn new(
        cells: &Cells,
        kept: &[usize],
        goal: &Goal,
        table: &Table,
        context: &Context,
    ) -> Result<Self> {
        context.require(&format!("the labels of `{}`", table.name), cells.unfolded_bytes())?;
        let rows: Vec<usize> = (0..kept.len()).filter(|&i| !cells.is_missing(kept[i])).collect();
        let text = |i: &usize| cells.text(kept[*i]).unwrap_or_default();
        let labels = match goal {
            Goal::Classes(names) => {
                let classes = Classes::named(names.clone());
                let class = |i: &usize| {
                    let text = text(i);
                    classes.position(&text).map_or(text, |class| names[class].clone())
                };
                TruthLabels::Classes(rows.iter().map(class).collect())
            }
            Goal::Value => {
                let value = |i: &usize| label_value(&text(i), table, kept[*i]);
                TruthLabels::Values(rows.iter().map(value).collect::<Result<_>>()?)
            }
        };
        Ok(Self { rows, labels, unit_told: false, areas: false })
    }

    /// Labels of all rows, in terms of the goal.
    pub(super) fn of(labels: &Labels, goal: &Goal) -> Self {
        let labels = match (labels, goal) {
            (Labels::Classes(of), Goal::Classes(names)) => {
                TruthLabels::Classes(of.iter().map(|&class| names[class].clone()).collect())
            }
            (Labels::Values(of), _) => TruthLabels::Values(of.clone()),
            (Labels::Classes(_), Goal::Value) => TruthLabels::Values(Vec::new()),
        };
        let rows = match &labels {
            TruthLabels::Classes(of) => of.len(),
            TruthLabels::Values(of) => of.len(),
        };
        Self { rows: (0..rows).collect(), labels, unit_told: false, areas: false }
    }

    /// So many of the scored rows, evenly drawn: their positions among the predicted rows, and their labels.
    pub(super) fn some(&self, count: usize) -> (Vec<usize>, Self) {
        let all = self.rows.len();
        let drawn: Vec<usize> = (0..count.min(all)).map(|k| k * all / count.min(all)).collect();
        let labels = match &self.labels {
            TruthLabels::Classes(of) => TruthLabels::Classes(drawn.iter().map(|&k| of[k].clone()).collect()),
            TruthLabels::Values(of) => TruthLabels::Values(drawn.iter().map(|&k| of[k]).collect()),
        };
        let rows = drawn.iter().map(|&k| self.rows[k]).collect();
        (
            rows,
            Self { rows: (0..drawn.len()).collect(), labels, unit_told: self.unit_told, areas: self.areas },
        )
    }

    /// The labels in terms of a goal, to which classes are added that it lacks.
    pub(super) fn labels(&self, goal: &mut Goal) -> Labels {
        match (&self.labels, goal) {
            (TruthLabels::Classes(of), Goal::Classes(names)) => {
                let mut position = |class: &String| {
                    names.iter().position(|name| name == class).unwrap_or_else(|| {
                        names.push(class.clone());
                        names.len() - 1
                    })
                };
                Labels::Classes(of.iter().map(&mut position).collect())
            }
            (TruthLabels::Values(of), _) => Labels::Values(of.clone()),
            (TruthLabels::Classes(_), Goal::Value) => Labels::Values(Vec::new()),
        }
    }

    /// The true class of each scored row; `None` for a regression.
    pub(super) fn classes(&self) -> Option<&[String]> {
        match &self.labels {
            TruthLabels::Classes(classes) => Some(classes),
            TruthLabels::Values(_) => None,
        }
    }

    /// The scores, if there is a label; classes that are on one side only are noticed.
    pub(super) fn score(&self, goal: &Goal, answers: &Answers, context: &mut Context) -> Option<Scores> {
        if self.rows.is_empty() {
            return None;
        }
        let said: Vec<f64> = self.rows.iter().map(|&i| answers.answer[i]).collect();
        match (&self.labels, goal) {
            (TruthLabels::Classes(truth), Goal::Classes(names)) => {
                let known: HashSet<&String> = names.iter().collect();
                let occur: HashSet<&String> = truth.iter().collect();
                let mut unknown: Vec<&String> = occur.difference(&known).copied().collect();
                unknown.sort();
                if let Some(first) = unknown.first() {
                    let mut text = format!(
                        "class {} of the target is not among the model's classes and counts as wrong",
                        listed(&unknown)
                    );
                    if let Some(meant) = Classes::named(names.clone()).meant(first) {
                        let _ = write!(text, "; did you mean `{}`?", shown(meant));
                    }
                    context.warn("scores", text);
                }
                let absent: Vec<&String> = names.iter().filter(|name| !occur.contains(name)).collect();
                if !absent.is_empty() {
                    context.note("scores", format!("class {} does not occur in the target", listed(&absent)));
                }
                let truth: Vec<&str> = truth.iter().map(String::as_str).collect();
                let said: Vec<&str> = said.iter().map(|c| names[*c as usize].as_str()).collect();
                let mut scores = classification_scores(&truth, &said);
                if let Scores::Classification { auc, .. } = &mut scores
                    && self.areas
                {
                    *auc = self.area(names, &truth, answers);
                    if auc.is_none() {
                        let text = "the scored rows are of one class only: no AUC can be told";
                        context.warn("scores", text);
                    }
                }
                Some(scores)
            }
            (TruthLabels::Values(truth), Goal::Value) => {
                if let Some((factor, larger)) = label_unit(truth, &said).filter(|_| !self.unit_told) {
                    let size = if larger { "large" } else { "small" };
                    let text = format!(
                        "the labels are about {factor} times as {size} as what is predicted: are they in another unit than \
                         those learnt from?"
                    );
                    context.warn("scores", text);
                }
                Some(regression_scores(truth, &said))
            }
            _ => None,
        }
    }

    /// The mean area under the curve of each class that occurs against the rest; one that the model does not know is given the
    /// same everywhere.
    fn area(&self, names: &[String], truth: &[&str], answers: &Answers) -> Option<f64> {
        let own: Vec<usize> = (0..names.len()).collect();
        let shares = probabilities(answers, &own, names.len());
        let mut classes = truth.to_vec();
        classes.sort_unstable();
        classes.dedup();
        let ranking = |class: &&str| {
            let own = names.iter().position(|name| name == class);
            let share = |row: &usize| own.map_or(0.0, |class| shares[(*row, class)]);
            let given: Vec<f64> = self.rows.iter().map(share).collect();
            Ranking::new(&given, truth.iter().map(|own| own == class).collect())
        };
        mean_area(&classes.iter().map(ranking).collect::<Vec<_>>(), |_| 1.0)
    }
}
