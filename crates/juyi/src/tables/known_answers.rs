//! The choice on tasks whose answer is known: how much of what can be gained is gained, how often harm is done, and whether
//! estimates hold.
//!
//! A folder of tasks has `tasks/<name>/{source,target}.{npz,csv}`, the labels in `y` or in the column `label`, and
//! `tasks/<name>/task.json` with `kind`, `form`, `group` and `family`; beside it `known.json` may freeze for each task the true
//! score of a baseline and that of the best model known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::choice::{Calibration, Heard, Reading, Seen, Signs, Verdict};
use crate::context::Context;
use crate::data::{Classes, Missing, Table, read_table};
use crate::error::{Error, Result};
use crate::measures::{Estimate, Scores};
use crate::transfer::{Settings, TaskKind, predict_table, transfer};

/// What `task.json` says.
#[derive(Debug, Clone, Deserialize)]
struct Facts {
    group: String,
    family: String,
    kind: String,
    form: String,
}

/// What `known.json` says of a task.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Known {
    baseline_true: f64,
    oracle: f64,
}

/// One task, as the choice did on it. Scores are accuracies, or R² of numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// The task.
    pub task: String,
    /// Its group, such as `seen` or `harm`.
    pub group: String,
    /// The family of data that it comes from.
    pub family: String,
    /// What the guard said.
    pub verdict: Verdict,
    /// How it read the columns.
    pub reading: Option<Reading>,
    /// Estimated gain over not transferring.
    pub gain: Estimate,
    /// The gain as it turned out.
    pub true_gain: Option<f64>,
    /// Expected score of what was written.
    pub expected: Option<Estimate>,
    /// The floor of that score.
    pub floor: Option<f64>,
    /// Score of what was written.
    pub written: f64,
    /// Score of not transferring.
    pub plain: f64,
    /// Score of the frozen baseline; that of not transferring where none is known.
    pub baseline: f64,
    /// Score of the best model known.
    pub oracle: Option<f64>,
    /// Standard error of a score on so many target rows.
    pub error: f64,
    /// Score on a half of the target that was kept away from the fit, and on the other half.
    pub halves: Option<(f64, f64)>,
    /// What the estimates are made of.
    pub signs: Option<Signs>,
    /// What estimates of each of those that were tried are made of, and its score.
    pub others: Vec<(Signs, f64)>,
    /// Rows of the smaller side.
    pub rows: usize,
    /// Time of the run.
    pub seconds: f64,
}

/// The fewest rows of each side that a gain is estimated from.
const FEWEST: usize = 30;

/// Families whose labels mean something else in the target or nothing: no estimate without labels sees that.
const ANOTHER_RULE: [&str; 2] = ["relabelled", "permuted"];

/// The constants of the estimates as these tasks have them, those of another labelling rule aside.
///
/// # Errors
/// [`Error::Input`] for too few tasks.
pub fn calibrate(answered: &[Answered]) -> Result<Calibration> {
    let seen = |row: &Answered| {
        // What cannot be learnt, and what has too few rows, is not estimated.
        let estimated = row.expected.is_some() && row.rows >= FEWEST;
        let holds = !ANOTHER_RULE.contains(&row.family.as_str());
        let (signs, gain) = (row.signs.filter(|_| estimated && holds)?, row.true_gain?);
        let (family, reading) = (row.family.clone(), row.reading?);
        let others = row.others.clone();
        Some(Seen { family, reading, signs, vote: row.plain + gain, plain: row.plain, others })
    };
    Calibration::of(&answered.iter().filter_map(seen).collect::<Vec<_>>())
}

impl Answered {
    /// Whether what was written is worse than the frozen baseline by more than a standard error.
    pub fn harmed(&self) -> bool {
        self.written < self.baseline - self.error
    }
}

/// Runs the choice on every task below `folder`, of these names or groups only where some are given; `each` sees each task as
/// it is done. `halves` runs a second time on half of each target and predicts the other half.
///
/// # Errors
/// [`Error::Input`] for a folder without tasks; what the runs report.
pub fn known_answers(
    folder: &Path,
    only: &[String],
    halves: bool,
    context: &Context,
    mut each: impl FnMut(&Answered),
) -> Result<Vec<Answered>> {
    let known: BTreeMap<String, Known> = match std::fs::read_to_string(folder.join("known.json")) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|error| Error::input("`known.json`", error.to_string(), "write it anew"))?,
        Err(_) => BTreeMap::new(),
    };
    let mut all = Vec::new();
    for (name, folder) in folders(&folder.join("tasks"))? {
        let facts = facts(&folder)?;
        let wanted = |one: &String| *one == name || *one == facts.group || *one == facts.family;
        if !only.is_empty() && !only.iter().any(wanted) {
            continue;
        }
        let answered = answered(&name, &folder, &facts, known.get(&name).copied(), halves, context)?;
        each(&answered);
        all.push(answered);
    }
    Ok(all)
}

/// The folders of tasks by name.
fn folders(tasks: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = std::fs::read_dir(tasks).map_err(|error| {
        let hint = "give a folder that has `tasks/<name>/task.json`";
        Error::input(format!("`{}`", tasks.display()), error.to_string(), hint)
    })?;
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("task.json").is_file())
        .filter_map(|path| Some((path.file_name()?.to_str()?.to_string(), path)))
        .collect();
    found.sort();
    if found.is_empty() {
        let hint = "give a folder that has `tasks/<name>/task.json`";
        return Err(Error::input(format!("`{}`", tasks.display()), "holds no task", hint));
    }
    Ok(found)
}

fn facts(folder: &Path) -> Result<Facts> {
    let path = folder.join("task.json");
    let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())).map_err(|error| {
        Error::input(format!("`{}`", path.display()), error, "give `group`, `family`, `kind` and `form`")
    })
}

fn answered(
    name: &str,
    folder: &Path,
    facts: &Facts,
    known: Option<Known>,
    halves: bool,
    context: &Context,
) -> Result<Answered> {
    let file = |side: &str| folder.join(format!("{side}.{}", facts.form)).display().to_string();
    let reading = crate::data::Reading::default();
    let (source, target) =
        (read_table(&file("source"), &reading, context)?, read_table(&file("target"), &reading, context)?);
    let settings = Settings {
        label: (facts.form == "csv").then(|| "label".into()),
        task: Some(if facts.kind == "regression" { TaskKind::Regression } else { TaskKind::Classification }),
        missing: (facts.form == "csv").then_some(Missing::Mean),
        distances: false,
        ..Settings::default()
    };
    let outcome = transfer(vec![source.clone()], target.clone(), &settings, &mut context.clone())?;
    let (run, rows) = (&outcome.run, target.rows as f64);
    let choice = run.select.as_ref().expect("`auto` chooses");
    let of = |scores: &Option<Scores>| scores.as_ref().map_or(f64::NAN, figure);
    let written = of(&run.transfer.chosen.scores);
    let plain = run.transfer.baseline.as_ref().map_or(written, |facts| of(&facts.scores));
    let baseline = known.map_or(plain, |known| known.baseline_true);
    let halves = if halves { Some(in_halves(source.clone(), &target, &settings, context)?) } else { None };
    Ok(Answered {
        task: name.into(),
        group: facts.group.clone(),
        family: facts.family.clone(),
        verdict: choice.verdict,
        reading: choice.units.as_ref().map(|units| units.reading),
        gain: choice.gain,
        true_gain: choice.true_gain,
        expected: choice.expected,
        floor: choice.floor,
        written,
        plain,
        baseline,
        oracle: known.map(|known| known.oracle),
        error: (baseline * (1.0 - baseline)).max(0.0).sqrt() / rows.sqrt(),
        halves,
        signs: choice.signs,
        others: others(&choice.heard, &target, settings.label.as_deref()),
        rows: source.rows.min(target.rows),
        seconds: run.seconds,
    })
}

/// The accuracy of each of those that were tried.
fn others(heard: &Heard, target: &Table, label: Option<&str>) -> Vec<(Signs, f64)> {
    let Some(labels) = label.or(target.label.as_deref()).and_then(|label| target.column(label)) else {
        return Vec::new();
    };
    let classes = Classes::named(heard.classes.clone());
    let class = |row: &usize| labels.cells.text(*row).and_then(|text| classes.position(&text));
    let truth: Vec<Option<usize>> = heard.rows.iter().map(class).collect();
    let accuracy = |answers: &[f64]| {
        let right =
            answers.iter().zip(&truth).filter(|(said, truth)| **truth == Some(**said as usize)).count();
        right as f64 / truth.len().max(1) as f64
    };
    heard.each.iter().map(|(signs, answers)| (*signs, accuracy(answers))).collect()
}

/// The first figure of some scores.
fn figure(scores: &Scores) -> f64 {
    match scores {
        Scores::Classification { accuracy, .. } => *accuracy,
        Scores::Regression { r2, .. } => *r2,
    }
}

/// Scores of what is written on the half of the target that was kept away, and on that which was not.
fn in_halves(source: Table, target: &Table, settings: &Settings, context: &Context) -> Result<(f64, f64)> {
    let half = |odd: usize| target.select(&(odd..target.rows).step_by(2).collect::<Vec<_>>());
    let outcome = transfer(vec![source], half(0), settings, &mut context.clone())?;
    let seen = outcome.run.transfer.chosen.scores.as_ref().map_or(f64::NAN, figure);
    let label = settings.label.as_deref().or(target.label.as_deref());
    let away = predict_table(&outcome.model, half(1), label, &mut context.clone())?;
    Ok((away.1.as_ref().map_or(f64::NAN, figure), seen))
}
