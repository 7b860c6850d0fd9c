//! `juyi bench --tasks`: tasks of a user's own, each with every method, learner and seed; and `--join` of its parts.

mod asked;
mod tasks;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use juyi::context::Context;
use juyi::error::{Error, Result, harmless};
use juyi::files::{check_output, write_whole};
use juyi::report::thousands;
use juyi::setting::Setting;
use juyi::sweeps::{
    Column, Compared, Part, Plan, Record, Swept, TableFormat, compared, joined, remarks, run_task, written,
};

use crate::arguments::BenchArguments;
use crate::signals::{last_words, writing};
use crate::terminal::{hand_over, say_aside, say_of};
use tasks::Tasks;

pub(crate) fn run(arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    arguments.surroundings.given.refuse_unused(crate::arguments::unused::Work::Sweep)?;
    let mut context = arguments.surroundings.context()?;
    let own = &arguments.sweep;
    if !own.join.is_empty() {
        return join(arguments);
    }
    let methods = listed(&own.methods);
    let methods = if methods.is_empty() { vec!["none".into(), "auto".into()] } else { methods };
    let columns = Column::all(&methods, &listed(&own.learners))?;
    let file = PathBuf::from(arguments.tasks.join(",")); // a path may hold commas
    let mut tasks = Tasks::read(&file, &mut context)?;
    if let Some(out) = &own.out {
        let inputs = tasks.inputs();
        check_output(out, Setting::Out, inputs.iter().map(PathBuf::as_path))?;
    }
    let seeds = if own.seeds.is_empty() { vec![context.seed()] } else { own.seeds.clone() };
    let figure = own.figure.map(crate::arguments::Figure::of_library);
    let plan = Plan::new(tasks.planned(), columns, seeds, figure)?;
    let part = own.part.unwrap_or(Part::WHOLE);
    let records = sweep(&plan, part, &mut tasks, &context);
    if own.part.is_some() {
        let kept = Swept::new(plan, part, records);
        let json = serde_json::to_string_pretty(&kept)? + "\n";
        deliver(own.out.as_deref(), &json, &format!("{} runs", thousands(kept.records.len())))?;
        return Ok(status(&kept.records));
    }
    table(arguments, &plan, &records)
}

/// All runs of a part. What is done is told where a signal ends it.
fn sweep(plan: &Plan, part: Part, tasks: &mut Tasks, context: &Context) -> Vec<Record> {
    let all = (0..plan.runs()).filter(|&run| part.holds(run)).count();
    let done: Arc<Mutex<Vec<Record>>> = Arc::default();
    let (told, whole) = (Arc::clone(&done), plan.clone());
    last_words(move || {
        let records = told.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, table) = (records.len(), written(&compared(&whole, &records), TableFormat::Markdown));
        format!("\nended after {count} of {all} runs; nothing is written\n\n{}", table.unwrap_or_default())
    });
    let count = |records: &Mutex<Vec<Record>>| records.lock().unwrap_or_else(PoisonError::into_inner).len();
    context.progress("running", 0, all);
    for position in 0..plan.tasks.len() {
        let runs = plan.number(position, 0, 0)..plan.number(position + 1, 0, 0);
        if !runs.clone().any(|run| part.holds(run)) {
            continue;
        }
        let task = tasks.load(position, &mut context.aside());
        let begin = |number: usize| {
            let step = format!("running: {}", plan.run_in_words(number));
            context.progress(&step, count(&done), all);
        };
        let keep = |record| done.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        run_task(plan, position, &task, part, context, begin, keep);
    }
    context.progress("running", all, all);
    let records = std::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner));
    last_words(String::new);
    records
}

/// The table of the parts.
fn join(arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    let files = &arguments.sweep.join;
    if let Some(out) = &arguments.sweep.out {
        check_output(out, Setting::Out, files.iter().map(PathBuf::as_path))?;
    }
    let read = |file: &PathBuf| -> Result<(String, Swept)> {
        let (name, bytes) = (file.display().to_string(), std::fs::read(file));
        let own = Swept::read(&name, &bytes.map_err(|error| Error::io(file, error))?)?;
        Ok((name, own))
    };
    let whole = joined(files.iter().map(read).collect::<Result<_>>()?)?;
    table(arguments, &whole.plan, &whole.records)
}

/// Prints or writes the table, and says aside what it has no place for.
fn table(arguments: &BenchArguments, plan: &Plan, records: &[Record]) -> anyhow::Result<ExitCode> {
    let found = compared(plan, records);
    let format = arguments.sweep.format.unwrap_or(TableFormat::Markdown);
    let text = written(&found, format)?;
    let runs = format!("{} runs", thousands(records.len()));
    deliver(arguments.sweep.out.as_deref(), &text, &runs)?;
    say_aside(&aside(&found, format))?;
    Ok(status(records))
}

/// What the table has no place for: warnings, and below CSV all remarks.
fn aside(found: &Compared, format: TableFormat) -> String {
    let mut out = String::new();
    if format == TableFormat::Csv {
        for line in remarks(found) {
            let _ = writeln!(out, "note: {}", harmless(&line));
        }
    }
    for (task, text, runs) in &found.warnings {
        let times = if *runs > 1 { format!(" ({runs} runs)") } else { String::new() };
        let _ = writeln!(out, "warning: {}", harmless(&format!("{task}: {text}{times}")));
    }
    out
}

/// To the file, whole, or to standard output.
fn deliver(out: Option<&Path>, text: &str, what: &str) -> anyhow::Result<()> {
    let Some(file) = out else { return Ok(hand_over(text)?) };
    let writing = writing();
    write_whole(file, text.as_bytes())?;
    drop(writing);
    say_of(file, &format!("{what} written to {}\n", file.display()))?;
    Ok(())
}

/// 1 where a run failed.
fn status(records: &[Record]) -> ExitCode {
    ExitCode::from(u8::from(records.iter().any(|record| record.failed.is_some())))
}

/// Names at commas that stand in no parentheses.
fn listed(lists: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for list in lists {
        let (mut depth, mut name) = (0usize, String::new());
        for c in list.chars().chain([',']) {
            match c {
                ',' if depth == 0 => {
                    let whole = std::mem::take(&mut name);
                    names.extend(Some(whole.trim().to_string()).filter(|name| !name.is_empty()));
                    continue;
                }
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            name.push(c);
        }
        // A parenthesis that is left open takes the rest, and is refused as a name.
        names.extend(Some(name.trim().trim_end_matches(',').to_string()).filter(|name| !name.is_empty()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_parentheses_part_no_names() {
        let list = |text: &str| listed(&[text.to_string()]);
        assert_eq!(
            list("coral, jda(dimension=30,iterations=5),auto"),
            ["coral", "jda(dimension=30,iterations=5)", "auto"]
        );
        assert_eq!(list("a,,b,"), ["a", "b"]);
        assert_eq!(list("a(b,c"), ["a(b,c"]);
        assert_eq!(listed(&["a".into(), "b,c".into()]), ["a", "b", "c"]);
    }
}
