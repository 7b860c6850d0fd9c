//! Checkpoints: the named tensors of a network, whoever wrote them.
//!
//! Four formats are read, told apart by their content: safetensors; PyTorch's zip archive; its older row of pickles;
//! and a pickle of a dictionary of NumPy arrays. None can run anything: a pickle is read as data, and what it would
//! call is named and left out. Sizes are held against the file and the memory budget before anything is allocated.
//! Written is safetensors alone.
//!
//! The file is held in memory while its tensors are read; work is linear in both.

mod arrays;
mod begins;
mod beside;
pub mod class_names;
mod left_out;
mod pickle;
pub mod preparation;
mod state;
mod torch;
mod values;
mod wrappers;
#[cfg(test)]
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use juyi::context::Context;
use juyi::error::{Error, Result, shown};
use juyi::files::write_whole;
use juyi::report::folder::{NETWORK_KEY, read_file};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

pub use begins::Known;
use pickle::Pickle;
use values::{Budget, Kind, Layout, MOST_DIMENSIONS};
pub use wrappers::Wanted;

/// The name under which safetensors keeps what is no tensor.
const METADATA: &str = "__metadata__";

/// The tensors of a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    /// By name, such as `conv1.weight`: keys of nested dictionaries and places in lists are joined by dots.
    pub tensors: BTreeMap<String, Stored>,
    /// What a safetensors file says of itself; empty for other formats.
    pub metadata: BTreeMap<String, String>,
    /// What may be the names of the classes, those that are certain first.
    pub classes: Vec<class_names::Found>,
    /// What is said of the preparation of pictures, there or in a file beside.
    pub preparations: Vec<preparation::Preparation>,
    /// Whether the last page of the file, 4,096 bytes, is all zeros.
    pub ends_in_zeros: bool,
    /// What was left out or renamed, a sentence each.
    pub notes: Vec<String>,
    /// The keys of the dictionary that the tensors come from, if there were others.
    set: Option<String>,
}

/// A tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Sizes of the dimensions; empty for a single value.
    pub shape: Vec<usize>,
    /// The values, the last dimension running fastest. Whatever the file holds (64-, 32- or 16-bit floats, bfloat16,
    /// integers of 8 to 64 bits, truth values as 0 and 1) is rounded to the nearest 32-bit float.
    pub values: Vec<f32>,
}

impl Checkpoint {
    /// Reads a file. At most `budget` bytes are held at a time: the file, the tensors, and what is unpacked on the way.
    ///
    /// # Errors
    /// Those of [`read_file`] and [`Checkpoint::from_bytes`]; [`Error::Input`] if it is no file.
    pub fn read(path: &Path, budget: u64) -> Result<Self> {
        Self::read_for(path, Wanted::default(), budget)
    }

    /// The same for what is wanted of a file with several sets of tensors, or with names that are wrapped.
    ///
    /// # Errors
    /// As for [`Checkpoint::read`]; [`Error::Input`] if there is nothing of the wanted name.
    pub fn read_for(path: &Path, wanted: Wanted<'_>, budget: u64) -> Result<Self> {
        let name = path.display().to_string();
        // Asked before it is opened: a pipe would wait for somebody to write.
        // What is not there is named by the reader, which knows of runs that are unfinished.
        if fs::metadata(path).is_ok_and(|facts| !facts.is_file()) {
            return Err(Error::input(format!("`{name}`"), "is not a file", "give a checkpoint in a file"));
        }
        let bytes = read_file(path, 1, &Context::new(0, budget))?;
        let mut own = Self::from_bytes_for(&name, &bytes, wanted, budget)?;
        own.read_beside(path);
        Ok(own)
    }

    /// Reads the bytes of a file called `name`, which count against the budget too.
    ///
    /// # Errors
    /// [`Error::Input`] for another format, a file that is damaged, one that holds an object in place of a dictionary,
    /// and tensors of a type that is not read; [`Error::Memory`] for one that is larger than the budget.
    pub fn from_bytes(name: &str, bytes: &[u8], budget: u64) -> Result<Self> {
        Self::from_bytes_for(name, bytes, Wanted::default(), budget)
    }

    /// The same for what is wanted of it.
    fn from_bytes_for(name: &str, bytes: &[u8], wanted: Wanted<'_>, budget: u64) -> Result<Self> {
        let mut budget = Budget::new(name, budget);
        budget.take(bytes.len() as u64)?;
        let mut checkpoint = if bytes.starts_with(b"PK\x03\x04") {
            torch::archive(name, bytes, wanted, &mut budget)?
        } else if bytes.starts_with(torch::MAGIC) {
            torch::row(name, bytes, wanted, &mut budget)?
        } else if let Some((header, values)) = safetensors_parts(bytes) {
            from_safetensors(name, header, values, &mut budget)?
        } else if may_be_pickle(bytes) {
            from_pickle(name, bytes, wanted, &mut budget)?
        } else {
            let hint =
                "known are safetensors, what `torch.save` writes, and pickled dictionaries of NumPy arrays";
            return Err(Error::input(format!("`{name}`"), "is not a checkpoint of a known format", hint));
        };
        let page = bytes.last_chunk::<4096>();
        checkpoint.ends_in_zeros = page.is_some_and(|page| page.iter().all(|byte| *byte == 0));
        // The names in a file of ours are those of its own architecture.
        if !checkpoint.metadata.contains_key(NETWORK_KEY) {
            checkpoint.unwrap_names(name, wanted)?;
        }
        Ok(checkpoint)
    }
}

/// Header and values of a safetensors file, if this may be one.
fn safetensors_parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    rest.split_at_checked(length).filter(|(header, _)| header.starts_with(b"{"))
}

/// Reads the two parts of a safetensors file.
fn from_safetensors(file: &str, header: &[u8], values: &[u8], budget: &mut Budget) -> Result<Checkpoint> {
    let thing = format!("`{file}`");
    let damaged = |what: String| {
        Error::input(&thing, format!("is a damaged safetensors file: {what}"), "fetch the file again")
    };
    // Two letters of the header can be a number, which takes up to 64 bytes while the header is taken apart.
    budget.take(32 * header.len() as u64)?;
    let header: Metadata = serde_json::from_slice(header).map_err(|error| damaged(error.to_string()))?;
    if header.data_len() != values.len() {
        let (need, there) = (header.data_len(), values.len());
        return Err(damaged(format!("its tensors need {need} bytes, there are {there}")));
    }
    let mut tensors = BTreeMap::new();
    for (name, info) in header.tensors() {
        let thing = format!("`{file}`, tensor `{}`", shown(&name));
        let kind = match info.dtype {
            Dtype::F64 => Kind::F64,
            Dtype::F32 => Kind::F32,
            Dtype::F16 => Kind::F16,
            Dtype::BF16 => Kind::Bf16,
            Dtype::I64 => Kind::I64,
            Dtype::I32 => Kind::I32,
            Dtype::I16 => Kind::I16,
            Dtype::I8 => Kind::I8,
            Dtype::U8 => Kind::U8,
            Dtype::BOOL => Kind::Bool,
            other => {
                let hint = "convert it to 32-bit floats before it is saved";
                return Err(Error::input(thing, format!("holds values of type `{other}`"), hint));
            }
        };
        let layout = Layout::by_row(kind, info.shape.clone()).filter(|_| info.shape.len() <= MOST_DIMENSIONS);
        let bytes = values.get(info.data_offsets.0..info.data_offsets.1);
        let (Some(layout), Some(bytes)) = (layout, bytes) else {
            return Err(damaged(format!("tensor `{}` is not within it", shown(&name))));
        };
        let stored = layout.read(&thing, &name, bytes, budget)?;
        tensors.insert(name, stored);
    }
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok(Checkpoint {
        tensors,
        classes: class_names::of_metadata(&metadata),
        preparations: preparation::of_metadata(&metadata),
        metadata,
        ..Checkpoint::default()
    })
}

/// Whether a file may begin a pickle: with its protocol, or, in the first two, with a container or a name.
fn may_be_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 0..=5, ..] | [b'(' | b'}' | b']' | b'c', ..])
}

/// Reads a pickle that stands alone.
fn from_pickle(file: &str, bytes: &[u8], wanted: Wanted<'_>, budget: &mut Budget) -> Result<Checkpoint> {
    let thing = format!("`{file}`");
    let pickle = Pickle::read(&thing, bytes, budget)?;
    if pickle.length < bytes.len() {
        let problem = format!("goes on for {} bytes behind its pickle", bytes.len() - pickle.length);
        return Err(Error::input(thing, problem, "give a file with one pickled dictionary"));
    }
    state::collect(file, &pickle, wanted, budget, |_, _| {
        let problem = "refers to values that are not in the file";
        Err(Error::input(&thing, problem, "write tensors with `torch.save`"))
    })
}

/// Writes the file of [`safetensors`](safetensors()). It appears whole or not at all.
///
/// # Errors
/// Those of [`safetensors`](safetensors()); [`Error::Io`].
pub fn write_safetensors(
    path: &Path,
    tensors: &BTreeMap<String, Stored>,
    metadata: &BTreeMap<String, String>,
) -> Result<()> {
    write_whole(path, &safetensors(path, &borrowed(tensors), metadata)?)
}

/// Shapes and values that lie elsewhere, by name.
pub type Borrowed<'a> = BTreeMap<&'a str, (&'a [usize], &'a [f32])>;

/// Tensors without a copy of their values.
pub fn borrowed(tensors: &BTreeMap<String, Stored>) -> Borrowed<'_> {
    tensors.iter().map(|(name, own)| (name.as_str(), (&own.shape[..], &own.values[..]))).collect()
}

/// Tensors as a safetensors file of 32-bit floats, in order of their names, with `metadata`; the same tensors give the
/// same bytes. Beside the tensors the file is held once. `path` is what messages call it.
///
/// # Errors
/// [`Error::Input`] for a tensor whose shape does not fit its values or whose name is kept for the metadata.
pub fn safetensors(
    path: &Path,
    tensors: &Borrowed<'_>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    let thing = |name: &str| format!("`{}`, tensor `{}`", path.display(), shown(name));
    let failed = |error: serde_json::Error| Error::io(path, error.into());
    let mut header = serde_json::Map::new();
    if !metadata.is_empty() {
        header.insert(METADATA.into(), serde_json::to_value(metadata).map_err(failed)?);
    }
    let mut end = 0;
    for (&name, &(shape, values)) in tensors {
        if name == METADATA {
            return Err(Error::input(thing(name), "has the name that is kept for the metadata", "rename it"));
        }
        let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        if count != Some(values.len()) {
            let problem = format!("has shape {shape:?}, but {} values", values.len());
            return Err(Error::input(thing(name), problem, ""));
        }
        let start = end;
        end += size_of_val(values);
        let info = TensorInfo { dtype: Dtype::F32, shape: shape.to_vec(), data_offsets: (start, end) };
        header.insert(name.into(), serde_json::to_value(info).map_err(failed)?);
    }
    let mut header = serde_json::to_vec(&header).map_err(failed)?;
    header.resize(header.len().next_multiple_of(8), b' '); // so that the values are aligned
    let mut bytes = Vec::with_capacity(8 + header.len() + end);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    for value in tensors.values().flat_map(|(_, values)| *values) {
        bytes.extend(value.to_le_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
