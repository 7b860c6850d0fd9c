//! Parameters of methods, learners and measures: names, defaults, documentation and types come from the struct that holds them.

use std::fmt::Write;

use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use crate::error::{Error, Result, shown};
use crate::heads::without_links;

/// One parameter as the registry shows it.
#[derive(Debug, Clone, Serialize)]
pub struct ParamInfo {
    /// Name.
    pub name: String,
    /// Default.
    pub default: Value,
    /// Meaning and range: the field's documentation.
    pub about: String,
    /// Whether it is a whole number.
    #[serde(skip)]
    pub whole: bool,
}

impl ParamInfo {
    /// The default in words.
    pub fn default_text(&self) -> String {
        match &self.default {
            Value::Null => "automatic".into(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
}

/// Parameters as a table in Markdown.
pub(crate) fn markdown(params: &[ParamInfo]) -> String {
    if params.is_empty() {
        return "\nNo parameters.\n".into();
    }
    let mut out = String::from("\n| parameter | default | meaning and range |\n| --- | --- | --- |\n");
    for param in params {
        let about = without_links(&param.about).replace('|', "\\|");
        let _ = writeln!(out, "| `{}` | {} | {about} |", param.name, param.default_text());
    }
    out
}

/// The name and the parameters in `name(parameter=value, …)`; `kind` is what messages call what is named.
///
/// # Errors
/// [`Error::Input`] for what is written otherwise.
pub(crate) fn asked<'a>(kind: &str, text: &'a str) -> Result<(&'a str, JsonMap<String, Value>)> {
    let inside =
        text.strip_suffix(')').and_then(|text| text.split_once('(')).map_or("", |(_, inside)| inside);
    let mut params = JsonMap::new();
    for pair in inside.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((parameter, value)) = pair.split_once('=') else {
            let problem = format!("`{}` is no parameter with a value", shown(pair));
            let thing = format!("the {kind} `{}`", shown(text));
            return Err(Error::input(thing, problem, "write it as in `svm(cost=10)`"));
        };
        params.insert(parameter.trim().into(), value.trim().into());
    }
    Ok((name_of_asked(text), params))
}

/// The name in `name(parameter=value, …)`.
pub(crate) fn name_of_asked(text: &str) -> &str {
    text.strip_suffix(')').and_then(|text| text.split_once('(')).map_or(text, |(name, _)| name)
}

/// Refuses parameters that there are not; `kind` is what messages call them.
///
/// # Errors
/// [`Error::Unknown`].
pub(crate) fn check_names(kind: &str, known: &[ParamInfo], given: &JsonMap<String, Value>) -> Result<()> {
    let is_known = |name: &&String| known.iter().any(|param| param.name == **name);
    match given.keys().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => Err(Error::Unknown {
            kind: kind.into(),
            name: name.clone(),
            known: known.iter().map(|param| param.name.clone()).collect(),
        }),
    }
}

/// The error of a parameter with the name of what it belongs to.
pub(crate) fn of_owner(error: Error, owner: &str) -> Error {
    match error {
        Error::Param { name, must, got, .. } => Error::Param { owner: owner.into(), name, must, got },
        other => other,
    }
}

/// The struct with these parameters, the others at their defaults, and all of them. They are read one by one, so that an
/// error names the one that is at fault. Values that are strings are read as what the parameter is: `"0.5"` serves for a
/// number.
///
/// # Errors
/// [`Error::Param`] for a value of the wrong kind.
pub(crate) fn read_params<M>(given: &JsonMap<String, Value>) -> Result<(M, Value)>
where
    M: Default + Serialize + DeserializeOwned,
{
    let defaults = || serde_json::to_value(M::default()).unwrap_or_default();
    let mut all = defaults();
    for (name, value) in given {
        // A string may be a number or a switch that was typed on a command line.
        let typed = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let accepts = |value: &Value| {
            let mut one = defaults();
            one[name] = value.clone();
            serde_json::from_value::<M>(one).map(|_| ())
        };
        let value = typed.filter(|typed| accepts(typed).is_ok()).unwrap_or_else(|| value.clone());
        if let Err(error) = accepts(&value) {
            let got = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            let must = format!("of its type ({})", error.to_string().trim_end_matches(" at line 0 column 0"));
            return Err(Error::Param { owner: String::new(), name: name.clone(), must, got });
        }
        all[name] = value;
    }
    let method: M = serde_json::from_value(all.clone())
        .map_err(|error| Error::Numeric { what: "reading parameters".into(), why: error.to_string() })?;
    Ok((method, all))
}

/// Names, defaults and documentation of the parameters in a struct.
pub(crate) fn params_of<M: Default + Serialize + JsonSchema>() -> Vec<ParamInfo> {
    let defaults = serde_json::to_value(M::default()).unwrap_or_default();
    let schema = schema_for!(M);
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let describe = |(name, property): (String, Value)| {
        let about =
            property.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        let whole = match property.get("type") {
            Some(Value::Array(types)) => types.iter().any(|one| one == "integer"),
            one => one.is_some_and(|one| one == "integer"),
        };
        ParamInfo { default: defaults[&name].clone(), about, whole, name }
    };
    properties.into_iter().map(describe).collect()
}
