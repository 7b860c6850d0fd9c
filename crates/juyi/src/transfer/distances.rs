//! Step 1, continued: how far apart are source and target?

use std::borrow::Cow;

use serde_json::Map as JsonMap;

use crate::context::Context;
use crate::data::{Cells, Encoding, Spellings, Table, Task};
use crate::error::{Error, Result, few, shown};
use crate::linalg::{Matrix, extent};
use crate::measures::{
    Apart, Distance, DomainMeasure, Domains, FEWEST_ROWS, LabelsNeeded, MEASURES, MeasureRow, MovedColumn,
    measure_with, moved_columns, source_apart,
};
use crate::models::{Preprocess, preprocess};

/// Most rows of a table that a column is compared on.
pub(super) const MOST_CELLS: usize = 20_000;

/// The columns that count, compared on evenly drawn rows; columns that lie implausibly far from each other in two sources
/// are named.
pub(super) fn moved(
    encoding: &Encoding,
    sources: &[Table],
    target: &Table,
    context: &mut Context,
) -> Vec<MovedColumn> {
    let thinned = |table: &Table, name: &str, spellings: &mut Spellings| {
        table.column(name).map(|column| spellings.of(thin(&column.cells, table.rows)))
    };
    let columns: Vec<(&str, Vec<Cells>, Cells)> = encoding
        .columns
        .iter()
        .filter_map(|column| {
            let mut spellings = Spellings::default();
            let source =
                sources.iter().filter_map(|table| thinned(table, &column.name, &mut spellings)).collect();
            Some((column.name.as_str(), source, thinned(target, &column.name, &mut spellings)?))
        })
        .collect();
    let lent: Vec<(&str, Vec<&Cells>, &Cells)> =
        columns.iter().map(|(name, source, target)| (*name, source.iter().collect(), target)).collect();
    let all = lent.iter().filter(|(_, own, _)| own.len() == sources.len());
    let names: Vec<&str> = sources.iter().map(|table| table.name.as_str()).collect();
    let apart: Vec<String> =
        all.filter_map(|(name, own, _)| Some(told(name, &source_apart(own)?, &names))).collect();
    if !apart.is_empty() {
        let text = format!("{}: is it in another unit there, or another quantity?", few(&apart));
        context.warn("data", text);
    }
    moved_columns(&lent)
}

/// The columns of matrices, numbered from 1, compared on evenly drawn rows.
pub(super) fn moved_features(task: &Task) -> Vec<MovedColumn> {
    let cells = |rows: &Matrix, j: usize| {
        let values = rows.col_as_slice(j);
        let count = values.len().min(MOST_CELLS);
        Cells::Numbers((0..count).map(|i| values[i * values.len() / count]).collect())
    };
    let columns: Vec<(String, Cells, Cells)> = (0..task.columns())
        .map(|j| ((j + 1).to_string(), cells(&task.source.features, j), cells(&task.target.features, j)))
        .collect();
    let lent: Vec<(&str, Vec<&Cells>, &Cells)> =
        columns.iter().map(|(name, source, target)| (name.as_str(), vec![source], target)).collect();
    moved_columns(&lent)
}

/// A source in which a column lies far from the others, in words.
fn told(column: &str, apart: &Apart, sources: &[&str]) -> String {
    let (here, there) = apart.medians;
    let others = match sources {
        [first, second] => format!("`{}`", if apart.source == 0 { second } else { first }),
        _ => "the other sources".into(),
    };
    let times = match apart.factor {
        Some(factor) if factor >= 1.0 => format!(", about {factor} times as large"),
        Some(factor) => format!(", about {} times as small", (1.0 / factor).round()),
        None => String::new(),
    };
    let (name, source) = (shown(column), sources[apart.source]);
    format!("column `{name}` lies around {here} in `{source}` and around {there} in {others}{times}")
}

/// Warns of a table whose labels, which are numbers, lie far from those of the others; whether there is one.
pub(super) fn labels_apart(label: &str, tables: &[(&str, &Cells)], context: &mut Context) -> bool {
    let cells: Vec<&Cells> = tables.iter().map(|(_, cells)| *cells).collect();
    let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    let Some(apart) = source_apart(&cells) else { return false };
    let text = format!("the label's {}: is it in another unit there?", told(label, &apart, &names));
    context.warn("data", text);
    true
}

/// A number that so many labels of the target are, as a share and at least, is told of where no source has the like.
const REPEATED: (f64, usize) = (0.1, 5);

/// Warns of a number that repeats among the labels of the target and lies beyond all others that are `known`: those of the
/// sources, or what is predicted.
pub(super) fn labels_beyond(
    label: &str,
    (known, all): (&[Cells], &str),
    target: (&str, &Cells),
    context: &mut Context,
) {
    let (low, high) = extent(known.iter().flat_map(Cells::numbers));
    let mut here: Vec<f64> = target.1.numbers().collect();
    here.sort_by(f64::total_cmp);
    let Some(most) = here.chunk_by(|a, b| a == b).max_by_key(|same| same.len()) else { return };
    let (value, count) = (most[0], most.len());
    let beyond = value < low - 0.1 * (high - low) || value > high + 0.1 * (high - low);
    let often = count >= REPEATED.1 && count as f64 >= REPEATED.0 * here.len() as f64;
    if beyond && often && count < here.len() && low < high {
        let text = format!(
            "`{}`: `{label}` is {value} in {count} of {} labelled rows, beyond {all} ({low} to {high}): if \
             it means that a row has no label, leave its cell empty or add `‹missing-values {value}›`",
            target.0,
            here.len()
        );
        context.warn("data", text);
    }
}

/// Evenly spread cells of a long column.
fn thin(cells: &Cells, rows: usize) -> Cells {
    let count = rows.min(MOST_CELLS);
    let row = |i: usize| i * rows / count;
    match cells {
        Cells::Numbers(values) => Cells::Numbers((0..count).map(|i| values[row(i)]).collect()),
        Cells::Text { codes, values } => {
            Cells::Text { codes: (0..count).map(|i| codes[row(i)]).collect(), values: values.clone() }
        }
    }
}

/// The measures that each run has.
fn of_each_run() -> Result<Vec<Box<dyn DomainMeasure>>> {
    let rows = MEASURES.iter().filter(|row| row.in_each_run);
    rows.map(|row| measure_with(row.name, &JsonMap::new())).collect()
}

/// The distances of two domains by these measures or those of each run, standardised by the source, and how many rows
/// they are taken of, at most. Rows are drawn for a measure that takes no more; a task that is handed over serves one that
/// takes all without a copy.
pub(super) fn distances(
    task: Cow<'_, Task>,
    measures: Option<&[Box<dyn DomainMeasure>]>,
    context: &mut Context,
) -> Result<(Vec<Distance>, (usize, usize))> {
    let usual = if measures.is_none() { of_each_run()? } else { Vec::new() };
    let (mut found, mut rows) = (Vec::new(), (0, 0));
    let groups: Vec<&[Box<dyn DomainMeasure>]> =
        measures.unwrap_or(&usual).chunk_by(|a, b| sort(a.row()) == sort(b.row())).collect();
    let mut task = Some(task);
    for (k, group) in groups.iter().enumerate() {
        let mut rng = context.rng("distances");
        let (most, labels) = sort(group[0].row());
        let whole = task.as_ref().expect("it is given away for the last group");
        let drawn = if whole.source.rows().max(whole.target.rows()) > most {
            if labels == LabelsNeeded::Both {
                whole.draw_with_labelled(most, &mut rng)
            } else {
                whole.draw(most, &mut rng)
            }
        } else if k + 1 == groups.len() {
            task.take().expect("as above").into_owned()
        } else {
            whole.clone().into_owned()
        };
        rows = (rows.0.max(drawn.source.rows()), rows.1.max(drawn.target.rows()));
        if drawn.source.rows().min(drawn.target.rows()) < FEWEST_ROWS {
            let text = format!("fewer than {FEWEST_ROWS} rows on one side: none is measured");
            context.note("distances", text);
            return Ok((Vec::new(), rows));
        }
        // The notices of this step are those of the fits to come.
        let (drawn, _) = preprocess(drawn, &[Preprocess::Standardize], &mut context.aside());
        for measure in *group {
            let mut domains = Domains::of(&drawn);
            domains.labels = domains.labels.filter(|_| labels != LabelsNeeded::None);
            // Each draws as if it were alone.
            let (mut own, mut aside) = (rng.clone(), context.aside());
            let asked = if measures.is_some() { &mut *context } else { &mut aside };
            match measure.between(&domains, &mut own, asked) {
                Ok(distances) => found.extend(distances),
                Err(error @ Error::Memory { .. }) if measures.is_none() => {
                    context.note("distances", format!("`{}` is left out: {error}", measure.row().name));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok((found, rows))
}

/// Measures that are taken of the same rows have the same.
fn sort(row: &MeasureRow) -> (usize, LabelsNeeded) {
    (row.most_rows, row.labels)
}
