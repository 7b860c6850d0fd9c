//! The record of an earlier run.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::run::Run;
use crate::error::{Error, Result, shown};

/// Most bytes of a record that a byte of its file becomes: a number of two letters is one of many in a list.
pub(super) const UNFOLDED: u64 = 64;

/// What says which version wrote a record, and in which format.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "version")]
    _version: String,
    format: Option<Value>,
}

/// The record in the bytes of a `run.json`, which messages call `name`.
///
/// # Errors
/// [`Error::Input`] for what is no record, or one of a later format.
pub(super) fn record(name: &str, bytes: &[u8]) -> Result<Run> {
    let refuse = |problem: String| {
        let hint = "give the folder that `juyi transfer` wrote, or repeat the run with this version";
        Error::input(format!("`{name}`"), problem, hint)
    };
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| refuse(format!("is not JSON ({error})")))?;
    let Ok(Written { format, .. }) = serde_json::from_slice(bytes) else {
        return Err(refuse("is not the record of a run: it has no version".into()));
    };
    if let Some(format) =
        format.as_ref().filter(|format| format.as_u64().is_none_or(|own| own > u64::from(Run::FORMAT)))
    {
        let (format, own) = (shown(&format.to_string()), Run::FORMAT);
        return Err(refuse(format!("has format {format}, this version reads up to {own}")));
    }
    let now = format.is_some_and(|format| format.as_u64() == Some(u64::from(Run::FORMAT)));
    let run = if now { serde_json::from_slice(bytes) } else { earlier(bytes) };
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
    Value::Object(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_records_are_read() {
        let earlier = include_bytes!("../../tests/report/run-of-format-0.json");
        let mut now: Run = serde_json::from_str(include_str!("../../tests/report/run.json")).unwrap();
        (now.figures.worth, now.judged) = (None, None); // of later records, as these:
        if let Some(choice) = &mut now.select {
            (choice.expected, choice.floor) = (None, None);
        }
        assert_eq!(record("run.json", earlier).unwrap(), Run { format: 0, ..now });
        let with_number = String::from_utf8_lossy(earlier).replacen('{', "{\"format\": 1,", 1);
        assert_eq!(record("run.json", with_number.as_bytes()).unwrap().format, 1);
    }
}
