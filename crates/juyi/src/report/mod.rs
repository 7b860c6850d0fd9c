//! The record of a run, and its views: pure functions of the record.

mod predictions;
mod run;
mod text;

pub use predictions::{Predictions, predictions_csv, predictions_parquet};
pub use run::{DomainFacts, FitFacts, Run};
pub use text::{score_text, text, thousands};
