//! Columns that seem to be in one unit in the source and in another in the target.

use std::collections::HashSet;

use crate::context::Context;
use crate::data::Encoding;
use crate::error::{few, shown};
use crate::linalg::{Matrix, extent};
use crate::measures::{MovedColumn, kolmogorov_smirnov};
use crate::models::Map;

/// How many of one unit another is: powers of ten, seconds and minutes, pounds and kilograms, feet and metres, inches and
/// centimetres. Each with the largest difference of the distribution functions that may be left in one unit: small factors
/// may be a plain difference.
const FACTORS: [(f64, f64); 10] = [
    (10.0, 0.2),
    (100.0, 0.4),
    (1e3, 0.4),
    (1e6, 0.4),
    (1e9, 0.4),
    (60.0, 0.3),
    (3600.0, 0.4),
    (2.2046, 0.15),
    (3.2808, 0.15),
    (2.54, 0.15),
];

/// How far columns must lie apart before they are looked at.
const APART: f64 = 0.5;

/// Fewest rows a side that have a distribution to compare.
const FEWEST: usize = 10;

/// The known factor by which the second sample is larger or the first is, where that makes them alike.
fn factor(source: &[f64], target: &[f64]) -> Option<(f64, bool)> {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (x, y) = (sorted(source), sorted(target));
    let larger = y[y.len() / 2].abs() > x[x.len() / 2].abs();
    let (large, small) = if larger { (&y, &x) } else { (&x, &y) };
    let left = |factor: f64| {
        let scaled: Vec<f64> = large.iter().map(|v| v / factor).collect();
        kolmogorov_smirnov(&scaled, small).0
    };
    let found = FACTORS.iter().map(|(factor, most)| (*factor, left(*factor), *most));
    let best = found.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (best.1 <= best.2).then_some((best.0, larger))
}

/// Names columns of numbers that are alike in source and target but for the unit.
pub(super) fn units(
    source: &Matrix,
    target: &Matrix,
    encoding: &Encoding,
    moved: &[MovedColumn],
    context: &mut Context,
) {
    if source.nrows() < FEWEST || target.nrows() < FEWEST {
        return;
    }
    let apart = |column: &&MovedColumn| column.test == "KS" && column.moved() && column.distance >= APART;
    let apart: HashSet<&str> = moved.iter().filter(apart).map(|column| column.column.as_str()).collect();
    for (j, name) in encoding.columns_of_features().enumerate().filter(|(_, name)| apart.contains(name)) {
        if let Some((factor, larger)) = factor(source.col_as_slice(j), target.col_as_slice(j)) {
            let (large, small) = if larger { ("target", "source") } else { ("source", "target") };
            let text = format!(
                "column `{}` is about {factor} times as large in the {large} as in the {small}: is the unit another?",
                shown(name)
            );
            context.warn("data", text);
        }
    }
}

/// How well predictions fit labels in another unit that are told of, by R²: for large factors, and for those below ten, which
/// may be a plain difference.
const FITS: (f64, f64) = (0.3, 0.7);

/// The known factor by which labels are larger than what is predicted, or smaller, where they fit it then and do not as
/// they are.
pub(super) fn label_unit(labels: &[f64], said: &[f64]) -> Option<(f64, bool)> {
    let fit = |by: f64| {
        let mean = labels.iter().sum::<f64>() / labels.len() as f64;
        let squares = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            labels.iter().zip(said).map(|(label, said)| of(*label, *said).powi(2)).sum()
        };
        let around = squares(&|label, _| (label - mean) / by);
        if around > 0.0 {
            1.0 - squares(&|label, said| label / by - said) / around
        } else {
            f64::NEG_INFINITY
        }
    };
    if labels.len() < FEWEST || fit(1.0) >= 0.0 {
        return None;
    }
    let either = FACTORS.iter().flat_map(|(factor, _)| [(*factor, true), (*factor, false)]);
    let by = |(factor, larger): (f64, bool)| if larger { factor } else { 1.0 / factor };
    let best = either.max_by(|a, b| fit(by(*a)).total_cmp(&fit(by(*b))))?;
    (fit(by(best)) >= if best.0 < 10.0 { FITS.1 } else { FITS.0 }).then_some(best)
}

/// How far mean and deviation of a standardised column may be from 0 and 1: it may be so by other rows.
const ABOUT: f64 = 0.25;

/// By how much the deviation of a scaled column differs from that of what it is compared with.
const OTHER: f64 = 1.5;

/// How a column seems to have been scaled, which had this deviation where it was learnt from: to mean 0 and deviation 1, or
/// to 0 to 1.
fn scaled(values: &[f64], learnt: f64) -> Option<&'static str> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let (low, high) = extent(values.iter().copied());
    let differs = deviation.max(learnt) > OTHER * deviation.min(learnt);
    if !differs || values.iter().all(|v| v.fract() == 0.0) {
        None
    } else if mean.abs() < ABOUT && (deviation - 1.0).abs() < ABOUT {
        Some("mean 0 and deviation 1")
    } else if low == 0.0 && high == 1.0 && learnt > 1.0 {
        Some("0 to 1")
    } else {
        None
    }
}

/// Names columns of a table that seem to have been scaled, and were not where they were learnt from, by what
/// standardises them there.
pub(super) fn scales(
    learnt: Option<&Map>,
    features: &Matrix,
    encoding: &Encoding,
    table: &str,
    context: &mut Context,
) {
    let Some(Map::Affine { scale, .. }) = learnt.filter(|_| features.nrows() >= FEWEST) else { return };
    let mut found: Vec<(&str, Vec<String>)> = Vec::new();
    for ((j, name), scale) in encoding.columns_of_features().enumerate().zip(scale.row(0).iter()) {
        let column = features.col_as_slice(j);
        let Some(to) = scaled(column, 1.0 / scale).filter(|_| *scale > 0.0) else { continue };
        let (low, high) = extent(column.iter().copied());
        let [low, high] = [low, high].map(|v| encoding.written(j, v));
        let text = format!("`{}` (here {low} to {high}; its deviation was {:.3})", shown(name), 1.0 / scale);
        match found.iter_mut().find(|(known, _)| *known == to) {
            Some((_, columns)) => columns.push(text),
            None => found.push((to, vec![text])),
        }
    }
    for (to, columns) in found {
        let (column, are) = if columns.len() == 1 { ("column", "is") } else { ("columns", "are") };
        let text = format!(
            "`{table}`: {column} {} {are} as if scaled to {to}, and not so where learnt from: give the values as they were \
             before scaling",
            few(&columns)
        );
        context.warn("data", text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_columns_are_told_from_others() {
        let plain: Vec<f64> = (0..60).map(|i| 4.0 + 0.1 * f64::from(i * 7 % 60)).collect();
        let mean = plain.iter().sum::<f64>() / 60.0;
        let deviation = (plain.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 60.0).sqrt();
        let by = |less: f64, by: f64| plain.iter().map(|v| (v - less) / by).collect::<Vec<f64>>();
        for (less, width) in [(mean, deviation), (mean - 0.3, 1.1 * deviation)] {
            assert_eq!(scaled(&by(less, width), deviation), Some("mean 0 and deviation 1"));
            assert_eq!(scaled(&by(less, width), 1.2), None, "it was standardised there too");
        }
        assert_eq!(scaled(&by(4.0, 5.9), deviation), Some("0 to 1"));
        assert_eq!(scaled(&by(4.0, 5.9), 0.6), None, "shares");
        for (less, width) in [(0.0, 1.0), (mean, 1.0), (4.0, 5.0), (0.0, deviation), (mean, 2.0 * deviation)]
        {
            assert_eq!(scaled(&by(less, width), deviation), None, "{less} {width}");
        }
        let counts: Vec<f64> = (0..60).map(|i| f64::from(i % 3) - 1.0).collect();
        assert_eq!(scaled(&counts, 3.0), None);
    }

    #[test]
    fn labels_in_another_unit_are_told_from_poor_predictions() {
        let said: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 40) + 10.0).collect();
        let labels = |by: f64, more: f64, noise: f64| -> Vec<f64> {
            said.iter().enumerate().map(|(i, v)| by * (v + noise * (i as f64 * 2.4).sin()) + more).collect()
        };
        assert_eq!(label_unit(&labels(100.0, 0.0, 5.0), &said), Some((100.0, true)));
        assert_eq!(label_unit(&labels(0.01, 0.0, 5.0), &said), Some((100.0, false)));
        assert_eq!(label_unit(&labels(2.54, 0.0, 1.0), &said), Some((2.54, true)));
        for (by, more, noise) in
            [(1.0, 0.0, 5.0), (1.0, 300.0, 1.0), (-1.0, 0.0, 1.0), (1.0, 0.0, 300.0), (5.0, 0.0, 1.0)]
        {
            assert_eq!(label_unit(&labels(by, more, noise), &said), None, "{by} {more} {noise}");
        }
    }

    #[test]
    fn another_unit_is_told_from_a_plain_difference() {
        let metres: Vec<f64> = (0..60).map(|i| 1.5 + 0.01 * f64::from(i * 7 % 60)).collect();
        let of = |by: f64, more: f64| metres.iter().map(|v| v * by + more).collect::<Vec<f64>>();
        for known in [10.0, 100.0, 1e3, 1e6, 60.0, 2.2046, 3.2808, 2.54] {
            assert_eq!(factor(&metres, &of(known, 0.0)), Some((known, true)));
            assert_eq!(factor(&of(known, 0.0), &metres), Some((known, false)));
        }
        assert_eq!(factor(&metres, &of(1e3, 60.0)), Some((1e3, true)), "moved a little as well");
        for (by, more) in [(1.0, 1.0), (5.0, 0.0), (1.0, 13.0), (1e3, 900.0), (-1.0, 0.0), (0.0, 0.0)] {
            assert_eq!(factor(&metres, &of(by, more)), None, "{by} {more}");
        }
    }
}
