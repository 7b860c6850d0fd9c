//! Model files: safetensors, every matrix a tensor of 64-bit floats by row, everything else one JSON text in the
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
            let bytes: Vec<u8> = by_row.flat_map(|at| matrix[at].to_le_bytes()).collect();
            stored.push((name, vec![matrix.nrows(), matrix.ncols()], bytes));
        }
        let mut views = Vec::new();
        for (name, shape, bytes) in &stored {
            let view = TensorView::new(Dtype::F64, shape.clone(), bytes)
                .map_err(|error| failed(error.to_string()))?;
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

/// The tensor as a matrix.
fn matrix(view: &TensorView<'_>) -> std::result::Result<Matrix, String> {
    let (Dtype::F64, &[rows @ (1..), columns @ (1..)]) = (view.dtype(), view.shape()) else {
        let (dtype, shape) = (view.dtype(), view.shape());
        return Err(format!("is {dtype:?} of shape {shape:?}, expected a matrix of F64 that is not empty"));
    };
    let (numbers, _) = view.data().as_chunks::<8>();
    let out = Mat::from_fn(rows, columns, |i, j| f64::from_le_bytes(numbers[i * columns + j]));
    if numbers.iter().any(|bytes| !f64::from_le_bytes(*bytes).is_finite()) {
        return Err("holds a value that is not finite".into());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::from_rows;
    use crate::models::{
        About, KernelVotes, Link, Map, Member, Node, Predictor, Split, Stacked, Trees, VoteRule, Votes,
    };

    fn model() -> Model {
        Model {
            about: About {
                method: "none".into(),
                params: serde_json::json!({}),
                learner: Some("logistic".into()),
                seed: 3,
                stores_rows: false,
            },
            goal: Goal::Classes(vec!["a".into(), "b".into()]),
            encoding: None,
            columns: 2,
            ranges: Vec::new(),
            maps: vec![
                Map::NormalizeRowsL2,
                Map::Affine {
                    shift: from_rows(&[vec![0.1, 0.2]]),
                    scale: from_rows(&[vec![2.0, 1.0 / 3.0]]),
                },
            ],
            predictor: Predictor::Linear {
                link: Link::Softmax,
                weights: from_rows(&[vec![1.0, -1.0], vec![0.5, 0.25]]),
                bias: from_rows(&[vec![0.0, 0.1]]),
            },
        }
    }

    fn kernel_model() -> Model {
        let votes = KernelVotes {
            bandwidth: 0.7,
            counts: vec![1, 1],
            rows: from_rows(&[vec![1.0, -1.0], vec![0.5, 0.25]]),
            coefficients: from_rows(&[vec![1.0], vec![-1.0]]),
            bias: from_rows(&[vec![0.1]]),
        };
        Model { predictor: Predictor::Kernel(votes), ..model() }
    }

    fn tree_model() -> Model {
        let split = Split { column: 1, threshold: 0.5, left: 1, right: 2 };
        let node = |split, share: f64| Node { split, value: vec![share, 1.0 - share] };
        let tree = vec![node(Some(split), 0.25), node(None, 1.0), node(None, 0.0)];
        Model { predictor: Predictor::Trees(Trees::new(2, &[tree.clone(), tree])), ..model() }
    }

    /// A vote of one voter, so that it nests.
    fn vote(predictor: Predictor) -> Predictor {
        let member = Member { weight: 1.5, classes: vec![0, 1], maps: Vec::new(), predictor };
        Predictor::Vote(Votes { rule: VoteRule::Mean, classes: 2, members: vec![member] })
    }

    /// A vote of a linear predictor and of one on top of another.
    fn nested_model() -> Model {
        let first = model().predictor;
        let second = Predictor::Linear {
            link: Link::Identity,
            weights: from_rows(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![0.5, 0.0], vec![0.0, 0.5]]),
            bias: from_rows(&[vec![0.0, 0.1]]),
        };
        let stacked = Predictor::Stacked(Stacked {
            first: Box::new(first),
            first_classes: 2,
            second: Box::new(second),
        });
        let Predictor::Vote(mut votes) = vote(stacked) else { unreachable!("a vote") };
        votes.members.push(Member {
            weight: 2.0,
            classes: vec![0, 1],
            maps: Vec::new(),
            predictor: model().predictor,
        });
        Model { predictor: Predictor::Vote(votes), ..model() }
    }

    /// Maps that widen, and a predictor for six columns.
    fn widened_model() -> Model {
        let append = Map::Append {
            squash: true,
            matrix: from_rows(&[vec![0.5], vec![-2.0]]),
            shift: from_rows(&[vec![0.25]]),
        };
        let maps = vec![append, Map::Augment { blocks: vec![true, false] }];
        let predictor = Predictor::Linear {
            link: Link::Softmax,
            weights: Mat::from_fn(6, 2, |i, j| i as f64 - j as f64),
            bias: from_rows(&[vec![0.0, 0.1]]),
        };
        Model { maps, predictor, ..model() }
    }

    fn reason(bytes: &[u8]) -> String {
        Model::from_bytes("m", bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_model_comes_back_as_it_was() {
        for mut model in [model(), kernel_model(), tree_model(), nested_model(), widened_model()] {
            let bytes = model.to_bytes().unwrap();
            let mut back = Model::from_bytes("m", &bytes).unwrap();
            assert_eq!(back.to_bytes().unwrap(), bytes);
            let x = from_rows(&[vec![0.3, 0.4], vec![-1.0, 2.0]]);
            assert_eq!(back.predict(x.as_ref()).unwrap().scores, model.predict(x.as_ref()).unwrap().scores);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let mut predictor = model().predictor;
        for depth in 1..200 {
            predictor = vote(predictor);
            let mut model = Model { predictor: predictor.clone(), ..model() };
            let read = Model::from_bytes("m", &model.to_bytes().unwrap());
            assert_eq!(read.is_ok(), depth <= 2, "{depth}");
        }
    }

    #[test]
    fn truncated_foreign_and_newer_files_are_refused() {
        for mut model in [nested_model(), model()] {
            let bytes = model.to_bytes().unwrap();
            for length in 0..bytes.len() {
                assert!(Model::from_bytes("m", &bytes[..length]).is_err(), "{length} bytes");
            }
        }
        let bytes = model().to_bytes().unwrap();
        let foreign = serialize(Vec::<(String, TensorView<'_>)>::new(), None).unwrap();
        assert!(reason(&foreign).contains("another program wrote it"));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let at = text.find("\\\"format\\\":1").unwrap();
        let mut newer = bytes.clone();
        newer[at + 11] = b'9';
        assert!(reason(&newer).contains("format 9"), "{}", reason(&newer));
    }

    #[test]
    fn flipped_bytes_never_panic() {
        for mut model in [model(), kernel_model(), tree_model(), nested_model(), widened_model()] {
            let bytes = model.to_bytes().unwrap();
            for at in 0..bytes.len() {
                for flip in [1, 16, 128, 255] {
                    let mut bad = bytes.clone();
                    bad[at] ^= flip;
                    if let Ok(model) = Model::from_bytes("m", &bad)
                        && model.columns == 2
                    {
                        model.predict(from_rows(&[vec![0.3, 0.4]]).as_ref()).unwrap();
                    }
                }
            }
        }
    }
}
