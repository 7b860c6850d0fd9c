//! The rows nearest to a query, block by block as the [distances](super::distance).

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use super::distance::{TALL, squared_norms};
use super::{BLOCK, padded_rows, vectorized};

/// The least of the squared distances `row_norm + product + query_norm`, never below 0, and where it first stands.
/// `products` are `-2 r·q`.
#[inline(always)]
fn least(products: &[f64], row_norms: &[f64], query_norm: f64) -> (f64, usize) {
    let mut lanes = [f64::INFINITY; 8];
    let blocks = products.chunks_exact(8).zip(row_norms.chunks_exact(8));
    for (products, norms) in blocks {
        for k in 0..8 {
            let v = norms[k] + products[k];
            lanes[k] = if v < lanes[k] { v } else { lanes[k] };
        }
    }
    let rest = products.len() / 8 * 8;
    let left = products[rest..].iter().zip(&row_norms[rest..]).map(|(product, norm)| norm + product);
    let least = lanes.into_iter().chain(left).fold(f64::INFINITY, f64::min);
    let least = (least + query_norm).max(0.0);
    let mut all = products.iter().zip(row_norms).map(|(product, norm)| norm + product + query_norm);
    (least, all.position(|v| v <= least).unwrap_or(0))
}

/// The closest row to a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Its number; the lowest wins a tie.
    pub row: usize,
    /// Its squared distance.
    pub squared_distance: f64,
}

/// For each query the closest of the rows in each of `groups` groups, `group[i]` being the group of row `i`; `None`
/// where a group has no row. One group finds the nearest row of all.
///
/// A query's answer has the same bits whatever queries come with it.
pub fn nearest(
    queries: MatRef<'_, f64>,
    rows: MatRef<'_, f64>,
    group: &[usize],
    groups: usize,
) -> Vec<Vec<Option<Nearest>>> {
    // The rows of a group stand together, so that its least distance is found in one sweep.
    let mut order: Vec<usize> = (0..rows.nrows()).collect();
    order.sort_by_key(|&row| group[row]);
    let bounds: Vec<usize> = (0..=groups).map(|g| order.partition_point(|&row| group[row] < g)).collect();
    let together = (!order.is_sorted()).then(|| super::select_rows(rows, &order));
    let rows = together.as_ref().map_or(rows, Mat::as_ref);
    let row_norms = squared_norms(rows);
    let starts: Vec<usize> = (0..queries.nrows()).step_by(BLOCK).collect();
    let products = || Mat::zeros(TALL.min(rows.nrows()), BLOCK);
    let blocks: Vec<Vec<Vec<Option<Nearest>>>> = starts
        .par_iter()
        .map_init(products, |products, &first| {
            let count = BLOCK.min(queries.nrows() - first);
            let block = padded_rows(queries, first, count, BLOCK);
            let norms = squared_norms(block.as_ref());
            let mut best = vec![vec![(f64::INFINITY, 0); groups]; count];
            for top in (0..rows.nrows()).step_by(TALL) {
                let end = rows.nrows().min(top + TALL);
                let (out, part) = (products.get_mut(..end - top, ..), rows.get(top..end, ..));
                matmul(out, Accum::Replace, part, block.transpose(), -2.0, Par::Seq);
                vectorized(|| {
                    for (j, best) in best.iter_mut().enumerate() {
                        let column = products.col_as_slice(j);
                        for (g, held) in best.iter_mut().enumerate() {
                            let (from, to) = (bounds[g].max(top), bounds[g + 1].min(end));
                            if from < to {
                                let (distance, i) =
                                    least(&column[from - top..to - top], &row_norms[from..to], norms[j]);
                                if distance < held.0 {
                                    *held = (distance, order[from + i]);
                                }
                            }
                        }
                    }
                });
            }
            let found = |&(squared_distance, row): &(f64, usize)| {
                squared_distance.is_finite().then_some(Nearest { row, squared_distance })
            };
            best.iter().map(|groups| groups.iter().map(found).collect()).collect()
        })
        .collect();
    blocks.into_iter().flatten().collect()
}

/// For each query the `k` closest of the rows in the order of distance, the lowest number first among equals; fewer
/// where there are no more at a finite distance.
///
/// A query's answer has the same bits whatever queries come with it.
pub fn nearest_several(queries: MatRef<'_, f64>, rows: MatRef<'_, f64>, k: usize) -> Vec<Vec<Nearest>> {
    let closer =
        |a: &Nearest, b: &Nearest| a.squared_distance.total_cmp(&b.squared_distance).then(a.row.cmp(&b.row));
    let row_norms = squared_norms(rows);
    let starts: Vec<usize> = (0..queries.nrows()).step_by(BLOCK).collect();
    let block = |&first: &usize| {
        let count = BLOCK.min(queries.nrows() - first);
        let block = padded_rows(queries, first, count, BLOCK);
        let norms = squared_norms(block.as_ref());
        let mut held: Vec<(Vec<Nearest>, f64)> = vec![(Vec::new(), f64::INFINITY); count];
        let mut products = Mat::zeros(TALL.min(rows.nrows()), BLOCK);
        for top in (0..rows.nrows()).step_by(TALL) {
            let end = rows.nrows().min(top + TALL);
            let (out, part) = (products.get_mut(..end - top, ..), rows.get(top..end, ..));
            matmul(out, Accum::Replace, part, block.transpose(), -2.0, Par::Seq);
            for (j, (near, bound)) in held.iter_mut().enumerate() {
                let terms = products.col_as_slice(j)[..end - top].iter().zip(&row_norms[top..end]);
                for (row, (product, norm)) in (top..).zip(terms) {
                    let distance = norm + product + norms[j]; // not a number where it overflows
                    let squared_distance = if distance < 0.0 { 0.0 } else { distance };
                    if squared_distance < *bound {
                        near.push(Nearest { row, squared_distance });
                        if near.len() == 2 * k {
                            near.select_nth_unstable_by(k - 1, closer);
                            near.truncate(k);
                            *bound = near[k - 1].squared_distance;
                        }
                    }
                }
            }
        }
        let sorted = |(mut near, _): (Vec<Nearest>, f64)| {
            near.sort_unstable_by(closer);
            near.truncate(k);
            near
        };
        held.into_iter().map(sorted).collect::<Vec<_>>()
    };
    starts.par_iter().flat_map_iter(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{from_rows, squared_distances};

    #[test]
    fn nearest_by_hand_and_in_any_company() {
        let rows = from_rows(&[vec![0.0, 0.0], vec![3.0, 4.0], vec![0.0, 0.0]]);
        let queries = from_rows(&[vec![0.0, 1.0], vec![3.0, 3.0]]);
        let found = nearest(queries.as_ref(), rows.as_ref(), &[0, 0, 0], 1);
        assert_eq!(found[0][0], Some(Nearest { row: 0, squared_distance: 1.0 }));
        assert_eq!(found[1][0], Some(Nearest { row: 1, squared_distance: 1.0 }));
        let grouped = nearest(queries.as_ref(), rows.as_ref(), &[0, 1, 1], 3);
        assert_eq!(grouped[0].iter().map(|n| n.map(|n| n.row)).collect::<Vec<_>>(), [Some(0), Some(2), None]);
    }

    #[test]
    fn several_are_those_of_all_sorted() {
        let rows = Mat::from_fn(2500, 3, |i, j| ((i * 37 + j * 11 + i * j) % 41) as f64 / 4.0); // with ties
        let queries = Mat::from_fn(140, 3, |i, j| ((i * 13 + j * 7) % 29) as f64 / 3.0);
        let all = squared_distances(rows.as_ref(), queries.as_ref());
        for k in [1, 2, 7, 2500] {
            let found = nearest_several(queries.as_ref(), rows.as_ref(), k);
            for (j, near) in found.iter().enumerate() {
                let mut order: Vec<usize> = (0..2500).collect();
                order.sort_by(|&a, &b| all[(a, j)].total_cmp(&all[(b, j)]));
                assert_eq!(near.iter().map(|n| n.row).collect::<Vec<_>>(), order[..k], "{k}, query {j}");
            }
            let alone = nearest_several(queries.get(139..140, ..), rows.as_ref(), k);
            assert_eq!(alone[0], found[139]);
        }
    }
}
