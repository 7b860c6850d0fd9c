//! `juyi predict` with a network: a tuned one, or a checkpoint with the head that came with it.

use std::path::{Path, PathBuf};

use juyi::context::Context;
use juyi::data::Goal;
use juyi::error::{Error, Result};
use juyi::measures::Scores;
use juyi::report::Predictions;
use juyi::report::folder::{NETWORK, check_output};
use juyi::transfer::score_classes;
use juyi_deep::images::is_picture;
use juyi_deep::tuning::classifier::{Classified, Classifier};

use crate::arguments::PredictArguments;
use crate::arguments::pictures::HeadChoice;
use crate::tune::{by_its_ending, cache, choose_device, inside, listing, read, reading, warn_of};

/// The network of a run folder, or in a file, that `juyi predict` is given; `None` if it is a model of tables.
pub(crate) fn classifier(model: &Path, pictures: &Path) -> Result<Option<PathBuf>> {
    if let Some(inside) = inside(model)? {
        return Ok(Some(inside));
    }
    let likely =
        pictures.is_dir() || is_picture(pictures)? || model.file_name().is_some_and(|name| name == NETWORK);
    Ok(by_its_ending(model, likely).unwrap_or(false).then(|| model.to_path_buf()))
}

fn no_old_head(network: &Path) -> Error {
    let problem = "keeps no head of the checkpoint that it was tuned from";
    let hint = "tune with `--regularize ewc` or `lwf`, or predict with the checkpoint itself";
    Error::input(format!("`{}`", network.display()), problem, hint)
}

/// Classes of the pictures in a folder or table: the predictions, the classes, and the scores where folders or the table
/// tell the true ones.
pub(crate) fn predict(
    arguments: &PredictArguments,
    network: &Path,
    context: &mut Context,
) -> Result<(Predictions, Goal, Option<Scores>)> {
    choose_device(&arguments.pictures)?;
    let old = arguments.head.head == HeadChoice::Old;
    let (own, named) = match Classifier::read(network, context.memory())? {
        Some(own) => {
            context.take(own.bytes());
            (if old { own.into_old_head().ok_or_else(|| no_old_head(network))? } else { own }, !old)
        }
        None if old => return Err(no_old_head(network)),
        None => (Classifier::of_checkpoint(&network.display().to_string(), read(network, context)?)?, false),
    };
    let listing = listing(Path::new(&arguments.table), context)?;
    let reading = reading(&arguments.pictures);
    let files: Vec<&Path> = listing.entries.iter().map(|entry| entry.path.as_path()).collect();
    if let Some(out) = &arguments.out {
        check_output(out, files.iter().copied())?;
    }
    let cache = cache(&arguments.pictures);
    let Classified { samples, answers, left_out } =
        own.classify(&files, &reading, cache.as_ref(), context)?;
    warn_of(cache.as_ref(), context);
    for (_, error) in &left_out {
        context.warn(&arguments.table, format!("left out: {error}"));
    }
    let paths = samples.iter().map(|&at| files[at].display().to_string()).collect();
    let truth: Vec<Option<String>> = samples.iter().map(|&at| listing.entries[at].class.clone()).collect();
    let scores = if truth.iter().any(Option::is_none) {
        None
    } else if named || truth.iter().flatten().any(|class| own.classes().contains(class)) {
        score_classes(own.classes(), &arguments.table, truth, &answers, context)?
    } else {
        let text = "nothing is scored: no folder bears the name of a class of the checkpoint";
        context.warn("scores", text);
        None
    };
    let id = vec![("picture".into(), paths)];
    Ok((Predictions { rows: samples, id, answers }, Goal::Classes(own.classes().to_vec()), scores))
}
