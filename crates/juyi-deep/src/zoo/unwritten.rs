//! Zeros where weights belong: what a file holds that was not written, or not fetched, to its end.

use std::collections::BTreeMap;

use juyi::error::{bytes, few, shown};

use crate::architecture::Architecture;
use crate::checkpoint::Stored;

/// Least zeros in a row that are no chance, in a tensor of which they are a tenth.
const RUN: usize = 4096;

/// Least zeros at the end of a tensor that are no chance in a file that ends in them.
const TAIL: usize = 256;

/// The place of the longest row of zeros.
fn longest_run(values: &[f32]) -> std::ops::Range<usize> {
    let (mut longest, mut start) = (0..0, 0);
    for at in 0..=values.len() {
        if values.get(at).is_none_or(|value| *value != 0.0) {
            if at - start > longest.len() {
                longest = start..at;
            }
            start = at + 1;
        }
    }
    longest
}

/// How many zeros of a tensor were not written as it seems; `tail` if its file ends in zeros. Biases, positions and
/// scales may begin at 0, and whole filters of a pruned network are 0.
fn missing(name: &str, own: &Stored, tail: bool, by_design: bool) -> usize {
    let values = &own.values[..];
    let (count, run) = (values.len(), longest_run(values));
    let is_weight = own.shape.len() > 1 && name.ends_with("weight");
    if run.len() == count {
        let missing = !by_design && (is_weight || name.ends_with("running_var"));
        return if missing { count } else { 0 };
    }
    if own.shape.len() < 2 {
        return 0;
    }
    let filter = (count / own.shape[0].max(1)).max(1);
    let pruned = run.start % filter == 0 && run.end % filter == 0;
    if run.len() >= RUN && 10 * run.len() >= count && !pruned {
        return run.len();
    }
    let last = values.iter().rev().take_while(|value| **value == 0.0).count();
    if tail && last >= TAIL { last } else { 0 }
}

/// That a file was likely not written whole, by the zeros in the tensors of its network; `tail` if it ends in zeros,
/// `by_design` the tensors that may be 0 altogether.
pub(crate) fn unwritten(
    architecture: &Architecture,
    tensors: &BTreeMap<String, Stored>,
    tail: bool,
    by_design: impl Fn(&str) -> bool,
) -> Option<String> {
    let found = architecture.parameters().into_iter().filter_map(|parameter| {
        let name = parameter.name;
        let count = missing(&name, tensors.get(&name)?, tail, by_design(&name));
        (count > 0).then(|| (format!("`{}`", shown(&name)), count))
    });
    let (names, counts): (Vec<String>, Vec<usize>) = found.unzip();
    let size = bytes(4 * counts.iter().sum::<usize>() as u64);
    (!names.is_empty()).then(|| {
        format!(
            "zeros stand in a row where weights belong, {size} as 32-bit floats, in {}: the file was likely not written \
             whole; fetch it again",
            few(&names)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(shape: &[usize], zeros: std::ops::Range<usize>) -> Stored {
        let count = shape.iter().product();
        Stored {
            shape: shape.to_vec(),
            values: (0..count).map(|at| if zeros.contains(&at) { 0.0 } else { 0.5 }).collect(),
        }
    }

    #[test]
    fn rows_of_zeros_are_told_from_those_that_networks_have() {
        let of = |name: &str, own: &Stored| missing(name, own, false, false);
        let shape = [64, 64, 3, 3];
        for (zeros, count) in [
            (100..5000, 4900), // a hole
            (0..5000, 5000),
            (31_000..36_864, 5864),
            (100..4000, 0),      // a short one
            (576..7 * 576, 0),   // filters
            (0..36_864, 36_864), // all of it
        ] {
            assert_eq!(of("c.weight", &stored(&shape, zeros.clone())), count, "{zeros:?}");
        }
        // A row that is little of its tensor, unless the file ends in it.
        let large = stored(&[512, 256, 3, 3], 1_175_000..1_179_648);
        assert_eq!((of("c.weight", &large), missing("c.weight", &large, true, false)), (0, 4648));
        // Pruned: zeros everywhere, none far from a number.
        let mut pruned = stored(&shape, 0..36_864);
        pruned.values.iter_mut().step_by(50).for_each(|value| *value = 1.0);
        assert_eq!(of("c.weight", &pruned), 0);
        for (name, shape, count) in [
            ("bn.running_var", vec![64], 64),
            ("bn.running_mean", vec![64], 0),
            ("bn.weight", vec![64], 0),
            ("fc.bias", vec![20_000], 0),
            ("pos_embed", vec![1, 197, 192], 0),
        ] {
            let all = stored(&shape, 0..usize::MAX);
            assert_eq!(of(name, &all), count, "{name}");
        }
        assert_eq!(missing("fc.weight", &stored(&[5, 512], 0..2560), true, true), 0);
    }
}
