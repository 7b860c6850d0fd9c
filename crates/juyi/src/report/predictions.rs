//! Predictions, and the table that shows them, as CSV or Parquet.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type as SchemaType;

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

/// A column of the table.
enum Cells<'a> {
    Rows(Vec<i64>),
    Text(Vec<&'a str>),
    Numbers(Vec<f64>),
}

impl Predictions {
    /// Columns `row` (from 1, the line below the header being row 1), the identifying columns, `prediction`; for classes
    /// `confidence` and, where the predictor has scores, `score:<class>`.
    fn columns<'a>(&'a self, goal: &'a Goal) -> Vec<(String, Cells<'a>)> {
        let Self { rows, id, answers } = self;
        let mut columns = vec![(
            "row".to_string(),
            Cells::Rows(rows.iter().map(|&row| row.cast_signed() as i64 + 1).collect()),
        )];
        for (name, cells) in id {
            columns.push((name.clone(), Cells::Text(cells.iter().map(String::as_str).collect())));
        }
        let prediction = "prediction".to_string();
        match goal {
            Goal::Value => columns.push((prediction, Cells::Numbers(answers.answer.clone()))),
            Goal::Classes(names) => {
                let classes = answers.answer.iter().map(|&class| names[class as usize].as_str());
                columns.push((prediction, Cells::Text(classes.collect())));
                columns.push(("confidence".into(), Cells::Numbers(answers.confidence.clone())));
                if let Some(scores) = &answers.scores {
                    let column = |class: usize| Cells::Numbers(scores.col(class).iter().copied().collect());
                    let named = names.iter().enumerate();
                    columns.extend(named.map(|(class, name)| (format!("score:{name}"), column(class))));
                }
            }
        }
        columns
    }
}

/// The predictions as CSV. Numbers are written so that they read back to the same bits.
///
/// # Errors
/// [`Error::Numeric`] if the table cannot be written down.
pub fn predictions_csv(predictions: &Predictions, goal: &Goal) -> Result<Vec<u8>> {
    let write = || -> std::result::Result<Vec<u8>, Box<dyn std::error::Error>> {
        let columns = predictions.columns(goal);
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(columns.iter().map(|(name, _)| name))?;
        for row in 0..predictions.rows.len() {
            for (_, cells) in &columns {
                match cells {
                    Cells::Rows(numbers) => out.write_field(numbers[row].to_string())?,
                    Cells::Text(texts) => out.write_field(texts[row])?,
                    Cells::Numbers(numbers) => out.write_field(numbers[row].to_string())?,
                }
            }
            out.write_record(None::<&[u8]>)?;
        }
        Ok(out.into_inner()?)
    };
    write().map_err(|error| failed(error.as_ref()))
}

/// The predictions as Parquet, in the same columns: rows are 64-bit integers, other numbers doubles, the rest text. The
/// same predictions give the same bytes.
///
/// # Errors
/// [`Error::Numeric`] if the table cannot be written down.
pub fn predictions_parquet(predictions: &Predictions, goal: &Goal) -> Result<Vec<u8>> {
    let write = || -> parquet::errors::Result<Vec<u8>> {
        let columns = predictions.columns(goal);
        let field = |(name, cells): &(String, Cells)| -> parquet::errors::Result<_> {
            let (stored, meaning) = match cells {
                Cells::Rows(_) => (Type::INT64, None),
                Cells::Text(_) => (Type::BYTE_ARRAY, Some(LogicalType::String)),
                Cells::Numbers(_) => (Type::DOUBLE, None),
            };
            let field = SchemaType::primitive_type_builder(name, stored).with_logical_type(meaning);
            Ok(Arc::new(field.with_repetition(Repetition::REQUIRED).build()?))
        };
        let fields = columns.iter().map(field).collect::<parquet::errors::Result<_>>()?;
        let schema = Arc::new(SchemaType::group_type_builder("predictions").with_fields(fields).build()?);
        let properties = Arc::new(WriterProperties::builder().set_created_by("juyi".into()).build());
        let mut file = SerializedFileWriter::new(Vec::new(), schema, properties)?;
        let mut group = file.next_row_group()?;
        for (_, cells) in &columns {
            let mut column = group.next_column()?.expect("as many columns as the schema has");
            match cells {
                Cells::Rows(numbers) => column.typed::<Int64Type>().write_batch(numbers, None, None)?,
                Cells::Numbers(numbers) => column.typed::<DoubleType>().write_batch(numbers, None, None)?,
                Cells::Text(texts) => {
                    let texts: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(*text)).collect();
                    column.typed::<ByteArrayType>().write_batch(&texts, None, None)?
                }
            };
            column.close()?;
        }
        group.close()?;
        file.into_inner()
    };
    write().map_err(|error| failed(&error))
}

fn failed(error: &dyn std::error::Error) -> Error {
    Error::Numeric { what: "writing predictions".into(), why: error.to_string() }
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

    #[test]
    fn parquet_has_the_columns_of_the_csv() {
        let scores = Some(from_rows(&[vec![0.25, 0.75], vec![0.5, 0.5]]));
        let answers = Answers { answer: vec![1.0, 0.0], confidence: vec![0.75, 0.5], scores };
        let id = vec![("name".to_string(), vec!["x, y".to_string(), String::new()])];
        let goal = Goal::Classes(vec!["a".into(), "b".into()]);
        let predictions = Predictions { rows: vec![4, 6], id, answers };
        let bytes = predictions_parquet(&predictions, &goal).unwrap();
        assert_eq!(bytes, predictions_parquet(&predictions, &goal).unwrap());
        let table = crate::data::parquet::read("p.parquet", &bytes[..], &[], 1 << 20).unwrap();
        let cell = |row: usize| {
            let cells = table.columns.iter().map(|column| column.cells.text(row).unwrap_or_default());
            cells.collect::<Vec<_>>().join("|")
        };
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names.join("|"), "row|name|prediction|confidence|score:a|score:b");
        assert_eq!((cell(0), cell(1)), ("5|x, y|b|0.75|0.25|0.75".into(), "7||a|0.5|0.5|0.5".into()));
    }
}
