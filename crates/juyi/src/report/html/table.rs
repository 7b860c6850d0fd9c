//! Tables that sort by their headings and scroll within themselves.

use std::fmt::Write;

use super::escape;

/// What a cell holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It sorts by its letters.
    Text,
    /// It sorts by its value.
    Number,
    /// The same, drawn.
    Drawing,
}

/// What a cell shows, escaped, and what it sorts by.
pub(super) struct Cell {
    html: String,
    kind: Kind,
    /// Not a number where there is none.
    value: f64,
}

impl Cell {
    /// Text from anywhere.
    pub(super) fn text(text: &str) -> Self {
        Self::html(escape(text))
    }

    /// Markup of our own.
    pub(super) fn html(html: String) -> Self {
        Self { html, kind: Kind::Text, value: f64::NAN }
    }

    /// A number as it is shown.
    pub(super) fn number(shown: &str, value: f64) -> Self {
        Self { html: escape(shown), kind: Kind::Number, value }
    }

    /// A number that is not there.
    pub(super) fn absent() -> Self {
        Self::number("–", f64::NAN)
    }

    /// A drawing of a number.
    pub(super) fn drawing(html: String, value: f64) -> Self {
        Self { html, kind: Kind::Drawing, value }
    }
}

/// A table called `name`; the first cell of a row is the row's heading. Nothing without rows.
pub(super) fn table(name: &str, headings: &[&str], rows: &[Vec<Cell>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table aria-label=\"{0}\">\n<thead><tr>",
        escape(name)
    );
    let holds =
        |j: usize, kind: Kind| rows.iter().any(|row| row.get(j).is_some_and(|cell| cell.kind == kind));
    let class = |j: usize| match () {
        () if holds(j, Kind::Drawing) => " class=\"drawing\"",
        () if holds(j, Kind::Number) => " class=\"number\"",
        () => "",
    };
    let classes: Vec<&str> = (0..headings.len()).map(class).collect();
    for (heading, class) in headings.iter().zip(&classes) {
        let heading = escape(heading);
        let _ = write!(
            out,
            "<th scope=\"col\" aria-sort=\"none\"{class}><button type=\"button\">{heading}</button></th>"
        );
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (j, (cell, class)) in row.iter().zip(&classes).enumerate() {
            let element = if j == 0 { "th scope=\"row\"" } else { "td" };
            let sort = match cell.kind {
                Kind::Text => String::new(),
                _ if cell.value.is_finite() => format!(" data-value=\"{}\"", cell.value),
                _ => " data-value=\"\"".into(),
            };
            let _ = write!(out, "<{element}{class}{sort}>{}</{}>", cell.html, &element[..2]);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}
