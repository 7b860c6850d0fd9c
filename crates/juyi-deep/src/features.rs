//! Pictures as rows of features: what a frozen network makes of them, ready for every method that takes rows.
//!
//! Cost: one pass of a picture through the network, unless a [`Cache`] has it; beside the features a batch of pictures is
//! held at a time, and as many pass at once as fit the memory budget.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use juyi::context::Context;
use juyi::data::{Cells, Column, Table};
use juyi::error::{Error, Result};
use juyi::linalg::Matrix;
use rayon::prelude::*;

use crate::architecture::Architecture;
use crate::cache::{Cache, name_of, name_of_all};
use crate::checkpoint::Stored;
use crate::device::device;
use crate::extents::Extent;
use crate::fold::folded;
use crate::forward::{Activation, Mode};
use crate::held::{self, Normalization};
use crate::images::{
    Augmentation, Entry, Making, Picture, Reading, augment, generator, open, path_text, prepare, prepare_all,
};
use crate::layers::Layer;
use crate::network::{Network, numbers};
use crate::tensors::check;

/// The frozen part of a network, and what is kept of a picture.
pub struct Extractor {
    network: Network,
    kept: Kept,
    width: usize,
    /// Stands for weights, layers and preparation.
    key: String,
    /// Bytes that one picture holds while it passes.
    pass: u64,
}

/// Bytes beside the numbers of a row: its name in the cache, and where it lies.
const ROW: u64 = 128;

/// What is kept of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// What the trunk leaves, a number a channel.
    Features,
    /// All that leaves a number of stages, for the stages after them to be trained on.
    Activation(usize),
    /// What each stage leaves, in at most `side` x `side` parts of the map: with a side of 1 the hypercolumns of
    /// Hariharan et al. (CVPR 2015) for whole pictures.
    Levels {
        /// Parts along a side, at least 1.
        side: usize,
    },
    /// What each stage leaves, averaged over windows so that about `target` numbers are left of it, as in `Head2Toe`.
    Pooled {
        /// Numbers of a stage, at least 1.
        target: usize,
    },
    /// The score of each class.
    Scores,
}

impl Kept {
    /// How many numbers are kept of a picture by a network.
    ///
    /// # Errors
    /// If its stages do not fit each other.
    pub fn width(self, own: &Architecture) -> Result<usize> {
        Ok(match self {
            Self::Features => own.width()?,
            Self::Activation(stages) => own.after(stages)?.count(),
            Self::Levels { .. } | Self::Pooled { .. } => self.widths(own)?.iter().sum(),
            Self::Scores => own.facts().map(|_| own.classes())?, // what is in a file need not fit
        })
    }

    /// How many of these numbers are of each stage, where they are of several.
    ///
    /// # Errors
    /// If its stages do not fit each other.
    pub fn widths(self, own: &Architecture) -> Result<Vec<usize>> {
        let of = |extent: Extent| match (self, extent) {
            (Self::Levels { side }, Extent::Map(channels, rows, columns)) => {
                channels * side.min(rows) * side.min(columns)
            }
            (Self::Levels { .. }, Extent::Tokens(_, width) | Extent::Vector(width)) => width,
            (Self::Pooled { target }, extent) => extent.pooled(target).count(),
            _ => 0,
        };
        Ok(own.facts()?[..own.stages.len()].iter().map(|fact| of(fact.extent)).collect())
    }
}

/// A random variant of each picture, the same for the same picture, seed and number.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What is altered.
    pub augmentation: &'a Augmentation,
    /// The seed of all randomness.
    pub seed: u64,
    /// Which variant.
    pub number: u64,
}

/// What a network makes of some files.
pub struct Rows {
    /// A row a file; `None` for those that could not be read.
    pub rows: Vec<Option<Vec<f32>>>,
    /// Files that could not be read, and why.
    pub left_out: Vec<(usize, Error)>,
    /// How many were found in the cache.
    pub found: usize,
}

/// Rows of features.
pub struct Features {
    /// `(pictures, width)`.
    pub rows: Matrix,
    /// Which of the files each row is of.
    pub samples: Vec<usize>,
    /// Files that could not be read, and why.
    pub left_out: Vec<(usize, Error)>,
    /// How many were found in the cache.
    pub found: usize,
}

impl Extractor {
    /// A network as far as it is needed for what is kept, its normalisations folded away. `context` knows of the tensors
    /// that are given here.
    ///
    /// # Errors
    /// Those of [`Architecture::check`]; [`Error::Input`] naming tensors that are missing or misshapen; [`Error::Memory`]
    /// if the network does not fit beside the tensors.
    pub fn new(
        architecture: Architecture,
        tensors: BTreeMap<String, Stored>,
        kept: Kept,
        context: &Context,
    ) -> Result<Self> {
        let mut own = Architecture { auxiliary: Vec::new(), ..architecture };
        if kept != Kept::Scores {
            own.head.clear();
        }
        if let Kept::Activation(stages) = kept {
            own.stages.truncate(stages);
        }
        let width = kept.width(&own)?;
        // Checked before folding takes tensors away.
        check(&own, kept == Kept::Scores, &tensors)?;
        context.require(&format!("the network `{}`", own.name), own.bytes())?;
        let layers: Vec<Layer> =
            own.stages.iter().flat_map(|stage| &stage.layers).chain(&own.head).cloned().collect();
        let pass = 4 * held::through(&layers, own.input(), Normalization::Folded)?.forwards.min(1 << 60);
        let (own, tensors) = folded(own, tensors);
        let (key, pass) = (key(&own, &tensors, kept)?, pass.max(own.cost()?.bytes()));
        let network = Network::from_tensors(own, &tensors, &Context::default(), &device())?;
        Ok(Self { network, kept, width, key, pass })
    }

    /// How many numbers are kept of a picture.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The features of some files, in their order.
    ///
    /// # Errors
    /// As for [`Extractor::rows`].
    pub fn features(
        &self,
        files: &[&Path],
        reading: &Reading,
        cache: Option<&Cache>,
        context: &Context,
    ) -> Result<Features> {
        let bytes = 8 * files.len() as u64 * self.width as u64;
        context.require("the features of the pictures, and a table of them,", 2 * bytes)?;
        let Rows { rows, left_out, found } =
            self.rows(files, None, reading, cache, &context.beside(bytes))?;
        let samples: Vec<usize> = (0..files.len()).filter(|&at| rows[at].is_some()).collect();
        let value = |i: usize, j: usize| rows[samples[i]].as_ref().map_or(0.0, |row| f64::from(row[j]));
        let rows = Matrix::from_fn(samples.len(), self.width, value);
        Ok(Features { rows, samples, left_out, found })
    }

    /// What is kept of some files, or of a random variant of each.
    ///
    /// # Errors
    /// That of the first file that cannot be read, if `reading` refuses damage; [`Error::Memory`] if the rows, a picture
    /// or its way through the network do not fit; [`Error::Input`] if what comes out of the network is not finite.
    pub fn rows(
        &self,
        files: &[&Path],
        view: Option<View<'_>>,
        reading: &Reading,
        cache: Option<&Cache>,
        context: &Context,
    ) -> Result<Rows> {
        let Architecture { name: network, recipe, .. } = &self.network.architecture;
        let bytes = files.len() as u64 * (4 * self.width as u64 + ROW);
        context.require("what the network makes of the pictures", bytes)?;
        let context = &context.beside(bytes);
        let entries = cache.map(|cache| cache.entries(&self.key));
        let step = if self.kept == Kept::Scores { "scores" } else { "features" };
        // A file that cannot be read has no name; reading it again says why.
        let name = |path: &&Path| {
            entries.as_ref()?;
            let (file, length) = open(path, reading.most_pixels).ok()?;
            let own = name_of_all(file.take(length)).ok()?;
            Some(match view {
                None => own,
                Some(View { augmentation, seed, number }) => {
                    name_of(format!("{own} {augmentation:?} {seed} {number}").as_bytes())
                }
            })
        };
        let names: Vec<Option<String>> = files.par_iter().map(name).collect();
        let kept = |name: &Option<String>| entries.as_ref()?.get(name.as_ref()?, self.width);
        let mut rows: Vec<Option<Vec<f32>>> = names.par_iter().map(kept).collect();
        let missing: Vec<usize> = (0..files.len()).filter(|&at| rows[at].is_none()).collect();
        let found = files.len() - missing.len();

        let paths: Vec<&Path> = missing.iter().map(|&at| files[at]).collect();
        let make = |_: usize, picture: &Picture| match view {
            None => prepare(picture, recipe),
            Some(View { augmentation, seed, number }) => {
                // The same draws for the same picture, wherever it stands.
                let own = blake3::hash(picture.pixels());
                let own = own.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                augment(picture, recipe, augmentation, &mut generator(seed, number, own))
            }
        };
        // A sample's input twice, as it is made and in the batch; what comes out of it three times, as a row comes last.
        let held = 24 * (recipe.crop * recipe.crop) as u64 + 12 * self.width as u64;
        let making = Making { make: &make, side: recipe.crop, held, then: self.pass };
        let progress = |done: usize, _: usize| context.progress(step, found + done, files.len());
        let left_out = prepare_all(&paths, &making, reading, context, &progress, &mut |batch| {
            let beside = context.beside(batch.samples.len() as u64 * held);
            let made = self.run_within(&batch.inputs, &beside)?;
            for (&sample, row) in batch.samples.iter().zip(made.chunks_exact(self.width)) {
                let at = missing[sample];
                if row.iter().any(|v| !v.is_finite()) {
                    let problem = format!("`{network}` makes numbers of it that are not finite");
                    let hint = "its weights are damaged or too large: take another checkpoint";
                    return Err(Error::input(format!("`{}`", files[at].display()), problem, hint));
                }
                if let (Some(entries), Some(name)) = (&entries, &names[at]) {
                    entries.put(name, row);
                }
                rows[at] = Some(row.to_vec());
            }
            Ok(())
        })?;
        let left_out = left_out.into_iter().map(|(sample, error)| (missing[sample], error)).collect();
        Ok(Rows { rows, left_out, found })
    }

    /// What is kept of prepared pictures, one after another. Each is run by itself, so that it has the same bits in any
    /// company; several at a time, as small maps keep one thread busy and stay in its cache.
    pub fn run(&self, inputs: &[f32]) -> Vec<f32> {
        self.run_at_once(inputs, usize::MAX)
    }

    /// The same, as many at a time as fit.
    fn run_within(&self, inputs: &[f32], context: &Context) -> Result<Vec<f32>> {
        let what = format!("one picture on its way through `{}`", self.network.architecture.name);
        context.require(&what, self.pass)?;
        let fitting = context.left() / self.pass.max(1);
        Ok(self.run_at_once(inputs, usize::try_from(fitting).unwrap_or(usize::MAX)))
    }

    fn run_at_once(&self, inputs: &[f32], pictures: usize) -> Vec<f32> {
        let Architecture { recipe, stages, .. } = &self.network.architecture;
        let (side, stages) = (recipe.crop, stages.len());
        let one = |input: &[f32]| {
            let (network, mode) = (&self.network, &mut Mode::Inference);
            let picture = Activation::new(input.to_vec(), Extent::Map(3, side, side), network.device());
            match self.kept {
                Kept::Features => numbers(network.run(0..stages, picture, mode).features().into_data()),
                Kept::Activation(_) => network.run(0..stages, picture, mode).into_numbers(),
                Kept::Scores => {
                    numbers(network.scores(network.run(0..stages, picture, mode), mode).into_data())
                }
                Kept::Levels { .. } | Kept::Pooled { .. } => {
                    let (mut level, mut all) = (picture, Vec::with_capacity(self.width));
                    for stage in 0..stages {
                        level = network.run(stage..stage + 1, level, mode);
                        let own = level.clone();
                        all.extend(match self.kept {
                            Kept::Levels { side } => own.parts(side).into_numbers(),
                            Kept::Pooled { target } => own.pooled(target).into_numbers(),
                            _ => Vec::new(),
                        });
                    }
                    all
                }
            }
        };
        let each = 3 * side * side;
        let mut all = Vec::with_capacity(inputs.len() / each * self.width);
        for group in inputs.chunks(pictures.saturating_mul(each)) {
            all.par_extend(group.par_chunks(each).flat_map_iter(one));
        }
        all
    }
}

/// Stands for everything that decides the features but the picture.
fn key(trunk: &Architecture, tensors: &BTreeMap<String, Stored>, kept: Kept) -> Result<String> {
    let text = serde_json::to_string(trunk).map_err(|error| Error::Numeric {
        what: "writing the network down".into(),
        why: error.to_string(),
    })?;
    let mut hash = blake3::Hasher::new();
    hash.update(text.as_bytes());
    if kept != Kept::Features {
        hash.update(format!("{kept:?}").as_bytes());
    }
    for own in trunk.parameters() {
        hash.update(own.name.as_bytes());
        for part in tensors[&own.name].values.chunks(1 << 12) {
            let bytes: Vec<u8> = part.iter().flat_map(|v| v.to_le_bytes()).collect();
            hash.update(&bytes);
        }
    }
    Ok(hash.finalize().to_hex()[..32].to_string())
}

/// Features as a table: a column `f0` … for each, `label` where classes are known, and `picture` with the path.
pub fn table(name: &str, entries: &[Entry], features: &Features) -> Table {
    let of = |sample: &usize| &entries[*sample];
    let classes: Vec<Option<String>> =
        features.samples.iter().map(|sample| of(sample).class.clone()).collect();
    let mut columns: Vec<Column> = (0..features.rows.ncols())
        .map(|j| Column {
            name: format!("f{j}"),
            cells: Cells::Numbers(features.rows.col_as_slice(j).to_vec()),
        })
        .collect();
    let label = classes.iter().any(Option::is_some).then(|| "label".to_string());
    if let Some(label) = &label {
        columns.push(Column { name: label.clone(), cells: Cells::from_text(classes) });
    }
    let paths = features.samples.iter().map(|sample| Some(path_text(&of(sample).path)));
    let paths = Cells::from_text(paths);
    columns.push(Column { name: "picture".into(), cells: paths });
    let numbers = features.samples.iter().map(|sample| of(sample).row).collect();
    Table { name: name.into(), rows: features.samples.len(), columns, label, numbers, ..Table::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::network;

    /// A file may say anything of its network: stages that do not fit are an error before they are run.
    #[test]
    fn stages_that_do_not_fit_are_an_error_whatever_is_kept() {
        let whole = network("resnet18").unwrap();
        let mut apart = whole.clone();
        apart.stages.remove(5);
        for kept in [
            Kept::Features,
            Kept::Activation(8),
            Kept::Levels { side: 1 },
            Kept::Pooled { target: 512 },
            Kept::Scores,
        ] {
            assert!(kept.width(&whole).is_ok() && kept.width(&apart).is_err(), "{kept:?}");
        }
    }
}
