//! What a pretrained network and its tuning are worth: gains, and what fewer labels would do.

use super::escape;
use super::numbers::score;
use super::table::{Cell, table};
use crate::measures::Figure;
use crate::report::run::Run;

/// Nothing where no network was tuned.
pub(super) fn worth(run: &Run) -> String {
    let Some(worth) = &run.figures.worth else { return String::new() };
    let items: Vec<String> =
        worth.lines().iter().map(|line| format!("<li>{}</li>\n", escape(line))).collect();
    let rows: Vec<Vec<Cell>> = worth
        .curve
        .iter()
        .map(|point| {
            let percent = |share: f64| Cell::number(&score(Figure::Accuracy, share), share);
            let labels = Cell::number(&format!("{:.0}\u{a0}%", 100.0 * point.share), point.share);
            vec![labels, percent(point.chosen), percent(point.rival)]
        })
        .collect();
    let fewer = if rows.is_empty() {
        String::new()
    } else {
        format!(
            "{}<p class=\"caption\">Accuracy by cross-validation with a part of the labels of each fold; the \
             penalty of each head is that for all of them.</p>\n",
            table("Fewer labels", &["labels", "frozen checkpoint", &worth.rival], &rows)
        )
    };
    format!("<ul>\n{}</ul>\n{fewer}", items.concat())
}
