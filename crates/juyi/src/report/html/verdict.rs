//! What came out, in one sentence; then why, and the scores behind it.

use super::numbers::{gain, score, signed, significant, time};
use super::svg::{Axis, interval};
use super::table::{Cell, table};
use super::{escape, prose};
use crate::choice::{Choice, Verdict};
use crate::measures::{Estimate, Figure, Scores};
use crate::report::compared::{difference, judging, of_truth, reason, unit};
use crate::report::run::{FitFacts, Run};
use crate::report::text::thousands;

/// The head of the page.
pub(super) fn verdict(run: &Run) -> String {
    let sources: Vec<&str> = run.data.sources.iter().map(|source| source.name.as_str()).collect();
    format!(
        "<header>\n<p class=\"about\">{} of <code>{}</code>: {} to {}</p>\n<h1>{}</h1>\n{}{}</header>\n",
        escape(&run.data.task),
        escape(&run.data.label),
        escape(&sources.join(" + ")),
        escape(&run.data.target.name),
        escape(&sentence(run)),
        run.select.as_ref().map_or_else(String::new, |choice| why(run, choice)),
        scores(run),
    )
}

fn sentence(run: &Run) -> String {
    if let Some(choice) = &run.select {
        let best =
            choice.candidates.iter().find(|candidate| !candidate.baseline && candidate.score.is_some());
        let verdict = match choice.verdict {
            Verdict::Transfer => "Transfer",
            Verdict::DoNotTransfer => "Do not transfer",
            Verdict::CannotTell => "Cannot tell whether to transfer",
        };
        let figure = judging(run, choice);
        // Where candidates vote it is the vote that is judged.
        let judged = run.transfer.refused.as_ref().unwrap_or(&run.transfer.chosen).title();
        let voted = choice.verdict == Verdict::Transfer || run.transfer.refused.is_some();
        let Some(best) = best else { return format!("{verdict}.") };
        let method = match choice.units {
            Some(_) if voted || run.judged.is_some() => judged,
            Some(_) => "vote",
            None => best.title(),
        };
        let then = if choice.refuses_a_gain() { ", although" } else { ":" };
        return format!("{verdict}{then} {}.", estimated(figure, method, choice.gain));
    }
    if let Some(difference) = difference(run) {
        return format!("{difference}.");
    }
    let FitFacts { method, scores, .. } = &run.transfer.chosen;
    let rows = thousands(run.data.target.rows);
    let of = thousands(run.data.scored_rows);
    match (scores, run.transfer.figure) {
        (None, _) => {
            format!("{method} predicted {rows} rows; there was no target label to score them with.")
        }
        (Some(scores), Some(figure)) if let Some(v) = figure.of(scores) => {
            format!(
                "Without transfer, {method} comes to {} {} on {of} rows.",
                figure.title(),
                score(figure, v)
            )
        }
        (Some(Scores::Classification { accuracy, .. }), _) => {
            format!("Without transfer, {method} gets {:.2} % of {of} rows right.", 100.0 * accuracy)
        }
        (Some(Scores::Regression { rmse, .. }), _) => {
            format!("Without transfer, {method} has an RMSE of {rmse:.4} on {of} rows.")
        }
    }
}

/// `tca is estimated to get 12.3 points (95 %: 8.1 to 16.0) more right than not transferring`.
fn estimated(figure: Figure, method: &str, gain: Estimate) -> String {
    let sign = if gain.value < 0.0 { -1.0 } else { 1.0 };
    let number = |v: f64| match figure {
        Figure::R2 => signed(sign * v, 3, false),
        Figure::Rmse | Figure::Mae => significant(sign * v),
        _ => signed(100.0 * sign * v, 1, false),
    };
    let (low, high) = if sign < 0.0 { (gain.high, gain.low) } else { (gain.low, gain.high) };
    let (amount, within) = (number(gain.value), format!("(95 %: {} to {})", number(low), number(high)));
    let less = sign < 0.0;
    match figure {
        Figure::Accuracy => format!(
            "{method} is estimated to get {amount} points {within} {} right than not transferring",
            if less { "fewer" } else { "more" }
        ),
        Figure::R2 => format!(
            "{method} is estimated to explain {amount} {within} {} of the variance than not transferring",
            if less { "less" } else { "more" }
        ),
        Figure::Rmse | Figure::Mae => format!(
            "{method} is estimated to have an {} {amount} {within} {} than not transferring",
            figure.title(),
            if less { "larger" } else { "smaller" }
        ),
        _ => format!(
            "{method} is estimated to get {amount} points {within} {} {} than not transferring",
            if less { "less" } else { "more" },
            figure.title()
        ),
    }
}

/// The reason; the estimated gain, and beside it the true one.
fn why(run: &Run, choice: &Choice) -> String {
    let Estimate { value, low, high } = choice.gain;
    let (figure, figure_of_truth) = (judging(run, choice), of_truth(run, choice));
    let truth = choice.true_gain.filter(|_| figure_of_truth == figure);
    let axis = Axis::over([0.0, low, value, high].into_iter().chain(truth));
    let drawing = interval("gain", "Estimated gain", axis, choice.gain, Some(0.0), truth);
    let words = |figure: Figure| if figure == Figure::Accuracy { "points".into() } else { unit(figure) };
    let shown = |v: f64, figure: Figure| format!("{} {}", gain(figure, v), words(figure));
    let mut gains = format!("<div><dt>estimated gain</dt><dd>{}</dd></div>", shown(value, figure));
    if let Some(e) = choice.expected {
        let percent = |v: f64| format!("{:.0}\u{a0}%", 100.0 * v);
        let floor = choice
            .floor
            .map_or_else(String::new, |floor| format!("; at least {} in 19 of 20 tasks", percent(floor)));
        let within = format!("95\u{a0}%: {} to {}{floor}", percent(e.low), percent(e.high));
        let row = format!("<div><dt>expected to be right ({within})</dt><dd>{}</dd></div>", percent(e.value));
        gains.push_str(&row);
    }
    if let Some(v) = choice.true_gain {
        let row =
            format!("<div><dt>true gain, seen afterwards</dt><dd>{}</dd></div>", shown(v, figure_of_truth));
        gains.push_str(&row);
    }
    let truth = if truth.is_some() { "; diamond: truth" } else { "" };
    let written = match choice.verdict {
        Verdict::Transfer => "",
        _ if run.judged.is_some() => "",
        _ if run.transfer.baseline.is_some() => "",
        _ => " The model that is written does not transfer.",
    };
    let classes = run.data.task == "classification";
    let about = run
        .judged
        .as_ref()
        .map_or_else(String::new, |judged| format!("<p>{}.</p>\n", prose(&judged.lines(classes).join("; "))));
    if choice.candidates.is_empty() {
        return format!("<p class=\"why\">{}{written}</p>\n{about}", prose(&reason(choice)));
    }
    format!(
        "<p class=\"why\">{}{written}</p>\n{about}<dl class=\"gains\">{gains}\
         <div><dt>line: 95 % interval from 0{truth}</dt><dd>{drawing}</dd></div></dl>\n",
        prose(&reason(choice))
    )
}

/// The scores of the method and of not transferring.
fn scores(run: &Run) -> String {
    let fits: Vec<&FitFacts> =
        run.transfer.baseline.iter().chain([&run.transfer.chosen]).chain(&run.transfer.refused).collect();
    let Some(first) = fits.iter().find_map(|fit| fit.scores.as_ref()) else { return String::new() };
    let headings = match first {
        Scores::Classification { auc: None, .. } => &["accuracy", "balanced accuracy", "macro-F1"][..],
        Scores::Classification { .. } => &["accuracy", "balanced accuracy", "macro-F1", "AUC"],
        Scores::Regression { .. } => &["RMSE", "MAE", "R²"],
    };
    let row = |fit: &&FitFacts| {
        let mut row = vec![Cell::text(fit.title())];
        match fit.scores {
            Some(Scores::Classification { accuracy, balanced_accuracy, macro_f1, auc }) => {
                let share = |v: f64| Cell::number(&format!("{:.2}\u{a0}%", 100.0 * v), v);
                row.extend([accuracy, balanced_accuracy, macro_f1].into_iter().chain(auc).map(share));
            }
            Some(Scores::Regression { rmse, mae, r2 }) => {
                row.extend([rmse, mae].map(|v| Cell::number(&signed(v, 4, false), v)));
                row.push(if r2.is_nan() {
                    Cell::number("none: all true labels are equal", r2)
                } else {
                    Cell::number(&signed(r2, 4, false), r2)
                });
            }
            None => row.extend(headings.iter().map(|_| Cell::absent())),
        }
        row.push(Cell::number(&time(fit.seconds), fit.seconds));
        row
    };
    let rows: Vec<Vec<Cell>> = fits.iter().map(row).collect();
    let headings: Vec<&str> = ["method"].iter().chain(headings).chain(&["time"]).copied().collect();
    let on = match &run.data.scored_by {
        Some(by) => format!("Scored on {} rows by {}.", thousands(run.data.scored_rows), escape(by)),
        None => {
            format!(
                "Scored on {} target rows whose labels served for nothing else.",
                thousands(run.data.scored_rows)
            )
        }
    };
    let scores = table("Scores", &headings, &rows);
    format!("{scores}<p class=\"caption\">{on}</p>\n")
}
