//! Tables that sort by their headings and scroll within themselves.

use std::fmt::Write;

use super::escape;

/// What a cell shows, escaped, and the number that it sorts by; text sorts by itself.
pub(super) struct Cell {
    html: String,
    /// `Some(None)` is a number that is not there.
    number: Option<Option<f64>>,
    drawn: bool,
}

impl Cell {
    /// Text from anywhere.
    pub(super) fn text(text: &str) -> Self {
        Self { html: escape(text), number: None, drawn: false }
    }

    /// Markup of our own.
    pub(super) fn html(html: String) -> Self {
        Self { html, number: None, drawn: false }
    }

    /// A number as it is shown.
    pub(super) fn number(shown: &str, value: f64) -> Self {
        Self { html: escape(shown), number: Some(Some(value).filter(|v| v.is_finite())), drawn: false }
    }

    /// A number that is not there.
    pub(super) fn absent() -> Self {
        Self { html: "–".into(), number: Some(None), drawn: false }
    }

    /// A drawing of a number.
    pub(super) fn drawing(html: String, value: f64) -> Self {
        Self { html, number: Some(Some(value).filter(|v| v.is_finite())), drawn: true }
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
    let column = |j: usize| rows.iter().filter_map(move |row| row.get(j));
    let class = |j: usize| match () {
        () if column(j).any(|cell| cell.drawn) => " class=\"drawing\"",
        () if column(j).any(|cell| cell.number.is_some()) => " class=\"number\"",
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
            let sort = cell.number.map_or_else(String::new, |value| {
                format!(" data-value=\"{}\"", value.map_or_else(String::new, |v| v.to_string()))
            });
            let _ = write!(out, "<{element}{class}{sort}>{}</{}>", cell.html, &element[..2]);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}
