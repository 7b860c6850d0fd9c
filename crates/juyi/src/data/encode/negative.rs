//! Negative numbers that stand for a missing cell in a column that has no other number below zero.

use crate::data::cells::Cells;

/// Numbers that people write for a missing cell, below zero.
const NEGATIVE: [f64; 18] = [
    -1.0, -7.0, -8.0, -9.0, -77.0, -88.0, -98.0, -99.0, -99.9, -99.99, -777.0, -888.0, -998.0, -999.0,
    -999.9, -8888.0, -9999.0, -99_999.0,
];

/// From here on downwards they are hardly anything else, and one cell tells from there on.
const TELLING: f64 = -77.0;
const ALONE: f64 = -999.0;

/// Fewest other values, and fewest different ones among them, that tell where a column lies.
const OTHERS: usize = 20;
const DIFFERENT: usize = 10;

/// How many times the steps between the others they lie away from these, where values repeat.
const STEPS: f64 = 5.0;

/// Those numbers, each with how often it occurs in all tables together.
pub(super) fn negative(cells: &[&Cells]) -> Vec<(f64, usize)> {
    let numbers = || cells.iter().flat_map(|cells| cells.numbers());
    let mut counts = [0; NEGATIVE.len()];
    for v in numbers().filter(|v| *v < 0.0) {
        match NEGATIVE.iter().position(|known| *known == v) {
            Some(k) => counts[k] += 1,
            None => return Vec::new(),
        }
    }
    let found: Vec<(f64, usize)> = NEGATIVE.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    if found.is_empty() || found.iter().any(|(value, count)| *count == 1 && *value > ALONE) {
        return Vec::new(); // one among others below zero
    }
    let mut others: Vec<f64> = numbers().filter(|v| *v >= 0.0).collect();
    others.sort_by(f64::total_cmp);
    let count = others.len();
    others.dedup();
    let different = others.len();
    if count < OTHERS || different < DIFFERENT {
        return Vec::new();
    }
    let step = (others[different - 1] - others[0]) / (different - 1) as f64;
    let first = others[..DIFFERENT].windows(2).fold(0.0, |most: f64, pair| most.max(pair[1] - pair[0]));
    let far = |value: f64| {
        let away = others[0] - value;
        different as f64 >= 0.9 * count as f64 || (away >= STEPS * step && away > first)
    };
    found.into_iter().filter(|(value, _)| *value <= TELLING || far(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(count: usize, of: impl Fn(f64) -> f64, more: &[f64]) -> Vec<(f64, usize)> {
        let numbers: Vec<f64> = (0..count).map(|i| of(i as f64)).chain(more.iter().copied()).collect();
        let (source, target) = numbers.split_at(numbers.len() / 2);
        let cells = [source, target].map(|v| Cells::Numbers(v.to_vec()));
        negative(&cells.each_ref())
    }

    #[test]
    fn known_numbers_below_zero_are_found_among_positive_ones() {
        let age = |i: f64| 18.0 + (i * 7.0) % 60.0;
        let income = |i: f64| (20_000.0 * (1.0 + (i * 0.618).fract()).powi(3)).round();
        let weight = |i: f64| 400.0 + 2000.0 * (i * 0.618).fract();
        for value in [-1.0, -9.0, -99.0, -999.0, -9999.0] {
            assert_eq!(found(100, age, &[value; 3]), [(value, 3)], "{value}");
            assert_eq!(found(100, income, &[value; 2]), [(value, 2)], "{value}");
            assert_eq!(found(100, weight, &[value; 2]), [(value, 2)], "{value}");
        }
        assert_eq!(found(100, weight, &[-999.0]), [(-999.0, 1)]);
        assert_eq!(found(100, age, &[-1.0, -1.0, -9.0, -9.0]), [(-1.0, 2), (-9.0, 2)]);
        assert_eq!(found(100, |i| (i - 40.0).max(0.0), &[-99.0; 4]), [(-99.0, 4)], "often zero");
    }

    #[test]
    fn ordinary_numbers_below_zero_are_not() {
        let degrees = |i: f64| (i * 7.0) % 25.0;
        for (of, more) in [
            (degrees as fn(f64) -> f64, &[-1.0, -1.0][..]),
            (degrees, &[-1.0, -1.0, -2.0]),
            (degrees, &[-9.0, -9.0, -1.0]),
            (|i| i % 2.0, &[-1.0; 30]),
            (|i| i % 3.0, &[-1.0; 30]),
            (|i| i % 6.0, &[-1.0; 30]),
            (|i| 50.0 * (i * 0.7).sin(), &[-9.0, -9.0]),
            (|i| 1.0 + i, &[-1.0]),
        ] {
            assert_eq!(found(80, of, more), [], "{more:?}");
        }
        assert_eq!(found(8, |i| 20.0 + i, &[-1.0, -1.0]), [], "few");
    }
}
