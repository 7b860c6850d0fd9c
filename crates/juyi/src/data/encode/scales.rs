//! Numbers beside a short scale (0 and 1, 1 to 5) that surveys write where there is no answer.

use crate::data::cells::Cells;

/// Numbers that surveys write for a missing answer.
const CODES: [f64; 17] =
    [-1.0, -2.0, -5.0, -7.0, -8.0, -9.0, -99.0, -999.0, 8.0, 9.0, 77.0, 88.0, 97.0, 98.0, 99.0, 998.0, 999.0];

/// The last number of a scale, at most.
const LAST: f64 = 7.0;

/// Fewest cells with other values, and fewest with a code.
const OTHERS: usize = 20;
const FEWEST: usize = 2;

/// Those codes, each with how often it occurs in all tables together, where all other values are those of a scale: each
/// whole number from 0 or 1 on, and none that is next to it.
pub(super) fn codes(cells: &[&Cells]) -> Vec<(f64, usize)> {
    let mut counts: Vec<(f64, usize)> = Vec::new();
    for v in cells.iter().flat_map(|cells| cells.numbers()) {
        match counts.iter().position(|(value, _)| *value == v) {
            Some(at) => counts[at].1 += 1,
            None if counts.len() > LAST as usize + CODES.len() => return Vec::new(),
            None => counts.push((v, 1)),
        }
    }
    counts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = if counts.iter().any(|(value, _)| *value == 0.0) { 0.0 } else { 1.0 };
    let mut last = first - 1.0;
    while last < LAST && counts.iter().any(|(value, _)| *value == last + 1.0) {
        last += 1.0;
    }
    let of_scale = |value: f64| (first..=last).contains(&value) && value.fract() == 0.0;
    let (scale, found): (Vec<_>, Vec<_>) = counts.into_iter().partition(|(value, _)| of_scale(*value));
    // -1, 0, 1 is a scale, and 8 may be the next number of one.
    let apart = |value: f64| CODES.contains(&value) && value != last + 1.0 && value != first - 1.0;
    let all = found.iter().all(|(value, count)| apart(*value) && *count >= FEWEST);
    let others: usize = scale.iter().map(|(_, count)| count).sum();
    if scale.len() < 2 || others < OTHERS || !all { Vec::new() } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_beside_short_scales_are_found() {
        let of = |scale: &[f64], more: &[f64]| {
            let numbers: Vec<f64> = scale.iter().cycle().take(60).chain(more).copied().collect();
            codes(&[&Cells::Numbers(numbers)])
        };
        let five = [1.0, 2.0, 3.0, 4.0, 5.0];
        for (scale, more) in [
            (&[0.0, 1.0][..], &[9.0, 9.0][..]),
            (&[1.0, 2.0], &[99.0, 99.0, 99.0]),
            (&five, &[-9.0, -9.0, -8.0, -8.0]),
            (&five, &[9.0, 9.0, 8.0, 8.0]),
            (&five, &[-1.0, -1.0]),
        ] {
            assert_eq!(of(scale, more).iter().map(|(_, count)| count).sum::<usize>(), more.len(), "{more:?}");
        }
        for (scale, more) in [
            (&[0.0, 1.0][..], &[-1.0, -1.0][..]),
            (&five, &[]),
            (&five, &[9.0]),
            (&five, &[6.0, 6.0, 11.0, 11.0]),
            (&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], &[8.0, 8.0, 9.0, 9.0]),
            (&[0.5, 1.5], &[9.0, 9.0]),
        ] {
            assert_eq!(of(scale, more), [], "{scale:?} {more:?}");
        }
    }
}
