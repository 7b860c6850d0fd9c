//! Rows in folds: each stratum evenly, copies together.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::context::Context;
use crate::data::Labels;

/// Says how many rows are copies of others, if any are, and how many of these bear another label; `are_copies` names
/// them.
pub fn note_copies(leaders: &[usize], labels: &Labels, are_copies: &str, context: &mut Context) {
    let copies = || leaders.iter().enumerate().filter(|(i, leader)| i != *leader);
    let count = copies().count();
    if count == 0 {
        return;
    }
    let torn = match labels {
        Labels::Classes(of) => copies().filter(|(i, leader)| of[*i] != of[**leader]).count(),
        Labels::Values(_) => 0,
    };
    let torn = if torn > 0 {
        format!("; {torn} of them bear another class than what they copy")
    } else {
        String::new()
    };
    let text = format!(
        "{count} of {} {are_copies}: copies stay in one fold, so that none is tested by what was learnt from the \
         other{torn}",
        leaders.len()
    );
    context.note("validation", text);
}

/// Rows in so many folds, each class evenly; each fold rises. `leaders` are for each row the row whose fold it shares,
/// itself for all that share none.
pub fn folds(labels: &Labels, leaders: &[usize], count: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    folds_of(|i| class_of(labels, i), leaders, count, rng)
}

/// The class of a row; 0 of numbers.
pub(super) fn class_of(labels: &Labels, row: usize) -> usize {
    match labels {
        Labels::Classes(of) => of[row],
        Labels::Values(_) => 0,
    }
}

/// The same with strata of any kind.
pub(super) fn folds_of<S: Ord>(
    stratum: impl Fn(usize) -> S,
    leaders: &[usize],
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<usize>> {
    let mut fold = vec![0; leaders.len()];
    for (k, i) in drawn_by(stratum, leaders, rng).into_iter().enumerate() {
        fold[i] = k % count;
    }
    let mut folds = vec![Vec::new(); count];
    for (i, leader) in leaders.iter().enumerate() {
        folds[fold[*leader]].push(i);
    }
    folds
}

/// The rows that are no copies, stratum by stratum, in an order that is drawn within each.
pub(super) fn drawn_by<S: Ord>(
    stratum: impl Fn(usize) -> S,
    leaders: &[usize],
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..leaders.len()).collect();
    order.shuffle(rng);
    order.sort_by_key(|&i| stratum(i)); // stable: shuffled within a stratum
    order.retain(|&i| leaders[i] == i);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_stay_in_one_fold() {
        let mut rng = Context::default().rng("folds");
        let labels = Labels::Classes((0..12).map(|i| i % 2).collect());
        let leaders: Vec<usize> = (0..12).map(|i| i % 6).collect();
        let cut = folds(&labels, &leaders, 3, &mut rng);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 4]);
        for fold in &cut {
            assert!(fold.iter().all(|i| fold.contains(&((i + 6) % 12))), "{cut:?}");
            assert!(fold.is_sorted());
        }
    }
}
