//! What goes into the stages that are trained: activations that are computed once, or the pictures themselves.

use std::path::{Path, PathBuf};

use juyi::context::Context;
use juyi::error::{Error, Result};

use crate::architecture::Architecture;
use crate::cache::Cache;
use crate::extents::Extent;
use crate::features::{Extractor, Kept, View};
use crate::images::{
    Augmentation, OnDamage, Picture, Reading, Recipe, augment, copies, each_of, generator, prepare,
};
use crate::network::Network;

/// The pictures that a network is tuned on.
#[derive(Debug, Clone)]
pub struct Pictures {
    /// Their files.
    pub files: Vec<PathBuf>,
    /// The class of each, as a position among the names.
    pub classes: Vec<usize>,
    /// The names of the classes.
    pub names: Vec<String>,
    /// Most pixels of a picture.
    pub most_pixels: u64,
    /// What keeps activations, if anything.
    pub cache: Option<Cache>,
}

impl Pictures {
    /// How they are read. All were read before, so one that cannot be read now is an error.
    pub(super) fn reading(&self) -> Reading {
        Reading { most_pixels: self.most_pixels, on_damage: OnDamage::Refuse, ..Reading::default() }
    }

    /// The files as they are asked for.
    pub(super) fn paths(&self) -> Vec<&Path> {
        self.files.iter().map(PathBuf::as_path).collect()
    }

    /// For each picture the first that it is a copy of, itself where there is none.
    ///
    /// # Errors
    /// As for [`copies`].
    pub(super) fn copies(&self, context: &Context) -> Result<Vec<usize>> {
        copies(&self.paths(), self.most_pixels, context)
    }

    /// What an extractor keeps of each, in one piece.
    pub(super) fn rows(
        &self,
        extractor: &Extractor,
        view: Option<View<'_>>,
        context: &Context,
    ) -> Result<Vec<Vec<f32>>> {
        let made = extractor.rows(&self.paths(), view, &self.reading(), self.cache.as_ref(), context)?;
        Ok(made.rows.into_iter().flatten().collect())
    }
}

/// Inputs of the first stage that is trained.
pub(super) enum Inputs<'a> {
    /// Activations before that stage: `views[view][picture]`, the first of the pictures as they are.
    Kept {
        /// The extent of one.
        extent: Extent,
        /// See above.
        views: Vec<Vec<Vec<f32>>>,
    },
    /// Pictures that are read again in each epoch, altered anew.
    Files {
        /// The pictures.
        pictures: &'a Pictures,
        /// How they are prepared.
        recipe: Recipe,
        /// What is altered in training.
        augmentation: &'a Augmentation,
        /// The seed of all randomness.
        seed: u64,
    },
}

impl<'a> Inputs<'a> {
    /// The inputs of stage `first` of a network. Activations are computed once for the pictures as they are and for
    /// `views - 1` random variants of each.
    pub(super) fn new(
        network: &Network,
        first: usize,
        pictures: &'a Pictures,
        augmentation: &'a Augmentation,
        views: usize,
        context: &Context,
    ) -> Result<Self> {
        let Architecture { recipe, stages, .. } = &network.architecture;
        if first == 0 {
            let recipe = recipe.clone();
            return Ok(Self::Files { pictures, recipe, augmentation, seed: context.seed() });
        }
        let extent = network.architecture.after(first)?;
        let each = pictures.files.len() as u64 * 4 * extent.count() as u64;
        let what = format!("what comes out of `{}` for all pictures", stages[first - 1].name);
        context.require(&what, each.saturating_mul(views as u64))?;
        let own = network.architecture.clone();
        context.require(&format!("a copy of the network `{}`", own.name), own.bytes())?;
        let copied = own.bytes();
        let extractor =
            Extractor::new(own, network.tensors(), Kept::Activation(first), &context.beside(copied))?;
        let view = |number: usize| {
            let seed = context.seed();
            let view = (number > 0).then_some(View { augmentation, seed, number: number as u64 });
            pictures.rows(&extractor, view, &context.beside(copied + number as u64 * each))
        };
        Ok(Self::Kept { extent, views: (0..views).map(view).collect::<Result<_>>()? })
    }

    /// The extent of one input.
    pub(super) fn extent(&self) -> Extent {
        match self {
            Self::Kept { extent, .. } => *extent,
            Self::Files { recipe, .. } => Extent::Map(3, recipe.crop, recipe.crop),
        }
    }

    /// Bytes that it takes while it is kept.
    pub(super) fn held(&self) -> u64 {
        match self {
            Self::Kept { extent, views } => {
                let rows: usize = views.iter().map(Vec::len).sum();
                rows as u64 * 4 * extent.count() as u64
            }
            Self::Files { .. } => 0,
        }
    }

    /// Bytes that the inputs of some pictures take while they are made.
    pub(super) fn bytes(&self, pictures: usize) -> u64 {
        8 * pictures as u64 * self.extent().count() as u64
    }

    /// The inputs of some pictures, one behind the other: as they are, or as they come in an epoch of training.
    pub(super) fn of(&self, which: &[usize], epoch: Option<usize>, context: &Context) -> Result<Vec<f32>> {
        match self {
            Self::Kept { views, .. } => {
                // Each epoch takes another variant, the first the pictures as they are.
                let view = &views[epoch.map_or(0, |epoch| epoch % views.len())];
                Ok(which.iter().flat_map(|&at| view[at].iter().copied()).collect())
            }
            Self::Files { pictures, recipe, augmentation, seed } => {
                let files: Vec<&Path> = which.iter().map(|&at| pictures.files[at].as_path()).collect();
                let one = |place: usize, picture: Result<Picture>| match epoch {
                    Some(epoch) if **augmentation != Augmentation::default() => {
                        let mut rng = generator(*seed, epoch as u64, which[place] as u64);
                        augment(&picture?, recipe, augmentation, &mut rng)
                    }
                    _ => prepare(&picture?, recipe),
                };
                let made = each_of(&files, pictures.most_pixels, recipe.crop, context, &one)?;
                let parts: Vec<Vec<f32>> = made.into_iter().collect::<Result<_>>()?;
                Ok(parts.concat())
            }
        }
    }
}

/// How often each class stands among these.
pub(super) fn class_counts(of: &[usize], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for &class in of {
        counts[class] += 1;
    }
    counts
}

/// The classes of those pictures that are no copies of others.
pub(super) fn different(classes: &[usize], leaders: &[usize]) -> Vec<usize> {
    let own = classes.iter().zip(leaders).enumerate().filter(|(at, (_, leader))| at == *leader);
    own.map(|(_, (class, _))| *class).collect()
}

/// The error that names the classes with too few pictures, of which `leaders` says which are copies.
pub(super) fn too_few(pictures: &Pictures, leaders: &[usize], least: usize) -> Result<()> {
    let names = &pictures.names;
    let few: Vec<String> = names
        .iter()
        .zip(class_counts(&different(&pictures.classes, leaders), names.len()))
        .filter(|(_, count)| *count < least)
        .map(|(name, count)| format!("`{name}` ({count})"))
        .collect();
    if few.is_empty() {
        return Ok(());
    }
    let copies = leaders.iter().enumerate().any(|(at, leader)| at != *leader);
    let torn =
        (leaders.iter().enumerate()).any(|(at, &leader)| pictures.classes[at] != pictures.classes[leader]);
    let (kind, hint) = match (torn, copies) {
        (true, _) => ("pictures of their own", "each picture may stand in one class only: remove the copies"),
        (_, true) => ("different pictures", "add pictures, or leave these classes out"),
        _ => ("pictures", "add pictures, or leave these classes out"),
    };
    let problem = format!("classes with fewer than {least} {kind}: {}", few.join(", "));
    Err(Error::input("the pictures", problem, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_a_file_are_found_and_do_not_count_as_pictures_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = |(k, bytes): (usize, &&str)| {
            let path = folder.path().join(k.to_string());
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let pictures = Pictures {
            files: ["one", "two", "one", "three", "two", "one"].iter().enumerate().map(file).collect(),
            classes: vec![0, 1, 0, 0, 1, 0],
            names: vec!["a".into(), "b".into()],
            most_pixels: 1,
            cache: None,
        };
        let leaders = pictures.copies(&Context::default()).unwrap();
        assert_eq!(leaders, [0, 1, 0, 3, 1, 0]);
        assert_eq!(different(&pictures.classes, &leaders), [0, 1, 0]);
        let error = too_few(&pictures, &leaders, 2).unwrap_err().to_string();
        assert_eq!(error, "the pictures: classes with fewer than 2 different pictures: `b` (1)");
    }

    #[test]
    fn one_picture_in_two_formats_is_a_copy_of_itself() {
        let folder = tempfile::tempdir().unwrap();
        let picture =
            |shift: u8| image::RgbImage::from_fn(7, 5, |x, y| image::Rgb([x as u8 + shift, y as u8, 9]));
        let file = |(name, shift): (&str, u8)| {
            let path = folder.path().join(name);
            picture(shift).save(&path).unwrap();
            path
        };
        let names = [("a.png", 0), ("b.bmp", 1), ("c.tif", 0), ("d.webp", 1), ("e.png", 2), ("f.bmp", 0)];
        let pictures = Pictures {
            files: names.into_iter().map(file).collect(),
            classes: vec![0, 1, 1, 1, 0, 0],
            names: vec!["a".into(), "b".into()],
            most_pixels: 1000,
            cache: None,
        };
        let leaders = pictures.copies(&Context::default()).unwrap();
        assert_eq!(leaders, [0, 1, 0, 1, 4, 0]);
        let error = too_few(&pictures, &leaders, 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the pictures: classes with fewer than 2 pictures of their own: `b` (1)"
        );
        assert!(error.hint().unwrap().starts_with("each picture may stand in one class only"));
    }
}
