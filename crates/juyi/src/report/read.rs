//! The record of an earlier run.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::folder::read_file;
use super::run::Run;
use crate::context::Context;
use crate::error::{Error, Result, shown};

/// Most bytes of a record that a byte of its file becomes: a number of two letters is one of many in a list.
const UNFOLDED: u64 = 64;

/// What says which version wrote a record, and in which format.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "version")]
    _version: String,
    format: Option<Value>,
}

/// Reads a `run.json`.
///
/// # Errors
/// Those of [`read_file`]; [`Error::Input`] for a file that is no record, or one of a later format.
pub fn read(file: &Path, context: &Context) -> Result<Run> {
    let bytes = read_file(file, UNFOLDED, context)?;
    let refuse = |problem: String| {
        let hint = "give the folder that `juyi transfer` wrote, or repeat the run with this version";
        Error::input(format!("`{}`", file.display()), problem, hint)
    };
    serde_json::from_slice::<IgnoredAny>(&bytes).map_err(|error| refuse(format!("is not JSON ({error})")))?;
    let Ok(Written { format, .. }) = serde_json::from_slice(&bytes) else {
        return Err(refuse("is not the record of a run: it has no version".into()));
    };
    if let Some(format) =
        format.as_ref().filter(|format| format.as_u64().is_none_or(|own| own > u64::from(Run::FORMAT)))
    {
        let (format, own) = (shown(&format.to_string()), Run::FORMAT);
        return Err(refuse(format!("has format {format}, this version reads up to {own}")));
    }
    let now = format.is_some_and(|format| format.as_u64() == Some(u64::from(Run::FORMAT)));
    let run = if now { serde_json::from_slice(&bytes) } else { earlier(&bytes) };
    run.map_err(|error| refuse(format!("is not the record of a run ({error})")))
}

/// A record of format 0 or 1.
fn earlier(bytes: &[u8]) -> serde_json::Result<Run> {
    serde_json::from_value(grouped(serde_json::from_slice(bytes)?))
}

/// A record of format 0 or 1, in which all fields stood side by side, as one of format 2.
fn grouped(mut record: Map<String, Value>) -> Value {
    const DATA: [&str; 11] = [
        "task",
        "label",
        "features",
        "sources",
        "target",
        "scored_rows",
        "scored_by",
        "missing",
        "target_labels",
        "distances",
        "moved",
    ];
    const TRANSFER: [&str; 3] = ["chosen", "baseline", "refused"];
    for (step, fields) in [("data", &DATA[..]), ("transfer", &TRANSFER[..])] {
        let own = fields.iter().filter_map(|field| record.remove_entry(*field)).collect();
        record.insert(step.into(), Value::Object(own));
    }
    if let Some(choice) = record.remove("choice") {
        record.insert("select".into(), choice);
    }
    record.insert("format".into(), Run::FORMAT.into());
    Value::Object(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_records_are_read() {
        let record = include_str!("../../tests/report/run.json");
        let now: Run = serde_json::from_str(record).unwrap();
        let mut flat: Map<String, Value> = serde_json::from_str(record).unwrap();
        for step in ["data", "transfer"] {
            let Some(Value::Object(fields)) = flat.remove(step) else { unreachable!("a step has fields") };
            flat.extend(fields);
        }
        let choice = flat.remove("select").unwrap();
        flat.insert("choice".into(), choice);
        for format in [None, Some(1)] {
            match format {
                Some(format) => drop(flat.insert("format".into(), format.into())),
                None => drop(flat.remove("format")),
            }
            assert_eq!(earlier(&serde_json::to_vec(&flat).unwrap()).unwrap(), now);
        }
    }
}
