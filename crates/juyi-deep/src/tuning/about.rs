//! What a network file says of its network, beside the tensors.

use std::collections::{BTreeMap, BTreeSet};

use juyi::error::{Error, Result, shown};
use juyi::report::folder::NETWORK_KEY;
use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::layers::{Layer, Parameter};

/// Version of the layout; files of later versions are refused, those without a number are of the first. A file that needs
/// nothing of the second is written as the first.
pub const FORMAT_VERSION: u32 = 2;
/// Begin of the names of tensors of the head that came with the checkpoint, while it is kept.
pub(super) const OWN_HEAD: &str = "source.";
/// Begins of names that no tensor of a network may have beside them.
const KEPT_NAMES: [&str; 2] = [OWN_HEAD, "stages_head."];

/// What is in the metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    /// See [`FORMAT_VERSION`].
    #[serde(default = "first_format")]
    pub(super) format: u32,
    /// The network.
    pub(super) architecture: Architecture,
    /// The names of the classes.
    pub(super) classes: Vec<String>,
    /// The parts along a side of each stage's map that a head on all stages takes; none for an ordinary head.
    pub(super) stages_side: Option<usize>,
    /// About how many numbers of each stage a head on some features of all stages chooses among; since format 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stages_target: Option<usize>,
    /// The head that came with the checkpoint, where it is kept beside the new one; since format 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) old_head: Option<Vec<Layer>>,
}

/// The number alone, which is read before the rest.
#[derive(Deserialize)]
struct Format {
    #[serde(default = "first_format")]
    format: u32,
}

fn first_format() -> u32 {
    1
}

impl About {
    /// Whether what it says can be; tensors are not looked at.
    pub(super) fn check(&self) -> Result<()> {
        self.architecture.check()?;
        let refused = |problem: &str| Err(Error::input("the head on all stages", problem, ""));
        if self.stages_side == Some(0) {
            return refused("must look at 1 part or more along a side");
        }
        if self.stages_target == Some(0) || self.stages_target.is_some() && self.stages_side.is_some() {
            return refused("must look at 1 number or more of a stage, or at parts, not at both");
        }
        let kept = |own: &Parameter| KEPT_NAMES.iter().any(|begin| own.name.starts_with(begin));
        if let Some(own) = self.architecture.parameters().iter().find(|own| kept(own)) {
            let problem = format!("begins with one of {}, which tuning puts there", KEPT_NAMES.join(", "));
            return Err(Error::input(format!("the tensor `{}`", shown(&own.name)), problem, ""));
        }
        if let Some(old) = self.with_old_head() {
            old.check()?;
            let apart = |own: &Parameter| own.name.starts_with(OWN_HEAD);
            if old.head.is_empty() || !old.head.iter().flat_map(Layer::parameters).all(|own| apart(&own)) {
                let problem = format!("must have layers, whose tensors begin with `{OWN_HEAD}`");
                return Err(Error::input("the old head", problem, ""));
            }
        }
        let mut names = BTreeSet::new();
        match self.classes.iter().find(|name| name.is_empty() || !names.insert(*name)) {
            Some(name) if name.is_empty() => Err(Error::input("a class", "has no name", "")),
            Some(name) => Err(Error::input(format!("the class `{}`", shown(name)), "is there twice", "")),
            None => Ok(()),
        }
    }

    /// Of a network with its own head.
    pub(super) fn new(architecture: Architecture, classes: Vec<String>) -> Self {
        Self { format: 1, architecture, classes, stages_side: None, stages_target: None, old_head: None }
    }

    /// The network with the old head in place of the new one, where it is kept.
    pub(super) fn with_old_head(&self) -> Option<Architecture> {
        let head = self.old_head.clone()?;
        Some(Architecture { head, auxiliary: Vec::new(), ..self.architecture.clone() })
    }

    /// Whether the head looks at all stages.
    pub(super) fn on_stages(&self) -> bool {
        self.stages_side.is_some() || self.stages_target.is_some()
    }

    /// What the metadata of a file say; `None` if no tuning wrote it.
    pub(super) fn of(source: &str, metadata: &BTreeMap<String, String>) -> Result<Option<Self>> {
        let Some(text) = metadata.get(NETWORK_KEY) else { return Ok(None) };
        let damaged = |_| foreign(source, "says nothing that can be read about its network");
        let Format { format } = serde_json::from_str(text).map_err(damaged)?;
        if format > FORMAT_VERSION {
            let problem = format!("has format {format}, this version reads up to {FORMAT_VERSION}");
            return Err(Error::input(format!("`{source}`"), problem, "take a later version of juyi"));
        }
        serde_json::from_str(text).map(Some).map_err(damaged)
    }
}

/// The error that a file is none that a tuning wrote.
pub(super) fn foreign(source: &str, problem: &str) -> Error {
    Error::input(format!("`{source}`"), problem, "give a folder that `juyi transfer` wrote for pictures")
}
