//! What it takes to repeat the run, and what it took.

use std::fmt::Write;

use serde_json::Value;

use super::escape;
use super::numbers::time;
use super::table::{Cell, table};
use crate::error::bytes;
use crate::report::run::{FitFacts, Run};

/// Command, facts, parameters.
pub(super) fn record(run: &Run) -> String {
    let mut out = String::new();
    if !run.command.is_empty() {
        let _ = writeln!(
            out,
            "<p>The command that repeats the run, in the folder where it was given:</p>\n\
             <pre class=\"command\" tabindex=\"0\" role=\"region\" aria-label=\"Command\"><code>{}</code></pre>",
            escape(&shell(&run.command))
        );
    }
    let mut facts = vec![
        ("version", run.version.clone()),
        ("seed", run.seed.to_string()),
        ("time", time(run.seconds)),
        ("threads", run.threads.to_string()),
        ("memory at its peak", run.peak_memory.map_or_else(|| "not known".into(), bytes)),
        ("memory budget", bytes(run.memory)),
        ("missing cells", run.data.missing.clone()),
        ("target labels", run.data.target_labels.clone()),
        ("carried over", run.transfer.chosen.carries.clone()),
        ("model holds rows of the data", if run.transfer.chosen.stores_rows { "yes" } else { "no" }.into()),
    ];
    if let Some(choice) = &run.select {
        facts.insert(3, ("time of the choice", time(choice.seconds)));
    }
    out.push_str("<dl class=\"facts\">\n");
    for (name, value) in facts {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value));
    }
    out.push_str("</dl>\n<h3>Parameters</h3>\n");
    let rows: Vec<Vec<Cell>> =
        [&run.transfer.chosen].into_iter().chain(&run.transfer.baseline).flat_map(parameters).collect();
    out + &table("Parameters", &["parameter", "value", "method"], &rows)
}

/// Every parameter of a fit, learner and preprocessing among them.
fn parameters(fit: &FitFacts) -> Vec<Vec<Cell>> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, value) in fit.params.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => "automatic".into(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        all.push((name.clone(), value));
    }
    all.extend(fit.learner.iter().map(|learner| ("learner".to_string(), learner.clone())));
    all.push(("preprocessing".into(), fit.preprocess.join(", ")));
    let row = |(name, value): &(String, String)| [name, value, fit.title()].map(Cell::text).into();
    all.iter().map(row).collect()
}

/// The words of a command, quoted for a POSIX shell where they need it.
fn shell(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    let quoted = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_typed() {
        let words = ["juyi", "--label", "my label", "", "it's", "$HOME", "a=1,b=2"].map(str::to_string);
        assert_eq!(shell(&words), r"juyi --label 'my label' '' 'it'\''s' '$HOME' a=1,b=2");
    }
}
