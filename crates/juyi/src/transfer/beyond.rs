//! Rows that lie outside of all that a model was fitted on.

use crate::context::Context;
use crate::data::Encoding;
use crate::error::{few, shown};
use crate::linalg::{Matrix, extent};
use crate::models::Model;

/// The least and the largest value of each column in all of these rows.
pub(super) fn ranges(rows: &[&Matrix]) -> Vec<(f64, f64)> {
    let of = |j: usize| extent(rows.iter().flat_map(|rows| rows.col_as_slice(j).iter().copied()));
    (0..rows.first().map_or(0, |rows| rows.ncols())).map(of).collect()
}

/// The ranges that hold both.
pub(super) fn joined(a: &[(f64, f64)], b: &[(f64, f64)]) -> Vec<(f64, f64)> {
    a.iter().zip(b).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1))).collect()
}

/// A column is named where a row leaves its range by more than half of the range's width, a tenth of the rows by more than
/// a tenth of the width, or half of the rows at all: new rows of the same kind leave it seldom and by little.
const BEYOND: [(f64, f64); 3] = [(0.5, 0.0), (0.1, 0.1), (0.0, 0.5)];

/// Fewest rows of which a share says something.
const FEWEST: usize = 3;

/// Rows from which on it is told that a column has one value in all of them.
const MANY: usize = 10;

/// By how much a value lies outside of a range.
fn distance(value: f64, (low, high): (f64, f64)) -> f64 {
    (low - value).max(value - high)
}

/// The values of a column that lie outside of its range, the farthest first; none where it is not to be named.
fn outside(column: &[f64], range: (f64, f64)) -> Vec<f64> {
    let by = |v: &f64| distance(*v, range);
    let named = BEYOND.iter().any(|(width, share)| {
        let out = column.iter().filter(|v| by(v) > width * (range.1 - range.0)).count();
        out >= if *share > 0.0 { FEWEST } else { 1 } && out as f64 >= share * column.len() as f64
    });
    let mut out: Vec<f64> = column.iter().copied().filter(|v| named && by(v) > 0.0).collect();
    out.sort_by(|a, b| by(b).total_cmp(&by(a)));
    out
}

/// Names the columns of which rows lie beyond all that a model was fitted on.
pub(super) fn beyond(
    model: &Model,
    encoding: &Encoding,
    features: &Matrix,
    table: &str,
    context: &mut Context,
) {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut missing = None;
    for (j, &range) in model.ranges.iter().enumerate() {
        let column = features.col_as_slice(j);
        let out = outside(column, range);
        let Some(farthest) = out.first().copied() else { continue };
        if out.len() > 1 && out.len() < column.len() && out.iter().all(|v| *v == farthest) {
            missing = Some(encoding.written(j, farthest));
        }
        let name = shown(encoding.column_of(j));
        let [low, high, here] = [range.0, range.1, farthest].map(|v| encoding.written(j, v));
        let (count, rows) = (out.len(), column.len());
        found.push((count, format!("`{name}` in {count} of {rows} rows ({low} to {high}; here {here})")));
    }
    let same = |(j, (low, high)): (usize, &(f64, f64))| {
        let column = features.col_as_slice(j);
        // A word that a batch of rows lacks is nothing odd, nor is a flag.
        let varies = low < high && (*low, *high) != (0.0, 1.0);
        let first = *column.first().filter(|_| column.len() >= MANY && varies)?;
        let alone = column.iter().all(|v| *v == first) && distance(first, (*low, *high)) <= 0.0;
        alone.then(|| format!("`{}` ({})", shown(encoding.column_of(j)), encoding.written(j, first)))
    };
    let same: Vec<String> = model.ranges.iter().enumerate().filter_map(same).collect();
    if !same.is_empty() && same.len() < model.ranges.len() {
        let text = format!(
            "`{table}`: all rows have one value in column {}; it differs where it was learnt from",
            few(&same)
        );
        context.note("data", text);
    }
    if found.is_empty() {
        return;
    }
    found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let found_most = found[0].0;
    let (all, most) = (found.len(), 5);
    let named: Vec<String> = found.into_iter().take(most).map(|(_, text)| text).collect();
    let more = if all > most { format!(" and {} columns more", all - most) } else { String::new() };
    let missing = missing.map_or(String::new(), |v| {
        format!(", or does {v} stand for a missing cell (`‹missing-values {v}›`)")
    });
    let many = found_most >= FEWEST && found_most as f64 >= BEYOND[1].1 * features.nrows() as f64;
    let asked = if many || !missing.is_empty() {
        format!("; is a column in another unit{missing}?")
    } else {
        String::new()
    };
    let text = format!(
        "`{table}`: beyond all rows that the model was fitted on lie {}{more}: there it guesses{asked}",
        named.join(", ")
    );
    context.warn("data", text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use rand_distr::StandardNormal;

    /// Columns of 200 rows that were learnt from and 80 new ones, drawn alike.
    #[test]
    fn new_rows_of_the_same_kind_are_left_in_peace() {
        let mut named = 0;
        for seed in 0..50 {
            let mut rng = Context::new(seed, u64::MAX).rng("rows");
            let mut draws: [Vec<f64>; 4] = Default::default();
            for _ in 0..280 {
                draws[0].push(rng.sample(StandardNormal));
                draws[1].push(rng.random());
                draws[2].push(rng.random::<f64>().powi(4));
                draws[3].push(f64::from(rng.random_range(0..6)));
            }
            for drawn in draws {
                let learnt = Matrix::from_fn(200, 1, |i, _| drawn[i]);
                let new = &drawn[200..];
                named += usize::from(!outside(new, ranges(&[&learnt])[0]).is_empty());
            }
        }
        assert_eq!(named, 0);
    }

    #[test]
    fn rows_far_outside_and_many_rows_outside_are_named_on_either_side() {
        let range = (4.0, 14.0);
        let rows = |inside: usize, out: usize, value: f64| {
            let mut rows = vec![9.0; inside];
            rows.extend(vec![value; out]);
            let mirrored: Vec<f64> = rows.iter().map(|v| 18.0 - v).collect();
            let counts = (outside(&rows, range).len(), outside(&mirrored, range).len());
            assert_eq!(counts.0, counts.1, "{inside} {out} {value}");
            counts.0
        };
        assert_eq!((rows(79, 1, -1.1), rows(79, 1, -0.9)), (1, 0), "one row");
        assert_eq!((rows(71, 9, 0.0), rows(72, 8, 2.9), rows(73, 7, 0.0), rows(72, 8, 3.1)), (9, 8, 0, 0));
        assert_eq!((rows(40, 40, 3.9), rows(41, 39, 3.9)), (40, 0));
        assert_eq!((rows(0, 2, 0.0), rows(0, 3, 0.0)), (0, 3), "a share of two rows says nothing");
    }
}
