//! Numbers about predictions and domains.

mod scores;

pub use scores::{Scores, classification_scores, regression_scores};
