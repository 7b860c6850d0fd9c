//! What a checkpoint is held against: heads that know nothing of it.

use std::path::Path;
use std::time::Instant;

use juyi::context::Context;
use juyi::error::Result;
use juyi::linalg::Matrix;
use rayon::prelude::*;

use super::inputs::Pictures;
use super::trial::Trials;
use super::tried::{Start, Trial};
use crate::cache::{name_of, name_of_all};
use crate::images::{COLOURS, Picture, Recipe, colour_shares, each_of, open};

impl<'a> Trials<'a> {
    /// A head solved on how often colours occur.
    pub(super) fn colours(&self, context: &Context) -> Result<Trial<'a>> {
        let begin = Instant::now();
        let rows = self.pictures.colours(&self.source.architecture.recipe, context)?;
        self.rival(Start::Colours, rows, begin, context)
    }
}

impl Pictures {
    /// How often colours occur in each, from the cache where it has them.
    fn colours(&self, recipe: &Recipe, context: &Context) -> Result<Matrix> {
        let bytes = 4 * (self.files.len() * COLOURS) as u64;
        context.require("the colours of the pictures", 3 * bytes)?;
        let context = &context.beside(3 * bytes);
        let key = name_of(format!("colours {recipe:?}").as_bytes());
        let entries = self.cache.as_ref().map(|cache| cache.entries(&key));
        let paths = self.paths();
        let name = |path: &&Path| {
            entries.as_ref()?;
            let (file, length) = open(path, self.most_pixels).ok()?;
            name_of_all(std::io::Read::take(file, length)).ok()
        };
        let names: Vec<Option<String>> = paths.par_iter().map(name).collect();
        let kept = |name: &Option<String>| entries.as_ref()?.get(name.as_ref()?, COLOURS);
        let mut rows: Vec<Option<Vec<f32>>> = names.par_iter().map(kept).collect();
        let missing: Vec<usize> = (0..paths.len()).filter(|&at| rows[at].is_none()).collect();
        let files: Vec<&Path> = missing.iter().map(|&at| paths[at]).collect();
        context.progress("colours", paths.len() - missing.len(), paths.len());
        let make = |_: usize, picture: Result<Picture>| colour_shares(&picture?, recipe);
        for (made, &at) in
            each_of(&files, self.most_pixels, recipe.crop, context, &make)?.into_iter().zip(&missing)
        {
            let made = made?;
            if let (Some(entries), Some(name)) = (&entries, &names[at]) {
                entries.put(name, &made);
            }
            rows[at] = Some(made);
        }
        let value = |i: usize, j: usize| rows[i].as_ref().map_or(0.0, |row| f64::from(row[j]));
        Ok(Matrix::from_fn(rows.len(), COLOURS, value))
    }
}
