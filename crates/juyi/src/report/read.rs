//! The record of an earlier run.

use std::path::Path;

use serde_json::Value;

use super::run::Run;
use crate::error::{Error, Result, shown};

/// Reads a `run.json`.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] for a file that is no record of this version.
pub fn read(file: &Path) -> Result<Run> {
    let bytes = std::fs::read(file).map_err(|error| Error::io(file, error))?;
    let refuse = |problem: String| {
        let hint = "give the folder that `juyi transfer` wrote, or repeat the run with this version";
        Error::input(format!("`{}`", file.display()), problem, hint)
    };
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| refuse(format!("is not JSON ({error})")))?;
    let Some(version) = value.get("version").and_then(Value::as_str) else {
        return Err(refuse("is not the record of a run: it has no version".into()));
    };
    if version != env!("CARGO_PKG_VERSION") {
        let own = env!("CARGO_PKG_VERSION");
        return Err(refuse(format!("was written by version {}, this is version {own}", shown(version))));
    }
    serde_json::from_value(value).map_err(|error| refuse(format!("is not the record of a run ({error})")))
}
