//! How the method was chosen: candidates and assumptions.

use std::fmt::Write;

use super::numbers::{counts_right, gain, score, significant, time};
use super::svg::{Axis, interval};
use super::table::{Cell, table};
use super::{escape, prose};
use crate::choice::Candidate;
use crate::measures::Estimate;
use crate::report::run::Run;
use crate::report::text::{settings, thousands};

/// Candidates with their validation, then the assumptions under which it holds; nothing where none was made.
pub(super) fn candidates(run: &Run) -> String {
    let Some(choice) = &run.select else { return String::new() };
    let ends = |e: Estimate| [e.low, e.value, e.high];
    let scores = Axis::over(choice.candidates.iter().filter_map(|c| c.score).flat_map(ends));
    let gains = Axis::over(choice.candidates.iter().filter_map(|c| c.gain).flat_map(ends).chain([0.0]));
    let baseline = choice.candidates.iter().filter(|c| c.baseline).filter_map(|c| c.score);
    let bar = baseline.map(|score| score.value).reduce(f64::max);
    let row = |(k, candidate): (usize, &Candidate)| {
        let mut row = vec![Cell::html(name(candidate))];
        row.extend(estimate(candidate.score, |e| {
            let drawing = interval(&format!("score-{k}"), "Estimated score", scores, e, bar, None);
            (score(run, e.value), drawing)
        }));
        row.extend(estimate(candidate.gain, |e| {
            let drawing = interval(&format!("gain-{k}"), "Estimated gain", gains, e, Some(0.0), None);
            (gain(run, e.value), drawing)
        }));
        row.push(Cell::number(&time(candidate.seconds), candidate.seconds));
        row
    };
    let rows: Vec<Vec<Cell>> = choice.candidates.iter().enumerate().map(row).collect();
    let (score, gain) = if counts_right(run) { ("accuracy", "gain, points") } else { ("R²", "gain, R²") };
    let headings = ["candidate", score, "95 %", gain, "95 %", "time"];
    let assumptions: Vec<Vec<Cell>> = choice
        .assumptions
        .iter()
        .map(|assumption| {
            vec![
                Cell::html(format!(
                    "{}<small>{}</small>",
                    escape(&assumption.name),
                    prose(&assumption.about)
                )),
                Cell::number(&significant(assumption.remains), assumption.remains),
                Cell::text(if assumption.holds { "counts" } else { "does not count" }),
            ]
        })
        .collect();
    let on = match choice.rows {
        (0, target) => format!("{} labelled target rows", thousands(target)),
        (source, target) => format!("{} source and {} target rows", thousands(source), thousands(target)),
    };
    let mut out = format!(
        "{}<p class=\"caption\">Estimated on {on} in {}. The line in the scores is the best \
         baseline; in the gains it is 0, no gain over it.</p>\n",
        table("Candidates", &headings, &rows),
        time(choice.seconds)
    );
    if !assumptions.is_empty() {
        out.push_str("<h3>What is assumed</h3>\n");
        let headings = ["assumption", "discrepancy that remains", "for the verdict"];
        out.push_str(&table("Assumptions", &headings, &assumptions));
    }
    out
}

/// The method and its settings, marked where it is a baseline or failed.
fn name(candidate: &Candidate) -> String {
    let mut out = escape(candidate.title());
    if candidate.baseline {
        out.push_str(" <span class=\"badge\">baseline</span>");
    }
    let settings = settings(&candidate.params, candidate.learner.as_deref(), &candidate.preprocess);
    let _ = write!(out, "<small>{}</small>", escape(&settings));
    if let Some(why) = &candidate.failed {
        let _ = write!(out, "<small><strong>failed:</strong> {}</small>", prose(why));
    }
    out
}

/// A number and its drawing, in two cells that sort alike.
fn estimate(estimate: Option<Estimate>, show: impl Fn(Estimate) -> (String, String)) -> [Cell; 2] {
    match estimate {
        None => [Cell::absent(), Cell::absent()],
        Some(e) => {
            let (shown, drawing) = show(e);
            [Cell::number(&shown, e.value), Cell::drawing(drawing, e.low)]
        }
    }
}
