//! The record of a tuning, in the form that all runs have.

use std::path::{Path, PathBuf};

use juyi::choice::Verdict;
use juyi::context::Context;
use juyi::data::Missing;
use juyi::error::{Error, Result};
use juyi::measures::classification_scores;
use juyi::report::{
    Confusion, DataFacts, DomainFacts, Figures, FitFacts, Photograph, Run, Shown, TransferFacts, base64,
};
use juyi::transfer::TargetLabels;
use serde_json::{Value, json};

use super::inputs::{Pictures, class_counts};
use super::settings::Settings;
use super::strategy::Strategy;
use super::verdict::{Judged, Tuned};
use crate::images::{Filter, Picture, each_of, small_jpeg};
use crate::zoo::Recognized;

/// Photographs that are shown of each kind.
const SHOWN: usize = 8;
/// The longer side of one, in pixels.
const SIDE: usize = 160;

/// What is known beside the tuning itself.
pub struct Surroundings<'a> {
    /// The checkpoint's file.
    pub source: &'a str,
    /// The network in it.
    pub found: &'a Recognized,
    /// The folder or table of pictures.
    pub target: &'a str,
    /// Pictures without a class.
    pub unlabelled: usize,
    /// Time of the whole run in seconds.
    pub seconds: f64,
}

/// The record; `answers` and all else are what [`super::tune`] returned.
///
/// # Errors
/// [`Error::Input`] if a photograph that is to be shown cannot be read any more.
pub fn record(
    tuned: &Tuned,
    pictures: &Pictures,
    settings: &Settings,
    known: &Surroundings<'_>,
    context: &Context,
) -> Result<Run> {
    let truth: Vec<usize> = tuned.judged.iter().map(|own| own.truth).collect();
    let said: Vec<usize> = tuned.judged.iter().map(|own| own.said).collect();
    let without: Option<Vec<usize>> = tuned.judged.iter().map(|own| own.without).collect();
    let fit = |method: &str, carries: &str, said: &[usize], seconds: f64, params: Value| FitFacts {
        method: method.into(),
        params,
        learner: None,
        preprocess: Vec::new(),
        carries: carries.into(),
        stores_rows: false,
        effective_rows: None,
        scores: (!said.is_empty()).then(|| classification_scores(&truth, said)),
        seconds,
    };
    let settings = Settings { rate: tuned.rate, ..settings.clone() };
    let params = if tuned.epochs.is_empty() { json!({}) } else { parameters(&settings)? };
    let name = tuned.strategy.to_string();
    let carried = if tuned.strategy == Strategy::Scratch {
        "nothing: all weights were drawn at random".into()
    } else {
        format!("the weights of `{}` in {}", known.found.architecture.name, known.source)
    };
    let chosen = fit(&name, &carried, &said, tuned.seconds[0], params);
    let baseline = without
        .as_deref()
        .map(|without| fit(&tuned.rival, "nothing of the checkpoint", without, tuned.seconds[1], json!({})));
    let counts = class_counts(&pictures.classes, pictures.names.len());
    let classes = pictures.names.iter().cloned().zip(counts).collect();
    let whole = tuned.judged.len() == pictures.files.len();
    let scored_by = if whole {
        "cross-validation: each by a network that was not trained on it"
    } else {
        "a network that was not trained on them"
    };
    let confusion = |said: &[usize]| {
        let mut counts = vec![vec![0usize; pictures.names.len()]; pictures.names.len()];
        truth.iter().zip(said).for_each(|(&t, &s)| counts[t][s] += 1);
        counts
    };
    let remark =
        format!("`{}`, with the names of {}", known.found.architecture.name, known.found.architecture.layout);
    let source = DomainFacts { name: known.source.into(), rows: 0, labelled: 0, classes: Vec::new(), remark };
    let data = DataFacts {
        task: "classification".into(),
        label: "class".into(),
        features: known.found.architecture.width()?,
        sources: vec![source],
        target: DomainFacts {
            name: known.target.into(),
            rows: pictures.files.len() + known.unlabelled,
            labelled: pictures.files.len(),
            classes,
            remark: String::new(),
        },
        scored_rows: tuned.judged.len(),
        scored_by: Some(scored_by.into()),
        missing: Missing::Error.name().into(),
        target_labels: TargetLabels::Use.name().into(),
        distances: Vec::new(),
        moved: Vec::new(),
    };
    let figures = Figures {
        confusion: Some(Confusion {
            classes: pictures.names.clone(),
            chosen: confusion(&said),
            baseline: without.as_deref().map(confusion),
        }),
        epochs: tuned.epochs.clone(),
        photographs: photographs(&tuned.judged, pictures, context)?,
        worth: Some(tuned.worth.clone()),
        ..Figures::default()
    };
    let transfer = TransferFacts { chosen, baseline, refused: None, figure: None };
    Ok(Run::new(data, Some(tuned.choice.clone()), transfer, figures, known.seconds, context))
}

/// Stands for everything that decides what a tuning leaves: the network, the pictures with classes and the `rest`, and
/// what was `asked` for.
///
/// # Errors
/// None that memory can give.
pub fn work(
    found: &Recognized,
    pictures: &Pictures,
    rest: &[&Path],
    asked: &impl serde::Serialize,
) -> Result<String> {
    let files = pictures.files.iter().map(PathBuf::as_path).chain(rest.iter().copied());
    let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
    let known = (&found.architecture, &files, &pictures.classes, &pictures.names, asked);
    let text = serde_json::to_string(&known)
        .map_err(|error| Error::Numeric { what: "the settings".into(), why: error.to_string() })?;
    let mut hash = blake3::Hasher::new();
    hash.update(text.as_bytes());
    for (name, stored) in &found.tensors {
        hash.update(name.as_bytes());
        for value in &stored.values {
            hash.update(&value.to_le_bytes());
        }
    }
    Ok(hash.finalize().to_hex()[..32].to_string())
}

/// The settings of a training; what is altered, and what is added to the loss, in one word or none.
fn parameters(settings: &Settings) -> Result<Value> {
    let mut all = serde_json::to_value(settings)
        .map_err(|error| Error::Numeric { what: "the settings".into(), why: error.to_string() })?;
    let words = |value: &Value| match value {
        Value::Object(parts) => {
            let said = |value: &&Value| !value.is_null() && value.as_f64() != Some(0.0);
            let parts = parts.iter().filter(|(_, value)| said(value));
            let parts: Vec<String> = parts.map(|(name, value)| format!("{name} {value}")).collect();
            Value::from(if parts.is_empty() { "none".into() } else { parts.join(", ").replace('"', "") })
        }
        plain => plain.clone(),
    };
    for value in all.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        *value = words(value);
    }
    Ok(all)
}

/// Some that are right, evenly over the classes; the wrong ones that the network is surest of; those of which it is
/// least sure.
fn photographs(judged: &[Judged], pictures: &Pictures, context: &Context) -> Result<Vec<Photograph>> {
    let (right, mut wrong): (Vec<Judged>, Vec<Judged>) = judged.iter().partition(|own| own.truth == own.said);
    wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut unsure = judged.to_vec();
    unsure.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let step = right.len().div_ceil(SHOWN).max(1);
    let mut by_class = right;
    by_class.sort_by_key(|own| own.truth);
    let right: Vec<Judged> = by_class.into_iter().step_by(step).collect();
    let mut all = Vec::new();
    for (shown, own) in [(Shown::Right, right), (Shown::Wrong, wrong), (Shown::LeastSure, unsure)] {
        for Judged { picture, truth, said, confidence, .. } in own.into_iter().take(SHOWN) {
            let file: &Path = &pictures.files[picture];
            let small = |_: usize, picture: Result<Picture>| small_jpeg(&picture?, SIDE, Filter::Bilinear);
            let jpeg = each_of(&[file], pictures.most_pixels, SIDE, context, &small)?.remove(0)?;
            all.push(Photograph {
                path: file.display().to_string(),
                shown,
                jpeg: base64(&jpeg),
                truth: pictures.names[truth].clone(),
                predicted: pictures.names[said].clone(),
                confidence,
            });
        }
    }
    Ok(all)
}

impl Tuned {
    /// Whether the checkpoint helped, by the verdict.
    pub fn transfers(&self) -> bool {
        self.choice.verdict == Verdict::Transfer
    }
}
