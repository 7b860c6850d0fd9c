//! The split of a change of loss into what rows that lie elsewhere cost and what labels cost that mean something else.
//!
//! Paper: T. Cai, H. Namkoong, S. Yadlowsky, "Diagnosing model performance under distribution shift", 2023 (DISDE)
//!
//! ```text
//! E_t ℓ - E_s ℓ = (E_b R_s - E_s ℓ) + (E_b R_t - E_b R_s) + (E_t ℓ - E_b R_t)
//! R(x) = E(ℓ | x),   b(x) ∝ p_s(x) p_t(x) / (p_s(x) + p_t(x)): the rows that both domains have
//! E_b R_s = Σ_s π ℓ / Σ_s π,   E_b R_t = Σ_t (1 - π) ℓ / Σ_t (1 - π),   π(x) = p_t(x) / (p_s(x) + p_t(x))
//! ```
//! The first and last terms together are the X shift, the middle one the Y|X shift. `ℓ` is 1 for a wrong class, or the squared error,
//! of logistic or ridge regression fitted on half of the source; the other half and the labelled target rows count. `π` is
//! logistic regression's, of rows that it was not fitted on. The intervals are normal ones and take `π` as it is; the p-value of
//! the whole change is that of equal losses, two-sided, with their deviation over both domains. The terms have no p-value: what is wrong about `π` would count as a shift.
//!
//! Cost: one regression on half of the source, and one of the domains a fold.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

use super::held_out::{answers, halves, target_probabilities};
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make, must};
use super::{Distance, FEWEST_ROWS};
use crate::context::Context;
use crate::data::Labels;
use crate::error::{Error, Result};
use crate::linalg::select_rows;
use crate::params::params_of;

/// The split of a change of loss.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LossSplit {
    /// Folds of the classifier of domains, 2 or more.
    pub folds: usize,
}

impl Default for LossSplit {
    fn default() -> Self {
        Self { folds: 5 }
    }
}

impl LossSplit {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "loss-split",
        summary: "how much of a change of loss is for rows that lie elsewhere, and how much for labels that mean something else",
        in_each_run: false,
        most_rows: 5000,
        labels: LabelsNeeded::Both,
        source: include_str!("loss_split.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for LossSplit {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        must(Self::ROW.name, "folds", "2 to 10", (2..=10).contains(&self.folds), self.folds)?;
        let labels = domains.labels(Self::ROW.name)?;
        let (rows, of_target) = labels.target;
        if rows.len() < FEWEST_ROWS {
            let problem = format!("needs {FEWEST_ROWS} labelled target rows, and there are {}", rows.len());
            let hint = "give the target a column of labels; cells may be empty";
            return Err(Error::input(format!("`{}`", Self::ROW.name), problem, hint));
        }
        let (fitted, held) = halves(labels.source.len(), rng);
        let own = select_rows(domains.source.as_ref(), &held);
        let other = select_rows(domains.target.as_ref(), rows);
        let said = answers(labels.goal, (domains.source, labels.source), &fitted, &[&own, &other], context)?;
        let (source, target) = (losses(&labels.source.select(&held), &said[0]), losses(of_target, &said[1]));
        let (of_own, of_other) = target_probabilities(&own, &other, self.folds, rng, context)?;
        let of_other: Vec<f64> = of_other.into_iter().map(|p| 1.0 - p).collect();
        let unit = match of_target {
            Labels::Classes(_) => "share of wrong classes",
            Labels::Values(_) => "mean squared error",
        };
        Ok(split((&source, &of_own), (&target, &of_other), unit))
    }
}

fn losses(labels: &Labels, said: &[f64]) -> Vec<f64> {
    match labels {
        Labels::Classes(of) => {
            of.iter().zip(said).map(|(class, said)| f64::from(*class as f64 != *said)).collect()
        }
        Labels::Values(of) => of.iter().zip(said).map(|(value, said)| (value - said).powi(2)).collect(),
    }
}

/// The whole change, the X shift and the Y|X shift of losses with their weights for the rows that both domains have.
fn split(source: (&[f64], &[f64]), target: (&[f64], &[f64]), unit: &str) -> Vec<Distance> {
    let whole = |(losses, _): (&[f64], &[f64])| Part::of(losses, &vec![1.0; losses.len()]);
    let shared = |(losses, weights): (&[f64], &[f64])| Part::of(losses, weights);
    let (all, both) = ([whole(source), whole(target)], [shared(source), shared(target)]);
    let error = |of: &dyn Fn(usize, usize) -> f64| -> f64 {
        let of_side = |side: usize| {
            let n = all[side].influence.len() as f64;
            (0..all[side].influence.len()).map(|i| of(side, i).powi(2)).sum::<f64>() / (n * (n - 1.0))
        };
        (of_side(0) + of_side(1)).sqrt()
    };
    let change = all[1].mean - all[0].mean;
    let labels = both[1].mean - both[0].mean;
    let of_change = error(&|side, i| all[side].influence[i]);
    let of_labels = error(&|side, i| both[side].influence[i]);
    let of_rows = error(&|side, i| all[side].influence[i] - both[side].influence[i]);
    let told = |name: &str, about: String, value: f64, error: f64| Distance {
        interval: Some((value - 1.96 * error, value + 1.96 * error)),
        ..Distance::new(name, &about, value)
    };
    // If losses are equal, so are their deviations.
    let pooled: Vec<f64> = source.0.iter().chain(target.0).copied().collect();
    let spread = Part::of(&pooled, &vec![1.0; pooled.len()]).influence.iter().map(|v| v * v).sum::<f64>();
    let (n, m) = (source.0.len() as f64, target.0.len() as f64);
    let of_equal = (spread / (n + m - 1.0) * (1.0 / n + 1.0 / m)).sqrt();
    let p_value = if of_equal > 0.0 { erfc((change / of_equal).abs() / 2f64.sqrt()) } else { 1.0 };
    let about = format!("target less source, {unit}; the sum of the next two");
    vec![
        Distance { p_value: Some(p_value), ..told("change of loss", about, change, of_change) },
        told("X shift", format!("{unit}, for rows that lie elsewhere"), change - labels, of_rows),
        told("Y|X shift", format!("{unit}, for labels that mean something else"), labels, of_labels),
    ]
}

/// A weighted mean, and by how much each row moves it.
struct Part {
    mean: f64,
    influence: Vec<f64>,
}

impl Part {
    fn of(losses: &[f64], weights: &[f64]) -> Self {
        let total = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mean = losses.iter().zip(weights).map(|(loss, weight)| loss * weight).sum::<f64>() / total;
        let unit = losses.len() as f64 / total;
        let influence =
            losses.iter().zip(weights).map(|(loss, weight)| unit * weight * (loss - mean)).collect();
        Self { mean, influence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Losses 0, 0, 1 against 1, 1, 0, 1, of which the shared rows are the last two of the source and the first two of the
    /// target: ½ against 1.
    #[test]
    fn terms_by_hand() {
        let source: (&[f64], &[f64]) = (&[0.0, 0.0, 1.0], &[0.0, 0.5, 0.5]);
        let target: (&[f64], &[f64]) = (&[1.0, 1.0, 0.0, 1.0], &[0.5, 0.5, 0.0, 0.0]);
        let found = split(source, target, "");
        let values: Vec<f64> = found.iter().map(|distance| distance.value).collect();
        for (value, expected) in values.iter().zip([0.75 - 1.0 / 3.0, 0.25 - 1.0 / 3.0, 0.5]) {
            assert!((value - expected).abs() < 1e-15, "{values:?}");
        }
        // Of the source ± ½ times 3 / 1 · ½ twice, of the target none.
        let (low, high) = found[2].interval.unwrap();
        let error = (2.0 * 0.75f64.powi(2) / 6.0).sqrt();
        assert!((high - low - 2.0 * 1.96 * error).abs() < 1e-14);
    }
}
