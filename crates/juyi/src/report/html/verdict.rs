//! What came out, in one sentence; then why, and the scores behind it.

use super::numbers::{counts_right, gain, signed, time};
use super::svg::{Axis, interval};
use super::table::{Cell, table};
use super::{escape, prose};
use crate::choice::{Choice, Verdict};
use crate::measures::{Estimate, Scores};
use crate::report::run::{FitFacts, Run};
use crate::report::text::{difference, thousands};

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
        // Where candidates vote it is the vote that is judged.
        let judged = run.transfer.refused.as_ref().unwrap_or(&run.transfer.chosen).title();
        let voted = choice.verdict == Verdict::Transfer || run.transfer.refused.is_some();
        return match best {
            Some(_) if choice.units.is_some() && voted => {
                format!("{verdict}: {}.", estimated(run, judged, choice.gain))
            }
            Some(_) if choice.units.is_some() => {
                format!("{verdict}: {}.", estimated(run, "vote", choice.gain))
            }
            Some(best) => format!("{verdict}: {}.", estimated(run, best.title(), choice.gain)),
            None => format!("{verdict}."),
        };
    }
    if let Some(difference) = difference(run) {
        return format!("{difference}.");
    }
    let FitFacts { method, scores, .. } = &run.transfer.chosen;
    let rows = thousands(run.data.target.rows);
    match scores {
        None => format!("{method} predicted {rows} rows; there was no target label to score them with."),
        Some(Scores::Classification { accuracy, .. }) => {
            let share = 100.0 * accuracy;
            format!(
                "Without transfer, {method} gets {share:.2} % of {} rows right.",
                thousands(run.data.scored_rows)
            )
        }
        Some(Scores::Regression { rmse, .. }) => {
            format!(
                "Without transfer, {method} has an RMSE of {rmse:.4} on {} rows.",
                thousands(run.data.scored_rows)
            )
        }
    }
}

/// `tca is estimated to get 12.3 points (95 %: 8.1 to 16.0) more right than not transferring`.
fn estimated(run: &Run, method: &str, gain: Estimate) -> String {
    let sign = if gain.value < 0.0 { -1.0 } else { 1.0 };
    let (factor, decimals) = if counts_right(run) { (100.0, 1) } else { (1.0, 3) };
    let number = |v: f64| signed(factor * sign * v, decimals, false);
    let (low, high) = if sign < 0.0 { (gain.high, gain.low) } else { (gain.low, gain.high) };
    let amount = format!("{} (95 %: {} to {})", number(gain.value), number(low), number(high));
    let more = if sign < 0.0 { ["fewer", "less"] } else { ["more", "more"] };
    if counts_right(run) {
        let amount = amount.replacen(" (", " points (", 1);
        if run.select.as_ref().is_some_and(|choice| choice.balanced) {
            return format!(
                "{method} is estimated to get {amount} {} balanced accuracy than not transferring",
                more[1]
            );
        }
        format!("{method} is estimated to get {amount} {} right than not transferring", more[0])
    } else {
        format!("{method} is estimated to explain {amount} {} of the variance than not transferring", more[1])
    }
}

/// The reason; the estimated gain, and beside it the true one.
fn why(run: &Run, choice: &Choice) -> String {
    let Estimate { value, low, high } = choice.gain;
    let axis = Axis::over([0.0, low, value, high].into_iter().chain(choice.true_gain));
    let drawing = interval("gain", "Estimated gain", axis, choice.gain, Some(0.0), choice.true_gain);
    let unit = if counts_right(run) { "points" } else { "of R²" };
    let mut gains = format!("<div><dt>estimated gain</dt><dd>{} {unit}</dd></div>", gain(run, value));
    if let Some(v) = choice.true_gain {
        let row = format!("<div><dt>true gain, seen afterwards</dt><dd>{} {unit}</dd></div>", gain(run, v));
        gains.push_str(&row);
    }
    let truth = if choice.true_gain.is_some() { "; diamond: truth" } else { "" };
    let written = match choice.verdict {
        Verdict::Transfer => "",
        _ if run.transfer.baseline.is_some() => "",
        _ => " The model that is written does not transfer.",
    };
    if choice.candidates.is_empty() {
        return format!("<p class=\"why\">{}{written}</p>\n", prose(&choice.reason));
    }
    format!(
        "<p class=\"why\">{}{written}</p>\n<dl class=\"gains\">{gains}\
         <div><dt>line: 95 % interval from 0{truth}</dt><dd>{drawing}</dd></div></dl>\n",
        prose(&choice.reason)
    )
}

/// The scores of the method and of not transferring.
fn scores(run: &Run) -> String {
    let fits: Vec<&FitFacts> =
        run.transfer.baseline.iter().chain([&run.transfer.chosen]).chain(&run.transfer.refused).collect();
    let Some(first) = fits.iter().find_map(|fit| fit.scores.as_ref()) else { return String::new() };
    let headings = match first {
        Scores::Classification { .. } => ["accuracy", "balanced accuracy", "macro-F1"],
        Scores::Regression { .. } => ["RMSE", "MAE", "R²"],
    };
    let row = |fit: &&FitFacts| {
        let mut row = vec![Cell::text(fit.title())];
        match fit.scores {
            Some(Scores::Classification { accuracy, balanced_accuracy, macro_f1 }) => {
                let share = |v: f64| Cell::number(&format!("{:.2}\u{a0}%", 100.0 * v), v);
                row.extend([accuracy, balanced_accuracy, macro_f1].map(share));
            }
            Some(Scores::Regression { rmse, mae, r2 }) => {
                row.extend([rmse, mae, r2].map(|v| Cell::number(&signed(v, 4, false), v)));
            }
            None => row.extend((0..3).map(|_| Cell::absent())),
        }
        row.push(Cell::number(&time(fit.seconds), fit.seconds));
        row
    };
    let rows: Vec<Vec<Cell>> = fits.iter().map(row).collect();
    let [first, second, third] = headings;
    let on = match &run.data.scored_by {
        Some(by) => format!("Scored on {} rows by {}.", thousands(run.data.scored_rows), escape(by)),
        None => {
            format!(
                "Scored on {} target rows whose labels served for nothing else.",
                thousands(run.data.scored_rows)
            )
        }
    };
    let scores = table("Scores", &["method", first, second, third, "time"], &rows);
    format!("{scores}<p class=\"caption\">{on}</p>\n")
}
