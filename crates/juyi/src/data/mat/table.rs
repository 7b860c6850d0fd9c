//! The table that two variables of a file make.

use std::io::{Read, Seek};

use super::{Values, Variable, list, read};
use crate::data::cells::{Cells, TextCells};
use crate::data::reading::Reading;
use crate::data::table::{COLUMN, Column, Table, label_name};
use crate::error::{Error, Result};

/// `X,y` of a `.mat` file as a table with columns `x1 …` and the label. Samples are the rows of `X` unless only its
/// columns are as many as the labels, or it is written `X'`.
///
/// `variables` is `X,y` or `X`, without it `fts,labels`, where labels may be absent; the label's column is called `label`.
///
/// # Errors
/// As [`read`], and [`Error::Input`] for sizes that do not fit, text among the features, infinite values.
pub fn table<R: Read + Seek>(
    name: &str,
    opened: &mut R,
    variables: Option<&str>,
    reading: &Reading,
    limit: u64,
) -> Result<Table> {
    let file = format!("`{name}`");
    let given = variables.is_some();
    let (features, labels) = match variables.unwrap_or("fts,labels").split_once(',') {
        Some((features, labels)) => (features.trim(), Some(labels.trim())),
        None => (variables.unwrap_or_default().trim(), None),
    };
    let (features, turned) = features.strip_suffix('\'').map_or((features, false), |name| (name, true));
    if features.is_empty() || labels == Some("") {
        let hint = "write `file.mat:X,y` with the features' and the labels' variable, or `file.mat:X` without labels";
        return Err(Error::input(file, "the variables after `:` are empty", hint));
    }
    if labels == Some(features) {
        let problem = format!("`{features}` is named as the features and as the labels");
        return Err(Error::input(file, problem, "write `file.mat:X,y`, or `file.mat:X` without labels"));
    }
    // Unlabelled targets need not have the default labels variable.
    let mut has_labels =
        |labels: &str| list(name, opened).map(|all| all.iter().any(|(known, _)| known == labels));
    let labels = match labels {
        Some(name) if given || has_labels(name)? => Some(name),
        _ => None,
    };
    let wanted: Vec<&str> = std::iter::once(features).chain(labels).collect();
    let mut found = read(name, opened, &wanted, limit)?;
    let take = |found: &mut Vec<Variable>, name: &str| {
        let at = found.iter().position(|variable| variable.name == name);
        at.map(|at| found.swap_remove(at)).ok_or_else(|| {
            Error::input(file.clone(), format!("has no variable `{name}`"), "name it: `file.mat:X,y`")
        })
    };
    let x = take(&mut found, features)?;
    let y = labels.map(|name| take(&mut found, name)).transpose()?;
    let Values::Numbers(numbers) = x.values else {
        return Err(Error::input(
            file,
            format!("variable `{features}` holds text"),
            "features must be numbers",
        ));
    };
    let label_count = y.as_ref().map(|y| match &y.values {
        Values::Numbers(_) => y.rows * y.columns,
        Values::Text(rows) => rows.len(),
    });
    let turned = turned || label_count.is_some_and(|count| x.columns == count && x.rows != count);
    let (rows, width) = if turned { (x.columns, x.rows) } else { (x.rows, x.columns) };
    if rows > 0 && width == 0 {
        return Err(Error::input(file, format!("`{features}` has rows without columns"), ""));
    }
    // An empty matrix may claim any width. The numbers are here as they were stored, and in their columns.
    let need = COLUMN * width as u64 + 16 * numbers.len() as u64;
    if need > limit {
        return Err(Error::Memory { what: format!("{file} with {width} columns"), need, budget: limit });
    }
    if let Some(count) = label_count
        && count != rows
    {
        let problem = format!("`{features}` is {} x {}, but there are {count} labels", x.rows, x.columns);
        return Err(Error::input(file, problem, "one side of the features must be as long as the labels"));
    }
    let header = reading.header(name, (1..=width).map(|j| format!("x{j}")).collect())?;
    let mut columns = Vec::with_capacity(width + 1);
    for (j, column) in header.names.iter().enumerate().filter(|(j, _)| !header.left_out[*j]) {
        let cell = |i: usize| if turned { numbers[i * width + j] } else { numbers[j * rows + i] };
        let cells: Vec<f64> = (0..rows).map(cell).collect();
        if let Some(row) = cells.iter().position(|v| v.is_infinite()) {
            let problem =
                format!("variable `{features}` holds {} in row {}, column `{column}`", cells[row], row + 1);
            return Err(Error::input(file, problem, "mend infinite values, or `‹drop›` the column"));
        }
        columns.push(Column { name: column.clone(), cells: Cells::Numbers(cells) });
    }
    let label = y.map(|y| -> Result<String> {
        let label = label_name(name, reading.label.as_deref(), &columns)?;
        let (thing, mut cells) = (format!("{file}, variable `{}`", y.name), TextCells::within(limit, need));
        match y.values {
            Values::Numbers(values) => values.iter().try_for_each(|v| {
                let text = (!v.is_nan()).then(|| v.to_string());
                cells.push_within(&thing, text.as_deref())
            })?,
            Values::Text(rows) => rows.iter().try_for_each(|v| cells.push_within(&thing, Some(v)))?,
        }
        columns.push(Column { name: label.clone(), cells: cells.finish() });
        Ok(label)
    });
    let label = label.transpose()?;
    let side = if turned { "columns" } else { "rows" };
    let remark = format!("{side} of `{features}` ({} x {}) are samples", x.rows, x.columns);
    Ok(header.noted(Table { name: name.into(), rows, columns, label, remark, ..Table::default() }))
}
