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
use juyi::report::folder::{NETWORK, NETWORK_KEY};

pub use super::about::FORMAT_VERSION;
use super::about::{About, foreign};
use super::head::Head;
use super::selection::Selection;
use crate::architecture::Architecture;
use crate::cache::Cache;
use crate::checkpoint::class_names::Found;
use crate::checkpoint::{Checkpoint, Stored, borrowed, safetensors};
use crate::features::{Extractor, Kept};
use crate::images::Reading;
use crate::layers::Layer;
use crate::tensors::{check, check_numbers};
use crate::zoo::{Recognized, recognize, unwritten};

/// The tensors of a head on all stages: `(classes, width)`, `(classes)`, and, where it takes some of their features, the
/// rising numbers of those `(width)`.
const ON_STAGES: [&str; 3] = ["stages_head.weight", "stages_head.bias", "stages_head.columns"];
/// Bytes of a score: as a share, in the answers, and as text.
const SCORE: u64 = 8 + 8 + 24;

/// A network that tells classes of pictures apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    about: About,
    tensors: BTreeMap<String, Stored>,
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

/// The network in a checkpoint: as the tuning that wrote it says, with the parts that it put in, or recognised by its
/// tensors. `source` is what messages call the checkpoint.
///
/// # Errors
/// Those of [`recognize`]; [`Error::Input`] if the tensors do not fit what the file says, or are not finite.
pub fn network_in(source: &str, checkpoint: Checkpoint) -> Result<Recognized> {
    let ends_in_zeros = checkpoint.ends_in_zeros;
    match About::of(source, &checkpoint.metadata)? {
        // A head on all stages belongs to an ordinary network without its head.
        Some(about) if !about.on_stages() => {
            let Classifier { about, tensors } = Classifier::checked(source, about, checkpoint.tensors)?;
            let names = Found { key: "classes".into(), certain: true, names: Ok(about.classes) };
            let (extra, classes, preparations) = (Vec::new(), vec![names], Vec::new());
            let architecture = about.architecture;
            // What is added to a network may begin at 0.
            let doubts = unwritten(&architecture, &tensors, ends_in_zeros, |_| true).into_iter().collect();
            Ok(Recognized { architecture, tensors, extra, with_head: true, classes, preparations, doubts })
        }
        _ => {
            let mut found = recognize(source, checkpoint.tensors)?;
            found.preparations.extend(checkpoint.preparations);
            let heads = found.architecture.head.iter().flat_map(Layer::parameters).rev();
            let head = heads.map(|own| own.name).find(|name| name.ends_with("weight"));
            let fresh = |name: &str| head.as_deref() == Some(name);
            found.doubts.extend(unwritten(&found.architecture, &found.tensors, ends_in_zeros, fresh));
            check_numbers(&format!("`{source}`"), &found.architecture, &[], &found.tensors)?;
            Ok(Recognized { classes: checkpoint.classes, ..found })
        }
    }
}

impl Classifier {
    /// The network of a checkpoint with the head that came with it; classes are called by their numbers, from 0.
    ///
    /// # Errors
    /// [`Error::Input`] if it came without a head. `source` is what messages call the checkpoint.
    pub fn of_checkpoint(source: &str, found: Recognized) -> Result<Self> {
        if !found.with_head {
            let heads = found.architecture.head.iter().flat_map(Layer::parameters);
            let heads: Vec<String> = heads.map(|own| format!("`{}`", own.name)).collect();
            let problem = format!("has no head that could name classes: no {}", heads.join(" and "));
            let hint = "tune it first, `juyi transfer ‹source NETWORK› ‹target PHOTOS›`; or give a file whose head bears \
                        these names";
            return Err(Error::input(format!("`{source}`"), problem, hint));
        }
        if found.architecture.classes() == 1 {
            let hint = "give a network whose head has an output a class: of one that says yes or no, two";
            return Err(Error::input(
                format!("`{source}`"),
                "has a head with one output, and classes need two",
                hint,
            ));
        }
        let classes = (0..found.architecture.classes()).map(|class| class.to_string()).collect();
        Ok(Self::new(found.architecture, found.tensors, classes))
    }

    /// The same with other names of its classes, as many as it has.
    #[must_use]
    pub fn named(mut self, classes: Vec<String>) -> Self {
        self.about.classes = classes;
        self
    }

    /// The same network with the head that came with the checkpoint, where the tuning kept it; classes are called by their
    /// numbers, from 0.
    pub fn into_old_head(self) -> Option<Self> {
        let architecture = self.about.with_old_head()?;
        let classes = (0..architecture.classes()).map(|class| class.to_string()).collect();
        Some(Self::new(architecture, self.tensors, classes))
    }

    /// The same with the head that came with the checkpoint kept beside the new one; its tensors are there.
    pub(super) fn keeping(mut self, old_head: Vec<Layer>) -> Self {
        (self.about.format, self.about.old_head) = (2, Some(old_head));
        self
    }

    /// A network with its own head.
    pub(super) fn new(
        architecture: Architecture,
        tensors: BTreeMap<String, Stored>,
        classes: Vec<String>,
    ) -> Self {
        Self { about: About::new(architecture, classes), tensors }
    }

    /// A network with a head on what is `kept` of all stages, or on those features of it that are selected.
    pub(super) fn on_stages(
        architecture: Architecture,
        mut tensors: BTreeMap<String, Stored>,
        classes: Vec<String>,
        kept: Kept,
        Head { weights, biases }: Head,
        selection: Option<&Selection>,
    ) -> Self {
        let count = biases.len();
        let [weight, bias, columns] = ON_STAGES.map(String::from);
        tensors.insert(weight, Stored { shape: vec![count, weights.len() / count], values: weights });
        tensors.insert(bias, Stored { shape: vec![count], values: biases });
        let trunk = Architecture { head: Vec::new(), auxiliary: Vec::new(), ..architecture };
        let mut about = About::new(trunk, classes);
        match kept {
            Kept::Levels { side } => about.stages_side = Some(side),
            Kept::Pooled { target } => (about.format, about.stages_target) = (2, Some(target)),
            _ => {}
        }
        if let Some(own) = selection {
            // Far fewer than a number of 32 bits counts exactly.
            let values: Vec<f32> = own.columns.iter().map(|&column| column as f32).collect();
            tensors.insert(columns, Stored { shape: vec![values.len()], values });
        }
        Self { about, tensors }
    }

    /// Bytes that its tensors take.
    pub fn bytes(&self) -> u64 {
        let numbers = self.tensors.values().map(|own| own.values.len() as u64).sum::<u64>();
        self.about.architecture.bytes().max(4 * numbers)
    }

    /// Products of two numbers that one picture takes.
    pub(super) fn multiply_adds(&self) -> Result<u64> {
        let head = self.tensors.get(ON_STAGES[0]).map_or(0, |own| own.values.len() as u64);
        Ok(self.about.architecture.cost()?.products.saturating_add(head))
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.about.classes
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// None that memory can give.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let path = Path::new(NETWORK);
        let about = serde_json::to_string(&self.about).map_err(|error| Error::io(path, error.into()))?;
        safetensors(path, &borrowed(&self.tensors), &BTreeMap::from([(NETWORK_KEY.to_string(), about)]))
    }

    /// Reads the file; at most `budget` bytes are held. `None` if it is a checkpoint that no tuning wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; those of [`Classifier::in_checkpoint`].
    pub fn read(path: &Path, budget: u64) -> Result<Option<Self>> {
        Self::in_checkpoint(&path.display().to_string(), Checkpoint::read(path, budget)?)
    }

    /// The network that a tuning wrote into a checkpoint, which messages call `source`; `None` if no tuning wrote it.
    ///
    /// # Errors
    /// [`Error::Input`] if it says something of its network that cannot be, or its tensors do not fit that.
    pub fn in_checkpoint(source: &str, checkpoint: Checkpoint) -> Result<Option<Self>> {
        let Checkpoint { tensors, metadata, .. } = checkpoint;
        About::of(source, &metadata)?.map(|about| Self::checked(source, about, tensors)).transpose()
    }

    fn checked(source: &str, about: About, tensors: BTreeMap<String, Stored>) -> Result<Self> {
        about.check().map_err(|error| foreign(source, &format!("cannot be used: {error}")))?;
        let beside = if about.on_stages() { &ON_STAGES[..] } else { &[] };
        check_numbers(&format!("`{source}`"), &about.architecture, beside, &tensors)?;
        let own = Self { about, tensors };
        check(&own.about.architecture, own.kept() == Kept::Scores, &own.tensors)?;
        if let Some(old) = own.about.with_old_head() {
            check(&old, true, &own.tensors)?;
        }
        if own.fits()? {
            Ok(own)
        } else {
            Err(foreign(source, "has another number of classes than its head"))
        }
    }

    /// What is kept of a picture.
    fn kept(&self) -> Kept {
        match (self.about.stages_side, self.about.stages_target) {
            (Some(side), _) => Kept::Levels { side },
            (None, Some(target)) => Kept::Pooled { target },
            (None, None) => Kept::Scores,
        }
    }

    fn fits(&self) -> Result<bool> {
        let own = &self.about.architecture;
        let (classes, mut width) = (self.about.classes.len(), self.kept().width(own)?);
        if !self.about.on_stages() {
            return Ok(classes > 0 && width == classes);
        }
        if self.about.stages_target.is_some() {
            let Some(selection) = self.selection()? else { return Ok(false) };
            width = selection.columns.len();
        }
        let shape = |name: &str| self.tensors.get(name).map(|stored| stored.shape.clone());
        Ok(classes > 0
            && shape(ON_STAGES[0]) == Some(vec![classes, width])
            && shape(ON_STAGES[1]) == Some(vec![classes]))
    }

    /// The features that a head on some of those of all stages takes; `None` if the file says none, or none that are there.
    fn selection(&self) -> Result<Option<Selection>> {
        let widths = self.kept().widths(&self.about.architecture)?;
        let all: usize = widths.iter().sum();
        let Some(own) = self.tensors.get(ON_STAGES[2]) else { return Ok(None) };
        let whole = |value: &f32| value.fract() == 0.0 && *value >= 0.0 && (*value as usize) < all;
        let rise = own.values.windows(2).all(|pair| pair[0] < pair[1]);
        if own.values.is_empty() || !rise || !own.values.iter().all(whole) {
            return Ok(None);
        }
        let columns = own.values.iter().map(|&value| value as usize).collect();
        Ok(Some(Selection { columns, widths }))
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
        let selection = if self.about.stages_target.is_some() { self.selection()? } else { None };
        let scored = |row: &[f32]| -> Vec<f64> {
            if !self.about.on_stages() {
                return row.iter().map(|&score| f64::from(score)).collect();
            }
            let features = match &selection {
                Some(selection) => selection.row(|column| f64::from(row[column])),
                None => row.iter().map(|&x| f64::from(x)).collect(),
            };
            let (weights, biases) = (&self.tensors[ON_STAGES[0]].values, &self.tensors[ON_STAGES[1]].values);
            let each = weights.chunks_exact(features.len()).zip(biases);
            each.map(|(own, bias)| {
                let sum: f64 = features.iter().zip(own).map(|(x, w)| x * f64::from(*w)).sum();
                f64::from(*bias) + sum
            })
            .collect()
        };
        let scores: Vec<Vec<f64>> =
            samples.iter().map(|&at| made.rows[at].as_deref().map(scored).unwrap_or_default()).collect();
        let mut shares = Matrix::from_fn(samples.len(), classes, |i, class| scores[i][class]);
        softmax_rows(&mut shares);
        Ok(Classified { samples, answers: Answers::from_shares(shares), left_out: made.left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Parameter;
    use crate::network::Network;
    use crate::tuning::trial::renamed;
    use crate::zoo::network;
    use burn::tensor::Device;

    #[test]
    fn a_file_bears_the_number_of_its_format_and_one_without_is_read() {
        let own = network("squeezenet1-1").unwrap().with_classes(2);
        let drawn = Network::from_chance(own.clone(), &Context::default(), &Device::flex());
        let classifier = Classifier::new(own, drawn.tensors(), ["a", "b"].map(String::from).to_vec());
        let bytes = classifier.to_bytes().unwrap();
        let mut checkpoint = Checkpoint::from_bytes("f", &bytes, 1 << 30).unwrap();
        let text = checkpoint.metadata.get_mut(NETWORK_KEY).unwrap();
        assert!(text.starts_with(r#"{"format":1,"architecture":{"name":"squeezenet1-1""#), "{text}");
        *text = text.replacen(r#""format":1,"#, "", 1);
        let read = Classifier::in_checkpoint("f", checkpoint.clone()).unwrap();
        assert_eq!(read, Some(classifier));
        checkpoint.metadata.clear();
        assert_eq!(Classifier::in_checkpoint("f", checkpoint).unwrap(), None);
    }

    fn two_classes() -> (Architecture, BTreeMap<String, Stored>) {
        let own = network("squeezenet1-1").unwrap().with_classes(2);
        let drawn = Network::from_chance(own.clone(), &Context::default(), &Device::flex());
        (own, drawn.tensors())
    }

    fn read(bytes: &[u8]) -> Result<Option<Classifier>> {
        Classifier::in_checkpoint("f", Checkpoint::from_bytes("f", bytes, 1 << 30)?)
    }

    #[test]
    fn a_head_on_some_features_takes_rising_numbers_of_those_that_are_there() {
        let (own, tensors) = two_classes();
        let kept = Kept::Pooled { target: 512 };
        let (widths, all) = (kept.widths(&own).unwrap(), kept.width(&own).unwrap());
        for (columns, fits) in [
            (vec![0, 7, all - 1], true),
            (vec![0, 0, 7], false),
            (vec![7, 1, 9], false),
            (vec![1, 2, all], false),
        ] {
            let head = Head { weights: vec![0.5; 6], biases: vec![0.0; 2] };
            let selection = Selection { columns, widths: widths.clone() };
            let names = ["a", "b"].map(String::from).to_vec();
            let parts = (own.clone(), tensors.clone());
            let wrote = Classifier::on_stages(parts.0, parts.1, names, kept, head, Some(&selection));
            let found = read(&wrote.to_bytes().unwrap());
            if fits {
                assert_eq!(found.unwrap().unwrap().selection().unwrap(), Some(selection));
            } else {
                assert!(found.unwrap_err().to_string().contains("`f`"));
            }
        }
    }

    #[test]
    fn an_old_head_is_read_again_and_one_without_its_tensors_refused() {
        let (own, mut tensors) = two_classes();
        let names = ["a", "b"].map(String::from).to_vec();
        let old: Vec<Layer> = own.clone().with_classes(3).head.iter().map(renamed).collect();
        let before = Classifier::new(own.clone(), tensors.clone(), names.clone()).keeping(old.clone());
        let said = read(&before.to_bytes().unwrap()).unwrap_err().to_string();
        assert!(said.contains("missing or have another shape"), "{said}");
        for Parameter { name, shape, .. } in old.iter().flat_map(Layer::parameters) {
            tensors.insert(name, Stored { values: vec![0.25; shape.iter().product()], shape });
        }
        let kept = Classifier::new(own.clone(), tensors.clone(), names.clone()).keeping(old);
        let found = read(&kept.to_bytes().unwrap()).unwrap().unwrap();
        assert!(found == kept && found.classes() == names);
        assert_eq!(found.into_old_head().unwrap().classes(), ["0", "1", "2"]);
        // Under names that are not apart, it would be the new head.
        let same = Classifier::new(own.clone(), tensors.clone(), names.clone()).keeping(own.head.clone());
        assert!(read(&same.to_bytes().unwrap()).unwrap_err().to_string().contains("the old head"));
        assert!(Classifier::new(own, tensors, names).into_old_head().is_none());
    }
}
