//! Published tables, run again: each cell is one call of [`transfer`] on the files, set beside the published number
//! and, where the protocol is deterministic, beside the number that it must give.

mod amazon_reviews;
mod digits_jda;
mod known_answers;
mod office_caltech_draws;
mod office_caltech_images;
mod office_caltech_surf;

pub use known_answers::{Answered, calibrate, known_answers};

use std::collections::HashMap;
use std::path::Path;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::{Map as JsonMap, Value};

use crate::context::Context;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::measures::Scores;
use crate::methods::method;
use crate::models::Preprocess;
use crate::transfer::{Settings, transfer};

/// A published table.
pub struct PublishedTable {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is, with its source.
    pub about: &'static str,
    /// Whether the files are folders of pictures, which a network turns into rows.
    pub pictures: bool,
    /// Where the files are below the data folder; label variables included.
    files: &'static [(&'static str, &'static str)],
    /// Source and target of each task, positions in `files`.
    tasks: &'static [(usize, usize)],
    /// Of how many source rows a class, file by file, each run is; all rows where there is nothing.
    drawn: &'static [usize],
    /// What is run when a method without a line is asked for.
    preprocess: &'static [Preprocess],
    lines: &'static [Line],
}

/// One method of a table.
struct Line {
    /// As the table calls it.
    label: &'static str,
    method: &'static str,
    /// `key=value` pairs.
    params: &'static [(&'static str, &'static str)],
    /// A parameter that each task has its own value of.
    per_task: Option<(&'static str, &'static [&'static str])>,
    learner: Option<&'static str>,
    preprocess: &'static [Preprocess],
    /// Accuracy in percent, one a task; none where the source has the average only.
    cells: &'static [f64],
    /// Their mean, if the source has one.
    average: Option<f64>,
    /// Decimals that the source prints; `None` where the numbers are those of another program.
    published_decimals: Option<i32>,
    check: Check,
}

/// Which of a line's numbers must come out.
#[derive(PartialEq)]
enum Check {
    /// All, to one target row.
    Cells,
    /// The average, to so many percent.
    Average(f64),
    /// None: the source leaves a part of its protocol open, or used the target's labels. They are shown beside ours.
    Nothing,
}

impl Line {
    /// What a line is unless it says otherwise.
    const PLAIN: Self = Self {
        label: "",
        method: "",
        params: &[],
        per_task: None,
        learner: Some("1-nn"),
        preprocess: &[],
        cells: &[],
        average: None,
        published_decimals: Some(2),
        check: Check::Cells,
    };
}

/// One cell, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The table.
    pub table: &'static str,
    /// `source->target`, or `average`.
    pub task: String,
    /// The method with its settings.
    pub method: String,
    /// Measured, in percent; where source rows are drawn, the mean over the draws.
    pub accuracy: f64,
    /// The deviation over the draws.
    pub deviation: Option<f64>,
    /// Printed in the source, in percent.
    pub published: Option<f64>,
    /// What the protocol gives, in percent.
    pub expected: Option<f64>,
    /// How far `accuracy` may be from `expected`: one target row, in an average the largest such step over the number
    /// of tasks, or what the line allows.
    pub tolerance: Option<f64>,
    /// Whether it is not further.
    pub within: Option<bool>,
    /// Time of fit and prediction.
    pub seconds: f64,
}

/// All tables.
pub const TABLES: &[&PublishedTable] = &[
    &office_caltech_surf::TABLE,
    &office_caltech_draws::TABLE,
    &office_caltech_images::TABLE,
    &digits_jda::TABLE,
    &amazon_reviews::TABLE,
];

/// The table of this name.
///
/// # Errors
/// [`Error::Unknown`].
pub fn table(name: &str) -> Result<&'static PublishedTable> {
    TABLES.iter().find(|table| table.name == name).copied().ok_or_else(|| Error::Unknown {
        kind: "table".into(),
        name: name.into(),
        known: TABLES.iter().map(|table| table.name.to_string()).collect(),
    })
}

/// Runs a table, or only the lines of one method; a method without a line runs with its defaults. `read` makes rows of a
/// file, or of a folder of [`PublishedTable::pictures`]; `each` sees every row as it is done.
///
/// # Errors
/// What `read` and the runs report.
pub fn run(
    table: &PublishedTable,
    read: impl FnMut(&str) -> Result<Table>,
    data: &Path,
    only: Option<&str>,
    context: &Context,
    mut each: impl FnMut(&Row),
) -> Result<Vec<Row>> {
    let extra;
    let lines: Vec<&Line> = match only {
        None => table.lines.iter().collect(),
        Some(name) => {
            let own: Vec<&Line> = table.lines.iter().filter(|line| line.method == name).collect();
            if own.is_empty() {
                let row = method(name)?;
                extra = Line {
                    label: row.name,
                    method: row.name,
                    learner: None,
                    preprocess: table.preprocess,
                    check: Check::Nothing,
                    ..Line::PLAIN
                };
                vec![&extra]
            } else {
                own
            }
        }
    };
    let specs =
        table.files.iter().map(|(file, variables)| format!("{}{variables}", data.join(file).display()));
    let mut read = read;
    let id: Vec<String> = table.pictures.then(|| "picture".into()).into_iter().collect();
    let files: Vec<Table> = specs.map(|spec| read(&spec)).collect::<Result<_>>()?;
    let mut rows = Vec::new();
    for line in lines {
        let mut line_rows: Vec<Row> = Vec::new();
        for (k, &(source, target)) in table.tasks.iter().enumerate() {
            let task = format!("{}->{}", short_name(table, k, true), short_name(table, k, false));
            let step = 100.0 / files[target].rows as f64;
            let draws = if table.drawn.is_empty() { 1 } else { DRAWS };
            let mut accuracies = Vec::new();
            let mut seconds = 0.0;
            for draw in 0..draws {
                let source = match table.drawn.get(source) {
                    None => files[source].clone(),
                    // The same rows for every line.
                    Some(&count) => {
                        drawn(&files[source], count, &mut context.rng(&format!("draw {draw} of task {k}")))
                    }
                };
                let settings = Settings { id: id.clone(), ..line.settings(k) };
                let outcome = transfer(vec![source], files[target].clone(), &settings, &mut context.clone())?;
                accuracies.push(match outcome.run.transfer.chosen.scores {
                    Some(Scores::Classification { accuracy, .. }) => 100.0 * accuracy,
                    _ => return Err(Error::input(task, "was not scored", "")),
                });
                seconds += outcome.run.transfer.chosen.seconds;
            }
            let accuracy = accuracies.iter().sum::<f64>() / draws as f64;
            let tolerance = (line.check == Check::Cells).then_some(step);
            let row = line.row(table.name, task, accuracy, line.cells.get(k).copied(), tolerance, seconds);
            let squares: f64 = accuracies.iter().map(|a| (a - accuracy).powi(2)).sum();
            let row = Row { deviation: (draws > 1).then(|| (squares / (draws - 1) as f64).sqrt()), ..row };
            each(&row);
            line_rows.push(row);
        }
        if let Some(average) = line.average {
            let n = line_rows.len() as f64;
            let mean = |value: &dyn Fn(&Row) -> f64| line_rows.iter().map(value).sum::<f64>() / n;
            let tolerance = match line.check {
                Check::Cells => {
                    Some(line_rows.iter().filter_map(|row| row.tolerance).fold(0.0, f64::max) / n)
                }
                Check::Average(tolerance) => Some(tolerance),
                Check::Nothing => None,
            };
            let accuracy = mean(&|row| row.accuracy);
            let seconds = n * mean(&|row| row.seconds);
            let row = line.row(table.name, "average".into(), accuracy, Some(average), tolerance, seconds);
            each(&row);
            line_rows.push(row);
        }
        rows.extend(line_rows);
    }
    Ok(rows)
}

impl Line {
    fn settings(&self, task: usize) -> Settings {
        let own = self.per_task.map(|(name, values)| (name, values[task]));
        let value = |(name, value): &(&str, &str)| ((*name).to_string(), Value::from(*value));
        Settings {
            method: self.method.into(),
            params: self.params.iter().chain(&own).map(value).collect::<JsonMap<_, _>>(),
            learner: self.learner.map(str::to_string),
            preprocess: self.preprocess.to_vec(),
            distances: false, // a table is about accuracies
            ..Settings::default()
        }
    }

    /// A cell whose number is `value`, and must come out to `tolerance`.
    fn row(
        &self,
        table: &'static str,
        task: String,
        accuracy: f64,
        value: Option<f64>,
        tolerance: Option<f64>,
        seconds: f64,
    ) -> Row {
        let expected = value.filter(|_| tolerance.is_some());
        // Printed numbers are rounded to two decimals.
        let tolerance = expected.and(tolerance).map(|tolerance| tolerance + 0.005);
        let within =
            expected.zip(tolerance).map(|(expected, tolerance)| (accuracy - expected).abs() <= tolerance);
        let printed = |(value, decimals): (f64, i32)| {
            let power = 10f64.powi(decimals);
            (value * power).round() / power
        };
        let published = value.zip(self.published_decimals).map(printed);
        Row {
            table,
            task,
            method: self.label.into(),
            accuracy,
            deviation: None,
            published,
            expected,
            tolerance,
            within,
            seconds,
        }
    }
}

/// Each of four domains as the source of each other one.
const ALL_PAIRS: &[(usize, usize)] =
    &[(0, 1), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 0), (2, 1), (2, 3), (3, 0), (3, 1), (3, 2)];

/// Draws of source rows, where a table has them.
const DRAWS: usize = 20;

/// The table with `count` rows of each class, drawn by `rng`, in their order.
fn drawn(table: &Table, count: usize, rng: &mut ChaCha8Rng) -> Table {
    let label = table.label.as_ref().and_then(|label| table.column(label));
    let class = |row: usize| label.and_then(|column| column.cells.text(row));
    let mut order: Vec<usize> = (0..table.rows).collect();
    order.shuffle(rng);
    let mut seen: HashMap<Option<String>, usize> = HashMap::new();
    order.retain(|&row| {
        let seen = seen.entry(class(row)).or_default();
        *seen += 1;
        *seen <= count
    });
    order.sort_unstable();
    table.select(&order)
}

/// What a task's source or target is called in the table.
fn short_name(table: &PublishedTable, task: usize, source: bool) -> String {
    let (from, to) = table.tasks[task];
    let (file, variables) = table.files[if source { from } else { to }];
    match variables {
        ":X_src,Y_src" => "MNIST".into(),
        ":X_tar,Y_tar" => "USPS".into(),
        _ => {
            let name = file.rsplit('/').next().unwrap_or(file);
            name.chars().take(1).flat_map(char::to_uppercase).collect()
        }
    }
}
