//! The record of an earlier run.

use std::path::Path;

use serde_json::Value;

use super::folder::read_file;
use super::run::Run;
use crate::error::{Error, Result, shown};

/// Reads a `run.json`.
///
/// # Errors
/// Those of [`read_file`]; [`Error::Input`] for a file that is no record, or one of a later format.
pub fn read(file: &Path) -> Result<Run> {
    let bytes = read_file(file, u64::MAX)?;
    let refuse = |problem: String| {
        let hint = "give the folder that `juyi transfer` wrote, or repeat the run with this version";
        Error::input(format!("`{}`", file.display()), problem, hint)
    };
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| refuse(format!("is not JSON ({error})")))?;
    if value.get("version").and_then(Value::as_str).is_none() {
        return Err(refuse("is not the record of a run: it has no version".into()));
    }
    match value.get("format") {
        Some(format) if format.as_u64().is_none_or(|format| format > u64::from(Run::FORMAT)) => {
            let (format, own) = (shown(&format.to_string()), Run::FORMAT);
            return Err(refuse(format!("has format {format}, this version reads up to {own}")));
        }
        _ => {}
    }
    serde_json::from_value(value).map_err(|error| refuse(format!("is not the record of a run ({error})")))
}
