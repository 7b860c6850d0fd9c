//! The run as lines for a terminal: readable without colour.

use std::fmt::Write;

use serde_json::Value;

use super::compared::{difference, estimated, reason, score_text};
use super::run::{DomainFacts, FitFacts, Judged, Run, Worth};
use crate::choice::{Candidate, Choice, Verdict};
use crate::context::Level;
use crate::error::harmless;
use crate::measures::{Distance, Estimate};

/// Columns before the text of a step.
const INDENT: &str = "              ";

/// The four steps, then the notices.
pub fn text(run: &Run) -> String {
    let mut out = String::new();
    let mut line = |title: &str, rest: &str| {
        let rest = harmless(rest);
        let _ = if title.is_empty() {
            writeln!(out, "{INDENT}{rest}")
        } else {
            writeln!(out, "{title:<14}{rest}")
        };
    };
    for (k, source) in run.data.sources.iter().enumerate() {
        line(if k == 0 { "1 data" } else { "" }, &format!("source  {}", domain(source)));
    }
    line("", &format!("target  {}", domain(&run.data.target)));
    let scoring = match (run.data.scored_rows, &run.data.scored_by) {
        (0, _) => "no target labels to score with".to_string(),
        (n, Some(by)) => format!("{} scored by {by}", thousands(n)),
        (n, None) => format!("{} target labels kept for scoring only", thousands(n)),
    };
    line(
        "",
        &format!(
            "{} of `{}`, {} features; {scoring}",
            run.data.task,
            run.data.label,
            thousands(run.data.features)
        ),
    );
    let shown = run.data.distances.iter().filter(|one| !one.beside);
    let apart: Vec<String> = shown.map(|one| format!("{} {}", one.name, distance_line(one))).collect();
    if !apart.is_empty() {
        line("", &format!("apart   {}", apart.join("; ")));
    }
    let moved: Vec<String> = run
        .data
        .moved
        .iter()
        .filter(|column| column.moved())
        .map(|column| format!("`{}` {:.2}", column.column, column.distance))
        .collect();
    if !moved.is_empty() {
        let (count, all) = (moved.len(), run.data.moved.len());
        line(
            "",
            &format!("moved   {count} of {all} columns, most of all {}", moved[..count.min(3)].join(", ")),
        );
    }
    let fit = &run.transfer.chosen;
    match &run.select {
        None => {
            let settings = settings(&fit.params, fit.learner.as_deref(), &fit.preprocess);
            line("2 select", &format!("{} ({settings})", fit.method));
        }
        Some(choice) => {
            for (k, part) in selection(choice).iter().enumerate() {
                line(if k == 0 { "2 select" } else { "" }, part);
            }
        }
    }
    match &run.judged {
        None => line("3 initialise", &fit.carries),
        Some(judged) => {
            for (k, part) in judged.lines(run.data.task == "classification").iter().enumerate() {
                line(if k == 0 { "3 judge" } else { "" }, part);
            }
        }
    }
    if let Some(worth) = fit.effective_rows {
        line("", &format!("weighted, they are worth {worth:.1} rows of equal weight"));
    }
    let fits: Vec<&FitFacts> =
        run.transfer.baseline.iter().chain([fit]).chain(&run.transfer.refused).collect();
    let width = fits.iter().map(|fit| fit.title().chars().count()).max().unwrap_or(0).max(6);
    for (k, fit) in fits.iter().enumerate() {
        let scores = fit.scores.as_ref().map_or_else(|| "not scored".to_string(), score_text);
        let title = if k == 0 { "4 transfer" } else { "" };
        line(title, &format!("{:<width$}  {scores}   {:.1} s", fit.title(), fit.seconds));
    }
    if let Some(difference) = difference(run) {
        line("", &difference);
    }
    for (k, part) in run.figures.worth.iter().flat_map(Worth::lines).enumerate() {
        line(if k == 0 { "worth" } else { "" }, &part);
    }
    if let Some(choice) = &run.select {
        if choice.candidates.is_empty() {
            line("verdict", choice.verdict.name());
        } else {
            let though = if choice.refuses_a_gain() { ", for another reason than the gain" } else { "" };
            line("verdict", &format!("{}{though}: {}", choice.verdict.name(), estimated(run, choice)));
        }
        line("", &reason(choice));
        if choice.verdict != Verdict::Transfer && run.transfer.baseline.is_none() && run.judged.is_none() {
            line("", "the model that is written does not transfer");
        }
    }
    for notice in &run.notices {
        let kind = if notice.level == Level::Warning { "warning" } else { "note" };
        line(kind, &format!("{}: {}", notice.from, notice.text));
    }
    out
}

impl Judged {
    /// What is known of the model from its answers for the source, in lines.
    pub(super) fn lines(&self, classes: bool) -> Vec<String> {
        let share = |v: f64| format!("{:.1} %", 100.0 * v);
        let on = |v: f64, rows: &str| {
            if classes { format!("right on {} of {rows}", share(v)) } else { format!("R² {v:.3} on {rows}") }
        };
        let own = self
            .on_source
            .map_or_else(|| "what it says of the source is not given".to_string(), |v| on(v, "the source"));
        let learnt = self.learnt.filter(|_| self.on_source.is_some()).map_or_else(String::new, |v| {
            format!("; learners that do not transfer {}", on(v, "source rows that they did not see"))
        });
        let mut lines = vec![format!("`{}`: {own}{learnt}", self.name)];
        if let Some(promised) = self.by_confidence {
            lines.push(format!("its own confidence promises {} right", share(promised)));
        }
        lines
    }
}

/// A distance with its interval and p-value.
pub fn distance_line(distance: &Distance) -> String {
    let short = |v: f64| if v == 0.0 || v.abs() >= 5e-4 { format!("{v:.3}") } else { format!("{v:.1e}") };
    let mut text = short(distance.value);
    if let Some((low, high)) = distance.interval {
        let _ = write!(text, " (95 %: {} to {})", short(low), short(high));
    }
    match distance.p_value {
        Some(p) if p < 5e-4 => text += ", p <0.001",
        Some(p) => {
            let _ = write!(text, ", p {p:.3}");
        }
        None => {}
    }
    text
}

/// What was tried, how the columns are read, and what votes or is best.
fn selection(choice: &Choice) -> Vec<String> {
    let describe = |candidate: &Candidate| {
        let mut text = candidate.title().to_string();
        if let Some(learner) = &candidate.learner {
            let _ = write!(text, ", learner {learner}");
        }
        if !candidate.preprocess.is_empty() {
            let _ = write!(text, ", preprocessing {}", candidate.preprocess.join(", "));
        }
        text
    };
    let (count, seconds) = (choice.candidates.len(), choice.seconds);
    let on = match choice.rows {
        (0, target) => format!("{} labelled target rows", thousands(target)),
        (source, target) => format!("{} source and {} target rows", thousands(source), thousands(target)),
    };
    let columns = choice.units.as_ref().map(|units| {
        let told = if units.assumed { "assumed" } else { "told by the rows" };
        format!("columns    {}, {told}", units.reading.name())
    });
    let left_out = choice
        .sources
        .iter()
        .filter_map(|source| Some(format!("left out   `{}`: {}", source.name, source.left_out.as_ref()?)));
    if choice.rows.0 == 0 || columns.is_none() {
        let mut lines = vec![format!("{count} candidates validated on {on} in {seconds:.1} s")];
        lines.extend(left_out);
        lines.extend(columns);
        let first = |baseline| choice.candidates.iter().find(|candidate| candidate.baseline == baseline);
        lines.extend(first(false).map(|best| format!("best candidate  {}", describe(best))));
        lines.extend(first(true).map(|best| format!("best baseline   {}", describe(best))));
        return lines;
    }
    let mut lines = vec![format!("{count} candidates fitted on {on} in {seconds:.1} s")];
    lines.extend(left_out);
    lines.extend(columns);
    let voters = |baseline: bool| {
        let all = choice.candidates.iter().filter(|one| one.baseline == baseline && one.weight > 0.0);
        let mut names: Vec<&str> = all
            .clone()
            .map(|one| if baseline { one.learner.as_deref().unwrap_or("") } else { one.title() })
            .collect();
        names.sort_unstable();
        names.dedup();
        (all.count(), names.join(", "))
    };
    for (name, baseline) in [("vote", false), ("plain vote", true)] {
        let (count, names) = voters(baseline);
        if count > 0 {
            lines.push(format!("{name:<11}{count} of {names}"));
        }
    }
    if let Some(expected) = choice.expected {
        let Estimate { value, low, high } = expected;
        let percent = |v: f64| format!("{:.0}", 100.0 * v);
        let floor = choice
            .floor
            .map_or_else(String::new, |floor| format!("; at least {} in 19 of 20 tasks", percent(floor)));
        lines.push(format!(
            "expected   {} % right ({} to {}){floor}",
            percent(value),
            percent(low),
            percent(high)
        ));
    }
    lines
}

fn domain(facts: &DomainFacts) -> String {
    let mut text = facts.name.clone();
    if facts.rows > 0 {
        let _ = write!(text, ": {} rows", thousands(facts.rows));
    }
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
    if !preprocess.is_empty() {
        parts.push(format!("preprocessing {}", preprocess.join(", ")));
    }
    parts.join(", ")
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
    use crate::context::Context;
    use crate::measures::Scores;
    use crate::report::{DataFacts, DomainFacts, Figures, TransferFacts};
    use serde_json::json;

    fn fit(method: &str, accuracy: f64) -> FitFacts {
        FitFacts {
            method: method.into(),
            params: json!({"components": 30, "bandwidth": null, "kernel": "linear"}),
            learner: Some("1-nn".into()),
            preprocess: vec!["standardize".into()],
            carries: "the source rows".into(),
            stores_rows: true,
            effective_rows: None,
            scores: Some(Scores::Classification {
                accuracy,
                balanced_accuracy: 0.5,
                macro_f1: 0.25,
                auc: None,
            }),
            seconds: 0.25,
        }
    }

    #[test]
    fn a_run_in_full() {
        let classes = vec![("a".into(), 1200), ("b".into(), 34)];
        let data = DataFacts {
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
            scored_by: None,
            missing: "error".into(),
            target_labels: "score".into(),
            distances: vec![],
            moved: vec![],
        };
        let transfer = TransferFacts {
            chosen: fit("tca", 0.75),
            baseline: Some(fit("none", 0.5)),
            refused: None,
            figure: None,
        };
        let mut context = Context::default();
        context.note("data", "all is well");
        let run = Run::new(data, None, transfer, Figures::default(), 0.5, &context);
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
