//! The table of a sweep as it is written: no time stands in it, so that the same runs give the same bytes.

use std::fmt::Write;

use super::compared::{Compared, ComparedTask, Failure};
use super::escape::{latex, markdown};
use crate::error::{Error, Result, harmless};
use crate::measures::Figure;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// A Markdown table, with what failed below it.
    Markdown,
    /// Numbers as they are, shares from 0 to 1; the deviation and the verdicts in columns of their own.
    Csv,
    /// A `tabular` of LaTeX, with what failed in comments.
    Latex,
}

impl TableFormat {
    /// All of them, with their names.
    pub const NAMES: [(&str, Self); 3] = [("md", Self::Markdown), ("csv", Self::Csv), ("latex", Self::Latex)];
}

/// A comparison as a table.
///
/// # Errors
/// None that memory can give.
pub fn written(of: &Compared, format: TableFormat) -> Result<String> {
    match format {
        TableFormat::Markdown => Ok(as_markdown(of)),
        TableFormat::Csv => as_csv(of),
        TableFormat::Latex => Ok(as_latex(of)),
    }
}

/// A figure as people read it: shares in percent.
fn number(value: f64, figure: Figure) -> String {
    match figure {
        _ if figure.is_of_classes() => format!("{:.2}", 100.0 * value),
        Figure::R2 => format!("{value:.4}"),
        _ if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) => format!("{value:.3e}"),
        _ => format!("{value:.4}"),
    }
}

fn p_value(p: f64) -> String {
    if p < 0.0001 { "<0.0001".into() } else { format!("{p:.4}") }
}

/// What the figures are.
fn about(of: &Compared) -> String {
    let unit = |figure: Figure| if figure.is_of_classes() { " in percent" } else { "" };
    let title = |figure: Figure| format!("{}{}", figure.title(), unit(figure));
    let mut kinds: Vec<String> = of.tasks.iter().filter_map(|task| task.figure.map(title)).collect();
    kinds.sort();
    kinds.dedup();
    let kinds = if kinds.is_empty() { "no figure".into() } else { kinds.join(" or ") };
    let seeds = if of.seeds > 1 {
        format!(", mean over {} seeds ± their standard deviation", of.seeds)
    } else {
        String::new()
    };
    format!("{kinds}{seeds}")
}

/// The verdicts of a cell.
fn verdicts(of: &[(String, usize)]) -> String {
    match of {
        [] => String::new(),
        [(one, _)] => one.clone(),
        several => {
            several.iter().map(|(said, times)| format!("{said} {times}")).collect::<Vec<_>>().join(", ")
        }
    }
}

/// A cell as people read it.
fn cell(task: &ComparedTask, column: usize) -> String {
    let Some(((mean, deviation), figure)) = task.figures[column].zip(task.figure) else { return "-".into() };
    let mut text = number(mean, figure);
    if let Some(deviation) = deviation {
        let _ = write!(text, " ± {}", number(deviation, figure));
    }
    let said = verdicts(&task.verdicts[column]);
    if said.is_empty() { text } else { format!("{text}, {said}") }
}

/// The cells of a table for people, row by row, the heading first.
fn cells(of: &Compared) -> Vec<Vec<String>> {
    let optional = |value: &Option<f64>, text: &dyn Fn(f64) -> String| value.map_or_else(|| "-".into(), text);
    let row = |name: &str, cells: Vec<String>| [vec![name.to_string()], cells].concat();
    let mut rows = vec![row("task", of.columns.clone())];
    for task in &of.tasks {
        rows.push(row(&task.name, (0..of.columns.len()).map(|c| cell(task, c)).collect()));
    }
    if let Some(figure) = of.figure {
        rows.push(row("mean", of.means.iter().map(|v| optional(v, &|v| number(v, figure))).collect()));
    }
    rows.push(row("mean rank", of.ranks.iter().map(|v| optional(v, &|v| format!("{v:.2}"))).collect()));
    if of.columns.len() > 1 && of.figure.is_some() {
        rows.push(row("p-value", of.p_values.iter().map(|v| optional(v, &p_value)).collect()));
    }
    rows
}

fn tasks(count: usize) -> String {
    if count == 1 { "1 task".into() } else { format!("{count} tasks") }
}

/// What is to be said below a table.
pub fn remarks(of: &Compared) -> Vec<String> {
    let mut said = Vec::new();
    if of.whole < of.tasks.len() {
        let why = if of.missing > 0 { "have a figure of every method" } else { "did not fail" };
        said.push(format!(
            "means and ranks are over the {} of {} tasks that {why}",
            of.whole,
            of.tasks.len()
        ));
    }
    if of.figure.is_none() && of.whole > 0 {
        said.push("tasks have different figures: there is no mean, and no test".into());
    }
    if of.p_values.iter().any(Option::is_some) {
        let first = &of.columns[0];
        let text = format!("p-value: signed-rank test against {first} over {}, two-sided", tasks(of.whole));
        said.push(text);
    }
    if of.missing > 0 {
        let (runs, were) = if of.missing == 1 { ("run", "was") } else { ("runs", "were") };
        said.push(format!("{} {runs} {were} not done", of.missing));
    }
    for Failure { task, column, seeds, reason } in &of.failures {
        let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
        let word = if seeds.len() > 1 { "seeds" } else { "seed" };
        said.push(format!("{task}, {column}, {word} {}: {reason}", seeds.join(", ")));
    }
    said
}

fn as_markdown(of: &Compared) -> String {
    let rows: Vec<Vec<String>> =
        cells(of).iter().map(|row| row.iter().map(|text| markdown(text)).collect()).collect();
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0).max(3);
    let widths: Vec<usize> = (0..=of.columns.len()).map(width).collect();
    let mut out = markdown(&about(of)) + "\n\n";
    for (k, row) in rows.iter().enumerate() {
        out += "|";
        for (c, text) in row.iter().enumerate() {
            let wide = widths[c];
            let _ = if c == 0 { write!(out, " {text:<wide$} |") } else { write!(out, " {text:>wide$} |") };
        }
        out += "\n";
        if k == 0 {
            let rule = |(c, wide): (usize, &usize)| {
                if c == 0 {
                    format!(" {} |", "-".repeat(*wide))
                } else {
                    format!(" {}: |", "-".repeat(wide - 1))
                }
            };
            let _ = writeln!(out, "|{}", widths.iter().enumerate().map(rule).collect::<String>());
        }
    }
    let said = remarks(of);
    if !said.is_empty() {
        out += "\n";
        for line in said {
            let _ = writeln!(out, "- {}", markdown(&line));
        }
    }
    out
}

fn as_latex(of: &Compared) -> String {
    let mut out = format!(
        "% {}\n\\begin{{tabular}}{{l{}}}\n\\hline\n",
        harmless(&about(of)),
        "r".repeat(of.columns.len())
    );
    let rows = cells(of);
    for (k, row) in rows.iter().enumerate() {
        let row: Vec<String> = row.iter().map(|text| latex(text)).collect();
        let _ = writeln!(out, "{} \\\\", row.join(" & "));
        if k == 0 || k == of.tasks.len() {
            out += "\\hline\n";
        }
    }
    out += "\\hline\n\\end{tabular}\n";
    for line in remarks(of) {
        let _ = writeln!(out, "% {}", harmless(&line));
    }
    out
}

fn as_csv(of: &Compared) -> Result<String> {
    let failed = |why: String| Error::Numeric { what: "writing CSV".into(), why };
    let several = of.seeds > 1;
    let judged: Vec<bool> =
        (0..of.columns.len()).map(|c| of.tasks.iter().any(|task| !task.verdicts[c].is_empty())).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut put = |name: &str, figure: &str, cell: &dyn Fn(usize) -> [String; 3]| {
        let mut row = vec![harmless(name), figure.to_string()];
        for (c, judged) in judged.iter().enumerate() {
            let [value, deviation, said] = cell(c);
            row.push(value);
            row.extend(several.then_some(deviation));
            row.extend(judged.then_some(said));
        }
        writer.write_record(&row).map_err(|error| failed(error.to_string()))
    };
    let plain = |value: Option<f64>| value.map_or_else(String::new, |v| v.to_string());
    put("task", "figure", &|c| {
        let title = harmless(&of.columns[c]);
        [title.clone(), format!("{title}: deviation"), format!("{title}: verdict")]
    })?;
    for task in &of.tasks {
        put(&task.name, task.figure.map_or("", Figure::name), &|c| {
            let (mean, deviation) = task.figures[c].unzip();
            [plain(mean), plain(deviation.flatten()), verdicts(&task.verdicts[c])]
        })?;
    }
    let alone = |of: &[Option<f64>], c: usize| [plain(of[c]), String::new(), String::new()];
    if let Some(figure) = of.figure {
        put("mean", figure.name(), &|c| alone(&of.means, c))?;
    }
    put("mean rank", "", &|c| alone(&of.ranks, c))?;
    if of.columns.len() > 1 && of.figure.is_some() {
        put("p-value", "", &|c| alone(&of.p_values, c))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}
