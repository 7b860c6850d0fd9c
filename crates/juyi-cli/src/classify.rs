//! `juyi predict` with a network: a tuned one, or a checkpoint with the head that came with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use juyi::context::Context;
use juyi::data::{Goal, Reading as TableReading};
use juyi::error::{Error, Result, few, shown};
use juyi::measures::Scores;
use juyi::report::Predictions;
use juyi::report::folder::{NETWORK, check_output};
use juyi::setting::Setting;
use juyi::transfer::{compare_classes, score_classes};
use juyi_deep::checkpoint::class_names::{fitting, imagenet, read_class_names};
use juyi_deep::images::{Changes, Entry, is_picture, path_text, tell_copies};
use juyi_deep::tuning::classifier::{Classified, Classifier};

use crate::arguments::PredictArguments;
use crate::arguments::pictures::HeadChoice;
use crate::pictures::{cache, choose_device, listing, read, reading, warn_of};
use crate::sources::{by_its_ending, inside, refuse_name};

/// Endings of files in which other programs keep networks.
const FOREIGN: [&str; 10] = ["npz", "npy", "h5", "hdf5", "keras", "onnx", "tflite", "gguf", "msgpack", "pb"];

/// The network of a run folder, or in a file, that `juyi predict` is given; `None` if it is a model of tables.
pub(crate) fn classifier(model: &Path, pictures: &Path) -> Result<Option<PathBuf>> {
    if let Some(inside) = inside(model)? {
        return Ok(Some(inside));
    }
    refuse_name(model)?;
    let likely =
        pictures.is_dir() || is_picture(pictures)? || model.file_name().is_some_and(|name| name == NETWORK);
    let ending = model.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if likely && model.is_file() && FOREIGN.contains(&&*ending) {
        let problem = format!("is a `.{ending}` file, from which no network is read");
        let hint = "write the weights under the names of the network with `torch.save`, or as safetensors";
        return Err(Error::input(format!("`{}`", model.display()), problem, hint));
    }
    Ok(by_its_ending(model, likely).unwrap_or(false).then(|| model.to_path_buf()))
}

/// The network of a checkpoint with the head that came with it, and whether its classes were named for it.
fn of_checkpoint(
    network: &Path,
    arguments: &PredictArguments,
    context: &mut Context,
) -> Result<(Classifier, bool)> {
    let mut found = read(network, &arguments.pictures, context)?;
    let name = network.display().to_string();
    let classes = found.architecture.classes();
    let given = arguments.head.class_names.as_deref().map(read_class_names).transpose()?;
    let inside = std::mem::take(&mut found.classes);
    let mut own = Classifier::of_checkpoint(&name, found)?;
    if let (Some((names, note)), Some(file)) = (given, &arguments.head.class_names) {
        if names.len() != classes {
            let problem = format!("has {} names, the head of `{name}` has {classes} classes", names.len());
            let hint = "give a name for each class, in the order of the head";
            return Err(Error::input(format!("`{}`", file.display()), problem, hint));
        }
        if let Some(note) = note {
            context.note("network", format!("`{}` {note}", file.display()));
        }
        if let Ok(Some((key, other))) = fitting(inside, classes)
            && other != names
            && other.iter().collect::<BTreeSet<_>>() == names.iter().collect()
        {
            let text = format!("`{}` has the names of `{key}` in `{name}` in another order", file.display());
            context.warn("network", text);
        }
        return Ok((own.named(names), true));
    }
    let hint = "give a name for each class, in the order of the head, with `--class-names FILE`";
    let inside = fitting(inside, classes).map_err(|what| Error::input(format!("`{name}`"), what, hint))?;
    if let Some((key, names)) = inside {
        let first = few(&names.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>());
        context.note("network", format!("`{name}` names its {classes} classes under `{key}`: {first}"));
        return Ok((own.named(names), true));
    }
    if let Some(names) = imagenet(classes) {
        let background = if classes > 1000 { ", with the background in front" } else { "" };
        let text = format!(
            "the head has {classes} classes, which are taken for those of ImageNet{background}; `--class-names` tells \
             others"
        );
        context.note("network", text);
        own = own.named(names);
    } else {
        let text = "the checkpoint does not name its classes, which are called by their numbers from 0; \
                    `--class-names FILE` tells their names";
        context.note("network", text);
    }
    Ok((own, false))
}

/// Refuses options that a tuned network answers itself.
fn says_itself(network: &Path, arguments: &PredictArguments) -> Result<()> {
    let asked = if arguments.head.class_names.is_some() {
        "--class-names"
    } else if arguments.pictures.changes() != Changes::default() {
        "--mean, --std, --resize, --crop"
    } else if arguments.pictures.weights.is_some() {
        "--weights"
    } else {
        return Ok(());
    };
    let problem = format!("is for checkpoints, and `{}` says this itself", network.display());
    Err(Error::input(format!("`{asked}`"), problem, "leave it out"))
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
            says_itself(network, arguments)?;
            context.take(own.bytes());
            (if old { own.into_old_head().ok_or_else(|| no_old_head(network))? } else { own }, !old)
        }
        None if old => return Err(no_old_head(network)),
        None => of_checkpoint(network, arguments, context)?,
    };
    let own_reading = TableReading { label: arguments.label.clone(), ..arguments.reading.reading() };
    let listing = listing(Path::new(&arguments.table), &own_reading, context)?;
    if arguments.label.is_some() && !listing.is_table() {
        let text = "`--label` names a column: classes of pictures in folders are the names of these";
        context.note("data", text);
    }
    let reading = reading(&arguments.pictures);
    let files: Vec<&Path> = listing.entries.iter().map(|entry| entry.path.as_path()).collect();
    if let Some(out) = &arguments.out {
        check_output(out, Setting::Out, files.iter().copied())?;
    }
    let truth = |samples: &[usize]| -> Option<Vec<Option<String>>> {
        let classes: Vec<Option<String>> =
            samples.iter().map(|&at| listing.entries[at].class.clone()).collect();
        // Where the column is named, rows without a label are passed over, as in other tables.
        let named = arguments.label.is_some() && classes.iter().any(Option::is_some);
        (named || classes.iter().all(Option::is_some)).then_some(classes)
    };
    let scored =
        |truth: &[Option<String>]| named || truth.iter().flatten().any(|class| own.classes().contains(class));
    // A stop for other classes comes before the work.
    let all: Vec<usize> = (0..files.len()).collect();
    if let Some(truth) = truth(&all).filter(|truth| scored(truth)) {
        compare_classes(own.classes(), &arguments.table, truth, context)?;
    }
    let cache = cache(&arguments.pictures);
    let Classified { samples, answers, left_out } =
        own.classify(&files, &reading, cache.as_ref(), context)?;
    warn_of(cache.as_ref(), context);
    for (_, error) in &left_out {
        context.warn(&arguments.table, format!("left out: {error}"));
    }
    if let (true, Some(scores)) = (truth(&samples).is_some(), &answers.scores) {
        let kept: Vec<&Entry> = samples.iter().map(|at| &listing.entries[*at]).collect();
        tell_copies(&arguments.table, &kept, scores, reading.most_pixels, context)?;
    }
    let paths = samples.iter().map(|&at| path_text(files[at])).collect();
    let scores = match truth(&samples) {
        None => {
            if arguments.label.is_some() {
                context.warn("scores", "nothing is scored: the pictures bear no class");
            }
            None
        }
        Some(truth) if scored(&truth) => {
            score_classes(own.classes(), &arguments.table, truth, &answers, context)?
        }
        Some(_) => {
            let text = "nothing is scored: no folder bears the name of a class of the checkpoint";
            context.warn("scores", text);
            None
        }
    };
    let id = vec![("picture".into(), paths)];
    let rows = samples.iter().map(|&at| listing.entries[at].row).collect();
    Ok((Predictions { rows, id, answers }, Goal::Classes(own.classes().to_vec()), scores))
}
