//! Proxy A-distance: how well a linear classifier tells source rows from target rows.
//!
//! Paper: S. Ben-David, J. Blitzer, K. Crammer, F. Pereira, "Analysis of representations for domain adaptation", NIPS
//! 2006
//!
//! ```text
//! 2 (1 - 2 e),   e = (share of source rows taken for target + share of target rows taken for source) / 2
//! ```
//! with logistic regression on rows that it was not fitted on (cross-validation), both domains counting alike. 0: no linear
//! rule tells them apart; 2: one does without a mistake. The interval is that of Agresti and Coull for both shares; it
//! allows for the rows, not for the fits.
//!
//! Cost: one logistic regression a fold.

use super::Distance;
use super::held_out::target_probabilities;
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use crate::context::Context;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::params::params_of;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The proxy A-distance.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ProxyADistance {
    /// Folds of the cross-validation, 2 or more.
    pub folds: usize,
}

impl Default for ProxyADistance {
    fn default() -> Self {
        Self { folds: 5 }
    }
}

impl ProxyADistance {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "proxy-a-distance",
        summary: "how well a linear classifier tells source rows from target rows, cross-validated",
        in_each_run: true,
        most_rows: 1000,
        labels: LabelsNeeded::None,
        source: include_str!("proxy_a_distance.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for ProxyADistance {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        _rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        must(Self::ROW.name, "folds", "2 or more", self.folds >= 2, self.folds)?;
        Ok(vec![proxy_a_distance(domains.source, domains.target, self.folds, context)?])
    }
}

/// The distance of `source` `(n_s, d)` and `target` `(n_t, d)`, at least `folds` rows each, columns of about the same
/// scale.
///
/// # Errors
/// [`Error::Numeric`](crate::error::Error::Numeric) if the classifier breaks down.
pub fn proxy_a_distance(
    source: &Matrix,
    target: &Matrix,
    folds: usize,
    context: &mut Context,
) -> Result<Distance> {
    let (n_s, n_t) = (source.nrows(), target.nrows());
    let mut rng = context.rng("proxy-a-distance");
    let (of_source, of_target) = target_probabilities(source, target, folds, &mut rng, context)?;
    // An answer of one half is the first class, as it is the learner's.
    let wrong =
        [of_source.iter().filter(|p| **p > 0.5).count(), of_target.iter().filter(|p| **p <= 0.5).count()];
    let error = 0.5 * (wrong[0] as f64 / n_s as f64 + wrong[1] as f64 / n_t as f64);
    let (low, high) = interval([(wrong[0], n_s), (wrong[1], n_t)]);
    // Where next to no row is taken wrong, the share itself lies outside.
    let (low, high) = (low.min(error), high.max(error));
    let distance = |error: f64| (2.0 * (1.0 - 2.0 * error)).clamp(0.0, 2.0);
    let about = "0 (no linear rule tells the domains apart) to 2 (one does without a mistake)";
    Ok(Distance {
        interval: Some((distance(high), distance(low))),
        effect: Some(0.5 * distance(error)),
        ..Distance::new("proxy A-distance", about, distance(error))
    })
}

/// 95 % for the mean of two shares, each with two more mistakes and four more rows.
fn interval(shares: [(usize, usize); 2]) -> (f64, f64) {
    let (mut middle, mut variance) = (0.0, 0.0);
    for (wrong, n) in shares {
        let n = n as f64 + 4.0;
        let share = (wrong as f64 + 2.0) / n;
        middle += 0.5 * share;
        variance += 0.25 * share * (1.0 - share) / n;
    }
    (middle - 1.96 * variance.sqrt(), middle + 1.96 * variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_domains_are_told_apart_and_equal_ones_are_not() {
        let rows =
            |shift: f64| Matrix::from_fn(100, 2, |i, j| ((i * 37 + j * 11) % 101) as f64 / 50.0 + shift);
        let near = proxy_a_distance(&rows(0.0), &rows(0.0), 5, &mut Context::default()).unwrap();
        let far = proxy_a_distance(&rows(0.0), &rows(9.0), 5, &mut Context::default()).unwrap();
        assert_eq!(far.value, 2.0);
        let (low, high) = far.interval.unwrap();
        assert!(low > 1.8 && high == 2.0);
        assert!(near.value < 0.4 && near.interval.unwrap().0 == 0.0);
    }

    /// 10 of 96 and 20 of 196 mistakes: shares 12 / 100 and 22 / 200.
    #[test]
    fn the_interval_by_hand() {
        let (low, high) = interval([(10, 96), (20, 196)]);
        let error = (0.25f64 * (0.12 * 0.88 / 100.0 + 0.11 * 0.89 / 200.0)).sqrt();
        assert!((low - (0.115 - 1.96 * error)).abs() < 1e-15);
        assert!((high - (0.115 + 1.96 * error)).abs() < 1e-15);
    }
}
