//! Numbers about predictions and domains.

mod area;
mod average_thresholded_confidence;
mod ben_david_bound;
mod blocks;
mod bures_wasserstein;
mod conditional_discrepancy;
mod coral_distance;
mod distance;
mod energy_distance;
mod figure;
mod held_out;
mod jensen_shannon;
mod kernel_test;
mod kullback_leibler;
mod label_shift;
mod linear_discrepancy;
mod linear_time_mmd;
mod loss_split;
mod mmd;
mod moved_columns;
mod multi_kernel_mmd;
mod near_rows;
mod permutations;
mod proxy_a_distance;
mod random_features_mmd;
mod ranks;
mod registry;
mod scores;
mod signed_rank;
mod sinkhorn_divergence;
mod sliced_wasserstein;
mod source_diversity;
mod sources_apart;
mod wasserstein;

pub use area::{Ranking, mean_area};
pub use average_thresholded_confidence::average_thresholded_confidence;
pub use ben_david_bound::BenDavidBound;
pub use bures_wasserstein::BuresWasserstein;
pub use conditional_discrepancy::ConditionalDiscrepancy;
pub use coral_distance::CoralDistance;
pub use distance::Distance;
pub use energy_distance::EnergyDistance;
pub use figure::Figure;
pub use jensen_shannon::JensenShannon;
pub use kullback_leibler::KullbackLeibler;
pub use label_shift::LabelShift;
pub use linear_discrepancy::LinearDiscrepancy;
pub use linear_time_mmd::LinearTimeMmd;
pub use loss_split::LossSplit;
pub use mmd::{Mmd, mmd};
pub(crate) use moved_columns::kolmogorov_smirnov;
pub use moved_columns::moved_columns;
pub use multi_kernel_mmd::MultiKernelMmd;
pub use proxy_a_distance::{ProxyADistance, proxy_a_distance};
pub use random_features_mmd::RandomFeaturesMmd;
pub use ranks::{mean_ranks, ranks};
pub use registry::{
    DomainLabels, DomainMeasure, Domains, FEWEST_ROWS, LabelsNeeded, MeasureRow, measure_row, measure_with,
};
pub use scores::{Scores, classification_scores, regression_scores};
pub use signed_rank::signed_rank_p_value;
pub use sinkhorn_divergence::SinkhornDivergence;
pub use sliced_wasserstein::SlicedWasserstein;
pub use source_diversity::SourceDiversity;
pub use sources_apart::{Apart, source_apart};
pub use wasserstein::Wasserstein;

use serde::{Deserialize, Serialize};

/// All measures of two domains.
pub static MEASURES: &[MeasureRow] = &[
    Mmd::ROW,
    MultiKernelMmd::ROW,
    LinearTimeMmd::ROW,
    RandomFeaturesMmd::ROW,
    EnergyDistance::ROW,
    KullbackLeibler::ROW,
    JensenShannon::ROW,
    Wasserstein::ROW,
    SlicedWasserstein::ROW,
    BuresWasserstein::ROW,
    SinkhornDivergence::ROW,
    CoralDistance::ROW,
    LinearDiscrepancy::ROW,
    ProxyADistance::ROW,
    BenDavidBound::ROW,
    LabelShift::ROW,
    ConditionalDiscrepancy::ROW,
    LossSplit::ROW,
    SourceDiversity::ROW,
];

/// A number with the interval in which the true one lies in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// A difference as it was seen in `rows` rows, and so much on each side; never of width 0: where nothing differs in `n`
    /// rows, up to 3 of `n` others may, with 95 % (the rule of three).
    pub fn around(value: f64, reach: f64, rows: usize) -> Self {
        let reach = if reach > 0.0 { reach } else { 3.0 / rows.max(1) as f64 };
        Self { value, low: value - reach, high: value + reach }
    }
}

/// How one column differs between source and target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovedColumn {
    /// The column's name.
    pub column: String,
    /// `KS` for numbers, `chi-square` for text.
    pub test: String,
    /// Largest difference of the two distribution functions, or total variation distance, or difference of the shares
    /// of missing cells, whichever is largest: all from 0 to 1.
    pub distance: f64,
    /// Shares of missing cells in source and target, 0 to 1.
    #[serde(default)]
    pub missing: (f64, f64),
    /// Corrected for the number of columns (Holm).
    pub p_value: f64,
    /// The column in the source, in words: mean and deviation, or the most frequent value.
    pub source: String,
    /// The same in the target.
    pub target: String,
}

impl MovedColumn {
    /// Whether the column differs more than chance explains: at 5 % for all columns together.
    pub fn moved(&self) -> bool {
        self.p_value < 0.05
    }

    /// The difference in words, by the rule of [`Distance::words`].
    pub fn words(&self) -> &'static str {
        distance::words(self.distance, Some(self.p_value))
    }
}
