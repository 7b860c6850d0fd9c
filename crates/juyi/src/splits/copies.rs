//! Rows that are copies of others: no split trains on one of them and tests the other.

use std::ops::Range;

use faer::MatRef;

use crate::linalg::{column_deviations, column_means};

/// Two rows are copies where every column differs by less than this share of its deviation: that of the middle half of the rows,
/// where these differ, so that no single value makes all others alike; the least among the parts.
const NEAR: f64 = 0.01;

/// Copies are believed in where there are so many times more pairs than columns that vary independently would have.
const BEYOND_CHANCE: f64 = 10.0;

/// The fewest different rows that are worth keeping together: of fewer, values repeat because there are few.
const FEWEST: usize = 30;

/// Columns that vary from which on copies are believed in however few rows there are: no chance repeats so many values.
const MANY_COLUMNS: usize = 100;

/// Columns that chance is reckoned from; more would only make it smaller.
const COLUMNS: usize = 20;

/// For each row the first row that it is a copy of, itself where there is none. Rows are exact or near copies of each
/// other; where so many alike are no more than chance brings about, as in a table of a few whole numbers, there are none.
///
/// Cost: `O(n²)` comparisons, nearly all of one cell.
pub fn copies(rows: MatRef<'_, f64>) -> Vec<usize> {
    copies_of_parts(rows, std::slice::from_ref(&(0..rows.nrows())))
}

/// The same of rows from several origins, which may be of different scale.
pub fn copies_of_parts(rows: MatRef<'_, f64>, parts: &[Range<usize>]) -> Vec<usize> {
    let (n, d) = rows.shape();
    let alone: Vec<usize> = (0..n).collect();
    let deviations = column_deviations(rows, &column_means(rows));
    let near: Vec<f64> = (0..d)
        .map(|j| {
            let of_middle = parts.iter().map(|part| middle(rows, j, part)).filter(|v| *v > 0.0);
            NEAR * of_middle.fold(deviations[j], f64::min)
        })
        .collect();
    let varies: Vec<usize> = (0..d).filter(|&j| near[j] > 0.0).collect();
    let alike = |a: usize, b: usize, j: usize| (rows[(a, j)] - rows[(b, j)]).abs() <= near[j];
    // Sorted by the column that tells rows apart best, only neighbours need be looked at.
    let chance = |j: usize| {
        // Far from each other and at no regular distance, where copies may stand.
        let other = |i: usize, k: usize| (i * 7919 + k * 104_729 + i * i % 13) % n;
        let pairs = (0..n).flat_map(|i| (1..=4).map(move |k| (i, other(i, k)))).filter(|(a, b)| a != b);
        let (all, same) =
            pairs.fold((0, 0), |(all, same), (a, b)| (all + 1, same + usize::from(alike(a, b, j))));
        same as f64 / f64::max(f64::from(all), 1.0)
    };
    let looked_at = varies.len().min(COLUMNS);
    let columns: Vec<usize> = (0..looked_at).map(|k| varies[k * varies.len() / looked_at]).collect();
    let chances: Vec<f64> = columns.iter().map(|&j| chance(j)).collect();
    let Some(best) = (0..columns.len()).min_by(|&a, &b| chances[a].total_cmp(&chances[b])) else {
        return alone;
    };
    let by = columns[best];
    let mut order = alone.clone();
    order.sort_by(|&a, &b| rows[(a, by)].total_cmp(&rows[(b, by)]).then(a.cmp(&b)));
    let (mut leaders, mut pairs) = (alone.clone(), 0usize);
    for (at, &a) in order.iter().enumerate() {
        for &b in order[at + 1..].iter().take_while(|&&b| alike(a, b, by)) {
            if varies.iter().all(|&j| alike(a, b, j)) {
                pairs += 1;
                let (a, b) = (leader(&leaders, a), leader(&leaders, b));
                leaders[a.max(b)] = a.min(b);
            }
        }
    }
    let expected = chances.iter().product::<f64>() * (n * n.saturating_sub(1) / 2) as f64;
    for i in 0..n {
        leaders[i] = leader(&leaders, i);
    }
    let different = (0..n).filter(|&i| leaders[i] == i).count();
    let few = different < FEWEST && varies.len() < MANY_COLUMNS;
    if few || pairs as f64 <= BEYOND_CHANCE * expected { alone } else { leaders }
}

/// The deviation that the middle half of some rows has in a column, were it normal.
fn middle(rows: MatRef<'_, f64>, column: usize, part: &Range<usize>) -> f64 {
    let mut values: Vec<f64> = part.clone().map(|i| rows[(i, column)]).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values.get(values.len() * share / 4).copied().unwrap_or(0.0);
    (at(3) - at(1)) / 1.349
}

fn leader(leaders: &[usize], mut i: usize) -> usize {
    while leaders[i] != i {
        i = leaders[i];
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::linalg::Matrix;
    use rand::Rng;

    fn drawn(n: usize, d: usize, value: impl Fn(f64) -> f64) -> Matrix {
        let mut rng = Context::default().rng("rows");
        Matrix::from_fn(n, d, |_, _| value(rng.random()))
    }

    #[test]
    fn exact_and_near_copies_share_a_leader() {
        let rows = drawn(40, 3, |v| v);
        let thrice = Matrix::from_fn(120, 3, |i, j| rows[(i % 40, j)] + 1e-4 * f64::from((i / 40) as u8));
        assert_eq!(copies(thrice.as_ref()), (0..120).map(|i| i % 40).collect::<Vec<_>>());
        assert_eq!(copies(rows.as_ref()), (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn one_value_far_off_and_other_units_make_no_copies() {
        let mut rows = drawn(120, 3, |v| v);
        rows.row_mut(0).iter_mut().for_each(|v| *v = 1e4);
        assert_eq!(copies(rows.as_ref()), (0..120).collect::<Vec<_>>());
        let scaled = Matrix::from_fn(120, 3, |i, j| rows[(i, j)] * if i < 60 { 1.0 } else { 1000.0 });
        assert_eq!(copies_of_parts(scaled.as_ref(), &[0..60, 60..120]), (0..120).collect::<Vec<_>>());
    }

    #[test]
    fn a_dozen_rows_of_many_columns_are_enough() {
        let wide = drawn(12, 128, |v| v);
        let twice = Matrix::from_fn(18, 128, |i, j| wide[(i % 12, j)]);
        assert_eq!(copies(twice.as_ref()), (0..18).map(|i| i % 12).collect::<Vec<_>>());
        let narrow = Matrix::from_fn(18, 4, |i, j| wide[(i % 12, j)]);
        assert_eq!(copies(narrow.as_ref()), (0..18).collect::<Vec<_>>());
    }

    #[test]
    fn values_that_repeat_by_chance_are_no_copies() {
        let all: Vec<usize> = (0..300).collect();
        assert_eq!(copies(drawn(300, 1, |v| v).as_ref()), all); // near ones, on a line
        assert_eq!(copies(drawn(300, 3, |v| (4.0 * v).floor()).as_ref()), all); // 64 cells
        assert_eq!(copies(drawn(300, 2, |v| (2.0 * v).floor()).as_ref()), all); // 4 cells
        assert_eq!(copies(Matrix::zeros(300, 2).as_ref()), all);
        assert!(copies(Matrix::zeros(0, 2).as_ref()).is_empty());
    }
}
