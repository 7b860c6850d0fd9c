//! The plain record of one run; `run.json` is this struct.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::choice::{Choice, title};
use crate::context::{Context, Notice};
use crate::measures::{Distance, Estimate, Figure, MovedColumn, Scores};

/// What is known of one domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainFacts {
    /// The file or built-in table.
    pub name: String,
    /// Rows that are used.
    pub rows: usize,
    /// Rows whose label is learnt from.
    pub labelled: usize,
    /// The classes among those labels with their counts; empty for a regression.
    pub classes: Vec<(String, usize)>,
    /// How the file was read; may be empty.
    pub remark: String,
}

/// What one fit did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitFacts {
    /// The method.
    pub method: String,
    /// All its parameters.
    pub params: Value,
    /// The learner, for methods that train one.
    pub learner: Option<String>,
    /// The preprocessing steps.
    pub preprocess: Vec<String>,
    /// What is carried over to the target, in words.
    pub carries: String,
    /// Whether the model holds rows of the data.
    pub stores_rows: bool,
    /// How many source rows of equal weight the weighted ones are worth (Kish's effective sample size); absent where the
    /// method gives no weights.
    #[serde(default)]
    pub effective_rows: Option<f64>,
    /// Scores on the target rows whose labels were kept for scoring.
    pub scores: Option<Scores>,
    /// Time of fit and prediction.
    pub seconds: f64,
}

impl FitFacts {
    /// What the method is called: see [`title`].
    pub fn title(&self) -> &str {
        title(&self.method, &self.preprocess)
    }
}

/// The first step: the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// `classification` or `regression`.
    pub task: String,
    /// The label's column; empty where rows came as matrices.
    pub label: String,
    /// Features after encoding.
    pub features: usize,
    /// The sources.
    pub sources: Vec<DomainFacts>,
    /// The target.
    pub target: DomainFacts,
    /// Target rows whose labels were kept for scoring.
    pub scored_rows: usize,
    /// How rows were scored whose labels are learnt from, such as `cross-validation`; absent where the labels served for
    /// scoring only.
    #[serde(default)]
    pub scored_by: Option<String>,
    /// What was done about missing cells.
    pub missing: String,
    /// What target labels are for: `score` or `use`.
    pub target_labels: String,
    /// How far source and target are apart.
    pub distances: Vec<Distance>,
    /// The columns that differ most, the most first.
    pub moved: Vec<MovedColumn>,
}

/// The third and the fourth step: what was carried over, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransferFacts {
    /// The fit whose model is written.
    pub chosen: FitFacts,
    /// Not transferring; absent where it is what is written.
    pub baseline: Option<FitFacts>,
    /// The best candidate, where the guard refused it.
    pub refused: Option<FitFacts>,
    /// The figure that was asked for, by which they are compared; absent where none was.
    #[serde(default)]
    pub figure: Option<Figure>,
}

/// What a model that was made elsewhere says of the source, and of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Where its answers for the target stand.
    pub name: String,
    /// Accuracy on the source, or R², where its answers for it were given.
    pub on_source: Option<f64>,
    /// Accuracy of the learners that do not transfer, on source rows that they did not see.
    pub learnt: Option<f64>,
    /// The share of target rows that its own confidence promises to be right.
    pub by_confidence: Option<f64>,
}

/// The record of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Version of the record's layout: see [`Run::FORMAT`]. The first records have none.
    #[serde(default)]
    pub format: u32,
    /// Version of the program.
    pub version: String,
    /// The command line that repeats the run; empty where there was none.
    pub command: Vec<String>,
    /// The seed of all randomness.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// Memory budget in bytes.
    pub memory: u64,
    /// Time of the whole run.
    pub seconds: f64,
    /// The most memory that the process held, where the system tells.
    pub peak_memory: Option<u64>,
    /// Step 1.
    pub data: DataFacts,
    /// Step 2: how the method was chosen and what the guard says; absent where a method was asked for by name.
    pub select: Option<Choice>,
    /// Steps 3 and 4.
    pub transfer: TransferFacts,
    /// Where a model that was made elsewhere is judged: what its answers for the source say of it.
    #[serde(default)]
    pub judged: Option<Judged>,
    /// What the report draws.
    pub figures: Figures,
    /// What the steps want to be known.
    pub notices: Vec<Notice>,
}

impl Run {
    /// Version of the layout that this version writes; records of later ones are refused.
    pub const FORMAT: u32 = 2;

    /// The record of steps that took so many seconds.
    pub fn new(
        data: DataFacts,
        select: Option<Choice>,
        transfer: TransferFacts,
        figures: Figures,
        seconds: f64,
        context: &Context,
    ) -> Self {
        let select = select.map(|choice| choice.worded(|text| context.worded(text)));
        Self {
            format: Self::FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            command: Vec::new(),
            seed: context.seed(),
            threads: rayon::current_num_threads(),
            memory: context.memory(),
            seconds,
            peak_memory: None,
            data,
            select,
            transfer,
            judged: None,
            figures,
            notices: context.notices().to_vec(),
        }
    }
}

/// What the report draws.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Some rows of both domains in the plane of their largest variance, before the method.
    pub before: Vec<Point>,
    /// The same rows as the method's learner sees them; empty for methods that move no rows.
    pub after: Vec<Point>,
    /// Which classes are taken for which, where labels allow scoring.
    pub confusion: Option<Confusion>,
    /// Some target rows as pictures, where rows are pictures and labels allow scoring.
    pub pictures: Vec<Picture>,
    /// What each epoch of a training came to, where there was one.
    #[serde(default)]
    pub epochs: Vec<Epoch>,
    /// Some photographs with what is said of them.
    #[serde(default)]
    pub photographs: Vec<Photograph>,
    /// What a network and its tuning are worth, where one was tuned.
    #[serde(default)]
    pub worth: Option<Worth>,
}

/// What a pretrained network and its tuning are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// The best of what knows nothing of the network's weights.
    pub rival: String,
    /// What the frozen network with a head gains over it.
    pub checkpoint: Estimate,
    /// The best tuning, and what it gains over the frozen network with a head; absent where none was tried.
    pub tuning: Option<(String, Estimate)>,
    /// Products of two numbers that one picture takes in the network that is written.
    pub multiply_adds: u64,
    /// What heads do with a part of the labels, all of them last; empty where that was not looked at.
    pub curve: Vec<FewerLabels>,
    /// The share of the labels without which the frozen network with a head is as good as the rival with all of them, the
    /// largest for so many and more; absent where it never is.
    pub labels_saved: Option<f64>,
}

/// What heads do with a part of the labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FewerLabels {
    /// The part, above 0, 1 for all.
    pub share: f64,
    /// Accuracy of the frozen network with a head.
    pub chosen: f64,
    /// That of the rival.
    pub rival: f64,
}

/// What an epoch of a training came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean loss of what was trained on.
    pub loss: f64,
    /// Share of it that was right, 0 to 1.
    pub accuracy: f64,
    /// The same of what was kept aside.
    pub aside: Option<(f64, f64)>,
}

/// A photograph with what is said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Photograph {
    /// Its file.
    pub path: String,
    /// Why it is shown.
    pub shown: Shown,
    /// A small copy, a JPEG file in Base64.
    pub jpeg: String,
    /// The true class.
    pub truth: String,
    /// The predicted class.
    pub predicted: String,
    /// The probability that the model gives to it.
    pub confidence: f64,
}

/// Why a photograph is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// It is among those that the model is least sure of.
    LeastSure,
}

/// A row in the plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// First component.
    pub x: f64,
    /// Second component.
    pub y: f64,
    /// Whether it is a row of the target.
    pub target: bool,
    /// Its class where it is known to the method.
    pub class: Option<usize>,
}

/// How often each class was predicted for each true class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// The classes, in the order of the counts.
    pub classes: Vec<String>,
    /// `chosen[truth][predicted]` by the model that is written.
    pub chosen: Vec<Vec<usize>>,
    /// The same by the baseline; absent where the model that is written is the baseline.
    pub baseline: Option<Vec<Vec<usize>>>,
}

/// A row that is a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Its number in the table, from 1.
    pub row: usize,
    /// Height and width in pixels.
    pub size: (usize, usize),
    /// Grey values from 0, black ink last, row by row.
    pub pixels: Vec<u8>,
    /// The true class.
    pub truth: String,
    /// The predicted class.
    pub predicted: String,
}
