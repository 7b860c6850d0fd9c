//! Files of folders that were written by this program, read only as their manifest has them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::lock::lock;
use super::manifest::{Kind, MANIFEST, Manifest, Stamp, State};
use super::{Folder, MODEL, NETWORK, PAGE, PREDICTIONS, RECORD};
use crate::context::Context;
use crate::data::read_whole;
use crate::error::{Error, Result};
use crate::files::{self, write_whole};
use crate::models::Model;
use crate::report::read::{UNFOLDED, record};
use crate::report::{Run, html};
use crate::setting::Setting;

/// The content of a folder; `None` where it is not one that this program wrote.
///
/// # Errors
/// Those of a manifest of a later format, or that was altered.
pub fn kind_of(folder: &Path) -> Result<Option<Kind>> {
    let there = |name: &str| folder.join(name).is_file();
    Ok(match Manifest::read(folder)? {
        Some(own) => Some(own.kind),
        None if there(NETWORK) => Some(Kind::Network),
        None if there(MODEL) => Some(Kind::Model),
        None => None,
    })
}

/// The bytes of a file of which `times` as many bytes come into being while it is used. One that belongs to a run is given only if the folder is whole and holds what its
/// manifest says.
///
/// # Errors
/// [`Error::Input`] for a folder that is unfinished and a file that was changed; [`Error::Memory`]; [`Error::Io`].
pub fn read_file(path: &Path, times: u64, context: &Context) -> Result<Vec<u8>> {
    let (folder, name) = in_folder(path);
    let manifest = Manifest::read(folder)?;
    let manifest = manifest.filter(|own| {
        let may_be_missing = own.state == State::Unfinished && own.kind != Kind::Tables && is_read(name);
        own.files.contains_key(name) || may_be_missing
    });
    if let Some(manifest) = &manifest {
        check(folder, manifest, name)?;
    }
    let bytes = read_whole(path, times, context)?;
    match manifest.and_then(|mut own| own.files.remove(name)) {
        Some(stamp) if stamp != Stamp::of(&bytes) => Err(changed(path)),
        _ => Ok(bytes),
    }
}

/// Reads a model file, or the model of a run folder; the context holds the model from then on.
///
/// # Errors
/// Those of [`read_file`]; [`Error::ModelFile`].
pub fn load_model(path: &Path, context: &mut Context) -> Result<Model> {
    let file = if path.is_dir() { path.join(MODEL) } else { path.to_path_buf() };
    let bytes = read_file(&file, 2, context)?; // the file and its matrices
    Model::held(&file.display().to_string(), bytes, context)
}

/// Reads the record of a run.
///
/// # Errors
/// Those of [`read_file`]; [`Error::Input`] for a file that is no record, or one of a later format.
pub fn read(file: &Path, context: &Context) -> Result<Run> {
    let bytes = read_file(file, UNFOLDED, context)?;
    record(&file.display().to_string(), &bytes)
}

/// Writes the page of a run folder again, from its record. Returns the page's path.
///
/// # Errors
/// Those of [`read`] and [`write_whole`]; [`Error::Input`] for a page that is not the run's, and while the folder is
/// written.
pub fn write_page(folder: &Path, context: &Context) -> Result<PathBuf> {
    let run = read(&folder.join(RECORD), context)?;
    let (page, _lock) = (folder.join(PAGE), lock(folder)?);
    let manifest = Manifest::read(folder)?;
    if manifest.as_ref().is_some_and(|own| !own.files.contains_key(PAGE)) && page.exists() {
        let problem = "is not that of the run";
        return Err(Error::input(format!("`{}`", page.display()), problem, "give it another name"));
    }
    files::check_output(&page, Setting::Out, [])?;
    let bytes = html(&run).into_bytes();
    write_whole(&page, &bytes)?;
    if let Some(mut own) = manifest {
        own.files.insert(PAGE.into(), Stamp::of(&bytes));
        write_whole(&folder.join(MANIFEST), &own.to_bytes()?)?;
    }
    Ok(page)
}

/// Asks before the work whether a single file can be written, and refuses one that is an input or belongs to a folder
/// whose files are written together.
///
/// # Errors
/// Those of [`files::check_output`]; [`Error::Input`].
pub fn check_output<'a>(
    path: &Path,
    setting: Setting,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<()> {
    files::check_output(path, setting, inputs)?;
    let Some(target) = files::written_file(path)? else { return Ok(()) };
    let (folder, name) = in_folder(&target);
    let manifest = match Manifest::read(folder)? {
        None => Manifest::without_manifest(folder)?,
        own => own,
    };
    match manifest {
        Some(own) if name == MANIFEST || own.files.contains_key(name) => {
            let problem = format!("belongs to {}, and nothing else may be written there", own.kind.text());
            let hint = format!("give another file with `{setting}`");
            Err(Error::input(format!("`{}`", path.display()), problem, hint))
        }
        _ => Ok(()),
    }
}

impl Folder {
    /// Asks before the work whether a single file can be written when this folder's are, as [`check_output`] does, and
    /// refuses one whose name in this folder is a run's.
    ///
    /// # Errors
    /// As [`check_output`].
    pub fn check_beside<'a>(
        &self,
        path: &Path,
        setting: Setting,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<()> {
        check_output(path, setting, inputs)?;
        let Some(target) = files::written_file(path)? else { return Ok(()) };
        let (folder, name) = in_folder(&target);
        let of_runs = [MODEL, NETWORK, RECORD, PAGE, MANIFEST];
        if files::same_file(folder, &self.path) && of_runs.iter().chain(&PREDICTIONS).any(|own| *own == name)
        {
            let hint = format!("give another file with `{setting}`");
            let problem = "is the name of another file of the run";
            return Err(Error::input(format!("`{}`", path.display()), problem, hint));
        }
        Ok(())
    }
}

/// A file's folder and name.
fn in_folder(path: &Path) -> (&Path, &str) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => (parent, name),
        _ => (Path::new("."), name),
    }
}

/// Whether a file of this name is read from run folders.
fn is_read(name: &str) -> bool {
    [MODEL, NETWORK, RECORD].contains(&name)
}

/// Refuses a folder that is unfinished or in which a file is not what the manifest says, `but` one aside. Nothing is read
/// from the page, which [`write_page`] writes anew, nor from the predictions, which may be gone.
fn check(folder: &Path, manifest: &Manifest, but: &str) -> Result<()> {
    if manifest.state == State::Unfinished {
        let place = folder.display();
        let (problem, hint) = match (manifest.training, manifest.is_fresh()) {
            (true, true) => (
                "is unfinished: a training in it has not ended, or was cut off",
                format!("give `{}` to go on", Setting::Resume.to(&place)),
            ),
            (true, false) => (
                "is unfinished: it is being written, or writing it was interrupted",
                format!("give `{}` to go on", Setting::Resume.to(&place)),
            ),
            (false, _) => (
                "is unfinished: it is being written, or writing it was interrupted",
                "give the command that writes it again".into(),
            ),
        };
        return Err(Error::input(format!("`{place}`"), problem, hint));
    }
    for (name, stamp) in manifest.files.iter().filter(|(name, _)| *name != but && *name != PAGE) {
        let path = folder.join(name);
        match Stamp::of_file(&path) {
            Ok(found) if found == *stamp => {}
            Ok(_) => return Err(changed(&path)),
            Err(error) if error.kind() == ErrorKind::NotFound && PREDICTIONS.contains(&name.as_str()) => {}
            Err(error) => return Err(Error::io(&path, error)),
        }
    }
    Ok(())
}

fn changed(path: &Path) -> Error {
    let problem = "is not as the run wrote it: it was changed, or it is of another run";
    let hint = "put it back as it was, or repeat the run; give a file of your own another name";
    Error::input(format!("`{}`", path.display()), problem, hint)
}
