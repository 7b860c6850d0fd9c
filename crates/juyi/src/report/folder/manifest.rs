//! The manifest of a folder: which files are ours, and whether all of them are there as they were written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MODEL, NETWORK, NETWORK_KEY, NOTES, NOTES_KEY, PAGE, PREDICTIONS, RECORD};
use crate::context::Context;
use crate::data::read_whole;
use crate::error::{Error, Result};
use crate::models::{MODEL_KEY, has_metadata};
use crate::report::read::{UNFOLDED, record};

/// The manifest's name in its folder.
pub(super) const MANIFEST: &str = "manifest.json";
/// Version of the layout; manifests of later versions are refused.
const FORMAT: u32 = 1;
/// Bytes of a manifest at most.
const LONGEST: u64 = 1 << 20;
const PROGRAM: &str = "juyi";

/// What a folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A run that left a model of tables.
    Model,
    /// A run that left a tuned network.
    Network,
    /// Tables that were drawn.
    Tables,
}

impl Kind {
    /// What messages call the content of such a folder.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Model | Self::Network => "a run",
            Self::Tables => "drawn tables",
        }
    }
}

/// Whether the files belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// All of them are there, of one run.
    Whole,
    /// They are being written, or writing was interrupted.
    Unfinished,
}

/// Size and hash of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) bytes: u64,
    pub(super) blake3: String,
}

impl Stamp {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_hex().to_string() }
    }

    /// The stamp of a file, without holding it in memory.
    pub(super) fn of_file(path: &Path) -> std::io::Result<Self> {
        let mut hash = blake3::Hasher::new();
        hash.update_reader(File::open(path)?)?;
        Ok(Self { bytes: hash.count(), blake3: hash.finalize().to_hex().to_string() })
    }
}

/// The manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) program: String,
    /// Version of the program that wrote it.
    pub(super) version: String,
    pub(super) format: u32,
    pub(super) kind: Kind,
    pub(super) state: State,
    /// Whether a training has begun here and not ended.
    #[serde(default)]
    pub(super) training: bool,
    /// Stands for everything that decides what the files hold, where a command says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) work: Option<String>,
    /// By name.
    pub(super) files: BTreeMap<String, Stamp>,
}

impl Manifest {
    /// That of a folder in which nothing has been written.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            program: PROGRAM.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            format: FORMAT,
            kind,
            state: State::Unfinished,
            training: false,
            work: None,
            files: BTreeMap::new(),
        }
    }

    /// Whether files of a run, whole or not, are said to be there.
    pub(super) fn is_fresh(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let failed = |error: serde_json::Error| Error::io(Path::new(MANIFEST), error.into());
        Ok((serde_json::to_string_pretty(self).map_err(failed)? + "\n").into_bytes())
    }

    /// The manifest in a folder; `None` if there is none, or a file of this name that is not ours.
    ///
    /// # Errors
    /// [`Error::Input`] for one of a later format or that was altered; [`Error::Io`].
    pub(super) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        // Beside files of a run a manifest that cannot be read is a damaged one of ours.
        let beside_ours = || [MODEL, NETWORK, RECORD].iter().any(|name| folder.join(name).is_file());
        if !path.exists() || !path.is_file() && !beside_ours() {
            return Ok(None);
        }
        let refuse = |problem: String| {
            let hint = "repeat the run into another folder, or use the version that wrote this one";
            Err(Error::input(format!("`{}`", path.display()), problem, hint))
        };
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
        read.map_err(|error| Error::io(&path, error))?;
        let value = match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) => value,
            Err(error) if beside_ours() => return refuse(format!("is damaged ({error})")),
            Err(_) => return Ok(None),
        };
        if value.get("program").and_then(Value::as_str) != Some(PROGRAM) {
            return Ok(None);
        }
        match value.get("format").and_then(Value::as_u64) {
            Some(format) if format > u64::from(FORMAT) => {
                return refuse(format!("has format {format}, this version reads up to {FORMAT}"));
            }
            _ => {}
        }
        match serde_json::from_value::<Self>(value) {
            // A name may not lead out of the folder: what is listed may be removed.
            Ok(own) if own.files.keys().all(|name| is_plain(name)) => Ok(Some(own)),
            Ok(_) => refuse("lists a file outside its folder".into()),
            Err(error) => refuse(format!("is damaged ({error})")),
        }
    }

    /// The manifest that fits a run folder from before there were manifests: its record must be one, and its model, network
    /// and notes of a training ours. `None` for any other folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn without_manifest(folder: &Path) -> Result<Option<Self>> {
        let there = |name: &str| fs::symlink_metadata(folder.join(name)).is_ok();
        let ours = |name: &str, key: &str| !there(name) || has_metadata(&folder.join(name), key);
        let known = [MODEL, NETWORK, RECORD, PAGE].into_iter().chain(PREDICTIONS);
        let known: Vec<&str> = known.filter(|name| there(name)).collect();
        let regular =
            |name: &&str| fs::symlink_metadata(folder.join(name)).is_ok_and(|facts| facts.is_file());
        if !known.iter().all(regular) || !ours(MODEL, MODEL_KEY) || !ours(NETWORK, NETWORK_KEY) {
            return Ok(None);
        }
        let ours = if there(RECORD) {
            read_whole(&folder.join(RECORD), UNFOLDED, &Context::default())
                .and_then(|bytes| record(RECORD, &bytes))
                .is_ok()
        } else {
            !notes(folder).is_empty()
        };
        if !ours {
            return Ok(None);
        }
        let kind = if there(MODEL) { Kind::Model } else { Kind::Network };
        let mut own = Self { training: !notes(folder).is_empty(), ..Self::new(kind) };
        own.state = if there(RECORD) { State::Whole } else { State::Unfinished };
        for name in known {
            let path = folder.join(name);
            own.files.insert(name.into(), Stamp::of_file(&path).map_err(|error| Error::io(&path, error))?);
        }
        Ok(Some(own))
    }
}

/// Whether a name is that of a file right in its folder, and no hidden one.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && !name.starts_with('.')
}

/// The files in which trainings noted how far they are.
pub(super) fn notes(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder.join(NOTES)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| has_metadata(path, NOTES_KEY)).collect()
}
