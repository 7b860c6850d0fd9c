//! Folders of several files that belong together, such as those of a run: one writer, and one reader that takes no mixed
//! or unfinished folder for whole.
//!
//! [`Folder::open`] asks before the work whether the folder may be written, and keeps other processes out of it.
//! [`Folder::write`] puts all files into a folder inside, says in the manifest that the folder is unfinished, renames them
//! into place, removes what the run before had and this one has not, and writes the manifest, which has the hash of every
//! file, last. Wherever that ends, on a full disk or with the process, the folder is as it was, or new, or says that it is
//! unfinished; and the same command goes on.

mod lock;
mod manifest;
mod reading;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use lock::{Lock, is_lock, lock};
pub use manifest::Kind;
use manifest::{MANIFEST, Manifest, Stamp, State, notes};
pub use reading::{check_output, kind_of, load_model, read, read_file, write_page};

use crate::error::{Error, Result};
use crate::files::{check_folder, is_leftover, remove_leftovers, same_file, sync_folder, write_whole};
use crate::setting::Setting;

/// The fitted model of a run.
pub const MODEL: &str = "model.safetensors";
/// The tuned network of a run.
pub const NETWORK: &str = "network.safetensors";
/// The record of a run.
pub const RECORD: &str = "run.json";
/// The page of a run.
pub const PAGE: &str = "report.html";
/// The predictions of a run, as CSV or as Parquet.
pub const PREDICTIONS: [&str; 2] = ["predictions.csv", "predictions.parquet"];
/// Drawn tables, and what there is to find out about them.
pub const TABLES: [&str; 3] = ["source.csv", "target.csv", "answer.json"];
/// The key that the metadata of a tuned network have.
pub const NETWORK_KEY: &str = "juyi-network";
/// The key that the metadata of a training's notes have.
pub const NOTES_KEY: &str = "training";

/// The folder in which trainings note how far they are.
const NOTES: &str = "training";
/// The folder in which new files lie until all are there.
const STAGING: &str = ".juyi-staging";

/// What a command does about a training that notes how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Training {
    /// It trains nothing.
    Without,
    /// It begins one.
    Begin,
    /// It goes on with one that was cut off.
    Resume,
}

/// A folder that is going to be written. Dropped before [`Folder::write`] it is left as it was found.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    kind: Kind,
    /// What was there before.
    earlier: Manifest,
    /// Whether the manifest was altered to say that a training has begun, and how it was found, if it was there.
    marked: bool,
    found: Option<Vec<u8>>,
    /// Folders that were made, the innermost first.
    made: Vec<PathBuf>,
    /// Whether the files are written, or are being renamed.
    begun: bool,
    lock: Option<Lock>,
}

impl Folder {
    /// Makes the folder if there is none, locks it, and removes what killed processes left in it. `names` are the files
    /// that will be written, `inputs` those that are read.
    ///
    /// # Errors
    /// [`Error::Input`] for a folder with files that are not ours, with those of another kind, with a training that was
    /// cut off and is not to be resumed (or is to be, and there is none), with an input among the files that would be
    /// overwritten, and while another process writes it; [`Error::Io`] if it cannot be written.
    pub fn open(
        path: &Path,
        kind: Kind,
        names: &[&str],
        inputs: &[PathBuf],
        training: Training,
    ) -> Result<Self> {
        if path.is_file() {
            return Err(refusal(path, "is a file, not a folder"));
        }
        let mut own = Self {
            path: path.to_path_buf(),
            kind,
            earlier: Manifest::new(kind),
            marked: false,
            found: None,
            made: path.ancestors().take_while(|own| is_missing(own)).map(Path::to_path_buf).collect(),
            begun: false,
            lock: None,
        };
        // Another process may remove the folder that it made in vain while it is being locked here.
        for last in [false, false, true] {
            fs::create_dir_all(path).map_err(|error| Error::io(path, error))?;
            match lock(path) {
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound && !last => {}
                result => {
                    own.lock = Some(result?);
                    break;
                }
            }
        }
        own.earlier = own.earlier(names)?;
        own.check_inputs(names, inputs)?;
        own.check_training(training)?;
        check_folder(path)?;
        own.clear();
        // A run that is whole may be the end of what is to be resumed.
        if training == Training::Begin
            || training == Training::Resume && own.earlier.state == State::Unfinished
        {
            own.mark()?;
        }
        Ok(own)
    }

    /// The folder in which trainings note how far they are.
    pub fn notes(&self) -> PathBuf {
        self.path.join(NOTES)
    }

    /// Whether what `work` stands for is done already, so that there is nothing to resume.
    ///
    /// # Errors
    /// [`Error::Input`] if the folder is to be resumed and holds another run that has ended.
    pub fn is_done(&self, work: &str, training: Training) -> Result<bool> {
        if training != Training::Resume || self.earlier.training || self.earlier.state == State::Unfinished {
            return Ok(false);
        }
        if self.earlier.work.as_deref() == Some(work) { Ok(true) } else { Err(self.nothing_to_resume()) }
    }

    /// Puts the files into the folder, in place of those of an earlier run. `work` stands for everything that decides
    /// what they hold, where that is known.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&mut self, files: &[(&str, Vec<u8>)], work: Option<String>) -> Result<()> {
        let result = self.write_in_steps(files, work, &mut || Ok(()));
        if result.is_err() && !self.begun {
            let _ = fs::remove_dir_all(self.path.join(STAGING)); // room on a full disk; else the next command does it
        }
        result
    }

    /// Calls `step` before each change of the disk.
    fn write_in_steps(
        &mut self,
        files: &[(&str, Vec<u8>)],
        work: Option<String>,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let staging = self.path.join(STAGING);
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |error| Error::io(&path, error)
        };
        let stamps: BTreeMap<String, Stamp> =
            files.iter().map(|(name, bytes)| ((*name).to_string(), Stamp::of(bytes))).collect();
        let after = Manifest { state: State::Whole, work, files: stamps, ..Manifest::new(self.kind) };
        let training = self.kind == Kind::Network && self.earlier.training;
        let mut during = Manifest { training, ..Manifest::new(self.kind) };
        during.files = self.earlier.files.clone();
        during.files.extend(after.files.clone());

        step()?;
        fs::create_dir(&staging).map_err(failed(&self.path))?;
        let manifests = [("during", during.to_bytes()?), ("after", after.to_bytes()?)];
        for (name, bytes) in files.iter().chain(&manifests) {
            step()?;
            let mut file = File::create(staging.join(name)).map_err(failed(&self.path.join(name)))?;
            step()?;
            file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&self.path.join(name)))?;
        }
        sync_folder(&staging).map_err(failed(&self.path))?;

        // All bytes are on the disk: from here on there is nothing but names.
        let rename = |from: &str, to: &str| {
            fs::rename(staging.join(from), self.path.join(to)).map_err(failed(&self.path.join(to)))
        };
        let sync = || sync_folder(&self.path).map_err(failed(&self.path));
        self.begun = true;
        step()?;
        rename("during", MANIFEST)?;
        sync()?;
        for (name, _) in files {
            step()?;
            rename(name, name)?;
        }
        for name in self.earlier.files.keys().filter(|name| !after.files.contains_key(*name)) {
            step()?;
            self.remove_earlier(name)?;
        }
        sync()?;
        step()?;
        rename("after", MANIFEST)?;
        sync()?;
        // The run is whole; should anything be left, the next command removes it.
        step()?;
        let _ = fs::remove_dir(&staging);
        self.remove_notes(step)
    }

    /// Removes a file of the run before, unless somebody has put one of their own in its place.
    fn remove_earlier(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        let is_ours = self.earlier.state == State::Unfinished
            || Stamp::of_file(&path).is_ok_and(|found| self.earlier.files.get(name) == Some(&found));
        match if is_ours { fs::remove_file(&path) } else { Ok(()) } {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(&path, error)),
            _ => Ok(()),
        }
    }

    fn remove_notes(&self, step: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        for path in notes(&self.path) {
            step()?;
            let _ = fs::remove_file(path);
        }
        step()?;
        let _ = fs::remove_dir(self.notes()); // unless it holds something else
        Ok(())
    }

    /// What is there, if it is ours and may be replaced.
    fn earlier(&self, names: &[&str]) -> Result<Manifest> {
        let path = &self.path;
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(|error| Error::io(path, error))? {
            let entry = entry.map_err(|error| Error::io(path, error))?;
            if !is_leftover(&entry) && !is_lock(&entry.file_name()) && entry.file_name() != STAGING {
                entries.push(entry.file_name());
            }
        }
        let manifest = Manifest::read(path)?;
        let is_manifest_ours = manifest.is_some();
        let own = match manifest {
            None => Manifest::without_manifest(path)?,
            own => own,
        };
        let strangers = format!("holds files that are not those of {}", self.kind.text());
        let own = match own {
            Some(own) => own,
            // Tables are drawn into any folder that has none of their files.
            None if entries.is_empty() || self.kind == Kind::Tables => Manifest::new(self.kind),
            None => return Err(refusal(path, &strangers)),
        };
        if own.kind.text() != self.kind.text() && !own.is_fresh() {
            return Err(refusal(path, &format!("holds {}, not {}", own.kind.text(), self.kind.text())));
        }
        let is_ours = |name: &str| own.files.contains_key(name);
        let at = |name: &str| fs::symlink_metadata(path.join(name));
        for name in names.iter().copied().chain(own.files.keys().map(String::as_str)) {
            if at(name).is_ok_and(|facts| !facts.is_file() || !is_ours(name)) {
                return Err(refusal(path, &format!("{strangers}: `{name}`")));
            }
        }
        if !is_manifest_ours && at(MANIFEST).is_ok() {
            return Err(refusal(path, &format!("{strangers}: `{MANIFEST}`")));
        }
        if self.kind == Kind::Model && is_ours(NETWORK) && at(NETWORK).is_ok() {
            let problem = "holds a tuned network, which this run would delete";
            let hint = format!(
                "give another folder with `‹out›`, or remove `{}` first",
                path.join(NETWORK).display()
            );
            return Err(Error::input(format!("`{}`", path.display()), problem, hint));
        }
        Ok(own)
    }

    /// Refuses to write over what is read.
    fn check_inputs(&self, names: &[&str], inputs: &[PathBuf]) -> Result<()> {
        let own = names.iter().copied().chain(self.earlier.files.keys().map(String::as_str));
        let own: Vec<PathBuf> = own.map(|name| self.path.join(name)).collect();
        let is_own =
            |input: &Path| same_file(input, &self.path) || own.iter().any(|own| same_file(input, own));
        let Some(input) = inputs.iter().find(|input| is_own(input)) else { return Ok(()) };
        let problem =
            format!("is read by this run, which would be written over it in `{}`", self.path.display());
        let hint = "give another folder with `‹out›`";
        Err(Error::input(format!("`{}`", input.display()), problem, hint))
    }

    fn check_training(&self, training: Training) -> Result<()> {
        let Manifest { state, work, .. } = &self.earlier;
        let noted = self.earlier.training && !notes(&self.path).is_empty();
        let (place, own) = (self.path.display(), self.notes());
        match training {
            Training::Resume if *state == State::Whole && work.is_none() && !self.earlier.training => {
                Err(self.nothing_to_resume())
            }
            Training::Without | Training::Begin if noted => {
                let hint = match training {
                    Training::Begin => format!("give `{}` to go on", Setting::Resume.to(&place)),
                    _ => "give another folder with `‹out›`".into(),
                };
                let hint = format!("{hint}, or remove `{}`", own.display());
                Err(Error::input(format!("`{place}`"), "holds a training that was cut off", hint))
            }
            _ => Ok(()),
        }
    }

    fn nothing_to_resume(&self) -> Error {
        let thing = format!("`{}`", Setting::Resume.to(self.path.display()));
        Error::input(thing, "holds no training that was cut off", "leave out `‹resume›` to begin anew")
    }

    /// Removes what killed processes left behind.
    fn clear(&self) {
        remove_leftovers(&self.path);
        remove_leftovers(&self.notes());
        let _ = fs::remove_dir_all(self.path.join(STAGING));
        if !self.earlier.training && self.earlier.state == State::Whole {
            let _ = self.remove_notes(&mut || Ok(())); // of a training that has ended
        }
    }

    /// Says in the manifest that a training has begun.
    fn mark(&mut self) -> Result<()> {
        let path = self.path.join(MANIFEST);
        let found = if path.exists() { Some(fs::read(&path)) } else { None };
        self.found = found.transpose().map_err(|error| Error::io(&path, error))?;
        self.marked = true;
        self.earlier.training = true;
        write_whole(&path, &self.earlier.to_bytes()?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.begun {
            return;
        }
        // Nothing can be done about what cannot be put back; the folder is as good as before.
        if self.marked && notes(&self.path).is_empty() {
            let path = self.path.join(MANIFEST);
            let _ = match &self.found {
                Some(bytes) => write_whole(&path, bytes),
                None => fs::remove_file(&path).map_err(|error| Error::io(&path, error)),
            };
            let _ = fs::remove_dir(self.notes());
        }
        for folder in &self.made {
            let _ = fs::remove_dir(folder); // unless something is in it
        }
    }
}

fn is_missing(path: &Path) -> bool {
    !path.as_os_str().is_empty() && fs::symlink_metadata(path).is_err()
}

fn refusal(folder: &Path, problem: &str) -> Error {
    Error::input(format!("`{}`", folder.display()), problem, "give another folder with `‹out›`")
}

#[cfg(test)]
mod tests;
