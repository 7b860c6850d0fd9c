//! Many files at once: read and prepared in parallel, handed over in batches and in order.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use juyi::error::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{MOST_PIXELS, Picture, out_of_range, read};

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

/// Reads files in parallel and hands them over in batches, in their order. `make` turns the picture at a position into
/// a network's input; `progress` is told after each file how many of all are done; an error of `take` ends the run. The
/// files that were left out come back with their errors.
///
/// At any time there are one batch of inputs and one decoded picture for each thread.
///
/// # Errors
/// Those of `make` and `take`; those of [`read`](read()) where damage is refused, the first in the order of the
/// files; [`Error::Param`] for empty batches.
pub fn prepare_all(
    files: &[&Path],
    make: &(dyn Fn(usize, &Picture) -> Result<Vec<f32>> + Sync),
    reading: &Reading,
    progress: &(dyn Fn(usize, usize) + Sync),
    take: &mut dyn FnMut(Batch) -> Result<()>,
) -> Result<Vec<(usize, Error)>> {
    if reading.batch == 0 {
        return Err(out_of_range("reading", "batch", "at least 1", 0));
    }
    let done = AtomicUsize::new(0);
    let mut left_out = Vec::new();
    for (number, part) in files.chunks(reading.batch).enumerate() {
        let first = number * reading.batch;
        let input = |(place, path): (usize, &&Path)| {
            let picture = read(path, reading.most_pixels);
            let input = picture.map(|picture| make(first + place, &picture));
            progress(1 + done.fetch_add(1, Ordering::Relaxed), files.len());
            input
        };
        let made: Vec<Result<Result<Vec<f32>>>> = part.par_iter().enumerate().map(input).collect();
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
        let left_out = prepare_all(&files, &make, &reading, &progress, &mut take).unwrap();
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
        let error = prepare_all(&files, &make, &reading, &|_, _| (), &mut { never }).unwrap_err().to_string();
        assert!(error.contains("2.png"), "{error}");
        let spoilt = |_: usize, _: &Picture| Err(out_of_range("recipe", "crop", "less", 9));
        reading.on_damage = OnDamage::Skip;
        let error = prepare_all(&files, &spoilt, &reading, &|_, _| (), &mut { never }).unwrap_err();
        assert!(matches!(error, Error::Param { .. }), "a wrong recipe is no damage");
        reading.batch = 0;
        assert!(prepare_all(&files, &make, &reading, &|_, _| (), &mut { never }).is_err());
    }
}
