//! What a model that is not ours says of rows, as a table.

use crate::context::Context;
use crate::data::{Cells, Classes, Goal, Table, listed};
use crate::error::{Error, Result, shown};
use crate::linalg::Matrix;
use crate::models::{Answers, first_largest};

/// How far the probabilities of a row may be from adding up to 1: single precision and a few printed digits.
const OFF: f64 = 0.02;

/// The column that holds answers, as predictions are written.
const PREDICTION: &str = "prediction";

/// Reads the answers for the rows numbered `rows` of the `all` rows of table `of`: a column for each class, named by the class or
/// `score:` and the class, with probabilities; a column for each class without names, in the order that sorting gives the
/// classes; or a column with the answers themselves, named `prediction` or the only one, perhaps with their `confidence`.
///
/// # Errors
/// [`Error::Input`] for another number of rows, cells that are no such numbers or classes, and tables that are none of these.
pub(super) fn answers_of(
    given: &Table,
    (rows, all, of): (&[usize], usize, &str),
    goal: &Goal,
    context: &mut Context,
) -> Result<Answers> {
    if given.rows != all {
        let problem = format!("has {} rows, and {of} has {all}", given.rows);
        let hint = "give what the model says of each row, in the order of the rows";
        return Err(Error::input(format!("`{}`", given.name), problem, hint));
    }
    let answers = || given.column(PREDICTION).map(|column| &column.cells);
    let only =
        || if given.columns.len() == 1 { given.columns.first().map(|column| &column.cells) } else { None };
    match goal {
        Goal::Value => {
            let cells = answers().or_else(only).ok_or_else(|| {
                let problem =
                    format!("has {} columns, and none is called `{PREDICTION}`", given.columns.len());
                Error::input(format!("`{}`", given.name), problem, "give the predicted numbers as one column")
            })?;
            let value = |&row: &usize| match cells.text(row) {
                Some(text) => number(&text, given, row),
                None => Err(missing(given, row)),
            };
            let answer = rows.iter().map(value).collect::<Result<_>>()?;
            Ok(Answers { answer, confidence: Vec::new(), scores: None })
        }
        Goal::Classes(names) => {
            if let Some(columns) = of_classes(given, names, context) {
                let probable = probable(given, &columns, rows);
                // Where answers are named as well, scores need be no probabilities.
                return match (probable, answers()) {
                    (Err(_), Some(cells)) => of_names(given, cells, names, rows),
                    (probable, _) => probable,
                };
            }
            let Some(cells) = answers().or_else(only) else { return Err(no_columns(given, names)) };
            of_names(given, cells, names, rows)
        }
    }
}

/// The column of each class; `None` where not all have one.
fn of_classes<'a>(given: &'a Table, names: &[String], context: &mut Context) -> Option<Vec<&'a Cells>> {
    let own = |class: &String| {
        let column = given.column(&format!("score:{class}")).or_else(|| given.column(class));
        let known = Classes::named(vec![class.clone()]);
        // `1` and `1.0` are one class.
        let column = column.or_else(|| given.columns.iter().find(|own| known.position(&own.name).is_some()));
        column.map(|column| &column.cells)
    };
    let named: Option<Vec<&Cells>> = names.iter().map(own).collect();
    // Arrays have no names, and their columns are called after the letter x.
    let unnamed = || given.columns.iter().enumerate().all(|(k, column)| column.name == format!("x{}", k + 1));
    if named.is_some() || given.columns.len() != names.len() || !unnamed() {
        return named;
    }
    let mut sorted: Vec<usize> = (0..names.len()).collect();
    let numbers: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
    match numbers {
        Some(of) => sorted.sort_by(|&a, &b| of[a].total_cmp(&of[b])),
        None => sorted.sort_by_key(|&class| &names[class]),
    }
    let order: Vec<&String> = sorted.iter().map(|&class| &names[class]).collect();
    context.note(
        &given.name,
        format!("its columns have no names and are taken for the classes {}", listed(&order)),
    );
    let place = |class: usize| sorted.iter().position(|&own| own == class);
    (0..names.len()).map(|class| place(class).map(|at| &given.columns[at].cells)).collect()
}

/// Probabilities of all classes.
fn probable(given: &Table, columns: &[&Cells], rows: &[usize]) -> Result<Answers> {
    let mut scores = Matrix::zeros(rows.len(), columns.len());
    for (i, &row) in rows.iter().enumerate() {
        for (class, cells) in columns.iter().enumerate() {
            let text = cells.text(row).ok_or_else(|| missing(given, row))?;
            scores[(i, class)] = number(&text, given, row)?;
        }
        let sum: f64 = scores.row(i).iter().sum();
        let within = scores.row(i).iter().all(|v| (0.0..=1.0).contains(v));
        if !within || (sum - 1.0).abs() > OFF {
            let has: Vec<String> = scores.row(i).iter().take(4).map(|v| format!("{v}")).collect();
            let problem = format!("holds {}, which are no probabilities", has.join(", "));
            let hint = "give numbers of 0 to 1 that add up to 1 in each row, or the answers as a column `prediction`";
            return Err(Error::input(given.place(row), problem, hint));
        }
    }
    let of_row = |i: usize| scores.row(i).iter().copied().collect::<Vec<f64>>();
    let answer: Vec<f64> = (0..rows.len()).map(|i| first_largest(&of_row(i)) as f64).collect();
    let confidence = (0..rows.len()).map(|i| scores[(i, answer[i] as usize)]).collect();
    Ok(Answers { answer, confidence, scores: Some(scores) })
}

/// The classes themselves.
fn of_names(given: &Table, cells: &Cells, names: &[String], rows: &[usize]) -> Result<Answers> {
    let known = Classes::named(names.to_vec());
    let class = |&row: &usize| {
        let text = cells.text(row).ok_or_else(|| missing(given, row))?;
        known.position(&text).map(|class| class as f64).ok_or_else(|| Error::Unknown {
            kind: format!("class in {}", given.place(row)),
            name: text,
            known: names.to_vec(),
        })
    };
    let answer = rows.iter().map(class).collect::<Result<_>>()?;
    let sure = given.column("confidence").map(|column| &column.cells);
    let sure = sure.map(|cells| rows.iter().map(|&row| cells.text(row)?.trim().parse().ok()).collect());
    Ok(Answers { answer, confidence: sure.flatten().unwrap_or_default(), scores: None })
}

fn no_columns(given: &Table, names: &[String]) -> Error {
    let has =
        |class: &&String| given.column(class).is_none() && given.column(&format!("score:{class}")).is_none();
    let lacks: Vec<&String> = names.iter().filter(has).collect();
    let problem = format!(
        "has {} columns, none for the class `{}` and none called `{PREDICTION}`",
        given.columns.len(),
        shown(lacks.first().map_or("", |name| name.as_str()))
    );
    let hint = format!(
        "give a column for each class with its probability, named by the class ({}), or the answers as a column `{PREDICTION}`",
        listed(&names.iter().collect::<Vec<_>>())
    );
    Error::input(format!("`{}`", given.name), problem, hint)
}

fn missing(given: &Table, row: usize) -> Error {
    Error::input(given.place(row), "has a missing cell", "give an answer for each row")
}

fn number(text: &str, given: &Table, row: usize) -> Result<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| {
        let problem = format!("holds `{}`, which is no finite number", shown(text));
        Error::input(given.place(row), problem, "give what the model says as numbers")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Reading, read_table};

    fn table(text: &str) -> Table {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("said.csv");
        std::fs::write(&file, text).expect("written");
        let reading = Reading { as_text: vec![PREDICTION.into()], ..Reading::default() };
        read_table(&file.display().to_string(), &reading, &Context::default()).expect("a table")
    }

    fn answers(given: &Table, rows: &[usize], goal: &Goal) -> std::result::Result<Answers, String> {
        let context = &mut Context::default();
        answers_of(given, (rows, 3, "the target"), goal, context).map_err(|error| error.to_string())
    }

    fn goal(names: [&str; 2]) -> Goal {
        Goal::Classes(names.map(String::from).to_vec())
    }

    #[test]
    fn probabilities_stand_in_columns_of_the_classes_in_any_order() {
        let goal = goal(["no", "yes"]);
        for header in ["yes,no", "score:yes,score:no", "id,yes,no"] {
            let id = if header.starts_with("id") { "7," } else { "" };
            let given = table(&format!("{header}\n{id}0.9,0.1\n{id}0.25,0.75\n{id}1,0\n"));
            let said = answers(&given, &[0, 1, 2], &goal).unwrap();
            assert_eq!(
                (said.answer, said.confidence),
                (vec![1.0, 0.0, 1.0], vec![0.9, 0.75, 1.0]),
                "{header}"
            );
            assert_eq!(said.scores.unwrap()[(1, 0)], 0.75);
            assert_eq!(answers(&given, &[1], &goal).unwrap().answer, [0.0]);
        }
    }

    #[test]
    fn columns_without_names_are_the_sorted_classes() {
        let given = table("x1,x2\n0.9,0.1\n0.2,0.8\n0.6,0.4\n");
        for (names, second) in [(["10", "9"], 0.0), (["b", "a"], 0.0), (["a", "b"], 1.0), (["9", "10"], 1.0)]
        {
            let said = answers(&given, &[0, 1, 2], &goal(names)).unwrap();
            assert_eq!(said.answer[1], second, "{names:?}");
        }
    }

    #[test]
    fn answers_stand_in_a_column() {
        let goal = goal(["1", "2"]);
        for text in ["row,prediction\n1,2\n2,1\n3,1.0\n", "said\n2\n1\n1\n"] {
            assert_eq!(answers(&table(text), &[0, 1, 2], &goal).unwrap().answer, [1.0, 0.0, 0.0], "{text}");
        }
        // As our own predictions are written, whose scores may be distances.
        let own =
            table("row,prediction,confidence,score:1,score:2\n1,2,0.5,-3,-2\n2,1,0.75,1,-1\n3,1,1,0,0\n");
        let own = answers(&own, &[0, 1, 2], &goal).unwrap();
        assert_eq!((own.answer, own.confidence), (vec![1.0, 0.0, 0.0], vec![0.5, 0.75, 1.0]));
        let numbers = answers(&table("row,prediction\n1,2.5\n2,1\n3,-1e3\n"), &[0, 2], &Goal::Value).unwrap();
        assert_eq!(numbers.answer, [2.5, -1000.0]);
    }

    #[test]
    fn what_does_not_belong_to_the_rows_is_named() {
        let goal = goal(["no", "yes"]);
        for (text, says) in [
            ("prediction\nyes\nno\n", "has 2 rows, and the target has 3"),
            ("prediction\nyes\nno\nmaybe\n", "`maybe`"),
            ("prediction,x\nyes,1\n,1\nno,1\n", "line 3: has a missing cell"),
            ("no,yes\n0.5,0.5\n0.7,0.7\n1,0\n", "line 3: holds 0.7, 0.7, which are no probabilities"),
            ("no,yes\n0.5,0.5\n-1,2\n1,0\n", "line 3: holds -1, 2, which are no probabilities"),
            ("no,yes\n0.5,0.5\nx,y\n1,0\n", "line 3: holds `x`, which is no finite number"),
            ("no,other\n0.5,0.5\n1,0\n1,0\n", "none for the class `yes`"),
        ] {
            let error = answers(&table(text), &[0, 1, 2], &goal).unwrap_err();
            assert!(error.contains(says), "{error}: {says}");
        }
        let error = answers(&table("a,b\n1,2\n1,2\n1,2\n"), &[0], &Goal::Value).unwrap_err();
        assert!(error.contains("has 2 columns, and none is called `prediction`"), "{error}");
    }
}
