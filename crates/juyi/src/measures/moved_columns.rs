//! Which columns differ between source and target, one by one.
//!
//! Numbers: the two-sample test of Kolmogorov and Smirnov, the p-value from the limiting distribution with the
//! correction of M. Stephens, "Use of the Kolmogorov-Smirnov, Cramér-von Mises and related statistics without extensive
//! tables", JRSS B 1970. Text: Pearson's chi-square test of the table of counts, and the total variation distance of
//! the shares. P-values are multiplied up for the number of columns (S. Holm, "A simple sequentially rejective multiple
//! test procedure", 1979): the chance that any column that did not move is called moved stays below the level.
//! Where cells are missing, their shares are compared by Pearson's test too, and the smaller p-value counts twice.
//!
//! Cost: `O(n log n)` a column.

use std::collections::BTreeMap;

use rayon::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::MovedColumn;
use crate::data::Cells;

/// Compares columns given as name, source cells (of one source or several) and target cells: those that are filled, and
/// how many are missing. The column that moved most comes first.
pub fn moved_columns(columns: &[(&str, Vec<&Cells>, &Cells)]) -> Vec<MovedColumn> {
    let mut moved: Vec<MovedColumn> =
        columns.par_iter().map(|(name, source, target)| compare(name, source, target)).collect();
    holm(&mut moved);
    moved.sort_by(|a, b| b.distance.total_cmp(&a.distance));
    moved
}

fn compare(name: &str, source: &[&Cells], target: &Cells) -> MovedColumn {
    let all_numbers = source.iter().chain([&target]).all(|cells| matches!(cells, Cells::Numbers(_)));
    let missing = [missing(source), missing(&[target])];
    let (test, (distance, p_value), in_source, in_target) = if all_numbers {
        let sorted = |cells: &[&Cells]| {
            let mut values: Vec<f64> = cells.iter().flat_map(|cells| numbers(cells)).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let (x, y) = (sorted(source), sorted(&[target]));
        ("KS", kolmogorov_smirnov(&x, &y), spread(&x), spread(&y))
    } else {
        let (x, y) = (counts(source), counts(&[target]));
        ("chi-square", chi_square(&x, &y), most_frequent(&x), most_frequent(&y))
    };
    let counts = |[missing, filled]: [f64; 2]| {
        BTreeMap::from([("missing".to_string(), missing), ("filled".to_string(), filled)])
    };
    let [source, target] = missing.map(|[missing, filled]| missing / (missing + filled).max(1.0));
    let (distance, p_value) = if source + target > 0.0 {
        let (jump, p_of_jump) = chi_square(&counts(missing[0]), &counts(missing[1]));
        (distance.max(jump), (2.0 * p_value.min(p_of_jump)).min(1.0))
    } else {
        (distance, p_value)
    };
    let words = |cells: String, share: f64| match share {
        0.0 => cells,
        share => format!("{cells}, {} missing", percent(share)),
    };
    MovedColumn {
        column: name.into(),
        test: test.into(),
        distance,
        missing: (source, target),
        p_value,
        source: words(in_source, source),
        target: words(in_target, target),
    }
}

/// Numbers of missing and of filled cells.
fn missing(cells: &[&Cells]) -> [f64; 2] {
    let sum = |of: fn(&Cells) -> usize| cells.iter().map(|cells| of(cells)).sum::<usize>();
    let (all, filled) = (sum(Cells::len), sum(Cells::filled));
    [(all - filled) as f64, filled as f64]
}

/// A share above 0 in whole percent.
fn percent(share: f64) -> String {
    if share < 0.01 { "under 1 %".into() } else { format!("{:.0} %", 100.0 * share) }
}

fn numbers(cells: &Cells) -> Vec<f64> {
    match cells {
        Cells::Numbers(values) => values.iter().copied().filter(|v| !v.is_nan()).collect(),
        Cells::Text { .. } => Vec::new(),
    }
}

fn counts(cells: &[&Cells]) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    for cells in cells {
        for value in (0..cells.len()).filter_map(|row| cells.text(row)) {
            *counts.entry(value).or_insert(0.0) += 1.0;
        }
    }
    counts
}

/// The largest difference of the distribution functions of two sorted samples, and its p-value; 0 and 1 if one of them
/// is empty.
pub(crate) fn kolmogorov_smirnov(x: &[f64], y: &[f64]) -> (f64, f64) {
    if x.is_empty() || y.is_empty() {
        return (0.0, 1.0);
    }
    let (n, m) = (x.len() as f64, y.len() as f64);
    let (mut i, mut j, mut most) = (0, 0, 0.0f64);
    while i < x.len() && j < y.len() {
        let value = x[i].min(y[j]);
        i += x[i..].iter().take_while(|v| **v <= value).count();
        j += y[j..].iter().take_while(|v| **v <= value).count();
        most = most.max((i as f64 / n - j as f64 / m).abs());
    }
    let root = (n * m / (n + m)).sqrt();
    (most, kolmogorov((root + 0.12 + 0.11 / root) * most))
}

/// `P(K > t) = 2 Σ_k (-1)^(k - 1) exp(-2 k² t²)`.
fn kolmogorov(t: f64) -> f64 {
    if t < 0.2 {
        return 1.0; // 1 - 1e-12, and the sum converges slowly
    }
    let term = |k: i32| {
        let k = f64::from(k);
        (-2.0 * k * k * t * t).exp()
    };
    let sum: f64 = (1..=100).map(|k| if k % 2 == 1 { term(k) } else { -term(k) }).sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

/// The total variation distance of the shares of values, and the p-value of the chi-square test.
fn chi_square(x: &BTreeMap<String, f64>, y: &BTreeMap<String, f64>) -> (f64, f64) {
    let mut values: Vec<&String> = x.keys().chain(y.keys()).collect();
    values.sort();
    values.dedup();
    let count = |of: &BTreeMap<String, f64>, value: &String| of.get(value).copied().unwrap_or(0.0);
    chi_square_of_counts(&values.iter().map(|value| (count(x, value), count(y, value))).collect::<Vec<_>>())
}

/// The same for counts on both sides, a pair for each value that occurs on one of them.
pub(super) fn chi_square_of_counts(counts: &[(f64, f64)]) -> (f64, f64) {
    let (n, m) = counts.iter().fold((0.0, 0.0), |(n, m), (a, b)| (n + a, m + b));
    if n == 0.0 || m == 0.0 || counts.len() < 2 {
        return (0.0, 1.0);
    }
    let (mut statistic, mut variation) = (0.0, 0.0);
    for (a, b) in counts {
        for (count, total) in [(a, n), (b, m)] {
            let expected = (a + b) * total / (n + m);
            statistic += (count - expected).powi(2) / expected;
        }
        variation += 0.5 * (a / n - b / m).abs();
    }
    let free = (counts.len() - 1) as f64;
    let p_value = ChiSquared::new(free).map_or(1.0, |distribution| distribution.sf(statistic));
    (variation, p_value)
}

/// The smallest p-value times the number of columns, the next times one less, and so on; never falling, at most 1.
fn holm(moved: &mut [MovedColumn]) {
    let mut order: Vec<usize> = (0..moved.len()).collect();
    order.sort_by(|&a, &b| moved[a].p_value.total_cmp(&moved[b].p_value));
    let mut least = 0.0f64;
    for (k, &i) in order.iter().enumerate() {
        least = least.max((moved[i].p_value * (order.len() - k) as f64).min(1.0));
        moved[i].p_value = least;
    }
}

fn spread(sorted: &[f64]) -> String {
    if sorted.is_empty() {
        return "empty".into();
    }
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let deviation = (sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    format!("{} ± {}", short(mean), short(deviation))
}

fn most_frequent(counts: &BTreeMap<String, f64>) -> String {
    let total: f64 = counts.values().sum();
    let most = counts.iter().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)));
    most.map_or("empty".into(), |(value, count)| format!("`{value}` {:.0} %", 100.0 * count / total))
}

/// Four significant digits.
fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 1e5 || (size < 1e-3 && size > 0.0) {
        return format!("{value:.3e}");
    }
    let before = if size >= 1.0 { size.log10().floor() as usize + 1 } else { 0 };
    format!("{value:.*}", 4usize.saturating_sub(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_by_hand() {
        // Distribution functions differ most at 2: 2/3 against 0.
        let (distance, _) = kolmogorov_smirnov(&[1.0, 2.0, 3.0], &[3.0, 4.0]);
        assert!((distance - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(kolmogorov_smirnov(&[], &[1.0]), (0.0, 1.0));
        assert!((kolmogorov(1.0) - 0.269_999_671_677_354_5).abs() < 1e-12);
        let count = |pairs: &[(&str, f64)]| pairs.iter().map(|(v, n)| ((*v).to_string(), *n)).collect();
        // 10, 10 against 5, 15: expected 7.5 and 12.5, chi-square 2 (2.5²/7.5 + 2.5²/12.5) = 8/3.
        let (distance, p) =
            chi_square(&count(&[("a", 10.0), ("b", 10.0)]), &count(&[("a", 5.0), ("b", 15.0)]));
        assert!((distance - 0.25).abs() < 1e-15);
        assert!((p - 0.102_470_434_859_749_4).abs() < 1e-12, "{p}");
    }

    #[test]
    fn cells_that_are_missing_move_a_column() {
        // The same values on both sides; 10 of 20 cells are missing in the target. Expected 5 and 15 a side: chi-square
        // 2 (25/5 + 25/15) = 40/3.
        let filled: Vec<f64> = (0..10).map(f64::from).collect();
        let source = Cells::Numbers([&filled[..], &filled].concat());
        let target = Cells::Numbers([&filled[..], &[f64::NAN; 10]].concat());
        let moved = &moved_columns(&[("a", vec![&source], &target)])[0];
        assert_eq!((moved.missing, moved.distance), ((0.0, 0.5), 0.5));
        assert!(
            (moved.p_value - 2.0 * 0.000_260_729_632_855).abs() < 1e-12 && moved.moved(),
            "{}",
            moved.p_value
        );
        assert_eq!(
            (moved.source.as_str(), moved.target.as_str()),
            ("4.500 ± 2.872", "4.500 ± 2.872, 50 % missing")
        );
        let text = |filled: usize| Cells::from_text((0..20).map(|i| (i < filled).then(|| "x".to_string())));
        let (whole, half) = (text(20), text(10));
        let moved = &moved_columns(&[("a", vec![&whole], &half)])[0];
        assert_eq!((moved.missing, moved.distance, moved.moved()), ((0.0, 0.5), 0.5, true));
    }

    #[test]
    fn p_values_are_corrected_for_their_number() {
        let column = |p_value: f64| MovedColumn {
            column: String::new(),
            test: String::new(),
            distance: 0.0,
            missing: (0.0, 0.0),
            p_value,
            source: String::new(),
            target: String::new(),
        };
        let mut all: Vec<MovedColumn> = [0.01, 0.04, 0.03, 0.9].map(column).to_vec();
        holm(&mut all);
        let p: Vec<f64> = all.iter().map(|c| c.p_value).collect();
        assert_eq!(p, [0.04, 0.09, 0.09, 0.9]);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            (short(0.0), short(2.34567), short(1234.6)),
            ("0.0000".into(), "2.346".into(), "1235".into())
        );
        assert_eq!((short(-0.01234), short(1e-7)), ("-0.0123".into(), "1.000e-7".into()));
    }
}
