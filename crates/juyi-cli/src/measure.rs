//! `juyi measure`.

use std::fmt::Write;
use std::process::ExitCode;

use juyi::context::Context;
use juyi::error::{Error, harmless};
use juyi::measures::{MovedColumn, measure_with};
use juyi::report::{distance_line, thousands};
use juyi::transfer::{Measured, measure};

use crate::arguments::{MeasureArguments, params};
use crate::terminal::{hand_over, notes, say};
use crate::transfer::{data_settings, tables, work};

pub(crate) fn run(arguments: &MeasureArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    arguments.surroundings.given.refuse_unused(work(&arguments.tables))?;
    let (sources, target) = tables(&arguments.tables, context)?;
    let given = params(&arguments.set)?;
    let asked = arguments.by.as_ref().map(|name| measure_with(name, &given)).transpose()?;
    if asked.is_none() && !given.is_empty() {
        let hint = "name the measure whose parameters they are with `--by`";
        return Err(Error::input("`--set`", "sets parameters of a measure, and none is named", hint).into());
    }
    let asked = asked.map(|measure| [measure]);
    let settings = data_settings(&arguments.tables);
    let measured = measure(sources, target, &settings, asked.as_ref().map(<[_; 1]>::as_slice), context)?;
    if arguments.json {
        hand_over(&(serde_json::to_string_pretty(&measured)? + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = text(&measured, arguments.columns)?;
    out += &notes(context);
    say(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn text(measured: &Measured, most: usize) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let (source, target) = (thousands(measured.rows.0), thousands(measured.rows.1));
    writeln!(out, "distances of {source} source and {target} target rows, standardised by the source")?;
    let width = measured.distances.iter().map(|distance| distance.name.chars().count()).max().unwrap_or(0);
    for distance in &measured.distances {
        let words = distance.words().map_or_else(String::new, |words| format!(": {words}"));
        let line = distance_line(distance);
        writeln!(out, "  {:<width$}  {line}{words}   {}", distance.name, distance.about)?;
    }
    let moved = measured.moved.iter().filter(|column| column.moved()).count();
    let all = thousands(measured.moved.len());
    writeln!(out, "{moved} of {all} columns moved (p below 0.05, corrected for their number)")?;
    let named = |column: &MovedColumn| MovedColumn { column: harmless(&column.column), ..column.clone() };
    let shown: Vec<MovedColumn> = measured.moved.iter().take(most).map(named).collect();
    let width = |of: &dyn Fn(&MovedColumn) -> usize, title: &str| {
        shown.iter().map(of).max().unwrap_or(0).max(title.len())
    };
    let name = width(&|column| column.column.chars().count(), "column");
    let source = width(&|column| column.source.chars().count(), "source");
    if !shown.is_empty() {
        writeln!(
            out,
            "  {:<name$}  {:<10}  distance  p-value  {:<20}  {:<source$}  target",
            "column", "test", "in words", "source"
        )?;
    }
    for column in &shown {
        let p = if column.p_value < 0.0001 { "<0.0001".into() } else { format!("{:.4}", column.p_value) };
        writeln!(
            out,
            "  {:<name$}  {:<10}  {:>8.3}  {p:>7}  {:<20}  {:<source$}  {}",
            column.column,
            column.test,
            column.distance,
            column.words(),
            column.source,
            column.target
        )?;
    }
    if measured.moved.len() > shown.len() {
        let more = thousands(measured.moved.len() - shown.len());
        writeln!(out, "  and {more} more (`--columns N`, or all with `--json`)")?;
    }
    Ok(out)
}
