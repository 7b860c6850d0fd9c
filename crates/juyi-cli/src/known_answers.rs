//! `juyi bench choice`: the choice on tasks whose answer is known.

use std::process::ExitCode;

use juyi::choice::Verdict;
use juyi::files::write_whole;
use juyi::report::folder::check_output;
use juyi::setting::Setting;
use juyi::tables::{Answered, calibrate, known_answers};

use crate::arguments::BenchArguments;
use crate::terminal::say;

/// The name of the table.
pub(crate) const TABLE: &str = "choice";

pub(crate) fn run(arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    let context = arguments.surroundings.context()?;
    if let Some(file) = &arguments.calibrate {
        check_output(file, Setting::Calibrate, [arguments.data()])?;
    }
    let mut broken = Ok(());
    let mut heading = if arguments.json { String::new() } else { heading() };
    let all = known_answers(arguments.data(), &arguments.tasks, arguments.halves, &context, |row| {
        let line = if arguments.json { serde_json::to_string(row).unwrap_or_default() } else { line(row) };
        if broken.is_ok() {
            broken = say(&(std::mem::take(&mut heading) + &line + "\n"));
        }
    })?;
    broken?;
    if !arguments.json {
        let mut groups: Vec<&str> = all.iter().map(|row| row.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            let rows: Vec<&Answered> = all.iter().filter(|row| row.group == group).collect();
            say(&(summary(group, &rows) + "\n"))?;
        }
    }
    if let Some(file) = &arguments.calibrate {
        let constants = serde_json::to_string_pretty(&calibrate(&all)?)? + "\n";
        write_whole(file, constants.as_bytes())?;
        say(&format!("\nconstants written to {}\n", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn heading() -> String {
    format!(
        "{:<36}{:<18}{:<16}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>16}{:>9}\n",
        "task",
        "verdict",
        "units",
        "gain",
        "true",
        "written",
        "plain",
        "before",
        "best",
        "expected",
        "seconds"
    )
}

fn line(row: &Answered) -> String {
    let points = |v: f64| format!("{:.1}", 100.0 * v);
    let optional = |v: Option<f64>| v.map_or_else(|| "-".into(), points);
    let expected = row.expected.map_or_else(
        || "-".into(),
        |e| format!("{} ({}-{})", points(e.value), points(e.low), points(e.high)),
    );
    let halves =
        row.halves.map_or_else(String::new, |(away, seen)| format!("  {} {}", points(away), points(seen)));
    format!(
        "{:<36}{:<18}{:<16}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>18}{:>7.1}{}{halves}",
        row.task,
        row.verdict.name(),
        row.reading.map_or("-", |reading| reading.name()),
        points(row.gain.value),
        optional(row.true_gain),
        points(row.written),
        points(row.plain),
        points(row.baseline),
        optional(row.oracle),
        expected,
        row.seconds,
        if row.harmed() { "  HARM" } else { "" },
    )
}

/// Captured gain, harm and coverage over some tasks.
fn summary(group: &str, rows: &[&Answered]) -> String {
    let count = |is: &dyn Fn(&Answered) -> bool| rows.iter().filter(|row| is(row)).count();
    let sum = |of: &dyn Fn(&Answered) -> f64| rows.iter().map(|row| of(row)).sum::<f64>();
    let gained = sum(&|row| row.oracle.map_or(0.0, |_| row.written - row.baseline));
    let possible = sum(&|row| row.oracle.map_or(0.0, |oracle| oracle - row.baseline));
    let transferred = count(&|row| row.verdict == Verdict::Transfer);
    let worth =
        count(&|row| row.verdict == Verdict::Transfer && row.true_gain.is_some_and(|gain| gain >= 0.01));
    let covered =
        count(&|row| row.true_gain.is_some_and(|gain| row.gain.low <= gain && gain <= row.gain.high));
    let known = count(&|row| row.true_gain.is_some());
    let expected = count(&|row| row.expected.is_some_and(|e| e.low <= row.written && row.written <= e.high));
    let above = count(&|row| row.floor.is_some_and(|floor| floor <= row.written));
    let floors = count(&|row| row.floor.is_some());
    let n = rows.len() as f64;
    format!(
        "\n{group}: {} tasks, {} harmed; captured {}; written {:.1}, plain {:.1}, before {:.1} in the mean; transfer said {transferred} times, a gain \
         of a point {worth} times;\ninterval of the gain covers {covered} of {known}, of what is expected {expected} of {}; the floor holds in {above} of {floors}; {:.1} s",
        rows.len(),
        count(&Answered::harmed),
        if possible > 0.0 { format!("{:.1} %", 100.0 * gained / possible) } else { "-".into() },
        100.0 * sum(&|row| row.written) / n,
        100.0 * sum(&|row| row.plain) / n,
        100.0 * sum(&|row| row.baseline) / n,
        rows.len(),
        sum(&|row| row.seconds),
    )
}
