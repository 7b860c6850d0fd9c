//! The data: facts, notices, distances, columns that differ.

use std::fmt::Write;

use super::numbers::{probability, significant};
use super::svg::{Axis, interval};
use super::table::{Cell, table};
use super::{escape, prose};
use crate::context::Level;
use crate::measures::{Distance, Estimate};
use crate::report::run::{DomainFacts, Run};
use crate::report::text::thousands;

/// Sources, target, notices.
pub(super) fn domains(run: &Run) -> String {
    let mut out = String::from("<div class=\"cards\">\n");
    for (kind, facts) in
        run.data.sources.iter().map(|facts| ("source", facts)).chain([("target", &run.data.target)])
    {
        out.push_str(&card(kind, facts));
    }
    let scored = match (run.data.scored_rows, &run.data.scored_by) {
        (0, _) => "no target label to score with".into(),
        (n, Some(by)) => format!("{} scored by {}", thousands(n), escape(by)),
        (n, None) => format!("{} target labels for scoring only", thousands(n)),
    };
    let _ = writeln!(
        out,
        "</div>\n<p class=\"caption\">{} features; {scored}.</p>",
        thousands(run.data.features)
    );
    if !run.notices.is_empty() {
        out.push_str("<ul class=\"notices\">\n");
        for notice in &run.notices {
            let (class, word) = match notice.level {
                Level::Warning => ("warning", "Warning"),
                Level::Note => ("note", "Note"),
            };
            let (from, text) = (escape(&notice.from), prose(&notice.text));
            let _ = writeln!(out, "<li class=\"{class}\"><strong>{word}</strong> {from}: {text}</li>");
        }
        out.push_str("</ul>\n");
    }
    out
}

fn card(kind: &str, facts: &DomainFacts) -> String {
    const MOST: usize = 24;
    let mut out =
        format!("<div class=\"card {kind}\"><h3><span>{kind}</span> {}</h3>\n<p>", escape(&facts.name));
    if facts.rows > 0 {
        let labelled = if facts.labelled == 0 { "none".into() } else { thousands(facts.labelled) };
        let _ = write!(out, "{} rows, {labelled} labelled", thousands(facts.rows));
    }
    if !facts.remark.is_empty() {
        let between = if facts.rows > 0 { "; " } else { "" };
        let _ = write!(out, "{between}{}", prose(&facts.remark));
    }
    out.push_str("</p>\n");
    let most = facts.classes.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    if !facts.classes.is_empty() {
        out.push_str("<ul class=\"bars\">\n");
        for (name, count) in facts.classes.iter().take(MOST) {
            let (share, name) = (*count as f64 / most as f64, escape(name));
            let count = thousands(*count);
            let _ = writeln!(
                out,
                "<li><span>{name}</span><i style=\"--share:{share:.3}\"></i><b>{count}</b></li>"
            );
        }
        out.push_str("</ul>\n");
    }
    if facts.classes.len() > MOST {
        let _ = writeln!(out, "<p>and {} more classes</p>", thousands(facts.classes.len() - MOST));
    }
    out + "</div>\n"
}

/// Distances with what is known of their certainty.
pub(super) fn distances(run: &Run) -> String {
    let row = |(k, distance): (usize, &Distance)| {
        let Distance { name, about, value, interval: ends, p_value, .. } = distance;
        let line = ends.map(|(low, high)| {
            let estimate = Estimate { value: *value, low, high };
            let axis = Axis::over([0.0, low, high, *value].into_iter());
            interval(&format!("distance-{k}"), name, axis, estimate, Some(0.0), None)
        });
        vec![
            Cell::html(format!("{}<small>{}</small>", escape(name), prose(about))),
            Cell::number(&significant(*value), *value),
            ends.map_or_else(Cell::absent, |(low, high)| {
                Cell::number(&format!("{} to {}", significant(low), significant(high)), high)
            }),
            line.map_or_else(Cell::absent, |line| Cell::drawing(line, *value)),
            p_value.map_or_else(Cell::absent, |p| Cell::number(&probability(p), p)),
        ]
    };
    let rows: Vec<Vec<Cell>> = run.data.distances.iter().enumerate().map(row).collect();
    let table = table("Distances", &["measure", "distance", "95 % interval", "from 0", "p-value"], &rows);
    if table.is_empty() {
        return table;
    }
    table
        + "<p class=\"caption\">Each line runs from 0 to the end of its own interval. A small p-value says that so large a \
           distance is unlikely if both domains are the same.</p>\n"
}

/// Columns that differ most.
pub(super) fn moved(run: &Run) -> String {
    let rows: Vec<Vec<Cell>> = run
        .data
        .moved
        .iter()
        .map(|moved| {
            let share = moved.distance.clamp(0.0, 1.0);
            let shown = significant(moved.distance);
            let bar = format!("{shown}<i class=\"bar\" style=\"--share:{share:.3}\"></i>");
            vec![
                Cell::html(format!("<code>{}</code>", escape(&moved.column))),
                Cell::drawing(bar, moved.distance),
                Cell::number(&probability(moved.p_value), moved.p_value),
                Cell::html(prose(&moved.source)),
                Cell::html(prose(&moved.target)),
                Cell::text(&moved.test),
            ]
        })
        .collect();
    let table =
        table("Columns that moved", &["column", "distance", "p-value", "source", "target", "test"], &rows);
    if table.is_empty() {
        return table;
    }
    let moved = run.data.moved.iter().filter(|column| column.moved()).count();
    format!(
        "{table}<p class=\"caption\">{} of {} columns moved: a p-value below 0.05, corrected for their number.</p>\n",
        thousands(moved),
        thousands(rows.len())
    )
}
