//! The label's column: what kind of task it means, and which classes it names.

mod given;
mod unlabelled;

use std::collections::HashSet;

use super::TaskKind;
pub(super) use given::{check_given, labels_table};
pub(super) use unlabelled::{
    compare_with_target, label_numbers, labelled_rows, tell_absent, tell_sentinels, two_classes,
    unlabelled_in_sources,
};

use crate::context::Context;
use crate::data::{
    AMOUNTS, Cells, Classes, Goal, LARGEST, Labels, Table, is_moment, listed, mixes_truths, plain_number,
    says_the_same, spelt_alike, two_vocabularies, written_number,
};
use crate::error::{Error, Result, few, shown};
use crate::models::answers_bytes;
use crate::setting::Setting;

/// The label's column of a table.
pub(super) fn label_cells(table: &Table, label: &str) -> Result<Cells> {
    let found = table.column(label).map(|column| column.cells.clone());
    found.ok_or_else(|| Error::Unknown {
        kind: format!("label column of `{}`", table.name),
        name: label.into(),
        known: table.names().cloned().collect(),
    })
}

/// The labels of one table, and what messages call it.
pub(super) type Written<'a> = (&'a str, &'a Cells);

/// The classes of all tables, each written as it is first; says which spellings are one class, and which classes are
/// likely to be one.
pub(super) fn classes(label: &str, tables: &[Written<'_>], context: &mut Context) -> Classes {
    let written: Vec<Vec<String>> = tables.iter().map(|(_, cells)| spellings(cells)).collect();
    let classes = Classes::of(written.iter().flatten().map(String::as_str));
    let merged: Vec<String> =
        classes.merged().map(|(other, name)| format!("`{}` is `{}`", shown(other), shown(name))).collect();
    if !merged.is_empty() {
        let text =
            format!("column `{label}`: labels that are the same value are one class: {}", few(&merged));
        context.note("data", text);
    }
    let tables: Vec<HashSet<usize>> = written
        .iter()
        .map(|written| written.iter().filter_map(|name| classes.position(name)).collect())
        .collect();
    let twins = likely_twins(&classes, &tables);
    if !twins.is_empty() {
        let text = format!("column `{label}`: {}: likely to be one class; spell them alike", few(&twins));
        context.warn("data", text);
    }
    classes
}

/// Says of labels that nothing is done with what is said where they are learnt from and score.
pub(super) fn look_at_labels(label: &str, sources: &[Table], target: &Table, context: &mut Context) {
    let cells = |table: &'_ Table| table.column(label).map(|column| column.cells.clone());
    let own: Vec<Option<Cells>> = sources.iter().map(cells).collect();
    let labelled: Vec<(&Table, &Cells)> =
        sources.iter().zip(&own).filter_map(|(table, cells)| Some((table, cells.as_ref()?))).collect();
    let written: Vec<Written> = labelled.iter().map(|(table, cells)| (table.name.as_str(), *cells)).collect();
    let known = classes(label, &written, &mut context.aside());
    let named = |(table, _): &(&Table, &Cells)| Table { name: table.name.clone(), ..Table::default() };
    let tables: Vec<Table> = labelled.iter().map(named).collect();
    if known.names().is_empty()
        || infer_task(&known, &tables, &written, label, &mut context.aside()).ok()
            != Some(TaskKind::Classification)
    {
        return;
    }
    classes(label, &written, context);
    if let Some(column) = target.column(label) {
        let rows: Vec<usize> = (0..target.rows).collect();
        let compared = compare_with_target(&known, (&target.name, &column.cells), &rows, false, context);
        if let Err(error) = compared {
            let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
            context.warn("data", format!("{error}{hint}"));
        }
    }
}

/// Pairs of classes that are likely to be one. `Yes` and `yes` always are; `True` and `1` where no table has both, or one
/// that has both says little else.
fn likely_twins(classes: &Classes, tables: &[HashSet<usize>]) -> Vec<String> {
    let names = classes.names();
    let mut pairs = spelt_alike(names);
    // Of two classes that stand in one table `s` and `S` are two.
    if names.len() == 2 && tables.iter().any(|table| table.len() == 2) {
        return Vec::new();
    }
    pairs.extend(two_vocabularies(names));
    let truths: Vec<usize> = (0..names.len()).filter(|&c| says_the_same(&names[c], &names[c])).collect();
    for (k, &a) in truths.iter().enumerate() {
        for &b in &truths[k + 1..] {
            let apart = |table: &&HashSet<usize>| {
                let own: Vec<&str> = table.iter().map(|&class| names[class].as_str()).collect();
                !mixes_truths(&names[a], &names[b], &own)
            };
            let both = |table: &&HashSet<usize>| table.contains(&a) && table.contains(&b);
            let together = tables.iter().filter(both).any(|table| apart(&table));
            if !together && says_the_same(&names[a], &names[b]) && !pairs.contains(&(a, b)) {
                pairs.push((a, b));
            }
        }
    }
    pairs.iter().map(|&(a, b)| format!("`{}` and `{}`", shown(&names[a]), shown(&names[b]))).collect()
}

/// The different labels as they are written, in order of appearance.
fn spellings(cells: &Cells) -> Vec<String> {
    let mut seen = HashSet::new();
    match cells {
        Cells::Text { codes, values } => {
            let new = codes.iter().filter(|code| seen.insert(u64::from(**code)));
            new.filter_map(|code| values.get(*code as usize).cloned()).collect()
        }
        Cells::Numbers(numbers) => {
            let new = numbers.iter().filter(|v| !v.is_nan() && seen.insert(v.to_bits()));
            new.map(f64::to_string).collect()
        }
    }
}

/// Most classes that are taken for granted when the labels are whole numbers, or nearly as many as rows.
const MANY_CLASSES: usize = 100;

/// A label with a value of its own for one row in so many looks like an identifier.
const ONE_IN: usize = 5;

/// Warns of a label that looks like an identifier, and refuses classes of which the scores alone would not fit: `filled`
/// rows have a label, `rows` get scores.
pub(super) fn few_enough(
    classes: usize,
    filled: usize,
    rows: usize,
    label: &str,
    context: &mut Context,
) -> Result<()> {
    let mut looks = String::new();
    if classes > MANY_CLASSES && ONE_IN * classes > filled {
        let text = format!(
            "column `{label}` has {classes} different values in {filled} rows and looks like an identifier: name the \
             column that is to be predicted with `‹label›`, or say `‹task regression›` if its numbers are meant"
        );
        context.warn_at_once("data", text);
        looks = format!(" (`{label}` looks like an identifier)");
    }
    let scores = format!("the scores of {rows} rows for {classes} classes{looks}");
    context.require(&scores, answers_bytes(rows, classes))
}

/// Rows that a class has at least, on average; labels of fewer are amounts, if there are [`AMOUNTS`] of them.
const ROWS_OF_A_CLASS: usize = 10;

/// The kind of task that the labels of the sources mean. Text labels are classes; numbers with a fraction are values;
/// whole numbers are classes while they are few, or while each has many rows. What is inferred from numbers is said.
///
/// # Errors
/// [`Error::Input`] where the labels may be either.
pub(super) fn infer_task(
    classes: &Classes,
    tables: &[Table],
    sources: &[Written<'_>],
    label: &str,
    context: &mut Context,
) -> Result<TaskKind> {
    let names = classes.names();
    let filled: usize = sources.iter().map(|(_, cells)| cells.filled()).sum();
    let numbers: Vec<f64> = names.iter().filter_map(|name| plain_number(name)).collect();
    let rare = filled < ROWS_OF_A_CLASS * names.len();
    let fractions = numbers.iter().any(|v| v.fract() != 0.0);
    if numbers.len() < names.len() {
        let written: Vec<&String> = names.iter().filter(|name| written_number(name)).collect();
        let amounts = written.len() >= AMOUNTS && (rare || fractions);
        return match stray(sources).filter(|_| amounts) {
            Some((table, row, stray)) => {
                Err(among_numbers(&stray, &format!("{}, column `{label}`", tables[table].place(row))))
            }
            None if amounts && written.len() == names.len() => {
                let examples: Vec<&String> = written.into_iter().take(2).collect();
                let problem = format!("its numbers are not written alike: {}", listed(&examples));
                let hint = "write them with points before decimals; `‹task classification›` takes every label for a class";
                Err(Error::input(format!("`{}`, column `{label}`", sources[0].0), problem, hint))
            }
            None if rare => moments(names, sources[0].0, label).map(|()| TaskKind::Classification),
            None => Ok(TaskKind::Classification),
        };
    }
    let amounts = numbers.len() >= AMOUNTS && rare;
    if fractions {
        context.note(
            "data",
            format!("`{label}` holds numbers with a fraction: they are predicted as numbers (regression)"),
        );
        return Ok(TaskKind::Regression);
    }
    let count = numbers.len();
    if amounts {
        let text = format!(
            "`{label}` holds {count} different whole numbers in {filled} rows: they are predicted as numbers \
             (regression); `‹task classification›` takes them for classes"
        );
        context.note("data", text);
        return Ok(TaskKind::Regression);
    }
    if count > MANY_CLASSES {
        let problem = format!("column `{label}` has {count} different whole numbers");
        let hint = "say `‹task classification›` or `‹task regression›`";
        return Err(Error::input(format!("`{}`", sources[0].0), problem, hint));
    }
    if count > 2 {
        let text = format!(
            "`{label}` holds {count} different whole numbers, which are taken for classes; `‹task regression›` predicts \
             them as numbers"
        );
        context.note("data", text);
    }
    Ok(TaskKind::Classification)
}

/// The error for a label that is no number, where the others are.
fn among_numbers(stray: &str, thing: &str) -> Error {
    let problem = format!("label `{}` stands where nearly all others are numbers", shown(stray));
    let all = "`‹task classification›` takes every label for a class";
    let bound = stray.trim().trim_start_matches(['<', '>', '=', '~', '\u{2264}', '\u{2265}', '\u{2248}']);
    let hint = if bound.len() < stray.trim().len() && written_number(bound) {
        format!("write a number, `{}` for one, or leave the cell empty; {all}", shown(bound.trim()))
    } else {
        format!(
            "if it means that the label is missing, add `{}`; {all}",
            Setting::MissingValues.to(shown(stray))
        )
    };
    Error::input(thing, problem, hint)
}

/// Refuses labels that are dates or times, many and each rare, most of all.
fn moments(names: &[String], table: &str, label: &str) -> Result<()> {
    let dates: Vec<&String> = names.iter().filter(|name| is_moment(name)).collect();
    match dates.first() {
        Some(first) if dates.len() >= AMOUNTS && 2 * dates.len() > names.len() => {
            let problem = format!("holds dates or times such as `{}`: {} classes", shown(first), names.len());
            let hint = "give them as numbers, days since a day for one; `‹task classification›` takes each for a class";
            Err(Error::input(format!("`{table}`, column `{label}`"), problem, hint))
        }
        _ => Ok(()),
    }
}

/// The first label that is no number, with the positions of its table and row, where half of the labels or more are.
fn stray(sources: &[Written<'_>]) -> Option<(usize, usize, String)> {
    let (mut all, mut strays, mut first) = (0, 0, None);
    for (table, (_, cells)) in sources.iter().enumerate() {
        let Cells::Text { codes, values } = cells else {
            all += cells.filled();
            continue;
        };
        let number: Vec<bool> = values.iter().map(|value| written_number(value)).collect();
        for (row, code) in codes.iter().enumerate() {
            let Some(number) = number.get(*code as usize) else { continue };
            all += 1;
            if !number {
                strays += 1;
                first = first.or_else(|| Some((table, row, values[*code as usize].clone())));
            }
        }
    }
    first.filter(|_| 2 * strays <= all)
}

/// The labels of these rows, all filled.
pub(super) fn known_labels(cells: &Cells, rows: &[usize], goal: &Goal, table: &Table) -> Result<Labels> {
    let text = |row: usize| cells.text(row).unwrap_or_default();
    Ok(match goal {
        Goal::Classes(names) => {
            let classes = Classes::named(names.clone());
            let position = |row: &usize| {
                let text = text(*row);
                classes.position(&text).ok_or_else(|| {
                    let problem = format!("label `{}` is none of the classes", shown(&text));
                    Error::input(table.label_place(*row), problem, "spell the labels alike")
                })
            };
            Labels::Classes(rows.iter().map(position).collect::<Result<_>>()?)
        }
        Goal::Value => Labels::Values(
            rows.iter().map(|&row| label_value(&text(row), table, row)).collect::<Result<_>>()?,
        ),
    })
}

/// A label as a finite number.
pub(super) fn label_value(text: &str, table: &Table, row: usize) -> Result<f64> {
    let fail = |problem: &str, hint: &str| {
        let problem = format!("label `{}` {problem}", shown(text));
        Err(Error::input(table.label_place(row), problem, hint))
    };
    match text.trim().parse::<f64>() {
        Ok(value) if value.abs() <= LARGEST => Ok(value),
        Ok(value) if value.is_finite() => {
            fail("is too large to compute with", "give the label in another unit")
        }
        _ => fail(
            "is not a number",
            "a regression needs finite numbers; `‹task classification›` predicts classes",
        ),
    }
}

#[cfg(test)]
mod tests;
