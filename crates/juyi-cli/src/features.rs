//! `juyi features`, and pictures as tables for the other commands.

use std::path::Path;
use std::process::ExitCode;

use juyi::context::Context;
use juyi::data::Table;
use juyi::error::{Error, Result};
use juyi::files::write_whole;
use juyi::report::folder::check_output;
use juyi::report::thousands;
use juyi::setting::Setting;
use juyi_deep::cache::Cache;
use juyi_deep::features::{Extractor, Kept, table};
use juyi_deep::images::{Entry, Listing, Reading, tell_copies};

use crate::arguments::unused::Work;
use crate::arguments::{FeaturesArguments, PictureArguments};
use crate::pictures::{cache, choose_device, listing, read, reading, warn_of};
use crate::signals::writing;
use crate::terminal::{notes, say_of};

pub(crate) fn run(arguments: &FeaturesArguments, context: &mut Context) -> anyhow::Result<ExitCode> {
    arguments.surroundings.given.refuse_unused(Work::Features)?;
    let ending = arguments.out.extension().and_then(|ending| ending.to_str());
    let csv = match ending {
        Some("csv") => true,
        Some("npz") => false,
        _ => {
            let (owner, name) = ("juyi".into(), "--out".into());
            let (must, got) =
                ("a file that ends in .npz or .csv".into(), arguments.out.display().to_string());
            return Err(Error::Param { owner, name, must, got }.into());
        }
    };
    let (photos, out) = (&arguments.photos, &arguments.out);
    check_output(out, Setting::Out, [photos.as_path(), &arguments.network])?;
    let pictures = Pictures::new(&arguments.network, &arguments.pictures, context)?;
    let listing = listing(photos, &arguments.reading.reading(), context)?;
    check_output(out, Setting::Out, listing.entries.iter().map(|entry| entry.path.as_path()))?;
    let table = pictures.rows(photos, &listing, context)?;
    let bytes = if csv { table.to_csv()? } else { table.to_npz()? };
    let writing = writing();
    write_whole(out, &bytes)?;
    drop(writing);
    let notes = notes(context);
    let (rows, width) = (thousands(table.rows), pictures.extractor.width());
    say_of(out, &format!("{notes}{rows} pictures, {width} features each, written to {}\n", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// A frozen network that turns pictures into rows.
pub(crate) struct Pictures {
    extractor: Extractor,
    reading: Reading,
    cache: Option<Cache>,
}

impl Pictures {
    /// The network in a checkpoint; what is left out of it is noted.
    pub(crate) fn new(network: &Path, arguments: &PictureArguments, context: &mut Context) -> Result<Self> {
        choose_device(arguments)?;
        let found = read(network, arguments, context)?;
        let extractor = Extractor::new(found.architecture, found.tensors, Kept::Features, context)?;
        let reading = reading(arguments);
        Ok(Self { extractor, reading, cache: cache(arguments) })
    }

    /// Listed pictures as a table.
    pub(crate) fn rows(&self, path: &Path, listing: &Listing, context: &mut Context) -> Result<Table> {
        let name = path.display().to_string();
        let files: Vec<&Path> = listing.entries.iter().map(|entry| entry.path.as_path()).collect();
        let features = self.extractor.features(&files, &self.reading, self.cache.as_ref(), context)?;
        warn_of(self.cache.as_ref(), context);
        for (_, error) in &features.left_out {
            context.warn(&name, format!("left out: {error}"));
        }
        let kept: Vec<&Entry> = features.samples.iter().map(|at| &listing.entries[*at]).collect();
        tell_copies(&name, &kept, &features.rows, self.reading.most_pixels, context)?;
        if features.found > 0 {
            context.note(&name, format!("{} of {} pictures were in the cache", features.found, files.len()));
        }
        context.take(8 * (features.rows.nrows() * features.rows.ncols()) as u64);
        Ok(table(&name, &listing.entries, &features))
    }
}
