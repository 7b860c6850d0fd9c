//! Numbers that lie far from all others of their column, whatever they are.

use crate::data::cells::Cells;
use crate::linalg::extent;

/// Fewest other values, and fewest different ones among them, that tell where a column lies.
const OTHERS: usize = 20;
const DIFFERENT: usize = 3;

/// The least and the largest of some values far from all others.
pub(super) type Outlying = (f64, f64);

/// How many ranges of the others values lie away from them that are named: any at all; a few in a hundred; one that
/// repeats, and that often, where hardly any other does.
const AWAY: [f64; 3] = [50.0, 5.0, 0.25];

/// The same for zeros of which many different other numbers lie above.
const ZEROS: f64 = 0.5;

/// The largest share of values that lie far from the others, and the least of those that are a few in a hundred.
const SHARES: (f64, f64) = (0.34, 0.02);

/// The most cells that are looked at to find where a column lies.
const SAMPLE: usize = 4000;

/// The values of one table's column on either side that lie far from all others but those which are `known`, whatever they
/// are, with the number of their cells.
pub(super) fn outlying(cells: &Cells, known: &[(f64, usize)]) -> Vec<(Outlying, usize)> {
    let Cells::Numbers(numbers) = cells else { return Vec::new() };
    let is_other = |v: &f64| !v.is_nan() && known.iter().all(|(value, _)| value != v);
    let others = || numbers.iter().copied().filter(is_other);
    let step = (numbers.len() / SAMPLE).max(1);
    let ends = extent(others());
    let mut sample: Vec<f64> = numbers.iter().step_by(step).copied().filter(is_other).collect();
    if step > 1 {
        sample.extend([ends.0, ends.1]);
    }
    let mut found = Vec::new();
    for sign in [1.0, -1.0] {
        let mut values: Vec<f64> = sample.iter().map(|v| sign * v).collect();
        values.sort_by(f64::total_cmp);
        if let Some(last) = far_below(&values) {
            let out: Vec<f64> = others().filter(|v| sign * v <= last).collect();
            let ends = extent(out.iter().copied());
            found.push((ends, out.len()));
        }
    }
    found
}

/// The last of the least of some sorted values that lie far below the others.
fn far_below(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let largest = *values.last()?;
    let different = |some: &[f64]| 1 + some.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let far = |at: &usize| {
        let (out, others) = values.split_at(*at);
        let away = (others[0] - out[at - 1]) / (largest - others[0]);
        if away <= AWAY[2] || others.len() < OTHERS {
            return false; // the others are counted for few
        }
        let often = out.len() >= DIFFERENT && out.len() as f64 >= SHARES.1 * n;
        let repeats = out[0] == out[at - 1] && different(others) as f64 >= 0.9 * others.len() as f64;
        // Zeros far below many different numbers that measure something.
        let zeros = often && out[0] == 0.0 && out[at - 1] == 0.0 && others[0] > 0.0;
        let least = match (often, repeats) {
            (true, true) => AWAY[2],
            _ if zeros && different(others) >= OTHERS => ZEROS,
            (true, false) => AWAY[1],
            (false, _) => AWAY[0],
        };
        away > least && different(others) >= DIFFERENT
    };
    let most = (SHARES.0 * n) as usize;
    let at = (1..=most.min(values.len().saturating_sub(1)))
        .filter(|at| values[at - 1] < values[*at])
        .rfind(far)?;
    Some(values[at - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` values from `of`, and these behind them.
    fn with(count: usize, of: impl Fn(f64) -> f64, more: &[f64]) -> Vec<f64> {
        (0..count).map(|i| of(i as f64)).chain(more.iter().copied()).collect()
    }

    #[test]
    fn any_values_far_from_all_others_are_found() {
        let warm = |i: f64| 4.0 + 11.0 * (i * 0.618).fract();
        let of = |more: &[f64]| outlying(&Cells::Numbers(with(100, warm, more)), &[]);
        for value in [0.0, -1.0, -9.0, 88.0, 99.99, -8888.0, 32_767.0, 65_535.0, -3.4e38, 1e30] {
            assert_eq!(of(&[value; 12]), [((value, value), 12)], "{value}");
        }
        let whole = |low: f64| with(300, move |i| low + (7.0 * i) % 80.0, &[0.0; 15]);
        let found = |low: f64| outlying(&Cells::Numbers(whole(low)), &[]);
        assert_eq!((found(80.0), found(20.0)), (vec![((0.0, 0.0), 15)], vec![]), "pressures, ages");
        assert_eq!(of(&[-999.0]), [((-999.0, -999.0), 1)]);
        assert_eq!(of(&[-999.0, -888.0, -999.0, -888.0]), [((-999.0, -888.0), 4)]);
        for ordinary in [&[][..], &[3.0; 12], &[0.0, 0.0], &[40.0], &[150.0]] {
            assert_eq!(of(ordinary), [], "{ordinary:?}");
        }
        // Where a column is no sample of its own, all cells are counted.
        let long = with(100_000, |i| (i * 0.618).fract(), &[1e9]);
        assert_eq!(outlying(&Cells::Numbers(long), &[]), [((1e9, 1e9), 1)]);
    }
}
