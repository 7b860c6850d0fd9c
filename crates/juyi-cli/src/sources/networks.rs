//! Which of the sources are networks.

use std::path::{Path, PathBuf};

use juyi::error::{Error, Result};
use juyi::models::{MODEL_KEY, has_metadata};
use juyi::report::folder::{Kind, NETWORK, kind_of};
use juyi_deep::images::is_picture;
use juyi_deep::zoo::{named_after, weights};

use crate::arguments::TransferArguments;

/// Refuses one picture where many are needed.
pub(crate) fn refuse_one_picture(arguments: &TransferArguments) -> Result<()> {
    let Some(target) =
        arguments.tables.target.as_deref().filter(|own| is_picture(Path::new(own)).unwrap_or(false))
    else {
        return Ok(());
    };
    let problem = "is one picture, and a target has some of each class";
    let hint = "give a folder with a subfolder a class, or a table with the columns `path` and `label`; \
                `juyi predict MODEL PICTURE` classifies one picture";
    Err(Error::input(format!("`--target {target}`"), problem, hint))
}

/// The checkpoint that is to be tuned, if the sources are one: a file that no table is read from, or a run folder with
/// a network, and a folder of pictures or an option that only tuning has.
pub(crate) fn checkpoint(arguments: &TransferArguments) -> Result<Option<PathBuf>> {
    let own = &arguments.tuning;
    let asked =
        own.tune.is_some() || own.epochs.is_some() || own.regularize.is_some() || own.resume.is_some();
    let Some(target) = &arguments.tables.target else { return Ok(None) };
    let network = |spec: &String| -> Result<Option<PathBuf>> {
        let path = Path::new(spec);
        refuse_name(path)?;
        if let Some(inside) = inside(path)? {
            return Ok(Some(inside));
        }
        let is_one = by_its_ending(path, asked || Path::new(target).is_dir());
        Ok(is_one.unwrap_or(asked && !path.is_dir()).then(|| path.to_path_buf()))
    };
    if let [only] = &arguments.tables.source[..] {
        return network(only);
    }
    for spec in &arguments.tables.source {
        if network(spec)?.is_some() {
            let problem = "is a network, and a network is tuned by itself";
            return Err(Error::input(format!("`--source {spec}`"), problem, "give one `--source`"));
        }
    }
    Ok(None)
}

/// Refuses the name of a network where a file is needed, and says where its weights are had.
pub(crate) fn refuse_name(path: &Path) -> Result<()> {
    let Some(name) = path.to_str().and_then(named_after).filter(|_| !path.exists()) else { return Ok(()) };
    let problem = format!("is no file; weights of the network `{name}` are given in one");
    Err(Error::input(format!("`{}`", path.display()), problem, weights(name).join("; ")))
}

/// The network in a run folder, if it has one.
pub(crate) fn inside(folder: &Path) -> Result<Option<PathBuf>> {
    Ok((kind_of(folder)? == Some(Kind::Network)).then(|| folder.join(NETWORK)))
}

/// Whether a file holds a network, where its ending says so; models of tables share one ending with them, and there it
/// has to be `likely` too.
pub(crate) fn by_its_ending(path: &Path, likely: bool) -> Option<bool> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    match ending.as_deref() {
        Some("pth" | "pt" | "bin" | "pkl" | "ckpt" | "tar" | "th" | "pyth") => Some(true),
        Some("safetensors") => Some(likely && !has_metadata(path, MODEL_KEY)),
        _ => None,
    }
}
