//! Times one fit and prediction of Juyi, for `benchmarks/run`:
//!
//! ```text
//! juyi-benchmarks DATA LABELLED METHOD PARAMETERS LEARNER TIMES OUT
//! ```
//!
//! reads the rows in the folder `DATA`, of whose target rows the first `LABELLED` have their labels, fits and predicts
//! `TIMES` times, prints
//! `{"seconds": [...], "kib": ..., "notices": [...]}` and leaves its answers as plain doubles in the folder `OUT`.

use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};
use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::{Learner, learner};
use juyi::linalg::Matrix;
use juyi::methods::weighting::{
    Discriminative, GaussianRatio, KernelDensityRatio, Kliep, Kmm, NearestNeighbor, Rulsif, Ulsif,
};
use juyi::methods::{Adapter, build, fit};
use juyi::models::{Model, Predictor, apply_all};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [data, labelled, method, parameters, learner_name, times, out] = &arguments[..] else {
        bail!("give DATA LABELLED METHOD PARAMETERS LEARNER TIMES OUT");
    };
    let task = read_task(Path::new(data), labelled.parse()?)?;
    let parameters: Map<String, Value> = serde_json::from_str(parameters)?;
    let built = build(method, &parameters)?;
    let learner = learner(learner_name)?;

    // A small fit loads code and starts threads; the peak is counted from here on.
    let few = |rows: usize| (0..rows.min(200)).collect::<Vec<_>>();
    let small = task.select(&few(task.source().rows()), &few(task.target().rows()));
    fit(&built, &small, learner.as_ref(), Vec::new(), &mut Context::default())?
        .predict(small.target().features().as_ref())
        .expect("rows of the model's columns");
    fs::write("/proc/self/clear_refs", "5")?;
    let before = memory("VmRSS:")?;
    let (mut seconds, mut kib, mut last) = (Vec::new(), 0, None);
    for _ in 0..times.parse::<usize>()? {
        drop(last.take());
        let context = &mut Context::default();
        let start = Instant::now();
        let model = fit(&built, &task, learner.as_ref(), Vec::new(), context)?;
        let answers = model.predict(task.target().features().as_ref()).expect("rows of the model's columns");
        seconds.push(start.elapsed().as_secs_f64());
        if seconds.len() == 1 {
            kib = memory("VmHWM:")?.saturating_sub(before);
        }
        last = Some((model, answers, context.notices().to_vec()));
    }
    let (model, answers, notices) = last.context("TIMES must be 1 or above")?;

    let out = Path::new(out);
    fs::create_dir_all(out)?;
    write(out, "predictions", answers.answer)?;
    write_learned(out, &model, &task)?;
    if let Some(weights) = weights(method, parameters, &task, learner.as_ref())? {
        write(out, "weights", weights)?;
    }
    let notices: Vec<&str> = notices.iter().map(|notice| notice.text.as_str()).collect();
    #[expect(clippy::print_stdout, reason = "its one answer")]
    {
        println!("{}", json!({"seconds": seconds, "kib": kib, "notices": notices}));
    }
    Ok(())
}

/// What the learner saw and what it made of it: beside the nearest rows, these rows and the mapped target; beside linear
/// scores, their coefficients.
fn write_learned(out: &Path, model: &Model, task: &Task) -> Result<()> {
    match &model.predictor {
        Predictor::Neighbors { rows, .. } => {
            write(out, "source", row_by_row(rows))?;
            write(out, "target", row_by_row(&apply_all(&model.maps, task.target().features().as_ref())))
        }
        Predictor::Linear { weights, bias, .. } => {
            write(out, "coefficients", row_by_row(weights))?;
            write(out, "bias", row_by_row(bias))
        }
        _ => Ok(()),
    }
}

/// The weights of the source rows, for methods that weigh.
fn weights(
    method: &str,
    parameters: Map<String, Value>,
    task: &Task,
    learner: &dyn Learner,
) -> Result<Option<Vec<f64>>> {
    fn of<A: Adapter + DeserializeOwned>(
        parameters: Map<String, Value>,
        task: &Task,
        learner: &dyn Learner,
    ) -> Result<Option<Vec<f64>>> {
        let adapter: A = serde_json::from_value(Value::Object(parameters))?;
        Ok(adapter.adapt(task, learner, &mut Context::default())?.weights)
    }
    match method {
        "discriminative" => of::<Discriminative>(parameters, task, learner),
        "gaussian-ratio" => of::<GaussianRatio>(parameters, task, learner),
        "kernel-density-ratio" => of::<KernelDensityRatio>(parameters, task, learner),
        "kliep" => of::<Kliep>(parameters, task, learner),
        "kmm" => of::<Kmm>(parameters, task, learner),
        "nearest-neighbor" => of::<NearestNeighbor>(parameters, task, learner),
        "rulsif" => of::<Rulsif>(parameters, task, learner),
        "ulsif" => of::<Ulsif>(parameters, task, learner),
        _ => Ok(None),
    }
}

/// Rows, labels and what they are: where any label is no whole number, all are numbers to be predicted.
fn read_task(folder: &Path, labelled: usize) -> Result<Task> {
    let (labels, mut truth) = (read(folder, "labels")?, read(folder, "truth")?);
    truth.truncate(labelled);
    let source = read(folder, "source")?;
    ensure!(
        !labels.is_empty() && source.len().is_multiple_of(labels.len()),
        "{}: no table",
        folder.display()
    );
    let columns = source.len() / labels.len();
    let table =
        |values: Vec<f64>| Matrix::from_fn(values.len() / columns, columns, |i, j| values[i * columns + j]);
    let (goal, labels, own) = if labels.iter().all(|label| label.fract() == 0.0) {
        let whole =
            |labels: Vec<f64>| -> Vec<usize> { labels.into_iter().map(|label| label as usize).collect() };
        let labels = whole(labels);
        let classes = labels.iter().max().map_or(0, |last| last + 1);
        let goal = Goal::Classes((0..classes).map(|class| class.to_string()).collect());
        (goal, Labels::Classes(labels), Labels::Classes(whole(truth)))
    } else {
        (Goal::Value, Labels::Values(labels), Labels::Values(truth))
    };
    let source = Domain::labelled("source", table(source), labels);
    let target = Domain::labelled("target", table(read(folder, "target")?), own);
    Ok(Task::new(vec![source], target, goal)?)
}

fn read(folder: &Path, name: &str) -> Result<Vec<f64>> {
    let path = folder.join(format!("{name}.f64"));
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    Ok(bytes.chunks_exact(8).map(number).collect())
}

fn write(folder: &Path, name: &str, values: Vec<f64>) -> Result<()> {
    let bytes: Vec<u8> = values.into_iter().flat_map(f64::to_le_bytes).collect();
    Ok(fs::write(folder.join(format!("{name}.f64")), bytes)?)
}

fn row_by_row(matrix: &Matrix) -> Vec<f64> {
    matrix.row_iter().flat_map(|row| row.iter().copied()).collect()
}

/// A line of the process's memory in KiB.
fn memory(line: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|text| text.strip_prefix(line)).context("no such line")?;
    Ok(value.trim().trim_end_matches(" kB").parse()?)
}
