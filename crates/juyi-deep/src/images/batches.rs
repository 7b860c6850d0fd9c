//! Many files at once: read and prepared in parallel, handed over in batches and in order.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use juyi::context::Context;
use juyi::error::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::read::read_sized;
use super::size::{Size, size};
use super::{MOST_PIXELS, Picture, out_of_range};

/// What is done with a picture that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDamage {
    /// The run ends with its error.
    Refuse,
    /// It is left out and reported.
    Skip,
}

/// How many files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Most pixels of a picture.
    pub most_pixels: u64,
    /// What is done with a picture that cannot be read.
    pub on_damage: OnDamage,
    /// Samples in a batch, at least 1.
    pub batch: usize,
}

impl Default for Reading {
    fn default() -> Self {
        Self { most_pixels: MOST_PIXELS, on_damage: OnDamage::Refuse, batch: 64 }
    }
}

/// Samples that are ready for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Their positions among the files, in ascending order.
    pub samples: Vec<usize>,
    /// What was made of them, one behind the other.
    pub inputs: Vec<f32>,
}

/// What is made of each picture.
pub struct Making<'a> {
    /// Turns the picture at a position among the files into a network's input.
    pub make: &'a (dyn Fn(usize, &Picture) -> Result<Vec<f32>> + Sync),
    /// Side of the input in pixels; 0 where nothing is made.
    pub side: usize,
    /// Bytes that a sample takes while its batch is held.
    pub held: u64,
    /// Bytes that whoever takes a batch needs beside it.
    pub then: u64,
}

/// Reads files in parallel and hands them over in batches, in their order. `progress` is told after each file how many of
/// all are done; an error of `take` ends the run. The files that were left out come back with their errors.
///
/// Batches are as large, and as many pictures are decoded at a time, as the memory allows that the context has left; each
/// batch is the same as a larger one cut in parts.
///
/// # Errors
/// Those of `make` and `take`; those of [`read`](super::read()) where damage is refused, the first in the order of the
/// files; [`Error::Memory`] for a picture that does not fit by itself, which is no damage; [`Error::Param`] for empty
/// batches.
pub fn prepare_all(
    files: &[&Path],
    making: &Making<'_>,
    reading: &Reading,
    context: &Context,
    progress: &(dyn Fn(usize, usize) + Sync),
    take: &mut dyn FnMut(Batch) -> Result<()>,
) -> Result<Vec<(usize, Error)>> {
    if reading.batch == 0 {
        return Err(out_of_range("reading", "batch", "at least 1", 0));
    }
    // Half of what is left for the samples, the rest for the pictures that they are made of.
    let fitting = context.left().saturating_sub(making.then) / 2 / making.held.max(1);
    let size = usize::try_from(fitting).unwrap_or(usize::MAX).clamp(1, reading.batch);
    context.require("one picture as a network takes it", making.held.saturating_add(making.then))?;
    let beside = context.beside(size as u64 * making.held);
    let done = AtomicUsize::new(0);
    let mut left_out = Vec::new();
    for (number, part) in files.chunks(size).enumerate() {
        let first = number * size;
        let made = each_of(part, reading.most_pixels, making.side, &beside, &|place, picture| {
            let input = picture.map(|picture| (making.make)(first + place, &picture));
            progress(1 + done.fetch_add(1, Ordering::Relaxed), files.len());
            input
        })?;
        let mut batch = Batch { samples: Vec::with_capacity(part.len()), inputs: Vec::new() };
        for (sample, input) in (first..).zip(made) {
            match input {
                Ok(input) => {
                    batch.samples.push(sample);
                    batch.inputs.extend(input?);
                }
                Err(damage) if reading.on_damage == OnDamage::Skip => left_out.push((sample, damage)),
                Err(damage) => return Err(damage),
            }
        }
        if !batch.samples.is_empty() {
            take(batch)?;
        }
    }
    Ok(left_out)
}

/// What `make` makes of each picture, or of the error that it could not be read for, in order. Several are decoded at a
/// time, each on a thread of its own, as many as fit beside each other while inputs of `side` x `side` pixels are made.
///
/// # Errors
/// [`Error::Memory`] for the first picture that does not fit by itself.
pub(crate) fn each_of<T: Send>(
    files: &[&Path],
    most_pixels: u64,
    side: usize,
    context: &Context,
    make: &(dyn Fn(usize, Result<Picture>) -> T + Sync),
) -> Result<Vec<T>> {
    let sizes: Vec<Size> = files.par_iter().map(|path| size(path, most_pixels)).collect();
    let needs: Vec<u64> = sizes.iter().map(|size| size.held(side)).collect();
    for ((path, size), need) in files.iter().zip(&sizes).zip(&needs) {
        if !context.fits(*need) {
            let [width, height] = size.sides;
            context.require(&format!("`{}`, of {width} x {height} pixels,", path.display()), *need)?;
        }
    }
    let mut made = Vec::with_capacity(files.len());
    for group in groups(&needs, rayon::current_num_threads(), context.left()) {
        let one = |place: usize| make(place, read_sized(files[place], most_pixels, &sizes[place]));
        made.par_extend(group.into_par_iter().map(one));
    }
    Ok(made)
}

/// Neighbours that may be at work together: however the threads take turns, no more than `threads` of them are, and those
/// that need most fit into `left`.
fn groups(needs: &[u64], threads: usize, left: u64) -> Vec<Range<usize>> {
    let (mut groups, mut first, mut largest) = (Vec::new(), 0, Vec::with_capacity(threads + 1));
    for (place, need) in needs.iter().enumerate() {
        largest.push(*need);
        largest.sort_unstable_by(|a, b| b.cmp(a));
        largest.truncate(threads);
        if place > first && largest.iter().copied().fold(0, u64::saturating_add) > left {
            groups.push(first..place);
            (first, largest) = (place, vec![*need]);
        }
    }
    groups.push(first..needs.len());
    groups
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::super::testing::{bytes, cases};
    use super::*;

    /// Seven files, the third and the last damaged, in batches of two.
    #[test]
    fn batches_keep_the_order_and_damage_is_refused_or_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let content = bytes(&cases("files")[0]["file"]);
        let first = decode("png", &content, MOST_PIXELS).unwrap();
        let write = |n: usize| {
            let path = folder.path().join(format!("{n}.png"));
            let length = if n == 2 || n == 6 { 60 } else { content.len() };
            std::fs::write(&path, &content[..length]).unwrap();
            path
        };
        let files: Vec<_> = (0..7).map(write).collect();
        let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
        let mut reading = Reading { on_damage: OnDamage::Skip, batch: 2, ..Reading::default() };
        let told = AtomicUsize::new(0);
        let progress = |done: usize, all: usize| {
            assert!((1..=7).contains(&done) && all == 7);
            told.fetch_add(done, Ordering::Relaxed);
        };
        let make = |sample: usize, picture: &Picture| {
            assert_eq!(picture, &first);
            Ok(vec![sample as f32; 2])
        };
        let mut batches = Vec::new();
        let mut take = |batch: Batch| {
            batches.push((batch.samples, batch.inputs));
            Ok(())
        };
        let context = Context::default();
        let made = Making { make: &make, side: 1, held: 8, then: 0 };
        let left_out = prepare_all(&files, &made, &reading, &context, &progress, &mut take).unwrap();
        assert_eq!(left_out.iter().map(|(sample, _)| *sample).collect::<Vec<_>>(), [2, 6]);
        assert!(left_out[0].1.to_string().contains("2.png`: is a damaged picture"), "{}", left_out[0].1);
        assert_eq!(told.load(Ordering::Relaxed), 28); // 1 + 2 + … + 7
        let expected = [
            (vec![0, 1], vec![0.0, 0.0, 1.0, 1.0]),
            (vec![3], vec![3.0, 3.0]),
            (vec![4, 5], vec![4.0, 4.0, 5.0, 5.0]),
        ];
        assert_eq!(batches, expected);

        let never = |_: Batch| panic!("nothing is taken");
        reading = Reading { on_damage: OnDamage::Refuse, batch: 7, ..reading };
        let told = |_, _| ();
        let error =
            prepare_all(&files, &made, &reading, &context, &told, &mut { never }).unwrap_err().to_string();
        assert!(error.contains("2.png"), "{error}");
        let spoilt = |_: usize, _: &Picture| Err(out_of_range("recipe", "crop", "less", 9));
        reading.on_damage = OnDamage::Skip;
        let made = Making { make: &spoilt, ..made };
        let error = prepare_all(&files, &made, &reading, &context, &told, &mut { never }).unwrap_err();
        assert!(matches!(error, Error::Param { .. }), "a wrong recipe is no damage");
        reading.batch = 0;
        assert!(prepare_all(&files, &made, &reading, &context, &told, &mut { never }).is_err());
    }
}
