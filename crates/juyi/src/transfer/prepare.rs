//! Step 1: from tables to a task, with the labels that only score set aside.

use std::borrow::Cow;

use super::distances::{distances, labels_apart, labels_beyond};
use super::figures::Pixels;
use super::labels::{
    Written, check_given, classes, compare_with_target, few_enough, infer_task, known_labels, label_cells,
    label_numbers, labelled_rows, labels_table, tell_absent, two_classes, unlabelled_in_sources,
};
use super::steps::Data;
use super::truth::Truth;
use super::{Settings, TargetLabels, TaskKind, beyond, degenerate, units};
use crate::context::Context;
use crate::data::{
    Cells, Domain, Encoding, Goal, Labels, Missing, Notations, Table, Task, read_labels, read_labels_later,
    read_numbers, sentinels_in, thousands_among_labels, truths_as_numbers,
};
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::measures::Distance;
use crate::models::Map;
use crate::report::{DomainFacts, Predictions, SourceRows, SourceWeights};

/// Reads the labels, decides the encoding, builds the task, and looks how its domains lie to each other.
pub(super) fn prepare(
    mut sources: Vec<Table>,
    mut target: Table,
    settings: &Settings,
    context: &mut Context,
) -> Result<(Task, Data)> {
    let label = settings.label.clone().or_else(|| sources.first().and_then(|table| table.label.clone()));
    let Some(label) = label else {
        return Err(Error::input("`‹label›`", "is not given", "name the column that is to be predicted"));
    };
    if settings.id.contains(&label) || settings.drop.contains(&label) {
        let hint = "the label is never a feature; name other columns";
        return Err(Error::input("`‹id›`, `‹drop›`", format!("name the label's column `{label}`"), hint));
    }
    let (mut labels_read, mut amounts) = (Notations::new(), false);
    if settings.task != Some(TaskKind::Classification) {
        let asked = settings.task.is_some();
        (labels_read, amounts) =
            read_labels(&mut sources.iter_mut().collect::<Vec<_>>(), &label, asked, context)?;
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
    let written: Vec<Written> =
        sources.iter().zip(&labels).map(|(t, cells)| (t.name.as_str(), cells)).collect();
    let known = classes(&label, &written, &mut context.aside());
    let kind = match settings.task {
        Some(kind) => kind,
        None if amounts => TaskKind::Regression,
        None => infer_task(&known, &sources, &written, &label, context)?,
    };
    if kind == TaskKind::Regression {
        let tables: Vec<&Table> = sources.iter().chain([&target]).collect();
        thousands_among_labels(&label, &tables, &labels_read, context);
        read_labels_later(&mut target, &label, &labels_read, context)?;
    }
    tell_absent(&target, &label, context);
    let target_cells = target.column(&label).map(|column| column.cells.clone());
    let used = target_cells.as_ref().filter(|_| settings.target_labels == TargetLabels::Use);
    if settings.target_labels == TargetLabels::Use && used.is_none() {
        let hint = "leave `‹target-labels›` out, or add the column; empty cells are unlabelled rows";
        return Err(Error::input(format!("`{}`", target.name), format!("has no column `{label}`"), hint));
    }
    let mut unit_told = false;
    let goal = match kind {
        TaskKind::Regression => {
            let numbers: Vec<Cells> = labels.iter().chain(&target_cells).map(label_numbers).collect();
            if !sentinels_in(&label, &numbers.iter().collect::<Vec<_>>(), context)
                && let Some((target_numbers, sources)) =
                    numbers.split_last().filter(|_| target_cells.is_some())
            {
                let known = (sources, "all labels of the source");
                labels_beyond(&label, known, (&target.name, target_numbers), context);
            }
            let names = sources.iter().chain([&target]).map(|table| table.name.as_str());
            unit_told = labels_apart(&label, &names.zip(&numbers).collect::<Vec<_>>(), context);
            Goal::Value
        }
        TaskKind::Classification => {
            if let Some(cells) = used {
                check_given(&known, &target, cells, context)?;
            }
            two_classes(&known, &label, &sources)?;
            unlabelled_in_sources(&known, &written, target_cells.as_ref(), context);
            let used = used.map(|cells| (target.name.as_str(), cells));
            let all: Vec<Written> = written.iter().copied().chain(used).collect();
            Goal::Classes(classes(&label, &all, context).names().to_vec())
        }
    };
    Predictions::check_names(&settings.id, &goal)?;
    if settings.source_weights {
        SourceWeights::check_names(&settings.id, sources.len())?;
    }
    let filled: usize = labelled.iter().map(Vec::len).sum();
    few_enough(goal.classes(), filled, filled + target.rows, &label, context)?;
    let encoding = encoding(&mut sources, &mut target, &label, labels_read, settings, context)?;
    let moved = if settings.distances {
        super::distances::moved(&encoding, &sources, &target, context)
    } else {
        Vec::new()
    };
    let id = identifiers(&target, &settings.id, context)?;
    let none = Cells::Numbers(vec![f64::NAN; target.rows]);
    let truth_cells =
        target_cells.as_ref().filter(|_| settings.target_labels == TargetLabels::Score).unwrap_or(&none);
    let pixels = Pixels::of(&target, truth_cells, &label, settings); // encoding gives up the cells
    let mut domains = Vec::new();
    let mut source_facts = Vec::new();
    let mut source_rows = settings.source_weights.then(SourceRows::default);
    let mut held = Held::of(sources.iter().chain([&target]));
    for ((table, cells), labelled) in sources.iter_mut().zip(&labels).zip(&labelled) {
        let own = source_rows.as_ref().map(|_| identifiers(table, &settings.id, context)).transpose()?;
        let (features, kept) = held.turn(table, labelled, &encoding, context)?;
        if let Some((rows, own)) = source_rows.as_mut().zip(own) {
            let numbers = kept.iter().map(|&row| table.number(row)).collect();
            rows.add(&table.name, numbers, of_rows(own, &kept));
        }
        let domain =
            Domain::labelled(table.name.clone(), features, known_labels(cells, &kept, &goal, table)?);
        source_facts.push(describe(&domain, &goal, &table.remark));
        domains.push(domain);
    }
    let all: Vec<usize> = (0..target.rows).collect();
    let (features, rows) = held.turn(&mut target, &all, &encoding, context)?;
    if kind == TaskKind::Classification {
        let (cells, learnt) = used.map_or((truth_cells, false), |used| (used, true));
        compare_with_target(&known, (&labels_table(&target), cells), &rows, learnt, context)?;
    }
    let mut truth = Truth::new(truth_cells, &rows, &goal, &target, context)?;
    truth.unit_told = unit_told;
    let target_domain = target_domain(&target, features, &rows, used, &goal)?;
    if let Some(cells) = used {
        labels_left_out(cells.filled(), target_domain.labelled.len(), &target.name, context)?;
    }
    let target_facts = describe(&target_domain, &goal, &target.remark);
    if domains.len() > 1 {
        let joined = domains.iter().map(|domain| domain.rows() * encoding.width()).sum::<usize>();
        context.require("the sources joined", 8 * joined as u64)?;
    }
    let task = Task::new(domains, target_domain, goal)?;
    let id = of_rows(id, &rows);
    target.columns.clear();
    degenerate::tables(&task, &moved, &settings.preprocess, context)?;
    let ranges = beyond::ranges(&[&task.source.features, &task.target.features]);
    units::units(&task.source.features, &task.target.features, &encoding, &moved, context);
    let learnt = Map::standardize(task.source.features.as_ref()).0;
    units::scales(Some(&learnt), &task.target.features, &encoding, &target.name, context);
    let data = Data {
        goal: task.goal.clone(),
        label,
        missing: encoding.missing,
        encoding: Some(encoding),
        target,
        rows,
        id,
        source_rows,
        truth,
        pixels,
        facts: (source_facts, target_facts),
        moved,
        distances: measured(&task, settings, context)?,
        ranges,
    };
    Ok((task, data))
}

/// How far the domains are apart, where that is asked for.
pub(super) fn measured(task: &Task, settings: &Settings, context: &mut Context) -> Result<Vec<Distance>> {
    context.hold(task.bytes());
    if !settings.distances {
        return Ok(Vec::new());
    }
    context.progress("measuring distances", 0, 0);
    distances(Cow::Borrowed(task), None, context).map(|(distances, _)| distances)
}

/// Reads numbers in other notations, then decides how the tables become features.
pub(super) fn encoding(
    sources: &mut [Table],
    target: &mut Table,
    label: &str,
    labels_read: Notations,
    settings: &Settings,
    context: &mut Context,
) -> Result<Encoding> {
    let (id, drop) = (&settings.id, &settings.drop);
    let out = |name: &str| name == label || id.iter().chain(drop).any(|other| other == name);
    let mut tables: Vec<&mut Table> = sources.iter_mut().chain([&mut *target]).collect();
    let mut notations = read_numbers(&mut tables, &out, context)?;
    notations.extend(labels_read);
    truths_as_numbers(sources, target, label, context);
    let missing = settings.missing.unwrap_or(Missing::Error);
    let encoding = Encoding::decide(sources, target, label, id, drop, missing, context)?;
    sources.iter_mut().chain([target]).try_for_each(|table| encoding.read_dates(table, context))?;
    notations.retain(|name, _| name == label || encoding.columns.iter().any(|column| column.name == *name));
    Ok(Encoding { notations, ..encoding })
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
    table: &Table,
    features: Matrix,
    rows: &[usize],
    used: Option<&Cells>,
    goal: &Goal,
) -> Result<Domain> {
    let mut domain = Domain::unlabelled(table.name.as_str(), features, goal);
    if let Some(cells) = used {
        domain.labelled = (0..rows.len()).filter(|&i| !cells.is_missing(rows[i])).collect();
        let filled: Vec<usize> = domain.labelled.iter().map(|&i| rows[i]).collect();
        domain.labels = known_labels(cells, &filled, goal, table)?;
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

/// Names target labels that are not learnt from because their rows are left out.
fn labels_left_out(all: usize, kept: usize, target: &str, context: &mut Context) -> Result<()> {
    if kept == 0 && all > 0 {
        let problem = format!("all its {all} labels stand in rows that are left out for their missing cells");
        return Err(Error::input(format!("`{target}`"), problem, "fill the gaps with `‹missing mean›`"));
    }
    if kept < all {
        let text = format!("`{target}`: {} of {all} labels stand in rows that are left out", all - kept);
        context.warn("data", text);
    }
    Ok(())
}
