//! Model files: safetensors, every matrix a tensor by row, of 64-bit floats, rows that a vote stores of 32-bit ones; everything
//! else one JSON text in the
//! metadata key `juyi`. No code is ever run from a file; sizes are checked against the file before anything is
//! allocated. No time or path is written, so the same fit gives the same bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use faer::Mat;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::Model;
use crate::context::Context;
use crate::data::Goal;
use crate::error::{Error, Result, shown};
use crate::linalg::Matrix;

/// Version of the layout; files of later versions are refused.
pub const FORMAT_VERSION: u32 = 1;

/// The key that the metadata of a model file have.
pub const MODEL_KEY: &str = "juyi";

#[derive(Serialize, Deserialize)]
struct Metadata<M> {
    format: u32,
    model: M,
}

/// Its version alone: what a later version holds is not known.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// What a byte of the header becomes in memory, at most: a number of two letters is one of many in a list.
const UNFOLDED: u64 = 64;

impl Model {
    /// The bytes of the model file. Takes `&mut self` because one list of tensors serves reading and writing.
    ///
    /// # Errors
    /// [`Error::Numeric`] if the model cannot be written down.
    pub fn to_bytes(&mut self) -> Result<Vec<u8>> {
        let failed = |why: String| Error::Numeric { what: "writing the model".into(), why };
        let metadata = serde_json::to_string(&Metadata { format: FORMAT_VERSION, model: &*self })
            .map_err(|error| failed(error.to_string()))?;
        let mut stored = Vec::new();
        for (name, matrix) in self.tensors() {
            let by_row = (0..matrix.nrows()).flat_map(|i| (0..matrix.ncols()).map(move |j| (i, j)));
            let short = is_stored_by_a_vote(&name) && by_row.clone().all(|at| is_short(matrix[at]));
            let (dtype, bytes): (_, Vec<u8>) = if short {
                (Dtype::F32, by_row.flat_map(|at| (matrix[at] as f32).to_le_bytes()).collect())
            } else {
                (Dtype::F64, by_row.flat_map(|at| matrix[at].to_le_bytes()).collect())
            };
            stored.push((name, dtype, vec![matrix.nrows(), matrix.ncols()], bytes));
        }
        let mut views = Vec::new();
        for (name, dtype, shape, bytes) in &stored {
            let view =
                TensorView::new(*dtype, shape.clone(), bytes).map_err(|error| failed(error.to_string()))?;
            views.push((name.clone(), view));
        }
        serialize(views, Some(HashMap::from([(MODEL_KEY.to_string(), metadata)])))
            .map_err(|error| failed(error.to_string()))
    }

    /// Reads a model from the bytes of a file called `path`.
    ///
    /// # Errors
    /// [`Error::ModelFile`] with the reason.
    pub fn from_bytes(path: &str, bytes: &[u8]) -> Result<Self> {
        let refuse = |reason: String| Error::ModelFile { path: path.into(), reason };
        let (_, header) = SafeTensors::read_metadata(bytes)
            .map_err(|error| refuse(format!("it is not a complete safetensors file ({error})")))?;
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| refuse(format!("it is not a complete safetensors file ({error})")))?;
        let text = header.metadata().as_ref().and_then(|metadata| metadata.get(MODEL_KEY));
        let text =
            text.ok_or_else(|| refuse("it has no `juyi` metadata, so another program wrote it".into()))?;
        let Version { format } = serde_json::from_str::<Version>(text)
            .map_err(|error| refuse(format!("its metadata are damaged ({error})")))?;
        if format > FORMAT_VERSION {
            return Err(refuse(format!("it has format {format}, this version reads up to {FORMAT_VERSION}")));
        }
        let mut model = serde_json::from_str::<Metadata<Self>>(text)
            .map_err(|error| refuse(format!("its metadata are damaged ({error})")))?
            .model;
        for (name, slot) in model.tensors() {
            let view = tensors.tensor(&name).map_err(|error| refuse(format!("tensor `{name}`: {error}")))?;
            *slot = matrix(&view).map_err(|reason| refuse(format!("tensor `{name}` {reason}")))?;
        }
        model.check().map_err(|reason| refuse(format!("its parts do not fit together: {reason}")))?;
        Ok(model)
    }

    /// Reads a model from the bytes of a file called `path`; the context holds it from then on.
    ///
    /// # Errors
    /// [`Error::ModelFile`]; [`Error::Memory`].
    pub(crate) fn held(path: &str, bytes: Vec<u8>, context: &mut Context) -> Result<Self> {
        let size = bytes.len() as u64;
        // A header that is said to be longer than the file is refused without being looked at.
        let header = bytes.first_chunk().map(|length| u64::from_le_bytes(*length)).filter(|&h| h < size);
        let unfolded = UNFOLDED * header.unwrap_or(0);
        context.require(&format!("the header of `{path}`"), (2 * size).saturating_add(unfolded))?;
        let model = Self::from_bytes(path, &bytes)?;
        drop(bytes);
        context.take(size);
        context.require(&format!("a prediction by `{path}`"), model.block_bytes())?;
        Ok(model)
    }

    /// Rounds the rows that a vote stores to 32-bit floats, in which they are written: half the file, and the same answers
    /// before and after.
    pub(crate) fn shorten(&mut self) {
        for (_, matrix) in self.tensors().into_iter().filter(|(name, _)| is_stored_by_a_vote(name)) {
            for value in matrix.col_iter_mut().flat_map(faer::ColMut::iter_mut) {
                let short = f64::from(*value as f32);
                if short.is_finite() {
                    *value = short;
                }
            }
        }
    }

    /// Numbers in all its matrices.
    pub(crate) fn stored_numbers(&mut self) -> usize {
        self.tensors().iter().map(|(_, matrix)| matrix.nrows() * matrix.ncols()).sum()
    }

    /// Every matrix of the model by its name in the file.
    fn tensors(&mut self) -> Vec<(String, &mut Matrix)> {
        let mut all = Vec::new();
        for (k, map) in self.maps.iter_mut().enumerate() {
            all.extend(map.tensors().into_iter().map(|(name, matrix)| (format!("maps.{k}.{name}"), matrix)));
        }
        all.extend(
            self.predictor.tensors().into_iter().map(|(name, matrix)| (format!("predictor.{name}"), matrix)),
        );
        all
    }

    /// Whether the parts fit together.
    fn check(&self) -> std::result::Result<(), String> {
        let mut names = std::collections::HashSet::new();
        let columns = self.encoding.iter().flat_map(|encoding| &encoding.columns);
        if let Some(twice) = columns.map(|column| &column.name).find(|name| !names.insert(*name)) {
            return Err(format!("it has two columns named `{twice}`"));
        }
        if let Some(encoding) = &self.encoding
            && encoding.width() != self.columns
        {
            return Err(format!(
                "the encoding gives {} columns, the model takes {}",
                encoding.width(),
                self.columns
            ));
        }
        let ordered = |(low, high): &(f64, f64)| low.is_finite() && high.is_finite() && low <= high;
        if !(self.ranges.is_empty() || self.ranges.len() == self.columns) || !self.ranges.iter().all(ordered)
        {
            return Err(format!("its ranges are not those of {} columns", self.columns));
        }
        if self.goal == Goal::Classes(Vec::new()) {
            return Err("it knows no class".into());
        }
        if let Some(class) = self.goal.twice() {
            return Err(format!("it has two classes named `{}`", shown(class)));
        }
        if let Some(encoding) = &self.encoding {
            encoding.check()?;
        }
        let width = self.maps.iter().try_fold(self.columns, |columns, map| map.width(columns))?;
        self.predictor.check(width, self.goal.classes())
    }
}

/// Bytes of a header that is looked into at most, as the format has it.
const LONGEST_HEADER: u64 = 100_000_000;

/// Whether a regular file is a safetensors file whose metadata have a key: whose it is, without reading its tensors.
pub fn has_metadata(path: &Path, key: &str) -> bool {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "__metadata__", default)]
        metadata: HashMap<String, String>,
    }
    let header = || -> std::io::Result<Header> {
        let facts = std::fs::metadata(path)?;
        if !facts.is_file() {
            return Err(std::io::ErrorKind::InvalidInput.into()); // opening a pipe would wait
        }
        let mut file = File::open(path)?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length).min(facts.len()).min(LONGEST_HEADER);
        Ok(serde_json::from_reader(std::io::BufReader::new(file.take(length)))?)
    };
    header().is_ok_and(|header| header.metadata.contains_key(key))
}

/// Whether a tensor of this name holds rows that a vote stores.
fn is_stored_by_a_vote(name: &str) -> bool {
    name.contains(".members.") && name.rsplit_once('.').is_some_and(|(_, part)| part == "rows")
}

/// Whether a number is one of 32 bits.
fn is_short(value: f64) -> bool {
    f64::from(value as f32).to_bits() == value.to_bits()
}

/// The tensor as a matrix.
fn matrix(view: &TensorView<'_>) -> std::result::Result<Matrix, String> {
    let (dtype @ (Dtype::F64 | Dtype::F32), &[rows @ (1..), columns @ (1..)]) = (view.dtype(), view.shape())
    else {
        let (dtype, shape) = (view.dtype(), view.shape());
        let expected = "a matrix of F64 or F32 that is not empty";
        return Err(format!("is {dtype:?} of shape {shape:?}, expected {expected}"));
    };
    let numbers: Vec<f64> = if dtype == Dtype::F64 {
        view.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
    } else {
        view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect()
    };
    if numbers.iter().any(|number| !number.is_finite()) {
        return Err("holds a value that is not finite".into());
    }
    Ok(Mat::from_fn(rows, columns, |i, j| numbers[i * columns + j]))
}

#[cfg(test)]
mod tests;
