//! Target rows whose labels would tell most, as a table to fill in, and that table taken up again.
//!
//! Paper: F. Zhdanov, "Diverse mini-batch active learning", 2019: rows are clustered, each weighing by how unsure the model is
//! of it, and the row nearest to each centre is asked for. Labelled rows also judge what is tried, so that unsure rows are not
//! all that is asked for: a row weighs by 1 less its confidence, and a tenth at least.
//!
//! Cost: 30 passes of k-means over 20,000 rows at most.

use rand::seq::SliceRandom;

use super::labels::label_cells;
use crate::context::Context;
use crate::data::{Cells, Column, Table};
use crate::error::{Error, Result, shown};
use crate::linalg::select_rows;
use crate::models::{Map, Model};
use crate::solvers::k_means;

/// The most rows that are clustered; of more so many are drawn.
const MOST: usize = 20_000;

/// The least that a row weighs.
const LEAST: f64 = 0.1;

/// What the column with the numbers of the rows, from 1, is called, but for names that the table has itself.
const ROW: [&str; 2] = ["row", "row_number"];

/// The column with the numbers of the rows, where they are of this table: a name that is none of its columns'.
pub fn number_column(table: &Table, label: &str) -> String {
    let more = (2..).map(|k| format!("{}_{k}", ROW[1]));
    let free = |name: &String| name != label && table.names().all(|own| own != name);
    ROW.iter().map(ToString::to_string).chain(more).find(free).expect("there are more names than columns")
}

/// `count` rows of a target table whose labels would tell most, with their numbers, a column for the label, and all other
/// columns; rows that have a label already are left alone.
///
/// # Errors
/// [`Error::Input`] if the table lacks what the model needs, or has no row without a label.
pub fn rows_to_label(
    model: &Model,
    table: &Table,
    label: &str,
    count: usize,
    context: &mut Context,
) -> Result<Table> {
    let encoding = model.encoding.as_ref().ok_or_else(|| Error::Unsuited {
        method: model.about.method.clone(),
        problem: "was fitted on bare matrices and does not know tables".into(),
        hint: "fit it with `juyi transfer`".into(),
    })?;
    let labels = if table.column(label).is_some() { Some(label_cells(table, label)?) } else { None };
    let (features, mut rows) = encoding.apply(&mut table.clone(), context)?;
    let open = |at: &usize| labels.as_ref().is_none_or(|labels| labels.is_missing(rows[*at]));
    let mut kept: Vec<usize> = (0..rows.len()).filter(open).collect();
    if kept.is_empty() {
        let problem = "has no row without a label";
        return Err(Error::input(format!("`{}`", table.name), problem, "give a table with rows to label"));
    }
    let mut rng = context.rng("rows to label");
    kept.shuffle(&mut rng);
    kept.truncate(MOST);
    kept.sort_unstable();
    let features = select_rows(features.as_ref(), &kept);
    rows = kept.into_iter().map(|at| rows[at]).collect();
    let confidence = model.predict_within(features.as_ref(), context)?.confidence;
    let unsure = |i: usize| confidence.get(i).map_or(1.0, |sure| (1.0 - sure).max(LEAST));
    let weights: Vec<f64> = (0..rows.len()).map(unsure).collect();
    let scaled = Map::standardize_noting(&features, &mut context.aside()).apply_in_place(features);
    let centres = k_means(scaled.as_ref(), &weights, count, &mut rng);
    let mut chosen = vec![false; rows.len()];
    for centre in 0..centres.nrows() {
        let distance = |i: usize| -> f64 {
            (0..scaled.ncols()).map(|j| (scaled[(i, j)] - centres[(centre, j)]).powi(2)).sum()
        };
        let nearest =
            (0..rows.len()).filter(|i| !chosen[*i]).min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        if let Some(i) = nearest {
            chosen[i] = true;
        }
    }
    let rows: Vec<usize> =
        rows.into_iter().zip(chosen).filter_map(|(row, chosen)| chosen.then_some(row)).collect();
    let mut out = table.select(&rows);
    let numbers = rows.iter().map(|&row| table.number(row) as f64 + 1.0).collect();
    let empty = Cells::from_text(rows.iter().map(|_| None));
    out.columns.retain(|column| column.name != label);
    out.columns.insert(0, Column { name: label.into(), cells: empty });
    out.columns.insert(0, Column { name: number_column(table, label), cells: Cells::Numbers(numbers) });
    Ok(out)
}

/// The target table with the labels of a table that was filled in, by the numbers of its rows.
///
/// # Errors
/// [`Error::Input`] for a table without these columns, a number that is no row's, a row that is another in the target or has
/// another label already, and where nothing is filled in.
pub fn with_labels(mut target: Table, filled: &Table, label: &str) -> Result<Table> {
    let thing = || format!("`{}`", filled.name);
    let absent = |name: &str| {
        let hint = "give a table that `juyi label` wrote, filled in";
        Error::input(thing(), format!("has no column `{name}`"), hint)
    };
    let number_column = number_column(&target, label);
    let numbers = filled.column(&number_column).ok_or_else(|| absent(&number_column))?;
    let labels = filled.column(label).ok_or_else(|| absent(label))?;
    let own = target.position(label);
    let mut written: Vec<Option<String>> = match own {
        Some(own) => (0..target.rows).map(|row| target.columns[own].cells.text(row)).collect(),
        None => vec![None; target.rows],
    };
    let mut position = std::collections::HashMap::with_capacity(target.rows);
    (0..target.rows).for_each(|row| {
        position.insert((target.number(row) + 1).to_string(), row);
    });
    let mut seen = vec![false; target.rows];
    for row in (0..filled.rows).filter(|&row| !labels.cells.is_missing(row)) {
        let number = numbers.cells.text(row).unwrap_or_default();
        let Some(&at) = position.get(&number) else {
            let problem = format!("`{number}` is no number of a row of `{}`", target.name);
            return Err(Error::input(
                filled.place(row),
                problem,
                "leave the numbers as `juyi label` wrote them",
            ));
        };
        if let Some((name, here, there)) = other_row(filled, row, &target, at, label) {
            let problem = format!(
                "is not row {number} of `{}`: column `{}` is `{}` here and `{}` there",
                target.name,
                shown(&name),
                shown(&here),
                shown(&there)
            );
            let hint = "fill in the table that `juyi label` wrote for this target, and change nothing else";
            return Err(Error::input(filled.place(row), problem, hint));
        }
        let said = labels.cells.text(row);
        if written[at].is_some() && written[at] != said {
            let problem = format!("row {number} of `{}` has another label already", target.name);
            return Err(Error::input(filled.place(row), problem, "leave one of them"));
        }
        seen[at] = true;
        target.given_labels.insert(at, format!("{}, column `{}`", filled.place(row), shown(label)));
        written[at] = said;
    }
    if !seen.contains(&true) {
        let problem = format!("has no filled cell in column `{label}`");
        return Err(Error::input(thing(), problem, "fill in the labels that you know"));
    }
    let column = Column { name: label.into(), cells: Cells::from_text(written) };
    match own {
        Some(own) => target.columns[own] = column,
        None => target.columns.push(column),
    }
    Ok(target)
}

/// The first column in which a filled-in row differs from the target's row of its number, with both cells, where most differ:
/// it is another row. Some may have been written otherwise in between.
fn other_row(
    filled: &Table,
    row: usize,
    target: &Table,
    at: usize,
    label: &str,
) -> Option<(String, String, String)> {
    let same = |a: &str, b: &str| {
        a == b
            || matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if (a - b).abs() <= 1e-9 * a.abs().max(b.abs()))
    };
    let (mut both, mut differ) = (0, Vec::new());
    for column in target.columns.iter().filter(|column| column.name != label) {
        let Some(own) = filled.column(&column.name) else { continue };
        let (here, there) =
            (filled.written(own, row).unwrap_or_default(), target.written(column, at).unwrap_or_default());
        both += 1;
        if !same(&here, &there) {
            differ.push((column.name.clone(), here, there));
        }
    }
    (2 * differ.len() > both).then(|| differ.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TimeUnit;

    fn table(columns: Vec<(&str, Cells)>) -> Table {
        let rows = columns[0].1.len();
        let column = |(name, cells): (&str, Cells)| Column { name: name.into(), cells };
        Table {
            name: "t".into(),
            rows,
            columns: columns.into_iter().map(column).collect(),
            ..Table::default()
        }
    }

    #[test]
    fn labels_go_to_the_rows_that_they_were_written_for() {
        let words = |of: &[&str]| Cells::from_text(of.iter().map(|word| Some((*word).to_string())));
        let target = table(vec![("x", Cells::Numbers(vec![1.0, 2.0, 3.0]))]);
        let filled = |rows: Vec<f64>, labels: &[&str]| {
            table(vec![("row", Cells::Numbers(rows)), ("y", words(labels))])
        };
        let joined = with_labels(target.clone(), &filled(vec![3.0, 1.0], &["a", ""]), "y").unwrap();
        let said: Vec<Option<String>> =
            (0..3).map(|row| joined.column("y").unwrap().cells.text(row)).collect();
        assert_eq!(said, [None, None, Some("a".into())]);
        let problem =
            |target: Table, filled: Table| with_labels(target, &filled, "y").unwrap_err().to_string();
        assert!(problem(target.clone(), filled(vec![4.0], &["a"])).contains("`4` is no number of a row"));
        assert!(
            problem(target.clone(), filled(vec![2.0, 2.0], &["a", "b"])).contains("another label already")
        );
        assert!(problem(joined.clone(), filled(vec![3.0], &["b"])).contains("another label already"));
        assert!(with_labels(joined, &filled(vec![3.0, 3.0, 2.0], &["a", "a", "b"]), "y").is_ok());
        let mut moved = filled(vec![3.0], &["a"]);
        moved.columns.push(Column { name: "x".into(), cells: Cells::Numbers(vec![2.0]) });
        let said = problem(target.clone(), moved.clone());
        assert!(said.contains("is not row 3 of `t`: column `x` is `2` here and `3` there"), "{said}");
        moved.columns[2].cells = Cells::Numbers(vec![3.0]);
        assert!(with_labels(target.clone(), &moved, "y").is_ok());
        assert!(problem(target.clone(), filled(vec![2.0], &[""])).contains("no filled cell"));
        assert!(problem(target, table(vec![("y", words(&["a"]))])).contains("no column `row`"));
    }

    #[test]
    fn numbers_of_rows_stand_in_a_column_of_their_own() {
        let words = |of: &[&str]| Cells::from_text(of.iter().map(|word| Some((*word).to_string())));
        let mut target =
            table(vec![("row", Cells::Numbers(vec![7.0, 8.0])), ("x", Cells::Numbers(vec![1.0, 2.0]))]);
        assert_eq!(number_column(&target, "y"), "row_number");
        assert_eq!(number_column(&target, "row_number"), "row_number_2");
        assert_eq!(number_column(&table(vec![("x", Cells::Numbers(vec![]))]), "row"), "row_number");
        let filled = table(vec![
            ("row_number", Cells::Numbers(vec![2.0])),
            ("y", words(&["a"])),
            ("row", Cells::Numbers(vec![8.0])),
        ]);
        let joined = with_labels(target.clone(), &filled, "y").unwrap();
        assert_eq!(joined.column("y").unwrap().cells.text(1), Some("a".into()));
        assert_eq!(joined.label_place(1), "`t`, row 1, column `y`");
        target.unread.push("row_number".into());
        assert_eq!(number_column(&target, "y"), "row_number_2");
    }

    #[test]
    fn rows_are_compared_as_they_are_written() {
        let words = |of: &[&str]| Cells::from_text(of.iter().map(|word| Some((*word).to_string())));
        let mut target = table(vec![
            ("day", Cells::Numbers(vec![19_723.0, 19_724.0])),
            ("moment", Cells::Numbers(vec![1_704_067_261.0, f64::NAN])),
            ("member", Cells::Numbers(vec![1.0, 0.0])),
        ]);
        target.times.insert("day".into(), TimeUnit::Days);
        target.times.insert("moment".into(), TimeUnit::Seconds);
        target.truths.push("member".into());
        let csv = String::from_utf8(target.to_csv().unwrap()).unwrap();
        assert_eq!(csv, "day,moment,member\n2024-01-01,2024-01-01 00:01:01,true\n2024-01-02,,false\n");
        let filled = |day: &str| {
            table(vec![
                ("row", Cells::Numbers(vec![1.0])),
                ("y", words(&["a"])),
                ("day", words(&[day])),
                ("moment", words(&["2024-01-01 00:01:01"])),
                ("member", words(&["true"])),
            ])
        };
        assert!(with_labels(target.clone(), &filled("2024-01-01"), "y").is_ok());
        let mut other = filled("2023-01-01");
        other.columns[3].cells = words(&["2020-01-01"]);
        let error = with_labels(target, &other, "y").unwrap_err().to_string();
        assert!(error.contains("column `day` is `2023-01-01` here and `2024-01-01` there"), "{error}");
    }
}
