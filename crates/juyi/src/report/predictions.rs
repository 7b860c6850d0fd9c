//! Predictions, and the CSV table that shows them.

use crate::data::Goal;
use crate::error::{Error, Result};
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

/// Columns `row` (from 1, the line below the header being row 1), the identifying columns, `prediction`; for classes
/// `confidence` and, where the predictor has scores, `score:<class>`. Numbers are written so that they read back to the
/// same bits.
///
/// # Errors
/// [`Error::Numeric`] if the table cannot be written down.
pub fn predictions_csv(predictions: &Predictions, goal: &Goal) -> Result<Vec<u8>> {
    let failed = |why: String| Error::Numeric { what: "writing predictions".into(), why };
    let Predictions { rows, id, answers } = predictions;
    let mut header = vec!["row".to_string()];
    header.extend(id.iter().map(|(name, _)| name.clone()));
    header.push("prediction".into());
    let names: &[String] = match goal {
        Goal::Classes(names) => names,
        Goal::Value => &[],
    };
    if !names.is_empty() {
        header.push("confidence".into());
    }
    if answers.scores.is_some() {
        header.extend(names.iter().map(|name| format!("score:{name}")));
    }
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&header).map_err(|error| failed(error.to_string()))?;
    for (i, row) in rows.iter().enumerate() {
        let mut record = vec![(row + 1).to_string()];
        record.extend(id.iter().map(|(_, cells)| cells[i].clone()));
        if names.is_empty() {
            record.push(answers.answer[i].to_string());
        } else {
            record.push(names[answers.answer[i] as usize].clone());
            record.push(answers.confidence[i].to_string());
        }
        if let Some(scores) = &answers.scores {
            record.extend(scores.row(i).iter().map(f64::to_string));
        }
        out.write_record(&record).map_err(|error| failed(error.to_string()))?;
    }
    out.into_inner().map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;

    #[test]
    fn classes_and_numbers() {
        let scores = Some(from_rows(&[vec![0.25, 0.75]]));
        let answers = Answers { answer: vec![1.0], confidence: vec![0.75], scores };
        let id = vec![("name".to_string(), vec!["x, y".to_string()])];
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let csv = predictions_csv(&Predictions { rows: vec![4], id, answers }, &goal).unwrap();
        let text = "row,name,prediction,confidence,score:a,score:b\n5,\"x, y\",b,0.75,0.25,0.75\n";
        assert_eq!(String::from_utf8(csv).unwrap(), text);
        let answers = Answers { answer: vec![0.1], confidence: vec![], scores: None };
        let csv = predictions_csv(&Predictions { rows: vec![0], id: vec![], answers }, &Goal::Value).unwrap();
        assert_eq!(String::from_utf8(csv).unwrap(), "row,prediction\n1,0.1\n");
    }
}
