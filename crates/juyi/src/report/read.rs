//! The record of an earlier run.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

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
        format.filter(|format| format.as_u64().is_none_or(|own| own > u64::from(Run::FORMAT)))
    {
        let (format, own) = (shown(&format.to_string()), Run::FORMAT);
        return Err(refuse(format!("has format {format}, this version reads up to {own}")));
    }
    serde_json::from_slice(&bytes).map_err(|error| refuse(format!("is not the record of a run ({error})")))
}
