//! Pictures as rows of features: what a frozen network makes of them, ready for every method that takes rows.
//!
//! Cost: one pass of a picture through the network, unless a [`Cache`] has it; a batch of pictures is held at a time,
//! beside the features.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use juyi::context::Context;
use juyi::data::{Cells, Column, Table};
use juyi::error::{Error, Result};
use juyi::linalg::Matrix;
use rayon::prelude::*;

use crate::architecture::Architecture;
use crate::cache::{Cache, name_of};
use crate::checkpoint::Stored;
use crate::fold::folded;
use crate::images::{Entry, Picture, Reading, prepare, prepare_all};
use crate::network::{Activation, Mode, Network, check};

/// A frozen trunk.
pub struct Extractor {
    network: Network,
    width: usize,
    /// Stands for weights, layers and preparation.
    key: String,
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
    /// The trunk of a network, its normalisations folded away.
    ///
    /// # Errors
    /// [`Error::Input`] naming tensors that are missing or misshapen.
    pub fn new(architecture: Architecture, tensors: BTreeMap<String, Stored>) -> Result<Self> {
        let trunk = Architecture { head: Vec::new(), auxiliary: Vec::new(), ..architecture };
        let width = trunk.width()?;
        // Checked before folding takes tensors away.
        check(&trunk, &tensors)?;
        let (trunk, tensors) = folded(trunk, tensors);
        let key = key(&trunk, &tensors)?;
        let network = Network::from_tensors(trunk, &tensors, &Context::default(), &Device::flex())?;
        Ok(Self { network, width, key })
    }

    /// How many features a picture has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The features of some files, in their order. `folder` is that of the cache.
    ///
    /// # Errors
    /// That of the first file that cannot be read, if `reading` refuses damage; [`Error::Memory`] if the features do
    /// not fit; [`Error::Io`] if the cache cannot be written.
    pub fn features(
        &self,
        files: &[&Path],
        reading: &Reading,
        folder: Option<&Path>,
        context: &Context,
    ) -> Result<Features> {
        let bytes = 16 * (files.len() * self.width) as u64; // of 32 bits, then of 64, and the copy between
        context.require("the features of the pictures", bytes)?;
        let cache = folder.map(|folder| Cache::new(folder, &self.key)).transpose()?;
        let step = "features";
        // A file that cannot be read has no name; reading it again says why.
        let name =
            |path: &&Path| cache.as_ref().and_then(|_| std::fs::read(path).ok()).map(|bytes| name_of(&bytes));
        let names: Vec<Option<String>> = files.par_iter().map(name).collect();
        let kept = |name: &Option<String>| cache.as_ref()?.get(name.as_ref()?, self.width);
        let mut known: Vec<Option<Vec<f32>>> = names.par_iter().map(kept).collect();
        let missing: Vec<usize> = (0..files.len()).filter(|&at| known[at].is_none()).collect();
        let found = files.len() - missing.len();

        let paths: Vec<&Path> = missing.iter().map(|&at| files[at]).collect();
        let make = |_: usize, picture: &Picture| prepare(picture, &self.network.architecture.recipe);
        let progress = |done: usize, _: usize| context.progress(step, found + done, files.len());
        let left_out = prepare_all(&paths, &make, reading, &progress, &mut |batch| {
            let rows = self.run(&batch.inputs);
            for (&sample, row) in batch.samples.iter().zip(rows.chunks_exact(self.width)) {
                let at = missing[sample];
                if let (Some(cache), Some(name)) = (&cache, &names[at]) {
                    cache.put(name, row)?;
                }
                known[at] = Some(row.to_vec());
            }
            Ok(())
        })?;
        let left_out = left_out.into_iter().map(|(sample, error)| (missing[sample], error)).collect();
        let samples: Vec<usize> = (0..files.len()).filter(|&at| known[at].is_some()).collect();
        let value = |i: usize, j: usize| known[samples[i]].as_ref().map_or(0.0, |row| f64::from(row[j]));
        let rows = Matrix::from_fn(samples.len(), self.width, value);
        Ok(Features { rows, samples, left_out, found })
    }

    /// The features of prepared pictures, one after another. Each is run by itself, so that it has the same bits in any
    /// company; several at a time, as small maps keep one thread busy and stay in its cache.
    pub fn run(&self, inputs: &[f32]) -> Vec<f32> {
        let Architecture { recipe, stages, .. } = &self.network.architecture;
        let (side, stages) = (recipe.crop, stages.len());
        let one = |input: &[f32]| {
            let picture = Activation::pictures(input.to_vec(), 1, side, self.network.device());
            let out = self.network.run(0..stages, picture, &mut Mode::Inference).features();
            out.into_data().try_into_vec::<f32>().expect("features are of 32 bits")
        };
        inputs.par_chunks(3 * side * side).flat_map_iter(one).collect()
    }
}

/// Stands for everything that decides the features but the picture.
fn key(trunk: &Architecture, tensors: &BTreeMap<String, Stored>) -> Result<String> {
    let text = serde_json::to_string(trunk).map_err(|error| Error::Numeric {
        what: "writing the network down".into(),
        why: error.to_string(),
    })?;
    let mut hash = blake3::Hasher::new();
    hash.update(text.as_bytes());
    for own in trunk.parameters() {
        hash.update(own.name.as_bytes());
        let bytes: Vec<u8> = tensors[&own.name].values.iter().flat_map(|v| v.to_le_bytes()).collect();
        hash.update(&bytes);
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
    let paths = features.samples.iter().map(|sample| Some(of(sample).path.display().to_string()));
    let paths = Cells::from_text(paths);
    columns.push(Column { name: "picture".into(), cells: paths });
    Table { name: name.into(), rows: features.samples.len(), columns, label, ..Table::default() }
}
