//! Networks and pictures, as the flags say that they are read.

use std::path::Path;

use juyi::context::Context;
use juyi::data::Reading as TableReading;
use juyi::error::{Error, Result, few};
use juyi::report::folder::NETWORK_KEY;
use juyi_deep::cache::Cache;
use juyi_deep::checkpoint::{Checkpoint, Wanted};
use juyi_deep::images::{Entry, Listing, OnDamage, Reading};
use juyi_deep::tuning::Pictures;
use juyi_deep::tuning::classifier::network_in;
use juyi_deep::zoo::{Recognized, counts, known_names};

use crate::arguments::{Damaged, PictureArguments};
use crate::preparation::prepare;
use crate::sources::refuse_name;

/// The network in a checkpoint; what is left out of it is noted.
pub(crate) fn read(source: &Path, arguments: &PictureArguments, context: &mut Context) -> Result<Recognized> {
    context.progress("network", 0, 0);
    refuse_name(source)?;
    let known = known_names();
    let set = arguments.weights.as_deref().map(|set| set.trim_end_matches('.'));
    if set == Some("") {
        let problem = "is empty";
        let hint = "give the key or the begin of names that the wanted tensors have";
        return Err(Error::input("`--weights`", problem, hint));
    }
    let wanted = Wanted { set, known: Some(&known) };
    let mut checkpoint = Checkpoint::read_for(source, wanted, context.left())?;
    let name = source.display().to_string();
    for note in std::mem::take(&mut checkpoint.notes) {
        context.note("network", note);
    }
    let tuned = checkpoint.metadata.contains_key(NETWORK_KEY);
    let mut found = network_in(&name, checkpoint)?;
    prepare(&mut found, &arguments.changes(), tuned, context)?;
    let own = &found.architecture;
    context.take(own.bytes());
    context.note("network", format!("`{name}` is `{}`, with the names of {}", own.name, own.layout));
    if !found.extra.is_empty() {
        let text = format!("tensors that are not used: {}", few(&found.extra));
        let parts = |name: &String| {
            found.tensors.get(name).is_some_and(|own| own.values.len() > usize::from(counts(name)))
        };
        if found.extra.iter().any(parts) {
            context.warn("network", text + "; if they are parts of the network, its answers are others");
        } else {
            context.note("network", text);
        }
    }
    for doubt in std::mem::take(&mut found.doubts) {
        context.warn("network", doubt);
    }
    Ok(found)
}

/// The pictures of a folder or table, or one alone; what is left out is noted. Every renaming has to serve.
pub(crate) fn listing(path: &Path, reading: &TableReading, context: &mut Context) -> Result<Listing> {
    let listing = noted_listing(path, reading, context)?;
    Listing::check_renamed(reading, std::iter::once(&listing))?;
    Ok(listing)
}

/// The same, where renamings may serve another list.
pub(crate) fn noted_listing(path: &Path, reading: &TableReading, context: &mut Context) -> Result<Listing> {
    let listing = Listing::read(path, reading, context)?;
    context.take(listing.bytes());
    let name = path.display().to_string();
    for warning in &listing.warnings {
        context.warn(&name, warning.clone());
    }
    for note in &listing.notes {
        context.note(&name, note.clone());
    }
    Ok(listing)
}

/// Networks of this process run where the flag says.
pub(crate) fn choose_device(arguments: &PictureArguments) -> Result<()> {
    juyi_deep::device::choose(arguments.device.parse()?);
    Ok(())
}

/// What keeps activations, if that is asked for.
pub(crate) fn cache(arguments: &PictureArguments) -> Option<Cache> {
    arguments.cache.as_deref().map(Cache::new)
}

/// Warns of what a cache could not keep.
pub(crate) fn warn_of(cache: Option<&Cache>, context: &mut Context) {
    if let Some(warning) = cache.and_then(Cache::warning) {
        context.warn("cache", warning);
    }
}

/// How pictures are read.
pub(crate) fn reading(arguments: &PictureArguments) -> Reading {
    let on_damage = match arguments.damaged {
        Damaged::Refuse => OnDamage::Refuse,
        Damaged::Skip => OnDamage::Skip,
    };
    Reading { on_damage, ..Reading::default() }
}

/// Pictures to tune on: those of a list that have a class.
pub(crate) fn labelled(entries: &[Entry], reading: &Reading, arguments: &PictureArguments) -> Pictures {
    let known = || entries.iter().filter_map(|entry| Some((entry, entry.class.as_ref()?)));
    let mut names: Vec<String> = known().map(|(_, class)| class.clone()).collect();
    names.sort();
    names.dedup();
    Pictures {
        files: known().map(|(entry, _)| entry.path.clone()).collect(),
        classes: known().filter_map(|(_, class)| names.binary_search(class).ok()).collect(),
        names,
        most_pixels: reading.most_pixels,
        cache: cache(arguments),
    }
}
