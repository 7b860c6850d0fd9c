//! A plain learner's answers for rows that it was not fitted on: logistic regression for classes, ridge regression for
//! numbers.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::context::Context;
use crate::data::{Goal, Labels};
use crate::error::Result;
use crate::learners::{Learner, Logistic, Ridge, train};
use crate::linalg::{Matrix, select_rows, stack};

/// Two halves of so many rows, drawn at random.
pub(super) fn halves(rows: usize, rng: &mut ChaCha8Rng) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(rng);
    let second = order.split_off(rows / 2);
    (order, second)
}

/// Positions of classes, or numbers, that a learner fitted on some of the labelled `rows` answers for others.
pub(super) fn answers(
    goal: &Goal,
    (rows, labels): (&Matrix, &Labels),
    fitted: &[usize],
    asked: &[&Matrix],
    context: &mut Context,
) -> Result<Vec<Vec<f64>>> {
    let learner: &dyn Learner = match goal {
        Goal::Classes(_) => &Logistic::default(),
        Goal::Value => &Ridge::default(),
    };
    let own = select_rows(rows.as_ref(), fitted);
    // That a class is absent is part of the measure.
    let trained = train(learner, &own, &labels.select(fitted), None, goal, &mut context.aside())?;
    let of = |rows: &&Matrix| {
        let answers = trained.predictor.answer(rows.as_ref()).answer;
        let class = |v: f64| trained.classes.get(v as usize).map_or(v, |class| *class as f64);
        answers.into_iter().map(class).collect()
    };
    Ok(asked.iter().map(of).collect())
}

/// For each row of either side the probability that it is the target's, by logistic regression for which both sides count
/// alike, fitted on the rows of the other folds.
pub(super) fn target_probabilities(
    source: &Matrix,
    target: &Matrix,
    folds: usize,
    rng: &mut ChaCha8Rng,
    context: &mut Context,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let (n_s, n_t) = (source.nrows(), target.nrows());
    let all = stack(source.as_ref(), target.as_ref());
    let is_target = |i: usize| usize::from(i >= n_s);
    let mut order: Vec<usize> = (0..n_s + n_t).collect();
    order.shuffle(rng);
    order.sort_by_key(|&i| is_target(i)); // each fold gets its share of both
    let mut found = vec![0.0; n_s + n_t];
    for fold in 0..folds {
        let (mut held, mut kept) = (Vec::new(), Vec::new());
        for (k, &i) in order.iter().enumerate() {
            if k % folds == fold { held.push(i) } else { kept.push(i) }
        }
        let labels = Labels::Classes(kept.iter().map(|&i| is_target(i)).collect());
        let weights: Vec<f64> =
            kept.iter().map(|&i| 0.5 * kept.len() as f64 / [n_s, n_t][is_target(i)] as f64).collect();
        let rows = select_rows(all.as_ref(), &kept);
        let predictor = Logistic::default().fit(rows.as_ref(), &labels, &weights, 2, context)?;
        let said = predictor.answer(select_rows(all.as_ref(), &held).as_ref());
        for (k, &i) in held.iter().enumerate() {
            let sure = said.confidence[k];
            found[i] = if said.answer[k] == 1.0 { sure } else { 1.0 - sure };
        }
    }
    let of_target = found.split_off(n_s);
    Ok((found, of_target))
}
