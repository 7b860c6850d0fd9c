//! Scores, gains and differences in words.

use std::fmt::Write;

use super::run::Run;
use crate::choice::Choice;
use crate::measures::{Estimate, Figure, Scores};

/// The figure that judges where none is asked for.
pub(super) fn usual(run: &Run) -> Figure {
    if run.data.task == "classification" { Figure::Accuracy } else { Figure::R2 }
}

/// The figure of a choice's estimates.
pub(super) fn judging(run: &Run, choice: &Choice) -> Figure {
    choice.figure.unwrap_or(usual(run))
}

/// The figure of its true gain.
pub(super) fn of_truth(run: &Run, choice: &Choice) -> Figure {
    run.transfer.figure.unwrap_or(judging(run, choice))
}

/// A gain with its sign: in points, in R², or in units of the label.
fn amount(figure: Figure, v: f64) -> String {
    match figure {
        Figure::R2 => format!("{v:+.3}"),
        Figure::Rmse | Figure::Mae => format!("{v:+.4}"),
        _ => format!("{:+.1}", 100.0 * v),
    }
}

/// What gains are counted in.
pub(super) fn unit(figure: Figure) -> String {
    match figure {
        Figure::R2 => "of R²".into(),
        Figure::Rmse | Figure::Mae => format!("taken off the {}", figure.title()),
        _ => format!("points of {}", figure.title()),
    }
}

/// The gain in words: as estimated, and as it turned out where that is known.
pub(super) fn estimated(run: &Run, choice: &Choice) -> String {
    let (figure, of_truth) = (judging(run, choice), of_truth(run, choice));
    let number = |v: f64| amount(figure, v);
    let Estimate { value, low, high } = choice.gain;
    let mut text = format!(
        "estimated gain {} {} (95 %: {} to {})",
        number(value),
        unit(figure),
        number(low),
        number(high)
    );
    if let Some(gain) = choice.true_gain {
        let _ = write!(text, "; true gain {}", amount(of_truth, gain));
        if of_truth != figure {
            let _ = write!(text, " {}", unit(of_truth));
        }
    }
    text
}

/// Why the verdict is what it is, with what it has to do with the gain where transfer is refused in spite of that.
pub(super) fn reason(choice: &Choice) -> String {
    if choice.refuses_a_gain() {
        format!("The estimated gain does not decide here. {}", choice.reason)
    } else {
        choice.reason.clone()
    }
}

/// Scores in a line; shares in percent.
pub fn score_text(scores: &Scores) -> String {
    match scores {
        Scores::Classification { accuracy, balanced_accuracy, macro_f1, auc } => {
            let mut text = format!(
                "accuracy {:6.2} %   balanced {:6.2} %   macro-F1 {:6.2} %",
                100.0 * accuracy,
                100.0 * balanced_accuracy,
                100.0 * macro_f1
            );
            if let Some(auc) = auc {
                let _ = write!(text, "   AUC {:6.2} %", 100.0 * auc);
            }
            text
        }
        Scores::Regression { rmse, mae, r2 } if r2.is_nan() => {
            format!("RMSE {rmse:.4}   MAE {mae:.4}   R² cannot be scored: all true labels are equal")
        }
        Scores::Regression { rmse, mae, r2 } => format!("RMSE {rmse:.4}   MAE {mae:.4}   R² {r2:.4}"),
    }
}

/// What the method did compared with not transferring, in a sentence without its full stop.
pub(super) fn difference(run: &Run) -> Option<String> {
    let (before, after, name) = match (&run.transfer.baseline, &run.transfer.refused) {
        (Some(baseline), _) => (baseline.scores?, run.transfer.chosen.scores?, run.transfer.chosen.title()),
        (None, Some(refused)) => (run.transfer.chosen.scores?, refused.scores?, refused.title()),
        (None, None) => return None,
    };
    let unasked = if usual(run).is_of_classes() { Figure::Accuracy } else { Figure::Rmse };
    let figure = run.transfer.figure.unwrap_or(unasked);
    let (a, b) = (figure.of(&before)?, figure.of(&after)?);
    if figure.is_error() {
        let word = if b <= a { "below" } else { "above" };
        let percent = 100.0 * (b / a - 1.0).abs();
        return Some(format!(
            "{name} has an {} {percent:.1} % {word} that of not transferring",
            figure.title()
        ));
    }
    let points = 100.0 * (b - a);
    let amount = points.abs();
    if figure == Figure::Accuracy {
        let word = if points >= 0.0 { "more" } else { "fewer" };
        return Some(format!("{name} gets {amount:.2} points {word} right than not transferring"));
    }
    let word = if points >= 0.0 { "more" } else { "less" };
    Some(format!("{name} gets {amount:.2} points {word} {} than not transferring", figure.title()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_are_told_in_what_they_are_of() {
        assert_eq!(amount(Figure::F1, 0.123) + " " + &unit(Figure::F1), "+12.3 points of macro-F1");
        assert_eq!(amount(Figure::Rmse, -0.5) + " " + &unit(Figure::Rmse), "-0.5000 taken off the RMSE");
        let scores = Scores::Regression { rmse: 1.0, mae: 0.5, r2: f64::NAN };
        assert!(score_text(&scores).ends_with("R² cannot be scored: all true labels are equal"));
        assert_eq!(amount(Figure::R2, 0.25) + " " + &unit(Figure::R2), "+0.250 of R²");
    }
}
