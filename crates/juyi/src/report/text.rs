//! The run as lines for a terminal: readable without colour.

use std::fmt::Write;

use serde_json::Value;

use super::run::{DomainFacts, Run};
use crate::context::Level;
use crate::measures::Scores;

/// Columns before the text of a step.
const INDENT: &str = "              ";

/// The four steps, then the notices.
pub fn text(run: &Run) -> String {
    let mut out = String::new();
    let mut line = |title: &str, rest: &str| {
        let _ = if title.is_empty() {
            writeln!(out, "{INDENT}{rest}")
        } else {
            writeln!(out, "{title:<14}{rest}")
        };
    };
    for (k, source) in run.sources.iter().enumerate() {
        line(if k == 0 { "1 data" } else { "" }, &format!("source  {}", domain(source)));
    }
    line("", &format!("target  {}", domain(&run.target)));
    let scoring = match run.scored_rows {
        0 => "no target labels to score with".to_string(),
        n => format!("{} target labels kept for scoring only", thousands(n)),
    };
    line("", &format!("{} of `{}`, {} features; {scoring}", run.task, run.label, thousands(run.features)));
    let fit = &run.chosen;
    line(
        "2 select",
        &format!("{} ({})", fit.method, settings(&fit.params, fit.learner.as_deref(), &fit.preprocess)),
    );
    line("3 initialise", &fit.carries);
    let width = fit.method.chars().count().max(6);
    let mut title = "4 transfer";
    for fit in run.baseline.iter().chain([&run.chosen]) {
        let scores = fit.scores.as_ref().map_or_else(|| "not scored".to_string(), score_text);
        line(title, &format!("{:<width$}  {scores}   {:.1} s", fit.method, fit.seconds));
        title = "";
    }
    if let Some(difference) = difference(run) {
        line("", &difference);
    }
    for notice in &run.notices {
        let kind = if notice.level == Level::Warning { "warning" } else { "note" };
        line(kind, &format!("{}: {}", notice.from, notice.text));
    }
    out
}

fn domain(facts: &DomainFacts) -> String {
    let mut text = format!("{}: {} rows", facts.name, thousands(facts.rows));
    if facts.labelled > 0 {
        let _ = write!(text, ", {} labelled", thousands(facts.labelled));
    }
    if !facts.classes.is_empty() {
        let few = facts.classes.iter().min_by_key(|(_, count)| *count);
        let _ = write!(text, ", {} classes", facts.classes.len());
        if let Some((name, count)) = few {
            let _ = write!(text, " (fewest: `{name}`, {})", thousands(*count));
        }
    }
    if !facts.remark.is_empty() {
        let _ = write!(text, "; {}", facts.remark);
    }
    text
}

/// Parameters, learner and preprocessing in a line.
pub(super) fn settings(params: &Value, learner: Option<&str>, preprocess: &[String]) -> String {
    let mut parts = Vec::new();
    if let Some(params) = params.as_object() {
        parts.extend(params.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
            match value.as_str() {
                Some(text) => format!("{name}={text}"),
                None => format!("{name}={value}"),
            }
        }));
    }
    if let Some(learner) = learner {
        parts.push(format!("learner {learner}"));
    }
    parts.push(format!("preprocessing {}", preprocess.join(", ")));
    parts.join(", ")
}

/// Scores in a line; shares in percent.
pub fn score_text(scores: &Scores) -> String {
    match scores {
        Scores::Classification { accuracy, balanced_accuracy, macro_f1 } => format!(
            "accuracy {:6.2} %   balanced {:6.2} %   macro-F1 {:6.2} %",
            100.0 * accuracy,
            100.0 * balanced_accuracy,
            100.0 * macro_f1
        ),
        Scores::Regression { rmse, mae, r2 } => format!("RMSE {rmse:.4}   MAE {mae:.4}   R² {r2:.4}"),
    }
}

/// What the method did compared with not transferring, in a sentence without its full stop.
pub(super) fn difference(run: &Run) -> Option<String> {
    let (before, after) = (run.baseline.as_ref()?.scores?, run.chosen.scores?);
    let name = &run.chosen.method;
    let (Scores::Classification { accuracy: a, .. }, Scores::Classification { accuracy: b, .. }) =
        (before, after)
    else {
        let (a, b) = (-before.first(), -after.first());
        let word = if b <= a { "below" } else { "above" };
        return Some(format!(
            "{name} has an RMSE {:.1} % {word} that of not transferring",
            100.0 * (b / a - 1.0).abs()
        ));
    };
    let points = 100.0 * (b - a);
    let word = if points >= 0.0 { "more" } else { "fewer" };
    Some(format!("{name} gets {:.2} points {word} right than not transferring", points.abs()))
}

/// A count with its thousands apart: `12,345`.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FitFacts;
    use serde_json::json;

    fn fit(method: &str, accuracy: f64) -> FitFacts {
        FitFacts {
            method: method.into(),
            params: json!({"components": 30, "bandwidth": null, "kernel": "linear"}),
            learner: Some("1-nn".into()),
            preprocess: vec!["standardize".into()],
            carries: "the source rows".into(),
            stores_rows: true,
            scores: Some(Scores::Classification { accuracy, balanced_accuracy: 0.5, macro_f1: 0.25 }),
            seconds: 0.25,
        }
    }

    #[test]
    fn a_run_in_full() {
        let classes = vec![("a".into(), 1200), ("b".into(), 34)];
        let run = Run {
            version: "0".into(),
            task: "classification".into(),
            label: "grade".into(),
            features: 64,
            sources: vec![DomainFacts {
                name: "old.csv".into(),
                rows: 1234,
                labelled: 1234,
                classes,
                remark: String::new(),
            }],
            target: DomainFacts {
                name: "new.csv".into(),
                rows: 50,
                labelled: 0,
                classes: vec![],
                remark: String::new(),
            },
            scored_rows: 50,
            missing: "error".into(),
            target_labels: "score".into(),
            seed: 0,
            threads: 2,
            memory: 4 << 30,
            chosen: fit("tca", 0.75),
            baseline: Some(fit("none", 0.5)),
            distances: vec![],
            moved: vec![],
            choice: None,
            figures: crate::report::Figures::default(),
            command: vec![],
            seconds: 0.5,
            peak_memory: None,
            notices: vec![crate::context::Notice {
                level: Level::Note,
                from: "data".into(),
                text: "all is well".into(),
            }],
        };
        let expected = "\
1 data        source  old.csv: 1,234 rows, 1,234 labelled, 2 classes (fewest: `b`, 34)
              target  new.csv: 50 rows
              classification of `grade`, 64 features; 50 target labels kept for scoring only
2 select      tca (components=30, kernel=linear, learner 1-nn, preprocessing standardize)
3 initialise  the source rows
4 transfer    none    accuracy  50.00 %   balanced  50.00 %   macro-F1  25.00 %   0.2 s
              tca     accuracy  75.00 %   balanced  50.00 %   macro-F1  25.00 %   0.2 s
              tca gets 25.00 points more right than not transferring
note          data: all is well
";
        assert_eq!(text(&run), expected);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            (thousands(7), thousands(1234), thousands(1_000_000)),
            ("7".into(), "1,234".into(), "1,000,000".into())
        );
    }
}
