//! How the method was chosen: candidates and assumptions.

use std::fmt::Write;

use super::numbers::{gain, score, significant, time};
use super::svg::{Axis, interval};
use super::table::{Cell, table};
use super::{escape, prose};
use crate::choice::{Candidate, SourceWorth, Units};
use crate::measures::Estimate;
use crate::report::compared::{judging, usual};
use crate::report::run::Run;
use crate::report::text::{settings, thousands};

/// Candidates with their validation, then the assumptions under which it holds; nothing where none was made.
pub(super) fn candidates(run: &Run) -> String {
    let Some(choice) = &run.select else { return String::new() };
    let figure = judging(run, choice);
    let ends = |e: Estimate| [e.low, e.value, e.high];
    let scores = Axis::over(choice.candidates.iter().filter_map(|c| c.score).flat_map(ends));
    let gains = Axis::over(choice.candidates.iter().filter_map(|c| c.gain).flat_map(ends).chain([0.0]));
    let baseline = choice.candidates.iter().filter(|c| c.baseline).filter_map(|c| c.score);
    let better = if figure.is_error() { f64::min } else { f64::max };
    let bar = baseline.map(|score| score.value).reduce(better);
    let votes = choice.candidates.iter().any(|one| one.weight > 0.0);
    let row = |(k, candidate): (usize, &Candidate)| {
        let mut row = vec![Cell::html(name(candidate))];
        row.extend(estimate(candidate.score, |e| {
            let drawing = interval(&format!("score-{k}"), "Estimated score", scores, e, bar, None);
            (score(figure, e.value), drawing)
        }));
        row.extend(estimate(candidate.gain, |e| {
            let drawing = interval(&format!("gain-{k}"), "Estimated gain", gains, e, Some(0.0), None);
            (gain(figure, e.value), drawing)
        }));
        if votes {
            row.push(match candidate.weight {
                weight if weight > 0.0 => Cell::number(&format!("{:.1}\u{a0}%", 100.0 * weight), weight),
                _ => Cell::absent(),
            });
        }
        row.push(Cell::number(&time(candidate.seconds), candidate.seconds));
        row
    };
    let rows: Vec<Vec<Cell>> = choice.candidates.iter().enumerate().map(row).collect();
    let gain = if figure.is_of_classes() { "points" } else { figure.title() };
    let gain = if figure.is_error() { format!("taken off the {gain}") } else { format!("gain, {gain}") };
    let mut headings = vec!["candidate", figure.title(), "95 %", &gain, "95 %"];
    headings.extend(votes.then_some("votes"));
    headings.push("time");
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
    out.push_str(&sources(run, &choice.sources));
    out.push_str(&choice.units.as_ref().map_or_else(String::new, columns));
    if !assumptions.is_empty() {
        out.push_str("<h3>What is assumed</h3>\n");
        let headings = ["assumption", "discrepancy that remains", "for the verdict"];
        out.push_str(&table("Assumptions", &headings, &assumptions));
    }
    out
}

/// What each of several sources is worth; nothing of one.
fn sources(run: &Run, of: &[SourceWorth]) -> String {
    if of.is_empty() {
        return String::new();
    }
    let labelled = of.iter().any(|one| one.on_labelled.is_some());
    let value = |of: Option<f64>| of.map_or_else(Cell::absent, |v| Cell::number(&score(usual(run), v), v));
    let row = |one: &SourceWorth| {
        let fate = match &one.left_out {
            Some(why) => format!("left out: {}", prose(why)),
            None if one.contradicts.is_empty() => String::new(),
            None => format!("contradicts {}", escape(&one.contradicts.join(", "))),
        };
        let mut row = vec![
            Cell::html(format!("{}<small>{fate}</small>", escape(&one.name))),
            Cell::number(&thousands(one.rows), one.rows as f64),
            value(one.learnt),
        ];
        row.extend(labelled.then(|| value(one.on_labelled)));
        row.push(match one.changes {
            Some(v) if usual(run).is_of_classes() => Cell::number(&format!("{:.1}\u{a0}%", 100.0 * v), v),
            Some(v) => Cell::number(&significant(v), v),
            None => Cell::absent(),
        });
        row
    };
    let mut headings = vec!["source", "rows", "learnt from its own rows"];
    headings.extend(labelled.then_some("on labelled target rows"));
    headings.push("answers that change without it");
    let rows: Vec<Vec<Cell>> = of.iter().map(row).collect();
    format!("<h3>The sources</h3>\n{}", table("Sources", &headings, &rows))
}

/// How the target's columns are read, and the signs for it.
fn columns(units: &Units) -> String {
    let told = if units.assumed { "as assumed" } else { "as the rows tell" };
    let mut rows = Vec::new();
    let mut sign = |name: &str, about: &str, value: Option<f64>| {
        if let Some(value) = value {
            let name = format!("{}<small>{}</small>", escape(name), escape(about));
            rows.push(vec![Cell::html(name), Cell::number(&significant(value), value)]);
        }
    };
    let factor = |log: Option<f64>| log.map(f64::exp);
    sign(
        "relations between columns",
        "what the other columns leave of a column in the target, as a multiple of what they leave in the source; the median",
        factor(units.broken),
    );
    sign(
        "the columns themselves",
        "how far they lie from the source's, as a multiple; the median",
        factor(units.moved),
    );
    sign(
        "what relations explain",
        "the share of a column's variance that the others explain; the median",
        units.related,
    );
    let (few, others) = units.decimals;
    sign("decimals", "columns of few decimals", (few > 0).then_some(few as f64));
    sign(
        "other decimals",
        "those of them that have others in the target",
        (few > 0).then_some(others as f64),
    );
    let mut out = format!("<h3>How the columns are read</h3>\n<p>{}, {told}.</p>\n", units.reading.name());
    if !rows.is_empty() {
        out.push_str(&table("Signs", &["sign", "value"], &rows));
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
