//! Predictions, and the table that shows them, as CSV or Parquet.

use faer::ColRef;

use super::columns::{self, Cells};
use crate::context::Context;
use crate::data::Goal;
use crate::error::Result;
use crate::models::Answers;

/// Predictions for the rows of one table.
#[derive(Debug, Clone)]
pub struct Predictions {
    /// The number of each predicted row in its table, from 0.
    pub rows: Vec<usize>,
    /// Identifying columns: name and one text a predicted row.
    pub id: Vec<(String, Vec<String>)>,
    /// What the model says; classes are positions in its goal.
    pub answers: Answers,
}

impl Predictions {
    /// Checks that identifying columns have names of their own.
    ///
    /// # Errors
    /// [`Error::Input`](crate::error::Error::Input) naming the column, and the option.
    pub fn check_names(id: &[String], goal: &Goal) -> Result<()> {
        let score = |name: &str| match (goal, name.strip_prefix("score:")) {
            (Goal::Classes(classes), Some(class)) => classes.iter().any(|known| known == class),
            _ => false,
        };
        let taken = |name: &str| match name {
            "row" | "prediction" => true,
            "confidence" => *goal != Goal::Value,
            name => score(name),
        };
        columns::check_names(id, "the predictions", taken)
    }

    /// Columns `row` (from 1, the line below the header being row 1), the identifying columns, `prediction`; for classes
    /// `confidence` and, where the predictor has scores, `score:<class>`.
    fn columns<'a>(&'a self, goal: &'a Goal) -> Vec<(String, Cells<'a>)> {
        let Self { rows, id, answers } = self;
        let mut columns = vec![("row".to_string(), Cells::Rows(rows))];
        for (name, cells) in id {
            columns.push((name.clone(), Cells::Text(cells.iter().map(String::as_str).collect())));
        }
        let prediction = "prediction".to_string();
        match goal {
            Goal::Value => columns.push((prediction, Cells::Numbers(ColRef::from_slice(&answers.answer)))),
            Goal::Classes(names) => {
                let classes = answers.answer.iter().map(|&class| names[class as usize].as_str());
                columns.push((prediction, Cells::Text(classes.collect())));
                columns.push(("confidence".into(), Cells::Numbers(ColRef::from_slice(&answers.confidence))));
                if let Some(scores) = &answers.scores {
                    let named = names.iter().zip(scores.col_iter());
                    columns.extend(named.map(|(name, of)| (format!("score:{name}"), Cells::Numbers(of))));
                }
            }
        }
        columns
    }
}

/// The predictions as CSV. Numbers are written so that they read back to the same bits.
///
/// # Errors
/// [`Error::Memory`](crate::error::Error::Memory); [`Error::Numeric`](crate::error::Error::Numeric) if the table cannot be
/// written down.
pub fn predictions_csv(predictions: &Predictions, goal: &Goal, context: &Context) -> Result<Vec<u8>> {
    columns::csv("predictions", &predictions.columns(goal), predictions.rows.len(), context)
}

/// The predictions as Parquet, in the same columns: rows are 64-bit integers, other numbers doubles, the rest text. The
/// same predictions give the same bytes.
///
/// # Errors
/// As [`predictions_csv`].
pub fn predictions_parquet(predictions: &Predictions, goal: &Goal, context: &Context) -> Result<Vec<u8>> {
    columns::parquet("predictions", &predictions.columns(goal), context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::linalg::from_rows;

    #[test]
    fn classes_and_numbers() {
        let scores = Some(from_rows(&[vec![0.25, 0.75]]));
        let answers = Answers { answer: vec![1.0], confidence: vec![0.75], scores };
        let id = vec![("name".to_string(), vec!["x, y".to_string()])];
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let context = Context::default();
        let csv = predictions_csv(&Predictions { rows: vec![4], id, answers }, &goal, &context).unwrap();
        let text = "row,name,prediction,confidence,score:a,score:b\n5,\"x, y\",b,0.75,0.25,0.75\n";
        assert_eq!(String::from_utf8(csv).unwrap(), text);
        let answers = Answers { answer: vec![0.1], confidence: vec![], scores: None };
        let predictions = Predictions { rows: vec![0], id: vec![], answers };
        let csv = predictions_csv(&predictions, &Goal::Value, &context).unwrap();
        assert_eq!(String::from_utf8(csv).unwrap(), "row,prediction\n1,0.1\n");
        // What is written has to fit too.
        for write in [predictions_csv, predictions_parquet] {
            let refused = write(&predictions, &Goal::Value, &Context::new(0, 20));
            assert!(matches!(refused, Err(Error::Memory { need: 21, budget: 20, .. })), "{refused:?}");
        }
        let exact = predictions_csv(&predictions, &Goal::Value, &Context::new(0, 21));
        assert_eq!(exact.unwrap().len(), 21);
    }

    #[test]
    fn identifying_columns_have_names_of_their_own() {
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let fails = |id: &[&str], goal: &Goal| {
            let id: Vec<String> = id.iter().map(ToString::to_string).collect();
            Predictions::check_names(&id, goal).map_err(|error| error.to_string())
        };
        for name in ["row", "prediction", "confidence", "score:a"] {
            let problem = format!("`‹id {name}›`: is what the predictions call a column of theirs");
            assert_eq!(fails(&["name", name], &goal), Err(problem));
        }
        assert_eq!(fails(&["name", "score:c", "Row"], &goal), Ok(()));
        assert_eq!(fails(&["confidence", "score:a"], &Goal::Value), Ok(()));
        assert_eq!(fails(&["a", "b", "a"], &goal), Err("`‹id a›`: is given twice".into()));
    }

    #[test]
    fn parquet_has_the_columns_of_the_csv() {
        let scores = Some(from_rows(&[vec![0.25, 0.75], vec![0.5, 0.5]]));
        let answers = Answers { answer: vec![1.0, 0.0], confidence: vec![0.75, 0.5], scores };
        let id = vec![("name".to_string(), vec!["x, y".to_string(), String::new()])];
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let predictions = Predictions { rows: vec![4, 6], id, answers };
        let context = Context::default();
        let bytes = predictions_parquet(&predictions, &goal, &context).unwrap();
        assert_eq!(bytes, predictions_parquet(&predictions, &goal, &context).unwrap());
        let table =
            crate::data::parquet::read("p.parquet", &bytes[..], &crate::data::Reading::default(), 1 << 20)
                .unwrap();
        let cell = |row: usize| {
            let cells = table.columns.iter().map(|column| column.cells.text(row).unwrap_or_default());
            cells.collect::<Vec<_>>().join("|")
        };
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names.join("|"), "row|name|prediction|confidence|score:a|score:b");
        assert_eq!((cell(0), cell(1)), ("5|x, y|b|0.75|0.25|0.75".into(), "7||a|0.5|0.5|0.5".into()));
    }
}
