//! Label shift: whether the shares of the classes differ, by the answers of a classifier.
//!
//! Paper: Z. Lipton, Y.-X. Wang, A. Smola, "Detecting and correcting for label shift with black box predictors", ICML 2018,
//! section 5
//!
//! ```text
//! half of the source fits a classifier f; the shares of f(x) in the other half and in the target are compared:
//! Σ_i |p_i - q_i| / 2                                       total variation distance, and Pearson's chi-square test
//! C w = q,   C_ij = share of the other half that is answered i and labelled j
//! Σ_j p(j) |w_j - 1| / 2                                    the same of the classes' shares, if only these shifted
//! ```
//! 0 to 1. The p-value is uniform where rows are as likely in both domains. A shift of something else than the classes'
//! shares that changes answers is told as well. No interval: a total variation distance is above 0 on average for equal shares, and
//! no unbiased estimate of it is known.
//!
//! Cost: one logistic regression.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::held_out::{answers, halves};
use super::moved_columns::chi_square_of_counts;
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::{Matrix, select_rows};
use crate::params::params_of;
use crate::solvers::shift_weights;

/// The test of label shift.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LabelShift {}

impl LabelShift {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "label-shift",
        summary: "whether the shares of the classes differ, by a classifier's answers, with a chi-square test",
        in_each_run: false,
        most_rows: 5000,
        labels: LabelsNeeded::Source,
        source: include_str!("label_shift.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for LabelShift {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        let labels = domains.labels(Self::ROW.name)?;
        let of = labels.classes(Self::ROW.name)?;
        let (fitted, held) = halves(of.len(), rng);
        let own = select_rows(domains.source.as_ref(), &held);
        let asked = [&own, domains.target];
        let said = answers(labels.goal, (domains.source, labels.source), &fitted, &asked, context)?;
        let held: Vec<usize> = held.iter().map(|&i| of[i]).collect();
        let [in_source, in_target] =
            [&said[0], &said[1]].map(|said| said.iter().map(|class| *class as usize).collect::<Vec<usize>>());
        shifted(&held, &in_source, &in_target, labels.goal.classes())
    }
}

/// Both numbers, for the classes of source rows and the answers for these and the target's, of so many `classes`.
fn shifted(
    labels: &[usize],
    in_source: &[usize],
    in_target: &[usize],
    classes: usize,
) -> Result<Vec<Distance>> {
    let mut counts = vec![(0.0, 0.0); classes];
    for &class in in_source {
        counts[class].0 += 1.0;
    }
    for &class in in_target {
        counts[class].1 += 1.0;
    }
    let (n, m) = (in_source.len() as f64, in_target.len() as f64);
    let mut confusion = Matrix::zeros(classes, classes);
    for (&said, &class) in in_source.iter().zip(labels) {
        confusion[(said, class)] += 1.0 / n;
    }
    let in_target: Vec<f64> = counts.iter().map(|(_, count)| count / m).collect();
    let weights = shift_weights(confusion.as_ref(), &in_target)?;
    let shares = weights.target_shares(confusion.as_ref());
    let own = (0..classes).map(|class| confusion.col(class).iter().sum::<f64>());
    let of_classes = 0.5 * own.zip(shares).map(|(p, q)| (p - q).abs()).sum::<f64>();
    counts.retain(|(a, b)| a + b > 0.0);
    let (variation, p_value) = chi_square_of_counts(&counts);
    let about = "0 to 1; of the shares of a classifier's answers";
    let answered = Distance {
        p_value: Some(p_value),
        effect: Some(variation),
        ..Distance::new("label shift", about, variation)
    };
    let about = "0 to 1; of the classes' shares, if only these shifted";
    Ok(vec![answered, Distance { beside: true, ..Distance::new("label shift (classes)", about, of_classes) }])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 8 of 10 rows of either class are answered right, and 13 of 20 target rows are answered 1: `0.8 q + 0.2 (1 - q) = 0.65`.
    #[test]
    fn shares_by_hand() {
        let labels = [vec![0; 10], vec![1; 10]].concat();
        let said: Vec<usize> = (0..20).map(|i| usize::from((i % 10 < 8) == (i >= 10))).collect();
        let target: Vec<usize> = (0..20).map(|i| usize::from(i < 13)).collect();
        let found = shifted(&labels, &said, &target, 2).unwrap();
        assert!((found[0].value - 0.15).abs() < 1e-12);
        assert!((found[1].value - 0.25).abs() < 1e-12, "{}", found[1].value);
    }
}
