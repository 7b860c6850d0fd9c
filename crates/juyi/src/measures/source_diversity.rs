//! Diversity of a source: how many directions its rows really have, and how many classes.
//!
//! Paper: O. Roy, M. Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO 2007; M. Hill, "Diversity and
//! evenness: a unifying notation and its consequences", Ecology 1973
//!
//! ```text
//! rank     exp(-Σ_k p_k ln p_k),   p_k = σ_k / Σ_l σ_l,   σ the singular values of the centred rows
//! classes  exp(-Σ_c p_c ln p_c),   p_c the share of class c
//! ```
//! From 1 to the number of columns, and to that of classes: reached where all count alike. Nothing is said of the target; a
//! source that is more diverse covers more of what may come. No interval and no p-value: the numbers describe the rows, and no two domains are
//! compared.
//!
//! Cost: `O(n d² + d³)` time, `16 d²` bytes; of all rows.

use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distance;
use super::registry::{DomainMeasure, Domains, LabelsNeeded, MeasureRow, make};
use crate::context::Context;
use crate::data::Labels;
use crate::error::Result;
use crate::linalg::{covariance, symmetric_eigen};
use crate::params::params_of;

/// The diversity of a source.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct SourceDiversity {}

impl SourceDiversity {
    /// Its row in the registry.
    pub const ROW: MeasureRow = MeasureRow {
        name: "source-diversity",
        summary: "how many directions the rows of a source really have, and how many classes",
        in_each_run: false,
        most_rows: usize::MAX,
        labels: LabelsNeeded::IfGiven,
        source: include_str!("source_diversity.rs"),
        params: params_of::<Self>,
        make: make::<Self>,
    };
}

impl DomainMeasure for SourceDiversity {
    fn row(&self) -> &'static MeasureRow {
        &Self::ROW
    }

    fn between(
        &self,
        domains: &Domains<'_>,
        _rng: &mut ChaCha8Rng,
        context: &mut Context,
    ) -> Result<Vec<Distance>> {
        let d = domains.source.ncols();
        context.require("the covariance of the source", 8 * (4 * d * d + 8192 * d) as u64)?;
        let (values, _) = symmetric_eigen(covariance(domains.source.as_ref()).as_ref())?;
        let lengths: Vec<f64> = values.iter().map(|v| v.max(0.0).sqrt()).collect();
        let about = format!("1 to {d}; directions of the source");
        let mut found = vec![Distance::new("effective rank", &about, effective(&lengths))];
        if let Some((Labels::Classes(of), classes)) = domains.labels.map(|l| (l.source, l.goal.classes()))
            && !of.is_empty()
        {
            let mut counts = vec![0.0; classes];
            for &class in of {
                counts[class] += 1.0;
            }
            let about = format!("1 to {classes}; classes of the source");
            found.push(Distance::new("effective classes", &about, effective(&counts)));
        }
        Ok(found)
    }
}

/// How many parts there are, by the exponential of their entropy; 1 where all are 0.
fn effective(parts: &[f64]) -> f64 {
    let total: f64 = parts.iter().sum();
    let shares = parts.iter().filter(|part| **part > 0.0).map(|part| part / total);
    shares.map(|p| -p * p.ln()).sum::<f64>().exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_count_alike_are_all_counted() {
        assert!((effective(&[2.0, 2.0, 0.0, 2.0]) - 3.0).abs() < 1e-14);
        // ½, ¼, ¼: 1.5 bits.
        assert!((effective(&[2.0, 1.0, 1.0]) - 2f64.powf(1.5)).abs() < 1e-14);
        assert_eq!(effective(&[0.0]), 1.0);
    }
}
