//! Columns as a table that is written: CSV or Parquet.

use std::io::Write;
use std::sync::Arc;

use faer::ColRef;
use parquet::basic::{LogicalType, Repetition, Type};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type as SchemaType;

use crate::context::Context;
use crate::error::{Error, Result, shown};
use crate::setting::Setting;

/// A column.
pub(super) enum Cells<'a> {
    /// From 0, written from 1.
    Rows(&'a [usize]),
    Text(Vec<&'a str>),
    Numbers(ColRef<'a, f64>),
}

/// Checks that identifying columns have names of their own in a table that has these columns beside them; `whose` table
/// it is.
pub(super) fn check_names(id: &[String], whose: &str, taken: impl Fn(&str) -> bool) -> Result<()> {
    for (k, name) in id.iter().enumerate() {
        let clash = taken(name);
        let name = shown(name);
        let thing = format!("`{}`", Setting::Id.to(&name));
        if clash {
            let rename = Setting::Rename.to(format_args!("\"{name}=own {name}\""));
            let own = Setting::Id.to(format_args!("\"own {name}\""));
            let hint = format!("give it another name: `{rename} {own}`");
            return Err(Error::input(thing, format!("is what {whose} call a column of theirs"), hint));
        }
        if id[..k].contains(&id[k]) {
            return Err(Error::input(thing, "is given twice", "name each column once"));
        }
    }
    Ok(())
}

/// Bytes that grow up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: u64,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        self.full |= (self.bytes.len() + more.len()) as u64 > self.limit;
        if self.full {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `write` writes, as long as the context has room for it.
fn bounded<E: std::fmt::Display>(
    name: &str,
    context: &Context,
    write: impl FnOnce(&mut Bounded) -> std::result::Result<(), E>,
) -> Result<Vec<u8>> {
    let limit = context.left();
    let mut out = Bounded { bytes: Vec::new(), limit, full: false };
    let written = write(&mut out);
    if out.full {
        context.require(&format!("the table of {name}"), limit.saturating_add(1))?;
    }
    let failed = |error: E| Error::Numeric { what: format!("writing {name}"), why: error.to_string() };
    written.map(|()| out.bytes).map_err(failed)
}

/// Columns of one length as CSV; `name` is what the rows are. Numbers are written so that they read back to the same bits.
///
/// # Errors
/// [`Error::Memory`]; [`Error::Numeric`] if the table cannot be written down.
pub(super) fn csv(
    name: &str,
    columns: &[(String, Cells)],
    rows: usize,
    context: &Context,
) -> Result<Vec<u8>> {
    bounded(name, context, |out| -> std::result::Result<(), ::csv::Error> {
        let mut out = ::csv::Writer::from_writer(out);
        out.write_record(columns.iter().map(|(name, _)| name))?;
        for row in 0..rows {
            for (_, cells) in columns {
                match cells {
                    Cells::Rows(numbers) => out.write_field((numbers[row] + 1).to_string())?,
                    Cells::Text(texts) => out.write_field(texts[row])?,
                    Cells::Numbers(numbers) => out.write_field(numbers[row].to_string())?,
                }
            }
            out.write_record(None::<&[u8]>)?;
        }
        Ok(out.flush()?)
    })
}

/// Columns of one length as Parquet: rows are 64-bit integers, other numbers doubles, the rest text. The same columns give
/// the same bytes.
///
/// # Errors
/// [`Error::Memory`]; [`Error::Numeric`] if the table cannot be written down.
pub(super) fn parquet(name: &str, columns: &[(String, Cells)], context: &Context) -> Result<Vec<u8>> {
    bounded(name, context, |out| -> ::parquet::errors::Result<()> {
        let field = |(name, cells): &(String, Cells)| -> ::parquet::errors::Result<_> {
            let (stored, meaning) = match cells {
                Cells::Rows(_) => (Type::INT64, None),
                Cells::Text(_) => (Type::BYTE_ARRAY, Some(LogicalType::String)),
                Cells::Numbers(_) => (Type::DOUBLE, None),
            };
            let field = SchemaType::primitive_type_builder(name, stored).with_logical_type(meaning);
            Ok(Arc::new(field.with_repetition(Repetition::REQUIRED).build()?))
        };
        let fields = columns.iter().map(field).collect::<::parquet::errors::Result<_>>()?;
        let schema = Arc::new(SchemaType::group_type_builder(name).with_fields(fields).build()?);
        let properties = Arc::new(WriterProperties::builder().set_created_by("juyi".into()).build());
        let mut file = SerializedFileWriter::new(out, schema, properties)?;
        let mut group = file.next_row_group()?;
        for (_, cells) in columns {
            let mut column = group.next_column()?.expect("as many columns as the schema has");
            match cells {
                Cells::Rows(numbers) => {
                    let numbers: Vec<i64> = numbers.iter().map(|&row| row.cast_signed() as i64 + 1).collect();
                    column.typed::<Int64Type>().write_batch(&numbers, None, None)?
                }
                Cells::Numbers(numbers) => {
                    let numbers: Vec<f64> = numbers.iter().copied().collect();
                    column.typed::<DoubleType>().write_batch(&numbers, None, None)?
                }
                Cells::Text(texts) => {
                    let texts: Vec<ByteArray> = texts.iter().map(|text| ByteArray::from(*text)).collect();
                    column.typed::<ByteArrayType>().write_batch(&texts, None, None)?
                }
            };
            column.close()?;
        }
        group.close()?;
        file.close().map(|_| ())
    })
}
