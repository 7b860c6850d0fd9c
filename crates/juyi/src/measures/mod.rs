//! Numbers about predictions and domains.

mod distance;
mod kernel_test;
mod mmd;
mod moved_columns;
mod proxy_a_distance;
mod registry;
mod scores;
mod sources_apart;

pub use distance::Distance;
pub use mmd::{Mmd, mmd};
pub(crate) use moved_columns::kolmogorov_smirnov;
pub use moved_columns::moved_columns;
pub use proxy_a_distance::{ProxyADistance, proxy_a_distance};
pub use registry::{
    DomainLabels, DomainMeasure, Domains, FEWEST_ROWS, LabelsNeeded, MeasureRow, measure_row, measure_with,
};
pub use scores::{Scores, classification_scores, regression_scores};
pub use sources_apart::{Apart, source_apart};

use serde::{Deserialize, Serialize};

/// All measures of two domains.
pub static MEASURES: &[MeasureRow] = &[Mmd::ROW, ProxyADistance::ROW];

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
}
