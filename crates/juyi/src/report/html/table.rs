//! Tables that sort by their headings and scroll within themselves.

use std::fmt::Write;

use super::escape;

/// What a cell shows, escaped, and the number that it sorts by; text sorts by itself.
pub(super) struct Cell {
    html: String,
    /// `Some(None)` is a number that is not there.
    number: Option<Option<f64>>,
}

impl Cell {
    /// Text from anywhere.
    pub(super) fn text(text: &str) -> Self {
        Self { html: escape(text), number: None }
    }

    /// Markup of our own.
    pub(super) fn html(html: String) -> Self {
        Self { html, number: None }
    }

    /// A number as it is shown.
    pub(super) fn number(shown: &str, value: f64) -> Self {
        Self { html: escape(shown), number: Some(Some(value).filter(|v| v.is_finite())) }
    }

    /// A number that is not there.
    pub(super) fn absent() -> Self {
        Self { html: "–".into(), number: Some(None) }
    }

    /// The same number with a drawing in place of its digits.
    pub(super) fn drawn(self, svg: String) -> Self {
        Self { html: svg, ..self }
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
    for (j, heading) in headings.iter().enumerate() {
        let number = rows.iter().any(|row| row.get(j).is_some_and(|cell| cell.number.is_some()));
        let class = if number { " class=\"number\"" } else { "" };
        let heading = escape(heading);
        let _ = write!(
            out,
            "<th scope=\"col\" aria-sort=\"none\"{class}><button type=\"button\">{heading}</button></th>"
        );
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (j, Cell { html, number }) in row.iter().enumerate() {
            let element = if j == 0 { "th scope=\"row\"" } else { "td" };
            let sort = number.map_or_else(String::new, |value| {
                let value = value.map_or_else(String::new, |v| v.to_string());
                format!(" class=\"number\" data-value=\"{value}\"")
            });
            let _ = write!(out, "<{element}{sort}>{html}</{}>", &element[..2]);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}
