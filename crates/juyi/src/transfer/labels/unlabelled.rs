//! Labels that are none: empty cells, words that were read as missing, and classes and numbers that are likely to say
//! that a row has no label.

use std::collections::HashMap;

use super::{Written, label_cells};
use crate::context::Context;
use crate::data::{
    Cells, Classes, Table, keeping, listed, means_no_label, plain_number, sentinels_in, twins, worth_saying,
};
use crate::error::{Error, Result, few, shown};
use crate::setting::Setting;

/// The source rows that have a label; the others are left out.
pub(in super::super) fn labelled_rows(
    table: &Table,
    label: &str,
    context: &mut Context,
) -> Result<Vec<usize>> {
    let cells = label_cells(table, label)?;
    let keep: Vec<usize> = (0..table.rows).filter(|&row| !cells.is_missing(row)).collect();
    if keep.is_empty() {
        let hint = "a source needs labels; is this the target?";
        return Err(Error::input(format!("`{}`", table.name), format!("column `{label}` is empty"), hint));
    }
    if keep.len() < table.rows {
        let rows = table.rows - keep.len();
        let words = table.absent(label);
        let named = absent_labels(words).map_or_else(String::new, |named| format!(": {named}"));
        let keep = keeping(words, "a class").map_or_else(String::new, |keep| format!("; {keep}"));
        let text = format!("`{}`: {rows} rows have no label and are left out{named}{keep}", table.name);
        context.warn("data", text);
    }
    Ok(keep)
}

/// Words that were read as labels that are missing, in a sentence; `None` where there are none.
fn absent_labels(words: &[(String, usize)]) -> Option<String> {
    let named = |(word, count): &(String, usize)| {
        let labels = if *count == 1 { "label" } else { "labels" };
        format!("{count} {labels} `{}`", shown(word))
    };
    let named: Vec<String> = words.iter().map(named).collect();
    let verb = if words.iter().map(|(_, count)| count).sum::<usize>() == 1 { "counts" } else { "count" };
    (!named.is_empty()).then(|| format!("{} {verb} as missing", few(&named)))
}

/// Says which words of a table that is predicted were read as missing labels, where they might have meant something.
pub(in super::super) fn tell_absent(table: &Table, label: &str, context: &mut Context) {
    let words: Vec<(String, usize)> =
        table.absent(label).iter().filter(|(word, _)| worth_saying(word)).cloned().collect();
    if let Some(named) = absent_labels(&words) {
        context.note("data", format!("`{}`: {named}", table.name));
    }
}

/// Refuses sources of one class where another may have been read as missing.
///
/// # Errors
/// [`Error::Input`] with the words that were.
pub(in super::super) fn two_classes(known: &Classes, label: &str, sources: &[Table]) -> Result<()> {
    let hollow = sources.iter().find(|table| !table.absent(label).is_empty());
    let ([only], Some(table)) = (known.names(), hollow) else { return Ok(()) };
    let words = table.absent(label);
    let named = absent_labels(words).unwrap_or_default();
    let problem = format!("its labels have one class only, `{}`: {named}", shown(only));
    let hint = keeping(words, "a class").unwrap_or_else(|| "a classifier needs two classes".into());
    Err(Error::input(format!("`{}`", table.name), problem, hint))
}

/// Names numbers among the labels of a regression that are likely to stand for no label at all.
pub(in super::super) fn tell_sentinels(label: &str, cells: &Cells, context: &mut Context) {
    sentinels_in(label, &[&label_numbers(cells)], context);
}

/// Labels that are written as numbers, as numbers.
pub(in super::super) fn label_numbers(cells: &Cells) -> Cells {
    let number = |row| cells.text(row).and_then(|text| text.trim().parse().ok()).unwrap_or(f64::NAN);
    Cells::Numbers((0..cells.len()).map(number).collect())
}

/// What to do about a class that may stand for no label at all.
fn leave(class: &str) -> String {
    format!(
        "if `{}` means that a row has no label, leave its cell empty or add `{}`",
        shown(class),
        Setting::MissingValues.to(shown(class))
    )
}

/// The warning of a class that one table has, in most of its labelled rows, and no other.
fn one_sided(class: &str, table: &str, count: usize, filled: usize) -> String {
    let only = format!("`{}` stands in `{table}` only", shown(class));
    format!("{only}, in {count} of {filled} labelled rows: {}", leave(class))
}

/// Compares the labels of the target with the classes that the sources know: stops where none is among them, and names
/// a class that is likely to stand for no label at all. `learnt` are labels that are learnt from.
pub(in super::super) fn compare_with_target(
    known: &Classes,
    (table, cells): Written<'_>,
    rows: &[usize],
    learnt: bool,
    context: &mut Context,
) -> Result<()> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut filled = 0;
    for text in rows.iter().filter_map(|&row| cells.text(row)) {
        filled += 1;
        if known.position(&text).is_none() {
            *counts.entry(text).or_default() += 1;
        }
    }
    let mut unknown: Vec<(&String, usize)> = counts.iter().map(|(name, count)| (name, *count)).collect();
    unknown.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let Some(&(most, count)) = unknown.first() else { return Ok(()) };
    let leave = leave(most);
    if unknown.iter().map(|(_, count)| count).sum::<usize>() == filled {
        let names: Vec<&String> = unknown.iter().map(|(name, _)| *name).collect();
        let problem = format!("none of its labels is a class that the source knows: {}", listed(&names));
        let names_known: Vec<&String> = known.names().iter().collect();
        let numbers = |names: &[&String]| names.iter().all(|name| plain_number(name).is_some());
        let amounts = unknown.len() > 1 && numbers(&names) && numbers(&names_known);
        let hint = match known.meant(most) {
            None if amounts => {
                format!(
                    "the source has {}; `‹task regression›` predicts labels as numbers",
                    listed(&names_known)
                )
            }
            Some(meant) => format!("did you mean `{}`? spell the labels as the source does", shown(meant)),
            None if unknown.len() == 1 => format!("the source has {}; {leave}", listed(&names_known)),
            None => {
                format!(
                    "the source has {}; spell the labels alike, or leave the column out",
                    listed(&names_known)
                )
            }
        };
        return Err(Error::input(format!("`{table}`"), problem, hint));
    }
    if 2 * count > filled {
        context.warn("data", one_sided(most, table, count, filled));
    } else if learnt {
        let names: Vec<&String> = unknown.iter().map(|(name, _)| *name).collect();
        context.note("data", format!("class {} is that of `{table}` only", listed(&names)));
    }
    Ok(())
}

/// Labels of other tables that say, together, that a class is none of theirs.
const ELSEWHERE: usize = 5;

/// Names a class that most labelled rows of one source bear and no other table has, where it is likely to stand for no
/// label at all.
pub(in super::super) fn unlabelled_in_sources(
    known: &Classes,
    sources: &[Written<'_>],
    target: Option<&Cells>,
    context: &mut Context,
) {
    let names = known.names();
    let tables: Vec<&Cells> = sources.iter().map(|(_, cells)| *cells).chain(target).collect();
    let counts: Vec<Vec<usize>> = tables.iter().map(|cells| counted(known, cells)).collect();
    let everywhere = |class: &usize| counts.iter().filter(|counts| counts[*class] > 0).count() > 1;
    for class in (0..names.len()).filter(|_| names.len() > 2).filter(everywhere) {
        if says_unlabelled(&names[class], names) && !may_be_a_grade(&names[class], names) {
            let count: usize = counts.iter().map(|counts| counts[class]).sum();
            let filled: usize = tables.iter().map(|cells| cells.filled()).sum();
            let stands = format!("`{}` stands in {count} of {filled} labelled rows", shown(&names[class]));
            context.warn("data", format!("{stands}: {}", leave(&names[class])));
        }
    }
    for (k, (table, cells)) in sources.iter().enumerate().filter(|_| names.len() > 2) {
        let filled = cells.filled();
        let named = |class: &usize| counts[k][*class] > 1 && says_unlabelled(&names[*class], names);
        let most = |class: &usize| 2 * counts[k][*class] > filled;
        let others = || (0..tables.len()).filter(|&other| other != k);
        let labelled: usize = others().map(|other| tables[other].filled()).sum();
        let here_alone = |class: &usize| others().all(|other| counts[other][*class] == 0);
        let another_name =
            |class: usize| names.iter().any(|other| *other != names[class] && twins(other, &names[class]));
        let likely = (0..names.len())
            .filter(|class| named(class) || (most(class) && labelled >= ELSEWHERE))
            .filter(here_alone);
        if let Some(class) = likely.max_by_key(|class| named(class)).filter(|class| !another_name(*class)) {
            context.warn("data", one_sided(&names[class], table, counts[k][class], filled));
        }
    }
}

/// How many cells bear each class.
fn counted(known: &Classes, cells: &Cells) -> Vec<usize> {
    let (mut counts, mut positions) = (vec![0; known.names().len()], HashMap::new());
    for row in (0..cells.len()).filter(|&row| !cells.is_missing(row)) {
        let key = match cells {
            Cells::Numbers(numbers) => numbers[row].to_bits(),
            Cells::Text { codes, .. } => u64::from(codes[row]),
        };
        let class =
            positions.entry(key).or_insert_with(|| cells.text(row).and_then(|text| known.position(&text)));
        if let Some(class) = *class {
            counts[class] += 1;
        }
    }
    counts
}

/// Whether a class says by its name that a row has no label: a word for it, or a number below zero or far above those of
/// all other classes, or beside words.
fn says_unlabelled(class: &str, names: &[String]) -> bool {
    let Some(number) = plain_number(class) else { return means_no_label(class) };
    let high = [99.0, 999.0, 9999.0].contains(&number);
    let others = || names.iter().filter(|name| *name != class).map(|name| plain_number(name));
    let words = (number < 0.0 || high) && others().all(|other| other.is_none());
    words
        || others().all(|other| {
            other.is_some_and(|other| other >= 0.0 && (number < 0.0 || (high && 5.0 * other < number)))
        })
}

/// Whether -1 stands beside 0 and 1, or -2 beside more, as the lowest of some grades.
fn may_be_a_grade(class: &str, names: &[String]) -> bool {
    let largest = names.iter().filter_map(|name| plain_number(name)).fold(0.0, f64::max);
    let words = names.iter().filter(|name| plain_number(name).is_none()).count();
    plain_number(class)
        .is_some_and(|number| (-5.0..0.0).contains(&number) && words == 0 && -number >= largest)
}
