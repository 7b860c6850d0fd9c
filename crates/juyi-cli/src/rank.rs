//! `juyi rank`.

use std::fmt::Write;
use std::process::ExitCode;

use juyi::context::Context;
use juyi::data::{Reading, check_renamed, read_table};
use juyi::error::{Error, Result, harmless};
use juyi::linalg::Matrix;
use juyi::report::thousands;
use juyi::transfer::{Represented, Settings, represented};
use juyi::transferability::{Representation, TRANSFERABILITY, TransferabilityScore, transferability};
use serde_json::json;

use crate::arguments::{self, RankArguments};
use crate::terminal::{hand_over, notes, say};

/// What one network makes of the samples.
struct Ranked {
    name: String,
    samples: Represented,
    /// The network's probabilities for its own classes.
    source: Option<Matrix>,
    /// One a score; `None` where it cannot be told.
    scores: Vec<Option<f64>>,
}

pub(crate) fn run(arguments: &RankArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    let by: Vec<Box<dyn TransferabilityScore>> = if arguments.by.is_empty() {
        TRANSFERABILITY.iter().map(|row| transferability(row.name)).collect::<Result<_>>()?
    } else {
        arguments.by.iter().map(|text| transferability(text)).collect::<Result<_>>()?
    };
    let mut all = ranked(arguments, &by, context)?;
    if all.is_empty() {
        let hint = "give `--features A.npz B.npz`, or a folder of pictures and `--networks a.pth b.pth`";
        return Err(Error::input("`juyi rank`", "has nothing to rank", hint).into());
    }
    same_samples(&all)?;
    let names: Vec<&str> = by.iter().map(|score| score.row().name).collect();
    let asked = !arguments.by.is_empty();
    for (k, one) in all.iter_mut().enumerate() {
        context.progress("ranking", k, names.len());
        let Represented { features, labels, classes } = &one.samples;
        let count = labels.iter().max().map_or(0, |most| most + 1).max(classes.len());
        let source = one.source.as_ref().map(Matrix::as_ref);
        let of = Representation { features: features.as_ref(), labels, classes: count, source };
        for score in &by {
            let told = asked || !score.row().of_source_classes || source.is_some();
            one.scores.push(if told { Some(score.score(&of)?) } else { None });
        }
    }
    let first = |one: &Ranked| one.scores[0].unwrap_or(f64::NEG_INFINITY);
    all.sort_by(|a, b| first(b).total_cmp(&first(a)));
    let told: Vec<usize> =
        (0..names.len()).filter(|&k| all.iter().any(|one| one.scores[k].is_some())).collect();
    if arguments.json {
        let one = |one: &Ranked| {
            let scores: serde_json::Map<String, serde_json::Value> =
                told.iter().map(|&k| (names[k].to_string(), json!(one.scores[k]))).collect();
            json!({ "name": one.name, "features": one.samples.features.ncols(), "scores": scores })
        };
        let record = json!({
            "samples": all[0].samples.labels.len(),
            "classes": all[0].samples.classes,
            "ranked": all.iter().map(one).collect::<Vec<_>>(),
        });
        hand_over(&(serde_json::to_string_pretty(&record)? + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&(text(&all, &names, &told)? + &notes(context)))?;
    Ok(ExitCode::SUCCESS)
}

/// All that is to be ranked, not scored yet.
fn ranked(
    arguments: &RankArguments,
    by: &[Box<dyn TransferabilityScore>],
    context: &mut Context,
) -> anyhow::Result<Vec<Ranked>> {
    #[cfg(feature = "deep")]
    if let Some(photos) = &arguments.photos {
        let heads = by.iter().any(|score| score.row().of_source_classes);
        return of_networks(photos, heads, arguments, context);
    }
    let _ = by;
    of_tables(arguments, context)
}

fn of_tables(arguments: &RankArguments, context: &mut Context) -> anyhow::Result<Vec<Ranked>> {
    let settings = Settings {
        label: arguments.label.clone(),
        drop: arguments.drop.clone(),
        missing: arguments.missing.map(arguments::Missing::of_library),
        ..Settings::default()
    };
    let label = arguments.label.clone();
    let as_text = label.iter().cloned().collect();
    let reading = Reading { label, as_text, ..arguments.reading.reading() };
    let tables = arguments.features.iter().map(|name| read_table(name, &reading, context));
    let tables = tables.collect::<Result<Vec<_>>>()?;
    check_renamed(&reading, tables.iter())?;
    let one = |(name, table)| {
        let samples = represented(table, &settings, context)?;
        Ok(Ranked { name: String::clone(name), samples, source: None, scores: Vec::new() })
    };
    arguments.features.iter().zip(tables).map(one).collect()
}

/// Pictures as each network has them, with its own classes where `heads` are asked for.
#[cfg(feature = "deep")]
fn of_networks(
    photos: &std::path::Path,
    heads: bool,
    arguments: &RankArguments,
    context: &mut Context,
) -> anyhow::Result<Vec<Ranked>> {
    use juyi::models::softmax_rows;
    use juyi_deep::features::{Extractor, Kept, table};

    use crate::pictures::{cache, choose_device, listing, read, reading, warn_of};

    let listing = listing(photos, &arguments.reading.reading(), context)?;
    choose_device(&arguments.pictures)?;
    let (reading, cache) = (reading(&arguments.pictures), cache(&arguments.pictures));
    let files: Vec<&std::path::Path> = listing.entries.iter().map(|entry| entry.path.as_path()).collect();
    let settings = Settings { id: vec!["picture".into()], ..Settings::default() };
    let mut all = Vec::new();
    for network in &arguments.networks {
        let found = read(network, &arguments.pictures, context)?;
        let kept = |kept: Kept| {
            let (architecture, tensors) = (found.architecture.clone(), found.tensors.clone());
            let extractor = Extractor::new(architecture, tensors, kept, context)?;
            extractor.features(&files, &reading, cache.as_ref(), context)
        };
        let features = kept(Kept::Features)?;
        let source =
            if heads && found.architecture.classes() > 1 { Some(kept(Kept::Scores)?.rows) } else { None };
        let rows = table(&network.display().to_string(), &listing.entries, &features);
        for (_, error) in &features.left_out {
            context.warn(&photos.display().to_string(), format!("left out: {error}"));
        }
        let labelled: Vec<usize> = (0..features.samples.len())
            .filter(|&at| listing.entries[features.samples[at]].class.is_some())
            .collect();
        let source = source.map(|scores| {
            let mut own = juyi::linalg::select_rows(scores.as_ref(), &labelled);
            softmax_rows(&mut own);
            own
        });
        // What is odd about single features of a network is nothing to look at.
        let samples = represented(rows, &settings, &mut context.aside())?;
        all.push(Ranked { name: network.display().to_string(), samples, source, scores: Vec::new() });
    }
    warn_of(cache.as_ref(), context);
    Ok(all)
}

/// Scores of other samples say nothing of each other.
fn same_samples(all: &[Ranked]) -> Result<()> {
    let first = &all[0];
    let other = |one: &&Ranked| {
        one.samples.labels != first.samples.labels || one.samples.classes != first.samples.classes
    };
    let Some(other) = all.iter().find(other) else { return Ok(()) };
    let problem = format!("has other labels than `{}`", first.name);
    let hint = "give representations of the same samples, in the same order";
    Err(Error::input(format!("`{}`", other.name), problem, hint))
}

fn text(all: &[Ranked], names: &[&str], told: &[usize]) -> std::result::Result<String, std::fmt::Error> {
    let mut out = String::new();
    let samples = &all[0].samples;
    writeln!(
        out,
        "{} samples of {} classes; the larger a score the better",
        thousands(samples.labels.len()),
        samples.classes.len()
    )?;
    let titles: Vec<String> = all.iter().map(|one| harmless(&one.name)).collect();
    let wide = titles.iter().map(|title| title.chars().count()).max().unwrap_or(0);
    let width = |k: usize| names[k].len().max(10);
    write!(out, "    {:<wide$}", "")?;
    told.iter().try_for_each(|&k| write!(out, "  {:>1$}", names[k], width(k)))?;
    writeln!(out)?;
    for (k, (one, title)) in all.iter().zip(&titles).enumerate() {
        write!(out, "{:>2}  {title:<wide$}", k + 1)?;
        for &score in told {
            let cell = one.scores[score].map_or_else(|| "-".into(), |value| format!("{value:.4}"));
            write!(out, "  {cell:>0$}", width(score))?;
        }
        writeln!(out)?;
    }
    Ok(out)
}
