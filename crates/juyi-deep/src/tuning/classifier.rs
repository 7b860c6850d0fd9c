//! What a tuning leaves behind: a network with a head for the new classes, in a file of its own.
//!
//! The file is a safetensors file. The tensors bear the names of the checkpoint that the network came from, so that the
//! packages that read that one read this one; the architecture and the classes stand in its metadata.

use std::collections::BTreeMap;
use std::path::Path;

use juyi::context::Context;
use juyi::error::{Error, Result};
use juyi::linalg::Matrix;
use juyi::models::{Answers, softmax_rows};
use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::cache::Cache;
use crate::checkpoint::{Checkpoint, Stored, write_safetensors};
use crate::features::{Extractor, Kept};
use crate::images::Reading;
use crate::network::check;
use crate::zoo::{Recognized, recognize};

/// The key of the metadata.
const KEY: &str = "juyi-network";
/// The tensors of a head on all stages, `(classes, width)` and `(classes)`.
const ON_STAGES: [&str; 2] = ["stages_head.weight", "stages_head.bias"];

/// Bytes of a score: as a share, in the answers, and as text.
const SCORE: u64 = 8 + 8 + 24;

/// A network that tells classes of pictures apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    about: About,
    tensors: BTreeMap<String, Stored>,
}

/// What is in the metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct About {
    /// The network.
    architecture: Architecture,
    /// The names of the classes.
    classes: Vec<String>,
    /// The parts along a side of each stage's map that a head on all stages takes; none for an ordinary head.
    stages_side: Option<usize>,
}

/// Which pictures could be classified, and as what.
pub struct Classified {
    /// Positions among the files.
    pub samples: Vec<usize>,
    /// A row each.
    pub answers: Answers,
    /// Files that could not be read, and why.
    pub left_out: Vec<(usize, Error)>,
}

impl About {
    /// What the metadata of a file say; `None` if no tuning wrote it.
    fn of(source: &str, metadata: &BTreeMap<String, String>) -> Result<Option<Self>> {
        let Some(text) = metadata.get(KEY) else { return Ok(None) };
        let problem = "says nothing that can be read about its network";
        serde_json::from_str(text).map(Some).map_err(|_| foreign(source, problem))
    }
}

fn foreign(source: &str, problem: &str) -> Error {
    Error::input(format!("`{source}`"), problem, "give a folder that `juyi transfer` wrote for pictures")
}

/// The network in a checkpoint: as the tuning that wrote it says, with the parts that it put in, or recognised by its
/// tensors. `source` is what messages call the checkpoint.
///
/// # Errors
/// Those of [`recognize`]; [`Error::Input`] if the tensors do not fit what the file says.
pub fn network_in(source: &str, checkpoint: Checkpoint) -> Result<Recognized> {
    match About::of(source, &checkpoint.metadata)? {
        // A head on all stages belongs to an ordinary network without its head.
        Some(about) if about.stages_side.is_none() => {
            let Classifier { about, tensors } = Classifier::checked(source, about, checkpoint.tensors)?;
            Ok(Recognized { architecture: about.architecture, tensors, extra: Vec::new(), with_head: true })
        }
        _ => recognize(source, checkpoint.tensors),
    }
}

impl Classifier {
    /// The network of a checkpoint with the head that came with it; classes are called by their numbers, from 0.
    ///
    /// # Errors
    /// [`Error::Input`] if it came without a head. `source` is what messages call the checkpoint.
    pub fn of_checkpoint(source: &str, found: Recognized) -> Result<Self> {
        if !found.with_head {
            let hint = "tune it first: `juyi transfer --source NETWORK --target PHOTOS`";
            return Err(Error::input(format!("`{source}`"), "has no head that could name classes", hint));
        }
        let classes = (0..found.architecture.classes()).map(|class| class.to_string()).collect();
        Ok(Self::new(found.architecture, found.tensors, classes))
    }

    /// A network with its own head.
    pub(super) fn new(
        architecture: Architecture,
        tensors: BTreeMap<String, Stored>,
        classes: Vec<String>,
    ) -> Self {
        Self { about: About { architecture, classes, stages_side: None }, tensors }
    }

    /// A network with a head on all stages.
    pub(super) fn on_stages(
        architecture: Architecture,
        mut tensors: BTreeMap<String, Stored>,
        classes: Vec<String>,
        side: usize,
        [weights, biases]: [Vec<f32>; 2],
    ) -> Self {
        let count = biases.len();
        let [weight, bias] = ON_STAGES.map(String::from);
        tensors.insert(weight, Stored { shape: vec![count, weights.len() / count], values: weights });
        tensors.insert(bias, Stored { shape: vec![count], values: biases });
        let trunk = Architecture { head: Vec::new(), auxiliary: Vec::new(), ..architecture };
        Self { about: About { architecture: trunk, classes, stages_side: Some(side) }, tensors }
    }

    /// Bytes that its tensors take.
    pub fn bytes(&self) -> u64 {
        self.about.architecture.bytes()
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.about.classes
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let about = serde_json::to_string(&self.about).map_err(|error| Error::io(path, error.into()))?;
        write_safetensors(path, &self.tensors, &BTreeMap::from([(KEY.to_string(), about)]))
    }

    /// Reads the file; at most `budget` bytes are held. `None` if it is a checkpoint that no tuning wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Input`] if its tensors do not fit its network.
    pub fn read(path: &Path, budget: u64) -> Result<Option<Self>> {
        let Checkpoint { tensors, metadata, .. } = Checkpoint::read(path, budget)?;
        let source = path.display().to_string();
        About::of(&source, &metadata)?.map(|about| Self::checked(&source, about, tensors)).transpose()
    }

    fn checked(source: &str, about: About, tensors: BTreeMap<String, Stored>) -> Result<Self> {
        let own = Self { about, tensors };
        check(&own.about.architecture, own.kept() == Kept::Scores, &own.tensors)?;
        if own.fits()? {
            Ok(own)
        } else {
            Err(foreign(source, "has another number of classes than its head"))
        }
    }

    /// What is kept of a picture.
    fn kept(&self) -> Kept {
        self.about.stages_side.map_or(Kept::Scores, |side| Kept::Levels { side })
    }

    fn fits(&self) -> Result<bool> {
        let own = &self.about.architecture;
        let (classes, width) = (self.about.classes.len(), self.kept().width(own)?);
        if self.about.stages_side.is_none() {
            return Ok(classes > 0 && width == classes);
        }
        let shape = |name: &str| self.tensors.get(name).map(|stored| stored.shape.clone());
        Ok(classes > 0
            && shape(ON_STAGES[0]) == Some(vec![classes, width])
            && shape(ON_STAGES[1]) == Some(vec![classes]))
    }

    /// A probability of each class for each of some files.
    ///
    /// # Errors
    /// That of the first file that cannot be read, if `reading` refuses damage; [`Error::Memory`].
    pub fn classify(
        &self,
        files: &[&Path],
        reading: &Reading,
        cache: Option<&Cache>,
        context: &Context,
    ) -> Result<Classified> {
        let (architecture, kept) = (&self.about.architecture, self.kept());
        let what = format!("a copy of the network `{}`", architecture.name);
        context.require(&what, architecture.bytes())?;
        let context = &context.beside(architecture.bytes());
        let own = Extractor::new(architecture.clone(), self.tensors.clone(), kept, context)?;
        let classes = self.about.classes.len();
        let scores = SCORE * files.len() as u64 * classes as u64;
        context.require("the scores of the pictures", scores)?;
        let made = own.rows(files, None, reading, cache, &context.beside(scores))?;
        let samples: Vec<usize> = (0..files.len()).filter(|&at| made.rows[at].is_some()).collect();
        let score = |row: &[f32], class: usize| {
            if self.about.stages_side.is_none() {
                return f64::from(row[class]);
            }
            let [weights, biases] = ON_STAGES.map(|name| &self.tensors[name].values);
            let own = &weights[class * row.len()..(class + 1) * row.len()];
            let sum: f64 = row.iter().zip(own).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
            f64::from(biases[class]) + sum
        };
        let mut shares = Matrix::from_fn(samples.len(), classes, |i, class| {
            made.rows[samples[i]].as_ref().map_or(0.0, |row| score(row, class))
        });
        softmax_rows(&mut shares);
        Ok(Classified { samples, answers: Answers::from_shares(shares), left_out: made.left_out })
    }
}
