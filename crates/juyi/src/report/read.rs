//! The record of an earlier run.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::run::Run;
use crate::context::Context;
use crate::data::read_whole;
use crate::error::{Error, Result, shown};

/// Most bytes of a record that a byte of its file becomes: a number of two letters is one of many in a list.
const UNFOLDED: u64 = 64;

/// What says which version wrote a record.
#[derive(Deserialize)]
struct Written {
    version: String,
}

/// Reads a `run.json`.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] for a file that is no record of this version; [`Error::Memory`].
pub fn read(file: &Path, context: &Context) -> Result<Run> {
    let bytes = read_whole(file, UNFOLDED, context)?;
    let refuse = |problem: String| {
        let hint = "give the folder that `juyi transfer` wrote, or repeat the run with this version";
        Error::input(format!("`{}`", file.display()), problem, hint)
    };
    serde_json::from_slice::<IgnoredAny>(&bytes).map_err(|error| refuse(format!("is not JSON ({error})")))?;
    let Ok(Written { version }) = serde_json::from_slice(&bytes) else {
        return Err(refuse("is not the record of a run: it has no version".into()));
    };
    if version != env!("CARGO_PKG_VERSION") {
        let own = env!("CARGO_PKG_VERSION");
        return Err(refuse(format!("was written by version {}, this is version {own}", shown(&version))));
    }
    serde_json::from_slice(&bytes).map_err(|error| refuse(format!("is not the record of a run ({error})")))
}
