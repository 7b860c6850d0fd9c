//! What a run is given: tables, models of tables, or a network and pictures.

#[cfg(feature = "deep")]
mod networks;

use std::path::{Path, PathBuf};

use juyi::context::Context;
use juyi::data::table_files;
use juyi::error::{Error, Result};
use juyi::models::Model;
use juyi::report::folder::{Kind, kind_of, load_model};
#[cfg(feature = "deep")]
pub(crate) use networks::{by_its_ending, checkpoint, inside, refuse_name, refuse_one_picture};

use crate::arguments::TablesArguments;

/// Every file and folder that is read.
pub(crate) fn inputs(tables: &TablesArguments) -> Vec<PathBuf> {
    let specs = tables.source.iter().chain(&tables.target);
    let inputs = specs.flat_map(|spec| std::iter::once(PathBuf::from(spec)).chain(table_files(spec)));
    #[cfg(feature = "deep")]
    let inputs = inputs.chain(tables.network.clone());
    inputs.collect()
}

/// The models, with their names, where the sources are run folders or model files; `None` where they are tables.
pub(crate) fn models(
    arguments: &TablesArguments,
    context: &mut Context,
) -> Result<Option<Vec<(String, Model)>>> {
    let is_model = |spec: &String| -> Result<bool> {
        let path = Path::new(spec);
        let by_its_ending = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"));
        Ok(by_its_ending || kind_of(path)? == Some(Kind::Model))
    };
    let are_models = arguments.source.iter().map(is_model).collect::<Result<Vec<bool>>>()?;
    let first = |model: bool| are_models.iter().position(|own| *own == model).map(|at| &arguments.source[at]);
    let Some(model) = first(true) else { return Ok(None) };
    if let Some(table) = first(false) {
        let problem = format!("is a model, and `{table}` is a table");
        let hint = "give sources of one kind: tables, or run folders";
        return Err(Error::input(format!("`--source {model}`"), problem, hint));
    }
    let load = |spec: &String| Ok((spec.clone(), load_model(Path::new(spec), context)?));
    arguments.source.iter().map(load).collect::<Result<_>>().map(Some)
}
