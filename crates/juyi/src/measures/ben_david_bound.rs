//! Ben-David's bound: what a linear rule's error in the target is at most, as far as the rows tell.
//!
//! Paper: S. Ben-David, J. Blitzer, K. Crammer, A. Kulesza, F. Pereira, J. Wortman Vaughan, "A theory of learning from
//! different domains", Machine Learning 2010
//!
//! ```text
//! ε_t(h) ≤ ε_s(h) + d(D_s, D_t) / 2 + λ,   λ = min_h (ε_s(h) + ε_t(h))                                  (theorem 2)
//! ```
//! The number is `ε_s + d / 2`: the error of logistic regression in the source and the proxy A-distance, both of rows that the
//! rules were not fitted on. `λ`, the error of the one rule that serves both domains best, is left out: without target labels nobody knows
//! it. From 0 to 2; from 1 on the bound says nothing. No interval and no p-value: the theorem's `d` is that of the worst pair of
//! rules, of which one rule's is a lower bound.
//!
//! Cost: two logistic regressions a fold.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::held_out::answers;
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use super::{Distance, proxy_a_distance};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::select_rows;
use crate::params::params_of;
use rand::seq::SliceRandom;

/// Ben-David's bound without its unknown term.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BenDavidBound {
    /// Folds of the cross-validations, 2 or more.
    pub folds: usize,
}

impl Default for BenDavidBound {
    fn default() -> Self {
        Self { folds: 5 }
    }
}

impl BenDavidBound {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "ben-david-bound",
        summary: "the error in the source plus half the proxy A-distance: the bound of the target's error but for one term",
        in_each_run: false,
        most_rows: 1000,
        labels: LabelsNeeded::Source,
        source: include_str!("ben_david_bound.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for BenDavidBound {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        must(Self::ROW.name, "folds", "2 or more", self.folds >= 2, self.folds)?;
        let labels = domains.labels(Self::ROW.name)?;
        let of = labels.classes(Self::ROW.name)?;
        let apart = proxy_a_distance(domains.source, domains.target, self.folds, context)?.value;
        let mut order: Vec<usize> = (0..of.len()).collect();
        order.shuffle(rng);
        let mut wrong = 0;
        for fold in 0..self.folds.min(of.len()) {
            let part = |held: bool| {
                let rows = order.iter().enumerate().filter(|(k, _)| (k % self.folds == fold) == held);
                rows.map(|(_, row)| *row).collect::<Vec<usize>>()
            };
            let (held, kept) = (part(true), part(false));
            let asked = select_rows(domains.source.as_ref(), &held);
            let said =
                answers(labels.goal, (domains.source, labels.source), &kept, &[&asked], context)?.remove(0);
            wrong += held.iter().zip(said).filter(|(row, said)| of[**row] as f64 != *said).count();
        }
        let error = wrong as f64 / of.len() as f64;
        let about = "0 to 2, from 1 on it says nothing; the target's error is at most this plus λ, which nobody knows";
        let beside =
            Distance::new("error in the source", "0 to 1; of logistic regression, cross-validated", error);
        Ok(vec![
            Distance::new("Ben-David's bound", about, error + 0.5 * apart),
            Distance { beside: true, ..beside },
        ])
    }
}
