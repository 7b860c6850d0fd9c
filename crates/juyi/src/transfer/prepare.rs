//! Step 1: from tables to a task, with the labels that only score set aside.

use std::collections::HashMap;

use super::figures::Pixels;
use super::truth::{Truth, label_value};
use super::{Settings, TargetLabels, TaskKind};
use crate::context::Context;
use crate::data::{Cells, Domain, Encoding, Goal, Labels, Table, Task};
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::measures::MovedColumn;
use crate::models::answers_bytes;
use crate::report::DomainFacts;

/// Everything that the tables come down to.
pub(super) struct Prepared {
    pub(super) task: Task,
    /// How they became features.
    pub(super) encoding: Encoding,
    /// Labels that only score.
    pub(super) truth: Truth,
    /// The numbers of the target rows that are kept.
    pub(super) rows: Vec<usize>,
    /// The identifying columns of those rows.
    pub(super) id: Vec<(String, Vec<String>)>,
    /// The pixels of some target rows, where rows are pictures.
    pub(super) pixels: Option<Pixels>,
    /// Sources and target, described.
    pub(super) facts: (Vec<DomainFacts>, DomainFacts),
    /// The columns, the one that moved most first.
    pub(super) moved: Vec<MovedColumn>,
}

/// Reads the labels, decides the encoding, and builds the task.
pub(super) fn prepare(
    mut sources: Vec<Table>,
    mut target: Table,
    settings: &Settings,
    context: &mut Context,
) -> Result<Prepared> {
    let label = settings.label.clone().or_else(|| sources.first().and_then(|table| table.label.clone()));
    let Some(label) = label else {
        return Err(Error::input("`--label`", "is not given", "name the column that is to be predicted"));
    };
    if settings.id.contains(&label) || settings.drop.contains(&label) {
        let hint = "the label is never a feature; name other columns";
        return Err(Error::input("`--id`, `--drop`", format!("name the label's column `{label}`"), hint));
    }
    let mut labelled = Vec::new();
    for table in &sources {
        if table.rows == 0 {
            return Err(Error::input(
                format!("`{}`", table.name),
                "has no rows",
                "give a table with rows below its header",
            ));
        }
        labelled.push(labelled_rows(table, &label, context)?);
    }
    if target.rows == 0 {
        return Err(Error::input(
            format!("`{}`", target.name),
            "has no rows",
            "give a table with rows below its header",
        ));
    }
    let labels: Vec<Cells> = sources.iter().map(|table| label_cells(table, &label)).collect::<Result<_>>()?;
    let target_cells = target.column(&label).map(|column| column.cells.clone());
    let kind = settings.task.map_or_else(|| infer_task(&labels, &sources[0].name, &label, context), Ok)?;
    let used = target_cells.as_ref().filter(|_| settings.target_labels == TargetLabels::Use);
    if settings.target_labels == TargetLabels::Use && used.is_none() {
        let hint = "leave `--target-labels` out, or add the column; empty cells are unlabelled rows";
        return Err(Error::input(format!("`{}`", target.name), format!("has no column `{label}`"), hint));
    }
    let goal = match kind {
        TaskKind::Regression => Goal::Value,
        TaskKind::Classification => Goal::Classes(class_names(labels.iter().chain(used))),
    };
    let filled: usize = labelled.iter().map(Vec::len).sum();
    few_enough(goal.classes(), filled, filled + target.rows, &label, context)?;
    let encoding =
        Encoding::decide(&sources, &target, &label, &settings.id, &settings.drop, settings.missing, context)?;
    let moved =
        if settings.distances { super::distances::moved(&encoding, &sources, &target) } else { Vec::new() };
    let id = identifiers(&target, &settings.id, context)?;
    let none = Cells::Numbers(vec![f64::NAN; target.rows]);
    let truth_cells =
        target_cells.as_ref().filter(|_| settings.target_labels == TargetLabels::Score).unwrap_or(&none);
    let pixels = Pixels::of(&target, truth_cells, &label, settings); // encoding gives up the cells
    let mut domains = Vec::new();
    let mut source_facts = Vec::new();
    let mut held = Held::of(sources.iter().chain([&target]));
    for ((table, cells), labelled) in sources.iter_mut().zip(&labels).zip(&labelled) {
        let (features, kept) = held.turn(table, labelled, &encoding, context)?;
        let domain =
            Domain::labelled(table.name.clone(), features, known_labels(cells, &kept, &goal, &table.name)?);
        source_facts.push(describe(&domain, &goal, &table.remark));
        domains.push(domain);
    }
    let all: Vec<usize> = (0..target.rows).collect();
    let (features, rows) = held.turn(&mut target, &all, &encoding, context)?;
    let truth = Truth::new(truth_cells, &rows, kind, &target.name, context)?;
    let target_domain = target_domain(&target.name, features, &rows, used, &goal)?;
    let target_facts = describe(&target_domain, &goal, &target.remark);
    if domains.len() > 1 {
        let joined = domains.iter().map(|domain| domain.rows() * encoding.width()).sum::<usize>();
        context.require("the sources joined", 8 * joined as u64)?;
    }
    let task = Task::new(domains, target_domain, goal)?;
    let id = of_rows(id, &rows);
    Ok(Prepared { task, encoding, truth, rows, id, pixels, facts: (source_facts, target_facts), moved })
}

/// Bytes of the tables that are still to become features, and of those that have.
pub(super) struct Held {
    tables: u64,
    features: u64,
}

impl Held {
    pub(super) fn of<'a>(tables: impl Iterator<Item = &'a Table>) -> Self {
        Self { tables: tables.map(Table::bytes).sum(), features: 0 }
    }

    /// Turns some rows of a table into features, as [`Encoding::apply_to`] does; the cells make room for them.
    pub(super) fn turn(
        &mut self,
        table: &mut Table,
        rows: &[usize],
        encoding: &Encoding,
        context: &mut Context,
    ) -> Result<(Matrix, Vec<usize>)> {
        self.tables = self.tables.saturating_sub(table.bytes());
        context.hold(self.tables + self.features);
        let (features, kept) = encoding.apply_to(table, rows, context)?;
        self.features += 8 * (features.nrows() * features.ncols()) as u64;
        context.hold(self.tables + self.features);
        Ok((features, kept))
    }
}

/// The target's rows, the numbers of which in their table are `rows`, with the labels that are learnt from.
pub(super) fn target_domain(
    name: &str,
    features: Matrix,
    rows: &[usize],
    used: Option<&Cells>,
    goal: &Goal,
) -> Result<Domain> {
    let mut domain = Domain::unlabelled(name, features, goal);
    if let Some(cells) = used {
        domain.labelled = (0..rows.len()).filter(|&i| !cells.is_missing(rows[i])).collect();
        let filled: Vec<usize> = domain.labelled.iter().map(|&i| rows[i]).collect();
        domain.labels = known_labels(cells, &filled, goal, name)?;
    }
    Ok(domain)
}

pub(super) fn describe(domain: &Domain, goal: &Goal, remark: &str) -> DomainFacts {
    let classes = match (&domain.labels, goal) {
        (Labels::Classes(of), Goal::Classes(names)) => {
            let mut counts = vec![0; names.len()];
            for &c in of {
                counts[c] += 1;
            }
            let counted = names.iter().zip(counts).map(|(name, count)| (name.clone(), count));
            counted.filter(|(_, count)| *count > 0).collect()
        }
        _ => Vec::new(),
    };
    let (name, remark) = (domain.name.clone(), remark.to_string());
    DomainFacts { name, rows: domain.rows(), labelled: domain.labelled.len(), classes, remark }
}

/// The label's column of a table.
pub(super) fn label_cells(table: &Table, label: &str) -> Result<Cells> {
    let found = table.column(label).map(|column| column.cells.clone());
    found.ok_or_else(|| Error::Unknown {
        kind: format!("label column of `{}`", table.name),
        name: label.into(),
        known: table.columns.iter().take(40).map(|column| column.name.clone()).collect(),
    })
}

/// The source rows that have a label; the others are left out.
fn labelled_rows(table: &Table, label: &str, context: &mut Context) -> Result<Vec<usize>> {
    let cells = label_cells(table, label)?;
    let keep: Vec<usize> = (0..table.rows).filter(|&row| !cells.is_missing(row)).collect();
    if keep.is_empty() {
        let hint = "a source needs labels; is this the target?";
        return Err(Error::input(format!("`{}`", table.name), format!("column `{label}` is empty"), hint));
    }
    if keep.len() < table.rows {
        let text =
            format!("`{}`: {} rows have no label and are left out", table.name, table.rows - keep.len());
        context.warn("data", text);
    }
    Ok(keep)
}

/// Most classes that are taken for granted when the labels are whole numbers, or nearly as many as rows.
const MANY_CLASSES: usize = 100;

/// A label with a value of its own for one row in so many looks like an identifier.
const ONE_IN: usize = 5;

/// Warns of a label that looks like an identifier, and refuses classes of which the scores alone would not fit: `filled`
/// rows have a label, `rows` get scores.
fn few_enough(classes: usize, filled: usize, rows: usize, label: &str, context: &mut Context) -> Result<()> {
    let mut looks = String::new();
    if classes > MANY_CLASSES && ONE_IN * classes > filled {
        let text = format!(
            "column `{label}` has {classes} different values in {filled} rows and looks like an identifier: name the \
             column that is to be predicted with `--label`, or say `--task regression` if its numbers are meant"
        );
        context.warn_at_once("data", text);
        looks = format!(" (`{label}` looks like an identifier)");
    }
    let scores = format!("the scores of {rows} rows for {classes} classes{looks}");
    context.require(&scores, answers_bytes(rows, classes))
}

/// Text labels are classes; numbers with a fraction are values; whole numbers are classes while they are few.
fn infer_task(labels: &[Cells], table: &str, label: &str, context: &mut Context) -> Result<TaskKind> {
    let names = class_names(labels);
    let values: Vec<Option<f64>> = names.iter().map(|name| name.parse().ok()).collect();
    if values.iter().any(Option::is_none) {
        return Ok(TaskKind::Classification);
    }
    if values.iter().flatten().any(|v: &f64| v.fract() != 0.0) {
        context.note(
            "data",
            format!("`{label}` holds numbers with a fraction: they are predicted as numbers (regression)"),
        );
        return Ok(TaskKind::Regression);
    }
    if names.len() > MANY_CLASSES {
        let problem = format!("column `{label}` has {} different whole numbers", names.len());
        let hint = "say `--task classification` or `--task regression`";
        return Err(Error::input(format!("`{table}`"), problem, hint));
    }
    Ok(TaskKind::Classification)
}

/// The different labels: in order of value if all are numbers, else of the alphabet.
pub(super) fn class_names<'a>(labels: impl IntoIterator<Item = &'a Cells>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for cells in labels {
        match cells {
            Cells::Text { codes, values } => {
                let mut seen = vec![false; values.len()];
                for code in codes {
                    if let Some(seen) = seen.get_mut(*code as usize) {
                        *seen = true;
                    }
                }
                names.extend(
                    values.iter().zip(seen).filter(|(_, seen)| *seen).map(|(value, _)| value.clone()),
                );
            }
            Cells::Numbers(numbers) => {
                names.extend(numbers.iter().filter(|v| !v.is_nan()).map(f64::to_string));
            }
        }
    }
    sorted(names)
}

/// Each name once: in order of value if all are numbers, else of the alphabet.
pub(super) fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        names.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse().unwrap_or(0.0)));
    }
    names
}

/// The labels of these rows, all filled.
fn known_labels(cells: &Cells, rows: &[usize], goal: &Goal, table: &str) -> Result<Labels> {
    let text = |row: usize| cells.text(row).unwrap_or_default();
    Ok(match goal {
        Goal::Classes(names) => {
            let position: HashMap<&str, usize> =
                names.iter().enumerate().map(|(c, name)| (name.as_str(), c)).collect();
            Labels::Classes(rows.iter().map(|&row| position[text(row).as_str()]).collect())
        }
        Goal::Value => Labels::Values(
            rows.iter().map(|&row| label_value(&text(row), table, row)).collect::<Result<_>>()?,
        ),
    })
}

/// The identifying columns as text.
pub(super) fn identifiers(
    table: &Table,
    names: &[String],
    context: &Context,
) -> Result<Vec<(String, Vec<String>)>> {
    let columns: Vec<_> = names.iter().filter_map(|name| table.column(name)).collect();
    let need = columns.iter().map(|column| column.cells.unfolded_bytes()).sum();
    context.require(&format!("the identifying columns of `{}`", table.name), need)?;
    let cells = |cells: &Cells| (0..table.rows).map(|row| cells.text(row).unwrap_or_default()).collect();
    Ok(columns.into_iter().map(|column| (column.name.clone(), cells(&column.cells))).collect())
}

/// What [`identifiers`] found, of these rows of the table.
pub(super) fn of_rows(id: Vec<(String, Vec<String>)>, rows: &[usize]) -> Vec<(String, Vec<String>)> {
    let kept = |cells: &[String]| rows.iter().map(|&row| cells[row].clone()).collect();
    id.into_iter().map(|(name, cells)| (name, kept(&cells))).collect()
}
