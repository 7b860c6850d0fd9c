//! The record of an earlier run.

use std::path::Path;

use serde::Deserialize;
use serde_json::error::Category;

use super::folder::read_file;
use super::run::Run;
use crate::context::Context;
use crate::error::{Error, Result};

/// Most bytes of a record that a byte of its file becomes: a number of two letters is one of many in a list.
const UNFOLDED: u64 = 64;

/// What says which version wrote a record, and in which format.
#[derive(Deserialize)]
struct Written {
    version: Option<String>,
    #[serde(default)]
    format: u64,
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
    let written: Written = serde_json::from_slice(&bytes).map_err(|error| {
        refuse(match error.classify() {
            Category::Data => "is not the record of a run: it has no version".into(),
            _ => format!("is not JSON ({error})"),
        })
    })?;
    if written.version.is_none() {
        return Err(refuse("is not the record of a run: it has no version".into()));
    }
    if written.format > u64::from(Run::FORMAT) {
        let (format, own) = (written.format, Run::FORMAT);
        return Err(refuse(format!("has format {format}, this version reads up to {own}")));
    }
    serde_json::from_slice(&bytes).map_err(|error| refuse(format!("is not the record of a run ({error})")))
}
