//! How a training went: loss and accuracy, epoch by epoch.

use super::numbers::signed;
use super::svg::{Line, lines};
use crate::report::run::{Epoch, Run};

/// Two drawings side by side; nothing where nothing was trained by epochs.
pub(super) fn curves(run: &Run) -> String {
    let epochs = &run.figures.epochs;
    let Some(last) = epochs.last() else { return String::new() };
    let aside = |part: fn((f64, f64)) -> f64| -> Vec<f64> {
        epochs.iter().filter_map(|epoch| epoch.aside.map(part)).collect()
    };
    let own = |part: fn(&Epoch) -> f64| -> Vec<f64> { epochs.iter().map(part).collect() };
    let both = |name: &'static str, trained: Vec<f64>, aside: Vec<f64>| {
        let pair = [Line { name: "trained on", values: trained }, Line { name: "kept aside", values: aside }];
        lines(&format!("curve-{name}"), name, &pair)
    };
    let loss = both("loss", own(|epoch| epoch.loss), aside(|both| both.0));
    let accuracy = both("accuracy in %", own(|epoch| 100.0 * epoch.accuracy), aside(|both| 100.0 * both.1));
    let end = last.aside.map_or_else(String::new, |(loss, accuracy)| {
        format!(
            " At the end: loss {} and {:.1} % right of what was kept aside.",
            signed(loss, 3, false),
            100.0 * accuracy
        )
    });
    format!(
        "<div class=\"pair\">\n<figure>{loss}</figure>\n<figure>{accuracy}</figure>\n</div>\n<p class=\"caption\">{} \
         epochs, from left to right; what was trained on is measured as it passed, with what alters it.{end}</p>\n",
        epochs.len()
    )
}
