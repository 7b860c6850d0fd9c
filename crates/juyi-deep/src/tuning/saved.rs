//! What a head does with fewer labels, and so how many labels a checkpoint saves.
//!
//! In each fold of the cross-validation the head is solved on a quarter and on half of the pictures that it learns from, the
//! same ones for the checkpoint and for the rival, each class in its share and none left out; features and the penalty stay.

use juyi::context::Context;
use juyi::error::Result;
use juyi::linalg::{Matrix, select_rows};
use juyi::models::Answers;
use juyi::report::FewerLabels;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::head::{Rotated, Scaling, held, path, probabilities};
use super::inputs::class_counts;
use super::judging::Bench;
use super::trial::Trials;
use super::tried::Trial;

/// The shares of the labels with which heads are solved, beside all of them.
const SHARES: [f64; 2] = [0.25, 0.5];

impl Trials<'_> {
    /// The accuracy of a solved head and of its rival with some shares of the labels, all of them last; empty where either is not
    /// solved on features, or these do not fit the memory once more.
    pub(super) fn curve(
        &self,
        head: &Trial<'_>,
        rival: &Trial<'_>,
        bench: &Bench<'_>,
        context: &mut Context,
    ) -> Result<Vec<FewerLabels>> {
        let (Some(own), Some(other)) = (self.features.get(), rival.rows.as_ref()) else {
            return Ok(Vec::new());
        };
        let need = |rows| 8 * held(rows, self.pictures.names.len(), self.folds.len(), 1);
        if !context.fits(need(own).max(need(other))) {
            context.note("labels", "what fewer would do is left out: it does not fit the memory".to_string());
            return Ok(Vec::new());
        }
        let [chosen, rivals] =
            [(own, head), (other, rival)].map(|(rows, trial)| self.with_fewer(rows, trial, context));
        let few = SHARES.into_iter().zip(chosen?.into_iter().zip(rivals?));
        let few = few.map(|(share, (chosen, rival))| FewerLabels { share, chosen, rival });
        let [chosen, rival] = [head, rival].map(|trial| bench.score(trial).value);
        Ok(few.chain([FewerLabels { share: 1.0, chosen, rival }]).collect())
    }

    /// The accuracy with each of [`SHARES`] of the labels, by cross-validation with the penalty of a trial.
    fn with_fewer(&self, rows: &Matrix, trial: &Trial<'_>, context: &Context) -> Result<Vec<f64>> {
        let (of, classes) = (&self.pictures.classes, self.pictures.names.len());
        let penalty = trial.solved.iter().find(|(name, _)| *name == "inverse-penalty");
        let penalty = penalty.map_or(1.0, |(_, value)| *value);
        let rotated = Rotated::new(rows, Scaling::Deviation)?;
        let mut order: Vec<usize> = (0..of.len()).collect();
        order.shuffle(&mut context.rng("fewer labels"));
        let hits = |fold: &Vec<usize>, share: f64| {
            let all: Vec<usize> =
                order.iter().copied().filter(|at| fold.binary_search(at).is_err()).collect();
            let train = part(&all, of, classes, share);
            let own: Vec<usize> = train.iter().map(|&at| of[at]).collect();
            let [train, test] = [&train, fold].map(|which| select_rows(rotated.rows.as_ref(), which));
            let points = path(&rotated, &train, &own, classes, &[penalty]);
            let said = Answers::from_shares(probabilities(&test, &points[0])).answer;
            said.iter().zip(fold).filter(|(said, at)| **said as usize == of[**at]).count()
        };
        let accuracy = |share: f64| {
            let right: usize = self.folds.par_iter().map(|fold| hits(fold, share)).sum();
            right as f64 / of.len().max(1) as f64
        };
        Ok(SHARES.into_iter().map(accuracy).collect())
    }
}

/// The first of some pictures, as large a share of each class, at least one; rising.
fn part(among: &[usize], of: &[usize], classes: usize, share: f64) -> Vec<usize> {
    let all: Vec<usize> = among.iter().map(|&at| of[at]).collect();
    let mut left: Vec<usize> =
        class_counts(&all, classes).into_iter().map(|count| (share * count as f64).ceil() as usize).collect();
    let mut own: Vec<usize> = among.to_vec();
    own.retain(|&at| {
        let left = &mut left[of[at]];
        let taken = *left > 0;
        *left -= usize::from(taken);
        taken
    });
    own.sort_unstable();
    own
}

/// The share of the labels without which the chosen head is as good as the rival with all of them, read off the curve on the
/// logarithm of their count; none where it never is. Three quarters stand for so many and more.
pub(super) fn labels_saved(curve: &[FewerLabels]) -> Option<f64> {
    let goal = curve.last()?.rival;
    let at = curve.iter().position(|point| point.chosen >= goal)?;
    let here = curve[at];
    let share = match at.checked_sub(1).map(|before| curve[before]) {
        None => here.share,
        Some(before) => {
            let way = (goal - before.chosen) / (here.chosen - before.chosen);
            before.share * (here.share / before.share).powf(way)
        }
    };
    Some(1.0 - share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(chosen: [f64; 3], rival: f64) -> Vec<FewerLabels> {
        let shares = [0.25, 0.5, 1.0].into_iter().zip(chosen);
        shares.map(|(share, chosen)| FewerLabels { share, chosen, rival }).collect()
    }

    #[test]
    fn labels_saved_are_read_off_the_curve() {
        assert_eq!(labels_saved(&curve([0.9, 0.9, 0.9], 0.8)), Some(0.75));
        assert_eq!(labels_saved(&curve([0.6, 0.7, 0.8], 0.7)), Some(0.5));
        let half_way = labels_saved(&curve([0.6, 0.7, 0.8], 0.75)).unwrap();
        assert!((half_way - (1.0 - 0.5f64.sqrt())).abs() < 1e-12, "{half_way}");
        assert_eq!(labels_saved(&curve([0.6, 0.7, 0.8], 0.8)), Some(0.0));
        assert_eq!(labels_saved(&curve([0.6, 0.7, 0.8], 0.9)), None);
        assert_eq!(labels_saved(&[]), None);
    }

    #[test]
    fn a_part_of_the_labels_has_all_classes() {
        let of: Vec<usize> = (0..20).map(|at| usize::from(at >= 16)).collect();
        let order: Vec<usize> = (0..20).rev().collect();
        assert_eq!(part(&order, &of, 2, 0.25), [12, 13, 14, 15, 19]);
        assert_eq!(part(&order, &of, 2, 1.0).len(), 20);
    }
}
